//! The session as the page shows it.
//! Owns: the view, and whether a Basic value may be shown.
//! Never: puts more of a value in than option O5 allows.

use std::time::Instant;

use secret::Slot;

use super::keying::hide_timer;
use super::protection::{Guard, Stage};
use super::row::Row;
use super::timers::{CODE_SHOWN, Timer};
use super::{Session, is_taking};
use crate::capture::brand::{BrandGuess, guess};
use crate::capture::digits::last_four;
use crate::capture::{Brand, Field, FieldError, check};
use crate::service::SinkMedium;
use crate::time::UnixMillis;
use crate::view::{CaptureView, FieldState, FieldView, ProtectionPart, ProtectionView, WidgetView};

/// Digits of a card number until its brand is known.
const CARD_DIGITS_USUAL: usize = 16;

impl Session {
    /// What the page shows. Of the slot it takes counts, and the last four if O5 says so.
    #[must_use]
    pub fn view(&self, now: Instant, clock: UnixMillis, slot: &Slot) -> CaptureView {
        let ends = self.timers.at(Timer::SessionLimit).unwrap_or(now);
        let left = ends.saturating_duration_since(now).as_millis();
        CaptureView {
            id: self.id.clone(),
            call: self.call.clone(),
            revision: self.revision,
            widget: WidgetView::from(&*self.widget),
            state: self.state,
            reason: self.reason.map(str::to_owned),
            protection: self.guard.parts(self.widget.kind.is_advanced()),
            fields: self
                .rows
                .iter()
                .map(|row| self.field_view(row, now, slot))
                .collect(),
            listening: self.keying.listening,
            speaking: self.guard.speaking,
            stray_keys: self.keying.stray,
            missing: self.missing(),
            ends_at: clock.plus_ms(i64::try_from(left).unwrap_or(i64::MAX)),
            may_keep_open: self.may_keep_open(now),
            process_left: self.process_left(),
            confirm_gone: self.guard.stage == Stage::AwaitingGone,
            payment: self.payment.clone(),
        }
    }

    fn missing(&self) -> Vec<Field> {
        self.rows
            .iter()
            .filter(|row| !row.is_satisfied())
            .map(|row| row.field)
            .collect()
    }

    fn field_view(&self, row: &Row, now: Instant, slot: &Slot) -> FieldView {
        let options = &self.widget.options;
        let keying = matches!(row.state, FieldState::Keying | FieldState::Slow);
        let count = if keying {
            slot.len(row.field.slot_index())
        } else {
            0
        };
        let (prompt, prompts) = if self.guard.holds() {
            let prompts = self.widget.prompts_of(row.field);
            (self.widget.prompt(row.field).to_owned(), prompts)
        } else {
            Default::default()
        };
        let obtained = row.state == FieldState::Obtained;
        let advanced = self.widget.kind.is_advanced();
        let opted = options.show_brand_and_last_four;
        FieldView {
            field: row.field,
            prompt,
            prompts,
            state: row.state,
            count: small(count),
            expected: self.expected(row.field, slot).map(small),
            second_entry: row.second_entry,
            error: row.error,
            attempt: self
                .used
                .field(row.field)
                .saturating_add(1)
                .min(options.attempts_max),
            attempts_max: options.attempts_max,
            brand: row.brand.filter(|_| obtained && (!advanced || opted)),
            last_four: if obtained && advanced && opted && row.field == Field::CardNumber {
                last_four(&slot.digits(row.field.slot_index()))
            } else {
                None
            },
            bank_name: if obtained && row.field == Field::RoutingNumber {
                Some(self.bank_name(slot).to_owned()).filter(|name| !name.is_empty())
            } else {
                None
            },
            refusal: (row.error == Some(FieldError::RoutingRefused)).then(|| self.refusal.clone()),
            revealable: self.may_reveal(row.field, now),
        }
    }

    /// How many digits a field takes, as far as that is known.
    fn expected(&self, field: Field, slot: &Slot) -> Option<usize> {
        match field {
            Field::CardNumber => Some(expected_card_digits(self.brand(), slot)),
            Field::Expiry => Some(self.widget.options.expiry_format.digits()),
            Field::SecurityCode => self.brand().map(Brand::security_code_digits),
            Field::RoutingNumber => Some(check::ROUTING_DIGITS),
            Field::AccountNumber => None,
        }
    }

    /// Whether a value may be shown to the agent: Basic, obtained, everything still protected, and not hidden for good (O3). The security code only with
    /// O2. Check Basic also shows an invalid routing number of nine digits.
    #[must_use]
    pub fn may_reveal(&self, field: Field, now: Instant) -> bool {
        let Some(row) = self.row(field) else {
            return false;
        };
        let kept = match row.state {
            FieldState::Obtained => !row.hidden,
            FieldState::Invalid | FieldState::Locked => row.shown_invalid,
            FieldState::Idle
            | FieldState::Waiting
            | FieldState::Keying
            | FieldState::Slow
            | FieldState::NotAvailable => false,
        };
        let opted = field != Field::SecurityCode || self.widget.options.reveal_security_code;
        let in_time = self
            .timers
            .at(hide_timer(field))
            .is_some_and(|hidden| now < hidden);
        !self.widget.kind.is_advanced()
            && is_taking(self.state)
            && self.guard.holds()
            && kept
            && opted
            && in_time
    }

    /// A value was shown. From the first showing of the security code on 30 s are left for it in this capture, however often it is shown or keyed (S11).
    pub fn note_shown(&mut self, field: Field, now: Instant) {
        let timer = hide_timer(field);
        if field != Field::SecurityCode || !self.may_reveal(field, now) {
            return;
        }
        let limit = *self.keying.code_shown_until.get_or_insert(now + CODE_SHOWN);
        if self.timers.at(timer).is_some_and(|at| limit < at) {
            self.timers.set(timer, limit);
        }
    }
}

impl Guard {
    fn parts(&self, advanced: bool) -> Vec<ProtectionView> {
        let own = |what| ProtectionView {
            what,
            name: String::new(),
            confirmed: self.mask,
        };
        let mut parts = vec![own(ProtectionPart::AgentLegMasked)];
        if advanced {
            parts.push(own(ProtectionPart::RecordingMasked));
        }
        parts.extend(self.sinks.iter().map(|(sink, confirmed)| ProtectionView {
            what: match sink.medium {
                SinkMedium::Call => ProtectionPart::CallRecordingPaused,
                SinkMedium::Screen => ProtectionPart::ScreenRecordingPaused,
            },
            name: sink.name.clone(),
            confirmed: *confirmed,
        }));
        parts
    }
}

/// 16 until the brand is known, then what the brand has; 19 once more than 16 were keyed.
fn expected_card_digits(obtained: Option<Brand>, slot: &Slot) -> usize {
    let digits = slot.digits(Field::CardNumber.slot_index());
    let brand = obtained.or(match guess(&digits) {
        BrandGuess::Known(brand) => Some(brand),
        BrandGuess::Open | BrandGuess::Unknown => None,
    });
    match brand {
        Some(brand) if brand.longest() <= CARD_DIGITS_USUAL => brand.longest(),
        Some(_) | None if digits.len() > CARD_DIGITS_USUAL => check::CARD_DIGITS_MAX,
        Some(_) | None => CARD_DIGITS_USUAL,
    }
}

fn small(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
