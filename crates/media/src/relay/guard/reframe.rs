//! Unprotected audio on its way to an agent who asked for packets of another duration (S37).
//! Owns: the use of the guard's framer while nothing is masked.
//! Never: runs where both durations agree: packets are relayed as they come then.

use std::time::Instant;

use super::super::framer::{Take, frame_duration};
use super::super::plan::DropReason;
use super::{Guard, Way};
use crate::leg::{Codec, LegPlan};
use crate::sample;
use crate::sample::duration_of;

impl Guard {
    /// Audio is to be framed anew.
    pub(in crate::relay) fn reframes(&self) -> bool {
        self.reframes
    }

    /// One past the newest sample that was framed or masked.
    pub(in crate::relay) fn sent_end(&self) -> u64 {
        if self.is_protecting() {
            self.heard_end()
        } else if self.is_reframing {
            self.framer.end()
        } else {
            0
        }
    }

    /// Frames audio whose first sample has timestamp `ts`; what came before may wait for its packet to be complete, or due.
    pub(in crate::relay) fn reframe(
        &mut self,
        now: Instant,
        ts: u64,
        samples: &[i16],
        way: &mut Way<'_>,
    ) -> Result<(), DropReason> {
        let input = duration_of(self.input_span);
        let output = self.output_duration(&way.agent.plan);
        if std::mem::replace(&mut self.is_reframing, true) {
            self.framer.set_durations(input, output);
        } else {
            self.framer.restart(ts, input, output);
        }
        let late = sample::length(self.framer.end().saturating_sub(ts));
        let fresh = samples.get(late..).filter(|fresh| !fresh.is_empty());
        let fresh = fresh.ok_or(DropReason::OutOfPlace)?;
        self.frame(now, ts.max(self.framer.end()), fresh, way);
        self.missing = 0;
        Ok(())
    }

    /// Sends what waits: from now on packets are as long as they come, or masked.
    pub(in crate::relay) fn end_reframing(&mut self, way: &mut Way<'_>) {
        if self.is_reframing {
            self.send(Take::All, way);
            self.is_reframing = false;
        }
    }
}

/// The agent asked for packets of another duration than this of the consumer's. Whoever hears Opus hears packets of any duration
/// ([RFC 7587](https://www.rfc-editor.org/rfc/rfc7587)), and to frame them anew would make a telephone's band of the call.
pub(super) fn is_other_duration(agent: &LegPlan, input_span: u64) -> bool {
    if agent.codec == Codec::Opus {
        return false;
    }
    let input = duration_of(input_span);
    let output = frame_duration(agent.ptime, agent.maxptime, input);
    output != frame_duration(None, None, input)
}
