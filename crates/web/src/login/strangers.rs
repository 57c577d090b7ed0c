//! Failed logins under names that nobody has.
//! Owns: a lock-out like that of real accounts, so that the answers tell nobody which names exist.
//! Never: keeps a name; a password typed into the wrong box may be one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::LoginKey;
use crate::api::login::{FAILURES_MAX, LOCK};

/// Names watched. At the limit all are forgotten: then the answers of a flooded server tell a little.
const NAMES_MAX: usize = 4_096;

/// Failures by the hash of a name.
pub(crate) struct Strangers(Mutex<HashMap<LoginKey, (u32, Instant)>>);

impl Strangers {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Counts a failure; true if the name would be locked.
    pub(crate) fn failed(&self, name: &str, now: Instant) -> bool {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= NAMES_MAX {
            table.clear();
        }
        let (failures, last) = table.entry(super::key_of(name)).or_insert((0, now));
        let locked = *failures >= FAILURES_MAX;
        if locked && now.saturating_duration_since(*last) >= LOCK {
            (*failures, *last) = (1, now);
            return false;
        }
        if !locked {
            (*failures, *last) = (*failures + 1, now);
        }
        locked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_locks_like_any_other() {
        let (strangers, now) = (Strangers::new(), Instant::now());
        for _ in 0..FAILURES_MAX {
            assert!(!strangers.failed("nobody", now));
        }
        assert!(strangers.failed("nobody", now));
        assert!(!strangers.failed("somebody", now));
        assert!(!strangers.failed("nobody", now + LOCK));
    }
}
