//! Offers in a running call: hold, resume, another address.
//! Owns: which of them the other side has to hear of, and when one is made again that met another (RFC 3261 §14.1).
//! Never: leaves the mask: media keeps it across every new plan.
//!
//! Media runs through us, so a new address or payload type concerns one side alone and is answered at once. A new direction is passed on:
//! the other side is offered it and its answer decides ours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::LineEvent;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sip::sdp::{Direction, Session};
use sip::{Command, Status};

use super::call::{Again, Stage, Which};
use super::exchange::Exchange;
use crate::media_thread::MediaId;

/// Times an offer is made again that met another. Four seconds each at most: the side that waits for its answer has more patience than that.
const GLARE_TRIES_MAX: u8 = 3;

impl Exchange {
    /// A side offers.
    pub(super) fn offered(
        &mut self,
        now: Instant,
        key: MediaId,
        which: Which,
        offer: Option<Session>,
    ) {
        let Some(call) = self.call(key) else { return };
        let is_early = matches!(call.stage, Stage::Waiting | Stage::Calling | Stage::Ringing);
        let may_be_asked = call.has_answered_caller() && which == Which::Caller;
        let is_free = call.stage == Stage::Connected && call.renegotiating.is_none();
        let Some(side) = call.side(which) else { return };
        let leg = side.leg;
        match offer {
            Some(offer) if is_early && side.negotiated().is_ok() => {
                self.early_offer(now, key, which, offer);
            }
            None if is_early && may_be_asked => {
                let answer = side.offer();
                self.tell(now, Command::AcceptOffer { leg, answer });
            }
            _ if !is_free => self.decline(now, key, which, Status::REQUEST_PENDING),
            None => {
                let answer = side.offer();
                self.tell(now, Command::AcceptOffer { leg, answer });
            }
            Some(offer) => self.their_offer(now, key, which, offer),
        }
    }

    /// A side that has agreed already changes something before the call is answered. The other hears of a new direction once it is.
    fn early_offer(&mut self, now: Instant, key: MediaId, which: Which, offer: Session) {
        let Some(side) = self.call(key).and_then(|call| call.side(which)) else {
            return;
        };
        if side.take_later_offer(offer).is_some() {
            self.accept(now, key, which);
        } else {
            self.decline(now, key, which, Status::NOT_ACCEPTABLE_HERE);
        }
    }

    /// The call is answered: what the caller has wanted meanwhile is offered to the callee.
    pub(super) fn settle_directions(&mut self, now: Instant, key: MediaId) {
        let Some(call) = self.call(key) else { return };
        let wanted = call.caller.their_direction();
        let Some((wanted, callee)) = wanted.zip(call.callee.as_mut()) else {
            return;
        };
        if call.renegotiating.is_some() || callee.local.direction == wanted {
            return;
        }
        let (leg, offer) = (callee.leg, callee.offer_direction(wanted));
        if self.command(now, Command::Reinvite { leg, offer }).is_err() {
            self.offer_failed(now, key, Which::Callee, Status::REQUEST_PENDING);
        }
    }

    fn their_offer(&mut self, now: Instant, key: MediaId, which: Which, offer: Session) {
        let Some(side) = self.call(key).and_then(|call| call.side(which)) else {
            return;
        };
        let is_another_party = side.is_another_party(&offer);
        let Some(wanted) = side.take_later_offer(offer) else {
            return self.decline(now, key, which, Status::NOT_ACCEPTABLE_HERE);
        };
        if is_another_party {
            self.party_changed(key, which);
        }
        let other = self.call(key).and_then(|call| call.side(which.other()));
        if other.is_some_and(|other| other.local.direction != wanted) {
            self.pass_on(now, key, which, wanted);
        } else {
            self.accept(now, key, which);
        }
    }

    /// Somebody else may be on a side now: of a protected call's consumer that is told (S39). The mask stays in any case.
    pub(super) fn party_changed(&mut self, key: MediaId, which: Which) {
        let Some(call) = self.call(key) else { return };
        if call.protected && which == call.consumer {
            let id = Arc::clone(&call.id);
            self.events.line(&id, LineEvent::PartyChanged);
        }
    }

    /// Offers the other side the direction that this one wants.
    fn pass_on(&mut self, now: Instant, key: MediaId, which: Which, wanted: Direction) {
        let Some(call) = self.call(key) else { return };
        call.renegotiating = Some(which);
        let Some(other) = call.side(which.other()) else {
            return;
        };
        let leg = other.leg;
        let offer = other.offer_direction(wanted);
        if self.command(now, Command::Reinvite { leg, offer }).is_err() {
            self.offer_failed(now, key, which.other(), Status::REQUEST_PENDING);
        }
    }

    /// Refuses a side's offer; its session stays as it was.
    fn decline(&mut self, now: Instant, key: MediaId, which: Which, status: Status) {
        let Some(side) = self.call(key).and_then(|call| call.side(which)) else {
            return;
        };
        side.forget_their_offer();
        let leg = side.leg;
        self.tell(now, Command::RejectOffer { leg, status });
    }

    /// Answers the offer that was taken in.
    pub(super) fn accept(&mut self, now: Instant, key: MediaId, which: Which) {
        let Some(side) = self.call(key).and_then(|call| call.side(which)) else {
            return;
        };
        let leg = side.leg;
        match side.answer() {
            Ok(answer) => {
                self.tell(now, Command::AcceptOffer { leg, answer });
                self.replan(key, which);
                self.note_hold(key);
            }
            Err(_) => self.decline(now, key, which, Status::NOT_ACCEPTABLE_HERE),
        }
    }

    /// A side answers our offer in a running call.
    pub(super) fn offer_answered(
        &mut self,
        now: Instant,
        key: MediaId,
        which: Which,
        answer: Session,
    ) {
        self.late_answer(key, which, answer);
        let Some(call) = self.call(key) else { return };
        call.again.take_if(|again| again.which == which);
        let Some(asker) = call.renegotiating.take().filter(|asker| *asker != which) else {
            return;
        };
        let allowed = call.side(which).and_then(|side| side.their_direction());
        if let (Some(side), Some(allowed)) = (call.side(asker), allowed) {
            side.local.direction = allowed;
        }
        self.accept(now, key, asker);
    }

    /// A side refuses our offer: nothing has changed on either.
    pub(super) fn offer_failed(
        &mut self,
        now: Instant,
        key: MediaId,
        which: Which,
        status: Status,
    ) {
        let Some(call) = self.call(key) else { return };
        let wanted = call.side(which).map(|side| {
            let wanted = side.local.direction;
            side.forget_offer();
            wanted
        });
        if status == Status::REQUEST_PENDING
            && let Some(direction) = wanted
            && self.wait_for_glare(now, key, which, direction)
        {
            return;
        }
        let Some(call) = self.call(key) else { return };
        call.again = None;
        let Some(asker) = call.renegotiating.take() else {
            return;
        };
        let is_glare = status == Status::REQUEST_PENDING;
        let status = if is_glare {
            status
        } else {
            Status::NOT_ACCEPTABLE_HERE
        };
        self.decline(now, key, asker, status);
    }

    /// Our offer has met one of the far side's: it is made again a little later. Whether it is.
    fn wait_for_glare(
        &mut self,
        now: Instant,
        key: MediaId,
        which: Which,
        direction: Direction,
    ) -> bool {
        let Some(call) = self.call(key) else {
            return false;
        };
        let before = call.again.filter(|again| again.which == which);
        let tries = before.map_or(0, |again| again.tries) + 1;
        let Some(wait) = glare_wait(which).filter(|_| tries <= GLARE_TRIES_MAX) else {
            return false;
        };
        let at = now + wait;
        call.again = Some(Again {
            at,
            which,
            direction,
            tries,
        });
        self.again.insert((at, key));
        true
    }

    /// It is time to make that offer again.
    pub(super) fn offer_again(&mut self, now: Instant, key: MediaId) {
        let Some(call) = self.call(key) else { return };
        let Some(again) = call.again.filter(|again| again.at <= now) else {
            return;
        };
        let Some(side) = call.side(again.which) else {
            return;
        };
        let leg = side.leg;
        let offer = side.offer_direction(again.direction);
        if self.command(now, Command::Reinvite { leg, offer }).is_err() {
            self.offer_failed(now, key, again.which, Status::REQUEST_PENDING);
        }
    }

    /// An answer to an offer of ours. One that cannot be read leaves media as it was.
    pub(super) fn late_answer(&mut self, key: MediaId, which: Which, answer: Session) {
        let Some(side) = self.call(key).and_then(|call| call.side(which)) else {
            return;
        };
        let is_another_party = side.is_another_party(&answer);
        if side.take_answer(answer).is_ok() {
            if is_another_party {
                self.party_changed(key, which);
            }
            self.replan(key, which);
            self.note_hold(key);
        }
    }

    /// Tells media what was agreed on with a side.
    pub(super) fn replan(&mut self, key: MediaId, which: Which) {
        let Some(call) = self.call(key) else { return };
        let Some(thread) = call.thread() else {
            let _heard_by_nobody = self.settle_sound(key);
            return;
        };
        let leg = call.media_leg(which);
        let Some(Ok(agreed)) = call.side(which).map(|side| side.agreed()) else {
            return;
        };
        if let Some(thread) = self.threads.get_mut(thread) {
            thread.replan(key, leg, agreed);
        }
    }

    /// Says when a call is held and when it is not held any more.
    pub(super) fn note_hold(&mut self, key: MediaId) {
        let Some(call) = self.call(key) else { return };
        if call.stage != Stage::Connected {
            return;
        }
        let talks =
            call.caller.talks() && call.callee.as_ref().is_some_and(|callee| callee.talks());
        if call.held == talks {
            call.held = !talks;
            let (id, held) = (Arc::clone(&call.id), call.held);
            self.events.held(&id, held);
        }
    }
}

/// How long an offer waits that met another ([RFC 3261 §14.1](https://www.rfc-editor.org/rfc/rfc3261#section-14.1)): on a leg that we began 2.1
/// to 4 s, on one that came in 0 to 2 s, in steps of 10 ms.
fn glare_wait(which: Which) -> Option<Duration> {
    let random = u64::from(OsRng.try_next_u32().ok()?);
    let wait = match which {
        Which::Callee => 2_100 + random % 191 * 10,
        Which::Caller => random % 201 * 10,
    };
    Some(Duration::from_millis(wait))
}
