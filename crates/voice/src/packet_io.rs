//! How packets come to a media thread and how they leave it.
//! Owns: the thread's one wait, the choice between io_uring and epoll, and packets on their way out.
//! Never: looks into a packet, blocks for a sender, or allocates for a packet.
//!
//! One round: [`PacketIo::wait`], then [`PacketIo::receive`]. What is sent meanwhile has left at the end of the next `wait` at the latest; a round is one
//! system call with io_uring, and one for each packet in and out with epoll.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

use crate::rtp_socket::{Datagram, RtpSocket};
use crate::uring::{Batch, Uring};
use epoll::Epoll;

mod epoll;

/// How long packets may gather for a round while they come fast: what wakes a thread costs as much as moving a packet or two, and a call that is not
/// protected may be late by 150 us in the median. A packet waits for half of it and for its round, which makes 0.11 ms; 120 us make 0.13 to 0.15 ms and save
/// nothing more (docs/decisions/0003). Packets that come one by one are taken at once.
const GATHER: Duration = Duration::from_micros(100);

/// Packets that end such a wait early: a third of a millisecond of work.
pub(crate) const GATHER_MAX: usize = 32;

/// Datagrams thrown away from before there was anyone to hear them; more can only be a flood.
pub(crate) const STALE_MAX: usize = 256;

/// A way to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Multishot receives into provided buffers and batched sends (Linux 6.0). Containers often forbid it.
    Uring,
    /// Readiness, a read for each packet, a send for each packet. Everywhere.
    Epoll,
}

impl Backend {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Uring, Self::Epoll];

    /// Its name in configuration and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uring => "io_uring",
            Self::Epoll => "epoll",
        }
    }
}

/// Which watched socket. Chosen by the owner, from 0 and densely: tables are as long as the largest. Unique while watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u32);

/// A thread's way to its sockets.
pub struct PacketIo {
    way: Way,
    outbox: Outbox,
    waker: Waker,
}

/// Who takes packets.
pub trait Receiver {
    /// Packets of these sockets are taken next, one after the other: a chance to have at hand what they need.
    fn expect(&mut self, _token: Token) {}
    /// A packet. It is wiped afterwards.
    fn take(&mut self, token: Token, datagram: Datagram<'_>, outbox: &mut Outbox);
}

/// A closure that takes packets and expects none.
pub(crate) struct Taker<F>(pub(crate) F);

impl<F: FnMut(Token, Datagram<'_>, &mut Outbox)> Receiver for Taker<F> {
    fn take(&mut self, token: Token, datagram: Datagram<'_>, outbox: &mut Outbox) {
        (self.0)(token, datagram, outbox);
    }
}

/// Packets that are expected at a time: what they need fits into the nearest cache.
pub(crate) const EXPECTED_MAX: usize = 8;

/// Whether packets come fast enough for several of them to gather.
pub(crate) struct Pace {
    /// When the last two rounds began.
    rounds: [Instant; 2],
    lent: usize,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            rounds: [Instant::now(); 2],
            lent: 0,
        }
    }

    /// How long packets are to gather now: what is left of [`GATHER`] since the last round, if that was one of several or followed hard upon another,
    /// and was not so full that the thread is behind.
    pub(crate) fn gather(&self, timeout: Option<Duration>) -> Duration {
        let [before, last] = self.rounds;
        let is_fast = self.lent > 1 || last.saturating_duration_since(before) < GATHER;
        if !is_fast || self.lent >= GATHER_MAX {
            return Duration::ZERO;
        }
        let rest = GATHER.saturating_sub(last.elapsed());
        timeout.map_or(rest, |time| time.min(rest))
    }

    /// A round begins.
    pub(crate) fn begins(&mut self) {
        self.rounds = [self.rounds[1], Instant::now()];
        self.lent = 0;
    }

    /// A packet was lent.
    pub(crate) fn lent(&mut self) {
        self.lent += 1;
    }
}

enum Way {
    Uring(Box<Uring>),
    Epoll(Epoll),
}

/// Ends a wait from another thread. Clones share it.
#[derive(Debug, Clone)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Ends the current wait, or the next one. A full counter has woken it already.
    pub fn wake(&self) {
        let _already_awake = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

/// Packets on their way out.
pub struct Outbox {
    batch: Option<Batch>,
    failed: u64,
}

impl Outbox {
    /// Sends a datagram from a socket, or stages it for the next wait. What the kernel does not take is counted and lost, as in a network.
    pub fn send(&mut self, socket: &RtpSocket, bytes: &[u8], destination: SocketAddr) {
        let is_staged = self
            .batch
            .as_mut()
            .is_some_and(|batch| batch.stage(socket, bytes, destination));
        if !is_staged && !matches!(socket.send(bytes, destination), Ok(true)) {
            self.failed += 1;
        }
    }

    /// Datagrams that the kernel did not take.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed + self.batch.as_ref().map_or(0, Batch::failed)
    }
}

impl PacketIo {
    /// The fastest way that this kernel allows.
    ///
    /// # Errors
    /// The system gives neither, or no file descriptor.
    pub fn best() -> io::Result<Self> {
        Self::new(Backend::Uring).or_else(|_| Self::new(Backend::Epoll))
    }

    /// A given way. It may be moved to the thread that uses it until the first socket is watched.
    ///
    /// # Errors
    /// The system does not give it.
    pub fn new(backend: Backend) -> io::Result<Self> {
        let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let waker = Waker(Arc::new(eventfd(0, flags)?));
        let (way, outbox) = match backend {
            Backend::Uring => {
                let uring = Uring::new(&waker.0)?;
                (Way::Uring(Box::new(uring)), Outbox::staging())
            }
            Backend::Epoll => (
                Way::Epoll(Epoll::new(&waker.0)?),
                Outbox {
                    batch: None,
                    failed: 0,
                },
            ),
        };
        Ok(Self { way, outbox, waker })
    }

    /// Which way it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.way {
            Way::Uring(_) => Backend::Uring,
            Way::Epoll(_) => Backend::Epoll,
        }
    }

    /// Ends waits.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Where packets leave.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Watches a socket; it must stay open until it is forgotten. What has come before is thrown away: nobody was there to hear it.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch(&mut self, socket: &RtpSocket, token: Token) -> io::Result<()> {
        match &mut self.way {
            Way::Uring(uring) => uring.watch(socket, token),
            Way::Epoll(epoll) => epoll.watch(socket, token),
        }
    }

    /// Sends what is staged and watches a socket no longer. Nothing that comes later is lent under its token.
    pub fn forget(&mut self, socket: &RtpSocket, token: Token) {
        match (&mut self.way, &mut self.outbox.batch) {
            (Way::Uring(uring), Some(batch)) => uring.forget(token, batch),
            (Way::Uring(_), None) => {}
            (Way::Epoll(epoll), _) => epoll.forget(socket, token),
        }
    }

    /// Sends what is staged, then waits for a packet, a waker or the end of this time, whichever is first.
    ///
    /// # Errors
    /// What the system says. An interrupted wait is no error.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match (&mut self.way, &mut self.outbox.batch) {
            (Way::Uring(uring), Some(batch)) => uring.wait(timeout, batch),
            (Way::Uring(_), None) => Ok(()),
            (Way::Epoll(epoll), _) => epoll.wait(timeout),
        }
    }

    /// Lends each packet that has come, a bounded number of them, and wipes it, also if the receiver unwinds. What is left is lent in the next round.
    pub fn receive(&mut self, take: impl FnMut(Token, Datagram<'_>, &mut Outbox)) {
        self.receive_for(&mut Taker(take));
    }

    /// [`PacketIo::receive`] for one who wants to know beforehand whose packets come.
    pub fn receive_for(&mut self, receiver: &mut impl Receiver) {
        let Self { way, outbox, waker } = self;
        match way {
            Way::Uring(uring) => uring.receive(waker, outbox, receiver),
            Way::Epoll(epoll) => epoll.receive(waker, outbox, receiver),
        }
    }
}

impl Outbox {
    /// One whose packets a ring sends.
    pub(crate) fn staging() -> Self {
        Self {
            batch: Some(Batch::new()),
            failed: 0,
        }
    }

    pub(crate) fn batch(&mut self) -> Option<&mut Batch> {
        self.batch.as_mut()
    }
}

impl Waker {
    pub(crate) fn of(event: &Arc<OwnedFd>) -> Self {
        Self(Arc::clone(event))
    }

    /// Forgets that it was woken.
    pub(crate) fn was_heard(&self) {
        let mut count = [0; 8];
        let _was_not = rustix::io::read(&*self.0, &mut count);
    }
}

impl std::fmt::Debug for PacketIo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PacketIo").field(&self.backend()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> RtpSocket {
        RtpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
    }

    /// Both ways, where the kernel allows them.
    fn each(test: impl Fn(PacketIo)) {
        for backend in Backend::ALL {
            match PacketIo::new(backend) {
                Ok(io) => test(io),
                Err(error) => assert_eq!(backend, Backend::Uring, "no epoll: {error}"),
            }
        }
    }

    /// Waits until so many datagrams have come, or nothing comes for a second.
    fn taken(io: &mut PacketIo, count: usize) -> Vec<(Token, Vec<u8>, bool)> {
        let mut all = Vec::new();
        let give_up = Instant::now() + Duration::from_secs(5);
        while all.len() < count && Instant::now() < give_up {
            io.wait(Some(Duration::from_secs(1))).unwrap();
            io.receive(|token, datagram, _| {
                assert!(datagram.received_at <= Instant::now());
                all.push((token, datagram.bytes.to_vec(), datagram.is_cut));
            });
        }
        all
    }

    #[test]
    fn packets_come_under_the_token_of_their_socket_and_in_order() {
        each(|mut io| {
            let (one, other, far) = (socket(), socket(), socket());
            io.watch(&one, Token(0)).unwrap();
            io.watch(&other, Token(7)).unwrap();
            for number in 0..3_u8 {
                far.send(&[1, number], one.local()).unwrap();
                far.send(&[2, number], other.local()).unwrap();
            }
            let mut all = taken(&mut io, 6);
            all.sort_by_key(|(token, ..)| token.0);
            let bytes: Vec<_> = all
                .iter()
                .map(|(token, bytes, _)| (token.0, bytes.as_slice()))
                .collect();
            let wanted: [(u32, &[u8]); 6] = [
                (0, &[1, 0]),
                (0, &[1, 1]),
                (0, &[1, 2]),
                (7, &[2, 0]),
                (7, &[2, 1]),
                (7, &[2, 2]),
            ];
            assert_eq!(bytes, wanted, "{:?}", io.backend());
        });
    }

    #[test]
    fn what_came_before_a_socket_was_watched_is_not_lent() {
        each(|mut io| {
            let (ours, far) = (socket(), socket());
            far.send(b"before", ours.local()).unwrap();
            io.watch(&ours, Token(0)).unwrap();
            far.send(b"after", ours.local()).unwrap();
            let all = taken(&mut io, 1);
            assert_eq!(
                all,
                [(Token(0), b"after".to_vec(), false)],
                "{:?}",
                io.backend()
            );
        });
    }

    #[test]
    fn what_is_sent_from_a_round_leaves_with_the_next_wait() {
        each(|mut io| {
            let (ours, far) = (socket(), socket());
            io.watch(&ours, Token(0)).unwrap();
            far.send(b"ping", ours.local()).unwrap();
            io.wait(Some(Duration::from_secs(5))).unwrap();
            io.receive(|_, datagram, outbox| outbox.send(&ours, b"pong", datagram.source));
            io.wait(Some(Duration::ZERO)).unwrap();
            let mut buffer = crate::rtp_socket::ReceiveBuffer::new();
            let answer = far.receive(&mut buffer, |datagram| {
                (datagram.bytes.to_vec(), datagram.source)
            });
            assert_eq!(answer.unwrap(), Some((b"pong".to_vec(), ours.local())));
            assert_eq!(io.outbox().failed(), 0);
        });
    }

    #[test]
    fn a_flood_is_read_to_its_end_and_answered_packet_for_packet() {
        const PACKETS: u32 = 3_000;
        each(|mut io| {
            let (ours, far) = (socket(), socket());
            io.watch(&ours, Token(0)).unwrap();
            let (mut heard, mut answered) = (0, 0);
            let mut buffer = crate::rtp_socket::ReceiveBuffer::new();
            for number in 0..PACKETS {
                far.send(&number.to_be_bytes(), ours.local()).unwrap();
                if number % 100 == 99 {
                    while heard <= number {
                        io.wait(Some(Duration::from_secs(1))).unwrap();
                        io.receive(|_, datagram, outbox| {
                            assert_eq!(datagram.bytes, heard.to_be_bytes());
                            heard += 1;
                            outbox.send(&ours, datagram.bytes, datagram.source);
                        });
                    }
                    io.wait(Some(Duration::ZERO)).unwrap();
                    answered += far.discard(&mut buffer, 1_000);
                }
            }
            assert_eq!((heard, answered), (PACKETS, 3_000));
        });
    }

    #[test]
    fn a_socket_that_is_forgotten_is_silent_and_its_token_serves_another() {
        each(|mut io| {
            let (first, second, far) = (socket(), socket(), socket());
            io.watch(&first, Token(3)).unwrap();
            far.send(b"old", first.local()).unwrap();
            io.wait(Some(Duration::from_secs(1))).unwrap();
            io.forget(&first, Token(3));
            drop(first);
            io.watch(&second, Token(3)).unwrap();
            far.send(b"new", second.local()).unwrap();
            let all = taken(&mut io, 1);
            assert_eq!(all, [(Token(3), b"new".to_vec(), false)]);
        });
    }

    #[test]
    fn a_datagram_that_is_too_long_says_so() {
        each(|mut io| {
            let (ours, far) = (socket(), socket());
            io.watch(&ours, Token(0)).unwrap();
            far.send(
                &[7; crate::rtp_socket::DATAGRAM_BYTES_MAX + 1],
                ours.local(),
            )
            .unwrap();
            let all = taken(&mut io, 1);
            assert!(all[0].2, "{:?}", io.backend());
        });
    }

    #[test]
    fn a_waker_ends_a_wait_without_end_and_a_time_ends_another() {
        each(|mut io| {
            let waker = io.waker();
            let thread = std::thread::spawn(move || waker.wake());
            io.wait(None).unwrap();
            io.receive(|_, _, _| panic!("nothing was sent"));
            thread.join().unwrap();
            io.wait(Some(Duration::from_millis(1))).unwrap();
            io.receive(|_, _, _| panic!("nothing was sent"));
        });
    }
}
