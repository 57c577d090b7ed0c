//! What an agent does with a call, beside ending it and taking payments.
//! Owns: when muting, holding and keys are possible, and how fast keys may come.
//! Never: keeps a key, counts one, or lets the capture see it.

use std::time::{Duration, Instant};

use domain::access::Actor;
use domain::boundary::TelephonyError;
use domain::capture::Event;
use domain::control::{CallControl, KEY_TIME};
use domain::view::{ButtonDisabled, CallState, CallView, DeskError};
use secret::Key;

use crate::task::CallTask;

/// Keys that an agent may be ahead of the line by: as many as anybody keys in a row without listening. The telephone side keeps twice as many.
const KEYS_AHEAD_MAX: u32 = 16;

/// How far the line is behind the keys that were sent. It knows none of them.
#[derive(Debug, Default)]
pub(crate) struct Keypad {
    busy_until: Option<Instant>,
}

impl Keypad {
    /// Takes a key, or says that too many wait.
    fn take(&mut self, now: Instant) -> Result<(), DeskError> {
        let free_at = self.busy_until.map_or(now, |until| until.max(now));
        if free_at.duration_since(now) + KEY_TIME > ahead_max() {
            return Err(DeskError::Busy);
        }
        self.busy_until = Some(free_at + KEY_TIME);
        Ok(())
    }
}

fn ahead_max() -> Duration {
    KEY_TIME * KEYS_AHEAD_MAX
}

pub(crate) fn refused(error: TelephonyError) -> DeskError {
    match error {
        TelephonyError::NoCall => DeskError::NotFound,
        TelephonyError::Busy => DeskError::Busy,
    }
}

impl CallTask {
    pub(crate) fn control(
        &mut self,
        actor: Actor,
        control: CallControl,
    ) -> Result<CallView, DeskError> {
        if !self.call.is_up() {
            return Err(DeskError::Disabled(ButtonDisabled::NotConnected));
        }
        match control {
            CallControl::Mute(on) => self.mute_agent(on)?,
            CallControl::Hold(_) if self.transfer.is_some() => return Err(DeskError::Transfer),
            CallControl::Hold(on) => self.hold(on)?,
            CallControl::Record(on) => self.record(&actor, on)?,
            CallControl::SendKey(key) => self.send_key(key)?,
            CallControl::Transfer { to, discard } => self.transfer(actor, &to, discard)?,
            CallControl::CancelTransfer => self.cancel_transfer()?,
        }
        Ok(self.view())
    }

    fn mute_agent(&mut self, on: bool) -> Result<(), DeskError> {
        let id = self.call.id();
        self.telephony.mute_agent(id, on).map_err(refused)?;
        self.call.agent_muted(on);
        self.publish_call();
        Ok(())
    }

    pub(crate) fn hold(&mut self, on: bool) -> Result<(), DeskError> {
        self.telephony.hold(self.call.id(), on).map_err(refused)?;
        let before = self.call.state();
        self.call.held_by_agent(on);
        self.heed_hold(before);
        Ok(())
    }

    /// A phone holds the call, or does not any more.
    pub(crate) fn held_by_phone(&mut self, held: bool) {
        let before = self.call.state();
        self.call.held_by_phone(held);
        self.heed_hold(before);
    }

    /// A capture pauses while the call is held by anyone.
    fn heed_hold(&mut self, before: CallState) {
        let state = self.call.state();
        if state != before {
            self.capture_event(Event::CallHeld(state == CallState::Held));
        }
        self.publish_call();
    }

    /// Sends a key towards the consumer. While a capture is open none is (S31): nothing that sounds like a key is the agent's then.
    fn send_key(&mut self, key: Key) -> Result<(), DeskError> {
        if self.call.state() == CallState::Held {
            return Err(DeskError::Disabled(ButtonDisabled::OnHold));
        }
        if self.open.is_some() {
            return Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
        }
        self.keypad.take(crate::now())?;
        self.telephony
            .send_key(self.call.id(), key)
            .map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_keys_a_second_pass_for_ever_and_sixteen_at_once() {
        let (mut keypad, mut now) = (Keypad::default(), Instant::now());
        for _ in 0..16 {
            assert_eq!(keypad.take(now), Ok(()));
        }
        assert_eq!(keypad.take(now), Err(DeskError::Busy));
        for _ in 0..100 {
            now += KEY_TIME;
            assert_eq!(keypad.take(now), Ok(()));
            assert_eq!(keypad.take(now), Err(DeskError::Busy));
        }
    }
}
