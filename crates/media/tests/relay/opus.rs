//! Calls in Opus, on one side or on both.

use std::time::Duration;

use media::dtmf::inband::LooseDetector;
use media::dtmf::inband::keypad::pair_of_event;
use media::dtmf::telephone_event::EventPayload;
use media::leg::{Codec, Leg, RtpClock};
use media::relay::{DropReason, Input, RelayEvent};
use media::tone::{KeyTone, KeyToneShape};

use crate::mask::{HELD, voice};
use crate::scene::{
    EVENT_PAYLOAD_TYPE, Got, MS, OpusEar, Random, Scene, Script, hiss, keys, opus, plan, wide,
};
use crate::wide::keyed;

/// What the consumer and the agent speak, where at least one of them speaks Opus.
const CODECS: [[Codec; 2]; 6] = [
    [Codec::Opus, Codec::Opus],
    [Codec::Opus, Codec::Pcmu],
    [Codec::Opus, Codec::Pcma],
    [Codec::Opus, Codec::G722],
    [Codec::Pcmu, Codec::Opus],
    [Codec::G722, Codec::Opus],
];

/// Samples by which an encoder is behind.
const LOOK_AHEAD: usize = 52;

fn scene(codecs: [Codec; 2], events: bool) -> Scene {
    Scene::with(|relay| {
        relay.consumer = plan(codecs[0], 1);
        if !events {
            relay.consumer.telephone_event_in = None;
        }
        relay.agent = plan(codecs[1], 2);
    })
}

/// How many encoders of Opus the consumer's voice goes through: the phone's, and ours where it is transcoded.
fn behind(codecs: [Codec; 2]) -> usize {
    let count = codecs.iter().filter(|codec| **codec == Codec::Opus).count();
    count * LOOK_AHEAD
}

/// What a far side hears of the packets it got, one after the other.
fn heard(codec: Codec, got: &[Got]) -> Vec<i16> {
    let mut wide = media::g722::Decoder::new();
    let mut ear = OpusEar::new();
    let mut heard = Vec::new();
    for got in got {
        assert_eq!(got.header.payload_type, codec.usual_payload_type());
        let mut linear = vec![0; got.payload.len()];
        match codec {
            Codec::Opus => linear = ear.hear(&got.payload),
            Codec::G722 => {
                wide.decode(&got.payload, &mut linear);
            }
            Codec::Pcmu | Codec::Pcma => {
                codec.law().decode(&got.payload, &mut linear);
            }
        }
        heard.extend(linear);
    }
    heard
}

/// Where `heard` lies behind `said` the most alike, in samples, and how alike they are there: 1 is the same.
fn behind_by(said: &[i16], heard: &[i16]) -> (usize, f64) {
    let product = |one: &[i16], other: &[i16]| -> f64 {
        let pairs = one.iter().zip(other);
        pairs
            .map(|(one, other)| f64::from(*one) * f64::from(*other))
            .sum()
    };
    let likeness = |lag: usize| {
        let heard = &heard[lag..lag + said.len()];
        let power = product(said, said) * product(heard, heard);
        product(said, heard) / power.sqrt().max(1.0)
    };
    let all = (0..heard.len() - said.len()).map(|lag| (lag, likeness(lag)));
    all.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap()
}

#[test]
fn packets_pass_as_they_come_where_both_speak_it() {
    for record in [false, true] {
        let mut scene = Scene::with(|relay| {
            (relay.consumer, relay.agent) = (plan(Codec::Opus, 1), plan(Codec::Opus, 2));
            (relay.watch, relay.record) = (record, record);
        });
        let said = voice(8_000, 3);
        for leg in [Leg::Consumer, Leg::Agent] {
            let sent = scene.phone(leg).datagrams(&Script::audio(&said));
            scene.deliver(leg, &sent, Duration::from_secs(1));
            let got = match leg {
                Leg::Consumer => &scene.agent_got,
                Leg::Agent => &scene.consumer_got,
            };
            let got = &got[got.len() - 50..];
            for (got, (_, bytes)) in got.iter().zip(&sent) {
                assert_eq!(got.payload, bytes[12..]);
            }
            let steps = |pair: &[Got]| pair[1].since(&pair[0]);
            assert!(got.windows(2).map(steps).all(|since| since == (1, 960)));
        }
        let of_consumer = scene.records.iter().filter(|one| one.0 == Leg::Consumer);
        let recorded: Vec<i16> = of_consumer.flat_map(|one| one.2.clone()).collect();
        assert_eq!(recorded.len(), if record { 8_000 } else { 0 });
        if record {
            let (lag, likeness) = behind_by(&said[800..6_400], &recorded[800..]);
            assert!(lag == LOOK_AHEAD && likeness > 0.9, "{lag} {likeness}");
        }
    }
}

#[test]
fn each_side_hears_the_other_in_its_own_codec() {
    for codecs in CODECS {
        let mut scene = scene(codecs, true);
        let said = [voice(8_000, 5), voice(8_000, 6)];
        scene.run(Leg::Consumer, &Script::audio(&said[0]));
        scene.run(Leg::Agent, &Script::audio(&said[1]));
        for (said, codec, got) in [
            (&said[0], codecs[1], &scene.agent_got),
            (&said[1], codecs[0], &scene.consumer_got),
        ] {
            let heard = heard(codec, &got[got.len() - 50..]);
            let (_, likeness) = behind_by(&said[800..6_400], &heard[800..]);
            assert!(likeness > 0.9, "{codecs:?}: {likeness}");
        }
    }
}

/// Plays keys in the audio under protection, and says what the agent hears.
fn play(
    codecs: [Codec; 2],
    (len, loss, seed): (usize, f64, u64),
    span: usize,
) -> (Scene, Vec<i16>) {
    let keyed = keyed(len, seed);
    let mut scene = scene(codecs, false);
    scene.arm();
    let whole = keyed.signal.len() / span * span;
    let script = Script::audio_in(&keyed.signal[..whole], span).lose(loss, seed);
    scene.run(Leg::Consumer, &script);
    scene.wait(300);
    let heard = scene.agent_heard();
    assert!(heard.len() > whole, "{codecs:?}");
    (scene, heard)
}

#[test]
fn nothing_is_heard_of_keys_and_none_is_read_of_opus() {
    for codecs in CODECS {
        for (len, loss, seed) in [
            (800, 0.0, 11),
            (400, 0.0, 13),
            (160, 0.0, 17),
            (240, 0.01, 19),
            (640, 0.03, 23),
            (640, 0.1, 29),
        ] {
            let (scene, heard) = play(codecs, (len, loss, seed), 160);
            let name = format!("{codecs:?} {len} {loss}");
            assert_eq!(LooseDetector::scan(&heard).len(), 0, "{name}");
            assert_eq!(scene.relay.egress_guard().trips, 0, "{name}");
            let unclear = |event: &&RelayEvent| matches!(event, RelayEvent::TonesUnclear);
            let unclear = scene.events.iter().filter(unclear).count();
            if codecs[0] == Codec::Opus {
                assert_eq!(scene.keys.len(), 0, "{name}");
                assert!(
                    len < 400 || loss > 0.0 || unclear >= 15,
                    "{name}: {unclear}"
                );
            } else {
                assert!(len < 400 || loss > 0.0 || scene.keys.len() == 20, "{name}");
            }
        }
    }
}

#[test]
fn packets_of_all_lengths_are_masked() {
    for span in [20, 40, 80, 320, 480] {
        for codecs in [[Codec::Opus; 2], [Codec::Opus, Codec::Pcmu]] {
            let (scene, heard) = play(codecs, (640, 0.0, 41), span);
            assert_eq!(LooseDetector::scan(&heard).len(), 0, "{codecs:?} {span}");
            let late = scene.relay.counters().agent.dropped(DropReason::OutOfPlace);
            assert_eq!(late, 0, "{codecs:?} {span}");
        }
    }
}

#[test]
fn the_check_sees_keys_where_there_is_no_mask() {
    let keyed = keyed(800, 11);
    let mut scene = scene([Codec::Opus; 2], false);
    scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
    let before = scene.agent_got.len();
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    let heard = heard(Codec::Opus, &scene.agent_got[before..]);
    assert!(LooseDetector::scan(&heard).len() >= 20);
}

#[test]
fn the_egress_guard_hears_what_the_far_side_hears() {
    for codecs in [[Codec::Opus; 2], [Codec::Pcmu, Codec::Opus]] {
        let keyed = keyed(800, 11);
        let mut scene = Scene::with(|relay| {
            (relay.consumer, relay.agent) = (plan(codecs[0], 1), plan(codecs[1], 2));
            relay.always = true;
        });
        scene.arm();
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
        let seen = scene.relay.egress_guard();
        // Of all that was masked, but for what is held back and a packet that is not full.
        let samples = keyed.signal.len() as u64;
        assert!(seen.samples_checked + 320 > samples, "{codecs:?} {seen:?}");
        assert!(seen.energy > 0 && seen.trips == 0, "{codecs:?} {seen:?}");
    }
}

/// S41: 26 ms at most, from a sample's arrival to its departure, the encoder's delay included.
#[test]
fn a_protected_sample_leaves_within_twenty_six_milliseconds() {
    for codecs in CODECS {
        let mut scene = scene(codecs, true);
        let armed = scene.arm() as usize;
        let said = voice(8_000, 7);
        scene.run(Leg::Consumer, &Script::audio(&said));
        let heard = scene.agent_heard();
        let (lag, likeness) = behind_by(&said[1_600..6_400], &heard[armed + 1_600..]);
        assert!(likeness > 0.85, "{codecs:?}: {likeness}");
        // The phone's own encoder is no delay of ours.
        assert_eq!(lag, HELD + behind(codecs), "{codecs:?}");
        let ours = if codecs[1] == Codec::Opus {
            LOOK_AHEAD
        } else {
            0
        };
        assert!(HELD + ours <= 26 * 8);
        // Nothing waits beside what the samples themselves say.
        let sent = scene.agent_got.iter().filter(|got| got.at > MS * 500);
        let full = |got: &&Got| got.at.as_millis().is_multiple_of(20);
        assert!(
            sent.clone().count() > 20 && sent.clone().all(|got| full(&got)),
            "{codecs:?}"
        );
    }
}

#[test]
fn events_count_at_either_clock_and_are_relayed_at_the_other_sides() {
    for (event_steps, clock) in [(6, RtpClock::Khz48), (1, RtpClock::Khz8)] {
        let mut scene = Scene::with(|relay| {
            (relay.consumer, relay.agent) = (plan(Codec::Opus, 1), plan(Codec::Pcmu, 2));
            relay.consumer.telephone_event_clock = clock;
        });
        scene.consumer.opus.as_mut().unwrap().event_steps = event_steps;
        let script = || {
            Script::audio(&hiss(8_000, 4))
                .press(3, 1_600, 800, 160)
                .press(7, 4_800, 800, 160)
        };
        scene.run(Leg::Consumer, &script());
        let events = scene
            .agent_got
            .iter()
            .filter(|got| got.header.payload_type == EVENT_PAYLOAD_TYPE);
        let ends: Vec<u16> = events
            .filter_map(|got| EventPayload::parse(&got.payload))
            .filter(|payload| payload.end)
            .map(|payload| payload.duration)
            .collect();
        assert_eq!(ends, [800; 6], "{clock:?}");
        scene.arm();
        let before = scene.event_packets_to_agent();
        scene.run(Leg::Consumer, &script());
        scene.wait(500);
        assert_eq!(scene.codes(), keys(&[3, 7]), "{clock:?}");
        assert_eq!(scene.event_packets_to_agent(), before, "{clock:?}");
    }
}

#[test]
fn events_towards_a_phone_of_opus_have_its_clock() {
    let mut scene = scene([Codec::Pcmu, Codec::Opus], true);
    scene.run(
        Leg::Consumer,
        &Script::audio(&hiss(8_000, 4)).press(3, 1_600, 800, 160),
    );
    let is_event = |got: &&Got| got.header.payload_type == EVENT_PAYLOAD_TYPE;
    let audio = scene
        .agent_got
        .iter()
        .find(|got| got.at >= MS * 100 && !is_event(got))
        .unwrap();
    let events: Vec<&Got> = scene.agent_got.iter().filter(is_event).collect();
    let last = EventPayload::parse(&events.last().unwrap().payload).unwrap();
    assert_eq!((last.end, last.duration), (true, 4_800));
    // It begins 200 ms after the first sample: with the audio's clock, not beside it.
    let since = events[0]
        .header
        .timestamp
        .wrapping_sub(audio.header.timestamp);
    assert_eq!(since % 960, 0);
    assert!(since <= 960 * 10, "{since}");
}

#[test]
fn a_codec_that_changes_while_keys_are_awaited_changes_nothing_about_the_mask() {
    for [before, after] in [
        [Codec::Pcmu, Codec::Opus],
        [Codec::Opus, Codec::Pcma],
        [Codec::G722, Codec::Opus],
    ] {
        let keyed = keyed(800, 37);
        let mut scene = scene([before; 2], false);
        scene.arm();
        let middle = keyed.signal.len() / 320 * 160;
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal[..middle]));
        let got = scene.agent_got.len();
        for (leg, host) in [(Leg::Consumer, 1), (Leg::Agent, 2)] {
            let mut plan = plan(after, host);
            plan.telephone_event_in = None;
            scene.input(Input::Replan { leg, plan });
        }
        scene.consumer.payload_type = after.usual_payload_type();
        scene.consumer.law = after.law();
        (scene.consumer.wide, scene.consumer.opus) = (wide(after), opus(after));
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal[middle..]));
        scene.wait(300);
        assert!(scene.relay.is_protected());
        let first = heard(before, &scene.agent_got[..got]);
        let second = heard(after, &scene.agent_got[got..]);
        for heard in [&first, &second] {
            assert!(heard.len() > 8_000, "{before:?} {after:?}");
            assert_eq!(LooseDetector::scan(heard).len(), 0, "{before:?} {after:?}");
        }
        // The timestamps run on, by the clock of what is spoken now.
        let pair = &scene.agent_got[got - 1..=got];
        let since = pair[1].since(&pair[0]).1;
        assert!(since <= 960 * 4, "{before:?} {after:?}: {since}");
    }
}

#[test]
fn the_consumer_hears_nothing_of_the_agents_keys_either() {
    for codecs in CODECS {
        let mut scene = scene(codecs, true);
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
        let mut scene = scene(codecs, true);
        scene.run(Leg::Consumer, &Script::audio(&voice(3_200, 41)));
        scene.run(Leg::Agent, &Script::audio(&voice(3_200, 42)));
        scene.input(Input::Mute(true));
        scene.input(Input::MuteAgent(true));
        let before = [scene.agent_got.len(), scene.consumer_got.len()];
        scene.run(Leg::Consumer, &Script::audio(&voice(8_000, 43)));
        scene.run(Leg::Agent, &Script::audio(&voice(8_000, 44)));
        assert_eq!(scene.agent_got.len() - before[0], 50, "{codecs:?}");
        assert_eq!(scene.consumer_got.len() - before[1], 50, "{codecs:?}");
        for heard in [
            heard(codecs[1], &scene.agent_got),
            heard(codecs[0], &scene.consumer_got),
        ] {
            let last = &heard[heard.len() - 7_200..];
            let loudest = last.iter().map(|value| value.unsigned_abs()).max();
            assert!(loudest.unwrap() < 32, "{codecs:?}: {loudest:?}");
        }
    }
}

#[test]
fn a_pause_of_a_phone_that_sends_nothing_is_no_loss() {
    for codecs in [[Codec::Opus; 2], [Codec::Opus, Codec::Pcmu]] {
        let mut scene = scene(codecs, true);
        scene.arm();
        let said = voice(16_000, 9);
        // DTX: between 0.5 and 1.5 s there are no packets, and no numbers are missing.
        let script = Script::audio(&said).without_audio(4_000, 12_000);
        scene.run(Leg::Consumer, &script);
        assert_eq!(
            scene.relay.counters().consumer.packets_lost,
            0,
            "{codecs:?}"
        );
        let numbers = scene
            .agent_got
            .windows(2)
            .map(|pair| pair[1].since(&pair[0]).0);
        assert!(numbers.clone().all(|step| step == 1), "{codecs:?}");
        assert!(scene.relay.is_protected());
        let (_, likeness) = behind_by(
            &said[13_000..15_000],
            &scene.agent_heard()[3_200 + 12_800..],
        );
        assert!(likeness > 0.8, "{codecs:?}: {likeness}");
    }
}

#[test]
fn garbage_in_its_place_harms_nobody() {
    for codecs in [[Codec::Opus; 2], [Codec::Opus, Codec::Pcmu]] {
        let mut scene = scene(codecs, true);
        scene.arm();
        let mut random = Random(99);
        let script = Script::audio(&voice(80_000, 51));
        let mut sent = scene.consumer.datagrams(&script);
        for (_, bytes) in &mut sent {
            let len = 1 + random.below(400) as usize;
            if random.below(3) == 0 {
                let head = bytes[12];
                bytes.truncate(12);
                // In one third of them the first octet is the phone's own.
                bytes.push(if random.below(3) == 0 {
                    head
                } else {
                    random.below(256) as u8
                });
                bytes.extend((1..len).map(|_| random.below(256) as u8));
            }
        }
        scene.deliver(Leg::Consumer, &sent, Duration::from_secs(10));
        assert!(scene.relay.is_protected(), "{codecs:?}");
        assert!(
            scene.agent_got.len() > 300,
            "{codecs:?}: {}",
            scene.agent_got.len()
        );
        let counters = scene.relay.counters();
        assert_eq!(counters.outputs_dropped, 0, "{codecs:?}");
        assert!(
            counters.consumer.dropped(DropReason::Malformed) > 0,
            "{codecs:?}"
        );
        assert!(scene.keys.is_empty());
    }
}

#[test]
fn a_report_names_the_last_timestamp_of_the_far_sides_clock() {
    let mut scene = scene([Codec::Pcmu, Codec::Opus], true);
    for seed in 0..6 {
        scene.run(Leg::Consumer, &Script::audio(&voice(8_000, seed)));
    }
    let of_agent = scene.reports.iter().filter(|one| one.0 == Leg::Agent);
    let (_, _, report) = of_agent.clone().next().unwrap();
    // A sender report: its RTP timestamp stands in octets 16 to 19 (RFC 3550 section 6.4.1).
    assert_eq!(report[1], 200);
    let told = u32::from_be_bytes(report[16..20].try_into().unwrap());
    let due = MS * 2_500;
    let before = scene.agent_got.iter().rfind(|got| got.at <= due).unwrap();
    let ahead = told.wrapping_sub(before.header.timestamp);
    assert!(ahead <= 960 * 2, "{ahead}");
}
