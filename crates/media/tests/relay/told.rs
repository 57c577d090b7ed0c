//! Keys told in every way that phones and networks have: right keys or none, never wrong ones.

use std::time::Duration;

use media::dtmf::inband::LooseDetector;
use media::leg::{Codec, Direction, Leg};
use media::relay::{Input, RelayEvent};
use media::tone::KeyToneShape;
use secret::Key;

use crate::mask::{Keyed, clear_samples};
use crate::scene::{
    EVENT_PAYLOAD_TYPE, MS, Packet, Random, Scene, Script, hiss, keys, plan, samples_to_time,
};

const START: usize = 1_600;

/// What a network does to the packets of one press.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Nothing,
    Start,
    Ends,
    AllButFirst,
    AllButLast,
    AllButMiddle,
}

impl Loss {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Start,
        Self::Ends,
        Self::AllButFirst,
        Self::AllButLast,
        Self::AllButMiddle,
    ];

    fn takes(self, index: usize, count: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Start => index < (count - 3).min(2),
            Self::Ends => index >= count - 3,
            Self::AllButFirst => index > 0,
            Self::AllButLast => index + 1 < count,
            Self::AllButMiddle => index != count / 2,
        }
    }
}

/// How a phone writes its events.
#[derive(Debug, Clone, Copy)]
struct Habit {
    marker: Option<bool>,
    duration: Option<u16>,
    second_octet: u8,
    step: usize,
    len: usize,
}

fn habits() -> Vec<Habit> {
    let mut habits = Vec::new();
    for marker in [None, Some(false), Some(true)] {
        for duration in [None, Some(0), Some(7)] {
            for second_octet in [0, 0x3F, 0x4A] {
                for (step, len) in [(80, 320), (160, 400), (160, 800), (400, 800), (240, 2_400)] {
                    habits.push(Habit {
                        marker,
                        duration,
                        second_octet,
                        step,
                        len,
                    });
                }
            }
        }
    }
    habits
}

fn write(script: Script, habit: Habit, loss: Loss) -> Script {
    let count = script.packets.iter().filter(|packet| packet.event).count();
    script.change_events(|index, packet| {
        packet.marker = habit.marker.unwrap_or(packet.marker);
        packet.payload[1] = (packet.payload[1] & 0x80) | habit.second_octet;
        if let Some(duration) = habit.duration {
            packet.payload[2..4].copy_from_slice(&duration.to_be_bytes());
        }
        packet.lost = loss.takes(index, count);
    })
}

fn keyed(script: &Script) -> Scene {
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, script);
    scene.wait(400);
    assert_eq!(scene.event_packets_to_agent(), 0);
    scene
}

#[test]
fn one_press_is_one_key_for_every_habit_and_every_loss() {
    let mut cases = 0;
    for (number, habit) in habits().into_iter().enumerate() {
        for loss in Loss::ALL {
            let code = (number % 12) as u8;
            let script = Script::audio(&hiss(6_400, 3))
                .press(code, START, habit.len, habit.step)
                .without_audio(START, START + habit.len);
            assert_eq!(
                keyed(&write(script, habit, loss)).codes(),
                keys(&[code]),
                "{habit:?} {loss:?}"
            );
            cases += 1;
        }
    }
    assert!(cases >= 400);
}

#[test]
fn one_press_is_one_key_in_whatever_order_its_packets_come() {
    let mut random = Random(7);
    for round in 0..200 {
        let mut script = Script::audio(&hiss(8_000, 3)).press(5, START, 800, 160);
        if round % 2 == 0 {
            script = script.without_audio(START, START + 800);
        }
        let mut scene = Scene::new();
        scene.arm();
        let mut sent = scene.consumer.datagrams(&script);
        let is_event = |bytes: &[u8]| bytes[1] & 0x7F == EVENT_PAYLOAD_TYPE;
        for (at, bytes) in &mut sent {
            if is_event(bytes) {
                *at += Duration::from_micros(random.below(110_000));
            }
        }
        sent.sort_by_key(|(at, _)| *at);
        scene.deliver(Leg::Consumer, &sent, script.len);
        scene.wait(400);
        assert_eq!(scene.codes(), keys(&[5]), "round {round}");
    }
}

#[test]
fn ends_that_come_after_the_next_press_has_begun_are_no_key() {
    for codes in [[5, 6], [5, 5]] {
        for late_ms in [45, 80, 130, 200] {
            let script = Script::audio(&hiss(12_000, 3))
                .press(codes[0], START, 320, 160)
                .press(codes[1], START + 640, 800, 160);
            let mut scene = Scene::new();
            scene.arm();
            let mut sent = scene.consumer.datagrams(&script);
            let ends = sent.iter_mut().filter(|(_, bytes)| {
                bytes[1] & 0x7F == EVENT_PAYLOAD_TYPE && bytes[13] & 0x80 != 0
            });
            for (at, _) in ends.take(3).skip(1) {
                *at += MS * late_ms;
            }
            sent.sort_by_key(|(at, _)| *at);
            scene.deliver(Leg::Consumer, &sent, script.len);
            scene.wait(400);
            assert_eq!(scene.codes(), keys(&codes), "{late_ms}");
        }
    }
}

/// Presses back to back, doubled packets, ends with timestamps of their own or a timestamp that moves, in one long call.
fn doubles_in(presses: usize, seed: u64) {
    let mut random = Random(seed);
    let mut script = Script {
        packets: Vec::new(),
        len: Duration::ZERO,
    };
    let mut codes = Vec::new();
    let mut start = START;
    for _ in 0..presses {
        let (code, len) = (random.below(12) as u8, 320 + 80 * random.below(8) as usize);
        let habit = random.below(4);
        let press = Script {
            packets: Vec::new(),
            len: Duration::ZERO,
        }
        .press(code, start, len, 160)
        .change_events(|index, packet| {
            let is_end = packet.payload[1] & 0x80 != 0;
            match habit {
                0 if is_end => packet.ts += 160 * (index as u32 % 3),
                1 => packet.ts += 160 * (index as u32).min(3),
                _ => {}
            }
        });
        script.packets.extend(press.packets);
        codes.push(code);
        start += len + 400 + random.below(1_000) as usize;
    }
    script.len = samples_to_time((start + 1_600).div_ceil(160) * 160);
    let audio = Script::audio(&hiss((start + 1_600).div_ceil(160) * 160, seed));
    script.packets.extend(audio.packets);
    script.packets.sort_by_key(|packet| packet.at);
    let mut scene = Scene::new();
    scene.arm();
    let mut sent = scene.consumer.datagrams(&script);
    let doubled: Vec<_> = sent
        .iter()
        .filter(|_| random.below(4) == 0)
        .map(|(at, bytes)| (*at + MS * 2, bytes.clone()))
        .collect();
    sent.extend(doubled);
    sent.sort_by_key(|(at, _)| *at);
    scene.deliver(Leg::Consumer, &sent, script.len);
    scene.wait(400);
    assert_eq!(scene.codes(), keys(&codes));
}

#[test]
fn five_hundred_presses_of_odd_senders_are_five_hundred_keys() {
    doubles_in(500, 11);
}

#[test]
#[ignore = "long: ten thousand presses"]
fn ten_thousand_presses_of_odd_senders_are_ten_thousand_keys() {
    for seed in 0..20 {
        doubles_in(500, 100 + seed);
    }
}

/// The clock of a phone jumps between presses, or its stream begins anew.
#[test]
fn keys_on_both_sides_of_a_jump_or_a_restart_all_count() {
    let jumps: [fn(&mut crate::scene::Phone); 5] = [
        |phone| phone.timestamp = phone.timestamp.wrapping_add(1_000_000),
        |phone| phone.timestamp = phone.timestamp.wrapping_sub(1_000_000),
        |phone| phone.timestamp = phone.timestamp.wrapping_add(1 << 31),
        |phone| phone.ssrc += 1,
        |phone| {
            phone.ssrc += 1;
            phone.sequence = phone.sequence.wrapping_add(30_000);
            phone.timestamp = phone.timestamp.wrapping_mul(77);
        },
    ];
    for (number, jump) in jumps.into_iter().enumerate() {
        for in_band in [false, true] {
            let mut scene = Scene::with(|relay| {
                if in_band {
                    relay.consumer.telephone_event_in = None;
                }
            });
            scene.arm();
            for code in [4, 4, 1, 9, 9, 0] {
                let mut keyed = Keyed::new(hiss(4_800, 3));
                let script = if in_band {
                    keyed.sound(code, START, 800, KeyToneShape::default());
                    Script::audio(&keyed.signal)
                } else {
                    Script::audio(&keyed.signal)
                        .press(code, START, 800, 160)
                        .without_audio(START, START + 800)
                };
                scene.run(Leg::Consumer, &script);
                jump(&mut scene.consumer);
            }
            scene.run(Leg::Consumer, &Script::audio(&hiss(4_800, 3)));
            scene.wait(400);
            assert_eq!(
                scene.codes(),
                keys(&[4, 4, 1, 9, 9, 0]),
                "jump {number}, in band {in_band}"
            );
            assert_eq!(scene.event_packets_to_agent(), 0);
        }
    }
}

#[test]
fn a_clock_that_jumps_within_a_press_makes_no_second_key() {
    for jump in [
        1_000_000_u32,
        20_000,
        3_000,
        0_u32.wrapping_sub(1_000_000),
        0_u32.wrapping_sub(3_000),
    ] {
        for from in 1..7 {
            let script = Script::audio(&hiss(8_000, 3))
                .press(5, START, 800, 160)
                .without_audio(START, START + 800);
            let script = script.change_events(|index, packet| {
                if index >= from {
                    packet.ts = packet.ts.wrapping_add(jump);
                }
            });
            assert_eq!(keyed(&script).codes(), keys(&[5]), "{jump} {from}");
        }
    }
}

/// Audio, comfort noise or nothing between the packets of events.
#[test]
fn whatever_comes_between_event_packets_takes_no_key_away() {
    let codes = [4, 4, 1, 9, 0, 0];
    for noise in [false, true] {
        for suspended in [false, true] {
            let mut script = Script::audio(&hiss(16_000, 3));
            for (index, code) in codes.iter().enumerate() {
                let start = START + index * 1_600;
                script = script.press(*code, start, 800, 400);
                if suspended {
                    script = script.without_audio(start, start + 800);
                }
            }
            let mut scene = Scene::with(|relay| relay.consumer.comfort_noise = Some(13));
            scene.arm();
            let mut sent = Vec::new();
            for (at, bytes) in scene.consumer.datagrams(&script) {
                let is_event = bytes[1] & 0x7F == EVENT_PAYLOAD_TYPE;
                if noise && !is_event {
                    let mut bytes = bytes.clone();
                    bytes[1] = 13;
                    bytes.truncate(13);
                    bytes[12] = 40;
                    sent.push((at, bytes));
                } else {
                    sent.push((at, bytes));
                }
            }
            scene.deliver(Leg::Consumer, &sent, script.len);
            scene.wait(400);
            assert_eq!(
                scene.codes(),
                keys(&codes),
                "noise {noise}, suspended {suspended}"
            );
            assert_eq!(scene.event_packets_to_agent(), 0);
        }
    }
}

/// The ways a press is told: event, tone, INFO.
fn told(event: bool, tone: bool, info_delay_ms: Option<u32>, negotiated: bool) -> Scene {
    let codes = [4, 4, 4, 1, 9, 9];
    let mut keyed = Keyed::new(hiss(8_000 * 5, 5));
    if tone {
        for (index, code) in codes.iter().enumerate() {
            keyed.sound(*code, START + index * 5_600, 800, KeyToneShape::default());
        }
    }
    let mut script = Script::audio(&keyed.signal);
    if event {
        for (index, code) in codes.iter().enumerate() {
            script = script.press(*code, START + index * 5_600, 800, 160);
        }
    }
    let mut scene = Scene::with(|relay| {
        if !negotiated {
            relay.consumer.telephone_event_in = None;
        }
    });
    let armed = scene.arm() as usize;
    let began = scene.now;
    let mut sent = scene.consumer.datagrams(&script).into_iter().peekable();
    let infos = codes.iter().enumerate().filter_map(|(index, code)| {
        let at = samples_to_time(START + index * 5_600) + MS * info_delay_ms?;
        Some((at, Key::from_event(*code).unwrap()))
    });
    for (at, key) in infos {
        while let Some((due, bytes)) = sent.next_if(|(due, _)| *due <= at) {
            scene.run_until(began + due);
            let source = scene.consumer.source;
            scene.datagram(Leg::Consumer, source, &bytes);
        }
        scene.run_until(began + at);
        scene.input(Input::InfoKey {
            leg: Leg::Consumer,
            key,
        });
    }
    for (due, bytes) in sent {
        scene.run_until(began + due);
        let source = scene.consumer.source;
        scene.datagram(Leg::Consumer, source, &bytes);
    }
    scene.wait(500);
    let heard = scene.agent_heard();
    assert_eq!(clear_samples(&keyed, &heard, armed), 0);
    assert!(LooseDetector::scan(&heard).is_empty());
    scene
}

#[test]
fn a_press_told_in_any_mix_of_ways_is_one_key() {
    for info_delay_ms in [None, Some(0), Some(30), Some(100), Some(300), Some(600)] {
        for (event, tone) in [(true, false), (false, true), (true, true), (false, false)] {
            for negotiated in [true, false] {
                if (event && !negotiated) || (!event && !tone && info_delay_ms.is_none()) {
                    continue;
                }
                let scene = told(event, tone, info_delay_ms, negotiated);
                let way = format!(
                    "event {event}, tone {tone}, INFO {info_delay_ms:?}, negotiated {negotiated}"
                );
                assert_eq!(scene.codes(), keys(&[4, 4, 4, 1, 9, 9]), "{way}");
                assert!(!scene.events.contains(&RelayEvent::TonesUnclear), "{way}");
            }
        }
    }
}

#[test]
fn every_packet_duration_carries_every_length_of_press_both_ways() {
    for span in [80, 160, 240, 320, 480] {
        for len in [320, 400, 800, 16_000] {
            for in_band in [false, true] {
                let codes = [1, 1, 7];
                let mut keyed = Keyed::new(hiss(
                    (START + 3 * (len + 800) + 1_600).div_ceil(480) * 480,
                    4,
                ));
                let mut script = Script::audio_in(&keyed.signal, span);
                for (index, code) in codes.iter().enumerate() {
                    let start = START + index * (len + 800);
                    if in_band {
                        keyed.sound(*code, start, len, KeyToneShape::default());
                    } else {
                        script = script
                            .press(*code, start, len, span)
                            .without_audio(start, start + len);
                    }
                }
                if in_band {
                    script = Script::audio_in(&keyed.signal, span);
                }
                let mut scene = Scene::with(|relay| {
                    if in_band {
                        relay.consumer.telephone_event_in = None;
                    }
                });
                scene.run(Leg::Consumer, &Script::audio_in(&hiss(4_800, 1), span));
                scene.input(Input::Protect);
                let armed = scene.protected_at() as usize;
                scene.run(Leg::Consumer, &script);
                scene.wait(400);
                assert_eq!(
                    scene.codes(),
                    keys(&codes),
                    "{span} {len} in band {in_band}"
                );
                assert_eq!(
                    clear_samples(&keyed, &scene.agent_heard(), armed),
                    0,
                    "{span} {len}"
                );
            }
        }
    }
}

#[test]
fn counters_that_wrap_within_a_press_change_nothing() {
    for offset in (0..1_200).step_by(80) {
        for in_band in [false, true] {
            let mut keyed = Keyed::new(hiss(8_000, 4));
            let mut script = Script::audio(&keyed.signal)
                .press(5, START, 800, 160)
                .without_audio(START, START + 800);
            if in_band {
                keyed.sound(5, START, 800, KeyToneShape::default());
                script = Script::audio(&keyed.signal);
            }
            let mut scene = Scene::with(|relay| {
                if in_band {
                    relay.consumer.telephone_event_in = None;
                }
            });
            scene.consumer.timestamp = 0_u32.wrapping_sub(3_200 + 1_200 + offset);
            scene.consumer.sequence = 0_u16.wrapping_sub((20 + 7 + offset / 160) as u16);
            let armed = scene.arm() as usize;
            scene.run(Leg::Consumer, &script);
            scene.wait(400);
            assert_eq!(scene.codes(), keys(&[5]), "{offset} in band {in_band}");
            assert_eq!(
                clear_samples(&keyed, &scene.agent_heard(), armed),
                0,
                "{offset}"
            );
        }
    }
}

#[test]
fn an_event_read_late_still_counts_and_late_audio_is_a_gap() {
    let mut scene = Scene::new();
    scene.arm();
    let script = Script::audio(&hiss(8_000, 3))
        .press(5, START, 800, 160)
        .without_audio(START, START + 800);
    let began = scene.now;
    for (at, bytes) in scene.consumer.datagrams(&script) {
        let received_at = began + at;
        scene.run_until(received_at + MS * 150);
        let source = scene.consumer.source;
        scene.input(Input::Packet {
            leg: Leg::Consumer,
            source,
            received_at,
            bytes: &bytes,
            rtcp: false,
        });
    }
    scene.wait(400);
    assert_eq!(scene.codes(), keys(&[5]));
    assert!(scene.relay.is_protected());
    assert_eq!(scene.event_packets_to_agent(), 0);
}

/// The agent holds the consumer: nothing is sent to the agent, and the keys count all the same.
#[test]
fn keys_count_while_the_agent_is_not_to_be_sent_anything() {
    for direction in [Direction::RecvOnly, Direction::Inactive] {
        let mut scene = Scene::new();
        scene.arm();
        let mut held = plan(Codec::Pcmu, 2);
        held.direction = direction;
        scene.input(Input::Replan {
            leg: Leg::Agent,
            plan: held,
        });
        let sent = scene.agent_got.len();
        let script = Script::audio(&hiss(8_000, 3))
            .press(5, START, 800, 160)
            .without_audio(START, START + 800);
        scene.run(Leg::Consumer, &script);
        assert_eq!((scene.agent_got.len(), scene.codes()), (sent, keys(&[5])));
        scene.input(Input::Replan {
            leg: Leg::Agent,
            plan: plan(Codec::Pcmu, 2),
        });
        scene.run(Leg::Consumer, &script);
        scene.wait(400);
        assert_eq!(scene.codes(), keys(&[5, 5]));
        assert!(scene.agent_got.len() > sent + 40);
        assert_eq!(scene.event_packets_to_agent(), 0);
    }
}

/// Before the call is answered the agent's side sends nothing yet, or music: keys are relayed as they come, and none is counted.
#[test]
fn keys_in_early_media_are_the_far_sides() {
    let mut scene = Scene::new();
    let early = Packet {
        samples: hiss(160, 1),
        ..Script::audio(&hiss(160, 1)).packets[0].clone()
    };
    scene.run(
        Leg::Agent,
        &Script {
            packets: vec![early],
            len: MS * 20,
        },
    );
    scene.run(
        Leg::Consumer,
        &Script::audio(&hiss(8_000, 3)).press(5, START, 800, 160),
    );
    assert!(scene.codes().is_empty());
    assert!(scene.event_packets_to_agent() >= 6);
    assert!(!scene.consumer_got.is_empty());
}

/// The packet after arming is lost: what is heard of a press after it is the rest of one that began before.
#[test]
fn a_press_that_sounds_at_arming_is_no_key_whatever_is_lost_of_it() {
    for lost in 0..4 {
        for into in [1, 3, 6] {
            let mut keyed = Keyed::new(hiss(8_000, 4));
            keyed.sound(5, START, 3_200, KeyToneShape::default());
            let mut scene = Scene::with(|relay| relay.consumer.telephone_event_in = None);
            scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
            let mut script = Script::audio(&keyed.signal);
            for packet in &mut script.packets[10 + into..10 + into + lost] {
                packet.lost = true;
            }
            let sent = scene.consumer.datagrams(&script);
            let armed_at = samples_to_time(START) + MS * 20 * u32::try_from(into).unwrap();
            let (before, after): (Vec<_>, Vec<_>) =
                sent.into_iter().partition(|(at, _)| *at <= armed_at);
            scene.deliver(Leg::Consumer, &before, armed_at);
            scene.input(Input::Protect);
            let rest: Vec<_> = after
                .into_iter()
                .map(|(at, bytes)| (at - armed_at, bytes))
                .collect();
            scene.deliver(Leg::Consumer, &rest, script.len - armed_at);
            scene.wait(400);
            assert!(
                scene.codes().is_empty(),
                "{lost} lost, {into} packets into the press"
            );
        }
    }
}

/// The tone's clock has run ahead of a jittered stream, which is put back on it in the middle of a press.
#[test]
fn a_stream_put_back_on_the_clock_within_a_press_makes_no_second_key() {
    for behind_ms in [70, 100, 150] {
        let script = Script::audio(&hiss(12_000, 3)).press(5, START, 4_000, 160);
        let mut scene = Scene::new();
        scene.arm();
        let mut sent = scene.consumer.datagrams(&script);
        // From the middle of the press on everything comes late, so that audio lies behind the tone that was sent for it.
        for (at, _) in &mut sent {
            if *at > samples_to_time(START + 1_600) {
                *at += MS * behind_ms;
            }
        }
        scene.deliver(Leg::Consumer, &sent, script.len + MS * 200);
        scene.wait(400);
        assert_eq!(scene.codes(), keys(&[5]), "{behind_ms}");
        assert_eq!(scene.event_packets_to_agent(), 0);
    }
}
