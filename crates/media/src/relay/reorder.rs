//! Packets put back in order for the reporter of digits (S30).
//! Owns: at most 60 ms of audio behind a missing packet.
//! Never: delays anything that came in order; the mask does not wait for it.

use std::ops::Range;

use crate::sample;

/// How much audio may wait behind a missing packet: 60 ms. What ends later gives the gap up.
const WAITING_SPAN_MAX: u64 = 480;

/// Packets that may wait: 60 ms in packets of 10 ms. When full, the gap before the oldest is given up.
const SLOTS: usize = 6;

/// Samples that may wait: all end within 60 ms of the missing one.
const POOL_SAMPLES: usize = 480;

/// The buffer. A waiting sample stands in the pool where its timestamp says; packets that overlap overwrite each other, which only a sender
/// that contradicts itself will see.
pub(super) struct Reorder {
    slots: [Slot; SLOTS],
    pool: Box<[i16; POOL_SAMPLES]>,
    next: Option<u64>,
}

#[derive(Clone, Copy)]
struct Slot {
    ts: u64,
    /// 0: free.
    len: usize,
}

const FREE: Slot = Slot { ts: 0, len: 0 };

impl Reorder {
    pub(super) fn new() -> Self {
        Self {
            slots: [FREE; SLOTS],
            pool: Box::new([0; POOL_SAMPLES]),
            next: None,
        }
    }

    /// Takes a packet; hands on to `deliver` what is in order now. A jump ahead is a gap that was given up.
    pub(super) fn push(&mut self, ts: u64, samples: &[i16], mut deliver: impl FnMut(u64, &[i16])) {
        let end = ts + sample::span(samples.len());
        self.next.get_or_insert(ts);
        while !self.may_wait(end) && self.oldest().is_some() {
            self.give_up_oldest(&mut deliver);
        }
        let is_next = self.next.is_some_and(|next| ts <= next);
        if is_next || !self.may_wait(end) {
            self.hand_on(ts, samples, &mut deliver);
            self.hand_on_waiting(&mut deliver);
        } else if !self.keep(ts, samples) {
            self.flush(&mut deliver);
            self.hand_on(ts, samples, &mut deliver);
        }
    }

    /// Gives up every gap.
    pub(super) fn flush(&mut self, deliver: &mut impl FnMut(u64, &[i16])) {
        while self.oldest().is_some() {
            self.give_up_oldest(deliver);
        }
    }

    /// Forgets everything: another stretch of protection begins.
    pub(super) fn clear(&mut self) {
        self.slots = [FREE; SLOTS];
        self.pool.fill(0);
        self.next = None;
    }

    fn keep(&mut self, ts: u64, samples: &[i16]) -> bool {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.len == 0) else {
            return false;
        };
        slot.ts = ts;
        slot.len = samples.len();
        let (first, second) = places(ts, samples.len());
        let (head, tail) = samples.split_at(first.len());
        self.pool[first].copy_from_slice(head);
        self.pool[second].copy_from_slice(tail);
        true
    }

    /// A packet that ends here need not give up the gap before it.
    fn may_wait(&self, end: u64) -> bool {
        self.next.is_none_or(|next| end <= next + WAITING_SPAN_MAX)
    }

    fn oldest(&self) -> Option<usize> {
        let used = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.len > 0);
        used.min_by_key(|(_, slot)| slot.ts).map(|(index, _)| index)
    }

    fn give_up_oldest(&mut self, deliver: &mut impl FnMut(u64, &[i16])) {
        if let Some(index) = self.oldest() {
            self.release(index, deliver);
        }
        self.hand_on_waiting(deliver);
    }

    fn hand_on_waiting(&mut self, deliver: &mut impl FnMut(u64, &[i16])) {
        while let Some(index) = self.oldest()
            && self.next.is_some_and(|next| self.slots[index].ts <= next)
        {
            self.release(index, deliver);
        }
    }

    fn release(&mut self, index: usize, deliver: &mut impl FnMut(u64, &[i16])) {
        let Slot { ts, len } = std::mem::replace(&mut self.slots[index], FREE);
        let (first, second) = places(ts, len);
        for (ts, place) in [
            (ts, first.clone()),
            (ts + sample::span(first.len()), second),
        ] {
            if !place.is_empty() {
                deliver(ts, &self.pool[place.clone()]);
                self.pool[place].fill(0);
            }
        }
        self.next = self.next.max(Some(ts + sample::span(len)));
    }

    fn hand_on(&mut self, ts: u64, samples: &[i16], deliver: &mut impl FnMut(u64, &[i16])) {
        deliver(ts, samples);
        self.next = self.next.max(Some(ts + sample::span(samples.len())));
    }
}

/// Where `len` samples from `ts` on stand in the pool: up to its end, and from its beginning.
fn places(ts: u64, len: usize) -> (Range<usize>, Range<usize>) {
    let start = sample::ring_index(ts, POOL_SAMPLES);
    let end = (start + len).min(POOL_SAMPLES);
    (start..end, 0..len - (end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(packets: &[u64]) -> Vec<u64> {
        let mut reorder = Reorder::new();
        let mut delivered = Vec::new();
        for ts in packets {
            reorder.push(*ts, &[0; 160], |ts, _| delivered.push(ts));
        }
        delivered
    }

    #[test]
    fn packets_in_order_pass_at_once() {
        assert_eq!(order(&[0, 160, 320]), [0, 160, 320]);
    }

    #[test]
    fn a_swapped_packet_is_put_back() {
        assert_eq!(order(&[0, 320, 160, 480]), [0, 160, 320, 480]);
    }

    #[test]
    fn a_missing_packet_is_given_up_after_sixty_milliseconds() {
        assert_eq!(order(&[0, 320, 480]), [0]);
        assert_eq!(order(&[0, 320, 480, 640]), [0, 320, 480, 640]);
    }

    #[test]
    fn a_packet_as_long_as_the_buffer_never_waits_forever() {
        let mut reorder = Reorder::new();
        let mut delivered = Vec::new();
        for ts in [0, 1_920, 2_880] {
            reorder.push(ts, &[0; 960], |ts, _| delivered.push(ts));
        }
        assert_eq!(delivered, [0, 1_920, 2_880]);
    }

    #[test]
    fn a_packet_far_ahead_leaves_those_that_wait_as_they_were() {
        let mut reorder = Reorder::new();
        let mut heard = Vec::new();
        for ts in [1_000_u64, 1_230, 9_000] {
            let samples: Vec<i16> = (ts..ts + 160)
                .map(|at| i16::try_from(at).unwrap())
                .collect();
            reorder.push(ts, &samples, |ts, samples| {
                heard.extend(samples.iter().zip(ts..).map(|(value, at)| (*value, at)));
            });
        }
        assert_eq!(heard.len(), 480);
        assert!(
            heard
                .iter()
                .all(|(value, at)| u64::try_from(*value) == Ok(*at))
        );
        assert!(heard.is_sorted_by_key(|(_, at)| *at));
    }
}
