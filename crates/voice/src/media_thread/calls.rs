//! The calls of one media thread.
//! Owns: their state and when each is due.
//! Never: lets one call's panic reach another, or allocates for a packet.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::browsers::{Browsers, Heard, Whose};
use super::running::{Fate, RunningCall, SOCKETS, SocketPlace, Ways};
use super::worker::Outlet;
use crate::packet_io::{Outbox, Receiver, Token};
use crate::rtp_socket::Datagram;
use crate::webrtc::BROWSER_ADDRESS;

/// The calls and where their outputs go.
pub(super) struct Calls {
    pub(super) outlet: Outlet,
    pub(super) browsers: Browsers,
    /// What the last datagram of a browser, or the last look at them, has brought.
    heard: Vec<Heard>,
    pub(super) running: Vec<Option<Box<RunningCall>>>,
    /// When each is due. Beside the calls, so that a search for the next reads 16 bytes of each and not its memory.
    pub(super) due: Vec<Option<Instant>>,
    /// No call is due before this.
    pub(super) wake_at: Option<Instant>,
    /// Places of calls that panicked or whose keys nobody takes; removed before the round is over.
    pub(super) doomed: Vec<usize>,
    /// Some call has a report that found no room.
    pub(super) owes: bool,
    pub(super) panics: u64,
}

impl Calls {
    pub(super) fn new(outlet: Outlet, browsers: Browsers) -> Self {
        Self {
            outlet,
            browsers,
            heard: Vec::new(),
            running: Vec::new(),
            due: Vec::new(),
            wake_at: None,
            doomed: Vec::new(),
            owes: false,
            panics: 0,
        }
    }

    pub(super) fn running(&self, place: usize) -> Option<&RunningCall> {
        self.running.get(place).and_then(Option::as_deref)
    }

    /// A datagram came.
    fn hear(&mut self, token: Token, datagram: Datagram<'_>, outbox: &mut Outbox) {
        let Some((place, socket)) = place(token) else {
            return;
        };
        let now = datagram.read_at;
        self.with(place, now, outbox, |call, ways| {
            call.take(now, socket, datagram, ways);
        });
    }

    /// A datagram came to the browsers' port.
    fn hear_browser(&mut self, datagram: &Datagram<'_>, outbox: &mut Outbox) {
        self.browsers.hear(datagram, outbox, &mut self.heard);
        self.pass_on(datagram.read_at, datagram.received_at, outbox);
    }

    /// Sees to browsers that are due.
    pub(super) fn wake_browsers(&mut self, now: Instant, outbox: &mut Outbox) {
        self.browsers.wake(now, outbox, &mut self.heard);
        self.pass_on(now, now, outbox);
    }

    /// Gives calls what was heard of their browsers.
    fn pass_on(&mut self, now: Instant, received_at: Instant, outbox: &mut Outbox) {
        let mut heard = std::mem::take(&mut self.heard);
        for Heard {
            place,
            whose,
            mut packet,
        } in heard.drain(..)
        {
            let leg = match whose {
                Whose::Side(leg) => leg,
                Whose::Listener(id) => {
                    self.with(place, now, outbox, |call, _| {
                        call.hear_listener(id, &packet);
                    });
                    continue;
                }
            };
            let datagram = Datagram {
                source: BROWSER_ADDRESS,
                received_at,
                read_at: now,
                is_cut: false,
                bytes: &mut packet,
            };
            let socket = SocketPlace { leg, rtcp: false };
            self.with(place, now, outbox, |call, ways| {
                call.take(now, socket, datagram, ways);
            });
        }
        self.heard = heard;
    }

    /// Sees to all that is due, and finds what is due next. A call that was put off since the last search is found early, and put off again.
    pub(super) fn wake(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.wake_at.is_none_or(|at| at > now) {
            return;
        }
        self.wake_at = None;
        for place in 0..self.due.len() {
            if self.due_at(place).is_some_and(|at| at <= now) {
                self.with(place, now, outbox, |call, ways| {
                    call.handle_timeout(now, ways);
                });
            }
            let next = self.due_at(place);
            self.wake_at = self.wake_at.into_iter().chain(next).min();
        }
    }

    fn due_at(&self, place: usize) -> Option<Instant> {
        self.due.get(place).copied().flatten()
    }

    /// Runs something on one call alone: if it panics, that call is gone and no other has noticed.
    pub(super) fn with<R>(
        &mut self,
        place: usize,
        now: Instant,
        outbox: &mut Outbox,
        act: impl FnOnce(&mut RunningCall, &mut Ways<'_>) -> R,
    ) -> Option<R> {
        let Self {
            outlet,
            browsers,
            running,
            due,
            wake_at,
            doomed,
            owes,
            panics,
            ..
        } = self;
        let call = running.get_mut(place)?.as_deref_mut()?;
        // Of a call that has panicked, nothing more is relayed.
        if doomed.contains(&place) {
            return None;
        }
        let mut ways = Ways {
            outbox,
            outlet,
            browsers,
        };
        let acted = catch_unwind(AssertUnwindSafe(|| {
            let result = act(call, &mut ways);
            let fate = call.fate(now, &mut ways);
            *owes |= call.owes_a_report();
            (result, fate)
        }));
        let Ok((result, fate)) = acted else {
            *panics += 1;
            doomed.push(place);
            return None;
        };
        if fate == Fate::Abandoned {
            doomed.push(place);
        }
        let next = call.wake_at();
        if let Some(due) = due.get_mut(place) {
            *due = next;
        }
        if let Some(next) = next {
            *wake_at = Some(wake_at.map_or(next, |at| at.min(next)));
        }
        Some(result)
    }
}

/// Token of the browsers' port; those of calls follow.
pub(super) const BROWSERS: Token = Token(0);

/// Token of a call's first socket.
pub(super) fn first_token(place: usize) -> u32 {
    // A thread has thousands of calls, not a thousand million.
    u32::try_from(place * SOCKETS + 1).unwrap_or(u32::MAX - 3)
}

/// Whose socket it is, and which of them.
fn place(token: Token) -> Option<(usize, SocketPlace)> {
    let token = usize::try_from(token.0.checked_sub(1)?).ok()?;
    let socket = SocketPlace::ALL.get(token % SOCKETS)?;
    Some((token / SOCKETS, *socket))
}

impl Receiver for Calls {
    fn expect(&mut self, token: Token) {
        if let Some((place, socket)) = place(token) {
            black_box(self.running(place).map(|call| call.look(socket)));
        }
    }

    fn take(&mut self, token: Token, datagram: Datagram<'_>, outbox: &mut Outbox) {
        if token == BROWSERS {
            self.hear_browser(&datagram, outbox);
        } else {
            self.hear(token, datagram, outbox);
        }
    }
}
