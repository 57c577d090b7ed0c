//! Samples into packets of one duration.
//! Owns: cutting and pacing of an output stream.
//! Never: reorders, or holds more than it must: what is complete and due leaves.

use std::time::{Duration, Instant};

use crate::sample;
use crate::sample::{duration_of, samples_in};

/// Samples that may wait: an incomplete frame and a piece of input, of 120 ms at most each, or what pacing holds back. When full the oldest
/// are sent at once.
const WAITING_MAX: usize = 1_920;

/// Paced frames leave at once while more than this waits: 128 ms, more than the longest input.
const CROWDED: usize = 1_024;

/// Shortest and longest packet that we make.
const FRAME_MIN: Duration = Duration::from_millis(10);
const FRAME_MAX: Duration = Duration::from_millis(120);

/// The packet duration for a far side: its ptime, else the input's, at most its maxptime.
pub(super) fn frame_duration(
    ptime: Option<Duration>,
    maxptime: Option<Duration>,
    input: Duration,
) -> Duration {
    let wanted = ptime.unwrap_or(input).clamp(FRAME_MIN, FRAME_MAX);
    wanted.min(maxptime.unwrap_or(FRAME_MAX).max(FRAME_MIN))
}

/// One stream's cutter. Cuts lie at `origin` and whole frames from it, so that a packet cut short puts none after it out of step.
#[derive(Debug, Clone)]
pub(super) struct Framer {
    samples: Box<[i16; WAITING_MAX]>,
    len: usize,
    start: u64,
    origin: u64,
    frame: u64,
    /// Frames leave no faster than this, because inputs are longer than outputs.
    pace: Option<Duration>,
    next_due: Option<Instant>,
}

/// What the framer may give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// Complete frames that are due.
    Due(Instant),
    /// Everything, cut where cuts lie.
    All,
}

impl Framer {
    pub(super) fn new() -> Self {
        Self {
            samples: Box::new([0; WAITING_MAX]),
            len: 0,
            start: 0,
            origin: 0,
            frame: 160,
            pace: None,
            next_due: None,
        }
    }

    /// Begins a stream at `ts`; what waits must have been taken. `input` and `output`: packet durations.
    pub(super) fn restart(&mut self, ts: u64, input: Duration, output: Duration) {
        self.jump_to(ts);
        self.origin = ts;
        self.next_due = None;
        self.set_durations(input, output);
    }

    /// Inputs, or what is wanted, have another duration from now on.
    pub(super) fn set_durations(&mut self, input: Duration, output: Duration) {
        self.frame = samples_in(output).max(1);
        self.pace = (input > output).then_some(output);
    }

    /// An input begins at `ts`: if inputs are as long as outputs, cuts lie where inputs are cut.
    pub(super) fn align(&mut self, ts: u64) {
        self.origin = ts;
    }

    /// The stream goes on at `ts`; what waits must have been taken.
    pub(super) fn jump_to(&mut self, ts: u64) {
        self.start = ts;
        self.len = 0;
    }

    /// One past the newest sample taken in.
    pub(super) fn end(&self) -> u64 {
        self.start + sample::span(self.len)
    }

    /// Samples of a whole frame.
    pub(super) fn frame_span(&self) -> u64 {
        self.frame
    }

    pub(super) fn frame_duration(&self) -> Duration {
        duration_of(self.frame)
    }

    /// Takes samples that follow on [`Framer::end`]; says how many found room.
    pub(super) fn push(&mut self, samples: &[i16]) -> usize {
        let taken = samples.len().min(WAITING_MAX - self.len);
        self.samples[self.len..self.len + taken].copy_from_slice(&samples[..taken]);
        self.len += taken;
        taken
    }

    /// When the next complete frame is due; nothing if none waits.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        (self.pace.is_some() && self.len >= self.cut_len()).then_some(self.next_due)?
    }

    /// The next packet: its timestamp; its samples are moved to the front of `frame`.
    pub(super) fn take(&mut self, take: Take, frame: &mut [i16]) -> Option<(u64, usize)> {
        let cut = self.cut_len();
        let len = match take {
            Take::Due(now) if self.len >= cut && self.is_due(now) => cut,
            Take::All if self.len > 0 => cut.min(self.len),
            Take::Due(_) | Take::All => return None,
        };
        let len = len.min(frame.len());
        debug_assert!(len > 0, "a caller without a buffer would ask for ever");
        frame[..len].copy_from_slice(&self.samples[..len]);
        self.samples.copy_within(len..self.len, 0);
        self.len -= len;
        let ts = self.start;
        self.start += sample::span(len);
        if let (Some(pace), Take::Due(now)) = (self.pace, take) {
            self.next_due = Some(
                self.next_due
                    .map_or(now, |due| due.max(now - pace.min(Duration::from_millis(5))))
                    + pace,
            );
        }
        Some((ts, len))
    }

    fn is_due(&self, now: Instant) -> bool {
        let crowded = self.len > CROWDED;
        self.pace.is_none() || crowded || self.next_due.is_none_or(|due| due <= now)
    }

    /// Samples up to the next cut.
    fn cut_len(&self) -> usize {
        let into = (self.start % self.frame + self.frame - self.origin % self.frame) % self.frame;
        sample::length(self.frame - into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn take_all(framer: &mut Framer, take: Take) -> Vec<(u64, usize)> {
        let mut frame = [0; 960];
        std::iter::from_fn(|| framer.take(take, &mut frame)).collect()
    }

    #[test]
    fn thirty_milliseconds_become_twenty() {
        let now = Instant::now();
        let mut framer = Framer::new();
        framer.restart(1_000, 30 * MS, 20 * MS);
        framer.push(&[0; 240]);
        assert_eq!(take_all(&mut framer, Take::Due(now)), [(1_000, 160)]);
        framer.push(&[0; 240]);
        assert_eq!(
            take_all(&mut framer, Take::Due(now + 30 * MS)),
            [(1_160, 160)]
        );
        assert_eq!(framer.next_timeout(), Some(now + 45 * MS));
    }

    #[test]
    fn a_short_packet_puts_none_after_it_out_of_step() {
        let now = Instant::now();
        let mut framer = Framer::new();
        framer.restart(0, 20 * MS, 20 * MS);
        framer.push(&[0; 96]);
        assert_eq!(take_all(&mut framer, Take::All), [(0, 96)]);
        framer.push(&[0; 224]);
        assert_eq!(
            take_all(&mut framer, Take::Due(now)),
            [(96, 64), (160, 160)]
        );
    }

    #[test]
    fn the_agents_ptime_wins_within_its_maxptime() {
        assert_eq!(frame_duration(Some(20 * MS), None, 60 * MS), 20 * MS);
        assert_eq!(frame_duration(None, None, 30 * MS), 30 * MS);
        assert_eq!(frame_duration(None, Some(20 * MS), 60 * MS), 20 * MS);
        assert_eq!(frame_duration(Some(MS), Some(500 * MS), 60 * MS), 10 * MS);
    }
}
