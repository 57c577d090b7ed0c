//! The first look of the reporter: might this block of 16 ms hold a pair?
//! Owns: eight nominal frequencies over 128 samples, and the loose limits on them.
//! Never: decides what is a press; a hit is looked at again, a millisecond at a time.
//!
//! Every press of 32 ms fills a block that begins anywhere, so one look at each sample is enough. The block is folded about its middle:
//! sums meet cosines, differences meet sines, and half the products are saved.

use std::sync::LazyLock;

use super::keypad::{Pair, tone_hz};
use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;

/// Samples of a block: 16 ms. Its first null lies at 62 Hz, so that neighbours of a group (73 Hz apart at least) are told apart.
pub(super) const BLOCK: usize = 128;

const HALF: usize = BLOCK / 2;
const TONES: usize = 8;

/// Least share of the block that the two strongest nominal tones explain. Noise as strong as the pair leaves 0.5, so does a dial tone as strong; a high
/// tone 2.5 % off keeps 0.18 of itself at its nominal place, and the pair then still 0.5. Both together are not asked for.
const SHARE_LEAST: f32 = 0.25;

/// The strongest tone of a group over the three others together. A tone 2.5 % off leaks 2 % of itself to them; with noise as strong as
/// the pair it stands at 32 times the mean of one of them.
const DOMINANCE: f32 = 2.0;

/// Weaker tone over stronger, as powers: 9 dB of twist is 0.13, and 2.5 % off leaves 0.18 of that.
const WEAKER_LEAST: f32 = 0.02;

/// Level of the quietest block looked at: a pair of -51 dBm0 a tone that fills three quarters of it.
const FLOOR_DBM0: f32 = -50.0;

/// A pair that a block may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) pair: Pair,
}

/// Cosines and sines of the eight tones at each distance from the block's middle.
struct Bank {
    cos: [[f32; TONES]; HALF],
    sin: [[f32; TONES]; HALF],
    floor_energy: f32,
}

static BANK: LazyLock<Bank> = LazyLock::new(Bank::build);

impl Bank {
    fn build() -> Self {
        let wave = |distance: usize, tone: usize| {
            let turns =
                tone_hz(tone) * (sample::count_f64(distance) + 0.5) / f64::from(SAMPLE_RATE_HZ);
            std::f64::consts::TAU * turns
        };
        let peak = Law::Mu.amplitude(FLOOR_DBM0);
        Self {
            cos: std::array::from_fn(|at| {
                std::array::from_fn(|tone| sample::narrow(wave(at, tone).cos()))
            }),
            sin: std::array::from_fn(|at| {
                std::array::from_fn(|tone| sample::narrow(wave(at, tone).sin()))
            }),
            floor_energy: peak * peak / 2.0 * sample::count_f32(BLOCK),
        }
    }
}

/// Looks at a block.
pub(super) fn look(samples: &[f32; BLOCK]) -> Option<Hit> {
    let bank = &*BANK;
    let energy = energy_of(samples);
    if energy < bank.floor_energy {
        return None;
    }
    let (mut even, mut odd) = ([0.0_f32; HALF], [0.0_f32; HALF]);
    for at in 0..HALF {
        let (after, before) = (samples[HALF + at], samples[HALF - 1 - at]);
        even[at] = after + before;
        odd[at] = after - before;
    }
    let (cos, sin) = (weigh(&even, &bank.cos), weigh(&odd, &bank.sin));
    let mut powers = [0.0_f32; TONES];
    for ((power, cos), sin) in powers.iter_mut().zip(&cos).zip(&sin) {
        *power = cos * cos + sin * sin;
    }
    judge(&powers, energy)
}

fn energy_of(samples: &[f32; BLOCK]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for eight in samples.chunks_exact(8) {
        for (lane, value) in lanes.iter_mut().zip(eight) {
            *lane += value * value;
        }
    }
    lanes.iter().sum()
}

/// Sum of all rows, each times its value. Two sums side by side, so that an addition need not wait for the one before.
fn weigh(values: &[f32; HALF], rows: &[[f32; TONES]; HALF]) -> [f32; TONES] {
    let (mut one, mut two) = ([0.0_f32; TONES], [0.0_f32; TONES]);
    for (values, rows) in values.chunks_exact(2).zip(rows.chunks_exact(2)) {
        for tone in 0..TONES {
            one[tone] += values[0] * rows[0][tone];
            two[tone] += values[1] * rows[1][tone];
        }
    }
    for (one, two) in one.iter_mut().zip(&two) {
        *one += two;
    }
    one
}

fn judge(powers: &[f32; TONES], energy: f32) -> Option<Hit> {
    let (low, low_power, low_others) = strongest(&powers[..4]);
    let (high, high_power, high_others) = strongest(&powers[4..]);
    // A tone of amplitude A has (A x 64)^2 here and 64 A^2 of energy.
    let explained = (low_power + high_power) / sample::count_f32(HALF);
    let hit = explained >= SHARE_LEAST * energy
        && low_power >= DOMINANCE * low_others
        && high_power >= DOMINANCE * high_others
        && low_power.min(high_power) >= WEAKER_LEAST * low_power.max(high_power);
    hit.then(|| Hit {
        pair: Pair::new(low, high),
    })
}

/// The strongest of four: which, its power, that of the others together.
fn strongest(powers: &[f32]) -> (u8, f32, f32) {
    let mut best = (0_u8, 0.0_f32);
    for (tone, power) in (0_u8..).zip(powers) {
        if *power > best.1 {
            best = (tone, *power);
        }
    }
    let all: f32 = powers.iter().sum();
    (best.0, best.1, all - best.1)
}
