//! From a call that comes in to two sides that talk.
//! Owns: offer and answer of a new call, what a refusal becomes on the other side.
//! Never: chooses a target.

use std::sync::Arc;
use std::time::Instant;

use domain::boundary::{EgressTally, EndCause, IncomingCall, LegCallIds, RouteTarget};
use domain::id::CallId;
use domain::service::ProtectionScope;
use media::leg::Leg;
use media::relay::RelayPlan;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secret::KeySender;
use sip::sdp::{Codec, LocalAudio, Session};
use sip::{Command, CommandError, EndReason, Event, Flow, Incoming, LegId, Status, Uri};

use super::browser::line_of;
use super::call::{Call, MediaState, Stage, Which};
use super::caller::{Caller, text_of};
use super::config::Peer;
use super::exchange::{Exchange, Farewell};
use super::keys::{self, NoKeys};
use super::lock;
use super::place::{Place, trust_in};
use super::side::{Side, Trust};
use crate::media_thread::{Agreed, Carriages, Line, MediaId, MediaThread, NewCall};
use crate::rtp_socket;

/// Why a call is not taken. The status goes to the far side.
struct Refusal {
    status: Status,
    is_ours: bool,
}

impl Refusal {
    fn of_theirs(status: Status) -> Self {
        Self {
            status,
            is_ours: false,
        }
    }

    fn of(status: Status) -> Self {
        Self {
            status,
            is_ours: status == Status::SERVICE_UNAVAILABLE,
        }
    }

    /// We lack something.
    fn of_ours() -> Self {
        Self {
            status: Status::SERVICE_UNAVAILABLE,
            is_ours: true,
        }
    }
}

impl Exchange {
    /// Hears an event of the stack.
    pub(super) fn hear(&mut self, now: Instant, event: Event) {
        let event = self.hear_target(now, event);
        let event = event.and_then(|event| self.hear_dialling(now, event));
        let Some(event) = event else { return };
        match event {
            Event::Incoming(incoming) if incoming.replaces.is_some() => {
                self.replacing(now, *incoming);
            }
            Event::Incoming(incoming) => self.incoming(now, *incoming),
            Event::Referred { leg, referral } => self.referred(now, leg, *referral),
            Event::ReferAnswered { .. } | Event::ReferReport { .. } => {}
            Event::Registered { user, .. } => self.registered(&user, true),
            Event::Unregistered { user } => self.registered(&user, false),
            Event::Probed { number, status, .. } => self.probed(now, number, status),
            Event::RegisterDone { aor, expires } => self.registration_done(&aor, expires),
            Event::RegisterFailed { aor, status, realm } => {
                self.registration_failed(&aor, status, realm.as_deref());
            }
            Event::Progress {
                leg,
                status,
                answer,
            } => {
                self.with_leg(leg, |this, key, _| this.progress(now, key, status, answer));
            }
            Event::Answered { leg, answer, .. } => {
                self.with_leg(leg, |this, key, _| this.answered(now, key, answer));
            }
            Event::Failed {
                leg,
                status,
                retry_after,
            } => {
                let refusal = (status, retry_after);
                self.with_leg(leg, |this, key, _| this.target_failed(now, key, refusal))
            }
            Event::Confirmed { leg, answer } => {
                self.with_leg(leg, |this, key, which| {
                    this.confirmed(now, key, which, answer)
                });
            }
            Event::Offered { leg, offer } => {
                self.with_leg(leg, |this, key, which| this.offered(now, key, which, offer));
            }
            Event::OtherIdentity { leg } => {
                self.with_leg(leg, |this, key, which| this.party_changed(key, which));
            }
            Event::OfferAnswered { leg, answer } => {
                self.with_leg(leg, |this, key, which| {
                    this.offer_answered(now, key, which, answer)
                });
            }
            Event::OfferFailed { leg, status } => {
                self.with_leg(leg, |this, key, which| {
                    this.offer_failed(now, key, which, status)
                });
            }
            Event::Ended { leg, reason } => self.with_leg(leg, |this, key, which| {
                this.leg_ended(now, key, which, reason)
            }),
            Event::InfoKey { leg, key: pressed } => {
                self.with_leg(leg, |this, key, which| this.info_key(key, which, pressed))
            }
        }
    }

    /// Events of legs that belong to no call any more say only that they have ended.
    fn with_leg(&mut self, leg: LegId, act: impl FnOnce(&mut Self, MediaId, Which)) {
        let Some(key) = self.key_of_leg(leg) else {
            return;
        };
        if let Some(which) = self.call(key).and_then(|call| call.which(leg)) {
            act(self, key, which);
        }
    }

    fn registered(&mut self, user: &str, is_registered: bool) {
        let changed = {
            let mut users = lock(&self.shared.registered);
            if is_registered {
                users.insert(user.to_owned())
            } else {
                users.remove(user)
            }
        };
        if changed {
            self.events.registration(user, is_registered);
        }
    }
}

/// A call comes in.
impl Exchange {
    fn incoming(&mut self, now: Instant, incoming: Incoming) {
        self.counters.calls_incoming += 1;
        let leg = incoming.leg;
        if let Err(refusal) = self.take_call(now, incoming) {
            self.counters.calls_shed += u64::from(refusal.is_ours);
            self.tell(
                now,
                Command::Reject {
                    leg,
                    status: refusal.status,
                    reason: None,
                },
            );
        }
    }

    fn take_call(&mut self, now: Instant, incoming: Incoming) -> Result<(), Refusal> {
        if self.is_closing || self.calls() >= self.limits.calls_max {
            return Err(Refusal::of_ours());
        }
        let by = |peer: &&Peer| incoming.peer.as_deref() == Some(&peer.name);
        let shown_as = Caller::of(&incoming, self.peers.iter().find(by));
        let (trust, peer) = self
            .origin_of(&incoming)
            .ok_or(Refusal::of_theirs(Status::FORBIDDEN))?;
        let mut caller = self
            .open_side(incoming.leg, incoming.flow, trust)
            .map_err(Refusal::of)?;
        if let Some(offer) = incoming.offer.clone() {
            let not_acceptable = |_| Refusal::of_theirs(Status::NOT_ACCEPTABLE_HERE);
            caller.take_offer(offer.clone()).map_err(not_acceptable)?;
            caller.local.answer(&offer).map_err(not_acceptable)?;
        }
        // A phone registers here because an agent has it: whom it calls is the consumer.
        let is_outbound = incoming.registered_user.is_some();
        let consumer = if is_outbound {
            Which::Callee
        } else {
            Which::Caller
        };
        let (sender, keys) = secret::digit_ring(&self.arena).ok_or_else(Refusal::of_ours)?;
        let id = Arc::new(new_call_id().ok_or_else(Refusal::of_ours)?);
        let (key, egress) = (self.new_key(), Arc::default());
        tracing::debug!(call = %id, "call came in");
        self.enter(Call {
            key,
            id: Arc::clone(&id),
            caller,
            callee: None,
            ways: None,
            target: None,
            referral: None,
            lent_to: None,
            consumer,
            stage: Stage::Arrived,
            media: MediaState::Waiting(sender, Arc::clone(&egress)),
            deadline: None,
            protection: ProtectionScope::Capture,
            watched: false,
            agent_keys: None,
            protecting: None,
            protected: false,
            held: false,
            renegotiating: None,
            again: None,
            shown_as: shown_as.clone(),
            max_forwards: incoming.max_forwards.saturating_sub(1),
            dialled: None,
            waiting: None,
        });
        self.set_deadline(key, Some(now + self.limits.route_wait));
        self.events.incoming(IncomingCall {
            id: CallId::clone(&id),
            called: text_of(incoming.request_uri.user()),
            caller_number: shown_as.number().to_owned(),
            caller: shown_as.text(),
            addressee: text_of(incoming.to.uri.user()),
            peer,
            tag: incoming.tonewall_call,
            keys,
            egress,
        });
        Ok(())
    }

    /// Who it is and how it is trusted; none if the peer has gone from the configuration meanwhile.
    pub(super) fn origin_of(&self, incoming: &Incoming) -> Option<(Trust, String)> {
        if let Some(user) = &incoming.registered_user {
            return Some((self.trust_in_phones(), user.clone()));
        }
        let name = incoming.peer.as_deref()?;
        let peer = self.peers.iter().find(|peer| peer.name == name)?;
        Some((trust_in(peer), peer.name.clone()))
    }

    /// A side with its ports and its keys; the status to refuse with if it cannot be: 503 if we lack something, 488 if its media could not be secured as
    /// it has to be.
    pub(super) fn open_side(
        &mut self,
        leg: LegId,
        flow: Flow,
        trust: Trust,
    ) -> Result<Side, Status> {
        let srtp = keys::fresh(trust.srtp, flow.transport).map_err(|error| {
            tracing::warn!(%error, "a call cannot be secured");
            match error {
                NoKeys::ConfigInClear => Status::NOT_ACCEPTABLE_HERE,
                NoKeys::SystemRandom => Status::SERVICE_UNAVAILABLE,
            }
        })?;
        let ports = self.ports.open().map_err(|error| {
            tracing::warn!(%error, "no ports for a call");
            Status::SERVICE_UNAVAILABLE
        })?;
        let rtp = rtp_socket::advertised(&ports.rtp, self.media_advertised);
        let session_id = OsRng.try_next_u64();
        let session_id = session_id.map_err(|_| Status::SERVICE_UNAVAILABLE)? >> 2;
        let local = LocalAudio {
            srtp,
            ..LocalAudio::new(rtp, session_id)
        };
        let trust = self.opus_places.admit(trust);
        let trust = trust.ok_or(Status::SERVICE_UNAVAILABLE)?;
        Ok(Side::new(leg, flow, trust, ports, local))
    }
}

/// The target is called.
impl Exchange {
    pub(super) fn route(
        &mut self,
        now: Instant,
        key: MediaId,
        target: &RouteTarget,
        protection: ProtectionScope,
    ) {
        let Some(call) = self.call(key).filter(|call| call.wants_route()) else {
            return;
        };
        call.note_target(target);
        let Some(place) = self.locate(now, target) else {
            return self.not_answered(now, key, Status::TEMPORARILY_UNAVAILABLE, Farewell::Gone);
        };
        if let Some(call) = self.call(key) {
            call.protection = protection;
        }
        self.call_at(now, key, place);
    }

    /// Calls the target at a place.
    pub(super) fn call_at(&mut self, now: Instant, key: MediaId, mut place: Place) {
        let leg = self.stack.new_leg();
        let mut callee = match self.open_side_at(leg, &place) {
            Ok(callee) => callee,
            Err(status) => {
                self.counters.calls_shed += u64::from(status == Status::SERVICE_UNAVAILABLE);
                return self.not_answered(now, key, status, Farewell::Gone);
            }
        };
        let Some(call) = self.call(key) else { return };
        callee.local.codecs = callee.trust.offered(&call.wanted_codecs());
        callee.local.comfort_noise = call.caller.takes_noise();
        place.narrow(&mut callee);
        if let Some(direction) = call.caller.their_direction() {
            callee.local.direction = direction;
        }
        let offer = callee.offer();
        call.callee = Some(callee);
        call.ways = place.take_ways();
        call.stage = Stage::Calling;
        let (has_ways, rings_for) = (call.ways.is_some(), call.rings_for());
        self.enter_leg(leg, key);
        let limits = &self.limits;
        let wait = if has_ways {
            limits.silence_max
        } else {
            rings_for.unwrap_or(limits.answer_wait)
        };
        self.set_deadline(key, Some(now + wait));
        if self.invite(now, key, (leg, place, offer)).is_err() {
            self.counters.calls_shed += 1;
            self.not_answered(now, key, Status::SERVICE_UNAVAILABLE, Farewell::Gone);
        }
    }

    pub(super) fn trust_in_phones(&self) -> Trust {
        Trust::phone(self.phones_srtp, &self.phone_codecs)
    }

    fn progress(&mut self, now: Instant, key: MediaId, status: Status, answer: Option<Session>) {
        let Some(call) = self.call(key) else { return };
        let is_first = call.stage == Stage::Calling;
        if !is_first && call.stage != Stage::Ringing {
            return;
        }
        call.stage = Stage::Ringing;
        let (leg, id) = (call.caller.leg, Arc::clone(&call.id));
        let is_dialled = call.is_dialled();
        if call.waits() {
            self.rings_unheard(key, is_first, answer);
            return self.ring_caller(now, key, status);
        }
        let early = answer.and_then(|answer| self.early_media(key, answer));
        if is_dialled {
            return self.rings_there(key, is_first, early.is_some());
        }
        let ring = Command::Provisional {
            leg,
            status,
            answer: early,
        };
        if self.command(now, ring) == Err(CommandError::WrongState) {
            self.ring_with_offer(now, key, status);
        }
        if is_first {
            self.events.ringing(&id);
        }
    }

    /// A caller whose call goes on if nobody answers hears that it rings, unless they hear something else.
    fn ring_caller(&mut self, now: Instant, key: MediaId, status: Status) {
        let Some(call) = self.call(key) else { return };
        let (leg, answer) = (call.caller.leg, None);
        if call.has_answered_caller() {
            return;
        }
        let ring = Command::Provisional {
            leg,
            status,
            answer,
        };
        if self.command(now, ring) == Err(CommandError::WrongState) {
            self.ring_with_offer(now, key, status);
        }
    }

    /// A caller that wants to acknowledge that it rings, and has offered nothing, gets our offer with it
    /// ([RFC 3262 §5](https://www.rfc-editor.org/rfc/rfc3262#section-5)); its answer comes with the acknowledgement.
    fn ring_with_offer(&mut self, now: Instant, key: MediaId, status: Status) {
        let Some(call) = self.call(key) else { return };
        if call.caller.ours().is_some() || call.caller.their_direction().is_some() {
            return;
        }
        prefer(&mut call.caller.local.codecs, None);
        let (leg, offer) = (call.caller.leg, call.caller.offer());
        let ring = Command::Provisional {
            leg,
            status,
            answer: Some(offer),
        };
        self.tell(now, ring);
    }

    /// Early media of the target: the caller hears it, and is told where from. None if it cannot be, in which case the call just rings.
    fn early_media(&mut self, key: MediaId, answer: Session) -> Option<Session> {
        let call = self.call(key)?;
        call.caller.their_direction()?;
        call.callee.as_mut()?.take_answer(answer).ok()?;
        self.connect_media(key)?;
        self.call(key)?.caller.ours()
    }

    fn answered(&mut self, now: Instant, key: MediaId, answer: Option<Session>) {
        self.set_deadline(key, None);
        let Some(call) = self.call(key) else { return };
        let Some(callee) = call.callee.as_mut() else {
            return;
        };
        let is_understood = match answer {
            Some(answer) => callee.take_answer(answer).is_ok(),
            None => callee.negotiated().is_ok(),
        };
        if !is_understood {
            return self.not_answered(
                now,
                key,
                Status::NOT_ACCEPTABLE_HERE,
                Farewell::HangUp(None),
            );
        }
        let (leg, is_answered) = (call.caller.leg, call.has_answered_caller());
        if call.caller.their_direction().is_none() && !is_answered {
            return self.answer_late_offer(now, key);
        }
        let answer = self
            .connect_media(key)
            .and_then(|()| self.call(key)?.caller.ours());
        let Some(answer) = answer else {
            return self.not_answered(
                now,
                key,
                Status::SERVICE_UNAVAILABLE,
                Farewell::HangUp(None),
            );
        };
        // An agent who makes the call has answered before, and a caller who waits has been.
        if !is_answered && self.command(now, Command::Answer { leg, answer }).is_err() {
            return self.caller_left(now, key);
        }
        self.connected(now, key);
    }

    /// The caller has made no offer: ours goes out with the 200.
    fn answer_late_offer(&mut self, now: Instant, key: MediaId) {
        let Some(call) = self.call(key) else { return };
        let spoken = call
            .callee
            .as_ref()
            .and_then(|callee| callee.negotiated().ok())
            .map(|agreed| agreed.codec);
        prefer(&mut call.caller.local.codecs, spoken);
        call.stage = Stage::Confirming;
        let (leg, answer) = (call.caller.leg, call.caller.offer());
        if self.command(now, Command::Answer { leg, answer }).is_err() {
            self.caller_left(now, key);
        }
    }

    fn confirmed(&mut self, now: Instant, key: MediaId, which: Which, answer: Option<Session>) {
        let Some(call) = self.call(key) else { return };
        if call.stage != Stage::Confirming || which == Which::Callee {
            if let Some(answer) = answer {
                self.late_answer(key, which, answer);
            }
            return;
        }
        let is_understood = answer.is_some_and(|answer| call.caller.take_answer(answer).is_ok());
        if !is_understood || self.connect_media(key).is_none() {
            return self.fail(now, key);
        }
        self.connected(now, key);
    }

    fn connected(&mut self, now: Instant, key: MediaId) {
        self.counters.calls_answered += 1;
        let Some(call) = self.call(key) else { return };
        call.stage = Stage::Connected;
        call.waiting = None;
        call.settle_codecs();
        let id = Arc::clone(&call.id);
        tracing::debug!(call = %id, "call connected");
        if let Some(legs) = self.leg_call_ids(key) {
            self.events.answered(&id, legs);
        }
        self.note_hold(key);
        self.settle_directions(now, key);
    }

    /// How other equipment knows both sides of a call.
    pub(super) fn leg_call_ids(&mut self, key: MediaId) -> Option<LegCallIds> {
        let call = self.call(key)?;
        let consumer = call.consumer;
        let sides = [consumer, consumer.other()];
        let [consumer, agent] = sides.map(|which| call.side(which).map(|side| side.leg));
        let call_id = |leg: Option<LegId>| {
            let known = leg.and_then(|leg| self.stack.call_id(leg));
            known.unwrap_or_default().to_owned()
        };
        let contact = agent.and_then(|leg| self.stack.far_contact(leg));
        Some(LegCallIds {
            consumer: call_id(consumer),
            agent: call_id(agent),
            agent_contact: text_of(contact.and_then(Uri::user)),
        })
    }

    /// An answer could not be given: the caller has given up, and its end is on its way to us.
    pub(super) fn caller_left(&mut self, now: Instant, key: MediaId) {
        let cause = self.hung_up(key, Which::Caller);
        self.left(now, key, Which::Caller, cause);
    }

    fn hung_up(&mut self, key: MediaId, which: Which) -> EndCause {
        match self.call(key).map(|call| call.media_leg(which)) {
            Some(Leg::Consumer) | None => EndCause::Consumer,
            Some(Leg::Agent) => EndCause::Agent,
        }
    }

    fn leg_ended(&mut self, now: Instant, key: MediaId, which: Which, reason: EndReason) {
        if self.may_leave(key, which) {
            return;
        }
        let status = (Status::TEMPORARILY_UNAVAILABLE, &Farewell::Gone);
        if which == Which::Callee && self.waits_on(now, key, status) {
            return;
        }
        let cause = match reason {
            EndReason::Bye | EndReason::Cancelled => self.hung_up(key, which),
            EndReason::HungUp | EndReason::Rejected => EndCause::Local,
            EndReason::Timeout | EndReason::Lost => EndCause::Timeout,
        };
        self.left(now, key, which, cause);
    }
}

/// Media begins.
impl Exchange {
    /// Begins the call's media, or tells it what has changed. The caller is answered in the callee's codec, so that nothing has to be
    /// converted.
    fn connect_media(&mut self, key: MediaId) -> Option<()> {
        let call = self.call(key)?;
        let callee = call.callee.as_mut()?;
        let spoken = callee.negotiated().ok()?.codec;
        // An agent who calls may fall silent only if the consumer's phone takes noise; for an agent who is called it is made.
        let may_fall_silent = call.consumer == Which::Caller || callee.takes_noise();
        let (callee, is_running) = (callee.agreed().ok()?, call.thread().is_some());
        if !is_running && call.caller.negotiated().is_err() {
            call.caller.local.comfort_noise = may_fall_silent && call.caller.takes_noise();
            answer_in(&mut call.caller, spoken)?;
        }
        let caller = call.caller.agreed().ok()?;
        let (consumer, agent) = call.by_role(caller, callee);
        if is_running {
            self.replan(key, Which::Callee);
            return Some(());
        }
        self.start_media(key, consumer, agent)
    }

    fn start_media(&mut self, key: MediaId, consumer: Agreed, agent: Agreed) -> Option<()> {
        let seed = OsRng.try_next_u64().ok()?;
        let limits = self.limits;
        let mut plan = RelayPlan::new(consumer.plan, agent.plan, seed);
        plan.flat_tone_hz = self.flat_tone_hz;
        #[cfg(feature = "planted")]
        {
            plan.mask_off = self.mask_off;
        }
        plan.record = self.is_recording;
        plan.media_timeout = limits.media_timeout;
        plan.held_timeout = limits.held_timeout;
        let index = self.thread_for(key)?;
        let lines = self.take_lines(key)?;
        let call = self.call(key)?;
        plan.always = call.protection == ProtectionScope::Always;
        plan.watch = call.watched;
        let carriages = Carriages {
            consumer: consumer.carriage,
            agent: agent.carriage,
        };
        let (consumer, agent) = call.by_role(lines.0, lines.1);
        let (keys, egress) = take_ends(&mut call.media)?;
        let id = Arc::clone(&call.id);
        let heard_on = call.heard_on();
        let agent_keys = call.agent_keys.take();
        call.media = MediaState::On(index);
        let new = NewCall {
            id: key,
            call: id,
            plan,
            consumer,
            agent,
            carriages,
            keys,
            egress,
        };
        if self.threads.get_mut(index)?.start_call(new).is_err() {
            self.call(key)?.media = MediaState::Gone;
            self.counters.calls_shed += 1;
            return None;
        }
        self.end_sound(key, heard_on);
        if agent_keys.is_some() {
            self.threads.get_mut(index)?.hear_agent(key, agent_keys);
        }
        Some(())
    }

    /// The thread of the call's browser, else the one with the fewest calls.
    fn thread_for(&mut self, key: MediaId) -> Option<usize> {
        let call = self.calls.get(&key)?;
        let known = self.thread_of_browser(call).or_else(|| call.heard_on());
        known.or_else(|| self.idlest_thread())
    }

    /// The ways of caller's and callee's packets.
    fn take_lines(&mut self, key: MediaId) -> Option<(Line, Line)> {
        let Self {
            calls, browsers, ..
        } = self;
        let call = calls.get_mut(&key)?;
        let caller = line_of(browsers, &mut call.caller)?;
        let callee = line_of(browsers, call.callee.as_mut()?)?;
        Some((caller, callee))
    }

    pub(super) fn idlest_thread(&self) -> Option<usize> {
        let alive = self
            .threads
            .iter()
            .enumerate()
            .filter(|(_, thread)| !thread.is_dead());
        alive
            .min_by_key(|(_, thread)| MediaThread::calls(thread))
            .map(|(index, _)| index)
    }
}

/// The ends that media writes to.
fn take_ends(media: &mut MediaState) -> Option<(KeySender, Arc<EgressTally>)> {
    match std::mem::replace(media, MediaState::Gone) {
        MediaState::Waiting(keys, egress) => Some((keys, egress)),
        running => {
            *media = running;
            None
        }
    }
}

/// Answers the caller in this codec if it offered it, else in any that both know.
fn answer_in(caller: &mut Side, spoken: Codec) -> Option<()> {
    if caller.codecs().contains(&spoken) {
        caller.local.codecs = vec![spoken];
    }
    caller.answer().ok().map(drop)
}

/// The other side's codec comes first, if it is one of these; a wider one than that is not offered.
fn prefer(codecs: &mut Vec<Codec>, spoken: Option<Codec>) {
    codecs.retain(|codec| !codec.is_wideband() || Some(*codec) == spoken);
    codecs.sort_by_key(|codec| Some(*codec) != spoken);
}

pub(super) fn new_call_id() -> Option<CallId> {
    let (high, low) = (OsRng.try_next_u64().ok()?, OsRng.try_next_u64().ok()?);
    Some(CallId::from_random(
        (u128::from(high) << 64) | u128::from(low),
    ))
}
