//! People who listen to calls of others.
//! Owns: who listens to which call, who hears them, and the trail of it.
//! Never: lets anybody listen of whom the trail does not say it first, or be heard by a customer while the call is protected.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::access::{Actor, Permission, Resource, authorize};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Audited, Change, ListeningDesk, ListeningRefused, Task, Telephony, TelephonyError,
};
use domain::id::{CallId, UserId};
use domain::listening::{LISTENERS_MAX, Listening, RunningCall, Voice};
use domain::view::{CallState, CallView, DeskError};

use crate::desk::{Calls, Inner};
use crate::phones::tell_gone;
use crate::task::Message;

/// Between two looks whether whoever listens still may, and still has a phone: with the time that it takes to end, within the 2 s in which a right that was
/// taken away is to be gone.
const LOOK: Duration = Duration::from_secs(1);

/// Why somebody listens no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// They left.
    Left,
    /// The call has ended, or the leg has.
    Ended,
    /// They may not any more.
    Right,
    /// No tab of theirs has a phone.
    Phone,
}

impl Why {
    fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Ended => "ended",
            Self::Right => "right",
            Self::Phone => "phone",
        }
    }
}

struct One {
    listening: Listening,
    actor: Actor,
    began: Instant,
}

#[derive(Default)]
struct Table {
    /// By the leg.
    listening: HashMap<CallId, One>,
    /// Who is about to listen, and to what.
    starting: HashMap<UserId, CallId>,
}

/// Who listens.
#[derive(Default)]
pub(crate) struct Supervisors(Mutex<Table>);

impl Supervisors {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place beside a call, for somebody who listens to no other.
    fn reserve(&self, call: &CallId, listener: &UserId) -> Result<(), ListeningRefused> {
        let mut table = self.table();
        let mut all = table.listening.values();
        if all.any(|one| one.listening.listener == *listener)
            || table.starting.contains_key(listener)
        {
            return Err(ListeningRefused::Already);
        }
        let beside = table.listening.values();
        let beside = beside.filter(|one| one.listening.call == *call).count();
        let starting = table.starting.values().filter(|of| *of == call).count();
        if beside + starting >= LISTENERS_MAX {
            return Err(ListeningRefused::Full);
        }
        table.starting.insert(listener.clone(), call.clone());
        Ok(())
    }

    fn of_call(&self, call: &CallId) -> Vec<Listening> {
        let table = self.table();
        let of_call = |one: &&One| one.listening.call == *call;
        let mut found: Vec<Listening> = (table.listening.values().filter(of_call))
            .map(|one| one.listening.clone())
            .collect();
        found.sort_by(|left, right| (left.since, &left.id).cmp(&(right.since, &right.id)));
        found
    }

    fn is_on(&self, leg: &CallId) -> bool {
        self.table().listening.contains_key(leg)
    }
}

fn entry(inner: &Inner, actor: &Actor, action: AuditAction, call: &CallId) -> AuditEntry {
    let now = inner.deps.clock.now();
    AuditEntry::new(now, actor, action, format!("call {call}"))
}

fn may(actor: &Actor, right: Permission) -> Result<(), ListeningRefused> {
    authorize(actor, right, Resource::Installation).map_err(|_| ListeningRefused::NotFound)
}

fn line_refused(error: TelephonyError) -> ListeningRefused {
    match error {
        TelephonyError::NoCall => ListeningRefused::NotFound,
        TelephonyError::Busy => ListeningRefused::Busy,
    }
}

/// The customer may hear nobody beside the agent.
fn is_protected(view: &CallView) -> bool {
    view.capture.is_some() || view.line_protected
}

impl Inner {
    /// Whoever listens with this leg does not any more; nothing happens if nobody did.
    pub(crate) fn listening_ended(&self, leg: &CallId, why: Why) {
        let Some(one) = self.supervisors.table().listening.remove(leg) else {
            return;
        };
        let seconds = crate::now().saturating_duration_since(one.began).as_secs();
        let left = entry(self, &one.actor, AuditAction::CallLeft, &one.listening.call);
        self.audit
            .append(left.with("seconds", seconds).with("why", why.word()));
        if let Some(line) = self.telephony() {
            let _gone = line.end_listening(leg);
        }
        tell_gone(self, &one.listening.listener, leg);
    }

    /// A call is about to be protected: whoever has joined it listens from now on.
    pub(crate) fn end_barges(&self, call: &CallId) {
        let mut table = self.supervisors.table();
        for (leg, one) in &mut table.listening {
            let Listening {
                call: of, voice, ..
            } = &mut one.listening;
            if of == call && *voice == Voice::Both {
                *voice = Voice::Nobody;
                // A line that is too busy to hear it lets the customer hear nobody all the same once it is told to protect the call.
                if let Some(line) = self.telephony() {
                    let _gone_or_busy = line.speak(leg, Voice::Nobody);
                }
                let joined = entry(self, &one.actor, AuditAction::CallJoined, call);
                self.audit
                    .append(joined.with("voice", Voice::Nobody.word()));
            }
        }
    }

    /// Ends what must not go on: rights may have gone, or phones.
    pub(crate) fn look_at_listeners(&self) {
        let snapshot = self.deps.configuration.current();
        let now = crate::now();
        let why = |one: &One| {
            let user = snapshot.user(&one.listening.listener);
            let actor = user.filter(|user| user.enabled);
            let actor = actor.map(|user| snapshot.actor(user));
            let may_be = |right| {
                actor
                    .as_ref()
                    .is_some_and(|actor| may(actor, right).is_ok())
            };
            let is_allowed = may_be(Permission::CallListen) && may_be(one.listening.voice.needs());
            match is_allowed {
                false => Some(Why::Right),
                true if self.handle(&one.listening.call).is_none() => Some(Why::Ended),
                true if !self.phones.is_on(&one.listening.listener, now) => Some(Why::Phone),
                true => None,
            }
        };
        let over: Vec<(CallId, Why)> = (self.supervisors.table().listening.iter())
            .filter_map(|(leg, one)| Some((leg.clone(), why(one)?)))
            .collect();
        for (leg, why) in over {
            self.listening_ended(&leg, why);
        }
    }
}

impl Calls {
    /// A call that an agent has, as the agent sees it.
    async fn running_call(&self, call: &CallId) -> Result<(UserId, CallView), ListeningRefused> {
        let handle = self.inner().handle(call);
        let handle = handle.ok_or(ListeningRefused::NotFound)?;
        let agent = handle.agent.get().ok_or(ListeningRefused::NotFound)?;
        let asked = Self::ask(&handle, |reply| Message::View { reply }).await;
        let view = asked.map_err(|error| {
            if error == DeskError::NotFound {
                ListeningRefused::NotFound
            } else {
                ListeningRefused::Busy
            }
        })?;
        match view.state {
            CallState::Connected | CallState::Held => Ok((agent, view)),
            CallState::Ringing | CallState::Ended => Err(ListeningRefused::NotConnected),
        }
    }

    /// The entry first: what is not in the trail is not done.
    async fn in_trail(&self, entry: AuditEntry) -> Result<(), ListeningRefused> {
        let change = Change::None;
        let recorded = self.inner().deps.store.commit(Audited { change, entry });
        let recorded = recorded.await;
        recorded
            .map(drop)
            .map_err(|_| ListeningRefused::Unrecordable)
    }

    async fn begin(
        &self,
        line: &Arc<dyn Telephony>,
        actor: &Actor,
        call: &CallId,
        agent: &UserId,
    ) -> Result<Listening, ListeningRefused> {
        let inner = self.inner();
        let snapshot = inner.deps.configuration.current();
        let agent = snapshot.user(agent).map(|user| user.name.clone());
        let began = entry(inner, actor, AuditAction::CallListened, call);
        self.in_trail(began.with("agent", agent.unwrap_or_default()))
            .await?;
        let (since, began) = (inner.deps.clock.now(), crate::now());
        let offered = line.listen(call, &actor.user).await;
        let leg = offered.inspect_err(|_| {
            let left = entry(inner, actor, AuditAction::CallLeft, call);
            let why = Why::Phone.word();
            inner.audit.append(left.with("seconds", 0).with("why", why));
        })?;
        let name = snapshot.user(&actor.user);
        let listening = Listening {
            id: leg.clone(),
            call: call.clone(),
            listener: actor.user.clone(),
            name: name.map_or_else(|| actor.name.clone(), |user| user.display_name.clone()),
            since,
            voice: Voice::Nobody,
        };
        let one = One {
            listening: listening.clone(),
            actor: actor.clone(),
            began,
        };
        inner.supervisors.table().listening.insert(leg.clone(), one);
        watch(inner.clone(), leg);
        Ok(listening)
    }
}

/// Looks after a leg until it is over.
fn watch(inner: Arc<Inner>, leg: CallId) {
    let runtime = inner.runtime.clone();
    runtime.spawn(async move {
        while inner.supervisors.is_on(&leg) {
            tokio::time::sleep(LOOK).await;
            inner.look_at_listeners();
        }
    });
}

impl ListeningDesk for Calls {
    fn running<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> Task<'a, Result<Vec<RunningCall>, ListeningRefused>> {
        Box::pin(async move {
            may(actor, Permission::CallListen)?;
            let snapshot = self.inner().deps.configuration.current();
            let mut running = Vec::new();
            for id in self.inner().ids() {
                // A call that ends or is busy just now shows in the next list.
                let Ok((agent, view)) = self.running_call(&id).await else {
                    continue;
                };
                let name = snapshot.user(&agent).map(|user| user.display_name.clone());
                running.push(RunningCall {
                    is_protected: is_protected(&view),
                    began_at: view.began_at,
                    state: view.state,
                    agent_name: name.unwrap_or_default(),
                    agent,
                    caller: view.caller,
                    listeners: self.inner().supervisors.of_call(&id),
                    id,
                });
            }
            running
                .sort_by(|left, right| (left.began_at, &left.id).cmp(&(right.began_at, &right.id)));
            Ok(running)
        })
    }

    fn listen<'a>(
        &'a self,
        actor: &'a Actor,
        tab: &'a str,
        call: &'a CallId,
    ) -> Task<'a, Result<Listening, ListeningRefused>> {
        Box::pin(async move {
            may(actor, Permission::CallListen)?;
            let inner = self.inner();
            inner.phones.check(&actor.user, tab, crate::now())?;
            let line = inner.telephony().ok_or(ListeningRefused::NotFound)?;
            let (agent, _) = self.running_call(call).await?;
            if agent == actor.user {
                return Err(ListeningRefused::OwnCall);
            }
            inner.supervisors.reserve(call, &actor.user)?;
            let begun = self.begin(line, actor, call, &agent).await;
            inner.supervisors.table().starting.remove(&actor.user);
            begun
        })
    }

    fn speak<'a>(
        &'a self,
        actor: &'a Actor,
        leg: &'a CallId,
        voice: Voice,
    ) -> Task<'a, Result<Listening, ListeningRefused>> {
        Box::pin(async move {
            may(actor, Permission::CallListen)?;
            let inner = self.inner();
            let own = |table: &Table| {
                let one = table.listening.get(leg);
                let one = one.filter(|one| one.listening.listener == actor.user);
                one.map(|one| one.listening.call.clone())
            };
            let call = own(&inner.supervisors.table()).ok_or(ListeningRefused::NotFound)?;
            may(actor, voice.needs())?;
            let joined = entry(inner, actor, AuditAction::CallJoined, &call);
            if voice == Voice::Both && is_protected(&self.running_call(&call).await?.1) {
                return Err(ListeningRefused::Protected);
            }
            self.in_trail(joined.with("voice", voice.word())).await?;
            let line = inner.telephony().ok_or(ListeningRefused::NotFound)?;
            let mut table = inner.supervisors.table();
            // Asked while nobody can end barges: a capture that opens from now on ends this one.
            let is_capturing = inner.has_capture(&call);
            let one = table.listening.get_mut(leg);
            let one = one.ok_or(ListeningRefused::NotFound)?;
            if voice == Voice::Both && is_capturing {
                return Err(ListeningRefused::Protected);
            }
            line.speak(leg, voice).map_err(line_refused)?;
            one.listening.voice = voice;
            Ok(one.listening.clone())
        })
    }

    fn leave(&self, actor: &Actor, leg: &CallId) -> Result<(), ListeningRefused> {
        let inner = self.inner();
        let is_own = (inner.supervisors.table().listening.get(leg))
            .is_some_and(|one| one.listening.listener == actor.user);
        if !is_own {
            return Err(ListeningRefused::NotFound);
        }
        inner.listening_ended(leg, Why::Left);
        Ok(())
    }
}
