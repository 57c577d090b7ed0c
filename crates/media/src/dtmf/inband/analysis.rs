//! How much of a short window two keypad tones explain.
//! Owns: the running correlations of one stream.
//! Never: decides what is a key; the trigger, the reporter and the scan each have their own thresholds.
//!
//! Samples are gathered in blocks of 8. Each block is correlated once with 24 frequencies (8 tones at 0 and ±2.5 %) and turned to
//! the phase of the stream's beginning, so that a window of 40 or 64 samples is a running sum: the newest block comes, the oldest goes. The fit of a pair
//! is exact least squares (sine and cosine of both tones). Most windows are refuted before by a bound on what any pair can explain, which needs
//! the magnitudes of the sums alone; tones whose pairs cannot win are skipped by the same bound.

use super::keypad::Pair;
use super::lanes::Lanes;
use super::templates::{BANK, Bank, Waves};
use crate::sample;

/// Samples of one block, and the distance between two windows: 1 ms.
pub const HOP_SAMPLES: usize = 8;

/// Blocks kept: the longest window.
const BLOCKS: usize = 8;

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
#[derive(Clone)]
pub struct Analysis {
    blocks: [Waves; BLOCKS],
    /// Energies of the blocks, newest first.
    energies: [f32; BLOCKS],
    short_power: f32,
    long_power: f32,
    newest: usize,
    filled: usize,
    pending: [i16; HOP_SAMPLES],
    pending_len: usize,
    running: Running,
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
            blocks: [Waves::NONE; BLOCKS],
            energies: [0.0; BLOCKS],
            short_power: 0.0,
            long_power: 0.0,
            newest: 0,
            filled: 0,
            pending: [0; HOP_SAMPLES],
            pending_len: 0,
            running: Running::START,
            hops: 0,
        }
    }

    /// Forgets everything heard: no window spans a gap.
    pub fn reset(&mut self) {
        self.blocks = [Waves::NONE; BLOCKS];
        self.energies = [0.0; BLOCKS];
        self.filled = 0;
        self.pending_len = 0;
        self.running = Running::START;
        self.hops = 0;
    }

    /// See [`crate::relay::Relay::look`].
    pub(crate) fn look(&self) -> u64 {
        let Running { phase, short, long } = &self.running;
        let all = self.blocks.iter().chain([phase, short, long]);
        all.fold(0, |seen, waves| seen ^ waves.look())
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
        self.take_block(self.pending);
        true
    }

    /// Takes samples, at most as many as are wanted; true if they completed a block, so that windows end here.
    #[inline]
    pub fn push_all(&mut self, linear: &[i16]) -> bool {
        if let Ok(block) = linear.try_into()
            && self.pending_len == 0
        {
            self.take_block(block);
            return true;
        }
        let mut is_complete = false;
        for value in linear {
            is_complete = self.push(*value);
        }
        is_complete
    }

    #[inline(never)]
    fn take_block(&mut self, block: [i16; HOP_SAMPLES]) {
        let samples = block.map(f32::from);
        self.take_energy(&samples);
        let fifth = (self.newest + BLOCKS + 1 - Window::Short.blocks()) % BLOCKS;
        self.newest = (self.newest + 1) % BLOCKS;
        self.filled = (self.filled + 1).min(BLOCKS);
        if let Ok([newest, fifth]) = self.blocks.get_disjoint_mut([self.newest, fifth]) {
            self.running
                .step(&BANK, &Folded::of(&samples), fifth, newest);
        }
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
        let Running { phase, short, long } = &mut self.running;
        phase.normalize();
        (*short, *long) = (Waves::NONE, Waves::NONE);
        for age in 0..BLOCKS {
            let sums = &self.blocks[(self.newest + BLOCKS - age) % BLOCKS];
            long.add(sums);
            if age < Window::Short.blocks() {
                short.add(sums);
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

    /// Samples since the oldest block of the long window that is louder than `power` began; nothing if that is the oldest of all, so that it may
    /// have begun before, or if none is.
    #[must_use]
    pub fn risen_for(&self, power: f32) -> Option<usize> {
        let loud = power * sample::count_f32(HOP_SAMPLES);
        let oldest = self.energies.iter().rposition(|energy| *energy > loud)?;
        let is_known = self.filled == BLOCKS && oldest + 1 < BLOCKS;
        is_known.then_some((oldest + 1) * HOP_SAMPLES)
    }

    /// The best fit of the newest `window` if it explains at least `least_share`; nothing if it does not or the window is not full.
    #[must_use]
    pub fn fit(&self, window: Window, least_share: f32) -> Option<Fit> {
        let power = self.power(window)?;
        let shape = BANK.shape(window);
        let sums = match window {
            Window::Short => &self.running.short,
            Window::Long => &self.running.long,
        };
        let energy = power * sample::count_f32(window.samples());
        let need = least_share * energy;
        if energy <= 0.0 || shape.refutes(sums, need) {
            return None;
        }
        let found = shape.best_pair(sums, &self.running.phase, need)?;
        Some(Fit {
            pair: found.pair,
            share: found.explained / energy,
            weaker_share: (found.explained - found.stronger) / energy,
            power,
        })
    }
}

/// It does not print what it heard: audio, which may be a key.
impl std::fmt::Debug for Analysis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Analysis").finish_non_exhaustive()
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

/// Phase and windows, moved on block by block.
#[derive(Clone)]
struct Running {
    /// How far the newest block's middle is from the middle of the block before the first.
    phase: Waves,
    short: Waves,
    long: Waves,
}

impl Running {
    const START: Self = Self {
        phase: Waves::START,
        short: Waves::NONE,
        long: Waves::NONE,
    };

    /// Takes the next block: correlates it, turns it to the phase of the stream's beginning, and lets the blocks that leave go. `block` is the eighth
    /// before it and becomes the newest. All in one pass, so that each value is read and written once.
    fn step(&mut self, bank: &Bank, folded: &Folded, fifth: &Waves, block: &mut Waves) {
        let Self { phase, short, long } = self;
        for at in 0..phase.cos.len() {
            let (c, s) = (phase.cos[at], phase.sin[at]);
            let (hop_c, hop_s) = (bank.hop.cos[at], bank.hop.sin[at]);
            let (turn_c, turn_s) = (c * hop_c - s * hop_s, s * hop_c + c * hop_s);
            let (even, odd) = folded.correlate(bank, at);
            let (cos, sin) = (even * turn_c - odd * turn_s, odd * turn_c + even * turn_s);
            (phase.cos[at], phase.sin[at]) = (turn_c, turn_s);
            short.cos[at] += cos - fifth.cos[at];
            short.sin[at] += sin - fifth.sin[at];
            long.cos[at] += cos - block.cos[at];
            long.sin[at] += sin - block.sin[at];
            (block.cos[at], block.sin[at]) = (cos, sin);
        }
    }
}

/// A block folded about its middle: sums meet cosines, differences meet sines.
struct Folded {
    even: [Lanes; HOP_SAMPLES / 2],
    odd: [Lanes; HOP_SAMPLES / 2],
}

impl Folded {
    fn of(samples: &[f32; HOP_SAMPLES]) -> Self {
        let [d, c, b, a, e, f, g, h] = *samples;
        Self {
            even: [e + a, f + b, g + c, h + d].map(Lanes::all),
            odd: [e - a, f - b, g - c, h - d].map(Lanes::all),
        }
    }

    /// Correlations with four templates.
    fn correlate(&self, bank: &Bank, at: usize) -> (Lanes, Lanes) {
        let [a, b, c, d] = &bank.fold;
        let ([e, f, g, h], [o, p, q, r]) = (self.even, self.odd);
        (
            (a.cos[at] * e + b.cos[at] * f) + (c.cos[at] * g + d.cos[at] * h),
            (a.sin[at] * o + b.sin[at] * p) + (c.sin[at] * q + d.sin[at] * r),
        )
    }
}

/// A sum in two halves, so that it need not be made one after the other.
fn sum(values: &[f32; HOP_SAMPLES]) -> f32 {
    let [a, b, c, d, e, f, g, h] = values;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::super::keypad::{HIGH_HZ, LOW_HZ};
    use super::*;
    use crate::g711::SAMPLE_RATE_HZ;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// How far shares in f32 over running sums may be from plain ones.
    const EXACT: f64 = 5e-4;

    /// What a pair of templates explains of a window, and what its stronger tone explains alone, as shares.
    struct Plain {
        pair: Pair,
        share: f64,
        stronger: f64,
    }

    /// Least squares without any of the shortcuts: every pair of templates, four waves from the first sample on, in f64.
    fn plain_fits(window: &[i16]) -> Vec<Plain> {
        let samples: Vec<f64> = window.iter().map(|value| f64::from(*value)).collect();
        let waves = |hz: f64, detune: f64| {
            let omega = std::f64::consts::TAU * hz * (1.0 + detune) / f64::from(SAMPLE_RATE_HZ);
            let at = |wave: fn(f64) -> f64| -> Vec<f64> {
                (0..samples.len())
                    .map(|n| wave(omega * sample::count_f64(n)))
                    .collect()
            };
            [at(f64::cos), at(f64::sin)]
        };
        let energy: f64 = samples.iter().map(|value| value * value).sum();
        let mut fits = Vec::new();
        for (row, low_hz) in (0..).zip(LOW_HZ) {
            for (column, high_hz) in (0..).zip(HIGH_HZ) {
                for place in 0..9 {
                    let low = waves(low_hz, f64::from(place / 3 - 1) * 0.025);
                    let high = waves(high_hz, f64::from(place % 3 - 1) * 0.025);
                    let share = |waves: &[&Vec<f64>]| explained(waves, &samples) / energy;
                    let alone = share(&[&low[0], &low[1]]).max(share(&[&high[0], &high[1]]));
                    fits.push(Plain {
                        pair: Pair::new(row, column),
                        share: share(&[&low[0], &low[1], &high[0], &high[1]]),
                        stronger: alone,
                    });
                }
            }
        }
        fits
    }

    /// Energy of the samples that lies in the space of the waves: they are made orthogonal one after the other.
    fn explained(waves: &[&Vec<f64>], samples: &[f64]) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut done: Vec<Vec<f64>> = Vec::new();
        for wave in waves {
            let mut rest = (*wave).clone();
            for other in &done {
                let shared = dot(&rest, other) / dot(other, other);
                for (value, other) in rest.iter_mut().zip(other) {
                    *value -= shared * other;
                }
            }
            done.push(rest);
        }
        let shares = done
            .iter()
            .map(|wave| dot(wave, samples).powi(2) / dot(wave, wave));
        shares.sum()
    }

    /// A stretch of a line: hiss, and tones of a key, of a voice or of nothing, that begin and end anywhere.
    fn stretch(rng: &mut StdRng) -> Vec<i16> {
        let len = rng.random_range(30..200);
        let level = 10.0_f64.powf(rng.random_range(1.5..4.0));
        let hiss = level * 10.0_f64.powf(rng.random_range(-3.0..0.3));
        let tones: Vec<(f64, f64)> = match rng.random_range(0..5) {
            0 => Vec::new(),
            1 => {
                let pitch = rng.random_range(80.0..350.0);
                (1..12)
                    .map(|n| (pitch * f64::from(n), rng.random::<f64>()))
                    .collect()
            }
            kind => {
                let off = if kind == 2 { 0.0 } else { 0.045 };
                let mut tone = |group: [f64; 4]| {
                    let hz = group[rng.random_range(0..4)]
                        * (1.0 + off * (rng.random::<f64>() - 0.5) * 2.0);
                    (hz, 10.0_f64.powf(rng.random_range(-0.7..0.0)))
                };
                vec![tone(LOW_HZ), tone(HIGH_HZ)]
            }
        };
        let phases: Vec<f64> = tones.iter().map(|_| rng.random_range(0.0..6.3)).collect();
        let value = |n: usize| -> f64 {
            let at = |((hz, gain), phase): (&(f64, f64), &f64)| {
                gain * (std::f64::consts::TAU * hz * sample::count_f64(n) / 8_000.0 + phase).sin()
            };
            tones.iter().zip(&phases).map(at).sum()
        };
        (0..len)
            .map(|n| {
                sample::from_f32(sample::narrow(
                    level * value(n) + hiss * rng.random_range(-1.0..1.0),
                ))
            })
            .collect()
    }

    #[test]
    fn the_fit_is_plain_least_squares() {
        let mut rng = StdRng::seed_from_u64(20);
        let (mut analysis, mut heard, mut found) = (Analysis::new(), Vec::<i16>::new(), 0);
        while heard.len() < 40_000 {
            for value in stretch(&mut rng) {
                heard.push(value);
                // One hop in seven, so that every place between two renewals comes up.
                if !analysis.push(value)
                    || !heard.len().is_multiple_of(7 * HOP_SAMPLES)
                    || heard.len() < 64
                {
                    continue;
                }
                for window in [Window::Short, Window::Long] {
                    let fits = plain_fits(&heard[heard.len() - window.samples()..]);
                    let best = fits.iter().map(|fit| fit.share).fold(0.0, f64::max);
                    let least = rng.random_range(0.0..1.0_f32);
                    let Some(fit) = analysis.fit(window, least) else {
                        assert!(
                            best < f64::from(least) + EXACT,
                            "{best} not found, least {least}"
                        );
                        continue;
                    };
                    found += 1;
                    assert!(
                        (f64::from(fit.share) - best).abs() < EXACT,
                        "{} for {best}",
                        fit.share
                    );
                    assert!(fit.share >= least);
                    let weaker = f64::from(fit.weaker_share);
                    let same = fits.iter().any(|plain| {
                        plain.pair == fit.pair
                            && plain.share > best - EXACT
                            && (plain.share - plain.stronger - weaker).abs() < 2.0 * EXACT
                    });
                    assert!(same, "a pair or a weaker tone that is not the best one's");
                }
            }
        }
        assert!(found > 400, "{found} windows were fitted");
    }
}
