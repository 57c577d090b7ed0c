//! A row of the widget.
//! Owns: what is known of a field besides its digits.
//! Never: holds a digit.

use crate::capture::{Brand, Field, FieldError};
use crate::view::FieldState;

/// One field's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) field: Field,
    pub(super) state: FieldState,
    pub(super) error: Option<FieldError>,
    /// Of an obtained card number.
    pub(super) brand: Option<Brand>,
    /// Digits of an obtained security code, which may be destroyed already.
    pub(super) obtained_digits: usize,
    /// Check Basic: an invalid routing number of nine digits is kept and shown as such (S9).
    pub(super) shown_invalid: bool,
    /// Basic: the value is gone for good (O3); the field stays obtained.
    pub(super) hidden: bool,
    /// An account number's first entry is kept (O15).
    pub(super) second_entry: bool,
}

impl Row {
    pub(super) fn new(field: Field, locked: bool) -> Self {
        Self {
            field,
            state: if locked {
                FieldState::Locked
            } else {
                FieldState::Idle
            },
            error: locked.then_some(FieldError::MaxAttempts),
            brand: None,
            obtained_digits: 0,
            shown_invalid: false,
            hidden: false,
            second_entry: false,
        }
    }

    /// Nothing more is needed here.
    pub(super) fn is_satisfied(&self) -> bool {
        matches!(self.state, FieldState::Obtained | FieldState::NotAvailable)
    }

    /// It may listen: not satisfied and not locked.
    pub(super) fn is_open(&self) -> bool {
        !self.is_satisfied() && self.state != FieldState::Locked
    }

    /// Something was keyed or decided.
    pub(super) fn is_begun(&self) -> bool {
        self.second_entry || !matches!(self.state, FieldState::Idle | FieldState::Waiting)
    }
}
