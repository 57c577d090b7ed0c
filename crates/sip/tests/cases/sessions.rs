//! Session timers (RFC 4028), both roles.

use std::time::Duration;

use sip::message::{HeaderName, Request};
use sip::{Command, EndReason, Event, LegId, Status};

use super::dialogs::{inside, talk};
use super::world::{Who, World, accepted_lines, audio, offer, reply, request};

const INVITE_WITH_SDP: &str = "Content-Type: application/sdp\r\n\r\n";

/// A call of Alice's that a hand-written Bob accepts with these lines before the description; nothing reaches Bob.
fn accepted(lines: &str) -> (World, LegId) {
    let mut world = World::new();
    world.lose(|_, _| true);
    let alice = world.invite();
    let invite = world.last_request(Who::Alice, "INVITE");
    let lines = format!("{lines}{}", accepted_lines());
    world.inject(Who::Alice, &reply(&invite, 200, "bob", &lines));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::Answered { .. }
    ));
    (world, alice)
}

/// An INVITE of a hand-written Alice, with these lines, and what Bob sends when he answers it.
fn answered(lines: &str) -> World {
    let mut world = World::new();
    let body = offer(Who::Alice).to_string();
    let invite = request("INVITE", lines).replace(
        "Content-Length: 0\r\n\r\n",
        &format!("Content-Length: {}\r\n{INVITE_WITH_SDP}{body}", body.len()),
    );
    world.inject(Who::Bob, &invite);
    let leg = world.take_incoming(Who::Bob).leg;
    let answer = offer(Who::Bob);
    world.command(Who::Bob, Command::Answer { leg, answer });
    world
}

fn text<'a>(request: &'a Request, name: &HeaderName) -> Option<&'a str> {
    request.headers.text(name)
}

fn ended(leg: LegId, reason: EndReason) -> Event {
    Event::Ended { leg, reason }
}

#[test]
fn a_call_that_both_sides_refresh_goes_on() {
    let mut world = World::new();
    let alice = world.invite();
    world.run_ms(50);
    let invite = world.last_request(Who::Alice, "INVITE");
    assert_eq!(text(&invite, &HeaderName::SESSION_EXPIRES), Some("600"));
    assert!(invite.headers.has_token(&HeaderName::SUPPORTED, "timer"));
    let leg = world.take_incoming(Who::Bob).leg;
    let answer = offer(Who::Bob);
    world.command(Who::Bob, Command::Answer { leg, answer });
    world.run_ms(100);
    let granted = world.last_response(Who::Bob, "200 INVITE");
    let granted = granted.headers.text(&HeaderName::SESSION_EXPIRES);
    assert_eq!(granted, Some("600;refresher=uas"));
    world.events.clear();
    world.seen.clear();
    world.run(Duration::from_secs(3_600));
    // Bob, who refreshes, does so at half of the interval.
    assert_eq!(world.count(Who::Bob, "UPDATE"), 11);
    assert_eq!(world.count(Who::Alice, "200 UPDATE"), 11);
    assert_eq!(world.events, []);
    let refresh = world.last_request(Who::Bob, "UPDATE");
    assert_eq!(
        text(&refresh, &HeaderName::SESSION_EXPIRES),
        Some("600;refresher=uac")
    );
    assert!(refresh.body.is_empty());
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
fn refresher_that_falls_silent_ends_the_call() {
    let (mut world, alice) = accepted("Session-Expires: 120;refresher=uas\r\nRequire: timer\r\n");
    world.run(Duration::from_millis(87_900));
    assert_eq!(world.events, []);
    world.run(Duration::from_secs(1));
    assert_eq!(
        world.take_event(Who::Alice),
        ended(alice, EndReason::Timeout)
    );
    let bye = world.last_request(Who::Alice, "BYE");
    assert_eq!(
        text(&bye, &HeaderName::REASON),
        Some("SIP;cause=408;text=\"Session expired\"")
    );
    assert_eq!(world.count(Who::Alice, "UPDATE"), 0);
}

#[test]
fn far_side_without_update_is_refreshed_by_the_description_that_holds() {
    let lines = "Allow: INVITE, ACK, BYE\r\nSession-Expires: 120;refresher=uac\r\n";
    let (mut world, alice) = accepted(lines);
    world.seen.clear();
    world.run(Duration::from_secs(60));
    let refresh = world.last_request(Who::Alice, "INVITE");
    assert_eq!(
        refresh.body.as_bytes(),
        offer(Who::Alice).to_string().as_bytes()
    );
    assert_eq!(
        text(&refresh, &HeaderName::SESSION_EXPIRES),
        Some("120;refresher=uac")
    );
    let lines = format!("Session-Expires: 120;refresher=uac\r\n{}", accepted_lines());
    world.inject(Who::Alice, &reply(&refresh, 200, "", &lines));
    assert_eq!((world.count(Who::Alice, "ACK"), world.events.len()), (1, 0));
    // Its next answer is another description: our caller has to hear of it.
    world.run(Duration::from_secs(60));
    let refresh = world.last_request(Who::Alice, "INVITE");
    let moved = audio(Who::Bob, 2).offer();
    let lines = format!(
        "Session-Expires: 120;refresher=uac\r\nContact: <sip:b@192.0.2.20>\r\n{INVITE_WITH_SDP}{moved}"
    );
    world.inject(Who::Alice, &reply(&refresh, 200, "", &lines));
    let heard = Event::OfferAnswered {
        leg: alice,
        answer: moved,
    };
    assert_eq!(world.take_event(Who::Alice), heard);
}

#[test]
fn refresh_that_finds_no_call_or_no_answer_ends_it() {
    let lines = "Allow: INVITE, UPDATE\r\nSession-Expires: 120\r\n";
    for (code, reason) in [(481, EndReason::Lost), (408, EndReason::Lost)] {
        let (mut world, alice) = accepted(lines);
        world.run(Duration::from_secs(60));
        let refresh = world.last_request(Who::Alice, "UPDATE");
        world.inject(Who::Alice, &reply(&refresh, code, "", ""));
        assert_eq!(world.take_event(Who::Alice), ended(alice, reason), "{code}");
        assert_eq!(world.count(Who::Alice, "BYE"), 1);
    }
    let (mut world, alice) = accepted("Allow: UPDATE\r\nSession-Expires: 600\r\n");
    world.run(Duration::from_secs(340));
    assert_eq!(
        world.take_event(Who::Alice),
        ended(alice, EndReason::Timeout)
    );
}

#[test]
fn refresh_that_collides_or_is_refused_is_tried_again() {
    let lines = "Allow: UPDATE\r\nSession-Expires: 600\r\n";
    for (code, earliest, latest) in [(491, 2_100, 4_000), (500, 10_000, 10_000)] {
        let (mut world, _) = accepted(lines);
        world.run(Duration::from_secs(300));
        let refresh = world.last_request(Who::Alice, "UPDATE");
        world.inject(Who::Alice, &reply(&refresh, code, "", ""));
        world.seen.clear();
        world.run_ms(earliest - 1);
        assert_eq!(world.count(Who::Alice, "UPDATE"), 0, "{code}");
        world.run_ms(latest - earliest + 1);
        assert!(world.count(Who::Alice, "UPDATE") > 0, "{code}");
    }
    // One that refuses UPDATE after all is asked by re-INVITE at once.
    let (mut world, _) = accepted(lines);
    world.run(Duration::from_secs(300));
    let refresh = world.last_request(Who::Alice, "UPDATE");
    world.seen.clear();
    world.inject(Who::Alice, &reply(&refresh, 405, "", ""));
    assert_eq!(world.count(Who::Alice, "INVITE"), 1);
}

#[test]
fn refresh_that_is_refused_until_the_end_ends_the_call() {
    let (mut world, alice) = accepted("Allow: UPDATE\r\nSession-Expires: 120\r\n");
    for _ in 0..40 {
        world.run(Duration::from_secs(1));
        if world.count(Who::Alice, "UPDATE") > 0 {
            let refresh = world.last_request(Who::Alice, "UPDATE");
            world.inject(Who::Alice, &reply(&refresh, 503, "", ""));
        }
    }
    world.run(Duration::from_secs(48));
    assert_eq!(
        world.take_event(Who::Alice),
        ended(alice, EndReason::Timeout)
    );
}

#[test]
fn interval_too_small_for_the_far_side_is_raised() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let alice = world.invite();
    for (asked, wanted) in [("600", 900), ("900", 1_800)] {
        let invite = world.last_request(Who::Alice, "INVITE");
        assert_eq!(text(&invite, &HeaderName::SESSION_EXPIRES), Some(asked));
        let lines = format!("Min-SE: {wanted}");
        world.inject(Who::Alice, &reply(&invite, 422, "bob", &lines));
    }
    let invite = world.last_request(Who::Alice, "INVITE");
    assert_eq!(text(&invite, &HeaderName::SESSION_EXPIRES), Some("1800"));
    assert_eq!(text(&invite, &HeaderName::MIN_SE), Some("1800"));
    // What is no more than was asked is no reason.
    world.inject(Who::Alice, &reply(&invite, 422, "bob", "Min-SE: 1800"));
    let failed = Event::Failed {
        leg: alice,
        status: Status::SESSION_INTERVAL_TOO_SMALL,
        retry_after: None,
    };
    assert_eq!(world.take_event(Who::Alice), failed);
}

#[test]
fn interval_that_is_raised_without_end_is_given_up() {
    let mut world = World::new();
    world.lose(|_, _| true);
    world.invite();
    for wanted in 601..610 {
        let invite = world.last_request(Who::Alice, "INVITE");
        let lines = format!("Min-SE: {wanted}");
        world.inject(Who::Alice, &reply(&invite, 422, "bob", &lines));
    }
    assert_eq!(world.count(Who::Alice, "INVITE"), 4);
    assert!(matches!(world.take_event(Who::Alice), Event::Failed { .. }));
}

#[test]
fn refresh_whose_interval_is_too_small_is_raised_at_once() {
    let (mut world, _) = accepted("Allow: UPDATE\r\nSession-Expires: 120\r\n");
    world.run(Duration::from_secs(60));
    let refresh = world.last_request(Who::Alice, "UPDATE");
    world.inject(Who::Alice, &reply(&refresh, 422, "", "Min-SE: 300"));
    let again = world.last_request(Who::Alice, "UPDATE");
    assert_eq!(
        text(&again, &HeaderName::SESSION_EXPIRES),
        Some("300;refresher=uac")
    );
    assert_eq!(text(&again, &HeaderName::MIN_SE), Some("300"));
}

#[test]
fn what_callers_want_is_granted_within_bounds() {
    let cases = [
        // Caller's lines, what it is granted, whether it has to know timers.
        ("", None, false),
        ("Supported: timer\r\n", Some("600;refresher=uas"), false),
        (
            "Supported: timer\r\nSession-Expires: 1800\r\n",
            Some("600;refresher=uas"),
            false,
        ),
        (
            "Supported: timer\r\nx: 90;refresher=uac\r\n",
            Some("90;refresher=uac"),
            true,
        ),
        (
            "Supported: timer\r\nSession-Expires: 200;refresher=uas\r\n",
            Some("200;refresher=uas"),
            false,
        ),
        (
            "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 1200\r\n",
            Some("1200;refresher=uas"),
            false,
        ),
        // A proxy's, for a caller that knows no timers.
        ("Session-Expires: 300\r\n", Some("300;refresher=uas"), false),
        ("Session-Expires: 30\r\n", None, false),
    ];
    for (lines, granted, is_required) in cases {
        let world = answered(lines);
        let response = world.last_response(Who::Bob, "200 INVITE");
        let headers = &response.headers;
        assert_eq!(
            headers.text(&HeaderName::SESSION_EXPIRES),
            granted,
            "{lines}"
        );
        assert_eq!(
            headers.has_token(&HeaderName::REQUIRE, "timer"),
            is_required,
            "{lines}"
        );
    }
}

#[test]
fn intervals_too_short_or_unreadable_are_refused() {
    for (lines, label) in [
        ("Supported: timer\r\nSession-Expires: 89\r\n", "422 INVITE"),
        (
            "Supported: timer\r\nSession-Expires: soon\r\n",
            "400 INVITE",
        ),
    ] {
        let mut world = World::new();
        world.inject(Who::Bob, &request("INVITE", lines));
        assert_eq!(world.count(Who::Bob, label), 1, "{lines}");
        assert_eq!(world.events, []);
    }
    let mut world = World::new();
    let lines = "Supported: timer\r\nSession-Expires: 60\r\n";
    world.inject(Who::Bob, &request("INVITE", lines));
    let refused = world.last_response(Who::Bob, "422 INVITE");
    assert_eq!(refused.headers.text(&HeaderName::MIN_SE), Some("90"));
}

#[test]
fn refreshes_of_the_far_side_keep_the_call() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    world.seen.retain(|seen| seen.label() == "ACK");
    world.lose(|_, _| true);
    for number in 2..6 {
        let lines = "Supported: timer\r\nSession-Expires: 120;refresher=uac";
        let update = inside(&world, "UPDATE", number, lines);
        world.inject(Who::Bob, &update);
        let granted = world.last_response(Who::Bob, "200 UPDATE");
        let granted = granted.headers.text(&HeaderName::SESSION_EXPIRES);
        assert_eq!(granted, Some("120;refresher=uac"));
        world.run(Duration::from_secs(80));
    }
    assert_eq!(world.take_events(Who::Bob), []);
    world.run(Duration::from_secs(10));
    assert_eq!(world.take_event(Who::Bob), ended(bob, EndReason::Timeout));
}

#[test]
fn expiry_while_a_change_waits_answers_it_first() {
    let mut world = World::new();
    let (_, bob) = talk(&mut world);
    world.seen.retain(|seen| seen.label() == "ACK");
    world.lose(|_, _| true);
    let lines = "Supported: timer\r\nSession-Expires: 90;refresher=uac";
    let update = inside(&world, "UPDATE", 2, lines);
    world.inject(Who::Bob, &update);
    world.run(Duration::from_secs(50));
    let lines = format!(
        "Contact: <sip:a@192.0.2.10>\r\n{INVITE_WITH_SDP}{}",
        offer(Who::Alice)
    );
    let invite = inside(&world, "INVITE", 3, &lines);
    world.inject(Who::Bob, &invite);
    world.run(Duration::from_secs(11));
    let events = world.take_events(Who::Bob);
    assert_eq!(events.last(), Some(&ended(bob, EndReason::Timeout)));
    assert_eq!(
        world.count(Who::Bob, "BYE"),
        2,
        "repeated, for nobody hears it"
    );
    assert!(world.count(Who::Bob, "487 INVITE") > 0);
}
