//! People who listen to running calls of others.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::boundary::ListeningRefused;
use domain::id::CallId;
use domain::listening::{Listening, RunningCall, Voice};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::phone::TabForm;
use super::{Answer, Created, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, Problem};

/// Calls that agents have now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunningCallList {
    /// The oldest first.
    calls: Vec<RunningCall>,
}

/// Who is to hear somebody who listens.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VoiceForm {
    /// `agent` and `both` need the right `call.join` beside.
    voice: Voice,
}

impl From<ListeningRefused> for Problem {
    fn from(refused: ListeningRefused) -> Self {
        Self::new(match refused {
            ListeningRefused::NotFound => Code::NotFound,
            ListeningRefused::NotConnected => Code::CallNotConnected,
            ListeningRefused::OwnCall => Code::OwnCall,
            ListeningRefused::Already => Code::ListensAlready,
            ListeningRefused::Full => Code::ListenersFull,
            ListeningRefused::Protected => Code::CallProtected,
            ListeningRefused::Phone(refused) => return refused.into(),
            ListeningRefused::Busy => Code::Busy,
            ListeningRefused::Unrecordable => Code::Unrecordable,
        })
    }
}

/// The calls that agents have now, connected or on hold, and who listens to each.
#[utoipa::path(get, path = "/running-calls", tag = "listening", responses((status = 200, body = RunningCallList)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Answer<RunningCallList> {
    let calls = app.deps.phones.running(&login.actor).await?;
    Ok(Json(RunningCallList { calls }))
}

/// Listens to a call with the phone of this tab: what the agent hears of the customer, behind the mask, and what the customer hears of the agent. The answer names a call of this phone,
/// which the page reads, connects and answers as any other; it ends with the call that is listened to. It is in the audit trail before anything is heard. Four may listen
/// to a call; a person listens to one at a time.
#[utoipa::path(post, path = "/running-calls/{id}/listeners", tag = "listening", params(("id" = CallId, Path)), request_body = TabForm, responses(
    (status = 201, body = Listening),
))]
pub(crate) async fn begin(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<TabForm>,
) -> Created<Listening> {
    let phones = &app.deps.phones;
    let begun = phones.listen(&login.actor, form.tab(), &call).await?;
    Ok((StatusCode::CREATED, Json(begun)))
}

/// Whispers to the agent, joins the call, or falls silent again. While a capture is open, or the service protects its calls as a whole, nobody joins (409 `call_protected`); who has
/// joined when a capture opens listens from then on.
#[utoipa::path(put, path = "/listening/{id}/voice", tag = "listening", params(("id" = CallId, Path)), request_body = VoiceForm, responses(
    (status = 200, body = Listening),
))]
pub(crate) async fn speak(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(leg): Id<CallId>,
    Input(form): Input<VoiceForm>,
) -> Answer<Listening> {
    let phones = &app.deps.phones;
    Ok(Json(phones.speak(&login.actor, &leg, form.voice).await?))
}

/// Listens no more.
#[utoipa::path(delete, path = "/listening/{id}", tag = "listening", params(("id" = CallId, Path)), responses((status = 204)))]
pub(crate) async fn leave(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(leg): Id<CallId>,
) -> Silent {
    app.deps.phones.leave(&login.actor, &leg)?;
    Ok(StatusCode::NO_CONTENT)
}
