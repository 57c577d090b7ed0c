//! Samples on their way from one clock to another.
//! Owns: the wait before they sound, and what is left out when they come faster than they are taken.
//! Never: grows, or gives a sample twice.

use crate::sample;

/// Samples that may wait: 200 ms at 8 kHz, the longest packet that phones send with one more of 80 ms behind it. When full, the oldest are left out.
const LEN: usize = 1_600;

/// Samples that have to wait before the first is taken: 40 ms, one packet in hand and one that may be late.
const START: u64 = 320;

/// More than this waits only where one clock is faster than the other, or after a burst: 120 ms. What is older than [`START`] is left out then.
const LAG_MAX: u64 = 960;

/// A ring of samples with one writer and one reader.
pub(super) struct Strand {
    samples: Box<[i16; LEN]>,
    written: u64,
    taken: u64,
    sounds: bool,
}

impl Strand {
    pub(super) fn new() -> Self {
        Self {
            samples: Box::new([0; LEN]),
            written: 0,
            taken: 0,
            sounds: false,
        }
    }

    /// Nothing that was written before is heard.
    pub(super) fn clear(&mut self) {
        self.taken = self.written;
        self.sounds = false;
    }

    pub(super) fn write(&mut self, samples: &[i16]) {
        for value in samples {
            if let Some(cell) = self.samples.get_mut(sample::ring_index(self.written, LEN)) {
                *cell = *value;
            }
            self.written += 1;
        }
        if self.waiting() > LAG_MAX {
            self.taken = self.written - START;
        }
    }

    /// Adds what sounds now; nothing where too little waits.
    pub(super) fn add_to(&mut self, mix: &mut [i32]) {
        self.sounds |= self.waiting() >= START;
        if !self.sounds {
            return;
        }
        for value in mix {
            if self.waiting() == 0 {
                self.sounds = false;
                return;
            }
            let cell = self.samples.get(sample::ring_index(self.taken, LEN));
            *value += i32::from(cell.copied().unwrap_or_default());
            self.taken += 1;
        }
    }

    fn waiting(&self) -> u64 {
        self.written - self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(strand: &mut Strand, len: usize) -> Vec<i32> {
        let mut mix = vec![0; len];
        strand.add_to(&mut mix);
        mix
    }

    #[test]
    fn nothing_sounds_before_two_packets_wait_and_then_all_of_it_in_order() {
        let mut strand = Strand::new();
        let said: Vec<i16> = (1..=480).collect();
        strand.write(&said[..160]);
        assert_eq!(taken(&mut strand, 160), vec![0; 160]);
        strand.write(&said[160..]);
        let heard: Vec<i32> = (0..3).flat_map(|_| taken(&mut strand, 160)).collect();
        assert_eq!(heard, (1..=480).collect::<Vec<i32>>());
    }

    #[test]
    fn a_strand_that_runs_dry_waits_for_two_packets_again() {
        let mut strand = Strand::new();
        strand.write(&[7; 320]);
        assert_eq!(
            taken(&mut strand, 400)[319..],
            [[7].as_slice(), &[0; 80]].concat()
        );
        strand.write(&[9; 160]);
        assert_eq!(taken(&mut strand, 160), vec![0; 160]);
        strand.write(&[9; 160]);
        assert_eq!(taken(&mut strand, 160), vec![9; 160]);
    }

    #[test]
    fn what_comes_too_fast_is_left_out_from_its_oldest_on() {
        let mut strand = Strand::new();
        let said: Vec<i16> = (1..=1_000).collect();
        strand.write(&said);
        assert_eq!(taken(&mut strand, 320), (681..=1_000).collect::<Vec<i32>>());
        // Longer than the ring: nothing of it is read from beyond its ends.
        strand.write(&(0..5_000).collect::<Vec<i16>>());
        assert_eq!(taken(&mut strand, 2)[0], 4_680);
    }

    #[test]
    fn what_was_cleared_is_not_heard() {
        let mut strand = Strand::new();
        strand.write(&[7; 480]);
        strand.clear();
        assert_eq!(taken(&mut strand, 160), vec![0; 160]);
    }
}
