//! Unknown outcomes, settled by two people.

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audience, Bus, Change, LiveEvent};
use domain::id::AttemptId;
use domain::payment::holds_card_number;
use domain::payment::resolution::{
    Proposal, ResolutionRefused, ResolvedOutcome, confirm, propose, reject,
};
use domain::payment::{LedgerRow, Payment, PlanStanding};
use serde::Deserialize;
use utoipa::ToSchema;

use super::payments::{Names, PaymentRow, find, row};
use super::{Answer, is_text};
use crate::app::{App, Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::login::Login;
use crate::problem::{Code, Problem};

/// What a person found out about an unknown outcome.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposalForm {
    /// Charged or not; done or not.
    pub(super) outcome: ResolvedOutcome,
    /// How that was found out, 3-500 characters, without a card number.
    pub(super) reason: String,
}

/// What a second person confirms.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmForm {
    /// As that person read it.
    outcome: ResolvedOutcome,
}

/// Why what was said is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectForm {
    /// 3-500 characters, without a card number.
    reason: String,
}

impl From<ResolutionRefused> for Problem {
    fn from(refused: ResolutionRefused) -> Self {
        let code = match refused {
            ResolutionRefused::Known => Code::WrongState,
            ResolutionRefused::SamePerson => Code::SecondPerson,
            ResolutionRefused::AlreadyProposed
            | ResolutionRefused::NothingProposed
            | ResolutionRefused::Changed => Code::Conflict,
        };
        Self::new(code).detail(refused.to_string())
    }
}

/// Why a person decides so: text without a card number.
pub(super) fn check_reason(reason: &str) -> Result<(), Problem> {
    if !is_text(reason, 3..=500) {
        return Err(Problem::field(
            "reason",
            "say in 3 to 500 characters how you know",
        ));
    }
    if holds_card_number(reason) {
        return Err(Problem::field("reason", "leave out card numbers"));
    }
    Ok(())
}

/// Says how a payment with an unknown outcome ended. It stays unknown until a second person confirms that.
#[utoipa::path(post, path = "/payments/{attempt}/proposal", tag = "payments", params(("attempt" = AttemptId, Path)), request_body = ProposalForm, responses(
    (status = 200, body = PaymentRow),
))]
pub(crate) async fn say(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
    Input(form): Input<ProposalForm>,
) -> Answer<PaymentRow> {
    check_reason(&form.reason)?;
    let found = find(&app, &login.actor, &attempt).await?;
    let proposal = propose(
        &found.payment,
        found.proposal.as_ref(),
        &login.actor,
        form.outcome,
        &form.reason,
        app.now(),
    )?;
    let entry = entry(
        &app,
        &login,
        AuditAction::UnknownProposed,
        &found.payment,
        &proposal,
    )
    .with("reason", proposal.reason.as_str());
    commit(
        &app,
        Change::ProposeResolution(proposal.clone()),
        entry,
        &found.payment,
    )
    .await?;
    let said = LedgerRow {
        proposal: Some(proposal),
        ..found
    };
    Ok(Json(row(&Names::read(&app).await?, &login.actor, said)))
}

/// Confirms what another person said: the outcome is known.
#[utoipa::path(post, path = "/payments/{attempt}/proposal/confirm", tag = "payments", params(("attempt" = AttemptId, Path)), request_body = ConfirmForm, responses(
    (status = 200, body = PaymentRow),
))]
pub(crate) async fn agree(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
    Input(form): Input<ConfirmForm>,
) -> Answer<PaymentRow> {
    let found = find(&app, &login.actor, &attempt).await?;
    let standing = found.proposal.as_ref();
    let proposal = confirm(&found.payment, standing, &login.actor, form.outcome)?.clone();
    let at = app.now();
    let payment = Payment {
        state: domain::payment::AttemptState::Final(proposal.outcome.into()),
        changed_at: at,
        ..found.payment
    };
    let entry = entry(
        &app,
        &login,
        AuditAction::UnknownResolved,
        &payment,
        &proposal,
    )
    .with("reason", proposal.reason.as_str())
    .with("proposed_by", proposal.by_name.as_str());
    commit(
        &app,
        Change::ConfirmResolution { proposal, at },
        entry,
        &payment,
    )
    .await?;
    let known = LedgerRow {
        plan: PlanStanding::of(&payment, None),
        payment,
        proposal: None,
        aftermath: found.aftermath,
    };
    Ok(Json(row(&Names::read(&app).await?, &login.actor, known)))
}

/// Rejects what another person said, or withdraws what one said oneself: the outcome stays unknown.
#[utoipa::path(post, path = "/payments/{attempt}/proposal/reject", tag = "payments", params(("attempt" = AttemptId, Path)), request_body = RejectForm, responses(
    (status = 200, body = PaymentRow),
))]
pub(crate) async fn disagree(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
    Input(form): Input<RejectForm>,
) -> Answer<PaymentRow> {
    check_reason(&form.reason)?;
    let found = find(&app, &login.actor, &attempt).await?;
    let proposal = reject(&found.payment, found.proposal.as_ref())?.clone();
    let entry = entry(
        &app,
        &login,
        AuditAction::UnknownRejected,
        &found.payment,
        &proposal,
    )
    .with("reason", form.reason.trim())
    .with("proposed_by", proposal.by_name.as_str());
    commit(
        &app,
        Change::RejectResolution(proposal),
        entry,
        &found.payment,
    )
    .await?;
    let open = LedgerRow {
        proposal: None,
        ..found
    };
    Ok(Json(row(&Names::read(&app).await?, &login.actor, open)))
}

fn entry(
    app: &App,
    login: &Login,
    action: AuditAction,
    payment: &Payment,
    proposal: &Proposal,
) -> AuditEntry {
    let object = format!("payment {}", payment.reference);
    let outcome = domain::payment::Outcome::from(proposal.outcome).label();
    AuditEntry::new(app.now(), &login.actor, action, object)
        .with("attempt", payment.attempt.as_str())
        .with("outcome", outcome)
}

pub(super) async fn commit(
    app: &Shared,
    change: Change,
    entry: AuditEntry,
    payment: &Payment,
) -> Result<(), Problem> {
    let told = payment.clone();
    app.commit(change, entry, move |app| {
        app.deps.hooks.changed(Changed::Payments);
        tell(app, &told);
    })
    .await?;
    Ok(())
}

fn tell(app: &App, payment: &Payment) {
    let body = serde_json::to_value(payment).unwrap_or_default();
    for audience in Audience::of_payment(payment) {
        app.deps.hub.publish(LiveEvent {
            audience,
            topic: "payment",
            body: body.clone(),
        });
    }
}
