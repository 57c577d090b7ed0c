#!/usr/bin/env python3
"""Every kind of call that telephone equipment makes, against a running server: one table, a row for each, exit 1 if one is red.

The far sides are SIPp, a program that others wrote; what each of them has to see stands in its steps. Rows run side by side, each with a number and ports of its own. At the
end nothing may be left: no dialog, no port pair, no socket, no panic.
"""

import concurrent.futures
import contextlib
import hashlib
import pathlib
import sys
import tempfile
import time

from certificates import Certificates
from sipp_process import Sipp
from sipp_script import Callee, Caller, sdp
from stunnel import Stunnel
from tonewall import Addresses, Report, Server, free_sip_port, raise_file_limit

# Every dialog and port pair is gone by then: 64 * T1 of RFC 3261.
EMPTY_WITHIN_S = 32
# The longest row waits until a session that nobody refreshes is over.
ROW_MAX_S = 100
# Rows at a time. Most of them wait most of the time.
SIDE_BY_SIDE = 12


# The server's account at the callee, which is a trunk of its file, and its phone.
USER, PASSWORD, REALM, NONCE = "interop", "w0rd-of-a-trunk", "carrier.interop", "4f6e6365"
PHONE, PHONE_PASSWORD = "1001", "three-words-kept"


class Row:
    """One kind of call: its two sides (none, if nobody calls or is to be called; a function of the called URI, if it looks at digests), and how SIPp runs them."""

    def __init__(self, group, what, caller, callee, *options, calls=1):
        self.group, self.what, self.caller, self.callee, self.options, self.calls = group, what, caller, callee, options, calls
        self.over, self.is_for_streams, self.target, self.is_stranger, self.phone = "udp", True, None, False, None

    def only_udp(self):
        """A row that over a stream has nothing to show, or nothing that SIPp follows."""
        self.is_for_streams = False
        return self

    def goes_to(self, target):
        """Whoever is called by the number of this row's own with a 9 before it, while it runs."""
        self.target = target
        return self

    def after(self, phone):
        """Steps from the caller's address and port, played to their end before it calls. What it proves is the URI that it calls."""
        self.phone = phone
        return self

    def from_a_stranger(self):
        """The caller's address is no trunk's."""
        self.is_stranger = True
        return self

    def over_tcp(self):
        """The same with both sides by TCP: one connection for each."""
        return self._over_stream("tcp")

    def over_tls(self):
        """The same inside TLS, which stunnel speaks for SIPp: Debian's has none."""
        return self._over_stream("tls")

    def _over_stream(self, transport):
        self.what, self.over, self.options = f"{self.what}, by {transport.upper()}", transport, ("-t", "t1", *self.options)
        return self


def answered(headers=()):
    """A callee that rings and answers."""
    return Callee("callee").invited().answers(180, "Ringing").answers(200, "OK", sdp(), headers).hears_ack()


def ended(side):
    """It is hung up on."""
    return side.hears_request("BYE").answers(200, "OK", tag="", retrans=False)


def hangs_up(side):
    return side.request("BYE").hears(200)


def talking(headers=()):
    """A caller whose call is answered."""
    return Caller("caller").invite(sdp(), headers).rings().hears(200).ack()


def basic():
    yield Row("basic", "the caller hangs up", hangs_up(talking().pause(300)), ended(answered()))
    yield Row("basic", "the callee hangs up", ended(talking()), hangs_up(answered().pause(300)))
    early = Callee("callee").invited().answers(183, "Session Progress", sdp()).pause(300).answers(200, "OK", sdp()).hears_ack()
    hears_early = Caller("caller").invite(sdp()).hears(100, optional=True).hears(183, bears=["m=audio [1-9]"]).hears(200).ack().pause(200)
    yield Row("basic", "early media: 183 with a description, then 200", hangs_up(hears_early), ended(early))
    late = Caller("caller").invite().rings().hears(200, bears=["m=audio [1-9]"]).ack(sdp()).pause(300)
    yield Row("late offer", "the INVITE has none: our 200 offers, the ACK answers", hangs_up(late), ended(answered()))
    lossy = ["-lost", "5", "-r", "20"]
    yield Row("loss", "100 calls, 5 % of the caller's messages lost", hangs_up(talking().pause(300)), ended(answered()), *lossy, calls=100).only_udp()
    yield Row("BYE", "the callee's BYE crosses ours", hangs_up(talking().pause(300)), answered().crosses_bye())
    yield Row("BYE", "the caller's BYE crosses ours", talking().crosses_bye(), hangs_up(answered().pause(300)))


def cancelled():
    """CANCEL at every state of the INVITE."""

    def gives_up(caller):
        return caller.cancel().hears(200).hears(487).acks_refusal()

    def obeys(callee):
        callee.hears_request("CANCEL").answers(200, "OK", tag=";tag=[pid]s[call_number]", retrans=False)
        return callee.answers_invite(487, "Request Terminated", tag=";tag=[pid]s[call_number]").hears_ack()

    silent = Callee("callee").invited().pause(1_000).answers(100, "Trying", tag="")
    yield Row("CANCEL", "while the callee says nothing", gives_up(Caller("caller").invite(sdp()).hears(100).pause(200)), obeys(silent))
    yield Row("CANCEL", "after 100", gives_up(Caller("caller").invite(sdp()).hears(100).pause(400)), obeys(Callee("callee").invited().answers(100, "Trying", tag="")))
    rings = Caller("caller").invite(sdp()).hears(100, optional=True).hears(180).pause(200)
    yield Row("CANCEL", "after 180", gives_up(rings), obeys(Callee("callee").invited().answers(180, "Ringing")))
    early = Caller("caller").invite(sdp()).hears(100, optional=True).hears(183).pause(200)
    yield Row("CANCEL", "after 183 with early media", gives_up(early), obeys(Callee("callee").invited().answers(183, "Session Progress", sdp())))
    # The 200 passes the CANCEL: the call is answered, and ended by us.
    late = Callee("callee").invited().answers(180, "Ringing").hears_request("CANCEL").answers(200, "OK", retrans=False)
    late.answers_invite(200, "OK", sdp(), tag=";tag=[pid]s[call_number]").hears_ack()
    rings = Caller("caller").invite(sdp()).hears(100, optional=True).hears(180).pause(200)
    yield Row("CANCEL", "crossed by the callee's 200: ACK and BYE to the callee", gives_up(rings), ended(late))


def refused():
    refusals = [(302, "Moved Temporarily", 480), (404, "Not Found", 404), (480, "Temporarily Unavailable", 480), (486, "Busy Here", 486)]
    refusals += [(503, "Service Unavailable", 500), (600, "Busy Everywhere", 600), (603, "Decline", 603)]
    for status, reason, heard in refusals:
        headers = ["Contact: <sip:elsewhere@192.0.2.1>"] if status == 302 else ()
        callee = Callee("callee").invited().answers(status, reason, headers=headers).hears_ack()
        caller = Caller("caller").invite(sdp()).rings().hears(heard).acks_refusal()
        yield Row("3xx to 6xx", f"{status} from the callee is {heard} to the caller", caller, callee)


def forked():
    callee = Callee("callee").invited().answers(180, "Ringing", tag=";tag=one").answers(180, "Ringing", tag=";tag=two")
    callee.answers_invite(200, "OK", sdp(), tag=";tag=one").hears_ack(bears=["tag=one"])
    callee.answers_invite(200, "OK", sdp(2), tag=";tag=two").hears_ack(bears=["tag=two"]).hears_request("BYE", bears=["tag=two"]).answers(200, "OK", tag="", retrans=False)
    yield Row("forked 2xx", "two branches answer: the first is kept, the second acknowledged and ended", hangs_up(talking().pause(1_000)), ended(callee))


def changed():
    """re-INVITE from each side."""
    holds = talking().pause(200).request("INVITE", sdp(2, "sendonly")).hears(100, optional=True).hears(200, bears=["a=recvonly"]).ack().pause(200)
    holds.request("INVITE", sdp(3)).hears(100, optional=True).hears(200, lacks=["a=(recvonly|sendonly|inactive)"]).ack().pause(200)
    held = answered().hears_request("INVITE", bears=["a=sendonly"]).answers(200, "OK", sdp(2, "recvonly"), tag="").hears_ack()
    held.hears_request("INVITE", lacks=["a=(recvonly|sendonly|inactive)"]).answers(200, "OK", sdp(3), tag="").hears_ack()
    yield Row("hold", "by the caller, and resumed", hangs_up(holds), ended(held))
    holds = answered().pause(200).request("INVITE", sdp(2, "inactive")).hears(100, optional=True).hears(200, bears=["a=inactive"]).request("ACK", number=1).pause(200)
    holds.request("INVITE", sdp(3)).hears(100, optional=True).hears(200, lacks=["a=(recvonly|sendonly|inactive)"]).request("ACK", number=2).pause(200)
    held = talking().hears_request("INVITE", bears=["a=inactive"]).answers(200, "OK", sdp(2, "inactive")).hears_request("ACK")
    held.hears_request("INVITE", lacks=["a=(recvonly|sendonly|inactive)"]).answers(200, "OK", sdp(3)).hears_request("ACK")
    yield Row("hold", "by the callee with a=inactive, and resumed", ended(held), hangs_up(holds))
    asks = talking().pause(200).request("INVITE", sdp(2, codecs="8")).hears(100, optional=True).hears(200, bears=["m=audio [0-9]+ RTP/AVP 8 101"]).ack().pause(200)
    yield Row("re-INVITE", "another codec from the caller; the callee need not hear of it", hangs_up(asks), ended(answered()))
    empty = talking().pause(200).request("INVITE").hears(100, optional=True).hears(200, bears=["m=audio [1-9]"]).ack(sdp(2)).pause(200)
    yield Row("re-INVITE", "without a description: our 200 offers", hangs_up(empty), ended(answered()))
    # Both sides change at once: the callee's own is answered 491, then it answers ours.
    meets = answered().hears_request("INVITE", bears=["a=sendonly"]).request("INVITE", sdp(2)).hears(100, optional=True).hears(491).acks_refused_change()
    meets.answers_invite(200, "OK", sdp(2, "recvonly")).hears_ack()
    holds = talking().pause(300).request("INVITE", sdp(2, "sendonly")).hears(100, optional=True).hears(200, bears=["a=recvonly"]).ack().pause(300)
    yield Row("glare", "the callee's re-INVITE meets ours: 491 to it, ours goes on", hangs_up(holds), ended(meets))


def reliable():
    """Reliable provisional responses (RFC 3262), from us and to us."""

    def hears_reliable(caller, bears=()):
        return caller.hears(100, optional=True).hears(183, bears=["RSeq:", "Require: 100rel", *bears], saves=[("RSeq", "[0-9]+", "rseq")], routes=True)

    def acknowledges(caller, body=None):
        return caller.request("PRACK", body, headers=["RAck: [$rseq] 1 INVITE"]).hears(200)

    require, rack = ["Require: 100rel"], ["RAck: 1 1 INVITE"]
    plain = Callee("callee").invited().answers(183, "Session Progress", sdp()).pause(800).answers(200, "OK", sdp()).hears_ack()
    caller = acknowledges(hears_reliable(Caller("caller").invite(sdp(), require), ["m=audio [1-9]"])).hears(200).ack().pause(200)
    yield Row("PRACK", "the caller requires it, the callee knows nothing of it", hangs_up(caller), ended(plain))
    asks = Callee("callee").invited().answers(183, "Session Progress", sdp(), [*require, "RSeq: 1"]).hears_request("PRACK", bears=rack).answers(200, "OK", tag="", retrans=False)
    asks.pause(300).answers_invite(200, "OK", tag=";tag=[pid]s[call_number]").hears_ack()
    yield Row("PRACK", "the callee asks for it, the caller knows nothing of it; the 200 has no description", hangs_up(talking().pause(300)), ended(asks))
    both = Callee("callee").invited().answers(183, "Session Progress", sdp(), [*require, "RSeq: 1"]).hears_request("PRACK", bears=rack).answers(200, "OK", tag="", retrans=False)
    both.pause(500).answers_invite(200, "OK", tag=";tag=[pid]s[call_number]").hears_ack()
    caller = acknowledges(hears_reliable(Caller("caller").invite(sdp(), require))).hears(200).ack().pause(200)
    yield Row("PRACK", "both sides", hangs_up(caller), ended(both))
    late = acknowledges(hears_reliable(Caller("caller").invite(None, require), ["m=audio [1-9]"]), sdp()).hears(200).ack().pause(200)
    early = Callee("callee").invited().answers(183, "Session Progress", sdp()).pause(800).answers(200, "OK", sdp()).hears_ack()
    yield Row("PRACK", "with a description: our reliable 183 offers, the PRACK answers", hangs_up(late), ended(early))
    unacknowledged = Caller("caller").invite(sdp(), require).hears(100, optional=True).hears(183).pause(2_500).cancel().hears(200).hears(487).acks_refusal()
    callee = Callee("callee").invited().answers(183, "Session Progress", sdp()).hears_request("CANCEL").answers(200, "OK", retrans=False)
    callee.answers_invite(487, "Request Terminated", tag=";tag=[pid]s[call_number]").hears_ack()
    # What we repeat meanwhile SIPp knows over UDP alone for the same.
    yield Row("PRACK", "never sent by the caller, which then gives up", unacknowledged, callee).only_udp()


def updated():
    """UPDATE (RFC 3311)."""
    hold = talking().pause(200).request("UPDATE", sdp(2, "sendonly")).hears(200, bears=["a=recvonly"]).pause(300)
    hold.request("UPDATE", sdp(3)).hears(200, lacks=["a=(recvonly|sendonly|inactive)"]).pause(200)
    held = answered().hears_request("INVITE", bears=["a=sendonly"]).answers(200, "OK", sdp(2, "recvonly"), tag="").hears_ack()
    held.hears_request("INVITE", lacks=["a=(recvonly|sendonly|inactive)"]).answers(200, "OK", sdp(3), tag="").hears_ack()
    yield Row("UPDATE", "in the call: hold and resume by the caller", hangs_up(hold), ended(held))
    alone = talking().pause(200).request("UPDATE").hears(200).pause(200)
    yield Row("UPDATE", "in the call, without a description", hangs_up(alone), ended(answered()))
    early = Caller("caller").invite(sdp(), ["Require: 100rel"]).hears(100, optional=True).hears(183, saves=[("RSeq", "[0-9]+", "rseq")], routes=True)
    early.request("PRACK", headers=["RAck: [$rseq] 1 INVITE"]).hears(200).request("UPDATE", sdp(2, codecs="8")).hears(200, bears=["m=audio [0-9]+ RTP/AVP 8 101"]).hears(200).ack().pause(200)
    callee = Callee("callee").invited().answers(183, "Session Progress", sdp()).pause(1_000).answers(200, "OK", sdp()).hears_ack()
    yield Row("UPDATE", "early, by the caller: another codec before the answer", hangs_up(early), ended(callee))


def timed():
    """Session timers (RFC 4028)."""
    small = Caller("caller").invite(sdp(), ["Supported: timer", "Session-Expires: 30"]).hears(100, optional=True).hears(422, bears=["Min-SE: [0-9]+"]).acks_refusal()
    yield Row("timers", "an interval of 30 s: 422 with Min-SE, and nobody is called", small, None)
    wants = Callee("callee").invited().answers(422, "Session Interval Too Small", headers=["Min-SE: 1200"]).hears_ack()
    wants.hears_request("INVITE", bears=["Session-Expires: (1[2-9]|[2-9][0-9])[0-9][0-9]", "Min-SE: 1200"]).answers(200, "OK", sdp()).hears_ack()
    yield Row("timers", "a callee that wants 1,200 s is asked again with it", hangs_up(talking().pause(200)), ended(wants))
    we = talking(["Supported: timer", "Session-Expires: 90;refresher=uas"]).hears_request("INVITE").answers(200, "OK", sdp(), ["Session-Expires: 90;refresher=uac", "Require: timer"]).hears_request("ACK").pause(200)
    yield Row("timers", "we refresh after half of 90 s", hangs_up(we), ended(answered()))
    silent = Caller("caller").invite(sdp(), ["Supported: timer", "Session-Expires: 90;refresher=uac"]).rings()
    silent.hears(200, bears=["Session-Expires: 90;refresher=uac", "Require: timer"]).ack()
    yield Row("timers", "a caller that was to refresh and does not: BYE to both before 90 s are over", ended(silent), ended(answered()))
    refreshes = talking(["Supported: timer", "Session-Expires: 90;refresher=uac"]).pause(2_000)
    refreshes.request("UPDATE", headers=["Supported: timer", "Session-Expires: 90;refresher=uac"]).hears(200, bears=["Session-Expires: 90;refresher=uac"]).pause(200)
    yield Row("timers", "the caller refreshes by UPDATE", hangs_up(refreshes), ended(answered()))


def response(method, uri):
    """The only right answer to a challenge without qop (RFC 2069), as an expression."""
    digest = lambda *parts: hashlib.md5(":".join(parts).encode()).hexdigest()
    return f'Digest username="{USER}", realm="{REALM}".*response="{digest(digest(USER, REALM, PASSWORD), NONCE, digest(method, uri))}"'


def proven():
    """Challenges: to us from a trunk, by a server and by a proxy, and from us to a phone."""
    ways = {401: ("Unauthorized", "WWW-Authenticate", "[^-]Authorization"), 407: ("Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization")}

    def challenges(side, status, realm=REALM, **how):
        reason, name, _ = ways[status]
        return side.answers(status, reason, headers=[f'{name}: Digest realm="{realm}", nonce="{NONCE}"'], **how)

    def proof(status, method, uri):
        return [f"{ways[status][2]}: {response(method, uri)}"]

    for status in ways:

        def callee(uri, status=status):
            side = challenges(Callee("callee").invited(), status).hears_ack()
            return ended(side.hears_request("INVITE", bears=proof(status, "INVITE", uri)).answers(200, "OK", sdp()).hears_ack())

        yield Row("challenge", f"{status} to our INVITE: sent again with the right digest", hangs_up(talking().pause(300)), callee)

        def in_call(uri, status=status):
            contact = uri.replace(uri.partition("@")[0], "sip:callee") + ";transport=UDP"
            side = challenges(answered().hears_request("INVITE", bears=["a=sendonly"]), status, tag="").hears_ack()
            side.hears_request("INVITE", bears=["a=sendonly", *proof(status, "INVITE", contact)]).answers(200, "OK", sdp(2, "recvonly"), tag="").hears_ack()
            side = challenges(side.hears_request("BYE"), status, tag="", retrans=False)
            return side.hears_request("BYE", bears=proof(status, "BYE", contact)).answers(200, "OK", tag="", retrans=False)

        holds = talking().pause(200).request("INVITE", sdp(2, "sendonly")).hears(100, optional=True).hears(200, bears=["a=recvonly"]).ack().pause(200)
        yield Row("challenge", f"{status} to our re-INVITE and BYE", hangs_up(holds), in_call)
        other = challenges(Callee("callee").invited(), status, realm="elsewhere").hears_ack()
        yield Row("challenge", f"{status} of another realm gets no digest; 480 to the caller", Caller("caller").invite(sdp()).rings().hears(480).acks_refusal(), other)
    credentials = f"[authentication username={PHONE} password={PHONE_PASSWORD}]"
    # One row: a phone is where it has registered last.
    phone = Caller("phone").registers(PHONE).challenged().registers(PHONE, credentials).hears(200, bears=["Contact: "])
    calls = Caller("caller").invite(sdp()).challenged().acks_refusal().invite(sdp(), [credentials]).rings().hears(200).ack().pause(300)
    yield Row("challenge", "401 from us to a phone's REGISTER and to its INVITE; proven, it calls", hangs_up(calls), ended(answered())).from_a_stranger().after(phone)
    stranger = Caller("caller").invite(sdp()).hears(403).acks_refusal()
    yield Row("challenge", "403 from us to a stranger's INVITE, and nobody is called", stranger, None).from_a_stranger()


def crossing():
    """What of one side the other is told: header fields, and who calls (RFC 3323, RFC 3325)."""
    uui, asserted = "User-to-User: 00c0ffee;encoding=hex", 'P-Asserted-Identity: "Ada" <sip:+15550100@carrier.example>'
    told = Callee("callee").invited(bears=[uui, "X-Site: interop", "X-Tonewall-Call: "], lacks=["X-Other", "X-Site: theirs"])
    told.answers(180, "Ringing").answers(200, "OK", sdp()).hears_ack()
    yield Row("headers", "one passes, one of ours is added, others stay", hangs_up(talking([uui, "X-Other: 1", "X-Site: theirs"]).pause(300)), ended(told))
    told = Callee("callee").invited(bears=['From: "Ada" <sip:[+]15550100@', 'P-Asserted-Identity: "Ada" <sip:[+]15550100@'], lacks=["Privacy:", "carrier.example"])
    told.answers(200, "OK", sdp()).hears_ack()
    yield Row("identity", "an asserted one is believed and told", hangs_up(talking([asserted]).pause(300)), ended(told))
    told = Callee("callee").invited(bears=['From: "Anonymous" <sip:anonymous@anonymous.invalid>', "P-Asserted-Identity: .*15550100@", "Privacy: id"])
    told.answers(200, "OK", sdp()).hears_ack()
    yield Row("identity", "Privacy: id: From is anonymous, a trusted trunk is told who, and that it is to be kept", hangs_up(talking([asserted, "Privacy: id"]).pause(300)), ended(told))


def referred():
    """REFER (RFC 3515) from the side that we have called, and calls for another's place (RFC 3891)."""

    def refers(*told, to="9[service]@tonewall.example"):
        side = answered().pause(300).request("REFER", headers=[f"Refer-To: <sip:{to}>"]).hears(202)
        for status in told:
            state = "active" if status < 200 else "terminated;reason=noresource"
            bears = ["Event: refer", f"Subscription-State: {state}", f"SIP/2.0 {status} "]
            side.hears_request("NOTIFY", bears=bears).answers(200, "OK", tag="", retrans=False)
        return side

    waits = lambda: talking().pause(2_000)
    target = Callee("target").invited().answers(180, "Ringing").pause(400).answers(200, "OK", sdp()).hears_ack()
    yield Row("REFER", "somebody else answers: 100, 180, 200 by NOTIFY, then BYE", hangs_up(waits()), ended(refers(100, 180, 200))).goes_to(ended(target))
    target = Callee("target").invited().answers(486, "Busy Here").hears_ack()
    yield Row("REFER", "somebody else is busy: 486 by NOTIFY, and the call goes on", hangs_up(waits()), ended(refers(100, 486))).goes_to(target)
    yield Row("REFER", "a number that no route leads to: 403 by NOTIFY", hangs_up(waits()), ended(refers(100, 403, to="8[service]@tonewall.example")))
    scheme = answered().pause(300).request("REFER", headers=["Refer-To: <tel:+15550100>"]).hears(416)
    yield Row("REFER", "a scheme that is not SIP's: 416", hangs_up(waits()), ended(scheme))
    asks = talking().request("REFER", headers=["Refer-To: <sip:9[service]@tonewall.example>"]).hears(603).pause(200)
    yield Row("REFER", "from the consumer's side: 603", hangs_up(asks), ended(answered()))
    for replaces, status in (("unknown;to-tag=1;from-tag=2", 481), ("unknown;to-tag=1", 400)):
        caller = Caller("caller").invite(sdp(), [f"Replaces: {replaces}"]).hears(100, optional=True).hears(status).acks_refusal()
        yield Row("Replaces", f"{replaces}: {status}, and nobody is called", caller, None)


REGISTERED = "our registration at a trunk: 401, granted for 60 s, refreshed after 30"


def registered():
    def registrar(uri):
        name = f"sip:{uri.partition('@')[2]}"
        side = Callee("registrar").hears_request("REGISTER", bears=[f"To: <sip:{USER}@"], lacks=["[^-]Authorization"])
        challenge = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"'
        granted = [f"Contact: <sip:{USER}@192.0.2.1>;expires=60", "Expires: 60"]
        side.answers(401, "Unauthorized", headers=[challenge], retrans=False)
        side.hears_request("REGISTER", bears=[f"[^-]Authorization: {response('REGISTER', name)}"]).answers(200, "OK", headers=granted, tag="", retrans=False)
        return side.hears_request("REGISTER", bears=["Expires: 60"]).answers(200, "OK", headers=granted, tag="", retrans=False)

    yield Row("register", REGISTERED, None, registrar)


def groups():
    makers = (registered, basic, cancelled, refused, forked, changed, reliable, updated, timed, proven, crossing, referred)
    yield from (row for make in makers for row in make())
    # Timers of sessions are the same over all; challenges name the transport of what they prove.
    for over in (Row.over_tcp, Row.over_tls):
        yield from (over(row) for make in makers if make not in (registered, referred, timed, proven) for row in make() if row.is_for_streams)


class Tls:
    """What turns the streams of a row into TLS."""

    def __init__(self, net, folder):
        self.net, self.certificates = net, Certificates(folder / "certificates")
        self.listen = f"{net.server}:{free_sip_port(net.server)}"
        self._server, self._callee = self.certificates.issue("server", net.server), self.certificates.issue("callee", net.callee)

    def settings(self):
        certificate, key = self._server
        return f'[sip.tls]\nlisten = "{self.listen}"\ncertificate = "{certificate}"\nkey = "{key}"\nroots = "{self.certificates.roots}"\n'

    def doors(self, folder, callee_port):
        """One for the caller and one for the callee: a stunnel not yet started, the caller's address in clear, and the callee's port for TLS."""
        stunnel = Stunnel(folder)
        near, far = f"{self.net.caller}:{free_sip_port(self.net.caller)}", free_sip_port(self.net.callee)
        stunnel.out("caller", near, self.listen, self.net.caller, self.certificates.roots)
        stunnel.into("callee", f"{self.net.callee}:{far}", f"{self.net.callee}:{callee_port}", *self._callee)
        return stunnel, near, far


def sipp(server, row, side, local, port, *options, remote=None, service, seen_port=None):
    """SIPp with one side's steps. `seen_port`: what is in front of it takes TLS there."""
    name = f"interop-{service}-{side.name}"
    steps = server.folder / f"{name}.xml"
    text = side.xml()
    if seen_port:
        text = text.replace("[transport]", "TLS").replace("[local_port]", str(seen_port))
    steps.write_text(text)
    limits = ["-m", str(row.calls), "-timeout", f"{ROW_MAX_S}s", "-timeout_error"]
    return Sipp(server.folder / name, name, steps, local, port, *limits, *options, remote=remote, service=service)


def run(server, row, number, registrar_port, tls):
    """Plays one row. Yields its complaints: none, and it went as written."""
    net = server.net
    port = free_sip_port(net.callee) if row.caller else registrar_port
    caller_host = net.stranger if row.is_stranger else net.caller
    seen_port, caller_port, remote, caller_seen = None, free_sip_port(caller_host), server.sip, None
    callee = row.callee(f"sip:{number}@{net.callee}:{port}") if callable(row.callee) else row.callee
    transport = ["-t", "t1"] if row.over != "udp" else []
    with contextlib.ExitStack() as running:
        if row.over == "tls":
            stunnel, remote, seen_port = tls.doors(server.folder / f"stunnel-{number}", port)
            running.enter_context(stunnel)
            caller_seen = caller_port
        sides = [sipp(server, row, callee, net.callee, port, *transport, service=number, seen_port=seen_port)] if callee else []
        if row.target:
            target_port = free_sip_port(net.callee)
            server.serve_number(f"9{number}", target_port)
            sides.append(sipp(server, row, row.target, net.callee, target_port, service=f"9{number}"))
        if row.caller:
            server.serve_number(number, seen_port or port, over=row.over)
            time.sleep(0.3)
            options = row.options
            if row.phone:
                phone = sipp(server, row, row.phone, caller_host, caller_port, remote=remote, service=number)
                sides.append(phone)
                phone.wait(ROW_MAX_S)
                options = ("-auth_uri", f"{number}@{remote}", *options)
            sides.append(sipp(server, row, row.caller, caller_host, caller_port, *options, remote=remote, service=number, seen_port=caller_seen))
        codes = [(side, side.wait(ROW_MAX_S)) for side in sides]
    complaints = [f"{side.name} exit {code}: {side.complaint()}" for side, code in codes if code != 0]
    if not row.caller and server.metrics().get('tonewall_sip_trunk_registered{trunk="callee"}') != 1:
        complaints.append("the metric does not say that we are registered")
    return complaints


def trunk(net, folder, registrar_port):
    """The callee as a trunk with an account; registered at only if a port is named."""
    password = folder / "trunk-password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    register = f'register = "sip:{net.callee}:{registrar_port}"\nexpires = "60s"\n' if registrar_port else ""
    account = f'username = "{USER}"\nrealm = "{REALM}"\npassword_file = "{password}"\n{register}'
    rules = 'pass = ["User-to-User"]\nadd = { "X-Site" = "interop" }\n'
    return f'[[trunk]]\nname = "callee"\naddresses = ["{net.callee}"]\n{rules}{account}'


def main():
    raise_file_limit()
    report = Report()
    wanted = sys.argv[1:]
    rows = [row for row in groups() if not wanted or any(word in f"{row.group} {row.what}" for word in wanted)]
    net = Addresses()
    registrar_port = free_sip_port(net.callee) if any(row.what == REGISTERED for row in rows) else None
    with contextlib.ExitStack() as running:
        folder = pathlib.Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tonewall-interop-")))
        tls = Tls(net, folder)
        settings = tls.settings() + trunk(net, folder, registrar_port)
        server = running.enter_context(Server(net, "interop", digest="md5", ring_time="60s", one_port=True, settings=settings))
        server.add_agent(PHONE_PASSWORD)
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            results = pool.map(lambda item: run(server, item[1], str(7001 + item[0]), registrar_port, tls), enumerate(rows))
            for row, complaints in zip(rows, results):
                if not report.check(not complaints, f"{row.group:<12} {row.what}"):
                    print("      " + "\n      ".join(complaints))
        report.leaves_nothing(server, EMPTY_WITHIN_S)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
