//! The sweeps: what must be taken, what must be refused, and how far each detector reaches.
//! Owns: the classes of signals and the rows made of them.
//! Never: tells an engine what is coming.
//!
//! Unless a sweep says otherwise: both tones at -10 dBm0, 50 ms, mu-law, line noise of -70 dBm0, all sixteen keys.

use super::engines::{Engine, OURS, decode_frames};
use super::line::{Dice, FRAME, Line, MILLISECOND, Tone};
use super::score::{Score, percent, runs_heard};
use super::table::{Better, DOWN, Table, UP};

/// Between presses of most sweeps: longer than any detector's memory.
const PAUSE: usize = 200 * MILLISECOND;

/// What the sweeps write to.
pub(crate) struct Sweeps<'bench> {
    pub(crate) engines: &'bench [Engine],
    pub(crate) table: &'bench mut Table,
    /// Which draw of phases, pauses, noise and losses; the thresholds were tried on 0.
    pub(crate) seed: u64,
}

/// One engine's scores over a parameter.
type Curve = Vec<(f64, Score)>;

impl Sweeps<'_> {
    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.basic()?;
        self.frequencies()?;
        self.twist()?;
        self.level()?;
        self.duration()?;
        self.pauses()?;
        self.noise()?;
        self.dial_tone()?;
        self.loss()
    }

    /// The line of one sweep in this draw.
    fn line(&self, sweep: u64) -> Line {
        Line::new(self.seed * SWEEPS_MAX + sweep)
    }

    /// One line per parameter; every engine's scores.
    fn curves(
        &self,
        parameters: &[f64],
        line_of: impl Fn(f64) -> Line,
    ) -> Result<Vec<(&'static str, Curve)>, String> {
        let mut curves: Vec<(&'static str, Curve)> = self
            .engines
            .iter()
            .map(|engine| (engine.name(), Vec::new()))
            .collect();
        for parameter in parameters {
            let mut line = line_of(*parameter);
            let linear = line.heard();
            for (engine, (_, curve)) in self.engines.iter().zip(&mut curves) {
                curve.push((*parameter, Score::of(&line.keys, &engine.keys(&linear)?)));
            }
        }
        Ok(curves)
    }

    fn basic(&mut self) -> Result<(), String> {
        let mut line = self.line(1);
        for _ in 0..10 {
            for key in line.shuffled() {
                line.pause(50 * MILLISECOND);
                line.press(key, Tone::PLAIN);
            }
        }
        line.pause(PAUSE);
        let linear = line.heard();
        for engine in self.engines {
            let heard = engine.decode(&linear)?;
            let keys: Vec<usize> = heard.iter().map(|heard| heard.key).collect();
            let score = Score::of(&line.keys, &keys);
            self.table.put(
                engine.name(),
                "basic 50/50 16x10 %",
                UP,
                score.hit_percent(),
            );
            let delays: Vec<f64> = super::score::matches(&line.keys, &keys)
                .iter()
                .filter_map(|(keyed, place)| {
                    let late = heard[*place].at?.saturating_sub(line.starts[*keyed]);
                    Some(media::sample::count_f64(late) / 8.0)
                })
                .collect();
            if !delays.is_empty() {
                let mean = delays.iter().sum::<f64>() / media::sample::count_f64(delays.len());
                self.table.put(
                    engine.name(),
                    "reporting delay after tone start ms",
                    Better::Either,
                    mean,
                );
            }
        }
        Ok(())
    }

    /// -4 to 4 % in steps of a quarter: the low tone, the high tone, both in the same direction.
    fn frequencies(&mut self) -> Result<(), String> {
        for (name, low, high, seed) in [
            ("lo", 1.0, 0.0, 2),
            ("hi", 0.0, 1.0, 3),
            ("both", 1.0, 1.0, 4),
        ] {
            let curves = self.curves(&steps(-4.0, 4.0, 0.25), |percent_off| {
                let tone = Tone {
                    low_deviation: low * percent_off / 100.0,
                    high_deviation: high * percent_off / 100.0,
                    ..Tone::PLAIN
                };
                let mut line = self.line(seed);
                line.press_all(10, tone, PAUSE);
                line
            })?;
            for (engine, curve) in curves {
                let mut put = |row: &str, better, value| {
                    self.table
                        .put(engine, &format!("freq {name}: {row}"), better, value);
                };
                put("accept |d|<=1.5%", UP, accepted(&curve, |d| d.abs() <= 1.5));
                put(
                    "accept |d|>=3.5% (want 0)",
                    DOWN,
                    accepted(&curve, |d| d.abs() >= 3.5),
                );
                let between = accepted(&curve, |d| (1.75..=3.25).contains(&d.abs()));
                put("accept 1.75..3.25%", Better::Either, between);
                if let Some((lowest, highest)) = whole_range(&curve, 0.0) {
                    put("100% range from", Better::Lower { enough: -3.25 }, lowest);
                    put("100% range to", Better::Higher { enough: 3.25 }, highest);
                }
            }
        }
        Ok(())
    }

    /// High over low, -14 to 14 dB; the stronger tone stays at -10 dBm0.
    fn twist(&mut self) -> Result<(), String> {
        let curves = self.curves(&steps(-14.0, 14.0, 1.0), |twist_db| {
            let tone = Tone {
                low_dbm0: -10.0 - twist_db.max(0.0),
                high_dbm0: -10.0 + twist_db.min(0.0),
                ..Tone::PLAIN
            };
            let mut line = self.line(5);
            line.press_all(5, tone, PAUSE);
            line
        })?;
        for (engine, curve) in curves {
            let mut put = |row: &str, better, value| self.table.put(engine, row, better, value);
            let within = accepted(&curve, |db| (-8.0..=4.0).contains(&db));
            put("twist accept -8..+4 dB (hi/lo)", UP, within);
            let beyond = accepted(&curve, |db| db <= -9.0 || db >= 5.0);
            put("twist accept beyond (-14..-9,+5..+14)", DOWN, beyond);
            if let Some((lowest, highest)) = whole_range(&curve, 0.0) {
                put(
                    "twist 100% range from dB",
                    Better::Lower { enough: -8.0 },
                    lowest,
                );
                put(
                    "twist 100% range to dB",
                    Better::Higher { enough: 4.0 },
                    highest,
                );
            }
        }
        Ok(())
    }

    fn level(&mut self) -> Result<(), String> {
        let curves = self.curves(&steps(-50.0, 0.0, 1.0), |dbm0| {
            let tone = Tone {
                low_dbm0: dbm0,
                high_dbm0: dbm0,
                ..Tone::PLAIN
            };
            let mut line = self.line(6);
            line.press_all(3, tone, PAUSE);
            line
        })?;
        for (engine, curve) in curves {
            let mut put = |row: &str, better, value| self.table.put(engine, row, better, value);
            if let Some((lowest, highest)) = whole_range(&curve, -10.0) {
                put(
                    "level 100% range from dBm0/tone",
                    Better::Lower { enough: -50.0 },
                    lowest,
                );
                put(
                    "level 100% range to dBm0/tone",
                    Better::Higher { enough: 0.0 },
                    highest,
                );
            }
            if let Some((lowest, _)) = curve.iter().find(|(_, score)| score.hits > 0) {
                put(
                    "lowest level ever detected",
                    Better::Lower { enough: -50.0 },
                    *lowest,
                );
            }
        }
        Ok(())
    }

    fn duration(&mut self) -> Result<(), String> {
        let curves = self.curves(&steps(10.0, 60.0, 1.0), |ms| {
            let tone = Tone {
                len: milliseconds(ms),
                ..Tone::PLAIN
            };
            let mut line = self.line(7);
            line.press_all(4, tone, PAUSE);
            line
        })?;
        const REFUSE: &str = "duration accept <=20 ms (want 0)";
        for (engine, curve) in curves {
            let mut put = |row: &str, better, value| self.table.put(engine, row, better, value);
            put(
                "duration accept >=40 ms %",
                UP,
                accepted(&curve, |ms| ms >= 40.0),
            );
            put(REFUSE, DOWN, accepted(&curve, |ms| ms <= 20.0));
            put(
                "duration accept 23 ms",
                Better::Either,
                accepted(&curve, |ms| (ms - 23.0).abs() < 0.1),
            );
            put(
                "duration accept 30 ms",
                Better::Either,
                accepted(&curve, |ms| (ms - 30.0).abs() < 0.1),
            );
            if let Some((shortest, _)) = whole_range(&curve, 60.0) {
                let better = Better::LowerAmong {
                    enough: 23.0,
                    clean_in: REFUSE,
                };
                put("duration 100% from ms", better, shortest);
            }
            if let Some((first, _)) = curve.iter().find(|(_, score)| score.hits > 0) {
                put("duration first accepted ms", Better::Either, *first);
            }
        }
        Ok(())
    }

    /// Two presses of one key with a pause of 40-60 ms between them; one press of 50 ms with 2-10 ms missing in its middle.
    fn pauses(&mut self) -> Result<(), String> {
        let mut two = self.line(8);
        for pause_ms in 40..=60 {
            for key in two.shuffled() {
                let jitter = two.jitter(FRAME);
                two.pause(PAUSE + jitter);
                two.press(key, Tone::PLAIN);
                two.pause(pause_ms * MILLISECOND);
                two.sound(key, Tone::PLAIN);
            }
        }
        two.pause(PAUSE);
        let mut one = self.line(9);
        for gap_ms in (2..=10).step_by(2) {
            for _ in 0..2 {
                for key in one.shuffled() {
                    let jitter = one.jitter(FRAME);
                    one.pause(PAUSE + jitter);
                    one.press(
                        key,
                        Tone {
                            len: 100 * MILLISECOND,
                            ..Tone::PLAIN
                        },
                    );
                    one.interrupt(45 * MILLISECOND, gap_ms * MILLISECOND);
                }
            }
        }
        one.pause(PAUSE);
        let (two_linear, one_linear) = (two.heard(), one.heard());
        for engine in self.engines {
            let seen = runs_heard(&two.keys, &engine.keys(&two_linear)?, 2);
            let share = percent(seen, two.keys.len());
            self.table
                .put(engine.name(), "pause >=40 ms seen as two %", UP, share);
            let seen = runs_heard(&one.keys, &engine.keys(&one_linear)?, 1);
            let share = percent(seen, one.keys.len());
            self.table
                .put(engine.name(), "gap <=10 ms seen as one %", UP, share);
        }
        Ok(())
    }

    /// White noise of 0-4 kHz; the ratio is that of both tones together to the noise.
    fn noise(&mut self) -> Result<(), String> {
        let bursts = self.curves(&steps(0.0, 30.0, 1.0), |snr_db| {
            let mut line = self.line(10);
            line.press_all(6, Tone::PLAIN, PAUSE);
            line.add_noise_to_presses(PAIR_DBM0 - snr_db, Tone::PLAIN.len);
            line
        })?;
        for (engine, curve) in bursts {
            if let Some((lowest, _)) = whole_range(&curve, 30.0) {
                let better = Better::Lower { enough: 0.0 };
                self.table.put(
                    engine,
                    "lowest SNR dB with 100% (burst, 96 each)",
                    better,
                    lowest,
                );
            }
        }
        let steady = self.curves(&[18.0, 15.0, 12.0, 9.0, 6.0], |snr_db| {
            let mut line = self.line(11);
            line.press_all(25, Tone::PLAIN, PAUSE);
            line.add_noise(PAIR_DBM0 - snr_db);
            line
        })?;
        for (engine, curve) in steady {
            for (snr_db, score) in curve {
                let row = format!("continuous noise SNR {snr_db} dB");
                let accepted = score.hit_percent();
                self.table
                    .put(engine, &format!("{row} accept %"), UP, accepted);
                let faults = media::sample::count_f64(score.doubled + score.wrong);
                self.table
                    .put(engine, &format!("{row} doubled and false"), DOWN, faults);
            }
        }
        Ok(())
    }

    /// A dial tone of 350 and 440 Hz under everything.
    fn dial_tone(&mut self) -> Result<(), String> {
        let curves = self.curves(&[-25.0, -20.0, -15.0, -12.0, -10.0], |dbm0| {
            let mut line = self.line(12);
            line.press_all(10, Tone::PLAIN, PAUSE);
            line.add_tone(350.0, dbm0);
            line.add_tone(440.0, dbm0);
            line
        })?;
        for (engine, curve) in curves {
            for (dbm0, score) in curve {
                let row = format!("dial tone {dbm0} dBm0/tone, DTMF -10: accept %");
                self.table.put(engine, &row, UP, score.hit_percent());
            }
        }
        Ok(())
    }

    /// Packets of 20 ms lost, each by itself, and filled with zeros; ours also with the losses marked, as the reorder buffer does.
    fn loss(&mut self) -> Result<(), String> {
        for loss_percent in [1.0, 3.0, 5.0, 10.0] {
            let mut line = self.line(13);
            line.press_all(
                40,
                Tone {
                    len: LOSS_TONE,
                    ..Tone::PLAIN
                },
                PAUSE,
            );
            let mut linear = line.heard();
            let mut dice = Dice::new(self.seed * SWEEPS_MAX + 14);
            let lost: Vec<bool> = linear
                .chunks_mut(FRAME)
                .map(|frame| {
                    let lost = dice.share() * 100.0 < loss_percent;
                    if lost {
                        frame.fill(0);
                    }
                    lost
                })
                .collect();
            let row = format!("packet loss {loss_percent}% zero fill");
            for engine in self.engines {
                let score = Score::of(&line.keys, &engine.keys(&linear)?);
                self.put_loss(engine.name(), &row, score);
            }
            let frames = linear
                .chunks(FRAME)
                .zip(&lost)
                .map(|(frame, lost)| (!lost).then_some(frame));
            let marked: Vec<usize> = decode_frames(frames)
                .iter()
                .map(|heard| heard.key)
                .collect();
            let row = format!("packet loss {loss_percent}% marked");
            self.put_loss(OURS, &row, Score::of(&line.keys, &marked));
        }
        Ok(())
    }

    fn put_loss(&mut self, engine: &str, row: &str, score: Score) {
        self.table.put(
            engine,
            &format!("{row}: missed%"),
            DOWN,
            score.missed_percent(),
        );
        self.table.put(
            engine,
            &format!("{row}: doubled%"),
            DOWN,
            score.doubled_percent(),
        );
    }
}

/// More than there are sweeps, so that no two draws share one.
const SWEEPS_MAX: u64 = 1_000;

/// Two tones of -10 dBm0 together.
const PAIR_DBM0: f64 = -6.99;

/// Length of a press in the rows of packet loss.
const LOSS_TONE: usize = 100 * MILLISECOND;

fn steps(from: f64, to: f64, step: f64) -> Vec<f64> {
    std::iter::successors(Some(from), |value| Some(value + step))
        .take_while(|value| *value <= to + step / 2.0)
        .collect()
}

fn milliseconds(ms: f64) -> usize {
    let samples = media::sample::round_to_u32(media::sample::narrow(ms * 8.0));
    usize::try_from(samples).unwrap_or(0)
}

/// Percent of presses accepted where the parameter is `wanted`.
fn accepted(curve: &Curve, wanted: impl Fn(f64) -> bool) -> f64 {
    curve
        .iter()
        .filter(|(parameter, _)| wanted(*parameter))
        .fold(Score::default(), |sum, (_, score)| sum.and(*score))
        .hit_percent()
}

/// The unbroken range around `from` in which every press was accepted.
fn whole_range(curve: &Curve, from: f64) -> Option<(f64, f64)> {
    let middle = curve
        .iter()
        .position(|(parameter, score)| *parameter >= from && score.is_whole())?;
    let lowest = curve[..=middle]
        .iter()
        .rev()
        .take_while(|(_, score)| score.is_whole())
        .last()?;
    let highest = curve[middle..]
        .iter()
        .take_while(|(_, score)| score.is_whole())
        .last()?;
    Some((lowest.0, highest.0))
}
