//! Counts alarms, as a log shows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// Alarms of this thread, which is all of a test's.
pub(super) struct Alarms {
    raised: Arc<AtomicUsize>,
    _until_dropped: DefaultGuard,
}

impl Alarms {
    pub(super) fn count_here() -> Self {
        let raised = Arc::<AtomicUsize>::default();
        let guard = tracing::subscriber::set_default(Ear(raised.clone()));
        Self {
            raised,
            _until_dropped: guard,
        }
    }

    pub(super) fn raised(&self) -> usize {
        self.raised.load(Ordering::SeqCst)
    }
}

struct Ear(Arc<AtomicUsize>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = IsAlarm(false);
        event.record(&mut message);
        self.0.fetch_add(usize::from(message.0), Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct IsAlarm(bool);

impl Visit for IsAlarm {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 |= field.name() == "message" && format!("{value:?}").starts_with("alarm:");
    }
}
