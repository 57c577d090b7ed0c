//! The way of a call's masked samples to the writer.
//! Owns: one bounded queue for each recording, and what is known of what it could not hold.
//! Never: makes whoever pushes wait, lock or allocate; loses a sample without saying where.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use g711::Law;
use rtrb::RingBuffer;

use crate::span::Track;

/// Samples of one frame: 30 ms at 8 kHz. Longer stretches are divided.
const FRAME_SAMPLES_MAX: usize = 240;

/// Frames that a recording's queue holds: 2.5 s of both sides in packets of 20 ms. When full: frames are dropped, and are a gap of exact length.
const QUEUE_FRAMES: usize = 256;

/// Samples of one track, in G.711.
pub(crate) struct Frame {
    pub(crate) track: Track,
    pub(crate) position: u64,
    /// From which sample to before which one the track lost some before this frame.
    pub(crate) lost: Option<(u64, u64)>,
    len: usize,
    bytes: [u8; FRAME_SAMPLES_MAX],
}

impl Frame {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What both ends see.
#[derive(Default)]
struct Shared {
    /// The feed is gone; what it lost at last is in `tail`.
    closed: AtomicBool,
    /// Begin and end of each track's last loss; both 0: none.
    tail: [[AtomicU64; 2]; 2],
}

/// Where a call's samples are pushed. Dropping it ends the recording.
pub struct Feed {
    frames: rtrb::Producer<Frame>,
    laws: [Law; 2],
    lost: [Option<(u64, u64)>; 2],
    shared: Arc<Shared>,
}

impl Feed {
    /// Takes masked samples of one side, at 8 kHz, from a position on: samples since the call's media began. How many found no room; they become a gap.
    pub fn push(&mut self, track: Track, position: u64, samples: &[i16]) -> usize {
        let law = self.laws[track.channel()];
        let (mut position, mut dropped) = (position, 0);
        for chunk in samples.chunks(FRAME_SAMPLES_MAX) {
            let end = position.saturating_add(u64::try_from(chunk.len()).unwrap_or(0));
            if self.frames.is_full() {
                dropped += chunk.len();
                let lost = &mut self.lost[track.channel()];
                *lost = Some((lost.map_or(position, |lost| lost.0), end));
            } else {
                let mut frame = Frame {
                    track,
                    position,
                    lost: self.lost[track.channel()].take(),
                    len: chunk.len(),
                    bytes: [0; FRAME_SAMPLES_MAX],
                };
                for (byte, sample) in frame.bytes.iter_mut().zip(chunk) {
                    *byte = law.encode_sample(*sample);
                }
                // Only this side fills the queue, and it was not full.
                let _pushed = self.frames.push(frame);
            }
            position = end;
        }
        dropped
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        for (tail, lost) in self.shared.tail.iter().zip(self.lost) {
            let (from, until) = lost.unwrap_or((0, 0));
            tail[0].store(from, Ordering::Relaxed);
            tail[1].store(until, Ordering::Relaxed);
        }
        self.shared.closed.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[feed]")
    }
}

/// The writer's end.
pub(crate) struct Intake {
    frames: rtrb::Consumer<Frame>,
    shared: Arc<Shared>,
}

impl Intake {
    /// The oldest frame.
    pub(crate) fn pop(&mut self) -> Option<Frame> {
        self.frames.pop().ok()
    }

    /// Whether nothing comes any more but what is in the queue. Asked before the queue is emptied.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Of a closed and empty queue: what each track lost at its end.
    pub(crate) fn tail(&self) -> impl Iterator<Item = (Track, u64, u64)> {
        Track::BOTH
            .into_iter()
            .zip(&self.shared.tail)
            .map(|(track, tail)| {
                let [from, until] = tail.each_ref().map(|at| at.load(Ordering::Relaxed));
                (track, from, until)
            })
    }
}

/// Both ends of a recording's queue.
pub(crate) fn queue(laws: [Law; 2]) -> (Feed, Intake) {
    let (to, from) = RingBuffer::new(QUEUE_FRAMES);
    let shared = Arc::<Shared>::default();
    let feed = Feed {
        frames: to,
        laws,
        lost: [None; 2],
        shared: Arc::clone(&shared),
    };
    let intake = Intake {
        frames: from,
        shared,
    };
    (feed, intake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushing_neither_allocates_nor_waits_and_a_full_queue_says_what_it_lost() {
        let (mut feed, mut intake) = queue([Law::Mu, Law::A]);
        let samples = [400; 160];
        let mut dropped = 0;
        let allocated = allocation_counter::measure(|| {
            for at in 0..200 {
                for track in Track::BOTH {
                    dropped += feed.push(track, at * 160, &samples);
                }
            }
        });
        assert_eq!((allocated.count_total, dropped), (0, 2 * 72 * 160));
        let mut taken = 0;
        while let Some(frame) = intake.pop() {
            assert_eq!((frame.bytes().len(), frame.lost), (160, None));
            taken += 1;
        }
        assert_eq!(taken, QUEUE_FRAMES);
        feed.push(Track::Consumer, 40_000, &samples);
        let lost = intake.pop().unwrap().lost;
        assert_eq!(lost, Some((128 * 160, 200 * 160)));
        drop(feed);
        assert!(intake.is_closed());
        let tail: Vec<_> = intake.tail().collect();
        assert_eq!(
            tail,
            [
                (Track::Consumer, 0, 0),
                (Track::Agent, 128 * 160, 200 * 160)
            ]
        );
    }

    #[test]
    fn long_stretches_are_divided() {
        let (mut feed, mut intake) = queue([Law::Mu, Law::A]);
        let samples: Vec<i16> = (0..600).collect();
        assert_eq!(feed.push(Track::Agent, 7, &samples), 0);
        let frames: Vec<Frame> = std::iter::from_fn(|| intake.pop()).collect();
        let positions: Vec<u64> = frames.iter().map(|frame| frame.position).collect();
        assert_eq!(positions, [7, 247, 487]);
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|frame| frame.bytes().to_vec())
            .collect();
        let expected: Vec<u8> = samples
            .iter()
            .map(|sample| Law::A.encode_sample(*sample))
            .collect();
        assert_eq!(bytes, expected);
    }
}
