//! Offers in a running call, by either side.

use sip::message::HeaderName;
use sip::{Command, CommandError, EndReason, Event, Status};

use super::dialogs::{inside, talk};
use super::world::{Who, World, audio, offer, reply};

#[test]
fn either_side_may_offer_a_change() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    for (asker, asker_leg, other, other_leg) in [
        (Who::Alice, alice, Who::Bob, bob),
        (Who::Bob, bob, Who::Alice, alice),
    ] {
        world.command(
            asker,
            Command::Reinvite {
                leg: asker_leg,
                offer: audio(asker, 2).offer(),
            },
        );
        world.run_ms(50);
        let offered = Event::Offered {
            leg: other_leg,
            offer: Some(audio(asker, 2).offer()),
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
        world.run_ms(50);
        assert_eq!(
            world.take_event(asker),
            Event::OfferAnswered {
                leg: asker_leg,
                answer
            }
        );
        assert_eq!(world.events, []);
    }
    assert_eq!(
        world.labels()[..4],
        ["A INVITE", "B 100 INVITE", "B 200 INVITE", "A ACK"]
    );
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    world.assert_clean();
}

#[test]
fn refused_change_leaves_the_call_as_it_was() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: offer(Who::Alice),
        },
    );
    world.run_ms(50);
    world.take_event(Who::Bob);
    world.command(
        Who::Bob,
        Command::RejectOffer {
            leg: bob,
            status: Status::NOT_ACCEPTABLE_HERE,
        },
    );
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::OfferFailed {
            leg: alice,
            status: Status::NOT_ACCEPTABLE_HERE
        }
    );
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::Bye
        }
    );
    world.assert_clean();
}

#[test]
fn offers_that_cross_are_both_refused_with_491() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: offer(Who::Alice),
        },
    );
    world.command(
        Who::Bob,
        Command::Reinvite {
            leg: bob,
            offer: offer(Who::Bob),
        },
    );
    world.run_ms(100);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::OfferFailed {
            leg: alice,
            status: Status::REQUEST_PENDING
        }
    );
    assert_eq!(
        world.take_event(Who::Bob),
        Event::OfferFailed {
            leg: bob,
            status: Status::REQUEST_PENDING
        }
    );
}

#[test]
fn second_offer_before_the_first_is_decided_is_too_early() {
    let mut world = World::new();
    talk(&mut world);
    let lines = format!(
        "Contact: <sip:a@192.0.2.10>\r\nContent-Type: application/sdp\r\n\r\n{}",
        offer(Who::Alice)
    );
    let (first, second) = (
        inside(&world, "INVITE", 2, &lines),
        inside(&world, "INVITE", 3, &lines),
    );
    world.inject(Who::Bob, &first);
    world.inject(Who::Bob, &second);
    assert_eq!(world.take_events(Who::Bob).len(), 1);
    let early = world.last_response(Who::Bob, "500 INVITE");
    let wait: u8 = early
        .headers
        .number(&HeaderName::RETRY_AFTER)
        .unwrap()
        .unwrap();
    assert!(wait <= 10);
}

#[test]
fn offer_that_nobody_decides_is_refused_and_the_call_goes_on() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: offer(Who::Alice),
        },
    );
    world.run_ms(25_000);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::OfferFailed {
            leg: alice,
            status: Status::NOT_ACCEPTABLE_HERE
        }
    );
    assert_eq!(
        world.try_command(
            Who::Bob,
            Command::AcceptOffer {
                leg: bob,
                answer: offer(Who::Bob)
            }
        ),
        Err(CommandError::WrongState)
    );
}

#[test]
fn cancelled_change_is_forgotten() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let lines = format!(
        "Contact: <sip:a@192.0.2.10>\r\nContent-Type: application/sdp\r\n\r\n{}",
        offer(Who::Alice)
    );
    let invite = inside(&world, "INVITE", 2, &lines);
    world.inject(Who::Bob, &invite);
    let cancel = inside(&world, "CANCEL", 2, "").replace("bKCANCEL2", "bKINVITE2");
    world.inject(Who::Bob, &cancel);
    assert_eq!(
        (
            world.count(Who::Bob, "200 CANCEL"),
            world.count(Who::Bob, "487 INVITE")
        ),
        (1, 1)
    );
    assert_eq!(
        world.try_command(
            Who::Bob,
            Command::AcceptOffer {
                leg: bob,
                answer: offer(Who::Bob)
            }
        ),
        Err(CommandError::WrongState)
    );
}

#[test]
fn change_without_offer_gets_ours_and_its_answer_in_the_ack() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let invite = inside(&world, "INVITE", 2, "Contact: <sip:a@192.0.2.10>");
    world.inject(Who::Bob, &invite);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Offered {
            leg: bob,
            offer: None
        }
    );
    world.command(
        Who::Bob,
        Command::AcceptOffer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    let answer = audio(Who::Alice, 2).offer();
    let ack = inside(
        &world,
        "ACK",
        2,
        &format!("Content-Type: application/sdp\r\n\r\n{answer}"),
    );
    world.inject(Who::Bob, &ack);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::OfferAnswered { leg: bob, answer }
    );
}

#[test]
fn far_side_that_lost_the_call_or_went_silent_ends_it() {
    let mut world = World::new();
    let (alice, _) = world.talk();
    world.lose(|_, _| true);
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: offer(Who::Alice),
        },
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    world.inject(Who::Alice, &reply(&invite, 481, "", ""));
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Ended {
            leg: alice,
            reason: EndReason::Lost
        }
    );
    let mut world = World::new();
    let (alice, _) = world.talk();
    world.lose(|_, _| true);
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: offer(Who::Alice),
        },
    );
    world.run_ms(33_000);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Ended {
            leg: alice,
            reason: EndReason::Timeout
        }
    );
    assert!(world.count(Who::Alice, "BYE") > 0);
}

#[test]
fn new_offer_says_that_the_lost_ack_was_sent() {
    let mut world = World::new();
    let alice = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.lose(|_, label| label == "ACK");
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(50);
    world.command(
        Who::Alice,
        Command::Reinvite {
            leg: alice,
            offer: audio(Who::Alice, 2).offer(),
        },
    );
    world.run_ms(50);
    let events = world.take_events(Who::Bob);
    assert!(
        matches!(
            events.as_slice(),
            [Event::Confirmed { .. }, Event::Offered { .. }]
        ),
        "{events:?}"
    );
}

#[test]
fn offer_that_the_far_side_never_decides_is_cancelled_and_then_ends_the_call() {
    for cancel_is_heard in [true, false] {
        let mut world = World::new();
        let (alice, _) = world.talk();
        world.lose(|_, _| true);
        world.command(
            Who::Alice,
            Command::Reinvite {
                leg: alice,
                offer: offer(Who::Alice),
            },
        );
        let invite = world.last_request(Who::Alice, "INVITE");
        world.inject(Who::Alice, &reply(&invite, 100, "", ""));
        world.run_ms(61_000);
        assert_eq!(world.times(Who::Alice, "CANCEL").len(), 2);
        if cancel_is_heard {
            world.inject(Who::Alice, &reply(&invite, 487, "", ""));
            let status = Status::REQUEST_TERMINATED;
            let failed = Event::OfferFailed { leg: alice, status };
            assert_eq!(world.take_event(Who::Alice), failed);
        }
        world.run_ms(33_000);
        let ended = Event::Ended {
            leg: alice,
            reason: EndReason::Timeout,
        };
        let expected = if cancel_is_heard { vec![] } else { vec![ended] };
        assert_eq!(world.take_events(Who::Alice), expected);
    }
}
