//! `;name=value` parameters of URIs and header values.

use std::borrow::Cow;
use std::{fmt, iter};

use compact_str::{CompactString, format_compact};

use super::lex::{self, Split};
use super::limits::PARAMS_MAX;

/// Parameters in order, kept as they are written. Names compare without case; values keep their quotes and escapes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    /// `;name=value` of each, without white space around the separators.
    text: CompactString,
}

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what follows the first `;` of a header value; `None` if it breaks the grammar.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut params = Self {
            text: CompactString::with_capacity(text.len() + 1),
        };
        for (count, part) in Split::new(text, b';').enumerate() {
            let (name, value) = match lex::split_once(part, b'=') {
                Some((name, value)) => (lex::trim(name), Some(lex::trim(value))),
                None => (part, None),
            };
            if !lex::is_token(name) || !value.is_none_or(is_value) || count == PARAMS_MAX {
                return None;
            }
            let value = match value {
                Some(value) => Some(str::from_utf8(value).ok()?),
                None => None,
            };
            params.push(str::from_utf8(name).ok()?, value);
        }
        Some(params)
    }

    /// What was read and checked by the caller's own grammar: parameters apart by `;`, without a quote in them.
    pub(crate) fn checked(text: &str) -> Self {
        Self {
            text: format_compact!(";{text}"),
        }
    }

    fn push(&mut self, name: &str, value: Option<&str>) {
        self.text.push(';');
        self.text.push_str(name);
        if let Some(value) = value {
            self.text.push('=');
            self.text.push_str(value);
        }
    }

    /// Whether the parameter is there, with or without a value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Value of the first parameter of this name; `None` if it is absent or has no value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut all = self.iter();
        let (_, value) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        value
    }

    /// Value without quotes and backslashes.
    #[must_use]
    pub fn unquoted(&self, name: &str) -> Option<String> {
        let text = lex::unquote(self.value(name)?.as_bytes());
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Sets the parameter, in its place or at the end. A value that is no token, host or quoted string is written quoted.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|text| match is_value(text.as_bytes()) {
            true => Cow::Borrowed(text),
            false => Cow::Owned(quoted(text)),
        });
        if !self.contains(name) {
            return self.push(name, value.as_deref());
        }
        let old = std::mem::take(self);
        let mut value = Some(value);
        for (known, kept) in old.iter() {
            match value.take_if(|_| known.eq_ignore_ascii_case(name)) {
                Some(value) => self.push(known, value.as_deref()),
                None => self.push(known, kept),
            }
        }
    }

    /// Removes every parameter of this name.
    pub fn remove(&mut self, name: &str) {
        if !self.contains(name) {
            return;
        }
        let old = std::mem::take(self);
        let others = (old.iter()).filter(|(known, _)| !known.eq_ignore_ascii_case(name));
        others.for_each(|(known, value)| self.push(known, value));
    }

    /// Every parameter in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut rest = self.text.strip_prefix(';');
        iter::from_fn(move || {
            let text = rest?;
            let end = end_of_first(text);
            rest = text.get(end + 1..);
            let part = text.get(..end)?;
            Some(match part.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (part, None),
            })
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where the first of some parameters ends: at a `;` outside of quotes, or with the text.
fn end_of_first(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b';' => return at,
            b'"' => at += lex::quoted_len(&bytes[at..]).unwrap_or(1),
            _ => at += 1,
        }
    }
    bytes.len()
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
    fn a_parameter_is_set_in_its_place_and_taken_out() {
        let mut params = Params::parse(b"a=1;Tag=\";=\\\"\";lr").expect("valid");
        params.set("tag", Some("new tag"));
        params.set("LR", Some("on"));
        params.set("q", None);
        assert_eq!(params.to_string(), ";a=1;Tag=\"new tag\";lr=on;q");
        params.remove("a");
        params.remove("q");
        params.remove("lr");
        assert_eq!(params.to_string(), ";Tag=\"new tag\"");
        params.remove("TAG");
        assert!(params.is_empty() && params.iter().next().is_none());
    }

    #[test]
    fn empty_and_broken_parameters_are_refused() {
        for text in ["", ";", "a;;b", "=x", "a=", "a=\"open", "a=b c", "a=<x>"] {
            assert_eq!(Params::parse(text.as_bytes()), None, "{text}");
        }
    }
}
