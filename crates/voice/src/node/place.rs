//! Where a call rings.
//! Owns: the place that a target stands for, and the beginning of its leg.
//! Never: chooses a target.

use std::net::SocketAddr;
use std::time::Instant;

use domain::boundary::RouteTarget;
use domain::id::{CallId, UserId};
use sip::sdp::{Codec, Session};
use sip::{Command, CommandError, Event, Flow, HeaderName, Host, LegId, Status, Transport, Uri};

use super::exchange::Exchange;
use super::side::{Side, Trust};
use crate::media_thread::MediaId;

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
}

impl Place {
    fn phone(target: Uri, flow: Flow, trust: Trust) -> Self {
        Self::Phone(Box::new(Phone {
            target,
            flow,
            trust,
        }))
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
        let (target, flow) = match place {
            Place::Phone(phone) => (phone.target, phone.flow),
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
        let call = self.call(key).ok_or(CommandError::BugUnknownLeg)?;
        let invite = Command::Invite {
            leg,
            target,
            to: None,
            from: call.shown_as.at(host, port),
            flow,
            offer: Some(offer),
            max_forwards: Some(call.max_forwards),
            headers: call_header(&call.id),
            credentials: None,
        };
        self.command(now, invite)
    }

    pub(super) fn locate(&self, target: &RouteTarget) -> Option<Place> {
        match target {
            RouteTarget::Registered { user } => {
                let (uri, flow) = self.stack.registration(user)?;
                let trust = self.trust_in_phones();
                Some(Place::phone(uri, flow, trust))
            }
            RouteTarget::Browser { user } => Some(Place::Browser(user.clone(), Codec::Pcmu)),
            RouteTarget::Uri { uri, address } => {
                let uri = Uri::parse(uri.as_bytes())?;
                let flow = self.stack.flow_to(*address, transport_of(&uri)?)?;
                Some(Place::phone(uri, flow, self.trust_in(*address)))
            }
        }
    }

    /// A side for what rings there; else the status to refuse with.
    pub(super) fn open_side_at(&mut self, leg: LegId, place: &Place) -> Result<Side, Status> {
        match place {
            Place::Phone(phone) => self.open_side(leg, phone.flow, phone.trust.clone()),
            Place::Browser(..) => Ok(self.open_browser_side(leg)),
        }
    }

    fn trust_in(&self, address: SocketAddr) -> Trust {
        let peer = self
            .peers
            .iter()
            .find(|peer| peer.addresses.contains(&address.ip()));
        peer.map_or_else(Trust::stranger, |peer| Trust {
            media_source: peer.media_source.clone(),
            info_digits: peer.info_digits,
            srtp: peer.srtp,
            codecs: peer.codecs.clone(),
        })
    }
}

/// What a URI asks for; none: a transport that is not spoken here.
fn transport_of(uri: &Uri) -> Option<Transport> {
    let uri = uri.as_sip();
    match uri.and_then(|uri| uri.params.value("transport")) {
        _ if uri.is_some_and(|uri| uri.secure) => Some(Transport::Tls),
        Some(word) => Transport::parse(word),
        None => Some(Transport::Udp),
    }
}

/// The header by which the next hop can name this call to us (S40).
fn call_header(id: &CallId) -> Vec<(HeaderName, String)> {
    let name = HeaderName::parse(b"X-Tonewall-Call");
    name.map(|name| (name, id.to_string()))
        .into_iter()
        .collect()
}
