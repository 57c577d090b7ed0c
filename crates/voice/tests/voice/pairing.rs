//! Keys of the agent's own phone, where somebody waits for a code.

use domain::boundary::Telephony;
use secret::{Arena, Key, KeyReceiver};

use crate::scene::{Running, Said, Scene, eventually, keys_of};
use crate::talker::EVENTS;

/// `*47118#`.
const CODE: [u8; 7] = [10, 4, 7, 1, 1, 8, 11];

/// The agent's keys as they come out of their own ring, each after its report.
async fn keyed(scene: &mut Scene, ring: &mut KeyReceiver) -> Vec<Key> {
    let mut keys = Vec::new();
    while keys.len() < CODE.len() {
        let told = |said| matches!(said, Said::KeyPressed).then_some(());
        scene.until("a key of the agent", told).await;
        keys.extend(ring.pop());
    }
    keys
}

fn consumer_heard_no_event(scene: &Scene) -> bool {
    let heard = scene.consumer_talk.heard();
    heard.iter().all(|one| one.header.payload_type != EVENTS)
}

async fn finish(scene: Scene, running: &Running) {
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn s31_a_code_by_events_or_tones_reaches_its_own_ring_and_neither_the_consumer_nor_their_keys()
 {
    for by_events in [true, false] {
        let mut scene = Scene::new();
        let mut running = scene.connect().await;
        scene.both_heard().await;
        let arena = Arena::new(2).unwrap();
        let (sender, mut ring) = secret::digit_ring(&arena).unwrap();
        scene.node.hear_agent(&running.id, Some(sender)).unwrap();
        if by_events {
            scene.agent_talk.press_events(&CODE);
        } else {
            scene.agent_talk.press_tones(&CODE);
        }
        assert!(keyed(&mut scene, &mut ring).await == keys_of(&CODE));
        eventually("the end of keying", || scene.agent_talk.has_said_all()).await;
        scene.node.hear_agent(&running.id, None).unwrap();
        scene.both_heard().await;
        assert!(consumer_heard_no_event(&scene) && scene.consumer_talk.keys_heard() == 0);
        assert!(running.keys.pop().is_none(), "a key of the agent counted");
        finish(scene, &running).await;
    }
}

#[tokio::test]
async fn s31_keys_that_nobody_takes_any_more_pass_again() {
    let mut scene = Scene::new();
    // Asked for while it rings, it is heard from the first packet on.
    let (call, leg, at_agent) = scene.ring().await;
    let arena = Arena::new(2).unwrap();
    let (sender, mut ring) = secret::digit_ring(&arena).unwrap();
    scene.node.hear_agent(&call.id, Some(sender)).unwrap();
    let running = scene.connect_rung(call, leg, at_agent).await;
    scene.both_heard().await;
    scene.agent_talk.press_events(&CODE);
    assert!(keyed(&mut scene, &mut ring).await == keys_of(&CODE));
    eventually("the end of keying", || scene.agent_talk.has_said_all()).await;
    assert!(consumer_heard_no_event(&scene));
    // Whoever listened is gone without a word.
    drop(ring);
    eventually("an event at the consumer", || {
        if scene.agent_talk.has_said_all() {
            scene.agent_talk.press_events(&[5]);
        }
        !consumer_heard_no_event(&scene)
    })
    .await;
    finish(scene, &running).await;
}
