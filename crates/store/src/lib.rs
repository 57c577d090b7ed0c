//! SQLite and PostgreSQL behind one trait per noun.
//! Owns: rows, versions, migrations, the audit chain, envelope encryption.
//! Never: decides a business rule or lets a transaction type out.
//! Start reading at: `Database`.
//!
//! All writing goes through one task per database, which batches what waits into one transaction
//! with a savepoint per change. Reading goes through a small pool. The traits that [`Database`]
//! implements are in `domain::boundary`.

mod approval;
mod audit;
mod connector;
mod database;
mod deletion;
mod designer;
mod desktop;
mod document;
mod evidence;
mod failure;
mod follow_up;
mod history;
mod key;
mod narrowing;
mod payment;
mod proposal;
mod recording;
mod recording_key;
mod role;
mod routing;
mod seal;
mod service;
mod settings;
mod sound;
mod user;
mod writer;

pub use database::{Database, KeyRotation, StoreConfig};
pub use evidence::{EVIDENCE_BYTES_MAX, EvidenceError, verify_evidence};
pub use key::{EnvelopeKeySource, KeyFile, KeyFileError};
pub use recording_key::RecordingKey;
pub use writer::Activity;
