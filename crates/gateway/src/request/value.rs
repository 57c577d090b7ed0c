//! Values of parameters.
//! Owns: text, credentials and borrowed digits, side by side.
//! Never: joins digits with anything outside a secret buffer.

use std::borrow::Cow;

use domain::boundary::Charge;
use secret::Digits;
use zeroize::Zeroizing;

/// Digits before the hidden ones of a masked card number.
const FIRST_SHOWN: usize = 6;

/// Digits after them.
pub(crate) const LAST_SHOWN: usize = 4;

/// A value in pieces; none: empty.
#[derive(Default)]
pub(crate) struct Value<'a> {
    pub(crate) pieces: Vec<Piece<'a>>,
    /// JSON writes it without quotes.
    pub(crate) is_bare: bool,
}

/// A piece of a value.
pub(crate) enum Piece<'a> {
    /// Text that is no secret.
    Text(Cow<'a, str>),
    /// A credential, or what was made of one.
    Secret(Zeroizing<String>),
    /// Keyed digits, and whether a preview may show the last four of them (SETTLED S15).
    Digits(Digits<'a>, LastFour),
}

/// What a preview shows of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastFour {
    /// The last four: they end a card number.
    Shown,
    /// None.
    Hidden,
}

impl Piece<'_> {
    /// Bytes that it has before anything is escaped.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Secret(text) => text.len(),
            Self::Digits(digits, _) => digits.len(),
        }
    }
}

impl<'a> Value<'a> {
    /// Text alone.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let mut value = Self::default();
        value.push_text(text);
        value
    }

    /// Digits alone, if there are any.
    pub(crate) fn digits(digits: Option<Digits<'a>>) -> Self {
        let mut value = Self::default();
        value.push_digits(digits, LastFour::Hidden);
        value
    }

    /// A card number, or the end of one.
    pub(crate) fn number(digits: Option<Digits<'a>>) -> Self {
        let mut value = Self::default();
        value.push_digits(digits, LastFour::Shown);
        value
    }

    /// A card number with stars in its middle; empty if there is no middle.
    pub(crate) fn masked(number: &Digits<'a>) -> Self {
        let mut value = Self::default();
        let hidden = number.len().saturating_sub(FIRST_SHOWN + LAST_SHOWN);
        if hidden > 0 {
            value.push_digits(first_six(number), LastFour::Hidden);
            value.push_text("*".repeat(hidden));
            value.push_digits(last_four(number), LastFour::Shown);
        }
        value
    }

    /// Nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes that it has before anything is escaped.
    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Puts another behind it.
    pub(crate) fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// Puts text behind it.
    pub(crate) fn push_text(&mut self, text: impl Into<Cow<'a, str>>) {
        let text = text.into();
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
    }

    /// Puts a credential behind it.
    pub(crate) fn push_secret(&mut self, text: Zeroizing<String>) {
        if !text.is_empty() {
            self.pieces.push(Piece::Secret(text));
        }
    }

    /// Puts digits behind it.
    pub(crate) fn push_digits(&mut self, digits: Option<Digits<'a>>, last_four: LastFour) {
        if let Some(digits) = digits.filter(|digits| !digits.is_empty()) {
            self.pieces.push(Piece::Digits(digits, last_four));
        }
    }
}

/// What the agent typed under a standard name.
pub(crate) fn typed<'a>(charge: &'a Charge, name: &str) -> &'a str {
    charge.form.values.get(name).map_or("", |text| text.trim())
}

/// The first six of a card number.
pub(crate) fn first_six<'a>(number: &Digits<'a>) -> Option<Digits<'a>> {
    number.part(0..FIRST_SHOWN)
}

/// The last four.
pub(crate) fn last_four<'a>(number: &Digits<'a>) -> Option<Digits<'a>> {
    number.part(number.len().checked_sub(LAST_SHOWN)?..number.len())
}
