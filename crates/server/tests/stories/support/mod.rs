//! What the stories share: a running house, a client, a walk through a payment.

mod campaign;
mod client;
mod events;
mod freeswitch;
mod house;
mod pbx;
mod recorder;
mod site;
mod srs;
mod telephony;
mod variants;
mod walk;

pub(crate) use campaign::{Kill, campaign, kills};
pub(crate) use client::{Client, Refused};
pub(crate) use events::EventStream;
pub(crate) use freeswitch::{Switch, SwitchFault};
pub(crate) use house::{House, TONEWALL, wait_for};
pub(crate) use pbx::{Pbx, PbxFault};
pub(crate) use recorder::{Fault, Recorder};
pub(crate) use site::{AnotherConsumer, Running, Site};
pub(crate) use srs::{Packet, Srs, SrsFault};
pub(crate) use telephony::{Certificates, Telephony};
pub(crate) use variants::{plain, planted};
pub(crate) use walk::{Capture, change_service, connect, form, new_key, registers, takes_calls};
