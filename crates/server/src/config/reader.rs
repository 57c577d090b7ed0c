//! Reads settings by key and remembers everything that is wrong.
//! Owns: the parsed file, the environment over it, the problems so far.
//! Never: gives up early.

use std::collections::BTreeSet;
use std::fmt;

use super::SETTINGS;

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    key: String,
    message: String,
}

impl Problem {
    pub(crate) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// A reader over one file.
pub(super) struct Reader {
    file: toml::Table,
    environment: Vec<(&'static str, String)>,
    used: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn new(
        text: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        let file: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| vec![Problem::new("file", error.message())])?;
        let environment = SETTINGS
            .iter()
            .filter_map(|setting| {
                let name = format!(
                    "TONEWALL_{}",
                    setting.key.to_ascii_uppercase().replace('.', "_")
                );
                environment(&name).map(|value| (setting.key, value))
            })
            .collect();
        Ok(Self {
            file,
            environment,
            used: BTreeSet::new(),
            problems: Vec::new(),
        })
    }

    pub(super) fn problem(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(key, message));
    }

    /// The tables of an array of tables; they are checked by their own reader.
    pub(super) fn take_tables(&mut self, name: &str) -> Vec<toml::Table> {
        match self.file.remove(name) {
            None => Vec::new(),
            Some(toml::Value::Array(rows)) => rows
                .into_iter()
                .filter_map(|row| row.as_table().cloned())
                .collect(),
            Some(_) => {
                self.problem(name, format!("write it as [[{name}]]"));
                Vec::new()
            }
        }
    }

    /// The tables below a table, such as `[gateway.trust.NAME]`, with their names; they are checked by their own reader.
    pub(super) fn take_named(&mut self, table: &str, name: &str) -> Vec<(String, toml::Table)> {
        let outer = self.file.get_mut(table).and_then(toml::Value::as_table_mut);
        let key = format!("{table}.{name}");
        let rows = match outer.and_then(|outer| outer.remove(name)) {
            None => return Vec::new(),
            Some(toml::Value::Table(rows)) => rows,
            Some(_) => {
                self.problem(key.as_str(), format!("write it as [{key}.NAME]"));
                return Vec::new();
            }
        };
        let mut tables = Vec::with_capacity(rows.len());
        for (name, value) in rows {
            match value {
                toml::Value::Table(rows) => tables.push((name, rows)),
                _ => self.problem(
                    format!("{key}.{name}"),
                    format!("write it as [{key}.{name}]"),
                ),
            }
        }
        tables
    }

    /// Reads one setting of the table.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.used.insert(key.to_owned());
        let Some(text) = self.text(key) else {
            self.problem(key, "must be given");
            return None;
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.problem(key, message);
                None
            }
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        if let Some((_, value)) = self.environment.iter().find(|(name, _)| *name == key) {
            return Some(value.clone());
        }
        let (table, rest) = key.split_once('.')?;
        let value = rest
            .split('.')
            .fold(self.file.get(table), |value, name| value?.get(name));
        value.map(as_text).or_else(|| {
            let setting = SETTINGS.iter().find(|setting| setting.key == key)?;
            setting.default.map(str::to_owned)
        })
    }

    /// The configuration, if nothing was wrong and nothing is left over.
    pub(super) fn finish<T>(mut self, config: Option<T>) -> Result<T, Vec<Problem>> {
        let mut unknown = Vec::new();
        for (name, value) in &self.file {
            leaves(name, value, &mut unknown);
        }
        unknown.retain(|key| !self.used.contains(key));
        for key in unknown {
            let message = match nearest(&key) {
                Some(known) => format!("unknown; did you mean {known}?"),
                None => "unknown".to_owned(),
            };
            self.problem(key, message);
        }
        match config {
            Some(config) if self.problems.is_empty() => Ok(config),
            _ => Err(self.problems),
        }
    }
}

/// The dotted keys of everything that is set below a name.
fn leaves(name: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value.as_table() {
        Some(rows) => {
            for (inner, value) in rows {
                leaves(&format!("{name}.{inner}"), value, found);
            }
        }
        None => found.push(name.to_owned()),
    }
}

/// A value as the text that the parsers read; a list is joined by commas.
fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The known key with the fewest differing letters, if there are at most three.
fn nearest(key: &str) -> Option<&'static str> {
    let near = SETTINGS
        .iter()
        .map(|setting| (distance(key, setting.key), setting.key));
    near.filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, known)| known)
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, b) in right.iter().enumerate() {
            let replaced = corner + usize::from(a != *b);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
