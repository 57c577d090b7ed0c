//! What the generator says: real speech with line noise, in G.711 mu-law.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use media::dtmf::inband::keypad::Pair;
use media::g711::Law;
use media::tone::{KeyTone, KeyToneShape};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Where Debian's package, unpacked under `TONEWALL_CORPUS`, has its prompts: 16-bit samples at 8 kHz.
const PROMPTS: &str = "asterisk-core-sounds-en-wav/usr/share/asterisk/sounds/en_US_f_Allison";

/// A stream repeats itself after this many samples: 120 s.
pub(crate) const SAMPLES: usize = 960_000;

/// Bytes of a WAV header before the samples.
const WAV_HEADER: usize = 44;

/// Line noise of -58 dBm0, as white samples of plus or minus this: 23 is sqrt(3) times an RMS of 13, and full scale (3.17 dBm0) is a sine with an
/// RMS of 22,700.
const NOISE: i16 = 23;

/// A key is pressed every 2 s for 100 ms.
const KEY_EVERY: usize = 16_000;
const KEY_SAMPLES: usize = 800;

/// Whether the speaker keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keying {
    None,
    Inband,
}

/// A stream's codes.
pub(crate) fn speech(keying: Keying) -> io::Result<Vec<u8>> {
    let mut linear = prompts()?;
    let mut dice = StdRng::seed_from_u64(11);
    for sample in &mut linear {
        *sample = sample.saturating_add(dice.random_range(-NOISE..=NOISE));
    }
    if keying == Keying::Inband {
        for press in linear.chunks_exact_mut(KEY_EVERY) {
            let pair = Pair::new(dice.random_range(0..4), dice.random_range(0..3));
            KeyTone::new(pair, KeyToneShape::default()).add_to(&mut press[..KEY_SAMPLES]);
        }
    }
    Ok(linear
        .into_iter()
        .map(|sample| Law::Mu.encode_sample(sample))
        .collect())
}

fn prompts() -> io::Result<Vec<i16>> {
    let corpus = std::env::var_os("TONEWALL_CORPUS").unwrap_or_default();
    let folder = Path::new(&corpus).join(PROMPTS);
    let entries = fs::read_dir(&folder).map_err(|error| {
        let place = folder.display();
        io::Error::other(format!(
            "{place}: {error}; scripts/corpus FOLDER fetches the speech, TONEWALL_CORPUS names that folder"
        ))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .collect();
    files.sort();
    let mut linear = Vec::with_capacity(SAMPLES);
    for file in files {
        let bytes = fs::read(file)?;
        let (samples, _) = bytes.get(WAV_HEADER..).unwrap_or(&[]).as_chunks::<2>();
        linear.extend(samples.iter().copied().map(i16::from_le_bytes));
        if linear.len() >= SAMPLES {
            linear.truncate(SAMPLES);
            return Ok(linear);
        }
    }
    Err(io::Error::other("the prompts are shorter than 120 s"))
}
