//! UPDATE (RFC 3311), by either side.

use sip::message::HeaderName;
use sip::{Command, CommandError, EndReason, Event, Status};

use super::dialogs::{inside, talk};
use super::world::{Who, World, audio, offer, reply};

/// Lines of a hand-written request that bears an offer of Alice.
fn offering() -> String {
    format!(
        "Contact: <sip:a@192.0.2.10>\r\nContent-Type: application/sdp\r\n\r\n{}",
        audio(Who::Alice, 2).offer()
    )
}

#[test]
fn either_side_may_offer_a_change_by_update() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
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
        world.run_ms(50);
        let answered = Event::OfferAnswered {
            leg: asker_leg,
            answer,
        };
        assert_eq!(world.take_event(asker), answered);
    }
    let labels = ["A UPDATE", "B 200 UPDATE", "B UPDATE", "A 200 UPDATE"];
    assert_eq!(world.labels(), labels);
    let ours = world.last_request(Who::Bob, "UPDATE");
    assert!(ours.headers.contains(&HeaderName::CONTACT));
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
fn refused_update_leaves_the_call_as_it_was() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    let offer = offer(Who::Alice);
    world.command(Who::Alice, Command::Update { leg: alice, offer });
    world.run_ms(50);
    world.take_event(Who::Bob);
    let status = Status::NOT_ACCEPTABLE_HERE;
    world.command(Who::Bob, Command::RejectOffer { leg: bob, status });
    world.run_ms(50);
    let failed = Event::OfferFailed { leg: alice, status };
    assert_eq!(world.take_event(Who::Alice), failed);
    let offer = audio(Who::Bob, 2).offer();
    world.command(Who::Bob, Command::Update { leg: bob, offer });
    world.run_ms(50);
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::Offered { .. }
    ));
}

#[test]
fn update_without_description_moves_the_target_and_is_answered_at_once() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let update = inside(&world, "UPDATE", 2, "Contact: <sip:new@192.0.2.10:5070>");
    world.inject(Who::Bob, &update);
    assert_eq!(world.count(Who::Bob, "200 UPDATE"), 1);
    assert_eq!(world.events, []);
    world.command(
        Who::Bob,
        Command::Hangup {
            leg: bob,
            reason: None,
        },
    );
    let bye = world.last_request(Who::Bob, "BYE");
    assert_eq!(bye.uri.to_string(), "sip:new@192.0.2.10:5070");
}

#[test]
fn s39_a_request_that_names_somebody_else_is_told_before_what_it_asks_for() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let contact = "Contact: <sip:a@192.0.2.10>";
    let asserting =
        |user: &str| format!("{contact}\r\nP-Asserted-Identity: <sip:{user}@192.0.2.10>");
    let other = Event::OtherIdentity { leg: bob };
    let known = world
        .last_request(Who::Alice, "ACK")
        .headers
        .from()
        .unwrap();
    let known = known.uri.user().unwrap().to_owned();
    let mut number = 2;
    let mut update = |world: &mut World, lines: &str, from: Option<&str>| {
        let mut update = inside(world, "UPDATE", number, lines);
        if let Some(user) = from {
            update = update.replacen(
                &format!("From: <sip:{known}@"),
                &format!("From: <sip:{user}@"),
                1,
            );
            assert!(update.contains(&format!("<sip:{user}@")), "{update}");
        }
        number += 1;
        world.inject(Who::Bob, &update);
        std::mem::take(&mut world.events)
    };
    assert_eq!(update(&mut world, contact, None), []);
    assert_eq!(update(&mut world, &asserting(&known), None), []);
    let told = [(Who::Bob, other)];
    assert_eq!(update(&mut world, &asserting("+15550100"), None), told);
    assert_eq!(update(&mut world, &asserting("+15550100"), None), []);
    assert_eq!(update(&mut world, contact, None), [], "says nothing anew");
    assert_eq!(update(&mut world, contact, Some("mallory")), told);
    assert_eq!(update(&mut world, contact, Some("mallory")), []);
    let offering = format!(
        "{}\r\n{}",
        "P-Asserted-Identity: <sip:eve@192.0.2.10>",
        offering()
    );
    let said = update(&mut world, &offering, Some("mallory"));
    assert!(matches!(
        &said[..],
        [(_, Event::OtherIdentity { .. }), (_, Event::Offered { .. })]
    ));
}

#[test]
fn updates_that_cross_are_both_refused_with_491() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    for (who, leg) in [(Who::Alice, alice), (Who::Bob, bob)] {
        let offer = offer(who);
        world.command(who, Command::Update { leg, offer });
    }
    world.run_ms(100);
    for (who, leg) in [(Who::Alice, alice), (Who::Bob, bob)] {
        let status = Status::REQUEST_PENDING;
        assert_eq!(world.take_event(who), Event::OfferFailed { leg, status });
    }
}

#[test]
fn update_while_another_change_is_open_waits_or_is_in_glare() {
    let mut world = World::new();
    talk(&mut world);
    for number in [2, 3] {
        let update = inside(&world, "UPDATE", number, &offering());
        world.inject(Who::Bob, &update);
    }
    assert_eq!(world.take_events(Who::Bob).len(), 1);
    let early = world.last_response(Who::Bob, "500 UPDATE");
    let wait: u8 = early
        .headers
        .number(&HeaderName::RETRY_AFTER)
        .unwrap()
        .unwrap();
    assert!(wait <= 10);
    // Our own re-INVITE is open.
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    let offer = offer(Who::Bob);
    world.command(Who::Bob, Command::Reinvite { leg: bob, offer });
    let update = inside(&world, "UPDATE", 2, &offering());
    world.inject(Who::Bob, &update);
    assert_eq!(world.count(Who::Bob, "491 UPDATE"), 1);
}

#[test]
fn update_that_nobody_decides_is_answered_with_504() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    let offer = offer(Who::Alice);
    world.command(Who::Alice, Command::Update { leg: alice, offer });
    world.run_ms(25_000);
    let status = Status::SERVER_TIMEOUT;
    let failed = Event::OfferFailed { leg: alice, status };
    assert_eq!(world.take_event(Who::Alice), failed);
    let answer = audio(Who::Bob, 2).offer();
    let late = world.try_command(Who::Bob, Command::AcceptOffer { leg: bob, answer });
    assert_eq!(late, Err(CommandError::WrongState));
}

#[test]
fn update_goes_only_to_those_who_take_it() {
    let mut world = World::new();
    let (alice, _) = world.talk();
    let offer = offer(Who::Alice);
    let invite = Command::Reinvite {
        leg: alice,
        offer: offer.clone(),
    };
    world.lose(|_, _| true);
    world.command(Who::Alice, invite);
    let request = world.last_request(Who::Alice, "INVITE");
    let lines = format!(
        "Allow: INVITE, ACK, BYE\r\nContact: <sip:b@192.0.2.20>\r\nContent-Type: application/sdp\r\n\r\n{}",
        audio(Who::Bob, 2).offer()
    );
    world.inject(Who::Alice, &reply(&request, 200, "", &lines));
    let refused = world.try_command(Who::Alice, Command::Update { leg: alice, offer });
    assert_eq!(refused, Err(CommandError::WrongState));
}

#[test]
fn unanswered_update_ends_the_call() {
    let mut world = World::new();
    let (alice, _) = world.talk();
    world.lose(|_, _| true);
    let offer = offer(Who::Alice);
    world.command(Who::Alice, Command::Update { leg: alice, offer });
    world.run_ms(33_000);
    let ended = Event::Ended {
        leg: alice,
        reason: EndReason::Timeout,
    };
    assert_eq!(world.take_event(Who::Alice), ended);
}

#[test]
fn update_outside_of_a_call_finds_no_dialog() {
    let mut world = World::new();
    let update = super::world::request("UPDATE", "");
    world.inject(Who::Bob, &update);
    assert_eq!(world.count(Who::Bob, "481 UPDATE"), 1);
}
