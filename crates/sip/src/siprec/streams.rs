//! The two labelled streams of a recording session.
//! Owns: our description of them, and what a recorder's description says of each.
//! Never: takes a stream that the recorder wants encrypted, or under another label.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use thiserror::Error;

use crate::sdp::{AudioError, Codec, Direction, LocalAudio, RemoteAudio, Session};

/// Labels of the consumer's and of the agent's stream, in the order of their lines.
pub const LABELS: [&str; 2] = ["1", "2"];

/// What a recorder is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Both streams.
    Sending,
    /// Nothing: both streams are `inactive`.
    Paused,
}

impl Mode {
    fn direction(self) -> Direction {
        match self {
            Self::Sending => Direction::SendOnly,
            Self::Paused => Direction::Inactive,
        }
    }
}

/// Where and how a recorder wants one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedStream {
    /// Where RTP goes.
    pub rtp: SocketAddr,
    /// Where RTCP goes.
    pub rtcp: SocketAddr,
    /// The codec.
    pub codec: Codec,
    /// Its payload type at the recorder.
    pub payload_type: u8,
    /// The recorder takes it now.
    pub is_taken: bool,
}

/// Why a recorder's description cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StreamsError {
    /// A stream of the two is missing, refused, encrypted, or without a codec or an address that we can use.
    #[error("the recorder does not take the stream labelled {label}: {source}")]
    PeerStream {
        /// Which.
        label: &'static str,
        /// Why.
        source: AudioError,
    },
    /// A stream stands under a label that is another's.
    #[error("the recorder answers the stream labelled {label} under another label")]
    PeerLabel {
        /// Which.
        label: &'static str,
    },
    /// It still wants to hear a stream that we offered as inactive.
    #[error("the recorder does not answer the stream labelled {label} as inactive")]
    PeerNotPaused {
        /// Which.
        label: &'static str,
    },
}

/// Our side of both streams.
#[derive(Debug, Clone)]
pub struct LocalStreams {
    session_id: u64,
    version: u64,
    rtp: [SocketAddr; 2],
}

impl LocalStreams {
    /// Streams that come from these addresses, as the recorder sees them.
    #[must_use]
    pub fn new(session_id: u64, rtp: [SocketAddr; 2]) -> Self {
        Self {
            session_id,
            version: 0,
            rtp,
        }
    }

    fn audio(&self, rtp: SocketAddr, mode: Mode) -> LocalAudio {
        LocalAudio {
            version: self.version,
            rtcp_mux: false,
            telephone_event: None,
            ptime: Some(Duration::from_millis(20)),
            direction: mode.direction(),
            ..LocalAudio::new(rtp, self.session_id)
        }
    }

    /// The next offer.
    pub fn offer(&mut self, mode: Mode) -> Session {
        self.version += 1;
        let lines = self.rtp.map(|rtp| self.audio(rtp, mode).offer());
        labelled(lines)
    }

    /// The answer to an offer of the recorder's, in which it wants both streams as we have them or none at all.
    ///
    /// # Errors
    /// It cannot be met; nothing changes.
    pub fn answer(&mut self, offer: &Session, mode: Mode) -> Result<Session, StreamsError> {
        self.version += 1;
        let one = |at: usize, label: &'static str, rtp: SocketAddr| {
            let answer = self.audio(rtp, mode).answer(&single(offer, at, label)?);
            answer.map_err(|source| StreamsError::PeerStream { label, source })
        };
        let ([consumer, agent], [first, second]) = (LABELS, self.rtp);
        let mut answer = labelled([one(0, consumer, first)?, one(1, agent, second)?]);
        for extra in offer.media.iter().skip(LABELS.len()) {
            let mut refused = extra.clone();
            (refused.port, refused.connection) = (0, None);
            refused.attributes.clear();
            answer.media.push(refused);
        }
        Ok(answer)
    }

    /// What the recorder's description says of both. Its lines stand in the order of ours; labels it may leave out, as an answer has none of its own.
    /// `signalled_from` is where its SIP comes from.
    ///
    /// # Errors
    /// A stream of the two cannot be sent.
    pub fn read(
        theirs: &Session,
        signalled_from: IpAddr,
    ) -> Result<[RecordedStream; 2], StreamsError> {
        let one = |at: usize, label: &'static str| {
            let refused = |source| StreamsError::PeerStream { label, source };
            let remote = RemoteAudio::read(&single(theirs, at, label)?, signalled_from);
            let remote = remote.map_err(refused)?;
            let mut codecs = remote.codecs.iter();
            let (codec, payload_type) = *codecs
                .find(|(codec, _)| Codec::USUAL.contains(codec))
                .ok_or_else(|| refused(AudioError::PeerNoCodec))?;
            Ok(RecordedStream {
                rtp: remote.rtp,
                rtcp: remote.rtcp,
                codec,
                payload_type,
                is_taken: remote.direction.receives(),
            })
        };
        let [consumer, agent] = LABELS;
        Ok([one(0, consumer)?, one(1, agent)?])
    }

    /// As [`read`](Self::read), for the answer to an offer of ours.
    ///
    /// # Errors
    /// As there; and a stream that we offered as inactive is not answered so.
    pub fn read_answer(
        theirs: &Session,
        signalled_from: IpAddr,
        mode: Mode,
    ) -> Result<[RecordedStream; 2], StreamsError> {
        let streams = Self::read(theirs, signalled_from)?;
        let heard = streams.iter().zip(LABELS).find(|(one, _)| one.is_taken);
        match (mode, heard) {
            (Mode::Paused, Some((_, label))) => Err(StreamsError::PeerNotPaused { label }),
            (Mode::Paused, None) | (Mode::Sending, _) => Ok(streams),
        }
    }
}

/// The description of one stream alone.
fn single(session: &Session, at: usize, label: &'static str) -> Result<Session, StreamsError> {
    let missing = StreamsError::PeerStream {
        label,
        source: AudioError::PeerNoAudio,
    };
    let media = session.media.get(at).ok_or(missing)?;
    if media
        .values("label")
        .any(|theirs| theirs != label && LABELS.contains(&theirs))
    {
        return Err(StreamsError::PeerLabel { label });
    }
    Ok(Session {
        media: vec![media.clone()],
        ..session.clone()
    })
}

/// One description of two with one stream each.
fn labelled([mut all, second]: [Session; 2]) -> Session {
    all.media.extend(second.media);
    for (media, label) in all.media.iter_mut().zip(LABELS) {
        media.push("label", label);
    }
    all
}

#[cfg(test)]
mod tests;
