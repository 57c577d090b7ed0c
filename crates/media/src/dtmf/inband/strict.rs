//! The reporter: which digits were pressed, by the recommendation ITU-T Q.24.
//! Owns: what counts as a press, its start and end on the input timeline.
//! Never: drives the mask; what it refuses is masked all the same.
//!
//! It reads behind a reorder buffer: samples come in order, and what never came is a marked gap.

use super::block::{self, BLOCK};
use super::history::{History, PIECE, PIECES};
use super::keypad::{self, Key, Pair};
use super::press::{AFTER_GAP_SPAN, PAUSE_SPAN_MAX, Press, SPAN_LEAST, Verdict};
use crate::sample;

/// Pieces of a block.
const BLOCK_PIECES: u64 = 16;
const _: () = assert!(BLOCK == PIECE * 16);

/// A gap longer than the history leaves nothing to join: everything begins anew, but for the memory of which press it cut.
const GAP_SPAN_MAX: u64 = 512;
const _: () = assert!(PIECE * PIECES > 512);

/// Two pieces of one press, each too short for a digit, may be this far apart if digital silence stands between them: two lost packets, 40 ms.
const FILLED_SPAN_MAX: u64 = 42;

/// Such silence may hide the pause between two presses of one key, as a gap of more than 20 ms may (S30).
const HIDING_SPAN: u64 = 20;

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
#[derive(Default)]
pub struct Reporter {
    presses: Presses,
}

/// It does not print audio, which may be a key, or keys.
impl std::fmt::Debug for Reporter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reporter").finish_non_exhaustive()
    }
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

    /// Forgets what was heard, and writes over it.
    pub fn wipe(&mut self) {
        self.presses.wipe();
    }

    /// Digits lost because nobody polled.
    #[must_use]
    pub fn digits_dropped(&self) -> u64 {
        self.presses.dropped()
    }
}

/// Presses of all sixteen pairs in one stream.
pub struct Presses {
    history: History,
    /// Timestamp of the first sample of the history.
    origin: u64,
    started: bool,
    /// First piece of the block that is being gathered.
    block: u64,
    press: Press,
    /// End of the newest digit, in pieces: no press begins before it.
    taken_until: u64,
    /// The press that the gap at the origin cut. If the same pair sounds on behind the gap, nobody can tell one press from two (S30).
    cut: Option<Pair>,
    /// The newest press that was too short for a digit.
    fragment: Option<(Pair, Verdict)>,
    waiting: [Option<HeardPress>; DIGITS_MAX],
    dropped: u64,
}

/// It does not print audio, which may be a key, or keys.
impl std::fmt::Debug for Presses {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Presses").finish_non_exhaustive()
    }
}

impl Presses {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            history: History::new(),
            origin: 0,
            started: false,
            block: 0,
            press: Press::idle(),
            taken_until: 0,
            cut: None,
            fragment: None,
            waiting: [None; DIGITS_MAX],
            dropped: 0,
        }
    }

    /// Takes audio whose first sample has timestamp `ts`. A jump ahead is a gap; what was heard already is skipped.
    pub fn push_audio(&mut self, ts: u64, linear: &[i16]) {
        self.start_at(ts);
        if ts > self.heard_end() {
            self.push_gap(self.heard_end(), ts - self.heard_end());
        }
        let known = sample::length(self.heard_end() - ts).min(linear.len());
        let mut rest = &linear[known..];
        while !rest.is_empty() {
            let block_end = (self.block + BLOCK_PIECES) * sample::span(PIECE);
            let taken = self.history.push(rest, block_end);
            rest = &rest[taken..];
            self.follow();
            if self.history.end() == block_end {
                self.look();
            }
        }
    }

    /// The audio of `ts..ts + len` never came.
    pub fn push_gap(&mut self, ts: u64, len: u64) {
        self.start_at(ts);
        let end = ts.saturating_add(len);
        if end <= self.heard_end() {
            return;
        }
        let len = end - self.heard_end();
        if len > GAP_SPAN_MAX {
            self.begin_anew(end);
            return;
        }
        self.block = self.history.skip(len);
        self.follow();
    }

    /// A gap until `end` is longer than the history. A press counts as cut by it if it had not ended for good before.
    fn begin_anew(&mut self, end: u64) {
        let cut_at = self.history.pieces();
        let pair = self.press.pair();
        let taken_before = self.taken_until;
        self.close_press();
        let was_taken = self.taken_until > taken_before;
        let is_cut = was_taken && cut_at.saturating_sub(self.taken_until) <= PAUSE_SPAN_MAX;
        self.cut = pair.filter(|_| is_cut);
        self.history = History::new();
        self.origin = end;
        self.block = 0;
        self.taken_until = 0;
        self.fragment = None;
    }

    /// Forgets what was heard, and writes over it.
    pub fn wipe(&mut self) {
        self.press.wipe();
        let fragment = self.fragment.as_mut().map(|(pair, _)| pair);
        let waiting = self.waiting.iter_mut().flatten();
        let waiting = waiting.map(|press| &mut press.pair);
        for pair in self.cut.as_mut().into_iter().chain(fragment).chain(waiting) {
            pair.wipe();
        }
        self.history.wipe();
        *self = Self {
            dropped: self.dropped,
            ..Self::new()
        };
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
            self.origin = ts;
        }
    }

    fn heard_end(&self) -> u64 {
        self.origin + self.history.end()
    }

    /// Lets the running press hear what came.
    fn follow(&mut self) {
        if self.press.pair().is_none() {
            return;
        }
        self.press.follow(&self.history);
        if self.press.is_over() {
            self.close_press();
        }
    }

    /// A block is whole.
    fn look(&mut self) {
        let mut samples = [0.0; BLOCK];
        self.history.copy(self.block, &mut samples);
        self.block += BLOCK_PIECES;
        let Some(hit) = block::look(&samples) else {
            return;
        };
        if self.press.pair() == Some(hit.pair) {
            self.press.hit_again();
            return;
        }
        self.close_press();
        self.press
            .start(hit.pair, self.block, self.taken_until, &self.history);
    }

    /// A press together with the fragment before it, if both are too short and only filled-in silence parts them.
    fn joined(&self, pair: Pair, verdict: Verdict) -> Verdict {
        let before = self
            .fragment
            .filter(|(other, _)| *other == pair && !verdict.is_digit);
        let Some((_, before)) = before else {
            return verdict;
        };
        let hole = verdict.start.saturating_sub(before.end);
        // Both edges are known to a millisecond.
        let mut inside = before.end + 1..verdict.start.saturating_sub(1);
        let filled = hole <= FILLED_SPAN_MAX && inside.all(|piece| self.history.is_filled(piece));
        if !filled {
            return verdict;
        }
        Verdict {
            start: before.start,
            is_digit: before.span() + verdict.span() >= SPAN_LEAST,
            ambiguous: before.ambiguous || verdict.ambiguous || hole > HIDING_SPAN,
            ..verdict
        }
    }

    fn close_press(&mut self) {
        let pressed = self.press.pair().zip(self.press.verdict(&self.history));
        self.press.forget();
        let Some((pair, verdict)) = pressed else {
            return;
        };
        let verdict = self.joined(pair, verdict);
        if !verdict.is_digit {
            self.fragment = Some((pair, verdict));
            return;
        }
        self.fragment = None;
        self.taken_until = verdict.end;
        let cut = self.cut.take();
        let goes_on = cut == Some(pair) && verdict.start <= AFTER_GAP_SPAN;
        let ts = |piece: u64| self.origin + piece * sample::span(PIECE);
        let heard = HeardPress {
            pair,
            start: ts(verdict.start),
            end: ts(verdict.end),
            ambiguous: verdict.ambiguous || goes_on,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{KeyTone, KeyToneShape};

    const MS: usize = 8;

    /// Presses of these pairs at these milliseconds for so long, in a second of faint noise, with the milliseconds of `lost` never heard.
    fn heard(presses: &[(Pair, usize, usize)], lost: std::ops::Range<usize>) -> Vec<(Pair, bool)> {
        let mut linear: Vec<i16> = (0..1_000 * MS)
            .map(|at| i16::try_from(at * 7_919 % 9).unwrap() - 4)
            .collect();
        for (pair, at, span) in presses {
            let press = &mut linear[at * MS..(at + span) * MS];
            KeyTone::new(*pair, KeyToneShape::default()).add_to(press);
        }
        let mut heard = Presses::new();
        heard.push_audio(0, &linear[..lost.start * MS]);
        heard.push_audio(sample::span(lost.end * MS), &linear[lost.end * MS..]);
        std::iter::from_fn(|| heard.poll())
            .map(|press| (press.pair, press.ambiguous))
            .collect()
    }

    #[test]
    fn a_press_that_sounds_on_behind_a_gap_is_never_two_clear_ones() {
        let pair = Pair::new(1, 2);
        for gap in [25, 40, 60, 65, 80, 120, 200, 300] {
            for before in [16, 20, 30, 45, 60] {
                let press = (pair, 200, before + gap + 60);
                let lost = 200 + before..200 + before + gap;
                let digits = heard(&[press], lost);
                let clear = digits.iter().filter(|(_, ambiguous)| !ambiguous).count();
                assert!(clear <= 1, "gap {gap}, {before} before: {digits:?}");
                assert!(
                    digits.len() < 2 || digits[1].1,
                    "gap {gap}, {before} before: {digits:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_wiped_is_joined_to_nothing_that_comes_later() {
        let pair = Pair::new(1, 2);
        let mut tone = vec![0; 320];
        KeyTone::new(pair, KeyToneShape::default()).add_to(&mut tone);
        let mut heard = Presses::new();
        heard.push_audio(0, &tone);
        assert!(heard.press.pair().is_some());
        heard.wipe();
        assert!(heard.press.pair().is_none() && heard.fragment.is_none() && heard.cut.is_none());
        assert!((0..PIECES as u64).all(|piece| heard.history.piece(piece).is_none()));
        heard.push_audio(16_000, &[3; 800]);
        assert!(heard.poll().is_none());
    }

    #[test]
    fn what_was_heard_does_not_print() {
        let mut reporter = Reporter::new();
        reporter.push_audio(0, &[12_345; 80]);
        assert_eq!(format!("{reporter:?}"), "Reporter { .. }");
        let mut presses = Presses::new();
        presses.push_audio(0, &[12_345; 80]);
        assert_eq!(format!("{presses:?}"), "Presses { .. }");
        let line = crate::delay_line::DelayLine::new(12_345_i16);
        assert_eq!(format!("{line:?}"), "DelayLine { .. }");
        let mut analysis = super::super::analysis::Analysis::new();
        analysis.push(12_345);
        assert_eq!(format!("{analysis:?}"), "Analysis { .. }");
    }

    #[test]
    fn presses_that_a_gap_does_not_join_are_clear() {
        let (one, other) = (Pair::new(1, 2), Pair::new(0, 0));
        let clear = |pairs: &[Pair]| pairs.iter().map(|pair| (*pair, false)).collect::<Vec<_>>();
        // Another key behind the gap.
        let two = heard(&[(one, 200, 60), (other, 360, 60)], 260..360);
        assert_eq!(two, clear(&[one, other]));
        // The same key, over well before the gap.
        let two = heard(&[(one, 200, 60), (one, 400, 60)], 290..400);
        assert_eq!(two, clear(&[one, one]));
        // The same key, begun well behind it.
        let two = heard(&[(one, 200, 60), (one, 390, 60)], 260..360);
        assert_eq!(two, clear(&[one, one]));
    }
}
