//! What the simulated consumer keys by one press: published test numbers, never a real card.

use std::time::SystemTime;

use secret::{Digit, Key};
use serde::{Deserialize, Serialize};

/// A test card or account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TestCard {
    /// Its name in the control's requests.
    pub id: &'static str,
    /// Its name on the page.
    pub label: &'static str,
    #[serde(skip)]
    number: &'static str,
    #[serde(skip)]
    code: &'static str,
}

const fn card(
    id: &'static str,
    label: &'static str,
    number: &'static str,
    code: &'static str,
) -> TestCard {
    TestCard {
        id,
        label,
        number,
        code,
    }
}

/// The cards on the page.
pub const CARDS: [TestCard; 6] = [
    card("visa", "Visa", "4111111111111111", "123"),
    card("mastercard", "Master Card", "5555555555554444", "123"),
    card("amex", "American Express", "378282246310005", "1234"),
    card("discover", "Discover", "6011111111111117", "123"),
    card("wrong", "Wrong check digit", "4111111111111112", "123"),
    card(
        "mastercard-2",
        "Master Card, 2-series",
        "2223003122003222",
        "123",
    ),
];

/// Routing and account number of the test bank.
const ROUTING: &str = "021000021";
const ACCOUNT: &str = "000123456789";

/// Which part is keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Card number; `#` after a Visa or Discover.
    Number,
    /// Month and year, three years from now.
    Expiry,
    /// Security code.
    Code,
    /// Routing number.
    Routing,
    /// Account number and `#`.
    Account,
}

/// The presses for a part of a card.
#[must_use]
pub(crate) fn presses(card: &TestCard, part: Part) -> Vec<Key> {
    let pound = matches!(card.id, "visa" | "discover" | "wrong");
    match part {
        Part::Number if pound => keys(card.number).chain([Key::Pound]).collect(),
        Part::Number => keys(card.number).collect(),
        Part::Expiry => keys(&expiry()).collect(),
        Part::Code => keys(card.code).collect(),
        Part::Routing => keys(ROUTING).collect(),
        Part::Account => keys(ACCOUNT).chain([Key::Pound]).collect(),
    }
}

/// The presses of a text of digits, `*` and `#`; other characters are left out.
pub(crate) fn keys(text: &str) -> impl Iterator<Item = Key> + '_ {
    text.bytes().filter_map(|byte| match byte {
        b'*' => Some(Key::Star),
        b'#' => Some(Key::Pound),
        byte => Digit::from_ascii(byte).map(Key::Digit),
    })
}

/// December, three years from now.
fn expiry() -> String {
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let year = 1970 + seconds / 31_556_952;
    format!("12{:02}", (year + 3) % 100)
}
