//! Byte classes and splitters of the SIP grammar ([RFC 3261 §25.1](https://www.rfc-editor.org/rfc/rfc3261#section-25.1)).

/// Whether `byte` may stand in a token.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Whether `text` is a non-empty token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Whether `byte` is linear white space; line ends are gone once a field is unfolded.
pub(crate) fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// `text` without white space at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|&b| !is_space(b))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|&b| !is_space(b))
        .map_or(start, |at| at + 1);
    &text[start..end]
}

/// Splits at the first `byte`; `None` if there is none.
pub(crate) fn split_once(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&b| b == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Splits at the first white space, and drops the white space that follows.
pub(crate) fn split_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&b| is_space(b))?;
    Some((&text[..at], trim(&text[at..])))
}

/// A decimal number of digits only, leading zeros allowed; `None` when empty, not digits, or too large.
pub(crate) fn decimal<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for &byte in text {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    T::try_from(value).ok()
}

/// Length of the quoted string at the start of `text`, both quotes included; `None` if it does not end.
pub(crate) fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Text of a quoted string: quotes and backslashes removed. Text without quotes comes back as it is.
pub(crate) fn unquote(text: &[u8]) -> Vec<u8> {
    let Some(inner) = text
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
    else {
        return text.to_vec();
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(byte),
        }
    }
    out
}

/// Writes `text` as a quoted string.
pub(crate) fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        if byte == b'"' || byte == b'\\' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Parts of `text` between `separator`s that stand outside quotes and angle brackets, trimmed.
#[derive(Debug, Clone)]
pub(crate) struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Split<'a> {
    /// Splits `text` at `separator`. An empty text has one empty part.
    pub(crate) fn new(text: &'a [u8], separator: u8) -> Self {
        Self {
            rest: Some(text),
            separator,
        }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        match part_len(text, self.separator) {
            Some(at) => {
                self.rest = Some(&text[at + 1..]);
                Some(trim(&text[..at]))
            }
            None => {
                self.rest = None;
                Some(trim(text))
            }
        }
    }
}

/// Where the first separator stands; an open quote or bracket reaches to the end.
fn part_len(text: &[u8], separator: u8) -> Option<usize> {
    let mut in_brackets = false;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => {
                at += quoted_len(&text[at..])?;
                continue;
            }
            b'<' => in_brackets = true,
            b'>' => in_brackets = false,
            byte if byte == separator && !in_brackets => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let parts: Vec<_> = Split::new(b"\"a, \\\"b\" <sip:c,d> , e", b',').collect();
        assert_eq!(parts, [b"\"a, \\\"b\" <sip:c,d>".as_slice(), b"e"]);
    }

    #[test]
    fn numbers_beyond_their_type_are_refused() {
        assert_eq!(decimal::<u32>(b"0009"), Some(9));
        assert_eq!(decimal::<u8>(b"300"), None);
        assert_eq!(decimal::<u64>(b"36893488147419103232"), None);
        assert_eq!(decimal::<u32>(b"-1"), None);
        assert_eq!(decimal::<u32>(b""), None);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        let mut quoted = Vec::new();
        quote(b"a \"b\\c", &mut quoted);
        assert_eq!(quoted_len(&quoted), Some(quoted.len()));
        assert_eq!(unquote(&quoted), b"a \"b\\c");
    }
}
