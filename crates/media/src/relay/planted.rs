//! A relay whose mask does nothing, for tests of what watches over it (docs/planted.md).
//! Owns: what the mask took out.
//! Never: is part of a build without the feature `planted`.

use crate::delay_line::{DelayLine, HOLD_SAMPLES};
use crate::sample;

/// What came in, to be put where the mask's output was.
pub(super) struct MaskOff(DelayLine<i16>);

impl MaskOff {
    pub(super) fn new() -> Self {
        Self(DelayLine::new(0))
    }

    pub(super) fn keep(&mut self, ts: u64, samples: &[i16]) {
        for (offset, value) in samples.iter().enumerate() {
            self.0.put(ts + sample::span(offset), *value);
        }
    }

    pub(super) fn undo(&self, ts: u64, masked: &mut [i16]) {
        let start = ts.saturating_sub(sample::span(HOLD_SAMPLES));
        for (offset, value) in masked.iter_mut().enumerate() {
            *value = self.0.at(start + sample::span(offset));
        }
    }
}
