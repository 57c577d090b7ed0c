//! The screen of the agent who asks, shared during a call to be recorded.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::boundary::ScreenDesk;
use domain::id::CallId;
use domain::screen::{
    ChunkClaim, PauseAcknowledgement, ScreenRefusal, ScreenSurface, ScreenView, SharingEnd,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answer, Silent};
use crate::app::{App, Shared};
use crate::extract::{Caller, Id, Input, Octets, Params};
use crate::problem::{Code, Problem};

/// Bytes of a chunk, as files of screens take them.
const CHUNK_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// A screen that is shared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScreenForm {
    /// What is shared: `displaySurface` of the track's settings.
    surface: ScreenSurface,
    /// What the chunks are, such as `video/webm;codecs=vp8`; 100 characters at most.
    media_type: String,
}

/// A screen that is shared no longer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharingEndForm {
    /// Why.
    why: PageEnd,
}

/// Why a page shares no longer.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageEnd {
    /// The agent ended it, in the page or in the browser's bar.
    Stopped,
    /// The browser could not go on.
    Failed,
}

/// Where a chunk belongs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChunkQuery {
    /// Its part.
    part: u16,
    /// Its place in the part, from 0.
    sequence: u32,
    /// Where its video begins, in milliseconds since the recording began.
    begin_ms: u64,
    /// Where it ends.
    until_ms: u64,
}

impl From<ScreenRefusal> for Problem {
    fn from(refusal: ScreenRefusal) -> Self {
        let told = refusal.to_string();
        let code = match refusal {
            ScreenRefusal::PeerUnknown => Code::NotFound,
            ScreenRefusal::PeerSurface => return Self::field("surface", told),
            ScreenRefusal::PeerMediaType => return Self::field("media_type", told),
            ScreenRefusal::PeerCount => return Self::field("chunks", told),
            ScreenRefusal::PeerNotShared => Code::ScreenNotShared,
            ScreenRefusal::PeerPausing => Code::ScreenPausing,
            ScreenRefusal::PeerPaused => Code::ScreenPaused,
            ScreenRefusal::PeerNotPausing => Code::WrongState,
            ScreenRefusal::PeerRepeated => Code::ScreenRepeated,
            ScreenRefusal::PeerOutOfOrder { .. }
            | ScreenRefusal::PeerTime
            | ScreenRefusal::PeerSize
            | ScreenRefusal::PeerFull => Code::ScreenRefused,
            ScreenRefusal::Unavailable => Code::RecordingUnavailable,
        };
        Self::new(code).detail(told)
    }
}

/// A server without a folder of recordings has no screens.
fn screens(app: &App) -> Result<&dyn ScreenDesk, ScreenRefusal> {
    let screens = app.deps.screens.as_deref();
    screens.ok_or(ScreenRefusal::PeerUnknown)
}

/// How the screen of a call stands, if its service wants it recorded. The event `screen` brings the same.
#[utoipa::path(get, path = "/calls/{id}/screen", tag = "calls", params(("id" = CallId, Path)), responses(
    (status = 200, body = ScreenView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
) -> Answer<ScreenView> {
    Ok(Json(screens(&app)?.screen(&login.actor, &call).await?))
}

/// The agent shares a screen: it is recorded from now on, as a new part, unless the answer says that it is paused.
#[utoipa::path(post, path = "/calls/{id}/screen", tag = "calls", params(("id" = CallId, Path)), request_body = ScreenForm, responses(
    (status = 200, body = ScreenView),
))]
pub(crate) async fn share(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<ScreenForm>,
) -> Answer<ScreenView> {
    let screens = screens(&app)?;
    let shared = screens.share(&login.actor, &call, form.surface, &form.media_type);
    Ok(Json(shared.await?))
}

/// A chunk of the part under way, one after the other. `screen_repeated`: it came before. `screen_pausing`: acknowledge the pause, then send it again.
#[utoipa::path(post, path = "/calls/{id}/screen/chunks", tag = "calls", params(("id" = CallId, Path), ChunkQuery),
    request_body(content = String, content_type = "application/octet-stream", description = "1 byte to 2 MiB of the part's video"), responses(
    (status = 204),
))]
pub(crate) async fn chunk(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Params(query): Params<ChunkQuery>,
    Octets(bytes): Octets<CHUNK_BYTES_MAX>,
) -> Silent {
    let claim = ChunkClaim {
        part: query.part,
        sequence: query.sequence,
        begin_ms: query.begin_ms,
        until_ms: query.until_ms,
    };
    let kept = screens(&app)?.chunk(&login.actor, &call, claim, bytes.into());
    kept.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The page records nothing any more, as it was told; chunks that this counts in may still come.
#[utoipa::path(post, path = "/calls/{id}/screen/acknowledgement", tag = "calls", params(("id" = CallId, Path)), request_body = PauseAcknowledgement, responses(
    (status = 200, body = ScreenView),
))]
pub(crate) async fn acknowledge(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(said): Input<PauseAcknowledgement>,
) -> Answer<ScreenView> {
    let heard = screens(&app)?.acknowledge(&login.actor, &call, said).await;
    Ok(Json(heard.map_err(|refusal| {
        let told = refusal.to_string();
        match refusal {
            ScreenRefusal::PeerTime => Problem::field("at_ms", told),
            ScreenRefusal::PeerOutOfOrder { .. } => Problem::field("part", told),
            other => other.into(),
        }
    })?))
}

/// The agent shares no longer. What comes of it afterwards is refused.
#[utoipa::path(post, path = "/calls/{id}/screen/end", tag = "calls", params(("id" = CallId, Path)), request_body = SharingEndForm, responses(
    (status = 200, body = ScreenView),
))]
pub(crate) async fn end(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<SharingEndForm>,
) -> Answer<ScreenView> {
    let why = match form.why {
        PageEnd::Stopped => SharingEnd::Stopped,
        PageEnd::Failed => SharingEnd::Failed,
    };
    let ended = screens(&app)?.end_share(&login.actor, &call, why);
    Ok(Json(ended.await?))
}
