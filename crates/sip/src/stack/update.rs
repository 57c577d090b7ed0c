//! UPDATE (RFC 3311), by either side.
//! Owns: when one may come and go, and what its answer means.
//! Never: is what only refreshes a session.

use std::time::Instant;

use super::Stack;
use super::command::CommandError;
use super::event::LegId;
use super::leg::{Exchange, Leg, Side, State, Through};
use super::receive::Arrival;
use super::write::{SDP, set_session};
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
        let State::Up(exchange) = &leg.state else {
            return self.finish(now, transaction, Status::NO_DIALOG_OR_TRANSACTION, &[]);
        };
        match (offer, exchange) {
            (None, _) => {
                leg.dialog.refresh_target(&arrival.request.headers);
                self.finish(now, transaction, Status::OK, &[]);
            }
            (offer @ Some(_), Exchange::Stable) => {
                self.offered(now, arrival, id, (transaction, Through::Update), offer);
            }
            (Some(_), Exchange::WeAsked { .. }) => {
                self.finish(now, transaction, Status::REQUEST_PENDING, &[]);
            }
            (Some(_), Exchange::Unacknowledged(waiting)) if waiting.offered_by == Side::Us => {
                self.finish(now, transaction, Status::REQUEST_PENDING, &[]);
            }
            (
                Some(_),
                Exchange::TheyAsked(_) | Exchange::OweAck { .. } | Exchange::Unacknowledged(_),
            ) => self.too_early(now, transaction),
        }
    }

    pub(super) fn update(
        &mut self,
        now: Instant,
        id: LegId,
        offer: &Session,
    ) -> Result<(), CommandError> {
        let takes_update = |leg: &Leg| leg.terms.takes_update;
        if self.legs.get(&id).is_some_and(|leg| !takes_update(leg)) {
            return Err(CommandError::WrongState);
        }
        let (mut request, flow) = self.next_change(id, Method::Update)?;
        set_session(&mut request.headers, &mut request.body, offer);
        self.send_change(now, id, request, flow);
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
        let asked = self.legs.get(&id).map(|leg| &leg.state);
        if let Some(State::Up(Exchange::WeAsked {
            transaction: asked, ..
        })) = asked
            && *asked == transaction
        {
            self.reinvite_answered(now, id, essentials, response);
        }
    }
}
