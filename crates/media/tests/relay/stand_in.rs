//! Mute, hold and the page's keypad: what each side hears of them, and what never counts.

use media::dtmf::inband::LooseDetector;
use media::g711::Law;
use media::leg::{Codec, Leg};
use media::relay::Input;
use secret::Key;

use crate::mask::voice;
use crate::scene::{EVENT_PAYLOAD_TYPE, Got, Scene, Script, hiss, keys, plan};

/// The shares of samples above silence in packets of audio.
fn loud(got: &[Got]) -> usize {
    let audio = got
        .iter()
        .filter(|got| got.header.payload_type != EVENT_PAYLOAD_TYPE);
    audio
        .flat_map(|got| &got.payload)
        .filter(|code| Law::Mu.decode_byte(**code).unsigned_abs() > 8)
        .count()
}

fn events(got: &[Got]) -> Vec<&Got> {
    let is_event = |got: &&Got| got.header.payload_type == EVENT_PAYLOAD_TYPE;
    got.iter().filter(is_event).collect()
}

/// One stream whose numbers go on by one, whose audio never begins before the audio before it has ended.
fn assert_lawful(got: &[Got]) {
    for pair in got.windows(2) {
        assert_eq!(pair[0].header.ssrc, pair[1].header.ssrc);
        assert_eq!(pair[1].since(&pair[0]).0, 1);
    }
    let audio: Vec<&Got> = got
        .iter()
        .filter(|got| got.header.payload_type != EVENT_PAYLOAD_TYPE)
        .collect();
    for pair in audio.windows(2) {
        let len = u32::try_from(pair[0].payload.len()).unwrap();
        let passed = pair[1].since(pair[0]).1;
        assert!((len..1 << 31).contains(&passed), "{passed} after {len}");
    }
}

fn speak(scene: &mut Scene, leg: Leg, samples: usize) {
    scene.run(leg, &Script::audio(&voice(samples, 4)));
}

/// Both speak at once, in packets that alternate.
fn both_speak(scene: &mut Scene, packets: usize) {
    for _ in 0..packets {
        let script = Script::audio(&voice(160, 4));
        let sent = scene.phone(Leg::Consumer).datagrams(&script);
        let source = scene.phone(Leg::Consumer).source;
        for (_, bytes) in &sent {
            scene.datagram(Leg::Consumer, source, bytes);
        }
        scene.run(Leg::Agent, &script);
    }
}

fn recorded(scene: &Scene, leg: Leg, from: usize) -> bool {
    let of_leg = scene.records[from..].iter().filter(|(of, ..)| *of == leg);
    of_leg
        .flat_map(|(.., samples)| samples)
        .any(|value| value.unsigned_abs() > 8)
}

#[test]
fn a_muted_agent_is_silence_of_the_same_packets_to_consumer_and_recorder() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    let (from, recorded_from) = (scene.consumer_got.len(), scene.records.len());
    scene.input(Input::MuteAgent(true));
    scene.input(Input::MuteAgent(true));
    speak(&mut scene, Leg::Agent, 8_000);
    let muted = &scene.consumer_got[from..];
    assert_eq!((muted.len(), loud(muted)), (50, 0));
    assert!(!recorded(&scene, Leg::Agent, recorded_from));
    let back = scene.consumer_got.len();
    scene.input(Input::MuteAgent(false));
    speak(&mut scene, Leg::Agent, 1_600);
    assert!(loud(&scene.consumer_got[back..]) > 400);
    assert_lawful(&scene.consumer_got[from - 1..]);
}

#[test]
fn a_muted_agent_is_not_heard_under_protection_either() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    scene.arm();
    speak(&mut scene, Leg::Agent, 1_600);
    scene.input(Input::MuteAgent(true));
    // What the agent's mask holds back is out after 12 ms.
    speak(&mut scene, Leg::Agent, 160);
    let from = scene.consumer_got.len();
    speak(&mut scene, Leg::Agent, 8_000);
    assert_eq!(loud(&scene.consumer_got[from..]), 0);
    scene.input(Input::MuteAgent(false));
    speak(&mut scene, Leg::Agent, 1_600);
    assert!(loud(&scene.consumer_got[from..]) > 400);
    assert!(scene.relay.is_protected());
}

#[test]
fn keys_of_a_muted_agents_phone_do_not_pass_and_one_that_runs_is_ended() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    let script = Script::audio(&hiss(1_600, 1)).press(4, 160, 8_000, 160);
    let (first, rest): (Vec<_>, Vec<_>) =
        (script.packets.into_iter()).partition(|packet| packet.at.as_millis() <= 100);
    let part = |packets| Script {
        packets,
        len: std::time::Duration::from_millis(100),
    };
    scene.run(Leg::Agent, &part(first));
    assert!(!events(&scene.consumer_got).is_empty());
    scene.input(Input::MuteAgent(true));
    let ends = events(&scene.consumer_got)
        .iter()
        .filter(|got| got.payload[1] & 0x80 != 0)
        .count();
    assert_eq!(ends, 3);
    let so_far = events(&scene.consumer_got).len();
    scene.run(Leg::Agent, &part(rest.clone()));
    scene.input(Input::MuteAgent(false));
    scene.run(Leg::Agent, &part(rest));
    assert_eq!(events(&scene.consumer_got).len(), so_far);
}

#[test]
fn on_hold_the_consumer_hears_a_soft_beep_every_ten_seconds_and_the_agent_hears_nothing() {
    let mut scene = Scene::new();
    both_speak(&mut scene, 10);
    let (to_consumer, to_agent) = (scene.consumer_got.len(), scene.agent_got.len());
    let recorded_from = scene.records.len();
    scene.input(Input::Hold(true));
    both_speak(&mut scene, 25 * 50);
    let held = &scene.consumer_got[to_consumer..];
    assert!((1_245..=1_250).contains(&held.len()), "{}", held.len());
    let beeps: Vec<usize> = (0..held.len())
        .filter(|at| loud(&held[*at..=*at]) > 0)
        .collect();
    assert_eq!(beeps.len(), 30);
    assert_eq!((beeps[0], beeps[10], beeps[20]), (0, 500, 1_000));
    assert_eq!(loud(&scene.agent_got[to_agent..]), 0);
    assert!(scene.agent_got.len() > to_agent);
    for leg in [Leg::Consumer, Leg::Agent] {
        assert!(!recorded(&scene, leg, recorded_from));
    }
    let back = (scene.consumer_got.len(), scene.agent_got.len());
    scene.input(Input::Hold(false));
    both_speak(&mut scene, 10);
    assert!(loud(&scene.consumer_got[back.0..]) > 400);
    assert!(loud(&scene.agent_got[back.1..]) > 400);
    assert_lawful(&scene.consumer_got[to_consumer - 1..]);
}

#[test]
fn the_hold_signal_needs_no_packet_of_the_agents() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    let from = scene.consumer_got.len();
    scene.input(Input::Hold(true));
    scene.wait(10_300);
    let held = &scene.consumer_got[from..];
    assert_eq!(held.len(), 515);
    assert!(loud(&held[500..]) > 100);
    // The phone's clock stood still meanwhile.
    scene.input(Input::Hold(false));
    let back = scene.consumer_got.len();
    speak(&mut scene, Leg::Agent, 1_600);
    assert_eq!(scene.consumer_got.len() - back, 10);
    assert_lawful(&scene.consumer_got);
}

#[test]
fn a_hold_leaves_mask_and_keys_as_they_are() {
    let mut scene = Scene::new();
    scene.arm();
    scene.input(Input::Hold(true));
    // What the mask held back fades within 2 ms.
    scene.run(Leg::Consumer, &Script::audio(&voice(320, 4)));
    let from = scene.agent_got.len();
    scene.run(
        Leg::Consumer,
        &Script::audio(&voice(8_000, 4)).press(5, 1_600, 800, 160),
    );
    scene.wait(100);
    assert_eq!(scene.codes(), keys(&[5]));
    assert_eq!(loud(&scene.agent_got[from..]), 0);
    assert_eq!(events(&scene.agent_got[from..]).len(), 0);
    scene.input(Input::Hold(false));
    assert!(scene.relay.is_protected());
    scene.run(Leg::Consumer, &Script::audio(&voice(1_600, 4)));
    assert!(loud(&scene.agent_got[from..]) > 400);
}

#[test]
fn a_hold_outlasts_arming_and_leaving() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
    scene.input(Input::Hold(true));
    scene.input(Input::Protect);
    // The mask fades in from what the agent heard before the hold.
    scene.run(Leg::Consumer, &Script::audio(&voice(320, 4)));
    let from = scene.agent_got.len();
    scene.run(Leg::Consumer, &Script::audio(&voice(8_000, 4)));
    scene.input(Input::Unprotect);
    scene.run(Leg::Consumer, &Script::audio(&voice(8_000, 4)));
    assert!(!scene.relay.is_protected());
    assert_eq!(loud(&scene.agent_got[from..]), 0);
}

#[test]
fn keys_of_the_consumers_phone_do_not_pass_a_hold() {
    let mut scene = Scene::new();
    both_speak(&mut scene, 10);
    scene.input(Input::Hold(true));
    scene.run(
        Leg::Consumer,
        &Script::audio(&hiss(3_200, 2)).press(7, 800, 800, 160),
    );
    assert_eq!(scene.event_packets_to_agent(), 0);
    assert!(scene.keys.is_empty());
}

/// Keys 1 5 9 0 * # as the page sends them.
const CODES: [u8; 6] = [1, 5, 9, 0, 10, 11];

fn press(scene: &mut Scene, codes: &[u8]) {
    for key in keys(codes) {
        scene.input(Input::SendKey(key));
    }
}

#[test]
fn the_pages_keys_are_events_where_they_were_negotiated_and_the_agent_is_silent_meanwhile() {
    let mut scene = Scene::new();
    speak(&mut scene, Leg::Agent, 1_600);
    let from = scene.consumer_got.len();
    press(&mut scene, &CODES);
    // Each is a key of 60 ms and a pause of 40 ms.
    speak(&mut scene, Leg::Agent, 160 * 29);
    let sent = &scene.consumer_got[from..];
    assert_eq!(events(sent).len(), sent.len());
    speak(&mut scene, Leg::Agent, 1_600);
    let sent = events(&scene.consumer_got[from..]);
    let ended: Vec<u8> = (sent.chunks(5))
        .map(|press| {
            assert!(
                press[0].header.marker && press[2..].iter().all(|got| got.payload[1] & 0x80 > 0)
            );
            assert_eq!(press[4].payload[2..], [1, 224]);
            press[4].payload[0]
        })
        .collect();
    assert_eq!(ended, CODES);
    assert!(loud(&scene.consumer_got[from..]) > 400);
    assert_lawful(&scene.consumer_got);
}

#[test]
fn the_pages_keys_are_tones_where_no_events_were_negotiated() {
    let mut scene = Scene::with(|call| {
        call.consumer.telephone_event_out = None;
    });
    speak(&mut scene, Leg::Agent, 1_600);
    let from = scene.consumer_got.len();
    press(&mut scene, &CODES);
    scene.wait(700);
    let sent = &scene.consumer_got[from..];
    assert_eq!(sent.len(), 30);
    let mut line = vec![0; sent.len() * 160];
    for (packet, place) in sent.iter().zip(line.chunks_exact_mut(160)) {
        Law::Mu.decode(&packet.payload, place);
    }
    let found = LooseDetector::scan(&line);
    let heard: Vec<Key> = found.iter().filter_map(|find| find.key()).collect();
    assert_eq!(heard, keys(&CODES));
    assert_lawful(&scene.consumer_got);
}

#[test]
fn s31_the_pages_keys_never_count_even_if_they_come_back() {
    let mut scene = Scene::with(|call| call.always = true);
    scene.arm();
    press(&mut scene, &[5]);
    scene.wait(40);
    // Handsfree, or a line that echoes: the same key comes from the consumer's side within half a second.
    let mut keyed = crate::mask::Keyed::new(hiss(4_000, 9));
    keyed.sound(5, 400, 480, media::tone::KeyToneShape::default());
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    scene.wait(300);
    assert!(scene.keys.is_empty());
    assert_eq!(events(&scene.consumer_got).len(), 5);
}

#[test]
fn no_key_of_the_pages_is_sent_on_hold_or_after_protection_was_asked_for() {
    let mut scene = Scene::new();
    both_speak(&mut scene, 20);
    scene.input(Input::Hold(true));
    press(&mut scene, &[5]);
    scene.wait(200);
    scene.input(Input::Hold(false));
    scene.wait(200);
    assert_eq!(events(&scene.consumer_got).len(), 0);
    press(&mut scene, &[1, 2, 3]);
    scene.wait(30);
    scene.input(Input::Protect);
    let ended = events(&scene.consumer_got).len();
    assert_eq!(ended, 4);
    both_speak(&mut scene, 50);
    assert_eq!(events(&scene.consumer_got).len(), ended);
}

#[test]
fn the_hold_signal_is_in_the_consumers_codec_and_ends_with_the_call() {
    let mut scene = Scene::with(|call| call.consumer = plan(Codec::Pcma, 1));
    speak(&mut scene, Leg::Agent, 1_600);
    scene.input(Input::Hold(true));
    scene.wait(1_000);
    let from = scene.consumer_got.len();
    assert!(
        scene
            .consumer_got
            .iter()
            .all(|got| got.header.payload_type == 8)
    );
    scene.input(Input::End);
    assert!(scene.relay.next_timeout().is_none());
    scene.wait(100);
    assert_eq!(scene.consumer_got.len(), from);
}
