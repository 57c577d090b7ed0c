//! What a trunk is told and how numbers are written there.
//! Owns: the keys `trusted`, `pass`, `strip`, `add`, `called` and `calling` of a `[[trunk]]`.
//! Never: applies a rule.

use sip::HeaderName;
use voice::{HeaderRules, NumberRule, NumberRules};

/// What of a trunk these keys say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// It is in our trust domain.
    pub(crate) is_trusted: bool,
    pub(crate) headers: HeaderRules,
    pub(crate) numbers: NumberRules,
}

impl Default for Rules {
    /// Without the keys.
    fn default() -> Self {
        Self {
            is_trusted: true,
            headers: HeaderRules::default(),
            numbers: NumberRules::default(),
        }
    }
}

/// Names in a list: more than a request may carry would never be of use.
const NAMES_MAX: usize = 16;

/// Fields that are added. They are in every call, so they stay few and short.
const ADDED_MAX: usize = 8;

/// Bytes of the value of one.
const ADDED_BYTES_MAX: usize = 256;

/// Rules of one list. A number is looked at by each in turn.
const RULES_MAX: usize = 32;

/// Characters of a beginning of numbers, old or new: E.164 has 15 digits.
const PREFIX_CHARS_MAX: usize = 16;

/// Keys of a rule for numbers.
const RULE: &str = "write rules as { prefix = \"00\", with = \"+\" }, with digits = 10 where only numbers of that many are meant, or as { country = \"49\" }";

/// Reads them; else the key that is wrong, and why.
pub(super) fn read(table: &toml::Table) -> Result<Rules, (&'static str, String)> {
    let is_trusted = match table.get("trusted").map(toml::Value::as_bool) {
        None => true,
        Some(Some(is_trusted)) => is_trusted,
        Some(None) => return Err(("trusted", "write true or false".to_owned())),
    };
    let usual = HeaderRules::default();
    let names = |key: &'static str, usual: Vec<HeaderName>| match table.get(key) {
        None => Ok(usual),
        Some(listed) => names(listed).map_err(|message| (key, message)),
    };
    let headers = HeaderRules {
        pass: names("pass", usual.pass)?,
        strip: names("strip", usual.strip)?,
        add: added(table.get("add")).map_err(|message| ("add", message))?,
    };
    let rules = |key: &'static str| rules(table.get(key)).map_err(|message| (key, message));
    let numbers = NumberRules {
        called: rules("called")?,
        calling: rules("calling")?,
    };
    Ok(Rules {
        is_trusted,
        headers,
        numbers,
    })
}

fn names(listed: &toml::Value) -> Result<Vec<HeaderName>, String> {
    let listed = listed.as_array().filter(|listed| listed.len() <= NAMES_MAX);
    let listed =
        listed.ok_or("list up to 16 names of header fields, for example \"User-to-User\"")?;
    listed
        .iter()
        .map(|item| name(item.as_str().unwrap_or_default()))
        .collect()
}

/// A name that may cross.
fn name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::parse(text.as_bytes())
        .ok_or_else(|| format!("\"{}\" is no name of a header field", text.escape_debug()))?;
    if name.may_be_carried() {
        return Ok(name);
    }
    Err(format!(
        "{name} speaks of one leg, its hops, its body or its credentials, or has rules of its own: it cannot be given on or made up"
    ))
}

fn added(listed: Option<&toml::Value>) -> Result<Vec<(HeaderName, String)>, String> {
    let Some(listed) = listed else {
        return Ok(Vec::new());
    };
    let listed = listed.as_table().filter(|listed| listed.len() <= ADDED_MAX);
    let listed = listed.ok_or("write up to 8 fields as { \"X-Site\" = \"berlin\" }")?;
    let is_printable = |value: &&str| {
        let is_clean = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        is_clean
            && value.trim().len() == value.len()
            && (1..=ADDED_BYTES_MAX).contains(&value.len())
    };
    let field = |(key, value): (&String, &toml::Value)| {
        let name = name(key)?;
        let value = value.as_str().filter(is_printable);
        let value = value.ok_or_else(|| {
            format!("the value of {name} has to be 1 to 256 printable ASCII characters, without blanks around them")
        })?;
        Ok((name, value.to_owned()))
    };
    listed.iter().map(field).collect()
}

fn rules(listed: Option<&toml::Value>) -> Result<Vec<NumberRule>, String> {
    let Some(listed) = listed else {
        return Ok(Vec::new());
    };
    let listed = listed.as_array().filter(|listed| listed.len() <= RULES_MAX);
    let listed = listed.ok_or_else(|| format!("list up to 32 rules; {RULE}"))?;
    let numbered = (1..).zip(listed);
    let read = |(number, item): (usize, &toml::Value)| {
        rule(item).map_err(|message| format!("rule {number}: {message}"))
    };
    numbered.map(read).collect()
}

fn rule(item: &toml::Value) -> Result<NumberRule, String> {
    let table = item.as_table().ok_or(RULE)?;
    let known = ["prefix", "digits", "with", "country"];
    if table.keys().any(|key| !known.contains(&key.as_str())) {
        return Err(RULE.to_owned());
    }
    let text = |key: &str| table.get(key).map(|value| value.as_str().ok_or(RULE));
    if let Some(code) = text("country").transpose()? {
        let is_code = (1..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        return match is_code && !code.starts_with('0') && table.len() == 1 {
            true => Ok(NumberRule::Country(code.to_owned())),
            false => Err(
                "country is a code of 1 to 3 digits without zeros before it, and stands alone"
                    .to_owned(),
            ),
        };
    }
    let beginning = |key: &'static str| {
        let text = text(key).transpose()?.ok_or(RULE)?;
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_beginning = digits.bytes().all(|byte| byte.is_ascii_digit());
        match is_beginning && text.len() <= PREFIX_CHARS_MAX {
            true => Ok(text.to_owned()),
            false => Err(format!(
                "{key} is up to 16 digits, with or without a + before them"
            )),
        }
    };
    let digits = match table.get("digits") {
        None => None,
        Some(value) => {
            let digits = value
                .as_integer()
                .and_then(|digits| u8::try_from(digits).ok());
            let digits = digits.filter(|digits| (1..=32).contains(digits));
            Some(digits.ok_or("digits is a whole number from 1 to 32")?)
        }
    };
    Ok(NumberRule::Prefix {
        prefix: beginning("prefix")?,
        digits,
        with: beginning("with")?,
    })
}

#[cfg(test)]
mod tests {
    use voice::NumberRule;

    use super::super::Config;
    use super::super::tests::{nothing, problems};

    fn text(more: &str) -> String {
        format!(
            "[node]\ndata = \"/tmp/x\"\n[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\n{more}\n"
        )
    }

    #[test]
    fn rules_of_a_trunk_are_read() {
        let more = r#"trusted = false
pass = ["User-to-User", "history-info"]
strip = ["X-Internal"]
add = { "X-Site" = "berlin 1" }
called = [{ prefix = "+49", with = "0" }, { prefix = "", digits = 10, with = "+1" }]
calling = [{ country = "49" }]"#;
        let rules = Config::parse(&text(more), nothing).unwrap().trunks[0]
            .rules
            .clone();
        assert!(!rules.is_trusted);
        let names: Vec<&str> = rules
            .headers
            .pass
            .iter()
            .map(|name| name.as_str())
            .collect();
        assert_eq!(names, ["User-to-User", "history-info"]);
        assert_eq!(rules.headers.strip.len(), 1);
        assert_eq!(rules.headers.add[0].1, "berlin 1");
        assert_eq!(rules.numbers.called.len(), 2);
        assert_eq!(
            rules.numbers.calling,
            [NumberRule::Country("49".to_owned())]
        );
        let usual = Config::parse(&text(""), nothing).unwrap().trunks[0]
            .rules
            .clone();
        assert!(usual.is_trusted && usual.headers == voice::HeaderRules::default());
    }

    #[test]
    fn what_may_not_cross_stops_the_start_by_its_name() {
        let many = format!("strip = [{}]", ["\"X-A\""; 17].join(","));
        for (wrong, key, culprit) in [
            ("pass = [\"Via\"]", "pass", "Via"),
            ("pass = [\"Content-Type\"]", "pass", "Content-Type"),
            (
                "pass = [\"P-Asserted-Identity\"]",
                "pass",
                "P-Asserted-Identity",
            ),
            ("pass = [\"a b\"]", "pass", "a b"),
            ("pass = \"User-to-User\"", "pass", "list"),
            ("strip = [\"m\"]", "strip", "Contact"),
            (&many, "strip", "16"),
            ("add = { Authorization = \"x\" }", "add", "Authorization"),
            ("add = { X-Site = \"a\\r\\nVia: b\" }", "add", "X-Site"),
            ("add = { X-Site = \"\" }", "add", "X-Site"),
            (
                "add = { X-Tonewall-Call = \"x\" }",
                "add",
                "X-Tonewall-Call",
            ),
            ("trusted = \"yes\"", "trusted", "true or false"),
            (
                "called = [{ prefix = \"0\", with = \"+\" }, { prefix = \"a\", with = \"\" }]",
                "called",
                "rule 2: prefix",
            ),
            (
                "called = [{ prefix = \"0\" }]",
                "called",
                "rule 1: write rules",
            ),
            (
                "calling = [{ country = \"049\" }]",
                "calling",
                "rule 1: country",
            ),
            (
                "calling = [{ prefix = \"\", digits = 0, with = \"\" }]",
                "calling",
                "rule 1: digits",
            ),
            (
                "calling = [{ prefix = \"\", wiht = \"\" }]",
                "calling",
                "rule 1: write",
            ),
        ] {
            let found = problems(&text(wrong));
            assert!(
                found[0].starts_with(&format!("trunk[0].{key}: ")),
                "{found:?}"
            );
            assert!(found[0].contains(culprit), "{found:?}");
        }
    }
}
