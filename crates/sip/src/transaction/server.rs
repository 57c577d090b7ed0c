//! Requests of far sides that wait for our answer, or for their repeats to die out (RFC 3261 §17.2, RFC 6026 §8.5).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::fingerprint::Fingerprint;
use super::timer::{T1, T2, Timer};
use crate::message::{Essentials, HeaderMap, Method, Request, Response, Status, Wire};
use crate::stack::outbox::{Due, Outbox};
use crate::stack::{Flow, LegId};

/// Key of a server transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServerId(u64);

/// What makes two requests the same ([RFC 3261 §17.2.3](https://www.rfc-editor.org/rfc/rfc3261#section-17.2.3)). The source address is part of
/// it, so that nobody else can cancel or acknowledge.
#[derive(Debug, Clone)]
pub(crate) struct ServerKey {
    hop: Fingerprint,
    method: Method,
}

impl ServerKey {
    /// The key of a request's own transaction; of an ACK, the INVITE's.
    pub(crate) fn of(request: &Request, essentials: &Essentials, source: IpAddr) -> Self {
        let method = match request.method {
            Method::Ack => Method::Invite,
            _ => request.method.clone(),
        };
        let via = &essentials.via;
        let source = source.to_string();
        let hop = match via.unique_branch() {
            // A branch that is unique by itself, and who made it.
            Some(branch) => {
                let (host, port) = via.sent_by();
                let host = host.to_string();
                Fingerprint::of(&[
                    source.as_bytes(),
                    branch.as_bytes(),
                    host.as_bytes(),
                    &port.to_be_bytes(),
                ])
            }
            // RFC 2543: everything that must agree.
            None => Fingerprint::of(&[
                source.as_bytes(),
                request.uri.to_string().as_bytes(),
                essentials.from.tag().unwrap_or_default().as_bytes(),
                essentials.call_id.as_bytes(),
                &essentials.cseq.number.to_be_bytes(),
                via.to_string().as_bytes(),
            ]),
        };
        Self { hop, method }
    }

    /// The key of the INVITE that a CANCEL is about.
    pub(crate) fn cancelled(&self) -> Self {
        Self {
            method: Method::Invite,
            ..*self
        }
    }

    /// What is kept of it.
    fn name(&self) -> Fingerprint {
        Fingerprint::of(&[self.hop.as_bytes(), self.method.as_str().as_bytes()])
    }
}

/// Every server transaction.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    transactions: HashMap<ServerId, Box<Server>>,
    by_name: HashMap<Fingerprint, ServerId>,
    last: u64,
}

#[derive(Debug)]
struct Server {
    name: Fingerprint,
    is_invite: bool,
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
    /// Another request was answered with nothing that the request does not say: the answer to a repeat is made of the repeat.
    Bare { status: Status },
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
        self.by_name.get(&key.name()).copied()
    }

    /// The leg a transaction belongs to.
    pub(crate) fn leg(&self, id: ServerId) -> Option<LegId> {
        self.transactions.get(&id)?.leg
    }

    /// Whether no final answer was given yet.
    pub(crate) fn is_open(&self, id: ServerId) -> bool {
        self.transactions
            .get(&id)
            .is_some_and(|server| matches!(server.state, State::Open { .. }))
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
        let name = key.name();
        self.by_name.insert(name, id);
        self.transactions.insert(
            id,
            Box::new(Server {
                name,
                is_invite: key.method == Method::Invite,
                flow,
                leg,
                fields,
                state: State::Open { last: None },
            }),
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
        let timers: &[Timer] = if !server.is_invite {
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

    /// The answer given has only what every response to the request repeats, its `To` tag included: it needs no keeping.
    pub(crate) fn answered_barely(&mut self, id: ServerId, status: Status) {
        if let Some(server) = self.transactions.get_mut(&id)
            && matches!(server.state, State::Answered { .. })
        {
            server.state = State::Bare { status };
        }
    }

    /// The request came again. `Some` if the answer is to be made again, of the request and this status.
    pub(crate) fn repeated(&mut self, out: &mut Outbox, id: ServerId) -> Option<Status> {
        let server = self.transactions.get(&id)?;
        match &server.state {
            State::Bare { status } => return Some(*status),
            State::Open { last: Some(wire) }
            | State::Refused { wire, .. }
            | State::Answered { wire } => out.repeat(server.flow, wire.clone()),
            State::Open { last: None } | State::Confirmed | State::Accepted => {}
        }
        None
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
            State::Accepted | State::Answered { .. } | State::Bare { .. } => false,
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
            self.by_name.remove(&server.name);
            for timer in [Timer::G, Timer::H] {
                out.timers.cancel(Due::Server(id, timer));
            }
        }
    }
}

fn arm(out: &mut Outbox, now: Instant, id: ServerId, flow: Flow, timer: Timer) {
    let Some(duration) = timer.first(flow.transport) else {
        return;
    };
    match timer {
        Timer::I | Timer::J | Timer::L => out.timers.end(Due::Server(id, timer), now + duration),
        _ => out.timers.set(Due::Server(id, timer), now + duration),
    }
}
