//! Two steady tones in a stretch of a press: where exactly, how strong, and what stands beside them.
//! Owns: the exact least-squares fit and the limits of ITU-T Q.24 on tones.
//! Never: knows of time; whoever asks has chosen the pieces.

use std::sync::LazyLock;

use super::history::PIECE;
use super::keypad::{HIGH_HZ, LOW_HZ, Pair};
use super::lanes::{Lanes, Turns, gather};
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

/// Least share of 32 ms and more that counts without a look at what is left. A voice must not reach it: of 13.9 h of speech and music the purest stretch in
/// tune, twist and level keeps 0.806, the next 0.799, the third 0.776, and their rest is never white. The margin is what a pair 8 dB above anything
/// beside it keeps: 1 / (1 + 10^-0.8) is 0.863.
const SHARE_CERTAIN: f32 = 0.86;
const PIECES_CERTAIN: usize = 32;

/// The same for less evidence, of which the purest in those hours keeps 0.895. Presses shorter than 40 ms may be refused (Q.24), so they must be clean: a pair
/// 13 dB above anything beside it keeps 0.952.
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

static DIAL_TONES: LazyLock<[Tones; 2]> = LazyLock::new(|| DIAL_HZ.map(Tones::new));

/// Chosen pieces of a press, oldest first.
pub(super) struct Evidence {
    pieces: [[f32; PIECE]; EVIDENCE_MAX],
    /// Place of each piece, in pieces from the first.
    places: [u8; EVIDENCE_MAX],
    len: usize,
}

/// What the fit says of one tone. It names a key, so it does not print itself.
#[derive(Clone, Copy)]
pub(super) struct ToneFound {
    pub(super) hz: f32,
    pub(super) amplitude: f32,
}

impl Evidence {
    pub(super) fn new() -> Self {
        Self {
            pieces: [[0.0; PIECE]; EVIDENCE_MAX],
            places: [0; EVIDENCE_MAX],
            len: 0,
        }
    }

    /// Adds a piece; one too many is left out.
    pub(super) fn push(&mut self, place: u8, piece: &[i16; PIECE]) {
        if self.len < EVIDENCE_MAX {
            self.places[self.len] = place;
            self.pieces[self.len] = piece.map(f32::from);
            self.len += 1;
        }
    }

    /// Both tones, if they are those of one key and nothing but noise or a dial tone is beside them.
    pub(super) fn judge(&mut self, pair: Pair, deviations: [f32; 2]) -> Option<[ToneFound; 2]> {
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
        let tones = Tones::new(hz);
        let fit = self.fit(&tones);
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
            && (share >= certain || self.rest_is_no_voice(&tones, &fit, energy));
        pure.then(|| {
            [0, 1].map(|tone| ToneFound {
                hz: hz[tone],
                amplitude: amplitudes[tone],
            })
        })
    }

    /// What the pair leaves is white, or a dial tone.
    fn rest_is_no_voice(&mut self, tones: &Tones, fit: &TwoTones, energy: f32) -> bool {
        self.subtract(tones, fit);
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
        let dial = DIAL_TONES.iter().map(|tones| self.fit(tones).explained);
        let dial = dial.fold(0.0, f32::max);
        fit.explained >= SHARE_BESIDE_DIAL * (energy - dial)
    }

    fn energy(&self) -> f32 {
        let mut lanes = [0.0_f32; PIECE];
        for piece in &self.pieces[..self.len] {
            for (lane, value) in lanes.iter_mut().zip(piece) {
                *lane += value * value;
            }
        }
        lanes.iter().sum()
    }

    /// The sum over lags of squared correlation over its variance in white noise; the correlation of neighbours.
    fn whiteness(&self) -> (f32, f32) {
        let mut lanes = [[0.0_f32; PIECE]; LAGS + 1];
        for piece in &self.pieces[..self.len] {
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

    /// Least squares of both tones over the pieces. The tones' waves are those of the first piece; what they gather in a later one is turned to its phase.
    fn fit(&self, tones: &Tones) -> TwoTones {
        let mut moments = Lanes::all(0.0);
        let mut beats = [Lanes::all(0.0); 2];
        let mut phase = tones.start();
        for (place, piece) in self.places.iter().zip(&self.pieces[..self.len]) {
            phase.advance(tones, *place);
            moments += gather(&tones.waves, piece).times(phase.tones);
            beats[0] += phase.beats.cos;
            beats[1] += phase.beats.sin;
        }
        let normal = tones.normal(beats, self.len);
        let coefficients = solve(&normal, moments.0);
        let products = coefficients * moments;
        TwoTones {
            coefficients,
            explained: products.sum(),
        }
    }

    fn subtract(&mut self, tones: &Tones, fit: &TwoTones) {
        let mut phase = tones.start();
        for (place, piece) in self.places.iter().zip(&mut self.pieces[..self.len]) {
            phase.advance(tones, *place);
            let [a, b, c, d] = fit.coefficients.times(phase.tones.conjugate()).0;
            let [low_cos, low_sin, high_cos, high_sin] = &tones.by_wave;
            for (at, value) in piece.iter_mut().enumerate() {
                *value -=
                    (a * low_cos[at] + b * low_sin[at]) + (c * high_cos[at] + d * high_sin[at]);
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

/// What a fit found: cosine and sine of both tones, and the energy that they explain.
struct TwoTones {
    coefficients: Lanes,
    explained: f32,
}

impl TwoTones {
    fn amplitudes(&self) -> [f32; 2] {
        let [a, b, c, d] = self.coefficients.0;
        [a.hypot(b), c.hypot(d)]
    }
}

/// Two tones: their waves over the first piece, and how far they turn in one.
struct Tones {
    /// Cosine and sine of the low tone, of the high one, sample by sample.
    waves: [Lanes; PIECE],
    /// The same, wave by wave.
    by_wave: [[f32; PIECE]; 4],
    /// Turn of both tones over a piece.
    step: Lanes,
    /// What products of two waves turn by, over a piece: twice each tone, their sum, their difference.
    beat_step: Turns,
    /// Sums of those over the first piece.
    beat_sums: Turns,
}

/// Where both tones stand at the beginning of a piece.
struct Phase {
    place: u8,
    tones: Lanes,
    beats: Turns,
}

impl Phase {
    /// Goes on to the piece at `place`; places only grow.
    fn advance(&mut self, tones: &Tones, place: u8) {
        while self.place < place {
            self.place += 1;
            self.tones = self.tones.times(tones.step);
            self.beats = self.beats.then(tones.beat_step);
        }
    }
}

impl Tones {
    fn new(hz: [f32; 2]) -> Self {
        let [low, high] = hz.map(radians);
        let one = Lanes([low.cos(), low.sin(), high.cos(), high.sin()]);
        let mut turn = Lanes([1.0, 0.0, 1.0, 0.0]);
        let mut waves = [turn; PIECE];
        for wave in &mut waves {
            *wave = turn;
            turn = turn.times(one);
        }
        let beat = beats_of(one);
        let (mut beats, mut sums) = (Turns::NONE, [Lanes::all(0.0); 2]);
        for _ in 0..PIECE {
            sums = [sums[0] + beats.cos, sums[1] + beats.sin];
            beats = beats.then(beat);
        }
        Self {
            by_wave: std::array::from_fn(|wave| waves.map(|lanes| lanes.0[wave])),
            waves,
            step: turn,
            beat_step: beats,
            beat_sums: Turns {
                cos: sums[0],
                sin: sums[1],
            },
        }
    }

    fn start(&self) -> Phase {
        Phase {
            place: 0,
            tones: Lanes([1.0, 0.0, 1.0, 0.0]),
            beats: Turns::NONE,
        }
    }

    /// Products of the four waves over all pieces, from the sums of the beats at the pieces' beginnings: cos a cos b is half of cos(a + b) + cos(a - b),
    /// and so on.
    fn normal(&self, beats: [Lanes; 2], pieces: usize) -> [[f32; 4]; 4] {
        let beats = self.beat_sums.then(Turns {
            cos: beats[0],
            sin: beats[1],
        });
        let half = Lanes::all(0.5);
        let [low_c, high_c, sum_c, rest_c] = (beats.cos * half).0;
        let [low_s, high_s, sum_s, rest_s] = (beats.sin * half).0;
        let all = sample::count_f32(pieces * PIECE) / 2.0;
        let cross = [
            [rest_c + sum_c, sum_s - rest_s],
            [sum_s + rest_s, rest_c - sum_c],
        ];
        [
            [all + low_c, low_s, cross[0][0], cross[0][1]],
            [low_s, all - low_c, cross[1][0], cross[1][1]],
            [cross[0][0], cross[1][0], all + high_c, high_s],
            [cross[0][1], cross[1][1], high_s, all - high_c],
        ]
    }
}

/// Twice each tone, their sum and their difference, from cosine and sine of both.
fn beats_of(tones: Lanes) -> Turns {
    let [a, b, c, d] = tones.0;
    let [double_c, double_s, high_c, high_s] = tones.times(tones).0;
    Turns {
        cos: Lanes([double_c, high_c, a * c - b * d, a * c + b * d]),
        sin: Lanes([double_s, high_s, b * c + a * d, b * c - a * d]),
    }
}

/// Gauss without pivoting: distinct tones over 8 ms and more are positive definite.
fn solve(normal: &[[f32; 4]; 4], moments: [f32; 4]) -> Lanes {
    let mut matrix: [[f32; 5]; 4] = std::array::from_fn(|row| {
        let [a, b, c, d] = normal[row];
        [a, b, c, d, moments[row]]
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
    Lanes(solution)
}
