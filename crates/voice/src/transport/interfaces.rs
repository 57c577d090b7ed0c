//! Every interface of a stack behind one way in and one way out.
//! Owns: which socket or connection carries a flow, and the order in which they get their turn.
//! Never: reads a message.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use sip::{Flow, Interface, InterfaceId, Transmit, Transport};
use thiserror::Error;
use tokio::runtime::Handle;

use super::streams::{Heard, StreamBounds, StreamCounters, Streams};
use super::tls::{Tls, TlsConfig, TlsError};
use super::{TransportCounters, UdpTransport};

/// Where one interface is bound, and how far sides reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// What it speaks.
    pub transport: Transport,
    /// Where it is bound. Port 0: the system chooses.
    pub listen: SocketAddr,
    /// The address that far sides reach it by; none: as bound. A port of 0 stands for the bound one.
    pub advertised: Option<SocketAddr>,
}

impl InterfaceConfig {
    /// One that is reached as it is bound.
    #[must_use]
    pub fn new(transport: Transport, listen: SocketAddr) -> Self {
        Self {
            transport,
            listen,
            advertised: None,
        }
    }
}

/// Why an interface is of no use.
#[derive(Debug, Error)]
pub enum BindError {
    /// The address cannot be bound.
    #[error("binding SIP over {transport} to {address}")]
    ConfigAddress {
        /// What it speaks.
        transport: Transport,
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Bound to every address, and none is named that far sides could be told.
    #[error("an advertised address is needed where the bound one is unspecified: {0}")]
    ConfigAdvertised(SocketAddr),
    /// Files of TLS, or the name of a far side.
    #[error(transparent)]
    ConfigTls(#[from] TlsError),
    /// An interface speaks TLS and nothing says with which certificate.
    #[error("no certificate is named for SIP over TLS at {0}")]
    ConfigNoCertificate(SocketAddr),
    /// No interface at all, or more than a flow can name.
    #[error("{0} interfaces were asked for; it must be 1 to 256")]
    ConfigCount(usize),
}

/// What came in.
pub enum Received<'bytes> {
    /// A message, or what a datagram says else.
    Message(Flow, &'bytes [u8]),
    /// A connection could not be made, or has ended.
    Lost(Flow),
}

/// All interfaces.
pub struct Transports {
    first: Interface,
    first_bound: SocketAddr,
    further: Vec<Interface>,
    bound: Vec<SocketAddr>,
    datagrams: Vec<(InterfaceId, UdpTransport)>,
    streams: Streams,
    /// Whose turn it is: the sockets in order, then the connections.
    turn: usize,
}

impl Transports {
    /// Binds all. Datagrams are read by the tokio runtime that this is called in, connections are looked after by that of `connections`,
    /// which may be another.
    ///
    /// # Errors
    /// The first interface that is of no use.
    pub fn bind(
        interfaces: &[InterfaceConfig],
        bounds: StreamBounds,
        tls: Option<TlsConfig>,
        connections: Handle,
    ) -> Result<Self, BindError> {
        let mut secured = interfaces
            .iter()
            .filter(|one| one.transport == Transport::Tls);
        if let (Some(secured), None) = (secured.next(), &tls) {
            return Err(BindError::ConfigNoCertificate(secured.listen));
        }
        let mut streams = Streams::new(bounds, tls.map(Tls::read).transpose()?, connections);
        let (mut all, mut bound, mut datagrams) = (Vec::new(), Vec::new(), Vec::new());
        let places = 0..=u8::MAX;
        if interfaces.len() > places.len() {
            return Err(BindError::ConfigCount(interfaces.len()));
        }
        for (place, config) in places.zip(interfaces) {
            let (transport, id) = (config.transport, InterfaceId(place));
            let failed = |source| BindError::ConfigAddress {
                transport,
                address: config.listen,
                source,
            };
            let at = match transport {
                Transport::Udp => {
                    let socket = UdpTransport::bind(config.listen).map_err(failed)?;
                    let at = socket.local();
                    datagrams.push((id, socket));
                    at
                }
                Transport::Tcp | Transport::Tls => streams
                    .listen(id, transport, config.listen)
                    .map_err(failed)?,
            };
            let advertised = advertised(config.advertised, at);
            if advertised.ip().is_unspecified() {
                return Err(BindError::ConfigAdvertised(at));
            }
            bound.push(at);
            all.push(Interface {
                transport,
                advertised,
            });
        }
        let mut all = all.into_iter();
        let none = BindError::ConfigCount(0);
        let (Some(first), Some(first_bound)) = (all.next(), bound.first().copied()) else {
            return Err(none);
        };
        Ok(Self {
            first,
            first_bound,
            further: all.collect(),
            bound,
            datagrams,
            streams,
            turn: 0,
        })
    }

    /// The first interface and those after it, as a stack is told them.
    #[must_use]
    pub fn interfaces(&self) -> (Interface, &[Interface]) {
        (self.first, &self.further)
    }

    /// Where the first is bound.
    #[must_use]
    pub fn first_bound(&self) -> SocketAddr {
        self.first_bound
    }

    /// Where each is bound, in their order.
    #[must_use]
    pub fn bound(&self) -> &[SocketAddr] {
        &self.bound
    }

    /// What datagrams have been carried, over all sockets.
    #[must_use]
    pub fn counters(&self) -> TransportCounters {
        let mut all = TransportCounters::default();
        for (_, socket) in &self.datagrams {
            let one = socket.counters();
            all.received += one.received;
            all.sent += one.sent;
            all.send_failed += one.send_failed;
        }
        all
    }

    /// What connections have carried.
    #[must_use]
    pub fn stream_counters(&self) -> StreamCounters {
        self.streams.counters()
    }

    /// Waits until something may be there to [`receive`](Self::receive). May be cancelled.
    ///
    /// # Errors
    /// What the system says of a socket.
    pub async fn readable(&mut self) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll_readable(context)).await
    }

    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        for (_, socket) in &self.datagrams {
            if let Poll::Ready(ready) = socket.poll_readable(context) {
                return Poll::Ready(ready);
            }
        }
        self.streams.poll_ready(context).map(Ok)
    }

    /// Lends the next thing that came in to `take`, sockets and connections by turns; none if nothing waits. What was lent is wiped.
    pub fn receive<R>(&mut self, mut take: impl FnMut(Received<'_>) -> R) -> Option<R> {
        let ways = self.datagrams.len() + 1;
        for _ in 0..ways {
            self.turn = (self.turn + 1) % ways;
            let taken = match self.datagrams.get_mut(self.turn) {
                Some((interface, socket)) => {
                    let interface = *interface;
                    socket.receive(|flow, bytes| {
                        let flow = Flow { interface, ..flow };
                        take(Received::Message(flow, bytes))
                    })
                }
                None => self.streams.hear().map(|heard| match heard {
                    Heard::Message(flow, message) => {
                        take(Received::Message(flow, message.as_bytes()))
                    }
                    Heard::Lost(flow) => take(Received::Lost(flow)),
                }),
            };
            if taken.is_some() {
                return taken;
            }
        }
        None
    }

    /// Sends a message by its flow; what cannot be sent is counted and dropped.
    pub fn send(&mut self, transmit: &Transmit) {
        let id = transmit.flow.interface;
        match transmit.flow.transport {
            Transport::Udp => {
                let mut sockets = self.datagrams.iter_mut();
                if let Some((_, socket)) = sockets.find(|(one, _)| *one == id) {
                    socket.send(transmit);
                }
            }
            Transport::Tcp | Transport::Tls => self.streams.send(transmit),
        }
    }
}

fn advertised(configured: Option<SocketAddr>, bound: SocketAddr) -> SocketAddr {
    let mut address = configured.unwrap_or(bound);
    if address.port() == 0 {
        address.set_port(bound.port());
    }
    address
}
