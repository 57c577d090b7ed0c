//! Which brand a card number belongs to.
//! Owns: the dated table of number ranges, lengths by brand, the check digit.
//! Never: decides whether a brand is accepted; that is the widget's setting.

use secret::Digits;

use super::digits::values;
use super::field::Brand;

/// Version of [`IIN_TABLE`]: the month in which the ranges were last compared with the brands' publications.
pub const IIN_TABLE_VERSION: &str = "2026-07";

/// Digits that a range is written with. Ranges of the brands are given with 2 to 8 digits; 8 hold them all.
const IIN_DIGITS: usize = 8;

/// A range of issuer numbers, both ends within, written with eight digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IinRange {
    /// The brand that issues from it.
    pub brand: Brand,
    /// First number.
    pub low: u32,
    /// Last number.
    pub high: u32,
}

const fn range(brand: Brand, low: u32, high: u32) -> IinRange {
    IinRange { brand, low, high }
}

/// The ranges of the four brands. Networks that Discover carries (Diners, JCB, UnionPay) are not among them.
/// Discover owns parts of 6011 only; the whole of it is taken, since published test numbers lie between those parts and no other brand issues there.
pub const IIN_TABLE: [IinRange; 8] = [
    range(Brand::Visa, 4000_0000, 4999_9999),
    range(Brand::Mastercard, 2221_0000, 2720_9999),
    range(Brand::Mastercard, 5100_0000, 5599_9999),
    range(Brand::AmericanExpress, 3400_0000, 3499_9999),
    range(Brand::AmericanExpress, 3700_0000, 3799_9999),
    range(Brand::Discover, 6011_0000, 6011_9999),
    range(Brand::Discover, 6440_0000, 6499_9999),
    range(Brand::Discover, 6500_0000, 6599_9999),
];

/// What a run of digits says about its brand so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrandGuess {
    /// More digits are needed.
    Open,
    /// Whatever follows, it is this brand.
    Known(Brand),
    /// Whatever follows, it is none of the four.
    Unknown,
}

/// The brand of a run of digits: known as soon as no further digit can change it.
#[must_use]
pub fn guess(digits: &Digits<'_>) -> BrandGuess {
    guess_values(values(digits))
}

/// As [`guess`], over values of 0 to 9.
pub(crate) fn guess_values(values: impl Iterator<Item = u8>) -> BrandGuess {
    let (low, high) = reach(values);
    let mut guess = BrandGuess::Unknown;
    for range in IIN_TABLE {
        if range.low <= low && high <= range.high {
            return BrandGuess::Known(range.brand);
        }
        if range.low <= high && low <= range.high {
            guess = BrandGuess::Open;
        }
    }
    guess
}

/// Whether card numbers of any network begin so, given as values of 0 to 9: with 1 to 6 (the industries of [ISO/IEC 7812-1](https://www.iso.org/standard/70484.html)
/// that issue payment cards), with 81 or 82 (UnionPay, RuPay), or with 9792 (Troy). Wider than [`IIN_TABLE`]: what a gateway answers may be any card.
pub fn begins_as_a_card(digits: impl Iterator<Item = u8>) -> bool {
    let mut first = [0; 4];
    for (place, digit) in first.iter_mut().zip(digits) {
        *place = digit;
    }
    matches!(first, [1..=6, ..] | [8, 1 | 2, ..] | [9, 7, 9, 2])
}

/// The smallest and the largest eight-digit number that begins with the digits.
fn reach(mut keyed: impl Iterator<Item = u8>) -> (u32, u32) {
    (0..IIN_DIGITS).fold((0, 0), |(low, high), _| match keyed.next() {
        Some(value) => (low * 10 + u32::from(value), high * 10 + u32::from(value)),
        None => (low * 10, high * 10 + 9),
    })
}

/// Whether the last digit is the check digit of the others ([ISO/IEC 7812-1](https://www.iso.org/standard/70484.html), Annex B).
#[must_use]
pub fn luhn_holds(digits: &Digits<'_>) -> bool {
    luhn(values(digits))
}

/// As [`luhn_holds`], over values of 0 to 9.
pub(crate) fn luhn(values: impl DoubleEndedIterator<Item = u8> + ExactSizeIterator) -> bool {
    let enough = values.len() > 1;
    let sum: u32 = values
        .rev()
        .enumerate()
        .map(|(place, value)| match (place % 2, value) {
            (0, value) => u32::from(value),
            (_, value) if value > 4 => u32::from(value) * 2 - 9,
            (_, value) => u32::from(value) * 2,
        })
        .sum();
    enough && sum.is_multiple_of(10)
}

impl Brand {
    /// Whether card numbers of this brand may have so many digits.
    #[must_use]
    pub fn has_length(self, digits: usize) -> bool {
        match self {
            Self::Visa => matches!(digits, 13 | 16 | 19),
            Self::Mastercard => digits == 16,
            Self::AmericanExpress => digits == 15,
            Self::Discover => (16..=19).contains(&digits),
        }
    }

    /// The digits at which a number of this brand is complete whatever follows.
    #[must_use]
    pub fn longest(self) -> usize {
        match self {
            Self::Visa | Self::Discover => 19,
            Self::Mastercard => 16,
            Self::AmericanExpress => 15,
        }
    }
}

#[cfg(test)]
mod tests {
    use secret::{Arena, Digit, FieldIndex, Slot};

    use super::*;
    use crate::capture::fixtures;

    const FIELD: FieldIndex = FieldIndex::ALL[0];

    fn slot(digits: &str) -> Slot {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        for byte in digits.bytes() {
            slot.push(FIELD, Digit::from_ascii(byte).unwrap()).unwrap();
        }
        slot
    }

    fn guessed(digits: &str) -> BrandGuess {
        guess(&slot(digits).digits(FIELD))
    }

    #[test]
    fn published_numbers_have_their_brand_length_and_check_digit() {
        for card in fixtures::CARDS {
            assert_eq!(guessed(card.number), BrandGuess::Known(card.brand));
            assert!(card.brand.has_length(card.number.len()));
            assert!(luhn_holds(&slot(card.number).digits(FIELD)));
            assert_eq!(card.security_code.len(), card.brand.security_code_digits());
        }
        for number in fixtures::OTHER_NETWORKS {
            assert_eq!(guessed(number), BrandGuess::Unknown);
        }
    }

    #[test]
    fn every_networks_numbers_begin_as_a_card_and_a_gateways_own_do_not() {
        let begins = |number: &str| begins_as_a_card(number.bytes().map(|byte| byte - b'0'));
        let cards = fixtures::CARDS.iter().map(|card| card.number);
        for number in cards.chain(fixtures::OTHER_NETWORKS) {
            assert!(begins(number), "{number}");
        }
        for number in ["8110000000000005", "8200000000000007", "9792000000000001"] {
            assert!(begins(number), "{number}");
        }
        for number in [
            "993617895204576",
            "8836067898462342",
            "0000000000000000",
            "7",
            "",
        ] {
            assert!(!begins(number), "{number}");
        }
    }

    #[test]
    fn ranges_end_where_the_brands_say() {
        use BrandGuess::{Known, Unknown};
        for (number, expected) in [
            ("2220990000000002", Unknown),
            ("2221000000000009", Known(Brand::Mastercard)),
            ("2720990000000007", Known(Brand::Mastercard)),
            ("2721000000000004", Unknown),
            ("5000000000000009", Unknown),
            ("5600000000000003", Unknown),
            ("340000000000009", Known(Brand::AmericanExpress)),
            ("379999000000006", Known(Brand::AmericanExpress)),
            ("3500000000000009", Unknown),
            ("3527990000000000", Unknown),
            ("3528000000000007", Unknown),
            ("3589990000000005", Unknown),
            ("3590000000000000", Unknown),
            ("3059990000000006", Unknown),
            ("3060000000000001", Unknown),
            ("36000000000008", Unknown),
            ("6221250000000001", Unknown),
            ("6221260000000000", Unknown),
            ("6229250000000003", Unknown),
            ("6229260000000002", Unknown),
            ("6439990000000000", Unknown),
            ("6440000000000005", Known(Brand::Discover)),
            ("6499990000000007", Known(Brand::Discover)),
            ("6500000000000002", Known(Brand::Discover)),
            ("6599990000000000007", Known(Brand::Discover)),
            ("6600000000000001", Unknown),
            ("4000000000006", Known(Brand::Visa)),
        ] {
            assert_eq!(guessed(number), expected, "{number}");
            assert!(luhn_holds(&slot(number).digits(FIELD)), "{number}");
        }
    }

    #[test]
    fn a_brand_is_known_as_soon_as_no_further_digit_can_change_it() {
        use BrandGuess::{Known, Open, Unknown};
        for (digits, expected) in [
            ("", Open),
            ("4", Known(Brand::Visa)),
            ("5", Open),
            ("51", Known(Brand::Mastercard)),
            ("50", Unknown),
            ("2", Open),
            ("222", Open),
            ("2220", Unknown),
            ("2221", Known(Brand::Mastercard)),
            ("272", Open),
            ("2720", Known(Brand::Mastercard)),
            ("2721", Unknown),
            ("3", Open),
            ("34", Known(Brand::AmericanExpress)),
            ("35", Unknown),
            ("6", Open),
            ("60", Open),
            ("6011", Known(Brand::Discover)),
            ("65", Known(Brand::Discover)),
            ("64", Open),
            ("643", Unknown),
            ("0", Unknown),
        ] {
            assert_eq!(guessed(digits), expected, "{digits}");
        }
    }

    #[test]
    fn one_wrong_digit_breaks_the_check_digit() {
        for card in fixtures::CARDS {
            for place in 0..card.number.len() {
                let mut wrong = card.number.as_bytes().to_vec();
                wrong[place] = b'0' + (wrong[place] - b'0' + 1) % 10;
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(!luhn_holds(&slot(&wrong).digits(FIELD)), "{wrong}");
            }
        }
        assert!(!luhn_holds(&slot("").digits(FIELD)));
        assert!(!luhn_holds(&slot("0").digits(FIELD)));
    }
}
