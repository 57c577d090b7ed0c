//! The flat tone that stands for every key, and the shape of its edges.
//! Owns: the oscillator and the raised-cosine table.
//! Never: depends on which key was pressed.

use std::f32::consts::{PI, TAU};

use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;

/// Samples of a fade: 2 ms, short enough to hide beside a tone, long enough not to click.
pub const FADE_SAMPLES: usize = 16;

/// Frequency of the flat tone. 560 Hz lies below the lowest keypad tone (697 Hz) by more than a detector's tolerance.
pub const FLAT_TONE_HZ: f32 = 560.0;

/// Frequencies an operator may choose: clear of the keypad's tones and above the telephone band's lower edge.
pub const FLAT_TONE_HZ_RANGE: std::ops::RangeInclusive<f32> = 300.0..=620.0;

/// Level of the flat tone.
pub const FLAT_TONE_DBM0: f32 = -16.0;

/// A sine of fixed frequency and level. Restarting it makes every burst begin at phase zero, so that two masks of equal
/// length are equal sample for sample.
#[derive(Debug, Clone)]
pub struct FlatTone {
    amplitude: f32,
    step: f32,
    phase: f32,
}

impl FlatTone {
    /// A tone of `frequency_hz` at −16 dBm0. Frequencies outside [`FLAT_TONE_HZ_RANGE`] are moved to its nearer end.
    #[must_use]
    pub fn new(frequency_hz: f32) -> Self {
        let frequency_hz =
            frequency_hz.clamp(*FLAT_TONE_HZ_RANGE.start(), *FLAT_TONE_HZ_RANGE.end());
        let rate_hz = sample::count_f32(sample::length(u64::from(SAMPLE_RATE_HZ)));
        Self {
            amplitude: Law::Mu.amplitude(FLAT_TONE_DBM0),
            step: TAU * frequency_hz / rate_hz,
            phase: 0.0,
        }
    }

    /// Back to phase zero.
    pub fn restart(&mut self) {
        self.phase = 0.0;
    }

    /// The next sample, in 16-bit linear units.
    pub fn next_sample(&mut self) -> f32 {
        let value = self.amplitude * self.phase.sin();
        self.phase += self.step;
        if self.phase >= TAU {
            self.phase -= TAU;
        }
        value
    }
}

/// Weights of a raised-cosine fade: index 0 is silence, index [`FADE_SAMPLES`] is full.
#[derive(Debug, Clone)]
pub struct Fade {
    weights: [f32; FADE_SAMPLES + 1],
}

impl Fade {
    /// The table; both ends are exact.
    #[must_use]
    pub fn new() -> Self {
        let mut weights = [0.0; FADE_SAMPLES + 1];
        for (position, weight) in weights.iter_mut().enumerate() {
            let share = sample::count_f32(position) / sample::count_f32(FADE_SAMPLES);
            *weight = 0.5 - 0.5 * (PI * share).cos();
        }
        weights[0] = 0.0;
        weights[FADE_SAMPLES] = 1.0;
        Self { weights }
    }

    /// The weight at `position`; positions beyond the end are full.
    #[must_use]
    pub fn weight(&self, position: usize) -> f32 {
        self.weights[position.min(FADE_SAMPLES)]
    }
}

impl Default for Fade {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flat_tone_has_its_level() {
        let mut tone = FlatTone::new(FLAT_TONE_HZ);
        let sum: f32 = (0..8_000).map(|_| tone.next_sample().powi(2)).sum();
        assert!((Law::Mu.dbm0(sum / 8_000.0) - FLAT_TONE_DBM0).abs() < 0.05);
    }

    #[test]
    fn frequencies_near_the_keypad_are_refused() {
        assert!((FlatTone::new(697.0).step - FlatTone::new(620.0).step).abs() < f32::EPSILON);
    }

    #[test]
    fn fades_begin_at_nothing_and_end_at_full() {
        let fade = Fade::new();
        assert!(fade.weight(0).abs() < f32::EPSILON);
        assert!((fade.weight(FADE_SAMPLES) - 1.0).abs() < f32::EPSILON);
        assert!((fade.weight(FADE_SAMPLES / 2) - 0.5).abs() < 1e-6);
        assert!((fade.weight(1_000) - 1.0).abs() < f32::EPSILON);
    }
}
