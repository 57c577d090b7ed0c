#!/usr/bin/env python3
"""Good calls beside those who mean harm: garbage, floods, and attempts to call at somebody else's cost.

CALLS good calls with audio both ways. First they are counted alone; then beside GARBAGE datagrams a second to the SIP port and the media ports, beside a flood of REGISTERs, and beside a flood of INVITEs to
numbers of the telephone network from strangers. The added loss of each is at most 0.5 %, memory is flat, nothing panics, each attempt is refused and counted, and the calls can still be hung up.
"""

import argparse
import multiprocessing
import random
import secrets
import selectors
import socket
import struct
import sys
import time

import audio
from phone import Phone
from tonewall import Addresses, Report, Server, raise_file_limit

ADDED_LOSS_MAX = 0.005
FRAME_S = 0.02
# What is on its way when counting ends has this long to come.
SETTLE_S = 0.5
GROWTH_FACTOR, GROWTH_KIB = 1.05, 4 * 1024


class Streams:
    """Both ends of all calls: sends a frame each 20 ms on every leg and counts what comes."""

    def __init__(self, calls):
        self.calls, self.selector, self.payload = calls, selectors.DefaultSelector(), audio.ulaw(audio.hum(1))[:160]
        self.came = 0
        for call in calls:
            self.selector.register(call.wire, selectors.EVENT_READ)

    def drain(self):
        for key, _ in self.selector.select(0):
            while True:
                try:
                    packet = key.fileobj.recv(2_048)
                except BlockingIOError:
                    break
                self.came += packet[1] & 0x7F == 0

    def run(self, seconds):
        """Yields which share of what was sent did not come."""
        self.drain()
        self.came = sent = 0
        due, until = time.monotonic(), time.monotonic() + seconds
        while due < until:
            for number, call in enumerate(self.calls):
                call.wire.sendto(call.packet(self.payload), call.remote)
                sent += 1
                if number % 32 == 0:
                    self.drain()
            due += FRAME_S
            while time.monotonic() < due:
                self.drain()
                time.sleep(0.001)
        settled = time.monotonic() + SETTLE_S
        while time.monotonic() < settled:
            self.drain()
            time.sleep(0.005)
        return 1 - self.came / sent


def request(method, target, source, body=b"", headers=()):
    token = secrets.token_hex(8)
    lines = [
        f"{method} {target} SIP/2.0",
        f"Via: SIP/2.0/UDP {source[0]}:{source[1]};branch=z9hG4bK{token}",
        f"From: <sip:{random.randrange(10**9)}@{source[0]}>;tag={token}",
        f"To: <{target}>",
        f"Call-ID: {token}@{source[0]}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:{token}@{source[0]}:{source[1]}>",
        "Max-Forwards: 70",
        *headers,
        f"Content-Length: {len(body)}",
        "\r\n",
    ]
    return "\r\n".join(lines).encode() + body


def garbage(server, media, source):
    """Datagrams of every bad kind, each for the port that it would hurt."""
    sdp = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    whole = request("INVITE", f"sip:4000@{server[0]}", source, sdp, ["Content-Type: application/sdp"])

    def mutated():
        message = bytearray(whole)
        for _ in range(random.randint(1, 12)):
            message[random.randrange(len(message))] = random.randrange(256)
        return bytes(message[: random.randint(1, len(message))])

    def rtp():
        return struct.pack("!BBHII", 0x80, random.choice([0, 8, 13, 101, 127]), random.randrange(1 << 16), random.randrange(1 << 32), random.randrange(1 << 32)) + random.randbytes(160)

    def stun():
        return struct.pack("!HHI", 1, 8, 0x2112A442) + random.randbytes(20)

    def dtls():
        return b"\x16\xfe\xfd" + random.randbytes(60)

    kinds = [(mutated, [server]), (lambda: random.randbytes(random.randint(1, 1_400)), [server]), (rtp, media), (stun, media), (dtls, media), (lambda: random.randbytes(4), media)]
    while True:
        make, places = random.choice(kinds)
        yield make(), random.choice(places)


def registers(server, _, source):
    while True:
        yield request("REGISTER", f"sip:{server[0]}", source, headers=["Expires: 3600", f'Authorization: Digest username="{random.randrange(2_000)}", realm="tonewall", nonce="x", uri="sip:x", response="{secrets.token_hex(16)}"']), server


def toll_fraud(server, _, source):
    sdp = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    while True:
        number = random.choice(["00", "+", "900", "011"]) + str(random.randrange(10**10))
        yield request("INVITE", f"sip:{number}@{server[0]}", source, sdp, ["Content-Type: application/sdp"]), server


def attack(kind, rate, server, media, address, running, sent):
    """A process that sends datagrams of a kind at a rate until it is told to stop. Answers are thrown away."""
    random.seed(secrets.randbits(64))
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((address, 0))
    wire.setblocking(False)
    # Made beforehand, so that sending costs little of the machine that is shared.
    source = kind(server, media, wire.getsockname())
    ready = [next(source) for _ in range(5_000)]
    running.wait()
    began, number = time.monotonic(), 0
    while running.is_set():
        behind = int((time.monotonic() - began) * rate) - number
        for _ in range(max(0, min(behind, 500))):
            datagram, place = ready[number % len(ready)]
            try:
                wire.sendto(datagram, place)
            except BlockingIOError:
                pass
            number += 1
        time.sleep(0.002)
    sent.value = number


def beside(kind, rate, server, media, address, streams, seconds):
    """The good calls' loss beside an attack, and how many datagrams it sent."""
    running, sent = multiprocessing.Event(), multiprocessing.Value("q", 0)
    attacker = multiprocessing.Process(target=attack, args=(kind, rate, server, media, address, running, sent), daemon=True)
    attacker.start()
    time.sleep(1.0)
    running.set()
    loss = streams.run(seconds)
    running.clear()
    attacker.join(10)
    return loss, sent.value


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=100)
    options.add_argument("--garbage", type=int, default=10_000, help="datagrams a second")
    options.add_argument("--requests", type=int, default=2_000, help="REGISTERs and INVITEs a second")
    options.add_argument("--seconds", type=int, default=20, help="of each part")
    chosen = options.parse_args()
    raise_file_limit()
    report, net = Report(), Addresses()
    with Server(net, "flood", slots=512, media_pairs=500) as server:
        callee, caller = Phone(net.callee), Phone(net.caller)
        server.serve_number("4000", callee.port)
        ours = [caller.call(server.sip_address, "4000") for _ in range(chosen.calls)]
        streams = Streams(ours + [callee.answered.get(timeout=10) for _ in ours])
        media = [call.remote for call in streams.calls]
        streams.run(2)
        before, first_rss = server.metrics(), server.rss_kib()
        alone = streams.run(chosen.seconds)
        report.figure(f"{chosen.calls} calls alone: loss", f"{100 * alone:.3f}", "%")
        attacks = [("garbage to SIP and media ports", garbage, chosen.garbage), ("REGISTERs of strangers with invented passwords", registers, chosen.requests), ("INVITEs of strangers to numbers of the telephone network", toll_fraud, chosen.requests)]
        for what, kind, rate in attacks:
            loss, sent = beside(kind, rate, server.sip_address, media, net.stranger, streams, chosen.seconds)
            report.figure(f"beside {sent / chosen.seconds:.0f} datagrams/s: loss", f"{100 * loss:.3f}", "%")
            report.check(sent >= 0.9 * rate * chosen.seconds, f"{what}: the attacker kept its rate", f"{sent / chosen.seconds:.0f} of {rate}/s")
            report.check(loss - alone <= ADDED_LOSS_MAX, f"{what}: added loss of the good calls is at most {100 * ADDED_LOSS_MAX} %", f"{100 * (loss - alone):.3f} %")
        after = server.metrics()
        counted = {name: int(after[f"tonewall_sip_{name}_total"] - before[f"tonewall_sip_{name}_total"]) for name in ("garbage", "malformed", "forbidden", "shed")}
        report.figure("counted", ", ".join(f"{name} {value}" for name, value in counted.items()))
        report.check(counted["forbidden"] > 0 and counted["shed"] > 0 and counted["garbage"] + counted["malformed"] > 0, "attempts are refused and counted")
        report.check(after["tonewall_voice_calls_incoming_total"] == before["tonewall_voice_calls_incoming_total"], "no stranger's call came in")
        rss = server.rss_kib()
        report.check(rss <= first_rss * GROWTH_FACTOR + GROWTH_KIB, "memory is flat", f"{first_rss} to {rss} KiB")
        for call in ours:
            call.hang_up()
        report.leaves_nothing(server, 32)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
