//! How one payment came about, step by step.
//! Owns: which entries of the audit trail belong to it, and what a reader is told of each.
//! Never: a digit: the trail has none.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::follow_up::FollowUpKind;
use super::resolution::ResolvedOutcome;
use super::{Outcome, Payment};
use crate::audit::{AuditAction, AuditEntry};
use crate::capture::Field;
use crate::money::Money;
use crate::time::UnixMillis;

/// A step, when, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TimelineStep {
    /// When.
    pub at: UnixMillis,
    /// Login name, or "system".
    pub actor: String,
    /// What.
    pub what: Step,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// The consumer's call came.
    CallBegan,
    /// The agent opened the widget.
    CaptureOpened,
    /// The line was protected, recorders had acknowledged.
    LineProtected,
    /// The value that was sent was obtained.
    FieldObtained {
        /// Which.
        field: Field,
        /// Tries that it took, from 1.
        attempts: u32,
    },
    /// The consumer agreed to the text that the agent read out; the trail has it.
    Agreed,
    /// Process Payment was pressed; the intent was recorded.
    Intended,
    /// The request began to leave.
    Sent,
    /// Nothing left this server.
    NotSent,
    /// The gateway answered, or did not: unknown.
    Ended {
        /// How.
        outcome: Outcome,
    },
    /// A restart found it open.
    FoundOpen {
        /// As what it was closed; none: nothing had left.
        outcome: Option<Outcome>,
    },
    /// Somebody said how it ended.
    Proposed {
        /// How.
        outcome: ResolvedOutcome,
        /// How that was found out.
        reason: String,
    },
    /// That was rejected or withdrawn.
    Rejected {
        /// Why.
        reason: String,
    },
    /// A second person confirmed it.
    Resolved {
        /// How it ended.
        outcome: ResolvedOutcome,
    },
    /// The capture was over.
    CaptureEnded,
    /// Somebody wanted the payment voided, refunded or captured; the intent was recorded.
    FollowUpIntended {
        /// What.
        kind: FollowUpKind,
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// The gateway was about to be asked for it.
    FollowUpSent {
        /// For what.
        kind: FollowUpKind,
    },
    /// That ended.
    FollowUpEnded {
        /// What.
        kind: FollowUpKind,
        /// How; none: nothing left this server.
        outcome: Option<Outcome>,
    },
    /// A second person found out how an unknown one ended.
    FollowUpSettled {
        /// What.
        kind: FollowUpKind,
        /// How it ended.
        outcome: ResolvedOutcome,
        /// How that was found out.
        reason: String,
    },
}

/// What an entry about the capture is called.
#[must_use]
pub fn objects(payment: &Payment) -> [String; 2] {
    [
        format!("capture {}", payment.capture),
        format!("payment {}", payment.reference),
    ]
}

/// The steps of a payment from entries about its [`objects`], the oldest first. Of a capture with several payments each has the values that it was sent
/// with: those that were obtained last before it.
#[must_use]
pub fn timeline(payment: &Payment, trail: &[AuditEntry]) -> Vec<TimelineStep> {
    let [capture, own] = objects(payment);
    let is_own = |entry: &AuditEntry| {
        let attempt = text(entry, "attempt");
        entry.object == own && attempt.is_none_or(|attempt| attempt == payment.attempt.as_str())
    };
    let pressed = trail.iter().position(is_own).unwrap_or(trail.len());
    let before = trail.iter().take(pressed);
    let mut steps = preparation(before.filter(|entry| entry.object == capture));
    for entry in trail.iter().skip(pressed) {
        let what = if entry.object == capture {
            (entry.action == AuditAction::CaptureEnded).then_some(Step::CaptureEnded)
        } else if is_own(entry) {
            charge_step(entry).or_else(|| follow_up_step(payment, entry))
        } else {
            None
        };
        steps.extend(what.map(|what| step(entry, what)));
    }
    steps
}

/// From the call to the last value.
fn preparation<'a>(capture: impl Iterator<Item = &'a AuditEntry>) -> Vec<TimelineStep> {
    let mut steps: Vec<TimelineStep> = Vec::new();
    let mut refused: Vec<Field> = Vec::new();
    for entry in capture {
        let field = value::<Field>(entry, "field");
        let what = match (entry.action, field) {
            (AuditAction::CaptureOpened, _) => {
                steps.extend(call_began(entry));
                Step::CaptureOpened
            }
            (AuditAction::CaptureArmed, _) => {
                steps.retain(|step| step.what != Step::LineProtected);
                Step::LineProtected
            }
            (AuditAction::ConsumerAgreed, _) => {
                steps.retain(|step| step.what != Step::Agreed);
                Step::Agreed
            }
            (AuditAction::FieldInvalid, Some(field)) => {
                refused.push(field);
                continue;
            }
            (AuditAction::FieldObtained, Some(field)) => {
                let tries = refused.iter().filter(|one| **one == field).count();
                refused.retain(|one| *one != field);
                steps.retain(
                    |step| !matches!(step.what, Step::FieldObtained { field: old, .. } if old == field),
                );
                let attempts = u32::try_from(tries).unwrap_or(u32::MAX).saturating_add(1);
                Step::FieldObtained { field, attempts }
            }
            _ => continue,
        };
        steps.push(step(entry, what));
    }
    steps
}

fn call_began(opened: &AuditEntry) -> Option<TimelineStep> {
    let at = opened.detail.get("call_began_at")?.as_i64()?;
    Some(TimelineStep {
        at: UnixMillis(at),
        actor: "system".to_owned(),
        what: Step::CallBegan,
    })
}

fn charge_step(entry: &AuditEntry) -> Option<Step> {
    let outcome = value::<Outcome>(entry, "outcome");
    let resolved = value::<ResolvedOutcome>(entry, "outcome");
    let reason = || text(entry, "reason").unwrap_or_default().to_owned();
    match entry.action {
        AuditAction::ChargeIntended => Some(Step::Intended),
        AuditAction::ChargeSent => Some(Step::Sent),
        AuditAction::ChargeEnded if text(entry, "why").is_some() => {
            Some(Step::FoundOpen { outcome })
        }
        AuditAction::ChargeEnded => {
            Some(outcome.map_or(Step::NotSent, |outcome| Step::Ended { outcome }))
        }
        AuditAction::UnknownProposed => resolved.map(|outcome| Step::Proposed {
            outcome,
            reason: reason(),
        }),
        AuditAction::UnknownRejected => Some(Step::Rejected { reason: reason() }),
        AuditAction::UnknownResolved => resolved.map(|outcome| Step::Resolved { outcome }),
        _ => None,
    }
}

fn follow_up_step(payment: &Payment, entry: &AuditEntry) -> Option<Step> {
    let kind = value::<FollowUpKind>(entry, "kind")?;
    let reason = || text(entry, "reason").unwrap_or_default().to_owned();
    match entry.action {
        AuditAction::FollowUpIntended => Some(Step::FollowUpIntended {
            kind,
            amount: Money {
                minor: value(entry, "minor")?,
                currency: payment.amount.currency,
            },
            reason: reason(),
        }),
        AuditAction::FollowUpSent => Some(Step::FollowUpSent { kind }),
        AuditAction::FollowUpEnded => Some(Step::FollowUpEnded {
            kind,
            outcome: value(entry, "outcome"),
        }),
        AuditAction::FollowUpSettled => Some(Step::FollowUpSettled {
            kind,
            outcome: value(entry, "outcome")?,
            reason: reason(),
        }),
        _ => None,
    }
}

fn step(entry: &AuditEntry, what: Step) -> TimelineStep {
    TimelineStep {
        at: entry.at,
        actor: entry.actor.clone(),
        what,
    }
}

fn text<'a>(entry: &'a AuditEntry, key: &str) -> Option<&'a str> {
    entry.detail.get(key)?.as_str()
}

fn value<T: DeserializeOwned>(entry: &AuditEntry, key: &str) -> Option<T> {
    serde_json::from_value(entry.detail.get(key)?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Actor;
    use crate::id::AttemptId;
    use crate::payment::AttemptState;
    use crate::payment::fixtures::payment;

    /// Entries one second apart.
    struct Trail(Vec<AuditEntry>);

    impl Trail {
        fn note(&mut self, object: &str, action: AuditAction, facts: &[(&str, &str)]) {
            let at = UnixMillis(i64::try_from(self.0.len()).unwrap() * 1_000);
            let entry = AuditEntry::new(at, &Actor::system(), action, object);
            let add = |entry: AuditEntry, (key, value): &(&str, &str)| entry.with(key, *value);
            self.0.push(facts.iter().fold(entry, add));
        }
    }

    fn steps(payment: &Payment, trail: &Trail) -> Vec<Step> {
        let steps = timeline(payment, &trail.0);
        steps.into_iter().map(|step| step.what).collect()
    }

    fn obtained(field: Field, attempts: u32) -> Step {
        Step::FieldObtained { field, attempts }
    }

    #[test]
    fn a_payment_has_the_consent_that_was_given_last_before_it() {
        let paid = payment(AttemptState::Final(Outcome::Approved));
        let [capture, own] = objects(&paid);
        let mut trail = Trail(Vec::new());
        trail.note(&capture, AuditAction::CaptureOpened, &[]);
        for text in ["I pay 10.00.", "I pay 12.00."] {
            trail.note(&capture, AuditAction::ConsumerAgreed, &[("text", text)]);
        }
        let attempt = ("attempt", paid.attempt.as_str());
        trail.note(&own, AuditAction::ChargeIntended, &[attempt]);
        trail.note(&capture, AuditAction::ConsumerAgreed, &[("text", "later")]);
        let told = timeline(&paid, &trail.0);
        let at = |step: &TimelineStep| (step.what.clone(), step.at.0);
        assert_eq!(
            Vec::from_iter(told.iter().map(at)),
            [
                (Step::CaptureOpened, 0),
                (Step::Agreed, 2_000),
                (Step::Intended, 3_000)
            ]
        );
    }

    /// A capture in which the number took two tries, was declined, and another card was approved.
    fn two_payments() -> (Payment, Payment, Trail) {
        let first = payment(AttemptState::Final(Outcome::Declined));
        let mut second = payment(AttemptState::Final(Outcome::Approved));
        second.attempt = AttemptId::from_random(2);
        second.reference = "AAAA-BBBB".to_owned();
        let [capture, one] = objects(&first);
        let [_, two] = objects(&second);
        let mut trail = Trail(Vec::new());
        trail.note(&capture, AuditAction::CaptureOpened, &[]);
        trail.0[0].detail["call_began_at"] = (-5_000).into();
        trail.note(&capture, AuditAction::CaptureArmed, &[]);
        let number = [("field", "card_number"), ("code", "luhn")];
        trail.note(&capture, AuditAction::FieldInvalid, &number);
        for field in ["card_number", "expiry"] {
            trail.note(&capture, AuditAction::FieldObtained, &[("field", field)]);
        }
        let attempt = ("attempt", first.attempt.as_str());
        trail.note(&one, AuditAction::ChargeIntended, &[attempt]);
        trail.note(
            &one,
            AuditAction::ChargeSent,
            &[attempt, ("outcome", "sent")],
        );
        trail.note(
            &one,
            AuditAction::ChargeEnded,
            &[attempt, ("outcome", "declined")],
        );
        for field in ["card_number", "expiry"] {
            trail.note(&capture, AuditAction::FieldObtained, &[("field", field)]);
        }
        let attempt = ("attempt", second.attempt.as_str());
        trail.note(&two, AuditAction::ChargeIntended, &[attempt]);
        trail.note(
            &two,
            AuditAction::ChargeEnded,
            &[attempt, ("outcome", "approved")],
        );
        trail.note(&capture, AuditAction::CaptureEnded, &[]);
        (first, second, trail)
    }

    #[test]
    fn a_payment_has_the_values_it_was_sent_with_and_the_tries_they_took() {
        let (first, second, trail) = two_payments();
        let expected = [
            Step::CallBegan,
            Step::CaptureOpened,
            Step::LineProtected,
            obtained(Field::CardNumber, 2),
            obtained(Field::Expiry, 1),
            Step::Intended,
            Step::Sent,
            Step::Ended {
                outcome: Outcome::Declined,
            },
            Step::CaptureEnded,
        ];
        assert_eq!(steps(&first, &trail), expected);
        let found = timeline(&second, &trail.0);
        assert_eq!(found[0].at, UnixMillis(-5_000));
        assert_eq!(found[3].what, obtained(Field::CardNumber, 1));
        assert_eq!(found[3].at, UnixMillis(8_000));
        assert_eq!(found.len(), 8);
    }

    #[test]
    fn another_payment_with_the_same_reference_is_left_out() {
        let (first, _, mut trail) = two_payments();
        let before = steps(&first, &trail);
        let [_, own] = objects(&first);
        let facts = [("attempt", "another"), ("outcome", "approved")];
        trail.note(&own, AuditAction::ChargeEnded, &facts);
        assert_eq!(steps(&first, &trail), before);
    }

    #[test]
    fn a_restart_and_two_people_are_steps_too() {
        let unknown = payment(AttemptState::Final(Outcome::Unknown));
        let [_, own] = objects(&unknown);
        let mut trail = Trail(Vec::new());
        trail.note(&own, AuditAction::ChargeIntended, &[]);
        let facts = [("outcome", "unknown"), ("why", "found open")];
        trail.note(&own, AuditAction::ChargeEnded, &facts);
        let facts = [("outcome", "approved"), ("reason", "listed")];
        trail.note(&own, AuditAction::UnknownProposed, &facts);
        trail.note(
            &own,
            AuditAction::UnknownRejected,
            &[("reason", "another one")],
        );
        trail.note(
            &own,
            AuditAction::UnknownResolved,
            &[("outcome", "declined")],
        );
        let approved = ResolvedOutcome::Approved;
        let expected = [
            Step::Intended,
            Step::FoundOpen {
                outcome: Some(Outcome::Unknown),
            },
            Step::Proposed {
                outcome: approved,
                reason: "listed".to_owned(),
            },
            Step::Rejected {
                reason: "another one".to_owned(),
            },
            Step::Resolved {
                outcome: ResolvedOutcome::Declined,
            },
        ];
        assert_eq!(steps(&unknown, &trail), expected);
    }

    #[test]
    fn what_was_done_with_the_payment_afterwards_is_told_too() {
        let payment = payment(AttemptState::Final(Outcome::Approved));
        let [_, own] = objects(&payment);
        let mut trail = Trail(Vec::new());
        trail.note(&own, AuditAction::ChargeIntended, &[]);
        let kind = ("kind", "refund");
        trail.note(
            &own,
            AuditAction::FollowUpIntended,
            &[kind, ("reason", "broken")],
        );
        trail.0[1].detail["minor"] = 500.into();
        trail.note(&own, AuditAction::FollowUpSent, &[kind]);
        let unknown = [kind, ("outcome", "unknown")];
        trail.note(&own, AuditAction::FollowUpEnded, &unknown);
        let settled = [kind, ("outcome", "approved"), ("reason", "listed")];
        trail.note(&own, AuditAction::FollowUpSettled, &settled);
        let not_sent = [("kind", "void"), ("outcome", "not_sent")];
        trail.note(&own, AuditAction::FollowUpEnded, &not_sent);
        let kind = FollowUpKind::Refund;
        let expected = [
            Step::Intended,
            Step::FollowUpIntended {
                kind,
                amount: Money {
                    minor: 500,
                    ..payment.amount
                },
                reason: "broken".to_owned(),
            },
            Step::FollowUpSent { kind },
            Step::FollowUpEnded {
                kind,
                outcome: Some(Outcome::Unknown),
            },
            Step::FollowUpSettled {
                kind,
                outcome: ResolvedOutcome::Approved,
                reason: "listed".to_owned(),
            },
            Step::FollowUpEnded {
                kind: FollowUpKind::Void,
                outcome: None,
            },
        ];
        assert_eq!(steps(&payment, &trail), expected);
    }
}
