//! What a payment leaves to later days, as people read it, and setting it up again.

use axum::extract::State;
use axum::http::HeaderMap;
use domain::access::{Actor, Permission, Resource, authorize};
use domain::id::AttemptId;
use domain::money::Money;
use domain::payment::Payment;
use domain::payment::follow_up::{FollowUp, FollowUpKind, Wish, allowed};
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::calls::idempotency_key;
use super::follow_ups::{FollowUpView, begun};
use super::payments::find;
use crate::app::{App, Shared};
use crate::extract::{Caller, Id};
use crate::problem::Code;

/// What is due later, day by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// In its order.
    parts: Vec<PlanPart>,
    /// The caller may have the gateway set it up now, in a call of its own.
    may_set_up: bool,
}

/// A payment of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanPart {
    /// When: "2026-12-01".
    day: String,
    /// How much.
    amount: Money,
}

/// What is due later; none: nothing is.
pub(super) fn view(
    app: &App,
    actor: &Actor,
    payment: &Payment,
    follow_ups: &[FollowUp],
) -> Option<PlanView> {
    let arrangement = payment.arrangement.as_ref()?;
    let kind = FollowUpKind::Schedule;
    let configured = app.deps.payment_desk.configured(payment);
    let is_configured = configured.is_ok_and(|kinds| kinds.contains(&kind));
    let parts = arrangement.parts().into_iter().map(|part| PlanPart {
        day: part.day.to_string(),
        amount: arrangement.sum(part.minor),
    });
    Some(PlanView {
        parts: parts.collect(),
        may_set_up: is_configured
            && may_set_up(actor, payment)
            && allowed(payment, follow_ups, kind).is_ok(),
    })
}

/// The agent who took the payment, or whoever gives money back (docs/decisions/0010).
fn may_set_up(actor: &Actor, payment: &Payment) -> bool {
    payment.agent == actor.user
        || authorize(actor, Permission::PaymentRefund, Resource::Installation).is_ok()
}

/// Has the gateway set up what a payment leaves to later days, once more, if it has not. It is recorded before anything is sent, and runs on by itself; the payment says
/// how it ended. The agent who took the payment may, and whoever has `payment.refund`. The same `Idempotency-Key` yields the same one.
#[utoipa::path(post, path = "/payments/{attempt}/plan", tag = "payments", params(("attempt" = AttemptId, Path), ("Idempotency-Key" = String, Header, description = "16-64 letters, digits, - or _: one press of the button")), responses(
    (status = 200, body = FollowUpView),
))]
pub(crate) async fn set_up(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
    headers: HeaderMap,
) -> Answer<FollowUpView> {
    let key = idempotency_key(&headers).ok_or(Code::IdempotencyKey)?;
    let payment = find(&app, &login.actor, &attempt).await?.payment;
    if !may_set_up(&login.actor, &payment) {
        return Err(Code::NotPermitted.into());
    }
    let wish = Wish {
        kind: FollowUpKind::Schedule,
        amount: None,
        reason: String::new(),
        key,
    };
    begun(&app, &login.actor, &payment, wish).await
}
