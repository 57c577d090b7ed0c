//! Words: what may not stand in the code, and where.

use super::{Finding, Source};

const PURE: [&str; 5] = ["secret", "sip", "g711", "media", "domain"];

/// What a pure room may not name, and why.
const IMPURE: [(&str, &str); 8] = [
    ("tokio", "no async runtime in a pure room"),
    ("std::fs", "no files in a pure room"),
    ("UdpSocket", "no sockets in a pure room"),
    ("TcpStream", "no sockets in a pure room"),
    ("TcpListener", "no sockets in a pure room"),
    ("Instant::now", "time comes in as an argument"),
    ("SystemTime::now", "time comes in as an argument"),
    ("std::env", "no environment in a pure room"),
];

/// What no room may say.
const BANNED: [(&str, &str); 4] = [
    ("unbounded_channel", "every queue has a named bound (I8)"),
    ("#[allow(", "use #[expect(lint, reason = \"..\")]"),
    ("#![allow(", "use #[expect(lint, reason = \"..\")]"),
    ("mpsc::channel()", "every queue has a named bound (I8)"),
];

pub(super) fn judge(source: &Source, findings: &mut Vec<Finding>) {
    let this_room = source.path.starts_with("crates/xtask/");
    if this_room {
        return;
    }
    if !source.is_test() {
        judge_words(source, findings);
    }
    judge_everywhere(source, findings);
    if source.path.ends_with("/src/lib.rs") {
        judge_preface(source, findings);
    }
}

fn judge_words(source: &Source, findings: &mut Vec<Finding>) {
    let pure = PURE.contains(&source.room());
    for (number, line) in source.product_lines() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let impure = IMPURE.iter().filter(|_| pure);
        for (word, why) in impure.chain(&BANNED) {
            if line.contains(word) {
                findings.push(Finding::new(
                    &source.path,
                    number,
                    format!("`{word}`: {why}"),
                ));
            }
        }
    }
}

fn judge_everywhere(source: &Source, findings: &mut Vec<Finding>) {
    for (index, line) in source.text.lines().enumerate() {
        if line.contains("TODO") && !line.contains("TODO(#") {
            findings.push(Finding::new(
                &source.path,
                index + 1,
                "a TODO names its issue: TODO(#12)",
            ));
        }
        if let Some(what) = wrong_rfc_link(line) {
            findings.push(Finding::new(&source.path, index + 1, what));
        }
    }
}

/// `[RFC 4733 §2](https://www.rfc-editor.org/rfc/rfc4733#..)`: both numbers are the same.
fn wrong_rfc_link(line: &str) -> Option<String> {
    let (before, link) = line.split_once("](https://www.rfc-editor.org/rfc/rfc")?;
    let linked: String = link.chars().take_while(char::is_ascii_digit).collect();
    let (_, text) = before.rsplit_once('[')?;
    let named: String = text
        .strip_prefix("RFC ")?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    (linked != named).then(|| format!("the text says RFC {named}, the link RFC {linked}"))
}

fn judge_preface(source: &Source, findings: &mut Vec<Finding>) {
    let mut lines = source.text.lines();
    let opens = |line: Option<&str>, with: &str| line.is_some_and(|line| line.starts_with(with));
    let first = opens(lines.next(), "//! ");
    let owns = opens(lines.next(), "//! Owns: ");
    let never = opens(lines.next(), "//! Never: ");
    let start = opens(lines.next(), "//! Start reading at: ");
    if !(first && owns && never && start) {
        findings.push(Finding::new(
            &source.path,
            1,
            "lib.rs opens with: purpose, Owns, Never, Start reading at",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    fn judged(path: &str, text: &str) -> usize {
        let mut findings = Vec::new();
        judge(&source(path, text), &mut findings);
        findings.len()
    }

    #[test]
    fn a_clock_in_a_pure_room_is_found_outside_tests_only() {
        assert_eq!(
            judged("crates/sip/src/a.rs", "let now = Instant::now();"),
            1
        );
        assert_eq!(
            judged(
                "crates/sip/src/a.rs",
                "#[cfg(test)]\nmod tests { let now = Instant::now(); }"
            ),
            0
        );
        assert_eq!(
            judged("crates/voice/src/a.rs", "let now = Instant::now();"),
            0
        );
    }

    #[test]
    fn unbounded_queues_bare_allows_and_nameless_todos_are_found() {
        for text in [
            "let x = unbounded_channel();",
            "#[allow(dead_code)]",
            "// TODO later",
        ] {
            assert_eq!(judged("crates/web/src/a.rs", text), 1, "{text}");
        }
        assert_eq!(judged("crates/web/src/a.rs", "// TODO(#12) later"), 0);
    }

    #[test]
    fn a_link_to_another_rfc_is_found() {
        let line = "/// [RFC 4733 §2.5](https://www.rfc-editor.org/rfc/rfc2833#section-2.5)";
        assert_eq!(judged("crates/web/src/a.rs", line), 1);
        assert_eq!(
            judged("crates/web/src/a.rs", &line.replace("rfc2833", "rfc4733")),
            0
        );
    }

    #[test]
    fn a_preface_is_asked_of_every_library() {
        assert_eq!(judged("crates/web/src/lib.rs", "//! Something.\n"), 1);
    }
}
