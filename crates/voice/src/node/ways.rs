//! The places of a far side that has several.
//! Owns: their order for one call, when the next is called, and what the last one's refusal becomes for the caller.
//! Never: calls another once somebody has rung or refused: what a far side decides holds.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use domain::boundary::EndCause;
use domain::view::TransferFailure;
use sip::{Flow, Host, Status, Uri};

use super::call::Stage;
use super::config::Peer;
use super::exchange::{Exchange, Farewell};
use super::place::Place;
use crate::media_thread::MediaId;

/// Where else a call may go.
pub(super) struct Ways {
    next: Place,
    wait: Wait,
}

/// What the place that was called last is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Any answer at all.
    SignOfLife,
    /// It has given one and works on the call.
    Answer,
}

impl Ways {
    pub(super) fn new(next: Place) -> Self {
        Self {
            next,
            wait: Wait::SignOfLife,
        }
    }
}

impl Exchange {
    pub(super) fn peer_at(&self, address: SocketAddr) -> Option<&Peer> {
        let mut peers = self.peers.iter();
        peers.find(|peer| peer.addresses.contains(&address.ip()))
    }

    /// The places of a far side, those that answer first, each with the user that is called; none: it has none of its own.
    pub(super) fn places_at(
        &self,
        now: Instant,
        peer: &Peer,
        user: Option<&str>,
    ) -> Option<VecDeque<(Uri, Flow)>> {
        let places = self.places.for_call(now, &peer.name, user);
        (!places.is_empty()).then_some(places)
    }

    pub(super) fn way_to(&self, place: &Uri) -> Option<Flow> {
        let Host::Ip(ip) = place.host()? else {
            return None;
        };
        let port = place.as_sip().and_then(|uri| uri.port);
        self.flow_of(place, *ip, port)
    }

    /// The callee's leg has come to nothing: with this status, and with what it asks to wait.
    pub(super) fn target_failed(
        &mut self,
        now: Instant,
        key: MediaId,
        (status, asked): (Status, Option<Duration>),
    ) {
        let is_place_down = status == Status::SERVICE_UNAVAILABLE;
        if is_place_down && self.call_next(now, key, (Farewell::Gone, asked)) {
            return;
        }
        self.say_if_challenged(key, status);
        // Of a call that an agent makes, nobody but its own page hears why.
        let is_dialled = self.call(key).is_some_and(|call| call.is_dialled());
        let status = if is_dialled {
            status
        } else {
            passed_on(status)
        };
        self.not_answered(now, key, status, Farewell::Gone);
    }

    /// The call comes to nothing, and the caller hears why, or waits on.
    pub(super) fn not_answered(
        &mut self,
        now: Instant,
        key: MediaId,
        status: Status,
        callee: Farewell,
    ) {
        if self.waits_on(now, key, (status, &callee)) {
            return;
        }
        let cause = EndCause::NotAnswered(status.code());
        self.finish(now, key, cause, (Farewell::Refuse(status), callee));
    }

    /// Calls the next place instead of the last, which may ask to be left alone for some time; false: there is none, or somebody has rung.
    pub(super) fn call_next(
        &mut self,
        now: Instant,
        key: MediaId,
        (farewell, asked): (Farewell, Option<Duration>),
    ) -> bool {
        let Some(call) = self.call(key).filter(|call| call.stage == Stage::Calling) else {
            return false;
        };
        let Some(ways) = call.ways.take() else {
            return false;
        };
        let last = call.callee.take().map(|callee| (callee.leg, callee.flow));
        tracing::info!(call = %call.id, "a place of the trunk is not there; the next is called");
        if let Some((leg, flow)) = last {
            self.leave_leg(now, leg, farewell);
            self.place_failed(now, flow, asked);
        }
        self.call_at(now, key, ways.next);
        true
    }

    /// The time for a sign of life is over: the next place is called, or the last has given one and is waited for. False: that was not what was waited for.
    pub(super) fn was_silent(&mut self, now: Instant, key: MediaId) -> bool {
        let Some(call) = self.call(key) else {
            return false;
        };
        let rings = match call.stage {
            Stage::Calling => false,
            Stage::Ringing => true,
            _ => return false,
        };
        let leg = call.callee.as_ref().map(|callee| callee.leg);
        let Some(ways) = call.ways.as_mut() else {
            return false;
        };
        if std::mem::replace(&mut ways.wait, Wait::Answer) == Wait::Answer {
            return false;
        }
        if rings || leg.is_some_and(|leg| self.stack.has_sign_of_life(leg)) {
            let limits = &self.limits;
            let left = limits.answer_wait.saturating_sub(limits.silence_max);
            self.set_deadline(key, Some(now + left));
            return true;
        }
        self.call_next(now, key, (Farewell::HangUp(None), None))
    }

    /// Waiting for a route, or for an answer, took too long.
    pub(super) fn waited_too_long(&mut self, now: Instant, key: MediaId) {
        if self.end_test(key) || self.listening_waited(key) {
            return;
        }
        if self.was_silent(now, key) || self.agent_was_silent(now, key) {
            return;
        }
        if self.is_forgotten(now, key) {
            return;
        }
        if self.is_transferring(key) {
            return self.cancel_transfer(now, key, TransferFailure::NoAnswer);
        }
        self.not_answered(
            now,
            key,
            Status::TEMPORARILY_UNAVAILABLE,
            Farewell::HangUp(None),
        );
    }

    /// A caller refuses the call.
    pub(super) fn reject(&mut self, now: Instant, key: MediaId, status: u16) {
        let status = Status::new(status).filter(|status| status.code() >= 300);
        let status = status.unwrap_or(Status::TEMPORARILY_UNAVAILABLE);
        let farewells = (Farewell::Refuse(status), Farewell::HangUp(None));
        match self.call(key).map(|call| call.stage) {
            Some(
                Stage::Dialling | Stage::Arrived | Stage::Waiting | Stage::Calling | Stage::Ringing,
            ) => self.finish(now, key, EndCause::Local, farewells),
            Some(Stage::Confirming | Stage::Connected) => {
                self.hang_up(now, key, EndCause::Local, None)
            }
            None => {}
        }
    }
}

/// What the target's refusal becomes for the caller. Statuses that speak of our own request or of one hop are not passed on.
fn passed_on(status: Status) -> Status {
    match status.code() {
        404 | 410 | 480 | 484 | 486 | 488 | 600 | 603 | 604 | 606 => status,
        406 | 415 => Status::NOT_ACCEPTABLE_HERE,
        500..=599 => Status::SERVER_INTERNAL_ERROR,
        _ => Status::TEMPORARILY_UNAVAILABLE,
    }
}
