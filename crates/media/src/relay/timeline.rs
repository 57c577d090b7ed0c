//! Where a relay's timelines begin.

/// Where the timelines of both streams begin when the relay is made: 1 s, so that what is held back never reaches below zero.
pub(super) const TIMELINE_START: u64 = 8_000;
