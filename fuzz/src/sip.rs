//! SIP: what one message is read as, and what a stack makes of several.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use sip::message::{HeaderMap, HeaderName, Parsed, parse};
use sip::{Command, Event, Flow, Peer, Stack, StackConfig, Status};

/// Stands between two messages of an input: no UTF-8 has it.
const BETWEEN: u8 = 0xFE;

/// Messages of an input that are heard.
const MESSAGES_MAX: usize = 16;

/// What one message may cause at once: an answer, a refusal of each transaction and leg that it ends, an ACK.
const SENT_MAX: usize = 64;

const OURS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), 5060);
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), 5060);

/// What is read is written and reads the same; all that a stack sends can be read; and nobody gets more out of it than they could use.
pub fn run(data: &[u8]) {
    let messages = data.split(|byte| *byte == BETWEEN).take(MESSAGES_MAX);
    let mut now = Instant::now();
    let mut stack = Stack::new(StackConfig::new("fuzz", 1, [7; 32], OURS), now);
    let peer = Peer {
        name: "peer".to_owned(),
        addresses: vec![PEER.ip()],
        is_trusted: true,
        credentials: None,
    };
    let peers = vec![peer];
    assert!(stack.command(now, Command::SetPeers { peers }).is_ok());
    for (count, message) in messages.enumerate() {
        comes_back(message);
        let remote = if count % 4 == 3 { STRANGER } else { PEER };
        stack.handle_datagram(now, Flow::udp(remote), message);
        let takes = message.len() % 2 == 0;
        while let Some(event) = stack.poll_event() {
            if let Event::Incoming(incoming) = event {
                let leg = incoming.leg;
                let command = match incoming.offer.filter(|_| takes) {
                    Some(answer) => Command::Answer { leg, answer },
                    None => Command::Reject {
                        leg,
                        status: Status::BUSY_HERE,
                        reason: None,
                    },
                };
                let _given_up_meanwhile = stack.command(now, command);
            }
        }
        assert!(sent(&mut stack) <= SENT_MAX);
        now += Duration::from_millis(700);
        stack.handle_timeout(now);
        assert!(sent(&mut stack) <= SENT_MAX * MESSAGES_MAX);
    }
}

fn sent(stack: &mut Stack) -> usize {
    let mut count = 0;
    while let Some(transmit) = stack.poll_transmit() {
        let parsed = parse(transmit.wire.as_bytes());
        assert!(
            matches!(parsed, Parsed::Request(_) | Parsed::Response(_)),
            "sent what cannot be read"
        );
        count += 1;
    }
    count
}

fn without_length(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(&HeaderName::CONTENT_LENGTH);
    headers
}

fn comes_back(message: &[u8]) {
    let wire = match parse(message) {
        Parsed::Request(request) => {
            let wire = request.to_wire();
            let Parsed::Request(again) = parse(wire.as_bytes()) else {
                panic!("a request that was written is none");
            };
            assert_eq!((&again.method, &again.uri), (&request.method, &request.uri));
            assert!(without_length(again.headers) == without_length(request.headers));
            assert!(again.body == request.body);
            wire
        }
        Parsed::Response(response) => {
            let wire = response.to_wire();
            let Parsed::Response(again) = parse(wire.as_bytes()) else {
                panic!("a response that was written is none");
            };
            assert_eq!(again.status, response.status);
            assert!(without_length(again.headers) == without_length(response.headers));
            assert!(again.body == response.body);
            wire
        }
        Parsed::Refused(_) | Parsed::KeepAlive | Parsed::Garbage => return,
    };
    // No value has brought a line of its own.
    let lines = wire.as_bytes().iter().filter(|byte| **byte == b'\r');
    assert!(lines.count() <= message.len() + 4);
}
