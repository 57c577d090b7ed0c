//! The value of a parameter.
//! Owns: text and borrowed digits, side by side.
//! Never: joins them outside a secret buffer.

use std::borrow::Cow;

use domain::boundary::Charge;
use domain::capture::Field;
use domain::capture::brand::{BrandGuess, guess};
use domain::gateway::template::Part;
use domain::gateway::{Mapping, Template, Variable};
use secret::Digits;

use crate::failure::Failure;

/// Digits before the hidden ones of a masked card number.
const FIRST_SHOWN: usize = 6;

/// Digits after them.
pub(crate) const LAST_SHOWN: usize = 4;

/// A value in pieces; none: empty.
#[derive(Default)]
pub(crate) struct Value<'a>(pub(crate) Vec<Piece<'a>>);

/// A piece of a value.
pub(crate) enum Piece<'a> {
    /// Text that is no secret.
    Text(Cow<'a, str>),
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

impl<'a> Value<'a> {
    /// Text alone.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let mut value = Self::default();
        value.push_text(text);
        value
    }

    /// A token's value.
    pub(crate) fn variable(charge: &'a Charge, variable: Variable) -> Self {
        let mut value = Self::default();
        value.push_variable(charge, variable);
        value
    }

    /// A mapping row's value.
    pub(crate) fn mapping(charge: &'a Charge, row: &'a Mapping) -> Result<Self, Failure> {
        let template = Template::parse(&row.value)
            .map_err(|error| Failure::render(format!("the mapping of {}: {error}", row.name)))?;
        let mut value = Self::default();
        for part in template.parts() {
            match part {
                Part::Literal(text) => value.push_text(text.clone()),
                Part::Token(variable) => value.push_variable(charge, *variable),
            }
        }
        Ok(value)
    }

    /// Nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push_text(&mut self, text: impl Into<Cow<'a, str>>) {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Piece::Text(text));
        }
    }

    fn push_digits(&mut self, digits: Option<Digits<'a>>) {
        self.push(digits, LastFour::Hidden);
    }

    /// A card number, or the end of one.
    fn push_number(&mut self, digits: Option<Digits<'a>>) {
        self.push(digits, LastFour::Shown);
    }

    fn push(&mut self, digits: Option<Digits<'a>>, last_four: LastFour) {
        if let Some(digits) = digits.filter(|digits| !digits.is_empty()) {
            self.0.push(Piece::Digits(digits, last_four));
        }
    }

    fn push_variable(&mut self, charge: &'a Charge, variable: Variable) {
        let keyed = |field: Field| charge.slot.digits(field.slot_index());
        match variable {
            Variable::CardNumber => self.push_number(Some(keyed(Field::CardNumber))),
            Variable::CardSecurityCode => self.push_digits(Some(keyed(Field::SecurityCode))),
            Variable::CheckRoutingNumber => self.push_digits(Some(keyed(Field::RoutingNumber))),
            Variable::CheckAccountNumber => self.push_digits(Some(keyed(Field::AccountNumber))),
            Variable::CardExpiry => {
                self.push_digits(month(&keyed(Field::Expiry)));
                self.push_digits(short_year(&keyed(Field::Expiry)));
            }
            Variable::CardExpiryMonth => self.push_digits(month(&keyed(Field::Expiry))),
            Variable::CardExpiryYear => self.push_year(&keyed(Field::Expiry)),
            Variable::CardExpiryYearShort => self.push_digits(short_year(&keyed(Field::Expiry))),
            Variable::CardFirstSix => {
                self.push_digits(keyed(Field::CardNumber).part(0..FIRST_SHOWN))
            }
            Variable::CardLastFour => self.push_number(last_four(&keyed(Field::CardNumber))),
            Variable::CardMasked => self.push_masked(&keyed(Field::CardNumber)),
            Variable::CardType => self.push_text(card_type(&keyed(Field::CardNumber))),
            Variable::PaymentAmount => self.push_text(charge.form.amount.amount_text()),
            Variable::PaymentAmountMinor => self.push_text(charge.form.amount.minor.to_string()),
            Variable::PaymentCurrency => {
                self.push_text(charge.form.amount.currency.as_str().to_owned())
            }
            Variable::PaymentReference => self.push_text(&*charge.reference),
            Variable::PaymentAttempt => self.push_text(charge.attempt.as_str()),
            Variable::Form(name) => self.push_text(typed(charge, name)),
            Variable::CallId => self.push_text(fact(charge, "call.id")),
            Variable::CallCalled => self.push_text(fact(charge, "call.called")),
            Variable::AgentName => self.push_text(fact(charge, "agent.name")),
        }
    }

    fn push_year(&mut self, expiry: &Digits<'a>) {
        match expiry.part(2..6) {
            Some(year) => self.push_digits(Some(year)),
            None => {
                if let Some(year) = short_year(expiry) {
                    self.push_text("20");
                    self.push_digits(Some(year));
                }
            }
        }
    }

    fn push_masked(&mut self, number: &Digits<'a>) {
        let hidden = number.len().saturating_sub(FIRST_SHOWN + LAST_SHOWN);
        if hidden > 0 {
            self.push_digits(number.part(0..FIRST_SHOWN));
            self.push_text("*".repeat(hidden));
            self.push_number(last_four(number));
        }
    }
}

/// What the agent typed under a standard name.
pub(crate) fn typed<'a>(charge: &'a Charge, name: &str) -> &'a str {
    charge.form.values.get(name).map_or("", |text| text.trim())
}

fn fact<'a>(charge: &'a Charge, name: &str) -> &'a str {
    let found = charge.facts.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, text)| text)
}

fn month<'a>(expiry: &Digits<'a>) -> Option<Digits<'a>> {
    expiry.part(0..2)
}

/// The last two of MMYY or MMYYYY.
fn short_year<'a>(expiry: &Digits<'a>) -> Option<Digits<'a>> {
    expiry.part(4..6).or_else(|| expiry.part(2..4))
}

fn last_four<'a>(number: &Digits<'a>) -> Option<Digits<'a>> {
    number.part(number.len().checked_sub(LAST_SHOWN)?..number.len())
}

fn card_type(number: &Digits<'_>) -> &'static str {
    match guess(number) {
        BrandGuess::Known(brand) => brand.name(),
        BrandGuess::Open | BrandGuess::Unknown => "",
    }
}
