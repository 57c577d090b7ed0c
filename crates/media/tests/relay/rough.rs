//! Bytes from anywhere: nothing breaks, nothing is sent that must not be.

use media::leg::Leg;
use media::relay::Input;
use media::rtp::RtpHeader;

use crate::scene::{Random, Scene, Script, hiss};

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
