//! Whose a call is that rang at a PBX.
//! Owns: that one agent at a time has it and that agent no other; each way in and out, with its entry in the trail.
//! Never: takes a call from somebody who has a capture open; tells a number in the trail.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::access::{Actor, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{IncomingCall, LegCallIds};
use domain::id::{CallId, UserId};
use domain::pairing::{CodeReader, ExtensionFrom, PairedBy, ServiceCall, masked};
use domain::service::Service;
use domain::view::{ButtonDisabled, CallState, DeskError};
use secret::KeyReceiver;

use crate::codes::Heard;
use crate::configuration::Snapshot;
use crate::desk::{Calls, Inner};
use crate::routing::Chosen;
use crate::task::{CallTask, Message, Reply};

/// Wrong codes after which a call is listened to no more until somebody has had it: someone else keys there, or guesses.
const WRONG_CODES_MAX: u8 = 3;

/// What pairing keeps of a call.
#[derive(Default)]
pub(crate) struct Pairing {
    listener: Option<Listener>,
    wrong: u8,
    /// As other equipment knows it, once it is answered.
    pub(crate) legs: Option<LegCallIds>,
}

/// Somebody's code may be keyed here.
struct Listener {
    keys: KeyReceiver,
    reader: CodeReader,
    until: Instant,
}

impl Pairing {
    /// When [`CallTask::settle_pairing`] is due.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.listener.as_ref().map(|listener| listener.until)
    }
}

impl Pairing {
    /// A leg of the call has this SIP Call-ID.
    pub(crate) fn knows(&self, id: &str) -> bool {
        let legs = self.legs.as_ref();
        legs.is_some_and(|legs| !id.is_empty() && (legs.consumer == id || legs.agent == id))
    }
}

/// Who gets a call, by whom and how.
pub(crate) struct Claim {
    pub(crate) agent: Arc<User>,
    pub(crate) by: Actor,
    pub(crate) way: PairedBy,
    /// Also from somebody who has it.
    pub(crate) take_away: bool,
}

/// What is asked of a call about whose it is.
pub(crate) enum Asked {
    /// Somebody is to have it.
    Pair(Claim, Reply<()>),
    /// Its agent lets it go.
    Release(Actor, Reply<()>),
    /// What the list shows of it.
    Show(Reply<Option<ServiceCall>>),
    /// Whether a leg of it has this SIP Call-ID.
    Known(String, Reply<CallId>),
}

/// Whom a call names as its agent, and how.
pub(crate) struct Named {
    agent: Arc<User>,
    way: PairedBy,
}

/// The agent whom an arriving call names: by a number that is reserved for them, else by an extension, if its service goes by that and one agent alone has it. One that has passed this server before is
/// nobody's: its agent gets the pass nearest the consumer, where the keys are masked (S40).
pub(crate) async fn find_agent(
    inner: &Inner,
    snapshot: &Snapshot,
    call: &IncomingCall,
    chosen: &mut Chosen,
) -> Option<Named> {
    let first = call.tag.as_deref().and_then(|tag| tag.parse().ok());
    let Some(first) = first.and_then(|first| inner.handle(&first)) else {
        let is_open = !chosen.is_closed;
        return is_open.then(|| named_by(inner, snapshot, &chosen.service, call))?;
    };
    let named = extension_of(snapshot, &chosen.service, call);
    chosen.desktop = None;
    let ringing = chosen.agent.take();
    if let Some(agent) = &ringing {
        let agents = &inner.agents;
        agents.release(&agent.id, &call.id, crate::now(), Duration::ZERO);
    }
    let claim = Claim {
        agent: ringing.or(named)?,
        by: Actor::system(),
        way: PairedBy::Header,
        take_away: false,
    };
    let ask = |reply| Message::Pairing(Asked::Pair(claim, reply));
    if let Err(error) = Calls::ask(&first, ask).await {
        tracing::info!(call = %call.id, %error, "the agent of a second pass does not get the first");
    }
    None
}

fn named_by(
    inner: &Inner,
    snapshot: &Snapshot,
    service: &Service,
    call: &IncomingCall,
) -> Option<Named> {
    if let Some(agent) = inner.numbers.take(snapshot, service, call) {
        let way = PairedBy::Number;
        return Some(Named { agent, way });
    }
    let agent = extension_of(snapshot, service, call)?;
    let way = PairedBy::Extension;
    Some(Named { agent, way })
}

fn extension_of(snapshot: &Snapshot, service: &Service, call: &IncomingCall) -> Option<Arc<User>> {
    match service.pairing.extension.filter(|_| service.pairs())? {
        ExtensionFrom::RequestUri => with_extension(snapshot, service, &call.called),
        ExtensionFrom::To => with_extension(snapshot, service, &call.addressee),
        ExtensionFrom::Contact => None,
    }
}

fn with_extension(snapshot: &Snapshot, service: &Service, extension: &str) -> Option<Arc<User>> {
    let named = snapshot.user_of_extension(extension)?;
    service.pairing.takes(&named.id).then(|| named.clone())
}

impl CallTask {
    /// It rang at a PBX, and its agent is found afterwards. Of a call that an agent makes, the agent is known.
    fn pairs(&self) -> bool {
        self.service.pairs() && !self.call.is_dialled()
    }

    pub(crate) fn handle_pairing(&mut self, asked: Asked) {
        match asked {
            Asked::Pair(claim, reply) => {
                let _gone = reply.send(self.pair(claim));
            }
            Asked::Release(by, reply) => {
                let _gone = reply.send(self.release_pair(&by));
            }
            Asked::Show(reply) => {
                let _gone = reply.send(Ok(self.service_call()));
            }
            Asked::Known(id, reply) => {
                let is_known = self.pairing.knows(&id);
                let known = is_known.then(|| self.call.id().clone());
                let _gone = reply.send(known.ok_or(DeskError::NotFound));
            }
        }
    }

    /// Gives the call to an agent, or says why not: it is somebody's, or they have another.
    pub(crate) fn pair(&mut self, claim: Claim) -> Result<(), DeskError> {
        let Claim {
            agent,
            by,
            way,
            take_away,
        } = claim;
        if self.call.state() == CallState::Ended || !self.pairs() {
            return Err(DeskError::NotFound);
        }
        if !self.service.pairing.takes(&agent.id) {
            return Err(DeskError::NotPaired);
        }
        let before = self.agent.clone();
        match &before {
            Some(owner) if owner.id == agent.id => return Ok(()),
            Some(owner) if !take_away => {
                return Err(DeskError::CallTaken(owner.display_name.clone()));
            }
            Some(_) if self.open.is_some() => {
                return Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
            }
            Some(_) | None => {}
        }
        if !self.inner.agents.take_only(&agent.id, self.call.id()) {
            return Err(DeskError::AgentHasCall);
        }
        self.note_paired(&by, &agent, way, before.as_deref());
        if let Some(owner) = before {
            self.leave_agent(&owner.id);
        }
        if self.inner.codes.drop_of(&agent.id) {
            self.inner.listen_anew();
        }
        self.inner.belongs_to(self.call.id(), &agent.id);
        self.call.paired(agent.id.clone());
        self.settle_desktop(Some(agent));
        Ok(())
    }

    fn note_paired(&self, by: &Actor, agent: &User, way: PairedBy, from: Option<&User>) {
        let entry = self
            .pairing_entry(by, AuditAction::CallPaired)
            .with("agent", agent.name.as_str())
            .with("way", way.name());
        self.inner.audit.append(match from {
            Some(from) => entry.with("from", from.name.as_str()),
            None => entry,
        });
    }

    fn pairing_entry(&self, by: &Actor, action: AuditAction) -> AuditEntry {
        let object = format!("call {}", self.call.id());
        AuditEntry::new(self.inner.deps.clock.now(), by, action, object)
    }

    /// The agent lets it go, and it is nobody's.
    pub(crate) fn release_pair(&mut self, by: &Actor) -> Result<(), DeskError> {
        let Some(agent) = self.agent.clone().filter(|_| self.pairs()) else {
            return Err(DeskError::NotPaired);
        };
        if self.call.state() == CallState::Ended {
            return Err(DeskError::NotFound);
        }
        if self.open.is_some() {
            return Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
        }
        let entry = self.pairing_entry(by, AuditAction::CallReleased);
        self.inner
            .audit
            .append(entry.with("agent", agent.name.as_str()));
        self.leave_agent(&agent.id);
        self.inner.belongs_to_nobody(self.call.id());
        self.call.released();
        self.settle_desktop(None);
        Ok(())
    }

    /// It is over for whoever had it, who is free for another.
    fn leave_agent(&mut self, agent: &UserId) {
        self.say_farewell(agent.clone());
        self.free_agent();
        self.pairing.wrong = 0;
    }

    /// The desktop, the mask, the recorders and the page follow whoever has the call.
    fn settle_desktop(&mut self, agent: Option<Arc<User>>) {
        let snapshot = self.inner.deps.configuration.current();
        let own = agent.as_ref().and_then(|agent| agent.desktop.as_ref());
        let desktop = own.unwrap_or(&self.service.desktop);
        self.desktop = snapshot.desktop(desktop).cloned();
        self.agent = agent;
        if let Some(legs) = &self.pairing.legs {
            let recorders = &self.inner.deps.recorders;
            recorders.taken_over(self.as_connected(legs));
        }
        self.settle_listening();
        self.settle_pairing();
        self.publish_call();
    }

    /// The PBX has answered, and may have said where.
    pub(crate) fn answered_at(&mut self, legs: LegCallIds) {
        let by_contact = self.service.pairing.extension == Some(ExtensionFrom::Contact);
        if self.pairs() && by_contact && self.agent.is_none() {
            let snapshot = self.inner.deps.configuration.current();
            let agent = with_extension(&snapshot, &self.service, &legs.agent_contact);
            let way = PairedBy::Extension;
            self.pair_named(agent.map(|agent| Named { agent, way }));
        }
        self.pairing.legs = Some(legs);
    }

    /// The call itself names whose it is. Somebody who has another call does not get it; it can be given to them once that is over.
    pub(crate) fn pair_named(&mut self, named: Option<Named>) {
        let Some(Named { agent, way }) = named else {
            return;
        };
        let claim = Claim {
            agent,
            by: Actor::system(),
            way,
            take_away: false,
        };
        if let Err(error) = self.pair(claim) {
            tracing::info!(call = %self.call.id(), %error, "a call was not given to the agent whom it names");
        }
    }

    /// What the list shows of it; none: its service has another route, or it is over.
    pub(crate) fn service_call(&self) -> Option<ServiceCall> {
        let state = self.call.state();
        (self.pairs() && state != CallState::Ended).then(|| ServiceCall {
            id: self.call.id().clone(),
            service: self.service.id.clone(),
            state,
            caller: masked(self.call.caller_number()),
            began_at: self.call.began_at(),
            agent: self.call.agent().cloned(),
        })
    }
}

/// Codes on the agent's phone.
impl CallTask {
    /// Listens to the agent's side while somebody's code may be keyed there, and not else.
    pub(crate) fn settle_pairing(&mut self) {
        let until = self.codes_wanted_until();
        match (until, &mut self.pairing.listener) {
            (Some(until), Some(listener)) => listener.until = until,
            (Some(until), None) => self.begin_hearing(until),
            (None, Some(_)) => self.end_hearing(),
            (None, None) => {}
        }
    }

    fn codes_wanted_until(&self) -> Option<Instant> {
        let is_open = self.pairs()
            && self.service.pairing.code
            && self.agent.is_none()
            && self.call.state() != CallState::Ended
            && self.pairing.wrong < WRONG_CODES_MAX;
        let codes = &self.inner.codes;
        is_open
            .then(|| codes.wanted_until(&self.service, crate::now()))
            .flatten()
    }

    fn begin_hearing(&mut self, until: Instant) {
        let Some((sender, keys)) = secret::digit_ring(&self.inner.deps.arena) else {
            return tracing::warn!(call = %self.call.id(), "no key ring is left; a pairing code is not heard");
        };
        match self.telephony.hear_agent(self.call.id(), Some(sender)) {
            Ok(()) => {
                self.pairing.listener = Some(Listener {
                    keys,
                    reader: CodeReader::default(),
                    until,
                });
            }
            Err(error) => {
                tracing::warn!(call = %self.call.id(), %error, "a pairing code is not heard");
            }
        }
    }

    /// The telephone side notices by itself that nobody takes the keys any more, should it be too busy to be told.
    fn end_hearing(&mut self) {
        self.pairing.listener = None;
        let _noticed_else = self.telephony.hear_agent(self.call.id(), None);
    }

    /// Keys of the agent's phone.
    pub(crate) fn take_agent_keys(&mut self) {
        while let Some(listener) = &mut self.pairing.listener {
            let Some(key) = listener.keys.pop() else {
                return;
            };
            let (codes, reader) = (&self.inner.codes, &mut listener.reader);
            match codes.hear(reader, key, &self.service, crate::now()) {
                Heard::Nothing => {}
                Heard::Wrong => self.wrong_code(),
                Heard::CodeOf(by) => self.pair_by_code(*by),
            }
        }
    }

    fn wrong_code(&mut self) {
        self.pairing.wrong += 1;
        self.inner.wrong_codes.fetch_add(1, Ordering::Relaxed);
        tracing::info!(call = %self.call.id(), "a pairing code was keyed that is none");
        self.settle_pairing();
    }

    fn pair_by_code(&mut self, by: Actor) {
        let snapshot = self.inner.deps.configuration.current();
        let agent = snapshot.user(&by.user).filter(|agent| agent.enabled);
        let paired = agent
            .cloned()
            .ok_or(DeskError::NotPaired)
            .and_then(|agent| {
                self.pair(Claim {
                    agent,
                    by,
                    way: PairedBy::Code,
                    take_away: false,
                })
            });
        if let Err(error) = paired {
            tracing::info!(call = %self.call.id(), %error, "a pairing code did not give a call");
            self.settle_pairing();
        }
        self.inner.listen_anew();
    }
}

impl Inner {
    /// A code is good from now on, or no longer: every call that nobody has looks whether it is to be listened to.
    pub(crate) fn listen_anew(&self) {
        for signals in self.signals_of_nobodys() {
            signals.refresh();
        }
    }
}
