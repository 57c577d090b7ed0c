//! Masked samples on their way out.
//! Owns: a bounded queue of output samples with their timestamps and origin.
//! Never: grows; the relay drains it after every input.

use crate::delay_line::{CACHE_LINE, HOLD_SAMPLES};
use crate::sample;

/// Output samples that may wait, the most that one input makes: its own (960 at most, 120 ms), a gap that is filled before it (480) and the
/// samples held back (96), rounded up to whole packets of 10 ms. When full the newest are dropped; the relay then sees a jump of
/// the output timeline.
const OUTBOX_SAMPLES: usize = 1_600;

/// Unbroken runs that may wait: what is held before a jump, what comes after it, and as many again. When full the newest samples are
/// dropped and counted.
const RUNS_MAX: usize = 4;

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

/// Which of the two samples of an [`Outgoing`] have weight, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weights(u8);

impl Weights {
    const NONE: Self = Self(0);

    fn of(outgoing: &Outgoing) -> Self {
        Self(u8::from(outgoing.delayed) | (u8::from(outgoing.direct) << 1))
    }

    fn origin(self, ts: u64) -> Origin {
        let held = sample::span(HOLD_SAMPLES);
        Origin {
            delayed: (self.0 & 1 != 0).then(|| ts.saturating_sub(held)),
            direct: (self.0 & 2 != 0).then_some(ts),
        }
    }
}

/// Samples that follow each other on the output timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    start: u64,
    len: usize,
}

/// A ring; `first` is the oldest of `len` samples. Their timestamps are those of the runs, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    linear: Box<[i16; OUTBOX_SAMPLES]>,
    weights: Box<[Weights; OUTBOX_SAMPLES]>,
    first: usize,
    len: usize,
    runs: [Run; RUNS_MAX],
    runs_len: usize,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            linear: Box::new([0; OUTBOX_SAMPLES]),
            weights: Box::new([Weights::NONE; OUTBOX_SAMPLES]),
            first: 0,
            len: 0,
            runs: [Run { start: 0, len: 0 }; RUNS_MAX],
            runs_len: 0,
        }
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) {
        if self.len == OUTBOX_SAMPLES || !self.lengthen(outgoing.ts, 1) {
            return;
        }
        let place = self.free();
        self.linear[place] = outgoing.linear;
        self.weights[place] = Weights::of(&outgoing);
        self.len += 1;
    }

    /// Takes samples from `ts` on that have passed the delay; `clear`: which of them have weight.
    pub(super) fn push_delayed(&mut self, ts: u64, linear: &[i16], clear: &[bool]) {
        let room = linear.len().min(OUTBOX_SAMPLES - self.len);
        let taken = if room > 0 && self.lengthen(ts, room) {
            room
        } else {
            0
        };
        let mut rest = linear[..taken].iter().zip(clear);
        while rest.len() > 0 {
            let place = self.free();
            let len = rest.len().min(OUTBOX_SAMPLES - place);
            let places = self.linear[place..]
                .iter_mut()
                .zip(&mut self.weights[place..]);
            for ((value, weights), (linear, clear)) in places.zip(rest.by_ref().take(len)) {
                (*value, *weights) = (*linear, Weights(u8::from(*clear)));
            }
            self.len += len;
        }
    }

    /// Where the next sample is put.
    fn free(&self) -> usize {
        let place = self.first + self.len;
        if place >= OUTBOX_SAMPLES {
            place - OUTBOX_SAMPLES
        } else {
            place
        }
    }

    /// See [`crate::relay::Relay::look`]; `len` samples are about to come.
    pub(super) fn look(&self, len: usize) -> u64 {
        let places = (0..len).step_by(CACHE_LINE / size_of::<i16>());
        let places = places.map(|at| (self.first + at) % OUTBOX_SAMPLES);
        places.fold(0, |seen, place| {
            let weights = u64::from(self.weights[place].0);
            seen ^ u64::from(self.linear[place].cast_unsigned()) ^ weights
        })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes samples of one unbroken run into the front of `linear`. Yields the run's start and how many there are.
    pub(super) fn pop(&mut self, linear: &mut [i16]) -> Option<(u64, usize)> {
        let (start, count) = self.next_run(linear.len())?;
        let front = count.min(OUTBOX_SAMPLES - self.first);
        let (one, two) = linear[..count].split_at_mut(front);
        one.copy_from_slice(&self.linear[self.first..self.first + front]);
        two.copy_from_slice(&self.linear[..count - front]);
        self.first = (self.first + count) % OUTBOX_SAMPLES;
        self.shorten(count);
        Some((start, count))
    }

    /// As [`Outbox::pop`], but hands each sample to `take(position, linear, origin)`.
    pub(super) fn pop_run(
        &mut self,
        capacity: usize,
        mut take: impl FnMut(usize, i16, Origin),
    ) -> Option<(u64, usize)> {
        let (start, count) = self.next_run(capacity)?;
        for position in 0..count {
            let origin = self.weights[self.first].origin(start + sample::span(position));
            take(position, self.linear[self.first], origin);
            self.first = (self.first + 1) % OUTBOX_SAMPLES;
        }
        self.shorten(count);
        Some((start, count))
    }

    /// Start of the oldest run, and how many of its samples `capacity` takes.
    fn next_run(&self, capacity: usize) -> Option<(u64, usize)> {
        let run = self.runs[..self.runs_len].first()?;
        (capacity > 0).then_some((run.start, run.len.min(capacity)))
    }

    /// So many samples more, from `ts` on; false if they begin a run that finds no room.
    fn lengthen(&mut self, ts: u64, count: usize) -> bool {
        if let Some(newest) = self.runs[..self.runs_len].last_mut()
            && newest.start + sample::span(newest.len) == ts
        {
            newest.len += count;
            return true;
        }
        let Some(free) = self.runs.get_mut(self.runs_len) else {
            return false;
        };
        *free = Run {
            start: ts,
            len: count,
        };
        self.runs_len += 1;
        true
    }

    /// So many samples of the oldest run are gone.
    fn shorten(&mut self, count: usize) {
        self.len -= count;
        let oldest = &mut self.runs[0];
        oldest.start += sample::span(count);
        oldest.len -= count;
        if oldest.len == 0 {
            self.runs.rotate_left(1);
            self.runs_len -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(ts: u64) -> Outgoing {
        Outgoing {
            ts,
            linear: i16::try_from(ts % 1_000).unwrap_or(0),
            delayed: ts.is_multiple_of(2),
            direct: ts.is_multiple_of(3),
        }
    }

    fn pop(outbox: &mut Outbox, capacity: usize) -> Option<(u64, usize)> {
        let mut all_right = true;
        let mut expected = 0;
        let run = outbox.pop_run(capacity, |position, linear, origin| {
            let ts = origin.direct.or(origin.delayed.map(|ts| ts + 96));
            all_right &= position == expected && ts.is_none_or(|ts| outgoing(ts).linear == linear);
            expected += 1;
        });
        assert!(all_right);
        run
    }

    #[test]
    fn runs_come_out_as_they_went_in_across_the_ring_end() {
        let mut outbox = Outbox::new();
        for lap in 0..5_u64 {
            let start = 10_000 * (lap + 1);
            (start..start + 1_000).for_each(|ts| outbox.push(outgoing(ts)));
            (start + 5_000..start + 5_400).for_each(|ts| outbox.push(outgoing(ts)));
            assert_eq!(pop(&mut outbox, 600), Some((start, 600)));
            assert_eq!(pop(&mut outbox, 600), Some((start + 600, 400)));
            assert_eq!(pop(&mut outbox, 600), Some((start + 5_000, 400)));
            assert_eq!((pop(&mut outbox, 600), outbox.len()), (None, 0));
        }
    }

    #[test]
    fn what_finds_no_room_is_dropped() {
        let mut outbox = Outbox::new();
        (0..2_000).for_each(|ts| outbox.push(outgoing(ts)));
        assert_eq!(outbox.len(), 1_600);
        let mut outbox = Outbox::new();
        (0..6).for_each(|run| outbox.push(outgoing(run * 50)));
        assert_eq!(outbox.len(), 4);
        assert_eq!(pop(&mut outbox, 9), Some((0, 1)));
        outbox.push(outgoing(400));
        assert_eq!(outbox.len(), 4);
    }
}
