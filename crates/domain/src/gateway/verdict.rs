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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Judges an answer after at least one request byte was written.
#[must_use]
pub fn verdict(evidence: Evidence, missing_key: MissingKey) -> Verdict {
    let Some(status) = evidence.status else {
        return plain(Outcome::Unknown);
    };
    let success = (200..300).contains(&status);
    let client_error = (400..500).contains(&status) && !matches!(status, 408 | 409 | 425 | 429);
    match (evidence.parsed, evidence.key) {
        (true, KeyFound::Equal) if success => plain(Outcome::Approved),
        (true, KeyFound::Equal) => plain(Outcome::Unknown),
        (true, KeyFound::NotEqual) if success || client_error => plain(Outcome::Declined),
        (_, KeyFound::Absent) | (false, _) if REFUSALS.contains(&status) => Verdict {
            outcome: Outcome::Error,
            alarm: true,
        },
        (true, KeyFound::Absent) if success => match missing_key {
            MissingKey::Unknown => plain(Outcome::Unknown),
            MissingKey::Declined => plain(Outcome::Declined),
        },
        _ => plain(Outcome::Unknown),
    }
}

fn plain(outcome: Outcome) -> Verdict {
    Verdict {
        outcome,
        alarm: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: Option<u16>, parsed: bool, key: KeyFound) -> Outcome {
        verdict(
            Evidence {
                status,
                parsed,
                key,
            },
            MissingKey::Unknown,
        )
        .outcome
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
            verdict(evidence, MissingKey::Unknown),
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
        assert_eq!(
            verdict(evidence, MissingKey::Declined).outcome,
            Outcome::Declined
        );
    }
}
