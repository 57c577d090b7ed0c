//! Calls that agents make.
//! Owns: the agent's leg, which is called first, and what is heard on it until the consumer is; the end of a call that came to nothing.
//! Never: chooses the phone, the trunk or the number.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{Dial, EndCause, RouteTarget};
use domain::outbound::DialStep;
use media::ringback::{Ringing, Sound};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sip::sdp::{Codec, Session};
use sip::{Event, Status};

use super::browser::ring_line;
use super::call::{Call, MediaState, Stage, Which};
use super::caller::Caller;
use super::event::leg_of;
use super::exchange::{Exchange, Farewell};
use super::place::Place;
use crate::media_thread::{MediaId, NewRing};

/// How long the agent's own phone may ring: whoever pressed Dial sits before it.
const AGENT_RING_MAX: Duration = Duration::from_secs(30);

/// Hops that both legs may take: a call of ours begins here (RFC 3261 section 8.1.1.6).
const MAX_FORWARDS: u8 = 70;

/// What a call that an agent makes is to become.
pub(super) struct Dialled {
    consumer: RouteTarget,
    /// What the consumer's phone is to show.
    shown: Caller,
    /// The media thread on which the agent hears that it rings.
    rings_on: Option<usize>,
}

impl Call {
    pub(super) fn is_dialled(&self) -> bool {
        self.dialled.is_some()
    }

    /// Its media begins where its agent hears it ring.
    pub(super) fn rings_on(&self) -> Option<usize> {
        self.dialled.as_ref()?.rings_on
    }
}

impl Exchange {
    /// Calls the agent's phone; what comes of it is told.
    pub(super) fn dial(&mut self, now: Instant, dial: Dial) {
        let id = dial.id.clone();
        if let Err(cause) = self.call_agent(now, dial) {
            tracing::info!(call = %id, ?cause, "a call that an agent makes did not begin");
            self.forget_id(&id);
            self.events.ended(&id, cause);
        }
    }

    fn call_agent(&mut self, now: Instant, dial: Dial) -> Result<(), EndCause> {
        let unreached = |status: Status| EndCause::AgentNotReached(status.code());
        if self.is_closing || self.calls() >= self.limits.calls_max {
            return Err(unreached(Status::SERVICE_UNAVAILABLE));
        }
        let wanted = self.codecs_of(now, &dial.consumer);
        let wanted = wanted.ok_or(EndCause::NotAnswered(Status::SERVICE_UNAVAILABLE.code()))?;
        let place = self.locate(now, &dial.agent);
        let mut place = place.ok_or_else(|| unreached(Status::TEMPORARILY_UNAVAILABLE))?;
        let leg = self.stack.new_leg();
        let mut agent = self.open_side_at(leg, &place).map_err(unreached)?;
        agent.local.codecs = agent.trust.offered(&wanted);
        // The ringing tone is of a telephone's band, and so is the network that is called; a phone that speaks nothing of it is rung all the same.
        let codecs = &mut agent.local.codecs;
        if codecs.iter().any(|codec| !codec.is_wideband()) {
            codecs.retain(|codec| !codec.is_wideband());
        }
        place.narrow(&mut agent);
        let offer = agent.offer();
        let (key, id) = (self.new_key(), Arc::new(dial.id));
        tracing::info!(call = %id, "an agent makes a call");
        self.enter(Call {
            key,
            id,
            caller: agent,
            callee: None,
            ways: None,
            target: None,
            referral: None,
            lent_to: None,
            consumer: Which::Callee,
            stage: Stage::Dialling,
            media: MediaState::Waiting(dial.keys, dial.egress),
            deadline: None,
            protection: dial.protection,
            watched: false,
            agent_keys: None,
            protecting: None,
            protected: false,
            held: false,
            renegotiating: None,
            again: None,
            shown_as: Caller::numbered(dial.number.as_str()),
            max_forwards: MAX_FORWARDS,
            dialled: Some(Box::new(Dialled {
                consumer: dial.consumer,
                shown: Caller::numbered(&dial.shown),
                rings_on: None,
            })),
            waiting: None,
        });
        self.set_deadline(key, Some(now + AGENT_RING_MAX));
        if self.invite(now, key, (leg, place, offer)).is_err() {
            self.counters.calls_shed += 1;
            self.agent_not_reached(now, key, Status::SERVICE_UNAVAILABLE, Farewell::Gone);
        }
        Ok(())
    }

    /// What may be spoken where the consumer is called; none: no way leads there.
    fn codecs_of(&self, now: Instant, consumer: &RouteTarget) -> Option<Vec<Codec>> {
        let place = self.locate(now, consumer)?;
        match place {
            Place::Phone(phone) => Some(phone.codecs().to_vec()),
            Place::Browser(..) => None,
        }
    }

    /// Hears an event of an agent's phone that is called first; any other is handed back.
    pub(super) fn hear_dialling(&mut self, now: Instant, event: Event) -> Option<Event> {
        let leg = leg_of(&event);
        let key = leg.and_then(|leg| self.key_of_leg(leg));
        let is_dialling = |key: &MediaId| {
            let call = self.call(*key);
            call.is_some_and(|call| call.stage == Stage::Dialling)
        };
        let Some(key) = key.filter(is_dialling) else {
            return Some(event);
        };
        match event {
            Event::Answered { answer, .. } => self.agent_answered(now, key, answer),
            Event::Failed { status, .. } => {
                self.agent_not_reached(now, key, status, Farewell::Gone);
            }
            Event::Ended { .. } => {
                self.agent_not_reached(now, key, Status::REQUEST_TERMINATED, Farewell::Gone);
            }
            // A phone that changes its mind before anybody is called, and one that wants the call to go elsewhere, which is refused.
            event @ (Event::Offered { .. }
            | Event::OtherIdentity { .. }
            | Event::Referred { .. }) => return Some(event),
            _ => {}
        }
        None
    }

    /// The consumer is called.
    fn agent_answered(&mut self, now: Instant, key: MediaId, answer: Option<Session>) {
        self.set_deadline(key, None);
        let Some(call) = self.call(key) else { return };
        let taken = answer.map(|answer| call.caller.take_answer(answer).is_ok());
        let is_understood = match taken {
            Some(is_taken) => is_taken,
            None => call.caller.negotiated().is_ok(),
        };
        if !is_understood {
            let (status, farewell) = (Status::NOT_ACCEPTABLE_HERE, Farewell::HangUp(None));
            return self.agent_not_reached(now, key, status, farewell);
        }
        let Some(dialled) = &call.dialled else { return };
        let consumer = dialled.consumer.clone();
        call.shown_as = dialled.shown.clone();
        call.stage = Stage::Arrived;
        let id = Arc::clone(&call.id);
        self.events.dialled(&id, DialStep::Calling);
        match self.locate(now, &consumer) {
            Some(place) => self.call_at(now, key, place),
            None => self.not_answered(now, key, Status::SERVICE_UNAVAILABLE, Farewell::Gone),
        }
    }

    fn agent_not_reached(&mut self, now: Instant, key: MediaId, status: Status, agent: Farewell) {
        let cause = EndCause::AgentNotReached(status.code());
        self.finish(now, key, cause, (agent, Farewell::Gone));
    }

    /// The agent's phone has rung for long enough. False: that was not what was waited for.
    pub(super) fn agent_was_silent(&mut self, now: Instant, key: MediaId) -> bool {
        let call = self.call(key);
        let is_dialling = call.is_some_and(|call| call.stage == Stage::Dialling);
        if is_dialling {
            let (status, farewell) = (Status::TEMPORARILY_UNAVAILABLE, Farewell::HangUp(None));
            self.agent_not_reached(now, key, status, farewell);
        }
        is_dialling
    }

    /// It rings where the agent called: the agent hears the far side's early media, else a tone of ours.
    pub(super) fn rings_there(&mut self, key: MediaId, is_first: bool, is_heard: bool) {
        if !is_heard {
            self.begin_ringback(key);
        }
        if let Some(call) = self.call(key).filter(|_| is_first) {
            let id = Arc::clone(&call.id);
            self.events.dialled(&id, DialStep::Ringing);
        }
    }

    /// Without it the agent hears nothing, and the page says that it rings.
    fn begin_ringback(&mut self, key: MediaId) -> Option<()> {
        let call = self.calls.get(&key)?;
        if call.thread().is_some() || call.rings_on().is_some() {
            return None;
        }
        let index = self.thread_of_browser(call);
        let index = index.or_else(|| self.idlest_thread())?;
        let new = NewRing {
            agreed: call.caller.agreed().ok()?,
            sound: Sound::Ringing(Ringing::default()),
            line: ring_line(&self.browsers, &call.caller)?,
            seed: OsRng.try_next_u64().ok()?,
        };
        self.threads.get_mut(index)?.ring(key, new);
        self.call(key)?.dialled.as_mut()?.rings_on = Some(index);
        Some(())
    }

    /// A call is over: nothing of ours is heard any more, and a leg that is answered is ended rather than refused.
    pub(super) fn end_unanswered(
        &mut self,
        call: &Call,
        (caller, callee): (Farewell, Farewell),
    ) -> (Farewell, Farewell) {
        self.end_sound(call.key, call.heard_on());
        match caller {
            Farewell::Refuse(_) if call.has_answered_caller() => (Farewell::HangUp(None), callee),
            caller => (caller, callee),
        }
    }
}
