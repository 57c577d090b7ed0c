//! The map held against what ran.

use std::collections::BTreeMap;
use std::fmt;

use super::listing::unlisted;
use super::map::{Entry, Map, Pattern};
use super::row::Row;
use crate::junit::{Results, Verdict};

/// How a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Every listed test passed.
    Passed,
    /// Owed by a later issue; what is listed already passed.
    Due,
    /// Nothing is listed, a listed test is in no JUnit file, or the map says what is still open.
    Missing,
    /// A listed test failed, or was skipped.
    Failed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Due => "due",
            Self::Missing => "MISSING",
            Self::Failed => "FAILED",
        })
    }
}

struct Line {
    row: Row,
    issue: u32,
    state: State,
    /// What was listed, and what is wrong with it.
    tests: Vec<String>,
}

/// The whole table.
pub(super) struct Judgement {
    lines: Vec<Line>,
    /// Tests that name a row which does not list them.
    unlisted: Vec<(Row, String)>,
}

pub(super) fn judge(map: &Map, results: &Results) -> Judgement {
    let line = |(row, entry): (&Row, &Entry)| judge_row(*row, entry, map.issue, results);
    Judgement {
        lines: map.rows.iter().map(line).collect(),
        unlisted: unlisted(map, results),
    }
}

fn judge_row(row: Row, entry: &Entry, issue: u32, results: &Results) -> Line {
    let is_due = entry.issue > issue;
    let mut state = match (is_due, entry.tests.is_empty()) {
        (true, _) => State::Due,
        (false, true) => State::Missing,
        (false, false) => State::Passed,
    };
    let mut tests = Vec::new();
    for pattern in &entry.tests {
        let (verdict, text) = judge_test(pattern, results);
        state = state.max(verdict);
        tests.push(text);
    }
    if let Some(open) = &entry.open {
        state = state.max(if is_due { State::Due } else { State::Missing });
        tests.push(format!("open: {open}"));
    }
    Line {
        row,
        issue: entry.issue,
        state,
        tests,
    }
}

fn judge_test(pattern: &Pattern, results: &Results) -> (State, String) {
    let text = pattern.as_str();
    let ran = results.iter().filter(|(test, _)| pattern.fits(test));
    match ran.map(|(_, verdict)| verdict).max() {
        Some(Verdict::Passed) => (State::Passed, text.to_owned()),
        Some(Verdict::Skipped) => (State::Failed, format!("skipped: {text}")),
        Some(Verdict::Failed) => (State::Failed, format!("failed: {text}")),
        None => (State::Missing, format!("in no JUnit file: {text}")),
    }
}

impl Judgement {
    pub(super) fn is_right(&self) -> bool {
        let right = |line: &Line| matches!(line.state, State::Passed | State::Due);
        self.lines.iter().all(right) && self.unlisted.is_empty()
    }

    fn count(&self, state: State) -> usize {
        let of_state = self.lines.iter().filter(|line| line.state == state);
        of_state.count()
    }

    /// Rows that are not as they have to be, by their state.
    fn wrong(&self) -> BTreeMap<State, Vec<String>> {
        let mut wrong: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in &self.lines {
            if !matches!(line.state, State::Passed | State::Due) {
                wrong
                    .entry(line.state)
                    .or_default()
                    .push(line.row.to_string());
            }
        }
        wrong
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "row  issue  state    tests")?;
        for line in &self.lines {
            let (row, issue, state) = (line.row, line.issue, line.state);
            let mut tests = line.tests.iter();
            let first = tests.next().map_or("", String::as_str);
            writeln!(
                f,
                "{}",
                format!("{row:<4} {issue:<6} {state:<8} {first}").trim_end()
            )?;
            for test in tests {
                writeln!(f, "{:21}{test}", "")?;
            }
        }
        writeln!(f)?;
        for (row, test) in &self.unlisted {
            writeln!(f, "not listed for {row}: {test}")?;
        }
        for (state, rows) in self.wrong() {
            writeln!(f, "{state}: {}", rows.join(" "))?;
        }
        writeln!(
            f,
            "{} rows: {} passed, {} failed, {} missing, {} due",
            self.lines.len(),
            self.count(State::Passed),
            self.count(State::Failed),
            self.count(State::Missing),
            self.count(State::Due),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::map::map_with;
    use super::*;

    const TEST: &str = "story: a card is charged";

    fn results(tests: &[(&str, Verdict)]) -> Results {
        let mut results = Results::default();
        for (test, verdict) in tests {
            results.note((*test).to_owned(), *verdict);
        }
        results
    }

    /// The state of P2, which is of issue 4 or of the given one, and whether the table as a whole is right.
    fn judged(issue: u32, tests: &[&str], ran: &[(&str, Verdict)]) -> (State, bool) {
        let judgement = judge(&map_with(4, &[("P2", issue, tests)]), &results(ran));
        let line = judgement
            .lines
            .iter()
            .find(|line| line.row.to_string() == "P2");
        (line.unwrap().state, judgement.is_right())
    }

    #[test]
    fn a_row_whose_tests_all_passed_is_passed() {
        let ran = [(TEST, Verdict::Passed), ("ui: other", Verdict::Failed)];
        assert_eq!(judged(4, &[TEST], &ran), (State::Passed, true));
        assert_eq!(judged(2, &[TEST], &ran), (State::Passed, true));
        assert_eq!(judged(4, &["story: a card*"], &ran), (State::Passed, true));
    }

    #[test]
    fn a_row_without_a_test_is_missing_unless_it_is_of_a_later_issue() {
        assert_eq!(judged(4, &[], &[]), (State::Missing, false));
        assert_eq!(judged(1, &[], &[]), (State::Missing, false));
        assert_eq!(judged(5, &[], &[]), (State::Due, true));
    }

    #[test]
    fn a_test_that_no_file_has_is_missing_in_a_later_row_too() {
        let ran = [(TEST, Verdict::Passed)];
        let listed = ["ui: renamed", TEST];
        assert_eq!(judged(4, &listed, &ran), (State::Missing, false));
        assert_eq!(judged(5, &listed, &ran), (State::Missing, false));
        assert_eq!(
            judged(4, &["story: an account*"], &ran),
            (State::Missing, false)
        );
    }

    #[test]
    fn a_failed_or_skipped_test_fails_its_row_whatever_else_passed() {
        for verdict in [Verdict::Failed, Verdict::Skipped] {
            let ran = [(TEST, Verdict::Passed), ("ui: other", verdict)];
            assert_eq!(
                judged(4, &[TEST, "ui: other"], &ran),
                (State::Failed, false)
            );
            assert_eq!(judged(5, &["ui: other"], &ran), (State::Failed, false));
        }
        let ran = [
            (TEST, Verdict::Passed),
            ("story: a card is lost", Verdict::Failed),
        ];
        assert_eq!(judged(4, &["story: a card*"], &ran), (State::Failed, false));
    }

    #[test]
    fn a_row_of_a_later_issue_stays_due_with_tests_that_passed() {
        assert_eq!(
            judged(5, &[TEST], &[(TEST, Verdict::Passed)]),
            (State::Due, true)
        );
    }

    #[test]
    fn a_test_that_names_a_row_and_is_not_listed_is_told() {
        let ran = [
            (TEST, Verdict::Passed),
            ("ui: p3 only some may", Verdict::Passed),
        ];
        assert_eq!(judged(4, &[TEST], &ran), (State::Passed, false));
    }

    #[test]
    fn a_row_of_which_something_is_open_is_missing_whatever_passed() {
        let mut map = map_with(4, &[("P2", 4, &[TEST])]);
        let entry = map
            .rows
            .values_mut()
            .find(|entry| entry.issue == 4)
            .unwrap();
        entry.open = Some("no second person".to_owned());
        let judgement = judge(&map, &results(&[(TEST, Verdict::Passed)]));
        assert!(!judgement.is_right());
        let text = judgement.to_string();
        assert!(
            text.contains("                     open: no second person\n"),
            "{text}"
        );
        map.issue = 3;
        assert!(judge(&map, &results(&[(TEST, Verdict::Passed)])).is_right());
    }

    #[test]
    fn the_table_says_what_is_wrong_and_counts() {
        let map = map_with(
            4,
            &[("P2", 4, &[TEST, "ui: gone"]), ("P3", 4, &["ui: red"])],
        );
        let text = judge(
            &map,
            &results(&[(TEST, Verdict::Passed), ("ui: red", Verdict::Failed)]),
        );
        let text = text.to_string();
        for line in [
            "P2   4      MISSING  story: a card is charged\n                     in no JUnit file: ui: gone\n",
            "P3   4      FAILED   failed: ui: red\n",
            "P4   9      due\n",
            "MISSING: P2\nFAILED: P3\n267 rows: 0 passed, 1 failed, 1 missing, 265 due\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
