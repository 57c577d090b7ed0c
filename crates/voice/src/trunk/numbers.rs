//! Numbers as one side writes them, and as the other does.
//! Owns: rules by which the beginning of a number is replaced.
//! Never: decides where a number leads.

use std::borrow::Cow;

/// Rules of one trunk and direction. More can only be a mistake: a numbering plan has a handful.
pub const RULES_MAX: usize = 64;

/// Digits of a number; E.164 has 15, and a prefix of a carrier some more. What is longer is no number and stays as it is.
const DIGITS_MAX: usize = 32;

/// One rule: a number that begins like this begins like that instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRule {
    /// Beginning, `+` and digits; empty: every number without `+`.
    pub begins: String,
    /// What stands there instead.
    pub becomes: String,
    /// Digits that the whole number has to have; none: any.
    pub digits: Option<usize>,
}

/// Rules in their order: the first that fits is applied, and no other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberRules(Vec<NumberRule>);

impl NumberRules {
    /// These rules; those beyond [`RULES_MAX`] are left out.
    #[must_use]
    pub fn new(mut rules: Vec<NumberRule>) -> Self {
        rules.truncate(RULES_MAX);
        Self(rules)
    }

    /// The number by these rules, without visual separators ([RFC 3966 §5.1.1](https://www.rfc-editor.org/rfc/rfc3966#section-5.1.1)). What is no number
    /// is untouched.
    #[must_use]
    pub fn apply<'a>(&self, user: &'a str) -> Cow<'a, str> {
        let Some(number) = number(user) else {
            return Cow::Borrowed(user);
        };
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let fits = |rule: &&NumberRule| {
            number.starts_with(&rule.begins)
                && number.starts_with('+') == rule.begins.starts_with('+')
                && rule.digits.is_none_or(|wanted| wanted == digits)
        };
        let Some(rule) = self.0.iter().find(fits) else {
            return number;
        };
        let rest = number.get(rule.begins.len()..).unwrap_or_default();
        Cow::Owned(format!("{}{rest}", rule.becomes))
    }
}

/// The number in a user part: digits, perhaps behind a `+`, separators taken out.
fn number(user: &str) -> Option<Cow<'_, str>> {
    let is_separator = |c: char| matches!(c, '-' | '.' | '(' | ')');
    let bare = user.strip_prefix('+').unwrap_or(user);
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    let is_number = (1..=DIGITS_MAX).contains(&digits)
        && bare.chars().all(|c| c.is_ascii_digit() || is_separator(c));
    if !is_number {
        return None;
    }
    if user.contains(is_separator) {
        return Some(Cow::Owned(user.replace(is_separator, "")));
    }
    Some(Cow::Borrowed(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> NumberRules {
        let rule = |begins: &str, becomes: &str, digits| NumberRule {
            begins: begins.to_owned(),
            becomes: becomes.to_owned(),
            digits,
        };
        NumberRules::new(vec![
            rule("00", "+", None),
            rule("0", "+44", None),
            rule("", "+4420", Some(8)),
        ])
    }

    #[test]
    fn the_first_rule_that_fits_is_applied_and_no_other() {
        for (given, meant) in [
            ("004420555", "+4420555"),
            ("02055501234", "+442055501234"),
            ("55501234", "+442055501234"),
            ("+1 555", "+1 555"),
            ("+15550100", "+15550100"),
            ("112", "112"),
        ] {
            assert_eq!(rules().apply(given), meant, "{given}");
        }
    }

    #[test]
    fn separators_go_and_what_is_no_number_stays() {
        assert_eq!(rules().apply("+44-(20).555"), "+4420555");
        for text in [
            "",
            "+",
            "alice",
            "0alice",
            "0*21#",
            "0;ext=7",
            &"0".repeat(40),
        ] {
            assert_eq!(rules().apply(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in ".*") {
            let once = rules().apply(&text).into_owned();
            proptest::prop_assert!(once.len() <= text.len() + 5);
        }
    }
}
