//! FreeSWITCH, whose recordings of a channel are masked over its event socket (`mod_event_socket`).
//! Owns: where it is reached, what it is asked for a call, and what counts as its word.
//! Never: says paused while a recording is there that has not said since it was asked that it is masked (I2).
//! Start reading at: [`FreeSwitch::ask`], then `said`.

mod command;
mod connection;
mod list;
mod message;
mod said;

use std::time::Duration;

use domain::recording::{RecorderRequest, RecorderWord};
use gateway::HookCall;
use media::leg::Leg;
use rustls::pki_types::CertificateDer;
use secret::{SecretBuffer, SecretText};
use tokio::time::{sleep, timeout};

use super::stream::{InterfaceAddress, Route};
use command::Word;
use connection::{Changed, Connection, ConnectionError};
use said::Said;

/// A recording may write what it heard so long ago: it holds back 25 packets, of 20 ms mostly and of 40 ms at most. The mask falls on what is written, and so has to stay for as long after a pause.
const HELD_BACK_MAX: Duration = Duration::from_secs(1);

/// What the server's file says of one.
#[derive(Debug, Clone)]
pub(crate) struct FreeSwitchSettings {
    pub(crate) address: InterfaceAddress,
    /// The leg that passes it.
    pub(crate) leg: Leg,
    /// How long a request may take, with its connection.
    pub(crate) timeout: Duration,
}

/// It cannot be used as it stands in the server's file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FreeSwitchError {
    #[error("ca_file")]
    ConfigAuthorities(#[source] rustls::Error),
    #[error("password_file: its password has to be one line")]
    ConfigPassword,
}

/// What a hold keeps between two requests.
#[derive(Default)]
pub(crate) struct Line {
    connection: Option<Connection>,
    /// What a connection heard that ended while a pause was kept.
    left: Option<Said>,
    late_pause: LatePause,
}

/// Whether a request to pause may yet be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum LatePause {
    /// The last one was answered.
    No,
    /// It was not, or an earlier life of this server made it.
    #[default]
    Possible,
    /// The recordings were let go on meanwhile. The flag cannot be asked for, so they are let go on again and again.
    Undone,
}

impl Line {
    /// Its connection is not used any more. Only while a pause is kept something of it counts.
    fn give_up(&mut self, request: RecorderRequest) {
        let ended = self.connection.take();
        match request {
            RecorderRequest::State => self.left = ended.map_or(self.left.take(), Connection::left),
            RecorderRequest::Pause | RecorderRequest::Resume => self.left = None,
        }
    }
}

/// One that can be asked.
pub(crate) struct FreeSwitch {
    settings: FreeSwitchSettings,
    route: Route,
    login: SecretBuffer,
}

impl FreeSwitch {
    /// One that is reached with these authorities, or on this machine if there are none.
    ///
    /// # Errors
    /// The authorities or the password cannot be used.
    pub(crate) fn new(
        settings: FreeSwitchSettings,
        roots: Option<&[CertificateDer<'static>]>,
        password: &SecretText,
    ) -> Result<Self, FreeSwitchError> {
        let route = Route::new(settings.address.clone(), roots);
        Ok(Self {
            route: route.map_err(FreeSwitchError::ConfigAuthorities)?,
            login: login(password).ok_or(FreeSwitchError::ConfigPassword)?,
            settings,
        })
    }

    /// The SIP Call-ID of the channel that it is asked about.
    pub(crate) fn asks_about<'a>(&self, call: &'a HookCall) -> &'a str {
        match self.settings.leg {
            Leg::Consumer => &call.consumer_call_id,
            Leg::Agent => &call.agent_call_id,
        }
    }

    /// Asks it once, over the connection of this hold. Whatever fails is [`RecorderWord::Nothing`], with its cause in the log; the connection is then given up.
    pub(crate) async fn ask(
        &self,
        line: &mut Line,
        request: RecorderRequest,
        call: &HookCall,
    ) -> RecorderWord {
        if request == RecorderRequest::Resume {
            sleep(HELD_BACK_MAX).await;
        }
        if request == RecorderRequest::Pause {
            line.late_pause = LatePause::Possible;
        }
        let asked = self.asked_twice(line, request, call);
        let why = match timeout(self.settings.timeout, asked).await {
            Ok(Ok(word)) => {
                line.late_pause = match (request, line.late_pause, word) {
                    (RecorderRequest::Pause, ..) => LatePause::No,
                    (RecorderRequest::Resume, LatePause::Possible, RecorderWord::Taken) => {
                        LatePause::Undone
                    }
                    (_, late_pause, _) => late_pause,
                };
                return word;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no complete answer in time".to_owned(),
        };
        line.give_up(request);
        tracing::warn!(call = %call.id, recorder = %call.recorder, ?request, why, "a recorder does not answer");
        RecorderWord::Nothing
    }

    /// A connection that was kept may have ended meanwhile: then over another.
    async fn asked_twice(
        &self,
        line: &mut Line,
        request: RecorderRequest,
        call: &HookCall,
    ) -> Result<RecorderWord, ConnectionError> {
        let was_kept = line.connection.is_some();
        match self.asked(line, request, call).await {
            Err(error) if was_kept && error.is_lost() => {
                line.give_up(request);
                self.asked(line, request, call).await
            }
            word => word,
        }
    }

    async fn asked(
        &self,
        line: &mut Line,
        request: RecorderRequest,
        call: &HookCall,
    ) -> Result<RecorderWord, ConnectionError> {
        let Some(call_id) = Word::parse(self.asks_about(call)) else {
            tracing::warn!(call = %call.id, recorder = %call.recorder, "the call has no Call-ID that FreeSWITCH can be asked for");
            return Ok(RecorderWord::Unknown);
        };
        let connection = match &mut line.connection {
            Some(open) => open,
            none => {
                let left = line.left.clone();
                none.insert(Connection::open(&self.route, &self.login, left).await?)
            }
        };
        let Some(channel) = connection.find(&call_id).await? else {
            return Ok(RecorderWord::Unknown);
        };
        let changed = match request {
            RecorderRequest::Pause => connection.mask(&channel, true).await?,
            RecorderRequest::Resume => connection.mask(&channel, false).await?,
            RecorderRequest::State => {
                if line.late_pause == LatePause::Undone {
                    connection.mask(&channel, false).await?;
                }
                return connection.state(&channel).await;
            }
        };
        Ok(match changed {
            Changed::All => RecorderWord::Taken,
            Changed::NotAll => RecorderWord::Refused,
            Changed::Nothing => {
                tracing::warn!(call = %call.id, recorder = %call.recorder, ?request, "there is no recording on the channel of this call");
                RecorderWord::Unknown
            }
        })
    }
}

/// The first command, written once; none: the password is no line.
fn login(password: &SecretText) -> Option<SecretBuffer> {
    let word = password.expose();
    if word.is_empty() || word.contains(char::is_control) {
        return None;
    }
    let parts = ["auth ", word, "\n\n"];
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
    fn a_login_is_one_command() {
        let written = login(&SecretText::new("Clue Con: x".to_owned())).unwrap();
        assert_eq!(written.expose(), b"auth Clue Con: x\n\n");
        for password in ["", "a\n\napi fsctl shutdown", "a\r", "a\0"] {
            assert!(login(&SecretText::new(password.to_owned())).is_none());
        }
    }
}
