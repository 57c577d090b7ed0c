//! Packets that are not used: each for a reason that is counted, none forwarded.

use std::collections::HashSet;
use std::time::Duration;

use media::leg::{Codec, Direction, Leg};
use media::relay::{DropReason, Input, ProtectionRefusal, RelayEvent, RelayPlan};
use media::rtp::RtpHeader;
use media::source::SourcePolicy;

use crate::scene::{EVENT_PAYLOAD_TYPE, MS, Scene, Script, address, hiss, plan};

/// A consumer with voice activity detection: nothing but comfort noise that nobody negotiated, an empty keep-alive (RFC 6263), and RTCP on the RTP port.
#[test]
fn what_is_no_audio_keeps_the_leg_alive_and_the_mask_possible() {
    let mut scene = Scene::with(|plan| plan.consumer.comfort_noise = None);
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    for _ in 0..75 {
        scene.wait(100);
        for (payload_type, payload) in [(13, &[60][..]), (19, &[60]), (96, &[]), (72, &[0; 24])] {
            let bytes = packet(&scene, payload_type, payload);
            send(&mut scene, &bytes);
            scene.consumer.sequence = scene.consumer.sequence.wrapping_add(1);
        }
    }
    scene.input(Input::Protect);
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    assert!(scene.relay.is_protected());
    let is_silent = |event: &RelayEvent| matches!(event, RelayEvent::LineSilent);
    assert!(!scene.events.iter().any(is_silent));
}

#[test]
fn audio_in_another_codec_is_told_once_ours_has_not_come_for_a_while() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    for _ in 0..40 {
        scene.wait(20);
        let bytes = packet(&scene, 9, &AUDIO);
        send(&mut scene, &bytes);
        scene.consumer.sequence = scene.consumer.sequence.wrapping_add(1);
    }
    scene.input(Input::Protect);
    scene.wait(1_100);
    let codec = RelayEvent::ProtectionRefused {
        reason: ProtectionRefusal::Codec,
    };
    assert!(scene.events.contains(&codec), "{:?}", scene.events);
}

/// What is sent, to a call that was changed so, and why it is refused.
struct Case {
    name: &'static str,
    reason: DropReason,
    change: fn(&mut RelayPlan),
    send: fn(&mut Scene),
}

fn header(scene: &Scene, payload_type: u8) -> RtpHeader {
    RtpHeader {
        marker: false,
        payload_type,
        sequence: scene.consumer.sequence,
        timestamp: scene.consumer.timestamp,
        ssrc: scene.consumer.ssrc,
    }
}

fn packet(scene: &Scene, payload_type: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(scene, payload_type).to_bytes().to_vec();
    bytes.extend(payload);
    bytes
}

/// From the consumer's own address.
fn send(scene: &mut Scene, bytes: &[u8]) {
    let source = scene.consumer.source;
    scene.datagram(Leg::Consumer, source, bytes);
}

fn send_rtcp(scene: &mut Scene, host: u8, bytes: &[u8]) {
    scene.input(Input::Packet {
        leg: Leg::Consumer,
        source: address(host, 4_001),
        received_at: scene.now,
        bytes,
        rtcp: true,
    });
}

fn with_flags(scene: &mut Scene, first: u8, tail: &[u8]) {
    let mut bytes = packet(scene, 0, &[0x55; 160]);
    bytes[0] = first;
    bytes.extend(tail);
    send(scene, &bytes);
}

const AUDIO: [u8; 160] = [0x55; 160];
const EVENT: [u8; 4] = [5, 10, 0, 160];

fn unchanged(_: &mut RelayPlan) {}

const CASES: &[Case] = &[
    Case {
        name: "nothing",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| send(scene, &[]),
    },
    Case {
        name: "half a header",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| send(scene, &[0x80; 11]),
    },
    Case {
        name: "another version",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| with_flags(scene, 0x40, &[]),
    },
    Case {
        name: "padding of more than there is",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| with_flags(scene, 0xA0, &[255]),
    },
    Case {
        name: "an extension of more than there is",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &[0xBE, 0xDE, 0xFF, 0xFF, 1, 2, 3, 4]);
            let mut bytes = bytes;
            bytes[0] |= 0x10;
            send(scene, &bytes);
        },
    },
    Case {
        name: "more than a frame of the network",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &[0x55; 1_489]);
            send(scene, &bytes);
        },
    },
    Case {
        name: "audio without a sample",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &[]);
            send(scene, &bytes);
        },
    },
    Case {
        name: "audio of more than 120 ms",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &[0x55; 961]);
            send(scene, &bytes);
        },
    },
    Case {
        name: "an event of three bytes",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, EVENT_PAYLOAD_TYPE, &EVENT[..3]);
            send(scene, &bytes);
        },
    },
    Case {
        name: "a report of three bytes",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| send_rtcp(scene, 1, &[0x80, 200, 0]),
    },
    Case {
        name: "a report that ends before it says",
        reason: DropReason::Malformed,
        change: unchanged,
        send: |scene| send_rtcp(scene, 1, &[0x80, 200, 0, 6, 0, 0, 0, 1]),
    },
    Case {
        name: "audio of a stranger who knows the stream",
        reason: DropReason::WrongSource,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &AUDIO);
            scene.datagram(Leg::Consumer, address(66, 4_000), &bytes);
        },
    },
    Case {
        name: "an event from another port of the consumer",
        reason: DropReason::WrongSource,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, EVENT_PAYLOAD_TYPE, &EVENT);
            scene.datagram(Leg::Consumer, address(1, 4_002), &bytes);
        },
    },
    Case {
        name: "a stranger's report",
        reason: DropReason::WrongSource,
        change: unchanged,
        send: |scene| send_rtcp(scene, 66, &[0x80, 201, 0, 1, 0, 0, 0, 1]),
    },
    Case {
        name: "the agent's packet at the consumer's socket",
        reason: DropReason::WrongSource,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &AUDIO);
            let source = scene.agent.source;
            scene.datagram(Leg::Consumer, source, &bytes);
        },
    },
    Case {
        name: "another port of a phone behind NAT, after silence",
        reason: DropReason::Learning,
        change: |relay| {
            relay.consumer.source_policy = SourcePolicy::Latch {
                sip_source: address(1, 0).ip(),
            }
        },
        send: |scene| {
            scene.wait(250);
            let bytes = packet(scene, 0, &AUDIO);
            scene.datagram(Leg::Consumer, address(1, 4_444), &bytes);
        },
    },
    Case {
        name: "a payload type that nobody negotiated",
        reason: DropReason::UnknownPayload,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 96, &AUDIO);
            send(scene, &bytes);
        },
    },
    Case {
        name: "the other law",
        reason: DropReason::UnknownPayload,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 8, &AUDIO);
            send(scene, &bytes);
        },
    },
    Case {
        name: "an event on a leg without events",
        reason: DropReason::UnknownPayload,
        change: |relay| relay.consumer.telephone_event_in = None,
        send: |scene| {
            let bytes = packet(scene, EVENT_PAYLOAD_TYPE, &EVENT);
            send(scene, &bytes);
        },
    },
    Case {
        name: "redundant audio with an event in it (RFC 2198), which is never negotiated",
        reason: DropReason::UnknownPayload,
        change: unchanged,
        send: |scene| {
            let mut payload = vec![0x80 | EVENT_PAYLOAD_TYPE, 0x00, 0xA0, 4, EVENT_PAYLOAD_TYPE];
            payload.extend([EVENT, EVENT].concat());
            let bytes = packet(scene, 121, &payload);
            send(scene, &bytes);
        },
    },
    Case {
        name: "the same packet again",
        reason: DropReason::Duplicate,
        change: unchanged,
        send: |scene| {
            let mut bytes = packet(scene, 0, &AUDIO);
            let last = scene.consumer.sequence.wrapping_sub(1);
            bytes[2..4].copy_from_slice(&last.to_be_bytes());
            send(scene, &bytes);
        },
    },
    Case {
        name: "a sequence number from far away",
        reason: DropReason::OutOfPlace,
        change: unchanged,
        send: |scene| {
            let mut bytes = packet(scene, 0, &AUDIO);
            let far = scene.consumer.sequence.wrapping_add(20_000);
            bytes[2..4].copy_from_slice(&far.to_be_bytes());
            send(scene, &bytes);
        },
    },
    Case {
        name: "a packet that waited for a quarter of a second",
        reason: DropReason::Late,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, 0, &AUDIO);
            let (source, received_at) = (scene.consumer.source, scene.now);
            scene.wait(250);
            scene.input(Input::Packet {
                leg: Leg::Consumer,
                source,
                received_at,
                bytes: &bytes,
                rtcp: false,
            });
        },
    },
    Case {
        name: "an event under protection",
        reason: DropReason::Withheld,
        change: unchanged,
        send: |scene| {
            let bytes = packet(scene, EVENT_PAYLOAD_TYPE, &EVENT);
            send(scene, &bytes);
        },
    },
];

/// Codes in packets to the agent beyond silence and what is masked: none of these samples may be among them.
fn is_forwarded(scene: &Scene, from: usize) -> bool {
    let marked = |payload: &[u8]| payload.windows(4).any(|codes| codes == [0x55; 4]);
    scene.agent_got[from..]
        .iter()
        .any(|got| marked(&got.payload) || got.header.payload_type == EVENT_PAYLOAD_TYPE)
}

#[test]
fn what_is_refused_under_protection_is_counted_by_its_reason_and_goes_nowhere() {
    for case in CASES {
        let mut scene = Scene::with(case.change);
        scene.arm();
        assert!(scene.relay.is_protected(), "{}", case.name);
        let (before, from) = (scene.relay.counters().consumer, scene.agent_got.len());
        let keys = scene.codes().len();
        (case.send)(&mut scene);
        let after = scene.relay.counters().consumer;
        for reason in DropReason::ALL {
            let more = u64::from(reason == case.reason);
            assert_eq!(
                after.dropped(reason),
                before.dropped(reason) + more,
                "{}: {}",
                case.name,
                reason.label()
            );
        }
        scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 4)));
        assert!(!is_forwarded(&scene, from), "{}", case.name);
        let may_count = case.reason == DropReason::Withheld;
        assert_eq!(
            scene.codes().len() - keys,
            usize::from(may_count),
            "{}",
            case.name
        );
        assert!(scene.relay.is_protected(), "{}", case.name);
    }
}

#[test]
fn a_packet_towards_a_leg_that_does_not_take_it_is_counted() {
    let mut scene = Scene::new();
    scene.run(Leg::Consumer, &Script::audio(&hiss(1_600, 1)));
    for (direction, leg, reason) in [
        (Direction::RecvOnly, Leg::Agent, DropReason::NotSending),
        (Direction::SendOnly, Leg::Consumer, DropReason::NotReceiving),
    ] {
        let mut held = plan(Codec::Pcmu, if leg == Leg::Consumer { 1 } else { 2 });
        held.direction = direction;
        scene.input(Input::Replan { leg, plan: held });
        scene.run(Leg::Consumer, &Script::audio(&hiss(160, 1)));
        assert_eq!(
            scene.relay.counters().consumer.dropped(reason),
            1,
            "{}",
            reason.label()
        );
    }
}

#[test]
fn a_queue_that_nobody_empties_drops_packets_and_counts_them() {
    let mut scene = Scene::new();
    let script = Script::audio(&hiss(16_000, 1));
    for (at, bytes) in scene.consumer.datagrams(&script) {
        let now = scene.began + Duration::from_secs(1) + at;
        let source = scene.consumer.source;
        let input = Input::Packet {
            leg: Leg::Consumer,
            source,
            received_at: now,
            bytes: &bytes,
            rtcp: false,
        };
        scene.relay.handle_input(now, input);
    }
    let counters = scene.relay.counters();
    assert!(counters.consumer.dropped(DropReason::QueueFull) > 0);
    assert!(counters.outputs_dropped >= counters.consumer.dropped(DropReason::QueueFull));
    scene.now += MS * 4_000;
    scene.drain();
    scene.run(Leg::Consumer, &Script::audio(&hiss(160, 1)));
    assert_eq!(
        scene.relay.counters().outputs_dropped,
        counters.outputs_dropped
    );
}

#[test]
fn what_a_carrier_refuses_is_counted_for_its_leg_alone() {
    let mut scene = Scene::new();
    for (reason, times) in [(DropReason::BadTag, 3), (DropReason::Replayed, 2)] {
        (0..times).for_each(|_| scene.relay.note_refused(Leg::Agent, reason));
        let counters = scene.relay.counters();
        assert_eq!(counters.agent.dropped(reason), times);
        assert_eq!(counters.consumer.dropped(reason), 0);
    }
    assert_eq!(scene.relay.counters().agent.packets_in, 0);
}

#[test]
fn every_reason_has_its_case() {
    let elsewhere = [
        DropReason::NotReceiving,
        DropReason::NotSending,
        DropReason::QueueFull,
        DropReason::BadTag,
        DropReason::Replayed,
    ];
    let had: HashSet<DropReason> = CASES
        .iter()
        .map(|case| case.reason)
        .chain(elsewhere)
        .collect();
    assert_eq!(had, HashSet::from(DropReason::ALL));
}
