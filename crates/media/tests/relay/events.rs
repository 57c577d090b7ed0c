//! Presses as telephone-events, with the habits of real senders: each is one key.

use media::leg::Leg;
use media::relay::RelayEvent;

use crate::scene::{MS, Scene, Script, hiss, keys};

const PRESS: usize = 800;
const START: usize = 1_600;

/// A second of hiss with one press of 100 ms in it, audio suspended.
fn one_press() -> Script {
    Script::audio(&hiss(8_000, 3))
        .press(5, START, PRESS, 160)
        .without_audio(START, START + PRESS)
}

fn keyed(script: &Script) -> Scene {
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, script);
    scene.wait(400);
    assert_eq!(scene.event_packets_to_agent(), 0);
    scene
}

fn assert_one_key(script: &Script) {
    assert_eq!(keyed(script).codes(), keys(&[5]));
}

#[test]
fn a_plain_press_is_one_key() {
    assert_one_key(&one_press());
    assert_one_key(
        &Script::audio(&hiss(8_000, 3))
            .press(5, START, PRESS, 400)
            .without_audio(START, START + PRESS),
    );
}

#[test]
fn a_press_without_marker_is_one_key() {
    assert_one_key(&one_press().change_events(|_, packet| packet.marker = false));
}

#[test]
fn a_press_with_a_marker_in_every_packet_is_one_key() {
    assert_one_key(&one_press().change_events(|_, packet| packet.marker = true));
}

#[test]
fn a_press_whose_durations_are_zero_or_odd_is_one_key() {
    assert_one_key(&one_press().change_events(|_, packet| packet.payload[2..4].fill(0)));
    assert_one_key(&one_press().change_events(|index, packet| {
        let odd = [160_u16, 12, 480, 1, 800, 3, 7, 9][index];
        packet.payload[2..4].copy_from_slice(&odd.to_be_bytes());
    }));
}

#[test]
fn reserved_bit_and_volume_do_not_matter() {
    for volume in [0, 63, 0x40, 0x7F] {
        assert_one_key(
            &one_press()
                .change_events(|_, packet| packet.payload[1] = (packet.payload[1] & 0x80) | volume),
        );
    }
}

#[test]
fn a_press_whose_end_packets_are_all_lost_is_one_key_and_its_tone_ends() {
    let mut script = one_press().change_events(|index, packet| packet.lost = index >= 4);
    assert_one_key(&script);
    script.packets.truncate(
        script
            .packets
            .iter()
            .rposition(|packet| packet.event)
            .unwrap(),
    );
    let scene = keyed(&script);
    let last = scene.agent_got.iter().map(|got| got.at).max().unwrap();
    assert!(last < MS * (400 + 300 + 180), "{last:?}");
}

#[test]
fn any_single_packet_of_a_press_is_enough() {
    for kept in 0..7 {
        assert_one_key(&one_press().change_events(|index, packet| packet.lost = index != kept));
    }
}

#[test]
fn a_press_whose_start_is_lost_is_one_key() {
    assert_one_key(&one_press().change_events(|index, packet| packet.lost = index < 3));
}

#[test]
fn end_packets_with_timestamps_of_their_own_are_one_key() {
    assert_one_key(&one_press().change_events(|index, packet| {
        if packet.payload[1] & 0x80 != 0 {
            packet.ts += 160 * (index as u32 - 3);
        }
    }));
}

#[test]
fn a_timestamp_that_moves_within_the_press_is_one_key() {
    assert_one_key(
        &one_press().change_events(|index, packet| packet.ts += 160 * (index as u32).min(4)),
    );
}

#[test]
fn a_press_of_more_than_eight_seconds_is_one_key_and_masked_to_its_end() {
    let len = 72_000;
    let signal = hiss(len + 16_000, 3);
    let script = Script::audio(&signal)
        .press(5, START, len, 400)
        .without_audio(START, START + len);
    let mut scene = Scene::new();
    let armed = scene.arm() as usize;
    scene.run(Leg::Consumer, &script);
    assert_eq!(scene.codes(), keys(&[5]));
    let heard = scene.agent_heard();
    let loud = |at: usize| {
        heard[at..at + 160]
            .iter()
            .any(|value| value.unsigned_abs() > 2_000)
    };
    assert!(
        (START + 800..START + len - 800)
            .step_by(160)
            .all(|at| loud(armed + at))
    );
}

#[test]
fn fast_and_equal_digits_are_all_counted() {
    let mut script = Script::audio(&hiss(16_000, 3));
    let codes = [4, 4, 4, 4, 1, 1, 2, 2, 2, 9];
    for (index, code) in codes.iter().enumerate() {
        let start = START + index * 640;
        script = script
            .press(*code, start, 320, 160)
            .without_audio(start, start + 320);
    }
    assert_eq!(keyed(&script).codes(), keys(&codes));
}

#[test]
fn letters_flash_and_other_events_are_masked_and_no_keys() {
    for code in [12, 13, 14, 15, 16, 32, 255] {
        let script = Script::audio(&hiss(8_000, 3)).press(code, START, PRESS, 160);
        assert!(keyed(&script).codes().is_empty());
    }
}

#[test]
fn star_and_pound_are_keys() {
    let script = Script::audio(&hiss(12_000, 3))
        .press(10, START, PRESS, 160)
        .press(11, 6_400, PRESS, 160);
    assert_eq!(keyed(&script).codes(), keys(&[10, 11]));
}

#[test]
fn duplicated_event_packets_are_one_key() {
    let mut scene = Scene::new();
    scene.arm();
    let script = one_press();
    let first = script
        .packets
        .iter()
        .position(|packet| packet.event)
        .unwrap();
    let mut doubled = script.clone();
    doubled.packets.insert(first, script.packets[first].clone());
    scene.run(Leg::Consumer, &doubled);
    assert_eq!(scene.codes(), keys(&[5]));
}

#[test]
fn keys_before_and_after_protection_do_not_count() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &one_press());
    assert!(scene.event_packets_to_agent() >= 6);
    let relayed = scene.event_packets_to_agent();
    scene.arm();
    scene.run(Leg::Consumer, &one_press());
    scene.input(media::relay::Input::Unprotect);
    let straggler =
        one_press().change_events(|_, packet| packet.ts = packet.ts.wrapping_sub(8_000));
    let end = straggler
        .packets
        .iter()
        .rfind(|packet| packet.event)
        .unwrap()
        .clone();
    scene.run(Leg::Consumer, &Script::audio(&hiss(16_000, 9)));
    assert!(
        scene
            .events
            .iter()
            .any(|event| matches!(event, RelayEvent::Unprotected { .. }))
    );
    let late = crate::scene::Packet {
        at: std::time::Duration::ZERO,
        ts: end.ts.wrapping_sub(16_000),
        ..end
    };
    scene.run(
        Leg::Consumer,
        &Script {
            packets: vec![late],
            len: std::time::Duration::ZERO,
        },
    );
    assert_eq!(scene.event_packets_to_agent(), relayed);
    scene.run(Leg::Consumer, &one_press());
    assert!(scene.event_packets_to_agent() > relayed);
    assert_eq!(scene.codes(), keys(&[5]));
}

#[test]
fn an_event_that_runs_at_arming_is_ended_towards_the_agent_and_does_not_count() {
    let script = Script::audio(&hiss(16_000, 3))
        .press(5, START, 8_000, 160)
        .without_audio(START, START + 8_000);
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
    let middle = script.packets.len() / 3;
    let mut first = script.clone();
    first.packets.truncate(middle);
    first.len = first.packets[middle - 1].at;
    let start = scene.now;
    scene.run(Leg::Consumer, &first);
    scene.input(media::relay::Input::Protect);
    let sent = scene.event_packets_to_agent();
    let ends: Vec<_> = scene.agent_got[scene.agent_got.len() - 3..].to_vec();
    assert!(
        ends.iter()
            .all(|got| got.payload.len() == 4 && got.payload[1] & 0x80 != 0)
    );
    let mut rest = script.clone();
    rest.packets.drain(..middle);
    let done = u32::try_from(first.len.as_micros() / 125).unwrap();
    for packet in &mut rest.packets {
        packet.at -= first.len;
        packet.ts = packet.ts.wrapping_sub(done);
    }
    rest.len -= first.len;
    assert!(start < scene.now);
    scene.run(Leg::Consumer, &rest);
    assert_eq!(scene.event_packets_to_agent(), sent);
    assert!(scene.codes().is_empty());
}

#[test]
fn events_every_fifty_milliseconds_without_audio_give_a_steady_tone() {
    let script = Script::audio(&hiss(16_000, 3))
        .press(5, START, 8_000, 400)
        .without_audio(START, START + 8_000);
    let mut scene = Scene::new();
    let armed = scene.arm() as usize;
    let began = scene.now - scene.began;
    scene.run(Leg::Consumer, &script);
    let during: Vec<_> = scene
        .agent_got
        .iter()
        .map(|got| got.at.saturating_sub(began))
        .filter(|at| (MS * 300..MS * 1_200).contains(at))
        .collect();
    assert!(during.len() >= 44);
    for pair in during.windows(2) {
        let gap = pair[1] - pair[0];
        assert!((MS * 18..=MS * 22).contains(&gap), "{gap:?}");
    }
    let heard = scene.agent_heard();
    let stretch = &heard[armed + START + 800..armed + START + 7_200];
    assert!(
        stretch
            .chunks(80)
            .all(|part| part.iter().any(|value| value.unsigned_abs() > 2_000))
    );
}

#[test]
fn a_stuck_key_is_one_key_and_one_tone() {
    let len = 8_000 * 60;
    let script = Script::audio(&hiss(len + 8_000, 3))
        .press(5, START, len, 400)
        .without_audio(START, START + len);
    assert_eq!(keyed(&script).codes(), keys(&[5]));
}

#[test]
fn another_ssrc_within_a_press_is_the_same_press() {
    let script = one_press();
    let split = script
        .packets
        .iter()
        .position(|packet| packet.event)
        .unwrap()
        + 3;
    let mut scene = Scene::new();
    scene.arm();
    let mut first = script.clone();
    first.packets.truncate(split);
    first.len = first.packets[split - 1].at;
    scene.run(Leg::Consumer, &first);
    scene.consumer.ssrc = 99;
    scene.consumer.sequence = 40_000;
    let done = u32::try_from(first.len.as_micros() / 125).unwrap();
    let mut rest = script.clone();
    rest.packets.drain(..split);
    for packet in &mut rest.packets {
        packet.at -= first.len;
        packet.ts = packet.ts.wrapping_sub(done).wrapping_add(77_777);
    }
    rest.len -= first.len;
    scene.run(Leg::Consumer, &rest);
    scene.wait(300);
    assert_eq!(scene.codes(), keys(&[5]));
}
