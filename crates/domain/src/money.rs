//! Amounts of money.
//! Owns: their exact form and their text.
//! Never: a floating-point number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Largest amount in minor units: 99,999,999.99.
pub const AMOUNT_MINOR_MAX: i64 = 9_999_999_999;

/// Text that is no amount or no currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not digits with at most the currency's decimals.
    #[error("write the amount as digits with at most {decimals} decimals, for example 120.50")]
    Amount {
        /// Decimals of the currency.
        decimals: u32,
    },
    /// Zero, or above [`AMOUNT_MINOR_MAX`].
    #[error("the amount is above zero and at most 99999999.99")]
    Range,
    /// Not three capital letters.
    #[error("a currency has three capital letters, for example USD")]
    Currency,
}

/// An ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");

    /// Of letters that are a code: for constants.
    #[must_use]
    pub(crate) const fn from_letters(letters: [u8; 3]) -> Self {
        Self(letters)
    }

    /// Its three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Its number in ISO 4217; none: that standard has no such code.
    #[must_use]
    pub fn number(self) -> Option<u16> {
        let listed = iso_currency::Currency::from_code(self.as_str())?;
        Some(listed.numeric())
    }

    /// Digits after the decimal point: 2, but 0 or 3 for the currencies that ISO 4217 lists so.
    #[must_use]
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let letters: [u8; 3] = text
            .as_bytes()
            .try_into()
            .map_err(|_| MoneyError::Currency)?;
        if letters.iter().all(u8::is_ascii_uppercase) {
            Ok(Self(letters))
        } else {
            Err(MoneyError::Currency)
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Money {
    /// In the currency's smallest unit.
    pub minor: i64,
    /// Its currency.
    pub currency: Currency,
}

impl Money {
    /// Reads "120.50".
    ///
    /// # Errors
    /// No number with the currency's decimals, zero, or too much.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let decimals = currency.decimals();
        let wrong = MoneyError::Amount { decimals };
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let places = usize::try_from(decimals).unwrap_or(2);
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > places {
            return Err(wrong);
        }
        let padded = format!("{whole}{fraction:0<places$}");
        let minor: i64 = padded.parse().map_err(|_| MoneyError::Range)?;
        if (1..=AMOUNT_MINOR_MAX).contains(&minor) {
            Ok(Self { minor, currency })
        } else {
            Err(MoneyError::Range)
        }
    }

    /// The amount without its currency: "120.50".
    #[must_use]
    pub fn amount_text(&self) -> String {
        let decimals = usize::try_from(self.currency.decimals()).unwrap_or(2);
        let digits = format!("{:0>width$}", self.minor, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.currency.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_decimals() {
        let money = Money::parse("120.5", Currency::USD).unwrap();
        assert_eq!(
            (money.minor, money.to_string()),
            (12_050, "120.50 USD".to_owned())
        );
        let yen = Money::parse("1200", "JPY".parse().unwrap()).unwrap();
        assert_eq!(yen.to_string(), "1200 JPY");
        assert_eq!(
            Money::parse("0.05", Currency::USD).unwrap().amount_text(),
            "0.05"
        );
    }

    #[test]
    fn a_currency_has_the_number_that_iso_4217_gives_it() {
        for (code, number) in [
            ("USD", Some(840)),
            ("EUR", Some(978)),
            ("AUD", Some(36)),
            ("JPY", Some(392)),
            ("ZZZ", None),
        ] {
            let currency: Currency = code.parse().unwrap();
            assert_eq!(currency.number(), number, "{code}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-1", "1,5", "1.234", "0", "0.00", "1e3", "1 000"] {
            assert!(Money::parse(text, Currency::USD).is_err(), "{text}");
        }
        assert_eq!(
            Money::parse("100000000.00", Currency::USD),
            Err(MoneyError::Range)
        );
    }
}
