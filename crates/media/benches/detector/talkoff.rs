//! Digits heard where nobody keyed.
//! Owns: the rows of speech and music.
//! Never: leaves a voice out.

use media::sample;

use super::corpus::{MUSIC, Voice, levelled};
use super::engines::{Engine, OURS};
use super::resample::resample;
use super::table::{Better, DOWN, Table};

/// Speeds at which every voice is heard again, so that pitch and formants move: with the voices as they are more than 13 hours.
pub(crate) const SPEEDS: [f64; 5] = [0.8, 0.85, 0.9, 1.1, 1.25];

/// Runs every engine over everything, speech also at `speeds`; hours heard, and whether ours reported nothing.
pub(crate) fn run(
    voices: &[Voice],
    speeds: &[f64],
    engines: &[Engine],
    table: &mut Table,
) -> Result<(f64, bool), String> {
    let mut hours = 0.0;
    for engine in engines {
        let (mut native, mut shifted) = (0.0, 0.0);
        hours = 0.0;
        for voice in voices {
            hours += hours_of(&voice.linear);
            let false_digits = count(engine, &voice.linear)?;
            let row = format!("talk-off {}: false digits", voice.name);
            table.put(engine.name(), &row, DOWN, false_digits);
            if voice.name == MUSIC {
                continue;
            }
            native += false_digits;
            for speed in speeds {
                let faster = levelled(&resample(&voice.linear, 1.0 / speed));
                hours += hours_of(&faster);
                shifted += count(engine, &faster)?;
            }
        }
        table.put(
            engine.name(),
            "talk-off speech native: false digits",
            DOWN,
            native,
        );
        table.put(
            engine.name(),
            "talk-off speech pitch-shifted: false digits",
            DOWN,
            shifted,
        );
        table.put(engine.name(), "talk-off hours", Better::Either, hours);
    }
    let rows = ["music", "speech native", "speech pitch-shifted"];
    let quiet = rows
        .iter()
        .all(|row| table.value(OURS, &format!("talk-off {row}: false digits")) == Some(0.0));
    Ok((hours, quiet))
}

fn count(engine: &Engine, linear: &[i16]) -> Result<f64, String> {
    Ok(sample::count_f64(engine.decode(linear)?.len()))
}

fn hours_of(linear: &[i16]) -> f64 {
    sample::count_f64(linear.len()) / 8_000.0 / 3_600.0
}
