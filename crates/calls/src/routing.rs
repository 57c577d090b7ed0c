//! Where an incoming call goes.
//! Owns: the choice of agent, longest idle first, and who is busy.
//! Never: speaks SIP.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::access::{Permission, Resource, User, authorize};
use domain::availability::{Presence, Wish};
use domain::boundary::RouteTarget;
use domain::desktop::Desktop;
use domain::id::{CallId, UserId};
use domain::service::{Route, Service};

use crate::configuration::Snapshot;
use crate::phones::Phones;

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
    /// Its service is closed: it goes elsewhere, and is nobody's.
    pub(crate) is_closed: bool,
}

/// Who is on a call, and since when the others are idle.
#[derive(Default)]
pub(crate) struct Agents(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    /// The calls of everyone who has one.
    busy: HashMap<UserId, BTreeSet<CallId>>,
    since: HashMap<UserId, Instant>,
    /// Of those who have chosen something, or whose call has ended.
    presences: HashMap<UserId, Presence>,
}

impl Idle {
    fn take(&mut self, agent: &UserId, call: &CallId) {
        let calls = self.busy.entry(agent.clone()).or_default();
        calls.insert(call.clone());
    }

    fn is_free(&self, agent: &UserId, now: Instant) -> bool {
        !self.busy.contains_key(agent) && self.takes_calls(agent, now)
    }

    fn takes_calls(&self, agent: &UserId, now: Instant) -> bool {
        let presence = self.presences.get(agent);
        presence.is_none_or(|presence| presence.takes_calls(now))
    }
}

impl Agents {
    /// This call no longer occupies the agent. Once is enough; a second time changes nothing, and is false. After the last one its work begins: none for a
    /// call that was never answered.
    pub(crate) fn release(
        &self,
        agent: &UserId,
        call: &CallId,
        now: Instant,
        work: Duration,
    ) -> bool {
        let mut idle = self.idle();
        let Some(calls) = idle.busy.get_mut(agent) else {
            return false;
        };
        let is_last = calls.remove(call) && calls.is_empty();
        if is_last {
            idle.busy.remove(agent);
            idle.since.insert(agent.clone(), now);
            let presence = idle.presences.entry(agent.clone()).or_default();
            presence.call_ended(now, work);
        }
        is_last
    }

    /// Whether calls ring for an agent.
    pub(crate) fn presence(&self, agent: &UserId) -> Presence {
        let presence = self.idle().presences.get(agent).copied();
        presence.unwrap_or_default()
    }

    /// An agent chose to take calls, or not to.
    pub(crate) fn choose(&self, agent: &UserId, wish: Wish) {
        let mut idle = self.idle();
        let presence = idle.presences.entry(agent.clone()).or_default();
        presence.choose(wish);
    }

    /// The free agent who takes calls and is idle for longest; taken at once, so that two calls never ring one agent.
    fn take_longest_idle(
        &self,
        candidates: Vec<Arc<User>>,
        call: &CallId,
        now: Instant,
    ) -> Option<Arc<User>> {
        let mut idle = self.idle();
        let free = candidates
            .into_iter()
            .filter(|user| idle.is_free(&user.id, now));
        let chosen = free.min_by_key(|user| idle.since.get(&user.id).copied())?;
        idle.take(&chosen.id, call);
        Some(chosen)
    }

    /// Of these agents those who are free and take calls, the one who is idle for longest first.
    pub(crate) fn free_longest_first<'a>(
        &self,
        agents: impl Iterator<Item = &'a UserId>,
        now: Instant,
    ) -> Vec<UserId> {
        let idle = self.idle();
        let free = agents.filter(|agent| idle.is_free(agent, now));
        let mut free: Vec<UserId> = free.cloned().collect();
        free.sort_by_key(|agent| idle.since.get(agent).copied());
        free
    }

    /// The agent whom a call names, also one who is on another call.
    fn take_named(&self, agent: &UserId, call: &CallId, now: Instant) -> Result<(), Refusal> {
        let mut idle = self.idle();
        if !idle.takes_calls(agent, now) {
            return Err(Refusal::Unavailable);
        }
        idle.take(agent, call);
        Ok(())
    }

    /// Any call occupies the agent.
    pub(crate) fn has_call(&self, agent: &UserId) -> bool {
        self.idle().busy.contains_key(agent)
    }

    /// Takes an agent for a call that rings elsewhere, unless another occupies them. Whether they take calls is not asked: they are on it already.
    pub(crate) fn take_only(&self, agent: &UserId, call: &CallId) -> bool {
        let mut idle = self.idle();
        let other = |calls: &BTreeSet<CallId>| calls.iter().any(|one| one != call);
        let is_free = !idle.busy.get(agent).is_some_and(other);
        if is_free {
            idle.take(agent, call);
        }
        is_free
    }

    /// Takes an agent who is on what joins this call, or has called for it; false: this call occupied them before.
    pub(crate) fn take_also(&self, agent: &UserId, call: &CallId) -> bool {
        let mut idle = self.idle();
        let calls = idle.busy.entry(agent.clone()).or_default();
        calls.insert(call.clone())
    }

    /// No call occupies the agent, who takes calls.
    pub(crate) fn is_free(&self, agent: &UserId, now: Instant) -> bool {
        self.idle().is_free(agent, now)
    }

    /// Takes an agent for a call that is to be transferred to them, if they are free.
    pub(crate) fn take_free(&self, agent: &UserId, call: &CallId, now: Instant) -> bool {
        let mut idle = self.idle();
        let is_free = idle.is_free(agent, now);
        if is_free {
            idle.take(agent, call);
        }
        is_free
    }

    /// Whoever a call occupies is free of it, without any work after it.
    pub(crate) fn release_all(&self, call: &CallId, now: Instant) {
        let agents: Vec<UserId> = {
            let idle = self.idle();
            let of_call = idle.busy.iter().filter(|(_, calls)| calls.contains(call));
            of_call.map(|(agent, _)| agent.clone()).collect()
        };
        for agent in agents {
            self.release(&agent, call, now, Duration::ZERO);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Agents that can be rung, and where: in the page of one whose phone is on there, else at the phone that is registered. A page of somebody who takes no
/// calls listens to those of others, and is rung by none.
pub(crate) fn reachable(
    snapshot: &Snapshot,
    phones: &Phones,
    registered: &[String],
) -> Vec<(Arc<User>, RouteTarget)> {
    let now = crate::now();
    let on = phones.on(now);
    let in_page = on.iter().filter_map(|user| {
        let agent = snapshot.user(user).filter(|agent| agent.enabled)?;
        let actor = snapshot.actor(agent);
        authorize(&actor, Permission::CaptureStart, Resource::Installation).ok()?;
        Some((agent.clone(), RouteTarget::Browser { user: user.clone() }))
    });
    let at_phone = registered.iter().filter_map(|phone| {
        let agent = snapshot.user_of_phone(phone)?;
        let user = phone.clone();
        (!on.contains(&agent.id)).then(|| (agent.clone(), RouteTarget::Registered { user }))
    });
    in_page.chain(at_phone).collect()
}

/// Whom a call for the phone of this name rings.
fn named(
    snapshot: &Snapshot,
    phones: &Phones,
    registered: &[String],
    called: &str,
) -> Result<(Option<Arc<User>>, RouteTarget), Refusal> {
    let agent = snapshot.user_of_phone(called).cloned();
    if let Some(agent) = agent
        .as_ref()
        .filter(|agent| phones.is_on(&agent.id, crate::now()))
    {
        let user = agent.id.clone();
        return Ok((Some(agent.clone()), RouteTarget::Browser { user }));
    }
    let user = registered.iter().find(|phone| **phone == called);
    let user = user.ok_or(Refusal::Unavailable)?.clone();
    Ok((agent, RouteTarget::Registered { user }))
}

/// The agent who has all calls of a route that leads out of here.
fn fixed_agent(snapshot: &Snapshot, route: &Route) -> Option<Arc<User>> {
    snapshot.user_named(route.fixed_agent()?).cloned()
}

/// The target of a route that leads out of here.
pub(crate) fn way_out(route: &Route, called: &str) -> Result<RouteTarget, Refusal> {
    match route {
        Route::Uri { uri, address, .. } => {
            let address = address.parse().map_err(|_| Refusal::Misconfigured)?;
            let uri = uri.clone();
            Ok(RouteTarget::Uri { uri, address })
        }
        Route::Trunk { trunk, number, .. } => {
            let number = number.as_deref().unwrap_or(called).to_owned();
            let trunk = trunk.clone();
            Ok(RouteTarget::Trunk { trunk, number })
        }
        Route::Agents { .. } | Route::Registered => Err(Refusal::Misconfigured),
    }
}

/// Chooses the route of a call.
pub(crate) fn choose(
    snapshot: &Snapshot,
    (agents, phones): (&Agents, &Phones),
    registered: &[String],
    (id, called): (&CallId, &str),
) -> Result<Chosen, Refusal> {
    let service = snapshot.service_for(called).ok_or(Refusal::NotFound)?;
    let now = crate::now();
    let (agent, target) = match &service.route {
        Route::Agents { .. } => {
            let mut reachable = reachable(snapshot, phones, registered);
            reachable.retain(|(agent, _)| service.route.is_for(agent));
            let candidates = reachable.iter().map(|(agent, _)| agent.clone()).collect();
            let agent = agents
                .take_longest_idle(candidates, id, now)
                .ok_or(Refusal::Unavailable)?;
            let place = reachable.into_iter().find(|(one, _)| one.id == agent.id);
            let (agent, target) = place.ok_or(Refusal::Unavailable)?;
            (Some(agent), target)
        }
        Route::Registered => named(snapshot, phones, registered, called)?,
        Route::Uri { .. } | Route::Trunk { .. } => {
            let target = way_out(&service.route, called)?;
            (fixed_agent(snapshot, &service.route), target)
        }
    };
    // Agents of `Route::Agents` were taken as they were chosen.
    let is_taken = service.route.leads_to_agents();
    if let Some(agent) = agent.as_ref().filter(|_| !is_taken) {
        agents.take_named(&agent.id, id, now)?;
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
        is_closed: false,
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
        let take = |number| agents.take_longest_idle(vec![kim.clone()], &call(number), now);
        assert!(take(1).is_some());
        agents.release(&kim.id, &call(1), now, Duration::ZERO);
        assert!(take(2).is_some());
        agents.release(&kim.id, &call(1), now, Duration::ZERO);
        assert!(take(3).is_none());
        agents.release(&kim.id, &call(2), now, Duration::ZERO);
        assert!(take(4).is_some());
    }

    #[test]
    fn the_agent_who_is_idle_for_longest_is_chosen() {
        let (agents, now) = (Agents::default(), Instant::now());
        let both = || vec![agent(1), agent(2)];
        let ms = Duration::from_millis;
        for (number, ended) in [(1, 20), (2, 10)] {
            let id = UserId::from_random(number);
            agents.idle().take(&id, &call(number));
            agents.release(&id, &call(number), now + ms(ended), Duration::ZERO);
        }
        let chosen = agents.take_longest_idle(both(), &call(3), now + ms(30));
        assert_eq!(
            chosen.map(|user| user.id.clone()),
            Some(agent(2).id.clone())
        );
    }

    #[test]
    fn nobody_rings_who_is_not_ready_or_works_after_a_call() {
        let (agents, kim, now) = (Agents::default(), agent(1), Instant::now());
        let work = Duration::from_secs(20);
        let take = |number, now| agents.take_longest_idle(vec![kim.clone()], &call(number), now);
        let reason = domain::availability::NotReadyReason::Break;
        agents.choose(&kim.id, Wish::NotReady(reason));
        assert!(take(1, now).is_none());
        agents.choose(&kim.id, Wish::Ready);
        assert!(take(2, now).is_some());
        assert!(agents.release(&kim.id, &call(2), now, work));
        assert!(!agents.release(&kim.id, &call(2), now, work), "only once");
        assert!(take(3, now).is_none());
        let by_name = |number, now| agents.take_named(&kim.id, &call(number), now);
        assert_eq!(by_name(4, now), Err(Refusal::Unavailable));
        assert!(take(5, now + work).is_some());
        assert_eq!(by_name(6, now + work), Ok(()), "a second call of one's own");
    }
}
