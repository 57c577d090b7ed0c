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
        let shifted = self.plus_ms(-12 * 60 * 60 * 1_000);
        shifted.stamp().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// "2026-11-26T14:03:07.123Z".
    #[must_use]
    pub fn utc_text(self) -> String {
        self.stamp().to_string()
    }

    /// The calendar day in UTC: "2026-11-26".
    #[must_use]
    pub fn utc_day(self) -> String {
        self.utc_date().to_string()
    }

    /// "2026-11-26T14:03:07.120Z", always with three decimals.
    #[must_use]
    pub fn iso_text(self) -> String {
        self.stamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// "Thu, 26 Nov 2026 14:03:07 GMT", as HTTP writes it
    /// ([RFC 9110 §5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)).
    #[must_use]
    pub fn http_text(self) -> String {
        self.stamp()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    }

    /// The calendar day in UTC.
    #[must_use]
    pub fn utc_date(self) -> jiff::civil::Date {
        self.stamp().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// A time that no calendar has reads as the first of ours.
    pub(crate) fn stamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
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
