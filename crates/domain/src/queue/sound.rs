//! Sounds that callers hear while they wait: files of the site.
//! Owns: what a file has to be, and its samples at the telephone's rate.
//! Never: plays one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::SoundId;

/// Largest file: ten minutes at 16 kHz are 19.2 MB, at 8 kHz 9.6 MB; longer music has to be given at the rate at which it is heard.
pub const SOUND_BYTES_MAX: usize = 10 * 1_024 * 1_024;
/// Longest sound, in seconds.
pub const SOUND_S_MAX: u32 = 600;
/// Sounds of one installation: each is 10 MB of the database at most.
pub const SOUNDS_MAX: usize = 20;
/// The telephone's rate.
const RATE_HZ: u32 = 8_000;
/// Twice that, as many tools write speech.
const DOUBLE_RATE_HZ: u32 = 16_000;
/// Bytes of `RIFF`, a length and `WAVE`.
const HEAD_BYTES: usize = 12;
/// Chunks that are looked at before the samples: tools write a handful.
const CHUNKS_MAX: usize = 64;
/// Linear PCM in a `fmt ` chunk, and the form in which its kind follows in a GUID.
const PCM: u16 = 1;
const EXTENSIBLE: u16 = 0xFFFE;

/// A sound of the site, without its samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sound {
    /// Identity.
    pub id: SoundId,
    /// What people call it: 1-60 characters, unique.
    pub name: String,
    /// How long it sounds, in seconds, rounded up.
    pub seconds: u32,
}

/// What becomes of sounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoundChange {
    /// A new one; refused if there are [`SOUNDS_MAX`], or if its name is taken.
    Insert {
        /// The sound.
        sound: Sound,
        /// Its samples at 8 kHz.
        samples: Arc<[i16]>,
    },
    /// One that no service names is deleted.
    Delete(SoundId),
}

/// A file that is no sound of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SoundError {
    /// It is no WAV.
    #[error("send a WAV file")]
    PeerNoWav,
    /// Its samples are of another kind.
    #[error("save the file as linear PCM with 16 bits")]
    PeerNotPcm16,
    /// It has more than one channel.
    #[error("save the file with one channel (mono)")]
    PeerNotMono,
    /// It has another rate.
    #[error("save the file at 8,000 or 16,000 Hz")]
    PeerRate,
    /// It has no sample.
    #[error("the file has no sound")]
    PeerEmpty,
    /// It is longer, or larger, than may be.
    #[error("send at most ten minutes and 10 MB")]
    PeerTooLong,
}

/// The samples of a WAV (linear PCM, 16 bits, mono, 8 or 16 kHz) at 8 kHz.
///
/// # Errors
/// What is wrong with the file.
pub fn parse(file: &[u8]) -> Result<Arc<[i16]>, SoundError> {
    if file.len() > SOUND_BYTES_MAX {
        return Err(SoundError::PeerTooLong);
    }
    let (rate, data) = samples_of(file)?;
    let samples: Vec<i16> = data
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let samples = match rate {
        RATE_HZ => samples,
        DOUBLE_RATE_HZ => halved(&samples),
        _ => return Err(SoundError::PeerRate),
    };
    match seconds_of(&samples) {
        0 => Err(SoundError::PeerEmpty),
        seconds if seconds > SOUND_S_MAX => Err(SoundError::PeerTooLong),
        _ => Ok(samples.into()),
    }
}

/// How long samples at 8 kHz sound, in seconds, rounded up.
#[must_use]
pub fn seconds_of(samples: &[i16]) -> u32 {
    let rate = usize::try_from(RATE_HZ).unwrap_or(usize::MAX);
    u32::try_from(samples.len().div_ceil(rate)).unwrap_or(u32::MAX)
}

/// The rate and the bytes of the samples.
fn samples_of(file: &[u8]) -> Result<(u32, &[u8]), SoundError> {
    let is_wav = file.len() >= HEAD_BYTES && file.starts_with(b"RIFF") && &file[8..12] == b"WAVE";
    if !is_wav {
        return Err(SoundError::PeerNoWav);
    }
    let (mut rest, mut rate) = (&file[HEAD_BYTES..], None);
    for _ in 0..CHUNKS_MAX {
        let Some((name, body, after)) = next_chunk(rest) else {
            break;
        };
        match name {
            b"fmt " => rate = Some(rate_of(body)?),
            b"data" => return Ok((rate.ok_or(SoundError::PeerNoWav)?, body)),
            _ => {}
        }
        rest = after;
    }
    Err(SoundError::PeerNoWav)
}

type Chunk<'file> = (&'file [u8; 4], &'file [u8], &'file [u8]);

/// A chunk's name, what it has, and what follows. One that says it is longer than the file, as files that were cut or streamed do, has what there is.
fn next_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (name, bytes) = bytes.split_first_chunk::<4>()?;
    let (length, bytes) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let body = bytes.get(..length).unwrap_or(bytes);
    let after = bytes.get(length.saturating_add(length % 2)..);
    Some((name, body, after.unwrap_or_default()))
}

/// The rate of a `fmt ` chunk whose samples can be taken.
fn rate_of(chunk: &[u8]) -> Result<u32, SoundError> {
    let word = |at: usize| {
        let pair = chunk.get(at..at + 2)?;
        Some(u16::from_le_bytes([pair[0], pair[1]]))
    };
    let kind = match word(0).ok_or(SoundError::PeerNoWav)? {
        EXTENSIBLE => word(24).ok_or(SoundError::PeerNoWav)?,
        kind => kind,
    };
    let rate = chunk.get(4..8).ok_or(SoundError::PeerNoWav)?;
    let rate = u32::from_le_bytes([rate[0], rate[1], rate[2], rate[3]]);
    match (kind, word(14), word(2)) {
        (PCM, Some(16), Some(1)) => Ok(rate),
        (PCM, Some(16), Some(_)) => Err(SoundError::PeerNotMono),
        (_, Some(_), Some(_)) => Err(SoundError::PeerNotPcm16),
        _ => Err(SoundError::PeerNoWav),
    }
}

/// Taps at the odd distances 1, 3, … from the middle of a half-band filter (Kaiser window, beta 7), in 1/32768; that in the middle is 16384, the others are 0. It
/// passes speech within 0.3 dB up to 3.3 kHz, and takes 25 dB from what lies above 4.6 kHz.
const HALF_BAND: [i32; 8] = [10_323, -3157, 1588, -861, 454, -218, 88, -25];

/// Every second sample, without what would fold down into those that stay.
fn halved(samples: &[i16]) -> Vec<i16> {
    let at = |index: Option<usize>| {
        let sample = index.and_then(|index| samples.get(index));
        i32::from(sample.copied().unwrap_or(0))
    };
    let filtered = |middle: usize| {
        let around = (1..).step_by(2).zip(HALF_BAND);
        let sum = around.fold(at(Some(middle)) * 16_384, |sum, (distance, tap)| {
            let both = at(middle.checked_sub(distance)) + at(middle.checked_add(distance));
            sum + both * tap
        });
        let value = (sum + (1 << 14)) >> 15;
        let ends = (i32::from(i16::MIN), i32::from(i16::MAX));
        i16::try_from(value.clamp(ends.0, ends.1)).unwrap_or_default()
    };
    (0..samples.len()).step_by(2).map(filtered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of these samples.
    fn wav(rate: u32, channels: u16, bits: u16, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|one| one.to_le_bytes()).collect();
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        file.extend(PCM.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend((rate * 2).to_le_bytes());
        file.extend(2_u16.to_le_bytes());
        file.extend(bits.to_le_bytes());
        // A chunk that nobody asks for, of an odd length.
        file.extend(b"LIST\x03\0\0\0abc\0data");
        file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        file.extend(data);
        file
    }

    fn sine(hz: f64, rate: f64, samples: usize) -> Vec<i16> {
        let at = |index: usize| {
            let turns = hz * f64::from(u32::try_from(index).unwrap()) / rate;
            let value = (turns * std::f64::consts::TAU).sin() * 10_000.0;
            format!("{value:.0}").parse().unwrap()
        };
        (0..samples).map(at).collect()
    }

    fn power(samples: &[i16]) -> f64 {
        let square = |one: &i16| f64::from(*one).powi(2);
        let count = f64::from(u32::try_from(samples.len()).unwrap());
        samples.iter().map(square).sum::<f64>() / count
    }

    #[test]
    fn a_file_at_the_telephones_rate_is_taken_as_it_is() {
        let samples = sine(440.0, 8_000.0, 9_000);
        let parsed = parse(&wav(8_000, 1, 16, &samples)).unwrap();
        assert_eq!(&*parsed, &samples[..]);
        assert_eq!(seconds_of(&parsed), 2);
    }

    #[test]
    fn a_file_at_twice_the_rate_keeps_its_speech_and_folds_nothing_down() {
        for (hz, low, high) in [
            (300.0, 0.97, 1.03),
            (3_000.0, 0.97, 1.03),
            (5_500.0, 0.0, 1e-3),
        ] {
            let samples = sine(hz, 16_000.0, 16_000);
            let halved = parse(&wav(16_000, 1, 16, &samples)).unwrap();
            assert_eq!(halved.len(), 8_000);
            let share = power(&halved[100..7_900]) / power(&samples);
            assert!((low..=high).contains(&share), "{hz} Hz: {share}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let samples = sine(440.0, 8_000.0, 800);
        for (file, why) in [
            (b"ID3".to_vec(), SoundError::PeerNoWav),
            (
                b"RIFF\0\0\0\0WAVEdata\0\0\0\0".to_vec(),
                SoundError::PeerNoWav,
            ),
            (wav(8_000, 2, 16, &samples), SoundError::PeerNotMono),
            (wav(8_000, 1, 8, &samples), SoundError::PeerNotPcm16),
            (wav(44_100, 1, 16, &samples), SoundError::PeerRate),
            (wav(8_000, 1, 16, &[]), SoundError::PeerEmpty),
            (
                wav(8_000, 1, 16, &vec![0; 8_000 * 600 + 1]),
                SoundError::PeerTooLong,
            ),
            (vec![0; SOUND_BYTES_MAX + 1], SoundError::PeerTooLong),
        ] {
            assert_eq!(parse(&file), Err(why));
        }
    }

    #[test]
    fn a_file_that_is_cut_anywhere_does_no_harm() {
        let file = wav(16_000, 1, 16, &sine(440.0, 16_000.0, 40));
        for length in 0..file.len() {
            let _any = parse(&file[..length]);
        }
        assert_eq!(parse(&file[..file.len() - 1]).unwrap().len(), 20);
    }
}
