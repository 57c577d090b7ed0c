//! A payment gateway to practise against.
//! Owns: HTTPS on a loopback port with a certificate made at start, scripted outcomes, a ledger of
//! what it charged.
//! Never: listens beyond this machine, or keeps or logs more of a card number than its last four.
//! Start reading at: [`Behaviour`], which lists what it can be made to do.
//!
//! # Requests
//! `POST /charge` takes the standard parameters as JSON, form or XML (root `payment`), told apart by
//! Content-Type, and answers in the type that Accept names:
//!
//! ```json
//! {"result":{"status":"APPROVED","text":"Approved"},"reference":"7F2K-91QD","authCode":"A00001"}
//! ```
//!
//! A form has the same names without nesting; XML has the root `response`.
//!
//! `POST /refund` and `POST /void` take `authCode`, the number of a charge, a refund also `amount`, and
//! answer alike: no more goes back than was charged. `POST /store` takes what `/charge` takes without an amount,
//! keeps card or account, and charges nothing. `POST /schedule` sets up a plan for a charge or for what is stored:
//! `authCode`, `reference`, `amount`, `startDate`, `count`, `each`; it is approved unless scripted.
//! `GET /charges/REFERENCE` answers what became of the latest charge of that reference. `GET /ledger`
//! lists what was charged, declined, stored or scheduled, and what was given back. `POST /script` with `{"next":["decline","approve"]}` decides the next
//! answers; what happens to a connection before its request, such as `close_at_once`, happens to the
//! next one, whatever it is for.
//!
//! # Outcomes
//! The next scripted behaviour is taken first; else the cents of the amount decide, as sandboxes do:
//!
//! | cents | what happens |
//! |---|---|
//! | .05 | declined |
//! | .54 | declined, "Do not honour" |
//! | .91 | never answers, charges nothing |
//! | .92 | charges, then never answers |
//! | .93 | answers garbage, charges nothing |
//! | .94 | answers 500, charges nothing |
//! | .95 | charges, then resets the connection |
//! | .96 | answers 401, charges nothing |
//! | .97 | approves, and repeats the card number in its text |
//! | any other | approved |

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secret::SecretText;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod answer;
mod behaviour;
mod certificates;
mod early;
mod follow_up;
mod ledger;
mod odd;
mod order;
mod play;
mod script;
mod server;

pub use behaviour::{Behaviour, MustBe};
pub use ledger::{LedgerRow, RowStatus};
pub use script::ScriptFull;

use certificates::Certificates;
use ledger::Ledger;
use script::Script;
use server::Shared;

/// Where a sandbox listens and keeps its files.
#[derive(Debug)]
pub struct SandboxConfig {
    /// A loopback address; port 0 takes any free one.
    pub address: SocketAddr,
    /// Folder for `sandbox-ca.pem` and `sandbox-ledger.jsonl`; made if it is not there.
    pub folder: PathBuf,
    /// User name and password for Basic; none: not checked.
    pub credentials: Option<(String, SecretText)>,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It serves this machine only.
    #[error("the sandbox gateway listens on a loopback address only, not on {0}")]
    ConfigNotLoopback(SocketAddr),
    /// The port is taken, or not allowed.
    #[error("the sandbox gateway cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The folder or a file in it.
    #[error("the sandbox gateway cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("the sandbox gateway cannot make its certificate")]
    BugCertificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A running sandbox gateway. Dropping it stops it.
pub struct Sandbox {
    address: SocketAddr,
    ca_file: PathBuf,
    shared: Arc<Shared>,
    open: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Sandbox {
    /// Makes certificates, opens the ledger and listens.
    ///
    /// # Errors
    /// A foreign address, a taken port, an unusable folder.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        if !config.address.ip().is_loopback() {
            return Err(SandboxError::ConfigNotLoopback(config.address));
        }
        let ca_file = config.folder.join("sandbox-ca.pem");
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| SandboxError::File { path, source }
        };
        std::fs::create_dir_all(&config.folder).map_err(file(&config.folder))?;
        let certificates = Certificates::generate().map_err(SandboxError::BugCertificate)?;
        std::fs::write(&ca_file, certificates.ca_pem()).map_err(file(&ca_file))?;
        let ledger_file = config.folder.join("sandbox-ledger.jsonl");
        let ledger = Ledger::open(&ledger_file).map_err(file(&ledger_file))?;
        let listen = |source| SandboxError::Listen {
            address: config.address,
            source,
        };
        let listener = TcpListener::bind(config.address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared {
            credentials: config.credentials,
            script: Script::default(),
            ledger,
            follow_ups: tokio::sync::Mutex::default(),
            certificates,
        });
        let (open, is_open) = watch::channel(true);
        let serving = server::serve(listener, is_open, Arc::clone(&shared));
        tracing::info!(%address, "sandbox gateway listens");
        Ok(Self {
            address,
            ca_file,
            shared,
            open,
            accepting: tokio::spawn(serving),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its entry for a list of approved hosts: "localhost:9443".
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// The Service URL to configure.
    #[must_use]
    pub fn service_url(&self) -> String {
        format!("https://{}/charge", self.host())
    }

    /// The certificate authority to trust, in PEM.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Decides the answer after those that are decided already.
    ///
    /// # Errors
    /// Too many are waiting.
    pub fn script(&self, behaviour: Behaviour) -> Result<(), ScriptFull> {
        self.shared.script.extend(&[behaviour])
    }

    /// Whether new connections are taken; if not, nobody listens and they are refused. Those that are there go on.
    pub fn listen(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// What was charged or declined, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn ledger(&self) -> std::io::Result<Vec<LedgerRow>> {
        self.shared.ledger.rows()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[cfg(test)]
mod tests;
