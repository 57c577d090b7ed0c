//! Two legs that make one call: what happens on one is done to the other.
//! Owns: the standing of a pair, and the commands that keep both legs in step.
//! Never: chooses the second leg's target, touches a session description, or acts by itself: each step is a list of wishes.
//! Start reading at: `Pair::step`.
//!
//! Sessions are the shell's matter, because media stands between the legs: whenever a wish is to carry one, it says for which leg, and
//! the shell fills it in.

use crate::message::Status;
use crate::stack::{EndReason, Event, LegId};

/// A call: the leg that came in, the leg that went out, and how far they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The leg that came in.
    pub incoming: LegId,
    /// The leg that went out; changes when the call is tried elsewhere.
    pub outgoing: LegId,
    standing: Standing,
}

/// How far a pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The outgoing leg rings.
    Offering,
    /// Both are answered.
    Talking,
    /// Nothing is left to do.
    Over,
}

/// What the shell is to do. Commands of the same names carry it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `Command::Provisional`; with a session if `early_media` is set.
    Provisional {
        /// The incoming leg.
        leg: LegId,
        /// What the outgoing leg heard.
        status: Status,
        /// The outgoing leg's far side has described early media.
        early_media: bool,
    },
    /// `Command::Answer`.
    Answer {
        /// The incoming leg.
        leg: LegId,
    },
    /// `Command::Reject`.
    Reject {
        /// The incoming leg.
        leg: LegId,
        /// For the caller to hear.
        status: Status,
    },
    /// `Command::Hangup`.
    Hangup {
        /// The other leg of the one that ended.
        leg: LegId,
    },
    /// The other leg's far side changes its session: accept it here, or offer it there first.
    Renegotiate {
        /// The leg that was offered something.
        offered: LegId,
        /// The leg whose far side may have to hear of it.
        other: LegId,
    },
}

impl Pair {
    /// A pair whose outgoing leg has just been invited.
    #[must_use]
    pub fn new(incoming: LegId, outgoing: LegId) -> Self {
        Self {
            incoming,
            outgoing,
            standing: Standing::Offering,
        }
    }

    /// The leg opposite to this one; `None` if it is neither.
    #[must_use]
    pub fn other(&self, leg: LegId) -> Option<LegId> {
        match leg {
            leg if leg == self.incoming => Some(self.outgoing),
            leg if leg == self.outgoing => Some(self.incoming),
            _ => None,
        }
    }

    /// Tries another far side in place of the outgoing leg, which has failed or was given up. Only before the call is answered.
    pub fn retarget(&mut self, outgoing: LegId) {
        if self.standing != Standing::Talking {
            self.outgoing = outgoing;
            self.standing = Standing::Offering;
        }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.standing == Standing::Over
    }

    /// What an event of one leg asks for on the other. Events of other legs ask for nothing.
    pub fn step(&mut self, event: &Event) -> Option<Wish> {
        match event {
            Event::Progress {
                leg,
                status,
                answer,
            } if self.is_offering(*leg) => Some(Wish::Provisional {
                leg: self.incoming,
                status: *status,
                early_media: answer.is_some(),
            }),
            Event::Answered { leg, .. } if self.is_offering(*leg) => {
                self.standing = Standing::Talking;
                Some(Wish::Answer { leg: self.incoming })
            }
            Event::Failed { leg, status, .. } if self.is_offering(*leg) => {
                self.standing = Standing::Over;
                Some(Wish::Reject {
                    leg: self.incoming,
                    status: heard_by_caller(*status),
                })
            }
            Event::Offered { leg, .. } if self.standing == Standing::Talking => {
                Some(Wish::Renegotiate {
                    offered: *leg,
                    other: self.other(*leg)?,
                })
            }
            Event::Ended { leg, reason } => self.ended(*leg, *reason),
            _ => None,
        }
    }

    fn is_offering(&self, leg: LegId) -> bool {
        self.standing == Standing::Offering && leg == self.outgoing
    }

    fn ended(&mut self, leg: LegId, reason: EndReason) -> Option<Wish> {
        let other = self.other(leg)?;
        if self.standing == Standing::Over {
            return None;
        }
        self.standing = Standing::Over;
        match reason {
            EndReason::HungUp
            | EndReason::Bye
            | EndReason::Cancelled
            | EndReason::Rejected
            | EndReason::Timeout
            | EndReason::Lost => Some(Wish::Hangup { leg: other }),
        }
    }
}

/// A challenge or a redirection of the far side is none of the caller's business.
fn heard_by_caller(status: Status) -> Status {
    match status.code() {
        300..=399 | 401 | 407 | 483 | 482 => Status::TEMPORARILY_UNAVAILABLE,
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN: LegId = LegId(1);
    const OUT: LegId = LegId(2);

    #[test]
    fn a_call_is_rung_answered_and_ended_on_both_legs() {
        let mut pair = Pair::new(IN, OUT);
        let ringing = Event::Progress {
            leg: OUT,
            status: Status::RINGING,
            answer: None,
        };
        assert_eq!(
            pair.step(&ringing),
            Some(Wish::Provisional {
                leg: IN,
                status: Status::RINGING,
                early_media: false
            })
        );
        let answered = Event::Answered {
            leg: OUT,
            answer: None,
            late_offer: None,
        };
        assert_eq!(pair.step(&answered), Some(Wish::Answer { leg: IN }));
        assert_eq!(pair.step(&answered), None);
        assert_eq!(
            pair.step(&Event::Ended {
                leg: IN,
                reason: EndReason::Bye
            }),
            Some(Wish::Hangup { leg: OUT })
        );
        assert_eq!(
            pair.step(&Event::Ended {
                leg: OUT,
                reason: EndReason::HungUp
            }),
            None
        );
        assert!(pair.is_over());
    }

    #[test]
    fn a_callee_can_be_replaced_until_one_answers() {
        let mut pair = Pair::new(IN, OUT);
        pair.retarget(LegId(3));
        assert_eq!(
            pair.step(&Event::Failed {
                leg: OUT,
                status: Status::BUSY_HERE,
                retry_after: None
            }),
            None
        );
        let failed = Event::Failed {
            leg: LegId(3),
            status: Status::UNAUTHORIZED,
            retry_after: None,
        };
        assert_eq!(
            pair.step(&failed),
            Some(Wish::Reject {
                leg: IN,
                status: Status::TEMPORARILY_UNAVAILABLE
            })
        );
    }
}
