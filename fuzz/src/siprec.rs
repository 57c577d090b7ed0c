//! A recorder's side of a recording session: messages on a stream, answers with one part or several, re-INVITEs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use sip::message::Framing;
use sip::siprec::{LocalStreams, Mode, RecordingOutput, RecordingSession};
use sip::{
    Command, Event, Flow, Host, InterfaceId, LegId, NameAddr, Stack, StackConfig, Status,
    Transport, Uri,
};

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const RECORDER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));

/// A client that has invited a recorder and then wants a pause. Names come from a seed, so that committed answers belong to it.
struct Client {
    stack: Stack,
    session: RecordingSession,
    leg: Option<LegId>,
    now: Instant,
    is_pausing: bool,
}

/// Whatever the recorder says, nothing is sent once a pause is wanted.
pub fn run(data: &[u8]) {
    let mut client = Client::new();
    let mut framing = Framing::default();
    for piece in data.chunks(97) {
        framing.push(piece);
        loop {
            match framing.message() {
                Ok(Some(message)) => client.hear(message.as_bytes()),
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

impl Client {
    fn new() -> Self {
        let now = Instant::now();
        let address = SocketAddr::new(OURS, 5_060);
        let local = LocalStreams::new(1, [10_000, 10_002].map(|port| (OURS, port).into()));
        let mut client = Self {
            stack: Stack::new(StackConfig::new("n1", 1, [7; 32], address), now),
            session: RecordingSession::new(local, 2, Mode::Sending, Duration::ZERO),
            leg: None,
            now,
            is_pausing: false,
        };
        client.carry_out();
        client
    }

    fn hear(&mut self, message: &[u8]) {
        let flow = flow();
        self.stack.handle_datagram(self.now, flow, message);
        while let Some(event) = self.stack.poll_event() {
            self.told(event);
            self.carry_out();
        }
        while self.stack.poll_transmit().is_some() {}
        self.now += Duration::from_secs(3);
        self.stack.handle_timeout(self.now);
        self.session.handle_timeout(self.now);
        self.carry_out();
    }

    fn told(&mut self, event: Event) {
        match event {
            Event::Answered {
                answer: Some(answer),
                ..
            } => {
                self.session.handle_answered(self.now, &answer, RECORDER);
                self.carry_out();
                self.is_pausing = true;
                self.session.want(self.now, Mode::Paused);
            }
            Event::Failed { status, .. } => self.session.handle_failed(status),
            Event::Ended { .. } => self.session.handle_ended(),
            Event::Offered { offer, .. } => {
                self.session
                    .handle_offered(self.now, offer.as_ref(), RECORDER);
            }
            Event::OfferAnswered { answer, .. } => {
                self.session
                    .handle_offer_answered(self.now, &answer, RECORDER);
            }
            Event::OfferFailed { status, .. } => {
                self.session.handle_offer_failed(self.now, status);
            }
            _ => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.session.poll_output() {
            let metadata = "<recording/>".to_owned();
            let command = match (output, self.leg) {
                (RecordingOutput::Invite { offer, .. }, _) => {
                    let leg = self.stack.new_leg();
                    self.leg = Some(leg);
                    Command::InviteRecorder {
                        leg,
                        target: uri(RECORDER),
                        from: NameAddr::new(uri(OURS)),
                        flow: flow(),
                        offer,
                        metadata,
                        headers: Vec::new(),
                        credentials: None,
                    }
                }
                (RecordingOutput::Change { offer, .. }, Some(leg)) => Command::ChangeRecording {
                    leg,
                    offer,
                    metadata,
                },
                (RecordingOutput::Accept(answer), Some(leg)) => {
                    Command::AcceptOffer { leg, answer }
                }
                (RecordingOutput::Reject, Some(leg)) => Command::RejectOffer {
                    leg,
                    status: Status::NOT_ACCEPTABLE_HERE,
                },
                (RecordingOutput::HangUp, Some(leg)) => Command::Hangup { leg, reason: None },
                (RecordingOutput::Send(_), _) => {
                    assert!(!self.is_pausing, "sent in a pause");
                    continue;
                }
                _ => continue,
            };
            let _another_is_open = self.stack.command(self.now, command);
        }
    }
}

fn flow() -> Flow {
    Flow {
        remote: SocketAddr::new(RECORDER, 5_060),
        transport: Transport::Tcp,
        interface: InterfaceId::default(),
    }
}

fn uri(address: IpAddr) -> Uri {
    Uri::sip(Some("rec"), Host::Ip(address), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed answers are for this INVITE: whoever changes its names makes them anew.
    #[test]
    fn seeds_answer_the_invitation_that_is_sent() {
        let mut client = Client::new();
        let sent = client.stack.poll_transmit().unwrap();
        let sent = String::from_utf8(sent.wire.as_bytes().to_vec()).unwrap();
        let line = |name: &str| sent.lines().find(|line| line.starts_with(name)).unwrap();
        let seed = include_str!("../corpus/siprec/answered");
        for name in ["Via:", "From:", "Call-ID:", "CSeq:"] {
            assert!(seed.contains(line(name)), "{sent}");
        }
        let mut framing = Framing::default();
        framing.push(seed.as_bytes());
        while let Some(message) = framing.message().unwrap() {
            client.hear(message.as_bytes());
        }
        assert!(client.is_pausing);
    }
}
