//! A relay whose mask is off, or whose packets take another way: what the last look makes of it.

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::dtmf::inband::keypad::Pair;
use crate::egress_guard::CLEAN_SPAN;
use crate::g711::Law;
use crate::leg::Codec;
use crate::rtp::{RtpHeader, RtpPacket};
use crate::sample;
use crate::tone::{KeyTone, KeyToneShape};

const PACKET: usize = 160;
const PACKET_TIME: Duration = Duration::from_millis(20);

/// What may leave of a press: 30 ms (S33).
const LEFT_MAX: usize = 240;

/// Level above which a stretch of 2.5 ms holds the press and not the hiss.
const LOUD: i32 = 2_000;

struct Scene {
    relay: Relay,
    now: Instant,
    sent: usize,
    heard: Vec<i16>,
    recorded: Vec<i16>,
    lost: Vec<ProtectionLoss>,
    refused: Vec<ProtectionRefusal>,
    protected: usize,
    unprotected: usize,
}

fn leg(host: u8) -> LegPlan {
    LegPlan::new(Codec::Pcmu, SocketAddr::from(([192, 0, 2, host], 4_000)))
        .with_telephone_event(101)
}

impl Scene {
    fn new(mask_off: bool) -> Self {
        let mut scene = Self::unheard(|plan| plan.mask_off = mask_off);
        scene.hiss(400);
        scene
    }

    /// A call of which nothing came yet.
    fn unheard(change: impl FnOnce(&mut RelayPlan)) -> Self {
        let now = Instant::now();
        let mut plan = RelayPlan::new(leg(1), leg(2), 7);
        (plan.watch, plan.record) = (true, true);
        change(&mut plan);
        Self {
            relay: Relay::new(plan, now),
            now,
            sent: 0,
            heard: Vec::new(),
            recorded: Vec::new(),
            lost: Vec::new(),
            refused: Vec::new(),
            protected: 0,
            unprotected: 0,
        }
    }

    fn armed(mask_off: bool) -> Self {
        let mut scene = Self::new(mask_off);
        scene.input(Input::Protect);
        assert_eq!(scene.protected, 1);
        scene
    }

    fn input(&mut self, input: Input<'_>) {
        self.relay.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.relay.poll_output() {
            match output {
                Output::Transmit {
                    leg: Leg::Agent,
                    bytes,
                    rtcp: false,
                    ..
                } => {
                    let packet = RtpPacket::parse(bytes).unwrap();
                    assert_eq!(packet.header.payload_type, 0);
                    self.heard
                        .extend(packet.payload.iter().map(|code| Law::Mu.decode_byte(*code)));
                }
                Output::Record {
                    leg: Leg::Consumer,
                    samples,
                    ..
                } => self.recorded.extend(samples),
                Output::Event(RelayEvent::ProtectionLost { reason }) => self.lost.push(reason),
                Output::Event(RelayEvent::ProtectionRefused { reason }) => {
                    self.refused.push(reason);
                }
                Output::Event(RelayEvent::Protected { .. }) => self.protected += 1,
                Output::Event(RelayEvent::Unprotected { .. }) => self.unprotected += 1,
                _ => {}
            }
        }
    }

    fn say(&mut self, linear: &[i16]) {
        for samples in linear.chunks_exact(PACKET) {
            let header = RtpHeader {
                marker: false,
                payload_type: 0,
                sequence: u16::try_from(self.sent).unwrap(),
                timestamp: u32::try_from(self.sent * PACKET).unwrap(),
                ssrc: 5,
            };
            self.sent += 1;
            let mut bytes = header.to_bytes().to_vec();
            bytes.extend(samples.iter().map(|value| Law::Mu.encode_sample(*value)));
            self.now += PACKET_TIME;
            while let Some(due) = self.relay.next_timeout().filter(|due| *due <= self.now) {
                self.relay.handle_timeout(due);
                self.drain();
            }
            let (source, received_at) = (leg(1).remote_rtp, self.now);
            self.input(Input::Packet {
                leg: Leg::Consumer,
                source,
                received_at,
                bytes: &bytes,
                rtcp: false,
            });
        }
    }

    fn hiss(&mut self, millis: usize) {
        self.say(&hiss(millis * 8));
    }

    /// A press of so many milliseconds, `into` samples into the next packet.
    fn press(&mut self, into: usize, millis: usize) {
        let len = millis * 8;
        let mut linear = hiss((into + len).next_multiple_of(PACKET));
        KeyTone::new(Pair::new(1, 1), KeyToneShape::default())
            .add_to(&mut linear[into..into + len]);
        self.say(&linear);
    }
}

fn hiss(len: usize) -> Vec<i16> {
    (0..len)
        .map(|at| sample::from_f32(sample::count_f32(at * 7 % 13) * 6.0 - 36.0))
        .collect()
}

fn loud(linear: &[i16]) -> usize {
    linear
        .iter()
        .filter(|value| i32::from(**value).abs() > LOUD)
        .count()
}

#[test]
fn a_press_that_the_mask_lets_through_is_silent_within_30_ms_for_agent_and_recorder() {
    for into in (0..PACKET).step_by(7) {
        let mut scene = Scene::armed(true);
        scene.hiss(200);
        scene.press(into, 500);
        scene.hiss(200);
        assert!(
            loud(&scene.heard) > 0,
            "the planted defect lets something through"
        );
        let span = |linear: &[i16]| {
            let is_loud = |value: &i16| i32::from(*value).abs() > LOUD;
            let first = linear.iter().position(is_loud).unwrap_or(0);
            linear
                .iter()
                .rposition(is_loud)
                .map_or(0, |last| last + 1 - first)
        };
        let (heard, recorded) = (span(&scene.heard), span(&scene.recorded));
        assert!(
            heard <= LEFT_MAX && recorded <= LEFT_MAX,
            "{heard} and {recorded} samples left"
        );
        assert_eq!(scene.lost, [ProtectionLoss::EgressGuard]);
        let counters = scene.relay.counters().egress_guard;
        assert_eq!((counters.trips, counters.digits_found), (1, 1));
    }
}

#[test]
fn protection_asked_for_again_is_given_and_lost_again_with_the_next_press() {
    let mut scene = Scene::armed(true);
    scene.press(0, 100);
    scene.hiss(1_200);
    scene.input(Input::Protect);
    assert_eq!((scene.protected, scene.lost.len()), (2, 1));
    let before = scene.heard.len();
    scene.hiss(400);
    assert!(
        scene.heard[before + PACKET..]
            .iter()
            .any(|value| *value != 0),
        "the call goes on"
    );
    scene.press(40, 100);
    scene.hiss(200);
    assert_eq!(scene.lost, [ProtectionLoss::EgressGuard; 2]);
    assert_eq!(scene.relay.counters().egress_guard.trips, 2);
}

#[test]
fn protection_is_not_left_before_a_second_was_clean() {
    let mut scene = Scene::armed(true);
    scene.press(0, 100);
    scene.input(Input::Unprotect);
    let before = scene.heard.len();
    scene.hiss(900);
    assert_eq!(
        (
            scene.unprotected,
            scene.heard[before..].iter().any(|value| *value != 0)
        ),
        (0, false)
    );
    scene.hiss(1_600);
    assert_eq!(scene.unprotected, 1);
}

#[test]
fn a_press_while_protection_is_left_is_silenced_reported_and_holds_it_up() {
    let mut scene = Scene::armed(true);
    scene.hiss(400);
    scene.input(Input::Unprotect);
    scene.press(0, 200);
    assert_eq!(scene.lost, [ProtectionLoss::EgressGuard]);
    let packets = scene.heard.len();
    scene.hiss(sample::length(CLEAN_SPAN) / 8 - 200);
    assert_eq!(scene.unprotected, 0);
    assert!(scene.heard[packets..].iter().all(|value| *value == 0));
    scene.hiss(2_000);
    assert_eq!(scene.unprotected, 1);
}

#[test]
fn a_packet_on_its_way_past_the_mask_is_kept_back_and_ends_protection() {
    let mut scene = Scene::armed(false);
    let before = scene.heard.len();
    let framing = egress::Framing {
        payload_type: 0,
        marker: false,
        ts: 1_000_000,
        span: 160,
    };
    let relayed =
        scene
            .relay
            .sides
            .agent
            .relay(&mut scene.relay.outputs, 1_000, framing, &[0; 160]);
    assert_eq!(relayed, Err(DropReason::Withheld));
    scene.hiss(100);
    assert_eq!(scene.lost, [ProtectionLoss::EgressGuard]);
    // The masked packet with which it showed is still heard.
    let after = &scene.heard[before + PACKET..];
    assert!(after.iter().all(|value| *value == 0));
}

#[test]
fn a_mask_that_works_gives_the_guard_nothing_to_find() {
    let mut scene = Scene::armed(false);
    for into in 0..40 {
        scene.press(into, 60 + into);
        scene.hiss(100);
    }
    scene.input(Input::Unprotect);
    scene.hiss(1_000);
    let counters = scene.relay.counters().egress_guard;
    assert_eq!(
        (scene.lost.len(), counters.trips, counters.digits_found),
        (0, 0, 0)
    );
    assert_eq!(scene.unprotected, 1);
    assert!(counters.samples_checked > 40 * 160 * 8 - 1_000);
}

/// A relay that has heard nothing but `payload_type` for 600 ms.
fn after_packets_of(payload_type: u8) -> Scene {
    let mut scene = Scene::new(false);
    for _ in 0..30 {
        scene.now += PACKET_TIME;
        let header = RtpHeader {
            marker: false,
            payload_type,
            sequence: u16::try_from(scene.sent).unwrap(),
            timestamp: u32::try_from(scene.sent * PACKET).unwrap(),
            ssrc: 5,
        };
        scene.sent += 1;
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend([0x55; PACKET]);
        let received_at = scene.now;
        scene.input(Input::Packet {
            leg: Leg::Consumer,
            source: leg(1).remote_rtp,
            received_at,
            bytes: &bytes,
            rtcp: false,
        });
    }
    scene
}

#[test]
fn what_cannot_be_decoded_cannot_be_protected_until_it_can() {
    let mut scene = after_packets_of(9);
    scene.input(Input::Protect);
    assert_eq!(scene.refused, [ProtectionRefusal::Codec]);
    scene.hiss(40);
    scene.input(Input::Protect);
    assert_eq!((scene.protected, scene.refused.len()), (1, 1));
}

#[test]
fn a_shadow_call_passes_with_every_codec_packet_duration_and_listener() {
    for (codec_in, codec_out) in [
        (Codec::Pcmu, Codec::Pcmu),
        (Codec::Pcma, Codec::Pcma),
        (Codec::Pcmu, Codec::Pcma),
        (Codec::Pcma, Codec::Pcmu),
    ] {
        for ptime_ms in [10, 20, 30, 40, 50, 60, 120] {
            for record in [false, true] {
                let consumer = LegPlan::new(codec_in, leg(1).remote_rtp);
                let mut agent = LegPlan::new(codec_out, leg(2).remote_rtp);
                agent.ptime = Some(Duration::from_millis(ptime_ms));
                agent.direction = crate::leg::Direction::Inactive;
                let checked =
                    self_check::shadow_call(Instant::now(), [&consumer, &agent], 560.0, record);
                assert_eq!(checked, Ok(()), "{codec_in:?} {codec_out:?} {ptime_ms} ms");
            }
        }
    }
}

#[test]
fn a_call_that_always_is_protected_is_so_from_its_first_packet() {
    for into in [0, 1, 77, 159] {
        let mut scene = Scene::unheard(|plan| plan.always = true);
        scene.press(into, 200);
        scene.hiss(200);
        assert_eq!(scene.protected, 1);
        let flat = Law::Mu.amplitude(crate::tone::FLAT_TONE_DBM0 + 1.0);
        let is_louder = |value: &i16| f32::from(*value).abs() > flat;
        assert!(!scene.heard.iter().chain(&scene.recorded).any(is_louder));
        assert_eq!(scene.relay.counters().egress_guard.trips, 0);
        // Asked by its service it answers at once.
        scene.input(Input::Protect);
        assert_eq!(scene.protected, 2);
    }
}

#[test]
fn a_call_that_always_is_protected_begins_with_its_first_packet() {
    let mut scene = Scene::unheard(|plan| plan.always = true);
    scene.hiss(200);
    let spoken = scene.heard.iter().filter(|value| **value != 0).count();
    // One in thirteen samples of the hiss is nought. 12 ms are held back and 8 ms are silent, for nothing was heard before; a packet more is not missing.
    let expected = (1_600 - 96 - 64) * 12 / 13;
    assert!(spoken + 32 > expected, "{spoken} of {expected}");
}

#[test]
fn a_call_that_always_is_protected_lets_nothing_out_before_its_mask_is_proven() {
    let mut scene = Scene::unheard(|plan| plan.always = true);
    scene.relay.always_from = Some(scene.now + Duration::from_secs(1));
    scene.press(0, 400);
    assert_eq!(
        (scene.protected, loud(&scene.heard), scene.recorded.len()),
        (0, 0, 0)
    );
    scene.hiss(1_000);
    assert_eq!(scene.protected, 1);
    assert_eq!(scene.relay.counters().egress_guard.trips, 0);
}

#[test]
fn a_call_that_need_not_be_protected_any_more_is_heard() {
    let mut scene = Scene::unheard(|plan| plan.always = true);
    scene.input(Input::Unprotect);
    scene.press(0, 200);
    assert!(loud(&scene.heard) > 1_000);
}
