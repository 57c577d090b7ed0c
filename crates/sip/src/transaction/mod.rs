//! Transactions: who repeats what, until when (RFC 3261 §17, RFC 6026).
//! Owns: matching of messages to transactions, retransmission, the ACK of refused and repeated final answers.
//! Never: knows what a call is.
//! Start reading at: `timer`.

mod client;
mod fingerprint;
mod server;
mod timer;

pub(crate) use client::{ClientId, Clients, Owner};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use server::{Opening, ServerId, ServerKey, Servers};
pub(crate) use timer::{T1, T2, Timer};
