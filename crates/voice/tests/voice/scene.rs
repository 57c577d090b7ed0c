//! A node between a trunk and a PBX, all on loopback.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::boundary::{
    CallEvents, EgressTally, EndCause, IncomingCall, LegCallIds, LineEvent, Referral, RouteTarget,
    Telephony,
};
use domain::id::CallId;
use domain::outbound::DialStep;
use domain::service::ProtectionScope;
use domain::view::TransferFailure;
use rand::Rng;
use secret::{Arena, Key, KeyReceiver};
use sip::sdp::{Direction, Session};
use sip::{Command, Event, LegId};
use tokio::sync::mpsc;
use voice::packet_io::Backend;
use voice::{Codec, MediaSource, Node, NodeConfig, Peer, SrtpRule};

use crate::phone::{PATIENCE, Phone, description, media_of};
use crate::talker::Talker;

pub(crate) const TRUNK: &str = "127.0.0.1";
pub(crate) const PBX: &str = "127.0.0.2";
pub(crate) const STRANGER: &str = "127.0.0.3";
pub(crate) const CONSUMER_HUM: f32 = 400.0;
pub(crate) const AGENT_HUM: f32 = 250.0;

pub(crate) enum Said {
    Incoming(Box<IncomingCall>),
    Ringing,
    Answered(LegCallIds),
    Dialled(DialStep),
    Unreached(u16),
    Held(bool),
    Ended(EndCause),
    KeyPressed,
    Line(LineEvent),
    Registration(String, bool),
    Transferred(Result<LegCallIds, TransferFailure>),
    Referred(Referral),
}

pub(crate) struct Log(pub(crate) mpsc::Sender<Said>);

impl Log {
    fn say(&self, said: Said) {
        self.0.try_send(said).expect("tests read their reports");
    }
}

impl CallEvents for Log {
    fn incoming(&self, call: IncomingCall) {
        self.say(Said::Incoming(Box::new(call)));
    }
    fn ringing(&self, _: &CallId) {
        self.say(Said::Ringing);
    }
    fn answered(&self, _: &CallId, legs: LegCallIds) {
        self.say(Said::Answered(legs));
    }
    fn dialled(&self, _: &CallId, step: DialStep) {
        self.say(Said::Dialled(step));
    }
    fn unreached(&self, _: &CallId, status: u16) {
        self.say(Said::Unreached(status));
    }
    fn held(&self, _: &CallId, held: bool) {
        self.say(Said::Held(held));
    }
    fn ended(&self, _: &CallId, cause: EndCause) {
        self.say(Said::Ended(cause));
    }
    fn key_pressed(&self, _: &CallId) {
        self.say(Said::KeyPressed);
    }
    fn line(&self, _: &CallId, event: LineEvent) {
        self.say(Said::Line(event));
    }
    fn transferred(&self, _: &CallId, outcome: Result<LegCallIds, TransferFailure>) {
        self.say(Said::Transferred(outcome));
    }
    fn referred(&self, _: &CallId, referral: Referral) {
        self.say(Said::Referred(referral));
    }
    fn registration(&self, user: &str, registered: bool) {
        self.say(Said::Registration(user.to_owned(), registered));
    }
}

pub(crate) struct Scene {
    pub(crate) node: Node,
    /// How calls are routed.
    pub(crate) protection: ProtectionScope,
    /// Whether the mask listens to calls from their beginning.
    pub(crate) watches: bool,
    /// What the phones say that they speak.
    pub(crate) consumer_codecs: Vec<Codec>,
    pub(crate) agent_codecs: Vec<Codec>,
    pub(crate) server: SocketAddr,
    /// Where calls are routed; none: to the agent's phone by UDP.
    pub(crate) target: Option<RouteTarget>,
    pub(crate) consumer: Phone,
    pub(crate) agent: Phone,
    pub(crate) consumer_talk: Talker,
    pub(crate) agent_talk: Talker,
    pub(crate) reports: mpsc::Receiver<Said>,
}

/// A running call.
pub(crate) struct Running {
    pub(crate) id: CallId,
    pub(crate) keys: KeyReceiver,
    pub(crate) egress: Arc<EgressTally>,
    pub(crate) consumer_leg: LegId,
    pub(crate) agent_leg: LegId,
    pub(crate) at_consumer: SocketAddr,
    pub(crate) at_agent: SocketAddr,
    /// What the agent's phone was offered, and the consumer's answered, in the order of preference.
    pub(crate) offered: Vec<Codec>,
    pub(crate) answered: Vec<Codec>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut NodeConfig)) -> Self {
        Self::at(TRUNK, PBX, change)
    }

    /// With the node on the trunk's address.
    pub(crate) fn at(trunk: &str, pbx: &str, change: impl FnOnce(&mut NodeConfig)) -> Self {
        let first = rand::rng().random_range(10_000..14_000) * 2;
        let arena = Arena::new(16).unwrap();
        let mut config = NodeConfig::new(
            SocketAddr::new(trunk.parse().unwrap(), 0),
            first..=first + 79,
            arena,
        );
        config.peers = vec![
            peer("trunk", trunk, MediaSource::Signalled),
            peer("pbx", pbx, MediaSource::Latch),
        ];
        config.packet_io = wanted_packet_io();
        change(&mut config);
        let (to, reports) = mpsc::channel(256);
        let node = Node::start(config, Arc::new(Log(to))).unwrap();
        let server = node.sip_address();
        Self {
            protection: ProtectionScope::Capture,
            watches: true,
            consumer_codecs: Codec::USUAL.to_vec(),
            agent_codecs: Codec::USUAL.to_vec(),
            consumer: Phone::new("consumer", trunk, server),
            agent: Phone::new("agent", pbx, server),
            consumer_talk: Talker::new(trunk, CONSUMER_HUM),
            agent_talk: Talker::new(pbx, AGENT_HUM),
            node,
            server,
            target: None,
            reports,
        }
    }

    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(Said) -> Option<T>,
    ) -> T {
        let wait = async {
            loop {
                if let Some(found) = wanted(self.reports.recv().await.expect("the node runs")) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("no report of {what}"))
    }

    pub(crate) async fn incoming(&mut self) -> IncomingCall {
        self.until("a call", |said| {
            if let Said::Incoming(call) = said {
                Some(*call)
            } else {
                None
            }
        })
        .await
    }

    pub(crate) async fn ended(&mut self) -> EndCause {
        self.until("an end", |said| {
            if let Said::Ended(cause) = said {
                Some(cause)
            } else {
                None
            }
        })
        .await
    }

    pub(crate) fn agent_target(&self) -> RouteTarget {
        let address = self.agent.address;
        let uri = format!("sip:200@{address}");
        let by_default = RouteTarget::Uri { uri, address };
        self.target.clone().unwrap_or(by_default)
    }

    /// The consumer calls, the call is routed to the agent's phone and waits there.
    pub(crate) async fn ring(&mut self) -> (IncomingCall, LegId, sip::Incoming) {
        let mut ours = description(self.consumer_talk.local);
        ours.codecs.clone_from(&self.consumer_codecs);
        let offer = ours.offer();
        let leg = self.consumer.call("100", self.server, Some(offer));
        let call = self.incoming().await;
        self.node.watch(&call.id, self.watches).unwrap();
        self.node
            .route(&call.id, self.agent_target(), self.protection)
            .unwrap();
        let at_agent = self.agent.incoming().await;
        (call, leg, at_agent)
    }

    /// A call with both sides talking.
    pub(crate) async fn connect(&mut self) -> Running {
        let (call, consumer_leg, at_agent) = self.ring().await;
        self.connect_rung(call, consumer_leg, at_agent).await
    }

    pub(crate) async fn connect_rung(
        &mut self,
        call: IncomingCall,
        consumer_leg: LegId,
        at_agent: sip::Incoming,
    ) -> Running {
        let offer = at_agent.offer.unwrap();
        let mut ours = description(self.agent_talk.local);
        ours.codecs.clone_from(&self.agent_codecs);
        let answer = ours.answer(&offer).unwrap();
        self.agent.command(Command::Answer {
            leg: at_agent.leg,
            answer,
        });
        let answer = self.consumer.answered().await.unwrap();
        let legs = self.until("an answer", |said| match said {
            Said::Answered(legs) => Some(legs),
            _ => None,
        });
        let told = legs.await;
        // By which recorders beside the server know the call.
        let known = LegCallIds {
            consumer: self.consumer.call_id(consumer_leg),
            agent: self.agent.call_id(at_agent.leg),
            agent_contact: told.agent_contact.clone(),
        };
        assert_eq!(told, known);
        assert!(!told.agent_contact.is_empty(), "our phones name themselves");
        let at_consumer = media_of(&answer, self.server.ip());
        let at_agent_media = media_of(&offer, self.server.ip());
        self.consumer_talk.talk_to(at_consumer);
        self.agent_talk.talk_to(at_agent_media);
        Running {
            id: call.id,
            keys: call.keys,
            egress: call.egress,
            consumer_leg,
            agent_leg: at_agent.leg,
            at_consumer,
            at_agent: at_agent_media,
            offered: codecs_of(&offer, self.server.ip()),
            answered: codecs_of(&answer, self.server.ip()),
        }
    }

    /// The agent's phone holds the call by itself, or resumes it: what the consumer's phone was offered, and what the agent's was answered.
    pub(crate) async fn agents_phone_holds(
        &mut self,
        running: &Running,
        held: bool,
    ) -> (Session, Session) {
        let mut ours = description(self.agent_talk.local);
        (ours.direction, ours.version) = if held {
            (Direction::SendOnly, 2)
        } else {
            (Direction::SendRecv, 3)
        };
        self.agent.command(Command::Reinvite {
            leg: running.agent_leg,
            offer: ours.offer(),
        });
        let offered = |event| match event {
            Event::Offered { offer, .. } => offer,
            _ => None,
        };
        let offer = self.consumer.until("an offer", offered).await;
        let ours = description(self.consumer_talk.local);
        let answer = ours.answer(&offer).unwrap();
        self.consumer.command(Command::AcceptOffer {
            leg: running.consumer_leg,
            answer,
        });
        let answered = |event| match event {
            Event::OfferAnswered { answer, .. } => Some(answer),
            _ => None,
        };
        let answer = self.agent.until("its answer", answered).await;
        let told = |said| match said {
            Said::Held(held) => Some(held),
            _ => None,
        };
        assert_eq!(self.until("hold", told).await, held);
        (offer, answer)
    }

    /// Arms the mask. A media thread that the machine has kept from running refuses, and is asked again.
    pub(crate) async fn protect(&self, running: &Running) {
        let wait = async {
            while let Err(refused) = self.node.protect(&running.id).await {
                assert!(["busy", "heartbeat"].contains(&refused.code));
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    /// Waits until both sides hear each other.
    pub(crate) async fn both_heard(&self) {
        eventually("two-way audio", || {
            self.agent_talk.share_of(CONSUMER_HUM) > 0.9
                && self.consumer_talk.share_of(AGENT_HUM) > 0.9
        })
        .await;
    }

    /// Keys as they come out of the ring, each after its report.
    pub(crate) async fn keys(&mut self, running: &mut Running, count: usize) -> Vec<Key> {
        let mut keys = Vec::new();
        while keys.len() < count {
            self.until("a key", |said| {
                matches!(said, Said::KeyPressed).then_some(())
            })
            .await;
            keys.extend(running.keys.pop());
        }
        keys
    }

    /// Nothing of any call is left on the node.
    pub(crate) async fn is_empty(&self) {
        eventually("an empty node", || {
            let counters = self.node.counters();
            counters.calls == 0
                && counters.sip.legs == 0
                && counters.ports.taken == 0
                && counters.media.calls == 0
        })
        .await;
    }
}

/// `TONEWALL_TEST_PACKET_IO` names the way to the packets that all these tests are to use; without it, the fastest.
fn wanted_packet_io() -> Option<Backend> {
    let name = std::env::var("TONEWALL_TEST_PACKET_IO").ok()?;
    let known = Backend::ALL.into_iter().find(|one| one.name() == name);
    Some(known.expect("io_uring or epoll"))
}

fn codecs_of(session: &Session, from: IpAddr) -> Vec<Codec> {
    let audio = sip::sdp::RemoteAudio::read(session, from).unwrap();
    audio.codecs.iter().map(|(codec, _)| *codec).collect()
}

pub(crate) fn peer(name: &str, ip: &str, media_source: MediaSource) -> Peer {
    Peer {
        name: name.to_owned(),
        addresses: vec![ip.parse().unwrap()],
        is_trusted: true,
        account: None,
        places: Vec::new(),
        probe: None,
        media_source,
        headers: Default::default(),
        numbers: Default::default(),
        info_digits: true,
        srtp: SrtpRule::default(),
        codecs: Codec::USUAL.to_vec(),
    }
}

/// Keys of these event codes.
pub(crate) fn keys_of(codes: &[u8]) -> Vec<Key> {
    codes
        .iter()
        .map(|code| Key::from_event(*code).unwrap())
        .collect()
}

pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("no {what}"));
}

/// Masked audio as the recorder gets it.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) consumer: Vec<i16>,
    pub(crate) agent: Vec<i16>,
    pub(crate) ended: bool,
}

pub(crate) struct Recorder(pub(crate) Arc<Mutex<Recorded>>);

impl voice::AudioSink for Recorder {
    fn frames(&mut self, _: &CallId, from: voice::Speaker, position: u64, samples: &[i16]) {
        let mut recorded = self.0.lock().unwrap();
        let track = if from.is_consumer {
            &mut recorded.consumer
        } else {
            &mut recorded.agent
        };
        let from = usize::try_from(position).unwrap();
        track.resize(track.len().max(from + samples.len()), 0);
        track[from..from + samples.len()].copy_from_slice(samples);
    }

    fn ended(&mut self, _: &CallId) {
        self.0.lock().unwrap().ended = true;
    }
}
