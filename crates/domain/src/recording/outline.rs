//! What a recording's file says of itself without its audio being opened.
//! Owns: the shape of outline, spans and ending, on a timeline that begins with the first sample kept.
//! Never: holds a sample.

use serde::Serialize;

/// Milliseconds of one peak. Half an hour has 14,400 of a track.
pub const PEAK_MS: u64 = 125;
/// Samples of a track in a millisecond.
const SAMPLES_PER_MS: u64 = 8;

/// A recording as a player draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingOutline {
    /// Samples of each track from the first to the last, 8,000 a second.
    pub samples: u64,
    /// How loud consumer and agent were, in 255ths of full scale, one for each [`PEAK_MS`] from the beginning; 0 where nothing was kept.
    pub peaks: [Vec<u8>; 2],
    /// Parts that are not plain audio, by their begin.
    pub spans: Vec<RecordingSpan>,
    /// How it ends.
    pub ending: RecordingEnding,
}

impl RecordingOutline {
    /// How long it lasts in milliseconds, rounded up.
    #[must_use]
    pub fn length_ms(&self) -> u64 {
        self.samples.div_ceil(SAMPLES_PER_MS)
    }
}

/// A part of a recording that is not plain audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RecordingSpan {
    /// What it is.
    pub kind: RecordingSpanKind,
    /// Whose audio.
    pub tracks: RecordingTracks,
    /// Where it begins, in milliseconds since the first sample kept, rounded down.
    pub from_ms: u64,
    /// Where it ends, rounded up.
    pub until_ms: u64,
}

impl RecordingSpan {
    /// A span from one sample to before another, counted from the first sample kept.
    #[must_use]
    pub fn new(
        kind: RecordingSpanKind,
        tracks: RecordingTracks,
        samples: std::ops::Range<u64>,
    ) -> Self {
        Self {
            kind,
            tracks,
            from_ms: samples.start / SAMPLES_PER_MS,
            until_ms: samples.end.div_ceil(SAMPLES_PER_MS),
        }
    }
}

/// Why a part of a recording is not plain audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingSpanKind {
    /// Not kept, on purpose: a pause.
    Paused,
    /// Kept, with a flat tone in place of keys.
    Masked,
    /// Meant to be kept, and lost.
    Gap,
    /// Kept, and removed later by a person, who gave a reason.
    Removed,
}

/// Whose audio a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordingTracks {
    /// The consumer's alone: the left channel.
    Consumer,
    /// The agent's alone: the right channel.
    Agent,
    /// Both.
    Both,
}

/// How a recording ends, by its file and by what its row says of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum RecordingEnding {
    /// As its writer ended it.
    Whole,
    /// Its writer was stopped, and its last second is missing.
    Cut,
    /// The file is not as it was written. What stands before the first wrong byte plays.
    Damaged {
        /// What is wrong, and in which segment.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_covers_every_millisecond_that_it_touches() {
        let span = RecordingSpan::new(RecordingSpanKind::Gap, RecordingTracks::Both, 15..17);
        assert_eq!((span.from_ms, span.until_ms), (1, 3));
        let span = RecordingSpan::new(RecordingSpanKind::Masked, RecordingTracks::Agent, 16..24);
        assert_eq!((span.from_ms, span.until_ms), (2, 3));
    }
}
