//! `tonewall scan FILE...`: looks for card numbers and keyed digits in what was kept: recordings, logs, databases, dumps.
//! Owns: the search in bytes and in audio, and how a find is shown.
//! Never: prints a digit of what it finds: a find is a place.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::payment::holds_card_number_in_groups;
use media::g711::Law;

use crate::key_search::KeySearch;

/// Bytes read at once; pieces overlap by more than a spaced number, so that none hides at a border.
const PIECE_BYTES: usize = 1 << 20;
const OVERLAP_BYTES: usize = 64;

/// Runs of digits looked at: 13 to 19, with single blanks or dashes between.
const RUN_BYTES_MAX: usize = 40;

/// Finds shown per file. The rest is counted.
const SHOWN_MAX: usize = 10;

/// Scans files and folders. Yields whether nothing was found.
pub(crate) fn run(paths: &[PathBuf]) -> Result<bool> {
    let mut clean = true;
    for path in paths {
        clean &= scan(path)?;
    }
    Ok(clean)
}

fn scan(path: &Path) -> Result<bool> {
    if path.is_dir() {
        let mut clean = true;
        let entries = std::fs::read_dir(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        for entry in entries {
            clean &= scan(&entry?.path())?;
        }
        return Ok(clean);
    }
    let mut file =
        File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut finds =
        numbers(&mut file).with_context(|| format!("{} cannot be read", path.display()))?;
    if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("wav"))
    {
        finds.extend(keys(path)?);
    }
    for find in finds.iter().take(SHOWN_MAX) {
        crate::print_line(&format!("{}: {find}", path.display()));
    }
    if finds.len() > SHOWN_MAX {
        crate::print_line(&format!(
            "{}: {} more",
            path.display(),
            finds.len() - SHOWN_MAX
        ));
    }
    Ok(finds.is_empty())
}

/// Card numbers in text form.
fn numbers(file: &mut impl Read) -> std::io::Result<Vec<String>> {
    let mut finds = Vec::new();
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE_BYTES + OVERLAP_BYTES);
    let mut base = 0_usize;
    loop {
        let kept = piece.len();
        let read = file
            .by_ref()
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut piece)?;
        for offset in numbers_in(&piece) {
            let find = format!("a card number at byte {}", base + offset);
            if finds.last() != Some(&find) {
                finds.push(find);
            }
        }
        if read == 0 || piece.len() == kept {
            return Ok(finds);
        }
        let drop_to = piece.len().saturating_sub(OVERLAP_BYTES);
        base += drop_to;
        piece.drain(..drop_to);
    }
}

fn numbers_in(bytes: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let run = bytes[at..].iter().take(RUN_BYTES_MAX);
        let length = run
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'))
            .count();
        let text = std::str::from_utf8(&bytes[at..at + length]).unwrap_or_default();
        if holds_card_number_in_groups(text) {
            offsets.push(at);
        }
        at += length.max(1);
    }
    offsets
}

/// Keys in the audio of a WAV file: 16-bit PCM or G.711 at 8 kHz, each channel.
fn keys(path: &Path) -> Result<Vec<String>> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Some(audio) = Wav::parse(&bytes) else {
        return Ok(vec![
            "no WAV audio that can be judged; convert it to 16-bit PCM at 8 kHz".to_owned(),
        ]);
    };
    let mut finds = Vec::new();
    for channel in 0..audio.channels {
        let mut search = KeySearch::new(0);
        search.push(&audio.samples(channel));
        for press in search.finish() {
            finds.push(format!(
                "a keyed digit at {} ms of channel {}",
                press.start / 8,
                channel + 1
            ));
        }
    }
    Ok(finds)
}

struct Wav<'bytes> {
    format: u16,
    channels: usize,
    data: &'bytes [u8],
}

impl<'bytes> Wav<'bytes> {
    fn parse(bytes: &'bytes [u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(12)?;
        if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
            return None;
        }
        let mut layout = None;
        while let Some((chunk, after)) = rest.split_at_checked(8) {
            let length = usize::try_from(u32::from_le_bytes(chunk[4..8].try_into().ok()?)).ok()?;
            let body = &after[..length.min(after.len())];
            if &chunk[..4] == b"fmt " && body.len() >= 16 {
                let word = |at: usize| u16::from_le_bytes([body[at], body[at + 1]]);
                let rate = u32::from_le_bytes(body[4..8].try_into().ok()?);
                layout = (rate == 8_000).then(|| (word(0), usize::from(word(2)), word(14)));
            } else if &chunk[..4] == b"data" {
                let (format, channels, bits) = layout?;
                let known = matches!((format, bits), (1, 16) | (6 | 7, 8));
                return (known && channels > 0).then_some(Self {
                    format,
                    channels,
                    data: body,
                });
            }
            rest = after.get(length + length % 2..)?;
        }
        None
    }

    fn samples(&self, channel: usize) -> Vec<i16> {
        let decode = |law: Law| {
            self.data
                .iter()
                .map(|byte| law.decode_byte(*byte))
                .collect::<Vec<i16>>()
        };
        let all = match self.format {
            6 => decode(Law::A),
            7 => decode(Law::Mu),
            _ => self
                .data
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
                .collect(),
        };
        all.into_iter()
            .skip(channel)
            .step_by(self.channels)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::capture::fixtures::CARDS;
    use media::dtmf::inband::keypad::pair_of_event;
    use media::tone::{KeyTone, KeyToneShape};

    #[test]
    fn a_card_number_is_found_at_a_border_of_pieces_and_grouped() {
        let number = CARDS[0].number;
        let grouped: Vec<&str> = (0..16).step_by(4).map(|at| &number[at..at + 4]).collect();
        for text in [number.to_owned(), grouped.join(" "), grouped.join("-")] {
            let mut bytes = vec![b'x'; PIECE_BYTES - 9];
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(&[b'y'; 100]);
            assert_eq!(
                numbers(&mut bytes.as_slice()).unwrap().len(),
                1,
                "{} bytes",
                text.len()
            );
        }
    }

    #[test]
    fn what_is_no_card_number_is_not_found() {
        let mut bytes = b"20261125 213045 1234567890123456 000000000000".as_slice();
        assert_eq!(numbers(&mut bytes).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_key_in_a_recording_is_found_with_its_time() {
        let mut samples = vec![0; 16_000];
        KeyTone::new(pair_of_event(5).unwrap(), KeyToneShape::default())
            .add_to(&mut samples[8_000..8_800]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.wav");
        std::fs::write(&path, simulator::phone::wav(&samples)).unwrap();
        let finds = keys(&path).unwrap();
        assert_eq!(finds.len(), 1);
        assert!(!scan(&path).unwrap());
        std::fs::write(&path, simulator::phone::wav(&vec![0; 16_000])).unwrap();
        assert!(scan(&path).unwrap());
    }
}
