//! Calls that agents make.
//! Owns: what a telephone number is, which of them a service dials and how, how such a call begins and why it came to nothing.
//! Never: speaks SIP; keeps a number that may be a card's.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::boundary::RouteTarget;
use crate::capture::brand::luhn;
use crate::id::{ServiceId, UserId};
use crate::widget::DraftProblem;

/// Most digits of a telephone number ([ITU-T E.164](https://www.itu.int/rec/T-REC-E.164), 6.1), and room for a prefix that a PBX wants before it.
const DIGITS_MAX: usize = 18;

/// Fewest: what is shorter is a key, not a number.
const DIGITS_MIN: usize = 2;

/// Digits of card numbers (ISO/IEC 7812): as many that pass the check are taken for one.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Digits that are looked at: with more it is neither a number nor a card's.
const TYPED_MAX: usize = 20;

/// Numbers with fewer digits are emergency, service and PBX numbers: one is dialled only where a pattern has as many places. The shortest subscriber numbers with
/// their country code have seven.
const SHORT_DIGITS: usize = 7;

/// Patterns of a service: more would be a routing table, which is the PBX's.
pub const PATTERNS_MAX: usize = 100;

/// Characters of a pattern: the longest number, its `+`, and a `*`.
const PATTERN_CHARS_MAX: usize = 20;

/// Characters of a template of a SIP URI.
const TEMPLATE_CHARS_MAX: usize = 200;

/// What a template has in the number's place.
const PLACE: &str = "{number}";

/// Numbers that help people in danger, as they are dialled in one country or another. A pattern has to write one out in full for it to be dialled.
const EMERGENCY: [&str; 33] = [
    "000", "061", "100", "101", "102", "103", "104", "105", "106", "107", "108", "110", "111",
    "112", "113", "114", "115", "116", "117", "118", "119", "120", "122", "123", "133", "144",
    "155", "158", "190", "191", "911", "995", "999",
];

/// What premium rates and satellites begin with, in international form without its prefix. A pattern has to write one out for it to be dialled. National forms are no
/// more than digits here: a service that dials those lists what it dials.
const PREMIUM: [&str; 32] = [
    "1900", "1976", "870", "881", "882", "883", "979", "3190", "3290", "3389", "34803", "34806",
    "34807", "34905", "39144", "39166", "39892", "39895", "39899", "41900", "41901", "41906",
    "43900", "43930", "4470", "44870", "44871", "449", "49137", "49190", "49900", "61190",
];

/// What stands before a country code where there is no `+`.
const INTERNATIONAL: [&str; 3] = ["+", "00", "011"];

/// A telephone number to be dialled: digits, perhaps a `+` before them. What may be a card number is none.
#[derive(Clone, PartialEq, Eq)]
pub struct DialNumber(String);

/// Why what was typed is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// No number, or none of a telephone's length.
    #[error("this is no telephone number")]
    Malformed,
    /// It may be a card's.
    #[error("this may be a card number")]
    Card,
}

/// It does not print itself: a trail of whom agents call is nobody's.
impl fmt::Debug for DialNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[telephone number]")
    }
}

/// Digits that were typed, in memory that is wiped.
#[derive(Default)]
struct Typed {
    digits: Zeroizing<[u8; TYPED_MAX]>,
    len: usize,
    has_plus: bool,
}

impl Typed {
    /// Takes a character in; false: it has no place in a number.
    fn push(&mut self, char: char) -> bool {
        match char.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => match self.digits.get_mut(self.len) {
                Some(place) => {
                    *place = digit;
                    self.len += 1;
                    true
                }
                None => false,
            },
            None if char == '+' && self.len == 0 && !self.has_plus => {
                self.has_plus = true;
                true
            }
            None => is_written_between(char),
        }
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }

    /// The digits of a card are never written with the `+` of a country code, and one number in ten passes the check: with it the number is a telephone's, if
    /// it is not longer than one.
    fn may_be_card(&self) -> bool {
        let is_international = self.has_plus && self.len <= 15;
        !is_international && CARD_DIGITS.contains(&self.len) && luhn(self.digits().iter().copied())
    }
}

/// What people write between the digits of a number.
fn is_written_between(char: char) -> bool {
    char.is_whitespace()
        || matches!(
            char,
            '(' | ')' | '-' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}'
        )
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl DialNumber {
    /// A number as it is typed or pasted: with blanks, brackets, dashes, dots, slashes, a `tel:` before it, and the `(0)` of national dialling after a country code.
    ///
    /// # Errors
    /// [`NumberError`]; what was typed is forgotten.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let text = text.trim();
        let text = text
            .get(..4)
            .filter(|scheme| scheme.eq_ignore_ascii_case("tel:"))
            .and_then(|_| text.get(4..))
            .unwrap_or(text);
        let trunk_zero = text.starts_with('+').then(|| text.find("(0)")).flatten();
        let mut typed = Typed::default();
        for (at, char) in text.char_indices() {
            let is_trunk_zero = trunk_zero.is_some_and(|zero| at == zero + 1);
            if !is_trunk_zero && !typed.push(char) {
                return Err(NumberError::Malformed);
            }
        }
        if typed.may_be_card() {
            return Err(NumberError::Card);
        }
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&typed.len) {
            return Err(NumberError::Malformed);
        }
        let plus = typed.has_plus.then_some('+');
        let digits = typed
            .digits()
            .iter()
            .filter_map(|digit| char::from_digit(u32::from(*digit), 10));
        Ok(Self(plus.into_iter().chain(digits).collect()))
    }

    /// Digits, perhaps a `+` before them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number has the same digits, whether or not either is written with a `+`.
    #[must_use]
    pub fn has_digits_of(&self, other: &str) -> bool {
        let digits = |number: &str| number.trim_start_matches('+').len();
        self.0.ends_with(other.trim_start_matches('+')) && self.digits() == digits(other)
    }

    fn digits(&self) -> usize {
        self.0.trim_start_matches('+').len()
    }
}

/// A pattern of numbers: digits, perhaps a `+` before them; `x` is any digit; a `*` at the end any further ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct NumberPattern(String);

impl NumberPattern {
    /// The same, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix('+').unwrap_or(text);
        let body = body.strip_suffix('*').unwrap_or(body);
        let fits = text.len() <= PATTERN_CHARS_MAX
            && !text.trim_matches(['+', '*']).is_empty()
            && body
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'x');
        fits.then(|| Self(text.to_owned()))
    }

    /// What it says before anything is left open.
    fn written(&self) -> &str {
        let end = self.0.find(['x', '*']).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or_default()
    }

    fn is_open(&self) -> bool {
        self.0.ends_with('*')
    }

    fn fits(&self, number: &str) -> bool {
        let places = self.0.trim_end_matches('*');
        let is_long_enough = if self.is_open() {
            number.len() > places.len()
        } else {
            number.len() == places.len()
        };
        let mut pairs = places.bytes().zip(number.bytes());
        is_long_enough && pairs.all(|(place, byte)| place == byte || place == b'x' && byte != b'+')
    }

    /// Whether a number is dialled for it. Short ones, those of emergencies and of premium rates are not what somebody meant by "any other number".
    fn allows(&self, number: &DialNumber) -> bool {
        let text = number.as_str();
        if !self.fits(text) {
            return false;
        }
        if EMERGENCY.contains(&text) {
            return self.0 == text;
        }
        if number.digits() < SHORT_DIGITS && self.is_open() {
            return false;
        }
        premium_of(text).is_none_or(|premium| self.written().starts_with(premium))
    }
}

/// The part of a number that says that it is premium or a satellite's, with what stands before the country code.
fn premium_of(number: &str) -> Option<&str> {
    INTERNATIONAL.into_iter().find_map(|before| {
        let rest = number.strip_prefix(before)?;
        let premium = PREMIUM.iter().find(|premium| rest.starts_with(**premium))?;
        number.get(..before.len() + premium.len())
    })
}

/// Where a service's calls out go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "to", deny_unknown_fields)]
pub enum WayOut {
    /// A SIP URI of a PBX or a carrier, with the address to send to ("192.0.2.5:5060").
    Uri {
        /// With `{number}` in the place of what is dialled: `sip:{number}@192.0.2.5`.
        uri: String,
        /// Address and port of the next hop.
        address: String,
    },
    /// A trunk of the server's file, at the places that it has there.
    Trunk {
        /// Its name.
        trunk: String,
    },
}

impl WayOut {
    /// Where a number is called; none: the address is none.
    #[must_use]
    pub fn target_for(&self, number: &DialNumber) -> Option<RouteTarget> {
        Some(match self {
            Self::Uri { uri, address } => RouteTarget::Uri {
                uri: uri.replace(PLACE, number.as_str()),
                address: address.parse().ok()?,
            },
            Self::Trunk { trunk } => RouteTarget::Trunk {
                trunk: trunk.clone(),
                number: number.as_str().to_owned(),
            },
        })
    }

    /// The trunk that it names.
    #[must_use]
    pub fn trunk(&self) -> Option<&str> {
        match self {
            Self::Uri { .. } => None,
            Self::Trunk { trunk } => Some(trunk),
        }
    }

    fn problems(&self) -> Vec<DraftProblem> {
        let Self::Uri { uri, address } = self else {
            return Vec::new();
        };
        let is_sip = uri.starts_with("sip:") || uri.starts_with("sips:");
        let is_line = !uri.contains(|c: char| c.is_whitespace() || c.is_control());
        let has_place = uri.matches(PLACE).count() == 1;
        let is_template = is_sip && is_line && has_place && uri.len() <= TEMPLATE_CHARS_MAX;
        let wrong = |field: &str, message: &str| DraftProblem::new(field, message);
        let of_uri = (!is_template).then(|| {
            let message =
                "write a SIP URI with {number} in it once, for example sip:{number}@192.0.2.5";
            wrong("outbound.route.uri", message)
        });
        let of_address = (address.parse::<std::net::SocketAddr>().is_err()).then(|| {
            let message = "write address and port, for example 192.0.2.5:5060";
            wrong("outbound.route.address", message)
        });
        of_uri.into_iter().chain(of_address).collect()
    }
}

/// How a service calls out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Where they go.
    pub route: WayOut,
    /// The number that the consumer is shown: digits, perhaps a `+` before them.
    pub caller_number: String,
    /// Which numbers are dialled: 1-100 patterns of digits, perhaps a `+` before them; `x` is any digit, a `*` at the end any further ones. Numbers of emergencies
    /// and of premium rates only where a pattern writes them out.
    pub numbers: Vec<NumberPattern>,
}

impl Outbound {
    /// Whether a number is dialled.
    #[must_use]
    pub fn allows(&self, number: &DialNumber) -> bool {
        self.numbers.iter().any(|pattern| pattern.allows(number))
    }

    /// All that is wrong with it, by the names of its fields.
    #[must_use]
    pub fn problems(&self) -> Vec<DraftProblem> {
        let mut problems = self.route.problems();
        let mut wrong = |field: &str, message: &str| {
            problems.push(DraftProblem::new(format!("outbound.{field}"), message));
        };
        let caller = DialNumber::parse(&self.caller_number);
        if caller.is_err() || caller.is_ok_and(|caller| caller.as_str() != self.caller_number) {
            wrong(
                "caller_number",
                "write 2 to 18 digits, perhaps a + before them",
            );
        }
        if !(1..=PATTERNS_MAX).contains(&self.numbers.len()) {
            wrong("numbers", "enter 1 to 100 patterns");
        }
        for (index, pattern) in self.numbers.iter().enumerate().take(PATTERNS_MAX) {
            if NumberPattern::parse(&pattern.0).is_none() {
                let field = format!("numbers[{index}]");
                wrong(
                    &field,
                    "write digits, perhaps a + before them; x for any digit; * at the end for any further ones",
                );
            }
        }
        problems
    }
}

/// Who is to call whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialOrder {
    /// Whose phone and page.
    pub agent: UserId,
    /// The number.
    pub number: DialNumber,
    /// By which service; none: the first by name that dials it.
    pub service: Option<ServiceId>,
}

/// How far a call is that an agent makes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DialStep {
    /// The agent's own phone rings first.
    AgentPhone,
    /// The number is called.
    Calling,
    /// It rings there.
    Ringing,
    /// It was answered.
    Answered,
}

/// Why a number was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DialFailure {
    /// The agent's own phone was not answered, or could not be reached.
    AgentPhone,
    /// The line is engaged.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// Whoever was called, or their phone, refused.
    Declined,
    /// There is no such number.
    WrongNumber,
    /// The trunk does not take the call, or cannot reach the number.
    Unreachable,
}

impl DialFailure {
    /// What a SIP status of the called side says ([RFC 3261 §21](https://www.rfc-editor.org/rfc/rfc3261#section-21)).
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            486 | 600 => Self::Busy,
            408 | 480 | 487 => Self::NoAnswer,
            603 | 607 | 608 => Self::Declined,
            404 | 410 | 484 | 604 => Self::WrongNumber,
            _ => Self::Unreachable,
        }
    }
}

/// What the page shows of a call that its agent makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DialView {
    /// How far it is.
    pub step: DialStep,
    /// Why it came to nothing; none: it did not.
    pub failed: Option<DialFailure>,
}

/// Why nothing was dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialRefusal {
    /// No service calls out for the agent, or not the one that was named: none does, or for groups that they are not in.
    #[error("no service calls out for this agent")]
    NoService,
    /// No pattern of the service has this number.
    #[error("this number is not dialled here")]
    NotAllowed,
    /// The agent's phone is neither registered nor on in their page.
    #[error("the agent has no phone that can be called")]
    NoPhone,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> DialNumber {
        DialNumber::parse(text).unwrap()
    }

    fn by_uri(uri: &str, address: &str) -> WayOut {
        WayOut::Uri {
            uri: uri.to_owned(),
            address: address.to_owned(),
        }
    }

    fn outbound(patterns: &[&str]) -> Outbound {
        let parse = |text: &&str| NumberPattern::parse(text).unwrap();
        Outbound {
            route: by_uri("sip:{number}@192.0.2.5", "192.0.2.5:5060"),
            caller_number: "+15550100".to_owned(),
            numbers: patterns.iter().map(parse).collect(),
        }
    }

    #[test]
    fn a_number_is_taken_as_people_write_and_paste_it() {
        for (typed, dialled) in [
            ("+1 (555) 010-0199", "+15550100199"),
            (" 0555.010/0199 ", "05550100199"),
            ("tel:+1-555-0100", "+15550100"),
            ("TEL:4001", "4001"),
            ("+44 (0)20 7946 0000", "+442079460000"),
            ("\u{202a}+49 151\u{a0}23456789\u{202c}", "+4915123456789"),
            ("12", "12"),
        ] {
            assert_eq!(number(typed).as_str(), dialled, "{typed}");
        }
        for typed in [
            "",
            "+",
            "1",
            "1+2",
            "++12",
            "12a",
            "sip:12@x",
            "1;x=2",
            "0123456789012345678",
        ] {
            assert_eq!(
                DialNumber::parse(typed),
                Err(NumberError::Malformed),
                "{typed}"
            );
        }
        assert!(DialNumber::parse(&"1".repeat(10_000)).is_err());
        assert_eq!(format!("{:?}", number("4001")), "[telephone number]");
    }

    #[test]
    fn what_may_be_a_card_number_is_none() {
        for card in crate::capture::fixtures::CARDS {
            assert_eq!(DialNumber::parse(card.number), Err(NumberError::Card));
            let spaced: String = card.number.chars().flat_map(|digit| [digit, ' ']).collect();
            assert_eq!(DialNumber::parse(&spaced), Err(NumberError::Card));
        }
        // A mobile number of Germany that passes the check is one with its plus alone.
        assert_eq!(DialNumber::parse("4915123456787"), Err(NumberError::Card));
        assert_eq!(number("+4915123456787").as_str(), "+4915123456787");
        assert_eq!(
            DialNumber::parse("+4111 1111 1111 1111"),
            Err(NumberError::Card)
        );
    }

    #[test]
    fn a_pattern_has_digits_places_and_a_rest() {
        for text in ["+1555*", "4xxx", "112", "+*", "0*"] {
            let is_one = NumberPattern::parse(text).is_some();
            assert_eq!(is_one, text != "+*", "{text}");
        }
        for text in ["", "*", "+", "1*2", "a", "1 2", "+1+", "x", &"1".repeat(21)] {
            assert_eq!(NumberPattern::parse(text).is_some(), text == "x", "{text}");
        }
        let sales = outbound(&["+1555*", "4xxx"]);
        for (dialled, is_allowed) in [
            ("+15550100", true),
            ("+1555", false),
            ("15550100", false),
            ("4001", true),
            ("40011", false),
            ("5001", false),
            ("+4001", false),
        ] {
            assert_eq!(sales.allows(&number(dialled)), is_allowed, "{dialled}");
        }
    }

    #[test]
    fn emergency_and_premium_numbers_are_dialled_only_where_they_are_written_out() {
        let wide = outbound(&["+1*", "+4*", "0*", "1*", "9*", "1xx", "9xx", "xxx"]);
        for never in [
            "112",
            "911",
            "999",
            "110",
            "+19005550100",
            "0019005550100",
            "01197912345679",
            "+449098790000",
            "9911",
            "+1911",
        ] {
            assert!(!wide.allows(&number(never)), "{never}");
        }
        for usual in [
            "+15550100",
            "+442079460000",
            "200",
            "05550100",
            "0015550100",
        ] {
            let is_listed = outbound(&["+1*", "+4*", "0*", "2xx"]).allows(&number(usual));
            assert!(is_listed, "{usual}");
        }
        assert!(outbound(&["112"]).allows(&number("112")));
        assert!(outbound(&["+1900*"]).allows(&number("+19005550100")));
        assert!(!outbound(&["+190x*"]).allows(&number("+19005550100")));
    }

    #[test]
    fn a_short_number_is_not_any_other_number() {
        assert!(!outbound(&["2*"]).allows(&number("201")));
        assert!(outbound(&["2xx"]).allows(&number("201")));
        assert!(outbound(&["2*"]).allows(&number("2015550100")));
    }

    #[test]
    fn all_that_is_wrong_with_a_setting_is_said_at_once() {
        assert!(outbound(&["+1*"]).problems().is_empty());
        let wrong = Outbound {
            route: by_uri("sip:100@192.0.2.5", "pbx"),
            caller_number: "+1 555".to_owned(),
            numbers: vec![NumberPattern("+1 555".to_owned())],
        };
        let fields: Vec<_> = wrong.problems().into_iter().map(|one| one.field).collect();
        let all = [
            "outbound.route.uri",
            "outbound.route.address",
            "outbound.caller_number",
            "outbound.numbers[0]",
        ];
        assert_eq!(fields, all);
        let nothing = Outbound {
            numbers: Vec::new(),
            ..outbound(&["+1*"])
        };
        assert_eq!(nothing.problems().len(), 1);
    }

    #[test]
    fn a_number_is_called_in_the_templates_place_or_at_the_trunk() {
        let number = number("+1 555 0100");
        let uri = "sip:+15550100@192.0.2.5".to_owned();
        let address = "192.0.2.5:5060".parse().unwrap();
        let target = outbound(&["+1*"]).route.target_for(&number);
        assert_eq!(target, Some(RouteTarget::Uri { uri, address }));
        let trunk = "carrier".to_owned();
        let way: WayOut = serde_json::from_str(r#"{"to": "trunk", "trunk": "carrier"}"#).unwrap();
        assert_eq!((way.trunk(), way.problems().len()), (Some("carrier"), 0));
        let number_there = "+15550100".to_owned();
        let at = RouteTarget::Trunk {
            trunk,
            number: number_there,
        };
        assert_eq!(way.target_for(&number), Some(at));
    }

    #[test]
    fn a_status_says_why_a_number_was_not_reached() {
        for (status, why) in [
            (486, DialFailure::Busy),
            (480, DialFailure::NoAnswer),
            (603, DialFailure::Declined),
            (404, DialFailure::WrongNumber),
            (503, DialFailure::Unreachable),
        ] {
            assert_eq!(DialFailure::of_status(status), why, "{status}");
        }
    }
}
