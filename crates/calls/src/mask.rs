//! The call's mask, as far as its task decides.
//! Owns: when the mask is asked for and left, the mute; a service that protects whole calls.
//! Never: says that it holds; the telephone side does. Never leaves it while a capture or the service needs it.

use std::time::Duration;

use domain::boundary::{ProtectionRefused, TelephonyError};
use domain::capture::Event;
use domain::id::CaptureId;
use domain::service::ProtectionScope;
use domain::view::CallState;

use crate::task::{CallTask, Done};

/// After a refusal, or a telephone side that was busy, it is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What is asked of the telephone side, and what it owes.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    /// A question is on its way; one at a time, for the telephone side answers no second one.
    asking: bool,
    /// The capture that waits for the answer to ask for itself.
    next: Option<CaptureId>,
    /// The whole call is protected, as its service wants it.
    holds_always: bool,
    /// A refusal was told.
    is_refusal_told: bool,
    muted: bool,
    /// A command found no room.
    owes: bool,
    is_looking: bool,
}

impl CallTask {
    fn is_always(&self) -> bool {
        self.service.protection == ProtectionScope::Always
    }

    fn is_running(&self) -> bool {
        matches!(self.call.state(), CallState::Connected | CallState::Held)
    }

    /// Asks for the mask in the name of a capture.
    pub(crate) fn ask_mask(&mut self, capture: CaptureId) {
        if self.mask.asking {
            self.mask.next = Some(capture);
        } else {
            self.ask(Some(capture));
        }
    }

    fn ask(&mut self, capture: Option<CaptureId>) {
        self.mask.asking = true;
        let (telephony, call) = (self.telephony.clone(), self.call.id().clone());
        self.work.spawn(async move {
            let answer = telephony.protect(&call).await.map(drop);
            Done::Protect(capture, answer)
        });
    }

    /// Protects the whole call, if its service wants that and nobody has asked yet.
    pub(crate) fn protect_always(&mut self) {
        let wanted = self.is_always() && self.is_running() && !self.mask.holds_always;
        if wanted && !self.mask.asking {
            self.ask(None);
        }
    }

    /// The telephone side has answered.
    pub(crate) fn mask_answered(
        &mut self,
        capture: Option<CaptureId>,
        answer: Result<(), ProtectionRefused>,
    ) {
        self.mask.asking = false;
        self.mask.holds_always = answer.is_ok() && self.is_always();
        match (&answer, capture.filter(|capture| self.is_open(capture))) {
            (Ok(()), Some(_)) => self.capture_event(Event::Protected),
            (Err(refused), Some(_)) => {
                self.capture_event(Event::ProtectionRefused(refused.code));
            }
            // The capture that asked is gone: nobody else would let the line go.
            (Ok(()), None) => self.leave_mask(),
            (Err(refused), None) => self.tell_refusal(*refused),
        }
        self.ask_next();
    }

    /// The question was lost; another may be asked.
    pub(crate) fn mask_unanswered(&mut self) {
        self.mask.asking = false;
        self.ask_next();
    }

    fn ask_next(&mut self) {
        match self.mask.next.take() {
            Some(next) if self.is_open(&next) => self.ask_mask(next),
            Some(_) | None => self.see_to_always(),
        }
    }

    fn tell_refusal(&mut self, refused: ProtectionRefused) {
        if self.is_always() && !std::mem::replace(&mut self.mask.is_refusal_told, true) {
            let (call, code) = (self.call.id(), refused.code);
            tracing::error!(%call, code, "alarm: a call that is always to be protected is not");
        }
    }

    /// The mask ended by itself. Under a service that protects whole calls it is asked for again; until then the agent hears silence.
    pub(crate) fn mask_lost(&mut self, code: &'static str) {
        tracing::error!(call = %self.call.id(), code, "alarm: protection was lost");
        self.mask.holds_always = false;
        self.capture_event(Event::ProtectionLost(code));
        self.see_to_always();
    }

    fn see_to_always(&mut self) {
        if self.is_always() && self.is_running() && !self.mask.holds_always {
            self.look_again();
        }
    }

    /// Leaves the mask, unless someone needs it. While the telephone side is too busy to hear it, the line stays masked.
    pub(crate) fn leave_mask(&mut self) {
        let is_needed = self
            .open
            .as_ref()
            .is_some_and(|open| open.session.needs_mask());
        if is_needed || self.is_always() {
            return;
        }
        if self.telephony.unprotect(self.call.id()) == Err(TelephonyError::Busy) {
            self.mask.owes = true;
            self.look_again();
        }
    }

    /// Silences the consumer towards everyone, or ends that. A capture whose consumer cannot be silenced ends.
    pub(crate) fn mute_consumer(&mut self, on: bool) {
        self.mask.muted = on;
        if self.telephony.mute_consumer(self.call.id(), on) != Err(TelephonyError::Busy) {
            return;
        }
        if on {
            self.capture_event(Event::ProtectionLost("mute_failed"));
        } else {
            self.mask.owes = true;
            self.look_again();
        }
    }

    fn look_again(&mut self) {
        if std::mem::replace(&mut self.mask.is_looking, true) {
            return;
        }
        self.work.spawn(async {
            tokio::time::sleep(LOOK_AGAIN).await;
            Done::LookAgain
        });
    }

    /// Pays what is owed to the line, and asks again for what was refused.
    pub(crate) fn settle_mask(&mut self) {
        self.mask.is_looking = false;
        if !self.is_running() {
            return;
        }
        if std::mem::take(&mut self.mask.owes) {
            self.mute_consumer(self.mask.muted);
            self.leave_mask();
        }
        self.protect_always();
    }
}
