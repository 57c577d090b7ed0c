//! The audit trail.

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, ChainedEntry, TrailFilter};
use domain::boundary::StoreError;
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
    /// At this time or later, in milliseconds since 1970.
    from: Option<i64>,
    /// Before this time.
    until: Option<i64>,
    /// By this login name, or "system".
    actor: Option<String>,
    /// What was done.
    action: Option<AuditAction>,
    /// How the object begins: "user ann", "payment 7F2K".
    object: Option<String>,
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
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    detail: serde_json::Value,
    /// SHA-256 over the previous hash and this entry.
    hash: String,
}

/// Whether the chains fit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerification {
    /// All chains fit.
    intact: bool,
    /// They were verified to this position at least; 0: there is no entry.
    position: i64,
    /// When.
    at: UnixMillis,
    /// The first entry that does not fit; none, although the chains do not fit: it cannot be read, or is gone.
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
    let given = |text: Option<String>| {
        let text = text.map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    let filter = TrailFilter {
        actor: given(query.actor),
        action: query.action,
        object: given(query.object),
        from: query.from.map(UnixMillis),
        until: query.until.map(UnixMillis),
    };
    let entries = app.deps.audit.entries(&filter, before, limit).await?;
    Ok(Json(AuditList {
        entries: entries.into_iter().map(AuditRow::from).collect(),
    }))
}

/// Recomputes every chain, one caller at a time.
#[utoipa::path(get, path = "/audit/verification", tag = "audit", responses(
    (status = 200, body = AuditVerification),
))]
pub(crate) async fn verify(State(app): State<Shared>) -> Answer<AuditVerification> {
    let _alone = app.verifying.lock().await;
    let trail = &app.deps.audit;
    // An entry that can no longer be read is no reason to say nothing: that is a break.
    let newest = match trail.entries(&TrailFilter::default(), 0, 1).await {
        Err(StoreError::Corrupt { .. }) => Vec::new(),
        read => read?,
    };
    let (intact, broken) = match trail.verify().await {
        Err(StoreError::Corrupt { what, why }) => {
            tracing::error!(what, why, "alarm: the audit trail is broken");
            (false, None)
        }
        found => {
            let broken = found?;
            (broken.is_none(), broken.map(AuditRow::from))
        }
    };
    Ok(Json(AuditVerification {
        intact,
        position: newest.first().map_or(0, |entry| entry.position),
        at: app.now(),
        broken,
    }))
}
