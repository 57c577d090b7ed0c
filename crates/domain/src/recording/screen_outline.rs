//! What the recording of a screen says of itself without its video being opened.
//! Owns: the shape of its parts.
//! Never: holds a byte of video.

use std::ops::Range;

use serde::Serialize;

use super::{RecordingEnding, RecordingSpan};

/// A screen's recording as a player lays it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenOutline {
    /// How long it is, in milliseconds.
    pub length_ms: u64,
    /// Its parts in order, but those that were removed.
    pub parts: Vec<ScreenPart>,
    /// Where it has no video, by begin.
    pub spans: Vec<RecordingSpan>,
    /// How it ends.
    pub ending: RecordingEnding,
}

/// One video that plays alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ScreenPart {
    /// Its number; numbers rise, and some may be missing.
    pub number: u16,
    /// Where it begins, in milliseconds since the recording began.
    pub begin_ms: u64,
    /// How long it is.
    pub length_ms: u64,
    /// Bytes of the video.
    pub bytes: u64,
    /// What the agent's browser said that it is, such as `video/webm;codecs=vp8`.
    pub media_type: String,
}

impl ScreenPart {
    /// Whether some of its video lies in a stretch of the recording, in milliseconds: a removal of that takes the whole part.
    #[must_use]
    pub fn is_in(&self, stretch_ms: &Range<u64>) -> bool {
        let end_ms = self.begin_ms.saturating_add(self.length_ms.max(1));
        let overlaps = self.begin_ms < stretch_ms.end && stretch_ms.start < end_ms;
        self.bytes > 0 && !stretch_ms.is_empty() && overlaps
    }
}
