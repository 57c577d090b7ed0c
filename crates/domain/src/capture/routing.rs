//! What this installation knows of routing numbers: which it refuses, and which bank has which (GATEWAYS 4).
//! Owns: the operator's list of refused numbers, the table of bank names, and how a keyed number is looked up in them.
//! Never: keeps a keyed number, or tells one: of a keyed one it says the bank's name, or why it is refused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use secret::Digits;
use serde::{Deserialize, Serialize};

use super::check::{ROUTING_DIGITS, is_routing_number};
use super::digits::values;
use crate::time::UnixMillis;
use crate::widget::DraftProblem;

mod import;

pub use import::{BANKS_BYTES_MAX, BANKS_MAX, LineProblem, PROBLEMS_MAX, parse_banks};

/// Numbers that an operator may refuse: far more than banks that give anybody trouble.
pub const REFUSED_MAX: usize = 1_000;
/// Longest reason for which a number is refused: what an agent reads at a glance.
pub const REASON_CHARS_MAX: usize = 120;

/// A routing number that an operator wrote, right in length, range and sum. Not a keyed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoutingNumber(u32);

/// It has not nine digits, or no ACH debit can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a routing number has nine digits, begins with 01-12, 21-32 or 61-72, and its check sum is right"
)]
pub struct InvalidRoutingNumber;

impl FromStr for RoutingNumber {
    type Err = InvalidRoutingNumber;

    fn from_str(text: &str) -> Result<Self, InvalidRoutingNumber> {
        let digits = text.bytes().map(|byte| byte.wrapping_sub(b'0'));
        let are_digits = digits.clone().all(|digit| digit <= 9);
        if text.len() == ROUTING_DIGITS && are_digits && is_routing_number(digits.clone()) {
            Ok(Self(number_of(digits)))
        } else {
            Err(InvalidRoutingNumber)
        }
    }
}

impl TryFrom<String> for RoutingNumber {
    type Error = InvalidRoutingNumber;

    fn try_from(text: String) -> Result<Self, InvalidRoutingNumber> {
        text.parse()
    }
}

impl From<RoutingNumber> for String {
    fn from(number: RoutingNumber) -> Self {
        number.to_string()
    }
}

impl fmt::Display for RoutingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:09}", self.0)
    }
}

impl utoipa::PartialSchema for RoutingNumber {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for RoutingNumber {}

/// Nine digits as a number; fewer make a smaller one.
fn number_of(digits: impl Iterator<Item = u8>) -> u32 {
    digits.fold(0, |number, digit| {
        number.wrapping_mul(10).wrapping_add(digit.into())
    })
}

/// A number that no check may be taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedRouting {
    /// The number.
    pub routing: RoutingNumber,
    /// Why, as the agent reads it: 1-120 characters.
    pub reason: String,
}

/// The operator's list, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RefusedRoutings {
    /// At most [`REFUSED_MAX`], each once.
    pub refused: Vec<RefusedRouting>,
    /// Counted up by each save; 0: never saved.
    pub revision: i64,
}

impl RefusedRoutings {
    /// The list that a form sends, put in order: numbers and reasons as they were typed.
    ///
    /// # Errors
    /// All problems, at their rows.
    pub fn parse(rows: &[(String, String)], revision: i64) -> Result<Self, Vec<DraftProblem>> {
        let mut problems = Vec::new();
        let mut refused: Vec<RefusedRouting> = Vec::new();
        for (place, (number, reason)) in rows.iter().enumerate() {
            let mut add = |field: &str, message: String| {
                problems.push(DraftProblem::new(
                    format!("refused[{place}].{field}"),
                    message,
                ));
            };
            let chars = reason.trim().chars().count();
            if !(1..=REASON_CHARS_MAX).contains(&chars) || reason.chars().any(char::is_control) {
                add(
                    "reason",
                    format!("Write why, in 1 to {REASON_CHARS_MAX} characters."),
                );
            }
            match number.trim().parse() {
                Ok(routing) if refused.iter().any(|other| other.routing == routing) => {
                    add("routing", "This number is listed twice.".to_owned());
                }
                Ok(routing) => refused.push(RefusedRouting {
                    routing,
                    reason: reason.trim().to_owned(),
                }),
                Err(InvalidRoutingNumber) => add("routing", format!("{InvalidRoutingNumber}.")),
            }
        }
        if rows.len() > REFUSED_MAX {
            let message = format!("List at most {REFUSED_MAX} numbers.");
            problems.push(DraftProblem::new("refused", message));
        }
        refused.sort_unstable_by_key(|one| one.routing);
        match problems.is_empty() {
            true => Ok(Self { refused, revision }),
            false => Err(problems),
        }
    }
}

/// A bank's entry in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// Its number.
    pub routing: RoutingNumber,
    /// Its name, 1-80 characters.
    pub name: String,
    /// Where it is; empty: the table does not say.
    pub city: String,
    /// In which state; empty: the table does not say.
    pub state: String,
}

/// The table of bank names that an operator imported, by number. It is replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankTable {
    /// At most [`BANKS_MAX`], each number once.
    pub banks: Vec<Bank>,
    /// Login name of who imported it; empty: nobody did.
    pub imported_by: String,
    /// When.
    pub imported_at: UnixMillis,
    /// Counted up by each import; 0: none yet.
    pub revision: i64,
}

impl Default for BankTable {
    fn default() -> Self {
        Self {
            banks: Vec::new(),
            imported_by: String::new(),
            imported_at: UnixMillis(0),
            revision: 0,
        }
    }
}

/// Both lists, as captures look numbers up.
#[derive(Debug, Clone, Default)]
pub struct RoutingBook {
    /// Refused numbers.
    pub refused: Arc<RefusedRoutings>,
    /// Bank names.
    pub banks: Arc<BankTable>,
}

impl RoutingBook {
    /// The name of the bank with a keyed number; none: the table has none.
    #[must_use]
    pub fn bank_name(&self, digits: &Digits<'_>) -> Option<&str> {
        let number = number_keyed(digits)?;
        let banks = &self.banks.banks;
        let place = banks.binary_search_by_key(&number, |bank| bank.routing.0);
        Some(&banks.get(place.ok()?)?.name)
    }

    /// Why a keyed number is refused; none: it is not.
    #[must_use]
    pub fn refusal(&self, digits: &Digits<'_>) -> Option<&str> {
        let number = number_keyed(digits)?;
        let refused = &self.refused.refused;
        let place = refused.binary_search_by_key(&number, |one| one.routing.0);
        Some(&refused.get(place.ok()?)?.reason)
    }
}

fn number_keyed(digits: &Digits<'_>) -> Option<u32> {
    (digits.len() == ROUTING_DIGITS).then(|| number_of(values(digits)))
}

#[cfg(test)]
mod tests {
    use secret::{Arena, Digit, FieldIndex};

    use super::*;
    use crate::capture::fixtures::{
        ROUTING_NUMBERS, ROUTING_NUMBERS_REFUSED, ROUTING_NUMBERS_WRONG_SUM,
    };

    fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        let row = |(number, reason): &(&str, &str)| ((*number).to_owned(), (*reason).to_owned());
        rows.iter().map(row).collect()
    }

    fn wrong(list: &[(&str, &str)]) -> Vec<String> {
        let problems = RefusedRoutings::parse(&rows(list), 0).err();
        let problems = problems.unwrap_or_default().into_iter();
        problems.map(|problem| problem.field).collect()
    }

    #[test]
    fn numbers_of_an_operator_are_as_right_as_keyed_ones() {
        for number in ROUTING_NUMBERS {
            let parsed: RoutingNumber = number.parse().unwrap();
            assert_eq!(parsed.to_string(), number);
        }
        for number in ROUTING_NUMBERS_WRONG_SUM
            .into_iter()
            .chain(ROUTING_NUMBERS_REFUSED)
            .chain(["", "02100002", "0210000210", "02100002x", "٠21000021"])
        {
            assert!(number.parse::<RoutingNumber>().is_err(), "{number}");
        }
    }

    #[test]
    fn a_list_of_refused_numbers_is_put_in_order_or_told_what_is_wrong_at_its_rows() {
        let [one, other] = [ROUTING_NUMBERS[0], ROUTING_NUMBERS[1]];
        let list = rows(&[(one, " Closed "), (other, "Fraud")]);
        let parsed = RefusedRoutings::parse(&list, 3).unwrap();
        assert!(parsed.refused.is_sorted_by_key(|one| one.routing));
        assert_eq!(parsed.revision, 3);
        assert!(parsed.refused.iter().any(|one| one.reason == "Closed"));
        let long = "x".repeat(REASON_CHARS_MAX + 1);
        assert_eq!(
            wrong(&[("1", "x"), (one, " "), (other, "x"), (other, &long)]),
            [
                "refused[0].routing",
                "refused[1].reason",
                "refused[3].reason",
                "refused[3].routing"
            ]
        );
        assert_eq!(
            wrong(&vec![("", "x"); REFUSED_MAX + 1]).len(),
            REFUSED_MAX + 2
        );
    }

    #[test]
    fn a_keyed_number_is_looked_up_among_the_operators() {
        let [refused, known, other] = [0, 1, 2].map(|place| ROUTING_NUMBERS[place]);
        let refused_ones = RefusedRoutings::parse(&rows(&[(refused, "Closed")]), 0).unwrap();
        let text = format!(
            "routing,bank_name,city,state\n{known},First Bank,Tulsa,OK\n{refused},Old Bank,,\n"
        );
        let book = RoutingBook {
            refused: Arc::new(refused_ones),
            banks: Arc::new(BankTable {
                banks: parse_banks(&text).unwrap(),
                ..BankTable::default()
            }),
        };
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        let mut found = |number: &str| {
            let field = FieldIndex::ALL[0];
            slot.wipe(field);
            for digit in number.bytes().filter_map(Digit::from_ascii) {
                slot.push(field, digit).unwrap();
            }
            let digits = slot.digits(field);
            let owned = |text: Option<&str>| text.map(str::to_owned);
            (owned(book.bank_name(&digits)), owned(book.refusal(&digits)))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found(known), (some("First Bank"), None));
        assert_eq!(found(refused), (some("Old Bank"), some("Closed")));
        assert_eq!(found(other), (None, None));
        assert_eq!(found(&known[1..]), (None, None));
        assert_eq!(found(""), (None, None));
    }
}
