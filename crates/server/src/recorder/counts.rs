//! What the recorder did, in numbers.
//! Owns: its counters, and which recordings a refusing disk has cost something.
//! Never: names a call.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::RecordingId;

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) begun: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) deleted: AtomicU64,
    pub(super) scanned: AtomicU64,
    pub(super) quarantined: AtomicU64,
    pub(super) screen_bytes: AtomicU64,
    pub(super) screens_refused: AtomicU64,
    /// A disk refuses to be written.
    pub(super) is_refused: AtomicBool,
    lost_samples: AtomicU64,
    /// Running recordings that lost samples while it did.
    spoiled: Mutex<HashSet<RecordingId>>,
}

/// The same at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that are being recorded.
    pub(crate) running: usize,
    /// Recordings begun.
    pub(crate) begun: u64,
    /// Calls that were to be recorded and are not.
    pub(crate) failed: u64,
    /// Bytes written.
    pub(crate) bytes: u64,
    /// Samples of a track that are gaps.
    pub(crate) lost_samples: u64,
    /// A disk refuses.
    pub(crate) is_refused: bool,
    /// Recordings deleted.
    pub(crate) deleted: u64,
    /// Recordings scanned after their call.
    pub(crate) scanned: u64,
    /// Of these, such with a find.
    pub(crate) quarantined: u64,
    /// Bytes of screens taken.
    pub(crate) screen_bytes: u64,
    /// What pages asked of screens and did not get.
    pub(crate) screens_refused: u64,
}

impl Counters {
    pub(super) fn read(&self, running: usize, bytes: u64) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            running,
            begun: read(&self.begun),
            failed: read(&self.failed),
            bytes,
            lost_samples: read(&self.lost_samples),
            is_refused: self.is_refused.load(Ordering::Relaxed),
            deleted: read(&self.deleted),
            scanned: read(&self.scanned),
            quarantined: read(&self.quarantined),
            screen_bytes: read(&self.screen_bytes),
            screens_refused: read(&self.screens_refused),
        }
    }

    pub(super) fn note_lost(&self, recording: &RecordingId, samples: u64) {
        self.lost_samples.fetch_add(samples, Ordering::Relaxed);
        if self.is_refused.load(Ordering::Relaxed) {
            self.spoiled().insert(recording.clone());
        }
    }

    pub(super) fn is_spoiled(&self, recording: &RecordingId) -> bool {
        self.spoiled().contains(recording)
    }

    pub(super) fn forget(&self, recording: &RecordingId) {
        self.spoiled().remove(recording);
    }

    fn spoiled(&self) -> MutexGuard<'_, HashSet<RecordingId>> {
        self.spoiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_refusing_disk_costs_spoils_a_recording() {
        let counters = Counters::default();
        let [one, other] = [1, 2].map(RecordingId::from_random);
        counters.note_lost(&one, 160);
        assert!(!counters.is_spoiled(&one));
        counters.is_refused.store(true, Ordering::Relaxed);
        counters.note_lost(&other, 240);
        counters.is_refused.store(false, Ordering::Relaxed);
        assert!(counters.is_spoiled(&other) && !counters.is_spoiled(&one));
        assert_eq!(counters.read(0, 0).lost_samples, 400);
        counters.forget(&other);
        assert!(!counters.is_spoiled(&other));
    }
}
