//! The floor: a relay that does nothing but move packets, over the same sockets, options and system calls as ours.

use std::io::{self, BufRead, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use voice::packet_io::{Backend, PacketIo, Token};
use voice::rtp_socket::{RtpPair, RtpPorts};

use crate::generator::{CallPorts, Generator};
use crate::process::{Relay, media_ports};

/// Longest wait for one pair of ports.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts it and its calls.
pub(crate) fn start(
    calls: usize,
    backend: Backend,
    generator: &Generator,
) -> io::Result<(Relay, Vec<CallPorts>)> {
    let arguments = [
        "--calls".to_owned(),
        calls.to_string(),
        "--backend".to_owned(),
        backend.name().to_owned(),
        "--consumers".to_owned(),
        generator.consumer_address()?.to_string(),
        "--agents".to_owned(),
        generator.agent_address()?.to_string(),
    ];
    let mut relay = Relay::start_self("floor", &arguments)?;
    let mut ports = Vec::new();
    for _ in 0..calls {
        let line = relay.line()?;
        let (consumer, agent) = line.split_once(' ').unwrap_or_default();
        ports.push(CallPorts {
            consumer: consumer.parse().map_err(io::Error::other)?,
            agent: agent.parse().map_err(io::Error::other)?,
        });
    }
    Ok((relay, ports))
}

/// The child's side.
pub(crate) fn serve(
    calls: usize,
    backend: Backend,
    consumers: SocketAddr,
    agents: SocketAddr,
) -> io::Result<()> {
    let ports =
        RtpPorts::new(IpAddr::V4(Ipv4Addr::LOCALHOST), &media_ports()).map_err(io::Error::other)?;
    let mut pairs: Vec<RtpPair> = Vec::new();
    for _ in 0..2 * calls {
        pairs.push(open(&ports)?);
    }
    for call in pairs.chunks_exact(2) {
        let line = format!(
            "{} {}",
            call[0].rtp.local().port(),
            call[1].rtp.local().port()
        );
        writeln!(io::stdout().lock(), "{line}")?;
    }
    std::thread::spawn(move || relay(&pairs, backend, consumers, agents));
    // Ends with its parent.
    io::stdin().lock().lines().for_each(drop);
    Ok(())
}

/// Waits for ports that a relay before has not given back yet.
fn open(ports: &RtpPorts) -> io::Result<RtpPair> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match ports.open() {
            Ok(pair) => return Ok(pair),
            Err(error) if Instant::now() > give_up => return Err(io::Error::other(error)),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn relay(
    pairs: &[RtpPair],
    backend: Backend,
    consumers: SocketAddr,
    agents: SocketAddr,
) -> io::Result<()> {
    let mut packets = PacketIo::new(backend)?;
    for (token, socket) in (0..).zip(pairs.iter().flat_map(|pair| [&pair.rtp, &pair.rtcp])) {
        packets.watch(socket, Token(token))?;
    }
    loop {
        packets.wait(None)?;
        packets.receive(|token, datagram, outbox| {
            let index = usize::try_from(token.0 / 2).unwrap_or(0);
            let (other, destination) = if index % 2 == 0 {
                (&pairs[index + 1], agents)
            } else {
                (&pairs[index - 1], consumers)
            };
            outbox.send(&other.rtp, datagram.bytes, destination);
        });
    }
}
