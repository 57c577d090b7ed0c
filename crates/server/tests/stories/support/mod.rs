//! What the stories share: a running house, a client, a walk through a payment.

mod client;
mod events;
mod house;
mod walk;

pub(crate) use client::Client;
pub(crate) use events::EventStream;
pub(crate) use house::{House, TONEWALL};
pub(crate) use walk::{Capture, connect, process};
