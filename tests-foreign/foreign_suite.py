#!/usr/bin/env python3
"""baresip as the agent's phone, multimon-ng and a scan of our own as judges of what it recorded.

The phone registers by digest and answers by itself. A consumer calls, speaks, and keys digits as in-band tones: without protection the judges
must read them from the recording (else they prove nothing), under protection they must read none, and the server must have taken the card.
"""

import secrets
import signal
import subprocess
import sys
import time

import audio
from phone import Phone, Talker
from tonewall import BASIC_CARD, Addresses, Report, Server, free_media_ports, free_sip_port

STEP_MAX_S = 20
MODULES = "/usr/lib/baresip/modules"
# baresip binds RTP to every address, so on loopback its packets come from this one whatever its SIP uses; the server wants both to agree.
BARESIP_ADDRESS = "127.0.0.1"
# The agent's phone says this tone: two-way audio is proven by finding it on the consumer's side.
AGENT_TONE_HZ = 440
CONSUMER_TONE_HZ = 520
# Longer than the call.
TONE_S = 90
BEFORE, LATE, AFTER = "2468", "88", "97531"
# The mask outlives its last key by 3 s.
MASK_TAIL_S = 5.0
# Published test numbers.
CARD, EXPIRY, CODE = "5555555555554444", "1239", "123"


def until(what, look, seconds=STEP_MAX_S):
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if found := look():
            return found
        time.sleep(0.1)
    raise RuntimeError(f"waited {seconds} s in vain until {what}")


class Baresip:
    """A baresip process. Its sndfile module records what it hears before it plays it. `tls`: the server's address of that, and `roots` who signs for it."""

    def __init__(self, server, password, *, address=BARESIP_ADDRESS, sip_port=None, rtp_port=None, wrap=(), tls=None, roots=None, codec="pcmu"):
        self.folder = server.folder / "baresip"
        self.folder.mkdir()
        audio.write_wav(self.folder / "tone.wav", audio.tone((AGENT_TONE_HZ,), TONE_S, 6_000))
        rtp = rtp_port or free_media_ports(address)
        (self.folder / "config").write_text(
            f"""sip_listen {address}:{sip_port or free_sip_port(address)}
net_interface {address}
rtp_ports {rtp}-{rtp + 20}
audio_source aufile,{self.folder}/tone.wav
audio_player aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
jitter_buffer_delay 1-10
module_path {MODULES}
module g711.so
{"module opus.so" if codec == "opus" else ""}
opus_stereo no
opus_sprop_stereo no
module aufile.so
module aubridge.so
module sndfile.so
{"module srtp.so" if tls else ""}
{f"sip_cafile {roots}" if tls else ""}
module_tmp account.so
module_app menu.so
snd_path {self.folder}
"""
        )
        # Inside TLS its media is secured, too.
        registrar = f"<sip:1001@{tls};transport=tls>;mediaenc=srtp-mand" if tls else f"<sip:1001@{server.sip}>"
        account = f"{registrar};auth_user=1001;auth_pass={password};answermode=auto;regint=60;audio_codecs={codec}\n"
        (self.folder / "accounts").write_text(account)
        (self.folder / "contacts").write_text("")
        self.process = subprocess.Popen(
            [*wrap, "baresip", "-4", "-f", str(self.folder), "-v"],
            stdin=subprocess.PIPE,
            stdout=open(self.folder / "out", "wb"),
            stderr=subprocess.STDOUT,
        )

    def said(self):
        return (self.folder / "out").read_text(errors="replace")

    def is_registered(self):
        return "200 OK" in self.said()

    def begin_recording(self):
        """It begins a file of its own with each call."""

    def recording(self):
        """What it heard, from its newest call."""
        files = sorted(self.folder.glob("dump-*-dec.wav"))
        if not files:
            raise RuntimeError(f"baresip recorded nothing; it said:\n{self.said()[-3000:]}")
        return audio.read_wav(files[-1])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def key_card(agent, capture, talker, number=CARD):
    """The consumer keys each field when it listens."""
    path = f"/captures/{capture}"

    def field(name):
        return next(row for row in agent.get(path)["fields"] if row["field"] == name)["state"]

    for name, digits in (("card_number", number), ("expiry", EXPIRY), ("security_code", CODE)):
        until(f"{name} listens", lambda: agent.get(path)["listening"] == name)
        # The agent reads the prompt out.
        time.sleep(1.0)
        talker.say(audio.keyed(digits))
        until(f"{name} is obtained", lambda: field(name) == "obtained")


def one_call(server, agent, report):
    """The call: keys without protection, a card under it, keys without it again."""
    consumer = Phone(server.net.caller)
    call = consumer.call(server.sip_address, "4000")
    talker = Talker(call)
    shown = until("the call is connected", lambda: next((c for c in agent.get("/calls")["calls"] if c["state"] == "connected"), None))
    talker.say(audio.tone((CONSUMER_TONE_HZ,), 1.0, 6_000))
    talker.say(audio.silence(0.5) + audio.keyed(BEFORE) + audio.silence(0.5))
    button = next(button for button in shown["buttons"] if button["kind"] == "credit_card_basic")
    capture = agent.post(f"/calls/{shown['id']}/captures", {"widget": button["widget"]})["id"]
    until("the line is protected", lambda: agent.get(f"/captures/{capture}")["state"] in ("armed", "collecting"))
    agent.post(f"/captures/{capture}/actions", {"do": "listen", "field": "card_number"})
    key_card(agent, capture, talker)
    report.check(True, "the server took the card from in-band keys")
    for action in ("done", "confirm_gone", "close"):
        agent.post(f"/captures/{capture}/actions", {"do": action})
    # Whoever keys on is not heard either; the mask is left once the keys have stopped for a while.
    talker.say(audio.keyed(LATE))
    time.sleep(MASK_TAIL_S)
    talker.say(audio.keyed(AFTER) + audio.silence(1.0))
    talker.stop()
    call.hang_up()
    heard = talker.heard
    audio.write_wav(server.folder / "consumer.wav", heard)
    consumer.close()
    return heard


def window_with(samples, hertz):
    """Whether a fifth of a second somewhere is little but this tone."""
    size = audio.RATE // 5
    return any(audio.share(samples[at : at + size], hertz) > 0.8 for at in range(0, len(samples) - size, size // 2))


def judge(recording, heard, server, report):
    report.figure("the consumer heard", f"{len(heard) / audio.RATE:.1f}", "s")
    report.figure("baresip recorded", f"{len(recording) / audio.RATE:.1f}", "s")
    report.check(window_with(recording, CONSUMER_TONE_HZ), f"the agent's phone hears the consumer ({CONSUMER_TONE_HZ} Hz in its recording)")
    report.check(window_with(heard, AGENT_TONE_HZ), f"the consumer hears the agent's phone ({AGENT_TONE_HZ} Hz)")
    keys = audio.multimon(recording, server.folder, "agent")
    report.check(keys.startswith(BEFORE) and keys.endswith(AFTER), "multimon-ng reads the unprotected keys (control)", keys)
    report.check(keys == BEFORE + AFTER, "multimon-ng reads no key of the protected stretch", f"{len(keys) - len(BEFORE + AFTER)} keys")
    keys = audio.loose_keys(recording)
    report.check(keys.startswith(BEFORE) and keys.endswith(AFTER), "our own loose scan reads the unprotected keys (control)", keys)
    report.check(keys == BEFORE + AFTER, "our own loose scan reads no key of the protected stretch", f"{len(keys) - len(BEFORE + AFTER)} keys")


def main():
    report = Report()
    # libre 1.x, which Debian 12's baresip stands on, gives up at a challenge with SHA-256.
    with Server(Addresses(), "foreign", ring_time="10s", slots=64, media_pairs=100, digest="md5") as server:
        password = secrets.token_hex(12)
        agent = server.add_agent(password, BASIC_CARD)
        server.add_service("4000", {"to": "agents"})
        phone = Baresip(server, password)
        try:
            until("baresip registers", lambda: "200 OK" in phone.said() or phone.process.poll() is not None)
            report.check("200 OK" in phone.said(), "baresip registers by digest")
            heard = one_call(server, agent, report)
            time.sleep(1.0)
        finally:
            phone.stop()
        judge(phone.recording(), heard, server, report)
        report.leaves_nothing(server)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
