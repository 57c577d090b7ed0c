//! How messages to and from recorders travel.
//! Owns: one UDP socket, one TCP listener on the same port, and the connections.
//! Never: reads a message.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sip::message::Framing;
use sip::{Flow, InterfaceId, Transmit, Transport, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use voice::transport::UdpTransport;

/// Connections at a time: each recorder has one, and some that they begin. More: refused.
const CONNECTIONS_MAX: usize = 64;
/// Addresses of recorders that are remembered: names may mean another each day. More: those cannot begin a connection.
const KNOWN_MAX: usize = 1_024;
/// Messages that may wait for one connection. When full they are dropped, as a network would, and SIP counts on its time-outs.
const MESSAGES_MAX: usize = 1_024;
/// Messages that may wait to be taken, of all connections. When full, connections are not read.
const HEARD_MAX: usize = 256;
/// A recorder that does not take a connection in so long is not reached.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// A connection that says nothing for so long is closed; the next message makes a new one.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// Ports tried until one is free for both UDP and TCP.
const BIND_TRIES_MAX: usize = 16;
/// Bytes that are read at a time.
const PIECE_BYTES: usize = 4_096;

/// What came in.
pub(super) enum Heard {
    /// Datagrams wait.
    Datagrams,
    /// Over a connection with this far side.
    Message(SocketAddr, Wire),
    /// This connection could not be made, or has ended.
    Lost(SocketAddr),
}

/// The flow to a recorder: datagrams go by the first interface, connections by the second.
pub(super) fn flow_to(remote: SocketAddr, transport: Transport) -> Flow {
    let interface = InterfaceId(u8::from(transport != Transport::Udp));
    Flow {
        remote,
        transport,
        interface,
    }
}

/// Both ways to recorders.
pub(super) struct Transports {
    pub(super) udp: UdpTransport,
    listener: TcpListener,
    connections: HashMap<SocketAddr, mpsc::Sender<Wire>>,
    /// Where recorders are: nobody else is listened to.
    known: HashSet<IpAddr>,
    to: mpsc::Sender<Heard>,
    heard: mpsc::Receiver<Heard>,
}

impl Transports {
    /// Binds both to one port that the system chooses.
    ///
    /// # Errors
    /// What the system says.
    pub(super) async fn bind(address: IpAddr) -> io::Result<Self> {
        let mut tries = 0;
        let (udp, listener) = loop {
            tries += 1;
            let udp = UdpTransport::bind(SocketAddr::new(address, 0))?;
            match TcpListener::bind(udp.local()).await {
                Ok(listener) => break (udp, listener),
                Err(error) if tries == BIND_TRIES_MAX => return Err(error),
                Err(_) => {}
            }
        };
        let (to, heard) = mpsc::channel(HEARD_MAX);
        Ok(Self {
            udp,
            listener,
            connections: HashMap::new(),
            known: HashSet::new(),
            to,
            heard,
        })
    }

    /// A recorder is there, and may begin connections.
    pub(super) fn know(&mut self, address: IpAddr) {
        if self.known.len() < KNOWN_MAX {
            self.known.insert(address);
        }
    }

    /// Sends a message; one that cannot be sent is dropped.
    pub(super) fn send(&mut self, transmit: &Transmit) {
        match transmit.flow.transport {
            Transport::Udp => self.udp.send(transmit),
            Transport::Tcp => self.send_tcp(transmit),
            // Refused where the settings are read.
            Transport::Tls => {}
        }
    }

    fn send_tcp(&mut self, transmit: &Transmit) {
        let remote = transmit.flow.remote;
        let open = self.connections.get(&remote);
        if let Some(messages) = open.filter(|messages| !messages.is_closed()) {
            let _full = messages.try_send(transmit.wire.clone());
            return;
        }
        let (sender, messages) = mpsc::channel(MESSAGES_MAX);
        let _empty = sender.try_send(transmit.wire.clone());
        self.connections.insert(remote, sender);
        let to = self.to.clone();
        tokio::spawn(async move {
            let connecting = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(remote));
            if let Ok(Ok(stream)) = connecting.await {
                carry(stream, remote, messages, &to).await;
            }
            let _ended = to.send(Heard::Lost(remote)).await;
        });
    }

    /// The next thing that comes in. May be cancelled.
    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            tokio::select! {
                Some(heard) = self.heard.recv() => {
                    if let Heard::Lost(remote) = heard {
                        self.forget(remote);
                    }
                    return heard;
                }
                _ready = self.udp.readable() => return Heard::Datagrams,
                Ok((stream, remote)) = self.listener.accept() => self.take(stream, remote),
            }
        }
    }

    fn forget(&mut self, remote: SocketAddr) {
        let messages = self.connections.get(&remote);
        if messages.is_some_and(mpsc::Sender::is_closed) {
            self.connections.remove(&remote);
        }
    }

    /// A connection that a recorder began.
    fn take(&mut self, stream: TcpStream, remote: SocketAddr) {
        self.connections.retain(|_, messages| !messages.is_closed());
        let is_known = self.known.contains(&remote.ip());
        if !is_known || self.connections.len() >= CONNECTIONS_MAX {
            return;
        }
        let (sender, messages) = mpsc::channel(MESSAGES_MAX);
        self.connections.insert(remote, sender);
        let to = self.to.clone();
        tokio::spawn(async move {
            carry(stream, remote, messages, &to).await;
            let _ended = to.send(Heard::Lost(remote)).await;
        });
    }
}

/// Carries messages both ways until the connection ends, or nobody has anything to say.
async fn carry(
    mut stream: TcpStream,
    remote: SocketAddr,
    mut messages: mpsc::Receiver<Wire>,
    to: &mpsc::Sender<Heard>,
) {
    let _slower = stream.set_nodelay(true);
    let (mut reader, mut writer) = stream.split();
    let (mut framing, mut piece) = (Framing::default(), [0; PIECE_BYTES]);
    loop {
        tokio::select! {
            read = reader.read(&mut piece) => {
                let Ok(count @ 1..) = read else {
                    return;
                };
                framing.push(piece.get(..count).unwrap_or_default());
                loop {
                    match framing.message() {
                        Ok(Some(message)) => {
                            if to.send(Heard::Message(remote, message)).await.is_err() {
                                return;
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            tracing::warn!(%remote, %error, "a recorder's connection is of no use");
                            return;
                        }
                    }
                }
            }
            wire = messages.recv() => {
                let Some(wire) = wire else {
                    return;
                };
                let written = tokio::time::timeout(CONNECT_MAX, writer.write_all(wire.as_bytes()));
                if !matches!(written.await, Ok(Ok(()))) {
                    return;
                }
            }
            () = tokio::time::sleep(IDLE_MAX) => return,
        }
    }
}
