//! One connection to a manager interface, kept for one hold.
//! Owns: its socket, the login, which answer belongs to which action, and the task that reads all the time.
//! Never: keeps what it heard beyond its own end: a lost connection knows nothing of any channel.

use std::io;

use secret::SecretBuffer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::super::stream::{ReachError, Route, Stream};
use super::message::{Incoming, Message, Unusable, action};
use super::said::{Said, Watched};

/// Answers that may wait to be taken. A list of channels is longer: then its reading waits, too.
const ANSWERS_MAX: usize = 64;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 4_096;
/// What says by which SIP Call-ID a channel is known; empty for one that is none of PJSIP.
const CALL_ID: &str = "CHANNEL(pjsip,call-id)";
/// The login's identifier; the others are numbers.
pub(super) const LOGIN_ID: &str = "login";

/// Nothing can be asked over this connection any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("{0}")]
    Reach(#[from] ReachError),
    #[error("its connection: {0}")]
    PeerConnection(#[from] io::Error),
    #[error("{0}")]
    PeerUnusable(#[from] Unusable),
    #[error("it closed the connection")]
    PeerClosed,
    #[error("it refuses username or secret_file: {0}")]
    ConfigLogin(String),
    #[error("its user may not ask for Status: manager.conf needs write = call for it; {0}")]
    ConfigRights(String),
    #[error("a name of a channel that has a line's end")]
    PeerName,
}

/// A channel of the PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) unique: String,
}

/// The connection, logged in.
pub(crate) struct Connection {
    writer: WriteHalf<Box<dyn Stream>>,
    answers: mpsc::Receiver<Message>,
    watched: watch::Sender<Watched>,
    channel: Option<Channel>,
    actions: u64,
    reader: JoinHandle<()>,
}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// It is not reached, is no manager interface, or refuses the login.
    pub(super) async fn open(route: &Route, login: &SecretBuffer) -> Result<Self, ConnectionError> {
        let mut stream = route.connect().await?;
        let mut incoming = Incoming::default();
        while !incoming.greeting()? {
            read_some(&mut stream, &mut incoming).await?;
        }
        stream.write_all(login.expose()).await?;
        stream.flush().await?;
        let (reader, writer) = split(stream);
        let (sender, answers) = mpsc::channel(ANSWERS_MAX);
        let watched = watch::Sender::default();
        let reader = tokio::spawn(read(reader, incoming, sender, watched.clone()));
        let mut connection = Self {
            writer,
            answers,
            watched,
            channel: None,
            actions: 0,
            reader,
        };
        let answer = connection.answer(LOGIN_ID).await?;
        match answer.is_success() {
            true => Ok(connection),
            false => Err(ConnectionError::ConfigLogin(
                answer.value("Message").to_owned(),
            )),
        }
    }

    /// Whether it can still be asked.
    pub(super) fn is_open(&self) -> bool {
        !self.reader.is_finished()
    }

    /// The channel of a call; none: no channel has its Call-ID.
    ///
    /// # Errors
    /// The connection, or the rights of its user.
    pub(super) async fn find(&mut self, call_id: &str) -> Result<Option<Channel>, ConnectionError> {
        let known = self.channel.clone();
        if let Some(known) = known
            && let Ok(Some(same)) = self.listed(Some(&known.name), call_id).await?
            && same.unique == known.unique
        {
            return Ok(Some(same));
        }
        let found = self.listed(None, call_id).await?;
        found.map_err(ConnectionError::ConfigRights)
    }

    /// Asks for a recording to be muted, or not; whether it was taken. What was said before counts no more.
    ///
    /// # Errors
    /// The connection.
    pub(super) async fn mute(
        &mut self,
        channel: Channel,
        is_on: bool,
    ) -> Result<bool, ConnectionError> {
        self.watched.send_replace(Watched {
            unique: channel.unique.clone(),
            said: None,
        });
        let state = if is_on { "1" } else { "0" };
        let values = [
            ("Channel", channel.name.as_str()),
            ("Direction", "both"),
            ("State", state),
        ];
        let id = self.send("MixMonitorMute", &values).await?;
        self.channel = Some(channel);
        Ok(self.answer(&id).await?.is_success())
    }

    /// What was said of this channel since then; waits until there is something. None: another one is watched.
    ///
    /// # Errors
    /// The connection.
    pub(super) async fn said(
        &mut self,
        channel: &Channel,
    ) -> Result<Option<Said>, ConnectionError> {
        let mut watched = self.watched.subscribe();
        loop {
            {
                let heard = watched.borrow_and_update();
                if heard.unique != channel.unique {
                    return Ok(None);
                }
                if heard.said.is_some() {
                    return Ok(heard.said);
                }
            }
            tokio::select! {
                changed = watched.changed() => changed.map_err(|_| ConnectionError::PeerClosed)?,
                answer = self.answers.recv() => {
                    answer.ok_or(ConnectionError::PeerClosed)?;
                }
            }
        }
    }

    /// The channel with a Call-ID, of one or of all; an error is its message.
    async fn listed(
        &mut self,
        channel: Option<&str>,
        call_id: &str,
    ) -> Result<Result<Option<Channel>, String>, ConnectionError> {
        let mut values = vec![("Variables", CALL_ID)];
        values.extend(channel.map(|name| ("Channel", name)));
        let id = self.send("Status", &values).await?;
        let answer = self.answer(&id).await?;
        if !answer.is_success() {
            return Ok(Err(answer.value("Message").to_owned()));
        }
        let wanted = format!("{CALL_ID}={call_id}");
        let mut found = None;
        loop {
            let event = self.answer(&id).await?;
            if event.is_event("StatusComplete") {
                return Ok(Ok(found));
            }
            if event.values("Variable").any(|value| value == wanted) {
                found = Some(Channel {
                    name: event.value("Channel").to_owned(),
                    unique: event.value("Uniqueid").to_owned(),
                });
            }
        }
    }

    async fn send(
        &mut self,
        name: &str,
        values: &[(&str, &str)],
    ) -> Result<String, ConnectionError> {
        self.actions += 1;
        let id = self.actions.to_string();
        let text = action(name, &id, values).ok_or(ConnectionError::PeerName)?;
        self.writer.write_all(text.as_bytes()).await?;
        self.writer.flush().await?;
        Ok(id)
    }

    /// The next message that answers an action.
    async fn answer(&mut self, id: &str) -> Result<Message, ConnectionError> {
        loop {
            let message = self
                .answers
                .recv()
                .await
                .ok_or(ConnectionError::PeerClosed)?;
            if message.value("ActionID") == id {
                return Ok(message);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads all the time, since Asterisk ends connections that take nothing: keeps what is said of the watched channel, hands answers on, leaves out the rest.
async fn read(
    mut stream: ReadHalf<Box<dyn Stream>>,
    mut incoming: Incoming,
    answers: mpsc::Sender<Message>,
    watched: watch::Sender<Watched>,
) {
    let ended = loop {
        match incoming.message() {
            Ok(Some(message)) if !message.value("ActionID").is_empty() => {
                if answers.send(message).await.is_err() {
                    return;
                }
            }
            Ok(Some(event)) => {
                watched.send_if_modified(|watched| watched.hear(&event));
            }
            Ok(None) => match read_some(&mut stream, &mut incoming).await {
                Ok(()) => {}
                Err(ended) => break ended,
            },
            Err(unusable) => break unusable.into(),
        }
    };
    tracing::warn!(error = %ended, "a connection to Asterisk ended");
}

async fn read_some(
    stream: &mut (impl AsyncRead + Unpin),
    incoming: &mut Incoming,
) -> Result<(), ConnectionError> {
    let mut some = [0; PIECE_BYTES];
    match stream.read(&mut some).await? {
        0 => Err(ConnectionError::PeerClosed),
        count => {
            incoming.push(&some[..count]);
            Ok(())
        }
    }
}
