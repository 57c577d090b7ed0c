//! End-to-end stories: the built binary, real sockets, real phones, a real gateway over TLS.
//! Owns: what must be true of the whole house.
//! Never: reaches into the server where a page, a phone, an operator or an auditor can look.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, in its helpers too, and prints what it measured"
)]

#[path = "stories/support/mod.rs"]
mod support;

#[path = "stories/asked.rs"]
mod asked;
#[path = "stories/asterisk_recorder.rs"]
mod asterisk_recorder;
#[path = "stories/canary.rs"]
mod canary;
#[path = "stories/dialled.rs"]
mod dialled;
#[path = "stories/external_recorders.rs"]
mod external_recorders;
#[path = "stories/faulty_recorders.rs"]
mod faulty_recorders;
#[path = "stories/first_peaks.rs"]
mod first_peaks;
#[path = "stories/freeswitch_recorder.rs"]
mod freeswitch_recorder;
#[path = "stories/gateway_command.rs"]
mod gateway_command;
#[path = "stories/grouped.rs"]
mod grouped;
#[path = "stories/hours.rs"]
mod hours;
#[path = "stories/killed.rs"]
mod killed;
#[path = "stories/number_pool.rs"]
mod number_pool;
#[path = "stories/once.rs"]
mod once;
#[path = "stories/party.rs"]
mod party;
#[path = "stories/plans.rs"]
mod plans;
#[path = "stories/queued.rs"]
mod queued;
#[path = "stories/recordings.rs"]
mod recordings;
#[path = "stories/referred.rs"]
mod referred;
#[path = "stories/siprec_recorder.rs"]
mod siprec_recorder;
#[path = "stories/starts.rs"]
mod starts;
#[path = "stories/transferred.rs"]
mod transferred;
#[path = "stories/transports.rs"]
mod transports;
