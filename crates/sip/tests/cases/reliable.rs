//! Reliable provisional responses (RFC 3262) and what they allow before a call is answered.

use std::time::Duration;

use sip::message::{HeaderName, Request, Response};
use sip::sdp::Session;
use sip::{Command, EndReason, Event, LegId, Status};

use super::world::{Who, World, accepted_lines, audio, offer, reply, request, status};

/// Lines of a hand-written provisional response of Bob with this `RSeq`.
fn reliable(number: u32, session: Option<&Session>) -> String {
    let head = format!(
        "Require: 100rel\r\nRSeq: {number}\r\nContact: <sip:b@192.0.2.20>\r\nAllow: UPDATE, PRACK"
    );
    match session {
        Some(session) => format!("{head}\r\nContent-Type: application/sdp\r\n\r\n{session}"),
        None => head,
    }
}

fn text<'a>(request: &'a Request, name: &HeaderName) -> Option<&'a str> {
    request.headers.text(name)
}

/// The `RSeq` of a response of ours.
fn number_of(response: &Response) -> u32 {
    response.headers.number(&HeaderName::RSEQ).unwrap().unwrap()
}

/// Alice's call, which nobody but a hand-written Bob answers.
fn calling(offer: Option<Session>) -> (World, LegId, Request) {
    let mut world = World::new();
    world.lose(|_, _| true);
    let alice = world.invite_with(offer, None);
    let invite = world.last_request(Who::Alice, "INVITE");
    (world, alice, invite)
}

/// An INVITE of a hand-written Alice that wants reliable responses.
fn called(offer: Option<&Session>) -> (World, LegId) {
    let mut world = World::new();
    world.lose(|_, _| true);
    let lines = "Require: 100rel\r\nAllow: UPDATE\r\n";
    let mut invite = request("INVITE", lines);
    if let Some(offer) = offer {
        let body = offer.to_string();
        let described = format!(
            "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        invite = invite.replace("Content-Length: 0\r\n\r\n", &described);
    }
    world.inject(Who::Bob, &invite);
    let bob = world.take_incoming(Who::Bob).leg;
    (world, bob)
}

/// A request of the hand-written Alice in the early dialog, with this number.
fn early(world: &World, label: &str, method: &str, number: u32, lines: &str) -> String {
    let to = world.last_response(Who::Bob, label).headers.to().unwrap();
    let (lines, body) = lines.split_once("\r\n\r\n").unwrap_or((lines, ""));
    format!(
        "{method} sip:bob@192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK{method}{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@192.0.2.10>;tag=hand\r\nTo: {to}\r\nCall-ID: hand\r\nCSeq: {number} {method}\r\n{lines}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn prack(world: &World, label: &str, number: u32, session: Option<&Session>) -> String {
    let acknowledged = number_of(&world.last_response(Who::Bob, label));
    let mut lines = format!("RAck: {acknowledged} 1 INVITE");
    if let Some(session) = session {
        lines = format!("{lines}\r\nContent-Type: application/sdp\r\n\r\n{session}");
    }
    early(world, label, "PRACK", number, &lines)
}

fn ring(world: &mut World, leg: LegId, code: u16, answer: Option<Session>) {
    let status = status(code);
    world.command(
        Who::Bob,
        Command::Provisional {
            leg,
            status,
            answer,
        },
    );
}

#[test]
fn reliable_responses_are_acknowledged_in_order_and_heard_once() {
    let (mut world, alice, invite) = calling(Some(offer(Who::Alice)));
    world.inject(Who::Alice, &reply(&invite, 180, "bob", &reliable(7, None)));
    let first = world.last_request(Who::Alice, "PRACK");
    assert_eq!(text(&first, &HeaderName::RACK), Some("7 1 INVITE"));
    assert_eq!(text(&first, &HeaderName::CSEQ), Some("2 PRACK"));
    assert_eq!(first.uri.to_string(), "sip:b@192.0.2.20");
    assert_eq!(first.headers.to().unwrap().tag(), Some("bob"));
    world.seen.clear();
    // Once more, and one whose forerunner is lost.
    world.inject(Who::Alice, &reply(&invite, 180, "bob", &reliable(7, None)));
    let answer = offer(Who::Bob);
    world.inject(
        Who::Alice,
        &reply(&invite, 183, "bob", &reliable(9, Some(&answer))),
    );
    assert_eq!(world.seen.len(), 0);
    world.inject(
        Who::Alice,
        &reply(&invite, 183, "bob", &reliable(8, Some(&answer))),
    );
    let second = world.last_request(Who::Alice, "PRACK");
    assert_eq!(text(&second, &HeaderName::RACK), Some("8 1 INVITE"));
    assert_eq!(text(&second, &HeaderName::CSEQ), Some("3 PRACK"));
    let progress = |code, answer| Event::Progress {
        leg: alice,
        status: status(code),
        answer,
    };
    let heard = [progress(180, None), progress(183, Some(answer))];
    assert_eq!(world.take_events(Who::Alice), heard);
    // The dialog goes on counting behind them.
    world.inject(
        Who::Alice,
        &reply(&invite, 200, "bob", "Contact: <sip:b@192.0.2.20>"),
    );
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::Answered {
            answer: Some(_),
            ..
        }
    ));
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    let bye = world.last_request(Who::Alice, "BYE");
    assert_eq!(text(&bye, &HeaderName::CSEQ), Some("4 BYE"));
}

#[test]
fn each_fork_is_acknowledged_in_its_own_dialog() {
    let (mut world, alice, invite) = calling(Some(offer(Who::Alice)));
    for tag in ["one", "two"] {
        world.inject(Who::Alice, &reply(&invite, 180, tag, &reliable(1, None)));
        let prack = world.last_request(Who::Alice, "PRACK");
        assert_eq!(prack.headers.to().unwrap().tag(), Some(tag));
        assert_eq!(text(&prack, &HeaderName::CSEQ), Some("2 PRACK"));
    }
    world.inject(Who::Alice, &reply(&invite, 200, "two", &accepted_lines()));
    let events = world.take_events(Who::Alice);
    assert!(matches!(events.as_slice(), [_, _, Event::Answered { leg, .. }] if *leg == alice));
}

#[test]
fn late_offer_in_a_reliable_response_is_answered_in_the_prack() {
    let (mut world, alice, invite) = calling(None);
    let theirs = offer(Who::Bob);
    world.inject(
        Who::Alice,
        &reply(&invite, 183, "bob", &reliable(1, Some(&theirs))),
    );
    assert_eq!(world.count(Who::Alice, "PRACK"), 0);
    let events = world.take_events(Who::Alice);
    let offered = Event::Offered {
        leg: alice,
        offer: Some(theirs.clone()),
    };
    assert!(
        matches!(&events[..], [Event::Progress { answer: None, .. }, last] if *last == offered)
    );
    let answer = audio(Who::Alice, 1).answer(&theirs).expect("answer");
    world.command(
        Who::Alice,
        Command::AcceptOffer {
            leg: alice,
            answer: answer.clone(),
        },
    );
    let prack = world.last_request(Who::Alice, "PRACK");
    assert_eq!(prack.body.as_bytes(), answer.to_string().as_bytes());
    world.inject(
        Who::Alice,
        &reply(&invite, 200, "bob", "Contact: <sip:b@192.0.2.20>"),
    );
    let answered = Event::Answered {
        leg: alice,
        answer: None,
        late_offer: None,
    };
    assert_eq!(world.take_event(Who::Alice), answered);
    assert_eq!(world.count(Who::Alice, "ACK"), 1);
}

#[test]
fn late_offer_that_is_refused_gives_the_call_up() {
    let (mut world, alice, invite) = calling(None);
    world.inject(
        Who::Alice,
        &reply(&invite, 183, "bob", &reliable(1, Some(&offer(Who::Bob)))),
    );
    world.events.clear();
    let status = Status::NOT_ACCEPTABLE_HERE;
    world.command(Who::Alice, Command::RejectOffer { leg: alice, status });
    assert_eq!(world.count(Who::Alice, "CANCEL"), 1);
    let failed = Event::Failed {
        leg: alice,
        status,
        retry_after: None,
    };
    assert_eq!(world.take_event(Who::Alice), failed);
}

#[test]
fn caller_that_asks_for_it_gets_each_response_reliably_one_after_the_other() {
    let (mut world, bob) = called(Some(&offer(Who::Alice)));
    ring(&mut world, bob, 180, None);
    ring(&mut world, bob, 183, Some(offer(Who::Bob)));
    let first = world.last_response(Who::Bob, "180 INVITE");
    assert!(first.headers.has_token(&HeaderName::REQUIRE, "100rel"));
    assert_eq!(world.count(Who::Bob, "183 INVITE"), 0);
    let acknowledged = prack(&world, "180 INVITE", 2, None);
    world.inject(Who::Bob, &acknowledged);
    assert_eq!(world.count(Who::Bob, "200 PRACK"), 1);
    let second = world.last_response(Who::Bob, "183 INVITE");
    assert_eq!(number_of(&second), number_of(&first) + 1);
    // The 2xx waits for what bears the answer, and does not say it again.
    let answer = offer(Who::Bob);
    world.command(Who::Bob, Command::Answer { leg: bob, answer });
    assert_eq!(world.count(Who::Bob, "200 INVITE"), 0);
    let acknowledged = prack(&world, "183 INVITE", 3, None);
    world.inject(Who::Bob, &acknowledged);
    assert!(world.last_response(Who::Bob, "200 INVITE").body.is_empty());
    let ack = early(&world, "200 INVITE", "ACK", 1, "X-Hand: 1");
    world.inject(Who::Bob, &ack);
    let confirmed = Event::Confirmed {
        leg: bob,
        answer: None,
    };
    assert_eq!(world.take_event(Who::Bob), confirmed);
}

#[test]
fn unacknowledged_response_is_repeated_for_32_s_and_then_the_call_is_refused() {
    let (mut world, bob) = called(Some(&offer(Who::Alice)));
    ring(&mut world, bob, 180, None);
    world.run(Duration::from_secs(40));
    let times = world.times(Who::Bob, "180 INVITE");
    assert_eq!(times, [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    assert_eq!(world.times(Who::Bob, "504 INVITE").first(), Some(&32.0));
    let ended = Event::Ended {
        leg: bob,
        reason: EndReason::Timeout,
    };
    assert_eq!(world.take_event(Who::Bob), ended);
    world.assert_clean();
}

#[test]
fn pracks_of_something_else_are_refused_and_one_behind_the_2xx_is_not() {
    let (mut world, bob) = called(Some(&offer(Who::Alice)));
    ring(&mut world, bob, 180, None);
    let number = number_of(&world.last_response(Who::Bob, "180 INVITE"));
    for (cseq, lines, label) in [
        (2, format!("RAck: {} 1 INVITE", number + 1), "481 PRACK"),
        (3, format!("RAck: {number} 2 INVITE"), "481 PRACK"),
        (4, format!("RAck: {number} 1 UPDATE"), "481 PRACK"),
        (5, "RAck: soon".to_owned(), "400 PRACK"),
        (6, "X-Hand: 1".to_owned(), "400 PRACK"),
    ] {
        world.seen.retain(|seen| seen.label() == "180 INVITE");
        let wrong = early(&world, "180 INVITE", "PRACK", cseq, &lines);
        world.inject(Who::Bob, &wrong);
        assert_eq!(world.count(Who::Bob, label), 1, "{lines}");
    }
    let answer = offer(Who::Bob);
    world.command(Who::Bob, Command::Answer { leg: bob, answer });
    assert_eq!(world.count(Who::Bob, "200 INVITE"), 1);
    let late = prack(&world, "180 INVITE", 7, None);
    world.inject(Who::Bob, &late);
    assert_eq!(world.count(Who::Bob, "200 PRACK"), 1);
}

#[test]
fn caller_without_offer_gets_ours_in_the_first_reliable_response() {
    let (mut world, bob) = called(None);
    let bare = Command::Provisional {
        leg: bob,
        status: Status::RINGING,
        answer: None,
    };
    assert!(world.try_command(Who::Bob, bare).is_err());
    ring(&mut world, bob, 183, Some(offer(Who::Bob)));
    let answer = audio(Who::Alice, 1).offer();
    let acknowledged = prack(&world, "183 INVITE", 2, Some(&answer));
    world.inject(Who::Bob, &acknowledged);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::OfferAnswered { leg: bob, answer }
    );
    let answer = offer(Who::Bob);
    world.command(Who::Bob, Command::Answer { leg: bob, answer });
    assert!(world.last_response(Who::Bob, "200 INVITE").body.is_empty());
    // An acknowledgement without answer leaves no session to be had.
    let (mut world, bob) = called(None);
    ring(&mut world, bob, 183, Some(offer(Who::Bob)));
    let acknowledged = prack(&world, "183 INVITE", 2, None);
    world.inject(Who::Bob, &acknowledged);
    assert_eq!(world.count(Who::Bob, "488 INVITE"), 1);
    assert!(matches!(world.take_event(Who::Bob), Event::Ended { .. }));
}

#[test]
fn offer_in_a_prack_waits_for_our_caller_and_the_2xx_for_it() {
    let (mut world, bob) = called(Some(&offer(Who::Alice)));
    ring(&mut world, bob, 183, Some(offer(Who::Bob)));
    let held = audio(Who::Alice, 2).offer();
    let acknowledged = prack(&world, "183 INVITE", 2, Some(&held));
    world.inject(Who::Bob, &acknowledged);
    let offered = Event::Offered {
        leg: bob,
        offer: Some(held),
    };
    assert_eq!(world.take_event(Who::Bob), offered);
    let answer = audio(Who::Bob, 2).offer();
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: answer.clone(),
        },
    );
    assert_eq!(world.count(Who::Bob, "200 INVITE"), 0);
    world.command(
        Who::Bob,
        Command::AcceptOffer {
            leg: bob,
            answer: answer.clone(),
        },
    );
    let accepted = world.last_response(Who::Bob, "200 PRACK");
    assert_eq!(accepted.body.as_bytes(), answer.to_string().as_bytes());
    assert_eq!(world.count(Who::Bob, "200 INVITE"), 1);
}

/// Both stacks, with reliable early media between them.
fn early_media() -> (World, LegId, LegId) {
    let mut world = World::new();
    let start = world.start;
    let config = sip::StackConfig {
        reliable_where_supported: true,
        ..sip::StackConfig::new("bob", 1, [2; 32], Who::Bob.address())
    };
    world.bob = sip::Stack::new(config, start);
    let peer = sip::Peer {
        name: "Alice".to_owned(),
        addresses: vec![Who::Alice.address().ip()],
        is_trusted: true,
        credentials: None,
    };
    world.command(Who::Bob, Command::SetPeers { peers: vec![peer] });
    let alice = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    ring(&mut world, bob, 183, Some(offer(Who::Bob)));
    world.run_ms(100);
    world.events.clear();
    assert_eq!(
        world.labels()[2..],
        ["B 183 INVITE", "A PRACK", "B 200 PRACK"]
    );
    world.seen.clear();
    (world, alice, bob)
}

#[test]
fn either_side_may_offer_a_change_before_the_answer() {
    for answered_meanwhile in [false, true] {
        let (mut world, alice, bob) = early_media();
        for (asker, asker_leg, other, other_leg) in [
            (Who::Alice, alice, Who::Bob, bob),
            (Who::Bob, bob, Who::Alice, alice),
        ] {
            let offer = audio(asker, 2).offer();
            world.command(
                asker,
                Command::Update {
                    leg: asker_leg,
                    offer: offer.clone(),
                },
            );
            world.run_ms(50);
            let offered = Event::Offered {
                leg: other_leg,
                offer: Some(offer),
            };
            assert_eq!(world.take_event(other), offered);
            let answer = audio(other, 2).offer();
            world.command(
                other,
                Command::AcceptOffer {
                    leg: other_leg,
                    answer: answer.clone(),
                },
            );
            if answered_meanwhile && asker == Who::Alice {
                world.command(
                    Who::Bob,
                    Command::Answer {
                        leg: bob,
                        answer: answer.clone(),
                    },
                );
            }
            world.run_ms(100);
            let answered = Event::OfferAnswered {
                leg: asker_leg,
                answer,
            };
            let events = world.take_events(asker);
            assert!(events.contains(&answered), "{events:?}");
            world.events.clear();
        }
        if !answered_meanwhile {
            let answer = audio(Who::Bob, 2).offer();
            world.command(Who::Bob, Command::Answer { leg: bob, answer });
            world.run_ms(100);
            // What was said first holds no more, so the answer says nothing.
            let answered = Event::Answered {
                leg: alice,
                answer: None,
                late_offer: None,
            };
            assert_eq!(world.take_event(Who::Alice), answered);
        }
        world.command(
            Who::Alice,
            Command::Hangup {
                leg: alice,
                reason: None,
            },
        );
        world.assert_clean();
    }
}

#[test]
fn early_change_that_is_open_when_the_call_ends_is_answered() {
    for give_up in [true, false] {
        let (mut world, alice, bob) = early_media();
        let offer = audio(Who::Alice, 2).offer();
        world.command(Who::Alice, Command::Update { leg: alice, offer });
        world.run_ms(50);
        world.events.clear();
        if give_up {
            world.command(
                Who::Alice,
                Command::Hangup {
                    leg: alice,
                    reason: None,
                },
            );
        } else {
            world.command(
                Who::Bob,
                Command::Reject {
                    leg: bob,
                    status: Status::BUSY_HERE,
                    reason: None,
                },
            );
        }
        world.run_ms(100);
        assert_eq!(world.count(Who::Bob, "487 UPDATE"), 1);
        world.assert_clean();
    }
}

#[test]
fn early_change_nobody_decides_or_answers_leaves_the_call_ringing() {
    let (mut world, alice, bob) = early_media();
    let theirs = audio(Who::Alice, 2).offer();
    let update = Command::Update {
        leg: alice,
        offer: theirs,
    };
    world.command(Who::Alice, update.clone());
    world.run(Duration::from_secs(21));
    let failed = |code| Event::OfferFailed {
        leg: alice,
        status: status(code),
    };
    assert_eq!(world.take_event(Who::Alice), failed(504));
    world.lose(|_, label| label == "UPDATE");
    world.command(Who::Alice, update);
    world.run(Duration::from_secs(33));
    assert_eq!(world.take_event(Who::Alice), failed(408));
    world.lose(|_, _| false);
    world.events.clear();
    let answer = offer(Who::Bob);
    world.command(Who::Bob, Command::Answer { leg: bob, answer });
    world.run_ms(100);
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::Answered { .. }
    ));
}

#[test]
fn early_updates_without_a_settled_exchange_are_refused() {
    let (mut world, bob) = called(Some(&offer(Who::Alice)));
    ring(&mut world, bob, 180, None);
    let described = format!(
        "Content-Type: application/sdp\r\n\r\n{}",
        audio(Who::Alice, 2).offer()
    );
    let update = early(&world, "180 INVITE", "UPDATE", 2, &described);
    world.inject(Who::Bob, &update);
    assert_eq!(world.count(Who::Bob, "500 UPDATE"), 1);
    let bare = early(
        &world,
        "180 INVITE",
        "UPDATE",
        3,
        "Contact: <sip:a@192.0.2.10>",
    );
    world.inject(Who::Bob, &bare);
    assert_eq!(world.count(Who::Bob, "200 UPDATE"), 1);
    let update = Command::Update {
        leg: bob,
        offer: offer(Who::Bob),
    };
    assert!(world.try_command(Who::Bob, update).is_err());
    assert_eq!(world.events, []);
}
