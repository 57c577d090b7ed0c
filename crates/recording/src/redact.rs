//! Removing a part of a recording that has ended.
//! Owns: sealing every segment anew under another key, the part as silence, and the mark that says so.
//! Never: keeps a sample of the part; loses one outside of it; puts right what somebody changed.

use std::io::{self, Write};
use std::ops::Range;

use crate::header::{Header, SEGMENTS_OFFSET};
use crate::keys::{DataKey, NONCE_BYTES, SealError, WrappingKey};
use crate::reader::{Damage, Ending, ReadError, Reader};
use crate::segment::{Kind, Place, Plain, SEGMENT_BYTES_MAX};
use crate::source::Source;
use crate::span::{Edge, Mark, SpanKind, Tracks};

/// A part could not be removed; the recording is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// Nothing of the recording lies in the part.
    #[error("the part holds nothing of the recording")]
    OperatorEmpty,
    /// Something is wrong with the file, and a new one would hide that.
    #[error("segment {segment}: {why}; put the file back from a backup, or delete the recording")]
    PeerDamaged {
        /// Which segment.
        segment: u32,
        /// What is wrong.
        why: Damage,
    },
    /// The system could not read it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The system did not take the new file.
    #[error("writing the new file")]
    Write(#[source] io::Error),
    /// The cipher, or more segments than numbers.
    #[error(transparent)]
    BugSeal(#[from] SealError),
}

/// Writes a recording anew, with silence on both tracks from one position to before another, and a span there that says *removed*. All else is as before, to the
/// sample: audio, spans, peaks of stretches that the part does not touch, positions, whether it is whole. It has one segment more. Memory: one segment.
///
/// `key` and `nonce` are random and used here alone. Positions count samples since the call's media began; what of the part lies outside of the recording is left out.
///
/// # Errors
/// The part is empty, the recording damaged, or the system cannot read or write. What was written then is of no use.
pub fn redact<S: Source>(
    reader: &Reader<S>,
    part: Range<u64>,
    key: &DataKey,
    (under, nonce): (&WrappingKey, [u8; NONCE_BYTES]),
    out: &mut impl Write,
) -> Result<(), RedactError> {
    if let Ending::Damaged { segment, why } = reader.ending() {
        return Err(RedactError::PeerDamaged { segment, why });
    }
    let all = reader.positions();
    let part = part.start.max(all.start)..part.end.min(all.end);
    if part.is_empty() {
        return Err(RedactError::OperatorEmpty);
    }
    let header = Header {
        is_redacted: true,
        ..reader.header().clone()
    };
    let mut start = header.begin_file(key, under, nonce)?;
    start.resize(SEGMENTS_OFFSET, 0);
    out.write_all(&start).map_err(RedactError::Write)?;
    let place = Place {
        key,
        id: &header.id,
        laws: header.laws,
    };
    copy(reader, &part, &mut Sealer::new(place, out))
}

/// Seals each segment anew; before the one in which the part begins one without audio, which has its marks.
fn copy<S: Source, W: Write>(
    reader: &Reader<S>,
    part: &Range<u64>,
    sealer: &mut Sealer<'_, W>,
) -> Result<(), RedactError> {
    let silence = reader.header().laws.map(g711::Law::silence);
    let mut opened = Vec::with_capacity(SEGMENT_BYTES_MAX);
    let mut is_marked = false;
    for kept in reader.kept() {
        let head = &kept.head;
        if !is_marked && head.end() > part.start {
            is_marked = true;
            sealer.seal(&Plain {
                kind: Kind::Audio,
                first: head.first,
                audio: &[],
                samples: 0,
                marks: &marks(part),
            })?;
        }
        let mut audio: &[u8] = &[];
        if head.has_audio {
            let found = reader.audio(kept, &mut opened)?;
            let found = found.ok_or(RedactError::PeerDamaged {
                segment: head.number,
                why: Damage::NotSealed,
            })?;
            silence_part(found, head.first, part, silence);
            if !found.chunks_exact(2).all(|moment| moment == silence) {
                audio = found;
            }
        }
        sealer.seal(&Plain {
            kind: head.kind,
            first: head.first,
            audio,
            samples: head.samples,
            marks: reader.marks(kept),
        })?;
    }
    Ok(())
}

/// Overwrites what of a segment lies in the part.
fn silence_part(audio: &mut [u8], first: u64, part: &Range<u64>, silence: [u8; 2]) {
    for (moment, position) in audio.chunks_exact_mut(2).zip(first..) {
        if part.contains(&position) {
            moment.copy_from_slice(&silence);
        }
    }
}

fn marks(part: &Range<u64>) -> [Mark; 2] {
    [(Edge::Begin, part.start), (Edge::End, part.end)].map(|(edge, position)| Mark {
        kind: SpanKind::Removed,
        edge,
        tracks: Tracks::Both,
        position,
    })
}

/// Segments on their way into the new file, numbered from 0.
struct Sealer<'a, W> {
    place: Place<'a>,
    number: u32,
    sealed: Vec<u8>,
    out: &'a mut W,
}

impl<'a, W: Write> Sealer<'a, W> {
    fn new(place: Place<'a>, out: &'a mut W) -> Self {
        Self {
            place,
            number: 0,
            sealed: Vec::with_capacity(SEGMENT_BYTES_MAX),
            out,
        }
    }

    fn seal(&mut self, plain: &Plain<'_>) -> Result<(), RedactError> {
        let number = self.number;
        self.number = number.checked_add(1).ok_or(SealError)?;
        self.sealed.clear();
        self.place.seal(number, plain, &mut self.sealed)?;
        self.out.write_all(&self.sealed).map_err(RedactError::Write)
    }
}

#[cfg(test)]
mod tests;
