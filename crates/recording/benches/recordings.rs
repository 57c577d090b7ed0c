//! The writer with the recordings of a busy node, at a call's pace, and the first look at a long one (`make bench-recordings`). Three JSON lines: what the writer and the
//! pushing cost a recording, what was written how often; how long the peaks of half an hour take; and how long its Ogg Opus. Fails above the bounds, or if a sample was lost.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is judged by its figure; whatever fails ends it"
)]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use domain::id::RecordingId;
use domain::time::UnixMillis;
use recording::{
    Composer, DataKey, Feed, Folder, Header, KeyRing, Law, NewRecording, Report, Track,
    WrappingKey, Writer, export_opus,
};
use secret::CipherKey;
use serde_json::json;

/// Recordings at a time.
const RECORDINGS: usize = 500;
/// How long they are fed.
const FED_FOR: Duration = Duration::from_secs(20);
/// A packet of each side.
const PACKET: Duration = Duration::from_millis(20);
const PACKET_SAMPLES: usize = 160;
/// Samples of half an hour.
const LONG_SAMPLES: u64 = 30 * 60 * 8_000;
/// Longest wait for the peaks of half an hour.
const PEAKS_MS_MAX: f64 = 300.0;
const BEGAN: UnixMillis = UnixMillis(1_764_237_600_123);

fn ring() -> KeyRing {
    let key = CipherKey::fill_with::<()>(|bytes| {
        bytes.fill(0x5A);
        Ok(())
    });
    KeyRing::new(vec![WrappingKey::new(
        "0011223344556677".parse().unwrap(),
        key.unwrap(),
    )])
}

fn id(number: usize) -> RecordingId {
    RecordingId::from_random(u128::try_from(number).unwrap())
}

fn begin(writer: &Writer, number: usize, runtime: &tokio::runtime::Runtime) -> Feed {
    let new = NewRecording {
        header: Header {
            id: id(number),
            began: BEGAN,
            laws: [Law::Mu, Law::Mu],
            is_redacted: false,
        },
        start: 0,
    };
    runtime.block_on(writer.begin(new, &ring())).unwrap()
}

/// Time that a thread of this process has had on a processor.
fn cpu_of(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let mut paths = tasks.map(|task| task.unwrap().path());
    let is_it = |path: &PathBuf| {
        fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let path = paths.find(is_it).unwrap();
    let stat = fs::read_to_string(path.join("schedstat")).unwrap();
    let ns = stat.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(ns)
}

/// Something like speech: no packet is like the one before it.
fn packet(seed: u64) -> [i16; PACKET_SAMPLES] {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [low, high, ..] = state.to_le_bytes();
        i16::from_le_bytes([low, high]) / 8
    })
}

/// Feeds all recordings at a call's pace; samples that were dropped, and the time that pushing took.
fn feed(feeds: &mut [Feed]) -> (usize, Duration) {
    let (mut dropped, mut pushing) = (0, Duration::ZERO);
    let begin = Instant::now();
    let mut position = 0;
    for tick in 1_u32.. {
        let samples = packet(position);
        let before = Instant::now();
        for feed in &mut *feeds {
            for track in Track::BOTH {
                dropped += feed.push(track, position, &samples);
            }
        }
        pushing += before.elapsed();
        position += 160;
        let next = PACKET * tick;
        if next >= FED_FOR {
            break;
        }
        std::thread::sleep(next.saturating_sub(begin.elapsed()));
    }
    (dropped, pushing)
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn many(folder: &Folder, runtime: &tokio::runtime::Runtime) -> bool {
    let (to, reports) = sync_channel(10 * RECORDINGS);
    let report = move |report| to.send(report).unwrap();
    let writer = Writer::start(folder.clone(), Box::new(report)).unwrap();
    let mut feeds: Vec<Feed> = (0..RECORDINGS)
        .map(|number| begin(&writer, number, runtime))
        .collect();
    let (cpu, counts) = (cpu_of("recordings"), writer.counts());
    let (dropped, pushing) = feed(&mut feeds);
    let (cpu, after) = (cpu_of("recordings").saturating_sub(cpu), writer.counts());
    drop(feeds);
    drop(writer);
    let ends: Vec<Report> = reports.iter().collect();
    let whole = ends.iter().filter(
        |report| matches!(report, Report::Ended { ended, .. } if ended.final_segment.is_some() && ended.lost_samples == 0),
    );
    let whole = whole.count();
    let seconds = FED_FOR.as_secs_f64();
    let calls = f64::from(u32::try_from(RECORDINGS).unwrap());
    let per_second = |count: u64| rounded(f64::from(u32::try_from(count).unwrap()) / seconds);
    println!(
        "{}",
        json!({
            "bench": "recordings",
            "recordings": RECORDINGS,
            "seconds": seconds,
            "writer_cpu_us_per_call_s": rounded(cpu.as_secs_f64() * 1e6 / seconds / calls),
            "push_us_per_call_s": rounded(pushing.as_secs_f64() * 1e6 / seconds / calls),
            "writes_per_s": per_second(after.writes - counts.writes),
            "kilobytes_per_s": per_second((after.bytes - counts.bytes) / 1_000),
            "syncs": after.syncs - counts.syncs,
            "dropped_samples": dropped,
            "whole": whole,
        })
    );
    dropped == 0 && whole == RECORDINGS
}

fn long(folder: &Folder) -> bool {
    let number = RECORDINGS;
    let header = Header {
        id: id(number),
        began: BEGAN,
        laws: [Law::Mu, Law::Mu],
        is_redacted: false,
    };
    let keys = ring();
    let key = CipherKey::fill_with::<()>(|_| Ok(())).unwrap();
    let under = (keys.active().unwrap(), [0; 12]);
    let (mut composer, mut file) = Composer::begin(header, 0, DataKey::new(key), under).unwrap();
    for position in (0..LONG_SAMPLES).step_by(PACKET_SAMPLES) {
        let bytes = packet(position).map(|sample| Law::Mu.encode_sample(sample));
        for track in Track::BOTH {
            composer.take(track, position, &bytes, &mut file).unwrap();
        }
    }
    composer.end(&mut file).unwrap();
    let path = folder.path(&id(number), BEGAN);
    fs::write(path, &file).unwrap();
    let begin = Instant::now();
    let reader = folder.read((&id(number), BEGAN), &keys).unwrap();
    let peaks = reader.peaks().len();
    let ms = begin.elapsed().as_secs_f64() * 1e3;
    println!(
        "{}",
        json!({"bench": "peaks", "samples": LONG_SAMPLES, "bytes": file.len(), "peaks": peaks, "ms": rounded(ms)})
    );
    let begin = Instant::now();
    let mut opus = Vec::new();
    export_opus(&reader, &mut opus).unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({"bench": "opus", "samples": LONG_SAMPLES, "bytes": opus.len(), "seconds": rounded(seconds)})
    );
    ms <= PEAKS_MS_MAX && peaks > 14_000
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // On the disk on which the build is, not in memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let held = [many(&folder, &runtime), long(&folder)];
    ExitCode::from(u8::from(held.contains(&false)))
}
