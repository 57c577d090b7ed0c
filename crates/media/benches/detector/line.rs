//! Telephone lines with keys on them, sample by sample.
//! Owns: tones, noise and pauses as a sweep wants them, and which keys were put in.
//! Never: asks a detector; knows a threshold.

use media::dtmf::inband::keypad::{HIGH_HZ, LOW_HZ};
use media::g711::{Law, SAMPLE_RATE_HZ};
use media::sample;

/// Samples of one packet of 20 ms.
pub(crate) const FRAME: usize = 160;

/// Samples of a millisecond.
pub(crate) const MILLISECOND: usize = 8;

/// The quiet of a telephone line behind every sweep.
const LINE_NOISE_DBM0: f64 = -70.0;

/// A key, 0-15: row times four plus column.
pub(crate) type KeyIndex = usize;

/// How one press sounds.
#[derive(Clone, Copy)]
pub(crate) struct Tone {
    /// Level of the low tone.
    pub(crate) low_dbm0: f64,
    /// Level of the high tone.
    pub(crate) high_dbm0: f64,
    /// Deviation of the low tone, as a fraction.
    pub(crate) low_deviation: f64,
    /// Deviation of the high tone, as a fraction.
    pub(crate) high_deviation: f64,
    /// Length in samples.
    pub(crate) len: usize,
}

impl Tone {
    /// Both tones at -10 dBm0, exact, 50 ms.
    pub(crate) const PLAIN: Self = Self {
        low_dbm0: -10.0,
        high_dbm0: -10.0,
        low_deviation: 0.0,
        high_deviation: 0.0,
        len: 50 * MILLISECOND,
    };

    /// Frequencies of both tones of a press of `key`.
    pub(crate) fn hz(&self, key: KeyIndex) -> [f64; 2] {
        [
            LOW_HZ[key / 4] * (1.0 + self.low_deviation),
            HIGH_HZ[key % 4] * (1.0 + self.high_deviation),
        ]
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 up to 1.
    pub(crate) fn share(&mut self) -> f64 {
        let high = u32::try_from(self.bits() >> 32).unwrap_or(0);
        f64::from(high) / 4_294_967_296.0
    }

    /// 0 up to `end`, not reached.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = sample::span(end).max(1);
        sample::length(self.bits() % end)
    }

    /// Of mean 0 and variance 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// A line being written.
pub(crate) struct Line {
    exact: Vec<f64>,
    /// Keys put in, in order.
    pub(crate) keys: Vec<KeyIndex>,
    /// First sample of each key.
    pub(crate) starts: Vec<usize>,
    dice: Dice,
}

impl Line {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            exact: Vec::new(),
            keys: Vec::new(),
            starts: Vec::new(),
            dice: Dice::new(seed),
        }
    }

    /// Sixteen keys in shuffled order, `rounds` times, never one twice in a row; before each a pause of `pause` samples and up to a frame more,
    /// so that presses meet a detector's blocks at every phase.
    pub(crate) fn press_all(&mut self, rounds: usize, tone: Tone, pause: usize) {
        for _ in 0..rounds {
            for key in self.shuffled() {
                let jitter = self.dice.below(FRAME);
                self.pause(pause + jitter);
                self.press(key, tone);
            }
        }
        self.pause(pause);
    }

    /// All sixteen, beginning with another one than was pressed last.
    pub(crate) fn shuffled(&mut self) -> [KeyIndex; 16] {
        let mut keys: [KeyIndex; 16] = std::array::from_fn(|key| key);
        for place in (1..16).rev() {
            keys.swap(place, self.dice.below(place + 1));
        }
        if self.keys.last() == Some(&keys[0]) {
            keys.swap(0, 8);
        }
        keys
    }

    /// Up to `end` samples, not reached.
    pub(crate) fn jitter(&mut self, end: usize) -> usize {
        self.dice.below(end)
    }

    pub(crate) fn pause(&mut self, len: usize) {
        self.exact.resize(self.exact.len() + len, 0.0);
    }

    /// A counted press.
    pub(crate) fn press(&mut self, key: KeyIndex, tone: Tone) {
        self.keys.push(key);
        self.starts.push(self.exact.len());
        self.sound(key, tone);
    }

    /// The tones of a press, not counted.
    pub(crate) fn sound(&mut self, key: KeyIndex, tone: Tone) {
        let [low_hz, high_hz] = tone.hz(key);
        let (low, high) = (peak(tone.low_dbm0), peak(tone.high_dbm0));
        let (low_phase, high_phase) = (self.dice.share(), self.dice.share());
        let first = self.exact.len();
        self.exact
            .extend((0..tone.len).map(|at| {
                low * wave(low_hz, at, low_phase) + high * wave(high_hz, at, high_phase)
            }));
        debug_assert!(self.exact.len() == first + tone.len);
    }

    /// The last `len` samples of the line are silenced.
    pub(crate) fn interrupt(&mut self, from_end: usize, len: usize) {
        let end = self.exact.len() - from_end;
        self.exact[end - len..end].fill(0.0);
    }

    /// A steady tone under everything so far.
    pub(crate) fn add_tone(&mut self, hz: f64, dbm0: f64) {
        let (peak, phase) = (peak(dbm0), self.dice.share());
        for (at, value) in self.exact.iter_mut().enumerate() {
            *value += peak * wave(hz, at, phase);
        }
    }

    /// White noise under everything so far.
    pub(crate) fn add_noise(&mut self, dbm0: f64) {
        let deviation = peak(dbm0) / std::f64::consts::SQRT_2;
        for value in &mut self.exact {
            *value += deviation * self.dice.normal();
        }
    }

    /// White noise under the presses alone, from the first to the last sample of each.
    pub(crate) fn add_noise_to_presses(&mut self, dbm0: f64, len: usize) {
        let deviation = peak(dbm0) / std::f64::consts::SQRT_2;
        for start in &self.starts {
            for value in self.exact.iter_mut().skip(*start).take(len) {
                *value += deviation * self.dice.normal();
            }
        }
    }

    /// The line as it arrives: with its quiet noise, in mu-law and back.
    pub(crate) fn heard(&mut self) -> Vec<i16> {
        let deviation = peak(LINE_NOISE_DBM0) / std::f64::consts::SQRT_2;
        let dice = &mut self.dice;
        self.exact
            .iter()
            .map(|value| companded(value + deviation * dice.normal()))
            .collect()
    }
}

/// One sample in mu-law and back.
pub(crate) fn companded(exact: f64) -> i16 {
    let linear = sample::from_f32(sample::narrow(exact));
    Law::Mu.decode_byte(Law::Mu.encode_sample(linear))
}

fn peak(dbm0: f64) -> f64 {
    f64::from(Law::Mu.amplitude(sample::narrow(dbm0)))
}

fn wave(hz: f64, at: usize, phase: f64) -> f64 {
    let turns = hz * sample::count_f64(at) / f64::from(SAMPLE_RATE_HZ) + phase;
    (std::f64::consts::TAU * turns).sin()
}
