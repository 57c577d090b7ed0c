#!/usr/bin/env python3
"""How many calls one core relays: two-way G.711 calls at 20 ms over real sockets through a whole running server.

Prints JSON lines, one for each number of calls and kind (plain; protected: a card capture is open on every call). Figures of one machine, to be
compared with each other; nothing else should run beside them. CPU is the server process's own, all threads; the generator is another process.
"""

import argparse
import json
import multiprocessing
import os
import random
import secrets
import select
import socket
import statistics
import struct
import sys
import time

import audio
from phone import Phone
from tonewall import BASIC_CARD, Addresses, Server, raise_file_limit

# Frames sent each 20 ms are spread over so many parts of it, as they would come from a network.
SLICES = 4
# Packets of one two-way call in a second, counted on arrival.
PACKETS_PER_CALL_SECOND = 100
# A run is void if the generator could not keep its pace: fewer packets arrived than this share.
ARRIVED_MIN = 0.97
# The probe call says nothing but a burst of noise in every n-th frame; its arrival is timed by the kernel.
BURST_EVERY = 25
BURST_LEVEL = 2_000
SO_TIMESTAMPNS = 35
NUMBER = "7100"


class Probe:
    """One more call, on which the way of single bursts is timed from the send call to the sample at which they come out."""

    def __init__(self, near, far):
        self.near, self.far = near, far
        far.wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        dice = random.Random(5)
        self.burst = audio.ulaw([dice.uniform(-12_000, 12_000) for _ in range(audio.FRAME)])
        self.quiet = audio.ulaw([0.0] * audio.FRAME)
        self.frame, self.sent, self.latencies_ms, self.is_open = 0, None, [], False

    def send(self):
        self.frame += 1
        is_burst = self.frame % BURST_EVERY == 0
        packet = self.near.packet(self.burst if is_burst else self.quiet)
        if is_burst:
            self.sent, self.is_open = time.time_ns(), True
        self.near.wire.send(packet)
        # The other way it is quiet.
        self.far.wire.send(self.far.packet(self.quiet))

    def hear(self):
        """Takes what has come to the far side."""
        while True:
            try:
                packet, control, _, _ = self.far.wire.recvmsg(2_048, 64)
            except (BlockingIOError, ConnectionRefusedError):
                return
            loud = next((n for n, code in enumerate(packet[12:]) if abs(audio.DECODED[code]) > BURST_LEVEL), None)
            if loud is None or not self.is_open:
                continue
            seconds, nanos = struct.unpack("qq", control[0][2][:16])
            self.is_open = False
            self.latencies_ms.append((seconds * 1_000_000_000 + nanos - self.sent) / 1e6 + loud / 8)


FORK = multiprocessing.get_context("fork")


class Generator(FORK.Process):
    """Speaks on both sides of every call and counts what arrives. A process of its own, so that nothing here holds it up."""

    def __init__(self, pairs, probe):
        super().__init__(daemon=True)
        self.probe, self.latencies = probe, FORK.SimpleQueue()
        self.packets, self.late, self.is_measured, self.done = (FORK.Value(kind, 0) for kind in "QdBB")
        self.legs = [leg for pair in pairs for leg in pair]
        random.Random(3).shuffle(self.legs)
        voice = audio.ulaw(audio.hum(12, 7))
        self.frames = [voice[at : at + audio.FRAME] for at in range(0, len(voice) - audio.FRAME + 1, audio.FRAME)]
        self.poll = select.epoll()
        self.wires = {}
        for leg in self.legs:
            self.poll.register(leg.wire.fileno(), select.EPOLLIN)
            self.wires[leg.wire.fileno()] = leg.wire

    def run(self):
        slices = [self.legs[n::SLICES] for n in range(SLICES)]
        due, number = time.monotonic(), 0
        while not self.done.value:
            for part, legs in enumerate(slices):
                for place, leg in enumerate(legs):
                    leg.wire.send(leg.packet(self.frames[(number + 37 * place) % len(self.frames)]))
                if part == 0:
                    self.probe.send()
                self._hear()
                due += 0.02 / SLICES
                wait = due - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                elif self.is_measured.value:
                    self.late.value = max(self.late.value, -wait)
                if not self.is_measured.value:
                    self.probe.latencies_ms.clear()
            number += 1
        self.latencies.put(self.probe.latencies_ms)

    def _hear(self):
        for descriptor, _ in self.poll.poll(0, len(self.wires)):
            try:
                self.wires[descriptor].recv(2_048)
                self.packets.value += 1
            except (BlockingIOError, ConnectionRefusedError):
                pass
        self.probe.hear()


def connect(server, count):
    """Sets calls up; yields both sides of each, wired to the server's RTP ports."""
    caller, callee = Phone(server.net.caller), Phone(server.net.callee)
    server.serve_number(NUMBER, callee.port, agent="agent")
    pairs = []
    for _ in range(count):
        near = caller.call(server.sip_address, NUMBER)
        far = callee.answered.get(timeout=10)
        for leg in (near, far):
            leg.wire.connect(leg.remote)
        pairs.append((near, far))
    return caller, pairs


def protect(agent):
    """Opens a card capture on every call and waits until each line is protected."""
    captures = []
    for call in agent.get("/calls")["calls"]:
        button = next(button for button in call["buttons"] if button["kind"] == "credit_card_basic")
        captures.append(agent.post(f"/calls/{call['id']}/captures", {"widget": button["widget"]})["id"])
    give_up = time.monotonic() + 20
    for capture in captures:
        while (view := agent.get(f"/captures/{capture}"))["state"] not in ("armed", "collecting"):
            if view["state"] == "blocked" and view.get("reason") == "busy":
                # A media thread that is behind refuses a mask rather than to be late with it.
                agent.post(f"/captures/{capture}/actions", {"do": "try_again"})
            elif time.monotonic() > give_up or view["state"] != "arming":
                raise RuntimeError(f"a capture is {view['state']}: {view.get('reason')}")
            time.sleep(0.05)
    return len(captures)


def bench(count, kind, runs, seconds):
    """One server, its calls, several measured stretches."""
    with Server(Addresses(), "bench", slots=4 * count + 64, media_pairs=2 * count + 200) as server:
        agent = server.add_agent(secrets.token_hex(12), BASIC_CARD)
        caller, pairs = connect(server, count + 1)
        generator = Generator(pairs[1:], Probe(*pairs[0]))
        generator.start()
        time.sleep(1.0)
        if kind == "protected" and protect(agent) != count + 1:
            raise RuntimeError("not every call has a capture")
        time.sleep(1.0)
        generator.is_measured.value = 1
        rows = [measure(server, generator, seconds) for _ in range(runs)]
        generator.done.value = 1
        latencies = sorted(generator.latencies.get())
        generator.join()
        for near, _ in pairs:
            caller.bye(near)
        time.sleep(0.5)
    return summary(count, kind, seconds, rows, generator.late.value, latencies)


def measure(server, generator, seconds):
    """CPU seconds, packets that arrived, real seconds."""
    began, cpu, arrived = time.monotonic(), server.cpu_s(), generator.packets.value
    time.sleep(seconds)
    return server.cpu_s() - cpu, generator.packets.value - arrived, time.monotonic() - began


def summary(count, kind, seconds, rows, late_s, latencies):
    # CPU of a second of one call, by the packets that arrived: a generator that falls behind does not flatter the server.
    per_call_ms = [1_000 * cpu * PACKETS_PER_CALL_SECOND / arrived for cpu, arrived, _ in rows]
    arrived_share = [arrived / (took * count * PACKETS_PER_CALL_SECOND) for _, arrived, took in rows]
    median = statistics.median(per_call_ms)
    row = {
        "bench": "relay",
        "kind": kind,
        "calls": count,
        "runs": len(rows),
        "seconds": seconds,
        "cpu_ms_per_call_second": round(median, 3),
        "cpu_ms_range": [round(min(per_call_ms), 3), round(max(per_call_ms), 3)],
        "calls_per_core": round(1_000 / median),
        "calls_per_core_range": [round(1_000 / max(per_call_ms)), round(1_000 / min(per_call_ms))],
        "server_cores": round(statistics.median(cpu / took for cpu, _, took in rows), 3),
        "arrived": round(min(arrived_share), 4),
        "generator_late_ms": round(late_s * 1_000, 1),
        "valid": min(arrived_share) >= ARRIVED_MIN,
    }
    if latencies:
        at = lambda part: round(latencies[min(len(latencies) - 1, int(part * len(latencies)))], 2)
        row |= {"latency_ms_p50": at(0.5), "latency_ms_p99": at(0.99), "latency_samples": len(latencies)}
    return row


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, nargs="+", default=[50, 100, 200])
    options.add_argument("--kinds", nargs="+", choices=["plain", "protected"], default=["plain", "protected"])
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--seconds", type=float, default=4.0)
    chosen = options.parse_args()
    raise_file_limit()
    for kind in chosen.kinds:
        for count in chosen.calls:
            print(json.dumps(bench(count, kind, chosen.runs, chosen.seconds)), flush=True)
    with open("/proc/loadavg") as file:
        load = file.read().split()[0]
    print(json.dumps({"bench": "machine", "cores": os.cpu_count(), "load_average": float(load)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
