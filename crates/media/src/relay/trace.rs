//! Where what left came from: the proof that no sample of a press is in it.
//! Owns: a bounded queue of masked samples with their origins, for a relay whose owner asked for it.
//! Never: changes what leaves; exists unless asked for.

use std::collections::VecDeque;

use super::side::AUDIO_SAMPLES_MAX;
use super::timeline::TIMELINE_START;
use crate::mask::{Origin, ProtectedPath};
use crate::sample;

/// Samples that may wait: 512 ms, twice what one input can make. When full the newest are dropped, which shows as a jump of positions.
const WAITING_MAX: usize = 4_096;

/// A masked sample, before it was encoded, and where it came from. All positions are recording positions of the consumer's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced {
    /// Position in what was sent and recorded.
    pub position: u64,
    /// 16-bit value at 8 kHz.
    pub linear: i16,
    /// Positions of the input samples that have any weight in it; both none: synthetic.
    pub origin: Origin,
}

/// The queue.
pub(super) struct Trace {
    origins: Box<[Origin; AUDIO_SAMPLES_MAX]>,
    waiting: VecDeque<Traced>,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self {
            origins: Box::new([Origin::default(); AUDIO_SAMPLES_MAX]),
            waiting: VecDeque::with_capacity(WAITING_MAX),
        }
    }

    /// Takes masked samples out of the path as [`ProtectedPath::pop_masked`] does, and keeps their origins.
    pub(super) fn pop(
        &mut self,
        path: &mut ProtectedPath,
        linear: &mut [i16],
    ) -> Option<(u64, usize)> {
        let (start, len) = path.pop_traced(linear, &mut self.origins[..])?;
        for (offset, value) in linear.iter().take(len).enumerate() {
            if self.waiting.len() == WAITING_MAX {
                break;
            }
            let origin = self.origins[offset];
            self.waiting.push_back(Traced {
                position: position(start + sample::span(offset)),
                linear: *value,
                origin: Origin {
                    delayed: origin.delayed.map(position),
                    direct: origin.direct.map(position),
                },
            });
        }
        Some((start, len))
    }

    pub(super) fn poll(&mut self) -> Option<Traced> {
        self.waiting.pop_front()
    }
}

fn position(ts: u64) -> u64 {
    ts.saturating_sub(TIMELINE_START)
}
