//! Challenges to our requests inside dialogs.

use std::time::Duration;

use sip::message::{HeaderName, Request};
use sip::{Body, Command, EndReason, Event, LegId, Status};

use super::world::{Who, World, accepted_lines, audio, credentials, offer, reply};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"tonewall\", nonce=\"n1\", qop=\"auth\"";
const BY_PROXY: &str = "Proxy-Authenticate: Digest realm=\"tonewall\", nonce=\"p1\", qop=\"auth\"";

/// A call of Alice's, with credentials, that a hand-written Bob has accepted.
fn talking() -> (World, LegId) {
    let mut world = World::new();
    world.lose(|_, _| true);
    let own = Some(credentials("alice", "word"));
    let alice = world.invite_with(Some(offer(Who::Alice)), own);
    let invite = world.last_request(Who::Alice, "INVITE");
    let lines = format!(
        "Allow: UPDATE\r\nSession-Expires: 90;refresher=uac\r\n{}",
        accepted_lines()
    );
    world.inject(Who::Alice, &reply(&invite, 200, "bob", &lines));
    world.events.clear();
    world.seen.clear();
    (world, alice)
}

fn commands(leg: LegId) -> [(&'static str, Command); 4] {
    let offer = audio(Who::Alice, 2).offer();
    let info = Command::Info {
        leg,
        content_type: "application/dtmf-relay".to_owned(),
        body: Body::from("Signal=5\r\n"),
    };
    let bye = Command::Hangup {
        leg,
        reason: Some("Q.850;cause=16".to_owned()),
    };
    [
        (
            "INVITE",
            Command::Reinvite {
                leg,
                offer: offer.clone(),
            },
        ),
        ("UPDATE", Command::Update { leg, offer }),
        ("INFO", info),
        ("BYE", bye),
    ]
}

fn number(request: &Request) -> u32 {
    request.headers.cseq().unwrap().number
}

#[test]
fn each_request_in_a_call_is_sent_again_with_credentials() {
    for (code, challenge, name) in [
        (401, CHALLENGE, HeaderName::AUTHORIZATION),
        (407, BY_PROXY, HeaderName::PROXY_AUTHORIZATION),
    ] {
        for at in 0..4 {
            let (mut world, alice) = talking();
            let (label, command) = commands(alice)[at].clone();
            world.command(Who::Alice, command);
            let bare = world.last_request(Who::Alice, label);
            assert!(!bare.headers.contains(&name), "{label}");
            world.inject(Who::Alice, &reply(&bare, code, "", challenge));
            let proven = world.last_request(Who::Alice, label);
            let proof = proven.headers.text(&name).expect("credentials");
            assert!(proof.contains("nc=00000001"), "{proof}");
            assert!(
                proof.contains(&format!("uri=\"{}\"", proven.uri)),
                "{proof}"
            );
            assert_eq!(number(&proven), number(&bare) + 1);
            assert_eq!(proven.body, bare.body);
            let reason = HeaderName::REASON;
            assert_eq!(proven.headers.text(&reason), bare.headers.text(&reason));
            assert_ne!(
                proven.headers.text(&HeaderName::VIA),
                bare.headers.text(&HeaderName::VIA)
            );
        }
    }
}

#[test]
fn proven_change_is_answered_like_any_other() {
    for (label, command) in [commands(LegId(1))[0].clone(), commands(LegId(1))[1].clone()] {
        let (mut world, alice) = talking();
        assert_eq!(alice, LegId(1));
        world.command(Who::Alice, command);
        let bare = world.last_request(Who::Alice, label);
        world.inject(Who::Alice, &reply(&bare, 401, "", CHALLENGE));
        assert_eq!(world.events, []);
        let proven = world.last_request(Who::Alice, label);
        world.inject(Who::Alice, &reply(&proven, 200, "", &accepted_lines()));
        let answered = Event::OfferAnswered {
            leg: alice,
            answer: offer(Who::Bob),
        };
        assert_eq!(world.take_event(Who::Alice), answered);
    }
}

#[test]
fn same_challenge_twice_or_a_stale_one_thrice_ends_it() {
    let stale = format!("{CHALLENGE}, stale=TRUE");
    for (challenge, sent) in [(CHALLENGE, 2), (stale.as_str(), 3)] {
        let (mut world, alice) = talking();
        world.command(Who::Alice, commands(alice)[0].1.clone());
        for _ in 0..5 {
            let request = world.last_request(Who::Alice, "INVITE");
            world.inject(Who::Alice, &reply(&request, 401, "", challenge));
        }
        assert_eq!(world.count(Who::Alice, "INVITE"), sent, "{challenge}");
        let failed = Event::OfferFailed {
            leg: alice,
            status: Status::UNAUTHORIZED,
        };
        assert_eq!(world.take_event(Who::Alice), failed);
    }
}

#[test]
fn other_realms_get_nothing() {
    let (mut world, alice) = talking();
    world.command(Who::Alice, commands(alice)[3].1.clone());
    let bye = world.last_request(Who::Alice, "BYE");
    let elsewhere = CHALLENGE.replace("realm=\"tonewall\"", "realm=\"elsewhere\"");
    world.inject(Who::Alice, &reply(&bye, 401, "", &elsewhere));
    assert_eq!(world.count(Who::Alice, "BYE"), 1);
}

#[test]
fn uses_of_one_nonce_are_counted() {
    let (mut world, alice) = talking();
    for count in 1..4 {
        world.command(Who::Alice, commands(alice)[2].1.clone());
        let bare = world.last_request(Who::Alice, "INFO");
        world.inject(Who::Alice, &reply(&bare, 401, "", CHALLENGE));
        let proven = world.last_request(Who::Alice, "INFO");
        let proof = proven.headers.text(&HeaderName::AUTHORIZATION).unwrap();
        assert!(proof.contains(&format!("nc=0000000{count}")), "{proof}");
        world.inject(Who::Alice, &reply(&proven, 200, "", ""));
    }
}

#[test]
fn challenged_refresh_is_proven_and_keeps_the_call() {
    let (mut world, alice) = talking();
    world.run(Duration::from_secs(45));
    let bare = world.last_request(Who::Alice, "UPDATE");
    world.inject(Who::Alice, &reply(&bare, 407, "", BY_PROXY));
    let proven = world.last_request(Who::Alice, "UPDATE");
    assert!(proven.headers.contains(&HeaderName::PROXY_AUTHORIZATION));
    let lines = "Session-Expires: 90;refresher=uac";
    world.inject(Who::Alice, &reply(&proven, 200, "", lines));
    world.run(Duration::from_secs(40));
    assert_eq!(world.take_events(Who::Alice), []);
    world.run(Duration::from_secs(25));
    let ended = Event::Ended {
        leg: alice,
        reason: EndReason::Timeout,
    };
    assert_eq!(world.take_event(Who::Alice), ended);
}

#[test]
fn challenged_prack_is_proven_in_its_early_dialog() {
    let mut world = World::new();
    world.lose(|_, _| true);
    let own = Some(credentials("alice", "word"));
    world.invite_with(Some(offer(Who::Alice)), own);
    let invite = world.last_request(Who::Alice, "INVITE");
    let lines = "Require: 100rel\r\nRSeq: 5\r\nContact: <sip:b@192.0.2.20>";
    world.inject(Who::Alice, &reply(&invite, 180, "bob", lines));
    let bare = world.last_request(Who::Alice, "PRACK");
    world.inject(Who::Alice, &reply(&bare, 407, "", BY_PROXY));
    let proven = world.last_request(Who::Alice, "PRACK");
    assert!(proven.headers.contains(&HeaderName::PROXY_AUTHORIZATION));
    assert_eq!((number(&bare), number(&proven)), (2, 3));
    assert_eq!(
        proven.headers.text(&HeaderName::RACK),
        bare.headers.text(&HeaderName::RACK)
    );
}

#[test]
fn nothing_of_a_proven_call_is_left_behind() {
    let (mut world, alice) = talking();
    for (_, command) in commands(alice).into_iter().rev() {
        // The BYE goes first: the rest finds no call.
        let _refused = world.try_command(Who::Alice, command);
    }
    let bye = world.last_request(Who::Alice, "BYE");
    world.inject(Who::Alice, &reply(&bye, 401, "", CHALLENGE));
    world.assert_clean();
}

/// A call that his trunk, Alice, brought Bob, who has something to prove himself with there.
fn brought_by_trunk() -> (World, LegId) {
    let mut world = World::new();
    let trunk = sip::Peer {
        name: "trunk".to_owned(),
        addresses: vec![Who::Alice.address().ip()],
        is_trusted: false,
        credentials: Some(credentials("us", "word")),
    };
    world.command(Who::Bob, Command::SetPeers { peers: vec![trunk] });
    let (_, bob) = world.talk();
    world.lose(|_, _| true);
    world.events.clear();
    world.seen.clear();
    (world, bob)
}

#[test]
fn trunk_that_brought_a_call_may_challenge_what_we_send_in_it() {
    for at in [0, 2, 3] {
        let (mut world, bob) = brought_by_trunk();
        let (label, command) = commands(bob)[at].clone();
        world.command(Who::Bob, command);
        let bare = world.last_request(Who::Bob, label);
        world.inject(Who::Bob, &reply(&bare, 407, "", BY_PROXY));
        let proven = world.last_request(Who::Bob, label);
        let proof = proven.headers.text(&HeaderName::PROXY_AUTHORIZATION);
        assert!(proof.unwrap().contains("username=\"us\""), "{label}");
    }
}

#[test]
fn call_to_a_trunk_is_proven_by_its_credentials_alone() {
    for (realm, sent) in [("tonewall", 2), ("elsewhere", 1)] {
        let mut world = World::new();
        world.lose(|_, _| true);
        let trunk = sip::Peer {
            name: "trunk".to_owned(),
            addresses: vec![Who::Bob.address().ip()],
            is_trusted: false,
            credentials: Some(credentials("us", "word")),
        };
        world.command(Who::Alice, Command::SetPeers { peers: vec![trunk] });
        world.invite();
        let bare = world.last_request(Who::Alice, "INVITE");
        let challenge = CHALLENGE.replace("tonewall", realm);
        world.inject(Who::Alice, &reply(&bare, 401, "bob", &challenge));
        assert_eq!(world.count(Who::Alice, "INVITE"), sent, "{realm}");
    }
}
