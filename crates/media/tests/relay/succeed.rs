//! Another agent's phone takes the agent's place.

use std::time::Duration;

use media::leg::{Codec, Leg};
use media::relay::{DropReason, Input};

use crate::mask::voice;
use crate::scene::{Got, Phone, Scene, Script, address, hiss, keys, opus, plan, wide};

const SEED: u64 = 99;

/// The other phone has the place; yields the one that had it.
fn succeed(scene: &mut Scene, codec: Codec) -> Phone {
    let plan = plan(codec, 3);
    let other = Phone {
        source: address(3, 4_000),
        ssrc: 33,
        sequence: 7,
        timestamp: 1_000_000,
        payload_type: plan.payload_type_in,
        law: codec.law(),
        wide: wide(codec),
        opus: opus(codec),
    };
    scene.input(Input::Succeed { plan, seed: SEED });
    std::mem::replace(&mut scene.agent, other)
}

fn speak(scene: &mut Scene, leg: Leg, samples: usize) {
    scene.run(leg, &Script::audio(&voice(samples, 4)));
}

fn assert_one_stream(got: &[Got]) {
    for pair in got.windows(2) {
        assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
        let (number, span) = pair[1].since(&pair[0]);
        assert_eq!(number, 1);
        assert!((160..8_000).contains(&span), "{span}");
    }
}

#[test]
fn s34_the_consumers_stream_goes_on_and_the_other_phone_gets_one_of_its_own() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    speak(&mut scene, Leg::Consumer, 1_600);
    let before = scene.agent_got.len();
    succeed(&mut scene, Codec::Pcmu);
    speak(&mut scene, Leg::Agent, 1_600);
    speak(&mut scene, Leg::Consumer, 1_600);
    // One packet of silence has opened the way before.
    assert_eq!(scene.consumer_got.len(), 21);
    assert_one_stream(&scene.consumer_got);
    assert!(scene.consumer_got[11].header.marker);
    let (old, new) = scene.agent_got.split_at(before);
    assert_ne!(old[0].header.ssrc, new[0].header.ssrc);
    assert!(new[0].header.marker);
    assert_one_stream(new);
}

#[test]
fn the_phone_that_had_the_place_is_not_heard_any_more() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    let mut old = succeed(&mut scene, Codec::Pcmu);
    let from = scene.consumer_got.len();
    for (_, bytes) in old.datagrams(&Script::audio(&hiss(1_600, 1))) {
        scene.datagram(Leg::Agent, old.source, &bytes);
    }
    assert_eq!(scene.consumer_got.len(), from);
    let counters = scene.relay.counters();
    assert_eq!(counters.agent.dropped(DropReason::WrongSource), 10);
    assert_eq!(counters.agent.packets_in, 10, "the leg's counts go on");
}

#[test]
fn s28_mask_and_keys_go_on_over_the_change_and_a_mute_does_not() {
    let mut scene = Scene::with(|call| call.always = true);
    speak(&mut scene, Leg::Agent, 1_600);
    scene.arm();
    scene.input(Input::MuteAgent(true));
    let script = Script::audio(&hiss(3_200, 2)).press(5, 800, 1_600, 160);
    let sent = scene.consumer.datagrams(&script);
    let half = Duration::from_millis(200);
    let (first, rest): (Vec<_>, Vec<_>) = sent.into_iter().partition(|(at, _)| *at <= half);
    scene.deliver(Leg::Consumer, &first, half);
    succeed(&mut scene, Codec::Pcma);
    assert!(scene.relay.is_protected());
    let rest: Vec<_> = rest
        .into_iter()
        .map(|(at, bytes)| (at - half, bytes))
        .collect();
    scene.deliver(Leg::Consumer, &rest, half);
    scene.wait(100);
    assert_eq!(scene.codes(), keys(&[5]));
    assert_eq!(scene.event_packets_to_agent(), 0);
    let from = scene.consumer_got.len();
    speak(&mut scene, Leg::Agent, 1_600);
    let heard = &scene.consumer_got[from..];
    let silence = plan(Codec::Pcmu, 1).codec.law().silence();
    let is_loud = |got: &Got| got.payload.iter().any(|code| *code != silence);
    assert!(heard.iter().any(is_loud));
}

#[test]
fn a_hold_outlasts_the_change() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    scene.input(Input::Hold(true));
    scene.wait(400);
    succeed(&mut scene, Codec::Pcmu);
    let from = scene.agent_got.len();
    speak(&mut scene, Leg::Consumer, 1_600);
    let silence = plan(Codec::Pcmu, 1).codec.law().silence();
    let to_other = &scene.agent_got[from..];
    assert!(
        to_other
            .iter()
            .all(|got| got.payload.iter().all(|code| *code == silence))
    );
    scene.input(Input::Hold(false));
    speak(&mut scene, Leg::Agent, 1_600);
    assert_one_stream(&scene.consumer_got);
}
