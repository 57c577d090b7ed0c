//! Recordings on a real file system.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test cannot do without fails the test"
)]

mod foreign;
mod full;
mod killed;
mod support;
mod writing;
