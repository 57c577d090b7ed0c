//! What becomes of a datagram.

use std::time::Instant;

use super::Stack;
use super::flow::Flow;
use super::refer::{NO_REFER_SUB, REPLACES};
use super::reliable::REL100;
use super::session_timer::TIMER;
use crate::message::{
    Essentials, HeaderName, Method, Parsed, Refusal, Request, Response, Status, Uri, parse,
};
use crate::transaction::{Owner, ServerId, ServerKey};

impl Stack {
    pub(super) fn receive(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        match parse(bytes) {
            Parsed::Request(request) => self.receive_request(now, flow, &request),
            Parsed::Response(response) => self.receive_response(now, flow, &response),
            Parsed::Refused(refusal) => self.refuse(now, flow, refusal),
            Parsed::Garbage => self.out.counters.garbage += 1,
            Parsed::KeepAlive => {}
        }
    }

    /// A request that cannot be understood is answered if its fields allow it, and forgotten.
    fn refuse(&mut self, now: Instant, flow: Flow, refusal: Refusal) {
        self.out.counters.malformed += 1;
        let is_answerable =
            refusal.headers.contains(&HeaderName::VIA) && refusal.method != Some(Method::Ack);
        if !is_answerable || !self.is_heard(now, flow) {
            return;
        }
        let mut via = refusal.headers.via().ok();
        if let Some(via) = &mut via {
            via.stamp(flow.remote);
        }
        let fields = crate::message::reply_fields(&refusal.headers, via.as_ref());
        let mut response = self.response(refusal.status, fields);
        refusal.reason.clone_into(&mut response.reason);
        self.out.send(flow, response.to_wire());
    }

    /// Peers and registered phones are always heard, strangers so many times a second.
    pub(super) fn is_heard(&mut self, now: Instant, flow: Flow) -> bool {
        let address = flow.remote.ip();
        if self.peer(address).is_some() || self.registrar.user_at(flow).is_some() {
            return true;
        }
        let heard = self.admission.stranger(now, address);
        if !heard {
            self.out.counters.shed += 1;
        }
        heard
    }

    fn receive_request(&mut self, now: Instant, flow: Flow, request: &Request) {
        let mut essentials = match Essentials::of_request(request) {
            Ok(essentials) => essentials,
            Err(error) => {
                let refusal = Refusal {
                    status: Status::BAD_REQUEST,
                    reason: bad_field(&error),
                    method: Some(request.method.clone()),
                    headers: request.headers.clone(),
                };
                return self.refuse(now, flow, refusal);
            }
        };
        let key = ServerKey::of(request, &essentials, flow.remote.ip());
        essentials.via.stamp(flow.remote);
        if let Some(id) = self.servers.find(&key) {
            if request.method != Method::Ack {
                return self.receive_again(flow, request, &essentials, id);
            }
            if self.servers.acknowledged(&mut self.out, now, id) {
                return;
            }
        }
        let arrival = Arrival {
            flow,
            request,
            essentials: &essentials,
            key: &key,
        };
        match request.method {
            Method::Ack => self.receive_ack(now, &arrival),
            Method::Cancel => self.receive_cancel(now, &arrival),
            _ if essentials.to.tag().is_some() && request.method != Method::Register => {
                self.receive_in_dialog(now, &arrival)
            }
            _ => self.receive_outside(now, &arrival),
        }
    }

    fn receive_again(
        &mut self,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
        id: ServerId,
    ) {
        if let Some(status) = self.servers.repeated(&mut self.out, id) {
            let answer = self.response(status, self.reply_fields(flow, request, essentials, None));
            self.out.repeat(flow, answer.to_wire());
        }
    }

    /// Requests outside of dialogs, in the order of [RFC 3261 §8.2](https://www.rfc-editor.org/rfc/rfc3261#section-8.2).
    fn receive_outside(&mut self, now: Instant, arrival: &Arrival<'_>) {
        if !self.is_heard(now, arrival.flow) {
            return;
        }
        if let Err((status, extra)) = self.inspect(arrival.request, arrival.essentials) {
            return self.answer(arrival, status, &extra);
        }
        match arrival.request.method {
            Method::Invite => self.receive_invite(now, arrival),
            Method::Register => self.receive_register(now, arrival),
            Method::Options => self.answer(arrival, Status::OK, &self.abilities()),
            Method::Refer => self.answer(arrival, Status::DECLINE, &[]),
            Method::Bye | Method::Info | Method::Update | Method::Prack => {
                self.answer(arrival, Status::NO_DIALOG_OR_TRANSACTION, &[])
            }
            _ => self.answer(arrival, Status::METHOD_NOT_ALLOWED, &[self.allow()]),
        }
    }

    /// What can be judged by the message alone.
    fn inspect(&self, request: &Request, essentials: &Essentials) -> Result<(), Refused> {
        let is_referral = request.method == Method::Refer && self.config.takes_transfers;
        if !is_method_known(&request.method) && !is_referral {
            return Err((Status::METHOD_NOT_ALLOWED, vec![self.allow()]));
        }
        match &request.uri {
            Uri::Other(_) => return Err((Status::UNSUPPORTED_URI_SCHEME, Vec::new())),
            Uri::Sip(uri) if uri.headers.is_some() => {
                return Err((Status::BAD_REQUEST, Vec::new()));
            }
            Uri::Sip(_) | Uri::Tel(_) => {}
        }
        if essentials.max_forwards == 0 && request.method == Method::Invite {
            return Err((Status::TOO_MANY_HOPS, Vec::new()));
        }
        require_only(request, self.extensions())
    }

    /// Extensions that may be required of us.
    pub(super) fn extensions(&self) -> &'static [&'static str] {
        match self.config.takes_transfers {
            true => &[TIMER, REL100, REPLACES, NO_REFER_SUB],
            false => &[TIMER, REL100],
        }
    }

    /// Answers without remembering.
    pub(super) fn answer(
        &mut self,
        arrival: &Arrival<'_>,
        status: Status,
        extra: &[(HeaderName, String)],
    ) {
        self.answer_stateless(
            arrival.flow,
            arrival.request,
            arrival.essentials,
            status,
            extra,
        );
    }

    fn receive_response(&mut self, now: Instant, flow: Flow, response: &Response) {
        let Ok(essentials) = Essentials::of_response(response) else {
            self.out.counters.garbage += 1;
            return;
        };
        let expected = self.clients.find(&essentials).filter(|id| {
            self.clients.target(*id).is_some_and(|(_, sent_to)| {
                let advertised = self.config.advertised(sent_to);
                essentials.via.host.ip() == Some(advertised.ip())
                    && essentials.via.sent_by().1 == advertised.port()
                    && self.is_same_side(sent_to.remote.ip(), flow.remote.ip())
            })
        });
        let Some(id) = expected else {
            self.out.counters.strays += 1;
            return;
        };
        let owner = self
            .clients
            .response(&mut self.out, now, id, &essentials, response);
        if owner.is_some() && self.is_proven(now, id, response) {
            return;
        }
        match owner {
            Some(Owner::Leg(leg)) if essentials.cseq.method == Method::Update => {
                self.update_answered(now, leg, id, &essentials, response);
            }
            Some(Owner::Leg(leg)) if essentials.cseq.method == Method::Refer => {
                self.refer_answered(leg, response);
            }
            Some(Owner::Leg(leg)) => self.invite_answered(now, leg, id, &essentials, response),
            Some(Owner::Registration(number)) => self.registration_answered(now, number, response),
            Some(Owner::Probe(number)) => self.probe_answered(number, response),
            Some(Owner::Nobody) | None => {}
        }
    }
}

/// A whole request with what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) flow: Flow,
    pub(super) request: &'a Request,
    pub(super) essentials: &'a Essentials,
    pub(super) key: &'a ServerKey,
}

/// A refusal and the fields that explain it.
pub(super) type Refused = (Status, Vec<(HeaderName, String)>);

/// What a request requires has to be known.
pub(super) fn require_only(request: &Request, known: &[&str]) -> Result<(), Refused> {
    let names = [HeaderName::REQUIRE, HeaderName::PROXY_REQUIRE];
    let required: Vec<&str> = names
        .iter()
        .flat_map(|name| request.headers.tokens(name))
        .filter(|token| !known.iter().any(|one| one.eq_ignore_ascii_case(token)))
        .collect();
    if required.is_empty() {
        return Ok(());
    }
    Err((
        Status::BAD_EXTENSION,
        vec![(HeaderName::UNSUPPORTED, required.join(", "))],
    ))
}

fn is_method_known(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite
            | Method::Register
            | Method::Options
            | Method::Bye
            | Method::Info
            | Method::Update
            | Method::Prack
            | Method::Ack
            | Method::Cancel
    )
}

fn bad_field(error: &crate::message::HeaderError) -> &'static str {
    use crate::message::HeaderError::{PeerMalformed, PeerMissing, PeerRepeated, PeerTooMany};
    match error {
        PeerMissing(_) => "Missing Mandatory Header Field",
        PeerMalformed(_) => "Malformed Header Field",
        PeerRepeated(_) => "Repeated Header Field",
        PeerTooMany(_) => "Too Many Header Field Values",
    }
}
