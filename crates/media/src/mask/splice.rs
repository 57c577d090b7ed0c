//! Where the held-back samples enter and leave the stream.
//! Owns: the output timeline of a leg that becomes protected and stops being so.
//! Never: reads a sample before the gate while protection holds.
//!
//! Unprotected packets go out as they came, without delay. Entering protection repeats the last 96 masked samples, cross-faded
//! over 8 ms; from then on output timestamp `t` carries the sample of `t - 96`. Leaving skips 96 samples the same way. Output
//! timestamps never jump at either.

use super::gate::{Gate, Masked};
use super::outbox::{Outbox, Outgoing};
use crate::delay_line::{HOLD_SAMPLES, LINE_SAMPLES};
use crate::sample;

/// Samples of the cross-fade: 8 ms, more than one pitch period of most voices.
const OVERLAP_SAMPLES: usize = 64;

/// Samples compared to find a spot where 96 samples may be skipped unheard.
const MATCH_SAMPLES: u64 = 128;

/// Normalised correlation at a lag of 96 samples that counts as a match of pitch.
const MATCH_LEAST: f32 = 0.6;

/// Mean square below which a skip is inaudible whatever the pitch: about -45 dBm0.
const QUIET_POWER: f32 = 7_900.0;

const HELD: u64 = sample::span(HOLD_SAMPLES);
const OVERLAP: u64 = sample::span(OVERLAP_SAMPLES);

/// An exit whose fade is complete waits for the packet's end no longer than this: a gap filled before a packet of 120 ms is more than the lines
/// hold. It enters again then, with the held samples still on them.
const WAIT_SPAN_MAX: u64 = sample::span(LINE_SAMPLES - HOLD_SAMPLES);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not protected: packets are relayed past this.
    Through,
    /// Cross-fading from no delay to 96 samples, begun at this output timestamp.
    Entering(u64),
    /// Protected.
    Delayed,
    /// Cross-fading from 96 samples of delay to none, begun at this output timestamp.
    Exiting(u64),
}

/// What becomes of an exit whose fade is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The packet is not complete.
    Wait,
    /// A key was suspected meanwhile: enter again.
    TurnBack,
    /// Everything heard so far leaves, the held samples as they came; protection is over.
    Finish,
}

/// The way from masked samples to output samples.
#[derive(Debug, Clone)]
pub(super) struct Splice {
    stage: Stage,
    next: u64,
}

impl Splice {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Through,
            next: 0,
        }
    }

    pub(super) fn is_through(&self) -> bool {
        self.stage == Stage::Through
    }

    /// True while what is sent and how does not depend on when it is asked for: nothing fades.
    pub(super) fn is_steady(&self) -> bool {
        matches!(self.stage, Stage::Through | Stage::Delayed)
    }

    /// True while protected output flows and an exit may begin.
    pub(super) fn is_delayed(&self) -> bool {
        self.stage == Stage::Delayed
    }

    /// Output from `ts` on comes from here.
    pub(super) fn enter(&mut self, ts: u64) {
        self.stage = Stage::Entering(ts);
        self.next = ts;
    }

    /// Begins to skip the delay.
    pub(super) fn exit(&mut self) {
        self.stage = Stage::Exiting(self.next);
    }

    /// The fades need samples that will not come soon: go on delayed.
    pub(super) fn settle(&mut self) {
        if self.stage != Stage::Through {
            self.stage = Stage::Delayed;
        }
    }

    /// The output timeline jumps ahead with the input's.
    pub(super) fn skip(&mut self, span: u64) {
        self.next += span;
    }

    /// Sends what has been judged; `exit` says what becomes of an exit whose fade is complete.
    pub(super) fn advance(&mut self, gate: &Gate, outbox: &mut Outbox, exit: Exit) {
        loop {
            match self.stage {
                Stage::Through => return,
                Stage::Delayed if self.next >= HELD => return self.pass_on(gate, outbox),
                Stage::Delayed => {
                    if self.next - HELD.min(self.next) >= gate.judged_end() {
                        return;
                    }
                    let delayed = gate.masked_at(self.next.saturating_sub(HELD));
                    self.send(outbox, delayed.linear, delayed.clear, false);
                }
                Stage::Entering(since) if self.next - since >= OVERLAP => {
                    self.stage = Stage::Delayed
                }
                Stage::Exiting(since) if self.next - since >= OVERLAP => match exit {
                    Exit::Wait if gate.heard_end() - self.next < WAIT_SPAN_MAX => return,
                    Exit::Wait => self.stage = Stage::Entering(self.next),
                    Exit::TurnBack => self.stage = Stage::Entering(self.next),
                    Exit::Finish => self.finish_exit(gate, outbox),
                },
                Stage::Entering(since) | Stage::Exiting(since) => {
                    if self.next >= gate.judged_end() {
                        return;
                    }
                    self.send_overlap(gate, outbox, since);
                }
            }
        }
    }

    /// Nothing fades: what has been judged leaves as it is.
    fn pass_on(&mut self, gate: &Gate, outbox: &mut Outbox) {
        let lap = sample::span(LINE_SAMPLES);
        while self.next - HELD < gate.judged_end() {
            let from = self.next - HELD;
            let to = gate.judged_end().min(from + lap);
            for (linear, clear) in gate.masked_stretch(from, to) {
                outbox.push_delayed(self.next, linear, clear);
                self.next += sample::span(linear.len());
            }
        }
    }

    /// Sends the rest of an entry whose direct samples are missing, as a fade-in of the delayed ones.
    pub(super) fn force(&mut self, gate: &Gate, outbox: &mut Outbox) {
        while let Stage::Entering(since) = self.stage
            && self.next - since < OVERLAP
            && self.next.saturating_sub(HELD) < gate.judged_end()
        {
            self.send_overlap(gate, outbox, since);
        }
        self.settle();
    }

    fn send_overlap(&mut self, gate: &Gate, outbox: &mut Outbox, since: u64) {
        let entering = matches!(self.stage, Stage::Entering(_));
        let gone = sample::count_f32(sample::length(self.next - since) + 1)
            / sample::count_f32(OVERLAP_SAMPLES + 1);
        let delayed_weight = if entering { gone } else { 1.0 - gone };
        let direct = gate.masked_at(self.next);
        let delayed = gate.masked_at(self.next.saturating_sub(HELD));
        let mixed = mix(delayed, direct, delayed_weight);
        self.send(outbox, mixed, delayed.clear, direct.clear);
    }

    fn finish_exit(&mut self, gate: &Gate, outbox: &mut Outbox) {
        self.stage = Stage::Through;
        while self.next < gate.judged_end() {
            let judged = gate.masked_at(self.next);
            self.send(outbox, judged.linear, false, judged.clear);
        }
        while self.next < gate.heard_end() {
            let linear = gate.unmasked_at(self.next);
            self.send(outbox, linear, false, true);
        }
    }

    fn send(&mut self, outbox: &mut Outbox, linear: i16, delayed: bool, direct: bool) {
        outbox.push(Outgoing {
            ts: self.next,
            linear,
            delayed,
            direct,
        });
        self.next += 1;
    }
}

fn mix(delayed: Masked, direct: Masked, delayed_weight: f32) -> i16 {
    let sum = f32::from(delayed.linear) * delayed_weight
        + f32::from(direct.linear) * (1.0 - delayed_weight);
    sample::from_f32(sum)
}

/// True where 96 samples may be skipped: the newest masked samples are quiet, or repeat themselves at that lag.
pub(super) fn may_skip(gate: &Gate) -> bool {
    let end = gate.judged_end();
    let (mut power, mut lagged_power, mut product) = (0.0, 0.0, 0.0);
    for ts in end.saturating_sub(MATCH_SAMPLES)..end {
        let now = f32::from(gate.masked_at(ts).linear);
        let before = f32::from(gate.masked_at(ts.saturating_sub(HELD)).linear);
        power += now * now;
        lagged_power += before * before;
        product += now * before;
    }
    let quiet = power < QUIET_POWER * 128.0;
    quiet || product > MATCH_LEAST * (power * lagged_power).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{FLAT_TONE_HZ, FlatTone};

    /// A gate that has heard so many samples, each its own number, and has judged all but the newest 96.
    fn heard(gate: &mut Gate, len: u64) {
        for _ in 0..len {
            gate.hear(&[i16::try_from(gate.heard_end()).unwrap()]);
            gate.judge_to(gate.heard_end().saturating_sub(HELD));
        }
    }

    /// Output samples and whether they are the direct ones, from a gate that goes on by `len` samples after an exit began.
    fn left_after(len: u64, last: Exit) -> (Vec<(u64, i16, bool)>, bool) {
        let mut gate = Gate::new(FlatTone::new(FLAT_TONE_HZ));
        let (mut splice, mut outbox) = (Splice::new(), Outbox::new());
        splice.enter(0);
        heard(&mut gate, 2_000);
        splice.advance(&gate, &mut outbox, Exit::TurnBack);
        let waiting = outbox.len();
        outbox.pop_run(waiting, |_, _, _| ());
        splice.exit();
        for at in 1..=len {
            heard(&mut gate, 1);
            let exit = if at == len { last } else { Exit::Wait };
            splice.advance(&gate, &mut outbox, exit);
        }
        let mut left = Vec::new();
        let from = 2_000;
        let waiting = outbox.len();
        outbox.pop_run(waiting, |at, linear, origin| {
            left.push((from + at as u64, linear, origin.delayed.is_none()));
        });
        (left, splice.is_through())
    }

    #[test]
    fn an_exit_ends_with_the_packet_and_no_sample_is_lost() {
        let (left, is_through) = left_after(960, Exit::Finish);
        assert!(is_through);
        assert_eq!(left.len(), 960);
        for (ts, linear, _) in &left[64..] {
            assert_eq!(*ts, linear.cast_unsigned().into());
        }
    }

    #[test]
    fn an_exit_that_waits_for_longer_than_the_lines_hold_enters_again() {
        let (left, is_through) = left_after(1_440, Exit::Finish);
        assert!(!is_through);
        assert_eq!(left.len(), 1_440);
        for (ts, linear, is_direct) in left {
            let back = ts - u64::from(linear.cast_unsigned());
            let known = if is_direct { back == 0 } else { back <= HELD };
            assert!(known, "{ts} is {linear}");
        }
    }
}
