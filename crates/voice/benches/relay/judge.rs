//! The bounds, and what of them was missed.

use serde_json::{Value, json};
use voice::packet_io::Backend;

use crate::run::{Engine, Mode, Row, round};

/// What is asked of one way to the packets: io_uring saves system calls that epoll has to make.
struct Bounds {
    /// CPU of a plain call, as a share of rtpengine's.
    ratio_plain_max: f64,
    /// CPU of a protected call that is keying in-band, as a share of rtpengine's masking with its 60 ms buffer.
    ratio_masked_max: f64,
    /// Calls of a core, as a multiple of rtpengine's.
    calls_plain_min: f64,
    calls_masked_min: f64,
}

impl Bounds {
    fn of(backend: Backend) -> Self {
        match backend {
            Backend::Uring => Self {
                ratio_plain_max: 0.6,
                ratio_masked_max: 0.4,
                calls_plain_min: 1.5,
                calls_masked_min: 2.4,
            },
            Backend::Epoll => Self {
                ratio_plain_max: 0.72,
                ratio_masked_max: 0.45,
                calls_plain_min: 1.3,
                calls_masked_min: 2.0,
            },
        }
    }
}

/// CPU of a plain call, as a multiple of the floor's.
const RATIO_FLOOR_MAX: f64 = 1.15;

/// CPU of a call that is put out for its recording, as a multiple of a plain call's.
const RATIO_RECORDED_MAX: f64 = 1.25;

/// Latency towards the agent while protected: the delay line of 12 ms at most, and its jitter.
const PROTECTED_MS_P50_MAX: f64 = 12.0;
const PROTECTED_MS_P99_MAX: f64 = 15.0;

/// Latency while unprotected, or a third more than the floor's.
const PLAIN_MS_P50_MAX: f64 = 0.15;
const PLAIN_MS_P99_MAX: f64 = 2.0;
const PLAIN_FLOOR_FACTOR: f64 = 1.3;

/// What all runs gave.
pub(crate) struct Figures {
    backend: Backend,
    plain: Vec<[Row; 3]>,
    masked: Vec<[Row; 2]>,
    recorded: Vec<Row>,
    calls_per_core: Vec<(Engine, Mode, usize)>,
}

impl Figures {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            backend,
            plain: Vec::new(),
            recorded: Vec::new(),
            masked: Vec::new(),
            calls_per_core: Vec::new(),
        }
    }

    /// Adds runs made one after the other: rtpengine, ours and the floor plain; rtpengine and ours masked.
    pub(crate) fn add_pair(&mut self, plain: [Row; 3], masked: [Row; 2]) {
        self.plain.push(plain);
        self.masked.push(masked);
    }

    /// Adds a run of ours with recordings, after the pair that it belongs to.
    pub(crate) fn add_recorded(&mut self, recorded: Row) {
        self.recorded.push(recorded);
    }

    pub(crate) fn note_calls_per_core(&mut self, engine: Engine, mode: Mode, calls: usize) {
        self.calls_per_core.push((engine, mode, calls));
    }

    fn ratio_plain(&self) -> f64 {
        median(
            self.plain
                .iter()
                .map(|[rival, ours, _]| cpu(ours) / cpu(rival)),
        )
    }

    fn ratio_masked(&self) -> f64 {
        median(
            self.masked
                .iter()
                .map(|[rival, ours]| cpu(ours) / cpu(rival)),
        )
    }

    fn ratio_floor(&self) -> f64 {
        median(
            self.plain
                .iter()
                .map(|[_, ours, floor]| cpu(ours) / cpu(floor)),
        )
    }

    fn ratio_recorded(&self) -> f64 {
        let pairs = self.plain.iter().zip(&self.recorded);
        median(pairs.map(|([_, ours, _], recorded)| cpu(recorded) / cpu(ours)))
    }

    /// Frames for recordings that found no room, in all runs together.
    fn record_dropped(&self) -> u64 {
        let dropped = self.recorded.iter().filter_map(|row| row.record_dropped);
        dropped.sum()
    }

    fn calls_ratio(&self, mode: Mode) -> Option<f64> {
        let calls = |engine| {
            let mut all = self.calls_per_core.iter();
            let found = all.find(|(one, its_mode, _)| (*one, *its_mode) == (engine, mode));
            found.and_then(|(_, _, calls)| u32::try_from(*calls).ok())
        };
        Some(f64::from(calls(Engine::Tonewall)?) / f64::from(calls(Engine::Rtpengine)?.max(1)))
    }

    pub(crate) fn calls_per_core_json(&self) -> Value {
        let calls: serde_json::Map<String, Value> = self
            .calls_per_core
            .iter()
            .map(|(engine, mode, calls)| {
                (format!("{}_{}", engine.name(), mode.name()), json!(calls))
            })
            .collect();
        Value::Object(calls)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "ratio_plain": round(self.ratio_plain(), 3),
            "ratio_masked": round(self.ratio_masked(), 3),
            "ratio_floor": round(self.ratio_floor(), 3),
            "ratio_recorded": round(self.ratio_recorded(), 3),
            "record_dropped": self.record_dropped(),
            "calls_per_core": self.calls_per_core_json(),
        })
    }

    /// Each bound that does not hold, by name.
    pub(crate) fn missed(&self) -> Vec<String> {
        let latency = |share: fn(&Row) -> f64, of: &dyn Fn(usize) -> Row| {
            median((0..self.plain.len()).map(|pair| share(&of(pair))))
        };
        let p50 = |row: &Row| row.latency_ms_p50;
        let p99 = |row: &Row| row.latency_ms_p99;
        let ours = |pair: usize| self.plain[pair][1];
        let floor = |pair: usize| self.plain[pair][2];
        let protected = |pair: usize| self.masked[pair][1];
        let plain_max =
            |least: f64, share| f64::max(least, PLAIN_FLOOR_FACTOR * latency(share, &floor));
        let bounds = Bounds::of(self.backend);
        let mut missed = Vec::new();
        let mut at_most = |name: &str, value: f64, bound: f64| {
            // A figure that is missing misses its bound.
            if value.is_nan() || value > bound {
                missed.push(format!("{name} is {value:.3}, at most {bound:.3}"));
            }
        };
        at_most("ratio_plain", self.ratio_plain(), bounds.ratio_plain_max);
        at_most("ratio_masked", self.ratio_masked(), bounds.ratio_masked_max);
        at_most("ratio_floor", self.ratio_floor(), RATIO_FLOOR_MAX);
        at_most("ratio_recorded", self.ratio_recorded(), RATIO_RECORDED_MAX);
        at_most(
            "plain latency p50 ms",
            latency(p50, &ours),
            plain_max(PLAIN_MS_P50_MAX, p50),
        );
        at_most(
            "plain latency p99 ms",
            latency(p99, &ours),
            plain_max(PLAIN_MS_P99_MAX, p99),
        );
        at_most(
            "protected latency p50 ms",
            latency(p50, &protected),
            PROTECTED_MS_P50_MAX,
        );
        at_most(
            "protected latency p99 ms",
            latency(p99, &protected),
            PROTECTED_MS_P99_MAX,
        );
        let dropped = self.record_dropped();
        if dropped > 0 {
            missed.push(format!("{dropped} frames for recordings found no room"));
        }
        for (mode, least) in [
            (Mode::Plain, bounds.calls_plain_min),
            (Mode::Masked, bounds.calls_masked_min),
        ] {
            if let Some(ratio) = self.calls_ratio(mode)
                && ratio < least
            {
                let name = mode.name();
                missed.push(format!(
                    "calls per core {name} are {ratio:.2} times, at least {least:.2}"
                ));
            }
        }
        missed
    }
}

fn cpu(row: &Row) -> f64 {
    row.cpu_us_per_call_s
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
