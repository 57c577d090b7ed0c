//! Where an incoming call goes.
//! Owns: the choice of agent, longest idle first, and who is busy.
//! Never: speaks SIP.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use domain::access::User;
use domain::boundary::{IncomingCall, RouteTarget};
use domain::desktop::Desktop;
use domain::id::{CallId, UserId};
use domain::service::{Route, Service};

use crate::configuration::Snapshot;

/// Why a call is refused, as a SIP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No service takes the number.
    NotFound,
    /// Nobody is free, or the one asked for is not registered.
    Unavailable,
    /// The service's route cannot be used.
    Misconfigured,
}

impl Refusal {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Unavailable => 480,
            Self::Misconfigured => 500,
        }
    }
}

/// A chosen route.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) service: Arc<Service>,
    pub(crate) desktop: Option<Arc<Desktop>>,
    pub(crate) agent: Option<Arc<User>>,
    pub(crate) target: RouteTarget,
}

/// Who is on a call, and since when the others are idle.
#[derive(Default)]
pub(crate) struct Agents(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    /// The calls of everyone who has one.
    busy: HashMap<UserId, BTreeSet<CallId>>,
    since: HashMap<UserId, Instant>,
}

impl Idle {
    fn take(&mut self, agent: &UserId, call: &CallId) {
        let calls = self.busy.entry(agent.clone()).or_default();
        calls.insert(call.clone());
    }
}

impl Agents {
    /// This call no longer occupies the agent. Once is enough; a second time changes nothing.
    pub(crate) fn release(&self, agent: &UserId, call: &CallId, now: Instant) {
        let mut idle = self.idle();
        let Some(calls) = idle.busy.get_mut(agent) else {
            return;
        };
        if calls.remove(call) && calls.is_empty() {
            idle.busy.remove(agent);
            idle.since.insert(agent.clone(), now);
        }
    }

    /// The free agent who is idle for longest; taken at once, so that two calls never ring one agent.
    fn take_longest_idle(&self, candidates: Vec<Arc<User>>, call: &CallId) -> Option<Arc<User>> {
        let mut idle = self.idle();
        let free = candidates
            .into_iter()
            .filter(|user| !idle.busy.contains_key(&user.id));
        let chosen = free.min_by_key(|user| idle.since.get(&user.id).copied())?;
        idle.take(&chosen.id, call);
        Some(chosen)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Chooses the route of a call.
pub(crate) fn choose(
    snapshot: &Snapshot,
    agents: &Agents,
    registered: &[String],
    call: &IncomingCall,
) -> Result<Chosen, Refusal> {
    let service = snapshot
        .service_for(&call.called)
        .ok_or(Refusal::NotFound)?;
    let (agent, target) = match &service.route {
        Route::Agents => {
            let candidates = registered
                .iter()
                .filter_map(|phone| snapshot.user_of_phone(phone))
                .cloned()
                .collect();
            let agent = agents
                .take_longest_idle(candidates, &call.id)
                .ok_or(Refusal::Unavailable)?;
            let user = agent.phone.clone().ok_or(Refusal::Misconfigured)?;
            (Some(agent), RouteTarget::Registered { user })
        }
        Route::Registered => {
            let user = registered
                .iter()
                .find(|phone| **phone == call.called)
                .ok_or(Refusal::Unavailable)?;
            let agent = snapshot.user_of_phone(user).cloned();
            (agent, RouteTarget::Registered { user: user.clone() })
        }
        Route::Uri {
            uri,
            address,
            agent,
        } => {
            let address = address.parse().map_err(|_| Refusal::Misconfigured)?;
            (
                snapshot.user_named(agent).cloned(),
                RouteTarget::Uri {
                    uri: uri.clone(),
                    address,
                },
            )
        }
    };
    if let Some(agent) = &agent {
        agents.idle().take(&agent.id, &call.id);
    }
    let desktop = agent
        .as_ref()
        .and_then(|user| user.desktop.as_ref())
        .unwrap_or(&service.desktop);
    let desktop = snapshot.desktop(desktop).cloned();
    Ok(Chosen {
        service: service.clone(),
        desktop,
        agent,
        target,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: u128) -> Arc<User> {
        Arc::new(User {
            name: format!("agent{number}"),
            ..User::blank(UserId::from_random(number))
        })
    }

    fn call(number: u128) -> CallId {
        CallId::from_random(number)
    }

    #[test]
    fn the_late_end_of_an_old_call_does_not_free_an_agent_on_a_new_one() {
        let (agents, kim, now) = (Agents::default(), agent(1), Instant::now());
        let take = |number| agents.take_longest_idle(vec![kim.clone()], &call(number));
        assert!(take(1).is_some());
        agents.release(&kim.id, &call(1), now);
        assert!(take(2).is_some());
        agents.release(&kim.id, &call(1), now);
        assert!(take(3).is_none());
        agents.release(&kim.id, &call(2), now);
        assert!(take(4).is_some());
    }

    #[test]
    fn the_agent_who_is_idle_for_longest_is_chosen() {
        let (agents, now) = (Agents::default(), Instant::now());
        let both = || vec![agent(1), agent(2)];
        let ms = std::time::Duration::from_millis;
        for (number, ended) in [(1, 20), (2, 10)] {
            let id = UserId::from_random(number);
            agents.idle().take(&id, &call(number));
            agents.release(&id, &call(number), now + ms(ended));
        }
        let chosen = agents.take_longest_idle(both(), &call(3));
        assert_eq!(
            chosen.map(|user| user.id.clone()),
            Some(agent(2).id.clone())
        );
    }
}
