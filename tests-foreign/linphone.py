"""linphonec (Debian's linphone-cli) as a phone.

Owns: one process with its own folder; what it says comes from a file, what it hears goes into one.
Never: reads the machine's own configuration of Linphone, or plays anything aloud.
"""

import os
import pathlib
import signal
import subprocess

import audio


class Linphone:
    """A phone that registers with digest and answers by itself, over `transport` ("udp", "tcp" or "tls"), with or without SRTP."""

    def __init__(self, folder, server, address, port, password, tone_hz, *, user="1001", transport="udp", srtp=False, roots=None, info=False, codec="PCMU"):
        self.folder = pathlib.Path(folder)
        (self.folder / ".local/share/linphone").mkdir(parents=True)
        audio.write_wav(self.folder / "says.wav", audio.tone((tone_hz,), 90, 6_000))
        ports = {kind: port if kind == transport else 0 for kind in ("udp", "tcp", "tls")}
        (self.folder / "linphonerc").write_text(
            f"""[sip]
sip_port={ports["udp"]}
sip_tcp_port={ports["tcp"]}
sip_tls_port={ports["tls"]}
guess_hostname=0
contact="Agent" <sip:{user}@{address}>
default_proxy=0
use_info={int(info)}
use_rfc2833={int(not info)}
media_encryption={"srtp" if srtp else "none"}
media_encryption_mandatory={int(srtp)}
{f"root_ca={roots}" if roots else ""}
verify_server_certs={int(bool(roots))}
verify_server_cn={int(bool(roots))}
bind_address={address}

[net]
mtu=1300
nat_policy_ref=none

[rtp]
audio_rtp_port={port + 2}

[sound]
playback_dev_id=
capture_dev_id=
echocancellation=0

[video]
enabled=0

[auth_info_0]
username={user}
passwd={password}
realm=tonewall

[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_route=<sip:{server};transport={transport}>
reg_identity="Agent" <sip:{user}@{server.rsplit(":", 1)[0]}>
reg_expires=60
reg_sendregister=1
publish=0
dial_escape_plus=0

[audio_codec_0]
mime={codec}
rate=8000
channels=1
enabled=1
"""
        )
        self.process = subprocess.Popen(
            ["linphonec", "-c", str(self.folder / "linphonerc"), "-a", "-d", "5", "-l", str(self.folder / "log")],
            stdin=subprocess.PIPE,
            stdout=open(self.folder / "out", "wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(self.folder)},
        )
        self.tell("soundcard use files")
        self.tell(f"play {self.folder / 'says.wav'}")
        self.records = 0

    def tell(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def said(self):
        return (self.folder / "out").read_text(errors="replace")

    def is_registered(self):
        log = self.folder / "log"
        return log.is_file() and "to [LinphoneRegistrationOk]" in log.read_text(errors="replace")

    def begin_recording(self):
        """What it hears from now on goes into a new file."""
        self.records += 1
        self.tell(f"record {self.folder / f'heard-{self.records}.wav'}")

    def recording(self):
        """What it heard since."""
        return audio.read_wav(self.folder / f"heard-{self.records}.wav")

    def stop(self):
        if self.process.poll() is None:
            try:
                self.tell("quit")
                self.process.wait(5)
            except (subprocess.TimeoutExpired, BrokenPipeError):
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
