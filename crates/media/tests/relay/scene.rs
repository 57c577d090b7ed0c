//! A relay between two phones, in virtual time.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::dtmf::telephone_event::{EventCode, EventSender};
use media::g711::Law;
use media::g722;
use media::leg::{Codec, Leg, LegPlan};
use media::relay::{Input, Output, Relay, RelayEvent, RelayPlan, Traced};
use media::rtp::{RtpHeader, RtpPacket};
use opus_rs::{Application, OpusDecoder, OpusEncoder};
use secret::Key;

pub(crate) const EVENT_PAYLOAD_TYPE: u8 = 101;
pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port))
}

/// A packet as a far side received it.
#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) at: Duration,
    pub(crate) header: RtpHeader,
    pub(crate) payload: Vec<u8>,
}

impl Got {
    /// How far its sequence number and its timestamp are past those of another.
    pub(crate) fn since(&self, before: &Self) -> (u16, u32) {
        let (new, old) = (&self.header, &before.header);
        (
            new.sequence.wrapping_sub(old.sequence),
            new.timestamp.wrapping_sub(old.timestamp),
        )
    }
}

/// A far side that sends.
pub(crate) struct Phone {
    pub(crate) source: SocketAddr,
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) payload_type: u8,
    pub(crate) law: Law,
    /// Of a phone that speaks G.722.
    pub(crate) wide: Option<g722::Encoder>,
    /// Of a phone that speaks Opus.
    pub(crate) opus: Option<Opus>,
}

/// What a phone of Opus has: the reference to what we make of it is the crate itself, at the phone's rate.
pub(crate) struct Opus {
    /// With the length of its packets, in samples: another length takes another encoder.
    encoder: Option<(usize, OpusEncoder)>,
    /// Clock of its events, in steps for each sample at 8 kHz.
    pub(crate) event_steps: u32,
}

/// The codec of a phone that speaks Opus.
pub(crate) fn opus(codec: Codec) -> Option<Opus> {
    (codec == Codec::Opus).then_some(Opus {
        encoder: None,
        event_steps: 6,
    })
}

impl Opus {
    fn encode(&mut self, samples: &[i16]) -> Vec<u8> {
        let len = samples.len();
        let encoder = self.encoder.take().filter(|(of, _)| *of == len);
        let (_, encoder) = self.encoder.insert(encoder.unwrap_or_else(|| {
            let is_short = len < 80;
            let application = if is_short {
                Application::RestrictedLowDelay
            } else {
                Application::Voip
            };
            let mut encoder = OpusEncoder::new(8_000, 1, application).unwrap();
            (encoder.bitrate_bps, encoder.complexity) = (24_000, 5);
            (len, encoder)
        }));
        let mut octets = [0; 1_275];
        let size = encoder.encode_i16(samples, len, &mut octets).unwrap();
        octets[..size].to_vec()
    }
}

/// What is heard of packets of Opus, one after the other.
pub(crate) struct OpusEar(OpusDecoder);

impl OpusEar {
    pub(crate) fn new() -> Self {
        Self(OpusDecoder::new(8_000, 1).unwrap())
    }

    pub(crate) fn hear(&mut self, packet: &[u8]) -> Vec<i16> {
        let mut linear = [0.0; 960];
        let len = self.0.decode(packet, 960, &mut linear).unwrap();
        let value = |value: &f32| (value * 32_768.0).round() as i16;
        linear[..len].iter().map(value).collect()
    }
}

/// The encoder of a phone that has one.
pub(crate) fn wide(codec: Codec) -> Option<g722::Encoder> {
    (codec == Codec::G722).then(g722::Encoder::new)
}

impl Phone {
    /// What a script sends and the network does not lose, and when. The counters move on.
    pub(crate) fn datagrams(&mut self, script: &Script) -> Vec<(Duration, Vec<u8>)> {
        let mut sent = Vec::new();
        for packet in &script.packets {
            let bytes = self.datagram(packet);
            if !packet.lost {
                sent.push((packet.at, bytes));
            }
        }
        let span = u32::try_from(script.len.as_micros() / 125).unwrap() * self.steps();
        self.timestamp = self.timestamp.wrapping_add(span);
        sent
    }

    /// Steps of its clock for each sample at 8 kHz.
    fn steps(&self) -> u32 {
        if self.opus.is_some() { 6 } else { 1 }
    }

    fn datagram(&mut self, packet: &Packet) -> Vec<u8> {
        let header = RtpHeader {
            marker: packet.marker,
            payload_type: if packet.event {
                EVENT_PAYLOAD_TYPE
            } else {
                self.payload_type
            },
            sequence: self.sequence,
            timestamp: self.timestamp.wrapping_add(packet.ts * self.steps()),
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = header.to_bytes().to_vec();
        if packet.event {
            bytes.extend(&packet.payload);
            let steps = self.opus.as_ref().map_or(1, |opus| opus.event_steps);
            for place in (14..bytes.len()).step_by(4) {
                let duration = u16::from_be_bytes([bytes[place], bytes[place + 1]]);
                let duration = u32::from(duration) * steps;
                let octets = u16::try_from(duration).unwrap().to_be_bytes();
                bytes[place..place + 2].copy_from_slice(&octets);
            }
        } else if let Some(opus) = &mut self.opus {
            bytes.extend(opus.encode(&packet.samples));
        } else if let Some(encoder) = &mut self.wide {
            let mut octets = vec![0; packet.samples.len()];
            encoder.encode(&packet.samples, &mut octets);
            bytes.extend(octets);
        } else {
            let codes = packet.samples.iter();
            bytes.extend(codes.map(|value| self.law.encode_sample(*value)));
        }
        bytes
    }
}

pub(crate) struct Scene {
    pub(crate) relay: Relay,
    pub(crate) began: Instant,
    pub(crate) now: Instant,
    pub(crate) consumer: Phone,
    pub(crate) agent: Phone,
    pub(crate) agent_got: Vec<Got>,
    pub(crate) consumer_got: Vec<Got>,
    pub(crate) keys: Vec<Key>,
    pub(crate) agent_keys: Vec<Key>,
    pub(crate) events: Vec<RelayEvent>,
    pub(crate) records: Vec<(Leg, u64, Vec<i16>)>,
    pub(crate) reports: Vec<(Leg, SocketAddr, Vec<u8>)>,
    /// If asked for.
    pub(crate) traced: Vec<Traced>,
}

pub(crate) fn plan(codec: Codec, host: u8) -> LegPlan {
    LegPlan::new(codec, address(host, 4_000)).with_telephone_event(EVENT_PAYLOAD_TYPE)
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut RelayPlan)) -> Self {
        let mut relay_plan = RelayPlan::new(plan(Codec::Pcmu, 1), plan(Codec::Pcmu, 2), 7);
        relay_plan.watch = true;
        relay_plan.record = true;
        change(&mut relay_plan);
        let phone = |leg: &LegPlan, ssrc| Phone {
            source: leg.remote_rtp,
            ssrc,
            sequence: 65_500,
            timestamp: u32::MAX - 20_000,
            payload_type: leg.payload_type_in,
            law: leg.codec.law(),
            wide: wide(leg.codec),
            opus: opus(leg.codec),
        };
        let (consumer, agent) = (
            phone(&relay_plan.consumer, 11),
            phone(&relay_plan.agent, 22),
        );
        let now = Instant::now();
        Self {
            relay: Relay::new(relay_plan, now),
            began: now,
            now,
            consumer,
            agent,
            agent_got: Vec::new(),
            consumer_got: Vec::new(),
            keys: Vec::new(),
            agent_keys: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            reports: Vec::new(),
            traced: Vec::new(),
        }
    }

    pub(crate) fn drain(&mut self) {
        let at = self.now - self.began;
        self.traced
            .extend(std::iter::from_fn(|| self.relay.poll_traced()));
        while let Some(output) = self.relay.poll_output() {
            match output {
                Output::Transmit {
                    leg,
                    destination,
                    bytes,
                    rtcp,
                } => {
                    if rtcp || media::rtcp::is_rtcp(bytes) {
                        self.reports.push((leg, destination, bytes.to_vec()));
                        continue;
                    }
                    let packet = RtpPacket::parse(bytes).unwrap();
                    let got = Got {
                        at,
                        header: packet.header,
                        payload: packet.payload.to_vec(),
                    };
                    match leg {
                        Leg::Agent => self.agent_got.push(got),
                        Leg::Consumer => self.consumer_got.push(got),
                    }
                }
                Output::Key(key) => self.keys.push(key),
                Output::AgentKey(key) => self.agent_keys.push(key),
                Output::Record {
                    leg,
                    position,
                    samples,
                } => self.records.push((leg, position, samples.to_vec())),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.relay.handle_input(self.now, input);
        self.drain();
    }

    /// Drives timeouts up to `to`.
    pub(crate) fn run_until(&mut self, to: Instant) {
        let mut steps = 0;
        while let Some(due) = self.relay.next_timeout().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.relay.handle_timeout(self.now);
            self.drain();
            steps += 1;
            assert!(steps < 100_000, "timeouts do not move on");
        }
        self.now = self.now.max(to);
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.run_until(self.now + MS * u32::try_from(millis).unwrap());
    }

    pub(crate) fn datagram(&mut self, leg: Leg, source: SocketAddr, bytes: &[u8]) {
        let received_at = self.now;
        self.input(Input::Packet {
            leg,
            source,
            received_at,
            bytes,
            rtcp: false,
        });
    }

    /// Sends a script from a leg, starting now. Its phone's counters move on by the script's length.
    pub(crate) fn run(&mut self, leg: Leg, script: &Script) {
        let sent = self.phone(leg).datagrams(script);
        self.deliver(leg, &sent, script.len);
    }

    /// Hands over datagrams, in order of their times from now on; then `len` from now has passed.
    pub(crate) fn deliver(&mut self, leg: Leg, sent: &[(Duration, Vec<u8>)], len: Duration) {
        let began = self.now;
        for (at, bytes) in sent {
            self.run_until(began + *at);
            let source = self.phone(leg).source;
            self.datagram(leg, source, bytes);
        }
        self.run_until(began + len);
    }

    pub(crate) fn phone(&mut self, leg: Leg) -> &mut Phone {
        match leg {
            Leg::Consumer => &mut self.consumer,
            Leg::Agent => &mut self.agent,
        }
    }

    /// 400 ms of hiss, then protection.
    pub(crate) fn arm(&mut self) -> u64 {
        self.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
        self.input(Input::Protect);
        self.protected_at()
    }

    /// Recording position from which the mask holds.
    pub(crate) fn protected_at(&self) -> u64 {
        let last = self.events.iter().rev().find_map(|event| match event {
            RelayEvent::Protected { position, .. } => Some(*position),
            _ => None,
        });
        last.expect("the call is protected")
    }

    /// What the agent heard, placed on the consumer's timeline (recording positions); silence where nothing came.
    pub(crate) fn agent_heard(&self) -> Vec<i16> {
        let (timestamp, position) = self
            .events
            .iter()
            .find_map(|event| match event {
                RelayEvent::Protected {
                    timestamp,
                    position,
                } => Some((*timestamp, *position)),
                _ => None,
            })
            .expect("the call is protected");
        let mut line = Vec::new();
        let mut decoder = g722::Decoder::new();
        let mut ear = OpusEar::new();
        for got in self
            .agent_got
            .iter()
            .filter(|got| got.header.payload_type != EVENT_PAYLOAD_TYPE)
        {
            let law = if got.header.payload_type == 8 {
                Law::A
            } else {
                Law::Mu
            };
            let is_opus = got.header.payload_type == Codec::Opus.usual_payload_type();
            let offset = i64::from(got.header.timestamp.wrapping_sub(timestamp).cast_signed());
            let offset = if is_opus { offset / 6 } else { offset };
            let start = usize::try_from(offset + i64::try_from(position).unwrap()).unwrap();
            if is_opus {
                let linear = ear.hear(&got.payload);
                line.resize(line.len().max(start + linear.len()), 0);
                line[start..start + linear.len()].copy_from_slice(&linear);
                continue;
            }
            if line.len() < start + got.payload.len() {
                line.resize(start + got.payload.len(), 0);
            }
            if got.header.payload_type == 9 {
                decoder.decode(&got.payload, &mut line[start..]);
            } else {
                law.decode(&got.payload, &mut line[start..]);
            }
        }
        line
    }

    pub(crate) fn event_packets_to_agent(&self) -> usize {
        self.agent_got
            .iter()
            .filter(|got| got.header.payload_type == EVENT_PAYLOAD_TYPE)
            .count()
    }

    pub(crate) fn codes(&self) -> Vec<Key> {
        self.keys.clone()
    }
}

pub(crate) fn keys(codes: &[u8]) -> Vec<Key> {
    codes
        .iter()
        .map(|code| Key::from_event(*code).unwrap())
        .collect()
}

/// A packet of a script.
#[derive(Clone)]
pub(crate) struct Packet {
    pub(crate) at: Duration,
    pub(crate) ts: u32,
    pub(crate) marker: bool,
    pub(crate) event: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) samples: Vec<i16>,
    pub(crate) lost: bool,
}

/// What a phone sends, in order of time.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) packets: Vec<Packet>,
    pub(crate) len: Duration,
}

pub(crate) fn samples_to_time(samples: usize) -> Duration {
    Duration::from_micros(125) * u32::try_from(samples).unwrap()
}

impl Script {
    /// Audio in packets of 20 ms.
    pub(crate) fn audio(signal: &[i16]) -> Self {
        Self::audio_in(signal, 160)
    }

    pub(crate) fn audio_in(signal: &[i16], span: usize) -> Self {
        let packets = signal
            .chunks_exact(span)
            .enumerate()
            .map(|(index, samples)| Packet {
                at: samples_to_time((index + 1) * span),
                ts: u32::try_from(index * span).unwrap(),
                marker: false,
                event: false,
                payload: Vec::new(),
                samples: samples.to_vec(),
                lost: false,
            });
        Self {
            packets: packets.collect(),
            len: samples_to_time(signal.len()),
        }
    }

    /// A press as events: update every `step` samples.
    pub(crate) fn press(mut self, code: u8, start: usize, len: usize, step: usize) -> Self {
        let number = |samples: usize| u32::try_from(samples).unwrap();
        let mut sender = EventSender::new(
            EventCode::new(code),
            number(start),
            number(len),
            number(step),
        );
        let mut due = start;
        while let Some(frame) = sender.next_frame() {
            due = (due + step).min(start + len);
            let at = samples_to_time(due);
            self.packets.push(Packet {
                at,
                ts: frame.timestamp,
                marker: frame.marker,
                event: true,
                payload: frame.payload.to_vec(),
                samples: Vec::new(),
                lost: false,
            });
        }
        self.packets.sort_by_key(|packet| packet.at);
        self
    }

    /// No audio packet that overlaps `from..to`.
    pub(crate) fn without_audio(mut self, from: usize, to: usize) -> Self {
        self.packets.retain(|packet| {
            let start = packet.ts as usize;
            packet.event || start + packet.samples.len() <= from || start >= to
        });
        self
    }

    pub(crate) fn lose(mut self, share: f64, seed: u64) -> Self {
        let mut random = Random(seed);
        for packet in &mut self.packets {
            packet.lost = random.next_f64() < share;
        }
        self
    }

    /// Changes the event packets, numbered.
    pub(crate) fn change_events(mut self, mut change: impl FnMut(usize, &mut Packet)) -> Self {
        let events = self.packets.iter_mut().filter(|packet| packet.event);
        events
            .enumerate()
            .for_each(|(index, packet)| change(index, packet));
        self
    }
}

/// A small generator, so that tests are the same everywhere.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }

    pub(crate) fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next_f64()
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next_u64() % limit
    }
}

/// Line noise of about -58 dBm0.
pub(crate) fn hiss(len: usize, seed: u64) -> Vec<i16> {
    let mut random = Random(seed);
    (0..len)
        .map(|_| random.between(-48.0, 48.0).round() as i16)
        .collect()
}
