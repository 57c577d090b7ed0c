//! Where calls, recorders and rows of recordings meet.
//! Owns: pauses that a recorder confirms, what is read of recordings.
//! Never: implements one; carries audio.

use super::{AuditTrail, LegCallIds, StoreError, Task};
use crate::access::User;
use crate::audit::{AuditAction, AuditEntry, TrailFilter};
use crate::id::{CallId, RecordingId, UserId};
use crate::recording::{Recording, RecordingFilter, RecordingMoment, RecordingPlace};
use crate::service::{Service, Sink};
use crate::time::UnixMillis;

/// The reason code for a declared recorder that nothing here can pause: a capture that needs its pause is blocked (I2).
pub const NO_CONTROL: &str = "recorder_without_control";

/// A call both of whose legs are connected, as recorders need to know it.
#[derive(Debug, Clone, Copy)]
pub struct ConnectedCall<'a> {
    /// The call.
    pub id: &'a CallId,
    /// What was dialled: the caller's text.
    pub called: &'a str,
    /// Who called: the caller's number, one plain line of hostile text; empty: it sent none.
    pub caller_number: &'a str,
    /// Its service, as it was when the call came in.
    pub service: &'a Service,
    /// Its agent, if it has one.
    pub agent: Option<&'a User>,
    /// How other equipment knows it.
    pub legs: &'a LegCallIds,
}

/// How this server's recording of a call's audio stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioRecording {
    /// This server keeps no recordings.
    Unavailable,
    /// There is none.
    Off,
    /// It is about to begin.
    Starting,
    /// It runs, paused or not.
    On,
}

/// Recorders that can be paused, and this server's own among them. A pause counts only once the recorder has confirmed it (I2).
pub trait Recorders: Send + Sync {
    /// Both legs are connected. A call that is to be recorded is, from now on until it ends.
    fn connected(&self, call: ConnectedCall<'_>);
    /// A call of a service on demand is recorded from now on until it ends or [`Recorders::end_recording`]. One that is recorded already goes on.
    fn begin_recording(&self, call: &CallId, service: &Service, agent: Option<&UserId>);
    /// Ends this server's recording of a call's audio; nothing where there is none.
    fn end_recording(&self, call: &CallId);
    /// How this server's recording of a call's audio stands.
    fn audio(&self, call: &CallId) -> AudioRecording;
    /// Answers once a recording that was about to begin runs, or will not.
    fn settled<'a>(&'a self, call: &'a CallId) -> Task<'a, ()>;
    /// Another agent has the call now, on a leg of its own or on the one there was, or nobody has: of the screen of the one before nothing more is recorded, and whoever knows the call by its
    /// agent's leg is asked by the new one. What is paused on the old leg is let go on there.
    fn taken_over(&self, call: ConnectedCall<'_>);
    /// A Basic value of this call may be on the screen of this agent from now on, in whatever window, or is said to be gone: meanwhile nothing is recorded of the
    /// screen that the agent shares for other calls (S12). That of this call is paused as every recorder is.
    fn withhold_screens(&self, call: &CallId, agent: &UserId, on: bool);
    /// Both sides are gone. A capture may still be open and keep recorders paused, but of the agent's screen nothing more is recorded.
    fn hung_up(&self, call: &CallId);
    /// The call has ended, and its digits are wiped: nothing of it is recorded any more.
    fn ended(&self, call: &CallId);
    /// This server's own recorders of this call: of its audio, if that is recorded or about to be, and of its agent's screen, if the service wants that.
    fn own(&self, call: &CallId) -> Vec<Sink>;
    /// Pauses a declared recorder for a call; answers when it has confirmed, or why it cannot: a reason code.
    fn pause<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Result<(), &'static str>>;
    /// Waits while a recorder that has confirmed its pause keeps it. Answers with a reason code once it does not, by its own word or because a pause
    /// may not last so long; with none once it is let go on.
    fn broken<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Option<&'static str>>;
    /// This call is confirmed to be recorded now, masked where it is protected.
    fn is_recording(&self, call: &CallId) -> bool;
    /// Where this server's recording of the call is now, paused or not; none: there is none.
    fn moment(&self, call: &CallId) -> Option<RecordingMoment>;
    /// Lets it go on.
    fn resume<'a>(&'a self, call: &'a CallId, sink: &'a Sink)
    -> Task<'a, Result<(), &'static str>>;
}

/// Rows of recordings.
pub trait Recordings: Send + Sync {
    /// One, whatever its state.
    fn recording<'a>(
        &'a self,
        id: &'a RecordingId,
    ) -> Task<'a, Result<Option<Recording>, StoreError>>;
    /// Those that fit, the newest first, older than the place `after`, at most `limit`.
    fn recordings<'a>(
        &'a self,
        filter: &'a RecordingFilter,
        after: Option<&'a RecordingPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>>;
    /// Those of a node that run, or did when their server ended, the oldest first.
    fn running_recordings<'a>(
        &'a self,
        node: &'a str,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>>;
    /// Those of calls of a node that have ended and were not scanned, the oldest first, newer than the place `after`, at most `limit`.
    fn recordings_unscanned<'a>(
        &'a self,
        node: &'a str,
        after: Option<&'a RecordingPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>>;
    /// Those of a node that are to be deleted at this time, and those whose deletion has begun, the oldest first, at most `limit`.
    fn recordings_due<'a>(
        &'a self,
        node: &'a str,
        at: UnixMillis,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>>;
}

/// A capture may be opened so long before its call's recording has begun: both follow the answer.
const BEFORE_MS: i64 = 60_000;
/// Entries that are read at a go.
const ENTRIES: u32 = 500;

/// Entries that opened captures on the call of a recording, until a time, the oldest first.
///
/// # Errors
/// The trail cannot be read.
pub async fn captures_of(
    trail: &dyn AuditTrail,
    recording: &Recording,
    until: UnixMillis,
) -> Result<Vec<AuditEntry>, StoreError> {
    let filter = TrailFilter {
        action: Some(AuditAction::CaptureOpened),
        from: Some(recording.began.plus_ms(-BEFORE_MS)),
        until: Some(until.plus_ms(1)),
        ..TrailFilter::default()
    };
    let (mut captures, mut before) = (Vec::new(), 0);
    loop {
        let page = trail.entries(&filter, before, ENTRIES).await?;
        let Some(last) = page.last() else {
            captures.reverse();
            return Ok(captures);
        };
        before = last.position;
        let entries = page.into_iter().map(|found| found.entry);
        captures.extend(entries.filter(|entry| entry.detail["call"] == recording.call.as_str()));
    }
}
