//! One connection, from its opening to its end.
//! Owns: the reading buffer, the order of what is written, and how long each may take.
//! Never: keeps what was read: the buffer is wiped once its bytes are taken over.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sip::message::{Framing, FramingError};
use sip::{Flow, Wire};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_rustls::TlsStream;
use zeroize::Zeroizing;

use super::streams::{News, StreamBounds};
use super::tls::{HandshakeError, Tls, refused_late};

/// Bytes that are read at a time: more than most messages.
const PIECE_BYTES: usize = 4_096;

/// The answer to a ping (RFC 5626).
const PONG: &[u8] = b"\r\n";

/// How a connection comes to be.
pub(super) enum Opening {
    /// A far side has begun it.
    Accepted(TcpStream),
    /// We begin it, from this address of ours; none: the system chooses.
    Connect(Option<IpAddr>),
}

/// Why a connection ended.
#[derive(Debug, Error)]
pub(super) enum End {
    #[error("it could not be made")]
    PeerUnreached(#[source] io::Error),
    #[error("it was not taken in time")]
    PeerConnectTimeout,
    #[error("the far side closed it")]
    PeerClosed,
    #[error("it broke")]
    PeerBroken(#[source] io::Error),
    #[error("no TLS came about in time")]
    PeerSlowHandshake,
    #[error("it could not be secured")]
    PeerHandshake(#[from] HandshakeError),
    #[error("what came is no SIP")]
    PeerFraming(#[from] FramingError),
    #[error("no whole message came in time")]
    PeerSlowSender,
    #[error("the far side does not read")]
    PeerSlowReader,
    #[error("nothing came for long")]
    Idle,
    #[error("it is not wanted any more")]
    Unwanted,
}

impl End {
    fn broken(source: io::Error) -> Self {
        match refused_late(source) {
            Ok(refused) => Self::PeerHandshake(refused),
            Err(source) => Self::PeerBroken(source),
        }
    }
}

/// What a connection's task shares with the table.
pub(super) struct Link {
    pub(super) flow: Flow,
    pub(super) number: u64,
    pub(super) news: mpsc::Sender<News>,
    pub(super) messages: mpsc::Receiver<Wire>,
    /// The other end of `messages`, for what the connection itself has to say.
    pub(super) own: mpsc::WeakSender<Wire>,
    /// Bytes that wait to be written.
    pub(super) unsent: Arc<AtomicUsize>,
    /// A whole message has come.
    pub(super) proven: Arc<AtomicBool>,
    pub(super) bounds: StreamBounds,
    /// Inside of this; none: in clear.
    pub(super) tls: Option<Arc<Tls>>,
}

/// Carries messages both ways until the connection ends, and says so.
pub(super) async fn run(opening: Opening, mut link: Link) {
    let is_ours = matches!(opening, Opening::Connect(_));
    let end = match (open(opening, &link).await, link.tls.clone()) {
        (Ok(stream), None) => carry(stream, is_ours, &mut link).await,
        (Ok(stream), Some(tls)) => match secure(&tls, stream, is_ours, &link).await {
            Ok(stream) => carry(stream, is_ours, &mut link).await,
            Err(end) => end,
        },
        (Err(end), _) => end,
    };
    tell(&end, link.flow);
    let lost = News::Lost(link.flow, link.number);
    let _node_has_ended = link.news.send(lost).await;
}

fn tell(end: &End, flow: Flow) {
    let (remote, transport) = (flow.remote, flow.transport);
    match end {
        End::PeerClosed | End::Idle | End::Unwanted => {
            tracing::debug!(%remote, %transport, %end, "a SIP connection has ended");
        }
        End::PeerUnreached(source) | End::PeerBroken(source) => {
            tracing::warn!(%remote, %transport, %end, %source, "a SIP connection has ended");
        }
        End::PeerHandshake(why) => {
            tracing::warn!(%remote, %transport, %end, %why, "a SIP connection has ended");
        }
        End::PeerConnectTimeout
        | End::PeerSlowHandshake
        | End::PeerFraming(_)
        | End::PeerSlowSender
        | End::PeerSlowReader => {
            tracing::warn!(%remote, %transport, %end, "a SIP connection has ended");
        }
    }
}

async fn open(opening: Opening, link: &Link) -> Result<TcpStream, End> {
    let stream = match opening {
        Opening::Accepted(stream) => stream,
        Opening::Connect(from) => {
            let connecting = connect(from, link.flow);
            match tokio::time::timeout(link.bounds.connect, connecting).await {
                Ok(made) => made.map_err(End::PeerUnreached)?,
                Err(_) => return Err(End::PeerConnectTimeout),
            }
        }
    };
    let _slower = stream.set_nodelay(true);
    Ok(stream)
}

async fn connect(from: Option<IpAddr>, flow: Flow) -> io::Result<TcpStream> {
    let socket = match flow.remote.is_ipv4() {
        true => TcpSocket::new_v4()?,
        false => TcpSocket::new_v6()?,
    };
    if let Some(from) = from {
        socket.bind((from, 0).into())?;
    }
    socket.connect(flow.remote).await
}

async fn secure(
    tls: &Tls,
    stream: TcpStream,
    is_ours: bool,
    link: &Link,
) -> Result<TlsStream<TcpStream>, End> {
    let shaking = async {
        match is_ours {
            true => tls.connect(stream, link.flow.remote).await,
            false => tls.accept(stream, link.flow.remote).await,
        }
    };
    match tokio::time::timeout(link.bounds.message, shaking).await {
        Ok(secured) => Ok(secured?),
        Err(_) => Err(End::PeerSlowHandshake),
    }
}

async fn carry(stream: impl AsyncRead + AsyncWrite, is_ours: bool, link: &mut Link) -> End {
    let (reader, writer) = tokio::io::split(stream);
    let Link {
        flow,
        news,
        messages,
        own,
        unsent,
        proven,
        bounds,
        ..
    } = link;
    let reading = Reading {
        flow: *flow,
        news,
        own,
        unsent,
        proven,
        bounds,
    };
    tokio::select! {
        end = reading.run(reader, is_ours) => end,
        end = write(writer, messages, unsent, bounds.write) => end,
    }
}

/// The half that reads.
struct Reading<'link> {
    flow: Flow,
    news: &'link mpsc::Sender<News>,
    own: &'link mpsc::WeakSender<Wire>,
    unsent: &'link AtomicUsize,
    proven: &'link AtomicBool,
    bounds: &'link StreamBounds,
}

impl Reading<'_> {
    async fn run(&self, mut reader: impl AsyncRead + Unpin, is_ours: bool) -> End {
        let mut framing = Framing::default();
        let mut piece = Zeroizing::new([0; PIECE_BYTES]);
        let mut begun = (!is_ours).then(Instant::now);
        loop {
            let patience = match begun {
                Some(at) => at + self.bounds.message,
                None => Instant::now() + self.bounds.idle,
            };
            let read = tokio::time::timeout_at(patience, reader.read(piece.as_mut_slice())).await;
            let count = match (read, begun) {
                (Ok(Ok(0)), _) => return End::PeerClosed,
                (Ok(Ok(count)), _) => count,
                // TLS that was not said good-bye to.
                (Ok(Err(source)), _) if source.kind() == io::ErrorKind::UnexpectedEof => {
                    return End::PeerClosed;
                }
                (Ok(Err(source)), _) => return End::broken(source),
                (Err(_), Some(_)) => return End::PeerSlowSender,
                (Err(_), None) => return End::Idle,
            };
            let bytes = piece.get_mut(..count).unwrap_or_default();
            framing.push(bytes);
            zeroize::Zeroize::zeroize(bytes);
            match self.hand_over(&mut framing).await {
                // The time of a message counts from its first byte.
                Ok(0) if begun.is_some() => {}
                Ok(_) => begun = framing.is_within().then(Instant::now),
                Err(end) => return end,
            }
        }
    }

    /// Hands whole messages over, and answers pings; yields how many messages there were.
    async fn hand_over(&self, framing: &mut Framing) -> Result<usize, End> {
        let mut count = 0;
        while let Some(message) = framing.message()? {
            count += 1;
            self.proven.store(true, Ordering::Relaxed);
            let said = self.news.send(News::Message(self.flow, message)).await;
            said.map_err(|_| End::Unwanted)?;
        }
        for _ in 0..framing.take_pings().min(1) {
            self.answer_ping();
        }
        Ok(count)
    }

    /// One answer does for all pings of a read.
    fn answer_ping(&self) {
        let Some(own) = self.own.upgrade() else {
            return;
        };
        if own.try_send(Wire::new(PONG.to_vec())).is_ok() {
            self.unsent.fetch_add(PONG.len(), Ordering::Relaxed);
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    messages: &mut mpsc::Receiver<Wire>,
    unsent: &AtomicUsize,
    patience: Duration,
) -> End {
    while let Some(wire) = messages.recv().await {
        let bytes = wire.as_bytes();
        let writing = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        match tokio::time::timeout(patience, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(source)) => return End::PeerBroken(source),
            Err(_) => return End::PeerSlowReader,
        }
        unsent.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    End::Unwanted
}
