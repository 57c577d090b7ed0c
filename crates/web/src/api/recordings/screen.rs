//! Video of screens, played part by part.
//! Owns: where the bytes of a part come from.
//! Never: believes a browser's media type further than that it is a video's.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::boundary::{OpenScreen, RecordingFileError, Task};
use domain::id::RecordingId;
use domain::service::SinkMedium;

use super::audio::note;
use super::ranged::{Bytes, Content};
use super::{files, find};
use crate::app::Shared;
use crate::extract::{Caller, Ids};
use crate::problem::{Code, Problem};

struct Part(Arc<dyn OpenScreen>, u16);

impl Bytes for Part {
    fn read(&self, offset: u64, bytes_max: usize) -> Task<'_, Result<Vec<u8>, RecordingFileError>> {
        self.0.part(self.1, offset, bytes_max)
    }
}

/// A part of a screen's recording, a video that plays alone. One range of bytes can be asked for; a playing stands in the trail as one of audio does.
#[utoipa::path(get, path = "/recordings/{id}/parts/{number}", tag = "recordings", params(("id" = RecordingId, Path), ("number" = u16, Path)), responses(
    (status = 200, body = String, content_type = "video/webm"),
    (status = 206, body = String, content_type = "video/webm"),
))]
pub(crate) async fn play(
    State(app): State<Shared>,
    Caller(login): Caller,
    Ids(id, number): Ids<RecordingId, u16>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let recording = find(&app, &id).await?;
    if recording.medium != SinkMedium::Screen {
        return Err(Code::NotFound.into());
    }
    let opened = files(&app, &recording)?.open_screen(&recording).await?;
    let parts = &opened.outline().parts;
    let part = parts.iter().find(|part| part.number == number);
    let part = part.ok_or(Code::NotFound)?.clone();
    let content = Content {
        tag: format!("\"{id}.{number}\""),
        kind: &part.media_type,
        length: part.bytes,
    };
    let asked = match content.asked(&headers) {
        Ok(asked) => asked,
        Err(beyond) => return Ok(*beyond),
    };
    note(&app, &login, &recording).await?;
    content.answer(asked, Part(opened, number))
}
