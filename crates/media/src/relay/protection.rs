//! When a call is protected, and when it no longer is.
//! Owns: the stages from asking for protection to having left it, and why they are refused or lost.
//! Never: touches a sample.

use std::time::{Duration, Instant};

use super::Relay;
use super::guard::Counting;
use super::output::{ProtectionLoss, ProtectionRefusal, RelayEvent};
use super::timeline::TIMELINE_START;

/// The consumer must have been heard within this to be protected (S29).
const HEARD_WITHIN: Duration = Duration::from_secs(6);

/// How long asking waits for the consumer to be heard (S29).
const ASKING_MAX: Duration = Duration::from_secs(1);

/// A relay that was due to be driven for longer than this has lost the protection of its call (S37).
const STALL_MAX: Duration = Duration::from_secs(1);

/// A protected consumer of whom nothing came for this long is reported (S36).
const LINE_SILENT_AFTER: Duration = Duration::from_secs(3);

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Packets are relayed as they come.
    Open,
    /// Protection was asked for; the consumer has not been heard lately.
    Asked {
        /// When it is refused.
        until: Instant,
    },
    /// The mask holds and keys count.
    Armed,
    /// The mask holds; the agent hears silence, keys do not count.
    Lost,
    /// The mask holds until a clean moment comes; keys do not count.
    Leaving,
}

impl Stage {
    pub(super) fn counting(self) -> Counting {
        if self == Self::Armed {
            Counting::On
        } else {
            Counting::Off
        }
    }
}

impl Relay {
    pub(super) fn protect(&mut self, now: Instant) {
        if !self.sides.consumer.plan.direction.receives() {
            return self.refuse(ProtectionRefusal::NoMedia);
        }
        let silence = now.saturating_duration_since(self.sides.consumer.heard_at);
        let was_heard = self.was_consumer_heard && silence <= HEARD_WITHIN;
        match self.stage {
            Stage::Asked { .. } => {}
            Stage::Armed => self.note_protected(self.guard.heard_end()),
            _ if was_heard => self.arm(now),
            Stage::Open => {
                self.stage = Stage::Asked {
                    until: now + ASKING_MAX,
                }
            }
            Stage::Lost | Stage::Leaving => self.refuse(ProtectionRefusal::NoMedia),
        }
    }

    pub(super) fn unprotect(&mut self, now: Instant) {
        match self.stage {
            Stage::Armed | Stage::Lost => {
                self.guard.disarm();
                self.stage = Stage::Leaving;
            }
            Stage::Open | Stage::Asked { .. } => {
                self.stage = Stage::Open;
                let position = self.position(self.sides.consumer.ingress.end(now));
                self.outputs.event(RelayEvent::Unprotected { position });
            }
            Stage::Leaving => {}
        }
    }

    /// The consumer was heard: what was asked for is given.
    pub(super) fn arm_if_asked(&mut self, now: Instant) {
        self.was_consumer_heard = true;
        if matches!(self.stage, Stage::Asked { .. }) {
            self.arm(now);
        }
    }

    fn arm(&mut self, now: Instant) {
        if self.guard.self_check().is_err() {
            return self.refuse(ProtectionRefusal::SelfCheck);
        }
        self.stage = Stage::Armed;
        self.is_line_silent = false;
        self.guard.mute(self.is_muted);
        let end = self.sides.consumer.ingress.end(now);
        let ts = self.guard.arm(now, end, &mut super::way!(self));
        self.sides.consumer.close_event(&mut self.outputs);
        self.note_protected(ts);
    }

    fn note_protected(&mut self, ts: u64) {
        let timestamp = self.sides.agent.egress.rtp_timestamp(ts);
        let position = self.position(ts);
        self.outputs.event(RelayEvent::Protected {
            timestamp,
            position,
        });
    }

    fn refuse(&mut self, reason: ProtectionRefusal) {
        if matches!(self.stage, Stage::Asked { .. }) {
            self.stage = Stage::Open;
        }
        self.outputs.event(RelayEvent::ProtectionRefused { reason });
    }

    /// The agent hears silence from here on, until protection is ended.
    pub(super) fn lose(&mut self, reason: ProtectionLoss) {
        if self.stage == Stage::Armed {
            self.stage = Stage::Lost;
            self.guard.tally.clear();
            self.guard.mute(true);
            self.outputs.event(RelayEvent::ProtectionLost { reason });
        }
    }

    /// After audio: the mask may have been left with it.
    pub(super) fn leave_if_clean(&mut self) {
        if self.guard.is_protecting() {
            return;
        }
        let ts = self.guard.finish(&mut super::way!(self));
        self.stage = Stage::Open;
        self.is_line_silent = false;
        self.guard.mute(self.is_muted);
        let position = self.position(ts);
        self.outputs.event(RelayEvent::Unprotected { position });
    }

    /// A thread that was not there for a second may have missed a press, and its packets with it.
    pub(super) fn note_stall(&mut self, now: Instant, received_at: Instant) {
        if self.stage != Stage::Armed {
            return;
        }
        let overdue = self
            .next_timeout()
            .is_some_and(|due| now.saturating_duration_since(due) > STALL_MAX);
        if overdue || now.saturating_duration_since(received_at) > STALL_MAX {
            self.lose(ProtectionLoss::Stalled);
        }
    }

    pub(super) fn protection_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Asked { until } => Some(until),
            Stage::Armed if !self.is_line_silent => {
                Some(self.sides.consumer.heard_at + LINE_SILENT_AFTER)
            }
            Stage::Armed | Stage::Open | Stage::Lost | Stage::Leaving => None,
        }
    }

    pub(super) fn handle_protection_timeout(&mut self, now: Instant) {
        if self.protection_timeout().is_none_or(|due| due > now) {
            return;
        }
        if self.stage == Stage::Armed {
            self.is_line_silent = true;
            self.outputs.event(RelayEvent::LineSilent);
        } else {
            self.refuse(ProtectionRefusal::NoMedia);
        }
    }

    fn position(&self, ts: u64) -> u64 {
        ts.saturating_sub(TIMELINE_START)
    }
}
