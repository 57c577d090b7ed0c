//! Which presses a stream of event packets means, whatever the sender's habits.
//! Owns: the identity of a press: retransmissions, lost packets, moving timestamps and segments are one press.
//! Never: trusts a marker or a duration alone; waits for an end packet to report.
//!
//! A press is reported at the first packet of it that arrives, whichever that is. It ends with its end packet, with the next press, or
//! 120 ms after its last update.

use std::time::{Duration, Instant};

use super::{EventCode, EventPayload};
use crate::sample::samples_in;

/// A press without updates for this long is over: six lost packets at 20 ms, two at 50 ms.
const UPDATE_TIMEOUT: Duration = Duration::from_millis(120);

/// An end packet with a timestamp of its own, this soon after an end of the same event, repeats it: some relays stamp each anew.
const END_REPEAT_SPAN_MAX: Duration = Duration::from_millis(40);

/// A press of this duration or more may continue in a new segment: its sender's 16-bit duration is about to overflow (RFC 4733
/// section 2.5.1.3). 60,000 of 65,535 leaves room for lost updates.
const SEGMENT_DURATION_LEAST: u16 = 60_000;
const SEGMENT_STEP: std::ops::RangeInclusive<u64> = 58_000..=73_000;

/// Largest step of a timestamp that moves within a press: a packet of 60 ms.
const MOVING_STEP_MAX: u64 = 480;

/// Largest such step over lost packets, once a sender is known to do it: 120 ms.
const MOVING_STEP_OVER_LOSS_MAX: u64 = 960;

/// A step of the timestamp fits the time that has passed if they differ by no more than a packet, 20 ms; by 60 ms of jitter it may still.
const STEP_FITS_SPAN: u64 = 160;
const STEP_MAY_FIT_SPAN: u64 = 480;

/// Longest time without a packet of a press that goes on: a burst of 200 ms and 60 ms of jitter.
const LOSS_MAX: Duration = Duration::from_millis(260);

/// Which key a press was is forgotten this long after its last packet: 1 s, in which every straggler has come. Its timestamps are kept.
const CODE_KEPT: Duration = Duration::from_secs(1);

/// Presses remembered to recognise their stragglers.
const PAST_PRESSES: usize = 4;

/// One event packet, placed on the stream's timelines.
#[derive(Debug, Clone, Copy)]
pub struct EventPacket {
    /// Extended sequence number.
    pub sequence: u64,
    /// Audio is not counted by these numbers.
    pub apart: bool,
    /// Extended timestamp: the event's start.
    pub ts: u64,
    /// The marker bit.
    pub marker: bool,
    /// It begins where another event of the same packet has ended.
    pub follows: bool,
    /// What it says.
    pub payload: EventPayload,
    /// When it arrived.
    pub at: Instant,
}

/// What a packet, or the lack of one, means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSignal {
    /// A press begins. If another was running, it is over.
    Pressed {
        /// Which.
        code: EventCode,
        /// Extended timestamp of its start.
        ts: u64,
    },
    /// A press that was given up goes on: mask it, but it is no new press.
    Resumed {
        /// Extended timestamp of its start.
        ts: u64,
    },
    /// The press goes on, or the same key was pressed again, and what would tell was lost: mask it, and ask for the field again.
    Unclear {
        /// Which.
        code: EventCode,
        /// Extended timestamp of its start.
        ts: u64,
    },
    /// The press is over.
    Released {
        /// Extended timestamp of its end, as far as its sender said.
        ts: u64,
    },
}

/// The presses of one stream.
#[derive(Debug, Clone)]
pub struct EventDecoder {
    current: Option<Press>,
    past: [Option<Past>; PAST_PRESSES],
    audio_since: u64,
    moves_timestamps: bool,
    /// Durations are known to grow within a press.
    grows: bool,
    rebased: bool,
    stale: u64,
    /// When the next code is to be forgotten.
    forget_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Ended,
    TimedOut,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    /// Nothing once it is forgotten.
    code: Option<EventCode>,
    start: u64,
    /// Timestamp of the newest packet: the start, unless the sender moves it.
    ts: u64,
    duration: u16,
    sequence: u64,
    apart: bool,
    at: Instant,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
struct Past {
    code: Option<EventCode>,
    first_ts: u64,
    last_ts: u64,
    at: Instant,
}

/// How a packet relates to the press before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    New,
    /// Same or new, nobody can tell.
    Unclear,
    /// Belongs to a press that is over, or to one that nobody saw in time.
    Stale,
}

impl EventDecoder {
    /// A decoder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            current: None,
            past: [None; PAST_PRESSES],
            audio_since: 0,
            moves_timestamps: false,
            grows: false,
            rebased: false,
            stale: 0,
            forget_at: None,
        }
    }

    /// A packet of the same stream that is no event arrived in order.
    pub fn note_audio(&mut self) {
        self.audio_since = self.audio_since.saturating_add(1);
    }

    /// The stream changed its SSRC or its counters: timestamps from now on do not compare with those before.
    pub fn note_rebase(&mut self) {
        self.rebased = true;
    }

    /// The same RTP timestamps stand for places `span` later from now on: known presses move with them.
    pub fn move_timeline(&mut self, span: u64) {
        if let Some(press) = &mut self.current {
            press.start = press.start.saturating_add(span);
            press.ts = press.ts.saturating_add(span);
        }
        for past in self.past.iter_mut().flatten() {
            past.first_ts = past.first_ts.saturating_add(span);
            past.last_ts = past.last_ts.saturating_add(span);
        }
    }

    /// A press is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.current
            .is_some_and(|press| press.phase == Phase::Running)
    }

    /// Extended timestamp of the end of the newest press, as far as its sender has said; 0 before the first.
    #[must_use]
    pub fn newest_end(&self) -> u64 {
        self.current.map_or(0, |press| press.end())
    }

    /// Packets that came too late to belong to anything.
    #[must_use]
    pub fn stale_packets(&self) -> u64 {
        self.stale
    }

    /// Forgets every press, and writes over what it was.
    pub fn wipe(&mut self) {
        for code in self.codes() {
            wipe(code.0);
        }
        self.past = [None; PAST_PRESSES];
        self.current = None;
        self.forget_at = None;
    }

    /// The codes that are known, or were, each with when its last packet came.
    fn codes(&mut self) -> impl Iterator<Item = (&mut Option<EventCode>, Instant)> {
        let current = self.current.iter_mut();
        let current = current.map(|press| (&mut press.code, press.at));
        let past = self.past.iter_mut().flatten();
        current.chain(past.map(|past| (&mut past.code, past.at)))
    }

    fn forget_codes(&mut self, now: Instant) {
        let mut next: Option<Instant> = None;
        for (code, at) in self.codes() {
            let due = at + CODE_KEPT;
            if due <= now {
                wipe(code);
            } else if code.is_some() {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        }
        self.forget_at = next;
    }

    /// Takes the next packet, in order of arrival.
    pub fn handle_packet(&mut self, packet: EventPacket) -> Option<EventSignal> {
        let relation = self.relate(&packet);
        self.rebased = false;
        match relation {
            Relation::Same => self.update(&packet),
            Relation::Unclear => {
                self.update(&packet);
                let ts = self.current.map_or(packet.ts, |press| press.start);
                let code = packet.payload.code;
                Some(EventSignal::Unclear { code, ts })
            }
            Relation::New => Some(self.begin(&packet)),
            Relation::Stale => {
                self.stale += 1;
                None
            }
        }
    }

    /// When [`EventDecoder::handle_timeout`] is due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.update_due().into_iter().chain(self.forget_at).min()
    }

    fn update_due(&self) -> Option<Instant> {
        self.current
            .filter(|press| press.phase == Phase::Running)
            .map(|press| press.at + UPDATE_TIMEOUT)
    }

    /// Closes a press whose updates have stopped, and forgets which key those of a second ago were.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<EventSignal> {
        if self.forget_at.is_some_and(|due| due <= now) {
            self.forget_codes(now);
        }
        self.update_due().filter(|due| *due <= now)?;
        let press = self.current.as_mut()?;
        press.phase = Phase::TimedOut;
        Some(EventSignal::Released { ts: press.end() })
    }

    fn relate(&mut self, packet: &EventPacket) -> Relation {
        let Some(press) = self.current else {
            return Relation::New;
        };
        if self.rebased {
            return relate_after_rebase(&press, packet);
        }
        if may_be(press.code, packet) && (press.start..=press.ts).contains(&packet.ts) {
            return Relation::Same;
        }
        if self.is_past(packet) || packet.ts < press.ts {
            return Relation::Stale;
        }
        if press.code == Some(packet.payload.code) && !packet.follows {
            return self.continues(&press, packet);
        }
        Relation::New
    }

    fn is_past(&self, packet: &EventPacket) -> bool {
        self.past.iter().flatten().any(|past| {
            may_be(past.code, packet) && (past.first_ts..=past.last_ts).contains(&packet.ts)
        })
    }

    /// A later timestamp of the same event: is it the same press?
    fn continues(&mut self, press: &Press, packet: &EventPacket) -> Relation {
        let step = packet.ts - press.ts;
        let since = packet.at.saturating_duration_since(press.at);
        let one_counter = packet.apart == press.apart;
        let is_same = match press.phase {
            Phase::Ended => {
                let straggles = one_counter && packet.sequence < press.sequence;
                let ends_again = packet.payload.end && since <= END_REPEAT_SPAN_MAX;
                return Relation::same_if(straggles || ends_again);
            }
            Phase::Running => self.runs_on(press, packet, step),
            Phase::TimedOut => press.is_next_segment(step) && !packet.marker,
        };
        if is_same {
            Relation::Same
        } else {
            self.weigh(press, packet, since)
        }
    }

    /// A later timestamp while no update is overdue.
    fn runs_on(&mut self, press: &Press, packet: &EventPacket, step: u64) -> bool {
        let between = if press.apart { 0 } else { self.audio_since };
        let unbroken =
            packet.apart == press.apart && packet.sequence <= press.sequence + between + 1;
        if unbroken && step <= MOVING_STEP_MAX {
            self.moves_timestamps = true;
            return true;
        }
        // No packet is missing, so no end was lost: a duration that goes on is this press, wherever its sender's clock has jumped.
        let goes_on = unbroken && !packet.marker && packet.payload.duration > press.duration;
        let end_of_this = packet.payload.end && step <= MOVING_STEP_MAX && !packet.marker;
        let moves_on = self.moves_timestamps && step <= MOVING_STEP_OVER_LOSS_MAX;
        press.is_next_segment(step) || goes_on || end_of_this || moves_on
    }

    /// Packets were lost, an end may be among them. A press that began with the step has lasted no longer than it, and a timestamp that moves with the
    /// press has moved by the time that has passed.
    fn weigh(&mut self, press: &Press, packet: &EventPacket, since: Duration) -> Relation {
        if packet.marker {
            return Relation::New;
        }
        let step = packet.ts - press.ts;
        let misfit = step.abs_diff(samples_in(since));
        let (before, duration) = (press.duration, packet.payload.duration);
        let is_short = step <= MOVING_STEP_MAX;
        // Nothing of a key is as short as a short step.
        let is_older = duration > before && (is_short || u64::from(duration) > step);
        if is_older && (is_short || misfit <= STEP_FITS_SPAN) {
            self.moves_timestamps = true;
            return Relation::Same;
        }
        // A sender whose durations never grow tells nothing by them.
        let is_mute = !self.grows && duration == before && since <= LOSS_MAX;
        if (is_older || is_mute) && misfit <= STEP_MAY_FIT_SPAN {
            return Relation::Unclear;
        }
        Relation::New
    }

    fn begin(&mut self, packet: &EventPacket) -> EventSignal {
        if let Some(press) = self.current.take() {
            self.past.rotate_right(1);
            self.past[0] = Some(Past {
                code: press.code,
                first_ts: press.start,
                last_ts: press.ts,
                at: press.at,
            });
        }
        self.audio_since = 0;
        self.forget_at.get_or_insert(packet.at + CODE_KEPT);
        self.current = Some(Press {
            code: Some(packet.payload.code),
            start: packet.ts,
            ts: packet.ts,
            duration: packet.payload.duration,
            sequence: packet.sequence,
            apart: packet.apart,
            at: packet.at,
            phase: if packet.payload.end {
                Phase::Ended
            } else {
                Phase::Running
            },
        });
        EventSignal::Pressed {
            code: packet.payload.code,
            ts: packet.ts,
        }
    }

    fn update(&mut self, packet: &EventPacket) -> Option<EventSignal> {
        self.audio_since = 0;
        self.forget_at.get_or_insert(packet.at + CODE_KEPT);
        let press = self.current.as_mut()?;
        press.code = Some(packet.payload.code);
        press.ts = packet.ts;
        self.grows |= packet.payload.duration > press.duration;
        press.duration = packet.payload.duration;
        press.sequence = if packet.apart == press.apart {
            press.sequence.max(packet.sequence)
        } else {
            packet.sequence
        };
        press.apart = packet.apart;
        press.at = packet.at;
        match (press.phase, packet.payload.end) {
            (Phase::Running, true) => {
                press.phase = Phase::Ended;
                Some(EventSignal::Released { ts: press.end() })
            }
            (Phase::TimedOut, true) => {
                press.phase = Phase::Ended;
                None
            }
            (Phase::TimedOut, false) => {
                press.phase = Phase::Running;
                Some(EventSignal::Resumed { ts: press.start })
            }
            (Phase::Running, false) | (Phase::Ended, _) => None,
        }
    }
}

impl Relation {
    fn same_if(is_same: bool) -> Self {
        if is_same { Self::Same } else { Self::New }
    }
}

impl Press {
    /// A step to the next segment of a press that is too long for its duration.
    fn is_next_segment(&self, step: u64) -> bool {
        self.duration >= SEGMENT_DURATION_LEAST && SEGMENT_STEP.contains(&step)
    }

    fn end(&self) -> u64 {
        self.ts.saturating_add(u64::from(self.duration))
    }
}

/// A press of this code, or of one that is forgotten.
fn may_be(code: Option<EventCode>, packet: &EventPacket) -> bool {
    code.is_none_or(|code| code == packet.payload.code)
}

/// Zeroes a code where it stands.
fn wipe(code: &mut Option<EventCode>) {
    if let Some(code) = code {
        code.wipe();
    }
    *code = None;
}

/// Timestamps do not compare: the same event that was just running, or has just ended, goes on unless it plainly starts over.
fn relate_after_rebase(press: &Press, packet: &EventPacket) -> Relation {
    let since = packet.at.saturating_duration_since(press.at);
    let starts_over = packet.marker && packet.payload.duration < press.duration;
    let runs_on = press.phase == Phase::Running && since <= UPDATE_TIMEOUT && !starts_over;
    let ends_on = packet.payload.end && since <= END_REPEAT_SPAN_MAX;
    if press.code == Some(packet.payload.code) && (runs_on || ends_on) {
        Relation::Same
    } else {
        Relation::New
    }
}

impl Default for EventDecoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        decoder: EventDecoder,
        now: Instant,
        sequence: u64,
    }

    impl Scene {
        fn new() -> Self {
            Self {
                decoder: EventDecoder::new(),
                now: Instant::now(),
                sequence: 0,
            }
        }

        fn take(&mut self, code: u8, ts: u64, duration: u16, end: bool) -> Option<EventSignal> {
            self.now += Duration::from_millis(20);
            self.sequence += 1;
            self.decoder.handle_packet(EventPacket {
                sequence: self.sequence,
                apart: false,
                ts,
                marker: false,
                follows: false,
                payload: EventPayload {
                    code: EventCode::new(code),
                    end,
                    volume: 10,
                    duration,
                },
                at: self.now,
            })
        }

        fn wait(&mut self, millis: u64) {
            let until = self.now + Duration::from_millis(millis);
            while let Some(due) = self.decoder.next_timeout().filter(|due| *due <= until) {
                self.now = self.now.max(due);
                self.decoder.handle_timeout(self.now);
            }
            self.now = until;
        }

        fn codes_known(&mut self) -> usize {
            self.decoder
                .codes()
                .filter(|(code, _)| code.is_some())
                .count()
        }
    }

    #[test]
    fn a_second_after_the_last_packet_no_code_is_left_and_stragglers_are_known() {
        let mut scene = Scene::new();
        for press in 0..5_u8 {
            let ts = 10_000 + u64::from(press) * 1_600;
            scene.take(press, ts, 160, false);
            scene.take(press, ts, 320, true);
        }
        assert_eq!(scene.codes_known(), 5);
        scene.wait(990);
        assert_eq!(scene.codes_known(), 1);
        scene.wait(10);
        assert_eq!(
            (scene.codes_known(), scene.decoder.next_timeout()),
            (0, None)
        );
        for press in 0..5_u8 {
            let ts = 10_000 + u64::from(press) * 1_600;
            assert_eq!(scene.take(press, ts, 320, true), None);
        }
        assert!(matches!(
            scene.take(4, 40_000, 160, false),
            Some(EventSignal::Pressed { .. })
        ));
        scene.wait(2_000);
        assert_eq!(
            (scene.codes_known(), scene.decoder.next_timeout()),
            (0, None)
        );
    }
}
