//! Health and metrics of a running server. Every metric has its row in docs/metrics.md.
//! Owns: which numbers are shown, under which names.
//! Never: a label that is not a closed list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use calls::{Calls, QueueCounts};
use domain::number_pool::Standing;
use media::egress_guard::EgressGuardCounters;
use media::g711::SAMPLE_RATE_HZ;
use media::relay::DropReason;
use secret::Arena;
use store::Database;
use voice::{MediaCounters, Node, PlaceStanding};
use web::health::{HealthSource, Metric, MetricKind};

use crate::recorder::{Counts, External, HoldCounts, Recorder, SiprecCounts};

/// Where the numbers come from.
pub(crate) struct Numbers {
    pub(crate) node: Arc<Node>,
    pub(crate) calls: Calls,
    pub(crate) arena: Arc<Arena>,
    pub(crate) database: Arc<Database>,
    /// The own recorder, if there is one.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) external: External,
}

/// Shown for "none": 100 dB below, under any noise of G.711.
const NOTHING_DB: f64 = -100.0;

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
            ("tonewall_calls_numbers_refused_total", "Numbers that agents or programs wanted called and that no service calls.", Counter, count(self.calls.numbers_refused())),
            ("tonewall_number_reservations_refused_total", "Times that a number was to be reserved and none of the pool was free.", Counter, count(self.calls.reservations_refused())),
            ("tonewall_calls_wrong_pairing_codes_total", "Pairing codes that were keyed and were none.", Counter, count(self.calls.wrong_pairing_codes())),
            ("tonewall_secret_slots_free", "Arena slots free.", Gauge, size(self.arena.slots_free())),
            ("tonewall_voice_calls_incoming_total", "Calls that came in.", Counter, count(node.calls_incoming)),
            ("tonewall_voice_calls_answered_total", "Calls connected.", Counter, count(node.calls_answered)),
            ("tonewall_voice_calls_shed_total", "Calls refused for want of room.", Counter, count(node.calls_shed)),
            ("tonewall_voice_calls_referred_total", "Calls that a phone or PBX has had go to somebody else by SIP.", Counter, count(node.calls_referred)),
            ("tonewall_voice_calls_failed_total", "Calls that failed on our side.", Counter, count(node.calls_failed)),
            ("tonewall_voice_legs", "SIP dialogs now.", Gauge, size(node.sip.legs)),
            ("tonewall_voice_sip_connections", "SIP connections now.", Gauge, size(node.streams.open)),
            ("tonewall_voice_sip_connections_refused_total", "SIP connections closed as they came, because a bound was reached.", Counter, count(node.streams.refused)),
            ("tonewall_voice_sip_connections_cut_total", "SIP connections closed because their far sides did not read.", Counter, count(node.streams.cut)),
            ("tonewall_voice_port_pairs_taken", "RTP port pairs in use.", Gauge, size(node.ports.taken)),
            ("tonewall_voice_panics_total", "Panics; each has cost one call.", Counter, count(node.panics)),
            ("tonewall_store_changes_total", "Changes written.", Counter, count(written.changes)),
            ("tonewall_store_transactions_total", "Transactions that carried them.", Counter, count(written.transactions)),
        ];
        let mut metrics: Vec<Metric> = rows
            .map(|(name, help, kind, value)| metric(name, help, kind, value))
            .into();
        metrics.push(reservations_metric(self.calls.pool_numbers()));
        metrics.extend(queue_metrics(self.calls.queue_counts()));
        metrics.extend(sip_metrics(&node.sip));
        metrics.extend(node.streams.certificate_ends.map(certificate_metric));
        metrics.push(trunk_metric(&self.node.registrations()));
        metrics.push(place_metric(&self.node.places()));
        metrics.extend(media_metrics(&node.media));
        metrics.extend(egress_guard_metrics(&node.media));
        let recorded = self.recorder.as_ref().map(Recorder::counts);
        metrics.extend(recording_metrics(&recorded.unwrap_or_default()));
        metrics.extend(hold_metrics(&self.external.counts()));
        metrics.extend(session_metrics(self.external.session_counts()));
        metrics
    }
}

fn reservations_metric(standing: Standing) -> Metric {
    let states = [
        ("reserved", standing.reserved),
        ("resting", standing.resting),
        ("free", standing.free),
    ];
    let sample = |(state, numbers): (&str, usize)| {
        let label = vec![("state", state.to_owned())];
        (label, size(numbers))
    };
    Metric {
        name: "tonewall_number_reservations",
        help: "Numbers of pools, by how they stand.",
        kind: MetricKind::Gauge,
        samples: states.map(sample).into(),
    }
}

fn queue_metrics(counts: QueueCounts) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    let waited_seconds = count(counts.waited_ms) / 1_000.0;
    #[rustfmt::skip]
    let rows = [
        ("tonewall_queue_waiting", "Callers who wait for an agent now.", Gauge, size(counts.waiting)),
        ("tonewall_queue_answered_total", "Callers who waited and were answered by an agent.", Counter, count(counts.answered)),
        ("tonewall_queue_wait_seconds_total", "How long those who were answered have waited, in sum.", Counter, waited_seconds),
        ("tonewall_queue_abandoned_total", "Callers who hung up while they waited.", Counter, count(counts.abandoned)),
        ("tonewall_queue_overflowed_total", "Callers for whom there was no place, or who waited for as long as their service allows.", Counter, count(counts.overflowed)),
    ];
    rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
        .into()
}

fn sip_metrics(sip: &voice::StackCounters) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    #[rustfmt::skip]
    let rows = [
        ("tonewall_sip_messages_total", "SIP messages taken in.", Counter, count(sip.datagrams)),
        ("tonewall_sip_garbage_total", "Datagrams that were no SIP, and broken responses.", Counter, count(sip.garbage)),
        ("tonewall_sip_malformed_total", "Requests refused as broken.", Counter, count(sip.malformed)),
        ("tonewall_sip_forbidden_total", "INVITEs, REGISTERs and messages inside dialogs from addresses that may not send them.", Counter, count(sip.forbidden)),
        ("tonewall_sip_shed_total", "Requests refused or dropped because a bound was reached.", Counter, count(sip.shed)),
        ("tonewall_sip_strays_total", "Responses that belong to nothing.", Counter, count(sip.strays)),
        ("tonewall_sip_repeats_total", "Messages of ours sent again.", Counter, count(sip.repeats)),
        ("tonewall_sip_unsent_total", "Messages of ours that found no room in the queue.", Counter, count(sip.transmits_dropped)),
        ("tonewall_sip_transactions", "Transactions now, both roles.", Gauge, size(sip.client_transactions + sip.server_transactions)),
        ("tonewall_sip_registrations", "Phones registered now.", Gauge, size(sip.registrations)),
    ];
    rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
        .into()
}

fn certificate_metric(ends: SystemTime) -> Metric {
    let left = match ends.duration_since(SystemTime::now()) {
        Ok(left) => left.as_secs_f64(),
        Err(over) => -over.duration().as_secs_f64(),
    };
    let help = "Time until the certificate of sip.tls ends.";
    metric(
        "tonewall_sip_certificate_left_seconds",
        help,
        MetricKind::Gauge,
        left,
    )
}

/// A label for each trunk of the file that we register at.
fn trunk_metric(registrations: &BTreeMap<String, bool>) -> Metric {
    let sample = |(trunk, holds): (&String, &bool)| {
        let label = vec![("trunk", trunk.clone())];
        (label, if *holds { 1.0 } else { 0.0 })
    };
    Metric {
        name: "tonewall_sip_trunk_registered",
        help: "1: we are registered at this trunk.",
        kind: MetricKind::Gauge,
        samples: registrations.iter().map(sample).collect(),
    }
}

/// Labels for each place of the file.
fn place_metric(places: &[PlaceStanding]) -> Metric {
    let sample = |place: &PlaceStanding| {
        let labels = vec![
            ("trunk", place.trunk.clone()),
            ("place", place.place.clone()),
        ];
        (labels, if place.is_up { 1.0 } else { 0.0 })
    };
    Metric {
        name: "tonewall_sip_trunk_up",
        help: "1: calls go to this place of the trunk; 0: only where no other is left.",
        kind: MetricKind::Gauge,
        samples: places.iter().map(sample).collect(),
    }
}

fn media_metrics(media: &MediaCounters) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    #[rustfmt::skip]
    let rows = [
        ("tonewall_media_calls", "Calls with media now.", Gauge, media.calls),
        ("tonewall_media_calls_watched", "Calls to which the mask listens because a capture may begin.", Gauge, media.calls_watched),
        ("tonewall_media_packets_received_total", "RTP packets taken from both sides.", Counter, media.packets_in),
        ("tonewall_media_packets_sent_total", "RTP packets sent to both sides.", Counter, media.packets_out),
        ("tonewall_media_packets_lost_total", "RTP packets missing in what came.", Counter, media.packets_lost),
        ("tonewall_media_packets_unsent_total", "Datagrams that the kernel did not take.", Counter, media.send_failed),
        ("tonewall_media_keys_withheld_total", "Key presses masked and not counted: doubles, echoes, from before arming.", Counter, media.keys_withheld),
        ("tonewall_media_outputs_dropped_total", "Outputs of relays that found no room.", Counter, media.outputs_dropped),
        ("tonewall_media_record_frames_dropped_total", "Frames that the recorder was too slow for.", Counter, media.record_dropped),
        ("tonewall_media_panics_total", "Calls and browsers' legs whose media panicked.", Counter, media.panics),
        ("tonewall_media_browsers", "Connections of phones in agents' pages now, ringing ones and tests among them.", Gauge, media.browsers),
        ("tonewall_media_browser_datagrams_refused_total", "Datagrams at the ports for browsers that were for none of them, or of no use.", Counter, media.browser_datagrams_refused),
    ];
    let mut metrics: Vec<Metric> = rows
        .map(|(name, help, kind, value)| metric(name, help, kind, count(value)))
        .into();
    let by_reason = |reason: DropReason| {
        let label = vec![("reason", reason.label().to_owned())];
        (label, count(media.dropped_for(reason)))
    };
    metrics.push(Metric {
        name: "tonewall_media_packets_dropped_total",
        help: "Packets that came and were not used, by reason.",
        kind: Counter,
        samples: DropReason::ALL.map(by_reason).into(),
    });
    metrics
}

fn egress_guard_metrics(media: &MediaCounters) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    let guard = &media.egress_guard;
    let seconds = count(guard.samples_checked) / f64::from(SAMPLE_RATE_HZ);
    #[rustfmt::skip]
    let rows = [
        ("tonewall_egress_guard_seconds_checked_total", "Audio that was judged before it left a protected call.", Counter, seconds),
        ("tonewall_egress_guard_residual_energy_db", "Energy in the bands of the keypad's tones against all energy of what left protected calls.", Gauge, residual_db(guard)),
        ("tonewall_egress_guard_digits_found_total", "Key presses found in what was about to leave.", Counter, count(guard.digits_found)),
        ("tonewall_egress_guard_trips_total", "Times that protected audio was silenced for a find.", Counter, count(guard.trips)),
    ];
    rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
        .into()
}

fn recording_metrics(counts: &Counts) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    let lost_seconds = count(counts.lost_samples) / f64::from(SAMPLE_RATE_HZ);
    let refused = f64::from(u8::from(counts.is_refused));
    #[rustfmt::skip]
    let rows = [
        ("tonewall_recording_running", "Calls that are being recorded.", Gauge, size(counts.running)),
        ("tonewall_recording_begun_total", "Recordings begun.", Counter, count(counts.begun)),
        ("tonewall_recording_failed_total", "Calls that were to be recorded and are not.", Counter, count(counts.failed)),
        ("tonewall_recording_written_bytes_total", "Bytes of recordings written.", Counter, count(counts.bytes)),
        ("tonewall_recording_lost_seconds_total", "Audio of a side that is a gap in its recording.", Counter, lost_seconds),
        ("tonewall_recording_storage_refused", "1 while recordings cannot be written.", Gauge, refused),
        ("tonewall_recording_deleted_total", "Recordings deleted because their days were over.", Counter, count(counts.deleted)),
        ("tonewall_recording_scanned_total", "Recordings scanned after their call.", Counter, count(counts.scanned)),
        ("tonewall_recording_quarantined_total", "Recordings in which the scan found keys, or sound in a pause.", Counter, count(counts.quarantined)),
        ("tonewall_recording_screen_bytes_total", "Bytes of video that pages sent of screens and that were kept.", Counter, count(counts.screen_bytes)),
        ("tonewall_recording_screen_refused_total", "What pages sent or asked of screens and that was refused.", Counter, count(counts.screens_refused)),
    ];
    rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
        .into()
}

fn hold_metrics(counts: &HoldCounts) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    #[rustfmt::skip]
    let rows = [
        ("tonewall_recorder_held", "Recorders beside this server that are paused for a call, or not resumed yet.", Gauge, size(counts.held)),
        ("tonewall_recorder_pauses_refused_total", "Pauses that a recorder did not confirm in time.", Counter, count(counts.refused)),
        ("tonewall_recorder_pauses_broken_total", "Confirmed pauses that a recorder did not keep.", Counter, count(counts.broken)),
        ("tonewall_recorder_resumes_failed_total", "Resumes that did not work at the first try.", Counter, count(counts.not_resumed)),
        ("tonewall_recorder_left_paused_total", "Recorders that could not be resumed in an hour.", Counter, count(counts.left_paused)),
    ];
    rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
        .into()
}

fn session_metrics(counts: SiprecCounts) -> Vec<Metric> {
    use MetricKind::{Counter, Gauge};
    #[rustfmt::skip]
    let rows = [
        ("tonewall_recorder_sessions", "Recording sessions of calls at recorders beside this server (SIPREC).", Gauge, size(counts.sessions)),
        ("tonewall_recorder_sessions_failed_total", "Recorders that refused a recording session, did not answer, or ended it.", Counter, count(counts.failed)),
        ("tonewall_recorder_packets_dropped_total", "Packets to recorders that found no room in the kernel.", Counter, count(counts.dropped)),
    ];
    rows.map(|(name, help, kind, value)| metric(name, help, kind, value))
        .into()
}

/// Ratio in dB; [`NOTHING_DB`] if nothing left.
fn residual_db(guard: &EgressGuardCounters) -> f64 {
    let ratio = count(guard.band_energy) / count(guard.energy).max(1.0);
    (10.0 * ratio.log10()).max(NOTHING_DB)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Names in backticks or quotes.
    fn names(text: &str, quote: char) -> BTreeSet<&str> {
        let parts = text.split(quote);
        let is_name =
            |part: &&str| part.starts_with("tonewall_") && !part.contains(char::is_whitespace);
        parts.filter(is_name).collect()
    }

    #[test]
    fn every_metric_and_every_reason_has_its_row_in_the_documentation() {
        let page = include_str!("../../../docs/metrics.md");
        let source = include_str!("metrics.rs");
        let code = source.split("mod tests").next().unwrap();
        assert_eq!(names(code, '"'), names(page, '`'));
        for reason in DropReason::ALL {
            let row = format!("\n| `{}` |", reason.label());
            assert!(page.contains(&row), "{row}");
        }
    }

    #[test]
    fn nothing_that_left_is_the_bottom_and_all_of_it_the_top() {
        let mut guard = EgressGuardCounters::default();
        assert!((residual_db(&guard) - NOTHING_DB).abs() < 1e-9);
        (guard.energy, guard.band_energy) = (1_000, 10);
        assert!((residual_db(&guard) + 20.0).abs() < 1e-9);
    }
}
