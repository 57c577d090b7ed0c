//! Number conversions of the media crate, each under a name.
//! Owns: every cast between sample, float, index and timestamp types, and between samples and time at 8 kHz.
//! Never: wraps or truncates silently; out-of-range values saturate.

use std::time::Duration;

/// Samples in a second.
const RATE: u128 = 8_000;
const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Whole samples in a duration.
#[must_use]
pub(crate) fn samples_in(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos() * RATE / NANOS_PER_SECOND).unwrap_or(u64::MAX)
}

/// How long `samples` sound.
#[must_use]
pub(crate) fn duration_of(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

/// Rounds a linear value to a 16-bit sample. Saturates at the type's ends; a NaN becomes 0.
#[must_use]
pub fn from_f32(value: f32) -> i16 {
    // Not `round`, which is a call where processors of all kinds are to be served: the whole part, and one more where half or more is left. Within
    // these ends both are exact.
    let value = value.clamp(f32::from(i16::MIN), f32::from(i16::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the whole part of a value within the type's ends; that of a NaN is 0"
    )]
    let whole = value as i16;
    let rest = value - f32::from(whole);
    whole + i16::from(rest >= 0.5) - i16::from(rest <= -0.5)
}

/// A whole value as a 16-bit sample. Saturates at the type's ends.
#[must_use]
pub(crate) fn saturated(value: i32) -> i16 {
    let within = value.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a value within the type's ends"
    )]
    let narrow = within as i16;
    narrow
}

/// Rounds a frequency or a count computed in floats to a whole number; negative and NaN become 0.
#[must_use]
pub fn round_to_u32(value: f32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float to integer casts saturate; callers pass small positive values"
    )]
    let whole = value.round() as u32;
    whole
}

/// Narrows a table value computed in double precision; only precision is lost.
#[must_use]
pub fn narrow(value: f64) -> f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "tables are computed in f64 and used in f32; the magnitude always fits"
    )]
    let single = value as f32;
    single
}

/// A count as a float. Exact up to 2^24.
#[must_use]
pub fn count_f32(count: usize) -> f32 {
    count as f32
}

/// A count as a double. Exact up to 2^53.
#[must_use]
pub fn count_f64(count: usize) -> f64 {
    count as f64
}

/// A length in samples as a distance on the timeline.
#[must_use]
pub const fn span(len: usize) -> u64 {
    // `usize` is at most 64 bits on every supported target, so this loses nothing.
    len as u64
}

/// A distance on the timeline as a length in samples. Saturates on 32-bit targets.
#[must_use]
pub fn length(span: u64) -> usize {
    usize::try_from(span).unwrap_or(usize::MAX)
}

/// The cell of a ring of `len` cells that holds timestamp `ts`.
#[must_use]
pub fn ring_index(ts: u64, len: usize) -> usize {
    length(ts % span(len).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_milliseconds_are_160_samples() {
        assert_eq!(samples_in(Duration::from_millis(20)), 160);
        assert_eq!(duration_of(160), Duration::from_millis(20));
    }

    #[test]
    fn out_of_range_values_saturate() {
        assert_eq!(from_f32(40_000.0), i16::MAX);
        assert_eq!(from_f32(-40_000.0), i16::MIN);
        assert_eq!(from_f32(f32::NAN), 0);
        for halves in -70_000..70_000_i32 {
            for near in [-1, 0, 1] {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "small whole numbers, which are exact"
                )]
                let value = (halves as f32 / 2.0).to_bits().wrapping_add_signed(near);
                let value = f32::from_bits(value);
                #[expect(clippy::cast_possible_truncation, reason = "casts saturate")]
                let rounded = value.round() as i16;
                assert_eq!(from_f32(value), rounded, "{value}");
            }
        }
        assert_eq!(round_to_u32(-3.0), 0);
    }

    #[test]
    fn ring_index_wraps_at_the_length() {
        assert_eq!(ring_index(0, 8), 0);
        assert_eq!(ring_index(17, 8), 1);
        assert_eq!(ring_index(u64::MAX, 8), 7);
    }
}
