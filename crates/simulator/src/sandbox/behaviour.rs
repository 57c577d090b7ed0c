//! What the sandbox can be made to do.
//! Owns: the behaviours, the script, and the amounts that mean one.
//! Never: answers a request.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Scripted behaviours that may wait. A script that needs more is refused.
const SCRIPT_MAX: usize = 1_000;

/// One answer, or the lack of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Charges and says so.
    Approve,
    /// Charges, waits, and says so.
    ApproveAfter {
        /// How long it waits.
        delay_ms: u32,
    },
    /// Charges and repeats the card number in its text.
    ApproveWithEcho,
    /// Declines.
    Decline,
    /// Declines and repeats the parameter `description` in its text.
    DeclineWithDescription,
    /// Declines with "Do not honour".
    DoNotHonour,
    /// Reads the request and never answers.
    NeverAnswer,
    /// Charges and never answers.
    ChargeThenNeverAnswer,
    /// Charges and resets the connection.
    ChargeThenReset,
    /// Answers 200 with a body that is none of the types.
    Garbage,
    /// Answers 500.
    ServerError,
    /// Answers 401.
    Unauthorised,
}

impl Behaviour {
    /// What an amount such as "120.05" means.
    pub(super) fn of_amount(amount: &str) -> Self {
        match amount.rsplit_once('.').map_or("", |(_, cents)| cents) {
            "05" => Self::Decline,
            "54" => Self::DoNotHonour,
            "91" => Self::NeverAnswer,
            "92" => Self::ChargeThenNeverAnswer,
            "93" => Self::Garbage,
            "94" => Self::ServerError,
            "95" => Self::ChargeThenReset,
            "96" => Self::Unauthorised,
            "97" => Self::ApproveWithEcho,
            _ => Self::Approve,
        }
    }

    /// Whether money moves.
    pub(super) fn charges(self) -> bool {
        match self {
            Self::Approve
            | Self::ApproveAfter { .. }
            | Self::ApproveWithEcho
            | Self::ChargeThenNeverAnswer
            | Self::ChargeThenReset => true,
            Self::Decline
            | Self::DeclineWithDescription
            | Self::DoNotHonour
            | Self::NeverAnswer
            | Self::Garbage
            | Self::ServerError
            | Self::Unauthorised => false,
        }
    }

    /// How long it waits before it answers.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::ApproveAfter { delay_ms } => Duration::from_millis(delay_ms.into()),
            _ => Duration::ZERO,
        }
    }
}

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

    /// Takes the first.
    pub(super) fn take(&self) -> Option<Behaviour> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    }
}
