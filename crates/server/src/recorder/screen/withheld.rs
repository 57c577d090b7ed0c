//! Whose screens may show a Basic value of a call, so that those of their other calls are not recorded (S12).
//! Owns: which call withholds the screens of which agent.
//! Never: asks a page; a screen does, as long as it is withheld.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::{CallId, UserId};

/// By call, whose capture has one agent at a time.
#[derive(Default)]
pub(super) struct Withheld(Mutex<HashMap<CallId, UserId>>);

impl Withheld {
    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, call: &CallId, agent: &UserId, on: bool) {
        match on {
            true => self.calls().insert(call.clone(), agent.clone()),
            false => self.calls().remove(call),
        };
    }

    /// Who has a call that is over.
    pub(super) fn forget(&self, call: &CallId) -> Option<UserId> {
        self.calls().remove(call)
    }

    /// Whether another call than this one may be seen on the agent's screen.
    pub(super) fn is_withheld(&self, agent: &UserId, call: &CallId) -> bool {
        let calls = self.calls();
        let mut others = calls.iter().filter(|(other, _)| *other != call);
        others.any(|(_, whose)| whose == agent)
    }
}
