//! Voices: real prompts where they are unpacked, a buzz where not.

use std::path::{Path, PathBuf};

use crate::dice::Dice;

/// Files that hold tones instead of voices.
const NO_VOICE: [&str; 5] = ["beep", "tone", "silence", "tt-", "vm-leavemsg"];

/// A frame of 20 ms counts as speech if it lies less than this below the loudest: 25 dB, as a power ratio.
const ACTIVE_BELOW: f64 = 316.0;

const FRAME: usize = 160;

/// Clips of speech, each scaled so that its active frames have a mean square of one.
pub(crate) struct Speech {
    clips: Vec<Vec<f32>>,
}

impl Speech {
    /// Every prompt below `folder`: mono files of 16 bit at 8 kHz.
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.sort();
        let is_voice = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.to_string_lossy().contains("/sounds/")
                && !NO_VOICE.iter().any(|part| name.contains(part))
        };
        let clips: Vec<Vec<f32>> = files
            .iter()
            .filter(is_voice)
            .filter_map(|path| normalise(&samples_of(&std::fs::read(path).ok()?)?))
            .collect();
        if clips.len() < 100 {
            return Err(format!(
                "{} voices below {}; scripts/corpus fetches them",
                clips.len(),
                folder.display()
            ));
        }
        Ok(Self { clips })
    }

    /// A buzz that glides and pauses; for the short form, which fetches nothing.
    pub(crate) fn made_up() -> Self {
        let mut dice = Dice::new(77);
        let clips = (0..8)
            .map(|_| buzz(&mut dice))
            .filter_map(|clip| normalise(&clip))
            .collect();
        Self { clips }
    }

    /// Adds speech to `signal`, its active frames at root mean square `rms`.
    pub(crate) fn add_to(&self, signal: &mut [f32], rms: f64, dice: &mut Dice) {
        let mut at = 0;
        while at < signal.len() && !self.clips.is_empty() {
            let clip = &self.clips[dice.below(self.clips.len())];
            let skip = if at == 0 {
                dice.below(clip.len() / 2)
            } else {
                0
            };
            for (value, voice) in signal[at..].iter_mut().zip(&clip[skip..]) {
                *value += voice * rms as f32;
            }
            at += clip.len() - skip + dice.below(1_600);
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "wav") {
            files.push(path);
        }
    }
}

/// The samples of a RIFF file of one channel, 16 bit, 8 kHz.
pub(crate) fn samples_of(bytes: &[u8]) -> Option<Vec<f32>> {
    let mut at = 12;
    let mut is_fit = false;
    while at + 8 <= bytes.len() {
        let len = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().ok()?) as usize;
        let body = bytes.get(at + 8..(at + 8 + len).min(bytes.len()))?;
        match &bytes[at..at + 4] {
            b"fmt " => {
                is_fit = body.get(2..4)? == [1, 0]
                    && body.get(4..8)? == 8_000_u32.to_le_bytes()
                    && body.get(14..16)? == [16, 0]
            }
            b"data" if is_fit => {
                let values = body
                    .chunks_exact(2)
                    .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])));
                return Some(values.collect());
            }
            _ => {}
        }
        at += 8 + len + len % 2;
    }
    None
}

fn normalise(clip: &[f32]) -> Option<Vec<f32>> {
    let power = |frame: &[f32]| {
        frame
            .iter()
            .map(|value| f64::from(*value).powi(2))
            .sum::<f64>()
            / frame.len() as f64
    };
    let powers: Vec<f64> = clip.chunks_exact(FRAME).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f64::max);
    let active: Vec<f64> = powers
        .into_iter()
        .filter(|power| *power * ACTIVE_BELOW >= loudest)
        .collect();
    if loudest < 1_000.0 || active.len() < 10 {
        return None;
    }
    let rms = (active.iter().sum::<f64>() / active.len() as f64).sqrt();
    Some(clip.iter().map(|value| value / rms as f32).collect())
}

fn buzz(dice: &mut Dice) -> Vec<f32> {
    let (mut phase, mut hz, mut goal) = (0.0_f64, 120.0, 160.0);
    let mut formants = [500.0, 1_500.0];
    (0..16_000)
        .map(|at| {
            if at % 1_200 == 0 {
                goal = dice.between((90.0, 240.0));
                formants = [dice.between((300.0, 800.0)), dice.between((900.0, 2_400.0))];
            }
            hz += (goal - hz) / 900.0;
            phase += std::f64::consts::TAU * hz / 8_000.0;
            if (at / 2_000) % 4 == 3 {
                return 0.0;
            }
            let voice: f64 = (1..24)
                .map(|harmonic| {
                    let near = |formant: f64| {
                        1.0 / (1.0 + ((hz * f64::from(harmonic) - formant) / 300.0).powi(2))
                    };
                    (near(formants[0]) + near(formants[1]) / 2.0)
                        * (phase * f64::from(harmonic)).sin()
                })
                .sum();
            ((voice + dice.normal() * 0.4) * 4_000.0) as f32
        })
        .collect()
}
