//! How a phone reaches its server.
//! Owns: the transport of its SIP, and keys for its media.
//! Never: goes on in clear where it is to be secured.

use std::net::SocketAddr;
use std::sync::Arc;

use rand::TryRngCore;
use rand::rngs::OsRng;
use secret::MediaKey;
use sip::sdp::{LocalSrtp, Suite};
use sip::{Flow, InterfaceId, Transport};
use tokio::runtime::Handle;
use voice::transport::{BindError, InterfaceConfig, StreamBounds, TlsConfig, Transports};

/// What a phone's SIP travels by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SipOver {
    /// Datagrams.
    #[default]
    Udp,
    /// Connections in clear.
    Tcp,
    /// Connections inside TLS: what the phone shows, and whom it trusts.
    Tls(TlsConfig),
}

impl SipOver {
    fn transport(&self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Tcp => Transport::Tcp,
            Self::Tls(_) => Transport::Tls,
        }
    }

    /// Binds it. Needs a tokio runtime.
    ///
    /// # Errors
    /// The address is of no use, or a file of TLS.
    pub(super) fn bind(&self, local: SocketAddr) -> Result<Transports, BindError> {
        let tls = match self {
            Self::Udp | Self::Tcp => None,
            Self::Tls(tls) => Some(tls.clone()),
        };
        let interface = InterfaceConfig::new(self.transport(), local);
        let (bounds, runtime) = (StreamBounds::default(), Handle::current());
        Transports::bind(&[interface], bounds, tls, runtime)
    }

    /// The flow to a server.
    pub(super) fn to(&self, server: SocketAddr) -> Flow {
        Flow {
            remote: server,
            transport: self.transport(),
            interface: InterfaceId(0),
        }
    }
}

/// Fresh keys for the media of one call, of every suite without a short tag; nothing in clear. None: the system gives no random numbers.
pub(super) fn fresh_keys() -> Option<LocalSrtp> {
    let key = |suite: Suite| {
        let fill = |bytes: &mut [u8]| OsRng.try_fill_bytes(bytes);
        let key = MediaKey::fill_with(suite.master_len(), fill).ok()?;
        Some((suite, Arc::new(key)))
    };
    let keys = Suite::STRONG.into_iter().map(key).collect::<Option<_>>()?;
    Some(LocalSrtp {
        required: true,
        keys,
    })
}
