//! SIP signalling without IO: messages, transactions, dialogs, the back-to-back user agent.
//! Owns: RFC 3261/6026 state, digest, the registrar, offer/answer.
//! Never: opens a socket, reads a clock, resolves a name or decides where a call goes; prints or keeps a body.
//! Start reading at: `stack`.
//!
//! The engine is driven. Bytes, commands and time go in; bytes and events come out. After every `handle_*` and `command` both
//! `poll_*` are drained:
//!
//! ```
//! use std::time::Instant;
//! use sip::{Event, Flow, Stack, StackConfig};
//!
//! let now = Instant::now();
//! let local = "192.0.2.1:5060".parse().unwrap();
//! let mut stack = Stack::new(StackConfig::new("n1", 7, [0; 32], local), now);
//! stack.handle_datagram(now, Flow::udp("192.0.2.9:5060".parse().unwrap()), b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n\
//!     Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@192.0.2.9>;tag=1\r\nTo: <sip:192.0.2.1>\r\n\
//!     Call-ID: c1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
//! while let Some(transmit) = stack.poll_transmit() {
//!     assert!(transmit.wire.as_bytes().starts_with(b"SIP/2.0 200 OK\r\n")); // send it to transmit.flow
//! }
//! while let Some(event) = stack.poll_event() {
//!     match event {
//!         Event::Incoming(call) => println!("a call for {}", call.request_uri), // answer with Command::Answer { leg: call.leg, .. }
//!         _ => {}
//!     }
//! }
//! assert_eq!(stack.next_timeout(), None);
//! ```
//!
//! One unit of work is a *leg*: one dialog with one far side, from its INVITE to its BYE. Every leg that begins, by
//! [`Event::Incoming`] or by [`Command::Invite`], ends with exactly one [`Event::Failed`] or [`Event::Ended`]. Pairing two legs to a
//! call is [`b2bua`]; where a call goes is the caller's matter.
//!
//! A phone is the same engine: a stack whose one peer is its server, and a [`Command::Register`].

#![warn(missing_docs)]

pub mod b2bua;
mod dialog;
pub mod digest;
pub mod message;
mod registrar;
pub mod sdp;
pub mod siprec;
mod stack;
mod transaction;

pub use message::{
    Body, HeaderName, Host, Method, NameAddr, Privacy, ReferTo, Replaces, SipUri, Status, Uri, Wire,
};
pub use stack::{
    Command, CommandError, Credentials, EndReason, Event, Flow, Incoming, Interface, InterfaceId,
    LegId, Limits, Peer, PhoneAccount, Referral, Stack, StackConfig, StackCounters, Transmit,
    Transport,
};
