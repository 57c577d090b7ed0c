//! Chores of the house.
//! Owns: `tidy`, the referee of the house's rules; `junit`, which writes down how a suite's tests ended; `acceptance`, which holds
//! what was written down against the table of rows.
//! Never: ships, or changes a file that it judges.
//! Start reading at: `tidy`, `acceptance`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod acceptance;
mod junit;
mod tidy;

const USAGE: &str = "usage: cargo xtask tidy
       cargo xtask junit FOLDER COMMAND...   runs a suite and writes its JUnit files into FOLDER
       cargo xtask acceptance FOLDER         judges docs/acceptance.toml by the JUnit files below FOLDER
       cargo xtask acceptance-add FOLDER     lists there the tests of FOLDER that name a row and are not listed yet";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let done = match words.as_slice() {
        ["tidy"] => return report(&tidy::findings(&root())),
        ["junit", folder, command, rest @ ..] => junit::record(Path::new(folder), command, rest),
        ["acceptance", folder] => acceptance::judge(&root(), Path::new(folder)),
        ["acceptance-add", folder] => acceptance::add(&root(), Path::new(folder)),
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|error| {
        say(&format!("{error:#}"));
        ExitCode::from(2)
    })
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

/// Writes what was asked for. A reader that went away is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
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
