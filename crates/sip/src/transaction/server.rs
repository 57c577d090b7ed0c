//! Requests of far sides that wait for our answer, or for their repeats to die out (RFC 3261 §17.2, RFC 6026 §8.5).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::timer::{T1, T2, Timer};
use crate::message::{Essentials, HeaderMap, Host, Method, Request, Response, Wire};
use crate::stack::outbox::{Due, Outbox};
use crate::stack::{Flow, LegId};

/// Key of a server transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServerId(u64);

/// What makes two requests the same ([RFC 3261 §17.2.3](https://www.rfc-editor.org/rfc/rfc3261#section-17.2.3)). The source address is part of
/// it, so that nobody else can cancel or acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ServerKey {
    source: IpAddr,
    method: Method,
    hop: Hop,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Hop {
    /// A branch that is unique by itself, and who made it.
    Branch {
        branch: String,
        host: Host,
        port: u16,
    },
    /// RFC 2543: everything that must agree.
    Whole {
        uri: String,
        from_tag: String,
        call_id: String,
        number: u32,
        via: String,
    },
}

impl ServerKey {
    /// The key of a request's own transaction; of an ACK, the INVITE's.
    pub(crate) fn of(request: &Request, essentials: &Essentials, source: IpAddr) -> Self {
        let method = match request.method {
            Method::Ack => Method::Invite,
            _ => request.method.clone(),
        };
        let via = &essentials.via;
        let hop = match via.unique_branch() {
            Some(branch) => {
                let (host, port) = via.sent_by();
                Hop::Branch {
                    branch: branch.to_owned(),
                    host: host.clone(),
                    port,
                }
            }
            None => Hop::Whole {
                uri: request.uri.to_string(),
                from_tag: essentials.from.tag().unwrap_or_default().to_owned(),
                call_id: essentials.call_id.clone(),
                number: essentials.cseq.number,
                via: via.to_string(),
            },
        };
        Self {
            source,
            method,
            hop,
        }
    }

    /// The key of the INVITE that a CANCEL is about.
    pub(crate) fn cancelled(&self) -> Self {
        Self {
            method: Method::Invite,
            ..self.clone()
        }
    }
}

/// Every server transaction.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    transactions: HashMap<ServerId, Server>,
    by_key: HashMap<ServerKey, ServerId>,
    last: u64,
}

#[derive(Debug)]
struct Server {
    key: ServerKey,
    flow: Flow,
    leg: Option<LegId>,
    fields: HeaderMap,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No final answer yet; repeats get the last provisional one.
    Open { last: Option<Wire> },
    /// An INVITE was refused; repeated until acknowledged.
    Refused { wire: Wire, interval: Duration },
    /// The refusal was acknowledged.
    Confirmed,
    /// An INVITE was accepted: its leg repeats the 2xx.
    Accepted,
    /// Another request was answered; repeats get the answer.
    Answered { wire: Wire },
}

/// What a new server transaction begins with.
pub(crate) struct Opening {
    pub(crate) key: ServerKey,
    pub(crate) flow: Flow,
    pub(crate) leg: Option<LegId>,
    /// Fields that every response bears, the `To` tag included.
    pub(crate) fields: HeaderMap,
}

impl Servers {
    pub(crate) fn len(&self) -> usize {
        self.transactions.len()
    }

    pub(crate) fn find(&self, key: &ServerKey) -> Option<ServerId> {
        self.by_key.get(key).copied()
    }

    /// The leg a transaction belongs to.
    pub(crate) fn leg(&self, id: ServerId) -> Option<LegId> {
        self.transactions.get(&id)?.leg
    }

    /// Whether no final answer was given yet.
    pub(crate) fn is_open(&self, id: ServerId) -> bool {
        matches!(
            self.transactions.get(&id),
            Some(Server {
                state: State::Open { .. },
                ..
            })
        )
    }

    pub(crate) fn open(&mut self, opening: Opening) -> ServerId {
        self.last += 1;
        let id = ServerId(self.last);
        let Opening {
            key,
            flow,
            leg,
            fields,
        } = opening;
        self.by_key.insert(key.clone(), id);
        self.transactions.insert(
            id,
            Server {
                key,
                flow,
                leg,
                fields,
                state: State::Open { last: None },
            },
        );
        id
    }

    /// The fields of a response of this transaction.
    pub(crate) fn fields(&self, id: ServerId) -> HeaderMap {
        self.transactions
            .get(&id)
            .map(|server| server.fields.clone())
            .unwrap_or_default()
    }

    /// Answers. Returns what was sent and where; `None` if a final answer was given before.
    pub(crate) fn respond(
        &mut self,
        out: &mut Outbox,
        now: Instant,
        id: ServerId,
        response: &Response,
    ) -> Option<(Wire, Flow)> {
        let server = self.transactions.get_mut(&id)?;
        let State::Open { last } = &mut server.state else {
            return None;
        };
        let wire = response.to_wire();
        out.send(server.flow, wire.clone());
        if response.status.is_provisional() {
            *last = Some(wire.clone());
            return Some((wire, server.flow));
        }
        server.fields = HeaderMap::new();
        let timers: &[Timer] = if server.key.method != Method::Invite {
            server.state = State::Answered { wire: wire.clone() };
            &[Timer::J]
        } else if response.status.is_success() {
            server.state = State::Accepted;
            &[Timer::L]
        } else {
            server.state = State::Refused {
                wire: wire.clone(),
                interval: T1,
            };
            &[Timer::G, Timer::H]
        };
        for timer in timers {
            arm(out, now, id, server.flow, *timer);
        }
        Some((wire, server.flow))
    }

    /// The request came again.
    pub(crate) fn repeated(&mut self, out: &mut Outbox, id: ServerId) {
        let Some(server) = self.transactions.get(&id) else {
            return;
        };
        match &server.state {
            State::Open { last: Some(wire) }
            | State::Refused { wire, .. }
            | State::Answered { wire } => out.repeat(server.flow, wire.clone()),
            State::Open { last: None } | State::Confirmed | State::Accepted => {}
        }
    }

    /// An ACK came for this INVITE; `true` if it was the one of a refusal and is done with.
    pub(crate) fn acknowledged(&mut self, out: &mut Outbox, now: Instant, id: ServerId) -> bool {
        let Some(server) = self.transactions.get_mut(&id) else {
            return false;
        };
        match server.state {
            State::Refused { .. } => {
                out.timers.cancel(Due::Server(id, Timer::G));
                out.timers.cancel(Due::Server(id, Timer::H));
                server.state = State::Confirmed;
                arm(out, now, id, server.flow, Timer::I);
                true
            }
            State::Confirmed | State::Open { .. } => true,
            State::Accepted | State::Answered { .. } => false,
        }
    }

    /// A timer is due.
    pub(crate) fn timeout(&mut self, out: &mut Outbox, now: Instant, id: ServerId, timer: Timer) {
        let Some(server) = self.transactions.get_mut(&id) else {
            return;
        };
        if let (Timer::G, State::Refused { wire, interval }) = (timer, &mut server.state) {
            *interval = (*interval * 2).min(T2);
            out.timers.set(Due::Server(id, Timer::G), now + *interval);
            out.repeat(server.flow, wire.clone());
            return;
        }
        if let Some(server) = self.transactions.remove(&id) {
            self.by_key.remove(&server.key);
            for timer in [Timer::G, Timer::H, Timer::I, Timer::J, Timer::L] {
                out.timers.cancel(Due::Server(id, timer));
            }
        }
    }
}

fn arm(out: &mut Outbox, now: Instant, id: ServerId, flow: Flow, timer: Timer) {
    if let Some(duration) = timer.first(flow.transport) {
        out.timers.set(Due::Server(id, timer), now + duration);
    }
}
