//! Two tones of the keypad in 25 ms of audio, found by correlation alone.
//! Owns: its templates, its window, its limits.
//! Never: shares code, a window or a threshold with the mask; remembers which pair it was.
//!
//! A block of 2.5 ms is correlated with the eight tones; two blocks make a group of 5 ms, five groups the window. The groups say how
//! much of the window two tones may explain at most. Only then are the groups added in phase, 25 ms long, at each frequency that a tone may
//! have; and only where that leaves little, both tones are fitted to the samples themselves.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use crate::g711::{Law, SAMPLE_RATE_HZ};
use crate::sample;

/// Tones of the keypad (ITU-T Q.23): four rows, then four columns.
const TONES_HZ: [f64; TONES] = [
    697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0,
];
const TONES: usize = 8;
const ROWS: usize = 4;

/// Samples of a block: 2.5 ms. A tone of 25 ms and one block fills a window wherever the blocks are cut, and what is left of a packet
/// after its last whole block is shorter than one: 200 + 2 x 20 samples are 30 ms.
pub(super) const BLOCK: usize = 20;

/// Blocks of the window: 25 ms (S33).
const BLOCKS: usize = 10;
const SAMPLES: usize = BLOCKS * BLOCK;

/// Groups of two blocks in a window.
const GROUPS: usize = BLOCKS / 2;

/// Least part of its fair share of the window's energy that a block must hold, or the tone is shorter than the window. The slowest beat of two
/// tones, 941 with 1,209 Hz, leaves a block of them at least 0.59 of its share.
const BLOCK_SHARE_LEAST: f32 = 0.2;

/// Least part of the window's energy that the best row and column may explain, group by group: a tone off by 2.5 % keeps 0.87 within
/// a group (41 Hz x 5 ms), noise 12 dB below leaves 0.94 of that.
const LOOSE_SHARE_LEAST: f32 = 0.75;

/// The same in phase over the whole window: to both losses above (0.82 where the high tone is all the energy) come the next frequency looked at
/// (0.97) and what each tone has of the other in 25 ms (0.95).
const NEAR_SHARE_LEAST: f32 = 0.75;

/// Least part that both tones explain when they are fitted together: noise 12 dB below and the next frequency leave 0.91, the least of 20,000 such
/// presses 0.90. Voices with two strong harmonics come to 0.80 in fifteen hours, and 20 ms of tone in 25 ms of window to as much.
const SHARE_LEAST: f32 = 0.85;

/// Least level of each tone. Administrations set the operate limit of Q.24 between -24 and -30 dBm; 6 dB of margin.
const LEVEL_DBM0_LEAST: f32 = -36.0;

/// Greatest ratio of the tones' power, either way: 12 dB. An administration accepts 10 dB in Q.24, and side lobes of the strong tone (6 % of its
/// amplitude) can take 2 dB off the weak one.
const TWIST_MAX: f32 = 16.0;

/// Least part of the window's energy that the weaker tone has: with the stronger, at most [`TWIST_MAX`] of it, it has [`NEAR_SHARE_LEAST`]. A
/// thousandth less, for rounding.
const WEAKER_SHARE_LEAST: f32 = 0.999 * NEAR_SHARE_LEAST / (1.0 + TWIST_MAX);

/// Greatest deviation of a tone: between the operate (1.5 %) and the non-operate limit (3.5 %) of Q.24.
const DEVIATION_MAX: f64 = 0.025;

/// Frequencies looked at for each tone: steps of 0.5 %, so that the next is at most 4 Hz away, which costs 3 % of the energy in 25 ms.
const TURNS: usize = 11;
const NOMINAL: usize = TURNS / 2;

/// Energies of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// A valid pair fills it.
    pub(super) pair: bool,
    /// Sum of squares of its samples.
    pub(super) energy: f32,
    /// The part of it within 20 Hz of the eight tones.
    pub(super) bands: f32,
}

/// One value for each of the eight tones.
type Eight = [f32; TONES];

/// Complex values of the eight tones.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Phasors {
    re: Eight,
    im: Eight,
}

impl Phasors {
    const ZERO: Self = Self {
        re: [0.0; TONES],
        im: [0.0; TONES],
    };

    fn at(&self, tone: usize) -> (f32, f32) {
        (self.re[tone], self.im[tone])
    }

    /// Each turned by its turn, and another added to it.
    fn turned(&self, turn: &Self, plus: &Self) -> Self {
        let mut turned = Self::ZERO;
        for tone in 0..TONES {
            let one = (self.re[tone], self.im[tone]);
            let (re, im) = times(one, (turn.re[tone], turn.im[tone]));
            turned.re[tone] = re + plus.re[tone];
            turned.im[tone] = im + plus.im[tone];
        }
        turned
    }

    fn add_powers(&self, sums: &mut Eight) {
        for (tone, sum) in sums.iter_mut().enumerate() {
            *sum += power((self.re[tone], self.im[tone]));
        }
    }
}

/// Half of a block: waves about its middle, where sums of samples meet cosines and differences meet sines.
const HALF: usize = BLOCK / 2;

/// What the tones look like.
struct Templates {
    /// Cosines and negative sines at each distance from a block's middle.
    waves: [Phasors; HALF],
    /// How each turns back in one block.
    block: Phasors,
    /// Radians a sample at each frequency looked at, and how it turns back in one group: by frequency, and by tone.
    radians: [[f64; TURNS]; TONES],
    turns: [Phasors; TURNS],
    turns_of: [[(f32, f32); TURNS]; TONES],
    /// Least sum of squares of a tone in phase over the window, and of a block worth a look.
    tone_least: f32,
    block_least: f32,
}

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

impl Templates {
    fn new() -> Self {
        let step = TONES_HZ.map(|hz| TAU * hz / f64::from(SAMPLE_RATE_HZ));
        let all = |angle: &dyn Fn(f64) -> f64| {
            let phasors = step.map(|step| phasor(angle(step)));
            Phasors {
                re: phasors.map(|(re, _)| re),
                im: phasors.map(|(_, im)| im),
            }
        };
        let deviation =
            |turn| DEVIATION_MAX * (sample::count_f64(turn) / sample::count_f64(NOMINAL) - 1.0);
        let back = |step: f64, turn: usize| {
            -(step * (1.0 + deviation(turn))) * sample::count_f64(2 * BLOCK)
        };
        let turns: [Phasors; TURNS] = std::array::from_fn(|turn| all(&|step| back(step, turn)));
        let amplitude = Law::Mu.amplitude(LEVEL_DBM0_LEAST);
        let tone_least = amplitude * amplitude / 2.0 * sample::count_f32(SAMPLES);
        Self {
            waves: std::array::from_fn(|at| all(&|step| -step * (sample::count_f64(at) + 0.5))),
            block: all(&|step| -step * sample::count_f64(BLOCK)),
            radians: step.map(|step| std::array::from_fn(|turn| step * (1.0 + deviation(turn)))),
            turns_of: std::array::from_fn(|tone| turns.each_ref().map(|turn| turn.at(tone))),
            turns,
            tone_least,
            block_least: 2.0 * tone_least / sample::count_f32(BLOCKS) * BLOCK_SHARE_LEAST,
        }
    }
}

/// The detector.
#[derive(Debug, Clone)]
pub(super) struct PairDetector {
    filled: usize,
    /// Of the last blocks: their samples, their energy. The next block is filled in the oldest's place.
    samples: [[i16; BLOCK]; BLOCKS],
    energies: [f32; BLOCKS],
    /// The tones in the newest block, and in the groups that end with each block, at the phase of a group's first block.
    tones: Phasors,
    groups: [Phasors; BLOCKS],
    newest: usize,
}

impl PairDetector {
    pub(super) fn new() -> Self {
        Self {
            filled: 0,
            samples: [[0; BLOCK]; BLOCKS],
            energies: [0.0; BLOCKS],
            tones: Phasors::ZERO,
            groups: [Phasors::ZERO; BLOCKS],
            newest: 0,
        }
    }

    /// See [`crate::relay::Relay::look`].
    pub(super) fn look(&self) -> u64 {
        let groups = self.groups.iter().map(|group| group.re[0].to_bits());
        let seen = groups.fold(0, |seen, bits| seen ^ u64::from(bits));
        let blocks = self.samples.iter().map(|block| block[0].cast_unsigned());
        blocks.fold(seen, |seen, value| seen ^ u64::from(value))
    }

    /// Takes the samples of a payload, or samples themselves; each block that they complete ends a window, which goes to `judged`.
    pub(super) fn push<T>(
        &mut self,
        payload: &[T],
        mut decode: impl FnMut(&[T], &mut [i16]) -> usize,
        mut judged: impl FnMut(Window),
    ) {
        let templates = &*TEMPLATES;
        let mut rest = payload;
        while !rest.is_empty() {
            let block = &mut self.samples[next(self.newest)];
            let taken = decode(rest, &mut block[self.filled..]);
            rest = &rest[taken..];
            self.filled += taken;
            if self.filled == BLOCK {
                self.filled = 0;
                self.end_block(templates);
                judged(self.window(templates));
            }
        }
    }

    fn end_block(&mut self, templates: &Templates) {
        self.newest = next(self.newest);
        let (even, odd) = folded(&self.samples[self.newest]);
        // The squares of a sum and a difference are twice those of both samples.
        let energy = (sum_of_squares(&even) + sum_of_squares(&odd)) / 2.0;
        let mut tones = Phasors::ZERO;
        if energy >= templates.block_least {
            for at in 0..HALF {
                let wave = &templates.waves[at];
                for tone in 0..TONES {
                    tones.re[tone] += even[at] * wave.re[tone];
                    tones.im[tone] += odd[at] * wave.im[tone];
                }
            }
        }
        self.energies[self.newest] = energy;
        self.groups[self.newest] = tones.turned(&templates.block, &self.tones);
        self.tones = tones;
    }

    fn window(&self, templates: &Templates) -> Window {
        let energy: f32 = self.energies.iter().sum();
        let bands = if self.newest == 0 {
            self.bands(templates).min(energy)
        } else {
            0.0
        };
        Window {
            pair: self.is_pair(energy, templates),
            energy: if self.newest == 0 { energy } else { 0.0 },
            bands,
        }
    }

    fn is_pair(&self, energy: f32, templates: &Templates) -> bool {
        let least = energy / sample::count_f32(BLOCKS) * BLOCK_SHARE_LEAST;
        let least = least.max(templates.block_least);
        if self.energies.iter().any(|block| *block < least) {
            return false;
        }
        let mut loose = [0.0; TONES];
        for back in 0..GROUPS {
            self.group(back).add_powers(&mut loose);
        }
        // A tone of amplitude a has a group's power of (a x 20)^2 and an energy of 20 a^2 in it.
        let row = strongest(&loose[..ROWS]).1 / sample::count_f32(BLOCK);
        let column = strongest(&loose[ROWS..]).1 / sample::count_f32(BLOCK);
        if row + column < LOOSE_SHARE_LEAST * energy {
            return false;
        }
        // In phase over the window a tone has no more than group by group (Cauchy and Schwarz).
        let weaker_least = (0.999 * templates.tone_least).max(WEAKER_SHARE_LEAST * energy);
        if row.min(column) < weaker_least {
            return false;
        }
        let [row, column] = self.strongest_tones(templates);
        let weaker = row.energy.min(column.energy);
        weaker >= templates.tone_least
            && row.energy.max(column.energy) <= TWIST_MAX * weaker
            && row.energy + column.energy >= NEAR_SHARE_LEAST * energy
            && self.explained(row.radians(templates), column.radians(templates))
                >= SHARE_LEAST * energy
    }

    /// The strongest row and column. Which they are shows at every fourth of their frequencies; 5 ms do not tell a weak row from the side
    /// lobes of a strong column.
    fn strongest_tones(&self, templates: &Templates) -> [Strongest; 2] {
        let mut most = [0.0_f32; TONES];
        for turn in templates.turns.iter().skip(1).step_by(4) {
            let energies = self.in_phase(turn);
            for (most, energy) in most.iter_mut().zip(energies) {
                *most = most.max(energy);
            }
        }
        let row = strongest(&most[..ROWS]).0;
        let column = ROWS + strongest(&most[ROWS..]).0;
        [row, column].map(|tone| self.tone(tone, templates))
    }

    /// A tone in phase over the window, at the frequency that has most.
    fn tone(&self, tone: usize, templates: &Templates) -> Strongest {
        let turns = &templates.turns_of[tone];
        let mut sums = [(0.0, 0.0); TURNS];
        // Newest first: each older group turns all before it back once more.
        for back in 0..GROUPS {
            let group = self.group(back).at(tone);
            for (sum, turn) in sums.iter_mut().zip(turns) {
                let turned = times(*sum, *turn);
                *sum = (turned.0 + group.0, turned.1 + group.1);
            }
        }
        let powers = sums.map(power);
        let (turn, power) = strongest(&powers);
        Strongest {
            tone,
            turn,
            energy: power / HALF_SAMPLES,
        }
    }

    /// Energy of each tone at one of its frequencies.
    fn in_phase(&self, turn: &Phasors) -> Eight {
        let mut sum = Phasors::ZERO;
        // Newest first: each older group turns all before it back once more.
        for back in 0..GROUPS {
            sum = sum.turned(turn, self.group(back));
        }
        let mut powers = [0.0; TONES];
        sum.add_powers(&mut powers);
        powers.map(|power| power / HALF_SAMPLES)
    }

    /// Energy that tones of so many radians a sample explain together, by least squares. About the window's middle cosines and sines are
    /// orthogonal, so each kind is fitted for itself.
    fn explained(&self, low: f64, high: f64) -> f32 {
        let half = sample::count_f64(SAMPLES - 1) / 2.0;
        let (mut one, mut other) = (phasor(-half * low), phasor(-half * high));
        let (one_step, other_step) = (phasor(low), phasor(high));
        let (mut cosines, mut sines) = (Fit::default(), Fit::default());
        for age in (0..BLOCKS).rev() {
            for value in &self.samples[(self.newest + BLOCKS - age) % BLOCKS] {
                cosines.add(f32::from(*value), one.0, other.0);
                sines.add(f32::from(*value), one.1, other.1);
                (one, other) = (times(one, one_step), times(other, other_step));
            }
        }
        cosines.explained() + sines.explained()
    }

    fn bands(&self, templates: &Templates) -> f32 {
        self.in_phase(&templates.turns[NOMINAL]).iter().sum()
    }

    /// The tones in the group that ended `back` groups ago: two blocks, at the phase of the first.
    fn group(&self, back: usize) -> &Phasors {
        &self.groups[(self.newest + BLOCKS - 2 * back) % BLOCKS]
    }
}

/// What a tone's power in phase over the window is of its energy in it.
const HALF_SAMPLES: f32 = 100.0;
const _: () = assert!(SAMPLES == 200);

/// The place after this one.
fn next(place: usize) -> usize {
    (place + 1) % BLOCKS
}

/// Sums and differences of samples at the same distance from a block's middle, the innermost first.
fn folded(block: &[i16; BLOCK]) -> ([f32; HALF], [f32; HALF]) {
    let samples = block.map(f32::from);
    let pair = |at: usize| (samples[HALF + at], samples[HALF - 1 - at]);
    (
        std::array::from_fn(|at| pair(at).0 + pair(at).1),
        std::array::from_fn(|at| pair(at).0 - pair(at).1),
    )
}

/// In two sums, so that an addition need not wait for the one before.
fn sum_of_squares(values: &[f32; HALF]) -> f32 {
    let (mut one, mut two) = (0.0, 0.0);
    for pair in values.chunks_exact(2) {
        one += pair[0] * pair[0];
        two += pair[1] * pair[1];
    }
    one + two
}

/// The strongest of some tones and frequencies.
#[derive(Debug, Clone, Copy)]
struct Strongest {
    tone: usize,
    turn: usize,
    energy: f32,
}

impl Strongest {
    fn radians(&self, templates: &Templates) -> f64 {
        templates.radians[self.tone][self.turn]
    }
}

/// Products of samples and of two waves with each other.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    one: f32,
    other: f32,
    both: f32,
    value_one: f32,
    value_other: f32,
}

impl Fit {
    fn add(&mut self, value: f32, one: f32, other: f32) {
        self.one += one * one;
        self.other += other * other;
        self.both += one * other;
        self.value_one += value * one;
        self.value_other += value * other;
    }

    /// Energy that both waves explain, each as strong as fits best. No two tones are so near that they are one.
    fn explained(&self) -> f32 {
        let square = self.other * self.value_one * self.value_one
            + self.one * self.value_other * self.value_other
            - 2.0 * self.both * self.value_one * self.value_other;
        square / (self.one * self.other - self.both * self.both)
    }
}

/// Which is the strongest, the first of equal ones, and its power.
fn strongest(powers: &[f32]) -> (usize, f32) {
    let mut best = (0, 0.0);
    for (place, power) in powers.iter().enumerate() {
        if *power > best.1 {
            best = (place, *power);
        }
    }
    best
}

fn phasor(angle: f64) -> (f32, f32) {
    (sample::narrow(angle.cos()), sample::narrow(angle.sin()))
}

fn times(one: (f32, f32), other: (f32, f32)) -> (f32, f32) {
    (
        one.0 * other.0 - one.1 * other.1,
        one.0 * other.1 + one.1 * other.0,
    )
}

fn power(value: (f32, f32)) -> f32 {
    value.0 * value.0 + value.1 * value.1
}
