//! `Refer-To` (RFC 3515): whom the far side of a call wants it to go to.

use super::header_map::{HeaderError, HeaderMap};
use super::header_name::HeaderName;
use super::replaces::Replaces;
use super::status::Status;
use super::uri::{SipUri, Uri, unescape};

/// Header fields that a URI may carry: those that are read here, and a few that are not.
const URI_HEADERS_MAX: usize = 16;

/// Where a call is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferTo {
    /// Whom to call: a `sip` or `sips` URI without header fields.
    pub target: Uri,
    /// The dialog whose place the call is to take there (RFC 3891): an attended transfer.
    pub replaces: Option<Replaces>,
}

impl ReferTo {
    /// Reads the one `Refer-To` of a request. Of the header fields in its URI only `Replaces` is heeded: nobody writes the others into our requests.
    ///
    /// # Errors
    /// What to refuse the request with: 400 if there is none, or more than one, or it cannot be read; 416 if its scheme is neither `sip` nor `sips`; 501 if it
    /// asks for another method than INVITE.
    pub fn read(headers: &HeaderMap) -> Result<Self, Status> {
        let address = headers.name_addr(&HeaderName::REFER_TO);
        let address = address.map_err(|_: HeaderError| Status::BAD_REQUEST)?;
        let Uri::Sip(mut uri) = address.uri else {
            return Err(Status::UNSUPPORTED_URI_SCHEME);
        };
        let is_call = |method: &str| method.eq_ignore_ascii_case("INVITE");
        if uri.params.contains("method") && !uri.params.value("method").is_some_and(is_call) {
            return Err(Status::NOT_IMPLEMENTED);
        }
        uri.params.remove("method");
        let replaces = replaces_in(&mut uri).ok_or(Status::BAD_REQUEST)?;
        Ok(Self {
            target: Uri::Sip(uri),
            replaces,
        })
    }
}

/// The `Replaces` among a URI's header fields, which are taken out of it; none if they cannot be read, or name more than one dialog.
fn replaces_in(uri: &mut SipUri) -> Option<Option<Replaces>> {
    let Some(headers) = uri.headers.take() else {
        return Some(None);
    };
    let mut found = None;
    for (count, field) in headers.split('&').enumerate() {
        let (name, value) = field.split_once('=')?;
        if count == URI_HEADERS_MAX {
            return None;
        }
        if HeaderName::parse(&unescape(name.as_bytes()))? != HeaderName::REPLACES {
            continue;
        }
        let replaces = Replaces::parse(&unescape(value.as_bytes()))?;
        if found.replace(replaces).is_some() {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<ReferTo, Status> {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::REFER_TO, value);
        ReferTo::read(&headers)
    }

    #[test]
    fn a_target_is_read_with_or_without_a_name() {
        for text in [
            "sip:+15550100@pbx.example.com;method=INVITE",
            "\"Lee\" <sip:+15550100@pbx.example.com>;x=1",
        ] {
            let read = read(text).expect("valid");
            assert_eq!(read.target.to_string(), "sip:+15550100@pbx.example.com");
            assert_eq!(read.replaces, None);
        }
    }

    #[test]
    fn an_embedded_replaces_is_unescaped_and_nothing_else_of_the_uri_is_kept() {
        let read = read(
            "<sip:lee@192.0.2.9:5070;transport=tcp?Require=replaces&repl%61ces=12%40h%3Bto-tag%3D7%3Bfrom-tag%3D8&Route=%3Csip:evil%3E>",
        )
        .expect("valid");
        assert_eq!(
            read.target.to_string(),
            "sip:lee@192.0.2.9:5070;transport=tcp"
        );
        let replaces = read.replaces.expect("there");
        assert_eq!(replaces.to_string(), "12@h;to-tag=7;from-tag=8");
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_its_status() {
        let one = "Replaces=1%3Bto-tag%3D7%3Bfrom-tag%3D8";
        let many = vec!["X=1"; URI_HEADERS_MAX + 1].join("&");
        for (text, status) in [
            ("", 400),
            ("<sip:a@h", 400),
            ("<sip:a@h>, <sip:b@h>", 400),
            ("<tel:+15550100>", 416),
            ("<https://example.com/>", 416),
            ("<sip:a@h;method=MESSAGE>", 501),
            ("<sip:a@h;method>", 501),
            ("<sip:a@h?Replaces=1>", 400),
            ("<sip:a@h?Replaces>", 400),
            ("<sip:a@h?Replaces=1%00%3Bto-tag%3D7%3Bfrom-tag%3D8>", 400),
            (&format!("<sip:a@h?{one}&{one}>"), 400),
            (&format!("<sip:a@h?{many}>"), 400),
        ] {
            assert_eq!(read(text).map_err(Status::code), Err(status), "{text}");
        }
        let mut twice = HeaderMap::new();
        twice.push(HeaderName::REFER_TO, "<sip:a@h>");
        twice.push(HeaderName::REFER_TO, "<sip:b@h>");
        assert_eq!(ReferTo::read(&twice), Err(Status::BAD_REQUEST));
        assert_eq!(ReferTo::read(&HeaderMap::new()), Err(Status::BAD_REQUEST));
    }
}
