//! How SIP messages travel.
//! Owns: the UDP socket of a SIP stack and its receive buffer; below it, connections and the set of all interfaces.
//! Never: reads a message, logs one, or keeps one: what was received is wiped before the next read.
//!
//! A message says by its flow what carries it. Start reading at: [`Transports`].

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use sip::{Flow, Transmit, Transport};
use tokio::net::UdpSocket;
use zeroize::Zeroize;

pub use interfaces::{BindError, InterfaceConfig, Received, Transports};
pub use streams::{StreamBounds, StreamCounters};
pub use tls::{TlsConfig, TlsError, TlsPeer};

mod connection;
mod interfaces;
mod streams;
mod tls;

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// Receive buffer asked of the kernel: half a second of 400 calls a second with five messages of 1 kB. When it is full the kernel drops
/// the newest, and its sender repeats it.
const KERNEL_RECEIVE_BYTES: usize = 4 * 1_024 * 1_024;

/// What a transport has carried; all monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransportCounters {
    /// Datagrams received.
    pub received: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Messages that could not be sent: no room in the kernel, no route, or a transport that is not carried. SIP repeats what matters.
    pub send_failed: u64,
}

/// A UDP socket for SIP.
pub struct UdpTransport {
    socket: UdpSocket,
    local: SocketAddr,
    buffer: Box<[u8]>,
    counters: TransportCounters,
}

impl UdpTransport {
    /// Binds the socket; port 0 lets the system choose. Needs a tokio runtime.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(local),
            socket2::Type::DGRAM,
            Some(socket2::Protocol::UDP),
        )?;
        if local.is_ipv6() {
            // IPv4 has an interface of its own: an address of one family never shows as one of the other.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        let _smaller_buffer = socket.set_recv_buffer_size(KERNEL_RECEIVE_BYTES);
        socket.bind(&local.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            local,
            buffer: vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice(),
            counters: TransportCounters::default(),
        })
    }

    /// Where it is bound.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// What it has carried.
    #[must_use]
    pub fn counters(&self) -> TransportCounters {
        self.counters
    }

    /// Waits until something may be there to [`receive`](Self::receive). May be cancelled.
    ///
    /// # Errors
    /// What the system says.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// The same for a task that looks after more than this socket.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(context)
    }

    /// Reads one datagram, lends it to `take` and wipes it, also if `take` unwinds; none if nothing waits. An ICMP error of an earlier
    /// send is passed over: it says nothing of the socket, and `readable` comes back for what waits behind it.
    pub fn receive<R>(&mut self, take: impl FnOnce(Flow, &[u8]) -> R) -> Option<R> {
        let (len, source) = self.socket.try_recv_from(&mut self.buffer).ok()?;
        self.counters.received += 1;
        let wiped = Wiped(self.buffer.get_mut(..len).unwrap_or_default());
        Some(take(Flow::udp(source), wiped.0))
    }

    /// Sends a message; what cannot be sent is counted and dropped.
    pub fn send(&mut self, transmit: &Transmit) {
        let sent = match transmit.flow.transport {
            Transport::Udp => self
                .socket
                .try_send_to(transmit.wire.as_bytes(), transmit.flow.remote)
                .is_ok(),
            Transport::Tcp | Transport::Tls => false,
        };
        if sent {
            self.counters.sent += 1;
        } else {
            self.counters.send_failed += 1;
        }
    }
}

impl std::fmt::Debug for UdpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpTransport")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// Bytes that are zeroed when they go out of sight.
struct Wiped<'buffer>(&'buffer mut [u8]);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_datagram_is_lent_and_then_gone_from_the_buffer() {
        let mut ours = UdpTransport::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let theirs = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        theirs.send_to(b"Signal=7", ours.local()).unwrap();
        let mut flow = None;
        while flow.is_none() {
            ours.readable().await.unwrap();
            flow = ours.receive(|flow, bytes| {
                assert_eq!(bytes, b"Signal=7");
                flow
            });
        }
        assert_eq!(flow, Some(Flow::udp(theirs.local_addr().unwrap())));
        assert!(ours.buffer.iter().all(|byte| *byte == 0));
        assert_eq!(ours.counters().received, 1);
    }

    #[tokio::test]
    async fn what_no_transport_carries_is_counted() {
        let mut ours = UdpTransport::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let flow = Flow {
            transport: Transport::Tls,
            ..Flow::udp(ours.local())
        };
        ours.send(&Transmit {
            flow,
            wire: sip::Wire::new(b"x".to_vec()),
        });
        assert_eq!(
            ours.counters(),
            TransportCounters {
                send_failed: 1,
                ..TransportCounters::default()
            }
        );
    }
}
