//! The ordered header fields of a message. Values are bytes; typed readers parse on demand.

use std::fmt;

use thiserror::Error;

use super::header_name::HeaderName;
use super::lex::{self, Split};
use super::limits::{ID_BYTES_MAX, LIST_VALUES_MAX, VIAS_MAX};
use super::{CSeq, NameAddr, Via};

/// Why a header could not be read as what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// The field is not there.
    #[error("peer sent no {0}")]
    PeerMissing(HeaderName),
    /// The value breaks its grammar or a limit.
    #[error("peer sent a malformed {0}")]
    PeerMalformed(HeaderName),
    /// The field may stand once but stands more often.
    #[error("peer sent {0} more than once")]
    PeerRepeated(HeaderName),
    /// More values than the limit.
    #[error("peer sent too many {0} values")]
    PeerTooMany(HeaderName),
}

/// One header field: a name and its raw value, unfolded and trimmed.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderField {
    /// Its name.
    pub name: HeaderName,
    value: Vec<u8>,
}

impl HeaderField {
    /// The raw value. It may be no UTF-8.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_credential() {
            return write!(f, "{}: [credential]", self.name);
        }
        write!(f, "{}: {}", self.name, self.value.escape_ascii())
    }
}

/// The header fields in the order of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderMap(Vec<HeaderField>);

impl HeaderMap {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every field in order.
    pub fn iter(&self) -> impl Iterator<Item = &HeaderField> {
        self.0.iter()
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends a field. Control bytes in the value (line ends, NUL) become spaces, so no value can start another field.
    pub fn push(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        self.0.push(HeaderField {
            name,
            value: clean(value.as_ref()),
        });
    }

    /// Puts a field before all others of its name, or first of all; cleaned as in [`push`](Self::push).
    pub fn push_front(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let at = self
            .0
            .iter()
            .position(|field| field.name == name)
            .unwrap_or(0);
        self.0.insert(
            at,
            HeaderField {
                name,
                value: clean(value.as_ref()),
            },
        );
    }

    /// Replaces every field of this name by one; at the place of the first, else at the end.
    pub fn set(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let at = self.0.iter().position(|field| field.name == name);
        self.remove(&name);
        let field = HeaderField {
            name,
            value: clean(value.as_ref()),
        };
        self.0
            .insert(at.unwrap_or(self.0.len()).min(self.0.len()), field);
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: &HeaderName) {
        self.0.retain(|field| field.name != *name);
    }

    /// Whether a field of this name is there.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.first(name).is_some()
    }

    /// Raw value of the first field of this name.
    #[must_use]
    pub fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The first value as text; `None` if it is absent or no UTF-8.
    #[must_use]
    pub fn text(&self, name: &HeaderName) -> Option<&str> {
        str::from_utf8(self.first(name)?).ok()
    }

    /// Raw values of all fields of this name.
    pub fn all<'a>(&'a self, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
        let name = name.clone();
        self.0
            .iter()
            .filter(move |field| field.name == name)
            .map(HeaderField::value)
    }

    /// Comma-separated values of all fields of this name, trimmed. Only for names whose grammar is a list.
    pub fn values<'a>(&'a self, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.all(name).flat_map(|value| Split::new(value, b','))
    }

    /// Values that are tokens, such as those of `Require`, `Supported` and `Allow`; other values are skipped.
    pub fn tokens<'a>(&'a self, name: &HeaderName) -> impl Iterator<Item = &'a str> {
        self.values(name)
            .filter(|value| lex::is_token(value))
            .filter_map(|v| str::from_utf8(v).ok())
    }

    /// Whether a list of tokens holds `token`, compared without case.
    #[must_use]
    pub fn has_token(&self, name: &HeaderName, token: &str) -> bool {
        self.tokens(name)
            .any(|value| value.eq_ignore_ascii_case(token))
    }

    /// The topmost `Via`.
    ///
    /// # Errors
    /// It is missing or malformed.
    pub fn via(&self) -> Result<Via, HeaderError> {
        let first = self.values(&HeaderName::VIA).next();
        let value = first.ok_or(HeaderError::PeerMissing(HeaderName::VIA))?;
        Via::parse(value).ok_or(HeaderError::PeerMalformed(HeaderName::VIA))
    }

    /// Every `Via`, top first.
    ///
    /// # Errors
    /// One is malformed, or there are more than [`VIAS_MAX`].
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(&HeaderName::VIA, VIAS_MAX, Via::parse)
    }

    /// `From`.
    ///
    /// # Errors
    /// It is missing, repeated or malformed.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.name_addr(&HeaderName::FROM)
    }

    /// `To`.
    ///
    /// # Errors
    /// It is missing, repeated or malformed.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.name_addr(&HeaderName::TO)
    }

    /// One address, as in `From`, `To`, `Refer-To` or `Referred-By`.
    ///
    /// # Errors
    /// It is missing, repeated or malformed.
    pub fn name_addr(&self, name: &HeaderName) -> Result<NameAddr, HeaderError> {
        let address = NameAddr::parse(self.single(name)?);
        address.ok_or_else(|| HeaderError::PeerMalformed(name.clone()))
    }

    /// A list of addresses, as in `Contact`, `Route`, `Record-Route` or `P-Asserted-Identity`; empty if there is none. A `Contact: *` is malformed here.
    ///
    /// # Errors
    /// One is malformed, or there are more than [`LIST_VALUES_MAX`].
    pub fn name_addrs(&self, name: &HeaderName) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(name, LIST_VALUES_MAX, NameAddr::parse)
    }

    /// `Call-ID`, at most [`ID_BYTES_MAX`] bytes of visible ASCII.
    ///
    /// # Errors
    /// It is missing, repeated or malformed.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.single(&HeaderName::CALL_ID)?;
        let fits =
            (1..=ID_BYTES_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        let text = str::from_utf8(value).ok().filter(|_| fits);
        text.ok_or(HeaderError::PeerMalformed(HeaderName::CALL_ID))
    }

    /// `CSeq`.
    ///
    /// # Errors
    /// It is missing, repeated or malformed, or its number is 2^31 or more.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        let value = self.single(&HeaderName::CSEQ)?;
        CSeq::parse(value).ok_or(HeaderError::PeerMalformed(HeaderName::CSEQ))
    }

    /// A number such as `Max-Forwards`, `Expires` or `Min-Expires`; `None` if the field is absent.
    ///
    /// # Errors
    /// It is repeated, no decimal number, or too large for `T`.
    pub fn number<T: TryFrom<u64>>(&self, name: &HeaderName) -> Result<Option<T>, HeaderError> {
        if !self.contains(name) {
            return Ok(None);
        }
        let number = lex::decimal(self.single(name)?);
        number
            .map(Some)
            .ok_or_else(|| HeaderError::PeerMalformed(name.clone()))
    }

    /// Type and subtype of `Content-Type` in lower case, without parameters; `None` if absent.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        let media = Split::new(self.first(&HeaderName::CONTENT_TYPE)?, b';').next()?;
        let text = str::from_utf8(media).ok()?;
        Some(
            text.chars()
                .filter(|c| !c.is_whitespace())
                .collect::<String>()
                .to_ascii_lowercase(),
        )
    }

    /// The one value of a field that may stand once.
    ///
    /// # Errors
    /// It is missing or repeated.
    pub fn single(&self, name: &HeaderName) -> Result<&[u8], HeaderError> {
        let mut values = self.all(name);
        let value = values
            .next()
            .ok_or_else(|| HeaderError::PeerMissing(name.clone()))?;
        match values.next() {
            Some(_) => Err(HeaderError::PeerRepeated(name.clone())),
            None => Ok(value),
        }
    }

    fn list<T>(
        &self,
        name: &HeaderName,
        count_max: usize,
        parse: fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut list = Vec::new();
        for value in self.values(name) {
            if list.len() == count_max {
                return Err(HeaderError::PeerTooMany(name.clone()));
            }
            list.push(parse(value).ok_or_else(|| HeaderError::PeerMalformed(name.clone()))?);
        }
        Ok(list)
    }
}

/// `value` without bytes that could end a line; trimmed.
fn clean(value: &[u8]) -> Vec<u8> {
    let is_control = |byte: u8| byte < b' ' && byte != b'\t' || byte == 0x7F;
    lex::trim(value)
        .iter()
        .map(|&byte| if is_control(byte) { b' ' } else { byte })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_start_another_field() {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::SUBJECT, "hello\r\nX-Evil: 1\0");
        assert_eq!(
            headers.first(&HeaderName::SUBJECT),
            Some(b"hello  X-Evil: 1 ".as_slice())
        );
    }

    #[test]
    fn set_replaces_all_and_keeps_the_place() {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::ALLOW, "A");
        headers.push(HeaderName::TO, "sip:a@b");
        headers.push(HeaderName::ALLOW, "B");
        headers.set(HeaderName::ALLOW, "C, D");
        assert_eq!(
            headers.tokens(&HeaderName::ALLOW).collect::<Vec<_>>(),
            ["C", "D"]
        );
        assert_eq!(
            headers.iter().next().map(|field| &field.name),
            Some(&HeaderName::ALLOW)
        );
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn credentials_do_not_print() {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::AUTHORIZATION, "Digest response=\"abc\"");
        assert!(!format!("{headers:?}").contains("abc"));
    }

    #[test]
    fn repeated_single_fields_are_refused() {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::CSEQ, "1 INVITE");
        headers.push(HeaderName::CSEQ, "2 INVITE");
        assert_eq!(
            headers.cseq(),
            Err(HeaderError::PeerRepeated(HeaderName::CSEQ))
        );
    }
}
