//! The guard against presses, their like, and what is none.

use super::*;
use crate::dtmf::inband::keypad::Pair;
use crate::tone::{FADE_SAMPLES, Fade, FlatTone, KeyTone, KeyToneShape};

/// What may leave of a press: 30 ms.
const LEFT_MAX: usize = 240;

fn noise(len: usize, peak: f32, seed: u32) -> Vec<i16> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let whole = f32::from(u16::try_from(state >> 16).unwrap());
        sample::from_f32((whole / 32_768.0 - 1.0) * peak)
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// A press of `len` samples at `start` of quiet noise.
fn press(pair: Pair, shape: KeyToneShape, start: usize, len: usize) -> Vec<i16> {
    let mut linear = noise(start + len + 400, 30.0, 5);
    KeyTone::new(pair, shape).add_to(&mut linear[start..start + len]);
    linear
}

fn pass(guard: &mut EgressGuard, linear: &[i16], packet: usize) -> Vec<Verdict> {
    let mut payload = vec![0; packet];
    linear
        .chunks(packet)
        .map(|chunk| {
            let len = Law::Mu.encode(chunk, &mut payload);
            guard.judge(Law::Mu, &payload[..len])
        })
        .collect()
}

/// Samples of `linear[start..]` that left.
fn left(verdicts: &[Verdict], packet: usize, start: usize, end: usize) -> usize {
    let passed = |at: &usize| verdicts[at / packet] == Verdict::Pass;
    (start..end).filter(passed).count()
}

fn trips(linear: &[i16]) -> u64 {
    let mut guard = EgressGuard::new();
    pass(&mut guard, linear, 160);
    guard.counters().trips
}

fn shape(low_dbm0: f32, twist_db: f32, deviation: f64) -> KeyToneShape {
    KeyToneShape {
        low_dbm0,
        twist_db,
        low_deviation: deviation,
        high_deviation: -deviation,
    }
}

fn pairs() -> impl Iterator<Item = Pair> {
    (0..16).map(|number| Pair::new(number / 4, number % 4))
}

#[test]
fn less_than_30_ms_of_a_press_leave_wherever_it_begins_and_however_it_is_cut() {
    for packet in [80, 96, 160, 240, 480] {
        for start in 400..400 + packet {
            let pair = Pair::new(u8::try_from(start % 4).unwrap(), 1);
            let linear = press(pair, KeyToneShape::default(), start, 800);
            let mut guard = EgressGuard::new();
            let verdicts = pass(&mut guard, &linear, packet);
            let left = left(&verdicts, packet, start, start + 800);
            assert!(
                left < LEFT_MAX,
                "{left} samples, packet {packet}, start {start}"
            );
            assert_eq!(
                (guard.counters().trips, guard.counters().digits_found),
                (1, 1)
            );
        }
    }
}

#[test]
fn every_pair_is_found_at_the_corners_of_the_limits() {
    for pair in pairs() {
        for deviation in [-0.025, -0.018, -0.015, 0.0, 0.015, 0.018, 0.025] {
            for (low, twist) in [
                (-3.0, 0.0),
                (-12.0, 9.0),
                (-20.0, -9.0),
                (-35.0, 0.0),
                (-26.0, -8.0),
            ] {
                let linear = press(pair, shape(low, twist, deviation), 437, 400);
                let mut guard = EgressGuard::new();
                let verdicts = pass(&mut guard, &linear, 160);
                let left = left(&verdicts, 160, 437, 837);
                assert!(
                    left < LEFT_MAX,
                    "{left}: {} {} {deviation} {low} {twist}",
                    pair.row(),
                    pair.column()
                );
            }
        }
    }
}

#[test]
fn a_press_in_noise_and_in_a_law_of_its_own_is_found() {
    for seed in 1..200 {
        let mut linear = noise(2_000, 3_300.0, seed);
        // Two tones of -9 dBm0 are 12 dB above noise of this peak.
        let pair = Pair::new(
            u8::try_from(seed % 4).unwrap(),
            u8::try_from(seed / 4 % 4).unwrap(),
        );
        let mut tone = KeyTone::new(pair, shape(-9.0, 0.0, 0.01));
        tone.add_to(&mut linear[480..1_280]);
        let mut guard = EgressGuard::new();
        let mut payload = [0; 160];
        for chunk in linear.chunks(160) {
            let len = Law::A.encode(chunk, &mut payload);
            guard.judge(Law::A, &payload[..len]);
        }
        assert_eq!(guard.counters().trips, 1, "seed {seed}");
    }
}

#[test]
fn what_is_shorter_or_outside_the_limits_is_no_find() {
    for pair in pairs() {
        for start in 400..440 {
            assert_eq!(trips(&press(pair, KeyToneShape::default(), start, 160)), 0);
        }
        for outside in [
            shape(-45.0, 0.0, 0.0),
            shape(-16.0, 15.0, 0.0),
            shape(-10.0, -15.0, 0.0),
            shape(-9.0, 0.0, 0.045),
        ] {
            assert_eq!(trips(&press(pair, outside, 411, 800)), 0, "{outside:?}");
        }
    }
}

#[test]
fn the_flat_tone_single_tones_and_noise_are_no_find() {
    let fade = Fade::new();
    for hz in [300.0, 440.0, 560.0, 600.0, 620.0] {
        let tone = FlatTone::new(hz);
        let mut linear = noise(3_200, 30.0, 3);
        for (at, value) in linear[400..2_400].iter_mut().enumerate() {
            let edge = fade.weight(at.min(1_999 - at).min(FADE_SAMPLES));
            *value = value.saturating_add(sample::from_f32(edge * tone.at(sample::span(at))));
        }
        assert_eq!(trips(&linear), 0, "{hz} Hz");
    }
    for pair in pairs() {
        let one_tone = shape(-9.0, -60.0, 0.0);
        assert_eq!(trips(&press(pair, one_tone, 400, 1_600)), 0);
    }
    for seed in 1..50 {
        assert_eq!(trips(&noise(80_000, 8_000.0, seed)), 0);
    }
}

#[test]
fn silence_lasts_until_a_whole_second_was_clean_and_the_alarm_comes_once() {
    let mut guard = EgressGuard::new();
    let key = press(Pair::new(1, 1), KeyToneShape::default(), 480, 800);
    pass(&mut guard, &key, 160);
    assert!(guard.take_trip() && !guard.take_trip());
    pass(&mut guard, &noise(4_000, 30.0, 9), 160);
    pass(&mut guard, &key, 160);
    assert!(!guard.take_trip() && guard.is_silencing());
    assert_eq!(
        (guard.counters().trips, guard.counters().digits_found),
        (1, 2)
    );
    let after = pass(&mut guard, &noise(16_000, 30.0, 9), 160);
    let silent = after
        .iter()
        .take_while(|one| **one == Verdict::Silence)
        .count();
    assert!(
        (46..=50).contains(&silent),
        "{silent} packets after 400 samples of the key's own"
    );
    assert!(after[silent..].iter().all(|one| *one == Verdict::Pass));
    pass(&mut guard, &key, 160);
    assert!(guard.take_trip());
}

#[test]
fn the_energy_within_the_bands_is_that_of_what_left() {
    let ratio_db = |linear: &[i16]| {
        let mut guard = EgressGuard::new();
        pass(&mut guard, linear, 160);
        let counters = guard.counters();
        10.0 * (counters.band_energy as f64 / counters.energy as f64).log10()
    };
    let flat = FlatTone::new(560.0);
    let flat: Vec<i16> = (0..8_000).map(|at| sample::from_f32(flat.at(at))).collect();
    assert!(ratio_db(&flat) < -20.0);
    // One tone is no find: all of it leaves.
    let one_tone = press(Pair::new(0, 0), shape(-9.0, -60.0, 0.0), 0, 8_000);
    assert!(ratio_db(&one_tone) > -0.5);
    let mut guard = EgressGuard::new();
    pass(
        &mut guard,
        &press(Pair::new(0, 0), KeyToneShape::default(), 0, 8_000),
        160,
    );
    let tone = Law::Mu.amplitude(-9.0).powi(2) * sample::count_f32(LEFT_MAX) / ENERGY_UNIT;
    assert!(guard.counters().energy < u64::from(sample::round_to_u32(2.0 * tone)));
    assert_eq!(guard.counters().samples_checked, 8_400);
}

/// Harmonics of one pitch, as powers, at any phase.
fn voice(pitch_hz: f64, harmonics: &[(f64, f64)], len: usize, seed: u32) -> Vec<i16> {
    let mut voiced: Vec<f64> = noise(len, 60.0, seed)
        .iter()
        .map(|value| f64::from(*value))
        .collect();
    for (at, (number, power)) in harmonics.iter().enumerate() {
        let peak = 7_000.0 * power.sqrt();
        let phase = f64::from(seed) * 1.7 * sample::count_f64(at + 1);
        for (at, value) in voiced.iter_mut().enumerate() {
            let angle = std::f64::consts::TAU * pitch_hz * number * sample::count_f64(at) / 8_000.0;
            *value += peak * (angle + phase).sin();
        }
    }
    voiced
        .into_iter()
        .map(|value| sample::from_f32(sample::narrow(value)))
        .collect()
}

#[test]
fn a_voice_with_two_strong_harmonics_is_no_find() {
    // Its fifth harmonic stands for a row, its seventh for a column; a fifth of it is others.
    let harmonics = [
        (4.0, 0.11),
        (5.0, 0.69),
        (7.0, 0.11),
        (8.0, 0.05),
        (3.0, 0.04),
    ];
    for seed in 0..200 {
        let pitch_hz = 171.0 + f64::from(seed % 20) / 10.0;
        assert_eq!(
            trips(&voice(pitch_hz, &harmonics, 4_000, seed)),
            0,
            "{pitch_hz} Hz, seed {seed}"
        );
    }
}

#[test]
fn two_tones_beside_others_of_an_eighth_of_their_power_are_a_find() {
    let pair = [
        (697.0, 0.45),
        (1_336.0, 0.45),
        (400.0, 0.05),
        (1_000.0, 0.05),
    ];
    for seed in 0..50 {
        assert_eq!(trips(&voice(1.0, &pair, 4_000, seed)), 1, "seed {seed}");
    }
}
