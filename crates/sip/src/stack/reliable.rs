//! Reliable provisional responses (RFC 3262), both roles.
//! Owns: `RSeq` and `RAck`, our repeats, the order in which ours go out and theirs are acknowledged.
//! Never: decides that a call rings.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Stack;
use super::command::CommandError;
use super::early::{Early, FORKS_MAX, Fork};
use super::event::{EndReason, Event, LegId};
use super::flow::Flow;
use super::leg::{Leg, Ringing, Side, State, Terms};
use super::outbox::{Due, LegTimer};
use super::receive::Arrival;
use super::write::{SDP, description, read_session, set_session};
use crate::message::{
    Essentials, HeaderMap, HeaderName, Method, RAck, Response, Status, Wire, lex,
};
use crate::sdp::Session;
use crate::transaction::{Owner, ServerId, T1};

/// The option tag of reliable provisional responses.
pub(super) const REL100: &str = "100rel";

/// Responses that wait until the one before is acknowledged: a call that rings has a handful. More are refused to our caller.
const WAITING_MAX: usize = 8;

/// How long a response is repeated before its INVITE is refused.
const REPEATED_MAX: Duration = Duration::from_secs(32);

/// Largest `RSeq` to begin with ([RFC 3262](https://www.rfc-editor.org/rfc/rfc3262)).
const FIRST_MAX: u64 = 0x7FFF_FFFF;

/// What a caller says of reliable responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Demand {
    /// It does not know them.
    #[default]
    None,
    /// It takes them.
    Supported,
    /// It wants no other.
    Required,
}

impl Demand {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.has_token(&HeaderName::REQUIRE, REL100) {
            Self::Required
        } else if headers.has_token(&HeaderName::SUPPORTED, REL100) {
            Self::Supported
        } else {
            Self::None
        }
    }
}

/// Our reliable responses to an INVITE, and what waits for them.
#[derive(Debug)]
pub(crate) struct Reliable {
    demand: Demand,
    /// `RSeq` of the last that was sent.
    last: u32,
    unacknowledged: Option<Provisional>,
    waiting: VecDeque<(Status, Option<Session>)>,
    /// The call is accepted, once nothing is open any more.
    accepted: Option<Box<Session>>,
    pub(crate) early: Early,
}

#[derive(Debug)]
struct Provisional {
    wire: Wire,
    flow: Flow,
    since: Instant,
    interval: Duration,
    bears_session: bool,
}

impl Reliable {
    pub(super) fn new(demand: Demand, first: u64) -> Self {
        Self {
            demand,
            last: u32::try_from(first % FIRST_MAX).unwrap_or_default(),
            unacknowledged: None,
            waiting: VecDeque::new(),
            accepted: None,
            early: Early::Open,
        }
    }

    /// The 2xx has to wait: a description of ours is not acknowledged, or a change is open.
    fn holds_back(&self) -> bool {
        let bears_session = self
            .unacknowledged
            .as_ref()
            .is_some_and(|provisional| provisional.bears_session);
        bears_session || !matches!(self.early, Early::Open | Early::Stable)
    }
}

/// As the side that was called.
impl Stack {
    /// Sends a provisional response, reliably where the caller wants it so.
    pub(super) fn send_provisional(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
        session: Option<&Session>,
    ) -> Result<(), CommandError> {
        let may = self.config.reliable_where_supported;
        let ringing = self.ringing_mut(id)?;
        let is_reliable = match ringing.reliable.demand {
            Demand::None => false,
            Demand::Supported => may && session.is_some(),
            Demand::Required => true,
        };
        let transaction = ringing.transaction;
        if !is_reliable {
            let session = session.filter(|_| !ringing.reliable.early.is_agreed());
            let mut response = self.response(status, self.servers.fields(transaction));
            if let Some(session) = session {
                set_session(&mut response.headers, &mut response.body, session);
            }
            self.servers
                .respond(&mut self.out, now, transaction, &response);
            return Ok(());
        }
        let owes_offer =
            ringing.offered_by == Side::Us && matches!(ringing.reliable.early, Early::Open);
        if owes_offer && session.is_none() && ringing.reliable.unacknowledged.is_none() {
            return Err(CommandError::WrongState);
        }
        if ringing.reliable.unacknowledged.is_some() {
            if ringing.reliable.waiting.len() >= WAITING_MAX {
                return Err(CommandError::Overloaded);
            }
            let session = session.cloned();
            ringing.reliable.waiting.push_back((status, session));
            return Ok(());
        }
        self.send_reliable(now, id, status, session);
        Ok(())
    }

    fn send_reliable(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
        session: Option<&Session>,
    ) {
        let Ok(ringing) = self.ringing_mut(id) else {
            return;
        };
        ringing.reliable.last += 1;
        let (number, transaction) = (ringing.reliable.last, ringing.transaction);
        let session = session.filter(|_| matches!(ringing.reliable.early, Early::Open));
        if session.is_some() && ringing.offered_by == Side::Us {
            ringing.reliable.early = Early::WeOffered;
        }
        let mut response = self.response(status, self.servers.fields(transaction));
        response.headers.push(HeaderName::REQUIRE, REL100);
        response.headers.push_displayed(HeaderName::RSEQ, number);
        if let Some(session) = session {
            set_session(&mut response.headers, &mut response.body, session);
        }
        let sent = self
            .servers
            .respond(&mut self.out, now, transaction, &response);
        let Some((wire, flow)) = sent else {
            return;
        };
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Provisional), now + T1);
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        if let Some(session) = session {
            leg.terms.ours = Some(description(session));
        }
        if let State::Ringing(ringing) = &mut leg.state {
            ringing.reliable.unacknowledged = Some(Provisional {
                wire,
                flow,
                since: now,
                interval: T1,
                bears_session: session.is_some(),
            });
        }
    }

    /// The last response was not acknowledged yet: it goes again, for 32 s; then the call is refused.
    pub(super) fn repeat_provisional(&mut self, now: Instant, id: LegId) {
        let Ok(ringing) = self.ringing_mut(id) else {
            return;
        };
        let Some(open) = &mut ringing.reliable.unacknowledged else {
            return;
        };
        if now.saturating_duration_since(open.since) >= REPEATED_MAX {
            let status = Status::SERVER_TIMEOUT;
            return self.refuse_call(now, id, status, None, EndReason::Timeout);
        }
        open.interval *= 2;
        let (flow, wire) = (open.flow, open.wire.clone());
        let next = (now + open.interval).min(open.since + REPEATED_MAX);
        self.out.repeat(flow, wire);
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Provisional), next);
    }

    pub(super) fn receive_prack(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
    ) {
        let headers = &arrival.request.headers;
        let Some(acknowledged) = headers.first(&HeaderName::RACK).and_then(RAck::parse) else {
            return self.finish(now, transaction, Status::BAD_REQUEST, &[]);
        };
        let session = match read_session(headers, &arrival.request.body) {
            Ok(session) => session,
            Err(status) => {
                let accept = (HeaderName::ACCEPT, SDP.to_owned());
                return self.finish(now, transaction, status, &[accept]);
            }
        };
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let names_last = |ringing: &Ringing| {
            acknowledged.method == Method::Invite
                && acknowledged.number == ringing.number
                && acknowledged.response == ringing.reliable.last
        };
        let bears_session = match &mut leg.state {
            State::Ringing(ringing) if names_last(ringing) => ringing
                .reliable
                .unacknowledged
                .take()
                .map(|open| open.bears_session),
            // The final answer has overtaken it.
            State::Up(_) if leg.terms.last_reliable == Some(acknowledged.response) => {
                return self.finish(now, transaction, Status::OK, &[]);
            }
            _ => None,
        };
        let Some(bears_session) = bears_session else {
            return self.finish(now, transaction, Status::NO_DIALOG_OR_TRANSACTION, &[]);
        };
        self.out.timers.cancel(Due::Leg(id, LegTimer::Provisional));
        self.acknowledged_early(now, arrival, id, transaction, (bears_session, session));
        self.go_on_ringing(now, id);
    }

    /// What a PRACK does to the exchange.
    fn acknowledged_early(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
        (bears_session, session): (bool, Option<Session>),
    ) {
        let Ok(ringing) = self.ringing_mut(id) else {
            return;
        };
        let early = &mut ringing.reliable.early;
        if bears_session && matches!(early, Early::Open) {
            *early = Early::Stable;
        }
        match (&*early, session) {
            (Early::WeOffered, Some(answer)) => {
                *early = Early::Stable;
                self.finish(now, transaction, Status::OK, &[]);
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.terms.describes(&answer);
                }
                self.out.emit(Event::OfferAnswered { leg: id, answer });
            }
            // Without an answer to our offer there will be no session.
            (Early::WeOffered, None) => {
                self.finish(now, transaction, Status::OK, &[]);
                let status = Status::NOT_ACCEPTABLE_HERE;
                self.refuse_call(now, id, status, None, EndReason::Lost);
            }
            (_, None) => self.finish(now, transaction, Status::OK, &[]),
            (Early::Stable, Some(offer)) => {
                self.offered_early(now, arrival, id, transaction, offer)
            }
            (_, Some(_)) => self.finish(now, transaction, Status::REQUEST_PENDING, &[]),
        }
    }

    /// What had to wait goes on: the next response, or the 2xx.
    pub(super) fn go_on_ringing(&mut self, now: Instant, id: LegId) {
        let Ok(ringing) = self.ringing_mut(id) else {
            return;
        };
        let reliable = &mut ringing.reliable;
        if reliable.accepted.is_some() {
            if !reliable.holds_back()
                && let Some(session) = reliable.accepted.take()
            {
                let _unless_gone = self.accept_call(now, id, &session);
            }
        } else if reliable.unacknowledged.is_none()
            && let Some((status, session)) = reliable.waiting.pop_front()
        {
            self.send_reliable(now, id, status, session.as_ref());
        }
    }

    /// Whether the 2xx has to wait; then it goes by itself later.
    pub(super) fn hold_back(&mut self, id: LegId, session: &Session) -> bool {
        let Ok(ringing) = self.ringing_mut(id) else {
            return false;
        };
        let waits = ringing.reliable.holds_back();
        if waits {
            ringing.reliable.accepted = Some(Box::new(session.clone()));
        }
        waits
    }

    /// The 2xx goes: responses before it are not repeated any more. Whether both have agreed on a session already.
    pub(super) fn end_provisionals(&mut self, id: LegId) -> bool {
        self.out.timers.cancel(Due::Leg(id, LegTimer::Provisional));
        let Some(leg) = self.legs.get_mut(&id) else {
            return false;
        };
        let State::Ringing(ringing) = &leg.state else {
            return false;
        };
        let open = ringing.reliable.unacknowledged.is_some();
        leg.terms.last_reliable = open.then_some(ringing.reliable.last);
        ringing.reliable.early.is_agreed()
    }

    fn ringing_mut(&mut self, id: LegId) -> Result<&mut Ringing, CommandError> {
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        match &mut leg.state {
            State::Ringing(ringing) => Ok(ringing),
            _ => Err(CommandError::WrongState),
        }
    }
}

/// As the side that calls.
impl Stack {
    /// A provisional response that is more than 100.
    pub(super) fn hear_provisional(
        &mut self,
        now: Instant,
        id: LegId,
        essentials: &Essentials,
        response: &Response,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let headers = &response.headers;
        let number = headers
            .has_token(&HeaderName::REQUIRE, REL100)
            .then(|| {
                headers
                    .first(&HeaderName::RSEQ)
                    .and_then(lex::decimal::<u32>)
            })
            .flatten();
        let fork = leg.fork(essentials, response);
        let session = read_session(headers, &response.body).ok().flatten();
        let Some(fork) = fork else {
            return self.rings(id, response.status, None);
        };
        if let Some(number) = number {
            // Out of order, or once more: neither acknowledged nor heard.
            if fork
                .last
                .is_some_and(|last| last.checked_add(1) != Some(number))
            {
                return;
            }
            fork.last = Some(number);
        }
        let is_open = matches!(fork.early, Early::Open);
        let (is_offered, tag) = (leg.has_offered(), essentials.to.tag().unwrap_or_default());
        let answer = session.clone().filter(|_| is_offered && is_open);
        let late_offer = session.filter(|_| !is_offered && is_open && number.is_some());
        let owes = number.filter(|_| late_offer.is_some());
        if let State::Calling(calling) = &mut leg.state
            && let Some(answer) = &answer
        {
            calling.early = Some((tag.to_owned(), answer.clone()));
        }
        if let Some(fork) = leg.fork(essentials, response) {
            if let Some(session) = answer.as_ref().or(late_offer.as_ref()) {
                fork.terms.describes(session);
            }
            if let Some(response) = owes {
                let number = essentials.cseq.number;
                fork.early = Early::OwePrack { response, number };
            } else if answer.is_some() && number.is_some() {
                fork.early = Early::Stable;
            }
        }
        if let Some(number) = number.filter(|_| owes.is_none()) {
            self.send_prack(now, id, (number, essentials.cseq.number), (tag, None));
        }
        self.rings(id, response.status, answer);
        if late_offer.is_some() {
            let offer = late_offer;
            self.out.emit(Event::Offered { leg: id, offer });
        }
    }

    fn rings(&mut self, leg: LegId, status: Status, answer: Option<Session>) {
        self.out.emit(Event::Progress {
            leg,
            status,
            answer,
        });
    }

    fn send_prack(
        &mut self,
        now: Instant,
        id: LegId,
        (response, number): (u32, u32),
        (tag, answer): (&str, Option<&Session>),
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let Some(found) = leg.early(|dialog, _| dialog.remote.tag() == Some(tag)) else {
            return;
        };
        let mut request = found.dialog.next_request(Method::Prack);
        let dialog = found.dialog.clone();
        let acknowledged = RAck {
            response,
            number,
            method: Method::Invite,
        };
        request
            .headers
            .push_displayed(HeaderName::RACK, acknowledged);
        if let Some(answer) = answer {
            set_session(&mut request.headers, &mut request.body, answer);
        }
        let flow = self.hop(&dialog);
        self.start_in_dialog(now, id, request, flow, Owner::Nobody);
    }

    /// Answers an offer that came in a reliable response, in its PRACK. Whether one was open.
    pub(super) fn answer_in_prack(&mut self, now: Instant, id: LegId, answer: &Session) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else {
            return false;
        };
        let owes = |_: &_, early: &Early| matches!(early, Early::OwePrack { .. });
        let Some(found) = leg.early(owes) else {
            return false;
        };
        let Early::OwePrack { response, number } = *found.early else {
            return false;
        };
        *found.early = Early::Stable;
        found.terms.ours = Some(description(answer));
        let tag = found.dialog.remote.tag().unwrap_or_default().to_owned();
        self.send_prack(now, id, (response, number), (&tag, Some(answer)));
        true
    }

    /// Whether a far side's offer waits for our PRACK.
    pub(super) fn owes_prack(&mut self, id: LegId) -> bool {
        let owes = |_: &_, early: &Early| matches!(early, Early::OwePrack { .. });
        self.legs
            .get_mut(&id)
            .is_some_and(|leg| leg.early(owes).is_some())
    }
}

impl Leg {
    /// Our INVITE bore an offer.
    fn has_offered(&self) -> bool {
        matches!(&self.state, State::Calling(calling) if calling.attempt.offer.is_some())
    }

    /// The far side that sent a provisional response; a new one gets its early dialog. None: it has no tag, or there are too many.
    fn fork(&mut self, essentials: &Essentials, response: &Response) -> Option<&mut Fork> {
        let State::Calling(calling) = &mut self.state else {
            return None;
        };
        let tag = essentials.to.tag()?;
        let known = |fork: &Fork| fork.dialog.remote.tag() == Some(tag);
        let at = match calling.forks.iter().position(known) {
            Some(at) => at,
            None if calling.forks.len() < FORKS_MAX => {
                let mut dialog = self.dialog.clone();
                dialog.establish(essentials, response);
                calling.forks.push(Fork {
                    dialog,
                    terms: Terms::of_ours(calling.attempt.offer.as_ref()),
                    last: None,
                    early: Early::Open,
                    has_moved: false,
                });
                calling.forks.len() - 1
            }
            None => return None,
        };
        let fork = calling.forks.get_mut(at)?;
        fork.terms.hear(&response.headers);
        fork.terms.identity.learn(&response.headers);
        Some(fork)
    }
}
