//! The verdict over a gateway's answer (SETTLED S16).
//! Owns: the table, first line that fits.
//! Never: guesses: what is not clearly approved, declined or refused is unknown.

use serde::{Deserialize, Serialize};

use super::MissingKey;
use crate::payment::Outcome;

/// What the answer showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// HTTP status; none if no complete answer came (late, cut, reset).
    pub status: Option<u16>,
    /// The body parsed as the configured Response Type.
    pub parsed: bool,
    /// The success key in it.
    pub key: KeyFound,
}

/// How the success key was found at its shallowest level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyFound {
    /// Exactly once, with the expected value.
    Equal,
    /// Exactly once, with another value.
    NotEqual,
    /// Nowhere.
    Absent,
    /// More than once at that level.
    Ambiguous,
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotSentReason {
    /// The host has no address.
    Resolve,
    /// The host may not receive captured values (S4).
    HostNotApproved,
    /// No connection within Connection Timeout.
    ConnectTimeout,
    /// The connection was refused or failed.
    Connect,
    /// TLS failed: certificate, name, version.
    Tls,
    /// The request could not be made from the configuration.
    Render,
    /// The charge could not be recorded, so it was not sent.
    Ledger,
    /// The server was stopping or too busy.
    Busy,
}

impl NotSentReason {
    /// Its word on the page, in rows and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::HostNotApproved => "host_not_approved",
            Self::ConnectTimeout => "connect_timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Render => "render",
            Self::Ledger => "ledger",
            Self::Busy => "busy",
        }
    }
}

/// An outcome and what a person should know of how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The gateway refused the request itself: someone must look at the configuration.
    pub alarm: bool,
}

/// Statuses by which a gateway says that it did not take the request up.
const REFUSALS: [u16; 9] = [400, 401, 403, 404, 405, 406, 413, 415, 422];

/// The line of the table that an answer falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictRule {
    /// 2xx, and the key has the value.
    Approved,
    /// 2xx or 4xx, and the key has another value.
    Declined,
    /// A status by which gateways refuse the request itself, without the key.
    Refused,
    /// 2xx without the key, which here means unknown.
    KeyMissing,
    /// 2xx without the key, which here means declined.
    KeyMissingDeclined,
    /// The key is there more than once, or holds other keys.
    KeyAmbiguous,
    /// The key has the value, but the status is not 2xx.
    EqualButStatus,
    /// Another status that does not say whether it was charged.
    StatusUnclear,
    /// 2xx, but the body is not what Response Type says.
    Unreadable,
    /// The answer did not come, or not to its end.
    NoAnswer,
}

impl VerdictRule {
    /// What the line says.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        let outcome = match self {
            Self::Approved => Outcome::Approved,
            Self::Declined | Self::KeyMissingDeclined => Outcome::Declined,
            Self::Refused => Outcome::Error,
            Self::KeyMissing
            | Self::KeyAmbiguous
            | Self::EqualButStatus
            | Self::StatusUnclear
            | Self::Unreadable
            | Self::NoAnswer => Outcome::Unknown,
        };
        Verdict {
            outcome,
            alarm: self == Self::Refused,
        }
    }
}

/// Judges an answer after at least one request byte was written: the first line that fits.
#[must_use]
pub fn rule(evidence: Evidence, missing_key: MissingKey) -> VerdictRule {
    let Some(status) = evidence.status else {
        return VerdictRule::NoAnswer;
    };
    let success = (200..300).contains(&status);
    let client_error = (400..500).contains(&status) && !matches!(status, 408 | 409 | 425 | 429);
    match (evidence.parsed, evidence.key) {
        (true, KeyFound::Equal) if success => VerdictRule::Approved,
        (true, KeyFound::Equal) => VerdictRule::EqualButStatus,
        (true, KeyFound::NotEqual) if success || client_error => VerdictRule::Declined,
        (_, KeyFound::Absent) | (false, _) if REFUSALS.contains(&status) => VerdictRule::Refused,
        (true, KeyFound::Absent) if success => match missing_key {
            MissingKey::Unknown => VerdictRule::KeyMissing,
            MissingKey::Declined => VerdictRule::KeyMissingDeclined,
        },
        (true, KeyFound::Ambiguous) => VerdictRule::KeyAmbiguous,
        (false, _) if success => VerdictRule::Unreadable,
        (true, KeyFound::NotEqual | KeyFound::Absent) | (false, _) => VerdictRule::StatusUnclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: Option<u16>, parsed: bool, key: KeyFound) -> Outcome {
        let evidence = Evidence {
            status,
            parsed,
            key,
        };
        rule(evidence, MissingKey::Unknown).verdict().outcome
    }

    #[test]
    fn only_an_equal_value_in_a_2xx_is_approved() {
        for status in 100..600 {
            let outcome = judge(Some(status), true, KeyFound::Equal);
            assert_eq!(
                outcome == Outcome::Approved,
                (200..300).contains(&status),
                "{status}"
            );
        }
        assert_eq!(judge(Some(200), false, KeyFound::Equal), Outcome::Unknown);
    }

    #[test]
    fn another_value_is_declined_in_2xx_and_4xx_only() {
        assert_eq!(
            judge(Some(200), true, KeyFound::NotEqual),
            Outcome::Declined
        );
        assert_eq!(
            judge(Some(402), true, KeyFound::NotEqual),
            Outcome::Declined
        );
        for status in [302, 408, 409, 425, 429, 500, 503] {
            assert_eq!(
                judge(Some(status), true, KeyFound::NotEqual),
                Outcome::Unknown,
                "{status}"
            );
        }
    }

    #[test]
    fn a_refused_request_is_an_error_with_an_alarm() {
        let evidence = Evidence {
            status: Some(401),
            parsed: false,
            key: KeyFound::Absent,
        };
        assert_eq!(
            rule(evidence, MissingKey::Unknown).verdict(),
            Verdict {
                outcome: Outcome::Error,
                alarm: true
            }
        );
    }

    #[test]
    fn what_is_missing_cut_or_late_is_unknown() {
        assert_eq!(judge(None, false, KeyFound::Absent), Outcome::Unknown);
        assert_eq!(judge(Some(200), false, KeyFound::Absent), Outcome::Unknown);
        assert_eq!(
            judge(Some(200), true, KeyFound::Ambiguous),
            Outcome::Unknown
        );
        assert_eq!(judge(Some(200), true, KeyFound::Absent), Outcome::Unknown);
        let evidence = Evidence {
            status: Some(200),
            parsed: true,
            key: KeyFound::Absent,
        };
        let declined = rule(evidence, MissingKey::Declined).verdict();
        assert_eq!(declined.outcome, Outcome::Declined);
    }

    #[test]
    fn each_line_of_the_table_is_told_apart() {
        let lines = [
            (200, true, KeyFound::Equal, VerdictRule::Approved),
            (200, true, KeyFound::NotEqual, VerdictRule::Declined),
            (402, true, KeyFound::NotEqual, VerdictRule::Declined),
            (401, true, KeyFound::Absent, VerdictRule::Refused),
            (401, false, KeyFound::Absent, VerdictRule::Refused),
            (200, true, KeyFound::Absent, VerdictRule::KeyMissing),
            (200, true, KeyFound::Ambiguous, VerdictRule::KeyAmbiguous),
            (401, true, KeyFound::Ambiguous, VerdictRule::KeyAmbiguous),
            (402, true, KeyFound::Equal, VerdictRule::EqualButStatus),
            (503, true, KeyFound::NotEqual, VerdictRule::StatusUnclear),
            (503, false, KeyFound::Absent, VerdictRule::StatusUnclear),
            (302, true, KeyFound::Absent, VerdictRule::StatusUnclear),
            (200, false, KeyFound::Absent, VerdictRule::Unreadable),
        ];
        for (status, parsed, key, expected) in lines {
            let evidence = Evidence {
                status: Some(status),
                parsed,
                key,
            };
            assert_eq!(rule(evidence, MissingKey::Unknown), expected, "{status}");
        }
    }
}
