//! REFER (RFC 3515) inside a call, and the subscription that it makes.
//! Owns: one open referral of each leg, what its far side hears of it, and for how long.
//! Never: calls anybody.

use std::time::{Duration, Instant};

use super::Stack;
use super::command::CommandError;
use super::event::{Event, LegId, Referral};
use super::leg::{Leg, State};
use super::outbox::{Due, LegTimer};
use super::receive::Arrival;
use crate::message::{
    Body, HeaderError, HeaderMap, HeaderName, Method, NameAddr, ReferTo, Response, Status, lex,
};
use crate::transaction::{Owner, ServerId};

/// Option tag of RFC 3891.
pub(super) const REPLACES: &str = "replaces";

/// Option tag of RFC 4488.
pub(super) const NO_REFER_SUB: &str = "norefersub";

/// `Refer-Sub` (RFC 4488).
const REFER_SUB: &str = "Refer-Sub";

/// How long our caller may think about a referral: a REFER has to be answered long before its sender gives it up, 32 s after it.
const DECISION_MAX: Duration = Duration::from_secs(5);

/// How long a far side hears of its referral: twice as long as a transfer may ring.
const REPORTS_MAX: Duration = Duration::from_secs(60);

/// Referrals of one leg.
#[derive(Debug, Default)]
pub(crate) struct Referrals {
    open: Option<Open>,
    /// There was one before: the next ones' reports say which they are about.
    is_known: bool,
    /// We have asked the far side for one.
    has_asked: bool,
}

#[derive(Debug)]
struct Open {
    stage: Stage,
    /// Number of its REFER, if the reports have to say which they are about.
    name: Option<u32>,
    wants_reports: bool,
    /// What was said last.
    said: Status,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It waits for our caller's decision.
    Asked(ServerId),
    /// It is being tried, until then at most.
    Tried(Instant),
}

impl Stack {
    pub(super) fn receive_refer(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
    ) {
        let refused = match self.take_referral(arrival, id, transaction) {
            Ok(referral) => {
                let limit = now + DECISION_MAX;
                self.out.timers.set(Due::Leg(id, LegTimer::Referral), limit);
                let referral = Box::new(referral);
                return self.out.emit(Event::Referred { leg: id, referral });
            }
            Err(status) => status,
        };
        self.finish(now, transaction, refused, &[]);
    }

    fn take_referral(
        &mut self,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
    ) -> Result<Referral, Status> {
        let headers = &arrival.request.headers;
        if !self.config.takes_transfers {
            return Err(Status::DECLINE);
        }
        let to = ReferTo::read(headers)?;
        let referred_by = match headers.name_addr(&HeaderName::REFERRED_BY) {
            Ok(address) => Some(address),
            Err(HeaderError::PeerMissing(_)) => None,
            Err(_) => return Err(Status::BAD_REQUEST),
        };
        let replaces = to.replaces.as_ref();
        let replaces = replaces.and_then(|named| self.match_replaces(named).ok());
        let leg = self.legs.get_mut(&id).ok_or(Status::DECLINE)?;
        let State::Up(_) = leg.state else {
            return Err(Status::DECLINE);
        };
        let referrals = &mut leg.terms.referrals;
        if referrals.open.is_some() {
            return Err(Status::REQUEST_PENDING);
        }
        let number = arrival.essentials.cseq.number;
        let is_later = std::mem::replace(&mut referrals.is_known, true);
        referrals.open = Some(Open {
            stage: Stage::Asked(transaction),
            name: is_later.then_some(number),
            wants_reports: wants_reports(headers),
            said: Status::TRYING,
        });
        Ok(Referral {
            to,
            replaces,
            referred_by,
        })
    }

    /// The open referral of a leg, and its transaction, while it waits for a decision.
    fn asked(&mut self, id: LegId) -> Result<(&mut Open, ServerId), CommandError> {
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        let open = leg.terms.referrals.open.as_mut();
        let open = open.ok_or(CommandError::WrongState)?;
        match open.stage {
            Stage::Asked(transaction) => Ok((open, transaction)),
            Stage::Tried(_) => Err(CommandError::WrongState),
        }
    }

    pub(super) fn accept_referral(&mut self, now: Instant, id: LegId) -> Result<(), CommandError> {
        let (open, transaction) = self.asked(id)?;
        let until = now + REPORTS_MAX;
        open.stage = Stage::Tried(until);
        let wants_reports = open.wants_reports;
        let flow = self.legs.get(&id).map(|leg| self.hop(&leg.dialog));
        let contact = flow.map(|flow| self.contact(flow).to_string());
        let contact = contact.map(|contact| (HeaderName::CONTACT, contact));
        let silent = (!wants_reports).then(|| (HeaderName::from(REFER_SUB), "false".to_owned()));
        let extra: Vec<_> = contact.into_iter().chain(silent).collect();
        self.finish(now, transaction, Status::ACCEPTED, &extra);
        self.out.timers.set(Due::Leg(id, LegTimer::Referral), until);
        self.notify(now, id, (Status::TRYING, None));
        Ok(())
    }

    pub(super) fn refuse_referral(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
    ) -> Result<(), CommandError> {
        let (_, transaction) = self.asked(id)?;
        if status.code() < 400 {
            return Err(CommandError::BugStatus);
        }
        self.close_referral(id);
        self.finish(now, transaction, status, &[]);
        Ok(())
    }

    pub(super) fn report_referral(
        &mut self,
        now: Instant,
        id: LegId,
        status: Status,
    ) -> Result<(), CommandError> {
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        let open = leg.terms.referrals.open.as_mut();
        let open = open.ok_or(CommandError::WrongState)?;
        if let Stage::Asked(_) = open.stage {
            return Err(CommandError::WrongState);
        }
        let is_news = std::mem::replace(&mut open.said, status) != status;
        if status.is_final() {
            self.notify(now, id, (status, Some("noresource")));
            self.close_referral(id);
        } else if is_news {
            self.notify(now, id, (status, None));
        }
        Ok(())
    }

    fn close_referral(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.terms.referrals.open = None;
        }
        self.out.timers.cancel(Due::Leg(id, LegTimer::Referral));
    }

    /// Nobody has decided in time, or the call that was asked for has come to no end.
    pub(super) fn referral_due(&mut self, now: Instant, id: LegId) {
        if self.refuse_referral(now, id, Status::DECLINE).is_ok() {
            return;
        }
        let referrals = self.legs.get(&id).map(|leg| &leg.terms.referrals);
        if let Some(open) = referrals.and_then(|referrals| referrals.open.as_ref()) {
            let said = open.said;
            self.notify(now, id, (said, Some("timeout")));
        }
        self.close_referral(id);
    }

    /// A leg goes: what its far side has open is refused, or said to be heard of no more ([RFC 3515](https://www.rfc-editor.org/rfc/rfc3515) section 2.4.5:
    /// a provisional last word leaves open what became of it).
    pub(super) fn drop_referral(&mut self, now: Instant, leg: &mut Leg) {
        let Some(open) = leg.terms.referrals.open.take() else {
            return;
        };
        match open.stage {
            Stage::Asked(transaction) => self.finish(now, transaction, Status::DECLINE, &[]),
            Stage::Tried(_) => {
                let said = open.said;
                self.send_report(now, leg, &open, (said, Some("noresource")));
            }
        }
    }

    /// Says how far it is; with a reason it is the last word.
    fn notify(&mut self, now: Instant, id: LegId, news: (Status, Option<&str>)) {
        let Some(mut leg) = self.legs.remove(&id) else {
            return;
        };
        if let Some(open) = leg.terms.referrals.open.take() {
            self.send_report(now, &mut leg, &open, news);
            leg.terms.referrals.open = Some(open);
        }
        self.legs.insert(id, leg);
    }

    fn send_report(
        &mut self,
        now: Instant,
        leg: &mut Leg,
        open: &Open,
        (status, reason): (Status, Option<&str>),
    ) {
        let Stage::Tried(until) = open.stage else {
            return;
        };
        if !open.wants_reports {
            return;
        }
        let state = match reason {
            Some(reason) => format!("terminated;reason={reason}"),
            None => {
                let left = until.saturating_duration_since(now).as_secs();
                format!("active;expires={left}")
            }
        };
        let event = match open.name {
            Some(number) => format!("refer;id={number}"),
            None => "refer".to_owned(),
        };
        let flow = self.hop(&leg.dialog);
        let mut notify = leg.dialog.next_request(Method::Notify);
        for (name, value) in [
            (HeaderName::CONTACT, self.contact(flow).to_string()),
            (HeaderName::EVENT, event),
            (HeaderName::SUBSCRIPTION_STATE, state),
            (
                HeaderName::CONTENT_TYPE,
                "message/sipfrag;version=2.0".to_owned(),
            ),
        ] {
            notify.headers.push(name, value);
        }
        let line = format!("SIP/2.0 {} {}\r\n", status.code(), status.reason());
        notify.body = Body::new(line.into_bytes());
        let prover = leg.prover().cloned();
        self.start_provable(now, (Some(leg.id), prover), notify, flow, Owner::Nobody);
    }
}

/// What phones do that ask for a transfer.
impl Stack {
    pub(super) fn refer(
        &mut self,
        now: Instant,
        id: LegId,
        to: &NameAddr,
    ) -> Result<(), CommandError> {
        let full = self.transactions_are_full();
        let contact = |stack: &Self, leg: &Leg| stack.contact(stack.hop(&leg.dialog)).to_string();
        let leg = self.legs.get(&id).ok_or(CommandError::BugUnknownLeg)?;
        let contact = contact(self, leg);
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        match leg.state {
            State::Up(_) if full => return Err(CommandError::Overloaded),
            State::Up(_) => {}
            _ => return Err(CommandError::WrongState),
        }
        leg.terms.referrals.has_asked = true;
        let mut request = leg.dialog.next_request(Method::Refer);
        request.headers.push(HeaderName::CONTACT, contact);
        request.headers.push_displayed(HeaderName::REFER_TO, to);
        let dialog = leg.dialog.clone();
        let flow = self.hop(&dialog);
        self.start_in_dialog(now, id, request, flow, Owner::Leg(id));
        Ok(())
    }

    /// Our REFER was answered.
    pub(super) fn refer_answered(&mut self, id: LegId, response: &Response) {
        if response.status.is_final() && self.legs.contains_key(&id) {
            let status = response.status;
            self.out.emit(Event::ReferAnswered { leg: id, status });
        }
    }

    /// It is a report on a REFER of ours.
    pub(super) fn hears_reports(&self, id: LegId, arrival: &Arrival<'_>) -> bool {
        let headers = &arrival.request.headers;
        let leg = self.legs.get(&id);
        leg.is_some_and(|leg| leg.terms.referrals.has_asked)
            && headers.content_type().as_deref() == Some("message/sipfrag")
    }

    pub(super) fn hear_report(&mut self, id: LegId, arrival: &Arrival<'_>) {
        let state = arrival
            .request
            .headers
            .text(&HeaderName::SUBSCRIPTION_STATE);
        let is_last = state.is_some_and(|state| state.starts_with("terminated"));
        if let Some(status) = status_line(arrival.request.body.as_bytes()) {
            self.out.emit(Event::ReferReport {
                leg: id,
                status,
                is_last,
            });
        }
    }
}

/// The status of a `message/sipfrag` that begins with a status line (RFC 3420).
fn status_line(body: &[u8]) -> Option<Status> {
    let (_, rest) = lex::split_once(body.strip_prefix(b"SIP/2.0")?, b' ')?;
    Status::new(lex::decimal(rest.get(..3)?)?)
}

/// Its sender wants to hear how it goes on, unless it says that it does not (RFC 4488).
fn wants_reports(headers: &HeaderMap) -> bool {
    let wish = headers.text(&HeaderName::from(REFER_SUB));
    let word = wish.and_then(|wish| wish.split(';').next());
    !word.is_some_and(|word| word.trim().eq_ignore_ascii_case("false"))
}
