//! The call's mask, as far as its task decides.
//! Owns: when the mask listens, is asked for and left; the mute; a service that protects whole calls.
//! Never: says that it holds; the telephone side does. Never leaves it while a capture or the service needs it.

use std::time::{Duration, Instant};

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{ProtectionRefused, TelephonyError};
use domain::capture::Event;
use domain::id::CaptureId;
use domain::service::ProtectionScope;
use domain::view::CallState;

use crate::buttons;
use crate::task::{CallTask, Done};

/// The refusal of a consumer who was not heard.
const NOTHING_CAME: &str = "no_media";

/// After a refusal, or a telephone side that was busy, it is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long the mask outlives what it was needed for, and the last key since: a capture that ends before its consumer knows, by a lost mask, a
/// limit or the agent, leaves someone who keys on. Speech passes a mask, so nobody is kept waiting by it.
const TAIL: Duration = Duration::from_secs(3);

/// What is asked of the telephone side, and what it owes.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    /// A question is on its way; one at a time, for the telephone side answers no second one.
    asking: bool,
    /// The capture that waits for the answer to ask for itself.
    next: Option<CaptureId>,
    /// It holds, as the telephone side said last.
    holds: bool,
    /// A refusal was told.
    is_refusal_told: bool,
    /// It listens to the unprotected call, as the telephone side was told.
    is_listening: bool,
    muted: bool,
    /// The end of the mute found no room.
    owes_unmute: bool,
    /// Nobody needs the mask any more; then it is left.
    leave_at: Option<Instant>,
    /// The next look at what is owed or refused.
    look_at: Option<Instant>,
}

impl Mask {
    /// When [`CallTask::settle_mask`] is due.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.leave_at.into_iter().chain(self.look_at).min()
    }

    /// A key sounded that no capture wanted.
    pub(crate) fn note_key(&mut self) {
        if self.leave_at.is_some() {
            self.leave_at = Some(crate::now() + TAIL);
        }
    }
}

impl CallTask {
    fn is_always(&self) -> bool {
        self.service.protection == ProtectionScope::Always
    }

    fn is_running(&self) -> bool {
        matches!(self.call.state(), CallState::Connected | CallState::Held)
    }

    /// Has the mask listen while a capture may begin (S28), and not else: listening costs ten times what relaying does.
    pub(crate) fn settle_listening(&mut self) {
        let wanted = buttons::may_capture(self);
        if wanted == self.mask.is_listening {
            return;
        }
        if self.telephony.watch(self.call.id(), wanted) == Err(TelephonyError::Busy) {
            self.look_again();
        } else {
            self.mask.is_listening = wanted;
        }
    }

    /// Asks for the mask in the name of a capture.
    pub(crate) fn ask_mask(&mut self, capture: CaptureId) {
        self.mask.leave_at = None;
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
        let wanted = self.is_always() && self.is_running() && !self.mask.holds;
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
        // A refusal to a capture takes nothing from a call that its service protects.
        self.mask_holds(answer.is_ok() || self.is_always() && self.mask.holds);
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

    /// The page shows it.
    fn mask_holds(&mut self, holds: bool) {
        if std::mem::replace(&mut self.mask.holds, holds) != holds {
            self.call.line_protected(holds);
            self.publish_call();
        }
    }

    fn ask_next(&mut self) {
        match self.mask.next.take() {
            Some(next) if self.is_open(&next) => self.ask_mask(next),
            Some(_) | None => self.see_to_always(),
        }
    }

    fn tell_refusal(&mut self, refused: ProtectionRefused) {
        // Of a call that is routed as always protected nothing leaves unmasked; that nothing comes of it either is no alarm.
        if refused.code == NOTHING_CAME {
            return;
        }
        if self.is_always() && !std::mem::replace(&mut self.mask.is_refusal_told, true) {
            let (call, code) = (self.call.id(), refused.code);
            tracing::error!(%call, code, "alarm: a call that is always to be protected is not");
        }
    }

    /// The mask ended by itself. Under a service that protects whole calls it is asked for again; until then the agent hears silence. Whoever
    /// loses by it raises the alarm and enters it in the trail: the capture, or else the call.
    pub(crate) fn mask_lost(&mut self, code: &'static str) {
        self.mask_holds(false);
        let alarms = self.alarms;
        self.capture_event(Event::ProtectionLost(code));
        if self.alarms == alarms {
            let call = self.call.id();
            tracing::error!(%call, code, "alarm: protection was lost");
            let (now, object) = (self.inner.deps.clock.now(), format!("call {call}"));
            let entry = AuditEntry::new(now, &Actor::system(), AuditAction::ProtectionLost, object);
            self.inner.audit.append(entry.with("reason", code));
        }
        self.see_to_always();
    }

    fn see_to_always(&mut self) {
        if self.is_always() && self.is_running() && !self.mask.holds {
            self.look_again();
        }
    }

    fn is_mask_needed(&self) -> bool {
        let open = self.open.as_ref();
        self.is_always() || open.is_some_and(|open| open.session.needs_mask())
    }

    /// Leaves the mask a while from now, unless someone needs it.
    pub(crate) fn leave_mask(&mut self) {
        if self.is_running() && !self.is_mask_needed() {
            self.mask.leave_at = Some(crate::now() + TAIL);
        }
    }

    /// While the telephone side is too busy to hear it, the line stays masked.
    fn leave_if_due(&mut self, now: Instant) {
        if self.mask.leave_at.take_if(|at| *at <= now).is_none() || self.is_mask_needed() {
            return;
        }
        if self.telephony.unprotect(self.call.id()) == Err(TelephonyError::Busy) {
            self.mask.leave_at = Some(now + LOOK_AGAIN);
        } else {
            self.mask_holds(false);
        }
    }

    /// Silences the consumer towards everyone, or ends that. A capture whose consumer cannot be silenced ends.
    pub(crate) fn mute_consumer(&mut self, on: bool) {
        self.mask.muted = on;
        self.mask.owes_unmute = false;
        if self.telephony.mute_consumer(self.call.id(), on) != Err(TelephonyError::Busy) {
            return;
        }
        if on {
            self.capture_event(Event::ProtectionLost("mute_failed"));
        } else {
            self.mask.owes_unmute = true;
            self.look_again();
        }
    }

    fn look_again(&mut self) {
        let at = crate::now() + LOOK_AGAIN;
        self.mask.look_at.get_or_insert(at);
    }

    /// Does what is due: leaves the mask, pays what is owed to the line, asks again for what was refused.
    pub(crate) fn settle_mask(&mut self) {
        let now = crate::now();
        if !self.is_running() {
            (self.mask.leave_at, self.mask.look_at) = (None, None);
            return;
        }
        self.leave_if_due(now);
        if self.mask.look_at.take_if(|at| *at <= now).is_some() {
            if self.mask.owes_unmute {
                self.mute_consumer(self.mask.muted);
            }
            self.settle_listening();
            self.protect_always();
        }
    }
}
