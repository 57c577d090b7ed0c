//! Two stacks, a network between them and one clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::digest::Ha1;
use sip::message::{HeaderName, Parsed, Request, Response, parse};
use sip::sdp::{LocalAudio, Session};
use sip::{
    Command, Credentials, Event, Flow, Incoming, LegId, NameAddr, Peer, PhoneAccount, Stack,
    StackConfig, Status, Transmit, Uri,
};

/// One-way delay of the network.
const DELAY: Duration = Duration::from_millis(10);

/// Steps of one run: more means that two stacks answer each other without end.
const STEPS_MAX: usize = 2_000_000;

pub(crate) const ALICE: &str = "192.0.2.10:5060";
pub(crate) const BOB: &str = "192.0.2.20:5060";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Alice,
    Bob,
}

impl Who {
    pub(crate) fn address(self) -> SocketAddr {
        match self {
            Self::Alice => ALICE,
            Self::Bob => BOB,
        }
        .parse()
        .unwrap()
    }

    fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// A datagram as the network saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) from: Who,
    pub(crate) lost: bool,
    pub(crate) text: String,
}

impl Seen {
    /// `INVITE`, or `200 INVITE`; `keep-alive` for the rest.
    pub(crate) fn label(&self) -> String {
        match parse(self.text.as_bytes()) {
            Parsed::Request(request) => request.method.to_string(),
            Parsed::Response(response) => format!(
                "{} {}",
                response.status,
                response.headers.cseq().unwrap().method
            ),
            _ => "keep-alive".to_owned(),
        }
    }
}

type Judge = Box<dyn FnMut(Who, &str) -> bool>;

pub(crate) struct World {
    pub(crate) alice: Stack,
    pub(crate) bob: Stack,
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    in_flight: Vec<(Instant, Who, Vec<u8>)>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) events: Vec<(Who, Event)>,
    /// Says which datagrams the network loses, by sender and label.
    lose: Judge,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// Two stacks whose far sides may have calls go elsewhere.
    pub(crate) fn with_transfers() -> Self {
        Self::with(|config| config.takes_transfers = true)
    }

    fn with(change: impl Fn(&mut StackConfig)) -> Self {
        let start = Instant::now();
        let stack = |node: &str, who: Who, seed: u8| {
            let mut config = StackConfig::new(node, 1, [seed; 32], who.address());
            change(&mut config);
            Stack::new(config, start)
        };
        let mut world = Self {
            alice: stack("alice", Who::Alice, 1),
            bob: stack("bob", Who::Bob, 2),
            start,
            now: start,
            in_flight: Vec::new(),
            seen: Vec::new(),
            events: Vec::new(),
            lose: Box::new(|_, _| false),
        };
        for who in [Who::Alice, Who::Bob] {
            let name = format!("{:?}", who.other());
            let peer = Peer {
                name,
                addresses: vec![who.other().address().ip()],
                is_trusted: true,
                credentials: None,
            };
            world.command(who, Command::SetPeers { peers: vec![peer] });
        }
        world
    }

    pub(crate) fn lose(&mut self, judge: impl FnMut(Who, &str) -> bool + 'static) {
        self.lose = Box::new(judge);
    }

    /// Loses the first `count` datagrams of this sender and label.
    pub(crate) fn lose_first(&mut self, sender: Who, label: &'static str, mut count: usize) {
        self.lose(move |who, seen| {
            let hit = who == sender && seen == label && count > 0;
            count -= usize::from(hit);
            hit
        });
    }

    pub(crate) fn stack(&mut self, who: Who) -> &mut Stack {
        match who {
            Who::Alice => &mut self.alice,
            Who::Bob => &mut self.bob,
        }
    }

    pub(crate) fn try_command(
        &mut self,
        who: Who,
        command: Command,
    ) -> Result<(), sip::CommandError> {
        let now = self.now;
        let result = self.stack(who).command(now, command);
        self.drain(who);
        result
    }

    pub(crate) fn command(&mut self, who: Who, command: Command) {
        self.try_command(who, command).unwrap();
    }

    fn drain(&mut self, who: Who) {
        while let Some(Transmit { flow, wire }) = self.stack(who).poll_transmit() {
            let text = String::from_utf8_lossy(wire.as_bytes()).into_owned();
            let mut seen = Seen {
                at: self.now - self.start,
                from: who,
                lost: false,
                text,
            };
            let to = who.other();
            seen.lost = flow.remote != to.address() || (self.lose)(who, &seen.label());
            if !seen.lost {
                self.in_flight
                    .push((self.now + DELAY, to, wire.as_bytes().to_vec()));
            }
            self.seen.push(seen);
        }
        while let Some(event) = self.stack(who).poll_event() {
            self.events.push((who, event));
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..STEPS_MAX {
            let arrival = self.in_flight.iter().map(|(at, ..)| *at).min();
            let times = [arrival, self.alice.next_timeout(), self.bob.next_timeout()];
            let Some(next) = times.into_iter().flatten().min().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.deliver();
            for who in [Who::Alice, Who::Bob] {
                let now = self.now;
                self.stack(who).handle_timeout(now);
                self.drain(who);
            }
        }
        panic!("no end of messages");
    }

    pub(crate) fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, rest): (Vec<_>, Vec<_>) =
            self.in_flight.drain(..).partition(|(at, ..)| *at <= now);
        self.in_flight = rest;
        for (_, to, bytes) in due {
            let flow = Flow::udp(to.other().address());
            self.stack(to).handle_datagram(now, flow, &bytes);
            self.drain(to);
        }
    }

    /// Puts a hand-written datagram of the other side in front of a stack.
    pub(crate) fn inject(&mut self, to: Who, text: &str) {
        self.inject_from(to, to.other().address(), text.as_bytes());
    }

    pub(crate) fn inject_from(&mut self, to: Who, source: SocketAddr, bytes: &[u8]) {
        let now = self.now;
        self.stack(to)
            .handle_datagram(now, Flow::udp(source), bytes);
        self.drain(to);
    }

    /// Labels of what was sent, with the sender's initial, in order; lost ones in brackets.
    pub(crate) fn labels(&self) -> Vec<String> {
        let label = |seen: &Seen| {
            let label = format!("{} {}", &format!("{:?}", seen.from)[..1], seen.label());
            if seen.lost {
                format!("({label})")
            } else {
                label
            }
        };
        self.seen.iter().map(label).collect()
    }

    /// Seconds at which this sender sent datagrams of this label.
    pub(crate) fn times(&self, sender: Who, label: &str) -> Vec<f64> {
        let hits = self
            .seen
            .iter()
            .filter(|seen| seen.from == sender && seen.label() == label);
        hits.map(|seen| seen.at.as_secs_f64()).collect()
    }

    pub(crate) fn count(&self, sender: Who, label: &str) -> usize {
        self.times(sender, label).len()
    }

    pub(crate) fn last_text(&self, sender: Who, label: &str) -> String {
        self.seen
            .iter()
            .rev()
            .find(|seen| seen.from == sender && seen.label() == label)
            .expect("was sent")
            .text
            .clone()
    }

    pub(crate) fn last_request(&self, sender: Who, label: &str) -> Request {
        match parse(self.last_text(sender, label).as_bytes()) {
            Parsed::Request(request) => request,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn last_response(&self, sender: Who, label: &str) -> Response {
        match parse(self.last_text(sender, label).as_bytes()) {
            Parsed::Response(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// Events of one side, taken out.
    pub(crate) fn take_events(&mut self, who: Who) -> Vec<Event> {
        let (taken, rest): (Vec<_>, Vec<_>) =
            self.events.drain(..).partition(|(side, _)| *side == who);
        self.events = rest;
        taken.into_iter().map(|(_, event)| event).collect()
    }

    pub(crate) fn take_event(&mut self, who: Who) -> Event {
        let mut events = self.take_events(who);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    pub(crate) fn take_incoming(&mut self, who: Who) -> Incoming {
        match self.take_event(who) {
            Event::Incoming(incoming) => *incoming,
            other => panic!("{other:?}"),
        }
    }

    /// Alice calls Bob with an offer.
    pub(crate) fn invite(&mut self) -> LegId {
        self.invite_with(Some(offer(Who::Alice)), None)
    }

    pub(crate) fn invite_with(
        &mut self,
        offer: Option<Session>,
        credentials: Option<Credentials>,
    ) -> LegId {
        let leg = self.alice.new_leg();
        self.command(Who::Alice, invite_command(leg, offer, credentials));
        leg
    }

    /// Alice calls Bob, who answers: both legs.
    pub(crate) fn talk(&mut self) -> (LegId, LegId) {
        let alice = self.invite();
        self.run_ms(50);
        let bob = self.take_incoming(Who::Bob).leg;
        self.command(
            Who::Bob,
            Command::Answer {
                leg: bob,
                answer: offer(Who::Bob),
            },
        );
        self.run_ms(100);
        assert!(matches!(
            self.take_event(Who::Alice),
            Event::Answered {
                answer: Some(_),
                ..
            }
        ));
        assert_eq!(
            self.take_event(Who::Bob),
            Event::Confirmed {
                leg: bob,
                answer: None
            }
        );
        self.seen.clear();
        (alice, bob)
    }

    /// Nothing is left in any table once the last timer ran out.
    pub(crate) fn assert_clean(&mut self) {
        self.run(Duration::from_secs(200));
        for who in [Who::Alice, Who::Bob] {
            let counters = self.stack(who).counters();
            let left = (
                counters.legs,
                counters.client_transactions,
                counters.server_transactions,
                counters.timers,
            );
            assert_eq!(left, (0, 0, 0, 0), "{who:?} {:?}", self.labels());
        }
    }
}

/// A hand-written response to a request that was seen, with this `To` tag and further lines.
pub(crate) fn reply(request: &Request, code: u16, tag: &str, lines: &str) -> String {
    let mut text = format!("SIP/2.0 {code} X\r\n");
    for name in [
        HeaderName::VIA,
        HeaderName::FROM,
        HeaderName::CALL_ID,
        HeaderName::CSEQ,
    ] {
        text.push_str(&format!(
            "{name}: {}\r\n",
            request.headers.text(&name).unwrap()
        ));
    }
    let to = request.headers.to().unwrap();
    let to = if to.tag().is_some() || tag.is_empty() {
        to
    } else {
        to.with_tag(tag)
    };
    let (lines, body) = lines.split_once("\r\n\r\n").unwrap_or((lines, ""));
    let lines = if lines.is_empty() {
        String::new()
    } else {
        format!("{lines}\r\n")
    };
    text.push_str(&format!(
        "To: {to}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    text
}

/// Contact and session of a hand-written 2xx of Bob.
pub(crate) fn accepted_lines() -> String {
    format!(
        "Contact: <sip:b@192.0.2.20>\r\nContent-Type: application/sdp\r\n\r\n{}",
        offer(Who::Bob)
    )
}

/// A hand-written request of Alice to Bob outside of any dialog.
pub(crate) fn request(method: &str, lines: &str) -> String {
    format!(
        "{method} sip:100@192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKhand-{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@192.0.2.10>;tag=hand\r\nTo: <sip:100@192.0.2.20>\r\nCall-ID: hand\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:a@192.0.2.10>\r\n{lines}Content-Length: 0\r\n\r\n"
    )
}

pub(crate) fn invite_command(
    leg: LegId,
    offer: Option<Session>,
    credentials: Option<Credentials>,
) -> Command {
    Command::Invite {
        leg,
        target: uri("sip:100@192.0.2.20"),
        to: None,
        from: NameAddr::new(uri("sip:alice@192.0.2.10")),
        flow: Flow::udp(Who::Bob.address()),
        offer,
        max_forwards: None,
        headers: Vec::new(),
        credentials,
    }
}

pub(crate) fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

pub(crate) fn status(code: u16) -> Status {
    Status::new(code).unwrap()
}

pub(crate) fn offer(who: Who) -> Session {
    audio(who, 1).offer()
}

/// A session of this side in this version.
pub(crate) fn audio(who: Who, version: u64) -> LocalAudio {
    let rtp = SocketAddr::new(who.address().ip(), 10_000);
    LocalAudio {
        version,
        ..LocalAudio::new(rtp, 1)
    }
}

pub(crate) fn ha1(user: &str, password: &str) -> Ha1 {
    Ha1::derive(
        user,
        "tonewall",
        &secret::SecretText::new(password.to_owned()),
    )
}

pub(crate) fn account(user: &str, password: &str) -> PhoneAccount {
    PhoneAccount {
        user: user.to_owned(),
        ha1: ha1(user, password),
    }
}

pub(crate) fn credentials(user: &str, password: &str) -> Credentials {
    Credentials {
        user: user.to_owned(),
        realm: "tonewall".to_owned(),
        ha1: ha1(user, password),
    }
}
