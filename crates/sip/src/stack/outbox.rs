//! What waits to be drained, and the timers.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use super::event::{Event, LegId};
use super::flow::{Flow, Transmit};
use crate::message::Wire;
use crate::transaction::{ClientId, ServerId, Timer};

/// Messages that wait to be sent: one round of keep-alives to every phone, and then some. More: dropped and counted, as the network would.
const TRANSMITS_MAX: usize = 8_192;

/// Events that wait to be heard. At most a handful come of one datagram, and callers drain after each. More: datagrams are dropped unread.
pub(crate) const EVENTS_MAX: usize = 4_096;

/// What a stack has counted since its start, and how full its tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StackCounters {
    /// Legs now.
    pub legs: usize,
    /// Client transactions now.
    pub client_transactions: usize,
    /// Server transactions now.
    pub server_transactions: usize,
    /// Phones registered now.
    pub registrations: usize,
    /// Timers now.
    pub timers: usize,
    /// Datagrams taken in.
    pub datagrams: u64,
    /// Datagrams that were no SIP, or broken responses.
    pub garbage: u64,
    /// Requests refused as broken (400, 505, 513).
    pub malformed: u64,
    /// Requests refused or dropped because a bound was reached.
    pub shed: u64,
    /// Responses that belong to nothing.
    pub strays: u64,
    /// Messages of ours sent again.
    pub repeats: u64,
    /// Messages not sent because the queue was full.
    pub transmits_dropped: u64,
    /// INVITEs, REGISTERs and messages inside dialogs from addresses that may not send them.
    pub forbidden: u64,
}

/// What becomes due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A timer of a client transaction.
    Client(ClientId, Timer),
    /// A timer of a server transaction.
    Server(ServerId, Timer),
    /// A timer of a leg.
    Leg(LegId, LegTimer),
    /// A binding of our registrar runs out, by its number.
    Binding(u64),
    /// One of our own registrations is to be sent again.
    Registration(u64),
    /// Every registered phone gets a datagram that keeps its NAT binding open.
    KeepAlive,
}

/// What a leg waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum LegTimer {
    /// An INVITE rings for too long (timer C of RFC 3261 for those we send).
    Ring,
    /// Our reliable provisional response is to be repeated.
    Provisional,
    /// Our 2xx is to be repeated.
    Repeat,
    /// Our 2xx was never acknowledged.
    Unacknowledged,
    /// The caller has not answered an offer of the far side.
    Decision,
    /// A cancelled INVITE never got its final answer.
    Cancelled,
    /// Our refresh of the session.
    Refresh,
    /// The session was not refreshed.
    Expiry,
    /// The caller has not decided on a referral, or it has come to nothing.
    Referral,
}

/// Output queues and timers; every part of a stack writes here.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) transmits: VecDeque<Transmit>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) timers: Timers,
    pub(crate) counters: StackCounters,
}

impl Outbox {
    pub(crate) fn send(&mut self, flow: Flow, wire: Wire) {
        if self.transmits.len() >= TRANSMITS_MAX {
            self.counters.transmits_dropped += 1;
            return;
        }
        self.transmits.push_back(Transmit { flow, wire });
    }

    /// Sends what was sent before.
    pub(crate) fn repeat(&mut self, flow: Flow, wire: Wire) {
        self.counters.repeats += 1;
        self.send(flow, wire);
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Takes the next event out. A key is wiped where it stood: the queue itself does not clear what was taken.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        if let Some(Event::InfoKey { leg, key }) = self.events.front_mut() {
            let event = Event::InfoKey {
                leg: *leg,
                key: key.take(),
            };
            self.events.pop_front();
            return Some(event);
        }
        self.events.pop_front()
    }
}

/// Timers in the order they become due; each thing has at most one time.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    order: BTreeSet<(Instant, Due)>,
    times: HashMap<Due, Instant>,
    /// Ends of finished transactions. There are only two durations of them (T4 and 64*T1), so that they mostly become due in the order they
    /// were set: a quarter of the memory of the tree.
    ends: [VecDeque<(Instant, Due)>; 2],
}

impl Timers {
    pub(crate) fn len(&self) -> usize {
        self.times.len() + self.ends.iter().map(VecDeque::len).sum::<usize>()
    }

    pub(crate) fn set(&mut self, due: Due, at: Instant) {
        if let Some(old) = self.times.insert(due, at) {
            self.order.remove(&(old, due));
        }
        self.order.insert((at, due));
    }

    /// As `set`, for a time that is neither moved nor cancelled.
    pub(crate) fn end(&mut self, due: Due, at: Instant) {
        let behind = |ends: &&mut VecDeque<_>| ends.back().is_none_or(|(last, _)| *last <= at);
        match self.ends.iter_mut().find(behind) {
            Some(ends) => ends.push_back((at, due)),
            None => self.set(due, at),
        }
    }

    pub(crate) fn cancel(&mut self, due: Due) {
        if let Some(at) = self.times.remove(&due) {
            self.order.remove(&(at, due));
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        let first = self.order.first().map(|(at, _)| *at);
        let ends = self.ends.iter().filter_map(VecDeque::front);
        first.into_iter().chain(ends.map(|(at, _)| *at)).min()
    }

    /// The first that is due at `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Due> {
        let at = self.next().filter(|at| *at <= now)?;
        for ends in &mut self.ends {
            if let Some((_, due)) = ends.pop_front_if(|(end, _)| *end == at) {
                return Some(due);
            }
        }
        let (_, due) = *self.order.first()?;
        self.cancel(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ends_and_timers_become_due_in_order() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        timers.end(Due::Binding(32), at(32));
        timers.set(Due::Binding(7), at(7));
        timers.end(Due::Binding(5), at(5));
        timers.end(Due::Binding(33), at(33));
        timers.end(Due::Binding(6), at(6));
        // No queue ends before it: the tree takes it.
        timers.end(Due::Binding(4), at(4));
        assert_eq!((timers.len(), timers.next()), (6, Some(at(4))));
        assert_eq!(timers.pop(at(3)), None);
        let due: Vec<_> = std::iter::from_fn(|| timers.pop(at(40))).collect();
        assert_eq!(due, [4, 5, 6, 7, 32, 33].map(Due::Binding));
        assert_eq!((timers.len(), timers.next()), (0, None));
    }
}
