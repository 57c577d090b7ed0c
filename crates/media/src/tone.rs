//! Tones that we make: the flat one that stands for every key, and those of a keypad, for simulator and tests.
//! Owns: the oscillators and the raised-cosine table.
//! Never: lets the flat tone depend on which key was pressed.

use std::f32::consts::PI;
use std::sync::LazyLock;

use crate::dtmf::inband::keypad::{HIGH_HZ, LOW_HZ, Pair};
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

/// A sine of fixed frequency and level, a function of the timeline alone: two masks that cover a sample are equal there, whatever each covers
/// before it, so that nothing of the tone's phase tells when a key was found.
#[derive(Debug, Clone)]
pub struct FlatTone {
    amplitude: f32,
    hz: u64,
}

impl FlatTone {
    /// A tone of `frequency_hz`, rounded to whole Hertz, at −16 dBm0. Frequencies outside [`FLAT_TONE_HZ_RANGE`] are moved to its nearer end.
    #[must_use]
    pub fn new(frequency_hz: f32) -> Self {
        Self::at_level(frequency_hz, FLAT_TONE_DBM0)
    }

    /// The same at another level.
    #[must_use]
    pub fn at_level(frequency_hz: f32, dbm0: f32) -> Self {
        let frequency_hz =
            frequency_hz.clamp(*FLAT_TONE_HZ_RANGE.start(), *FLAT_TONE_HZ_RANGE.end());
        Self {
            amplitude: Law::Mu.amplitude(dbm0),
            hz: u64::from(sample::round_to_u32(frequency_hz)),
        }
    }

    /// The sample of timestamp `ts`, in 16-bit linear units.
    #[must_use]
    pub fn at(&self, ts: u64) -> f32 {
        let second = u64::from(SAMPLE_RATE_HZ);
        let turn = sample::length((ts % second) * self.hz % second);
        self.amplitude * SINE[turn]
    }
}

/// One turn of a sine in steps of 1 Hz at 8 kHz: every whole frequency is exact, and is periodic in one second.
static SINE: LazyLock<Box<[f32]>> = LazyLock::new(|| {
    let steps = sample::length(u64::from(SAMPLE_RATE_HZ));
    let angle = |step| std::f64::consts::TAU * sample::count_f64(step) / f64::from(SAMPLE_RATE_HZ);
    (0..steps)
        .map(|step| sample::narrow(angle(step).sin()))
        .collect()
});

/// How a keypad sounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyToneShape {
    /// Level of the low tone.
    pub low_dbm0: f32,
    /// How much louder the high tone is, in dB; negative: quieter.
    pub twist_db: f32,
    /// Deviation of the low tone from its frequency, as a fraction: 0.015 is 1.5 %.
    pub low_deviation: f64,
    /// The same of the high tone.
    pub high_deviation: f64,
}

impl Default for KeyToneShape {
    /// Exact frequencies at -9 and -7 dBm0, as a telephone sends them.
    fn default() -> Self {
        Self {
            low_dbm0: -9.0,
            twist_db: 2.0,
            low_deviation: 0.0,
            high_deviation: 0.0,
        }
    }
}

/// The two tones of a key (ITU-T Q.23), sample by sample, from phase zero. For simulator, self-checks and tests, and for keys that an
/// agent presses on the page; a relay never makes one towards the agent.
#[derive(Debug, Clone)]
pub struct KeyTone {
    low: Sine,
    high: Sine,
}

#[derive(Debug, Clone)]
struct Sine {
    amplitude: f64,
    step: f64,
    phase: f64,
}

impl Sine {
    fn new(frequency_hz: f64, dbm0: f32) -> Self {
        Self {
            amplitude: f64::from(Law::Mu.amplitude(dbm0)),
            step: std::f64::consts::TAU * frequency_hz / f64::from(SAMPLE_RATE_HZ),
            phase: 0.0,
        }
    }

    fn next_value(&mut self) -> f64 {
        let value = self.amplitude * self.phase.sin();
        self.phase = (self.phase + self.step) % std::f64::consts::TAU;
        value
    }
}

impl KeyTone {
    /// The tones of `pair`.
    #[must_use]
    pub fn new(pair: Pair, shape: KeyToneShape) -> Self {
        let low_hz = LOW_HZ[pair.row()] * (1.0 + shape.low_deviation);
        let high_hz = HIGH_HZ[pair.column()] * (1.0 + shape.high_deviation);
        Self {
            low: Sine::new(low_hz, shape.low_dbm0),
            high: Sine::new(high_hz, shape.low_dbm0 + shape.twist_db),
        }
    }

    /// The next sample, in 16-bit linear units; louder than full scale if both tones are.
    pub fn next_sample(&mut self) -> f32 {
        sample::narrow(self.low.next_value() + self.high.next_value())
    }

    /// Adds the next samples to `linear`; the sum saturates.
    pub fn add_to(&mut self, linear: &mut [i16]) {
        for value in linear {
            *value = value.saturating_add(sample::from_f32(self.next_sample()));
        }
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
        let tone = FlatTone::new(FLAT_TONE_HZ);
        let sum: f32 = (0..8_000).map(|ts| tone.at(ts).powi(2)).sum();
        assert!((Law::Mu.dbm0(sum / 8_000.0) - FLAT_TONE_DBM0).abs() < 0.05);
    }

    #[test]
    fn frequencies_near_the_keypad_are_refused() {
        assert_eq!(FlatTone::new(697.0).hz, 620);
    }

    #[test]
    fn the_flat_tone_is_the_same_at_a_moment_wherever_it_began() {
        let tone = FlatTone::new(FLAT_TONE_HZ);
        let period = 100;
        for ts in [0, 7, 12_345, u64::MAX / 8_000 * 8_000 + 33] {
            let steps = f32::from(u8::try_from(ts % period).unwrap());
            let angle = std::f32::consts::TAU * FLAT_TONE_HZ * steps / 8_000.0;
            assert!((tone.at(ts) - tone.amplitude * angle.sin()).abs() < 0.1);
        }
    }

    #[test]
    fn a_key_tone_has_the_levels_of_its_shape() {
        let mut tone = KeyTone::new(Pair::new(1, 2), KeyToneShape::default());
        let mut linear = [0; 8_000];
        tone.add_to(&mut linear);
        let sum: f32 = linear.iter().map(|value| f32::from(*value).powi(2)).sum();
        let both = 10.0 * (10.0_f32.powf(-0.9) + 10.0_f32.powf(-0.7)).log10();
        assert!((Law::Mu.dbm0(sum / 8_000.0) - both).abs() < 0.05);
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
