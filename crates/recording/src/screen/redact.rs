//! Removing parts of a screen's recording that has ended.
//! Owns: sealing every segment anew under another key, but for the chunks of the parts that go, and the segment that says so.
//! Never: opens a chunk of a part that goes; keeps half of a part, which no player could play; loses another one.

use std::io::Write;
use std::ops::Range;

use crate::header::{SEGMENTS_OFFSET, begin_file};
use crate::keys::{DataKey, NONCE_BYTES, SealError, WrappingKey};
use crate::reader::{Damage, Ending};
use crate::redact::RedactError;
use crate::source::Source;

use super::header::ScreenHeader;
use super::reader::{Part, ScreenReader};
use super::segment::{Head, Kind, Place};

/// Writes a recording anew without the video of each part that lies in a stretch of it, in milliseconds, as a whole: a part is a video of its own. All else is as
/// before, to the byte: other parts, their numbers, pauses, times, whether it is whole. Memory: one chunk.
///
/// `key` and `nonce` are random and used here alone.
///
/// # Errors
/// No part lies in the stretch, the recording is damaged, or the system cannot read or write. What was written then is of no use.
pub fn redact_screen<S: Source>(
    reader: &ScreenReader<S>,
    stretch_ms: &Range<u64>,
    key: &DataKey,
    (under, nonce): (&WrappingKey, [u8; NONCE_BYTES]),
    out: &mut impl Write,
) -> Result<(), RedactError> {
    if let Ending::Damaged { segment, why } = reader.ending() {
        return Err(RedactError::PeerDamaged { segment, why });
    }
    if !reader.parts().iter().any(|part| part.is_in(stretch_ms)) {
        return Err(RedactError::OperatorEmpty);
    }
    let header = ScreenHeader {
        is_redacted: true,
        ..reader.header().clone()
    };
    let mut start = begin_file(&header.encode(), key, under, nonce)?;
    start.resize(SEGMENTS_OFFSET, 0);
    out.write_all(&start).map_err(RedactError::Write)?;
    let place = Place {
        key,
        id: &header.id,
    };
    let mut sealer = Sealer {
        place,
        number: 0,
        sealed: Vec::new(),
        out,
    };
    copy(reader, stretch_ms, &mut sealer)
}

/// Seals each segment anew, and behind the begin of a part that goes where it ended, instead of its chunks.
fn copy<S: Source, W: Write>(
    reader: &ScreenReader<S>,
    stretch_ms: &Range<u64>,
    sealer: &mut Sealer<'_, W>,
) -> Result<(), RedactError> {
    let mut opened = Vec::new();
    let mut parts = reader.parts().iter();
    let mut goes = false;
    for (head, offset) in reader.kept() {
        match head.kind {
            Kind::Part => {
                let part = parts.find(|part| part.number == head.part);
                let part = part.ok_or(SealError)?;
                sealer.seal(head, (part.media_type.as_bytes(), &[]))?;
                goes = part.is_removed || part.is_in(stretch_ms);
                if goes {
                    sealer.seal(&removed(part), (&[], &[]))?;
                }
            }
            Kind::Chunk if !goes => {
                let chunk = reader.chunk(head, *offset, &mut opened)?;
                let chunk = chunk.ok_or(RedactError::PeerDamaged {
                    segment: head.number,
                    why: Damage::NotSealed,
                })?;
                sealer.seal(head, (&[], chunk))?;
            }
            Kind::Chunk | Kind::Removed => {}
            Kind::Pause | Kind::Resume | Kind::Final => sealer.seal(head, (&[], &[]))?,
        }
    }
    Ok(())
}

fn removed(part: &Part) -> Head {
    Head {
        kind: Kind::Removed,
        number: 0,
        part: part.number,
        sequence: 0,
        at_ms: part.end_ms,
        index_bytes: 0,
        chunk_bytes: 0,
    }
}

/// Segments on their way into the new file, numbered from 0.
struct Sealer<'a, W> {
    place: Place<'a>,
    number: u32,
    sealed: Vec<u8>,
    out: &'a mut W,
}

impl<W: Write> Sealer<'_, W> {
    fn seal(&mut self, head: &Head, content: (&[u8], &[u8])) -> Result<(), RedactError> {
        let number = self.number;
        self.number = number.checked_add(1).ok_or(SealError)?;
        self.sealed.clear();
        let head = Head { number, ..*head };
        self.place.seal(&head, content, &mut self.sealed)?;
        self.out.write_all(&self.sealed).map_err(RedactError::Write)
    }
}

#[cfg(test)]
mod tests;
