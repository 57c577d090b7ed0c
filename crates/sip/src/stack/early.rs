//! Calls that are not answered yet: early dialogs and the exchanges in them (RFC 3261 §12.1, RFC 3262, RFC 3311).
//! Owns: where offer and answer stand before the 2xx, UPDATE there, what of it lives on when the 2xx comes.
//! Never: repeats a response.

use std::time::Instant;

use super::Stack;
use super::command::CommandError;
use super::event::{Event, LegId};
use super::leg::{Asked, Exchange, Leg, Patience, Purpose, State, Terms, Through};
use super::outbox::{Due, LegTimer};
use super::receive::Arrival;
use super::reinvite::{CHANGE_MAX, DECISION_MAX};
use super::session_timer::Wanted;
use super::write::{description, read_answer, set_session};
use crate::dialog::Dialog;
use crate::message::{Body, Essentials, Method, Response, Status};
use crate::sdp::Session;
use crate::transaction::{ClientId, Owner, ServerId};

/// Far sides of one INVITE that we keep early dialogs with, as many as acceptances we acknowledge. What more of them say is not acknowledged.
pub(super) const FORKS_MAX: usize = 8;

/// Where the offer/answer exchange of an early dialog stands.
#[derive(Debug)]
pub(crate) enum Early {
    /// The INVITE's offer has no answer yet that would hold, or there is no offer yet.
    Open,
    /// Our offer, in a reliable response, waits for the answer in the PRACK.
    WeOffered,
    /// The far side's offer, in a reliable response, waits for our caller's answer, which goes into the PRACK.
    OwePrack { response: u32, number: u32 },
    /// Nothing is open.
    Stable,
    /// Our UPDATE waits for its answer.
    WeAsked { transaction: ClientId, offer: Body },
    /// Their UPDATE or PRACK waits for our caller's decision.
    TheyAsked(Asked),
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Either side may offer.
    Anybody,
    /// The far side's: an offer of ours is open.
    Theirs,
    /// Ours: an offer of theirs is open.
    Ours,
}

impl Early {
    /// Whether a first answer holds.
    pub(crate) fn is_agreed(&self) -> bool {
        matches!(
            self,
            Self::Stable | Self::WeAsked { .. } | Self::TheyAsked(_)
        )
    }

    /// Whose turn it is.
    pub(crate) fn turn(&self) -> Turn {
        match self {
            Self::Stable => Turn::Anybody,
            Self::WeOffered | Self::WeAsked { .. } => Turn::Theirs,
            Self::OwePrack { .. } | Self::TheyAsked(_) => Turn::Ours,
            // Of the side that calls; the other's is its own.
            Self::Open => Turn::Theirs,
        }
    }

    /// Whether an UPDATE of ours waits for the answer of this transaction.
    pub(super) fn waits_for(&self, asked: ClientId) -> bool {
        matches!(self, Self::WeAsked { transaction, .. } if *transaction == asked)
    }

    /// The UPDATE goes on as another transaction.
    pub(super) fn wait_for(&mut self, asked: ClientId) {
        if let Self::WeAsked { transaction, .. } = self {
            *transaction = asked;
        }
    }

    /// What the exchange is once the INVITE is answered.
    fn answered(self) -> Exchange {
        match self {
            Self::WeAsked { transaction, offer } => Exchange::WeAsked {
                transaction,
                patience: Patience::Waiting,
                purpose: Purpose::Offer(offer),
            },
            Self::TheyAsked(asked) => Exchange::TheyAsked(asked),
            Self::Open | Self::WeOffered | Self::OwePrack { .. } | Self::Stable => Exchange::Stable,
        }
    }
}

/// A far side that has answered our INVITE provisionally.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) dialog: Dialog,
    pub(crate) terms: Terms,
    /// `RSeq` of its last response that we have acknowledged.
    pub(crate) last: Option<u32>,
    pub(crate) early: Early,
    /// An UPDATE has changed what its first answer said.
    pub(crate) has_moved: bool,
}

/// An early dialog as it is worked on, whichever side began the call.
pub(super) struct EarlyDialog<'a> {
    pub(super) dialog: &'a mut Dialog,
    pub(super) terms: &'a mut Terms,
    pub(super) early: &'a mut Early,
    has_moved: Option<&'a mut bool>,
}

impl Leg {
    /// The early dialog that this holds for; none: the call is answered, or nobody has been heard.
    pub(super) fn early(
        &mut self,
        holds: impl Fn(&Dialog, &Early) -> bool,
    ) -> Option<EarlyDialog<'_>> {
        match &mut self.state {
            State::Ringing(ringing) => {
                holds(&self.dialog, &ringing.reliable.early).then_some(EarlyDialog {
                    dialog: &mut self.dialog,
                    terms: &mut self.terms,
                    early: &mut ringing.reliable.early,
                    has_moved: None,
                })
            }
            State::Calling(calling) => {
                let fork = calling
                    .forks
                    .iter_mut()
                    .find(|fork| holds(&fork.dialog, &fork.early))?;
                Some(EarlyDialog {
                    dialog: &mut fork.dialog,
                    terms: &mut fork.terms,
                    early: &mut fork.early,
                    has_moved: Some(&mut fork.has_moved),
                })
            }
            State::Cancelling(_) | State::Up(_) | State::Draining(..) => None,
        }
    }

    /// Whether a request comes from the far side of this leg, or of one of its early dialogs.
    pub(super) fn is_with(&self, essentials: &Essentials) -> bool {
        match &self.state {
            State::Calling(calling) => calling
                .forks
                .iter()
                .any(|fork| fork.dialog.is_with(essentials)),
            _ => self.dialog.is_with(essentials),
        }
    }
}

impl EarlyDialog<'_> {
    fn close(&mut self, ours: Option<Body>) -> Early {
        if let Some(ours) = ours {
            self.terms.ours = Some(ours);
            if let Some(has_moved) = &mut self.has_moved {
                **has_moved = true;
            }
        }
        std::mem::replace(self.early, Early::Stable)
    }
}

fn is_asked(_: &Dialog, early: &Early) -> bool {
    matches!(early, Early::TheyAsked(_))
}

impl Stack {
    /// Their offer in an early dialog begins to wait for our caller.
    pub(super) fn offered_early(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
        offer: Session,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let Some(found) = leg.early(|dialog, _| dialog.is_with(arrival.essentials)) else {
            return;
        };
        found.dialog.refresh_target(&arrival.request.headers);
        found.terms.describes(&offer);
        *found.early = Early::TheyAsked(Asked {
            transaction,
            number: arrival.essentials.cseq.number,
            offered_by: super::leg::Side::Them,
            through: Through::Update,
            wanted: Wanted::default(),
        });
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Decision), now + DECISION_MAX);
        self.out.emit(Event::Offered {
            leg: id,
            offer: Some(offer),
        });
    }

    /// Takes what the far side asked in an early dialog out; `ours`: the answer that it gets.
    pub(super) fn take_early(&mut self, id: LegId, ours: Option<&Session>) -> Option<Asked> {
        let leg = self.legs.get_mut(&id)?;
        let before = leg.early(is_asked)?.close(ours.map(description));
        self.out.timers.cancel(Due::Leg(id, LegTimer::Decision));
        match before {
            Early::TheyAsked(asked) => Some(asked),
            _ => None,
        }
    }

    /// What the far sides of a leg that ends have asked before it was answered gets its answer.
    pub(super) fn drop_early(&mut self, now: Instant, leg: &mut Leg) {
        while let Some(mut found) = leg.early(is_asked) {
            if let Early::TheyAsked(asked) = found.close(None) {
                self.finish(now, asked.transaction, Status::REQUEST_TERMINATED, &[]);
            }
        }
    }

    /// Offers a change by UPDATE before the call is answered.
    pub(super) fn update_early(
        &mut self,
        now: Instant,
        id: LegId,
        offer: &Session,
    ) -> Result<(), CommandError> {
        if self.transactions_are_full() {
            return Err(CommandError::Overloaded);
        }
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        let is_stable = |_: &Dialog, early: &Early| matches!(early, Early::Stable);
        let found = leg.early(is_stable).ok_or(CommandError::WrongState)?;
        if !found.terms.takes_update {
            return Err(CommandError::WrongState);
        }
        let mut request = found.dialog.next_request(Method::Update);
        let dialog = found.dialog.clone();
        set_session(&mut request.headers, &mut request.body, offer);
        let flow = self.hop(&dialog);
        let transaction = self.start_in_dialog(now, id, request, flow, Owner::Leg(id));
        let found = self.legs.get_mut(&id).and_then(|leg| leg.early(is_stable));
        if let Some(found) = found {
            *found.early = Early::WeAsked {
                transaction,
                offer: description(offer),
            };
        }
        Ok(())
    }

    /// The answer to an UPDATE of ours in an early dialog; none: nobody answered. Whether it was one.
    pub(super) fn early_answered(
        &mut self,
        now: Instant,
        id: LegId,
        transaction: ClientId,
        response: Option<&Response>,
    ) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else {
            return false;
        };
        let asks = |_: &Dialog, early: &Early| early.waits_for(transaction);
        let Some(mut found) = leg.early(asks) else {
            return false;
        };
        let status = response.map_or(Status::REQUEST_TIMEOUT, |response| response.status);
        if status.is_provisional() {
            return true;
        }
        let answer = response
            .filter(|_| status.is_success())
            .and_then(|response| {
                found.dialog.refresh_target(&response.headers);
                read_answer(&response.headers, &response.body)
                    .ok()
                    .flatten()
            });
        let Early::WeAsked { offer, .. } = found.close(None) else {
            return true;
        };
        let event = match answer {
            Some(answer) => {
                found.terms.describes(&answer);
                found.close(Some(offer));
                Event::OfferAnswered { leg: id, answer }
            }
            None if status.is_success() => Event::OfferFailed {
                leg: id,
                status: Status::NOT_ACCEPTABLE_HERE,
            },
            None => Event::OfferFailed { leg: id, status },
        };
        self.out.emit(event);
        self.go_on_ringing(now, id);
        true
    }

    /// What is open in an early dialog stays open when its INVITE is answered.
    pub(super) fn carry_over(&mut self, now: Instant, id: LegId, early: Early) -> Exchange {
        let exchange = early.answered();
        let limit = match exchange {
            Exchange::WeAsked { .. } => CHANGE_MAX,
            Exchange::TheyAsked(_) => DECISION_MAX,
            _ => return exchange,
        };
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Decision), now + limit);
        exchange
    }
}
