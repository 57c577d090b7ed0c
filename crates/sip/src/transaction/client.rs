//! Requests of ours on their way (RFC 3261 §17.1, RFC 6026 §8.4).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::fingerprint::Fingerprint;
use super::timer::{T1, T2, Timer};
use crate::message::{
    Body, Essentials, HeaderMap, HeaderName, Method, NameAddr, Request, Response, Status, Uri, Via,
    Wire,
};
use crate::stack::outbox::{Due, Outbox};
use crate::stack::{Flow, LegId};

/// Key of a client transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClientId(u64);

/// Who hears the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A leg.
    Leg(LegId),
    /// One of our own registrations.
    Registration(u64),
    /// A question of ours whether somebody is there, by its number.
    Probe(u64),
    /// Nobody: a BYE or a CANCEL, whose answer changes nothing.
    Nobody,
}

/// Answers to one INVITE from different far sides that are acknowledged. A forked call has a handful; more are ignored and time out there.
const FORKS_MAX: usize = 8;

/// Every client transaction.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    transactions: HashMap<ClientId, Box<Client>>,
    by_name: HashMap<Fingerprint, ClientId>,
    last: u64,
}

#[derive(Debug)]
struct Client {
    owner: Owner,
    flow: Flow,
    name: Fingerprint,
    target: Uri,
    /// Of the request; none once a final answer came.
    headers: HeaderMap,
    state: State,
}

/// Branch and method, for the CANCEL of an INVITE has the INVITE's branch ([RFC 3261 §17.1.3](https://www.rfc-editor.org/rfc/rfc3261#section-17.1.3)).
fn name(branch: &str, method: &Method) -> Fingerprint {
    Fingerprint::of(&[branch.as_bytes(), method.as_str().as_bytes()])
}

#[derive(Debug)]
enum State {
    /// Nothing heard; repeated after the interval.
    Calling { wire: Wire, interval: Duration },
    /// A provisional answer was heard.
    Proceeding,
    /// Refused; repeats of the refusal get the same ACK.
    Completed { ack: Wire },
    /// Accepted by one or more far sides, told apart by their tags; repeats get the same ACK.
    Accepted {
        acks: Vec<(Fingerprint, Flow, Wire)>,
    },
    /// No INVITE, nothing heard.
    Trying { wire: Wire, interval: Duration },
    /// No INVITE, a provisional answer was heard.
    Waiting { wire: Wire },
    /// No INVITE, answered.
    Answered,
}

impl Clients {
    pub(crate) fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Sends a request whose top `Via` bears a branch of ours, and sees to it until it is answered.
    pub(crate) fn start(
        &mut self,
        out: &mut Outbox,
        now: Instant,
        request: Request,
        flow: Flow,
        owner: Owner,
    ) -> ClientId {
        self.last += 1;
        let id = ClientId(self.last);
        let via = request.headers.via().ok();
        let branch = via.as_ref().and_then(Via::branch).unwrap_or_default();
        let name = name(branch, &request.method);
        let wire = request.to_wire();
        out.send(flow, wire.clone());
        let interval = T1;
        let (state, repeat, give_up) = match request.method {
            Method::Invite => (State::Calling { wire, interval }, Timer::A, Timer::B),
            _ => (State::Trying { wire, interval }, Timer::E, Timer::F),
        };
        for timer in [repeat, give_up] {
            arm(out, now, id, flow, timer);
        }
        self.by_name.insert(name, id);
        let Request {
            uri: target,
            headers,
            ..
        } = request;
        self.transactions.insert(
            id,
            Box::new(Client {
                owner,
                flow,
                name,
                target,
                headers,
                state,
            }),
        );
        id
    }

    /// The transaction that a response belongs to.
    pub(crate) fn find(&self, essentials: &Essentials) -> Option<ClientId> {
        let branch = essentials.via.branch()?;
        self.by_name
            .get(&name(branch, &essentials.cseq.method))
            .copied()
    }

    /// The Request-URI of a transaction, and where the request went.
    pub(crate) fn target(&self, id: ClientId) -> Option<(&Uri, Flow)> {
        self.transactions
            .get(&id)
            .map(|client| (&client.target, client.flow))
    }

    /// Those that wait for an answer over a flow, in the order they began, with who waits.
    pub(crate) fn waiting_over(&self, flow: Flow) -> Vec<(ClientId, Owner)> {
        let waits = |client: &Client| match client.state {
            State::Calling { .. }
            | State::Proceeding
            | State::Trying { .. }
            | State::Waiting { .. } => client.flow == flow,
            State::Completed { .. } | State::Accepted { .. } | State::Answered => false,
        };
        let waiting = self.transactions.iter().filter(|(_, one)| waits(one));
        let mut waiting: Vec<_> = waiting.map(|(id, one)| (*id, one.owner)).collect();
        waiting.sort_by_key(|(id, _)| *id);
        waiting
    }

    /// The Request-URI of an INVITE of ours with this branch.
    pub(crate) fn target_of_branch(&self, branch: &str) -> Option<&Uri> {
        let id = self.by_name.get(&name(branch, &Method::Invite))?;
        self.transactions.get(id).map(|client| &client.target)
    }

    /// Takes a response in; `Some` if its owner has to hear it.
    pub(crate) fn response(
        &mut self,
        out: &mut Outbox,
        now: Instant,
        id: ClientId,
        essentials: &Essentials,
        response: &Response,
    ) -> Option<Owner> {
        let client = self.transactions.get_mut(&id)?;
        let status = response.status;
        match &mut client.state {
            State::Calling { .. } | State::Proceeding if status.is_provisional() => {
                cancel(out, id, &[Timer::A, Timer::B]);
                client.state = State::Proceeding;
            }
            State::Calling { .. } | State::Proceeding => {
                client.invite_answered(out, now, id, status, response)
            }
            State::Completed { ack } => {
                if status.is_final() && !status.is_success() {
                    out.repeat(client.flow, ack.clone());
                }
                return None;
            }
            State::Accepted { acks } => {
                return accepted_again(out, acks, client.owner, essentials, status);
            }
            State::Trying { .. } | State::Waiting { .. } if status.is_provisional() => {
                client.proceed(out, now, id)
            }
            State::Trying { .. } | State::Waiting { .. } => {
                cancel(out, id, &[Timer::E, Timer::F]);
                client.settle(State::Answered);
                arm(out, now, id, client.flow, Timer::K);
            }
            State::Answered => return None,
        }
        Some(client.owner)
    }

    /// Sends the ACK of a 2xx and keeps it for repeats of that 2xx.
    pub(crate) fn acknowledge(
        &mut self,
        out: &mut Outbox,
        id: ClientId,
        tag: &str,
        flow: Flow,
        ack: Wire,
    ) {
        out.send(flow, ack.clone());
        if let Some(client) = self.transactions.get_mut(&id)
            && let State::Accepted { acks } = &mut client.state
            && acks.len() < FORKS_MAX
        {
            acks.reserve_exact(1);
            acks.push((Fingerprint::of(&[tag.as_bytes()]), flow, ack));
        }
    }

    /// The CANCEL of a running INVITE ([RFC 3261 §9.1](https://www.rfc-editor.org/rfc/rfc3261#section-9.1)); `None` once it is answered.
    pub(crate) fn cancel_of(&self, id: ClientId) -> Option<(Request, Flow)> {
        let client = self.transactions.get(&id)?;
        match client.state {
            State::Proceeding => Some((client.sibling(Method::Cancel, None), client.flow)),
            _ => None,
        }
    }

    /// A timer is due; `Some` if the owner has to hear that nobody answered.
    pub(crate) fn timeout(
        &mut self,
        out: &mut Outbox,
        now: Instant,
        id: ClientId,
        timer: Timer,
    ) -> Option<Owner> {
        let client = self.transactions.get_mut(&id)?;
        match (timer, &mut client.state) {
            (Timer::A, State::Calling { wire, interval }) => {
                *interval *= 2;
                out.timers.set(Due::Client(id, Timer::A), now + *interval);
                out.repeat(client.flow, wire.clone());
                None
            }
            (Timer::E, State::Trying { wire, interval }) => {
                *interval = (*interval * 2).min(T2);
                out.timers.set(Due::Client(id, Timer::E), now + *interval);
                out.repeat(client.flow, wire.clone());
                None
            }
            (Timer::E, State::Waiting { wire }) => {
                out.timers.set(Due::Client(id, Timer::E), now + T2);
                out.repeat(client.flow, wire.clone());
                None
            }
            (Timer::B, State::Calling { .. })
            | (Timer::F, State::Trying { .. } | State::Waiting { .. }) => {
                let owner = client.owner;
                self.remove(out, id);
                Some(owner)
            }
            _ => {
                self.remove(out, id);
                None
            }
        }
    }

    /// Forgets a transaction: its owner gave up on it.
    pub(crate) fn remove(&mut self, out: &mut Outbox, id: ClientId) {
        if let Some(client) = self.transactions.remove(&id) {
            self.by_name.remove(&client.name);
            cancel(out, id, &[Timer::A, Timer::B, Timer::E, Timer::F]);
        }
    }
}

impl Client {
    fn invite_answered(
        &mut self,
        out: &mut Outbox,
        now: Instant,
        id: ClientId,
        status: Status,
        response: &Response,
    ) {
        cancel(out, id, &[Timer::A, Timer::B]);
        if status.is_success() {
            self.settle(State::Accepted { acks: Vec::new() });
            arm(out, now, id, self.flow, Timer::M);
            return;
        }
        let ack = self
            .sibling(Method::Ack, response.headers.to().ok().as_ref())
            .to_wire();
        out.send(self.flow, ack.clone());
        self.settle(State::Completed { ack });
        arm(out, now, id, self.flow, Timer::D);
    }

    fn proceed(&mut self, out: &mut Outbox, now: Instant, id: ClientId) {
        if let State::Trying { wire, .. } = &self.state {
            let wire = wire.clone();
            self.state = State::Waiting { wire };
            if Timer::E.first(self.flow.transport).is_some() {
                out.timers.set(Due::Client(id, Timer::E), now + T2);
            }
        }
    }

    /// A final answer came: what no repeat of it needs is let go.
    fn settle(&mut self, state: State) {
        self.headers = HeaderMap::new();
        self.state = state;
    }

    /// CANCEL or the ACK of a refusal: the same target, hop, route, call and number
    /// ([RFC 3261 §17.1.1.3](https://www.rfc-editor.org/rfc/rfc3261#section-17.1.1.3)).
    fn sibling(&self, method: Method, to: Option<&NameAddr>) -> Request {
        let mut headers = HeaderMap::new();
        let mut copy = |name: HeaderName| {
            for value in self.headers.all(&name) {
                headers.push(name.clone(), value);
            }
        };
        copy(HeaderName::VIA);
        copy(HeaderName::MAX_FORWARDS);
        copy(HeaderName::ROUTE);
        copy(HeaderName::FROM);
        copy(HeaderName::TO);
        copy(HeaderName::CALL_ID);
        if let Some(to) = to {
            headers.set(HeaderName::TO, to);
        }
        let number = self
            .headers
            .cseq()
            .map(|cseq| cseq.number)
            .unwrap_or_default();
        headers.push(HeaderName::CSEQ, format!("{number} {method}"));
        Request {
            method,
            uri: self.target.clone(),
            headers,
            body: Body::default(),
        }
    }
}

/// A response to an INVITE that was accepted before: a repeat gets its ACK again, another far side's acceptance goes to the owner.
fn accepted_again(
    out: &mut Outbox,
    acks: &[(Fingerprint, Flow, Wire)],
    owner: Owner,
    essentials: &Essentials,
    status: Status,
) -> Option<Owner> {
    if !status.is_success() {
        return None;
    }
    let tag = Fingerprint::of(&[essentials.to.tag().unwrap_or_default().as_bytes()]);
    match acks.iter().find(|(known, ..)| *known == tag) {
        Some((_, flow, ack)) => {
            out.repeat(*flow, ack.clone());
            None
        }
        None => (acks.len() < FORKS_MAX).then_some(owner),
    }
}

fn arm(out: &mut Outbox, now: Instant, id: ClientId, flow: Flow, timer: Timer) {
    let Some(duration) = timer.first(flow.transport) else {
        return;
    };
    match timer {
        Timer::D | Timer::K | Timer::M => out.timers.end(Due::Client(id, timer), now + duration),
        _ => out.timers.set(Due::Client(id, timer), now + duration),
    }
}

fn cancel(out: &mut Outbox, id: ClientId, timers: &[Timer]) {
    for timer in timers {
        out.timers.cancel(Due::Client(id, *timer));
    }
}
