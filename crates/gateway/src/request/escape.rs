//! Escaping, character by character.
//! Owns: what each type of body needs.
//! Never: gathers what it escapes.

use secret::BufferFull;

/// Writes a character as a type of body wants it.
pub(crate) type Escape =
    fn(char, &mut dyn FnMut(&str) -> Result<(), BufferFull>) -> Result<(), BufferFull>;

/// Where escaped text goes.
type To<'t> = &'t mut dyn FnMut(&str) -> Result<(), BufferFull>;

/// Escapes every character of a text.
pub(crate) fn each(
    text: &str,
    escape: Escape,
    mut to: impl FnMut(&str) -> Result<(), BufferFull>,
) -> Result<(), BufferFull> {
    text.chars().try_for_each(|c| escape(c, &mut to))
}

/// No escaping.
pub(crate) fn as_it_is(c: char, to: To<'_>) -> Result<(), BufferFull> {
    to(c.encode_utf8(&mut [0; 4]))
}

/// Within a JSON text.
pub(crate) fn json_char(c: char, to: To<'_>) -> Result<(), BufferFull> {
    match c {
        '"' => to("\\\""),
        '\\' => to("\\\\"),
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
            to(&format!("\\u{:04x}", u32::from(c)))
        }
        c => as_it_is(c, to),
    }
}

/// In a form (`application/x-www-form-urlencoded`).
pub(crate) fn form_char(c: char, to: To<'_>) -> Result<(), BufferFull> {
    match c {
        ' ' => to("+"),
        c if c.is_ascii_alphanumeric() || matches!(c, '*' | '-' | '.' | '_') => as_it_is(c, to),
        c => percent(c, to),
    }
}

/// In the path or the query of a URL: all but the unreserved characters ([RFC 3986 §2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)), so that no
/// value begins another level, a query or a fragment.
pub(crate) fn url_char(c: char, to: To<'_>) -> Result<(), BufferFull> {
    match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') => as_it_is(c, to),
        c => percent(c, to),
    }
}

fn percent(c: char, to: To<'_>) -> Result<(), BufferFull> {
    let mut utf8 = [0; 4];
    let mut bytes = c.encode_utf8(&mut utf8).bytes();
    bytes.try_for_each(|byte| to(&format!("%{byte:02X}")))
}

/// Within an XML element.
pub(crate) fn xml_char(c: char, to: To<'_>) -> Result<(), BufferFull> {
    match c {
        '&' => to("&amp;"),
        '<' => to("&lt;"),
        '>' => to("&gt;"),
        '\r' => to("&#13;"),
        c => as_it_is(c, to),
    }
}

/// Within an XML element or an attribute in either quotes, where readers make blanks of line breaks and tabs.
pub(crate) fn xml_anywhere(c: char, to: To<'_>) -> Result<(), BufferFull> {
    match c {
        '"' => to("&quot;"),
        '\'' => to("&apos;"),
        '\n' => to("&#10;"),
        '\t' => to("&#9;"),
        c => xml_char(c, to),
    }
}

/// What XML 1.0 can carry ([section 2.2](https://www.w3.org/TR/xml/#charsets)).
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
