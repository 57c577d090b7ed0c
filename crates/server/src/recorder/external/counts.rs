//! What happened to pauses of recorders beside this server, in numbers.
//! Owns: its counters.
//! Never: names a call or a recorder.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub(super) struct HoldCounters {
    pub(super) refused: AtomicU64,
    pub(super) broken: AtomicU64,
    pub(super) not_resumed: AtomicU64,
    pub(super) left_paused: AtomicU64,
}

/// The same at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HoldCounts {
    /// Recorders that are paused for a call, or about to be, or not resumed yet.
    pub(crate) held: usize,
    /// Pauses that were not confirmed in time.
    pub(crate) refused: u64,
    /// Confirmed pauses that were not kept.
    pub(crate) broken: u64,
    /// Resumes that did not work at the first try.
    pub(crate) not_resumed: u64,
    /// Recorders that were given up.
    pub(crate) left_paused: u64,
}

impl HoldCounters {
    pub(super) fn read(&self, held: usize) -> HoldCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HoldCounts {
            held,
            refused: read(&self.refused),
            broken: read(&self.broken),
            not_resumed: read(&self.not_resumed),
            left_paused: read(&self.left_paused),
        }
    }
}
