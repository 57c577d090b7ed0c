//! One call's media.
//! Owns: the parts of a relay: order of packets in, frames out, reports, what it asks of its shell.
//! Never: opens a socket or reads a clock.

mod egress;
mod framer;
mod ingress;
mod output;
mod plan;
mod report;
mod timeline;

pub use output::{Output, ProtectionLoss, ProtectionRefusal, RelayEvent};
pub use plan::{DropReason, LegCounters, RelayCounters, RelayPlan};
