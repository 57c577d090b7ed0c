//! The short form: a row of everything that must be taken and that must be refused, in seconds.
//! Owns: its rows, and for each a fault of the line that the row must notice.
//! Never: compares engines; reads the corpus.
//!
//! A row holds only if every press of it is heard as it should be. Each row is drawn a second time with its fault, and must not hold then: a harness that
//! says yes to everything fails.

use super::engines::Engine;
use super::line::{FRAME, Line, MILLISECOND, Tone};
use super::score::runs_heard;
use super::table::say;

/// Between presses: longer than the reporter's memory.
const PAUSE: usize = 150 * MILLISECOND;

/// Presses of each of the sixteen keys in a case.
const ROUNDS: usize = 2;

/// How far the planted fault moves tones: what may be 1.5 % off is then 3.7 % off, what must be refused from 3.5 % on is 1.2 % off.
const MOVED: f64 = 0.022;

/// How exactly a plain search finds a tone of 50 ms: its steps, and what the other tone leaks.
const FOUND_TO: f64 = 0.003;

/// One kind of press.
#[derive(Clone, Copy)]
struct Case {
    tone: Tone,
    /// Pair over white noise, in dB.
    snr_db: f64,
    /// The same key again after so many samples.
    again_after: Option<usize>,
    /// So many samples are missing from the middle.
    hole: usize,
}

impl Case {
    const PLAIN: Self = Self {
        tone: Tone::PLAIN,
        snr_db: 60.0,
        again_after: None,
        hole: 0,
    };

    fn of(tone: Tone) -> Self {
        Self {
            tone,
            ..Self::PLAIN
        }
    }

    /// Lengths in milliseconds.
    fn of_length(ms: usize) -> Self {
        Self::of(Tone {
            len: ms * MILLISECOND,
            ..Tone::PLAIN
        })
    }

    /// Deviations as fractions.
    fn of_deviations(low: f64, high: f64) -> Self {
        Self::of(Tone {
            low_deviation: low,
            high_deviation: high,
            ..Tone::PLAIN
        })
    }

    /// High over low; the stronger tone stays at -10 dBm0.
    fn of_twist(db: f64) -> Self {
        Self::of(Tone {
            low_dbm0: -10.0 - db.max(0.0),
            high_dbm0: -10.0 + db.min(0.0),
            ..Tone::PLAIN
        })
    }

    fn of_level(dbm0: f64) -> Self {
        Self::of(Tone {
            low_dbm0: dbm0,
            high_dbm0: dbm0,
            ..Tone::PLAIN
        })
    }

    fn line(&self, seed: u64) -> Line {
        let mut line = Line::new(seed);
        for _ in 0..ROUNDS {
            for key in line.shuffled() {
                let jitter = line.jitter(FRAME);
                line.pause(PAUSE + jitter);
                line.press(key, self.tone);
                line.interrupt((self.tone.len - self.hole) / 2, self.hole);
                if let Some(pause) = self.again_after {
                    line.pause(pause);
                    line.sound(key, self.tone);
                }
            }
        }
        line.pause(PAUSE);
        let pair_dbm0 = power_sum_dbm0(self.tone);
        line.add_noise(pair_dbm0 - self.snr_db);
        line
    }
}

/// What must be heard of a press.
#[derive(Clone, Copy)]
enum Want {
    /// So many digits, all its key.
    Digits(usize),
    Nothing,
}

struct Row {
    name: &'static str,
    want: Want,
    cases: Vec<Case>,
    /// What the row must notice.
    fault: fn(&mut Case),
}

impl Row {
    /// Presses that were heard as they should be, and all.
    fn score(&self, cases: &[Case]) -> Result<(usize, usize), String> {
        let (mut right, mut all) = (0, 0);
        for (case, seed) in cases.iter().zip(100..) {
            let mut line = case.line(seed);
            let linear = line.heard();
            let heard = Engine::Ours.keys(&linear)?;
            all += line.keys.len();
            right += match self.want {
                Want::Digits(times) => {
                    let heard_too_many = heard.len().saturating_sub(times * line.keys.len());
                    runs_heard(&line.keys, &heard, times).saturating_sub(heard_too_many)
                }
                Want::Nothing => line.keys.len().saturating_sub(heard.len()),
            };
        }
        Ok((right, all))
    }

    fn holds(&self) -> Result<bool, String> {
        let (right, all) = self.score(&self.cases)?;
        let mut spoiled = self.cases.clone();
        spoiled.iter_mut().for_each(self.fault);
        let (right_spoiled, _) = self.score(&spoiled)?;
        let pass = right == all && right_spoiled < all;
        say(&format!(
            "{{\"row\": \"{}\", \"presses\": {all}, \"right\": {right}, \"right_with_fault\": {right_spoiled}, \"pass\": {pass}}}",
            self.name
        ));
        Ok(pass)
    }
}

/// Plays every row; true if all hold without their fault, and none with it.
pub(crate) fn run() -> Result<bool, String> {
    let mut passed = tones_are_drawn_where_they_should_be();
    for row in taken().into_iter().chain(refused()) {
        passed &= row.holds()?;
    }
    Ok(passed)
}

/// ITU-T Q.24: what is a digit.
fn taken() -> Vec<Row> {
    let row = |name, cases, fault| Row {
        name,
        want: Want::Digits(1),
        cases,
        fault,
    };
    let pressed_twice = |ms| Case {
        again_after: Some(ms * MILLISECOND),
        ..Case::PLAIN
    };
    let with_hole = |ms| Case {
        hole: ms * MILLISECOND,
        ..Case::of_length(100)
    };
    let in_noise = |snr_db| Case {
        snr_db,
        ..Case::PLAIN
    };
    vec![
        row(
            "taken: 40, 50, 100, 500 ms",
            [40, 50, 100, 500].map(Case::of_length).into(),
            |case| case.tone.len /= 2,
        ),
        row(
            "taken: each tone and both 1.5 % off",
            off_by(0.015),
            |case| move_tones(case, MOVED),
        ),
        row(
            "taken: twist -8, 0, +4 dB",
            [-8.0, 0.0, 4.0].map(Case::of_twist).into(),
            |case| case.tone.high_dbm0 += 3.0,
        ),
        row(
            "taken: -50, -42, -25, 0 dBm0",
            [-50.0, -42.0, -25.0, 0.0].map(Case::of_level).into(),
            |case| case.tone.low_dbm0 -= 10.0,
        ),
        row(
            "taken: 6, 12, 18 dB over noise",
            [6.0, 12.0, 18.0].map(in_noise).into(),
            |case| case.snr_db -= 14.0,
        ),
        row(
            "taken: 100 ms with a hole of 2, 6, 10 ms is one digit",
            [2, 6, 10].map(with_hole).into(),
            |case| case.hole += 30 * MILLISECOND,
        ),
        Row {
            want: Want::Digits(2),
            ..row(
                "taken: pauses of 40, 50, 60 ms part two digits",
                [40, 50, 60].map(pressed_twice).into(),
                |case| case.again_after = Some(10 * MILLISECOND),
            )
        },
    ]
}

/// ITU-T Q.24: what is none.
fn refused() -> Vec<Row> {
    let row = |name, cases, fault| Row {
        name,
        want: Want::Nothing,
        cases,
        fault,
    };
    vec![
        row(
            "refused: each tone and both 3.5 % off",
            off_by(0.035),
            |case| {
                move_tones(case, -MOVED);
            },
        ),
        row(
            "refused: 10, 15, 20 ms",
            [10, 15, 20].map(Case::of_length).into(),
            |case| case.tone.len *= 2,
        ),
        row(
            "refused: twist -14, -9, +5, +14 dB",
            [-14.0, -9.0, 5.0, 14.0].map(Case::of_twist).into(),
            |case| case.tone.low_dbm0 = case.tone.high_dbm0,
        ),
    ]
}

/// The low tone, the high one, both; below and above.
fn off_by(deviation: f64) -> Vec<Case> {
    [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
        .into_iter()
        .flat_map(|(low, high)| {
            [-deviation, deviation].map(|off| Case::of_deviations(low * off, high * off))
        })
        .collect()
}

fn move_tones(case: &mut Case, by: f64) {
    case.tone.low_deviation += by;
    case.tone.high_deviation += by;
}

/// No detector is asked: a plain search finds the tones of a press where the case says they are, and not where the fault moves them.
fn tones_are_drawn_where_they_should_be() -> bool {
    let seen = off_by(0.015).iter().all(|case| {
        let mut moved = *case;
        move_tones(&mut moved, MOVED);
        is_drawn_as(case, case) && is_drawn_as(&moved, &moved) && !is_drawn_as(&moved, case)
    });
    say(&format!(
        "{{\"row\": \"tones drawn where they should be\", \"pass\": {seen}}}"
    ));
    seen
}

/// The first press of `drawn` has the tones that `wanted` says.
fn is_drawn_as(drawn: &Case, wanted: &Case) -> bool {
    let mut line = drawn.line(99);
    let linear = line.heard();
    let press = &linear[line.starts[0]..][..drawn.tone.len];
    let hz = |case: &Case| case.tone.hz(line.keys[0]);
    hz(wanted)
        .iter()
        .all(|hz| (strongest_near(press, *hz) / hz - 1.0).abs() < FOUND_TO)
}

/// The frequency within 5 % of `hz` at which a Hann window holds the most power, in steps of 0.1 %.
fn strongest_near(linear: &[i16], hz: f64) -> f64 {
    let power = |hz: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (at, value) in linear.iter().enumerate() {
            let at = media::sample::count_f64(at);
            let place = (at + 0.5) / media::sample::count_f64(linear.len());
            let weight = (std::f64::consts::PI * place).sin().powi(2);
            let angle = std::f64::consts::TAU * hz * at / 8_000.0;
            re += weight * f64::from(*value) * angle.cos();
            im += weight * f64::from(*value) * angle.sin();
        }
        re * re + im * im
    };
    let tried = (-50..=50).map(|step| hz * (1.0 + 0.001 * f64::from(step)));
    tried
        .max_by(|one, other| power(*one).total_cmp(&power(*other)))
        .unwrap_or(hz)
}

/// Both tones together.
fn power_sum_dbm0(tone: Tone) -> f64 {
    let power = |dbm0: f64| 10.0_f64.powf(dbm0 / 10.0);
    10.0 * (power(tone.low_dbm0) + power(tone.high_dbm0)).log10()
}
