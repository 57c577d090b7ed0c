//! What a protected agent's audio is made of while a key sounds: the flat tone, and nothing where keys are told apart.

use std::f64::consts::TAU;

use media::leg::{Codec, Leg};
use media::relay::Input;
use media::tone::KeyToneShape;

use crate::mask::Keyed;
use crate::scene::{EVENT_PAYLOAD_TYPE, Scene, Script, hiss, plan};

/// The flat tone, and what keys are made of (ITU-T Q.23).
const FLAT_HZ: f64 = 560.0;
const KEYS_HZ: [f64; 8] = [
    697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0,
];

/// How far below the flat tone a key's tones have to lie. In G.711 a window of 100 ms cannot show it: the tone's own quantisation lies 37 dB below it, in
/// lines 80 Hz apart. The second that is looked at here tells these from the keys' tones.
const BELOW_DB: f64 = -60.0;

/// A second.
const WINDOW: usize = 8_000;

/// A key is held this long, so that the window lies within it.
const PRESS: usize = 9_600;

/// Samples through a window of four terms (Blackman and Harris), whose side lobes lie 92 dB down; a full-scale sine is 0 dB.
fn windowed(samples: &[i16]) -> Vec<f64> {
    let terms = [0.358_75, -0.488_29, 0.141_28, -0.011_68];
    let scale = 2.0 / (32_768.0 * terms[0] * samples.len() as f64);
    let weight = |at: usize| {
        let turn = TAU * at as f64 / samples.len() as f64;
        let terms = terms.iter().zip(0_u32..);
        terms
            .map(|(term, order)| term * (turn * f64::from(order)).cos())
            .sum::<f64>()
    };
    let values = samples.iter().enumerate();
    values
        .map(|(at, value)| f64::from(*value) * weight(at) * scale)
        .collect()
}

/// Level of a frequency, in dB.
fn level_db(windowed: &[f64], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (at, value) in windowed.iter().enumerate() {
        let (sin, cos) = (TAU * hertz * at as f64 / 8_000.0).sin_cos();
        (re, im) = (re + value * cos, im - value * sin);
    }
    20.0 * f64::hypot(re, im).max(1e-9).log10()
}

/// The loudest of the keys' tones, to 3 Hz beside where they should be.
fn keys_db(windowed: &[f64]) -> f64 {
    let beside = [-3.0, 0.0, 3.0];
    let all = KEYS_HZ
        .iter()
        .flat_map(|hertz| beside.map(|off| hertz + off));
    all.map(|hertz| level_db(windowed, hertz))
        .fold(f64::MIN, f64::max)
}

/// A second of what the agent hears while a key is held, in the audio and, if wanted, as an event.
fn heard_of(key: u8, codecs: [Codec; 2], as_event: bool) -> Vec<i16> {
    let mut scene = Scene::with(|relay| {
        relay.consumer = plan(codecs[0], 1);
        relay.consumer.telephone_event_in = as_event.then_some(EVENT_PAYLOAD_TYPE);
        relay.agent = plan(codecs[1], 2);
    });
    let armed = scene.arm() as usize;
    let mut keyed = Keyed::new(hiss(PRESS + 3_200, u64::from(key)));
    keyed.sound(key, 1_600, PRESS, KeyToneShape::default());
    let mut script = Script::audio(&keyed.signal);
    if as_event {
        script = script.press(key, 1_600, PRESS, 160);
    }
    scene.run(Leg::Consumer, &script);
    scene.wait(300);
    let from = armed + 1_600 + (PRESS - WINDOW) / 2;
    scene.agent_heard()[from..from + WINDOW].to_vec()
}

#[test]
fn c18_of_a_held_key_the_agent_hears_the_flat_tone_and_nothing_of_the_key() {
    for codecs in [
        [Codec::Pcmu, Codec::Pcmu],
        [Codec::Pcma, Codec::Pcma],
        [Codec::Pcma, Codec::Pcmu],
        [Codec::G722, Codec::Pcmu],
        [Codec::G722, Codec::G722],
    ] {
        for as_event in [false, true] {
            for key in 0..16 {
                let heard = windowed(&heard_of(key, codecs, as_event));
                let (flat, keys) = (level_db(&heard, FLAT_HZ), keys_db(&heard));
                assert!(flat > -25.0, "{codecs:?} {key} {as_event}: {flat}");
                assert!(
                    keys - flat < BELOW_DB,
                    "{codecs:?} {key} {as_event}: {}",
                    keys - flat
                );
            }
        }
    }
}

#[test]
fn c18_a_key_that_is_not_masked_is_seen_and_speech_is_heard_beside_keys() {
    let mut keyed = Keyed::new(hiss(WINDOW, 3));
    keyed.sound(5, 0, WINDOW, KeyToneShape::default());
    assert!(keys_db(&windowed(&keyed.signal)) > -25.0);
    let mut scene = Scene::new();
    scene.arm();
    let sine = |at: usize| (TAU * 1_000.0 * at as f64 / 8_000.0).sin();
    let tone: Vec<i16> = (0..3 * WINDOW)
        .map(|at| (1_000.0 * sine(at)).round() as i16)
        .collect();
    scene.run(Leg::Consumer, &Script::audio(&tone));
    scene.input(Input::Unprotect);
    let heard = scene.agent_heard();
    let level = level_db(&windowed(&heard[2 * WINDOW..3 * WINDOW]), 1_000.0);
    assert!(level > -40.0, "{level}");
}
