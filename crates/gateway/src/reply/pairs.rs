//! Replies in pairs of key and value.
//! Owns: forms, plain text with one pair a line, and pairs whose values may tell their length.
//! Never: decides what a pair means.

use zeroize::Zeroizing;

use super::hunt::{Hunt, Malformed};

/// Walks a form: `key=value` joined by `&`, percent-encoded, a plus for a blank.
pub(crate) fn read_form(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    let text = text.trim_matches(['\r', '\n']);
    if text.contains(['<', '>']) || text.contains(|c: char| c.is_ascii_control()) {
        return Err(Malformed);
    }
    let mut any = false;
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        any |= pair.contains('=');
        hunt.pair(&decoded(key, true)?, &decoded(value, true)?);
    }
    if any { Ok(()) } else { Err(Malformed) }
}

/// Walks pairs as Payflow writes them: `NAME=value` or `NAME[length]=value` joined by `&`, nothing encoded. A length is in bytes; a value that tells it may hold
/// `&` and `=`, and one whose length is wrong makes the reply unreadable.
pub(crate) fn read_name_value(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    let mut rest = text.trim_matches(['\r', '\n']);
    if rest.trim_start().starts_with('<') {
        return Err(Malformed);
    }
    let mut any = false;
    while !rest.is_empty() {
        let end = rest.find('&').unwrap_or(rest.len());
        let Some((name, value)) = rest.split_once('=').filter(|(name, _)| name.len() < end) else {
            rest = rest.get(end + 1..).unwrap_or("");
            continue;
        };
        let (name, len) = match length(name)? {
            Some((name, len)) => (name, len),
            None => (name, value.find('&').unwrap_or(value.len())),
        };
        let (value, after) = value.split_at_checked(len).ok_or(Malformed)?;
        hunt.pair(name.trim(), value);
        any = true;
        rest = match after.strip_prefix('&') {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return Err(Malformed),
        };
    }
    if any { Ok(()) } else { Err(Malformed) }
}

/// The name and the length of `NAME[length]`; none: it tells none.
fn length(name: &str) -> Result<Option<(&str, usize)>, Malformed> {
    let Some((name, tag)) = name
        .strip_suffix(']')
        .and_then(|name| name.rsplit_once('['))
    else {
        return Ok(None);
    };
    if tag.is_empty() || !tag.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let len = tag.parse().map_err(|_| Malformed)?;
    Ok(Some((name, len)))
}

/// Walks plain text: a form on one line, or lines of `key=value`. Other lines are passed over. Where a key is an expression, every text will do.
pub(crate) fn read_text(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    let text = text.trim();
    if hunt.text(text) && !text.is_empty() {
        // Pairs are found if there are some.
        let _expressions_decide = read_pairs(text, hunt);
        return Ok(());
    }
    read_pairs(text, hunt)
}

fn read_pairs(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    if !text.contains('\n') && text.contains('&') {
        return read_form(text, hunt);
    }
    let mut any = false;
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=') {
            any = true;
            hunt.pair(&decoded(key.trim(), false)?, &decoded(value.trim(), false)?);
        }
    }
    if any { Ok(()) } else { Err(Malformed) }
}

/// Undoes percent-encoding. A percent sign without two hexadecimal digits stands for itself.
fn decoded(text: &str, plus_is_blank: bool) -> Result<Zeroizing<String>, Malformed> {
    let bytes = text.as_bytes();
    let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        match escape.and_then(hexadecimal) {
            Some(escaped) => {
                decoded.push(escaped);
                at += 3;
            }
            None => {
                let blank = plus_is_blank && byte == b'+';
                decoded.push(if blank { b' ' } else { byte });
                at += 1;
            }
        }
    }
    let text = std::str::from_utf8(&decoded).map_err(|_| Malformed)?;
    if text.contains('\0') {
        return Err(Malformed);
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn hexadecimal(two: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(*two.first()?)? * 16 + digit(*two.get(1)?)?;
    u8::try_from(value).ok()
}
