//! Masked samples on their way out.
//! Owns: a bounded queue of output samples with their timestamps and origin.
//! Never: grows; the relay drains it after every input.

use crate::delay_line::HOLD_SAMPLES;
use crate::sample;

/// Output samples that may wait: 256 ms, more than one call's largest input (120 ms) and the held samples. When full the newest are
/// dropped and counted; the relay then sees a jump of the output timeline.
const OUTBOX_SAMPLES: usize = 2_048;

/// Where an output sample comes from: which input samples have any weight in it. Both empty: synthetic (tone, silence, or the
/// fading echo of samples already sent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// Input timestamp of the sample that passed the delay.
    pub delayed: Option<u64>,
    /// Input timestamp of the sample mixed in while the delay is entered or left.
    pub direct: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing {
    pub(super) ts: u64,
    pub(super) linear: i16,
    pub(super) delayed: bool,
    pub(super) direct: bool,
}

impl Outgoing {
    fn origin(self) -> Origin {
        let held = sample::span(HOLD_SAMPLES);
        Origin {
            delayed: self.delayed.then(|| self.ts.saturating_sub(held)),
            direct: self.direct.then_some(self.ts),
        }
    }
}

/// A ring; `first` is the oldest of `len` samples.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    ring: Box<[Outgoing; OUTBOX_SAMPLES]>,
    first: usize,
    len: usize,
    dropped: u64,
}

impl Outbox {
    pub(super) fn new() -> Self {
        let blank = Outgoing {
            ts: 0,
            linear: 0,
            delayed: false,
            direct: false,
        };
        Self {
            ring: Box::new([blank; OUTBOX_SAMPLES]),
            first: 0,
            len: 0,
            dropped: 0,
        }
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) {
        if self.len == OUTBOX_SAMPLES {
            self.dropped += 1;
            return;
        }
        self.ring[(self.first + self.len) % OUTBOX_SAMPLES] = outgoing;
        self.len += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes at most `capacity` samples of one unbroken run and hands each to `take(position, linear, origin)`. Yields the run's start and
    /// length.
    pub(super) fn pop_run(
        &mut self,
        capacity: usize,
        mut take: impl FnMut(usize, i16, Origin),
    ) -> Option<(u64, usize)> {
        let start = (self.len > 0 && capacity > 0).then(|| self.ring[self.first].ts)?;
        let mut count = 0;
        while count < capacity && self.len > 0 {
            let outgoing = self.ring[self.first];
            if outgoing.ts != start + sample::span(count) {
                break;
            }
            take(count, outgoing.linear, outgoing.origin());
            self.first = (self.first + 1) % OUTBOX_SAMPLES;
            self.len -= 1;
            count += 1;
        }
        Some((start, count))
    }
}
