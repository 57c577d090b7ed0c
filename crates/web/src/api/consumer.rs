//! What a program or the agent tells of a call's consumer.

use axum::extract::State;
use axum::http::StatusCode;
use domain::consumer::ConsumerDraft;
use domain::id::CallId;
use domain::view::DeskError;

use super::Silent;
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};

/// This is known of a call's consumer, and nothing that was told before. The agent's page starts its fields with it; it is never stored and goes
/// with the call. Agents tell it of their own calls, holders of `call.consumer_data` of any.
#[utoipa::path(put, path = "/calls/{id}/consumer", tag = "calls", params(("id" = CallId, Path)), request_body = ConsumerDraft, responses(
    (status = 204),
))]
pub(crate) async fn tell(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(draft): Input<ConsumerDraft>,
) -> Silent {
    let consumer = draft.parse().map_err(DeskError::Form)?;
    let desk = &app.deps.desk;
    desk.tell_consumer(&login.actor, &call, consumer).await?;
    Ok(StatusCode::NO_CONTENT)
}
