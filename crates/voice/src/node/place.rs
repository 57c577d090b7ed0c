//! Where a call rings.
//! Owns: the place that a target stands for, and the beginning of its leg.
//! Never: chooses a target.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use domain::boundary::RouteTarget;
use domain::id::{CallId, UserId};
use sip::sdp::{Codec, Session};
use sip::{Command, CommandError, Event, Flow, HeaderName, Host, LegId, Status, Transport, Uri};

use super::config::Peer;
use super::exchange::Exchange;
use super::side::{Side, Trust};
use super::ways::Ways;
use crate::media_thread::MediaId;
use crate::trunk::rewritten;

/// A host that stands for any.
const UNNAMED: &str = "any.invalid";

/// Where something can ring.
pub(super) enum Place {
    /// A phone, or what stands for one: by SIP.
    Phone(Box<Phone>),
    /// An agent's browser, which is offered this codec alone: every browser speaks both.
    Browser(UserId, Codec),
}

/// What is called by SIP.
pub(super) struct Phone {
    target: Uri,
    flow: Flow,
    trust: Trust,
    /// Where it may be, too, if it is not there.
    others: VecDeque<(Uri, Flow)>,
}

impl Phone {
    /// What may be spoken with it.
    pub(super) fn codecs(&self) -> &[Codec] {
        &self.trust.codecs
    }
}

impl Place {
    fn phone(target: Uri, flow: Flow, trust: Trust) -> Self {
        Self::Phone(Box::new(Phone {
            target,
            flow,
            trust,
            others: VecDeque::new(),
        }))
    }

    /// The first of several; none: there is none.
    pub(super) fn first_of(mut places: VecDeque<(Uri, Flow)>, trust: Trust) -> Option<Self> {
        let (target, flow) = places.pop_front()?;
        Some(Self::Phone(Box::new(Phone {
            target,
            flow,
            trust,
            others: places,
        })))
    }

    /// What is left if it is not there.
    pub(super) fn take_ways(&mut self) -> Option<Ways> {
        let Self::Phone(phone) = self else {
            return None;
        };
        let others = std::mem::take(&mut phone.others);
        Self::first_of(others, phone.trust.clone()).map(Ways::new)
    }

    /// A browser is offered the first codec alone, so that it is known what it speaks before it has said anything.
    pub(super) fn narrow(&mut self, side: &mut Side) {
        if let Self::Browser(_, codec) = self {
            side.local.codecs.truncate(1);
            *codec = side.local.codecs.first().copied().unwrap_or(Codec::Pcmu);
        }
    }
}

impl Exchange {
    /// Calls a far side in the caller's name.
    pub(super) fn invite(
        &mut self,
        now: Instant,
        key: MediaId,
        (leg, place, offer): (LegId, Place, Session),
    ) -> Result<(), CommandError> {
        let (target, flow, trunk) = match place {
            Place::Phone(phone) => (phone.target, phone.flow, phone.trust.trunk),
            Place::Browser(agent, codec) => {
                if !self.offer_browser(now, key, leg, (agent, codec)) {
                    return Err(CommandError::Overloaded);
                }
                self.browser_events.push_back(Event::Progress {
                    leg,
                    status: Status::RINGING,
                    answer: None,
                });
                return Ok(());
            }
        };
        let ours = self.stack.advertised(flow);
        let (host, port) = (Host::Ip(ours.ip()), Some(ours.port()));
        let call = self.calls.get(&key).ok_or(CommandError::BugUnknownLeg)?;
        let peer = trunk.and_then(|trunk| self.peers.iter().find(|peer| peer.name == trunk));
        let target = match peer {
            Some(peer) => as_called(peer, target),
            None => target,
        };
        let mut headers = call_header(&call.id);
        let ours = (host.clone(), port);
        headers.extend(call.replaces_header());
        headers.extend(call.shown_as.told(peer, &target, ours));
        let invite = Command::Invite {
            leg,
            target,
            to: None,
            from: call.shown_as.at(host, port),
            flow,
            offer: Some(offer),
            max_forwards: Some(call.max_forwards),
            headers,
            credentials: None,
        };
        self.command(now, invite)
    }

    pub(super) fn locate(&self, now: Instant, target: &RouteTarget) -> Option<Place> {
        match target {
            RouteTarget::Registered { user } => {
                let (uri, flow) = self.stack.registration(user)?;
                let trust = self.trust_in_phones();
                Some(Place::phone(uri, flow, trust))
            }
            RouteTarget::Browser { user } => Some(Place::Browser(user.clone(), Codec::Pcmu)),
            RouteTarget::Trunk { trunk, number } => self.at_trunk(now, trunk, number),
            RouteTarget::Uri { uri, address } => {
                let uri = Uri::parse(uri.as_bytes())?;
                let peer = self.peer_at(*address);
                if let Some(places) = peer.and_then(|peer| self.places_at(now, peer, uri.user())) {
                    return Place::first_of(places, self.trust_in(*address));
                }
                let Some(flow) = self.flow_of(&uri, address.ip(), Some(address.port())) else {
                    tracing::warn!(%address, "no interface of ours speaks what a route's URI asks for to this address");
                    return None;
                };
                Some(Place::phone(uri, flow, self.trust_in(*address)))
            }
        }
    }

    /// A number at the places of a trunk.
    fn at_trunk(&self, now: Instant, trunk: &str, number: &str) -> Option<Place> {
        let Some(peer) = self.peers.iter().find(|peer| peer.name == trunk) else {
            tracing::warn!(
                trunk,
                "a route leads to a trunk that the file does not have"
            );
            return None;
        };
        // It may be what a caller dialled, cut to a length.
        let uri = Uri::parse(format!("sip:{number}@{UNNAMED}").as_bytes());
        if uri.as_ref().and_then(Uri::user) != Some(number) {
            tracing::warn!(
                trunk,
                "what was called is no user of a URI: it cannot be called at a trunk"
            );
            return None;
        }
        let places = self.places_at(now, peer, Some(number));
        if places.is_none() {
            tracing::warn!(trunk, "a route leads to a trunk that has no places");
        }
        Place::first_of(places?, trust_in(peer))
    }

    /// The way to an address: as its URI asks, else by the first transport that we speak to it. Without a port, by the transport's.
    pub(super) fn flow_of(&self, uri: &Uri, ip: IpAddr, port: Option<u16>) -> Option<Flow> {
        let flow = |transport: Transport| {
            let address = SocketAddr::new(ip, port.unwrap_or(transport.default_port()));
            self.stack.flow_to(address, transport)
        };
        transports_of(uri).into_iter().find_map(flow)
    }

    /// A side for what rings there; else the status to refuse with.
    pub(super) fn open_side_at(&mut self, leg: LegId, place: &Place) -> Result<Side, Status> {
        match place {
            Place::Phone(phone) => self.open_side(leg, phone.flow, phone.trust.clone()),
            Place::Browser(..) => Ok(self.open_browser_side(leg)),
        }
    }

    fn trust_in(&self, address: SocketAddr) -> Trust {
        let peer = self.peer_at(address);
        peer.map_or_else(Trust::stranger, trust_in)
    }
}

/// How a far side of the configuration is treated.
pub(super) fn trust_in(peer: &Peer) -> Trust {
    Trust {
        trunk: Some(peer.name.clone()),
        media_source: peer.media_source.clone(),
        info_digits: peer.info_digits,
        srtp: peer.srtp,
        codecs: peer.codecs.clone(),
        opus: None,
    }
}

/// A target as this far side writes numbers.
fn as_called(peer: &Peer, target: Uri) -> Uri {
    match (
        rewritten(&peer.numbers.called, target.user().unwrap_or_default()),
        target,
    ) {
        (Some(number), Uri::Sip(mut uri)) => {
            uri.user = Some(number.into());
            Uri::Sip(uri)
        }
        (_, target) => target,
    }
}

/// What a URI asks for, the most wanted first; empty: a transport that is not spoken here.
fn transports_of(uri: &Uri) -> Vec<Transport> {
    let uri = uri.as_sip();
    match uri.and_then(|uri| uri.params.value("transport")) {
        _ if uri.is_some_and(|uri| uri.secure) => vec![Transport::Tls],
        Some(word) => Transport::parse(word).into_iter().collect(),
        None => vec![Transport::Udp, Transport::Tcp, Transport::Tls],
    }
}

/// The header by which the next hop can name this call to us (S40).
fn call_header(id: &CallId) -> Vec<(HeaderName, String)> {
    let name = HeaderName::parse(b"X-Tonewall-Call");
    name.map(|name| (name, id.to_string()))
        .into_iter()
        .collect()
}
