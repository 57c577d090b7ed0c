//! A voice that nobody owns: vowels, syllables and pauses made from a seed.
//! Owns: the glottal pulse, three resonances, the rhythm.
//! Never: says anything, or sounds like a key.

/// Samples a second.
const RATE_HZ: f32 = 8_000.0;

/// The consumer's voice: seed, and pitch in Hz. At 190 Hz two harmonics pass for a pair of tones once a second, and whoever listens for
/// keys in it would hear some that nobody pressed.
pub(crate) const CONSUMER_VOICE: (u64, f32) = (7, 210.0);

/// The agent's voice.
pub(crate) const AGENT_VOICE: (u64, f32) = (11, 120.0);

/// Formants of five vowels, in Hz: a, e, i, o, u of an adult.
const VOWELS: [[f32; 3]; 5] = [
    [730.0, 1_090.0, 2_440.0],
    [530.0, 1_840.0, 2_480.0],
    [270.0, 2_290.0, 3_010.0],
    [570.0, 840.0, 2_410.0],
    [300.0, 870.0, 2_240.0],
];

/// Loudness of a syllable's middle, in 16-bit units: about -20 dBm0.
const LOUDNESS: f32 = 2_600.0;

/// A resonance of the throat: two poles.
#[derive(Debug, Clone, Copy, Default)]
struct Resonance {
    gain: f32,
    first: f32,
    second: f32,
    past: [f32; 2],
}

impl Resonance {
    fn tune(&mut self, frequency_hz: f32, width_hz: f32) {
        let radius = (-std::f32::consts::PI * width_hz / RATE_HZ).exp();
        self.first = 2.0 * radius * (std::f32::consts::TAU * frequency_hz / RATE_HZ).cos();
        self.second = -radius * radius;
        self.gain = 1.0 - self.first - self.second;
    }

    fn step(&mut self, input: f32) -> f32 {
        let output = self.gain * input + self.first * self.past[0] + self.second * self.past[1];
        self.past = [output, self.past[0]];
        output
    }
}

/// A talker.
#[derive(Debug, Clone)]
pub struct Speech {
    random: u64,
    pitch_hz: f32,
    phase: f32,
    left: u32,
    length: u32,
    voiced: bool,
    resonances: [Resonance; 3],
}

impl Speech {
    /// A talker of this seed and pitch, 80-250 Hz.
    #[must_use]
    pub fn new(seed: u64, pitch_hz: f32) -> Self {
        Self {
            random: seed | 1,
            pitch_hz,
            phase: 0.0,
            left: 0,
            length: 1,
            voiced: false,
            resonances: [Resonance::default(); 3],
        }
    }

    /// Fills a frame.
    pub fn fill(&mut self, frame: &mut [i16]) {
        for sample in frame {
            *sample = media::sample::from_f32(self.next());
        }
    }

    fn next(&mut self) -> f32 {
        if self.left == 0 {
            self.next_syllable();
        }
        self.left -= 1;
        if !self.voiced {
            return self.noise() * 6.0;
        }
        self.phase += self.pitch_hz / RATE_HZ;
        let pulse = if self.phase >= 1.0 {
            self.phase -= 1.0;
            12.0
        } else {
            -0.15
        };
        let excited = pulse + self.noise() * 0.3;
        let voice = self
            .resonances
            .iter_mut()
            .fold(excited, |value, resonance| resonance.step(value));
        let place =
            media::sample::count_f32(media::sample::length(u64::from(self.length - self.left)));
        let whole = media::sample::count_f32(media::sample::length(u64::from(self.length)));
        let envelope = (std::f32::consts::PI * place / whole).sin();
        (voice * envelope * LOUDNESS).clamp(-12_000.0, 12_000.0)
    }

    fn next_syllable(&mut self) {
        let pause = self.pick(4) == 0;
        self.voiced = !pause;
        self.length = if pause {
            1_600 + self.pick(4_000)
        } else {
            900 + self.pick(1_200)
        };
        self.left = self.length;
        let vowel = VOWELS[usize::try_from(self.pick(5)).unwrap_or(0)];
        for (resonance, frequency_hz) in self.resonances.iter_mut().zip(vowel) {
            resonance.tune(frequency_hz, 60.0 + frequency_hz * 0.05);
        }
    }

    fn noise(&mut self) -> f32 {
        media::sample::count_f32(media::sample::length(u64::from(self.pick(2_001)))) / 1_000.0 - 1.0
    }

    /// A number below `bound`.
    fn pick(&mut self, bound: u32) -> u32 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.random >> 33).unwrap_or(0) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::dtmf::inband::loose::LooseDetector;

    /// Ten minutes, longer than any call of the tests.
    const SAMPLES: usize = 4_800_000;

    #[test]
    fn both_voices_are_heard_and_hold_no_key() {
        for (seed, pitch_hz) in [CONSUMER_VOICE, AGENT_VOICE] {
            let mut samples = vec![0; SAMPLES];
            Speech::new(seed, pitch_hz).fill(&mut samples);
            let loud = samples
                .iter()
                .filter(|sample| sample.unsigned_abs() > 300)
                .count();
            assert!(loud > SAMPLES / 5, "{loud} loud samples");
            assert_eq!(LooseDetector::scan(&samples), [], "pitch {pitch_hz} Hz");
        }
    }
}
