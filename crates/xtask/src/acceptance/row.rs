//! Rows of the acceptance table.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail};

/// The groups in the order of the table, and how many rows each has: the reference product's, our options (O), the settled points (S),
/// and the checks in a real browser (C).
const GROUPS: [(char, u8); 12] = [
    ('P', 14),
    ('R', 11),
    ('L', 4),
    ('N', 9),
    ('W', 76),
    ('I', 19),
    ('A', 7),
    ('B', 17),
    ('V', 28),
    ('O', 15),
    ('S', 42),
    ('C', 25),
];

/// A row, such as `W44`. Rows are ordered as the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    group: usize,
    number: u8,
}

impl Row {
    /// The whole table.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let rows = |(group, (_, count)): (usize, (char, u8))| {
            (1..=count).map(move |number| Self { group, number })
        };
        GROUPS.into_iter().enumerate().flat_map(rows)
    }

    /// The rows that a test names: the ids at the beginning of any part of its path, as in `ui: the editor > w5 w6 prompts are kept`.
    /// Ids of no row, such as a decision's, are passed over.
    pub(super) fn named_by(test: &str) -> Vec<Self> {
        let name = test.split_once(": ").map_or(test, |(_, name)| name);
        let parts = name.split(" > ").flat_map(|part| part.split(" \u{203a} "));
        let parts = parts.flat_map(|part| part.split("::"));
        let mut rows: Vec<Self> = parts.flat_map(leading_ids).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

fn leading_ids(part: &str) -> impl Iterator<Item = Row> {
    let words = part.split([' ', '_']);
    let ids = words.take_while(|word| is_id(word));
    ids.filter_map(|id| id.to_uppercase().parse().ok())
}

/// A small letter and a number.
fn is_id(word: &str) -> bool {
    let mut characters = word.chars();
    let letter = characters.next().is_some_and(|c| c.is_ascii_lowercase());
    let number = characters.as_str();
    letter && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

impl FromStr for Row {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let letter = text.chars().next().context("a row has a letter")?;
        let place = GROUPS.iter().position(|(group, _)| *group == letter);
        let group = place.with_context(|| format!("{text}: there is no group {letter}"))?;
        let number = &text[letter.len_utf8()..];
        let number = number
            .parse()
            .with_context(|| format!("{text}: no number"))?;
        let row = Self { group, number };
        if number == 0 || number > GROUPS[group].1 || row.to_string() != text {
            bail!("{text}: group {letter} has rows 1 to {}", GROUPS[group].1);
        }
        Ok(row)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}{}", GROUPS[self.group].0, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(test: &str) -> Vec<String> {
        Row::named_by(test).iter().map(Row::to_string).collect()
    }

    #[test]
    fn the_table_has_the_references_185_rows_15_options_42_points_and_25_checks() {
        let rows: Vec<_> = Row::all().collect();
        assert_eq!(rows.len(), 185 + 15 + 42 + 25);
        assert_eq!(rows[0].to_string(), "P1");
        for row in rows {
            assert_eq!(row.to_string().parse::<Row>().unwrap(), row);
        }
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for text in [
            "", "P", "P0", "P15", "p1", "P01", "P+1", "X1", "Q3", "W777", "é1",
        ] {
            assert!(text.parse::<Row>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_test_names_the_rows_at_the_beginning_of_its_parts() {
        assert_eq!(
            named("story: n1 w2 q11 c12 a desktop opens"),
            ["N1", "W2", "C12"]
        );
        assert_eq!(named("ui: the editor > w5 w6 prompts"), ["W5", "W6"]);
        assert_eq!(named("looks: b1 states › b2 hidden"), ["B1", "B2"]);
        assert_eq!(named("web: rights::p3_every_role_at_s2"), ["P3"]);
        assert_eq!(named("web: captures::p5"), ["P5"]);
        assert!(named("ui: a p1 c99 within").is_empty());
        assert!(named("sip: rfc4475::x2y_is_no_id").is_empty());
    }
}
