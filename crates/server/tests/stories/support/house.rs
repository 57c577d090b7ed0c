//! A demonstration as a child process, in a folder of its own, on free ports.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::client::Client;

/// The binary under test.
pub(crate) const TONEWALL: &str = env!("CARGO_BIN_EXE_tonewall");

/// Time between two looks at something that is awaited.
const LOOK: Duration = Duration::from_millis(50);

/// A running demonstration. Dropping it ends it.
pub(crate) struct House {
    child: Child,
    place: Value,
    folder: TempDir,
}

impl House {
    /// Starts a demonstration of `program` with our logging at TRACE.
    pub(crate) fn demo(program: &Path, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args([
                "demo",
                "--port",
                "0",
                "--json",
                "--log-level",
                "trace",
                "--data",
            ])
            .arg(folder.path().join("data"))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let log = folder.path().join("log");
        let place = serde_json::from_str(&line);
        let place =
            place.unwrap_or_else(|_| panic!("the demonstration did not start: {}", read(&log)));
        Self {
            child,
            place,
            folder,
        }
    }

    /// A page with a login of this user.
    pub(crate) fn page(&self, user: &str) -> Client {
        let mut page = Client::new(self.place["page"].as_str().unwrap());
        page.log_in(user, self.place["passwords"][user].as_str().unwrap());
        page
    }

    /// The simulator's control.
    pub(crate) fn stage(&self) -> Client {
        Client::new(self.place["simulator"].as_str().unwrap())
    }

    /// Health and metrics.
    pub(crate) fn health(&self) -> Client {
        Client::new(self.place["health"].as_str().unwrap())
    }

    pub(crate) fn server_pid(&self) -> u32 {
        u32::try_from(self.place["server_pid"].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // The simulator ends when its stdin does.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Looks until there is something; fails after `limit`.
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < limit,
            "waited {limit:?} in vain until {what}"
        );
        std::thread::sleep(LOOK);
    }
}
