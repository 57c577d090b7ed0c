//! Packets, sources, clocks and the ways in and out of protection.

use std::time::Duration;

use media::g711::Law;
use media::leg::{Codec, Leg};
use media::relay::{DropReason, Input, ProtectionLoss, ProtectionRefusal, RelayEvent};
use media::rtp::RtpHeader;
use media::source::SourcePolicy;
use secret::Key;

use crate::mask::{Keyed, clear_samples};
use crate::scene::{MS, Random, Scene, Script, address, hiss, keys, plan};

fn header(sequence: u16, timestamp: u32) -> RtpHeader {
    RtpHeader {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp,
        ssrc: 5,
    }
}

fn audio_packet(sequence: u16, timestamp: u32) -> Vec<u8> {
    let mut bytes = header(sequence, timestamp).to_bytes().to_vec();
    bytes.extend([0xA0; 160]);
    bytes
}

#[test]
fn unprotected_packets_are_re_originated_without_delay() {
    let mut scene = Scene::new();
    scene.run_until(scene.now);
    let signal = hiss(16_000, 1);
    scene.run(Leg::Consumer, &Script::audio(&signal).lose(0.05, 3));
    let lost = Script::audio(&signal)
        .lose(0.05, 3)
        .packets
        .iter()
        .filter(|packet| packet.lost)
        .count();
    let got: Vec<_> = scene
        .agent_got
        .iter()
        .filter(|got| got.at > Duration::ZERO)
        .cloned()
        .collect();
    assert_eq!(got.len(), 100 - lost);
    assert!(
        got.iter()
            .all(|got| got.header.ssrc != 11 && got.at.as_millis().is_multiple_of(20))
    );
    for pair in got.windows(2) {
        let (steps, span) = pair[1].since(&pair[0]);
        assert_eq!(u32::from(steps) * 160, span);
    }
    assert_eq!(scene.relay.counters().consumer.packets_lost, lost as u64);
    scene.run(Leg::Agent, &Script::audio(&signal));
    assert!(scene.consumer_got.len() >= 100);
}

#[test]
fn legs_with_different_laws_are_transcoded() {
    let mut scene = Scene::with(|relay| relay.agent = plan(Codec::Pcma, 2));
    let tone = vec![8_000; 1_600];
    scene.run(Leg::Consumer, &Script::audio(&tone));
    let last = scene.agent_got.last().unwrap();
    assert_eq!(
        (last.header.payload_type, last.payload[0]),
        (
            8,
            Law::A.encode_sample(Law::Mu.decode_byte(Law::Mu.encode_sample(8_000)))
        )
    );
    scene.run(Leg::Agent, &Script::audio(&tone));
    assert_eq!(scene.consumer_got.last().unwrap().header.payload_type, 0);
    scene.arm();
    scene.run(Leg::Consumer, &Script::audio(&tone));
    assert_eq!(scene.agent_got.last().unwrap().header.payload_type, 8);
}

#[test]
fn entering_and_leaving_keeps_timestamps_and_packet_times() {
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, &Script::audio(&hiss(8_000, 2)));
    scene.input(Input::Unprotect);
    scene.run(Leg::Consumer, &Script::audio(&hiss(16_000, 3)));
    assert!(!scene.relay.is_protected());
    let got = &scene.agent_got[1..];
    for pair in got.windows(2) {
        assert_eq!(
            pair[1].header.sequence,
            pair[0].header.sequence.wrapping_add(1)
        );
        assert_eq!(
            pair[1].header.timestamp,
            pair[0].header.timestamp.wrapping_add(160)
        );
        assert!(pair[1].at - pair[0].at <= MS * 20);
    }
}

#[test]
fn the_mask_adds_twelve_milliseconds_and_no_packet_delay() {
    let mut scene = Scene::new();
    let armed = scene.arm() as usize;
    let signal = hiss(16_000, 2);
    scene.run(Leg::Consumer, &Script::audio(&signal));
    let heard = scene.agent_heard();
    let same = (400..15_000)
        .filter(|at| {
            heard[armed + at + 96] == Law::Mu.decode_byte(Law::Mu.encode_sample(signal[*at]))
        })
        .count();
    assert_eq!(same, 14_600);
    assert!(
        scene
            .agent_got
            .iter()
            .skip(1)
            .all(|got| got.at.as_millis().is_multiple_of(20))
    );
}

#[test]
fn protection_without_media_is_refused() {
    let mut scene = Scene::new();
    scene.input(Input::Protect);
    scene.wait(1_100);
    let refused = RelayEvent::ProtectionRefused {
        reason: ProtectionRefusal::NoMedia,
    };
    assert!(scene.events.contains(&refused));
    assert!(!scene.relay.is_protected());
}

#[test]
fn protection_waits_a_second_for_media() {
    let mut scene = Scene::new();
    scene.input(Input::Protect);
    scene.wait(500);
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    assert!(scene.relay.is_protected());
    assert!(
        scene
            .events
            .iter()
            .any(|event| matches!(event, RelayEvent::Protected { .. }))
    );
}

#[test]
fn packets_of_strangers_are_refused_and_counted() {
    let mut scene = Scene::new();
    scene.arm();
    let before = scene.agent_got.len();
    let mut random = Random(9);
    for _ in 0..1_000 {
        let port = 4_000 + random.below(2) as u16;
        let mut bytes = RtpHeader {
            marker: true,
            payload_type: 101,
            sequence: scene.consumer.sequence,
            timestamp: scene.consumer.timestamp,
            ssrc: scene.consumer.ssrc,
        }
        .to_bytes()
        .to_vec();
        bytes.extend([random.below(12) as u8, 10, 0, 160]);
        scene.datagram(Leg::Consumer, address(77, port), &bytes);
    }
    assert_eq!(
        scene
            .relay
            .counters()
            .consumer
            .dropped(DropReason::WrongSource),
        1_000
    );
    assert!(scene.codes().is_empty());
    assert_eq!(scene.agent_got.len(), before);
}

#[test]
fn a_phone_behind_nat_is_latched_after_three_packets() {
    let mut scene = Scene::with(|relay| {
        relay.consumer.source_policy = SourcePolicy::Latch {
            sip_source: address(9, 0).ip(),
        };
    });
    let outside = address(9, 30_000);
    for index in 0..5_u16 {
        scene.datagram(
            Leg::Consumer,
            outside,
            &audio_packet(index, u32::from(index) * 160),
        );
        scene.wait(20);
    }
    assert!(scene.events.contains(&RelayEvent::SourceLatched {
        leg: Leg::Consumer,
        source: outside
    }));
    assert_eq!(
        scene
            .relay
            .counters()
            .consumer
            .dropped(DropReason::Learning),
        2
    );
    assert_eq!(scene.relay.counters().consumer.packets_in, 3);
    scene.run(Leg::Agent, &Script::audio(&hiss(160, 1)));
    assert!(scene.relay.is_protected() || !scene.consumer_got.is_empty());
}

#[test]
fn another_ssrc_goes_on_in_our_stream() {
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
    scene.consumer.ssrc = 1_234;
    scene.consumer.sequence = 9;
    scene.consumer.timestamp = 55;
    scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 2)));
    let got = &scene.agent_got[1..];
    assert!(got.windows(2).all(|pair| pair[1].since(&pair[0]).1 == 160));
    assert!(
        got.iter()
            .all(|each| each.header.ssrc == got[0].header.ssrc)
    );
}

#[test]
fn comfort_noise_and_unknown_payloads_do_not_pass_under_protection() {
    let mut scene = Scene::with(|relay| {
        relay.consumer.comfort_noise = Some(13);
        relay.agent.comfort_noise = Some(13);
    });
    let noise = |scene: &Scene, payload_type| {
        let mut bytes = RtpHeader {
            payload_type,
            ..header(scene.consumer.sequence, scene.consumer.timestamp)
        };
        bytes.ssrc = scene.consumer.ssrc;
        let mut bytes = bytes.to_bytes().to_vec();
        bytes.extend([40, 1, 2, 3]);
        bytes
    };
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    let source = scene.consumer.source;
    let bytes = noise(&scene, 13);
    scene.datagram(Leg::Consumer, source, &bytes);
    scene.consumer.sequence = scene.consumer.sequence.wrapping_add(1);
    assert_eq!(scene.agent_got.last().unwrap().header.payload_type, 13);
    scene.arm();
    let bytes = noise(&scene, 13);
    scene.datagram(Leg::Consumer, source, &bytes);
    let bytes = noise(&scene, 96);
    scene.datagram(Leg::Consumer, source, &bytes);
    assert_ne!(scene.agent_got.last().unwrap().header.payload_type, 13);
    assert_eq!(
        scene
            .relay
            .counters()
            .consumer
            .dropped(DropReason::UnknownPayload),
        1
    );
}

#[test]
fn the_agents_keys_neither_count_nor_reach_the_consumer_under_protection() {
    let mut scene = Scene::new();
    scene.arm();
    let sent = scene.consumer_got.len();
    let script = Script::audio(&hiss(8_000, 1)).press(4, 1_600, 800, 160);
    scene.run(Leg::Agent, &script);
    scene.input(Input::InfoKey {
        leg: Leg::Agent,
        key: Key::Star,
    });
    assert!(scene.codes().is_empty());
    assert_eq!(scene.consumer_got.len() - sent, 50);
    assert!(
        scene
            .consumer_got
            .iter()
            .all(|got| got.header.payload_type != 101)
    );
}

#[test]
fn info_keys_count_while_protected_only() {
    let mut scene = Scene::new();
    scene.input(Input::InfoKey {
        leg: Leg::Consumer,
        key: Key::Star,
    });
    scene.arm();
    scene.input(Input::InfoKey {
        leg: Leg::Consumer,
        key: Key::Pound,
    });
    assert_eq!(scene.codes(), vec![Key::Pound]);
}

#[test]
fn a_muted_consumer_is_silent_protected_or_not() {
    let mut scene = Scene::new();
    scene.input(Input::Mute(true));
    let loud = vec![9_000; 3_200];
    scene.run(Leg::Consumer, &Script::audio(&loud));
    let silent = |scene: &Scene| {
        scene.agent_got[1..].iter().all(|got| {
            got.payload
                .iter()
                .all(|code| Law::Mu.decode_byte(*code) == 0)
        })
    };
    assert!(silent(&scene));
    scene.input(Input::Protect);
    scene.run(Leg::Consumer, &Script::audio(&loud));
    let fade = scene.agent_got.len() - 9;
    assert!(scene.agent_got[fade..].iter().all(|got| {
        got.payload
            .iter()
            .all(|code| Law::Mu.decode_byte(*code) == 0)
    }));
    assert!(scene.records.iter().all(|(_, position, samples)| {
        samples.iter().skip(16).all(|value| *value == 0) || *position < 3_200
    }));
}

#[test]
fn recordings_hold_both_legs_and_no_key() {
    let mut keyed = Keyed::new(hiss(16_000, 4));
    for index in 0..6 {
        keyed.sound(
            index,
            1_600 + usize::from(index) * 2_000,
            800,
            media::tone::KeyToneShape::default(),
        );
    }
    let mut scene = Scene::new();
    let armed = scene.arm() as usize;
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    scene.run(Leg::Agent, &Script::audio(&hiss(1_600, 4)));
    let mut line = vec![0; armed + 17_000];
    for (_, position, samples) in scene
        .records
        .iter()
        .filter(|(leg, ..)| *leg == Leg::Consumer)
    {
        let start = *position as usize;
        line[start..start + samples.len()].copy_from_slice(samples);
    }
    assert_eq!(clear_samples(&keyed, &line, armed), 0);
    assert!(media::dtmf::inband::LooseDetector::scan(&line).is_empty());
    assert_eq!(
        scene
            .records
            .iter()
            .filter(|(leg, ..)| *leg == Leg::Agent)
            .count(),
        10
    );
}

#[test]
fn reports_go_to_both_legs_every_five_seconds_under_our_own_name() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(8_000 * 13, 1)));
    for leg in [Leg::Consumer, Leg::Agent] {
        let reports: Vec<_> = scene.reports.iter().filter(|(to, ..)| *to == leg).collect();
        assert_eq!(reports.len(), 3);
        assert!(
            reports
                .iter()
                .all(|(_, destination, _)| destination.port() == 4_001)
        );
    }
    scene.input(Input::End);
    let last = scene.reports.last().unwrap();
    assert!(media::rtcp::parse(&last.2).unwrap().goodbye);
    assert_eq!(scene.relay.next_timeout(), None);
}

#[test]
fn a_leg_that_falls_silent_is_given_up_after_a_minute() {
    let mut scene = Scene::new();
    scene.run(Leg::Agent, &Script::audio(&hiss(1_600, 1)));
    scene.wait(59_000);
    assert!(scene.events.is_empty());
    scene.wait(1_100);
    assert_eq!(
        scene.events[0],
        RelayEvent::MediaTimeout { leg: Leg::Consumer }
    );
    assert_eq!(scene.events.len(), 2);
}

#[test]
fn a_silent_line_is_told_while_protected() {
    let mut scene = Scene::new();
    scene.arm();
    scene.wait(3_100);
    assert_eq!(scene.events.last(), Some(&RelayEvent::LineSilent));
    scene.consumer.timestamp = scene.consumer.timestamp.wrapping_add(8 * 3_100);
    scene.run(Leg::Consumer, &Script::audio(&hiss(160, 1)));
    assert_eq!(scene.events.last(), Some(&RelayEvent::LineBack));
}

/// The process does not run for `stop`; what came meanwhile is read at once after it.
fn stopped(stop: Duration) -> (Scene, Keyed, usize) {
    let mut keyed = Keyed::new(hiss(8_000 * 10, 4));
    for index in 0..12 {
        keyed.sound(
            index,
            1_600 + usize::from(index) * 3_200,
            1_600,
            media::tone::KeyToneShape::default(),
        );
    }
    let mut scene = Scene::with(|relay| relay.consumer.telephone_event_in = None);
    let armed = scene.arm() as usize;
    let script = Script::audio(&keyed.signal);
    let began = scene.now;
    let from = began + MS * 310;
    for packet in &script.packets {
        let received_at = began + packet.at;
        if received_at <= from {
            scene.run_until(received_at);
        } else {
            scene.now = scene.now.max(received_at.max(from + stop));
            let due = scene.now;
            if received_at > from + stop {
                scene.run_until(due);
            }
        }
        let mut bytes = RtpHeader {
            marker: false,
            payload_type: 0,
            sequence: scene.consumer.sequence,
            timestamp: scene.consumer.timestamp.wrapping_add(packet.ts),
            ssrc: scene.consumer.ssrc,
        }
        .to_bytes()
        .to_vec();
        scene.consumer.sequence = scene.consumer.sequence.wrapping_add(1);
        bytes.extend(
            packet
                .samples
                .iter()
                .map(|value| Law::Mu.encode_sample(*value)),
        );
        let source = scene.consumer.source;
        scene.input(Input::Packet {
            leg: Leg::Consumer,
            source,
            received_at,
            bytes: &bytes,
            rtcp: false,
        });
    }
    (scene, keyed, armed)
}

#[test]
fn a_stop_of_the_process_within_a_key_leaks_nothing() {
    for millis in [50, 500, 5_000] {
        let (scene, keyed, armed) = stopped(MS * millis);
        let heard = scene.agent_heard();
        assert_eq!(clear_samples(&keyed, &heard, armed), 0, "{millis}");
        assert!(
            media::dtmf::inband::LooseDetector::scan(&heard).is_empty(),
            "{millis}"
        );
        let lost = RelayEvent::ProtectionLost {
            reason: ProtectionLoss::Stalled,
        };
        assert_eq!(scene.events.contains(&lost), millis > 1_000, "{millis}");
        let last = scene.agent_got.last().unwrap();
        assert!(last.at >= MS * 10_000);
    }
}

#[test]
fn packet_durations_of_every_kind_are_masked_and_read() {
    for span in [80, 160, 240, 480] {
        for ptime in [None, Some(MS * 20), Some(MS * 30)] {
            let mut keyed = Keyed::new(hiss(24_000, 4));
            for index in 0..6 {
                keyed.sound(
                    index,
                    1_600 + usize::from(index) * 3_200,
                    800,
                    media::tone::KeyToneShape::default(),
                );
            }
            let mut scene = Scene::with(|relay| {
                relay.consumer.telephone_event_in = None;
                relay.agent.ptime = ptime;
            });
            scene.run(Leg::Consumer, &Script::audio_in(&hiss(4_800, 1), span));
            scene.input(Input::Protect);
            let armed = scene.protected_at() as usize;
            scene.run(Leg::Consumer, &Script::audio_in(&keyed.signal, span));
            scene.wait(200);
            let heard = scene.agent_heard();
            assert_eq!(clear_samples(&keyed, &heard, armed), 0, "{span} {ptime:?}");
            assert!(
                media::dtmf::inband::LooseDetector::scan(&heard).is_empty(),
                "{span} {ptime:?}"
            );
            assert_eq!(scene.codes(), keys(&[0, 1, 2, 3, 4, 5]), "{span} {ptime:?}");
        }
    }
}

#[test]
fn reordered_and_doubled_packets_leak_nothing_and_lose_no_key() {
    let mut keyed = Keyed::new(hiss(32_000, 4));
    for index in 0..9 {
        keyed.sound(
            index,
            1_600 + usize::from(index) * 3_200,
            800,
            media::tone::KeyToneShape::default(),
        );
    }
    let mut scene = Scene::with(|relay| relay.consumer.telephone_event_in = None);
    let armed = scene.arm() as usize;
    let script = Script::audio(&keyed.signal);
    let base = (scene.consumer.sequence, scene.consumer.timestamp);
    let mut random = Random(5);
    let mut order: Vec<usize> = (0..script.packets.len()).collect();
    for index in 1..order.len() {
        if random.next_f64() < 0.1 {
            order.swap(index - 1, index);
        }
    }
    for (place, index) in order.into_iter().enumerate() {
        scene.run_until(scene.began + MS * (420 + 20 * place as u32));
        let packet = &script.packets[index];
        let header = RtpHeader {
            marker: false,
            payload_type: 0,
            sequence: base.0.wrapping_add(index as u16),
            timestamp: base.1.wrapping_add(packet.ts),
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
        scene.datagram(Leg::Consumer, source, &bytes);
    }
    scene.wait(300);
    let heard = scene.agent_heard();
    assert_eq!(clear_samples(&keyed, &heard, armed), 0);
    assert!(media::dtmf::inband::LooseDetector::scan(&heard).is_empty());
    assert_eq!(scene.codes(), keys(&keyed.codes));
}
