//! The behaviours that are decided beforehand.
//! Owns: their order.
//! Never: performs one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::behaviour::{Behaviour, Moment};

/// Scripted behaviours that may wait. A script that needs more is refused.
const SCRIPT_MAX: usize = 1_000;

/// Too many scripted behaviours wait; none of the new ones was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {SCRIPT_MAX} scripted behaviours may wait")]
pub struct ScriptFull;

/// Behaviours for the next requests, first come first served.
#[derive(Debug, Default)]
pub(super) struct Script(Mutex<VecDeque<Behaviour>>);

impl Script {
    /// Adds to the end, all or none.
    pub(super) fn extend(&self, next: &[Behaviour]) -> Result<(), ScriptFull> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + next.len() > SCRIPT_MAX {
            return Err(ScriptFull);
        }
        waiting.extend(next);
        Ok(())
    }

    /// Takes the first, if it shows itself at this moment.
    pub(super) fn take(&self, moment: Moment) -> Option<Behaviour> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front_if(|first| first.moment() == moment)
    }
}
