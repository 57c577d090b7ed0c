//! Addresses in `From`, `To`, `Contact`, `Route` and their like.

use std::borrow::Cow;
use std::fmt;

use super::lex;
use super::limits::ID_BYTES_MAX;
use super::params::Params;
use super::uri::Uri;

/// An optional display name, a URI and header parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// Display name without quotes; it may be no UTF-8.
    pub display: Option<Vec<u8>>,
    /// Where it points.
    pub uri: Uri,
    /// Parameters outside the brackets, `tag` among them.
    pub params: Params,
}

impl NameAddr {
    /// An address without display name or parameters.
    #[must_use]
    pub fn new(uri: Uri) -> Self {
        Self {
            display: None,
            uri,
            params: Params::new(),
        }
    }

    /// The same with a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }

    /// The same with a display name.
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = Some(display.as_bytes().to_vec());
        self
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// Display name as text, with a mark in place of bytes that are no UTF-8.
    #[must_use]
    pub fn display_text(&self) -> Option<Cow<'_, str>> {
        self.display.as_deref().map(String::from_utf8_lossy)
    }

    /// Reads one value; `None` if it breaks the grammar. Without brackets parameters belong to the header, and a `?` or `,` in the URI is refused
    /// ([RFC 3261 §20.10](https://www.rfc-editor.org/rfc/rfc3261#section-20.10)).
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = lex::trim(value);
        let address = match value.first()? {
            b'"' => {
                let end = lex::quoted_len(value)?;
                let display = Some(lex::unquote(&value[..end]));
                Self::parse_brackets(display, lex::trim(&value[end..]))?
            }
            _ => match value.iter().position(|&b| b == b'<') {
                Some(at) => Self::parse_brackets(display_tokens(&value[..at])?, &value[at..])?,
                None => Self::parse_bare(value)?,
            },
        };
        address
            .tag()
            .is_none_or(|tag| tag.len() <= ID_BYTES_MAX)
            .then_some(address)
    }

    fn parse_brackets(display: Option<Vec<u8>>, value: &[u8]) -> Option<Self> {
        let inner = value.strip_prefix(b"<")?;
        let (uri, rest) = lex::split_once(inner, b'>')?;
        Some(Self {
            display,
            uri: Uri::parse(uri)?,
            params: after_semicolon(lex::trim(rest))?,
        })
    }

    fn parse_bare(value: &[u8]) -> Option<Self> {
        let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
        let uri = lex::trim(&value[..end]);
        if uri.iter().any(|byte| b"?,".contains(byte)) {
            return None;
        }
        Some(Self {
            display: None,
            uri: Uri::parse(uri)?,
            params: after_semicolon(&value[end..])?,
        })
    }
}

/// An unquoted display name. Bytes beyond ASCII and brackets pass, as phones send them; separators that change the meaning do not.
fn display_tokens(text: &[u8]) -> Option<Option<Vec<u8>>> {
    let text = lex::trim(text);
    let valid = text
        .iter()
        .all(|&byte| byte >= b' ' && !b"\",;:<>@\\".contains(&byte) || byte == b'\t');
    valid.then(|| (!text.is_empty()).then(|| text.to_vec()))
}

/// Parameters that start with `;`, or nothing.
fn after_semicolon(rest: &[u8]) -> Option<Params> {
    match rest.split_first() {
        None => Some(Params::new()),
        Some((b';', params)) => Params::parse(params),
        Some(_) => None,
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = self.display_text() {
            let mut quoted = Vec::with_capacity(display.len() + 2);
            lex::quote(display.as_bytes(), &mut quoted);
            write!(f, "{} ", String::from_utf8_lossy(&quoted))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        let quoted = NameAddr::parse(br#""Quoted \"\"" <sip:a@b> ; newparam = x ; q = 0.33"#)
            .expect("quoted");
        assert_eq!(
            quoted.to_string(),
            r#""Quoted \"\"" <sip:a@b>;newparam=x;q=0.33"#
        );
        let plain = NameAddr::parse(b"Bell A. <sip:a@b;lr>;tag=1").expect("tokens");
        assert_eq!(
            (plain.display_text().as_deref(), plain.tag()),
            (Some("Bell A."), Some("1"))
        );
        let bare = NameAddr::parse(b"sip:a@b ;   tag    = 19n").expect("bare");
        assert_eq!(
            (bare.uri.to_string().as_str(), bare.tag()),
            ("sip:a@b", Some("19n"))
        );
    }

    #[test]
    fn broken_addresses_are_refused() {
        for text in [
            "",
            "<sip:a@b",
            "\"open <sip:a@b>",
            "Bell, A <sip:a@b>",
            "\"W\" < sip:a@b >",
            "sip:a@b?Route=x",
            "<sip:a@b> x",
            "<sip:a@b>;",
            "<sip:a@b>;;tag=1",
        ] {
            assert_eq!(NameAddr::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn display_names_keep_bytes_that_are_no_text() {
        let address = NameAddr::parse(b"\"\xff\xfe\" <sip:a@b>").expect("valid");
        assert_eq!(address.display.as_deref(), Some(b"\xff\xfe".as_slice()));
    }
}
