//! What a suite prints about its tests: libtest's lines below cargo's, or `PASS  what` and `FAIL  what` of our Python suites.

use std::collections::BTreeMap;

use super::Verdict;

/// Verdicts by suite and test, gathered line by line.
#[derive(Debug)]
pub(crate) struct Lines {
    suites: BTreeMap<String, BTreeMap<String, Verdict>>,
    suite: String,
    /// A test whose line was interrupted by what it printed itself; its verdict comes at the beginning of a later line.
    pending: Option<String>,
}

impl Lines {
    /// Tests are of `suite` until cargo names another.
    pub(crate) fn new(suite: &str) -> Self {
        Self {
            suites: BTreeMap::new(),
            suite: suite.to_owned(),
            pending: None,
        }
    }

    pub(crate) fn handle(&mut self, line: &str) {
        if let Some(suite) = suite_of(line) {
            self.suite = suite.to_owned();
            self.pending = None;
        } else if let Some(what) = line.strip_prefix("PASS  ") {
            self.note(what, Verdict::Passed);
        } else if let Some(what) = line.strip_prefix("FAIL  ") {
            self.note(what, Verdict::Failed);
        } else if let Some((name, rest)) = case_of(line) {
            match verdict_of(rest) {
                Some(verdict) => self.note(name, verdict),
                None => self.pending = Some(name.to_owned()),
            }
        } else if let Some(verdict) = verdict_of(line)
            && let Some(name) = self.pending.take()
        {
            self.note(&name, verdict);
        }
    }

    /// What was gathered, by suite.
    pub(crate) fn suites(&self) -> &BTreeMap<String, BTreeMap<String, Verdict>> {
        &self.suites
    }

    fn note(&mut self, name: &str, verdict: Verdict) {
        let tests = self.suites.entry(self.suite.clone()).or_default();
        let known = tests.entry(name.to_owned()).or_insert(verdict);
        *known = (*known).max(verdict);
    }
}

/// `     Running tests/web.rs (target/debug/deps/web-2faa181607271fd1)` is of `web`, as `   Doc-tests web` is.
fn suite_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(name.trim_end());
    }
    let (_, path) = line.strip_prefix("Running ")?.rsplit_once('(')?;
    let file = path.strip_suffix(')')?.rsplit('/').next()?;
    file.rsplit_once('-').map(|(name, _hash)| name)
}

/// `test name ... ok`: the name, and what follows the dots.
fn case_of(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some((name.strip_suffix(" - should panic").unwrap_or(name), rest))
}

fn verdict_of(text: &str) -> Option<Verdict> {
    match text.trim_end() {
        "ok" => Some(Verdict::Passed),
        "FAILED" => Some(Verdict::Failed),
        ignored if ignored.starts_with("ignored") => Some(Verdict::Skipped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, Verdict)> {
        let mut lines = Lines::new("guard");
        text.lines().for_each(|line| lines.handle(line));
        let mut found = Vec::new();
        for (suite, tests) in lines.suites() {
            for (name, verdict) in tests {
                found.push((suite.clone(), name.clone(), *verdict));
            }
        }
        found
    }

    fn row(suite: &str, name: &str, verdict: Verdict) -> (String, String, Verdict) {
        (suite.to_owned(), name.to_owned(), verdict)
    }

    #[test]
    fn tests_belong_to_the_binary_that_cargo_runs() {
        let text = "
   Compiling web v0.1.0
     Running unittests src/lib.rs (target/debug/deps/domain-2810a9b06261d8a9)

running 3 tests
test a::b ... ok
test a::c ... FAILED
test a::d ... ignored, takes an hour
test a::e - should panic ... ok

     Running tests/web.rs (/x/target/debug/deps/web_side-2faa181607271fd1)
test a::b ... ok
   Doc-tests secret
test crates/secret/src/key.rs - key::Key (line 12) - compile fail ... ok
test result: ok. 1 passed; 0 failed
";
        let expected = [
            row("domain", "a::b", Verdict::Passed),
            row("domain", "a::c", Verdict::Failed),
            row("domain", "a::d", Verdict::Skipped),
            row("domain", "a::e", Verdict::Passed),
            row(
                "secret",
                "crates/secret/src/key.rs - key::Key (line 12) - compile fail",
                Verdict::Passed,
            ),
            row("web_side", "a::b", Verdict::Passed),
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_verdict_behind_what_the_test_printed_is_found() {
        let text = "test a ... words of a child\nmore words\nok\nok\ntest b ... cut off";
        assert_eq!(read(text), [row("guard", "a", Verdict::Passed)]);
    }

    #[test]
    fn a_python_suite_has_its_folders_name() {
        let text =
            "PASS  stopped for 50 ms: the capture goes on\nFAIL  no panic: 3\n      a figure = 3";
        let expected = [
            row("guard", "no panic: 3", Verdict::Failed),
            row(
                "guard",
                "stopped for 50 ms: the capture goes on",
                Verdict::Passed,
            ),
        ];
        assert_eq!(read(text), expected);
    }
}
