//! Half a second of a recording, sealed.
//! Owns: the layout of segments, what binds one to its place, its index.
//! Never: is sealed twice under one number, or read before it is known to be ours.

use crate::keys::{DataKey, Nonce, SealError, TAG_BYTES, fixed};
use crate::peaks;
use crate::span::{MARK_BYTES, Mark};
use domain::id::RecordingId;
use g711::Law;

/// Most samples of a track in one segment: 500 ms. With the 200 ms that are waited for the slower side, audio is in memory for less than a second.
pub const SEGMENT_SAMPLES: usize = 4_000;
/// Most marks in one segment; the next segment takes more.
pub(crate) const MARKS_MAX: usize = 64;
/// Bytes of a head.
pub(crate) const HEAD_BYTES: usize = 32;
/// Longest index: the number of marks, the marks, two bytes a peak.
pub(crate) const INDEX_BYTES_MAX: usize =
    2 + MARKS_MAX * MARK_BYTES + 2 * SEGMENT_SAMPLES.div_ceil(peaks::PEAK_SAMPLES);
/// Longest segment.
pub(crate) const SEGMENT_BYTES_MAX: usize =
    HEAD_BYTES + INDEX_BYTES_MAX + 2 * SEGMENT_SAMPLES + 2 * TAG_BYTES;

const MAGIC: [u8; 4] = *b"TWSG";

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Audio, marks, or both.
    Audio,
    /// The last one: the recording is whole. It may hold marks, but no audio.
    Final,
}

/// What stands before the sealed parts, for everybody to read; both parts are bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// From 0, without holes.
    pub(crate) number: u32,
    /// Position of the first sample.
    pub(crate) first: u64,
    /// Samples of each track, at most [`SEGMENT_SAMPLES`].
    pub(crate) samples: usize,
    /// Whether audio follows; without it both tracks were silent.
    pub(crate) has_audio: bool,
    /// Bytes of the index before it was sealed, at most [`INDEX_BYTES_MAX`].
    pub(crate) index_bytes: usize,
}

impl Head {
    fn encode(&self) -> [u8; HEAD_BYTES] {
        let kind = match self.kind {
            Kind::Audio => 1,
            Kind::Final => 2,
        };
        // All three are bounded far below what their fields hold.
        let index = u16::try_from(self.index_bytes).unwrap_or(u16::MAX);
        let samples = u32::try_from(self.samples).unwrap_or(u32::MAX);
        let audio = u32::try_from(self.audio_bytes()).unwrap_or(u32::MAX);
        let bytes = [
            MAGIC.as_slice(),
            &[kind, 0],
            &index.to_be_bytes(),
            &self.number.to_be_bytes(),
            &samples.to_be_bytes(),
            &self.first.to_be_bytes(),
            &audio.to_be_bytes(),
        ];
        fixed(&bytes.concat())
    }

    /// `None` for what no writer of this version makes.
    pub(crate) fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let short = |at: usize| u32::from_be_bytes(fixed(&bytes[at..at + 4]));
        let samples = usize::try_from(short(12)).ok()?;
        let head = Self {
            kind: match bytes[4] {
                1 => Kind::Audio,
                2 => Kind::Final,
                _ => return None,
            },
            number: short(8),
            first: u64::from_be_bytes(fixed(&bytes[16..24])),
            samples,
            has_audio: short(24) != 0,
            index_bytes: usize::from(u16::from_be_bytes([bytes[6], bytes[7]])),
        };
        let samples_u64 = u64::try_from(samples).ok()?;
        let fits = samples <= SEGMENT_SAMPLES
            && head.index_bytes <= INDEX_BYTES_MAX
            && (samples > 0 || !head.has_audio)
            && (head.kind == Kind::Audio || samples == 0)
            && head.first.checked_add(samples_u64).is_some();
        // Whatever else differs from how we write it is not ours.
        (fits && head.encode() == *bytes).then_some(head)
    }

    /// Bytes of the audio before it was sealed.
    pub(crate) fn audio_bytes(&self) -> usize {
        if self.has_audio { 2 * self.samples } else { 0 }
    }

    /// Bytes of the sealed audio.
    pub(crate) fn sealed_audio_bytes(&self) -> usize {
        if self.has_audio {
            self.audio_bytes() + TAG_BYTES
        } else {
            0
        }
    }

    /// Bytes of the whole segment.
    pub(crate) fn bytes(&self) -> usize {
        HEAD_BYTES + self.index_bytes + TAG_BYTES + self.sealed_audio_bytes()
    }

    /// The position behind its last sample.
    pub(crate) fn end(&self) -> u64 {
        self.first
            .saturating_add(u64::try_from(self.samples).unwrap_or(0))
    }
}

/// What is to become a segment.
pub(crate) struct Plain<'a> {
    pub(crate) kind: Kind,
    pub(crate) first: u64,
    /// Interleaved; empty together with `samples > 0`: silence.
    pub(crate) audio: &'a [u8],
    pub(crate) samples: usize,
    /// At most [`MARKS_MAX`].
    pub(crate) marks: &'a [Mark],
}

/// What binds sealed parts to their place, and the recording's laws.
pub(crate) struct Place<'a> {
    pub(crate) key: &'a DataKey,
    pub(crate) id: &'a RecordingId,
    pub(crate) laws: [Law; 2],
}

impl Place<'_> {
    fn data(&self, head: &[u8]) -> Vec<u8> {
        [
            b"tonewall segment v1".as_slice(),
            self.id.as_str().as_bytes(),
            b"/",
            head,
        ]
        .concat()
    }

    /// Appends the sealed segment to `out`. `number` must never be used again with this key.
    ///
    /// # Errors
    /// The cipher refused; nothing was appended.
    pub(crate) fn seal(
        &self,
        number: u32,
        plain: &Plain<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let index = Index::encode(plain, self.laws);
        let head = Head {
            kind: plain.kind,
            number,
            first: plain.first,
            samples: plain.samples,
            has_audio: !plain.audio.is_empty(),
            index_bytes: index.len(),
        };
        let (begin, head_bytes) = (out.len(), head.encode());
        out.extend_from_slice(&head_bytes);
        out.extend_from_slice(&index);
        out.extend_from_slice(&[0; TAG_BYTES]);
        let audio_begin = out.len();
        if head.has_audio {
            out.extend_from_slice(plain.audio);
            out.extend_from_slice(&[0; TAG_BYTES]);
        }
        let data = self.data(&head_bytes);
        let (before, audio) = out.split_at_mut(audio_begin);
        let index = before.get_mut(begin + HEAD_BYTES..).unwrap_or_default();
        let mut sealed = self.key.seal(Nonce::Index(number), &data, index);
        if head.has_audio {
            sealed = sealed.and_then(|()| self.key.seal(Nonce::Audio(number), &data, audio));
        }
        if sealed.is_err() {
            out.truncate(begin);
        }
        sealed
    }

    /// Opens a sealed index in place. `None` if it is not the one of that head in this recording.
    pub(crate) fn open_index(&self, head: &Head, sealed: &mut [u8]) -> Option<Index> {
        let data = self.data(&head.encode());
        let plain = self.key.open(Nonce::Index(head.number), &data, sealed)?;
        Index::decode(plain, head)
    }

    /// Opens sealed audio in place: interleaved bytes.
    pub(crate) fn open_audio<'a>(&self, head: &Head, sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let data = self.data(&head.encode());
        self.key.open(Nonce::Audio(head.number), &data, sealed)
    }
}

/// What can be known of a segment without its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// Ends of spans.
    pub(crate) marks: Vec<Mark>,
    /// Consumer's and agent's peaks, stretch by stretch, as [`crate::Peak`] has them.
    pub(crate) peaks: Vec<[u8; 2]>,
}

impl Index {
    fn encode(plain: &Plain<'_>, laws: [Law; 2]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(INDEX_BYTES_MAX);
        let marks = plain.marks.get(..MARKS_MAX).unwrap_or(plain.marks);
        let count = u16::try_from(marks.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&count.to_be_bytes());
        marks.iter().for_each(|mark| mark.encode(&mut bytes));
        bytes.extend(peaks::of(plain.audio, laws).flatten());
        bytes
    }

    /// Reads an index that opened. `None` if it does not fit its head.
    fn decode(bytes: &[u8], head: &Head) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<2>()?;
        let count = usize::from(u16::from_be_bytes(*count));
        if count > MARKS_MAX {
            return None;
        }
        let (marks, rest) = rest.split_at_checked(count * MARK_BYTES)?;
        let marks = marks.chunks_exact(MARK_BYTES);
        let marks = marks.map(|bytes| Mark::decode(fixed(bytes)));
        let marks = marks.collect::<Option<Vec<_>>>()?;
        let expected = if head.has_audio {
            peaks::count(head.samples)
        } else {
            0
        };
        let peaks: Vec<[u8; 2]> = rest.chunks_exact(2).map(fixed).collect();
        (rest.len() == 2 * expected).then_some(Self { marks, peaks })
    }
}

#[cfg(test)]
mod tests;
