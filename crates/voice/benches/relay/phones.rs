//! The telephones of both sides: they set calls up through a node, one after the other.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::sdp::{LocalAudio, RemoteAudio, Session};
use sip::{Command, Event, Flow, Host, LegId, NameAddr, Peer, Stack, StackConfig, Uri};
use voice::transport::UdpTransport;

use crate::generator::CallPorts;
use crate::tonewall::{INVITES_PER_SECOND, LEGS_MAX};

/// Longest wait for one call.
const PATIENCE: Duration = Duration::from_secs(5);

/// Both sides' telephone.
pub(crate) struct Phones {
    stack: Stack,
    transport: UdpTransport,
    server: SocketAddr,
    address: SocketAddr,
}

impl Phones {
    /// Telephones that the node at `server` rings at [`Phones::address`]. Needs a tokio runtime.
    pub(crate) fn new(server: SocketAddr, transport: UdpTransport) -> io::Result<Self> {
        let address = transport.local();
        let mut config = StackConfig::new("phones", 1, [7; 32], address);
        config.limits.legs_max = LEGS_MAX;
        config.limits.new_invites_per_second = INVITES_PER_SECOND;
        let mut stack = Stack::new(config, Instant::now());
        let peer = Peer {
            name: "server".to_owned(),
            addresses: vec![server.ip()],
            is_trusted: true,
            credentials: None,
        };
        let peers = Command::SetPeers { peers: vec![peer] };
        stack
            .command(Instant::now(), peers)
            .map_err(io::Error::other)?;
        Ok(Self {
            stack,
            transport,
            server,
            address,
        })
    }

    /// Calls through the node: from media at `consumer` to media at `agent`.
    pub(crate) async fn connect(
        &mut self,
        consumer: SocketAddr,
        agent: SocketAddr,
    ) -> io::Result<CallPorts> {
        let leg = self.stack.new_leg();
        let at = |user: &str, address: SocketAddr| {
            Uri::sip(Some(user), Host::Ip(address.ip()), Some(address.port()))
        };
        let invite = Command::Invite {
            leg,
            target: at("100", self.server),
            to: None,
            from: NameAddr::new(at("15550100", self.address)),
            flow: Flow::udp(self.server),
            offer: Some(description(consumer).offer()),
            max_forwards: None,
            headers: Vec::new(),
            credentials: None,
        };
        self.stack
            .command(Instant::now(), invite)
            .map_err(io::Error::other)?;
        let connected = self.until_answered(leg, agent);
        let late = |_| io::Error::other("a call was not answered");
        tokio::time::timeout(PATIENCE, connected)
            .await
            .map_err(late)?
    }

    async fn until_answered(&mut self, leg: LegId, agent: SocketAddr) -> io::Result<CallPorts> {
        let mut agent_port = None;
        loop {
            while let Some(event) = self.stack.poll_event() {
                match event {
                    Event::Incoming(incoming) => {
                        let offer = incoming.offer.ok_or_else(|| failed("no offer"))?;
                        agent_port = Some(self.port_of(&offer)?);
                        let answer = description(agent).answer(&offer);
                        let answer = answer.map_err(io::Error::other)?;
                        let command = Command::Answer {
                            leg: incoming.leg,
                            answer,
                        };
                        self.stack
                            .command(Instant::now(), command)
                            .map_err(io::Error::other)?;
                    }
                    Event::Answered {
                        leg: answered,
                        answer: Some(answer),
                        ..
                    } if answered == leg => {
                        return Ok(CallPorts {
                            consumer: self.port_of(&answer)?,
                            agent: agent_port.ok_or_else(|| failed("no agent"))?,
                        });
                    }
                    Event::Failed { status, .. } => {
                        return Err(io::Error::other(format!("refused: {}", status.code())));
                    }
                    _ => {}
                }
            }
            self.turn().await?;
        }
    }

    /// Sends what waits, reads what comes.
    async fn turn(&mut self) -> io::Result<()> {
        while let Some(transmit) = self.stack.poll_transmit() {
            self.transport.send(&transmit);
        }
        let wake_at = self.stack.next_timeout();
        let wake_at = wake_at.unwrap_or_else(|| Instant::now() + PATIENCE);
        tokio::select! {
            ready = self.transport.readable() => ready?,
            () = tokio::time::sleep_until(wake_at.into()) => {}
        }
        let stack = &mut self.stack;
        while self
            .transport
            .receive(|flow, bytes| stack.handle_datagram(Instant::now(), flow, bytes))
            .is_some()
        {}
        self.stack.handle_timeout(Instant::now());
        Ok(())
    }

    fn port_of(&self, session: &Session) -> io::Result<u16> {
        let audio = RemoteAudio::read(session, self.server.ip()).map_err(io::Error::other)?;
        Ok(audio.rtp.port())
    }
}

fn description(rtp: SocketAddr) -> LocalAudio {
    LocalAudio {
        rtcp_mux: false,
        ..LocalAudio::new(rtp, u64::from(rtp.port()))
    }
}

fn failed(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}
