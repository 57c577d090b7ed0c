//! Asterisk, whose recordings of a channel are muted over its manager interface (AMI).
//! Owns: where it is reached, what it is asked for a call, and what counts as its word.
//! Never: says paused because a request succeeded, or because of what was said before it was asked (I2).
//! Start reading at: [`Asterisk::ask`], then `said`.

mod connection;
mod message;
mod said;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::recording::{RecorderRequest, RecorderWord};
use gateway::HookCall;
use media::leg::Leg;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use secret::{SecretBuffer, SecretText};
use tokio::time::timeout;

use connection::{ConnectionError, LOGIN_ID};
use message::{action, is_one_line};
use said::Said;

pub(crate) use connection::Connection;

/// A request waits so long for the recording's own word, in parts of what a request may take: one half is left for the request itself.
const WORD_PART: u32 = 2;

/// Where a manager interface listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AmiAddress {
    host: String,
    port: u16,
    /// By TLS; else on this machine.
    pub(crate) is_tls: bool,
}

impl AmiAddress {
    /// Reads `tls://HOST:PORT`, or `tcp://` with an address of this machine: the login is a secret in clear text.
    ///
    /// # Errors
    /// What may stand there.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(ADDRESS)?;
        let (host, port) = rest.rsplit_once(':').ok_or(ADDRESS)?;
        let bare = host.strip_prefix('[').and_then(|six| six.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let address = host.parse::<IpAddr>().ok();
        if host.is_empty() || (address.is_none() && !host.bytes().all(is_name)) {
            return Err(ADDRESS);
        }
        let is_tls = match scheme {
            "tls" => true,
            "tcp" if address.is_some_and(|address| address.is_loopback()) => false,
            "tcp" => return Err(PLAIN),
            _ => return Err(ADDRESS),
        };
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self {
                host: host.to_owned(),
                port,
                is_tls,
            }),
            Ok(_) | Err(_) => Err(ADDRESS),
        }
    }
}

const ADDRESS: &str = "write tls://, a host and a port, for example tls://pbx.example:5039";
const PLAIN: &str =
    "write tls://; tcp:// shows the login to whoever listens, and is for 127.0.0.1 and [::1] only";

/// What the server's file says of one.
#[derive(Debug, Clone)]
pub(crate) struct AsteriskSettings {
    pub(crate) address: AmiAddress,
    pub(crate) username: String,
    /// The leg that passes it.
    pub(crate) leg: Leg,
    /// How long a request may take, with its connection.
    pub(crate) timeout: Duration,
}

/// It cannot be used as it stands in the server's file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AsteriskError {
    #[error("ca_file")]
    ConfigAuthorities(#[source] rustls::Error),
    #[error("secret_file: its secret has to be one line")]
    ConfigSecret,
}

/// One that can be asked.
pub(crate) struct Asterisk {
    settings: AsteriskSettings,
    tls: Option<Arc<ClientConfig>>,
    login: SecretBuffer,
}

impl Asterisk {
    /// One that is reached with these authorities, or on this machine if there are none.
    ///
    /// # Errors
    /// The authorities or the secret cannot be used.
    pub(crate) fn new(
        settings: AsteriskSettings,
        roots: Option<&[CertificateDer<'static>]>,
        secret: &SecretText,
    ) -> Result<Self, AsteriskError> {
        let tls = roots.map(trusting).transpose();
        Ok(Self {
            tls: tls.map_err(AsteriskError::ConfigAuthorities)?,
            login: login(&settings.username, secret).ok_or(AsteriskError::ConfigSecret)?,
            settings,
        })
    }

    /// Asks it once, over the connection of this hold. Whatever fails is [`RecorderWord::Nothing`], with its cause in the log; the connection is then given up.
    pub(crate) async fn ask(
        &self,
        line: &mut Option<Connection>,
        request: RecorderRequest,
        call: &HookCall,
    ) -> RecorderWord {
        let asked = self.asked(line, request, call);
        let why = match timeout(self.settings.timeout, asked).await {
            Ok(Ok(word)) => return word,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no complete answer in time".to_owned(),
        };
        *line = None;
        tracing::warn!(call = %call.id, recorder = %call.recorder, ?request, why, "a recorder does not answer");
        RecorderWord::Nothing
    }

    /// The SIP Call-ID of the channel that it is asked about.
    pub(crate) fn asks_about<'a>(&self, call: &'a HookCall) -> &'a str {
        match self.settings.leg {
            Leg::Consumer => &call.consumer_call_id,
            Leg::Agent => &call.agent_call_id,
        }
    }

    async fn asked(
        &self,
        line: &mut Option<Connection>,
        request: RecorderRequest,
        call: &HookCall,
    ) -> Result<RecorderWord, ConnectionError> {
        let call_id = self.asks_about(call);
        if call_id.is_empty() {
            return Ok(RecorderWord::Unknown);
        }
        let connection = match line.take().filter(Connection::is_open) {
            Some(open) => line.insert(open),
            None => {
                let address = &self.settings.address;
                line.insert(Connection::open(address, self.tls.as_ref(), &self.login).await?)
            }
        };
        let Some(channel) = connection.find(call_id).await? else {
            return Ok(RecorderWord::Unknown);
        };
        let is_pause = match request {
            RecorderRequest::Pause => true,
            RecorderRequest::Resume => false,
            RecorderRequest::State => {
                let word_max = self.settings.timeout / WORD_PART;
                return match timeout(word_max, connection.said(&channel)).await {
                    Ok(said) => Ok(said?.map_or(RecorderWord::Nothing, state)),
                    Err(_) => Ok(RecorderWord::Nothing),
                };
            }
        };
        Ok(match connection.mute(channel, is_pause).await? {
            true => RecorderWord::Taken,
            false => RecorderWord::Refused,
        })
    }
}

/// A recording that was stopped is none: nothing is left to be let go on.
fn state(said: Said) -> RecorderWord {
    match said {
        Said::Muted => RecorderWord::Paused,
        Said::Records => RecorderWord::Recording,
        Said::Stopped => RecorderWord::Unknown,
    }
}

/// The first action, written once; none: a value is no line.
fn login(username: &str, secret: &SecretText) -> Option<SecretBuffer> {
    let word = secret.expose();
    if word.is_empty() || !is_one_line(word) {
        return None;
    }
    let rest = action(
        "Login",
        LOGIN_ID,
        &[("Username", username), ("Events", "call")],
    )?;
    let before = rest.strip_suffix("\r\n")?;
    let parts = [before, "Secret: ", word, "\r\n\r\n"];
    let mut login = SecretBuffer::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        login.push_bytes(part.as_bytes()).ok()?;
    }
    Some(login)
}

/// TLS 1.2 or later, with these authorities and no others.
fn trusting(roots: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone())?;
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_a_port() {
        let address = AmiAddress::parse("tls://pbx.example:5039").unwrap();
        assert_eq!(
            (address.host.as_str(), address.port, address.is_tls),
            ("pbx.example", 5_039, true)
        );
        let address = AmiAddress::parse("tcp://[::1]:5038").unwrap();
        assert_eq!((address.host.as_str(), address.is_tls), ("::1", false));
        for text in [
            "pbx.example:5039",
            "tls://pbx.example",
            "tls://:5039",
            "tls://pbx.example:0",
            "tls://a@pbx.example:1",
            "https://pbx.example:1",
        ] {
            assert_eq!(AmiAddress::parse(text), Err(ADDRESS), "{text}");
        }
        for text in ["tcp://192.0.2.1:5038", "tcp://localhost:5038"] {
            assert_eq!(AmiAddress::parse(text), Err(PLAIN), "{text}");
        }
    }

    #[test]
    fn a_login_is_one_action() {
        let written = login("tonewall", &SecretText::new("s3cret: x".to_owned())).unwrap();
        let expected = "Action: Login\r\nActionID: login\r\nUsername: tonewall\r\nEvents: call\r\nSecret: s3cret: x\r\n\r\n";
        assert_eq!(written.expose(), expected.as_bytes());
        for secret in ["", "a\r\nAction: Command", "a\nb"] {
            assert!(login("tonewall", &SecretText::new(secret.to_owned())).is_none());
        }
    }

    #[test]
    fn a_stopped_recording_is_no_pause_that_was_kept() {
        let words = [Said::Muted, Said::Records, Said::Stopped].map(state);
        let expected = [
            RecorderWord::Paused,
            RecorderWord::Recording,
            RecorderWord::Unknown,
        ];
        assert_eq!(words, expected);
    }
}
