//! What our requests and responses have in common.

use std::time::Instant;

use super::Stack;
use super::event::{EndReason, Event, LegId};
use super::flow::{Flow, Transport};
use super::leg::Leg;
use super::outbox::{Due, LegTimer};
use crate::dialog::{Dialog, Reach};
use crate::digest::Prover;
use crate::message::{
    Body, Essentials, HeaderMap, HeaderName, Host, Method, NameAddr, Request, Response, SipUri,
    Status, Uri, Via, reply_fields,
};
use crate::sdp::Session;
use crate::siprec::{MULTIPART, session_part};
use crate::transaction::Owner;

/// Methods we take.
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, REGISTER";

/// The same where the far side of a call may have it go elsewhere.
const ALLOW_TRANSFERS: &str =
    "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, REGISTER, REFER";

/// Extensions we know.
const SUPPORTED: &str = "timer, 100rel";

/// The same where the far side of a call may have it go elsewhere.
const SUPPORTED_TRANSFERS: &str = "timer, 100rel, replaces, norefersub";

/// Body types we read.
pub(super) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";

/// The type of session descriptions.
pub(super) const SDP: &str = "application/sdp";

impl Stack {
    /// Methods we take.
    pub(super) fn allow(&self) -> (HeaderName, String) {
        let [allow, _] = self.ability_fields();
        (allow.0, allow.1.to_owned())
    }

    /// Methods we take, and extensions we know.
    fn ability_fields(&self) -> [(HeaderName, &'static str); 2] {
        let (methods, extensions) = match self.config.takes_transfers {
            true => (ALLOW_TRANSFERS, SUPPORTED_TRANSFERS),
            false => (ALLOW, SUPPORTED),
        };
        [
            (HeaderName::ALLOW, methods),
            (HeaderName::SUPPORTED, extensions),
        ]
    }

    /// What an OPTIONS is told.
    pub(super) fn abilities(&self) -> [(HeaderName, String); 3] {
        let [allow, supported] = self.ability_fields();
        let accept = (HeaderName::ACCEPT, ACCEPT);
        [supported, allow, accept].map(|(name, value)| (name, value.to_owned()))
    }

    /// Our address as the far side of a flow reaches it.
    pub(super) fn contact(&self, flow: Flow) -> NameAddr {
        NameAddr::new(self.own_uri(Some(self.ids.mark()), flow))
    }

    /// A URI that leads to the interface of a flow. The transport is a parameter, never `sips`: that would ask every hop of the way for TLS
    /// ([RFC 5630 §3.1.3](https://www.rfc-editor.org/rfc/rfc5630#section-3.1.3)).
    pub(super) fn own_uri(&self, user: Option<&str>, flow: Flow) -> Uri {
        let advertised = self.config.advertised(flow);
        let mut uri = SipUri::new(user, Host::Ip(advertised.ip()), Some(advertised.port()));
        if let Some(word) = flow.transport.parameter() {
            uri.params.set("transport", Some(word));
        }
        Uri::Sip(uri)
    }

    /// Puts our hop on top and our name in.
    pub(super) fn finish_request(&mut self, request: &mut Request, flow: Flow) {
        let via = Via::new(
            flow.transport.as_str(),
            self.config.advertised(flow),
            &self.ids.branch(),
        );
        request.headers.push_front(HeaderName::VIA, via);
        if request.method != Method::Ack {
            request
                .headers
                .push(HeaderName::USER_AGENT, &self.config.user_agent);
        }
        if matches!(request.method, Method::Invite | Method::Update) {
            if !request.headers.contains(&HeaderName::CONTACT) {
                let contact = self.contact(flow);
                (request.headers).push_displayed(HeaderName::CONTACT, contact);
            }
            for (name, value) in self.ability_fields() {
                request.headers.push(name, value);
            }
        }
    }

    /// A response of ours from the fields that repeat the request's.
    pub(super) fn response(&self, status: Status, fields: HeaderMap) -> Response {
        let mut response = Response::new(status, fields);
        let in_dialog =
            status.is_success() || (status.is_provisional() && status != Status::TRYING);
        let aims = |method: Method| matches!(method, Method::Invite | Method::Update);
        let is_aimed = response.headers.cseq().is_ok_and(|cseq| aims(cseq.method));
        if in_dialog && is_aimed {
            for (name, value) in self.ability_fields() {
                response.headers.push(name, value);
            }
        } else {
            response.headers.remove(&HeaderName::RECORD_ROUTE);
            response.headers.remove(&HeaderName::CONTACT);
        }
        response
            .headers
            .push(HeaderName::SERVER, &self.config.user_agent);
        response
    }

    /// Answers a request without remembering it.
    pub(super) fn answer_stateless(
        &mut self,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
        status: Status,
        extra: &[(HeaderName, String)],
    ) {
        if request.method == Method::Ack {
            return;
        }
        let fields = self.reply_fields(flow, request, essentials, None);
        let mut response = self.response(status, fields);
        for (name, value) in extra {
            response.headers.push(name.clone(), value);
        }
        self.out.send(flow, response.to_wire());
    }

    /// 503 with the time to wait.
    pub(super) fn shed(&mut self, flow: Flow, request: &Request, essentials: &Essentials) {
        self.out.counters.shed += 1;
        let wait = self.config.limits.retry_after.as_secs().max(1).to_string();
        self.answer_stateless(
            flow,
            request,
            essentials,
            Status::SERVICE_UNAVAILABLE,
            &[(HeaderName::RETRY_AFTER, wait)],
        );
    }

    /// The repeated fields with a `To` tag: the one that is there, else `tag`, else a computed one. To an INVITE or UPDATE also our contact, which is left
    /// out again of answers that open no dialog.
    pub(super) fn reply_fields(
        &self,
        flow: Flow,
        request: &Request,
        essentials: &Essentials,
        tag: Option<&str>,
    ) -> HeaderMap {
        let mut fields = reply_fields(&request.headers, Some(&essentials.via));
        if essentials.to.tag().is_none() {
            let computed = || self.ids.computed_tag(essentials);
            let tag = tag.map_or_else(computed, str::to_owned);
            fields.set(HeaderName::TO, essentials.to.clone().with_tag(&tag));
        }
        if request.method == Method::Invite {
            for route in request.headers.all(&HeaderName::RECORD_ROUTE) {
                fields.push(HeaderName::RECORD_ROUTE, route);
            }
        }
        if matches!(request.method, Method::Invite | Method::Update) {
            fields.push_displayed(HeaderName::CONTACT, self.contact(flow));
        }
        fields
    }

    /// Where a request inside a dialog goes: to its next hop if that is an address of the same far side, else, and for registered phones
    /// always, where the far side's messages come from. Names are not resolved, and no peer can aim our requests at somebody else.
    pub(super) fn hop(&self, dialog: &Dialog) -> Flow {
        let origin = dialog.origin;
        match dialog.reach {
            Reach::Origin | Reach::Connection => origin,
            Reach::Named => dialog
                .next_hop()
                .and_then(|uri| self.named(uri, origin))
                .unwrap_or(origin),
        }
    }

    /// The flow that a URI names, by a transport that we have; none if it is not the far side at `origin`. What came inside TLS goes nowhere in clear.
    fn named(&self, uri: &SipUri, origin: Flow) -> Option<Flow> {
        let transport = match uri.params.value("transport") {
            _ if uri.secure => Transport::Tls,
            Some(word) => Transport::parse(word)?,
            None => origin.transport,
        };
        if origin.transport == Transport::Tls && transport != Transport::Tls {
            return None;
        }
        let ip = uri.host.ip()?;
        let port = uri.port.unwrap_or(transport.default_port());
        if port == 0 || !self.is_same_side(ip, origin.remote.ip()) {
            return None;
        }
        let is_as_before = transport == origin.transport && ip.is_ipv4() == origin.remote.is_ipv4();
        let interface = match is_as_before {
            true => origin.interface,
            false => self.config.interface_for(ip, transport)?,
        };
        Some(Flow {
            remote: (ip, port).into(),
            transport,
            interface,
        })
    }

    /// How a far side that we call at this flow is reached.
    pub(super) fn reach(&self, flow: Flow) -> Reach {
        match self.registrar.user_at(flow) {
            Some(_) => Reach::Origin,
            None => Reach::Named,
        }
    }

    /// How a far side that calls us is reached.
    pub(super) fn reach_back(&self, flow: Flow) -> Reach {
        match self.reach(flow) {
            Reach::Named if flow.transport.is_reliable() => Reach::Connection,
            reach => reach,
        }
    }

    /// Sends the ACK of a 2xx.
    pub(super) fn send_ack(
        &mut self,
        dialog: &Dialog,
        transaction: crate::transaction::ClientId,
        number: u32,
        answer: Option<&Session>,
    ) {
        let flow = self.hop(dialog);
        let mut ack = dialog.request(Method::Ack, number);
        if let Some(answer) = answer {
            set_session(&mut ack.headers, &mut ack.body, answer);
        }
        self.finish_request(&mut ack, flow);
        let tag = dialog.remote.tag().unwrap_or_default();
        self.clients
            .acknowledge(&mut self.out, transaction, tag, flow, ack.to_wire());
    }

    /// Sends the BYE of a dialog, whose leg is gone; nobody waits for its answer.
    pub(super) fn send_bye(
        &mut self,
        now: Instant,
        dialog: &mut Dialog,
        reason: Option<&str>,
        prover: Option<Box<Prover>>,
    ) {
        let flow = self.hop(dialog);
        let mut bye = dialog.next_request(Method::Bye);
        if let Some(reason) = reason {
            bye.headers.push(HeaderName::REASON, reason);
        }
        let prover = prover.map(|prover| *prover);
        self.start_provable(now, (None, prover), bye, flow, Owner::Nobody);
    }

    /// Takes a leg out of every table. Requests that its far side has open before the answer are refused; nothing else is sent.
    pub(super) fn remove_leg(&mut self, now: Instant, id: LegId) -> Option<Leg> {
        let mut leg = self.legs.remove(&id)?;
        self.drop_early(now, &mut leg);
        self.drop_referral(now, &mut leg);
        let call_id = &leg.dialog.call_id;
        let tag = |address: &NameAddr| address.tag().unwrap_or_default().to_owned();
        self.dialogs
            .remove(&(call_id.clone(), tag(&leg.dialog.local)));
        if leg.invite.is_none() {
            self.callers
                .remove(&(call_id.clone(), tag(&leg.dialog.remote)));
        }
        for timer in [
            LegTimer::Ring,
            LegTimer::Provisional,
            LegTimer::Repeat,
            LegTimer::Unacknowledged,
            LegTimer::Decision,
            LegTimer::Cancelled,
            LegTimer::Refresh,
            LegTimer::Expiry,
            LegTimer::Referral,
        ] {
            self.out.timers.cancel(Due::Leg(id, timer));
        }
        Some(leg)
    }

    /// Ends a leg with a BYE and tells the caller.
    pub(super) fn end_with_bye(
        &mut self,
        now: Instant,
        id: LegId,
        reason: EndReason,
        text: Option<&str>,
    ) {
        if let Some(mut leg) = self.remove_leg(now, id) {
            let prover = leg.terms.prover.take();
            self.send_bye(now, &mut leg.dialog, text, prover);
            self.out.emit(Event::Ended { leg: id, reason });
        }
    }
}

/// Puts a session description into a message.
pub(super) fn set_session(headers: &mut HeaderMap, body: &mut Body, session: &Session) {
    headers.set(HeaderName::CONTENT_TYPE, SDP);
    *body = session.to_body();
}

/// A description as it is kept, to be sent again unchanged, with its keys.
pub(super) fn description(session: &Session) -> Body {
    session.to_body()
}

/// The session description in an answer, which may stand among other parts.
pub(super) fn read_answer(headers: &HeaderMap, body: &Body) -> Result<Option<Session>, Status> {
    if headers.content_type().as_deref() != Some(MULTIPART) {
        return read_session(headers, body);
    }
    let part = session_part(headers, body.as_bytes()).ok_or(Status::NOT_ACCEPTABLE_HERE)?;
    Session::parse(part)
        .map(Some)
        .map_err(|_| Status::NOT_ACCEPTABLE_HERE)
}

/// The session description in a message: `Ok(None)` without body.
pub(super) fn read_session(headers: &HeaderMap, body: &Body) -> Result<Option<Session>, Status> {
    if body.is_empty() {
        return Ok(None);
    }
    if headers
        .content_type()
        .is_some_and(|content_type| content_type != SDP)
    {
        return Err(Status::UNSUPPORTED_MEDIA_TYPE);
    }
    let encoded = headers
        .text(&HeaderName::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    if encoded {
        return Err(Status::UNSUPPORTED_MEDIA_TYPE);
    }
    Session::parse(body.as_bytes())
        .map(Some)
        .map_err(|_| Status::NOT_ACCEPTABLE_HERE)
}
