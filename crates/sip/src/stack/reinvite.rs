//! Changes of a running session, by either side (RFC 3261 §14), and its end by us.

use std::time::{Duration, Instant};

use super::Stack;
use super::command::CommandError;
use super::event::{EndReason, Event, LegId};
use super::flow::Flow;
use super::leg::{
    AnswerOf, Asked, Exchange, Leg, Patience, Purpose, Side, State, Through, Unacknowledged,
};
use super::outbox::{Due, LegTimer};
use super::receive::Arrival;
use super::session_timer::Wanted;
use super::write::{SDP, description, read_answer, set_session};
use crate::message::{Body, Essentials, HeaderName, Method, Request, Response, Status};
use crate::sdp::Session;
use crate::transaction::{Owner, ServerId};

/// How long our caller may think about an offer of the far side: shorter than the far side's patience (timer B). Later: 488.
pub(super) const DECISION_MAX: Duration = Duration::from_secs(20);

/// How long a far side may think about an offer of ours: a person may have to be asked. Later it is cancelled.
pub(super) const CHANGE_MAX: Duration = Duration::from_secs(60);

/// How long a cancelled offer may stay without final answer. Later the far side counts as gone.
const CANCELLED_CHANGE_MAX: Duration = Duration::from_secs(32);

/// Seconds that a far side whose re-INVITE came too early is told to wait, at most ([RFC 3261 §14.2](https://www.rfc-editor.org/rfc/rfc3261#section-14.2)).
const TOO_EARLY_WAIT_MAX: u64 = 10;

impl Stack {
    pub(super) fn receive_reinvite(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        match &leg.state {
            State::Up(Exchange::Stable) => {}
            // A new request of the far side says that it has sent its ACK.
            State::Up(Exchange::Unacknowledged(waiting)) if waiting.offered_by == Side::Them => {
                let kind = waiting.kind;
                leg.state = State::Up(Exchange::Stable);
                self.out.timers.cancel(Due::Leg(id, LegTimer::Repeat));
                self.out
                    .timers
                    .cancel(Due::Leg(id, LegTimer::Unacknowledged));
                if kind == AnswerOf::Call {
                    self.out.emit(Event::Confirmed {
                        leg: id,
                        answer: None,
                    });
                }
            }
            State::Up(
                Exchange::WeAsked { .. } | Exchange::Unacknowledged(_) | Exchange::OweAck { .. },
            ) => {
                return self.finish(now, transaction, Status::REQUEST_PENDING, &[]);
            }
            State::Up(Exchange::TheyAsked(_)) | State::Ringing(_) | State::Calling(_) => {
                return self.too_early(now, transaction);
            }
            State::Cancelling(_) | State::Draining(..) => {
                return self.finish(now, transaction, Status::NO_DIALOG_OR_TRANSACTION, &[]);
            }
        }
        let wanted = match self.wanted_timer(&arrival.request.headers) {
            Ok(wanted) => wanted,
            Err((status, extra)) => return self.finish(now, transaction, status, &extra),
        };
        match self.offer_of(arrival, id) {
            Ok(offer) => {
                self.offered(
                    now,
                    arrival,
                    id,
                    (transaction, Through::Invite, wanted),
                    offer,
                );
                let mut trying = self.response(Status::TRYING, self.servers.fields(transaction));
                trying.body = Body::default();
                self.servers
                    .respond(&mut self.out, now, transaction, &trying);
            }
            Err(status) => self.finish(
                now,
                transaction,
                status,
                &[(HeaderName::ACCEPT, SDP.to_owned())],
            ),
        }
    }

    /// The far side has a request open whose answer it has to wait for first.
    pub(super) fn too_early(&mut self, now: Instant, transaction: ServerId) {
        let wait = self.ids.below(TOO_EARLY_WAIT_MAX + 1).to_string();
        self.finish(
            now,
            transaction,
            Status::SERVER_INTERNAL_ERROR,
            &[(HeaderName::RETRY_AFTER, wait)],
        );
    }

    /// A change of the far side's begins to wait for our caller.
    pub(super) fn offered(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        (transaction, through, wanted): (ServerId, Through, Wanted),
        offer: Option<Session>,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        leg.dialog.refresh_target(&arrival.request.headers);
        if let Some(offer) = &offer {
            leg.terms.describes(offer);
        }
        let offered_by = if offer.is_some() {
            Side::Them
        } else {
            Side::Us
        };
        leg.state = State::Up(Exchange::TheyAsked(Asked {
            transaction,
            number: arrival.essentials.cseq.number,
            offered_by,
            through,
            wanted,
        }));
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Decision), now + DECISION_MAX);
        self.out.emit(Event::Offered { leg: id, offer });
    }

    /// Takes the open change of the far side out of a leg.
    fn take_asked(&mut self, id: LegId) -> Result<Asked, CommandError> {
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        match std::mem::replace(&mut leg.state, State::Up(Exchange::Stable)) {
            State::Up(Exchange::TheyAsked(asked)) => {
                self.out.timers.cancel(Due::Leg(id, LegTimer::Decision));
                Ok(asked)
            }
            state => {
                leg.state = state;
                Err(CommandError::WrongState)
            }
        }
    }

    pub(super) fn accept_offer(
        &mut self,
        now: Instant,
        id: LegId,
        session: &Session,
    ) -> Result<(), CommandError> {
        if self.answer_in_prack(now, id, session) {
            return Ok(());
        }
        if let Some(asked) = self.take_early(id, Some(session)) {
            self.accept(now, id, (asked.transaction, asked.wanted), Some(session));
            self.go_on_ringing(now, id);
            return Ok(());
        }
        let asked = self.take_asked(id)?;
        let waiting = self
            .accept(now, id, (asked.transaction, asked.wanted), Some(session))
            .ok_or(CommandError::WrongState)?;
        if asked.through == Through::Invite {
            let waiting = Unacknowledged {
                number: asked.number,
                offered_by: asked.offered_by,
                kind: AnswerOf::Change,
                ..waiting
            };
            self.await_ack(now, id, waiting);
        }
        Ok(())
    }

    pub(super) fn reject_offer(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
    ) -> Result<(), CommandError> {
        if status.code() < 400 {
            return Err(CommandError::BugStatus);
        }
        if self.owes_prack(id) {
            self.cancel_call(now, id, None);
            self.out.emit(Event::Failed {
                leg: id,
                status,
                retry_after: None,
            });
            return Ok(());
        }
        if let Some(asked) = self.take_early(id, None) {
            self.finish(now, asked.transaction, status, &[]);
            self.go_on_ringing(now, id);
            return Ok(());
        }
        let asked = self.take_asked(id)?;
        self.refuse_transaction(now, asked.transaction, status, None);
        Ok(())
    }

    pub(super) fn reinvite(
        &mut self,
        now: Instant,
        id: LegId,
        offer: &Session,
    ) -> Result<(), CommandError> {
        let (mut request, flow) = self.next_change(id, Method::Invite)?;
        set_session(&mut request.headers, &mut request.body, offer);
        let purpose = Purpose::Offer(description(offer));
        self.send_change(now, id, request, flow, purpose);
        Ok(())
    }

    /// The next re-INVITE or UPDATE of a leg whose exchange is not open, without body, and where it goes.
    pub(super) fn next_change(
        &mut self,
        id: LegId,
        method: Method,
    ) -> Result<(Request, Flow), CommandError> {
        let full = self.transactions_are_full();
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        if !matches!(leg.state, State::Up(Exchange::Stable)) {
            return Err(CommandError::WrongState);
        }
        if full {
            return Err(CommandError::Overloaded);
        }
        let mut request = leg.dialog.next_request(method);
        let dialog = leg.dialog.clone();
        let (timer, min) = (leg.terms.timer, leg.terms.min_se);
        if timer.is_some() {
            self.write_timer(&mut request.headers, timer, min);
        }
        Ok((request, self.hop(&dialog)))
    }

    /// Sends a re-INVITE or UPDATE.
    pub(super) fn send_change(
        &mut self,
        now: Instant,
        id: LegId,
        request: Request,
        flow: Flow,
        purpose: Purpose,
    ) {
        let transaction = self.start_in_dialog(now, id, request, flow, Owner::Leg(id));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Up(Exchange::WeAsked {
                transaction,
                patience: Patience::Waiting,
                purpose,
            });
            self.out
                .timers
                .set(Due::Leg(id, LegTimer::Decision), now + CHANGE_MAX);
        }
    }

    /// The answer to our re-INVITE or UPDATE.
    pub(super) fn reinvite_answered(
        &mut self,
        now: Instant,
        id: LegId,
        essentials: &Essentials,
        response: &Response,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let State::Up(Exchange::WeAsked { transaction, .. }) = leg.state else {
            return;
        };
        let status = response.status;
        if status.is_provisional() {
            return;
        }
        let before = std::mem::replace(&mut leg.state, State::Up(Exchange::Stable));
        let State::Up(Exchange::WeAsked { purpose, .. }) = before else {
            return;
        };
        self.out.timers.cancel(Due::Leg(id, LegTimer::Decision));
        if status.is_success() {
            if essentials.cseq.method == Method::Invite {
                leg.dialog.refresh_target(&response.headers);
                let dialog = leg.dialog.clone();
                self.send_ack(&dialog, transaction, essentials.cseq.number, None);
            }
            return self.change_accepted(now, id, purpose, response);
        }
        if matches!(purpose, Purpose::Refresh) {
            return self.refresh_refused(now, id, response);
        }
        match status {
            // The far side no longer knows the call (RFC 3261 §12.2.1.2).
            Status::NO_DIALOG_OR_TRANSACTION | Status::REQUEST_TIMEOUT => {
                self.end_with_bye(now, id, EndReason::Lost, None)
            }
            _ => self.out.emit(Event::OfferFailed { leg: id, status }),
        }
    }

    fn change_accepted(&mut self, now: Instant, id: LegId, purpose: Purpose, response: &Response) {
        self.agree_timer(now, id, &response.headers);
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        leg.dialog.refresh_target(&response.headers);
        leg.terms.hear(&response.headers);
        let answer = read_answer(&response.headers, &response.body)
            .ok()
            .flatten();
        let is_another = answer
            .as_ref()
            .is_some_and(|answer| leg.terms.describes(answer));
        let is_recording = leg.is_recording;
        let event = match (purpose, answer) {
            (Purpose::Offer(ours), Some(answer)) => {
                leg.terms.ours = Some(ours);
                Event::OfferAnswered { leg: id, answer }
            }
            (Purpose::Offer(_), None) => Event::OfferFailed {
                leg: id,
                status: Status::NOT_ACCEPTABLE_HERE,
            },
            // A recorder's answer means something to what was asked of it: a refresh asks for nothing.
            (Purpose::Refresh, Some(answer)) if is_another && !is_recording => {
                Event::OfferAnswered { leg: id, answer }
            }
            (Purpose::Refresh, _) => return,
        };
        self.out.emit(event);
    }

    /// The far side has not answered our re-INVITE: it is cancelled, and if that is not answered either, the call is ended.
    pub(super) fn change_unanswered(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let State::Up(Exchange::WeAsked {
            transaction,
            patience,
            ..
        }) = &mut leg.state
        else {
            return;
        };
        let cancel = self.clients.cancel_of(*transaction);
        match (*patience, cancel) {
            (Patience::Waiting, Some((cancel, flow))) => {
                *patience = Patience::Cancelled;
                self.clients
                    .start(&mut self.out, now, cancel, flow, Owner::Nobody);
                self.out
                    .timers
                    .set(Due::Leg(id, LegTimer::Decision), now + CANCELLED_CHANGE_MAX);
            }
            (Patience::Waiting, None) | (Patience::Cancelled, _) => {
                let transaction = *transaction;
                self.clients.remove(&mut self.out, transaction);
                self.provable.remove(&transaction);
                self.end_with_bye(now, id, EndReason::Timeout, None);
            }
        }
    }

    /// Ends a leg, whatever its state asks for.
    pub(super) fn hang_up(
        &mut self,
        now: Instant,
        id: LegId,
        reason: Option<String>,
    ) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        match &leg.state {
            State::Cancelling(_) | State::Draining(..) => return Err(CommandError::BugUnknownLeg),
            State::Calling(_) => self.cancel_call(now, id, reason),
            State::Ringing(_) => {
                self.refuse_call(
                    now,
                    id,
                    Status::TEMPORARILY_UNAVAILABLE,
                    None,
                    EndReason::HungUp,
                );
                return Ok(());
            }
            State::Up(Exchange::Unacknowledged(_)) => drain(leg, reason),
            State::Up(_) => self.hang_up_answered(now, id, reason.as_deref()),
        }
        self.out.emit(Event::Ended {
            leg: id,
            reason: EndReason::HungUp,
        });
        Ok(())
    }

    pub(super) fn hang_up_answered(&mut self, now: Instant, id: LegId, reason: Option<&str>) {
        let Some(mut leg) = self.remove_leg(now, id) else {
            return;
        };
        match leg.state {
            State::Up(Exchange::TheyAsked(asked)) => {
                self.refuse_transaction(now, asked.transaction, Status::REQUEST_TERMINATED, None)
            }
            State::Up(Exchange::OweAck {
                transaction,
                number,
            }) => self.send_ack(&leg.dialog, transaction, number, None),
            _ => {}
        }
        let prover = leg.terms.prover.take();
        self.send_bye(now, &mut leg.dialog, reason, prover);
    }
}

/// The BYE waits for the ACK of our 2xx.
fn drain(leg: &mut Leg, reason: Option<String>) {
    match std::mem::replace(&mut leg.state, State::Up(Exchange::Stable)) {
        State::Up(Exchange::Unacknowledged(waiting)) => {
            leg.state = State::Draining(waiting, reason)
        }
        state => leg.state = state,
    }
}
