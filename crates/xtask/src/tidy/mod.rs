//! The rules of the house that no compiler checks.
//! Owns: one small judge per rule, and the walk over the tree.
//! Never: knows an exception that is not written in the tree (`docs/expose-sites.txt`).

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

mod direction;
mod expose;
mod lines;
mod manifest;
mod text;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// From 1; 0: the file as a whole.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A source file under judgement.
pub(crate) struct Source {
    /// Path from the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The crate's folder name; empty outside `crates/`.
    pub(crate) fn room(&self) -> &str {
        self.path
            .strip_prefix("crates/")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or("")
    }

    /// Integration tests, benches and test support; unit tests are cut off by [`Source::product_lines`].
    pub(crate) fn is_test(&self) -> bool {
        let in_tests = ["/tests/", "/benches/", "/examples/"]
            .iter()
            .any(|part| self.path.contains(part));
        in_tests || self.path.ends_with("/tests.rs") || self.room() == "testkit"
    }

    /// Numbered lines up to the unit tests at the file's end.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        numbered.take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
    }
}

/// Everything that is wrong with the tree.
pub(crate) fn findings(root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = sources(root, &mut findings);
    for source in &sources {
        lines::judge(source, &mut findings);
        text::judge(source, &mut findings);
    }
    expose::judge(root, &sources, &mut findings);
    direction::judge(root, &mut findings);
    manifest::judge(root, &mut findings);
    findings
}

fn sources(root: &Path, findings: &mut Vec<Finding>) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root.join("crates"), &mut paths);
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let relative = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        match fs::read_to_string(&path) {
            Ok(text) => sources.push(Source {
                path: relative,
                text,
            }),
            Err(error) => findings.push(Finding::new(
                &relative,
                0,
                format!("cannot be read: {error}"),
            )),
        }
    }
    sources
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

#[cfg(test)]
pub(crate) fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
