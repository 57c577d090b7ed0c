//! Calls in G.722, on one side or on both.

use media::dtmf::inband::LooseDetector;
use media::dtmf::inband::keypad::pair_of_event;
use media::g722;
use media::leg::{Codec, Leg};
use media::relay::{Input, RelayEvent};
use media::tone::{KeyTone, KeyToneShape};

use crate::mask::{HELD, Keyed, voice};
use crate::scene::{Got, Random, Scene, Script, hiss, keys, plan, wide};

/// What the consumer and the agent speak, where at least one of them speaks G.722.
const CODECS: [[Codec; 2]; 5] = [
    [Codec::G722, Codec::G722],
    [Codec::G722, Codec::Pcmu],
    [Codec::G722, Codec::Pcma],
    [Codec::Pcmu, Codec::G722],
    [Codec::Pcma, Codec::G722],
];

/// Samples of audio before [`Scene::arm`] asks for protection.
const BEFORE: usize = 3_200;

fn scene(codecs: [Codec; 2]) -> Scene {
    let mut scene = Scene::with(|relay| {
        relay.consumer = plan(codecs[0], 1);
        relay.consumer.telephone_event_in = None;
        relay.agent = plan(codecs[1], 2);
    });
    scene.relay.trace();
    scene
}

/// What a far side hears of the packets it got, one after the other.
fn heard(codec: Codec, got: &[Got]) -> Vec<i16> {
    let mut decoder = g722::Decoder::new();
    let mut heard = Vec::new();
    for got in got {
        assert_eq!(got.header.payload_type, codec.usual_payload_type());
        let mut linear = vec![0; got.payload.len()];
        if codec == Codec::G722 {
            decoder.decode(&got.payload, &mut linear);
        } else {
            codec.law().decode(&got.payload, &mut linear);
        }
        heard.extend(linear);
    }
    heard
}

/// How far `heard` lies above its difference from `said`, in dB.
fn likeness_db(said: &[i16], heard: &[i16]) -> f64 {
    let power = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum();
    let whole: f64 = power(&mut said.iter().copied().map(f64::from));
    let off = said.iter().zip(heard);
    let off: f64 = power(&mut off.map(|(said, heard)| f64::from(*said) - f64::from(*heard)));
    10.0 * (whole / off.max(1.0)).log10()
}

/// Twenty keys of this length, each of any shape that Q.24 allows.
pub(crate) fn keyed(len: usize, seed: u64) -> Keyed {
    let mut random = Random(seed);
    let count = 20;
    let mut keyed = Keyed::new(hiss(3_200 + count * (len + 640), seed + 1));
    for index in 0..count {
        let start = 1_600 + index * (len + 640) + random.below(37) as usize;
        let shape = KeyToneShape {
            low_dbm0: random.between(-24.0, -6.0) as f32,
            twist_db: random.between(-8.0, 4.0) as f32,
            low_deviation: random.between(-0.015, 0.015),
            high_deviation: random.between(-0.015, 0.015),
        };
        keyed.sound(random.below(12) as u8, start, len, shape);
    }
    let whole = keyed.signal.len() / 160 * 160;
    keyed.signal.truncate(whole);
    keyed
}

/// A protected call that was listened to.
struct Played {
    heard: Vec<i16>,
    keys: Vec<secret::Key>,
    /// Samples of presses that have any weight in what was masked.
    clear: usize,
    /// How like what was masked is what the agent hears, in dB.
    likeness: f64,
}

/// Plays what the consumer says from the moment that protection was given, at this recording position.
fn listen(mut scene: Scene, keyed: &Keyed, armed: u64) -> Played {
    scene.wait(300);
    let heard = scene.agent_heard();
    let (mut clear, mut masked, mut same) = (0, Vec::new(), Vec::new());
    for traced in &scene.traced {
        for source in [traced.origin.delayed, traced.origin.direct] {
            let place = source.and_then(|at| at.checked_sub(armed));
            let of_a_press = |place: u64| {
                let mut presses = keyed.presses.iter();
                presses.any(|press| press.contains(&(place as usize)))
            };
            clear += usize::from(place.is_some_and(of_a_press));
        }
        masked.push(traced.linear);
        same.push(heard.get(traced.position as usize).copied().unwrap_or(0));
    }
    assert!(masked.len() + 960 > keyed.signal.len(), "{}", masked.len());
    Played {
        clear,
        likeness: likeness_db(&masked, &same),
        keys: scene.codes(),
        heard,
    }
}

impl Played {
    /// Nothing of a key is in what the agent hears, and what the agent hears is what was masked.
    fn assert_masked(&self, name: &str) {
        assert_eq!(self.clear, 0, "{name}");
        assert_eq!(LooseDetector::scan(&self.heard).len(), 0, "{name}");
        assert!(self.likeness > 12.0, "{name}: {}", self.likeness);
    }
}

#[test]
fn packets_pass_as_they_come_where_both_speak_it_and_the_recorder_hears_them() {
    let mut scene = scene([Codec::G722; 2]);
    let said = voice(8_000, 3);
    let sent = scene.consumer.datagrams(&Script::audio(&said));
    let len = std::time::Duration::from_secs(1);
    scene.deliver(Leg::Consumer, &sent, len);
    // The packets that open the way to a phone that is not heard yet come of us.
    let got: Vec<&[u8]> = scene.agent_got.iter().map(|got| &got.payload[..]).collect();
    let payloads: Vec<&[u8]> = sent.iter().map(|(_, bytes)| &bytes[12..]).collect();
    assert!(got.ends_with(&payloads), "{}", got.len());
    let delays = scene.agent_got.iter().rev().zip(sent.iter().rev());
    assert!(delays.take(50).all(|(got, (at, _))| got.at == *at));
    let recorded: Vec<i16> = scene.records.iter().flat_map(|one| one.2.clone()).collect();
    let mut decoder = g722::Decoder::new();
    let mut linear = vec![0; 8_000];
    for (payload, linear) in payloads.iter().zip(linear.chunks_mut(160)) {
        decoder.decode(payload, linear);
    }
    assert_eq!(recorded, linear);
    assert!(likeness_db(&said, &recorded) > 15.0);
}

#[test]
fn each_side_hears_the_other_in_its_own_codec() {
    for codecs in CODECS {
        let mut scene = scene(codecs);
        let said = [voice(8_000, 5), voice(8_000, 6)];
        scene.run(Leg::Consumer, &Script::audio(&said[0]));
        scene.run(Leg::Agent, &Script::audio(&said[1]));
        for (said, codec, got) in [
            (&said[0], codecs[1], &scene.agent_got),
            (&said[1], codecs[0], &scene.consumer_got),
        ] {
            let heard = heard(codec, &got[got.len() - 50..]);
            let likeness = likeness_db(said, &heard);
            assert!(likeness > 14.0, "{codecs:?}: {likeness}");
        }
    }
}

#[test]
fn nothing_is_heard_of_keys_and_each_is_read() {
    for codecs in CODECS {
        for (len, seed) in [(800, 11), (400, 13)] {
            let keyed = keyed(len, seed);
            let mut scene = scene(codecs);
            let armed = scene.arm();
            scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
            let played = listen(scene, &keyed, armed);
            played.assert_masked(&format!("{codecs:?} {len}"));
            assert_eq!(played.keys, keys(&keyed.codes), "{codecs:?} {len}");
        }
    }
}

#[test]
fn the_check_sees_keys_where_there_is_no_mask() {
    let keyed = keyed(800, 11);
    let mut scene = scene([Codec::G722; 2]);
    scene.run(Leg::Consumer, &Script::audio(&hiss(BEFORE, 1)));
    let before = scene.agent_got.len();
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    let heard = heard(Codec::G722, &scene.agent_got[before..]);
    assert!(LooseDetector::scan(&heard).len() >= 20);
}

#[test]
fn short_keys_and_keys_of_a_lossy_line_are_not_heard() {
    for codecs in CODECS {
        for (len, loss, seed) in [
            (160, 0.0, 17),
            (240, 0.01, 19),
            (640, 0.03, 23),
            (640, 0.1, 29),
        ] {
            let keyed = keyed(len, seed);
            let mut scene = scene(codecs);
            let armed = scene.arm();
            let script = Script::audio(&keyed.signal).lose(loss, seed);
            scene.run(Leg::Consumer, &script);
            let played = listen(scene, &keyed, armed);
            played.assert_masked(&format!("{codecs:?} {len} {loss}"));
        }
    }
}

#[test]
fn a_packet_waits_twelve_milliseconds_and_no_longer() {
    for codecs in CODECS {
        let mut scene = scene(codecs);
        let armed = scene.arm() as usize;
        let said = voice(8_000, 7);
        scene.run(Leg::Consumer, &Script::audio(&said));
        let heard = scene.agent_heard();
        let from = armed + 1_600;
        let now = likeness_db(
            &said[1_600..7_000],
            &heard[from + HELD..from + HELD + 5_400],
        );
        assert!(now > 14.0, "{codecs:?}: {now}");
    }
}

#[test]
fn the_agents_ear_does_not_notice_that_protection_begins_and_ends() {
    let mut scene = scene([Codec::G722; 2]);
    let said = voice(24_000, 31);
    scene.run(Leg::Consumer, &Script::audio(&said[..8_000]));
    scene.input(Input::Protect);
    scene.run(Leg::Consumer, &Script::audio(&said[8_000..16_000]));
    scene.input(Input::Unprotect);
    scene.run(Leg::Consumer, &Script::audio(&said[16_000..]));
    let ended = |event: &RelayEvent| matches!(event, RelayEvent::Unprotected { .. });
    assert!(scene.events.iter().any(ended));
    let recorded: Vec<i16> = scene.records.iter().flat_map(|one| one.2.clone()).collect();
    let heard = heard(Codec::G722, &scene.agent_got);
    let heard = &heard[heard.len() - recorded.len()..];
    let mut worst = (f64::MAX, 0);
    // The first 100 ms are those in which both ends of the stream find to each other: packets of ours have opened the way.
    for (at, (recorded, heard)) in recorded
        .chunks(800)
        .zip(heard.chunks(800))
        .enumerate()
        .skip(1)
    {
        let likeness = likeness_db(recorded, heard);
        if likeness < worst.0 {
            worst = (likeness, at);
        }
    }
    assert!(worst.0 > 12.0, "{worst:?}");
}

#[test]
fn a_codec_that_changes_while_keys_are_awaited_changes_nothing_about_the_mask() {
    for codecs in [
        [Codec::Pcmu, Codec::G722],
        [Codec::G722, Codec::Pcma],
        [Codec::G722, Codec::Pcmu],
    ] {
        let [before, after] = codecs;
        let keyed = keyed(800, 37);
        let mut scene = scene([before; 2]);
        let armed = scene.arm();
        let middle = keyed.signal.len() / 320 * 160;
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal[..middle]));
        for (leg, host) in [(Leg::Consumer, 1), (Leg::Agent, 2)] {
            let mut plan = plan(after, host);
            plan.telephone_event_in = None;
            scene.input(Input::Replan { leg, plan });
        }
        scene.consumer.payload_type = after.usual_payload_type();
        (scene.consumer.law, scene.consumer.wide) = (after.law(), wide(after));
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal[middle..]));
        assert!(scene.relay.is_protected());
        let played = listen(scene, &keyed, armed);
        played.assert_masked(&format!("{codecs:?}"));
        assert_eq!(played.keys.len(), keyed.codes.len(), "{codecs:?}");
    }
}

#[test]
fn the_consumer_hears_nothing_of_the_agents_keys_either() {
    for codecs in CODECS {
        let mut scene = scene(codecs);
        scene.run(Leg::Agent, &Script::audio(&hiss(1_600, 2)));
        scene.arm();
        let mut said = hiss(8_000, 3);
        let mut tone = KeyTone::new(pair_of_event(5).unwrap(), KeyToneShape::default());
        tone.add_to(&mut said[2_000..2_800]);
        let before = scene.consumer_got.len();
        scene.run(Leg::Agent, &Script::audio(&said));
        let heard = heard(codecs[0], &scene.consumer_got[before..]);
        assert_eq!(heard.len(), 8_000, "{codecs:?}");
        assert_eq!(LooseDetector::scan(&heard).len(), 0, "{codecs:?}");
        assert_eq!(LooseDetector::scan(&said).len(), 1, "{codecs:?}");
    }
}

#[test]
fn who_is_muted_is_not_heard_and_packets_go_on() {
    for codecs in CODECS {
        let mut scene = scene(codecs);
        scene.run(Leg::Consumer, &Script::audio(&voice(3_200, 41)));
        scene.run(Leg::Agent, &Script::audio(&voice(3_200, 42)));
        scene.input(Input::Mute(true));
        scene.input(Input::MuteAgent(true));
        let before = [scene.agent_got.len(), scene.consumer_got.len()];
        scene.run(Leg::Consumer, &Script::audio(&voice(8_000, 43)));
        scene.run(Leg::Agent, &Script::audio(&voice(8_000, 44)));
        let got = [
            heard(codecs[1], &scene.agent_got),
            heard(codecs[0], &scene.consumer_got),
        ];
        assert_eq!(scene.agent_got.len() - before[0], 50, "{codecs:?}");
        assert_eq!(scene.consumer_got.len() - before[1], 50, "{codecs:?}");
        for heard in got {
            // What G.722 makes of silence is not quite nothing.
            let last = &heard[heard.len() - 7_200..];
            let loudest = last.iter().map(|value| value.unsigned_abs()).max();
            assert!(loudest.unwrap() < 16, "{codecs:?}: {loudest:?}");
        }
    }
}
