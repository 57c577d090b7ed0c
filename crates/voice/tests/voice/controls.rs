//! What an agent does with a running call: mute, hold, keys of the page.

use std::sync::{Arc, Mutex};

use domain::boundary::Telephony;
use media::dtmf::telephone_event::EventPayload;

use crate::scene::{
    AGENT_HUM, CONSUMER_HUM, Recorded, Recorder, Running, Scene, eventually, keys_of,
};
use crate::talker::EVENTS;

async fn talking(scene: &mut Scene) -> Running {
    let running = scene.connect().await;
    scene.both_heard().await;
    running
}

fn is_loud(samples: &[i16]) -> bool {
    let end = &samples[samples.len().saturating_sub(4_000)..];
    end.iter().any(|sample| sample.unsigned_abs() > 100)
}

#[tokio::test]
async fn a_muted_agent_is_heard_neither_by_the_consumer_nor_by_the_recorder() {
    let recorded = Arc::new(Mutex::new(Recorded::default()));
    let sink = Recorder(Arc::clone(&recorded));
    let mut scene = Scene::with(|config| config.audio_sink = Some(Box::new(sink)));
    let running = talking(&mut scene).await;
    scene.node.mute_agent(&running.id, true).unwrap();
    eventually("silence at the consumer", || {
        scene.consumer_talk.sound().len() > 8_000 && !is_loud(&scene.consumer_talk.sound())
    })
    .await;
    assert!(scene.agent_talk.share_of(CONSUMER_HUM) > 0.9);
    let is_recorded = |recorded: &Recorded| is_loud(&recorded.agent);
    eventually("silence in the recording", || {
        !is_recorded(&recorded.lock().unwrap())
    })
    .await;
    scene.node.mute_agent(&running.id, false).unwrap();
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_held_call_is_silent_both_ways_and_its_line_lives() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    scene.node.hold(&running.id, true).unwrap();
    eventually("silence at the agent", || {
        !is_loud(&scene.agent_talk.sound())
    })
    .await;
    eventually("silence at the consumer", || {
        scene.consumer_talk.share_of(AGENT_HUM) < 0.1
    })
    .await;
    // The agent's phone need not send anything for the consumer's line to live.
    scene.agent_talk.fall_silent();
    scene.consumer_talk.forget();
    eventually("the line", || scene.consumer_talk.heard().len() > 50).await;
    scene.agent_talk.talk_to(running.at_agent);
    scene.node.hold(&running.id, false).unwrap();
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn a_hold_of_the_agents_phone_goes_on_after_the_button_and_the_other_way_round() {
    let mut scene = Scene::new();
    let running = talking(&mut scene).await;
    scene.node.hold(&running.id, true).unwrap();
    for held in [true, false] {
        scene.agents_phone_holds(&running, held).await;
    }
    scene.agent_talk.forget();
    eventually("half a second", || scene.agent_talk.sound().len() > 4_000).await;
    let sound = scene.agent_talk.sound();
    assert!(!is_loud(&sound), "the button still holds");
    scene.node.hold(&running.id, false).unwrap();
    scene.both_heard().await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn s31_keys_of_the_page_reach_the_consumers_phone_in_order_and_not_the_ring() {
    const CODES: [u8; 12] = [4, 0, 7, 1, 9, 10, 3, 8, 2, 6, 5, 11];
    let mut scene = Scene::new();
    let mut running = talking(&mut scene).await;
    for key in keys_of(&CODES) {
        scene.node.send_key(&running.id, key).unwrap();
    }
    let ends = || {
        let heard = scene.consumer_talk.heard();
        let events = heard.iter().filter(|one| one.header.payload_type == EVENTS);
        let mut ends: Vec<(u32, u8)> = events
            .filter_map(|one| Some((one.header.timestamp, EventPayload::parse(&one.payload)?)))
            .filter(|(_, event)| event.end)
            .map(|(at, event)| (at, event.code.octet()))
            .collect();
        ends.dedup();
        ends.into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    eventually("all keys", || ends().len() == CODES.len()).await;
    assert_eq!(ends(), CODES);
    scene.both_heard().await;
    scene.protect(&running).await;
    assert!(running.keys.pop().is_none());
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}
