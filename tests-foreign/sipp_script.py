"""SIPp scenarios, written from steps.

Owns: the XML of one side of a call: requests of its own, answers, what has to stand in what it hears.
Never: runs SIPp or knows what a call is about.

A step that does not come as it is written ends SIPp with exit code 1: the steps are the assertions.
"""

import itertools
from xml.sax.saxutils import quoteattr

AUDIO = """v=0
o=- 7 {version} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP {formats}
{maps}a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
{more}"""
RTPMAPS = {"0": "a=rtpmap:0 PCMU/8000\n", "8": "a=rtpmap:8 PCMA/8000\n"}


def sdp(version=1, direction="sendrecv", codecs="0 8"):
    """A description of one audio stream; `version` grows with each change."""
    maps = "".join(RTPMAPS[codec] for codec in codecs.split())
    return AUDIO.format(version=version, formats=f"{codecs} 101", maps=maps, more=f"a={direction}\n")


class Side:
    """One side's steps, in order."""

    def __init__(self, name):
        self.name = name
        self._steps = []
        self._number = 0
        self._marks = itertools.count(1)
        # SIPp's own count of steps, which its branches bear.
        self._count = 0
        self._invited_at = 0
        # The number of the INVITE outside a dialog.
        self._invite = 1

    def xml(self):
        return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="{self.name}">\n' + "\n".join(self._steps) + "\n</scenario>\n"

    def pause(self, milliseconds):
        self._count += 1
        self._steps.append(f'<pause milliseconds="{milliseconds}" />')
        return self

    def plays(self, path):
        """A file of RTP, beside what comes next."""
        self._count += 1
        self._steps.append(f'<nop><action><exec play_pcap_audio="{path}" /></action></nop>')
        return self

    def _hear(self, what, bears=(), lacks=(), optional=False, routes=False, saves=(), stops=None):
        """A message that has to come; `bears` and `lacks` are expressions over its whole text, `saves` headers with an expression and a variable, `stops` a clock."""
        actions = []
        for expression, inverse in [(one, False) for one in bears] + [(one, True) for one in lacks]:
            mark = f"m{next(self._marks)}"
            check = 'check_it_inverse="true"' if inverse else 'check_it="true"'
            actions.append((f'<ereg regexp={quoteattr(expression)} search_in="msg" {check} assign_to="{mark}" />', mark))
        for header, expression, variable in saves:
            actions.append((f'<ereg regexp={quoteattr(expression)} search_in="hdr" header="{header}:" assign_to="{variable}" />', variable))
        body = f"<action>{''.join(action for action, _ in actions)}</action>" if actions else ""
        options = (' optional="true"' if optional else "") + (' rrs="true"' if routes else "") + (f' rtd="{stops}"' if stops else "")
        self._count += 1
        self._steps.append(f"<recv {what}{options}>{body}</recv>")
        marks = [mark for _, mark in actions if mark]
        if marks:
            self._steps.append(f'<Reference variables="{",".join(marks)}" />')
        return self

    def _via_of_invite(self):
        return f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-{self._count - self._invited_at}]"

    def _send(self, text, retrans, starts=None):
        option = (' retrans="500"' if retrans else "") + (f' start_rtd="{starts}"' if starts else "")
        self._count += 1
        self._steps.append(f"<send{option}><![CDATA[\n{text}\n]]></send>")
        return self

    def hears_request(self, method, **checks):
        saves = [("Via", "SIP/2.0/.*", "via"), ("CSeq", "[0-9]+", "cseq")] if method in ("INVITE", "BYE") else []
        is_first = method == "INVITE" and self._is_first_invite()
        if is_first:
            saves += [("To", "<.*", "to"), ("From", "<.*", "from")]
        return self._hear(f'request="{method}"', routes=is_first, saves=saves, **checks)

    def _is_first_invite(self):
        return False

    def answers_invite(self, status, reason, body=None, headers=(), tag=""):
        """An answer to the last INVITE, whatever came behind it."""
        to = "[last_To:]" if tag == "" else f"To: [$to]{tag}"
        lines = [f"SIP/2.0 {status} {reason}", "Via: [$via]", "[last_From:]", to, "[last_Call-ID:]", "CSeq: [$cseq] INVITE"]
        lines += [f"Contact: <sip:{self.name}@[local_ip]:[local_port];transport=[transport]>", *headers]
        return self._send(_message(lines, body), status >= 200)

    def crosses_bye(self):
        """A BYE that is only answered once a BYE of its own has been."""
        self.hears_request("BYE").request("BYE").hears(481)
        lines = ["SIP/2.0 200 OK", "Via: [$via]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "CSeq: [$cseq] BYE"]
        return self._send(_message(lines, None), False)

    def answers(self, status, reason, body=None, headers=(), tag="", retrans=None):
        """An answer to the last request."""
        lines = [f"SIP/2.0 {status} {reason}", "[last_Via:]", "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]", "[last_CSeq:]", "[last_Record-Route:]"]
        lines += [f"Contact: <sip:{self.name}@[local_ip]:[local_port];transport=[transport]>", *headers]
        return self._send(_message(lines, body), status >= 200 if retrans is None else retrans)


class Caller(Side):
    """Who sends the first INVITE."""

    FROM = "From: <sip:15550100[call_number]@[local_ip]:[local_port]>;tag=[pid]c[call_number]"

    def invite(self, body=None, headers=(), starts=None):
        self._number += 1
        self._invited_at, self._invite = self._count, self._number
        lines = ["INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0", *self._fields("INVITE", "To: <sip:[service]@[remote_ip]:[remote_port]>"), *headers]
        return self._send(_message(lines, body), True, starts)

    def request(self, method, body=None, headers=(), number=None, retrans=True):
        """Within the dialog."""
        if number is None and method != "ACK":
            self._number += 1
        if method == "INVITE":
            self._invited_at = self._count
        to = "To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]"
        lines = [f"{method} [next_url] SIP/2.0", *self._fields(method, to, number), "[routes]", *headers]
        return self._send(_message(lines, body), retrans and method != "ACK")

    def ack(self, body=None):
        return self.request("ACK", body)

    def registers(self, phone, proof=None):
        """As a phone."""
        self._number += 1
        via, _, _, call_id, cseq, contact, hops = self._fields("REGISTER", "")
        names = [f"{name}: <sip:{phone}@[remote_ip]>{tag}" for name, tag in (("From", ";tag=[pid]r[call_number]"), ("To", ""))]
        lines = ["REGISTER sip:[remote_ip]:[remote_port] SIP/2.0", via, *names, call_id, cseq, contact.replace("caller@", f"{phone}@"), hops, "Expires: 60"]
        return self._send(_message([*lines, *([proof] if proof else [])], None), True)

    def challenged(self):
        """A 401 whose answer the keyword [authentication] of what follows makes."""
        return self._hear('response="401" auth="true"', bears=['WWW-Authenticate: Digest realm="tonewall"'])

    def cancel(self):
        return self._within_invite("CANCEL", "To: <sip:[service]@[remote_ip]:[remote_port]>", True)

    def hears(self, status, **checks):
        return self._hear(f'response="{status}"', **{"routes": status == 200, **checks})

    def rings(self):
        """What may come before the answer."""
        for status in (100, 180, 183):
            self._hear(f'response="{status}"', optional=True)
        return self

    def acks_refusal(self):
        """The ACK of a refusal belongs to the transaction of the INVITE outside a dialog."""
        return self._within_invite("ACK", "To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]", False)

    def _within_invite(self, method, to, retrans):
        lines = [f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0", self._via_of_invite()]
        lines += [self.FROM, to, "Call-ID: [call_id]", f"CSeq: {self._invite} {method}", "Max-Forwards: 70"]
        return self._send(_message(lines, None), retrans)

    def acks_refused_change(self):
        to = "To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]"
        lines = ["ACK [next_url] SIP/2.0", self._via_of_invite(), "[routes]", self.FROM, to, "Call-ID: [call_id]", f"CSeq: {self._number} ACK", "Max-Forwards: 70"]
        return self._send(_message(lines, None), False)

    def _fields(self, method, to, number=None):
        number = number or self._number
        return [
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            self.FROM,
            to,
            "Call-ID: [call_id]",
            f"CSeq: {number} {method}",
            "Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>",
            "Max-Forwards: 70",
        ]


class Callee(Side):
    """Who is sent the first INVITE."""

    def __init__(self, name):
        super().__init__(name)
        self._invited = False

    def invited(self, **checks):
        self.hears_request("INVITE", **checks)
        self._invited = True
        return self

    def _is_first_invite(self):
        return not self._invited

    def answers(self, status, reason, body=None, headers=(), tag=";tag=[pid]s[call_number]", retrans=None):
        """An answer to the last request; to one within the dialog pass an empty `tag`."""
        return super().answers(status, reason, body, headers, tag, retrans)

    def hears_ack(self, **checks):
        return self._hear('request="ACK"', **checks)

    def request(self, method, body=None, headers=(), number=None, retrans=True):
        """Within the dialog: From and To are those of the first INVITE, turned round."""
        if number is None and method != "ACK":
            self._number += 1
        if method == "INVITE":
            self._invited_at = self._count
        lines = [f"{method} [next_url] SIP/2.0", "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]", "[routes]"]
        lines += ["From: [$to];tag=[pid]s[call_number]", "To: [$from]", "Call-ID: [call_id]", f"CSeq: {number or self._number} {method}"]
        lines += [f"Contact: <sip:{self.name}@[local_ip]:[local_port];transport=[transport]>", "Max-Forwards: 70", *headers]
        return self._send(_message(lines, body), retrans and method != "ACK")

    def acks_refused_change(self):
        lines = ["ACK [next_url] SIP/2.0", self._via_of_invite(), "[routes]"]
        lines += ["From: [$to];tag=[pid]s[call_number]", "To: [$from]", "Call-ID: [call_id]", f"CSeq: {self._number} ACK", "Max-Forwards: 70"]
        return self._send(_message(lines, None), False)

    def hears(self, status, **checks):
        return self._hear(f'response="{status}"', **checks)


def _message(lines, body):
    lines = [line for line in lines if line]
    if body is None:
        return "\n".join([*lines, "Content-Length: 0"]) + "\n"
    return "\n".join([*lines, "Content-Type: application/sdp", "Content-Length: [len]", "", body.rstrip("\n")]) + "\n"
