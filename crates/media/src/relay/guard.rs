//! The consumer's way to the agent while the call is protected, and what listens along it.
//! Owns: the mask, its clock (S25), the frames that come of it, the presses heard on the way.
//! Never: yields a consumer's sample that did not pass the mask; decides when protection begins.

mod reframe;

use std::time::{Duration, Instant};

use secret::Key;

use super::egress::Framing;
use super::framer::{Framer, Take, frame_duration};
use super::ingress::Placed;
use super::keys::Tally;
use super::output::{Outputs, RelayEvent};
use super::reorder::Reorder;
use super::scratch::{Frames, Lent};
use super::side::Side;
use super::timeline::TIMELINE_START;
use super::trace::{Trace, Traced};
use crate::delay_line::HOLD_SAMPLES;
use crate::dtmf::telephone_event::{EventDecoder, EventPacket, EventSignal};
use crate::egress_guard::{EgressGuard, Verdict};
use crate::leg::{Leg, LegPlan};
use crate::mask::{PathConfig, ProtectedPath, Protection, SelfCheckError};
use crate::sample;
use crate::sample::{duration_of, samples_in};
use reframe::is_other_duration;

/// How long after a packet was due the held samples leave without it (S25).
const FLUSH_AFTER: Duration = Duration::from_millis(10);

/// A press in the audio that begins this soon after arming, or after the first audio heard since, sounded before it: 10 ms, the reporter's
/// error and more than any hand.
const BEFORE_ARMING_SPAN: u64 = 80;

/// Audio may be this far behind the events beside it: 60 ms of jitter.
const LATE_SPAN_MAX: u64 = 480;

/// What the mask holds back, and looks back to when it begins.
const HELD_SPAN: u64 = sample::span(HOLD_SAMPLES);

/// Audio packets of 20 ms until the far side shows another duration.
const INPUT_SPAN_FIRST: u64 = 160;

/// What the protected leg waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LegClock {
    /// Nothing is held that could be sent.
    Idle,
    /// The next packet; then what is held leaves without it.
    Flush(Instant),
    /// An event runs: the next frame of tone.
    Tone(Instant),
}

/// Whether a press counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// A capture may be listening.
    On,
    /// Masked and no more.
    Off,
}

/// Where masked frames go.
pub(super) struct Way<'relay> {
    pub(super) agent: &'relay mut Side,
    pub(super) outputs: &'relay mut Outputs,
    pub(super) egress_guard: &'relay mut EgressGuard,
    pub(super) scratch: &'relay mut Lent<Frames>,
    pub(super) record: bool,
    pub(super) counting: Counting,
}

/// An audio packet of the consumer.
#[derive(Clone, Copy)]
pub(super) struct Heard<'relay> {
    pub(super) now: Instant,
    pub(super) at: Instant,
    pub(super) ts: u64,
    pub(super) samples: &'relay [i16],
}

/// The consumer's way.
pub(super) struct Guard {
    path: ProtectedPath,
    framer: Framer,
    clock: LegClock,
    reorder: Reorder,
    events: EventDecoder,
    pub(super) tally: Tally,
    agent_events: EventDecoder,
    flat_tone_hz: f32,
    input_span: u64,
    /// When the end of the path's timeline was the present.
    advanced_at: Instant,
    skipped: u64,
    /// Packets of the consumer's that are missing since the audio heard last.
    missing: u64,
    /// The next frame is the first after a pause in which nothing was lost.
    resumes: bool,
    /// The agent's packets are to have another duration than the consumer's.
    reframes: bool,
    /// What is framed came unprotected.
    is_reframing: bool,
    armed_ts: u64,
    /// Where the audio heard since arming, or read since, begins: a press that sounds there may be older.
    first_heard: Option<u64>,
    /// Keys are looked for in the audio.
    is_reading: bool,
    /// The consumer's codec is one that keys are read in; else each that is heard is one that nobody can read.
    is_legible: bool,
    /// The newest event's press is known to the tally.
    is_event_counted: bool,
    /// Events that began before this are not relayed: they began under protection.
    open_ts: u64,
    trace: Option<Box<Trace>>,
    /// A deliberate defect.
    #[cfg(any(test, feature = "planted"))]
    mask_off: Option<super::planted::MaskOff>,
}

impl Guard {
    /// `plans`: the consumer's and the agent's.
    pub(super) fn new(plans: [&LegPlan; 2], flat_tone_hz: f32, now: Instant) -> Self {
        let [consumer, agent] = plans;
        let is_legible = consumer.codec.reads_keys();
        let mut path = ProtectedPath::new(PathConfig { flat_tone_hz });
        path.expect_blurred(consumer.codec.remembers());
        Self {
            path,
            framer: Framer::new(),
            clock: LegClock::Idle,
            reorder: Reorder::new(),
            events: EventDecoder::new(),
            tally: Tally::new(consumer.telephone_event_in.is_some()),
            agent_events: EventDecoder::new(),
            flat_tone_hz,
            input_span: INPUT_SPAN_FIRST,
            advanced_at: now,
            skipped: 0,
            missing: 0,
            resumes: false,
            reframes: is_other_duration(agent, INPUT_SPAN_FIRST),
            is_reframing: false,
            armed_ts: 0,
            first_heard: None,
            is_reading: true,
            is_legible,
            is_event_counted: false,
            open_ts: 0,
            trace: None,
            #[cfg(any(test, feature = "planted"))]
            mask_off: None,
        }
    }

    #[cfg(any(test, feature = "planted"))]
    pub(super) fn plant_mask_off(&mut self) {
        self.mask_off = Some(super::planted::MaskOff::new());
    }

    /// See [`super::Relay::look`].
    pub(super) fn look(&self) -> u64 {
        let is_protecting = self.is_protecting();
        let path = if is_protecting {
            self.path.look(self.input_span)
        } else {
            0
        };
        path ^ self.input_span ^ u64::from(is_protecting) ^ u64::from(self.events.is_running())
    }

    /// Only masked audio leaves.
    pub(super) fn is_protecting(&self) -> bool {
        self.path.state() != Protection::Unprotected
    }

    /// One past the newest sample that the mask has heard or sent in the consumer's name.
    pub(super) fn heard_end(&self) -> u64 {
        self.path.heard_end()
    }

    /// Silences the consumer towards everyone.
    pub(super) fn mute(&mut self, on: bool) {
        self.path.muted(on);
    }

    /// Frequency of the tone that stands for a key.
    pub(super) fn flat_tone_hz(&self) -> f32 {
        self.flat_tone_hz
    }

    /// The mask proves itself (S29).
    pub(super) fn self_check(&self) -> Result<(), SelfCheckError> {
        self.path.shadow_press()
    }

    /// Keeps the origins of what leaves from now on.
    pub(super) fn trace(&mut self) {
        self.trace.get_or_insert_with(|| Box::new(Trace::new()));
    }

    pub(super) fn poll_traced(&mut self) -> Option<Traced> {
        self.trace.as_mut()?.poll()
    }

    /// Audio or an event that began at `ts` may be relayed: it did not begin under protection.
    pub(super) fn may_relay(&self, ts: u64) -> bool {
        ts >= self.open_ts
    }
}

/// Entering and leaving.
impl Guard {
    /// Protection begins at `end`, one past the newest audio relayed. Yields the timestamp from which the mask holds.
    pub(super) fn arm(&mut self, now: Instant, end: u64, way: &mut Way<'_>) -> u64 {
        if self.is_protecting() {
            self.armed_ts = self.path.arm(end);
            return self.armed_ts;
        }
        self.end_reframing(way);
        // What nobody listened to is a gap: the rest of a press that is too short for a window would pass unheard behind it (S26).
        self.path.push_gap(end.saturating_sub(HELD_SPAN), HELD_SPAN);
        let ts = self.path.arm(end);
        self.armed_ts = ts;
        self.first_heard = None;
        self.is_reading = true;
        (self.skipped, self.missing, self.resumes) = (0, 0, false);
        self.advanced_at = now;
        self.clock = LegClock::Flush(now + self.patience());
        self.reorder.clear();
        self.tally.clear();
        way.agent.encoder.begin_anew();
        self.framer.restart(
            ts,
            duration_of(self.input_span),
            self.output_duration(&way.agent.plan),
        );
        way.agent.close_event(way.outputs);
        if self.events.is_running() {
            self.begin_tone(now, ts, way);
        }
        ts
    }

    /// Protection may end when the mask finds a clean moment.
    pub(super) fn disarm(&mut self) {
        self.tally.clear();
        self.path.disarm(self.path.heard_end());
    }

    /// Protection that was to end goes on for this much more, and then until a clean moment comes.
    pub(super) fn stay(&mut self, span: u64) {
        self.path.arm(self.path.heard_end());
        self.path.disarm(self.path.heard_end() + span);
    }

    /// The mask has been left: sends what is framed, forgets the presses. Yields the timestamp of the first sample that left unjudged: those held
    /// back went out as they came, and from then on packets are relayed.
    pub(super) fn finish(&mut self, way: &mut Way<'_>) -> u64 {
        self.send(Take::All, way);
        self.open_ts = self.path.heard_end();
        self.clock = LegClock::Idle;
        self.reorder.clear();
        self.tally.clear();
        self.path.forget_reports();
        if !self.events.is_running() {
            self.events.wipe();
        }
        self.open_ts.saturating_sub(sample::span(HOLD_SAMPLES))
    }

    /// The call is over.
    pub(super) fn wipe(&mut self) {
        self.reorder.clear();
        self.tally.clear();
        self.path.forget_reports();
        self.events.wipe();
        self.agent_events.wipe();
    }

    /// One of the legs was renegotiated.
    pub(super) fn replan(&mut self, leg: Leg, before: &LegPlan, plan: &LegPlan) {
        if leg == Leg::Consumer {
            self.path.expect_blurred(plan.codec.remembers());
            self.is_legible = plan.codec.reads_keys();
        }
        match leg {
            Leg::Consumer if before.telephone_event_in == plan.telephone_event_in => {}
            Leg::Consumer => self.tally.negotiate(plan.telephone_event_in.is_some()),
            Leg::Agent => {
                self.reframes = is_other_duration(plan, self.input_span);
                self.framer
                    .set_durations(duration_of(self.input_span), self.output_duration(plan));
            }
        }
    }

    fn output_duration(&self, agent: &LegPlan) -> Duration {
        frame_duration(agent.ptime, agent.maxptime, duration_of(self.input_span))
    }

    fn patience(&self) -> Duration {
        duration_of(self.input_span) + FLUSH_AFTER
    }
}

/// The consumer's packets.
impl Guard {
    /// Audio of an unprotected call: the mask listens, so that arming finds its history.
    pub(super) fn watch(&mut self, ts: u64, samples: &[i16]) {
        self.path.push_audio(ts, samples);
    }

    /// Notes how long packets are, and that a packet other than an event came.
    pub(super) fn note_packet(&mut self, span: u64, placed: &Placed, agent: &LegPlan) {
        if placed.newest {
            self.events.note_audio();
        }
        self.note_missing(placed.missing);
        if span > 0 && span != self.input_span {
            self.input_span = span;
            self.reframes = is_other_duration(agent, span);
        }
    }

    /// Packets of the consumer's are missing.
    pub(super) fn note_missing(&mut self, packets: u64) {
        self.missing += packets;
    }

    /// Samples of the consumer's audio packets.
    pub(super) fn input_span(&self) -> u64 {
        self.input_span
    }

    /// The consumer's timestamps stand for places `span` later from now on.
    pub(super) fn note_moved(&mut self, span: u64) {
        self.events.move_timeline(span);
    }

    /// Audio under protection.
    pub(super) fn hear(&mut self, heard: Heard<'_>, way: &mut Way<'_>) {
        let before = self.path.heard_end();
        let input = duration_of(self.input_span);
        let output = self.output_duration(&way.agent.plan);
        self.framer.set_durations(input, output);
        if input == output && heard.ts >= before {
            self.framer.align(heard.ts);
        }
        #[cfg(any(test, feature = "planted"))]
        if let Some(mask_off) = &mut self.mask_off {
            mask_off.keep(heard.ts, heard.samples);
        }
        self.path.push_audio(heard.ts, heard.samples);
        self.drain(heard.now, way);
        self.missing = 0;
        if self.path.heard_end() > before {
            self.advanced_at = heard.at;
            self.clock = match self.clock {
                LegClock::Tone(due) => {
                    LegClock::Tone(due.max(heard.at + self.framer.frame_duration()))
                }
                LegClock::Idle | LegClock::Flush(_) => LegClock::Flush(heard.now + self.patience()),
            };
        }
        self.first_heard.get_or_insert(heard.ts);
        self.heed_source();
        if self.tally.reads_audio() {
            if !std::mem::replace(&mut self.is_reading, true) {
                self.first_heard = Some(heard.ts);
            }
            let path = &mut self.path;
            if self.is_legible {
                let report = |ts, samples: &[i16]| path.report_audio(ts, samples);
                self.reorder.push(heard.ts, heard.samples, report);
            } else {
                path.report_gap(heard.ts, sample::span(heard.samples.len()));
            }
        }
        self.count_heard(heard.now, way);
    }

    /// Where keys are signalled the audio is not read: what was read of it is forgotten, so that none of it is joined to what may be read later.
    fn heed_source(&mut self) {
        self.path.expect_told_keys(self.tally.expects_told_keys());
        if self.is_reading && !self.tally.reads_audio() {
            self.is_reading = false;
            self.reorder.clear();
            self.path.forget_reports();
        }
    }

    /// Takes an event packet; what it means is obeyed if the call is protected.
    pub(super) fn handle_event(
        &mut self,
        now: Instant,
        packet: EventPacket,
        rebased: bool,
        way: &mut Way<'_>,
    ) {
        if rebased {
            self.events.note_rebase();
        }
        let stale = self.events.stale_packets();
        if let Some(signal) = self.events.handle_packet(packet) {
            self.obey(now, signal, way);
            self.heed_source();
        }
        if stale == self.events.stale_packets() && self.is_event_counted {
            let end = self.events.newest_end().min(self.latest_end());
            self.tally.note_event_end(now, end);
        }
        let ended = packet.ts.saturating_add(u64::from(packet.payload.duration));
        if !self.events.is_running() && matches!(self.clock, LegClock::Tone(_)) {
            self.end_tone(now, ended);
        }
    }

    /// No press can have ended later: what its sender says of its duration may be anything.
    fn latest_end(&self) -> u64 {
        self.path.heard_end() + LATE_SPAN_MAX
    }

    fn obey(&mut self, now: Instant, signal: EventSignal, way: &mut Way<'_>) {
        if matches!(signal, EventSignal::Pressed { .. }) {
            self.is_event_counted = false;
        }
        if !self.is_protecting() {
            return;
        }
        match signal {
            EventSignal::Pressed { code, ts } => {
                self.begin_tone(now, ts, way);
                match (code.key(), way.counting) {
                    // What came of it came after arming; it began before.
                    (Some(_), _) if ts < self.armed_ts => self.tally.withhold(),
                    (Some(key), Counting::On) => {
                        self.tally.note_event(now, key, ts, way.outputs);
                        self.is_event_counted = true;
                    }
                    (Some(_), Counting::Off) => self.tally.withhold(),
                    (None, _) => {}
                }
            }
            EventSignal::Resumed { ts } => self.begin_tone(now, ts, way),
            EventSignal::Unclear { code, ts } => {
                self.begin_tone(now, ts, way);
                if self.is_event_counted && code.key().is_some() {
                    way.outputs.event(RelayEvent::TonesUnclear);
                }
            }
            EventSignal::Released { ts } => self.end_tone(now, ts),
        }
    }

    /// From here the tone comes from the clock, not from event packets. Time since the last audio is filled at once.
    fn begin_tone(&mut self, now: Instant, ts: u64, way: &mut Way<'_>) {
        self.path.event_started(ts);
        let frame = self.framer.frame_span();
        let frames = samples_in(now.saturating_duration_since(self.advanced_at)) / frame;
        self.advance(frames * frame);
        self.drain(now, way);
        self.clock = LegClock::Tone(self.advanced_at + self.framer.frame_duration());
    }

    fn end_tone(&mut self, now: Instant, ts: u64) {
        self.path.event_ended(ts.min(self.latest_end()));
        self.clock = LegClock::Flush(now + self.patience());
    }

    /// So many samples pass without audio.
    fn advance(&mut self, span: u64) {
        if span > 0 {
            self.path.push_gap(self.path.heard_end(), span);
            self.advanced_at += duration_of(span);
        }
    }

    /// Digits that the reporter has found.
    fn count_heard(&mut self, now: Instant, way: &mut Way<'_>) {
        let since = self.armed_ts.max(self.first_heard.unwrap_or(0));
        while let Some(digit) = self.path.poll_digit() {
            if way.counting == Counting::Off || digit.start < since + BEFORE_ARMING_SPAN {
                self.tally.withhold();
            } else {
                self.tally.note_audio(now, &digit, way.outputs);
            }
        }
        while let Some(start) = self.path.poll_unread() {
            if way.counting == Counting::On && start >= since + BEFORE_ARMING_SPAN {
                self.tally.note_unread(now, way.outputs);
            }
        }
    }
}

/// The agent's keys: never counted, but their echo is known (S31).
impl Guard {
    /// The key that was pressed with this packet, if one was.
    pub(super) fn note_agent_event(
        &mut self,
        now: Instant,
        packet: EventPacket,
        rebased: bool,
    ) -> Option<Key> {
        if rebased {
            self.agent_events.note_rebase();
        }
        let EventSignal::Pressed { code, .. } = self.agent_events.handle_packet(packet)? else {
            return None;
        };
        let key = code.key()?;
        if self.is_protecting() {
            self.tally.note_agent_key(key, now);
        }
        Some(key)
    }

    pub(super) fn note_info(&mut self, now: Instant, key: Key, present: u64, way: &mut Way<'_>) {
        self.path.key_told(present);
        match way.counting {
            Counting::On => self.tally.note_info(now, key, present, way.outputs),
            Counting::Off => self.tally.withhold(),
        }
    }
}

/// The clock.
impl Guard {
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let clock = match self.clock {
            LegClock::Idle => None,
            LegClock::Flush(due) | LegClock::Tone(due) => Some(due),
        };
        let timers = [
            clock.filter(|_| self.is_protecting()),
            self.framer.next_timeout(),
            self.events.next_timeout(),
            self.agent_events.next_timeout(),
            self.tally.next_timeout(),
        ];
        timers.into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, way: &mut Way<'_>) {
        if let Some(signal) = self.events.handle_timeout(now) {
            self.obey(now, signal, way);
        }
        self.agent_events.handle_timeout(now);
        match self.clock {
            LegClock::Flush(due) if due <= now => self.flush(now, way),
            LegClock::Tone(due) if due <= now => self.sound(now, due, way),
            LegClock::Idle | LegClock::Flush(_) | LegClock::Tone(_) => {}
        }
        self.send(Take::Due(now), way);
        self.tally.handle_timeout(now, way.outputs);
    }

    /// No packet came in time: what is held leaves, judged or silenced.
    fn flush(&mut self, now: Instant, way: &mut Way<'_>) {
        self.clock = LegClock::Idle;
        if !self.is_protecting() {
            return;
        }
        self.path.flush();
        self.drain(now, way);
        self.send(Take::All, way);
        let path = &mut self.path;
        self.reorder
            .flush(&mut |ts, samples| path.report_audio(ts, samples));
        self.count_heard(now, way);
    }

    /// The next frame of tone; more if the clock was not asked in time.
    fn sound(&mut self, now: Instant, due: Instant, way: &mut Way<'_>) {
        let frame = self.framer.frame_span();
        let behind = samples_in(now.saturating_duration_since(due)) / frame;
        self.advanced_at = due - self.framer.frame_duration();
        self.advance((behind + 1) * frame);
        self.clock = LegClock::Tone(self.advanced_at + self.framer.frame_duration());
        self.drain(now, way);
    }
}

/// Masked samples into packets.
impl Guard {
    fn drain(&mut self, now: Instant, way: &mut Way<'_>) {
        while let Some((ts, len)) = self.pop(&mut way.scratch.get().popped[..]) {
            #[cfg(any(test, feature = "planted"))]
            if let Some(mask_off) = &self.mask_off {
                mask_off.undo(ts, &mut way.scratch.get().popped[..len]);
            }
            let popped = std::mem::take(&mut way.scratch.get().popped);
            self.frame(now, ts, &popped[..len], way);
            way.scratch.get().popped = popped;
        }
    }

    fn frame(&mut self, now: Instant, ts: u64, samples: &[i16], way: &mut Way<'_>) {
        if ts != self.framer.end() {
            self.jump(ts, way);
        }
        let mut rest = samples;
        while !rest.is_empty() {
            let taken = self.framer.push(rest);
            rest = &rest[taken..];
            let crowded = taken == 0;
            self.send(if crowded { Take::All } else { Take::Due(now) }, way);
        }
    }

    fn pop(&mut self, popped: &mut [i16]) -> Option<(u64, usize)> {
        let path = &mut self.path;
        match &mut self.trace {
            None => path.pop_masked(popped),
            Some(trace) => trace.pop(path, popped),
        }
    }

    /// The output timeline jumps ahead. What of it was lost is a gap in the sequence numbers (S26); a pause of the phone is none.
    fn jump(&mut self, ts: u64, way: &mut Way<'_>) {
        self.send(Take::All, way);
        let passed = ts.saturating_sub(self.framer.end());
        let lost = passed.min(std::mem::take(&mut self.missing) * self.input_span);
        self.skipped += lost / self.framer.frame_span();
        self.resumes |= lost == 0;
        self.framer.jump_to(ts);
    }

    fn send(&mut self, take: Take, way: &mut Way<'_>) {
        while let Some((ts, len)) = self.framer.take(take, &mut way.scratch.get().frame[..]) {
            let Frames { frame, bytes, .. } = way.scratch.get();
            let mut octets = way.agent.encoder.encode(&frame[..len], &mut bytes[..]);
            if !self.is_reframing {
                octets = judge_and_record(ts, (len, octets), way);
            }
            let framing = Framing {
                payload_type: way.agent.plan.payload_type_out,
                marker: std::mem::take(&mut self.resumes),
                ts,
                span: sample::span(len),
            };
            let skipped = std::mem::take(&mut self.skipped);
            let bytes = &way.scratch.get().bytes[..octets];
            if let Err(reason) = way.agent.send(way.outputs, framing, skipped, bytes) {
                way.agent.note_drop(reason);
            }
        }
    }
}

/// The last look at a frame that came of the mask, of so many samples and octets, and the recorder's part of it. Says how many octets leave.
fn judge_and_record(ts: u64, (len, octets): (usize, usize), way: &mut Way<'_>) -> usize {
    let Frames { frame, bytes, .. } = way.scratch.get();
    let encoder = &mut way.agent.encoder;
    let mut leaving = octets;
    if encoder.judge(way.egress_guard, &bytes[..octets]) == Verdict::Silence {
        frame[..len].fill(0);
        leaving = encoder.silence(len, &mut bytes[..]);
    }
    if way.record {
        let position = ts.saturating_sub(TIMELINE_START);
        way.outputs.record(Leg::Consumer, position, &frame[..len]);
    }
    leaving
}
