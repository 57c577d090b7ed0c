//! How a call finds its agent who has no phone of this server's.
//! Owns: what a service allows, what a code keyed on a phone looks like, the ways by which an agent gets a call.
//! Never: speaks SIP; shows a code to anyone but the agent who asked for it.

use std::collections::BTreeSet;
use std::fmt;

use secret::{Digit, Key};
use serde::{Deserialize, Serialize};

use crate::id::{CallId, ServiceId, UserId};
use crate::time::UnixMillis;
use crate::view::CallState;

/// How the calls of a service find their agents, where its route is a PBX. An agent gets one such call at a time, and a call one agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pairing {
    /// What names the agent's extension; none: nothing does.
    pub extension: Option<ExtensionFrom>,
    /// Agents may key a code on their own phones.
    pub code: bool,
    /// Whose page may get calls of this service; empty: every agent's. At most [`PAIRED_AGENTS_MAX`].
    pub agents: BTreeSet<UserId>,
}

/// Most agents that a service names.
pub const PAIRED_AGENTS_MAX: usize = 500;

impl Pairing {
    /// Whether an agent's page may get calls of this service.
    #[must_use]
    pub fn takes(&self, agent: &UserId) -> bool {
        self.agents.is_empty() || self.agents.contains(agent)
    }
}

/// Which user part names the agent's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionFrom {
    /// That of the request URI of the call that comes in.
    RequestUri,
    /// That of its `To`.
    To,
    /// That of the `Contact` with which the PBX answers.
    Contact,
}

/// By which way an agent got a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairedBy {
    /// The call named the agent's extension.
    Extension,
    /// It came on a number that was reserved for the agent.
    Number,
    /// The call came back to this server for an agent's phone, with our header.
    Header,
    /// The agent keyed a code.
    Code,
    /// The agent's page was opened for it.
    Page,
    /// A program said so.
    Api,
    /// Somebody chose it from the list.
    List,
}

impl PairedBy {
    /// Its name in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Number => "number",
            Self::Header => "header",
            Self::Code => "code",
            Self::Page => "page",
            Self::Api => "api",
            Self::List => "list",
        }
    }
}

/// Digits of a code, the last of which checks the others: one digit that is wrong, and two neighbours that changed places but 0 and 9, make no other code.
const CODE_DIGITS: usize = 5;

/// Codes that there are.
pub const CODES: u16 = 10_000;

/// A code that an agent keys on their own phone: `*`, five digits, `#`. Not a secret that outlives a minute, and yet not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode([Digit; CODE_DIGITS], String);

impl PairingCode {
    /// The code of a random number below [`CODES`]; larger ones are taken modulo it.
    #[must_use]
    pub fn from_random(random: u16) -> Option<Self> {
        let number = random % CODES;
        let digits = [1_000, 100, 10, 1].map(|place| number / place % 10);
        let check = check_digit(digits);
        let text = format!("*{number:04}{check}#");
        let [a, b, c, d] = digits;
        let keys: Option<Vec<Digit>> = [a, b, c, d, check]
            .into_iter()
            .map(|digit| Digit::from_value(u8::try_from(digit).ok()?))
            .collect();
        Some(Self(keys?.try_into().ok()?, text))
    }

    /// What the agent keys: `*47118#`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.1
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[pairing code]")
    }
}

/// The Luhn digit of four others.
fn check_digit(digits: [u16; 4]) -> u16 {
    let sum: u16 = digits
        .into_iter()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit) {
            (1, 5..) => 2 * digit - 9,
            (1, _) => 2 * digit,
            _ => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// What came of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Keyed {
    /// Nothing yet.
    Open,
    /// `*`, digits and `#` that fit no code that is out.
    Wrong,
    /// This one of the codes that are out.
    Code(usize),
}

/// Puts the keys of one phone together.
#[derive(Debug)]
pub struct CodeReader {
    keys: [Key; CODE_DIGITS],
    /// Digits since the last `*`, counted up to one more than a code has; none: no `*` came.
    len: Option<usize>,
}

impl Default for CodeReader {
    fn default() -> Self {
        Self {
            keys: [Key::Star; CODE_DIGITS],
            len: None,
        }
    }
}

impl CodeReader {
    /// The next key; `codes`: those that are out. A `*` begins anew, and what is not between `*` and `#` is nothing.
    pub fn push<'a>(&mut self, key: Key, codes: impl Iterator<Item = &'a PairingCode>) -> Keyed {
        match (key, self.len) {
            (Key::Star, _) => {
                self.wipe();
                self.len = Some(0);
                Keyed::Open
            }
            (Key::Digit(_), Some(len)) => {
                if let Some(place) = self.keys.get_mut(len) {
                    *place = key;
                }
                self.len = Some((len + 1).min(CODE_DIGITS + 1));
                Keyed::Open
            }
            (Key::Pound, Some(len)) => {
                let found = codes
                    .enumerate()
                    .find(|(_, code)| len == CODE_DIGITS && code.0.map(Key::Digit) == self.keys);
                let found = found.map(|(place, _)| place);
                self.wipe();
                found.map_or(Keyed::Wrong, Keyed::Code)
            }
            (Key::Digit(_) | Key::Pound, None) => Keyed::Open,
        }
    }

    fn wipe(&mut self) {
        self.keys.iter_mut().for_each(Key::wipe);
        self.len = None;
    }
}

impl Drop for CodeReader {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// A code as its agent's page shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PairingCodeView {
    /// What to key: `*`, five digits, `#`.
    pub code: String,
    /// It can be keyed until then.
    pub expires_at: UnixMillis,
}

impl fmt::Debug for PairingCodeView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("PairingCodeView");
        shown.field("expires_at", &self.expires_at);
        shown.finish_non_exhaustive()
    }
}

/// A call that can be given to an agent, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServiceCall {
    /// Identity.
    pub id: CallId,
    /// Its service.
    pub service: ServiceId,
    /// Where it stands.
    pub state: CallState,
    /// The last digits of the caller's number, as many as [`masked`] leaves.
    pub caller: String,
    /// When it came.
    pub began_at: UnixMillis,
    /// Who has it; none: nobody.
    pub agent: Option<UserId>,
}

/// Characters of a number that the list shows.
const SHOWN_CHARS: usize = 3;

/// A caller's number as people may see it who do not speak to the caller: its last three characters. Of one with fewer than seven nothing is shown.
#[must_use]
pub fn masked(number: &str) -> String {
    let chars = number.chars().count();
    if chars < 2 * SHOWN_CHARS + 1 {
        return String::new();
    }
    let shown: String = number.chars().skip(chars - SHOWN_CHARS).collect();
    format!("…{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(char: char) -> Key {
        match char {
            '*' => Key::Star,
            '#' => Key::Pound,
            digit => Key::Digit(Digit::from_ascii(u8::try_from(digit).unwrap()).unwrap()),
        }
    }

    fn keyed(text: &str, codes: &[PairingCode]) -> Vec<Keyed> {
        let mut reader = CodeReader::default();
        let heard = text
            .chars()
            .map(|char| reader.push(key(char), codes.iter()));
        heard.filter(|heard| *heard != Keyed::Open).collect()
    }

    #[test]
    fn a_code_is_a_star_five_digits_and_a_pound() {
        let code = PairingCode::from_random(4_711).unwrap();
        assert_eq!(code.text(), "*47118#");
        assert_eq!(PairingCode::from_random(0).unwrap().text(), "*00000#");
        assert_eq!(format!("{code:?}"), "[pairing code]");
    }

    #[test]
    fn a_wrong_digit_or_two_that_changed_places_make_no_other_code() {
        let text = |number| PairingCode::from_random(number).unwrap().text().to_owned();
        let all: BTreeSet<String> = (0..CODES).map(text).collect();
        assert_eq!(all.len(), usize::from(CODES));
        for number in (0..CODES).step_by(37) {
            let code = text(number);
            for place in 1..=CODE_DIGITS {
                for digit in '0'..='9' {
                    let mut wrong: Vec<char> = code.chars().collect();
                    let changed = std::mem::replace(&mut wrong[place], digit) != digit;
                    let wrong: String = wrong.into_iter().collect();
                    assert!(!changed || !all.contains(&wrong), "{code} {wrong}");
                }
            }
        }
    }

    #[test]
    fn a_code_is_found_among_other_keys_and_others_are_wrong() {
        let codes = [4_711, 815].map(|random| PairingCode::from_random(random).unwrap());
        let second = codes[1].text().to_owned();
        assert_eq!(keyed(&second, &codes), [Keyed::Code(1)]);
        assert_eq!(keyed(&format!("12#*9{second}"), &codes), [Keyed::Code(1)]);
        for wrong in ["*47115#", "*4711#", "*471184#", "*#", "*471184711844444#"] {
            assert_eq!(keyed(wrong, &codes), [Keyed::Wrong], "{wrong}");
        }
        for nothing in ["47118#", "#", "*47118", ""] {
            assert!(keyed(nothing, &codes).is_empty(), "{nothing}");
        }
        assert_eq!(keyed("*47118#47118#", &codes), [Keyed::Code(0)]);
    }

    #[test]
    fn a_number_is_shown_by_its_last_digits() {
        assert_eq!(masked("+15550100"), "…100");
        assert_eq!(masked("5550100"), "…100");
        assert_eq!(masked("4001"), "");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn a_service_that_names_nobody_takes_every_agent() {
        let (kim, lee) = (UserId::from_random(1), UserId::from_random(2));
        let named = Pairing {
            agents: BTreeSet::from([kim.clone()]),
            ..Pairing::default()
        };
        assert!(Pairing::default().takes(&lee));
        assert!(named.takes(&kim) && !named.takes(&lee));
    }
}
