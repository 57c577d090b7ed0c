//! How people settle an unknown outcome.
//! Owns: that it takes two: one says what the gateway's report shows, another confirms it.
//! Never: takes one person for two.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{AttemptState, Outcome, Payment};
use crate::access::Actor;
use crate::id::{AttemptId, UserId};
use crate::time::UnixMillis;

/// How it really ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedOutcome {
    /// The consumer was charged.
    Approved,
    /// The consumer was not charged.
    Declined,
}

impl From<ResolvedOutcome> for Outcome {
    fn from(resolved: ResolvedOutcome) -> Self {
        match resolved {
            ResolvedOutcome::Approved => Self::Approved,
            ResolvedOutcome::Declined => Self::Declined,
        }
    }
}

/// What one person says of a payment with an unknown outcome, until another has judged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The payment's attempt.
    pub attempt: AttemptId,
    /// How it ended.
    pub outcome: ResolvedOutcome,
    /// How that was found out; no card number.
    pub reason: String,
    /// Who says so.
    pub by: UserId,
    /// Login name of who says so, as it was then.
    pub by_name: String,
    /// When.
    pub at: UnixMillis,
}

/// Why an outcome cannot be settled so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResolutionRefused {
    /// The gateway's answer, or two people, have settled it.
    #[error("the outcome of this payment is known")]
    Known,
    /// Somebody was faster.
    #[error("somebody has said how this payment ended; confirm or reject that")]
    AlreadyProposed,
    /// It was rejected meanwhile, or never there.
    #[error("nobody has said how this payment ended")]
    NothingProposed,
    /// It is another one than the second person saw.
    #[error("what was said of this payment has changed; read it again")]
    Changed,
    /// Two people are needed.
    #[error("a second person confirms it: you said so yourself")]
    SamePerson,
}

/// The first person's part.
///
/// # Errors
/// The outcome is known, or somebody has said something.
pub fn propose(
    payment: &Payment,
    standing: Option<&Proposal>,
    actor: &Actor,
    outcome: ResolvedOutcome,
    reason: &str,
    now: UnixMillis,
) -> Result<Proposal, ResolutionRefused> {
    must_be_unknown(payment)?;
    if standing.is_some() {
        return Err(ResolutionRefused::AlreadyProposed);
    }
    Ok(Proposal {
        attempt: payment.attempt.clone(),
        outcome,
        reason: reason.trim().to_owned(),
        by: actor.user.clone(),
        by_name: actor.name.clone(),
        at: now,
    })
}

/// The second person's part: what is confirmed. `seen` is what that person read.
///
/// # Errors
/// There is nothing to confirm, it is not what was seen, or it is the same person.
pub fn confirm<'a>(
    payment: &Payment,
    standing: Option<&'a Proposal>,
    actor: &Actor,
    seen: ResolvedOutcome,
) -> Result<&'a Proposal, ResolutionRefused> {
    must_be_unknown(payment)?;
    let proposal = standing.ok_or(ResolutionRefused::NothingProposed)?;
    if proposal.by == actor.user {
        return Err(ResolutionRefused::SamePerson);
    }
    if proposal.outcome != seen {
        return Err(ResolutionRefused::Changed);
    }
    Ok(proposal)
}

/// Taking it back: the other person rejects it, or the first one withdraws it. The outcome stays unknown.
///
/// # Errors
/// There is nothing to take back.
pub fn reject<'a>(
    payment: &Payment,
    standing: Option<&'a Proposal>,
) -> Result<&'a Proposal, ResolutionRefused> {
    must_be_unknown(payment)?;
    standing.ok_or(ResolutionRefused::NothingProposed)
}

fn must_be_unknown(payment: &Payment) -> Result<(), ResolutionRefused> {
    if payment.state == AttemptState::Final(Outcome::Unknown) {
        Ok(())
    } else {
        Err(ResolutionRefused::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::fixtures::payment;

    const NOW: UnixMillis = UnixMillis(5);

    fn unknown() -> Payment {
        payment(AttemptState::Final(Outcome::Unknown))
    }

    fn person(number: u128) -> Actor {
        Actor {
            user: UserId::from_random(number),
            ..Actor::system()
        }
    }

    fn said(by: u128) -> Proposal {
        let approved = ResolvedOutcome::Approved;
        propose(
            &unknown(),
            None,
            &person(by),
            approved,
            " it is listed ",
            NOW,
        )
        .unwrap()
    }

    #[test]
    fn an_unknown_outcome_takes_two_people() {
        let proposal = said(1);
        assert_eq!(proposal.reason, "it is listed");
        let seen = ResolvedOutcome::Approved;
        let confirmed = |by| confirm(&unknown(), Some(&proposal), &person(by), seen);
        assert_eq!(confirmed(1), Err(ResolutionRefused::SamePerson));
        assert_eq!(confirmed(2), Ok(&proposal));
    }

    #[test]
    fn the_second_person_confirms_what_they_read_and_nothing_else() {
        let (proposal, other) = (said(1), person(2));
        let seen = ResolvedOutcome::Declined;
        let confirmed = confirm(&unknown(), Some(&proposal), &other, seen);
        assert_eq!(confirmed, Err(ResolutionRefused::Changed));
        let confirmed = confirm(&unknown(), None, &other, seen);
        assert_eq!(confirmed, Err(ResolutionRefused::NothingProposed));
        assert_eq!(
            reject(&unknown(), None),
            Err(ResolutionRefused::NothingProposed)
        );
        assert_eq!(reject(&unknown(), Some(&proposal)), Ok(&proposal));
    }

    #[test]
    fn only_an_unknown_outcome_is_settled_and_one_word_at_a_time() {
        let (proposal, actor) = (said(1), person(2));
        let outcome = ResolvedOutcome::Declined;
        let again = propose(&unknown(), Some(&proposal), &actor, outcome, "no", NOW);
        assert_eq!(again, Err(ResolutionRefused::AlreadyProposed));
        for state in [
            AttemptState::Sent,
            AttemptState::Final(Outcome::Approved),
            AttemptState::Final(Outcome::Review),
        ] {
            let known = payment(state);
            let refused = Err(ResolutionRefused::Known);
            assert_eq!(propose(&known, None, &actor, outcome, "no", NOW), refused);
            assert_eq!(
                reject(&known, Some(&proposal)),
                Err(ResolutionRefused::Known)
            );
            let confirmed = confirm(&known, Some(&proposal), &actor, outcome);
            assert_eq!(confirmed, Err(ResolutionRefused::Known));
        }
    }
}
