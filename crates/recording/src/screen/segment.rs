//! A segment of a screen's file, sealed.
//! Owns: the layout, what binds a segment to its place.
//! Never: is sealed twice under one number, or believed before its index has opened.

use domain::id::RecordingId;

use crate::keys::{DataKey, Nonce, SealError, TAG_BYTES, fixed};

/// Most bytes of one chunk. A page sends one a second; full HD at 2.5 Mbit/s makes 310 kB, and a key frame of it fits.
pub const CHUNK_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// Longest media type of a part, in bytes.
pub const MEDIA_TYPE_BYTES_MAX: usize = 100;
/// Bytes of a head.
pub(super) const HEAD_BYTES: usize = 32;

const MAGIC: [u8; 4] = *b"TWSS";

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part begins; its index is the media type.
    Part,
    /// Bytes of a part.
    Chunk,
    /// Nothing is recorded from here on.
    Pause,
    /// From here on it is again.
    Resume,
    /// The last one: the recording is whole.
    Final,
    /// A person had the chunks of the part before it removed, which ended here. Only files of version 2 have it.
    Removed,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Part => 1,
            Self::Chunk => 2,
            Self::Pause => 3,
            Self::Resume => 4,
            Self::Final => 5,
            Self::Removed => 6,
        }
    }

    fn of(code: u8) -> Option<Self> {
        let all = [
            Self::Part,
            Self::Chunk,
            Self::Pause,
            Self::Resume,
            Self::Final,
            Self::Removed,
        ];
        all.into_iter().find(|kind| kind.code() == code)
    }
}

/// What stands before the sealed bytes, for everybody to read; both seals are bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// From 0, without holes, whatever the kind.
    pub(super) number: u32,
    /// The part that begins, whose chunk it is or that was removed; else 0.
    pub(super) part: u16,
    /// Of a chunk: its place in the part, from 0.
    pub(super) sequence: u32,
    /// Milliseconds since the recording began: where the part, the pause or what follows it begins, where the chunk, the removed part or the recording ends.
    pub(super) at_ms: u64,
    /// Bytes of the index before it was sealed.
    pub(super) index_bytes: usize,
    /// Bytes of the chunk before it was sealed.
    pub(super) chunk_bytes: usize,
}

impl Head {
    pub(super) fn encode(&self) -> [u8; HEAD_BYTES] {
        // Both are bounded far below what their fields hold.
        let index = u8::try_from(self.index_bytes).unwrap_or(u8::MAX);
        let chunk = u32::try_from(self.chunk_bytes).unwrap_or(u32::MAX);
        let bytes = [
            MAGIC.as_slice(),
            &[self.kind.code(), index],
            &self.part.to_be_bytes(),
            &self.number.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            &self.at_ms.to_be_bytes(),
            &chunk.to_be_bytes(),
        ];
        fixed(&bytes.concat())
    }

    /// `None` for what no writer of this version makes.
    pub(super) fn parse(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_be_bytes(fixed(&bytes[at..at + 4]));
        let head = Self {
            kind: Kind::of(bytes[4])?,
            number: word(8),
            part: u16::from_be_bytes([bytes[6], bytes[7]]),
            sequence: word(12),
            at_ms: u64::from_be_bytes(fixed(&bytes[16..24])),
            index_bytes: usize::from(bytes[5]),
            chunk_bytes: usize::try_from(word(24)).ok()?,
        };
        let fits = match head.kind {
            Kind::Part => {
                head.index_bytes <= MEDIA_TYPE_BYTES_MAX
                    && head.chunk_bytes == 0
                    && head.sequence == 0
            }
            Kind::Chunk => {
                head.index_bytes == 0 && (1..=CHUNK_BYTES_MAX).contains(&head.chunk_bytes)
            }
            Kind::Removed => (head.sequence, head.index_bytes, head.chunk_bytes) == (0, 0, 0),
            Kind::Pause | Kind::Resume | Kind::Final => {
                (head.part, head.sequence, head.index_bytes, head.chunk_bytes) == (0, 0, 0, 0)
            }
        };
        // Whatever else differs from how we write it is not ours.
        (fits && head.encode() == *bytes).then_some(head)
    }

    /// Bytes of the sealed chunk.
    pub(super) fn sealed_chunk_bytes(&self) -> usize {
        match self.kind {
            Kind::Chunk => self.chunk_bytes + TAG_BYTES,
            Kind::Part | Kind::Pause | Kind::Resume | Kind::Final | Kind::Removed => 0,
        }
    }

    /// Bytes before the sealed chunk.
    pub(super) fn chunk_offset(&self) -> usize {
        HEAD_BYTES + self.index_bytes + TAG_BYTES
    }

    /// Bytes of the whole segment.
    pub(super) fn bytes(&self) -> usize {
        self.chunk_offset() + self.sealed_chunk_bytes()
    }
}

/// What binds segments to their recording.
pub(super) struct Place<'a> {
    pub(super) key: &'a DataKey,
    pub(super) id: &'a RecordingId,
}

impl Place<'_> {
    fn data(&self, head: &[u8; HEAD_BYTES]) -> Vec<u8> {
        [
            b"tonewall screen segment v1".as_slice(),
            self.id.as_str().as_bytes(),
            b"/",
            head,
        ]
        .concat()
    }

    /// Appends the sealed segment to `out`. The head's number must never be used again with this key.
    ///
    /// # Errors
    /// The cipher refused; nothing was appended.
    pub(super) fn seal(
        &self,
        head: &Head,
        (index, chunk): (&[u8], &[u8]),
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let begin = out.len();
        let head_bytes = head.encode();
        let data = self.data(&head_bytes);
        out.extend_from_slice(&head_bytes);
        out.extend_from_slice(index);
        out.extend_from_slice(&[0; TAG_BYTES]);
        let chunk_begin = out.len();
        if head.kind == Kind::Chunk {
            out.extend_from_slice(chunk);
            out.extend_from_slice(&[0; TAG_BYTES]);
        }
        let (before, chunk) = out.split_at_mut(chunk_begin);
        let index = before.get_mut(begin + HEAD_BYTES..).unwrap_or_default();
        let mut sealed = self.key.seal(Nonce::ScreenIndex(head.number), &data, index);
        if head.kind == Kind::Chunk {
            sealed = sealed.and_then(|()| self.key.seal(Nonce::Screen(head.number), &data, chunk));
        }
        if sealed.is_err() {
            out.truncate(begin);
        }
        sealed
    }

    /// Opens a sealed index in place. `None` if it is not the one of that head in this recording.
    pub(super) fn open_index<'a>(&self, head: &Head, sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let data = self.data(&head.encode());
        self.key
            .open(Nonce::ScreenIndex(head.number), &data, sealed)
            .map(|plain| &*plain)
    }

    /// Opens a sealed chunk in place.
    pub(super) fn open_chunk<'a>(&self, head: &Head, sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let data = self.data(&head.encode());
        self.key
            .open(Nonce::Screen(head.number), &data, sealed)
            .map(|plain| &*plain)
    }
}
