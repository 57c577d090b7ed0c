//! Samples found again by their timestamp.
//! Owns: fixed rings on the input timeline.
//! Never: grows, allocates after creation, or decides what may be heard.

use crate::sample;

/// Samples held back of a protected stream: 12 ms. The longer window (64) must be full of the press, windows end every 8 samples, so
/// a press is judged at most 64 + 8 samples after its first sample; the remaining 24 are the 16 of the tone's leading edge
/// and 8 of guard before the window.
pub const HOLD_SAMPLES: usize = 96;

/// Cells of a line: 128 ms, more than held samples (96) + overlap (64) + the longest stretch that waits for both (one 60 ms packet).
pub const LINE_SAMPLES: usize = 1_024;

/// Bytes of a cache line of the processors in use.
pub(crate) const CACHE_LINE: usize = 64;

/// A ring of values addressed by extended timestamp. A cell keeps its value until the timestamp one lap later is written.
#[derive(Clone)]
pub struct DelayLine<T> {
    cells: Box<[T; LINE_SAMPLES]>,
}

/// It does not print what it holds: audio, which may be a key.
impl<T> std::fmt::Debug for DelayLine<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DelayLine").finish_non_exhaustive()
    }
}

impl<T: Copy> DelayLine<T> {
    /// A line filled with `blank`. The only allocation.
    #[must_use]
    pub fn new(blank: T) -> Self {
        Self {
            cells: Box::new([blank; LINE_SAMPLES]),
        }
    }

    /// The value last written for `ts` or a timestamp whole laps away.
    #[must_use]
    pub fn at(&self, ts: u64) -> T {
        self.cells[sample::ring_index(ts, LINE_SAMPLES)]
    }

    /// Writes the value of `ts`.
    pub fn put(&mut self, ts: u64, value: T) {
        self.cells[sample::ring_index(ts, LINE_SAMPLES)] = value;
    }

    /// The values of `from..to`, in the two pieces in which they stand.
    ///
    /// # Panics
    /// If they are more than a lap.
    #[must_use]
    pub fn stretch(&self, from: u64, to: u64) -> [&[T]; 2] {
        let (len, place) = Self::place(from, to);
        let front = len.min(LINE_SAMPLES - place);
        [
            &self.cells[place..place + front],
            &self.cells[..len - front],
        ]
    }

    /// Writes the values from `ts` on, at most a lap of them.
    ///
    /// # Panics
    /// If they are more than a lap.
    pub fn put_all(&mut self, ts: u64, values: &[T]) {
        let (len, place) = Self::place(ts, ts + sample::span(values.len()));
        let (front, back) = values.split_at(len.min(LINE_SAMPLES - place));
        self.cells[place..place + front.len()].copy_from_slice(front);
        self.cells[..back.len()].copy_from_slice(back);
    }

    /// A value of each cache line of `from..to`, at most a lap; see [`crate::relay::Relay::look`].
    pub(crate) fn look(&self, from: u64, to: u64) -> impl Iterator<Item = T> {
        let apart = (CACHE_LINE / size_of::<T>()).max(1);
        let stretches = self.stretch(from, to).into_iter();
        stretches.flat_map(move |stretch| stretch.iter().step_by(apart).copied())
    }

    /// Length of a stretch, and where its first value stands.
    fn place(from: u64, to: u64) -> (usize, usize) {
        (
            sample::length(to.saturating_sub(from)),
            sample::ring_index(from, LINE_SAMPLES),
        )
    }

    /// Writes `value` to `from..to`. Of more than a lap only the last lap is written.
    pub fn fill(&mut self, from: u64, to: u64, value: T) {
        let from = from.max(to.saturating_sub(sample::span(LINE_SAMPLES)));
        let (len, place) = Self::place(from, to);
        let front = len.min(LINE_SAMPLES - place);
        self.cells[place..place + front].fill(value);
        self.cells[..len - front].fill(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_timestamp_within_a_lap() {
        let mut line = DelayLine::new(0_u64);
        line.fill(5_000, 5_000 + 1_024, 7);
        line.put(5_500, 9);
        assert_eq!(line.at(5_500), 9);
        assert_eq!(line.at(5_499), 7);
    }

    #[test]
    fn a_fill_longer_than_a_lap_writes_the_last_lap() {
        let mut line = DelayLine::new(0_u8);
        line.fill(0, u64::MAX, 1);
        assert!((0..1_024).all(|ts| line.at(ts) == 1));
    }
}
