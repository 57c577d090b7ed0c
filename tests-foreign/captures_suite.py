#!/usr/bin/env python3
"""Whole captures with agents' phones and equipment on the way that others wrote.

Each way in which a customer's phone signals keys, on each of: baresip, linphonec, and a PBX's side behind Kamailio, which stands in the path on both sides of the server. The server has to have taken the
card; what the agent's phone recorded is read by multimon-ng and by a scan of our own: the keys pressed before the capture (else they prove nothing), and none of the card's.
"""

import concurrent.futures
import contextlib
import itertools
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time

import audio
from certificates import Certificates
from foreign_suite import AGENT_TONE_HZ, CARD, CODE, EXPIRY, Baresip, until
from linphone import Linphone
from opus import Opus
from phone import Pcmu, Phone, Talker
from tonewall import BASIC_CARD, REPOSITORY, Addresses, Refused, Report, Server, free_sip_port

WAYS = ["events", "tones", "info"]
BEFORE = "2468"
# A field has its keys within this after the last of them, or the agent asks again.
OBTAINED_MAX_S = 8
# The mask outlives its last key by 3 s.
MASK_TAIL_S = 4.0


# A PBX that is a proxy: what Tonewall sends it comes back to Tonewall, for the agent's phone.
PBX_CONFIG = """#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
listen=udp:LISTEN:PORT
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {
    if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) { if (loose_route() || t_check_trans()) t_relay(); exit; }
    record_route();
    $ru = "sip:1001@TONEWALL";
    $du = "sip:TONEWALL:TONEWALL_PORT";
    t_relay();
}
"""


class Kamailio:
    """deploy/kamailio/kamailio.cfg with addresses of this run, or with `text` another one that names them."""

    def __init__(self, net, folder, server, pbx, text=None):
        self.address, self.folder = f"{net.net}.5", folder
        self.port = free_sip_port(self.address)
        host, port = server.rsplit(":", 1)
        names = {"LISTEN": self.address, "PORT": self.port, "TONEWALL": host, "TONEWALL_PORT": port, "PBX": pbx}
        config = REPOSITORY / "deploy/kamailio/kamailio.cfg"
        if text:
            config = folder / "kamailio.cfg"
            config.write_text(text.replace("TONEWALL_PORT", port).replace("TONEWALL", host).replace("LISTEN", self.address).replace("PORT", str(self.port)))
        command = ["kamailio", "-f", str(config), "-DD", "-E", "-m", "32", "-M", "8"]
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
    try:
        key_fields(agent, path, talker, way)
    except RuntimeError:
        for action in ("cancel", "close"):
            with contextlib.suppress(Refused):
                agent.post(f"{path}/actions", {"do": action})
        time.sleep(MASK_TAIL_S)
        raise
    for action in ("done", "confirm_gone", "close"):
        agent.post(f"{path}/actions", {"do": action})
    time.sleep(MASK_TAIL_S)


def key_fields(agent, path, talker, way):
    """The customer keys each field when it listens, and once more if the agent has to ask again: a machine that is busy may lose a key of a phone's."""

    def is_obtained(name):
        return next(row for row in agent.get(path)["fields"] if row["field"] == name)["state"] == "obtained"

    for name, digits in (("card_number", CARD), ("expiry", EXPIRY), ("security_code", CODE)):
        for tries in (1, 2):
            until(f"{name} listens", lambda: agent.get(path)["listening"] == name)
            talker.say(audio.silence(0.6))
            talker.press(digits, way)
            try:
                until(f"{name} is obtained", lambda: is_obtained(name), OBTAINED_MAX_S)
                break
            except RuntimeError:
                if tries == 2:
                    raise
                agent.post(f"{path}/actions", {"do": "recapture", "field": name})


def stalls(server):
    """Captures that have ended because the machine stood still for a second (SETTLED S37)."""
    return server.log.read_text(errors="replace").count('"reason":"stalled"')


def play(server, report, agent, what, way, phone, target, number, codec=Pcmu, tries=2):
    """One call from a customer's phone to the agent's, with a capture in it; once more if the machine stood still in it."""
    stalled = stalls(server)
    consumer = Phone(server.net.caller, has_events=way == "events", codec=codec)
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
        report.figure("what ended it", error)
    talker.stop()
    call.hang_up()
    consumer.close()
    if not taken and tries > 1 and stalls(server) > stalled:
        time.sleep(1.0)
        play(server, report, agent, what, way, phone, target, number, codec, tries - 1)
        return
    if codec is Opus and way == "tones":
        report.check(not taken, f"{what}, keys by {way}: the server took none of them")
    else:
        report.check(taken, f"{what}, keys by {way}: the server took the card")
    time.sleep(1.0)
    recording = phone.recording()
    hears_agent = any(audio.share(talker.heard[at : at + 1_600], AGENT_TONE_HZ) > 0.8 for at in range(0, len(talker.heard) - 1_600, 800))
    if not isinstance(phone, PbxPhone):
        report.check(hears_agent, f"{what}, keys by {way}: the customer hears the agent's phone")
    # Keys that are signalled beside the audio are no sound that a phone records, before a capture as in it.
    before = BEFORE if way == "tones" else ""
    keys = audio.multimon(recording, server.folder, f"{what.split()[0].strip(',')}-{way}"), audio.loose_keys(recording)
    # A phone that falls behind leaves a hole in its recording, and a key of that moment is read twice. No two of those before the capture are the same.
    once = tuple("".join(key for key, _ in itertools.groupby(read)) for read in keys)
    report.check(once == (before, before), f"{what}, keys by {way}: two readers find {len(before)} keys in {len(recording) / audio.RATE:.0f} s of its recording, those before the capture", keys)


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


def over_udp(report):
    """Agents' phones by UDP and in clear, and a PBX behind Kamailio."""
    net = Addresses()
    with Server(net, "captures", ring_time="10s", slots=64, media_pairs=100, digest="md5", more_callers=[f"{net.net}.5"]) as server:
        password = secrets.token_hex(12)
        agent = server.add_agent(password, BASIC_CARD)
        server.add_service("4000", {"to": "agents"})
        for what, phone in phones(server, password):
            takes_calls(server, report, agent, what, phone)
        front = Kamailio(net, server.folder, server.sip, net.callee)
        try:
            behind_kamailio(server, report, agent, front)
        finally:
            front.stop()
        report.leaves_nothing(server)


def twice(report):
    """Customer -> server -> PBX -> server -> agent's phone: one call, its keys masked where they come in (S40)."""
    net = Addresses()
    with Server(net, "captures-twice", ring_time="10s", slots=64, media_pairs=100, digest="md5", settings=f'[[trunk]]\nname = "pbx"\naddresses = ["{net.net}.5"]\n') as server:
        password = secrets.token_hex(12)
        agent = server.add_agent(password, BASIC_CARD)
        pbx = Kamailio(net, server.folder, server.sip, net.callee, PBX_CONFIG)
        try:
            server.add_service("4002", {"to": "uri", "uri": f"sip:4002@{pbx.address}:{pbx.port}", "address": f"{pbx.address}:{pbx.port}"})
            server.add_service("1001", {"to": "registered"})
            takes_calls(server, report, agent, "baresip behind a PBX that sends the call back to us", Baresip(server, password), number="4002")
            came = server.metrics()["tonewall_voice_calls_incoming_total"]
            report.check(came == 2 * len(WAYS), "each call passed twice", came)
        finally:
            pbx.stop()
        report.leaves_nothing(server)


def in_opus(report):
    """A customer's phone of libopus, and an agent's that speaks Opus, or G.711. No key is taken from Opus audio, and none is heard of it."""
    both = ("baresip, Opus on both sides", "opus", Opus, WAYS)
    for what, spoken, codec, ways in (both, ("baresip in G.711, the customer in Opus", "pcmu", Opus, WAYS[:1]), ("baresip in Opus, the customer in G.711", "opus", Pcmu, WAYS[:1])):
        net = Addresses()
        with Server(net, "captures-opus", ring_time="10s", slots=64, media_pairs=100, digest="md5", codecs=("opus", "PCMU")) as server:
            password = secrets.token_hex(12)
            agent = server.add_agent(password, BASIC_CARD)
            server.add_service("4000", {"to": "agents"})
            takes_calls(server, report, agent, what, Baresip(server, password, codec=spoken), codec, ways=ways)
            report.leaves_nothing(server)


def over_tls(report):
    """Agents' phones inside TLS, which take and send nothing in clear; the customer comes by UDP."""
    net = Addresses()
    with tempfile.TemporaryDirectory(prefix="tonewall-certificates-") as folder:
        certificates = Certificates(pathlib.Path(folder) / "files")
        certificate, key = certificates.issue("server", net.server)
        tls = f"{net.server}:{free_sip_port(net.server)}"
        settings = f'[sip.tls]\nlisten = "{tls}"\ncertificate = "{certificate}"\nkey = "{key}"\n[phones]\nsrtp = "require"\n'
        with Server(net, "captures-tls", ring_time="10s", slots=64, media_pairs=100, digest="md5", settings=settings) as server:
            password = secrets.token_hex(12)
            agent = server.add_agent(password, BASIC_CARD)
            server.add_service("4000", {"to": "agents"})
            takes_calls(server, report, agent, "baresip over TLS and SRTP", Baresip(server, password, tls=tls, roots=certificates.roots))
            port = free_sip_port("127.0.0.1")
            secured = {"transport": "tls", "srtp": True, "roots": certificates.roots}
            phone = Linphone(server.folder / "linphone", tls, "127.0.0.1", port, password, AGENT_TONE_HZ, **secured)
            takes_calls(server, report, agent, "linphonec over TLS and SRTP", phone)
            report.leaves_nothing(server)


def takes_calls(server, report, agent, what, phone, codec=Pcmu, number="4000", ways=WAYS):
    try:
        until(f"{what} registers", phone.is_registered)
        for way in ways:
            play(server, report, agent, what, way, phone, server.sip_address, number, codec)
    finally:
        phone.stop()


def played(*parts):
    """Yields how many checks of these parts passed and failed."""
    report = Report()
    for part in parts:
        part(report)
    return report.passed, report.failed


def main():
    # Two processes: calls last as long as they last, and whoever reads a recording keeps the other's phones waiting.
    with concurrent.futures.ProcessPoolExecutor(2) as beside:
        halves = [beside.submit(played, over_udp), beside.submit(played, twice, over_tls, in_opus)]
        results = [half.result() for half in halves]
    report = Report()
    report.passed, report.failed = (sum(counts) for counts in zip(*results))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
