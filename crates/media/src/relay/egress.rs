//! The stream that we send to one far side, under our own name (S34).
//! Owns: its SSRC, its sequence numbers, its timestamps.
//! Never: shows the far side anything of the other leg's header.

use rand::Rng;

use crate::leg::RtpClock;
use crate::rtp::{HEADER_LEN, RtpHeader};
use crate::sample;

/// A packet that begins this much after the last one ended carries the marker: more than a lost packet of 60 ms.
const PAUSE_SPAN: u64 = 800;

/// One stream of ours.
#[derive(Debug, Clone)]
pub(super) struct Egress {
    ssrc: u32,
    sequence_base: u16,
    timestamp_base: u32,
    clock: RtpClock,
    next_sequence: u64,
    mapping: Option<Mapping>,
    end: u64,
    started: bool,
    packets: u64,
    octets: u64,
}

/// Input sequence number `input` goes out as `output`, and so on from there.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    input: u64,
    output: u64,
}

/// What a packet is to carry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Framing {
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    pub(super) ts: u64,
    /// Samples; 0 for an event.
    pub(super) span: u64,
}

impl Egress {
    pub(super) fn new(random: &mut impl Rng, clock: RtpClock) -> Self {
        Self {
            ssrc: random.random(),
            // Below 2^15, so that a far side of secured media that misses our first packets has not missed a turn of the counter, too (RFC 3711).
            sequence_base: random.random_range(0..1 << 15),
            timestamp_base: random.random(),
            clock,
            next_sequence: 0,
            mapping: None,
            end: 0,
            started: false,
            packets: 0,
            octets: 0,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    /// The RTP timestamp of a place on the timeline.
    pub(super) fn rtp_timestamp(&self, ts: u64) -> u32 {
        let steps = ts.wrapping_mul(self.clock.steps().into());
        let low = u32::try_from(steps & u64::from(u32::MAX)).unwrap_or(0);
        low.wrapping_add(self.timestamp_base)
    }

    /// The clock of its timestamps.
    pub(super) fn clock(&self) -> RtpClock {
        self.clock
    }

    /// Timestamps run by this clock from now on, and go on where they were.
    pub(super) fn speak(&mut self, clock: RtpClock) {
        let before = self.rtp_timestamp(self.end);
        self.clock = clock;
        let after = self.rtp_timestamp(self.end);
        self.timestamp_base = self.timestamp_base.wrapping_add(before.wrapping_sub(after));
    }

    /// The next relayed packet follows the last one sent, whatever its own number.
    pub(super) fn forget_mapping(&mut self) {
        self.mapping = None;
    }

    /// The header of a relayed packet: losses and reordering of the input show in the sequence numbers. Nothing for a straggler from before the
    /// last change.
    pub(super) fn relayed_header(
        &mut self,
        input: u64,
        framing: Framing,
    ) -> Option<[u8; HEADER_LEN]> {
        let mapping = *self.mapping.get_or_insert(Mapping {
            input,
            output: self.next_sequence,
        });
        let output = mapping.output + input.checked_sub(mapping.input)?;
        Some(self.header(output, framing))
    }

    /// The header of a packet of our own making. `skipped`: packets missing before it.
    pub(super) fn own_header(&mut self, framing: Framing, skipped: u64) -> [u8; HEADER_LEN] {
        self.mapping = None;
        self.header(self.next_sequence + skipped, framing)
    }

    /// Counts a payload that was sent.
    pub(super) fn note_sent(&mut self, payload_len: usize) {
        self.packets += 1;
        self.octets += sample::span(payload_len);
    }

    fn header(&mut self, output: u64, framing: Framing) -> [u8; HEADER_LEN] {
        let paused = framing.span > 0 && framing.ts > self.end + PAUSE_SPAN;
        let marker = framing.marker || !self.started || paused;
        self.started = true;
        self.next_sequence = self.next_sequence.max(output + 1);
        self.end = self.end.max(framing.ts + framing.span);
        let low = u16::try_from(output & u64::from(u16::MAX)).unwrap_or(0);
        let header = RtpHeader {
            marker,
            payload_type: framing.payload_type,
            sequence: low.wrapping_add(self.sequence_base),
            timestamp: self.rtp_timestamp(framing.ts),
            ssrc: self.ssrc,
        };
        header.to_bytes()
    }
}
