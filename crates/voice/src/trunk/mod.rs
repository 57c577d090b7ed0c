//! Trunks: the ways to and from a carrier, an SBC or a PBX.
//! Owns: which place of a trunk is called next, whether it answers, how numbers are written there.
//! Never: opens a socket or decides which calls go by which trunk.

pub mod health;
pub mod hops;
pub mod names;
pub mod numbers;
