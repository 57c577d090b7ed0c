//! Real speech and music: Debian's telephone prompts and music on hold.
//! Owns: reading the unpacked packages, their level.
//! Never: fetches anything; `scripts/corpus` does.

use std::path::{Path, PathBuf};

use media::g711::Law;
use media::sample;

use super::line::companded;

/// One voice, or the music: every file of a package one after the other.
pub(crate) struct Voice {
    pub(crate) name: &'static str,
    pub(crate) linear: Vec<i16>,
}

/// Packages and what they hold.
const PACKAGES: [(&str, &str); 6] = [
    ("en", "asterisk-core-sounds-en-wav"),
    ("es", "asterisk-core-sounds-es-wav"),
    ("fr", "asterisk-core-sounds-fr-wav"),
    ("it", "asterisk-core-sounds-it-wav"),
    ("ru", "asterisk-core-sounds-ru-wav"),
    (MUSIC, "asterisk-moh-opsound-wav"),
];

/// Name of the music.
pub(crate) const MUSIC: &str = "music";

/// Level of every voice, over all of it.
const LEVEL_DBM0: f32 = -15.0;

/// Bytes before the samples of a plain PCM file.
const WAV_HEADER: usize = 44;

pub(crate) fn read(dir: &Path) -> Result<Vec<Voice>, String> {
    PACKAGES
        .iter()
        .map(|(name, package)| {
            let linear = read_package(&dir.join(package))?;
            Ok(Voice { name, linear })
        })
        .collect()
}

fn read_package(dir: &Path) -> Result<Vec<i16>, String> {
    let mut files = Vec::new();
    collect(dir, &mut files).map_err(|error| format!("{}: {error}", dir.display()))?;
    files.sort();
    let mut linear = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let samples = bytes.get(WAV_HEADER..).unwrap_or_default();
        linear.extend(
            samples
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]])),
        );
    }
    Ok(levelled(&linear))
}

/// At -15 dBm0, in mu-law and back.
pub(crate) fn levelled(linear: &[i16]) -> Vec<i16> {
    let energy: f64 = linear.iter().map(|value| f64::from(*value).powi(2)).sum();
    let mean_square = energy / sample::count_f64(linear.len().max(1));
    let peak = f64::from(Law::Mu.amplitude(LEVEL_DBM0));
    let gain = peak / (2.0 * mean_square.max(1.0)).sqrt();
    linear
        .iter()
        .map(|value| companded(f64::from(*value) * gain))
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        // Links name files that are there anyway.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "wav") {
            files.push(path);
        }
    }
    Ok(())
}
