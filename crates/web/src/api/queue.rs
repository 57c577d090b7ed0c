//! Callers who wait for an agent.

use axum::Json;
use axum::extract::State;
use domain::queue::{QueueView, WaitingCall};
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use crate::app::Shared;
use crate::extract::Caller;

/// Callers who wait.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingCallList {
    /// The one who waits the longest first, of all services.
    calls: Vec<WaitingCall>,
}

/// How many callers wait for an agent, and since when the first of them does: of the whole line, also those for groups that the reader is not in. The event `queue` has
/// the same.
#[utoipa::path(get, path = "/queue", tag = "queue", responses((status = 200, body = QueueView)))]
pub(crate) async fn show(State(app): State<Shared>, Caller(login): Caller) -> Answer<QueueView> {
    Ok(Json(app.deps.desk.queue(&login.actor)?))
}

/// The callers who wait for an agent.
#[utoipa::path(get, path = "/waiting-calls", tag = "queue", responses((status = 200, body = WaitingCallList)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Answer<WaitingCallList> {
    let calls = app.deps.desk.waiting(&login.actor)?;
    Ok(Json(WaitingCallList { calls }))
}
