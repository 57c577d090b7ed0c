"""What stands behind the mask: a stopped server, a starved one, and one whose mask is off.

Owns: the stalls (STOP and CONT of the real process), the hog, the planted fault, and the attacker who looks for samples of a key at the agent's phone.
Never: counts a zero before the same attacker has found an unprotected key.
"""

import multiprocessing
import os
import secrets
import signal
import sys
import threading
import time

import audio
from phone import Phone, FRAME_S
from tonewall import BASIC_CARD, Addresses, Report, Server, planted_binary

NUMBER = "4000"
STEP_MAX_S = 20
# Codes in a row that no two signals share by chance: 1 ms.
RUN = 8
# What may leave of a key that the mask lets through.
LEFT_MAX_S = 0.030
STALLS_S = (0.05, 0.5, 5.0)
# A stall longer than this ends the capture.
STALL_MAX_S = 1.0
LATENCY_BACK_S = 1.0
# Two packets: what a delay line, a packet's length and a busy machine may differ by.
LATENCY_SLACK_S = 0.04
HOGS, HOG_S = 8, 3.0
LOWEST_PRIORITY = 19
# A capture that is still there. `invalid`: the key that a stall cut in two may have been one press or two, so the field is to be keyed again.
UNDER_WAY = ("armed", "collecting", "invalid")


def until(what, look, seconds=STEP_MAX_S):
    give_up = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > give_up:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return found


class Line(threading.Thread):
    """Both ends of a call in real time: what the consumer says packet by packet, and what arrives at the agent, with its time."""

    def __init__(self, near, far, is_keying):
        super().__init__(daemon=True)
        self.near, self.far = near, far
        voice = audio.ulaw(audio.hum(30, seed=3))
        self.voice = [voice[at : at + audio.FRAME] for at in range(0, len(voice) - audio.FRAME, audio.FRAME)]
        self.key = audio.ulaw(audio.tone((audio.LOW[1], audio.HIGH[1]), 10.0, 6_000))
        self.keying, self.done = threading.Event(), threading.Event()
        self.sent, self.heard = [], []
        if is_keying:
            self.keying.set()
        self.start()

    def run(self):
        due, keyed = time.monotonic(), 0
        for number in range(1 << 30):
            if self.done.is_set():
                return
            if self.keying.is_set():
                payload = self.key[keyed : keyed + audio.FRAME]
                keyed = (keyed + audio.FRAME) % (len(self.key) - audio.FRAME)
            else:
                payload = self.voice[number % len(self.voice)]
            now = time.monotonic()
            self.sent.append((now, payload, self.keying.is_set()))
            self.near.wire.sendto(self.near.packet(payload), self.near.remote)
            self.far.wire.sendto(self.far.packet(b"\xff" * audio.FRAME), self.far.remote)
            due += FRAME_S
            while (left := due - time.monotonic()) > 0:
                self._hear()
                time.sleep(min(left, 0.002))
            self._hear()

    def _hear(self):
        for wire, ours in ((self.far.wire, True), (self.near.wire, False)):
            while True:
                try:
                    packet = wire.recv(2_048)
                except BlockingIOError:
                    break
                if ours and packet[1] & 0x7F == 0:
                    self.heard.append((time.monotonic(), packet[12:]))

    def press(self, seconds):
        self.keying.set()
        time.sleep(seconds)
        self.keying.clear()

    def stop(self):
        self.done.set()
        self.join()

    def clear_samples(self, since):
        """The attacker: samples heard since then that stand in a run of the key's own codes."""
        key = {self.key[at : at + RUN] for at in range(audio.RATE)}
        codes = b"".join(payload for at, payload in list(self.heard) if at >= since)
        clear = bytearray(len(codes))
        for at in range(len(codes) - RUN + 1):
            if codes[at : at + RUN] in key:
                clear[at : at + RUN] = b"\1" * RUN
        return sum(clear)

    def latencies(self, since, to):
        """Of packets of the voice heard between: from the sending of the sample that is heard first to its arrival."""
        places = {}
        for number, (at, payload, is_key) in enumerate(self.sent):
            if is_key or number + 1 == len(self.sent):
                continue
            both = payload + self.sent[number + 1][1]
            for offset in range(0, audio.FRAME, 4):
                run = both[offset : offset + 4 * RUN]
                if len(set(run)) > RUN:
                    places.setdefault(run, []).append((number, at))
        found = []
        for arrived, payload in list(self.heard):
            if not since <= arrived < to:
                continue
            for offset in range(0, len(payload) - 4 * RUN):
                starts = [at for _, at in places.get(payload[offset : offset + 4 * RUN], []) if at < arrived]
                if starts:
                    found.append(arrived - starts[-1])
                    break
        return sorted(found)


class House:
    """A server with a number, an agent's login, and one call at a time."""

    def __init__(self, server, protection="capture"):
        self.server = server
        self.agent = server.add_agent(secrets.token_hex(12), BASIC_CARD)
        self.auditor = server.add_auditor()
        self.caller, self.callee = Phone(server.net.caller), Phone(server.net.callee)
        server.serve_number(NUMBER, self.callee.port, agent="agent", protection=protection)

    def call(self, is_keying=False):
        near = self.caller.call(self.server.sip_address, NUMBER)
        far = self.callee.answered.get(timeout=STEP_MAX_S)
        return Line(near, far, is_keying)

    def shown(self):
        return until("the call is shown", lambda: next((c for c in self.agent.get("/calls")["calls"] if c["state"] == "connected"), None))

    def capture(self):
        """An armed capture on the call."""
        call = self.shown()
        button = next(button for button in call["buttons"] if button["kind"] == "credit_card_basic")
        capture = self.agent.post(f"/calls/{call['id']}/captures", {"widget": button["widget"]})["id"]

        def armed():
            view = self.view(capture)
            if view["state"] == "blocked":
                # A media thread that the machine has kept from running refuses a mask rather than to be late with it.
                self.agent.post(f"/captures/{capture}/actions", {"do": "try_again"})
            return view["state"] in UNDER_WAY

        until("the line is protected", armed)
        return capture

    def view(self, capture):
        return self.agent.get(f"/captures/{capture}")

    def end(self, line, capture=None):
        line.stop()
        self.caller.bye(line.near)
        if capture:
            until("the capture is over", lambda: self.view(capture)["state"] not in UNDER_WAY)
            self.agent.post(f"/captures/{capture}/actions", {"do": "close"})
        until("the call is over", lambda: not [c for c in self.agent.get("/calls")["calls"] if c["state"] == "connected"])

    def losses(self):
        entries = self.auditor.get("/audit")["entries"]
        return [one for one in entries if one["action"] == "protection_lost"]

    def alarms(self):
        return self.server.log.read_text(errors="replace").count("alarm:")


def control(house, report):
    """The attacker finds a key that nobody masks."""
    line = house.call()
    house.shown()
    time.sleep(0.5)
    began = time.monotonic()
    line.press(0.3)
    time.sleep(0.3)
    clear = line.clear_samples(began)
    report.check(clear > 0.25 * audio.RATE, "the attacker finds an unprotected key (control)", f"{clear} samples of 2400")
    house.end(line)


def stalls(house, report):
    for stall_s in STALLS_S:
        line = house.call()
        capture = house.capture()
        time.sleep(1.0)
        before = line.latencies(time.monotonic() - 0.8, time.monotonic())
        began = time.monotonic()
        line.keying.set()
        time.sleep(0.2)
        os.kill(house.server.process.pid, signal.SIGSTOP)
        time.sleep(stall_s)
        os.kill(house.server.process.pid, signal.SIGCONT)
        resumed = time.monotonic()
        time.sleep(0.2)
        line.keying.clear()
        name = f"{stall_s * 1000:.0f} ms"
        if stall_s > STALL_MAX_S:
            lost = until("the capture ends", lambda: (v := house.view(capture))["state"] == "protection_lost" and v)
            report.check(lost["reason"] == "stalled", f"stopped for {name}: the capture ends as protection_lost", lost["reason"])
            # The voice is back once the mask is left: 3 s after the capture's end and the last key.
            until("the voice is back", lambda: len(line.latencies(time.monotonic() - 1.0, time.monotonic())) > 20)
            settled = time.monotonic() - 0.8
        else:
            time.sleep(LATENCY_BACK_S + 1.0)
            settled = resumed + LATENCY_BACK_S
            report.check((state := house.view(capture)["state"]) in UNDER_WAY, f"stopped for {name}: the capture goes on", state)
        after = line.latencies(settled, time.monotonic())
        clear = line.clear_samples(began)
        report.check(clear == 0, f"stopped for {name} within a key: no sample of it is heard", clear)
        if report.check(before and len(after) > 10, f"stopped for {name}: the voice is heard before and after", f"{len(before)}, {len(after)}"):
            # The lower quartile: what a busy machine adds now and then is not the relay's.
            quick = [values[len(values) // 4] for values in (before, after)]
            report.figure(f"latency before and after {name}", " / ".join(f"{value * 1000:.1f}" for value in quick), "ms")
            report.check(quick[1] <= quick[0] + LATENCY_SLACK_S, f"stopped for {name}: latency is back within 1 s")
        house.end(line, capture)


def hog(house, report):
    """The server on one core with others that have all its time: silence, not clear tones."""
    line = house.call()
    capture = house.capture()
    time.sleep(0.5)
    core = {min(os.sched_getaffinity(0))}
    tasks = [int(task) for task in os.listdir(f"/proc/{house.server.process.pid}/task")]
    allowed = os.sched_getaffinity(house.server.process.pid)
    for task in tasks:
        os.sched_setaffinity(task, core)
        os.setpriority(os.PRIO_PROCESS, task, LOWEST_PRIORITY)
    hogs = [multiprocessing.get_context("fork").Process(target=burn, args=(core,), daemon=True) for _ in range(HOGS)]
    began = time.monotonic()
    packets = len(line.heard)
    for one in hogs:
        one.start()
    line.press(HOG_S)
    for one in hogs:
        one.kill()
        one.join()
    for task in tasks:
        os.sched_setaffinity(task, allowed)
    time.sleep(1.0)
    report.figure("packets to the agent while starved", f"{len(line.heard) - packets} of {int((HOG_S + 1.0) / FRAME_S)}")
    clear = line.clear_samples(began)
    report.check(clear == 0, "starved within a key: no sample of it is heard", clear)
    state = house.view(capture)["state"]
    report.check(state in (*UNDER_WAY, "protection_lost"), "starved: the capture goes on or has ended as protection_lost", state)
    if state != "protection_lost":
        house.agent.post(f"/captures/{capture}/actions", {"do": "cancel"})
        house.end(line)
    else:
        house.end(line, capture)


def burn(core):
    os.sched_setaffinity(0, core)
    while True:
        pass


def trip(house, report):
    """The mask is off: the egress guard silences the key, ends the capture, says so once."""
    line = house.call()
    capture = house.capture()
    time.sleep(0.5)
    began = time.monotonic()
    line.press(0.5)
    lost = until("the capture ends", lambda: (v := house.view(capture))["state"] == "protection_lost" and v)
    time.sleep(0.5)
    clear = line.clear_samples(began) / audio.RATE
    report.check(0 < clear <= LEFT_MAX_S, "mask off: a key of 500 ms is silent within 30 ms", f"{clear * 1000:.1f} ms")
    report.check(lost["reason"] == "egress_guard", "mask off: the capture ends as protection_lost", lost["reason"])
    losses = house.losses()
    named = [(one["object"], one["detail"].get("reason")) for one in losses]
    report.check(named == [(f"capture {capture}", "egress_guard")], "mask off: one entry in the trail says why", named)
    report.check(house.alarms() == 1, "mask off: one alarm", house.alarms())
    metrics = until("the figures are published", lambda: (m := house.server.metrics())["tonewall_egress_guard_trips_total"] and m)
    figures = [int(metrics[f"tonewall_egress_guard_{name}_total"]) for name in ("trips", "digits_found")]
    report.check(figures == [1, 1], "mask off: trips and digits found are on the metrics page", figures)
    report.check(metrics["tonewall_egress_guard_seconds_checked_total"] > 0.5, "mask off: so are the seconds checked")
    report.figure("residual energy", f"{metrics['tonewall_egress_guard_residual_energy_db']:.1f}", "dB")
    house.end(line, capture)


def trip_of_always(house, report):
    """Under a service that protects whole calls the call goes on."""
    line = house.call()
    house.shown()
    until("the voice is heard", lambda: len(line.latencies(time.monotonic() - 0.5, time.monotonic())) > 10)
    began = time.monotonic()
    line.press(0.5)
    until("the loss is in the trail", house.losses)
    time.sleep(0.5)
    clear = line.clear_samples(began) / audio.RATE
    report.check(0 < clear <= LEFT_MAX_S, "mask off, always protected: a key of 500 ms is silent within 30 ms", f"{clear * 1000:.1f} ms")
    until("the voice is back", lambda: len(line.latencies(time.monotonic() - 0.5, time.monotonic())) > 10)
    report.check(not line.near.is_over.is_set(), "mask off, always protected: the call goes on and the voice is back")
    named = [(one["object"].split()[0], one["detail"].get("reason")) for one in house.losses()]
    report.check(named == [("call", "egress_guard")], "mask off, always protected: one entry in the trail", named)
    report.check(house.alarms() == 1, "mask off, always protected: one alarm", house.alarms())
    house.end(line)


def always(house, report):
    """A call that always is protected says nothing of a key, not even in its first packet."""
    line = house.call(is_keying=True)
    time.sleep(1.0)
    line.keying.clear()
    time.sleep(0.5)
    clear = line.clear_samples(0)
    report.check(clear == 0, "always protected: keys from the first packet on are not heard", clear)
    report.check(bool(line.heard), "always protected: the agent is sent audio")
    house.end(line)


def part(report, name, program, plant, protection, *steps):
    with Server(Addresses(), name, slots=64, media_pairs=100, program=program, plant=plant) as server:
        house = House(server, protection)
        for step in steps:
            step(house, report)
        report.check(plant or server.metrics()["tonewall_egress_guard_trips_total"] == 0, f"{name}: the egress guard did not trip")
        report.check(server.metrics()["tonewall_voice_panics_total"] == 0, f"{name}: no panic")
        if report.failed:
            server.keep = True
            print(f"      kept: {server.folder}")


def main():
    report = Report()
    if "--planted" in sys.argv[1:]:
        planted = planted_binary()
        part(report, "trip", planted, "mask-off", "capture", trip)
        part(report, "trip-always", planted, "mask-off", "always", trip_of_always)
    else:
        part(report, "stalls", None, None, "capture", control, stalls, hog)
        part(report, "always", None, None, "always", always)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
