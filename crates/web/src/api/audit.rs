//! The audit trail.

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, ChainedEntry};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;
use crate::app::Shared;
use crate::extract::Params;

/// Entries in one answer.
const LIMIT_MAX: u32 = 500;
/// Without a limit of the caller's.
const LIMIT: u32 = 100;

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only entries before this position; none: the newest.
    before: Option<i64>,
    /// At most so many, 1-500.
    limit: Option<u32>,
}

/// Entries, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditList {
    /// The entries.
    entries: Vec<AuditRow>,
}

/// An entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditRow {
    /// Place in the trail of all chains, rising: what `before` names.
    position: i64,
    /// Number within its chain.
    seq: i64,
    /// The chain: node and epoch.
    chain: String,
    /// When.
    at: UnixMillis,
    /// Login name, or "system".
    actor: String,
    /// From where.
    address: String,
    /// What.
    action: AuditAction,
    /// On what.
    object: String,
    /// Facts.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// SHA-256 over the previous hash and this entry.
    hash: String,
}

/// Whether the chains fit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerification {
    /// All chains fit.
    intact: bool,
    /// The first entry that does not fit.
    broken: Option<AuditRow>,
}

impl From<ChainedEntry> for AuditRow {
    fn from(chained: ChainedEntry) -> Self {
        let entry = chained.entry;
        Self {
            position: chained.position,
            seq: chained.seq,
            chain: chained.chain,
            at: entry.at,
            actor: entry.actor,
            address: entry.address,
            action: entry.action,
            object: entry.object,
            detail: entry.detail,
            hash: chained.hash,
        }
    }
}

/// Entries, the newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = AuditList),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Params(query): Params<AuditQuery>,
) -> Answer<AuditList> {
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let before = query.before.unwrap_or(0).max(0);
    let entries = app.deps.audit.entries(before, limit).await?;
    Ok(Json(AuditList {
        entries: entries.into_iter().map(AuditRow::from).collect(),
    }))
}

/// Recomputes every chain.
#[utoipa::path(get, path = "/audit/verification", tag = "audit", responses(
    (status = 200, body = AuditVerification),
))]
pub(crate) async fn verify(State(app): State<Shared>) -> Answer<AuditVerification> {
    let broken = app.deps.audit.verify().await?.map(AuditRow::from);
    Ok(Json(AuditVerification {
        intact: broken.is_none(),
        broken,
    }))
}
