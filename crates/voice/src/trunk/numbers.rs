//! How numbers are written for a trunk, and by it.
//! Owns: the rules, and what they make of a number.
//! Never: touches a user that is no number.

/// Digits of a number, the most that any rule makes: E.164 has 15, prefixes of carriers come before them. What would be longer stays as it was.
const DIGITS_MAX: usize = 32;

/// The rules of a trunk. Of each list the first that fits a number is applied, and no other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberRules {
    /// For numbers that are called there.
    pub called: Vec<NumberRule>,
    /// For the numbers of callers from there.
    pub calling: Vec<NumberRule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberRule {
    /// What begins so gets another beginning.
    Prefix {
        /// The beginning: digits, with or without `+`; empty: any.
        prefix: String,
        /// Digits that the number has to have, with its beginning; none: any.
        digits: Option<u8>,
        /// The new beginning; empty: the old one is taken away.
        with: String,
    },
    /// To E.164 as in countries where `00` is dialled before a country's code and `0` before an area's: with `+` it stays, `00` becomes `+`, `0` becomes
    /// `+` and this code. What begins otherwise does not fit.
    Country(String),
}

/// The number as these rules make it; none: none fits, or it is no number.
pub(crate) fn rewritten(rules: &[NumberRule], user: &str) -> Option<String> {
    let number = number_of(user)?;
    let made = rules.iter().find_map(|rule| rule.applied(&number))?;
    let digits = made.strip_prefix('+').unwrap_or(&made);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && digits.len() <= DIGITS_MAX).then_some(made)
}

/// Digits with or without a `+`, whose visual separators ([RFC 3966](https://www.rfc-editor.org/rfc/rfc3966)) are left out; none: it is no number.
pub(crate) fn number_of(user: &str) -> Option<String> {
    let number: String = user.chars().filter(|c| !"-.()".contains(*c)).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

impl NumberRule {
    /// None: it does not fit.
    fn applied(&self, number: &str) -> Option<String> {
        match self {
            Self::Prefix {
                prefix,
                digits,
                with,
            } => {
                let rest = number.strip_prefix(prefix.as_str())?;
                let has = number.bytes().filter(u8::is_ascii_digit).count();
                let fits = digits.is_none_or(|wanted| usize::from(wanted) == has);
                fits.then(|| format!("{with}{rest}"))
            }
            Self::Country(code) => {
                if number.starts_with('+') {
                    return Some(number.to_owned());
                }
                if let Some(abroad) = number.strip_prefix("00") {
                    return Some(format!("+{abroad}"));
                }
                let national = number.strip_prefix('0')?;
                Some(format!("+{code}{national}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(prefix: &str, with: &str) -> NumberRule {
        NumberRule::Prefix {
            prefix: prefix.to_owned(),
            digits: None,
            with: with.to_owned(),
        }
    }

    #[test]
    fn first_rule_that_fits_makes_the_number() {
        let germany = [NumberRule::Country("49".to_owned()), prefix("", "+4930")];
        let america = [
            prefix("+", "+"),
            prefix("011", "+"),
            NumberRule::Prefix {
                prefix: String::new(),
                digits: Some(10),
                with: "+1".to_owned(),
            },
            NumberRule::Prefix {
                prefix: "1".to_owned(),
                digits: Some(11),
                with: "+1".to_owned(),
            },
        ];
        let outside_line = [prefix("9", ""), prefix("+49", "0"), prefix("+", "00")];
        let too_long = [prefix("", &"1".repeat(DIGITS_MAX))];
        let table: [(&[NumberRule], &str, Option<&str>); 20] = [
            (&germany, "+33123", Some("+33123")),
            (&germany, "0033123", Some("+33123")),
            (&germany, "030123", Some("+4930123")),
            (&germany, "(030) 123", None),
            (&germany, "(030)1-2.3", Some("+4930123")),
            (&germany, "123", Some("+4930123")),
            (&america, "+442071234567", Some("+442071234567")),
            (&america, "011442071234567", Some("+442071234567")),
            (&america, "2125550100", Some("+12125550100")),
            (&america, "12125550100", Some("+12125550100")),
            (&america, "911", None),
            (&outside_line, "90301", Some("0301")),
            (&outside_line, "9", None),
            (&outside_line, "+4930", Some("030")),
            (&outside_line, "+3312", Some("003312")),
            (&outside_line, "+", None),
            (&outside_line, "anonymous", None),
            (&outside_line, "9;x=1", None),
            (&too_long, "1", None),
            (&[], "1", None),
        ];
        for (rules, number, wanted) in table {
            let made = rewritten(rules, number);
            assert_eq!(made.as_deref(), wanted, "{number}");
        }
    }
}
