//! What a node counts.

use crate::media_thread::MediaCounters;
use crate::rtp_socket::PortsInUse;
use crate::transport::{StreamCounters, TransportCounters};

/// A snapshot of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCounters {
    /// Calls now.
    pub calls: usize,
    /// Calls that came in since the start.
    pub calls_incoming: u64,
    /// Calls that were connected since the start.
    pub calls_answered: u64,
    /// Calls refused for want of something of ours: room, ports, key rings, media threads.
    pub calls_shed: u64,
    /// Calls whose agent's side has passed to somebody else by SIP: REFER, or a call that replaces a leg.
    pub calls_referred: u64,
    /// Calls ended because something failed on our side.
    pub calls_failed: u64,
    /// Panics on the signalling side; each has cost one call or one datagram.
    pub panics: u64,
    /// Ports for media.
    pub ports: PortsInUse,
    /// The SIP stack's. `legs` is the number of dialogs.
    pub sip: sip::StackCounters,
    /// Those of SIP's sockets.
    pub transport: TransportCounters,
    /// Those of SIP's connections.
    pub streams: StreamCounters,
    /// The media threads'.
    pub media: MediaCounters,
}
