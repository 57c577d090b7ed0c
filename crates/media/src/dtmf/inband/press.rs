//! One press as the reporter follows it, millisecond by millisecond.
//! Owns: where both tones of a pair sound, where they pause, where nothing came.
//! Never: knows of other presses; reads what an earlier one left in its rings.
//!
//! Each piece of 1 ms is brought down to zero frequency at the pair's nominal tones; a window of 8 pieces tells whether both sound in its middle. A tone's
//! amplitude in the window grows with the part that it fills, so it passes one half when the edge passes the middle.

use std::hint::black_box;
use std::sync::LazyLock;

use super::history::{History, PIECE, PIECES, bit, bits};
use super::keypad::{Pair, tone_hz};
use super::lanes::{Lanes, gather};
use super::tune::Tuner;
use super::verdict::{EVIDENCE_MAX, Evidence, nominal_hz, radians};
use crate::sample;

/// Pieces of the sliding window: 8 ms, as long as the mask's long window.
const WINDOW: usize = 8;

/// Pieces after which rounding is taken out of the sliding window.
const RENEW_PIECES: u64 = 64;

/// Pieces from the window's middle to its end.
const AHEAD: u64 = 3;

/// Least power of each tone in a window, of what it has where the press is whole: half the amplitude.
const SOUNDING_SHARE: f32 = 0.25;

/// Shortest press that counts: measured 29 ms, in truth 29 to 31. The middle between always (40 ms) and never (23 ms).
pub(super) const SPAN_LEAST: u64 = 29;

/// Shortest heard part of a press that a loss cut, if with the lost time it may have been 40 ms: 14 ms.
const CUT_SPAN_LEAST: u64 = 14;
const CUT_SPAN_WITH_GAP_LEAST: u64 = 40;

/// Lost time credited to a press at one edge: one packet, 20 ms.
const GAP_CREDIT_SPAN: u64 = 20;

/// A pause longer than this ends a press: 22 ms. Pauses of 40 ms and more part two presses (Q.24), interruptions of 10 ms must not; a lost packet that somebody
/// filled with silence is 20.
pub(super) const PAUSE_SPAN_MAX: u64 = 22;

/// After a gap a running press must sound again this soon, or it ended in the gap.
pub(super) const AFTER_GAP_SPAN: u64 = 7;

/// A gap longer than this can hide the pause between two presses of one key: 20 ms (S30).
const HIDING_GAP_SPAN: u64 = 20;

/// Pieces back from the end of a hit's block from which a press is looked for: the block, the block before it, which held too little of the press, and the window.
const LOOK_BACK: u64 = 40;

/// A hit that never sounded is given up after this many pieces.
const PATIENCE: u64 = 56;

/// The verdict reads this far back from the end; with the pause that ended the press it is still in the history.
const VERDICT_SPAN: u64 = 90;

/// Pieces from a free edge that a verdict leaves out: the edge is known to 1 ms.
const MARGIN: u32 = 2;

/// Least pieces of evidence: the inside of the shortest press that a loss cut. They must also be half of what came: a press sounds
/// throughout.
const EVIDENCE_LEAST: usize = 8;

/// Low and high tone of a piece, brought to zero frequency: real and imaginary parts of both.
pub(super) type Sums = Lanes;

/// The follower of a pair. It stays where it is and begins anew there: the rings, 3.4 KB, are neither cleared nor moved, for nothing before `begin` is read.
pub(super) struct Press {
    /// Which, while a press is followed.
    pair: Option<Pair>,
    waves: Demodulator,
    sums: [Sums; PIECES],
    /// What the window that ends with each piece holds.
    windows: [[f32; 2]; PIECES],
    /// How many pieces of that window came.
    counts: [u8; PIECES],
    /// One bit for each piece of the ring that sounds, and for each that never came; the others are silent.
    sounding_pieces: u128,
    missing_pieces: u128,
    window: Sums,
    window_count: u8,
    begin: u64,
    next: u64,
    reference: [f32; 2],
    /// First and one past the last sounding piece.
    sounding: Option<(u64, u64)>,
    silent_since: u64,
    missing_since: u64,
    ambiguous: bool,
}

/// What a press came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) is_digit: bool,
    pub(super) ambiguous: bool,
}

impl Verdict {
    /// Length in pieces.
    pub(super) fn span(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

impl Press {
    /// Follows nothing.
    pub(super) fn idle() -> Self {
        Self {
            pair: None,
            waves: Demodulator::new(Pair::new(0, 0)),
            sums: [Lanes::all(0.0); PIECES],
            windows: [[0.0; 2]; PIECES],
            counts: [0; PIECES],
            sounding_pieces: 0,
            missing_pieces: 0,
            window: Lanes::all(0.0),
            window_count: 0,
            begin: 0,
            next: 0,
            reference: [0.0; 2],
            sounding: None,
            silent_since: 0,
            missing_since: 0,
            ambiguous: false,
        }
    }

    /// Follows `pair` after a hit in the block that ends at piece `end`, but not before piece `not_before`.
    pub(super) fn start(&mut self, pair: Pair, end: u64, not_before: u64, history: &History) {
        self.forget();
        self.pair = Some(pair);
        self.waves = Demodulator::new(pair);
        self.begin = end.saturating_sub(LOOK_BACK).max(not_before.min(end));
        self.next = self.begin;
        self.demodulate_to(end, history);
        self.reference = self.mean_power(end);
        for piece in self.begin..end {
            self.mark(piece);
        }
    }

    /// Follows nothing any more.
    pub(super) fn forget(&mut self) {
        if let Some(pair) = &mut self.pair {
            pair.wipe();
        }
        self.pair = None;
        (self.sounding_pieces, self.missing_pieces) = (0, 0);
        (self.window, self.window_count) = (Lanes::all(0.0), 0);
        self.sounding = None;
        (self.silent_since, self.missing_since) = (0, 0);
        self.ambiguous = false;
    }

    /// The pair that is followed.
    pub(super) fn pair(&self) -> Option<Pair> {
        self.pair
    }

    /// Follows nothing any more, and writes over what tells which pairs there were.
    pub(super) fn wipe(&mut self) {
        self.forget();
        self.sums.fill(Lanes::all(0.0));
        self.windows.fill([0.0; 2]);
        self.waves = Demodulator::new(Pair::new(0, 0));
        self.reference = [0.0; 2];
        // A compiler must not take this for work whose result nobody needs.
        black_box(self);
    }

    /// Takes the pieces that have come since.
    pub(super) fn follow(&mut self, history: &History) {
        let from = self.next;
        self.demodulate_to(history.pieces(), history);
        for piece in from..self.next {
            self.mark(piece);
            if self.is_over() {
                break;
            }
        }
    }

    /// The same pair was hit again: a window within the new block may be louder than the first block was.
    pub(super) fn hit_again(&mut self) {
        let heard = self.mean_power(self.next);
        for (reference, heard) in self.reference.iter_mut().zip(heard) {
            *reference = reference.max(heard);
        }
    }

    /// True once the press has ended, or there was none.
    pub(super) fn is_over(&self) -> bool {
        if self.sounding.is_none() {
            return self.next >= self.begin + PATIENCE;
        }
        let pause_max = if self.missing_since > 0 {
            AFTER_GAP_SPAN
        } else {
            PAUSE_SPAN_MAX
        };
        self.silent_since > pause_max
    }

    fn demodulate_to(&mut self, end: u64, history: &History) {
        let coming = bits(self.next, end);
        self.sounding_pieces &= !coming;
        self.missing_pieces = self.missing_pieces & !coming | history.missing() & coming;
        for piece in self.next..end {
            let place = sample::ring_index(piece, PIECES);
            let samples = history.piece(piece);
            self.sums[place] = self.waves.take(samples);
            self.windows[place] = self.slide(piece, samples.is_some());
            self.counts[place] = self.window_count;
        }
        self.next = self.next.max(end);
    }

    /// Mean power of both tones over the windows that lie within the newest block; before the press there were none.
    fn mean_power(&self, end: u64) -> [f32; 2] {
        const WINDOWS: u64 = 9;
        let mut sum = [0.0; 2];
        for window_end in end.saturating_sub(WINDOWS).max(self.begin)..end {
            let power = self.windows[sample::ring_index(window_end, PIECES)];
            sum = [sum[0] + power[0], sum[1] + power[1]];
        }
        sum.map(|power| power / 9.0)
    }

    /// Moves the window on by one piece: the newest comes, the oldest goes.
    fn slide(&mut self, piece: u64, came: bool) -> [f32; 2] {
        let place = sample::ring_index(piece, PIECES);
        let oldest = piece.checked_sub(sample::span(WINDOW));
        if let Some(oldest) = oldest.filter(|oldest| *oldest >= self.begin) {
            self.window_count -= u8::from(!self.is_missing(oldest));
            self.window = self.window - self.sums[sample::ring_index(oldest, PIECES)];
        }
        self.window_count += u8::from(came);
        self.window += self.sums[place];
        if piece.is_multiple_of(RENEW_PIECES) {
            self.renew(piece);
        }
        let [a, b, c, d] = self.window.0;
        [a * a + b * b, c * c + d * d]
    }

    /// Takes the rounding of many steps out of the window.
    fn renew(&mut self, last: u64) {
        self.window = Lanes::all(0.0);
        let first = (last + 1).saturating_sub(sample::span(WINDOW));
        for piece in first.max(self.begin)..=last {
            self.window += self.sums[sample::ring_index(piece, PIECES)];
        }
    }

    fn sounds_in(&self, last: u64, reference: [f32; 2]) -> bool {
        let place = sample::ring_index(last, PIECES);
        let power = self.windows[place];
        let count = usize::from(self.counts[place]);
        let filled = sample::count_f32(count) / sample::count_f32(WINDOW);
        let least = SOUNDING_SHARE * filled * filled;
        count >= WINDOW / 2 && power[0] >= least * reference[0] && power[1] >= least * reference[1]
    }

    /// Judges the middle of the window that `last` completes.
    fn mark(&mut self, last: u64) {
        let Some(middle) = last
            .checked_sub(AHEAD)
            .filter(|middle| *middle >= self.begin)
        else {
            return;
        };
        if self.is_missing(middle) {
            self.missing_since += 1;
            return;
        }
        if !self.sounds_in(last, self.reference) {
            self.silent_since += 1;
            return;
        }
        self.sounding_pieces |= bit(middle);
        self.ambiguous |= self.sounding.is_some() && self.missing_since > HIDING_GAP_SPAN;
        let start = self.sounding.map_or(middle, |(start, _)| start);
        self.sounding = Some((start, middle + 1));
        self.silent_since = 0;
        self.missing_since = 0;
    }

    /// What the press was. Asked once, when it is over.
    pub(super) fn verdict(&mut self, history: &History) -> Option<Verdict> {
        let (pair, (start, end)) = self.pair.zip(self.sounding)?;
        if end - start < CUT_SPAN_LEAST {
            return None;
        }
        let from = start.max(end.saturating_sub(VERDICT_SPAN));
        let tones = self.evidence(pair, from, end, history)?;
        if from == start {
            self.measure_again(tones);
        }
        let (start, end) = self.sounding?;
        Some(Verdict {
            start,
            end,
            is_digit: self.is_long_enough(start, end),
            ambiguous: self.ambiguous,
        })
    }

    /// Judges the pieces that surely hold the press; yields the power of its tones in a whole window.
    fn evidence(&self, pair: Pair, from: u64, end: u64, history: &History) -> Option<[f32; 2]> {
        let mut inside = self.inside(from, end);
        let len = sample::length(u64::from(inside.count_ones())).min(EVIDENCE_MAX);
        if len < EVIDENCE_LEAST {
            return None;
        }
        // Those that are not missing are no fewer than those that came, and sooner counted.
        let here = sample::length(u64::from(
            (bits(from, end) & !history.missing()).count_ones(),
        ));
        if len < EVIDENCE_MAX && len < here / 2 {
            let came = (from..end).filter(|piece| history.came(*piece)).count();
            if len < came / 2 {
                return None;
            }
        }
        let mut evidence = Evidence::new();
        let mut tuner = Tuner::new();
        // The newest: a key that bounces does so at its start.
        for _ in len..sample::length(u64::from(inside.count_ones())) {
            inside &= inside - 1;
        }
        while inside != 0 {
            let place = u8::try_from(inside.trailing_zeros()).unwrap_or(u8::MAX);
            let piece = from + u64::from(place);
            inside &= inside - 1;
            if let Some(samples) = history.piece(piece) {
                evidence.push(place, samples);
                tuner.add(place, self.sums[sample::ring_index(piece, PIECES)]);
            }
        }
        let deviations = tuner.deviations([pair.row(), 4 + pair.column()])?;
        let tones = evidence.judge(pair, deviations)?;
        let nominal = nominal_hz(pair);
        Some([0, 1].map(|tone| {
            let off =
                radians(tones[tone].hz - nominal[tone]) / 2.0 * sample::count_f32(WINDOW * PIECE);
            let loss = if off.abs() < 1e-3 {
                1.0
            } else {
                off.sin() / off
            };
            (sample::count_f32(WINDOW * PIECE) / 2.0 * tones[tone].amplitude * loss).powi(2)
        }))
    }

    /// Sounding pieces whose neighbours sound or are missing, one bit each, the lowest for piece `from`.
    fn inside(&self, from: u64, end: u64) -> u128 {
        let mut near = self.sounding_pieces | self.missing_pieces;
        // Before the first piece nothing is silent, as long as its place in the ring is no later one's.
        let margin = u64::from(MARGIN);
        if self.next < self.begin + sample::span(PIECES) - margin {
            near |= bits(self.begin.saturating_sub(margin), self.begin);
        }
        let all_near = (1..=MARGIN).fold(near, |all, pieces| {
            all & near.rotate_left(pieces) & near.rotate_right(pieces)
        });
        let first = bit(from).trailing_zeros();
        (self.sounding_pieces & all_near & bits(from, end)).rotate_right(first)
    }

    fn is_missing(&self, piece: u64) -> bool {
        self.missing_pieces & bit(piece) != 0
    }

    /// Finds the edges again with the true power of both tones.
    fn measure_again(&mut self, reference: [f32; 2]) {
        let Some((start, end)) = self.sounding else {
            return;
        };
        let first = start.saturating_sub(2 * AHEAD).max(self.begin);
        let last = (end + 2 * AHEAD).min(self.next.saturating_sub(AHEAD + 1));
        let sounds =
            |middle: &u64| !self.is_missing(*middle) && self.sounds_in(middle + AHEAD, reference);
        let start = (first..=last).find(sounds);
        let end = (first..=last).rev().find(sounds);
        self.sounding = start.zip(end).map(|(start, end)| (start, end + 1));
    }

    fn is_long_enough(&self, start: u64, end: u64) -> bool {
        let span = end.saturating_sub(start);
        let before = self.missing_run((self.begin..start).rev());
        let after = self.missing_run(end..self.next);
        let credit = before.min(GAP_CREDIT_SPAN) + after.min(GAP_CREDIT_SPAN);
        let cut = credit > 0 && span >= CUT_SPAN_LEAST && span + credit >= CUT_SPAN_WITH_GAP_LEAST;
        span >= SPAN_LEAST || cut
    }

    /// Missing pieces from an edge on, the edge's own millisecond left out.
    fn missing_run(&self, pieces: impl Iterator<Item = u64>) -> u64 {
        let missing = |piece: &u64| self.is_missing(*piece);
        let run = pieces.take(PIECES / 2).skip_while(|piece| !missing(piece));
        sample::span(run.take_while(missing).count())
    }
}

/// Both tones of a pair over a piece, backwards in phase, and how far they turn in it.
struct PairWaves {
    samples: [Lanes; PIECE],
    step: Lanes,
}

/// By row and column.
static PAIRS: LazyLock<[[PairWaves; 4]; 4]> = LazyLock::new(|| {
    std::array::from_fn(|row| std::array::from_fn(|column| PairWaves::of(row, 4 + column)))
});

impl PairWaves {
    fn of(low: usize, high: usize) -> Self {
        let back = |tone: usize, samples: usize| {
            -radians(sample::narrow(tone_hz(tone))) * sample::count_f32(samples)
        };
        let at = |samples: usize| {
            let (low, high) = (back(low, samples), back(high, samples));
            Lanes([low.cos(), low.sin(), high.cos(), high.sin()])
        };
        Self {
            samples: std::array::from_fn(at),
            step: at(PIECE),
        }
    }
}

/// Brings both tones of a pair to zero frequency.
struct Demodulator {
    waves: &'static PairWaves,
    turn: Lanes,
    taken: u32,
}

impl Demodulator {
    fn new(pair: Pair) -> Self {
        Self {
            waves: &PAIRS[pair.row()][pair.column()],
            turn: Lanes([1.0, 0.0, 1.0, 0.0]),
            taken: 0,
        }
    }

    fn take(&mut self, samples: Option<&[i16; PIECE]>) -> Sums {
        let sums = samples.map_or(Lanes::all(0.0), |samples| {
            gather(&self.waves.samples, &samples.map(f32::from)).times(self.turn)
        });
        self.advance();
        sums
    }

    fn advance(&mut self) {
        self.taken += 1;
        self.turn = self.turn.times(self.waves.step);
        if self.taken.is_multiple_of(64) {
            // Rounding must not let a long press fade.
            let [a, b, c, d] = self.turn.0;
            let (low, high) = (a.hypot(b), c.hypot(d));
            self.turn = Lanes([a / low, b / low, c / high, d / high]);
        }
    }
}
