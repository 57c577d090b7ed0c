//! The text of challenges and credentials.

use crate::message::lex::{self, Split};

/// Fields of one challenge or credential. The standards name about a dozen. More: malformed.
const FIELDS_MAX: usize = 32;

/// `Digest name=value, ...`
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a value; `None` if it is of another scheme or malformed.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let (scheme, rest) = lex::split_space(lex::trim(value))?;
        if !scheme.eq_ignore_ascii_case(b"Digest") {
            return None;
        }
        let mut fields = Vec::new();
        for part in Split::new(rest, b',') {
            let (name, value) = lex::split_once(part, b'=')?;
            let (name, value) = (lex::trim(name), lex::trim(value));
            let quoted = value.first() == Some(&b'"');
            let valid =
                lex::is_token(name) && (!quoted || lex::quoted_len(value) == Some(value.len()));
            if !valid || fields.len() == FIELDS_MAX {
                return None;
            }
            let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
            fields.push((name, String::from_utf8(lex::unquote(value)).ok()?));
        }
        Some(Self(fields))
    }

    /// The value of a field; `None` if it is absent or stands twice.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut hits = self.0.iter().filter(|(known, _)| known == name);
        let (_, value) = hits.next()?;
        hits.next().is_none().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_credentials_are_refused() {
        for text in [
            "",
            "Digest",
            "Basic a=b",
            "Digest a",
            "Digest a=\"open",
            "Digest a=\"x\"y",
            "Digest =x",
        ] {
            assert!(Fields::parse(text.as_bytes()).is_none(), "{text}");
        }
        let fields = Fields::parse(b"DIGEST Realm=\"a, \\\"b\" ,nc=1,nc=2").expect("valid");
        assert_eq!(
            (fields.value("realm"), fields.value("nc")),
            (Some("a, \"b"), None)
        );
    }
}
