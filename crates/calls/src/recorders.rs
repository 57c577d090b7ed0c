//! Recorders that this server can pause.
//! Owns: the answer for declared recorders that nothing here can reach.
//! Never: says a recorder paused that has not confirmed it.

use domain::boundary::{Recorders, Task};
use domain::id::{CallId, UserId};
use domain::recording::RecordingMoment;
use domain::service::{Service, Sink};

/// No recorder can be reached: every declared one refuses, so that a capture that needs its pause is blocked (I2).
#[derive(Debug, Clone, Copy, Default)]
pub struct Unreachable;

/// The reason code for a recorder without a way to pause it.
pub const NO_CONTROL: &str = "recorder_without_control";

impl Recorders for Unreachable {
    fn connected(&self, _: &CallId, _: &Service, _: Option<&UserId>) {}

    fn ended(&self, _: &CallId) {}

    fn own(&self, _: &CallId) -> Option<Sink> {
        None
    }

    fn is_recording(&self, _: &CallId) -> bool {
        false
    }

    fn moment(&self, _: &CallId) -> Option<RecordingMoment> {
        None
    }

    fn pause<'a>(
        &'a self,
        _call: &'a CallId,
        _sink: &'a Sink,
    ) -> Task<'a, Result<(), &'static str>> {
        Box::pin(async { Err(NO_CONTROL) })
    }

    fn resume<'a>(
        &'a self,
        _call: &'a CallId,
        _sink: &'a Sink,
    ) -> Task<'a, Result<(), &'static str>> {
        Box::pin(async { Err(NO_CONTROL) })
    }
}
