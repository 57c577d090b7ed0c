//! A recording under way: samples in, sealed bytes out.
//! Owns: the audio that is not sealed yet, pauses, marks, the numbers of segments.
//! Never: touches a file or a clock; keeps a sample of a paused span; seals a number twice.

use g711::Law;

use crate::header::{Header, SEGMENTS_OFFSET};
use crate::keys::{DataKey, NONCE_BYTES, SealError, WrappingKey};
use crate::segment::{Kind, MARKS_MAX, Place, Plain, SEGMENT_SAMPLES};
use crate::span::{Edge, Mark, SpanKind, Track, Tracks};

/// Samples that are waited for before a segment is sealed: 200 ms for the slower side, and for a pause whose position has passed.
pub const HOLD_SAMPLES: usize = 1_600;

/// Samples of a track that are held at most: a segment, the wait, and a frame of up to 300 ms.
const WINDOW_SAMPLES: usize = SEGMENT_SAMPLES + HOLD_SAMPLES + 2_400;

/// Pauses that reach behind what is sealed. More would take dozens of pauses within a second; they are refused, and with them the capture.
const PAUSES_MAX: usize = 16;

/// A pause cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PauseError {
    /// It came when audio behind its position was sealed already.
    #[error("{samples} samples behind the pause's position are sealed already")]
    PeerLate {
        /// How many samples of a track.
        samples: u64,
    },
    /// More pauses within a second than are kept apart.
    #[error("too many pauses within a second")]
    PeerTooMany,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    from: u64,
    until: Option<u64>,
}

impl Pause {
    fn covers(self, position: u64) -> bool {
        self.from <= position && self.until.is_none_or(|until| position < until)
    }
}

/// Turns a call's samples into the bytes of a recording, in the order in which they belong into its file.
#[derive(Debug)]
pub struct Composer {
    header: Header,
    key: DataKey,
    number: u32,
    /// Where the recording begins; what lies before is none of its audio.
    start: u64,
    /// Position of the window's first sample: all before it is sealed.
    first: u64,
    /// Interleaved; silence where nothing came.
    window: Box<[u8]>,
    /// Samples from the window's first to behind the last one that came.
    filled: usize,
    marks: Vec<Mark>,
    pauses: Vec<Pause>,
    lost: u64,
}

impl Composer {
    /// A recording that begins at a position, and the first bytes of its file, up to the first segment. `key` and `nonce` are random and used here alone.
    ///
    /// # Errors
    /// The key could not be wrapped.
    pub fn begin(
        header: Header,
        start: u64,
        key: DataKey,
        (under, nonce): (&WrappingKey, [u8; NONCE_BYTES]),
    ) -> Result<(Self, Vec<u8>), SealError> {
        let mut bytes = header.begin_file(&key, under, nonce)?;
        bytes.resize(SEGMENTS_OFFSET, 0);
        let composer = Self {
            window: header.laws.map(Law::silence).repeat(WINDOW_SAMPLES).into(),
            header,
            key,
            number: 0,
            start,
            first: start,
            filled: 0,
            marks: Vec::with_capacity(MARKS_MAX),
            pauses: Vec::new(),
            lost: 0,
        };
        Ok((composer, bytes))
    }

    /// What its file says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether anything waits to be sealed.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.filled > 0 || !self.marks.is_empty()
    }

    /// Whether audio that comes now is left out on purpose.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.pauses
            .last()
            .is_some_and(|pause| pause.until.is_none())
    }

    /// Samples that are marked as gaps, counted for each track.
    #[must_use]
    pub fn lost_samples(&self) -> u64 {
        self.lost
    }

    /// Segments that were sealed: also the number of the next one.
    #[must_use]
    pub fn segments(&self) -> u32 {
        self.number
    }

    /// Takes G.711 bytes of a track, in its law, from a position on, and appends what is full to `out`. What comes too late for its segment is a gap.
    ///
    /// # Errors
    /// A segment could not be sealed.
    pub fn take(
        &mut self,
        track: Track,
        position: u64,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let Some(end) = position.checked_add(wide(bytes.len())) else {
            return Ok(());
        };
        // All of it was said before the recording began: the other side was ahead.
        if end <= self.start {
            return Ok(());
        }
        let late_from = position.clamp(self.start, end);
        let late_until = self.first.clamp(late_from, end);
        self.lost(track, late_from, late_until, out)?;
        let mut at = late_until.max(self.start.min(end));
        while at < end {
            self.make_room(at, out)?;
            let skip = narrow(at - position);
            let copied = self.copy(track, at, bytes.get(skip..).unwrap_or_default());
            at += wide(copied);
            while self.filled >= SEGMENT_SAMPLES + HOLD_SAMPLES {
                self.seal_one(out)?;
            }
        }
        Ok(())
    }

    /// Notes that samples of a track, from a position to before another, cannot be kept: a gap, but for those that are left out on purpose.
    ///
    /// # Errors
    /// A segment could not be sealed.
    pub fn lost(
        &mut self,
        track: Track,
        from: u64,
        until: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let mut at = from.max(self.start);
        while at < until {
            let pauses = self.pauses.iter();
            let paused_until = pauses.clone().find(|pause| pause.covers(at));
            if let Some(pause) = paused_until {
                at = pause.until.unwrap_or(until).min(until);
                continue;
            }
            let next = pauses.map(|pause| pause.from).filter(|from| *from > at);
            let end = next.min().unwrap_or(until).min(until);
            self.gap(track, at, end, out)?;
            at = end;
        }
        Ok(())
    }

    /// Marks a gap, as a longer one if it goes on where the last one ended.
    fn gap(
        &mut self,
        track: Track,
        from: u64,
        until: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        self.lost = self.lost.saturating_add(until.saturating_sub(from));
        let mark = |edge, position| Mark {
            kind: SpanKind::Gap,
            edge,
            tracks: Tracks::One(track),
            position,
        };
        match self.marks.last_mut() {
            Some(last) if *last == mark(Edge::End, from) => last.position = until,
            _ => {
                self.mark(mark(Edge::Begin, from), out)?;
                self.mark(mark(Edge::End, until), out)?;
            }
        }
        Ok(())
    }

    /// Notes an end of a span.
    ///
    /// # Errors
    /// A segment could not be sealed.
    pub fn mark(&mut self, mark: Mark, out: &mut Vec<u8>) -> Result<(), SealError> {
        if self.marks.len() == MARKS_MAX {
            self.seal(Kind::Audio, 0, out)?;
        }
        self.marks.push(mark);
        Ok(())
    }

    /// Leaves out every sample of both tracks from a position on, those too that wait to be sealed: they are overwritten before this returns. Paused already:
    /// the earlier of both holds.
    ///
    /// # Errors
    /// Audio behind the position is sealed already, or there are too many pauses; nothing is changed then.
    pub fn pause(&mut self, from: u64, out: &mut Vec<u8>) -> Result<(), PauseError> {
        let from = from.max(self.start);
        if let Some(samples) = self.first.checked_sub(from).filter(|samples| *samples > 0) {
            return Err(PauseError::PeerLate { samples });
        }
        let first = self.first;
        self.pauses
            .retain(|pause| pause.until.is_none_or(|until| until > first));
        if self.pauses.len() == PAUSES_MAX {
            return Err(PauseError::PeerTooMany);
        }
        if self.is_paused() {
            match self.pauses.last_mut() {
                Some(open) if open.from <= from => return Ok(()),
                Some(open) => open.until = Some(open.from),
                None => {}
            }
            self.mark_pause(Edge::End, from, out);
        }
        self.pauses.push(Pause { from, until: None });
        self.silence_from(from);
        self.mark_pause(Edge::Begin, from, out);
        Ok(())
    }

    /// Keeps samples again from a position on, or from behind what was left out meanwhile, if that is later: the position from which it is. `None`: nothing
    /// is paused.
    pub fn resume(&mut self, until: u64, out: &mut Vec<u8>) -> Option<u64> {
        let taken = self.first.saturating_add(wide(self.filled));
        let open = self
            .pauses
            .last_mut()
            .filter(|pause| pause.until.is_none())?;
        let until = until.max(taken).max(open.from);
        open.until = Some(until);
        self.mark_pause(Edge::End, until, out);
        Some(until)
    }

    /// Seals what waits, whole segments or not.
    ///
    /// # Errors
    /// A segment could not be sealed.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), SealError> {
        while self.is_waiting() {
            self.seal_one(out)?;
        }
        Ok(())
    }

    /// Seals what waits and the final segment; the number of that.
    ///
    /// # Errors
    /// A segment could not be sealed; the recording stays cut.
    pub fn end(mut self, out: &mut Vec<u8>) -> Result<u32, SealError> {
        self.flush(out)?;
        let number = self.number;
        self.seal(Kind::Final, 0, out)?;
        Ok(number)
    }

    /// A pause's mark goes into the next segment. Where there is no room for it, and none can be sealed, the pause holds all the same.
    fn mark_pause(&mut self, edge: Edge, position: u64, out: &mut Vec<u8>) {
        let mark = Mark {
            kind: SpanKind::Paused,
            edge,
            tracks: Tracks::Both,
            position,
        };
        let _unsealed_stays = self.mark(mark, out);
    }

    /// Seals until a sample at this position has its place.
    fn make_room(&mut self, at: u64, out: &mut Vec<u8>) -> Result<(), SealError> {
        while self.filled > 0 && at.saturating_sub(self.first) >= wide(WINDOW_SAMPLES) {
            self.seal_one(out)?;
        }
        if self.filled == 0 {
            self.first = self.first.max(at);
        }
        Ok(())
    }

    /// Copies what of the bytes has its place, but no paused sample; how many had.
    fn copy(&mut self, track: Track, at: u64, bytes: &[u8]) -> usize {
        let offset = narrow(at.saturating_sub(self.first));
        let places = self.window.chunks_exact_mut(2).skip(offset);
        let mut copied = 0;
        for ((moment, byte), position) in places.zip(bytes).zip(at..) {
            let is_kept = !self.pauses.iter().any(|pause| pause.covers(position));
            if let Some(place) = moment.get_mut(track.channel()).filter(|_| is_kept) {
                *place = *byte;
            }
            copied += 1;
        }
        self.filled = self.filled.max(offset + copied);
        copied
    }

    fn silence_from(&mut self, from: u64) {
        let offset = narrow(from.saturating_sub(self.first)).min(self.filled);
        self.silence(offset);
    }

    fn silence(&mut self, from: usize) {
        let silence = self.header.laws.map(Law::silence);
        for moment in self.window.chunks_exact_mut(2).skip(from) {
            moment.copy_from_slice(&silence);
        }
    }

    /// Seals the next segment's worth.
    fn seal_one(&mut self, out: &mut Vec<u8>) -> Result<(), SealError> {
        let samples = self.filled.min(SEGMENT_SAMPLES);
        self.seal(Kind::Audio, samples, out)?;
        self.window.copy_within(2 * samples.., 0);
        self.filled -= samples;
        self.first = self.first.saturating_add(wide(samples));
        self.silence(self.filled);
        Ok(())
    }

    /// Seals the window's first samples and all marks. The number is used up, whatever comes of it.
    fn seal(&mut self, kind: Kind, samples: usize, out: &mut Vec<u8>) -> Result<(), SealError> {
        let number = self.number;
        self.number = number.checked_add(1).ok_or(SealError)?;
        let audio = self.window.get(..2 * samples).unwrap_or_default();
        let silence = self.header.laws.map(Law::silence);
        let is_silent = audio.chunks_exact(2).all(|moment| moment == silence);
        let place = Place {
            key: &self.key,
            id: &self.header.id,
            laws: self.header.laws,
        };
        let plain = Plain {
            kind,
            first: self.first,
            audio: if is_silent { &[] } else { audio },
            samples,
            marks: &self.marks,
        };
        place.seal(number, &plain, out)?;
        self.marks.clear();
        Ok(())
    }
}

impl Drop for Composer {
    /// What was not sealed is overwritten: it may be what a pause came too late for.
    fn drop(&mut self) {
        self.silence(0);
    }
}

fn wide(samples: usize) -> u64 {
    u64::try_from(samples).unwrap_or(u64::MAX)
}

fn narrow(samples: u64) -> usize {
    usize::try_from(samples).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
