//! Giving up a call, at every moment.

use sip::{Command, EndReason, Event, Status};

use super::world::{Who, World, accepted_lines, invite_command, offer, reply, request};

fn hang_up(world: &mut World, leg: sip::LegId) {
    world.command(Who::Alice, Command::Hangup { leg, reason: None });
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Ended {
            leg,
            reason: EndReason::HungUp
        }
    );
}

#[test]
fn cancel_waits_for_the_first_provisional_answer() {
    let mut world = World::new();
    let leg = world.invite();
    hang_up(&mut world, leg);
    assert_eq!(world.labels(), ["A INVITE"]);
    world.run_ms(1_000);
    assert_eq!(
        world.labels(),
        [
            "A INVITE",
            "B 100 INVITE",
            "A CANCEL",
            "B 200 CANCEL",
            "B 487 INVITE",
            "A ACK"
        ]
    );
    assert!(matches!(
        world.take_events(Who::Bob).as_slice(),
        [
            Event::Incoming(_),
            Event::Ended {
                reason: EndReason::Cancelled,
                ..
            }
        ]
    ));
    world.assert_clean();
}

#[test]
fn cancel_goes_at_once_while_it_rings() {
    let mut world = World::new();
    let leg = world.invite();
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
    world.run_ms(50);
    world.take_events(Who::Alice);
    world.command(
        Who::Alice,
        Command::Hangup {
            leg,
            reason: Some("SIP;cause=200".to_owned()),
        },
    );
    let cancel = world.last_request(Who::Alice, "CANCEL");
    let invite = world.last_request(Who::Alice, "INVITE");
    for name in ["Via", "From", "To", "Call-ID", "Max-Forwards"] {
        let name = sip::HeaderName::from(name);
        assert_eq!(cancel.headers.text(&name), invite.headers.text(&name));
    }
    assert_eq!(
        cancel.headers.text(&sip::HeaderName::from("Reason")),
        Some("SIP;cause=200")
    );
    world.run_ms(100);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::Cancelled
        }
    );
    world.assert_clean();
}

#[test]
fn lost_cancel_is_repeated() {
    let mut world = World::new();
    world.lose_first(Who::Alice, "CANCEL", 2);
    let leg = world.invite();
    world.run_ms(50);
    hang_up(&mut world, leg);
    world.run_ms(5_000);
    assert_eq!(world.count(Who::Alice, "CANCEL"), 3);
    assert_eq!(world.count(Who::Bob, "487 INVITE"), 1);
    world.assert_clean();
}

#[test]
fn acceptance_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut world = World::new();
    let leg = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    hang_up(&mut world, leg);
    world.run_ms(1_000);
    let labels = world.labels();
    for label in [
        "A CANCEL",
        "B 200 CANCEL",
        "B 200 INVITE",
        "A ACK",
        "A BYE",
        "B 200 BYE",
    ] {
        assert!(
            labels.iter().any(|seen| seen == label),
            "{label} in {labels:?}"
        );
    }
    assert_eq!(
        world.take_events(Who::Bob),
        [
            Event::Confirmed {
                leg: bob,
                answer: None
            },
            Event::Ended {
                leg: bob,
                reason: EndReason::Bye
            }
        ]
    );
    assert_eq!(world.events, []);
    world.assert_clean();
}

#[test]
fn refusal_that_crosses_the_cancel_changes_nothing() {
    let mut world = World::new();
    let leg = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Reject {
            leg: bob,
            status: Status::BUSY_HERE,
            reason: None,
        },
    );
    hang_up(&mut world, leg);
    world.run_ms(1_000);
    assert_eq!(world.count(Who::Bob, "200 CANCEL"), 1);
    assert_eq!(
        (world.events.len(), world.count(Who::Bob, "487 INVITE")),
        (1, 0)
    );
    world.assert_clean();
}

#[test]
fn cancelled_invite_without_final_answer_is_forgotten_after_32_s() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.alice.new_leg();
    world.command(
        Who::Alice,
        invite_command(leg, Some(offer(Who::Alice)), None),
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    world.inject(Who::Alice, &reply(&invite, 180, "x", ""));
    world.take_events(Who::Alice);
    hang_up(&mut world, leg);
    let cancel = world.last_request(Who::Alice, "CANCEL");
    world.inject(Who::Alice, &reply(&cancel, 200, "x", ""));
    assert_eq!(world.alice.counters().legs, 1);
    world.run_ms(33_000);
    assert_eq!(world.alice.counters().legs, 0);
    world.assert_clean();
}

#[test]
fn call_that_is_given_up_unheard_ends_without_cancel() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.invite();
    hang_up(&mut world, leg);
    world.run_ms(40_000);
    assert_eq!(world.count(Who::Alice, "CANCEL"), 0);
    assert_eq!(world.events, []);
    world.assert_clean();
}

#[test]
fn late_acceptance_of_a_given_up_call_is_hung_up() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.invite();
    let invite = world.last_request(Who::Alice, "INVITE");
    hang_up(&mut world, leg);
    world.inject(Who::Alice, &reply(&invite, 200, "x", &accepted_lines()));
    assert_eq!(world.labels(), ["(A INVITE)", "(A ACK)", "(A BYE)"]);
    assert_eq!(world.events, []);
}

#[test]
fn cancel_of_an_answered_call_is_answered_and_ignored() {
    let mut world = World::new();
    let leg = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    let cancel = world
        .last_text(Who::Alice, "INVITE")
        .replace("INVITE sip", "CANCEL sip")
        .replace("1 INVITE", "1 CANCEL");
    let cancel = format!(
        "{}\r\n\r\n",
        cancel.split("\r\nContent-Type").next().unwrap()
    );
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(50);
    world.take_events(Who::Bob);
    world.inject(Who::Bob, &cancel);
    assert_eq!(
        (
            world.count(Who::Bob, "200 CANCEL"),
            world.take_events(Who::Bob).len()
        ),
        (1, 0)
    );
    let _ = leg;
}

#[test]
fn cancel_of_nothing_or_by_somebody_else_is_refused() {
    let mut world = World::new();
    world.inject(Who::Bob, &request("CANCEL", ""));
    assert_eq!(world.count(Who::Bob, "481 CANCEL"), 1);
    world.invite();
    world.run_ms(50);
    world.take_incoming(Who::Bob);
    let invite = world.last_text(Who::Alice, "INVITE");
    let cancel = invite
        .replace("INVITE sip", "CANCEL sip")
        .replace("1 INVITE", "1 CANCEL");
    world.inject_from(
        Who::Bob,
        "203.0.113.66:5060".parse().unwrap(),
        cancel.as_bytes(),
    );
    assert_eq!(
        (world.count(Who::Bob, "481 CANCEL"), world.events.len()),
        (2, 0)
    );
}
