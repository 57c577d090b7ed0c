//! Where datagrams come from and go to.

use std::fmt;
use std::net::SocketAddr;

use crate::message::Wire;

/// How messages travel. Only UDP is carried today; the others keep their place in the timer table and in `Via`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams: requests and final answers are repeated until heard.
    Udp,
    /// A stream: nothing is repeated but the 2xx of an INVITE.
    Tcp,
    /// A stream inside TLS.
    Tls,
}

impl Transport {
    /// The transport delivers what it takes, so no transaction repeats its message.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls => true,
        }
    }

    /// The word in `Via`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One far side as the socket sees it. Answers go back to the flow a request came from, whatever `Via` claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// Source address of what was received, destination of what is sent.
    pub remote: SocketAddr,
    /// How.
    pub transport: Transport,
}

impl Flow {
    /// A flow over UDP.
    #[must_use]
    pub fn udp(remote: SocketAddr) -> Self {
        Self {
            remote,
            transport: Transport::Udp,
        }
    }
}

/// One message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub flow: Flow,
    /// What; wiped when the last copy is dropped.
    pub wire: Wire,
}
