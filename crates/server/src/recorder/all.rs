//! Every recorder that this server can pause: its own, and those of the server's file.
//! Owns: which of them a sink means.
//! Never: pauses one itself.

use domain::boundary::{ConnectedCall, Recorders, Task};
use domain::id::CallId;
use domain::recording::RecordingMoment;
use domain::service::Sink;

use super::Recorder;
use super::external::External;

/// The recorders of this node.
pub(crate) struct AllRecorders {
    /// None: the server's file names no folder.
    pub(crate) own: Option<Recorder>,
    pub(crate) external: External,
}

impl Recorders for AllRecorders {
    fn connected(&self, call: ConnectedCall<'_>) {
        if let Some(own) = &self.own {
            own.connected(call);
        }
        self.external.connected(call);
    }

    fn ended(&self, call: &CallId) {
        if let Some(own) = &self.own {
            own.ended(call);
        }
        self.external.ended(call);
    }

    fn own(&self, call: &CallId) -> Option<Sink> {
        self.own.as_ref()?.own(call)
    }

    fn is_recording(&self, call: &CallId) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|own| own.is_recording(call))
    }

    fn moment(&self, call: &CallId) -> Option<RecordingMoment> {
        self.own.as_ref()?.moment(call)
    }

    fn pause<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Result<(), &'static str>> {
        match (&self.own, sink.is_own()) {
            (Some(own), true) => own.pause(call, sink),
            (_, _) => Box::pin(self.external.pause(call, sink)),
        }
    }

    fn broken<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Option<&'static str>> {
        match (&self.own, sink.is_own()) {
            (Some(own), true) => own.broken(call, sink),
            (_, _) => Box::pin(self.external.broken(call, sink)),
        }
    }

    fn resume<'a>(
        &'a self,
        call: &'a CallId,
        sink: &'a Sink,
    ) -> Task<'a, Result<(), &'static str>> {
        match (&self.own, sink.is_own()) {
            (Some(own), true) => own.resume(call, sink),
            (_, _) => Box::pin(self.external.resume(call, sink)),
        }
    }
}
