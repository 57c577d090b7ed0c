//! The way to a gateway, in phases that each exist only after the one before.
//! Owns: `Resolved -> Connected -> Secured`; one connection, for one charge.
//! Never: writes a byte of a request, uses a proxy that the server's file does not name, or keeps a connection for later.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use domain::gateway::NotSentReason;
use rustls::{ClientConfig, ProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use crate::failure::Failure;
use crate::named::{Security, Through};
use crate::policy::{Origin, Trust};
use crate::tls::Shown;

/// Addresses of a host that are tried, in the resolver's order. Gateways have fewer; the rest are
/// left out once they are judged.
const ADDRESSES_MAX: usize = 8;

/// How long a gateway that asked for a certificate may take to refuse it, counted from the end of the handshake. With TLS 1.3 that end comes before the gateway
/// has seen the certificate ([RFC 8446 §4.4.2.4](https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2.4)); it takes a round trip and a look at the chain, and
/// gateways that send a ticket, as nearly all do, end the wait by it.
const ACCEPTANCE_WAIT: Duration = Duration::from_millis(500);

/// A host's addresses, every one within the policy.
pub(crate) struct Resolved(Vec<SocketAddr>);

impl Resolved {
    /// Asks the resolver once. What it says is what is connected to, so a second answer cannot
    /// lead elsewhere.
    pub(crate) async fn resolve(origin: &Origin, trust: Trust) -> Result<Self, Failure> {
        judge_port(origin, trust)?;
        let mut addresses: Vec<SocketAddr> = match &origin.host {
            Host::Ipv4(address) => vec![((*address), origin.port).into()],
            Host::Ipv6(address) => vec![((*address), origin.port).into()],
            Host::Domain(name) => tokio::net::lookup_host((name.as_str(), origin.port))
                .await
                .map_err(|error| unresolved(origin, &error.to_string()))?
                .collect(),
        };
        if addresses.is_empty() {
            return Err(unresolved(origin, "no address"));
        }
        let refused = addresses
            .iter()
            .find(|address| !trust.accepts(address.ip()));
        if let Some(address) = refused {
            return Err(Failure::new(
                NotSentReason::HostNotApproved,
                format!(
                    "{} has the address {}, which is not allowed for it",
                    origin.authority(),
                    address.ip()
                ),
            ));
        }
        addresses.truncate(ADDRESSES_MAX);
        Ok(Self(addresses))
    }

    /// Connects to the first address that takes the connection. Each gets an equal share of the
    /// time that is left.
    pub(crate) async fn connect(self, deadline: Instant) -> Result<Connected, Failure> {
        let mut last = Failure::new(NotSentReason::Connect, "no address");
        for (tried, address) in self.0.iter().enumerate() {
            let left = u32::try_from(self.0.len() - tried).unwrap_or(1);
            let share = deadline.saturating_duration_since(Instant::now()) / left;
            last = match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(Connected(tcp)),
                Ok(Err(error)) => Failure::new(
                    NotSentReason::Connect,
                    format!("connecting to {address}: {error}"),
                ),
                Err(_) => Failure::new(
                    NotSentReason::ConnectTimeout,
                    format!(
                        "{address} did not take the connection within {} ms",
                        share.as_millis()
                    ),
                ),
            };
        }
        Err(last)
    }
}

fn judge_port(origin: &Origin, trust: Trust) -> Result<(), Failure> {
    if trust.accepts_port(origin.port) {
        return Ok(());
    }
    Err(Failure::new(
        NotSentReason::HostNotApproved,
        format!(
            "{} has a port of another service, which only the server's file can allow",
            origin.authority()
        ),
    ))
}

fn unresolved(origin: &Origin, why: &str) -> Failure {
    Failure::new(
        NotSentReason::Resolve,
        format!("resolving {}: {why}", origin.server_name()),
    )
}

/// A TCP connection, or a tunnel that carries one.
pub(crate) struct Connected(TcpStream);

impl Connected {
    /// A tunnel to the host, through a proxy. The proxy's own address is the operator's and may be any; it resolves the host's name by itself, so that only the name
    /// is judged here.
    async fn through(
        way: &Through,
        origin: &Origin,
        trust: Trust,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        judge_port(origin, trust)?;
        if !trust.accepts_unseen(&origin.host) {
            return Err(Failure::new(
                NotSentReason::HostNotApproved,
                format!("{} is not allowed through a proxy", origin.authority()),
            ));
        }
        let by_proxy = |failure: Failure| Failure {
            reason: match failure.reason {
                NotSentReason::ConnectTimeout => NotSentReason::ConnectTimeout,
                _ => NotSentReason::Connect,
            },
            ..failure.within(&format!("the proxy {}", way.name))
        };
        let resolved = Resolved::resolve(way.proxy.origin(), Trust::Listed).await;
        let connected = resolved.map_err(by_proxy)?.connect(deadline).await;
        let Self(stream) = connected.map_err(by_proxy)?;
        let tunnel = way.proxy.tunnel(stream, origin).await;
        tunnel.map(Self).map_err(by_proxy)
    }

    /// TLS with the host's own name.
    pub(crate) async fn secure(
        self,
        origin: &Origin,
        security: &Security,
    ) -> Result<Secured, Failure> {
        let failed = |why: String| {
            Failure::new(
                NotSentReason::Tls,
                format!("securing the connection to {}: {why}", origin.authority()),
            )
        };
        let shown = Arc::new(Shown::new(security.certificate.clone()));
        let mut config = ClientConfig::clone(&security.tls);
        config.client_auth_cert_resolver = Arc::clone(&shown) as _;
        let name = ServerName::try_from(origin.server_name())
            .map_err(|error| failed(error.to_string()))?;
        self.0
            .set_nodelay(true)
            .map_err(|error| failed(error.to_string()))?;
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector
            .connect(name, self.0)
            .await
            .map_err(|error| failed(error.to_string()))?;
        if shown.was_asked() {
            let what = match security.certificate {
                Some(_) => "the client certificate was refused",
                None => "the gateway wants a client certificate, and the configuration names none",
            };
            let refused = |why: String| failed(format!("{what}: {why}"));
            accepted(&mut stream).await.map_err(refused)?;
        }
        Ok(Secured(stream))
    }
}

/// Waits until the gateway shows that it took the certificate, or does not refuse it in time.
async fn accepted(stream: &mut TlsStream<TcpStream>) -> Result<(), String> {
    if stream.get_ref().1.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return Ok(());
    }
    let mut byte = [0];
    let shown = std::future::poll_fn(|context| {
        let mut buffer = ReadBuf::new(&mut byte);
        match std::pin::Pin::new(&mut *stream).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(Err("it closed the connection".to_owned())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.to_string())),
            Poll::Pending if stream.get_ref().1.tls13_tickets_received() > 0 => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    });
    timeout(ACCEPTANCE_WAIT, shown).await.unwrap_or(Ok(()))
}

/// A connection on which nothing was written yet.
pub(crate) struct Secured(TlsStream<TcpStream>);

impl Secured {
    /// The stream, unless the gateway has closed it or spoken out of turn meanwhile.
    pub(crate) async fn still_quiet(mut self) -> Result<TlsStream<TcpStream>, Failure> {
        let mut byte = [0];
        let quiet = std::future::poll_fn(|context| {
            let mut buffer = ReadBuf::new(&mut byte);
            let read = std::pin::Pin::new(&mut self.0).poll_read(context, &mut buffer);
            Poll::Ready(read.is_pending())
        });
        if quiet.await {
            Ok(self.0)
        } else {
            Err(Failure::new(
                NotSentReason::Connect,
                "the gateway closed the connection before the request",
            ))
        }
    }
}

/// The way to a host that may be sent to. Whoever has it may go it again while the same charge lasts.
pub(crate) struct Way {
    /// Who.
    pub(crate) origin: Origin,
    /// How far the host was trusted when the charge began.
    pub(crate) trust: Trust,
    /// Through which proxy; none: straight.
    pub(crate) through: Option<Through>,
    /// How connections are secured.
    pub(crate) security: Security,
}

impl Way {
    /// A new connection, with all phases within this time.
    pub(crate) async fn secured(&self, within: Duration) -> Result<Secured, Failure> {
        let deadline = Instant::now() + within;
        let phases = async {
            let connected = match &self.through {
                None => {
                    let resolved = Resolved::resolve(&self.origin, self.trust).await?;
                    resolved.connect(deadline).await?
                }
                Some(way) => Connected::through(way, &self.origin, self.trust, deadline).await?,
            };
            connected.secure(&self.origin, &self.security).await
        };
        timeout_at(deadline, phases).await.unwrap_or_else(|_| {
            Err(Failure::new(
                NotSentReason::ConnectTimeout,
                format!(
                    "no secure connection to {} within {} ms",
                    self.origin.authority(),
                    within.as_millis()
                ),
            ))
        })
    }
}
