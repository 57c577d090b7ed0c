//! Behaviour of the machine.

mod advanced;
mod harness;
