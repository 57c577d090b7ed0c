//! A far side's RTP timestamps on a clock of 8 kHz.
//! Owns: where a timestamp of its clock lies on ours.
//! Never: knows of time; a clock of 8 kHz is passed on as it is.

use crate::leg::RtpClock;
use crate::rtp::signed_distance;

/// The clock of one stream. Distances between timestamps are divided, not timestamps: those turn over at 2^32, whatever the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamClock {
    clock: RtpClock,
    /// A timestamp of the far side's, and ours in its place.
    anchor: Option<(u32, u32)>,
}

impl StreamClock {
    pub(super) fn new(clock: RtpClock) -> Self {
        Self {
            clock,
            anchor: None,
        }
    }

    /// A timestamp of the far side's on our clock. What is no whole sample is rounded down; nothing adds up of it.
    pub(super) fn place(&mut self, raw: u32) -> u32 {
        let steps = match self.clock {
            RtpClock::Khz8 => return raw,
            RtpClock::Khz48 => i64::from(self.clock.steps()),
        };
        let (from, at) = self.anchor.unwrap_or((raw, raw));
        let whole = signed_distance(raw, from).div_euclid(steps);
        let to = at.wrapping_add(low_32(whole));
        self.anchor = Some((from.wrapping_add(low_32(whole * steps)), to));
        to
    }
}

/// The low 32 bits of a distance, which wraps as timestamps do.
fn low_32(distance: i64) -> u32 {
    u32::try_from(distance & i64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_48_khz_is_divided_by_six_across_its_turns() {
        let mut clock = StreamClock::new(RtpClock::Khz48);
        let mut raw = u32::MAX - 5_000;
        let mut before = clock.place(raw);
        // A day in packets of 20 ms, half of it twice around.
        for _ in 0..200_000 {
            raw = raw.wrapping_add(960 * 50);
            let placed = clock.place(raw);
            assert_eq!(placed.wrapping_sub(before), 160 * 50);
            before = placed;
        }
    }

    #[test]
    fn what_lies_between_samples_adds_up_to_nothing() {
        let mut clock = StreamClock::new(RtpClock::Khz48);
        let first = clock.place(1_000);
        for step in 1..1_000 {
            let placed = clock.place(1_000 + step * 5);
            assert_eq!(placed.wrapping_sub(first), step * 5 / 6);
        }
        assert_eq!(clock.place(1_000), first);
        assert_eq!(clock.place(999), first.wrapping_sub(1));
    }

    #[test]
    fn a_clock_of_8_khz_is_passed_on() {
        let mut clock = StreamClock::new(RtpClock::Khz8);
        assert_eq!([7, u32::MAX].map(|raw| clock.place(raw)), [7, u32::MAX]);
    }
}
