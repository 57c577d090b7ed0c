//! What a relay takes at its creation, and that it takes nothing more.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure, opt_out};
use media::leg::{Codec, Leg};
use media::relay::{Input, Relay, RelayPlan};
use media::rtp::RtpHeader;
use media::tone::KeyToneShape;

use crate::mask::Keyed;
use crate::scene::{MS, Phone, Random, Script, hiss, opus, plan, wide};

/// Calls of the measurement.
const CALLS: u32 = 2_000;

/// Of the 64 KiB that a call may take in media and voice together, 16 are left to voice: its sockets' bookkeeping and its share of the node.
const KIB_PER_CALL_MAX: f64 = 48.0;

/// A datagram that comes to a relay.
struct Coming {
    at: Duration,
    leg: Leg,
    rtcp: bool,
    bytes: Vec<u8>,
}

struct Drive {
    relay: Relay,
    now: Instant,
    outputs: usize,
}

fn phone(codec: Codec, host: u8, ssrc: u32) -> Phone {
    let leg = plan(codec, host);
    Phone {
        source: leg.remote_rtp,
        ssrc,
        sequence: 65_500,
        timestamp: u32::MAX - 20_000,
        payload_type: leg.payload_type_in,
        law: leg.codec.law(),
        wide: wide(codec),
        opus: opus(codec),
    }
}

fn source(leg: Leg, rtcp: bool) -> SocketAddr {
    let host = if leg == Leg::Consumer { 1 } else { 2 };
    let plan = plan(Codec::Pcmu, host);
    if rtcp {
        plan.remote_rtcp
    } else {
        plan.remote_rtp
    }
}

impl Drive {
    fn new(now: Instant, change: impl FnOnce(&mut RelayPlan)) -> Self {
        let mut relay_plan = RelayPlan::new(plan(Codec::Pcmu, 1), plan(Codec::Pcmu, 2), 7);
        relay_plan.record = true;
        change(&mut relay_plan);
        Self {
            relay: Relay::new(relay_plan, now),
            now,
            outputs: 0,
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.relay.poll_output() {
            std::hint::black_box(&output);
            self.outputs += 1;
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.relay.handle_input(self.now, input);
        self.drain();
    }

    fn run_until(&mut self, to: Instant) {
        while let Some(due) = self.relay.next_timeout().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            self.relay.handle_timeout(self.now);
            self.drain();
        }
        self.now = self.now.max(to);
    }

    fn take(&mut self, coming: &[Coming]) {
        let began = self.now;
        for one in coming {
            self.run_until(began + one.at);
            let received_at = self.now;
            self.input(Input::Packet {
                leg: one.leg,
                source: source(one.leg, one.rtcp),
                received_at,
                bytes: &one.bytes,
                rtcp: one.rtcp,
            });
        }
    }
}

/// A minute of both legs: speech-like noise, keys in the audio and as events, losses, swapped and doubled packets, reports, rubbish.
fn a_minute(seed: u64) -> Vec<Coming> {
    a_minute_in([Codec::Pcmu; 2], seed)
}

/// The same in these codecs of the consumer and the agent.
fn a_minute_in(codecs: [Codec; 2], seed: u64) -> Vec<Coming> {
    let mut random = Random(seed);
    let len = 8_000 * 60;
    let mut keyed = Keyed::new(hiss(len, seed));
    for index in 0..100_u8 {
        let start = 1_600 + usize::from(index) * 4_700;
        keyed.sound(index % 12, start, 800, KeyToneShape::default());
    }
    let mut script = Script::audio(&keyed.signal).lose(0.02, seed);
    for index in (0..100_u8).step_by(2) {
        let start = 1_600 + usize::from(index) * 4_700;
        script = script.press(index % 12, start, 800, 160);
    }
    let mut coming = Vec::new();
    let agent = Script::audio(&hiss(len, seed + 1)).lose(0.02, seed + 2);
    for (leg, phone, script) in [
        (Leg::Consumer, &mut phone(codecs[0], 1, 11), &script),
        (Leg::Agent, &mut phone(codecs[1], 2, 22), &agent),
    ] {
        for (at, bytes) in phone.datagrams(script) {
            let late = if random.below(20) == 0 {
                MS * 45
            } else {
                Duration::ZERO
            };
            let at = at + late;
            if random.below(50) == 0 {
                let bytes = bytes.clone();
                coming.push(Coming {
                    at: at + MS,
                    leg,
                    rtcp: false,
                    bytes,
                });
            }
            coming.push(Coming {
                at,
                leg,
                rtcp: false,
                bytes,
            });
        }
        coming.extend(beside(leg));
    }
    coming.sort_by_key(|one| one.at);
    coming
}

/// A report and a packet of nobody's payload type every second.
fn beside(leg: Leg) -> impl Iterator<Item = Coming> {
    (1..60).flat_map(move |second| {
        let at = Duration::from_secs(second);
        let mut report = vec![0x80, 200, 0, 6];
        report.extend([7; 24]);
        let header = RtpHeader {
            marker: false,
            payload_type: 77,
            sequence: 1,
            timestamp: 1,
            ssrc: 1,
        };
        [(true, report), (false, header.to_bytes().to_vec())].map(|(rtcp, bytes)| Coming {
            at,
            leg,
            rtcp,
            bytes,
        })
    })
}

/// Tables of the process are made at their first use, which is not a packet's cost.
fn warm() {
    let mut drive = Drive::new(Instant::now(), |relay| relay.watch = true);
    drive.take(&a_minute(1)[..400]);
    drive.input(Input::Protect);
    drive.take(&a_minute(2)[..400]);
}

fn assert_none(info: AllocationInfo, drive: &Drive, packets: usize, name: &str) {
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{name}");
    assert!(
        packets > 6_000 && drive.outputs * 2 > packets,
        "{name}: {packets} {}",
        drive.outputs
    );
    assert_eq!(drive.relay.counters().outputs_dropped, 0, "{name}");
}

#[test]
fn no_packet_of_an_unprotected_call_allocates() {
    warm();
    for watch in [false, true] {
        for other_law in [false, true] {
            let mut drive = Drive::new(Instant::now(), |relay| {
                relay.watch = watch;
                if other_law {
                    relay.agent = plan(Codec::Pcma, 2);
                }
            });
            let coming = a_minute(3);
            let info = measure(|| drive.take(&coming));
            assert_none(info, &drive, coming.len(), "unprotected");
        }
    }
}

#[test]
fn no_packet_of_a_protected_call_allocates() {
    warm();
    for ptime in [None, Some(MS * 10), Some(MS * 60)] {
        let mut drive = Drive::new(Instant::now(), |relay| {
            relay.watch = true;
            relay.agent.ptime = ptime;
        });
        let coming = a_minute(4);
        drive.take(&coming[..100]);
        drive.input(Input::Protect);
        assert!(drive.relay.is_protected());
        let info = measure(|| drive.take(&coming[100..]));
        let enough = if ptime == Some(MS * 60) {
            drive.outputs * 3
        } else {
            drive.outputs
        };
        assert!(enough > coming.len());
        assert_eq!(info.count_total, 0, "{ptime:?}");
        assert_eq!(drive.relay.counters().outputs_dropped, 0, "{ptime:?}");
    }
}

#[test]
fn no_packet_in_g722_allocates_whatever_the_other_leg_speaks() {
    warm();
    for codecs in [
        [Codec::G722; 2],
        [Codec::G722, Codec::Pcmu],
        [Codec::Pcma, Codec::G722],
    ] {
        let mut drive = Drive::new(Instant::now(), |relay| {
            relay.watch = true;
            (relay.consumer, relay.agent) = (plan(codecs[0], 1), plan(codecs[1], 2));
        });
        let coming = a_minute_in(codecs, 4);
        let info = measure(|| drive.take(&coming[..3_000]));
        assert_eq!(info.count_total, 0, "{codecs:?}");
        drive.input(Input::Protect);
        assert!(drive.relay.is_protected(), "{codecs:?}");
        let info = measure(|| drive.take(&coming[3_000..]));
        assert_none(info, &drive, coming.len(), "g722");
    }
}

#[test]
fn no_packet_in_opus_allocates_once_its_states_are_there() {
    warm();
    for codecs in [
        [Codec::Opus; 2],
        [Codec::Opus, Codec::Pcmu],
        [Codec::Pcma, Codec::Opus],
    ] {
        let mut drive = Drive::new(Instant::now(), |relay| {
            relay.watch = true;
            (relay.consumer, relay.agent) = (plan(codecs[0], 1), plan(codecs[1], 2));
        });
        let coming = a_minute_in(codecs, 4);
        drive.take(&coming[..100]);
        let info = measure(|| drive.take(&coming[100..1_500]));
        assert_eq!(info.count_total, 0, "{codecs:?}");
        drive.input(Input::Protect);
        assert!(drive.relay.is_protected(), "{codecs:?}");
        drive.take(&coming[1_500..1_600]);
        let info = measure(|| drive.take(&coming[1_600..3_000]));
        assert_eq!(info.count_total, 0, "{codecs:?}");
        assert_eq!(drive.relay.counters().outputs_dropped, 0, "{codecs:?}");
        // An ended call has given all of it back.
        let info = measure(|| drive.input(Input::End));
        drop(drive);
        assert_eq!(info.count_total, 0, "{codecs:?}");
    }
}

/// Everything but the self-check before protection, which plays a press through a path of its own.
#[test]
fn entering_and_leaving_allocate_nothing_but_the_self_check() {
    warm();
    let mut drive = Drive::new(Instant::now(), |relay| relay.watch = true);
    let coming = a_minute(5);
    drive.take(&coming[..4]);
    let info = measure(|| {
        for (index, part) in coming[4..].chunks(150).enumerate() {
            match index % 4 {
                0 => opt_out(|| drive.input(Input::Protect)),
                1 => drive.input(Input::Mute(true)),
                2 => drive.input(Input::Unprotect),
                _ => drive.input(Input::Mute(false)),
            }
            drive.take(part);
        }
        drive.input(Input::End);
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn the_counter_sees_an_allocation() {
    let info = measure(|| drop(std::hint::black_box(vec![0_u8; 9])));
    assert_eq!((info.count_total, info.bytes_total), (1, 9));
}

/// `make memory-per-call` prints the line. Every relay has worked in every stage before it is weighed.
#[test]
fn two_thousand_relays_take_their_share_and_no_more() {
    warm();
    let now = Instant::now();
    let coming = a_minute(6);
    let mut relays: Vec<Drive> = Vec::with_capacity(CALLS as usize);
    let made = measure(|| {
        for _ in 0..CALLS {
            let mut drive = Drive::new(now, |relay| relay.watch = true);
            drive.take(&coming[..20]);
            drive.input(Input::Protect);
            drive.take(&coming[20..60]);
            relays.push(drive);
        }
    });
    assert!(relays.iter().all(|drive| drive.relay.is_protected()));
    let in_place = size_of::<Relay>() as f64;
    let on_heap = made.bytes_current as f64 / f64::from(CALLS);
    let kib = (in_place + on_heap) / 1_024.0;
    let line = format!("{{\"calls\": {CALLS}, \"kib_per_call_media\": {kib:.1}}}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    assert!(kib <= KIB_PER_CALL_MAX, "{kib} KiB");
}
