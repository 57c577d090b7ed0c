//! Messages on a stream: each says by `Content-Length` where the next begins ([RFC 3261 §18.3](https://www.rfc-editor.org/rfc/rfc3261#section-18.3)).
//! Owns: bytes of a connection that are no whole message yet.
//! Never: reads a message, or keeps one that is whole.

use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::body::Wire;
use super::lex;
use super::limits::MESSAGE_BYTES_MAX;

/// Between the head of a message and its body.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// What asks whether the other end is there.
const PING: &[u8] = b"\r\n\r\n";

/// Nothing that comes behind can be told apart: the connection is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramingError {
    /// A message longer than [`MESSAGE_BYTES_MAX`], or lines that do not end within it.
    #[error("peer sent a message that is too long")]
    PeerTooLong,
    /// No `Content-Length`, two that differ, or none that is a number.
    #[error("peer sent a message on a stream without a length")]
    PeerNoLength,
}

/// The bytes of one connection on their way to messages. They are wiped as they leave, for a message may hold a keyed digit.
#[derive(Default)]
pub struct Framing {
    bytes: Zeroizing<Vec<u8>>,
    /// No head ends before here.
    searched: usize,
    /// Length of the message that stands in front, once its head is there.
    whole: Option<usize>,
    line_ends: usize,
    pings: usize,
}

impl Framing {
    /// Takes bytes in, in any pieces.
    pub fn push(&mut self, bytes: &[u8]) {
        let needed = self.bytes.len().saturating_add(bytes.len());
        if needed > self.bytes.capacity() {
            // A vector that grows by itself leaves its old bytes behind.
            let capacity = needed.max(self.bytes.capacity().saturating_mul(2));
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message; none: more bytes are needed. Line ends between messages keep a connection alive and are passed over.
    ///
    /// # Errors
    /// See [`FramingError`].
    pub fn message(&mut self) -> Result<Option<Wire>, FramingError> {
        if self.whole.is_none() {
            self.pass_over_line_ends();
            self.whole = self.find_whole()?;
        }
        let Some(whole) = self.whole.filter(|whole| *whole <= self.bytes.len()) else {
            return Ok(None);
        };
        let message = self.bytes.get(..whole).unwrap_or_default().to_vec();
        self.drop_front(whole);
        self.whole = None;
        Ok(Some(Wire::new(message)))
    }

    /// How often the far side has asked since the last call whether we are still there, by two line ends between messages: one line end is the answer
    /// ([RFC 5626 §3.5.1](https://www.rfc-editor.org/rfc/rfc5626#section-3.5.1)).
    pub fn take_pings(&mut self) -> usize {
        std::mem::take(&mut self.pings)
    }

    /// Whether a message has begun and has not ended.
    #[must_use]
    pub fn is_within(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn pass_over_line_ends(&mut self) {
        let blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let skipped = self.bytes.iter().take_while(blank).count();
        if skipped > 0 {
            self.drop_front(skipped);
        }
        self.line_ends += skipped;
        self.pings += self.line_ends / PING.len();
        self.line_ends = match self.bytes.is_empty() {
            true => self.line_ends % PING.len(),
            false => 0,
        };
    }

    /// The length of the message in front, if its head is there.
    fn find_whole(&mut self) -> Result<Option<usize>, FramingError> {
        let from = self.searched.saturating_sub(HEAD_END.len() - 1);
        let unsearched = self.bytes.get(from..).unwrap_or_default();
        let found = unsearched
            .windows(HEAD_END.len())
            .position(|end| end == HEAD_END);
        self.searched = self.bytes.len();
        let Some(head) = found.map(|at| from + at) else {
            return match self.bytes.len() > MESSAGE_BYTES_MAX {
                true => Err(FramingError::PeerTooLong),
                false => Ok(None),
            };
        };
        let length = content_length(self.bytes.get(..head).unwrap_or_default())?;
        let whole = head.saturating_add(HEAD_END.len()).saturating_add(length);
        match whole > MESSAGE_BYTES_MAX {
            true => Err(FramingError::PeerTooLong),
            false => Ok(Some(whole)),
        }
    }

    fn drop_front(&mut self, count: usize) {
        let rest = self.bytes.len().saturating_sub(count);
        self.bytes.copy_within(count.., 0);
        if let Some(left) = self.bytes.get_mut(rest..) {
            left.zeroize();
        }
        self.bytes.truncate(rest);
        self.searched = 0;
    }
}

impl fmt::Debug for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[bytes of a connection]")
    }
}

fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found = None;
    let lines = head.split(|byte| *byte == b'\n');
    let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut next = lines.next();
    while let Some(line) = next {
        next = lines.next();
        let Some((name, value)) = lex::split_once(line, b':') else {
            continue;
        };
        // What goes on with the field before it is none of its own.
        if is_continued(line) {
            continue;
        }
        let name = lex::trim(name);
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let value = match (lex::trim(value), next) {
            ([], Some(folded)) if is_continued(folded) => lex::trim(folded),
            (value, _) => value,
        };
        let length: Option<u64> = lex::decimal(value);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(FramingError::PeerNoLength)?;
        if found.is_some_and(|before| before != length) {
            return Err(FramingError::PeerNoLength);
        }
        found = Some(length);
    }
    found.ok_or(FramingError::PeerNoLength)
}

/// A line that goes on with the one before it ([RFC 3261 §7.3.1](https://www.rfc-editor.org/rfc/rfc3261#section-7.3.1)).
fn is_continued(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\nl: 3\r\n\r\nabc";
    const RESPONSE: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length : 0\r\n\r\n";

    fn all(bytes: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, FramingError> {
        let (mut framing, mut messages) = (Framing::default(), Vec::new());
        for some in bytes.chunks(piece) {
            framing.push(some);
            while let Some(message) = framing.message()? {
                messages.push(message.as_bytes().to_vec());
            }
        }
        Ok(messages)
    }

    #[test]
    fn messages_come_whole_whatever_the_pieces() {
        let bytes = [b"\r\n\r\n", OPTIONS, b"\r\n", RESPONSE, OPTIONS].concat();
        for piece in [1, 2, 7, 40, 1_000] {
            let messages = all(&bytes, piece).unwrap();
            assert_eq!(messages, [OPTIONS, RESPONSE, OPTIONS], "{piece}");
        }
    }

    #[test]
    fn a_length_stands_anywhere_among_the_fields_and_may_be_folded() {
        for lines in [
            "Content-Length: 3\r\nVia: x",
            "Via: x\r\nl: 3\r\nAuthorization: y",
            "Subject: x\r\n l: 99\r\nl: 3\r\nVia: x",
            "l:\r\n 3\r\nVia: x",
            "l: 3\r\nVia: x\r\nContent-Length :\t3 ",
        ] {
            let text = format!("OPTIONS sip:a SIP/2.0\r\n{lines}\r\n\r\nabc");
            let bytes = [text.as_bytes(), RESPONSE].concat();
            let messages = all(&bytes, 9).unwrap();
            assert_eq!(messages, [text.as_bytes(), RESPONSE], "{lines}");
        }
    }

    #[test]
    fn a_message_without_one_length_ends_the_connection() {
        for lines in [
            "Via: x",
            "l: x",
            "l: -1",
            "l: 1\r\nContent-Length: 2",
            "l: 99999999999999999999999",
        ] {
            let text = format!("OPTIONS sip:a SIP/2.0\r\n{lines}\r\n\r\n");
            assert_eq!(
                all(text.as_bytes(), 9),
                Err(FramingError::PeerNoLength),
                "{lines}"
            );
        }
        let long = format!("OPTIONS sip:a SIP/2.0\r\nl: {MESSAGE_BYTES_MAX}\r\n\r\n");
        assert_eq!(all(long.as_bytes(), 9), Err(FramingError::PeerTooLong));
        let endless = vec![b'x'; MESSAGE_BYTES_MAX + 1];
        assert_eq!(all(&endless, 4_000), Err(FramingError::PeerTooLong));
    }

    #[test]
    fn what_was_taken_out_is_gone_from_the_buffer() {
        let mut framing = Framing::default();
        framing.push(&[OPTIONS, b"SIP"].concat());
        let message = framing.message().unwrap().unwrap();
        assert_eq!(message.as_bytes(), OPTIONS);
        let capacity = framing.bytes.capacity();
        framing.bytes.resize(capacity, 0);
        assert_eq!(&framing.bytes[..3], b"SIP");
        assert!(framing.bytes[3..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn two_line_ends_between_messages_are_a_ping() {
        let mut framing = Framing::default();
        let mut pings = |bytes: &[u8]| {
            framing.push(bytes);
            while framing.message().unwrap().is_some() {}
            framing.take_pings()
        };
        assert_eq!(pings(b"\r\n"), 0, "an answer to a ping of ours");
        assert_eq!(pings(OPTIONS), 0);
        assert_eq!(pings(b"\r\n\r"), 0);
        assert_eq!(pings(b"\n"), 1);
        assert_eq!(pings(&[b"\r\n\r\n", OPTIONS, b"\r\n\r\n"].concat()), 2);
    }

    #[test]
    fn a_long_head_in_single_bytes_is_searched_once() {
        let mut framing = Framing::default();
        let head = vec![b'x'; MESSAGE_BYTES_MAX];
        for byte in &head {
            framing.push(std::slice::from_ref(byte));
            assert_eq!(framing.message(), Ok(None));
            assert_eq!(framing.searched, framing.bytes.len());
        }
        framing.push(b"x");
        assert_eq!(framing.message(), Err(FramingError::PeerTooLong));
    }

    proptest! {
        /// Bytes from outside never panic, and pieces make no difference.
        #[test]
        fn any_bytes_are_told_apart_or_refused(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'l'), Just(b':'), Just(b'1')], 0..1_000),
            piece in 1_usize..100,
        ) {
            prop_assert_eq!(all(&bytes, piece).ok(), all(&bytes, bytes.len().max(1)).ok());
        }
    }
}
