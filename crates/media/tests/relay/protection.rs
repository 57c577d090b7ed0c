//! What protection outlasts: a second wish, a hold, packets that come after it.

use media::g711::Law;
use media::leg::{Codec, Direction, Leg};
use media::relay::{Input, ProtectionRefusal, RelayEvent};

use crate::mask::{Keyed, clear_samples};
use crate::scene::{Scene, Script, hiss, keys, plan, samples_to_time};

#[test]
fn a_second_wish_is_answered_by_what_is_proven_now() {
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    let granted = |scene: &Scene| {
        let is_granted = |event: &&RelayEvent| matches!(event, RelayEvent::Protected { .. });
        scene.events.iter().filter(is_granted).count()
    };
    let before = granted(&scene);
    scene.input(Input::Protect);
    assert_eq!(granted(&scene), before + 1);
    scene.wait(6_500);
    scene.input(Input::Protect);
    assert_eq!(granted(&scene), before + 1);
    let refused = RelayEvent::ProtectionRefused {
        reason: ProtectionRefusal::NoMedia,
    };
    assert_eq!(scene.events.last(), Some(&refused));
    assert!(scene.relay.is_protected());
}

#[test]
fn audio_of_the_protected_time_that_comes_after_it_is_relayed_to_nobody() {
    let mut keyed = Keyed::new(hiss(12_000, 4));
    keyed.sound(5, 2_400, 800, media::tone::KeyToneShape::default());
    let mut scene = Scene::new();
    scene.arm();
    let began = scene.now;
    let sent = scene.consumer.datagrams(&Script::audio(&keyed.signal));
    // A path holds the packets of the press back, and delivers them in a clump once the mask has been left.
    let (held, others): (Vec<_>, Vec<_>) = sent
        .into_iter()
        .partition(|(at, _)| (samples_to_time(2_400)..samples_to_time(3_360)).contains(at));
    let source = scene.consumer.source;
    let mut others = others.into_iter();
    for (at, bytes) in others.by_ref() {
        if at > samples_to_time(3_360) && scene.relay.is_protected() {
            scene.input(Input::Unprotect);
        }
        scene.run_until(began + at);
        scene.datagram(Leg::Consumer, source, &bytes);
        if !scene.relay.is_protected() {
            break;
        }
    }
    assert!(!scene.relay.is_protected());
    for (_, bytes) in &held {
        scene.datagram(Leg::Consumer, source, bytes);
    }
    for (at, bytes) in others {
        scene.run_until(began + at);
        scene.datagram(Leg::Consumer, source, &bytes);
    }
    let key = &keyed.signal[2_400..3_200];
    let codes: std::collections::HashSet<Vec<u8>> = key
        .windows(16)
        .map(|window| {
            window
                .iter()
                .map(|value| Law::Mu.encode_sample(*value))
                .collect()
        })
        .collect();
    let leaked = |payload: &[u8]| {
        payload
            .windows(16)
            .filter(|window| codes.contains(*window))
            .count()
    };
    let leaks: usize = scene.agent_got.iter().map(|got| leaked(&got.payload)).sum();
    assert_eq!(leaks, 0);
    let recorded: usize = scene
        .records
        .iter()
        .filter(|(leg, ..)| *leg == Leg::Consumer)
        .map(|(.., samples)| {
            let payload: Vec<u8> = samples
                .iter()
                .map(|value| Law::Mu.encode_sample(*value))
                .collect();
            leaked(&payload)
        })
        .sum();
    assert_eq!(recorded, 0);
}

#[test]
fn a_hold_and_its_end_leave_the_mask_on_and_keys_count_again() {
    for direction in [Direction::SendOnly, Direction::Inactive] {
        let mut keyed = Keyed::new(hiss(8_000, 4));
        for (code, start) in [(4, 1_600), (1, 4_000)] {
            keyed.sound(code, start, 800, media::tone::KeyToneShape::default());
        }
        let mut scene = Scene::with(|relay| relay.consumer.telephone_event_in = None);
        let hold = |scene: &mut Scene, direction| {
            let mut held = plan(Codec::Pcmu, 1);
            held.telephone_event_in = None;
            held.direction = direction;
            scene.input(Input::Replan {
                leg: Leg::Consumer,
                plan: held,
            });
        };
        let armed = scene.arm() as usize;
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
        hold(&mut scene, direction);
        scene.wait(4_000);
        assert!(scene.relay.is_protected());
        assert!(scene.events.contains(&RelayEvent::LineSilent));
        hold(&mut scene, Direction::SendRecv);
        scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
        scene.wait(300);
        let is_lost = |event: &RelayEvent| matches!(event, RelayEvent::ProtectionLost { .. });
        assert!(!scene.events.iter().any(is_lost));
        assert_eq!(scene.codes(), keys(&[4, 1, 4, 1]), "{direction:?}");
        let heard = scene.agent_heard();
        assert_eq!(clear_samples(&keyed, &heard, armed), 0);
        assert!(media::dtmf::inband::LooseDetector::scan(&heard).is_empty());
    }
}
