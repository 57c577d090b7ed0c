//! Keys and the fields that they fill.
//! Owns: which field listens, how a field ends (S8, S9), what counts as an attempt.
//! Never: keeps a digit past the rule that wipes it.

use std::time::{Duration, Instant};

use secret::{Key, Slot};

use super::row::Row;
use super::timers::{
    ACCOUNT_END, CARD_END, CODE_END, LATE_POUND, MOVE_SETTLES, SPILL, Timer, UNREAD,
};
use super::{Moment, Session};
use crate::audit::AuditAction;
use crate::capture::brand::{BrandGuess, guess, luhn_holds};
use crate::capture::field::FIRST_ENTRY;
use crate::capture::{Brand, Field, FieldError, check};
use crate::view::FieldState;
use crate::widget::SecurityCodeRule;

/// What is remembered between keys.
#[derive(Debug, Default)]
pub(super) struct Keying {
    /// The field that listens.
    pub(super) listening: Option<Field>,
    /// When a field began to listen by itself, and which.
    moved: Option<(Instant, Field)>,
    /// When a field ended without `#`.
    ended: Option<Instant>,
    /// Digits until then belong to a value that ended.
    spill: Option<Spill>,
    /// Keys while no field listened, since the last field began to fill.
    pub(super) stray: u32,
    /// All of those, for the audit trail.
    pub(super) stray_total: u32,
    /// Keys that were heard at all, for the audit trail.
    pub(super) heard_total: u32,
    /// `#` that came after an automatic end.
    pub(super) late_pounds: u32,
    /// Keys came while the capture was frozen.
    pub(super) missed: bool,
    /// The security code was shown, and may be until then.
    pub(super) code_shown_until: Option<Instant>,
}

impl Keying {
    fn stray(&mut self) {
        self.stray = self.stray.saturating_add(1);
        self.stray_total = self.stray_total.saturating_add(1);
    }
}

/// The rest of a value that ended: its consumer keys on.
#[derive(Debug, Clone, Copy)]
struct Spill {
    until: Instant,
    /// How much longer each digit makes it.
    pause: Duration,
}

impl Spill {
    fn from(now: Instant, pause: Duration) -> Self {
        Self {
            until: now + pause,
            pause,
        }
    }
}

/// How a field ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By length or silence.
    Automatic,
    /// By `#`.
    Pound,
}

/// Whether the digits so far end their field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    Complete,
    CompleteAfter(Duration),
    Partial,
}

impl Session {
    pub(super) fn on_key(&mut self, at: Moment, key: Key, slot: &mut Slot) {
        if self.is_frozen() {
            self.keying.missed = true;
            return;
        }
        let Some(field) = self.keying.listening.filter(|_| !self.line.held) else {
            self.keying.stray();
            return;
        };
        let empty = slot.is_empty(field.slot_index());
        let options = &self.widget.options;
        let spill = self.keying.spill.filter(|spill| at.now < spill.until);
        match (key, spill) {
            (Key::Digit(_), Some(spill)) => {
                self.keying.spill = Some(Spill::from(at.now, spill.pause));
                self.keying.stray();
            }
            (Key::Digit(digit), None) => self.on_digit(at, field, digit, slot),
            (Key::Pound, _) if empty || self.is_unkeyed(field) => {
                self.keying.spill = None;
                let ended = self.keying.ended.take();
                if ended.is_some_and(|ended| at.now < ended + LATE_POUND) {
                    self.keying.late_pounds = self.keying.late_pounds.saturating_add(1);
                }
            }
            (Key::Pound, _) if options.pound_ends => self.end_field(at, field, End::Pound, slot),
            (Key::Star, _) if options.star_clears => {
                self.keying.spill = None;
                if !empty && !self.is_unkeyed(field) {
                    self.wait_again(at, field, slot);
                }
            }
            (Key::Pound | Key::Star, _) => {}
        }
    }

    /// No key of the present attempt is in the slot: what is there, if anything, is a refused value that is shown.
    fn is_unkeyed(&self, field: Field) -> bool {
        self.row(field).is_some_and(|row| row.shown_invalid)
    }

    fn on_digit(&mut self, at: Moment, field: Field, digit: secret::Digit, slot: &mut Slot) {
        let Some(row) = self.row_mut(field) else {
            return;
        };
        if row.shown_invalid {
            row.shown_invalid = false;
            wipe(field, slot);
        }
        row.state = FieldState::Keying;
        row.error = None;
        self.keying.spill = None;
        self.keying.stray = 0;
        let full = slot.push(field.slot_index(), digit).is_err();
        let pause = Duration::from_secs(self.widget.options.inter_key_timeout_s.into());
        self.timers.clear_keying();
        self.timers.set(Timer::InterKey, at.now + pause);
        match self.fill(field, slot) {
            _ if full => self.end_field(at, field, End::Automatic, slot),
            Fill::Complete => self.end_field(at, field, End::Automatic, slot),
            Fill::CompleteAfter(silence) => self.timers.set(Timer::FieldEnd, at.now + silence),
            Fill::Partial => {}
        }
    }

    /// S9, without `#`.
    fn fill(&self, field: Field, slot: &Slot) -> Fill {
        let keyed = slot.len(field.slot_index());
        let complete = |at: usize| {
            if keyed >= at {
                Fill::Complete
            } else {
                Fill::Partial
            }
        };
        match (field, self.brand()) {
            (Field::CardNumber, _) => card_fill(slot),
            (Field::Expiry, _) => complete(self.widget.options.expiry_format.digits()),
            (Field::SecurityCode, Some(brand)) => complete(brand.security_code_digits()),
            (Field::SecurityCode, None) if keyed >= 3 => Fill::CompleteAfter(CODE_END),
            (Field::SecurityCode, None) => Fill::Partial,
            (Field::RoutingNumber, _) => complete(check::ROUTING_DIGITS),
            (Field::AccountNumber, _) if keyed >= check::ACCOUNT_DIGITS_MIN => {
                Fill::CompleteAfter(ACCOUNT_END)
            }
            (Field::AccountNumber, _) => Fill::Partial,
        }
    }

    /// The brand of the obtained card number.
    pub(super) fn brand(&self) -> Option<Brand> {
        self.row(Field::CardNumber).and_then(|row| row.brand)
    }

    pub(super) fn end_field(&mut self, at: Moment, field: Field, end: End, slot: &mut Slot) {
        self.timers.clear_keying();
        if end == End::Automatic {
            self.keying.ended = Some(at.now);
            self.keying.spill = Some(Spill::from(at.now, SPILL));
        }
        match self.judge(at, field, slot) {
            Ok(_) if self.is_keyed_once(field, slot) => self.keep_first_entry(at, field, slot),
            Ok(brand) => self.obtained(at, field, brand, slot),
            Err(error) => self.refused(at, field, error, slot),
        }
    }

    fn judge(&self, at: Moment, field: Field, slot: &Slot) -> Result<Option<Brand>, FieldError> {
        let digits = slot.digits(field.slot_index());
        let options = &self.widget.options;
        match field {
            Field::CardNumber => check::card_number(&digits, &self.widget.card_types).map(Some),
            Field::Expiry => {
                check::expiry(&digits, options.expiry_format, at.clock.latest_day()).map(|()| None)
            }
            Field::SecurityCode => check::security_code(digits.len(), self.brand()).map(|()| None),
            Field::RoutingNumber => check::routing_number(&digits, &self.book).map(|()| None),
            Field::AccountNumber => {
                let first = Some(slot.digits(FIRST_ENTRY)).filter(|first| !first.is_empty());
                check::account_number(&digits, first.as_ref()).map(|()| None)
            }
        }
    }

    /// O15: a right account number waits for its second entry.
    fn is_keyed_once(&self, field: Field, slot: &Slot) -> bool {
        field == Field::AccountNumber
            && self.widget.options.account_number_twice
            && slot.is_empty(FIRST_ENTRY)
    }

    /// Puts the first entry aside and waits for the second.
    fn keep_first_entry(&mut self, at: Moment, field: Field, slot: &mut Slot) {
        slot.shift(field.slot_index(), FIRST_ENTRY);
        self.wait_again(at, field, slot);
    }

    fn obtained(&mut self, at: Moment, field: Field, brand: Option<Brand>, slot: &mut Slot) {
        let keyed = slot.len(field.slot_index());
        if field == Field::AccountNumber {
            slot.wipe(FIRST_ENTRY);
        }
        if let Some(row) = self.row_mut(field) {
            *row = Row {
                state: FieldState::Obtained,
                brand,
                obtained_digits: keyed,
                ..Row::new(field, false)
            };
        }
        self.effects.audit(
            AuditAction::FieldObtained,
            vec![("field", field.label().into())],
        );
        self.keying.listening = None;
        if !self.widget.kind.is_advanced() {
            self.limit_showing(at, field, slot);
        }
        if field == Field::CardNumber {
            self.recheck_code(slot);
        }
        self.listen_next(at, Some(field));
    }

    /// Basic: a value can be shown until O3; a security code that is never shown is destroyed at once (S11).
    fn limit_showing(&mut self, at: Moment, field: Field, slot: &mut Slot) {
        let options = &self.widget.options;
        if field == Field::SecurityCode && !options.reveal_security_code {
            wipe(field, slot);
            return;
        }
        let hidden = at.now + Duration::from_secs(options.hide_after_s.into());
        let limit = self.keying.code_shown_until;
        match limit.filter(|_| field == Field::SecurityCode) {
            Some(limit) if limit <= at.now => wipe(field, slot),
            limit => self.timers.set(
                hide_timer(field),
                limit.map_or(hidden, |limit| limit.min(hidden)),
            ),
        }
    }

    /// A code keyed before another card number was may have the wrong length now (Q27). That is nobody's failed attempt.
    fn recheck_code(&mut self, slot: &mut Slot) {
        let brand = self.brand();
        let Some(row) = self.row_mut(Field::SecurityCode) else {
            return;
        };
        if row.state != FieldState::Obtained {
            return;
        }
        if let Err(error) = check::security_code(row.obtained_digits, brand) {
            *row = Row {
                state: FieldState::Invalid,
                error: Some(error),
                ..Row::new(Field::SecurityCode, false)
            };
            wipe(Field::SecurityCode, slot);
            self.timers.clear(Timer::HideSecurityCode);
            self.audit_refusal(Field::SecurityCode, error);
        }
    }

    /// A value was keyed and is wrong: it is wiped, and an attempt is used up.
    fn refused(&mut self, at: Moment, field: Field, error: FieldError, slot: &mut Slot) {
        self.audit_refusal(field, error);
        if error == FieldError::RoutingRefused {
            let keyed = slot.digits(field.slot_index());
            self.refusal = self.book.refusal(&keyed).unwrap_or_default().to_owned();
        }
        self.used.count(field);
        let locked = self.used.field(field) >= self.widget.options.attempts_max;
        let shown = self.shows_invalid(field, slot);
        if !shown {
            wipe(field, slot);
        }
        if let Some(row) = self.row_mut(field) {
            *row = Row {
                shown_invalid: shown,
                ..Row::new(field, locked)
            };
            if !locked {
                row.state = FieldState::Invalid;
                row.error = Some(error);
            }
        }
        if shown {
            let hidden = Duration::from_secs(self.widget.options.hide_after_s.into());
            self.timers.set(hide_timer(field), at.now + hidden);
        }
        if locked {
            self.keying.listening = None;
        } else {
            self.await_first_key(at);
        }
    }

    /// Check Basic reflects any routing number of nine digits, valid or not (S9).
    fn shows_invalid(&self, field: Field, slot: &Slot) -> bool {
        field == Field::RoutingNumber
            && !self.widget.kind.is_advanced()
            && slot.len(field.slot_index()) == check::ROUTING_DIGITS
    }

    fn audit_refusal(&mut self, field: Field, error: FieldError) {
        self.effects.audit(
            AuditAction::FieldInvalid,
            vec![
                ("field", field.label().into()),
                ("code", error.code().into()),
            ],
        );
    }

    /// Keys came that nobody can read: what was keyed is worth nothing, nor is what still comes of the same value. No attempt is used up.
    pub(super) fn on_unclear(&mut self, at: Moment, slot: &mut Slot) {
        if self.is_frozen() {
            self.keying.missed = true;
            return;
        }
        let Some(field) = self.keying.listening else {
            self.keying.stray();
            return;
        };
        self.fail_without_attempt(at, field, FieldError::TonesUnclear, slot);
        self.keying.spill = Some(Spill::from(at.now, UNREAD));
    }

    pub(super) fn fail_without_attempt(
        &mut self,
        at: Moment,
        field: Field,
        error: FieldError,
        slot: &mut Slot,
    ) {
        wipe(field, slot);
        if let Some(row) = self.row_mut(field) {
            *row = Row {
                state: FieldState::Invalid,
                error: Some(error),
                ..Row::new(field, false)
            };
        }
        self.audit_refusal(field, error);
        self.timers.clear_keying();
        if error != FieldError::NoInput {
            self.await_first_key(at);
        }
    }

    pub(super) fn on_listen(&mut self, at: Moment, field: Field, slot: &mut Slot) {
        if self.keying.listening == Some(field) {
            return;
        }
        self.stop_listening(slot);
        self.keying.ended = None;
        self.keying.spill = None;
        if self.row(field).is_some_and(Row::is_open) {
            self.begin_listening(at, field);
        }
    }

    /// The agent left the field: what was half keyed is wiped.
    pub(super) fn stop_listening(&mut self, slot: &mut Slot) {
        let Some(field) = self.keying.listening.take() else {
            return;
        };
        self.timers.clear_keying();
        wipe(field, slot);
        if let Some(row) = self.row_mut(field) {
            row.shown_invalid = false;
            if row.state != FieldState::Invalid {
                *row = Row::new(field, false);
            }
        }
    }

    pub(super) fn on_recapture(&mut self, at: Moment, field: Field, slot: &mut Slot) {
        if self.keying.listening != Some(field) {
            self.stop_listening(slot);
        }
        if self
            .row(field)
            .is_some_and(|row| row.state == FieldState::Obtained)
        {
            self.used.count(field);
        }
        self.timers.clear(hide_timer(field));
        wipe(field, slot);
        self.keying.spill = None;
        if self.keying.listening == Some(field) {
            self.wait_again(at, field, slot);
            return;
        }
        if let Some(row) = self.row_mut(field) {
            *row = Row::new(field, false);
        }
        self.begin_listening(at, field);
    }

    pub(super) fn may_recapture(&self, field: Field) -> bool {
        let Some(row) = self.row(field) else {
            return false;
        };
        let next = self.used.field(field).saturating_add(1);
        let left = match row.state {
            FieldState::Locked => false,
            FieldState::Obtained => next < self.widget.options.attempts_max,
            FieldState::Idle
            | FieldState::Waiting
            | FieldState::Keying
            | FieldState::Slow
            | FieldState::Invalid
            | FieldState::NotAvailable => true,
        };
        left && self.guard.holds()
    }

    pub(super) fn on_not_available(&mut self, at: Moment, field: Field, slot: &mut Slot) {
        let listened = self.keying.listening == Some(field);
        if listened {
            self.stop_listening(slot);
        }
        wipe(field, slot);
        self.timers.clear(hide_timer(field));
        if let Some(row) = self.row_mut(field) {
            *row = Row {
                state: FieldState::NotAvailable,
                ..Row::new(field, false)
            };
        }
        if listened {
            self.listen_next(at, Some(field));
        }
    }

    pub(super) fn may_be_missing(&self, field: Field) -> bool {
        field == Field::SecurityCode
            && self.widget.options.security_code == SecurityCodeRule::Optional
            && self.guard.holds()
            && self.row(field).is_some()
    }

    /// The next field that is still empty listens: after `from` in listed order, then from the top (S8).
    pub(super) fn listen_next(&mut self, at: Moment, from: Option<Field>) {
        let start = from
            .and_then(|field| self.rows.iter().position(|row| row.field == field))
            .map_or(0, |position| position + 1);
        let (before, after) = self.rows.split_at(start.min(self.rows.len()));
        let next = after.iter().chain(before).find(|row| row.is_open());
        let Some(field) = next.map(|row| row.field) else {
            return;
        };
        if from.is_some() {
            self.keying.moved = Some((at.now, field));
        }
        self.begin_listening(at, field);
    }

    fn begin_listening(&mut self, at: Moment, field: Field) {
        self.keying.listening = Some(field);
        if let Some(row) = self.row_mut(field)
            && row.state == FieldState::Idle
        {
            row.state = FieldState::Waiting;
        }
        self.await_first_key(at);
        self.effects.audit(
            AuditAction::FieldListening,
            vec![("field", field.label().into())],
        );
    }

    /// What is being keyed goes; a first entry stays.
    fn wait_again(&mut self, at: Moment, field: Field, slot: &mut Slot) {
        slot.wipe(field.slot_index());
        if let Some(row) = self.row_mut(field) {
            *row = Row {
                state: FieldState::Waiting,
                second_entry: field == Field::AccountNumber && !slot.is_empty(FIRST_ENTRY),
                ..Row::new(field, false)
            };
        }
        self.await_first_key(at);
    }

    fn await_first_key(&mut self, at: Moment) {
        let patience = Duration::from_secs(self.widget.options.first_key_timeout_s.into());
        self.timers.clear_keying();
        self.timers.set(Timer::FirstKey, at.now + patience);
    }

    /// True for the field after the one that began to listen by itself within the last second: the agent pressed Next for a move that was made already.
    pub(super) fn is_next_after_move(&self, now: Instant, field: Field) -> bool {
        let Some((moved_at, to)) = self.keying.moved else {
            return false;
        };
        let position = |field| self.rows.iter().position(|row| row.field == field);
        let follows = position(to)
            .zip(position(field))
            .is_some_and(|(to, field)| field == to + 1);
        follows && self.keying.listening == Some(to) && now < moved_at + MOVE_SETTLES
    }

    /// A complete card number that waits for more keys is judged when none come; anything else is only reported.
    pub(super) fn on_inter_key(&mut self, at: Moment, slot: &mut Slot) {
        let Some(field) = self.keying.listening else {
            return;
        };
        if field == Field::CardNumber && slot.len(field.slot_index()) >= 16 {
            self.end_field(at, field, End::Automatic, slot);
        } else if let Some(row) = self.row_mut(field) {
            row.state = FieldState::Slow;
        }
    }
}

/// Wipes what was keyed for a field, the first entry of an account number too (O15).
pub(super) fn wipe(field: Field, slot: &mut Slot) {
    slot.wipe(field.slot_index());
    if field == Field::AccountNumber {
        slot.wipe(FIRST_ENTRY);
    }
}

/// The time-out after which a field's value is hidden.
pub(super) fn hide_timer(field: Field) -> Timer {
    match field {
        Field::CardNumber => Timer::HideCardNumber,
        Field::Expiry => Timer::HideExpiry,
        Field::SecurityCode => Timer::HideSecurityCode,
        Field::RoutingNumber => Timer::HideRoutingNumber,
        Field::AccountNumber => Timer::HideAccountNumber,
    }
}

fn card_fill(slot: &Slot) -> Fill {
    let digits = slot.digits(Field::CardNumber.slot_index());
    let keyed = digits.len();
    let (longest, may_end) = match guess(&digits) {
        BrandGuess::Known(brand) => (brand.longest(), luhn_holds(&digits)),
        BrandGuess::Open | BrandGuess::Unknown => (check::CARD_DIGITS_MAX, true),
    };
    if keyed >= longest {
        Fill::Complete
    } else if keyed == 16 && may_end {
        Fill::CompleteAfter(CARD_END)
    } else {
        Fill::Partial
    }
}
