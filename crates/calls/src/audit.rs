//! Audit entries that change nothing but the trail.
//! Owns: their order, and the knowledge that the trail can be written.
//! Never: drops an entry in silence: when the trail cannot be written, no new capture is opened (I5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::audit::AuditEntry;
use domain::boundary::{Audited, Change, Store};
use tokio::sync::mpsc;

/// Entries that may wait: a capture makes about a dozen, so 80 captures at once. When full the trail counts as broken until it is written again.
const WAITING_MAX: usize = 1_024;

/// Pause before an entry is offered again to a store that failed.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Offers of one entry before it is given up with an alarm.
const OFFERS_MAX: u32 = 120;

/// Between two looks whether all is written.
const FLUSH_LOOK: Duration = Duration::from_millis(10);

/// The queue and its writer.
pub(crate) struct AuditQueue {
    entries: mpsc::Sender<AuditEntry>,
    trail: Arc<Trail>,
}

/// What is known of the trail.
#[derive(Default)]
struct Trail {
    broken: AtomicBool,
    /// Entries queued or being written.
    unwritten: AtomicUsize,
}

impl AuditQueue {
    /// Starts the writer.
    pub(crate) fn start(store: Arc<dyn Store>) -> Self {
        let (entries, waiting) = mpsc::channel(WAITING_MAX);
        let trail = Arc::new(Trail::default());
        tokio::spawn(write(store, waiting, trail.clone()));
        Self { entries, trail }
    }

    /// Queues an entry.
    pub(crate) fn append(&self, entry: AuditEntry) {
        self.trail.unwritten.fetch_add(1, Ordering::AcqRel);
        if self.entries.try_send(entry).is_err() {
            self.trail.unwritten.fetch_sub(1, Ordering::AcqRel);
            self.trail.broken.store(true, Ordering::Release);
            tracing::error!(
                "alarm: the audit queue is full; no new capture is opened until it is written"
            );
        }
    }

    /// Whether the trail can be written, as far as is known.
    pub(crate) fn is_broken(&self) -> bool {
        self.trail.broken.load(Ordering::Acquire)
    }

    /// An entry was written past the queue. If nothing waits in it, the trail is whole again.
    pub(crate) fn note_written(&self) {
        if self.trail.unwritten.load(Ordering::Acquire) == 0 {
            self.trail.broken.store(false, Ordering::Release);
        }
    }

    /// Waits until all that was queued is written or given up, at most until `limit`.
    pub(crate) async fn flush(&self, limit: tokio::time::Instant) {
        while self.trail.unwritten.load(Ordering::Acquire) > 0
            && tokio::time::Instant::now() < limit
        {
            tokio::time::sleep(FLUSH_LOOK).await;
        }
    }
}

async fn write(store: Arc<dyn Store>, mut waiting: mpsc::Receiver<AuditEntry>, trail: Arc<Trail>) {
    while let Some(entry) = waiting.recv().await {
        offer(&*store, &entry, &trail.broken).await;
        trail.unwritten.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn offer(store: &dyn Store, entry: &AuditEntry, broken: &AtomicBool) {
    for offer in 1..=OFFERS_MAX {
        let audited = Audited {
            change: Change::None,
            entry: entry.clone(),
        };
        match store.commit(audited).await {
            Ok(_) => return broken.store(false, Ordering::Release),
            Err(error) if error.is_retryable() && offer < OFFERS_MAX => {
                broken.store(true, Ordering::Release);
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(error) => {
                broken.store(true, Ordering::Release);
                tracing::error!(%error, "alarm: an audit entry could not be written");
                return;
            }
        }
    }
}
