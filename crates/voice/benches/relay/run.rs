//! Measured runs: one engine, one mode, one number of calls.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use voice::packet_io::Backend;

use crate::generator::{Generator, Tally};
use crate::judge::Figures;
use crate::process::Relay;
use crate::speech::{Keying, speech};
use crate::{Size, floor, rtpengine, say, tonewall};

/// Delay line of our mask: 96 samples at most (S24).
const HOLD_MS: f64 = 12.0;

/// Latency beyond the delay line at which a core is full.
const LATENCY_MS_MAX: f64 = 10.0;

/// Loss at which a core is full.
const LOSS_PCT_MAX: f64 = 1.0;

/// Search for a full core begins at this share of a load of 100 %, as told by the CPU of a call at the pairs' load.
const SEARCH_FROM: f64 = 0.8;

/// Calls between two points of the search.
const SEARCH_STEP: usize = 50;

/// Calls beyond which no core is searched: what the generator's core can speak and hear.
const SEARCH_MAX: usize = 3_000;

/// Time for sockets, caches and mappings to settle.
const WARM: Duration = Duration::from_millis(1_000);

/// A relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Rtpengine,
    Tonewall,
    Floor,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Moves packets.
    Plain,
    /// Moves packets, and the mask listens: the agent has a button (S28). Ours alone does such a thing; it is printed, and judged by nothing.
    Watched,
    /// Moves packets, and puts out what both sides are given to hear, as for a recording of each call. Ours alone; judged beside the plain run before it.
    Recorded,
    /// Hides in-band keys on every call, all of which are keying.
    Masked,
}

impl Engine {
    const ALL: [Self; 3] = [Self::Rtpengine, Self::Tonewall, Self::Floor];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rtpengine => "rtpengine",
            Self::Tonewall => "tonewall",
            Self::Floor => "floor",
        }
    }
}

impl Mode {
    const ALL: [Self; 4] = [Self::Plain, Self::Watched, Self::Recorded, Self::Masked];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Watched => "watched",
            Self::Recorded => "recorded",
            Self::Masked => "masked",
        }
    }

    /// Calls of a run: what rtpengine's core carries with a third of it to spare. A core that is full shows what it can do and not what a call costs.
    fn calls(self) -> usize {
        match self {
            Self::Plain | Self::Watched | Self::Recorded => 500,
            Self::Masked => 250,
        }
    }
}

/// Sizes of a bench.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    backend: Backend,
    calls: Option<usize>,
    pairs: usize,
    span: Duration,
    searches: bool,
}

impl Plan {
    /// `calls`, `pairs`: how many, if not as the mode and the size have it.
    pub(crate) fn new(
        size: Size,
        backend: Backend,
        calls: Option<usize>,
        pairs: Option<usize>,
    ) -> Self {
        let (pairs_usual, span) = match size {
            Size::Short => (3, Duration::from_millis(1_500)),
            Size::Full => (5, Duration::from_secs(3)),
        };
        Self {
            backend,
            calls,
            pairs: pairs.unwrap_or(pairs_usual),
            span,
            searches: size == Size::Full,
        }
    }

    fn calls(&self, mode: Mode) -> usize {
        self.calls.unwrap_or(mode.calls())
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) engine: Engine,
    pub(crate) mode: Mode,
    pub(crate) calls: usize,
    pub(crate) cpu_us_per_call_s: f64,
    pub(crate) latency_ms_p50: f64,
    pub(crate) latency_ms_p99: f64,
    pub(crate) loss_pct: f64,
    late_ms_p99: f64,
    /// Frames for recordings that found no room; none: nothing is recorded.
    pub(crate) record_dropped: Option<u64>,
}

impl Row {
    fn to_json(self) -> Value {
        let mut row = json!({
            "engine": self.engine.name(),
            "mode": self.mode.name(),
            "calls": self.calls,
            "cpu_us_per_call_s": round(self.cpu_us_per_call_s, 1),
            "latency_ms_p50": round(self.latency_ms_p50, 3),
            "latency_ms_p99": round(self.latency_ms_p99, 3),
            "loss_pct": round(self.loss_pct, 3),
            "generator_late_ms_p99": round(self.late_ms_p99, 3),
        });
        if let Some(dropped) = self.record_dropped {
            row["record_dropped"] = dropped.into();
        }
        row
    }

    /// The core carries it.
    fn is_carried(self) -> bool {
        let delay_ms = match (self.engine, self.mode) {
            (Engine::Rtpengine, Mode::Masked) => f64::from(rtpengine::DELAY_MS),
            (Engine::Tonewall, Mode::Masked) => HOLD_MS,
            (_, Mode::Plain | Mode::Watched | Mode::Recorded) | (Engine::Floor, _) => 0.0,
        };
        self.latency_ms_p99 <= delay_ms + LATENCY_MS_MAX && self.loss_pct < LOSS_PCT_MAX
    }
}

/// Whose calls per core are searched.
const COMPARED: [Engine; 2] = [Engine::Rtpengine, Engine::Tonewall];

/// Runs and what they gave.
pub(crate) struct Bench {
    plan: Plan,
    keys: Arc<Vec<u8>>,
    voice: Arc<Vec<u8>>,
    rows: RefCell<Vec<Row>>,
}

impl Bench {
    pub(crate) fn new(plan: Plan) -> io::Result<Self> {
        Ok(Self {
            plan,
            keys: Arc::new(speech(Keying::Inband)?),
            voice: Arc::new(speech(Keying::None)?),
            rows: RefCell::new(Vec::new()),
        })
    }

    /// Engines and modes in turn; or one engine in all modes and its calls per core; or `search`: calls per core of both engines that are compared.
    pub(crate) fn only(&self, names: &str) -> io::Result<()> {
        if names == "search" {
            return self.say_calls_per_core(&COMPARED);
        }
        if let Some(engine) = COMPARED.into_iter().find(|engine| engine.name() == names) {
            let own = [Mode::Watched, Mode::Recorded];
            let has = |mode: &Mode| engine == Engine::Tonewall || !own.contains(mode);
            let modes = Mode::ALL.into_iter().filter(has);
            self.in_turn(&modes.map(|mode| (engine, mode)).collect::<Vec<_>>())?;
            return self.say_calls_per_core(&[engine]);
        }
        let all: io::Result<Vec<(Engine, Mode)>> = names.split(',').map(named).collect();
        self.in_turn(&all?)
    }

    fn in_turn(&self, all: &[(Engine, Mode)]) -> io::Result<()> {
        for _ in 0..self.plan.pairs {
            for (engine, mode) in all.iter().copied() {
                self.run(engine, mode, self.plan.calls(mode), self.plan.span)?;
            }
        }
        Ok(())
    }

    /// Everything.
    pub(crate) fn all(&self) -> io::Result<Figures> {
        let mut figures = Figures::new(self.plan.backend);
        for _ in 0..self.plan.pairs {
            let run = |engine, mode| self.run(engine, mode, self.plan.calls(mode), self.plan.span);
            figures.add_pair(
                [
                    run(Engine::Rtpengine, Mode::Plain)?,
                    run(Engine::Tonewall, Mode::Plain)?,
                    run(Engine::Floor, Mode::Plain)?,
                ],
                [
                    run(Engine::Rtpengine, Mode::Masked)?,
                    run(Engine::Tonewall, Mode::Masked)?,
                ],
            );
            run(Engine::Tonewall, Mode::Watched)?;
            figures.add_recorded(run(Engine::Tonewall, Mode::Recorded)?);
        }
        if self.plan.searches {
            self.search_all(&COMPARED, &mut figures)?;
        }
        Ok(figures)
    }

    fn say_calls_per_core(&self, engines: &[Engine]) -> io::Result<()> {
        let mut figures = Figures::new(self.plan.backend);
        self.search_all(engines, &mut figures)?;
        say(&json!({ "calls_per_core": figures.calls_per_core_json() }))
    }

    fn search_all(&self, engines: &[Engine], figures: &mut Figures) -> io::Result<()> {
        for engine in engines.iter().copied() {
            for mode in [Mode::Plain, Mode::Masked] {
                if self.cpu_us(engine, mode) <= 0.0 {
                    self.run(engine, mode, self.plan.calls(mode), self.plan.span)?;
                }
                let most = self.search(engine, mode);
                figures.note_calls_per_core(engine, mode, most);
            }
        }
        Ok(())
    }

    /// The dearest run of an engine and mode so far.
    fn cpu_us(&self, engine: Engine, mode: Mode) -> f64 {
        let rows = self.rows.borrow();
        let same = rows
            .iter()
            .filter(|row| row.engine == engine && row.mode == mode);
        same.map(|row| row.cpu_us_per_call_s).fold(0.0, f64::max)
    }

    /// The most calls that a core carries: between a number that it does and one that it does not, halved until they are neighbours.
    fn search(&self, engine: Engine, mode: Mode) -> usize {
        let is_carried = |steps: usize| {
            let row = self.run(engine, mode, steps * SEARCH_STEP, self.plan.span);
            if let Err(error) = &row {
                let (engine, mode) = (engine.name(), mode.name());
                let calls = steps * SEARCH_STEP;
                let _nobody_reads = writeln!(
                    io::stderr().lock(),
                    "{engine} {mode}: {calls} calls cannot be set up, which counts as not carried: {error}"
                );
            }
            row.is_ok_and(Row::is_carried)
        };
        let mut carried = 0;
        let mut refused = SEARCH_MAX / SEARCH_STEP + 1;
        let mut next = self.guess(engine, mode).clamp(1, refused - 1);
        while refused - carried > 1 {
            if is_carried(next) {
                carried = next;
                next = (next + next.div_ceil(8)).min((carried + refused).div_ceil(2).max(next + 1));
            } else {
                refused = next;
                next = (next - next.div_ceil(8)).max(carried.midpoint(refused));
            }
            next = next.clamp(carried + 1, (refused - 1).max(carried + 1));
        }
        carried * SEARCH_STEP
    }

    /// Steps at which a search begins.
    fn guess(&self, engine: Engine, mode: Mode) -> usize {
        let us = self.cpu_us(engine, mode);
        (1..SEARCH_MAX / SEARCH_STEP)
            .take_while(|steps| count(steps * SEARCH_STEP) * us < SEARCH_FROM * 1e6)
            .count()
    }

    fn run(&self, engine: Engine, mode: Mode, calls: usize, span: Duration) -> io::Result<Row> {
        let generator = Generator::bind()?;
        let masked = mode == Mode::Masked;
        let (mut relay, ports) = match engine {
            Engine::Rtpengine => rtpengine::start(calls, masked, &generator)?,
            Engine::Tonewall => {
                let is_recorded = mode == Mode::Recorded;
                tonewall::start(calls, self.plan.backend, is_recorded, &generator)?
            }
            Engine::Floor => floor::start(calls, self.plan.backend, &generator)?,
        };
        let (keys, voice) = (Arc::clone(&self.keys), Arc::clone(&self.voice));
        let running = generator.start(&ports, keys, voice)?;
        std::thread::sleep(WARM);
        if engine == Engine::Tonewall && matches!(mode, Mode::Watched | Mode::Masked) {
            tonewall::listen(&mut relay)?;
            std::thread::sleep(WARM);
        }
        if (engine, mode) == (Engine::Tonewall, Mode::Masked) {
            tonewall::protect(&mut relay)?;
            std::thread::sleep(WARM);
        }
        let mut cpu = Vec::new();
        let tally = running.measure(span, || cpu.push(relay.cpu()))?;
        let [before, after] = [cpu.remove(0)?, cpu.remove(0)?];
        still_running(&mut relay, engine)?;
        let record_dropped = match mode {
            Mode::Recorded => Some(tonewall::record_dropped(&mut relay)?),
            Mode::Plain | Mode::Watched | Mode::Masked => None,
        };
        let row = row(
            (engine, mode, calls, record_dropped),
            after.saturating_sub(before),
            span,
            tally,
        );
        say(&row.to_json())?;
        self.rows.borrow_mut().push(row);
        Ok(row)
    }
}

/// `engine:mode`.
fn named(name: &str) -> io::Result<(Engine, Mode)> {
    let all = Engine::ALL
        .into_iter()
        .flat_map(|engine| Mode::ALL.map(|mode| (engine, mode)));
    let is_it =
        |(engine, mode): &(Engine, Mode)| format!("{}:{}", engine.name(), mode.name()) == name;
    let found = all.into_iter().find(is_it);
    found.ok_or_else(|| io::Error::other(format!("no engine and mode {name}")))
}

fn still_running(relay: &mut Relay, engine: Engine) -> io::Result<()> {
    if relay.is_running() {
        return Ok(());
    }
    Err(io::Error::other(format!("{} has ended", engine.name())))
}

fn row(
    (engine, mode, calls, record_dropped): (Engine, Mode, usize, Option<u64>),
    cpu: Duration,
    span: Duration,
    mut tally: Tally,
) -> Row {
    tally.latencies.sort_unstable();
    tally.lateness.sort_unstable();
    let nanos = |sorted: &[i64], share: usize| {
        let at = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
        sorted
            .get(at)
            .map_or(f64::INFINITY, |nanos| ratio(*nanos, 1_000_000))
    };
    let late: Vec<i64> = tally
        .lateness
        .iter()
        .map(|nanos| i64::try_from(*nanos).unwrap_or(i64::MAX))
        .collect();
    let lost = tally.sent.saturating_sub(tally.received);
    let per_call_s = cpu.as_secs_f64() / span.as_secs_f64() / count(calls);
    Row {
        engine,
        mode,
        calls,
        cpu_us_per_call_s: per_call_s * 1e6,
        latency_ms_p50: nanos(&tally.latencies, 50),
        latency_ms_p99: nanos(&tally.latencies, 99),
        loss_pct: 100.0 * ratio(lost.cast_signed(), tally.sent.max(1).cast_signed()),
        late_ms_p99: nanos(&late, 99),
        record_dropped,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "figures to print"
)]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

fn count(number: usize) -> f64 {
    ratio(i64::try_from(number).unwrap_or(i64::MAX), 1)
}

pub(crate) fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
