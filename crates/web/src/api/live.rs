//! The stream of live events.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::app::Shared;
use crate::events::Feed;
use crate::extract::Caller;
use crate::problem::{Code, Problem};

/// Live events as `text/event-stream`.
///
/// It begins with `ready`; then come `call`, `capture`, `screen`, `desktop`, `payment`, `registration` with a view as data.
/// `reset`: events were missed, load everything anew. `locked`: the idle lock closed. `logged_out`: the login ended, and so does the stream.
/// The browser connects again by itself and names its place in `Last-Event-ID`.
#[utoipa::path(get, path = "/events", tag = "events", params(
    ("Last-Event-ID" = Option<String>, Header, description = "The place after which to go on"),
), responses(
    (status = 200, content_type = "text/event-stream", body = String),
))]
pub(crate) async fn stream(
    State(app): State<Shared>,
    Caller(login): Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let permit = app
        .streams
        .open(&login.actor.user)
        .ok_or(Code::TooManyStreams)?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let feed = Feed::new(app, &login, last_id, permit);
    let frames = stream::unfold(feed, async |mut feed| {
        let text = feed.next().await?;
        Some((Ok::<_, std::convert::Infallible>(text), feed))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}
