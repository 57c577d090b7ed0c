//! The committed seeds, and what a seeded mutator makes of them, for each target.

use std::path::Path;

/// Inputs of a short run that the mutator makes for each target; a relay plays seconds of a call for each.
const PARSER_ROUNDS: usize = 60_000;
const RELAY_ROUNDS: usize = 400;
/// Each is read twice, as a configuration with conditions and outputs says.
const ANSWER_ROUNDS: usize = 20_000;

/// Longest input that it makes.
const LEN_MAX: usize = 4_096;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// The same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        usize::try_from((mixed ^ (mixed >> 33)) % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn octet(&mut self) -> u8 {
        const TELLING: [u8; 8] = [0, 1, 0x7F, 0x80, 0xFF, b'\r', b'\n', b' '];
        if self.below(3) == 0 {
            TELLING[self.below(8)]
        } else {
            u8::try_from(self.below(256)).unwrap()
        }
    }
}

fn mutate(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => bytes[at..]
                .iter_mut()
                .take(1)
                .for_each(|byte| *byte ^= 1 << (at % 8)),
            1 => bytes.insert(at, dice.octet()),
            2 => {
                let octet = dice.octet();
                bytes[at..]
                    .iter_mut()
                    .take(1)
                    .for_each(|byte| *byte = octet);
            }
            3 => bytes.truncate(at),
            4 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                let len = dice.below(other.len() - from + 1);
                bytes.splice(at..at, other[from..from + len].iter().copied());
            }
            _ => {
                let len = dice.below(bytes.len() - at + 1).min(64);
                let piece = bytes[at..at + len].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes.truncate(LEN_MAX);
    bytes
}

/// What was being run is told if it panics: it is the reference of the find.
struct Running<'input>(&'input str, &'input [u8]);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.1.iter().map(|byte| format!("{byte:02x}")).collect();
            let line = format!("target {}, input {hex}\n", self.0);
            let _told = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        }
    }
}

fn drive(target: &str, rounds: usize, run: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(seeds.len() >= 4, "{target} has seeds");
    let mut dice = Dice(0x5EED);
    let mutated = (0..rounds).map(|_| mutate(&mut dice, &seeds));
    for input in seeds.iter().cloned().chain(mutated) {
        let running = Running(target, &input);
        run(&input);
        drop(running);
    }
}

#[test]
fn rtp() {
    drive("rtp", PARSER_ROUNDS, crate::rtp::run);
}

#[test]
fn rtcp() {
    drive("rtcp", PARSER_ROUNDS, crate::rtcp::run);
}

#[test]
fn telephone_event() {
    drive(
        "telephone_event",
        PARSER_ROUNDS,
        crate::telephone_event::run,
    );
}

#[test]
fn sdp() {
    drive("sdp", PARSER_ROUNDS, crate::sdp::run);
}

#[test]
fn sip() {
    drive("sip", ANSWER_ROUNDS, crate::sip::run);
}

#[test]
fn siprec() {
    drive("siprec", ANSWER_ROUNDS, crate::siprec::run);
}

#[test]
fn relay() {
    drive("relay", RELAY_ROUNDS, crate::relay::run);
}

#[test]
fn answer_json() {
    drive("answer_json", ANSWER_ROUNDS, crate::answer::json);
}

#[test]
fn answer_xml() {
    drive("answer_xml", ANSWER_ROUNDS, crate::answer::xml);
}

#[test]
fn answer_form() {
    drive("answer_form", ANSWER_ROUNDS, crate::answer::form);
}

#[test]
fn answer_text() {
    drive("answer_text", ANSWER_ROUNDS, crate::answer::text);
}

#[test]
fn answer_name_value() {
    drive(
        "answer_name_value",
        ANSWER_ROUNDS,
        crate::answer::name_value,
    );
}

#[test]
fn condition() {
    drive("condition", ANSWER_ROUNDS, crate::answer::condition);
}

#[test]
fn recording() {
    drive("recording", PARSER_ROUNDS, crate::recording::run);
}

#[test]
fn sound() {
    drive("sound", PARSER_ROUNDS, crate::sound::run);
}
