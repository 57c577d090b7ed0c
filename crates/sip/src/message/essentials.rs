//! The fields every message must have, read once.

use super::header_map::{HeaderError, HeaderMap};
use super::header_name::HeaderName;
use super::lex;
use super::{CSeq, Method, NameAddr, Request, Response, Via};

/// The fields every message carries, in their types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Essentials {
    /// Topmost hop.
    pub via: Via,
    /// `From`. A tag may be missing in requests of RFC 2543.
    pub from: NameAddr,
    /// `To`; its tag says that the message belongs to a dialog.
    pub to: NameAddr,
    /// `Call-ID`.
    pub call_id: String,
    /// `CSeq`.
    pub cseq: CSeq,
    /// `Max-Forwards`, 70 if it was not sent.
    pub max_forwards: u8,
}

impl Essentials {
    fn of(headers: &HeaderMap) -> Result<Self, HeaderError> {
        let via = headers.vias()?.into_iter().next();
        Ok(Self {
            via: via.ok_or(HeaderError::PeerMissing(HeaderName::VIA))?,
            from: headers.from()?,
            to: headers.to()?,
            call_id: headers.call_id()?.to_owned(),
            cseq: headers.cseq()?,
            max_forwards: headers
                .number(&HeaderName::MAX_FORWARDS)?
                .unwrap_or(MAX_FORWARDS_DEFAULT),
        })
    }

    /// Reads them from a request, and checks every other field this crate reads, so that nothing half-read is acted on.
    ///
    /// # Errors
    /// One is missing, malformed or repeated, or `CSeq` names another method.
    pub fn of_request(request: &Request) -> Result<Self, HeaderError> {
        let headers = &request.headers;
        let essentials = Self::of(headers)?;
        if essentials.cseq.method != request.method {
            return Err(HeaderError::PeerMalformed(HeaderName::CSEQ));
        }
        if !is_star(headers, &request.method) {
            headers.name_addrs(&HeaderName::CONTACT)?;
        }
        headers.name_addrs(&HeaderName::ROUTE)?;
        headers.name_addrs(&HeaderName::RECORD_ROUTE)?;
        headers.number::<u32>(&HeaderName::EXPIRES)?;
        Ok(essentials)
    }

    /// Reads them from a response.
    ///
    /// # Errors
    /// One is missing, malformed or repeated.
    pub fn of_response(response: &Response) -> Result<Self, HeaderError> {
        let essentials = Self::of(&response.headers)?;
        response.headers.name_addrs(&HeaderName::CONTACT)?;
        response.headers.name_addrs(&HeaderName::RECORD_ROUTE)?;
        Ok(essentials)
    }
}

/// `Max-Forwards` of requests that do not say ([RFC 3261 §8.1.1.6](https://www.rfc-editor.org/rfc/rfc3261#section-8.1.1.6)).
const MAX_FORWARDS_DEFAULT: u8 = 70;

/// `Contact: *` takes all bindings away; only REGISTER may say it.
fn is_star(headers: &HeaderMap, method: &Method) -> bool {
    *method == Method::Register
        && headers
            .first(&HeaderName::CONTACT)
            .is_some_and(|value| lex::trim(value) == b"*")
}
