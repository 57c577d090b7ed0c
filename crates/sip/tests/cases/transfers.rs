//! Calls that are to go elsewhere, or to take the place of others.

use std::time::Duration;

use sip::message::{HeaderName, NameAddr, Request};
use sip::{Command, CommandError, EndReason, Event, LegId, Referral};

use super::dialogs::{inside, talk};
use super::world::{Who, World, offer, request, status};

const TO_LEE: &str = "Refer-To: <sip:lee@192.0.2.20>";

/// Bob hears that Alice wants the call to go elsewhere.
fn referred(world: &mut World) -> (LegId, Referral) {
    match world.take_event(Who::Bob) {
        Event::Referred { leg, referral } => (leg, *referral),
        other => panic!("{other:?}"),
    }
}

fn to_lee() -> NameAddr {
    NameAddr::parse(b"<sip:lee@192.0.2.20>").unwrap()
}

/// Subscription-State, Event and body of each NOTIFY of Bob.
fn reports(world: &World) -> Vec<(String, String, String)> {
    let of = |request: &Request, name| request.headers.text(&name).unwrap().to_owned();
    let mut reports = Vec::new();
    for seen in &world.seen {
        let parsed = sip::message::parse(seen.text.as_bytes());
        let sip::message::Parsed::Request(request) = parsed else {
            continue;
        };
        if request.method == sip::Method::Notify {
            reports.push((
                of(&request, HeaderName::SUBSCRIPTION_STATE),
                of(&request, HeaderName::EVENT),
                String::from_utf8(request.body.as_bytes().to_vec()).unwrap(),
            ));
        }
    }
    reports
}

#[test]
fn a_referral_is_accepted_and_reported_until_its_end() {
    let mut world = World::with_transfers();
    let (alice, bob) = talk(&mut world);
    let invite = world.last_request(Who::Alice, "INVITE");
    assert!(invite.headers.has_token(&HeaderName::ALLOW, "REFER"));
    assert!(invite.headers.has_token(&HeaderName::SUPPORTED, "replaces"));
    let to = to_lee();
    world.command(Who::Alice, Command::Refer { leg: alice, to });
    world.run_ms(50);
    let (leg, referral) = referred(&mut world);
    assert_eq!((leg, referral.replaces), (bob, None));
    assert_eq!(referral.to.target.to_string(), "sip:lee@192.0.2.20");
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    world.run_ms(50);
    let accepted = world.last_response(Who::Bob, "202 REFER");
    assert!(accepted.headers.contains(&HeaderName::CONTACT));
    for code in [180, 180, 183, 200] {
        let report = Command::ReportReferral {
            leg: bob,
            status: status(code),
        };
        world.command(Who::Bob, report);
        world.run_ms(50);
    }
    let said = |state: &str, line: &str| {
        let line = format!("SIP/2.0 {line}\r\n");
        (state.to_owned(), "refer".to_owned(), line)
    };
    assert_eq!(
        reports(&world),
        [
            said("active;expires=60", "100 Trying"),
            said("active;expires=59", "180 Ringing"),
            said("active;expires=59", "183 Session Progress"),
            said("terminated;reason=noresource", "200 OK"),
        ]
    );
    let told: Vec<_> = world
        .take_events(Who::Alice)
        .into_iter()
        .map(|event| match event {
            Event::ReferAnswered { status, .. } => (status.code(), false),
            Event::ReferReport {
                status, is_last, ..
            } => (status.code(), is_last),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (202, false),
        (100, false),
        (180, false),
        (183, false),
        (200, true),
    ];
    assert_eq!(told, expected);
    assert_eq!(world.count(Who::Alice, "200 NOTIFY"), 4);
    // The next one's reports say which it is about.
    let to = to_lee();
    world.command(Who::Alice, Command::Refer { leg: alice, to });
    world.run_ms(50);
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    let number = world.last_request(Who::Alice, "REFER").headers.cseq();
    let event = format!("refer;id={}", number.unwrap().number);
    assert_eq!(reports(&world).last().unwrap().1, event);
}

#[test]
fn a_leg_has_one_referral_at_a_time() {
    let mut world = World::with_transfers();
    let (_, bob) = talk(&mut world);
    let refer = |world: &mut World, number| {
        let text = inside(world, "REFER", number, TO_LEE);
        world.inject(Who::Bob, &text);
    };
    refer(&mut world, 2);
    referred(&mut world);
    refer(&mut world, 3);
    assert_eq!(world.count(Who::Bob, "491 REFER"), 1);
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    refer(&mut world, 4);
    assert_eq!(world.count(Who::Bob, "491 REFER"), 2);
    let again = world.try_command(Who::Bob, Command::AcceptReferral { leg: bob });
    assert_eq!(again, Err(CommandError::WrongState));
    let report = |code| Command::ReportReferral {
        leg: bob,
        status: status(code),
    };
    world.command(Who::Bob, report(486));
    let after = world.try_command(Who::Bob, report(200));
    assert_eq!(after, Err(CommandError::WrongState));
    refer(&mut world, 5);
    referred(&mut world);
    world.command(
        Who::Bob,
        Command::RefuseReferral {
            leg: bob,
            status: status(603),
        },
    );
    assert_eq!(world.count(Who::Bob, "603 REFER"), 1);
    assert_eq!(world.count(Who::Bob, "NOTIFY"), 2);
}

#[test]
fn nobody_waits_for_a_decision_or_an_end_for_ever() {
    let mut world = World::with_transfers();
    let (_, bob) = talk(&mut world);
    let text = inside(&world, "REFER", 2, TO_LEE);
    world.inject(Who::Bob, &text);
    world.run(Duration::from_secs(6));
    assert_eq!(world.count(Who::Bob, "603 REFER"), 1);
    let text = inside(&world, "REFER", 3, TO_LEE);
    world.inject(Who::Bob, &text);
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    world.run(Duration::from_secs(61));
    let (state, _, line) = reports(&world).pop().unwrap();
    assert_eq!(state, "terminated;reason=timeout");
    assert_eq!(line, "SIP/2.0 100 Trying\r\n");
}

#[test]
fn who_wants_no_reports_gets_none_and_is_told_so() {
    let mut world = World::with_transfers();
    let (_, bob) = talk(&mut world);
    let lines = format!("{TO_LEE}\r\nRefer-Sub: False\r\nRequire: norefersub");
    let text = inside(&world, "REFER", 2, &lines);
    world.inject(Who::Bob, &text);
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    let accepted = world.last_response(Who::Bob, "202 REFER");
    let told = accepted.headers.text(&HeaderName::from("Refer-Sub"));
    assert_eq!(told, Some("false"));
    let report = Command::ReportReferral {
        leg: bob,
        status: status(200),
    };
    world.command(Who::Bob, report);
    assert_eq!(world.count(Who::Bob, "NOTIFY"), 0);
}

#[test]
fn a_bye_before_the_end_is_told_that_nothing_more_is_said() {
    let mut world = World::with_transfers();
    let (alice, bob) = talk(&mut world);
    let to = to_lee();
    world.command(Who::Alice, Command::Refer { leg: alice, to });
    world.run_ms(50);
    world.command(Who::Bob, Command::AcceptReferral { leg: bob });
    world.run_ms(50);
    world.events.clear();
    let reason = None;
    world.command(Who::Alice, Command::Hangup { leg: alice, reason });
    world.run_ms(50);
    let (state, _, line) = reports(&world).pop().unwrap();
    assert_eq!(state, "terminated;reason=noresource");
    assert_eq!(line, "SIP/2.0 100 Trying\r\n");
    let ended = Event::Ended {
        leg: bob,
        reason: EndReason::Bye,
    };
    assert_eq!(world.take_events(Who::Bob), [ended]);
    world.assert_clean();
}

#[test]
fn referrals_that_cannot_be_read_are_refused_and_nobody_hears_of_them() {
    let mut world = World::with_transfers();
    talk(&mut world);
    let twice = format!("{TO_LEE}\r\n{TO_LEE}");
    let by = format!("{TO_LEE}\r\nReferred-By: <sip:a");
    let cases = [
        ("", "400 REFER"),
        (&*twice, "400 REFER"),
        ("Refer-To: <tel:+15550100>", "416 REFER"),
        ("Refer-To: <http://a>", "416 REFER"),
        ("Refer-To: <sip:a@h;method=BYE>", "501 REFER"),
        ("Refer-To: <sip:a@h?Replaces=1>", "400 REFER"),
        (&*by, "400 REFER"),
    ];
    for (number, (lines, label)) in (2..).zip(cases) {
        let before = world.count(Who::Bob, label);
        let text = inside(&world, "REFER", number, lines);
        world.inject(Who::Bob, &text);
        assert_eq!(world.count(Who::Bob, label), before + 1, "{lines}");
    }
    world.inject(Who::Bob, &request("REFER", "Refer-To: <sip:a@h>\r\n"));
    assert_eq!(world.count(Who::Bob, "603 REFER"), 1, "outside of any call");
    assert_eq!(world.take_events(Who::Bob), []);
}

/// An INVITE of Alice that is to replace the call whose messages were seen.
fn replacing(world: &World, early: bool, spoil: impl Fn(String) -> String) -> String {
    let label = if early { "180 INVITE" } else { "200 INVITE" };
    let headers = world.last_response(Who::Bob, label).headers;
    let (from, to) = (headers.from().unwrap(), headers.to().unwrap());
    let replaces = format!(
        "Replaces: {};to-tag={};from-tag={}",
        headers.call_id().unwrap(),
        to.tag().unwrap(),
        from.tag().unwrap()
    );
    let lines = spoil(replaces);
    let sdp = offer(Who::Alice).to_string();
    let text = request(
        "INVITE",
        &format!("{lines}\r\nContent-Type: application/sdp\r\n"),
    );
    let length = format!("Content-Length: {}\r\n", sdp.len());
    text.replace("Content-Length: 0\r\n", &length) + &sdp
}

#[test]
fn a_call_names_the_leg_that_it_is_to_replace() {
    let mut world = World::with_transfers();
    let (_, bob) = talk(&mut world);
    let text = replacing(&world, false, |line| format!("{line}\r\nRequire: replaces"));
    world.inject(Who::Bob, &text);
    let incoming = world.take_incoming(Who::Bob);
    assert_eq!(incoming.replaces, Some(bob));
    // Nothing has happened to the call.
    assert_eq!(world.count(Who::Bob, "BYE"), 0);
}

#[test]
fn a_call_that_names_no_leg_of_ours_is_refused() {
    type Spoil = fn(String) -> String;
    let cases: [(Spoil, u16); 5] = [
        (|line| line.replace("to-tag=", "to-tag=x"), 481),
        (|line| line.replace("from-tag=", "from-tag=x"), 481),
        (|line| format!("{line};early-only"), 486),
        (|line| format!("{line}\r\n{line}"), 400),
        (|line| line.replace(";from-tag", ";x"), 400),
    ];
    for (spoil, code) in cases {
        let mut world = World::with_transfers();
        talk(&mut world);
        world.inject(Who::Bob, &replacing(&world, false, spoil));
        let label = format!("{code} INVITE");
        assert_eq!(world.count(Who::Bob, &label), 1, "{:?}", world.labels());
        assert_eq!(world.take_events(Who::Bob), []);
    }
}

#[test]
fn what_rings_here_was_not_begun_by_us_and_is_not_replaced() {
    let mut world = World::with_transfers();
    world.invite();
    world.run_ms(50);
    let leg = world.take_incoming(Who::Bob).leg;
    let ring = Command::Provisional {
        leg,
        status: status(180),
        answer: None,
    };
    world.command(Who::Bob, ring);
    world.run_ms(50);
    world.inject(Who::Bob, &replacing(&world, true, |line| line));
    assert_eq!(world.count(Who::Bob, "481 INVITE"), 1);
}

#[test]
fn a_referral_says_which_leg_of_ours_is_to_be_replaced() {
    let mut world = World::with_transfers();
    let (_, bob) = talk(&mut world);
    let headers = world.last_response(Who::Bob, "200 INVITE").headers;
    let (from, to) = (headers.from().unwrap(), headers.to().unwrap());
    for (number, tag, leg) in [(2, to.tag().unwrap(), Some(bob)), (3, "other", None)] {
        let lines = format!(
            "Refer-To: <sip:b@192.0.2.20?Replaces={}%3Bto-tag%3D{tag}%3Bfrom-tag%3D{}>\r\nReferred-By: <sip:alice@192.0.2.10>",
            headers.call_id().unwrap().replace('@', "%40"),
            from.tag().unwrap()
        );
        let text = inside(&world, "REFER", number, &lines);
        world.inject(Who::Bob, &text);
        let (_, referral) = referred(&mut world);
        assert_eq!(referral.replaces, leg);
        assert!(referral.to.replaces.is_some() && referral.referred_by.is_some());
        let status = status(603);
        world.command(Who::Bob, Command::RefuseReferral { leg: bob, status });
    }
}
