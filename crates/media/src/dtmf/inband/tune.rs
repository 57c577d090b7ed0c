//! How far both tones of a press lie from their nominal frequencies.
//! Owns: the search for the frequency that gathers most of a press in one place.
//! Never: judges; the limits are the verdict's.

use super::press::Sums;
use crate::sample;

/// Pieces summed before the search: 4 ms. 60 Hz turn by a quarter in them.
const GROUP: u64 = 4;

/// Groups of a press: 96 ms.
const GROUPS: usize = 24;

/// Deviation searched; a peak at its end is out of tune, wherever it is.
const SEARCHED: f32 = 0.045;

/// Frequencies tried over that range. They lie at most 5 Hz apart; the peak of 90 ms of tone reaches 11 Hz to each side, and a hole in its middle puts others beside it.
const TRIED: usize = 32;

/// Gathers the pieces of a press.
pub(super) struct Tuner {
    groups: [Sums; GROUPS],
    used: usize,
}

impl Tuner {
    pub(super) fn new() -> Self {
        Self {
            groups: [[0.0; 4]; GROUPS],
            used: 0,
        }
    }

    /// Adds the piece at `place`, counted from the first.
    pub(super) fn add(&mut self, place: u64, sums: &Sums) {
        let index = sample::length(place / GROUP);
        if let Some(group) = self.groups.get_mut(index) {
            self.used = index + 1;
            for (total, value) in group.iter_mut().zip(sums) {
                *total += value;
            }
        }
    }

    /// Deviation of both tones, as fractions; nothing if one has no peak within reach.
    pub(super) fn deviations(&self, nominal_hz: [f32; 2]) -> Option<[f32; 2]> {
        let low = self.deviation(0, nominal_hz[0])?;
        let high = self.deviation(1, nominal_hz[1])?;
        Some([low, high])
    }

    fn deviation(&self, tone: usize, nominal_hz: f32) -> Option<f32> {
        let last = sample::count_f32(TRIED - 1);
        let step_hz = 2.0 * SEARCHED * nominal_hz / last;
        let powers = self.powers(tone, step_hz);
        let mut best = 0;
        for (place, power) in powers.iter().enumerate() {
            if *power > powers[best] {
                best = place;
            }
        }
        if best == 0 || best == TRIED - 1 {
            return None;
        }
        // A parabola through the peak and its neighbours, twice: the second time with a step as small as the first's error.
        let coarse = sample::count_f32(best) - last / 2.0
            + vertex(powers[best - 1], powers[best], powers[best + 1]);
        let fine = |offset: f32| self.power(tone, turn_of((coarse + offset) * step_hz));
        let hz = step_hz * (coarse + 0.3 * vertex(fine(-0.3), fine(0.0), fine(0.3)));
        Some(hz / nominal_hz)
    }

    /// Power of the press at frequencies `step_hz` apart, the nominal one in their middle, all at once.
    fn powers(&self, tone: usize, step_hz: f32) -> [f32; TRIED] {
        let step = turn_of(step_hz);
        let mut turn = turn_of(-sample::count_f32(TRIED - 1) / 2.0 * step_hz);
        let (mut cos, mut sin) = ([0.0; TRIED], [0.0; TRIED]);
        for (cos, sin) in cos.iter_mut().zip(&mut sin) {
            [*cos, *sin] = turn;
            turn = times(turn, step);
        }
        let (mut now_cos, mut now_sin) = ([1.0_f32; TRIED], [0.0_f32; TRIED]);
        let (mut re, mut im) = ([0.0_f32; TRIED], [0.0_f32; TRIED]);
        for group in &self.groups[..self.used] {
            let (x, y) = (group[2 * tone], group[2 * tone + 1]);
            for at in 0..TRIED {
                re[at] += x * now_cos[at] - y * now_sin[at];
                im[at] += x * now_sin[at] + y * now_cos[at];
                let turned = now_cos[at] * cos[at] - now_sin[at] * sin[at];
                now_sin[at] = now_cos[at] * sin[at] + now_sin[at] * cos[at];
                now_cos[at] = turned;
            }
        }
        let mut powers = [0.0; TRIED];
        for at in 0..TRIED {
            powers[at] = re[at] * re[at] + im[at] * im[at];
        }
        powers
    }

    /// Power of the press beside the nominal frequency, where a group's time turns it by `turn`.
    fn power(&self, tone: usize, turn: [f32; 2]) -> f32 {
        let (mut now, mut sum) = ([1.0_f32, 0.0_f32], [0.0_f32; 2]);
        for group in &self.groups[..self.used] {
            let value = times([group[2 * tone], group[2 * tone + 1]], now);
            sum = [sum[0] + value[0], sum[1] + value[1]];
            now = times(now, turn);
        }
        sum[0] * sum[0] + sum[1] * sum[1]
    }
}

/// How far a group's time turns back a tone of `hz`.
fn turn_of(hz: f32) -> [f32; 2] {
    let angle = -std::f32::consts::TAU * hz * 0.001 * sample::count_f32(sample::length(GROUP));
    [angle.cos(), angle.sin()]
}

/// The product of two complex numbers.
pub(super) fn times(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

/// Where a parabola through three equally distant values has its top, in steps from the middle; at most half a step.
fn vertex(before: f32, at: f32, after: f32) -> f32 {
    let bend = 2.0 * at - before - after;
    if bend <= 0.0 {
        return 0.0;
    }
    ((after - before) / (2.0 * bend)).clamp(-0.5, 0.5)
}
