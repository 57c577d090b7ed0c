//! Callers who wait for an agent.
//! Owns: the answer to their leg, what they hear, and that the call goes on when what rang for them did not answer.
//! Never: chooses an agent, or hears a caller who waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{EndCause, RouteTarget};
use domain::queue;
use media::ringback::Sound;
use media::waiting::WaitingSound;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sip::sdp::{Codec, Session};
use sip::{Command, Status};

use super::browser::ring_line;
use super::call::{Call, MediaState, Stage, Which};
use super::exchange::{Exchange, Farewell};
use crate::media_thread::{MediaId, NewRing};

/// How long an agent's phone may ring for somebody who waits: four rings or five. Then the next agent's does.
const AGENT_RING_MAX: Duration = Duration::from_secs(20);

/// A call that waits is ended after this, whoever has forgotten it: the longest wait that a service can have (`WAIT_S_MAX`, two hours), and ten minutes for what
/// rings at its end.
const FORGOTTEN: Duration = Duration::from_secs(7_800);

/// What a call that waits keeps.
#[derive(Default)]
pub(super) struct Waiting {
    /// What the caller hears; none: their leg is not answered, and rings.
    sound: Option<WaitingSound>,
    /// The media thread on which they hear it.
    heard_on: Option<usize>,
    /// How long what is called now may ring, if that is an agent's phone.
    rings_for: Option<Duration>,
}

impl Call {
    /// It goes on when what rings does not answer.
    pub(super) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// The caller's leg is answered, although nobody whom they want to speak to is there yet.
    pub(super) fn has_answered_caller(&self) -> bool {
        let waiting = self.waiting.as_ref();
        self.is_dialled() || waiting.is_some_and(|waiting| waiting.sound.is_some())
    }

    /// The media thread on which the caller hears a sound of ours.
    pub(super) fn heard_on(&self) -> Option<usize> {
        let waiting = self.waiting.as_ref();
        self.rings_on()
            .or_else(|| waiting.and_then(|waiting| waiting.heard_on))
    }

    /// How long an agent's phone may ring for whoever waits; none: as long as anything may.
    pub(super) fn rings_for(&self) -> Option<Duration> {
        self.waiting.as_ref()?.rings_for
    }

    /// What may be spoken with whoever is called for the caller.
    pub(super) fn wanted_codecs(&self) -> Vec<Codec> {
        match self.caller.negotiated() {
            Ok(agreed) if self.waits() => vec![agreed.codec],
            _ => self.caller.codecs(),
        }
    }

    /// What is called for whoever waits is an agent's phone, or leads out of here.
    pub(super) fn note_target(&mut self, target: &RouteTarget) {
        let is_agent = match target {
            RouteTarget::Registered { .. } | RouteTarget::Browser { .. } => true,
            RouteTarget::Uri { .. } | RouteTarget::Trunk { .. } => false,
        };
        if let Some(waiting) = &mut self.waiting {
            waiting.rings_for = is_agent.then_some(AGENT_RING_MAX);
        }
    }

    /// It can be routed: nobody is called for it.
    pub(super) fn wants_route(&self) -> bool {
        matches!(self.stage, Stage::Arrived | Stage::Waiting)
    }
}

impl Exchange {
    /// The call goes on if what rings does not answer; with a sound, its caller is answered and hears that.
    pub(super) fn wait(&mut self, now: Instant, key: MediaId, sound: Option<queue::WaitingSound>) {
        let Some(call) = self.call(key).filter(|call| call.wants_route()) else {
            return;
        };
        // Whoever pays is called by us: there is nobody to wait.
        if call.consumer != Which::Caller || call.is_dialled() {
            return self.not_answered(now, key, Status::TEMPORARILY_UNAVAILABLE, Farewell::Gone);
        }
        let waiting = call.waiting.get_or_insert_default();
        let (Some(sound), None) = (sound, &waiting.sound) else {
            return;
        };
        let queue::WaitingSound {
            music,
            announcement,
            announce_every_s,
        } = sound;
        waiting.sound = Some(WaitingSound::new(music, announcement, announce_every_s));
        self.answer_waiting(now, key);
    }

    fn answer_waiting(&mut self, now: Instant, key: MediaId) {
        let Some(call) = self.call(key) else { return };
        call.stage = Stage::Waiting;
        let id = Arc::clone(&call.id);
        let leg = call.caller.leg;
        let Some(answer) = description_for(call) else {
            let status = Status::NOT_ACCEPTABLE_HERE;
            let farewells = (Farewell::Refuse(status), Farewell::Gone);
            call.waiting = None;
            return self.finish(now, key, EndCause::NotAnswered(status.code()), farewells);
        };
        tracing::info!(call = %id, "a caller waits");
        if self.command(now, Command::Answer { leg, answer }).is_err() {
            return self.caller_left(now, key);
        }
        self.set_deadline(key, Some(now + FORGOTTEN));
        self.settle_sound(key);
    }

    /// The caller hears the sound from now on, or by what was agreed on anew. Without an agreement, which comes with the ACK of a late offer, not yet.
    pub(super) fn settle_sound(&mut self, key: MediaId) -> Option<()> {
        let call = self.calls.get(&key)?;
        let waiting = call.waiting.as_ref()?;
        let agreed = call.caller.agreed().ok()?;
        if let Some(thread) = waiting.heard_on {
            self.threads.get_mut(thread)?.replan_ring(key, agreed);
            return Some(());
        }
        let new = NewRing {
            agreed,
            sound: Sound::Waiting(waiting.sound.clone()?),
            line: ring_line(&self.browsers, &call.caller)?,
            seed: OsRng.try_next_u64().ok()?,
        };
        let index = self.idlest_thread()?;
        self.threads.get_mut(index)?.ring(key, new);
        self.call(key)?.waiting.as_mut()?.heard_on = Some(index);
        Some(())
    }

    /// What rang comes to nothing, and the call waits on. False: it does not.
    pub(super) fn waits_on(
        &mut self,
        now: Instant,
        key: MediaId,
        (status, farewell): (Status, &Farewell),
    ) -> bool {
        let wait = self.limits.route_wait;
        let Some(call) = self.call(key).filter(|call| call.waits()) else {
            return false;
        };
        if !matches!(call.media, MediaState::Waiting(..)) {
            return false;
        }
        let (stage, until) = if call.has_answered_caller() {
            (Stage::Waiting, FORGOTTEN)
        } else {
            (Stage::Arrived, wait)
        };
        call.stage = stage;
        call.ways = None;
        let callee = call.callee.take().map(|callee| callee.leg);
        let id = Arc::clone(&call.id);
        if let Some(leg) = callee {
            self.leave_leg(now, leg, farewell.clone());
        }
        self.set_deadline(key, Some(now + until));
        tracing::info!(call = %id, %status, "nobody answered a caller who waits");
        self.events.unreached(&id, status.code());
        true
    }

    /// The phone that rings for whoever waits is not to ring any more.
    pub(super) fn stop_ringing(&mut self, now: Instant, key: MediaId) {
        let rings = self.call(key).is_some_and(|call| {
            call.waits() && matches!(call.stage, Stage::Calling | Stage::Ringing)
        });
        if rings {
            let status = Status::REQUEST_TERMINATED;
            self.waits_on(now, key, (status, &Farewell::HangUp(None)));
        }
    }

    /// Nobody has thought of a caller who waits. False: they do not.
    pub(super) fn is_forgotten(&mut self, now: Instant, key: MediaId) -> bool {
        let waits = self
            .call(key)
            .is_some_and(|call| call.stage == Stage::Waiting);
        if waits {
            self.hang_up(now, key, EndCause::Timeout, None);
        }
        waits
    }

    /// A phone that rings for a caller who waits plays something: it is taken in, and heard by nobody.
    pub(super) fn rings_unheard(&mut self, key: MediaId, is_first: bool, early: Option<Session>) {
        let Some(call) = self.call(key) else { return };
        if let Some((callee, early)) = call.callee.as_mut().zip(early) {
            let _unreadable_is_judged_by_the_answer = callee.take_answer(early);
        }
        let id = Arc::clone(&call.id);
        if is_first {
            self.events.ringing(&id);
        }
    }

    /// The call has media of its own, or is over: nothing of ours is heard any more.
    pub(super) fn end_sound(&mut self, key: MediaId, heard_on: Option<usize>) {
        if let Some(thread) = heard_on.and_then(|on| self.threads.get_mut(on)) {
            thread.end_ring(key);
        }
    }
}

/// Our description for the caller: an answer if there was an offer, in a telephone's band if there is a choice, for that is what the sound is of.
fn description_for(call: &mut Call) -> Option<Session> {
    let caller = &mut call.caller;
    if caller.negotiated().is_ok() {
        return caller.ours();
    }
    let has_offered = caller.their_direction().is_some();
    let spoken = caller.codecs();
    let codecs = &mut caller.local.codecs;
    let is_narrow = |codec: &Codec| !codec.is_wideband() && spoken.contains(codec);
    if codecs.iter().any(is_narrow) {
        codecs.retain(is_narrow);
    }
    if has_offered {
        caller.answer().ok()
    } else {
        Some(caller.offer())
    }
}
