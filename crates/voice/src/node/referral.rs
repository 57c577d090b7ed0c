//! What the agent's side asks for by signalling of its own: REFER (RFC 3515), and calls that take the place of others (RFC 3891).
//! Owns: what is asked for until it has come to its end, and what whoever asked hears of it.
//! Never: decides whether it may be; takes anything from the consumer's side; touches the consumer's session or the mask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use domain::boundary::{EndCause, Referral as Asked, ReferralAnswer, ReferralWish};
use domain::view::TransferFailure;
use sip::sdp::Session;
use sip::{Command, HeaderName, Host, Incoming, LegId, ReferTo, Status};

use super::call::{Call, Stage, Which};
use super::caller::text_of;
use super::exchange::{Exchange, Farewell};
use super::side::Side;
use crate::media_thread::MediaId;

/// What the agent's side has asked for.
pub(super) struct Referral {
    /// Who hears of it; of a call that takes the place of another its own leg.
    leg: LegId,
    wish: Wish,
    /// Whoever asked has hung up since.
    pub(super) has_left: bool,
}

enum Wish {
    /// Calling somebody, instead of a dialog that is none of ours if it names one.
    Call(Box<ReferTo>),
    /// Joining with the far side of a call of ours, by this leg of that side.
    Join(MediaId, LegId),
    /// A phone has called, and waits.
    Replace,
}

impl Call {
    /// Whether something may take the agent's place now.
    fn can_change(&self) -> bool {
        self.stage == Stage::Connected && self.target.is_none() && self.lent_to.is_none()
    }

    /// What a side speaks that is to take the agent's place: the consumer's own codec, so that nothing is renegotiated with the consumer.
    pub(super) fn suit(&mut self, side: &mut Side) -> Option<()> {
        let consumer = self.side(self.consumer)?;
        let spoken = consumer.negotiated().ok()?.codec;
        side.local.codecs = side.trust.offered(&[spoken]);
        side.local.comfort_noise = consumer.takes_noise();
        Some(())
    }

    /// The dialog of others that a call is to take the place of, for whoever is called.
    pub(super) fn replaces_header(&self) -> Option<(HeaderName, String)> {
        let Wish::Call(to) = &self.referral.as_ref()?.wish else {
            return None;
        };
        let replaces = to.replaces.as_ref()?;
        Some((HeaderName::REPLACES, replaces.to_string()))
    }
}

impl Exchange {
    /// A far side wants its call to go elsewhere.
    pub(super) fn referred(&mut self, now: Instant, leg: LegId, referral: sip::Referral) {
        if self.ask_about(leg, referral).is_none() {
            let status = Status::DECLINE;
            self.tell(now, Command::RefuseReferral { leg, status });
        }
    }

    /// None: it is not the agent's side, or its call is not in a state for it.
    fn ask_about(&mut self, leg: LegId, referral: sip::Referral) -> Option<()> {
        let key = self.key_of_leg(leg)?;
        let joined = referral.replaces.map(|named| self.far_side(key, named));
        let call = self.call(key)?;
        if call.which(leg)? == call.consumer || !call.can_change() {
            return None;
        }
        let id = Arc::clone(&call.id);
        let remote = call.side(call.which(leg)?)?.flow.remote;
        let target = &referral.to.target;
        let mut asked = Asked {
            wish: ReferralWish::Call,
            to: text_of(target.user()),
            host: text_of(target.host().map(Host::to_string).as_deref()),
            trunk: target.host().and_then(|host| self.trunk_at(remote, host)),
            phone: None,
        };
        let wish = match joined {
            Some(joined) => {
                let (other, far) = joined?;
                let other_id = Arc::clone(&self.call(other)?.id);
                asked.wish = ReferralWish::Join(domain::id::CallId::clone(&other_id));
                Wish::Join(other, far)
            }
            None => Wish::Call(Box::new(referral.to)),
        };
        self.call(key)?.referral = Some(Referral {
            leg,
            wish,
            has_left: false,
        });
        self.events.referred(&id, asked);
        Some(())
    }

    /// The trunk of a far side, if a host is its own: one of its places, or an address that it sends from.
    fn trunk_at(&self, remote: SocketAddr, host: &Host) -> Option<String> {
        let peer = self.peer_at(remote)?;
        let is_address = host.ip().is_some_and(|ip| peer.addresses.contains(&ip));
        let is_place = peer.places.iter().any(|place| place.host() == Some(host));
        (is_address || is_place).then(|| peer.name.clone())
    }

    /// The other call that a leg belongs to, and the leg of its far side; none: it is none, or its far side is a browser.
    fn far_side(&mut self, key: MediaId, named: LegId) -> Option<(MediaId, LegId)> {
        let other = self.key_of_leg(named).filter(|other| *other != key)?;
        let call = self.call(other).filter(|call| call.can_change())?;
        let far = call.which(named)?.other();
        let leg = call.side(far)?.leg;
        (!self.browsers.contains_key(&leg)).then_some((other, leg))
    }

    /// It is decided what becomes of it.
    pub(super) fn refer(&mut self, now: Instant, key: MediaId, answer: ReferralAnswer) {
        let Some(call) = self.call(key) else { return };
        let Some(referral) = &call.referral else {
            return;
        };
        let leg = referral.leg;
        match (&referral.wish, answer) {
            (_, ReferralAnswer::Refuse(code)) => self.refuse(now, key, refusal(code)),
            (Wish::Replace, ReferralAnswer::Take) => self.let_in(now, key),
            (Wish::Replace, _) => self.refuse(now, key, Status::DECLINE),
            (&Wish::Join(other, far), ReferralAnswer::Take) => {
                if self.goes_about(now, key, leg) && self.join(now, key, other, far).is_none() {
                    self.transfer_failed(now, key, TransferFailure::Unreachable);
                }
            }
            (Wish::Call(_), ReferralAnswer::Ring(target)) => {
                if self.goes_about(now, key, leg) {
                    self.transfer(now, key, &target);
                }
            }
            (_, ReferralAnswer::Fail(code)) => {
                if self.goes_about(now, key, leg) {
                    self.report_referral(now, key, refusal(code));
                }
                self.forget_referral(key);
            }
            (_, ReferralAnswer::Ring(_) | ReferralAnswer::Take) => {
                self.refuse(now, key, Status::DECLINE);
            }
        }
    }

    /// The far side is told that it is being tried. One that waits no more has been refused: then all is as before.
    fn goes_about(&mut self, now: Instant, key: MediaId, leg: LegId) -> bool {
        let accepted = self.command(now, Command::AcceptReferral { leg }).is_ok();
        if !accepted {
            self.forget_referral(key);
            self.tell_transfer(key, Err(TransferFailure::Cancelled));
        }
        accepted
    }

    pub(super) fn forget_referral(&mut self, key: MediaId) {
        if let Some(call) = self.call(key) {
            call.referral = None;
        }
    }

    fn refuse(&mut self, now: Instant, key: MediaId, status: Status) {
        let Some(referral) = self.call(key).and_then(|call| call.referral.take()) else {
            return;
        };
        if let Wish::Replace = referral.wish {
            self.drop_target(now, key, Farewell::Refuse(status));
        } else {
            let leg = referral.leg;
            self.tell(now, Command::RefuseReferral { leg, status });
        }
    }

    /// Whoever asked hears how far it is, unless they hang on it themselves.
    pub(super) fn report_referral(&mut self, now: Instant, key: MediaId, status: Status) {
        let referral = self.call(key).and_then(|call| call.referral.as_ref());
        let referral = referral.filter(|referral| !matches!(referral.wish, Wish::Replace));
        if let Some(leg) = referral.map(|referral| referral.leg) {
            self.tell(now, Command::ReportReferral { leg, status });
        }
    }

    /// A side has hung up. Whether the call goes on without it: what it has asked for is on its way, or the other side is about to go over to another call.
    pub(super) fn may_leave(&mut self, key: MediaId, which: Which) -> bool {
        let Some(call) = self.call(key) else {
            return false;
        };
        let Some(leg) = call.side(which).map(|side| side.leg) else {
            return false;
        };
        let rings = call.target.is_some();
        let asked = call
            .referral
            .as_mut()
            .filter(|asked| asked.leg == leg && rings);
        let lent = call.lent_to;
        if let Some(asked) = asked {
            asked.has_left = true;
        } else if !lent.is_some_and(|to| self.is_other_end(to, leg)) {
            return false;
        }
        self.forget_leg(leg);
        true
    }

    /// The call that this one is lent to waits for another leg than this.
    fn is_other_end(&mut self, to: MediaId, leg: LegId) -> bool {
        let target = self.call(to).and_then(|call| call.target.as_ref());
        target.is_some_and(|target| target.leg != leg)
    }
}

/// The far side of another call (RFC 5589 section 7).
impl Exchange {
    /// Offers it our end of this call. Its own call stays as it is until it has answered.
    fn join(&mut self, now: Instant, key: MediaId, other: MediaId, leg: LegId) -> Option<()> {
        let call = self.call(other).filter(|call| call.can_change())?;
        let which = call.which(leg)?;
        let former = call.side(which)?;
        let (flow, trust) = (former.flow, former.trust.clone());
        let (session_id, version) = (former.local.session_id, former.local.version);
        let mut side = self.open_side(leg, flow, trust).ok()?;
        // The same session for its far side, with another description.
        (side.local.session_id, side.local.version) = (session_id, version + 1);
        self.call(key)?.suit(&mut side)?;
        let offer = side.offer();
        self.command(now, Command::Reinvite { leg, offer }).ok()?;
        self.call(other)?.lent_to = Some(key);
        self.await_target(now, key, side);
        Some(())
    }

    /// A leg that was to come over from another call stays there, and ends if nobody else is there any more. False: it is none.
    pub(super) fn give_back(&mut self, now: Instant, key: MediaId, leg: LegId) -> bool {
        let Some(other) = self.lender(key) else {
            return false;
        };
        let Some(call) = self.call(other).filter(|call| call.lent_to == Some(key)) else {
            return false;
        };
        call.lent_to = None;
        let near = call.which(leg).map(Which::other);
        let near = near.and_then(|which| call.side(which)).map(|side| side.leg);
        self.enter_leg(leg, other);
        if near.is_some_and(|near| self.key_of_leg(near).is_none()) {
            self.hang_up(now, other, EndCause::Agent, None);
        }
        true
    }

    /// This call ends while a leg of another is to come over.
    pub(super) fn return_target(&mut self, now: Instant, key: MediaId) {
        let target = self.call(key).and_then(|call| call.target.as_ref());
        let Some(leg) = target.map(|side| side.leg) else {
            return;
        };
        if self.give_back(now, key, leg)
            && let Some(call) = self.call(key)
        {
            call.target = None;
        }
    }

    /// The leg has come over: its own call is over for whoever else was on it.
    pub(super) fn take_over(&mut self, now: Instant, key: MediaId, leg: LegId) {
        let Some(other) = self.lender(key) else {
            return;
        };
        let Some(call) = self.call(other).filter(|call| call.lent_to == Some(key)) else {
            return;
        };
        let farewells = match call.which(leg) {
            Some(Which::Caller) => (Farewell::Gone, Farewell::HangUp(None)),
            _ => (Farewell::HangUp(None), Farewell::Gone),
        };
        self.finish(now, other, EndCause::Agent, farewells);
        self.enter_leg(leg, key);
    }

    fn lender(&mut self, key: MediaId) -> Option<MediaId> {
        match self.call(key)?.referral.as_ref()?.wish {
            Wish::Join(other, _) => Some(other),
            Wish::Call(_) | Wish::Replace => None,
        }
    }
}

/// Calls that take the place of others.
impl Exchange {
    /// A call has come in for the agent's place in another.
    pub(super) fn replacing(&mut self, now: Instant, incoming: Incoming) {
        let leg = incoming.leg;
        if let Err(status) = self.hold_at_door(now, incoming) {
            let reason = None;
            self.tell(
                now,
                Command::Reject {
                    leg,
                    status,
                    reason,
                },
            );
        }
    }

    fn hold_at_door(&mut self, now: Instant, incoming: Incoming) -> Result<(), Status> {
        let declined = Status::DECLINE;
        let named = incoming.replaces.ok_or(declined)?;
        let key = self.key_of_leg(named).ok_or(declined)?;
        let (trust, _) = self.origin_of(&incoming).ok_or(Status::FORBIDDEN)?;
        let call = self.call(key).ok_or(declined)?;
        let which = call.which(named).ok_or(declined)?;
        if which == call.consumer || !call.can_change() {
            return Err(declined);
        }
        let former = call.side(which).ok_or(declined)?.flow.remote;
        let is_from_there = self.peer_at(former).is_some_and(|peer| {
            let addresses = &peer.addresses;
            addresses.contains(&incoming.flow.remote.ip())
        });
        if incoming.registered_user.is_none() && !is_from_there {
            return Err(declined);
        }
        let mut side = self.open_side(incoming.leg, incoming.flow, trust)?;
        let call = self.call(key).ok_or(declined)?;
        call.suit(&mut side).ok_or(declined)?;
        if let Some(offer) = incoming.offer.clone() {
            answer(&mut side, offer).ok_or(Status::NOT_ACCEPTABLE_HERE)?;
        }
        let from = incoming
            .asserted_identity
            .as_ref()
            .unwrap_or(&incoming.from);
        let asked = Asked {
            wish: ReferralWish::Replace,
            to: text_of(from.uri.user()),
            host: text_of(from.uri.host().map(Host::to_string).as_deref()),
            trunk: None,
            phone: incoming.registered_user.clone(),
        };
        call.referral = Some(Referral {
            leg: incoming.leg,
            wish: Wish::Replace,
            has_left: false,
        });
        let id = Arc::clone(&call.id);
        self.await_target(now, key, side);
        self.events.referred(&id, asked);
        Ok(())
    }

    /// It is answered, and is the agent's side from then on; one that has offered nothing is once its answer has come.
    fn let_in(&mut self, now: Instant, key: MediaId) {
        let Some(target) = self.call(key).and_then(|call| call.target.as_mut()) else {
            return;
        };
        let leg = target.leg;
        let has_offered = target.their_direction().is_some();
        let answer = match target.ours() {
            Some(answer) => answer,
            None => target.offer(),
        };
        if self.command(now, Command::Answer { leg, answer }).is_err() {
            return self.cancel_transfer(now, key, TransferFailure::Cancelled);
        }
        if !has_offered {
            return;
        }
        let Some(mut target) = self.call(key).and_then(|call| call.target.take()) else {
            return;
        };
        self.set_deadline(key, None);
        if self.succeed(key, &mut target).is_none() {
            self.leave_leg(now, leg, Farewell::HangUp(None));
            return self.transfer_failed(now, key, TransferFailure::Unreachable);
        }
        self.taken(now, key, target);
    }
}

fn refusal(code: u16) -> Status {
    let status = Status::new(code).filter(|status| status.code() >= 400);
    status.unwrap_or(Status::DECLINE)
}

/// Answers who wants the agent's place in the consumer's codec, else in any that it has: then it is transcoded.
fn answer(side: &mut Side, offer: Session) -> Option<()> {
    side.take_offer(offer).ok()?;
    let wanted = &side.local.codecs;
    if !side.codecs().iter().any(|codec| wanted.contains(codec)) {
        side.local.codecs.clone_from(&side.trust.codecs);
    }
    side.answer().ok().map(drop)
}
