//! What the HTTP side is told at start.
//! Owns: its settings, their defaults, and why a start fails.
//! Never: reads the server's file; that is the server's work.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::login::password::PasswordCost;
use crate::page::Page;

/// A browser without key or pointer for so long is locked (SETTLED S22).
const IDLE_LOCK: Duration = Duration::from_secs(15 * 60);
/// A login ends after a long shift, whatever it does.
const LOGIN_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);
/// Open connections: 1,000 agents with an event stream and two more connections each. The next one waits in the backlog of the socket.
const CONNECTIONS_MAX: usize = 3_072;

/// Settings of the HTTP side.
pub struct WebConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// With them: HTTPS. Without: HTTP, for loopback or behind a proxy that speaks HTTPS.
    pub tls: Option<TlsFiles>,
    /// Origins under which browsers reach the page ("https://pay.example"). Empty on a loopback listener: 127.0.0.1, localhost and [::1] with the port.
    pub public_origins: Vec<String>,
    /// Idle time before the lock.
    pub idle_lock: Duration,
    /// Longest login.
    pub login_limit: Duration,
    /// Administrators and those who see card numbers log in with a code from an authenticator app, too (SETTLED S22).
    pub second_factor: bool,
    /// Digest realm of agent phones: phone passwords are kept as HA1 for it.
    pub phone_realm: String,
    /// Work per password hash.
    pub password_cost: PasswordCost,
    /// Open connections.
    pub connections_max: usize,
    /// Hosts whose pages a tile of a designer desktop may show, in a sandbox.
    pub frame_hosts: Vec<String>,
    /// Names of the recorders that this server can pause, as services may name them.
    pub recorder_controls: Vec<String>,
    /// Names of the trunks that have places, as routes may name them.
    pub trunks: Vec<String>,
    /// Origins of pages that may show this one in a frame ("https://crm.example"); plain HTTP on loopback only.
    pub embedding: Vec<String>,
    /// The page that is served.
    pub page: Page,
}

impl WebConfig {
    /// Defaults for an address.
    #[must_use]
    pub fn on(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            public_origins: Vec::new(),
            idle_lock: IDLE_LOCK,
            login_limit: LOGIN_LIMIT,
            second_factor: true,
            phone_realm: "tonewall".to_owned(),
            password_cost: PasswordCost::default(),
            connections_max: CONNECTIONS_MAX,
            frame_hosts: Vec::new(),
            recorder_controls: Vec::new(),
            trunks: Vec::new(),
            embedding: Vec::new(),
            page: Page::built_in(),
        }
    }
}

/// Certificate chain and key, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Leaf first.
    pub certificate: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// Why the HTTP side does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not on loopback and no origin named.
    #[error(
        "name the origin under which browsers reach {0}, for example https://pay.example: it guards against requests from foreign pages"
    )]
    ConfigOriginMissing(SocketAddr),
    /// An origin that is none.
    #[error("{0} is no origin; write scheme, host and port only, for example https://pay.example")]
    ConfigOrigin(String),
    /// An origin whose pages may not show this one.
    #[error(
        "{0} cannot show the page in a frame; write scheme, host and port only, https or on loopback http, for example https://crm.example"
    )]
    ConfigEmbedding(String),
    /// Certificate or key cannot be used.
    #[error("the certificate or key cannot be used: {0}")]
    ConfigTls(String),
    /// The password hash cannot be set up.
    #[error("the password hash cannot be set up: {0}")]
    Password(#[from] crate::login::password::PasswordError),
}
