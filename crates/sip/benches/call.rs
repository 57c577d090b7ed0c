//! What a call costs the pure stack: a B2BUA without sockets, media or threads, at a steady rate on a virtual clock, so that all it keeps for timers lies in memory as
//! on a server. One JSON line; `make bench-sip` measures the program.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use sip::message::{HeaderName, Parsed, Request, parse};
use sip::sdp::Session;
use sip::{Command, Event, Flow, LegId, Peer, Stack, StackConfig, Status, Uri};

const CALLER: &str = "192.0.2.10:5060";
const US: &str = "192.0.2.20:5060";
const CALLEE: &str = "192.0.2.30:5060";

/// Calls a second of the virtual clock: the rate at which the program is measured.
const RATE: u32 = 200;

/// Before anything is counted: longer than what a transaction is kept (RFC 3261: timers D, H and J, 32 s).
const WARM_UP_CALLS: u32 = 40 * RATE;

const CALLS: u32 = 60 * RATE;

/// Each hangs up after half a second.
const TALK_STEPS: u32 = RATE / 2;

/// The stack between its two peers, and the call of each leg.
struct Site {
    stack: Stack,
    now: Instant,
    spent: Duration,
    allocated: AllocationInfo,
    sent: VecDeque<(SocketAddr, Vec<u8>)>,
    other: HashMap<LegId, LegId>,
    ended: u32,
}

impl Site {
    fn new() -> Self {
        let now = Instant::now();
        let peer = |address: &str| Peer {
            name: address.to_owned(),
            addresses: vec![at(address).ip()],
            is_trusted: true,
            credentials: None,
        };
        let mut stack = Stack::new(StackConfig::new("bench", 1, [7; 32], at(US)), now);
        let peers = vec![peer(CALLER), peer(CALLEE)];
        stack
            .command(now, Command::SetPeers { peers })
            .expect("peers");
        Self {
            stack,
            now,
            spent: Duration::ZERO,
            allocated: AllocationInfo::default(),
            sent: VecDeque::new(),
            other: HashMap::new(),
            ended: 0,
        }
    }

    /// Runs the stack, counted.
    fn run<T>(&mut self, step: impl FnOnce(&mut Stack, Instant) -> T) -> T {
        let mut result = None;
        let began = Instant::now();
        let counted = measure(|| result = Some(step(&mut self.stack, self.now)));
        self.spent += began.elapsed();
        self.allocated += counted;
        result.expect("the step has run")
    }

    fn hear(&mut self, from: &str, text: &str) {
        let flow = Flow::udp(at(from));
        self.run(|stack, now| stack.handle_datagram(now, flow, text.as_bytes()));
        while let Some(event) = self.run(|stack, _| stack.poll_event()) {
            self.obey(event);
        }
        while let Some(sent) = self.run(|stack, _| stack.poll_transmit()) {
            self.sent
                .push_back((sent.flow.remote, sent.wire.as_bytes().to_vec()));
        }
    }

    fn command(&mut self, command: Command) {
        let done = self.run(|stack, now| stack.command(now, command));
        done.expect("a command that fits");
    }

    fn obey(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => {
                let leg = self.stack.new_leg();
                self.other.insert(leg, incoming.leg);
                self.other.insert(incoming.leg, leg);
                self.command(Command::Invite {
                    leg,
                    target: Uri::parse(b"sip:7000@192.0.2.30").expect("a URI"),
                    to: None,
                    from: incoming.from,
                    flow: Flow::udp(at(CALLEE)),
                    offer: incoming.offer,
                    max_forwards: Some(incoming.max_forwards - 1),
                    headers: Vec::new(),
                    credentials: None,
                });
            }
            Event::Progress {
                leg,
                status,
                answer,
            } => {
                let leg = self.other[&leg];
                self.command(Command::Provisional {
                    leg,
                    status,
                    answer,
                });
            }
            Event::Answered { leg, answer, .. } => {
                let leg = self.other[&leg];
                let answer = answer.expect("an answer");
                self.command(Command::Answer { leg, answer });
            }
            Event::Ended { leg, .. } => {
                let other = self.other.remove(&leg);
                if let Some(leg) = other.filter(|leg| self.other.contains_key(leg)) {
                    self.command(Command::Hangup { leg, reason: None });
                    self.other.remove(&leg);
                    self.ended += 1;
                }
            }
            Event::Confirmed { .. } => {}
            other => unreachable!("{other:?}"),
        }
    }

    /// Takes out what was sent to a peer.
    fn received(&mut self, by: &str) -> Vec<String> {
        let mut mine = Vec::new();
        self.sent.retain(|(to, wire)| {
            let is_mine = *to == at(by);
            if is_mine {
                mine.push(String::from_utf8_lossy(wire).into_owned());
            }
            !is_mine
        });
        mine
    }

    /// Answers what has come to the called phone.
    fn callee_answers(&mut self) {
        for text in self.received(CALLEE) {
            let Parsed::Request(request) = parse(text.as_bytes()) else {
                continue;
            };
            match request.method.as_str() {
                "INVITE" => {
                    for (status, body) in [
                        ("100 Trying", false),
                        ("180 Ringing", false),
                        ("200 OK", true),
                    ] {
                        let answer = answer(&request, status, body);
                        self.hear(CALLEE, &answer);
                    }
                }
                "BYE" => {
                    let answer = answer(&request, "200 OK", false);
                    self.hear(CALLEE, &answer);
                }
                _ => {}
            }
        }
    }

    fn let_pass(&mut self, time: Duration) {
        self.now += time;
        self.run(|stack, now| stack.handle_timeout(now));
    }
}

fn at(address: &str) -> SocketAddr {
    address.parse().expect("an address")
}

fn description(address: &str) -> String {
    let text = format!(
        "v=0\r\no=- 7 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
    );
    assert!(Session::parse(text.as_bytes()).is_ok());
    text
}

fn answer(request: &Request, status: &str, with_body: bool) -> String {
    let field = |name: HeaderName| {
        let value = request.headers.text(&name).expect("a field");
        format!("{name}: {value}\r\n")
    };
    let to = request.headers.text(&HeaderName::TO).expect("To");
    let tag = if to.contains(";tag=") {
        ""
    } else {
        ";tag=callee"
    };
    let (body, kind) = match with_body {
        true => (
            description("192.0.2.30"),
            "Content-Type: application/sdp\r\n",
        ),
        false => (String::new(), ""),
    };
    let copied = [
        HeaderName::VIA,
        HeaderName::FROM,
        HeaderName::CALL_ID,
        HeaderName::CSEQ,
    ]
    .map(field)
    .concat();
    let length = body.len();
    format!(
        "SIP/2.0 {status}\r\n{copied}To: {to}{tag}\r\nContact: <sip:callee@{CALLEE};transport=UDP>\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A request of the calling phone.
fn request(number: u32, method: &str, to_tag: &str, target: &str, cseq: u32, body: &str) -> String {
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    let length = body.len();
    format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};branch=z9hG4bK-1-{number}-{method}\r\nFrom: <sip:15550100{number}@{CALLER}>;tag=1c{number}\r\n\
         To: <sip:7000@{US}>{to_tag}\r\nCall-ID: {number}-1@192.0.2.10\r\nCSeq: {cseq} {method}\r\nContact: <sip:caller@{CALLER};transport=UDP>\r\nMax-Forwards: 70\r\n\
         {kind}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A call that is up: what its caller has to write into its requests.
struct Up {
    number: u32,
    to_tag: String,
    target: String,
}

fn begin(site: &mut Site, number: u32) -> Up {
    let invite = request(
        number,
        "INVITE",
        "",
        "sip:7000@192.0.2.20",
        1,
        &description("192.0.2.10"),
    );
    site.hear(CALLER, &invite);
    site.callee_answers();
    let heard = site.received(CALLER);
    let answered = heard.iter().find_map(|text| match parse(text.as_bytes()) {
        Parsed::Response(response) if response.status == Status::OK => Some(response),
        _ => None,
    });
    let headers = answered.expect("a 200").headers;
    let to_tag = headers
        .to()
        .ok()
        .and_then(|to| Some(format!(";tag={}", to.tag()?)));
    let contact = headers.text(&HeaderName::CONTACT).expect("Contact");
    let target = contact.trim_matches(['<', '>']).to_owned();
    let to_tag = to_tag.expect("a tag");
    let ack = request(number, "ACK", &to_tag, &target, 1, "");
    site.hear(CALLER, &ack);
    Up {
        number,
        to_tag,
        target,
    }
}

fn end(site: &mut Site, up: &Up) {
    let bye = request(up.number, "BYE", &up.to_tag, &up.target, 2, "");
    site.hear(CALLER, &bye);
    site.callee_answers();
    site.received(CALLER);
}

fn main() {
    let mut site = Site::new();
    let mut up: VecDeque<Up> = VecDeque::new();
    for number in 0..WARM_UP_CALLS + CALLS {
        if number == WARM_UP_CALLS {
            site.spent = Duration::ZERO;
            site.allocated = AllocationInfo::default();
        }
        let begun = begin(&mut site, number);
        up.push_back(begun);
        if number >= TALK_STEPS {
            let over = up.pop_front().expect("one is up");
            end(&mut site, &over);
        }
        site.let_pass(Duration::from_secs(1) / RATE);
    }
    let kept = site.stack.counters();
    let (allocations, bytes) = (site.allocated.count_total, site.allocated.bytes_total);
    assert_eq!(site.ended, WARM_UP_CALLS + CALLS - TALK_STEPS);
    println!(
        "{{\"calls\": {CALLS}, \"microseconds_per_call\": {:.1}, \"allocations_per_call\": {:.1}, \"bytes_per_call\": {}, \"transactions_kept\": {}}}",
        site.spent.as_secs_f64() * 1e6 / f64::from(CALLS),
        allocations as f64 / f64::from(CALLS),
        bytes / u64::from(CALLS),
        kept.server_transactions + kept.client_transactions,
    );
}
