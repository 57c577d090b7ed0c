//! Bytes of a recording, all or one range of them.
//! Owns: what is answered to a range, the stream of pieces.
//! Never: holds more of a recording than a piece; audits.

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::boundary::{RecordingFileError, Task};
use futures_util::stream::{self, Stream};

use crate::byte_range::Asked;
use crate::problem::{Code, Problem};

/// Bytes that are read at a time: of audio four seconds, eight segments of a file.
const PIECE_BYTES: usize = 128 * 1_024;

/// Something whose bytes are read by place.
pub(super) trait Bytes: Send + 'static {
    /// Bytes from `offset` on, at most `bytes_max`.
    fn read(&self, offset: u64, bytes_max: usize) -> Task<'_, Result<Vec<u8>, RecordingFileError>>;
}

/// What is sent under which name.
pub(super) struct Content<'a> {
    /// Of these bytes and no others.
    pub(super) tag: String,
    pub(super) kind: &'a str,
    pub(super) length: u64,
}

impl Content<'_> {
    /// The range that is asked for; none: all.
    ///
    /// # Errors
    /// The answer to a range behind the end.
    pub(super) fn asked(&self, headers: &HeaderMap) -> Result<Option<Range<u64>>, Box<Response>> {
        match Asked::of(headers, &self.tag, self.length) {
            Asked::Whole => Ok(None),
            Asked::Part(part) => Ok(Some(part)),
            Asked::Beyond => Err(Box::new(self.beyond())),
        }
    }

    fn beyond(&self) -> Response {
        let mut response = Problem::new(Code::BadRange).into_response();
        if let Ok(range) = HeaderValue::try_from(format!("bytes */{}", self.length)) {
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
        response
    }

    /// The bytes of a range, or all.
    pub(super) fn answer(
        self,
        part: Option<Range<u64>>,
        bytes: impl Bytes,
    ) -> Result<Response, Problem> {
        let value =
            |text: String| HeaderValue::try_from(text).map_err(|_| Problem::new(Code::Internal));
        let range = part.clone().unwrap_or(0..self.length);
        let count = range.end.saturating_sub(range.start);
        let mut response = Body::from_stream(pieces(bytes, range)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, value(self.kind.to_owned())?);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(count));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(ETAG, value(self.tag)?);
        if let Some(part) = part {
            let last = part.end.saturating_sub(1);
            let range = format!("bytes {}-{last}/{}", part.start, self.length);
            headers.insert(CONTENT_RANGE, value(range)?);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }
}

/// The bytes, piece by piece.
pub(super) fn pieces(
    bytes: impl Bytes,
    range: Range<u64>,
) -> impl Stream<Item = Result<Vec<u8>, RecordingFileError>> {
    stream::try_unfold((bytes, range), async |(bytes, range)| {
        let left = range.end.saturating_sub(range.start);
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let piece = bytes.read(range.start, wanted).await?;
        let read = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if read == 0 {
            return Err(RecordingFileError::Unavailable);
        }
        let rest = range.start.saturating_add(read)..range.end;
        Ok(Some((piece, (bytes, rest))))
    })
}
