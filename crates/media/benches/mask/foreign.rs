//! Decoders of others: multimon-ng and spandsp, as processes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::measure::HELD;
use crate::scene::{MS, Press};

/// A decoder reports this long after a key's end at the most.
const REPORT_WITHIN: usize = 187 * MS;

/// multimon-ng wants 22,050 Hz: 441 samples for each 160 of ours.
const UP: usize = 441;
const DOWN: usize = 160;
const TAPS: usize = 24;

/// The decoders, built and tried.
pub(crate) struct Foreign {
    spandsp: PathBuf,
    filters: Vec<[f32; TAPS]>,
}

/// Digits each has read.
#[derive(Default, Clone, Copy)]
pub(crate) struct Recovered {
    pub(crate) multimon: usize,
    pub(crate) spandsp: usize,
}

impl Foreign {
    /// Builds spandsp's program into `folder`, and tries both.
    pub(crate) fn prepare(folder: &Path) -> Result<Self, String> {
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests-foreign/spandsp_digits.c");
        let program = folder.join("spandsp_digits");
        let built = Command::new("cc")
            .arg("-O2")
            .arg("-o")
            .arg(&program)
            .arg(source)
            .arg("-lspandsp")
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return Err("spandsp_digits.c does not build; it needs cc and libspandsp-dev".into());
        }
        let foreign = Self {
            spandsp: program,
            filters: filters(),
        };
        foreign.multimon(&[0; 1_600])?;
        Ok(foreign)
    }

    /// Counts the presses that each decoder reads out of `heard`. With `everything` multimon-ng's digits are laid beside the presses in order, as
    /// befits a call that is read whole; else each of its finds must lie at a press.
    pub(crate) fn read(
        &self,
        heard: &[i16],
        presses: &[Press],
        everything: bool,
    ) -> Result<Recovered, String> {
        let spandsp = self.spandsp(heard)?;
        let is_at = |press: &Press, at: usize| {
            at > press.span.start && at < press.watched.end + HELD + REPORT_WITHIN
        };
        let read = presses.iter().filter(|press| {
            spandsp
                .iter()
                .any(|(code, at)| *code == press.code && is_at(press, *at))
        });
        let found = self.multimon(heard)?;
        let multimon = if found.is_empty() {
            0
        } else if everything {
            longest_common(
                &found,
                &presses.iter().map(|press| press.code).collect::<Vec<u8>>(),
            )
        } else {
            self.locate(heard, presses)?
        };
        Ok(Recovered {
            multimon,
            spandsp: read.count(),
        })
    }

    /// multimon-ng does not say when: the presses are played to it without what was between them and, if it reads any digit, each alone.
    fn locate(&self, heard: &[i16], presses: &[Press]) -> Result<usize, String> {
        let alone = presses.iter().map(|press| {
            let to = (press.watched.end + HELD).min(heard.len());
            [&[0; 800], &heard[press.span.start..to], &[0; 800]].concat()
        });
        let alone: Vec<Vec<i16>> = alone.collect();
        if self.multimon(&alone.concat())?.is_empty() {
            return Ok(0);
        }
        let mut read = 0;
        for (press, alone) in presses.iter().zip(&alone) {
            read += usize::from(self.multimon(alone)?.contains(&press.code));
        }
        Ok(read)
    }

    fn multimon(&self, heard: &[i16]) -> Result<Vec<u8>, String> {
        let mut command = Command::new("multimon-ng");
        command.args(["-q", "-a", "DTMF", "-t", "raw", "-"]);
        let text = converse(&mut command, &bytes_of(&self.resample(heard)))?;
        Ok(text
            .lines()
            .filter_map(|line| code_of(line.strip_prefix("DTMF:")?.trim().chars().next()?))
            .collect())
    }

    fn spandsp(&self, heard: &[i16]) -> Result<Vec<(u8, usize)>, String> {
        let text = converse(&mut Command::new(&self.spandsp), &bytes_of(heard))?;
        let digit = |line: &str| {
            let (digit, at) = line.split_once(' ')?;
            Some((code_of(digit.chars().next()?)?, at.parse().ok()?))
        };
        Ok(text.lines().filter_map(digit).collect())
    }

    fn resample(&self, heard: &[i16]) -> Vec<i16> {
        let values: Vec<f32> = heard.iter().map(|value| f32::from(*value)).collect();
        (0..heard.len() * UP / DOWN)
            .map(|at| {
                let (whole, phase) = (at * DOWN / UP, at * DOWN % UP);
                let first = (whole + 1).saturating_sub(TAPS / 2);
                let taps = &self.filters[phase][(TAPS / 2).saturating_sub(whole + 1)..];
                let sum: f32 = values[first..]
                    .iter()
                    .zip(taps)
                    .map(|(value, tap)| value * tap)
                    .sum();
                media::sample::from_f32(sum)
            })
            .collect()
    }
}

/// Windowed sinc filters, one for each phase between two samples.
fn filters() -> Vec<[f32; TAPS]> {
    (0..UP)
        .map(|phase| {
            std::array::from_fn(|tap| {
                let distance = (tap as f64 + 1.0 - (TAPS / 2) as f64) - phase as f64 / UP as f64;
                let sinc = if distance.abs() < 1e-9 {
                    1.0
                } else {
                    (std::f64::consts::PI * distance).sin() / (std::f64::consts::PI * distance)
                };
                let window = (std::f64::consts::PI * distance / TAPS as f64)
                    .cos()
                    .powi(2);
                (sinc * window) as f32
            })
        })
        .collect()
}

fn bytes_of(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn code_of(digit: char) -> Option<u8> {
    digit.to_digit(10).map(|digit| digit as u8)
}

/// Feeds a program that says little; reads what it says.
fn converse(command: &mut Command, input: &[u8]) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    child
        .stdin
        .take()
        .ok_or_else(|| format!("{name} takes no input"))?
        .write_all(input)
        .map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Length of the longest common subsequence.
fn longest_common(one: &[u8], other: &[u8]) -> usize {
    let mut row = vec![0; other.len() + 1];
    for left in one {
        let mut diagonal = 0;
        for (index, right) in other.iter().enumerate() {
            let above = row[index + 1];
            row[index + 1] = if left == right {
                diagonal + 1
            } else {
                above.max(row[index])
            };
            diagonal = above;
        }
    }
    row[other.len()]
}
