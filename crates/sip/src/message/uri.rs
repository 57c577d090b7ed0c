//! URIs: `sip`, `sips`, `tel`, and any other scheme kept as text.

use std::borrow::Cow;
use std::fmt;

use compact_str::{CompactString, format_compact};

use super::host::Host;
use super::lex;
use super::limits::PARAMS_MAX;
use super::params::Params;

/// A URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Any other scheme, not looked into.
    Other(OtherUri),
}

/// A `sip:` or `sips:` URI. Parts keep their escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipUri {
    /// `sips:`.
    pub secure: bool,
    /// User, with its escapes and without the password.
    pub user: Option<CompactString>,
    /// Password; deprecated, kept to be written back.
    pub password: Option<String>,
    /// Host.
    pub host: Host,
    /// Port, if one was given.
    pub port: Option<u16>,
    /// Parameters after the host.
    pub params: Params,
    /// Text after `?`.
    pub headers: Option<String>,
}

/// A `tel:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelUri {
    /// Number as written, visual separators included.
    pub number: String,
    /// Parameters.
    pub params: Params,
}

/// A URI of a scheme this crate does not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherUri {
    /// Scheme in lower case.
    pub scheme: String,
    /// Everything after the colon.
    pub rest: String,
}

impl Uri {
    /// Reads a URI; `None` if it has white space, control bytes, broken escapes or breaks its scheme's grammar.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let is_uri_byte = |byte: u8| byte.is_ascii_graphic() && !b"<>\"".contains(&byte);
        if !text.bytes().all(is_uri_byte) || !escapes_are_whole(text.as_bytes()) {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        let is = |known: &str| scheme.eq_ignore_ascii_case(known);
        if is("sip") || is("sips") {
            return SipUri::parse(is("sips"), rest).map(Self::Sip);
        }
        if is("tel") {
            return TelUri::parse(rest).map(Self::Tel);
        }
        OtherUri::parse(scheme.to_ascii_lowercase(), rest).map(Self::Other)
    }

    /// A `sip:` URI.
    #[must_use]
    pub fn sip(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        Self::Sip(SipUri::new(user, host, port))
    }

    /// The `sip:` or `sips:` URI, if it is one.
    #[must_use]
    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other(_) => None,
        }
    }

    /// User of a SIP URI or number of a `tel` URI, with escapes.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Sip(uri) => uri.user.as_deref(),
            Self::Tel(uri) => Some(&uri.number),
            Self::Other(_) => None,
        }
    }

    /// User with escapes resolved; bytes, because an escape can name any (a NUL too).
    #[must_use]
    pub fn user_bytes(&self) -> Option<Cow<'_, [u8]>> {
        self.user().map(|user| unescape(user.as_bytes()))
    }

    /// Host of a SIP URI.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.as_sip().map(|uri| &uri.host)
    }
}

impl SipUri {
    /// A `sip:` URI; reserved bytes of the user are escaped.
    #[must_use]
    pub fn new(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        Self {
            secure: false,
            user: user.map(|user| escape_user(user.as_bytes())),
            password: None,
            host,
            port,
            params: Params::new(),
            headers: None,
        }
    }

    fn parse(secure: bool, rest: &str) -> Option<Self> {
        let (user, password, rest) = match rest.split_once('@') {
            Some((info, rest)) => {
                let (user, password) = split_user(info)?;
                (Some(user), password, rest)
            }
            None => (None, None, rest),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers.to_owned())),
            None => (rest, None),
        };
        let (authority, params) = split_params(rest)?;
        let (host, port) = Host::parse_with_port(authority.as_bytes())?;
        Some(Self {
            secure,
            user,
            password,
            host,
            port,
            params,
            headers,
        })
    }
}

impl TelUri {
    fn parse(rest: &str) -> Option<Self> {
        let (number, params) = split_params(rest)?;
        let is_number_byte = |byte: u8| byte.is_ascii_hexdigit() || b"+-.()*#".contains(&byte);
        let valid = !number.is_empty() && number.bytes().all(is_number_byte);
        valid.then(|| Self {
            number: number.to_owned(),
            params,
        })
    }
}

impl OtherUri {
    fn parse(scheme: String, rest: &str) -> Option<Self> {
        let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(is_scheme_byte)
            && !rest.is_empty();
        valid.then(|| Self {
            scheme,
            rest: rest.to_owned(),
        })
    }
}

fn split_user(info: &str) -> Option<(CompactString, Option<String>)> {
    let (user, password) = match info.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (info, None),
    };
    let is_user_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()%&=+$,;?/#[]".contains(&byte);
    let valid = !user.is_empty() && user.bytes().all(is_user_byte);
    valid.then(|| (user.into(), password.map(str::to_owned)))
}

fn split_params(text: &str) -> Option<(&str, Params)> {
    let (first, rest) = match text.split_once(';') {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    };
    let Some(rest) = rest else {
        return Some((first, Params::new()));
    };
    for (count, part) in rest.split(';').enumerate() {
        if part.is_empty() || part.starts_with('=') || count == PARAMS_MAX {
            return None;
        }
    }
    Some((first, Params::checked(rest)))
}

/// Whether every `%` starts a two-digit escape.
fn escapes_are_whole(text: &[u8]) -> bool {
    let is_escape = |at: usize| {
        text.get(at + 1..at + 3)
            .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    text.iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| is_escape(at))
}

/// Resolves `%HH`.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| str::from_utf8(hex).ok());
        let escaped = hex
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(|_| text[at] == b'%');
        out.push(escaped.unwrap_or(text[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    Cow::Owned(out)
}

fn escape_user(user: &[u8]) -> CompactString {
    let mut out = CompactString::with_capacity(user.len());
    for &byte in user {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format_compact!("%{byte:02X}"));
        }
    }
    out
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Tel(uri) => write!(f, "tel:{}{}", uri.number, uri.params),
            Self::Other(uri) => write!(f, "{}:{}", uri.scheme, uri.rest),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

impl std::str::FromStr for Uri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        Self::parse(lex::trim(text.as_bytes())).ok_or(InvalidUri)
    }
}

/// A text that is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SIP, tel or other URI")]
pub struct InvalidUri;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_come_back_as_they_were() {
        for text in [
            "sip:vivekg@chair-dnrc.example.com;unknownparam",
            "sips:user;par=u%40example.net@example.com",
            "sip:a:secret@[2001:db8::1]:5070;lr;maddr=1.2.3.4?Route=%3Csip:x%3E",
            "tel:+1-201-555-0123;phone-context=example.com",
            "soap.beep://192.0.2.103:3002",
        ] {
            assert_eq!(
                Uri::parse(text.as_bytes())
                    .map(|uri| uri.to_string())
                    .as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn broken_uris_are_refused() {
        for text in [
            "",
            "sip:",
            "sip:@host",
            "sip:a b@host",
            "<sip:a@host>",
            "sip:a@host:99999",
            "sip:a@[::1",
            "sip:%4@host",
            "sip:a@b@c",
            "nocolon",
            "1x:rest",
            "sip:a@host; lr",
            "tel:",
            "sip:h\u{e4}@host",
        ] {
            assert_eq!(Uri::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn escaped_nul_is_part_of_the_user() {
        let uri = Uri::parse(b"sip:null-%00-null@example.com").expect("valid");
        assert_eq!(
            uri.user_bytes().as_deref(),
            Some(b"null-\0-null".as_slice())
        );
    }

    #[test]
    fn built_users_are_escaped() {
        let uri = Uri::sip(Some("a@b c"), Host::parse(b"h").expect("host"), None);
        assert_eq!(uri.to_string(), "sip:a%40b%20c@h");
    }
}
