//! Pauses of the own recorder (Basic, I2).
//! Owns: from which sample to which one nothing is kept.
//! Never: keeps a sample that came while it was paused, however late it is handed over.

use std::sync::Arc;
use std::time::Duration;

use domain::id::{CallId, RecordingId};
use recording::{ControlError, PauseError};

use super::Shared;

/// A pause whose samples were sealed meanwhile begins at a later one, so often: a segment is sealed each half second.
const PAUSE_TRIES: usize = 3;

/// What is in the media threads' rings is handed over within 20 ms; a thread that is so late does not run.
const CAUGHT_UP_MAX: Duration = Duration::from_secs(2);

/// The reason code for a recorder that did not do what it was asked.
const NOT_DONE: &str = "recorder_failed";

impl Shared {
    /// Answers once no sample from now on is kept. A call without a recording needs none.
    pub(super) async fn pause(&self, call: &CallId) -> Result<(), &'static str> {
        let Some(control) = self.control(call) else {
            return Ok(());
        };
        let _alone = control.lock().await;
        for _ in 0..PAUSE_TRIES {
            // All that is heard from here on lies behind this position.
            let Some((recording, from, false)) = self.standing(call) else {
                return Ok(());
            };
            let writer = self.writer().ok_or(NOT_DONE)?;
            match writer.pause(&recording, from).await {
                Ok(()) => {
                    self.set_paused(call, true);
                    return Ok(());
                }
                Err(ControlError::Pause(PauseError::PeerLate { .. })) => {}
                // It has ended.
                Err(ControlError::PeerUnknown) => return Ok(()),
                Err(error) => {
                    tracing::error!(%call, %recording, %error, "alarm: a recording is not paused");
                    return Err(NOT_DONE);
                }
            }
        }
        tracing::error!(%call, "alarm: a recording is not paused: its samples were sealed each time");
        Err(NOT_DONE)
    }

    /// Keeps what is said from now on. What was said before and is still on its way out of the media threads stays out.
    pub(super) async fn resume(&self, call: &CallId) -> Result<(), &'static str> {
        let Some(control) = self.control(call) else {
            return Ok(());
        };
        let _alone = control.lock().await;
        self.caught_up().await?;
        let Some((recording, until, true)) = self.standing(call) else {
            return Ok(());
        };
        let writer = self.writer().ok_or(NOT_DONE)?;
        match writer.resume(&recording, until).await {
            Ok(_) | Err(ControlError::PeerUnknown | ControlError::PeerNotPaused) => {
                self.set_paused(call, false);
                Ok(())
            }
            Err(error) => {
                tracing::error!(%call, %recording, %error, "a recording is not resumed");
                Err(NOT_DONE)
            }
        }
    }

    /// Waits until all is heard that the media threads had put out when this was asked: a pass that began after that has ended.
    pub(super) async fn caught_up(&self) -> Result<(), &'static str> {
        let mut passes = self.passes.subscribe();
        let wanted = passes.borrow_and_update().saturating_add(2);
        let caught_up = passes.wait_for(|passes| *passes >= wanted);
        match tokio::time::timeout(CAUGHT_UP_MAX, caught_up).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NOT_DONE),
        }
    }

    pub(super) fn control(&self, call: &CallId) -> Option<Arc<tokio::sync::Mutex<()>>> {
        let calls = self.calls();
        let take = calls.get(call)?.take.as_ref()?;
        Some(take.control.clone())
    }

    /// The call's recording, the position behind all that was heard, whether it is paused.
    fn standing(&self, call: &CallId) -> Option<(RecordingId, u64, bool)> {
        let calls = self.calls();
        let heard = calls.get(call)?;
        let running = heard.running()?;
        Some((running.id.clone(), heard.end, running.is_paused))
    }

    fn set_paused(&self, call: &CallId, is_paused: bool) {
        let mut calls = self.calls();
        if let Some(running) = calls.get_mut(call).and_then(|heard| heard.running_mut()) {
            running.is_paused = is_paused;
        }
    }
}
