//! What 20 ms of one call's audio cost. Prints one JSON line; every figure is the least of several passes.
//! Own figures of one machine, to compare with each other; nothing else is to run beside them.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::dtmf::inband::Reporter;
use media::dtmf::inband::keypad::Pair;
use media::dtmf::inband::trigger::{Context, Trigger};
use media::egress_guard::{EgressGuard, Verdict};
use media::g711::Law;
use media::leg::{Codec, Leg, LegPlan};
use media::relay::{Input, Relay, RelayPlan};
use media::rtp::RtpHeader;
use media::sample;
use media::tone::{KeyTone, KeyToneShape};
use opus_rs::{Application, OpusEncoder};

const FRAME: usize = 160;
const FRAME_TIME: Duration = Duration::from_millis(20);

/// Frames of one pass: 4.8 s, four times the speech's period. Short, so that some passes are not interrupted.
const FRAMES: usize = 240;

/// Passes; the least counts.
const PASSES: usize = 151;

/// Calls in turn: as many as a core carries.
const CALLS: usize = 500;

/// What is played.
#[derive(Clone, Copy)]
enum Signal {
    /// A voice-like buzz with noise, pauses between.
    Speech,
    /// A key of 100 ms every 200 ms.
    Keys,
}

fn main() {
    let speech = signal(Signal::Speech);
    let keys = signal(Signal::Keys);
    let figures = [
        ("trigger_speech", least(|| trigger(&speech))),
        ("trigger_keys", least(|| trigger(&keys))),
        ("strict_speech", least(|| strict(&speech))),
        ("strict_keys", least(|| strict(&keys))),
        ("egress_guard_speech", least(|| egress_guard(&speech))),
        ("egress_guard_keys", least(|| egress_guard(&keys))),
        (
            "relay_unprotected",
            least(|| relay(&speech, Leg::Consumer, Mode::Open)),
        ),
        (
            "relay_watched",
            least(|| relay(&speech, Leg::Consumer, Mode::Watched)),
        ),
        (
            "relay_protected_speech",
            least(|| relay(&speech, Leg::Consumer, Mode::Protected)),
        ),
        (
            "relay_protected_keys",
            least(|| relay(&keys, Leg::Consumer, Mode::Protected)),
        ),
        (
            "relay_agent_open",
            least(|| relay(&speech, Leg::Agent, Mode::Open)),
        ),
        (
            "relay_agent_protected",
            least(|| relay(&speech, Leg::Agent, Mode::Protected)),
        ),
        (
            "relay_opus_open",
            least(|| relay(&speech, Leg::Consumer, Mode::OpusOpen)),
        ),
        (
            "relay_opus_protected_speech",
            least(|| relay(&speech, Leg::Consumer, Mode::OpusProtected)),
        ),
        (
            "relay_opus_agent_protected",
            least(|| relay(&speech, Leg::Agent, Mode::OpusProtected)),
        ),
        ("relay_unprotected_cold", cold(&speech, Mode::Open)),
        ("relay_protected_cold", cold(&speech, Mode::Protected)),
    ];
    let frame_ns = FRAME_TIME.as_nanos();
    let fields: Vec<String> = figures
        .iter()
        .map(|(name, ns)| {
            format!(
                "\"{name}\": {{\"ns_per_frame\": {ns}, \"audio_s_per_cpu_s\": {}}}",
                frame_ns / (*ns).max(1)
            )
        })
        .collect();
    let [arm_us, arm_opus_us] = [Mode::Watched, Mode::OpusOpen].map(arm_micros);
    let line = format!(
        "{{\"frame_ms\": 20, {}, \"arm_us\": {arm_us}, \"arm_opus_us\": {arm_opus_us}}}\n",
        fields.join(", ")
    );
    let written = std::io::stdout().lock().write_all(line.as_bytes());
    written.expect("standard output takes one line");
}

/// Nanoseconds a frame of the fastest pass.
fn least(mut pass: impl FnMut() -> Duration) -> u128 {
    let fastest = (0..PASSES).map(|_| pass()).min().unwrap_or(Duration::MAX);
    fastest.as_nanos() / u128::from(sample::span(FRAMES))
}

fn signal(kind: Signal) -> Vec<i16> {
    let mut linear = vec![0_i16; FRAMES * FRAME];
    let mut noise = 1_u32;
    for (at, value) in linear.iter_mut().enumerate() {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let hiss = f32::from(u16::try_from(noise >> 16).unwrap_or(0)) / 1_024.0 - 32.0;
        *value = sample::from_f32(hiss + voice(kind, at));
    }
    if let Signal::Keys = kind {
        for (index, press) in linear.chunks_mut(1_600).enumerate() {
            let number = u8::try_from(index % 12).unwrap_or(0);
            let mut tone = KeyTone::new(Pair::new(number / 3, number % 3), KeyToneShape::default());
            tone.add_to(&mut press[..800]);
        }
    }
    linear
}

fn voice(kind: Signal, at: usize) -> f32 {
    let Signal::Speech = kind else { return 0.0 };
    if (at / 2_400).is_multiple_of(4) {
        return 0.0;
    }
    let seconds = sample::count_f32(at % 8_000) / 8_000.0;
    let pitch_hz = 110.0 + 40.0 * (seconds * 9.0).sin();
    (1_u8..20)
        .map(|harmonic| {
            let angle = std::f32::consts::TAU * pitch_hz * f32::from(harmonic) * seconds;
            1_200.0 / f32::from(harmonic) * angle.sin()
        })
        .sum()
}

fn trigger(linear: &[i16]) -> Duration {
    let mut trigger = Trigger::new();
    let began = Instant::now();
    let mut heard = 0_usize;
    let (mut rest, mut end) = (linear, 0);
    while !rest.is_empty() {
        let (hop, later) = rest.split_at(rest.len().min(trigger.wanted()));
        end += sample::span(hop.len());
        heard += usize::from(trigger.push_all(hop, end, Context::default()).is_some());
        rest = later;
    }
    let spent = began.elapsed();
    std::hint::black_box(heard);
    spent
}

fn strict(linear: &[i16]) -> Duration {
    let mut reporter = Reporter::new();
    let began = Instant::now();
    let mut digits = 0_usize;
    for (index, frame) in linear.chunks_exact(FRAME).enumerate() {
        reporter.push_audio(sample::span(index * FRAME), frame);
        while reporter.poll_digit().is_some() {
            digits += 1;
        }
    }
    let spent = began.elapsed();
    std::hint::black_box(digits);
    spent
}

fn egress_guard(linear: &[i16]) -> Duration {
    let mut guard = EgressGuard::new();
    let mut payload = vec![0; linear.len()];
    Law::Mu.encode(linear, &mut payload);
    let began = Instant::now();
    let mut silenced = 0_usize;
    for packet in payload.chunks_exact(FRAME) {
        silenced += usize::from(guard.judge(Law::Mu, packet) == Verdict::Silence);
    }
    let spent = began.elapsed();
    std::hint::black_box(silenced);
    spent
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    Watched,
    Protected,
    /// Both legs speak Opus; packets pass as they come.
    OpusOpen,
    OpusProtected,
}

impl Mode {
    fn codec(self) -> Codec {
        match self {
            Self::Open | Self::Watched | Self::Protected => Codec::Pcmu,
            Self::OpusOpen | Self::OpusProtected => Codec::Opus,
        }
    }

    fn is_protected(self) -> bool {
        matches!(self, Self::Protected | Self::OpusProtected)
    }
}

fn plan(host: u8, codec: Codec) -> LegPlan {
    LegPlan::new(codec, SocketAddr::from(([192, 0, 2, host], 4_000))).with_telephone_event(101)
}

fn new_relay(now: Instant, mode: Mode) -> Relay {
    let [consumer, agent] = [1, 2].map(|host| plan(host, mode.codec()));
    let mut relay_plan = RelayPlan::new(consumer, agent, 3);
    relay_plan.watch = !matches!(mode, Mode::Open | Mode::OpusOpen);
    Relay::new(relay_plan, now)
}

/// What a phone of the mode sends for its samples.
struct Voice(Option<OpusEncoder>);

impl Voice {
    fn of(mode: Mode) -> Self {
        let new = || OpusEncoder::new(8_000, 1, Application::Voip).expect("8 kHz, one channel");
        Self((mode.codec() == Codec::Opus).then(new))
    }

    fn packet(&mut self, index: usize, frame: &[i16]) -> Vec<u8> {
        let clock = if self.0.is_some() { 6 } else { 1 };
        let header = RtpHeader {
            marker: false,
            payload_type: if self.0.is_some() { 111 } else { 0 },
            sequence: u16::try_from(index).unwrap_or(0),
            timestamp: u32::try_from(index * FRAME * clock).unwrap_or(0),
            ssrc: 5,
        };
        let mut bytes = header.to_bytes().to_vec();
        let Some(encoder) = &mut self.0 else {
            bytes.extend(frame.iter().map(|value| Law::Mu.encode_sample(*value)));
            return bytes;
        };
        (encoder.bitrate_bps, encoder.complexity) = (24_000, 5);
        let mut octets = [0; FRAME];
        let len = encoder.encode_i16(frame, FRAME, &mut octets);
        bytes.extend(&octets[..len.expect("20 ms are a packet")]);
        bytes
    }
}

/// A relay in that mode.
fn relay_in(mode: Mode, now: Instant) -> Relay {
    let mut relay = new_relay(now, mode);
    if mode.is_protected() {
        let silence = Voice::of(mode).packet(0, &[0; FRAME]);
        let input = Input::Packet {
            leg: Leg::Consumer,
            source: plan(1, mode.codec()).remote_rtp,
            received_at: now,
            bytes: &silence,
            rtcp: false,
        };
        relay.handle_input(now, input);
        relay.handle_input(now, Input::Protect);
    }
    relay
}

fn packets(linear: &[i16], mode: Mode) -> Vec<Vec<u8>> {
    let mut voice = Voice::of(mode);
    linear
        .chunks_exact(FRAME)
        .enumerate()
        .map(|(index, frame)| voice.packet(index + 1, frame))
        .collect()
}

/// Everything the media thread does for a packet but the system calls: a look ahead, input, outputs, next timeout. Yields the number of outputs.
fn drive(relay: &mut Relay, now: Instant, leg: Leg, bytes: &[u8]) -> usize {
    let source = if leg == Leg::Consumer {
        plan(1, Codec::Pcmu).remote_rtp
    } else {
        plan(2, Codec::Pcmu).remote_rtp
    };
    let input = Input::Packet {
        leg,
        source,
        received_at: now,
        bytes,
        rtcp: false,
    };
    std::hint::black_box(relay.look(leg));
    relay.handle_input(now, input);
    let mut sent = 0;
    while relay.poll_output().is_some() {
        sent += 1;
    }
    if relay.next_timeout().is_some_and(|due| due <= now) {
        relay.handle_timeout(now);
    }
    sent
}

/// The packets of one call.
fn relay(linear: &[i16], leg: Leg, mode: Mode) -> Duration {
    let mut now = Instant::now();
    let mut relay = relay_in(mode, now);
    let packets = packets(linear, mode);
    let mut sent = 0;
    let began = Instant::now();
    for bytes in &packets {
        now += FRAME_TIME;
        sent += drive(&mut relay, now, leg, bytes);
    }
    let spent = began.elapsed();
    std::hint::black_box(sent);
    spent
}

/// The same of many calls in turn, so that nothing of a call is left in the nearer caches when its next packet comes. Nanoseconds a
/// packet of the fastest round.
fn cold(linear: &[i16], mode: Mode) -> u128 {
    let mut now = Instant::now();
    let mut relays: Vec<Relay> = (0..CALLS).map(|_| relay_in(mode, now)).collect();
    let mut fastest = Duration::MAX;
    for bytes in &packets(linear, mode) {
        now += FRAME_TIME;
        let began = Instant::now();
        let sent: usize = relays
            .iter_mut()
            .map(|relay| drive(relay, now, Leg::Consumer, bytes))
            .sum();
        fastest = fastest.min(began.elapsed());
        std::hint::black_box(sent);
    }
    fastest.as_nanos() / u128::from(sample::span(CALLS))
}

/// Microseconds of arming a call of the mode, self-check included.
fn arm_micros(mode: Mode) -> u128 {
    let arm = || {
        let now = Instant::now();
        let mut relay = new_relay(now, mode);
        let silence = Voice::of(mode).packet(0, &[0; FRAME]);
        let input = Input::Packet {
            leg: Leg::Consumer,
            source: plan(1, mode.codec()).remote_rtp,
            received_at: now,
            bytes: &silence,
            rtcp: false,
        };
        relay.handle_input(now, input);
        let began = Instant::now();
        relay.handle_input(now, Input::Protect);
        began.elapsed().as_micros()
    };
    (0..PASSES).map(|_| arm()).min().unwrap_or(0)
}
