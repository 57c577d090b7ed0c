//! What a screen's file says of itself.
//! Owns: its magic.
//! Never: lays out a head; [`crate::header`] does, for both kinds of file.

use domain::id::RecordingId;
use domain::time::UnixMillis;

use crate::header::{self, HEAD_BYTES, HeaderError, Slots, VERSION, VERSION_REDACTED};

/// First bytes of every recording of a screen.
const MAGIC: [u8; 8] = *b"TWSCR\r\n\x1A";

/// What the file of a screen's recording says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenHeader {
    /// Whose bytes these are.
    pub id: RecordingId,
    /// When the recording began: 0 on its time line.
    pub began: UnixMillis,
    /// Whether parts of it were removed later, which [`crate::redact_screen`] alone does.
    pub is_redacted: bool,
}

impl ScreenHeader {
    pub(crate) fn encode(&self) -> [u8; HEAD_BYTES] {
        let version = if self.is_redacted {
            VERSION_REDACTED
        } else {
            VERSION
        };
        header::encode((&MAGIC, version), [0, 0], self.began, &self.id)
    }

    /// Reads a file's first bytes, as [`crate::Header`] is read.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, Slots), HeaderError> {
        let (version, codes, (began, id), slots) =
            header::parse((&MAGIC, VERSION_REDACTED), bytes)?;
        if codes != [0, 0] {
            return Err(HeaderError::PeerDamaged("an unknown kind of video"));
        }
        let is_redacted = version == VERSION_REDACTED;
        let header = Self {
            id,
            began,
            is_redacted,
        };
        Ok((header, slots))
    }
}
