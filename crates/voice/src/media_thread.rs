//! Threads that carry media.
//! Owns: the operating-system threads, and the control side's end of their rings.
//! Never: touches a packet on the control side, or waits for a thread.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::boundary::EgressTally;
use domain::id::CallId;
use media::leg::{Codec, Leg, LegPlan};
use media::relay::RelayPlan;
use media::supervision::{ListenerId, Voice};
use rtrb::{PushError, RingBuffer};
use secret::{Arena, Key, KeySender};
use tokio::sync::{Notify, oneshot};

use crate::packet_io::{Backend, PacketIo, Waker};
use crate::recorder::FrameSender;
use crate::rtp_socket::RtpPair;
use crate::webrtc::{BrowserLeg, WebRtcError};
pub(crate) use browsers::{BrowserId, BrowserPort};
pub use carrier::{Carriage, Carrier};
pub use counters::MediaCounters;
pub(crate) use ringing::{NewRing, RingLine};
use worker::Worker;

mod browsers;
mod calls;
mod carrier;
mod counters;
mod echo;
mod listeners;
mod ringing;
mod running;
mod worker;

/// Commands one thread may lag behind: each call causes about ten in its life, so this is a hundred calls set up at once. When full, a call or
/// a capture does not start, and what must not be lost waits on the control side.
const COMMANDS_MAX: usize = 1_024;

/// Commands that wait on the control side while a ring is full. Beyond it the thread counts as dead: it has done nothing for thousands of them.
const OWED_MAX: usize = 4_096;

/// Reports the control side may lag behind: a key of every call of a full thread at once, four times over. When full, a protected call is
/// silenced and reported as soon as there is room.
const REPORTS_MAX: usize = 4_096;

/// A thread that has not gone round for this long cannot answer for a mask (S29).
const HEARTBEAT_AGE_MAX: Duration = Duration::from_millis(100);

/// One call's media, unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MediaId(pub(crate) u64);

/// How a side's packets come and go.
pub(crate) enum Line {
    /// By ports of its own, as they are.
    Ports(RtpPair),
    /// By a browser's leg of the same thread.
    Browser(BrowserId),
}

/// A call whose media begins.
pub(crate) struct NewCall {
    pub(crate) id: MediaId,
    pub(crate) call: Arc<CallId>,
    pub(crate) plan: RelayPlan,
    pub(crate) consumer: Line,
    pub(crate) agent: Line,
    pub(crate) carriages: Carriages,
    pub(crate) keys: KeySender,
    /// Where what the egress guard has seen is noted.
    pub(crate) egress: Arc<EgressTally>,
}

/// What carries each leg's packets.
pub(crate) struct Carriages {
    pub(crate) consumer: Carriage,
    pub(crate) agent: Carriage,
}

/// What was agreed on with one far side.
pub(crate) struct Agreed {
    pub(crate) plan: LegPlan,
    pub(crate) carriage: Carriage,
}

/// Another phone in the agent's place.
pub(crate) struct Successor {
    pub(crate) agreed: Agreed,
    pub(crate) line: Line,
    pub(crate) seed: u64,
}

/// Somebody who listens to a call beside its two sides.
pub(crate) struct NewListener {
    pub(crate) id: ListenerId,
    pub(crate) browser: BrowserId,
    pub(crate) codec: Codec,
    /// Random bits for the stream.
    pub(crate) seed: u64,
}

/// What a media thread is told.
pub(crate) enum MediaCommand {
    Start(Box<NewCall>),
    Protect(MediaId),
    Unprotect(MediaId),
    Watch(MediaId, bool),
    /// Keys of the agent's go here, or nowhere again.
    HearAgent(MediaId, Option<Box<KeySender>>),
    Mute(MediaId, bool),
    MuteAgent(MediaId, bool),
    Hold(MediaId, bool),
    /// The next key of the thread's own ring is for the consumer's side.
    SendKey(MediaId),
    Replan(MediaId, Leg, Box<Agreed>),
    Succeed(MediaId, Box<Successor>),
    /// The next key of the thread's own ring was signalled by INFO on this leg. The command holds no key: rings do not wipe what was taken.
    InfoKey(MediaId, Leg),
    End(MediaId),
    /// The agent hears that what they called rings, or the caller who waits hears music, until the call's media begins or it ends.
    Ring(MediaId, Box<NewRing>),
    /// Something else was agreed on with whoever hears that.
    ReplanRing(MediaId, Box<Agreed>),
    /// The call that rang is over before it had any media.
    EndRing(MediaId),
    /// A browser's leg whose description is complete.
    OpenBrowser(BrowserId, Box<BrowserLeg>),
    /// An ICE restart, and where our answer goes.
    RestartBrowser(BrowserId, String, Restarting),
    /// Another connection of the same browser takes the place of the one that this side of the call has.
    SwapBrowser(MediaId, Leg, BrowserId),
    /// It is a test, by this name and in this codec.
    TestBrowser(BrowserId, MediaId, Codec),
    CloseBrowser(BrowserId),
    /// This browser listens to the call from now on, and is heard by nobody.
    Listen(MediaId, Box<NewListener>),
    /// Others hear a listener.
    Hear(MediaId, ListenerId, Voice),
    /// Another connection of the same listener's browser.
    SwapListener(MediaId, ListenerId, BrowserId),
    Unlisten(MediaId, ListenerId),
    Stop,
}

/// Where the answer to an ICE restart goes.
pub(crate) type Restarting = oneshot::Sender<Result<String, WebRtcError>>;

/// What a media thread says. Holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    Protected(MediaId, u32),
    Refused(MediaId, &'static str),
    ProtectionLost(MediaId, &'static str),
    KeyPressed(MediaId),
    KeysLost(MediaId),
    LineSilent(MediaId),
    LineBack(MediaId),
    TonesUnclear(MediaId),
    MediaTimeout(MediaId),
    /// A test has come to its end.
    TestOver(MediaId),
    /// The call's media is gone: it panicked, could not start, or nobody takes its keys.
    Failed(MediaId),
}

impl Report {
    /// Whose it is.
    pub(crate) fn call(self) -> MediaId {
        match self {
            Self::Protected(id, _)
            | Self::Refused(id, _)
            | Self::ProtectionLost(id, _)
            | Self::KeyPressed(id)
            | Self::KeysLost(id)
            | Self::LineSilent(id)
            | Self::LineBack(id)
            | Self::TonesUnclear(id)
            | Self::MediaTimeout(id)
            | Self::TestOver(id)
            | Self::Failed(id) => id,
        }
    }
}

/// The command was not taken: the thread is behind, or dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadBusy;

/// Why a thread is not asked for a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoMask {
    /// It has not gone round for 100 ms (S29).
    Heartbeat,
    /// It is behind with its commands.
    Busy,
}

impl NoMask {
    /// Its reason code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::Busy => "busy",
        }
    }
}

/// What both sides of a thread see.
struct Shared {
    began: Instant,
    beat_ms: AtomicU64,
    counters: Mutex<MediaCounters>,
}

impl Shared {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            beat_ms: AtomicU64::new(0),
            counters: Mutex::new(MediaCounters::default()),
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn beat(&self) {
        self.beat_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    fn is_beating(&self) -> bool {
        let age = self
            .elapsed_ms()
            .saturating_sub(self.beat_ms.load(Ordering::Relaxed));
        Duration::from_millis(age) <= HEARTBEAT_AGE_MAX
    }
}

/// One thread as the control side sees it. Dropping it stops the thread and waits for it.
pub(crate) struct MediaThread {
    commands: rtrb::Producer<MediaCommand>,
    owed: VecDeque<MediaCommand>,
    reports: rtrb::Consumer<Report>,
    keys: KeySender,
    waker: Waker,
    shared: Arc<Shared>,
    join: Option<JoinHandle<()>>,
    calls: usize,
    browser_address: Option<SocketAddr>,
}

impl MediaThread {
    /// Starts a thread with this way to its packets, or with the fastest that there is; `notify` is told when reports wait.
    pub(crate) fn start(
        index: usize,
        backend: Option<Backend>,
        arena: &Arc<Arena>,
        notify: Arc<Notify>,
        recorder: Option<FrameSender>,
        browsers: Option<BrowserPort>,
    ) -> io::Result<Self> {
        let browser_address = browsers.as_ref().map(|port| port.address);
        let (commands, commands_out) = RingBuffer::new(COMMANDS_MAX);
        let (reports_in, reports) = RingBuffer::new(REPORTS_MAX);
        let no_ring = || io::Error::other("no key ring is left in the arena");
        let (keys, keys_out) = secret::digit_ring(arena).ok_or_else(no_ring)?;
        let shared = Arc::new(Shared::new());
        let io = backend.map_or_else(PacketIo::best, PacketIo::new)?;
        let waker = io.waker();
        let worker = Worker::new(
            io,
            commands_out,
            worker::Outlet::new(reports_in, notify, recorder),
            keys_out,
            (Arc::clone(&shared), browsers),
        );
        let join = std::thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || worker.run())?;
        Ok(Self {
            commands,
            owed: VecDeque::new(),
            reports,
            keys,
            waker,
            shared,
            join: Some(join),
            calls: 0,
            browser_address,
        })
    }

    /// Calls given to it and not ended.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// It has ended by itself: its calls are lost.
    pub(crate) fn is_dead(&self) -> bool {
        self.commands.is_abandoned() || self.owed.len() >= OWED_MAX
    }

    /// It went round within the last 100 ms.
    pub(crate) fn is_beating(&self) -> bool {
        self.shared.is_beating()
    }

    pub(crate) fn counters(&self) -> MediaCounters {
        *self
            .shared
            .counters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call's media.
    pub(crate) fn start_call(&mut self, call: NewCall) -> Result<(), ThreadBusy> {
        self.try_tell(MediaCommand::Start(Box::new(call)))?;
        self.calls += 1;
        Ok(())
    }

    /// Asks for the mask. Refused rather than delayed when the thread is behind.
    pub(crate) fn protect(&mut self, id: MediaId) -> Result<(), NoMask> {
        if !self.is_beating() {
            return Err(NoMask::Heartbeat);
        }
        let told = self.try_tell(MediaCommand::Protect(id));
        told.map_err(|ThreadBusy| NoMask::Busy)
    }

    /// Hands over a key of an INFO, by way of the thread's ring in the arena.
    pub(crate) fn info_key(&mut self, id: MediaId, leg: Leg, key: Key) -> Result<(), ThreadBusy> {
        self.tell_key(key, MediaCommand::InfoKey(id, leg))
    }

    pub(crate) fn send_key(&mut self, id: MediaId, key: Key) -> Result<(), ThreadBusy> {
        self.tell_key(key, MediaCommand::SendKey(id))
    }

    /// Hands a key over in the ring that wipes itself, and says what it is.
    fn tell_key(&mut self, key: Key, command: MediaCommand) -> Result<(), ThreadBusy> {
        if !self.owed.is_empty() || self.commands.slots() == 0 {
            return Err(ThreadBusy);
        }
        self.keys.push(key).map_err(|_| ThreadBusy)?;
        self.try_tell(command)
    }

    pub(crate) fn unprotect(&mut self, id: MediaId) {
        self.tell(MediaCommand::Unprotect(id));
    }

    pub(crate) fn watch(&mut self, id: MediaId, on: bool) {
        self.tell(MediaCommand::Watch(id, on));
    }

    pub(crate) fn hear_agent(&mut self, id: MediaId, keys: Option<KeySender>) {
        self.tell(MediaCommand::HearAgent(id, keys.map(Box::new)));
    }

    pub(crate) fn mute(&mut self, id: MediaId, on: bool) {
        self.tell(MediaCommand::Mute(id, on));
    }

    pub(crate) fn mute_agent(&mut self, id: MediaId, on: bool) {
        self.tell(MediaCommand::MuteAgent(id, on));
    }

    pub(crate) fn hold(&mut self, id: MediaId, on: bool) {
        self.tell(MediaCommand::Hold(id, on));
    }

    /// Another phone takes the agent's place.
    pub(crate) fn succeed(&mut self, id: MediaId, successor: Successor) {
        self.tell(MediaCommand::Succeed(id, Box::new(successor)));
    }

    pub(crate) fn replan(&mut self, id: MediaId, leg: Leg, agreed: Agreed) {
        self.tell(MediaCommand::Replan(id, leg, Box::new(agreed)));
    }

    pub(crate) fn end(&mut self, id: MediaId) {
        self.calls = self.calls.saturating_sub(1);
        self.tell(MediaCommand::End(id));
    }

    pub(crate) fn ring(&mut self, id: MediaId, new: NewRing) {
        self.tell(MediaCommand::Ring(id, Box::new(new)));
    }

    pub(crate) fn replan_ring(&mut self, id: MediaId, agreed: Agreed) {
        self.tell(MediaCommand::ReplanRing(id, Box::new(agreed)));
    }

    pub(crate) fn end_ring(&mut self, id: MediaId) {
        self.tell(MediaCommand::EndRing(id));
    }

    /// Where browsers reach it; none: nowhere.
    pub(crate) fn browser_address(&self) -> Option<SocketAddr> {
        self.browser_address
    }

    /// Takes a browser's leg.
    pub(crate) fn open_browser(&mut self, id: BrowserId, leg: Box<BrowserLeg>) {
        self.tell(MediaCommand::OpenBrowser(id, leg));
    }

    pub(crate) fn restart_browser(&mut self, id: BrowserId, offer: String, reply: Restarting) {
        self.tell(MediaCommand::RestartBrowser(id, offer, reply));
    }

    pub(crate) fn swap_browser(&mut self, call: MediaId, leg: Leg, id: BrowserId) {
        self.tell(MediaCommand::SwapBrowser(call, leg, id));
    }

    pub(crate) fn test_browser(&mut self, id: BrowserId, test: MediaId, codec: Codec) {
        self.tell(MediaCommand::TestBrowser(id, test, codec));
    }

    pub(crate) fn close_browser(&mut self, id: BrowserId) {
        self.tell(MediaCommand::CloseBrowser(id));
    }

    pub(crate) fn listen(&mut self, call: MediaId, listener: NewListener) {
        self.tell(MediaCommand::Listen(call, Box::new(listener)));
    }

    pub(crate) fn hear(&mut self, call: MediaId, id: ListenerId, voice: Voice) {
        self.tell(MediaCommand::Hear(call, id, voice));
    }

    pub(crate) fn swap_listener(&mut self, call: MediaId, id: ListenerId, browser: BrowserId) {
        self.tell(MediaCommand::SwapListener(call, id, browser));
    }

    pub(crate) fn unlisten(&mut self, call: MediaId, id: ListenerId) {
        self.tell(MediaCommand::Unlisten(call, id));
    }

    /// The next report.
    pub(crate) fn report(&mut self) -> Option<Report> {
        self.reports.pop().ok()
    }

    /// Commands wait for room in the ring.
    pub(crate) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Passes on what had to wait.
    pub(crate) fn settle(&mut self) {
        let waited = !self.owed.is_empty();
        while let Some(command) = self.owed.pop_front() {
            if let Err(PushError::Full(command)) = self.commands.push(command) {
                self.owed.push_front(command);
                break;
            }
        }
        if waited {
            self.wake();
        }
    }

    /// Ends the thread with all its calls and waits for it.
    pub(crate) fn stop(&mut self) {
        let Some(join) = self.join.take() else { return };
        self.tell(MediaCommand::Stop);
        if self.owed.is_empty() {
            let _it_is_over_either_way = join.join();
        }
    }

    fn try_tell(&mut self, command: MediaCommand) -> Result<(), ThreadBusy> {
        if self.is_dead() || !self.owed.is_empty() {
            return Err(ThreadBusy);
        }
        self.commands.push(command).map_err(|_| ThreadBusy)?;
        self.wake();
        Ok(())
    }

    /// A command that must not be lost; in order with all others.
    fn tell(&mut self, command: MediaCommand) {
        if self.owed.len() < OWED_MAX {
            self.owed.push_back(command);
        }
        self.settle();
    }

    /// A waker that fails leaves the thread to its next packet or its tick.
    fn wake(&self) {
        self.waker.wake();
    }
}

impl Drop for MediaThread {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread() -> MediaThread {
        let arena = Arena::new(2).unwrap();
        MediaThread::start(0, None, &arena, Arc::new(Notify::new()), None, None).unwrap()
    }

    #[test]
    fn a_thread_without_a_recent_heartbeat_gets_no_mask_to_hold() {
        let mut thread = thread();
        thread.shared.beat();
        assert_eq!(thread.protect(MediaId(1)), Ok(()));
        std::thread::sleep(HEARTBEAT_AGE_MAX + Duration::from_millis(150));
        assert!(!thread.is_beating());
        assert_eq!(thread.protect(MediaId(1)), Err(NoMask::Heartbeat));
    }

    #[test]
    fn what_must_not_be_lost_waits_for_room_and_what_may_fail_does() {
        let mut thread = thread();
        thread.stop();
        assert!(thread.is_dead());
        let (commands, mut taken) = RingBuffer::new(1);
        thread.commands = commands;
        thread.end(MediaId(1));
        thread.end(MediaId(2));
        assert!(thread.owes());
        assert_eq!(
            thread.try_tell(MediaCommand::Protect(MediaId(3))),
            Err(ThreadBusy)
        );
        assert!(matches!(taken.pop(), Ok(MediaCommand::End(MediaId(1)))));
        thread.settle();
        assert!(matches!(taken.pop(), Ok(MediaCommand::End(MediaId(2)))));
        assert!(!thread.owes());
    }

    #[test]
    fn a_stopped_thread_has_ended() {
        let mut thread = thread();
        assert!(!thread.is_dead());
        thread.stop();
        assert!(thread.is_dead());
    }
}
