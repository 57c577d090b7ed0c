//! The loop of one media thread.
//! Owns: its calls, completely: nothing of them is shared.
//! Never: blocks but in its one wait, allocates per packet, or lets one call's panic reach another.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::CallId;
use media::leg::Leg;
use media::relay::Input;
use secret::KeyReceiver;
use tokio::sync::Notify;

use super::browsers::{BrowserId, BrowserPort, Browsers};
use super::calls::{BROWSERS, Calls, first_token};
use super::counters::MediaCounters;
use super::ringing::Rings;
use super::running::{RunningCall, Ways};
use super::{Agreed, Line, MediaCommand, MediaId, NewCall, Report, Restarting, Shared, Successor};
use crate::packet_io::PacketIo;
use crate::recorder::{FrameSender, Speaker};

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
    pub(super) record_dropped: u64,
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
            record_dropped: 0,
        }
    }

    /// False if there is no room.
    pub(super) fn report(&mut self, report: Report) -> bool {
        self.has_news = true;
        self.reports.push(report).is_ok()
    }

    pub(super) fn record(
        &mut self,
        call: &Arc<CallId>,
        from: Speaker,
        position: u64,
        samples: &[i16],
    ) {
        if let Some(recorder) = &mut self.recorder {
            self.record_dropped += recorder.send(call, from, position, samples);
        }
    }

    pub(super) fn record_mask(&mut self, call: &Arc<CallId>, position: u64, holds: bool) {
        if let Some(recorder) = &mut self.recorder {
            self.record_dropped += recorder.mask(call, position, holds);
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
    pub(super) io: PacketIo,
    commands: rtrb::Consumer<MediaCommand>,
    keys: KeyReceiver,
    shared: Arc<Shared>,
    pub(super) calls: Calls,
    free: Vec<usize>,
    places: HashMap<MediaId, usize>,
    /// Ends that could not be reported. Bounded by the calls of this thread.
    failed: Vec<MediaId>,
    ended: MediaCounters,
    rings: Rings,
    published_at: Instant,
}

impl Worker {
    pub(super) fn new(
        io: PacketIo,
        commands: rtrb::Consumer<MediaCommand>,
        outlet: Outlet,
        keys: KeyReceiver,
        (shared, browsers): (Arc<Shared>, Option<BrowserPort>),
    ) -> Self {
        Self {
            io,
            commands,
            keys,
            shared,
            calls: Calls::new(outlet, Browsers::new(browsers)),
            free: Vec::new(),
            places: HashMap::new(),
            failed: Vec::new(),
            ended: MediaCounters::default(),
            rings: Rings::default(),
            published_at: Instant::now(),
        }
    }

    /// Runs until told to stop, or until the system takes its sockets away.
    pub(super) fn run(mut self) {
        let Self { io, calls, .. } = &mut self;
        if let Some(socket) = calls.browsers.socket()
            && io.watch(socket, BROWSERS).is_err()
        {
            return;
        }
        loop {
            let wait = self.wait(Instant::now());
            if self.io.wait(wait).is_err() {
                return;
            }
            self.shared.beat();
            if !self.carry_out() {
                self.end_all();
                return;
            }
            let Self { io, calls, .. } = &mut self;
            io.receive_for(calls);
            let now = Instant::now();
            self.calls.wake(now, self.io.outbox());
            self.calls.wake_browsers(now, self.io.outbox());
            let browsers = &mut self.calls.browsers;
            self.rings.wake(now, browsers, self.io.outbox());
            self.remove_doomed();
            self.report_again();
            self.publish_if_due(now);
            self.calls.outlet.tell();
        }
    }

    /// How long there is nothing to do. Not at all while a command waits: the wake of one that came after the last look at the ring was heard together
    /// with those before it.
    fn wait(&self, now: Instant) -> Option<Duration> {
        if !self.commands.is_empty() {
            return Some(Duration::ZERO);
        }
        let browsers = &self.calls.browsers;
        let is_idle = self.places.is_empty() && self.failed.is_empty() && self.rings.is_empty();
        if is_idle && browsers.len() == 0 {
            return None;
        }
        let due = [self.calls.wake_at, browsers.wake_at, self.rings.wake_at];
        let due = due.into_iter().flatten().min();
        let due = due.map(|at| at.saturating_duration_since(now));
        Some(due.map_or(TICK, |due| due.min(TICK)))
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
            MediaCommand::Protect(id) => self.on(id, now, |call, ways| call.protect(now, ways)),
            MediaCommand::Unprotect(id) => self.on(id, now, |call, ways| call.unprotect(now, ways)),
            MediaCommand::Watch(id, on) => self.on(id, now, |call, ways| {
                call.handle(now, Input::Watch(on), ways);
            }),
            MediaCommand::HearAgent(id, keys) => self.on(id, now, |call, ways| {
                call.hear_agent(keys, now, ways);
            }),
            MediaCommand::Mute(id, on) => self.on(id, now, |call, ways| call.mute(on, now, ways)),
            MediaCommand::Replan(id, leg, agreed) => {
                self.on(id, now, |call, ways| call.replan(now, leg, *agreed, ways));
            }
            MediaCommand::InfoKey(id, leg) => {
                if let Some(key) = self.keys.pop() {
                    let input = Input::InfoKey { leg, key };
                    self.on(id, now, |call, ways| call.handle(now, input, ways));
                }
            }
            MediaCommand::MuteAgent(id, on) => self.on(id, now, |call, ways| {
                call.handle(now, Input::MuteAgent(on), ways);
            }),
            MediaCommand::Hold(id, on) => self.on(id, now, |call, ways| {
                call.handle(now, Input::Hold(on), ways);
            }),
            MediaCommand::Succeed(id, successor) => self.succeed(id, *successor, now),
            MediaCommand::SendKey(id) => {
                if let Some(key) = self.keys.pop() {
                    self.on(id, now, |call, ways| {
                        call.handle(now, Input::SendKey(key), ways);
                    });
                }
            }
            MediaCommand::End(id) => self.end(id, now),
            MediaCommand::Ring(id, new) => self.rings.begin(id, *new, now),
            MediaCommand::ReplanRing(id, agreed) => self.rings.replan(id, *agreed),
            MediaCommand::EndRing(id) => self.rings.end(id),
            MediaCommand::OpenBrowser(id, leg) => self.calls.browsers.open(id, *leg, now),
            MediaCommand::RestartBrowser(id, offer, reply) => {
                self.restart_browser(id, &offer, reply, now);
            }
            MediaCommand::SwapBrowser(id, leg, browser) => self.swap_browser(id, leg, browser),
            MediaCommand::TestBrowser(id, test, codec) => {
                self.calls.browsers.test(id, test, codec, now);
            }
            MediaCommand::CloseBrowser(id) => self.calls.browsers.close(id),
            MediaCommand::Listen(id, listener) => self.listen(id, &listener, now),
            MediaCommand::Hear(id, listener, voice) => self.hear(id, listener, voice, now),
            MediaCommand::SwapListener(id, listener, browser) => {
                self.swap_listener(id, listener, browser, now);
            }
            MediaCommand::Unlisten(id, listener) => self.unlisten(id, listener, now),
            MediaCommand::Stop => {}
        }
        self.remove_doomed();
    }

    pub(super) fn place_of(&self, id: MediaId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    pub(super) fn on(
        &mut self,
        id: MediaId,
        now: Instant,
        act: impl FnOnce(&mut RunningCall, &mut Ways<'_>),
    ) {
        if let Some(place) = self.places.get(&id).copied() {
            self.calls.with(place, now, self.io.outbox(), act);
        }
    }

    fn start(&mut self, new: NewCall, now: Instant) {
        let id = new.id;
        self.rings.end(id);
        let made = catch_unwind(AssertUnwindSafe(|| Box::new(RunningCall::new(new, now))));
        let Ok(call) = made else {
            self.calls.panics += 1;
            self.report_failure(id);
            return;
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.calls.running.push(None);
            self.calls.due.push(None);
            self.calls.running.len() - 1
        });
        let watched = call.watch(&mut self.io, first_token(place));
        self.places.insert(id, place);
        for (leg, browser) in call.browsers() {
            self.calls.browsers.bind(browser, place, leg);
        }
        if let Some(slot) = self.calls.running.get_mut(place) {
            *slot = Some(call);
        }
        if watched.is_err() {
            self.calls.doomed.push(place);
        } else {
            let outbox = self.io.outbox();
            self.calls.with(place, now, outbox, |call, ways| {
                call.handle_timeout(now, ways);
            });
        }
    }

    /// The old phone's sockets are closed, the new one's are watched under the same tokens.
    fn succeed(&mut self, id: MediaId, successor: Successor, now: Instant) {
        let Some(place) = self.places.get(&id).copied() else {
            return;
        };
        let Successor { agreed, line, seed } = successor;
        let Agreed { plan, carriage } = agreed;
        self.on(id, now, |call, ways| {
            call.handle(now, Input::Succeed { plan, seed }, ways);
        });
        let Self { io, calls, .. } = self;
        let Some(call) = calls.running.get_mut(place).and_then(Option::as_deref_mut) else {
            return;
        };
        let browsers = &mut calls.browsers;
        let former = call.browsers().find(|(leg, _)| *leg == Leg::Agent);
        if let Some((_, former)) = former {
            browsers.close(former);
        }
        if let Line::Browser(browser) = line {
            browsers.bind(browser, place, Leg::Agent);
        }
        let watched = call.replace_agent(io, first_token(place), (line, carriage));
        if watched.is_err() {
            self.calls.doomed.push(place);
        }
    }

    /// Another connection of the same browser: the relay hears another stream from the same place.
    fn swap_browser(&mut self, id: MediaId, leg: Leg, browser: BrowserId) {
        let place = self.places.get(&id).copied();
        let Some(place) = place else {
            return self.calls.browsers.close(browser);
        };
        let Calls {
            running, browsers, ..
        } = &mut self.calls;
        let call = running.get_mut(place).and_then(Option::as_deref_mut);
        if let Some(former) = call.and_then(|call| call.swap_browser(leg, browser)) {
            browsers.close(former);
            browsers.bind(browser, place, leg);
        }
    }

    fn restart_browser(&mut self, id: BrowserId, offer: &str, reply: Restarting, now: Instant) {
        let answer = self.calls.browsers.restart(id, offer, now);
        let _asker_is_gone = reply.send(answer);
    }

    fn end(&mut self, id: MediaId, now: Instant) {
        self.on(id, now, |call, ways| call.handle(now, Input::End, ways));
        self.remove_doomed();
        if let Some(place) = self.places.get(&id).copied() {
            self.remove(place);
        }
    }

    fn end_all(&mut self) {
        let ids: Vec<MediaId> = self.places.keys().copied().collect();
        for id in ids {
            self.end(id, Instant::now());
        }
        self.calls.outlet.tell();
    }

    fn remove_doomed(&mut self) {
        while let Some(place) = self.calls.doomed.pop() {
            if let Some(id) = self.remove(place) {
                self.report_failure(id);
            }
        }
    }

    fn remove(&mut self, place: usize) -> Option<MediaId> {
        let call = self.calls.running.get_mut(place)?.take()?;
        if let Some(due) = self.calls.due.get_mut(place) {
            *due = None;
        }
        call.forget(&mut self.io, first_token(place));
        let sides = call.browsers().map(|(_, browser)| browser);
        for browser in sides.chain(call.listening()) {
            self.calls.browsers.close(browser);
        }
        self.places.remove(&call.id());
        self.free.push(place);
        self.calls.outlet.record_end(call.call());
        self.ended.add(&call.counters());
        self.publish(Instant::now());
        Some(call.id())
    }
}

/// Reports.
impl Worker {
    fn report_failure(&mut self, id: MediaId) {
        if !self.calls.outlet.report(Report::Failed(id)) {
            self.failed.push(id);
        }
    }

    fn report_again(&mut self) {
        while let Some(id) = self.failed.pop() {
            if !self.calls.outlet.report(Report::Failed(id)) {
                self.failed.push(id);
                break;
            }
        }
        while let Some(test) = self.calls.browsers.tests_over.pop() {
            if !self.calls.outlet.report(Report::TestOver(test)) {
                self.calls.browsers.tests_over.push(test);
                break;
            }
        }
        if !std::mem::take(&mut self.calls.owes) {
            return;
        }
        let now = Instant::now();
        for place in 0..self.calls.running.len() {
            let owes = RunningCall::owes_a_report;
            if self.calls.running(place).is_some_and(owes) {
                let outbox = self.io.outbox();
                self.calls
                    .with(place, now, outbox, |call, ways| call.report_again(ways));
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
        sums.send_failed = self.io.outbox().failed();
        sums.record_dropped = self.calls.outlet.record_dropped;
        sums.panics = self.calls.panics + self.calls.browsers.panics;
        sums.browsers = u64::try_from(self.calls.browsers.len()).unwrap_or(u64::MAX);
        sums.browser_datagrams_refused = self.calls.browsers.refused;
        for call in self.calls.running.iter().flatten() {
            sums.calls_watched += u64::from(call.is_watching());
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
    use crate::media_thread::{Carriage, Carriages};
    use crate::packet_io::Backend;
    use crate::rtp_socket::RtpPorts;
    use media::leg::{Codec, LegPlan};
    use media::relay::RelayPlan;
    use rand::Rng;
    use rtrb::RingBuffer;
    use secret::{Arena, KeyReceiver};
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    struct Scene {
        worker: Worker,
        commands: rtrb::Producer<MediaCommand>,
        reports: rtrb::Consumer<Report>,
        arena: Arc<Arena>,
        ports: RtpPorts,
        keys: Vec<KeyReceiver>,
    }

    impl Scene {
        /// A worker that is driven by the test, with room for this many reports.
        fn new(backend: Backend, reports_max: usize, first_port: u16) -> Self {
            let arena = Arena::new(8).unwrap();
            let (commands, commands_out) = RingBuffer::new(1);
            let (reports_in, reports) = RingBuffer::new(reports_max);
            let outlet = Outlet::new(reports_in, Arc::new(Notify::new()), None);
            let (_, keys) = secret::digit_ring(&arena).unwrap();
            let io = PacketIo::new(backend).unwrap();
            let worker = Worker::new(
                io,
                commands_out,
                outlet,
                keys,
                (Arc::new(Shared::new()), None),
            );
            let ports = RtpPorts::new(LOOPBACK, &(first_port..=first_port + 99)).unwrap();
            Self {
                worker,
                commands,
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
                consumer: Line::Ports(self.ports.open().unwrap()),
                agent: Line::Ports(self.ports.open().unwrap()),
                carriages: Carriages {
                    consumer: Carriage::Plain,
                    agent: Carriage::Plain,
                },
                keys: sender,
                egress: Arc::default(),
            };
            self.worker.start(new, now);
            self.worker.places[&MediaId(id)]
        }

        fn with<R>(
            &mut self,
            place: usize,
            act: impl FnOnce(&mut RunningCall, &mut Ways<'_>) -> R,
        ) -> Option<R> {
            let outbox = self.worker.io.outbox();
            self.worker.calls.with(place, Instant::now(), outbox, act)
        }
    }

    /// Once with each way to the system that this kernel allows.
    fn each(reports_max: usize, test: impl Fn(Scene)) {
        for backend in Backend::ALL {
            if backend == Backend::Epoll || PacketIo::new(backend).is_ok() {
                // Ports that nobody else here uses, with all likelihood.
                let first_port = 2 * rand::rng().random_range(5_000..16_000);
                test(Scene::new(backend, reports_max, first_port));
            }
        }
    }

    #[test]
    fn a_panic_ends_its_own_call_and_no_other() {
        each(16, |mut scene| {
            let now = Instant::now();
            let (one, other) = (scene.start(1, now), scene.start(2, now));
            assert_eq!(scene.ports.in_use().taken, 4);
            scene.with(one, |_, _| panic!("a call"));
            // Nothing more is done for it, even before it is removed.
            assert_eq!(scene.with(one, |call, _| call.id()), None);
            scene.worker.remove_doomed();
            assert_eq!(scene.reports.pop(), Ok(Report::Failed(MediaId(1))));
            assert_eq!(scene.ports.in_use().taken, 2);
            assert_eq!(scene.with(other, |call, _| call.id()), Some(MediaId(2)));
            assert_eq!(
                (scene.worker.calls.panics, scene.worker.places.len()),
                (1, 1)
            );
        });
    }

    #[test]
    fn a_call_whose_reports_find_no_room_is_silenced_and_reported_later() {
        each(1, |mut scene| {
            let now = Instant::now();
            let place = scene.start(1, now);
            let outlet = &mut scene.worker.calls.outlet;
            assert!(outlet.report(Report::LineBack(MediaId(9))));
            scene.worker.obey(MediaCommand::Protect(MediaId(1)), now);
            for step in 1..=20 {
                let outbox = scene.worker.io.outbox();
                let now = now + Duration::from_millis(100) * step;
                scene.worker.calls.wake(now, outbox);
            }
            assert_eq!(
                scene.with(place, |call, _| call.owes_a_report()),
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
            assert_eq!(scene.with(place, |call, _| call.is_silenced()), Some(true));
            scene.worker.obey(MediaCommand::Protect(MediaId(1)), now);
            assert_eq!(scene.with(place, |call, _| call.is_silenced()), Some(false));
        });
    }

    #[test]
    fn a_call_ends_when_nobody_is_left_to_take_its_keys() {
        each(16, |mut scene| {
            let now = Instant::now();
            let place = scene.start(1, now);
            scene.keys.clear();
            std::thread::sleep(super::super::running::LISTENER_LOOK);
            scene.with(place, |call, ways| call.handle_timeout(now, ways));
            scene.worker.remove_doomed();
            assert_eq!(scene.reports.pop(), Ok(Report::Failed(MediaId(1))));
            assert!(scene.worker.places.is_empty());
        });
    }

    #[test]
    fn an_ended_call_gives_its_place_and_its_counts_back() {
        each(16, |mut scene| {
            let now = Instant::now();
            let place = scene.start(1, now);
            scene.worker.obey(MediaCommand::End(MediaId(1)), now);
            assert_eq!(
                (scene.ports.in_use().taken, scene.ports.in_use().resting),
                (0, 2)
            );
            assert_eq!(scene.start(2, now), place);
            assert!(scene.worker.ended.packets_out > 0);
        });
    }

    #[test]
    fn a_command_whose_wake_was_heard_with_an_earlier_one_is_not_slept_over() {
        each(16, |mut scene| {
            let waker = scene.worker.io.waker();
            waker.wake();
            let wait = scene.worker.wait(Instant::now());
            assert_eq!(wait, None);
            scene.worker.io.wait(wait).unwrap();
            assert!(scene.worker.carry_out());
            // Between the look at the ring and the end of the round.
            scene.commands.push(MediaCommand::Stop).unwrap();
            waker.wake();
            let Worker { io, calls, .. } = &mut scene.worker;
            io.receive_for(calls);
            assert_eq!(scene.worker.wait(Instant::now()), Some(Duration::ZERO));
            assert!(!scene.worker.carry_out());
        });
    }

    #[test]
    fn a_call_is_woken_when_it_is_due_and_not_before() {
        each(16, |mut scene| {
            let now = Instant::now();
            let place = scene.start(1, now);
            scene.start(2, now);
            let due = scene.worker.calls.wake_at.unwrap();
            assert!(due > now);
            let outbox = scene.worker.io.outbox();
            scene
                .worker
                .calls
                .wake(due - Duration::from_nanos(1), outbox);
            assert_eq!(scene.worker.calls.wake_at, Some(due));
            scene.worker.calls.wake(due, scene.worker.io.outbox());
            assert!(scene.worker.calls.wake_at.unwrap() > due);
            scene.worker.obey(MediaCommand::End(MediaId(1)), now);
            assert_eq!(scene.worker.calls.due[place], None);
        });
    }
}
