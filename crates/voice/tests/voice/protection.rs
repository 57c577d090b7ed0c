//! Keys of the consumer reach the ring and nobody else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::phone::{description, media_of};
use crate::signalling::{PHONE_PASSWORD, phone_account};
use domain::boundary::{EndCause, LineEvent, ProtectionRefused, RouteTarget, Telephony};
use domain::service::ProtectionScope;
use media::dtmf::inband::LooseDetector;
use sip::{Body, Command};

use crate::scene::{
    AGENT_HUM, CONSUMER_HUM, Recorded, Recorder, Running, Said, Scene, eventually, keys_of,
};
use crate::talker::EVENTS;

/// Every key once, none twice in a row.
const CODES: [u8; 12] = [4, 0, 7, 1, 9, 10, 3, 8, 2, 6, 5, 11];

async fn protected(scene: &mut Scene) -> Running {
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.protect(&running).await;
    running
}

fn agent_heard_no_event(scene: &Scene) -> bool {
    scene
        .agent_talk
        .heard()
        .iter()
        .all(|one| one.header.payload_type != EVENTS)
}

async fn finish(scene: Scene, running: &Running) {
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn events_reach_the_ring_in_order_and_not_the_agent() {
    let recorded = Arc::new(Mutex::new(Recorded::default()));
    let sink = Recorder(Arc::clone(&recorded));
    let mut scene = Scene::with(|config| config.audio_sink = Some(Box::new(sink)));
    let mut running = protected(&mut scene).await;
    scene.consumer_talk.press_events(&CODES);
    let keys = scene.keys(&mut running, CODES.len()).await;
    assert!(keys == keys_of(&CODES), "keys came in another order");
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    assert!(agent_heard_no_event(&scene));
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    scene.node.unprotect(&running.id).unwrap();
    scene.agent_talk.forget();
    scene.both_heard().await;
    finish(scene, &running).await;
    eventually("the recording's end", || recorded.lock().unwrap().ended).await;
    let finds = LooseDetector::scan(&recorded.lock().unwrap().consumer);
    assert!(finds.is_empty(), "the recording holds what may be keys");
}

#[tokio::test]
async fn tones_in_the_audio_reach_the_ring_and_not_the_agent() {
    let mut scene = Scene::new();
    let mut running = protected(&mut scene).await;
    scene.agent_talk.forget();
    scene.consumer_talk.press_tones(&CODES);
    let keys = scene.keys(&mut running, CODES.len()).await;
    assert!(keys == keys_of(&CODES), "keys came in another order");
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    eventually("the voice after it", || {
        scene.agent_talk.share_of(CONSUMER_HUM) > 0.9
    })
    .await;
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    assert!(agent_heard_no_event(&scene));
    finish(scene, &running).await;
}

#[tokio::test]
async fn what_leaves_under_protection_is_judged_and_the_count_outlives_the_call() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    assert_eq!(running.egress.seen().checked_ms, 0);
    scene.protect(&running).await;
    scene.consumer_talk.press_tones(&CODES);
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    let keying_ms = 500;
    eventually("what left is judged", || {
        running.egress.seen().checked_ms >= keying_ms
    })
    .await;
    let egress = Arc::clone(&running.egress);
    finish(scene, &running).await;
    let seen = egress.seen();
    assert!(seen.checked_ms >= keying_ms);
    assert_eq!((seen.finds, seen.trips), (0, 0));
}

/// Calls to which the mask listens now.
async fn watched(scene: &Scene, calls: u64) {
    let what = format!("{calls} calls that are listened to");
    eventually(&what, || scene.node.counters().media.calls_watched == calls).await;
}

#[tokio::test]
async fn the_mask_listens_from_the_beginning_or_from_when_it_is_told() {
    let mut scene = Scene::new();
    let listened_to = scene.connect().await;
    watched(&scene, 1).await;
    finish(scene, &listened_to).await;
    let mut scene = Scene::new();
    scene.watches = false;
    let running = scene.connect().await;
    scene.both_heard().await;
    eventually("media", || scene.node.counters().media.calls == 1).await;
    watched(&scene, 0).await;
    for (on, calls) in [(true, 1), (false, 0), (true, 1)] {
        scene.node.watch(&running.id, on).unwrap();
        watched(&scene, calls).await;
    }
    scene.both_heard().await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_call_that_nobody_listened_to_is_protected_all_the_same() {
    let mut scene = Scene::new();
    scene.watches = false;
    let mut running = protected(&mut scene).await;
    scene.agent_talk.forget();
    scene.consumer_talk.press_tones(&CODES);
    let keys = scene.keys(&mut running, CODES.len()).await;
    assert!(keys == keys_of(&CODES), "keys came in another order");
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    scene.node.unprotect(&running.id).unwrap();
    scene.agent_talk.forget();
    scene.both_heard().await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_call_that_always_is_protected_gives_the_agent_nothing_of_its_first_words() {
    let recorded = Arc::new(Mutex::new(Recorded::default()));
    let sink = Recorder(Arc::clone(&recorded));
    let mut scene = Scene::with(|config| config.audio_sink = Some(Box::new(sink)));
    scene.protection = ProtectionScope::Always;
    // What is said first, before anybody could ask for the mask, is keys.
    scene.consumer_talk.press_tones(&CODES);
    let running = scene.connect().await;
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    scene.both_heard().await;
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    assert!(scene.node.protect(&running.id).await.is_ok());
    finish(scene, &running).await;
    eventually("the recording's end", || recorded.lock().unwrap().ended).await;
    let finds = LooseDetector::scan(&recorded.lock().unwrap().consumer);
    assert!(finds.is_empty(), "the recording holds what may be keys");
}

#[tokio::test]
async fn a_call_that_always_is_protected_stays_so_when_nobody_waits_for_an_answer() {
    let mut scene = Scene::new();
    scene.protection = ProtectionScope::Always;
    let running = scene.connect().await;
    scene.both_heard().await;
    // Who asked has given up, as after a thread that was starved for seconds.
    drop(scene.node.protect(&running.id));
    scene.node.unprotect(&running.id).unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    scene.consumer_talk.press_tones(&CODES);
    eventually("the end of keying", || scene.consumer_talk.has_said_all()).await;
    scene.both_heard().await;
    assert_eq!(scene.agent_talk.keys_heard(), 0);
    assert!(scene.node.protect(&running.id).await.is_ok());
    finish(scene, &running).await;
}

#[tokio::test]
async fn keys_by_info_reach_the_ring_and_not_the_agent() {
    let mut scene = Scene::new();
    let mut running = protected(&mut scene).await;
    for code in [4, 1, 7] {
        scene.consumer.command(Command::Info {
            leg: running.consumer_leg,
            content_type: "application/dtmf-relay".to_owned(),
            body: Body::from(format!("Signal={code}\r\nDuration=160\r\n").as_str()),
        });
        let keys = scene.keys(&mut running, 1).await;
        assert!(keys == keys_of(&[code]), "another key came");
    }
    assert!(agent_heard_no_event(&scene));
    finish(scene, &running).await;
}

#[tokio::test]
async fn keys_of_the_agent_do_not_count() {
    let mut scene = Scene::new();
    let mut running = protected(&mut scene).await;
    scene.agent_talk.press_events(&CODES[..4]);
    eventually("the end of keying", || scene.agent_talk.has_said_all()).await;
    scene.consumer_talk.press_events(&[5]);
    let keys = scene.keys(&mut running, 1).await;
    assert!(
        keys == keys_of(&[5]) && running.keys.pop().is_none(),
        "a key of the agent counted"
    );
    let heard = scene.consumer_talk.heard();
    assert!(heard.iter().all(|one| one.header.payload_type != EVENTS));
    finish(scene, &running).await;
}

#[tokio::test]
async fn before_protection_keys_pass_as_they_are_and_do_not_count() {
    let mut scene = Scene::new();
    let mut running = scene.connect().await;
    scene.both_heard().await;
    scene.consumer_talk.press_events(&[5]);
    eventually("the event at the agent", || !agent_heard_no_event(&scene)).await;
    assert!(running.keys.pop().is_none());
    finish(scene, &running).await;
}

#[tokio::test]
async fn protection_is_refused_without_media_and_without_a_call() {
    let mut scene = Scene::new();
    let (call, _leg, _at_agent) = scene.ring().await;
    assert_eq!(
        scene.node.protect(&call.id).await,
        Err(ProtectionRefused { code: "no_media" })
    );
    scene.node.hang_up(&call.id).unwrap();
    scene.is_empty().await;
    assert_eq!(
        scene.node.protect(&call.id).await,
        Err(ProtectionRefused { code: "no_call" })
    );
}

#[tokio::test]
async fn a_wish_for_protection_that_is_dropped_leaves_no_mask() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    drop(scene.node.protect(&running.id));
    let mut tries = 0;
    eventually("an event at the agent", || {
        tries += 1;
        if tries % 40 == 0 {
            scene.consumer_talk.press_events(&[5]);
        }
        !agent_heard_no_event(&scene)
    })
    .await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_muted_consumer_is_heard_by_nobody() {
    let mut scene = Scene::new();
    let running = scene.connect().await;
    scene.both_heard().await;
    scene.node.mute_consumer(&running.id, true).unwrap();
    eventually("silence", || {
        scene.agent_talk.forget();
        std::thread::sleep(Duration::from_millis(200));
        scene
            .agent_talk
            .sound()
            .iter()
            .all(|sample| sample.unsigned_abs() < 50)
    })
    .await;
    assert!(scene.consumer_talk.share_of(AGENT_HUM) > 0.9);
    scene.node.mute_consumer(&running.id, false).unwrap();
    scene.both_heard().await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn a_silent_line_is_reported_and_so_is_its_return() {
    let mut scene = Scene::new();
    let running = protected(&mut scene).await;
    scene.consumer_talk.fall_silent();
    scene
        .until("silence", |said| {
            matches!(said, Said::Line(LineEvent::Silent)).then_some(())
        })
        .await;
    scene.consumer_talk.talk_to(running.at_consumer);
    scene
        .until("its return", |said| {
            matches!(said, Said::Line(LineEvent::Back)).then_some(())
        })
        .await;
    finish(scene, &running).await;
}

#[tokio::test]
async fn under_protection_a_dead_listener_makes_silence() {
    let mut scene = Scene::new();
    let running = protected(&mut scene).await;
    drop(running.keys);
    let lost = |said| {
        if let Said::Line(LineEvent::ProtectionLost(code)) = said {
            Some(code)
        } else {
            None
        }
    };
    assert_eq!(scene.until("loss", lost).await, "nobody_listens");
    scene.consumer_talk.press_tones(&CODES);
    eventually("silence", || {
        scene.agent_talk.forget();
        std::thread::sleep(Duration::from_millis(300));
        scene
            .agent_talk
            .sound()
            .iter()
            .all(|sample| sample.unsigned_abs() < 50)
    })
    .await;
    scene.node.hang_up(&running.id).unwrap();
    scene.is_empty().await;
}

#[tokio::test]
async fn when_an_agents_phone_calls_the_called_side_is_the_consumer() {
    let mut scene = Scene::with(|config| config.peers.retain(|peer| peer.name == "trunk"));
    let phone = ("agent1", PHONE_PASSWORD);
    scene.node.set_phones(vec![phone_account()]);
    scene.agent.register(phone.0, phone.1, scene.server);
    scene
        .until("a registration", |said| {
            matches!(said, Said::Registration(..)).then_some(())
        })
        .await;
    let offer = description(scene.agent_talk.local).offer();
    let leg = scene.agent.dial("15550100", phone, scene.server, offer);
    let call = scene.incoming().await;
    assert_eq!(
        (call.peer.as_str(), call.called.as_str()),
        ("agent1", "15550100")
    );
    let consumer = RouteTarget::Uri {
        uri: "sip:15550100@127.0.0.1".to_owned(),
        address: scene.consumer.address,
    };
    scene
        .node
        .route(&call.id, consumer, ProtectionScope::Capture)
        .unwrap();
    let at_consumer = scene.consumer.incoming().await;
    let offer = at_consumer.offer.unwrap();
    let answer = description(scene.consumer_talk.local)
        .answer(&offer)
        .unwrap();
    scene.consumer.command(Command::Answer {
        leg: at_consumer.leg,
        answer,
    });
    let answer = scene.agent.answered().await.unwrap();
    scene
        .agent_talk
        .talk_to(media_of(&answer, scene.server.ip()));
    scene
        .consumer_talk
        .talk_to(media_of(&offer, scene.server.ip()));
    scene.both_heard().await;
    let (at_consumer, at_agent) = (
        media_of(&offer, scene.server.ip()),
        media_of(&answer, scene.server.ip()),
    );
    let mut running = Running {
        id: call.id,
        keys: call.keys,
        egress: call.egress,
        consumer_leg: leg,
        agent_leg: leg,
        at_consumer,
        at_agent,
        offered: Vec::new(),
        answered: Vec::new(),
    };
    scene.protect(&running).await;
    scene.consumer_talk.press_events(&CODES[..4]);
    let keys = scene.keys(&mut running, 4).await;
    assert!(keys == keys_of(&CODES[..4]), "keys came in another order");
    assert!(agent_heard_no_event(&scene));
    scene.agent.command(Command::Hangup { leg, reason: None });
    assert_eq!(scene.ended().await, EndCause::Agent);
    scene.is_empty().await;
}
