//! A whole relay: packets of both legs, commands and time, as bytes say.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::leg::{Codec, Direction, Leg, LegPlan};
use media::relay::{Input, Output, Relay, RelayEvent, RelayPlan};
use media::rtp::{HEADER_LEN, PACKET_LEN_MAX, RtpHeader, RtpPacket};
use media::source::SourcePolicy;
use secret::Key;

use crate::Taker;

const EVENTS: u8 = 101;
const NOISE: u8 = 13;

/// Steps of one input: 0.5-40 s of a call.
const STEPS_MAX: usize = 400;

/// Timeouts that one step may cause: 250 ms of frames of 10 ms and some reports.
const TIMEOUTS_MAX: usize = 400;

struct Call {
    relay: Relay,
    now: Instant,
    sent: [Sent; 2],
    /// Between the report that the mask holds and the report that it does no longer.
    protected: bool,
    counts: bool,
    names: [Option<u32>; 2],
}

/// Counters of a phone.
#[derive(Default, Clone, Copy)]
struct Sent {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
}

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port))
}

fn leg_plan(leg: Leg, habits: u8) -> LegPlan {
    let host = if leg == Leg::Consumer { 1 } else { 2 };
    let codec = match (habits & 128, habits & 1) {
        (0, 0) => Codec::Pcmu,
        (0, _) => Codec::Pcma,
        (_, 0) => Codec::G722,
        _ => Codec::Opus,
    };
    let mut plan = LegPlan::new(codec, address(host, 4_000));
    if habits & 2 == 0 {
        plan = plan.with_telephone_event(EVENTS);
    }
    if habits & 4 != 0 {
        plan.comfort_noise = Some(NOISE);
    }
    plan.rtcp_mux = habits & 8 != 0;
    plan.ptime = [None, Some(10), Some(30), Some(60)][usize::from(habits >> 4 & 3)]
        .map(Duration::from_millis);
    if habits & 64 != 0 {
        plan.source_policy = SourcePolicy::Latch {
            sip_source: address(host, 0).ip(),
        };
    }
    plan
}

/// While the mask holds no event and nothing under a foreign name reaches the agent; nothing counts that nobody asked for; no queue
/// overflows; time goes on; nothing panics.
pub fn run(data: &[u8]) {
    let mut taker = Taker(data);
    let mut plan = RelayPlan::new(
        leg_plan(Leg::Consumer, taker.u8()),
        leg_plan(Leg::Agent, taker.u8()),
        7,
    );
    let habits = taker.u8();
    plan.watch = habits & 1 != 0;
    plan.record = habits & 2 != 0;
    let now = Instant::now();
    let mut call = Call {
        relay: Relay::new(plan, now),
        now,
        sent: [
            Sent {
                ssrc: 11,
                ..Sent::default()
            },
            Sent {
                ssrc: 22,
                ..Sent::default()
            },
        ],
        protected: false,
        counts: false,
        names: [None, None],
    };
    for _ in 0..STEPS_MAX {
        if taker.is_empty() {
            break;
        }
        call.step(&mut taker);
    }
    call.wait(Duration::from_millis(250));
    call.input(Input::End);
    assert_eq!(call.relay.next_timeout(), None);
    assert_eq!(call.relay.counters().outputs_dropped, 0);
}

impl Call {
    fn step(&mut self, taker: &mut Taker<'_>) {
        let kind = taker.u8();
        let leg = if kind & 0x80 == 0 {
            Leg::Consumer
        } else {
            Leg::Agent
        };
        match kind & 0x1F {
            0 => self.command(taker, leg),
            1 => self.wait(Duration::from_millis(u64::from(taker.u8()))),
            2 => self.datagram(leg, taker, true),
            3 => self.datagram(leg, taker, false),
            4..=9 => self.event(leg, kind, taker),
            10 => self.jump(leg, taker),
            _ => self.audio(leg, kind, taker),
        }
    }

    fn command(&mut self, taker: &mut Taker<'_>, leg: Leg) {
        let value = taker.u8();
        match value % 8 {
            0 => self.input(Input::Protect),
            1 => {
                self.counts = false;
                self.input(Input::Unprotect);
            }
            2 => self.input(Input::Mute(value & 8 != 0)),
            3 => self.input(Input::Watch(value & 8 != 0)),
            4 => {
                if let Some(key) = Key::from_event(value >> 4) {
                    self.input(Input::InfoKey { leg, key });
                }
            }
            5 => {
                let mut plan = leg_plan(leg, taker.u8());
                let directions = [
                    Direction::SendRecv,
                    Direction::SendOnly,
                    Direction::RecvOnly,
                    Direction::Inactive,
                ];
                plan.direction = directions[usize::from(value >> 3 & 3)];
                self.input(Input::Replan { leg, plan });
            }
            _ => self.wait(Duration::from_millis(20)),
        }
    }

    /// Whatever bytes, from whatever address.
    fn datagram(&mut self, leg: Leg, taker: &mut Taker<'_>, rtcp: bool) {
        let host = taker.u8() % 4;
        let len = usize::from(taker.u16()) % (PACKET_LEN_MAX + 8);
        let bytes = taker.bytes(len);
        let source = address(host, if rtcp { 4_001 } else { 4_000 });
        self.packet(leg, source, bytes, rtcp, 0);
    }

    fn event(&mut self, leg: Leg, kind: u8, taker: &mut Taker<'_>) {
        let mut payload = taker.bytes(4).to_vec();
        payload.resize(4, 0);
        let back = u32::from(taker.u8());
        let sent = self.next(leg, 0);
        let header = RtpHeader {
            marker: kind & 0x40 != 0,
            payload_type: EVENTS,
            sequence: sent.sequence,
            timestamp: sent.timestamp.wrapping_sub(back * 80),
            ssrc: sent.ssrc,
        };
        self.phone(leg, header, &payload, 0);
        if kind & 0x20 != 0 {
            self.wait(Duration::from_millis(20));
        }
    }

    fn audio(&mut self, leg: Leg, kind: u8, taker: &mut Taker<'_>) {
        let shape = taker.u8();
        let len = [160, 80, 240, 480, 960, 7, 0, 961][usize::from(shape & 7)];
        let tone = taker.u8();
        let late_ms = if kind & 0x1F == 12 {
            u64::from(taker.u8())
        } else {
            0
        };
        let sent = self.next(leg, len);
        if kind & 0x40 != 0 && kind & 0x1F == 11 {
            // Lost.
            self.wait(Duration::from_millis(20));
            return;
        }
        let header = RtpHeader {
            marker: false,
            payload_type: if kind & 0x1F == 13 {
                NOISE
            } else {
                [0, 8][usize::from(shape >> 3 & 1)]
            },
            sequence: sent.sequence,
            timestamp: sent.timestamp,
            ssrc: sent.ssrc,
        };
        let payload: Vec<u8> = (0..len)
            .map(|at| code(tone, sent.timestamp.wrapping_add(at)))
            .collect();
        self.phone(leg, header, &payload, late_ms);
        if kind & 0x20 == 0 {
            self.wait(Duration::from_millis(u64::from(len / 8)));
        }
    }

    /// Another stream, or the same with other counters.
    fn jump(&mut self, leg: Leg, taker: &mut Taker<'_>) {
        let change = taker.u8();
        let by = taker.u32();
        let sent = &mut self.sent[usize::from(leg == Leg::Agent)];
        match change % 3 {
            0 => {
                sent.sequence = sent
                    .sequence
                    .wrapping_add(u16::try_from(by & 0xFFFF).unwrap_or(0))
            }
            1 => sent.timestamp = sent.timestamp.wrapping_add(by),
            _ => sent.ssrc = by,
        }
    }

    /// The counters of the next packet; they move on.
    fn next(&mut self, leg: Leg, len: u32) -> Sent {
        let sent = &mut self.sent[usize::from(leg == Leg::Agent)];
        let now = *sent;
        sent.sequence = sent.sequence.wrapping_add(1);
        sent.timestamp = sent.timestamp.wrapping_add(len);
        now
    }

    fn phone(&mut self, leg: Leg, header: RtpHeader, payload: &[u8], late_ms: u64) {
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend(payload);
        let host = if leg == Leg::Consumer { 1 } else { 2 };
        self.packet(leg, address(host, 4_000), &bytes, false, late_ms);
    }

    fn packet(&mut self, leg: Leg, source: SocketAddr, bytes: &[u8], rtcp: bool, late_ms: u64) {
        let received_at = self
            .now
            .checked_sub(Duration::from_millis(late_ms))
            .unwrap_or(self.now);
        self.input(Input::Packet {
            leg,
            source,
            received_at,
            bytes,
            rtcp,
        });
    }

    fn input(&mut self, input: Input<'_>) {
        self.relay.handle_input(self.now, input);
        self.drain();
    }

    fn wait(&mut self, time: Duration) {
        let to = self.now + time;
        let mut steps = 0;
        while let Some(due) = self.relay.next_timeout().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.relay.handle_timeout(self.now);
            self.drain();
            steps += 1;
            assert!(steps < TIMEOUTS_MAX, "timeouts do not move on");
        }
        self.now = to;
    }

    fn drain(&mut self) {
        while let Some(output) = self.relay.poll_output() {
            match output {
                Output::Transmit {
                    leg, bytes, rtcp, ..
                } => {
                    assert!(bytes.len() <= PACKET_LEN_MAX);
                    if rtcp || media::rtcp::is_rtcp(bytes) {
                        assert!(media::rtcp::parse(bytes).is_ok());
                        continue;
                    }
                    let packet = RtpPacket::parse(bytes).expect("what we send is RTP");
                    assert!(bytes.len() >= HEADER_LEN);
                    let name = self.names[usize::from(leg == Leg::Agent)]
                        .get_or_insert(packet.header.ssrc);
                    assert_eq!(*name, packet.header.ssrc, "one name for one stream (S34)");
                    let forbidden = [EVENTS, NOISE].contains(&packet.header.payload_type);
                    assert!(!(self.protected && leg == Leg::Agent && forbidden));
                }
                Output::Key(_) => assert!(self.counts, "a key that nobody asked for"),
                Output::AgentKey(_) => unreachable!("nobody asked for the agent's keys"),
                Output::Record { samples, .. } => assert!(!samples.is_empty()),
                Output::Event(event) => {
                    self.protected = heed(event, self.protected, &mut self.counts)
                }
            }
        }
    }
}

/// Whether the mask holds after an event.
fn heed(event: RelayEvent, protected: bool, counts: &mut bool) -> bool {
    match event {
        RelayEvent::Protected { .. } => {
            *counts = true;
            true
        }
        RelayEvent::Unprotected { .. } => {
            *counts = false;
            false
        }
        RelayEvent::ProtectionLost { .. } => {
            *counts = false;
            protected
        }
        _ => protected,
    }
}

/// Codes of a quiet hiss, of a keypad's tone pair, or of noise.
fn code(tone: u8, at: u32) -> u8 {
    let hiss = u8::try_from(at.wrapping_mul(2_654_435_761) >> 29).unwrap_or(0);
    if tone & 0x80 == 0 {
        return 0xF8 | hiss;
    }
    if tone & 0x40 != 0 {
        return u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap_or(0);
    }
    let low = [697.0, 770.0, 852.0, 941.0][usize::from(tone >> 2 & 3)];
    let high = [1_209.0, 1_336.0, 1_477.0, 1_633.0][usize::from(tone & 3)];
    let seconds = f64::from(at % 8_000) / 8_000.0;
    let wave = (std::f64::consts::TAU * low * seconds).sin()
        + (std::f64::consts::TAU * high * seconds).sin();
    media::g711::Law::Mu.encode_sample(media::sample::from_f32(media::sample::narrow(
        wave * 6_000.0,
    )))
}
