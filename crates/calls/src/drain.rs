//! How calls end with the server.
//! Owns: what is waited for once every call is over.
//! Never: ends a call.

use std::time::Duration;

use crate::desk::{Calls, Handle};

/// Between two looks whether the tasks have heard their calls' ends.
const DRAIN_LOOK: Duration = Duration::from_millis(10);

/// At the end of the server the trail gets at least so much time, whatever the charges took.
const FLUSH_MAX: Duration = Duration::from_secs(5);

impl Calls {
    /// Once all calls have ended: waits until no charge is on its way and every entry of the trail is written, at most `limit`.
    pub async fn drain(&self, limit: Duration) {
        let until = tokio::time::Instant::now() + limit;
        while self.has_unheard_end() && tokio::time::Instant::now() < until {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
        self.inner().charges.close();
        if tokio::time::timeout_at(until, self.inner().charges.wait())
            .await
            .is_err()
        {
            tracing::error!("alarm: charges are still on their way at the end of the server");
        }
        self.inner()
            .audit
            .flush(until.max(tokio::time::Instant::now() + FLUSH_MAX))
            .await;
    }

    fn has_unheard_end(&self) -> bool {
        let unheard =
            |handle: &Handle| handle.signals.ended().is_some() && !handle.signals.is_end_heard();
        self.inner().handles().iter().any(unheard)
    }
}
