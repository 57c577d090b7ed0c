//! Packets of one far side, put in order.
//! Owns: a stream's place on the relay's timeline, across wraps, SSRC changes and jumps; what RTCP reports about it. Where telephone-events go that have
//! counters of their own is `event_place`.
//! Never: looks into a payload.

use std::time::{Duration, Instant};

use super::event_place::EventPlaces;
use super::timeline::TIMELINE_START;
use crate::leg::Content;
use crate::rtp::{Freshness, RtpHeader, SequenceUnwrap, signed_distance};
use crate::sample::samples_in;

/// Sequence numbers further ahead than this are another stream's (RFC 3550 appendix A.1).
pub(super) const LEAP_MAX: i64 = 3_000;

/// Sequence numbers further behind than this are another stream's: more than any reordering.
pub(super) const BEHIND_MAX: i64 = 100;

/// A timestamp may run ahead of the arrival clock by this much, 1 s, before it is a jump.
const AHEAD_SPAN_MAX: u64 = 8_000;

/// A newer packet may lie this far behind the timeline's end, 60 ms, before it is a jump back.
const BACK_SPAN_MAX: u64 = 480;

/// Packets of the SSRC before a change are dropped for this long; later ones are a change back.
const FORMER_SSRC_QUARANTINE: Duration = Duration::from_millis(200);

/// Audio that goes on where it ended, so long ago (5 s), comes of a clock that stood still meanwhile: no network holds a packet for that long.
const STOOD_SPAN_LEAST: u64 = 40_000;

/// A packet's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Extended sequence number; runs on across changes of stream.
    pub(super) sequence: u64,
    /// Extended timestamp on the relay's timeline.
    pub(super) ts: u64,
    /// Nothing newer had come before it.
    pub(super) newest: bool,
    /// Packets missing before it, if it is the newest.
    pub(super) missing: u64,
    /// The stream begins anew here; an event's timestamp does not compare with those of events before.
    pub(super) rebased: bool,
    /// An event whose sequence numbers are not the audio's.
    pub(super) apart: bool,
}

/// Why a packet has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// It came before.
    Duplicate,
    /// It is too far from anything known.
    OutOfPlace,
}

/// One stream's way onto the timeline.
#[derive(Debug, Clone)]
pub(super) struct Ingress {
    began: Instant,
    pub(super) stream: Option<Stream>,
    pub(super) former: Option<(u32, Instant)>,
    pub(super) events: EventPlaces,
    /// Number of the newest way from RTP timestamps to places; places of two ways do not compare.
    pub(super) newest_base: u64,
    stats: ReceptionStats,
}

/// The audio's stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    pub(super) counter: Counter,
    /// What our numbers are ahead of the sender's, extended from the first of this stream on.
    numbers_ahead: u64,
    /// The number that would confirm a leap.
    leap_to: Option<u16>,
    pub(super) anchor: Anchor,
    pub(super) base: u64,
    /// One past the newest audio sample.
    end: u64,
    pub(super) end_at: Instant,
}

/// Sequence numbers of one sender.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    numbers: SequenceUnwrap,
    newest_raw: u16,
}

/// A packet's number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) sequence: u64,
    /// Packets missing before the newest; none if this is not the newest.
    pub(super) missing: Option<u64>,
}

impl Counter {
    /// Begins at `raw`, which counts as `extended`.
    pub(super) fn new(extended: u64, raw: u16) -> Self {
        Self {
            numbers: SequenceUnwrap::new(extended),
            newest_raw: raw,
        }
    }

    pub(super) fn newest(&self) -> u64 {
        self.numbers.newest()
    }

    /// How far a number lies ahead of the newest; negative if behind.
    pub(super) fn distance(&self, raw: u16) -> i64 {
        SequenceUnwrap::distance(self.newest_raw, raw)
    }

    /// Notes a number that is near.
    pub(super) fn note(&mut self, raw: u16) -> Result<Number, Misplaced> {
        let distance = self.distance(raw);
        let sequence = self.newest().saturating_add_signed(distance);
        let missing = match self.numbers.note(distance) {
            Freshness::Newest { missing } => {
                self.newest_raw = raw;
                Some(missing)
            }
            Freshness::Reordered => None,
            Freshness::Duplicate => return Err(Misplaced::Duplicate),
            Freshness::Forgotten => return Err(Misplaced::OutOfPlace),
        };
        Ok(Number { sequence, missing })
    }
}

/// An RTP timestamp and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub(super) raw: u32,
    pub(super) ts: u64,
}

impl Anchor {
    /// Nothing before the beginning of the timeline.
    pub(super) fn place(self, raw: u32) -> Option<u64> {
        self.ts.checked_add_signed(signed_distance(raw, self.raw))
    }
}

/// What a receiver report says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ReceptionStats {
    pub(super) received: u64,
    pub(super) expected: u64,
    /// In timestamp units, scaled by 16 (RFC 3550 appendix A.8).
    jitter_scaled: u64,
    transit: Option<i64>,
}

impl ReceptionStats {
    pub(super) fn jitter(&self) -> u32 {
        u32::try_from(self.jitter_scaled >> 4).unwrap_or(u32::MAX)
    }

    fn note_transit(&mut self, transit: i64) {
        if let Some(before) = self.transit {
            let change = transit.abs_diff(before);
            self.jitter_scaled =
                (self.jitter_scaled + change).saturating_sub((self.jitter_scaled + 8) >> 4);
        }
        self.transit = Some(transit);
    }
}

impl Ingress {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            stream: None,
            former: None,
            events: EventPlaces::default(),
            newest_base: 0,
            stats: ReceptionStats::default(),
        }
    }

    pub(super) fn ssrc(&self) -> Option<u32> {
        self.stream.map(|stream| stream.ssrc)
    }

    /// See [`super::Relay::look`].
    pub(super) fn look(&self) -> u64 {
        self.stats.received ^ self.stats.jitter_scaled ^ u64::from(self.newest_sequence())
    }

    /// The newest extended sequence number as a receiver report carries it: the sender's number, and how often it has wrapped since the first packet
    /// ([RFC 3550 A.1](https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1)).
    pub(super) fn newest_sequence(&self) -> u32 {
        let newest = self.stream.map_or(0, |stream| {
            stream.counter.newest().wrapping_sub(stream.numbers_ahead)
        });
        u32::try_from(newest & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }

    pub(super) fn stats(&self) -> ReceptionStats {
        self.stats
    }

    /// Where the timeline is by the clock.
    pub(super) fn clock_ts(&self, at: Instant) -> u64 {
        TIMELINE_START + samples_in(at.saturating_duration_since(self.began))
    }

    /// One past the newest audio sample that arrived; by the clock if none did.
    pub(super) fn end(&self, at: Instant) -> u64 {
        self.stream
            .map_or_else(|| self.clock_ts(at), |stream| stream.end)
    }

    /// One past the newest audio sample that arrived, and when that came.
    pub(super) fn newest_end(&self) -> Option<(u64, Instant)> {
        self.stream.map(|stream| (stream.end, stream.end_at))
    }

    /// Places a packet of audio or noise that arrived at `at` with `span` samples of audio (0 for noise).
    pub(super) fn place(
        &mut self,
        at: Instant,
        header: &RtpHeader,
        content: Content,
        span: u64,
    ) -> Result<Placed, Misplaced> {
        let Some(stream) = self.stream else {
            return Ok(self.rebase(at, header, span));
        };
        if stream.ssrc != header.ssrc {
            return self.change_ssrc(at, header, span, stream.ssrc);
        }
        let distance = stream.counter.distance(header.sequence);
        if !(-BEHIND_MAX..=LEAP_MAX).contains(&distance) {
            return self.leap(at, header, span);
        }
        self.place_near(at, header, content, span)
    }

    /// The newest packet is moved to `ts`: its sender's clock has fallen behind what was sent in its name.
    pub(super) fn move_to(&mut self, at: Instant, header: &RtpHeader, span: u64, ts: u64) {
        if let Some(stream) = &mut self.stream {
            self.events.move_on(ts.saturating_sub(stream.anchor.ts));
            stream.anchor = Anchor {
                raw: header.timestamp,
                ts,
            };
            stream.end = ts + span;
            stream.end_at = at;
        }
    }

    fn change_ssrc(
        &mut self,
        at: Instant,
        header: &RtpHeader,
        span: u64,
        before: u32,
    ) -> Result<Placed, Misplaced> {
        if is_quarantined(self.former, header.ssrc, at) {
            return Err(Misplaced::OutOfPlace);
        }
        self.former = Some((before, at));
        self.stats = ReceptionStats::default();
        Ok(self.rebase(at, header, span))
    }

    fn leap(&mut self, at: Instant, header: &RtpHeader, span: u64) -> Result<Placed, Misplaced> {
        let confirmed = self
            .stream
            .is_some_and(|stream| stream.leap_to == Some(header.sequence));
        if confirmed {
            return Ok(self.rebase(at, header, span));
        }
        if let Some(stream) = &mut self.stream {
            stream.leap_to = Some(header.sequence.wrapping_add(1));
        }
        Err(Misplaced::OutOfPlace)
    }

    /// The stream begins here: at the end of what came before, or where the clock says if that is later.
    fn rebase(&mut self, at: Instant, header: &RtpHeader, span: u64) -> Placed {
        let ts = self.resume_ts(at, span);
        let sequence = self
            .stream
            .map_or(1 << 16, |stream| stream.counter.newest() + 1);
        self.newest_base += 1;
        self.stream = Some(Stream {
            ssrc: header.ssrc,
            counter: Counter::new(sequence, header.sequence),
            numbers_ahead: sequence.wrapping_sub(header.sequence.into()),
            leap_to: None,
            anchor: Anchor {
                raw: header.timestamp,
                ts,
            },
            base: self.newest_base,
            end: ts + span,
            end_at: at,
        });
        self.stats.received += 1;
        self.stats.expected += 1;
        self.stats.transit = None;
        Placed {
            sequence,
            ts,
            newest: true,
            missing: 0,
            rebased: true,
            apart: false,
        }
    }

    /// Where a stream goes on whose timestamps say nothing.
    pub(super) fn resume_ts(&self, at: Instant, span: u64) -> u64 {
        let Some(stream) = self.stream else {
            return self.clock_ts(at);
        };
        let silent = samples_in(at.saturating_duration_since(stream.end_at));
        stream.end + silent.saturating_sub(span)
    }

    fn place_near(
        &mut self,
        at: Instant,
        header: &RtpHeader,
        content: Content,
        span: u64,
    ) -> Result<Placed, Misplaced> {
        let resume_ts = self.resume_ts(at, span);
        let Number { sequence, missing } = self.note_near(header)?;
        let newest = missing.is_some();
        let Some(stream) = &mut self.stream else {
            return Err(Misplaced::OutOfPlace);
        };
        stream.leap_to = None;
        let mut ts = stream.anchor.place(header.timestamp).unwrap_or(0);
        let is_ahead = ts > resume_ts.saturating_add(AHEAD_SPAN_MAX);
        if content != Content::Audio || !newest {
            let ts = if is_ahead { resume_ts } else { ts };
            return Ok(Placed {
                sequence,
                ts,
                newest,
                missing: missing.unwrap_or(0),
                rebased: false,
                apart: false,
            });
        }
        let stood = ts.saturating_add(STOOD_SPAN_LEAST) < resume_ts;
        let jumped = is_ahead || stood || ts + BACK_SPAN_MAX < stream.end;
        if jumped {
            ts = resume_ts;
            self.newest_base += 1;
            stream.base = self.newest_base;
        }
        stream.anchor = Anchor {
            raw: header.timestamp,
            ts,
        };
        stream.end = stream.end.max(ts + span);
        stream.end_at = at;
        let clock =
            i64::try_from(TIMELINE_START + samples_in(at.saturating_duration_since(self.began)));
        if let (Ok(clock), Ok(place), false) = (clock, i64::try_from(ts), jumped) {
            self.stats.note_transit(clock - place);
        }
        Ok(Placed {
            sequence,
            ts,
            newest,
            missing: missing.unwrap_or(0),
            rebased: jumped,
            apart: false,
        })
    }

    /// Notes a packet that is near the audio's numbers.
    pub(super) fn note_near(&mut self, header: &RtpHeader) -> Result<Number, Misplaced> {
        let stream = self.stream.as_mut().ok_or(Misplaced::OutOfPlace)?;
        let number = stream.counter.note(header.sequence)?;
        self.stats.received += 1;
        self.stats.expected += number.missing.map_or(0, |missing| missing + 1);
        Ok(number)
    }
}

/// A packet of the SSRC before the last change, on its way for longer than the change.
pub(super) fn is_quarantined(former: Option<(u32, Instant)>, ssrc: u32, at: Instant) -> bool {
    former.is_some_and(|(before, since)| {
        before == ssrc && at.saturating_duration_since(since) < FORMER_SSRC_QUARANTINE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        ingress: Ingress,
        now: Instant,
        header: RtpHeader,
    }

    impl Scene {
        fn new() -> Self {
            let now = Instant::now();
            let header = RtpHeader {
                marker: false,
                payload_type: 0,
                sequence: 65_534,
                timestamp: u32::MAX - 200,
                ssrc: 1,
            };
            Self {
                ingress: Ingress::new(now),
                now,
                header,
            }
        }

        /// The next packet of 20 ms, `lost` packets later.
        fn next(&mut self, lost: u16) -> Result<Placed, Misplaced> {
            let steps = lost + 1;
            self.now += Duration::from_millis(20) * u32::from(steps);
            self.header.sequence = self.header.sequence.wrapping_add(steps);
            self.header.timestamp = self.header.timestamp.wrapping_add(160 * u32::from(steps));
            self.ingress
                .place(self.now, &self.header, Content::Audio, 160)
        }
    }

    #[test]
    fn packets_run_on_across_both_wraps() {
        let mut scene = Scene::new();
        let first = scene.next(0).unwrap();
        assert_eq!(first.ts, TIMELINE_START + 160);
        let last = (0..5).map(|_| scene.next(1).unwrap()).last().unwrap();
        assert_eq!(
            (last.ts - first.ts, last.sequence - first.sequence),
            (1_600, 10)
        );
        assert_eq!(scene.ingress.stats().expected, 11);
        assert_eq!(scene.ingress.stats().received, 6);
        assert_eq!(scene.ingress.stats().jitter(), 0);
    }

    #[test]
    fn a_report_names_the_senders_own_number_and_its_wraps_since_the_first() {
        let mut scene = Scene::new();
        scene.header.sequence = 65_532;
        for expected in [65_533, 65_534, 65_535, 65_536, 65_537] {
            scene.next(0).unwrap();
            assert_eq!(scene.ingress.newest_sequence(), expected);
        }
        scene.header.ssrc = 2;
        scene.header.sequence = 700;
        scene.next(0).unwrap();
        assert_eq!(scene.ingress.newest_sequence(), 701);
        scene.next(4).unwrap();
        assert_eq!(scene.ingress.newest_sequence(), 706);
        // A restart of the same sender begins anew, as its first packet did.
        scene.header.sequence = 40_000;
        assert!(scene.next(0).is_err());
        scene.next(0).unwrap();
        assert_eq!(scene.ingress.newest_sequence(), 40_002);
    }

    #[test]
    fn another_ssrc_goes_on_where_the_first_ended() {
        let mut scene = Scene::new();
        let before = scene.next(0).unwrap();
        scene.header.ssrc = 2;
        scene.header.timestamp = 12;
        let after = scene.next(0).unwrap();
        assert_eq!((after.ts, after.rebased), (before.ts + 160, true));
        scene.header.ssrc = 1;
        assert_eq!(scene.next(0), Err(Misplaced::OutOfPlace));
    }

    #[test]
    fn a_leap_of_sequence_numbers_needs_a_second_packet() {
        let mut scene = Scene::new();
        scene.next(0).unwrap();
        scene.header.sequence = 20_000;
        assert_eq!(scene.next(0), Err(Misplaced::OutOfPlace));
        assert!(scene.next(0).unwrap().rebased);
    }

    #[test]
    fn a_jump_of_timestamps_is_put_back_on_the_clock() {
        let mut scene = Scene::new();
        let before = scene.next(0).unwrap();
        scene.header.timestamp = scene.header.timestamp.wrapping_add(1_000_000);
        let after = scene.next(0).unwrap();
        assert_eq!((after.ts, after.rebased), (before.ts + 160, true));
        scene.header.timestamp = scene.header.timestamp.wrapping_sub(50_000);
        let back = scene.next(0).unwrap();
        assert_eq!((back.ts, back.rebased), (after.ts + 160, true));
    }

    #[test]
    fn a_clock_that_stood_still_is_put_back_on_ours() {
        let mut scene = Scene::new();
        let before = scene.next(0).unwrap();
        scene.now += Duration::from_secs(300);
        let after = scene.next(0).unwrap();
        assert_eq!(
            (after.ts, after.rebased),
            (before.ts + 300 * 8_000 + 160, true)
        );
        let next = scene.next(0).unwrap();
        assert_eq!((next.ts, next.rebased), (after.ts + 160, false));
    }
}
