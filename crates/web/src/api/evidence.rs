//! Signed evidence of captures, for people outside.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::evidence::{ENTRIES_MAX, Evidence};
use domain::id::CaptureId;
use serde_json::Value;

use super::Answer;
use super::exports::file;
use crate::app::Shared;
use crate::extract::{Caller, Id};
use crate::problem::{Code, Problem};

/// The entries of a capture as a JSON Web Signature (RFC 7515, flattened JSON); `tonewall verify` reads it. That it left is its last entry.
#[utoipa::path(post, path = "/captures/{id}/evidence", tag = "audit", params(("id" = CaptureId, Path)), responses(
    (status = 200, body = String, content_type = "application/jose+json"),
))]
pub(crate) async fn export(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(capture): Id<CaptureId>,
) -> Result<Response, Problem> {
    let object = Evidence::object(&capture);
    // Nothing is audited, and nothing needs a key, for a capture that never was.
    let trail = &app.deps.audit;
    let entries = trail.documents_about(&object, ENTRIES_MAX).await?.len();
    if entries == 0 {
        return Err(Code::NotFound.into());
    }
    // A part would pass for the whole.
    if u32::try_from(entries).is_ok_and(|entries| entries >= ENTRIES_MAX) {
        let message = format!(
            "one file holds less than {ENTRIES_MAX} entries, and this capture has more; export its day of the audit trail"
        );
        return Err(Problem::field("id", message));
    }
    app.deps.evidence.public_keys()?;
    let action = AuditAction::EvidenceExported;
    let entry = AuditEntry::new(app.now(), &login.actor, action, object.clone());
    app.commit(Change::None, entry, |_| {}).await?;
    let entries = app.deps.audit.documents_about(&object, ENTRIES_MAX).await?;
    let evidence = Evidence::new(capture, entries, &login.actor.name, app.now());
    let name = format!("evidence-{}.json", evidence.capture);
    let body = app.deps.evidence.sign(&evidence)?;
    Ok(file(&name, "application/jose+json", body.into()))
}

/// The public keys that evidence is verified with: a JSON Web Key Set (RFC 7517), one of each master key, the newest last. A key goes with its master key, so keep
/// them beside the files.
#[utoipa::path(get, path = "/evidence/keys", tag = "audit", responses((status = 200, body = Object)))]
pub(crate) async fn keys(State(app): State<Shared>) -> Answer<Value> {
    Ok(Json(app.deps.evidence.public_keys()?))
}
