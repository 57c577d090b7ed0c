//! Bytes from anywhere: nothing breaks, nothing is sent that must not be.

use std::time::Duration;

use media::dtmf::inband::LooseDetector;
use media::g711::Law;
use media::leg::Leg;
use media::relay::Input;
use media::rtp::RtpHeader;
use media::tone::KeyToneShape;

use crate::mask::{Keyed, clear_samples};
use crate::scene::{Random, Scene, Script, hiss, keys};

fn rough_packet(random: &mut Random, scene: &Scene, leg: Leg) -> Vec<u8> {
    let phone = if leg == Leg::Consumer {
        &scene.consumer
    } else {
        &scene.agent
    };
    let near = |random: &mut Random, value: u32| match random.below(4) {
        0 => random.next_u64() as u32,
        1 => value.wrapping_sub(random.below(20_000) as u32),
        _ => value.wrapping_add(random.below(2_000) as u32),
    };
    let header = RtpHeader {
        marker: random.below(2) == 0,
        payload_type: [0, 101, 13, 8, 96, 72][random.below(6) as usize],
        sequence: near(random, phone.sequence.into()) as u16,
        timestamp: near(random, phone.timestamp),
        ssrc: if random.below(9) == 0 {
            random.next_u64() as u32
        } else {
            phone.ssrc
        },
    };
    let mut bytes = header.to_bytes().to_vec();
    let len = [0, 1, 3, 4, 5, 80, 160, 161, 960, 961, 1_480][random.below(11) as usize];
    bytes.extend((0..len).map(|_| random.next_u64() as u8));
    if random.below(4) == 0 {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] = random.next_u64() as u8;
    }
    if random.below(10) == 0 {
        bytes.truncate(random.below(bytes.len() as u64 + 1) as usize);
    }
    bytes
}

#[test]
fn rough_packets_and_commands_break_nothing() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let mut scene = Scene::new();
        scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, seed)));
        for _ in 0..3_000 {
            let leg = if random.below(3) == 0 {
                Leg::Agent
            } else {
                Leg::Consumer
            };
            let bytes = rough_packet(&mut random, &scene, leg);
            let source = if leg == Leg::Consumer {
                scene.consumer.source
            } else {
                scene.agent.source
            };
            let rtcp = random.below(20) == 0;
            let received_at = scene.now;
            scene.input(Input::Packet {
                leg,
                source,
                received_at,
                bytes: &bytes,
                rtcp,
            });
            match random.below(60) {
                0 => scene.input(Input::Protect),
                1 => scene.input(Input::Unprotect),
                2 => scene.input(Input::Mute(random.below(2) == 0)),
                3 => scene.input(Input::Watch(random.below(2) == 0)),
                _ => {}
            }
            if random.below(2) == 0 {
                scene.wait(random.below(40));
            }
            if random.below(50) == 0 {
                scene.run(Leg::Consumer, &Script::audio(&hiss(480, seed)));
            }
        }
        assert_eq!(scene.relay.counters().outputs_dropped, 0, "seed {seed}");
    }
}

#[test]
fn no_event_reaches_the_agent_while_protected_whatever_is_sent() {
    for seed in 0..6 {
        let mut random = Random(100 + seed);
        let mut scene = Scene::new();
        scene.arm();
        for _ in 0..2_000 {
            let bytes = rough_packet(&mut random, &scene, Leg::Consumer);
            let source = scene.consumer.source;
            scene.datagram(Leg::Consumer, source, &bytes);
            scene.wait(random.below(30));
        }
        assert!(scene.relay.is_protected());
        assert_eq!(scene.event_packets_to_agent(), 0);
    }
}

/// A network that delays each packet by up to `jitter_ms`.
fn jittered(
    script: &Script,
    jitter_ms: f64,
    keeps_order: bool,
    seed: u64,
) -> Vec<(Duration, usize)> {
    let mut random = Random(seed);
    let mut arrivals: Vec<(Duration, usize)> = Vec::new();
    let mut last = Duration::ZERO;
    for (index, packet) in script.packets.iter().enumerate() {
        let mut at =
            packet.at + Duration::from_micros(random.between(0.0, jitter_ms * 1_000.0) as u64);
        if keeps_order {
            at = at.max(last);
            last = at;
        }
        arrivals.push((at, index));
    }
    arrivals.sort();
    arrivals
}

#[test]
fn jitter_leaks_nothing_and_loses_no_key() {
    for (jitter_ms, keeps_order) in [
        (8.0, true),
        (20.0, true),
        (40.0, true),
        (60.0, true),
        (60.0, false),
    ] {
        let mut keyed = Keyed::new(hiss(40_000, 6));
        for index in 0..12 {
            keyed.sound(
                index,
                1_600 + usize::from(index) * 3_000,
                800,
                KeyToneShape::default(),
            );
        }
        let script = Script::audio(&keyed.signal);
        let mut scene = Scene::with(|plan| plan.consumer.telephone_event_in = None);
        let armed = scene.arm() as usize;
        let began = scene.now;
        for (at, index) in jittered(&script, jitter_ms, keeps_order, 3) {
            scene.run_until(began + at);
            let packet = &script.packets[index];
            let header = RtpHeader {
                marker: false,
                payload_type: 0,
                sequence: scene.consumer.sequence.wrapping_add(index as u16),
                timestamp: scene.consumer.timestamp.wrapping_add(packet.ts),
                ssrc: scene.consumer.ssrc,
            };
            let mut bytes = header.to_bytes().to_vec();
            bytes.extend(
                packet
                    .samples
                    .iter()
                    .map(|value| Law::Mu.encode_sample(*value)),
            );
            let source = scene.consumer.source;
            scene.datagram(Leg::Consumer, source, &bytes);
        }
        scene.wait(300);
        let heard = scene.agent_heard();
        assert_eq!(clear_samples(&keyed, &heard, armed), 0, "{jitter_ms}");
        assert!(LooseDetector::scan(&heard).is_empty(), "{jitter_ms}");
        assert_eq!(
            scene.codes(),
            keys(&keyed.codes),
            "{jitter_ms} {keeps_order}"
        );
    }
}

#[test]
fn a_phone_whose_clock_stops_during_events_is_heard_afterwards() {
    let mut scene = Scene::new();
    scene.arm();
    for _ in 0..5 {
        let press = Script::audio(&hiss(8_000, 3))
            .press(5, 0, 8_000, 160)
            .without_audio(0, 8_000);
        let timestamp = scene.consumer.timestamp;
        scene.run(Leg::Consumer, &press);
        scene.consumer.timestamp = timestamp.wrapping_add(160);
        let before = scene.agent_got.len();
        scene.run(Leg::Consumer, &Script::audio(&vec![5_000; 8_000]));
        let loud = |code: &u8| Law::Mu.decode_byte(*code) > 4_000;
        let heard = scene.agent_got[before..]
            .iter()
            .filter(|got| got.payload.iter().all(loud))
            .count();
        assert!(heard >= 45, "{heard}");
    }
    assert_eq!(scene.codes(), keys(&[5; 5]));
}
