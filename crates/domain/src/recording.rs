//! Recordings of calls and of screens: what rows know of them, and what their files say of themselves.
//! Owns: what is known of a recording beside its bytes, and how it can end.
//! Never: holds a sample or a key.

use std::str::FromStr;

use crate::id::{CallId, RecordingId, ServiceId, UserId};
use crate::service::SinkMedium;
use crate::time::UnixMillis;

mod hold;
mod outline;
mod scan;
mod screen_outline;

pub use hold::{
    Hold, HoldOutput, LATE_MAX, LOOK_EVERY, PAUSE_MAX, RESUME_MAX, RecorderRequest, RecorderWord,
};
pub use outline::{
    PEAK_MS, RecordingEnding, RecordingOutline, RecordingSpan, RecordingSpanKind, RecordingTracks,
};
pub use scan::{RecordingFinds, RecordingScan};
pub use screen_outline::{ScreenOutline, ScreenPart};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The kept audio of a call or video of a screen, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Identity; with `began` it names the file.
    pub id: RecordingId,
    /// What was recorded.
    pub medium: SinkMedium,
    /// The call that it belongs to.
    pub call: CallId,
    /// The service that the call came to.
    pub service: ServiceId,
    /// Who took the call; none: nobody who is known here.
    pub agent: Option<UserId>,
    /// The node in whose folder the file is.
    pub node: String,
    /// When it began.
    pub began: UnixMillis,
    /// The master key from which the key is derived that wraps this recording's: 16 hexadecimal digits.
    pub key_id: String,
    /// When it is to be deleted.
    pub keep_until: UnixMillis,
    /// Where it stands.
    pub state: RecordingState,
    /// What the scan after its call found; none: it has not been scanned.
    pub scan: Option<RecordingScan>,
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingState {
    /// It is being written, or was when its server ended.
    Running,
    /// Nothing more comes.
    Ended(RecordingEnd),
    /// Its deletion has begun, and is done again until its file is gone.
    Deleting(RecordingEnd),
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingEnd {
    /// When that was found.
    pub at: UnixMillis,
    /// How long it is, in samples of 8,000 a second; of a call: of each track from its first to its last.
    pub samples: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Number of the final segment; none: it was cut off.
    pub final_segment: Option<u32>,
}

impl RecordingEnd {
    /// Not cut off.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.final_segment.is_some()
    }
}

impl Recording {
    /// What entries of the trail call it.
    #[must_use]
    pub fn object(&self) -> String {
        format!("recording {}", self.id)
    }

    /// When a recording is to be deleted that began then and is kept so many days.
    #[must_use]
    pub fn keep_until(began: UnixMillis, days: u16) -> UnixMillis {
        began.plus_ms(i64::from(days) * DAY_MS)
    }
}

/// A moment of a call that is recorded, as its recording has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingMoment {
    /// The recording.
    pub recording: RecordingId,
    /// Milliseconds since it began, to some tens of them: what was said just now may be on its way to it.
    pub at_ms: u64,
}

/// What is written of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingChange {
    /// A new one that runs.
    Insert(Recording),
    /// It has ended; refused unless it runs.
    End {
        /// Which.
        id: RecordingId,
        /// How.
        end: RecordingEnd,
    },
    /// It was scanned after its call; refused unless it has ended.
    Scan {
        /// Which.
        id: RecordingId,
        /// What was found.
        scan: RecordingScan,
    },
    /// A part of it was removed, so its file is another; refused unless it has ended.
    Redact {
        /// Which.
        id: RecordingId,
        /// How it ends now.
        end: RecordingEnd,
        /// The master key that it needs now, as [`Recording::key_id`].
        key_id: String,
    },
    /// Its key is wrapped by the one that follows from this master key; refused once its deletion has begun.
    Rekey {
        /// Which.
        id: RecordingId,
        /// The master key, as [`Recording::key_id`].
        key_id: String,
    },
    /// It is about to be deleted; refused while it runs, and once its deletion has begun.
    BeginDeletion(RecordingId),
    /// Its key and its file are gone; refused unless its deletion has begun.
    Delete(RecordingId),
}

/// Which recordings. Everything that is set must hold. Those being deleted are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Of this medium.
    pub medium: Option<SinkMedium>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Of calls that this user took.
    pub agent: Option<UserId>,
    /// Begun at this time or later.
    pub from: Option<UnixMillis>,
    /// Begun before this time.
    pub until: Option<UnixMillis>,
}

/// The place of a recording in a list: the next page begins behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingPlace {
    /// When it began.
    pub began: UnixMillis,
    /// Which.
    pub id: RecordingId,
}

impl From<&Recording> for RecordingPlace {
    fn from(recording: &Recording) -> Self {
        Self {
            began: recording.began,
            id: recording.id.clone(),
        }
    }
}

impl std::fmt::Display for RecordingPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.began.0, self.id)
    }
}

/// A text that is no place in a list of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a list of recordings")]
pub struct InvalidRecordingPlace;

impl FromStr for RecordingPlace {
    type Err = InvalidRecordingPlace;

    fn from_str(text: &str) -> Result<Self, InvalidRecordingPlace> {
        let (began, id) = text.split_once('.').ok_or(InvalidRecordingPlace)?;
        Ok(Self {
            began: UnixMillis(began.parse().map_err(|_| InvalidRecordingPlace)?),
            id: id.parse().map_err(|_| InvalidRecordingPlace)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_kept_for_whole_days() {
        let kept = Recording::keep_until(UnixMillis(5), 90);
        assert_eq!(kept, UnixMillis(5 + 90 * 86_400_000));
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = RecordingPlace {
            began: UnixMillis(-7),
            id: RecordingId::from_random(3),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "7", "7.", ".abc", "x.abc", "7.not an id"] {
            assert!(text.parse::<RecordingPlace>().is_err(), "{text}");
        }
    }
}
