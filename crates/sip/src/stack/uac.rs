//! Calls that go out (RFC 3261 §13.2), until they are answered.

use std::time::{Duration, Instant};

use super::Stack;
use super::challenge::CREDENTIAL_TRIES_MAX;
use super::command::CommandError;
use super::config::Credentials;
use super::early::{Early, Fork};
use super::event::{EndReason, Event, LegId};
use super::flow::Flow;
use super::leg::{Attempt, Calling, Cancelling, Exchange, Heard, Leg, State, Terms};
use super::outbox::{Due, LegTimer};
use super::session_timer::raised;
use super::write::{description, read_answer, set_session};
use crate::dialog::Dialog;
use crate::digest::{Prover, Turn};
use crate::message::{
    Essentials, HeaderMap, HeaderName, Known, Method, NameAddr, Response, Status, Uri,
};
use crate::sdp::Session;
use crate::transaction::{ClientId, Owner, Timer};

/// Times an INVITE is sent again for a longer session: each hop of a chain may ask for more.
const RAISES_MAX: u8 = 3;

/// How long a late offer may wait for our caller's answer: as long as the far side repeats its 2xx.
const ACK_ANSWER_MAX: Duration = Duration::from_secs(30);

/// What an outgoing call is made of.
pub(super) struct Outgoing {
    pub(super) leg: LegId,
    pub(super) target: Uri,
    pub(super) to: Option<NameAddr>,
    pub(super) from: NameAddr,
    pub(super) flow: Flow,
    pub(super) offer: Option<Session>,
    pub(super) metadata: Option<String>,
    pub(super) max_forwards: Option<u8>,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) credentials: Option<Credentials>,
}

impl Stack {
    pub(super) fn invite(&mut self, now: Instant, call: Outgoing) -> Result<(), CommandError> {
        if self.legs.contains_key(&call.leg) {
            return Err(CommandError::BugLegInUse);
        }
        if call.leg.0 > self.last_leg {
            return Err(CommandError::BugUnknownLeg);
        }
        if self.legs.len() >= self.config.limits.legs_max || self.transactions_are_full() {
            return Err(CommandError::Overloaded);
        }
        let tag = self.ids.tag();
        let call_id = self.ids.call_id();
        let mut to = call
            .to
            .unwrap_or_else(|| NameAddr::new(call.target.clone()));
        to.params.remove("tag");
        let mut dialog = Dialog::outgoing(
            call_id.clone(),
            call.from.with_tag(&tag),
            to,
            call.target,
            call.flow,
        );
        dialog.reach = self.reach(call.flow);
        let headers = extra_headers(call.max_forwards, call.headers);
        let attempt = Attempt {
            headers,
            offer: call.offer,
            metadata: call.metadata,
            flow: call.flow,
            prover: call
                .credentials
                .or_else(|| self.peer_credentials(call.flow))
                .map(|credentials| Box::new(Prover::new(credentials))),
            tries: 0,
            min_se: None,
            raises: 0,
        };
        self.dialogs.insert((call_id, tag), call.leg);
        self.out.timers.set(
            Due::Leg(call.leg, LegTimer::Ring),
            now + self.config.limits.ring_max,
        );
        self.attempt(now, call.leg, dialog, attempt, None);
        Ok(())
    }

    /// Sends an INVITE and puts its leg into the table.
    fn attempt(
        &mut self,
        now: Instant,
        id: LegId,
        mut dialog: Dialog,
        attempt: Attempt,
        proof: Option<(HeaderName, String)>,
    ) {
        let mut request = dialog.next_request(Method::Invite);
        for field in attempt.headers.iter() {
            if *field.name == HeaderName::MAX_FORWARDS {
                request.headers.remove(field.name);
            }
            request.headers.push(field.name.clone(), field.value());
        }
        if let Some((name, value)) = proof {
            request.headers.push(name, value);
        }
        match (&attempt.offer, &attempt.metadata) {
            (Some(offer), Some(metadata)) => {
                self.set_recording(&mut request, (offer, metadata), attempt.flow);
            }
            (Some(offer), None) => set_session(&mut request.headers, &mut request.body, offer),
            (None, _) => {}
        }
        self.write_timer(&mut request.headers, None, attempt.min_se);
        self.finish_request(&mut request, attempt.flow);
        let transaction =
            self.clients
                .start(&mut self.out, now, request, attempt.flow, Owner::Leg(id));
        let calling = Calling {
            transaction,
            heard: Heard::Nothing,
            early: None,
            forks: Vec::new(),
            attempt,
        };
        self.legs.insert(
            id,
            Leg {
                id,
                dialog,
                invite: Some(transaction),
                is_recording: false,
                terms: Terms::default(),
                state: State::Calling(Box::new(calling)),
            },
        );
    }

    /// A response to an INVITE of ours, the first or a later one.
    pub(super) fn invite_answered(
        &mut self,
        now: Instant,
        id: LegId,
        transaction: ClientId,
        essentials: &Essentials,
        response: &Response,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return self.end_fork(now, transaction, essentials, response);
        };
        match &mut leg.state {
            State::Calling(calling) if calling.transaction == transaction => {
                if response.status.is_provisional() {
                    return self.progress(now, id, essentials, response);
                }
                self.calling_answered(now, id, essentials, response);
            }
            State::Cancelling(cancelling) if cancelling.transaction == transaction => {
                self.cancelling_answered(now, id, essentials, response);
            }
            State::Up(Exchange::WeAsked {
                transaction: asked, ..
            }) if *asked == transaction => {
                self.reinvite_answered(now, id, essentials, response);
            }
            // A repeat of the 2xx while the ACK is owed.
            State::Up(Exchange::OweAck {
                transaction: owed, ..
            }) if *owed == transaction && leg.dialog.remote.tag() == essentials.to.tag() => {}
            State::Calling(_)
            | State::Cancelling(_)
            | State::Ringing(_)
            | State::Up(_)
            | State::Draining(..) => {
                self.end_fork(now, transaction, essentials, response);
            }
        }
    }

    fn progress(&mut self, now: Instant, id: LegId, essentials: &Essentials, response: &Response) {
        if let Some(Leg {
            state: State::Calling(calling),
            ..
        }) = self.legs.get_mut(&id)
        {
            calling.heard = Heard::Provisional;
        }
        if response.status != Status::TRYING {
            self.hear_provisional(now, id, essentials, response);
        }
    }

    /// The final answer to the INVITE that began a leg.
    fn calling_answered(
        &mut self,
        now: Instant,
        id: LegId,
        essentials: &Essentials,
        response: &Response,
    ) {
        let fork = self.take_fork(id, essentials, response);
        let Some(Leg {
            mut dialog,
            mut terms,
            state: State::Calling(mut calling),
            ..
        }) = self.remove_leg(now, id)
        else {
            return;
        };
        if !response.status.is_success() {
            return self.call_refused(now, id, dialog, *calling, response);
        }
        terms.ours = calling.attempt.offer.as_ref().map(description);
        let (mut early, mut has_moved) = (Early::Open, false);
        if let Some(fork) = fork {
            (dialog, terms) = (fork.dialog, fork.terms);
            (early, has_moved) = (fork.early, fork.has_moved);
        }
        dialog.establish(essentials, response);
        terms.hear(&response.headers);
        terms.identity.learn(&response.headers);
        terms.min_se = calling.attempt.min_se;
        let (transaction, number) = (calling.transaction, essentials.cseq.number);
        let is_recording = calling.attempt.metadata.is_some();
        terms.prover = calling.attempt.prover.take();
        let agreed = agreement(*calling, (&early, has_moved), essentials, response);
        if let Agreement::None = agreed {
            self.send_ack(&dialog, transaction, number, None);
            self.send_bye(now, &mut dialog, None, terms.prover);
            return self.out.emit(Event::Failed {
                leg: id,
                status: Status::NOT_ACCEPTABLE_HERE,
                retry_after: None,
            });
        }
        let exchange = if let Agreement::Offered(_) = agreed {
            self.out
                .timers
                .set(Due::Leg(id, LegTimer::Decision), now + ACK_ANSWER_MAX);
            Exchange::OweAck {
                transaction,
                number,
            }
        } else {
            self.send_ack(&dialog, transaction, number, None);
            self.carry_over(now, id, early)
        };
        if let Agreement::Reached(Some(session)) | Agreement::Offered(session) = &agreed {
            terms.describes(session);
        }
        self.put_back(Leg {
            id,
            dialog,
            invite: Some(transaction),
            is_recording,
            terms,
            state: State::Up(exchange),
        });
        self.agree_timer(now, id, &response.headers);
        self.out.emit(agreed.told(id));
    }

    /// The early dialog that a 2xx confirms.
    fn take_fork(
        &mut self,
        id: LegId,
        essentials: &Essentials,
        response: &Response,
    ) -> Option<Fork> {
        let leg = self.legs.get_mut(&id)?;
        let State::Calling(calling) = &mut leg.state else {
            return None;
        };
        let tag = essentials.to.tag().filter(|_| response.status.is_success());
        let known = |fork: &Fork| fork.dialog.remote.tag() == tag;
        let at = calling.forks.iter().position(known)?;
        Some(calling.forks.swap_remove(at))
    }

    /// Puts a leg that keeps its names back into the tables.
    fn put_back(&mut self, leg: Leg) {
        let tag = leg.dialog.local.tag().unwrap_or_default().to_owned();
        self.dialogs
            .insert((leg.dialog.call_id.clone(), tag), leg.id);
        self.legs.insert(leg.id, leg);
    }

    fn call_refused(
        &mut self,
        now: Instant,
        id: LegId,
        dialog: Dialog,
        calling: Calling,
        response: &Response,
    ) {
        let mut attempt = calling.attempt;
        if attempt.tries < CREDENTIAL_TRIES_MAX
            && let Some(proof) = self.proof_for(&dialog.target, &mut attempt, response)
        {
            attempt.tries += 1;
            return self.attempt_again(now, id, dialog, attempt, Some(proof));
        }
        let before = attempt.min_se.unwrap_or(self.config.session_expires);
        if response.status == Status::SESSION_INTERVAL_TOO_SMALL
            && attempt.raises < RAISES_MAX
            && let Some(min) = raised(&response.headers, before)
        {
            attempt.raises += 1;
            attempt.min_se = Some(min);
            return self.attempt_again(now, id, dialog, attempt, None);
        }
        self.out.emit(Event::Failed {
            leg: id,
            status: response.status,
            retry_after: retry_after(&response.headers),
        });
    }

    fn attempt_again(
        &mut self,
        now: Instant,
        id: LegId,
        dialog: Dialog,
        attempt: Attempt,
        proof: Option<(HeaderName, String)>,
    ) {
        let tag = dialog.local.tag().unwrap_or_default().to_owned();
        self.dialogs.insert((dialog.call_id.clone(), tag), id);
        self.out.timers.set(
            Due::Leg(id, LegTimer::Ring),
            now + self.config.limits.ring_max,
        );
        self.attempt(now, id, dialog, attempt, proof);
    }

    /// The answer to a challenge of an INVITE.
    fn proof_for(
        &mut self,
        target: &Uri,
        attempt: &mut Attempt,
        response: &Response,
    ) -> Option<(HeaderName, String)> {
        let turn = match attempt.tries {
            0 => Turn::First,
            _ => Turn::Again,
        };
        let cnonce = self.ids.cnonce();
        attempt.prover.as_mut()?.answer(
            (response.status, &response.headers),
            (Method::Invite.as_str(), &target.to_string()),
            &cnonce,
            turn,
        )
    }

    fn cancelling_answered(
        &mut self,
        now: Instant,
        id: LegId,
        essentials: &Essentials,
        response: &Response,
    ) {
        let Some(Leg {
            state: State::Cancelling(cancelling),
            ..
        }) = self.legs.get_mut(&id)
        else {
            return;
        };
        let transaction = cancelling.transaction;
        if response.status.is_provisional() {
            if cancelling.heard == Heard::Nothing {
                cancelling.heard = Heard::Provisional;
                let reason = cancelling.reason.take();
                self.send_cancel(now, id, transaction, reason);
            }
            return;
        }
        self.remove_leg(now, id);
        if response.status.is_success() {
            self.end_fork(now, transaction, essentials, response);
        }
    }

    /// Acknowledges a 2xx that nobody wants any more, and ends its dialog.
    fn end_fork(
        &mut self,
        now: Instant,
        transaction: ClientId,
        essentials: &Essentials,
        response: &Response,
    ) {
        if !response.status.is_success() {
            return;
        }
        let Some((target, flow)) = self.clients.target(transaction) else {
            return;
        };
        let mut dialog = Dialog::outgoing(
            essentials.call_id.clone(),
            essentials.from.clone(),
            essentials.to.clone(),
            target.clone(),
            flow,
        );
        dialog.local_number = essentials.cseq.number;
        dialog.establish(essentials, response);
        self.send_ack(&dialog, transaction, essentials.cseq.number, None);
        self.send_bye(now, &mut dialog, None, None);
    }

    /// Gives up an INVITE of ours: the CANCEL goes at once if a provisional answer came, else with the first one.
    pub(super) fn cancel_call(&mut self, now: Instant, id: LegId, reason: Option<String>) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let State::Calling(calling) = &leg.state else {
            return;
        };
        let (transaction, heard) = (calling.transaction, calling.heard);
        let held = reason.clone().filter(|_| heard == Heard::Nothing);
        let cancelling = State::Cancelling(Cancelling {
            transaction,
            heard,
            reason: held,
        });
        if let Some(mut leg) = self.legs.remove(&id) {
            self.drop_early(now, &mut leg);
            leg.state = cancelling;
            self.legs.insert(id, leg);
        }
        self.out.timers.cancel(Due::Leg(id, LegTimer::Ring));
        if heard == Heard::Provisional {
            self.send_cancel(now, id, transaction, reason);
        }
    }

    fn send_cancel(
        &mut self,
        now: Instant,
        id: LegId,
        transaction: ClientId,
        reason: Option<String>,
    ) {
        let give_up = Timer::B.first(super::Transport::Udp).unwrap_or_default();
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Cancelled), now + give_up);
        if let Some((mut cancel, flow)) = self.clients.cancel_of(transaction) {
            if let Some(reason) = reason {
                cancel.headers.push(HeaderName::REASON, reason);
            }
            self.clients
                .start(&mut self.out, now, cancel, flow, Owner::Nobody);
        }
    }

    /// Nobody answered an INVITE of ours in time.
    pub(super) fn invite_timed_out(&mut self, now: Instant, id: LegId, transaction: ClientId) {
        if self.early_answered(now, id, transaction, None) {
            return;
        }
        let Some(leg) = self.legs.get(&id) else {
            return;
        };
        if leg.terms.refresh == Some(transaction) {
            return self.end_expired(now, id, EndReason::Timeout);
        }
        match &leg.state {
            State::Calling(calling) if calling.transaction == transaction => {
                self.remove_leg(now, id);
                self.out.emit(Event::Failed {
                    leg: id,
                    status: Status::REQUEST_TIMEOUT,
                    retry_after: None,
                });
            }
            State::Cancelling(_) => {
                self.remove_leg(now, id);
            }
            State::Up(Exchange::WeAsked {
                transaction: asked, ..
            }) if *asked == transaction => {
                self.end_with_bye(now, id, EndReason::Timeout, None);
            }
            State::Calling(_) | State::Ringing(_) | State::Up(_) | State::Draining(..) => {}
        }
    }

    pub(super) fn ack_answer(&mut self, id: LegId, answer: &Session) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        let State::Up(Exchange::OweAck {
            transaction,
            number,
        }) = leg.state
        else {
            return Err(CommandError::WrongState);
        };
        leg.state = State::Up(Exchange::Stable);
        leg.terms.ours = Some(description(answer));
        let dialog = leg.dialog.clone();
        self.out.timers.cancel(Due::Leg(id, LegTimer::Decision));
        self.send_ack(&dialog, transaction, number, Some(answer));
        Ok(())
    }
}

/// What a 2xx says of the session.
enum Agreement {
    /// Nothing: the call cannot be.
    None,
    /// There is one, with this answer, unless it was changed before the 2xx.
    Reached(Option<Session>),
    /// The far side offers one.
    Offered(Session),
}

impl Agreement {
    /// As our caller hears of it.
    fn told(self, leg: LegId) -> Event {
        let (answer, late_offer) = match self {
            Self::Offered(offer) => (None, Some(offer)),
            Self::Reached(answer) => (answer, None),
            Self::None => (None, None),
        };
        Event::Answered {
            leg,
            answer,
            late_offer,
        }
    }
}

/// The session of a 2xx: what was settled before, else its own, else, if we offered, the one that its sender gave for early media.
fn agreement(
    calling: Calling,
    (early, has_moved): (&Early, bool),
    essentials: &Essentials,
    response: &Response,
) -> Agreement {
    let is_offered = calling.attempt.offer.is_some();
    let first = calling
        .early
        .filter(|(tag, _)| is_offered && Some(tag.as_str()) == essentials.to.tag())
        .map(|(_, session)| session);
    if early.is_agreed() {
        return Agreement::Reached(first.filter(|_| !has_moved));
    }
    let own = read_answer(&response.headers, &response.body)
        .ok()
        .flatten();
    match (own, first) {
        (Some(own), _) if is_offered => Agreement::Reached(Some(own)),
        (Some(own), _) => Agreement::Offered(own),
        (None, Some(first)) => Agreement::Reached(Some(first)),
        (None, None) => Agreement::None,
    }
}

/// Only names of the allow-list are written, so that nothing of one leg leaks into the other unseen.
fn extra_headers(max_forwards: Option<u8>, wanted: Vec<(HeaderName, String)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(hops) = max_forwards {
        headers.push_displayed(HeaderName::MAX_FORWARDS, hops);
    }
    for (name, value) in wanted.into_iter().filter(|(name, _)| is_allowed(name)) {
        headers.push(name, value);
    }
    headers
}

/// What may be carried, what is said of the caller, and what an `X-` name says, our own among them.
fn is_allowed(name: &HeaderName) -> bool {
    let is_private = |name: &str| {
        let head = name.get(..2);
        head.is_some_and(|head| head.eq_ignore_ascii_case("X-"))
    };
    match name {
        HeaderName::Known(
            Known::PAssertedIdentity | Known::Privacy | Known::Date | Known::Replaces,
        ) => true,
        HeaderName::Other(name) if is_private(name) => true,
        name => name.may_be_carried(),
    }
}

/// What a refusal asks to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .first(&HeaderName::RETRY_AFTER)
        .and_then(leading_number)?;
    Some(Duration::from_secs(seconds))
}

/// The number at the start of `Retry-After`.
fn leading_number(value: &[u8]) -> Option<u64> {
    let end = value
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(value.len());
    crate::message::lex::decimal(&value[..end])
}
