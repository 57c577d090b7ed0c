//! What the consumer hears of the agent's own keys while the call is protected: nothing (S31).

use media::dtmf::inband::LooseDetector;
use media::g711::Law;
use media::leg::{Codec, Leg};
use media::relay::{Input, RelayEvent};
use media::tone::KeyToneShape;

use crate::mask::{HELD, Keyed, clear_samples, voice};
use crate::scene::{MS, Scene, Script, hiss, plan, samples_to_time};

/// Hiss and eight keys of `len` from both ends of the keypad.
fn keyed(len: usize, into: usize) -> Keyed {
    let mut keyed = Keyed::new(hiss(16_000, 5));
    for (index, code) in [4, 1, 1, 1, 9, 0, 10, 11].into_iter().enumerate() {
        let start = 800 + into + index * 1_800;
        keyed.sound(code, start, len, KeyToneShape::default());
    }
    keyed
}

/// A call between two that speak, protected.
fn armed() -> Scene {
    let mut scene = Scene::new();
    scene.run(Leg::Agent, &Script::audio(&hiss(1_600, 3)));
    scene.arm();
    scene
}

/// The agent's samples in the places of their packets from packet `from` on; silence where nothing came.
pub(crate) fn consumer_heard(scene: &Scene, from: usize) -> Vec<i16> {
    let got = &scene.consumer_got[from..];
    let Some(first) = got.first() else {
        return Vec::new();
    };
    let mut line = Vec::new();
    for packet in got {
        let law = if packet.header.payload_type == 8 {
            Law::A
        } else {
            Law::Mu
        };
        let start = packet.header.timestamp.wrapping_sub(first.header.timestamp) as usize;
        if line.len() < start + packet.payload.len() {
            line.resize(start + packet.payload.len(), 0);
        }
        law.decode(&packet.payload, &mut line[start..]);
    }
    line
}

#[test]
fn tones_of_the_agent_do_not_reach_the_consumer_under_protection() {
    for len in [160, 400, 800, 1_500] {
        for into in [0, 37, 80] {
            let mut scene = armed();
            let keyed = keyed(len, into);
            let from = scene.consumer_got.len();
            scene.run(Leg::Agent, &Script::audio(&keyed.signal));
            let heard = consumer_heard(&scene, from);
            assert_eq!(heard.len(), keyed.signal.len());
            assert_eq!(clear_samples(&keyed, &heard, 0), 0, "{len} {into}");
            assert!(LooseDetector::scan(&heard).is_empty(), "{len} {into}");
            assert!(scene.codes().is_empty());
        }
    }
}

#[test]
fn tones_of_the_agent_reach_the_consumer_when_nothing_is_protected() {
    let mut scene = armed();
    scene.input(Input::Unprotect);
    scene.run(Leg::Consumer, &Script::audio(&hiss(8_000, 9)));
    assert!(!scene.relay.is_protected());
    // With the first packet the mask is left.
    scene.run(Leg::Agent, &Script::audio(&hiss(160, 9)));
    let keyed = keyed(800, 0);
    let from = scene.consumer_got.len();
    scene.run(Leg::Agent, &Script::audio(&keyed.signal));
    let heard = consumer_heard(&scene, from);
    assert!(clear_samples(&keyed, &heard, 0) > 5_000);
}

#[test]
fn a_tone_of_the_agent_that_sounds_at_arming_ends_there() {
    for before in (160..1_120).step_by(160) {
        for into in (0..160).step_by(23) {
            let mut scene = Scene::new();
            scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
            let mut keyed = Keyed::new(hiss(3_200, 5));
            keyed.sound(5, 160 + into, 960, KeyToneShape::default());
            scene.run(Leg::Agent, &Script::audio(&keyed.signal[..before]));
            scene.input(Input::Protect);
            let from = scene.consumer_got.len();
            scene.run(Leg::Agent, &Script::audio(&keyed.signal[before..]));
            let mut heard = vec![0; before];
            heard.extend(consumer_heard(&scene, from));
            assert_eq!(clear_samples(&keyed, &heard, 0), 0, "{before} {into}");
        }
    }
}

#[test]
fn losses_in_a_tone_of_the_agent_leak_nothing() {
    for first in 0..8 {
        for lost in [1, 2, 5] {
            let mut scene = armed();
            let mut keyed = Keyed::new(hiss(4_800, 5));
            keyed.sound(7, 1_650, 960, KeyToneShape::default());
            let mut script = Script::audio(&keyed.signal);
            for packet in &mut script.packets[8 + first..8 + first + lost] {
                packet.lost = true;
            }
            let from = scene.consumer_got.len();
            scene.run(Leg::Agent, &script);
            let heard = consumer_heard(&scene, from);
            assert_eq!(clear_samples(&keyed, &heard, 0), 0, "{first} {lost}");
            assert!(LooseDetector::scan(&heard).is_empty(), "{first} {lost}");
            // A loss shows to the consumer as the loss that it is.
            assert_eq!(scene.consumer_got.len() - from, 30 - lost);
            let ends = [from, scene.consumer_got.len() - 1]
                .map(|at| scene.consumer_got[at].header.sequence);
            assert_eq!(ends[1].wrapping_sub(ends[0]), 29);
        }
    }
}

#[test]
fn packets_of_the_agent_that_come_in_disorder_leak_nothing() {
    let mut scene = armed();
    let keyed = keyed(800, 11);
    let mut sent = scene.agent.datagrams(&Script::audio(&keyed.signal));
    for pair in sent.chunks_exact_mut(3) {
        let at = pair[1].0;
        (pair[0].0, pair[1].0) = (at, pair[0].0);
        pair.swap(0, 1);
    }
    sent.sort_by_key(|(at, _)| *at);
    let from = scene.consumer_got.len();
    scene.deliver(Leg::Agent, &sent, samples_to_time(keyed.signal.len()));
    let heard = consumer_heard(&scene, from);
    assert_eq!(clear_samples(&keyed, &heard, 0), 0);
    assert!(LooseDetector::scan(&heard).is_empty());
}

#[test]
fn the_agents_voice_passes_twelve_milliseconds_later_and_untouched() {
    let mut altered = 0;
    for (seed, codec) in (0..4).zip([Codec::Pcmu, Codec::Pcma].into_iter().cycle()) {
        let mut scene = Scene::with(|relay| relay.consumer = plan(codec, 1));
        scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
        scene.run(Leg::Agent, &Script::audio(&hiss(1_600, 3)));
        scene.input(Input::Protect);
        let signal = voice(80_000, seed);
        let from = scene.consumer_got.len();
        scene.run(Leg::Agent, &Script::audio(&signal));
        let got = &scene.consumer_got[from..];
        assert_eq!(got.len(), 500);
        assert!(got.iter().all(|packet| !packet.header.marker));
        assert!(got.windows(2).all(|two| {
            let step = two[1]
                .header
                .timestamp
                .wrapping_sub(two[0].header.timestamp);
            step == 160 && two[1].at - two[0].at == MS * 20
        }));
        let heard = consumer_heard(&scene, from);
        let law = codec.law();
        let is_altered = |at: &usize| {
            let came = Law::Mu.decode_byte(Law::Mu.encode_sample(signal[*at]));
            heard[at + HELD] != law.decode_byte(law.encode_sample(came))
        };
        altered += (160..79_000).filter(is_altered).count();
    }
    // As little as of the consumer's.
    assert!(altered * 500 <= 4 * 78_840, "{altered}");
}

/// A hum as loud as speech: a click would stand out of its slow curve.
fn hum(from: usize, len: usize) -> Vec<i16> {
    let turn = std::f64::consts::TAU * 150.0 / 8_000.0;
    (from..from + len)
        .map(|at| (8_000.0 * (at as f64 * turn).sin()).round() as i16)
        .collect()
}

#[test]
fn entering_and_leaving_do_not_click_for_the_consumer() {
    // The hum's own slope is 943, its quantisation 512; a fade of 2 ms adds less than half of 8,000 over 8 samples.
    let step_max = 2_400;
    for before in (1_600..2_240).step_by(160) {
        let mut scene = Scene::new();
        scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
        scene.run(Leg::Agent, &Script::audio(&hum(0, before)));
        scene.input(Input::Protect);
        scene.run(Leg::Agent, &Script::audio(&hum(before, 1_600)));
        scene.input(Input::Unprotect);
        scene.run(Leg::Consumer, &Script::audio(&hiss(8_000, 1)));
        assert!(!scene.relay.is_protected());
        scene.run(Leg::Agent, &Script::audio(&hum(before + 1_600, 1_600)));
        let heard = consumer_heard(&scene, 0);
        let first = heard.iter().position(|value| *value != 0).unwrap();
        let steps = heard[first..]
            .windows(2)
            .map(|two| i32::from(two[0]).abs_diff(i32::from(two[1])));
        let worst = steps.max().unwrap();
        assert!(worst <= step_max, "{before}: {worst}");
        // The delay is gone again.
        let law = |value: &i16| Law::Mu.decode_byte(Law::Mu.encode_sample(*value));
        let last: Vec<i16> = hum(before + 3_040, 160).iter().map(law).collect();
        assert_eq!(heard[heard.len() - 160..], last);
    }
}

#[test]
fn protection_that_is_wanted_again_before_the_agent_speaks_holds() {
    let mut scene = armed();
    scene.input(Input::Unprotect);
    scene.run(Leg::Consumer, &Script::audio(&hiss(8_000, 9)));
    scene.input(Input::Protect);
    let is_given = |event: &&RelayEvent| matches!(event, RelayEvent::Protected { .. });
    assert_eq!(scene.events.iter().filter(is_given).count(), 2);
    let keyed = keyed(800, 0);
    let from = scene.consumer_got.len();
    scene.run(Leg::Agent, &Script::audio(&keyed.signal));
    let heard = consumer_heard(&scene, from);
    assert_eq!(clear_samples(&keyed, &heard, 0), 0);
}
