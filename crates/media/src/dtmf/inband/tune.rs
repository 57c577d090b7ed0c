//! How far both tones of a press lie from their nominal frequencies.
//! Owns: the search for the frequency that gathers most of a press in one place.
//! Never: judges; the limits are the verdict's.
//!
//! Power at a frequency does not depend on where phase zero lies. In the middle of the press, groups meet in pairs, one before it and one after, and
//! frequencies in pairs, one below the nominal and one above, so four products serve four of both.

use std::sync::LazyLock;

use super::keypad::tone_hz;
use super::lanes::{Lanes, Turns, larger};
use super::press::Sums;
use crate::sample;

/// Pieces summed before the search: 4 ms. 60 Hz turn by a quarter in them.
const GROUP: u8 = 4;

/// Groups of a press: 96 ms.
const GROUPS: usize = 24;

/// Deviation searched; a peak at its end is out of tune, wherever it is.
const SEARCHED: f32 = 0.045;

/// Frequencies tried over that range. They lie at most 5 Hz apart; the peak of 90 ms of tone reaches 11 Hz to each side, and a hole in its middle puts others beside it.
const TRIED: usize = 32;

/// The frequencies above the nominal one, four at a time.
const ABOVE: usize = TRIED / 8;

/// Where the second, finer parabola looks, in steps from the first one's top.
const FINE: f32 = 0.3;

/// Gathers the pieces of a press.
pub(super) struct Tuner {
    groups: [Sums; GROUPS],
    used: usize,
}

/// Two groups at the same distance from the middle of a press, for one tone: their sum and their difference, real and imaginary.
#[derive(Clone, Copy)]
struct Folded {
    sum: [f32; 2],
    difference: [f32; 2],
}

/// Turns of one group's time and of half of it at the frequencies tried above one of the eight nominal ones.
struct Tried {
    whole: [Turns; ABOVE],
    half: [Turns; ABOVE],
}

static TRIED_BY_TONE: LazyLock<[Tried; 8]> = LazyLock::new(|| {
    std::array::from_fn(|tone| {
        let step_hz = step_of(sample::narrow(tone_hz(tone)));
        let hz = |place: usize| (sample::count_f32(place) + 0.5) * step_hz;
        let above = |four: usize, groups: f32| {
            Turns::by(std::array::from_fn(|at| {
                radians(hz(4 * four + at)) * groups
            }))
        };
        Tried {
            whole: std::array::from_fn(|four| above(four, 1.0)),
            half: std::array::from_fn(|four| above(four, 0.5)),
        }
    })
});

impl Tuner {
    pub(super) fn new() -> Self {
        Self {
            groups: [Lanes::all(0.0); GROUPS],
            used: 0,
        }
    }

    /// Adds the piece at `place`, counted from the first.
    pub(super) fn add(&mut self, place: u8, sums: Sums) {
        let index = usize::from(place / GROUP);
        if let Some(group) = self.groups.get_mut(index) {
            self.used = index + 1;
            *group += sums;
        }
    }

    /// Deviation of both tones (0-3 low, 4-7 high), as fractions; nothing if one has no peak within reach.
    pub(super) fn deviations(&self, tones: [usize; 2]) -> Option<[f32; 2]> {
        let low = self.deviation(0, tones[0])?;
        let high = self.deviation(1, tones[1])?;
        Some([low, high])
    }

    fn deviation(&self, part: usize, tone: usize) -> Option<f32> {
        let nominal_hz = sample::narrow(tone_hz(tone));
        let step_hz = step_of(nominal_hz);
        let mut folded = [Folded::NONE; GROUPS.div_ceil(2)];
        let folded = self.fold(part, &mut folded);
        let powers = self.powers(folded, &TRIED_BY_TONE[tone]);
        let best = place_of_largest(&powers);
        if best == 0 || best == TRIED - 1 {
            return None;
        }
        // A parabola through the peak and its neighbours, twice: the second time with a step as small as the first's error.
        let coarse = sample::count_f32(best) - sample::count_f32(TRIED - 1) / 2.0
            + vertex(powers[best - 1], powers[best], powers[best + 1]);
        let [before, at, after] = self.powers_beside(folded, coarse * step_hz, FINE * step_hz);
        Some(step_hz * (coarse + FINE * vertex(before, at, after)) / nominal_hz)
    }

    /// Groups of one tone in pairs, the innermost first; an innermost one that is alone stands for both.
    fn fold<'pairs>(
        &self,
        part: usize,
        pairs: &'pairs mut [Folded; GROUPS.div_ceil(2)],
    ) -> &'pairs [Folded] {
        let count = self.used.div_ceil(2);
        for (pair, at) in pairs.iter_mut().zip((0..count).rev()) {
            let group = |index: usize| {
                let sums = self.groups[index].0;
                [sums[2 * part], sums[2 * part + 1]]
            };
            let (before, after) = (group(at), group(self.used - 1 - at));
            *pair = Folded {
                sum: [after[0] + before[0], after[1] + before[1]],
                difference: [after[0] - before[0], after[1] - before[1]],
            };
        }
        if !self.used.is_multiple_of(2) {
            pairs[0].sum = pairs[0].sum.map(|value| value / 2.0);
        }
        &pairs[..count]
    }

    /// Powers at all frequencies tried, lowest first.
    fn powers(&self, folded: &[Folded], tried: &Tried) -> [f32; TRIED] {
        let mut powers = [0.0; TRIED];
        for (four, (whole, half)) in tried.whole.iter().zip(&tried.half).enumerate() {
            let (above, below) = fold_powers(folded, self.start(*half), *whole);
            for at in 0..4 {
                powers[TRIED / 2 + 4 * four + at] = above.0[at];
                powers[TRIED / 2 - 1 - 4 * four - at] = below.0[at];
            }
        }
        powers
    }

    /// Powers at `hz` beside the nominal frequency, and `step_hz` before and after that.
    fn powers_beside(&self, folded: &[Folded], hz: f32, step_hz: f32) -> [f32; 3] {
        let half = Turns::by([hz - step_hz, hz, hz + step_hz, hz].map(|hz| radians(hz) / 2.0));
        let (powers, _) = fold_powers(folded, self.start(half), half.then(half));
        [powers.0[0], powers.0[1], powers.0[2]]
    }

    /// The turn of the innermost pair: half a group from the middle, or none.
    fn start(&self, half: Turns) -> Turns {
        if self.used.is_multiple_of(2) {
            half
        } else {
            Turns::NONE
        }
    }
}

impl Folded {
    const NONE: Self = Self {
        sum: [0.0; 2],
        difference: [0.0; 2],
    };
}

/// Powers at four frequencies above the nominal one, and at those as far below it.
fn fold_powers(folded: &[Folded], start: Turns, step: Turns) -> (Lanes, Lanes) {
    let mut turn = start;
    let [mut re_even, mut re_odd, mut im_even, mut im_odd] = [Lanes::all(0.0); 4];
    for pair in folded {
        re_even += Lanes::all(pair.sum[0]) * turn.cos;
        re_odd += Lanes::all(pair.difference[1]) * turn.sin;
        im_even += Lanes::all(pair.sum[1]) * turn.cos;
        im_odd += Lanes::all(pair.difference[0]) * turn.sin;
        turn = turn.then(step);
    }
    let power = |re: Lanes, im: Lanes| re * re + im * im;
    (
        power(re_even + re_odd, im_even - im_odd),
        power(re_even - re_odd, im_even + im_odd),
    )
}

fn place_of_largest(powers: &[f32; TRIED]) -> usize {
    let most = powers.iter().copied().fold(0.0, larger);
    powers.iter().position(|power| *power >= most).unwrap_or(0)
}

/// Distance of the frequencies tried.
fn step_of(nominal_hz: f32) -> f32 {
    2.0 * SEARCHED * nominal_hz / sample::count_f32(TRIED - 1)
}

/// How far a tone of `hz` turns in a group's time.
fn radians(hz: f32) -> f32 {
    std::f32::consts::TAU * hz * 0.001 * f32::from(GROUP)
}

/// Where a parabola through three equally distant values has its top, in steps from the middle; at most half a step.
fn vertex(before: f32, at: f32, after: f32) -> f32 {
    let bend = 2.0 * at - before - after;
    if bend <= 0.0 {
        return 0.0;
    }
    ((after - before) / (2.0 * bend)).clamp(-0.5, 0.5)
}
