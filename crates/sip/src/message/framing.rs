//! Messages on a stream: each says by `Content-Length` where the next begins ([RFC 3261 §18.3](https://www.rfc-editor.org/rfc/rfc3261#section-18.3)).
//! Owns: bytes of a connection that are no whole message yet.
//! Never: reads a message, or keeps one that is whole.

use thiserror::Error;

use super::lex;
use super::limits::MESSAGE_BYTES_MAX;

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

/// The bytes of one connection on their way to messages.
#[derive(Debug, Default)]
pub struct Framing {
    bytes: Vec<u8>,
}

impl Framing {
    /// Takes bytes in, in any pieces.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message; none: more bytes are needed. Line ends between messages keep a connection alive and are passed over.
    ///
    /// # Errors
    /// See [`FramingError`].
    pub fn message(&mut self) -> Result<Option<Vec<u8>>, FramingError> {
        let blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let skipped = self.bytes.iter().take_while(blank).count();
        self.bytes.drain(..skipped);
        let Some(head) = self.bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
            return match self.bytes.len() > MESSAGE_BYTES_MAX {
                true => Err(FramingError::PeerTooLong),
                false => Ok(None),
            };
        };
        let length = content_length(self.bytes.get(..head).unwrap_or_default())?;
        let whole = head.saturating_add(4).saturating_add(length);
        if whole > MESSAGE_BYTES_MAX {
            return Err(FramingError::PeerTooLong);
        }
        if self.bytes.len() < whole {
            return Ok(None);
        }
        let rest = self.bytes.split_off(whole);
        Ok(Some(std::mem::replace(&mut self.bytes, rest)))
    }
}

fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut found = None;
    for line in head.split(|byte| *byte == b'\n') {
        let Some((name, value)) = lex::split_once(line, b':') else {
            continue;
        };
        let name = lex::trim(name);
        if !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"l") {
            continue;
        }
        let length: Option<u64> = lex::decimal(lex::trim(value));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(FramingError::PeerNoLength)?;
        if found.is_some_and(|before| before != length) {
            return Err(FramingError::PeerNoLength);
        }
        found = Some(length);
    }
    found.ok_or(FramingError::PeerNoLength)
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
                messages.push(message);
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
