//! Taking credentials out of an answer that an administrator gets to see.
//! Owns: the ways in which an answer may write a character.
//! Never: judges what is a credential.

use zeroize::Zeroizing;

/// Stands for a credential, whatever its length.
const REMOVED: &str = "\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}";

/// Entities that XML and HTML have names for.
const ENTITIES: [(&str, char); 5] = [
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&apos;", '\''),
];

/// The text without these, however their characters are written: as they are, in the other case, escaped as in JSON, in a form, in XML or HTML.
pub(crate) fn without(text: &str, credentials: &[Zeroizing<String>]) -> Zeroizing<String> {
    let mut shown = Zeroizing::new(String::with_capacity(text.len() + REMOVED.len()));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let found = credentials
            .iter()
            .filter_map(|secret| spelled(rest, secret))
            .max();
        match found {
            Some(bytes) => {
                shown.push_str(REMOVED);
                rest = &rest[bytes..];
            }
            None => {
                shown.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    shown
}

/// Bytes that a text spends on a secret at its beginning; none for an empty one. What begins an escape may also stand for itself, so that both are followed.
fn spelled(text: &str, secret: &str) -> Option<usize> {
    let mut ends = vec![0];
    for c in secret.chars() {
        let next = ends.iter().filter_map(|&end| Some((end, text.get(end..)?)));
        ends = next
            .flat_map(|(end, rest)| ways(rest, c).map(move |bytes| end + bytes))
            .collect();
        ends.dedup();
    }
    ends.into_iter().max().filter(|&bytes| bytes > 0)
}

/// The ways in which a text begins with a character, in bytes.
fn ways(text: &str, c: char) -> impl Iterator<Item = usize> {
    let first = text.chars().next();
    let is_plain = |first: &char| first.eq_ignore_ascii_case(&c) || (*first == '+' && c == ' ');
    let escaped = first.and_then(|first| match first {
        '\\' => backslashed(&text[1..], c).map(|bytes| bytes + 1),
        '%' => percented(text, c),
        '&' => entity(text, c),
        _ => None,
    });
    let plain = first.filter(is_plain).map(char::len_utf8);
    plain.into_iter().chain(escaped)
}

/// `\"`, `\/`, `\u0022`.
fn backslashed(text: &str, c: char) -> Option<usize> {
    if text.starts_with(c) {
        return Some(c.len_utf8());
    }
    let code = u32::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok()?;
    (code == u32::from(c)).then_some(5)
}

/// `%22`, each byte of its UTF-8.
fn percented(text: &str, c: char) -> Option<usize> {
    let mut utf8 = [0; 4];
    let bytes = c.encode_utf8(&mut utf8).bytes();
    let mut at = 0;
    for byte in bytes {
        let pair = text.get(at..)?.strip_prefix('%')?.get(..2)?;
        if u8::from_str_radix(pair, 16) != Ok(byte) {
            return None;
        }
        at += 3;
    }
    Some(at)
}

/// `&quot;`, `&#34;`, `&#x22;`.
fn entity(text: &str, c: char) -> Option<usize> {
    let named = ENTITIES
        .iter()
        .find(|(name, of)| *of == c && text.starts_with(name));
    if let Some((name, _)) = named {
        return Some(name.len());
    }
    let (number, _) = text.strip_prefix("&#")?.split_once(';')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    (code == Ok(u32::from(c))).then_some("&#;".len() + number.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let secrets =
            ["pa\"s&/w \u{e9}rd", "QWxhZGRpbg=="].map(|text| Zeroizing::new(text.to_owned()));
        without(text, &secrets).to_string()
    }

    #[test]
    fn a_credential_goes_in_every_spelling() {
        for text in [
            "pa\"s&/w \u{e9}rd",
            r#"pa\"s&\/w \u00e9rd"#,
            r"pa\u0022s\u0026/w \u00E9rd",
            "pa%22s%26%2fw+%C3%A9rd",
            "pa&quot;s&amp;/w &#233;rd",
            "PA&#34;S&#x26;/W &#xE9;RD",
            "pa\"s&#38;/w \u{e9}rd",
            "QWxhZGRpbg==",
            "qwxhzgrpbg%3D%3d",
        ] {
            assert_eq!(
                shown(&format!("<{text}>")),
                format!("<{REMOVED}>"),
                "{text}"
            );
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "", "pa\"s&/w", "%", "%2", "\\", "\\u00", "&#;", "&#x;", "\u{e9}&",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(*without("abc", &[Zeroizing::new(String::new())]), "abc");
    }
}
