//! The time-outs of a session.
//! Owns: their list, their lengths, and which comes next.
//! Never: reads a clock.

use std::time::{Duration, Instant};

/// One time-out each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// Protection must hold by then ([`ARMING_MAX`]); else blocked.
    Arming,
    /// O8: no key since the field began to listen; the agent is told.
    FirstKey,
    /// O8: no key since the last one; the agent is told, or a complete number is judged.
    InterKey,
    /// S9: a field whose length varies ends by itself.
    FieldEnd,
    /// O3: the card number is hidden for good.
    HideCardNumber,
    /// O3.
    HideExpiry,
    /// O2, O3.
    HideSecurityCode,
    /// O3.
    HideRoutingNumber,
    /// O3.
    HideAccountNumber,
    /// O10: "Keep open" may be pressed from here on.
    LastMinute,
    /// O10: the session ends.
    SessionLimit,
    /// S10: the digits of a charge that was not sent are wiped.
    KeepDigits,
    /// O12: the time to process after the hang-up is over.
    AfterHangUp,
    /// S12: nobody has said that the value is gone.
    ConfirmGone,
    /// S39: nobody has said whether the same person is still on the line.
    PartyAnswer,
}

/// Protection holds within this time or the capture does not start.
pub(super) const ARMING_MAX: Duration = Duration::from_secs(3);
/// Visa and Discover of 16 digits end when no key follows for so long (S9).
pub(super) const CARD_END: Duration = Duration::from_millis(2_500);
/// A security code of a brand not known yet (S9).
pub(super) const CODE_END: Duration = Duration::from_secs(3);
/// An account number (S9).
pub(super) const ACCOUNT_END: Duration = Duration::from_secs(4);
/// A `#` so soon after an automatic end belongs to the field that ended (S8).
pub(super) const LATE_POUND: Duration = Duration::from_secs(3);
/// Digits so soon after an automatic end belong to the field that ended; each one extends it.
pub(super) const SPILL: Duration = Duration::from_millis(500);
/// Digits so soon after a key that nobody could read belong to the same value, whose consumer does not know yet; each one extends it. As long as a
/// card number waits for its next digit: the agent needs longer to ask for it again.
pub(super) const UNREAD: Duration = CARD_END;
/// Next so soon after an automatic move is ignored (S8).
pub(super) const MOVE_SETTLES: Duration = Duration::from_secs(1);
/// How long before the session limit it can be put off (O10).
pub(super) const LAST_MINUTE: Duration = Duration::from_secs(60);
/// How long digits of a charge that was not sent are kept (S10).
pub(super) const KEEP_DIGITS: Duration = Duration::from_secs(120);
/// O12.
pub(super) const AFTER_HANG_UP: Duration = Duration::from_secs(30);
/// S12.
pub(super) const CONFIRM_GONE: Duration = Duration::from_secs(60);
/// S39.
pub(super) const PARTY_ANSWER: Duration = Duration::from_secs(20);
/// How much of what was heard before the agent said that a number is being spoken may hold some of it (S13).
pub(super) const SPOKEN_MARK: Duration = Duration::from_secs(15);
/// O2: the security code is shown for so long in all.
pub(super) const CODE_SHOWN: Duration = Duration::from_secs(30);

impl Timer {
    pub(super) const ALL: [Self; 15] = [
        Self::Arming,
        Self::FirstKey,
        Self::InterKey,
        Self::FieldEnd,
        Self::HideCardNumber,
        Self::HideExpiry,
        Self::HideSecurityCode,
        Self::HideRoutingNumber,
        Self::HideAccountNumber,
        Self::LastMinute,
        Self::SessionLimit,
        Self::KeepDigits,
        Self::AfterHangUp,
        Self::ConfirmGone,
        Self::PartyAnswer,
    ];

    /// Those that wait for the consumer, and stand still while the consumer cannot key.
    const KEYING: [Self; 3] = [Self::FirstKey, Self::InterKey, Self::FieldEnd];

    fn place(self) -> usize {
        Self::ALL
            .iter()
            .position(|timer| *timer == self)
            .unwrap_or(0)
    }
}

/// When each time-out is reached.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: [Option<Instant>; Timer::ALL.len()],
    paused_at: Option<Instant>,
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.due[timer.place()] = Some(at);
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.due[timer.place()] = None;
    }

    pub(super) fn clear_keying(&mut self) {
        for timer in Timer::KEYING {
            self.clear(timer);
        }
    }

    pub(super) fn clear_all(&mut self) {
        self.due = [None; Timer::ALL.len()];
    }

    pub(super) fn at(&self, timer: Timer) -> Option<Instant> {
        self.due[timer.place()]
    }

    /// Stops or restarts the time-outs that wait for the consumer.
    pub(super) fn pause_keying(&mut self, now: Instant, paused: bool) {
        match (self.paused_at, paused) {
            (None, true) => self.paused_at = Some(now),
            (Some(since), false) => {
                let away = now.saturating_duration_since(since);
                for timer in Timer::KEYING {
                    let due = &mut self.due[timer.place()];
                    *due = due.map(|at| at + away);
                }
                self.paused_at = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// The one that is reached first.
    pub(super) fn next(&self) -> Option<(Timer, Instant)> {
        Timer::ALL
            .into_iter()
            .filter(|timer| self.paused_at.is_none() || !Timer::KEYING.contains(timer))
            .filter_map(|timer| self.at(timer).map(|at| (timer, at)))
            .min_by_key(|(_, at)| *at)
    }

    /// Takes the first one that is reached at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let (timer, at) = self.next()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }
}
