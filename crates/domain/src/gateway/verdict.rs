//! The verdict over a gateway's answer (SETTLED S16).
//! Owns: the table, first line that fits, and where conditions of "More" come before it.
//! Never: guesses: what is not clearly approved, declined or refused is unknown; and no condition approves.

use serde::{Deserialize, Serialize};

use super::{ConditionList, MissingKey, Refinement};
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
    /// A call that is made before the sale failed, so the sale was not sent.
    Step,
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
            Self::Step => "step",
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
    /// It would be approved, but something else that must hold does not: the answer contradicts itself.
    AlsoBroken,
    /// A condition fits that means unknown.
    UnknownFits,
    /// A condition fits that means review.
    ReviewFits,
    /// A condition fits that means declined.
    DeclinedFits,
    /// A condition fits that means that the request was refused.
    ErrorFits,
    /// The key has another value, and none of the conditions fits that mean declined: the request was refused.
    DeclinedUnlisted,
}

impl VerdictRule {
    /// What the line says.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        let outcome = match self {
            Self::Approved => Outcome::Approved,
            Self::ReviewFits => Outcome::Review,
            Self::Declined | Self::KeyMissingDeclined | Self::DeclinedFits => Outcome::Declined,
            Self::Refused | Self::ErrorFits | Self::DeclinedUnlisted => Outcome::Error,
            Self::AlsoBroken
            | Self::UnknownFits
            | Self::KeyMissing
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

    fn of_list(list: ConditionList) -> Self {
        match list {
            ConditionList::Also => Self::AlsoBroken,
            ConditionList::Unknown => Self::UnknownFits,
            ConditionList::Review => Self::ReviewFits,
            ConditionList::Declined => Self::DeclinedFits,
            ConditionList::Error => Self::ErrorFits,
        }
    }
}

/// Judges an answer after at least one request byte was written: the first line that fits, with the conditions of "More" before it (docs/decisions/0008). They
/// part what the table does not approve, and may take an approval away; there is no way by which they give one.
#[must_use]
pub fn rule(evidence: Evidence, missing_key: MissingKey, refined: Refinement) -> VerdictRule {
    let rule = by_table(evidence, missing_key);
    let approved = rule == VerdictRule::Approved;
    if approved && refined.also_broken.is_none() {
        return rule;
    }
    let speaks = |status: u16| is_success(status) || is_client_error(status);
    if evidence.parsed
        && evidence.status.is_some_and(speaks)
        && let Some((list, _)) = refined.fits()
    {
        return VerdictRule::of_list(list);
    }
    if approved {
        return VerdictRule::AlsoBroken;
    }
    let declined = rule.verdict().outcome == Outcome::Declined;
    if declined && refined.lists_declined {
        return VerdictRule::DeclinedUnlisted;
    }
    rule
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// A status by which a gateway speaks of the request; not those that say that it is busy with it.
fn is_client_error(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 409 | 425 | 429)
}

fn by_table(evidence: Evidence, missing_key: MissingKey) -> VerdictRule {
    let Some(status) = evidence.status else {
        return VerdictRule::NoAnswer;
    };
    let success = is_success(status);
    let client_error = is_client_error(status);
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
        rule(evidence, MissingKey::Unknown, Refinement::default())
            .verdict()
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
            rule(evidence, MissingKey::Unknown, Refinement::default()).verdict(),
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
        let declined = rule(evidence, MissingKey::Declined, Refinement::default()).verdict();
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
            assert_eq!(
                rule(evidence, MissingKey::Unknown, Refinement::default()),
                expected,
                "{status}"
            );
        }
    }

    /// Every answer that the table tells apart.
    fn all_evidence() -> impl Iterator<Item = Evidence> {
        let keys = [
            KeyFound::Equal,
            KeyFound::NotEqual,
            KeyFound::Absent,
            KeyFound::Ambiguous,
        ];
        let statuses = (100..600).map(Some).chain([None]);
        statuses.flat_map(move |status| {
            keys.into_iter().flat_map(move |key| {
                [false, true].map(|parsed| Evidence {
                    status,
                    parsed,
                    key,
                })
            })
        })
    }

    /// Every way in which conditions may fit.
    fn all_refinements() -> impl Iterator<Item = Refinement> {
        (0..64_u8).map(|bits| {
            let first = |bit: u8| (bits & (1 << bit) != 0).then_some(0);
            Refinement {
                also_broken: first(0),
                unknown: first(1),
                review: first(2),
                declined: first(3),
                error: first(4),
                lists_declined: bits & (1 << 5) != 0,
            }
        })
    }

    #[test]
    fn no_condition_ever_makes_an_approval() {
        for evidence in all_evidence() {
            for missing_key in [MissingKey::Unknown, MissingKey::Declined] {
                let plain = rule(evidence, missing_key, Refinement::default());
                assert_eq!(plain, by_table(evidence, missing_key));
                for refined in all_refinements() {
                    let rule = rule(evidence, missing_key, refined);
                    let approves = rule.verdict().outcome == Outcome::Approved;
                    let may = plain == VerdictRule::Approved && refined.also_broken.is_none();
                    assert_eq!(approves, may, "{evidence:?} {refined:?}");
                }
            }
        }
    }

    #[test]
    fn conditions_do_not_speak_where_the_answer_does_not() {
        for evidence in all_evidence() {
            let status = evidence.status.unwrap_or(0);
            let speaks = evidence.parsed
                && ((200..300).contains(&status)
                    || ((400..500).contains(&status) && ![408, 409, 425, 429].contains(&status)));
            for refined in all_refinements().filter(|_| !speaks) {
                let refined_rule = rule(evidence, MissingKey::Unknown, refined);
                assert_eq!(
                    refined_rule,
                    by_table(evidence, MissingKey::Unknown),
                    "{evidence:?}"
                );
            }
        }
    }

    #[test]
    fn conditions_come_before_the_table_in_their_order() {
        let approved = evidence(200, KeyFound::Equal);
        let declined = evidence(402, KeyFound::NotEqual);
        let missing = evidence(200, KeyFound::Absent);
        let refused = evidence(401, KeyFound::Absent);
        let fits = |list: &str| {
            let at = |name: &str| list.contains(name).then_some(0);
            Refinement {
                also_broken: at("also"),
                unknown: at("unknown"),
                review: at("review"),
                declined: at("declined"),
                error: at("error"),
                lists_declined: list.contains("listed"),
            }
        };
        for (answer, conditions, expected) in [
            (approved, "", VerdictRule::Approved),
            (
                approved,
                "unknown review declined error listed",
                VerdictRule::Approved,
            ),
            (approved, "also", VerdictRule::AlsoBroken),
            (approved, "also listed", VerdictRule::AlsoBroken),
            (approved, "also review", VerdictRule::ReviewFits),
            (approved, "also declined", VerdictRule::DeclinedFits),
            (approved, "also error", VerdictRule::ErrorFits),
            (approved, "also unknown error", VerdictRule::UnknownFits),
            (
                declined,
                "unknown review declined error",
                VerdictRule::UnknownFits,
            ),
            (declined, "review declined error", VerdictRule::ReviewFits),
            (declined, "declined error listed", VerdictRule::DeclinedFits),
            (declined, "error listed", VerdictRule::ErrorFits),
            (declined, "listed", VerdictRule::DeclinedUnlisted),
            (declined, "also", VerdictRule::Declined),
            (missing, "listed", VerdictRule::KeyMissing),
            (missing, "error", VerdictRule::ErrorFits),
            (refused, "listed", VerdictRule::Refused),
            (refused, "declined listed", VerdictRule::DeclinedFits),
        ] {
            let found = rule(answer, MissingKey::Unknown, fits(conditions));
            assert_eq!(found, expected, "{answer:?} {conditions}");
        }
        let meant = rule(missing, MissingKey::Declined, fits("listed"));
        assert_eq!(meant, VerdictRule::DeclinedUnlisted);
    }

    fn evidence(status: u16, key: KeyFound) -> Evidence {
        Evidence {
            status: Some(status),
            parsed: true,
            key,
        }
    }
}
