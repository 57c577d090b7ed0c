//! Messages: reading, writing, and the typed values of their header fields.
//! Owns: the grammar, and every bound on what a peer may send.
//! Never: decides what a message means.
//! Start reading at: `parse`.

mod body;
mod build;
mod carried;
mod cseq;
mod essentials;
mod framing;
mod header_map;
mod header_name;
mod host;
pub(crate) mod lex;
mod limits;
mod method;
mod name_addr;
mod params;
mod parse;
mod privacy;
mod rack;
mod refer_to;
mod replaces;
mod session_expires;
mod status;
mod uri;
mod via;

pub use body::{Body, Wire};
pub(crate) use build::reply_fields;
pub(crate) use carried::carried;
pub use carried::{CARRIED_BYTES_MAX, CARRIED_FIELDS_MAX};
pub use cseq::CSeq;
pub use essentials::Essentials;
pub use framing::{Framing, FramingError};
pub use header_map::{HeaderError, HeaderField, HeaderMap};
pub use header_name::{HeaderName, Known};
pub use host::Host;
pub use limits::*;
pub use method::Method;
pub use name_addr::NameAddr;
pub use params::Params;
pub use parse::{Parsed, Refusal, parse};
pub use privacy::Privacy;
pub use rack::RAck;
pub use refer_to::ReferTo;
pub use replaces::Replaces;
pub use session_expires::{Refresher, SessionExpires};
pub use status::Status;
pub use uri::{InvalidUri, OtherUri, SipUri, TelUri, Uri};
pub use via::{BRANCH_COOKIE, Via};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Of whom.
    pub uri: Uri,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body; its length is written by itself.
    pub body: Body,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The answer.
    pub status: Status,
    /// Reason phrase; for people only.
    pub reason: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body; its length is written by itself.
    pub body: Body,
}
