//! A PostgreSQL server as a child process.
//! Owns: its folder, its life, fresh databases in it.
//! Never: touches a server that was running before, or outlives the process of the tests.
//!
//! The server listens on a socket in a folder of its own only. A small shell stands between: it ends the server and removes the
//! folder when its standard input closes, so that nothing stays behind even if the tests are killed.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to start.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// Pause between two looks whether it has.
const START_PAUSE: Duration = Duration::from_millis(50);

/// What the shell does: start the server, wait for the end of its input, end the server, remove the folder.
const KEEPER: &str = r#"trap "" INT HUP
folder="$1"; shift
"$@" >>"$folder/log" 2>&1 &
server=$!
echo "$server" >"$folder/server.pid"
while read -r _; do :; done
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$folder"
"#;

/// A running server. Dropping it ends it.
pub struct PostgresServer {
    folder: PathBuf,
    programs: PathBuf,
    keeper: Option<Child>,
    databases: AtomicU32,
    is_durable: bool,
}

impl PostgresServer {
    /// The server that the tests of one process share, started by the first that asks.
    ///
    /// # Errors
    /// One line that says what is missing.
    pub fn shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Starts a server of one's own, for tests that end it.
    ///
    /// # Errors
    /// One line that says what is missing.
    pub fn start() -> Result<Self, String> {
        Self::start_as(false)
    }

    /// Starts a server that waits for its disk, for benches.
    ///
    /// # Errors
    /// One line that says what is missing.
    pub fn start_durable() -> Result<Self, String> {
        Self::start_as(true)
    }

    fn start_as(is_durable: bool) -> Result<Self, String> {
        let programs = programs()?;
        let folder = new_folder()?;
        let data = folder.join("data");
        let made = as_server_user(&programs.join("initdb"))?
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--pgdata"])
            .arg(&data)
            .current_dir(&folder)
            .output();
        finished("initdb", made)?;
        let mut server = Self {
            folder,
            programs,
            keeper: None,
            databases: AtomicU32::new(0),
            is_durable,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Starts the server after [`Self::kill`], on the same data.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self) -> Result<(), String> {
        let program = as_server_user(&self.programs.join("postgres"))?;
        // Tests kill processes, not machines: an fsync would cost time and show nothing.
        let fsync = if self.is_durable {
            "fsync=on"
        } else {
            "fsync=off"
        };
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&self.folder)
            .arg(program.get_program())
            .args(program.get_args())
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-k")
            .arg(&self.folder)
            .args(["-c", "listen_addresses=", "-c", fsync])
            .args(["-c", "max_connections=300", "-c", "shared_buffers=32MB"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sh does not start: {error}"))?;
        self.keeper = Some(keeper);
        let begun = Instant::now();
        while let Err(error) = self.statement("postgres", "SELECT 1") {
            if begun.elapsed() > START_TIME_MAX {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("PostgreSQL does not start: {error} {log}"));
            }
            std::thread::sleep(START_PAUSE);
        }
        Ok(())
    }

    /// Kills the server and all its children, as a crash would.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill(&mut self) -> Result<(), String> {
        let pid = fs::read_to_string(self.folder.join("server.pid"))
            .map_err(|error| format!("the server has no process: {error}"))?;
        // SIGQUIT is PostgreSQL's immediate shutdown: no child finishes anything, and the next start recovers.
        let done = Command::new("kill").args(["-QUIT", pid.trim()]).output();
        finished("kill", done)?;
        let begun = Instant::now();
        while Path::new(&format!("/proc/{}/stat", pid.trim())).exists()
            && !is_zombie(pid.trim())
            && begun.elapsed() < START_TIME_MAX
        {
            std::thread::sleep(START_PAUSE);
        }
        if let Some(mut keeper) = self.keeper.take() {
            // Killed, so that it does not remove the folder.
            keeper.kill().ok();
            keeper.wait().ok();
        }
        Ok(())
    }

    /// The address of a new, empty database.
    ///
    /// # Errors
    /// The server refuses.
    pub fn new_database(&self) -> Result<String, String> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.statement("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(format!(
            "postgres://postgres@localhost/{name}?host={}&sslmode=disable",
            self.folder.display()
        ))
    }

    /// Runs a statement through psql and gives what it prints, unaligned, tuples only.
    ///
    /// # Errors
    /// It fails.
    pub fn statement(&self, database: &str, statement: &str) -> Result<String, String> {
        let done = Command::new(self.programs.join("psql"))
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "postgres", "-d", database])
            .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .output();
        finished("psql", done)
    }

    /// Where its files are.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        match self.keeper.take() {
            Some(mut keeper) => {
                drop(keeper.stdin.take());
                keeper.wait().ok();
            }
            None => {
                fs::remove_dir_all(&self.folder).ok();
            }
        }
    }
}

/// Where the server's programs are: the newest version that the system has.
fn programs() -> Result<PathBuf, String> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .map(|(_, programs)| programs)
        .ok_or_else(|| "PostgreSQL's server is missing: apt-get install postgresql".to_owned())
}

/// A folder that the server's user owns. Its name is short: a socket's path has at most 107 bytes.
fn new_folder() -> Result<PathBuf, String> {
    let folder = tempfile::Builder::new()
        .prefix("tw-pg-")
        .tempdir()
        .map_err(|error| format!("no temporary folder: {error}"))?
        .keep();
    if is_root()? {
        let owner = server_user()?;
        chown(&folder, Some(owner), None)
            .map_err(|error| format!("the folder cannot be given away: {error}"))?;
    }
    Ok(folder)
}

/// Whether this process is root's; PostgreSQL refuses to run as root.
fn is_root() -> Result<bool, String> {
    let process = fs::metadata("/proc/self").map_err(|error| format!("no /proc: {error}"))?;
    Ok(process.uid() == 0)
}

fn server_user() -> Result<u32, String> {
    let done = Command::new("id").args(["-u", "postgres"]).output();
    finished("id", done)?
        .trim()
        .parse()
        .map_err(|_| "the system has no user postgres".to_owned())
}

fn as_server_user(program: &Path) -> Result<Command, String> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(program);
    Ok(command)
}

fn is_zombie(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

fn finished(what: &str, done: std::io::Result<Output>) -> Result<String, String> {
    let output = done.map_err(|error| format!("{what} does not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let why = String::from_utf8_lossy(&output.stderr);
        Err(format!("{what} failed: {}", why.trim()))
    }
}
