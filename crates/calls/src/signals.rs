//! What the telephone side tells a call without ever waiting.
//! Owns: the signals that must not be lost when a mailbox is full: keys waiting, the call's end.
//! Never: carries a key.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::boundary::EndCause;
use tokio::sync::Notify;

/// Signals of one call.
#[derive(Default)]
pub(crate) struct Signals {
    keys: AtomicBool,
    ended: OnceLock<EndCause>,
    wake: Notify,
}

impl Signals {
    /// A key lies in the ring.
    pub(crate) fn key_pressed(&self) {
        self.keys.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// The call is over; the first cause stays.
    pub(crate) fn end(&self, cause: EndCause) {
        let _later = self.ended.set(cause);
        self.wake.notify_one();
    }

    /// Why the call is over, if it is.
    pub(crate) fn ended(&self) -> Option<EndCause> {
        self.ended.get().copied()
    }

    /// Keys came since the last look.
    pub(crate) fn take_keys(&self) -> bool {
        self.keys.swap(false, Ordering::AcqRel)
    }

    /// Waits for the next signal.
    pub(crate) async fn wait(&self) {
        self.wake.notified().await;
    }
}
