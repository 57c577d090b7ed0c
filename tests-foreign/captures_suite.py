#!/usr/bin/env python3
"""Whole captures with agents' phones and equipment on the way that others wrote.

Each way in which a customer's phone signals keys, on each of: baresip, linphonec, and a PBX's side behind Kamailio, which stands in the path on both sides of the server. The server has to have taken the
card; what the agent's phone recorded is read by multimon-ng and by a scan of our own: the keys pressed before the capture (else they prove nothing), and none of the card's.
"""

import secrets
import socket
import subprocess
import sys
import time

import audio
from foreign_suite import AGENT_TONE_HZ, CARD, CODE, EXPIRY, Baresip, until
from linphone import Linphone
from phone import Phone, Talker
from tonewall import BASIC_CARD, REPOSITORY, Addresses, Report, Server, free_sip_port

WAYS = ["events", "tones", "info"]
BEFORE = "2468"
# The mask outlives its last key by 3 s.
MASK_TAIL_S = 4.0


class Kamailio:
    """deploy/kamailio/kamailio.cfg with addresses of this run."""

    def __init__(self, net, folder, server, pbx):
        self.address, self.folder = f"{net.net}.5", folder
        self.port = free_sip_port(self.address)
        host, port = server.rsplit(":", 1)
        names = {"LISTEN": self.address, "PORT": self.port, "TONEWALL": host, "TONEWALL_PORT": port, "PBX": pbx}
        command = ["kamailio", "-f", str(REPOSITORY / "deploy/kamailio/kamailio.cfg"), "-DD", "-E", "-m", "32", "-M", "8"]
        command += ["-w", str(folder), "-Y", str(folder), "-P", str(folder / "kamailio.pid")]
        for name, value in names.items():
            command += ["-A", f"{name}={value}"]
        self.process = subprocess.Popen(command, stdout=open(folder / "kamailio.log", "wb"), stderr=subprocess.STDOUT)
        until("Kamailio answers", self._answers)

    def _answers(self):
        """Whether it answers OPTIONS."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind((self.address, 0))
            wire.settimeout(0.3)
            here = f"{self.address}:{wire.getsockname()[1]}"
            lines = [f"OPTIONS sip:{self.address}:{self.port} SIP/2.0", f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{secrets.token_hex(8)}", f"From: <sip:test@{here}>;tag=1"]
            lines += [f"To: <sip:{self.address}>", f"Call-ID: {secrets.token_hex(8)}", "CSeq: 1 OPTIONS", f"Contact: <sip:test@{here}>", "Max-Forwards: 70", "Content-Length: 0", "", ""]
            wire.sendto("\r\n".join(lines).encode(), (self.address, self.port))
            try:
                return wire.recv(2_048).startswith(b"SIP/2.0 200")
            except TimeoutError:
                return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class PbxPhone:
    """Whoever the PBX leads the call to: what it hears is kept."""

    def __init__(self, net):
        self.phone, self.talker = Phone(net.callee, has_events=True), None

    def begin_recording(self):
        self.hush()

    def hush(self):
        if self.talker:
            self.talker.stop()
            self.talker = None

    def answer(self):
        self.talker = Talker(self.phone.answered.get(timeout=10), seed=2)

    def recording(self):
        return self.talker.heard

    def stop(self):
        self.hush()
        self.phone.close()


def capture_card(agent, talker, way):
    """A card keyed in a capture. Yields once the server has it."""
    shown = until("the call is connected", lambda: next((c for c in agent.get("/calls")["calls"] if c["state"] == "connected"), None))
    talker.say(audio.silence(0.5))
    talker.press(BEFORE, way)
    talker.say(audio.silence(0.5))
    button = next(button for button in shown["buttons"] if button["kind"] == "credit_card_basic")
    capture = agent.post(f"/calls/{shown['id']}/captures", {"widget": button["widget"]})["id"]
    path = f"/captures/{capture}"
    until("the line is protected", lambda: agent.get(path)["state"] in ("armed", "collecting"))
    agent.post(f"{path}/actions", {"do": "listen", "field": "card_number"})
    for name, digits in (("card_number", CARD), ("expiry", EXPIRY), ("security_code", CODE)):
        until(f"{name} listens", lambda: agent.get(path)["listening"] == name)
        talker.say(audio.silence(0.6))
        talker.press(digits, way)
        until(f"{name} is obtained", lambda: next(row for row in agent.get(path)["fields"] if row["field"] == name)["state"] == "obtained")
    for action in ("done", "confirm_gone", "close"):
        agent.post(f"{path}/actions", {"do": action})
    time.sleep(MASK_TAIL_S)


def play(server, report, agent, what, way, phone, target, number):
    """One call from a customer's phone to the agent's, with a capture in it."""
    consumer = Phone(server.net.caller, has_events=way == "events")
    phone.begin_recording()
    call = consumer.call(target, number)
    talker = Talker(call)
    try:
        if isinstance(phone, PbxPhone):
            phone.answer()
        capture_card(agent, talker, way)
        taken = True
    except (RuntimeError, KeyError) as error:
        taken = False
        report.figure("what failed", error)
    talker.stop()
    call.hang_up()
    consumer.close()
    report.check(taken, f"{what}, keys by {way}: the server took the card")
    time.sleep(1.0)
    recording = phone.recording()
    hears_agent = any(audio.share(talker.heard[at : at + 1_600], AGENT_TONE_HZ) > 0.8 for at in range(0, len(talker.heard) - 1_600, 800))
    if not isinstance(phone, PbxPhone):
        report.check(hears_agent, f"{what}, keys by {way}: the customer hears the agent's phone")
    # Keys that are signalled beside the audio are no sound that a phone records, before a capture as in it.
    before = BEFORE if way == "tones" else ""
    keys = audio.multimon(recording, server.folder, f"{what.split()[0]}-{way}"), audio.loose_keys(recording)
    report.check(keys == (before, before), f"{what}, keys by {way}: two readers find {len(before)} keys in {len(recording) / audio.RATE:.0f} s of its recording, those before the capture", keys)


def phones(server, password):
    """Phones that register, one after the other under the same name."""
    yield "baresip", Baresip(server, password)
    port = free_sip_port("127.0.0.1")
    yield "linphonec", Linphone(server.folder / "linphone", server.sip, "127.0.0.1", port, password, AGENT_TONE_HZ)


def behind_kamailio(server, report, agent, front):
    """Customer -> Kamailio -> server -> Kamailio -> PBX."""
    pbx = PbxPhone(server.net)
    route = {"to": "uri", "uri": f"sip:4001@{server.net.callee}:{pbx.phone.port}", "address": f"{front.address}:{front.port}", "agent": "agent"}
    server.add_service("4001", route)
    for way in WAYS:
        play(server, report, agent, "a PBX behind Kamailio", way, pbx, (front.address, front.port), "4001")
    pbx.stop()


def main():
    report = Report()
    net = Addresses()
    with Server(net, "captures", ring_time="10s", slots=64, media_pairs=100, digest="md5", more_callers=[f"{net.net}.5"]) as server:
        password = secrets.token_hex(12)
        agent = server.add_agent(password, BASIC_CARD)
        server.add_service("4000", {"to": "agents"})
        for what, phone in phones(server, password):
            try:
                until(f"{what} registers", phone.is_registered)
                for way in WAYS:
                    play(server, report, agent, what, way, phone, server.sip_address, "4000")
            finally:
                phone.stop()
        front = Kamailio(net, server.folder, server.sip, net.callee)
        try:
            behind_kamailio(server, report, agent, front)
        finally:
            front.stop()
        report.leaves_nothing(server)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
