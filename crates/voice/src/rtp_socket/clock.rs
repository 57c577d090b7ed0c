//! Kernel stamps on the steady clock.
//! Owns: where the wall clock stands at one moment, and where it stood before it was set.
//! Never: reads a clock for each packet.

use std::cell::Cell;
use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// The wall clock was set if it is this far from where the steady clock has it. Both are slewed alike; what is less does no harm.
const STEP_NANOS_LEAST: u64 = 1_000_000;

/// Stamps of the clock before may come for this long after it was set: 1 s, as long as a packet can wait and be of use.
const BEFORE_COUNTS: Duration = Duration::from_secs(1);

thread_local! {
    static NEWEST: Cell<Option<Clock>> = const { Cell::new(None) };
}

/// Both clocks at one moment. Serves the stamps of one round. A wall clock that was set since the thread's round before leaves packets with stamps of
/// either time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    steady: Instant,
    wall_nanos: Option<i64>,
    before: Option<Before>,
}

/// The wall clock as it would be, had nobody set it.
#[derive(Debug, Clone, Copy)]
struct Before {
    wall_nanos: i64,
    counts_until: Instant,
}

impl Clock {
    /// Reads both.
    #[must_use]
    pub fn now() -> Self {
        let wall = clock_gettime(ClockId::CLOCK_REALTIME).ok();
        let clock = Self::after(NEWEST.get(), Instant::now(), wall.map(nanos));
        NEWEST.set(Some(clock));
        clock
    }

    fn after(last: Option<Self>, steady: Instant, wall_nanos: Option<i64>) -> Self {
        let unset = last.and_then(|last| last.moved_to(steady));
        let is_set =
            |unset: &i64| wall_nanos.is_some_and(|wall| wall.abs_diff(*unset) >= STEP_NANOS_LEAST);
        let set = unset.filter(is_set).map(|wall_nanos| Before {
            wall_nanos,
            counts_until: steady + BEFORE_COUNTS,
        });
        let before = set.or_else(|| last.and_then(|last| last.before_at(steady)));
        Self {
            steady,
            wall_nanos,
            before,
        }
    }

    /// Where the wall clock is at `steady` if nobody sets it.
    fn moved_to(self, steady: Instant) -> Option<i64> {
        Some(self.wall_nanos?.saturating_add(self.passed(steady)))
    }

    fn before_at(self, steady: Instant) -> Option<Before> {
        let before = self.before.filter(|before| before.counts_until > steady)?;
        Some(Before {
            wall_nanos: before.wall_nanos.saturating_add(self.passed(steady)),
            ..before
        })
    }

    fn passed(self, steady: Instant) -> i64 {
        let passed = steady.saturating_duration_since(self.steady).as_nanos();
        i64::try_from(passed).unwrap_or(i64::MAX)
    }

    /// When they were read.
    pub(crate) fn steady(self) -> Instant {
        self.steady
    }

    /// When a datagram came, never later than `now`: of the clocks that may have stamped it, by the one that has it come the nearest to `now`. A stamp
    /// from the future counts as "just now".
    pub(crate) fn place(self, stamp: Option<TimeSpec>, now: Instant) -> Instant {
        let Some(stamp) = stamp else {
            return now;
        };
        let before = self.before.map(|before| before.wall_nanos);
        let walls = [self.wall_nanos, before].into_iter().flatten();
        let since = walls.map(|wall| nanos(stamp).saturating_sub(wall));
        let nearest = since.min_by_key(|since| since.unsigned_abs());
        nearest
            .and_then(|since| self.at(since))
            .map_or(now, |at| at.min(now))
    }

    /// The moment so many nanoseconds after the clocks were read.
    fn at(self, since: i64) -> Option<Instant> {
        let apart = Duration::from_nanos(since.unsigned_abs());
        if since < 0 {
            self.steady.checked_sub(apart)
        } else {
            self.steady.checked_add(apart)
        }
    }
}

fn nanos(stamp: TimeSpec) -> i64 {
    stamp
        .tv_sec()
        .saturating_mul(1_000_000_000)
        .saturating_add(stamp.tv_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: i64 = 1_700_000_000_000_000_000;
    const MS: i64 = 1_000_000;
    const ROUND: Duration = Duration::from_millis(20);

    fn stamp(nanos: i64) -> Option<TimeSpec> {
        Some(TimeSpec::new(nanos / 1_000_000_000, nanos % 1_000_000_000))
    }

    /// The clocks of the round after the wall clock was set ahead by so much, and the wall clock then.
    fn after_step(began: Instant, step: i64) -> (Clock, i64) {
        let last = Clock::after(None, began, Some(WALL));
        let wall = WALL + 20 * MS + step;
        (Clock::after(Some(last), began + ROUND, Some(wall)), wall)
    }

    #[test]
    fn a_wall_clock_that_was_set_makes_no_packet_old_or_new() {
        let began = Instant::now();
        for step in [-3_600_000, -1_500, -400, 400, 1_500, 3_600_000] {
            let (clock, wall) = after_step(began, step * MS);
            let now = began + ROUND;
            for age in [0, 3, 60] {
                let came = now - Duration::from_millis(age);
                let age = i64::try_from(age).unwrap() * MS;
                let by_new = clock.place(stamp(wall - age), now);
                let by_old = clock.place(stamp(WALL + 20 * MS - age), now);
                assert_eq!((by_new, by_old), (came, came), "{step} ms");
            }
        }
    }

    #[test]
    fn packets_that_waited_while_the_clock_was_set_are_placed_in_later_rounds_too() {
        let began = Instant::now();
        let (mut clock, mut wall) = after_step(began, 3_600_000 * MS);
        for round in 2..20 {
            let now = began + ROUND * round;
            wall += 20 * MS;
            clock = Clock::after(Some(clock), now, Some(wall));
            assert_eq!(clock.place(stamp(WALL + 10 * MS), now), began + ROUND / 2);
            assert_eq!(clock.place(stamp(wall - 5 * MS), now), now - ROUND / 4);
        }
    }

    #[test]
    fn the_clock_before_is_forgotten_after_a_second() {
        let began = Instant::now();
        let (clock, wall) = after_step(began, 3_600_000 * MS);
        let now = began + ROUND + BEFORE_COUNTS;
        let later = Clock::after(Some(clock), now, Some(wall + 1_000 * MS));
        assert!(later.before.is_none());
    }

    #[test]
    fn a_clock_that_nobody_sets_has_none_before() {
        let began = Instant::now();
        let (clock, _) = after_step(began, MS / 2);
        assert!(clock.before.is_none());
    }
}
