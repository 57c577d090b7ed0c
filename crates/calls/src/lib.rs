//! One task per running call.
//! Owns: the call, its capture session and its arena slot; the payment reconciler.
//! Never: opens a socket, speaks HTTP or SQL; it reaches the world through `domain::boundary`.
//! Start reading at: `task`.

mod arrival;
mod asking;
mod audit;
mod buttons;
mod charge;
mod codes;
pub mod configuration;
mod consumer;
mod controls;
mod desk;
mod dial;
mod drain;
mod events;
mod follow_up;
mod hours;
mod live;
mod mask;
mod numbers;
mod open_capture;
mod owner;
mod pairing;
mod pairing_desk;
mod patience;
mod phone_desk;
mod phones;
mod queue;
mod read_out;
mod reconcile;
mod recording;
mod referral;
mod routing;
mod signals;
mod span;
mod supervisors;
mod task;
#[cfg(test)]
mod tests;
mod transfer;
mod waiting;
mod withheld;

pub use asking::Asking;
pub use charge::{BeginPlan, ChargeRun, PROGRESS_MAX, Progress};
pub use desk::{Calls, Deps};
pub use follow_up::close_open_follow_ups;
pub use queue::QueueCounts;
pub use reconcile::close_open_attempts;

/// The present by the runtime's clock, which is the system's; tests can stop and move it.
fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}
