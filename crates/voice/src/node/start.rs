//! What the SIP thread begins with.
//! Owns: the seed, the stack's configuration, ports and media threads of a node that starts.
//! Never: changes anything of a node that runs.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rand::TryRngCore;
use rand::rngs::OsRng;
use secret::Arena;
use sip::{Interface, StackConfig};
use tokio::sync::Notify;

use super::NodeError;
use super::config::{BrowserPorts, NodeConfig};
use crate::media_thread::{BrowserPort, MediaThread};
use crate::packet_io::Backend;
use crate::recorder::RecorderThread;
use crate::rtp_socket::{self, RtpPorts, RtpSocket};

pub(super) fn random_seed() -> Result<[u8; 32], NodeError> {
    let mut seed = [0; 32];
    let filled = OsRng.try_fill_bytes(&mut seed);
    filled.map_err(|_| NodeError::SystemRandom)?;
    Ok(seed)
}

pub(super) fn stack_config(
    config: &NodeConfig,
    seed: [u8; 32],
    (interface, further): (Interface, &[Interface]),
) -> StackConfig {
    StackConfig {
        interface,
        further: further.to_vec(),
        realm: config.realm.clone(),
        digest: config.digest,
        limits: config.limits.sip,
        takes_transfers: true,
        ..StackConfig::new(&config.node, config.epoch, seed, interface.advertised)
    }
}

pub(super) fn media_ports(config: &NodeConfig) -> Result<RtpPorts, NodeError> {
    match &config.shared_ports {
        Some(shared) => Ok(shared.clone()),
        None => RtpPorts::new(config.media_address, &config.rtp_ports)
            .map_err(NodeError::ConfigRtpPorts),
    }
}

/// One port for each media thread, where browsers are phones.
pub(super) fn browser_ports(
    config: &NodeConfig,
    ports: &RtpPorts,
    advertised: IpAddr,
) -> Result<Vec<Option<BrowserPort>>, NodeError> {
    let port = |index: usize| match config.browser_ports {
        BrowserPorts::Off => Ok(None),
        BrowserPorts::OfMedia => {
            let pair = ports.open().map_err(NodeError::ConfigRtpPorts)?;
            let address = rtp_socket::advertised(&pair.rtp, advertised);
            Ok(Some(BrowserPort::of_pool(pair, address)))
        }
        BrowserPorts::From(first) => {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            let address = SocketAddr::new(config.media_address, first.saturating_add(index));
            let socket = RtpSocket::bind(address)
                .map_err(|source| NodeError::ConfigBrowserPort { address, source })?;
            let address = rtp_socket::advertised(&socket, advertised);
            Ok(Some(BrowserPort::own(socket, address)))
        }
    };
    (0..config.media_threads).map(port).collect()
}

type Threads = (Option<RecorderThread>, Vec<MediaThread>);

pub(super) fn start_threads(
    browser_ports: Vec<Option<BrowserPort>>,
    backend: Option<Backend>,
    arena: &Arc<Arena>,
    news: &Arc<Notify>,
    sink: Option<Box<dyn crate::recorder::AudioSink>>,
) -> std::io::Result<Threads> {
    let (recorder, senders) = match sink
        .map(|sink| RecorderThread::start(sink, browser_ports.len()))
        .transpose()?
    {
        Some((recorder, senders)) => (Some(recorder), senders.into_iter().map(Some).collect()),
        None => (None, Vec::new()),
    };
    let senders = senders.into_iter().chain(std::iter::repeat_with(|| None));
    let start = |((index, port), sender)| {
        MediaThread::start(index, backend, arena, Arc::clone(news), sender, port)
    };
    let threads = (browser_ports.into_iter().enumerate())
        .zip(senders)
        .map(start)
        .collect::<std::io::Result<Vec<_>>>()?;
    Ok((recorder, threads))
}
