//! What the last look at a call's audio has seen, where voice notes it and calls read it.
//! Owns: three counts that only rise.
//! Never: says which key was found, or that a call is protected.

use std::sync::atomic::{AtomicU64, Ordering};

/// Samples of a millisecond, at 8 kHz.
const SAMPLES_PER_MS: u64 = 8;

/// What the egress guard of one call has seen of the audio towards the agent and the recorder, while the call is protected (S33). One thread notes it
/// packet by packet; it may be read at any time, also once the call is over.
#[derive(Debug, Default)]
pub struct EgressTally {
    samples: AtomicU64,
    finds: AtomicU64,
    trips: AtomicU64,
}

impl EgressTally {
    /// Notes the guard's own counts: samples judged, presses found, and how often it has begun a silence.
    pub fn note(&self, samples: u64, finds: u64, trips: u64) {
        // Finds first, so that nobody reads of audio whose finds are still to come.
        self.finds.store(finds, Ordering::Release);
        self.trips.store(trips, Ordering::Release);
        self.samples.store(samples, Ordering::Release);
    }

    /// The counts so far.
    #[must_use]
    pub fn seen(&self) -> EgressSeen {
        let samples = self.samples.load(Ordering::Acquire);
        EgressSeen {
            checked_ms: samples / SAMPLES_PER_MS,
            finds: self.finds.load(Ordering::Acquire),
            trips: self.trips.load(Ordering::Acquire),
        }
    }
}

/// What an egress guard has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EgressSeen {
    /// Audio that it has judged before it left, in milliseconds.
    pub checked_ms: u64,
    /// Presses of keys that it found there: the mask had let them pass. What follows one is silence.
    pub finds: u64,
    /// How often it began a silence, because of a find or of a packet on another way than the mask's.
    pub trips: u64,
}

impl EgressSeen {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            checked_ms: self.checked_ms.saturating_add(other.checked_ms),
            finds: self.finds.saturating_add(other.finds),
            trips: self.trips.saturating_add(other.trips),
        }
    }

    /// What was seen since an earlier look.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            checked_ms: self.checked_ms.saturating_sub(earlier.checked_ms),
            finds: self.finds.saturating_sub(earlier.finds),
            trips: self.trips.saturating_sub(earlier.trips),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_look_is_told_apart_from_an_earlier_one() {
        let tally = EgressTally::default();
        tally.note(16_000, 1, 1);
        let before = tally.seen();
        tally.note(16_160, 3, 2);
        let since = tally.seen().since(before);
        let expected = EgressSeen {
            checked_ms: 20,
            finds: 2,
            trips: 1,
        };
        assert_eq!(since, expected);
    }
}
