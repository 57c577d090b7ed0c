//! Removing a part of a recording.
//! Owns: which parts may be asked for.
//! Never: touches a file or a row; [`domain::boundary::RecordingFiles`] does, and writes the trail.

use axum::extract::State;
use axum::http::StatusCode;
use domain::id::RecordingId;
use domain::recording::{Recording, RecordingState};
use domain::service::SinkMedium;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{SAMPLES_PER_MS, check_reason, files, find};
use crate::api::Silent;
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, Problem};

/// Which part of a recording is removed, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingRedactionForm {
    /// Where it begins, in milliseconds since the beginning of the recording; before its end.
    from_ms: u64,
    /// Where it ends, behind `from_ms` and not behind the end of the recording.
    until_ms: u64,
    /// 3-500 characters, without a card number.
    reason: String,
}

impl RecordingRedactionForm {
    fn check(&self, recording: &Recording) -> Result<(), Problem> {
        let samples = match recording.state {
            RecordingState::Running => return Err(Code::RecordingRuns.into()),
            RecordingState::Ended(end) | RecordingState::Deleting(end) => end.samples,
        };
        if self.until_ms > samples.div_ceil(SAMPLES_PER_MS) {
            let why = "the recording ends before; say where in it the part ends";
            return Err(Problem::field("until_ms", why));
        }
        if self.from_ms >= self.until_ms {
            let why = "the part begins before it ends";
            return Err(Problem::field("from_ms", why));
        }
        Ok(())
    }
}

/// Removes a part of a recording that has ended, for good. Of a call: of both sides; silence takes its place. Of a screen: each of its `parts` of which some lies
/// there, as a whole, since each is one video. A span says so, and the trail by whom and why before anything is gone. A call and its screen are two recordings: what
/// is removed of one is still in the other. Several parts are removed one after the other.
#[utoipa::path(post, path = "/recordings/{id}/redactions", tag = "recordings", params(("id" = RecordingId, Path)), request_body = RecordingRedactionForm, responses(
    (status = 204),
))]
pub(crate) async fn redact(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<RecordingId>,
    Input(form): Input<RecordingRedactionForm>,
) -> Silent {
    check_reason(&form.reason)?;
    let recording = find(&app, &id).await?;
    let files = files(&app, &recording)?;
    form.check(&recording)?;
    let part = form.from_ms..form.until_ms;
    if recording.medium == SinkMedium::Screen {
        let opened = files.open_screen(&recording).await?;
        if !opened.outline().parts.iter().any(|one| one.is_in(&part)) {
            let why = "nothing of the screen is kept there; say when one of its parts lasts";
            return Err(Problem::field("from_ms", why));
        }
    }
    files
        .redact(&recording, part, &login.actor, form.reason.trim())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
