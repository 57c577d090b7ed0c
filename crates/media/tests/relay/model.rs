//! Calls made at random, held against a model: which keys count, and that nothing of a press is heard.
//!
//! A call is presses, each seen on some of three channels (telephone-event, tone in the audio, SIP INFO), a network that loses, delays and
//! doubles, rubbish from outside, and a stretch of protection that begins and ends anywhere. The model says for each press whether it
//! counts, may count or must not; what the relay put out must be one of the answers it allows, in order.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use media::dtmf::inband::LooseDetector;
use media::leg::Leg;
use media::relay::{Input, RelayEvent};
use media::tone::KeyToneShape;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secret::Key;

use crate::mask::Keyed;
use crate::scene::{
    EVENT_PAYLOAD_TYPE, MS, Random, Scene, Script, address, hiss, keys, samples_to_time,
};

/// Equal codes in a row by which a piece of a press is known: 1 ms.
const GRAM: usize = 8;

/// A piece of a press is louder than this somewhere: several times the hiss beside it.
const GRAM_PEAK_LEAST: u16 = 600;

type Gram = [u8; GRAM];

/// When the first press may begin: after the phones have said hello.
const FIRST_PRESS: usize = 4_800;

/// Where a press is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    event: bool,
    audio: bool,
    info: bool,
}

#[derive(Debug, Clone)]
struct Press {
    code: u8,
    pause: usize,
    len: usize,
    seen: Seen,
    /// How much later than the tone the event begins, in samples.
    event_offset: i32,
    info_delay_ms: u32,
}

#[derive(Debug, Clone)]
struct Call {
    presses: Vec<Press>,
    negotiated: bool,
    span: usize,
    ptime: Option<u32>,
    event_step: usize,
    audio_suspended: bool,
    loss_percent: u8,
    jitter_ms: u8,
    doubled_percent: u8,
    rubbish: bool,
    protect_at_ms: u32,
    protected_ms: u32,
    seed: u64,
}

fn seen() -> impl Strategy<Value = Seen> {
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

fn press() -> impl Strategy<Value = Press> {
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

fn call() -> impl Strategy<Value = Call> {
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
struct Placed {
    code: u8,
    seen: Seen,
    /// First and last sample that is sounded or signalled.
    begin: usize,
    end: usize,
    tone_start: usize,
    event_start: usize,
    len: usize,
    info_at: Duration,
}

impl Call {
    /// Presses one after the other. Equal keys that are told in different ways lie a second and more apart: nearer, nobody can say
    /// whether they are one press or two.
    fn place(&self) -> Vec<Placed> {
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

/// What a press may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Counts,
    MayCount,
    No,
}

/// When the relay said that its mask holds, and when no longer, from the start of the call.
#[derive(Debug, Clone, Copy, Default)]
struct Protection {
    asked: Option<Duration>,
    given: Option<Duration>,
    let_go: Option<Duration>,
    over: Option<Duration>,
    /// The same as a recording position.
    over_at: Option<u64>,
}

/// What came of a call.
struct Played {
    scene: Scene,
    keyed: Keyed,
    placed: Vec<Placed>,
    protection: Protection,
    /// Presses of which at least one event packet came through, and when the first did.
    event_came: Vec<Option<Duration>>,
    /// The first sample that came, from the start of the call.
    first_sample: u64,
}

enum Step {
    Packet(Vec<u8>),
    Rubbish(Vec<u8>, bool),
    Info(Key),
    Protect,
    Unprotect,
}

impl Call {
    fn play(&self, protect: bool) -> Played {
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
        let mut steps = self.network(&mut scene, &script, &mut random);
        let event_came = self.events_that_came(&scene, &placed, &steps);
        let first_sample = first_sample(&scene, &steps, len);
        for press in placed.iter().filter(|press| press.seen.info) {
            steps.push((
                press.info_at,
                Step::Info(Key::from_event(press.code).unwrap()),
            ));
        }
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

    /// What comes through, and when.
    fn network(
        &self,
        scene: &mut Scene,
        script: &Script,
        random: &mut Random,
    ) -> Vec<(Duration, Step)> {
        let mut steps = Vec::new();
        for (at, bytes) in scene.consumer.datagrams(script) {
            if random.below(100) < u64::from(self.loss_percent) {
                continue;
            }
            let delay = Duration::from_micros(random.below(u64::from(self.jitter_ms) * 1_000 + 1));
            if random.below(100) < u64::from(self.doubled_percent) {
                steps.push((at + delay + MS * 3, Step::Packet(bytes.clone())));
            }
            steps.push((at + delay, Step::Packet(bytes)));
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
fn first_sample(scene: &Scene, steps: &[(Duration, Step)], len: usize) -> u64 {
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

fn note(protection: &mut Protection, scene: &Scene, began: Instant) {
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

impl Call {
    /// The answers that the rules allow (S30): an event or an INFO counts and makes them the source; a tone alone counts until then.
    fn answers(&self, played: &Played) -> Vec<(u8, Answer)> {
        let Protection {
            given: Some(given),
            let_go,
            ..
        } = played.protection
        else {
            return Vec::new();
        };
        let let_go = let_go.unwrap_or(Duration::MAX);
        let is_rough = self.loss_percent > 0 || self.jitter_ms > 10;
        let mut signalled = Answer::No;
        let mut answers = Vec::new();
        for (press, came) in played.placed.iter().zip(&played.event_came) {
            let event = came.map_or(Answer::No, |at| within(at, given, let_go, self.slack()));
            let info = if press.seen.info {
                within(press.info_at, given, let_go, self.slack())
            } else {
                Answer::No
            };
            let told = most(event, info);
            let begun = samples_to_time(press.begin);
            let mut heard = Answer::No;
            if press.seen.audio && begun + self.transit() > given && begun < let_go {
                let whole =
                    begun > given + MS * 40 && samples_to_time(press.end) + MS * 600 < let_go;
                heard = match signalled {
                    Answer::Counts => Answer::No,
                    Answer::No if whole && !is_rough => Answer::Counts,
                    Answer::No | Answer::MayCount => Answer::MayCount,
                };
            }
            signalled = most(signalled, told);
            answers.push((press.code, most(told, heard)));
        }
        answers
    }

    /// How long after a sample was spoken it is here at the latest, and 20 ms: what comes behind arming was not heard before it.
    fn transit(&self) -> Duration {
        samples_to_time(self.span) + MS * (20 + u32::from(self.jitter_ms))
    }

    /// What is seen this near to the edges of protection may fall on either side.
    fn slack(&self) -> Duration {
        MS * (80 + 2 * u32::from(self.jitter_ms))
    }
}

fn most(one: Answer, other: Answer) -> Answer {
    match (one, other) {
        (Answer::Counts, _) | (_, Answer::Counts) => Answer::Counts,
        (Answer::MayCount, _) | (_, Answer::MayCount) => Answer::MayCount,
        (Answer::No, Answer::No) => Answer::No,
    }
}

fn within(at: Duration, from: Duration, to: Duration, slack: Duration) -> Answer {
    if at > from && at + slack < to {
        Answer::Counts
    } else if at + slack >= from && at < to {
        Answer::MayCount
    } else {
        Answer::No
    }
}

/// True if the keys are an answer that is allowed.
fn allows(answers: &[(u8, Answer)], got: &[Key]) -> bool {
    // possible[n]: the answers so far may have given the first n keys.
    let mut possible: HashSet<usize> = HashSet::from([0]);
    for (code, answer) in answers {
        let key = Key::from_event(*code).unwrap();
        let mut next = HashSet::new();
        for taken in possible {
            if *answer != Answer::Counts {
                next.insert(taken);
            }
            if *answer != Answer::No && got.get(taken) == Some(&key) {
                next.insert(taken + 1);
            }
        }
        possible = next;
    }
    possible.contains(&got.len())
}

/// Samples at the end of protection that nobody has judged: those held back, which leave with the packet that ends it.
const UNJUDGED: u64 = 96;

impl Played {
    /// One past the last sample that was somebody's to judge.
    fn judged_end(&self, jitter_ms: u8) -> u64 {
        let of_consumer = |(leg, ..): &&(Leg, u64, Vec<i16>)| *leg == Leg::Consumer;
        let first = self.scene.records.iter().find(of_consumer);
        let offset = first.map_or(0, |(_, position, _)| *position) - self.first_sample;
        let end = |at| at - offset - UNJUDGED - u64::from(jitter_ms) * 8;
        self.protection.over_at.map_or(u64::MAX, end)
    }

    /// Pieces of presses among the codes that reached the agent while the call was protected. What a press after it has too is none.
    fn pieces_heard(&self, from: Duration, to: Duration, jitter_ms: u8) -> usize {
        let end = self.judged_end(jitter_ms);
        let presses = self.keyed.presses.iter();
        let (protected, later): (Vec<_>, Vec<_>) =
            presses.partition(|press| (press.start as u64) < end);
        let mut grams: HashSet<Gram> = protected
            .into_iter()
            .flat_map(|press| self.grams(press))
            .collect();
        for gram in later.into_iter().flat_map(|press| self.grams(press)) {
            grams.remove(&gram);
        }
        let codes = self.codes_to_agent(from, to);
        let known = |codes: &&[u8]| Gram::try_from(*codes).is_ok_and(|gram| grams.contains(&gram));
        codes.windows(GRAM).filter(known).count()
    }

    /// The pieces of a press that are louder than hiss.
    fn grams(&self, press: &std::ops::Range<usize>) -> Vec<Gram> {
        let law = self.scene.consumer.law;
        let codes: Vec<u8> = self.keyed.signal[press.clone()]
            .iter()
            .map(|value| law.encode_sample(*value))
            .collect();
        let is_loud = |code: &u8| law.decode_byte(*code).unsigned_abs() > GRAM_PEAK_LEAST;
        let loud = codes.windows(GRAM).filter(|gram| gram.iter().any(is_loud));
        loud.map(|gram| gram.try_into().unwrap()).collect()
    }

    fn codes_to_agent(&self, from: Duration, to: Duration) -> Vec<u8> {
        let heard = self
            .scene
            .agent_got
            .iter()
            .filter(|got| got.at > from && got.at <= to && got.header.payload_type == 0);
        heard.flat_map(|got| got.payload.iter().copied()).collect()
    }

    fn events_to_agent(&self, from: Duration, to: Duration) -> usize {
        let events = self
            .scene
            .agent_got
            .iter()
            .filter(|got| got.header.payload_type == EVENT_PAYLOAD_TYPE);
        // Those sent at arming itself end an event that ran.
        events.filter(|got| got.at > from && got.at <= to).count()
    }
}

/// A short run, the same everywhere. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` make a longer or another one.
fn config() -> ProptestConfig {
    let from_outside = ProptestConfig::default();
    let is_given = |name: &str| std::env::var_os(name).is_some();
    ProptestConfig {
        cases: if is_given("PROPTEST_CASES") {
            from_outside.cases
        } else {
            96
        },
        rng_seed: if is_given("PROPTEST_RNG_SEED") {
            from_outside.rng_seed
        } else {
            RngSeed::Fixed(1)
        },
        failure_persistence: None,
        max_shrink_iters: 400,
        ..from_outside
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_of_a_press_is_heard_and_the_keys_are_the_models(call in call()) {
        let played = call.play(true);
        let answers = call.answers(&played);
        let got = played.scene.codes();
        prop_assert!(allows(&answers, &got), "{} keys for {:?}, {:?}", got.len(), answers, played.protection);
        if let Some(from) = played.protection.given {
            let to = played.protection.over.unwrap_or(Duration::MAX);
            prop_assert_eq!(played.pieces_heard(from, to, call.jitter_ms), 0);
            prop_assert_eq!(played.events_to_agent(from, to), 0);
            let codes = played.codes_to_agent(from, to);
            let heard: Vec<i16> = codes.iter().map(|code| played.scene.consumer.law.decode_byte(*code)).collect();
            prop_assert!(LooseDetector::scan(&heard).is_empty());
        } else {
            prop_assert!(played.scene.codes().is_empty());
        }
        prop_assert_eq!(played.scene.relay.counters().outputs_dropped, 0);
    }
}

fn plain(seen: Seen) -> Call {
    let press = |code| Press {
        code,
        pause: 1_600,
        len: 800,
        seen,
        event_offset: 0,
        info_delay_ms: 20,
    };
    Call {
        presses: [4, 4, 1, 9].map(press).to_vec(),
        negotiated: true,
        span: 160,
        ptime: None,
        event_step: 160,
        audio_suspended: false,
        loss_percent: 0,
        jitter_ms: 0,
        doubled_percent: 0,
        rubbish: false,
        protect_at_ms: 400,
        protected_ms: 9_000,
        seed: 3,
    }
}

#[test]
fn the_check_hears_a_call_that_nobody_protects() {
    let audio = Seen {
        event: false,
        audio: true,
        info: false,
    };
    let played = plain(audio).play(false);
    assert!(played.pieces_heard(Duration::ZERO, Duration::MAX, 0) > 1_000);
    let event = Seen {
        event: true,
        audio: false,
        info: false,
    };
    assert!(
        plain(event)
            .play(false)
            .events_to_agent(Duration::ZERO, Duration::MAX)
            >= 4 * 6
    );
}

#[test]
fn the_model_allows_the_keys_and_nothing_else() {
    for (event, audio, info) in [
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (true, true, true),
    ] {
        let call = plain(Seen { event, audio, info });
        let played = call.play(true);
        let answers = call.answers(&played);
        assert!(answers.iter().all(|(_, answer)| *answer == Answer::Counts));
        assert!(allows(&answers, &keys(&[4, 4, 1, 9])));
        for wrong in [
            [4, 4, 1, 8].as_slice(),
            &[4, 1, 9],
            &[4, 4, 4, 1, 9],
            &[4, 4, 1, 9, 9],
            &[4, 4, 9, 1],
            &[],
        ] {
            assert!(!allows(&answers, &keys(wrong)));
        }
        assert_eq!(played.scene.codes(), keys(&[4, 4, 1, 9]));
    }
}
