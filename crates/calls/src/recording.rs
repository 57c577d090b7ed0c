//! What records a call beside its captures: whether anything does, and what its agent begins and ends where the service leaves that to agents.
//! Owns: when that is possible, what the agent's page says of it.
//! Never: pauses a recorder, or takes one for running before it runs.

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::AudioRecording;
use domain::service::{RecordWhen, SinkMedium};
use domain::view::{ButtonDisabled, CallRecordingState, CallRecordingView, DeskError};

use crate::task::{CallTask, Done};

impl CallTask {
    /// What the agent's page says of it.
    pub(crate) fn recording(&self) -> CallRecordingView {
        let audio = self.inner.deps.recorders.audio(self.call.id());
        let when = self.service.call_recording.when;
        let state = match audio {
            AudioRecording::On => CallRecordingState::On,
            AudioRecording::Starting => CallRecordingState::Starting,
            _ if self.is_recording_failed => CallRecordingState::Failed,
            _ if self.is_elsewhere() => CallRecordingState::Elsewhere,
            AudioRecording::Off | AudioRecording::Unavailable => CallRecordingState::Off,
        };
        CallRecordingView {
            state,
            on_demand: when == RecordWhen::OnDemand && audio != AudioRecording::Unavailable,
        }
    }

    /// Somebody else records it, or nobody has said yet that nobody does.
    fn is_elsewhere(&self) -> bool {
        let Some(declared) = &self.service.recorders else {
            return true;
        };
        let mut sinks = declared.sinks.iter();
        sinks.any(|sink| sink.medium == SinkMedium::Call)
    }

    /// The agent has the call recorded from now on, or no more. A Basic capture has paused what recorded the call when it was opened, and a consent is read
    /// out to be recorded: while one is open neither may change under it.
    pub(crate) fn record(&mut self, actor: &Actor, on: bool) -> Result<(), DeskError> {
        let recorders = self.inner.deps.recorders.clone();
        let call = self.call.id();
        let audio = recorders.audio(call);
        if !self.recording().on_demand {
            return Err(DeskError::NotOnDemand);
        }
        if on == (audio != AudioRecording::Off) {
            return Ok(());
        }
        if audio == AudioRecording::Starting {
            return Err(DeskError::Busy);
        }
        if self.open.is_some() {
            return Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
        }
        let now = self.inner.deps.clock.now();
        let object = format!("call {call}");
        let entry = AuditEntry::new(now, actor, AuditAction::RecordingAsked, object);
        self.inner.audit.append(entry.with("on", on));
        if on {
            let agent = self.agent.as_ref().map(|agent| &agent.id);
            recorders.begin_recording(call, &self.service, agent);
            self.await_recording();
        } else {
            recorders.end_recording(call);
            self.is_recording_failed = false;
        }
        self.publish_call();
        Ok(())
    }

    /// The page is told once a recording that is about to begin runs, or does not.
    pub(crate) fn await_recording(&mut self) {
        let (recorders, call) = (self.inner.deps.recorders.clone(), self.call.id().clone());
        if recorders.audio(&call) != AudioRecording::Starting {
            return;
        }
        self.work.spawn(async move {
            recorders.settled(&call).await;
            Done::RecordingSettled
        });
    }

    pub(crate) fn recording_settled(&mut self) {
        let audio = self.inner.deps.recorders.audio(self.call.id());
        self.is_recording_failed = self.call.is_up() && audio == AudioRecording::Off;
        self.publish_call();
    }
}
