//! Relays as child processes: where they run and what they cost.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The core of the relays.
pub(crate) const RELAY_CORE: usize = 0;

/// Ports for media of this process, below those that the system gives out by itself. They begin elsewhere for each process: the kernel closes the
/// sockets of a ring that was killed a moment later.
pub(crate) fn media_ports() -> std::ops::RangeInclusive<u16> {
    // 619: processes that follow one another are thousands of ports apart.
    let shift = std::process::id() % 2_000 * 619 % 2_000;
    PORT_FIRST + 4 * u16::try_from(shift).unwrap_or(0)..=PORT_LAST
}

/// The first port for media.
pub(crate) const PORT_FIRST: u16 = 10_000;

/// The last.
pub(crate) const PORT_LAST: u16 = 32_700;

/// The core of the generator.
pub(crate) const GENERATOR_CORE: usize = 1;

/// Puts a program on a core, ahead of what else runs there. Sessions share a core by their own niceness, not by that of their processes.
const AHEAD: &str = "{ echo -15 >/proc/self/autogroup; } 2>/dev/null; core=$1; shift; exec nice -n -15 taskset -c $core \"$@\"";

/// A relay, ended when it goes out of scope.
pub(crate) struct Relay {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Relay {
    /// Starts a program on the relays' core.
    pub(crate) fn start(program: &str, arguments: &[String]) -> io::Result<Self> {
        let mut child = Command::new("setsid")
            .args(["sh", "-c", AHEAD, "sh", &RELAY_CORE.to_string()])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lost = || io::Error::other("a relay without pipes");
        let input = child.stdin.take().ok_or_else(lost)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(lost)?);
        Ok(Self {
            child,
            input,
            output,
        })
    }

    /// Starts this program in another role.
    pub(crate) fn start_self(role: &str, arguments: &[String]) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut all = vec!["--role".to_owned(), role.to_owned()];
        all.extend_from_slice(arguments);
        Self::start(&program.to_string_lossy(), &all)
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("a relay has ended"));
        }
        Ok(line.trim_end().to_owned())
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.input, "{line}")?;
        self.input.flush()
    }

    /// It still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Time that its threads have had on a processor, system calls and the delivery of what they sent included (`/proc/PID/task/*/schedstat`, in
    /// nanoseconds; `/proc/PID/stat` counts ticks of 10 ms).
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut sum = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = text.split_whitespace().next();
            sum += first.and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(sum))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ended_by_itself = self.child.kill();
        let _nothing_to_do = self.child.wait();
    }
}
