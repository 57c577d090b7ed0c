//! The ledger, as people read it.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use domain::access::{Actor, Permission, Resource, authorize};
use domain::id::{AttemptId, DesktopId, UserId};
use domain::payment::follow_up::Aftermath;
use domain::payment::resolution::{Proposal, ResolvedOutcome};
use domain::payment::timeline::{TimelineStep, objects, timeline};
use domain::payment::{
    LedgerFilter, LedgerPlace, LedgerRow, LedgerSearch, Payment, PlanStanding, Standing,
    holds_card_number,
};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;
use super::follow_ups::{self, FollowUpChoice, FollowUpView};
use super::plans::{self, PlanView};
use crate::app::{App, Shared};
use crate::extract::{Caller, Id, Params};
use crate::problem::{Code, Problem};

/// Payments in one answer.
const LIMIT_MAX: u32 = 500;
/// Without a limit of the caller's.
const LIMIT: u32 = 100;
/// Unknown outcomes are counted up to here: beyond, nobody reads the figure.
const UNKNOWN_MAX: u32 = 1_000;
/// Entries of the trail that one payment is told from. A capture makes some dozens.
const STEPS_MAX: u32 = 1_000;

/// Which payments. What is left out does not narrow.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentQuery {
    /// Begun at this time or later, in milliseconds since 1970.
    from: Option<i64>,
    /// Begun before this time.
    until: Option<i64>,
    /// How they stand.
    outcome: Option<Standing>,
    /// Who took them.
    #[param(value_type = Option<String>)]
    agent: Option<UserId>,
    /// Whose widget they came from.
    #[param(value_type = Option<String>)]
    desktop: Option<DesktopId>,
    /// How a reference begins (three characters or more), or a whole call identity.
    search: Option<String>,
    /// `next` of the answer before.
    after: Option<String>,
    /// At most so many, 1-500.
    limit: Option<u32>,
}

impl PaymentQuery {
    /// The conditions.
    pub(crate) fn filter(&self) -> Result<LedgerFilter, Problem> {
        let search = self.search.as_deref().map(str::trim);
        let search = search.filter(|text| !text.is_empty()).map(parse_search);
        Ok(LedgerFilter {
            agent: self.agent.clone(),
            desktop: self.desktop.clone(),
            from: self.from.map(UnixMillis),
            until: self.until.map(UnixMillis),
            standing: self.outcome,
            search: search.transpose()?,
        })
    }

    fn place(&self) -> Result<Option<LedgerPlace>, Problem> {
        let place = self.after.as_deref().map(str::parse).transpose();
        place.map_err(|_| Code::BadQuery.into())
    }
}

fn parse_search(text: &str) -> Result<LedgerSearch, Problem> {
    if holds_card_number(text) {
        return Err(Problem::field("search", "leave out card numbers"));
    }
    text.parse()
        .map_err(|error: domain::payment::InvalidSearch| {
            Problem::field("search", error.to_string())
        })
}

/// Payments, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentList {
    /// Those that fit and that the caller may see: of everybody, or the own.
    payments: Vec<PaymentRow>,
    /// `after` of the next page; none: this is the last.
    next: Option<String>,
    /// Unknown outcomes that the caller may see, whatever else the query says; 1000 stands for more.
    unknown: u32,
}

/// A payment and who took it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentRow {
    /// Login name of the agent; empty if the account is gone.
    agent_name: String,
    /// Name of the desktop; empty if it is gone or was not kept.
    desktop_name: String,
    /// The row.
    payment: Payment,
    /// How somebody says that it ended, while nobody else has confirmed it.
    proposal: Option<ProposalView>,
    /// What became of its amount afterwards.
    aftermath: Aftermath,
    /// How what is due later stands; none: nothing is, or nothing was taken.
    plan: Option<PlanStanding>,
}

/// What somebody says of an unknown outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalView {
    /// How it ended.
    outcome: ResolvedOutcome,
    /// How that was found out.
    reason: String,
    /// Login name of who says so.
    by: String,
    /// When.
    at: UnixMillis,
    /// The caller said so: another person confirms it.
    is_own: bool,
}

/// A payment and how it came about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentDetail {
    /// The row.
    row: PaymentRow,
    /// From the call to the outcome, as the audit trail has it.
    steps: Vec<TimelineStep>,
    /// What was done with it afterwards, the first one first.
    follow_ups: Vec<FollowUpView>,
    /// What can be done with its amount now, by whoever has the right.
    choices: Vec<FollowUpChoice>,
    /// What is due later; none: nothing is.
    plan: Option<PlanView>,
}

/// What the ledger can be narrowed to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentChoices {
    /// Agents with payments, by login name.
    agents: Vec<PaymentChoice>,
    /// Desktops with payments, by name.
    desktops: Vec<PaymentChoice>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentChoice {
    /// Identity.
    id: String,
    /// Name.
    name: String,
}

/// Names for rows.
pub(crate) struct Names {
    agents: HashMap<UserId, String>,
    desktops: HashMap<DesktopId, String>,
}

impl Names {
    /// As they are now.
    pub(crate) async fn read(app: &App) -> Result<Self, Problem> {
        let users = app.deps.users.users().await?;
        let desktops = app.deps.desktops.desktops().await?;
        Ok(Self {
            agents: users.into_iter().map(|user| (user.id, user.name)).collect(),
            desktops: desktops
                .into_iter()
                .map(|desktop| (desktop.id, desktop.name))
                .collect(),
        })
    }

    /// Of a payment's agent.
    pub(crate) fn agent(&self, payment: &Payment) -> String {
        self.agents.get(&payment.agent).cloned().unwrap_or_default()
    }

    /// Of a payment's desktop.
    pub(crate) fn desktop(&self, payment: &Payment) -> String {
        let id = payment.desktop.as_ref();
        id.and_then(|id| self.desktops.get(id))
            .cloned()
            .unwrap_or_default()
    }
}

/// A row as the caller sees it.
pub(crate) fn row(names: &Names, actor: &Actor, row: LedgerRow) -> PaymentRow {
    PaymentRow {
        agent_name: names.agent(&row.payment),
        desktop_name: names.desktop(&row.payment),
        payment: row.payment,
        aftermath: row.aftermath,
        plan: row.plan,
        proposal: row.proposal.map(|proposal| said(actor, proposal)),
    }
}

fn said(actor: &Actor, proposal: Proposal) -> ProposalView {
    ProposalView {
        outcome: proposal.outcome,
        reason: proposal.reason,
        by: proposal.by_name,
        at: proposal.at,
        is_own: proposal.by == actor.user,
    }
}

/// Whoever does not see all payments sees the own.
fn own_only(actor: &Actor) -> Option<UserId> {
    let all = authorize(actor, Permission::PaymentView, Resource::Installation);
    all.is_err().then(|| actor.user.clone())
}

/// Payments, the newest first, page by page: all of them with `payment.view`, else the own.
#[utoipa::path(get, path = "/payments", tag = "payments", params(PaymentQuery), responses(
    (status = 200, body = PaymentList),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(login): Caller,
    Params(query): Params<PaymentQuery>,
) -> Answer<PaymentList> {
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let (mut filter, after) = (query.filter()?, query.place()?);
    let mut unknown = LedgerFilter {
        standing: Some(Standing::Unknown),
        ..LedgerFilter::default()
    };
    if let Some(own) = own_only(&login.actor) {
        filter.agent = Some(own.clone());
        unknown.agent = Some(own);
    }
    let ledger = &app.deps.payments;
    let rows = ledger.payments(&filter, after.as_ref(), limit).await?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
    let next = rows.last().filter(|_| is_full);
    let next = next.map(|row| LedgerPlace::from(&row.payment).to_string());
    let unknown = ledger.count(&unknown, UNKNOWN_MAX).await?;
    let names = Names::read(&app).await?;
    let rows = rows.into_iter().map(|one| row(&names, &login.actor, one));
    Ok(Json(PaymentList {
        payments: rows.collect(),
        next,
        unknown,
    }))
}

/// A payment that the caller may see.
pub(crate) async fn find(
    app: &App,
    actor: &Actor,
    attempt: &AttemptId,
) -> Result<LedgerRow, Problem> {
    let ledger = &app.deps.payments;
    let payment = ledger.payment(attempt).await?.ok_or(Code::NotFound)?;
    if own_only(actor).is_some_and(|own| own != payment.agent) {
        return Err(Code::NotFound.into());
    }
    let follow_ups = ledger.follow_ups(attempt).await?;
    Ok(LedgerRow {
        proposal: ledger.proposal(attempt).await?,
        aftermath: Aftermath::of(&follow_ups),
        plan: PlanStanding::among(&payment, &follow_ups),
        payment,
    })
}

/// One payment and how it came about.
#[utoipa::path(get, path = "/payments/{attempt}", tag = "payments", params(("attempt" = AttemptId, Path)), responses(
    (status = 200, body = PaymentDetail),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(attempt): Id<AttemptId>,
) -> Answer<PaymentDetail> {
    let found = find(&app, &login.actor, &attempt).await?;
    let about = objects(&found.payment);
    let trail = app.deps.audit.about(&about, STEPS_MAX).await?;
    let entries: Vec<_> = trail.into_iter().map(|chained| chained.entry).collect();
    let steps = timeline(&found.payment, &entries);
    let follow_ups = app.deps.payments.follow_ups(&attempt).await?;
    let choices = follow_ups::choices(&app, &found.payment, &follow_ups);
    let seen = |one| follow_ups::view(&login.actor, one);
    let names = Names::read(&app).await?;
    Ok(Json(PaymentDetail {
        plan: plans::view(&app, &login.actor, &found.payment, &follow_ups),
        follow_ups: follow_ups.into_iter().map(seen).collect(),
        choices,
        row: row(&names, &login.actor, found),
        steps,
    }))
}

/// The agents and desktops that have payments.
#[utoipa::path(get, path = "/payments/choices", tag = "payments", responses(
    (status = 200, body = PaymentChoices),
))]
pub(crate) async fn choices(State(app): State<Shared>) -> Answer<PaymentChoices> {
    let takers = app.deps.payments.takers().await?;
    let choice = |id: String, name| PaymentChoice { id, name };
    Ok(Json(PaymentChoices {
        agents: takers
            .agents
            .into_iter()
            .map(|(id, name)| choice(id.into(), name))
            .collect(),
        desktops: takers
            .desktops
            .into_iter()
            .map(|(id, name)| choice(id.into(), name))
            .collect(),
    }))
}
