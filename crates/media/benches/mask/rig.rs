//! A call through a real relay, in virtual time: packets in, packets out, with the origin of every masked sample.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::g722;
use media::leg::{Codec, Leg, LegPlan};
use media::mask::Origin;
use media::relay::{Input, Output, Relay, RelayEvent, RelayPlan};
use media::rtp::{RtpHeader, RtpPacket};
use secret::Key;

use crate::line::{EVENT_PAYLOAD_TYPE, Packet};
use crate::scene::{Command, Scene};

/// The phone's stream: its timestamps wrap within the call.
const SSRC: u32 = 11;
const TIMESTAMP: u32 = u32::MAX - 20_000;

/// How a place of the agent's timeline was filled.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Filled {
    /// Nothing came.
    #[default]
    Nothing,
    /// A packet of the consumer's, relayed.
    Relayed,
    /// A masked packet.
    Masked,
}

/// What came of a call. All places are samples of the scene's signal: place `p` of the agent's timeline is where, without any delay, sample `p`
/// would be heard.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) agent: Vec<i16>,
    /// In G.722, whose octets are not a sample each: what comes of them. What the agent was sent under protection is then what went into them.
    pub(crate) decoded: Option<Vec<i16>>,
    pub(crate) filled: Vec<Filled>,
    /// Sources of each masked place.
    pub(crate) delayed: Vec<Option<usize>>,
    pub(crate) direct: Vec<Option<usize>>,
    pub(crate) recorded: Vec<i16>,
    /// What the capture is told, and when.
    pub(crate) told: Vec<(usize, Told)>,
    pub(crate) protected_from: Option<usize>,
    pub(crate) unprotected_from: Option<usize>,
    pub(crate) event_packets: usize,
    /// Masked samples at the agent or in the recording that are not the traced ones: must be none, or the trace proves nothing.
    pub(crate) untraced: usize,
    /// Protection was refused or lost: must not be.
    pub(crate) unprotected: usize,
}

/// What the relay tells a capture of the keys it heard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// A key, as an event code.
    Key(u8),
    /// One that cannot be read.
    Unclear,
}

/// A packet for the agent.
struct Sent {
    timestamp: u32,
    payload: Vec<u8>,
}

struct Rig<'scene> {
    scene: &'scene Scene,
    relay: Relay,
    began: Instant,
    now: Instant,
    /// RTP timestamp and recording position of place 0.
    zero: Option<(u32, u64)>,
    first_record: Option<u64>,
    sent: Vec<Sent>,
    records: Vec<(u64, Vec<i16>)>,
    traced: Vec<(u64, i16, Origin)>,
    masked_from: Option<u64>,
    outcome: Outcome,
}

/// Plays a call.
pub(crate) fn play(scene: &Scene) -> Outcome {
    let mut rig = Rig::new(scene);
    let mut commands = scene.commands.iter().peekable();
    for packet in &scene.packets {
        while let Some((at, command)) = commands.next_if(|(at, _)| *at < packet.at) {
            rig.run_to(*at);
            rig.command(*command);
        }
        rig.run_to(packet.at);
        rig.send(packet);
    }
    for (at, command) in commands {
        rig.run_to(*at);
        rig.command(*command);
    }
    rig.run_to(scene.signal.len() + 4_000);
    rig.finish()
}

impl<'scene> Rig<'scene> {
    fn new(scene: &'scene Scene) -> Self {
        let leg = |host: u8| {
            let plan = LegPlan::new(scene.codec, SocketAddr::from(([192, 0, 2, host], 4_000)));
            if scene.negotiated {
                plan.with_telephone_event(EVENT_PAYLOAD_TYPE)
            } else {
                plan
            }
        };
        let mut plan = RelayPlan::new(leg(1), leg(2), 7);
        plan.watch = true;
        plan.record = true;
        let now = Instant::now();
        let mut relay = Relay::new(plan, now);
        relay.trace();
        Self {
            scene,
            relay,
            began: now,
            now,
            zero: None,
            first_record: None,
            sent: Vec::new(),
            records: Vec::new(),
            traced: Vec::new(),
            masked_from: None,
            outcome: Outcome::default(),
        }
    }

    fn moment(&self, at: usize) -> Instant {
        self.began + Duration::from_micros(125) * at as u32
    }

    fn run_to(&mut self, at: usize) {
        let to = self.moment(at);
        while let Some(due) = self.relay.next_timeout().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.relay.handle_timeout(self.now);
            self.drain();
        }
        self.now = self.now.max(to);
    }

    fn command(&mut self, command: Command) {
        let input = match command {
            Command::Protect => Input::Protect,
            Command::Unprotect => Input::Unprotect,
            Command::Info(code) => Input::InfoKey {
                leg: Leg::Consumer,
                key: Key::from_event(code).expect("codes are digits"),
            },
        };
        self.relay.handle_input(self.now, input);
        self.drain();
    }

    fn send(&mut self, packet: &Packet) {
        let header = RtpHeader {
            marker: packet.marker,
            payload_type: packet.payload_type,
            sequence: packet.sequence,
            timestamp: TIMESTAMP.wrapping_add(packet.ts as u32),
            ssrc: SSRC,
        };
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend(&packet.payload);
        let before = self.sent.len();
        let input = Input::Packet {
            leg: Leg::Consumer,
            source: SocketAddr::from(([192, 0, 2, 1], 4_000)),
            received_at: self.now,
            bytes: &bytes,
            rtcp: false,
        };
        self.relay.handle_input(self.now, input);
        self.drain();
        if self.zero.is_none() {
            let relayed = self.sent.get(before).expect("the first packet is relayed");
            let position = self.first_record.expect("the first packet is recorded");
            self.zero = Some((relayed.timestamp, position));
            self.sent.drain(..before);
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.relay.poll_output() {
            match output {
                Output::Transmit {
                    leg: Leg::Agent,
                    bytes,
                    rtcp: false,
                    ..
                } => {
                    let packet = RtpPacket::parse(bytes).expect("we send RTP");
                    if packet.header.payload_type == EVENT_PAYLOAD_TYPE {
                        self.outcome.event_packets += 1;
                    } else {
                        let payload = packet.payload.to_vec();
                        self.sent.push(Sent {
                            timestamp: packet.header.timestamp,
                            payload,
                        });
                    }
                }
                Output::Record {
                    leg: Leg::Consumer,
                    position,
                    samples,
                } => {
                    self.first_record.get_or_insert(position);
                    self.records.push((position, samples.to_vec()));
                }
                Output::Key(key) => {
                    let code = (0..12).find(|code| Key::from_event(*code).as_ref() == Some(&key));
                    self.tell(code.map(Told::Key));
                }
                Output::Event(RelayEvent::TonesUnclear) => self.tell(Some(Told::Unclear)),
                Output::Event(event) => note(&mut self.outcome, &mut self.masked_from, event),
                Output::Transmit { .. } | Output::Record { .. } | Output::AgentKey(_) => {}
            }
        }
        while let Some(traced) = self.relay.poll_traced() {
            self.traced
                .push((traced.position, traced.linear, traced.origin));
        }
    }

    fn tell(&mut self, told: Option<Told>) {
        let at = self.now.saturating_duration_since(self.began).as_micros() / 125;
        self.outcome
            .told
            .extend(told.map(|told| (at as usize, told)));
    }

    fn finish(mut self) -> Outcome {
        let (timestamp, position) = self.zero.expect("a call has audio");
        let place = |at: u64| at.checked_sub(position).map(|place| place as usize);
        let len = self.scene.signal.len() + 8_000;
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.protected_from = self.masked_from.and_then(place);
        outcome.unprotected_from = outcome.unprotected_from.map(|at| at - position as usize);
        outcome.agent = vec![0; len];
        outcome.recorded = vec![0; len];
        let mut decoded = vec![0; len];
        outcome.filled = vec![Filled::Nothing; len];
        outcome.delayed = vec![None; len];
        outcome.direct = vec![None; len];
        let mut traced = vec![None; len];
        for (at, linear, origin) in &self.traced {
            let Some(at) = place(*at).filter(|at| *at < len) else {
                continue;
            };
            traced[at] = Some(*linear);
            outcome.delayed[at] = origin.delayed.and_then(place);
            outcome.direct[at] = origin.direct.and_then(place);
        }
        for (at, samples) in &self.records {
            let Some(at) = place(*at).filter(|at| at + samples.len() <= len) else {
                continue;
            };
            outcome.recorded[at..at + samples.len()].copy_from_slice(samples);
        }
        let law = self.scene.codec.law();
        let is_wide = self.scene.codec == Codec::G722;
        let mut decoder = g722::Decoder::new();
        for sent in &self.sent {
            let mut heard = vec![0; sent.payload.len()];
            if is_wide {
                decoder.decode(&sent.payload, &mut heard);
            } else {
                law.decode(&sent.payload, &mut heard);
            }
            let offset = sent.timestamp.wrapping_sub(timestamp).cast_signed();
            let Some(start) = usize::try_from(offset)
                .ok()
                .filter(|start| start + sent.payload.len() <= len)
            else {
                continue;
            };
            if is_wide && !is_like(&heard, &traced[start..start + heard.len()]) {
                outcome.untraced += heard.len();
            }
            for ((at, byte), heard) in (start..).zip(&sent.payload).zip(heard) {
                outcome.agent[at] = traced[at].filter(|_| is_wide).unwrap_or(heard);
                decoded[at] = heard;
                outcome.filled[at] = if traced[at].is_some() {
                    Filled::Masked
                } else {
                    Filled::Relayed
                };
                let is_traced = |linear: i16| {
                    let is_sent = is_wide || law.encode_sample(linear) == *byte;
                    is_sent && outcome.recorded[at] == linear
                };
                outcome.untraced +=
                    usize::from(traced[at].is_some_and(|linear| !is_traced(linear)));
            }
        }
        outcome.decoded = is_wide.then_some(decoded);
        outcome.note_untraced();
        outcome
    }
}

/// Of a codec that yields other samples than went into it: a packet is within 6 dB of what was traced, or within -48 dBm0.
fn is_like(heard: &[i16], traced: &[Option<i16>]) -> bool {
    let (mut whole, mut off) = (0.0, 0.0);
    for (heard, traced) in heard.iter().zip(traced) {
        let Some(traced) = *traced else { return true };
        whole += f64::from(traced).powi(2);
        off += (f64::from(traced) - f64::from(*heard)).powi(2);
    }
    off * 4.0 <= whole || off <= 64.0_f64.powi(2) * heard.len() as f64
}

fn note(outcome: &mut Outcome, masked_from: &mut Option<u64>, event: RelayEvent) {
    match event {
        RelayEvent::Protected { position, .. } => *masked_from = masked_from.or(Some(position)),
        RelayEvent::Unprotected { position } => outcome.unprotected_from = Some(position as usize),
        RelayEvent::ProtectionRefused { .. } | RelayEvent::ProtectionLost { .. } => {
            outcome.unprotected += 1
        }
        _ => {}
    }
}

impl Outcome {
    /// Codes of the keys that the capture gets.
    pub(crate) fn keys(&self) -> Vec<u8> {
        let code = |(_, told): &(usize, Told)| match told {
            Told::Key(code) => Some(*code),
            Told::Unclear => None,
        };
        self.told.iter().filter_map(code).collect()
    }

    /// True where only masked audio may be.
    pub(crate) fn is_protected(&self, place: usize) -> bool {
        self.protected_from.is_some_and(|from| place >= from)
            && self.unprotected_from.is_none_or(|from| place < from)
    }

    /// What left under protection without a trace was not masked at all.
    fn note_untraced(&mut self) {
        let relayed = (0..self.filled.len())
            .filter(|place| self.filled[*place] == Filled::Relayed && self.is_protected(*place));
        self.untraced += relayed.count();
    }
}
