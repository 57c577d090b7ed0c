//! A call that nobody made, played before a real one is allowed (S29).
//! Owns: the proof that a relay like this one masks, towards everyone who listens, and that its last look sees.
//! Never: touches the running call.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::output::{Output, ProtectionRefusal};
use super::{Input, Relay, RelayPlan};
use crate::delay_line::HOLD_SAMPLES;
use crate::dtmf::inband::keypad::Pair;
use crate::egress_guard::{EgressGuard, Verdict};
use crate::g711::Law;
use crate::leg::{Direction, Leg, LegPlan};
use crate::mask::SelfCheckError;
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
const PRESS: std::ops::Range<usize> = 1_603..2_083;

/// Peak of the hiss around it, -58 dBm0.
const HISS: i16 = 48;

/// Codes in a row that no two signals share by chance: 1 ms (S42).
const RUN: usize = 8;

/// Samples of the whole call.
const HEARD_MAX: usize = PACKETS * PACKET;

/// What one listener of the shadow call was given, in the agent's codes.
struct Heard {
    codes: [u8; HEARD_MAX],
    len: usize,
}

impl Heard {
    fn new() -> Self {
        Self {
            codes: [0; HEARD_MAX],
            len: 0,
        }
    }

    fn put(&mut self, code: u8) {
        if let Some(place) = self.codes.get_mut(self.len) {
            *place = code;
            self.len += 1;
        }
    }

    /// Any millisecond of the press is here, where it would stand with or without the delay line. What was heard begins when the mask did.
    fn holds(&self, sent: &Heard) -> bool {
        let heard = &self.codes[..self.len];
        (PRESS.start..PRESS.end - RUN).any(|at| {
            [0, HOLD_SAMPLES].into_iter().any(|delay| {
                let from = at + delay - ARM_AT * PACKET;
                heard.get(from..from + RUN) == Some(&sent.codes[at..at + RUN])
            })
        })
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
    let (law_in, law_out) = (consumer.codec.law(), agent.codec.law());
    let said = said();
    let mut sent = Heard::new();
    for value in said {
        let code = law_in.encode_sample(value);
        sent.put(law_out.encode_sample(law_in.decode_byte(code)));
    }
    guard_finds(law_out, &sent)?;
    let plan = RelayPlan {
        flat_tone_hz,
        record,
        watch: true,
        ..RelayPlan::new(consumer, agent, 0)
    };
    let (mut heard, mut recorded) = (Heard::new(), Heard::new());
    let frame = samples_in(plan.agent.ptime.unwrap_or(PACKET_TIME));
    play(now, plan, &said, &mut heard, &mut recorded);
    judge(&sent, &heard, record.then_some(&recorded), frame)
}

/// Both listeners were given all that was masked but for a packet that was not full, and nothing of the press.
fn judge(
    sent: &Heard,
    heard: &Heard,
    recorded: Option<&Heard>,
    frame: u64,
) -> Result<(), ProtectionRefusal> {
    let masked = (PACKETS - ARM_AT) * PACKET;
    let all = |heard: &Heard| heard.len <= masked && heard.len + sample::length(frame) > masked;
    if !all(heard) {
        return Err(ProtectionRefusal::DelayLine);
    }
    if heard.holds(sent) {
        return Err(ProtectionRefusal::ShadowPress);
    }
    match recorded {
        Some(recorded) if !all(recorded) || recorded.holds(sent) => Err(ProtectionRefusal::Sink),
        Some(_) | None => Ok(()),
    }
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
fn guard_finds(law: Law, sent: &Heard) -> Result<(), ProtectionRefusal> {
    let mut guard = EgressGuard::new();
    let mut verdicts = sent
        .codes
        .chunks(PACKET)
        .map(|packet| guard.judge(law, packet));
    if verdicts.any(|verdict| verdict == Verdict::Silence) {
        Ok(())
    } else {
        Err(ProtectionRefusal::EgressGuard)
    }
}

/// Plays the call from `now` on, and keeps what was given out from its arming on.
fn play(mut now: Instant, plan: RelayPlan, said: &[i16], heard: &mut Heard, recorded: &mut Heard) {
    let consumer = plan.consumer.clone();
    let law_out = plan.agent.codec.law();
    let mut relay = Relay::new(plan, now);
    for (index, samples) in said.chunks_exact(PACKET).enumerate() {
        if index == ARM_AT {
            let end = relay.sides.consumer.ingress.end(now);
            relay.arm_unproven(now, end);
            relay.scratch.give_back();
            // What went before is not masked.
            drain(&mut relay, law_out, heard, recorded);
            (heard.len, recorded.len) = (0, 0);
        }
        now += PACKET_TIME;
        run_to(&mut relay, now, |relay| {
            drain(relay, law_out, heard, recorded)
        });
        let bytes = packet(index, &consumer, samples);
        let input = Input::Packet {
            leg: Leg::Consumer,
            source: consumer.remote_rtp,
            received_at: now,
            bytes: &bytes,
            rtcp: false,
        };
        relay.handle_input(now, input);
        drain(&mut relay, law_out, heard, recorded);
    }
    // What is paced leaves; what is held back stays.
    run_to(&mut relay, now + PACKET_TIME, |relay| {
        drain(relay, law_out, heard, recorded);
    });
}

fn run_to(relay: &mut Relay, to: Instant, mut drain: impl FnMut(&mut Relay)) {
    while let Some(due) = relay.next_timeout().filter(|due| *due <= to) {
        relay.handle_timeout(due);
        drain(relay);
    }
}

fn packet(index: usize, consumer: &LegPlan, samples: &[i16]) -> [u8; HEADER_LEN + PACKET] {
    let number = |value: usize| u32::try_from(value).unwrap_or(0);
    let header = RtpHeader {
        marker: false,
        payload_type: consumer.payload_type_in,
        sequence: u16::try_from(index).unwrap_or(0),
        timestamp: number(index * PACKET),
        ssrc: 1,
    };
    let mut bytes = [0; HEADER_LEN + PACKET];
    let (head, body) = bytes.split_at_mut(HEADER_LEN);
    head.copy_from_slice(&header.to_bytes());
    consumer.codec.law().encode(samples, body);
    bytes
}

fn drain(relay: &mut Relay, law: Law, heard: &mut Heard, recorded: &mut Heard) {
    while let Some(output) = relay.poll_output() {
        match output {
            Output::Transmit {
                leg: Leg::Agent,
                bytes,
                rtcp: false,
                ..
            } => {
                let payload = RtpPacket::parse(bytes).map_or(&[][..], |packet| packet.payload);
                payload.iter().for_each(|code| heard.put(*code));
            }
            Output::Record {
                leg: Leg::Consumer,
                samples,
                ..
            } => samples
                .iter()
                .for_each(|value| recorded.put(law.encode_sample(*value))),
            Output::Transmit { .. } | Output::Record { .. } | Output::Key(_) | Output::Event(_) => {
            }
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

    fn leg(port: u16) -> LegPlan {
        LegPlan::new(Codec::Pcmu, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// What was sent, and what two listeners of a relay were given.
    fn played(mask_off: bool) -> [Heard; 3] {
        let plan = RelayPlan {
            record: true,
            watch: true,
            mask_off,
            ..RelayPlan::new(leg(9), leg(9), 0)
        };
        let (said, mut sent) = (said(), Heard::new());
        said.iter()
            .for_each(|value| sent.put(Law::Mu.encode_sample(*value)));
        let (mut heard, mut recorded) = (Heard::new(), Heard::new());
        play(Instant::now(), plan, &said, &mut heard, &mut recorded);
        [sent, heard, recorded]
    }

    #[test]
    fn a_mask_that_is_off_is_refused() {
        let [sent, heard, recorded] = played(true);
        assert!(heard.holds(&sent) && recorded.holds(&sent));
        let judged = judge(&sent, &heard, Some(&recorded), 160);
        assert_eq!(judged, Err(ProtectionRefusal::ShadowPress));
    }

    #[test]
    fn a_recorder_before_the_mask_is_refused() {
        let [sent, heard, recorded] = played(false);
        assert_eq!(judge(&sent, &heard, Some(&recorded), 160), Ok(()));
        let [_, _, unmasked] = played(true);
        let judged = judge(&sent, &heard, Some(&unmasked), 160);
        assert_eq!(judged, Err(ProtectionRefusal::Sink));
    }

    #[test]
    fn a_delay_line_that_swallows_a_packet_is_refused() {
        let [sent, mut heard, _] = played(false);
        heard.len -= PACKET;
        let judged = judge(&sent, &heard, None, 160);
        assert_eq!(judged, Err(ProtectionRefusal::DelayLine));
    }

    #[test]
    fn an_egress_guard_that_finds_nothing_is_refused() {
        let [sent, heard, _] = played(false);
        assert_eq!(guard_finds(Law::Mu, &sent), Ok(()));
        let judged = guard_finds(Law::Mu, &heard);
        assert_eq!(judged, Err(ProtectionRefusal::EgressGuard));
    }
}
