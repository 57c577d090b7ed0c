//! What another program makes of an exported recording: opusinfo and opusdec of opus-tools.

use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

use recording::{Composer, DataKey, Header, Law, Reader, Track, export_opus};
use secret::CipherKey;

use crate::support::{BEGAN, id, ring};

const SECOND: usize = 8_000;

/// The output of a program; both come with `opus-tools`.
fn output_of(program: &str, arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new(program).args(arguments).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}, of opus-tools: {error}"));
    let words = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program}: {words}");
    ran.stdout
}

/// 500 Hz.
#[expect(clippy::cast_possible_truncation, reason = "below 8,000")]
fn tone(at: u64) -> i16 {
    let seconds = f64::from(u32::try_from(at).unwrap()) / 8_000.0;
    (8_000.0 * (TAU * 500.0 * seconds).sin()) as i16
}

/// A second of the agent, two of nobody, a second of the consumer.
fn export(to: &Path) {
    let header = Header {
        id: id(1),
        began: BEGAN,
        laws: [Law::Mu, Law::A],
        is_redacted: false,
    };
    let key = CipherKey::fill_with::<()>(|bytes| {
        bytes.fill(7);
        Ok(())
    });
    let keys = ring();
    let under = (keys.active().unwrap(), [0; 12]);
    let (mut composer, mut file) =
        Composer::begin(header, 0, DataKey::new(key.unwrap()), under).unwrap();
    for (second, track, law) in [(0, Track::Agent, Law::A), (3, Track::Consumer, Law::Mu)] {
        for frame in 0..50 {
            let at = 8_000 * second + 160 * frame;
            let bytes: Vec<u8> = (at..at + 160)
                .map(|at| law.encode_sample(tone(at)))
                .collect();
            composer.take(track, at, &bytes, &mut file).unwrap();
        }
    }
    composer.end(&mut file).unwrap();
    let reader = Reader::open(file.as_slice(), &keys).unwrap();
    let mut out = std::fs::File::create(to).unwrap();
    assert_eq!(export_opus(&reader, &mut out).unwrap(), 0);
}

/// The mean power of each second of a channel, in decibels of full scale.
fn seconds_of(moments: &[[i16; 2]], channel: usize) -> Vec<f64> {
    let power = |second: &[[i16; 2]]| {
        let squares = second
            .iter()
            .map(|moment| f64::from(moment[channel]).powi(2));
        let count = f64::from(u32::try_from(second.len()).unwrap());
        10.0 * (squares.sum::<f64>() / count / 32_768_f64.powi(2) + 1e-12).log10()
    };
    moments.chunks(SECOND).map(power).collect()
}

#[test]
fn opus_tools_find_no_fault_and_each_talker_on_their_own_channel() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("call.opus");
    export(&file);
    let file = file.to_str().unwrap();

    let told = String::from_utf8(output_of("opusinfo", &[file])).unwrap();
    assert!(!told.contains("WARNING"), "{told}");
    for line in [
        "Pre-skip: 312",
        "Channels: 2",
        "Original sample rate: 8000 Hz",
        "Playback length: 0m:04.000s",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }

    let decoded = output_of(
        "opusdec",
        &["--rate", "8000", "--no-dither", "--quiet", file, "-"],
    );
    let samples = decoded
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let samples: Vec<i16> = samples.collect();
    let moments: Vec<[i16; 2]> = samples
        .chunks_exact(2)
        .map(|pair| [pair[0], pair[1]])
        .collect();
    assert_eq!(moments.len(), 4 * SECOND);
    let heard = |level: &f64| *level > -20.0;
    let silent = |level: &f64| *level < -60.0;
    let [consumer, agent] = [0, 1].map(|channel| seconds_of(&moments, channel));
    assert!(
        heard(&consumer[3]) && consumer[..2].iter().all(silent),
        "{consumer:?}"
    );
    assert!(
        heard(&agent[0]) && agent[2..].iter().all(silent),
        "{agent:?}"
    );
}
