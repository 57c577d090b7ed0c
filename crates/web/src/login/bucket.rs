//! Failed logins by address.
//! Owns: a bucket of tokens for each address that fails.
//! Never: counts a login that succeeds: a whole site may share one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that an address may have: a site of people who mistype after a weekend.
const BURST: u32 = 30;
/// One more is allowed after this: 8,640 guesses a day at most, spread over all accounts.
const REFILL: Duration = Duration::from_secs(10);
/// Addresses watched. At the limit those that are full again go; if none is, the oldest goes.
const ADDRESSES_MAX: usize = 8_192;

/// Failures by address. What is kept is the time at which the bucket would be full again.
pub(crate) struct Bucket(Mutex<HashMap<IpAddr, Instant>>);

impl Bucket {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Seconds to wait, if the address failed too often.
    pub(crate) fn wait(&self, address: IpAddr, now: Instant) -> Option<u64> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = table.get(&network(address))?.saturating_duration_since(now);
        let room = REFILL * (BURST - 1);
        (missing > room).then(|| (missing - room).as_secs() + 1)
    }

    /// The address failed.
    pub(crate) fn failed(&self, address: IpAddr, now: Instant) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= ADDRESSES_MAX {
            table.retain(|_, full_at| *full_at > now);
        }
        if table.len() >= ADDRESSES_MAX
            && let Some(oldest) = table.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key)
        {
            table.remove(&oldest);
        }
        let full_at = table.entry(network(address)).or_insert(now);
        *full_at = (*full_at).max(now) + REFILL;
    }
}

/// The network that one subscriber has: /64 with IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_failures_then_one_each_ten_seconds() {
        let (bucket, now) = (Bucket::new(), Instant::now());
        let address = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..30 {
            assert_eq!(bucket.wait(address, now), None);
            bucket.failed(address, now);
        }
        assert_eq!(bucket.wait(address, now), Some(11));
        assert_eq!(bucket.wait(IpAddr::from([192, 0, 2, 2]), now), None);
        assert_eq!(bucket.wait(address, now + REFILL), None);
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_a_bucket() {
        let (bucket, now) = (Bucket::new(), Instant::now());
        for host in 0..31_u16 {
            bucket.failed(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]), now);
        }
        let next = IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]);
        assert!(bucket.wait(next, now).is_some());
    }
}
