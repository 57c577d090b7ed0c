//! The ordered header fields of a message. Values are bytes; typed readers parse on demand.

use std::fmt::{self, Write};
use std::ops::Range;

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
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// Its name.
    pub name: &'a HeaderName,
    value: &'a [u8],
}

impl<'a> HeaderField<'a> {
    /// The raw value. It may be no UTF-8.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }
}

impl fmt::Debug for HeaderField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_credential() {
            return write!(f, "{}: [credential]", self.name);
        }
        write!(f, "{}: {}", self.name, self.value.escape_ascii())
    }
}

/// Where a field's value lies in the text of its map.
#[derive(Clone)]
struct Place {
    name: HeaderName,
    value: Range<usize>,
}

/// The header fields in the order of the wire. All values lie in one text, behind each other as they were added: a message's fields are two blocks of memory,
/// however many they are.
#[derive(Clone, Default)]
pub struct HeaderMap {
    fields: Vec<Place>,
    text: Vec<u8>,
}

impl HeaderMap {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No fields, and room for so many with so many bytes of values.
    #[must_use]
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self {
            fields: Vec::with_capacity(fields),
            text: Vec::with_capacity(bytes),
        }
    }

    /// Every field in order.
    pub fn iter(&self) -> impl Iterator<Item = HeaderField<'_>> {
        self.fields.iter().map(|place| HeaderField {
            name: &place.name,
            value: self.value_at(place),
        })
    }

    fn value_at(&self, place: &Place) -> &[u8] {
        self.text.get(place.value.clone()).unwrap_or_default()
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Appends a field. Control bytes in the value (line ends, NUL) become spaces, so no value can start another field.
    pub fn push(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let value = self.take_in(value.as_ref());
        self.fields.push(Place { name, value });
    }

    /// Appends a field whose value is as it is displayed; cleaned as in [`push`](Self::push).
    pub fn push_displayed(&mut self, name: HeaderName, value: impl fmt::Display) {
        let value = self.take_in_displayed(&value);
        self.fields.push(Place { name, value });
    }

    /// Appends further values to the list that the field added last has.
    pub(crate) fn extend_last<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        for value in values {
            self.text.extend_from_slice(b", ");
            self.take_in(value);
        }
        let end = self.text.len();
        if let Some(last) = self.fields.last_mut() {
            last.value.end = end;
        }
    }

    /// Puts a field before all others of its name, or first of all, with its value as it is displayed; cleaned as in [`push`](Self::push).
    pub fn push_front(&mut self, name: HeaderName, value: impl fmt::Display) {
        let value = self.take_in_displayed(&value);
        let at = self.fields.iter().position(|place| place.name == name);
        self.fields.insert(at.unwrap_or(0), Place { name, value });
    }

    /// Replaces every field of this name by one, with its value as it is displayed; at the place of the first, else at the end.
    pub fn set(&mut self, name: HeaderName, value: impl fmt::Display) {
        let value = self.take_in_displayed(&value);
        let at = self.fields.iter().position(|place| place.name == name);
        self.remove(&name);
        let at = at.unwrap_or(self.fields.len()).min(self.fields.len());
        self.fields.insert(at, Place { name, value });
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: &HeaderName) {
        self.fields.retain(|place| place.name != *name);
    }

    /// Puts a value behind all others, without bytes that could end a line; trimmed.
    fn take_in(&mut self, value: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend(value.iter().map(cleaned));
        self.trimmed_from(start)
    }

    fn take_in_displayed(&mut self, value: &impl fmt::Display) -> Range<usize> {
        let start = self.text.len();
        // Nothing that is displayed here fails, and nor does memory: what has been written stands.
        let _ = write!(Cleaned(&mut self.text), "{value}");
        self.trimmed_from(start)
    }

    /// What was written last, without white space around it.
    fn trimmed_from(&mut self, start: usize) -> Range<usize> {
        let written = self.text.get(start..).unwrap_or_default();
        let before = written.iter().take_while(|byte| lex::is_space(**byte));
        let start = start + before.count();
        let end = start + lex::trim(written).len();
        self.text.truncate(end);
        start..end
    }

    /// Whether a field of this name is there.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.first(name).is_some()
    }

    /// Raw value of the first field of this name.
    #[must_use]
    pub fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        let place = self.fields.iter().find(|place| place.name == *name)?;
        Some(self.value_at(place))
    }

    /// The first value as text; `None` if it is absent or no UTF-8.
    #[must_use]
    pub fn text(&self, name: &HeaderName) -> Option<&str> {
        str::from_utf8(self.first(name)?).ok()
    }

    /// Raw values of all fields of this name.
    pub fn all<'a>(&'a self, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
        let name = name.clone();
        let fields = self.fields.iter();
        fields
            .filter(move |place| place.name == name)
            .map(|place| self.value_at(place))
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
        let mut text = str::from_utf8(media).ok()?.to_ascii_lowercase();
        text.retain(|c| !c.is_whitespace());
        Some(text)
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
        let mut list = Vec::with_capacity(self.values(name).take(count_max).count());
        for value in self.values(name) {
            if list.len() == count_max {
                return Err(HeaderError::PeerTooMany(name.clone()));
            }
            list.push(parse(value).ok_or_else(|| HeaderError::PeerMalformed(name.clone()))?);
        }
        Ok(list)
    }
}

/// A byte of a value as it is kept: none that could end a line.
fn cleaned(byte: &u8) -> u8 {
    match *byte {
        b'\t' => b'\t',
        byte if byte < b' ' || byte == 0x7F => b' ',
        byte => byte,
    }
}

/// Writes text without bytes that could end a line.
struct Cleaned<'a>(&'a mut Vec<u8>);

impl Write for Cleaned<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.as_bytes().iter().map(cleaned));
        Ok(())
    }
}

impl PartialEq for HeaderMap {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for HeaderMap {}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
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
            Some(b"hello  X-Evil: 1".as_slice())
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
            headers.iter().next().map(|field| field.name),
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
