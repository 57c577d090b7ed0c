//! A running call that another agent's phone takes over.
//! Owns: the leg that rings meanwhile, and the change of the agent's side once it answers.
//! Never: chooses the phone, holds the call or lifts its mask; touches the consumer's session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{LegCallIds, RouteTarget};
use domain::view::TransferFailure;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sip::sdp::{Direction, Session};
use sip::{Command, Event, Status};

use super::browser::line_of;
use super::call::{Stage, Which};
use super::exchange::{Exchange, Farewell, leg_of};
use super::side::Side;
use crate::media_thread::{Line, MediaId, Successor};

/// How long the other agent's phone may ring. A consumer waits on hold meanwhile.
const RING_MAX: Duration = Duration::from_secs(30);

impl Exchange {
    /// Rings another phone for the agent's side; what comes of it is told.
    pub(super) fn transfer(&mut self, now: Instant, key: MediaId, target: &RouteTarget) {
        if let Err(why) = self.ring_target(now, key, target) {
            self.tell_transfer(key, Err(why));
        }
    }

    fn ring_target(
        &mut self,
        now: Instant,
        key: MediaId,
        target: &RouteTarget,
    ) -> Result<(), TransferFailure> {
        let unreachable = || TransferFailure::Unreachable;
        let mut place = self.locate(target).ok_or_else(unreachable)?;
        let leg = self.stack.new_leg();
        let mut side = self.open_side_at(leg, &place).map_err(|_| unreachable())?;
        let call = self.call(key).ok_or_else(unreachable)?;
        if call.stage != Stage::Connected || call.target.is_some() {
            return Err(unreachable());
        }
        let consumer = call.side(call.consumer).ok_or_else(unreachable)?;
        let spoken = consumer.negotiated().map_err(|_| unreachable())?.codec;
        // The consumer's own codec: nothing is renegotiated with the consumer.
        side.local.codecs = side.trust.offered(&[spoken]);
        place.narrow(&mut side);
        let offer = side.offer();
        call.target = Some(side);
        self.enter_leg(leg, key);
        self.set_deadline(key, Some(now + RING_MAX));
        if self.invite(now, key, (leg, place, offer)).is_err() {
            self.drop_target(now, key, Farewell::Gone);
            return Err(unreachable());
        }
        Ok(())
    }

    /// Gives it up, if it rings still.
    pub(super) fn cancel_transfer(&mut self, now: Instant, key: MediaId, why: TransferFailure) {
        if self.drop_target(now, key, Farewell::HangUp(None)) {
            self.tell_transfer(key, Err(why));
        }
    }

    /// True while another phone rings for the call.
    pub(super) fn is_transferring(&mut self, key: MediaId) -> bool {
        self.call(key).is_some_and(|call| call.target.is_some())
    }

    fn drop_target(&mut self, now: Instant, key: MediaId, farewell: Farewell) -> bool {
        let Some(target) = self.call(key).and_then(|call| call.target.take()) else {
            return false;
        };
        self.set_deadline(key, None);
        self.leave_leg(now, target.leg, farewell);
        true
    }

    fn tell_transfer(&mut self, key: MediaId, outcome: Result<LegCallIds, TransferFailure>) {
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
            Event::Failed { status, .. } => self.target_gone(now, key, failure_of(status)),
            Event::Ended { .. } => self.target_gone(now, key, TransferFailure::NoAnswer),
            _ => {}
        }
        None
    }

    fn target_gone(&mut self, now: Instant, key: MediaId, why: TransferFailure) {
        if self.drop_target(now, key, Farewell::Gone) {
            self.tell_transfer(key, Err(why));
        }
    }

    fn target_answered(&mut self, now: Instant, key: MediaId, answer: Option<Session>) {
        self.set_deadline(key, None);
        let Some(mut target) = self.call(key).and_then(|call| call.target.take()) else {
            return;
        };
        let leg = target.leg;
        let line = |target: &mut Side| line_of(&self.browsers, target);
        let taken = successor(&mut target, answer, line).and_then(|successor| {
            let thread = self.call(key)?.thread()?;
            self.threads.get_mut(thread)?.succeed(key, successor);
            Some(())
        });
        if taken.is_none() {
            self.leave_leg(now, leg, Farewell::HangUp(None));
            return self.tell_transfer(key, Err(TransferFailure::Unreachable));
        }
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

fn successor(
    target: &mut Side,
    answer: Option<Session>,
    line: impl FnOnce(&mut Side) -> Option<Line>,
) -> Option<Successor> {
    target.take_answer(answer?).ok()?;
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
