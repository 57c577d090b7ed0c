//! Who repeats what, until when.

use sip::{Command, EndReason, Event, Status};

use super::world::{Who, World, accepted_lines, invite_command, offer, reply, request};

/// When repeats are due after the first message, with intervals that double up to four seconds.
fn doubling_to_t2(first: f64, end: f64) -> Vec<f64> {
    let mut times = vec![first];
    let (mut at, mut interval) = (first, 0.5_f64);
    while at + interval < end {
        at += interval;
        times.push(at);
        interval = (interval * 2.0).min(4.0);
    }
    times
}

#[test]
fn invite_is_repeated_with_doubling_intervals_and_given_up_after_32_s() {
    let mut world = World::new();
    world.lose(|who, _| who == Who::Alice);
    let leg = world.invite();
    world.run_ms(31_999);
    assert_eq!(
        world.times(Who::Alice, "INVITE"),
        [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    );
    assert_eq!(world.events, []);
    world.run_ms(1);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Failed {
            leg,
            status: Status::REQUEST_TIMEOUT,
            retry_after: None
        }
    );
    world.assert_clean();
}

#[test]
fn lost_invite_is_repeated_until_heard_and_makes_one_call() {
    let mut world = World::new();
    world.lose_first(Who::Alice, "INVITE", 2);
    world.invite();
    world.run_ms(5_000);
    world.take_incoming(Who::Bob);
    assert_eq!(
        world.labels(),
        ["(A INVITE)", "(A INVITE)", "A INVITE", "B 100 INVITE"]
    );
}

#[test]
fn lost_provisional_is_sent_again_when_the_invite_comes_again() {
    let mut world = World::new();
    world.lose_first(Who::Bob, "100 INVITE", 1);
    world.invite();
    world.run_ms(5_000);
    world.take_incoming(Who::Bob);
    assert_eq!(
        world.labels(),
        ["A INVITE", "(B 100 INVITE)", "A INVITE", "B 100 INVITE"]
    );
}

#[test]
fn bye_is_repeated_up_to_every_4_s_and_given_up_after_32_s() {
    let mut world = World::new();
    let (alice, _) = world.talk();
    let start = (world.now - world.start).as_secs_f64();
    world.lose(|who, _| who == Who::Bob);
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    world.run_ms(60_000);
    let times: Vec<f64> = world.times(Who::Alice, "BYE");
    assert_eq!(times.len(), 11);
    for (time, expected) in times.iter().zip(doubling_to_t2(start, start + 32.0)) {
        assert!((time - expected).abs() < 1e-6, "{times:?}");
    }
    let answers: Vec<&str> = world
        .seen
        .iter()
        .filter(|seen| seen.from == Who::Bob)
        .map(|seen| seen.text.as_str())
        .collect();
    assert_eq!(answers.len(), 11, "each repeat is answered");
    assert!(answers[0].starts_with("SIP/2.0 200 OK\r\n"));
    assert_eq!(answers, [answers[0]; 11], "with the same bytes");
    assert_eq!(world.take_events(Who::Bob).len(), 1);
    world.assert_clean();
}

#[test]
fn provisional_answer_slows_other_requests_to_4_s() {
    let mut world = World::new();
    let (alice, _) = world.talk();
    world.lose(|_, _| true);
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: None,
        },
    );
    let start = (world.now - world.start).as_secs_f64();
    let trying = reply(&world.last_request(Who::Alice, "BYE"), 100, "", "");
    world.inject(Who::Alice, &trying);
    world.run_ms(40_000);
    let times: Vec<f64> = world
        .times(Who::Alice, "BYE")
        .iter()
        .map(|time| time - start)
        .collect();
    assert_eq!(
        times.iter().map(|time| time.round()).collect::<Vec<_>>(),
        [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0]
    );
    assert_eq!(world.alice.counters().client_transactions, 0);
}

#[test]
fn refusal_is_repeated_until_acknowledged() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    let start = (world.now - world.start).as_secs_f64();
    world.lose_first(Who::Alice, "ACK", 2);
    world.command(
        Who::Bob,
        Command::Reject {
            leg: bob,
            status: Status::BUSY_HERE,
            reason: None,
        },
    );
    world.run_ms(60_000);
    let times: Vec<f64> = world
        .times(Who::Bob, "486 INVITE")
        .iter()
        .map(|time| time - start)
        .collect();
    assert_eq!(times, [0.0, 0.5, 1.5]);
    assert_eq!(world.count(Who::Alice, "ACK"), 3);
    assert_eq!(world.take_events(Who::Alice).len(), 1);
    world.assert_clean();
}

#[test]
fn refusal_that_is_never_acknowledged_is_given_up_after_32_s() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.lose(|who, _| who == Who::Alice);
    world.command(
        Who::Bob,
        Command::Reject {
            leg: bob,
            status: Status::BUSY_HERE,
            reason: None,
        },
    );
    let start = (world.now - world.start).as_secs_f64();
    world.run_ms(60_000);
    assert_eq!(
        world.times(Who::Bob, "486 INVITE"),
        doubling_to_t2(start, start + 32.0)
    );
    world.assert_clean();
}

#[test]
fn acceptance_is_repeated_and_each_repeat_acknowledged_again() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.lose_first(Who::Alice, "ACK", 3);
    let start = (world.now - world.start).as_secs_f64();
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(10_000);
    let times: Vec<f64> = world
        .times(Who::Bob, "200 INVITE")
        .iter()
        .map(|time| time - start)
        .collect();
    assert_eq!(times, [0.0, 0.5, 1.5, 3.5]);
    assert_eq!(world.count(Who::Alice, "ACK"), 4);
    assert_eq!(world.take_events(Who::Alice).len(), 1);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Confirmed {
            leg: bob,
            answer: None
        }
    );
}

#[test]
fn acceptance_that_is_never_acknowledged_ends_the_call_with_a_bye() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.lose(|who, label| who == Who::Alice && label == "ACK");
    let start = (world.now - world.start).as_secs_f64();
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(60_000);
    assert_eq!(
        world.times(Who::Bob, "200 INVITE"),
        doubling_to_t2(start, start + 32.0)
    );
    assert_eq!(world.times(Who::Bob, "BYE"), [start + 32.0]);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::Timeout
        }
    );
    assert!(matches!(
        world.take_events(Who::Alice).as_slice(),
        [
            Event::Answered { .. },
            Event::Ended {
                reason: EndReason::Bye,
                ..
            }
        ]
    ));
    world.assert_clean();
}

#[test]
fn invite_that_comes_again_after_its_acceptance_is_absorbed() {
    let mut world = World::new();
    world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    let again = world.last_text(Who::Alice, "INVITE");
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(50);
    world.take_events(Who::Bob);
    let sent = world.seen.len();
    world.inject(Who::Bob, &again);
    assert_eq!(
        (world.seen.len(), world.events.len()),
        (sent, 1),
        "nothing but Alice's answer event"
    );
}

#[test]
fn second_acceptance_of_a_forked_call_is_acknowledged_and_hung_up() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.alice.new_leg();
    world.command(
        Who::Alice,
        invite_command(leg, Some(offer(Who::Alice)), None),
    );
    let invite = world.last_request(Who::Alice, "INVITE");
    let lines = accepted_lines();
    world.inject(Who::Alice, &reply(&invite, 200, "one", &lines));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::Answered { .. }
    ));
    world.inject(Who::Alice, &reply(&invite, 200, "two", &lines));
    world.inject(Who::Alice, &reply(&invite, 200, "two", &lines));
    world.inject(Who::Alice, &reply(&invite, 200, "one", &lines));
    assert_eq!(
        world.labels()[1..],
        ["(A ACK)", "(A ACK)", "(A BYE)", "(A ACK)", "(A ACK)"]
    );
    assert!(world.last_text(Who::Alice, "BYE").contains(";tag=two"));
    assert_eq!(world.events, []);
    assert_eq!(world.alice.counters().legs, 1);
}

#[test]
fn responses_from_elsewhere_or_to_other_hops_are_strays() {
    let mut world = World::new();
    world.lose(|_, _| true);
    world.invite();
    let invite = world.last_request(Who::Alice, "INVITE");
    let busy = reply(&invite, 486, "x", "");
    world.inject_from(
        Who::Alice,
        "203.0.113.5:5060".parse().unwrap(),
        busy.as_bytes(),
    );
    world.inject(
        Who::Alice,
        &busy.replace("192.0.2.10:5060", "192.0.2.11:5060"),
    );
    world.inject(Who::Alice, &busy.replace("CSeq: 1 INVITE", "CSeq: 1 BYE"));
    assert_eq!((world.events.len(), world.alice.counters().strays), (0, 3));
    world.inject(Who::Alice, &busy);
    assert_eq!(world.events.len(), 1);
}

#[test]
fn acks_that_belong_to_nothing_are_dropped() {
    let mut world = World::new();
    world.inject(Who::Bob, &request("ACK", ""));
    assert!(world.seen.is_empty() && world.events.is_empty());
}
