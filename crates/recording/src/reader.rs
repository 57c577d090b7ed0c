//! Reading a recording, whole or not.
//! Owns: the walk over the segments, what is wrong with a file, samples by position.
//! Never: trusts a length, a number or a position that the recording's key has not sealed; fails for what stands before the first wrong byte.

use std::io;
use std::ops::Range;

use crate::header::{Header, HeaderError, SEGMENTS_OFFSET};
use crate::keys::{DataKey, KeyError, KeyRing, TAG_BYTES};
use crate::peaks::{PEAK_SAMPLES, Peak};
use crate::segment::{HEAD_BYTES, Head, INDEX_BYTES_MAX, Index, Kind, Place, SEGMENT_BYTES_MAX};
use crate::source::Source;
use crate::span::{Mark, Pairing, Span, Track};

/// Bytes of the first look at a segment: its head and an index of its peaks and a few marks.
const LOOK_BYTES: usize = 128;

/// A recording cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its head.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The system could not read it.
    #[error("the recording cannot be read")]
    Read(#[from] ReadError),
}

/// The system could not read the file.
#[derive(Debug, thiserror::Error)]
#[error("reading {bytes} bytes at {offset}")]
pub struct ReadError {
    offset: u64,
    bytes: usize,
    #[source]
    cause: io::Error,
}

/// How a recording ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its final segment.
    Whole,
    /// It has none: it is still being written, its writer was killed, or somebody cut it off. All that is there is in order.
    Cut,
    /// With bytes that are not what was to follow.
    Damaged {
        /// Number of the segment that was to stand there.
        segment: u32,
        /// What is wrong.
        why: Damage,
    },
}

/// What is wrong where a segment was to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// These bytes are no segment's head.
    #[error("there is no segment")]
    NoSegment,
    /// Another segment of a recording stands there.
    #[error("segment {found} stands there")]
    OutOfOrder {
        /// Its number, if it can be believed.
        found: u32,
    },
    /// It was not sealed for this place in this recording: changed, or of another one.
    #[error("the segment was changed, or is another recording's")]
    NotSealed,
    /// It begins before the one before it ends, which no writer does.
    #[error("the segment goes back in time")]
    Backwards,
    /// Something stands behind the final segment.
    #[error("something stands behind the end")]
    BehindEnd,
}

/// A recording, opened: what is where, its spans and its peaks. Audio is opened when it is asked for.
#[derive(Debug)]
pub struct Reader<S> {
    source: S,
    header: Header,
    key: DataKey,
    /// Segments in order.
    kept: Vec<Kept>,
    marks: Vec<Mark>,
    peaks: Vec<Peak>,
    ending: Ending,
    next: Next,
}

/// A segment that is there.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) head: Head,
    /// Which of the marks are its own.
    marks: Range<usize>,
    audio_offset: u64,
}

/// Where the next segment is looked for, and what it must be.
#[derive(Debug)]
struct Next {
    offset: u64,
    number: u32,
    start: Option<u64>,
    end: u64,
}

/// A segment's head and index, or why there is none.
type Looked = Result<(Head, Index), Ending>;

impl<S: Source> Reader<S> {
    /// Opens a recording and walks over what is there.
    ///
    /// # Errors
    /// Its head is not one, its key is not at hand, or the system cannot read. What is wrong further behind is told by [`Reader::ending`].
    pub fn open(source: S, ring: &KeyRing) -> Result<Self, OpenError> {
        let mut start = vec![0; SEGMENTS_OFFSET];
        let read = read_at(&source, 0, &mut start)?;
        let (header, slots) = Header::parse(start.get(..read).unwrap_or_default())?;
        let [first, second] = &slots;
        let key = DataKey::unwrap(ring, [first, second], &header.encode())?;
        let offset = u64::try_from(SEGMENTS_OFFSET).unwrap_or(u64::MAX);
        let mut reader = Self {
            source,
            header,
            key,
            kept: Vec::new(),
            marks: Vec::new(),
            peaks: Vec::new(),
            ending: Ending::Cut,
            next: Next {
                offset,
                number: 0,
                start: None,
                end: 0,
            },
        };
        reader.refresh()?;
        Ok(reader)
    }

    /// Walks on over what was written since.
    ///
    /// # Errors
    /// The system could not read; what was known before stays known.
    pub fn refresh(&mut self) -> Result<(), ReadError> {
        while self.ending == Ending::Cut {
            match self.look()? {
                Ok((head, index)) => self.take(head, index),
                Err(Ending::Cut) => break,
                Err(ending) => self.ending = ending,
            }
        }
        if self.ending == Ending::Whole {
            let behind = read_at(&self.source, self.next.offset, &mut [0])?;
            if behind > 0 {
                self.ending = self.damaged(Damage::BehindEnd);
            }
        }
        Ok(())
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How it ends, as far as it was read.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Segments that are in order, the final one counted: also the number of the next one.
    pub fn segments(&self) -> u32 {
        self.next.number
    }

    /// Its first position and the one behind its last, in samples since the call's media began; the same for an empty one.
    pub fn positions(&self) -> Range<u64> {
        self.next.start.unwrap_or(0)..self.next.end
    }

    /// Its spans, by their begin.
    pub fn spans(&self) -> Vec<Span> {
        let mut pairing = Pairing::default();
        self.marks.iter().for_each(|mark| pairing.take(*mark));
        pairing.finish(self.next.end)
    }

    /// Its peaks in order; stretches without audio have none.
    pub fn peaks(&self) -> &[Peak] {
        &self.peaks
    }

    /// Fills `out` with samples from a position on: consumer, agent, consumer, .. at 8 kHz. What was not kept is silence; so is audio that was changed.
    /// How many segments were.
    ///
    /// # Errors
    /// The system could not read.
    pub fn read(&self, from: u64, out: &mut [i16]) -> Result<usize, ReadError> {
        out.fill(0);
        let samples = u64::try_from(out.len() / 2).unwrap_or(0);
        let until = from.saturating_add(samples);
        let begin = self.kept.partition_point(|kept| kept.head.end() <= from);
        let mut sealed = vec![0; 0];
        let mut changed = 0;
        let kept = self.kept.get(begin..).unwrap_or_default().iter();
        let touched = kept.take_while(|kept| kept.head.first < until);
        for kept in touched.filter(|kept| kept.head.has_audio) {
            match self.audio(kept, &mut sealed)? {
                Some(audio) => self.copy(&kept.head, audio, from, out),
                None => changed += 1,
            }
        }
        Ok(changed)
    }

    /// All segments that are in order, the final one too.
    pub(crate) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// The marks of a segment.
    pub(crate) fn marks(&self, kept: &Kept) -> &[Mark] {
        self.marks.get(kept.marks.clone()).unwrap_or_default()
    }

    /// Audio of a segment that has some, opened in `place`: interleaved bytes. `None`: it was changed.
    ///
    /// # Errors
    /// The system could not read.
    pub(crate) fn audio<'a>(
        &self,
        kept: &Kept,
        place: &'a mut Vec<u8>,
    ) -> Result<Option<&'a mut [u8]>, ReadError> {
        place.resize(kept.head.sealed_audio_bytes(), 0);
        let read = read_at(&self.source, kept.audio_offset, place)?;
        let sealed = place.get_mut(..read).unwrap_or_default();
        Ok(self.place().open_audio(&kept.head, sealed))
    }

    /// Puts what of a segment lies at or behind `from` where it belongs in `out`.
    fn copy(&self, head: &Head, audio: &[u8], from: u64, out: &mut [i16]) {
        let skip = usize::try_from(from.saturating_sub(head.first)).unwrap_or(usize::MAX);
        let place = usize::try_from(head.first.saturating_sub(from)).unwrap_or(usize::MAX);
        let moments = audio.chunks_exact(2).skip(skip);
        let places = out.chunks_exact_mut(2).skip(place);
        for (place, moment) in places.zip(moments) {
            for ((sample, byte), law) in place.iter_mut().zip(moment).zip(self.header.laws) {
                *sample = law.decode_byte(*byte);
            }
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            key: &self.key,
            id: &self.header.id,
            laws: self.header.laws,
        }
    }

    fn damaged(&self, why: Damage) -> Ending {
        Ending::Damaged {
            segment: self.next.number,
            why,
        }
    }

    /// Looks at the next segment.
    fn look(&self) -> Result<Looked, ReadError> {
        let mut look = [0; LOOK_BYTES];
        let read = read_at(&self.source, self.next.offset, &mut look)?;
        let seen = look.get_mut(..read).unwrap_or_default();
        let Some((head_bytes, rest)) = seen.split_first_chunk_mut::<HEAD_BYTES>() else {
            return Ok(Err(Ending::Cut));
        };
        // A power cut can leave a file longer than what was written to it.
        if head_bytes.iter().all(|byte| *byte == 0) {
            return Ok(Err(Ending::Cut));
        }
        let Some(head) = Head::parse(head_bytes) else {
            return Ok(Err(self.damaged(Damage::NoSegment)));
        };
        if head.number != self.next.number {
            let found = head.number;
            return Ok(Err(self.damaged(Damage::OutOfOrder { found })));
        }
        let sealed_bytes = head.index_bytes + TAG_BYTES;
        let index = match rest.get_mut(..sealed_bytes) {
            Some(sealed) => self.place().open_index(&head, sealed),
            None => {
                let mut sealed = [0; INDEX_BYTES_MAX + TAG_BYTES];
                let sealed = sealed.get_mut(..sealed_bytes).unwrap_or_default();
                let at = self.next.offset.saturating_add(wide(HEAD_BYTES));
                if read_at(&self.source, at, sealed)? < sealed_bytes {
                    return Ok(Err(Ending::Cut));
                }
                self.place().open_index(&head, sealed)
            }
        };
        let Some(index) = index else {
            return Ok(Err(self.damaged(Damage::NotSealed)));
        };
        self.judge(head, index)
    }

    /// Of a head that is sealed: whether all of it is there, behind what came before.
    fn judge(&self, head: Head, index: Index) -> Result<Looked, ReadError> {
        if self.next.start.is_some() && head.first < self.next.end {
            return Ok(Err(self.damaged(Damage::Backwards)));
        }
        if head.has_audio {
            let last = self.next.offset.saturating_add(wide(head.bytes() - 1));
            if read_at(&self.source, last, &mut [0])? == 0 {
                return Ok(Err(Ending::Cut));
            }
        }
        Ok(Ok((head, index)))
    }

    fn take(&mut self, head: Head, index: Index) {
        debug_assert!(head.bytes() <= SEGMENT_BYTES_MAX);
        let stretches = (head.first..).step_by(PEAK_SAMPLES);
        let peaks = index
            .peaks
            .iter()
            .zip(stretches)
            .map(|(peak, position)| Peak {
                position,
                consumer: peak[Track::Consumer.channel()],
                agent: peak[Track::Agent.channel()],
            });
        self.peaks.extend(peaks);
        let marks_before = self.marks.len();
        self.marks.extend(index.marks);
        let next = &mut self.next;
        next.start = next.start.or(Some(head.first));
        next.end = head.end();
        let audio_offset = next
            .offset
            .saturating_add(wide(HEAD_BYTES + head.index_bytes + TAG_BYTES));
        next.offset = next.offset.saturating_add(wide(head.bytes()));
        next.number = next.number.saturating_add(1);
        if head.kind == Kind::Final {
            self.ending = Ending::Whole;
        }
        self.kept.push(Kept {
            head,
            marks: marks_before..self.marks.len(),
            audio_offset,
        });
    }
}

pub(crate) fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

pub(crate) fn read_at(
    source: &impl Source,
    offset: u64,
    place: &mut [u8],
) -> Result<usize, ReadError> {
    source.read_at(offset, place).map_err(|cause| ReadError {
        offset,
        bytes: place.len(),
        cause,
    })
}

#[cfg(test)]
mod tests;
