//! What the entries at both ends of a protected span say beside their own facts.
//! Owns: their place in the call's recording, and what the egress guard saw in between.
//! Never: decides when a span begins or ends; the session does.

use domain::audit::{AuditAction, AuditEntry};

use crate::task::CallTask;

impl CallTask {
    /// The entry with its place in the call's recording, if there is one.
    pub(crate) fn placed(&self, entry: AuditEntry) -> AuditEntry {
        match self.inner.deps.recorders.moment(self.call.id()) {
            Some(moment) => entry
                .with("recording", moment.recording.as_str())
                .with("recording_ms", moment.at_ms),
            None => entry,
        }
    }

    /// Where the line is protected for a capture, and where it is let go: there stands how much of what left was judged once more behind the mask, and what was
    /// found (S33). Where the consumer says a number has a place too, so that it is found in the recording (S13). Other entries are as they were.
    pub(crate) fn of_span(&mut self, action: AuditAction, entry: AuditEntry) -> AuditEntry {
        let is_begin = action == AuditAction::CaptureArmed;
        if action == AuditAction::CustomerSpeaking {
            return self.placed(entry);
        }
        if !is_begin && action != AuditAction::CaptureReleased {
            return entry;
        }
        let entry = self.placed(entry);
        let seen = self.egress.seen();
        let Some(open) = &mut self.open else {
            return entry;
        };
        if is_begin {
            open.guarded_from = seen;
            return entry;
        }
        let since = seen.since(open.guarded_from);
        entry
            .with("egress_checked_ms", since.checked_ms)
            .with("egress_finds", since.finds)
            .with("egress_trips", since.trips)
    }
}
