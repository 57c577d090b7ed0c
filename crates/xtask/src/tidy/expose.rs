//! The reviewed list of places where a secret leaves its type: `docs/expose-sites.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Finding, Source};

const LIST: &str = "docs/expose-sites.txt";

pub(super) fn judge(root: &Path, sources: &[Source], findings: &mut Vec<Finding>) {
    let text = fs::read_to_string(root.join(LIST)).unwrap_or_default();
    compare(&allowed(&text), &used(sources), findings);
}

/// Lines `path count: why`; `#` begins a comment.
fn allowed(text: &str) -> BTreeMap<String, usize> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let parsed = rows.filter_map(|line| {
        let (place, why) = line.split_once(": ")?;
        let (path, count) = place.rsplit_once(' ')?;
        (!why.trim().is_empty()).then_some((path.to_owned(), count.parse().ok()?))
    });
    parsed.collect()
}

fn used(sources: &[Source]) -> BTreeMap<String, usize> {
    let mut used = BTreeMap::new();
    for source in sources
        .iter()
        .filter(|source| !source.is_test() && source.room() != "xtask")
    {
        let code = source
            .product_lines()
            .filter(|(_, line)| !line.trim_start().starts_with("//"));
        let count: usize = code.map(|(_, line)| line.matches(".expose").count()).sum();
        if count > 0 {
            used.insert(source.path.clone(), count);
        }
    }
    used
}

fn compare(
    allowed: &BTreeMap<String, usize>,
    used: &BTreeMap<String, usize>,
    findings: &mut Vec<Finding>,
) {
    for (path, count) in used {
        let listed = allowed.get(path).copied().unwrap_or(0);
        if listed != *count {
            let what = format!("{count} calls of .expose..(), {listed} reviewed in {LIST}");
            findings.push(Finding::new(path, 0, what));
        }
    }
    for path in allowed.keys().filter(|path| !used.contains_key(*path)) {
        findings.push(Finding::new(
            LIST,
            0,
            format!("{path} exposes nothing any more"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn an_unlisted_exit_is_found_and_a_listed_one_is_not() {
        let sources = [source("crates/web/src/a.rs", "let x = digits.expose();\n")];
        let mut findings = Vec::new();
        compare(&allowed(""), &used(&sources), &mut findings);
        assert_eq!(findings.len(), 1);
        findings.clear();
        compare(
            &allowed("crates/web/src/a.rs 1: the reveal response\n"),
            &used(&sources),
            &mut findings,
        );
        assert_eq!(findings, []);
    }

    #[test]
    fn a_stale_row_is_found() {
        let mut findings = Vec::new();
        compare(
            &allowed("crates/web/src/a.rs 1: gone\n"),
            &used(&[]),
            &mut findings,
        );
        assert_eq!(findings.len(), 1);
    }
}
