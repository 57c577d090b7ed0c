//! What the tests of all rooms share.
//! Owns: virtual time and network, canaries, the leak scanner, databases as child processes.
//! Never: ships.
//! Start reading at: `leak_scan`.

pub mod canary;
pub mod leak_scan;
pub mod postgres;
