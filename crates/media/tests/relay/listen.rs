//! What somebody beside both sides hears: what the agent hears and what the consumer hears, from whichever moment on (E6).

use std::time::Duration;

use media::dtmf::inband::LooseDetector;
use media::g711::Law;
use media::leg::{Codec, Leg};
use media::relay::Input;
use media::rtp::RtpPacket;
use media::supervision::{Barging, ListenerId, Sent, Supervision};
use media::tone::KeyToneShape;

use crate::mask::Keyed;
use crate::scene::{Got, MS, Scene, Script, hiss, keys, plan};

const CODECS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];
const PRESS: usize = 800;
const FIRST: usize = 4_000;

/// What is heard of all that a scene has sent to both sides, from a moment on.
fn listened(scene: &Scene, from: Duration) -> Vec<i16> {
    let both = [
        (Leg::Agent, &scene.agent_got),
        (Leg::Consumer, &scene.consumer_got),
    ];
    let mut sent: Vec<(Duration, Leg, &Got)> = both
        .into_iter()
        .flat_map(|(leg, got)| got.iter().map(move |one| (one.at, leg, one)))
        .collect();
    sent.sort_by_key(|(at, ..)| *at);
    let mut supervision = Supervision::default();
    let mut heard = Vec::new();
    let mut joined = false;
    for (at, leg, got) in sent {
        if at >= from && !joined {
            let begins = scene.began + from;
            supervision
                .join(begins, ListenerId(1), Codec::Pcmu, 3)
                .unwrap();
            joined = true;
        }
        hear(&mut supervision, scene.began + at, &mut heard);
        let packet = [&got.header.to_bytes()[..], &got.payload].concat();
        let left = supervision.pass(leg, scene.relay.sent(leg), &packet, Barging::Refused);
        assert_eq!(left, packet, "who listens changes nothing");
    }
    heard
}

fn hear(supervision: &mut Supervision, now: std::time::Instant, heard: &mut Vec<i16>) {
    while let Some(due) = supervision.next_timeout().filter(|due| *due <= now) {
        supervision.handle_timeout(due);
        while let Some((_, packet)) = supervision.poll_output() {
            let payload = RtpPacket::parse(packet).unwrap().payload;
            heard.extend(payload.iter().map(|octet| Law::Mu.decode_byte(*octet)));
        }
    }
}

fn keyed(codes: &[u8], seed: u64) -> Keyed {
    let mut keyed = Keyed::new(hiss(FIRST + codes.len() * 2 * PRESS + 8_000, seed));
    for (index, code) in codes.iter().enumerate() {
        let start = FIRST + index * 2 * PRESS;
        keyed.sound(*code, start, PRESS, KeyToneShape::default());
    }
    keyed
}

/// An agent who hums a little, a consumer who keys; protected from 400 ms on.
fn played(codecs: [Codec; 2], keyed: &Keyed) -> Scene {
    let mut scene = Scene::with(|relay| {
        relay.consumer = plan(codecs[0], 1);
        relay.agent = plan(codecs[1], 2);
        relay.consumer.telephone_event_in = None;
    });
    scene.arm();
    let mut sent: Vec<(Duration, Leg, Vec<u8>)> = Vec::new();
    let scripts = [
        (Leg::Consumer, Script::audio(&keyed.signal)),
        (Leg::Agent, Script::audio(&hiss(keyed.signal.len(), 77))),
    ];
    for (leg, script) in &scripts {
        let packets = scene.phone(*leg).datagrams(script);
        sent.extend(packets.into_iter().map(|(at, bytes)| (at, *leg, bytes)));
    }
    sent.sort_by_key(|(at, leg, _)| (*at, *leg == Leg::Agent));
    let began = scene.now;
    for (at, leg, bytes) in sent {
        scene.run_until(began + at);
        let source = scene.phone(leg).source;
        scene.datagram(leg, source, &bytes);
    }
    scene.wait(500);
    scene
}

#[test]
fn whoever_listens_hears_no_key_whenever_they_begin() {
    let codes = [4, 0, 7, 1, 9, 3];
    for consumer in CODECS {
        for agent in CODECS {
            let keyed = keyed(&codes, 5);
            let scene = played([consumer, agent], &keyed);
            assert_eq!(scene.codes(), keys(&codes), "the keys were there");
            // Before the call is protected, at its arming, before, within and after presses, and when all is over.
            for from in [0, 400, 890, 905, 930, 985, 1_120, 1_400, 2_000] {
                let heard = listened(&scene, MS * from);
                let finds = LooseDetector::scan(&heard);
                assert!(finds.is_empty(), "{consumer:?} {agent:?} from {from} ms");
            }
        }
    }
}

/// The check above finds what it looks for where nothing masks.
#[test]
fn without_protection_whoever_listens_hears_the_keys() {
    let keyed = keyed(&[4, 0, 7], 5);
    let mut scene = Scene::with(|relay| relay.consumer.telephone_event_in = None);
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    scene.wait(500);
    assert!(LooseDetector::scan(&listened(&scene, Duration::ZERO)).len() >= 3);
}

/// The same call with other digits: a listener's stream differs by as little as the agent's does, at the edges of the mask's tones.
#[test]
fn what_a_listener_hears_does_not_depend_on_which_keys_are_pressed() {
    let agent = plan(Codec::Pcmu, 2);
    for (one, other) in [([4, 0, 7, 1], [9, 8, 3, 2]), ([1, 1, 1, 1], [9, 0, 9, 0])] {
        let scenes = [one, other].map(|codes| {
            let keyed = keyed(&codes, 5);
            (played([Codec::Pcmu, Codec::Pcmu], &keyed), keyed)
        });
        let [first, second] = [&scenes[0].0, &scenes[1].0];
        let apart = |left: &[i16], right: &[i16]| {
            assert_eq!(left.len(), right.len());
            left.iter().zip(right).filter(|(l, r)| l != r).count()
        };
        let agents = apart(&first.agent_heard(), &second.agent_heard());
        let listeners = apart(
            &listened(first, Duration::ZERO),
            &listened(second, Duration::ZERO),
        );
        assert!(listeners <= agents, "{listeners} of a listener, {agents}");
        let sent = Sent {
            codec: Codec::Pcmu,
            payload_type: agent.payload_type_out,
        };
        assert_eq!(first.relay.sent(Leg::Agent), sent);
    }
}

#[test]
fn the_consumer_may_hear_a_third_voice_only_while_nothing_is_protected_or_held() {
    let mut scene = Scene::new();
    assert_eq!(scene.relay.barging(), Barging::Possible);
    scene.input(Input::Hold(true));
    assert_eq!(scene.relay.barging(), Barging::Refused);
    scene.input(Input::Hold(false));
    assert_eq!(scene.relay.barging(), Barging::Possible);
    scene.input(Input::Protect);
    assert_eq!(scene.relay.barging(), Barging::Refused, "while it is asked");
    scene.arm();
    assert_eq!(scene.relay.barging(), Barging::Refused);
    scene.input(Input::Unprotect);
    scene.run(Leg::Consumer, &Script::audio(&hiss(8_000, 3)));
    assert_eq!(scene.relay.barging(), Barging::Possible);
    let always = Scene::with(|relay| relay.always = true);
    assert_eq!(always.relay.barging(), Barging::Refused, "from the first");
}
