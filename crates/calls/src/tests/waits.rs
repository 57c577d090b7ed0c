//! Waiting for what a house does by itself.

use std::time::Duration;

use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::CaptureDesk;
use domain::capture::CaptureState;
use domain::id::{CallId, CaptureId};
use domain::view::{CallView, CaptureView};

use tokio::time::Instant;

use super::house::House;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

impl House {
    pub(super) async fn until(&self, capture: &CaptureId, state: CaptureState) {
        self.until_view(capture, |view| view.state == state).await;
    }

    pub(super) async fn until_view(
        &self,
        capture: &CaptureId,
        holds: impl Fn(&CaptureView) -> bool,
    ) {
        let began = Instant::now();
        loop {
            let view = self.view(capture).await;
            if view.as_ref().is_ok_and(&holds) {
                return;
            }
            let state = view.map(|view| view.state);
            assert!(began.elapsed() < PATIENCE, "still {state:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn until_call(&self, call: &CallId, holds: impl Fn(&CallView) -> bool) {
        let began = Instant::now();
        loop {
            let views = self.calls.calls(&self.actor).await.unwrap();
            let of_call = |view: &&CallView| view.id == *call;
            if views.iter().find(of_call).is_some_and(&holds) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the call does not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn until_noted(&self, what: &str, times: usize) {
        let began = Instant::now();
        while self.line.count(what) < times {
            assert!(began.elapsed() < PATIENCE, "never {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The first entry of this action, once it is in the trail.
    pub(super) async fn until_entered(&self, action: AuditAction) -> AuditEntry {
        let began = Instant::now();
        loop {
            let entered = {
                let entries = self.books.entries.lock().unwrap();
                entries.iter().find(|entry| entry.action == action).cloned()
            };
            if let Some(entry) = entered {
                return entry;
            }
            assert!(began.elapsed() < PATIENCE, "never {action:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
