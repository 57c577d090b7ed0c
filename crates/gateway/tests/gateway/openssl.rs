//! Other people's TLS: `openssl s_server`, run and listened to.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that does not listen, or does not say what is waited for, by then has failed.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A running `openssl s_server`. Dropping it ends it.
pub(crate) struct Served {
    child: Child,
    said: PathBuf,
    /// Name and port.
    pub(crate) host: String,
}

impl Served {
    /// Serves the certificate of `NAME.pem` and `NAME.key` in the folder.
    pub(crate) fn start(folder: &Path, certificate: &str, options: &[&str]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let said = folder.join(format!("said-{}", address.port()));
        let child = Command::new("openssl")
            .args(["s_server", "-accept", &address.to_string()])
            .args(["-cert", &format!("{certificate}.pem")])
            .args(["-key", &format!("{certificate}.key")])
            .args(options)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(File::create(&said).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < WAIT_MAX, "openssl s_server {options:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            said,
            host: format!("localhost:{}", address.port()),
        }
    }

    /// Where it is charged.
    pub(crate) fn url(&self) -> String {
        format!("https://{}/charge", self.host)
    }

    /// What it has said and received so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.said).unwrap()).into_owned()
    }

    /// Waits until it has said or received this, and yields all.
    pub(crate) async fn says(&self, text: &str) -> String {
        let began = Instant::now();
        loop {
            let said = self.said();
            if said.contains(text) {
                return said;
            }
            assert!(began.elapsed() < WAIT_MAX, "no {text:?} in\n{said}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Gives it a command: "R" renegotiates. It reads commands only while a client is connected.
    pub(crate) fn order(&mut self, command: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{command}").unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
