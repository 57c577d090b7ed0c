//! RTP packets as they come and as we write them.
//! Owns: the fixed header, what may follow it, and the unwrapping of its counters.
//! Never: copies an extension, a CSRC or padding to an output (S34); keeps state of a stream beyond its counters.

mod packet;
mod unwrap;

pub use packet::{HEADER_LEN, PACKET_LEN_MAX, RtpError, RtpHeader, RtpPacket};
pub(crate) use unwrap::Freshness;
pub use unwrap::{SequenceUnwrap, signed_distance};
