//! The paranoid detector that drives the mask.
//! Owns: when audio may hold a keypad tone pair, from which sample on, and when it is clean again.
//! Never: reports a digit; a false alarm costs some milliseconds of speech, a miss costs a card number.

use super::analysis::{Analysis, Fit, HOP_SAMPLES, Window};
use crate::g711::Law;
use crate::sample;
use crate::tone::FADE_SAMPLES;

/// Least share of a short window that fires. A clean pair within ±3.75 % explains >= 0.97; noise 12 dB down leaves 0.94 on average, and
/// 36 of its 40 dimensions are unexplained, so 0.90 is 3 standard deviations away.
const FIRE_SHORT: f32 = 0.90;

/// Least share of a long window that fires. The same detuning costs the long window more, and speech rarely explains 0.82 of
/// 8 ms by two tones of different groups.
const FIRE_LONG: f32 = 0.82;

/// Both windows around a telephone-event: the keypad's own beep reaches the microphone, quieter and beside speech (S24).
const FIRE_HINTED_SHORT: f32 = 0.85;
const FIRE_HINTED_LONG: f32 = 0.78;

/// Once a key runs, windows above this share hold the mask: a window one third full of something else is still the press.
const HOLD: f32 = 0.60;

/// Least share that the weaker tone adds. 14 dB of twist leaves it 3.8 %; a single tone (dial tone, music) adds none.
const WEAKER_LEAST: f32 = 0.015;

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
    },
}

/// The trigger of one stream. Samples are pushed in the order of the timeline; [`Trigger::break_timeline`] at every gap.
#[derive(Debug, Clone)]
pub struct Trigger {
    analysis: Analysis,
    noise_power: f32,
    floor_power: f32,
    noise_power_max: f32,
    suspect_from: Option<u64>,
    running: bool,
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
            suspect_from: None,
            running: false,
        }
    }

    /// Takes the sample before timestamp `end`; every 8th sample of an unbroken stretch ends windows and yields what they say.
    pub fn push(&mut self, linear: i16, end: u64, hinted: bool) -> Option<Hearing> {
        self.analysis.push(linear).then(|| self.judge(end, hinted))
    }

    /// The timeline breaks here: no window spans it. Whether a key was running is forgotten too; the mask remembers.
    pub fn break_timeline(&mut self) {
        self.analysis.reset();
        self.suspect_from = None;
        self.running = false;
    }

    /// True while a key runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    fn judge(&mut self, end: u64, hinted: bool) -> Hearing {
        let short = self.suspicion(Window::Short);
        let long = self.suspicion(Window::Long);
        self.follow_noise(short.is_none() && long.is_none());
        let (fire_short, fire_long) = if hinted {
            (FIRE_HINTED_SHORT, FIRE_HINTED_LONG)
        } else {
            (FIRE_SHORT, FIRE_LONG)
        };
        let fires = short.is_some_and(|fit| fit.share >= fire_short)
            || long.is_some_and(|fit| fit.share >= fire_long);
        self.suspect_from = match (&short, &long) {
            (None, None) => None,
            (_, Some(_)) => {
                Some(window_start(end, Window::Long).min(self.suspect_from.unwrap_or(end)))
            }
            (Some(_), None) => {
                Some(window_start(end, Window::Short).min(self.suspect_from.unwrap_or(end)))
            }
        };
        self.running = fires || (self.running && self.suspect_from.is_some());
        match self.suspect_from {
            None => Hearing::Clean,
            Some(from) if self.running => Hearing::Key {
                from: from.saturating_sub(BEFORE_SAMPLES),
            },
            Some(_) => Hearing::Suspect,
        }
    }

    /// The fit of a window that looks at least somewhat like a pair above floor and noise.
    fn suspicion(&self, window: Window) -> Option<Fit> {
        let power = self.analysis.power(window)?;
        let noise_in_template = self.noise_power * 4.0 / sample::count_f32(window.samples());
        if power < self.floor_power.max(noise_in_template * ABOVE_NOISE) {
            return None;
        }
        self.analysis
            .fit(window, HOLD)
            .filter(|fit| fit.weaker_share >= WEAKER_LEAST)
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

fn window_start(end: u64, window: Window) -> u64 {
    end.saturating_sub(sample::span(window.samples()))
}

fn power_of_tone(dbm0: f32) -> f32 {
    let peak = Law::Mu.amplitude(dbm0);
    peak * peak / 2.0
}
