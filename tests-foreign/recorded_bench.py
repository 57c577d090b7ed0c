#!/usr/bin/env python3
"""Hundreds of calls with sound, recorded and not: what the relay's thread costs, and whether a frame was dropped. JSON lines; exit 1 above a bound.

SIPp plays speech-like G.711 on each call, 50 packets a second, and echoes what it hears, so both legs of every call carry sound all the time. Each pair of runs is one unrecorded and one recorded, of a server each.
"""

import argparse
import json
import pathlib
import statistics
import struct
import sys
import tempfile
import time

import audio
from interop_suite import Row, answered, ended, hangs_up, sipp, talking
from sip_bench import threads_cpu_s
from tonewall import Addresses, Server, free_sip_port, raise_file_limit

PLAYED_MS = 8_000
PACKET_MS = 20
RATIO_MAX = 1.25
RAMP_PER_S = 50
SETTLE_S = 3


def write_capture(path):
    """A capture of PLAYED_MS of RTP as SIPp plays it: it puts addresses and ports of its own in."""
    sound = audio.ulaw(audio.hum(PLAYED_MS / 1_000))
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    for number in range(PLAYED_MS // PACKET_MS):
        payload = sound[number * 160 : number * 160 + 160]
        rtp = struct.pack("!BBHII", 0x80, 0, number, number * 160, 7) + payload
        udp = struct.pack("!HHHH", 4_000, 4_002, 8 + len(rtp), 0) + rtp
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, bytes(4), bytes(4)) + udp
        frame = bytes(12) + b"\x08\x00" + ip
        ms = number * PACKET_MS
        file += struct.pack("<IIII", ms // 1_000, ms % 1_000 * 1_000, len(frame), len(frame)) + frame
    path.write_bytes(file)
    return path


def one_run(calls, seconds, recorded):
    net = Addresses()
    rounds = 1 + (1000 * (calls // RAMP_PER_S + SETTLE_S + seconds + 5)) // PLAYED_MS
    folder = tempfile.TemporaryDirectory(prefix="tonewall-recorded-")
    played = write_capture(pathlib.Path(folder.name) / "speech.pcap")
    caller = talking()
    for _ in range(rounds):
        caller.plays(played).pause(PLAYED_MS)
    row = Row("bench", "calls", hangs_up(caller), ended(answered()), calls=calls)
    settings = f'\n[recordings]\ndirectory = "{folder.name}/kept"\n'
    with folder, Server(net, "recorded-bench", slots=4096, media_pairs=2 * calls + 50, settings=settings) as server:
        port = free_sip_port(net.callee)
        server.serve_number("7000", port, recorded=recorded)
        callee = sipp(server, row, row.callee, net.callee, port, "-l", str(2 * calls), "-rtp_echo", service="7000")
        time.sleep(0.5)
        calling = sipp(server, row, row.caller, net.caller, free_sip_port(net.caller), "-r", str(RAMP_PER_S), "-l", str(2 * calls), remote=server.sip, service="7000")
        while server.metrics()["tonewall_media_calls"] < calls:
            if calling.process.poll() is not None:
                sys.exit(f"sipp gave up: {calling.complaint()}")
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        before, cpu_before = server.metrics(), threads_cpu_s(server.process.pid)
        time.sleep(seconds)
        after, cpu_after = server.metrics(), threads_cpu_s(server.process.pid)
        callee.stop()
        calling.stop()
    grown = {name: after[name] - before[name] for name in after}
    return {
        "recorded": recorded,
        "calls": calls,
        "running": int(after["tonewall_recording_running"]),
        "packets_per_s": round((grown["tonewall_media_packets_received_total"]) / seconds),
        "relay_cpu": round((cpu_after[0] - cpu_before[0]) / seconds, 3),
        "other_cpu": round((cpu_after[1] - cpu_before[1]) / seconds, 3),
        "frames_dropped": int(grown["tonewall_media_record_frames_dropped_total"]),
        "written_kb_per_s": round(grown["tonewall_recording_written_bytes_total"] / seconds / 1000),
    }


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=500)
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--pairs", type=int, default=3)
    chosen = options.parse_args()
    raise_file_limit()
    ratios, dropped = [], 0
    for _ in range(chosen.pairs):
        plain, recorded = (one_run(chosen.calls, chosen.seconds, is_recorded) for is_recorded in (False, True))
        print(json.dumps(plain), json.dumps(recorded), sep="\n", flush=True)
        # By packet: a busy machine makes SIPp play a little slower in one of the two.
        ratios.append(recorded["relay_cpu"] / recorded["packets_per_s"] / (plain["relay_cpu"] / plain["packets_per_s"]))
        dropped += recorded["frames_dropped"]
    ratio = statistics.median(ratios)
    print(json.dumps({"ratio_median": round(ratio, 3), "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)], "ratio_bound": RATIO_MAX, "frames_dropped": dropped}))
    return 0 if ratio <= RATIO_MAX and dropped == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
