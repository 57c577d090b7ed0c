//! Two steady tones in a stretch of a press: where exactly, how strong, and what stands beside them.
//! Owns: the exact least-squares fit and the limits of ITU-T Q.24 on tones.
//! Never: knows of time; whoever asks has chosen the pieces.

use super::history::PIECE;
use super::keypad::{HIGH_HZ, LOW_HZ, Pair};
use super::tune::times;
use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;

/// Pieces a verdict reads at most: 48 ms, all of the shortest keys that are in common use.
pub(super) const EVIDENCE_MAX: usize = 48;

/// Largest deviation of each tone: accepted up to 1.5 %, refused from 3.5 % on (Q.24). Above the middle: 50 ms of tone tell the frequency to 1 Hz even
/// beside noise as strong as the pair, and keypads drift.
pub(super) const DEVIATION_MAX: f32 = 0.0275;

/// Twist, high over low, accepted: Q.24's -8..+4 dB and half a dB for the error of measurement.
const TWIST_DB_MIN: f32 = -8.5;
const TWIST_DB_MAX: f32 = 4.5;

/// Quietest tone accepted. Q.24 leaves it to the administration; the quietest in use is -42. The line's noise lies 20 dB below this.
const LEVEL_DBM0_MIN: f32 = -51.0;

/// A pair that explains this share of 32 ms needs no other witness: 8 dB of anything beside it leaves 0.86. Speech in tune keeps 0.8 for as long as this, once in
/// 14 h.
const SHARE_CERTAIN: f32 = 0.86;
const PIECES_CERTAIN: usize = 32;

/// The same for less evidence. Presses shorter than 40 ms may be refused (Q.24), so they must be clean: 13 dB of anything beside them.
const SHARE_CERTAIN_SHORT: f32 = 0.95;

/// Less is believed down to this share, if what is left is white noise: noise as strong as the pair leaves 0.5, give or take 0.035 over 30 ms.
const SHARE_LEAST: f32 = 0.38;

/// Lags of the test for whiteness, all within a piece.
const LAGS: usize = 4;

/// Largest sum of squared correlations, each in units of its own variance (Box and Pierce). White noise exceeds 20 once in 2,000 (chi-square of four
/// degrees), 30 once in 200,000; a voice reaches hundreds, but not always. The smaller share must show the whiter rest.
const WHITENESS_MAX: f32 = 20.0;
const WHITENESS_MAX_MOST: f32 = 30.0;

/// From this share on the wider limit holds: noise 4 dB below the pair leaves it.
const SHARE_MOST: f32 = 0.70;

/// Least correlation of neighbouring samples in a dial tone: cos(2 pi 450 / 8000) is 0.94.
const DIAL_NEIGHBOURS_LEAST: f32 = 0.85;

/// Least share once a dial tone is taken off: only companding and the line's noise are left.
const SHARE_BESIDE_DIAL: f32 = 0.97;

/// Dial tones: 350 and 440 Hz (North America), 425 Hz with its neighbourhood (ITU-T E.180).
const DIAL_HZ: [[f32; 2]; 2] = [[350.0, 440.0], [400.0, 450.0]];

/// Chosen pieces of a press, oldest first.
pub(super) struct Evidence {
    samples: [f32; EVIDENCE_MAX * PIECE],
    /// Place of each piece, in pieces from the first.
    places: [u16; EVIDENCE_MAX],
    len: usize,
}

/// What the fit says of one tone.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToneFound {
    pub(super) hz: f32,
    pub(super) amplitude: f32,
}

impl Evidence {
    pub(super) fn new() -> Self {
        Self {
            samples: [0.0; EVIDENCE_MAX * PIECE],
            places: [0; EVIDENCE_MAX],
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a piece; false if there is no more room.
    pub(super) fn push(&mut self, place: u16, piece: &[i16; PIECE]) -> bool {
        if self.len == EVIDENCE_MAX {
            return false;
        }
        self.places[self.len] = place;
        let first = self.len * PIECE;
        for (value, linear) in self.samples[first..first + PIECE].iter_mut().zip(piece) {
            *value = f32::from(*linear);
        }
        self.len += 1;
        true
    }

    /// Both tones, if they are those of one key and nothing but noise or a dial tone is beside them.
    pub(super) fn judge(mut self, pair: Pair, deviations: [f32; 2]) -> Option<[ToneFound; 2]> {
        if deviations
            .iter()
            .any(|deviation| deviation.abs() > DEVIATION_MAX)
        {
            return None;
        }
        let hz = [
            nominal_hz(pair)[0] * (1.0 + deviations[0]),
            nominal_hz(pair)[1] * (1.0 + deviations[1]),
        ];
        let energy = self.energy();
        let fit = self.fit(hz);
        let amplitudes = fit.amplitudes();
        let share = fit.explained / energy.max(f32::MIN_POSITIVE);
        let levels = amplitudes.map(|amplitude| Law::Mu.dbm0(amplitude * amplitude / 2.0));
        let in_spec = levels.iter().all(|level| *level >= LEVEL_DBM0_MIN)
            && (TWIST_DB_MIN..=TWIST_DB_MAX).contains(&(levels[1] - levels[0]));
        let certain = if self.len >= PIECES_CERTAIN {
            SHARE_CERTAIN
        } else {
            SHARE_CERTAIN_SHORT
        };
        let pure = in_spec
            && share >= SHARE_LEAST
            && (share >= certain || self.rest_is_no_voice(&fit, energy));
        pure.then(|| {
            [0, 1].map(|tone| ToneFound {
                hz: hz[tone],
                amplitude: amplitudes[tone],
            })
        })
    }

    /// What the pair leaves is white, or a dial tone.
    fn rest_is_no_voice(&mut self, fit: &TwoTones, energy: f32) -> bool {
        self.subtract(fit);
        let (whiteness, neighbours) = self.whiteness();
        let whiteness_max = if fit.explained >= SHARE_MOST * energy {
            WHITENESS_MAX_MOST
        } else {
            WHITENESS_MAX
        };
        if whiteness <= whiteness_max {
            return true;
        }
        if neighbours < DIAL_NEIGHBOURS_LEAST {
            return false;
        }
        let dial = DIAL_HZ.iter().map(|hz| self.fit(*hz).explained);
        let dial = dial.fold(0.0, f32::max);
        fit.explained >= SHARE_BESIDE_DIAL * (energy - dial)
    }

    fn energy(&self) -> f32 {
        let mut lanes = [0.0_f32; PIECE];
        for piece in self.samples[..self.len * PIECE].chunks_exact(PIECE) {
            for (lane, value) in lanes.iter_mut().zip(piece) {
                *lane += value * value;
            }
        }
        lanes.iter().sum()
    }

    /// The sum over lags of squared correlation over its variance in white noise; the correlation of neighbours.
    fn whiteness(&self) -> (f32, f32) {
        let mut lanes = [[0.0_f32; PIECE]; LAGS + 1];
        for piece in self.samples[..self.len * PIECE].chunks_exact(PIECE) {
            let mut padded = [0.0; PIECE + LAGS];
            padded[..PIECE].copy_from_slice(piece);
            for (lag, lanes) in lanes.iter_mut().enumerate() {
                for at in 0..PIECE {
                    lanes[at] += padded[at] * padded[at + lag];
                }
            }
        }
        let sums = lanes.map(|lanes| lanes.iter().sum::<f32>());
        let variance = (sums[0] / sample::count_f32(self.len * PIECE)).max(f32::MIN_POSITIVE);
        let products = |lag: usize| sample::count_f32(self.len * (PIECE - lag));
        let whiteness = (1..=LAGS).map(|lag| (sums[lag] / variance).powi(2) / products(lag));
        (whiteness.sum(), sums[1] / variance / products(1))
    }

    fn fit(&self, hz: [f32; 2]) -> TwoTones {
        let mut normal = Normal::default();
        let mut waves = Waves::new(hz);
        for (place, piece) in self
            .places
            .iter()
            .zip(self.samples[..self.len * PIECE].chunks_exact(PIECE))
        {
            normal.add(&waves.at(*place), piece);
        }
        let coefficients = normal.solve();
        let explained = coefficients
            .iter()
            .zip(&normal.moments())
            .map(|(c, m)| c * m)
            .sum();
        TwoTones {
            hz,
            coefficients,
            explained,
        }
    }

    fn subtract(&mut self, fit: &TwoTones) {
        let mut waves = Waves::new(fit.hz);
        for (place, piece) in self
            .places
            .iter()
            .zip(self.samples[..self.len * PIECE].chunks_exact_mut(PIECE))
        {
            for (coefficient, wave) in fit.coefficients.iter().zip(&waves.at(*place)) {
                for (value, wave) in piece.iter_mut().zip(wave) {
                    *value -= coefficient * wave;
                }
            }
        }
    }
}

/// Nominal frequencies of a pair.
pub(super) fn nominal_hz(pair: Pair) -> [f32; 2] {
    [
        sample::narrow(LOW_HZ[pair.row()]),
        sample::narrow(HIGH_HZ[pair.column()]),
    ]
}

/// Radians of a tone in one sample.
pub(super) fn radians(hz: f32) -> f32 {
    std::f32::consts::TAU * hz / sample::narrow(f64::from(SAMPLE_RATE_HZ))
}

/// Cosine and sine of both tones.
struct TwoTones {
    hz: [f32; 2],
    coefficients: [f32; 4],
    explained: f32,
}

impl TwoTones {
    fn amplitudes(&self) -> [f32; 2] {
        let [a, b, c, d] = self.coefficients;
        [a.hypot(b), c.hypot(d)]
    }
}

type Wave = [f32; PIECE];

/// Both tones' waves, piece after piece.
struct Waves {
    base: [Wave; 4],
    /// Rotation of both tones over one piece.
    step: [[f32; 2]; 2],
    place: u16,
    turn: [[f32; 2]; 2],
}

impl Waves {
    fn new(hz: [f32; 2]) -> Self {
        let one = hz.map(|hz| [radians(hz).cos(), radians(hz).sin()]);
        let (mut base, mut turn) = ([[0.0; PIECE]; 4], [[1.0, 0.0]; 2]);
        for (tone, waves) in base.chunks_exact_mut(2).enumerate() {
            let (cosines, sines) = waves.split_at_mut(1);
            for (cos, sin) in cosines[0].iter_mut().zip(&mut sines[0]) {
                [*cos, *sin] = turn[tone];
                turn[tone] = times(turn[tone], one[tone]);
            }
        }
        Self {
            base,
            step: turn,
            place: 0,
            turn: [[1.0, 0.0]; 2],
        }
    }

    /// Waves of the piece at `place`; places only grow.
    fn at(&mut self, place: u16) -> [Wave; 4] {
        while self.place < place {
            self.place += 1;
            for (turn, step) in self.turn.iter_mut().zip(&self.step) {
                *turn = times(*turn, *step);
            }
        }
        let mut waves = [[0.0; PIECE]; 4];
        for (tone, [cos, sin]) in self.turn.iter().enumerate() {
            let (c, s) = (&self.base[2 * tone], &self.base[2 * tone + 1]);
            for at in 0..PIECE {
                waves[2 * tone][at] = c[at] * cos - s[at] * sin;
                waves[2 * tone + 1][at] = s[at] * cos + c[at] * sin;
            }
        }
        waves
    }
}

/// Normal equations of four waves, in lanes of one piece: ten products of waves, four with the samples.
#[derive(Default)]
struct Normal {
    lanes: [Wave; 14],
}

/// The waves multiplied in each of the first ten cells: the upper triangle by rows.
const FACTORS: [(usize, usize); 10] = [
    (0, 0),
    (0, 1),
    (0, 2),
    (0, 3),
    (1, 1),
    (1, 2),
    (1, 3),
    (2, 2),
    (2, 3),
    (3, 3),
];

impl Normal {
    fn add(&mut self, waves: &[Wave; 4], piece: &[f32]) {
        let (products, moments) = self.lanes.split_at_mut(FACTORS.len());
        for (lane, (one, other)) in products.iter_mut().zip(FACTORS) {
            let (one, other) = (&waves[one], &waves[other]);
            for at in 0..PIECE {
                lane[at] += one[at] * other[at];
            }
        }
        for (lane, wave) in moments.iter_mut().zip(waves) {
            for ((lane, wave), value) in lane.iter_mut().zip(wave).zip(piece) {
                *lane += wave * value;
            }
        }
    }

    fn cell(&self, cell: usize) -> f32 {
        self.lanes[cell].iter().sum()
    }

    fn moments(&self) -> [f32; 4] {
        std::array::from_fn(|wave| self.cell(10 + wave))
    }

    /// Gauss without pivoting: distinct tones over 8 ms and more are positive definite.
    fn solve(&self) -> [f32; 4] {
        const FIRST_CELL: [usize; 4] = [0, 4, 7, 9];
        let mut matrix: [[f32; 5]; 4] = std::array::from_fn(|row| {
            std::array::from_fn(|column| match column {
                4 => self.cell(10 + row),
                _ if column >= row => self.cell(FIRST_CELL[row] + column - row),
                _ => self.cell(FIRST_CELL[column] + row - column),
            })
        });
        for pivot in 0..4 {
            let pivot_row = matrix[pivot];
            for row in matrix.iter_mut().skip(pivot + 1) {
                let factor = row[pivot] / pivot_row[pivot].max(f32::MIN_POSITIVE);
                for (value, above) in row.iter_mut().zip(&pivot_row) {
                    *value -= factor * above;
                }
            }
        }
        let mut solution = [0.0; 4];
        for row in (0..4).rev() {
            let known: f32 = (row + 1..4)
                .map(|column| matrix[row][column] * solution[column])
                .sum();
            solution[row] = (matrix[row][4] - known) / matrix[row][row].max(f32::MIN_POSITIVE);
        }
        solution
    }
}
