//! Counters that wrap, made to run on.
//! Owns: the arithmetic of sequence numbers and timestamps.
//! Never: decides whether a packet is used.

/// How far `later` lies ahead of `earlier` on a 32-bit timestamp; negative if behind, at most half a turn either way.
#[must_use]
pub fn signed_distance(later: u32, earlier: u32) -> i64 {
    i64::from(later.wrapping_sub(earlier).cast_signed())
}

/// Sequence numbers of one stream without wraps, with the memory of the newest 64 to tell duplicates.
#[derive(Debug, Clone, Copy)]
pub struct SequenceUnwrap {
    newest: u64,
    seen: u64,
}

/// What a sequence number says about its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Ahead of everything seen; so many packets are missing before it.
    Newest { missing: u64 },
    /// Behind the newest, not seen before.
    Reordered,
    /// Seen before.
    Duplicate,
    /// More than 63 behind: nobody remembers.
    Forgotten,
}

impl SequenceUnwrap {
    /// Begins at a stream's first packet, which counts as `extended`.
    #[must_use]
    pub fn new(extended: u64) -> Self {
        Self {
            newest: extended,
            seen: 1,
        }
    }

    /// The newest extended number.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Distance of a number from the newest one, whose low 16 bits were `newest_raw`.
    #[must_use]
    pub fn distance(newest_raw: u16, sequence: u16) -> i64 {
        i64::from(sequence.wrapping_sub(newest_raw).cast_signed())
    }

    /// Notes the packet `distance` away from the newest one and says what it is.
    pub(crate) fn note(&mut self, distance: i64) -> Freshness {
        let ahead = u64::try_from(distance).unwrap_or(0);
        if ahead > 0 {
            self.newest += ahead;
            self.seen = if ahead < 64 {
                self.seen << ahead | 1
            } else {
                1
            };
            return Freshness::Newest { missing: ahead - 1 };
        }
        let behind = distance.unsigned_abs();
        if behind >= 64 {
            return Freshness::Forgotten;
        }
        let bit = 1 << behind;
        let known = self.seen & bit != 0;
        self.seen |= bit;
        if known {
            Freshness::Duplicate
        } else {
            Freshness::Reordered
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_compare_across_the_wrap() {
        assert_eq!(signed_distance(160, u32::MAX - 159), 320);
        assert_eq!(signed_distance(u32::MAX - 159, 160), -320);
    }

    #[test]
    fn sequence_numbers_run_on_across_the_wrap() {
        let mut unwrap = SequenceUnwrap::new(1_000);
        let step = SequenceUnwrap::distance(65_535, 1);
        assert_eq!(unwrap.note(step), Freshness::Newest { missing: 1 });
        assert_eq!(unwrap.newest(), 1_002);
        assert_eq!(
            unwrap.note(SequenceUnwrap::distance(1, 0)),
            Freshness::Reordered
        );
        assert_eq!(
            unwrap.note(SequenceUnwrap::distance(1, 0)),
            Freshness::Duplicate
        );
        assert_eq!(unwrap.note(0), Freshness::Duplicate);
        assert_eq!(unwrap.note(-64), Freshness::Forgotten);
    }

    #[test]
    fn a_long_leap_forgets_what_was_seen() {
        let mut unwrap = SequenceUnwrap::new(0);
        assert_eq!(unwrap.note(64), Freshness::Newest { missing: 63 });
        assert_eq!(unwrap.note(-63), Freshness::Reordered);
        assert_eq!(unwrap.note(-64), Freshness::Forgotten);
    }
}
