//! How an interface of a PBX is reached: by TLS, or on this machine.
//! Owns: which addresses may stand in the server's file, whom TLS trusts there, the connected stream.
//! Never: says anything over it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where an interface of a PBX listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterfaceAddress {
    host: String,
    port: u16,
    /// By TLS; else on this machine.
    pub(crate) is_tls: bool,
}

impl InterfaceAddress {
    /// Reads `tls://HOST:PORT`, or `tcp://` with an address of this machine: the login is a secret in clear text.
    ///
    /// # Errors
    /// What may stand there.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(ADDRESS)?;
        let (host, port) = rest.rsplit_once(':').ok_or(ADDRESS)?;
        let bare = host.strip_prefix('[').and_then(|six| six.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let address = host.parse::<IpAddr>().ok();
        if host.is_empty() || (address.is_none() && !host.bytes().all(is_name)) {
            return Err(ADDRESS);
        }
        let is_tls = match scheme {
            "tls" => true,
            "tcp" if address.is_some_and(|address| address.is_loopback()) => false,
            "tcp" => return Err(PLAIN),
            _ => return Err(ADDRESS),
        };
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self {
                host: host.to_owned(),
                port,
                is_tls,
            }),
            Ok(_) | Err(_) => Err(ADDRESS),
        }
    }
}

const ADDRESS: &str = "write tls://, a host and a port, for example tls://pbx.example:5039";
const PLAIN: &str =
    "write tls://; tcp:// shows the login to whoever listens, and is for 127.0.0.1 and [::1] only";

/// It is not reached.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReachError {
    #[error("connecting: {0}")]
    PeerConnection(#[from] io::Error),
    #[error("its host has no name that a certificate could show")]
    ConfigHost,
}

/// What is read from and written to.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An address, and whom to trust there.
pub(super) struct Route {
    address: InterfaceAddress,
    tls: Option<Arc<ClientConfig>>,
}

impl Route {
    /// One with these authorities and no others, or without TLS if there are none.
    ///
    /// # Errors
    /// The authorities cannot be used.
    pub(super) fn new(
        address: InterfaceAddress,
        roots: Option<&[CertificateDer<'static>]>,
    ) -> Result<Self, rustls::Error> {
        let tls = roots.map(trusting).transpose()?;
        Ok(Self { address, tls })
    }

    /// A new connection.
    ///
    /// # Errors
    /// It is not reached, or shows another certificate.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, ReachError> {
        let InterfaceAddress { host, port, .. } = &self.address;
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(tcp));
        };
        let name = ServerName::try_from(host.clone()).map_err(|_| ReachError::ConfigHost)?;
        Ok(Box::new(
            TlsConnector::from(tls.clone()).connect(name, tcp).await?,
        ))
    }
}

/// TLS 1.2 or later.
fn trusting(roots: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone())?;
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_a_port() {
        let address = InterfaceAddress::parse("tls://pbx.example:5039").unwrap();
        assert_eq!(
            (address.host.as_str(), address.port, address.is_tls),
            ("pbx.example", 5_039, true)
        );
        let address = InterfaceAddress::parse("tcp://[::1]:5038").unwrap();
        assert_eq!((address.host.as_str(), address.is_tls), ("::1", false));
        for text in [
            "pbx.example:5039",
            "tls://pbx.example",
            "tls://:5039",
            "tls://pbx.example:0",
            "tls://a@pbx.example:1",
            "https://pbx.example:1",
        ] {
            assert_eq!(InterfaceAddress::parse(text), Err(ADDRESS), "{text}");
        }
        for text in ["tcp://192.0.2.1:5038", "tcp://localhost:5038"] {
            assert_eq!(InterfaceAddress::parse(text), Err(PLAIN), "{text}");
        }
    }
}
