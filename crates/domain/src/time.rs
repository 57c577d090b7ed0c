//! Points in time that are kept.
//! Owns: wall-clock time as rows and audit entries carry it.
//! Never: drives a time-out; those run on a monotonic clock that comes in as an argument.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The calendar day in UTC-12, the last zone in which it is still this day: cards are valid to the end of their month everywhere.
    #[must_use]
    pub fn latest_day(self) -> jiff::civil::Date {
        let shifted = self.0.saturating_sub(12 * 60 * 60 * 1_000);
        let stamp =
            jiff::Timestamp::from_millisecond(shifted).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        stamp.to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// Later by so many milliseconds.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Where shells take wall-clock time from, so that tests can set it.
pub trait WallClock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixMillis;
}
