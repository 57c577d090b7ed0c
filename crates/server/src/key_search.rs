//! The search for key presses in finished audio.
//! Owns: what counts as a press that somebody could read from it.
//! Never: keeps which key it was.

use std::ops::Range;

use media::dtmf::inband::keypad::{self, Pair};
use media::dtmf::inband::loose::{LooseDetector, LooseFind};
use media::dtmf::inband::strict::Presses;

/// Least audio of a find of the loose detector that a key may be read from: Q.24 has no receiver that takes less than 23 ms for a digit. Finds of 30 ms and more in
/// [`RUN_LEAST`]s do not occur in two hours of speech in five languages (`scripts/corpus`); alone they do, 17 times an hour.
const SPAN_LEAST: u64 = 240;
/// Such finds that count if they follow each other.
const RUN_LEAST: usize = 3;
/// The longest pause within them: two seconds.
const PAUSE_MAX: u64 = 16_000;
/// Presses that are told of one search: more than are keyed in an hour.
const FOUND_MAX: usize = 10_000;

/// Takes the audio of one side, and yields where keys were pressed: what a receiver by Q.24 takes for a press, and runs of what sounds like presses.
#[derive(Debug)]
pub(crate) struct KeySearch {
    presses: Presses,
    loose: LooseDetector,
    at: u64,
    runs: Runs,
    found: Vec<Range<u64>>,
}

/// Finds of the loose detector that follow each other.
#[derive(Debug, Default)]
struct Runs {
    open: Vec<Range<u64>>,
    found: Vec<Range<u64>>,
}

impl KeySearch {
    /// A search whose first sample has position `at`.
    pub(crate) fn new(at: u64) -> Self {
        Self {
            presses: Presses::new(),
            loose: LooseDetector::new(at),
            at,
            runs: Runs::default(),
            found: Vec::new(),
        }
    }

    /// Takes the next samples, 8,000 a second.
    pub(crate) fn push(&mut self, audio: &[i16]) {
        // So few at a time that no press finds the queue of presses full.
        for some in audio.chunks(PIECE) {
            self.presses.push_audio(self.at, some);
            while let Some(mut press) = self.presses.poll() {
                let is_key = is_key(press.pair);
                press.pair.wipe();
                if is_key && self.found.len() < FOUND_MAX {
                    self.found.push(press.start..press.end);
                }
            }
            self.at += u64::try_from(some.len()).unwrap_or(u64::MAX);
        }
        let runs = &mut self.runs;
        self.loose.push(audio, |find| runs.hear(find));
    }

    /// Where keys were pressed, in order.
    pub(crate) fn finish(self) -> Vec<Range<u64>> {
        let Self {
            mut presses,
            loose,
            mut runs,
            mut found,
            ..
        } = self;
        presses.wipe();
        loose.finish(|find| runs.hear(find));
        runs.close();
        let strict = found.len();
        for like in runs.found {
            let strict = found.get(..strict).unwrap_or_default();
            if !strict.iter().any(|press| overlap(press, &like)) {
                found.push(like);
            }
        }
        found.sort_by_key(|press| press.start);
        found
    }
}

/// Samples between two looks at what was pressed: a second has some ten presses.
const PIECE: usize = 8_000;

impl Runs {
    fn hear(&mut self, mut find: LooseFind) {
        let is_key = is_key(find.pair);
        find.pair.wipe();
        if !is_key || find.end.saturating_sub(find.start) < SPAN_LEAST {
            return;
        }
        let last = self.open.last().map_or(0, |last| last.end);
        if find.start.saturating_sub(last) > PAUSE_MAX {
            self.close();
        }
        self.open.push(find.start..find.end);
    }

    fn close(&mut self) {
        let run = std::mem::take(&mut self.open);
        if run.len() >= RUN_LEAST {
            let room = FOUND_MAX.saturating_sub(self.found.len());
            self.found.extend(run.into_iter().take(room));
        }
    }
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

/// One of the keys that a consumer has.
pub(crate) fn is_key(pair: Pair) -> bool {
    keypad::key_of(pair).is_some()
}

#[cfg(test)]
mod tests {
    use media::dtmf::inband::keypad::pair_of_event;
    use media::tone::{KeyTone, KeyToneShape};

    use super::*;

    /// A press of so many samples at each of these places.
    fn found(presses: &[usize], samples: usize, shape: KeyToneShape) -> Vec<u64> {
        let mut audio = vec![0; 80_000];
        for (key, at) in (0..).zip(presses) {
            let mut tone = KeyTone::new(pair_of_event(key).unwrap(), shape);
            tone.add_to(&mut audio[*at..at + samples]);
        }
        let mut search = KeySearch::new(1_000);
        for piece in audio.chunks(777) {
            search.push(piece);
        }
        let found = search.finish();
        found.iter().map(|press| press.start).collect()
    }

    #[test]
    fn a_press_that_a_receiver_takes_is_found_alone_and_once() {
        let found = found(&[8_000, 40_000], 400, KeyToneShape::default());
        assert_eq!(found.len(), 2);
        for (found, at) in found.iter().zip([9_000, 41_000]) {
            assert!(found.abs_diff(at) < 40, "{found}");
        }
    }

    #[test]
    fn what_no_receiver_takes_counts_in_runs_of_three() {
        let uneven = KeyToneShape {
            twist_db: 12.0,
            ..KeyToneShape::default()
        };
        assert_eq!(found(&[8_000, 12_000, 60_000], 400, uneven).len(), 0);
        assert_eq!(
            found(&[8_000, 12_000, 16_000, 60_000], 400, uneven).len(),
            3
        );
        assert_eq!(found(&[8_000, 12_000, 16_000], 160, uneven).len(), 0);
    }
}
