//! Where an incoming call goes.
//! Owns: the choice of agent, longest idle first, and who is busy.
//! Never: speaks SIP.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use domain::access::User;
use domain::boundary::{IncomingCall, RouteTarget};
use domain::desktop::Desktop;
use domain::id::UserId;
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
    busy: HashSet<UserId>,
    since: HashMap<UserId, Instant>,
}

impl Agents {
    /// The agent's call is over.
    pub(crate) fn release(&self, agent: &UserId, now: Instant) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.busy.remove(agent);
        idle.since.insert(agent.clone(), now);
    }

    /// The free agent who is idle for longest; taken at once, so that two calls never ring one agent.
    fn take_longest_idle(&self, candidates: Vec<Arc<User>>) -> Option<Arc<User>> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = candidates
            .into_iter()
            .filter(|user| !idle.busy.contains(&user.id));
        let chosen = free.min_by_key(|user| idle.since.get(&user.id).copied())?;
        idle.busy.insert(chosen.id.clone());
        Some(chosen)
    }

    fn take(&self, user: &UserId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .busy
            .insert(user.clone());
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
                .take_longest_idle(candidates)
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
        agents.take(&agent.id);
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
