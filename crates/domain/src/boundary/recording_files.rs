//! Where pages and the files of recordings meet.
//! Owns: the traits by which a kept recording is opened, read and deleted, and why it cannot be.
//! Never: decides who may; every caller has asked, and has audited what leaves.

use std::ops::Range;
use std::sync::Arc;

use super::{StoreError, Task};
use crate::access::Actor;
use crate::recording::{Recording, RecordingOutline, ScreenOutline};

/// Why the file of a recording gives nothing. The text is for the person who asked: it names the culprit and what to do, and no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingFileError {
    /// Another server keeps it.
    #[error("the server {node} keeps this recording; ask there")]
    OtherNode {
        /// Its name.
        node: String,
    },
    /// There is no file.
    #[error("the recording's file is gone; put it back from a backup")]
    Missing,
    /// The key that opens it is not in the key file.
    #[error("key {key_id} is not at hand; put it back into the key file")]
    ConfigKey {
        /// Which: 16 hexadecimal digits.
        key_id: String,
    },
    /// The file is not one that this recording's key opens.
    #[error("the recording's file cannot be used: {why}")]
    PeerDamaged {
        /// What is wrong with it.
        why: String,
    },
    /// The system could not read or delete it; the log says more.
    #[error("the recording's file cannot be reached now; the server's log says why")]
    Unavailable,
    /// As many recordings leave as may at once.
    #[error("too many recordings are being written out; try again in a minute")]
    Busy,
}

impl RecordingFileError {
    /// The same may succeed later, with nothing done.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy)
    }
}

/// Why a recording was not deleted, or no part of it removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingChangeError {
    /// Its row: a conflict if it runs, or somebody else deletes it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its file. Once a deletion has begun the recording is hidden, and the deletion tried again until the file is gone; a removal that failed has removed nothing.
    #[error(transparent)]
    File(#[from] RecordingFileError),
}

/// The files of this server's recordings.
pub trait RecordingFiles: Send + Sync {
    /// Opens one of a call that has ended.
    fn open<'a>(
        &'a self,
        recording: &'a Recording,
    ) -> Task<'a, Result<Arc<dyn OpenRecording>, RecordingFileError>>;
    /// Opens one of a screen that has ended.
    fn open_screen<'a>(
        &'a self,
        recording: &'a Recording,
    ) -> Task<'a, Result<Arc<dyn OpenScreen>, RecordingFileError>>;
    /// Deletes one that has ended: an entry that says by whom and why, key and file, the row with a second entry. It goes on if nobody waits for it.
    fn delete<'a>(
        &'a self,
        recording: &'a Recording,
        by: &'a Actor,
        reason: &'a str,
    ) -> Task<'a, Result<(), RecordingChangeError>>;
    /// Removes a part of one that has ended, from one millisecond of it to before another: an entry that says by whom and why, a new file without it, of a call a scan,
    /// the row with a second entry. Of a call silence and a span take its place; of a screen each video that lies in it goes as a whole. It goes on if nobody waits for it. What of the part lies behind the end is left out; one that
    /// lies there as a whole is refused as [`RecordingFileError::PeerDamaged`], since the caller knows the row.
    fn redact<'a>(
        &'a self,
        recording: &'a Recording,
        part_ms: Range<u64>,
        by: &'a Actor,
        reason: &'a str,
    ) -> Task<'a, Result<(), RecordingChangeError>>;
}

/// An open recording. It reads on also if it is deleted meanwhile.
pub trait OpenRecording: Send + Sync {
    /// What it says of itself.
    fn outline(&self) -> &RecordingOutline;
    /// Bytes of it as a WAV: 16-bit PCM, 8 kHz, the consumer left, the agent right.
    fn wav_bytes(&self) -> u64;
    /// Bytes of that WAV from `offset` on, at most `bytes_max`; fewer only at its end.
    fn wav(&self, offset: u64, bytes_max: usize) -> Task<'_, Result<Vec<u8>, RecordingFileError>>;
    /// All of it as Ogg Opus, made as it is taken.
    ///
    /// # Errors
    /// [`RecordingFileError::Busy`].
    fn opus(&self) -> Result<Box<dyn RecordingPieces>, RecordingFileError>;
}

/// An open recording of a screen. It reads on also if it is deleted meanwhile.
pub trait OpenScreen: Send + Sync {
    /// What it says of itself.
    fn outline(&self) -> &ScreenOutline;
    /// Bytes of one of its parts from `offset` on, at most `bytes_max`; fewer only at its end, none of a part that there is not.
    fn part(
        &self,
        number: u16,
        offset: u64,
        bytes_max: usize,
    ) -> Task<'_, Result<Vec<u8>, RecordingFileError>>;
}

/// Bytes that come piece by piece. Dropping it ends what makes them.
pub trait RecordingPieces: Send {
    /// The next piece; none: that was all. Nothing follows an error.
    fn next(&mut self) -> Task<'_, Option<Result<Vec<u8>, RecordingFileError>>>;
}
