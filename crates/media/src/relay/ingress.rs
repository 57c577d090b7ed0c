//! Packets of one far side, put in order.
//! Owns: a stream's place on the relay's timeline, across wraps, SSRC changes and jumps; what RTCP reports about it.
//! Never: looks into a payload.

use std::time::{Duration, Instant};

use super::timeline::{TIMELINE_START, samples_in};
use crate::leg::Content;
use crate::rtp::{Freshness, RtpHeader, SequenceUnwrap, signed_distance};

/// Sequence numbers further ahead than this are another stream's (RFC 3550 appendix A.1).
const LEAP_MAX: i64 = 3_000;

/// Sequence numbers further behind than this are another stream's: more than any reordering.
const BEHIND_MAX: i64 = 100;

/// A timestamp may run ahead of the arrival clock by this much, 1 s, before it is a jump.
const AHEAD_SPAN_MAX: u64 = 8_000;

/// A newer packet may lie this far behind the timeline's end, 60 ms, before it is a jump back.
const BACK_SPAN_MAX: u64 = 480;

/// Packets of the SSRC before a change are dropped for this long; later ones are a change back.
const FORMER_SSRC_QUARANTINE: Duration = Duration::from_millis(200);

/// A packet's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Extended sequence number; runs on across changes of stream.
    pub(super) sequence: u64,
    /// Extended timestamp on the relay's timeline.
    pub(super) ts: u64,
    /// Nothing newer had come before it.
    pub(super) newest: bool,
    /// The stream begins anew here.
    pub(super) rebased: bool,
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
    stream: Option<Stream>,
    former: Option<(u32, Instant)>,
    stats: ReceptionStats,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    ssrc: u32,
    sequences: SequenceUnwrap,
    newest_raw: u16,
    /// The number that would confirm a leap.
    leap_to: Option<u16>,
    anchor: Anchor,
    /// One past the newest audio sample.
    end: u64,
    end_at: Instant,
}

/// An RTP timestamp and its place.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    raw: u32,
    ts: u64,
}

impl Anchor {
    fn place(self, raw: u32) -> u64 {
        self.ts
            .saturating_add_signed(signed_distance(raw, self.raw))
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

    /// Low 32 bits of the newest extended sequence number, as a receiver report carries it.
    pub(super) fn newest_sequence(&self) -> u32 {
        let newest = self.stream.map_or(0, |stream| stream.sequences.newest());
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

    /// Places a packet that arrived at `at` with `span` samples of audio (0 for others).
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
        let distance = SequenceUnwrap::distance(stream.newest_raw, header.sequence);
        if !(-BEHIND_MAX..=LEAP_MAX).contains(&distance) {
            return self.leap(at, header, span);
        }
        self.place_near(at, header, content, span, distance)
    }

    /// The newest packet is moved to `ts`: its sender's clock has fallen behind what was sent in its name.
    pub(super) fn move_to(&mut self, at: Instant, header: &RtpHeader, span: u64, ts: u64) {
        if let Some(stream) = &mut self.stream {
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
        let straggler = self.former.is_some_and(|(ssrc, since)| {
            ssrc == header.ssrc && at.saturating_duration_since(since) < FORMER_SSRC_QUARANTINE
        });
        if straggler {
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
            .map_or(1 << 16, |stream| stream.sequences.newest() + 1);
        self.stream = Some(Stream {
            ssrc: header.ssrc,
            sequences: SequenceUnwrap::new(sequence),
            newest_raw: header.sequence,
            leap_to: None,
            anchor: Anchor {
                raw: header.timestamp,
                ts,
            },
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
            rebased: true,
        }
    }

    /// Where a stream goes on whose timestamps say nothing.
    fn resume_ts(&self, at: Instant, span: u64) -> u64 {
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
        distance: i64,
    ) -> Result<Placed, Misplaced> {
        let resume_ts = self.resume_ts(at, span);
        let Some(stream) = &mut self.stream else {
            return Err(Misplaced::OutOfPlace);
        };
        let before = stream.sequences.newest();
        let newest = match stream.sequences.note(distance) {
            Freshness::Newest { missing } => {
                self.stats.expected += missing + 1;
                stream.newest_raw = header.sequence;
                true
            }
            Freshness::Reordered => false,
            Freshness::Duplicate => return Err(Misplaced::Duplicate),
            Freshness::Forgotten => return Err(Misplaced::OutOfPlace),
        };
        stream.leap_to = None;
        self.stats.received += 1;
        let sequence = before.saturating_add_signed(distance);
        let mut ts = stream.anchor.place(header.timestamp);
        let is_ahead = ts > resume_ts.saturating_add(AHEAD_SPAN_MAX);
        if content != Content::Audio || !newest {
            let ts = if is_ahead { resume_ts } else { ts };
            return Ok(Placed {
                sequence,
                ts,
                newest,
                rebased: false,
            });
        }
        let jumped = is_ahead || ts + BACK_SPAN_MAX < stream.end;
        if jumped {
            ts = resume_ts;
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
            rebased: jumped,
        })
    }
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
}
