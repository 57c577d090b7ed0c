//! From bytes to a message. Lenient where RFC 4475 asks for it (folded lines, bare LF, any bytes in values, compact names, white space around
//! separators), strict where leniency would let two readers see two messages (lengths, repeated fields, start lines).

use std::borrow::Cow;

use super::header_name::HeaderName;
use super::lex;
use super::limits::{HEADERS_MAX, MESSAGE_BYTES_MAX};
use super::method::Method;
use super::status::Status;
use super::uri::Uri;
use super::{Body, HeaderMap, Request, Response};

/// What a datagram holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A request whose start line, header lines and length are whole; typed values are not looked at yet.
    Request(Request),
    /// A response of the same quality.
    Response(Response),
    /// A request that deserves a refusal.
    Refused(Refusal),
    /// Only line ends: somebody keeps a NAT binding open.
    KeepAlive,
    /// Nothing to answer: no SIP, or a broken response.
    Garbage,
}

/// A request that is too broken to be understood but whole enough to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 505 or 513.
    pub status: Status,
    /// What is wrong, as reason phrase.
    pub reason: &'static str,
    /// Its method, as far as it can be told. An ACK gets no answer.
    pub method: Option<Method>,
    /// The fields that could be read.
    pub headers: HeaderMap,
}

/// Reads one datagram.
#[must_use]
pub fn parse(datagram: &[u8]) -> Parsed {
    let bytes = skip_line_ends(datagram);
    if bytes.is_empty() {
        return Parsed::KeepAlive;
    }
    let Some((start_line, rest)) = next_line(bytes) else {
        return Parsed::Garbage;
    };
    let fields = Fields::read(rest);
    if is_response(start_line) {
        return response(start_line, fields, datagram.len());
    }
    if !looks_like_request(start_line) {
        return Parsed::Garbage;
    }
    request(start_line, fields, datagram.len())
}

fn request(start_line: &[u8], fields: Fields<'_>, length: usize) -> Parsed {
    let method = start_line
        .split(|&b| lex::is_space(b))
        .next()
        .and_then(Method::parse);
    let line = RequestLine::parse(start_line);
    let body = fields.body();
    let defect = (length > MESSAGE_BYTES_MAX).then_some(Defect {
        status: Status::MESSAGE_TOO_LARGE,
        reason: "Message Too Large",
    });
    match (defect, line, fields.defect, body) {
        (None, Ok(line), None, Ok(body)) => Parsed::Request(Request {
            method: line.method,
            uri: line.uri,
            headers: fields.headers,
            body: Body::from(body),
        }),
        (Some(defect), ..) | (_, Err(defect), ..) | (_, _, Some(defect), _) | (.., Err(defect)) => {
            Parsed::Refused(Refusal {
                status: defect.status,
                reason: defect.reason,
                method,
                headers: fields.headers,
            })
        }
    }
}

fn response(start_line: &[u8], fields: Fields<'_>, length: usize) -> Parsed {
    let line = status_line(start_line);
    match (line, fields.defect, fields.body()) {
        (Some((status, reason)), None, Ok(body)) if length <= MESSAGE_BYTES_MAX => {
            Parsed::Response(Response {
                status,
                reason,
                headers: fields.headers,
                body: Body::from(body),
            })
        }
        _ => Parsed::Garbage,
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy)]
struct Defect {
    status: Status,
    reason: &'static str,
}

impl Defect {
    fn bad(reason: &'static str) -> Self {
        Self {
            status: Status::BAD_REQUEST,
            reason,
        }
    }
}

/// Method, URI and version, each one space apart ([RFC 3261 §7.1](https://www.rfc-editor.org/rfc/rfc3261#section-7.1)).
struct RequestLine {
    method: Method,
    uri: Uri,
}

impl RequestLine {
    fn parse(line: &[u8]) -> Result<Self, Defect> {
        let mut parts = line.split(|&b| b == b' ');
        let (Some(method), Some(uri), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Defect::bad("Bad Request Line"));
        };
        let method = Method::parse(method).ok_or(Defect::bad("Bad Method"))?;
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            return Err(Defect {
                status: Status::VERSION_NOT_SUPPORTED,
                reason: Status::VERSION_NOT_SUPPORTED.reason(),
            });
        }
        let uri = Uri::parse(uri).ok_or(Defect::bad("Bad Request-URI"))?;
        Ok(Self { method, uri })
    }
}

fn is_response(line: &[u8]) -> bool {
    line.get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/"))
}

/// A request line ends in a protocol version. Anything else is no SIP and gets no answer, so that we cannot be used to answer others.
fn looks_like_request(line: &[u8]) -> bool {
    let last = lex::trim(line).rsplit(|&b| lex::is_space(b)).next();
    last.is_some_and(is_response)
}

fn status_line(line: &[u8]) -> Option<(Status, String)> {
    let (version, rest) = lex::split_once(line, b' ')?;
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return None;
    }
    let (code, reason) = lex::split_once(rest, b' ').unwrap_or((rest, b""));
    let code = lex::decimal(code).filter(|_| code.len() == 3)?;
    Some((
        Status::new(code)?,
        String::from_utf8_lossy(reason).into_owned(),
    ))
}

/// Room for the fields of a usual message, and for their values: more grow.
const USUAL_FIELDS: usize = 20;
const USUAL_BYTES: usize = 1024;

/// Header fields and what follows them.
struct Fields<'a> {
    headers: HeaderMap,
    /// The first thing wrong with them.
    defect: Option<Defect>,
    after: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(mut rest: &'a [u8]) -> Self {
        let mut fields = Self {
            headers: HeaderMap::with_capacity(USUAL_FIELDS, rest.len().min(USUAL_BYTES)),
            defect: None,
            after: b"",
        };
        let mut open: Cow<'_, [u8]> = Cow::default();
        loop {
            let Some((line, after)) = next_line(rest) else {
                fields
                    .defect
                    .get_or_insert(Defect::bad("Missing Empty Line"));
                fields.close(&open);
                return fields;
            };
            rest = after;
            if line.first().is_some_and(|&byte| lex::is_space(byte)) {
                let folded = open.to_mut();
                folded.push(b' ');
                folded.extend_from_slice(lex::trim(line));
                continue;
            }
            fields.close(&open);
            if line.is_empty() {
                fields.after = rest;
                return fields;
            }
            open = Cow::Borrowed(line);
        }
    }

    /// Takes one unfolded line in.
    fn close(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        let field = lex::split_once(line, b':')
            .and_then(|(name, value)| Some((HeaderName::parse(lex::trim(name))?, value)));
        match field {
            Some(_) if self.headers.len() == HEADERS_MAX => {
                self.defect
                    .get_or_insert(Defect::bad("Too Many Header Fields"));
            }
            Some((name, value)) => self.headers.push(name, value),
            None => {
                self.defect.get_or_insert(Defect::bad("Bad Header Line"));
            }
        }
    }

    /// The body by `Content-Length`. What follows it in the datagram is no part of the message; without the field all of it is
    /// ([RFC 3261 §18.3](https://www.rfc-editor.org/rfc/rfc3261#section-18.3)).
    fn body(&self) -> Result<&'a [u8], Defect> {
        if !self.headers.contains(&HeaderName::CONTENT_LENGTH) {
            return Ok(self.after);
        }
        let value = self
            .headers
            .single(&HeaderName::CONTENT_LENGTH)
            .map_err(|_| Defect::bad("Repeated Content-Length"))?;
        let length: usize = lex::decimal(value).ok_or(Defect::bad("Bad Content-Length"))?;
        self.after
            .get(..length)
            .ok_or(Defect::bad("Content-Length Exceeds Message"))
    }
}

/// One line without its end, and the rest; `None` if no line end follows.
fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = lex::split_once(bytes, b'\n')?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

fn skip_line_ends(bytes: &[u8]) -> &[u8] {
    let start = bytes
        .iter()
        .position(|b| !b"\r\n".contains(b))
        .unwrap_or(bytes.len());
    &bytes[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> u16 {
        match parse(text.as_bytes()) {
            Parsed::Refused(refusal) => refusal.status.code(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn folded_and_line_feed_only_messages_are_read() {
        let Parsed::Request(request) = parse(
            b"\r\nOPTIONS sip:a@b SIP/2.0\nv :\n SIP/2.0/UDP h;\n\tbranch=1\nX: \xff\n\nbody",
        ) else {
            panic!("not read");
        };
        assert_eq!(
            request.headers.first(&HeaderName::VIA),
            Some(b"SIP/2.0/UDP h; branch=1".as_slice())
        );
        assert_eq!(
            request.headers.first(&HeaderName::from("x")),
            Some(b"\xff".as_slice())
        );
        assert_eq!(request.body.as_bytes(), b"body");
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for value in [
            "-1",
            "10",
            "1, 2",
            "0x1",
            "99999999999999999999",
            "0\r\nl: 0",
            "",
        ] {
            assert_eq!(
                refused(&format!(
                    "BYE sip:a@b SIP/2.0\r\nContent-Length: {value}\r\n\r\nabc"
                )),
                400,
                "{value}"
            );
        }
        let Parsed::Request(request) = parse(b"BYE sip:a@b SIP/2.0\r\nl: 2\r\n\r\nabc") else {
            panic!("not read");
        };
        assert_eq!(request.body.as_bytes(), b"ab");
    }

    #[test]
    fn start_lines_are_strict() {
        for line in [
            "BYE  sip:a@b SIP/2.0",
            "BYE sip:a@b SIP/2.0 ",
            "BYE <sip:a@b> SIP/2.0",
            "BYE sip:a@b; lr SIP/2.0",
            "B(E sip:a@b SIP/2.0",
        ] {
            assert_eq!(refused(&format!("{line}\r\n\r\n")), 400, "{line}");
        }
        assert_eq!(refused("BYE sip:a@b SIP/7.0\r\n\r\n"), 505);
        assert_eq!(refused("BYE sip:a@b SIP/2.0\r\nNo colon\r\n\r\n"), 400);
        assert_eq!(refused("BYE sip:a@b SIP/2.0\r\nA: b\r\n"), 400);
    }

    #[test]
    fn what_is_no_sip_gets_no_answer() {
        for bytes in [
            b"GET / HTTP/1.1\r\n\r\n".as_slice(),
            b"SIP/2.0 99 x\r\n\r\n",
            b"SIP/2.0 4294967301 x\r\n\r\n",
            b"\xff\xff",
            b"x\n",
        ] {
            assert_eq!(parse(bytes), Parsed::Garbage);
        }
        assert_eq!(parse(b"\r\n\r\n"), Parsed::KeepAlive);
        assert!(matches!(parse(b"SIP/2.0 100\r\n\r\n"), Parsed::Response(_)));
    }

    #[test]
    fn sizes_are_bounded() {
        let many = "a: b\r\n".repeat(10_000);
        assert_eq!(refused(&format!("BYE sip:a@b SIP/2.0\r\n{many}\r\n")), 400);
        let long = "x".repeat(70_000);
        assert_eq!(
            refused(&format!("BYE sip:a@b SIP/2.0\r\na: {long}\r\n\r\n")),
            513
        );
    }
}
