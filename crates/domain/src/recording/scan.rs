//! The scan of a recording after its call.
//! Owns: what counts as a find, and what follows from one.
//! Never: holds a key; a find is a number.

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// A scan that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordingScan {
    /// When.
    pub at: UnixMillis,
    /// What was found.
    pub finds: RecordingFinds,
}

/// What should not be in a recording, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordingFinds {
    /// Keys that can be told from audio that was kept masked.
    pub masked_keys: u32,
    /// Samples that are not silence where the recording was paused.
    pub paused_samples: u64,
    /// Keys outside of protection, in runs as long as a card number: 13 and more.
    pub unprotected_keys: u32,
}

impl RecordingFinds {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            masked_keys: self.masked_keys.saturating_add(other.masked_keys),
            paused_samples: self.paused_samples.saturating_add(other.paused_samples),
            unprotected_keys: self.unprotected_keys.saturating_add(other.unprotected_keys),
        }
    }

    /// Nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl RecordingScan {
    /// Nobody listens to the recording: something was found in it.
    #[must_use]
    pub fn is_quarantined(&self) -> bool {
        !self.finds.is_clean()
    }
}
