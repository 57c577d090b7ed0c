//! `;name=value` parameters of URIs and header values.

use std::fmt;

use super::lex::{self, Split};
use super::limits::PARAMS_MAX;

/// Parameters in order. Names compare without case; values keep their quotes and escapes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what follows the first `;` of a header value; `None` if it breaks the grammar.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut params = Self::new();
        for part in Split::new(text, b';') {
            let (name, value) = match lex::split_once(part, b'=') {
                Some((name, value)) => (lex::trim(name), Some(lex::trim(value))),
                None => (part, None),
            };
            if !lex::is_token(name) || !value.is_none_or(is_value) || params.0.len() == PARAMS_MAX {
                return None;
            }
            let value = match value {
                Some(value) => Some(to_text(value)?),
                None => None,
            };
            params.0.push((to_text(name)?, value));
        }
        Some(params)
    }

    /// Appends what was read and checked by the caller's own grammar.
    pub(crate) fn push(&mut self, name: String, value: Option<String>) {
        self.0.push((name, value));
    }

    /// Whether the parameter is there, with or without a value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Value of the first parameter of this name; `None` if it is absent or has no value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        value.as_deref()
    }

    /// Value without quotes and backslashes.
    #[must_use]
    pub fn unquoted(&self, name: &str) -> Option<String> {
        let text = lex::unquote(self.value(name)?.as_bytes());
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Sets the parameter, in its place or at the end. A value that is no token, host or quoted string is written quoted.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|text| {
            if is_value(text.as_bytes()) {
                text.to_owned()
            } else {
                quoted(text)
            }
        });
        match self
            .0
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Removes every parameter of this name.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Every parameter in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// A token, a host (with IPv6 brackets and a port), or one quoted string.
fn is_value(text: &[u8]) -> bool {
    if text.first() == Some(&b'"') {
        return lex::quoted_len(text) == Some(text.len());
    }
    !text.is_empty()
        && text
            .iter()
            .all(|&b| lex::is_token_byte(b) || b"[]:/?@&$#^{|}()".contains(&b))
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    lex::quote(text.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn to_text(bytes: &[u8]) -> Option<String> {
    str::from_utf8(bytes).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_order_and_unknown_names() {
        let params = Params::parse(b" tag = x ; q=0.33;lr;note=\"a;b\"").expect("valid");
        assert_eq!(params.to_string(), ";tag=x;q=0.33;lr;note=\"a;b\"");
        assert_eq!(params.unquoted("NOTE").as_deref(), Some("a;b"));
        assert!(params.contains("LR") && params.value("lr").is_none());
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for text in ["", ";", "a;;b", "=x", "a=", "a=\"open", "a=b c", "a=<x>"] {
            assert_eq!(Params::parse(text.as_bytes()), None, "{text}");
        }
    }
}
