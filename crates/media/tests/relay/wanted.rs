//! The agent's keys where somebody waits for a pairing code: reported, each once, and swallowed (S31).

use media::dtmf::inband::LooseDetector;
use media::leg::Leg;
use media::relay::Input;
use media::tone::KeyToneShape;
use secret::Key;

use crate::mask::{Keyed, clear_samples};
use crate::scene::{EVENT_PAYLOAD_TYPE, Scene, Script, hiss, keys};

/// `*`, five digits of which two are the same, `#`.
const CODE: [u8; 7] = [10, 4, 7, 1, 1, 9, 11];

/// Samples from one key to the next: 150 ms down, 100 ms up.
const STEP: usize = 2_000;

/// A call between two that speak.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    scene.run(Leg::Agent, &Script::audio(&hiss(1_600, 3)));
    scene
}

fn tones() -> Keyed {
    let mut keyed = Keyed::new(hiss(16_000, 5));
    for (index, code) in CODE.into_iter().enumerate() {
        keyed.sound(code, 800 + index * STEP, 1_200, KeyToneShape::default());
    }
    keyed
}

fn events(script: Script) -> Script {
    let presses = CODE.into_iter().enumerate();
    presses.fold(script, |script, (index, code)| {
        script.press(code, 800 + index * STEP, 1_200, 160)
    })
}

/// Event packets that the consumer got.
fn consumer_events(scene: &Scene) -> usize {
    let is_event = |got: &&crate::scene::Got| got.header.payload_type == EVENT_PAYLOAD_TYPE;
    scene.consumer_got.iter().filter(is_event).count()
}

#[test]
fn s31_a_code_of_the_agent_is_reported_once_however_it_is_signalled_and_never_reaches_the_consumer()
{
    let keyed = tones();
    for (with_tones, with_events) in [(true, false), (false, true), (true, true)] {
        let mut scene = scene();
        scene.input(Input::HearAgent(true));
        let from = scene.consumer_got.len();
        let signal = if with_tones {
            keyed.signal.clone()
        } else {
            hiss(16_000, 5)
        };
        let script = Script::audio(&signal);
        let script = if with_events { events(script) } else { script };
        scene.run(Leg::Agent, &script);
        scene.wait(500);
        assert_eq!(scene.agent_keys, keys(&CODE), "{with_tones} {with_events}");
        assert!(scene.keys.is_empty(), "no key of the agent's counts");
        assert_eq!(consumer_events(&scene), 0);
        let heard = crate::agent::consumer_heard(&scene, from);
        assert!(!heard.is_empty());
        assert!(LooseDetector::scan(&heard).is_empty());
        if with_tones && !with_events {
            assert_eq!(clear_samples(&keyed, &heard, 0), 0);
        }
    }
}

#[test]
fn s31_a_code_by_info_is_reported() {
    let mut scene = scene();
    scene.input(Input::HearAgent(true));
    for code in CODE {
        let key = Key::from_event(code).unwrap();
        let leg = Leg::Agent;
        scene.input(Input::InfoKey { leg, key });
        scene.wait(1_200);
    }
    assert_eq!(scene.agent_keys, keys(&CODE));
    assert!(scene.keys.is_empty());
}

#[test]
fn s31_the_agents_keys_are_reported_to_nobody_unless_they_are_wanted() {
    let mut scene = scene();
    scene.run(Leg::Agent, &events(Script::audio(&tones().signal)));
    scene.wait(500);
    assert!(scene.agent_keys.is_empty());
    assert!(
        consumer_events(&scene) > 0,
        "they are the consumer's to hear"
    );
}

#[test]
fn s31_the_last_key_of_a_code_is_swallowed_to_its_end_and_later_ones_pass() {
    let mut scene = scene();
    scene.input(Input::HearAgent(true));
    let mut keyed = Keyed::new(hiss(16_000, 5));
    keyed.sound(11, 800, 4_000, KeyToneShape::default());
    keyed.sound(5, 12_000, 800, KeyToneShape::default());
    let script = Script::audio(&keyed.signal)
        .press(11, 800, 4_000, 160)
        .press(5, 12_000, 800, 160);
    let sent = scene.agent.datagrams(&script);
    let from = scene.consumer_got.len();
    // Whoever wanted the code has it while its last key is still down.
    let (first, rest) = sent.split_at(12);
    let (began, len) = (rest[0].0, script.len);
    scene.deliver(Leg::Agent, first, began);
    assert_eq!(scene.agent_keys, keys(&[11]));
    scene.input(Input::HearAgent(false));
    let later: Vec<_> = rest
        .iter()
        .map(|(at, bytes)| (*at - began, bytes.clone()))
        .collect();
    scene.deliver(Leg::Agent, &later, len - began);
    let codes: Vec<u8> = scene.consumer_got[from..]
        .iter()
        .filter(|got| got.header.payload_type == EVENT_PAYLOAD_TYPE)
        .map(|got| got.payload[0])
        .collect();
    assert!(
        !codes.is_empty() && codes.iter().all(|code| *code == 5),
        "{codes:?}"
    );
    let heard = crate::agent::consumer_heard(&scene, from);
    let found = LooseDetector::scan(&heard[..10_000]);
    assert!(found.is_empty(), "the end of the last key was heard");
    assert_eq!(scene.agent_keys, keys(&[11]), "nobody wants what follows");
}
