//! Trunks: the ways to a carrier, an SBC or a PBX.
//! Owns: what is known of a place, so that calls are spared those that are not there, and what is said there and how.
//! Never: sends anything or decides which calls go by which trunk.

mod dns;
mod headers;
mod health;
mod numbers;
mod order;

pub(crate) use dns::{Answer, Dns, DnsError};
pub use headers::HeaderRules;
pub(crate) use health::Health;
pub use numbers::{NumberRule, NumberRules};
pub(crate) use numbers::{number_of, rewritten};
pub(crate) use order::drawn;
