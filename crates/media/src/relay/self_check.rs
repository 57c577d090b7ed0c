//! A call that nobody made, played before a real one is allowed (S29).
//! Owns: the proof that a relay like this one masks, towards everyone who listens, and that its last look sees.
//! Never: touches the running call.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::output::{Output, ProtectionRefusal};
use super::{AUDIO_SAMPLES_MAX, Input, Relay, RelayPlan};
use crate::codec::{Decoder, Encoder};
use crate::delay_line::HOLD_SAMPLES;
use crate::dtmf::inband::keypad::Pair;
use crate::egress_guard::{EgressGuard, Verdict};
use crate::leg::{Codec, Direction, Leg, LegPlan};
use crate::mask::SelfCheckError;
use crate::opus::LOOK_AHEAD_SAMPLES;
use crate::rtp::{HEADER_LEN, RtpHeader, RtpPacket};
use crate::sample;
use crate::sample::samples_in;
use crate::source::SourcePolicy;
use crate::tone::{KeyTone, KeyToneShape};

/// The shadow call: packets of 20 ms, protected from the fifth on for 360 ms, which most packet durations divide.
const PACKET: usize = 160;
const PACKET_TIME: Duration = Duration::from_millis(20);
const PACKETS: usize = 22;
const ARM_AT: usize = 4;

/// Its press: 60 ms, begun within a packet.
const PRESS: Range<usize> = 1_603..2_083;

/// Peak of the hiss around it, -58 dBm0.
const HISS: i16 = 48;

/// Samples in a row that no two signals share by chance: 1 ms (S42).
const RUN: usize = 8;

/// Where they cannot be the same samples, because the codec does not yield what went into it: 5 ms that go together like this. Two keys' do not, nor
/// does the flat tone with any.
const LIKE_RUN: usize = 40;
const LIKE: f32 = 0.9;

/// Samples of an edge of the press in a codec that spreads it: 5 ms, half of what lies between it and the next frame.
const SPREAD: usize = 40;

/// Samples of the whole call.
const HEARD_MAX: usize = PACKETS * PACKET;

/// What one listener of the shadow call was given.
struct Heard {
    samples: [i16; HEARD_MAX],
    len: usize,
    /// Samples by which the encoders on the way are behind.
    lag: usize,
}

/// When two stretches of samples are one.
#[derive(Clone, Copy)]
struct Sameness {
    run: usize,
    is_same: fn(&[i16], &[i16]) -> bool,
}

impl Sameness {
    const EXACT: Self = Self {
        run: RUN,
        is_same: |heard, sent| heard == sent,
    };

    /// Of what an agent hears by this codec.
    fn by(codec: Codec) -> Self {
        if codec.remembers() {
            Self {
                run: LIKE_RUN,
                is_same: go_together,
            }
        } else {
            Self::EXACT
        }
    }
}

/// Samples that differ in their size at most, but for some noise.
fn go_together(heard: &[i16], sent: &[i16]) -> bool {
    let sum = |one: &[i16], other: &[i16]| -> f32 {
        let products = one.iter().zip(other);
        products
            .map(|(one, other)| f32::from(*one) * f32::from(*other))
            .sum()
    };
    let power = sum(heard, heard) * sum(sent, sent);
    power > 0.0 && sum(heard, sent) > LIKE * power.sqrt()
}

impl Heard {
    fn new() -> Self {
        Self {
            samples: [0; HEARD_MAX],
            len: 0,
            lag: 0,
        }
    }

    /// What went through encoders of these codecs.
    fn through(codecs: &[Codec]) -> Self {
        let lags = codecs.iter().map(|codec| match codec {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 0,
            Codec::Opus => LOOK_AHEAD_SAMPLES,
        });
        Self {
            lag: lags.sum(),
            ..Self::new()
        }
    }

    /// Where the press stands, but for its edges where they are spread.
    fn press(&self) -> Range<usize> {
        let spread = if self.lag > 0 { SPREAD } else { 0 };
        PRESS.start + self.lag + spread..PRESS.end + self.lag - spread
    }

    fn put(&mut self, samples: &[i16]) {
        let free = &mut self.samples[self.len..];
        let len = samples.len().min(free.len());
        free[..len].copy_from_slice(&samples[..len]);
        self.len += len;
    }

    /// Any part of the press is here, where it would stand with or without the delay line. What was heard begins when the mask did.
    fn holds(&self, sent: &Heard, sameness: Sameness) -> bool {
        let Sameness { run, is_same } = sameness;
        let heard = &self.samples[..self.len];
        let press = sent.press();
        (press.start..press.end - run).any(|at| {
            [0, HOLD_SAMPLES].into_iter().any(|delay| {
                let from = at + delay - ARM_AT * PACKET;
                let heard = heard.get(from..from + run);
                heard.is_some_and(|heard| is_same(heard, &sent.samples[at..at + run]))
            })
        })
    }
}

/// The shadow call as its packets say it, and as the agent would hear it without a mask.
struct Sent {
    packets: [Payload; PACKETS],
    decoded: Heard,
    relayed: Heard,
}

/// What a packet of the shadow call carries: no octets more than samples, in any codec.
#[derive(Clone, Copy)]
struct Payload {
    octets: [u8; PACKET],
    len: usize,
}

impl Payload {
    fn of(encoder: &mut Encoder, samples: &[i16]) -> Self {
        let mut octets = [0; PACKET];
        let len = encoder.encode(samples, &mut octets);
        Self { octets, len }
    }

    fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

impl Sent {
    fn new(said: &[i16; HEARD_MAX], codec_in: Codec, codec_out: Codec) -> Self {
        let nothing = Payload {
            octets: [0; PACKET],
            len: 0,
        };
        let mut sent = Self {
            packets: [nothing; PACKETS],
            decoded: Heard::through(&[codec_in]),
            relayed: Heard::through(&[codec_in, codec_out]),
        };
        let (mut encoder, mut again) = (Encoder::new(codec_in), Encoder::new(codec_out));
        for (packet, samples) in sent.packets.iter_mut().zip(said.chunks_exact(PACKET)) {
            *packet = Payload::of(&mut encoder, samples);
            let mut linear = [0; PACKET];
            encoder.hear(packet.octets(), &mut linear);
            sent.decoded.put(&linear);
            let relayed = Payload::of(&mut again, &linear);
            again.hear(relayed.octets(), &mut linear);
            sent.relayed.put(&linear);
        }
        sent
    }

    /// The same each time for codecs whose encoders take their time: made once.
    fn of(codec_in: Codec, codec_out: Codec) -> Arc<Self> {
        static MADE: [OnceLock<Arc<Sent>>; OPUS_PAIRS.len()] =
            [const { OnceLock::new() }; OPUS_PAIRS.len()];
        let make = || Arc::new(Self::new(&said(), codec_in, codec_out));
        let pair = OPUS_PAIRS
            .iter()
            .position(|pair| *pair == (codec_in, codec_out));
        pair.map_or_else(make, |pair| Arc::clone(MADE[pair].get_or_init(make)))
    }
}

/// What is spoken on both legs, where one of them speaks Opus.
const OPUS_PAIRS: [(Codec, Codec); 7] = [
    (Codec::Opus, Codec::Opus),
    (Codec::Opus, Codec::Pcmu),
    (Codec::Opus, Codec::Pcma),
    (Codec::Opus, Codec::G722),
    (Codec::Pcmu, Codec::Opus),
    (Codec::Pcma, Codec::Opus),
    (Codec::G722, Codec::Opus),
];

/// Who listens to the shadow call.
struct Ears {
    decoder: Decoder,
    heard: Heard,
    recorded: Heard,
}

impl Ears {
    fn new(agent: &LegPlan) -> Self {
        Self {
            decoder: Decoder::new(agent.codec),
            heard: Heard::new(),
            recorded: Heard::new(),
        }
    }
}

/// Plays the shadow call with the codecs, packet durations and listeners of a call.
///
/// # Errors
/// Which part of the way may not be trusted.
pub(super) fn shadow_call(
    now: Instant,
    legs: [&LegPlan; 2],
    flat_tone_hz: f32,
    record: bool,
) -> Result<(), ProtectionRefusal> {
    let [consumer, agent] = legs.map(local);
    let codec_out = agent.codec;
    let sent = Sent::of(consumer.codec, codec_out);
    guard_finds(codec_out, &sent.relayed)?;
    let plan = RelayPlan {
        flat_tone_hz,
        record,
        watch: true,
        ..RelayPlan::new(consumer, agent, 0)
    };
    let frame = samples_in(plan.agent.ptime.unwrap_or(PACKET_TIME));
    let ears = play(now, plan, &sent);
    judge(&sent, &ears, Sameness::by(codec_out), record, frame)
}

/// Both listeners were given all that was masked but for a packet that was not full, and nothing of the press.
fn judge(
    sent: &Sent,
    ears: &Ears,
    sameness: Sameness,
    record: bool,
    frame: u64,
) -> Result<(), ProtectionRefusal> {
    let masked = (PACKETS - ARM_AT) * PACKET;
    let all = |heard: &Heard| heard.len <= masked && heard.len + sample::length(frame) > masked;
    let Ears {
        heard, recorded, ..
    } = ears;
    if !all(heard) {
        return Err(ProtectionRefusal::DelayLine);
    }
    if heard.holds(&sent.relayed, sameness) {
        return Err(ProtectionRefusal::ShadowPress);
    }
    if record && (!all(recorded) || recorded.holds(&sent.decoded, Sameness::EXACT)) {
        return Err(ProtectionRefusal::Sink);
    }
    Ok(())
}

/// The leg with nobody at its far side; what it is held or muted by is another matter.
fn local(plan: &LegPlan) -> LegPlan {
    LegPlan {
        remote_rtp: SocketAddr::from((Ipv4Addr::LOCALHOST, 9)),
        source_policy: SourcePolicy::Signalled,
        direction: Direction::SendRecv,
        ..plan.clone()
    }
}

/// What the consumer of the shadow call says: hiss, and one key.
fn said() -> [i16; HEARD_MAX] {
    let mut random = 1_u32;
    let mut said = [0; HEARD_MAX];
    for value in &mut said {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let high = i16::try_from(random >> 17).unwrap_or(0);
        *value = high % (2 * HISS) - HISS;
    }
    KeyTone::new(Pair::new(2, 1), KeyToneShape::default()).add_to(&mut said[PRESS]);
    said
}

/// An unmasked press is found.
fn guard_finds(codec: Codec, relayed: &Heard) -> Result<(), ProtectionRefusal> {
    let (mut guard, mut encoder) = (EgressGuard::new(), Encoder::new(codec));
    let mut verdicts = relayed.samples.chunks_exact(PACKET).map(|samples| {
        let payload = Payload::of(&mut encoder, samples);
        encoder.judge(&mut guard, payload.octets())
    });
    if verdicts.any(|verdict| verdict == Verdict::Silence) {
        Ok(())
    } else {
        Err(ProtectionRefusal::EgressGuard)
    }
}

/// Plays the call from `now` on, and keeps what was given out from its arming on.
fn play(mut now: Instant, plan: RelayPlan, sent: &Sent) -> Ears {
    let consumer = plan.consumer.clone();
    let mut ears = Ears::new(&plan.agent);
    let mut relay = Relay::new(plan, now);
    for (index, payload) in sent.packets.iter().enumerate() {
        if index == ARM_AT {
            let end = relay.sides.consumer.ingress.end(now);
            relay.arm_unproven(now, end);
            relay.scratch.give_back();
            // What went before is not masked.
            drain(&mut relay, &mut ears);
            (ears.heard.len, ears.recorded.len) = (0, 0);
        }
        now += PACKET_TIME;
        run_to(&mut relay, now, |relay| drain(relay, &mut ears));
        let mut bytes = [0; HEADER_LEN + PACKET];
        let bytes = packet(index, &consumer, payload, &mut bytes);
        let input = Input::Packet {
            leg: Leg::Consumer,
            source: consumer.remote_rtp,
            received_at: now,
            bytes,
            rtcp: false,
        };
        relay.handle_input(now, input);
        drain(&mut relay, &mut ears);
    }
    // What is paced leaves; what is held back stays.
    run_to(&mut relay, now + PACKET_TIME, |relay| {
        drain(relay, &mut ears);
    });
    ears
}

fn run_to(relay: &mut Relay, to: Instant, mut drain: impl FnMut(&mut Relay)) {
    while let Some(due) = relay.next_timeout().filter(|due| *due <= to) {
        relay.handle_timeout(due);
        drain(relay);
    }
}

fn packet<'bytes>(
    index: usize,
    consumer: &LegPlan,
    payload: &Payload,
    bytes: &'bytes mut [u8; HEADER_LEN + PACKET],
) -> &'bytes [u8] {
    let number = |value: usize| u32::try_from(value).unwrap_or(0);
    let steps = usize::from(consumer.codec.clock().steps());
    let header = RtpHeader {
        marker: false,
        payload_type: consumer.payload_type_in,
        sequence: u16::try_from(index).unwrap_or(0),
        timestamp: number(index * PACKET * steps),
        ssrc: 1,
    };
    let (head, body) = bytes.split_at_mut(HEADER_LEN);
    head.copy_from_slice(&header.to_bytes());
    body[..payload.len].copy_from_slice(payload.octets());
    &bytes[..HEADER_LEN + payload.len]
}

fn drain(relay: &mut Relay, ears: &mut Ears) {
    while let Some(output) = relay.poll_output() {
        match output {
            Output::Transmit {
                leg: Leg::Agent,
                bytes,
                rtcp: false,
                ..
            } => {
                let payload = RtpPacket::parse(bytes).map_or(&[][..], |packet| packet.payload);
                let mut linear = [0; AUDIO_SAMPLES_MAX];
                let len = ears.decoder.decode(payload, &mut linear);
                ears.heard.put(&linear[..len]);
            }
            Output::Record {
                leg: Leg::Consumer,
                samples,
                ..
            } => ears.recorded.put(samples),
            Output::Transmit { .. }
            | Output::Record { .. }
            | Output::Key(_)
            | Output::AgentKey(_)
            | Output::Event(_) => {}
        }
    }
}

impl From<SelfCheckError> for ProtectionRefusal {
    fn from(error: SelfCheckError) -> Self {
        match error {
            SelfCheckError::BugDelayLine { .. } => Self::DelayLine,
            SelfCheckError::BugClearSamples { .. }
            | SelfCheckError::BugNoFlatTone
            | SelfCheckError::BugAllMasked => Self::ShadowPress,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leg::Codec;

    const CODECS: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

    /// What was sent, and what the listeners of a relay between these codecs were given.
    fn played(codecs: [Codec; 2], mask_off: bool) -> (Sent, Ears) {
        let leg = |codec| LegPlan::new(codec, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
        let plan = RelayPlan {
            record: true,
            watch: true,
            mask_off,
            ..RelayPlan::new(leg(codecs[0]), leg(codecs[1]), 0)
        };
        let sent = Sent::new(&said(), codecs[0], codecs[1]);
        let ears = play(Instant::now(), plan, &sent);
        (sent, ears)
    }

    fn each(mut check: impl FnMut([Codec; 2], Sameness)) {
        for codec_in in CODECS {
            for codec_out in CODECS {
                check([codec_in, codec_out], Sameness::by(codec_out));
            }
        }
    }

    #[test]
    fn a_mask_that_is_off_is_refused() {
        each(|codecs, sameness| {
            let (sent, ears) = played(codecs, true);
            assert!(ears.recorded.holds(&sent.decoded, Sameness::EXACT));
            let judged = judge(&sent, &ears, sameness, true, 160);
            assert_eq!(judged, Err(ProtectionRefusal::ShadowPress), "{codecs:?}");
        });
    }

    #[test]
    fn a_recorder_before_the_mask_is_refused() {
        each(|codecs, sameness| {
            let (sent, mut ears) = played(codecs, false);
            let judged = judge(&sent, &ears, sameness, true, 160);
            assert_eq!(judged, Ok(()), "{codecs:?}");
            ears.recorded = played(codecs, true).1.recorded;
            let judged = judge(&sent, &ears, sameness, true, 160);
            assert_eq!(judged, Err(ProtectionRefusal::Sink), "{codecs:?}");
        });
    }

    #[test]
    fn a_delay_line_that_swallows_a_packet_is_refused() {
        each(|codecs, sameness| {
            let (sent, mut ears) = played(codecs, false);
            ears.heard.len -= PACKET;
            let judged = judge(&sent, &ears, sameness, false, 160);
            assert_eq!(judged, Err(ProtectionRefusal::DelayLine), "{codecs:?}");
        });
    }

    #[test]
    fn an_egress_guard_that_finds_nothing_is_refused() {
        each(|codecs, _| {
            let (sent, ears) = played(codecs, false);
            assert_eq!(guard_finds(codecs[1], &sent.relayed), Ok(()), "{codecs:?}");
            let judged = guard_finds(codecs[1], &ears.heard);
            assert_eq!(judged, Err(ProtectionRefusal::EgressGuard), "{codecs:?}");
        });
    }
}
