//! How far both tones of a press lie from their nominal frequencies.
//! Owns: the search for the frequency that gathers most of a press in one place.
//! Never: judges; the limits are the verdict's.

use super::press::Sums;
use crate::sample;

/// Pieces summed before the search: 4 ms. 60 Hz turn by a quarter in them.
const GROUP: u64 = 4;

/// Groups of a press: 96 ms.
const GROUPS: usize = 24;

/// Distance of the frequencies tried: 6 Hz. The peak of 64 ms of tone is 16 Hz wide on each side, that of 9 ms 110.
const STEP_HZ: f32 = 6.0;

/// Deviation searched; a peak at its end is out of tune, wherever it is.
const SEARCHED: f32 = 0.045;

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
        let steps = i16::try_from(sample::round_to_u32(
            (SEARCHED * nominal_hz / STEP_HZ).ceil(),
        ))
        .ok()?;
        let power = |step: i16| self.power(tone, turn_of(f32::from(step) * STEP_HZ));
        let best = self.coarse(tone, steps);
        if best.abs() == steps {
            return None;
        }
        // A parabola through the peak and its neighbours, twice: the second time with a step as small as the first's error.
        let coarse = f32::from(best) + vertex(power(best - 1), power(best), power(best + 1));
        let fine = |offset: f32| self.power(tone, turn_of((coarse + offset) * STEP_HZ));
        let hz = STEP_HZ * (coarse + 0.3 * vertex(fine(-0.3), fine(0.0), fine(0.3)));
        Some(hz / nominal_hz)
    }

    /// The step of most power.
    fn coarse(&self, tone: usize, steps: i16) -> i16 {
        let step = turn_of(STEP_HZ);
        let mut turn = turn_of(-f32::from(steps) * STEP_HZ);
        let mut best = (0, -1.0);
        for place in -steps..=steps {
            let power = self.power(tone, turn);
            if power > best.1 {
                best = (place, power);
            }
            turn = times(turn, step);
        }
        best.0
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
