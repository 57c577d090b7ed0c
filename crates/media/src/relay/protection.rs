//! When a call is protected, and when it no longer is.
//! Owns: the stages from asking for protection to having left it, and why they are refused or lost.
//! Never: touches a sample.

use std::time::{Duration, Instant};

use super::Relay;
use super::agent_mask::AgentMask;
use super::comfort_noise::ComfortNoise;
use super::guard::Counting;
use super::output::{ProtectionLoss, ProtectionRefusal, RelayEvent};
use super::self_check;
use super::timeline::TIMELINE_START;
use crate::egress_guard;

/// The consumer must have been heard within this to be protected (S29).
const HEARD_WITHIN: Duration = Duration::from_secs(6);

/// How long asking waits for the consumer to be heard (S29).
const ASKING_MAX: Duration = Duration::from_secs(1);

/// A call that is always to be protected proves its mask again this long after that has failed; until then nothing of it leaves.
const CHECK_AGAIN: Duration = Duration::from_secs(1);

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
    /// The mask was lost: nobody hears the consumer.
    pub(super) fn is_lost(&self) -> bool {
        self.stage == Stage::Lost
    }

    pub(super) fn protect(&mut self, now: Instant) {
        self.drop_keys();
        if !self.sides.consumer.plan.direction.receives() {
            return self.refuse(ProtectionRefusal::NoMedia);
        }
        let silence = now.saturating_duration_since(self.sides.consumer.heard_at);
        let was_heard = self.was_consumer_heard && silence <= HEARD_WITHIN;
        match self.stage {
            Stage::Asked { .. } => {}
            Stage::Armed => self.confirm(now, was_heard),
            _ if was_heard => self.arm(now, self.sides.consumer.ingress.end(now)),
            Stage::Open => {
                self.stage = Stage::Asked {
                    until: now + ASKING_MAX,
                }
            }
            Stage::Lost | Stage::Leaving => self.refuse(ProtectionRefusal::NoMedia),
        }
    }

    pub(super) fn unprotect(&mut self, now: Instant) {
        self.always_from = None;
        match self.stage {
            Stage::Armed | Stage::Lost => {
                self.guard.disarm();
                if self.egress_guard.is_silencing() {
                    self.guard.stay(egress_guard::CLEAN_SPAN);
                }
                self.stage = Stage::Leaving;
                // A mask that was left though nobody asked is over at once.
                self.leave_if_clean();
            }
            Stage::Open | Stage::Asked { .. } => {
                self.stage = Stage::Open;
                self.sides.agent.shut(false);
                let position = self.position(self.sides.consumer.ingress.end(now));
                self.outputs.event(RelayEvent::Unprotected { position });
            }
            Stage::Leaving => {}
        }
    }

    /// The mask holds already, for the whole call or for a capture that is not long over; who asks is told no more than is proven now (S29).
    fn confirm(&mut self, now: Instant, was_heard: bool) {
        let proven = if !was_heard {
            Err(self.why_unheard())
        } else if self.egress_guard.is_silencing() {
            Err(ProtectionRefusal::EgressGuard)
        } else {
            self.self_check(now)
        };
        match proven {
            Ok(()) => self.note_protected(self.guard.heard_end()),
            Err(reason) => self.refuse(reason),
        }
    }

    /// The consumer was heard: what was asked for is given.
    pub(super) fn arm_if_asked(&mut self, now: Instant, from: u64) {
        self.was_consumer_heard = true;
        let is_due = self.always_from.is_some_and(|from| from <= now);
        if matches!(self.stage, Stage::Asked { .. }) || (is_due && self.stage == Stage::Open) {
            self.arm(now, from);
        }
    }

    fn arm(&mut self, now: Instant, from: u64) {
        match self.self_check(now) {
            Ok(()) => self.arm_unproven(now, from),
            Err(reason) => {
                self.always_from = self.always_from.map(|_| now + CHECK_AGAIN);
                self.refuse(reason);
            }
        }
    }

    /// Everything that must hold before the mask may be trusted, but for the consumer being heard (S29).
    fn self_check(&self, now: Instant) -> Result<(), ProtectionRefusal> {
        if self.sides.consumer.is_undecodable() {
            return Err(ProtectionRefusal::Codec);
        }
        self.guard.self_check()?;
        let legs = [&self.sides.consumer.plan, &self.sides.agent.plan];
        self_check::shadow_call(now, legs, self.guard.flat_tone_hz(), self.records)
    }

    /// The mask holds from this timestamp on.
    pub(super) fn arm_unproven(&mut self, now: Instant, from: u64) {
        if self.stage == Stage::Open || matches!(self.stage, Stage::Asked { .. }) {
            self.egress_guard.restart();
        }
        self.stage = Stage::Armed;
        self.is_line_silent = false;
        let noise = self.comfort_noise.as_ref();
        let from = from.max(noise.map_or(0, ComfortNoise::end));
        self.silence_consumer();
        let ts = self.guard.arm(now, from, &mut super::way!(self));
        self.mask_agent(now);
        self.sides.agent.shut(true);
        self.sides.consumer.close_event(&mut self.outputs);
        self.note_protected(ts);
    }

    /// The agent's keys are not sent to the consumer from now on.
    pub(super) fn mask_agent(&mut self, now: Instant) {
        if let Some(mask) = &mut self.agent_mask {
            return mask.stay();
        }
        let end = self.sides.agent.ingress.end(now);
        let codec = self.sides.agent.plan.codec;
        let mask = AgentMask::new(end, self.agent_sent, codec);
        self.agent_mask = Some(Box::new(mask));
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
        if self.stage != Stage::Leaving || self.guard.is_protecting() {
            return;
        }
        let ts = self.guard.finish(&mut super::way!(self));
        self.sides.agent.shut(false);
        if let (Some(mask), None) = (&mut self.agent_mask, &self.agent_keys) {
            mask.leave();
        }
        self.egress_guard.release();
        self.stage = Stage::Open;
        self.is_line_silent = false;
        self.silence_consumer();
        let position = self.position(ts);
        self.outputs.event(RelayEvent::Unprotected { position });
    }

    /// After anything that may have sent something: the last look may have found what must not leave, or a packet came by another way than the
    /// mask's. Either is silenced already; here the capture loses its protection. When that is ending anyway, it goes on until all was clean.
    pub(super) fn heed_egress_guard(&mut self) {
        let is_masked = matches!(self.stage, Stage::Armed | Stage::Lost | Stage::Leaving);
        if self.sides.agent.take_shut_needed() && is_masked {
            self.egress_guard.trip();
        }
        if !self.egress_guard.take_trip() {
            return;
        }
        let reason = ProtectionLoss::EgressGuard;
        match self.stage {
            Stage::Armed => self.lose(reason),
            Stage::Leaving => {
                self.guard.stay(egress_guard::CLEAN_SPAN);
                self.outputs.event(RelayEvent::ProtectionLost { reason });
            }
            Stage::Open | Stage::Asked { .. } | Stage::Lost => {}
        }
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
            self.refuse(self.why_unheard());
        }
    }

    /// Why nothing of the consumer can be used.
    fn why_unheard(&self) -> ProtectionRefusal {
        if self.sides.consumer.is_undecodable() {
            ProtectionRefusal::Codec
        } else {
            ProtectionRefusal::NoMedia
        }
    }

    fn position(&self, ts: u64) -> u64 {
        ts.saturating_sub(TIMELINE_START)
    }
}
