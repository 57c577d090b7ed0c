//! The detector beside foreign ones: the same sweeps, speech and music for all, then what ours costs.
//! Owns: the order of the run, the targets, the exit code.
//! Never: passes a published figure off as measured.
//!
//! One JSON object a line, `{engine, row, value}`, then one line a target, `{target, ours, rival | limit, pass}`. The exit code is 0 only if all pass.
//! Arguments choose parts: `sweeps`, `talkoff`, `cost`, and `alone` leaves the foreign engines out; none: all of it. `--seed N` draws other sweeps and
//! `--speeds A,B` plays the voices at other speeds than those that the thresholds were tried on.
//! Run by `cargo test` it plays its short form.

mod corpus;
mod cost;
mod engines;
mod line;
mod published;
mod resample;
mod score;
mod short;
mod sweeps;
mod table;
mod talkoff;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use corpus::Voice;
use engines::{Engine, OURS};
use line::{FRAME, Line, MILLISECOND, Tone};
use table::{Better, Table, target};

/// Least speed of the reporter, in seconds of audio per second.
const SPEED_LEAST: f64 = 40_000.0;

/// Most time of trigger and reporter together for a frame of 20 ms: on average over speech, and for the worst frame.
const MEAN_US_MAX: f64 = 3.0;
const WORST_US_MAX: f64 = 12.0;

/// Least speech and music for talk-off.
const HOURS_LEAST: f64 = 13.0;

/// Speech for throughput: 1,500 s, and passes of the foreign engine over it.
const SPEED_SAMPLES: usize = 1_500 * 8_000;
const SPEED_PASSES: usize = 5;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            table::say(&format!("{{\"problem\": \"{problem}\"}}"));
            ExitCode::FAILURE
        }
    }
}

/// What was asked for.
struct Asked {
    parts: Vec<String>,
    seed: u64,
    speeds: Vec<f64>,
    is_long: bool,
}

impl Asked {
    fn from_arguments() -> Result<Self, String> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let has = |name: &str| arguments.iter().any(|argument| argument == name);
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1)
        };
        let parts = ["sweeps", "talkoff", "cost", "alone"];
        let seed = value("--seed").map(number).transpose()?;
        let speeds = value("--speeds").map(|text| text.split(',').map(number).collect());
        Ok(Self {
            parts: parts
                .into_iter()
                .filter(|part| has(part))
                .map(str::to_owned)
                .collect(),
            seed: seed.unwrap_or(0),
            speeds: speeds.unwrap_or_else(|| Ok(talkoff::SPEEDS.to_vec()))?,
            is_long: has("--bench"),
        })
    }

    fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part == name)
    }

    fn includes(&self, name: &str) -> bool {
        self.has(name) || self.parts.iter().all(|part| part == "alone")
    }
}

fn number<N: std::str::FromStr>(text: impl AsRef<str>) -> Result<N, String> {
    let text = text.as_ref();
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn run() -> Result<bool, String> {
    let asked = Asked::from_arguments()?;
    if !asked.is_long {
        return short::run();
    }
    let work = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut engines = vec![Engine::Ours];
    if !asked.has("alone") {
        engines.push(engines::build_spandsp(work)?);
        engines.push(Engine::Multimon);
    }
    let mut table = Table::default();
    let mut passed = true;
    if asked.includes("sweeps") {
        let mut sweeps = sweeps::Sweeps {
            engines: &engines,
            table: &mut table,
            seed: asked.seed,
        };
        sweeps.run()?;
    }
    if asked.includes("talkoff") || asked.includes("cost") {
        let voices = corpus::read(&corpora())?;
        if asked.includes("talkoff") {
            let (hours, quiet) = talkoff::run(&voices, &asked.speeds, &engines, &mut table)?;
            // Other speeds are a look beside the target, not the target.
            let enough = hours >= HOURS_LEAST || asked.speeds != talkoff::SPEEDS;
            passed &= target("talk-off hours", hours, HOURS_LEAST, enough);
            passed &= target("talk-off 0", f64::from(u8::from(!quiet)), 0.0, quiet);
        }
        if asked.includes("cost") {
            passed &= costs(&voices, &engines, &mut table)?;
        }
    }
    published::put(&mut table);
    Ok(table.judge() && passed)
}

/// Where `scripts/corpus` has put the packages.
fn corpora() -> PathBuf {
    let beside_target = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../corpus");
    std::env::var_os("TONEWALL_CORPUS").map_or_else(beside_target, PathBuf::from)
}

fn costs(voices: &[Voice], engines: &[Engine], table: &mut Table) -> Result<bool, String> {
    let speech: Vec<i16> = voices
        .iter()
        .filter(|voice| voice.name != corpus::MUSIC)
        .flat_map(|voice| voice.linear.iter().copied())
        .collect();
    let music = voices.iter().filter(|voice| voice.name == corpus::MUSIC);
    let music: Vec<i16> = music
        .flat_map(|voice| voice.linear.iter().copied())
        .collect();
    let some = &speech[..SPEED_SAMPLES.min(speech.len())];
    let row = "throughput x real time";
    let speed = cost::reporter_speed(some);
    table.put(OURS, row, Better::Higher { enough: f64::MAX }, speed);
    for engine in engines {
        if let Engine::Spandsp(program) = engine {
            let speed = engines::spandsp_speed(program, some, SPEED_PASSES)?;
            table.put(
                engine.name(),
                row,
                Better::Higher { enough: f64::MAX },
                speed,
            );
        }
    }
    let (on_speech, on_music, on_keys) =
        (cost::both(&speech), cost::both(&music), cost::both(&keys()));
    let mut worst = 0.0_f64;
    for (name, cost) in [
        ("speech", &on_speech),
        ("music", &on_music),
        ("keys", &on_keys),
    ] {
        let mut put = |what: &str, value| {
            let row = format!("trigger and reporter, {what} frame of {name} us");
            table.put(OURS, &row, Better::Either, value);
        };
        put("mean", cost.mean_us);
        put("worst", cost.worst_us);
        worst = worst.max(cost.worst_us);
    }
    let mean = on_speech.mean_us;
    let fast = target(
        "throughput x real time",
        speed,
        SPEED_LEAST,
        speed >= SPEED_LEAST,
    );
    let cheap = target(
        "mean frame of speech us",
        mean,
        MEAN_US_MAX,
        mean <= MEAN_US_MAX,
    );
    let bounded = target("worst frame us", worst, WORST_US_MAX, worst <= WORST_US_MAX);
    Ok(fast && cheap && bounded)
}

/// Presses of every kind: what the detectors work hardest at.
fn keys() -> Vec<i16> {
    let mut line = Line::new(15);
    for (low, high, off) in [
        (-10.0, -10.0, 0.0),
        (-16.0, -10.0, 0.02),
        (-10.0, -18.0, -0.02),
        (-40.0, -40.0, 0.03),
    ] {
        for len in [50, 100, 500] {
            let tone = Tone {
                low_dbm0: low,
                high_dbm0: high,
                low_deviation: off,
                high_deviation: off,
                len: len * MILLISECOND,
            };
            line.press_all(2, tone, FRAME);
        }
    }
    let mut linear = line.heard();
    let mut noisy = Line::new(16);
    noisy.press_all(8, Tone::PLAIN, FRAME);
    noisy.add_noise(-16.0);
    linear.extend(noisy.heard());
    linear
}
