//! The protected path: decoded consumer audio in, masked audio out.
//! Owns: the one choke point between the consumer's voice and everyone who listens (agent, recorder, supervisor).
//! Never: runs on a clock, counts fed samples instead of timestamps, or lets a sample out that was not judged.
//!
//! ```text
//! push_audio ─> trigger ─┐
//!      └──────> gate (96 samples held, covers) ─> masked line ─> splice (enter/leave) ─> mute ─> pop_masked
//! ```

mod copies;
mod gate;
mod outbox;
mod self_check;
mod splice;
#[cfg(test)]
mod tests;
mod unread;

pub use outbox::Origin;
pub use self_check::SelfCheckError;

use crate::delay_line::{HOLD_SAMPLES, LINE_SAMPLES};
use crate::dtmf::inband::analysis::HOP_SAMPLES;
use crate::dtmf::inband::trigger::{Context, Hearing, Trigger};
use crate::dtmf::inband::{InbandDigit, Reporter};
use crate::sample;
use crate::tone::{FADE_SAMPLES, FLAT_TONE_HZ, Fade, FlatTone};
use copies::Copies;
use gate::Gate;
use outbox::Outbox;
use splice::{Exit, Splice};
use unread::Unread;

/// Audio after a gap that is silenced: 8 ms. By then the long window is full and judges what follows.
const AFTER_GAP_SPAN: u64 = 64;

/// A running key's tone continues across gaps up to this: 200 ms (S26).
const KEY_GAP_SPAN_MAX: u64 = 1_600;

/// Longer gaps are a jump of the output timeline instead of samples: 60 ms (S26).
const GAP_FILLED_SPAN_MAX: u64 = 480;

/// The mask holds this long after the last window that held a key: 6 ms. Such a window ends at most 3 ms after the press, so the
/// tone ends 9 ms after it and its edge 11 ms after it; a press that resumes within 12 ms fires before the tone has left.
const HANG_SPAN: u64 = 48;

/// Resumed audio masked after an event's end: 30 ms (S27).
const AFTER_EVENT_SAMPLES: u32 = 240;

/// The trigger listens harder until this long after an event: 300 ms (S24).
const EVENT_HINT_SPAN: u64 = 2_400;

/// Protection is left after this long without key, event or suspicion: 300 ms (S28).
const CLEAN_BEFORE_LEAVING_SPAN: u64 = 2_400;

/// A clean moment that never matches in pitch is used anyway after this: 400 ms.
const MATCH_WAIT_SPAN: u64 = 3_200;

/// When leaving takes longer than this the agent hears silence until it succeeds: 10 s (S28).
const LEAVING_SPAN_MAX: u64 = 80_000;

/// Samples heard at once at most: 60 ms. With those held back and those of a fade they are less than a line.
const STEADY_SAMPLES_MAX: usize = 480;
const _: () = assert!(STEADY_SAMPLES_MAX + 2 * HOLD_SAMPLES < LINE_SAMPLES);

/// Behind the end of a hop, what the hop before it has released.
const RELEASED_SPAN: u64 = sample::span(HOLD_SAMPLES + HOP_SAMPLES);

/// What an operator may choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathConfig {
    /// Frequency of the flat tone, 300-620 Hz; default 560.
    pub flat_tone_hz: f32,
}

impl Default for PathConfig {
    fn default() -> Self {
        Self {
            flat_tone_hz: FLAT_TONE_HZ,
        }
    }
}

/// Whether this path's output replaces the consumer's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Packets are relayed as they came; the path listens and yields no output.
    Unprotected,
    /// Only this path's output may leave.
    Armed,
    /// As armed, until a clean moment comes; then unprotected.
    Leaving,
}

/// One consumer stream's way to everyone who listens. Timestamps are extended RTP timestamps of the consumer's stream (8 kHz), chosen by the
/// relay so that they never run backwards. All memory is taken at creation.
///
/// The law: after every `push_*`, `flush`, `arm` or event call, drain [`ProtectedPath::pop_masked`].
pub struct ProtectedPath {
    config: PathConfig,
    trigger: Trigger,
    reporter: Reporter,
    reported_end: u64,
    unread: Unread,
    gate: Gate,
    splice: Splice,
    outbox: Outbox,
    started: bool,
    leaving_since: Option<u64>,
    dirty_until: u64,
    event: EventMask,
    hint_until: u64,
    /// Keys come blurred: the codec that they were sent in learns while they sound.
    is_blurred: bool,
    copies: Copies,
    /// Where the trigger has heard to. Behind the gate where the clock filled the time of an event before its audio came.
    trigger_end: u64,
    mute: Mute,
}

/// It does not print audio, which may be a key, or keys.
impl std::fmt::Debug for ProtectedPath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ProtectedPath")
            .finish_non_exhaustive()
    }
}

/// Where the mask stands with telephone-events (S27).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventMask {
    /// No event.
    Quiet,
    /// Everything is masked.
    Running,
    /// So many samples of resumed audio are still masked.
    Resuming { ended_at: u64, left: u32 },
    /// Masked until the trigger calls a window clean.
    UntilClean,
}

/// When samples are released; protection ends only between packets, so that whole packets are relayed from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    WithinPacket,
    PacketEnd,
}

/// The consumer is not to be heard at all; fades so that it does not click.
#[derive(Debug, Clone)]
struct Mute {
    on: bool,
    /// Leaving takes too long; cleared when it succeeds.
    leaving: bool,
    position: usize,
    fade: Fade,
}

impl ProtectedPath {
    /// An unprotected path that has heard nothing. Allocates all it will ever need (about 17 KiB).
    #[must_use]
    pub fn new(config: PathConfig) -> Self {
        Self {
            config,
            trigger: Trigger::new(),
            reporter: Reporter::new(),
            reported_end: 0,
            unread: Unread::default(),
            gate: Gate::new(FlatTone::new(config.flat_tone_hz)),
            splice: Splice::new(),
            outbox: Outbox::new(),
            started: false,
            leaving_since: None,
            dirty_until: 0,
            event: EventMask::Quiet,
            hint_until: 0,
            is_blurred: false,
            copies: Copies::default(),
            trigger_end: 0,
            mute: Mute {
                on: false,
                leaving: false,
                position: FADE_SAMPLES,
                fade: Fade::new(),
            },
        }
    }

    /// Takes decoded audio whose first sample has timestamp `ts`. A jump ahead is a gap; samples before the timeline's end are late
    /// and dropped. Feed it on unprotected calls too, so that arming finds 12 ms of history.
    pub fn push_audio(&mut self, ts: u64, linear: &[i16]) {
        self.start_at(ts);
        if ts > self.gate.heard_end() {
            self.gap(ts - self.gate.heard_end());
        }
        let late = sample::length(self.gate.heard_end() - ts).min(linear.len());
        self.begin_exit();
        self.hear_late(ts, &linear[..late]);
        if self.trigger_end < self.gate.heard_end() {
            self.trigger.break_timeline();
        }
        self.hear_all(&linear[late..]);
        self.trigger_end = self.gate.heard_end();
        self.release(Moment::PacketEnd);
    }

    /// The consumer's audio of `ts..ts + len` is missing (lost, or the phone sends none): a gap of `len` samples. Time already heard is
    /// left as it is. While an event runs the relay's clock calls this to keep the tone flowing.
    pub fn push_gap(&mut self, ts: u64, len: u64) {
        self.start_at(ts);
        let end = ts.saturating_add(len);
        if end > self.gate.heard_end() {
            self.gap(end - self.gate.heard_end());
        }
    }

    /// A telephone-event began at `ts`: everything held and everything to come is masked until [`ProtectedPath::event_ended`].
    pub fn event_started(&mut self, ts: u64) {
        self.event = EventMask::Running;
        self.hint_until = self.hint_until.max(ts.saturating_add(EVENT_HINT_SPAN));
        self.copies.event_started(ts);
        self.gate.cover_held_by_key();
        self.note_dirty();
    }

    /// The event ended at `ts` (its end packet, or 120 ms without an update): the first 30 ms of audio from `ts` on are masked, then what
    /// follows until a clean window.
    pub fn event_ended(&mut self, ts: u64) {
        if self.event != EventMask::Running {
            return;
        }
        self.event = EventMask::Resuming {
            ended_at: ts,
            left: AFTER_EVENT_SAMPLES,
        };
        self.hint_until = self.hint_until.max(ts.saturating_add(EVENT_HINT_SPAN));
        self.copies.event_lasts_to(ts);
        self.note_dirty();
    }

    /// Keys may be told by telephone-events or INFO: quiet tones in the audio may be a microphone's copies of them, long before the first is told.
    pub fn expect_told_keys(&mut self, expected: bool) {
        self.copies.expect(expected);
    }

    /// The audio comes in a codec that remembers, as G.722 does: a key's first millisecond is blurred while its step grows, and the trigger is to listen
    /// as hard as beside an event.
    pub fn expect_blurred(&mut self, expected: bool) {
        self.is_blurred = expected;
    }

    /// A key was told by INFO, about `ts`; no tone stands for it (S25).
    pub fn key_told(&mut self, ts: u64) {
        self.copies.event_started(ts);
    }

    /// Protection begins: only what [`ProtectedPath::pop_masked`] yields may leave from now on. `ts` is the timestamp of the next packet
    /// expected. Yields the timestamp from which the mask holds. Arming twice changes nothing; arming while leaving stays.
    pub fn arm(&mut self, ts: u64) -> u64 {
        self.start_at(ts);
        self.leaving_since = None;
        if self.splice.is_through() {
            self.splice.enter(self.gate.heard_end());
            self.unread.clear();
        }
        self.gate.heard_end()
    }

    /// Protection may end: after 300 ms without key, event or suspicion. Watch [`ProtectedPath::state`]; keep draining until it says
    /// `Unprotected`. After 10 s the agent hears silence while it goes on waiting.
    pub fn disarm(&mut self, ts: u64) {
        if !self.splice.is_through() && self.leaving_since.is_none() {
            self.leaving_since = Some(ts.max(self.gate.heard_end()));
        }
    }

    /// Where protection stands. It turns `Unprotected` within a `push_audio`; the samples popped after that end just before the next packet.
    #[must_use]
    pub fn state(&self) -> Protection {
        match (self.splice.is_through(), self.leaving_since) {
            (true, _) => Protection::Unprotected,
            (false, None) => Protection::Armed,
            (false, Some(_)) => Protection::Leaving,
        }
    }

    /// True while a key press or an event is being masked at the newest samples.
    #[must_use]
    pub fn is_masking(&self) -> bool {
        self.trigger.is_running() || self.event != EventMask::Quiet
    }

    /// The consumer is silenced towards everyone (S13: spoken digits), mask or no mask, with 2 ms fades.
    pub fn muted(&mut self, on: bool) {
        self.mute.on = on;
    }

    /// Sends everything held now, judged or silenced: the relay's deadline has passed without a packet (S25). A running key goes on as
    /// the flat tone.
    pub fn flush(&mut self) {
        if self.splice.is_through() {
            return;
        }
        self.give_up_held();
        self.send_all_judged();
    }

    /// Takes masked samples into the front of `linear`: one unbroken run of the output timeline, its start timestamp and its length. Nothing
    /// if none wait. A run that starts later than the last one ended is a jump over a long gap.
    pub fn pop_masked(&mut self, linear: &mut [i16]) -> Option<(u64, usize)> {
        let (start, len) = self.outbox.pop(linear)?;
        self.mute.apply_all(&mut linear[..len]);
        Some((start, len))
    }

    /// As [`ProtectedPath::pop_masked`], with the origin of each sample: the proof that no sample of a press has any weight.
    pub fn pop_traced(
        &mut self,
        linear: &mut [i16],
        origins: &mut [Origin],
    ) -> Option<(u64, usize)> {
        let capacity = linear.len().min(origins.len());
        let mute = &mut self.mute;
        self.outbox.pop_run(capacity, |position, value, origin| {
            linear[position] = mute.apply(value);
            origins[position] = if mute.is_silent() {
                Origin::default()
            } else {
                origin
            };
        })
    }

    /// See [`crate::relay::Relay::look`]; `span` samples are about to come, 60 ms at most.
    pub(crate) fn look(&self, span: u64) -> u64 {
        let span = span.min(sample::span(STEADY_SAMPLES_MAX));
        let lines = self.gate.look(span) ^ self.outbox.look(sample::length(span));
        self.trigger.look() ^ lines
    }

    /// Samples waiting to be popped.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Timestamp one past the newest input sample: where the next packet is expected.
    #[must_use]
    pub fn heard_end(&self) -> u64 {
        self.gate.heard_end()
    }

    /// Plays a shadow press through a fresh copy of this path, configured like it, and proves that none of it comes out (S29). Allocates; not
    /// for the packet path.
    ///
    /// # Errors
    /// Says what came out that must not, or what was missing.
    pub fn shadow_press(&self) -> Result<(), SelfCheckError> {
        self_check::shadow_press(self.config)
    }
}

/// The digits of the stream. They are read behind the relay's reorder buffer (60 ms, S30): only the mask never waits.
impl ProtectedPath {
    /// Takes audio in order for the reporter; a jump ahead of what it heard is a gap, what it heard already is skipped.
    pub fn report_audio(&mut self, ts: u64, linear: &[i16]) {
        self.reported_end = self.reported_end.max(ts + sample::span(linear.len()));
        self.reporter.push_audio(ts, linear);
    }

    /// The audio of `ts..ts + len` never came, the reorder buffer gave it up.
    pub fn report_gap(&mut self, ts: u64, len: u64) {
        self.reported_end = self.reported_end.max(ts.saturating_add(len));
        self.reporter.push_gap(ts, len);
    }

    /// The next digit keyed in the audio, at the latest 22 ms of audio after its end.
    pub fn poll_digit(&mut self) -> Option<InbandDigit> {
        let digit = self.reporter.poll_digit()?;
        self.unread.read(digit.start, digit.end);
        Some(digit)
    }

    /// Forgets what was read, and writes over it: reading begins anew with the next audio.
    pub fn forget_reports(&mut self) {
        self.reporter.wipe();
        self.unread.clear();
    }

    /// The next press that was masked and is no digit although it should be: where it began. Ask when there are no more digits.
    pub fn poll_unread(&mut self) -> Option<u64> {
        self.unread.poll(self.reported_end)
    }
}

/// How samples move.
impl ProtectedPath {
    fn start_at(&mut self, ts: u64) {
        if !self.started {
            self.started = true;
            self.gate.jump_to(ts);
        }
    }

    /// Audio of an event whose time the clock has filled already. It is masked; what sounds in it may go on when the event has ended.
    fn hear_late(&mut self, ts: u64, linear: &[i16]) {
        let Some(known) = self.trigger_end.checked_sub(ts).map(sample::length) else {
            return;
        };
        for value in linear.get(known..).unwrap_or_default() {
            self.trigger_end += 1;
            let end = self.trigger_end;
            if let Some(hearing) = self.trigger.push(*value, end, self.context(end)) {
                self.obey(hearing, end);
            }
        }
    }

    fn hear_all(&mut self, samples: &[i16]) {
        let mut rest = samples;
        while !rest.is_empty() {
            let is_steady = self.event == EventMask::Quiet && self.splice.is_steady();
            // Up to a hop: what is released between two is told by the newest.
            let hops = self.trigger.wanted() + STEADY_SAMPLES_MAX - HOP_SAMPLES;
            let len = if is_steady { rest.len().min(hops) } else { 1 };
            let (now, later) = rest.split_at(len);
            if is_steady {
                self.hear_steadily(now);
            } else {
                self.hear(now[0]);
            }
            rest = later;
        }
    }

    fn hear(&mut self, linear: i16) {
        self.mask_for_event();
        self.gate.hear(&[linear]);
        let end = self.gate.heard_end();
        if let Some(hearing) = self.trigger.push(linear, end, self.context(end)) {
            self.obey(hearing, end);
            self.release(Moment::WithinPacket);
        }
    }

    /// As [`ProtectedPath::hear`] of one after the other. Without event and fade nothing depends on when samples are released, but for where a cover may
    /// still begin: at what the hop before has left.
    fn hear_steadily(&mut self, samples: &[i16]) {
        let mut end = self.gate.heard_end();
        self.gate.hear(samples);
        let mut rest = samples;
        while !rest.is_empty() {
            let (hop, later) = rest.split_at(rest.len().min(self.trigger.wanted()));
            rest = later;
            end += sample::span(hop.len());
            if let Some(hearing) = self.trigger.push_all(hop, end, self.context(end)) {
                if matches!(hearing, Hearing::Key { .. }) {
                    self.gate.judge_to(end.saturating_sub(RELEASED_SPAN));
                }
                self.obey(hearing, end);
            }
        }
        self.release(Moment::WithinPacket);
    }

    /// What is known of the leg where a window ends.
    fn context(&self, end: u64) -> Context {
        Context {
            hinted: self.is_blurred || end < self.hint_until || self.event == EventMask::Running,
            copies: self.copies.may_come(end),
            resuming: matches!(
                self.event,
                EventMask::Resuming { .. } | EventMask::UntilClean
            ),
        }
    }

    fn obey(&mut self, hearing: Hearing, end: u64) {
        match hearing {
            Hearing::Clean => {
                if self.event == EventMask::UntilClean {
                    self.event = EventMask::Quiet;
                }
            }
            Hearing::Suspect => self.dirty_until = self.dirty_until.max(end),
            Hearing::Key { from, echoes, sure } => {
                self.unread.hear(from, end, sure);
                let hang = if echoes {
                    self.copies.hear(end);
                    self.copies.answer_span()
                } else {
                    HANG_SPAN
                };
                self.gate.cover_key(from, end + hang);
                self.dirty_until = self.dirty_until.max(end);
            }
        }
    }

    /// Masks audio during an event and after it, sample by sample: what the phone sends first after an event is often the tail of its own tone.
    fn mask_for_event(&mut self) {
        let now = self.gate.heard_end();
        match self.event {
            EventMask::Quiet => return,
            EventMask::Resuming { left: 0, .. } => self.event = EventMask::UntilClean,
            EventMask::Resuming { ended_at, left } => {
                let spent = u32::from(now >= ended_at);
                self.event = EventMask::Resuming {
                    ended_at,
                    left: left - spent,
                };
            }
            EventMask::Running | EventMask::UntilClean => {}
        }
        self.gate.cover_key(now, now + 1);
        self.note_dirty();
    }

    fn note_dirty(&mut self) {
        self.dirty_until = self.gate.heard_end();
    }

    /// The trigger's look-ahead is over for everything 96 samples old.
    fn release(&mut self, moment: Moment) {
        let end = self
            .gate
            .heard_end()
            .saturating_sub(sample::span(HOLD_SAMPLES));
        self.gate.judge_to(end);
        let suspected = self.dirty_until + CLEAN_BEFORE_LEAVING_SPAN > self.gate.heard_end();
        let exit = match moment {
            Moment::WithinPacket => Exit::Wait,
            Moment::PacketEnd if self.leaving_since.is_none() || suspected => Exit::TurnBack,
            Moment::PacketEnd => Exit::Finish,
        };
        self.splice.advance(&self.gate, &mut self.outbox, exit);
        if self.splice.is_through() {
            self.leaving_since = None;
            self.mute.leaving = false;
        }
    }

    /// Sends every masked sample, fades that wait for more included.
    fn send_all_judged(&mut self) {
        self.release(Moment::WithinPacket);
        self.splice.force(&self.gate, &mut self.outbox);
        self.release(Moment::WithinPacket);
    }

    /// Nothing more will be known about the held samples: tone if a key runs, else silence.
    fn give_up_held(&mut self) {
        let end = self.gate.heard_end();
        if self.trigger.is_running() {
            self.gate.cover_key(self.gate.judged_end(), end);
        }
        self.gate.silence_held();
        self.gate.judge_to(end);
    }

    fn gap(&mut self, len: u64) {
        let start = self.gate.heard_end();
        let end = start + len;
        if self.event == EventMask::Running {
            self.gate.cover_key(self.gate.judged_end(), end);
            self.note_dirty();
        } else if self.trigger.is_running() {
            let bridged = len <= KEY_GAP_SPAN_MAX;
            let until = if bridged {
                end + AFTER_GAP_SPAN
            } else {
                start + KEY_GAP_SPAN_MAX
            };
            self.gate.cover_key(self.gate.judged_end(), until);
            self.note_dirty();
        }
        self.unread.note_gap(start, end, self.trigger.is_running());
        self.gate.silence_held();
        self.gate.silence_until(end + AFTER_GAP_SPAN);
        if self.event != EventMask::Running {
            self.trigger.break_timeline();
            self.trigger_end = end;
        }
        if len > GAP_FILLED_SPAN_MAX {
            self.jump(len);
            return;
        }
        for _ in 0..len {
            self.gate.hear(&[0]);
            self.release(Moment::WithinPacket);
        }
    }

    fn jump(&mut self, len: u64) {
        self.gate.judge_to(self.gate.heard_end());
        self.send_all_judged();
        self.gate.jump_to(self.gate.heard_end() + len);
        self.splice.skip(len);
    }

    fn begin_exit(&mut self) {
        let Some(since) = self.leaving_since else {
            return;
        };
        let now = self.gate.heard_end();
        if now.saturating_sub(since) > LEAVING_SPAN_MAX {
            self.mute.leaving = true;
        }
        let clean_since = self
            .dirty_until
            .max(since.saturating_sub(CLEAN_BEFORE_LEAVING_SPAN))
            + CLEAN_BEFORE_LEAVING_SPAN;
        let patient = now < clean_since + MATCH_WAIT_SPAN;
        if self.splice.is_delayed()
            && now >= clean_since
            && (splice::may_skip(&self.gate) || !patient)
        {
            self.splice.exit();
        }
    }
}

impl Mute {
    fn apply(&mut self, linear: i16) -> i16 {
        self.position = if self.on || self.leaving {
            self.position.saturating_sub(1)
        } else {
            (self.position + 1).min(FADE_SAMPLES)
        };
        if self.position == FADE_SAMPLES {
            return linear;
        }
        sample::from_f32(f32::from(linear) * self.fade.weight(self.position))
    }

    fn apply_all(&mut self, linear: &mut [i16]) {
        let is_wanted = self.on || self.leaving;
        if !is_wanted && self.position == FADE_SAMPLES {
            return;
        }
        for value in linear {
            *value = self.apply(*value);
        }
    }

    fn is_silent(&self) -> bool {
        self.position == 0
    }
}
