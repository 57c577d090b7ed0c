//! Where messages come from and go to.

use std::fmt;
use std::net::SocketAddr;

use crate::message::Wire;

/// How messages travel.
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

    /// The transport of a URI's `transport` parameter; none: one that is not spoken here.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls]
            .into_iter()
            .find(|transport| transport.as_str().eq_ignore_ascii_case(word))
    }

    /// Port of a URI that names none ([RFC 3261 §19.1.2](https://www.rfc-editor.org/rfc/rfc3261#section-19.1.2)).
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }

    /// The `transport` parameter of a URI that is to be reached so; none: UDP needs no word.
    #[must_use]
    pub fn parameter(self) -> Option<&'static str> {
        match self {
            Self::Udp => None,
            Self::Tcp => Some("tcp"),
            Self::Tls => Some("tls"),
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

/// One of our interfaces, by its place in [`StackConfig`](super::StackConfig): 0 is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct InterfaceId(pub u8);

/// One far side as the socket sees it. Answers go back to the flow a request came from, whatever `Via` claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// Source address of what was received, destination of what is sent.
    pub remote: SocketAddr,
    /// How; the interface's own.
    pub transport: Transport,
    /// Which of our interfaces it comes by and is sent by.
    pub interface: InterfaceId,
}

impl Flow {
    /// A flow over UDP by the first interface.
    #[must_use]
    pub fn udp(remote: SocketAddr) -> Self {
        Self {
            remote,
            transport: Transport::Udp,
            interface: InterfaceId(0),
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

impl Transmit {
    /// Whether it is a request: one opens a connection where its flow is a stream that has none; an answer, or what keeps a connection alive, does not.
    #[must_use]
    pub fn is_request(&self) -> bool {
        let bytes = self.wire.as_bytes();
        !bytes.starts_with(b"SIP/2.0 ") && !bytes.starts_with(b"\r\n")
    }
}
