//! The engine against itself and against hand-written messages, under a virtual clock.

#[cfg(test)]
mod cases {
    mod admission;
    mod basic;
    mod cancel;
    mod challenges;
    mod changes;
    mod dialogs;
    mod interfaces;
    mod memory;
    mod phones;
    mod probes;
    mod recording;
    mod reliable;
    mod rfc4475;
    mod sessions;
    mod storm;
    mod transactions;
    mod transfers;
    mod updates;
    pub(crate) mod world;
}
