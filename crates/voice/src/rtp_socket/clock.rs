//! Kernel stamps on the steady clock.
//! Owns: where the wall clock stands at one moment.
//! Never: reads a clock for each packet.

use std::time::{Duration, Instant};

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// Both clocks at one moment. Serves the stamps of one round: a wall clock that is set meanwhile is off for that long.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    steady: Instant,
    wall_nanos: Option<i64>,
}

impl Clock {
    /// Reads both.
    #[must_use]
    pub fn now() -> Self {
        let wall = clock_gettime(ClockId::CLOCK_REALTIME).ok();
        Self {
            steady: Instant::now(),
            wall_nanos: wall.map(nanos),
        }
    }

    /// When they were read.
    pub(crate) fn steady(self) -> Instant {
        self.steady
    }

    /// When a datagram came, never later than `now`. A stamp from a wall clock that was set back meanwhile counts as "just now".
    pub(crate) fn place(self, stamp: Option<TimeSpec>, now: Instant) -> Instant {
        let (Some(stamp), Some(wall)) = (stamp, self.wall_nanos) else {
            return now;
        };
        let since = nanos(stamp).saturating_sub(wall);
        let apart = Duration::from_nanos(since.unsigned_abs());
        let at = if since < 0 {
            self.steady.checked_sub(apart)
        } else {
            self.steady.checked_add(apart)
        };
        at.map_or(now, |at| at.min(now))
    }
}

fn nanos(stamp: TimeSpec) -> i64 {
    stamp
        .tv_sec()
        .saturating_mul(1_000_000_000)
        .saturating_add(stamp.tv_nsec())
}
