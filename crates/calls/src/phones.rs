//! Phones in agents' pages.
//! Owns: which tab of an agent has the phone, and until when.
//! Never: knows a description; that is between the tab and the telephone side.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::boundary::{Audience, LiveEvent, PHONE_ON_S, PhoneRefused, RouteTarget};
use domain::id::{CallId, UserId};
use serde_json::{Value, json};

use crate::desk::Inner;
use crate::task::CallTask;

/// A tab that has its agent's phone.
struct Holder {
    tab: String,
    until: Instant,
}

#[derive(Default)]
struct Table {
    on: HashMap<UserId, Holder>,
    tests: HashMap<CallId, UserId>,
}

/// What became of a tab's wish for the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It had it already.
    Kept,
    /// It has it from now on; nobody had.
    New,
    /// Another had it, and is to be told.
    FromAnother,
}

/// Which tabs have phones.
#[derive(Default)]
pub(crate) struct Phones(Mutex<Table>);

impl Phones {
    /// The tab has its agent's phone for a while from now on, unless another has it and is not to lose it.
    pub(crate) fn take(
        &self,
        agent: &UserId,
        tab: &str,
        take_over: bool,
        now: Instant,
    ) -> Result<Taken, PhoneRefused> {
        let mut table = self.table();
        let former = table.on.get(agent).filter(|holder| now < holder.until);
        let taken = match former {
            Some(holder) if holder.tab == tab => Taken::Kept,
            Some(_) if !take_over => return Err(PhoneRefused::Elsewhere),
            Some(_) => Taken::FromAnother,
            None => Taken::New,
        };
        let holder = Holder {
            tab: tab.to_owned(),
            until: now + Duration::from_secs(PHONE_ON_S.into()),
        };
        table.on.insert(agent.clone(), holder);
        Ok(taken)
    }

    /// False if it had it not.
    pub(crate) fn give_up(&self, agent: &UserId, tab: &str) -> bool {
        let mut table = self.table();
        let is_theirs = table.on.get(agent).is_some_and(|holder| holder.tab == tab);
        is_theirs && table.on.remove(agent).is_some()
    }

    /// Only the tab that has the phone may act with it.
    pub(crate) fn check(
        &self,
        agent: &UserId,
        tab: &str,
        now: Instant,
    ) -> Result<(), PhoneRefused> {
        let table = self.table();
        let holder = table.on.get(agent).filter(|holder| now < holder.until);
        match holder {
            Some(holder) if holder.tab == tab => Ok(()),
            Some(_) | None => Err(PhoneRefused::Elsewhere),
        }
    }

    pub(crate) fn is_on(&self, agent: &UserId, now: Instant) -> bool {
        let table = self.table();
        table.on.get(agent).is_some_and(|holder| now < holder.until)
    }

    /// Agents whose phones are on, in the order of their identities.
    pub(crate) fn on(&self, now: Instant) -> Vec<UserId> {
        let table = self.table();
        let on = table.on.iter().filter(|(_, holder)| now < holder.until);
        let mut on: Vec<UserId> = on.map(|(agent, _)| agent.clone()).collect();
        on.sort();
        on
    }

    pub(crate) fn test_begins(&self, call: CallId, agent: UserId) {
        self.table().tests.insert(call, agent);
    }

    /// Whose test it was; none if it is none.
    pub(crate) fn test_ends(&self, call: &CallId) -> Option<UserId> {
        self.table().tests.remove(call)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells an agent's pages of their phone.
fn tell(inner: &Inner, agent: &UserId, body: Value) {
    inner.deps.bus.publish(LiveEvent {
        audience: Audience::User(agent.clone()),
        topic: "phone",
        body,
    });
}

/// A call rings in the agent's page.
pub(crate) fn tell_ring(inner: &Inner, agent: &UserId, call: &CallId) {
    tell(inner, agent, json!({"kind": "ring", "call": call}));
}

/// A call that the agent makes rings in their page, which takes it at once: it was asked for there, or for them.
pub(crate) fn tell_dialled(inner: &Inner, agent: &UserId, call: &CallId) {
    tell(
        inner,
        agent,
        json!({"kind": "ring", "call": call, "dialled": true}),
    );
}

/// A call is the agent's page's no more.
pub(crate) fn tell_gone(inner: &Inner, agent: &UserId, call: &CallId) {
    tell(inner, agent, json!({"kind": "gone", "call": call}));
}

/// Another tab, this one, has the phone from now on.
pub(crate) fn tell_taken(inner: &Inner, agent: &UserId, tab: &str) {
    tell(inner, agent, json!({"kind": "taken", "instance": tab}));
}

/// Whose page it is; none: it is no page.
pub(crate) fn browser_of(target: &RouteTarget) -> Option<UserId> {
    match target {
        RouteTarget::Browser { user } => Some(user.clone()),
        RouteTarget::Registered { .. } | RouteTarget::Uri { .. } | RouteTarget::Trunk { .. } => {
            None
        }
    }
}

impl CallTask {
    pub(crate) fn tell_browser_ring(&self) {
        if let Some(agent) = &self.browser {
            tell_ring(&self.inner, agent, self.call.id());
        }
    }

    pub(crate) fn tell_browser_gone(&mut self) {
        if let Some(agent) = self.browser.take() {
            tell_gone(&self.inner, &agent, self.call.id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Duration = Duration::from_secs(PHONE_ON_S as u64);

    #[test]
    fn one_tab_has_the_phone_until_it_falls_silent_or_another_takes_it() {
        let (phones, kim, now) = (Phones::default(), UserId::from_random(1), Instant::now());
        let take = |tab, take_over, now| phones.take(&kim, tab, take_over, now);
        assert_eq!(take("one", false, now), Ok(Taken::New));
        assert_eq!(take("one", false, now + ON / 2), Ok(Taken::Kept));
        assert_eq!(take("two", false, now + ON), Err(PhoneRefused::Elsewhere));
        assert_eq!(
            phones.check(&kim, "two", now + ON),
            Err(PhoneRefused::Elsewhere)
        );
        assert_eq!(take("two", true, now + ON), Ok(Taken::FromAnother));
        assert_eq!(
            phones.check(&kim, "one", now + ON),
            Err(PhoneRefused::Elsewhere)
        );
        assert_eq!(phones.check(&kim, "two", now + ON), Ok(()));
        assert!(phones.is_on(&kim, now + ON));
        assert!(!phones.is_on(&kim, now + ON * 2), "it has fallen silent");
        assert!(phones.on(now + ON * 2).is_empty());
        assert_eq!(take("one", false, now + ON * 2), Ok(Taken::New));
    }

    #[test]
    fn a_tab_gives_up_its_own_phone_only() {
        let (phones, kim, now) = (Phones::default(), UserId::from_random(1), Instant::now());
        phones.take(&kim, "one", false, now).unwrap();
        assert!(!phones.give_up(&kim, "two"));
        assert!(phones.is_on(&kim, now));
        assert!(phones.give_up(&kim, "one"));
        assert!(!phones.is_on(&kim, now) && !phones.give_up(&kim, "one"));
    }
}
