//! Audio of recordings: played in the page, or taken out as a file.
//! Owns: what stands in the trail before the first byte, the two formats.
//! Never: holds more of a recording than a piece.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Change, OpenRecording, RecordingFileError, RecordingPieces, Task};
use domain::id::RecordingId;
use domain::recording::{Recording, RecordingSpanKind};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::ranged::{Bytes, Content, pieces};
use super::{check_reason, open};
use crate::api::exports::file;
use crate::app::{App, Shared};
use crate::extract::{Caller, Id, Input};
use crate::login::Login;
use crate::openings::{begin, goes_on};
use crate::problem::{Code, Problem};

const WAV: &str = "audio/wav";
const OPUS: &str = "audio/ogg; codecs=opus";

/// What a file is taken out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordingFormat {
    /// 16-bit PCM, stereo, 8 kHz: 115 MB an hour.
    Wav,
    /// Ogg Opus, a tenth of that.
    Opus,
}

/// A recording that is to leave as a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingDownloadForm {
    /// As what.
    format: RecordingFormat,
    /// Why, 3-500 characters, without a card number.
    reason: String,
}

/// The audio of an open recording.
struct Wav(Arc<dyn OpenRecording>);

impl Bytes for Wav {
    fn read(&self, offset: u64, bytes_max: usize) -> Task<'_, Result<Vec<u8>, RecordingFileError>> {
        self.0.wav(offset, bytes_max)
    }
}

fn entry(app: &App, login: &Login, action: AuditAction, recording: &Recording) -> AuditEntry {
    AuditEntry::new(app.now(), &login.actor, action, recording.object())
        .with("call", recording.call.as_str())
}

/// The audio as a WAV: the consumer left, the agent right, silence where nothing was kept. One range of bytes can be asked for. That somebody began to listen is in the
/// trail once, however many ranges a player asks for until it asks for nothing for a quarter of an hour.
#[utoipa::path(get, path = "/recordings/{id}/audio", tag = "recordings", params(("id" = RecordingId, Path)), responses(
    (status = 200, body = String, content_type = "audio/wav"),
    (status = 206, body = String, content_type = "audio/wav"),
))]
pub(crate) async fn play(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<RecordingId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (recording, opened) = open(&app, &id).await?;
    if recording.scan.is_some_and(|scan| scan.is_quarantined()) {
        let what_to_do = "nobody listens to it; delete it, or take it out as a file with a reason to find out what it is";
        return Err(Problem::new(Code::RecordingQuarantined).detail(what_to_do));
    }
    let spans = opened.outline().spans.iter();
    let removed = spans.filter(|span| span.kind == RecordingSpanKind::Removed);
    let content = Content {
        // Its bytes are others once a part of it was removed.
        tag: format!("\"{id}.{}\"", removed.count()),
        kind: WAV,
        length: opened.wav_bytes(),
    };
    let asked = match content.asked(&headers) {
        Ok(asked) => asked,
        Err(beyond) => return Ok(*beyond),
    };
    note(&app, &login, &recording).await?;
    content.answer(asked, Wav(opened))
}

/// A playing stands in the trail before its first byte.
pub(super) async fn note(
    app: &Shared,
    login: &Login,
    recording: &Recording,
) -> Result<(), Problem> {
    let mut table = app.openings.table().await;
    let now = Instant::now();
    if goes_on(&mut table, &login.key, &recording.id, now) {
        return Ok(());
    }
    let entry = entry(app, login, AuditAction::RecordingPlayed, recording);
    app.commit(Change::None, entry, |_| {}).await?;
    begin(&mut table, &login.key, recording.id.clone(), now);
    Ok(())
}

/// Takes a recording out as a file. Who did and why is in the trail before its first byte leaves.
#[utoipa::path(post, path = "/recordings/{id}/download", tag = "recordings", params(("id" = RecordingId, Path)), request_body = RecordingDownloadForm, responses(
    (status = 200, body = String, content_type = "audio/wav"),
))]
pub(crate) async fn download(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<RecordingId>,
    Input(form): Input<RecordingDownloadForm>,
) -> Result<Response, Problem> {
    check_reason(&form.reason)?;
    let (recording, opened) = open(&app, &id).await?;
    let (ending, kind, length) = match form.format {
        RecordingFormat::Wav => ("wav", WAV, Some(opened.wav_bytes())),
        RecordingFormat::Opus => ("opus", OPUS, None),
    };
    // Where there is no room to encode, nothing leaves, and nothing is in the trail.
    let body = match length {
        Some(length) => Body::from_stream(pieces(Wav(opened), 0..length)),
        None => Body::from_stream(made(opened.opus()?)),
    };
    let entry = entry(&app, &login, AuditAction::RecordingDownloaded, &recording)
        .with("format", ending)
        .with("reason", form.reason.trim());
    app.commit(Change::None, entry, |_| {}).await?;
    let name = format!("recording-{}-{id}.{ending}", recording.began.utc_day());
    let mut response = file(&name, kind, body);
    if let Some(length) = length {
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length.into());
    }
    Ok(response)
}

/// Pieces as they are made.
fn made(
    pieces: Box<dyn RecordingPieces>,
) -> impl Stream<Item = Result<Vec<u8>, RecordingFileError>> {
    stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.next().await?;
        Some((piece, pieces))
    })
}
