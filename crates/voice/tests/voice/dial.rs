//! Calls that agents make: their own phone rings first, then the number is called.

use std::net::SocketAddr;
use std::sync::Arc;

use domain::boundary::{Dial, EgressTally, EndCause, RouteTarget, Telephony};
use domain::id::{CallId, UserId};
use domain::outbound::{DialNumber, DialStep};
use domain::service::ProtectionScope;
use secret::{Arena, KeyReceiver};
use sip::{Command, Event, Incoming, Status, Uri};
use voice::{BrowserPorts, NumberRule};

use crate::browsers::{both_heard, connect_page};
use crate::phone::{Phone, description, media_of};
use crate::scene::{AGENT_HUM, CONSUMER_HUM, Running, Said, Scene, TRUNK, eventually, keys_of};
use crate::talker::share_in;

/// The tone that an agent hears while it rings.
const RINGING_HZ: f32 = 425.0;

struct Made {
    id: CallId,
    keys: KeyReceiver,
    egress: Arc<EgressTally>,
}

/// The agent's phone is called, for a number at the consumer's.
fn dial(scene: &Scene, agent: RouteTarget) -> Made {
    let address = scene.consumer.address;
    let uri = format!("sip:+15550100@{address}");
    dial_by(scene, agent, RouteTarget::Uri { uri, address })
}

fn dial_by(scene: &Scene, agent: RouteTarget, consumer: RouteTarget) -> Made {
    let arena = Arena::new(2).unwrap();
    let (sender, keys) = secret::digit_ring(&arena).unwrap();
    let (id, egress) = (CallId::from_random(rand::random()), Arc::default());
    let call = Dial {
        id: id.clone(),
        agent,
        consumer,
        number: DialNumber::parse("+1 555 0100").unwrap(),
        shown: "+15550199".to_owned(),
        protection: scene.protection,
        keys: sender,
        egress: Arc::clone(&egress),
    };
    scene.node.dial(call).unwrap();
    Made { id, keys, egress }
}

async fn step(scene: &mut Scene) -> DialStep {
    let told = |said| match said {
        Said::Dialled(step) => Some(step),
        _ => None,
    };
    scene.until("a step", told).await
}

/// The agent's phone has answered, and the consumer's rings.
async fn ring(scene: &mut Scene) -> (Made, Incoming, Incoming) {
    let made = dial(scene, scene.agent_target());
    let at_agent = scene.agent.incoming().await;
    let offer = at_agent.offer.clone().unwrap();
    let answer = description(scene.agent_talk.local).answer(&offer).unwrap();
    let leg = at_agent.leg;
    scene.agent.command(Command::Answer { leg, answer });
    let at_consumer = scene.consumer.incoming().await;
    assert_eq!(step(scene).await, DialStep::Calling);
    (made, at_agent, at_consumer)
}

fn rings(scene: &Scene, at_consumer: &Incoming) {
    scene.consumer.command(Command::Provisional {
        leg: at_consumer.leg,
        status: Status::RINGING,
        answer: None,
    });
}

/// The consumer takes the call, and both talk.
async fn connect(scene: &mut Scene) -> Running {
    let (made, at_agent, at_consumer) = ring(scene).await;
    rings(scene, &at_consumer);
    assert_eq!(step(scene).await, DialStep::Ringing);
    take(scene, made, &at_agent, &at_consumer).await
}

async fn take(
    scene: &mut Scene,
    made: Made,
    at_agent: &Incoming,
    at_consumer: &Incoming,
) -> Running {
    let offer = at_consumer.offer.clone().unwrap();
    let answer = description(scene.consumer_talk.local)
        .answer(&offer)
        .unwrap();
    let leg = at_consumer.leg;
    scene.consumer.command(Command::Answer { leg, answer });
    let told = |said| match said {
        Said::Answered(legs) => Some(legs),
        _ => None,
    };
    let legs = scene.until("an answer", told).await;
    assert_eq!(legs.consumer, scene.consumer.call_id(at_consumer.leg));
    assert_eq!(legs.agent, scene.agent.call_id(at_agent.leg));
    let theirs = at_agent.offer.as_ref().unwrap();
    let (to_consumer, to_agent) = (
        media_of(&offer, scene.server.ip()),
        media_of(theirs, scene.server.ip()),
    );
    scene.consumer_talk.talk_to(to_consumer);
    scene.agent_talk.talk_to(to_agent);
    Running {
        id: made.id,
        keys: made.keys,
        egress: made.egress,
        consumer_leg: at_consumer.leg,
        agent_leg: at_agent.leg,
        at_consumer: to_consumer,
        at_agent: to_agent,
        offered: Vec::new(),
        answered: Vec::new(),
    }
}

#[tokio::test]
async fn the_agents_phone_rings_first_and_each_side_is_shown_the_others_number() {
    let mut scene = Scene::new();
    let (made, at_agent, at_consumer) = ring(&mut scene).await;
    let user = |incoming: &Incoming| incoming.from.uri.user().map(str::to_owned);
    assert_eq!(user(&at_agent).as_deref(), Some("+15550100"));
    assert_eq!(user(&at_consumer).as_deref(), Some("+15550199"));
    assert_eq!(at_consumer.request_uri.user(), Some("+15550100"));
    let running = take(&mut scene, made, &at_agent, &at_consumer).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.agent.ended().await;
    scene.consumer.ended().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.is_empty().await;
}

#[tokio::test]
async fn a_number_is_called_at_a_trunk_as_its_rules_write_it() {
    let at = SocketAddr::new(TRUNK.parse().unwrap(), 0);
    let mut there = Phone::new("place", TRUNK, at);
    let place = Uri::parse(format!("sip:{}", there.address).as_bytes()).unwrap();
    let mut scene = Scene::with(|config| {
        config.peers[0].places = vec![place];
        config.peers[0].numbers.called = vec![NumberRule::Prefix {
            prefix: "+1".to_owned(),
            digits: None,
            with: "1".to_owned(),
        }];
    });
    let trunk = RouteTarget::Trunk {
        trunk: "trunk".to_owned(),
        number: "+15550100".to_owned(),
    };
    let made = dial_by(&scene, scene.agent_target(), trunk);
    let at_agent = scene.agent.incoming().await;
    let offer = at_agent.offer.clone().unwrap();
    let answer = description(scene.agent_talk.local).answer(&offer).unwrap();
    let leg = at_agent.leg;
    scene.agent.command(Command::Answer { leg, answer });
    let called = there.incoming().await;
    assert_eq!(called.request_uri.user(), Some("15550100"));
    assert_eq!(called.from.uri.user(), Some("+15550199"));
    scene.node.hang_up(&made.id).unwrap();
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    // A trunk that the file no longer has rings nobody.
    let gone = RouteTarget::Trunk {
        trunk: "gone".to_owned(),
        number: "+15550100".to_owned(),
    };
    let _made = dial_by(&scene, scene.agent_target(), gone);
    assert_eq!(scene.ended().await, EndCause::NotAnswered(503));
    scene.is_empty().await;
}

#[tokio::test]
async fn the_agent_hears_a_ringing_tone_until_the_consumer_is_heard() {
    let mut scene = Scene::new();
    let (made, at_agent, at_consumer) = ring(&mut scene).await;
    rings(&scene, &at_consumer);
    let tone = || scene.agent_talk.share_of(RINGING_HZ) > 0.5;
    eventually("a ringing tone", tone).await;
    let ringing = scene.agent_talk.heard()[0].header.ssrc;
    let running = take(&mut scene, made, &at_agent, &at_consumer).await;
    scene.agent_talk.forget();
    scene.both_heard().await;
    // What comes now is the call's own stream, and nothing of the tone.
    let own = scene
        .agent_talk
        .heard()
        .into_iter()
        .filter(|one| one.header.ssrc != ringing);
    assert!(own.count() > 20);
    assert!(share_in(&scene.agent_talk.sound(), RINGING_HZ) < 0.1);
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn the_agent_hears_what_the_far_side_plays_before_it_answers() {
    let mut scene = Scene::new();
    let (made, at_agent, at_consumer) = ring(&mut scene).await;
    let offer = at_consumer.offer.clone().unwrap();
    let early = description(scene.consumer_talk.local)
        .answer(&offer)
        .unwrap();
    scene.consumer.command(Command::Provisional {
        leg: at_consumer.leg,
        status: Status::SESSION_PROGRESS,
        answer: Some(early),
    });
    scene
        .consumer_talk
        .talk_to(media_of(&offer, scene.server.ip()));
    eventually("early media", || {
        scene.agent_talk.share_of(CONSUMER_HUM) > 0.8
    })
    .await;
    let running = take(&mut scene, made, &at_agent, &at_consumer).await;
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn keys_of_a_consumer_who_was_called_are_masked_and_counted() {
    const CODES: [u8; 6] = [4, 0, 7, 1, 9, 11];
    for by_events in [true, false] {
        let mut scene = Scene::new();
        let mut running = connect(&mut scene).await;
        scene.both_heard().await;
        scene.protect(&running).await;
        scene.agent_talk.forget();
        if by_events {
            scene.consumer_talk.press_events(&CODES);
        } else {
            scene.consumer_talk.press_tones(&CODES);
        }
        let keys = scene.keys(&mut running, CODES.len()).await;
        assert_eq!(keys, keys_of(&CODES));
        eventually("all keys", || scene.consumer_talk.has_said_all()).await;
        assert_eq!(scene.agent_talk.keys_heard(), 0);
        // The agent's own keys are nobody's.
        scene.agent_talk.press_events(&[5]);
        eventually("the agent's key", || scene.agent_talk.has_said_all()).await;
        assert!(running.keys.pop().is_none());
        scene.node.hang_up(&running.id).unwrap();
        scene.is_empty().await;
    }
}

#[tokio::test]
async fn a_call_that_is_always_protected_is_so_from_its_first_packet() {
    let mut scene = Scene::new();
    scene.protection = ProtectionScope::Always;
    // What is said first, before anybody could ask for the mask, is keys.
    scene.consumer_talk.press_events(&[4, 2]);
    let mut running = connect(&mut scene).await;
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    scene.both_heard().await;
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    scene.protect(&running).await;
    while running.keys.pop().is_some() {}
    scene.consumer_talk.press_events(&[7, 1]);
    let keys = scene.keys(&mut running, 2).await;
    assert_eq!(keys, keys_of(&[7, 1]));
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_number_that_is_not_reached_ends_the_agents_leg_and_says_why() {
    for status in [
        Status::BUSY_HERE,
        Status::NOT_FOUND,
        Status::DECLINE,
        Status::FORBIDDEN,
    ] {
        let mut scene = Scene::new();
        let (_made, _, at_consumer) = ring(&mut scene).await;
        scene.consumer.command(Command::Reject {
            leg: at_consumer.leg,
            status,
            reason: None,
        });
        scene.agent.ended().await;
        assert_eq!(scene.ended().await, EndCause::NotAnswered(status.code()));
        scene.is_empty().await;
    }
}

#[tokio::test]
async fn an_agent_who_hangs_up_while_it_rings_ends_the_ringing() {
    let mut scene = Scene::new();
    let (_made, at_agent, at_consumer) = ring(&mut scene).await;
    rings(&scene, &at_consumer);
    let (leg, reason) = (at_agent.leg, None);
    scene.agent.command(Command::Hangup { leg, reason });
    // A CANCEL, for the consumer's phone has not answered.
    let cancelled = |event| matches!(event, Event::Ended { .. }).then_some(());
    scene
        .consumer
        .until("the end of the ringing", cancelled)
        .await;
    assert_eq!(scene.ended().await, EndCause::Agent);
    scene.is_empty().await;
}

#[tokio::test]
async fn nobody_is_called_where_the_agents_phone_is_not_answered() {
    let mut scene = Scene::new();
    let _made = dial(&scene, scene.agent_target());
    let at_agent = scene.agent.incoming().await;
    scene.agent.command(Command::Reject {
        leg: at_agent.leg,
        status: Status::BUSY_HERE,
        reason: None,
    });
    assert_eq!(scene.ended().await, EndCause::AgentNotReached(486));
    scene.is_empty().await;
    // Hung up from the page, while the own phone rings.
    let made = dial(&scene, scene.agent_target());
    scene.agent.incoming().await;
    scene.node.hang_up(&made.id).unwrap();
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::Local);
    scene.is_empty().await;
    // A phone that is not registered.
    let user = "nobody".to_owned();
    let _made = dial(&scene, RouteTarget::Registered { user });
    assert_eq!(scene.ended().await, EndCause::AgentNotReached(480));
    scene.is_empty().await;
}

#[tokio::test]
async fn an_agent_calls_out_from_the_page() {
    let mut scene = Scene::with(|config| config.browser_ports = BrowserPorts::From(0));
    let user = UserId::from_random(7);
    let made = dial(&scene, RouteTarget::Browser { user: user.clone() });
    let page = connect_page(&scene, &made.id).await;
    crate::browsers::answer(&scene, &made.id).await;
    let at_consumer = scene.consumer.incoming().await;
    rings(&scene, &at_consumer);
    eventually("a ringing tone in the page", || {
        page.share_of(RINGING_HZ) > 0.5
    })
    .await;
    page.forget();
    let offer = at_consumer.offer.unwrap();
    let answer = description(scene.consumer_talk.local)
        .answer(&offer)
        .unwrap();
    let leg = at_consumer.leg;
    scene.consumer.command(Command::Answer { leg, answer });
    scene
        .consumer_talk
        .talk_to(media_of(&offer, scene.server.ip()));
    both_heard(&scene, &page).await;
    // One stream in the page, whoever makes it: no number twice.
    let heard = page.heard();
    for pair in heard.windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(before.ssrc, after.ssrc);
        assert!(after.sequence.wrapping_sub(before.sequence) < 0x8000);
    }
    assert!(scene.consumer_talk.share_of(AGENT_HUM) > 0.9);
    scene.node.hang_up(&made.id).unwrap();
    scene.is_empty().await;
}
