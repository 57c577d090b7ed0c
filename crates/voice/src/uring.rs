//! Packets by io_uring.
//! Owns: a ring, the buffers that the kernel fills, the packets that it sends from.
//! Never: lets the kernel have memory that is shorter-lived than its ring.
//!
//! Every socket has one multishot receive, which takes a buffer of the group for each datagram. Sends are staged and submitted by the next wait, which
//! is the round's only system call; none of them waits for room, so they are over when it returns, and only failures are reported. They name their
//! socket by its place in the ring's own table of files. The ring is used by one thread, from its first socket on.

#![expect(
    unsafe_code,
    reason = "the kernel reads and writes memory by address; each block says why that memory is there"
)]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use io_uring::types::{CancelBuilder, Fd, Fixed, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, Submitter, cqueue, opcode, squeue};
use nix::libc;

mod buffers;
mod names;

use buffers::Buffers;
use names::{NAME_BYTES, address, stamp, write_address};

use crate::packet_io::{
    EXPECTED_MAX, GATHER_MAX, Outbox, Pace, Receiver, STALE_MAX, Taker, Token, Waker,
};
use crate::rtp_socket::{Clock, DATAGRAM_BYTES_MAX, Datagram, ReceiveBuffer, RtpSocket};

/// Submissions that wait: one system call takes them all. When full, they are submitted at once.
const SUBMISSIONS_MAX: u32 = 1_024;

/// Completions that wait: every buffer and every staged packet at once, twice over. The kernel keeps what does not fit.
const COMPLETIONS_MAX: u32 = 4_096;

/// Buffers to receive into: 10 ms of 1,000 calls. When none is left, receives end, and are begun again in the next round; the socket keeps what comes.
const BUFFERS: u16 = 1_024;

/// What a receive writes before the datagram: a head of 16 bytes, the sender's address, one control message (16 bytes of head, 16 of time).
const HEAD_BYTES: usize = 16;
const CONTROL_BYTES: usize = 32;
const BUFFER_BYTES: usize = HEAD_BYTES + NAME_BYTES + CONTROL_BYTES + DATAGRAM_BYTES_MAX;

/// Packets that may be staged: the answers to a full round. When full, packets are sent one by one.
const STAGED_MAX: usize = 1_024;

/// The longest packet that is staged. Longer ones are sent one by one.
const STAGED_BYTES_MAX: usize = 1_500;

/// Places of the ring's table of files: sockets with higher numbers, of 16,000 calls and more, are named as everywhere else.
const FILES_MAX: u32 = 65_536;

/// The number of no file: what names it fails.
const NO_FILE: RawFd = -1;

/// The buffer group; a ring has one.
const GROUP: u16 = 0;

/// Longest wait for a probe: it is on this machine.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// What a completion belongs to, in the upper bits of its mark. The lower 32 are a token or a slot, the 24 between a socket's generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Receive = 1,
    Send = 2,
    Wake = 3,
    Cancel = 4,
}

const GENERATIONS: u32 = 1 << 24;

fn mark(kind: Kind, generation: u32, index: u32) -> u64 {
    let kind: u8 = match kind {
        Kind::Receive => 1,
        Kind::Send => 2,
        Kind::Wake => 3,
        Kind::Cancel => 4,
    };
    (u64::from(kind) << 56) | (u64::from(generation) << 32) | u64::from(index)
}

fn read_mark(mark: u64) -> (Option<Kind>, u32, u32) {
    let kind = match mark >> 56 {
        1 => Some(Kind::Receive),
        2 => Some(Kind::Send),
        3 => Some(Kind::Wake),
        4 => Some(Kind::Cancel),
        _ => None,
    };
    let generation = u32::try_from((mark >> 32) & u64::from(GENERATIONS - 1)).unwrap_or(0);
    let index = u32::try_from(mark & u64::from(u32::MAX)).unwrap_or(0);
    (kind, generation, index)
}

/// A socket and its receive.
#[derive(Debug, Clone, Copy, Default)]
struct Watched {
    fd: Option<RawFd>,
    /// Counts the sockets that had this token: what comes late for a former one is not lent.
    generation: u32,
}

/// A ring.
pub(crate) struct Uring {
    // First: on drop the kernel lets go of everything before the memory goes.
    ring: IoUring,
    buffers: Buffers,
    /// Lengths of address and control message, the same for all receives.
    shape: Box<libc::msghdr>,
    files: Files,
    waker: Arc<OwnedFd>,
    watched: Vec<Watched>,
    /// Receives that have ended and begin again with the next wait.
    ended: Vec<u32>,
    is_enabled: bool,
    /// The poll of the waker runs; the kernel ends it when it cannot post an event of it.
    hears_waker: bool,
    pace: Pace,
    stale: ReceiveBuffer,
}

// SAFETY: the raw pointers in it are to memory that it owns alone; the ring is used by one thread at a time, as `&mut self` demands.
unsafe impl Send for Uring {}

impl Uring {
    /// A ring that works on this kernel: a probe has gone through one like it.
    pub(crate) fn new(waker: &Arc<OwnedFd>) -> io::Result<Self> {
        probe()?;
        Self::unproved(waker)
    }

    fn unproved(waker: &Arc<OwnedFd>) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_r_disabled()
            .setup_cqsize(COMPLETIONS_MAX)
            .build(SUBMISSIONS_MAX)?;
        // SAFETY: an all-zero msghdr is one without address, parts and control message.
        let mut shape: Box<libc::msghdr> = Box::new(unsafe { std::mem::zeroed() });
        shape.msg_namelen = u32::try_from(NAME_BYTES).unwrap_or(0);
        shape.msg_controllen = CONTROL_BYTES;
        Ok(Self {
            ring,
            buffers: Buffers::new(),
            shape,
            files: Files::default(),
            waker: Arc::clone(waker),
            watched: Vec::new(),
            ended: Vec::new(),
            is_enabled: false,
            hears_waker: false,
            pace: Pace::new(),
            stale: ReceiveBuffer::new(),
        })
    }

    /// The ring belongs to the thread that does this first.
    fn enable(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_enabled, true) {
            return Ok(());
        }
        self.ring.submitter().register_enable_rings()?;
        let submitter = self.ring.submitter();
        self.files = Files::register(&submitter);
        // SAFETY: the entries live as long as `self.buffers`, which is dropped after the ring; there are `BUFFERS` of them.
        unsafe {
            submitter.register_buf_ring_with_flags(self.buffers.address(), BUFFERS, GROUP, 0)?;
        }
        Ok(())
    }

    /// Polls the waker, if that does not run.
    fn hear_waker(&mut self) -> io::Result<()> {
        if !self.hears_waker {
            let poll = opcode::PollAdd::new(Fd(self.waker.as_raw_fd()), POLL_IN)
                .multi(true)
                .build()
                .user_data(mark(Kind::Wake, 0, 0));
            self.hears_waker = self.submit(&poll)?;
        }
        Ok(())
    }

    pub(crate) fn watch(&mut self, socket: &RtpSocket, token: Token) -> io::Result<()> {
        self.enable()?;
        socket.discard(&mut self.stale, STALE_MAX);
        let index = place(token.0);
        if self.watched.len() <= index {
            self.watched.resize(index + 1, Watched::default());
        }
        if let Some(watched) = self.watched.get_mut(index) {
            watched.fd = Some(socket.as_raw_fd());
            watched.generation = (watched.generation + 1) % GENERATIONS;
        }
        self.files.put(&self.ring.submitter(), socket.as_raw_fd());
        self.begin(token.0)
    }

    pub(crate) fn forget(&mut self, token: Token, batch: &mut Batch) {
        let Some(watched) = self.watched.get_mut(place(token.0)) else {
            return;
        };
        let Some(fd) = watched.fd.take() else {
            return;
        };
        let receive = mark(Kind::Receive, watched.generation, token.0);
        let cancel =
            opcode::AsyncCancel::new(receive)
                .build()
                .user_data(mark(Kind::Cancel, 0, token.0));
        // Staged packets name their socket by number: they leave while it is open, or not at all.
        let _the_socket_closes = self
            .flush(batch)
            .and_then(|()| self.submit(&cancel).map(|_| ()));
        batch.abandon(fd);
        let _later_with_the_next = self.ring.submit();
        self.files.take(&self.ring.submitter(), fd);
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>, batch: &mut Batch) -> io::Result<()> {
        self.enable()?;
        self.hear_waker()?;
        // What finds no room stays in the list, behind those that are left.
        for _ in 0..self.ended.len() {
            let token = self.ended.swap_remove(0);
            self.begin(token)?;
        }
        self.flush(batch)?;
        let gather = self.pace.gather(timeout);
        let timeout = timeout.map(|time| time.saturating_sub(gather));
        if !gather.is_zero() {
            self.enter(GATHER_MAX, Some(gather), batch)?;
        }
        if gather.is_zero() || self.ring.completion().is_empty() {
            self.enter(1, timeout, batch)?;
        }
        self.pace.begins();
        Ok(())
    }

    /// Submits, and waits for so many events or this long. Not at all if completions wait.
    fn enter(
        &mut self,
        events: usize,
        timeout: Option<Duration>,
        batch: &mut Batch,
    ) -> io::Result<()> {
        let want = if self.ring.completion().is_empty() {
            events
        } else {
            0
        };
        let time = timeout.map(|time| {
            Timespec::new()
                .sec(time.as_secs())
                .nsec(time.subsec_nanos())
        });
        let submitter = self.ring.submitter();
        let waited = match &time {
            Some(time) => submitter.submit_with_args(want, &SubmitArgs::new().timespec(time)),
            None => submitter.submit_and_wait(want),
        };
        self.clear(batch);
        match waited {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                Some(libc::ETIME | libc::EINTR | libc::EBUSY) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// Packets that the kernel has taken are sent, or have failed.
    fn clear(&mut self, batch: &mut Batch) {
        if self.ring.submission().is_empty() {
            batch.clear_submitted();
        }
    }

    pub(crate) fn receive(
        &mut self,
        waker: &Waker,
        outbox: &mut Outbox,
        receiver: &mut impl Receiver,
    ) {
        let clock = Clock::now();
        let mut round = Round {
            clock,
            read_at: clock.steady(),
            lent: 0,
        };
        while round.lent < LENT_MAX {
            let mut next = [const { None }; EXPECTED_MAX];
            for (place, entry) in next.iter_mut().zip(self.ring.completion()) {
                if let (Some(Kind::Receive), _, index) = read_mark(entry.user_data()) {
                    receiver.expect(Token(index));
                }
                *place = Some(entry);
            }
            if next[0].is_none() {
                break;
            }
            for entry in next.into_iter().flatten() {
                self.heed(&entry, &mut round, waker, outbox, receiver);
            }
            round.read_at = Instant::now();
        }
        self.buffers.publish();
    }

    fn heed(
        &mut self,
        entry: &cqueue::Entry,
        round: &mut Round,
        waker: &Waker,
        outbox: &mut Outbox,
        receiver: &mut impl Receiver,
    ) {
        let (kind, generation, index) = read_mark(entry.user_data());
        match kind {
            Some(Kind::Send) => {
                if let Some(batch) = outbox.batch() {
                    batch.note_failure();
                }
            }
            Some(Kind::Wake) => {
                self.hears_waker = cqueue::more(entry.flags());
                waker.was_heard();
            }
            Some(Kind::Receive) => {
                let now = self.watched.get(place(index)).copied().unwrap_or_default();
                let is_current = now.fd.is_some() && now.generation == generation;
                if is_current && !cqueue::more(entry.flags()) {
                    self.ended.push(index);
                }
                let Some(buffer) = cqueue::buffer_select(entry.flags()) else {
                    return;
                };
                round.lent += 1;
                let (shape, pace) = (&self.shape, &mut self.pace);
                let len = usize::try_from(entry.result()).unwrap_or(0);
                self.buffers.lend(buffer, len, |bytes| {
                    if let Some(datagram) = datagram(bytes, shape, round)
                        && is_current
                    {
                        pace.lent();
                        receiver.take(Token(index), datagram, outbox);
                    }
                });
            }
            Some(Kind::Cancel) | None => {}
        }
    }

    /// Begins a socket's receive.
    fn begin(&mut self, token: u32) -> io::Result<()> {
        let watched = self.watched.get(place(token)).copied().unwrap_or_default();
        let Some(fd) = watched.fd else { return Ok(()) };
        let receive = opcode::RecvMsgMulti::new(Fd(fd), &raw const *self.shape, GROUP)
            .build()
            .user_data(mark(Kind::Receive, watched.generation, token));
        if !self.submit(&receive)? {
            self.ended.push(token);
        }
        Ok(())
    }

    /// Submits what is staged, with the next system call.
    fn flush(&mut self, batch: &mut Batch) -> io::Result<()> {
        while let Some(send) = batch.next(&self.files) {
            if !self.submit(&send)? {
                return Ok(());
            }
            batch.note_submitted();
        }
        Ok(())
    }

    /// False: the kernel takes nothing before completions are taken from it.
    fn submit(&mut self, entry: &squeue::Entry) -> io::Result<bool> {
        loop {
            // SAFETY: what an entry points to outlives it: `shape` and the buffers are dropped after the ring; a staged packet is read within the
            // system call that takes its entry, and keeps its place until then.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                return Ok(true);
            }
            match self.ring.submit() {
                Ok(_) => {}
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    Some(libc::EBUSY | libc::EAGAIN) => return Ok(false),
                    _ => return Err(error),
                },
            }
        }
    }
}

impl Drop for Uring {
    fn drop(&mut self) {
        if self.is_enabled {
            let any = CancelBuilder::any();
            let _none_is_left = self.ring.submitter().register_sync_cancel(None, any);
        }
    }
}

/// Datagrams lent in one round: what a thread may be busy with before it looks at its commands and its timers, about 2 ms.
const LENT_MAX: usize = 512;

/// Packets that are lent one after the other. The clock is read once for [`EXPECTED_MAX`] of them, a tenth of a millisecond.
struct Round {
    clock: Clock,
    read_at: Instant,
    lent: usize,
}

/// `POLLIN`.
const POLL_IN: u32 = 1;

fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// What a receive has written.
fn datagram<'bytes>(
    bytes: &'bytes mut [u8],
    shape: &libc::msghdr,
    round: &Round,
) -> Option<Datagram<'bytes>> {
    let out = RecvMsgOut::parse(bytes, shape).ok()?;
    let source = address(out.name_data())?;
    let (stamp, is_cut) = (stamp(out.control_data()), out.is_payload_truncated());
    let payload = out.payload_data().len();
    let begin = HEAD_BYTES + NAME_BYTES + CONTROL_BYTES;
    Some(Datagram {
        source,
        received_at: round.clock.place(stamp, round.read_at),
        read_at: round.read_at,
        is_cut,
        bytes: bytes.get_mut(begin..begin + payload)?,
    })
}

/// The ring's table of files, by their numbers. Naming one there saves taking and giving back a reference for each packet.
#[derive(Debug, Default)]
struct Files {
    /// Which places are taken; as long as the table.
    taken: Vec<bool>,
}

impl Files {
    /// An empty table; none if the system allows none.
    fn register(submitter: &Submitter<'_>) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let places = limit.map_or(FILES_MAX, |limit| limit.min(FILES_MAX));
        let registered = submitter.register_files_sparse(places);
        Self {
            taken: vec![false; registered.map_or(0, |()| place(places))],
        }
    }

    fn has(&self, fd: RawFd) -> Option<u32> {
        let number = u32::try_from(fd).ok()?;
        let is_taken = self.taken.get(place(number)).copied().unwrap_or(false);
        is_taken.then_some(number)
    }

    fn put(&mut self, submitter: &Submitter<'_>, fd: RawFd) {
        self.set(submitter, fd, fd);
    }

    fn take(&mut self, submitter: &Submitter<'_>, fd: RawFd) {
        self.set(submitter, fd, NO_FILE);
    }

    /// A place that cannot be set is not used.
    fn set(&mut self, submitter: &Submitter<'_>, fd: RawFd, to: RawFd) {
        let Ok(number) = u32::try_from(fd) else {
            return;
        };
        if let Some(is_taken) = self.taken.get_mut(place(number)) {
            let is_set = submitter.register_files_update(number, &[to]).is_ok();
            *is_taken = is_set && to != NO_FILE;
        }
    }
}

/// Packets on their way to the kernel.
pub(crate) struct Batch {
    slots: Vec<Staged>,
    /// Slots in use, from the first one on.
    staged: usize,
    /// Those of them whose entries are in the ring, from the first one on.
    submitted: usize,
    failed: u64,
}

struct Staged {
    fd: RawFd,
    len: u32,
    name: [u8; NAME_BYTES],
    name_len: u32,
    bytes: [u8; STAGED_BYTES_MAX],
}

impl Batch {
    /// All memory is taken here.
    pub(crate) fn new() -> Self {
        let empty = || Staged {
            fd: NO_FILE,
            len: 0,
            name: [0; NAME_BYTES],
            name_len: 0,
            bytes: [0; STAGED_BYTES_MAX],
        };
        Self {
            slots: std::iter::repeat_with(empty).take(STAGED_MAX).collect(),
            staged: 0,
            submitted: 0,
            failed: 0,
        }
    }

    /// Takes a packet, or has no place for it.
    pub(crate) fn stage(&mut self, socket: &RtpSocket, bytes: &[u8], to: SocketAddr) -> bool {
        let Some(staged) = self.slots.get_mut(self.staged) else {
            return false;
        };
        let Some(room) = staged.bytes.get_mut(..bytes.len()) else {
            return false;
        };
        room.copy_from_slice(bytes);
        staged.len = u32::try_from(bytes.len()).unwrap_or(0);
        staged.fd = socket.as_raw_fd();
        staged.name_len = write_address(to, &mut staged.name);
        self.staged += 1;
        true
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// The next packet to submit.
    fn next(&self, files: &Files) -> Option<squeue::Entry> {
        let staged = self.slots.get(self.submitted..self.staged)?.first()?;
        let (bytes, len) = (staged.bytes.as_ptr(), staged.len);
        let send = match files.has(staged.fd) {
            Some(number) => opcode::Send::new(Fixed(number), bytes, len),
            None => opcode::Send::new(Fd(staged.fd), bytes, len),
        };
        // It is sent or fails within the system call that takes it, whatever room the socket has.
        let send = send
            .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
            .dest_addr(staged.name.as_ptr().cast())
            .dest_addr_len(staged.name_len)
            .build();
        let send = send.flags(squeue::Flags::SKIP_SUCCESS);
        Some(send.user_data(mark(Kind::Send, 0, 0)))
    }

    /// The number is about to be another file's: what is staged for it fails.
    fn abandon(&mut self, fd: RawFd) {
        let rest = self.slots.get_mut(self.submitted..self.staged);
        for staged in rest.unwrap_or_default() {
            if staged.fd == fd {
                staged.fd = NO_FILE;
            }
        }
    }

    /// What [`Batch::next`] gave is in the ring.
    fn note_submitted(&mut self) {
        self.submitted += 1;
    }

    /// The kernel has taken every entry of the ring: their packets are wiped, for an unprotected one may be a key. Places are free once all are.
    fn clear_submitted(&mut self) {
        if self.submitted < self.staged {
            return;
        }
        for staged in self.slots.iter_mut().take(self.submitted) {
            let len = place(staged.len).min(STAGED_BYTES_MAX);
            staged.bytes[..len].fill(0);
        }
        (self.submitted, self.staged) = (0, 0);
    }

    fn note_failure(&mut self) {
        self.failed += 1;
    }
}

/// Sends one datagram to itself through a ring of its own: kernels and sandboxes refuse io_uring at different steps.
fn probe() -> io::Result<()> {
    let flags = rustix::event::EventfdFlags::CLOEXEC | rustix::event::EventfdFlags::NONBLOCK;
    let waker = Arc::new(rustix::event::eventfd(0, flags)?);
    let mut ring = Uring::unproved(&waker)?;
    let socket = RtpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    ring.watch(&socket, Token(0))?;
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut outbox = Outbox::staging();
    if let Some(batch) = outbox.batch() {
        batch.stage(&socket, b"probe", sender.local_addr()?);
        sender.send_to(b"probe", socket.local())?;
    }
    let (mut heard, until) = (false, Instant::now() + PROBE_WAIT);
    while !heard && Instant::now() < until {
        if let Some(batch) = outbox.batch() {
            ring.wait(Some(PROBE_WAIT), batch)?;
        }
        let waker = Waker::of(&waker);
        let mut hear = Taker(|_: Token, datagram: Datagram<'_>, _: &mut Outbox| {
            heard |= datagram.bytes == b"probe";
        });
        ring.receive(&waker, &mut outbox, &mut hear);
    }
    sender.set_nonblocking(true)?;
    let answered = sender.recv(&mut [0; 8]).is_ok();
    if heard && answered && outbox.failed() == 0 {
        Ok(())
    } else {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_staged_for_a_socket_that_closes_fails_and_the_rest_leaves() {
        let mut batch = Batch::new();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (closing, other) = (RtpSocket::bind(any).unwrap(), RtpSocket::bind(any).unwrap());
        for socket in [&closing, &other, &closing] {
            assert!(batch.stage(socket, b"packet", other.local()));
        }
        batch.note_submitted();
        batch.abandon(closing.as_raw_fd());
        let fds: Vec<RawFd> = batch.slots[..3].iter().map(|slot| slot.fd).collect();
        // The first is in the ring already, by a file that the kernel holds.
        assert_eq!(fds, [closing.as_raw_fd(), other.as_raw_fd(), NO_FILE]);
    }

    #[test]
    fn a_packet_keeps_its_place_until_all_are_in_the_ring_and_is_wiped_then() {
        let mut batch = Batch::new();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let socket = RtpSocket::bind(any).unwrap();
        for packet in [b"one", b"two"] {
            assert!(batch.stage(&socket, packet, socket.local()));
        }
        batch.note_submitted();
        batch.clear_submitted();
        assert_eq!(
            (batch.staged, &batch.slots[0].bytes[..3]),
            (2, b"one".as_slice())
        );
        batch.note_submitted();
        batch.clear_submitted();
        let is_wiped = |slot: &Staged| slot.bytes.iter().all(|byte| *byte == 0);
        assert!(batch.staged == 0 && batch.slots.iter().all(is_wiped));
    }
}
