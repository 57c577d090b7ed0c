//! What is done with a payment afterwards: void, refund, capture, and setting up what is due later.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::access::Actor;
use domain::audit::AuditAction;
use domain::boundary::{Change, FollowUpError, StoreError};
use domain::id::{AttemptId, FollowUpId};
use domain::money::Money;
use domain::payment::follow_up::{
    FollowUp, FollowUpKind, FollowUpMove, FollowUpRefused, SettlingRefused, Wish, allowed, begin,
    settle,
};
use domain::payment::{AttemptState, Outcome, Payment, PaymentOutput, holds_card_number};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calls::idempotency_key;
use super::payments::find;
use super::resolutions::{ProposalForm, check_reason, commit};
use super::{Answer, is_text};
use crate::app::{App, Shared};
use crate::extract::{Caller, Id, Ids, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// What somebody wants done with a payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowUpForm {
    /// What.
    kind: FollowUpKind,
    /// "20.50", in the payment's currency; left out: all that the payment still allows. A void is of all.
    #[serde(default)]
    amount: Option<String>,
    /// Why, 3-500 characters, without a card number.
    reason: String,
}

/// Something that was done with a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowUpView {
    /// Its identity.
    id: FollowUpId,
    /// Its number among those of the payment, from 1.
    number: u32,
    /// What.
    kind: FollowUpKind,
    /// How much.
    amount: Money,
    /// Why.
    reason: String,
    /// Login name of who asked for it.
    by: String,
    /// The caller asked for it: if its outcome is unknown, another person settles it.
    is_own: bool,
    /// Where it stands, as with a payment.
    state: AttemptState,
    /// The gateway's message; empty: none.
    message: String,
    /// What is kept of the gateway's answer.
    outputs: Vec<PaymentOutput>,
    /// When it was asked for.
    created_at: UnixMillis,
    /// When its state changed last.
    changed_at: UnixMillis,
}

/// Whether something can be done with a payment now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowUpChoice {
    /// What.
    kind: FollowUpKind,
    /// At most so much; none: it cannot be done.
    most: Option<Money>,
    /// Why it cannot be done; none: it can.
    refused: Option<FollowUpRefused>,
}

impl From<FollowUpRefused> for Problem {
    fn from(refused: FollowUpRefused) -> Self {
        let text = refused.to_string();
        match refused {
            FollowUpRefused::TooMuch
            | FollowUpRefused::VoidOfPart
            | FollowUpRefused::PlanOfPart => Self::field("amount", text),
            FollowUpRefused::PaymentOpen
            | FollowUpRefused::PaymentUnknown
            | FollowUpRefused::NotCharged
            | FollowUpRefused::InProgress
            | FollowUpRefused::LastUnknown
            | FollowUpRefused::Voided
            | FollowUpRefused::Refunded
            | FollowUpRefused::NothingLeft
            | FollowUpRefused::NoPlan
            | FollowUpRefused::PlanSetUp
            | FollowUpRefused::TooMany
            | FollowUpRefused::WidgetGone
            | FollowUpRefused::NotConfigured => Self::new(Code::WrongState).detail(text),
        }
    }
}

impl From<SettlingRefused> for Problem {
    fn from(refused: SettlingRefused) -> Self {
        let code = match refused {
            SettlingRefused::Known => Code::WrongState,
            SettlingRefused::SamePerson => Code::SecondPerson,
        };
        Self::new(code).detail(refused.to_string())
    }
}

impl From<FollowUpError> for Problem {
    fn from(error: FollowUpError) -> Self {
        match error {
            FollowUpError::Refused(refused) => refused.into(),
            FollowUpError::Store(error) => error.into(),
        }
    }
}

impl FollowUpForm {
    fn parse(self, payment: &Payment, key: String) -> Result<Wish, Problem> {
        let amount = self.amount.as_deref();
        let amount = amount.map(|text| Money::parse(text, payment.amount.currency));
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldProblem {
                field: field.to_owned(),
                message,
            });
        };
        if let Some(Err(error)) = &amount {
            wrong("amount", error.to_string());
        }
        if !is_text(&self.reason, 3..=500) {
            wrong("reason", "say in 3 to 500 characters why".to_owned());
        } else if holds_card_number(&self.reason) {
            wrong("reason", "leave out card numbers".to_owned());
        }
        match amount.transpose() {
            Ok(amount) if errors.is_empty() => Ok(Wish {
                kind: self.kind,
                amount,
                reason: self.reason,
                key,
            }),
            _ => Err(Problem::new(Code::Invalid).with(errors)),
        }
    }
}

/// A follow-up as the caller sees it.
pub(super) fn view(actor: &Actor, follow_up: FollowUp) -> FollowUpView {
    FollowUpView {
        is_own: follow_up.by == actor.user,
        id: follow_up.id,
        number: follow_up.number,
        kind: follow_up.kind,
        amount: follow_up.amount,
        reason: follow_up.reason,
        by: follow_up.by_name,
        state: follow_up.state,
        message: follow_up.message,
        outputs: follow_up.outputs,
        created_at: follow_up.created_at,
        changed_at: follow_up.changed_at,
    }
}

/// What can be done with the amount of a payment now.
pub(super) fn choices(
    app: &App,
    payment: &Payment,
    follow_ups: &[FollowUp],
) -> Vec<FollowUpChoice> {
    let configured = app.deps.payment_desk.configured(payment);
    let choice = |kind: FollowUpKind| {
        let most = allowed(payment, follow_ups, kind).and_then(|most| match &configured {
            Ok(kinds) if kinds.contains(&kind) => Ok(most),
            Ok(_) => Err(FollowUpRefused::NotConfigured),
            Err(refused) => Err(*refused),
        });
        FollowUpChoice {
            kind,
            most: most.ok(),
            refused: most.err(),
        }
    };
    FollowUpKind::OF_AMOUNT.into_iter().map(choice).collect()
}

/// What the same press of the button has begun already.
///
/// # Errors
/// Something else was begun under its key.
fn known(follow_ups: Vec<FollowUp>, wish: &Wish) -> Result<Option<FollowUp>, Problem> {
    let mut follow_ups = follow_ups.into_iter();
    let Some(known) = follow_ups.find(|one| one.key == wish.key) else {
        return Ok(None);
    };
    let is_same = known.kind == wish.kind
        && wish.amount.is_none_or(|amount| amount == known.amount)
        && known.reason == wish.reason.trim();
    if is_same {
        Ok(Some(known))
    } else {
        Err(Code::Conflict.into())
    }
}

/// Has the payment's gateway void, refund or capture it. It is recorded before anything is sent, and runs on by itself; the payment says how it ended. The same
/// `Idempotency-Key` yields the same one.
#[utoipa::path(post, path = "/payments/{attempt}/follow-ups", tag = "payments", params(("attempt" = AttemptId, Path), ("Idempotency-Key" = String, Header, description = "16-64 letters, digits, - or _: one press of the button")), request_body = FollowUpForm, responses(
    (status = 200, body = FollowUpView),
))]
pub(crate) async fn ask(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
    headers: HeaderMap,
    Input(form): Input<FollowUpForm>,
) -> Answer<FollowUpView> {
    let key = idempotency_key(&headers).ok_or(Code::IdempotencyKey)?;
    let payment = find(&app, &login.actor, &attempt).await?.payment;
    let wish = form.parse(&payment, key)?;
    begun(&app, &login.actor, &payment, wish).await
}

/// What a wish comes to: begun now, or by the same press before.
pub(super) async fn begun(
    app: &App,
    actor: &Actor,
    payment: &Payment,
    wish: Wish,
) -> Answer<FollowUpView> {
    let (ledger, attempt) = (&app.deps.payments, &payment.attempt);
    let before = ledger.follow_ups(attempt).await?;
    if let Some(known) = known(before.clone(), &wish)? {
        return Ok(Json(view(actor, known)));
    }
    let number = crate::login::random_u128().ok_or(Code::Internal)?;
    let id = FollowUpId::from_random(number);
    let begun = begin(payment, &before, actor, id, wish.clone(), app.now())?;
    if !app
        .deps
        .payment_desk
        .configured(payment)?
        .contains(&wish.kind)
    {
        return Err(FollowUpRefused::NotConfigured.into());
    }
    let desk = &app.deps.payment_desk;
    match desk.follow_up(actor, payment, begun.clone()).await {
        Ok(()) => Ok(Json(view(actor, begun))),
        // Perhaps it was the same press.
        Err(FollowUpError::Store(StoreError::Conflict)) => {
            let known = known(ledger.follow_ups(attempt).await?, &wish)?;
            let known = known.ok_or(Code::Conflict)?;
            Ok(Json(view(actor, known)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Says how a void, refund or capture with an unknown outcome ended. Whoever asked for it cannot: it takes a second person.
#[utoipa::path(post, path = "/payments/{attempt}/follow-ups/{id}/outcome", tag = "payments", params(("attempt" = AttemptId, Path), ("id" = FollowUpId, Path)), request_body = ProposalForm, responses(
    (status = 200, body = FollowUpView),
))]
pub(crate) async fn say(
    State(app): State<Shared>,
    Caller(login): Caller,
    Ids(attempt, id): Ids<AttemptId, FollowUpId>,
    Input(form): Input<ProposalForm>,
) -> Answer<FollowUpView> {
    check_reason(&form.reason)?;
    let payment = find(&app, &login.actor, &attempt).await?.payment;
    let follow_ups = app.deps.payments.follow_ups(&attempt).await?;
    let mut follow_ups = follow_ups.into_iter();
    let unknown = follow_ups.find(|one| one.id == id).ok_or(Code::NotFound)?;
    let to = settle(&unknown, &login.actor, form.outcome)?;
    let at = app.now();
    let action = AuditAction::FollowUpSettled;
    let entry = unknown
        .entry(at, &login.actor, action, &payment.reference)
        .with("outcome", Outcome::from(form.outcome).label())
        .with("reason", form.reason.trim())
        .with("asked_by", unknown.by_name.as_str());
    let step = FollowUpMove {
        id,
        from: unknown.state,
        to,
        message: String::new(),
        outputs: Vec::new(),
        at,
    };
    commit(&app, Change::MoveFollowUp(step), entry, &payment).await?;
    let settled = FollowUp {
        state: to,
        changed_at: at,
        ..unknown
    };
    Ok(Json(view(&login.actor, settled)))
}
