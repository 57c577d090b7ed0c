//! Who has a call.
//! Owns: that cell, which a call's task writes and the pages' door reads.
//! Never: decides who gets it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::UserId;

/// Whose call it is; nobody's until it is routed to an agent.
#[derive(Default)]
pub(crate) struct Owner(Mutex<Option<UserId>>);

impl Owner {
    pub(crate) fn get(&self) -> Option<UserId> {
        self.lock().clone()
    }

    pub(crate) fn set(&self, agent: Option<&UserId>) {
        *self.lock() = agent.cloned();
    }

    pub(crate) fn is(&self, agent: &UserId) -> bool {
        self.lock().as_ref() == Some(agent)
    }

    fn lock(&self) -> MutexGuard<'_, Option<UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
