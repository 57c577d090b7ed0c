//! The binary `tonewall`.
//! Owns: configuration, wiring, the process's hardening.
//! Never: holds a business rule.
//! Start reading at: [`main`].

fn main() {}
