#!/usr/bin/env python3
"""multimon-ng, spandsp and a scan of our own as judges of what the server keeps of a call.

A consumer keys a card in an Advanced capture and another in a Basic one, all as in-band tones. Before and behind them keys are pressed without
protection, which every judge has to read. Marks of 10 ms each are said before, within and behind the pause: of those within it none may be kept, of
the others each, at its sample.
"""

import io
import secrets
import struct
import subprocess
import sys
import tempfile
import time
import wave

import audio
from foreign_suite import AFTER, BEFORE, MASK_TAIL_S, STEP_MAX_S, key_card, until
from phone import Phone, Talker
from tonewall import BASIC_CARD, REPOSITORY, Addresses, Report, Server

NUMBER = "4000"
# Nothing is paid: the agent cancels.
GATEWAY = {"service_url": "https://gateway.example/charge", "auth_method": "none", "success_key": "status", "success_value": "approved"}
ADVANCED_CARD = {**BASIC_CARD, "kind": "credit_card_advanced", "title": "Card payment", "gateway": GATEWAY}
# A mark: a burst that no voice and no key has, once in 10 ms.
MARK_SAMPLES, BURST_SAMPLES, BURST, BURST_MIN = 80, 8, 12_000, 8_000
MARKED_S = 1.0
LATE_MIN_S = 0.15


def marks(seconds):
    burst = [BURST if n % 2 == 0 else -BURST for n in range(BURST_SAMPLES)]
    return (burst + [0.0] * (MARK_SAMPLES - BURST_SAMPLES)) * round(seconds * audio.RATE / MARK_SAMPLES)


def marks_in(samples):
    """Where marks begin."""
    signs = [1 if sample > BURST_MIN else -1 if sample < -BURST_MIN else 0 for sample in samples]
    wanted = [1 if n % 2 == 0 else -1 for n in range(BURST_SAMPLES)]
    return [at for at in range(len(signs) - BURST_SAMPLES + 1) if signs[at : at + BURST_SAMPLES] == wanted]


class Spandsp:
    """spandsp's receiver of keys, compiled where the server's folder is."""

    def __init__(self, folder):
        self.program = folder / "spandsp-digits"
        source = REPOSITORY / "tests-foreign" / "spandsp_digits.c"
        subprocess.run(["cc", "-O2", "-o", str(self.program), str(source), "-lspandsp", "-lm"], check=True)

    def keys(self, samples):
        raw = struct.pack(f"<{len(samples)}h", *samples)
        read = subprocess.run([str(self.program)], input=raw, check=True, capture_output=True)
        return "".join(line.split()[0] for line in read.stdout.decode().splitlines())


def capture_of(server, agent, kind, talker, meanwhile=()):
    """Opens a capture of this kind; the consumer says something once the line is protected, and keys a card."""
    shown = until("the call is connected", lambda: next((c for c in agent.get("/calls")["calls"] if c["state"] == "connected"), None))
    button = next(button for button in shown["buttons"] if button["kind"] == kind)
    capture = agent.post(f"/calls/{shown['id']}/captures", {"widget": button["widget"]})["id"]
    until("the line is protected", lambda: agent.get(f"/captures/{capture}")["state"] in ("armed", "collecting"))
    for samples in meanwhile:
        talker.say(samples)
    agent.post(f"/captures/{capture}/actions", {"do": "listen", "field": "card_number"})
    key_card(agent, capture, talker)
    return capture


def one_call(server, agent):
    """Yields how many marks were said outside of the pause, how many within it, and by how much a side was said late, in seconds."""
    consumer, callee = Phone(server.net.caller), Phone(server.net.callee)
    server.serve_number(NUMBER, callee.port, agent="agent", recorded=True)
    call = consumer.call(server.sip_address, NUMBER)
    talker = Talker(call)
    far = callee.answered.get(timeout=STEP_MAX_S)
    listener = Talker(far, seed=2)
    until("the call is recorded", lambda: server.metrics()["tonewall_recording_running"] == 1)
    time.sleep(1.0)
    marked = marks(MARKED_S)
    talker.say(audio.silence(0.2) + marked + audio.silence(0.3))
    talker.say(audio.keyed(BEFORE) + audio.silence(0.5))
    capture = capture_of(server, agent, "credit_card_advanced", talker)
    agent.post(f"/captures/{capture}/actions", {"do": "cancel"})
    time.sleep(MASK_TAIL_S)
    capture = capture_of(server, agent, "credit_card_basic", talker, [audio.silence(0.2) + marked + marked])
    for action in ("done", "confirm_gone", "close"):
        agent.post(f"/captures/{capture}/actions", {"do": action})
    time.sleep(MASK_TAIL_S)
    talker.say(audio.silence(0.2) + marked + audio.silence(0.3))
    talker.say(audio.keyed(AFTER) + audio.silence(1.0))
    for one in (talker, listener):
        one.stop()
    call.hang_up()
    far.is_over.wait(STEP_MAX_S)
    for phone in (consumer, callee):
        phone.close()
    within = len(marked) // MARK_SAMPLES
    return 2 * within, 2 * within, max(talker.late_s, listener.late_s)


def kept(supervisor):
    """The recording of the only call: its row, what its file says, both sides' samples."""
    row = until("the recording is whole and scanned", lambda: next((r for r in supervisor.get("/recordings")["recordings"] if r["end"] and r["scan"]), None))
    path = f"/recordings/{row['id']}"
    with wave.open(io.BytesIO(supervisor.download(f"{path}/audio"))) as file:
        data = file.readframes(file.getnframes())
    both = struct.unpack(f"<{len(data) // 2}h", data)
    return row, supervisor.get(path)["file"], list(both[0::2]), list(both[1::2])


def judge(server, supervisor, said, report):
    row, file, consumer, agent = kept(supervisor)
    report.figure("the server kept", f"{len(consumer) / audio.RATE:.1f}", "s")
    spans = {kind: [span for span in file["spans"] if span["kind"] == kind] for kind in ("paused", "masked", "gap")}
    outside, within, late_s = said
    report.figure("said late by at most", f"{late_s * 1_000:.0f}", "ms")
    gaps = sum(span["until_ms"] - span["from_ms"] for span in spans["gap"])
    # The server waits so long for a side that is late; this program may be later where the machine has no time for it.
    report.check(not gaps or late_s > LATE_MIN_S, "the recording has no gap, unless a side was said late", f"{gaps} ms")
    report.check(len(spans["paused"]) == 1, "the recording has one pause", len(spans["paused"]))
    pause = spans["paused"][0]
    inside = slice(pause["from_ms"] * 8 + 8, pause["until_ms"] * 8 - 8)
    silent = not any(consumer[inside]) and not any(agent[inside])
    report.check(silent, "no sample of the pause is kept, of either side", f"{(pause['until_ms'] - pause['from_ms']) / 1_000:.1f} s")
    found = marks_in(consumer)
    report.check(len(found) == outside, "every mark of 10 ms outside of the pause is kept, and none of those within it", f"{len(found)} of {outside}, {within} in the pause")
    steps = [later - earlier for earlier, later in zip(found, found[1:])]
    report.check(sorted(steps)[:-1] == [MARK_SAMPLES] * (outside - 2), "each mark stands at its sample")
    spandsp = Spandsp(server.folder)
    judges = {
        "multimon-ng": lambda samples, name: audio.multimon(samples, server.folder, name),
        "spandsp": lambda samples, _: spandsp.keys(samples),
        "our own loose scan": lambda samples, _: audio.loose_keys(samples),
    }
    for name, keys_in in judges.items():
        keys = keys_in(consumer, "consumer")
        report.check(keys == BEFORE + AFTER, f"{name} reads the unprotected keys from the recording, and none of the two cards", f"{len(keys)} keys")
        keys = keys_in(agent, "agent")
        report.check(keys == "", f"{name} reads no key on the agent's side of the recording", f"{len(keys)} keys")
    report.check(not any(row["scan"]["finds"].values()), "the server's own scan of the recording agrees", row["scan"]["finds"])


def main():
    report = Report()
    net = Addresses()
    with tempfile.TemporaryDirectory(prefix="tonewall-kept-") as folder:
        settings = f'\n[recordings]\ndirectory = "{folder}"\n\n[gateway]\nallowed_hosts = ["gateway.example"]\n'
        run(net, settings, report)
    return report.finish()


def run(net, settings, report):
    with Server(net, "recording", ring_time="10s", slots=64, media_pairs=100, settings=settings) as server:
        agent = server.add_agent(secrets.token_hex(12), BASIC_CARD, ADVANCED_CARD)
        supervisor = server.add_supervisor()
        said = one_call(server, agent)
        judge(server, supervisor, said, report)
        took, left = server.wait_until_empty(10)
        report.check(took is not None, "dialogs, port pairs and sockets are back to 0", left)
        if report.failed:
            server.keep = True
            print(f"      kept: {server.folder}")


if __name__ == "__main__":
    sys.exit(main())
