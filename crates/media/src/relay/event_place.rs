//! Places of telephone-events, whose sender may count them apart from its audio.
//! Owns: sequence numbers and timestamps of events that are on an SSRC, a counter or a clock of their own.
//! Never: moves the audio: no event begins its stream anew.
//!
//! An event is looked for on the audio's counters first, then on its own. Its place is that of the same RTP timestamp before, else where the audio's clock
//! says, else where that of the events before says; a timestamp that none of them can place stands for the present from then on.

use std::time::Instant;

use super::ingress::{
    Anchor, BEHIND_MAX, Counter, Ingress, LEAP_MAX, Misplaced, Number, Placed, is_quarantined,
};
use crate::rtp::{RtpHeader, SequenceUnwrap};
use crate::sample::samples_in;

/// Numbers this near are of one press: its eight packets at an update each 20 ms and 100 ms of keying.
const CONFIRMING_DISTANCE_MAX: i64 = 8;

/// The shortest packets, 10 ms: so many numbers may have passed since the last audio.
const PACKET_SPAN_LEAST: u64 = 80;

/// No event begins after the present; a clock that says so by no more than a tone may be away from its event, 250 ms, does no harm.
const AHEAD_SPAN_MAX: u64 = 2_000;

/// An event that ended this long before the present, 1 s, is on another clock: more than any reordering.
const BEHIND_SPAN_MAX: u64 = 8_000;

/// What events have been placed by.
#[derive(Debug, Clone, Default)]
pub(super) struct EventPlaces {
    newest: Option<NewestEvent>,
    former: Option<(u32, Instant)>,
    counter: Option<(u32, Counter)>,
    /// What may be a counter of their own on the audio's SSRC, if another number near it comes.
    unconfirmed: Option<u16>,
}

#[derive(Debug, Clone, Copy)]
struct NewestEvent {
    ssrc: u32,
    anchor: Anchor,
    base: u64,
}

impl EventPlaces {
    /// All places lie `span` later from now on.
    pub(super) fn move_on(&mut self, span: u64) {
        if let Some(newest) = &mut self.newest {
            newest.anchor.ts = newest.anchor.ts.saturating_add(span);
        }
    }

    fn of(&self, ssrc: u32) -> Option<NewestEvent> {
        self.newest.filter(|newest| newest.ssrc == ssrc)
    }
}

impl Ingress {
    /// Places an event packet that arrived at `at` and says that its event has lasted for `duration` samples.
    pub(super) fn place_event(
        &mut self,
        at: Instant,
        header: &RtpHeader,
        duration: u64,
    ) -> Result<Placed, Misplaced> {
        let before = self.events.newest;
        let other_ssrc = before
            .map(|before| before.ssrc)
            .filter(|ssrc| *ssrc != header.ssrc);
        if is_quarantined(self.events.former, header.ssrc, at) && other_ssrc.is_some() {
            return Err(Misplaced::OutOfPlace);
        }
        let known = self.known_place(at, header, duration);
        let (number, apart) = self.number_event(at, header, known.is_some())?;
        let newest = number.missing.is_some();
        if known.is_none() && !newest {
            return Err(Misplaced::OutOfPlace);
        }
        let (ts, base) = known.unwrap_or_else(|| {
            self.newest_base += 1;
            (self.resume_ts(at, 0), self.newest_base)
        });
        if let Some(ssrc) = other_ssrc {
            self.events.former = Some((ssrc, at));
        }
        let rebased = before.is_some_and(|before| before.base != base);
        if newest {
            self.events.newest = Some(NewestEvent {
                ssrc: header.ssrc,
                anchor: Anchor {
                    raw: header.timestamp,
                    ts,
                },
                base,
            });
        }
        Ok(Placed {
            sequence: number.sequence,
            ts,
            newest,
            missing: number.missing.filter(|_| !apart).unwrap_or(0),
            rebased,
            apart,
        })
    }

    /// Where an event's timestamp lies, and by which way from timestamps to places.
    fn known_place(&self, at: Instant, header: &RtpHeader, duration: u64) -> Option<(u64, u64)> {
        let newest = self.events.of(header.ssrc);
        let again = newest.filter(|newest| newest.anchor.raw == header.timestamp);
        if let Some(again) = again {
            return Some((again.anchor.ts, again.base));
        }
        let present = self.resume_ts(at, 0);
        let is_likely = |(ts, _): &(u64, u64)| {
            let end = ts.saturating_add(duration);
            *ts <= present.saturating_add(AHEAD_SPAN_MAX)
                && end.saturating_add(BEHIND_SPAN_MAX) >= present
        };
        let by = |anchor: Anchor, base| Some((anchor.place(header.timestamp)?, base));
        let audio = self.stream.filter(|stream| stream.ssrc == header.ssrc);
        audio
            .and_then(|audio| by(audio.anchor, audio.base))
            .filter(is_likely)
            .or_else(|| by(newest?.anchor, newest?.base).filter(is_likely))
    }

    /// The event's number, and whether it is on a counter of its own.
    fn number_event(
        &mut self,
        at: Instant,
        header: &RtpHeader,
        has_place: bool,
    ) -> Result<(Number, bool), Misplaced> {
        let audio = self.stream.filter(|stream| stream.ssrc == header.ssrc);
        if let Some(audio) = audio {
            let since = samples_in(at.saturating_duration_since(audio.end_at));
            let passed = i64::try_from(since / PACKET_SPAN_LEAST).unwrap_or(LEAP_MAX);
            let ahead_max = passed.saturating_add(BEHIND_MAX).min(LEAP_MAX);
            let distance = audio.counter.distance(header.sequence);
            if (-BEHIND_MAX..=ahead_max).contains(&distance) {
                return self.note_near(header).map(|number| (number, false));
            }
        } else if is_quarantined(self.former, header.ssrc, at) {
            return Err(Misplaced::OutOfPlace);
        }
        let own = self.events.counter.as_mut();
        if let Some((ssrc, counter)) = own
            && *ssrc == header.ssrc
            && (-BEHIND_MAX..=LEAP_MAX).contains(&counter.distance(header.sequence))
        {
            return counter.note(header.sequence).map(|number| (number, true));
        }
        // Neither its number nor its timestamp is the audio's: a packet from long ago, unless another follows it.
        let before = self.events.unconfirmed.replace(header.sequence);
        let distance = before.map_or(0, |before| {
            SequenceUnwrap::distance(before, header.sequence)
        });
        let is_confirmed = (1..=CONFIRMING_DISTANCE_MAX).contains(&distance.abs());
        if audio.is_some() && !has_place && !is_confirmed {
            return Err(Misplaced::OutOfPlace);
        }
        Ok((self.begin_counter(header), true))
    }

    fn begin_counter(&mut self, header: &RtpHeader) -> Number {
        let before = self.events.counter.map_or(1 << 16, |(_, own)| own.newest());
        let sequence = before + 1;
        let counter = Counter::new(sequence, header.sequence);
        self.events.counter = Some((header.ssrc, counter));
        Number {
            sequence,
            missing: Some(0),
        }
    }
}
