//! Packets put back in order for the reporter of digits (S30).
//! Owns: at most 60 ms of audio behind a missing packet.
//! Never: delays anything that came in order; the mask does not wait for it.

use crate::sample;

/// How much audio may wait behind a missing packet: 60 ms.
const WAITING_SPAN_MAX: u64 = 480;

/// Packets that may wait: 60 ms in packets of 10 ms. When full, the gap before the oldest is given up.
const SLOTS: usize = 6;

/// Samples of a packet that may wait: 60 ms. Of a longer one nothing waits: the gap before it is given up at once.
const SLOT_SAMPLES: usize = 480;

/// The buffer.
pub(super) struct Reorder {
    slots: Box<[Slot; SLOTS]>,
    next: Option<u64>,
}

struct Slot {
    ts: u64,
    /// 0: free.
    len: usize,
    samples: [i16; SLOT_SAMPLES],
}

const FREE: Slot = Slot {
    ts: 0,
    len: 0,
    samples: [0; SLOT_SAMPLES],
};

impl Reorder {
    pub(super) fn new() -> Self {
        Self {
            slots: Box::new([FREE; SLOTS]),
            next: None,
        }
    }

    /// Takes a packet; hands on to `deliver` what is in order now. A jump ahead is a gap that was given up.
    pub(super) fn push(&mut self, ts: u64, samples: &[i16], mut deliver: impl FnMut(u64, &[i16])) {
        let next = *self.next.get_or_insert(ts);
        if ts <= next {
            self.hand_on(ts, samples, &mut deliver);
            self.hand_on_waiting(&mut deliver);
            return;
        }
        let too_far = ts + sample::span(samples.len()) > next + WAITING_SPAN_MAX;
        if samples.len() > SLOT_SAMPLES || !self.keep(ts, samples) {
            self.flush(&mut deliver);
            self.hand_on(ts, samples, &mut deliver);
        } else if too_far {
            self.give_up_oldest(&mut deliver);
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
        for slot in self.slots.iter_mut() {
            slot.len = 0;
            slot.samples.fill(0);
        }
        self.next = None;
    }

    fn keep(&mut self, ts: u64, samples: &[i16]) -> bool {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.len == 0) else {
            return false;
        };
        slot.ts = ts;
        slot.len = samples.len();
        slot.samples[..samples.len()].copy_from_slice(samples);
        true
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
        let slot = &mut self.slots[index];
        let len = std::mem::take(&mut slot.len);
        let end = slot.ts + sample::span(len);
        deliver(slot.ts, &slot.samples[..len]);
        slot.samples[..len].fill(0);
        self.next = self.next.max(Some(end));
    }

    fn hand_on(&mut self, ts: u64, samples: &[i16], deliver: &mut impl FnMut(u64, &[i16])) {
        deliver(ts, samples);
        self.next = self.next.max(Some(ts + sample::span(samples.len())));
    }
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
}
