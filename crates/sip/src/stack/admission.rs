//! How much is let in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::config::Limits;

/// Strangers watched at a time. More: all further ones share one allowance, so a flood of forged addresses gets what one address gets.
const STRANGERS_MAX: usize = 4_096;

/// A stranger that was quiet for so long has its whole allowance again and need not be remembered.
const FORGET_AFTER: Duration = Duration::from_secs(1);

/// Allowances: one for all new calls, one for each stranger.
pub(crate) struct Admission {
    invites: Bucket,
    strangers: HashMap<IpAddr, Bucket>,
    others: Bucket,
    stranger_rate: u32,
    swept_at: Instant,
}

/// A second's worth of allowance that refills evenly.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    rate: u32,
    /// Thousandths of one admission.
    level: u64,
    at: Instant,
}

const WHOLE: u64 = 1_000;

impl Bucket {
    fn new(rate: u32, now: Instant) -> Self {
        Self {
            rate,
            level: u64::from(rate) * WHOLE,
            at: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed =
            u64::try_from(now.saturating_duration_since(self.at).as_micros()).unwrap_or(u64::MAX);
        let gained = passed.saturating_mul(u64::from(self.rate)) / 1_000;
        if gained > 0 {
            self.level = self
                .level
                .saturating_add(gained)
                .min(u64::from(self.rate) * WHOLE);
            self.at = now;
        }
        let admitted = self.level >= WHOLE;
        if admitted {
            self.level -= WHOLE;
        }
        admitted
    }
}

impl Admission {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            invites: Bucket::new(limits.new_invites_per_second, now),
            strangers: HashMap::new(),
            others: Bucket::new(limits.stranger_requests_per_second, now),
            stranger_rate: limits.stranger_requests_per_second,
            swept_at: now,
        }
    }

    /// Whether one more call may begin.
    pub(crate) fn invite(&mut self, now: Instant) -> bool {
        self.invites.take(now)
    }

    /// Whether a stranger's request may be looked at.
    pub(crate) fn stranger(&mut self, now: Instant, address: IpAddr) -> bool {
        if let Some(bucket) = self.strangers.get_mut(&address) {
            return bucket.take(now);
        }
        if self.strangers.len() >= STRANGERS_MAX
            && now.saturating_duration_since(self.swept_at) >= FORGET_AFTER
        {
            self.swept_at = now;
            self.strangers
                .retain(|_, bucket| now.saturating_duration_since(bucket.at) < FORGET_AFTER);
        }
        if self.strangers.len() >= STRANGERS_MAX {
            return self.others.take(now);
        }
        self.strangers
            .entry(address)
            .or_insert_with(|| Bucket::new(self.stranger_rate, now))
            .take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowance_is_a_seconds_worth_and_refills() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        assert_eq!((0..500).filter(|_| bucket.take(start)).count(), 100);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..500).filter(|_| bucket.take(later)).count(), 50);
    }

    #[test]
    fn forged_addresses_share_one_allowance_once_the_table_is_full() {
        let start = Instant::now();
        let limits = Limits {
            stranger_requests_per_second: 1,
            ..Limits::default()
        };
        let mut admission = Admission::new(&limits, start);
        let admitted = (0..100_000u32)
            .filter(|n| admission.stranger(start, IpAddr::from(n.to_be_bytes())))
            .count();
        assert_eq!(admitted, STRANGERS_MAX + 1);
    }
}
