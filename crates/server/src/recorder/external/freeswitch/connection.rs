//! One connection to an event socket, kept for one hold.
//! Owns: its stream, the login, which channel is the call's, and what was said of its recordings.
//! Never: takes what was said before its beginning for a pause that holds.

use std::collections::BTreeSet;
use std::io;

use domain::recording::RecorderWord;
use secret::SecretBuffer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::stream::{ReachError, Route, Stream};
use super::command::{Command, Path, Word};
use super::list::{self, Unreadable};
use super::message::{Incoming, Message, Unusable};
use super::said::{Answer, Said};

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 16 * 1_024;
/// Channels that are asked for their Call-ID, each by a command: more would not be answered in time.
const CHANNELS_MAX: u64 = 500;
/// Commands on their way at a time: together they and their answers fit into the buffers of any socket.
const COMMANDS_AT_A_TIME: usize = 32;
/// What an answer begins with where something was done.
const DONE: &str = "+OK";
/// What the list of a channel is that is gone.
const GONE: &str = "-ERR no reply\n";

/// Nothing can be asked over this connection any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("{0}")]
    Reach(#[from] ReachError),
    #[error("its connection: {0}")]
    PeerConnection(#[from] io::Error),
    #[error("it closed the connection")]
    PeerClosed,
    #[error("{0}")]
    PeerUnusable(#[from] Unusable),
    #[error("{0}")]
    PeerUnreadable(#[from] Unreadable),
    #[error("it takes no connections from here: see apply-inbound-acl in event_socket.conf.xml")]
    ConfigAccess,
    #[error("it begins with {0:?} in place of asking for a password")]
    PeerGreeting(String),
    #[error("it refuses password_file: {0}")]
    ConfigPassword(String),
    #[error("it does not tell recordings that begin: {0}")]
    PeerEvents(String),
    #[error(
        "it has {0} channels, and {CHANNELS_MAX} at most are asked for their Call-ID: turn inbound-use-callid-as-uuid and outbound-use-uuid-as-callid on in its SIP profile"
    )]
    ConfigChannels(u64),
    #[error("several of its channels have the Call-ID of this call")]
    PeerChannels,
}

impl ConnectionError {
    /// Whether another connection may work.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::PeerConnection(_) | Self::PeerClosed)
    }
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    /// Every recording took it.
    All,
    /// One did not.
    NotAll,
    /// The channel is not recorded, or gone.
    Nothing,
}

/// The connection, logged in.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    incoming: Incoming,
    channel: Option<Word>,
    /// None: no change was asked for, over this connection or the one before.
    said: Option<Said>,
}

impl Connection {
    /// Connects, logs in, and asks for what begins to be told. What another connection left is held against what is there.
    ///
    /// # Errors
    /// It is not reached, is no event socket, or refuses one of them.
    pub(super) async fn open(
        route: &Route,
        login: &SecretBuffer,
        left: Option<Said>,
    ) -> Result<Self, ConnectionError> {
        let mut connection = Self {
            stream: route.connect().await?,
            incoming: Incoming::default(),
            channel: None,
            said: left,
        };
        let first = connection.message().await?;
        match first.kind() {
            "auth/request" => {}
            "text/rude-rejection" => return Err(ConnectionError::ConfigAccess),
            other => return Err(ConnectionError::PeerGreeting(other.to_owned())),
        }
        connection.stream.write_all(login.expose()).await?;
        connection.stream.flush().await?;
        let answer = connection.answer().await?;
        if !answer.reply().starts_with(DONE) {
            return Err(ConnectionError::ConfigPassword(answer.reply().to_owned()));
        }
        let answer = connection.ask(&Command::Events).await?;
        match answer.reply().starts_with(DONE) {
            true => Ok(connection),
            false => Err(ConnectionError::PeerEvents(answer.reply().to_owned())),
        }
    }

    /// What it leaves to another connection.
    pub(super) fn left(self) -> Option<Said> {
        self.said.and_then(Said::after_gap)
    }

    /// The channel of a call; none: no channel has its Call-ID.
    ///
    /// # Errors
    /// The connection, or too many channels.
    pub(super) async fn find(&mut self, call_id: &Word) -> Result<Option<Word>, ConnectionError> {
        let names = match self.channel.clone() {
            Some(known) => vec![known],
            None => vec![call_id.clone()],
        };
        let mut found = self.with_call_id(&names, call_id).await?;
        if found.is_empty() && self.channel.is_none() {
            let all = self.channels().await?;
            found = self.with_call_id(&all, call_id).await?;
        }
        if found.len() > 1 {
            return Err(ConnectionError::PeerChannels);
        }
        let found = found.pop();
        if found.is_some() {
            self.channel.clone_from(&found);
        }
        Ok(found)
    }

    /// Those of these channels that have a Call-ID. The name alone says nothing: who calls chooses it.
    async fn with_call_id(
        &mut self,
        channels: &[Word],
        call_id: &Word,
    ) -> Result<Vec<Word>, ConnectionError> {
        let mut found = Vec::new();
        for some in channels.chunks(COMMANDS_AT_A_TIME) {
            let lines: String = some
                .iter()
                .map(|channel| Command::CallId(channel).line())
                .collect();
            self.write(&lines).await?;
            for channel in some {
                if self.answer().await?.body == call_id.text() {
                    found.push(channel.clone());
                }
            }
        }
        Ok(found)
    }

    /// All channels but those whose names cannot be asked for: none of them is the call's, which has a UUID or its Call-ID for its name.
    async fn channels(&mut self) -> Result<Vec<Word>, ConnectionError> {
        let count = list::count(&self.ask(&Command::Count).await?.body)?;
        if count > CHANNELS_MAX {
            return Err(ConnectionError::ConfigChannels(count));
        }
        let all = list::channels(&self.ask(&Command::Channels).await?.body)?;
        Ok(all.iter().filter_map(|name| Word::parse(name)).collect())
    }

    /// Asks for every recording of the channel to be masked, or not any more. What was said before counts no more.
    ///
    /// # Errors
    /// The connection.
    pub(super) async fn mask(
        &mut self,
        channel: &Word,
        is_on: bool,
    ) -> Result<Changed, ConnectionError> {
        self.said = Some(Said::default());
        let listed = self.recordings(channel).await?;
        if listed.is_empty() {
            return Ok(Changed::Nothing);
        }
        let mut changed = Changed::All;
        for path in &listed {
            let answer = match (self.mask_one(channel, path, is_on).await?, is_on) {
                (true, true) => Answer::Masked,
                (true, false) => Answer::Unmasked,
                (false, _) => {
                    changed = Changed::NotAll;
                    Answer::Refused
                }
            };
            if let Some(said) = &mut self.said {
                said.answered(path, answer);
            }
        }
        Ok(changed)
    }

    /// Whether it says that it is done. A recording that cannot be named was never masked.
    async fn mask_one(
        &mut self,
        channel: &Word,
        path: &str,
        is_on: bool,
    ) -> Result<bool, ConnectionError> {
        let Some(path) = Path::parse(path) else {
            tracing::warn!(
                "a recording has a quote, a backslash or a control character in its path, and cannot be masked"
            );
            return Ok(!is_on);
        };
        let command = Command::Mask {
            channel,
            path: &path,
            is_on,
        };
        Ok(self.ask(&command).await?.body.starts_with(DONE))
    }

    /// What the recordings of the channel do, by what they said and by which of them there are.
    ///
    /// # Errors
    /// The connection.
    pub(super) async fn state(&mut self, channel: &Word) -> Result<RecorderWord, ConnectionError> {
        let listed = self.recordings(channel).await?;
        Ok(match &self.said {
            Some(said) => said.word(&listed),
            None if listed.is_empty() => RecorderWord::Unknown,
            None => RecorderWord::Nothing,
        })
    }

    /// Paths of the recordings; a channel that is gone has none.
    async fn recordings(&mut self, channel: &Word) -> Result<BTreeSet<String>, ConnectionError> {
        let answer = self.ask(&Command::Listeners(channel)).await?;
        match answer.body.as_str() {
            GONE => Ok(BTreeSet::new()),
            listed => Ok(list::recordings(listed)?),
        }
    }

    async fn ask(&mut self, command: &Command<'_>) -> Result<Message, ConnectionError> {
        self.write(&command.line()).await?;
        self.answer().await
    }

    async fn write(&mut self, lines: &str) -> Result<(), ConnectionError> {
        self.stream.write_all(lines.as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next answer: they come in the order of their commands. Events before it are heard.
    async fn answer(&mut self) -> Result<Message, ConnectionError> {
        loop {
            let message = self.message().await?;
            match message.kind() {
                "api/response" | "command/reply" => return Ok(message),
                "text/disconnect-notice" => return Err(ConnectionError::PeerClosed),
                "text/event-plain" => {
                    if let (Some(said), Some(channel)) = (&mut self.said, &self.channel) {
                        said.hear(&message.event(), channel.text());
                    }
                }
                _ => {}
            }
        }
    }

    async fn message(&mut self) -> Result<Message, ConnectionError> {
        loop {
            if let Some(message) = self.incoming.message()? {
                return Ok(message);
            }
            let mut some = vec![0; PIECE_BYTES];
            match self.stream.read(&mut some).await? {
                0 => return Err(ConnectionError::PeerClosed),
                count => self.incoming.push(&some[..count]),
            }
        }
    }
}
