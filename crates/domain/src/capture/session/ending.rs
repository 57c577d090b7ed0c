//! How a session ends, and what its time-outs do.
//! Owns: done, cancel, close, hang-up, the limits.
//! Never: lets a recorder go on before the digits are wiped.

use std::time::Instant;

use secret::Slot;

use super::event::Effect;
use super::keying::{End, hide_timer, wipe};
use super::protection::Stage;
use super::timers::{AFTER_HANG_UP, CONFIRM_GONE, LAST_MINUTE, Timer};
use super::{Moment, Session, is_taking};
use crate::audit::AuditAction;
use crate::capture::{CaptureState, Field, FieldError};
use crate::view::FieldState;

impl Session {
    /// Wipes everything, for good.
    pub(super) fn end(
        &mut self,
        state: CaptureState,
        reason: Option<&'static str>,
        slot: &mut Slot,
    ) {
        self.forget_digits(slot);
        self.timers.clear_all();
        self.state = state;
        self.reason = reason;
        self.effects.audit(
            AuditAction::CaptureEnded,
            vec![
                ("state", state.label().into()),
                ("reason", reason.into()),
                ("keys", self.keying.heard_total.into()),
                ("stray_keys", self.keying.stray_total.into()),
                ("late_pounds", self.keying.late_pounds.into()),
            ],
        );
    }

    /// Basic: wiped at the press; recorders wait for the agent's word (S12).
    pub(super) fn on_done(&mut self, at: Moment, slot: &mut Slot) {
        self.end(CaptureState::Done, None, slot);
        self.await_gone(at);
    }

    fn await_gone(&mut self, at: Moment) {
        self.guard.speaking = false;
        self.mute(false);
        self.guard.stage = Stage::AwaitingGone;
        self.timers.set(Timer::ConfirmGone, at.now + CONFIRM_GONE);
    }

    pub(super) fn on_cancel(&mut self, slot: &mut Slot) {
        self.end(CaptureState::Cancelled, None, slot);
        self.release();
        self.guard.stage = Stage::Closed;
        self.effects.close();
    }

    pub(super) fn on_close(&mut self, slot: &mut Slot) {
        self.forget_digits(slot);
        self.timers.clear_all();
        self.release();
        self.guard.stage = Stage::Closed;
        if !self.state.is_over() {
            self.effects.audit(
                AuditAction::CaptureEnded,
                vec![("state", self.state.label().into())],
            );
        }
        self.effects.close();
    }

    pub(super) fn on_attempts_reset(&mut self, slot: &mut Slot) {
        self.used = super::AttemptsUsed::default();
        for row in &mut self.rows {
            if row.state == FieldState::Locked {
                wipe(row.field, slot);
                *row = super::Row::new(row.field, false);
            }
        }
    }

    pub(super) fn on_call_ended(&mut self, at: Moment, slot: &mut Slot) {
        self.line.ended = true;
        let may_wait = self.widget.options.process_after_hang_up && self.widget.kind.is_advanced();
        match self.state {
            CaptureState::Ready if may_wait => {
                self.reason = Some("call_ended");
                self.timers.set(Timer::AfterHangUp, at.now + AFTER_HANG_UP);
                self.release();
            }
            CaptureState::Arming
            | CaptureState::Armed
            | CaptureState::Collecting
            | CaptureState::Invalid
            | CaptureState::Ready
            | CaptureState::Frozen => self.lose(at, "call_ended", slot),
            CaptureState::NotSent => {
                let until = at.now + AFTER_HANG_UP;
                match self.timers.at(Timer::KeepDigits) {
                    Some(kept) if may_wait => self.timers.set(Timer::KeepDigits, kept.min(until)),
                    Some(_) | None => self.forget_digits(slot),
                }
                self.release();
            }
            CaptureState::Done | CaptureState::Lost | CaptureState::ProtectionLost => {}
            CaptureState::Blocked
            | CaptureState::Processing
            | CaptureState::Approved
            | CaptureState::Declined
            | CaptureState::Review
            | CaptureState::Error
            | CaptureState::Unknown
            | CaptureState::Checking
            | CaptureState::Cancelled => self.release(),
        }
    }

    /// Basic asks whether a value that could be seen is gone elsewhere; Advanced has shown none.
    pub(super) fn lose(&mut self, at: Moment, reason: &'static str, slot: &mut Slot) {
        let seen = !self.widget.kind.is_advanced() && self.any_obtained();
        self.end(CaptureState::Lost, Some(reason), slot);
        if seen {
            self.await_gone(at);
        } else {
            self.release();
        }
    }

    /// On hold, or with nothing coming from the line, no key can arrive, and none counts while the capture is frozen: the consumer's time-outs stand still.
    pub(super) fn pause_with_line(&mut self, at: Moment) {
        let paused = self.line.held || self.line.silent || self.is_frozen();
        self.timers.pause_keying(at.now, paused);
    }

    pub(super) fn may_keep_open(&self, now: Instant) -> bool {
        self.guard.holds()
            && self
                .timers
                .at(Timer::SessionLimit)
                .is_some_and(|ends| ends.saturating_duration_since(now) <= LAST_MINUTE)
    }

    /// Fires what was reached, earliest first. Each time-out is cleared before it fires and none sets one in the past, so this ends.
    pub(super) fn run_timers(&mut self, at: Moment, slot: &mut Slot) {
        for _ in 0..2 * Timer::ALL.len() {
            let Some(timer) = self.timers.take_due(at.now) else {
                break;
            };
            self.fire(at, timer, slot);
            self.effects.change();
            self.settle();
        }
    }

    fn fire(&mut self, at: Moment, timer: Timer, slot: &mut Slot) {
        match timer {
            Timer::Arming => self.block("timeout"),
            Timer::FirstKey => {
                if let Some(field) = self.keying.listening {
                    self.fail_without_attempt(at, field, FieldError::NoInput, slot);
                }
            }
            Timer::InterKey => self.on_inter_key(at, slot),
            Timer::FieldEnd => {
                if let Some(field) = self.keying.listening {
                    self.end_field(at, field, End::Automatic, slot);
                }
            }
            Timer::HideCardNumber => self.hide(Field::CardNumber, slot),
            Timer::HideExpiry => self.hide(Field::Expiry, slot),
            Timer::HideSecurityCode => self.hide(Field::SecurityCode, slot),
            Timer::HideRoutingNumber => self.hide(Field::RoutingNumber, slot),
            Timer::HideAccountNumber => self.hide(Field::AccountNumber, slot),
            Timer::LastMinute => {}
            Timer::SessionLimit => self.on_session_limit(at, slot),
            Timer::KeepDigits => self.on_kept_too_long(slot),
            Timer::AfterHangUp => self.end(CaptureState::Lost, Some("call_ended"), slot),
            Timer::PartyAnswer => self.lose(at, "party_unanswered", slot),
            Timer::ConfirmGone => self.effects.push(Effect::Alarm("confirm_gone_unanswered")),
        }
    }

    /// Basic: a value that was to be seen for so long is gone. What was obtained stays obtained.
    fn hide(&mut self, field: Field, slot: &mut Slot) {
        self.timers.clear(hide_timer(field));
        if let Some(row) = self.row_mut(field) {
            let keyed_again = !row.shown_invalid && row.state != FieldState::Obtained;
            if keyed_again {
                return;
            }
            row.hidden = row.state == FieldState::Obtained;
            row.shown_invalid = false;
            wipe(field, slot);
        }
    }

    fn on_session_limit(&mut self, at: Moment, slot: &mut Slot) {
        match self.state {
            CaptureState::Processing => {
                self.timers.set(Timer::SessionLimit, at.now + LAST_MINUTE);
            }
            CaptureState::NotSent => {
                self.forget_digits(slot);
                self.release();
            }
            CaptureState::Arming
            | CaptureState::Armed
            | CaptureState::Collecting
            | CaptureState::Invalid
            | CaptureState::Ready
            | CaptureState::Frozen => {
                self.end(CaptureState::Lost, Some("time_limit"), slot);
                self.release();
            }
            CaptureState::Blocked
            | CaptureState::Approved
            | CaptureState::Declined
            | CaptureState::Review
            | CaptureState::Error
            | CaptureState::Unknown
            | CaptureState::Checking
            | CaptureState::Done
            | CaptureState::Cancelled
            | CaptureState::Lost
            | CaptureState::ProtectionLost => self.release(),
        }
    }

    fn on_kept_too_long(&mut self, slot: &mut Slot) {
        self.forget_digits(slot);
        if is_taking(self.state) && !self.guard.holds() {
            self.end(CaptureState::Lost, Some("time_limit"), slot);
        }
    }
}
