//! Calls made at random, and their playing.
//! A call is presses, each seen on some of three channels (telephone-event, tone in the audio, SIP INFO), an agent who keys too, a network that
//! loses, delays and doubles, rubbish from outside, and a stretch of protection that begins and ends anywhere.

use std::time::{Duration, Instant};

use media::leg::Leg;
use media::relay::{Input, RelayEvent};
use media::tone::KeyToneShape;
use proptest::prelude::*;
use secret::Key;

use crate::mask::Keyed;
use crate::scene::{EVENT_PAYLOAD_TYPE, MS, Random, Scene, Script, address, hiss, samples_to_time};

/// When the first press may begin: after the phones have said hello.
pub(crate) const FIRST_PRESS: usize = 4_800;

/// Where a press is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) event: bool,
    pub(crate) audio: bool,
    pub(crate) info: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Press {
    pub(crate) code: u8,
    pub(crate) pause: usize,
    pub(crate) len: usize,
    pub(crate) seen: Seen,
    /// How much later than the tone the event begins, in samples.
    pub(crate) event_offset: i32,
    pub(crate) info_delay_ms: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) presses: Vec<Press>,
    pub(crate) negotiated: bool,
    pub(crate) span: usize,
    pub(crate) ptime: Option<u32>,
    pub(crate) event_step: usize,
    pub(crate) audio_suspended: bool,
    pub(crate) loss_percent: u8,
    pub(crate) jitter_ms: u8,
    pub(crate) doubled_percent: u8,
    pub(crate) rubbish: bool,
    pub(crate) protect_at_ms: u32,
    pub(crate) protected_ms: u32,
    pub(crate) seed: u64,
}

pub(crate) fn seen() -> impl Strategy<Value = Seen> {
    let all = [
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (true, true, false),
        (true, false, true),
        (false, true, true),
        (true, true, true),
    ];
    prop::sample::select(all.to_vec()).prop_map(|(event, audio, info)| Seen { event, audio, info })
}

pub(crate) fn press() -> impl Strategy<Value = Press> {
    let len = prop_oneof![Just(320_usize), Just(400), 320..2_400_usize];
    (
        0..12_u8,
        1_200..4_000_usize,
        len,
        seen(),
        -400..1_600_i32,
        0..150_u32,
    )
        .prop_map(
            |(code, pause, len, seen, event_offset, info_delay_ms)| Press {
                code,
                pause,
                len,
                seen,
                event_offset,
                info_delay_ms,
            },
        )
}

pub(crate) fn call() -> impl Strategy<Value = Call> {
    let network = (
        prop_oneof![3 => Just(0_u8), 1 => Just(1), 1 => Just(5), 1 => Just(20)],
        prop_oneof![3 => Just(0_u8), 1 => Just(10), 1 => Just(60)],
        prop_oneof![Just(0_u8), Just(5)],
        any::<bool>(),
    );
    let phone = (
        any::<bool>(),
        prop::sample::select(vec![80_usize, 160, 240, 320, 480]),
        prop::option::of(prop::sample::select(vec![10_u32, 20, 30, 40, 60])),
        prop::sample::select(vec![160_usize, 400]),
        any::<bool>(),
    );
    let protection = (300..4_000_u32, 0..9_000_u32);
    // Most phones keep to one way of telling; some calls change it from press to press.
    let presses = prop_oneof![
        2 => (seen(), prop::collection::vec(press(), 1..12)).prop_map(|(seen, mut presses)| {
            presses.iter_mut().for_each(|press| press.seen = seen);
            presses
        }),
        1 => prop::collection::vec(press(), 1..12),
    ];
    (presses, phone, network, protection, any::<u64>()).prop_map(
        |(
            presses,
            (negotiated, span, ptime, event_step, audio_suspended),
            (loss_percent, jitter_ms, doubled_percent, rubbish),
            (protect_at_ms, protected_ms),
            seed,
        )| Call {
            presses,
            negotiated,
            span,
            ptime,
            event_step,
            audio_suspended,
            loss_percent,
            jitter_ms,
            doubled_percent,
            rubbish,
            protect_at_ms,
            protected_ms,
            seed,
        },
    )
}

/// A press in its place: samples from the start of the call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) code: u8,
    pub(crate) seen: Seen,
    /// First and last sample that is sounded or signalled.
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) tone_start: usize,
    pub(crate) event_start: usize,
    pub(crate) len: usize,
    pub(crate) info_at: Duration,
}

impl Call {
    /// Presses one after the other. Equal keys that are told in different ways lie a second and more apart: nearer, nobody can say
    /// whether they are one press or two.
    pub(crate) fn place(&self) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::new();
        let mut free = FIRST_PRESS;
        for press in &self.presses {
            let mut seen = press.seen;
            seen.event &= self.negotiated;
            seen.audio |= !seen.event && !seen.info;
            let differs = placed
                .iter()
                .rev()
                .take(16)
                .any(|one| one.code == press.code && one.seen != seen);
            let offset = if seen.event && seen.audio {
                press.event_offset
            } else {
                0
            };
            let late_info = if seen.info {
                press.info_delay_ms as usize * 8
            } else {
                0
            };
            let first = free + press.pause + if differs { 12_000 } else { 0 };
            let tone_start = first + usize::try_from(-offset).unwrap_or(0);
            let event_start = first + usize::try_from(offset).unwrap_or(0);
            let end = tone_start.max(event_start) + press.len;
            placed.push(Placed {
                code: press.code,
                seen,
                begin: first,
                end,
                tone_start,
                event_start,
                len: press.len,
                info_at: samples_to_time(first + late_info),
            });
            free = end.max(first + late_info);
        }
        placed
    }
}

/// When the relay said that its mask holds, and when no longer, from the start of the call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Protection {
    pub(crate) asked: Option<Duration>,
    pub(crate) given: Option<Duration>,
    pub(crate) let_go: Option<Duration>,
    pub(crate) over: Option<Duration>,
    /// The same as a recording position.
    pub(crate) over_at: Option<u64>,
}

/// What came of a call.
pub(crate) struct Played {
    pub(crate) scene: Scene,
    pub(crate) keyed: Keyed,
    pub(crate) agent_keyed: Keyed,
    pub(crate) placed: Vec<Placed>,
    pub(crate) protection: Protection,
    /// Presses of which at least one event packet came through, and when the first did.
    pub(crate) event_came: Vec<Option<Duration>>,
    /// The first sample that came, from the start of the call.
    pub(crate) first_sample: u64,
}

pub(crate) enum Step {
    Packet(Vec<u8>),
    OfAgent(Vec<u8>),
    Rubbish(Vec<u8>, bool),
    Info(Key),
    Protect,
    Unprotect,
}

impl Call {
    pub(crate) fn play(&self, protect: bool) -> Played {
        let placed = self.place();
        let len =
            (placed.last().map_or(FIRST_PRESS, |press| press.end) + 8_000).div_ceil(480) * 480;
        let (keyed, script) = self.script(&placed, len);
        let mut scene = Scene::with(|relay| {
            relay.agent.ptime = self.ptime.map(|ms| MS * ms);
            if !self.negotiated {
                relay.consumer.telephone_event_in = None;
            }
        });
        let mut random = Random(self.seed);
        let sent = scene.consumer.datagrams(&script);
        let mut steps = self.network(sent, &mut random, Step::Packet);
        let event_came = self.events_that_came(&scene, &placed, &steps);
        let first_sample = first_sample(&scene, &steps, len);
        for press in placed.iter().filter(|press| press.seen.info) {
            steps.push((
                press.info_at,
                Step::Info(Key::from_event(press.code).unwrap()),
            ));
        }
        let agent_keyed = self.agent_keys(len);
        let script = Script::audio_in(&agent_keyed.signal, self.span);
        let sent = scene.agent.datagrams(&script);
        steps.extend(self.network(sent, &mut random, Step::OfAgent));
        if self.rubbish {
            self.add_rubbish(&mut steps, &mut random, len);
        }
        if protect {
            steps.push((MS * self.protect_at_ms, Step::Protect));
            steps.push((
                MS * (self.protect_at_ms + self.protected_ms),
                Step::Unprotect,
            ));
        }
        steps.sort_by_key(|(at, _)| *at);
        let protection = self.run(&mut scene, steps, samples_to_time(len));
        Played {
            scene,
            keyed,
            agent_keyed,
            placed,
            protection,
            event_came,
            first_sample,
        }
    }

    fn script(&self, placed: &[Placed], len: usize) -> (Keyed, Script) {
        let mut keyed = Keyed::new(hiss(len, self.seed | 1));
        for press in placed.iter().filter(|press| press.seen.audio) {
            keyed.sound(
                press.code,
                press.tone_start,
                press.len,
                KeyToneShape::default(),
            );
        }
        let mut script = Script::audio_in(&keyed.signal, self.span);
        for press in placed.iter().filter(|press| press.seen.event) {
            script = script.press(press.code, press.event_start, press.len, self.event_step);
            if self.audio_suspended && !press.seen.audio {
                script = script.without_audio(press.event_start, press.event_start + press.len);
            }
        }
        (keyed, script)
    }

    /// Letters: no key of the consumer's is taken for the echo of one.
    fn agent_keys(&self, len: usize) -> Keyed {
        let mut random = Random(self.seed ^ 0xA6E7);
        let mut keyed = Keyed::new(hiss(len, self.seed | 2));
        let mut start = random.below(2_000) as usize;
        while start + 2_400 < len {
            let (letter, press) = (random.below(4) as u8, 160 + random.below(2_000) as usize);
            keyed.sound(12 + letter, start, press, KeyToneShape::default());
            start += press + 400 + random.below(4_000) as usize;
        }
        keyed
    }

    /// What comes through of what was sent, and when.
    fn network(
        &self,
        sent: Vec<(Duration, Vec<u8>)>,
        random: &mut Random,
        step: fn(Vec<u8>) -> Step,
    ) -> Vec<(Duration, Step)> {
        let mut steps = Vec::new();
        for (at, bytes) in sent {
            if random.below(100) < u64::from(self.loss_percent) {
                continue;
            }
            let delay = Duration::from_micros(random.below(u64::from(self.jitter_ms) * 1_000 + 1));
            if random.below(100) < u64::from(self.doubled_percent) {
                steps.push((at + delay + MS * 3, step(bytes.clone())));
            }
            steps.push((at + delay, step(bytes)));
        }
        steps
    }

    fn events_that_came(
        &self,
        scene: &Scene,
        placed: &[Placed],
        steps: &[(Duration, Step)],
    ) -> Vec<Option<Duration>> {
        let base = scene.consumer.timestamp;
        let begun = |bytes: &[u8]| {
            let timestamp = u32::from_be_bytes(bytes[4..8].try_into().unwrap());
            (bytes[1] & 0x7F == EVENT_PAYLOAD_TYPE).then_some(timestamp)
        };
        let mut total = 0_u32;
        for (_, step) in steps {
            if let Step::Packet(bytes) = step
                && let Some(timestamp) = begun(bytes)
            {
                total = total.max(base.wrapping_sub(timestamp));
            }
        }
        let len = u32::try_from(placed.last().map_or(FIRST_PRESS, |press| press.end) + 8_000)
            .unwrap()
            .div_ceil(480)
            * 480;
        assert!(total <= len);
        let came = placed.iter().map(|press| {
            let start = base
                .wrapping_sub(len)
                .wrapping_add(u32::try_from(press.event_start).unwrap());
            let first = steps.iter().filter(|(_, step)| match step {
                Step::Packet(bytes) => press.seen.event && begun(bytes) == Some(start),
                _ => false,
            });
            first.map(|(at, _)| *at).min()
        });
        came.collect()
    }

    fn add_rubbish(&self, steps: &mut Vec<(Duration, Step)>, random: &mut Random, len: usize) {
        for _ in 0..len / 800 {
            let at = samples_to_time(random.below(len as u64) as usize);
            let mut bytes = vec![
                0x80,
                101,
                0,
                1,
                0,
                0,
                0,
                1,
                0,
                0,
                0,
                11,
                random.below(12) as u8,
                10,
                0,
                160,
            ];
            let from_outside = random.below(2) == 0;
            if !from_outside {
                match random.below(4) {
                    0 => bytes[1] = 96,
                    1 => bytes[0] = 0x40,
                    2 => bytes.truncate(random.below(12) as usize),
                    _ => bytes.resize(1_501, 7),
                }
            }
            steps.push((at, Step::Rubbish(bytes, from_outside)));
        }
    }

    fn run(&self, scene: &mut Scene, steps: Vec<(Duration, Step)>, len: Duration) -> Protection {
        let began = scene.now;
        let mut protection = Protection::default();
        for (at, step) in steps {
            scene.run_until(began + at);
            let source = scene.consumer.source;
            match step {
                Step::Packet(bytes) => scene.datagram(Leg::Consumer, source, &bytes),
                Step::OfAgent(bytes) => {
                    scene.datagram(Leg::Agent, scene.agent.source, &bytes);
                }
                Step::Rubbish(bytes, true) => {
                    scene.datagram(Leg::Consumer, address(66, 4_000), &bytes)
                }
                Step::Rubbish(bytes, false) => scene.datagram(Leg::Consumer, source, &bytes),
                Step::Info(key) => scene.input(Input::InfoKey {
                    leg: Leg::Consumer,
                    key,
                }),
                Step::Protect => {
                    protection.asked = Some(at);
                    scene.input(Input::Protect);
                }
                Step::Unprotect => {
                    protection.let_go = Some(at);
                    scene.input(Input::Unprotect);
                }
            }
            note(&mut protection, scene, began);
        }
        scene.run_until(began + len);
        scene.wait(600);
        note(&mut protection, scene, began);
        protection
    }
}

/// Where the audio that came first stands in the call.
pub(crate) fn first_sample(scene: &Scene, steps: &[(Duration, Step)], len: usize) -> u64 {
    let began = scene
        .consumer
        .timestamp
        .wrapping_sub(u32::try_from(len).unwrap());
    let packets = steps.iter().filter_map(|(at, step)| match step {
        Step::Packet(bytes) if bytes[1] & 0x7F == 0 => Some((at, bytes)),
        _ => None,
    });
    let (_, first) = packets.min_by_key(|(at, _)| *at).unwrap();
    u64::from(u32::from_be_bytes(first[4..8].try_into().unwrap()).wrapping_sub(began))
}

pub(crate) fn note(protection: &mut Protection, scene: &Scene, began: Instant) {
    let now = scene.now - began;
    for event in &scene.events {
        match event {
            RelayEvent::Protected { .. } if protection.given.is_none() => {
                protection.given = Some(now)
            }
            RelayEvent::Unprotected { position }
                if protection.given.is_some() && protection.over.is_none() =>
            {
                protection.over = Some(now);
                protection.over_at = Some(*position);
            }
            _ => {}
        }
    }
}
