"""A small SIP phone in a few lines: places and answers calls, carries G.711 as RTP, or what codec it is given.

Owns: one SIP socket for all its calls, one RTP socket for each call.
Never: does more of SIP than a polite far side on loopback needs; SIPp and baresip are the real ones.
"""

import queue
import random
import re
import socket
import struct
import threading
import time

import audio

ANSWER_MAX_S = 10
FRAME_S = 0.02
# Payload type of telephone-events (RFC 4733), where they are offered.
EVENTS = 101
RTP_HEADER = struct.Struct("!BBHII")


class Pcmu:
    """G.711 mu-law, as a phone speaks it."""

    # Its clock has one step for each sample, and so has that of the events beside it.
    payload_type, events, steps = 0, EVENTS, 1
    rtpmaps = ["0 PCMU/8000", f"{EVENTS} telephone-event/8000"]

    def encode(self, samples):
        """A packet of 20 ms."""
        return audio.ulaw(samples)

    def decode(self, payload):
        return audio.linear(payload)

    def close(self):
        pass


def header(message, name):
    match = re.search(rb"(?im)^" + name + rb"\s*:\s*(.*?)\r?$", message)
    return match[1] if match else b""


def rtp_socket(address, make=socket.socket):
    wire = make(socket.AF_INET, socket.SOCK_DGRAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    wire.bind((address, 0))
    wire.setblocking(False)
    return wire


class Call:
    """One call of a phone."""

    def __init__(self, phone, call_id):
        self.phone, self.id = phone, call_id
        self.wire = rtp_socket(phone.address, phone.make)
        self.codec = phone.codec()
        self.answers, self.is_over = queue.Queue(), threading.Event()
        self.remote = None
        self.sequence, self.timestamp = random.randrange(1 << 16), random.randrange(1 << 32)
        self.ssrc = random.randrange(1 << 32)
        self.number, self.routes = 1, []

    def sdp(self):
        host, port = self.wire.getsockname()
        maps = self.codec.rtpmaps[: 2 if self.phone.has_events else 1]
        formats = " ".join(line.split(" ")[0] for line in maps)
        lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP {formats}", *(f"a=rtpmap:{line}" for line in maps)]
        if self.phone.has_events:
            lines += [f"a=fmtp:{self.codec.events} 0-15"]
        return "\r\n".join([*lines, ""]).encode()

    def take_media(self, message):
        host = re.search(rb"(?m)^c=IN IP4 (\S+)", message)[1].decode()
        self.remote = (host, int(re.search(rb"(?m)^m=audio (\d+)", message)[1]))

    def packet(self, payload):
        """The next RTP packet."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + audio.FRAME * self.codec.steps) & 0xFFFFFFFF
        return RTP_HEADER.pack(0x80, self.codec.payload_type, self.sequence, self.timestamp, self.ssrc) + payload

    def event_packets(self, key, frames=5):
        """The RTP packets of one press, one for each frame, the last one three times (RFC 4733 2.5.1)."""
        span = audio.FRAME * self.codec.steps
        event, began = "0123456789*#ABCD".index(key), (self.timestamp + span) & 0xFFFFFFFF
        for frame in range(1, frames + 3):
            self.sequence = (self.sequence + 1) & 0xFFFF
            is_first, is_end = frame == 1, frame >= frames
            payload = struct.pack("!BBH", event, 0x80 * is_end | 10, span * min(frame, frames))
            yield RTP_HEADER.pack(0x80, 0x80 * is_first | self.codec.events, self.sequence, began, self.ssrc) + payload
        self.timestamp = (began + span * (frames + 2)) & 0xFFFFFFFF

    def send_info(self, key):
        """One key as SIP INFO."""
        self.number += 1
        body = f"Signal={key}\r\nDuration=160\r\n".encode()
        self.phone.request(self, "INFO", self.number, body, "application/dtmf-relay")

    def hang_up(self):
        self.phone.bye(self)

    def close(self):
        self.wire.close()
        self.codec.close()


class Phone:
    """All calls of one address. Incoming ones are answered at once and put into `answered`."""

    def __init__(self, address, has_events=False, make=socket.socket, codec=Pcmu):
        self.address, self.has_events, self.make, self.codec = address, has_events, make, codec
        self.wire = make(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.wire.bind((address, 0))
        self.port = self.wire.getsockname()[1]
        self.calls, self.answered = {}, queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, server, number):
        """Places a call; returns when it is answered and acknowledged."""
        call = Call(self, f"{random.randrange(1 << 64):016x}@{self.address}")
        self.calls[call.id.encode()] = call
        call.target = f"sip:{number}@{server[0]}:{server[1]}"
        call.near = f"<sip:15550100@{self.address}:{self.port}>;tag={random.randrange(1 << 32):08x}"
        call.far, call.hop = f"<{call.target}>", server
        self.request(call, "INVITE", 1, call.sdp())
        while True:
            answer = call.answers.get(timeout=ANSWER_MAX_S)
            status = int(answer.split(b" ", 2)[1])
            if status >= 300:
                raise RuntimeError(f"the call to {number} was answered {answer.splitlines()[0].decode()}")
            if status >= 200:
                break
        call.far = header(answer, b"To").decode()
        call.target = re.search(r"<(.*?)>", header(answer, b"Contact").decode())[1]
        call.routes = [route.decode() for route in re.findall(rb"(?im)^Record-Route\s*:\s*(.*?)\r?$", answer)][::-1]
        call.take_media(answer)
        self.request(call, "ACK", 1)
        return call

    def bye(self, call):
        call.number += 1
        self.request(call, "BYE", call.number)
        call.is_over.set()

    def request(self, call, method, number, body=b"", content_type="application/sdp"):
        lines = [
            f"{method} {call.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{random.randrange(1 << 64):016x}",
            f"From: {call.near}",
            f"To: {call.far}",
            f"Call-ID: {call.id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:phone@{self.address}:{self.port}>",
            "Max-Forwards: 70",
            *(f"Route: {route}" for route in call.routes),
            *([f"Content-Type: {content_type}"] if body else []),
            f"Content-Length: {len(body)}",
            "\r\n",
        ]
        self.wire.sendto("\r\n".join(lines).encode() + body, call.hop)

    def _listen(self):
        while True:
            try:
                message, source = self.wire.recvfrom(65_535)
            except OSError:
                return
            call = self.calls.get(header(message, b"Call-ID"))
            if message.startswith(b"SIP/2.0"):
                if call and header(message, b"CSeq").endswith(b"INVITE"):
                    call.answers.put(message)
            elif message.startswith(b"INVITE ") and call is None:
                self._answer_call(message, source)
            elif message.startswith(b"BYE "):
                self._answer(message, source, header(message, b"To"))
                if call:
                    call.is_over.set()

    def _answer_call(self, invite, source):
        call = Call(self, header(invite, b"Call-ID").decode())
        self.calls[call.id.encode()] = call
        call.take_media(invite)
        call.near = header(invite, b"To").decode() + f";tag={random.randrange(1 << 32):08x}"
        call.far, call.hop = header(invite, b"From").decode(), source
        call.target = re.search(r"<(.*?)>", header(invite, b"Contact").decode())[1]
        self._answer(invite, source, call.near.encode(), call.sdp())
        self.answered.put(call)

    def _answer(self, request, source, to, body=b""):
        vias = [b"Via: " + via for via in re.findall(rb"(?im)^Via\s*:\s*(.*?)\r?$", request)]
        lines = [
            b"SIP/2.0 200 OK",
            *vias,
            b"From: " + header(request, b"From"),
            b"To: " + to,
            b"Call-ID: " + header(request, b"Call-ID"),
            b"CSeq: " + header(request, b"CSeq"),
            f"Contact: <sip:phone@{self.address}:{self.port}>".encode(),
            *([b"Content-Type: application/sdp"] if body else []),
            b"Content-Length: %d" % len(body),
            b"\r\n",
        ]
        self.wire.sendto(b"\r\n".join(lines) + body, source)

    def close(self):
        self.wire.close()
        for call in self.calls.values():
            call.close()


class Talker(threading.Thread):
    """Speaks on one call in real time, and keeps what is heard."""

    def __init__(self, call, seed=1):
        super().__init__(daemon=True)
        self.call, self.heard, self.done = call, [], threading.Event()
        # By how much it spoke later than its time, at most, in seconds: the machine had none for it.
        self.late_s = 0.0
        voice = audio.hum(20, seed)
        self.voice = [voice[at : at + audio.FRAME] for at in range(0, len(voice), audio.FRAME)]
        self.said = queue.Queue()
        self.start()

    def say(self, samples):
        """Says this instead of the voice; returns when it was said."""
        for at in range(0, len(samples) - audio.FRAME + 1, audio.FRAME):
            self.said.put(samples[at : at + audio.FRAME])
        while not self.said.empty() and self.is_alive():
            time.sleep(FRAME_S)

    def press(self, keys, way, gap_s=0.1):
        """Presses keys, each by this way: "tones" in the audio, "events" of RFC 4733, or SIP "info"."""
        if way == "tones":
            return self.say(audio.keyed(keys, off=gap_s))
        for key in keys:
            if way == "info":
                self.call.send_info(key)
                self.say(audio.silence(0.2))
            else:
                self.said.put(self.call.event_packets(key))
                self.say(audio.silence(gap_s))

    def _next(self, number):
        """Packets of the next frame and of those that belong to it."""
        try:
            said = self.said.get_nowait()
        except queue.Empty:
            said = self.voice[number % len(self.voice)]
        return iter([self.call.packet(self.call.codec.encode(said))]) if isinstance(said, list) else said

    def run(self):
        due, number, packets = time.monotonic(), 0, iter(())
        while not self.done.is_set():
            packet = next(packets, None)
            if packet is None:
                packets = self._next(number)
                packet = next(packets)
                number += 1
            self.late_s = max(self.late_s, time.monotonic() - due)
            self.call.wire.sendto(packet, self.call.remote)
            self._hear()
            due += FRAME_S
            time.sleep(max(0.0, due - time.monotonic()))

    def _hear(self):
        while True:
            try:
                packet = self.call.wire.recv(2_048)
            except BlockingIOError:
                return
            if packet[1] & 0x7F == self.call.codec.payload_type:
                self.heard += self.call.codec.decode(packet[12:])

    def stop(self):
        self.done.set()
        self.join()
