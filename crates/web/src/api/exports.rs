//! Files for people outside: the ledger as CSV, the trail as JSON lines.
//! Every export is in the trail before its first byte leaves. Rows are read and sent page by page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::access::{Permission, Resource, authorize};
use domain::audit::{AuditAction, AuditEntry, ChainedDocument};
use domain::boundary::{Change, StoreError};
use domain::money::Money;
use domain::payment::{LedgerFilter, LedgerPlace, LedgerRow};
use domain::time::UnixMillis;
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;

use super::payments::{Names, PaymentQuery};
use crate::app::Shared;
use crate::csv::{BYTE_ORDER_MARK, Cell, line};
use crate::extract::{Caller, Params};
use crate::problem::Problem;

/// Payments of one file: a month of a centre with 3,000 a day. More are refused before anything is sent.
const PAYMENTS_MAX: u32 = 100_000;
/// Rows read at a time.
const PAGE_ROWS: u32 = 500;
/// Days of the trail in one file: a long month with the hour that a clock is put back.
const TRAIL_MS_MAX: i64 = (31 * 24 + 1) * 3_600_000;

/// Columns of the ledger's file, in their order. They stay as they are, and new ones come last: other people's tools read them.
const COLUMNS: [&str; 21] = [
    "time",
    "reference",
    "outcome",
    "reason",
    "amount",
    "currency",
    "widget",
    "brand",
    "last_four",
    "agent",
    "desktop",
    "message",
    "call",
    "attempt",
    "changed",
    "voided",
    "refunded",
    "captured",
    "total",
    "plan",
    "stored",
];

/// The payments that fit, as a CSV file.
#[utoipa::path(post, path = "/payments/export", tag = "payments", params(PaymentQuery), responses(
    (status = 200, body = String, content_type = "text/csv"),
))]
pub(crate) async fn payments(
    State(app): State<Shared>,
    Caller(login): Caller,
    Params(query): Params<PaymentQuery>,
) -> Result<Response, Problem> {
    authorize(
        &login.actor,
        Permission::PaymentView,
        Resource::Installation,
    )?;
    let filter = query.filter()?;
    let rows = app.deps.payments.count(&filter, PAYMENTS_MAX + 1).await?;
    if rows > PAYMENTS_MAX {
        let message = format!("choose fewer days: one file holds at most {PAYMENTS_MAX} payments");
        return Err(Problem::field("from", message));
    }
    let names = Arc::new(Names::read(&app).await?);
    let action = AuditAction::PaymentsExported;
    let entry = AuditEntry::new(app.now(), &login.actor, action, "payments")
        .with("rows", rows)
        .with("from", filter.from.map(|at| at.0))
        .with("until", filter.until.map(|at| at.0))
        .with(
            "outcome",
            filter.standing.map(domain::payment::Standing::label),
        )
        .with("agent", filter.agent.as_ref().map(|id| id.as_str()))
        .with("desktop", filter.desktop.as_ref().map(|id| id.as_str()));
    app.commit(Change::None, entry, |_| {}).await?;
    let head = COLUMNS.map(|name| Cell::Own(name.to_owned()));
    let head = Bytes::from(format!("{BYTE_ORDER_MARK}{}", line(&head)));
    let name = format!("payments-{}.csv", app.now().utc_day());
    let head = stream::once(async { Ok(head) });
    let body = Body::from_stream(head.chain(ledger_pages(app, filter, names)));
    Ok(file(&name, "text/csv; charset=utf-8", body))
}

/// The rows, page by page; at most so many as were counted fit into a file.
fn ledger_pages(
    app: Shared,
    filter: LedgerFilter,
    names: Arc<Names>,
) -> impl stream::Stream<Item = Result<Bytes, StoreError>> {
    let begin = (None::<LedgerPlace>, PAYMENTS_MAX);
    stream::try_unfold(begin, move |(after, left)| {
        let (app, filter, names) = (app.clone(), filter.clone(), names.clone());
        async move {
            let limit = left.min(PAGE_ROWS);
            let rows = app
                .deps
                .payments
                .payments(&filter, after.as_ref(), limit)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(None);
            };
            let place = LedgerPlace::from(&last.payment);
            let text: String = rows.iter().map(|row| ledger_line(row, &names)).collect();
            Ok(Some((Bytes::from(text), (Some(place), left - limit))))
        }
    })
}

fn ledger_line(row: &LedgerRow, names: &Names) -> String {
    let (payment, aftermath) = (&row.payment, &row.aftermath);
    let total = payment.arrangement.as_ref().map(|arranged| arranged.total);
    let (agent, desktop) = (names.agent(payment), names.desktop(payment));
    let last_four = payment.last_four.as_deref().unwrap_or_default();
    let own = |text: &str| Cell::Own(text.to_owned());
    let sum = |minor: i64| match minor {
        0 => Cell::Own(String::new()),
        minor => Cell::Own(
            Money {
                minor,
                ..payment.amount
            }
            .amount_text(),
        ),
    };
    line(&[
        own(&payment.created_at.utc_text()),
        own(&payment.reference),
        own(payment.state.standing().label()),
        own(payment.state.not_sent_reason().unwrap_or_default()),
        own(&payment.amount.amount_text()),
        own(payment.amount.currency.as_str()),
        own(payment.kind.name()),
        own(payment.brand.map_or("", domain::capture::Brand::name)),
        Cell::Text(last_four),
        Cell::Text(&agent),
        Cell::Text(&desktop),
        Cell::Text(&payment.message),
        own(payment.call.as_str()),
        own(payment.attempt.as_str()),
        own(&payment.changed_at.utc_text()),
        own(if aftermath.voided { "yes" } else { "" }),
        sum(aftermath.refunded_minor),
        sum(aftermath.captured_minor),
        own(&total.map_or(String::new(), |total| total.amount_text())),
        own(row.plan.map_or("", domain::payment::PlanStanding::label)),
        own(if payment.only_stores() { "yes" } else { "" }),
    ])
}

/// Which days of the trail.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrailDays {
    /// From this time on, in milliseconds since 1970.
    from: i64,
    /// Before this time; at most 31 days after `from`.
    until: i64,
}

/// The entries of some days, one a line, with what is needed to prove them.
#[utoipa::path(post, path = "/audit/export", tag = "audit", params(TrailDays), responses(
    (status = 200, body = ChainedDocument, content_type = "application/jsonl"),
))]
pub(crate) async fn trail(
    State(app): State<Shared>,
    Caller(login): Caller,
    Params(days): Params<TrailDays>,
) -> Result<Response, Problem> {
    let span = days.until.checked_sub(days.from);
    if !span.is_some_and(|span| (1..=TRAIL_MS_MAX).contains(&span)) {
        return Err(Problem::field("until", "choose one to 31 days"));
    }
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::AuditExported,
        "audit trail",
    )
    .with("from", days.from)
    .with("until", days.until);
    app.commit(Change::None, entry, |_| {}).await?;
    let name = format!("audit-{}.jsonl", UnixMillis(days.from).utc_day());
    let pages = trail_pages(app, UnixMillis(days.from)..UnixMillis(days.until));
    Ok(file(&name, "application/jsonl", Body::from_stream(pages)))
}

fn trail_pages(
    app: Shared,
    days: std::ops::Range<UnixMillis>,
) -> impl stream::Stream<Item = Result<Bytes, StoreError>> {
    stream::try_unfold(0, move |after| {
        let (app, days) = (app.clone(), days.clone());
        async move {
            let entries = app.deps.audit.documents(days, after, PAGE_ROWS).await?;
            let Some(last) = entries.last().map(|entry| entry.position) else {
                return Ok(None);
            };
            let mut text = String::new();
            for entry in entries {
                let json = serde_json::to_string(&entry);
                text += &json.map_err(|error| StoreError::Unavailable(error.to_string()))?;
                text.push('\n');
            }
            Ok(Some((Bytes::from(text), last)))
        }
    })
}

pub(super) fn file(name: &str, kind: &'static str, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    (headers, body).into_response()
}
