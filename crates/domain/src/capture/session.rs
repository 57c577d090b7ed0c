//! A capture session: the machine for all four widgets.
//! Owns: which state follows which, when digits are wiped, what the agent is told.
//! Never: holds a digit. Keys go straight into the slot that the owner lends, and are wiped from it the moment a rule asks.
//!
//! Driven like every core: `handle` an event, drain `poll_effect`, wait for `next_timeout`. Which event means something in which state is said by
//! [`super::table`].

use std::sync::Arc;
use std::time::Instant;

use secret::Slot;

use self::event::Effects;
use self::keying::Keying;
use self::protection::{Guard, Stage};
use self::row::Row;
use self::timers::Timers;
use super::routing::RoutingBook;
use super::table::{self, EventClass, Ruling};
use super::{CaptureState, Field};
use crate::id::{CallId, CaptureId};
use crate::service::Sink;
use crate::time::UnixMillis;
use crate::view::{FieldState, PaymentView};
use crate::widget::{SecurityCodeRule, Widget};

mod charge;
mod ending;
mod event;
mod keying;
mod party;
mod protection;
mod row;
mod timers;
mod view;

#[cfg(test)]
mod tests;

pub use event::{Effect, Event};
pub use protection::{SCREEN_NOT_SHARED, SINKS_MAX};

/// What was used up of the limits O9. They count per call and widget kind, across sessions (S14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptsUsed {
    /// Attempts that failed or were discarded, by the field's place in [`Field::ALL`].
    fields: [u8; Field::ALL.len()],
    /// Presses of Process Payment.
    process: u8,
}

impl AttemptsUsed {
    /// Attempts at a field that are used up.
    #[must_use]
    pub fn field(&self, field: Field) -> u8 {
        self.fields[place(field)]
    }

    /// Presses of Process Payment that are used up.
    #[must_use]
    pub fn process(&self) -> u8 {
        self.process
    }

    fn count(&mut self, field: Field) {
        let used = &mut self.fields[place(field)];
        *used = used.saturating_add(1);
    }
}

fn place(field: Field) -> usize {
    Field::ALL
        .iter()
        .position(|candidate| *candidate == field)
        .unwrap_or(0)
}

/// One capture, from the press of its button until it is off the screen.
#[derive(Debug)]
pub struct Session {
    id: CaptureId,
    call: CallId,
    widget: Arc<Widget>,
    state: CaptureState,
    reason: Option<&'static str>,
    guard: Guard,
    rows: Vec<Row>,
    keying: Keying,
    used: AttemptsUsed,
    timers: Timers,
    line: Line,
    payment: Option<PaymentView>,
    book: RoutingBook,
    /// Why the operator refuses the routing number that was keyed last; it matters while the row says so.
    refusal: String,
    revision: u64,
    effects: Effects,
}

/// What is known of the call.
#[derive(Debug, Default)]
struct Line {
    ended: bool,
    held: bool,
    silent: bool,
    /// Another person may be on it since the charge began, whose digits could come back.
    other_party: bool,
}

/// The time of an event, by both clocks.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: Instant,
    clock: UnixMillis,
}

impl Session {
    /// Opens a widget on a call: the line is being protected. `sinks` are the service's declared recorders; those that need no pause (masked ones of an
    /// Advanced capture) are left alone. That it was opened is audited by the owner, before. `attempts_used` comes from earlier sessions of this kind on this call.
    #[must_use]
    pub fn open(
        id: CaptureId,
        call: CallId,
        widget: Arc<Widget>,
        sinks: Vec<Sink>,
        now: Instant,
        attempts_used: AttemptsUsed,
    ) -> Self {
        let mut session = Self {
            id,
            call,
            state: CaptureState::Arming,
            reason: None,
            guard: Guard::new(widget.kind, sinks),
            rows: rows_of(&widget),
            keying: Keying::default(),
            used: attempts_used,
            timers: Timers::default(),
            line: Line::default(),
            payment: None,
            book: RoutingBook::default(),
            refusal: String::new(),
            revision: 0,
            effects: Effects::new(),
            widget,
        };
        session.reset_rows();
        session.arm(now);
        session.finish();
        session
    }

    /// The same with what the installation knows of routing numbers.
    #[must_use]
    pub fn with_book(mut self, book: RoutingBook) -> Self {
        self.book = book;
        self
    }

    /// The name of the bank whose routing number was keyed; empty: none was, or nobody has imported its name.
    #[must_use]
    pub fn bank_name(&self, slot: &Slot) -> &str {
        let keyed = slot.digits(Field::RoutingNumber.slot_index());
        self.book.bank_name(&keyed).unwrap_or_default()
    }

    /// Takes an event up. Time-outs that were reached before it come first. The slot is the one that belongs to this session.
    pub fn handle(&mut self, now: Instant, clock: UnixMillis, event: Event, slot: &mut Slot) {
        let at = Moment { now, clock };
        self.run_timers(at, slot);
        if matches!(event, Event::Key(_)) {
            self.keying.heard_total = self.keying.heard_total.saturating_add(1);
        }
        if self.ruling(now, &event) == Ruling::Allowed {
            self.apply(at, event, slot);
            self.settle();
        }
        self.finish();
    }

    /// The next effect, until there are none. Drain it after `open` and after each `handle`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop()
    }

    /// When [`Event::Timeout`] is due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next().map(|(_, at)| at)
    }

    /// Whether an event would be taken up now: by the table, and by what else must hold.
    #[must_use]
    pub fn ruling(&self, now: Instant, event: &Event) -> Ruling {
        let by_table = table::ruling(self.state, EventClass::from(event));
        if by_table != Ruling::Allowed {
            return by_table;
        }
        if self.guard.stage == Stage::Closed
            && !matches!(event, Event::Protected | Event::SinkPaused(_))
        {
            return Ruling::Ignored;
        }
        let possible = match event {
            Event::Listen(field) if self.is_next_after_move(now, *field) => return Ruling::Ignored,
            Event::Listen(field) => self.guard.holds() && self.row(*field).is_some(),
            Event::Recapture(field) => self.may_recapture(*field),
            Event::NotAvailable(field) => self.may_be_missing(*field),
            Event::Process { .. } => self.may_process(),
            Event::TryAgain => self.may_try_again(),
            Event::Speaking(_) => !self.guard.is_let_go(),
            Event::KeepOpen if !self.may_keep_open(now) => return Ruling::Ignored,
            Event::Done => !self.widget.kind.is_advanced() && self.any_obtained(),
            Event::ConfirmGone => self.guard.stage == Stage::AwaitingGone,
            Event::Close => self.guard.stage != Stage::AwaitingGone,
            Event::PartyChanged if self.line.ended => return Ruling::Ignored,
            Event::Protected
            | Event::ProtectionRefused(_)
            | Event::SinkPaused(_)
            | Event::SinkRefused(..)
            | Event::Key(_)
            | Event::TonesUnclear
            | Event::KeysLost
            | Event::Rest
            | Event::ChargeSent
            | Event::NotSent(_)
            | Event::Answered(..)
            | Event::KeepOpen
            | Event::Cancel
            | Event::AttemptsReset
            | Event::CallEnded
            | Event::CallHeld(_)
            | Event::LineSilent(_)
            | Event::PartyChanged
            | Event::SamePerson
            | Event::OtherPerson
            | Event::ProtectionLost(_)
            | Event::Timeout => true,
        };
        if possible {
            Ruling::Allowed
        } else {
            Ruling::Refused
        }
    }

    /// Identity.
    #[must_use]
    pub fn id(&self) -> &CaptureId {
        &self.id
    }

    /// State.
    #[must_use]
    pub fn state(&self) -> CaptureState {
        self.state
    }

    /// Why it is in its state, where that needs a reason.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// The widget as it was when the session was opened.
    #[must_use]
    pub fn widget(&self) -> &Arc<Widget> {
        &self.widget
    }

    /// What is used up of the limits, to be handed to the next session of this kind on this call.
    #[must_use]
    pub fn attempts_used(&self) -> AttemptsUsed {
        self.used
    }

    /// The line must stay masked for this session's sake: from the wish for protection until it is let go.
    #[must_use]
    pub fn needs_mask(&self) -> bool {
        !self.guard.is_let_go()
    }

    /// True once [`Effect::Closed`] was given.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.guard.stage == Stage::Closed
    }

    fn apply(&mut self, at: Moment, event: Event, slot: &mut Slot) {
        let was_closed = self.is_closed();
        match event {
            Event::Protected => self.on_protected(at),
            Event::ProtectionRefused(code) => self.block(code),
            Event::SinkPaused(sink) => self.on_sink_paused(at, sink),
            Event::SinkRefused(sink, code) => self.on_sink_refused(&sink, code, slot),
            Event::Key(key) => self.on_key(at, key, slot),
            Event::TonesUnclear | Event::KeysLost => self.on_unclear(at, slot),
            Event::Listen(field) => self.on_listen(at, field, slot),
            Event::Rest => self.stop_listening(slot),
            Event::Recapture(field) => self.on_recapture(at, field, slot),
            Event::NotAvailable(field) => self.on_not_available(at, field, slot),
            Event::Process {
                attempt,
                reference,
                amount,
                has_plan,
            } => self.on_process(attempt, reference, amount, has_plan, slot),
            Event::ChargeSent => self.on_charge_sent(at),
            Event::NotSent(reason) => self.on_not_sent(at, reason, slot),
            Event::Answered(outcome, message, status) => {
                self.on_answered(outcome, message, status, slot);
            }
            Event::Speaking(on) => self.on_speaking(on),
            Event::KeepOpen => self.set_session_limit(at.now),
            Event::TryAgain => self.on_try_again(at, slot),
            Event::Done => self.on_done(at, slot),
            Event::ConfirmGone => self.release(),
            Event::Cancel => self.on_cancel(slot),
            Event::Close => self.on_close(slot),
            Event::AttemptsReset => self.on_attempts_reset(slot),
            Event::CallEnded => self.on_call_ended(at, slot),
            Event::CallHeld(held) => {
                self.line.held = held;
                self.pause_with_line(at);
            }
            Event::LineSilent(silent) => {
                self.line.silent = silent;
                self.pause_with_line(at);
            }
            Event::PartyChanged => self.on_party_changed(at, slot),
            Event::SamePerson => self.on_same_person(at, slot),
            Event::OtherPerson => self.on_other_person(at, slot),
            Event::ProtectionLost(code) => self.on_protection_lost(code, slot),
            Event::Timeout => return,
        }
        if !was_closed {
            self.effects.change();
        }
    }

    fn finish(&mut self) {
        if self.effects.finish() {
            self.revision += 1;
        }
    }

    fn row(&self, field: Field) -> Option<&Row> {
        self.rows.iter().find(|row| row.field == field)
    }

    fn row_mut(&mut self, field: Field) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.field == field)
    }

    fn any_obtained(&self) -> bool {
        self.rows
            .iter()
            .any(|row| row.state == FieldState::Obtained || row.shown_invalid)
    }

    fn all_satisfied(&self) -> bool {
        self.rows.iter().all(Row::is_satisfied)
    }

    /// Derives the state from the rows while fields are taken, and mutes accordingly.
    fn settle(&mut self) {
        if is_taking(self.state) {
            let any = |wanted: fn(&Row) -> bool| self.rows.iter().any(wanted);
            self.state = if any(|row| matches!(row.state, FieldState::Invalid | FieldState::Locked))
            {
                CaptureState::Invalid
            } else if self.all_satisfied() {
                CaptureState::Ready
            } else if any(Row::is_begun) {
                CaptureState::Collecting
            } else {
                CaptureState::Armed
            };
        }
        let keying = self.widget.options.mute_while_keying
            && is_taking(self.state)
            && self.keying.listening.is_some();
        self.mute(keying || self.guard.speaking);
    }

    /// All rows as they are before the first key; what has no attempts left is locked.
    fn reset_rows(&mut self) {
        let attempts_max = self.widget.options.attempts_max;
        for row in &mut self.rows {
            let locked = self.used.field(row.field) >= attempts_max;
            *row = Row::new(row.field, locked);
        }
        self.keying.listening = None;
    }
}

/// The states in which fields are taken.
fn is_taking(state: CaptureState) -> bool {
    matches!(
        state,
        CaptureState::Armed
            | CaptureState::Collecting
            | CaptureState::Invalid
            | CaptureState::Ready
    )
}

/// The fields of a widget: those of its kind, without a security code that is not captured (O1).
fn rows_of(widget: &Widget) -> Vec<Row> {
    let no_code = widget.options.security_code == SecurityCodeRule::NotCaptured;
    widget
        .kind
        .fields()
        .iter()
        .filter(|field| !(no_code && **field == Field::SecurityCode))
        .map(|field| Row::new(*field, false))
        .collect()
}
