//! What the agent types for a payment.
//! Owns: the names, lengths and rules of the tabs Demographic and Payment, and the blocker of card numbers (SETTLED S15).
//! Never: passes a card number on: the widget captures those, nobody types them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::charged::FormProblems;
use crate::capture::PaymentType;
use crate::capture::brand::{BrandGuess, guess_values, luhn};
use crate::consumer::Consumer;
use crate::money::{AMOUNT_MINOR_MAX, Money};
use crate::text::{digit_of, is_invisible};

/// What the agent typed on the tabs Demographic and Payment. Keys are the standard parameter names of SETTLED S17 (`firstName`, `reference`, `accountType`, ...).
/// Values hold no run of digits that could be a card number (S15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentForm {
    /// The amount, without the fee until the form is charged.
    pub amount: Money,
    /// The fee that the customer was told, in the amount's minor units.
    #[serde(default)]
    pub fee_minor: i64,
    /// Everything else.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

/// A value that the agent may type, by the standard name under which a gateway receives it (S17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormParameter {
    /// Standard name.
    pub name: &'static str,
    /// Most characters.
    pub chars_max: usize,
}

const fn parameter(name: &'static str, chars_max: usize) -> FormParameter {
    FormParameter { name, chars_max }
}

/// Every name that [`PaymentForm::values`] may hold, in the order in which they are sent.
pub const FORM_PARAMETERS: [FormParameter; 25] = [
    parameter("accountType", 20),
    parameter("accountHolder", 100),
    parameter("reference", 50),
    parameter("description", 200),
    parameter("firstName", 60),
    parameter("lastName", 60),
    parameter("company", 100),
    parameter("address1", 100),
    parameter("address2", 100),
    parameter("city", 60),
    parameter("state", 40),
    parameter("postalCode", 16),
    parameter("country", 40),
    parameter("phone", 24),
    parameter("email", 200),
    parameter("accountReference", 50),
    parameter("arrangementType", 20),
    parameter("arrangementDate", 10),
    parameter("arrangementStart", 10),
    parameter("arrangementInterval", 20),
    parameter("arrangementCount", 4),
    parameter("arrangementEnd", 10),
    parameter("arrangementAmount", 12),
    parameter("arrangementLastAmount", 12),
    parameter("arrangementDownPayment", 12),
];

/// The parameter of a standard name.
#[must_use]
pub fn form_parameter(name: &str) -> Option<FormParameter> {
    FORM_PARAMETERS
        .into_iter()
        .find(|parameter| parameter.name == name)
}

impl PaymentForm {
    /// A value by its standard name; none if it is blank or was not typed.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// What is wrong whatever the widget asks for. A reference that came by the API is not taken for a card number (S15).
    ///
    /// # Errors
    /// All problems; the text of a value is in none of them.
    pub(super) fn check(
        &self,
        payment_type: PaymentType,
        given: &Consumer,
    ) -> Result<(), FormProblems> {
        let mut problems = Vec::new();
        if !(1..=AMOUNT_MINOR_MAX).contains(&self.amount.minor) {
            let message = "The amount is above zero and at most 99999999.99.";
            problems.push(("amount".to_owned(), message.to_owned()));
        }
        problems.extend(value_problems(&self.values, Some(payment_type), given));
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

/// What is wrong with values by themselves, before anything else of the form is known: name and what would be right.
#[must_use]
pub fn value_problems(
    values: &BTreeMap<String, String>,
    payment_type: Option<PaymentType>,
    given: &Consumer,
) -> Vec<(String, String)> {
    let problem = |(name, value): (&String, &String)| {
        let is_given = given.gave_reference(name, value);
        value_problem(name, value, payment_type, is_given).map(|message| (shortened(name), message))
    };
    values.iter().filter_map(problem).collect()
}

/// What is wrong with the text of a parameter.
pub(crate) fn text_problem(
    parameter: FormParameter,
    value: &str,
    may_look_like_card: bool,
) -> Option<String> {
    if value.chars().count() > parameter.chars_max {
        return Some(format!("Write at most {} characters.", parameter.chars_max));
    }
    if value.chars().any(char::is_control) {
        return Some("Write on one line, without control characters.".to_owned());
    }
    let refused = !may_look_like_card && holds_card_number(value);
    refused.then(|| {
        "This looks like a card number. Card numbers are keyed by the customer, never typed."
            .to_owned()
    })
}

fn value_problem(
    name: &str,
    value: &str,
    payment_type: Option<PaymentType>,
    is_given: bool,
) -> Option<String> {
    let Some(parameter) = form_parameter(name) else {
        return Some("There is no such value.".to_owned());
    };
    if let Some(message) = text_problem(parameter, value, is_given) {
        return Some(message);
    }
    let of_account = matches!(name, "accountType" | "accountHolder");
    if of_account && !value.is_empty() && payment_type == Some(PaymentType::Card) {
        return Some("A card has no account.".to_owned());
    }
    let is_known = value.is_empty() || Account::from_word(value).is_some();
    (name == "accountType" && !is_known).then(|| {
        let choices = Account::ALL.map(Account::word).join(", ");
        format!("Choose one of {choices}.")
    })
}

/// A name as an answer repeats it: known ones are short, unknown ones may be anything, a card number too.
fn shortened(name: &str) -> String {
    if form_parameter(name).is_some() {
        name.to_owned()
    } else {
        "values".to_owned()
    }
}

/// Characters between two digits of one typed number: a blank, a dash, a dot, or some of them.
const SEPARATORS_MAX: usize = 3;

/// Lengths of card numbers.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Whether a typed text holds 13 to 19 digits with a card's prefix and check digit (S15). What stands between groups of digits does not hide one
/// unless it is a letter, nor do characters that draw nothing, digits of other scripts, or a date and a code typed against it.
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    let separates = |c: char| !c.is_alphabetic();
    let runs = runs(text, separates, SEPARATORS_MAX);
    runs.iter()
        .any(|groups| run_holds_card(groups) || groups.iter().any(|group| edge_holds_card(group)))
}

/// The same for text that nobody typed, such as a log: groups count as they stand, and only blanks and dashes part those of one number. Long
/// numbers are common there, and something in them is always a card's.
#[must_use]
pub fn holds_card_number_in_groups(text: &str) -> bool {
    let separates =
        |c: char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let runs = runs(text, separates, usize::MAX);
    runs.iter().any(|groups| run_holds_card(groups))
}

/// Groups of digits, by run; a run goes on across so many characters that separate.
fn runs(text: &str, separates: fn(char) -> bool, separators_max: usize) -> Vec<Vec<Vec<u8>>> {
    let mut runs: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut between = usize::MAX;
    for c in text.chars().filter(|&c| !is_invisible(c)) {
        match (digit_of(c), runs.last_mut()) {
            (Some(digit), Some(run)) if between <= separators_max => match run.last_mut() {
                Some(group) if between == 0 => group.push(digit),
                _ => run.push(vec![digit]),
            },
            (Some(digit), _) => runs.push(vec![vec![digit]]),
            (None, _) if separates(c) => between = between.saturating_add(1),
            (None, _) => between = usize::MAX,
        }
        if digit_of(c).is_some() {
            between = 0;
        }
    }
    runs
}

/// Any neighbouring groups that make a card number together.
fn run_holds_card(groups: &[Vec<u8>]) -> bool {
    (0..groups.len()).any(|from| {
        let mut digits = Vec::new();
        groups[from..].iter().any(|group| {
            digits.extend_from_slice(group);
            is_card(&digits)
        })
    })
}

/// A group that begins or ends with a card number of today's lengths and else holds what stands beside one: a code, a date, or both.
fn edge_holds_card(group: &[u8]) -> bool {
    (15..=19_usize).any(|len| {
        let Some(rest) = group.len().checked_sub(len).filter(|rest| *rest > 0) else {
            return false;
        };
        let first = is_card(&group[..len]) && stands_beside_card(&group[len..]);
        first || is_card(&group[rest..]) && stands_beside_card(&group[..rest])
    })
}

fn stands_beside_card(digits: &[u8]) -> bool {
    let begins_with_month = matches!(digits, [0, 1..=9, ..] | [1, 0..=2, ..]);
    match digits.len() {
        3 | 4 => true,
        6..=10 => begins_with_month,
        _ => false,
    }
}

fn is_card(digits: &[u8]) -> bool {
    CARD_DIGITS.contains(&digits.len()) && luhn(digits.iter().copied()) && has_card_prefix(digits)
}

/// The four brands at their lengths, and the networks whose cards this server does not take but must not store either: Diners (14-19), JCB and
/// UnionPay (16-19).
fn has_card_prefix(digits: &[u8]) -> bool {
    if let BrandGuess::Known(brand) = guess_values(digits.iter().copied()) {
        return brand.has_length(digits.len());
    }
    match digits {
        [3, 0 | 6 | 8 | 9, ..] => digits.len() >= 14,
        [3, 5, ..] | [6, 2, ..] => digits.len() >= 16,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::fixtures;
    use crate::money::Currency;

    fn form(values: &[(&str, &str)]) -> PaymentForm {
        let names = [("firstName", "Jane"), ("lastName", "Roe")];
        PaymentForm {
            amount: Money::parse("120.50", Currency::USD).unwrap(),
            fee_minor: 0,
            values: names
                .iter()
                .chain(values)
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn wrong(form: &PaymentForm) -> Vec<String> {
        match form.check(PaymentType::Card, &Consumer::default()) {
            Ok(()) => Vec::new(),
            Err(problems) => problems.into_iter().map(|(name, _)| name).collect(),
        }
    }

    #[test]
    fn an_amount_above_zero_is_required() {
        assert!(wrong(&form(&[])).is_empty());
        let mut empty = form(&[]);
        empty.amount.minor = 0;
        assert_eq!(wrong(&empty), ["amount"]);
        empty.amount.minor = AMOUNT_MINOR_MAX + 1;
        assert_eq!(wrong(&empty), ["amount"]);
    }

    #[test]
    fn unknown_names_long_values_and_line_breaks_are_refused() {
        assert_eq!(wrong(&form(&[("cardNumber", "1")])), ["values"]);
        assert_eq!(wrong(&form(&[("city", &"x".repeat(61))])), ["city"]);
        assert!(wrong(&form(&[("city", &"é".repeat(60))])).is_empty());
        assert_eq!(wrong(&form(&[("city", "a\nb")])), ["city"]);
        assert!(FORM_PARAMETERS.iter().all(|one| one.chars_max <= 200));
    }

    #[test]
    fn account_types_belong_to_checks() {
        let typed = form(&[("accountType", "savings")]);
        assert_eq!(wrong(&typed), ["accountType"]);
        assert!(
            typed
                .check(PaymentType::Check, &Consumer::default())
                .is_ok()
        );
        let held = form(&[("accountHolder", "Roe Ltd")]);
        assert_eq!(wrong(&held), ["accountHolder"]);
        assert!(held.check(PaymentType::Check, &Consumer::default()).is_ok());
        let strange = form(&[("accountType", "gold")]);
        assert!(
            strange
                .check(PaymentType::Check, &Consumer::default())
                .is_err()
        );
    }

    /// A digit of another script.
    fn wide(digit: u8, zero: char) -> char {
        char::from_u32(u32::from(zero) + u32::from(digit - b'0')).unwrap()
    }

    #[test]
    fn every_published_card_number_is_blocked_however_it_is_written() {
        let numbers = fixtures::CARDS
            .iter()
            .map(|card| card.number)
            .chain(fixtures::OTHER_NETWORKS);
        for number in numbers {
            let spaced: Vec<String> = number
                .as_bytes()
                .chunks(4)
                .map(|group| String::from_utf8_lossy(group).into_owned())
                .collect();
            for text in [
                number.to_owned(),
                format!("card:{number}."),
                spaced.join(" "),
                spaced.join("-"),
                spaced.join("\u{a0}"),
                format!("invoice 12 {}", spaced.join(" - ")),
                format!("x{number}y"),
                spaced.join("."),
                spaced.join("/"),
                spaced.join("_"),
                spaced.join(" . "),
                spaced.join("\u{200b}"),
                number
                    .bytes()
                    .map(|digit| wide(digit, '\u{ff10}'))
                    .collect(),
                number.bytes().map(|digit| wide(digit, '\u{660}')).collect(),
            ] {
                assert!(holds_card_number(&text), "{}", text.len());
                assert_eq!(wrong(&form(&[("description", &text)])), ["description"]);
            }
        }
    }

    #[test]
    fn a_date_and_a_code_typed_against_a_number_do_not_hide_it() {
        let todays = |card: &&fixtures::TestCard| card.number.len() >= 15;
        for number in fixtures::CARDS
            .iter()
            .filter(todays)
            .map(|card| card.number)
        {
            for text in [
                format!("{number}1228"),
                format!("1228{number}"),
                format!("{number}1228737"),
                format!("{number}122028"),
                format!("737{number}"),
            ] {
                assert!(holds_card_number(&text), "{}", text.len());
            }
        }
    }

    #[test]
    fn ordinary_numbers_are_not_blocked() {
        for text in [
            "",
            "INV-2291",
            "4111 1111 1111",
            "4111111111111112",
            "0041 44 668 18 00",
            "2026-11-25 2026-12-25",
            "9999999999999995",
            "DE89 3704 0044 0532 0130 00",
            "74537604221222146711024",
            "25/11/2026 14:05:09.123",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }
}
