//! Base64 as `a=crypto` has it (RFC 4648 section 4).
//! Owns: both directions, for the length of a key.
//! Never: keeps what it was given.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Characters of the longest key, with room for padding. More is no key.
const TEXT_LEN_MAX: usize = 64;

/// The text of these bytes, padded.
pub(super) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = (at(0) << 16) | (at(1) << 8) | at(2);
        for place in 0..4 {
            let index = usize::try_from((word >> (18 - 6 * place)) & 63).unwrap_or(0);
            let is_padding = usize::try_from(place).unwrap_or(0) > chunk.len();
            let character = if is_padding { b'=' } else { ALPHABET[index] };
            text.push(char::from(character));
        }
    }
    text
}

/// The bytes of a text, padded or not; none if it is none or too long. The caller wipes them.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() > TEXT_LEN_MAX || text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(TEXT_LEN_MAX));
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0_u32;
        for place in 0..4 {
            let digit = match chunk.get(place) {
                Some(character) => ALPHABET.iter().position(|one| one == character)?,
                None => 0,
            };
            word = (word << 6) | u32::try_from(digit).ok()?;
        }
        let [_, first, second, third] = word.to_be_bytes();
        bytes.extend_from_slice([first, second, third].get(..chunk.len() - 1)?);
    }
    Some(std::mem::take(&mut *bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold_both_ways() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()).as_str(), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
            let bare = text.trim_end_matches('=');
            assert_eq!(decode(bare).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_text_of_a_key_is_refused() {
        for text in ["A", "Zm9v!", "Zm 9v", "Z===9", &"A".repeat(65)] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
