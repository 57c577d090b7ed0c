//! Presses that are told twice, begin twice or are cut in two, by whatever happens to a call meanwhile: each is one key or none, never two.

use std::time::Duration;

use media::leg::{Codec, Leg};
use media::relay::{Input, RelayEvent};
use media::tone::KeyToneShape;
use secret::Key;

use crate::mask::Keyed;
use crate::scene::{
    EVENT_PAYLOAD_TYPE, MS, Packet, Scene, Script, hiss, keys, plan, samples_to_time,
};

const START: usize = 1_600;

fn key(code: u8) -> Key {
    Key::from_event(code).unwrap()
}

/// Hands over datagrams, and lets `act` do what it likes at each of `times`; `change` sees every datagram before the relay does.
fn play(
    scene: &mut Scene,
    script: &Script,
    times: &[Duration],
    mut act: impl FnMut(&mut Scene, usize),
    mut change: impl FnMut(usize, &mut Vec<u8>),
) {
    let began = scene.now;
    let mut sent = scene.consumer.datagrams(script).into_iter().peekable();
    for (index, time) in times.iter().chain([&script.len]).enumerate() {
        while let Some((at, mut bytes)) = sent.next_if(|(at, _)| at <= time) {
            scene.run_until(began + at);
            change(index, &mut bytes);
            let source = scene.consumer.source;
            scene.datagram(Leg::Consumer, source, &bytes);
        }
        scene.run_until(began + *time);
        if index < times.len() {
            act(scene, index);
        }
    }
    scene.wait(1_500);
}

/// What happens in the middle of every press.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    /// A re-INVITE that changes nothing of the events.
    Again,
    /// A re-INVITE that gives events another payload type.
    OtherPayloadType,
    /// The phone begins another stream.
    OtherSsrc,
}

fn keyed_with_turns(event: bool, tone: bool, negotiated: bool, turn: Turn, into: u32) -> Scene {
    let codes = [4, 4, 1, 9];
    let (len, gap) = (4_800, 1_600);
    let mut keyed = Keyed::new(hiss(START + 4 * (len + gap) + 6_400, 5));
    if tone {
        for (index, code) in codes.iter().enumerate() {
            let start = START + index * (len + gap);
            keyed.sound(*code, start, len, KeyToneShape::default());
        }
    }
    let mut script = Script::audio(&keyed.signal);
    if event {
        for (index, code) in codes.iter().enumerate() {
            script = script.press(*code, START + index * (len + gap), len, 160);
        }
    }
    let mut scene = Scene::with(|relay| {
        if !negotiated {
            relay.consumer.telephone_event_in = None;
        }
    });
    scene.arm();
    let times: Vec<_> = (0..codes.len())
        .map(|index| samples_to_time(START + index * (len + gap)) + MS * into)
        .collect();
    let payload_type = |turns: usize| {
        let changes = turn == Turn::OtherPayloadType && turns % 2 == 1;
        EVENT_PAYLOAD_TYPE + u8::from(changes)
    };
    let act = |scene: &mut Scene, index: usize| {
        if turn != Turn::OtherSsrc {
            let mut plan = plan(Codec::Pcmu, 1).with_telephone_event(payload_type(index + 1));
            if !negotiated {
                plan.telephone_event_in = None;
            }
            let leg = Leg::Consumer;
            scene.input(Input::Replan { leg, plan });
        }
    };
    let change = |turns: usize, bytes: &mut Vec<u8>| {
        if bytes[1] & 0x7F == EVENT_PAYLOAD_TYPE {
            bytes[1] = (bytes[1] & 0x80) | payload_type(turns);
        }
        if turn == Turn::OtherSsrc {
            bytes[8..12].copy_from_slice(&(500 + turns as u32).to_be_bytes());
        }
    };
    play(&mut scene, &script, &times, act, change);
    scene
}

#[test]
fn a_renegotiation_on_every_keystroke_makes_no_second_key() {
    for turn in [Turn::Again, Turn::OtherPayloadType, Turn::OtherSsrc] {
        for (event, tone, negotiated) in [
            (true, true, true),
            (true, false, true),
            (false, true, true),
            (false, true, false),
        ] {
            for into in [10, 30, 50, 110, 150, 300, 450, 590] {
                let scene = keyed_with_turns(event, tone, negotiated, turn, into);
                let way = format!("{turn:?} {into} ms, {event} {tone} {negotiated}");
                assert_eq!(scene.codes(), keys(&[4, 4, 1, 9]), "{way}");
            }
        }
    }
}

/// The tone sounds for a moment before the phone sends the key as an event; long after, the stream begins anew.
#[test]
fn a_residue_of_tone_before_an_event_is_no_key_later() {
    for residue in [160, 240, 320] {
        for turn in [Turn::OtherPayloadType, Turn::OtherSsrc] {
            let mut keyed = Keyed::new(hiss(32_000, 5));
            keyed.sound(7, START - residue, residue, KeyToneShape::default());
            let script = Script::audio(&keyed.signal)
                .press(7, START, 1_600, 160)
                .without_audio(START, START + 1_600);
            let mut scene = Scene::new();
            scene.arm();
            let act = |scene: &mut Scene, _: usize| {
                if turn == Turn::OtherPayloadType {
                    let plan = plan(Codec::Pcmu, 1).with_telephone_event(102);
                    let leg = Leg::Consumer;
                    scene.input(Input::Replan { leg, plan });
                }
            };
            let change = |turns: usize, bytes: &mut Vec<u8>| {
                if turn == Turn::OtherSsrc {
                    bytes[8..12].copy_from_slice(&(500 + turns as u32).to_be_bytes());
                }
            };
            play(&mut scene, &script, &[MS * 2_400], act, change);
            assert_eq!(scene.codes(), keys(&[7]), "{residue} {turn:?}");
            assert!(!scene.events.contains(&RelayEvent::TonesUnclear));
        }
    }
}

#[test]
fn an_info_at_the_release_of_a_long_press_is_its_twin() {
    for len in [800, 8_000, 16_000, 65_600, 480_000] {
        for (event, tone) in [(true, false), (true, true), (false, true)] {
            for delay_ms in [0, 40, 100, 600] {
                let codes = [5, 5];
                let at = |index: usize| START + index * (len + 4_000);
                let mut keyed = Keyed::new(hiss((at(2) + 8_000).div_ceil(160) * 160, 5));
                if tone {
                    for (index, code) in codes.iter().enumerate() {
                        keyed.sound(*code, at(index), len, KeyToneShape::default());
                    }
                }
                let mut script = Script::audio(&keyed.signal);
                if event {
                    for (index, code) in codes.iter().enumerate() {
                        script = script.press(*code, at(index), len, 400);
                    }
                }
                let mut scene = Scene::new();
                scene.arm();
                let times = [0, 1].map(|index| samples_to_time(at(index) + len) + MS * delay_ms);
                let act = |scene: &mut Scene, _: usize| {
                    let (leg, key) = (Leg::Consumer, key(5));
                    scene.input(Input::InfoKey { leg, key });
                };
                play(&mut scene, &script, &times, act, |_, _| {});
                let way = format!("{len}, event {event}, tone {tone}, {delay_ms} ms");
                assert_eq!(scene.codes(), keys(&codes), "{way}");
            }
        }
    }
}

/// A phone's RTP clock stands still while it is on hold; the INFO of a key comes by the wall's.
#[test]
fn an_info_finds_its_event_after_a_clock_stood_still() {
    for tone in [false, true] {
        let mut scene = Scene::new();
        scene.arm();
        scene.wait(300_000);
        let mut keyed = Keyed::new(hiss(16_000, 5));
        let starts = [4_000, 9_000];
        if tone {
            for start in starts {
                keyed.sound(4, start, 800, KeyToneShape::default());
            }
        }
        let mut script = Script::audio(&keyed.signal);
        if !tone {
            for start in starts {
                script = script.press(4, start, 800, 160);
            }
        }
        let times = starts.map(|start| samples_to_time(start + 800) + MS * 150);
        let act = |scene: &mut Scene, _: usize| {
            let (leg, key) = (Leg::Consumer, key(4));
            scene.input(Input::InfoKey { leg, key });
        };
        play(&mut scene, &script, &times, act, |_, _| {});
        assert_eq!(scene.codes(), keys(&[4, 4]), "tone {tone}");
    }
}

#[test]
fn recordings_of_both_legs_stay_beside_each_other_after_a_clock_stood_still() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    scene.wait(300_000);
    let audio = Script::audio(&hiss(1_600, 1));
    scene.run(Leg::Consumer, &audio);
    let newest = scene
        .records
        .iter()
        .rev()
        .find(|(leg, ..)| *leg == Leg::Consumer);
    let position = newest.map_or(0, |(_, position, _)| *position);
    assert!(
        (300 * 8_000..300 * 8_000 + 4_000).contains(&position),
        "{position}"
    );
}

#[test]
fn an_event_that_began_before_arming_is_no_key_whichever_of_its_packets_comes_first() {
    for into in [1, 40, 100, 300] {
        let script = Script::audio(&hiss(16_000, 3)).press(5, START, 4_000, 160);
        let mut scene = Scene::new();
        scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
        let armed_at = samples_to_time(START) + MS * into;
        let script = script.change_events(|_, packet| packet.lost = packet.at <= armed_at);
        let act = |scene: &mut Scene, _: usize| scene.input(Input::Protect);
        play(&mut scene, &script, &[armed_at], act, |_, _| {});
        assert!(scene.relay.is_protected());
        // The mask holds from the next packet of audio on: what began in the one under way may count.
        if into >= 20 {
            assert!(scene.codes().is_empty(), "{into}");
        }
    }
}

#[test]
fn a_duration_that_lies_holds_no_tone_over_speech() {
    let lies: [fn(u16) -> u16; 3] = [
        |_| u16::MAX,
        |duration| duration.saturating_mul(2),
        |_| 20_000,
    ];
    for lie in lies {
        let script = Script::audio(&hiss(24_000, 3))
            .press(5, START, 800, 160)
            .change_events(|_, packet| {
                let duration = u16::from_be_bytes([packet.payload[2], packet.payload[3]]);
                packet.payload[2..4].copy_from_slice(&lie(duration).to_be_bytes());
            });
        let mut scene = Scene::new();
        let armed = scene.arm() as usize;
        scene.run(Leg::Consumer, &script);
        assert_eq!(scene.codes(), keys(&[5]));
        let heard = scene.agent_heard();
        let after = &heard[armed + START + 800 + 1_200..armed + 20_000];
        assert!(after.iter().all(|value| value.unsigned_abs() < 200));
    }
}

/// One press of `len`, an update each `step`, without audio.
fn one_press(len: usize, step: usize) -> Script {
    let total = (START + len + 8_000).div_ceil(160) * 160;
    Script::audio(&hiss(total, 3))
        .press(5, START, len, step)
        .without_audio(START, START + len)
}

fn keyed(script: &Script) -> Scene {
    let mut scene = Scene::new();
    scene.arm();
    play(&mut scene, script, &[], |_, _| {}, |_, _| {});
    scene
}

#[test]
fn a_burst_over_the_edge_of_a_segment_makes_no_second_key() {
    for step in [160, 400] {
        for burst_ms in [60, 120, 160, 200, 300, 500] {
            for before_ms in [10, 60, 120, 190, 290, 450] {
                let edge = samples_to_time(START + 65_535);
                let from = edge - MS * before_ms.min(burst_ms);
                let burst = from..from + MS * burst_ms;
                let script = one_press(80_000, step)
                    .change_events(|_, packet| packet.lost = burst.contains(&packet.at));
                let scene = keyed(&script);
                let way = format!("{step} {burst_ms} {before_ms}");
                assert_eq!(scene.codes(), keys(&[5]), "{way}");
                assert!(!scene.events.contains(&RelayEvent::TonesUnclear), "{way}");
            }
        }
    }
}

/// Senders that stamp each packet of a press anew.
#[test]
fn a_timestamp_that_moves_is_one_press_whatever_is_lost() {
    for step in [160, 240, 400] {
        for grows in [true, false] {
            for first_lost in 1..6 {
                for lost in 1..4 {
                    let moved = one_press(step * 12, step).change_events(|index, packet| {
                        packet.ts += (step * index.min(11)) as u32;
                        if !grows {
                            let constant = (step as u16).to_be_bytes();
                            packet.payload[2..4].copy_from_slice(&constant);
                        }
                        packet.lost = (first_lost..first_lost + lost).contains(&index);
                    });
                    let scene = keyed(&moved);
                    let way = format!("{step} grows {grows}, {lost} lost from {first_lost}");
                    assert_eq!(scene.codes().first(), Some(&key(5)), "{way}");
                    let unclear = scene.events.contains(&RelayEvent::TonesUnclear);
                    assert!(scene.codes().len() == 1 || unclear, "{way}");
                    assert!(!grows || !unclear, "{way}");
                }
            }
        }
    }
}

/// The same key pressed again is never taken for the press before, though all ends and the second's first packets are lost.
#[test]
fn equal_presses_across_a_loss_are_two_keys() {
    for len in [320, 800, 1_600] {
        for pause in [320, 800, 1_600] {
            for (ends, firsts) in [(3, 0), (3, 1), (4, 1), (4, 2)] {
                let second = START + len + pause;
                let count = len / 160 + 2;
                let script = Script::audio(&hiss(16_000, 3))
                    .press(5, START, len, 160)
                    .press(5, second, len, 160)
                    .change_events(|index, packet| {
                        let of_first = index < count;
                        let place = if of_first { index } else { index - count };
                        packet.lost = if of_first {
                            place > 0 && place + ends >= count
                        } else {
                            place < firsts
                        };
                    });
                let way = format!("{len} on, {pause} off, {ends} ends and {firsts} firsts lost");
                assert_eq!(keyed(&script).codes(), keys(&[5, 5]), "{way}");
            }
        }
    }
}

/// Several events in one packet, each from where the one before it ended (RFC 4733 section 2.5.1.5).
#[test]
fn events_in_one_packet_are_as_many_keys() {
    let block = |code: u8, end: bool, duration: u16| {
        let [high, low] = duration.to_be_bytes();
        [code, (u8::from(end) << 7) | 10, high, low]
    };
    let packet = |at: usize, blocks: &[[u8; 4]]| Packet {
        at: samples_to_time(at),
        ts: START as u32,
        marker: false,
        event: true,
        payload: blocks.concat(),
        samples: Vec::new(),
        lost: false,
    };
    let zeros = [0; 4];
    for (blocks, codes) in [
        (
            vec![
                block(4, true, 800),
                block(4, true, 800),
                block(1, false, 240),
            ],
            vec![4, 4, 1],
        ),
        (vec![block(4, true, 800), block(0, true, 640)], vec![4, 0]),
        (vec![block(4, true, 800), zeros, zeros], vec![4]),
        (vec![block(4, false, 800), block(5, true, 800)], vec![4]),
        (vec![block(4, true, 0), block(5, true, 800)], vec![4]),
    ] {
        let mut script = Script::audio(&hiss(16_000, 3));
        for repeat in 0..3 {
            script
                .packets
                .push(packet(START + 1_840 + repeat * 160, &blocks));
        }
        script.packets.sort_by_key(|packet| packet.at);
        let scene = keyed(&script);
        assert_eq!(scene.codes(), keys(&codes));
        assert_eq!(scene.event_packets_to_agent(), 0);
        let mut open = Scene::new();
        open.run(Leg::Consumer, &script);
        let relayed = open
            .agent_got
            .iter()
            .filter(|got| got.header.payload_type == EVENT_PAYLOAD_TYPE);
        assert!(relayed.clone().count() == 3 && relayed.clone().all(|got| got.payload.len() >= 4));
    }
}
