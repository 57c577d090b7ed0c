//! The reporter: which digits were pressed, by the recommendation ITU-T Q.24.
//! Owns: what counts as a press, its start and end on the input timeline.
//! Never: drives the mask; what it refuses is masked all the same.
//!
//! It reads behind a reorder buffer: samples come in order, and what never came is a marked gap.

use super::analysis::{Analysis, Fit, HOP_SAMPLES, Window};
use super::keypad::{self, Key, Pair};
use super::press::{Press, Sounding};
use crate::g711::Law;
use crate::sample;

/// Least share of a short window that continues a press. With a pair sounding in more than about 0.6 of the window it is exceeded.
const PRESENT_SHARE: f32 = 0.60;

/// Windows below this level are no part of a press: the quietest pair accepted has -42 dBm0, at the edges of a press less than half.
const FLOOR_DBM0: f32 = -48.0;

/// Least share the weaker tone adds; twist of 9 dB leaves it 11 %, half of that at the edges of a press.
const WEAKER_LEAST: f32 = 0.03;

/// A pause longer than this ends a press: 22 ms. Pauses of 40 ms and more part two presses (Q.24), interruptions of 10 ms must not;
/// the middle.
const PAUSE_SPAN_MAX: u64 = 176;

/// After a gap a running press must sound in the first or second full window, or it ended in the gap.
const AFTER_GAP_SPAN: u64 = 56;

/// A gap longer than this can hide the pause between two presses of one key: 20 ms (S30).
const HIDING_GAP_SPAN: u64 = 160;

/// Hops of another pair that end a press without a pause: 4 ms.
const OTHER_PAIR_HOPS: u32 = 4;

/// Digits that may wait to be polled: more than are keyed in a second. When full the oldest is kept, the newest is dropped and counted.
const DIGITS_MAX: usize = 16;

/// A key pressed in the audio.
#[derive(Debug)]
pub struct InbandDigit {
    /// Which.
    pub key: Key,
    /// Timestamp of its first sample, to about 1 ms.
    pub start: u64,
    /// Timestamp one past its last sample, to about 1 ms.
    pub end: u64,
    /// It spans a loss of more than 20 ms: one long press or two of the same key, nobody can tell (S30).
    pub ambiguous: bool,
}

/// A press of any of the sixteen pairs, as [`Presses`] heard it.
#[derive(Debug, Clone, Copy)]
pub struct HeardPress {
    /// Which pair; it does not print itself.
    pub pair: Pair,
    /// Timestamp of its first sample, to about 1 ms.
    pub start: u64,
    /// Timestamp one past its last sample, to about 1 ms.
    pub end: u64,
    /// It spans a loss of more than 20 ms (S30).
    pub ambiguous: bool,
}

/// The reporter of one stream: presses of a telephone's twelve keys.
#[derive(Debug, Default)]
pub struct Reporter {
    presses: Presses,
}

impl Reporter {
    /// A reporter that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            presses: Presses::new(),
        }
    }

    /// Takes audio whose first sample has timestamp `ts`. A jump ahead is a gap; what was heard already is skipped.
    pub fn push_audio(&mut self, ts: u64, linear: &[i16]) {
        self.presses.push_audio(ts, linear);
    }

    /// The audio of `ts..ts + len` never came.
    pub fn push_gap(&mut self, ts: u64, len: u64) {
        self.presses.push_gap(ts, len);
    }

    /// The next digit, in order of start. Presses of A to D, which no telephone of a consumer has, are passed over.
    pub fn poll_digit(&mut self) -> Option<InbandDigit> {
        loop {
            let press = self.presses.poll()?;
            if let Some(key) = keypad::key_of(press.pair) {
                return Some(InbandDigit {
                    key,
                    start: press.start,
                    end: press.end,
                    ambiguous: press.ambiguous,
                });
            }
        }
    }

    /// Digits lost because nobody polled.
    #[must_use]
    pub fn digits_dropped(&self) -> u64 {
        self.presses.dropped()
    }
}

/// Presses of all sixteen pairs in one stream.
#[derive(Debug)]
pub struct Presses {
    analysis: Analysis,
    floor_power: f32,
    heard_end: u64,
    started: bool,
    press: Option<Press>,
    other: Option<Other>,
    gap: Option<Gap>,
    waiting: [Option<HeardPress>; DIGITS_MAX],
    dropped: u64,
}

/// Another pair that may be taking over.
#[derive(Debug, Clone, Copy)]
struct Other {
    pair: Pair,
    start: u64,
    hops: u32,
}

/// The newest gap.
#[derive(Debug, Clone, Copy)]
struct Gap {
    start: u64,
    end: u64,
}

impl Gap {
    fn span(self) -> u64 {
        self.end - self.start
    }
}

impl Presses {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        let peak = Law::Mu.amplitude(FLOOR_DBM0);
        Self {
            analysis: Analysis::new(),
            floor_power: peak * peak / 2.0,
            heard_end: 0,
            started: false,
            press: None,
            other: None,
            gap: None,
            waiting: [None; DIGITS_MAX],
            dropped: 0,
        }
    }

    /// Takes audio whose first sample has timestamp `ts`. A jump ahead is a gap; what was heard already is skipped.
    pub fn push_audio(&mut self, ts: u64, linear: &[i16]) {
        self.start_at(ts);
        if ts > self.heard_end {
            self.push_gap(self.heard_end, ts - self.heard_end);
        }
        let known = sample::length(self.heard_end - ts).min(linear.len());
        for value in &linear[known..] {
            self.heard_end += 1;
            if self.analysis.push(*value) {
                self.judge();
            }
        }
    }

    /// The audio of `ts..ts + len` never came.
    pub fn push_gap(&mut self, ts: u64, len: u64) {
        self.start_at(ts);
        let end = ts.saturating_add(len);
        if end <= self.heard_end {
            return;
        }
        let start = self.heard_end;
        // Two losses in a row are one.
        let start = self
            .gap
            .filter(|gap| gap.end == start)
            .map_or(start, |gap| gap.start);
        let sounded = self
            .press
            .as_ref()
            .is_some_and(|press| press.sounds_at(start));
        if !sounded {
            self.close_press();
        }
        self.gap = Some(Gap { start, end });
        self.heard_end = end;
        self.other = None;
        self.analysis.reset();
    }

    /// The next press, in order of start.
    pub fn poll(&mut self) -> Option<HeardPress> {
        let place = self.waiting[0].as_mut()?;
        let first = *place;
        // It is wiped where it stood, so that none stays behind.
        place.pair.wipe();
        self.waiting[0] = None;
        self.waiting.rotate_left(1);
        Some(first)
    }

    /// Presses lost because nobody polled.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn start_at(&mut self, ts: u64) {
        if !self.started {
            self.started = true;
            self.heard_end = ts;
        }
    }

    fn judge(&mut self) {
        let is_loud = self
            .analysis
            .power(Window::Short)
            .is_some_and(|power| power >= self.floor_power);
        let fit = is_loud
            .then(|| self.analysis.fit(Window::Short, PRESENT_SHARE))
            .flatten()
            .filter(|fit| fit.weaker_share >= WEAKER_LEAST);
        match fit {
            Some(fit) => self.handle_present(&fit),
            None => self.handle_absent(),
        }
    }

    fn handle_present(&mut self, fit: &Fit) {
        let sounding = Sounding::measure(&self.analysis, fit, self.heard_end);
        let start = self.start_estimate();
        let Some(press) = &mut self.press else {
            self.open_press(fit.pair, start, sounding);
            return;
        };
        if press.pair() == fit.pair {
            self.other = None;
            Self::rejoin(press, self.gap, start);
            press.push(sounding);
            return;
        }
        if press.is_young() {
            let start = press.start();
            self.open_press(fit.pair, start, sounding);
            return;
        }
        self.handle_other(fit.pair, start, sounding);
    }

    /// A press that sounds again after a gap: the gap was part of it, or hid a pause.
    fn rejoin(press: &mut Press, gap: Option<Gap>, now: u64) {
        if let Some(gap) = gap
            && press.last() <= gap.start
            && now <= gap.end + AFTER_GAP_SPAN
        {
            press.bridge_gap(gap.span() > HIDING_GAP_SPAN);
        }
    }

    fn handle_other(&mut self, pair: Pair, start: u64, sounding: Sounding) {
        let other = match self.other {
            Some(other) if other.pair == pair => Other {
                hops: other.hops + 1,
                ..other
            },
            _ => Other {
                pair,
                start,
                hops: 1,
            },
        };
        self.other = Some(other);
        if other.hops >= OTHER_PAIR_HOPS {
            self.close_press();
            self.open_press(pair, other.start, sounding);
        }
    }

    fn handle_absent(&mut self) {
        self.other = None;
        let Some(press) = &self.press else { return };
        let silent_since = press.last();
        let gap = self.gap.filter(|gap| silent_since <= gap.start);
        let judged_from = |gap: Gap| gap.end + AFTER_GAP_SPAN - sample::span(HOP_SAMPLES);
        if gap.is_some_and(|gap| self.heard_end < judged_from(gap)) {
            return;
        }
        if gap.is_some() || self.heard_end - silent_since > PAUSE_SPAN_MAX {
            self.close_press();
        }
    }

    fn open_press(&mut self, pair: Pair, start: u64, sounding: Sounding) {
        let gap_before = self.gap.filter(|gap| start <= gap.end + AFTER_GAP_SPAN);
        let start = gap_before.map_or(start, |gap| start.max(gap.end));
        self.other = None;
        self.press = Some(Press::new(
            pair,
            start,
            gap_before.map_or(0, Gap::span),
            sounding,
        ));
    }

    /// A press is first seen when it fills about 0.57 of a short window; on average half a hop late.
    fn start_estimate(&self) -> u64 {
        self.heard_end.saturating_sub(27)
    }

    fn close_press(&mut self) {
        let Some(press) = self.press.take() else {
            return;
        };
        let gap_after = self
            .gap
            .filter(|gap| press.sounds_at(gap.start))
            .map_or(0, Gap::span);
        let Some((start, end, ambiguous)) = press.verdict(gap_after) else {
            return;
        };
        let heard = HeardPress {
            pair: press.pair(),
            start,
            end,
            ambiguous,
        };
        match self.waiting.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(heard),
            None => self.dropped += 1,
        }
    }
}

impl Default for Presses {
    fn default() -> Self {
        Self::new()
    }
}
