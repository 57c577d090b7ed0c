//! The engine: datagrams, commands and time in; datagrams and events out.
//! Owns: every table of this crate, and the bounds of each.
//! Never: does IO, reads a clock, or writes a log.
//! Start reading at: `receive` for what comes in, `command` for what is asked.

mod admission;
mod challenge;
mod command;
mod config;
mod dtmf_info;
mod early;
mod event;
mod flow;
mod identity;
mod ids;
mod in_dialog;
mod leg;
mod lost;
pub(crate) mod outbox;
mod probe;
mod receive;
mod recording;
mod refer;
mod register_client;
mod register_server;
mod reinvite;
mod reliable;
mod replaces;
mod session_timer;
mod uac;
mod uas;
mod update;
mod write;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

pub use command::{Command, CommandError};
pub use config::{Credentials, Interface, Limits, Peer, PhoneAccount, StackConfig};
pub use event::{EndReason, Event, Incoming, LegId, Referral};
pub use flow::{Flow, InterfaceId, Transmit, Transport};
pub use outbox::StackCounters;

use admission::Admission;
use challenge::Provable;
use ids::Ids;
use leg::{Heard, Leg, State};
use outbox::{Due, Outbox};
use register_client::OwnRegistration;

use crate::digest::DigestServer;
use crate::message::{Replaces, Uri, Wire};
use crate::registrar::Registrar;
use crate::transaction::{ClientId, Clients, Owner, Servers};

/// Timers one call of [`Stack::handle_timeout`] sees to. More: [`Stack::next_timeout`] lies in the past and the caller comes again.
const TIMERS_PER_CALL_MAX: usize = 4_096;

/// A phone behind NAT hears from us at least this often (S35).
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// One node's SIP engine. Driven: after every `handle_*` and `command`, drain [`poll_transmit`](Self::poll_transmit) and
/// [`poll_event`](Self::poll_event).
pub struct Stack {
    config: StackConfig,
    ids: Ids,
    out: Outbox,
    clients: Clients,
    servers: Servers,
    legs: HashMap<LegId, Leg>,
    /// Legs by Call-ID and our tag.
    dialogs: HashMap<(String, String), LegId>,
    /// Incoming legs by Call-ID and the caller's tag: the same call that comes by two ways is refused the second time.
    callers: HashMap<(String, String), LegId>,
    /// Requests of ours inside dialogs that may be challenged, by their transactions.
    provable: HashMap<ClientId, Box<Provable>>,
    registrar: Registrar,
    digest: DigestServer,
    registrations: HashMap<u64, OwnRegistration>,
    last_registration: u64,
    peers: Vec<Peer>,
    peer_at: HashMap<IpAddr, usize>,
    admission: Admission,
    last_leg: u64,
    keep_alive: Wire,
}

impl Stack {
    /// A stack without peers and phones: it answers OPTIONS and refuses all calls.
    #[must_use]
    pub fn new(config: StackConfig, now: Instant) -> Self {
        let mut ids = Ids::new(&config.node, config.epoch, config.seed);
        let digest = DigestServer::new(&config.realm, config.digest, ids.key(), now);
        let admission = Admission::new(&config.limits, now);
        Self {
            config,
            ids,
            out: Outbox::default(),
            clients: Clients::default(),
            servers: Servers::default(),
            legs: HashMap::new(),
            dialogs: HashMap::new(),
            callers: HashMap::new(),
            provable: HashMap::new(),
            registrar: Registrar::default(),
            digest,
            registrations: HashMap::new(),
            last_registration: 0,
            peers: Vec::new(),
            peer_at: HashMap::new(),
            admission,
            last_leg: 0,
            keep_alive: Wire::new(b"\r\n\r\n".to_vec()),
        }
    }

    /// A name for a leg that [`Command::Invite`] is to open.
    pub fn new_leg(&mut self) -> LegId {
        self.last_leg += 1;
        LegId(self.last_leg)
    }

    /// Takes one datagram in. The caller wipes its buffer afterwards: the bytes may hold a keyed digit.
    pub fn handle_datagram(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        self.out.counters.datagrams += 1;
        if self.out.events.len() >= outbox::EVENTS_MAX {
            self.out.counters.shed += 1;
            return;
        }
        self.receive(now, flow, bytes);
    }

    /// Sees to everything that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        for _ in 0..TIMERS_PER_CALL_MAX {
            match self.out.timers.pop(now) {
                Some(due) => self.due(now, due),
                None => return,
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next to be called; `None` if nothing is pending.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.out.timers.next()
    }

    /// The next message to send, in order.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.transmits.pop_front()
    }

    /// The next event, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.next_event()
    }

    /// Where a registered phone is: its contact and its flow, which are `target` and `flow` of the [`Command::Invite`] that calls it.
    #[must_use]
    pub fn registration(&self, user: &str) -> Option<(Uri, Flow)> {
        self.registrar
            .binding(user)
            .map(|binding| (binding.contact.clone(), binding.flow))
    }

    /// The Call-ID of a leg, by which other equipment on its way knows the call; none: the leg is gone. That of a leg that came in is the far side's text.
    #[must_use]
    pub fn call_id(&self, leg: LegId) -> Option<&str> {
        self.legs.get(&leg).map(|leg| leg.dialog.call_id.as_str())
    }

    /// An answered leg as its far side knows it: what a call says that is to take our place in it.
    #[must_use]
    pub fn place_of(&self, leg: LegId) -> Option<Replaces> {
        let leg = self.legs.get(&leg)?;
        let State::Up(_) = leg.state else { return None };
        Some(Replaces {
            call_id: leg.dialog.call_id.clone(),
            to_tag: leg.dialog.remote.tag()?.to_owned(),
            from_tag: leg.dialog.local.tag()?.to_owned(),
            early_only: false,
        })
    }

    /// The flow to an address over a transport, by the first interface that speaks it to this family of addresses; none: there is none.
    #[must_use]
    pub fn flow_to(&self, remote: SocketAddr, transport: Transport) -> Option<Flow> {
        let interface = self.config.interface_for(remote.ip(), transport)?;
        Some(Flow {
            remote,
            transport,
            interface,
        })
    }

    /// The address that the far side of a flow reaches us by.
    #[must_use]
    pub fn advertised(&self, flow: Flow) -> SocketAddr {
        self.config.advertised(flow)
    }

    /// The far side of a leg of ours has answered its INVITE provisionally, be it by 100 alone.
    #[must_use]
    pub fn has_sign_of_life(&self, leg: LegId) -> bool {
        let state = self.legs.get(&leg).map(|leg| &leg.state);
        matches!(state, Some(State::Calling(calling)) if calling.heard == Heard::Provisional)
    }

    /// The far side's `Contact` of a leg; none: the leg is gone. The far side's text.
    #[must_use]
    pub fn far_contact(&self, leg: LegId) -> Option<&Uri> {
        self.legs.get(&leg).map(|leg| &leg.dialog.target)
    }

    /// A binding of ours is being taken away, and its registrar has not answered yet.
    #[must_use]
    pub fn is_unregistering(&self) -> bool {
        let mut all = self.registrations.values();
        all.any(OwnRegistration::is_ending)
    }

    /// Counts since the start, and how full the tables are.
    #[must_use]
    pub fn counters(&self) -> StackCounters {
        StackCounters {
            legs: self.legs.len(),
            client_transactions: self.clients.len(),
            server_transactions: self.servers.len(),
            registrations: self.registrar.len(),
            timers: self.out.timers.len(),
            ..self.out.counters
        }
    }

    fn due(&mut self, now: Instant, due: Due) {
        match due {
            Due::Client(id, timer) => {
                let owner = self.clients.timeout(&mut self.out, now, id, timer);
                if self.clients.target(id).is_none() {
                    self.provable.remove(&id);
                }
                match owner {
                    Some(Owner::Leg(leg)) => self.invite_timed_out(now, leg, id),
                    Some(Owner::Registration(number)) => self.registration_timed_out(now, number),
                    Some(Owner::Probe(number)) => self.probe_timed_out(number),
                    Some(Owner::Nobody) | None => {}
                }
            }
            Due::Server(id, timer) => self.servers.timeout(&mut self.out, now, id, timer),
            Due::Leg(leg, timer) => self.leg_due(now, leg, timer),
            Due::Binding(number) => self.binding_expired(number),
            Due::Registration(number) => self.send_registration(now, number, None),
            Due::KeepAlive => self.keep_phones_reachable(now),
        }
    }

    fn transactions_are_full(&self) -> bool {
        self.clients.len() + self.servers.len() >= self.config.limits.transactions_max
    }

    /// The peer that sends from this address.
    fn peer(&self, address: IpAddr) -> Option<&Peer> {
        self.peers.get(*self.peer_at.get(&address)?)
    }

    /// What we prove ourselves with at the far side of a flow.
    fn peer_credentials(&self, flow: Flow) -> Option<Credentials> {
        self.peer(flow.remote.ip())?.credentials.clone()
    }

    /// Whether two addresses are one far side: the same, or both of one peer.
    fn is_same_side(&self, one: IpAddr, other: IpAddr) -> bool {
        one == other
            || self
                .peer_at
                .get(&one)
                .is_some_and(|peer| self.peer_at.get(&other) == Some(peer))
    }

    fn set_peers(&mut self, peers: Vec<Peer>) {
        self.peer_at.clear();
        for (at, peer) in peers.iter().enumerate() {
            for address in &peer.addresses {
                self.peer_at.entry(address.to_canonical()).or_insert(at);
            }
        }
        self.peers = peers;
    }
}
