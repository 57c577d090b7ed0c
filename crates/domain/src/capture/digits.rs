//! The values of keyed digits, for checks.
//! Owns: the only place of this crate that looks at captured digits.
//! Never: keeps or formats one, but for the last four that option O5 shows.

use secret::Digits;

/// Digits that O5 shows.
const LAST_SHOWN: usize = 4;

/// The values, each 0 to 9, first key first.
pub(super) fn values<'a>(
    digits: &Digits<'a>,
) -> impl DoubleEndedIterator<Item = u8> + ExactSizeIterator + Clone + 'a {
    digits.expose().iter().map(|byte| byte.wrapping_sub(b'0'))
}

/// The last four as text, for O5; none if fewer were keyed.
pub(super) fn last_four(digits: &Digits<'_>) -> Option<String> {
    let skipped = digits.len().checked_sub(LAST_SHOWN)?;
    Some(
        values(digits)
            .skip(skipped)
            .map(|value| char::from(b'0' + value))
            .collect(),
    )
}
