//! The loop of one media thread.
//! Owns: its calls, completely: nothing of them is shared.
//! Never: blocks but in `poll`, allocates per packet, or lets one call's panic reach another.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::CallId;
use media::leg::Leg;
use media::relay::Input;
use mio::{Events, Poll, Token, Waker};
use secret::KeyReceiver;
use tokio::sync::Notify;

use super::counters::MediaCounters;
use super::running::{Fate, RunningCall, SOCKETS, SocketPlace};
use super::{MediaCommand, MediaId, NewCall, Report, Shared};
use crate::recorder::FrameSender;
use crate::rtp_socket::ReceiveBuffer;

/// Ready sockets taken in one round; the system reports the others in the next.
const EVENTS_MAX: usize = 1_024;

/// Token of the waker; sockets count from 0.
const WAKER: Token = Token(usize::MAX);

/// A thread with calls goes round at least this often, so that its heartbeat tells a stall from quiet.
const TICK: Duration = Duration::from_millis(40);

/// Time between two publications of the counters.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(500);

/// Where a thread's reports and recordings go.
pub(super) struct Outlet {
    reports: rtrb::Producer<Report>,
    notify: Arc<Notify>,
    recorder: Option<FrameSender>,
    has_news: bool,
    send_failed: u64,
    record_dropped: u64,
}

impl Outlet {
    pub(super) fn new(
        reports: rtrb::Producer<Report>,
        notify: Arc<Notify>,
        recorder: Option<FrameSender>,
    ) -> Self {
        Self {
            reports,
            notify,
            recorder,
            has_news: false,
            send_failed: 0,
            record_dropped: 0,
        }
    }

    /// False if there is no room.
    pub(super) fn report(&mut self, report: Report) -> bool {
        self.has_news = true;
        self.reports.push(report).is_ok()
    }

    pub(super) fn note_sent(&mut self, sent: bool) {
        self.send_failed += u64::from(!sent);
    }

    pub(super) fn record(&mut self, call: &Arc<CallId>, leg: Leg, position: u64, samples: &[i16]) {
        if let Some(recorder) = &mut self.recorder {
            self.record_dropped += recorder.send(call, leg == Leg::Consumer, position, samples);
        }
    }

    fn record_end(&mut self, call: &Arc<CallId>) {
        if let Some(recorder) = &mut self.recorder {
            self.record_dropped += recorder.end(call);
        }
    }

    fn tell(&mut self) {
        if std::mem::take(&mut self.has_news) {
            self.notify.notify_one();
        }
    }
}

/// A thread.
pub(super) struct Worker {
    poll: Poll,
    commands: rtrb::Consumer<MediaCommand>,
    info_keys: KeyReceiver,
    outlet: Outlet,
    shared: Arc<Shared>,
    calls: Vec<Option<Box<RunningCall>>>,
    free: Vec<usize>,
    places: HashMap<MediaId, usize>,
    buffer: ReceiveBuffer,
    /// Sockets left before they were empty. The system reports a socket once, so they are remembered.
    unfinished: Vec<Token>,
    /// Ends that could not be reported. Bounded by the calls of this thread.
    failed: Vec<MediaId>,
    /// Some call has a report that found no room.
    owes: bool,
    /// When the first call is due, as of the last round.
    wake_at: Option<Instant>,
    ended: MediaCounters,
    published_at: Instant,
}

impl Worker {
    pub(super) fn new(
        commands: rtrb::Consumer<MediaCommand>,
        outlet: Outlet,
        info_keys: KeyReceiver,
        shared: Arc<Shared>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let worker = Self {
            poll,
            commands,
            info_keys,
            outlet,
            shared,
            calls: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            buffer: ReceiveBuffer::new(),
            unfinished: Vec::with_capacity(EVENTS_MAX),
            failed: Vec::new(),
            owes: false,
            wake_at: None,
            ended: MediaCounters::default(),
            published_at: Instant::now(),
        };
        Ok((worker, waker))
    }

    /// Runs until told to stop, or until the system takes its poller away.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            let wait = self.wait(Instant::now());
            match self.poll.poll(&mut events, wait) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
            self.shared.beat();
            if !self.carry_out() {
                self.end_all();
                return;
            }
            self.read_unfinished();
            for event in events.iter().filter(|event| event.token() != WAKER) {
                self.read(event.token());
            }
            self.wake_calls(Instant::now());
            self.report_again();
            self.publish_if_due(Instant::now());
            self.outlet.tell();
        }
    }

    /// How long there is nothing to do.
    fn wait(&self, now: Instant) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        if self.places.is_empty() && self.failed.is_empty() {
            return None;
        }
        let due = self.wake_at.map(|at| at.saturating_duration_since(now));
        Some(due.map_or(TICK, |due| due.min(TICK)))
    }

    /// Sees to all that is due, and finds what is due next.
    fn wake_calls(&mut self, now: Instant) {
        self.wake_at = None;
        for place in 0..self.calls.len() {
            let due = |call: &RunningCall| call.wake_at().is_some_and(|at| at <= now);
            if self.running(place).is_some_and(due) {
                self.with(place, |call, _, outlet| call.handle_timeout(now, outlet));
            }
            let next = self.running(place).and_then(RunningCall::wake_at);
            self.wake_at = self.wake_at.into_iter().chain(next).min();
        }
    }

    fn running(&self, place: usize) -> Option<&RunningCall> {
        self.calls.get(place).and_then(Option::as_deref)
    }

    /// Runs something on one call alone: if it panics, that call is gone and no other has noticed.
    fn with<R>(
        &mut self,
        place: usize,
        act: impl FnOnce(&mut RunningCall, &mut ReceiveBuffer, &mut Outlet) -> R,
    ) -> Option<R> {
        let Self {
            calls,
            buffer,
            outlet,
            owes,
            ..
        } = self;
        let call = calls.get_mut(place)?.as_deref_mut()?;
        let acted = catch_unwind(AssertUnwindSafe(|| {
            let result = act(call, buffer, outlet);
            let fate = call.fate(Instant::now(), outlet);
            *owes |= call.owes_a_report();
            (result, fate)
        }));
        match acted {
            Ok((result, Fate::Runs)) => Some(result),
            Ok((result, Fate::Abandoned)) => {
                self.fail(place);
                Some(result)
            }
            Err(_) => {
                self.ended.panics += 1;
                self.fail(place);
                None
            }
        }
    }
}

/// Sockets.
impl Worker {
    fn read(&mut self, token: Token) {
        let (place, socket) = (token.0 / SOCKETS, token.0 % SOCKETS);
        let Some(socket) = SocketPlace::ALL.get(socket).copied() else {
            return;
        };
        let more = self.with(place, |call, buffer, outlet| {
            call.read(socket, buffer, outlet)
        });
        if more == Some(true) && !self.unfinished.contains(&token) {
            self.unfinished.push(token);
        }
    }

    fn read_unfinished(&mut self) {
        for _ in 0..self.unfinished.len() {
            let token = self.unfinished.swap_remove(0);
            self.read(token);
        }
    }
}

/// Commands.
impl Worker {
    /// False: stop.
    fn carry_out(&mut self) -> bool {
        for _ in 0..super::COMMANDS_MAX {
            match self.commands.pop() {
                Ok(MediaCommand::Stop) => return false,
                Ok(command) => self.obey(command, Instant::now()),
                Err(_) => return !self.commands.is_abandoned(),
            }
        }
        true
    }

    fn obey(&mut self, command: MediaCommand, now: Instant) {
        match command {
            MediaCommand::Start(new) => self.start(*new, now),
            MediaCommand::Protect(id) => self.on(id, |call, outlet| call.protect(now, outlet)),
            MediaCommand::Unprotect(id) => self.on(id, |call, outlet| call.unprotect(now, outlet)),
            MediaCommand::Mute(id, on) => self.on(id, |call, outlet| call.mute(on, now, outlet)),
            MediaCommand::Replan(id, leg, plan) => {
                self.on(id, |call, outlet| {
                    call.handle(now, Input::Replan { leg, plan: *plan }, outlet)
                });
            }
            MediaCommand::InfoKey(id, leg) => {
                if let Some(key) = self.info_keys.pop() {
                    self.on(id, |call, outlet| {
                        call.handle(now, Input::InfoKey { leg, key }, outlet)
                    });
                }
            }
            MediaCommand::End(id) => self.end(id, now),
            MediaCommand::Stop => {}
        }
    }

    fn on(&mut self, id: MediaId, act: impl FnOnce(&mut RunningCall, &mut Outlet)) {
        if let Some(place) = self.places.get(&id).copied() {
            self.with(place, |call, _, outlet| act(call, outlet));
        }
    }

    fn start(&mut self, new: NewCall, now: Instant) {
        let id = new.id;
        let made = catch_unwind(AssertUnwindSafe(|| Box::new(RunningCall::new(new, now))));
        let Ok(call) = made else {
            self.ended.panics += 1;
            self.report_failure(id);
            return;
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.calls.push(None);
            self.calls.len() - 1
        });
        let registered = call.register(self.poll.registry(), place * SOCKETS, &mut self.buffer);
        self.places.insert(id, place);
        if let Some(slot) = self.calls.get_mut(place) {
            *slot = Some(call);
        }
        if registered.is_err() {
            self.fail(place);
        } else {
            self.with(place, |call, _, outlet| call.handle_timeout(now, outlet));
        }
    }

    fn end(&mut self, id: MediaId, now: Instant) {
        self.on(id, |call, outlet| call.handle(now, Input::End, outlet));
        if let Some(place) = self.places.get(&id).copied() {
            self.remove(place);
        }
    }

    fn end_all(&mut self) {
        let ids: Vec<MediaId> = self.places.keys().copied().collect();
        for id in ids {
            self.end(id, Instant::now());
        }
        self.outlet.tell();
    }

    fn fail(&mut self, place: usize) {
        if let Some(id) = self.remove(place) {
            self.report_failure(id);
        }
    }

    fn remove(&mut self, place: usize) -> Option<MediaId> {
        let call = self.calls.get_mut(place)?.take()?;
        call.deregister(self.poll.registry());
        self.places.remove(&call.id());
        self.free.push(place);
        self.outlet.record_end(call.call());
        self.ended.add(&call.counters());
        self.publish(Instant::now());
        Some(call.id())
    }
}

/// Reports.
impl Worker {
    fn report_failure(&mut self, id: MediaId) {
        if !self.outlet.report(Report::Failed(id)) {
            self.failed.push(id);
        }
    }

    fn report_again(&mut self) {
        while let Some(id) = self.failed.pop() {
            if !self.outlet.report(Report::Failed(id)) {
                self.failed.push(id);
                break;
            }
        }
        if !std::mem::take(&mut self.owes) {
            return;
        }
        for place in 0..self.calls.len() {
            if self.running(place).is_some_and(RunningCall::owes_a_report) {
                self.with(place, |call, _, outlet| call.report_again(outlet));
            }
        }
    }

    fn publish_if_due(&mut self, now: Instant) {
        if now.saturating_duration_since(self.published_at) >= PUBLISH_INTERVAL {
            self.publish(now);
        }
    }

    /// Readers hold the lock for a copy; a publication that would wait for one is left out.
    fn publish(&mut self, now: Instant) {
        self.published_at = now;
        let mut sums = self.ended;
        sums.calls = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        sums.send_failed = self.outlet.send_failed;
        sums.record_dropped = self.outlet.record_dropped;
        for call in self.calls.iter().flatten() {
            sums.add(&call.counters());
        }
        if let Ok(mut published) = self.shared.counters.try_lock() {
            *published = sums;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp_socket::RtpPorts;
    use media::leg::{Codec, LegPlan};
    use media::relay::RelayPlan;
    use rtrb::RingBuffer;
    use secret::{Arena, KeyReceiver};
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    struct Scene {
        worker: Worker,
        reports: rtrb::Consumer<Report>,
        arena: Arc<Arena>,
        ports: RtpPorts,
        keys: Vec<KeyReceiver>,
    }

    impl Scene {
        /// A worker that is driven by the test, with room for this many reports.
        fn new(reports_max: usize, first_port: u16) -> Self {
            let arena = Arena::new(8).unwrap();
            let (_, commands) = RingBuffer::new(1);
            let (reports_in, reports) = RingBuffer::new(reports_max);
            let outlet = Outlet::new(reports_in, Arc::new(Notify::new()), None);
            let (_, info_keys) = secret::digit_ring(&arena).unwrap();
            let (worker, _) =
                Worker::new(commands, outlet, info_keys, Arc::new(Shared::new())).unwrap();
            let ports = RtpPorts::new(LOOPBACK, &(first_port..=first_port + 99)).unwrap();
            Self {
                worker,
                reports,
                arena,
                ports,
                keys: Vec::new(),
            }
        }

        fn start(&mut self, id: u64, now: Instant) -> usize {
            let (sender, receiver) = secret::digit_ring(&self.arena).unwrap();
            self.keys.push(receiver);
            let plan = || LegPlan::new(Codec::Pcmu, SocketAddr::new(LOOPBACK, 9));
            let new = NewCall {
                id: MediaId(id),
                call: Arc::new(CallId::from_random(u128::from(id))),
                plan: RelayPlan::new(plan(), plan(), id),
                consumer: self.ports.open().unwrap(),
                agent: self.ports.open().unwrap(),
                keys: sender,
            };
            self.worker.start(new, now);
            self.worker.places[&MediaId(id)]
        }
    }

    #[test]
    fn a_panic_ends_its_own_call_and_no_other() {
        let mut scene = Scene::new(16, 15_000);
        let now = Instant::now();
        let (one, other) = (scene.start(1, now), scene.start(2, now));
        assert_eq!(scene.ports.in_use().taken, 4);
        scene.worker.with(one, |_, _, _| panic!("a call"));
        assert_eq!(scene.reports.pop(), Ok(Report::Failed(MediaId(1))));
        assert_eq!(scene.ports.in_use().taken, 2);
        assert_eq!(
            scene.worker.with(other, |call, _, _| call.id()),
            Some(MediaId(2))
        );
        assert_eq!(
            (scene.worker.ended.panics, scene.worker.places.len()),
            (1, 1)
        );
    }

    #[test]
    fn a_call_whose_reports_find_no_room_is_silenced_and_reported_later() {
        let mut scene = Scene::new(1, 15_200);
        let now = Instant::now();
        let place = scene.start(1, now);
        assert!(scene.worker.outlet.report(Report::LineBack(MediaId(9))));
        scene.worker.obey(MediaCommand::Protect(MediaId(1)), now);
        for step in 1..=20 {
            scene
                .worker
                .wake_calls(now + Duration::from_millis(100) * step);
        }
        assert_eq!(
            scene.worker.with(place, |call, _, _| call.owes_a_report()),
            Some(true)
        );
        scene.worker.report_again();
        assert_eq!(scene.reports.pop(), Ok(Report::LineBack(MediaId(9))));
        scene.worker.report_again();
        assert_eq!(
            scene.reports.pop(),
            Ok(Report::ProtectionLost(MediaId(1), "reports_full"))
        );
        scene.worker.report_again();
        assert!(scene.reports.pop().is_err());
    }

    #[test]
    fn a_call_ends_when_nobody_is_left_to_take_its_keys() {
        let mut scene = Scene::new(16, 15_400);
        let now = Instant::now();
        let place = scene.start(1, now);
        scene.keys.clear();
        scene
            .worker
            .with(place, |call, _, outlet| call.handle_timeout(now, outlet));
        assert_eq!(scene.reports.pop(), Ok(Report::Failed(MediaId(1))));
        assert!(scene.worker.places.is_empty());
    }

    #[test]
    fn an_ended_call_gives_its_place_and_its_counts_back() {
        let mut scene = Scene::new(16, 15_600);
        let now = Instant::now();
        let place = scene.start(1, now);
        scene.worker.obey(MediaCommand::End(MediaId(1)), now);
        assert_eq!(
            (scene.ports.in_use().taken, scene.ports.in_use().resting),
            (0, 2)
        );
        assert_eq!(scene.start(2, now), place);
        assert!(scene.worker.ended.packets_out > 0);
    }
}
