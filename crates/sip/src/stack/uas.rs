//! Calls that come in (RFC 3261 §13.3), until they are answered.

use std::time::{Duration, Instant};

use super::Stack;
use super::command::CommandError;
use super::event::{EndReason, Event, Incoming, LegId};
use super::leg::{AnswerOf, Exchange, Leg, Ringing, Side, State, Terms, Unacknowledged};
use super::outbox::{Due, LegTimer};
use super::receive::{Arrival, Refused};
use super::reliable::{Demand, Reliable};
use super::session_timer::Wanted;
use super::write::{ACCEPT, SDP, description, read_session, set_session};
use crate::dialog::Dialog;
use crate::digest::{Prover, Verdict};
use crate::message::{HeaderMap, HeaderName, Privacy, Status, carried};
use crate::sdp::Session;
use crate::transaction::{Opening, ServerId, T1, Timer};

/// Who may call.
enum Caller {
    Peer { name: String, is_trusted: bool },
    Phone { user: String },
}

impl Stack {
    pub(super) fn receive_invite(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let Some(caller) = self.caller(now, arrival) else {
            return;
        };
        if let Err((status, extra)) = self.inspect_invite(arrival) {
            return self.answer(arrival, status, &extra);
        }
        let replaces = match self.replaced(&arrival.request.headers) {
            Ok(replaces) => replaces,
            Err(status) => return self.answer(arrival, status, &[]),
        };
        let offer = match read_session(&arrival.request.headers, &arrival.request.body) {
            Ok(offer) => offer,
            Err(status) => {
                return self.answer(arrival, status, &[(HeaderName::ACCEPT, SDP.to_owned())]);
            }
        };
        let wanted = match self.wanted_timer(&arrival.request.headers) {
            Ok(wanted) => wanted,
            Err((status, extra)) => return self.answer(arrival, status, &extra),
        };
        let is_full =
            self.legs.len() >= self.config.limits.legs_max || self.transactions_are_full();
        if is_full || !self.admission.invite(now) {
            return self.shed(arrival.flow, arrival.request, arrival.essentials);
        }
        let leg = self.open_incoming(now, arrival, offer.as_ref(), wanted);
        let incoming = Incoming {
            replaces,
            ..describe(arrival, leg, offer, caller)
        };
        self.out.emit(Event::Incoming(Box::new(incoming)));
    }

    /// Registered phones prove themselves, also from an address that is a peer's; peers call as they are; all others are refused without a
    /// trace.
    fn caller(&mut self, now: Instant, arrival: &Arrival<'_>) -> Option<Caller> {
        let Some(registered) = self.registrar.user_at(arrival.flow).map(str::to_owned) else {
            let peer = self
                .peer(arrival.flow.remote.ip())
                .map(|peer| Caller::Peer {
                    name: peer.name.clone(),
                    is_trusted: peer.is_trusted,
                });
            if peer.is_none() {
                self.out.counters.forbidden += 1;
                self.answer(arrival, Status::FORBIDDEN, &[]);
            }
            return peer;
        };
        match self.prove(now, arrival) {
            Verdict::Proven { user } if user == registered => Some(Caller::Phone { user }),
            Verdict::Proven { .. } => {
                self.out.counters.forbidden += 1;
                self.answer(arrival, Status::FORBIDDEN, &[]);
                None
            }
            verdict => {
                self.challenge(now, arrival, verdict == Verdict::Stale);
                None
            }
        }
    }

    /// Checks that only an INVITE needs.
    fn inspect_invite(&self, arrival: &Arrival<'_>) -> Result<(), Refused> {
        let headers = &arrival.request.headers;
        let is_modern = arrival.essentials.via.unique_branch().is_some();
        if is_modern && !headers.contains(&HeaderName::CONTACT) {
            return Err((Status::BAD_REQUEST, Vec::new()));
        }
        if !accepts_sdp(headers) {
            return Err((
                Status::NOT_ACCEPTABLE,
                vec![(HeaderName::ACCEPT, ACCEPT.to_owned())],
            ));
        }
        if self.callers.contains_key(&caller_key(arrival)) || self.is_loop(arrival) {
            return Err((Status::LOOP_DETECTED, Vec::new()));
        }
        Ok(())
    }

    /// It bears a hop of ours and still wants what we sent out. One that wants something else has passed us before and is a call of its own (S40).
    fn is_loop(&self, arrival: &Arrival<'_>) -> bool {
        let vias = arrival.request.headers.vias().unwrap_or_default();
        let mut branches = vias.iter().filter_map(|via| via.branch());
        let ours = branches.find(|branch| self.ids.is_ours(branch));
        ours.is_some_and(|branch| {
            let sent = self.clients.target_of_branch(branch);
            sent.is_none_or(|sent| *sent == arrival.request.uri)
        })
    }

    fn open_incoming(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        offer: Option<&Session>,
        wanted: Wanted,
    ) -> LegId {
        let id = self.new_leg();
        let tag = self.ids.tag();
        let fields = self.reply_fields(
            arrival.flow,
            arrival.request,
            arrival.essentials,
            Some(&tag),
        );
        let mut trying = self.response(Status::TRYING, fields.clone());
        if let Some(stamp) = arrival.request.headers.first(&HeaderName::TIMESTAMP) {
            trying.headers.push(HeaderName::TIMESTAMP, stamp);
        }
        trying
            .headers
            .set(HeaderName::TO, arrival.essentials.to.to_string());
        let transaction = self.servers.open(Opening {
            key: arrival.key.clone(),
            flow: arrival.flow,
            leg: Some(id),
            fields,
        });
        self.servers
            .respond(&mut self.out, now, transaction, &trying);
        let mut dialog = Dialog::incoming(arrival.request, arrival.essentials, &tag, arrival.flow);
        dialog.reach = self.reach_back(arrival.flow);
        self.dialogs.insert((dialog.call_id.clone(), tag), id);
        self.callers.insert(caller_key(arrival), id);
        let offered_by = if offer.is_some() {
            Side::Them
        } else {
            Side::Us
        };
        let demand = Demand::of(&arrival.request.headers);
        let ringing = Ringing {
            transaction,
            number: arrival.essentials.cseq.number,
            offered_by,
            wanted,
            reliable: Reliable::new(demand, self.ids.below(u64::MAX)),
        };
        let mut terms = Terms::of_caller(&arrival.request.headers, offer);
        terms.prover = self
            .peer_credentials(arrival.flow)
            .map(|credentials| Box::new(Prover::new(credentials)));
        self.legs.insert(
            id,
            Leg {
                id,
                dialog,
                invite: None,
                is_recording: false,
                terms,
                state: State::Ringing(Box::new(ringing)),
            },
        );
        let limit = self.ring_time(&arrival.request.headers);
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Ring), now + limit);
        id
    }

    /// For how long a call may ring: as it asks (`Expires`), up to our bound.
    fn ring_time(&self, headers: &HeaderMap) -> Duration {
        let longest = self.config.limits.ring_max;
        let asked = headers.number(&HeaderName::EXPIRES).ok().flatten();
        asked.map_or(longest, |asked| Duration::from_secs(asked).min(longest))
    }

    /// The INVITE that a command is about, while it waits for its final answer.
    fn ringing(&self, id: LegId) -> Result<&Ringing, CommandError> {
        let leg = self.legs.get(&id).ok_or(CommandError::BugUnknownLeg)?;
        match &leg.state {
            State::Ringing(ringing) => Ok(ringing),
            _ => Err(CommandError::WrongState),
        }
    }

    pub(super) fn provisional(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
        answer: Option<&Session>,
    ) -> Result<(), CommandError> {
        self.ringing(id)?;
        if !status.is_provisional() || status == Status::TRYING {
            return Err(CommandError::BugStatus);
        }
        self.send_provisional(now, id, status, answer)
    }

    /// The 2xx waits while a description in a reliable response is not acknowledged, or a change is open.
    pub(super) fn accept_call(
        &mut self,
        now: Instant,
        id: LegId,
        session: &Session,
    ) -> Result<(), CommandError> {
        self.ringing(id)?;
        if self.hold_back(id, session) {
            return Ok(());
        }
        let is_agreed = self.end_provisionals(id);
        let ringing = self.ringing(id)?;
        let (number, offered_by) = (ringing.number, ringing.offered_by);
        let asked = (ringing.transaction, ringing.wanted);
        self.out.timers.cancel(Due::Leg(id, LegTimer::Ring));
        let waiting = self
            .accept(now, id, asked, Some(session).filter(|_| !is_agreed))
            .ok_or(CommandError::WrongState)?;
        let waiting = Unacknowledged {
            number,
            offered_by: if is_agreed { Side::Them } else { offered_by },
            kind: AnswerOf::Call,
            ..waiting
        };
        self.await_ack(now, id, waiting);
        Ok(())
    }

    /// Sends a 2xx, with a session unless one is agreed on already.
    pub(super) fn accept(
        &mut self,
        now: Instant,
        id: LegId,
        (transaction, wanted): (ServerId, Wanted),
        session: Option<&Session>,
    ) -> Option<Unacknowledged> {
        let mut response = self.response(Status::OK, self.servers.fields(transaction));
        self.grant_timer(now, id, wanted, &mut response.headers);
        if let Some(session) = session {
            set_session(&mut response.headers, &mut response.body, session);
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.terms.ours = Some(description(session));
            }
        }
        let (wire, flow) = self
            .servers
            .respond(&mut self.out, now, transaction, &response)?;
        Some(Unacknowledged {
            number: 0,
            wire,
            flow,
            interval: T1,
            offered_by: Side::Them,
            kind: AnswerOf::Change,
        })
    }

    /// The 2xx is repeated by us until its ACK comes, over any transport ([RFC 3261 §13.3.1.4](https://www.rfc-editor.org/rfc/rfc3261#section-13.3.1.4)).
    pub(super) fn await_ack(&mut self, now: Instant, id: LegId, waiting: Unacknowledged) {
        let give_up = Timer::L.first(waiting.flow.transport).unwrap_or_default();
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Repeat), now + waiting.interval);
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Unacknowledged), now + give_up);
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Up(Exchange::Unacknowledged(waiting));
        }
    }

    pub(super) fn reject(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        self.ringing(id)?;
        if status.code() < 300 {
            return Err(CommandError::BugStatus);
        }
        self.refuse_call(now, id, status, reason, EndReason::Rejected);
        Ok(())
    }

    /// The same with more header fields.
    pub(super) fn decline(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
        headers: Vec<(HeaderName, String)>,
    ) -> Result<(), CommandError> {
        let transaction = self.ringing(id)?.transaction;
        if status.code() < 300 {
            return Err(CommandError::BugStatus);
        }
        let mut response = self.response(status, self.servers.fields(transaction));
        for (name, value) in headers {
            response.headers.push(name, value);
        }
        self.servers
            .respond(&mut self.out, now, transaction, &response);
        self.remove_leg(now, id);
        self.out.emit(Event::Ended {
            leg: id,
            reason: EndReason::Rejected,
        });
        Ok(())
    }

    /// Refuses a ringing leg and tells the caller that it has ended.
    pub(super) fn refuse_call(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
        reason: Option<String>,
        ended: EndReason,
    ) {
        let Ok(ringing) = self.ringing(id) else {
            return;
        };
        let transaction = ringing.transaction;
        self.refuse_transaction(now, transaction, status, reason);
        self.remove_leg(now, id);
        self.out.emit(Event::Ended {
            leg: id,
            reason: ended,
        });
    }

    /// A final refusal of an INVITE transaction.
    pub(super) fn refuse_transaction(
        &mut self,
        now: Instant,
        transaction: ServerId,
        status: Status,
        reason: Option<String>,
    ) {
        let mut response = self.response(status, self.servers.fields(transaction));
        if let Some(reason) = reason {
            response.reason = reason;
        }
        if status == Status::SERVICE_UNAVAILABLE {
            let wait = self.config.limits.retry_after.as_secs().max(1);
            response
                .headers
                .push_displayed(HeaderName::RETRY_AFTER, wait);
        }
        self.servers
            .respond(&mut self.out, now, transaction, &response);
    }

    /// CANCEL is answered by itself, and its INVITE with 487 if it still waits ([RFC 3261 §9.2](https://www.rfc-editor.org/rfc/rfc3261#section-9.2)).
    pub(super) fn receive_cancel(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let Some(transaction) = self.servers.find(&arrival.key.cancelled()) else {
            if self.is_heard(now, arrival.flow) {
                self.answer(arrival, Status::NO_DIALOG_OR_TRANSACTION, &[]);
            }
            return;
        };
        let leg = self.servers.leg(transaction);
        let tag = leg
            .and_then(|leg| self.legs.get(&leg))
            .and_then(|leg| leg.dialog.local.tag())
            .map(str::to_owned);
        let fields = self.reply_fields(
            arrival.flow,
            arrival.request,
            arrival.essentials,
            tag.as_deref(),
        );
        let response = self.response(Status::OK, fields.clone());
        let own = self.servers.open(Opening {
            key: arrival.key.clone(),
            flow: arrival.flow,
            leg: None,
            fields,
        });
        self.servers.respond(&mut self.out, now, own, &response);
        if !self.servers.is_open(transaction) {
            return;
        }
        if let Some(leg) = leg {
            self.invite_cancelled(now, leg, transaction);
        }
    }

    fn invite_cancelled(&mut self, now: Instant, id: LegId, transaction: ServerId) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        match &leg.state {
            State::Ringing(_) => self.refuse_call(
                now,
                id,
                Status::REQUEST_TERMINATED,
                None,
                EndReason::Cancelled,
            ),
            State::Up(Exchange::TheyAsked(asked)) if asked.transaction == transaction => {
                leg.state = State::Up(Exchange::Stable);
                self.out.timers.cancel(Due::Leg(id, LegTimer::Decision));
                self.refuse_transaction(now, transaction, Status::REQUEST_TERMINATED, None);
            }
            State::Calling(_) | State::Cancelling(_) | State::Up(_) | State::Draining(..) => {}
        }
    }
}

fn describe(arrival: &Arrival<'_>, leg: LegId, offer: Option<Session>, caller: Caller) -> Incoming {
    let headers = &arrival.request.headers;
    let (peer, registered_user, is_trusted) = match caller {
        Caller::Peer { name, is_trusted } => (Some(name), None, is_trusted),
        Caller::Phone { user } => (None, Some(user), false),
    };
    let asserted = headers
        .name_addrs(&HeaderName::P_ASSERTED_IDENTITY)
        .unwrap_or_default()
        .into_iter()
        .next();
    Incoming {
        leg,
        request_uri: arrival.request.uri.clone(),
        from: arrival.essentials.from.clone(),
        to: arrival.essentials.to.clone(),
        flow: arrival.flow,
        offer,
        tonewall_call: headers
            .text(&HeaderName::from("X-Tonewall-Call"))
            .filter(|_| is_trusted)
            .map(str::to_owned),
        max_forwards: arrival.essentials.max_forwards,
        asserted_identity: asserted.filter(|_| is_trusted),
        privacy: Privacy::of(headers),
        carried: if peer.is_some() {
            carried(headers)
        } else {
            Vec::new()
        },
        peer,
        registered_user,
        replaces: None,
    }
}

fn caller_key(arrival: &Arrival<'_>) -> (String, String) {
    (
        arrival.essentials.call_id.clone(),
        arrival.essentials.from.tag().unwrap_or_default().to_owned(),
    )
}

/// A caller that lists what it takes must take session descriptions.
fn accepts_sdp(headers: &HeaderMap) -> bool {
    let takes = |value: &[u8]| {
        let media = value.split(|&b| b == b';').next().unwrap_or_default();
        let media: Vec<u8> = media
            .iter()
            .filter(|b| !b.is_ascii_whitespace())
            .map(u8::to_ascii_lowercase)
            .collect();
        [SDP.as_bytes(), b"application/*", b"*/*"].contains(&media.as_slice())
    };
    !headers.contains(&HeaderName::ACCEPT) || headers.values(&HeaderName::ACCEPT).any(takes)
}
