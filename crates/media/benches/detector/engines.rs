//! The detectors side by side.
//! Owns: how each is fed and read.
//! Never: tunes a foreign one; each runs as its users run it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use media::dtmf::inband::strict::Presses;
use media::sample;

use super::line::{FRAME, KeyIndex};
use super::resample::resample;

/// A key as an engine reported it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) key: KeyIndex,
    /// One past the frame in which it was reported, where the engine says so.
    pub(crate) at: Option<usize>,
}

/// A detector.
pub(crate) enum Engine {
    Ours,
    Spandsp(PathBuf),
    Multimon,
}

impl Engine {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours => OURS,
            Self::Spandsp(_) => "spandsp",
            Self::Multimon => "multimon-ng",
        }
    }

    /// Decodes a line from its first to its last sample.
    pub(crate) fn decode(&self, linear: &[i16]) -> Result<Vec<Heard>, String> {
        match self {
            Self::Ours => Ok(decode_ours(linear)),
            Self::Spandsp(program) => spandsp(program, linear),
            Self::Multimon => multimon(linear),
        }
    }

    /// The keys alone.
    pub(crate) fn keys(&self, linear: &[i16]) -> Result<Vec<KeyIndex>, String> {
        let heard = self.decode(linear)?;
        Ok(heard.iter().map(|heard| heard.key).collect())
    }
}

/// Name of our own engine in the output.
pub(crate) const OURS: &str = "tonewall";

/// The rate that multimon-ng wants.
const MULTIMON_RATE_HZ: f64 = 22_050.0;

fn decode_ours(linear: &[i16]) -> Vec<Heard> {
    decode_frames(linear.chunks(FRAME).map(Some))
}

/// Frames as the reorder buffer hands them on; nothing: a lost packet of 20 ms, marked as such.
pub(crate) fn decode_frames<'line>(
    frames: impl Iterator<Item = Option<&'line [i16]>>,
) -> Vec<Heard> {
    let mut presses = Presses::new();
    let mut heard = Vec::new();
    let mut at = 0;
    for frame in frames {
        let len = frame.map_or(FRAME, <[i16]>::len);
        match frame {
            Some(frame) => presses.push_audio(sample::span(at), frame),
            None => presses.push_gap(sample::span(at), sample::span(len)),
        }
        at += len;
        while let Some(press) = presses.poll() {
            let key = press.pair.row() * 4 + press.pair.column();
            heard.push(Heard { key, at: Some(at) });
        }
    }
    heard
}

/// Builds the small program around Debian's libspandsp.
pub(crate) fn build_spandsp(work: &Path) -> Result<Engine, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests-foreign/spandsp_digits.c");
    let program = work.join("spandsp_digits");
    let status = Command::new("cc")
        .args(["-O2", "-o"])
        .arg(&program)
        .arg(source)
        .arg("-lspandsp")
        .status()
        .map_err(|error| format!("cc did not start: {error}"))?;
    if status.success() {
        Ok(Engine::Spandsp(program))
    } else {
        Err("spandsp_digits.c did not build; libspandsp-dev is needed".into())
    }
}

fn spandsp(program: &Path, linear: &[i16]) -> Result<Vec<Heard>, String> {
    let lines = piped(&mut Command::new(program), linear)?;
    Ok(lines
        .lines()
        .filter_map(|line| {
            let (key, at) = line.split_once(' ')?;
            Some(Heard {
                key: key_of(key.chars().next()?)?,
                at: at.parse().ok(),
            })
        })
        .collect())
}

/// Seconds of audio that spandsp reads in a second of processor time: the fastest of `passes`.
pub(crate) fn spandsp_speed(program: &Path, linear: &[i16], passes: usize) -> Result<f64, String> {
    let lines = piped(Command::new(program).arg(passes.to_string()), linear)?;
    let seconds: f64 = lines
        .lines()
        .find_map(|line| line.strip_prefix("seconds ")?.parse().ok())
        .ok_or("spandsp_digits gave no time")?;
    Ok(sample::count_f64(linear.len()) / 8_000.0 / seconds)
}

fn multimon(linear: &[i16]) -> Result<Vec<Heard>, String> {
    let mut wide = resample(linear, MULTIMON_RATE_HZ / 8_000.0);
    // It reads whole blocks; what stands in the last one would be left out.
    wide.resize(wide.len() + 8_192, 0);
    let arguments = ["-q", "-t", "raw", "-a", "DTMF", "-"];
    let lines = piped(Command::new("multimon-ng").args(arguments), &wide)?;
    Ok(lines
        .lines()
        .filter_map(|line| key_of(line.strip_prefix("DTMF: ")?.chars().next()?))
        .map(|key| Heard { key, at: None })
        .collect())
}

fn key_of(name: char) -> Option<KeyIndex> {
    "123A456B789C*0#D".chars().position(|key| key == name)
}

/// Feeds raw samples to a program and reads all that it prints.
fn piped(command: &mut Command, linear: &[i16]) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("a foreign detector did not run: {error}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let (Some(mut input), Some(mut output)) = (input, output) else {
        return Err("a foreign detector has no pipes".into());
    };
    let bytes: Vec<u8> = linear
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let mut text = String::new();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || input.write_all(&bytes));
        let read = output.read_to_string(&mut text);
        let written = writer.join().map_err(|_| std::io::Error::other("feeder"));
        read.map(|_| ()).and(written.and_then(|result| result))
    })
    .map_err(failed)?;
    child.wait().map_err(failed)?;
    Ok(text)
}
