//! Whose packets are taken (S35).
//! Owns: the source address of a leg, how it is learned, what is refused.
//! Never: sends anything towards an address that only spoke to us: before a latch holds, the signalled address is used.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Packets in a row that make a latch.
const LATCH_PACKETS: u8 = 3;

/// Packets that the old source may still send after a renegotiation before it is taken to stay: 200 ms of 20 ms each. A far side that moves stops
/// sending from where it was.
const OLD_PACKETS_MAX: u8 = 10;

/// The latched source must have been silent for this long before another port of the same address takes over.
const RELATCH_SILENCE: Duration = Duration::from_millis(200);

/// From where a leg's packets may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePolicy {
    /// From exactly the signalled RTP address and port.
    Signalled,
    /// From any port of the address that signals for this leg, once three packets in a row came from there (phones behind NAT).
    Latch {
        /// Source address of the leg's SIP messages.
        sip_source: IpAddr,
    },
    /// As `Latch`, from any address of the list (carriers with media gateways apart from their signalling).
    Cidr(Vec<Cidr>),
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The range of `prefix` leading bits of `network`; none if the prefix is longer than the address.
    #[must_use]
    pub fn new(network: IpAddr, prefix: u8) -> Option<Self> {
        let bits = if network.is_ipv4() { 32 } else { 128 };
        (prefix <= bits).then_some(Self { network, prefix })
    }

    /// True if `address` lies in the range. An IPv4 address never lies in an IPv6 range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                let high = |value: u32| value.checked_shr(shift).unwrap_or(0);
                high(network.to_bits()) == high(address.to_bits())
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                let high = |value: u128| value.checked_shr(shift).unwrap_or(0);
                high(network.to_bits()) == high(address.to_bits())
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl SourcePolicy {
    fn learns_from(&self, address: IpAddr) -> bool {
        match self {
            Self::Signalled => false,
            Self::Latch { sip_source } => *sip_source == address,
            Self::Cidr(ranges) => ranges.iter().any(|range| range.contains(address)),
        }
    }
}

/// What a packet tells the filter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting {
    pub(crate) source: SocketAddr,
    pub(crate) sequence: u16,
    pub(crate) at: Instant,
    /// Negotiated and not a telephone-event.
    pub(crate) is_event_free: bool,
    /// The call is protected: the address does not change.
    pub(crate) protected: bool,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may be used.
    Admitted,
    /// It may be used, and the leg's source is now this one.
    Latched,
    /// It counts towards a latch but is not used.
    Learning,
    /// It is refused.
    Refused,
}

/// The source filter of one leg.
#[derive(Debug, Clone)]
pub(crate) struct SourceFilter {
    policy: SourcePolicy,
    signalled: SocketAddr,
    latched: Option<SocketAddr>,
    heard_at: Option<Instant>,
    /// A new latch may replace the old one at once: the far side has renegotiated. So many packets of the old one are left until it is taken to
    /// stay; 0: closed.
    reopened: u8,
    candidate: Option<Candidate>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    source: SocketAddr,
    next_sequence: u16,
    count: u8,
}

impl SourceFilter {
    pub(crate) fn new(policy: SourcePolicy, signalled: SocketAddr) -> Self {
        Self {
            policy,
            signalled,
            latched: None,
            heard_at: None,
            reopened: 0,
            candidate: None,
        }
    }

    /// The far side has renegotiated: it may latch anew; the old latch holds until then.
    pub(crate) fn renegotiate(&mut self, policy: SourcePolicy, signalled: SocketAddr) {
        if policy == SourcePolicy::Signalled {
            self.latched = None;
        }
        self.policy = policy;
        self.signalled = signalled;
        self.reopened = OLD_PACKETS_MAX;
        self.candidate = None;
    }

    /// Where packets come from, once that is known.
    pub(crate) fn current(&self) -> Option<SocketAddr> {
        match self.policy {
            SourcePolicy::Signalled => Some(self.signalled),
            SourcePolicy::Latch { .. } | SourcePolicy::Cidr(_) => self.latched,
        }
    }

    /// Where to send: the latched source, else the signalled address.
    pub(crate) fn destination(&self) -> SocketAddr {
        self.current().unwrap_or(self.signalled)
    }

    /// True if RTCP from `source` may keep the leg alive: the address we exchange media with.
    pub(crate) fn admits_control(&self, source: SocketAddr) -> bool {
        self.current().map_or_else(
            || self.policy.learns_from(source.ip()),
            |current| current.ip() == source.ip(),
        )
    }

    pub(crate) fn admit(&mut self, sighting: Sighting) -> Admission {
        if self.current() == Some(sighting.source) {
            self.heard_at = Some(sighting.at);
            self.candidate = None;
            self.reopened = self.reopened.saturating_sub(1);
            return Admission::Admitted;
        }
        if !self.may_learn(sighting) {
            return Admission::Refused;
        }
        if self.follow(sighting) < LATCH_PACKETS {
            return Admission::Learning;
        }
        self.latched = Some(sighting.source);
        self.heard_at = Some(sighting.at);
        self.reopened = 0;
        self.candidate = None;
        Admission::Latched
    }

    fn may_learn(&self, sighting: Sighting) -> bool {
        if !self.policy.learns_from(sighting.source.ip()) {
            return false;
        }
        let Some(latched) = self.latched else {
            return true;
        };
        let same_address = latched.ip() == sighting.source.ip();
        if sighting.protected && !same_address {
            return false;
        }
        let silent = self
            .heard_at
            .is_none_or(|at| sighting.at.saturating_duration_since(at) >= RELATCH_SILENCE);
        self.reopened > 0 || (same_address && sighting.is_event_free && silent)
    }

    fn follow(&mut self, sighting: Sighting) -> u8 {
        let count = match self.candidate {
            Some(candidate)
                if candidate.source == sighting.source
                    && candidate.next_sequence == sighting.sequence =>
            {
                candidate.count + 1
            }
            _ => 1,
        };
        let next_sequence = sighting.sequence.wrapping_add(1);
        self.candidate = Some(Candidate {
            source: sighting.source,
            next_sequence,
            count,
        });
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const PHONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

    struct Scene {
        filter: SourceFilter,
        now: Instant,
    }

    impl Scene {
        fn new(policy: SourcePolicy) -> Self {
            let signalled = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9)), 4_000);
            Self {
                filter: SourceFilter::new(policy, signalled),
                now: Instant::now(),
            }
        }

        fn see(&mut self, ip: IpAddr, port: u16, sequence: u16, protected: bool) -> Admission {
            self.now += Duration::from_millis(20);
            self.filter.admit(Sighting {
                source: SocketAddr::new(ip, port),
                sequence,
                at: self.now,
                is_event_free: true,
                protected,
            })
        }
    }

    #[test]
    fn three_packets_in_a_row_from_the_signalling_address_latch() {
        let mut scene = Scene::new(SourcePolicy::Latch { sip_source: PHONE });
        assert_eq!(scene.see(PHONE, 9, 65_534, false), Admission::Learning);
        assert_eq!(scene.see(PHONE, 9, 65_535, false), Admission::Learning);
        assert_eq!(scene.filter.destination().port(), 4_000);
        assert_eq!(scene.see(PHONE, 9, 0, false), Admission::Latched);
        assert_eq!(scene.see(PHONE, 9, 1, false), Admission::Admitted);
        assert_eq!(scene.filter.destination(), SocketAddr::new(PHONE, 9));
    }

    #[test]
    fn a_gap_or_another_port_begins_the_count_again() {
        let mut scene = Scene::new(SourcePolicy::Latch { sip_source: PHONE });
        scene.see(PHONE, 9, 1, false);
        scene.see(PHONE, 9, 2, false);
        assert_eq!(scene.see(PHONE, 9, 4, false), Admission::Learning);
        scene.see(PHONE, 9, 5, false);
        assert_eq!(scene.see(PHONE, 10, 6, false), Admission::Learning);
    }

    #[test]
    fn other_addresses_never_latch() {
        let mut scene = Scene::new(SourcePolicy::Latch { sip_source: PHONE });
        assert!((0..10).all(|sequence| scene.see(OTHER, 9, sequence, false) == Admission::Refused));
        let mut strict = Scene::new(SourcePolicy::Signalled);
        assert!(
            (0..10).all(|sequence| strict.see(PHONE, 9, sequence, false) == Admission::Refused)
        );
    }

    #[test]
    fn another_port_takes_over_only_after_silence() {
        let mut scene = Scene::new(SourcePolicy::Latch { sip_source: PHONE });
        (0..3).for_each(|sequence| {
            scene.see(PHONE, 9, sequence, false);
        });
        assert_eq!(scene.see(PHONE, 10, 50, false), Admission::Refused);
        scene.now += Duration::from_millis(200);
        assert_eq!(scene.see(PHONE, 10, 51, true), Admission::Learning);
        scene.see(PHONE, 10, 52, true);
        assert_eq!(scene.see(PHONE, 10, 53, true), Admission::Latched);
    }

    #[test]
    fn a_source_that_stays_after_a_renegotiation_is_not_taken_over() {
        let mut scene = Scene::new(SourcePolicy::Latch { sip_source: PHONE });
        (0..3).for_each(|sequence| {
            scene.see(PHONE, 9, sequence, false);
        });
        let again = SourcePolicy::Latch { sip_source: PHONE };
        scene
            .filter
            .renegotiate(again, SocketAddr::new(PHONE, 4_000));
        for sequence in 3..13 {
            assert_eq!(scene.see(PHONE, 9, sequence, false), Admission::Admitted);
        }
        let taken = (50..58).map(|sequence| scene.see(PHONE, 10, sequence, false));
        assert!(taken.into_iter().all(|seen| seen == Admission::Refused));
    }

    #[test]
    fn renegotiation_reopens_the_latch_but_not_to_another_address_while_protected() {
        let both = vec![Cidr::new(PHONE, 24).unwrap(), Cidr::new(OTHER, 32).unwrap()];
        let mut scene = Scene::new(SourcePolicy::Cidr(both.clone()));
        (0..3).for_each(|sequence| {
            scene.see(PHONE, 9, sequence, false);
        });
        let signalled = scene.filter.signalled;
        scene
            .filter
            .renegotiate(SourcePolicy::Cidr(both), signalled);
        assert!((0..5).all(|sequence| scene.see(OTHER, 9, sequence, true) == Admission::Refused));
        (5..7).for_each(|sequence| {
            scene.see(OTHER, 9, sequence, false);
        });
        assert_eq!(scene.see(OTHER, 9, 7, false), Admission::Latched);
    }

    #[test]
    fn ranges_contain_their_addresses_only() {
        let range = Cidr::new(PHONE, 24).unwrap();
        assert!(range.contains(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 255))));
        assert!(!range.contains(IpAddr::V4(Ipv4Addr::new(192, 0, 3, 1))));
        assert!(!range.contains("2001:db8::1".parse().unwrap()));
        assert!(Cidr::new(PHONE, 0).unwrap().contains(OTHER));
        assert!(Cidr::new(PHONE, 33).is_none());
    }
}
