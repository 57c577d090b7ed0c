//! A suite under observation.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::lines::Lines;
use super::results::Results;

/// Lines that wait to be printed. A full queue holds the suite up, as a slow terminal does.
const LINES_MAX: usize = 1_000;
/// How long the output of an ended suite may pause before it counts as all: what it left running may hold the pipe open for ever.
const PAUSE_AFTER_END: Duration = Duration::from_secs(2);

/// Runs a command, shows what it prints and writes one JUnit file for each suite of it into the folder, which is emptied first.
/// Returns the command's own exit code.
pub(crate) fn record(folder: &Path, command: &str, arguments: &[&str]) -> Result<ExitCode> {
    let show = |line: &str| crate::print(&format!("{line}\n"));
    observe(folder, command, arguments, show).map(ExitCode::from)
}

fn observe(
    folder: &Path,
    command: &str,
    arguments: &[&str],
    mut show: impl FnMut(&str),
) -> Result<u8> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let suite = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut lines = Lines::new(&suite);
    let code = run(command, arguments, |line| {
        lines.handle(line);
        show(line);
    })?;
    for (suite, tests) in lines.suites() {
        let path = folder.join(format!("{suite}.xml"));
        fs::write(&path, Results::write(suite, tests))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(code)
}

/// Both outputs go into one pipe, so that cargo's lines stay before those of the tests that it runs.
fn run(command: &str, arguments: &[&str], mut show: impl FnMut(&str)) -> Result<u8> {
    let (reader, writer) = std::io::pipe()?;
    let mut child = Command::new(command)
        .args(arguments)
        .env("CARGO_TERM_COLOR", "never")
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("starting {command}"))?;
    let (sender, receiver) = sync_channel(LINES_MAX);
    thread::spawn(move || forward(reader, &sender));
    while let Some(line) = next(&receiver, || Ok(child.try_wait()?.is_some()))? {
        show(&line);
    }
    // A signal has no code; 255 is no code of cargo, npm or Python.
    let code = child.wait()?.code().unwrap_or(255);
    Ok(u8::try_from(code).unwrap_or(255))
}

fn forward(reader: PipeReader, sender: &SyncSender<String>) {
    for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&line).into_owned();
        if sender.send(text).is_err() {
            return;
        }
    }
}

/// The next line; none when no more come.
fn next(
    lines: &Receiver<String>,
    mut has_ended: impl FnMut() -> Result<bool>,
) -> Result<Option<String>> {
    loop {
        let ended = has_ended()?;
        match lines.recv_timeout(PAUSE_AFTER_END) {
            Ok(line) => return Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if ended => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_come_in_their_order_and_the_code_is_the_commands() {
        let mut shown = Vec::new();
        let script = "echo one; echo two >&2; printf three; exit 7";
        let code = run("sh", &["-c", script], |line| shown.push(line.to_owned())).unwrap();
        assert_eq!((code, shown.join(" ")), (7, "one two three".to_owned()));
    }

    #[test]
    fn what_a_suite_leaves_running_does_not_hold_it_up() {
        let code = run("sh", &["-c", "sleep 60 & echo $! > /dev/null"], |_| {}).unwrap();
        assert_eq!(code, 0);
    }

    #[test]
    fn results_of_an_earlier_run_are_gone() {
        let folder = std::env::temp_dir().join(format!("xtask-junit-{}", std::process::id()));
        let suite = folder.join("guard");
        let run = |script: &str| observe(&suite, "sh", &["-c", script], |_| {}).unwrap();
        run("echo 'PASS  a'; echo 'test b ... ok'");
        assert_eq!(Results::read(&folder).unwrap().iter().count(), 2);
        run("echo 'FAIL  a'");
        let results = Results::read(&folder).unwrap();
        let left: Vec<_> = results.iter().collect();
        assert_eq!(left, [("guard: a", super::super::Verdict::Failed)]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
