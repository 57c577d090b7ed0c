//! Who is let in, and how much.

use std::time::{Duration, Instant};

use sip::message::{HeaderName, Parsed, parse};
use sip::{Command, Event, Flow, Limits, Peer, Stack, StackConfig};

use super::world::{Who, World, offer, request, uri};

/// A stack with one peer, `192.0.2.10`.
fn stack(limits: Limits, now: Instant) -> Stack {
    let config = StackConfig {
        limits,
        ..StackConfig::new("n1", 1, [5; 32], Who::Bob.address())
    };
    let mut stack = Stack::new(config, now);
    let peer = Peer {
        name: "sbc".to_owned(),
        addresses: vec![Who::Alice.address().ip()],
        is_trusted: false,
        credentials: None,
    };
    stack
        .command(now, Command::SetPeers { peers: vec![peer] })
        .unwrap();
    stack
}

/// A call of its own number.
fn call(number: usize) -> String {
    let text = request(
        "INVITE",
        &format!("Content-Type: application/sdp\r\n\r\n{}", offer(Who::Alice)),
    );
    let text = text
        .replace("hand-", &format!("{number}-"))
        .replace("Call-ID: hand", &format!("Call-ID: {number}"));
    text.replace("\r\nContent-Length: 0\r\n\r\n", "")
}

/// Final answers, and whether each bears this field.
fn answers(stack: &mut Stack, field: &HeaderName) -> Vec<(u16, bool)> {
    let responses =
        std::iter::from_fn(|| stack.poll_transmit()).filter_map(|transmit| {
            match parse(transmit.wire.as_bytes()) {
                Parsed::Response(response) => {
                    Some((response.status.code(), response.headers.contains(field)))
                }
                _ => None,
            }
        });
    responses.filter(|(code, _)| *code >= 200).collect()
}

fn events(stack: &mut Stack) -> Vec<Event> {
    std::iter::from_fn(|| stack.poll_event()).collect()
}

#[test]
fn calls_beyond_a_bound_get_503_and_a_time_to_wait() {
    let now = Instant::now();
    let bounds = [
        Limits {
            legs_max: 3,
            ..Limits::default()
        },
        Limits {
            transactions_max: 3,
            ..Limits::default()
        },
        Limits {
            new_invites_per_second: 3,
            ..Limits::default()
        },
    ];
    for limits in bounds {
        let mut stack = stack(limits, now);
        for number in 0..5 {
            stack.handle_datagram(
                now,
                Flow::udp(Who::Alice.address()),
                call(number).as_bytes(),
            );
        }
        assert_eq!(events(&mut stack).len(), 3, "{limits:?}");
        assert_eq!(
            answers(&mut stack, &HeaderName::RETRY_AFTER),
            [(503, true), (503, true)]
        );
        assert_eq!((stack.counters().legs, stack.counters().shed), (3, 2));
    }
}

#[test]
fn admission_recovers_with_time() {
    let now = Instant::now();
    let mut stack = stack(
        Limits {
            new_invites_per_second: 10,
            ..Limits::default()
        },
        now,
    );
    for number in 0..100 {
        let at = now + Duration::from_millis(u64::try_from(number).unwrap() * 100);
        stack.handle_datagram(at, Flow::udp(Who::Alice.address()), call(number).as_bytes());
    }
    assert_eq!(events(&mut stack).len(), 100);
}

#[test]
fn strangers_calls_are_refused_without_a_trace_and_then_dropped() {
    let now = Instant::now();
    let mut stack = stack(
        Limits {
            stranger_requests_per_second: 4,
            ..Limits::default()
        },
        now,
    );
    for number in 0..10 {
        stack.handle_datagram(
            now,
            Flow::udp("203.0.113.5:5060".parse().unwrap()),
            call(number).as_bytes(),
        );
    }
    assert_eq!(answers(&mut stack, &HeaderName::CONTACT), [(403, false); 4]);
    let counters = stack.counters();
    assert_eq!(
        (counters.legs, counters.server_transactions, counters.timers),
        (0, 0, 0)
    );
    assert_eq!((counters.forbidden, counters.shed), (4, 6));
    assert!(events(&mut stack).is_empty());
}

#[test]
fn repeats_of_a_stateless_refusal_bear_the_same_tag() {
    let mut world = World::new();
    for _ in 0..2 {
        world.inject(Who::Bob, &request("BYE", ""));
    }
    let tags: Vec<String> = world
        .seen
        .iter()
        .map(|seen| {
            seen.text
                .lines()
                .find(|line| line.starts_with("To:"))
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(tags.len() == 2 && tags[0] == tags[1] && tags[0].contains(";tag=bob-1."));
}

#[test]
fn refusals_follow_the_message() {
    let sdp = format!("Content-Type: application/sdp\r\n\r\n{}", offer(Who::Alice));
    let cases = [
        ("INVITE", "Replaces: x;to-tag=1;from-tag=2\r\n", 603),
        ("INVITE", "Require: x-strange\r\n", 420),
        ("INVITE", "Accept: text/plain\r\n", 406),
        ("INVITE", "Content-Encoding: gzip\r\n", 0),
        ("SUBSCRIBE", "", 405),
        ("PUBLISH", "", 405),
        ("INFO", "", 481),
        ("BYE", "", 481),
        ("OPTIONS", "Accept: x\r\n", 200),
    ];
    for (method, lines, expected) in cases {
        let mut world = World::new();
        world.inject(Who::Bob, &request(method, lines));
        let found = world
            .labels()
            .iter()
            .find_map(|label| label.split(' ').nth(1)?.parse().ok())
            .filter(|code| *code != 100);
        assert_eq!(found.unwrap_or(0), expected, "{method} {lines}");
    }
    let mut world = World::new();
    let no_hops = request("INVITE", "").replace("Max-Forwards: 70", "Max-Forwards: 0");
    world.inject(Who::Bob, &no_hops);
    let no_contact = request("INVITE", "").replace("Contact: <sip:a@192.0.2.10>\r\n", "");
    world.inject(Who::Bob, &no_contact);
    assert_eq!(world.labels(), ["B 483 INVITE", "B 400 INVITE"]);
    let _ = sdp;
}

#[test]
fn call_that_comes_back_to_where_it_was_sent_is_a_loop() {
    let mut world = World::new();
    world.lose(|_, _| true);
    world.invite();
    let sent = world.last_text(Who::Alice, "INVITE");
    let hop = "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKproxy\r\nVia: ";
    world.inject(Who::Alice, &sent.replacen("Via: ", hop, 1));
    assert_eq!(world.labels()[1..], ["(A 482 INVITE)"]);
    let elsewhere = sent
        .replacen("Via: ", &hop.replace("proxy", "other"), 1)
        .replacen("sip:100@", "sip:200@", 1);
    world.inject(Who::Alice, &elsewhere);
    let incoming = world.take_incoming(Who::Alice);
    assert_eq!(
        incoming.request_uri.user(),
        Some("200"),
        "it was sent on to somebody else, and is a call"
    );
}

#[test]
fn call_that_comes_by_two_ways_is_taken_once() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    world.take_incoming(Who::Bob);
    let again = world
        .last_text(Who::Alice, "INVITE")
        .replace("branch=z9hG4bK", "branch=z9hG4bKfork");
    world.inject(Who::Bob, &again);
    assert_eq!(
        (world.count(Who::Bob, "482 INVITE"), world.events.len()),
        (1, 0)
    );
}

#[test]
fn call_header_and_identity_are_believed_only_from_trusted_peers() {
    for (is_trusted, expected) in [(true, Some("c-7")), (false, None)] {
        let mut world = World::new();
        let peer = Peer {
            name: "sbc".to_owned(),
            addresses: vec![Who::Alice.address().ip()],
            is_trusted,
            credentials: None,
        };
        world.command(Who::Bob, Command::SetPeers { peers: vec![peer] });
        world.inject(
            Who::Bob,
            &request(
                "INVITE",
                "x-tonewall-CALL: c-7\r\nP-Asserted-Identity: <sip:+1555@h>\r\n",
            ),
        );
        let incoming = world.take_incoming(Who::Bob);
        assert_eq!(incoming.tonewall_call.as_deref(), expected);
        let asserted = incoming.asserted_identity.map(|asserted| asserted.uri);
        assert_eq!(asserted, expected.map(|_| uri("sip:+1555@h")));
    }
}

#[test]
fn only_allowed_headers_travel_to_the_other_leg() {
    let mut world = World::new();
    let leg = world.alice.new_leg();
    let Command::Invite {
        target,
        to,
        from,
        flow,
        offer,
        credentials,
        ..
    } = super::world::invite_command(leg, None, None)
    else {
        panic!("an invite")
    };
    let header = |name: &str, value: &str| (HeaderName::from(name), value.to_owned());
    let headers = vec![
        header("X-Tonewall-Call", "c-7\r\nEvil: 1"),
        header("P-Asserted-Identity", "<sip:+1555@h>"),
        header("Route", "<sip:evil;lr>"),
        header("Via", "SIP/2.0/UDP evil"),
        header("Authorization", "x"),
        header("Bad Name", "x"),
    ];
    let command = Command::Invite {
        leg,
        target,
        to,
        from,
        flow,
        offer,
        max_forwards: Some(12),
        headers,
        credentials,
    };
    world.command(Who::Alice, command);
    let sent = world.last_request(Who::Alice, "INVITE");
    assert_eq!(
        sent.headers.text(&HeaderName::from("X-Tonewall-Call")),
        Some("c-7  Evil: 1")
    );
    assert_eq!(sent.headers.text(&HeaderName::MAX_FORWARDS), Some("12"));
    for name in ["Evil", "Route", "Authorization", "Bad Name"] {
        assert!(
            !sent.headers.contains(&HeaderName::from(name)) || name == "Bad Name",
            "{name}"
        );
    }
    assert_eq!(sent.headers.vias().unwrap().len(), 1);
}

#[test]
fn unanswered_calls_end_by_themselves() {
    let mut world = World::new();
    let alice = world.invite();
    world.run(Duration::from_secs(179));
    let bob = world.take_incoming(Who::Bob).leg;
    assert_eq!(world.events, []);
    world.run(Duration::from_secs(5));
    assert!(
        matches!(world.take_events(Who::Alice).as_slice(), [Event::Failed { leg, .. }] if *leg == alice)
    );
    assert!(
        matches!(world.take_events(Who::Bob).as_slice(), [Event::Ended { leg, .. }] if *leg == bob)
    );
    world.assert_clean();
}

#[test]
fn same_seed_and_inputs_give_the_same_outputs() {
    let run = || {
        let mut world = World::new();
        let (alice, _) = world.talk();
        world.command(
            Who::Alice,
            Command::Hangup {
                leg: alice,
                reason: None,
            },
        );
        world.run_ms(1_000);
        world
            .seen
            .iter()
            .map(|seen| seen.text.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
