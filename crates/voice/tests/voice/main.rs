//! Calls through a node over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step of a test is its failure"
)]

mod page;
mod phone;
mod scene;
mod srtp;
mod talker;

mod browsers;
mod closed;
mod codecs;
mod controls;
mod dial;
mod listening;
mod names;
mod noise;
mod pairing;
mod protection;
mod referral;
mod rules;
mod secured;
mod signalling;
mod streams;
mod tls;
mod transfer;
mod trunks;
mod waiting;
mod weight;
