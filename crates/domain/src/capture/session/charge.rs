//! The charge as the capture sees it.
//! Owns: when it may start, what follows from how it ended, how long digits outlive it.
//! Never: keeps a digit after anything was sent.

use secret::Slot;

use super::event::Effect;
use super::timers::{AFTER_HANG_UP, KEEP_DIGITS, Timer};
use super::{Moment, Session};
use crate::capture::CaptureState;
use crate::gateway::NotSentReason;
use crate::id::AttemptId;
use crate::money::Money;
use crate::payment::Outcome;
use crate::view::{FieldState, PaymentView};

impl Session {
    pub(super) fn process_left(&self) -> u8 {
        if self.widget.kind.is_advanced() {
            self.widget
                .options
                .process_max
                .saturating_sub(self.used.process)
        } else {
            0
        }
    }

    pub(super) fn may_process(&self) -> bool {
        self.process_left() > 0 && self.all_satisfied()
    }

    pub(super) fn on_process(
        &mut self,
        attempt: AttemptId,
        reference: String,
        amount: Money,
        has_plan: bool,
        slot: &mut Slot,
    ) {
        if !self.digits_are_there(slot) {
            self.forget_digits(slot);
            return;
        }
        self.stop_listening(slot);
        self.used.process = self.used.process.saturating_add(1);
        self.state = CaptureState::Processing;
        self.reason = None;
        self.line.other_party = false;
        self.timers.clear_keying();
        self.timers.clear(Timer::KeepDigits);
        self.timers.clear(Timer::AfterHangUp);
        self.payment = Some(PaymentView {
            attempt,
            reference,
            amount,
            has_plan,
            sent_at: None,
            outcome: None,
            not_sent: None,
            message: String::new(),
            status: None,
        });
        self.effects.push(Effect::Charge);
    }

    /// The slot holds what the rows say.
    fn digits_are_there(&self, slot: &Slot) -> bool {
        self.rows
            .iter()
            .filter(|row| row.state == FieldState::Obtained)
            .all(|row| slot.len(row.field.slot_index()) == row.obtained_digits)
    }

    pub(super) fn on_charge_sent(&mut self, at: Moment) {
        if let Some(payment) = &mut self.payment {
            payment.sent_at = Some(at.clock);
        }
    }

    /// The one ending that keeps digits, for a while; after a hang-up only as O12 says.
    pub(super) fn on_not_sent(&mut self, at: Moment, reason: NotSentReason, slot: &mut Slot) {
        self.state = CaptureState::NotSent;
        self.reason = Some(reason.code());
        if let Some(payment) = &mut self.payment {
            payment.sent_at = None;
            payment.not_sent = Some(reason);
        }
        let keeps = (!self.line.ended || self.widget.options.process_after_hang_up)
            && !self.line.other_party;
        if !keeps || !self.digits_are_there(slot) {
            self.forget_digits(slot);
            return;
        }
        let kept = if self.line.ended {
            AFTER_HANG_UP
        } else {
            KEEP_DIGITS
        };
        self.timers.set(Timer::KeepDigits, at.now + kept);
    }

    /// Wipes everything and empties the rows.
    pub(super) fn forget_digits(&mut self, slot: &mut Slot) {
        slot.wipe_all();
        self.reset_rows();
        self.timers.clear_keying();
        self.timers.clear(Timer::KeepDigits);
    }

    pub(super) fn on_answered(
        &mut self,
        outcome: Outcome,
        message: String,
        status: Option<u16>,
        slot: &mut Slot,
    ) {
        slot.wipe_all();
        self.state = match outcome {
            Outcome::Approved => CaptureState::Approved,
            Outcome::Declined => CaptureState::Declined,
            Outcome::Review => CaptureState::Review,
            Outcome::Error => CaptureState::Error,
            Outcome::Unknown => CaptureState::Unknown,
        };
        if let Some(payment) = &mut self.payment {
            payment.outcome = Some(outcome);
            payment.message = message;
            payment.status = status;
        }
    }

    /// After blocked, with a call; after not sent, declined and error with presses left. Never after unknown.
    pub(super) fn may_try_again(&self) -> bool {
        if self.state == CaptureState::Blocked {
            return !self.line.ended;
        }
        let kept = self.state == CaptureState::NotSent && self.all_satisfied();
        self.process_left() > 0 && (kept || !self.line.ended)
    }

    pub(super) fn on_try_again(&mut self, at: Moment, slot: &mut Slot) {
        self.reason = None;
        if self.state == CaptureState::NotSent && self.all_satisfied() {
            self.state = CaptureState::Ready;
            return;
        }
        self.payment = None;
        self.forget_digits(slot);
        if self.guard.holds() {
            self.state = CaptureState::Armed;
            self.set_session_limit(at.now);
        } else {
            self.arm(at.now);
        }
    }
}
