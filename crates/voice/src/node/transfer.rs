//! A running call that another agent's phone takes over.
//! Owns: the leg that rings meanwhile, and the change of the agent's side once it answers.
//! Never: chooses the phone, holds the call or lifts its mask; touches the consumer's session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{EndCause, LegCallIds, RouteTarget};
use domain::view::TransferFailure;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sip::sdp::{Direction, Session};
use sip::{Command, Event, Status};

use super::browser::line_of;
use super::call::{Stage, Which};
use super::event::leg_of;
use super::exchange::{Exchange, Farewell};
use super::side::Side;
use crate::media_thread::{Line, MediaId, Successor};

/// How long the other agent's phone may ring. A consumer waits on hold meanwhile.
const RING_MAX: Duration = Duration::from_secs(30);

impl Exchange {
    /// Rings another phone for the agent's side; what comes of it is told.
    pub(super) fn transfer(&mut self, now: Instant, key: MediaId, target: &RouteTarget) {
        if let Err(why) = self.ring_target(now, key, target) {
            self.transfer_failed(now, key, why);
        }
    }

    fn ring_target(
        &mut self,
        now: Instant,
        key: MediaId,
        target: &RouteTarget,
    ) -> Result<(), TransferFailure> {
        let unreachable = || TransferFailure::Unreachable;
        let mut place = self.locate(now, target).ok_or_else(unreachable)?;
        let leg = self.stack.new_leg();
        let mut side = self.open_side_at(leg, &place).map_err(|_| unreachable())?;
        let call = self.call(key).ok_or_else(unreachable)?;
        if call.stage != Stage::Connected || call.target.is_some() {
            return Err(unreachable());
        }
        call.suit(&mut side).ok_or_else(unreachable)?;
        place.narrow(&mut side);
        let offer = side.offer();
        self.await_target(now, key, side);
        if self.invite(now, key, (leg, place, offer)).is_err() {
            self.drop_target(now, key, Farewell::Gone);
            return Err(unreachable());
        }
        Ok(())
    }

    /// A side is to take the agent's place, once it has answered.
    pub(super) fn await_target(&mut self, now: Instant, key: MediaId, side: Side) {
        let leg = side.leg;
        if let Some(call) = self.call(key) {
            call.target = Some(side);
            self.enter_leg(leg, key);
            self.set_deadline(key, Some(now + RING_MAX));
        }
    }

    /// Gives it up, if it rings still.
    pub(super) fn cancel_transfer(&mut self, now: Instant, key: MediaId, why: TransferFailure) {
        if self.drop_target(now, key, Farewell::HangUp(None)) {
            self.transfer_failed(now, key, why);
        }
    }

    /// True while another phone rings for the call.
    pub(super) fn is_transferring(&mut self, key: MediaId) -> bool {
        self.call(key).is_some_and(|call| call.target.is_some())
    }

    pub(super) fn drop_target(&mut self, now: Instant, key: MediaId, farewell: Farewell) -> bool {
        let Some(target) = self.call(key).and_then(|call| call.target.take()) else {
            return false;
        };
        self.set_deadline(key, None);
        if !self.give_back(now, key, target.leg) {
            self.leave_leg(now, target.leg, farewell);
        }
        true
    }

    /// All is as before. If the agent's side has left meanwhile, nobody is there: the call is over.
    pub(super) fn transfer_failed(&mut self, now: Instant, key: MediaId, why: TransferFailure) {
        self.report_referral(now, key, status_of(why));
        let referral = self.call(key).and_then(|call| call.referral.take());
        if referral.is_some_and(|referral| referral.has_left) {
            return self.hang_up(now, key, EndCause::Agent, None);
        }
        self.tell_transfer(key, Err(why));
    }

    pub(super) fn tell_transfer(
        &mut self,
        key: MediaId,
        outcome: Result<LegCallIds, TransferFailure>,
    ) {
        if let Some(call) = self.call(key) {
            let id = Arc::clone(&call.id);
            tracing::info!(call = %id, failed = ?outcome.as_ref().err(), "transfer");
            self.events.transferred(&id, outcome);
        }
    }

    /// Hears an event of a leg that rings for a transfer; any other is handed back.
    pub(super) fn hear_target(&mut self, now: Instant, event: Event) -> Option<Event> {
        let Some(leg) = leg_of(&event) else {
            return Some(event);
        };
        let key = self.key_of_leg(leg);
        let is_target = |key: &MediaId| {
            let call = self.call(*key);
            call.is_some_and(|call| call.target.as_ref().is_some_and(|side| side.leg == leg))
        };
        let Some(key) = key.filter(is_target) else {
            return Some(event);
        };
        match event {
            Event::Answered { answer, .. } => self.target_answered(now, key, answer),
            Event::OfferAnswered { answer, .. } => self.target_answered(now, key, Some(answer)),
            Event::Confirmed { answer, .. } => self.target_answered(now, key, answer),
            Event::Progress { status, .. } => self.report_referral(now, key, status),
            Event::Failed { status, .. } => self.target_gone(now, key, failure_of(status)),
            Event::OfferFailed { status, .. } => self.target_gone(now, key, failure_of(status)),
            event @ Event::Ended { .. } => {
                self.target_gone(now, key, TransferFailure::NoAnswer);
                // One that was lent belongs to its own call again.
                return Some(event).filter(|_| self.key_of_leg(leg).is_some());
            }
            _ => {}
        }
        None
    }

    fn target_gone(&mut self, now: Instant, key: MediaId, why: TransferFailure) {
        if self.drop_target(now, key, Farewell::Gone) {
            self.transfer_failed(now, key, why);
        }
    }

    pub(super) fn target_answered(&mut self, now: Instant, key: MediaId, answer: Option<Session>) {
        self.set_deadline(key, None);
        let Some(mut target) = self.call(key).and_then(|call| call.target.take()) else {
            return;
        };
        let leg = target.leg;
        let is_understood = answer.is_some_and(|answer| target.take_answer(answer).is_ok());
        if !is_understood || self.succeed(key, &mut target).is_none() {
            if !self.give_back(now, key, leg) {
                self.leave_leg(now, leg, Farewell::HangUp(None));
            }
            return self.transfer_failed(now, key, TransferFailure::Unreachable);
        }
        self.taken(now, key, target);
    }

    /// Media has the side in the agent's place.
    pub(super) fn succeed(&mut self, key: MediaId, target: &mut Side) -> Option<()> {
        let line = |target: &mut Side| line_of(&self.browsers, target);
        let successor = successor(target, line)?;
        let thread = self.call(key)?.thread()?;
        self.threads.get_mut(thread)?.succeed(key, successor);
        Some(())
    }

    pub(super) fn taken(&mut self, now: Instant, key: MediaId, target: Side) {
        self.report_referral(now, key, Status::OK);
        self.take_over(now, key, target.leg);
        let is_referred = self.call(key).is_some_and(|call| call.referral.is_some());
        self.counters.calls_referred += u64::from(is_referred);
        self.forget_referral(key);
        self.take_place(now, key, target);
        if let Some(legs) = self.leg_call_ids(key) {
            self.tell_transfer(key, Ok(legs));
        }
        self.note_hold(key);
    }

    /// The target is the agent's side from now on, and the old one is let go.
    fn take_place(&mut self, now: Instant, key: MediaId, target: Side) {
        let Some(call) = self.call(key) else { return };
        let consumer = call.consumer;
        // A change that the old agent asked for goes with them; one of the consumer's is answered without asking anybody.
        let asker = call.renegotiating.take();
        call.again = None;
        let Some(agent) = call.side(consumer.other()) else {
            return;
        };
        let old = std::mem::replace(agent, target);
        self.leave_leg(now, old.leg, Farewell::HangUp(None));
        if asker == Some(consumer) {
            self.accept(now, key, consumer);
        } else {
            self.resume(now, key, consumer);
        }
    }

    /// A hold by the phone that is gone goes with it: the consumer is offered to talk again. A hold of the consumer's own stays, by its answer.
    fn resume(&mut self, now: Instant, key: MediaId, consumer: Which) {
        let Some(side) = self.call(key).and_then(|call| call.side(consumer)) else {
            return;
        };
        if side.local.direction == Direction::SendRecv {
            return;
        }
        let (leg, offer) = (side.leg, side.offer_direction(Direction::SendRecv));
        if self.command(now, Command::Reinvite { leg, offer }).is_err()
            && let Some(side) = self.call(key).and_then(|call| call.side(consumer))
        {
            side.forget_offer();
        }
    }
}

fn successor(target: &mut Side, line: impl FnOnce(&mut Side) -> Option<Line>) -> Option<Successor> {
    Some(Successor {
        agreed: target.agreed().ok()?,
        line: line(target)?,
        seed: OsRng.try_next_u64().ok()?,
    })
}

fn failure_of(status: Status) -> TransferFailure {
    match status.code() {
        486 | 600 => TransferFailure::Busy,
        603 => TransferFailure::Declined,
        408 | 480 | 487 => TransferFailure::NoAnswer,
        _ => TransferFailure::Unreachable,
    }
}

/// What whoever asked for it is told by a NOTIFY.
fn status_of(why: TransferFailure) -> Status {
    match why {
        TransferFailure::Busy => Status::BUSY_HERE,
        TransferFailure::Declined => Status::DECLINE,
        TransferFailure::NoAnswer => Status::TEMPORARILY_UNAVAILABLE,
        TransferFailure::Unreachable => Status::SERVICE_UNAVAILABLE,
        TransferFailure::Cancelled => Status::REQUEST_TERMINATED,
    }
}
