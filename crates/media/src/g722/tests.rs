//! Held against another implementation, bit by bit, and against what a phone would hear.

use super::*;
use crate::dtmf::inband::LooseDetector;
use crate::dtmf::inband::keypad::Pair;
use crate::tone::{KeyTone, KeyToneShape};

/// Samples of each run: a second and a half of each kind of signal, and of anything at all.
const LEN: u32 = 16_384;

fn next(state: &mut u32) -> u16 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    u16::try_from(*state >> 16).unwrap()
}

/// Loud noise, quiet noise, a square wave, silence with clicks: all that moves steps and predictors to their ends.
fn said() -> Vec<i16> {
    let mut state = 1;
    let value = |at: u32| {
        let noise = next(&mut state).cast_signed();
        match at / 4_096 {
            0 => noise,
            1 => noise >> 8,
            2 if (at / 5).is_multiple_of(2) => 20_000,
            2 => -20_000,
            _ if at.is_multiple_of(64) => noise,
            _ => 0,
        }
    };
    (0..LEN).map(value).collect()
}

/// FNV-1a, 64 bits.
fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

fn decoded(octets: &[u8]) -> u64 {
    let mut bands = Bands::new();
    let samples = octets.iter().flat_map(|octet| {
        let (low, high) = bands.decode(*octet);
        [low, high].map(|value| sample::saturated(value * 2).to_be_bytes())
    });
    digest(samples.flatten())
}

// The figures are those of the libg722 of Steve Underwood, as Rust in `ezk-g722` 0.1.2, with both filters bypassed, as the
// Recommendation's own test sequences are played: the same value goes into both halves.
#[test]
fn octets_and_samples_are_those_of_another_implementation() {
    let mut bands = Bands::new();
    let halves = said().into_iter().map(|value| i32::from(value) >> 1);
    let octets: Vec<u8> = halves.map(|half| bands.encode(half, half)).collect();
    assert_eq!(
        octets[..12],
        [160, 160, 4, 4, 160, 160, 6, 4, 187, 4, 163, 160]
    );
    assert_eq!(digest(octets.iter().copied()), 0x5f93_5cf8_b0a4_c521);
    assert_eq!(decoded(&octets), 0xdeb9_a3b4_47f8_40df);
}

#[test]
fn any_octets_at_all_decode_as_in_another_implementation() {
    let mut state = 7;
    let octets: Vec<u8> = (0..LEN)
        .map(|_| next(&mut state).to_be_bytes()[1])
        .collect();
    assert_eq!(decoded(&octets), 0x5a1b_4bc5_722c_e8f9);
}

/// A press of 100 ms in the middle of 300 ms of silence.
fn press() -> Vec<i16> {
    let mut linear = vec![0; 2_400];
    KeyTone::new(Pair::new(2, 1), KeyToneShape::default()).add_to(&mut linear[800..1_600]);
    linear
}

fn coded(encoder: &mut Encoder, linear: &[i16]) -> Vec<u8> {
    let mut octets = vec![0; linear.len()];
    assert_eq!(encoder.encode(linear, &mut octets), linear.len());
    octets
}

fn heard(decoder: &mut Decoder, octets: &[u8]) -> Vec<i16> {
    let mut linear = vec![0; octets.len()];
    assert_eq!(decoder.decode(octets, &mut linear), octets.len());
    linear
}

fn power(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|value| value * value).sum()
}

#[test]
fn a_key_survives_though_the_step_has_to_grow_at_its_first_sample() {
    let said = press();
    let octets = coded(&mut Encoder::new(), &said);
    let heard = heard(&mut Decoder::new(), &octets);
    let off = said.iter().zip(&heard);
    let off = power(off.map(|(said, heard)| f64::from(*said) - f64::from(*heard)));
    let whole = power(said.iter().copied().map(f64::from));
    assert!(whole > off * 100.0, "{}", 10.0 * (whole / off).log10());
    assert_eq!(LooseDetector::scan(&heard).len(), 1);
}

#[test]
fn an_encoder_that_follows_goes_on_as_if_it_had_begun_the_stream() {
    let said = press();
    let (mut whole, mut front) = (Encoder::new(), Encoder::new());
    let octets = coded(&mut whole, &said);
    let (head, tail) = said.split_at(1_111);
    let mut listener = Decoder::new();
    heard(&mut listener, &coded(&mut front, head));
    let mut follower = Encoder::new();
    follower.follow(&listener);
    assert_eq!(coded(&mut follower, tail), octets[1_111..]);
    let fresh = coded(&mut Encoder::new(), tail);
    assert_ne!(fresh, octets[1_111..]);
}

#[test]
fn a_listener_is_a_decoder_that_has_heard_it_all() {
    let said = press();
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new();
    for packet in said.chunks(160) {
        let mut listener = encoder.listener();
        let octets = coded(&mut encoder, packet);
        let one = heard(&mut listener, &octets);
        assert_eq!(one, heard(&mut decoder, &octets));
    }
}
