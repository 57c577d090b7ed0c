//! What people beside both sides of a call need to know of it.
//! Owns: what each side is sent, and when the consumer may hear a third voice.
//! Never: is heard by them itself: they are given what has left.

use super::Relay;
use super::protection::Stage;
use crate::leg::Leg;
use crate::supervision::{Barging, Sent};

impl Relay {
    /// How the audio of packets for a side is made.
    #[must_use]
    pub fn sent(&self, to: Leg) -> Sent {
        let plan = match to {
            Leg::Consumer => &self.sides.consumer.plan,
            Leg::Agent => &self.sides.agent.plan,
        };
        Sent {
            codec: plan.codec,
            payload_type: plan.payload_type_out,
        }
    }

    /// Whether the consumer may hear somebody beside the agent now: not from the moment on in which protection is asked for until it is left, and not on hold.
    #[must_use]
    pub fn barging(&self) -> Barging {
        let is_open = self.stage == Stage::Open && !self.guard.is_protecting();
        if is_open && self.always_from.is_none() && !self.is_held {
            Barging::Possible
        } else {
            Barging::Refused
        }
    }
}
