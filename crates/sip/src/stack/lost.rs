//! Connections that are gone.
//! Owns: what waits on one fails at once, as a 503 would ([RFC 3261 §8.1.3.1](https://www.rfc-editor.org/rfc/rfc3261#section-8.1.3.1)).
//! Never: opens another; the next request does.

use std::time::Instant;

use super::Stack;
use super::event::{Event, LegId};
use super::flow::Flow;
use super::leg::{Exchange, Purpose, State};
use super::outbox::{Due, LegTimer};
use crate::dialog::Reach;
use crate::message::Status;
use crate::transaction::{ClientId, Owner};

impl Stack {
    /// A connection could not be made, or has ended: what waits for an answer over it fails, and calls that used it go on by the address that
    /// their far side names. A phone that was registered over it is not reached any more until it registers anew.
    pub fn handle_lost(&mut self, now: Instant, flow: Flow) {
        for leg in self.legs.values_mut() {
            if leg.dialog.origin == flow && leg.dialog.reach == Reach::Connection {
                leg.dialog.reach = Reach::Named;
            }
        }
        if flow.transport.is_reliable()
            && let Some(user) = self.registrar.user_at(flow).map(str::to_owned)
        {
            self.unbind(&user);
        }
        for (id, owner) in self.clients.waiting_over(flow) {
            self.clients.remove(&mut self.out, id);
            self.provable.remove(&id);
            match owner {
                Owner::Leg(leg) => self.unreached(now, leg, id),
                Owner::Registration(number) => {
                    self.registration_failed(now, number, Status::SERVICE_UNAVAILABLE);
                }
                Owner::Probe(number) => self.probe_unreached(number),
                Owner::Nobody => {}
            }
        }
    }

    /// An INVITE or UPDATE of a leg went nowhere.
    fn unreached(&mut self, now: Instant, id: LegId, transaction: ClientId) {
        if self.early_answered(now, id, transaction, None) {
            return;
        }
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        if leg.terms.refresh == Some(transaction) {
            leg.terms.refresh = None;
            return self.refresh_unreached(now, id);
        }
        let status = Status::SERVICE_UNAVAILABLE;
        match &leg.state {
            State::Calling(calling) if calling.transaction == transaction => {
                self.remove_leg(now, id);
                self.out.emit(Event::Failed {
                    leg: id,
                    status,
                    retry_after: None,
                });
            }
            State::Cancelling(cancelling) if cancelling.transaction == transaction => {
                self.remove_leg(now, id);
            }
            State::Up(Exchange::WeAsked {
                transaction: asked,
                purpose,
                ..
            }) if *asked == transaction => {
                let is_refresh = matches!(purpose, Purpose::Refresh);
                leg.state = State::Up(Exchange::Stable);
                self.out.timers.cancel(Due::Leg(id, LegTimer::Decision));
                if is_refresh {
                    return self.refresh_unreached(now, id);
                }
                self.out.emit(Event::OfferFailed { leg: id, status });
            }
            State::Calling(_)
            | State::Cancelling(_)
            | State::Ringing(_)
            | State::Up(_)
            | State::Draining(..) => {}
        }
    }
}
