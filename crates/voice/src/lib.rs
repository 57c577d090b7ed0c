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
mod uring;
mod webrtc;

pub use media_thread::MediaCounters;
pub use node::{
    BrowserPorts, MediaSource, Node, NodeConfig, NodeCounters, NodeError, NodeLimits, Peer, Srtp,
    SrtpRule,
};
pub use recorder::{AudioSink, Speaker};
pub use sip::StackCounters;
pub use sip::digest::DigestPolicy;
pub use sip::sdp::Codec;
