//! A recording as a WAV: 16-bit PCM, stereo, 8 kHz.
//! Owns: its bytes at any place, without a file of it.
//! Never: leaves opened audio on a disk.

use std::io;

use crate::reader::{ReadError, Reader};
use crate::source::Source;

/// Bytes before the samples.
const HEAD_BYTES: usize = 44;
/// Bytes of one moment: two samples.
const MOMENT_BYTES: u64 = 4;
/// Moments that are opened at a time: four segments.
const MOMENTS_AT_ONCE: usize = 16_000;
/// Moments whose bytes a WAV can count: 37 h.
const MOMENTS_MAX: u64 = (0xFFFF_FFFF - 36) / MOMENT_BYTES;

/// A recording cannot be had as a WAV.
#[derive(Debug, thiserror::Error)]
pub enum WavError {
    /// It lasts longer than a WAV can say.
    #[error("a WAV holds at most {MOMENTS_MAX} samples of a track; the recording has {samples}")]
    PeerTooLong {
        /// Samples of each track.
        samples: u64,
    },
    /// The recording could not be read.
    #[error("the recording cannot be read")]
    Read(#[from] ReadError),
    /// What it was exported to took no more.
    #[error("the WAV cannot be written")]
    Write(#[source] io::Error),
}

/// What was handed out, and how well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Handed {
    /// Bytes of the WAV.
    pub bytes: u64,
    /// Segments that were changed and are silence.
    pub changed_segments: usize,
}

/// The WAV of all that a reader had found when this was made. The left channel is the consumer, the right one the agent; what was not kept is silence,
/// so that times are those of the call.
#[derive(Debug)]
pub struct Wav<'a, S> {
    reader: &'a Reader<S>,
    first: u64,
    moments: u64,
}

impl<'a, S: Source> Wav<'a, S> {
    /// The WAV of a recording.
    ///
    /// # Errors
    /// It is longer than 37 hours.
    pub fn new(reader: &'a Reader<S>) -> Result<Self, WavError> {
        let positions = reader.positions();
        let samples = positions.end.saturating_sub(positions.start);
        if samples > MOMENTS_MAX {
            return Err(WavError::PeerTooLong { samples });
        }
        Ok(Self {
            reader,
            first: positions.start,
            moments: samples,
        })
    }

    /// Its length in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a WAV has a head at least")]
    pub fn len(&self) -> u64 {
        self.data_bytes() + HEAD_BYTES as u64
    }

    /// Fills `place` with its bytes from `offset` on; fewer only at its end.
    ///
    /// # Errors
    /// The recording could not be read.
    pub fn read_at(&self, offset: u64, place: &mut [u8]) -> Result<Handed, ReadError> {
        let head = self.head();
        let mut handed = Handed::default();
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let head = head.get(at..).unwrap_or_default();
        let in_head = head.len().min(place.len());
        let (head_place, mut rest) = place.split_at_mut(in_head);
        head_place.copy_from_slice(head.get(..in_head).unwrap_or_default());
        handed.bytes += in_head as u64;
        let mut data_offset = (offset + in_head as u64).saturating_sub(HEAD_BYTES as u64);
        while !rest.is_empty() && data_offset < self.data_bytes() {
            let (bytes, changed) = self.some(data_offset, rest)?;
            handed.bytes += bytes as u64;
            handed.changed_segments += changed;
            data_offset += bytes as u64;
            rest = rest.get_mut(bytes..).unwrap_or_default();
        }
        Ok(handed)
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// The recording could not be read, or `out` takes no more.
    pub fn export(&self, out: &mut impl io::Write) -> Result<Handed, WavError> {
        let mut place = vec![0; MOMENTS_AT_ONCE * 4];
        let mut total = Handed::default();
        while total.bytes < self.len() {
            let handed = self.read_at(total.bytes, &mut place)?;
            let bytes = usize::try_from(handed.bytes).unwrap_or(0);
            out.write_all(place.get(..bytes).unwrap_or_default())
                .map_err(WavError::Write)?;
            total.bytes += handed.bytes;
            total.changed_segments += handed.changed_segments;
        }
        Ok(total)
    }

    fn data_bytes(&self) -> u64 {
        self.moments * MOMENT_BYTES
    }

    /// Bytes from a place among the samples on, and how many segments were changed; at least one byte, if there is one.
    fn some(&self, data_offset: u64, place: &mut [u8]) -> Result<(usize, usize), ReadError> {
        let moment = data_offset / MOMENT_BYTES;
        let skip = usize::try_from(data_offset % MOMENT_BYTES).unwrap_or(0);
        let wanted = (skip + place.len()).div_ceil(4).min(MOMENTS_AT_ONCE);
        let left = usize::try_from(self.moments - moment).unwrap_or(usize::MAX);
        let mut samples = vec![0; 2 * wanted.min(left)];
        let changed = self.reader.read(self.first + moment, &mut samples)?;
        let bytes = samples.iter().flat_map(|sample| sample.to_le_bytes());
        let mut count = 0;
        for (to, byte) in place.iter_mut().zip(bytes.skip(skip)) {
            *to = byte;
            count += 1;
        }
        Ok((count, changed))
    }

    fn head(&self) -> [u8; HEAD_BYTES] {
        // Both fit: `new` saw to it.
        let data = u32::try_from(self.data_bytes()).unwrap_or(u32::MAX);
        let fields: [&[u8]; 12] = [
            b"RIFF",
            &(data.saturating_add(36)).to_le_bytes(),
            b"WAVEfmt ",
            &16_u32.to_le_bytes(),
            &1_u16.to_le_bytes(),
            &2_u16.to_le_bytes(),
            &8_000_u32.to_le_bytes(),
            &32_000_u32.to_le_bytes(),
            &4_u16.to_le_bytes(),
            &16_u16.to_le_bytes(),
            b"data",
            &data.to_le_bytes(),
        ];
        crate::keys::fixed(&fields.concat())
    }
}

#[cfg(test)]
mod tests;
