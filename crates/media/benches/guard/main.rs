//! The egress guard over hours of masked speech and music: false trips, and the bound that a zero gives.
//! Owns: the planted presses, the masked hours, the exit code.
//! Never: counts a zero before the planted presses were found.
//!
//! One JSON object a line. The first, `{part: "planted", presses, found, left_ms_max}`, is the guard alone on presses over speech that no mask has seen.
//! Then `{part: "speech" | "keys", hours, trips, digits_found, residual_energy_db}` for what a protected relay sends, without and with presses; last
//! `{hours, false_trips, false_trips_per_hour_max}`, the upper bound at 95 %: 3 divided by the hours if there was none (rule of three).
//! `TONEWALL_GUARD_HOURS` is how many hours are masked (13). The exit code is 0 if every press was found within 30 ms and nothing tripped.

#[path = "../detector/corpus.rs"]
mod corpus;
#[path = "../detector/line.rs"]
#[expect(dead_code, reason = "another bench uses the rest")]
mod line;
#[path = "../detector/resample.rs"]
mod resample;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use media::dtmf::inband::keypad::Pair;
use media::egress_guard::{EgressGuard, EgressGuardCounters, Verdict};
use media::g711::Law;
use media::leg::{Codec, Leg, LegPlan};
use media::relay::{Input, Relay, RelayPlan};
use media::rtp::RtpHeader;
use media::sample;
use media::tone::{KeyTone, KeyToneShape};

const FRAME: usize = 160;
const FRAME_TIME: Duration = Duration::from_millis(20);
const HOUR: f64 = 3_600.0 * 8_000.0;

/// Hours masked if nobody says otherwise (S33).
const HOURS: f64 = 13.0;

/// What may leave of a press: 30 ms (S33).
const LEFT_MAX: usize = 240;

/// Planted presses, one in each stretch of speech of this length.
const PRESSES: usize = 2_000;
const STRETCH: usize = 16_000;

/// A press, 100 ms, and how much more power than talk it has: 15 dB.
const PRESS: usize = 800;
const TALK_OVER: f32 = 31.6;

/// Speeds at which every voice is heard again, so that pitch and formants move.
const SPEEDS: [f64; 6] = [1.0, 0.8, 0.85, 0.9, 1.1, 1.25];

/// Calls that share the hours, so that no timeline is longer than a long call: 30 min.
const CALL: usize = 30 * 60 * 8_000;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            say(&format!("{{\"problem\": \"{problem}\"}}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let wanted = std::env::var("TONEWALL_GUARD_HOURS").ok();
    let wanted = wanted.and_then(|text| text.parse().ok()).unwrap_or(HOURS);
    let corpora = std::env::var_os("TONEWALL_CORPUS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../corpus"),
        PathBuf::from,
    );
    let voices = corpus::read(&corpora)?;
    let all_found = planted(&voices);
    let (mut hours, mut sums) = (0.0, [EgressGuardCounters::default(); 2]);
    let mut random = 1;
    'hours: for speed in SPEEDS {
        for voice in &voices {
            if voice.name == corpus::MUSIC && (speed - 1.0).abs() > 1e-9 {
                continue;
            }
            let linear = corpus::levelled(&resample::resample(&voice.linear, 1.0 / speed));
            for call in linear.chunks(CALL) {
                if hours >= wanted {
                    break 'hours;
                }
                sums[0].merge(&protected(call));
                sums[1].merge(&protected(&keyed(call, &mut random)));
                hours += sample::count_f64(call.len()) / HOUR;
            }
        }
    }
    for (part, sum) in ["speech", "keys"].into_iter().zip(&sums) {
        put(part, sum);
    }
    let trips = sums[0].trips + sums[1].trips;
    let masked = 2.0 * hours;
    let bound = (trips == 0).then(|| 3.0 / masked);
    let bound = bound.map_or_else(|| "null".to_owned(), |bound| format!("{bound:.3}"));
    say(&format!(
        "{{\"hours\": {masked:.2}, \"false_trips\": {trips}, \"false_trips_per_hour_max\": {bound}}}"
    ));
    Ok(all_found && trips == 0)
}

/// Presses off by up to 1.5 %, talked over, past the guard alone.
fn planted(voices: &[corpus::Voice]) -> bool {
    let mut random = 7;
    let (mut found, mut left_max) = (0, 0);
    let stretches = voices
        .iter()
        .flat_map(|voice| voice.linear.chunks_exact(STRETCH));
    let mut presses = 0;
    for stretch in stretches.step_by(7).take(PRESSES) {
        presses += 1;
        let start = 4_000 + below(&mut random, 4_000);
        let mut linear = stretch.to_vec();
        press(&mut linear, start, &mut random);
        let mut guard = EgressGuard::new();
        let mut left = 0;
        for (index, frame) in linear.chunks_exact(FRAME).enumerate() {
            let mut payload = [0; FRAME];
            Law::Mu.encode(frame, &mut payload);
            if guard.judge(Law::Mu, &payload) == Verdict::Pass {
                let (from, to) = (index * FRAME, (index + 1) * FRAME);
                left += to.min(start + PRESS).saturating_sub(from.max(start));
            }
        }
        found += usize::from(guard.counters().trips > 0);
        left_max = left_max.max(left);
    }
    say(&format!(
        "{{\"part\": \"planted\", \"presses\": {presses}, \"found\": {found}, \"left_ms_max\": {:.2}}}",
        sample::count_f64(left_max) / 8.0
    ));
    presses > 0 && found == presses && left_max <= LEFT_MAX
}

/// A press 100 ms long every 2 s, at a random offset.
fn keyed(linear: &[i16], random: &mut u32) -> Vec<i16> {
    let mut keyed = linear.to_vec();
    for stretch in keyed.chunks_exact_mut(STRETCH) {
        let start = below(random, STRETCH - PRESS);
        press(stretch, start, random);
    }
    keyed
}

/// Adds a press at `start`; what is said meanwhile is at least 15 dB quieter (S42).
fn press(linear: &mut [i16], start: usize, random: &mut u32) {
    let number = u8::try_from(below(random, 16)).unwrap_or(0);
    let mut deviation = || (sample::count_f64(below(random, 31)) - 15.0) / 1_000.0;
    let shape = KeyToneShape {
        low_deviation: deviation(),
        high_deviation: deviation(),
        ..KeyToneShape::default()
    };
    let during = start..start + PRESS;
    let talk: f32 = linear[during.clone()]
        .iter()
        .map(|value| f32::from(*value).powi(2))
        .sum();
    let tones = Law::Mu.amplitude(shape.low_dbm0).powi(2)
        + Law::Mu.amplitude(shape.low_dbm0 + shape.twist_db).powi(2);
    let quieter = tones / 2.0 * sample::count_f32(PRESS) / TALK_OVER / talk.max(1.0);
    let gain = quieter.sqrt().min(1.0);
    for value in linear.iter_mut() {
        *value = sample::from_f32(f32::from(*value) * gain);
    }
    KeyTone::new(Pair::new(number / 4, number % 4), shape).add_to(&mut linear[during]);
}

fn below(random: &mut u32, limit: usize) -> usize {
    *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let high = usize::from(u16::try_from(*random >> 16).unwrap_or(0));
    high * limit / 65_536
}

/// What a relay's guard has seen of a call that is protected from its first second to its end.
fn protected(linear: &[i16]) -> EgressGuardCounters {
    let leg = |host| LegPlan::new(Codec::Pcmu, SocketAddr::from(([192, 0, 2, host], 4_000)));
    let mut now = Instant::now();
    let mut relay = Relay::new(RelayPlan::new(leg(1), leg(2), 3), now);
    for (index, frame) in linear.chunks_exact(FRAME).enumerate() {
        let bytes = packet(index, frame);
        now += FRAME_TIME;
        let input = Input::Packet {
            leg: Leg::Consumer,
            source: leg(1).remote_rtp,
            received_at: now,
            bytes: &bytes,
            rtcp: false,
        };
        relay.handle_input(now, input);
        while relay.poll_output().is_some() {}
        // A second protection after a trip, as a service that protects whole calls asks for it.
        if index % 50 == 1 {
            relay.handle_input(now, Input::Protect);
        }
        while relay.next_timeout().is_some_and(|due| due <= now) {
            relay.handle_timeout(now);
            while relay.poll_output().is_some() {}
        }
    }
    relay.counters().egress_guard
}

fn packet(index: usize, frame: &[i16]) -> Vec<u8> {
    let low = |number: usize| u32::try_from(number & 0xFFFF_FFFF).unwrap_or(0);
    let header = RtpHeader {
        marker: false,
        payload_type: 0,
        sequence: u16::try_from(index & 0xFFFF).unwrap_or(0),
        timestamp: low(index * FRAME),
        ssrc: 5,
    };
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(frame.iter().map(|value| Law::Mu.encode_sample(*value)));
    bytes
}

fn put(part: &str, guard: &EgressGuardCounters) {
    let number = |count: u64| sample::count_f64(sample::length(count));
    let residual = 10.0 * (number(guard.band_energy) / number(guard.energy).max(1.0)).log10();
    say(&format!(
        "{{\"part\": \"{part}\", \"hours\": {:.2}, \"trips\": {}, \"digits_found\": {}, \"residual_energy_db\": {residual:.1}}}",
        number(guard.samples_checked) / HOUR,
        guard.trips,
        guard.digits_found
    ));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("standard output takes one line");
}
