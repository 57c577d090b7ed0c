//! Another person may be on the line (S39).
//! Owns: the freeze, what the agent says of it, and what follows when nobody does.
//! Never: counts a key meanwhile, or goes on without the agent's word.

use secret::Slot;

use super::timers::{PARTY_ANSWER, Timer};
use super::{Moment, Session};
use crate::audit::AuditAction;
use crate::capture::CaptureState;

impl Session {
    pub(super) fn is_frozen(&self) -> bool {
        self.state == CaptureState::Frozen
    }

    /// Who keys now may be someone else. What was keyed is kept for the agent's answer; the digits of a charge that was not sent are wiped rather than sent for
    /// somebody else.
    pub(super) fn on_party_changed(&mut self, at: Moment, slot: &mut Slot) {
        self.effects.audit(AuditAction::PartyChanged, Vec::new());
        if self.state == CaptureState::Processing {
            self.line.other_party = true;
        } else if self.state == CaptureState::NotSent {
            self.forget_digits(slot);
        } else {
            self.freeze(at);
        }
    }

    fn freeze(&mut self, at: Moment) {
        self.state = CaptureState::Frozen;
        self.keying.missed = false;
        self.timers.set(Timer::PartyAnswer, at.now + PARTY_ANSWER);
        self.pause_with_line(at);
    }

    /// It goes on where it was. A field whose keys came meanwhile is keyed anew, as after keys that nobody could read.
    pub(super) fn on_same_person(&mut self, at: Moment, slot: &mut Slot) {
        self.audit_answer(true);
        self.timers.clear(Timer::PartyAnswer);
        self.state = CaptureState::Armed;
        self.pause_with_line(at);
        if std::mem::take(&mut self.keying.missed) {
            self.on_unclear(at, slot);
        }
    }

    pub(super) fn on_other_person(&mut self, at: Moment, slot: &mut Slot) {
        self.audit_answer(false);
        self.lose(at, "party_changed", slot);
    }

    fn audit_answer(&mut self, same: bool) {
        self.effects
            .audit(AuditAction::PartyAnswered, vec![("same", same.into())]);
    }
}
