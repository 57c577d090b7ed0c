//! Audit entries that change nothing but the trail.
//! Owns: their order, and the knowledge that the trail can be written.
//! Never: drops an entry in silence: when the trail cannot be written, no new capture is opened (I5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// The queue and its writer.
pub(crate) struct AuditQueue {
    entries: mpsc::Sender<AuditEntry>,
    broken: Arc<AtomicBool>,
}

impl AuditQueue {
    /// Starts the writer.
    pub(crate) fn start(store: Arc<dyn Store>) -> Self {
        let (entries, waiting) = mpsc::channel(WAITING_MAX);
        let broken = Arc::new(AtomicBool::new(false));
        tokio::spawn(write(store, waiting, broken.clone()));
        Self { entries, broken }
    }

    /// Queues an entry.
    pub(crate) fn append(&self, entry: AuditEntry) {
        if self.entries.try_send(entry).is_err() {
            self.broken.store(true, Ordering::Release);
            tracing::error!(
                "alarm: the audit queue is full; no new capture is opened until it is written"
            );
        }
    }

    /// Whether the trail can be written, as far as is known.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}

async fn write(
    store: Arc<dyn Store>,
    mut waiting: mpsc::Receiver<AuditEntry>,
    broken: Arc<AtomicBool>,
) {
    while let Some(entry) = waiting.recv().await {
        for offer in 1..=OFFERS_MAX {
            match store
                .commit(Audited {
                    change: Change::None,
                    entry: entry.clone(),
                })
                .await
            {
                Ok(_) => {
                    broken.store(false, Ordering::Release);
                    break;
                }
                Err(error) if error.is_retryable() && offer < OFFERS_MAX => {
                    broken.store(true, Ordering::Release);
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(error) => {
                    broken.store(true, Ordering::Release);
                    tracing::error!(%error, "alarm: an audit entry could not be written");
                    break;
                }
            }
        }
    }
}
