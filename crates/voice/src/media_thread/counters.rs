//! What media threads count.
//! Owns: the sums over running and ended calls.
//! Never: names a call.

use media::egress_guard::EgressGuardCounters;
use media::relay::{DropReason, LegCounters, RelayCounters};

/// Sums over calls. All but the first two and `browsers` are monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaCounters {
    /// Calls with media now.
    pub calls: u64,
    /// Those of them to which the mask listens, protected or not.
    pub calls_watched: u64,
    /// RTP packets taken from both sides.
    pub packets_in: u64,
    /// RTP packets sent to both sides.
    pub packets_out: u64,
    /// RTP packets missing in what came.
    pub packets_lost: u64,
    /// Packets dropped, in the order of [`DropReason::ALL`].
    pub dropped: [u64; DropReason::COUNT],
    /// Key presses that were masked but are not the consumer's answer.
    pub keys_withheld: u64,
    /// What the last look at protected packets has seen.
    pub egress_guard: EgressGuardCounters,
    /// Outputs of relays that were dropped.
    pub outputs_dropped: u64,
    /// Datagrams that the kernel did not take.
    pub send_failed: u64,
    /// Stretches of audio that the recorder was too slow for.
    pub record_dropped: u64,
    /// Calls and browsers' legs whose media panicked.
    pub panics: u64,
    /// Browsers' legs now, ringing ones and tests among them.
    pub browsers: u64,
    /// Datagrams at browsers' ports that were for none of them, or of no use.
    pub browser_datagrams_refused: u64,
}

impl MediaCounters {
    /// Adds what one relay has met.
    pub(super) fn add(&mut self, relay: &RelayCounters) {
        self.add_leg(&relay.consumer);
        self.add_leg(&relay.agent);
        self.keys_withheld += relay.keys_withheld;
        self.egress_guard.merge(&relay.egress_guard);
        self.outputs_dropped += relay.outputs_dropped;
    }

    fn add_leg(&mut self, leg: &LegCounters) {
        self.packets_in += leg.packets_in;
        self.packets_out += leg.packets_out;
        self.packets_lost += leg.packets_lost;
        for (sum, reason) in self.dropped.iter_mut().zip(DropReason::ALL) {
            *sum += leg.dropped(reason);
        }
    }

    /// Adds another thread's sums.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.calls_watched += other.calls_watched;
        self.packets_in += other.packets_in;
        self.packets_out += other.packets_out;
        self.packets_lost += other.packets_lost;
        for (sum, one) in self.dropped.iter_mut().zip(other.dropped) {
            *sum += one;
        }
        self.keys_withheld += other.keys_withheld;
        self.egress_guard.merge(&other.egress_guard);
        self.outputs_dropped += other.outputs_dropped;
        self.send_failed += other.send_failed;
        self.record_dropped += other.record_dropped;
        self.panics += other.panics;
        self.browsers += other.browsers;
        self.browser_datagrams_refused += other.browser_datagrams_refused;
    }

    /// Packets dropped for a reason.
    #[must_use]
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        let mut pairs = DropReason::ALL.into_iter().zip(self.dropped);
        pairs
            .find(|(one, _)| *one == reason)
            .map_or(0, |(_, count)| count)
    }
}
