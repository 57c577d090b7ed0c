//! The head of a request.
//! Owns: the headers, ours and the mapped ones, and Basic authentication (RFC 7617).
//! Never: carries a captured value.

use bytes::Bytes;
use domain::boundary::Charge;
use domain::gateway::{AuthMethod, Template};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use secret::{BufferFull, SecretBuffer};

use super::value::{Piece, Value};
use crate::failure::Failure;
use crate::policy::Target;

/// Longest user name and password together, in bytes. Longer ones are refused.
const CREDENTIALS_BYTES_MAX: usize = 1_024;

/// Header rows of one gateway. A widget has fewer; more are refused.
const HEADERS_MAX: usize = 50;

/// Headers that belong to the connection, to the body, or to fields of their own: no mapping may
/// set them.
const RESERVED: [&str; 17] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// All headers but Content-Length, which the HTTP layer takes from the body.
pub(crate) fn headers(charge: &Charge, target: &Target) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    let host = HeaderValue::try_from(target.authority());
    headers.insert(
        HOST,
        host.map_err(|_| Failure::render("the host cannot stand in a header"))?,
    );
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(charge.gateway.request_type.as_str()),
    );
    headers.insert(
        ACCEPT,
        HeaderValue::from_static(charge.gateway.response_type.as_str()),
    );
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("Tonewall/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if charge.gateway.auth_method == AuthMethod::Basic {
        headers.insert(AUTHORIZATION, basic(charge)?);
    }
    if charge.gateway.request_headers.len() > HEADERS_MAX {
        return Err(Failure::render("there are too many header rows"));
    }
    let mut mapped = HeaderMap::new();
    for row in &charge.gateway.request_headers {
        let name = header_name(&row.name)?;
        let value = header_value(charge, &row.name, &row.value)?;
        if mapped.insert(name, value).is_some() {
            let twice = format!("the header {} is there twice", row.name);
            return Err(Failure::render(twice));
        }
    }
    headers.extend(mapped);
    Ok(headers)
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    let parsed = HeaderName::try_from(name.trim())
        .map_err(|_| Failure::render(format!("{name:?} is no header name")))?;
    match RESERVED.contains(&parsed.as_str()) {
        true => Err(Failure::render(format!(
            "the header {parsed} cannot be mapped"
        ))),
        false => Ok(parsed),
    }
}

fn header_value(charge: &Charge, name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let wrong = |why: &str| Failure::render(format!("the header {name} {why}"));
    let template =
        Template::parse(value).map_err(|error| wrong(&format!("has no value: {error}")))?;
    if template.variables().any(|variable| variable.is_sensitive()) {
        return Err(wrong(
            "would hold a captured value, which belongs into the body only",
        ));
    }
    let mut text = String::new();
    for part in template.parts() {
        match part {
            domain::gateway::template::Part::Literal(literal) => text.push_str(literal),
            domain::gateway::template::Part::Token(variable) => {
                for piece in Value::variable(charge, *variable).0 {
                    match piece {
                        Piece::Text(piece) => text.push_str(&piece),
                        Piece::Digits(..) => return Err(wrong("would hold a captured value")),
                    }
                }
            }
        }
    }
    let mut value = HeaderValue::from_str(text.trim())
        .map_err(|_| wrong("holds a character that a header cannot carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Basic` and the base64 of "user:password", made in one buffer that wipes itself.
fn basic(charge: &Charge) -> Result<HeaderValue, Failure> {
    let user = charge.gateway.auth_user_name.as_str();
    if user.contains(':') {
        return Err(Failure::render("Auth User Name holds a colon"));
    }
    let password = charge
        .password
        .as_ref()
        .map_or("", |password| password.expose());
    let mut buffer =
        SecretBuffer::with_capacity("Basic ".len() + CREDENTIALS_BYTES_MAX * 4 / 3 + 4);
    let bytes = user.bytes().chain(*b":").chain(password.bytes());
    let written = buffer
        .push_bytes(b"Basic ")
        .and_then(|()| push_base64(bytes, &mut buffer));
    written.map_err(|BufferFull| Failure::render("Auth User Name and password are too long"))?;
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(buffer.expose_owned()))
        .map_err(|_| Failure::render("the credentials cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Appends base64 (RFC 4648) of bytes that are never laid side by side elsewhere.
fn push_base64(
    bytes: impl Iterator<Item = u8>,
    buffer: &mut SecretBuffer,
) -> Result<(), BufferFull> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = bytes.fuse();
    while let Some(first) = bytes.next() {
        let (second, third) = (bytes.next(), bytes.next());
        let group = u32::from_be_bytes([0, first, second.unwrap_or(0), third.unwrap_or(0)]);
        let symbol = |shift: u32| {
            let index = usize::try_from((group >> shift) & 63).unwrap_or(0);
            ALPHABET.get(index).copied().unwrap_or(b'=')
        };
        let third_symbol = second.map_or(b'=', |_| symbol(6));
        let fourth_symbol = third.map_or(b'=', |_| symbol(0));
        buffer.push_bytes(&[symbol(18), symbol(12), third_symbol, fourth_symbol])?;
    }
    Ok(())
}
