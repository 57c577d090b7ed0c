//! What a screen's file says of itself.
//! Owns: its magic.
//! Never: lays out a head; [`crate::header`] does, for both kinds of file.

use domain::id::RecordingId;
use domain::time::UnixMillis;

use crate::header::{self, HEAD_BYTES, HeaderError, Slots, VERSION};

/// First bytes of every recording of a screen.
const MAGIC: [u8; 8] = *b"TWSCR\r\n\x1A";

/// What the file of a screen's recording says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenHeader {
    /// Whose bytes these are.
    pub id: RecordingId,
    /// When the recording began: 0 on its time line.
    pub began: UnixMillis,
}

impl ScreenHeader {
    pub(crate) fn encode(&self) -> [u8; HEAD_BYTES] {
        header::encode((&MAGIC, VERSION), [0, 0], self.began, &self.id)
    }

    /// Reads a file's first bytes, as [`crate::Header`] is read.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, Slots), HeaderError> {
        let (_, codes, (began, id), slots) = header::parse((&MAGIC, VERSION), bytes)?;
        if codes != [0, 0] {
            return Err(HeaderError::PeerDamaged("an unknown kind of video"));
        }
        Ok((Self { id, began }, slots))
    }
}
