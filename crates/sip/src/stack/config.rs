//! What a stack is told once, and its bounds.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::flow::{Flow, InterfaceId, Transport};
use crate::digest::{DigestPolicy, Ha1};

/// What a stack is told at its start.
#[derive(Clone)]
pub struct StackConfig {
    /// Name of this node; letters, digits and `-`. It goes into our Call-IDs and tags.
    pub node: String,
    /// Number of this start of the node, so that tags of an earlier life are not taken for ours.
    pub epoch: u32,
    /// Random bits from the operating system, new at each start. The same seed and the same inputs give the same outputs.
    pub seed: [u8; 32],
    /// The first interface.
    pub interface: Interface,
    /// Those after it, 255 at most.
    pub further: Vec<Interface>,
    /// Digest realm of our phones.
    pub realm: String,
    /// Hash functions for that digest.
    pub digest: DigestPolicy,
    /// Our name in `User-Agent` and `Server`.
    pub user_agent: String,
    /// How long an answered call holds without a refresh ([RFC 4028](https://www.rfc-editor.org/rfc/rfc4028)), as we ask for and at most
    /// grant: `session_min` to a day, in whole seconds.
    pub session_expires: Duration,
    /// Shortest such interval that we grant, at least 90 s: 422 below it.
    pub session_min: Duration,
    /// Provisional responses with a description go reliably ([RFC 3262](https://www.rfc-editor.org/rfc/rfc3262)) also to those who take them
    /// and do not ask for them. To those who ask, all go reliably.
    pub reliable_where_supported: bool,
    /// The far side of a call may ask that it goes elsewhere ([RFC 3515](https://www.rfc-editor.org/rfc/rfc3515)), or take the place of another
    /// ([RFC 3891](https://www.rfc-editor.org/rfc/rfc3891)): our caller decides. Else both are refused with 603.
    pub takes_transfers: bool,
    /// Bounds.
    pub limits: Limits,
}

impl StackConfig {
    /// A configuration with defaults: one interface, over UDP, realm and name `tonewall`, sessions of 600 s, default bounds.
    #[must_use]
    pub fn new(node: &str, epoch: u32, seed: [u8; 32], advertised: SocketAddr) -> Self {
        Self {
            node: node.to_owned(),
            epoch,
            seed,
            interface: Interface {
                transport: Transport::Udp,
                advertised,
            },
            further: Vec::new(),
            realm: "tonewall".to_owned(),
            digest: DigestPolicy::default(),
            user_agent: "tonewall".to_owned(),
            session_expires: Duration::from_secs(600),
            session_min: Duration::from_secs(90),
            reliable_where_supported: false,
            takes_transfers: false,
            limits: Limits::default(),
        }
    }

    /// The address that the far side of a flow reaches us by.
    pub(crate) fn advertised(&self, flow: Flow) -> SocketAddr {
        let place = usize::from(flow.interface.0).checked_sub(1);
        place
            .and_then(|place| self.further.get(place))
            .unwrap_or(&self.interface)
            .advertised
    }

    /// The first interface that speaks a transport to an address's family.
    pub(crate) fn interface_for(
        &self,
        remote: IpAddr,
        transport: Transport,
    ) -> Option<InterfaceId> {
        let fits = |interface: &Interface| {
            interface.transport == transport && interface.advertised.is_ipv4() == remote.is_ipv4()
        };
        (0..=u8::MAX)
            .zip(std::iter::once(&self.interface).chain(&self.further))
            .find(|(_, interface)| fits(interface))
            .map(|(place, _)| InterfaceId(place))
    }
}

/// One of our addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// What it speaks.
    pub transport: Transport,
    /// The address that far sides reach it by: goes into `Contact` and `Via`.
    pub advertised: SocketAddr,
}

/// Bounds of a stack (invariant I8). What is beyond them is refused with 503 and `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Legs at a time. More: 503 to new INVITEs, `CommandError::Overloaded` to our own.
    pub legs_max: usize,
    /// Transactions at a time, both roles. Each finished one stays about 32 s. More: 503 to requests that would open one.
    pub transactions_max: usize,
    /// Contacts of phones at a time, one a phone. More: 503 to REGISTER.
    pub registrations_max: usize,
    /// New INVITEs a second, smoothed over one second. More: 503.
    pub new_invites_per_second: u32,
    /// Requests outside of dialogs a second from one address that is no peer and no registered phone. More: dropped unanswered.
    pub stranger_requests_per_second: u32,
    /// What a refused peer is told to wait.
    pub retry_after: Duration,
    /// Longest time an INVITE may ring, either way, before it is given up with 408 or 480.
    pub ring_max: Duration,
    /// Longest registration we grant.
    pub registration_max: Duration,
    /// Shortest registration we grant: 423 below it.
    pub registration_min: Duration,
}

impl Default for Limits {
    /// 4,000 legs (2,000 calls: several times what one node's media carries), a transaction table for 400 calls a second held for 32 s,
    /// 2,000 phones; a site whose 500 phones share one address is registered again within 20 s of a restart.
    fn default() -> Self {
        Self {
            legs_max: 4_000,
            transactions_max: 60_000,
            registrations_max: 2_000,
            new_invites_per_second: 400,
            stranger_requests_per_second: 50,
            retry_after: Duration::from_secs(5),
            ring_max: Duration::from_secs(180),
            registration_max: Duration::from_secs(3_600),
            registration_min: Duration::from_secs(30),
        }
    }
}

/// A far side whose INVITEs are taken without digest: a trunk, an SBC, a PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name in the configuration; comes back in [`Incoming::peer`](super::Incoming::peer).
    pub name: String,
    /// Addresses its messages come from, any port.
    pub addresses: Vec<IpAddr>,
    /// It is in our trust domain ([RFC 3325](https://www.rfc-editor.org/rfc/rfc3325)): its `P-Asserted-Identity` and its `X-Tonewall-Call`
    /// are believed; from others both are dropped (S40).
    pub is_trusted: bool,
    /// What we prove ourselves with where it challenges our requests; none: a challenge is a refusal.
    pub credentials: Option<Credentials>,
}

/// A phone that may register here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneAccount {
    /// User part of its address of record and digest user name.
    pub user: String,
    /// Hashes of its password for our realm.
    pub ha1: Ha1,
}

/// What we prove ourselves with as a client. The realm binds it: a challenge of another realm gets no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Digest user name.
    pub user: String,
    /// The realm it is for.
    pub realm: String,
    /// Hashes of the password for that realm.
    pub ha1: Ha1,
}
