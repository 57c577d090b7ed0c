//! Samples and time.
//! Owns: the conversion between both at 8 kHz, and where a relay's timelines begin.
//! Never: reads a clock.

use std::time::Duration;

/// Where the timelines of both streams begin when the relay is made: 1 s, so that what is held back never reaches below zero.
pub(super) const TIMELINE_START: u64 = 8_000;

const SAMPLES_PER_SECOND: u128 = 8_000;
const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Whole samples in a duration.
pub(super) fn samples_in(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos() * SAMPLES_PER_SECOND / NANOS_PER_SECOND).unwrap_or(u64::MAX)
}

/// How long `samples` sound.
pub(super) fn duration_of(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_milliseconds_are_160_samples() {
        assert_eq!(samples_in(Duration::from_millis(20)), 160);
        assert_eq!(duration_of(160), Duration::from_millis(20));
    }
}
