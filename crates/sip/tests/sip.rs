//! The engine against itself and against hand-written messages, under a virtual clock.

#[cfg(test)]
mod cases {
    mod basic;
    pub(crate) mod world;
}
