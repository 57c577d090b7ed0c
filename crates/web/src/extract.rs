//! What handlers take from a request.
//! Owns: the limits and the error texts of bodies, paths and queries.
//! Never: quotes in an error what was sent.

use std::str::FromStr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{
    FromRequest, FromRequestParts, OptionalFromRequestParts, Query, RawPathParams, Request,
};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use zeroize::Zeroize;

use crate::login::Login;
use crate::problem::{Code, FieldProblem, Problem};

/// Largest body: a desktop with all its widgets, prompts and mappings. Beyond it: 413.
const BODY_BYTES_MAX: usize = 512 * 1_024;
/// A body arrives within this, or the request ends: 408.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest name of a field that an error repeats: our own names are shorter.
const SEGMENT_BYTES_MAX: usize = 40;

/// A JSON body.
pub(crate) struct Input<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_type(&request, "application/json") {
            return Err(Code::MediaType.into());
        }
        let bytes = read(request.into_body(), BODY_BYTES_MAX).await?;
        let parsed = parse(&bytes);
        wipe(bytes);
        parsed.map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut parser)
        .map_err(|error| explain(&error.path().to_string(), error.inner(), bytes))?;
    parser.end().map_err(|error| explain("", &error, bytes))?;
    Ok(value)
}

/// Where a number is asked for, somebody may have pasted a card's. Of a body that came in pieces the copy that we made is wiped, else the connection's own.
fn wipe(bytes: bytes::Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        let bytes: &mut [u8] = &mut bytes;
        bytes.zeroize();
    }
}

/// A CSV body of at most so many bytes, in UTF-8.
pub(crate) struct Csv<const BYTES_MAX: usize>(pub(crate) String);

impl<S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for Csv<BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_type(&request, "text/csv") {
            let wanted = Problem::new(Code::MediaType);
            return Err(wanted.detail("The body must be text/csv"));
        }
        let bytes = read(request.into_body(), BYTES_MAX).await?;
        let text = String::from_utf8(bytes.into());
        text.map(Self).map_err(|_| {
            Problem::field(
                "lines[1]",
                "The file is not in UTF-8; save it as CSV in UTF-8.",
            )
        })
    }
}

/// A body of at most so many bytes of anything.
pub(crate) struct Octets<const BYTES_MAX: usize>(pub(crate) bytes::Bytes);

impl<S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for Octets<BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_type(&request, "application/octet-stream") {
            let wanted = Problem::new(Code::MediaType);
            return Err(wanted.detail("The body must be application/octet-stream"));
        }
        read(request.into_body(), BYTES_MAX).await.map(Self)
    }
}

/// The header Content-Type names it.
fn is_type(request: &Request, name: &str) -> bool {
    let header = request.headers().get(CONTENT_TYPE);
    header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(name))
}

async fn read(body: Body, bytes_max: usize) -> Result<bytes::Bytes, Problem> {
    let read = axum::body::to_bytes(body, bytes_max);
    match tokio::time::timeout(BODY_TIME_MAX, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Code::TooLarge.into()),
        Err(_) => Err(Code::TooSlow.into()),
    }
}

/// Says where and what was expected, but not what came.
fn explain(path: &str, error: &serde_json::Error, body: &[u8]) -> Problem {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let (field, message) = match error.classify() {
        serde_json::error::Category::Data => (field_of(&clean_path(path), text), expected(text)),
        // A number where one of several words stands is told as if it were no JSON.
        _ if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => {
            (clean_path(path), "not as expected".to_owned())
        }
        _ => {
            let (line, column) = (error.line(), error.column());
            let message = format!("not valid JSON at line {line}, column {column}");
            (String::new(), message)
        }
    };
    let place = if field.is_empty() { "body" } else { &field };
    Problem::new(Code::BadBody)
        .detail(format!("{place}: {message}"))
        .with(vec![FieldProblem { field, message }])
}

/// The field itself where it is not there: the path ends at what should hold it.
fn field_of(path: &str, text: &str) -> String {
    let name = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match name {
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    }
}

/// The half of serde's sentence that comes from our types.
fn expected(text: &str) -> String {
    let own = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        digits < 6 && text.len() < 400
    };
    if text.starts_with("missing field") || text.starts_with("duplicate field") {
        return text.to_owned();
    }
    match text.rsplit_once(", expected ") {
        Some((_, _)) if text.starts_with("unknown field") => "not a known field".to_owned(),
        Some((_, wanted)) if own(wanted) => format!("expected {wanted}"),
        None if own(text) && !text.contains(['`', '"']) => text.to_owned(),
        _ => "not as expected".to_owned(),
    }
}

/// Drops from a path what may have come from the sender: keys of maps.
fn clean_path(path: &str) -> String {
    let own = |segment: &str| {
        !segment.is_empty()
            && segment.len() <= SEGMENT_BYTES_MAX
            && segment.bytes().filter(u8::is_ascii_digit).count() < 4
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'[' | b']'))
    };
    if path == "." || path.is_empty() {
        return String::new();
    }
    let segments = path
        .split('.')
        .map(|part| if own(part) { part } else { "?" });
    let dotted: Vec<&str> = segments.collect();
    dotted.join(".")
}

/// The identity in a path. What is none is not there.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::NotFound))?;
        let text = params.iter().next().map(|(_, value)| value);
        text.and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Code::NotFound.into())
    }
}

/// Two identities in a path, in their order.
pub(crate) struct Ids<A, B>(pub(crate) A, pub(crate) B);

impl<S: Send + Sync, A: FromStr, B: FromStr> FromRequestParts<S> for Ids<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(Code::NotFound))?;
        let mut texts = params.iter().map(|(_, value)| value);
        let first = texts.next().and_then(|text| text.parse().ok());
        let second = texts.next().and_then(|text| text.parse().ok());
        first
            .zip(second)
            .map(|(first, second)| Self(first, second))
            .ok_or_else(|| Code::NotFound.into())
    }
}

/// Query parameters.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(_) => Err(Code::BadQuery.into()),
        }
    }
}

/// Who asks; put there by the guard. A route without guard has none, so it answers 401.
pub(crate) struct Caller(pub(crate) Login);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Login>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Code::NotLoggedIn.into())
    }
}

/// Who asks, where nobody has to be logged in.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Login>().cloned().map(Self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors matter")]
    struct Sample {
        count: u8,
        values: BTreeMap<String, String>,
        kind: domain::capture::WidgetKind,
        id: domain::id::WidgetId,
    }

    fn refuse(text: &str) -> (String, String) {
        let mut parser = serde_json::Deserializer::from_str(text);
        let error = serde_path_to_error::deserialize::<_, Sample>(&mut parser).unwrap_err();
        let problem = explain(&error.path().to_string(), error.inner(), text.as_bytes());
        let text = format!("{problem:?}");
        assert!(!text.contains("987650"), "{text}");
        let error = problem.errors().remove(0);
        (error.field, error.message)
    }

    #[test]
    fn errors_say_what_was_expected_and_never_what_came() {
        let (field, message) = refuse(r#"{"count":"987650"}"#);
        assert_eq!((field.as_str(), message.as_str()), ("count", "expected u8"));
        let (field, message) = refuse(r#"{"count":98765000}"#);
        assert_eq!((field.as_str(), message.as_str()), ("count", "expected u8"));
        assert!(expected("invalid value: x, expected a, expected b").ends_with("expected b"));
        let (field, _) = refuse(r#"{"count":1,"values":{"987650":987650}}"#);
        assert_eq!(field, "values.?");
        let (_, message) = refuse(r#"{"count":1,"values":{},"987650":1}"#);
        assert_eq!(message, "not a known field");
        let (field, message) = refuse(r#"{"count":1,"values":{},"kind":"987650"}"#);
        assert_eq!(field, "kind");
        assert!(
            message.starts_with("expected one of `credit_card_basic`"),
            "{message}"
        );
        let (field, message) = refuse(r#"{"count":1,"id":"987650, expected!"}"#);
        assert_eq!(field, "id");
        assert!(message.starts_with("an identifier has"), "{message}");
        let (field, message) = refuse(r#"{"count":1}"#);
        assert_eq!(
            (field.as_str(), message.as_str()),
            ("values", "missing field `values`")
        );
        let (field, message) = refuse(r#"{"count":1,"values":{},"kind":987650}"#);
        assert_eq!(
            (field.as_str(), message.as_str()),
            ("kind", "not as expected")
        );
        let (field, message) = refuse(r#"{"count":1,"values":{"987650":"987650"#);
        assert!(
            message.starts_with("not valid JSON at line 1"),
            "{field} {message}"
        );
    }
}
