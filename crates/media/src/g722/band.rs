//! One half of the band: a predictor and a step that both learn from the codes alone.
//! Owns: what is remembered of the samples before.
//! Never: looks at what was said: only at what was sent of it, which the far side has too.

use super::tables::{POWERS, Steps};

/// Zeros of the predictor.
const ZEROS: usize = 6;

#[derive(Debug, Clone)]
pub(super) struct Band {
    predicted: i32,
    /// The part of it that comes of the zeros.
    by_zeros: i32,
    step: i32,
    step_log: i32,
    /// Newest first, as all that follow.
    differences: [i32; ZEROS],
    zeros: [i32; ZEROS],
    rebuilt: [i32; 2],
    partial: [i32; 2],
    poles: [i32; 2],
}

impl Band {
    pub(super) fn new(steps: &Steps) -> Self {
        Self {
            predicted: 0,
            by_zeros: 0,
            step: steps.first,
            step_log: 0,
            differences: [0; ZEROS],
            zeros: [0; ZEROS],
            rebuilt: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
        }
    }

    /// What the next sample is expected to be.
    pub(super) fn predicted(&self) -> i32 {
        self.predicted
    }

    /// A difference given for a step of 32,768.
    pub(super) fn scaled(&self, difference: i32) -> i32 {
        (self.step * difference) >> 15
    }

    /// The level that a difference from the prediction lies on: how many of the `levels`, given for a step of 4,096, it reaches.
    pub(super) fn level_of(&self, off: i32, levels: &[i32]) -> usize {
        let size = if off < 0 { -(off + 1) } else { off };
        levels.partition_point(|level| size >= (level * self.step) >> 12)
    }

    /// Learns from a code: the difference it stands for, and how it moves the logarithm of the step.
    pub(super) fn adapt(&mut self, steps: &Steps, difference: i32, step_move: i32) {
        let difference = self.scaled(difference);
        self.step_log = (((self.step_log * 127) >> 7) + step_move).clamp(0, steps.log_max);
        self.step = step_of(self.step_log, steps.shift);
        self.predict(difference);
    }

    fn predict(&mut self, difference: i32) {
        let rebuilt = saturated(self.predicted + difference);
        let partial = saturated(self.by_zeros + difference);
        self.poles = self.next_poles(partial);
        self.learn_zeros(difference);
        self.differences.rotate_right(1);
        self.differences[0] = difference;
        self.rebuilt = [rebuilt, self.rebuilt[0]];
        self.partial = [partial, self.partial[0]];
        let by_poles = self.poles.iter().zip(self.rebuilt);
        let by_poles: i32 = by_poles.map(|(pole, value)| weighed(*pole, value)).sum();
        let by_zeros = self.zeros.iter().zip(self.differences);
        let by_zeros: i32 = by_zeros.map(|(zero, value)| weighed(*zero, value)).sum();
        self.by_zeros = saturated(by_zeros);
        self.predicted = saturated(saturated(by_poles) + self.by_zeros);
    }

    fn next_poles(&self, partial: i32) -> [i32; 2] {
        let is_alike = |before: i32| (partial < 0) == (before < 0);
        let [like_last, like_second] = self.partial.map(is_alike);
        let first = saturated(self.poles[0] << 2);
        let pull = if like_last {
            (-first).min(32_767)
        } else {
            first
        };
        let second =
            (pull >> 7) + if like_second { 128 } else { -128 } + ((self.poles[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let first =
            saturated(if like_last { 192 } else { -192 } + ((self.poles[0] * 32_640) >> 15));
        let most = saturated(15_360 - second);
        [first.clamp(-most, most), second]
    }

    fn learn_zeros(&mut self, difference: i32) {
        let pull = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            let pull = if (before < 0) == (difference < 0) {
                pull
            } else {
                -pull
            };
            *zero = saturated(pull + ((*zero * 32_640) >> 15));
        }
    }
}

fn step_of(log: i32, shift: i32) -> i32 {
    let power = POWERS[usize::try_from((log >> 6) & 31).unwrap_or(0)];
    let down = shift - (log >> 11);
    let step = if down < 0 {
        power << -down
    } else {
        power >> down
    };
    step << 2
}

/// A coefficient of the predictor times what it is for.
fn weighed(coefficient: i32, value: i32) -> i32 {
    (coefficient * saturated(value * 2)) >> 15
}

/// Within the 16 bits of the standard's arithmetic.
pub(super) fn saturated(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}
