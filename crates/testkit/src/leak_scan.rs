//! Looks for a known number wherever it may have leaked, in every form a program leaves one in.
//! Owns: the encodings, and the walk over files and a process's memory (SECURITY-AND-FAULTS 3.3).
//! Never: prints the number: a hit names its form and place.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem::Finder;
use sha2::{Digest, Sha256};

/// Distances between digits that one byte each leaves in memory: packed, in UTF-16 and UTF-32, in structures, in packet buffers.
const STRIDES: [usize; 16] = [
    2, 3, 4, 8, 12, 16, 24, 32, 40, 64, 172, 256, 512, 1_500, 2_048, 4_096,
];

/// Bytes read at once; pieces overlap so that nothing hides at a border.
const PIECE_BYTES: usize = 4 << 20;

/// Longest pattern: 16 digits, one in each 4 KiB.
const OVERLAP_BYTES: usize = 19 * 4_096;

/// Hits kept per scan; one is enough to fail.
const HITS_MAX: usize = 64;

/// A place where the number was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which form.
    pub form: String,
    /// File or region.
    pub place: String,
    /// Offset in it.
    pub offset: u64,
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}+{:#x}", self.form, self.place, self.offset)
    }
}

/// A scanner for one number.
pub struct LeakScanner {
    needles: Vec<(String, Finder<'static>)>,
    digits: Vec<u8>,
}

impl LeakScanner {
    /// Looks for `digits`: ASCII digits, 12 or more.
    #[must_use]
    pub fn new(digits: &str) -> Self {
        assert!(digits.len() >= 12, "a shorter number is found by chance");
        let needles = forms(digits);
        let needles = needles
            .into_iter()
            .map(|(form, bytes)| (form, Finder::new(&bytes).into_owned()))
            .collect();
        Self {
            needles,
            digits: digits.bytes().collect(),
        }
    }

    /// Looks through bytes.
    pub fn scan(&self, place: &str, base: u64, bytes: &[u8], hits: &mut Vec<Hit>) {
        let mut hit = |form: &str, offset: usize| {
            if hits.len() < HITS_MAX {
                let offset = base + u64::try_from(offset).unwrap_or(0);
                hits.push(Hit {
                    form: form.to_owned(),
                    place: place.to_owned(),
                    offset,
                });
            }
        };
        for (form, finder) in &self.needles {
            if let Some(offset) = finder.find(bytes) {
                hit(form, offset);
            }
        }
        let ascii = self.digits.clone();
        let raw: Vec<u8> = ascii.iter().map(|byte| byte - b'0').collect();
        for (name, digits) in [("ASCII", &ascii), ("value", &raw)] {
            for stride in STRIDES {
                if let Some(offset) = find_strided(bytes, digits, stride) {
                    hit(&format!("{name} bytes, one in {stride}"), offset);
                }
            }
        }
    }

    /// Looks through a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn scan_file(&self, path: &Path, hits: &mut Vec<Hit>) -> io::Result<()> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        self.scan_range(&file, &path.display().to_string(), 0, len, hits)
    }

    /// Looks through every file below a folder.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn scan_folder(&self, folder: &Path, hits: &mut Vec<Hit>) -> io::Result<usize> {
        let mut files = 0;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                files += self.scan_folder(&path, hits)?;
            } else if path.is_file() {
                self.scan_file(&path, hits)?;
                files += 1;
            }
        }
        Ok(files)
    }

    /// Looks through the writable memory of a process: heap, stacks, arenas. Yields the bytes looked at.
    ///
    /// # Errors
    /// The process is gone, or may not be read.
    pub fn scan_process(&self, pid: u32, hits: &mut Vec<Hit>) -> io::Result<u64> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let mut scanned = 0;
        for line in maps.lines() {
            let Some((start, end)) = writable_range(line) else {
                continue;
            };
            // A region may vanish meanwhile; what is gone cannot leak.
            if self.scan_range(&memory, line, start, end, hits).is_ok() {
                scanned += end - start;
            }
        }
        Ok(scanned)
    }

    fn scan_range(
        &self,
        file: &File,
        place: &str,
        start: u64,
        end: u64,
        hits: &mut Vec<Hit>,
    ) -> io::Result<()> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at)
                .unwrap_or(PIECE_BYTES)
                .min(PIECE_BYTES);
            let read = file.read_at(&mut piece[..wanted], at)?;
            if read == 0 {
                break;
            }
            self.scan(place, at, &piece[..read], hits);
            let step = if read > OVERLAP_BYTES * 2 {
                read - OVERLAP_BYTES
            } else {
                read
            };
            at += u64::try_from(step).unwrap_or(1);
        }
        piece.fill(0);
        Ok(())
    }
}

fn writable_range(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let special = ["[vvar", "[vsyscall", "[vdso"]
        .iter()
        .any(|name| line.contains(name));
    if !rights.starts_with("rw") || special {
        return None;
    }
    Some((
        u64::from_str_radix(start, 16).ok()?,
        u64::from_str_radix(end, 16).ok()?,
    ))
}

fn find_strided(bytes: &[u8], digits: &[u8], stride: usize) -> Option<usize> {
    let reach = stride * (digits.len() - 1);
    let last = bytes.len().checked_sub(reach + 1)?;
    memchr::memchr_iter(digits[0], &bytes[..=last]).find(|start| {
        digits
            .iter()
            .enumerate()
            .all(|(index, digit)| bytes[start + index * stride] == *digit)
    })
}

fn forms(digits: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = digits.as_bytes();
    let values: Vec<u8> = bytes.iter().map(|byte| byte - b'0').collect();
    let grouped = |separator: &str| {
        let groups: Vec<&str> = (0..digits.len())
            .step_by(4)
            .map(|at| &digits[at..digits.len().min(at + 4)])
            .collect();
        groups.join(separator).into_bytes()
    };
    let mut forms = vec![
        ("ASCII".to_owned(), bytes.to_vec()),
        ("grouped by blanks".to_owned(), grouped(" ")),
        ("grouped by dashes".to_owned(), grouped("-")),
        ("digit values".to_owned(), values.clone()),
        ("reversed".to_owned(), bytes.iter().rev().copied().collect()),
        (
            "BCD".to_owned(),
            values
                .chunks(2)
                .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(15))
                .collect(),
        ),
        (
            "hex".to_owned(),
            bytes
                .iter()
                .flat_map(|byte| format!("{byte:02x}").into_bytes())
                .collect(),
        ),
        ("SHA-256".to_owned(), Sha256::digest(bytes).to_vec()),
    ];
    for shift in 0..3 {
        forms.push((
            format!("base64, shifted by {shift}"),
            base64_core(bytes, shift),
        ));
    }
    // What lies between the first six and the last four is nowhere else.
    let middle = &bytes[5..bytes.len() - 3];
    if middle.len() >= 8 {
        forms.push(("a part without its ends".to_owned(), middle[..8].to_vec()));
    }
    forms
}

/// The base64 text of `bytes` when `shift` other bytes stand before it, without the characters that those touch.
fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let skipped = (3 - shift) % 3;
    let whole = (bytes.len() - skipped) / 3 * 3;
    let body = &bytes[skipped..skipped + whole];
    let sextets = body.chunks(3).flat_map(|three| {
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        [18, 12, 6, 0].map(|at| ALPHABET[usize::try_from(bits >> at & 63).unwrap_or(0)])
    });
    sextets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Vec<String> {
        let mut hits = Vec::new();
        LeakScanner::new(&number()).scan("here", 0, bytes, &mut hits);
        hits.into_iter().map(|hit| hit.form).collect()
    }

    fn number() -> String {
        crate::canary::card(9_071_226_331_542)
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let noise: Vec<u8> = (0..100_000_u32)
            .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert_eq!(found(&noise), Vec::<String>::new());
    }

    #[test]
    fn every_planted_form_is_found() {
        for (form, bytes) in forms(&number()) {
            let mut noise = vec![0x5A; 3_000];
            noise[777..777 + bytes.len()].copy_from_slice(&bytes);
            assert!(found(&noise).contains(&form), "{form}");
        }
    }

    #[test]
    fn digits_spread_over_structures_and_packet_buffers_are_found() {
        for stride in STRIDES {
            let mut noise = vec![0x5A; 20 * 4_096];
            for (index, byte) in number().bytes().enumerate() {
                noise[11 + index * stride] = byte - b'0';
            }
            assert_eq!(found(&noise), [format!("value bytes, one in {stride}")]);
        }
    }

    #[test]
    fn a_number_in_this_process_is_found() {
        let planted = number().into_bytes();
        let mut hits = Vec::new();
        let scanned = LeakScanner::new(&number())
            .scan_process(std::process::id(), &mut hits)
            .unwrap();
        assert!(scanned > 100_000 && !hits.is_empty());
        drop(planted);
    }
}
