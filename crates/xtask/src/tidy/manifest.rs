//! Features: planted defects are never on by default.

use std::fs;
use std::path::Path;

use super::Finding;

const SERVER: &str = "crates/server/Cargo.toml";

pub(super) fn judge(root: &Path, findings: &mut Vec<Finding>) {
    let text = fs::read_to_string(root.join(SERVER)).unwrap_or_default();
    let manifest: toml::Table = text.parse().unwrap_or_default();
    if plants_by_default(&manifest) {
        findings.push(Finding::new(
            SERVER,
            0,
            "the feature `planted` is in the defaults",
        ));
    }
}

fn plants_by_default(manifest: &toml::Table) -> bool {
    let features = manifest.get("features").and_then(toml::Value::as_table);
    let defaults = features
        .and_then(|table| table.get("default"))
        .and_then(toml::Value::as_array);
    defaults.is_some_and(|list| list.iter().any(|name| name.as_str() == Some("planted")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_defects_in_the_defaults_are_found() {
        assert!(plants_by_default(
            &"[features]\ndefault = [\"planted\"]".parse().unwrap()
        ));
        assert!(!plants_by_default(
            &"[features]\nplanted = []".parse().unwrap()
        ));
    }
}
