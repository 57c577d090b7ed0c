//! Health and metrics of a running server.
//! Owns: which numbers are shown, under which names.
//! Never: a label that is not a closed list.

use std::sync::Arc;

use calls::Calls;
use secret::Arena;
use store::Database;
use voice::Node;
use web::health::{HealthSource, Metric, MetricKind};

/// Where the numbers come from.
pub(crate) struct Numbers {
    pub(crate) node: Arc<Node>,
    pub(crate) calls: Calls,
    pub(crate) arena: Arc<Arena>,
    pub(crate) database: Arc<Database>,
}

fn metric(name: &'static str, help: &'static str, kind: MetricKind, value: f64) -> Metric {
    Metric {
        name,
        help,
        kind,
        samples: vec![(Vec::new(), value)],
    }
}

fn count(value: u64) -> f64 {
    let (high, low) = (value >> 32, value & u64::from(u32::MAX));
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}

fn size(value: usize) -> f64 {
    count(u64::try_from(value).unwrap_or(u64::MAX))
}

impl HealthSource for Numbers {
    fn not_ready(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.arena.slots_free() == 0 {
            missing.push("no slot is free for a capture".to_owned());
        }
        missing
    }

    fn metrics(&self) -> Vec<Metric> {
        use MetricKind::{Counter, Gauge};
        let node = self.node.counters();
        let written = self.database.activity();
        #[rustfmt::skip]
        let rows = [
            ("tonewall_calls_running", "Calls now.", Gauge, size(self.calls.count())),
            ("tonewall_calls_captures_open", "Captures open now.", Gauge, size(self.calls.captures())),
            ("tonewall_secret_slots_free", "Arena slots free.", Gauge, size(self.arena.slots_free())),
            ("tonewall_voice_calls_incoming_total", "Calls that came in.", Counter, count(node.calls_incoming)),
            ("tonewall_voice_calls_answered_total", "Calls connected.", Counter, count(node.calls_answered)),
            ("tonewall_voice_calls_shed_total", "Calls refused for want of room.", Counter, count(node.calls_shed)),
            ("tonewall_voice_calls_failed_total", "Calls that failed on our side.", Counter, count(node.calls_failed)),
            ("tonewall_voice_legs", "SIP dialogs now.", Gauge, size(node.sip.legs)),
            ("tonewall_voice_port_pairs_taken", "RTP port pairs in use.", Gauge, size(node.ports.taken)),
            ("tonewall_voice_panics_total", "Panics; each has cost one call.", Counter, count(node.panics)),
            ("tonewall_store_changes_total", "Changes written.", Counter, count(written.changes)),
            ("tonewall_store_transactions_total", "Transactions that carried them.", Counter, count(written.transactions)),
        ];
        rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
            .into()
    }
}
