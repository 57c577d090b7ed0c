//! The ledger.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use domain::access::{Permission, Resource, authorize};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audience, Bus, Change, LiveEvent};
use domain::id::{AttemptId, UserId};
use domain::payment::{AttemptState, Outcome, Payment, holds_card_number};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, has_length};
use crate::app::{Changed, Shared};
use crate::extract::{Caller, Id, Input, Params};
use crate::problem::{Code, Problem};

/// Payments in one answer.
const LIMIT_MAX: u32 = 500;
/// Without a limit of the caller's.
const LIMIT: u32 = 100;

/// How many.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentQuery {
    /// At most so many, 1-500.
    limit: Option<u32>,
}

/// Payments, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentList {
    /// All that the caller may see: of everybody, or the own.
    payments: Vec<PaymentRow>,
}

/// A payment and who took it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentRow {
    /// Login name of the agent; empty if the account is gone.
    agent_name: String,
    /// The row.
    payment: Payment,
}

/// What a person found out about an unknown outcome.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveForm {
    /// Charged or not.
    outcome: ResolvedOutcome,
    /// How that was found out, 3-500 characters, without a card number.
    reason: String,
}

/// How it really ended.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResolvedOutcome {
    /// The consumer was charged.
    Approved,
    /// The consumer was not charged.
    Declined,
}

/// The newest payments: all of them with `payment.view`, else the own.
#[utoipa::path(get, path = "/payments", tag = "payments", params(PaymentQuery), responses(
    (status = 200, body = PaymentList),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(login): Caller,
    Params(query): Params<PaymentQuery>,
) -> Answer<PaymentList> {
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let all = authorize(
        &login.actor,
        Permission::PaymentView,
        Resource::Installation,
    )
    .is_ok();
    let of = (!all).then_some(&login.actor.user);
    let payments = app.deps.payments.payments(of, limit).await?;
    let users = app.deps.users.users().await?;
    let names: HashMap<UserId, String> =
        users.into_iter().map(|user| (user.id, user.name)).collect();
    let row = |payment: Payment| PaymentRow {
        agent_name: names.get(&payment.agent).cloned().unwrap_or_default(),
        payment,
    };
    Ok(Json(PaymentList {
        payments: payments.into_iter().map(row).collect(),
    }))
}

/// Says how a payment with an unknown outcome really ended.
#[utoipa::path(post, path = "/payments/{attempt}/resolve", tag = "payments", params(("attempt" = AttemptId, Path)), request_body = ResolveForm, responses(
    (status = 200, body = Payment),
))]
pub(crate) async fn resolve(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
    Input(form): Input<ResolveForm>,
) -> Answer<Payment> {
    if !has_length(&form.reason, 3..=500) {
        return Err(Problem::field(
            "reason",
            "say in 3 to 500 characters how you know",
        ));
    }
    if holds_card_number(&form.reason) {
        return Err(Problem::field("reason", "leave out card numbers"));
    }
    let mut payment = app
        .deps
        .payments
        .payment(&attempt)
        .await?
        .ok_or(Code::NotFound)?;
    let unknown = AttemptState::Final(Outcome::Unknown);
    if payment.state != unknown {
        return Err(Problem::new(Code::WrongState).detail("The outcome of this payment is known"));
    }
    let outcome = match form.outcome {
        ResolvedOutcome::Approved => Outcome::Approved,
        ResolvedOutcome::Declined => Outcome::Declined,
    };
    payment.state = AttemptState::Final(outcome);
    payment.changed_at = app.now();
    let change = Change::MovePayment {
        attempt: payment.attempt.clone(),
        from: unknown,
        to: payment.state,
        message: payment.message.clone(),
        at: payment.changed_at,
    };
    let object = format!("payment {}", payment.reference);
    let entry = AuditEntry::new(
        payment.changed_at,
        &login.actor,
        AuditAction::UnknownResolved,
        object,
    )
    .with("outcome", outcome.label())
    .with("reason", form.reason.trim());
    let told = payment.clone();
    app.commit(change, entry, move |app| {
        app.deps.hooks.changed(Changed::Payments);
        tell(app, &told);
    })
    .await?;
    Ok(Json(payment))
}

/// The agent who took it and everyone who sees the ledger.
fn tell(app: &crate::app::App, payment: &Payment) {
    let body = serde_json::to_value(payment).unwrap_or_default();
    for audience in [
        Audience::User(payment.agent.clone()),
        Audience::Holders(Permission::PaymentView),
    ] {
        app.deps.hub.publish(LiveEvent {
            audience,
            topic: "payment",
            body: body.clone(),
        });
    }
}
