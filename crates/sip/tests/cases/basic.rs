//! A call from its INVITE to its BYE, and what surrounds it.

use std::time::Duration;

use sip::message::HeaderName;
use sip::sdp::{Answerer, Negotiated, RemoteAudio};
use sip::{Body, Command, EndReason, Event, Status};

use super::world::{Who, World, account, audio, credentials, offer, status, uri};

#[test]
fn call_is_rung_answered_and_hung_up() {
    let mut world = World::new();
    let alice = world.invite();
    world.run_ms(50);
    let incoming = world.take_incoming(Who::Bob);
    assert_eq!(
        (incoming.peer.as_deref(), incoming.max_forwards),
        (Some("Alice"), 70)
    );
    assert_eq!(incoming.request_uri, uri("sip:100@192.0.2.20"));
    let bob = incoming.leg;
    world.command(
        Who::Bob,
        Command::Provisional {
            leg: bob,
            status: Status::RINGING,
            answer: None,
        },
    );
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Progress {
            leg: alice,
            status: Status::RINGING,
            answer: None
        }
    );
    let theirs = incoming.offer.expect("offer");
    let answer = audio(Who::Bob, 1).answer(&theirs).expect("answer");
    let far = RemoteAudio::read(&answer, Who::Bob.address().ip()).expect("audio");
    assert!(Negotiated::new(&offer(Who::Alice), &far, Answerer::Them).is_ok());
    world.command(
        Who::Bob,
        Command::Answer {
            leg: bob,
            answer: answer.clone(),
        },
    );
    world.run_ms(50);
    let heard = Event::Answered {
        leg: alice,
        answer: Some(answer),
        late_offer: None,
    };
    assert_eq!(world.take_event(Who::Alice), heard);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Confirmed {
            leg: bob,
            answer: None
        }
    );
    let labels = [
        "A INVITE",
        "B 100 INVITE",
        "B 180 INVITE",
        "B 200 INVITE",
        "A ACK",
    ];
    assert_eq!(world.labels(), labels);
}

#[test]
fn hanging_up_says_why_and_leaves_nothing_behind() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    world.command(
        Who::Alice,
        Command::Hangup {
            leg: alice,
            reason: Some("Q.850;cause=16".to_owned()),
        },
    );
    world.run_ms(50);
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
            reason: EndReason::Bye
        }
    );
    assert!(
        world
            .last_text(Who::Alice, "BYE")
            .contains("Reason: Q.850;cause=16\r\n")
    );
    assert_eq!(world.labels(), ["A BYE", "B 200 BYE"]);
    world.assert_clean();
}

#[test]
fn callee_can_hang_up_too() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    world.command(
        Who::Bob,
        Command::Hangup {
            leg: bob,
            reason: None,
        },
    );
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Ended {
            leg: alice,
            reason: EndReason::Bye
        }
    );
    assert_eq!(world.labels(), ["B BYE", "A 200 BYE"]);
    world.assert_clean();
}

#[test]
fn refusal_says_what_else_is_to_be_said() {
    let mut world = World::new();
    let alice = world.invite();
    world.run_ms(50);
    let leg = world.take_incoming(Who::Bob).leg;
    let decline = |status, headers| Command::Decline {
        leg,
        status,
        headers,
    };
    let early = decline(Status::RINGING, Vec::new());
    assert!(world.try_command(Who::Bob, early).is_err());
    let warning = "399 tonewall \"the service is closed\"";
    let said = vec![
        (HeaderName::WARNING, warning.to_owned()),
        (HeaderName::RETRY_AFTER, "1800".to_owned()),
    ];
    world.command(Who::Bob, decline(Status::TEMPORARILY_UNAVAILABLE, said));
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Failed {
            leg: alice,
            status: Status::TEMPORARILY_UNAVAILABLE,
            retry_after: Some(Duration::from_secs(1_800))
        }
    );
    let ended = Event::Ended {
        leg,
        reason: EndReason::Rejected,
    };
    assert_eq!(world.take_event(Who::Bob), ended);
    let text = world.last_text(Who::Bob, "480 INVITE");
    assert!(
        text.contains(&format!("\r\nWarning: {warning}\r\n")),
        "{text}"
    );
    world.assert_clean();
}

#[test]
fn refusal_reaches_the_caller_and_is_acknowledged() {
    let mut world = World::new();
    let alice = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    world.command(
        Who::Bob,
        Command::Reject {
            leg: bob,
            status: Status::BUSY_HERE,
            reason: Some("In a call".to_owned()),
        },
    );
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Failed {
            leg: alice,
            status: Status::BUSY_HERE,
            retry_after: None
        }
    );
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: bob,
            reason: EndReason::Rejected
        }
    );
    assert!(
        world
            .last_text(Who::Bob, "486 INVITE")
            .starts_with("SIP/2.0 486 In a call\r\n")
    );
    assert_eq!(
        world.labels(),
        ["A INVITE", "B 100 INVITE", "B 486 INVITE", "A ACK"]
    );
    world.assert_clean();
}

#[test]
fn early_media_counts_as_the_answer() {
    let mut world = World::new();
    let alice = world.invite();
    world.run_ms(50);
    let bob = world.take_incoming(Who::Bob).leg;
    let early = offer(Who::Bob);
    world.command(
        Who::Bob,
        Command::Provisional {
            leg: bob,
            status: Status::SESSION_PROGRESS,
            answer: Some(early.clone()),
        },
    );
    world.run_ms(50);
    let progress = Event::Progress {
        leg: alice,
        status: Status::SESSION_PROGRESS,
        answer: Some(early),
    };
    assert_eq!(world.take_event(Who::Alice), progress);
}

#[test]
fn late_offer_is_answered_in_the_ack() {
    let mut world = World::new();
    let alice = world.invite_with(None, None);
    world.run_ms(50);
    let incoming = world.take_incoming(Who::Bob);
    assert_eq!(incoming.offer, None);
    world.command(
        Who::Bob,
        Command::Answer {
            leg: incoming.leg,
            answer: offer(Who::Bob),
        },
    );
    world.run_ms(50);
    let Event::Answered {
        answer: None,
        late_offer: Some(late),
        ..
    } = world.take_event(Who::Alice)
    else {
        panic!("no late offer")
    };
    let answer = audio(Who::Alice, 1).answer(&late).expect("answer");
    world.command(
        Who::Alice,
        Command::AckAnswer {
            leg: alice,
            answer: answer.clone(),
        },
    );
    world.run_ms(50);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Confirmed {
            leg: incoming.leg,
            answer: Some(answer)
        }
    );
}

#[test]
fn keys_by_info_are_consumed_and_answered() {
    let mut world = World::new();
    let (alice, bob) = world.talk();
    for (content_type, body) in [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
        ("application/dtmf", "#"),
    ] {
        world.command(
            Who::Alice,
            Command::Info {
                leg: alice,
                content_type: content_type.to_owned(),
                body: Body::from(body),
            },
        );
    }
    world.run_ms(50);
    let key = |code| Event::InfoKey {
        leg: bob,
        key: secret::Key::from_event(code).unwrap(),
    };
    assert_eq!(world.take_events(Who::Bob), [key(5), key(11)]);
    assert_eq!(world.count(Who::Bob, "200 INFO"), 2);
    assert!(!format!("{:?}", key(5)).contains('5'));
    world.command(
        Who::Alice,
        Command::Info {
            leg: alice,
            content_type: "text/plain".to_owned(),
            body: Body::from("5"),
        },
    );
    world.run_ms(50);
    assert_eq!(
        (
            world.count(Who::Bob, "415 INFO"),
            world.take_events(Who::Bob).len()
        ),
        (1, 0)
    );
}

#[test]
fn phone_registers_is_called_and_calls() {
    let mut world = World::new();
    world.command(Who::Bob, Command::SetPeers { peers: Vec::new() });
    world.command(
        Who::Bob,
        Command::SetPhones {
            accounts: vec![account("anna", "p4ss")],
        },
    );
    let register = Command::Register {
        aor: uri("sip:anna@192.0.2.20"),
        contact: None,
        flow: sip::Flow::udp(Who::Bob.address()),
        others: Vec::new(),
        credentials: credentials("anna", "p4ss"),
        expires: Duration::from_secs(600),
    };
    world.command(Who::Alice, register);
    world.run_ms(100);
    let done = Event::RegisterDone {
        aor: uri("sip:anna@192.0.2.20"),
        expires: Duration::from_secs(600),
    };
    assert_eq!(world.take_event(Who::Alice), done);
    let flow = sip::Flow::udp(Who::Alice.address());
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Registered {
            user: "anna".to_owned(),
            flow
        }
    );
    assert_eq!(
        world.bob.registration("anna"),
        Some((uri("sip:anna@192.0.2.10:5060"), flow))
    );
    assert_eq!(
        world.labels(),
        [
            "A REGISTER",
            "B 401 REGISTER",
            "A REGISTER",
            "B 200 REGISTER"
        ]
    );
    let leg = world.invite_with(Some(offer(Who::Alice)), Some(credentials("anna", "p4ss")));
    world.run_ms(100);
    let incoming = world.take_incoming(Who::Bob);
    assert_eq!(
        (incoming.registered_user.as_deref(), incoming.peer),
        (Some("anna"), None)
    );
    world.command(Who::Alice, Command::Hangup { leg, reason: None });
    world.run_ms(100);
    assert_eq!(
        world.take_event(Who::Bob),
        Event::Ended {
            leg: incoming.leg,
            reason: EndReason::Cancelled
        }
    );
}

#[test]
fn options_tell_what_we_take() {
    let mut world = World::new();
    world.inject(
        Who::Bob,
        "OPTIONS sip:192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
         Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n",
    );
    let response = world.last_response(Who::Bob, "200 OPTIONS");
    assert!(response.headers.has_token(&HeaderName::ALLOW, "INVITE"));
    assert!(response.headers.to().unwrap().tag().is_some());
    assert_eq!(status(200), response.status);
}
