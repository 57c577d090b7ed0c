//! What may be done with a value on its way into a request.
//! Owns: the closed list of filters, their arguments, what they take and what they give.
//! Never: applies one; the gateway room does.

use std::fmt;

use super::variable::{Kind, Source};

/// Longest text that `pad` makes and `truncate` leaves, in characters.
const LENGTH_MAX: usize = 1_000;

/// Decimals of `decimal`: no currency has more.
const DECIMALS_MAX: u32 = 4;

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `minor`: an amount in the currency's smallest unit, 12050.
    Minor,
    /// `major`: an amount without trailing zeros, 120.5.
    Major,
    /// `decimal:2`: an amount with so many decimals, whatever its currency has.
    Decimal(u32),
    /// `int`: a whole number without quotes.
    Int,
    /// `num`: a number without quotes.
    Num,
    /// `bool`: `true` or `false` without quotes.
    Bool,
    /// `upper`
    Upper,
    /// `lower`
    Lower,
    /// `trim`
    Trim,
    /// `digits`: only its digits.
    OnlyDigits,
    /// `ascii`: without what is not ASCII.
    Ascii,
    /// `truncate:20`: the first characters.
    Truncate(usize),
    /// `pad:6`: zeros before it, up to so many characters.
    Pad(usize),
    /// `replace:a,b`: every a becomes b.
    Replace(String, String),
    /// `default:x`: x where it is empty.
    Default(String),
    /// `map:visa=001,mastercard=002`: the value beside it; one that is not listed becomes empty.
    Map(Vec<(String, String)>),
    /// `word:1`: the first word, `word:-1` the last.
    Word(i8),
    /// `MMYY` and its like.
    Date(DateFormat),
    /// `urlenc`
    UrlEncode,
    /// `json`: as within a JSON text.
    JsonEscape,
    /// `xml`: as within an XML text.
    XmlEscape,
    /// `hex`: bytes as hexadecimal digits.
    Hex,
    /// `unhex`
    Unhex,
    /// `b64`: bytes in base 64.
    Base64,
    /// `unb64`
    Unbase64,
    /// `sha1`, `sha256`, `sha512`
    Hash(Hash),
    /// `hmac256:let.key`, `hmac512:secret.key`: keyed with what is named.
    Hmac(Hash, Source),
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1. Old gateways ask for it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFormat {
    /// 0330
    MonthShortYear,
    /// 03/30
    MonthSlashShortYear,
    /// 032030
    MonthYear,
    /// 03/2030
    MonthSlashYear,
    /// 2030-03
    YearDashMonth,
    /// 203003
    YearMonth,
    /// 3003
    ShortYearMonth,
    /// 03
    Month,
    /// 3
    MonthNumber,
    /// 30
    ShortYear,
    /// 2030
    Year,
    /// 25
    Day,
    /// 2030-03-25
    Iso,
    /// 20300325
    YearMonthDay,
    /// 03252030
    MonthDayYear,
}

/// Formats with their names. Those from `DD` on need a day, which an expiry has not.
const DATE_FORMATS: [(&str, DateFormat); 15] = [
    ("MMYY", DateFormat::MonthShortYear),
    ("MM/YY", DateFormat::MonthSlashShortYear),
    ("MMYYYY", DateFormat::MonthYear),
    ("MM/YYYY", DateFormat::MonthSlashYear),
    ("YYYY-MM", DateFormat::YearDashMonth),
    ("YYYYMM", DateFormat::YearMonth),
    ("YYMM", DateFormat::ShortYearMonth),
    ("MM", DateFormat::Month),
    ("M", DateFormat::MonthNumber),
    ("YY", DateFormat::ShortYear),
    ("YYYY", DateFormat::Year),
    ("DD", DateFormat::Day),
    ("iso", DateFormat::Iso),
    ("YYYYMMDD", DateFormat::YearMonthDay),
    ("MMDDYYYY", DateFormat::MonthDayYear),
];

impl DateFormat {
    /// A day as it is written. Years have four digits.
    #[must_use]
    pub fn write(self, day: jiff::civil::Date) -> String {
        let (year, month, of_month) = (day.year(), day.month(), day.day());
        let short = year.rem_euclid(100);
        match self {
            Self::MonthShortYear => format!("{month:02}{short:02}"),
            Self::MonthSlashShortYear => format!("{month:02}/{short:02}"),
            Self::MonthYear => format!("{month:02}{year:04}"),
            Self::MonthSlashYear => format!("{month:02}/{year:04}"),
            Self::YearDashMonth => format!("{year:04}-{month:02}"),
            Self::YearMonth => format!("{year:04}{month:02}"),
            Self::ShortYearMonth => format!("{short:02}{month:02}"),
            Self::Month => format!("{month:02}"),
            Self::MonthNumber => month.to_string(),
            Self::ShortYear => format!("{short:02}"),
            Self::Year => format!("{year:04}"),
            Self::Day => format!("{of_month:02}"),
            Self::Iso => format!("{year:04}-{month:02}-{of_month:02}"),
            Self::YearMonthDay => format!("{year:04}{month:02}{of_month:02}"),
            Self::MonthDayYear => format!("{month:02}{of_month:02}{year:04}"),
        }
    }

    /// Whether it says a day of the month.
    #[must_use]
    pub fn needs_day(self) -> bool {
        matches!(
            self,
            Self::Day | Self::Iso | Self::YearMonthDay | Self::MonthDayYear
        )
    }
}

/// Filters without an argument.
const PLAIN: [(&str, Filter); 20] = [
    ("minor", Filter::Minor),
    ("major", Filter::Major),
    ("int", Filter::Int),
    ("num", Filter::Num),
    ("bool", Filter::Bool),
    ("upper", Filter::Upper),
    ("lower", Filter::Lower),
    ("trim", Filter::Trim),
    ("digits", Filter::OnlyDigits),
    ("ascii", Filter::Ascii),
    ("urlenc", Filter::UrlEncode),
    ("json", Filter::JsonEscape),
    ("xml", Filter::XmlEscape),
    ("hex", Filter::Hex),
    ("unhex", Filter::Unhex),
    ("b64", Filter::Base64),
    ("unb64", Filter::Unbase64),
    ("sha1", Filter::Hash(Hash::Sha1)),
    ("sha256", Filter::Hash(Hash::Sha256)),
    ("sha512", Filter::Hash(Hash::Sha512)),
];

/// Why a text is no filter. The words end a sentence that begins with the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No filter has this name.
    #[error("is no filter; the list of filters is beside the field")]
    Unknown,
    /// It takes no argument.
    #[error("takes nothing after a colon")]
    NoArgument,
    /// A number is needed.
    #[error("needs a number after its colon, for example truncate:20")]
    Number,
    /// Two texts are needed.
    #[error("needs two texts with a comma between, for example replace:-,")]
    Pair,
    /// A map is needed.
    #[error("needs pairs, for example map:visa=001,amex=003")]
    Map,
    /// A name is needed.
    #[error("needs the name of its key, for example hmac256:secret.key")]
    Key,
}

impl Filter {
    /// Reads one filter, without the bar before it.
    ///
    /// # Errors
    /// There is no such filter, or its argument is of no use.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name.trim(), Some(argument)),
            None => (text.trim(), None),
        };
        if let Some(plain) = plain(name) {
            return match argument {
                None => Ok(plain),
                Some(_) => Err(FilterError::NoArgument),
            };
        }
        let argument = argument.unwrap_or_default();
        match name {
            "decimal" => number(argument, DECIMALS_MAX).map(Self::Decimal),
            "truncate" => number(argument, LENGTH_MAX).map(Self::Truncate),
            "pad" => number(argument, LENGTH_MAX).map(Self::Pad),
            "word" => word(argument),
            "default" => Ok(Self::Default(argument.to_owned())),
            "replace" => pair(argument),
            "map" => map(argument),
            "hmac256" => key(argument).map(|key| Self::Hmac(Hash::Sha256, key)),
            "hmac512" => key(argument).map(|key| Self::Hmac(Hash::Sha512, key)),
            _ => Err(FilterError::Unknown),
        }
    }

    /// What it makes of a value of this kind; none: it takes none of it. Keyed digits are chosen among and never computed with.
    #[must_use]
    pub fn gives(&self, kind: Kind) -> Option<Kind> {
        match (self, kind) {
            (Self::Minor | Self::Major | Self::Decimal(_), Kind::Amount) => Some(Kind::Text),
            (Self::Date(format), Kind::Expiry) => (!format.needs_day()).then_some(Kind::Digits),
            (Self::Date(_), Kind::Date | Kind::Instant) => Some(Kind::Text),
            (Self::Int, Kind::Digits | Kind::Text) | (Self::Num | Self::Bool, Kind::Text) => {
                Some(Kind::Bare)
            }
            (Self::Num, Kind::Amount) => Some(Kind::Bare),
            (Self::Hash(_) | Self::Hmac(..), Kind::Text | Kind::Bytes) => Some(Kind::Bytes),
            (Self::Hex | Self::Base64, Kind::Text | Kind::Bytes) => Some(Kind::Text),
            (Self::Unhex | Self::Unbase64, Kind::Text) => Some(Kind::Bytes),
            (filter, Kind::Text) if filter.is_of_text() => Some(Kind::Text),
            _ => None,
        }
    }

    fn is_of_text(&self) -> bool {
        matches!(
            self,
            Self::Upper
                | Self::Lower
                | Self::Trim
                | Self::OnlyDigits
                | Self::Ascii
                | Self::Truncate(_)
                | Self::Pad(_)
                | Self::Replace(..)
                | Self::Default(_)
                | Self::Map(_)
                | Self::Word(_)
                | Self::UrlEncode
                | Self::JsonEscape
                | Self::XmlEscape
        )
    }
}

fn plain(name: &str) -> Option<Filter> {
    let format = DATE_FORMATS.iter().find(|(known, _)| *known == name);
    if let Some((_, format)) = format {
        return Some(Filter::Date(*format));
    }
    let filter = PLAIN.into_iter().find(|(known, _)| *known == name);
    filter.map(|(_, filter)| filter)
}

fn number<N: std::str::FromStr + PartialOrd>(text: &str, max: N) -> Result<N, FilterError> {
    let number = text.trim().parse().ok().filter(|number| *number <= max);
    number.ok_or(FilterError::Number)
}

fn word(text: &str) -> Result<Filter, FilterError> {
    let place = text.trim().parse().ok().filter(|place| *place != 0);
    place.map(Filter::Word).ok_or(FilterError::Number)
}

fn pair(text: &str) -> Result<Filter, FilterError> {
    match text.split_once(',') {
        Some((from, to)) if !from.is_empty() => Ok(Filter::Replace(from.into(), to.into())),
        Some(_) | None => Err(FilterError::Pair),
    }
}

fn map(text: &str) -> Result<Filter, FilterError> {
    let pairs = text.split(',').map(|pair| {
        let (from, to) = pair.split_once('=').ok_or(FilterError::Map)?;
        Ok((from.trim().to_owned(), to.trim().to_owned()))
    });
    Ok(Filter::Map(pairs.collect::<Result<_, FilterError>>()?))
}

fn key(text: &str) -> Result<Source, FilterError> {
    Source::parse(text.trim()).ok_or(FilterError::Key)
}

/// Its name, as errors say it.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = PLAIN.iter().find(|(_, filter)| filter == self);
        let format = DATE_FORMATS
            .iter()
            .find(|(_, format)| *self == Self::Date(*format));
        let with_argument = [
            ("decimal", matches!(self, Self::Decimal(_))),
            ("truncate", matches!(self, Self::Truncate(_))),
            ("pad", matches!(self, Self::Pad(_))),
            ("replace", matches!(self, Self::Replace(..))),
            ("default", matches!(self, Self::Default(_))),
            ("map", matches!(self, Self::Map(_))),
            ("word", matches!(self, Self::Word(_))),
            ("hmac256", matches!(self, Self::Hmac(Hash::Sha256, _))),
            ("hmac512", matches!(self, Self::Hmac(Hash::Sha512, _))),
        ];
        let argument = with_argument.iter().find(|(_, is_it)| *is_it);
        let name = plain
            .map(|(name, _)| *name)
            .or(format.map(|(name, _)| *name))
            .or(argument.map(|(name, _)| *name));
        f.write_str(name.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_read_their_arguments() {
        for (text, filter) in [
            ("minor", Filter::Minor),
            ("decimal:2", Filter::Decimal(2)),
            ("truncate:20", Filter::Truncate(20)),
            ("replace:-,", Filter::Replace("-".into(), String::new())),
            ("default:n/a: none", Filter::Default("n/a: none".into())),
            ("word:-1", Filter::Word(-1)),
            ("MM/YYYY", Filter::Date(DateFormat::MonthSlashYear)),
            (
                "map:visa=001, amex = 003",
                Filter::Map(vec![
                    ("visa".into(), "001".into()),
                    ("amex".into(), "003".into()),
                ]),
            ),
        ] {
            assert_eq!(Filter::parse(text), Ok(filter), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_says_why() {
        for (text, error) in [
            ("uper", FilterError::Unknown),
            ("", FilterError::Unknown),
            ("upper:1", FilterError::NoArgument),
            ("truncate", FilterError::Number),
            ("truncate:-1", FilterError::Number),
            ("pad:1001", FilterError::Number),
            ("decimal:5", FilterError::Number),
            ("word:0", FilterError::Number),
            ("replace:,b", FilterError::Pair),
            ("replace:a", FilterError::Pair),
            ("map:visa", FilterError::Map),
            ("hmac256", FilterError::Key),
            ("hmac256:key", FilterError::Key),
        ] {
            assert_eq!(Filter::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn keyed_digits_are_chosen_among_and_never_computed_with() {
        let named = PLAIN.into_iter().map(|(_, filter)| filter);
        let formats = DATE_FORMATS
            .into_iter()
            .map(|(_, format)| Filter::Date(format));
        for filter in named.chain(formats) {
            let digits = filter.gives(Kind::Digits);
            assert_eq!(digits.is_some(), filter == Filter::Int, "{filter}");
            let expiry = filter.gives(Kind::Expiry);
            assert!(matches!(expiry, None | Some(Kind::Digits)), "{filter}");
        }
    }

    #[test]
    fn nothing_follows_a_value_without_quotes() {
        for (_, filter) in PLAIN {
            assert_eq!(filter.gives(Kind::Bare), None, "{filter}");
        }
    }
}
