//! Recordings of calls and screens, as people find, see and delete them.

pub(crate) mod audio;
pub(crate) mod captures;
mod ranged;
pub(crate) mod redaction;
pub(crate) mod screen;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::boundary::{OpenRecording, RecordingChangeError, RecordingFileError, RecordingFiles};
use domain::id::{CallId, RecordingId, ServiceId, UserId};
use domain::payment::holds_card_number;
use domain::recording::{
    PEAK_MS, Recording, RecordingEnd, RecordingEnding, RecordingFilter, RecordingPlace,
    RecordingScan, RecordingSpan, RecordingState, ScreenPart,
};
use domain::service::SinkMedium;
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Silent, is_text};
use crate::app::{App, Shared};
use crate::extract::{Caller, Id, Input, Params};
use crate::problem::{Code, Problem};

/// Recordings in one answer.
const LIMIT_MAX: u32 = 500;
/// Without a limit of the caller's.
const LIMIT: u32 = 100;
/// Samples of a track in a millisecond.
const SAMPLES_PER_MS: u64 = 8;

/// Which recordings. What is left out does not narrow.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordingQuery {
    /// Of calls, or of screens.
    medium: Option<SinkMedium>,
    /// Of this call.
    #[param(value_type = Option<String>)]
    call: Option<CallId>,
    /// Of this service.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Of calls that this user took.
    #[param(value_type = Option<String>)]
    agent: Option<UserId>,
    /// Begun at this time or later, in milliseconds since 1970.
    from: Option<i64>,
    /// Begun before this time.
    until: Option<i64>,
    /// `next` of the answer before.
    after: Option<String>,
    /// At most so many, 1-500.
    limit: Option<u32>,
}

/// Recordings, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingList {
    /// Those that fit. One that is being deleted is none.
    recordings: Vec<RecordingRow>,
    /// `after` of the next page; none: this is the last.
    next: Option<String>,
}

/// What a list of recordings can be narrowed to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingChoices {
    /// Services, by name.
    services: Vec<RecordingChoice>,
    /// Users, by login name, whether calls of theirs were recorded or not.
    agents: Vec<RecordingChoice>,
}

/// One of them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct RecordingChoice {
    /// Name.
    name: String,
    /// Identity.
    id: String,
}

/// A recording, without its audio or video.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingRow {
    /// Identity.
    id: RecordingId,
    /// What was recorded.
    medium: SinkMedium,
    /// The call that it belongs to.
    call: CallId,
    /// The service that the call came to.
    service: ServiceId,
    /// Its name; empty: it is gone.
    service_name: String,
    /// Who took the call; none: nobody who is known here.
    agent: Option<UserId>,
    /// Login name; empty: there is none.
    agent_name: String,
    /// The server that keeps the file.
    node: String,
    /// When it began.
    began: UnixMillis,
    /// When it is deleted.
    keep_until: UnixMillis,
    /// How it ended; none: the call is still being recorded.
    end: Option<RecordingEndView>,
    /// The scan after its call; none: it was not scanned yet. With a find nobody can listen to it.
    scan: Option<RecordingScan>,
}

/// How a recording ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingEndView {
    /// How long it is, in milliseconds.
    length_ms: u64,
    /// Bytes of its file.
    bytes: u64,
    /// Not cut off.
    is_whole: bool,
}

/// A recording and what its file says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingDetail {
    /// The row.
    row: RecordingRow,
    /// The file; none: the call is still being recorded, or the file cannot be read.
    file: Option<RecordingFileView>,
    /// Why the file cannot be read, and what to do; none: it can, or there is nothing to read yet.
    unreadable: Option<String>,
    /// The master key that opens it and is not at hand: 16 hexadecimal digits; none: that is not why.
    missing_key: Option<String>,
}

/// A file that can be read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingFileView {
    /// How long it is, in milliseconds.
    length_ms: u64,
    /// Of a screen: its videos, in order; each is at `parts/{number}`. Of a call none.
    parts: Vec<ScreenPart>,
    /// What is not plain audio or video, by its begin; the beginning of the recording is 0.
    spans: Vec<RecordingSpan>,
    /// How it ends.
    ending: RecordingEnding,
}

/// How loud a recording is, for drawing it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingPeaks {
    /// How long it is, in milliseconds.
    length_ms: u64,
    /// Milliseconds of one peak.
    step_ms: u64,
    /// The consumer's, 0 to 255, from the beginning; 0 also where nothing was kept.
    consumer: Vec<u8>,
    /// The agent's, as many.
    agent: Vec<u8>,
}

/// Why a recording is deleted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingDeletionForm {
    /// 3-500 characters, without a card number.
    reason: String,
}

impl From<RecordingFileError> for Problem {
    fn from(error: RecordingFileError) -> Self {
        let code = match error {
            RecordingFileError::Unavailable => Code::RecordingUnavailable,
            RecordingFileError::Busy => Code::Busy,
            RecordingFileError::ConfigKey { .. } => Code::RecordingKeyMissing,
            RecordingFileError::OtherNode { .. }
            | RecordingFileError::Missing
            | RecordingFileError::PeerDamaged { .. } => Code::RecordingUnreadable,
        };
        Self::new(code).detail(error.to_string())
    }
}

impl From<RecordingChangeError> for Problem {
    fn from(error: RecordingChangeError) -> Self {
        match error {
            RecordingChangeError::Store(error) => error.into(),
            RecordingChangeError::File(error) => error.into(),
        }
    }
}

impl RecordingQuery {
    fn filter(&self) -> RecordingFilter {
        RecordingFilter {
            medium: self.medium,
            call: self.call.clone(),
            service: self.service.clone(),
            agent: self.agent.clone(),
            from: self.from.map(UnixMillis),
            until: self.until.map(UnixMillis),
        }
    }

    fn place(&self) -> Result<Option<RecordingPlace>, Problem> {
        let place = self.after.as_deref().map(str::parse).transpose();
        place.map_err(|_| Code::BadQuery.into())
    }
}

/// Names for rows.
struct Names {
    agents: HashMap<UserId, String>,
    services: HashMap<ServiceId, String>,
}

impl Names {
    async fn read(app: &App) -> Result<Self, Problem> {
        let users = app.deps.users.users().await?.into_iter();
        let services = app.deps.services.services().await?.into_iter();
        Ok(Self {
            agents: users.map(|user| (user.id, user.name)).collect(),
            services: services.map(|service| (service.id, service.name)).collect(),
        })
    }

    fn row(&self, recording: Recording) -> RecordingRow {
        let service = self.services.get(&recording.service).cloned();
        let agent = recording.agent.as_ref();
        let agent = agent.and_then(|agent| self.agents.get(agent)).cloned();
        RecordingRow {
            service_name: service.unwrap_or_default(),
            agent_name: agent.unwrap_or_default(),
            end: match recording.state {
                RecordingState::Running => None,
                RecordingState::Ended(end) | RecordingState::Deleting(end) => Some(seen(end)),
            },
            id: recording.id,
            medium: recording.medium,
            call: recording.call,
            service: recording.service,
            agent: recording.agent,
            node: recording.node,
            began: recording.began,
            scan: recording.scan,
            keep_until: recording.keep_until,
        }
    }
}

fn seen(end: RecordingEnd) -> RecordingEndView {
    RecordingEndView {
        length_ms: end.samples.div_ceil(SAMPLES_PER_MS),
        bytes: end.bytes,
        is_whole: end.is_whole(),
    }
}

/// One that is there: what is being deleted is not.
async fn find(app: &App, id: &RecordingId) -> Result<Recording, Problem> {
    let found = app.deps.recordings.recording(id).await?;
    let found = found.filter(|one| !matches!(one.state, RecordingState::Deleting(_)));
    found.ok_or_else(|| Code::NotFound.into())
}

/// The files of recordings, if this server keeps any, of one that has ended.
fn files(app: &App, recording: &Recording) -> Result<Arc<dyn RecordingFiles>, Problem> {
    if recording.state == RecordingState::Running {
        return Err(Code::RecordingRuns.into());
    }
    app.deps.recording_files.clone().ok_or_else(|| {
        let why = "this server has no folder of recordings; name it in recordings.directory";
        Problem::new(Code::RecordingUnreadable).detail(why)
    })
}

async fn open(app: &App, id: &RecordingId) -> Result<(Recording, Arc<dyn OpenRecording>), Problem> {
    let recording = find(app, id).await?;
    if recording.medium != SinkMedium::Call {
        let why = "this is the recording of a screen; its videos are its parts";
        return Err(Problem::new(Code::NotFound).detail(why));
    }
    let opened = files(app, &recording)?.open(&recording).await?;
    Ok((recording, opened))
}

/// Why somebody takes a recording out or deletes it.
fn check_reason(reason: &str) -> Result<(), Problem> {
    if !is_text(reason, 3..=500) {
        return Err(Problem::field("reason", "say in 3 to 500 characters why"));
    }
    if holds_card_number(reason) {
        return Err(Problem::field("reason", "leave out card numbers"));
    }
    Ok(())
}

/// Recordings, the newest first, page by page.
#[utoipa::path(get, path = "/recordings", tag = "recordings", params(RecordingQuery), responses(
    (status = 200, body = RecordingList),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Params(query): Params<RecordingQuery>,
) -> Answer<RecordingList> {
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let (filter, after) = (query.filter(), query.place()?);
    let found = app
        .deps
        .recordings
        .recordings(&filter, after.as_ref(), limit)
        .await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= limit);
    let next = found.last().filter(|_| is_full);
    let next = next.map(|last| RecordingPlace::from(last).to_string());
    let names = Names::read(&app).await?;
    let recordings = found.into_iter().map(|one| names.row(one)).collect();
    Ok(Json(RecordingList { recordings, next }))
}

/// The services and users that recordings can be narrowed to.
#[utoipa::path(get, path = "/recordings/choices", tag = "recordings", responses(
    (status = 200, body = RecordingChoices),
))]
pub(crate) async fn choices(State(app): State<Shared>) -> Answer<RecordingChoices> {
    let names = Names::read(&app).await?;
    Ok(Json(RecordingChoices {
        services: sorted(names.services),
        agents: sorted(names.agents),
    }))
}

fn sorted<Id: Into<String>>(names: HashMap<Id, String>) -> Vec<RecordingChoice> {
    let named = names.into_iter().map(|(id, name)| RecordingChoice {
        name,
        id: id.into(),
    });
    let mut choices: Vec<_> = named.collect();
    choices.sort_unstable();
    choices
}

/// One recording, its videos if it is of a screen, what of it is not plain audio or video, and how it ends.
#[utoipa::path(get, path = "/recordings/{id}", tag = "recordings", params(("id" = RecordingId, Path)), responses(
    (status = 200, body = RecordingDetail),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Id(id): Id<RecordingId>,
) -> Answer<RecordingDetail> {
    let recording = find(&app, &id).await?;
    let mut missing_key = None;
    let seen = match files(&app, &recording) {
        Ok(files) => look(&*files, &recording).await.map_err(|error| {
            if let RecordingFileError::ConfigKey { key_id } = &error {
                missing_key = Some(key_id.clone());
            }
            Problem::from(error)
        }),
        Err(problem) => Err(problem),
    };
    let (file, unreadable) = match seen {
        Ok(seen) => (Some(seen), None),
        Err(problem) if problem.code == Code::RecordingRuns => (None, None),
        Err(problem) => (None, Some(problem.into_detail())),
    };
    let row = Names::read(&app).await?.row(recording);
    Ok(Json(RecordingDetail {
        row,
        file,
        unreadable,
        missing_key,
    }))
}

async fn look(
    files: &dyn RecordingFiles,
    recording: &Recording,
) -> Result<RecordingFileView, RecordingFileError> {
    match recording.medium {
        SinkMedium::Call => {
            let opened = files.open(recording).await?;
            let outline = opened.outline();
            Ok(RecordingFileView {
                length_ms: outline.length_ms(),
                parts: Vec::new(),
                spans: outline.spans.clone(),
                ending: outline.ending.clone(),
            })
        }
        SinkMedium::Screen => {
            let opened = files.open_screen(recording).await?;
            let outline = opened.outline();
            Ok(RecordingFileView {
                length_ms: outline.length_ms,
                parts: outline.parts.clone(),
                spans: outline.spans.clone(),
                ending: outline.ending.clone(),
            })
        }
    }
}

/// How loud both sides are, for drawing a recording without its audio.
#[utoipa::path(get, path = "/recordings/{id}/peaks", tag = "recordings", params(("id" = RecordingId, Path)), responses(
    (status = 200, body = RecordingPeaks),
))]
pub(crate) async fn peaks(
    State(app): State<Shared>,
    Id(id): Id<RecordingId>,
) -> Answer<RecordingPeaks> {
    let (_, opened) = open(&app, &id).await?;
    let outline = opened.outline();
    let [consumer, agent] = outline.peaks.clone();
    Ok(Json(RecordingPeaks {
        length_ms: outline.length_ms(),
        step_ms: PEAK_MS,
        consumer,
        agent,
    }))
}

/// Deletes a recording that has ended, key and file. The trail says by whom and why before anything is gone.
#[utoipa::path(delete, path = "/recordings/{id}", tag = "recordings", params(("id" = RecordingId, Path)), request_body = RecordingDeletionForm, responses(
    (status = 204),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<RecordingId>,
    Input(form): Input<RecordingDeletionForm>,
) -> Silent {
    check_reason(&form.reason)?;
    let recording = find(&app, &id).await?;
    let files = files(&app, &recording)?;
    files
        .delete(&recording, &login.actor, form.reason.trim())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
