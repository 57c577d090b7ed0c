//! The store, on both databases.
//!
//! Every test named in `on_both!` runs on a new SQLite file and on a new database of a PostgreSQL server that the tests start.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do without fails the test"
)]
#[macro_use]
mod both;
mod audit;
mod crash;
mod designs;
mod documents;
mod evidence;
mod faults;
mod follow_ups;
mod ledger;
mod passwords;
mod place;
mod recordings;
mod schema;
mod sounds;
mod writing;
