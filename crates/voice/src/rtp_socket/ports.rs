//! The pool of port pairs.
//! Owns: which pairs of the configured range are taken, resting or free.
//! Never: gives out a pair that a call had a moment ago: its late packets would reach a stranger.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::RtpSocket;

/// A pair rests this long after its call: longer than packets stay on a path, and than a far side needs to stop after our BYE.
const QUARANTINE: Duration = Duration::from_secs(3);

/// Pairs tried for one request: others on this host may hold ports of the range. Beyond it the request fails like an exhausted range.
const BIND_TRIES_MAX: usize = 64;

/// Why no pair was given.
#[derive(Debug, Error)]
pub enum RtpPortsError {
    /// The range holds no pair of an even port and the next one, or starts at port 0.
    #[error("the RTP port range {first}-{last} holds no pair of ports")]
    ConfigRange {
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
    /// Every pair is taken or resting.
    #[error("all RTP ports are taken")]
    Exhausted,
    /// The system gives no socket.
    #[error("opening an RTP socket")]
    System(#[source] io::Error),
}

/// A pool of port pairs on one address. Clones share it.
#[derive(Debug, Clone)]
pub struct RtpPorts {
    address: IpAddr,
    pool: Arc<Mutex<Pool>>,
}

/// An even port for RTP and the next one for RTCP. Dropping it closes both and lets them rest for 3 s.
#[derive(Debug)]
pub struct RtpPair {
    /// RTP.
    pub rtp: RtpSocket,
    /// RTCP.
    pub rtcp: RtpSocket,
    // Last: the ports go back after the sockets are closed.
    _lease: Lease,
}

/// How many pairs are taken, and how many rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortsInUse {
    /// Pairs of running calls.
    pub taken: usize,
    /// Pairs in their quarantine.
    pub resting: usize,
}

impl RtpPorts {
    /// A pool over `range`; odd ends are left out.
    ///
    /// # Errors
    /// The range holds no pair.
    pub fn new(address: IpAddr, range: &RangeInclusive<u16>) -> Result<Self, RtpPortsError> {
        let (first, last) = (*range.start(), *range.end());
        let even: BTreeSet<u16> = range
            .clone()
            .filter(|port| *port != 0 && port % 2 == 0 && *port < last)
            .collect();
        if even.is_empty() {
            return Err(RtpPortsError::ConfigRange { first, last });
        }
        let pool = Pool {
            free: even.into_iter().collect(),
            taken: 0,
            resting: VecDeque::new(),
        };
        Ok(Self {
            address,
            pool: Arc::new(Mutex::new(pool)),
        })
    }

    /// Opens a pair, the one that has been free for longest.
    ///
    /// # Errors
    /// None is free, or the system refuses.
    pub fn open(&self) -> Result<RtpPair, RtpPortsError> {
        for _ in 0..BIND_TRIES_MAX {
            let lease = self.lease().ok_or(RtpPortsError::Exhausted)?;
            let at = |port| SocketAddr::new(self.address, port);
            let sockets = RtpSocket::bind(at(lease.port))
                .and_then(|rtp| Ok((rtp, RtpSocket::bind(at(lease.port + 1))?)));
            match sockets {
                Ok((rtp, rtcp)) => {
                    return Ok(RtpPair {
                        rtp,
                        rtcp,
                        _lease: lease,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(RtpPortsError::System(error)),
            }
        }
        Err(RtpPortsError::Exhausted)
    }

    /// How full it is.
    #[must_use]
    pub fn in_use(&self) -> PortsInUse {
        let mut pool = lock(&self.pool);
        pool.wake(Instant::now());
        PortsInUse {
            taken: pool.taken,
            resting: pool.resting.len(),
        }
    }

    fn lease(&self) -> Option<Lease> {
        let mut pool = lock(&self.pool);
        pool.wake(Instant::now());
        let port = pool.free.pop_front()?;
        pool.taken += 1;
        Some(Lease {
            port,
            pool: Arc::clone(&self.pool),
        })
    }
}

/// All pairs by their even port, each in one of three places. Bounded by the range.
#[derive(Debug)]
struct Pool {
    free: VecDeque<u16>,
    taken: usize,
    resting: VecDeque<(Instant, u16)>,
}

impl Pool {
    fn wake(&mut self, now: Instant) {
        while let Some((_, port)) = self.resting.pop_front_if(|(until, _)| *until <= now) {
            self.free.push_back(port);
        }
    }
}

#[derive(Debug)]
struct Lease {
    port: u16,
    pool: Arc<Mutex<Pool>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut pool = lock(&self.pool);
        pool.taken = pool.taken.saturating_sub(1);
        pool.resting
            .push_back((Instant::now() + QUARANTINE, self.port));
    }
}

/// A holder that panicked has left a pool that is whole: each change is one step.
fn lock(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// A pool over six ports that were free a moment ago.
    fn pool() -> RtpPorts {
        let probe = std::net::UdpSocket::bind((LOOPBACK, 0)).unwrap();
        let first = probe.local_addr().unwrap().port().min(65_000) & !1;
        RtpPorts::new(LOOPBACK, &(first..=first + 5)).unwrap()
    }

    #[test]
    fn pairs_are_an_even_port_and_the_next_one() {
        let pair = pool().open().unwrap();
        assert_eq!(pair.rtp.local().port() % 2, 0);
        assert_eq!(pair.rtcp.local().port(), pair.rtp.local().port() + 1);
    }

    #[test]
    fn a_released_pair_rests_before_it_is_used_again() {
        let ports = pool();
        let mut pairs: Vec<RtpPair> = std::iter::from_fn(|| ports.open().ok()).collect();
        assert!((1..=3).contains(&pairs.len()));
        assert!(matches!(ports.open(), Err(RtpPortsError::Exhausted)));
        pairs.pop();
        assert!(matches!(ports.open(), Err(RtpPortsError::Exhausted)));
        assert!(ports.in_use().resting >= 1);
        let mut pool = lock(&ports.pool);
        pool.wake(Instant::now() + QUARANTINE);
        assert!(!pool.free.is_empty());
    }

    #[test]
    fn ranges_without_a_pair_are_refused() {
        for range in [7..=7, 7..=8, 0..=1, RangeInclusive::new(9, 4)] {
            assert!(
                matches!(
                    RtpPorts::new(LOOPBACK, &range),
                    Err(RtpPortsError::ConfigRange { .. })
                ),
                "{range:?}"
            );
        }
        assert!(RtpPorts::new(LOOPBACK, &(7..=9)).is_ok());
    }
}
