//! One press as the reporter hears it.
//! Owns: its length, purity, frequencies, twist and level, and the limits on them.
//! Never: knows of other presses.

use super::analysis::{Analysis, Fit, HOP_SAMPLES, Phasor, Window};
use super::keypad::{HIGH_HZ, LOW_HZ, Pair};
use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;

/// Shortest press that counts: 31 ms, the middle between always (40 ms) and never (23 ms). Start and end are known to 1 ms each.
const SPAN_LEAST: u64 = 248;

/// Shortest heard part of a press that a loss cut, if with the lost time it may have been 40 ms: 15 ms.
const CUT_SPAN_LEAST: u64 = 120;
const CUT_SPAN_WITH_GAP_LEAST: u64 = 320;

/// Lost time credited to a press at one edge: one packet, 20 ms.
const GAP_CREDIT_SPAN: u64 = 160;

/// Largest deviation of each tone: midway between always (1.5 %) and never (3.5 %).
const DEVIATION_MAX: f32 = 0.025;

/// Twist, high over low, accepted: Q.24's -8..+4 dB and 1 dB for the error of measurement.
const TWIST_DB_MIN: f32 = -9.0;
const TWIST_DB_MAX: f32 = 5.0;

/// Quietest tone accepted. Q.24 leaves it to the administration; the quietest in use is -42.
const LEVEL_DBM0_MIN: f32 = -45.0;

/// Mean explained share of windows inside the press: 12 dB of noise leaves 0.94, speech rarely stays above 0.8 for 30 ms.
const SHARE_LEAST: f32 = 0.80;

/// How much the phase steps agree, 0-1: a steady tone with 12 dB of noise has above 0.95, a gliding voice does not.
const STEADINESS_LEAST: f32 = 0.85;

/// Hops between two phasors compared: 5 ms, so that +-100 Hz is unambiguous; 3.5 % of 1,633 Hz is 57.
const LAG_HOPS: usize = 5;
const LAG_SAMPLES: usize = LAG_HOPS * HOP_SAMPLES;

/// A window belongs to the inside of a press if it starts this long after the estimated start.
const EDGE_SPAN: u64 = 6;

/// The newest hops may lie beyond the end; they count once two more have come.
const SETTLED_HOPS: usize = 2;

/// What one window says of a sounding press.
#[derive(Clone, Copy)]
pub(super) struct Sounding {
    end: u64,
    share: f32,
    low: Option<Phasor>,
    high: Option<Phasor>,
}

impl Sounding {
    pub(super) fn measure(analysis: &Analysis, fit: &Fit, end: u64) -> Self {
        Self {
            end,
            share: fit.share,
            low: analysis.phasor(fit.pair.row()),
            high: analysis.phasor(4 + fit.pair.column()),
        }
    }
}

impl std::fmt::Debug for Sounding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[sounding]")
    }
}

/// A press in progress.
#[derive(Debug)]
pub(super) struct Press {
    pair: Pair,
    start: u64,
    last: u64,
    /// Start of the unbroken stretch since the last gap.
    stretch: u64,
    /// Missing time at both edges, as far as it may be credited.
    gap_before: u64,
    ambiguous: bool,
    hops: usize,
    /// Newest soundings, newest first; unbroken.
    recent: [Option<Sounding>; LAG_HOPS + SETTLED_HOPS + 1],
    shares: Mean,
    low: ToneSums,
    high: ToneSums,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f32,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f32) {
        self.sum += value;
        self.count += 1;
    }

    fn value(self) -> f32 {
        if self.count == 0 {
            0.0
        } else {
            self.sum / sample::count_f32(self.count)
        }
    }
}

/// Power and phase steps of one tone, over the press.
#[derive(Debug, Clone, Copy, Default)]
struct ToneSums {
    power: Mean,
    step: Phasor,
    step_lengths: f32,
}

impl ToneSums {
    fn add_power(&mut self, phasor: Phasor) {
        self.power.add(phasor.power());
    }

    fn add_step(&mut self, now: Phasor, earlier: Phasor) {
        let step = now.since(earlier);
        self.step.re += step.re;
        self.step.im += step.im;
        self.step_lengths += step.power().sqrt();
    }

    /// Deviation from nominal, as a fraction; nothing if no two windows were far enough apart.
    fn deviation(&self, nominal_hz: f64) -> Option<f32> {
        if self.step_lengths <= 0.0 {
            return None;
        }
        let lag_seconds = sample::count_f64(LAG_SAMPLES) / f64::from(SAMPLE_RATE_HZ);
        let turns_expected = nominal_hz * lag_seconds;
        let turns = f64::from(self.step.im.atan2(self.step.re)) / std::f64::consts::TAU;
        let difference = turns - turns_expected;
        let wrapped = difference - difference.round();
        Some(sample::narrow(wrapped / lag_seconds / nominal_hz))
    }

    fn steadiness(&self) -> f32 {
        self.step.power().sqrt() / self.step_lengths.max(f32::MIN_POSITIVE)
    }

    /// The long window's weights sum to 32, so a sine of peak A has magnitude 16 A.
    fn level_dbm0(&self) -> f32 {
        Law::Mu.dbm0(self.power.value() / (16.0 * 16.0) / 2.0)
    }
}

impl Press {
    pub(super) fn new(pair: Pair, start: u64, gap_before: u64, sounding: Sounding) -> Self {
        let mut press = Self {
            pair,
            start,
            last: sounding.end,
            stretch: start,
            gap_before,
            ambiguous: false,
            hops: 0,
            recent: [None; LAG_HOPS + SETTLED_HOPS + 1],
            shares: Mean::default(),
            low: ToneSums::default(),
            high: ToneSums::default(),
        };
        press.push(sounding);
        press
    }

    pub(super) fn pair(&self) -> Pair {
        self.pair
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// End of the last window that held the press.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Too short to be trusted with its pair: the first windows hold more silence than tone.
    pub(super) fn is_young(&self) -> bool {
        self.hops < 4
    }

    /// True if the press was still heard right before `ts`.
    pub(super) fn sounds_at(&self, ts: u64) -> bool {
        ts.abs_diff(self.last) <= 16
    }

    /// The press goes on after a gap; `hiding`: the gap may have held a pause.
    pub(super) fn bridge_gap(&mut self, hiding: bool) {
        self.ambiguous |= hiding;
        self.recent = [None; LAG_HOPS + SETTLED_HOPS + 1];
    }

    pub(super) fn push(&mut self, sounding: Sounding) {
        if self.recent[0]
            .is_none_or(|newest| newest.end + sample::span(HOP_SAMPLES) != sounding.end)
        {
            self.recent = [None; LAG_HOPS + SETTLED_HOPS + 1];
            if self.hops > 0 {
                self.stretch = sounding
                    .end
                    .saturating_sub(sample::span(Window::Short.samples()));
            }
        }
        self.recent.rotate_right(1);
        self.recent[0] = Some(sounding);
        self.last = sounding.end;
        self.hops += 1;
        self.settle();
    }

    /// Counts the hop that is two hops old, if its windows lie inside the press.
    fn settle(&mut self) {
        let Some(settled) = self.recent[SETTLED_HOPS] else {
            return;
        };
        let inside = |window: Window| {
            settled.end >= self.stretch + EDGE_SPAN + sample::span(window.samples())
        };
        if inside(Window::Short) {
            self.shares.add(settled.share);
        }
        if !inside(Window::Long) {
            return;
        }
        let (Some(low), Some(high)) = (settled.low, settled.high) else {
            return;
        };
        self.low.add_power(low);
        self.high.add_power(high);
        let Some(earlier) = self.recent[SETTLED_HOPS + LAG_HOPS] else {
            return;
        };
        if earlier.end < self.stretch + EDGE_SPAN + sample::span(Window::Long.samples()) {
            return;
        }
        if let (Some(low_before), Some(high_before)) = (earlier.low, earlier.high) {
            self.low.add_step(low, low_before);
            self.high.add_step(high, high_before);
        }
    }

    /// Start, end and whether it is ambiguous, if this was a digit.
    pub(super) fn verdict(&self, gap_after: u64) -> Option<(u64, u64, bool)> {
        let end = self.end_estimate(gap_after);
        let is_digit = self.is_long_enough(end, gap_after) && self.is_pure() && self.is_in_tune();
        is_digit.then_some((self.start, end, self.ambiguous))
    }

    /// A press is last seen when it fills about 0.57 of a short window; a gap cuts it where it was.
    fn end_estimate(&self, gap_after: u64) -> u64 {
        let overshoot = if gap_after > 0 { 0 } else { 13 };
        self.last.saturating_sub(overshoot).max(self.start)
    }

    fn is_long_enough(&self, end: u64, gap_after: u64) -> bool {
        let span = end - self.start;
        let credit = self.gap_before.min(GAP_CREDIT_SPAN) + gap_after.min(GAP_CREDIT_SPAN);
        let cut = credit > 0 && span >= CUT_SPAN_LEAST && span + credit >= CUT_SPAN_WITH_GAP_LEAST;
        span >= SPAN_LEAST || cut
    }

    fn is_pure(&self) -> bool {
        let twist_db = self.high.level_dbm0() - self.low.level_dbm0();
        self.shares.value() >= SHARE_LEAST
            && self.low.level_dbm0() >= LEVEL_DBM0_MIN
            && self.high.level_dbm0() >= LEVEL_DBM0_MIN
            && (TWIST_DB_MIN..=TWIST_DB_MAX).contains(&twist_db)
    }

    fn is_in_tune(&self) -> bool {
        let in_tune = |tone: &ToneSums, nominal_hz: f64| {
            tone.deviation(nominal_hz)
                .is_some_and(|deviation| deviation.abs() <= DEVIATION_MAX)
                && tone.steadiness() >= STEADINESS_LEAST
        };
        in_tune(&self.low, LOW_HZ[self.pair.row()])
            && in_tune(&self.high, HIGH_HZ[self.pair.column()])
    }
}
