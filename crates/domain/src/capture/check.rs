//! Whether what was keyed can be right.
//! Owns: the checks of each field, in their order (SETTLED S9).
//! Never: returns or keeps a digit; the answer is a brand or an error code.

use std::collections::BTreeSet;

use jiff::civil::Date;
use secret::Digits;

use super::FieldError;
use super::brand::{BrandGuess, guess, luhn_holds};
use super::digits::values;
use super::field::Brand;
use crate::widget::ExpiryFormat;

/// Digits of a routing number.
pub const ROUTING_DIGITS: usize = 9;
/// Fewest digits of an account number.
pub const ACCOUNT_DIGITS_MIN: usize = 4;
/// Most digits of an account number: the field of an ACH entry.
pub const ACCOUNT_DIGITS_MAX: usize = 17;
/// Most digits of a card number (ISO/IEC 7812).
pub const CARD_DIGITS_MAX: usize = 19;

/// Years ahead that a card may be valid.
const YEARS_AHEAD_MAX: i16 = 20;
/// Years back that are still read as a date in the past and not as a slip of the finger.
const YEARS_BACK_MAX: i16 = 20;

impl ExpiryFormat {
    /// Digits that the consumer keys.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Mmyy => 4,
            Self::Mmyyyy => 6,
        }
    }
}

/// A card number: brand accepted, length, check digit, in this order.
///
/// # Errors
/// The first check that fails.
pub fn card_number(digits: &Digits<'_>, accepted: &BTreeSet<Brand>) -> Result<Brand, FieldError> {
    let arrived = u8::try_from(digits.len()).unwrap_or(u8::MAX);
    let brand = match guess(digits) {
        BrandGuess::Open => return Err(FieldError::TooShort { arrived }),
        BrandGuess::Unknown => return Err(FieldError::BrandUnknown),
        BrandGuess::Known(brand) => brand,
    };
    if !accepted.contains(&brand) {
        return Err(FieldError::BrandNotAccepted { brand });
    }
    if !brand.has_length(digits.len()) {
        return Err(FieldError::TooShort { arrived });
    }
    if !luhn_holds(digits) {
        return Err(FieldError::Luhn);
    }
    Ok(brand)
}

/// An expiration date: valid through the last day of its month. Up to 20 years ahead are a date; what lies up to 20 years back has expired; anything else is
/// no date.
///
/// # Errors
/// [`FieldError::ExpiryFormat`] or [`FieldError::Expired`].
pub fn expiry(digits: &Digits<'_>, format: ExpiryFormat, today: Date) -> Result<(), FieldError> {
    if digits.len() != format.digits() {
        return Err(FieldError::ExpiryFormat);
    }
    let number = |range: std::ops::Range<usize>| {
        values(digits)
            .skip(range.start)
            .take(range.len())
            .fold(0_i16, |number, value| number * 10 + i16::from(value))
    };
    let month = number(0..2);
    let year = match format {
        ExpiryFormat::Mmyy => full_year(number(2..4), today.year()),
        ExpiryFormat::Mmyyyy => number(2..6),
    };
    let ahead = year - today.year();
    if !(1..=12).contains(&month) || !(-YEARS_BACK_MAX..=YEARS_AHEAD_MAX).contains(&ahead) {
        return Err(FieldError::ExpiryFormat);
    }
    if (year, month) < (today.year(), i16::from(today.month())) {
        return Err(FieldError::Expired);
    }
    Ok(())
}

/// The year with these last two digits that is at most [`YEARS_AHEAD_MAX`] ahead and nearest to it.
fn full_year(two_digits: i16, this_year: i16) -> i16 {
    let latest = this_year + YEARS_AHEAD_MAX;
    latest - (latest - two_digits).rem_euclid(100)
}

/// A security code, by the card's brand; with the brand not known yet, 3 or 4 digits.
///
/// # Errors
/// [`FieldError::CvvLength`].
pub fn security_code(digits: usize, brand: Option<Brand>) -> Result<(), FieldError> {
    let (fits, needed) = match brand {
        Some(brand) => {
            let needed = brand.security_code_digits();
            (digits == needed, needed)
        }
        None => ((3..=4).contains(&digits), 3),
    };
    if fits {
        Ok(())
    } else {
        let needed = u8::try_from(needed).unwrap_or(u8::MAX);
        Err(FieldError::CvvLength { needed })
    }
}

/// A routing number: nine digits, a range that ACH debits may name, the check sum 3-7-1. Government (00) and travellers' cheque (80) numbers are refused.
///
/// # Errors
/// [`FieldError::AbaChecksum`].
pub fn routing_number(digits: &Digits<'_>) -> Result<(), FieldError> {
    let sum: u32 = values(digits)
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(value, weight)| u32::from(value) * weight)
        .sum();
    let prefix = values(digits)
        .take(2)
        .fold(0_u8, |number, value| number * 10 + value);
    let named = matches!(prefix, 1..=12 | 21..=32 | 61..=72);
    if digits.len() == ROUTING_DIGITS && named && sum.is_multiple_of(10) {
        Ok(())
    } else {
        Err(FieldError::AbaChecksum)
    }
}

/// An account number: 4 to 17 digits; leading zeros count.
///
/// # Errors
/// [`FieldError::AccountLength`].
pub fn account_number(digits: usize) -> Result<(), FieldError> {
    if (ACCOUNT_DIGITS_MIN..=ACCOUNT_DIGITS_MAX).contains(&digits) {
        Ok(())
    } else {
        Err(FieldError::AccountLength)
    }
}
