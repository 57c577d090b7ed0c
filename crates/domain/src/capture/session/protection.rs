//! What must hold before the first prompt, and how it is let go.
//! Owns: our mask, the recorders, the mute.
//! Never: says armed before everything is confirmed (I2), and never resumes a recorder before the digits are wiped.

use std::time::Instant;

use super::event::Effect;
use super::timers::{ARMING_MAX, LAST_MINUTE, SPOKEN_MARK, Timer};
use super::{Moment, Session, is_taking};
use crate::audit::AuditAction;
use crate::capture::{CaptureState, WidgetKind};
use crate::id::SinkId;
use crate::service::{Sink, SinkHearing};

/// Recorders that one capture can pause: the 16 that a service may declare, more than any installation has been seen with, and this server's own two. A call
/// with more is blocked.
pub const SINKS_MAX: usize = 18;

/// The reason code of a recorder of screens whose service requires a shared screen, and there is none (S21).
pub const SCREEN_NOT_SHARED: &str = "screen_not_shared";

/// How far the protection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Confirmations are awaited.
    Arming,
    /// Everything is confirmed.
    Holding,
    /// Basic, values wiped: recorders stay paused until the agent says that the value is gone elsewhere (S12).
    AwaitingGone,
    /// Let go.
    Released,
    /// Let go, and off the screen.
    Closed,
}

/// The protection's parts.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) stage: Stage,
    pub(super) mask: bool,
    pub(super) sinks: Vec<(Sink, bool)>,
    pub(super) muted: bool,
    /// The agent said that the consumer is speaking the number (S13).
    pub(super) speaking: bool,
}

impl Guard {
    /// Advanced pauses only what stands on the unmasked side (S21).
    pub(super) fn new(kind: WidgetKind, sinks: Vec<Sink>) -> Self {
        let sinks = sinks
            .into_iter()
            .filter(|sink| !kind.is_advanced() || sink.hears == SinkHearing::Unmasked)
            .map(|sink| (sink, false))
            .collect();
        Self {
            stage: Stage::Released,
            mask: false,
            sinks,
            muted: false,
            speaking: false,
        }
    }

    pub(super) fn holds(&self) -> bool {
        self.stage == Stage::Holding
    }

    fn all_confirmed(&self) -> bool {
        self.mask && self.sinks.iter().all(|(_, confirmed)| *confirmed)
    }

    pub(super) fn is_let_go(&self) -> bool {
        matches!(self.stage, Stage::Released | Stage::Closed)
    }
}

impl Session {
    /// Asks for every part.
    pub(super) fn arm(&mut self, now: Instant) {
        self.state = CaptureState::Arming;
        self.reason = None;
        self.guard.stage = Stage::Arming;
        self.guard.mask = false;
        self.timers.set(Timer::Arming, now + ARMING_MAX);
        self.set_session_limit(now);
        self.effects.change();
        self.effects.push(Effect::Protect);
        if self.guard.sinks.len() > SINKS_MAX {
            self.guard.sinks.truncate(SINKS_MAX);
            self.block("too_many_recorders");
            return;
        }
        for (sink, confirmed) in &mut self.guard.sinks {
            *confirmed = false;
            self.effects.push(Effect::PauseSink(sink.id.clone()));
        }
    }

    pub(super) fn set_session_limit(&mut self, now: Instant) {
        let ends = now + self.widget.options.session_limit();
        self.timers.set(Timer::SessionLimit, ends);
        let last_minute = ends.checked_sub(LAST_MINUTE).unwrap_or(now);
        self.timers.set(Timer::LastMinute, last_minute);
    }

    pub(super) fn on_protected(&mut self, at: Moment) {
        if self.guard.is_let_go() {
            self.effects.push(Effect::Unprotect);
            return;
        }
        self.guard.mask = true;
        self.armed_if_confirmed(at);
    }

    pub(super) fn on_sink_paused(&mut self, at: Moment, id: SinkId) {
        if self.guard.is_let_go() {
            self.effects.push(Effect::ResumeSink(id));
            return;
        }
        for (sink, confirmed) in &mut self.guard.sinks {
            *confirmed |= sink.id == id;
        }
        self.armed_if_confirmed(at);
    }

    fn armed_if_confirmed(&mut self, at: Moment) {
        if self.guard.stage != Stage::Arming || !self.guard.all_confirmed() {
            return;
        }
        self.guard.stage = Stage::Holding;
        self.state = CaptureState::Armed;
        self.timers.clear(Timer::Arming);
        self.effects.audit(AuditAction::CaptureArmed, Vec::new());
        if !self.widget.kind.is_advanced() {
            self.listen_next(at, None);
        }
    }

    pub(super) fn on_sink_refused(
        &mut self,
        id: &SinkId,
        code: &'static str,
        slot: &mut secret::Slot,
    ) {
        let ours = self.guard.sinks.iter().any(|(sink, _)| sink.id == *id);
        if ours {
            // The agent can do something about this one alone.
            let is_agents = code == SCREEN_NOT_SHARED;
            let code = if is_agents { code } else { "recorder_refused" };
            self.on_protection_lost(code, slot);
        }
    }

    /// Protection was refused: everything is let go, and the agent may try again.
    pub(super) fn block(&mut self, code: &'static str) {
        self.state = CaptureState::Blocked;
        self.reason = Some(code);
        self.timers.clear_all();
        self.effects
            .audit(AuditAction::CaptureBlocked, vec![("reason", code.into())]);
        self.release();
    }

    /// Fails closed. A charge on its way is not touched: its digits are not here any more.
    pub(super) fn on_protection_lost(&mut self, code: &'static str, slot: &mut secret::Slot) {
        if self.state == CaptureState::Arming {
            self.block(code);
            return;
        }
        if self.guard.is_let_go() {
            return;
        }
        self.effects
            .audit(AuditAction::ProtectionLost, vec![("reason", code.into())]);
        self.effects.push(Effect::Alarm("protection_lost"));
        if is_taking(self.state) || self.is_frozen() {
            self.end(CaptureState::ProtectionLost, Some(code), slot);
        }
        if self.guard.stage != Stage::AwaitingGone {
            self.release();
        }
    }

    /// Lets go of mask, recorders and mute. The digits are wiped, or none of this session's business any more.
    pub(super) fn release(&mut self) {
        if self.guard.is_let_go() {
            return;
        }
        if matches!(self.guard.stage, Stage::Holding | Stage::AwaitingGone) {
            self.effects.audit(AuditAction::CaptureReleased, Vec::new());
        }
        self.guard.stage = Stage::Released;
        self.guard.mask = false;
        self.timers.clear(Timer::ConfirmGone);
        self.guard.speaking = false;
        self.mute(false);
        self.effects.push(Effect::Unprotect);
        for (sink, confirmed) in &mut self.guard.sinks {
            *confirmed = false;
            self.effects.push(Effect::ResumeSink(sink.id.clone()));
        }
    }

    /// Nobody hears the consumer until the agent says otherwise or the capture ends. What was said already is marked, so that it can be removed (S13).
    pub(super) fn on_speaking(&mut self, on: bool) {
        if self.guard.speaking == on {
            return;
        }
        self.guard.speaking = on;
        let facts = if on {
            vec![
                ("on", true.into()),
                ("marked_s", SPOKEN_MARK.as_secs().into()),
            ]
        } else {
            vec![("on", false.into())]
        };
        self.effects.audit(AuditAction::CustomerSpeaking, facts);
    }

    pub(super) fn mute(&mut self, on: bool) {
        if self.guard.muted != on {
            self.guard.muted = on;
            self.effects.push(Effect::Mute(on));
        }
    }
}
