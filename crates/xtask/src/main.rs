//! Chores of the house.
//! Owns: `tidy`, the referee of the house's rules.
//! Never: ships, or changes a file that it judges.
//! Start reading at: `tidy`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod tidy;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    if command.as_deref() == Some("tidy") {
        return report(&tidy::findings(&root()));
    }
    say("usage: cargo xtask tidy");
    ExitCode::from(2)
}

fn report(findings: &[tidy::Finding]) -> ExitCode {
    for finding in findings {
        say(&finding.to_string());
    }
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stderr, reason = "a command-line tool speaks on stderr")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let findings = super::tidy::findings(&super::root());
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "\n{}", text.join("\n"));
    }
}
