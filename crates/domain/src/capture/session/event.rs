//! What goes into a session and what comes out.
//! Owns: events, effects, the queue between.
//! Never: carries a digit out; a key that comes in goes to the slot.

use std::collections::VecDeque;

use secret::Key;

use crate::audit::AuditAction;
use crate::capture::Field;
use crate::gateway::NotSentReason;
use crate::id::{AttemptId, SinkId};
use crate::money::Money;
use crate::payment::Outcome;

/// Something that happened to a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Our own mask holds.
    Protected,
    /// It could not be armed: a reason code.
    ProtectionRefused(&'static str),
    /// A recorder has confirmed its pause.
    SinkPaused(SinkId),
    /// A recorder refused to pause, or went on by itself.
    SinkRefused(SinkId, &'static str),
    /// The consumer pressed a key.
    Key(Key),
    /// A key sounded that could not be read.
    TonesUnclear,
    /// Keys were lost between the line and us.
    KeysLost,
    /// The agent chose this field: Next, Back, a click on a row.
    Listen(Field),
    /// The agent left the capture fields.
    Rest,
    /// "Capture again", or "Clear" on the field being keyed.
    Recapture(Field),
    /// "Not available".
    NotAvailable(Field),
    /// Process Payment.
    Process {
        /// The new attempt.
        attempt: AttemptId,
        /// What people read to each other.
        reference: String,
        /// How much.
        amount: Money,
        /// More is due later, and is set up by a call of its own.
        has_plan: bool,
    },
    /// The ledger says sent; the first byte leaves.
    ChargeSent,
    /// Nothing left this server. The digits are back in the slot.
    NotSent(NotSentReason),
    /// The charge ended: outcome, message for the agent, HTTP status. Also when a person or a query has resolved an unknown one.
    Answered(Outcome, String, Option<u16>),
    /// "Customer is speaking the number", or no longer (S13).
    Speaking(bool),
    /// "Keep open".
    KeepOpen,
    /// "Try again".
    TryAgain,
    /// Basic: "Done".
    Done,
    /// Basic: the value is gone from every other window.
    ConfirmGone,
    /// "Cancel".
    Cancel,
    /// "Close".
    Close,
    /// A supervisor gave the attempts back (S14).
    AttemptsReset,
    /// The call is over.
    CallEnded,
    /// The call is on hold, or no longer.
    CallHeld(bool),
    /// Nothing arrives from the consumer, or it does again.
    LineSilent(bool),
    /// Another person may be on the line (S39).
    PartyChanged,
    /// The agent says that the same person is still on the line.
    SamePerson,
    /// The agent says that somebody else is.
    OtherPerson,
    /// The mask ended by itself: a reason code.
    ProtectionLost(&'static str),
    /// [`super::Session::next_timeout`] is reached.
    Timeout,
}

/// What the owner of a session is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Arm our mask; answer with `Protected` or `ProtectionRefused`.
    Protect,
    /// Leave the mask.
    Unprotect,
    /// Pause a recorder; answer with `SinkPaused` or `SinkRefused`.
    PauseSink(SinkId),
    /// Let a recorder go on.
    ResumeSink(SinkId),
    /// Silence the consumer towards everyone, or end that (O11, S13).
    Mute(bool),
    /// A new view is to be published.
    Changed,
    /// Take the slot's digits and start the charge.
    Charge,
    /// Write an audit entry with these facts.
    Audit(AuditAction, Vec<(&'static str, serde_json::Value)>),
    /// Tell the people who watch: a reason code.
    Alarm(&'static str),
    /// The capture is off the screen; the session can be dropped.
    Closed,
}

/// Effects of one event, until they are taken. One event yields at most an end of the session with every recorder's resume
/// (`2 * SINKS_MAX + 16`); the owner drains the queue after each event. When it is full the effect is dropped, which only an owner that never drains can
/// bring about.
const EFFECTS_MAX: usize = 64;

/// The effects that wait, and the two that come last.
#[derive(Debug)]
pub(super) struct Effects {
    queue: VecDeque<Effect>,
    changed: bool,
    closed: bool,
}

impl Effects {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::with_capacity(EFFECTS_MAX),
            changed: false,
            closed: false,
        }
    }

    pub(super) fn push(&mut self, effect: Effect) {
        debug_assert!(self.queue.len() < EFFECTS_MAX, "effects are drained");
        if self.queue.len() < EFFECTS_MAX {
            self.queue.push_back(effect);
        }
    }

    pub(super) fn audit(
        &mut self,
        action: AuditAction,
        facts: Vec<(&'static str, serde_json::Value)>,
    ) {
        self.push(Effect::Audit(action, facts));
    }

    /// A view is due once the event is dealt with.
    pub(super) fn change(&mut self) {
        self.changed = true;
    }

    /// The session is over once everything else is done.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Puts the last two in; true if the view has changed.
    pub(super) fn finish(&mut self) -> bool {
        let changed = std::mem::take(&mut self.changed);
        if changed && !self.queue.contains(&Effect::Changed) {
            self.push(Effect::Changed);
        }
        if std::mem::take(&mut self.closed) {
            self.push(Effect::Closed);
        }
        changed
    }

    pub(super) fn pop(&mut self) -> Option<Effect> {
        self.queue.pop_front()
    }
}
