//! The task that signals with recorders.
//! Owns: one SIP stack of its own beside the calls', and every recording session.
//! Never: makes a call wait; sends audio.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::recording::RecorderWord;
use domain::time::WallClock;
use sip::message::HeaderName;
use sip::sdp::Session;
use sip::siprec::{
    LocalStreams, Mode, RecordingFault, RecordingOutput, RecordingSession, Standing,
};
use sip::{Command, Event, Host, LegId, NameAddr, Stack, Status, Transport, Uri};
use tokio::sync::mpsc;

use super::SiprecTarget;
use super::gates::{Gates, Sender};
use super::held::{Held, Key};
use super::line::{Counters, LineCommand, SiprecLine, SiprecPlace};
use super::transport::{Heard, Transports, flow_to};

/// Sessions at a time: more than a node has calls. More: the call is not recorded there, with an alarm.
const SESSIONS_MAX: usize = 4_000;
/// A name that is not resolved in so long means nothing.
const RESOLVE_MAX: Duration = Duration::from_secs(2);
/// Datagrams taken in one turn.
const DATAGRAMS_MAX: usize = 64;
/// A server that ends waits so long for recorders to acknowledge it.
const FAREWELL_MAX: Duration = Duration::from_secs(2);
/// Two changes that met wait up to so much longer than they must: a pause has to be confirmed within 2.8 s.
const SPREAD_MAX_MS: u64 = 300;

/// The task's own.
pub(super) struct Task {
    stack: Stack,
    transports: Transports,
    place: SiprecPlace,
    gates: Arc<Gates>,
    counters: Arc<Counters>,
    clock: Arc<dyn WallClock>,
    /// To itself, for what it asks of others.
    commands: mpsc::Sender<LineCommand>,
    sessions: HashMap<Key, Held>,
    by_leg: HashMap<LegId, Key>,
}

impl Task {
    pub(super) fn new(
        line: &SiprecLine,
        (stack, transports, place): (Stack, Transports, SiprecPlace),
    ) -> Self {
        Self {
            stack,
            transports,
            place,
            gates: line.gates.clone(),
            counters: line.counters.clone(),
            clock: line.clock.clone(),
            commands: line.commands.clone(),
            sessions: HashMap::new(),
            by_leg: HashMap::new(),
        }
    }

    /// Runs until it is told to stop.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<LineCommand>) {
        loop {
            let wake = self.next_timeout();
            tokio::select! {
                Some(command) = queue.recv() => {
                    if let LineCommand::Stop(done) = command {
                        self.say_farewell().await;
                        let _nobody_waits = done.send(());
                        return;
                    }
                    self.obey(Instant::now(), command);
                }
                heard = self.transports.hear() => self.take(heard),
                () = sleep_until(wake) => {}
            }
            self.see_to_timers(Instant::now());
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        let sessions = self.sessions.values();
        let sessions = sessions.filter_map(|held| held.session.as_ref()?.next_timeout());
        sessions.chain(self.stack.next_timeout()).min()
    }

    fn see_to_timers(&mut self, now: Instant) {
        self.stack.handle_timeout(now);
        let is_due = |held: &Held| {
            let at = held
                .session
                .as_ref()
                .and_then(RecordingSession::next_timeout);
            at.is_some_and(|at| at <= now)
        };
        let due = self.sessions.iter().filter(|(_, held)| is_due(held));
        let due: Vec<Key> = due.map(|(key, _)| key.clone()).collect();
        for key in due {
            self.with(now, &key, |session| session.handle_timeout(now));
        }
        self.drain(now);
    }

    fn take_datagrams(&mut self) {
        for _ in 0..DATAGRAMS_MAX {
            let Self {
                transports, stack, ..
            } = self;
            let taken = transports
                .udp
                .receive(|flow, bytes| stack.handle_datagram(Instant::now(), flow, bytes));
            if taken.is_none() {
                return;
            }
            self.drain(Instant::now());
        }
    }

    fn take(&mut self, heard: Heard) {
        let now = Instant::now();
        match heard {
            Heard::Datagrams => return self.take_datagrams(),
            Heard::Message(remote, message) => {
                let flow = flow_to(remote, Transport::Tcp);
                self.stack.handle_datagram(now, flow, message.as_bytes());
            }
            Heard::Lost(remote) => self.lost(now, remote),
        }
        self.drain(now);
    }

    /// A connection is gone: an invitation that went over it will not be answered. A session that is up makes a new one with its next message.
    fn lost(&mut self, now: Instant, remote: SocketAddr) {
        let waits = |held: &Held| {
            held.leg.is_some_and(|(_, at)| at == remote)
                && held.session.is_some()
                && held.standing() == Standing::Inviting
        };
        let waiting = self.sessions.iter().filter(|(_, held)| waits(held));
        let waiting: Vec<Key> = waiting.map(|(key, _)| key.clone()).collect();
        for key in waiting {
            self.hang_up(now, &key);
            self.with(now, &key, |session| {
                session.handle_failed(Status::SERVICE_UNAVAILABLE);
            });
        }
    }

    fn obey(&mut self, now: Instant, command: LineCommand) {
        match command {
            LineCommand::Begin(begun) => self.begin(*begun),
            LineCommand::Resolved(key, addresses) => self.resolved(now, &key, addresses),
            LineCommand::Want(key, mode, reply) => match self.sessions.get_mut(&key) {
                Some(held) => {
                    held.want(now, mode, reply);
                    self.carry_out(now, &key);
                }
                None => drop(reply.send(RecorderWord::Unknown)),
            },
            LineCommand::State(key, reply) => {
                let held = self.sessions.get(&key);
                let _gone = reply.send(held.map_or(RecorderWord::Unknown, Held::state));
            }
            LineCommand::End(call) => {
                let of_it = self.sessions.keys().filter(|key| key.call == call);
                for key in of_it.cloned().collect::<Vec<_>>() {
                    self.end(now, &key);
                }
            }
            LineCommand::Stop(_) => {}
        }
        self.drain(now);
    }

    /// Names of recorders are resolved elsewhere; until then a pause may be wanted already.
    fn begin(&mut self, (key, held): (Key, Held)) {
        if self.sessions.contains_key(&key) {
            return;
        }
        if self.sessions.len() >= SESSIONS_MAX {
            tracing::error!(call = %key.call, recorder = %key.recorder, "alarm: a call is not recorded by a recorder: there are too many recording sessions");
            return;
        }
        let (targets, commands) = (held.targets.clone(), self.commands.clone());
        let local = self.transports.udp.local();
        self.sessions.insert(key.clone(), held);
        self.count();
        tokio::spawn(async move {
            let mut addresses = Vec::with_capacity(targets.len());
            for target in &targets {
                addresses.push(resolved(target, local).await);
            }
            commands
                .send(LineCommand::Resolved(key, addresses.into()))
                .await
        });
    }

    fn resolved(&mut self, now: Instant, key: &Key, addresses: Arc<[Option<SocketAddr>]>) {
        let Some(held) = self.sessions.get_mut(key) else {
            return;
        };
        let pairs = self.place.ports.open();
        let pairs = pairs.and_then(|one| Ok([one, self.place.ports.open()?]));
        let sender = match pairs {
            Ok(pairs) => Sender::new(pairs),
            Err(error) => {
                tracing::error!(call = %key.call, recorder = %key.recorder, %error, "alarm: a call is not recorded by a recorder");
                self.sessions.remove(key);
                return self.count();
            }
        };
        let rtp = sender.advertised(self.place.media_advertised);
        self.gates.add(&key.call, &key.recorder, sender);
        let spread = Duration::from_millis(rand::random_range(0..SPREAD_MAX_MS));
        let local = LocalStreams::new(u64::from(rand::random::<u32>()), rtp);
        held.session = Some(RecordingSession::new(
            local,
            addresses.len(),
            held.wanted,
            spread,
        ));
        for address in addresses.iter().flatten() {
            self.transports.know(address.ip());
        }
        held.addresses = addresses;
        self.carry_out(now, key);
    }

    fn end(&mut self, now: Instant, key: &Key) {
        self.with(now, key, RecordingSession::hang_up);
        self.gates.remove(&key.call, &key.recorder);
        if let Some(mut held) = self.sessions.remove(key) {
            held.answer();
        }
        self.count();
    }

    fn count(&self) {
        let sessions = self.sessions.len();
        self.counters.sessions.store(sessions, Ordering::Relaxed);
    }

    /// Changes a session and carries out what it says.
    fn with(&mut self, now: Instant, key: &Key, change: impl FnOnce(&mut RecordingSession)) {
        let held = self.sessions.get_mut(key);
        if let Some(session) = held.and_then(|held| held.session.as_mut()) {
            change(session);
            self.carry_out(now, key);
        }
    }

    fn carry_out(&mut self, now: Instant, key: &Key) {
        while let Some(output) = self
            .sessions
            .get_mut(key)
            .and_then(|held| held.session.as_mut()?.poll_output())
        {
            self.carry_out_one(now, key, output);
        }
        if let Some(held) = self.sessions.get_mut(key) {
            held.answer();
        }
    }

    fn carry_out_one(&mut self, now: Instant, key: &Key, output: RecordingOutput) {
        match output {
            RecordingOutput::Invite {
                target,
                offer,
                mode,
            } => {
                if !self.invite(now, key, (target, offer, mode)) {
                    let held = self.sessions.get_mut(key);
                    if let Some(session) = held.and_then(|held| held.session.as_mut()) {
                        session.handle_failed(Status::SERVICE_UNAVAILABLE);
                    }
                }
            }
            RecordingOutput::Change { offer, mode } => {
                let at = self.clock.now().iso_text();
                let metadata = |held: &Held| held.communication.document(mode, &at);
                let sent = self.command_in(now, key, |leg, held| Command::ChangeRecording {
                    leg,
                    offer,
                    metadata: metadata(held),
                });
                if !sent && let Some(held) = self.sessions.get_mut(key) {
                    // One of the recorder's is open.
                    if let Some(session) = &mut held.session {
                        session.handle_offer_failed(now, Status::REQUEST_PENDING);
                    }
                }
            }
            RecordingOutput::Accept(answer) => {
                self.command_in(now, key, |leg, _| Command::AcceptOffer { leg, answer });
            }
            RecordingOutput::Reject => {
                let status = Status::NOT_ACCEPTABLE_HERE;
                self.command_in(now, key, |leg, _| Command::RejectOffer { leg, status });
            }
            RecordingOutput::HangUp => self.hang_up(now, key),
            RecordingOutput::Send(streams) => self.gates.open(&key.call, &key.recorder, streams),
            RecordingOutput::Stop => self.gates.close(&key.call, &key.recorder),
            RecordingOutput::Failed { target, fault } => self.failed(key, target, fault),
        }
    }

    /// False: its name means nothing, or nothing can be sent now.
    fn invite(
        &mut self,
        now: Instant,
        key: &Key,
        (target, offer, mode): (usize, Session, Mode),
    ) -> bool {
        let Some(held) = self.sessions.get_mut(key) else {
            return false;
        };
        let Some(one) = held.targets.get(target) else {
            return false;
        };
        let Some(remote) = held.addresses.get(target).copied().flatten() else {
            return false;
        };
        let leg = self.stack.new_leg();
        let from = Uri::sip(Some("tonewall"), Host::Ip(self.place.sip_advertised), None);
        let at = self.clock.now().iso_text();
        let command = Command::InviteRecorder {
            leg,
            target: one.uri.clone(),
            from: NameAddr::new(from),
            flow: flow_to(remote, one.transport),
            offer,
            metadata: held.communication.document(mode, &at),
            headers: vec![(HeaderName::from("X-Tonewall-Call"), key.call.to_string())],
            credentials: held.credentials.clone(),
        };
        if self.stack.command(now, command).is_err() {
            return false;
        }
        held.leg = Some((leg, remote));
        self.by_leg.insert(leg, key.clone());
        true
    }

    /// Whether the dialog allowed it.
    fn command_in(
        &mut self,
        now: Instant,
        key: &Key,
        command: impl FnOnce(LegId, &Held) -> Command,
    ) -> bool {
        let Some(held) = self.sessions.get(key) else {
            return false;
        };
        let Some((leg, _)) = held.leg else {
            return false;
        };
        let command = command(leg, held);
        self.stack.command(now, command).is_ok()
    }

    fn hang_up(&mut self, now: Instant, key: &Key) {
        let leg = self.sessions.get_mut(key).and_then(|held| held.leg.take());
        if let Some((leg, _)) = leg {
            self.by_leg.remove(&leg);
            let hang_up = Command::Hangup { leg, reason: None };
            let _ended_meanwhile = self.stack.command(now, hang_up);
        }
    }

    fn failed(&mut self, key: &Key, target: usize, fault: RecordingFault) {
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        let Some(held) = self.sessions.get(key) else {
            return;
        };
        let uri = held.targets.get(target).map(|one| one.uri.to_string());
        let uri = uri.unwrap_or_default();
        let (call, recorder) = (&key.call, &key.recorder);
        match held.standing() {
            Standing::Over => {
                tracing::error!(%call, %recorder, uri, %fault, "alarm: a call is not recorded by a recorder any more: none of its list takes it");
            }
            _ => {
                tracing::error!(%call, %recorder, uri, %fault, "alarm: a recorder has failed; the next of its list is asked");
            }
        }
    }

    /// Sends and hears everything the stack has to say.
    fn drain(&mut self, now: Instant) {
        loop {
            while let Some(transmit) = self.stack.poll_transmit() {
                self.transports.send(&transmit);
            }
            let Some(event) = self.stack.poll_event() else {
                return;
            };
            self.hear(now, event);
        }
    }

    fn hear(&mut self, now: Instant, event: Event) {
        let (leg, is_last) = match &event {
            Event::Answered { leg, .. }
            | Event::OfferAnswered { leg, .. }
            | Event::OfferFailed { leg, .. }
            | Event::Offered { leg, .. } => (*leg, false),
            Event::Failed { leg, .. } | Event::Ended { leg, .. } => (*leg, true),
            _ => return,
        };
        let Some(key) = self.by_leg.get(&leg).cloned() else {
            return;
        };
        let Some(held) = self.sessions.get_mut(&key) else {
            return;
        };
        let from = held.leg.map(|(_, remote)| remote.ip());
        if is_last {
            held.leg = None;
            self.by_leg.remove(&leg);
        }
        let Some(from) = from else {
            return;
        };
        self.with(now, &key, |session| match event {
            Event::Answered {
                answer: Some(answer),
                ..
            } => session.handle_answered(now, &answer, from),
            Event::OfferAnswered { answer, .. } => {
                session.handle_offer_answered(now, &answer, from);
            }
            Event::OfferFailed { status, .. } => session.handle_offer_failed(now, status),
            Event::Offered { offer, .. } => session.handle_offered(now, offer.as_ref(), from),
            Event::Failed { status, .. } => session.handle_failed(status),
            _ => session.handle_ended(),
        });
    }

    async fn say_farewell(&mut self) {
        let now = Instant::now();
        for key in self.sessions.keys().cloned().collect::<Vec<_>>() {
            self.end(now, &key);
        }
        self.drain(now);
        let until = now + FAREWELL_MAX;
        let all = async {
            while self.stack.counters().legs > 0 {
                let wake = self.next_timeout();
                tokio::select! {
                    heard = self.transports.hear() => self.take(heard),
                    () = sleep_until(wake) => {}
                }
                self.see_to_timers(Instant::now());
            }
        };
        let _some_stay_silent = tokio::time::timeout_at(until.into(), all).await;
    }
}

/// The address of a recorder that this socket can reach.
async fn resolved(target: &SiprecTarget, local: SocketAddr) -> Option<SocketAddr> {
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = match tokio::time::timeout(RESOLVE_MAX, lookup).await {
        Ok(Ok(mut found)) => found.find(|one| one.is_ipv4() == local.is_ipv4()),
        Ok(Err(_)) | Err(_) => None,
    };
    if found.is_none() {
        tracing::error!(host = %target.host, "alarm: the name of a recorder means no address that this server can reach");
    }
    found
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
