//! The agent's way to the consumer while the call is protected (S31).
//! Owns: the agent's samples of the last 12 ms, what of them is a key; the keys themselves, whose echo may come back.
//! Never: exists while nothing is protected and nobody wants the agent's keys; changes the number, the size or the time of the agent's packets.
//!
//! ```text
//! packet ─> trigger ─┐
//!    └────> 96 samples held ─> silence over keys ─> packet of the same place
//!    └────> reporter ─> key of the agent
//! ```

use std::ops::Range;

use crate::delay_line::{CACHE_LINE, HOLD_SAMPLES};
use crate::dtmf::inband::trigger::{Context, Hearing, Trigger};
use crate::dtmf::inband::{InbandDigit, Reporter};
use crate::leg::Codec;
use crate::sample;
use crate::tone::{FADE_SAMPLES, Fade};

/// Audio after a gap that is silenced: 8 ms. By then the trigger's long window is full and judges what follows.
const AFTER_GAP_SPAN: u64 = 64;

/// The silence holds this long after the last window that held a key, as the consumer's mask does: 6 ms.
const HANG_SPAN: u64 = 48;

/// Stretches of key nearer than this are one: 12 ms. Further apart, the first was judged before the second was heard, so that one range is enough.
const BRIDGE_SPAN: u64 = HELD_SPAN;

/// Samples over which the delay is left: 8 ms, more than one pitch period of most voices.
const OVERLAP_SAMPLES: usize = 64;

/// A mask that is no longer needed outlives the last key by this much, 300 ms, as the consumer's does (S28).
const QUIET_SPAN: u64 = 2_400;

const HELD_SPAN: u64 = sample::span(HOLD_SAMPLES);

/// The mask of one agent. In the place of a sample it sends the one of 12 ms before.
pub(super) struct AgentMask {
    trigger: Trigger,
    context: Context,
    reporter: Reporter,
    held: [i16; HOLD_SAMPLES],
    /// One past the newest sample heard.
    end: u64,
    silenced: Range<u64>,
    fade: Fade,
    position: usize,
    echo: Echo,
    sent: i16,
    is_leaving: bool,
    leaves_when_quiet: bool,
}

/// The last sample before a cut, fading, so that the cut does not click.
#[derive(Clone, Copy)]
struct Echo {
    linear: i16,
    left: usize,
}

impl AgentMask {
    /// The mask holds from `end` on, one past the newest audio relayed, whose last sample was `sent`.
    pub(super) fn new(end: u64, sent: i16, codec: Codec) -> Self {
        let mut mask = Self {
            trigger: Trigger::new(),
            context: Context::default(),
            reporter: Reporter::new(),
            held: [0; HOLD_SAMPLES],
            end,
            silenced: 0..0,
            fade: Fade::new(),
            position: FADE_SAMPLES,
            echo: Echo { linear: 0, left: 0 },
            sent,
            is_leaving: false,
            leaves_when_quiet: false,
        };
        mask.speaks(codec);
        mask.break_at(end);
        mask
    }

    /// What the agent's phone speaks from now on: as [`crate::mask::ProtectedPath::expect_blurred`].
    pub(super) fn speaks(&mut self, codec: Codec) {
        self.context.hinted = codec.remembers();
    }

    /// Protection holds again, or the agent's keys are wanted again, before it was left.
    pub(super) fn stay(&mut self) {
        self.is_leaving = false;
        self.leaves_when_quiet = false;
    }

    /// Nobody needs it any more, but the key that was keyed last may sound yet.
    pub(super) fn leave_when_quiet(&mut self) {
        self.leaves_when_quiet = true;
    }

    /// Leaves if no key has sounded for [`QUIET_SPAN`] and nobody needs it.
    pub(super) fn leave_if_quiet(&mut self) {
        if self.leaves_when_quiet && self.end >= self.silenced.end + QUIET_SPAN {
            self.leave();
        }
    }

    /// Protection is over: the next packet leaves the delay.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        self.reporter.wipe();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// The call is over.
    pub(super) fn wipe(&mut self) {
        self.reporter.wipe();
        self.held.fill(0);
    }

    /// See [`super::Relay::look`].
    pub(super) fn look(&self) -> u64 {
        let held = self.held.iter().step_by(CACHE_LINE / size_of::<i16>());
        let held = held.fold(0, |seen, value| seen ^ value.cast_unsigned());
        self.trigger.look() ^ u64::from(held)
    }

    /// The next key of the agent.
    pub(super) fn poll_digit(&mut self) -> Option<InbandDigit> {
        self.reporter.poll_digit()
    }

    /// Takes audio whose first sample has timestamp `ts`, and puts in its place what may be heard there. Says how many samples at its front have
    /// been sent already; `rebased`: it does not go on where the audio before it ended.
    pub(super) fn mask(&mut self, ts: u64, rebased: bool, linear: &mut [i16]) -> usize {
        self.reporter.push_audio(ts, linear);
        let late = self.begin(ts, rebased, linear.len());
        let mut rest = &mut linear[late..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(self.trigger.wanted().min(rest.len()));
            self.pass(now);
            rest = later;
        }
        late
    }

    /// The same for the last packet, within which the delay is left.
    pub(super) fn mask_last(&mut self, ts: u64, rebased: bool, linear: &mut [i16]) -> usize {
        let late = self.begin(ts, rebased, linear.len());
        let rest = &mut linear[late..];
        let overlap = sample::count_f32(rest.len().min(OVERLAP_SAMPLES));
        for (place, value) in rest.iter_mut().enumerate() {
            let direct_weight = (sample::count_f32(place + 1) / overlap).min(1.0);
            let mut delayed = [*value];
            self.pass(&mut delayed);
            let delayed = f32::from(delayed[0]);
            let mixed = delayed + (f32::from(*value) - delayed) * direct_weight;
            *value = sample::from_f32(mixed);
        }
        late
    }

    /// Finds the place of `len` samples from `ts` on: how many of them have been sent already.
    fn begin(&mut self, ts: u64, rebased: bool, len: usize) -> usize {
        let late = sample::length(self.end.saturating_sub(ts)).min(len);
        if late < len && (ts > self.end || rebased) {
            self.break_at(ts.max(self.end));
        }
        late
    }

    /// Takes the next samples of the timeline, as many as the trigger wants at most; puts those of 12 ms before in their place, or what is heard
    /// instead.
    fn pass(&mut self, linear: &mut [i16]) {
        let due = self.end.saturating_sub(HELD_SPAN);
        let end = self.end + sample::span(linear.len());
        if let Some(Hearing::Key { from, .. }) = self.trigger.push_all(linear, end, self.context) {
            self.silence(from, end + HANG_SPAN, due);
        }
        self.hold(linear);
        self.end = end;
        if !self.is_clear(due, end.saturating_sub(HELD_SPAN)) {
            for (ts, value) in (due..).zip(linear.iter_mut()) {
                *value = self.judge(ts, *value);
            }
        }
        self.sent = linear.last().copied().unwrap_or(self.sent);
    }

    /// Holds samples back, and puts those that were held in their place.
    fn hold(&mut self, linear: &mut [i16]) {
        let cell = sample::ring_index(self.end, HOLD_SAMPLES);
        let (front, back) = linear.split_at_mut(linear.len().min(HOLD_SAMPLES - cell));
        self.held[cell..cell + front.len()].swap_with_slice(front);
        self.held[..back.len()].swap_with_slice(back);
    }

    /// The samples of `from..to` are heard as they came, and nothing else sounds: most of a call.
    fn is_clear(&self, from: u64, to: u64) -> bool {
        let is_silenced = from < self.silenced.end && self.silenced.start < to;
        !is_silenced && self.position == FADE_SAMPLES && self.echo.left == 0
    }

    /// Silences `from..to`; what lies before `due` is out. A key that is out already is cut.
    fn silence(&mut self, from: u64, to: u64, due: u64) {
        let goes_on = from <= self.silenced.end.saturating_add(BRIDGE_SPAN);
        let start = if goes_on {
            self.silenced.start.min(from)
        } else {
            from
        };
        let is_silent = goes_on && self.silenced.contains(&due);
        if from < due && !is_silent {
            self.cut();
        }
        self.silenced = start..self.silenced.end.max(to);
    }

    /// The timeline breaks and goes on at `ts`: what was held is not judged any more, nor is what follows until the trigger's windows are full.
    fn break_at(&mut self, ts: u64) {
        self.trigger.break_timeline();
        self.held.fill(0);
        self.end = ts;
        self.silenced = ts.saturating_sub(HELD_SPAN)..ts + AFTER_GAP_SPAN;
        self.cut();
    }

    fn cut(&mut self) {
        if std::mem::take(&mut self.position) > 0 {
            self.echo = Echo {
                linear: self.sent,
                left: FADE_SAMPLES,
            };
        }
    }

    fn judge(&mut self, ts: u64, held: i16) -> i16 {
        self.position = if self.silenced.contains(&ts) {
            self.position.saturating_sub(1)
        } else {
            (self.position + 1).min(FADE_SAMPLES)
        };
        if self.position == FADE_SAMPLES && self.echo.left == 0 {
            return held;
        }
        let heard = f32::from(held) * self.fade.weight(self.position);
        self.echo.left = self.echo.left.saturating_sub(1);
        let echo = f32::from(self.echo.linear) * self.fade.weight(self.echo.left);
        sample::from_f32(heard + echo)
    }
}
