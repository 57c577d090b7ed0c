//! Tests that carry a row's id, and whether the map has them.

use anyhow::{Context, Result};

use super::map::Map;
use super::row::Row;
use crate::junit::Results;

/// Tests that name a row which does not list them.
pub(super) fn unlisted(map: &Map, results: &Results) -> Vec<(Row, String)> {
    let mut found = Vec::new();
    for (test, _) in results.iter() {
        for row in Row::named_by(test) {
            let entry = map.rows.get(&row);
            if !entry.is_some_and(|entry| entry.tests.iter().any(|known| known.fits(test))) {
                found.push((row, test.to_owned()));
            }
        }
    }
    found.sort();
    found
}

/// The map's text with these tests at the end of their rows' lists; the rest of the text stays as it is.
pub(super) fn insert(text: &str, tests: &[(Row, String)]) -> Result<String> {
    let mut text = text.to_owned();
    for (row, test) in tests {
        text = insert_one(&text, *row, test).with_context(|| format!("row {row}"))?;
    }
    Ok(text)
}

fn insert_one(text: &str, row: Row, test: &str) -> Result<String> {
    let begin = text.find(&format!("[{row}]\n")).context("has no table")?;
    let list = begin + text[begin..].find("tests = [").context("has no list")?;
    let line = format!("  {},\n", toml::Value::from(test));
    let (at, line) = if text[list..].starts_with("tests = []") {
        (list + "tests = [".len(), format!("\n{line}"))
    } else {
        let end = text[list..].find("\n]").context("its list has no end")?;
        (list + end + 1, line)
    };
    Ok(format!("{}{line}{}", &text[..at], &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::super::map::text_with;
    use super::*;
    use crate::junit::Verdict;

    #[test]
    fn a_test_that_names_a_row_and_is_not_listed_there_is_found_and_added() {
        let mut results = Results::default();
        for test in [
            "story: p2 s2 with \"it\" off",
            "story: p2 of one",
            "ui: none",
        ] {
            results.note(test.to_owned(), Verdict::Failed);
        }
        let text = text_with(4, &[("P2", 4, &["story: p2 of*"])]);
        let map = Map::parse(&text).unwrap();
        let found = unlisted(&map, &results);
        let row = |id: &str| id.parse::<Row>().unwrap();
        let test = "story: p2 s2 with \"it\" off".to_owned();
        assert_eq!(found, [(row("P2"), test.clone()), (row("S2"), test)]);
        let added = insert(&text, &found).unwrap();
        assert!(added.starts_with("# rows\n"));
        let map = Map::parse(&added).unwrap();
        assert!(unlisted(&map, &results).is_empty());
        assert_eq!(map.rows[&row("P2")].tests.len(), 2);
        assert_eq!(map.rows[&row("S2")].tests.len(), 1);
    }
}
