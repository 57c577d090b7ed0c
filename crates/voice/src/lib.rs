//! The telephone side of the process.
//! Owns: SIP transports, RTP sockets, media threads.
//! Never: decides routing, stores anything, or lets a packet pass the mask.
//! Start reading at: `node`.

pub mod packet_io;
pub mod rtp_socket;
pub mod transport;

mod media_thread;
mod node;
mod recorder;
mod srtp;
mod trunk;
mod uring;
mod webrtc;

pub use media::source::Cidr;
pub use media_thread::{Carriage, Carrier, MediaCounters};
pub use node::{
    Account, BrowserPorts, MediaSource, Node, NodeConfig, NodeCounters, NodeError, NodeLimits,
    Peer, PlaceStanding, Registration, Srtp, SrtpRule,
};
pub use recorder::{AudioSink, Speaker};
pub use sip::StackCounters;
pub use sip::digest::DigestPolicy;
pub use sip::sdp::Codec;
pub use trunk::{HeaderRules, NumberRule, NumberRules};
