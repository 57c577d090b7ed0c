//! Reading a gateway's answer.
//! Owns: the way from a body to evidence and a message.
//! Never: believes a Content-Type, logs a byte of a body, or keeps it.

use domain::gateway::{ContentType, Evidence, GatewayConfig, KeyFound};
use zeroize::Zeroizing;

mod hunt;
mod json;
mod pairs;
mod scrub;
mod veil;
mod xml;

use hunt::{Found, Hunt, Malformed, Query};
pub(crate) use scrub::{Captured, excerpt, scrubbed};
pub(crate) use veil::without;

/// What a complete reply showed.
pub(crate) struct Reading {
    /// For the verdict.
    pub(crate) evidence: Evidence,
    /// Where the success key was found.
    pub(crate) path: Option<Zeroizing<String>>,
    /// What stood there: not scrubbed.
    pub(crate) value: Option<Zeroizing<String>>,
    /// The value of the message key as it came: not scrubbed.
    pub(crate) message: Option<Zeroizing<String>>,
}

impl Reading {
    /// No reply came to its end.
    pub(crate) fn of_nothing() -> Self {
        Self {
            evidence: Evidence {
                status: None,
                parsed: false,
                key: KeyFound::Absent,
            },
            path: None,
            value: None,
            message: None,
        }
    }
}

/// Reads a complete reply as the configured Response Type.
pub(crate) fn read(status: u16, body: &[u8], config: &GatewayConfig) -> Reading {
    let keys = [&config.success_key, &config.agent_message_key];
    let mut hunt = Hunt::new(keys.map(|key| Query::parse(key)));
    let parsed = walk(body, config.response_type, &mut hunt).is_ok();
    let found = hunt.finish();
    let (success, message) = match (parsed, found.as_slice()) {
        (true, [success, message]) => (Some(success), message.single()),
        _ => (None, None),
    };
    let owned = |text: &str| Zeroizing::new(text.to_owned());
    Reading {
        evidence: Evidence {
            status: Some(status),
            parsed,
            key: success.map_or(KeyFound::Absent, |found| {
                key_found(found, &config.success_value)
            }),
        },
        path: success.and_then(Found::path).map(owned),
        value: success.and_then(Found::single).map(owned),
        message: message.filter(|text| *text != "null").map(owned),
    }
}

fn walk(body: &[u8], as_type: ContentType, hunt: &mut Hunt) -> Result<(), Malformed> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
    if text.contains(|c: char| c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n')) {
        return Err(Malformed);
    }
    match as_type {
        ContentType::Json => json::read(text, hunt),
        ContentType::Form => pairs::read_form(text, hunt),
        ContentType::Xml | ContentType::TextXml => xml::read(text, hunt),
        ContentType::Text => pairs::read_text(text, hunt),
    }
}

/// A key that holds other keys is there, but says neither yes nor no.
fn key_found(found: &Found, expected: &str) -> KeyFound {
    match found.single() {
        Some(value) if value.trim() == expected.trim() => KeyFound::Equal,
        Some(_) => KeyFound::NotEqual,
        None if found.is_absent() => KeyFound::Absent,
        None => KeyFound::Ambiguous,
    }
}

#[cfg(test)]
mod tests;
