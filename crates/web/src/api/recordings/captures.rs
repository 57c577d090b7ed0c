//! Captures of a recorded call, and what its recorders said of them.
//! Owns: nothing; the audit trail does.
//! Never: says that a recorder paused which has not said so itself.

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, AuditEntry, ChainedEntry};
use domain::boundary::captures_of;
use domain::capture::WidgetKind;
use domain::evidence::ENTRIES_MAX;
use domain::id::RecordingId;
use domain::recording::{Recording, RecordingState};
use domain::service::SinkMedium;
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use crate::api::Answer;
use crate::app::Shared;
use crate::extract::{Caller, Id};

/// Captures whose recorders are told; a call has few.
const CAPTURES_MAX: usize = 100;

/// Captures of a recording's call, the oldest first, at most 100.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordingCaptures {
    captures: Vec<RecordedCapture>,
}

/// A capture of a recorded call. Times are milliseconds since the recording began, by the clocks of both; below 0: before.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedCapture {
    /// As the trail calls it: "capture" and its identity.
    object: String,
    /// Kind of its widget; none: the trail does not say.
    kind: Option<WidgetKind>,
    /// It was opened.
    from_ms: i64,
    /// It ended, and what it protected was let go; none: it has not.
    until_ms: Option<i64>,
    /// What recorders answered, in order.
    said: Vec<RecorderSaid>,
    /// Where the consumer may have said a number (S13): before each time that the agent said so.
    spoken: Vec<SpokenMark>,
}

/// A stretch in which the consumer may have said a number, before nobody heard them any more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpokenMark {
    /// From here.
    from_ms: i64,
    /// To here: the agent pressed the button.
    until_ms: i64,
}

/// What a recorder answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecorderSaid {
    /// Its name in the service's declaration.
    recorder: String,
    /// What it records.
    medium: SinkMedium,
    /// Paused, went on, or did neither.
    did: RecorderDid,
    /// When.
    at_ms: i64,
    /// After so many milliseconds.
    answered_ms: u64,
    /// Of a refusal: what it was asked (pause, resume, keep).
    asked: Option<String>,
    /// Of a refusal: why, a reason code.
    reason: Option<String>,
}

/// What a recorder did, by its own word.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecorderDid {
    Paused,
    Resumed,
    Refused,
}

/// Details of entries about recorders.
#[derive(Deserialize)]
struct Said {
    recorder: String,
    medium: SinkMedium,
    #[serde(default)]
    answered_ms: u64,
    asked: Option<String>,
    reason: Option<String>,
}

impl RecorderSaid {
    fn of(entry: &AuditEntry, began: UnixMillis) -> Option<Self> {
        let did = match entry.action {
            AuditAction::RecorderPaused => RecorderDid::Paused,
            AuditAction::RecorderResumed => RecorderDid::Resumed,
            AuditAction::RecorderRefused => RecorderDid::Refused,
            _ => return None,
        };
        let said = serde_json::from_value::<Said>(entry.detail.clone()).ok()?;
        Some(Self {
            did,
            recorder: said.recorder,
            medium: said.medium,
            at_ms: entry.at.0 - began.0,
            answered_ms: said.answered_ms,
            asked: said.asked,
            reason: said.reason,
        })
    }
}

/// Details of the entry that the consumer speaks a number.
#[derive(Deserialize)]
struct Speaking {
    on: bool,
    #[serde(default)]
    marked_s: i64,
    recording: Option<RecordingId>,
    recording_ms: Option<i64>,
}

impl SpokenMark {
    fn of(entry: &AuditEntry, recording: &Recording) -> Option<Self> {
        if entry.action != AuditAction::CustomerSpeaking {
            return None;
        }
        let speaking = serde_json::from_value::<Speaking>(entry.detail.clone()).ok()?;
        let is_here = speaking.recording.as_ref() == Some(&recording.id);
        let place = speaking.recording_ms.filter(|_| is_here);
        let until_ms = place.unwrap_or(entry.at.0 - recording.began.0);
        let from_ms = until_ms.saturating_sub(speaking.marked_s.saturating_mul(1_000));
        speaking.on.then_some(Self { from_ms, until_ms })
    }
}

impl RecordedCapture {
    fn of(opened: &AuditEntry, entries: &[ChainedEntry], recording: &Recording) -> Self {
        let began = recording.began;
        let about = entries.iter().map(|found| &found.entry);
        let about = || about.clone().filter(|entry| entry.object == opened.object);
        Self {
            object: opened.object.clone(),
            kind: serde_json::from_value(opened.detail["kind"].clone()).ok(),
            from_ms: opened.at.0 - began.0,
            until_ms: about().fold(None, ends).map(|at| at.0 - began.0),
            said: about()
                .filter_map(|entry| RecorderSaid::of(entry, began))
                .collect(),
            spoken: about()
                .filter_map(|entry| SpokenMark::of(entry, recording))
                .collect(),
        }
    }
}

/// When a capture was over by its entries so far.
fn ends(until: Option<UnixMillis>, entry: &AuditEntry) -> Option<UnixMillis> {
    match entry.action {
        AuditAction::CaptureArmed => None,
        AuditAction::CaptureReleased | AuditAction::CaptureEnded | AuditAction::CaptureBlocked => {
            Some(entry.at)
        }
        _ => until,
    }
}

/// The captures of a recording's call, with what each recorder answered: whether the pauses that a recording shows were confirmed, and by whom; and where a number
/// may have been spoken.
#[utoipa::path(get, path = "/recordings/{id}/captures", tag = "recordings", params(("id" = RecordingId, Path)), responses(
    (status = 200, body = RecordingCaptures),
))]
pub(crate) async fn list(
    State(app): State<Shared>,
    _: Caller,
    Id(id): Id<RecordingId>,
) -> Answer<RecordingCaptures> {
    let recording = find(&app, &id).await?;
    let until = match recording.state {
        RecordingState::Running => app.now(),
        RecordingState::Ended(end) | RecordingState::Deleting(end) => end.at,
    };
    let trail = &app.deps.audit;
    let mut opened = captures_of(&**trail, &recording, until).await?;
    opened.truncate(CAPTURES_MAX);
    let mut captures = Vec::with_capacity(opened.len());
    for opened in &opened {
        let object = std::slice::from_ref(&opened.object);
        let entries = trail.about(object, ENTRIES_MAX).await?;
        captures.push(RecordedCapture::of(opened, &entries, &recording));
    }
    Ok(Json(RecordingCaptures { captures }))
}
