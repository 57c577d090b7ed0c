//! A configuration's file as text: TOML, and JSON where it begins with a brace, as presets have it and the page exports it.
//! Owns: the way from text to a configuration, and the place in the text that a problem is about.
//! Never: says what a configuration must be like, or reads a file.

use std::fmt;
use std::ops::Range;

use domain::gateway::case::Case;
use domain::gateway::file::GatewayFile;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// A text that was read, and where its values stand.
pub struct Read {
    /// What it says.
    pub file: GatewayFile,
    /// Where.
    pub places: Places,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Line and column, from 1; none: the text as a whole, or a value whose place is not known.
    pub at: Option<(usize, usize)>,
    /// The member, such as "gateway.more.method"; empty: the text itself.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// Reads a configuration.
///
/// # Errors
/// The first thing by which it is none.
pub fn read(text: &str) -> Result<Read, FileProblem> {
    Ok(Read {
        file: parse(text)?,
        places: Places::of(text),
    })
}

/// Reads a saved case.
///
/// # Errors
/// The first thing by which it is none.
pub fn read_case(text: &str) -> Result<Case, FileProblem> {
    parse(text)
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, FileProblem> {
    match is_json(text) {
        true => parse_json(text),
        false => parse_toml(text),
    }
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, FileProblem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let problem = |field: String, error: &serde_json::Error| FileProblem {
        at: Some((error.line(), error.column())),
        field,
        message: without_place(&error.to_string()),
    };
    let read = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| problem(path_of(error.path()), error.inner()))?;
    json.end().map_err(|error| problem(String::new(), &error))?;
    Ok(read)
}

/// The place is told by itself.
fn without_place(message: &str) -> String {
    let cut = message.rfind(" at line ");
    message[..cut.unwrap_or(message.len())].to_owned()
}

fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, FileProblem> {
    let problem = |field: String, error: &toml::de::Error| FileProblem {
        at: error.span().map(|span| place(text, span.start)),
        field,
        message: error.message().to_owned(),
    };
    let toml = toml::Deserializer::parse(text).map_err(|error| problem(String::new(), &error))?;
    serde_path_to_error::deserialize(toml)
        .map_err(|error| problem(path_of(error.path()), error.inner()))
}

/// The root has no name.
fn path_of(path: &serde_path_to_error::Path) -> String {
    match path.iter().next() {
        Some(_) => path.to_string(),
        None => String::new(),
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.split('\n').count(), line.chars().count() + 1)
}

/// Where the values of a text stand. Known for TOML only: JSON's parser does not say.
pub struct Places {
    text: String,
}

impl Places {
    fn of(text: &str) -> Self {
        let text = if is_json(text) { "" } else { text };
        Self {
            text: text.to_owned(),
        }
    }

    /// Line and column, from 1, of a member such as "gateway.request_params[4].value", or of the nearest around it that is there.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<(usize, usize)> {
        let document = DeTable::parse(&self.text).ok()?;
        let mut names = path.split(['.', '[']).filter(|name| !name.is_empty());
        let root = document.get_ref().get(names.next()?)?;
        let (mut value, mut span) = (root.get_ref(), root.span());
        for name in names {
            let Some((inner, at)) = member(value, name.trim_end_matches(']')) else {
                break;
            };
            (value, span) = (inner, at);
        }
        Some(place(&self.text, span.start))
    }
}

fn member<'a, 'text>(
    value: &'a DeValue<'text>,
    name: &str,
) -> Option<(&'a DeValue<'text>, Range<usize>)> {
    let found = match value {
        DeValue::Table(table) => table.get(name)?,
        DeValue::Array(rows) => rows.get(name.parse::<usize>().ok()?)?,
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => return None,
    };
    Some((found.get_ref(), found.span()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = r#"[gateway]
service_url = "https://pay.example/"
success_key = "a"
success_value = "b"
request_params = [
    { name = "one", value = "{card.number}" },
    { name = "two", value = "{card.nubmer}" },
]

[gateway.more.verdict]
error = ["x = 1", "y"]
"#;

    fn problem(text: &str) -> String {
        read(text).err().unwrap().to_string()
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = read(TOML).unwrap().file;
        let json = serde_json::to_string_pretty(&toml).unwrap();
        assert_eq!(read(&json).unwrap().file, toml);
        assert_eq!(toml.gateway.request_params.len(), 2);
    }

    #[test]
    fn a_member_is_found_by_its_line_and_column() {
        let places = read(TOML).unwrap().places;
        for (path, at) in [
            ("gateway.service_url", Some((2, 15))),
            ("gateway.request_params[1].value", Some((7, 29))),
            ("gateway.more.verdict.error[1]", Some((11, 19))),
            ("gateway.request_params[1].other", Some((7, 5))),
            ("nothing", None),
        ] {
            assert_eq!(places.find(path), at, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_place_and_member() {
        for (text, expected) in [
            (
                "[gateway]\nservice_url = 1\n",
                "2:15: gateway.service_url: invalid type: integer `1`, expected a string",
            ),
            ("[gateway\n", "1:9: unclosed table, expected `]`"),
            (
                "{\"gateway\": {\"success_key\": }}",
                "1:29: gateway.success_key: expected value",
            ),
            (
                "{\"gateway\": 1} x",
                "1:13: gateway: invalid type: integer `1`, expected struct GatewayConfig",
            ),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        let unknown = problem(&TOML.replace("success_key", "sucess_key"));
        assert!(
            unknown.starts_with(
                "3:1: gateway.sucess_key: unknown field `sucess_key`, expected one of `service_url`"
            ),
            "{unknown}"
        );
        let missing = problem("[gateway]\nsuccess_key = \"a\"\n");
        assert!(missing.contains("missing field `service_url`"), "{missing}");
        assert!(problem("").contains("missing field `gateway`"));
    }

    #[test]
    fn a_case_is_read_alike() {
        let case = read_case("status = 402\nbody = '''{}'''\n[expected]\noutcome = 'declined'\n");
        assert_eq!(case.unwrap().status, 402);
        let wrong = read_case("{\"body\":\"\",\"expected\":{\"outcome\":\"no\"}}").unwrap_err();
        assert_eq!(wrong.field, "expected.outcome");
    }
}
