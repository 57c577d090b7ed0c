//! Reading the recording of a screen, whole or not.
//! Owns: the walk over its segments, what is wrong with a file, bytes of a part by place.
//! Never: trusts a length, a number or a time that the recording's key has not sealed; fails for what stands before the first wrong byte.

use std::ops::Range;

use crate::header::SEGMENTS_OFFSET;
use crate::keys::{DataKey, KeyRing, TAG_BYTES};
use crate::reader::{Damage, Ending, OpenError, ReadError, read_at, wide};
use crate::source::Source;
use crate::span::SpanKind;

use super::header::ScreenHeader;
use super::segment::{HEAD_BYTES, Head, Kind, MEDIA_TYPE_BYTES_MAX, Place};

/// Bytes of the first look at a segment: all that stands before a chunk.
const LOOK_BYTES: usize = HEAD_BYTES + MEDIA_TYPE_BYTES_MAX + TAG_BYTES;
/// Between two parts so much may be missing: a page needs that to begin anew. More is a gap.
const GAP_MS_MIN: u64 = 1_000;

/// A part: one video that plays alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number, as the page counted.
    pub number: u16,
    /// Where it begins, in milliseconds since the recording began.
    pub begin_ms: u64,
    /// Where its last chunk ends, or ended before it was removed; where it begins, if it had none.
    pub end_ms: u64,
    /// Bytes of the video.
    pub bytes: u64,
    /// What the page said that it is, such as `video/webm;codecs=vp8`.
    pub media_type: String,
    /// A person had its video removed: it has none.
    pub is_removed: bool,
    chunks: Vec<Chunk>,
}

impl Part {
    /// Whether some of its video lies in a stretch of the recording, in milliseconds.
    #[must_use]
    pub fn is_in(&self, stretch_ms: &Range<u64>) -> bool {
        let end_ms = self.end_ms.max(self.begin_ms.saturating_add(1));
        let overlaps = self.begin_ms < stretch_ms.end && stretch_ms.start < end_ms;
        self.bytes > 0 && !stretch_ms.is_empty() && overlaps
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    head: Head,
    /// Where it is sealed in the file.
    offset: u64,
    /// Its first byte's place in the part.
    begin: u64,
}

/// A span without video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenSpan {
    /// Paused, removed, or a gap: the page did not share its screen, or was not there.
    pub kind: SpanKind,
    /// Where it begins, in milliseconds since the recording began.
    pub from_ms: u64,
    /// Where it ends.
    pub until_ms: u64,
}

/// Bytes of a part cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ScreenPartError {
    /// There is no such part.
    #[error("there is no such part")]
    PeerUnknown,
    /// A chunk of it was changed, or is another recording's.
    #[error("segment {segment} was changed, or is another recording's")]
    PeerChanged {
        /// Its number in the file.
        segment: u32,
    },
    /// The system could not read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A screen's recording, opened: what is where. Video is opened when it is asked for.
#[derive(Debug)]
pub struct ScreenReader<S> {
    source: S,
    header: ScreenHeader,
    key: DataKey,
    parts: Vec<Part>,
    /// All segments, in order, and where the chunk of each would stand.
    kept: Vec<(Head, u64)>,
    ending: Ending,
    offset: u64,
    number: u32,
    end_ms: u64,
}

impl<S: Source> ScreenReader<S> {
    /// Opens a recording and walks over what is there.
    ///
    /// # Errors
    /// Its head is not one, its key is not at hand, or the system cannot read. What is wrong further behind is told by [`ScreenReader::ending`].
    pub fn open(source: S, ring: &KeyRing) -> Result<Self, OpenError> {
        let mut start = vec![0; SEGMENTS_OFFSET];
        let read = read_at(&source, 0, &mut start)?;
        let (header, slots) = ScreenHeader::parse(start.get(..read).unwrap_or_default())?;
        let [first, second] = &slots;
        let key = DataKey::unwrap(ring, [first, second], &header.encode())?;
        let mut reader = Self {
            source,
            header,
            key,
            parts: Vec::new(),
            kept: Vec::new(),
            ending: Ending::Cut,
            offset: wide(SEGMENTS_OFFSET),
            number: 0,
            end_ms: 0,
        };
        while reader.ending == Ending::Cut {
            match reader.look()? {
                Ok((head, media_type)) => reader.take(head, media_type),
                Err(Ending::Cut) => break,
                Err(ending) => reader.ending = ending,
            }
        }
        if reader.ending == Ending::Whole && read_at(&reader.source, reader.offset, &mut [0])? > 0 {
            reader.ending = reader.damaged(Damage::BehindEnd);
        }
        Ok(reader)
    }

    /// What the file says of itself.
    pub fn header(&self) -> &ScreenHeader {
        &self.header
    }

    /// How it ends, as far as it was read.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Segments that are in order, the final one counted.
    pub fn segments(&self) -> u32 {
        self.number
    }

    /// Its length in milliseconds: where the last of what is in it ends.
    pub fn length_ms(&self) -> u64 {
        self.end_ms
    }

    /// Its parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Where it has no video, by begin: pauses, removed parts, and what is missing else.
    pub fn spans(&self) -> Vec<ScreenSpan> {
        let paused = self.paused();
        let mut kept: Vec<(u64, u64)> = self
            .parts
            .iter()
            .map(|part| (part.begin_ms, part.end_ms))
            .chain(paused.iter().map(|span| (span.from_ms, span.until_ms)))
            .collect();
        kept.sort_unstable();
        kept.push((self.end_ms, self.end_ms));
        let mut spans = paused;
        let removed = self.parts.iter().filter(|part| part.is_removed);
        spans.extend(removed.map(|part| ScreenSpan {
            kind: SpanKind::Removed,
            from_ms: part.begin_ms,
            until_ms: part.end_ms,
        }));
        let mut end = 0;
        for (from, until) in kept {
            if from >= end + GAP_MS_MIN {
                spans.push(ScreenSpan {
                    kind: SpanKind::Gap,
                    from_ms: end,
                    until_ms: from,
                });
            }
            end = until.max(end);
        }
        spans.sort_unstable_by_key(|span| span.from_ms);
        spans
    }

    fn paused(&self) -> Vec<ScreenSpan> {
        let mut spans = Vec::new();
        let mut begun = None;
        let kept = self.kept.iter().map(|(head, _)| (head.kind, head.at_ms));
        for (kind, at) in kept.chain([(Kind::Resume, self.end_ms)]) {
            match (kind, begun) {
                (Kind::Pause, None) => begun = Some(at),
                (Kind::Resume, Some(from_ms)) => {
                    spans.push(ScreenSpan {
                        kind: SpanKind::Paused,
                        from_ms,
                        until_ms: at.max(from_ms),
                    });
                    begun = None;
                }
                _ => {}
            }
        }
        spans
    }

    /// Bytes of a part from `offset` on, at most `bytes_max`; fewer only at its end.
    ///
    /// # Errors
    /// There is no such part, one of its chunks was changed, or the system could not read.
    pub fn read(
        &self,
        part: u16,
        offset: u64,
        bytes_max: usize,
    ) -> Result<Vec<u8>, ScreenPartError> {
        let part = self.parts.iter().find(|known| known.number == part);
        let part = part.ok_or(ScreenPartError::PeerUnknown)?;
        let first = part
            .chunks
            .partition_point(|chunk| chunk.begin + wide(chunk.head.chunk_bytes) <= offset);
        let mut bytes = Vec::new();
        for chunk in part.chunks.get(first..).unwrap_or_default() {
            let wanted = bytes_max.saturating_sub(bytes.len());
            if wanted == 0 {
                break;
            }
            let mut sealed = Vec::new();
            let opened = self.chunk(&chunk.head, chunk.offset, &mut sealed)?;
            let opened = opened.ok_or(ScreenPartError::PeerChanged {
                segment: chunk.head.number,
            })?;
            let skip = usize::try_from(offset.saturating_sub(chunk.begin)).unwrap_or(usize::MAX);
            bytes.extend(opened.iter().skip(skip).take(wanted));
        }
        Ok(bytes)
    }

    /// All segments that are in order, the final one too, and where the chunk of each would stand.
    pub(super) fn kept(&self) -> &[(Head, u64)] {
        &self.kept
    }

    /// The chunk of a segment, opened in `place`. `None`: it was changed.
    ///
    /// # Errors
    /// The system could not read.
    pub(super) fn chunk<'a>(
        &self,
        head: &Head,
        offset: u64,
        place: &'a mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>, ReadError> {
        place.resize(head.sealed_chunk_bytes(), 0);
        let read = read_at(&self.source, offset, place)?;
        let sealed = place.get_mut(..read).unwrap_or_default();
        Ok(self.place().open_chunk(head, sealed))
    }

    fn place(&self) -> Place<'_> {
        Place {
            key: &self.key,
            id: &self.header.id,
        }
    }

    fn damaged(&self, why: Damage) -> Ending {
        Ending::Damaged {
            segment: self.number,
            why,
        }
    }

    /// Looks at the next segment: its head and, of a part, its media type.
    fn look(&self) -> Result<Result<(Head, String), Ending>, ReadError> {
        let mut look = [0; LOOK_BYTES];
        let read = read_at(&self.source, self.offset, &mut look)?;
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
        if head.number != self.number {
            let found = head.number;
            return Ok(Err(self.damaged(Damage::OutOfOrder { found })));
        }
        let Some(sealed) = rest.get_mut(..head.index_bytes + TAG_BYTES) else {
            return Ok(Err(Ending::Cut));
        };
        let index = self.place().open_index(&head, sealed);
        let index = index.and_then(|index| std::str::from_utf8(index).ok());
        let Some(media_type) = index.map(str::to_owned) else {
            return Ok(Err(self.damaged(Damage::NotSealed)));
        };
        if self.goes_back(&head) {
            return Ok(Err(self.damaged(Damage::Backwards)));
        }
        let last = self.offset.saturating_add(wide(head.bytes() - 1));
        if read_at(&self.source, last, &mut [0])? == 0 {
            return Ok(Err(Ending::Cut));
        }
        Ok(Ok((head, media_type)))
    }

    /// No writer makes it: a part or a chunk that is not the next one, or chunks of a removed part.
    fn goes_back(&self, head: &Head) -> bool {
        let last = self.parts.last();
        match head.kind {
            Kind::Part => last.is_some_and(|last| head.part <= last.number),
            Kind::Chunk => last.is_none_or(|last| {
                head.part != last.number
                    || last.is_removed
                    || wide(last.chunks.len()) != u64::from(head.sequence)
                    || head.at_ms < last.end_ms
            }),
            Kind::Removed => last.is_none_or(|last| {
                head.part != last.number
                    || last.is_removed
                    || !last.chunks.is_empty()
                    || head.at_ms < last.begin_ms
            }),
            Kind::Pause | Kind::Resume | Kind::Final => false,
        }
    }

    fn take(&mut self, head: Head, media_type: String) {
        let offset = self.offset.saturating_add(wide(head.chunk_offset()));
        match head.kind {
            Kind::Part => self.parts.push(Part {
                number: head.part,
                begin_ms: head.at_ms,
                end_ms: head.at_ms,
                bytes: 0,
                media_type,
                is_removed: false,
                chunks: Vec::new(),
            }),
            Kind::Chunk => {
                if let Some(part) = self.parts.last_mut() {
                    let begin = part.bytes;
                    part.chunks.push(Chunk {
                        head,
                        offset,
                        begin,
                    });
                    part.bytes = begin.saturating_add(wide(head.chunk_bytes));
                    part.end_ms = head.at_ms;
                }
            }
            Kind::Removed => {
                if let Some(part) = self.parts.last_mut() {
                    part.is_removed = true;
                    part.end_ms = head.at_ms;
                }
            }
            Kind::Final => self.ending = Ending::Whole,
            Kind::Pause | Kind::Resume => {}
        }
        self.kept.push((head, offset));
        self.end_ms = self.end_ms.max(head.at_ms);
        self.offset = self.offset.saturating_add(wide(head.bytes()));
        self.number = self.number.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
