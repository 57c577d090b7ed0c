//! The head of a file, before its key slots and segments.
//! Owns: magic, version, whose recording it is and how its tracks are kept; what files of calls and of screens have in common.
//! Never: holds a secret; it is read without a key, and believed only once the key opens with it.

use domain::id::{ID_CHARS_MAX, RecordingId};
use domain::time::UnixMillis;
use g711::Law;

use crate::keys::{DataKey, fixed};
use crate::keys::{NONCE_BYTES, SLOT_BYTES, SealError, WrappingKey};

/// First bytes of every recording of a call. Line ends and the end-of-file character show what a text transfer did to it.
const MAGIC: [u8; 8] = *b"TWREC\r\n\x1A";
/// The version of either kind of file as a writer begins it.
pub(crate) const VERSION: u16 = 1;
/// The version of a file of which parts were removed: it has marks or segments that version 1 does not know.
pub(crate) const VERSION_REDACTED: u16 = 2;
/// A block is written apart from its neighbours: the largest one that disks rewrite as a whole.
const BLOCK_BYTES: usize = 4_096;
/// Where the key slots stand.
pub(crate) const SLOT_OFFSETS: [usize; 2] = [BLOCK_BYTES, 2 * BLOCK_BYTES];
/// Where the first segment stands.
pub(crate) const SEGMENTS_OFFSET: usize = 3 * BLOCK_BYTES;
/// Bytes of the head: magic, version, two laws, when, length of the id, id.
pub(crate) const HEAD_BYTES: usize = 8 + 2 + 2 + 8 + 1 + ID_CHARS_MAX;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Whose bytes these are.
    pub id: RecordingId,
    /// When the recording began.
    pub began: UnixMillis,
    /// How consumer's and agent's samples are kept.
    pub laws: [Law; 2],
    /// Whether parts of it were removed later, which [`crate::redact`] alone does.
    pub is_redacted: bool,
}

/// The bytes are no head that we can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is something else.
    #[error("this is no recording of ours")]
    PeerForeign,
    /// It is written by a later version.
    #[error("this recording has version {0}, which this program cannot read; use a newer one")]
    PeerNewer(u16),
    /// It ends within its head or key slots.
    #[error("the recording is cut off within its head")]
    PeerCut,
    /// Something stands in the head that nobody of ours wrote.
    #[error("the recording's head is damaged: {0}")]
    PeerDamaged(&'static str),
}

impl Header {
    /// The head's bytes, from the file's first.
    pub(crate) fn encode(&self) -> [u8; HEAD_BYTES] {
        let version = if self.is_redacted {
            VERSION_REDACTED
        } else {
            VERSION
        };
        let laws = self.laws.map(number);
        encode((&MAGIC, version), laws, self.began, &self.id)
    }

    /// The head and the key slots of a new file, up to its first segment: what is not written between them is zero.
    ///
    /// # Errors
    /// The key could not be wrapped.
    pub(crate) fn begin_file(
        &self,
        key: &DataKey,
        under: &WrappingKey,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, SealError> {
        begin_file(&self.encode(), key, under, nonce)
    }

    /// Reads the file's first [`SEGMENTS_OFFSET`] bytes: the head and both key slots.
    ///
    /// # Errors
    /// They are no head, or one that this version does not read; a shorter file is cut.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, Slots), HeaderError> {
        let (version, codes, (began, id), slots) = parse((&MAGIC, VERSION_REDACTED), bytes)?;
        let law = |code| law_of(code).ok_or(HeaderError::PeerDamaged("an unknown law"));
        let [consumer, agent] = codes;
        let laws = [law(consumer)?, law(agent)?];
        let header = Self {
            id,
            began,
            laws,
            is_redacted: version == VERSION_REDACTED,
        };
        Ok((header, slots))
    }
}

/// Both key slots.
pub(crate) type Slots = [[u8; SLOT_BYTES]; 2];

/// A head's bytes. `codes`: what this kind of file says of its content.
pub(crate) fn encode(
    (magic, version): (&[u8; 8], u16),
    codes: [u8; 2],
    began: UnixMillis,
    id: &RecordingId,
) -> [u8; HEAD_BYTES] {
    let text = id.as_str().as_bytes();
    let bytes = [
        magic.as_slice(),
        &version.to_be_bytes(),
        &codes,
        &began.0.to_be_bytes(),
        // An id has at most 40 characters.
        &[u8::try_from(text.len()).unwrap_or(u8::MAX)],
        text,
    ];
    fixed(&bytes.concat())
}

/// A head with its first key slot, as a new file begins.
pub(crate) fn begin_file(
    head: &[u8; HEAD_BYTES],
    key: &DataKey,
    under: &WrappingKey,
    nonce: [u8; NONCE_BYTES],
) -> Result<Vec<u8>, SealError> {
    let slot = key.wrap(under, nonce, head)?;
    let mut bytes = head.to_vec();
    bytes.resize(BLOCK_BYTES, 0);
    bytes.extend_from_slice(&slot);
    Ok(bytes)
}

/// What a head says: version, codes, when it began and whose it is, key slots.
pub(crate) type Said = (u16, [u8; 2], (UnixMillis, RecordingId), Slots);

/// Reads what [`encode`] and [`begin_file`] wrote, up to the newest version that this kind of file has.
pub(crate) fn parse((magic, newest): (&[u8; 8], u16), bytes: &[u8]) -> Result<Said, HeaderError> {
    match bytes.first_chunk::<8>() {
        Some(found) if found == magic => {}
        None if magic.starts_with(bytes) && !bytes.is_empty() => {
            return Err(HeaderError::PeerCut);
        }
        _ => return Err(HeaderError::PeerForeign),
    }
    let version = bytes.get(8..10).ok_or(HeaderError::PeerCut)?;
    let version = u16::from_be_bytes(fixed(version));
    match version {
        0 => return Err(HeaderError::PeerDamaged("it has version 0")),
        _ if version <= newest => {}
        _ => return Err(HeaderError::PeerNewer(version)),
    }
    if bytes.len() < SEGMENTS_OFFSET {
        return Err(HeaderError::PeerCut);
    }
    let slots = SLOT_OFFSETS.map(|at| fixed(bytes.get(at..).unwrap_or_default()));
    let [first, second] = SLOT_OFFSETS;
    let gaps = [
        HEAD_BYTES..first,
        first + SLOT_BYTES..second,
        second + SLOT_BYTES..SEGMENTS_OFFSET,
    ];
    let is_clean = |gap: std::ops::Range<usize>| {
        bytes
            .get(gap)
            .is_some_and(|gap| gap.iter().all(|byte| *byte == 0))
    };
    if !gaps.into_iter().all(is_clean) {
        return Err(HeaderError::PeerDamaged(
            "something stands between its parts",
        ));
    }
    let (codes, began, id) = parse_head(bytes)?;
    Ok((version, codes, (began, id), slots))
}

fn parse_head(bytes: &[u8]) -> Result<([u8; 2], UnixMillis, RecordingId), HeaderError> {
    let field = |from: usize, len: usize| bytes.get(from..from + len).unwrap_or_default();
    let began = UnixMillis(i64::from_be_bytes(fixed(field(12, 8))));
    let len = usize::from(field(20, 1).first().copied().unwrap_or(0));
    if len > ID_CHARS_MAX
        || field(21 + len, ID_CHARS_MAX - len.min(ID_CHARS_MAX))
            .iter()
            .any(|byte| *byte != 0)
    {
        return Err(HeaderError::PeerDamaged("its identifier"));
    }
    let id = std::str::from_utf8(field(21, len))
        .ok()
        .and_then(|text| text.parse().ok());
    let id = id.ok_or(HeaderError::PeerDamaged("its identifier"))?;
    Ok((fixed(field(10, 2)), began, id))
}

/// A law's number in the head.
fn number(law: Law) -> u8 {
    match law {
        Law::Mu => 1,
        Law::A => 2,
    }
}

/// The law of a number; none for those that version 1 does not have.
fn law_of(number: u8) -> Option<Law> {
    match number {
        1 => Some(Law::Mu),
        2 => Some(Law::A),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{cipher_key, wrapping_key};

    fn header(id: &str) -> Header {
        Header {
            id: id.parse().unwrap(),
            began: UnixMillis(1_764_237_600_123),
            laws: [Law::A, Law::Mu],
            is_redacted: false,
        }
    }

    fn file(header: &Header) -> Vec<u8> {
        let key = DataKey::new(cipher_key(1));
        let mut bytes = header.begin_file(&key, &wrapping_key(2), [3; 12]).unwrap();
        bytes.resize(SEGMENTS_OFFSET, 0);
        bytes
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        for id in ["a".repeat(ID_CHARS_MAX).as_str(), "x"] {
            for is_redacted in [false, true] {
                let written = Header {
                    is_redacted,
                    ..header(id)
                };
                let bytes = file(&written);
                assert_eq!(bytes[9], if is_redacted { 2 } else { 1 });
                let (read, slots) = Header::parse(&bytes).unwrap();
                assert_eq!(read, written);
                assert_eq!(slots[1], [0; SLOT_BYTES]);
                assert_ne!(slots[0], slots[1]);
            }
        }
    }

    #[test]
    fn what_is_not_ours_newer_or_cut_is_told_apart() {
        let whole = file(&header("r"));
        assert_eq!(Header::parse(b""), Err(HeaderError::PeerForeign));
        assert_eq!(
            Header::parse(b"RIFF....WAVEfmt "),
            Err(HeaderError::PeerForeign)
        );
        let unix = String::from_utf8_lossy(&whole[..64])
            .replace("\r\n", "\n")
            .into_bytes();
        assert_eq!(Header::parse(&unix), Err(HeaderError::PeerForeign));
        for end in 1..whole.len() {
            assert_eq!(
                Header::parse(&whole[..end]),
                Err(HeaderError::PeerCut),
                "{end}"
            );
        }
        let mut newer = whole.clone();
        newer[9] = 3;
        assert_eq!(Header::parse(&newer), Err(HeaderError::PeerNewer(3)));
        let mut dirty = whole;
        dirty[HEAD_BYTES + 100] = 1;
        assert!(matches!(
            Header::parse(&dirty),
            Err(HeaderError::PeerDamaged(_))
        ));
    }
}
