//! A call that goes from one agent's phone to another's.

use domain::boundary::{EndCause, LegCallIds, RouteTarget, Telephony};
use domain::service::ProtectionScope;
use domain::view::TransferFailure;
use sip::{Command, Event, Incoming, Status};

use crate::phone::{Phone, description, media_of};
use crate::scene::{AGENT_HUM, CONSUMER_HUM, PBX, Running, Said, Scene, eventually, keys_of};
use crate::talker::{EVENTS, Talker};

const OTHER_HUM: f32 = 320.0;

/// The other agent.
struct Other {
    phone: Phone,
    talk: Talker,
}

/// A call of two that talk, and another phone that rings for it.
async fn ringing(scene: &mut Scene) -> (Running, Other, Incoming) {
    let running = scene.connect().await;
    scene.both_heard().await;
    let (other, incoming) = ring(scene, &running).await;
    (running, other, incoming)
}

async fn ring(scene: &Scene, running: &Running) -> (Other, Incoming) {
    let mut other = Other {
        phone: Phone::new("other", PBX, scene.server),
        talk: Talker::new(PBX, OTHER_HUM),
    };
    let target = RouteTarget::Uri {
        uri: format!("sip:300@{}", other.phone.address),
        address: other.phone.address,
    };
    scene.node.transfer(&running.id, target).unwrap();
    let incoming = other.phone.incoming().await;
    (other, incoming)
}

async fn outcome(scene: &mut Scene) -> Result<LegCallIds, TransferFailure> {
    let told = |said| match said {
        Said::Transferred(outcome) => Some(outcome),
        _ => None,
    };
    scene.until("a transfer's outcome", told).await
}

/// By how other equipment knows the call then.
async fn answer(scene: &mut Scene, running: &Running, other: &Other, incoming: Incoming) {
    let known = LegCallIds {
        consumer: scene.consumer.call_id(running.consumer_leg),
        agent: other.phone.call_id(incoming.leg),
        ..LegCallIds::default()
    };
    let offer = incoming.offer.unwrap();
    let answer = description(other.talk.local).answer(&offer).unwrap();
    let leg = incoming.leg;
    other.phone.command(Command::Answer { leg, answer });
    let told = outcome(scene).await.unwrap();
    let known = LegCallIds {
        agent_contact: told.agent_contact.clone(),
        ..known
    };
    assert_eq!(told, known);
    other.talk.talk_to(media_of(&offer, scene.server.ip()));
}

async fn other_heard(scene: &Scene, other: &Other) {
    eventually("two-way audio with the other agent", || {
        other.talk.share_of(CONSUMER_HUM) > 0.9 && scene.consumer_talk.share_of(OTHER_HUM) > 0.9
    })
    .await;
}

async fn finish(scene: Scene, running: &Running) {
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn who_answers_takes_the_agents_place_and_the_agents_phone_is_let_go() {
    let mut scene = Scene::new();
    let (running, mut other, incoming) = ringing(&mut scene).await;
    // Nothing has changed while it rings.
    scene.agent_talk.forget();
    scene.both_heard().await;
    answer(&mut scene, &running, &other, incoming).await;
    scene.agent.ended().await;
    other_heard(&scene, &other).await;
    assert!(scene.consumer_talk.share_of(AGENT_HUM) < 0.1);
    // The consumer's phone hears one stream, in order, under one name (S34).
    let heard = scene.consumer_talk.heard();
    let first = &heard[0].header;
    let of_first = |number: u16| number.wrapping_sub(first.sequence);
    for pair in heard.windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(after.ssrc, first.ssrc);
        assert!(of_first(after.sequence) > of_first(before.sequence));
        let passed = after.timestamp.wrapping_sub(before.timestamp);
        assert!((1..8_000).contains(&passed), "{passed}");
    }
    // The other agent's phone gets a stream of its own.
    let to_other = other.talk.heard()[0].header.ssrc;
    assert!(
        scene
            .agent_talk
            .heard()
            .iter()
            .all(|one| one.header.ssrc != to_other)
    );
    scene.node.hang_up(&running.id).unwrap();
    other.phone.ended().await;
    scene.is_empty().await;
}

#[tokio::test]
async fn a_refusal_leaves_the_call_with_its_agent() {
    let mut scene = Scene::new();
    for (status, why) in [
        (Status::BUSY_HERE, TransferFailure::Busy),
        (Status::DECLINE, TransferFailure::Declined),
    ] {
        let (running, other, incoming) = ringing(&mut scene).await;
        let leg = incoming.leg;
        let reason = None;
        other.phone.command(Command::Reject {
            leg,
            status,
            reason,
        });
        assert_eq!(outcome(&mut scene).await, Err(why));
        scene.agent_talk.forget();
        scene.both_heard().await;
        scene.node.hang_up(&running.id).unwrap();
        scene.is_empty().await;
    }
}

#[tokio::test]
async fn a_transfer_that_is_given_up_stops_the_ringing() {
    let mut scene = Scene::new();
    let (running, mut other, _incoming) = ringing(&mut scene).await;
    scene.node.cancel_transfer(&running.id).unwrap();
    assert_eq!(outcome(&mut scene).await, Err(TransferFailure::Cancelled));
    other.phone.ended().await;
    scene.agent_talk.forget();
    scene.both_heard().await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_phone_that_is_not_there_cannot_be_reached() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    let user = "nobody".to_owned();
    let target = RouteTarget::Registered { user };
    scene.node.transfer(&running.id, target).unwrap();
    assert_eq!(outcome(&mut scene).await, Err(TransferFailure::Unreachable));
    finish(scene, &running).await;
}

#[tokio::test]
async fn who_hangs_up_while_it_rings_ends_the_call_and_the_ringing() {
    for (is_consumer, cause) in [(true, EndCause::Consumer), (false, EndCause::Agent)] {
        let mut scene = Scene::new();
        let (running, mut other, _incoming) = ringing(&mut scene).await;
        let reason = None;
        if is_consumer {
            let leg = running.consumer_leg;
            scene.consumer.command(Command::Hangup { leg, reason });
        } else {
            let leg = running.agent_leg;
            scene.agent.command(Command::Hangup { leg, reason });
        }
        assert_eq!(scene.ended().await, cause);
        other.phone.ended().await;
        scene.is_empty().await;
    }
}

#[tokio::test]
async fn s28_the_mask_of_a_call_that_is_always_protected_stays_over_a_transfer() {
    let mut scene = Scene::new();
    scene.protection = ProtectionScope::Always;
    let (mut running, other, incoming) = ringing(&mut scene).await;
    scene.protect(&running).await;
    scene.consumer_talk.press_events(&[1, 2, 3]);
    answer(&mut scene, &running, &other, incoming).await;
    scene.consumer_talk.press_events(&[4, 5, 6]);
    scene.consumer_talk.press_tones(&[7, 8]);
    let keys = scene.keys(&mut running, 6).await;
    assert!(
        keys == keys_of(&[1, 2, 3, 4, 5, 6]),
        "keys came in another order"
    );
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    other_heard(&scene, &other).await;
    for talk in [&other.talk, &scene.agent_talk] {
        assert!(
            talk.heard()
                .iter()
                .all(|one| one.header.payload_type != EVENTS)
        );
        assert_eq!(talk.keys_heard(), 0);
    }
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_call_on_hold_is_on_hold_with_the_other_agent_until_resumed() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.node.hold(&running.id, true).unwrap();
    let (other, incoming) = ring(&scene, &running).await;
    answer(&mut scene, &running, &other, incoming).await;
    eventually("half a second", || other.talk.sound().len() > 4_000).await;
    assert!(
        other
            .talk
            .sound()
            .iter()
            .all(|sample| sample.unsigned_abs() < 50)
    );
    scene.node.hold(&running.id, false).unwrap();
    other_heard(&scene, &other).await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_hold_by_the_phone_that_goes_goes_with_it() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.agents_phone_holds(&running, true).await;
    let (other, incoming) = ring(&scene, &running).await;
    answer(&mut scene, &running, &other, incoming).await;
    let offered = |event| match event {
        Event::Offered { offer, .. } => offer,
        _ => None,
    };
    let offer = scene.consumer.until("an offer", offered).await;
    assert!(!offer.to_string().contains("a=sendonly"));
    let ours = description(scene.consumer_talk.local);
    let answer = ours.answer(&offer).unwrap();
    let leg = running.consumer_leg;
    scene.consumer.command(Command::AcceptOffer { leg, answer });
    other_heard(&scene, &other).await;
    finish(scene, &running).await;
}
