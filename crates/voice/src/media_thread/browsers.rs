//! The browsers of one media thread, on one UDP port.
//! Owns: the port, the legs, and which leg a datagram is for.
//! Never: lets anything but a signed check from an unknown address reach a leg: DTLS and SRTP only from where such a check came.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use media::leg::{Codec, Leg};
use media::supervision::ListenerId;
use zeroize::Zeroizing;

use super::MediaId;
use super::echo::{Echo, Step};
use crate::packet_io::Outbox;
use crate::rtp_socket::{Datagram, RtpPair, RtpSocket};
use crate::webrtc::{BrowserLeg, FromLeg, WebRtcError, ufrag_of_check};

/// Addresses that one browser is taken from: its networks, each with a few ports of its NAT. The oldest goes first.
const SOURCES_MAX: usize = 8;

/// A browser's leg, unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BrowserId(pub(crate) u64);

/// A thread's port for browsers.
pub(crate) struct BrowserPort {
    /// The other port of the pair, if it is one of the pool's, rests unused.
    place: Place,
    /// Where browsers reach it.
    pub(crate) address: SocketAddr,
}

enum Place {
    Own(RtpSocket),
    Pool(RtpPair),
}

impl BrowserPort {
    /// A port of its own.
    pub(crate) fn own(socket: RtpSocket, address: SocketAddr) -> Self {
        let place = Place::Own(socket);
        Self { place, address }
    }

    /// One of the pool's.
    pub(crate) fn of_pool(pair: RtpPair, address: SocketAddr) -> Self {
        let place = Place::Pool(pair);
        Self { place, address }
    }

    pub(super) fn socket(&self) -> &RtpSocket {
        match &self.place {
            Place::Own(socket) => socket,
            Place::Pool(pair) => &pair.rtp,
        }
    }
}

/// Whom a leg's audio is for.
enum Bound {
    /// Nobody yet: it still rings.
    Nobody,
    /// A side of the call at this place.
    Call(usize, Leg),
    /// Who listens to the call at this place.
    Listener(usize, ListenerId),
    /// A test.
    Test(MediaId, Box<Echo>),
}

struct Entry {
    leg: BrowserLeg,
    bound: Bound,
    ufrag: String,
    sources: VecDeque<SocketAddr>,
}

/// Whose browser it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A side's.
    Side(Leg),
    /// Of somebody who listens.
    Listener(ListenerId),
}

/// A packet of a browser for a call, as plain RTP.
pub(super) struct Heard {
    pub(super) place: usize,
    pub(super) whose: Whose,
    pub(super) packet: Zeroizing<Vec<u8>>,
}

/// The legs and their port.
#[derive(Default)]
pub(super) struct Browsers {
    port: Option<BrowserPort>,
    entries: HashMap<BrowserId, Entry>,
    by_ufrag: HashMap<String, BrowserId>,
    by_source: HashMap<SocketAddr, BrowserId>,
    /// No leg is due before this.
    pub(super) wake_at: Option<Instant>,
    /// Tests that have ended since this was last taken.
    pub(super) tests_over: Vec<MediaId>,
    /// Datagrams that were for no leg, or of no use to theirs.
    pub(super) refused: u64,
    pub(super) panics: u64,
}

impl Browsers {
    pub(super) fn new(port: Option<BrowserPort>) -> Self {
        Self {
            port,
            ..Self::default()
        }
    }

    pub(super) fn socket(&self) -> Option<&RtpSocket> {
        self.port.as_ref().map(BrowserPort::socket)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes a leg in whose description is complete.
    pub(super) fn open(&mut self, id: BrowserId, mut leg: BrowserLeg, now: Instant) {
        let ufrag = leg.ufrag();
        self.by_ufrag.insert(ufrag.clone(), id);
        let entry = Entry {
            leg,
            bound: Bound::Nobody,
            ufrag,
            sources: VecDeque::new(),
        };
        self.entries.insert(id, entry);
        self.wake_at = Some(now);
    }

    pub(super) fn close(&mut self, id: BrowserId) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.by_ufrag.remove(&entry.ufrag);
        for source in entry.sources {
            self.by_source.remove(&source);
        }
    }

    /// Its audio is for this call from now on.
    pub(super) fn bind(&mut self, id: BrowserId, place: usize, leg: Leg) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.bound = Bound::Call(place, leg);
        }
    }

    /// It listens to this call from now on.
    pub(super) fn bind_listener(&mut self, id: BrowserId, place: usize, listener: ListenerId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.bound = Bound::Listener(place, listener);
        }
    }

    /// It is a test from now on.
    pub(super) fn test(&mut self, id: BrowserId, test: MediaId, codec: Codec, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&id) {
            let mut echo = Echo::new(codec, now);
            echo.answer(now);
            entry.bound = Bound::Test(test, Box::new(echo));
            self.wake_at = Some(now);
        }
    }

    /// Answers an ICE restart.
    pub(super) fn restart(
        &mut self,
        id: BrowserId,
        offer: &str,
        now: Instant,
    ) -> Result<String, WebRtcError> {
        let refused = WebRtcError::PeerDescription;
        let entry = self.entries.get_mut(&id).ok_or(refused)?;
        let leg = AssertUnwindSafe(&mut entry.leg);
        let restarted = catch_unwind(|| {
            let AssertUnwindSafe(leg) = { leg };
            (leg.restart(offer), leg.ufrag())
        });
        let Ok((answer, ufrag)) = restarted else {
            self.panics += 1;
            self.close(id);
            return Err(refused);
        };
        let former = std::mem::replace(&mut entry.ufrag, ufrag.clone());
        self.by_ufrag.remove(&former);
        self.by_ufrag.insert(ufrag, id);
        self.wake_at = Some(now);
        answer
    }

    /// A packet of the relay's for a browser. What the relay panics of is the call's; so is this.
    pub(super) fn send(&mut self, id: BrowserId, packet: &[u8], now: Instant, outbox: &mut Outbox) {
        let Self {
            port,
            entries,
            wake_at,
            ..
        } = self;
        let (Some(entry), Some(port)) = (entries.get_mut(&id), port) else {
            return;
        };
        entry.leg.send(now, packet);
        // Whatever was heard was given out when it came.
        put_out(entry, port.socket(), outbox, |_| ());
        *wake_at = earlier(*wake_at, entry.due());
    }

    /// A datagram came to the port; what is heard of it is for a call.
    pub(super) fn hear(
        &mut self,
        datagram: &Datagram<'_>,
        outbox: &mut Outbox,
        heard: &mut Vec<Heard>,
    ) {
        let now = datagram.read_at;
        let Some(id) = self.whose(now, datagram) else {
            self.refused += 1;
            return;
        };
        let taken = self.guarded(id, outbox, heard, |leg| {
            leg.receive(now, datagram.source, datagram.bytes)
        });
        self.refused += u64::from(taken == Some(false));
    }

    /// Which leg a datagram is for. A check that is signed makes its source known.
    fn whose(&mut self, now: Instant, datagram: &Datagram<'_>) -> Option<BrowserId> {
        if datagram.is_cut {
            return None;
        }
        let (source, bytes) = (datagram.source, &*datagram.bytes);
        let Some(ufrag) = ufrag_of_check(bytes) else {
            return self.by_source.get(&source).copied();
        };
        let id = self.by_ufrag.get(ufrag).copied()?;
        if self.by_source.get(&source) == Some(&id) {
            return Some(id);
        }
        let entry = self.entries.get_mut(&id)?;
        let check = AssertUnwindSafe(|| entry.leg.is_signed_check(now, source, bytes));
        if !catch_unwind(check).unwrap_or(false) {
            return None;
        }
        if entry.sources.len() >= SOURCES_MAX
            && let Some(oldest) = entry.sources.pop_front()
        {
            self.by_source.remove(&oldest);
        }
        entry.sources.push_back(source);
        if let Some(former) = self.by_source.insert(source, id)
            && let Some(entry) = self.entries.get_mut(&former)
        {
            entry.sources.retain(|one| *one != source);
        }
        Some(id)
    }

    /// Sees to all that is due, and finds what is due next.
    pub(super) fn wake(&mut self, now: Instant, outbox: &mut Outbox, heard: &mut Vec<Heard>) {
        if self.wake_at.is_none_or(|at| at > now) {
            return;
        }
        let due = |(id, entry): (&BrowserId, &Entry)| {
            entry.due().is_some_and(|at| at <= now).then_some(*id)
        };
        let due: Vec<BrowserId> = self.entries.iter().filter_map(due).collect();
        for id in due {
            self.guarded(id, outbox, heard, |leg| leg.handle_timeout(now));
            self.step_test(id, now, outbox);
        }
        let next = self.entries.values().filter_map(Entry::due);
        self.wake_at = next.min();
    }

    fn step_test(&mut self, id: BrowserId, now: Instant, outbox: &mut Outbox) {
        let Some(Entry {
            bound: Bound::Test(test, echo),
            ..
        }) = self.entries.get_mut(&id)
        else {
            return;
        };
        match echo.step(now) {
            Step::Wait => {}
            Step::Send(packet) => self.send(id, &packet, now, outbox),
            Step::Over => {
                let test = *test;
                self.tests_over.push(test);
                self.close(id);
            }
        }
    }

    /// Does something with one leg: if it panics, that leg is gone, and its call ends by its time-outs.
    fn guarded<R>(
        &mut self,
        id: BrowserId,
        outbox: &mut Outbox,
        heard: &mut Vec<Heard>,
        act: impl FnOnce(&mut BrowserLeg) -> R,
    ) -> Option<R> {
        let Self {
            port,
            entries,
            wake_at,
            ..
        } = self;
        let entry = entries.get_mut(&id)?;
        let socket = port.as_ref()?.socket();
        let acted = catch_unwind(AssertUnwindSafe(|| {
            let result = act(&mut entry.leg);
            put_out(entry, socket, outbox, |one| heard.push(one));
            result
        }));
        let Ok(result) = acted else {
            self.panics += 1;
            self.close(id);
            return None;
        };
        *wake_at = earlier(*wake_at, entry.due());
        Some(result)
    }
}

impl Entry {
    fn due(&self) -> Option<Instant> {
        match &self.bound {
            Bound::Test(_, echo) => earlier(self.leg.wake_at(), Some(echo.wake_at())),
            Bound::Nobody | Bound::Call(..) | Bound::Listener(..) => self.leg.wake_at(),
        }
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

fn put_out(
    entry: &mut Entry,
    socket: &RtpSocket,
    outbox: &mut Outbox,
    mut heard: impl FnMut(Heard),
) {
    let Entry { leg, bound, .. } = entry;
    leg.drain(|output| match output {
        FromLeg::Transmit(destination, bytes) => outbox.send(socket, &bytes, destination),
        FromLeg::Heard(packet) => match bound {
            Bound::Nobody => {}
            Bound::Call(place, leg) => heard(Heard {
                place: *place,
                whose: Whose::Side(*leg),
                packet,
            }),
            Bound::Listener(place, listener) => heard(Heard {
                place: *place,
                whose: Whose::Listener(*listener),
                packet,
            }),
            Bound::Test(_, echo) => echo.hear(&packet),
        },
    });
}
