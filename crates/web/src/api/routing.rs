//! What is known of routing numbers: those that are refused, and the banks' names (GATEWAYS 4).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::capture::routing::{
    BANKS_BYTES_MAX, BankTable, LineProblem, RefusedRouting, RefusedRoutings, RoutingNumber,
    parse_banks,
};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;
use super::desktops::refused;
use super::services::tell;
use crate::app::{App, Changed, Shared};
use crate::extract::{Caller, Csv, Input};
use crate::problem::{FieldProblem, Problem};

/// What is known of routing numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoutingView {
    /// Those that are refused, by number.
    refused: Vec<RefusedRouting>,
    /// The revision of that list.
    revision: i64,
    /// Banks in the imported table.
    banks: usize,
    /// Login name of who imported it; none: nobody did.
    imported_by: Option<String>,
    /// When.
    imported_at: Option<UnixMillis>,
}

/// Routing numbers that are refused, as a form sends them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusedForm {
    /// All of them, at most 1,000.
    refused: Vec<RefusedRow>,
    /// The revision that was read.
    revision: i64,
}

/// A row of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefusedRow {
    /// Nine digits.
    routing: String,
    /// Why, as agents read it: 1-120 characters.
    reason: String,
}

async fn view(app: &Shared) -> Result<RoutingView, Problem> {
    let list = app.deps.services.refused_routings().await?;
    let table = app.deps.services.banks_since(0).await?.unwrap_or_default();
    let is_imported = table.revision > 0;
    Ok(RoutingView {
        refused: list.refused,
        revision: list.revision,
        banks: table.banks.len(),
        imported_by: is_imported.then_some(table.imported_by),
        imported_at: is_imported.then_some(table.imported_at),
    })
}

/// Routing numbers that are refused, and how many banks' names are known.
#[utoipa::path(get, path = "/routing", tag = "settings", responses((status = 200, body = RoutingView)))]
pub(crate) async fn show(State(app): State<Shared>) -> Answer<RoutingView> {
    view(&app).await.map(Json)
}

/// Saves the routing numbers that are refused. A capture that is open keeps the list it began with.
#[utoipa::path(put, path = "/routing/refused", tag = "settings", request_body = RefusedForm, responses(
    (status = 200, body = RoutingView),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<RefusedForm>,
) -> Answer<RoutingView> {
    let rows = form.refused.into_iter();
    let rows: Vec<(String, String)> = rows.map(|row| (row.routing, row.reason)).collect();
    let list = RefusedRoutings::parse(&rows, form.revision).map_err(refused)?;
    let before = app.deps.services.refused_routings().await?;
    let numbers = |list: &RefusedRoutings| -> BTreeSet<RoutingNumber> {
        list.refused.iter().map(|one| one.routing).collect()
    };
    let (old, new) = (numbers(&before), numbers(&list));
    let told = |numbers: Vec<&RoutingNumber>| -> Vec<String> {
        numbers.iter().map(ToString::to_string).collect()
    };
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::RoutingRefusalsSaved,
        "routing numbers",
    )
    .with("refused", list.refused.len())
    .with("added", told(new.difference(&old).collect()))
    .with("removed", told(old.difference(&new).collect()));
    let change = Change::SaveRefusedRoutings(list);
    app.commit(change, entry, changed).await?;
    show(State(app)).await
}

/// Puts a table of bank names in the place of the one that is there: CSV with the columns `routing,bank_name,city,state`, at most 40,000 rows and 4 MiB. A table
/// with a line that is wrong is refused as a whole.
#[utoipa::path(put, path = "/routing/banks", tag = "settings",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = RoutingView)),
)]
pub(crate) async fn import(
    State(app): State<Shared>,
    Caller(login): Caller,
    Csv(text): Csv<BANKS_BYTES_MAX>,
) -> Answer<RoutingView> {
    let banks = parse_banks(&text).map_err(wrong_lines)?;
    let before = view(&app).await?.banks;
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::BanksImported,
        "routing numbers",
    )
    .with("banks", banks.len())
    .with("before", before);
    let table = BankTable {
        banks,
        imported_by: login.actor.name.clone(),
        imported_at: app.now(),
        revision: 0,
    };
    let change = Change::ReplaceBanks(Arc::new(table));
    app.commit(change, entry, changed).await?;
    show(State(app)).await
}

fn changed(app: &App) {
    tell(app, Changed::Settings);
}

fn wrong_lines(problems: Vec<LineProblem>) -> Problem {
    let problem = |LineProblem { line, message }| FieldProblem {
        field: format!("lines[{line}]"),
        message,
    };
    Problem::invalid(problems.into_iter().map(problem).collect())
}
