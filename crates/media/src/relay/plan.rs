//! What a relay is told at its start, and what it counts.
//! Owns: plan, counters and drop reasons.
//! Never: changes while the relay runs, counters excepted.

use std::time::Duration;

use crate::egress_guard::EgressGuardCounters;
use crate::leg::{Leg, LegPlan};
use crate::tone::FLAT_TONE_HZ;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayPlan {
    /// The consumer's leg.
    pub consumer: LegPlan,
    /// The agent's leg.
    pub agent: LegPlan,
    /// Random bits for SSRC, sequence number, timestamp and CNAME. From the operating system, new for each call.
    pub seed: u64,
    /// Frequency of the tone that stands for a key, 300-620 Hz.
    pub flat_tone_hz: f32,
    /// The mask listens while the call is unprotected, so that arming finds its history. Set where a capture may begin.
    pub watch: bool,
    /// The whole call is protected: nothing of the consumer leaves before the mask holds, which it does from the first packet on, asked or not.
    /// [`super::Input::Unprotect`] ends that.
    pub always: bool,
    /// Audio of both legs is put out as [`super::Output::Record`].
    pub record: bool,
    /// A leg that should send is given up after this long without RTP and RTCP (S36).
    pub media_timeout: Duration,
    /// The same for a leg that is not to send.
    pub held_timeout: Duration,
    /// A deliberate defect: the mask does nothing.
    #[cfg(any(test, feature = "planted"))]
    pub mask_off: bool,
}

impl RelayPlan {
    /// A plan with the defaults: tone of 560 Hz, no watching, no recording, 60 s and 30 min.
    #[must_use]
    pub fn new(consumer: LegPlan, agent: LegPlan, seed: u64) -> Self {
        Self {
            consumer,
            agent,
            seed,
            flat_tone_hz: FLAT_TONE_HZ,
            watch: false,
            always: false,
            record: false,
            media_timeout: Duration::from_secs(60),
            held_timeout: Duration::from_secs(30 * 60),
            #[cfg(any(test, feature = "planted"))]
            mask_off: false,
        }
    }
}

/// Why a packet was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// No RTP packet, or longer than any.
    Malformed,
    /// From an address that is not the leg's (injection, or a stale call's packets).
    WrongSource,
    /// From an address that may become the leg's; used to learn it.
    Learning,
    /// A payload type that was not negotiated for what it carries.
    UnknownPayload,
    /// Came before.
    Duplicate,
    /// Of a former stream, or far from anything known.
    OutOfPlace,
    /// Older than 100 ms (200 ms unprotected) when it was read.
    Late,
    /// The far side is not to send.
    NotReceiving,
    /// We are not to send, or the other leg has not negotiated it.
    NotSending,
    /// A telephone-event, or its like, that must not pass under protection.
    Withheld,
    /// Output queue full.
    QueueFull,
    /// On a secured leg: in clear, forged, of another key, or far from anything known.
    BadTag,
    /// On a secured leg: its tag is right, and it came before or is too old to tell.
    Replayed,
}

impl DropReason {
    /// Number of reasons.
    pub const COUNT: usize = 13;

    /// All, in the order of the counters.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Malformed,
        Self::WrongSource,
        Self::Learning,
        Self::UnknownPayload,
        Self::Duplicate,
        Self::OutOfPlace,
        Self::Late,
        Self::NotReceiving,
        Self::NotSending,
        Self::Withheld,
        Self::QueueFull,
        Self::BadTag,
        Self::Replayed,
    ];

    /// Its label in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongSource => "wrong_source",
            Self::Learning => "learning",
            Self::UnknownPayload => "unknown_payload",
            Self::Duplicate => "duplicate",
            Self::OutOfPlace => "out_of_place",
            Self::Late => "late",
            Self::NotReceiving => "not_receiving",
            Self::NotSending => "not_sending",
            Self::Withheld => "withheld",
            Self::QueueFull => "queue_full",
            Self::BadTag => "bad_tag",
            Self::Replayed => "replayed",
        }
    }

    fn index(self) -> usize {
        Self::ALL
            .iter()
            .position(|reason| *reason == self)
            .unwrap_or(0)
    }
}

/// What one leg has met; all monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LegCounters {
    /// RTP packets taken from the far side.
    pub packets_in: u64,
    /// RTP packets sent to the far side.
    pub packets_out: u64,
    /// Packets missing in the sequence of the far side.
    pub packets_lost: u64,
    drops: [u64; DropReason::COUNT],
}

impl LegCounters {
    /// Packets from this leg that were dropped for a reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason.index()]
    }

    pub(super) fn note_drop(&mut self, reason: DropReason) {
        self.drops[reason.index()] += 1;
    }
}

/// What a relay has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelayCounters {
    /// The consumer's leg.
    pub consumer: LegCounters,
    /// The agent's leg.
    pub agent: LegCounters,
    /// Outputs dropped because nobody drained.
    pub outputs_dropped: u64,
    /// Presses that were masked but not reported: doubles, echoes, from before arming.
    pub keys_withheld: u64,
    /// What the last look at protected packets has seen.
    pub egress_guard: EgressGuardCounters,
}

impl RelayCounters {
    /// Counters of one leg.
    #[must_use]
    pub fn leg(&self, leg: Leg) -> &LegCounters {
        match leg {
            Leg::Consumer => &self.consumer,
            Leg::Agent => &self.agent,
        }
    }
}
