//! Who may depend on whom.

use std::fs;
use std::path::Path;

use super::Finding;

/// The rooms and what each may lean on.
const MAY_DEPEND: [(&str, &[&str]); 15] = [
    ("secret", &[]),
    ("sip", &["secret"]),
    ("g711", &[]),
    ("media", &["g711", "secret"]),
    ("domain", &["secret"]),
    ("calls", &["domain", "secret"]),
    ("voice", &["sip", "media", "domain", "secret"]),
    ("gateway", &["domain", "secret"]),
    ("recording", &["domain", "g711", "secret"]),
    ("store", &["domain", "secret"]),
    ("web", &["domain", "secret"]),
    ("simulator", &["sip", "media", "secret", "voice"]),
    (
        "server",
        &[
            "secret",
            "sip",
            "media",
            "domain",
            "calls",
            "voice",
            "gateway",
            "recording",
            "store",
            "web",
            "simulator",
        ],
    ),
    (
        "testkit",
        &[
            "domain",
            "secret",
            "sip",
            "media",
            "store",
            "simulator",
            "voice",
            "gateway",
        ],
    ),
    ("xtask", &[]),
];

pub(super) fn judge(root: &Path, findings: &mut Vec<Finding>) {
    let Ok(entries) = fs::read_dir(root.join("crates")) else {
        return;
    };
    for entry in entries.flatten() {
        let room = entry.file_name().to_string_lossy().into_owned();
        let path = format!("crates/{room}/Cargo.toml");
        match fs::read_to_string(root.join(&path)).map(|text| text.parse::<toml::Table>()) {
            Ok(Ok(manifest)) => judge_room(&room, &path, &manifest, findings),
            Ok(Err(error)) => findings.push(Finding::new(&path, 0, error.to_string())),
            Err(error) => findings.push(Finding::new(&path, 0, error.to_string())),
        }
    }
}

fn judge_room(room: &str, path: &str, manifest: &toml::Table, findings: &mut Vec<Finding>) {
    let Some((_, allowed)) = MAY_DEPEND.iter().find(|(name, _)| *name == room) else {
        findings.push(Finding::new(path, 0, "a room that the plan does not know"));
        return;
    };
    for table in ["dependencies", "build-dependencies"] {
        for name in manifest
            .get(table)
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(toml::Table::keys)
        {
            let is_room = MAY_DEPEND.iter().any(|(known, _)| known == name);
            if is_room && !allowed.contains(&name.as_str()) {
                findings.push(Finding::new(
                    path,
                    0,
                    format!("{room} may not depend on {name}"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(room: &str, manifest: &str) -> usize {
        let mut findings = Vec::new();
        judge_room(
            room,
            "Cargo.toml",
            &manifest.parse().unwrap(),
            &mut findings,
        );
        findings.len()
    }

    #[test]
    fn a_shell_that_leans_on_a_shell_is_found() {
        assert_eq!(
            judged("web", "[dependencies]\nstore = { workspace = true }"),
            1
        );
        assert_eq!(
            judged(
                "web",
                "[dependencies]\ndomain = { workspace = true }\nserde = \"1\""
            ),
            0
        );
        assert_eq!(
            judged("web", "[dev-dependencies]\nstore = { workspace = true }"),
            0
        );
    }

    #[test]
    fn a_shipped_room_that_leans_on_testkit_is_found() {
        assert_eq!(
            judged("server", "[dependencies]\ntestkit = { workspace = true }"),
            1
        );
    }
}
