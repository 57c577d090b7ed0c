//! What the telephone side tells a call without ever waiting.
//! Owns: the signals that must not be lost when a mailbox is full: keys waiting, a lost mask, the call's end, another configuration.
//! Never: carries a key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use domain::boundary::EndCause;
use tokio::sync::Notify;

/// Signals of one call.
#[derive(Default)]
pub(crate) struct Signals {
    keys: AtomicBool,
    refresh: AtomicBool,
    lost: Mutex<Option<&'static str>>,
    ended: OnceLock<EndCause>,
    end_heard: AtomicBool,
    wake: Notify,
}

impl Signals {
    /// A key lies in the ring.
    pub(crate) fn key_pressed(&self) {
        self.keys.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// The mask ended by itself, or nobody knows any more how it stands: a reason code; the first stays until it is taken.
    pub(crate) fn protection_lost(&self, code: &'static str) {
        self.lost().get_or_insert(code);
        self.wake.notify_one();
    }

    /// Why the mask was lost since the last look, if it was.
    pub(crate) fn take_protection_lost(&self) -> Option<&'static str> {
        self.lost().take()
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, Option<&'static str>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the page shows may have changed: another configuration, other rights.
    pub(crate) fn refresh(&self) {
        self.refresh.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Something may have changed since the last look.
    pub(crate) fn take_refresh(&self) -> bool {
        self.refresh.swap(false, Ordering::AcqRel)
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

    /// The task has drawn its conclusions from the end.
    pub(crate) fn hear_end(&self) {
        self.end_heard.store(true, Ordering::Release);
    }

    /// True once it has.
    pub(crate) fn is_end_heard(&self) -> bool {
        self.end_heard.load(Ordering::Acquire)
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
