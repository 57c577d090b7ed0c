//! What two keypad tones explain of one window: exact least squares over 144 pairs of templates.
//! Owns: the templates, the tables of both window lengths, the bound that spares a fit.
//! Never: keeps a sample; decides what is a key.
//!
//! The four tones of a group stand side by side; a group is three such rows, one for each detuning. The templates of a low tone are fitted with all
//! high ones at once, or with none: where a bound says that no pair of them explains what is needed, or what the strongest low tone's best pair does.

use std::sync::LazyLock;

use super::analysis::{HOP_SAMPLES, Window};
use super::keypad::{HIGH_HZ, LOW_HZ, Pair};
use super::lanes::{Lanes, larger};
use crate::g711::SAMPLE_RATE_HZ;
use crate::sample;

/// Templates per tone. A pair 2.5 % off fits its nominal template to 0.83-0.93 only; with one at each ±2.5 % the residual error
/// of any press within ±3.75 % is at most 1.25 %.
const DETUNES: [f64; ROWS] = [-0.025, 0.0, 0.025];
const ROWS: usize = 3;

/// Tones of a group.
const TONES: usize = 4;

/// One value for each template of a group.
type Group = [Lanes; ROWS];

/// One value for each template, low ones first.
pub(super) type Templates = [Lanes; 2 * ROWS];

/// Cosines and sines of every template at one moment, or correlations with both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waves {
    pub(super) cos: Templates,
    pub(super) sin: Templates,
}

impl Waves {
    /// Nothing correlated.
    pub(super) const NONE: Self = Self {
        cos: [Lanes::all(0.0); 2 * ROWS],
        sin: [Lanes::all(0.0); 2 * ROWS],
    };

    /// Phase zero.
    pub(super) const START: Self = Self {
        cos: [Lanes::all(1.0); 2 * ROWS],
        sin: [Lanes::all(0.0); 2 * ROWS],
    };

    /// `samples` after phase zero.
    fn at(samples: f64) -> Self {
        Self {
            cos: of_templates(|omega| (omega * samples).cos()),
            sin: of_templates(|omega| (omega * samples).sin()),
        }
    }

    /// See [`crate::relay::Relay::look`].
    pub(super) fn look(&self) -> u64 {
        let lines = [&self.cos[0], &self.cos[4], &self.sin[2]];
        lines
            .iter()
            .fold(0, |seen, lanes| seen ^ u64::from(lanes.0[0].to_bits()))
    }

    pub(super) fn add(&mut self, other: &Self) {
        for at in 0..2 * ROWS {
            self.cos[at] += other.cos[at];
            self.sin[at] += other.sin[at];
        }
    }

    /// Correlations seen from `to_middle` before `phase`.
    fn about(&self, phase: &Self, to_middle: &Self) -> Self {
        let mut about = Self::NONE;
        for at in 0..2 * ROWS {
            let (c, s) = (phase.cos[at], phase.sin[at]);
            let (back_c, back_s) = (to_middle.cos[at], to_middle.sin[at]);
            let (turn_c, turn_s) = (c * back_c + s * back_s, s * back_c - c * back_s);
            let (cos, sin) = (self.cos[at], self.sin[at]);
            about.cos[at] = cos * turn_c + sin * turn_s;
            about.sin[at] = sin * turn_c - cos * turn_s;
        }
        about
    }

    /// Brings every length back to 1 that rounding has moved a little: one step of Newton's for the root.
    pub(super) fn normalize(&mut self) {
        for (cos, sin) in self.cos.iter_mut().zip(&mut self.sin) {
            let squared = *cos * *cos + *sin * *sin;
            let scale = Lanes::all(1.5) - Lanes::all(0.5) * squared;
            (*cos, *sin) = (*cos * scale, *sin * scale);
        }
    }
}

/// Every table of the analysis; one for the process.
pub(super) struct Bank {
    /// Waves at half a sample, one and a half, ... from a block's middle.
    pub(super) fold: [Waves; HOP_SAMPLES / 2],
    /// One block.
    pub(super) hop: Waves,
    short: Shape,
    long: Shape,
}

/// The tables, built at first use.
pub(super) static BANK: LazyLock<Bank> = LazyLock::new(Bank::build);

impl Bank {
    fn build() -> Self {
        Self {
            fold: std::array::from_fn(|at| Waves::at(sample::count_f64(at) + 0.5)),
            hop: Waves::at(sample::count_f64(HOP_SAMPLES)),
            short: Shape::build(Window::Short),
            long: Shape::build(Window::Long),
        }
    }

    pub(super) fn shape(&self, window: Window) -> &Shape {
        match window {
            Window::Short => &self.short,
            Window::Long => &self.long,
        }
    }
}

/// The high templates as one low template leaves them: how much of each it shares, and what a squared correlation with the rest explains.
struct Rest {
    shared: Group,
    scale: Group,
}

impl Rest {
    fn of(wave: Wave, low: f64, samples: usize) -> Self {
        let alone = product(wave, low, low, samples);
        let shared = |high| product(wave, low, high, samples);
        Self {
            shared: of_group(HIGH_HZ, |high| shared(high) / alone),
            scale: of_group(HIGH_HZ, |high| {
                (product(wave, high, high, samples) - shared(high).powi(2) / alone).recip()
            }),
        }
    }
}

/// A low template among the high ones. About a window's middle cosines and sines are orthogonal, so every fit is one of cosines and one of sines.
struct Low {
    cos: Rest,
    sin: Rest,
}

/// The tables of one window length.
pub(super) struct Shape {
    /// From the newest block's middle back to the window's.
    to_middle: Waves,
    /// What a template explains alone per squared correlation.
    single: Waves,
    /// The larger of both: what it can explain at most per squared magnitude of its correlations.
    single_most: Templates,
    /// Low templates by detuning and tone.
    lows: [[Low; TONES]; ROWS],
    /// Of each low template 1 - rho, where rho is its largest canonical correlation with a high one. For every signal
    /// explained(pair) <= (l + h) / (1 - rho), where l and h are what the low and the high template explain alone.
    bounds: Group,
    /// The least of them.
    bound: f32,
}

/// What rounding may add to a bound: sums of 64 products in f32 are exact to a hundred-thousandth.
const ROUNDING: f32 = 0.9999;

/// The best pair of a window.
pub(super) struct Found {
    pub(super) pair: Pair,
    /// Energy that it explains.
    pub(super) explained: f32,
    /// Energy that the stronger of its tones explains alone.
    pub(super) stronger: f32,
}

impl Shape {
    fn build(window: Window) -> Self {
        let samples = window.samples();
        let alone = |wave: Wave, omega| product(wave, omega, omega, samples).recip();
        let cos = of_templates(|omega| alone(f64::cos, omega));
        let sin = of_templates(|omega| alone(f64::sin, omega));
        let bounds = of_group(LOW_HZ, |low| 1.0 - correlation(low, samples));
        let [a, b, c] = bounds;
        Self {
            to_middle: Waves::at(sample::count_f64(samples - HOP_SAMPLES) / 2.0),
            single: Waves { cos, sin },
            single_most: std::array::from_fn(|at| cos[at].larger(sin[at])),
            lows: DETUNES.map(|detune| {
                LOW_HZ.map(|hz| Low {
                    cos: Rest::of(f64::cos, omega(hz, detune), samples),
                    sin: Rest::of(f64::sin, omega(hz, detune), samples),
                })
            }),
            bounds,
            bound: a.0.into_iter().chain(b.0).chain(c.0).fold(1.0, f32::min),
        }
    }

    /// No pair can explain `need`, whatever the phases are.
    pub(super) fn refutes(&self, sums: &Waves, need: f32) -> bool {
        let mut singles = self.single_most;
        for (at, single) in singles.iter_mut().enumerate() {
            *single = *single * (sums.cos[at] * sums.cos[at] + sums.sin[at] * sums.sin[at]);
        }
        let [lows, highs] = halves(&singles).map(|group| of_tones(&group).largest());
        lows + highs < need * self.bound
    }

    /// The best pair of the window that ends with the block at `phase`, if it explains at least `need`, which is above 0.
    pub(super) fn best_pair(&self, sums: &Waves, phase: &Waves, need: f32) -> Option<Found> {
        let sums = sums.about(phase, &self.to_middle);
        let singles = self.singles(&sums);
        let [lows, highs] = halves(&singles);
        let mut pairs = Pairs::NONE;
        let first = tone_in(&lows);
        pairs.fit(self, &sums, &lows, first);
        let enough = larger(of_tones(&pairs.best).largest(), need);
        let reach = self.reach(&lows, of_tones(&highs).largest(), enough);
        for tone in 0..TONES {
            if tone != first && reach.0[tone] >= 0.0 {
                pairs.fit(self, &sums, &lows, tone);
            }
        }
        let explained = of_tones(&pairs.best).largest();
        if explained < need {
            return None;
        }
        let ([low_row, low], [high_row, high]) = pairs.places_of(explained);
        Some(Found {
            pair: Pair::new(tone(low), tone(high)),
            explained,
            stronger: larger(lows[low_row].0[low], highs[high_row].0[high]),
        })
    }

    /// How far the bound leaves room for a pair of each low tone to explain `enough`; below 0 there is none. `high`: what the strongest high
    /// template explains alone.
    fn reach(&self, lows: &Group, high: f32, enough: f32) -> Lanes {
        let (high, enough) = (Lanes::all(high), Lanes::all(enough * ROUNDING));
        let mut reach = *lows;
        for (row, low) in reach.iter_mut().enumerate() {
            *low = (*low + high) - enough * self.bounds[row];
        }
        of_tones(&reach)
    }

    /// Energy that each template explains alone.
    fn singles(&self, sums: &Waves) -> Templates {
        let mut singles = [Lanes::all(0.0); 2 * ROWS];
        for (at, single) in singles.iter_mut().enumerate() {
            let (cos, sin) = (sums.cos[at], sums.sin[at]);
            *single = self.single.cos[at] * cos * cos + self.single.sin[at] * sin * sin;
        }
        singles
    }

    /// Energy that a low template explains with each of the high ones: `alone`, and what the high one's rest adds.
    fn explained(&self, sums: &Waves, row: usize, tone: usize, alone: f32) -> Group {
        let low = &self.lows[row][tone];
        let cos = Lanes::all(sums.cos[row].0[tone]);
        let sin = Lanes::all(sums.sin[row].0[tone]);
        let mut explained = [Lanes::all(alone); ROWS];
        for (at, value) in explained.iter_mut().enumerate() {
            let c = sums.cos[ROWS + at] - low.cos.shared[at] * cos;
            let s = sums.sin[ROWS + at] - low.sin.shared[at] * sin;
            *value += low.cos.scale[at] * c * c + low.sin.scale[at] * s * s;
        }
        explained
    }
}

/// What pairs explain.
struct Pairs {
    /// By tone and row of the low template; nothing where it was not fitted.
    explained: [[Group; ROWS]; TONES],
    /// The best of each high template.
    best: Group,
}

impl Pairs {
    const NONE: Self = Self {
        explained: [[[Lanes::all(0.0); ROWS]; ROWS]; TONES],
        best: [Lanes::all(0.0); ROWS],
    };

    /// Fits the templates of a low tone with all high ones.
    #[inline(never)]
    fn fit(&mut self, shape: &Shape, sums: &Waves, lows: &Group, tone: usize) {
        for (row, pairs) in self.explained[tone].iter_mut().enumerate() {
            *pairs = shape.explained(sums, row, tone, lows[row].0[tone]);
            for (best, pair) in self.best.iter_mut().zip(pairs) {
                *best = best.larger(*pair);
            }
        }
    }

    /// Row and tone of the low and of the high template of the pair that explains `most`.
    #[inline(never)]
    fn places_of(&self, most: f32) -> ([usize; 2], [usize; 2]) {
        let high = place_of(most, of_tones(&self.best));
        let high_row = row_of(most, &self.best, high);
        let mut low = [0, 0];
        for (tone, pairs) in self.explained.iter().enumerate() {
            for (row, pair) in pairs.iter().enumerate() {
                low = if pair[high_row].0[high] >= most {
                    [row, tone]
                } else {
                    low
                };
            }
        }
        (low, [high_row, high])
    }
}

/// The tone of the largest of a group, found without a branch that could be guessed wrong.
fn tone_in(group: &Group) -> usize {
    let tones = of_tones(group);
    place_of(tones.largest(), tones)
}

/// The largest of each tone's templates. Never inlined, as [`Lanes::largest`].
#[inline(never)]
fn of_tones(group: &Group) -> Lanes {
    group[0].larger(group[1]).larger(group[2])
}

/// The first place where `most` stands, found without a branch that could be guessed wrong.
fn place_of(most: f32, energies: Lanes) -> usize {
    let mut first = 3;
    for at in [2, 1, 0] {
        first = if energies.0[at] >= most { at } else { first };
    }
    first
}

/// The first row where `most` stands among the values of a tone.
fn row_of(most: f32, rows: &Group, tone: usize) -> usize {
    let [a, b, c] = rows;
    place_of(most, Lanes([a.0[tone], b.0[tone], c.0[tone], 0.0]))
}

/// Low and high templates apart.
fn halves(templates: &Templates) -> [Group; 2] {
    let [a, b, c, d, e, f] = *templates;
    [[a, b, c], [d, e, f]]
}

fn tone(place: usize) -> u8 {
    const NAMES: [u8; TONES] = [0, 1, 2, 3];
    NAMES[place]
}

/// A figure of each template of a group, from its radians per sample.
fn of_group(group_hz: [f64; TONES], figure: impl Fn(f64) -> f64) -> Group {
    DETUNES.map(|detune| Lanes(group_hz.map(|hz| sample::narrow(figure(omega(hz, detune))))))
}

fn of_templates(figure: impl Fn(f64) -> f64) -> Templates {
    let ([a, b, c], [d, e, f]) = (of_group(LOW_HZ, &figure), of_group(HIGH_HZ, &figure));
    [a, b, c, d, e, f]
}

/// Radians per sample of a tone `detune` off.
fn omega(hz: f64, detune: f64) -> f64 {
    std::f64::consts::TAU * hz * (1.0 + detune) / f64::from(SAMPLE_RATE_HZ)
}

/// Cosine or sine.
type Wave = fn(f64) -> f64;

/// Inner product of two templates over a window, their phase zero in its middle.
fn product(wave: Wave, first: f64, second: f64, samples: usize) -> f64 {
    (0..samples)
        .map(|n| {
            let at = sample::count_f64(n) - sample::count_f64(samples - 1) / 2.0;
            wave(first * at) * wave(second * at)
        })
        .sum()
}

/// The largest canonical correlation of a low template with any high one.
fn correlation(low: f64, samples: usize) -> f64 {
    let with = |wave: Wave, high: f64| {
        let alone = product(wave, low, low, samples) * product(wave, high, high, samples);
        product(wave, low, high, samples).abs() / alone.sqrt()
    };
    let highs = DETUNES
        .iter()
        .flat_map(|detune| HIGH_HZ.map(|hz| omega(hz, *detune)));
    highs
        .map(|high| with(f64::cos, high).max(with(f64::sin, high)))
        .fold(0.0, f64::max)
}
