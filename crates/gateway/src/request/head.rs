//! The head of a request.
//! Owns: the headers, ours and the mapped ones, and Basic authentication (RFC 7617).
//! Never: carries a captured value.

use bytes::Bytes;
use domain::gateway::{AuthMethod, GatewayConfig, Mapping};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use secret::{BufferFull, SecretBuffer};

use super::facts::Facts;
use crate::failure::Failure;

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
pub(crate) fn headers(facts: &Facts<'_>) -> Result<HeaderMap, Failure> {
    let gateway = facts.config;
    let mut headers = HeaderMap::new();
    let host = HeaderValue::try_from(facts.target()?.origin.authority());
    headers.insert(
        HOST,
        host.map_err(|_| Failure::render("the host cannot stand in a header"))?,
    );
    if facts.has_body() {
        headers.insert(CONTENT_TYPE, content_type(gateway)?);
    }
    headers.insert(
        ACCEPT,
        HeaderValue::from_static(gateway.response_type.as_str()),
    );
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("Tonewall/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if gateway.auth_method == AuthMethod::Basic {
        headers.insert(AUTHORIZATION, basic(facts)?);
    }
    if gateway.request_headers.len() > HEADERS_MAX {
        return Err(Failure::render("there are too many header rows"));
    }
    let mut mapped = HeaderMap::new();
    for row in &gateway.request_headers {
        let name = header_name(row, gateway)?;
        let value = header_value(facts, &row.name, &row.value)?;
        if mapped.insert(name, value).is_some() {
            let twice = format!("the header {} is there twice", row.name);
            return Err(Failure::render(twice));
        }
    }
    headers.extend(mapped);
    Ok(headers)
}

fn header_name(row: &Mapping, gateway: &GatewayConfig) -> Result<HeaderName, Failure> {
    let parsed = HeaderName::try_from(row.name.trim())
        .map_err(|_| Failure::render(format!("{:?} is no header name", row.name)))?;
    let is_made = parsed == AUTHORIZATION && gateway.makes_authorization(row);
    match RESERVED.contains(&parsed.as_str()) && !is_made {
        true => Err(Failure::render(format!(
            "the header {parsed} cannot be mapped"
        ))),
        false => Ok(parsed),
    }
}

fn header_value(facts: &Facts<'_>, name: &str, value: &str) -> Result<HeaderValue, Failure> {
    let text = facts.of_plain_text(&format!("the header {name}"), value)?;
    let mut value = HeaderValue::from_str(text.trim()).map_err(|_| {
        let why = format!("the header {name} holds a character that a header cannot carry");
        Failure::render(why)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn content_type(gateway: &GatewayConfig) -> Result<HeaderValue, Failure> {
    match gateway.more.content_type.trim() {
        "" => Ok(HeaderValue::from_static(gateway.request_type.as_str())),
        own => HeaderValue::from_str(own)
            .map_err(|_| Failure::render("the content type cannot stand in a header")),
    }
}

/// `Basic` and the base64 of "user:password", made in one buffer that wipes itself.
fn basic(facts: &Facts<'_>) -> Result<HeaderValue, Failure> {
    let user = facts.of_plain_text("Auth User Name", &facts.config.auth_user_name)?;
    if user.contains(':') {
        return Err(Failure::render("Auth User Name holds a colon"));
    }
    let computed = match facts.config.more.auth_password.as_str() {
        "" => None,
        text => Some(facts.of_plain_text("the password", text)?),
    };
    let kept = facts.about.password;
    let kept = kept.map_or("", |password| password.expose());
    let password = computed.as_ref().map_or(kept, |text| text.as_str());
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
pub(crate) fn push_base64(
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
