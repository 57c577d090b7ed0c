//! One leg of a running relay.
//! Owns: what comes from its far side in order, what goes to it under our name, its reports and its counters.
//! Never: knows of protection beyond a flag; looks into the other leg.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::Rng;

use super::clock::StreamClock;
use super::egress::{Egress, Framing};
use super::ingress::{Ingress, Misplaced, Placed};
use super::output::{Outputs, RelayEvent};
use super::plan::{DropReason, LegCounters};
use super::report::Reporting;
use crate::codec::{self, Decoder, Encoder};
use crate::dtmf::telephone_event::EventPayload;
use crate::leg::{Content, Leg, LegPlan};
use crate::rtcp::{self, REPORT_LEN_MAX};
use crate::rtp::{RtpHeader, RtpPacket};
use crate::sample;
use crate::source::{Admission, Sighting, SourceFilter};

/// Payload types that nobody needs to negotiate and that are no audio: the former number of comfort noise (RFC 3389 section 4; its own is known to every
/// plan), and RTCP that is sent to the RTP port (RFC 5761 section 4).
const NO_AUDIO: [u8; 6] = [19, 72, 73, 74, 75, 76];

/// A codec counts as another one once ours has not come for half a second: longer than a packet that went astray, shorter than anybody waits for the
/// answer.
const OTHER_CODEC_AFTER: Duration = Duration::from_millis(500);

/// Longest audio packet that is taken: 120 ms, as long as any that we make. Longer ones are malformed.
pub(crate) const AUDIO_SAMPLES_MAX: usize = 960;

/// A packet this old when it is read is dropped while protected: what it would add is lasting delay (S37).
const AGE_PROTECTED_MAX: Duration = Duration::from_millis(100);

/// The same while unprotected.
const AGE_UNPROTECTED_MAX: Duration = Duration::from_millis(200);

/// Packets of silence that open the way to the far side (S35), until audio flows: enough for two to be lost.
const OPENING_PACKETS: u8 = 3;

/// Time between them.
const OPENING_INTERVAL: Duration = Duration::from_millis(500);

/// Samples of such a packet: 20 ms.
const OPENING_SAMPLES: usize = 160;

/// Times an event's end is sent (RFC 4733 section 2.5.1.4).
const END_PACKETS: u8 = 3;

/// A datagram and how it came.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'bytes> {
    pub(super) now: Instant,
    pub(super) source: SocketAddr,
    pub(super) received_at: Instant,
    pub(super) bytes: &'bytes [u8],
    pub(super) rtcp: bool,
    pub(super) protected: bool,
}

/// A packet that may be used.
#[derive(Clone, Copy)]
pub(super) struct Taken<'bytes> {
    pub(super) header: RtpHeader,
    pub(super) payload: &'bytes [u8],
    pub(super) content: Content,
    pub(super) placed: Placed,
    /// Samples of audio; 0 for all else.
    pub(super) span: u64,
    /// It is the first of another SSRC than the audio's before.
    pub(super) is_other_stream: bool,
}

/// An event that is being relayed to this side and has not ended.
#[derive(Clone, Copy)]
struct OpenEvent {
    ts: u64,
    payload: EventPayload,
}

/// One leg.
pub(super) struct Side {
    pub(super) leg: Leg,
    pub(super) plan: LegPlan,
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
    pub(super) ingress: Ingress,
    pub(super) egress: Egress,
    clock: StreamClock,
    pub(super) heard_at: Instant,
    /// Audio comes from here in no codec of the plan, and no other any more.
    undecodable: bool,
    decoded_at: Instant,
    /// Nothing is relayed to this side as it came: only packets of our own making leave.
    shut: bool,
    /// A packet was about to be, all the same.
    was_shut_needed: bool,
    filter: SourceFilter,
    reporting: Reporting,
    counters: LegCounters,
    lost_before: u64,
    is_timed_out: bool,
    open_event: Option<OpenEvent>,
    opening: Option<(Instant, u8)>,
}

impl Side {
    pub(super) fn new(leg: Leg, plan: LegPlan, now: Instant, random: &mut impl Rng) -> Self {
        Self {
            leg,
            decoder: Decoder::new(plan.codec),
            encoder: Encoder::new(plan.codec),
            ingress: Ingress::new(now),
            egress: Egress::new(random, plan.codec.clock()),
            clock: StreamClock::new(plan.codec.clock()),
            heard_at: now,
            undecodable: false,
            decoded_at: now,
            shut: false,
            was_shut_needed: false,
            filter: SourceFilter::new(plan.source_policy.clone(), plan.remote_rtp),
            reporting: Reporting::new(now, random),
            counters: LegCounters::default(),
            lost_before: 0,
            is_timed_out: false,
            open_event: None,
            opening: Some((now, OPENING_PACKETS)),
            plan,
        }
    }

    /// The far side has renegotiated.
    pub(super) fn replan(&mut self, now: Instant, plan: LegPlan) {
        self.filter
            .renegotiate(plan.source_policy.clone(), plan.remote_rtp);
        self.egress.forget_mapping();
        if plan.codec != self.plan.codec {
            self.egress.speak(plan.codec.clock());
            self.clock = StreamClock::new(plan.codec.clock());
            self.decoder = Decoder::new(plan.codec);
            self.encoder = Encoder::new(plan.codec);
        }
        self.undecodable = false;
        self.plan = plan;
        self.heard_at = now;
        self.is_timed_out = false;
    }

    /// Another far side stands here from now on. The timeline goes on, the counts of the leg too; all else begins anew.
    pub(super) fn succeed(&mut self, now: Instant, plan: LegPlan, random: &mut impl Rng) {
        let (counters, lost_before) = (self.counters, self.lost_before);
        let ingress = self.ingress.clone();
        *self = Self {
            ingress,
            counters,
            lost_before,
            shut: self.shut,
            was_shut_needed: self.was_shut_needed,
            ..Self::new(self.leg, plan, now, random)
        };
    }

    pub(super) fn counters(&self) -> LegCounters {
        let mut counters = self.counters;
        counters.packets_lost = self.lost_before + self.lost_now();
        counters
    }

    pub(super) fn note_drop(&mut self, reason: DropReason) {
        self.counters.note_drop(reason);
    }

    fn lost_now(&self) -> u64 {
        let stats = self.ingress.stats();
        stats.expected.saturating_sub(stats.received)
    }
}

/// See [`super::Relay::look`].
impl Side {
    pub(super) fn look(&self) -> u64 {
        let Self {
            plan,
            ingress,
            egress,
            filter,
            counters,
            shut,
            lost_before,
            ..
        } = self;
        let types = [plan.payload_type_in, plan.payload_type_out].map(u64::from);
        let ports = [plan.remote_rtp.port(), filter.destination().port()].map(u64::from);
        let counts = counters.packets_in ^ counters.packets_out ^ lost_before;
        let streams = ingress.look() ^ egress.packets() ^ u64::from(egress.ssrc());
        types[0] ^ types[1] ^ ports[0] ^ ports[1] ^ counts ^ streams ^ u64::from(*shut)
    }
}

/// What comes in.
impl Side {
    /// Takes an RTP packet, or says why not.
    pub(super) fn take<'bytes>(
        &mut self,
        arrival: &Arrival<'bytes>,
        outputs: &mut Outputs,
    ) -> Result<Taken<'bytes>, DropReason> {
        let mut packet = RtpPacket::parse(arrival.bytes).map_err(|_| DropReason::Malformed)?;
        let Some(content) = self.plan.content_of(packet.header.payload_type) else {
            return Err(self.note_unknown(arrival, &packet));
        };
        self.admit(arrival, &packet, content, outputs)?;
        self.heard_at = self.heard_at.max(arrival.received_at);
        let span = self.check(arrival, &packet, content)?;
        packet.header.timestamp = self.clock.place(packet.header.timestamp);
        let before = self.ingress.ssrc();
        let lost = self.lost_now();
        let placed = self.place(arrival.received_at, &packet, content, span)?;
        let is_other_stream = before.is_some() && before != self.ingress.ssrc();
        self.lost_before += if is_other_stream { lost } else { 0 };
        self.counters.packets_in += 1;
        if content == Content::Audio {
            self.undecodable = false;
            self.decoded_at = arrival.received_at;
        }
        Ok(Taken {
            header: packet.header,
            payload: packet.payload,
            content,
            placed,
            span,
            is_other_stream,
        })
    }

    /// Whoever sends it lives (S36); only what may be audio in another codec, for a while in place of ours, stands in the way of the mask.
    fn note_unknown(&mut self, arrival: &Arrival<'_>, packet: &RtpPacket<'_>) -> DropReason {
        if self.filter.current() != Some(arrival.source) {
            return DropReason::WrongSource;
        }
        self.heard_at = self.heard_at.max(arrival.received_at);
        let payload_type = packet.header.payload_type;
        let may_be_audio = !packet.payload.is_empty() && !NO_AUDIO.contains(&payload_type);
        let since = arrival
            .received_at
            .saturating_duration_since(self.decoded_at);
        self.undecodable |= may_be_audio && since > OTHER_CODEC_AFTER;
        DropReason::UnknownPayload
    }

    fn place(
        &mut self,
        at: Instant,
        packet: &RtpPacket<'_>,
        content: Content,
        span: u64,
    ) -> Result<Placed, DropReason> {
        let header = &packet.header;
        let placed = match content {
            Content::Audio | Content::ComfortNoise => self.ingress.place(at, header, content, span),
            Content::TelephoneEvent => {
                let event = EventPayload::parse(packet.payload).ok_or(DropReason::Malformed)?;
                let event = event.at_8_khz(self.plan.telephone_event_clock);
                let duration = u64::from(event.duration);
                self.ingress.place_event(at, header, duration)
            }
        };
        placed.map_err(|reason| match reason {
            Misplaced::Duplicate => DropReason::Duplicate,
            Misplaced::OutOfPlace => DropReason::OutOfPlace,
        })
    }

    fn admit(
        &mut self,
        arrival: &Arrival<'_>,
        packet: &RtpPacket<'_>,
        content: Content,
        outputs: &mut Outputs,
    ) -> Result<(), DropReason> {
        let sighting = Sighting {
            source: arrival.source,
            sequence: packet.header.sequence,
            at: arrival.received_at,
            is_event_free: content != Content::TelephoneEvent,
            protected: arrival.protected,
        };
        match self.filter.admit(sighting) {
            Admission::Admitted => Ok(()),
            Admission::Latched => {
                outputs.event(RelayEvent::SourceLatched {
                    leg: self.leg,
                    source: arrival.source,
                });
                Ok(())
            }
            Admission::Learning => Err(DropReason::Learning),
            Admission::Refused => Err(DropReason::WrongSource),
        }
    }

    /// Says how many samples of audio it has. Events are taken at any age: they are decoded, and a press must not be lost to a stall.
    fn check(
        &self,
        arrival: &Arrival<'_>,
        packet: &RtpPacket<'_>,
        content: Content,
    ) -> Result<u64, DropReason> {
        if !self.plan.direction.receives() {
            return Err(DropReason::NotReceiving);
        }
        let samples = if content == Content::Audio {
            let samples = codec::samples_of(self.plan.codec, packet.payload);
            samples.ok_or(DropReason::Malformed)?
        } else {
            0
        };
        let age_max = if arrival.protected {
            AGE_PROTECTED_MAX
        } else {
            AGE_UNPROTECTED_MAX
        };
        let age = arrival.now.saturating_duration_since(arrival.received_at);
        if content != Content::TelephoneEvent && age > age_max {
            return Err(DropReason::Late);
        }
        Ok(sample::span(samples))
    }

    /// True if the datagram is RTCP on this leg.
    pub(super) fn is_control(&self, arrival: &Arrival<'_>) -> bool {
        arrival.rtcp || (self.plan.rtcp_mux && rtcp::is_rtcp(arrival.bytes))
    }

    /// Takes an RTCP packet: it says that the far side lives, no more.
    pub(super) fn take_control(&mut self, arrival: &Arrival<'_>) -> Result<(), DropReason> {
        if !self.filter.admits_control(arrival.source) {
            return Err(DropReason::WrongSource);
        }
        let report = rtcp::parse(arrival.bytes).map_err(|_| DropReason::Malformed)?;
        self.reporting.note(arrival.received_at, report);
        self.heard_at = self.heard_at.max(arrival.received_at);
        Ok(())
    }
}

/// What it sounds like.
impl Side {
    /// Decodes an audio packet into the front of `linear`; says how many samples there are.
    pub(super) fn decode(&mut self, taken: &Taken<'_>, linear: &mut [i16]) -> usize {
        if taken.placed.newest {
            self.decoder.decode(taken.payload, linear)
        } else {
            self.decoder.decode_late(taken.payload, linear)
        }
    }
}

/// What goes out.
impl Side {
    /// Relays a packet that came as number `sequence` of the other leg.
    pub(super) fn relay(
        &mut self,
        outputs: &mut Outputs,
        sequence: u64,
        framing: Framing,
        payload: &[u8],
    ) -> Result<(), DropReason> {
        if !self.plan.direction.sends() {
            return Err(DropReason::NotSending);
        }
        self.check_open()?;
        let header = self
            .egress
            .relayed_header(sequence, framing)
            .ok_or(DropReason::OutOfPlace)?;
        self.transmit(outputs, [&header, payload])
    }

    /// Sends a packet of our own making. `skipped`: packets missing before it.
    pub(super) fn send(
        &mut self,
        outputs: &mut Outputs,
        framing: Framing,
        skipped: u64,
        payload: &[u8],
    ) -> Result<(), DropReason> {
        if !self.plan.direction.sends() {
            return Err(DropReason::NotSending);
        }
        let header = self.egress.own_header(framing, skipped);
        self.transmit(outputs, [&header, payload])
    }

    /// The last audio that came from here cannot be decoded.
    pub(super) fn is_undecodable(&self) -> bool {
        self.undecodable
    }

    /// From now on nothing is relayed to this side as it came, or it may be again.
    pub(super) fn shut(&mut self, on: bool) {
        self.shut = on;
    }

    /// What comes may be relayed to this side, or recorded, as it came.
    pub(super) fn check_open(&mut self) -> Result<(), DropReason> {
        self.was_shut_needed |= self.shut;
        if self.shut {
            Err(DropReason::Withheld)
        } else {
            Ok(())
        }
    }

    /// True once after packets were kept back by nothing but [`Side::shut`].
    pub(super) fn take_shut_needed(&mut self) -> bool {
        std::mem::take(&mut self.was_shut_needed)
    }

    /// Remembers an event that was relayed to this side, so that it can be ended.
    pub(super) fn note_event(&mut self, ts: u64, payload: EventPayload) {
        self.open_event = (!payload.end).then_some(OpenEvent { ts, payload });
    }

    /// Ends an event towards this side at its current duration: no more of it will be relayed (S27).
    pub(super) fn close_event(&mut self, outputs: &mut Outputs) {
        let (Some(event), Some(payload_type)) =
            (self.open_event.take(), self.plan.telephone_event_out)
        else {
            return;
        };
        let payload = EventPayload {
            end: true,
            ..event.payload
        }
        .in_clock(self.plan.telephone_event_clock)
        .to_bytes();
        let framing = Framing {
            payload_type,
            marker: false,
            ts: event.ts,
            span: 0,
        };
        for _ in 0..END_PACKETS {
            if let Err(reason) = self.send(outputs, framing, 0, &payload) {
                self.note_drop(reason);
            }
        }
    }

    fn transmit(&mut self, outputs: &mut Outputs, parts: [&[u8]; 2]) -> Result<(), DropReason> {
        if !outputs.transmit(self.leg, self.filter.destination(), false, parts) {
            return Err(DropReason::QueueFull);
        }
        self.egress.note_sent(parts[1].len());
        self.counters.packets_out += 1;
        Ok(())
    }
}

/// What is due.
impl Side {
    /// The next report or opening packet.
    pub(super) fn next_timeout(&self) -> Instant {
        let report = self.reporting.next_timeout();
        self.opening.map_or(report, |(due, _)| due.min(report))
    }

    /// `present`: where the timeline of what this side is sent is now.
    pub(super) fn handle_timeout(&mut self, now: Instant, present: u64, outputs: &mut Outputs) {
        if self.reporting.next_timeout() <= now {
            self.report(now, present, false, outputs);
        }
        if let Some((due, left)) = self.opening
            && due <= now
        {
            self.open_way(now, left, outputs);
        }
    }

    fn open_way(&mut self, now: Instant, left: u8, outputs: &mut Outputs) {
        self.opening = None;
        let sent = u64::from(OPENING_PACKETS - left);
        let is_open = self.egress.packets() > sent || self.ingress.ssrc().is_some();
        if is_open || !self.plan.direction.sends() {
            return;
        }
        if left > 1 {
            self.opening = Some((now + OPENING_INTERVAL, left - 1));
        }
        let mut silence = [0; OPENING_SAMPLES];
        let len = self.encoder.encode(&[0; OPENING_SAMPLES], &mut silence);
        self.encoder.begin_anew();
        let framing = Framing {
            payload_type: self.plan.payload_type_out,
            marker: false,
            ts: self.ingress.clock_ts(now),
            span: sample::span(OPENING_SAMPLES),
        };
        if let Err(reason) = self.send(outputs, framing, 0, &silence[..len]) {
            self.note_drop(reason);
        }
    }

    /// Sends an RTCP report; to nobody where the far side gave no address (a hold by `c=0.0.0.0`, RFC 3264 section 8.4). `present`: where the timeline
    /// of what this side is sent is now.
    pub(super) fn report(
        &mut self,
        now: Instant,
        present: u64,
        goodbye: bool,
        outputs: &mut Outputs,
    ) {
        if self.filter.destination().ip().is_unspecified() {
            return;
        }
        let mut bytes = [0; REPORT_LEN_MAX];
        let len = self.reporting.write(
            now,
            present,
            (&self.egress, &self.ingress),
            goodbye,
            &mut bytes,
        );
        let mut destination = self.filter.destination();
        if !self.plan.rtcp_mux {
            if destination == self.plan.remote_rtp {
                destination = self.plan.remote_rtcp;
            } else {
                destination.set_port(destination.port().wrapping_add(1));
            }
        }
        outputs.transmit(
            self.leg,
            destination,
            !self.plan.rtcp_mux,
            [&bytes[..len], &[]],
        );
    }

    /// When this leg is given up, if nothing comes before.
    pub(super) fn given_up_at(
        &self,
        media_timeout: Duration,
        held_timeout: Duration,
    ) -> Option<Instant> {
        let wait = if self.plan.direction.receives() {
            media_timeout
        } else {
            held_timeout
        };
        let due = self.heard_at + wait;
        (!self.is_timed_out).then_some(due)
    }

    /// Says once that this leg is given up.
    pub(super) fn give_up(&mut self, outputs: &mut Outputs) {
        self.is_timed_out = true;
        outputs.event(RelayEvent::MediaTimeout { leg: self.leg });
    }
}
