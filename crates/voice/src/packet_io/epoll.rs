//! Packets by readiness.
//! Owns: an epoll instance, one receive buffer.
//! Never: reads a socket to see that it is empty: what is left is reported again (level-triggered).

use std::io;
use std::mem::MaybeUninit;
use std::num::NonZeroU64;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::{EXPECTED_MAX, Outbox, Pace, Receiver, STALE_MAX, Token, Waker};
use crate::rtp_socket::{Clock, ReceiveBuffer, RtpSocket, receive_from};

/// Ready sockets taken in one round, about 2 ms of work; the system reports the others in the next.
const EVENTS_MAX: usize = 256;

/// The waker's mark; sockets carry their token.
const WAKER: u64 = u64::MAX;

pub(super) struct Epoll {
    epoll: OwnedFd,
    /// Marks of what is ready.
    ready: Vec<u64>,
    /// Watched sockets by token.
    watched: Vec<Option<RawFd>>,
    buffer: ReceiveBuffer,
    pace: Pace,
}

impl Epoll {
    pub(super) fn new(waker: &Arc<OwnedFd>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &**waker, EventData::new_u64(WAKER), EventFlags::IN)?;
        Ok(Self {
            epoll,
            ready: Vec::with_capacity(EVENTS_MAX),
            watched: Vec::new(),
            buffer: ReceiveBuffer::new(),
            pace: Pace::new(),
        })
    }

    pub(super) fn watch(&mut self, socket: &RtpSocket, token: Token) -> io::Result<()> {
        socket.discard(&mut self.buffer, STALE_MAX);
        let index = place(token);
        if self.watched.is_empty() {
            // Of the thread that uses it: sleeps of 60 us are not to become 110.
            let _sleeps_longer = rustix::thread::set_current_timer_slack(NonZeroU64::new(1_000));
        }
        if self.watched.len() <= index {
            self.watched.resize(index + 1, None);
        }
        epoll::add(
            &self.epoll,
            socket,
            EventData::new_u64(u64::from(token.0)),
            EventFlags::IN,
        )?;
        if let Some(watched) = self.watched.get_mut(index) {
            *watched = Some(socket.as_raw_fd());
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, socket: &RtpSocket, token: Token) {
        let _closed_anyway = epoll::delete(&self.epoll, socket);
        if let Some(watched) = self.watched.get_mut(place(token)) {
            *watched = None;
        }
    }

    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let gather = self.pace.gather(timeout);
        if !gather.is_zero() {
            std::thread::sleep(gather);
        }
        self.look(timeout.map(|time| time.saturating_sub(gather)))?;
        self.pace.begins();
        Ok(())
    }

    fn look(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.ready.clear();
        let timeout = timeout.map(|time| Timespec {
            tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let mut room = [MaybeUninit::<Event>::uninit(); EVENTS_MAX];
        match epoll::wait(&self.epoll, &mut room, timeout.as_ref()) {
            Ok((events, _)) => {
                self.ready
                    .extend(events.iter().map(|event| event.data.u64()));
                Ok(())
            }
            Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn receive(
        &mut self,
        waker: &Waker,
        outbox: &mut Outbox,
        receiver: &mut impl Receiver,
    ) {
        let clock = Clock::now();
        let Self {
            ready,
            watched,
            buffer,
            pace,
            ..
        } = self;
        for marks in ready.chunks(EXPECTED_MAX) {
            for token in marks.iter().copied().filter_map(token_of) {
                receiver.expect(token);
            }
            for mark in marks.iter().copied() {
                if mark == WAKER {
                    waker.was_heard();
                }
                let Some(token) = token_of(mark) else {
                    continue;
                };
                let Some(fd) = watched.get(place(token)).copied().flatten() else {
                    continue;
                };
                // An ICMP error of an earlier send shows as an error once and says nothing of the socket.
                let _nothing_or_an_error = receive_from(fd, buffer, clock, |datagram| {
                    pace.lent();
                    receiver.take(token, datagram, outbox);
                });
            }
        }
    }
}

/// Whose mark it is; nobody's if it is the waker's.
fn token_of(mark: u64) -> Option<Token> {
    u32::try_from(mark).ok().map(Token)
}

fn place(token: Token) -> usize {
    usize::try_from(token.0).unwrap_or(usize::MAX)
}
