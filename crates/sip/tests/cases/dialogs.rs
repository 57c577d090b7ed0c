//! Requests inside a call, and who may send them.

use sip::message::HeaderName;
use sip::{Command, CommandError, EndReason, Event, Status};

use super::world::{Who, World, accepted_lines, audio, invite_command, offer, reply, status};

/// An in-dialog request of Alice, hand-written from her last one: other method, number and branch.
pub(super) fn inside(world: &World, method: &str, number: u32, lines: &str) -> String {
    let ack = world.last_request(Who::Alice, "ACK");
    let (from, to) = (ack.headers.from().unwrap(), ack.headers.to().unwrap());
    let call_id = ack.headers.call_id().unwrap();
    let (lines, body) = lines.split_once("\r\n\r\n").unwrap_or((lines, ""));
    let lines = if lines.is_empty() {
        String::new()
    } else {
        format!("{lines}\r\n")
    };
    format!(
        "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK{method}{number}\r\nFrom: {from}\r\nTo: {to}\r\n\
         Call-ID: {call_id}\r\nCSeq: {number} {method}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        ack.uri,
        body.len()
    )
}

/// A call whose messages so far can still be looked at.
pub(super) fn talk(world: &mut World) -> (sip::LegId, sip::LegId) {
    let alice = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(50);
    world.events.clear();
    (alice, bob)
}

#[test]
fn byes_that_cross_end_the_call_once_on_each_side() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    world.command(
        Who::Bob,
        Command::Hangup {
            leg: bob,
            reason: None,
        },
    );
    world.run_ms(1_000);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Ended {
            leg: alice,
            reason: EndReason::HungUp
        }
    );
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::HungUp
        }
    );
    world.assert_clean();
}

#[test]
fn bye_waits_for_the_ack_of_our_acceptance() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.lose_first(Who::Alice, "ACK", 1);
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.command(
        Who::Bob,
        Command::Hangup {
            leg: bob,
            reason: None,
        },
    );
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::HungUp
        }
    );
    assert_eq!(
        world.try_command(
            Who::Bob,
            Command::Hangup {
                leg: bob,
                reason: None
            }
        ),
        Err(CommandError::BugUnknownLeg)
    );
    world.run_ms(300);
    assert_eq!(world.count(Who::Bob, "BYE"), 0);
    world.run_ms(1_000);
    assert_eq!(world.count(Who::Bob, "BYE"), 1);
    assert_eq!(world.take_events(Who::Bob), []);
    world.assert_clean();
}

#[test]
fn caller_may_end_an_unanswered_call_with_a_bye() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Provisional {
            leg: bob,
            status: Status::RINGING,
            answer: None,
        },
    );
    let ringing = world.last_response(Who::Bob, "180 INVITE");
    let to = ringing.headers.text(&HeaderName::TO).unwrap().to_owned();
    let invite = world.last_text(Who::Alice, "INVITE");
    let bye = invite
        .replace("INVITE sip", "BYE sip")
        .replace("1 INVITE", "2 BYE")
        .replace("branch=z9hG4bK", "branch=z9hG4bKb");
    let bye = bye.replace("To: <sip:100@192.0.2.20>", &format!("To: {to}"));
    let bye = format!("{}\r\n\r\n", bye.split("\r\nContent-Type").next().unwrap());
    world.inject(Who::Bob, &bye);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::Bye
        }
    );
    assert_eq!(
        (
            world.count(Who::Bob, "200 BYE"),
            world.count(Who::Bob, "487 INVITE")
        ),
        (1, 1)
    );
}

#[test]
fn route_set_is_reversed_for_the_caller_and_kept_for_the_callee() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.alice.new_leg();
    world.command(
        Who::Alice,
        invite_command(leg, Some(offer(Who::Alice)), None),
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    let routes = "Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\nRecord-Route: <sip:192.0.2.20:5099;lr>\r\n";
    world.inject(
        Who::Alice,
        &reply(&invite, 200, "x", &format!("{routes}{}", accepted_lines())),
    );
    let ack = world.last_request(Who::Alice, "ACK");
    let names: Vec<String> = ack
        .headers
        .name_addrs(&HeaderName::ROUTE)
        .unwrap()
        .iter()
        .map(|route| route.uri.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "sip:192.0.2.20:5099;lr",
            "sip:p1.example;lr",
            "sip:p2.example;lr"
        ]
    );
    assert_eq!(ack.uri.to_string(), "sip:b@192.0.2.20");
    assert!(
        world.seen.last().unwrap().lost,
        "it went to the first router's port"
    );
}

#[test]
fn strict_router_gets_the_request_to_itself() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.alice.new_leg();
    world.command(
        Who::Alice,
        invite_command(leg, Some(offer(Who::Alice)), None),
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    let lines = format!("Record-Route: <sip:old.example>\r\n{}", accepted_lines());
    world.inject(Who::Alice, &reply(&invite, 200, "x", &lines));
    let ack = world.last_request(Who::Alice, "ACK");
    assert_eq!(ack.uri.to_string(), "sip:old.example");
    assert_eq!(
        ack.headers.name_addrs(&HeaderName::ROUTE).unwrap()[0]
            .uri
            .to_string(),
        "sip:b@192.0.2.20"
    );
}

#[test]
fn contacts_elsewhere_do_not_aim_our_requests_there() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.alice.new_leg();
    world.command(
        Who::Alice,
        invite_command(leg, Some(offer(Who::Alice)), None),
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    let lines = accepted_lines().replace("b@192.0.2.20", "victim@203.0.113.9");
    let now = world.now;
    world.alice.handle_datagram(
        now,
        sip::Flow::udp(Who::Bob.address()),
        reply(&invite, 200, "x", &lines).as_bytes(),
    );
    let ack = world.alice.poll_transmit().unwrap();
    assert_eq!(ack.flow.remote, Who::Bob.address());
}

#[test]
fn reinvite_moves_the_target() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let moved = format!(
        "Contact: <sip:moved@192.0.2.10:5070>\r\nContent-Type: application/sdp\r\n\r\n{}",
        audio(Who::Alice, 2).offer()
    );
    let text = inside(&world, "INVITE", 2, &moved);
    world.inject(Who::Bob, &text);
    world.command(
        Who::Bob,
        Command::AcceptOffer {
            leg: bob,
            answer: audio(Who::Bob, 2).offer(),
        },
    );
    let ack = inside(&world, "ACK", 2, "");
    world.inject(Who::Bob, &ack);
    world.command(
        Who::Bob,
        Command::Hangup {
            leg: bob,
            reason: None,
        },
    );
    assert_eq!(
        world.last_request(Who::Bob, "BYE").uri.to_string(),
        "sip:moved@192.0.2.10:5070"
    );
}

#[test]
fn numbers_that_go_back_are_refused() {
    let mut world = World::new();
    talk(&mut world);
    for (number, label) in [
        (5, "200 INFO"),
        (5, "500 INFO"),
        (4, "500 INFO"),
        (6, "200 INFO"),
    ] {
        let text = inside(&world, "INFO", number, "").replace(
            "branch=z9hG4bK",
            &format!("branch=z9hG4bK{label}").replace(' ', ""),
        );
        let before = world.count(Who::Bob, label);
        world.inject(Who::Bob, &text);
        assert_eq!(world.count(Who::Bob, label), before + 1, "{number} {label}");
    }
}

#[test]
fn requests_of_strangers_and_wrong_tags_find_no_dialog() {
    let mut world = World::new();
    talk(&mut world);
    let bye = inside(&world, "BYE", 2, "");
    world.inject_from(
        Who::Bob,
        "203.0.113.66:5060".parse().unwrap(),
        bye.as_bytes(),
    );
    let other_tag = bye
        .replace(
            "From: <sip:alice@192.0.2.10>;tag=",
            "From: <sip:alice@192.0.2.10>;tag=x",
        )
        .replace("BYE2", "BYE3");
    world.inject(Who::Bob, &other_tag);
    assert_eq!(world.count(Who::Bob, "481 BYE"), 2);
    assert_eq!(world.events, []);
    world.inject(Who::Bob, &bye);
    assert_eq!(world.count(Who::Bob, "200 BYE"), 1);
}

#[test]
fn methods_without_a_place_in_a_call_are_refused() {
    let mut world = World::new();
    talk(&mut world);
    let digits = "Content-Type: application/dtmf-relay\r\n\r\nSignal=7\r\n";
    let cases = [
        ("REFER", "", "603 REFER", 0),
        ("OPTIONS", "", "200 OPTIONS", 0),
        ("PUBLISH", "", "405 PUBLISH", 0),
        ("SUBSCRIBE", "", "405 SUBSCRIBE", 0),
        ("MESSAGE", "", "405 MESSAGE", 0),
        ("MESSAGE", digits, "200 MESSAGE", 1),
        ("NOTIFY", digits, "200 NOTIFY", 1),
        ("INFO", "Require: x, y", "420 INFO", 0),
    ];
    for (number, (method, lines, label, events)) in (2..).zip(cases) {
        let text = inside(&world, method, number, lines);
        world.inject(Who::Bob, &text);
        assert_eq!(
            (
                world.count(Who::Bob, label),
                world.take_events(Who::Bob).len()
            ),
            (1, events),
            "{label}"
        );
    }
    assert_eq!(
        world
            .last_response(Who::Bob, "420 INFO")
            .headers
            .text(&HeaderName::UNSUPPORTED),
        Some("x, y")
    );
}

#[test]
fn late_offer_that_our_caller_never_answers_ends_the_call() {
    let mut world = World::new();
    let alice = world.invite_with(None, None);
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(31_000);
    let events = world.take_events(Who::Alice);
    assert!(
        matches!(
            events.as_slice(),
            [
                Event::Answered { .. },
                Event::Ended {
                    reason: EndReason::Timeout,
                    ..
                }
            ]
        ),
        "{events:?}"
    );
    assert_eq!(
        world.take_events(Who::Bob),
        [Event::Ended {
            leg: bob,
            reason: EndReason::Lost
        }]
    );
    let _ = alice;
    world.assert_clean();
}

#[test]
fn acceptance_without_a_session_fails_the_call() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.alice.new_leg();
    world.command(
        Who::Alice,
        invite_command(leg, Some(offer(Who::Alice)), None),
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    world.inject(
        Who::Alice,
        &reply(&invite, 200, "x", "Contact: <sip:b@192.0.2.20>"),
    );
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Failed {
            leg,
            status: status(488),
            retry_after: None
        }
    );
    assert_eq!(world.labels(), ["(A INVITE)", "(A ACK)", "(A BYE)"]);
}

#[test]
fn commands_that_do_not_fit_change_nothing() {
    let mut world = World::new();
    let leg = world.invite();
    assert_eq!(
        world.try_command(Who::Alice, invite_command(leg, None, None)),
        Err(CommandError::BugLegInUse)
    );
    assert_eq!(
        world.try_command(Who::Alice, invite_command(sip::LegId(99), None, None)),
        Err(CommandError::BugUnknownLeg)
    );
    let wrong = [
        Command::Answer {
            leg,
            answer: offer(Who::Alice),
        },
        Command::Reinvite {
            leg,
            offer: offer(Who::Alice),
        },
        Command::AckAnswer {
            leg,
            answer: offer(Who::Alice),
        },
        Command::RejectOffer {
            leg,
            status: Status::NOT_ACCEPTABLE_HERE,
        },
        Command::Reject {
            leg,
            status: Status::BUSY_HERE,
            reason: None,
        },
    ];
    for command in wrong {
        assert_eq!(
            world.try_command(Who::Alice, command),
            Err(CommandError::WrongState)
        );
    }
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    for status in [Status::TRYING, Status::OK] {
        let command = Command::Provisional {
            leg: bob,
            status,
            answer: None,
        };
        assert_eq!(
            world.try_command(Who::Bob, command),
            Err(CommandError::BugStatus)
        );
    }
    assert_eq!(
        world.try_command(
            Who::Bob,
            Command::Reject {
                leg: bob,
                status: Status::OK,
                reason: None
            }
        ),
        Err(CommandError::BugStatus)
    );
    assert_eq!(world.labels(), ["A INVITE", "B 100 INVITE"]);
}
