//! How much of a short window two keypad tones explain.
//! Owns: the templates, the running correlations, the least-squares fit.
//! Never: decides what is a key; the trigger, the reporter and the scan each have their own thresholds.
//!
//! Samples are gathered in blocks of 8. Each block is correlated once with 24 frequencies (8 tones at 0 and ±2.5 %) and turned to
//! the phase of the stream's beginning, so that a window of 40 or 64 samples is a running sum: the newest block comes, the oldest goes. The fit of a pair
//! is exact least squares (sine and cosine of both tones). Most windows are refuted before by a bound on what any pair can explain, which needs
//! the magnitudes of the sums alone; rows of pairs that cannot win are skipped by the same bound.

use std::sync::LazyLock;

use super::keypad::{HIGH_HZ, LOW_HZ, Pair};
use crate::g711::SAMPLE_RATE_HZ;
use crate::sample;

/// Samples of one block, and the distance between two windows: 1 ms.
pub const HOP_SAMPLES: usize = 8;

/// Blocks kept: the longest window.
const BLOCKS: usize = 8;

/// Templates per tone. A pair 2.5 % off fits its nominal template to 0.83-0.93 only; with one at each ±2.5 % the residual error
/// of any press within ±3.75 % is at most 1.25 %.
const DETUNES: [f64; 3] = [-0.025, 0.0, 0.025];

/// A pair that explains this much is not bettered by looking further: every threshold in use lies 0.07 below, and what another template of the same tone adds
/// is less than the rest.
const SURE_SHARE: f32 = 0.97;

/// Frequencies: four tones of three templates in each group.
const GROUP: usize = 12;
const FREQUENCIES: usize = 2 * GROUP;

/// The two windows. The short one sees the first burst of a bouncing key (6 ms), the long one holds against noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// 40 samples, 5 ms.
    Short,
    /// 64 samples, 8 ms.
    Long,
}

impl Window {
    /// Length in samples.
    #[must_use]
    pub const fn samples(self) -> usize {
        self.blocks() * HOP_SAMPLES
    }

    const fn blocks(self) -> usize {
        match self {
            Self::Short => 5,
            Self::Long => 8,
        }
    }
}

/// What the best pair explains of a window.
#[derive(Clone, Copy)]
pub struct Fit {
    /// The pair.
    pub pair: Pair,
    /// Explained energy over all energy, 0-1.
    pub share: f32,
    /// What is lost when the weaker tone of the pair is left out, over all energy: near 0 for a single tone.
    pub weaker_share: f32,
    /// Mean square of the window.
    pub power: f32,
}

/// The running analysis of one stream. Reset it at every break of the timeline.
#[derive(Debug, Clone)]
pub struct Analysis {
    blocks: [Sums; BLOCKS],
    /// Energies of the blocks, newest first.
    energies: [f32; BLOCKS],
    short_power: f32,
    long_power: f32,
    newest: usize,
    filled: usize,
    pending: [i16; HOP_SAMPLES],
    pending_len: usize,
    /// How far the newest block's middle is from the middle of the block before the first.
    phase: Turn,
    short: Sums,
    long: Sums,
    /// Hops since the running sums and the phase were made exact.
    hops: u32,
}

/// Hops after which rounding is taken out of the running sums and the phase. In 64 hops of full scale it stays 50 dB below a pair of -58 dBm0.
const RENEW_HOPS: u32 = 64;

impl Analysis {
    /// An analysis that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            blocks: [Sums::NONE; BLOCKS],
            energies: [0.0; BLOCKS],
            short_power: 0.0,
            long_power: 0.0,
            newest: 0,
            filled: 0,
            pending: [0; HOP_SAMPLES],
            pending_len: 0,
            phase: Turn::NONE,
            short: Sums::NONE,
            long: Sums::NONE,
            hops: 0,
        }
    }

    /// Forgets everything heard: no window spans a gap.
    pub fn reset(&mut self) {
        self.blocks = [Sums::NONE; BLOCKS];
        self.energies = [0.0; BLOCKS];
        self.filled = 0;
        self.pending_len = 0;
        self.phase = Turn::NONE;
        self.short = Sums::NONE;
        self.long = Sums::NONE;
        self.hops = 0;
    }

    /// Samples still wanted to complete the current block: 1 to [`HOP_SAMPLES`].
    #[must_use]
    pub fn wanted(&self) -> usize {
        HOP_SAMPLES - self.pending_len
    }

    /// Takes one sample; true if it completed a block, so that windows end here.
    #[inline]
    pub fn push(&mut self, linear: i16) -> bool {
        // The length is below 8 already; the remainder tells the compiler.
        self.pending[self.pending_len % HOP_SAMPLES] = linear;
        self.pending_len += 1;
        if self.pending_len < HOP_SAMPLES {
            return false;
        }
        self.pending_len = 0;
        self.take_block();
        true
    }

    #[inline(never)]
    fn take_block(&mut self) {
        let bank = &*BANK;
        let samples = self.pending.map(f32::from);
        self.take_energy(&samples);
        let fifth = (self.newest + BLOCKS + 1 - Window::Short.blocks()) % BLOCKS;
        self.newest = (self.newest + 1) % BLOCKS;
        self.filled = (self.filled + 1).min(BLOCKS);
        self.phase.advance(&bank.hop);
        self.short.subtract(&self.blocks[fifth]);
        self.long.subtract(&self.blocks[self.newest]);
        let sums = bank.correlate(&samples, &self.phase);
        self.short.add(&sums);
        self.long.add(&sums);
        self.blocks[self.newest] = sums;
        self.hops += 1;
        if self.hops == RENEW_HOPS {
            self.renew();
        }
    }

    fn take_energy(&mut self, samples: &[f32; HOP_SAMPLES]) {
        let squares = samples.map(|value| value * value);
        let mut energies = [sum(&squares); BLOCKS];
        energies[1..].copy_from_slice(&self.energies[..BLOCKS - 1]);
        self.energies = energies;
        let short: f32 = energies[..Window::Short.blocks()].iter().sum();
        let long: f32 = energies[Window::Short.blocks()..].iter().sum();
        self.short_power = short / sample::count_f32(Window::Short.samples());
        self.long_power = (short + long) / sample::count_f32(Window::Long.samples());
    }

    /// Takes the rounding of many steps out of phase and sums.
    fn renew(&mut self) {
        self.hops = 0;
        self.phase.normalize();
        self.long = Sums::NONE;
        self.short = Sums::NONE;
        for age in 0..BLOCKS {
            let sums = &self.blocks[(self.newest + BLOCKS - age) % BLOCKS];
            self.long.add(sums);
            if age < Window::Short.blocks() {
                self.short.add(sums);
            }
        }
    }

    /// Mean square of the newest `window`; nothing until it is full.
    #[must_use]
    #[inline]
    pub fn power(&self, window: Window) -> Option<f32> {
        (self.filled >= window.blocks()).then_some(match window {
            Window::Short => self.short_power,
            Window::Long => self.long_power,
        })
    }

    /// The best fit of the newest `window` if it explains at least `least_share`; nothing if it does not or the window is not full.
    #[must_use]
    pub fn fit(&self, window: Window, least_share: f32) -> Option<Fit> {
        let power = self.power(window)?;
        let (shape, sums) = match window {
            Window::Short => (&BANK.short, &self.short),
            Window::Long => (&BANK.long, &self.long),
        };
        let energy = power * sample::count_f32(window.samples());
        if shape.refutes(sums, least_share * energy) {
            return None;
        }
        // Templates of a shape have their phase zero in the window's middle.
        let mut middle = self.phase;
        middle.step_back(&shape.to_middle);
        let sums = sums.turned_back(&middle);
        shape.best_pair(&sums, energy, least_share, power)
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

/// Correlations with every frequency.
#[derive(Debug, Clone, Copy)]
struct Sums {
    cos: [f32; FREQUENCIES],
    sin: [f32; FREQUENCIES],
}

impl Sums {
    const NONE: Self = Self {
        cos: [0.0; FREQUENCIES],
        sin: [0.0; FREQUENCIES],
    };

    fn add(&mut self, other: &Self) {
        for index in 0..FREQUENCIES {
            self.cos[index] += other.cos[index];
            self.sin[index] += other.sin[index];
        }
    }

    fn subtract(&mut self, other: &Self) {
        for index in 0..FREQUENCIES {
            self.cos[index] -= other.cos[index];
            self.sin[index] -= other.sin[index];
        }
    }

    /// With waves that began `turn` later.
    fn turned(&self, turn: &Turn) -> Self {
        let mut turned = Self::NONE;
        for index in 0..FREQUENCIES {
            let (cos, sin) = (self.cos[index], self.sin[index]);
            turned.cos[index] = cos * turn.cos[index] - sin * turn.sin[index];
            turned.sin[index] = sin * turn.cos[index] + cos * turn.sin[index];
        }
        turned
    }

    fn turned_back(&self, turn: &Turn) -> Self {
        let mut turned = Self::NONE;
        for index in 0..FREQUENCIES {
            let (cos, sin) = (self.cos[index], self.sin[index]);
            turned.cos[index] = cos * turn.cos[index] + sin * turn.sin[index];
            turned.sin[index] = sin * turn.cos[index] - cos * turn.sin[index];
        }
        turned
    }
}

static BANK: LazyLock<Bank> = LazyLock::new(Bank::build);

/// Every table of the analysis; one for the process.
struct Bank {
    /// Waves at half a sample, one and a half, ... from a block's middle.
    fold: [Turn; HOP_SAMPLES / 2],
    /// One block.
    hop: Turn,
    short: Shape,
    long: Shape,
}

/// Cosine and sine of every frequency at one moment.
#[derive(Debug, Clone, Copy)]
struct Turn {
    cos: [f32; FREQUENCIES],
    sin: [f32; FREQUENCIES],
}

impl Turn {
    const NONE: Self = Self {
        cos: [1.0; FREQUENCIES],
        sin: [0.0; FREQUENCIES],
    };

    /// `samples` after phase zero.
    fn at(samples: f64) -> Self {
        let angle = |index| omega(index) * samples;
        Self {
            cos: std::array::from_fn(|index| sample::narrow(angle(index).cos())),
            sin: std::array::from_fn(|index| sample::narrow(angle(index).sin())),
        }
    }

    fn advance(&mut self, step: &Self) {
        for index in 0..FREQUENCIES {
            let (cos, sin) = (self.cos[index], self.sin[index]);
            self.cos[index] = cos * step.cos[index] - sin * step.sin[index];
            self.sin[index] = sin * step.cos[index] + cos * step.sin[index];
        }
    }

    fn step_back(&mut self, step: &Self) {
        for index in 0..FREQUENCIES {
            let (cos, sin) = (self.cos[index], self.sin[index]);
            self.cos[index] = cos * step.cos[index] + sin * step.sin[index];
            self.sin[index] = sin * step.cos[index] - cos * step.sin[index];
        }
    }

    fn normalize(&mut self) {
        for index in 0..FREQUENCIES {
            let length = self.cos[index]
                .hypot(self.sin[index])
                .max(f32::MIN_POSITIVE);
            self.cos[index] /= length;
            self.sin[index] /= length;
        }
    }
}

impl Bank {
    fn build() -> Self {
        Self {
            fold: std::array::from_fn(|at| Turn::at(sample::count_f64(at) + 0.5)),
            hop: Turn::at(sample::count_f64(HOP_SAMPLES)),
            short: Shape::build(Window::Short),
            long: Shape::build(Window::Long),
        }
    }

    /// Correlates a block whose middle is at `phase`. It is folded about its middle: sums meet cosines, differences meet sines.
    fn correlate(&self, samples: &[f32; HOP_SAMPLES], phase: &Turn) -> Sums {
        const HALF: usize = HOP_SAMPLES / 2;
        let mut sums = Sums::NONE;
        for (at, wave) in self.fold.iter().enumerate() {
            let (after, before) = (samples[HALF + at], samples[HALF - 1 - at]);
            let (even, odd) = (after + before, after - before);
            for index in 0..FREQUENCIES {
                sums.cos[index] += even * wave.cos[index];
                sums.sin[index] += odd * wave.sin[index];
            }
        }
        sums.turned(phase)
    }
}

/// The inverse of a symmetric 2 x 2 matrix for one low template and each high one; the middle cell stands for both sides of the diagonal.
#[derive(Debug, Clone, Copy)]
struct Forms {
    low: [f32; GROUP],
    cross: [f32; GROUP],
    high: [f32; GROUP],
}

impl Forms {
    const NONE: Self = Self {
        low: [0.0; GROUP],
        cross: [0.0; GROUP],
        high: [0.0; GROUP],
    };
}

/// The tables of one window length. About a window's middle cosines and sines are orthogonal, so every fit is one of cosines and one of sines.
struct Shape {
    /// From the newest block's middle back to the window's.
    to_middle: Turn,
    single_cos: [f32; FREQUENCIES],
    single_sin: [f32; FREQUENCIES],
    /// The larger of both: what a template can explain at most per squared magnitude of its sum.
    single_most: [f32; FREQUENCIES],
    pair_cos: [Forms; GROUP],
    pair_sin: [Forms; GROUP],
    /// Rho, the largest canonical correlation of a low template with any high one. For every signal
    /// explained(pair) <= (l + h + 2 rho sqrt(l h)) / (1 - rho^2), where l and h are what the low and the high template explain alone, so a row of pairs
    /// that stays below what is asked needs no fit.
    rho: [f32; GROUP],
    /// 1 / (1 - rho^2).
    widening: [f32; GROUP],
    /// The coarser form for all rows: explained(pair) <= (l + h) / (1 - rho) with the largest rho.
    bound: f32,
}

impl Shape {
    fn build(window: Window) -> Self {
        let samples = window.samples();
        let half = sample::count_f64(samples - HOP_SAMPLES) / 2.0;
        let single = |wave: Wave| {
            std::array::from_fn(|index| {
                sample::narrow(product(wave, index, index, samples).recip())
            })
        };
        let (single_cos, single_sin): ([f32; FREQUENCIES], [f32; FREQUENCIES]) =
            (single(f64::cos), single(f64::sin));
        let mut shape = Self {
            to_middle: Turn::at(half),
            single_cos,
            single_sin,
            single_most: std::array::from_fn(|index| single_cos[index].max(single_sin[index])),
            pair_cos: [Forms::NONE; GROUP],
            pair_sin: [Forms::NONE; GROUP],
            rho: [0.0; GROUP],
            widening: [1.0; GROUP],
            bound: 1.0,
        };
        for low in 0..GROUP {
            for high in 0..GROUP {
                let cos = shape.pair_cos[low].set(f64::cos, low, high, samples);
                let sin = shape.pair_sin[low].set(f64::sin, low, high, samples);
                let rho = sample::narrow(cos.max(sin));
                shape.rho[low] = shape.rho[low].max(rho);
                shape.bound = shape.bound.min(1.0 - rho);
            }
            shape.widening[low] = (1.0 - shape.rho[low] * shape.rho[low]).recip();
        }
        shape
    }

    /// No pair can explain `need`, whatever the phases are.
    fn refutes(&self, sums: &Sums, need: f32) -> bool {
        let magnitudes = sums.cos.iter().zip(&sums.sin);
        let mut singles = self.single_most;
        for (single, (cos, sin)) in singles.iter_mut().zip(magnitudes) {
            *single *= cos * cos + sin * sin;
        }
        let (lows, highs) = halves(&singles);
        most(&lows) + most(&highs) < need * self.bound
    }

    /// Energy each single template explains.
    fn singles(&self, sums: &Sums) -> [f32; FREQUENCIES] {
        let mut singles = [0.0; FREQUENCIES];
        for (index, single) in singles.iter_mut().enumerate() {
            *single = self.single_cos[index] * sums.cos[index] * sums.cos[index]
                + self.single_sin[index] * sums.sin[index] * sums.sin[index];
        }
        singles
    }

    fn best_pair(&self, sums: &Sums, energy: f32, least_share: f32, power: f32) -> Option<Fit> {
        if energy <= 0.0 {
            return None;
        }
        let singles = self.singles(sums);
        let (lows, highs) = halves(&singles);
        let reach = self.reach(&lows, most(&highs));
        let mut best = Best {
            explained: least_share * energy,
            at: None,
        };
        let first = place_of(most(&reach), &reach);
        best.look(self, sums, first);
        for (low, reach) in reach.iter().enumerate() {
            if best.explained >= SURE_SHARE * energy {
                break;
            }
            if low != first && *reach >= best.explained {
                best.look(self, sums, low);
            }
        }
        let (low, high) = best.at?;
        let stronger = lows[low].max(highs[high]);
        Some(Fit {
            pair: pair_of(low, high),
            share: best.explained / energy,
            weaker_share: (best.explained - stronger) / energy,
            power,
        })
    }

    /// What each row of pairs can explain at most.
    fn reach(&self, lows: &[f32; GROUP], high: f32) -> [f32; GROUP] {
        let mut reach = self.widening;
        for ((reach, rho), low) in reach.iter_mut().zip(&self.rho).zip(lows) {
            *reach *= low + high + 2.0 * rho * (low * high).sqrt();
        }
        reach
    }

    /// Energy that a low template explains with each of the high ones.
    fn explained(&self, sums: &Sums, low: usize) -> [f32; GROUP] {
        let (cosines, sines) = (&self.pair_cos[low], &self.pair_sin[low]);
        let (cos, sin) = (sums.cos[low], sums.sin[low]);
        let mut explained = [0.0; GROUP];
        for (high, value) in explained.iter_mut().enumerate() {
            let (c, s) = (sums.cos[GROUP + high], sums.sin[GROUP + high]);
            *value = cosines.low[high] * cos * cos
                + (cosines.cross[high] * cos + cosines.high[high] * c) * c
                + sines.low[high] * sin * sin
                + (sines.cross[high] * sin + sines.high[high] * s) * s;
        }
        explained
    }
}

/// The best pair so far.
struct Best {
    explained: f32,
    at: Option<(usize, usize)>,
}

impl Best {
    fn look(&mut self, shape: &Shape, sums: &Sums, low: usize) {
        let row = shape.explained(sums, low);
        let explained = most(&row);
        if explained >= self.explained {
            self.explained = explained;
            self.at = Some((low, place_of(explained, &row)));
        }
    }
}

impl Forms {
    /// Sets the cell of a pair; yields how far both templates are correlated.
    fn set(&mut self, wave: Wave, low: usize, high: usize, samples: usize) -> f64 {
        let a = product(wave, low, low, samples);
        let b = product(wave, low, GROUP + high, samples);
        let d = product(wave, GROUP + high, GROUP + high, samples);
        let det = a * d - b * b;
        self.low[high] = sample::narrow(d / det);
        self.cross[high] = sample::narrow(-2.0 * b / det);
        self.high[high] = sample::narrow(a / det);
        b.abs() / (a * d).sqrt()
    }
}

/// A sum in two halves, so that it need not be made one after the other.
fn sum(values: &[f32; HOP_SAMPLES]) -> f32 {
    let [a, b, c, d, e, f, g, h] = values;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// The largest of twelve energies, four at a time.
fn most(energies: &[f32; GROUP]) -> f32 {
    let mut lanes = [0.0_f32; 4];
    for (at, lane) in lanes.iter_mut().enumerate() {
        *lane = larger(larger(energies[at], energies[4 + at]), energies[8 + at]);
    }
    larger(larger(lanes[0], lanes[2]), larger(lanes[1], lanes[3]))
}

/// Of two numbers that are no NaN: one instruction, which `f32::max` is not.
fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

/// Where the energy `most` stands.
fn place_of(most: f32, energies: &[f32; GROUP]) -> usize {
    energies
        .iter()
        .position(|energy| *energy >= most)
        .unwrap_or(0)
}

/// Low and high templates apart.
fn halves(singles: &[f32; FREQUENCIES]) -> ([f32; GROUP], [f32; GROUP]) {
    let mut halves = ([0.0; GROUP], [0.0; GROUP]);
    halves.0.copy_from_slice(&singles[..GROUP]);
    halves.1.copy_from_slice(&singles[GROUP..]);
    halves
}

fn pair_of(low: usize, high: usize) -> Pair {
    const ROW_OR_COLUMN: [u8; GROUP] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    Pair::new(ROW_OR_COLUMN[low], ROW_OR_COLUMN[high])
}

/// Radians per sample of template `index`.
fn omega(index: usize) -> f64 {
    let tone = index / DETUNES.len();
    let nominal_hz = if tone < 4 {
        LOW_HZ[tone]
    } else {
        HIGH_HZ[tone - 4]
    };
    std::f64::consts::TAU * nominal_hz * (1.0 + DETUNES[index % DETUNES.len()])
        / f64::from(SAMPLE_RATE_HZ)
}

/// Cosine or sine.
type Wave = fn(f64) -> f64;

/// Inner product of two templates over a window, their phase zero in its middle.
fn product(wave: Wave, first: usize, second: usize, samples: usize) -> f64 {
    (0..samples)
        .map(|n| {
            let at = sample::count_f64(n) - sample::count_f64(samples - 1) / 2.0;
            wave(omega(first) * at) * wave(omega(second) * at)
        })
        .sum()
}
