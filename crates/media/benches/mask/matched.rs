//! Attackers of our own: matched filters over short windows, one that knows when keys were pressed and one that does not.
//!
//! Of each window the flat tone is taken out first, whatever its phase; what two tones of a digit explain of the rest is the digit's score,
//! as the logarithm of the likelihood ratio. The best window of a press decides.

use media::dtmf::inband::keypad::{HIGH_HZ, LOW_HZ, pair_of_event};

use crate::measure::HELD;
use crate::scene::{MS, Press};

/// Window lengths: 3, 5 and 10 ms.
pub(crate) const WINDOWS: [usize; 3] = [24, 40, 80];

/// Frequencies: the flat tone, four low, three high. No digit has the fourth high tone.
const TONES: usize = 8;
const DIGITS: usize = 10;

/// Mean square that is no evidence: G.711's smallest steps.
const FLOOR: f32 = 100.0;

/// The blind filter reports a window whose rest is explained to this share.
const BLIND_SHARE: f32 = 0.7;

/// Distance of the blind filter's windows: 2.5 ms.
const BLIND_HOP: usize = 20;

/// The middle of a press longer than 2 s is searched in steps of 5 ms.
const EDGE: usize = 8_000;
const COARSE_HOP: usize = 40;

/// Guesses of one press, one for each window length; nothing where the filter saw nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Guesses {
    pub(crate) blind: [Option<u8>; 3],
    pub(crate) oracle: [Option<u8>; 3],
}

/// The filters.
pub(crate) struct Filters {
    banks: [Bank; 3],
}

impl Filters {
    pub(crate) fn new(flat_hz: f64) -> Self {
        Self {
            banks: WINDOWS.map(|window| Bank::new(window, flat_hz)),
        }
    }

    /// What the filters make of a press in `heard`.
    pub(crate) fn guess(&self, heard: &[f32], press: &Press) -> Guesses {
        let mut guesses = Guesses::default();
        for (index, bank) in self.banks.iter().enumerate() {
            let (from, to) = (
                press.watched.start,
                (press.watched.end + HELD).min(heard.len()),
            );
            guesses.oracle[index] = bank.best(heard, places(from, to, bank.window, MS), 0.0);
            guesses.blind[index] =
                bank.best(heard, places(from, to, bank.window, BLIND_HOP), BLIND_SHARE);
        }
        guesses
    }
}

/// Where windows begin that lie within `from..to`.
fn places(from: usize, to: usize, window: usize, hop: usize) -> impl Iterator<Item = usize> {
    let last = to.saturating_sub(window);
    let mut at = from;
    std::iter::from_fn(move || {
        let here = at;
        let is_edge = here < from + EDGE || here + EDGE > last;
        at += if is_edge { hop } else { hop.max(COARSE_HOP) };
        (here <= last).then_some(here)
    })
}

struct Bank {
    window: usize,
    /// Cosine and sine of each tone, sample by sample.
    waves: Vec<[f32; 2 * TONES]>,
    flat: [[f32; 2]; 2],
    pairs: Vec<Pair>,
}

/// The least-squares form of the flat tone and a digit's two.
struct Pair {
    tones: [usize; 6],
    form: [[f32; 6]; 6],
}

impl Bank {
    fn new(window: usize, flat_hz: f64) -> Self {
        let mut hz = [flat_hz; TONES];
        hz[1..5].copy_from_slice(&LOW_HZ);
        hz[5..8].copy_from_slice(&HIGH_HZ[..3]);
        let waves: Vec<[f32; 2 * TONES]> = (0..window)
            .map(|at| {
                let angle =
                    |tone: usize| std::f64::consts::TAU * hz[tone / 2] * at as f64 / 8_000.0;
                std::array::from_fn(|tone| {
                    if tone % 2 == 0 {
                        angle(tone).cos() as f32
                    } else {
                        angle(tone).sin() as f32
                    }
                })
            })
            .collect();
        let flat = form(&waves, [0, 1]);
        let pairs = (0..DIGITS as u8).map(|code| {
            let pair = pair_of_event(code).expect("digits have pairs");
            let (low, high) = (2 * (1 + pair.row()), 2 * (5 + pair.column()));
            let tones = [0, 1, low, low + 1, high, high + 1];
            Pair {
                tones,
                form: form(&waves, tones),
            }
        });
        Self {
            window,
            pairs: pairs.collect(),
            flat,
            waves,
        }
    }

    /// The digit of the best window among `places`, if its share of the rest reaches `least_share`.
    fn best(
        &self,
        heard: &[f32],
        places: impl Iterator<Item = usize>,
        least_share: f32,
    ) -> Option<u8> {
        let mut best: (f32, Option<u8>) = (0.0, None);
        for place in places {
            let Some(window) = heard.get(place..place + self.window) else {
                break;
            };
            let (digit, share, score) = self.judge(window);
            if score > best.0 && share >= least_share {
                best = (score, Some(digit));
            }
        }
        best.1
    }

    fn judge(&self, window: &[f32]) -> (u8, f32, f32) {
        let mut sums = [0.0_f32; 2 * TONES];
        let mut energy = 0.0;
        for (value, wave) in window.iter().zip(&self.waves) {
            for (sum, part) in sums.iter_mut().zip(wave) {
                *sum += value * part;
            }
            energy += value * value;
        }
        let flat = explained(&self.flat, &[sums[0], sums[1]]);
        let floor = FLOOR * self.window as f32;
        let rest = (energy - flat).max(0.0) + floor;
        let (mut digit, mut most) = (0, 0.0);
        for (code, pair) in self.pairs.iter().enumerate() {
            let gain = explained(&pair.form, &pair.tones.map(|tone| sums[tone])) - flat;
            if gain > most {
                (digit, most) = (code as u8, gain);
            }
        }
        let left = (rest - most).max(floor / 4.0);
        (digit, most / rest, (rest / left).ln())
    }
}

/// Energy that a form explains of correlations.
fn explained<const N: usize>(form: &[[f32; N]; N], sums: &[f32; N]) -> f32 {
    let mut energy = 0.0;
    for (row, sum) in form.iter().zip(sums) {
        let product: f32 = row
            .iter()
            .zip(sums)
            .map(|(weight, other)| weight * other)
            .sum();
        energy += product * sum;
    }
    energy
}

/// The inverse of the templates' products with each other.
fn form<const N: usize>(waves: &[[f32; 2 * TONES]], tones: [usize; N]) -> [[f32; N]; N] {
    let product = |row: usize, column: usize| -> f64 {
        waves
            .iter()
            .map(|wave| f64::from(wave[tones[row]]) * f64::from(wave[tones[column]]))
            .sum()
    };
    let mut left = [[0.0; N]; N];
    let mut right = [[0.0; N]; N];
    for row in 0..N {
        left[row] = std::array::from_fn(|column| product(row, column));
        // So small that no figure moves; three tones in 3 ms are nearly dependent.
        left[row][row] *= 1.0 + 1e-9;
        right[row][row] = 1.0;
    }
    for pivot in 0..N {
        let scale = 1.0 / left[pivot][pivot];
        for column in 0..N {
            left[pivot][column] *= scale;
            right[pivot][column] *= scale;
        }
        for row in 0..N {
            let factor = left[row][pivot];
            if row == pivot {
                continue;
            }
            for column in 0..N {
                left[row][column] -= factor * left[pivot][column];
                right[row][column] -= factor * right[pivot][column];
            }
        }
    }
    right.map(|row| row.map(|value| value as f32))
}
