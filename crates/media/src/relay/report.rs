//! Our RTCP towards one far side.
//! Owns: when a report is due and what it says.
//! Never: says anything of the other leg.

use std::time::{Duration, Instant};

use rand::Rng;

use super::egress::Egress;
use super::ingress::Ingress;
use crate::rtcp::{CNAME_LEN, ControlReport, REPORT_LEN_MAX, ReceptionBlock, Report, SenderInfo};

/// Time between reports (S34).
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Reporter of one leg.
#[derive(Debug, Clone)]
pub(super) struct Reporting {
    began: Instant,
    cname: [u8; CNAME_LEN],
    due: Instant,
    packets_reported: u64,
    received_before: u64,
    expected_before: u64,
    sender_report: Option<(u32, Instant)>,
}

impl Reporting {
    /// The first report is due after half an interval.
    pub(super) fn new(now: Instant, random: &mut impl Rng) -> Self {
        let mut cname = [0; CNAME_LEN];
        cname.fill_with(|| b"0123456789abcdef"[random.random_range(0..16)]);
        Self {
            began: now,
            cname,
            due: now + REPORT_INTERVAL / 2,
            packets_reported: 0,
            received_before: 0,
            expected_before: 0,
            sender_report: None,
        }
    }

    pub(super) fn next_timeout(&self) -> Instant {
        self.due
    }

    pub(super) fn note(&mut self, now: Instant, report: ControlReport) {
        if let Some(middle) = report.sender_report {
            self.sender_report = Some((middle, now));
        }
    }

    /// Writes the report that is due; yields its length. `present`: where the timeline of what we send is now.
    pub(super) fn write(
        &mut self,
        now: Instant,
        present: u64,
        streams: (&Egress, &Ingress),
        goodbye: bool,
        bytes: &mut [u8; REPORT_LEN_MAX],
    ) -> usize {
        let (egress, ingress) = streams;
        self.due = (self.due + REPORT_INTERVAL).max(now);
        let sends = egress.packets() > self.packets_reported;
        self.packets_reported = egress.packets();
        let reception = self.reception(now, ingress, egress.clock().steps().into());
        let report = Report {
            ssrc: egress.ssrc(),
            cname: &self.cname,
            sender: sends.then(|| self.sender_info(now, present, egress)),
            reception,
            goodbye,
        };
        report.write(bytes)
    }

    fn sender_info(&self, now: Instant, present: u64, egress: &Egress) -> SenderInfo {
        let elapsed = now.saturating_duration_since(self.began);
        let fraction = (u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000;
        SenderInfo {
            ntp: (elapsed.as_secs() << 32) | fraction,
            rtp_timestamp: egress.rtp_timestamp(present),
            packets: low_32(egress.packets()),
            octets: low_32(egress.octets()),
        }
    }

    /// `steps`: of the far side's clock for each sample of ours, in which jitter is told.
    fn reception(&mut self, now: Instant, ingress: &Ingress, steps: u32) -> Option<ReceptionBlock> {
        let ssrc = ingress.ssrc()?;
        let stats = ingress.stats();
        let expected = stats.expected.saturating_sub(self.expected_before);
        let received = stats.received.saturating_sub(self.received_before);
        self.expected_before = stats.expected;
        self.received_before = stats.received;
        let lost_now = expected.saturating_sub(received) * 256;
        let (last_sender_report, since) = self
            .sender_report
            .map_or((0, Duration::ZERO), |(middle, at)| {
                (middle, now.saturating_duration_since(at))
            });
        Some(ReceptionBlock {
            ssrc,
            fraction_lost: u8::try_from(lost_now.checked_div(expected).unwrap_or(0))
                .unwrap_or(u8::MAX),
            lost: u32::try_from(stats.expected.saturating_sub(stats.received)).unwrap_or(u32::MAX),
            newest_sequence: ingress.newest_sequence(),
            jitter: stats.jitter().saturating_mul(steps),
            last_sender_report,
            delay_since: u32::try_from(since.as_millis() * 65_536 / 1_000).unwrap_or(u32::MAX),
        })
    }
}

fn low_32(count: u64) -> u32 {
    u32::try_from(count & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
