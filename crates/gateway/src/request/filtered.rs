//! Applying filters.
//! Owns: a value between two filters, and what each filter makes of it (docs/decisions/0008).
//! Never: computes with keyed digits, or leaves a copy of a credential behind.

use std::borrow::Cow;

use aws_lc_rs::{digest, hmac};
use base64ct::{Base64, Encoding};
use domain::gateway::filter::{DateFormat, Filter, Hash};
use domain::money::Money;
use domain::time::UnixMillis;
use jiff::civil::Date;
use secret::Digits;
use zeroize::Zeroizing;

use super::expiry;
use super::value::{LastFour, Value};

/// Longest result of a filter in bytes: a body's share. Longer ones are cut by nobody and refused.
const RESULT_BYTES_MAX: usize = 16 * 1024;

/// A value on its way through filters.
pub(crate) enum Held<'a> {
    /// Keyed digits, with text between them perhaps.
    Keyed(Value<'a>),
    /// A keyed expiry date.
    Expiry(Digits<'a>),
    /// Text.
    Text(Words),
    /// An amount.
    Amount(Money),
    /// A day; none: there is no such day, which writes nothing.
    Date(Option<Date>),
    /// A point in time.
    Instant(UnixMillis),
    /// Bytes.
    Bytes(Octets),
    /// What JSON writes without quotes.
    Bare(Value<'a>),
}

/// Text that may be a credential.
#[derive(Clone)]
pub(crate) struct Words {
    pub(crate) text: Zeroizing<String>,
    pub(crate) is_secret: bool,
}

/// Bytes that may be a credential.
#[derive(Clone)]
pub(crate) struct Octets {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) is_secret: bool,
}

/// A filter that does not fit, or makes too much; the words end "the value of ... ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit(pub(crate) String);

impl Words {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: Zeroizing::new(text.into()),
            is_secret: false,
        }
    }

    pub(crate) fn secret(text: &str) -> Self {
        Self {
            text: Zeroizing::new(text.to_owned()),
            is_secret: true,
        }
    }

    pub(crate) fn into_octets(self) -> Octets {
        Octets {
            bytes: Zeroizing::new(self.text.as_bytes().to_vec()),
            is_secret: self.is_secret,
        }
    }
}

impl<'a> Held<'a> {
    /// As it stands in a request without further filters.
    pub(crate) fn into_value(self) -> Result<Value<'a>, Unfit> {
        Ok(match self {
            Self::Keyed(value) | Self::Bare(value) => value,
            Self::Expiry(digits) => expiry::written(&digits, DateFormat::MonthShortYear),
            Self::Text(words) => words.into_value(),
            Self::Amount(amount) => Value::text(amount.amount_text()),
            Self::Date(day) => Value::text(written(day, DateFormat::Iso)),
            Self::Instant(at) => Value::text(at.iso_text()),
            Self::Bytes(_) => return Err(unfit("is bytes; end with hex or b64")),
        })
    }

    /// What a filter makes of it.
    pub(crate) fn filtered(self, filter: &Filter, key: Option<&Octets>) -> Result<Self, Unfit> {
        match (self, filter) {
            (Self::Amount(amount), Filter::Minor) => Ok(plain(amount.minor.to_string())),
            (Self::Amount(amount), Filter::Major) => Ok(plain(major(amount))),
            (Self::Amount(amount), Filter::Decimal(decimals)) => {
                Ok(plain(decimal(amount, *decimals)))
            }
            (Self::Amount(amount), Filter::Num) => Ok(bare(Value::text(amount.amount_text()))),
            (Self::Expiry(digits), Filter::Date(format)) => {
                Ok(Self::Keyed(expiry::written(&digits, *format)))
            }
            (Self::Date(day), Filter::Date(format)) => Ok(plain(written(day, *format))),
            (Self::Instant(at), Filter::Date(DateFormat::Iso)) => Ok(plain(at.iso_text())),
            (Self::Instant(at), Filter::Date(format)) => {
                Ok(plain(written(Some(at.utc_date()), *format)))
            }
            (Self::Keyed(value), Filter::Int) => Ok(bare(whole_digits(value)?)),
            (Self::Text(words), filter) => words.filtered(filter, key),
            (Self::Bytes(octets), filter) => octets.filtered(filter, key),
            (_, filter) => Err(misfit(filter)),
        }
    }
}

fn plain<'a>(text: String) -> Held<'a> {
    Held::Text(Words::plain(text))
}

fn bare(mut value: Value<'_>) -> Held<'_> {
    value.is_bare = true;
    Held::Bare(value)
}

fn unfit(why: &str) -> Unfit {
    Unfit(why.to_owned())
}

fn misfit(filter: &Filter) -> Unfit {
    Unfit(format!("cannot go through \u{201c}{filter}\u{201d}"))
}

fn written(day: Option<Date>, format: DateFormat) -> String {
    day.map_or(String::new(), |day| format.write(day))
}

/// 120.50 as 120.5, 120.00 as 120.
fn major(amount: Money) -> String {
    let text = amount.amount_text();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// With so many decimals; those that it has beyond are cut only if they are zeros.
fn decimal(amount: Money, decimals: u32) -> String {
    let text = major(amount);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = usize::try_from(decimals).unwrap_or(0).max(part.len());
    match decimals {
        0 => whole.to_owned(),
        decimals => format!("{whole}.{part:0<decimals$}"),
    }
}

/// Digits alone, as JSON writes a number.
fn whole_digits(value: Value<'_>) -> Result<Value<'_>, Unfit> {
    use super::value::Piece;
    let mut pieces = value.pieces.into_iter();
    match (pieces.next(), pieces.next(), pieces.next()) {
        (None, ..) => Ok(Value::default()),
        (Some(Piece::Digits(digits, _)), None, _) => {
            Ok(Value::digits(Some(digits.without_leading_zeros())))
        }
        // The century, and the year that was keyed.
        (Some(Piece::Text(text)), Some(Piece::Digits(digits, _)), None)
            if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0') =>
        {
            let mut whole = Value::text(text);
            whole.push_digits(Some(digits), LastFour::Hidden);
            Ok(whole)
        }
        _ => Err(unfit("is no whole number")),
    }
}

impl Words {
    fn into_value<'a>(self) -> Value<'a> {
        let mut value = Value::default();
        match self.is_secret {
            true => value.push_secret(self.text),
            false => value.push_text(Cow::Owned(self.text.to_string())),
        }
        value
    }

    fn filtered<'a>(self, filter: &Filter, key: Option<&Octets>) -> Result<Held<'a>, Unfit> {
        if let Some(made) = bare_text(&self.text, filter) {
            return made.map(|text| bare(Value::text(text)));
        }
        if let Some(text) = text(&self.text, filter) {
            if text.len() > RESULT_BYTES_MAX {
                return Err(unfit("is longer than 16 KiB"));
            }
            return Ok(Held::Text(Self { text, ..self }));
        }
        let is_secret = self.is_secret;
        let octets = |bytes| {
            let bytes = Zeroizing::new(bytes);
            Held::Bytes(Octets { bytes, is_secret })
        };
        match filter {
            Filter::Unhex => unhex(&self.text)
                .map(octets)
                .ok_or_else(|| unfit("is not hexadecimal")),
            Filter::Unbase64 => Base64::decode_vec(self.text.trim())
                .map(octets)
                .map_err(|_| unfit("is not base 64")),
            filter => self.into_octets().filtered(filter, key),
        }
    }
}

impl Octets {
    /// The MAC or hash of bytes that lie somewhere else: the body is never copied.
    pub(crate) fn hashed(
        bytes: &[u8],
        filter: &Filter,
        key: Option<&Self>,
        is_secret: bool,
    ) -> Option<Self> {
        let (made, is_secret) = match (filter, key) {
            (Filter::Hash(hash), _) => {
                let made = digest::digest(algorithm(*hash), bytes);
                (made.as_ref().to_vec(), is_secret)
            }
            (Filter::Hmac(hash, _), Some(key)) => {
                let key = hmac::Key::new(mac(*hash), &key.bytes);
                (hmac::sign(&key, bytes).as_ref().to_vec(), false)
            }
            _ => return None,
        };
        Some(Self {
            bytes: Zeroizing::new(made),
            is_secret,
        })
    }

    fn filtered<'a>(self, filter: &Filter, key: Option<&Self>) -> Result<Held<'a>, Unfit> {
        if let Some(hashed) = Self::hashed(&self.bytes, filter, key, self.is_secret) {
            return Ok(Held::Bytes(hashed));
        }
        let text = match filter {
            Filter::Hex => self
                .bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            Filter::Base64 => Base64::encode_string(&self.bytes),
            filter => return Err(misfit(filter)),
        };
        Ok(Held::Text(Words {
            text: Zeroizing::new(text),
            is_secret: self.is_secret,
        }))
    }
}

fn algorithm(hash: Hash) -> &'static digest::Algorithm {
    match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha512 => &digest::SHA512,
    }
}

fn mac(hash: Hash) -> hmac::Algorithm {
    match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha512 => hmac::HMAC_SHA512,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// What JSON writes without quotes; none: the filter is another. Nothing stays nothing.
fn bare_text(text: &str, filter: &Filter) -> Option<Result<String, Unfit>> {
    let text = text.trim();
    let is_whole = || {
        let digits = text.strip_prefix('-').unwrap_or(text);
        digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'))
    };
    let is_right = match filter {
        Filter::Int => is_whole(),
        Filter::Num => serde_json::from_str::<serde_json::Number>(text).is_ok(),
        Filter::Bool => matches!(text, "true" | "false"),
        _ => return None,
    };
    Some(match text.is_empty() || is_right {
        true => Ok(text.to_owned()),
        false => Err(misfit(filter)),
    })
}

/// What a filter of text makes; none: the filter is another.
fn text(text: &str, filter: &Filter) -> Option<Zeroizing<String>> {
    let made: String = match filter {
        Filter::Upper => text.to_uppercase(),
        Filter::Lower => text.to_lowercase(),
        Filter::Trim => text.trim().to_owned(),
        Filter::OnlyDigits => text.chars().filter(char::is_ascii_digit).collect(),
        Filter::Ascii => text.chars().filter(char::is_ascii).collect(),
        Filter::Truncate(chars) => text.chars().take(*chars).collect(),
        Filter::Pad(chars) => {
            let missing = chars.saturating_sub(text.chars().count());
            format!("{}{text}", "0".repeat(missing))
        }
        Filter::Replace(from, to) => text.replace(from.as_str(), to),
        Filter::Default(other) if text.is_empty() => other.clone(),
        Filter::Default(_) => text.to_owned(),
        Filter::Map(pairs) => {
            let pair = pairs.iter().find(|(from, _)| from == text);
            pair.map_or(String::new(), |(_, to)| to.clone())
        }
        Filter::Word(place) => word(text, *place).to_owned(),
        Filter::UrlEncode => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        Filter::JsonEscape => {
            let quoted = serde_json::Value::from(text).to_string();
            let inner = quoted.len().saturating_sub(1);
            quoted.get(1..inner).unwrap_or_default().to_owned()
        }
        Filter::XmlEscape => quick_xml::escape::escape(text).into_owned(),
        _ => return None,
    };
    Some(Zeroizing::new(made))
}

fn word(text: &str, place: i8) -> &str {
    let at = usize::from(place.unsigned_abs()).saturating_sub(1);
    let mut words = text.split_whitespace();
    let found = match place > 0 {
        true => words.nth(at),
        false => words.nth_back(at),
    };
    found.unwrap_or_default()
}
