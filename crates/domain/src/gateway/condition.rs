//! A condition on an answer, `response = 2`.
//! Owns: how one is written, and when it holds.
//! Never: holds where its key is absent or there twice, whatever it compares, or says what holding means.

use super::expression::Expression;
use super::key::{KEY_CHARS_MAX, Key, expression_len};
use super::misread::Misread;

/// Longest condition in characters.
const LINE_CHARS_MAX: usize = KEY_CHARS_MAX + 200;

/// What may follow a key.
const AFTER_KEY: &str = "after the key and a blank comes =, !=, ~, exists or null";

/// A key and what must be there: `status = DECLINED|REFUSED`, `code != 0`, `text ~ (?i)insufficient`, `RESULT = 100..199`, `charge_id exists`,
/// `error_code null`. A blank in a key is written `\ `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Where it looks.
    pub key: Key,
    /// What must be there.
    pub test: Test,
}

impl Condition {
    /// Reads a line.
    ///
    /// # Errors
    /// Where it is none, and what may stand there.
    pub fn parse(line: &str) -> Result<Self, Misread> {
        if let Some((byte, _)) = line.char_indices().nth(LINE_CHARS_MAX) {
            let allowed = format!("a condition has at most {LINE_CHARS_MAX} characters");
            return Err(Misread::new(line, byte, allowed));
        }
        if let Some(byte) = line.find(char::is_control) {
            return Err(Misread::new(line, byte, "a condition is one line of text"));
        }
        let from = line.len() - line.trim_start().len();
        let to = from + key_len(&line[from..]);
        let written = &line[from..to];
        let key = match expression_len(written) {
            Some(_) => Key::parse(written),
            None => Key::parse(&written.replace("\\ ", " ")),
        };
        let key = key.map_err(|misread| misread.after(&line[..from]))?;
        let at = line.len() - line[to..].trim_start().len();
        let test = Test::after_key(line, at)?;
        Ok(Self { key, test })
    }

    /// Whether it holds of what stands at its key.
    #[must_use]
    pub fn holds(&self, at_key: AtKey<'_>) -> bool {
        self.test.holds(at_key)
    }
}

/// Bytes of the key that a line begins with: up to a blank that no backslash stands before, or its own end.
fn key_len(line: &str) -> usize {
    if let Some(len) = expression_len(line) {
        return len;
    }
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if c.is_whitespace() && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    line.len()
}

/// What stands at a key of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtKey<'a> {
    /// Nothing.
    Absent,
    /// More than one thing at the shallowest level.
    Twice,
    /// Other keys.
    Parts,
    /// A text, a number, a truth value or null, as it is written.
    Text(&'a str),
}

/// What must stand at a key. Texts are compared without blanks around them, numbers, truth values and null as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `= a|b|200..299`: one of these.
    OneOf(Vec<Alternative>),
    /// `!= a|b`: something else.
    NoneOf(Vec<Alternative>),
    /// `~ regex`: a part of it fits.
    Fits(Expression),
    /// `exists`: something but null or an empty text. Gateways that send all keys of a form leave those empty that say nothing.
    Exists,
    /// `null`
    Null,
}

/// What a value may be equal to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alternative {
    /// This text.
    Text(String),
    /// A whole number from the first to the last.
    Range(i64, i64),
}

impl Test {
    /// Reads Response Success Value where it is a test: `a|b|200..299`, `~regex`, `exists`, `null`.
    ///
    /// # Errors
    /// Where it is none, and what may stand there.
    pub fn of_value(text: &str) -> Result<Self, Misread> {
        let at = text.len() - text.trim_start().len();
        match text.trim() {
            "exists" => Ok(Self::Exists),
            "null" => Ok(Self::Null),
            value if value.starts_with(['=', '!']) => {
                let allowed =
                    "write a value, values with | between, ~ and an expression, exists or null";
                Err(Misread::new(text, at, allowed))
            }
            value if value.starts_with('~') => fits(text, at + 1),
            _ => alternatives(text, at).map(Self::OneOf),
        }
    }

    fn after_key(line: &str, at: usize) -> Result<Self, Misread> {
        let rest = &line[at..];
        if rest.starts_with("!=") {
            return alternatives(line, at + 2).map(Self::NoneOf);
        }
        match rest.chars().next() {
            Some('=') if rest[1..].starts_with('=') => {
                Err(Misread::new(line, at + 1, "one = is enough"))
            }
            Some('=') => alternatives(line, at + 1).map(Self::OneOf),
            Some('~') => fits(line, at + 1),
            Some(_) | None => match rest.trim_end() {
                "exists" => Ok(Self::Exists),
                "null" => Ok(Self::Null),
                _ => Err(Misread::new(line, at, AFTER_KEY)),
            },
        }
    }

    /// Whether it holds of what stands at its key.
    #[must_use]
    pub fn holds(&self, at_key: AtKey<'_>) -> bool {
        let text = match at_key {
            AtKey::Absent | AtKey::Twice => return false,
            AtKey::Parts => return *self == Self::Exists,
            AtKey::Text(text) => text.trim(),
        };
        let is_among = |values: &[Alternative]| values.iter().any(|value| value.is(text));
        match self {
            Self::OneOf(values) => is_among(values),
            Self::NoneOf(values) => !is_among(values),
            Self::Fits(expression) => expression.fits(text),
            Self::Exists => !is_nothing(text),
            Self::Null => text == NULL,
        }
    }
}

/// JSON's word for nothing.
const NULL: &str = "null";

/// A value that says nothing: empty, blank or null.
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    matches!(text.trim(), "" | NULL)
}

impl Alternative {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(value) => value == text,
            Self::Range(first, last) => text
                .parse()
                .is_ok_and(|number: i64| (*first..=*last).contains(&number)),
        }
    }

    /// Two whole numbers with `..` between are a range; one with something else is a slip.
    fn read(text: &str) -> Result<Self, &'static str> {
        let Some((first, last)) = text.split_once("..") else {
            return Ok(Self::Text(text.to_owned()));
        };
        let whole = |text: &str| text.trim().parse::<i64>();
        match (whole(first), whole(last)) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self::Range(first, last)),
            (Ok(_), Ok(_)) => Err("a range begins with the smaller number"),
            (Err(_), Err(_)) => Ok(Self::Text(text.to_owned())),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => Err("a range has a whole number at both ends"),
        }
    }
}

/// Values with `|` between, from a byte of a line to its end. `\|` is a stroke of a value, `\\` a backslash.
fn alternatives(line: &str, from: usize) -> Result<Vec<Alternative>, Misread> {
    let mut values = Vec::new();
    let mut value = String::new();
    let mut begin = from;
    let mut chars = line[from..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next_if(|(_, next)| matches!(next, '|' | '\\'));
                value.push(next.map_or(c, |(_, next)| next));
            }
            '|' => {
                values.push(alternative(line, begin, &value)?);
                value.clear();
                begin = from + at + 1;
            }
            _ => value.push(c),
        }
    }
    values.push(alternative(line, begin, &value)?);
    Ok(values)
}

fn alternative(line: &str, begin: usize, value: &str) -> Result<Alternative, Misread> {
    let blanks = value.len() - value.trim_start().len();
    match value.trim() {
        "" => Err(Misread::new(line, begin, "write a value")),
        text => Alternative::read(text).map_err(|why| Misread::new(line, begin + blanks, why)),
    }
}

fn fits(line: &str, from: usize) -> Result<Test, Misread> {
    let text = line[from..].trim();
    let at = line.len() - line[from..].trim_start().len();
    if text.is_empty() {
        return Err(Misread::new(line, at, "write a regular expression"));
    }
    let expression = Expression::parse(text);
    expression
        .map(Test::Fits)
        .map_err(|misread| misread.after(&line[..at]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(line: &str, text: &str) -> bool {
        Condition::parse(line).unwrap().holds(AtKey::Text(text))
    }

    #[test]
    fn a_value_is_compared_as_it_is_written_without_blanks_around_it() {
        for (line, text, expected) in [
            ("s = 2", "2", true),
            ("s = 2", " 2\n", true),
            ("s = 2", "2.0", false),
            ("s = A|B", "B", true),
            ("s = A | B", "A", true),
            ("s = A|B", "A|B", false),
            ("s = A\\|B", "A|B", true),
            ("s = C:\\\\x", "C:\\x", true),
            ("s = a\\b", "a\\b", true),
            ("s = Refused by bank", "Refused by bank", true),
            ("s = true", "true", true),
            ("s = null", "null", true),
            ("s = ok", "OK", false),
            ("s != 0", "1", true),
            ("s != 0", "0", false),
            ("s != 0|1", "1", false),
            ("s != 0", "", true),
            ("s null", "null", true),
            ("s null", "", false),
            ("s exists", "x", true),
            ("s exists", "0", true),
            ("s exists", "false", true),
            ("s exists", "null", false),
            ("s exists", " ", false),
            ("s ~ ^A[0-9]{2}$", "A01", true),
            ("s ~ (?i)insufficient", "Insufficient funds", true),
            ("s ~ ^a$", " a ", true),
            ("s ~ a|b", "xbx", true),
        ] {
            assert_eq!(holds(line, text), expected, "{line} of {text:?}");
        }
    }

    #[test]
    fn a_range_is_of_whole_numbers() {
        for (line, text, expected) in [
            ("s = 200..299", "200", true),
            ("s = 200..299", "299", true),
            ("s = 200..299", "300", false),
            ("s = -9 .. -1", "-5", true),
            ("s = 0..99", "007", true),
            ("s = 1..2|9", "9", true),
            ("s = 1..2", "1.5", false),
            ("s = 1..2", "one", false),
            ("s = 1..2", "99999999999999999999", false),
            ("s != 1..9", "10", true),
            ("s = a..b", "a..b", true),
        ] {
            assert_eq!(holds(line, text), expected, "{line} of {text:?}");
        }
    }

    #[test]
    fn nothing_holds_of_a_key_that_is_absent_or_there_twice() {
        for line in [
            "s = a", "s != a", "s ~ .*", "s exists", "s null", "s = 0..9",
        ] {
            let condition = Condition::parse(line).unwrap();
            for at_key in [AtKey::Absent, AtKey::Twice] {
                assert!(!condition.holds(at_key), "{line}");
            }
            assert_eq!(condition.holds(AtKey::Parts), line == "s exists", "{line}");
        }
    }

    #[test]
    fn keys_may_be_anything_that_is_a_key() {
        for (line, key) in [
            ("//error/@code = 7", "//error/@code"),
            ("http:status = 402", "http:status"),
            ("header:X-Result = ok", "header:X-Result"),
            (r"re:/(a b|=)/ exists", "re:/(a b|=)/"),
            ("Response\\ Code = 1", "Response Code"),
            ("  a.b[0].c\t!= x", "a.b[0].c"),
        ] {
            let condition = Condition::parse(line.replace('\t', " ").as_str()).unwrap();
            assert_eq!(Ok(condition.key), Key::parse(key), "{line}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_by_place() {
        for (line, at) in [
            ("", 1),
            ("status", 7),
            ("status ", 8),
            ("status=1", 9),
            ("s = ", 4),
            ("s == 1", 4),
            ("s = a||b", 7),
            ("s = |a", 4),
            ("s equals 1", 3),
            ("s exists 1", 3),
            ("s = 1..x", 5),
            ("s = a| 9..1", 8),
            ("s ~", 4),
            ("s ~ a(b", 6),
            ("\u{e9} ~ a(b", 6),
            ("re:/a/ = 1", 5),
            ("  http:x = 1", 3),
            ("s = a\nb", 6),
        ] {
            assert_eq!(
                Condition::parse(line).map_err(|wrong| wrong.at),
                Err(at),
                "{line:?}"
            );
        }
        let long = format!("s = {}", "x".repeat(LINE_CHARS_MAX));
        assert_eq!(Condition::parse(&long).unwrap_err().at, LINE_CHARS_MAX + 1);
    }

    #[test]
    fn a_success_value_may_be_a_test() {
        for (text, value, expected) in [
            ("0|00|85", "85", true),
            ("0|00|85", "5", false),
            ("200..299", "204", true),
            ("~^A0", "A01", true),
            ("~ ^A0", "B01", false),
            ("exists", "ch_1", true),
            ("exists", "null", false),
            (" null ", "null", true),
            ("Authorised", "Authorised", true),
        ] {
            let test = Test::of_value(text).unwrap();
            assert_eq!(
                test.holds(AtKey::Text(value)),
                expected,
                "{text} of {value}"
            );
        }
        for (text, at) in [
            ("", 1),
            ("= a", 1),
            (" !x", 2),
            ("a|", 3),
            ("~", 2),
            ("~(", 2),
        ] {
            assert_eq!(
                Test::of_value(text).map_err(|wrong| wrong.at),
                Err(at),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused_at_a_place_of_it(line in "[\\PC]{0,12}( (=|!=|~|exists|null)[\\PC]{0,20})?") {
            let _may_be_none = Test::of_value(&line);
            if let Err(misread) = Condition::parse(&line) {
                prop_assert!((1..=line.chars().count() + 1).contains(&misread.at));
            }
        }

        #[test]
        fn equal_and_unequal_part_the_values_between_them(value in "[\\PC]{0,8}", other in "[a-z0-9]{1,4}") {
            let equal = Condition::parse(&format!("k = {other}")).unwrap();
            let unequal = Condition::parse(&format!("k != {other}")).unwrap();
            let at_key = AtKey::Text(&value);
            prop_assert_eq!(equal.holds(at_key), value.trim() == other);
            prop_assert_ne!(equal.holds(at_key), unequal.holds(at_key));
        }
    }
}
