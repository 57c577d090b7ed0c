//! What the process takes away from whoever gets at it.
//! Owns: no core dumps, no ptrace by other processes of the same user.
//! Never: fails a start because a system lacks a knob; it says so.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Takes core dumps away; before anything secret is in memory. Yields what could not be done.
pub(crate) fn apply() -> Vec<String> {
    let mut missing = Vec::new();
    // A core limit of 0 does not stop a pipe handler; not being dumpable does.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        missing.push(format!("memory stays dumpable: {error}"));
    }
    if let Err(error) = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    ) {
        missing.push(format!("core dumps stay possible: {error}"));
    }
    missing
}
