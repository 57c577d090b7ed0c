//! Every recorder that this server can pause: its own, and those of the server's file.
//! Owns: which of them a sink means.
//! Never: pauses one itself.

use domain::boundary::{AudioRecording, ConnectedCall, Recorders, Task};
use domain::id::{CallId, UserId};
use domain::recording::RecordingMoment;
use domain::service::{Service, Sink};

use super::Recorder;
use super::external::External;

/// The recorders of this node.
pub(crate) struct AllRecorders {
    /// None: the server's file names no folder.
    pub(crate) own: Option<Recorder>,
    pub(crate) external: External,
}

impl AllRecorders {
    /// The own recorder, if the sink is one of its.
    fn of(&self, sink: &Sink) -> Option<&Recorder> {
        let is_own = sink.is_own() || sink.is_own_screen();
        self.own.as_ref().filter(|_| is_own)
    }
}

impl Recorders for AllRecorders {
    fn connected(&self, call: ConnectedCall<'_>) {
        if let Some(own) = &self.own {
            own.connected(call);
        }
        self.external.connected(call);
    }

    fn begin_recording(&self, call: &CallId, service: &Service, agent: Option<&UserId>) {
        if let Some(own) = &self.own {
            own.begin_recording(call, service, agent);
        }
    }

    fn end_recording(&self, call: &CallId) {
        if let Some(own) = &self.own {
            own.end_recording(call);
        }
    }

    fn audio(&self, call: &CallId) -> AudioRecording {
        let own = self.own.as_ref();
        own.map_or(AudioRecording::Unavailable, |own| own.audio(call))
    }

    fn settled<'a>(&'a self, call: &'a CallId) -> Task<'a, ()> {
        match &self.own {
            Some(own) => own.settled(call),
            None => Box::pin(std::future::ready(())),
        }
    }

    fn taken_over(&self, call: ConnectedCall<'_>) {
        if let Some(own) = &self.own {
            own.taken_over(call);
        }
        self.external.taken_over(call);
    }

    fn withhold_screens(&self, call: &CallId, agent: &UserId, on: bool) {
        if let Some(own) = &self.own {
            own.withhold_screens(call, agent, on);
        }
    }

    fn hung_up(&self, call: &CallId) {
        if let Some(own) = &self.own {
            own.hung_up(call);
        }
        self.external.hung_up(call);
    }

    fn ended(&self, call: &CallId) {
        if let Some(own) = &self.own {
            own.ended(call);
        }
        self.external.ended(call);
    }

    fn own(&self, call: &CallId) -> Vec<Sink> {
        let own = self.own.as_ref();
        own.map(|own| own.own(call)).unwrap_or_default()
    }

    fn is_recording(&self, call: &CallId) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|own| own.is_recording(call))
    }

    fn moment(&self, call: &CallId) -> Option<RecordingMoment> {
        self.own.as_ref()?.moment(call)
    }

    fn pause<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Result<(), &'static str>> {
        match self.of(sink) {
            Some(own) => own.pause(call, sink),
            None => Box::pin(self.external.pause(call, sink)),
        }
    }

    fn broken<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Option<&'static str>> {
        match self.of(sink) {
            Some(own) => own.broken(call, sink),
            None => Box::pin(self.external.broken(call, sink)),
        }
    }

    fn resume<'a>(
        &'a self,
        call: &'a CallId,
        sink: &'a Sink,
    ) -> Task<'a, Result<(), &'static str>> {
        match self.of(sink) {
            Some(own) => own.resume(call, sink),
            None => Box::pin(self.external.resume(call, sink)),
        }
    }
}
