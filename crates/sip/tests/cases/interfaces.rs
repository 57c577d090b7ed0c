//! Several interfaces of one stack, streams among them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::message::{Parsed, Request, parse};
use sip::sdp::LocalAudio;
use sip::{
    Command, Event, Flow, Interface, InterfaceId, LegId, NameAddr, Peer, Stack, StackConfig,
    Transmit, Transport,
};

use super::world::uri;

const UDP: u8 = 0;
const TCP: u8 = 1;
const TLS: u8 = 2;
const UDP6: u8 = 3;

const OURS: [(Transport, &str); 4] = [
    (Transport::Udp, "192.0.2.20:5060"),
    (Transport::Tcp, "192.0.2.20:5070"),
    (Transport::Tls, "198.51.100.1:5061"),
    (Transport::Udp, "[2001:db8::20]:5060"),
];

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 10000 RTP/AVP 0\r\n";

struct Bench {
    stack: Stack,
    now: Instant,
}

fn flow(remote: &str, place: u8) -> Flow {
    Flow {
        remote: remote.parse().unwrap(),
        transport: OURS[usize::from(place)].0,
        interface: InterfaceId(place),
    }
}

impl Bench {
    /// A stack with one interface of each kind, and one peer with an address of each family.
    fn new() -> Self {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mut config = StackConfig::new("bob", 1, [4; 32], address(OURS[0].1));
        let further = OURS.iter().skip(1).map(|(transport, text)| Interface {
            transport: *transport,
            advertised: address(text),
        });
        config.further = further.collect();
        let now = Instant::now();
        let mut stack = Stack::new(config, now);
        let peer = Peer {
            name: "pbx".to_owned(),
            addresses: vec![
                "192.0.2.10".parse().unwrap(),
                "2001:db8::10".parse().unwrap(),
            ],
            is_trusted: false,
            credentials: None,
        };
        let peers = vec![peer];
        stack.command(now, Command::SetPeers { peers }).unwrap();
        Self { stack, now }
    }

    fn take(&mut self, flow: Flow, text: &str) {
        self.stack.handle_datagram(self.now, flow, text.as_bytes());
    }

    fn sent(&mut self) -> Vec<Transmit> {
        std::iter::from_fn(|| self.stack.poll_transmit()).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.stack.poll_event()).collect()
    }

    /// We call the peer.
    fn call(&mut self, to: Flow) -> (LegId, Request) {
        let leg = self.stack.new_leg();
        let rtp = "192.0.2.20:10000".parse().unwrap();
        let invite = Command::Invite {
            leg,
            target: uri("sip:100@192.0.2.10"),
            to: None,
            from: NameAddr::new(uri("sip:bob@192.0.2.20")),
            flow: to,
            offer: Some(LocalAudio::new(rtp, 1).offer()),
            max_forwards: None,
            headers: Vec::new(),
            credentials: None,
        };
        self.stack.command(self.now, invite).unwrap();
        let sent = self.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].flow, to);
        (leg, request(&sent[0]))
    }

    /// The peer calls us over a flow, and is answered and acknowledged.
    fn answered(&mut self, from: Flow, contact: &str) -> (LegId, String) {
        let via = from.transport.as_str();
        self.take(from, &hand("INVITE", "", via, contact, 1));
        let Some(Event::Incoming(incoming)) = self.events().pop() else {
            panic!("no call came in");
        };
        let rtp = "192.0.2.20:10000".parse().unwrap();
        let answer = Command::Answer {
            leg: incoming.leg,
            answer: LocalAudio::new(rtp, 1).offer(),
        };
        self.stack.command(self.now, answer).unwrap();
        let ok = self.sent().pop().unwrap();
        assert_eq!(ok.flow, from);
        let text = String::from_utf8(ok.wire.as_bytes().to_vec()).unwrap();
        let Parsed::Response(response) = parse(text.as_bytes()) else {
            panic!("{text}");
        };
        let tag = response.headers.to().unwrap().tag().unwrap().to_owned();
        self.take(from, &hand("ACK", &format!(";tag={tag}"), via, contact, 1));
        (incoming.leg, text)
    }

    /// Where our BYE of a leg goes.
    fn bye(&mut self, leg: LegId) -> Flow {
        let hang_up = Command::Hangup { leg, reason: None };
        self.stack.command(self.now, hang_up).unwrap();
        let sent = self.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(request(&sent[0]).method.as_str(), "BYE");
        sent[0].flow
    }
}

fn request(transmit: &Transmit) -> Request {
    assert!(transmit.is_request());
    match parse(transmit.wire.as_bytes()) {
        Parsed::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

fn hand(method: &str, to_tag: &str, via: &str, contact: &str, number: u32) -> String {
    let (kind, body) = match method {
        "INVITE" => ("Content-Type: application/sdp\r\n", OFFER),
        _ => ("", ""),
    };
    let length = body.len();
    format!(
        "{method} sip:100@192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/{via} 192.0.2.10;branch=z9hG4bKhand-{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.10>;tag=hand\r\nTo: <sip:100@192.0.2.20>{to_tag}\r\nCall-ID: hand\r\n\
         CSeq: {number} {method}\r\nContact: <{contact}>\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    )
}

fn field(request: &Request, name: sip::HeaderName) -> String {
    let value = request.headers.first(&name).unwrap();
    String::from_utf8(value.to_vec()).unwrap()
}

#[test]
fn each_interface_names_itself() {
    for (place, via, contact) in [
        (UDP, "SIP/2.0/UDP 192.0.2.20:5060;", "@192.0.2.20:5060>"),
        (
            TCP,
            "SIP/2.0/TCP 192.0.2.20:5070;",
            "@192.0.2.20:5070;transport=tcp>",
        ),
        (
            TLS,
            "SIP/2.0/TLS 198.51.100.1:5061;",
            "@198.51.100.1:5061;transport=tls>",
        ),
        (
            UDP6,
            "SIP/2.0/UDP [2001:db8::20]:5060;",
            "@[2001:db8::20]:5060>",
        ),
    ] {
        let mut bench = Bench::new();
        let remote = if place == UDP6 {
            "[2001:db8::10]:5060"
        } else {
            "192.0.2.10:5060"
        };
        let (_, invite) = bench.call(flow(remote, place));
        let top = field(&invite, sip::HeaderName::VIA);
        assert!(top.starts_with(via), "{top}");
        let ours = field(&invite, sip::HeaderName::CONTACT);
        assert!(ours.ends_with(contact), "{ours}");
        let mut bench = Bench::new();
        let (_, ok) = bench.answered(flow(remote, place), "sip:a@192.0.2.10");
        let line = ok.lines().find(|line| line.starts_with("Contact:"));
        assert!(line.unwrap().ends_with(contact), "{ok}");
    }
}

#[test]
fn an_answer_counts_if_it_names_the_interface_that_asked() {
    let mut bench = Bench::new();
    let (leg, invite) = bench.call(flow("192.0.2.10:5060", TCP));
    let answer = |sent_by: &str| {
        let via = field(&invite, sip::HeaderName::VIA).replace("192.0.2.20:5070", sent_by);
        let id = field(&invite, sip::HeaderName::CALL_ID);
        let from = field(&invite, sip::HeaderName::FROM);
        format!(
            "SIP/2.0 486 Busy Here\r\nVia: {via}\r\nFrom: {from}\r\nTo: <sip:100@192.0.2.10>;tag=x\r\nCall-ID: {id}\r\n\
             CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let from = flow("192.0.2.10:5060", TCP);
    for other in ["192.0.2.20:5060", "198.51.100.1:5061"] {
        bench.take(from, &answer(other));
        assert_eq!(bench.events(), []);
    }
    assert_eq!(bench.stack.counters().strays, 2);
    bench.take(from, &answer("192.0.2.20:5070"));
    let events = bench.events();
    assert!(
        matches!(&events[..], [Event::Failed { leg: failed, status, .. }] if *failed == leg && status.code() == 486),
        "{events:?}"
    );
}

#[test]
fn a_call_whose_connection_is_lost_fails_at_once() {
    let mut bench = Bench::new();
    let to = flow("192.0.2.10:5060", TCP);
    let (leg, _) = bench.call(to);
    bench
        .stack
        .handle_lost(bench.now, flow("192.0.2.10:5060", TLS));
    assert_eq!(bench.events(), [], "another's loss");
    bench.stack.handle_lost(bench.now, to);
    let events = bench.events();
    assert!(
        matches!(&events[..], [Event::Failed { leg: failed, status, .. }] if *failed == leg && status.code() == 503),
        "{events:?}"
    );
    assert_eq!(bench.stack.counters().client_transactions, 0);
    bench
        .stack
        .handle_timeout(bench.now + Duration::from_secs(300));
    assert_eq!(bench.stack.counters().timers, 0);
}

#[test]
fn a_change_whose_connection_is_lost_leaves_the_call_up() {
    let mut bench = Bench::new();
    let from = flow("192.0.2.10:40123", TCP);
    let (leg, _) = bench.answered(from, "sip:a@192.0.2.10:5062;transport=tcp");
    let rtp = "192.0.2.20:10000".parse().unwrap();
    let offer = LocalAudio::new(rtp, 1).offer();
    let ask = |offer| Command::Reinvite { leg, offer };
    bench.events();
    bench.stack.command(bench.now, ask(offer.clone())).unwrap();
    assert_eq!(bench.sent()[0].flow, from);
    bench.stack.handle_lost(bench.now, from);
    let events = bench.events();
    assert!(
        matches!(&events[..], [Event::OfferFailed { status, .. }] if status.code() == 503),
        "{events:?}"
    );
    bench.stack.command(bench.now, ask(offer)).unwrap();
    assert_eq!(bench.sent()[0].flow, flow("192.0.2.10:5062", TCP));
}

#[test]
fn a_call_goes_over_the_connection_it_came_by_and_then_to_its_contact() {
    for lost in [false, true] {
        let mut bench = Bench::new();
        let from = flow("192.0.2.10:40123", TCP);
        let (leg, _) = bench.answered(from, "sip:a@192.0.2.10;transport=tcp");
        if lost {
            bench.stack.handle_lost(bench.now, from);
        }
        let expected = if lost {
            flow("192.0.2.10:5060", TCP)
        } else {
            from
        };
        assert_eq!(bench.bye(leg), expected);
    }
}

#[test]
fn a_contact_may_name_another_transport_that_we_have_but_never_a_clear_one_after_tls() {
    for (place, contact, expected) in [
        (
            UDP,
            "sip:a@192.0.2.10;transport=tcp",
            flow("192.0.2.10:5060", TCP),
        ),
        (
            UDP,
            "sip:a@192.0.2.10;transport=tls",
            flow("192.0.2.10:5061", TLS),
        ),
        (UDP, "sips:a@192.0.2.10", flow("192.0.2.10:5061", TLS)),
        (
            UDP,
            "sip:a@192.0.2.10;transport=sctp",
            flow("192.0.2.10:40123", UDP),
        ),
        (
            UDP,
            "sip:a@[2001:db8::10];transport=tcp",
            flow("192.0.2.10:40123", UDP),
        ),
        (
            UDP,
            "sip:a@203.0.113.1;transport=tcp",
            flow("192.0.2.10:40123", UDP),
        ),
        (
            TLS,
            "sip:a@192.0.2.10;transport=udp",
            flow("192.0.2.10:40123", TLS),
        ),
        (
            TLS,
            "sip:a@192.0.2.10;transport=tls",
            flow("192.0.2.10:5061", TLS),
        ),
    ] {
        let mut bench = Bench::new();
        let from = flow("192.0.2.10:40123", place);
        let (leg, _) = bench.answered(from, contact);
        bench.stack.handle_lost(bench.now, from);
        assert_eq!(bench.bye(leg), expected, "{contact}");
    }
}
