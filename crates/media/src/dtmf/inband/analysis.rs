//! How much of a short window two keypad tones explain.
//! Owns: the templates, the running correlations, the least-squares fit.
//! Never: decides what is a key; the trigger, the reporter and the scan each have their own thresholds.
//!
//! Samples are gathered in blocks of 8. Each block is correlated once with 24 frequencies (8 tones at 0 and ±2.5 %); a
//! window of 40 or 64 samples is a sum of blocks that are rotated once, to their place in the ring. The fit of a pair is
//! exact least squares (sine and cosine of both tones); pairs that cannot reach the caller's least share are refuted by
//! a bound before they are fitted.

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

/// A complex amplitude.
#[derive(Debug, Clone, Copy, Default)]
pub struct Phasor {
    /// Real part.
    pub re: f32,
    /// Imaginary part.
    pub im: f32,
}

impl Phasor {
    /// Square of the magnitude.
    #[must_use]
    pub fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }

    /// This amplitude times the conjugate of `earlier`: its angle is the phase gone by between them.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            re: self.re * earlier.re + self.im * earlier.im,
            im: self.im * earlier.re - self.re * earlier.im,
        }
    }
}

/// The running analysis of one stream. Reset it at every break of the timeline.
#[derive(Debug, Clone)]
pub struct Analysis {
    blocks: [Block; BLOCKS],
    newest: usize,
    filled: usize,
    pending: [f32; HOP_SAMPLES],
    pending_len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    cos: [f32; FREQUENCIES],
    sin: [f32; FREQUENCIES],
    energy: f32,
}

const EMPTY: Block = Block {
    cos: [0.0; FREQUENCIES],
    sin: [0.0; FREQUENCIES],
    energy: 0.0,
};

impl Analysis {
    /// An analysis that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            blocks: [EMPTY; BLOCKS],
            newest: 0,
            filled: 0,
            pending: [0.0; HOP_SAMPLES],
            pending_len: 0,
        }
    }

    /// Forgets everything heard: no window spans a gap.
    pub fn reset(&mut self) {
        self.filled = 0;
        self.pending_len = 0;
    }

    /// Samples still wanted to complete the current block: 1 to [`HOP_SAMPLES`].
    #[must_use]
    pub fn wanted(&self) -> usize {
        HOP_SAMPLES - self.pending_len
    }

    /// Takes one sample; true if it completed a block, so that windows end here.
    pub fn push(&mut self, linear: i16) -> bool {
        self.pending[self.pending_len] = f32::from(linear);
        self.pending_len += 1;
        if self.pending_len < HOP_SAMPLES {
            return false;
        }
        self.pending_len = 0;
        self.newest = (self.newest + 1) % BLOCKS;
        self.filled = (self.filled + 1).min(BLOCKS);
        self.blocks[self.newest] = BANK.correlate(&self.pending, self.newest);
        true
    }

    /// Mean square of the newest `window`; nothing until it is full.
    #[must_use]
    pub fn power(&self, window: Window) -> Option<f32> {
        if self.filled < window.blocks() {
            return None;
        }
        let energy: f32 = (0..window.blocks()).map(|age| self.block(age).energy).sum();
        Some(energy / sample::count_f32(window.samples()))
    }

    /// The best fit of the newest `window` if it explains at least `least_share`; nothing if it does not or the window is not full.
    #[must_use]
    pub fn fit(&self, window: Window, least_share: f32) -> Option<Fit> {
        let power = self.power(window)?;
        let shape = BANK.shape(window);
        let energy = power * sample::count_f32(window.samples());
        let sums = self.window_sums(window);
        let singles = shape.singles(&sums);
        shape.best_pair(&sums, &singles, energy, least_share, power)
    }

    /// Complex amplitude of nominal tone 0-7 (four low, four high) in the newest long window, weighted by a raised cosine
    /// over its blocks so that the other tone leaks less; nothing until the window is full. Phase is relative to the
    /// window's first sample.
    #[must_use]
    pub fn phasor(&self, tone: usize) -> Option<Phasor> {
        if self.filled < BLOCKS {
            return None;
        }
        let index = tone.min(7) * DETUNES.len() + 1;
        let first = (self.newest + 1) % BLOCKS;
        let (mut before, mut after) = (Phasor::default(), Phasor::default());
        for (position, weight) in BANK.taper.iter().enumerate() {
            let place = (first + position) % BLOCKS;
            let block = &self.blocks[place];
            let part = if place >= first {
                &mut before
            } else {
                &mut after
            };
            part.re += weight * block.cos[index];
            part.im += weight * block.sin[index];
        }
        let (lap_cos, lap_sin) = (BANK.lap.cos[index], BANK.lap.sin[index]);
        let re = before.re + after.re * lap_cos - after.im * lap_sin;
        let im = before.im + after.im * lap_cos + after.re * lap_sin;
        let (cos, sin) = (BANK.ring[first].cos[index], BANK.ring[first].sin[index]);
        Some(Phasor {
            re: re * cos + im * sin,
            im: re * sin - im * cos,
        })
    }

    fn block(&self, age: usize) -> &Block {
        &self.blocks[(self.newest + BLOCKS - age) % BLOCKS]
    }

    /// Correlations with templates that begin where the window does. Blocks are stored turned to their place in the ring, so a
    /// window is two sums: those up to the ring's end, and those after it, which are a lap younger than their place says.
    fn window_sums(&self, window: Window) -> Sums {
        let first = (self.newest + 1 + BLOCKS - window.blocks()) % BLOCKS;
        let before = window.blocks().min(BLOCKS - first);
        let mut sums = Sums::NONE;
        for block in &self.blocks[first..first + before] {
            sums.add(block);
        }
        if before < window.blocks() {
            let mut after = Sums::NONE;
            for block in &self.blocks[..window.blocks() - before] {
                after.add(block);
            }
            sums.add_turned(&after, &BANK.lap);
        }
        sums.turned_back(&BANK.ring[first])
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

/// Correlations of a whole window with every frequency.
struct Sums {
    cos: [f32; FREQUENCIES],
    sin: [f32; FREQUENCIES],
}

impl Sums {
    const NONE: Self = Self {
        cos: [0.0; FREQUENCIES],
        sin: [0.0; FREQUENCIES],
    };

    fn add(&mut self, block: &Block) {
        for index in 0..FREQUENCIES {
            self.cos[index] += block.cos[index];
            self.sin[index] += block.sin[index];
        }
    }

    fn add_turned(&mut self, other: &Self, turn: &Turn) {
        for index in 0..FREQUENCIES {
            let (cos, sin) = (other.cos[index], other.sin[index]);
            self.cos[index] += cos * turn.cos[index] - sin * turn.sin[index];
            self.sin[index] += sin * turn.cos[index] + cos * turn.sin[index];
        }
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
    wave: [Turn; HOP_SAMPLES],
    /// How far each place of the ring is from its beginning.
    ring: [Turn; BLOCKS],
    /// The whole ring.
    lap: Turn,
    short: Shape,
    long: Shape,
    /// Raised-cosine weights of the long window's blocks, their sum 4.
    taper: [f32; BLOCKS],
}

/// Cosine and sine of every frequency at one moment.
struct Turn {
    cos: [f32; FREQUENCIES],
    sin: [f32; FREQUENCIES],
}

impl Turn {
    fn at(sample_offset: usize) -> Self {
        let mut turn = Self {
            cos: [0.0; FREQUENCIES],
            sin: [0.0; FREQUENCIES],
        };
        for index in 0..FREQUENCIES {
            let angle = omega(index) * sample::count_f64(sample_offset);
            turn.cos[index] = sample::narrow(angle.cos());
            turn.sin[index] = sample::narrow(angle.sin());
        }
        turn
    }
}

impl Bank {
    fn build() -> Self {
        Self {
            wave: std::array::from_fn(Turn::at),
            ring: std::array::from_fn(|place| Turn::at(place * HOP_SAMPLES)),
            lap: Turn::at(BLOCKS * HOP_SAMPLES),
            short: Shape::build(Window::Short),
            long: Shape::build(Window::Long),
            taper: std::array::from_fn(|block| {
                let share = (sample::count_f64(block) + 0.5) / sample::count_f64(BLOCKS);
                sample::narrow((std::f64::consts::PI * share).sin().powi(2))
            }),
        }
    }

    fn shape(&self, window: Window) -> &Shape {
        match window {
            Window::Short => &self.short,
            Window::Long => &self.long,
        }
    }

    /// Correlates a block, turned to its `place` in the ring.
    fn correlate(&self, samples: &[f32; HOP_SAMPLES], place: usize) -> Block {
        let mut sums = Sums::NONE;
        let mut energy = 0.0;
        for (value, wave) in samples.iter().zip(&self.wave) {
            for index in 0..FREQUENCIES {
                sums.cos[index] += value * wave.cos[index];
                sums.sin[index] += value * wave.sin[index];
            }
            energy += value * value;
        }
        let mut turned = Sums::NONE;
        turned.add_turned(&sums, &self.ring[place]);
        Block {
            cos: turned.cos,
            sin: turned.sin,
            energy,
        }
    }
}

/// Symmetric 2 x 2 and 4 x 4 forms, upper triangle by rows.
type Form2 = [f32; 3];
type Form4 = [f32; 10];

/// The tables of one window length.
struct Shape {
    single: [Form2; FREQUENCIES],
    pair: Box<[[Form4; GROUP]; GROUP]>,
    /// 1 - rho, rho the largest canonical correlation between a low and a high template. For every signal
    /// explained(pair) <= (explained(low) + explained(high)) / (1 - rho), so a pair whose singles stay below
    /// least share x (1 - rho) needs no fit.
    bound: f32,
}

impl Shape {
    fn build(window: Window) -> Self {
        let samples = window.samples();
        let mut pair = Box::new([[[0.0; 10]; GROUP]; GROUP]);
        let mut rho_max: f64 = 0.0;
        for low in 0..GROUP {
            for high in 0..GROUP {
                let gram = gram4(low, GROUP + high, samples);
                pair[low][high] = pack4(&invert(gram));
                rho_max = rho_max.max(canonical_correlation(&gram));
            }
        }
        Self {
            single: std::array::from_fn(|index| pack2(&gram4(index, index, samples))),
            pair,
            bound: sample::narrow(1.0 - rho_max),
        }
    }

    /// Energy each single template explains.
    fn singles(&self, sums: &Sums) -> [f32; FREQUENCIES] {
        std::array::from_fn(|index| {
            let (cos, sin, form) = (sums.cos[index], sums.sin[index], &self.single[index]);
            form[0] * cos * cos + 2.0 * form[1] * cos * sin + form[2] * sin * sin
        })
    }

    fn best_pair(
        &self,
        sums: &Sums,
        singles: &[f32; FREQUENCIES],
        energy: f32,
        least_share: f32,
        power: f32,
    ) -> Option<Fit> {
        let (lows, highs) = singles.split_at(GROUP);
        if most(lows) + most(highs) < least_share * energy * self.bound {
            return None;
        }
        let (loudest_low, loudest_high) = (loudest(lows), loudest(highs));
        let mut best = (
            self.explained(sums, loudest_low, loudest_high),
            loudest_low,
            loudest_high,
        );
        let mut need = best.0.max(least_share * energy) * self.bound;
        for (low, low_energy) in lows.iter().enumerate() {
            if low_energy + highs[loudest_high] < need {
                continue;
            }
            for (high, high_energy) in highs.iter().enumerate() {
                if low_energy + high_energy < need {
                    continue;
                }
                let explained = self.explained(sums, low, high);
                if explained > best.0 {
                    best = (explained, low, high);
                    need = need.max(explained * self.bound);
                }
            }
        }
        let (explained, low, high) = best;
        if explained < least_share * energy || energy <= 0.0 {
            return None;
        }
        let stronger = lows[low].max(highs[high]);
        Some(Fit {
            pair: pair_of(low, high),
            share: explained / energy,
            weaker_share: (explained - stronger) / energy,
            power,
        })
    }

    fn explained(&self, sums: &Sums, low: usize, high: usize) -> f32 {
        let form = &self.pair[low][high];
        let v = [
            sums.cos[low],
            sums.sin[low],
            sums.cos[GROUP + high],
            sums.sin[GROUP + high],
        ];
        let squares = form[0] * v[0] * v[0]
            + form[4] * v[1] * v[1]
            + form[7] * v[2] * v[2]
            + form[9] * v[3] * v[3];
        let products = v[0] * (form[1] * v[1] + form[2] * v[2] + form[3] * v[3])
            + v[1] * (form[5] * v[2] + form[6] * v[3])
            + form[8] * v[2] * v[3];
        squares + 2.0 * products
    }
}

/// The largest of some energies, four at a time.
fn most(energies: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 4];
    for four in energies.chunks_exact(4) {
        for (lane, energy) in lanes.iter_mut().zip(four) {
            *lane = if *energy > *lane { *energy } else { *lane };
        }
    }
    lanes[0].max(lanes[1]).max(lanes[2].max(lanes[3]))
}

/// Where the largest of some energies stands.
fn loudest(energies: &[f32]) -> usize {
    let mut loudest = 0;
    for (index, energy) in energies.iter().enumerate() {
        if *energy > energies[loudest] {
            loudest = index;
        }
    }
    loudest
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

/// Inner products of cos and sin of both frequencies over a window.
fn gram4(first: usize, second: usize, samples: usize) -> [[f64; 4]; 4] {
    let mut gram = [[0.0; 4]; 4];
    for n in 0..samples {
        let (a, b) = (
            omega(first) * sample::count_f64(n),
            omega(second) * sample::count_f64(n),
        );
        let basis = [a.cos(), a.sin(), b.cos(), b.sin()];
        for (row, left) in basis.iter().enumerate() {
            for (column, right) in basis.iter().enumerate() {
                gram[row][column] += left * right;
            }
        }
    }
    gram
}

/// Gauss-Jordan without pivoting: Gram matrices of distinct tones are positive definite.
fn invert(mut matrix: [[f64; 4]; 4]) -> [[f64; 4]; 4] {
    let mut inverse = [[0.0; 4]; 4];
    for (row, cells) in inverse.iter_mut().enumerate() {
        cells[row] = 1.0;
    }
    for pivot in 0..4 {
        let scale = matrix[pivot][pivot].recip();
        for column in 0..4 {
            matrix[pivot][column] *= scale;
            inverse[pivot][column] *= scale;
        }
        let (matrix_pivot, inverse_pivot) = (matrix[pivot], inverse[pivot]);
        for row in (0..4).filter(|row| *row != pivot) {
            let factor = matrix[row][pivot];
            for column in 0..4 {
                matrix[row][column] -= factor * matrix_pivot[column];
                inverse[row][column] -= factor * inverse_pivot[column];
            }
        }
    }
    inverse
}

/// Inverse of the upper left 2 x 2 block.
fn inverse2(gram: &[[f64; 4]; 4], at: usize) -> [[f64; 2]; 2] {
    let (a, b, d) = (gram[at][at], gram[at][at + 1], gram[at + 1][at + 1]);
    let det = a * d - b * b;
    [[d / det, -b / det], [-b / det, a / det]]
}

fn pack2(gram: &[[f64; 4]; 4]) -> Form2 {
    let inverse = inverse2(gram, 0);
    [
        sample::narrow(inverse[0][0]),
        sample::narrow(inverse[0][1]),
        sample::narrow(inverse[1][1]),
    ]
}

fn pack4(inverse: &[[f64; 4]; 4]) -> Form4 {
    let mut form = [0.0; 10];
    let triangle = (0..4).flat_map(|row| (row..4).map(move |column| (row, column)));
    for (cell, (row, column)) in form.iter_mut().zip(triangle) {
        *cell = sample::narrow(inverse[row][column]);
    }
    form
}

/// Largest canonical correlation of the two tones' planes: the root of the largest eigenvalue of
/// A^-1 C B^-1 C^T, a 2 x 2 matrix.
fn canonical_correlation(gram: &[[f64; 4]; 4]) -> f64 {
    let cross = [[gram[0][2], gram[0][3]], [gram[1][2], gram[1][3]]];
    let turned = [[cross[0][0], cross[1][0]], [cross[0][1], cross[1][1]]];
    let left = multiply2(&inverse2(gram, 0), &cross);
    let product = multiply2(&left, &multiply2(&inverse2(gram, 2), &turned));
    let half_trace = (product[0][0] + product[1][1]) / 2.0;
    let det = product[0][0] * product[1][1] - product[0][1] * product[1][0];
    (half_trace + (half_trace * half_trace - det).max(0.0).sqrt())
        .max(0.0)
        .sqrt()
}

fn multiply2(left: &[[f64; 2]; 2], right: &[[f64; 2]; 2]) -> [[f64; 2]; 2] {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            left[row][0] * right[0][column] + left[row][1] * right[1][column]
        })
    })
}
