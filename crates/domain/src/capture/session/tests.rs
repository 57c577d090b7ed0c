//! Behaviour of the machine.

mod basic;
mod charge;
mod diagram;
mod ends;
mod harness;
mod keys;
mod limits;
mod party;
mod protection;
mod random;
mod routing;
mod table;
mod walk;
