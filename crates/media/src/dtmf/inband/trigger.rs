//! The paranoid detector that drives the mask.
//! Owns: when audio may hold a keypad tone pair, from which sample on, and when it is clean again.
//! Never: reports a digit; a false alarm costs some milliseconds of speech, a miss costs a card number.

use super::analysis::{Analysis, Fit, HOP_SAMPLES, Window};
use super::keypad::Pair;
use crate::g711::Law;
use crate::sample;
use crate::tone::FADE_SAMPLES;

/// Least share of a short window that fires alone. A clean pair within ±3.75 % explains >= 0.97; the short window is there for the first burst of
/// a bouncing key, which the long one cannot see whole, and two harmonics of a voice explain 0.90 of 5 ms every few seconds.
const FIRE_SHORT: f32 = 0.95;

/// Least share of a long window that fires alone. Noise 12 dB down leaves 0.94 on average and, with 60 of its 64 dimensions unexplained, 0.90 at
/// four standard deviations.
const FIRE_LONG: f32 = 0.85;

/// Both windows around a telephone-event: the keypad's own beep reaches the microphone, quieter and beside speech (S24).
const FIRE_HINTED_SHORT: f32 = 0.85;
const FIRE_HINTED_LONG: f32 = 0.78;

/// A pair beside a loud fricative, 5.5 dB under it, explains 0.78 of every window and never more. It fires when both windows agree on the pair
/// so many hops in a row, and it came as a step: what it explains is `STEP` times the whole power before it (4 dB). The long window is full 64
/// samples after the first, and hops end until sample 96, so four of them can be had before the first sample leaves.
const AGREE_SHORT: f32 = 0.70;
const AGREE_LONG: f32 = 0.72;
const AGREE_HOPS: u32 = 4;
const STEP: f32 = 2.5;

/// Hops back to the power before a pair: the long window and the four hops, and one for the edge.
const BEFORE_HOPS: usize = 13;

/// A sound is taken for a key on single windows for this long; then the mean of its newest long windows must be a key's, for two harmonics of a
/// voice keep above 0.85 for some milliseconds and above 0.88 hardly ever. With the windows' own reach, the hang and the fades a voice is masked
/// for less than 30 ms.
const TRIAL_HOPS: u32 = 5;
const MEAN_HOPS: usize = 6;
const MEAN_LEAST: f32 = 0.88;

/// A mean that confirms a key: 12 dB of noise leave 0.94. From then on the same pair at the same level (2 dB) is the key, whatever sounds beside it.
const MEAN_CONFIRMS: f32 = 0.94;
const SAME_LEVEL: f32 = 1.6;

/// Least share of a window that may be part of a key: one third of it may be something else.
const HOLD: f32 = 0.60;

/// Least share that the weaker tone adds. 10 dB of twist leave it 9 %, beside the other tone's leakage in 5 ms no less than 6 %; a voice with one
/// strong harmonic, a dial tone or music add little.
const WEAKER_LEAST: f32 = 0.05;

/// Hops of one pair in a row, at a key's mean, that are a press and no voice: 20 ms. Every key is longer; beside noise it is confirmed by this.
const STEADY_HOPS: u32 = 20;

/// The same of a sound that came as a step out of quiet, as a key does that comes through a room: early echoes cut the share to three quarters.
/// Speech does as much for as long, but seldom as a step.
const STEP_MEAN_LEAST: f32 = 0.75;
const STEP_STEADY_HOPS: u32 = 8;

/// A steady key whose pair goes on at less than a quarter of its power is a room's answer: a key that ends abruptly leaves windows that are
/// part tone, of which the share is the part and the power its square, 0.36 where the share is [`HOLD`].
const TAIL_LEVEL: f32 = 0.25;

/// Beside a faint copy the line's noise is loud: shares asked of a sound are multiplied by what the noise leaves of it, but never by less than this. A
/// copy of -50 dBm0 whose echoes take 3 dB away explains 0.75 of a long window beside noise of -58 dBm0; at 0.75 quiet vowels fire four times as often
/// as at 0.86, at 0.92 two copies of ten thousand are heard.
const CLARITY_LEAST: f32 = 0.86;

/// A press below this level (each tone, as a power of both: -26 dBm0) on a leg that signals keys by events is a microphone's copy.
const COPY_DBM0: f32 = -26.0;

/// A room's answer is waited for after a sound that has lasted for so many hops: the copy of the shortest digit, 23 ms, is in the long window for 30. In two
/// hours of voices one lasts longer that is as quiet and came as a step.
const COPY_HOPS_LEAST: u32 = 24;

/// The same of a sound as quiet as a copy on a leg that signals its keys: in a room one tone may be 17 dB under the other.
const COPY_WEAKER_LEAST: f32 = 0.015;

/// Per-tone floor: below it a press is lost in G.711's smallest steps.
const FLOOR_DBM0: f32 = -58.0;

/// The pair must stand this far above the noise that falls into its own template (12 dB, as a power ratio).
const ABOVE_NOISE: f32 = 15.85;

/// The noise estimate never exceeds this: a long loud sound must not deafen the trigger.
const NOISE_MAX_DBM0: f32 = -40.0;

/// How fast the noise estimate creeps up, per millisecond: 4.3 dB a second.
const NOISE_RISE: f32 = 1.001;

/// Samples masked before the earliest suspected window: the tone's edge and 1 ms of guard.
const BEFORE_SAMPLES: u64 = 24;

/// A pair that came as a step out of quiet, 18 dB, began with the first block 6 dB above the quiet, and there the mask begins, not with the first window
/// that may hold it: which one that is, 8 samples earlier or later, its frequencies decide, and so the mask's beginning told 0.1 bits of each digit to one
/// who knew when it was keyed. One block of noise in ten thousand is 6 dB above its mean; of two tones that begin against each other 268 Hz apart
/// 8 samples are 10 dB below theirs.
const RISE: f32 = 64.0;
const RISE_LOUD: f32 = 4.0;

/// Samples before that block that count as the pair's: two blocks in which it may have swelled.
const RISE_GUARD: usize = 2 * HOP_SAMPLES;

/// What the newest windows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// No window may hold a pair.
    Clean,
    /// A window looks somewhat like a pair: not masked for it, but protection is not left now.
    Suspect,
    /// A key runs: everything from this timestamp to the end of the newest window is to be masked.
    Key {
        /// First sample to mask; earlier ones of the same press were named before.
        from: u64,
        /// It is, or may end as, a microphone's copy of a key that was signalled: a room's answer follows it.
        echoes: bool,
        /// It was confirmed: hardly a voice.
        sure: bool,
    },
}

/// What is known of the leg beside its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// A telephone-event runs, or ended in the last 300 ms; or the codec blurs where a key begins.
    pub hinted: bool,
    /// The leg sends telephone-events and its microphone may hear the keypad: quiet tones in its audio may be copies.
    pub copies: bool,
    /// An event has ended and the mask waits for a clean window: one tone alone may be what a room has left of a copy.
    pub resuming: bool,
}

/// The trigger of one stream. Samples are pushed in the order of the timeline; [`Trigger::break_timeline`] at every gap.
#[derive(Debug, Clone)]
pub struct Trigger {
    analysis: Analysis,
    noise_power: f32,
    floor_power: f32,
    noise_power_max: f32,
    copy_power: f32,
    suspect_from: Option<u64>,
    trial: Option<Trial>,
    agreement: Option<Agreement>,
    shares: [f32; MEAN_HOPS],
    powers: [f32; BEFORE_HOPS],
    running: bool,
}

/// A sound that has fired.
#[derive(Debug, Clone, Copy)]
struct Trial {
    pair: Pair,
    hops: u32,
    /// It came as a step.
    is_step: bool,
    /// Hops in a row with this pair at a key's mean; stays once it is steady.
    steady: u32,
    /// Power that the pair explained when it was confirmed.
    confirmed: Option<f32>,
}

/// Both windows hear the same pair.
#[derive(Debug, Clone, Copy)]
struct Agreement {
    pair: Pair,
    hops: u32,
    power_before: f32,
}

impl Trial {
    fn mean_least(&self) -> f32 {
        if self.is_step {
            STEP_MEAN_LEAST
        } else {
            MEAN_LEAST
        }
    }

    fn shares_tone(&self, pair: Pair) -> bool {
        self.pair.row() == pair.row() || self.pair.column() == pair.column()
    }

    fn is_steady(&self) -> bool {
        let hops = if self.is_step {
            STEP_STEADY_HOPS
        } else {
            STEADY_HOPS
        };
        self.steady >= hops
    }
}

impl Trigger {
    /// A trigger that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        let floor_power = power_of_tone(FLOOR_DBM0);
        Self {
            analysis: Analysis::new(),
            noise_power: floor_power,
            floor_power,
            noise_power_max: power_of_tone(NOISE_MAX_DBM0),
            copy_power: 2.0 * power_of_tone(COPY_DBM0),
            suspect_from: None,
            trial: None,
            agreement: None,
            shares: [0.0; MEAN_HOPS],
            powers: [0.0; BEFORE_HOPS],
            running: false,
        }
    }

    /// Takes the sample before timestamp `end`; every 8th sample of an unbroken stretch ends windows and yields what they say.
    #[inline]
    pub fn push(&mut self, linear: i16, end: u64, context: Context) -> Option<Hearing> {
        self.analysis.push(linear).then(|| self.judge(end, context))
    }

    /// See [`crate::relay::Relay::look`].
    pub(crate) fn look(&self) -> u64 {
        self.analysis.look() ^ u64::from(self.powers[0].to_bits())
    }

    /// Samples still wanted until windows end: 1 to 8.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.analysis.wanted()
    }

    /// As [`Trigger::push`] of one after the other; at most as many as are wanted.
    #[inline]
    pub fn push_all(&mut self, linear: &[i16], end: u64, context: Context) -> Option<Hearing> {
        self.analysis
            .push_all(linear)
            .then(|| self.judge(end, context))
    }

    /// The timeline breaks here: no window spans it. Whether a key was running is forgotten too; the mask remembers.
    pub fn break_timeline(&mut self) {
        self.analysis.reset();
        self.suspect_from = None;
        self.trial = None;
        self.agreement = None;
        self.shares = [0.0; MEAN_HOPS];
        self.powers = [0.0; BEFORE_HOPS];
        self.running = false;
    }

    /// True while a key runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    fn judge(&mut self, end: u64, context: Context) -> Hearing {
        let short = self.suspicion(Window::Short, context);
        let long = self.suspicion(Window::Long, context);
        self.follow_noise(short.is_none() && long.is_none());
        let clarity = self
            .analysis
            .power(Window::Long)
            .map_or(1.0, |power| self.clarity(power, context));
        let mean = self.follow_shares(short, long) / clarity;
        let agrees = self.follow_agreement(short, long, clarity);
        let Some(fit) = long.or(short) else {
            self.suspect_from = None;
            self.trial = None;
            self.running = false;
            return Hearing::Clean;
        };
        let window = if long.is_some() {
            Window::Long
        } else {
            Window::Short
        };
        let begun = self.rise(end, &fit).unwrap_or(window_start(end, window));
        let from = begun.min(self.suspect_from.unwrap_or(end));
        self.suspect_from = Some(from);
        let fired = self.fires(short, long, context) || agrees;
        let may_run = self.follow_trial(&fit, fired, mean) || agrees;
        let echoes = self.echoes(&fit, context);
        self.running = may_run && (fired || self.is_same(&fit)) || echoes && self.is_tail(&fit);
        if !self.running {
            return Hearing::Suspect;
        }
        Hearing::Key {
            from: from.saturating_sub(BEFORE_SAMPLES),
            echoes,
            sure: self.trial.is_some_and(|trial| trial.confirmed.is_some()),
        }
    }

    /// Where a pair began that came as a step out of quiet: the least power of the long windows that ended before the newest began.
    fn rise(&self, end: u64, fit: &Fit) -> Option<u64> {
        let before = self.powers[Window::Long.samples() / HOP_SAMPLES..].iter();
        let quiet = before.fold(f32::MAX, |least, power| least.min(*power));
        let quiet = quiet.max(self.floor_power);
        if fit.share * fit.power < RISE * quiet {
            return None;
        }
        let samples = self.analysis.risen_for(RISE_LOUD * quiet)? + RISE_GUARD;
        Some(end.saturating_sub(sample::span(samples)))
    }

    /// The mean share of the newest long windows; a short one alone is worth no more than a suspicion.
    fn follow_shares(&mut self, short: Option<Fit>, long: Option<Fit>) -> f32 {
        let share = match (short, long) {
            (_, Some(fit)) => fit.share,
            (Some(_), None) => HOLD,
            (None, None) => 0.0,
        };
        put_first(&mut self.shares, share);
        self.shares.iter().sum::<f32>() / sample::count_f32(MEAN_HOPS)
    }

    /// True if both windows have agreed on a pair that came as a step.
    fn follow_agreement(&mut self, short: Option<Fit>, long: Option<Fit>, clarity: f32) -> bool {
        let power = self.analysis.power(Window::Long).unwrap_or(0.0);
        put_first(&mut self.powers, power);
        let (Some(short), Some(long)) = (short, long) else {
            self.agreement = None;
            return false;
        };
        if short.pair != long.pair
            || short.share < AGREE_SHORT * clarity
            || long.share < AGREE_LONG * clarity
        {
            self.agreement = None;
            return false;
        }
        let begun = self.agreement.filter(|before| before.pair == long.pair);
        let agreement = begun.map_or(
            Agreement {
                pair: long.pair,
                hops: 1,
                power_before: self.powers[BEFORE_HOPS - 1],
            },
            |before| Agreement {
                hops: before.hops + 1,
                ..before
            },
        );
        self.agreement = Some(agreement);
        agreement.hops >= AGREE_HOPS && long.share * long.power >= STEP * agreement.power_before
    }

    /// True while what has fired may be a key.
    fn follow_trial(&mut self, fit: &Fit, fired: bool, mean: f32) -> bool {
        let mut trial = match self.trial {
            None if !fired => return false,
            None => Trial {
                pair: fit.pair,
                hops: 0,
                is_step: fit.share * fit.power >= STEP * self.powers[BEFORE_HOPS - 1],
                steady: 0,
                confirmed: None,
            },
            Some(trial) => trial,
        };
        trial.hops += 1;
        if !trial.is_steady() {
            let goes_on = trial.pair == fit.pair && mean >= trial.mean_least();
            trial.steady = if goes_on { trial.steady + 1 } else { 0 };
        }
        if fired {
            trial.pair = fit.pair;
        }
        if mean >= MEAN_CONFIRMS || trial.confirmed.is_none() && trial.is_steady() {
            trial.confirmed = Some(fit.share * fit.power);
        }
        self.trial = Some(trial);
        trial.confirmed.is_some() || trial.hops <= TRIAL_HOPS || mean >= trial.mean_least()
    }

    /// The confirmed pair at its level; of a step at any level.
    fn is_same(&self, fit: &Fit) -> bool {
        if self
            .trial
            .is_some_and(|trial| trial.is_step && trial.shares_tone(fit.pair))
        {
            return true;
        }
        let power = fit.share * fit.power;
        self.confirmed(fit).is_some_and(|confirmed| {
            power < confirmed * SAME_LEVEL && power * SAME_LEVEL > confirmed
        })
    }

    /// The confirmed pair, dying away.
    fn is_tail(&self, fit: &Fit) -> bool {
        self.confirmed(fit)
            .is_some_and(|confirmed| fit.share * fit.power < confirmed * TAIL_LEVEL)
    }

    fn echoes(&self, fit: &Fit, context: Context) -> bool {
        let is_quiet = fit.share * fit.power < self.copy_power;
        let is_steady = self.trial.is_some_and(|trial| {
            trial.is_steady() && trial.hops >= COPY_HOPS_LEAST && trial.shares_tone(fit.pair)
        });
        context.copies && is_steady && (is_quiet || self.is_tail(fit))
    }

    fn confirmed(&self, fit: &Fit) -> Option<f32> {
        let trial = self.trial.filter(|trial| trial.shares_tone(fit.pair))?;
        trial.confirmed
    }

    /// The fit of a window that looks at least somewhat like a pair above floor and noise.
    fn suspicion(&self, window: Window, context: Context) -> Option<Fit> {
        let power = self.analysis.power(window)?;
        let noise_in_template = self.noise_power * 4.0 / sample::count_f32(window.samples());
        if power < self.floor_power.max(noise_in_template * ABOVE_NOISE) {
            return None;
        }
        let weaker_least = if context.resuming {
            0.0
        } else if context.copies && power < self.copy_power {
            COPY_WEAKER_LEAST
        } else {
            WEAKER_LEAST
        };
        self.analysis
            .fit(window, HOLD * self.clarity(power, context))
            .filter(|fit| fit.weaker_share >= weaker_least || self.goes_on(fit.pair))
    }

    /// What a share is multiplied by that is asked of a window of this power: the line's noise counts where copies are listened for.
    fn clarity(&self, power: f32, context: Context) -> f32 {
        if !context.copies || power <= 0.0 {
            return 1.0;
        }
        let noise = self.noise_power.max(self.floor_power);
        (1.0 - noise / power).max(CLARITY_LEAST)
    }

    fn fires(&self, short: Option<Fit>, long: Option<Fit>, context: Context) -> bool {
        let (fire_short, fire_long) = if context.hinted {
            (FIRE_HINTED_SHORT, FIRE_HINTED_LONG)
        } else {
            (FIRE_SHORT, FIRE_LONG)
        };
        let reaches = |fit: Fit, least| fit.share >= least * self.clarity(fit.power, context);
        short.is_some_and(|fit| reaches(fit, fire_short))
            || long.is_some_and(|fit| reaches(fit, fire_long))
    }

    /// One tone of a confirmed key may die in a room while it is held; the other would tell its row or its column.
    fn goes_on(&self, pair: Pair) -> bool {
        self.trial
            .is_some_and(|trial| trial.confirmed.is_some() && trial.shares_tone(pair))
    }

    /// Follows the quietest sound: falls at once, creeps up, never while a pair is suspected.
    fn follow_noise(&mut self, unsuspected: bool) {
        let Some(power) = self.analysis.power(Window::Long) else {
            return;
        };
        if power < self.noise_power {
            self.noise_power = power;
        } else if unsuspected {
            self.noise_power = (self.noise_power * NOISE_RISE)
                .max(1e-3)
                .min(self.noise_power_max);
        }
    }
}

impl Default for Trigger {
    fn default() -> Self {
        Self::new()
    }
}

/// Hops that a press may need before both windows are full; see [`crate::delay_line::HOLD_SAMPLES`].
const _: () = assert!(
    Window::Long.samples() + HOP_SAMPLES + FADE_SAMPLES + 8 == crate::delay_line::HOLD_SAMPLES
);

/// Puts a value before all others; the last one goes.
fn put_first<const LEN: usize>(values: &mut [f32; LEN], value: f32) {
    let before = *values;
    values[1..].copy_from_slice(&before[..LEN - 1]);
    values[0] = value;
}

fn window_start(end: u64, window: Window) -> u64 {
    end.saturating_sub(sample::span(window.samples()))
}

fn power_of_tone(dbm0: f32) -> f32 {
    let peak = Law::Mu.amplitude(dbm0);
    peak * peak / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{KeyTone, KeyToneShape};

    const START: usize = 1_200;

    /// Hiss as loud as the whole pair, times `share`.
    fn hiss(len: usize, share: f32, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let rms = (2.0 * power_of_tone(-12.0) * share).sqrt();
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let even = f32::from(u16::try_from(state >> 16).unwrap_or(0)) / 32_768.0 - 1.0;
                even * rms * 3.0_f32.sqrt()
            })
            .collect()
    }

    fn key(pair: Pair) -> KeyTone {
        let shape = KeyToneShape {
            low_dbm0: -12.0,
            twist_db: 0.0,
            ..KeyToneShape::default()
        };
        KeyTone::new(pair, shape)
    }

    fn hear(signal: &[f32], context: Context) -> Vec<(usize, Hearing)> {
        let mut trigger = Trigger::new();
        let heard = signal.iter().enumerate().filter_map(|(at, value)| {
            let end = sample::span(at + 1);
            let hearing = trigger.push(sample::from_f32(*value), end, context)?;
            Some((at + 1, hearing))
        });
        heard.collect()
    }

    fn is_key(hearing: &Hearing) -> bool {
        matches!(hearing, Hearing::Key { .. })
    }

    #[test]
    fn a_key_beside_a_loud_fricative_is_found_before_its_first_sample_leaves() {
        let mut missed = 0;
        for seed in 0..200 {
            let mut signal = hiss(START + 800, 0.28, seed);
            let mut tone = key(Pair::new(u8::try_from(seed % 4).unwrap(), 1));
            let start = START + usize::try_from(seed % 8).unwrap();
            for value in &mut signal[start..] {
                *value += tone.next_sample();
            }
            let found = hear(&signal, Context::default())
                .into_iter()
                .any(|(end, hearing)| {
                    let reaches = |from| from <= sample::span(start);
                    end <= start + 96
                        && matches!(hearing, Hearing::Key { from, .. } if reaches(from))
                });
            missed += usize::from(!found);
        }
        // The noise itself wavers; without the agreement of both windows nearly all are missed.
        assert!(missed <= 10, "{missed} of 200");
    }

    #[test]
    fn where_the_mask_of_a_key_out_of_quiet_begins_does_not_depend_on_the_digit() {
        for seed in 0_u8..240 {
            let mut signal = hiss(START + 400, 0.000_025, seed.into());
            let mut tone = key(Pair::new(seed % 4, seed / 4 % 3));
            for _ in 0..seed {
                tone.next_sample();
            }
            let start = START + usize::from(seed / 120) * 4;
            for value in &mut signal[start..] {
                *value += tone.next_sample();
            }
            let begun = hear(&signal, Context::default())
                .into_iter()
                .find_map(|(_, hearing)| match hearing {
                    Hearing::Key { from, .. } => Some(from),
                    Hearing::Clean | Hearing::Suspect => None,
                });
            let guard = sample::span(RISE_GUARD) + BEFORE_SAMPLES;
            assert_eq!(begun, Some(sample::span(START) - guard), "{seed}");
        }
    }

    #[test]
    fn a_sound_that_fires_but_keeps_below_a_keys_mean_is_given_up() {
        let mut tone = key(Pair::new(1, 1));
        let signal: Vec<f32> = (0_u16..4_000)
            .map(|at| {
                let gone = (f32::from(at) / 2_000.0).min(1.0);
                let other = std::f32::consts::TAU * 2_300.0 * f32::from(at) / 8_000.0;
                let third = other.sin() * Law::Mu.amplitude(-12.0) * (1.5 - 0.9 * gone);
                tone.next_sample() * gone + third
            })
            .collect();
        let heard = hear(&signal, Context::default());
        let keys = heard.iter().filter(|(_, hearing)| is_key(hearing)).count();
        let suspicions = heard
            .iter()
            .filter(|(_, hearing)| *hearing == Hearing::Suspect)
            .count();
        assert!(keys <= 12, "{keys} of {} hops", heard.len());
        assert!(suspicions > 300, "{suspicions} of {} hops", heard.len());
    }

    #[test]
    fn a_held_key_is_masked_on_when_one_of_its_tones_dies() {
        let mut tone = key(Pair::new(2, 1));
        let mut signal = hiss(START, 0.0001, 3);
        let low_hz = std::f32::consts::TAU * 852.0 / 8_000.0;
        signal.extend((0_u16..800).map(|_| tone.next_sample()));
        signal.extend(
            (0_u16..800).map(|at| Law::Mu.amplitude(-12.0) * (f32::from(at) * low_hz).sin()),
        );
        let heard = hear(&signal, Context::default());
        let late = heard
            .iter()
            .filter(|(end, _)| *end > START + 100 && *end <= START + 1_600);
        assert!(late.clone().count() > 180);
        assert_eq!(late.filter(|(_, hearing)| !is_key(hearing)).count(), 0);
    }

    #[test]
    fn what_a_room_leaves_of_a_copy_is_not_clean_while_audio_resumes_after_an_event() {
        let low_hz = std::f32::consts::TAU * 852.0 / 8_000.0;
        let mut signal = hiss(START, 0.00001, 3);
        let peak = Law::Mu.amplitude(-40.0);
        signal.extend((0_u16..800).map(|at| peak * (f32::from(at) * low_hz).sin()));
        let cleans = |resuming| {
            let context = Context {
                copies: true,
                resuming,
                ..Context::default()
            };
            let heard = hear(&signal, context);
            let within = |(end, hearing): &&(usize, Hearing)| {
                *end > START + 64 && *hearing == Hearing::Clean
            };
            heard.iter().filter(within).count()
        };
        assert_eq!(cleans(true), 0);
        assert!(cleans(false) > 50);
    }

    #[test]
    fn a_copy_that_the_lines_noise_nearly_hides_is_found_where_copies_may_come() {
        let found = |context| {
            let copied = |seed: u32| {
                let mut tone = key(Pair::new(u8::try_from(seed % 4).unwrap(), 1));
                let mut signal = hiss(START + 800, 0.000_025, seed);
                for value in &mut signal[START..] {
                    *value += tone.next_sample() * 0.0085;
                }
                let found = hear(&signal, context)
                    .iter()
                    .any(|(end, hearing)| *end <= START + 96 && is_key(hearing));
                usize::from(found)
            };
            (0..100).map(copied).sum::<usize>()
        };
        let copies = Context {
            copies: true,
            ..Context::default()
        };
        let (with, without) = (found(copies), found(Context::default()));
        assert!(with >= 95 && without <= 80, "{with}, {without}");
    }

    #[test]
    fn a_rooms_answer_to_a_copy_is_told_where_keys_are_signalled() {
        let mut tone = key(Pair::new(2, 1));
        let mut signal = hiss(START, 0.00001, 3);
        signal.extend((0_u16..800).map(|_| tone.next_sample() * 0.1));
        signal.extend(
            (0_u16..800).map(|at| tone.next_sample() * 0.03 * (-f32::from(at) / 300.0).exp()),
        );
        let echoes = |context| {
            let heard = hear(&signal, context);
            let is_told = |(_, hearing): &&(usize, Hearing)| {
                matches!(hearing, Hearing::Key { echoes: true, .. })
            };
            heard.iter().filter(is_told).count()
        };
        let copies = Context {
            copies: true,
            ..Context::default()
        };
        assert!(echoes(copies) > 50);
        assert_eq!(echoes(Context::default()), 0);
    }
}
