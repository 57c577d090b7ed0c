//! What the agent and the recorder hear of keys under protection, class by class, in virtual time: nothing. One line of JSON for each class;
//! the exit code is 0 only if every bound holds. docs/bench-mask.md says what is measured and how.
//!
//! `cargo bench --bench mask -- [--digits N] [--only CLASS,CLASS] [--corpus FOLDER] [--seed N]` plays N digits a class beside real speech and asks
//! foreign decoders; another seed plays other calls. Run by `cargo test`, it plays a few digits of each class beside made-up speech and asks its
//! own attackers only.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench plays signals of its own making; a broken assumption is to stop it"
)]

mod chance;
mod class;
mod dice;
mod fields;
mod foreign;
mod line;
mod matched;
mod measure;
mod report;
mod rig;
mod scene;
mod speech;
mod twin;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use class::{Class, Moment};
use domain::capture::Field;
use fields::Fields;
use foreign::{Foreign, Recovered};
use matched::{Filters, Guesses};
use measure::{Figures, HELD};
use report::Report;
use scene::Scene;
use speech::Speech;

/// Digits of a call, so that a class is many calls.
const CALL_DIGITS: usize = 120;

/// One call in so many is played again with other digits.
const TWIN_EVERY: usize = 8;

/// Digits a class when run by `cargo test`.
const SHORT_DIGITS: usize = 12;

/// Calls of one seed: a multiple of a hundred, so that an even call stays even and an offset of [`Moment::Arming`] the same.
const SEED_CALLS: u64 = 1_000_000;

/// Digits of a control at least: with fewer a reader cannot be told from a lucky guesser.
const CONTROL_DIGITS: usize = 60;

/// What is uncovered of each press by the planted lateness: 3 ms.
const LATE: usize = 24;

fn main() -> ExitCode {
    match run() {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            for line in missed {
                say(&mut std::io::stderr(), &format!("MISSED {line}"));
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&mut std::io::stderr(), &error);
            ExitCode::FAILURE
        }
    }
}

fn say(to: &mut impl Write, line: &str) {
    writeln!(to, "{line}").expect("standard streams take lines");
}

/// What to play, and to whom.
struct Bench {
    digits: usize,
    only: Option<Vec<String>>,
    speech: Speech,
    foreign: Option<Foreign>,
    filters: Filters,
    is_long: bool,
    seed: u64,
}

impl Bench {
    fn from_arguments() -> Result<Self, String> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).cloned()
        };
        let is_long = arguments.iter().any(|argument| argument == "--bench");
        let number = |text: String| {
            text.parse()
                .map_err(|_| format!("{text} is no number of digits"))
        };
        let digits = value("--digits").map(number).transpose()?;
        let no_seed = |_| "the seed is no number".to_owned();
        let seed = value("--seed").map_or(Ok(0), |text| text.parse().map_err(no_seed))?;
        let corpus = value("--corpus").map(PathBuf::from);
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let corpus = corpus.unwrap_or_else(|| target.join("../corpus"));
        Ok(Self {
            digits: digits.unwrap_or(if is_long { 10_000 } else { SHORT_DIGITS }),
            only: value("--only").map(|names| names.split(',').map(str::to_owned).collect()),
            speech: if is_long {
                Speech::load(&corpus)?
            } else {
                Speech::made_up()
            },
            foreign: if is_long {
                Some(Foreign::prepare(&target)?)
            } else {
                None
            },
            filters: Filters::new(f64::from(media::tone::FLAT_TONE_HZ)),
            is_long,
            seed,
        })
    }

    /// A call of a class, or its twin.
    fn scene(&self, class: &Class, keys: usize, call: usize, twin: bool) -> Scene {
        let index = self.seed * SEED_CALLS + call as u64;
        scene::build(class, keys, index, twin, &self.speech)
    }

    /// It was asked for, or everything was.
    fn wants(&self, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|names| names.iter().any(|one| one == name))
    }

    fn classes(&self) -> Vec<Class> {
        // The short form leaves out what takes long, and what is printed only.
        let is_played = |class: &Class| {
            self.is_long || class.share >= 1.0 && class.bounds.silent || is_control(class)
        };
        class::all()
            .into_iter()
            .filter(|class| self.wants(class.name))
            .filter(is_played)
            .collect()
    }
}

fn is_control(class: &Class) -> bool {
    matches!(class.moment, Moment::Never | Moment::Late)
}

fn run() -> Result<Vec<String>, String> {
    let bench = Bench::from_arguments()?;
    let classes = bench.classes();
    let tests = 6 * classes.iter().filter(|class| class.bounds.silent).count();
    let mut missed = Vec::new();
    for class in &classes {
        let report = play_class(&bench, class)?;
        if bench.is_long {
            say(&mut std::io::stdout(), &report.line());
        }
        missed.extend(report.missed(tests));
    }
    for field in fields::FIELDS {
        if !bench.wants(field.label()) {
            continue;
        }
        let sum = play_fields(&bench, field);
        if bench.is_long {
            say(&mut std::io::stdout(), &sum.line(field));
        }
        missed.extend(sum.missed(field));
    }
    Ok(missed)
}

/// What the calls of a class have shown so far.
#[derive(Default)]
struct Tally {
    figures: Figures,
    recovered: Recovered,
    guesses: Vec<(Guesses, u8)>,
    edge_moved_max: Option<usize>,
}

fn play_class(bench: &Bench, class: &Class) -> Result<Report, String> {
    let least = if is_control(class) { CONTROL_DIGITS } else { 2 };
    let digits = ((bench.digits as f64 * class.share) as usize).max(least);
    let moves = matches!(class.moment, Moment::Arming | Moment::Disarming);
    let a_call = if moves {
        1
    } else {
        CALL_DIGITS
            .min((2_000_000.0 / (class.on_ms.1 * 8.0)) as usize)
            .max(4)
    };
    let calls = digits.div_ceil(a_call);
    let play = |call: usize| play_call(bench, class, call, a_call.min(digits - call * a_call));
    let mut tally = Tally::default();
    for played in each_of(calls, play) {
        tally.add(played?);
    }
    Ok(tally.report(class, bench.foreign.is_some()))
}

/// What `play` makes of each of so many calls, on every core; in any order.
fn each_of<Played: Send>(calls: usize, play: impl Fn(usize) -> Played + Sync) -> Vec<Played> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let call = next.fetch_add(1, Ordering::Relaxed);
                    if call >= calls {
                        return;
                    }
                    let played = play(call);
                    all.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(played);
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Fields of one kind, half as many as digits of a class.
fn play_fields(bench: &Bench, field: Field) -> Fields {
    let keyed = bench.digits.div_ceil(2);
    let mut sum = Fields::default();
    for played in each_of(fields::calls(keyed), |call| {
        fields::play(field, keyed, call, &bench.speech)
    }) {
        sum.add(played);
    }
    sum
}

fn play_call(bench: &Bench, class: &Class, call: usize, keys: usize) -> Result<Tally, String> {
    let scene = bench.scene(class, keys, call, false);
    let mut outcome = rig::play(&scene);
    if class.moment == Moment::Late {
        uncover(&scene, &mut outcome);
    }
    let everything = class.moment == Moment::Never;
    let heard = measure::heard(&outcome, everything);
    let figures = measure::measure(&scene, &outcome, &heard);
    let recovered = match &bench.foreign {
        Some(foreign) => foreign.read(&heard, &scene.presses, everything)?,
        None => Recovered::default(),
    };
    let values: Vec<f32> = heard.iter().map(|value| f32::from(*value)).collect();
    let guesses = scene
        .presses
        .iter()
        .map(|press| (bench.filters.guess(&values, press), press.code));
    let has_twin = class.moment != Moment::Never
        && class.moment != Moment::Late
        && call.is_multiple_of(TWIN_EVERY);
    let edge_moved_max = has_twin.then(|| {
        let twin = bench.scene(class, keys, call, true);
        twin::edge_moved(&outcome, &rig::play(&twin))
    });
    Ok(Tally {
        figures,
        recovered,
        guesses: guesses.collect(),
        edge_moved_max,
    })
}

/// The planted defect: the first 3 ms of each press as they were.
fn uncover(scene: &Scene, outcome: &mut rig::Outcome) {
    for press in &scene.presses {
        for source in press.span.clone().take(LATE) {
            let place = source + HELD;
            outcome.agent[place] = scene.signal[source];
            outcome.delayed[place] = Some(source);
        }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.figures.add(other.figures);
        self.recovered.multimon += other.recovered.multimon;
        self.recovered.spandsp += other.recovered.spandsp;
        self.guesses.extend(other.guesses);
        self.edge_moved_max = self.edge_moved_max.max(other.edge_moved_max);
    }

    fn report(mut self, class: &Class, has_foreign: bool) -> Report {
        // Calls end in any order; the shuffles are to be the same each time.
        self.guesses
            .sort_by_key(|(guesses, code)| (*code, guesses.oracle, guesses.blind));
        let pairs = |pick: &dyn Fn(&Guesses) -> Option<u8>| -> Vec<(Option<u8>, u8)> {
            self.guesses
                .iter()
                .map(|(guesses, code)| (pick(guesses), *code))
                .collect()
        };
        let oracle = [0, 1, 2].map(|index| pairs(&|guesses| guesses.oracle[index]));
        let blind = [0, 1, 2].map(|index| pairs(&|guesses| guesses.blind[index]));
        let right = |pairs: &Vec<(Option<u8>, u8)>| {
            pairs
                .iter()
                .filter(|(guess, code)| *guess == Some(*code))
                .count()
        };
        Report {
            class: class.clone(),
            oracle_right: [0, 1, 2].map(|index| right(&oracle[index])),
            oracle: oracle.map(|pairs| chance::p_value(&pairs, 1)),
            blind: blind.map(|pairs| chance::p_value(&pairs, 2)),
            recovered: has_foreign.then_some(self.recovered),
            edge_moved_max: self.edge_moved_max,
            figures: self.figures,
        }
    }
}
