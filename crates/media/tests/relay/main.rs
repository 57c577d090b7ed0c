//! A whole relay between two phones, in virtual time.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "these are tests: a broken assumption is to stop them"
)]

mod agent;
mod apart;
mod call;
mod events;
mod flow;
mod listen;
mod mask;
mod memory;
mod model;
mod opus;
mod pace;
mod protection;
mod refused;
mod rough;
mod scene;
mod spectrum;
mod stand_in;
mod succeed;
mod told;
mod twice;
mod wanted;
mod watch;
mod wide;
