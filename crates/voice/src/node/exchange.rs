//! The SIP thread's own: the stack and the table of calls.
//! Owns: which legs make which call, and how a call ends.
//! Never: waits for anything.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{CallEvents, EndCause};
use domain::id::CallId;
use domain::view::TransferFailure;
use secret::Arena;
use sip::sdp::Codec;
use sip::{Command, CommandError, Event, LegId, Stack, Status};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::browser::{Browser, PhoneTest};
use super::call::{Call, MediaState, Which};
use super::config::{NodeConfig, NodeLimits, Peer, SrtpRule};
use super::counters::NodeCounters;
use super::event::leg_of;
use super::listening::Listening;
use super::opus_places::OpusPlaces;
use super::probes::Places;
use super::start::{browser_ports, media_ports, random_seed, stack_config, start_threads};
use super::{NodeCommand, NodeError, Shared, lock};
use crate::media_thread::{MediaId, MediaThread};
use crate::recorder::RecorderThread;
use crate::rtp_socket::RtpPorts;
use crate::transport::{Received, Transports};

/// Most media threads; more is a mistake in the configuration.
const MEDIA_THREADS_MAX: usize = 64;

/// Messages taken in one turn, so that commands and media get theirs.
const MESSAGES_MAX: usize = 64;

/// Time between two looks at media threads that are behind, or between two publications of counters.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Age of published counters.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);

/// How a leg is let go of.
#[derive(Debug, Clone)]
pub(super) enum Farewell {
    /// It is gone already.
    Gone,
    /// It is ended, whatever state it is in, with this text as `Reason`.
    HangUp(Option<&'static str>),
    /// Its INVITE is refused.
    Refuse(Status),
}

/// Everything the SIP thread works on.
pub(crate) struct Exchange {
    pub(super) stack: Stack,
    pub(super) transport: Transports,
    pub(super) events: Arc<dyn CallEvents>,
    pub(super) threads: Vec<MediaThread>,
    pub(super) ports: RtpPorts,
    pub(super) arena: Arc<Arena>,
    pub(super) peers: Vec<Peer>,
    pub(super) phones_srtp: SrtpRule,
    pub(super) phone_codecs: Vec<Codec>,
    pub(super) opus_places: OpusPlaces,
    pub(super) limits: NodeLimits,
    pub(super) flat_tone_hz: f32,
    #[cfg(feature = "planted")]
    pub(super) mask_off: bool,
    pub(super) media_advertised: IpAddr,
    pub(super) counters: NodeCounters,
    pub(super) is_closing: bool,
    pub(super) shared: Arc<Shared>,
    pub(super) media_news: Arc<Notify>,
    pub(super) browsers: HashMap<LegId, Browser>,
    /// What browsers have done, as the stack would tell it of phones. One at most for each that a page asks and each offer of ours.
    pub(super) browser_events: VecDeque<Event>,
    pub(super) last_browser: u64,
    pub(super) tests: HashMap<MediaId, PhoneTest>,
    pub(super) listenings: HashMap<MediaId, Listening>,
    pub(super) calls: HashMap<MediaId, Call>,
    by_id: HashMap<CallId, MediaId>,
    by_leg: HashMap<LegId, MediaId>,
    deadlines: BTreeSet<(Instant, MediaId)>,
    /// When offers that met another are made once more. Those of calls that have gone stay until then.
    pub(super) again: BTreeSet<(Instant, MediaId)>,
    pub(super) places: Places,
    last_key: u64,
    published_at: Option<Instant>,
    /// Something has happened since.
    is_unpublished: bool,
    pub(super) is_recording: bool,
    // Last: it ends once the media threads, which feed it, are gone.
    _recorder: Option<RecorderThread>,
}

impl Exchange {
    pub(super) fn start(
        config: NodeConfig,
        events: Arc<dyn CallEvents>,
        shared: Arc<Shared>,
        connections: Handle,
    ) -> Result<Self, NodeError> {
        if !(1..=MEDIA_THREADS_MAX).contains(&config.media_threads) {
            return Err(NodeError::ConfigMediaThreads(config.media_threads));
        }
        let (tls, asking) = (config.tls.clone(), connections.clone());
        let transport = Transports::bind(&config.interfaces, config.streams, tls, connections)?;
        let media_advertised = config.media_advertised.unwrap_or(config.media_address);
        if media_advertised.is_unspecified() {
            return Err(NodeError::ConfigAdvertised);
        }
        let ports = media_ports(&config)?;
        let media_news = Arc::new(Notify::new());
        let ours = stack_config(&config, random_seed()?, transport.interfaces());
        let stack = Stack::new(ours, Instant::now());
        let browser_ports = browser_ports(&config, &ports, media_advertised)?;
        let (recorder, threads) = start_threads(
            browser_ports,
            config.packet_io,
            &config.arena,
            &media_news,
            config.audio_sink,
        )
        .map_err(NodeError::SystemThread)?;
        let mut exchange = Self {
            stack,
            transport,
            events,
            threads,
            ports,
            arena: config.arena,
            peers: config.peers,
            phones_srtp: config.phones_srtp,
            phone_codecs: config.phone_codecs,
            opus_places: OpusPlaces::default(),
            limits: config.limits,
            flat_tone_hz: config.flat_tone_hz,
            #[cfg(feature = "planted")]
            mask_off: config.mask_off,
            media_advertised,
            counters: NodeCounters::default(),
            is_closing: false,
            shared,
            media_news,
            browsers: HashMap::new(),
            browser_events: VecDeque::new(),
            last_browser: 0,
            tests: HashMap::new(),
            listenings: HashMap::new(),
            calls: HashMap::new(),
            by_id: HashMap::new(),
            by_leg: HashMap::new(),
            deadlines: BTreeSet::new(),
            again: BTreeSet::new(),
            places: Places::default(),
            last_key: 0,
            published_at: None,
            is_unpublished: true,
            is_recording: recorder.is_some(),
            _recorder: recorder,
        };
        exchange.tell_peers();
        exchange.places = Places::begin(&exchange, &config.dns, &asking)?;
        exchange.register_at_peers()?;
        Ok(exchange)
    }

    fn tell_peers(&mut self) {
        let peer = |peer: &Peer| sip::Peer {
            name: peer.name.clone(),
            addresses: peer.addresses.clone(),
            is_trusted: peer.is_trusted,
            credentials: (peer.account.as_ref()).map(|account| account.credentials.clone()),
        };
        let peers = self.peers.iter().map(peer).collect();
        self.tell(Instant::now(), Command::SetPeers { peers });
    }
}

/// Turns of the task.
impl Exchange {
    /// Takes what waits in SIP's sockets and connections.
    pub(super) fn take_messages(&mut self) {
        for _ in 0..MESSAGES_MAX {
            let Self {
                transport,
                stack,
                counters,
                ..
            } = self;
            let taken = transport.receive(|received| {
                let now = Instant::now();
                let hear = || match received {
                    Received::Message(flow, bytes) => stack.handle_datagram(now, flow, bytes),
                    Received::Lost(flow) => stack.handle_lost(now, flow),
                };
                catch_unwind(AssertUnwindSafe(hear)).is_ok()
            });
            match taken {
                Some(true) => {}
                Some(false) => counters.panics += 1,
                None => return,
            }
            self.drain(Instant::now());
        }
    }

    /// Sees to what is due.
    pub(super) fn see_to_timers(&mut self, now: Instant) {
        if self.stack.next_timeout().is_some_and(|at| at <= now) {
            self.guarded(now, None, |this| this.stack.handle_timeout(now));
            self.drain(now);
        }
        while let Some((at, key)) = self.deadlines.first().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, key));
            self.guarded(now, Some(key), |this| this.waited_too_long(now, key));
            self.drain(now);
        }
        while let Some((at, key)) = self.again.first().copied().filter(|(at, _)| *at <= now) {
            self.again.remove(&(at, key));
            self.guarded(now, Some(key), |this| this.offer_again(now, key));
            self.drain(now);
        }
        self.probe_places(now);
        self.threads.iter_mut().for_each(MediaThread::settle);
        self.bury_threads(now);
        self.publish(now);
    }

    /// When the next thing is due.
    pub(super) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let behind = self
            .threads
            .iter()
            .any(MediaThread::owes)
            .then(|| now + LOOK_INTERVAL);
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        let is_busy = self.is_unpublished
            || !self.calls.is_empty()
            || self.counters.media.calls > 0
            || self.counters.ports.resting > 0;
        let publish = is_busy.then(|| self.published_at.map_or(now, |at| at + PUBLISH_INTERVAL));
        let again = self.again.first().map(|(at, _)| *at);
        let stack = self.stack.next_timeout();
        [stack, deadline, again, behind, publish, self.next_probe()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Sends and hears everything the stack has to say.
    pub(super) fn drain(&mut self, now: Instant) {
        self.is_unpublished = true;
        self.flush();
        while let Some(event) = self.next_event() {
            let leg = leg_of(&event);
            let key = leg.and_then(|leg| self.key_of_leg(leg));
            self.guarded(now, key, |this| this.hear(now, event));
            self.flush();
        }
    }

    fn next_event(&mut self) -> Option<Event> {
        let event = self.stack.poll_event();
        event.or_else(|| self.browser_events.pop_front())
    }

    /// Does something for one call: if it panics, that call alone ends.
    pub(super) fn guarded(
        &mut self,
        now: Instant,
        key: Option<MediaId>,
        act: impl FnOnce(&mut Self),
    ) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            self.counters.panics += 1;
            if let Some(key) = key {
                self.fail(now, key);
            }
        }
    }

    fn flush(&mut self) {
        while let Some(transmit) = self.stack.poll_transmit() {
            self.transport.send(&transmit);
        }
    }

    /// A command to the stack; what it wants sent is sent at once.
    pub(super) fn command(&mut self, now: Instant, command: Command) -> Result<(), CommandError> {
        if let Command::Reinvite { leg, offer } = &command
            && self.browsers.contains_key(leg)
        {
            self.reinvite_browser(*leg, offer);
            return Ok(());
        }
        let done = self.stack.command(now, command);
        self.flush();
        done
    }

    /// A command whose refusal changes nothing: the leg is gone, and its end is reported.
    pub(super) fn tell(&mut self, now: Instant, command: Command) {
        if let Err(error) = self.command(now, command) {
            tracing::debug!(%error, "signalling refused a command");
        }
    }

    /// Carries out what a caller asked for.
    pub(super) fn obey(&mut self, now: Instant, command: NodeCommand) {
        match command {
            NodeCommand::Route(call, target, protection) => self.on(now, &call, |this, key| {
                this.route(now, key, &target, protection);
            }),
            NodeCommand::Wait(call, sound) => {
                self.on(now, &call, |this, key| this.wait(now, key, sound))
            }
            NodeCommand::StopRinging(call) => {
                self.on(now, &call, |this, key| this.stop_ringing(now, key))
            }
            NodeCommand::Dial(dial) => self.guarded(now, None, |this| this.dial(now, *dial)),
            NodeCommand::Reject(call, status) => {
                self.on(now, &call, |this, key| this.reject(now, key, status))
            }
            NodeCommand::RejectClosed(call, opens_in) => self.on(now, &call, |this, key| {
                this.reject_closed(now, key, opens_in)
            }),
            NodeCommand::HangUp(call) => self.on(now, &call, |this, key| {
                this.hang_up(now, key, EndCause::Local, None)
            }),
            NodeCommand::Protect(call, reply) => {
                self.on(now, &call, |this, key| this.protect(key, reply))
            }
            NodeCommand::Unprotect(call) => self.on(now, &call, |this, key| this.unprotect(key)),
            NodeCommand::Watch(call, on) => self.on(now, &call, |this, key| this.watch(key, on)),
            NodeCommand::HearAgent(call, keys) => {
                self.on(now, &call, |this, key| this.hear_agent(key, keys))
            }
            NodeCommand::Mute(call, on) => self.on(now, &call, |this, key| this.mute(key, on)),
            NodeCommand::MuteAgent(call, on) => {
                self.on(now, &call, |this, key| this.mute_agent(key, on))
            }
            NodeCommand::Hold(call, on) => self.on(now, &call, |this, key| this.hold(key, on)),
            NodeCommand::SendKey(call, pressed) => {
                self.on(now, &call, |this, key| this.send_key(key, pressed))
            }
            NodeCommand::Transfer(call, target) => {
                self.on(now, &call, |this, key| this.transfer(now, key, &target))
            }
            NodeCommand::CancelTransfer(call) => self.on(now, &call, |this, key| {
                this.cancel_transfer(now, key, TransferFailure::Cancelled)
            }),
            NodeCommand::Refer(call, answer) => {
                self.on(now, &call, |this, key| this.refer(now, key, answer))
            }
            NodeCommand::Phone(call, agent, ask, reply) => self.on(now, &call, |this, key| {
                let _page_is_gone = reply.send(this.ask_phone(now, key, &agent, ask));
            }),
            NodeCommand::RestartPhone(call, agent, offer, reply) => {
                self.on(now, &call, |this, key| {
                    this.restart_browser(key, &agent, offer, reply);
                });
            }
            NodeCommand::TestPhone(agent, reply) => self.guarded(now, None, |this| {
                let _page_is_gone = reply.send(this.test_phone(now, agent));
            }),
            NodeCommand::Listening(command) => self.obey_listening(now, command),
            NodeCommand::Shutdown(_) => self.close(now),
        }
        self.drain(now);
    }

    pub(super) fn on(&mut self, now: Instant, call: &CallId, act: impl FnOnce(&mut Self, MediaId)) {
        if let Some(key) = self.by_id.get(call).copied() {
            self.guarded(now, Some(key), |this| act(this, key));
        }
    }

    /// Takes no more calls and ends all.
    pub(super) fn close(&mut self, now: Instant) {
        self.is_closing = true;
        let keys: Vec<MediaId> = self.calls.keys().copied().collect();
        for key in keys {
            self.hang_up(now, key, EndCause::Local, None);
        }
        let tests: Vec<MediaId> = self.tests.keys().copied().collect();
        for key in tests {
            self.end_test(key);
        }
        self.end_listenings(None);
        self.unregister_at_peers(now);
    }

    /// Stops the media threads; their sockets are closed then.
    pub(super) fn stop_media(&mut self, now: Instant) {
        self.threads.iter_mut().for_each(MediaThread::stop);
        self.publish_now(now);
    }

    fn bury_threads(&mut self, now: Instant) {
        let dead = |index: &usize| self.threads.get(*index).is_some_and(MediaThread::is_dead);
        let dead: Vec<usize> = (0..self.threads.len()).filter(dead).collect();
        if dead.is_empty() {
            return;
        }
        let on_dead = |call: &&Call| call.thread().is_some_and(|thread| dead.contains(&thread));
        let lost: Vec<MediaId> = self
            .calls
            .values()
            .filter(on_dead)
            .map(|call| call.key)
            .collect();
        for key in lost {
            self.fail(now, key);
        }
    }

    fn publish(&mut self, now: Instant) {
        if self
            .published_at
            .is_some_and(|at| now.saturating_duration_since(at) < PUBLISH_INTERVAL)
        {
            return;
        }
        self.publish_now(now);
    }

    pub(super) fn publish_now(&mut self, now: Instant) {
        self.published_at = Some(now);
        self.is_unpublished = false;
        self.counters.calls = self.calls.len();
        self.counters.ports = self.ports.in_use();
        self.counters.sip = self.stack.counters();
        self.counters.transport = self.transport.counters();
        self.counters.streams = self.transport.stream_counters();
        self.counters.media = crate::media_thread::MediaCounters::default();
        for thread in &self.threads {
            self.counters.media.merge(&thread.counters());
        }
        *lock(&self.shared.counters) = self.counters;
        self.publish_places(now);
    }
}

/// The table of calls.
impl Exchange {
    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn call(&mut self, key: MediaId) -> Option<&mut Call> {
        self.calls.get_mut(&key)
    }

    pub(super) fn key_of_leg(&self, leg: LegId) -> Option<MediaId> {
        self.by_leg.get(&leg).copied()
    }

    pub(super) fn new_key(&mut self) -> MediaId {
        self.last_key += 1;
        MediaId(self.last_key)
    }

    pub(super) fn enter(&mut self, call: Call) {
        let key = call.key;
        self.by_leg.insert(call.caller.leg, key);
        self.by_id.insert(CallId::clone(&call.id), key);
        lock(&self.shared.calls).insert(CallId::clone(&call.id));
        self.calls.insert(key, call);
    }

    /// A test is reached as a call is, and looked at again by then.
    pub(super) fn enter_test(&mut self, key: MediaId, id: &CallId, until: Instant) {
        self.by_id.insert(id.clone(), key);
        lock(&self.shared.calls).insert(id.clone());
        self.deadlines.insert((until, key));
    }

    pub(super) fn forget_id(&mut self, id: &CallId) {
        self.by_id.remove(id);
        lock(&self.shared.calls).remove(id);
    }

    pub(super) fn enter_leg(&mut self, leg: LegId, key: MediaId) {
        self.by_leg.insert(leg, key);
    }

    /// A leg has ended whose call goes on.
    pub(super) fn forget_leg(&mut self, leg: LegId) {
        self.by_leg.remove(&leg);
    }

    /// Sets or lifts the time at which waiting ends.
    pub(super) fn set_deadline(&mut self, key: MediaId, at: Option<Instant>) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut call.deadline, at) {
            self.deadlines.remove(&(old, key));
        }
        if let Some(at) = at {
            self.deadlines.insert((at, key));
        }
    }

    /// Ends both legs.
    pub(super) fn hang_up(
        &mut self,
        now: Instant,
        key: MediaId,
        cause: EndCause,
        reason: Option<&'static str>,
    ) {
        self.finish(
            now,
            key,
            cause,
            (Farewell::HangUp(reason), Farewell::HangUp(reason)),
        );
    }

    /// Something failed on our side.
    pub(super) fn fail(&mut self, now: Instant, key: MediaId) {
        self.counters.calls_failed += 1;
        self.hang_up(
            now,
            key,
            EndCause::Failure,
            Some("Q.850;cause=41;text=\"failure\""),
        );
    }

    /// Takes a call out of every table, lets both legs and the media go, and says so. Ports go back as the sockets close.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        key: MediaId,
        cause: EndCause,
        farewells: (Farewell, Farewell),
    ) {
        self.set_deadline(key, None);
        self.return_target(now, key);
        let Some(call) = self.calls.remove(&key) else {
            return;
        };
        self.forget_id(&call.id);
        self.end_listenings(Some(key));
        let farewells = self.end_unanswered(&call, farewells);
        if let MediaState::On(thread) = call.media
            && let Some(thread) = self.threads.get_mut(thread)
        {
            thread.end(key);
        }
        let legs = [
            Some(call.caller.leg),
            call.callee.as_ref().map(|callee| callee.leg),
        ];
        for (leg, farewell) in legs.into_iter().zip([farewells.0, farewells.1]) {
            if let Some(leg) = leg {
                self.leave_leg(now, leg, farewell);
            }
        }
        if let Some(target) = &call.target {
            self.leave_leg(now, target.leg, Farewell::HangUp(None));
        }
        tracing::debug!(call = %call.id, ?cause, "call ended");
        self.events.ended(&call.id, cause);
    }

    /// A leg belongs to no call any more.
    pub(super) fn leave_leg(&mut self, now: Instant, leg: LegId, farewell: Farewell) {
        self.by_leg.remove(&leg);
        if self.browsers.contains_key(&leg) {
            return self.drop_browser(leg);
        }
        self.let_go(now, leg, farewell);
    }

    fn let_go(&mut self, now: Instant, leg: LegId, farewell: Farewell) {
        match farewell {
            Farewell::Gone => {}
            Farewell::HangUp(reason) => {
                self.tell(
                    now,
                    Command::Hangup {
                        leg,
                        reason: reason.map(str::to_owned),
                    },
                );
            }
            Farewell::Refuse(status) => {
                self.tell(
                    now,
                    Command::Reject {
                        leg,
                        status,
                        reason: None,
                    },
                );
            }
        }
    }

    /// One side has left.
    pub(super) fn left(&mut self, now: Instant, key: MediaId, which: Which, cause: EndCause) {
        let other = Farewell::HangUp(None);
        let farewells = match which {
            Which::Caller => (Farewell::Gone, other),
            Which::Callee => (other, Farewell::Gone),
        };
        self.finish(now, key, cause, farewells);
    }
}
