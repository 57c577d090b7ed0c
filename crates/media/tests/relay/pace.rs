//! Packets of the duration that the agent asked for, and comfort noise while the consumer's phone sends nothing (S37).

use std::time::Duration;

use media::g711::Law;
use media::leg::Leg;
use media::relay::Input;
use media::rtp::RtpHeader;

use crate::mask::voice;
use crate::scene::{Got, MS, Scene, Script, hiss};

/// Input and output in samples; the agent's ptime and maxptime in milliseconds.
const DURATIONS: [(usize, usize, Option<u32>, Option<u32>); 6] = [
    (480, 160, Some(20), None),
    (160, 240, Some(30), None),
    (160, 80, Some(10), None),
    (480, 160, None, Some(20)),
    (480, 320, Some(120), Some(40)),
    (80, 160, Some(20), Some(40)),
];

fn call(ptime: Option<u32>, maxptime: Option<u32>) -> Scene {
    Scene::with(|relay| {
        relay.agent.ptime = ptime.map(|ms| MS * ms);
        relay.agent.maxptime = maxptime.map(|ms| MS * ms);
    })
}

fn assert_steady(got: &[Got], span: u32) {
    for pair in got.windows(2) {
        assert_eq!(pair[1].since(&pair[0]), (1, span), "at {:?}", pair[1].at);
    }
}

#[test]
fn an_unprotected_agent_gets_packets_of_the_duration_asked_for() {
    for (input, output, ptime, maxptime) in DURATIONS {
        let signal = voice(24_000, 3);
        let mut scene = call(ptime, maxptime);
        scene.run(Leg::Consumer, &Script::audio_in(&signal, input));
        scene.wait(100);
        let got = &scene.agent_got[1..];
        assert!(got.iter().all(|packet| packet.payload.len() == output));
        assert_steady(got, u32::try_from(output).unwrap());
        let heard = got.iter().flat_map(|packet| packet.payload.iter().copied());
        let came = signal.iter().map(|value| Law::Mu.encode_sample(*value));
        assert!(heard.eq(came.take(got.len() * output)));
        assert!(got.len() * output + output > 24_000, "{}", got.len());
        // Paced: as long apart as they last, but for the 5 ms by which a late one is made up.
        let last = MS * u32::try_from(output / 8).unwrap();
        let longest = last.max(MS * u32::try_from(input / 8).unwrap());
        for pair in got.windows(2) {
            let since = pair[1].at - pair[0].at;
            assert!(
                since + MS * 5 >= last.min(longest) || input < output,
                "{since:?}"
            );
            assert!(since <= longest.max(last + MS * 20), "{since:?}");
        }
    }
}

#[test]
fn a_loss_is_a_gap_in_packets_of_another_duration_too() {
    let mut scene = call(Some(20), None);
    let mut script = Script::audio_in(&hiss(24_000, 3), 480);
    script.packets[20].lost = true;
    scene.run(Leg::Consumer, &script);
    scene.wait(100);
    let got = &scene.agent_got[1..];
    let numbers = [&got[0], &got[got.len() - 1]]
        .map(|packet| (packet.header.sequence, packet.header.timestamp));
    assert_eq!(numbers[1].0.wrapping_sub(numbers[0].0), 149);
    assert_eq!(numbers[1].1.wrapping_sub(numbers[0].1), 149 * 160);
    assert_eq!(got.len(), 147);
}

#[test]
fn packets_of_another_duration_stay_so_when_protection_begins_and_ends() {
    for (input, output, ptime, maxptime) in DURATIONS {
        let mut scene = call(ptime, maxptime);
        scene.run(Leg::Consumer, &Script::audio_in(&hiss(4_800, 2), input));
        scene.input(Input::Protect);
        scene.run(Leg::Consumer, &Script::audio_in(&hiss(4_800, 3), input));
        scene.input(Input::Unprotect);
        scene.run(Leg::Consumer, &Script::audio_in(&hiss(24_000, 4), input));
        assert!(!scene.relay.is_protected());
        scene.wait(100);
        let got = &scene.agent_got[1..];
        let mut next = got[0].header.timestamp;
        for packet in got {
            assert_eq!(packet.header.timestamp, next);
            assert!(packet.payload.len() <= output);
            next = next.wrapping_add(u32::try_from(packet.payload.len()).unwrap());
        }
        let sent: usize = got.iter().map(|packet| packet.payload.len()).sum();
        assert!(sent + output > 33_600);
        let recorded: usize = scene
            .records
            .iter()
            .map(|(_, _, samples)| samples.len())
            .sum();
        assert!(recorded + 2 * output > 33_600 && recorded <= 33_600);
    }
}

impl Scene {
    fn comfort_noise(&mut self, level: u8) {
        let header = RtpHeader {
            marker: false,
            payload_type: 13,
            sequence: self.consumer.sequence,
            timestamp: self.consumer.timestamp,
            ssrc: self.consumer.ssrc,
        };
        self.consumer.sequence = self.consumer.sequence.wrapping_add(1);
        let mut bytes = header.to_bytes().to_vec();
        bytes.push(level);
        let source = self.consumer.source;
        self.datagram(Leg::Consumer, source, &bytes);
    }

    /// Nothing is sent for so many milliseconds; the phone's clock goes on.
    fn pause(&mut self, millis: u32) {
        self.wait(millis.into());
        self.consumer.timestamp = self.consumer.timestamp.wrapping_add(millis * 8);
    }
}

/// Level of what packets carry, below overload.
fn level_of(got: &[Got]) -> f64 {
    let values: Vec<f64> = got
        .iter()
        .flat_map(|packet| &packet.payload)
        .map(|code| f64::from(Law::Mu.decode_byte(*code)))
        .collect();
    level_of_linear(&values)
}

fn level_of_linear(values: &[f64]) -> f64 {
    let power: f64 = values.iter().map(|value| value * value).sum();
    -20.0 * ((power / values.len() as f64).sqrt() / 32_124.0).log10()
}

#[test]
fn comfort_noise_that_the_agent_did_not_negotiate_is_made() {
    for protected in [false, true] {
        for (ptime, span) in [(None, 160), (Some(30), 240)] {
            let mut scene = call(ptime, None);
            scene.run(Leg::Consumer, &Script::audio(&hiss(4_800, 2)));
            if protected {
                scene.input(Input::Protect);
                scene.run(Leg::Consumer, &Script::audio(&hiss(4_800, 2)));
            }
            scene.comfort_noise(50);
            let from = scene.agent_got.len();
            scene.pause(1_000);
            scene.comfort_noise(60);
            let until = scene.agent_got.len();
            scene.pause(1_000);
            let end = scene.agent_got.len();
            let (first, second) = (
                &scene.agent_got[from + 3..until],
                &scene.agent_got[until + 3..],
            );
            // Under protection, where none was told before it, 60 dB whatever is told.
            let wanted = if protected { 60.0 } else { 50.0 };
            let levels = [first, second].map(level_of);
            assert!((levels[0] - wanted).abs() < 1.0, "{levels:?}");
            assert!((levels[1] - 60.0).abs() < 1.0, "{levels:?}");
            scene.run(Leg::Consumer, &Script::audio(&hiss(4_800, 2)));
            scene.wait(60);
            let packets = 2_000 / (span / 8);
            assert!((end - from).abs_diff(packets as usize) <= 2, "{protected}");
            assert_steady(&scene.agent_got[1..scene.agent_got.len() - 1], span);
            assert!(
                scene
                    .agent_got
                    .iter()
                    .all(|packet| packet.header.payload_type == 0)
            );
            let longest = scene.agent_got[from..]
                .windows(2)
                .map(|pair| pair[1].at - pair[0].at);
            assert!(longest.max().unwrap() <= MS * (span / 8 + 20));
        }
    }
}

#[test]
fn comfort_noise_that_the_agent_negotiated_is_relayed_and_not_made() {
    let mut scene = Scene::with(|relay| relay.agent.comfort_noise = Some(13));
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2)));
    let from = scene.agent_got.len();
    scene.comfort_noise(50);
    scene.pause(1_000);
    let got = &scene.agent_got[from..];
    assert_eq!(
        (got.len(), got[0].header.payload_type, &got[0].payload[..]),
        (1, 13, &[50][..])
    );
}

#[test]
fn the_recorder_hears_the_noise_of_a_pause_whoever_makes_it_for_the_agent() {
    for negotiated in [None, Some(13)] {
        let mut scene = Scene::with(|relay| relay.agent.comfort_noise = negotiated);
        scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2)));
        let from = scene.records.len();
        scene.comfort_noise(50);
        scene.pause(1_000);
        let noise = &scene.records[from..];
        for pair in noise.windows(2) {
            assert_eq!(pair[1].1, pair[0].1 + pair[0].2.len() as u64);
        }
        let values = noise.iter().flat_map(|(_, _, samples)| samples);
        let values: Vec<f64> = values.map(|value| f64::from(*value)).collect();
        assert!(values.len().abs_diff(8_000) <= 320, "{}", values.len());
        let level = level_of_linear(&values);
        assert!((level - 50.0).abs() < 1.0, "{negotiated:?}: {level}");
    }
}

/// What the agent hears of a pause under protection in which a key is pressed, and the phone says that its noise has these levels before, while and after
/// it.
fn around_a_key(levels: [u8; 3]) -> Vec<(u16, u32, Vec<u8>)> {
    let mut scene = Scene::with(|relay| relay.agent.comfort_noise = Some(13));
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2)));
    scene.comfort_noise(45);
    scene.pause(200);
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2)));
    scene.arm();
    let from = scene.agent_got.len();
    scene.comfort_noise(levels[0]);
    scene.pause(500);
    let mut key = Script::audio(&[]).press(4, 0, 800, 160);
    key.len = Duration::from_millis(100);
    scene.run(Leg::Consumer, &key);
    scene.comfort_noise(levels[1]);
    scene.pause(500);
    scene.comfort_noise(levels[2]);
    scene.pause(500);
    let first = scene.agent_got[from].clone();
    let heard = scene.agent_got[from..].iter();
    let heard = heard.map(|got| (got.since(&first), got.payload.clone()));
    heard
        .map(|((steps, span), octets)| (steps, span, octets))
        .collect()
}

#[test]
fn a_level_that_is_told_under_protection_says_nothing_of_a_key() {
    let quiet = around_a_key([45, 45, 45]);
    assert!(quiet.len() > 60, "{}", quiet.len());
    for levels in [[45, 20, 45], [30, 45, 70], [127, 0, 20]] {
        assert!(around_a_key(levels) == quiet, "{levels:?}");
    }
    let last = quiet.iter().rev().take(20).flat_map(|(.., octets)| octets);
    let last: Vec<f64> = last
        .map(|code| f64::from(Law::Mu.decode_byte(*code)))
        .collect();
    let level = level_of_linear(&last);
    assert!((level - 45.0).abs() < 1.0, "{level}");
}

#[test]
fn comfort_noise_ends_with_the_next_audio_a_mute_and_a_key() {
    for end in 0..3 {
        let mut scene = Scene::new();
        scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2)));
        scene.comfort_noise(40);
        scene.pause(200);
        match end {
            0 => scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2))),
            1 => scene.input(Input::Mute(true)),
            _ => {
                let mut key = Script::audio(&[]).press(4, 0, 800, 160);
                key.len = Duration::from_millis(100);
                scene.run(Leg::Consumer, &key);
            }
        }
        scene.wait(40);
        let from = scene.agent_got.len();
        scene.wait(1_000);
        assert_eq!(scene.agent_got.len(), from, "{end}");
    }
}

#[test]
fn a_stop_of_the_process_makes_no_burst_of_noise() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 2)));
    scene.comfort_noise(40);
    scene.pause(200);
    let from = scene.agent_got.len();
    scene.now += MS * 5_000;
    let now = scene.now;
    scene.relay.handle_timeout(now);
    scene.drain();
    assert!(scene.agent_got.len() - from <= 2);
}

/// A second of speech, so many packets lost at its end, a pause, a second of speech: the step in numbers and timestamps over the pause, and the marker
/// after it.
fn over_a_pause(scene: &mut Scene, lost: usize, pause: u32) -> (u16, u32, bool) {
    let mut script = Script::audio(&hiss(8_000, 2));
    for packet in script.packets.iter_mut().rev().take(lost) {
        packet.lost = true;
    }
    scene.run(Leg::Consumer, &script);
    scene.pause(pause);
    let before = scene.agent_got.len();
    scene.run(Leg::Consumer, &Script::audio(&hiss(8_000, 2)));
    let [last, first] = [before - 1, before].map(|at| &scene.agent_got[at]);
    let step = first.header.sequence.wrapping_sub(last.header.sequence);
    let end = u32::try_from(last.payload.len()).unwrap();
    let since = first.header.timestamp.wrapping_sub(last.header.timestamp);
    (step, since - end, first.header.marker)
}

#[test]
fn a_pause_of_the_phone_is_no_loss_and_a_loss_is_no_pause() {
    for (lost, pause, step, passed) in [
        (0, 100, 1, 800),
        (0, 1_000, 1, 8_000),
        (0, 20_000, 1, 160_000),
        (5, 0, 6, 800),
        (2, 1_000, 3, 8_320),
    ] {
        let mut scene = Scene::new();
        scene.arm();
        let (steps, since, marker) = over_a_pause(&mut scene, lost, pause);
        assert_eq!((steps, since), (step, passed), "{lost} {pause}");
        assert_eq!(marker, pause > 0, "{lost} {pause}");
    }
}

#[test]
fn a_pause_of_a_phone_whose_packets_are_cut_anew_is_no_loss() {
    let mut scene = call(Some(10), None);
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    assert_eq!(over_a_pause(&mut scene, 0, 1_000), (1, 8_000, true));
    assert_eq!(over_a_pause(&mut scene, 5, 0), (11, 800, false));
}
