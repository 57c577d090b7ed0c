//! What the agent keys on their own phone, where somebody waits for it: a pairing code.
//! Owns: when the agent's keys are reported, and that nothing of them reaches the consumer meanwhile (S31).
//! Never: counts one of them as the consumer's; hears them unless asked to.

use std::time::Instant;

use secret::Key;

use super::Relay;
use super::keys::Tally;
use super::output::Outputs;
use crate::dtmf::inband::InbandDigit;

impl Relay {
    /// The agent's keys are put out as [`super::Output::AgentKey`] and swallowed, or no longer are. The mask of the agent's audio is left once no key has sounded
    /// for a while: the last one may be held down yet.
    pub(super) fn hear_agent(&mut self, now: Instant, on: bool) {
        if !on {
            if let Some(mut keys) = self.agent_keys.take() {
                keys.clear();
                self.let_agent_mask_go();
            }
            return;
        }
        if self.agent_keys.is_none() {
            let negotiated = self.sides.agent.plan.telephone_event_in.is_some();
            self.agent_keys = Some(Box::new(Tally::of_agent(negotiated)));
            self.sides.consumer.close_event(&mut self.outputs);
        }
        self.mask_agent(now);
    }

    /// Protection holds on to the mask as well.
    fn let_agent_mask_go(&mut self) {
        if self.guard.is_protecting() {
            return;
        }
        if let Some(mask) = &mut self.agent_mask {
            mask.leave_when_quiet();
        }
    }

    /// The agent's phone sent events, the newest of which begins at `newest`. Whether they are swallowed; what is left of one that was stays so.
    pub(super) fn swallows_agent_event(&mut self, newest: u64) -> bool {
        if self.agent_keys.is_some() {
            self.agent_event_swallowed = self.agent_event_swallowed.max(newest);
        }
        newest <= self.agent_event_swallowed
    }

    /// A key of an event of the agent's that began at `start`.
    pub(super) fn note_agent_event_key(&mut self, now: Instant, key: Key, start: u64) {
        if let Some(keys) = &mut self.agent_keys {
            keys.note_event(now, key, start, &mut self.outputs);
        }
    }

    /// A key of the agent's by INFO.
    pub(super) fn note_agent_info(&mut self, now: Instant, key: Key) {
        self.guard.tally.note_agent_key(key, now);
        let present = self.sides.agent.ingress.resume_ts(now, 0);
        if let Some(keys) = &mut self.agent_keys {
            keys.note_info(now, key, present, &mut self.outputs);
        }
    }
}

/// A key in the agent's audio: its echo is known to the consumer's count, and whoever waits for it gets it.
pub(super) fn note_agent_digit(
    now: Instant,
    digit: &InbandDigit,
    of_consumer: &mut Tally,
    of_agent: Option<&mut Tally>,
    outputs: &mut Outputs,
) {
    of_consumer.note_agent_key(digit.key, now);
    if let Some(keys) = of_agent {
        keys.note_audio(now, digit, outputs);
    }
}
