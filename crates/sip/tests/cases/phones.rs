//! Phones that register, and calls from them.

use std::time::Duration;

use sip::message::{HeaderName, Request};
use sip::{Command, Credentials, Event, Flow, Status};

use super::world::{Who, World, account, credentials, offer, reply, uri};

const AOR: &str = "sip:anna@192.0.2.20";

fn world() -> World {
    let mut world = World::new();
    world.command(Who::Bob, Command::SetPeers { peers: Vec::new() });
    world.command(
        Who::Bob,
        Command::SetPhones {
            accounts: vec![account("anna", "p4ss"), account("ben", "w0rd")],
        },
    );
    world
}

fn register(world: &mut World, credentials: Credentials, seconds: u64) {
    let expires = Duration::from_secs(seconds);
    let flow = Flow::udp(Who::Bob.address());
    world.command(
        Who::Alice,
        Command::Register {
            aor: uri(AOR),
            contact: None,
            flow,
            others: Vec::new(),
            credentials,
            expires,
        },
    );
}

fn registered(world: &mut World, seconds: u64) {
    register(world, credentials("anna", "p4ss"), seconds);
    world.run_ms(100);
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::RegisterDone { .. }
    ));
    assert!(matches!(
        world.take_event(Who::Bob),
        Event::Registered { .. }
    ));
}

/// The last REGISTER with credentials, changed and with a fresh branch.
fn changed(world: &World, change: impl Fn(&str) -> String) -> String {
    change(&world.last_text(Who::Alice, "REGISTER"))
        .replace("branch=z9hG4bK", "branch=z9hG4bKagain")
}

#[test]
fn binding_is_refreshed_before_it_runs_out() {
    let mut world = world();
    registered(&mut world, 60);
    world.run(Duration::from_secs(300));
    assert_eq!(world.count(Who::Bob, "200 REGISTER"), 10);
    assert_eq!(world.events, [], "a refresh is no news");
    assert!(world.bob.registration("anna").is_some());
}

#[test]
fn binding_runs_out_unless_refreshed() {
    let mut world = world();
    registered(&mut world, 60);
    world.lose(|who, _| who == Who::Alice);
    world.run(Duration::from_secs(59));
    assert!(world.bob.registration("anna").is_some());
    world.run(Duration::from_secs(2));
    assert_eq!(
        world.take_events(Who::Bob),
        [Event::Unregistered {
            user: "anna".to_owned()
        }]
    );
    assert_eq!(world.bob.registration("anna"), None);
    world.run(Duration::from_secs(10));
    let failed = Event::RegisterFailed {
        aor: uri(AOR),
        status: Status::REQUEST_TIMEOUT,
        realm: None,
    };
    assert_eq!(world.take_events(Who::Alice), [failed]);
}

#[test]
fn lost_registration_comes_back_by_itself() {
    let mut world = world();
    world.lose(|_, _| true);
    register(&mut world, credentials("anna", "p4ss"), 60);
    world.run(Duration::from_secs(40));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::RegisterFailed { .. }
    ));
    world.lose(|_, _| false);
    world.run(Duration::from_secs(40));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::RegisterDone { .. }
    ));
}

#[test]
fn binding_is_taken_away() {
    let mut world = world();
    registered(&mut world, 60);
    register(&mut world, credentials("anna", "p4ss"), 0);
    world.run_ms(100);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Unregistered {
            user: "anna".to_owned()
        }
    );
    assert_eq!(
        world.take_event(Who::Alice),
        Event::RegisterDone {
            aor: uri(AOR),
            expires: Duration::ZERO
        }
    );
    world.assert_clean();
}

#[test]
fn users_that_exist_and_users_that_do_not_get_the_same_answer() {
    let mut world = world();
    let mut answers = Vec::new();
    for credentials in [credentials("anna", "wrong"), credentials("nobody", "wrong")] {
        register(&mut world, credentials, 60);
        world.run_ms(200);
        assert!(matches!(
            world.take_event(Who::Alice),
            Event::RegisterFailed {
                status: Status::UNAUTHORIZED,
                ..
            }
        ));
        let answer = world.last_response(Who::Bob, "401 REGISTER");
        answers.push((
            answer.reason.clone(),
            answer
                .headers
                .iter()
                .map(|field| field.name.to_string())
                .collect::<Vec<_>>(),
        ));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(world.bob.counters().registrations, 0);
}

#[test]
fn challenge_offers_the_better_hash_first_and_each_is_accepted() {
    for algorithm in ["SHA-256", "MD5"] {
        let mut world = world();
        world.lose(|_, _| true);
        register(&mut world, credentials("anna", "p4ss"), 60);
        let first = world.last_text(Who::Alice, "REGISTER");
        world.inject(Who::Bob, &first);
        let challenge = world.last_text(Who::Bob, "401 REGISTER");
        let offered: Vec<&str> = challenge
            .lines()
            .filter(|line| line.starts_with("WWW-Authenticate"))
            .collect();
        assert!(offered[0].contains("SHA-256") && offered[1].contains("MD5"));
        let only: Vec<&str> = challenge
            .split("\r\n")
            .filter(|line| !line.starts_with("WWW-") || line.contains(algorithm))
            .collect();
        world.inject(Who::Alice, &only.join("\r\n"));
        let answer = world.last_text(Who::Alice, "REGISTER");
        assert!(answer.contains(&format!("algorithm={algorithm}")));
        world.inject(Who::Bob, &answer);
        assert_eq!(world.count(Who::Bob, "200 REGISTER"), 1, "{algorithm}");
    }
}

#[test]
fn copied_credentials_are_stale_and_bind_nothing() {
    let mut world = world();
    registered(&mut world, 60);
    let copy = changed(&world, |text| {
        text.replace("192.0.2.10:5060>", "203.0.113.9:5060>")
            .replace("CSeq: 2", "CSeq: 3")
    });
    world.inject_from(
        Who::Bob,
        "203.0.113.9:5060".parse().unwrap(),
        copy.as_bytes(),
    );
    let answer = world.last_response(Who::Bob, "401 REGISTER");
    assert!(
        answer
            .headers
            .text(&HeaderName::WWW_AUTHENTICATE)
            .unwrap()
            .contains("stale=true")
    );
    assert_eq!(
        world.bob.registration("anna").unwrap().1,
        Flow::udp(Who::Alice.address())
    );
    assert_eq!(world.events, []);
}

#[test]
fn old_nonce_is_stale_and_the_phone_tries_again_by_itself() {
    let mut world = world();
    world.lose(|_, _| true);
    register(&mut world, credentials("anna", "p4ss"), 60);
    let first = world.last_text(Who::Alice, "REGISTER");
    world.inject(Who::Bob, &first);
    let challenge = world.last_text(Who::Bob, "401 REGISTER");
    world.now += Duration::from_secs(301);
    world.inject(Who::Alice, &challenge);
    let answer = world.last_text(Who::Alice, "REGISTER");
    world.inject(Who::Bob, &answer);
    let stale = world.last_text(Who::Bob, "401 REGISTER");
    assert!(stale.contains("stale=true"));
    world.inject(Who::Alice, &stale);
    let again = world.last_text(Who::Alice, "REGISTER");
    world.inject(Who::Bob, &again);
    assert_eq!(world.count(Who::Bob, "200 REGISTER"), 1);
}

#[test]
fn one_phone_cannot_bind_for_another() {
    let mut world = world();
    register(&mut world, credentials("ben", "w0rd"), 60);
    world.run_ms(100);
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::RegisterFailed {
            status: Status::FORBIDDEN,
            ..
        }
    ));
    assert_eq!(world.bob.counters().registrations, 0);
}

#[test]
fn times_too_short_are_answered_with_the_shortest() {
    let mut world = world();
    register(&mut world, credentials("anna", "p4ss"), 5);
    world.run_ms(200);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::RegisterDone {
            aor: uri(AOR),
            expires: Duration::from_secs(30)
        }
    );
    assert_eq!(
        world
            .last_response(Who::Bob, "423 REGISTER")
            .headers
            .text(&HeaderName::MIN_EXPIRES),
        Some("30")
    );
}

#[test]
fn phone_whose_account_is_gone_or_changed_is_unregistered() {
    let mut world = world();
    registered(&mut world, 600);
    world.command(
        Who::Bob,
        Command::SetPhones {
            accounts: vec![account("anna", "p4ss")],
        },
    );
    assert_eq!(world.events, []);
    world.command(
        Who::Bob,
        Command::SetPhones {
            accounts: vec![account("anna", "changed")],
        },
    );
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Unregistered {
            user: "anna".to_owned()
        }
    );
}

#[test]
fn phones_hear_from_us_every_25_s() {
    let mut world = world();
    registered(&mut world, 600);
    world.run(Duration::from_secs(101));
    assert_eq!(world.count(Who::Bob, "keep-alive"), 4);
    assert_eq!(world.alice.counters().garbage, 0);
}

#[test]
fn contact_is_bound_to_the_source_of_the_packet() {
    let mut world = world();
    world.lose(|_, _| true);
    register(&mut world, credentials("anna", "p4ss"), 60);
    let outside = "198.51.100.44:41000".parse().unwrap();
    let first = world.last_text(Who::Alice, "REGISTER");
    world.inject_from(Who::Bob, outside, first.as_bytes());
    let challenge = world.last_text(Who::Bob, "401 REGISTER");
    assert!(challenge.contains("rport=41000") && challenge.contains("received=198.51.100.44"));
    world.inject(Who::Alice, &challenge);
    let answer = world.last_text(Who::Alice, "REGISTER");
    world.inject_from(Who::Bob, outside, answer.as_bytes());
    assert_eq!(
        world.bob.registration("anna"),
        Some((uri("sip:anna@192.0.2.10:5060"), Flow::udp(outside)))
    );
}

#[test]
fn calls_of_phones_need_proof_each_time() {
    let mut world = world();
    registered(&mut world, 600);
    let refused = [
        (None, Status::UNAUTHORIZED),
        (Some(credentials("anna", "wrong")), Status::UNAUTHORIZED),
        (Some(credentials("ben", "w0rd")), Status::FORBIDDEN),
    ];
    for (credentials, status) in refused {
        let leg = world.invite_with(Some(offer(Who::Alice)), credentials);
        world.run_ms(200);
        assert_eq!(
            world.take_event(Who::Alice),
            Event::Failed {
                leg,
                status,
                retry_after: None
            }
        );
    }
    world.invite_with(Some(offer(Who::Alice)), Some(credentials("anna", "p4ss")));
    world.run_ms(200);
    assert_eq!(
        world.take_incoming(Who::Bob).registered_user.as_deref(),
        Some("anna")
    );
}

#[test]
fn challenges_of_other_realms_get_no_credentials() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let leg = world.invite_with(Some(offer(Who::Alice)), Some(credentials("anna", "p4ss")));
    let invite: Request = world.last_request(Who::Alice, "INVITE");
    let challenge = "Proxy-Authenticate: Digest realm=\"evil\", nonce=\"1\", qop=\"auth\"";
    world.inject(Who::Alice, &reply(&invite, 407, "x", challenge));
    assert!(
        matches!(world.take_event(Who::Alice), Event::Failed { leg: failed, .. } if failed == leg)
    );
    assert!(world.seen.iter().all(|seen| !seen.text.contains("anna")));
}

#[test]
fn phone_behind_nat_is_reached_by_its_flow_even_after_it_moved_to_another_port() {
    let mut world = world();
    registered(&mut world, 600);
    let leg = world.invite_with(Some(offer(Who::Alice)), Some(credentials("anna", "p4ss")));
    world.run_ms(100);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(100);
    world.take_events(Who::Bob);
    world.lose(|_, _| true);
    let key = Command::Info {
        leg,
        content_type: "application/dtmf".to_owned(),
        body: sip::Body::from("1"),
    };
    world.command(Who::Alice, key);
    let info = world.last_text(Who::Alice, "INFO");
    let moved = "192.0.2.10:61000".parse().unwrap();
    world.inject_from(Who::Bob, moved, info.as_bytes());
    assert!(matches!(world.take_event(Who::Bob), Event::InfoKey { .. }));
    let now = world.now;
    let hang_up = Command::Hangup {
        leg: bob,
        reason: None,
    };
    world.bob.command(now, hang_up).unwrap();
    let bye = world.bob.poll_transmit().unwrap();
    assert!(bye.wire.as_bytes().starts_with(b"BYE "));
    assert_eq!(bye.flow.remote, moved);
}

/// Alice registers, and nothing that is sent arrives.
fn register_unheard(contact: Option<&str>, others: Vec<Flow>) -> World {
    let mut world = World::new();
    world.lose(|_, _| true);
    let register = Command::Register {
        aor: uri(AOR),
        contact: contact.map(str::to_owned),
        flow: Flow::udp(Who::Bob.address()),
        others,
        credentials: credentials("anna", "p4ss"),
        expires: Duration::from_secs(60),
    };
    world.command(Who::Alice, register);
    world
}

#[test]
fn contact_may_have_another_user_than_the_address_of_record() {
    let mut world = register_unheard(Some("4930123"), Vec::new());
    let request = world.last_request(Who::Alice, "REGISTER");
    let contact = request.headers.text(&HeaderName::CONTACT).unwrap();
    assert!(contact.contains("sip:4930123@"), "{contact}");
    let granted = format!("Contact: <sip:other@192.0.2.9>;expires=50, {contact};expires=40");
    world.inject(Who::Alice, &reply(&request, 200, "bob", &granted));
    let done = Event::RegisterDone {
        aor: uri(AOR),
        expires: Duration::from_secs(40),
    };
    assert_eq!(world.take_event(Who::Alice), done);
}

#[test]
fn registrar_that_refuses_is_left_alone_for_twice_as_long_each_time() {
    let mut world = register_unheard(None, Vec::new());
    let mut refuse = |lines: &str| {
        let request = world.last_request(Who::Alice, "REGISTER");
        world.inject(Who::Alice, &reply(&request, 403, "bob", lines));
        let sent = world.count(Who::Alice, "REGISTER");
        let mut waited = 0;
        while world.count(Who::Alice, "REGISTER") == sent {
            world.run(Duration::from_secs(1));
            waited += 1;
        }
        waited
    };
    assert_eq!([refuse(""), refuse(""), refuse("")], [30, 60, 120]);
    assert_eq!(refuse("Retry-After: 700"), 700);
    assert_eq!(
        [refuse(""), refuse("Retry-After: 9999"), refuse("")],
        [480, 900, 900]
    );
    let failed = world.take_events(Who::Alice);
    assert_eq!(failed.len(), 1, "it is said once: {failed:?}");
    let request = world.last_request(Who::Alice, "REGISTER");
    world.inject(Who::Alice, &reply(&request, 200, "bob", ""));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::RegisterDone { .. }
    ));
}

#[test]
fn challenge_of_another_realm_is_named_and_not_answered() {
    let mut world = register_unheard(None, Vec::new());
    let request = world.last_request(Who::Alice, "REGISTER");
    let challenge = "WWW-Authenticate: Digest realm=\"sip.example\", nonce=\"n\"";
    world.inject(Who::Alice, &reply(&request, 401, "bob", challenge));
    let failed = Event::RegisterFailed {
        aor: uri(AOR),
        status: Status::UNAUTHORIZED,
        realm: Some("sip.example".to_owned()),
    };
    assert_eq!(world.take_events(Who::Alice), [failed]);
    assert_eq!(world.count(Who::Alice, "REGISTER"), 1);
}

#[test]
fn wrong_password_is_sent_once() {
    let mut world = register_unheard(None, Vec::new());
    let challenge = "WWW-Authenticate: Digest realm=\"tonewall\", nonce=\"n\"";
    for _ in 0..2 {
        let request = world.last_request(Who::Alice, "REGISTER");
        world.inject(Who::Alice, &reply(&request, 401, "bob", challenge));
    }
    let failed = Event::RegisterFailed {
        aor: uri(AOR),
        status: Status::UNAUTHORIZED,
        realm: None,
    };
    assert_eq!(world.take_events(Who::Alice), [failed]);
    assert_eq!(world.count(Who::Alice, "REGISTER"), 2);
}

#[test]
fn registrar_that_is_silent_is_asked_elsewhere() {
    let nowhere = Flow::udp("192.0.2.77:5060".parse().unwrap());
    let mut world = world();
    let register = Command::Register {
        aor: uri(AOR),
        contact: None,
        flow: nowhere,
        others: vec![Flow::udp(Who::Bob.address())],
        credentials: credentials("anna", "p4ss"),
        expires: Duration::from_secs(60),
    };
    world.command(Who::Alice, register);
    world.run(Duration::from_secs(34));
    assert!(matches!(
        world.take_events(Who::Alice)[..],
        [Event::RegisterDone { .. }]
    ));
    assert!(world.bob.registration("anna").is_some());
    assert!(!world.alice.is_unregistering());
}
