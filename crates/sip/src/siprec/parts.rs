//! Bodies of several parts: the session description and the metadata of a recording session.
//! Owns: how two parts are written, and how the description is found among those of a far side.
//! Never: looks into a part.

use crate::message::{Body, HeaderMap, HeaderName, Params};

/// The type of a body with parts.
pub(crate) const MULTIPART: &str = "multipart/mixed";

/// The type of metadata (RFC 7865).
const METADATA: &str = "application/rs-metadata+xml";

/// The body by which a recorder asks for all metadata anew (RFC 7866).
pub(crate) const METADATA_REQUEST: &str = "application/rs-metadata-request";

/// The type of session descriptions.
const SDP: &str = "application/sdp";

/// Parts of one body that are looked at: a description, metadata, and some more. What comes behind them is not read.
const PARTS_MAX: usize = 8;

/// Puts both parts into a message. `boundary` is a token that is in neither.
pub(crate) fn write_parts(
    headers: &mut HeaderMap,
    body: &mut Body,
    (boundary, sdp, metadata): (&str, &str, &str),
) {
    headers.set(
        HeaderName::CONTENT_TYPE,
        format!("{MULTIPART};boundary={boundary}"),
    );
    headers.set(HeaderName::MIME_VERSION, "1.0");
    let text = format!(
        "--{boundary}\r\nContent-Type: {SDP}\r\nContent-Disposition: session;handling=required\r\n\r\n{sdp}\r\n\
         --{boundary}\r\nContent-Type: {METADATA}\r\nContent-Disposition: recording-session\r\n\r\n{metadata}\r\n--{boundary}--\r\n"
    );
    *body = Body::from(text.as_str());
}

/// The session description among the parts of a body; none: there is none, or it is no body of parts.
pub(crate) fn session_part<'body>(headers: &HeaderMap, body: &'body [u8]) -> Option<&'body [u8]> {
    let content_type = headers.first(&HeaderName::CONTENT_TYPE)?;
    let at = content_type.iter().position(|byte| *byte == b';')?;
    let params = Params::parse(content_type.get(at + 1..)?)?;
    let boundary = params.unquoted("boundary")?;
    if boundary.is_empty() {
        return None;
    }
    let mark = format!("--{boundary}");
    let mut rest = body.get(find(body, mark.as_bytes())? + mark.len()..)?;
    for _ in 0..PARTS_MAX {
        // Two dashes behind the mark end the body.
        if rest.starts_with(b"--") {
            return None;
        }
        let end = find(rest, mark.as_bytes())?;
        let part = rest.get(..end)?;
        if let Some(content) = described(part) {
            return Some(content);
        }
        rest = rest.get(end + mark.len()..)?;
    }
    None
}

/// The content of a part that is a session description.
fn described(part: &[u8]) -> Option<&[u8]> {
    let gap = |gap: &[u8]| find(part, gap).map(|at| (at, gap.len()));
    let (at, length) = gap(b"\r\n\r\n").or_else(|| gap(b"\n\n"))?;
    let head = str::from_utf8(part.get(..at)?).ok()?;
    let is_sdp = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            let kind = value.split(';').next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case("content-type")
                && kind.trim().eq_ignore_ascii_case(SDP)
        })
    });
    is_sdp.then(|| part.get(at + length..)).flatten()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|some| some == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(content_type: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::CONTENT_TYPE, content_type);
        headers
    }

    #[test]
    fn what_is_written_is_found_again() {
        let (mut fields, mut body) = (HeaderMap::new(), Body::default());
        write_parts(&mut fields, &mut body, ("b1", "v=0\r\n", "<recording/>"));
        assert_eq!(fields.content_type().as_deref(), Some("multipart/mixed"));
        let found = session_part(&fields, body.as_bytes()).unwrap();
        assert_eq!(found, b"v=0\r\n\r\n");
        let text = String::from_utf8(body.as_bytes().to_vec()).unwrap();
        assert!(
            text.contains("Content-Disposition: recording-session\r\n\r\n<recording/>\r\n--b1--")
        );
    }

    #[test]
    fn the_description_may_stand_behind_other_parts_and_in_other_spellings() {
        let body = "preamble\n--x y\nContent-Type: text/plain\n\nhello\n--x y\ncontent-type : APPLICATION/SDP ; a=b\n\nv=0\n--x y--";
        let found = session_part(
            &headers("Multipart/Mixed; boundary=\"x y\""),
            body.as_bytes(),
        );
        assert_eq!(found, Some(b"v=0\n".as_slice()));
    }

    #[test]
    fn broken_bodies_have_no_description() {
        let many = "--b\n\n".repeat(1_000);
        for (content_type, body) in [
            ("application/sdp", "v=0\r\n"),
            (
                "multipart/mixed",
                "--b\nContent-Type: application/sdp\n\nv=0\n--b--",
            ),
            (
                "multipart/mixed;boundary=\"\"",
                "--\nContent-Type: application/sdp\n\nv=0\n----",
            ),
            (
                "multipart/mixed;boundary=b",
                "--b\nContent-Type: application/sdp\n\nv=0\n",
            ),
            (
                "multipart/mixed;boundary=b",
                "--b--\nContent-Type: application/sdp\n\nv=0\n--b",
            ),
            (
                "multipart/mixed;boundary=b",
                "--b\nContent-Type: application/sdp\n--b--",
            ),
            ("multipart/mixed;boundary=b", many.as_str()),
            ("multipart/mixed;boundary=b", ""),
        ] {
            assert_eq!(
                session_part(&headers(content_type), body.as_bytes()),
                None,
                "{body}"
            );
        }
    }
}
