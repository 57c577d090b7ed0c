//! Callers who wait for an agent, of all services.
//! Owns: the line, who is told of it, and when it is looked at.
//! Never: speaks to the telephone side of a call: its task does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::access::{Actor, Permission, Resource, User, authorize};
use domain::boundary::{Audience, LiveEvent, QueueDesk, RouteTarget};
use domain::id::{CallId, ServiceId, UserId};
use domain::pairing::masked;
use domain::queue::line::{Line, Turn as LineTurn};
use domain::queue::{Queue as Settings, QueueView, WaitingCall};
use domain::service::Service;
use domain::time::UnixMillis;
use domain::view::DeskError;
use tokio::sync::{Notify, mpsc};

use crate::desk::{Calls, Inner};
use crate::routing::reachable;

/// Between two looks at the line while somebody waits. Agents who become free are noticed at once; this is for those whose work after a call is over, and for
/// waits that are.
const LOOK: Duration = Duration::from_millis(500);

/// Turns that may wait for one call's task: an agent and, before that was heard, the end of the wait.
const TURNS_MAX: usize = 4;

/// What a call that waits is told.
pub(crate) enum Turn {
    /// This agent's phone is to ring.
    Ring(Arc<User>, RouteTarget),
    /// It has waited for long enough.
    Over,
}

/// Where a call that waits is reached, and what of it is shown.
struct Door {
    turns: mpsc::Sender<Turn>,
    came: Instant,
    since: UnixMillis,
    service_name: String,
    caller: String,
}

#[derive(Default)]
struct State {
    line: Line,
    doors: HashMap<CallId, Door>,
    /// A task looks at the line from time to time.
    is_looked_after: bool,
    /// What pages were told last.
    told: QueueView,
}

/// Who waits, and what has become of those who did.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    stirred: Notify,
    answered: AtomicU64,
    waited_ms: AtomicU64,
    abandoned: AtomicU64,
    overflowed: AtomicU64,
}

/// What metrics show of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    /// Callers who wait now.
    pub waiting: usize,
    /// Those who have waited and were answered.
    pub answered: u64,
    /// How long these have waited in sum.
    pub waited_ms: u64,
    /// Those who have hung up.
    pub abandoned: u64,
    /// Those for whom there was no place, or who have waited for long enough.
    pub overflowed: u64,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody may have become free, or have left: the line is looked at.
    pub(crate) fn stir(&self) {
        self.stirred.notify_one();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state().line.is_empty()
    }

    /// An agent's phone rings for this call, which waits.
    pub(crate) fn rings(&self, call: &CallId) -> bool {
        self.state().line.rings(call)
    }

    /// The phone that rang was not answered.
    pub(crate) fn missed(&self, call: &CallId) {
        self.state().line.missed(call, crate::now());
        self.stir();
    }

    /// A call waits no more; how long it has, if it did.
    fn leave(&self, call: &CallId) -> Option<Duration> {
        let mut state = self.state();
        let door = state.doors.remove(call)?;
        let was_there = state.line.leave(call);
        drop(state);
        self.stir();
        was_there.then(|| crate::now().saturating_duration_since(door.came))
    }

    /// An agent has answered.
    pub(crate) fn was_answered(&self, call: &CallId) {
        if let Some(waited) = self.leave(call) {
            let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            self.answered.fetch_add(1, Ordering::Relaxed);
            self.waited_ms.fetch_add(waited, Ordering::Relaxed);
        }
    }

    /// The call is over; `is_given_up`: the caller has hung up.
    pub(crate) fn gone(&self, call: &CallId, is_given_up: bool) {
        if self.leave(call).is_some() && is_given_up {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Somebody found no place, or has waited for long enough.
    pub(crate) fn note_overflow(&self) {
        self.overflowed.fetch_add(1, Ordering::Relaxed);
    }

    fn counts(&self) -> QueueCounts {
        QueueCounts {
            waiting: self.state().line.len(),
            answered: self.answered.load(Ordering::Relaxed),
            waited_ms: self.waited_ms.load(Ordering::Relaxed),
            abandoned: self.abandoned.load(Ordering::Relaxed),
            overflowed: self.overflowed.load(Ordering::Relaxed),
        }
    }
}

impl State {
    fn view(&self, has_queue: bool) -> QueueView {
        let first = self.line.places().next();
        let first = first.and_then(|place| self.doors.get(place.call));
        QueueView {
            has_queue,
            waiting: u32::try_from(self.line.len()).unwrap_or(u32::MAX),
            since: first.map(|door| door.since),
        }
    }
}

impl Inner {
    /// Somebody who called this service begins to wait; none: as many wait as may. Whoever is free rings at once.
    pub(crate) fn join_queue(
        self: &Arc<Self>,
        (call, number): (&CallId, &str),
        (service, queue): (&Service, &Settings),
    ) -> Option<mpsc::Receiver<Turn>> {
        let (sender, turns) = mpsc::channel(TURNS_MAX);
        let came = crate::now();
        let until = came + Duration::from_secs(queue.wait_s_max.into());
        let door = Door {
            turns: sender,
            came,
            since: self.deps.clock.now(),
            service_name: service.name.clone(),
            caller: masked(number),
        };
        {
            let mut state = self.queue.state();
            let place = (queue.waiting_max, until);
            let joined = state.line.join(call.clone(), service.id.clone(), place);
            joined.ok()?;
            state.doors.insert(call.clone(), door);
            if !std::mem::replace(&mut state.is_looked_after, true) {
                self.runtime.spawn(look_after(self.clone()));
            }
        }
        self.look_at_queue();
        Some(turns)
    }

    /// Gives agents who are free to those who wait, and ends waits that are over.
    pub(crate) fn look_at_queue(&self) {
        let Some(telephony) = self.telephony() else {
            return;
        };
        let (snapshot, now) = (self.deps.configuration.current(), crate::now());
        let reachable = reachable(&snapshot, &self.phones, &telephony.registered());
        let agents = reachable.iter().map(|(agent, _)| &agent.id);
        let free = self.agents.free_longest_first(agents, now);
        let mut state = self.queue.state();
        let by_id: HashMap<&UserId, &User> =
            (reachable.iter().map(|(agent, _)| (&agent.id, &**agent))).collect();
        // By what is configured now: callers do not wait for a group that was given another name. Those of a service that is gone are for any agent.
        let is_for = |service: &ServiceId, agent: &UserId| {
            let service = snapshot.service(service);
            let both = service.zip(by_id.get(agent));
            both.is_none_or(|(service, agent)| service.route.is_for(agent))
        };
        let take = |agent: &_, call: &_| self.agents.take_free(agent, call, now);
        for turn in state.line.turns(now, free, is_for, take) {
            let (call, turn) = match turn {
                LineTurn::Ring(call, agent) => {
                    let mut places = reachable.iter();
                    let place = places.find(|(one, _)| one.id == agent);
                    let Some((agent, target)) = place.cloned() else {
                        continue;
                    };
                    (call, Turn::Ring(agent, target))
                }
                LineTurn::Over(call) => (call, Turn::Over),
            };
            // Whoever is gone leaves the line, and the agent, as their task ends.
            if let Some(door) = state.doors.get(&call) {
                let _gone = door.turns.try_send(turn);
            }
        }
        let view = state.view(snapshot.services.iter().any(|one| one.waiting().is_some()));
        let has_changed = std::mem::replace(&mut state.told, view) != view;
        drop(state);
        if has_changed {
            self.tell_queue(view);
        }
    }

    fn tell_queue(&self, view: QueueView) {
        for right in [Permission::CaptureStart, Permission::CallListen] {
            self.deps.bus.publish(LiveEvent {
                audience: Audience::Holders(right),
                topic: "queue",
                body: serde_json::to_value(view).unwrap_or_default(),
            });
        }
    }
}

/// Looks at the line until nobody waits.
async fn look_after(inner: Arc<Inner>) {
    loop {
        let _woken_or_time = tokio::time::timeout(LOOK, inner.queue.stirred.notified()).await;
        inner.look_at_queue();
        let mut state = inner.queue.state();
        if state.line.is_empty() {
            state.is_looked_after = false;
            return;
        }
    }
}

impl Calls {
    /// Who waits, and what has become of those who did.
    #[must_use]
    pub fn queue_counts(&self) -> QueueCounts {
        self.inner().queue.counts()
    }
}

impl QueueDesk for Calls {
    fn queue(&self, actor: &Actor) -> Result<QueueView, DeskError> {
        let may = |right| authorize(actor, right, Resource::Installation).is_ok();
        if !may(Permission::CaptureStart) && !may(Permission::CallListen) {
            return Err(DeskError::NotFound);
        }
        let snapshot = self.inner().deps.configuration.current();
        let has_queue = snapshot.services.iter().any(|one| one.waiting().is_some());
        Ok(self.inner().queue.state().view(has_queue))
    }

    fn waiting(&self, actor: &Actor) -> Result<Vec<WaitingCall>, DeskError> {
        Self::may(actor, Permission::CallListen)?;
        let state = self.inner().queue.state();
        let shown = (1..).zip(state.line.places()).filter_map(|(place, one)| {
            let door = state.doors.get(one.call)?;
            Some(WaitingCall {
                id: one.call.clone(),
                service: one.service.clone(),
                service_name: door.service_name.clone(),
                place,
                since: door.since,
                caller: door.caller.clone(),
                rings: one.rings,
            })
        });
        Ok(shown.collect())
    }
}
