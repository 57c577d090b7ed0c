//! Live captures, for supervisors: no digit, and attempts that can be given back (S14).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::capture::WidgetKind;
use domain::id::CallId;
use domain::view::LiveCapture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};

/// Captures that are open, and attempts that closed ones have used up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveCaptureList {
    /// The oldest call first.
    captures: Vec<LiveCaptureRow>,
}

/// One of them and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveCaptureRow {
    /// Login name of the agent; empty: none of this server.
    agent_name: String,
    /// The attempts.
    capture: LiveCapture,
}

/// Which attempts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetForm {
    /// Of this kind.
    kind: WidgetKind,
}

/// Everybody's open captures and used attempts, without digits.
#[utoipa::path(get, path = "/captures", tag = "captures", responses((status = 200, body = LiveCaptureList)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Answer<LiveCaptureList> {
    let live = app.deps.desk.live(&login.actor).await?;
    let users = app.deps.users.users().await?;
    let row = |capture: LiveCapture| {
        let agent = users
            .iter()
            .find(|user| capture.agent.as_ref() == Some(&user.id));
        LiveCaptureRow {
            agent_name: agent.map(|user| user.name.clone()).unwrap_or_default(),
            capture,
        }
    };
    Ok(Json(LiveCaptureList {
        captures: live.into_iter().map(row).collect(),
    }))
}

/// Gives the attempts of a widget kind on a call back.
#[utoipa::path(post, path = "/calls/{id}/reset-attempts", tag = "captures", params(("id" = CallId, Path)), request_body = ResetForm, responses(
    (status = 204),
))]
pub(crate) async fn reset(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<ResetForm>,
) -> Silent {
    let desk = &app.deps.desk;
    desk.reset_attempts(&login.actor, &call, form.kind).await?;
    Ok(StatusCode::NO_CONTENT)
}
