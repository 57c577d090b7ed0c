//! Arming finds history where the mask listened, and is as safe where it did not.

use media::leg::Leg;
use media::relay::{Input, RelayEvent};
use media::tone::KeyToneShape;

use crate::mask::{Keyed, clear_samples};
use crate::scene::{MS, Scene, Script, hiss, samples_to_time};
use media::dtmf::inband::LooseDetector;

/// What the mask was told before it was armed: after so many milliseconds, to listen or not.
type Told = &'static [(u64, bool)];

/// The mask is armed this many samples into the call, at the end of a packet.
const ARMED: usize = 4_800;

/// A press of 100 ms that begins `before` samples before arming.
fn pressed(before: usize) -> Keyed {
    let mut keyed = Keyed::new(hiss(3 * ARMED, 9));
    keyed.sound(5, ARMED - before, 800, KeyToneShape::default());
    keyed
}

/// A call of which the mask was told this, armed in the middle of a press.
fn armed(told: Told, keyed: &Keyed) -> Scene {
    let mut scene = Scene::with(|plan| {
        plan.watch = false;
        plan.consumer.telephone_event_in = None;
    });
    let script = Script::audio(&keyed.signal);
    let sent = scene.consumer.datagrams(&script);
    let began = scene.now;
    let mut told = told.iter().copied().peekable();
    let mut is_armed = false;
    for (at, bytes) in sent {
        while let Some((_, on)) = told.next_if(|(from, _)| MS * u32::try_from(*from).unwrap() <= at)
        {
            scene.input(Input::Watch(on));
        }
        if at > samples_to_time(ARMED) && !is_armed {
            is_armed = true;
            scene.run_until(began + samples_to_time(ARMED));
            scene.input(Input::Protect);
        }
        scene.run_until(began + at);
        let source = scene.consumer.source;
        scene.datagram(Leg::Consumer, source, &bytes);
    }
    scene.wait(300);
    scene
}

/// What of the press is heard after the moment that was acknowledged.
fn heard_after(scene: &Scene, keyed: &Keyed) -> (usize, usize) {
    let began = usize::try_from(scene.protected_at()).unwrap() - ARMED;
    let heard = scene.agent_heard();
    let masked = &heard[began + ARMED..];
    let mut rest = Keyed::new(keyed.signal.clone());
    rest.presses = keyed
        .presses
        .iter()
        .map(|press| press.start.max(ARMED)..press.end)
        .collect();
    (
        clear_samples(&rest, &heard, began),
        LooseDetector::scan(masked).len(),
    )
}

#[test]
fn a_call_that_nobody_listened_to_is_armed_safely_at_any_moment_of_a_press() {
    let histories: [(&str, Told); 5] = [
        ("never", &[]),
        ("always", &[(0, true)]),
        ("no longer", &[(0, true), (200, false)]),
        ("just now", &[(590, true)]),
        ("again", &[(0, true), (200, false), (590, true)]),
    ];
    for (name, told) in histories {
        for before in (0..800).step_by(8) {
            let keyed = pressed(before);
            let scene = armed(told, &keyed);
            assert_eq!(heard_after(&scene, &keyed), (0, 0), "{name} {before}");
            assert!(
                before == 0 || scene.codes().is_empty(),
                "{name}: a press from before counted"
            );
        }
    }
}

#[test]
fn without_history_the_first_eight_milliseconds_are_silent_and_the_rest_is_heard() {
    let keyed = Keyed::new(hiss(3 * ARMED, 9));
    let scene = armed(&[], &keyed);
    let armed_at = usize::try_from(scene.protected_at()).unwrap();
    let heard = &scene.agent_heard()[armed_at..];
    assert!(heard[..96 + 64].iter().all(|value| value.abs() < 8));
    assert!(heard[96 + 64 + 16..].iter().any(|value| *value != 0));
    let is_lost = |event: &RelayEvent| matches!(event, RelayEvent::ProtectionLost { .. });
    assert!(!scene.events.iter().any(is_lost));
}
