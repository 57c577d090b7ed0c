//! Replies in pairs of key and value.
//! Owns: forms, and plain text with one pair a line.
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

/// Walks plain text: a form on one line, or lines of `key=value`. Other lines are passed over.
pub(crate) fn read_text(text: &str, hunt: &mut Hunt) -> Result<(), Malformed> {
    let text = text.trim();
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
