//! Events that their sender counts apart from its audio: an SSRC, sequence numbers or a clock of their own. Each press is one key.

use std::time::Duration;

use media::leg::Leg;
use media::relay::Input;

use crate::scene::{EVENT_PAYLOAD_TYPE, Random, Scene, Script, hiss, keys};

const START: usize = 1_600;
const CODES: [u8; 7] = [4, 1, 1, 4, 4, 4, 9];

/// How a sender counts its events.
#[derive(Debug, Clone, Copy)]
struct Count {
    ssrc: Option<u32>,
    first_sequence: Option<u16>,
    clock: Clock,
}

/// What the timestamps of events are to those of the audio.
#[derive(Debug, Clone, Copy)]
enum Clock {
    Audio,
    /// So much later, modulo 2^32.
    Offset(u32),
    /// They begin at this, whatever the audio's.
    From(u32),
}

impl Count {
    fn all() -> Vec<Self> {
        let clocks = [
            Clock::Audio,
            Clock::Offset(1_000_000),
            Clock::Offset(1 << 31),
            Clock::Offset(0_u32.wrapping_sub(12_000)),
            Clock::Offset(0_u32.wrapping_sub(50_000)),
            Clock::Offset(0_u32.wrapping_sub(3_000_000)),
            Clock::From(0),
            Clock::From(u32::MAX - 9_000),
        ];
        let mut counts = Vec::new();
        for ssrc in [None, Some(77)] {
            for first_sequence in [None, Some(5_000), Some(20_000), Some(60_000)] {
                for clock in clocks {
                    counts.push(Self {
                        ssrc,
                        first_sequence,
                        clock,
                    });
                }
            }
        }
        counts
    }

    fn write(self, sent: &mut [(Duration, Vec<u8>)]) {
        let mut first_timestamp = None;
        let mut sequence = self.first_sequence;
        let mut events_before = 0_u16;
        for (_, bytes) in sent.iter_mut() {
            let number = |bytes: &[u8]| u32::from_be_bytes(bytes[4..8].try_into().unwrap());
            if bytes[1] & 0x7F != EVENT_PAYLOAD_TYPE {
                // The audio's numbers are counted without the events.
                if sequence.is_some() {
                    let own = u16::from_be_bytes([bytes[2], bytes[3]]);
                    bytes[2..4].copy_from_slice(&own.wrapping_sub(events_before).to_be_bytes());
                }
                continue;
            }
            events_before += 1;
            if let Some(ssrc) = self.ssrc {
                bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
            }
            if let Some(sequence) = &mut sequence {
                bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
                *sequence = sequence.wrapping_add(1);
            }
            let first = *first_timestamp.get_or_insert(number(bytes));
            let timestamp = match self.clock {
                Clock::Audio => number(bytes),
                Clock::Offset(offset) => number(bytes).wrapping_add(offset),
                Clock::From(begin) => number(bytes).wrapping_sub(first).wrapping_add(begin),
            };
            bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
        }
    }
}

/// Presses of `len` with pauses of `pause`, the audio with them or not.
fn presses(len: usize, pause: usize, suspended: bool) -> Script {
    let total = START + CODES.len() * (len + pause) + 3_200;
    let mut script = Script::audio(&hiss(total.div_ceil(160) * 160, 3));
    for (index, code) in CODES.iter().enumerate() {
        let start = START + index * (len + pause);
        script = script.press(*code, start, len, 160);
        if suspended {
            script = script.without_audio(start, start + len);
        }
    }
    script
}

fn keyed(
    count: Count,
    script: &Script,
    change: impl FnOnce(&mut Vec<(Duration, Vec<u8>)>),
) -> Scene {
    let mut scene = Scene::new();
    scene.arm();
    let mut sent = scene.consumer.datagrams(script);
    count.write(&mut sent);
    change(&mut sent);
    scene.deliver(Leg::Consumer, &sent, script.len);
    scene.wait(400);
    assert_eq!(scene.event_packets_to_agent(), 0, "{count:?}");
    scene
}

#[test]
fn every_way_of_counting_events_gives_one_key_for_each_press() {
    for count in Count::all() {
        for (len, pause) in [(800, 800), (320, 320), (3_600, 800), (16_000, 800)] {
            for suspended in [false, true] {
                let scene = keyed(count, &presses(len, pause, suspended), |_| {});
                let way = format!("{count:?}, {len} on, {pause} off, suspended {suspended}");
                assert_eq!(scene.codes(), keys(&CODES), "{way}");
            }
        }
    }
}

#[test]
fn loss_and_disorder_make_no_key_of_events_counted_apart_a_second_one() {
    let mut random = Random(5);
    for count in Count::all() {
        let scene = keyed(count, &presses(800, 800, false), |sent| {
            let mut began = Duration::MAX;
            sent.retain_mut(|(at, bytes)| {
                if bytes[1] & 0x7F != EVENT_PAYLOAD_TYPE {
                    return true;
                }
                let is_first = bytes[1] & 0x80 != 0;
                began = if is_first { *at } else { began };
                *at += Duration::from_micros(random.below(30_000));
                is_first || random.below(3) > 0
            });
            sent.sort_by_key(|(at, _)| *at);
        });
        assert_eq!(scene.codes(), keys(&CODES), "{count:?}");
    }
}

/// The audio goes on as it was, whatever the events count.
#[test]
fn events_counted_apart_move_nothing_of_the_audio() {
    for count in Count::all() {
        let script = presses(800, 800, false);
        let scene = keyed(count, &script, |_| {});
        let dropped = scene.relay.counters().consumer;
        let audio = script.packets.iter().filter(|packet| !packet.event).count();
        assert!(dropped.packets_in as usize >= audio + 20, "{count:?}");
        let heard = scene.agent_heard();
        let loud = |from: usize, to: usize| {
            heard[from..to]
                .iter()
                .any(|value| value.unsigned_abs() > 2_000)
        };
        let armed = scene.protected_at() as usize;
        let between = armed + START + 7 * 1_600 + 1_600;
        assert!(!loud(between, between + 800), "{count:?}");
        assert!(loud(armed + START + 400, armed + START + 700), "{count:?}");
    }
}

#[test]
fn events_counted_apart_are_relayed_under_our_one_name() {
    for count in Count::all() {
        let mut scene = Scene::new();
        scene.run(Leg::Consumer, &Script::audio(&hiss(3_200, 1)));
        let script = presses(800, 800, false);
        let mut sent = scene.consumer.datagrams(&script);
        count.write(&mut sent);
        let began = scene.agent_got.len();
        scene.deliver(Leg::Consumer, &sent, script.len);
        let got = &scene.agent_got[began..];
        let name = got[0].header.ssrc;
        assert!(got.iter().all(|got| got.header.ssrc == name));
        let mut sequences: Vec<u16> = got.iter().map(|got| got.header.sequence).collect();
        sequences.dedup();
        assert_eq!(sequences.len(), got.len(), "{count:?}");
        let relayed = scene.event_packets_to_agent();
        // The first of a counter and a clock that nobody knows waits for the second, in vain.
        assert!(relayed >= 7 * 7 - 1, "{relayed} {count:?}");
        scene.input(Input::Protect);
        assert!(scene.relay.is_protected());
    }
}

/// We offered 101, the answer says 96, and the far side sends under either.
#[test]
fn events_under_the_far_sides_own_payload_type_are_keys() {
    for sent_under in [EVENT_PAYLOAD_TYPE, 96] {
        let mut scene = Scene::with(|relay| relay.consumer.telephone_event_in_other = Some(96));
        scene.arm();
        let script = presses(800, 800, true);
        let mut sent = scene.consumer.datagrams(&script);
        for (_, bytes) in &mut sent {
            if bytes[1] & 0x7F == EVENT_PAYLOAD_TYPE {
                bytes[1] = (bytes[1] & 0x80) | sent_under;
            }
        }
        scene.deliver(Leg::Consumer, &sent, script.len);
        assert_eq!(scene.codes(), keys(&CODES), "{sent_under}");
        assert_eq!(scene.event_packets_to_agent(), 0);
    }
}
