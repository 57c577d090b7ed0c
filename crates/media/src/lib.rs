//! Media without IO: RTP, G.711, G.722 and Opus, DTMF, the mask.
//! Owns: what the agent and the recorder may hear.
//! Never: opens a socket, reads a clock, allocates per packet, or lets audio out before the mask.
//! Start reading at: `relay`.

#![warn(missing_docs)]

pub(crate) mod codec;
pub mod delay_line;
pub mod dtmf;
pub mod egress_guard;
pub mod g722;
pub mod leg;
pub mod mask;
pub(crate) mod opus;
pub mod relay;
pub mod ringback;
pub mod rtcp;
pub mod rtp;
pub mod sample;
pub mod source;
pub mod supervision;
pub mod tone;
pub mod waiting;

pub use g711;
