//! The scan: every stretch of finished audio from which a key might be read.
//! Owns: the search of recordings and of what the agent heard.
//! Never: runs in a call; it may be wrong in the other direction, speech that happens to sound like a key.

use super::analysis::{Analysis, HOP_SAMPLES, Window};
use super::keypad::{self, Key, Pair};
use crate::g711::Law;
use crate::sample;

/// Least shares that count towards a find.
const SHORT_SHARE: f32 = 0.88;
const LONG_SHARE: f32 = 0.80;

/// Least share the weaker tone adds: 14 dB of twist leaves it 3.8 %.
const WEAKER_LEAST: f32 = 0.02;

/// Level below which nothing can be told from G.711's smallest steps.
const FLOOR_DBM0: f32 = -58.0;

/// Hops in a row with the same pair that make a find: 4 ms, so about 8 ms of tone.
const HOPS_LEAST: u32 = 4;

/// A find pauses at most this long: 10 ms.
const PAUSE_SPAN_MAX: u64 = 80;

/// A stretch of audio that sounds like one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LooseFind {
    /// Which pair; it does not print itself.
    pub pair: Pair,
    /// First sample, to about 3 ms.
    pub start: u64,
    /// One past the last sample, to about 3 ms.
    pub end: u64,
}

impl LooseFind {
    /// The key, if the pair is one of 0-9, `*` or `#`.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        keypad::key_of(self.pair)
    }
}

/// A paranoid digit finder for finished audio: looser than any decoder that might be used against it.
#[derive(Debug)]
pub struct LooseDetector {
    analysis: Analysis,
    at: u64,
    floor_power: f32,
    run: Option<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    find: LooseFind,
    hops: u32,
}

impl LooseDetector {
    /// A finder whose first sample has position `at`.
    #[must_use]
    pub fn new(at: u64) -> Self {
        let peak = Law::Mu.amplitude(FLOOR_DBM0);
        Self {
            analysis: Analysis::new(),
            at,
            floor_power: peak * peak / 2.0,
            run: None,
        }
    }

    /// Reads on; every find that is complete goes to `found`.
    pub fn push(&mut self, linear: &[i16], mut found: impl FnMut(LooseFind)) {
        for value in linear {
            self.at += 1;
            if self.analysis.push(*value) {
                self.judge(&mut found);
            }
        }
    }

    /// The audio ends here; a find that reaches its end goes to `found`.
    pub fn finish(mut self, mut found: impl FnMut(LooseFind)) {
        self.close(&mut found);
    }

    /// All finds of a whole recording, positions counted from its first sample.
    #[must_use]
    pub fn scan(linear: &[i16]) -> Vec<LooseFind> {
        let mut finds = Vec::new();
        let mut detector = Self::new(0);
        detector.push(linear, |find| finds.push(find));
        detector.finish(|find| finds.push(find));
        finds
    }

    fn judge(&mut self, found: &mut impl FnMut(LooseFind)) {
        let heard = self
            .heard(Window::Short, SHORT_SHARE)
            .or_else(|| self.heard(Window::Long, LONG_SHARE));
        match (heard, &mut self.run) {
            (Some(find), Some(run)) if run.find.pair == find.pair => {
                run.find.end = self.at;
                run.hops += 1;
            }
            (Some(find), _) => {
                self.close(found);
                self.run = Some(Run { find, hops: 1 });
            }
            (None, Some(run)) if self.at - run.find.end > PAUSE_SPAN_MAX => self.close(found),
            (None, _) => {}
        }
    }

    fn heard(&self, window: Window, least_share: f32) -> Option<LooseFind> {
        let fit = self.analysis.fit(window, least_share)?;
        let start = self
            .at
            .saturating_sub(sample::span(window.samples() - HOP_SAMPLES / 2));
        (fit.power >= self.floor_power && fit.weaker_share >= WEAKER_LEAST).then_some(LooseFind {
            pair: fit.pair,
            start,
            end: self.at,
        })
    }

    fn close(&mut self, found: &mut impl FnMut(LooseFind)) {
        if let Some(run) = self.run.take()
            && run.hops >= HOPS_LEAST
        {
            found(run.find);
        }
    }
}
