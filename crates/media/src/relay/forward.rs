//! Packets on their way through a relay.
//! Owns: the dispatch of what comes; the relaying of packets as they come, under our own name.
//! Never: relays a consumer's packet while the call is protected.

use std::ops::Range;
use std::time::Instant;

use super::agent_keys::note_agent_digit;
use super::comfort_noise::Listener;
use super::egress::Framing;
use super::guard::Heard;
use super::output::RelayEvent;
use super::plan::DropReason;
use super::protection::Stage;
use super::side::{Arrival, Taken};
use super::timeline::TIMELINE_START;
use super::{BEHIND_SPAN_MAX, Relay, Timers};
use crate::codec::Decoder;
use crate::dtmf::telephone_event::{EVENTS_MAX, EventPacket, EventPayload, PAYLOAD_LEN};
use crate::leg::{Content, Leg};
use crate::sample;

/// Bytes of a comfort noise packet that are relayed: the level and ten reflection coefficients. The rest is cut.
const COMFORT_NOISE_LEN_MAX: usize = 11;

impl Relay {
    pub(super) fn handle_packet(&mut self, leg: Leg, arrival: &Arrival<'_>) -> Timers {
        let side = self.sides.of(leg);
        if side.is_control(arrival) {
            if let Err(reason) = side.take_control(arrival) {
                side.note_drop(reason);
                return Timers::Unchanged;
            }
            self.note_heard(leg, arrival.now, None);
            return Timers::Changed;
        }
        let taken = match side.take(arrival, &mut self.outputs) {
            Ok(taken) => taken,
            Err(reason) => {
                side.note_drop(reason);
                return Timers::Unchanged;
            }
        };
        self.note_heard(leg, arrival.now, Some(&taken));
        // Whoever speaks is only heard later of.
        let is_audio = taken.content == Content::Audio;
        let is_open = self.stage == Stage::Open
            && is_audio
            && !self.guard.reframes()
            && self.agent_keys.is_none();
        if leg == Leg::Consumer && taken.is_other_stream {
            self.guard.tally.new_stream();
        }
        let used = match (leg, taken.content) {
            (_, Content::TelephoneEvent) => self.handle_event(leg, arrival, &taken),
            (_, Content::ComfortNoise) => self.handle_noise(leg, &taken),
            (Leg::Consumer, Content::Audio) => self.handle_consumer_audio(arrival, taken),
            (Leg::Agent, Content::Audio) => self.handle_agent_audio(arrival, taken),
        };
        if let Err(reason) = used {
            self.sides.of(leg).note_drop(reason);
        }
        if is_open {
            Timers::Unchanged
        } else {
            Timers::Changed
        }
    }

    /// The far side lives.
    fn note_heard(&mut self, leg: Leg, now: Instant, taken: Option<&Taken<'_>>) {
        if leg == Leg::Agent {
            return;
        }
        if std::mem::take(&mut self.is_line_silent) {
            self.outputs.event(RelayEvent::LineBack);
        }
        // The packet in hand has been placed, and goes through the mask that begins with it.
        let audio = taken.filter(|taken| taken.content == Content::Audio && taken.placed.newest);
        let end = self.sides.consumer.ingress.end(now);
        self.arm_if_asked(now, audio.map_or(end, |taken| taken.placed.ts));
    }

    fn handle_consumer_audio(
        &mut self,
        arrival: &Arrival<'_>,
        mut taken: Taken<'_>,
    ) -> Result<(), DropReason> {
        let placed = &mut taken.placed;
        let span = taken.span;
        self.comfort_noise = None;
        self.guard.note_packet(span, placed, &self.sides.agent.plan);
        if !self.guard.is_protecting() {
            return self.relay_consumer_audio(arrival.now, &taken);
        }
        if placed.newest && placed.ts + BEHIND_SPAN_MAX < self.guard.heard_end() {
            self.guard.note_moved(self.guard.heard_end() - placed.ts);
            placed.ts = self.guard.heard_end();
            self.sides.consumer.ingress.move_to(
                arrival.received_at,
                &taken.header,
                span,
                placed.ts,
            );
        }
        let ts = placed.ts;
        let len = self.decode(Leg::Consumer, &taken);
        if len == 0 {
            return Err(DropReason::Late);
        }
        let heard = Heard {
            now: arrival.now,
            at: arrival.received_at,
            ts,
            samples: &self.scratch.packets.get().decoded[..len],
        };
        self.guard.hear(heard, &mut super::way!(self));
        self.leave_if_clean();
        Ok(())
    }

    fn relay_consumer_audio(&mut self, now: Instant, taken: &Taken<'_>) -> Result<(), DropReason> {
        let reframes = self.guard.reframes();
        let mut len = 0;
        if self.watch || self.records || reframes || self.sides.must_decode(Leg::Consumer) {
            len = self.decode(Leg::Consumer, taken);
        } else {
            self.sides.consumer.decoder.rest();
        }
        if self.watch && len > 0 {
            let decoded = &self.scratch.packets.get().decoded[..len];
            self.guard.watch(taken.placed.ts, decoded);
        }
        self.sides.agent.check_open()?;
        if !self.guard.may_relay(taken.placed.ts) {
            return Err(DropReason::Late);
        }
        if reframes {
            return self.reframe_consumer_audio(now, taken, len);
        }
        self.guard.end_reframing(&mut super::way!(self));
        if self.is_consumer_silenced() {
            return self.relay_silence(Leg::Consumer, taken);
        }
        self.record(Leg::Consumer, taken, len);
        self.relay_audio(Leg::Consumer, taken, Sound::AsItCame(len))
    }

    /// Decodes an audio packet; says how many samples there are.
    fn decode(&mut self, from: Leg, taken: &Taken<'_>) -> usize {
        let decoded = &mut self.scratch.packets.get().decoded[..];
        self.sides.of(from).decode(taken, decoded)
    }

    /// The agent asked for packets of another duration than the consumer's.
    fn reframe_consumer_audio(
        &mut self,
        now: Instant,
        taken: &Taken<'_>,
        len: usize,
    ) -> Result<(), DropReason> {
        if self.is_consumer_silenced() {
            self.scratch.packets.get().decoded[..len].fill(0);
        }
        self.record(Leg::Consumer, taken, len);
        let samples = &self.scratch.packets.get().decoded[..len];
        self.guard
            .reframe(now, taken.placed.ts, samples, &mut super::way!(self))
    }

    /// In place of somebody who is muted.
    fn relay_silence(&mut self, from: Leg, taken: &Taken<'_>) -> Result<(), DropReason> {
        let len = sample::length(taken.span);
        self.scratch.packets.get().decoded[..len].fill(0);
        self.record(from, taken, len);
        self.relay_audio(from, taken, Sound::Changed(0..len))
    }

    fn handle_agent_audio(
        &mut self,
        arrival: &Arrival<'_>,
        mut taken: Taken<'_>,
    ) -> Result<(), DropReason> {
        if self.stand_in.is_some() {
            return Ok(());
        }
        self.follow_stand_in(arrival, &mut taken)?;
        let taken = &taken;
        let masks = self.agent_mask.is_some();
        let mut len = 0;
        if masks || self.records || self.sides.must_decode(Leg::Agent) {
            len = self.decode(Leg::Agent, taken);
        } else {
            self.sides.agent.decoder.rest();
        }
        if self.is_agent_muted && !masks {
            self.agent_sent = 0;
            return self.relay_silence(Leg::Agent, taken);
        }
        if masks || self.records {
            // Before the mask, so that what was said while muted is not among the samples that it still holds when that ends.
            if self.is_agent_muted {
                self.scratch.packets.get().decoded[..len].fill(0);
            }
            self.record(Leg::Agent, taken, len);
            if masks {
                return self.relay_masked_agent(arrival.now, taken, len);
            }
        }
        self.agent_sent = match &self.sides.agent.decoder {
            Decoder::G711(law) => taken.payload.last().map(|code| law.decode_byte(*code)),
            Decoder::G722(_) => self.scratch.packets.get().decoded[..len].last().copied(),
            // Where nothing was decoded, nothing can fade.
            Decoder::Opus(_) => {
                let last = self.scratch.packets.get().decoded[..len].last();
                Some(last.copied().unwrap_or(0))
            }
        }
        .unwrap_or(self.agent_sent);
        self.relay_audio(Leg::Agent, taken, Sound::AsItCame(len))
    }

    /// Relays what may be heard of the first `len` decoded samples, in a packet of the same place.
    fn relay_masked_agent(
        &mut self,
        now: Instant,
        taken: &Taken<'_>,
        len: usize,
    ) -> Result<(), DropReason> {
        if len == 0 {
            return Err(DropReason::Late);
        }
        let Some(mut mask) = self.agent_mask.take() else {
            return Err(DropReason::Withheld);
        };
        let reads_keys = self.sides.agent.plan.codec.reads_keys();
        let decoded = &mut self.scratch.packets.get().decoded[..len];
        let (ts, rebased) = (taken.placed.ts, taken.placed.rebased);
        mask.leave_if_quiet();
        let late = if mask.is_leaving() {
            mask.mask_last(ts, rebased, decoded)
        } else {
            let late = mask.mask(ts, rebased, decoded);
            while let Some(digit) = mask.poll_digit() {
                let keys = self.agent_keys.as_deref_mut().filter(|_| reads_keys);
                let (tally, outputs) = (&mut self.guard.tally, &mut self.outputs);
                note_agent_digit(now, &digit, tally, keys, outputs);
            }
            self.agent_mask = Some(mask);
            late
        };
        if late == len {
            return Err(DropReason::OutOfPlace);
        }
        let mut masked = *taken;
        masked.placed.ts += sample::span(late);
        self.relay_audio(Leg::Agent, &masked, Sound::Changed(late..len))
    }

    /// Puts out the first `len` decoded samples for the recorder, if they go on where the last ones ended.
    fn record(&mut self, leg: Leg, taken: &Taken<'_>, len: usize) {
        if self.records && taken.placed.newest {
            let position = taken.placed.ts.saturating_sub(TIMELINE_START);
            self.outputs
                .record(leg, position, &self.scratch.packets.get().decoded[..len]);
        }
    }

    fn handle_event(
        &mut self,
        leg: Leg,
        arrival: &Arrival<'_>,
        taken: &Taken<'_>,
    ) -> Result<(), DropReason> {
        let placed = taken.placed;
        if leg == Leg::Consumer {
            self.comfort_noise = None;
            self.guard.note_missing(placed.missing);
        }
        let mut newest_of_agent = placed.ts;
        let clock = self.sides.of(leg).plan.telephone_event_clock;
        for (later, payload) in EventPayload::parse_all_at(clock, taken.payload) {
            let follows = later > 0;
            let packet = EventPacket {
                sequence: placed.sequence,
                apart: placed.apart,
                ts: placed.ts.saturating_add(later),
                marker: taken.header.marker && !follows,
                follows,
                payload,
                at: arrival.received_at,
            };
            let rebased = placed.rebased && !follows;
            match leg {
                Leg::Consumer => {
                    self.guard
                        .handle_event(arrival.now, packet, rebased, &mut super::way!(self));
                }
                Leg::Agent => {
                    newest_of_agent = packet.ts;
                    if let Some(key) = self.guard.note_agent_event(arrival.now, packet, rebased) {
                        self.note_agent_event_key(arrival.now, key, newest_of_agent);
                    }
                }
            }
        }
        let may_relay = match leg {
            Leg::Consumer => self.guard.may_relay(placed.ts) && !self.is_consumer_silenced(),
            Leg::Agent => {
                !self.swallows_agent_event(newest_of_agent) && self.may_relay_agent_event(placed.ts)
            }
        };
        if self.guard.is_protecting() || !may_relay {
            return Err(DropReason::Withheld);
        }
        self.relay_event(leg, taken)
    }

    fn relay_event(&mut self, from: Leg, taken: &Taken<'_>) -> Result<(), DropReason> {
        let clock = self.sides.of(from).plan.telephone_event_clock;
        let to = self.sides.of(from.other());
        let payload_type = to.plan.telephone_event_out.ok_or(DropReason::NotSending)?;
        let clock_out = to.plan.telephone_event_clock;
        let ts = taken.placed.ts;
        let framing = Framing {
            payload_type,
            marker: taken.header.marker,
            ts,
            span: 0,
        };
        let mut bytes = [0; EVENTS_MAX * PAYLOAD_LEN];
        let mut len = 0;
        let mut newest = None;
        for (later, payload) in EventPayload::parse_all_at(clock, taken.payload) {
            let sent = payload.in_clock(clock_out).to_bytes();
            bytes[len..len + PAYLOAD_LEN].copy_from_slice(&sent);
            len += PAYLOAD_LEN;
            newest = Some((ts.saturating_add(later), payload));
        }
        let bytes = &bytes[..len];
        if taken.placed.apart {
            to.check_open()?;
            to.send(&mut self.outputs, framing, 0, bytes)?;
        } else {
            to.relay(&mut self.outputs, taken.placed.sequence, framing, bytes)?;
        }
        if let Some((ts, payload)) = newest {
            to.note_event(ts, payload);
        }
        Ok(())
    }

    /// Comfort noise is relayed where it was negotiated, else made for the agent (S37); under protection always made: nothing of the consumer's is
    /// relayed then. For the recorder it is made in any case. Towards the consumer it is swallowed.
    fn handle_noise(&mut self, from: Leg, taken: &Taken<'_>) -> Result<(), DropReason> {
        let withheld = match from {
            Leg::Consumer => self.guard.is_protecting() || self.is_consumer_silenced(),
            Leg::Agent => self.is_agent_silenced(),
        };
        let negotiated = self.sides.of(from.other()).plan.comfort_noise;
        let relayed = negotiated.filter(|_| !withheld);
        if from == Leg::Consumer {
            self.guard
                .note_packet(0, &taken.placed, &self.sides.agent.plan);
            if relayed.is_none() {
                return self.heed_noise(taken, Listener::Agent);
            }
            if self.records {
                self.heed_noise(taken, Listener::Recorder)?;
            }
        }
        let Some(payload_type) = relayed else {
            return Ok(());
        };
        let to = self.sides.of(from.other());
        let framing = Framing {
            payload_type,
            marker: taken.header.marker,
            ts: taken.placed.ts,
            span: 0,
        };
        let len = taken.payload.len().min(COMFORT_NOISE_LEN_MAX);
        to.relay(
            &mut self.outputs,
            taken.placed.sequence,
            framing,
            &taken.payload[..len],
        )
    }
}

/// What is heard of an audio packet.
enum Sound {
    /// The packet itself, of so many samples if they were decoded.
    AsItCame(usize),
    /// These of the decoded samples, which are others now.
    Changed(Range<usize>),
}

impl Relay {
    /// Relays audio under our name, in the far side's codec.
    fn relay_audio(
        &mut self,
        from: Leg,
        taken: &Taken<'_>,
        sound: Sound,
    ) -> Result<(), DropReason> {
        let (source, to) = self.sides.way(from);
        let is_same = source.plan.codec == to.plan.codec;
        let (sequence, outputs) = (taken.placed.sequence, &mut self.outputs);
        let mut framing = Framing {
            payload_type: to.plan.payload_type_out,
            marker: taken.header.marker || taken.placed.rebased,
            ts: taken.placed.ts,
            span: taken.span,
        };
        let range = match sound {
            Sound::AsItCame(_) if is_same => {
                to.relay(outputs, sequence, framing, taken.payload)?;
                if taken.placed.newest {
                    to.encoder.follow(&source.decoder);
                }
                return Ok(());
            }
            Sound::AsItCame(0) => return Err(DropReason::Late),
            Sound::AsItCame(len) => 0..len,
            Sound::Changed(range) => range,
        };
        let samples = &self.scratch.packets.get().decoded[range];
        framing.span = sample::span(samples.len());
        let bytes = &mut self.scratch.frames.get().bytes[..];
        let len = to.encoder.encode(samples, bytes);
        to.relay(outputs, sequence, framing, &bytes[..len])
    }
}
