//! Whether the places of trunks are there.
//! Owns: when each is probed (OPTIONS), and what its answers and calls say of it.
//! Never: keeps a call from a place that is down: where no other is left, it is called.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use sip::{Command, Flow, Host, SipUri, Status, Uri};
use tokio::runtime::Handle;

use super::exchange::Exchange;
use super::names::Names;
use super::{NodeError, lock};
use crate::trunk::{Health, drawn};

/// Places that one call tries, from all names of its trunk. A call would not live to see the end of a longer list.
const TRIED_MAX: usize = 8;

/// A place as everybody else sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceStanding {
    /// Name of its far side.
    pub trunk: String,
    /// The place, as it is configured; of a name the address that it leads to.
    pub place: String,
    /// Calls go to it before those that are not.
    pub is_up: bool,
}

/// Where in the configuration a place stands: the far side, and its place in that one's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) peer: usize,
    pub(super) place: usize,
}

/// A place, and what is known of it.
pub(super) struct KnownPlace {
    pub(super) trunk: Arc<str>,
    pub(super) origin: Origin,
    /// Its own among all there ever were, which its probes bear.
    pub(super) number: u64,
    /// As it is configured.
    pub(super) uri: Uri,
    pub(super) flow: Flow,
    /// Rank and weight among those of its name.
    pub(super) order: (u32, u16),
    pub(super) health: Health,
}

impl KnownPlace {
    pub(super) fn is_usable(&self, now: Instant) -> bool {
        self.health.is_usable(now)
    }

    /// Somebody there.
    fn with_user(&self, user: Option<&str>) -> Option<(Uri, Flow)> {
        let mut target = self.uri.as_sip()?.clone();
        target.user = user.map(Into::into);
        Some((Uri::Sip(target), self.flow))
    }

    /// One name has several.
    fn shown(&self) -> String {
        match self.uri.host() {
            Some(Host::Name(_)) => {
                let remote = self.flow.remote;
                let mut shown = SipUri::new(None, Host::Ip(remote.ip()), Some(remote.port()));
                if let Some(word) = self.flow.transport.parameter() {
                    shown.params.set("transport", Some(word));
                }
                Uri::Sip(shown).to_string()
            }
            Some(Host::Ip(_)) | None => self.uri.to_string(),
        }
    }

    /// What an operator wants to know of a change.
    fn say(&self, now: Instant) {
        let (trunk, place) = (&*self.trunk, self.shown());
        if self.is_usable(now) {
            tracing::info!(trunk, %place, "a place of a trunk answers");
        } else {
            tracing::warn!(trunk, %place, "a place of a trunk does not answer; calls go to others first");
        }
    }
}

/// All places.
#[derive(Default)]
pub(super) struct Places {
    known: Vec<KnownPlace>,
    last: u64,
    pub(super) names: Names,
    /// Names whose last news were bad.
    silent: HashSet<Origin>,
    /// Names that have had any.
    heard: HashSet<Origin>,
}

impl Places {
    /// Every place that is configured; each has to be reached by an interface of ours. Names begin to be asked for.
    pub(super) fn begin(
        exchange: &Exchange,
        servers: &[SocketAddr],
        runtime: &Handle,
    ) -> Result<Self, NodeError> {
        let now = Instant::now();
        let (first, further) = exchange.transport.interfaces();
        let mut spoken = vec![first.transport];
        for interface in further {
            if !spoken.contains(&interface.transport) {
                spoken.push(interface.transport);
            }
        }
        let mut places = Self {
            names: Names::begin(&exchange.peers, servers, spoken, runtime)?,
            ..Self::default()
        };
        for (peer, one) in exchange.peers.iter().enumerate() {
            for (place, uri) in one.places.iter().enumerate() {
                if let Some(Host::Name(_)) = uri.host() {
                    continue;
                }
                let flow = exchange.way_to(uri).ok_or_else(|| NodeError::ConfigTrunk {
                    trunk: one.name.clone(),
                    uri: uri.to_string(),
                })?;
                places.add(KnownPlace {
                    trunk: Arc::from(one.name.as_str()),
                    origin: Origin { peer, place },
                    number: 0,
                    uri: uri.clone(),
                    flow,
                    order: (0, 0),
                    health: Health::new(one.probe, now),
                });
            }
        }
        Ok(places)
    }

    fn add(&mut self, place: KnownPlace) {
        self.last += 1;
        self.known.push(KnownPlace {
            number: self.last,
            ..place
        });
    }

    /// What a name leads to now. Those that it led to before keep what is known of them, and their number.
    pub(super) fn replace(&mut self, origin: Origin, places: Vec<KnownPlace>) {
        let is_its = |place: &mut KnownPlace| place.origin == origin;
        let mut before: Vec<KnownPlace> = self.known.extract_if(.., is_its).collect();
        for place in places {
            let same = before.iter().position(|old| old.flow == place.flow);
            match same.map(|at| before.swap_remove(at)) {
                Some(old) => self.known.push(KnownPlace {
                    order: place.order,
                    ..old
                }),
                None => self.add(place),
            }
        }
    }

    /// Whether it is news that a name has no usable answer, or one.
    pub(super) fn is_news(&mut self, origin: Origin, is_bad: bool) -> bool {
        let is_first = self.heard.insert(origin);
        let was_bad = match is_bad {
            true => !self.silent.insert(origin),
            false => self.silent.remove(&origin),
        };
        is_first || was_bad != is_bad
    }

    /// Those of a far side in the order for one call: those that answer first, then as they are configured, then by the rank and, by chance, the weight
    /// that their names give them.
    pub(super) fn for_call(
        &self,
        now: Instant,
        trunk: &str,
        user: Option<&str>,
    ) -> VecDeque<(Uri, Flow)> {
        let its = self.known.iter().filter(|place| *place.trunk == *trunk);
        let mut places: Vec<&KnownPlace> = its.collect();
        let key = |place: &&KnownPlace| {
            let is_down = !place.is_usable(now);
            (is_down, place.origin, place.order.0)
        };
        places.sort_by_key(key);
        let mut order = Vec::with_capacity(places.len());
        for alike in places.chunk_by(|one, other| key(one) == key(other)) {
            let weighed = alike.iter().map(|place| (*place, place.order.1)).collect();
            order.extend(drawn(weighed, |most| rand::rng().random_range(0..=most)));
        }
        // Two names may lead to one address.
        let mut flows = HashSet::new();
        let ways = order.into_iter().filter(|place| flows.insert(place.flow));
        let ways = ways.take(TRIED_MAX);
        ways.filter_map(|place| place.with_user(user)).collect()
    }
}

impl Exchange {
    pub(super) fn next_probe(&self) -> Option<Instant> {
        let places = self.places.known.iter();
        places.filter_map(|place| place.health.next_probe()).min()
    }

    /// Sends the probes that are due.
    pub(super) fn probe_places(&mut self, now: Instant) {
        if self.is_closing {
            return;
        }
        let due = |place: &mut KnownPlace| {
            place.health.probe_if_due(now).then(|| Command::Probe {
                number: place.number,
                target: place.uri.clone(),
                flow: place.flow,
            })
        };
        let probes: Vec<Command> = self.places.known.iter_mut().filter_map(due).collect();
        for probe in probes {
            self.tell(now, probe);
        }
    }

    pub(super) fn probed(&mut self, now: Instant, number: u64, status: Status) {
        let mut known = self.places.known.iter_mut();
        if let Some(place) = known.find(|place| place.number == number)
            && place.health.probe_answered(now, status.code())
        {
            place.say(now);
        }
    }

    /// A call has found nobody there, or a 503, which may ask for some peace.
    pub(super) fn place_failed(&mut self, now: Instant, flow: Flow, asked: Option<Duration>) {
        let known = self.places.known.iter_mut();
        for place in known.filter(|place| place.flow == flow) {
            if place.health.call_failed(now, asked) {
                place.say(now);
            }
        }
    }

    pub(super) fn publish_places(&self, now: Instant) {
        let standing = |place: &KnownPlace| PlaceStanding {
            trunk: place.trunk.to_string(),
            place: place.shown(),
            is_up: place.is_usable(now),
        };
        let mut standings: Vec<PlaceStanding> = Vec::new();
        for new in self.places.known.iter().map(standing) {
            let is_it = |old: &PlaceStanding| (&old.trunk, &old.place) == (&new.trunk, &new.place);
            if !standings.iter().any(is_it) {
                standings.push(new);
            }
        }
        *lock(&self.shared.places) = standings;
    }
}
