//! A press that nobody made, played before a real one is allowed (S29).
//! Owns: the proof that a freshly configured path masks.
//! Never: touches the running path.

use thiserror::Error;

use super::{Origin, PathConfig, ProtectedPath};
use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;

/// Why a path may not be trusted.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum SelfCheckError {
    /// Samples of the shadow press came out.
    #[error("{count} samples of the shadow press left the mask")]
    BugClearSamples {
        /// How many.
        count: usize,
    },
    /// The path did not yield one output sample for each input sample.
    #[error("the delay line yielded {yielded} samples of {expected}")]
    BugDelayLine {
        /// Output samples.
        yielded: usize,
        /// Input samples since arming.
        expected: usize,
    },
    /// The flat tone was not heard in place of the press.
    #[error("no flat tone stands for the shadow press")]
    BugNoFlatTone,
    /// Audio beside the press did not come through.
    #[error("audio beside the shadow press was masked")]
    BugAllMasked,
}

const PACKET: usize = 160;
const ARM_AT: u64 = 640;
const PRESS: std::ops::Range<u64> = 1_603..2_083;
const TOTAL: u64 = 4_800;

/// Quiet hiss, then 60 ms of the pair 852 + 1,336 Hz, then hiss again, in packets of 20 ms.
pub(super) fn shadow_press(config: PathConfig) -> Result<(), SelfCheckError> {
    let mut path = ProtectedPath::new(config);
    let mut hiss = 1_u32;
    let mut outcome = Outcome::default();
    for ts in (0..TOTAL).step_by(PACKET) {
        if ts == ARM_AT {
            path.arm(ts);
        }
        let mut packet = [0; PACKET];
        for (offset, value) in packet.iter_mut().enumerate() {
            *value = shadow_sample(ts + sample::span(offset), &mut hiss);
        }
        path.push_audio(ts, &packet);
        outcome.collect(&mut path);
    }
    outcome.verdict()
}

#[derive(Default)]
struct Outcome {
    yielded: usize,
    clear: usize,
    beside: usize,
    press_power: f32,
}

impl Outcome {
    fn collect(&mut self, path: &mut ProtectedPath) {
        let mut linear = [0; PACKET];
        let mut origins = [Origin::default(); PACKET];
        while let Some((start, count)) = path.pop_traced(&mut linear, &mut origins) {
            self.yielded += count;
            for (offset, origin) in origins.iter().take(count).enumerate() {
                let of_press = |ts: &u64| PRESS.contains(ts);
                self.clear +=
                    usize::from(origin.delayed.iter().chain(&origin.direct).any(of_press));
                self.beside += usize::from(*origin != Origin::default());
                let source = (start + sample::span(offset))
                    .saturating_sub(sample::span(crate::delay_line::HOLD_SAMPLES));
                if PRESS.contains(&source) {
                    self.press_power += f32::from(linear[offset]).powi(2);
                }
            }
        }
    }

    fn verdict(&self) -> Result<(), SelfCheckError> {
        let expected = sample::length(TOTAL - ARM_AT);
        if self.yielded != expected {
            return Err(SelfCheckError::BugDelayLine {
                yielded: self.yielded,
                expected,
            });
        }
        if self.clear > 0 {
            return Err(SelfCheckError::BugClearSamples { count: self.clear });
        }
        let press_samples = sample::count_f32(sample::length(PRESS.end - PRESS.start));
        if Law::Mu.dbm0(self.press_power / press_samples) < crate::tone::FLAT_TONE_DBM0 - 1.0 {
            return Err(SelfCheckError::BugNoFlatTone);
        }
        if self.beside < expected / 2 {
            return Err(SelfCheckError::BugAllMasked);
        }
        Ok(())
    }
}

fn shadow_sample(ts: u64, hiss: &mut u32) -> i16 {
    *hiss = hiss.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let noise = f32::from(u16::try_from(*hiss >> 16).unwrap_or(0)) / 4_096.0 - 8.0;
    if !PRESS.contains(&ts) {
        return sample::from_f32(noise);
    }
    let seconds = sample::count_f64(sample::length(ts - PRESS.start)) / f64::from(SAMPLE_RATE_HZ);
    let wave = (std::f64::consts::TAU * 852.0 * seconds).sin()
        + (std::f64::consts::TAU * 1_336.0 * seconds).sin();
    sample::from_f32(noise + Law::Mu.amplitude(-9.0) * sample::narrow(wave))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_healthy_path_passes() {
        assert_eq!(shadow_press(PathConfig::default()), Ok(()));
    }
}
