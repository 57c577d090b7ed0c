//! When audio of our own making is due.
//! Owns: its place on the timeline, and that a relay that was not driven makes no burst of it.
//! Never: makes a sample.

use std::time::{Duration, Instant};

use crate::sample::{duration_of, samples_in};

/// What is due for longer than this, two packets of 20 ms, is left out.
const LATE_MAX: Duration = Duration::from_millis(40);

/// The clock of packets of one duration.
pub(super) struct Pace {
    ts: u64,
    span: u64,
    due: Instant,
}

impl Pace {
    /// Packets of `span` samples from `ts` on, the first of them due at `due`.
    pub(super) fn new(ts: u64, span: u64, due: Instant) -> Self {
        Self { ts, span, due }
    }

    /// When the next packet is due.
    pub(super) fn next_timeout(&self) -> Instant {
        self.due
    }

    /// One past the newest sample made.
    pub(super) fn end(&self) -> u64 {
        self.ts
    }

    /// The timestamp of the next packet, if it is due.
    pub(super) fn next(&mut self, now: Instant) -> Option<u64> {
        self.leave_out(now);
        if self.due > now {
            return None;
        }
        let ts = self.ts;
        self.pass(1);
        Some(ts)
    }

    /// Passes over the packets that are too late at `now`, however many.
    fn leave_out(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.due);
        let too_late = samples_in(late.saturating_sub(LATE_MAX));
        self.pass(too_late.div_ceil(self.span));
    }

    fn pass(&mut self, packets: u64) {
        let span = packets.saturating_mul(self.span);
        self.ts = self.ts.saturating_add(span);
        self.due += duration_of(span);
    }
}
