//! What a gateway is asked to do with a payment that it has taken: void, refund, capture, and setting up what is due later.
//! Owns: what a payment still allows, the states of a follow-up, and who settles an unknown one.
//! Never: lets two of one payment run at once, or gives back more than was taken.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::resolution::ResolvedOutcome;
use super::{Arrangement, AttemptState, Outcome, Payment, PaymentOutput};
use crate::access::Actor;
use crate::audit::{AuditAction, AuditEntry};
use crate::gateway::OperationKind;
use crate::id::{AttemptId, FollowUpId, UserId};
use crate::money::Money;
use crate::time::UnixMillis;

/// Follow-ups of one payment, those that failed counted too: more are no longer work on a payment but a loop.
pub const FOLLOW_UPS_MAX: u32 = 50;

/// What is done with a payment.
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
#[serde(rename_all = "snake_case")]
pub enum FollowUpKind {
    /// The payment is undone as a whole.
    Void,
    /// Money goes back, all or a part.
    Refund,
    /// What was only authorised is taken, all or a part.
    Capture,
    /// What is due later is set up.
    Schedule,
}

impl FollowUpKind {
    /// All.
    pub const ALL: [Self; 4] = [Self::Void, Self::Refund, Self::Capture, Self::Schedule];
    /// Those of the amount that was taken.
    pub const OF_AMOUNT: [Self; 3] = [Self::Void, Self::Refund, Self::Capture];

    /// Its word in rows, exports and audit entries.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Refund => "refund",
            Self::Capture => "capture",
            Self::Schedule => "schedule",
        }
    }
}

impl From<FollowUpKind> for OperationKind {
    fn from(kind: FollowUpKind) -> Self {
        match kind {
            FollowUpKind::Void => Self::Void,
            FollowUpKind::Refund => Self::Refund,
            FollowUpKind::Capture => Self::Capture,
            FollowUpKind::Schedule => Self::Schedule,
        }
    }
}

/// One follow-up of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// Its identity.
    pub id: FollowUpId,
    /// The payment's attempt.
    pub attempt: AttemptId,
    /// Its number among those of the payment, from 1. No two share one, so nobody begins one on what is no longer true.
    pub number: u32,
    /// What is done.
    pub kind: FollowUpKind,
    /// How much of the payment, in its currency; of a void all, of a schedule all that is due later.
    pub amount: Money,
    /// Why; no card number. Of a schedule, which nobody has to give reasons for, empty.
    pub reason: String,
    /// What the page that asked for it calls it: asked again, it is the same one.
    pub key: String,
    /// Who asked for it.
    pub by: UserId,
    /// Login name of who did, as it was then.
    pub by_name: String,
    /// Where it stands: as with an attempt.
    pub state: AttemptState,
    /// The scrubbed message of the gateway; empty: none.
    pub message: String,
    /// What is kept of the gateway's answer.
    pub outputs: Vec<PaymentOutput>,
    /// When the intent was recorded.
    pub created_at: UnixMillis,
    /// When the state changed last.
    pub changed_at: UnixMillis,
}

impl FollowUp {
    /// It has not ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, AttemptState::Intent | AttemptState::Sent)
    }

    /// An entry of the trail about it, under the payment's reference.
    #[must_use]
    pub fn entry(
        &self,
        at: UnixMillis,
        actor: &Actor,
        action: AuditAction,
        reference: &str,
    ) -> AuditEntry {
        AuditEntry::new(at, actor, action, format!("payment {reference}"))
            .with("attempt", self.attempt.as_str())
            .with("follow_up", self.id.as_str())
            .with("kind", self.kind.label())
    }

    /// The gateway took it, or holds it for a person.
    fn stands(&self) -> bool {
        matches!(
            self.state,
            AttemptState::Final(Outcome::Approved | Outcome::Review)
        )
    }
}

/// A follow-up moves on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUpMove {
    /// Which.
    pub id: FollowUpId,
    /// The state it must be in.
    pub from: AttemptState,
    /// The state it gets.
    pub to: AttemptState,
    /// The scrubbed message of the gateway; empty: what was kept before.
    pub message: String,
    /// What is kept of the gateway's answer; empty: what was kept before.
    pub outputs: Vec<PaymentOutput>,
    /// When.
    pub at: UnixMillis,
}

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub kind: FollowUpKind,
    /// How much; none: all that the payment still allows.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
    /// See [`FollowUp::key`].
    pub key: String,
}

/// Why a follow-up cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpRefused {
    /// The charge has not ended.
    #[error("this payment has not ended yet")]
    PaymentOpen,
    /// The outcome of the charge is unknown.
    #[error("nobody knows whether this payment was charged; settle that first")]
    PaymentUnknown,
    /// The charge was not taken, or there was none: card or account is only stored.
    #[error("this payment was not charged")]
    NotCharged,
    /// Another one is on its way.
    #[error("something is being done with this payment; wait until it has ended")]
    InProgress,
    /// The outcome of another one is unknown.
    #[error("nobody knows how what was last asked of this payment ended; settle that first")]
    LastUnknown,
    /// The payment was voided.
    #[error("this payment was voided")]
    Voided,
    /// Something was given back already.
    #[error("some of this payment was refunded")]
    Refunded,
    /// Nothing is left of the amount.
    #[error("nothing is left of the amount of this payment")]
    NothingLeft,
    /// More than is left of the amount, or another currency.
    #[error("the amount is more than what is left of this payment")]
    TooMuch,
    /// A void of a part.
    #[error("a void undoes the whole payment")]
    VoidOfPart,
    /// A schedule of a part.
    #[error("a plan is set up as it was arranged, as a whole")]
    PlanOfPart,
    /// Nothing is due later, or the sale's request said it.
    #[error("nothing of this payment is set up by a call of its own")]
    NoPlan,
    /// The gateway has it.
    #[error("what is due later is set up")]
    PlanSetUp,
    /// There were [`FOLLOW_UPS_MAX`].
    #[error("too much was tried with this payment; go on at the gateway")]
    TooMany,
    /// The widget of the payment is gone, or charges nothing.
    #[error("the widget of this payment is gone; go on at the gateway")]
    WidgetGone,
    /// The widget's gateway does not say how it is done.
    #[error("the gateway of this payment's widget is not configured for this")]
    NotConfigured,
}

/// What has become of a payment's amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Aftermath {
    /// It was voided.
    pub voided: bool,
    /// Was given back, in minor units of the payment's currency.
    pub refunded_minor: i64,
    /// Was taken of what had only been authorised; 0: nobody asked for that here.
    pub captured_minor: i64,
}

impl Aftermath {
    /// Of a payment with these follow-ups.
    #[must_use]
    pub fn of(follow_ups: &[FollowUp]) -> Self {
        let mut sum = Self::default();
        for follow_up in follow_ups.iter().filter(|one| one.stands()) {
            match follow_up.kind {
                FollowUpKind::Void => sum.voided = true,
                FollowUpKind::Refund => sum.refunded_minor += follow_up.amount.minor,
                FollowUpKind::Capture => sum.captured_minor += follow_up.amount.minor,
                FollowUpKind::Schedule => {}
            }
        }
        sum
    }
}

/// The most that a payment with these follow-ups allows of one more.
///
/// # Errors
/// It allows none.
pub fn allowed(
    payment: &Payment,
    follow_ups: &[FollowUp],
    kind: FollowUpKind,
) -> Result<Money, FollowUpRefused> {
    must_be_charged(payment)?;
    if payment.only_stores() && kind != FollowUpKind::Schedule {
        return Err(FollowUpRefused::NotCharged);
    }
    if follow_ups.iter().any(FollowUp::is_open) {
        return Err(FollowUpRefused::InProgress);
    }
    let unknown = AttemptState::Final(Outcome::Unknown);
    if follow_ups.iter().any(|one| one.state == unknown) {
        return Err(FollowUpRefused::LastUnknown);
    }
    let sum = Aftermath::of(follow_ups);
    if sum.voided {
        return Err(FollowUpRefused::Voided);
    }
    if sum.refunded_minor > 0 && kind != FollowUpKind::Refund {
        return Err(FollowUpRefused::Refunded);
    }
    if follow_ups.len() >= usize::try_from(FOLLOW_UPS_MAX).unwrap_or(usize::MAX) {
        return Err(FollowUpRefused::TooMany);
    }
    let taken = match sum.captured_minor {
        0 => payment.amount.minor,
        captured => captured,
    };
    let minor = match kind {
        FollowUpKind::Void => payment.amount.minor,
        FollowUpKind::Refund => taken - sum.refunded_minor,
        FollowUpKind::Capture => payment.amount.minor - sum.captured_minor,
        FollowUpKind::Schedule => return plan_of(payment, follow_ups),
    };
    if minor <= 0 {
        return Err(FollowUpRefused::NothingLeft);
    }
    Ok(Money {
        minor,
        currency: payment.amount.currency,
    })
}

/// What is due later, if the gateway does not have it yet.
fn plan_of(payment: &Payment, follow_ups: &[FollowUp]) -> Result<Money, FollowUpRefused> {
    let mut before = follow_ups.iter();
    if before.any(|one| one.kind == FollowUpKind::Schedule && one.stands()) {
        return Err(FollowUpRefused::PlanSetUp);
    }
    let own = payment.arrangement.as_ref();
    let own = own.filter(|_| payment.has_own_schedule());
    own.map(Arrangement::later).ok_or(FollowUpRefused::NoPlan)
}

fn must_be_charged(payment: &Payment) -> Result<(), FollowUpRefused> {
    match payment.state {
        AttemptState::Final(Outcome::Approved | Outcome::Review) => Ok(()),
        AttemptState::Final(Outcome::Unknown) => Err(FollowUpRefused::PaymentUnknown),
        AttemptState::Intent | AttemptState::Sent => Err(FollowUpRefused::PaymentOpen),
        AttemptState::NotSent(_) | AttemptState::Final(Outcome::Declined | Outcome::Error) => {
            Err(FollowUpRefused::NotCharged)
        }
    }
}

/// The follow-up that a wish comes to, as an intent. `follow_ups` are all that the payment has, the first one first.
///
/// # Errors
/// The payment does not allow it.
pub fn begin(
    payment: &Payment,
    follow_ups: &[FollowUp],
    actor: &Actor,
    id: FollowUpId,
    wish: Wish,
    now: UnixMillis,
) -> Result<FollowUp, FollowUpRefused> {
    let most = allowed(payment, follow_ups, wish.kind)?;
    let amount = wish.amount.unwrap_or(most);
    if amount.currency != most.currency || amount.minor > most.minor || amount.minor <= 0 {
        return Err(FollowUpRefused::TooMuch);
    }
    match wish.kind {
        FollowUpKind::Void if amount != most => return Err(FollowUpRefused::VoidOfPart),
        FollowUpKind::Schedule if amount != most => return Err(FollowUpRefused::PlanOfPart),
        FollowUpKind::Void
        | FollowUpKind::Refund
        | FollowUpKind::Capture
        | FollowUpKind::Schedule => {}
    }
    let last = follow_ups.iter().map(|one| one.number).max();
    Ok(FollowUp {
        id,
        attempt: payment.attempt.clone(),
        number: last.unwrap_or(0).saturating_add(1),
        kind: wish.kind,
        amount,
        reason: wish.reason.trim().to_owned(),
        key: wish.key,
        by: actor.user.clone(),
        by_name: actor.name.clone(),
        state: AttemptState::Intent,
        message: String::new(),
        outputs: Vec::new(),
        created_at: now,
        changed_at: now,
    })
}

/// Why the outcome of a follow-up cannot be settled so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SettlingRefused {
    /// The gateway's answer, or somebody, has settled it.
    #[error("the outcome of this is known, or it has not ended")]
    Known,
    /// Two people are needed: one asked for it, another says how it ended.
    #[error("a second person settles it: you asked for it yourself")]
    SamePerson,
}

/// What an unknown follow-up becomes once a second person has found out how it ended.
///
/// # Errors
/// Its outcome is not unknown, or the person is the one who asked for it.
pub fn settle(
    follow_up: &FollowUp,
    actor: &Actor,
    outcome: ResolvedOutcome,
) -> Result<AttemptState, SettlingRefused> {
    if follow_up.state != AttemptState::Final(Outcome::Unknown) {
        return Err(SettlingRefused::Known);
    }
    if follow_up.by == actor.user {
        return Err(SettlingRefused::SamePerson);
    }
    Ok(AttemptState::Final(outcome.into()))
}

#[cfg(test)]
mod tests {
    use super::FollowUpKind::{Capture, Refund, Schedule, Void};
    use super::*;
    use crate::gateway::NotSentReason;
    use crate::payment::ArrangedBy;
    use crate::payment::fixtures::payment;
    use crate::payment::schedule::tests::weekly;

    const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);
    const REVIEW: AttemptState = AttemptState::Final(Outcome::Review);
    const UNKNOWN: AttemptState = AttemptState::Final(Outcome::Unknown);

    fn charged() -> Payment {
        payment(APPROVED)
    }

    fn money(minor: i64) -> Money {
        Money {
            minor,
            ..charged().amount
        }
    }

    fn wish(kind: FollowUpKind, amount: Option<Money>) -> Wish {
        Wish {
            kind,
            amount,
            reason: " sent back ".to_owned(),
            key: "one-press-of-the-button".to_owned(),
        }
    }

    fn begun(
        before: &[FollowUp],
        kind: FollowUpKind,
        amount: Option<Money>,
    ) -> Result<FollowUp, FollowUpRefused> {
        let id = FollowUpId::from_random(9);
        let (actor, now) = (Actor::system(), UnixMillis(5));
        begin(&charged(), before, &actor, id, wish(kind, amount), now)
    }

    /// Follow-ups that ended so, one after the other.
    fn ended(each: &[(FollowUpKind, i64, AttemptState)]) -> Vec<FollowUp> {
        let one = |(number, &(kind, minor, state)): (u32, &(_, i64, _))| FollowUp {
            number,
            kind,
            amount: money(minor),
            state,
            ..begun(&[], Refund, None).unwrap()
        };
        (1..).zip(each).map(one).collect()
    }

    fn most(
        before: &[(FollowUpKind, i64, AttemptState)],
        kind: FollowUpKind,
    ) -> Result<i64, FollowUpRefused> {
        allowed(&charged(), &ended(before), kind).map(|most| most.minor)
    }

    #[test]
    fn of_what_is_only_stored_a_plan_is_set_up_and_nothing_goes_back() {
        let mut stored = charged();
        stored.amount.minor = 0;
        stored.arrangement = Some(Arrangement {
            down_minor: 0,
            ..weekly()
        });
        for kind in FollowUpKind::OF_AMOUNT {
            let refused = allowed(&stored, &[], kind);
            assert_eq!(refused, Err(FollowUpRefused::NotCharged), "{kind:?}");
        }
        let owed = allowed(&stored, &[], Schedule);
        assert_eq!(owed, Ok(stored.arrangement.unwrap().total));
    }

    #[test]
    fn only_what_was_charged_has_a_follow_up() {
        let not_sent = AttemptState::NotSent(NotSentReason::Tls);
        for (state, refused) in [
            (AttemptState::Intent, FollowUpRefused::PaymentOpen),
            (AttemptState::Sent, FollowUpRefused::PaymentOpen),
            (not_sent, FollowUpRefused::NotCharged),
            (
                AttemptState::Final(Outcome::Declined),
                FollowUpRefused::NotCharged,
            ),
            (
                AttemptState::Final(Outcome::Error),
                FollowUpRefused::NotCharged,
            ),
            (UNKNOWN, FollowUpRefused::PaymentUnknown),
        ] {
            for kind in FollowUpKind::OF_AMOUNT {
                assert_eq!(allowed(&payment(state), &[], kind), Err(refused));
            }
        }
        for state in [APPROVED, REVIEW] {
            for kind in FollowUpKind::OF_AMOUNT {
                let all = payment(state).amount;
                assert_eq!(allowed(&payment(state), &[], kind), Ok(all));
            }
        }
    }

    #[test]
    fn refunds_add_up_to_the_amount_and_no_further() {
        let first = [(Refund, 5_000, APPROVED)];
        assert_eq!(most(&first, Refund), Ok(7_050));
        let failed = [
            (Refund, 5_000, APPROVED),
            (Refund, 7_050, AttemptState::Final(Outcome::Declined)),
            (Refund, 7_050, AttemptState::Final(Outcome::Error)),
            (Refund, 7_050, AttemptState::NotSent(NotSentReason::Connect)),
        ];
        assert_eq!(most(&failed, Refund), Ok(7_050), "nothing came of those");
        let held = [(Refund, 5_000, APPROVED), (Refund, 7_050, REVIEW)];
        assert_eq!(most(&held, Refund), Err(FollowUpRefused::NothingLeft));
        let next = begun(&ended(&first), Refund, Some(money(7_051)));
        assert_eq!(next, Err(FollowUpRefused::TooMuch));
        let next = begun(&ended(&first), Refund, Some(money(7_050))).unwrap();
        assert_eq!((next.number, next.amount), (2, money(7_050)));
        assert_eq!(next.reason, "sent back");
        for minor in [0, -1] {
            let next = begun(&[], Refund, Some(money(minor)));
            assert_eq!(next, Err(FollowUpRefused::TooMuch));
        }
        let foreign = Money {
            currency: "EUR".parse().unwrap(),
            ..money(1)
        };
        assert_eq!(
            begun(&[], Refund, Some(foreign)),
            Err(FollowUpRefused::TooMuch)
        );
    }

    #[test]
    fn what_was_captured_is_what_can_be_refunded() {
        let captured = [(Capture, 5_000, APPROVED)];
        assert_eq!(most(&captured, Capture), Ok(7_050));
        assert_eq!(most(&captured, Refund), Ok(5_000));
        assert_eq!(most(&captured, Void), Ok(12_050));
        let refunded = [(Capture, 5_000, APPROVED), (Refund, 1_000, APPROVED)];
        assert_eq!(most(&refunded, Refund), Ok(4_000));
        assert_eq!(most(&refunded, Capture), Err(FollowUpRefused::Refunded));
    }

    #[test]
    fn a_void_is_of_the_whole_payment_and_the_last_word() {
        assert_eq!(
            begun(&[], Void, Some(money(1))),
            Err(FollowUpRefused::VoidOfPart)
        );
        assert_eq!(begun(&[], Void, None).unwrap().amount, charged().amount);
        let refunded = [(Refund, 1, APPROVED)];
        assert_eq!(most(&refunded, Void), Err(FollowUpRefused::Refunded));
        for state in [APPROVED, REVIEW] {
            for kind in FollowUpKind::OF_AMOUNT {
                let voided = [(Void, 12_050, state)];
                assert_eq!(most(&voided, kind), Err(FollowUpRefused::Voided));
            }
        }
        let declined = [(Void, 12_050, AttemptState::Final(Outcome::Declined))];
        assert_eq!(most(&declined, Refund), Ok(12_050));
    }

    #[test]
    fn while_one_is_open_or_unknown_there_is_no_other() {
        for (state, refused) in [
            (AttemptState::Intent, FollowUpRefused::InProgress),
            (AttemptState::Sent, FollowUpRefused::InProgress),
            (UNKNOWN, FollowUpRefused::LastUnknown),
        ] {
            for (before, kind) in [(Void, Refund), (Refund, Refund), (Capture, Void)] {
                assert_eq!(most(&[(before, 1, state)], kind), Err(refused));
            }
        }
        let failed = (Refund, 1, AttemptState::Final(Outcome::Error));
        let many = vec![failed; usize::try_from(FOLLOW_UPS_MAX).unwrap()];
        assert_eq!(most(&many, Refund), Err(FollowUpRefused::TooMany));
        assert_eq!(most(&many[1..], Refund), Ok(12_050));
    }

    #[test]
    fn an_unknown_one_is_settled_by_a_second_person() {
        let other = Actor {
            user: UserId::from_random(7),
            ..Actor::system()
        };
        let unknown = &ended(&[(Refund, 1, UNKNOWN)])[0];
        let outcome = ResolvedOutcome::Declined;
        assert_eq!(
            settle(unknown, &Actor::system(), outcome),
            Err(SettlingRefused::SamePerson)
        );
        let declined = AttemptState::Final(Outcome::Declined);
        assert_eq!(settle(unknown, &other, outcome), Ok(declined));
        for state in [AttemptState::Sent, APPROVED, declined] {
            let known = &ended(&[(Refund, 1, state)])[0];
            assert_eq!(settle(known, &other, outcome), Err(SettlingRefused::Known));
        }
    }

    fn with_plan() -> Payment {
        Payment {
            arrangement: Some(weekly()),
            ..charged()
        }
    }

    fn plan_after(before: &[(FollowUpKind, i64, AttemptState)]) -> Result<i64, FollowUpRefused> {
        allowed(&with_plan(), &ended(before), Schedule).map(|most| most.minor)
    }

    #[test]
    fn a_plan_is_set_up_once_and_as_a_whole() {
        let later = weekly().later();
        assert_eq!(plan_after(&[]), Ok(later.minor));
        let started = |amount| {
            let id = FollowUpId::from_random(9);
            let (actor, now) = (Actor::system(), UnixMillis(5));
            begin(&with_plan(), &[], &actor, id, wish(Schedule, amount), now)
        };
        assert_eq!(started(None).unwrap().amount, later);
        assert_eq!(started(Some(money(1))), Err(FollowUpRefused::PlanOfPart));
        for state in [APPROVED, REVIEW] {
            let set_up = [(Schedule, later.minor, state)];
            assert_eq!(plan_after(&set_up), Err(FollowUpRefused::PlanSetUp));
        }
        assert_eq!(most(&[], Schedule), Err(FollowUpRefused::NoPlan));
        let mut in_sale = with_plan();
        in_sale.arrangement.as_mut().unwrap().by = ArrangedBy::Sale;
        let refused = allowed(&in_sale, &[], Schedule);
        assert_eq!(refused, Err(FollowUpRefused::NoPlan));
    }

    #[test]
    fn a_plan_that_failed_is_tried_again_but_not_while_nobody_knows_nor_after_the_money_went_back()
    {
        let later = weekly().later().minor;
        for state in [
            AttemptState::Final(Outcome::Declined),
            AttemptState::Final(Outcome::Error),
            AttemptState::NotSent(NotSentReason::Connect),
        ] {
            assert_eq!(plan_after(&[(Schedule, later, state)]), Ok(later));
        }
        let unknown = [(Schedule, later, UNKNOWN)];
        assert_eq!(plan_after(&unknown), Err(FollowUpRefused::LastUnknown));
        let voided = [(Void, 12_050, APPROVED)];
        assert_eq!(plan_after(&voided), Err(FollowUpRefused::Voided));
        let refunded = [(Refund, 1, APPROVED)];
        assert_eq!(plan_after(&refunded), Err(FollowUpRefused::Refunded));
        let set_up = [(Schedule, later, APPROVED)];
        for kind in FollowUpKind::OF_AMOUNT {
            let most = allowed(&with_plan(), &ended(&set_up), kind);
            assert_eq!(most, Ok(charged().amount), "the plan is none of it");
        }
    }
}
