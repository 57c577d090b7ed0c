"""The messages of RFC 4475 on the wire of a running server.

Each is sent from an address of its own that belongs to a trunk (some share a branch, and must not be taken for retransmissions of each other);
what comes back must be what the committed table of the sip crate says. The table judges the SIP stack alone. In a whole server an INVITE that it
accepts goes on: no service takes the number, so 404 follows the 100.
"""

import re
import socket

from tonewall import REPOSITORY

FOLDER = REPOSITORY / "crates" / "sip" / "tests" / "rfc4475"
MESSAGES = 49
# Loopback answers at once; a busy machine within this.
ANSWER_MAX_S = 3.0
# Sent behind each message: once it is answered, whatever the message deserved was sent before it.
PROBE = """OPTIONS sip:{server} SIP/2.0\r
Via: SIP/2.0/UDP {local};branch=z9hG4bKprobe\r
From: <sip:probe@{local}>;tag=probe\r
To: <sip:probe@{server}>\r
Call-ID: probe@{local}\r
CSeq: 1 OPTIONS\r
Max-Forwards: 70\r
Content-Length: 0\r
\r
"""


def addresses(net):
    """One source for each message; the trunk of the configuration lists them."""
    return [f"{net}.{host}" for host in range(100, 100 + MESSAGES)]


def table():
    """Name and verdict of each row."""
    rows = {}
    for line in (FOLDER / "table.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, verdict, *rest = line.split()
            rows[name] = f"answer {rest[0]}" if verdict == "answer" else verdict
    return rows


def exchange(server, source, message):
    """Sends a message and the probe behind it. Yields the status codes that came for the message, and whether the probe was answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind((source, 0))
        wire.settimeout(ANSWER_MAX_S)
        host, port = wire.getsockname()
        wire.sendto(message, server.sip_address)
        wire.sendto(PROBE.format(server=server.sip, local=f"{host}:{port}").encode(), server.sip_address)
        codes, is_probed = [], False
        # After 100 the final answer is awaited; else the probe's answer ends it.
        while not is_probed or codes == [100]:
            try:
                answer = wire.recv(65_535)
            except TimeoutError:
                break
            if b"z9hG4bKprobe" in answer:
                is_probed = True
            elif match := re.match(rb"SIP/2.0 (\d{3}) ", answer):
                codes.append(int(match[1]))
                if codes[0] == 100 and codes[-1] >= 300:
                    wire.sendto(acknowledgement(message, answer), server.sip_address)
        return codes, is_probed


def acknowledgement(invite, answer):
    """The ACK of a refused INVITE: its fields as the answer repeats them."""
    uri = invite.split(b" ", 2)[1]
    lines = answer.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    kept = [line for line in lines if line.split(b":")[0].lower() in (b"via", b"from", b"to", b"call-id")]
    number = next(re.search(rb"\d+", line)[0] for line in lines if line.lower().startswith(b"cseq:"))
    head = [b"ACK " + uri + b" SIP/2.0", *kept, b"CSeq: " + number + b" ACK", b"Max-Forwards: 70", b"Content-Length: 0", b"", b""]
    return b"\r\n".join(head)


def verdict_of(codes):
    if not codes:
        return "dropped"
    if codes == [100, 404]:
        return "accepted"
    return f"answer {codes[0]}" if len(codes) == 1 else f"answers {codes}"


def replay(server, report):
    rows = table()
    report.check(len(rows) == MESSAGES, f"the table judges {MESSAGES} messages", len(rows))
    wrong = []
    for source, (name, verdict) in zip(addresses(server.net.net), rows.items()):
        codes, is_probed = exchange(server, source, (FOLDER / f"{name}.dat").read_bytes())
        if not is_probed:
            wrong.append(f"{name}: the server does not answer afterwards")
        elif verdict_of(codes) != verdict:
            wrong.append(f"{name}: {verdict} expected, {verdict_of(codes)} found")
    right = f"{len(rows) - len(wrong)} of {MESSAGES}"
    report.check(not wrong, "RFC 4475 on the wire: every answer is the table's", right)
    for line in wrong:
        print(f"      {line}")
    alive = server.is_alive() and server.metrics()["tonewall_voice_panics_total"] == 0
    report.check(alive, "the server is alive after them, without a panic")
