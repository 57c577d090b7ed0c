//! Whether an agent takes calls.
//! Owns: the states that an agent chooses, and the one that follows a call.
//! Never: rings anybody; routing asks.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::time::UnixMillis;

/// Longest after-call work: ten minutes.
pub const AFTER_CALL_S_MAX: u16 = 600;

/// Why an agent takes no calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotReadyReason {
    /// A short pause.
    Break,
    /// A meal.
    Meal,
    /// A meeting.
    Meeting,
    /// Training.
    Training,
    /// Work away from the telephone.
    Other,
}

/// What an agent chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(
    rename_all = "snake_case",
    tag = "state",
    content = "reason",
    deny_unknown_fields
)]
pub enum Wish {
    /// Calls may ring.
    Ready,
    /// No call rings, and why.
    NotReady(NotReadyReason),
}

/// How an agent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Availability {
    /// Calls may ring.
    Ready,
    /// No call rings.
    NotReady {
        /// Why.
        reason: NotReadyReason,
    },
    /// A call has ended, and its work goes on: no other call rings until then, or until the agent is ready.
    AfterCall {
        /// When it ends by itself.
        until: UnixMillis,
    },
}

/// What an agent chose, and the work after the agent's last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    wish: Wish,
    after_call: Option<Instant>,
}

impl Default for Presence {
    /// Ready: an agent whose phone is registered and who has said nothing takes calls.
    fn default() -> Self {
        Self {
            wish: Wish::Ready,
            after_call: None,
        }
    }
}

impl Presence {
    /// The agent chose. Ready also ends the work after a call.
    pub fn choose(&mut self, wish: Wish) {
        self.wish = wish;
        self.after_call = None;
    }

    /// The agent's last call has ended; its work takes so long.
    pub fn call_ended(&mut self, now: Instant, work: Duration) {
        self.after_call = (!work.is_zero()).then(|| now + work);
    }

    /// A call may ring.
    #[must_use]
    pub fn takes_calls(&self, now: Instant) -> bool {
        self.wish == Wish::Ready && self.left(now).is_none()
    }

    /// How the agent stands, by both clocks. Not ready outlasts the work after a call.
    #[must_use]
    pub fn view(&self, now: Instant, clock: UnixMillis) -> Availability {
        match (self.wish, self.left(now)) {
            (Wish::NotReady(reason), _) => Availability::NotReady { reason },
            (Wish::Ready, Some(left)) => Availability::AfterCall {
                until: clock.plus_ms(i64::try_from(left.as_millis()).unwrap_or(i64::MAX)),
            },
            (Wish::Ready, None) => Availability::Ready,
        }
    }

    fn left(&self, now: Instant) -> Option<Duration> {
        let left = self.after_call?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: UnixMillis = UnixMillis(1_000_000);
    const WORK: Duration = Duration::from_secs(30);
    const MEAL: Wish = Wish::NotReady(NotReadyReason::Meal);

    #[test]
    fn an_agent_who_has_said_nothing_takes_calls() {
        let (presence, now) = (Presence::default(), Instant::now());
        assert!(presence.takes_calls(now));
        assert_eq!(presence.view(now, CLOCK), Availability::Ready);
    }

    #[test]
    fn after_a_call_no_other_rings_until_its_work_is_over_or_the_agent_is_ready() {
        let (mut presence, now) = (Presence::default(), Instant::now());
        presence.call_ended(now, WORK);
        assert!(!presence.takes_calls(now));
        assert_eq!(
            presence.view(now, CLOCK),
            Availability::AfterCall {
                until: UnixMillis(1_030_000)
            }
        );
        assert!(presence.takes_calls(now + WORK));
        presence.choose(Wish::Ready);
        assert!(presence.takes_calls(now));
        presence.call_ended(now, Duration::ZERO);
        assert!(presence.takes_calls(now));
    }

    #[test]
    fn not_ready_outlasts_a_call_and_its_work() {
        let (mut presence, now) = (Presence::default(), Instant::now());
        presence.choose(MEAL);
        presence.call_ended(now, WORK);
        assert!(!presence.takes_calls(now + WORK));
        let reason = NotReadyReason::Meal;
        assert_eq!(presence.view(now, CLOCK), Availability::NotReady { reason });
        presence.choose(Wish::Ready);
        assert!(presence.takes_calls(now));
    }
}
