//! UPDATE (RFC 3311), by either side.
//! Owns: when one may come and go, and what its answer means.
//! Never: sends one that only refreshes the session.

use std::time::Instant;

use super::Stack;
use super::command::CommandError;
use super::early::{Early, Turn};
use super::event::LegId;
use super::leg::{Exchange, Leg, Purpose, State, Through};
use super::receive::Arrival;
use super::session_timer::Wanted;
use super::write::{SDP, description, set_session};
use crate::message::{Essentials, HeaderName, Method, Response, Status};
use crate::sdp::Session;
use crate::transaction::{ClientId, ServerId};

impl Stack {
    /// Without a description it changes nothing but the far side's address; with one it is an offer.
    pub(super) fn receive_update(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        transaction: ServerId,
    ) {
        let wanted = match self.wanted_timer(&arrival.request.headers) {
            Ok(wanted) => wanted,
            Err((status, extra)) => return self.finish(now, transaction, status, &extra),
        };
        let offer = match self.offer_of(arrival, id) {
            Ok(offer) => offer,
            Err(status) => {
                let accept = (HeaderName::ACCEPT, SDP.to_owned());
                return self.finish(now, transaction, status, &[accept]);
            }
        };
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let (turn, is_up) = match &leg.state {
            State::Up(exchange) => (exchange.turn(), true),
            State::Ringing(ringing) if matches!(ringing.reliable.early, Early::Open) => {
                (Turn::Ours, false)
            }
            _ => match leg.early(|dialog, _| dialog.is_with(arrival.essentials)) {
                Some(found) => (found.early.turn(), false),
                None => {
                    return self.finish(now, transaction, Status::NO_DIALOG_OR_TRANSACTION, &[]);
                }
            },
        };
        match (offer, turn) {
            (None, _) => self.confirm_refresh(now, arrival, id, (transaction, wanted), is_up),
            (offer @ Some(_), Turn::Anybody) if is_up => {
                self.offered(
                    now,
                    arrival,
                    id,
                    (transaction, Through::Update, wanted),
                    offer,
                );
            }
            (Some(offer), Turn::Anybody) => {
                self.offered_early(now, arrival, id, transaction, offer)
            }
            (Some(_), Turn::Theirs) => self.finish(now, transaction, Status::REQUEST_PENDING, &[]),
            (Some(_), Turn::Ours) => self.too_early(now, transaction),
        }
    }

    fn confirm_refresh(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        id: LegId,
        (transaction, wanted): (ServerId, Wanted),
        is_up: bool,
    ) {
        if let Some(leg) = self.legs.get_mut(&id) {
            let early = leg.early(|dialog, _| dialog.is_with(arrival.essentials));
            match early {
                Some(found) => found.dialog.refresh_target(&arrival.request.headers),
                None => leg.dialog.refresh_target(&arrival.request.headers),
            }
        }
        let mut response = self.response(Status::OK, self.servers.fields(transaction));
        if is_up {
            self.grant_timer(now, id, wanted, &mut response.headers);
        }
        self.servers
            .respond(&mut self.out, now, transaction, &response);
    }

    pub(super) fn update(
        &mut self,
        now: Instant,
        id: LegId,
        offer: &Session,
    ) -> Result<(), CommandError> {
        if let Some(State::Ringing(_) | State::Calling(_)) =
            self.legs.get(&id).map(|leg| &leg.state)
        {
            return self.update_early(now, id, offer);
        }
        let takes_update = |leg: &Leg| leg.terms.takes_update;
        if self.legs.get(&id).is_some_and(|leg| !takes_update(leg)) {
            return Err(CommandError::WrongState);
        }
        let (mut request, flow) = self.next_change(id, Method::Update)?;
        set_session(&mut request.headers, &mut request.body, offer);
        let purpose = Purpose::Offer(description(offer));
        self.send_change(now, id, request, flow, purpose);
        Ok(())
    }

    /// The answer to an UPDATE of ours.
    pub(super) fn update_answered(
        &mut self,
        now: Instant,
        id: LegId,
        transaction: ClientId,
        essentials: &Essentials,
        response: &Response,
    ) {
        if self.early_answered(now, id, transaction, Some(response)) {
            return;
        }
        let Some(leg) = self.legs.get(&id) else {
            return;
        };
        if leg.terms.refresh == Some(transaction) {
            return self.refresh_answered(now, id, response);
        }
        if let State::Up(Exchange::WeAsked {
            transaction: asked, ..
        }) = &leg.state
            && *asked == transaction
        {
            self.reinvite_answered(now, id, essentials, response);
        }
    }
}
