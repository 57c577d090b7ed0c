//! From messages to bytes, and from requests to their responses.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::Write as _;

use super::header_map::HeaderMap;
use super::header_name::HeaderName;
use super::lex::Split;
use super::status::Status;
use super::via::Via;
use super::{Body, Request, Response, Wire};

/// Fields that a response repeats from its request ([RFC 3261 §8.2.6.2](https://www.rfc-editor.org/rfc/rfc3261#section-8.2.6.2)).
const REPEATED: [HeaderName; 5] = [
    HeaderName::VIA,
    HeaderName::FROM,
    HeaderName::TO,
    HeaderName::CALL_ID,
    HeaderName::CSEQ,
];

/// Room for the fields of a usual response, and for their values: more grow.
const REPLY_FIELDS: usize = 12;
const REPLY_BYTES: usize = 768;

impl Request {
    /// The bytes to send.
    #[must_use]
    pub fn to_wire(&self) -> Wire {
        let start = format_args!("{} {} SIP/2.0\r\n", self.method, self.uri);
        write(start, &self.headers, &self.body)
    }
}

impl Response {
    /// An answer without body, with these fields.
    #[must_use]
    pub fn new(status: Status, fields: HeaderMap) -> Self {
        Self {
            status,
            reason: status.reason().to_owned(),
            headers: fields,
            body: Body::default(),
        }
    }

    /// The bytes to send.
    #[must_use]
    pub fn to_wire(&self) -> Wire {
        let mut reason = Cow::Borrowed(self.reason.as_str());
        if reason.contains(char::is_control) {
            reason = reason.replace(char::is_control, " ").into();
        }
        let start = format_args!("SIP/2.0 {} {reason}\r\n", self.status);
        write(start, &self.headers, &self.body)
    }
}

/// The fields of a response: `Via` (the top one as stamped with the source), `From`, `To`, `Call-ID`, `CSeq` as they came. Without `top` the
/// topmost `Via` is repeated as it was written.
#[must_use]
pub(crate) fn reply_fields(request: &HeaderMap, top: Option<&Via>) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(REPLY_FIELDS, REPLY_BYTES);
    for name in &REPEATED {
        for value in request.all(name) {
            match top {
                Some(top) if *name == HeaderName::VIA && !fields.contains(name) => {
                    fields.push_displayed(name.clone(), top);
                    fields.extend_last(Split::new(value, b',').skip(1));
                }
                _ => fields.push(name.clone(), value),
            }
        }
    }
    fields
}

/// Room for the separators of one header line, for the length line at the end, and for a usual start line.
const LINE_OVERHEAD: usize = 4;
const LENGTH_LINE: usize = 32;
const START_LINE: usize = 160;

fn write(start: fmt::Arguments<'_>, headers: &HeaderMap, body: &Body) -> Wire {
    let mut out = String::with_capacity(START_LINE);
    // Memory does not fail, and nothing that is displayed here does.
    let _ = out.write_fmt(start);
    let mut out = out.into_bytes();
    let lines: usize = headers
        .iter()
        .map(|field| field.name.as_str().len() + field.value().len() + LINE_OVERHEAD)
        .sum();
    // The whole size at once: a vector that grows leaves copies of the body behind.
    out.reserve_exact(lines + LENGTH_LINE + body.len());
    for field in headers
        .iter()
        .filter(|field| *field.name != HeaderName::CONTENT_LENGTH)
    {
        out.extend_from_slice(field.name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value());
        out.extend_from_slice(b"\r\n");
    }
    let _ = write!(out, "Content-Length: {}\r\n\r\n", body.len());
    out.extend_from_slice(body.as_bytes());
    Wire::new(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;

    const REQUEST: &[u8] = b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.2\r\n\
        v: SIP/2.0/UDP 10.0.0.3\r\nf: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\ni: x\r\nCSeq: 1 INVITE\r\nX-Other: y\r\n\r\nbody";

    #[test]
    fn written_messages_are_read_back() {
        let Parsed::Request(request) = parse(REQUEST) else {
            panic!("not read")
        };
        let wire = request.to_wire();
        let Parsed::Request(mut again) = parse(wire.as_bytes()) else {
            panic!("not read")
        };
        again.headers.remove(&HeaderName::CONTENT_LENGTH);
        assert_eq!(again, request);
    }

    #[test]
    fn responses_repeat_every_hop_and_stamp_the_first() {
        let Parsed::Request(request) = parse(REQUEST) else {
            panic!("not read")
        };
        let mut via = request.headers.via().expect("via");
        via.stamp("192.0.2.7:7000".parse().expect("address"));
        let response = Response::new(Status::OK, reply_fields(&request.headers, Some(&via)));
        let text = String::from_utf8(response.to_wire().as_bytes().to_vec()).expect("text");
        assert!(text.starts_with("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;rport=7000;branch=z9hG4bK1;received=192.0.2.7, SIP/2.0/UDP 10.0.0.2\r\n"));
        assert!(text.contains("Via: SIP/2.0/UDP 10.0.0.3\r\n") && !text.contains("X-Other"));
    }
}
