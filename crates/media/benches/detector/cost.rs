//! What our detectors cost.
//! Owns: throughput, the mean frame, the worst frame.
//! Never: counts an interruption; each frame is timed in several passes, and its fastest counts.

use std::time::{Duration, Instant};

use media::dtmf::inband::Reporter;
use media::dtmf::inband::trigger::{Context, Trigger};
use media::sample;

use super::line::FRAME;

/// Passes over everything. On a machine whose other core is at work one reading in five may be long; one frame in 10^10 is in all of so many.
const PASSES: usize = 15;

/// Frames timed together for throughput: 5 s.
const CHUNK_FRAMES: usize = 250;

/// Times in microseconds per frame of 20 ms.
pub(crate) struct FrameCost {
    pub(crate) mean_us: f64,
    pub(crate) worst_us: f64,
}

/// Seconds of audio that the reporter reads in one second: chunks of 5 s, each at its fastest pass.
pub(crate) fn reporter_speed(linear: &[i16]) -> f64 {
    let chunk_len = CHUNK_FRAMES * FRAME;
    let mut fastest = vec![Duration::MAX; linear.len() / chunk_len];
    for _ in 0..PASSES {
        let mut reporter = Reporter::new();
        for (index, chunk) in linear.chunks_exact(chunk_len).enumerate() {
            let began = Instant::now();
            for (place, frame) in chunk.chunks_exact(FRAME).enumerate() {
                let at = index * chunk_len + place * FRAME;
                reporter.push_audio(sample::span(at), frame);
                while let Some(digit) = reporter.poll_digit() {
                    std::hint::black_box(&digit);
                }
            }
            fastest[index] = fastest[index].min(began.elapsed());
        }
    }
    let spent: Duration = fastest.iter().sum();
    sample::count_f64(fastest.len() * chunk_len) / 8_000.0 / spent.as_secs_f64()
}

/// Trigger and reporter over one frame after the other.
pub(crate) fn both(linear: &[i16]) -> FrameCost {
    let mut fastest = vec![Duration::MAX; linear.len() / FRAME];
    for _ in 0..PASSES {
        let (mut trigger, mut reporter) = (Trigger::new(), Reporter::new());
        let mut at = 0;
        for (frame, fastest) in linear.chunks_exact(FRAME).zip(&mut fastest) {
            let began = Instant::now();
            let mut hearings = 0_usize;
            let (mut rest, mut end) = (frame, at);
            while !rest.is_empty() {
                let (hop, later) = rest.split_at(rest.len().min(trigger.wanted()));
                end += sample::span(hop.len());
                hearings += usize::from(trigger.push_all(hop, end, Context::default()).is_some());
                rest = later;
            }
            reporter.push_audio(at, frame);
            while let Some(digit) = reporter.poll_digit() {
                std::hint::black_box(&digit);
            }
            std::hint::black_box(hearings);
            *fastest = began.elapsed().min(*fastest);
            at += sample::span(FRAME);
        }
    }
    let spent: Duration = fastest.iter().sum();
    let worst = fastest.iter().max().copied().unwrap_or_default();
    FrameCost {
        mean_us: spent.as_secs_f64() * 1e6 / sample::count_f64(fastest.len().max(1)),
        worst_us: worst.as_secs_f64() * 1e6,
    }
}
