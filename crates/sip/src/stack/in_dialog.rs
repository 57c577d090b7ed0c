//! Requests inside dialogs, and what becomes due for a leg.

use std::time::Instant;

use super::Stack;
use super::dtmf_info::{self, Signal};
use super::event::{EndReason, Event, LegId};
use super::leg::{AnswerOf, Exchange, Leg, Side, State, Unacknowledged};
use super::outbox::{Due, LegTimer};
use super::receive::{Arrival, require_only};
use super::write::{ACCEPT, read_session};
use crate::message::{HeaderName, Method, Status};
use crate::transaction::{Opening, ServerId, T2};

impl Stack {
    /// The leg that a request belongs to: by Call-ID and both tags, and from where its far side sends.
    fn leg_of(&self, arrival: &Arrival<'_>) -> Option<LegId> {
        let tag = arrival.essentials.to.tag()?;
        let id = *self
            .dialogs
            .get(&(arrival.essentials.call_id.clone(), tag.to_owned()))?;
        let leg = self.legs.get(&id)?;
        let origin = leg.dialog.origin.remote.ip();
        let is_from_there = self.is_same_side(origin, arrival.flow.remote.ip());
        (is_from_there && leg.is_with(arrival.essentials)).then_some(id)
    }

    pub(super) fn receive_in_dialog(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let Some(id) = self.leg_of(arrival) else {
            if self.is_heard(now, arrival.flow) {
                self.out.counters.forbidden += 1;
                self.answer(arrival, Status::NO_DIALOG_OR_TRANSACTION, &[]);
            }
            return;
        };
        let request = arrival.request;
        if self.transactions_are_full() && request.method != Method::Bye {
            return self.shed(arrival.flow, request, arrival.essentials);
        }
        let transaction = self.open_in_dialog(arrival, id);
        let known = self.known_extensions(id);
        if let Err((status, extra)) = require_only(request, known) {
            return self.finish(now, transaction, status, &extra);
        }
        let number = arrival.essentials.cseq.number;
        let in_order = self.legs.get_mut(&id).is_some_and(|leg| {
            // The same address by another port: a NAT has given its binding away.
            if leg.dialog.origin.remote.ip() == arrival.flow.remote.ip() {
                leg.dialog.origin = arrival.flow;
            }
            match leg.early(|dialog, _| dialog.is_with(arrival.essentials)) {
                Some(found) => {
                    found.terms.hear(&request.headers);
                    found.dialog.advance(number)
                }
                None => {
                    leg.terms.hear(&request.headers);
                    leg.dialog.advance(number)
                }
            }
        });
        if !in_order {
            return self.finish(now, transaction, Status::SERVER_INTERNAL_ERROR, &[]);
        }
        if matches!(request.method, Method::Invite | Method::Update) {
            self.hear_identity(arrival, id);
        }
        match request.method {
            Method::Invite => self.receive_reinvite(now, arrival, id, transaction),
            Method::Prack => self.receive_prack(now, arrival, id, transaction),
            Method::Update => self.receive_update(now, arrival, id, transaction),
            Method::Bye => self.receive_bye(now, id, transaction),
            Method::Info | Method::Message | Method::Notify => {
                self.receive_info(now, arrival, id, transaction)
            }
            Method::Options => {
                let abilities = self.abilities();
                self.finish(now, transaction, Status::OK, &abilities);
            }
            Method::Refer => self.receive_refer(now, arrival, id, transaction),
            _ => self.not_allowed(now, transaction),
        }
    }

    fn not_allowed(&mut self, now: Instant, transaction: ServerId) {
        let allow = self.allow();
        self.finish(now, transaction, Status::METHOD_NOT_ALLOWED, &[allow]);
    }

    fn hear_identity(&mut self, arrival: &Arrival<'_>, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        if !matches!(leg.state, State::Up(_)) {
            return;
        }
        let (headers, from) = (&arrival.request.headers, &arrival.essentials.from.uri);
        if (leg.terms.identity).is_another(headers, from, &leg.dialog.remote.uri) {
            self.out.emit(Event::OtherIdentity { leg: id });
        }
    }

    fn open_in_dialog(&mut self, arrival: &Arrival<'_>, id: LegId) -> ServerId {
        let fields = self.reply_fields(arrival.flow, arrival.request, arrival.essentials, None);
        self.servers.open(Opening {
            key: arrival.key.clone(),
            flow: arrival.flow,
            leg: Some(id),
            fields,
        })
    }

    /// Answers a transaction without body.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        transaction: ServerId,
        status: Status,
        extra: &[(HeaderName, String)],
    ) {
        let mut response = self.response(status, self.servers.fields(transaction));
        for (name, value) in extra {
            response.headers.push(name.clone(), value);
        }
        self.servers
            .respond(&mut self.out, now, transaction, &response);
    }

    /// Answers a request that bears our tag with nothing but a status.
    fn finish_barely(&mut self, now: Instant, transaction: ServerId, status: Status) {
        self.finish(now, transaction, status, &[]);
        self.servers.answered_barely(transaction, status);
    }

    fn receive_bye(&mut self, now: Instant, id: LegId, transaction: ServerId) {
        if matches!(
            self.legs.get(&id),
            Some(Leg {
                state: State::Calling(_) | State::Cancelling(_),
                ..
            })
        ) {
            return self.finish(now, transaction, Status::NO_DIALOG_OR_TRANSACTION, &[]);
        }
        self.finish_barely(now, transaction, Status::OK);
        let Some(leg) = self.remove_leg(now, id) else {
            return;
        };
        match leg.state {
            State::Ringing(ringing) => {
                let status = Status::REQUEST_TERMINATED;
                self.refuse_transaction(now, ringing.transaction, status, None);
            }
            State::Up(Exchange::TheyAsked(asked)) => {
                self.refuse_transaction(now, asked.transaction, Status::REQUEST_TERMINATED, None);
            }
            State::Up(Exchange::OweAck {
                transaction,
                number,
            }) => self.send_ack(&leg.dialog, transaction, number, None),
            State::Draining(..) => return,
            State::Calling(_) | State::Cancelling(_) | State::Up(_) => {}
        }
        self.out.emit(Event::Ended {
            leg: id,
            reason: EndReason::Bye,
        });
    }

    /// Keys are taken out of the body and go nowhere else (S38). The body is wiped when the request is dropped.
    fn receive_info(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
    ) {
        let request = arrival.request;
        if let Some(signal) = dtmf_info::read(&request.headers, request.body.as_bytes()) {
            self.finish_barely(now, transaction, Status::OK);
            if let Signal::Key(key) = signal {
                self.out.emit(Event::InfoKey { leg: id, key });
            }
            return;
        }
        match request.method {
            Method::Info if request.body.is_empty() => {
                self.finish_barely(now, transaction, Status::OK)
            }
            Method::Info => self.finish(
                now,
                transaction,
                Status::UNSUPPORTED_MEDIA_TYPE,
                &[(HeaderName::ACCEPT, ACCEPT.to_owned())],
            ),
            Method::Notify if self.hears_reports(id, arrival) => {
                self.finish(now, transaction, Status::OK, &[]);
                self.hear_report(id, arrival);
            }
            _ => self.not_allowed(now, transaction),
        }
    }

    /// The ACK of a 2xx of ours. ACKs that belong to nothing are dropped.
    pub(super) fn receive_ack(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let Some(id) = self.leg_of(arrival) else {
            self.out.counters.strays += 1;
            return;
        };
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let number = arrival.essentials.cseq.number;
        let (State::Up(Exchange::Unacknowledged(waiting)) | State::Draining(waiting, _)) =
            &leg.state
        else {
            return;
        };
        if waiting.number != number {
            return;
        }
        self.out.timers.cancel(Due::Leg(id, LegTimer::Repeat));
        self.out
            .timers
            .cancel(Due::Leg(id, LegTimer::Unacknowledged));
        match std::mem::replace(&mut leg.state, State::Up(Exchange::Stable)) {
            State::Draining(_, reason) => self.finish_draining(now, id, reason.as_deref()),
            State::Up(Exchange::Unacknowledged(waiting)) => {
                self.acknowledged(now, id, &waiting, arrival)
            }
            State::Calling(_) | State::Cancelling(_) | State::Ringing(_) | State::Up(_) => {}
        }
    }

    fn acknowledged(
        &mut self,
        now: Instant,
        id: LegId,
        waiting: &Unacknowledged,
        arrival: &Arrival<'_>,
    ) {
        let answer = read_session(&arrival.request.headers, &arrival.request.body)
            .ok()
            .flatten();
        let answer = answer.filter(|_| waiting.offered_by == Side::Us);
        match (waiting.kind, waiting.offered_by, answer) {
            (AnswerOf::Call, Side::Us, None) => self.end_with_bye(now, id, EndReason::Lost, None),
            (AnswerOf::Call, _, answer) => self.out.emit(Event::Confirmed { leg: id, answer }),
            (AnswerOf::Change, Side::Us, Some(answer)) => {
                self.out.emit(Event::OfferAnswered { leg: id, answer })
            }
            (AnswerOf::Change, Side::Us, None) => self.out.emit(Event::OfferFailed {
                leg: id,
                status: Status::NOT_ACCEPTABLE_HERE,
            }),
            (AnswerOf::Change, Side::Them, _) => {}
        }
    }

    /// The BYE that waited for an ACK goes now.
    fn finish_draining(&mut self, now: Instant, id: LegId, reason: Option<&str>) {
        if let Some(mut leg) = self.remove_leg(now, id) {
            let prover = leg.terms.prover.take();
            self.send_bye(now, &mut leg.dialog, reason, prover);
        }
    }

    pub(super) fn leg_due(&mut self, now: Instant, id: LegId, timer: LegTimer) {
        match timer {
            LegTimer::Ring => self.rang_too_long(now, id),
            LegTimer::Provisional => self.repeat_provisional(now, id),
            LegTimer::Repeat => self.repeat_acceptance(now, id),
            LegTimer::Unacknowledged => self.never_acknowledged(now, id),
            LegTimer::Decision => self.never_decided(now, id),
            LegTimer::Cancelled => self.never_finished(now, id),
            LegTimer::Refresh => self.refresh_due(now, id),
            LegTimer::Expiry => self.session_expired(now, id),
            LegTimer::Referral => self.referral_due(now, id),
        }
    }

    fn rang_too_long(&mut self, now: Instant, id: LegId) {
        match self.legs.get(&id).map(|leg| &leg.state) {
            Some(State::Ringing(_)) => self.refuse_call(
                now,
                id,
                Status::TEMPORARILY_UNAVAILABLE,
                None,
                EndReason::Timeout,
            ),
            Some(State::Calling(_)) => {
                self.cancel_call(now, id, None);
                self.out.emit(Event::Failed {
                    leg: id,
                    status: Status::REQUEST_TIMEOUT,
                    retry_after: None,
                });
            }
            Some(State::Cancelling(_) | State::Up(_) | State::Draining(..)) | None => {}
        }
    }

    fn repeat_acceptance(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let (State::Up(Exchange::Unacknowledged(waiting)) | State::Draining(waiting, _)) =
            &mut leg.state
        else {
            return;
        };
        waiting.interval = (waiting.interval * 2).min(T2);
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Repeat), now + waiting.interval);
        self.out.repeat(waiting.flow, waiting.wire.clone());
    }

    /// Without an ACK for 32 s the far side is gone; a BYE ends what it may still have ([RFC 3261 §13.3.1.4](https://www.rfc-editor.org/rfc/rfc3261#section-13.3.1.4)).
    fn never_acknowledged(&mut self, now: Instant, id: LegId) {
        match self.legs.get(&id).map(|leg| &leg.state) {
            Some(State::Draining(..)) => self.finish_draining(now, id, None),
            Some(State::Up(Exchange::Unacknowledged(_))) => {
                self.end_with_bye(now, id, EndReason::Timeout, None)
            }
            Some(State::Calling(_) | State::Cancelling(_) | State::Ringing(_) | State::Up(_))
            | None => {}
        }
    }

    /// Our caller left an offer without answer, or the far side one of ours.
    fn never_decided(&mut self, now: Instant, id: LegId) {
        self.change_unanswered(now, id);
        if let Some(asked) = self.take_early(id, None) {
            self.finish(now, asked.transaction, asked.through.undecided(), &[]);
            return self.go_on_ringing(now, id);
        }
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        match std::mem::replace(&mut leg.state, State::Up(Exchange::Stable)) {
            State::Up(Exchange::TheyAsked(asked)) => {
                let status = asked.through.undecided();
                self.refuse_transaction(now, asked.transaction, status, None);
            }
            State::Up(Exchange::OweAck {
                transaction,
                number,
            }) => {
                let dialog = leg.dialog.clone();
                self.send_ack(&dialog, transaction, number, None);
                self.end_with_bye(now, id, EndReason::Timeout, None);
            }
            state => leg.state = state,
        }
    }

    /// A cancelled INVITE that got no final answer is forgotten ([RFC 3261 §9.1](https://www.rfc-editor.org/rfc/rfc3261#section-9.1)).
    fn never_finished(&mut self, now: Instant, id: LegId) {
        if let Some(Leg {
            state: State::Cancelling(cancelling),
            ..
        }) = self.remove_leg(now, id)
        {
            self.clients.remove(&mut self.out, cancelling.transaction);
        }
    }
}
