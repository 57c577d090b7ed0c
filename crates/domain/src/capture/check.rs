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
use super::routing::RoutingBook;
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

/// A routing number: nine digits, a range that ACH debits may name, the check sum 3-7-1, and not one that the operator refuses. Government (00) and
/// travellers' cheque (80) numbers are refused.
///
/// # Errors
/// [`FieldError::AbaChecksum`] or [`FieldError::RoutingRefused`].
pub fn routing_number(digits: &Digits<'_>, book: &RoutingBook) -> Result<(), FieldError> {
    if digits.len() != ROUTING_DIGITS || !is_routing_number(values(digits)) {
        return Err(FieldError::AbaChecksum);
    }
    match book.refusal(digits) {
        Some(_) => Err(FieldError::RoutingRefused),
        None => Ok(()),
    }
}

/// Nine values, each 0 to 9, that an ACH debit may name: range and check sum.
pub(super) fn is_routing_number(digits: impl Iterator<Item = u8> + Clone) -> bool {
    let sum: u32 = digits
        .clone()
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(value, weight)| u32::from(value) * weight)
        .sum();
    let prefix = digits
        .take(2)
        .fold(0_u8, |number, value| number * 10 + value);
    matches!(prefix, 1..=12 | 21..=32 | 61..=72) && sum.is_multiple_of(10)
}

/// An account number: 4 to 17 digits; leading zeros count. Of one that is keyed twice, `first` is the first entry, and the second is the same (O15).
///
/// # Errors
/// [`FieldError::AccountMismatch`] or [`FieldError::AccountLength`].
pub fn account_number(digits: &Digits<'_>, first: Option<&Digits<'_>>) -> Result<(), FieldError> {
    if first.is_some_and(|first| first != digits) {
        return Err(FieldError::AccountMismatch);
    }
    if (ACCOUNT_DIGITS_MIN..=ACCOUNT_DIGITS_MAX).contains(&digits.len()) {
        Ok(())
    } else {
        Err(FieldError::AccountLength)
    }
}

#[cfg(test)]
mod tests {
    use secret::{Arena, Digit, FieldIndex, Slot};

    use super::*;
    use crate::capture::fixtures;
    use crate::time::UnixMillis;

    const FIELD: FieldIndex = FieldIndex::ALL[0];

    fn slot(digits: &str) -> Slot {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        for byte in digits.bytes() {
            slot.push(FIELD, Digit::from_ascii(byte).unwrap()).unwrap();
        }
        slot
    }

    fn card(digits: &str, accepted: &[Brand]) -> Result<Brand, FieldError> {
        let accepted = accepted.iter().copied().collect();
        card_number(&slot(digits).digits(FIELD), &accepted)
    }

    fn date(digits: &str, format: ExpiryFormat, today: Date) -> Result<(), FieldError> {
        expiry(&slot(digits).digits(FIELD), format, today)
    }

    fn routing(digits: &str) -> Result<(), FieldError> {
        routing_number(&slot(digits).digits(FIELD), &RoutingBook::default())
    }

    fn today() -> Date {
        Date::constant(2026, 11, 25)
    }

    #[test]
    fn the_brand_is_judged_before_the_length_and_the_length_before_the_check_digit() {
        let visa = [Brand::Visa];
        assert_eq!(card("4111111111111111", &visa), Ok(Brand::Visa));
        assert_eq!(card("4111111111111112", &visa), Err(FieldError::Luhn));
        assert_eq!(
            card("41111111111111113", &visa),
            Err(FieldError::TooShort { arrived: 17 })
        );
        assert_eq!(
            card("55", &visa),
            Err(FieldError::BrandNotAccepted {
                brand: Brand::Mastercard
            })
        );
        assert_eq!(card("5", &visa), Err(FieldError::TooShort { arrived: 1 }));
        assert_eq!(card("", &visa), Err(FieldError::TooShort { arrived: 0 }));
        assert_eq!(card("9", &visa), Err(FieldError::BrandUnknown));
    }

    #[test]
    fn each_published_card_is_taken_by_its_own_box_only() {
        for test in fixtures::CARDS {
            for accepted in Brand::ALL {
                let expected = if accepted == test.brand {
                    Ok(accepted)
                } else {
                    Err(FieldError::BrandNotAccepted { brand: test.brand })
                };
                assert_eq!(card(test.number, &[accepted]), expected);
            }
        }
        for number in fixtures::OTHER_NETWORKS {
            assert_eq!(card(number, &Brand::ALL), Err(FieldError::BrandUnknown));
        }
    }

    #[test]
    fn a_card_is_valid_to_the_end_of_its_month() {
        use ExpiryFormat::Mmyy;
        assert_eq!(date("1126", Mmyy, today()), Ok(()));
        assert_eq!(date("1026", Mmyy, today()), Err(FieldError::Expired));
        assert_eq!(date("0127", Mmyy, today()), Ok(()));
        assert_eq!(date("1225", Mmyy, today()), Err(FieldError::Expired));
        assert_eq!(date("1146", Mmyy, today()), Ok(()));
        assert_eq!(date("1220", Mmyy, today()), Err(FieldError::Expired));
        assert_eq!(date("0147", Mmyy, today()), Err(FieldError::ExpiryFormat));
        assert_eq!(date("0106", Mmyy, today()), Err(FieldError::Expired));
        assert_eq!(date("0105", Mmyy, today()), Err(FieldError::ExpiryFormat));
    }

    #[test]
    fn months_and_lengths_that_are_no_date_are_told_apart_from_expired() {
        for digits in ["", "1", "112", "0027", "1327", "9927", "11265"] {
            assert_eq!(
                date(digits, ExpiryFormat::Mmyy, today()),
                Err(FieldError::ExpiryFormat),
                "{digits}"
            );
        }
    }

    #[test]
    fn six_digits_carry_the_whole_year() {
        use ExpiryFormat::Mmyyyy;
        assert_eq!(date("112026", Mmyyyy, today()), Ok(()));
        assert_eq!(date("102026", Mmyyyy, today()), Err(FieldError::Expired));
        assert_eq!(date("112046", Mmyyyy, today()), Ok(()));
        for digits in ["1126", "112047", "111926", "119999", "002027", "000000"] {
            assert_eq!(
                date(digits, Mmyyyy, today()),
                Err(FieldError::ExpiryFormat),
                "{digits}"
            );
        }
    }

    #[test]
    fn the_last_zone_on_earth_decides_when_a_month_is_over() {
        // 2026-12-01T11:59:59Z is still November in UTC-12; a second later it is not.
        let last = UnixMillis(1_796_126_399_000);
        assert_eq!(date("1126", ExpiryFormat::Mmyy, last.latest_day()), Ok(()));
        assert_eq!(
            date("1126", ExpiryFormat::Mmyy, last.plus_ms(1_000).latest_day()),
            Err(FieldError::Expired)
        );
    }

    #[test]
    fn a_security_code_has_the_length_of_its_brand() {
        for brand in Brand::ALL {
            let needed = if brand == Brand::AmericanExpress {
                4
            } else {
                3
            };
            for digits in 0..8 {
                let expected = if digits == usize::from(needed) {
                    Ok(())
                } else {
                    Err(FieldError::CvvLength { needed })
                };
                assert_eq!(security_code(digits, Some(brand)), expected);
            }
        }
        for digits in 0..8 {
            assert_eq!(
                security_code(digits, None).is_ok(),
                (3..=4).contains(&digits)
            );
        }
    }

    #[test]
    fn routing_numbers_follow_check_sum_and_range() {
        for number in fixtures::ROUTING_NUMBERS {
            assert_eq!(routing(number), Ok(()), "{number}");
        }
        for number in fixtures::ROUTING_NUMBERS_WRONG_SUM
            .into_iter()
            .chain(fixtures::ROUTING_NUMBERS_REFUSED)
            .chain(["", "02100002", "0210000210"])
        {
            assert_eq!(routing(number), Err(FieldError::AbaChecksum), "{number}");
        }
    }

    #[test]
    fn account_numbers_have_4_to_17_digits() {
        for digits in 0..=32 {
            let expected = if (4..=17).contains(&digits) {
                Ok(())
            } else {
                Err(FieldError::AccountLength)
            };
            let keyed = slot(&"7".repeat(digits));
            assert_eq!(account_number(&keyed.digits(FIELD), None), expected);
        }
    }

    #[test]
    fn the_second_entry_of_an_account_number_is_the_same_as_the_first() {
        let first = slot("0012345");
        for (second, expected) in [
            ("0012345", Ok(())),
            ("012345", Err(FieldError::AccountMismatch)),
            ("0012346", Err(FieldError::AccountMismatch)),
            ("", Err(FieldError::AccountMismatch)),
        ] {
            let second = slot(second);
            let found = account_number(&second.digits(FIELD), Some(&first.digits(FIELD)));
            assert_eq!(found, expected);
        }
    }
}
