//! Asterisk, whose recordings of a channel are muted over its manager interface (AMI).
//! Owns: where it is reached, what it is asked for a call, and what counts as its word.
//! Never: says paused because a request succeeded, or because of what was said before it was asked (I2).
//! Start reading at: [`Asterisk::ask`], then `said`.

mod connection;
mod message;
mod said;

use std::time::Duration;

use domain::recording::{RecorderRequest, RecorderWord};
use gateway::HookCall;
use media::leg::Leg;
use rustls::pki_types::CertificateDer;
use secret::{SecretBuffer, SecretText};
use tokio::time::timeout;

use super::stream::{InterfaceAddress, Route};
use connection::{ConnectionError, LOGIN_ID};
use message::{action, is_one_line};
use said::Said;

pub(crate) use connection::Connection;

/// A request waits so long for the recording's own word, in parts of what a request may take: one half is left for the request itself.
const WORD_PART: u32 = 2;

/// What the server's file says of one.
#[derive(Debug, Clone)]
pub(crate) struct AsteriskSettings {
    pub(crate) address: InterfaceAddress,
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
    route: Route,
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
        let route = Route::new(settings.address.clone(), roots);
        Ok(Self {
            route: route.map_err(AsteriskError::ConfigAuthorities)?,
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
            None => line.insert(Connection::open(&self.route, &self.login).await?),
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

#[cfg(test)]
mod tests {
    use super::*;

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
