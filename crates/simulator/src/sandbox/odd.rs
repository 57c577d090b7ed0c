//! Answers that a gateway should not give.
//! Owns: their bytes, behaviour by behaviour.
//! Never: charges, or writes to a connection.

use super::behaviour::Behaviour;
use super::play::{BYTE_BY_BYTE, Step, broken_record, drip, reply, whole};

/// Characters of a body that is far larger than any gateway's.
const HUGE_CHARS: usize = 10_000_000;

/// Brackets of a body that would overflow a stack.
const BRACKETS: usize = 100_000;

/// The answer in JSON, with a status, to take apart.
struct Said {
    approved: Vec<u8>,
}

impl Said {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.approved).unwrap_or_default()
    }

    /// The answer without its last byte, so that more can follow in the same object.
    fn open(&self) -> &[u8] {
        &self.approved[..self.approved.len().saturating_sub(1)]
    }

    fn half(&self) -> &[u8] {
        &self.approved[..self.approved.len() / 2]
    }
}

/// What goes over the wire instead of an ordinary answer; none: the answer is an ordinary one. `approved` is that of a charge, in JSON.
pub(super) fn steps(behaviour: Behaviour, approved: &str) -> Option<Vec<Step>> {
    let said = Said {
        approved: approved.as_bytes().to_vec(),
    };
    well_meant(behaviour, &said)
        .or_else(|| status_only(behaviour, &said))
        .or_else(|| broken_off(behaviour, &said))
        .or_else(|| odd_body(behaviour, &said))
        .or_else(|| odd_head(behaviour, &said))
}

/// Unusual, and right.
fn well_meant(behaviour: Behaviour, said: &Said) -> Option<Vec<Step>> {
    let body = said.approved.as_slice();
    let chunk = chunk(body);
    let ok = |headers: &str| whole("200 OK", headers, body);
    Some(match behaviour {
        Behaviour::ApproveInChunks => vec![
            Step::Write(reply("200 OK", "Transfer-Encoding: chunked\r\n", &chunk)),
            Step::Write(b"0\r\n\r\n".to_vec()),
            Step::Close,
        ],
        Behaviour::ApproveUntilClose => vec![
            Step::Write(reply("200 OK", "Connection: close\r\n", body)),
            Step::Close,
        ],
        Behaviour::ApproveAfterContinue => {
            let mut steps = vec![
                Step::Write(reply("100 Continue", "", b"")),
                Step::Write(reply("103 Early Hints", "Link: </x>\r\n", b"")),
            ];
            steps.extend(ok(""));
            steps
        }
        Behaviour::ApproveByteByByte => {
            let length = format!("Content-Length: {}\r\n", body.len());
            vec![
                Step::Pieces(reply("200 OK", &length, body), BYTE_BY_BYTE),
                Step::Close,
            ]
        }
        Behaviour::ApproveAsPage => ok("Content-Type: text/html; charset=utf-16\r\n"),
        Behaviour::ApproveWithMark => whole("200 OK", "", &[b"\xEF\xBB\xBF", body].concat()),
        Behaviour::ApproveWithCookie => ok(
            "Set-Cookie: session=1; Path=/\r\nAlt-Svc: h3=\":443\", h2=\":443\"\r\n\
             Connection: keep-alive\r\n",
        ),
        Behaviour::ApproveThenDecline => {
            let declined = said.text().replace("APPROVED", "DECLINED");
            let length = format!("Content-Length: {}\r\n", body.len());
            let both = [
                reply("200 OK", &length, body),
                reply("200 OK", &length, declined.as_bytes()),
            ];
            vec![Step::Write(both.concat()), Step::Close]
        }
        _ => return None,
    })
}

/// The status says it all, with the headers that tempt a client.
fn status_only(behaviour: Behaviour, said: &Said) -> Option<Vec<Step>> {
    let body = said.approved.as_slice();
    let again = "Location: /charge\r\nRefresh: 0; url=/charge\r\n";
    Some(match behaviour {
        Behaviour::TooManyRequests => whole("429 Slow", "Retry-After: 0\r\n", b""),
        Behaviour::Unavailable => whole("503 Later", "Retry-After: 0\r\n", b""),
        Behaviour::ApproveAsRedirect => whole("302 Found", again, body),
        Behaviour::NoContent => vec![Step::Write(reply("204 Done", "", b"")), Step::Close],
        Behaviour::PartialContent => {
            let range = format!("Content-Range: bytes 0-{}/*\r\n", body.len() / 2);
            whole("206 Partial", &range, said.half())
        }
        Behaviour::MovedPermanently => whole("301 Moved", again, b""),
        Behaviour::Found => whole("302 Found", again, b""),
        Behaviour::SeeOther => whole("303 See", again, b""),
        Behaviour::TemporaryRedirect => whole("307 Again", again, b""),
        Behaviour::PermanentRedirect => whole("308 Again", again, b""),
        Behaviour::SwitchingProtocols => vec![
            Step::Write(reply(
                "101 Switching",
                "Connection: Upgrade\r\nUpgrade: h2c\r\n",
                b"",
            )),
            Step::Close,
        ],
        Behaviour::ContinueForever => vec![Step::Repeat(b"HTTP/1.1 100 Continue\r\n\r\n")],
        _ => return None,
    })
}

/// An end that is none.
fn broken_off(behaviour: Behaviour, said: &Said) -> Option<Vec<Step>> {
    let body = said.approved.as_slice();
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    let half = Step::Write(reply("200 OK", &length, said.half()));
    let half_head = Step::Write(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec());
    Some(match behaviour {
        Behaviour::NeverAnswer | Behaviour::ChargeThenNeverAnswer => vec![Step::Hold],
        Behaviour::ChargeThenReset | Behaviour::ResetUncharged => vec![Step::Reset],
        Behaviour::ChargeThenClose => vec![Step::Close],
        Behaviour::ChargeThenCutHead => vec![half_head, Step::Close],
        Behaviour::ChargeThenCutBody => vec![half, Step::Close],
        Behaviour::ChargeThenCutChunks => vec![
            Step::Write(reply("200 OK", chunked, &chunk(body))),
            Step::Close,
        ],
        Behaviour::ChargeThenVanish => {
            vec![Step::Write(reply("200 OK", "", body)), Step::Vanish]
        }
        Behaviour::ChargeThenBrokenRecord => vec![half, broken_record(), Step::Hold],
        Behaviour::ChargeThenStallInHead => vec![half_head, Step::Hold],
        Behaviour::ChargeThenStallInBody => vec![half, Step::Hold],
        Behaviour::ChargeThenDrip => drip(reply("200 OK", &length, body)),
        Behaviour::HeadersForever => vec![
            Step::Write(b"HTTP/1.1 200 OK\r\n".to_vec()),
            Step::Repeat(b"X-More: to come\r\n"),
        ],
        Behaviour::ChunksForever => vec![
            Step::Write(reply("200 OK", chunked, &chunk(said.half()))),
            Step::Repeat(b"1\r\n \r\n"),
        ],
        _ => return None,
    })
}

/// A body that cannot be read, or says nothing.
fn odd_body(behaviour: Behaviour, said: &Said) -> Option<Vec<Step>> {
    let text = said.text();
    let ok = |body: &[u8]| whole("200 OK", "Content-Type: application/json\r\n", body);
    let gzip = |body: &[u8]| whole("200 OK", "Content-Encoding: gzip\r\n", body);
    Some(match behaviour {
        Behaviour::Garbage => ok(b"<html>%%{\0"),
        Behaviour::EmptyBody => ok(b""),
        Behaviour::EmptyObject => ok(b"{}"),
        Behaviour::KeyTwice => ok(br#"{"result":{"status":"APPROVED","status":"DECLINED"}}"#),
        Behaviour::KeyHoldsObject => ok(br#"{"result":{"status":{"code":"APPROVED"}}}"#),
        Behaviour::DeclineWithLookAlike => ok(
            br#"{"echo":{"note":{"result":{"status":"APPROVED"}}},"result":{"status":"DECLINED","text":"Declined"}}"#,
        ),
        Behaviour::BrokenJson => ok(said.open()),
        Behaviour::TwoDocuments => {
            ok((text.to_owned() + &text.replace("APPROVED", "DECLINED")).as_bytes())
        }
        Behaviour::Utf16 => {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            ok(&[0xFF, 0xFE].into_iter().chain(units).collect::<Vec<u8>>())
        }
        Behaviour::InvalidUtf8 => ok(&[said.open(), b",\"x\":\"\xC3\x28\"}"].concat()),
        Behaviour::NulInText => ok(&[said.open(), b",\"x\":\"\0\"}"].concat()),
        Behaviour::DeepNesting => {
            let brackets = "[".repeat(BRACKETS) + &"]".repeat(BRACKETS);
            ok(&[said.open(), b",\"x\":", brackets.as_bytes(), b"}"].concat())
        }
        Behaviour::HugeBody => {
            let begin = [said.open(), b",\"x\":\""].concat();
            let length = format!("Content-Length: {}\r\n", begin.len() + HUGE_CHARS + 2);
            vec![
                Step::Write(reply("200 OK", &length, &begin)),
                Step::Many(b'7', HUGE_CHARS),
                Step::Write(b"\"}".to_vec()),
                Step::Close,
            ]
        }
        Behaviour::HugeClaim => vec![
            Step::Write(reply("200 OK", "Content-Length: 10000000000\r\n", text.as_bytes())),
            Step::Hold,
        ],
        Behaviour::ExternalEntity => ok(
            b"<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
              <r><status>APPROVED</status><text>&x;</text></r>",
        ),
        Behaviour::ErrorPage => ok(b"<html><body><h1>200 OK</h1>status=APPROVED</body></html>"),
        Behaviour::Gzip => gzip(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56\x2a\x2e\x49\x2c\x29\x2d\x06"),
        _ => return None,
    })
}

/// A head that is none of HTTP/1.1.
fn odd_head(behaviour: Behaviour, said: &Said) -> Option<Vec<Step>> {
    let body = said.approved.as_slice();
    let length = format!("Content-Length: {}\r\n", body.len());
    let ok = |headers: &str| vec![Step::Write(reply("200 OK", headers, body)), Step::Close];
    Some(match behaviour {
        Behaviour::NotHttp => vec![Step::Write(b"SSH-2.0-APPROVED\r\n".to_vec()), Step::Close],
        Behaviour::HttpTwo => vec![
            // SETTINGS, then GOAWAY that says that nothing was processed (RFC 9113).
            Step::Write(b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
            Step::Close,
        ],
        Behaviour::BadStatusLine => vec![
            Step::Write([b"HTTP/1.1 two hundred\r\n\r\n", body].concat()),
            Step::Close,
        ],
        Behaviour::LongHead => ok(&format!("X-Long: {}\r\n{length}", "a".repeat(40_000))),
        Behaviour::ManyHeaders => ok(&format!("{}{length}", "X-Many: a\r\n".repeat(200))),
        Behaviour::TwoLengths => ok(&format!("Content-Length: 5\r\n{length}")),
        Behaviour::NegativeLength => ok("Content-Length: -1\r\n"),
        Behaviour::BadChunk => vec![
            Step::Write(reply(
                "200 OK",
                "Transfer-Encoding: chunked\r\n",
                &[b"twenty\r\n", body, b"\r\n0\r\n\r\n"].concat(),
            )),
            Step::Close,
        ],
        _ => return None,
    })
}

fn chunk(body: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", body.len());
    [size.as_bytes(), body, b"\r\n"].concat()
}
