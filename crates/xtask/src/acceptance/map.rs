//! `docs/acceptance.toml`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Deserialize;

use super::row::Row;

/// Which issue owes each row, and which tests prove it.
#[derive(Debug)]
pub(super) struct Map {
    /// The issue at work: its rows and those of the issues before it have to be proven, those of later ones are due.
    pub(super) issue: u32,
    pub(super) rows: BTreeMap<Row, Entry>,
}

/// A row's own part of the map.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The issue that owes the row.
    pub(super) issue: u32,
    /// One of these breaks when the row does.
    pub(super) tests: Vec<Pattern>,
    /// What of the row no test proves yet; the row is missing as long as this stands here.
    pub(super) open: Option<String>,
}

/// A test's `suite: name`, or with a star at its end the beginning of several: then there is at least one, and all have to pass.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn fits(&self, test: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => test.starts_with(beginning),
            None => test == self.0,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[derive(Deserialize)]
struct File {
    issue: u32,
    #[serde(flatten)]
    rows: BTreeMap<String, Entry>,
}

impl Map {
    /// Every row of the table stands in it once, and nothing else.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text)?;
        let mut rows = BTreeMap::new();
        for (id, entry) in file.rows {
            let row: Row = id.parse()?;
            if entry.tests.iter().any(|test| !test.as_str().contains(": ")) {
                bail!("{id}: a test is named `suite: name`");
            }
            rows.insert(row, entry);
        }
        let absent = Row::all().find(|row| !rows.contains_key(row));
        if let Some(row) = absent {
            bail!("{row} is not in the map");
        }
        Ok(Self {
            issue: file.issue,
            rows,
        })
    }
}

/// A map in which every row is of `issue` and without a test but the given ones.
#[cfg(test)]
pub(super) fn map_with(issue: u32, given: &[(&str, u32, &[&str])]) -> Map {
    Map::parse(&text_with(issue, given)).unwrap()
}

#[cfg(test)]
pub(super) fn text_with(issue: u32, given: &[(&str, u32, &[&str])]) -> String {
    let mut text = format!("# rows\nissue = {issue}\n");
    for row in Row::all().map(|row| row.to_string()) {
        let known = given.iter().find(|(id, _, _)| *id == row);
        let (_, issue, tests) = known.copied().unwrap_or((&row, 9, &[]));
        text.push_str(&format!("\n[{row}]\nissue = {issue}\n"));
        if tests.is_empty() {
            text.push_str("tests = []\n");
            continue;
        }
        text.push_str("tests = [\n");
        for test in tests {
            text.push_str(&format!("  \"{test}\",\n"));
        }
        text.push_str("]\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_every_row_and_no_other() {
        let text = text_with(4, &[("P2", 4, &["story: p2 off"])]);
        let map = Map::parse(&text).unwrap();
        assert_eq!(map.rows.len(), Row::all().count());
        let unknown = format!("{text}\n[P15]\nissue = 4\ntests = []\n");
        assert!(
            Map::parse(&unknown)
                .unwrap_err()
                .to_string()
                .contains("P15")
        );
        let absent = text.replace("[W44]\nissue = 9\ntests = []\n", "");
        let error = Map::parse(&absent).unwrap_err().to_string();
        assert_eq!(error, "W44 is not in the map");
        let twice = format!("{text}\n[P2]\nissue = 4\ntests = []\n");
        assert!(Map::parse(&twice).is_err());
    }

    #[test]
    fn a_test_without_a_suite_and_an_unknown_key_are_refused() {
        let text = text_with(4, &[("P2", 4, &["p2 off"])]);
        assert!(Map::parse(&text).is_err());
        let text = text_with(4, &[]).replacen("issue = 9\n", "issue = 9\nnote = 1\n", 1);
        assert!(Map::parse(&text).is_err());
    }

    #[test]
    fn a_star_stands_for_any_end() {
        let pattern = Pattern::from("story: a card keyed as *".to_owned());
        assert!(pattern.fits("story: a card keyed as info"));
        assert!(!pattern.fits("story: a card"));
        assert!(!Pattern::from("ui: a".to_owned()).fits("ui: ab"));
    }
}
