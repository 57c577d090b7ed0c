//! Messages of FreeSWITCH's event socket, apart from any socket.
//! Owns: where one ends, how long one may be, its names and values, and those of an event in it.
//! Never: waits for the end of what is longer than it may be.

/// Longest head, in bytes: a reply has three short lines.
const HEAD_BYTES_MAX: usize = 8 * 1_024;
/// Longest body, in bytes: the list of 500 channels, of which each has some sixty values in at most 4 kB.
const BODY_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// A head's end.
const HEAD_END: &[u8] = b"\n\n";

/// What came is no event socket, or has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("what it sends is not that of an event socket")]
    OtherLine,
    #[error("a head of it is longer than {HEAD_BYTES_MAX} bytes")]
    EndlessHead,
    #[error("a body of it is longer than {BODY_BYTES_MAX} bytes, or has no length")]
    EndlessBody,
}

/// Names and values, and the text that follows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    head: Vec<(String, String)>,
    /// Empty: there is none.
    pub(super) body: String,
}

impl Message {
    /// What it is: `auth/request`, `command/reply`, `api/response`, `text/event-plain`; empty: it does not say.
    pub(super) fn kind(&self) -> &str {
        value(&self.head, "Content-Type")
    }

    /// What a command was answered; empty: it is no such answer.
    pub(super) fn reply(&self) -> &str {
        value(&self.head, "Reply-Text")
    }

    /// Names and values of the event that its body is. They come percent-encoded.
    pub(super) fn event(&self) -> Event {
        let lines = self.body.lines().take_while(|line| !line.is_empty());
        let pairs = lines.filter_map(|line| line.split_once(": "));
        Event(
            pairs
                .map(|(name, text)| (name.to_owned(), decoded(text)))
                .collect(),
        )
    }
}

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Event(Vec<(String, String)>);

impl Event {
    /// The first value of a name; empty: there is none.
    pub(super) fn value(&self, name: &str) -> &str {
        value(&self.0, name)
    }
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let mut pairs = pairs.iter();
    let found = pairs.find(|(one, _)| one.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// Percent-encoding undone; what is none stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (byte, taken) = match code {
            Some((high, low)) => (high * 16 + low, 3),
            None => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[taken..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// A head, and how many bytes follow it.
#[derive(Debug)]
struct Head {
    values: Vec<(String, String)>,
    body_bytes: usize,
}

/// Bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// How far messages were taken from `bytes`.
    taken: usize,
    /// A head whose body is not whole yet.
    head: Option<Head>,
}

impl Incoming {
    /// More of them.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    ///
    /// # Errors
    /// It is none, or too long; nothing can be read any more.
    pub(super) fn message(&mut self) -> Result<Option<Message>, Unusable> {
        let head = match self.head.take() {
            Some(head) => Some(head),
            None => self.next_head()?,
        };
        let Some(head) = head else {
            return Ok(None);
        };
        let rest = &self.bytes[self.taken..];
        let Some(body) = rest.get(..head.body_bytes) else {
            self.head = Some(head);
            return Ok(None);
        };
        let body = String::from_utf8_lossy(body).into_owned();
        self.taken += head.body_bytes;
        Ok(Some(Message {
            head: head.values,
            body,
        }))
    }

    fn next_head(&mut self) -> Result<Option<Head>, Unusable> {
        let rest = &self.bytes[self.taken..];
        let end = rest.windows(HEAD_END.len()).position(|two| two == HEAD_END);
        // Without its end the last byte may be half of one.
        if end.unwrap_or(rest.len().saturating_sub(1)) > HEAD_BYTES_MAX {
            return Err(Unusable::EndlessHead);
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let values = values(&String::from_utf8_lossy(&rest[..end]))?;
        self.taken += end + HEAD_END.len();
        let body_bytes = match value(&values, "Content-Length") {
            "" => 0,
            text => text.parse().map_err(|_| Unusable::EndlessBody)?,
        };
        match body_bytes <= BODY_BYTES_MAX {
            true => Ok(Some(Head { values, body_bytes })),
            false => Err(Unusable::EndlessBody),
        }
    }
}

fn values(text: &str) -> Result<Vec<(String, String)>, Unusable> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    let pairs = text.split('\n').map(pair).collect::<Option<Vec<_>>>();
    pairs.ok_or(Unusable::OtherLine)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that these bytes hold, in pieces of so many.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Message>, Unusable> {
        let mut incoming = Incoming::default();
        let mut all = Vec::new();
        for some in bytes.chunks(piece) {
            incoming.push(some);
            while let Some(message) = incoming.message()? {
                all.push(message);
            }
        }
        Ok(all)
    }

    const WHOLE: &str = "Content-Type: auth/request\n\n\
        Content-Type: command/reply\nReply-Text: +OK accepted\n\n\
        Content-Type: api/response\nContent-Length: 12\n\n+OK\n\nSuccess\
        Content-Length: 89\nContent-Type: text/event-plain\n\n\
        Event-Name: RECORD_START\nUnique-ID: a%40b%zz%4\nRecord-File-Path: /r/%C3%A9%20+.wav\nX: _\n\n";

    #[test]
    fn messages_are_the_same_however_they_come() {
        for piece in [1, 2, 3, 7, WHOLE.len()] {
            let [asks, reply, answer, event] = &read(WHOLE.as_bytes(), piece).unwrap()[..] else {
                panic!("four messages");
            };
            assert_eq!((asks.kind(), asks.reply()), ("auth/request", ""));
            assert_eq!(
                (reply.kind(), reply.reply()),
                ("command/reply", "+OK accepted")
            );
            assert_eq!(
                (answer.kind(), answer.body.as_str()),
                ("api/response", "+OK\n\nSuccess")
            );
            assert_eq!(event.kind(), "text/event-plain");
            let event = event.event();
            let told =
                ["event-name", "Unique-ID", "Record-File-Path", "Y"].map(|name| event.value(name));
            assert_eq!(told, ["RECORD_START", "a@b%zz%4", "/r/é +.wav", ""]);
        }
    }

    #[test]
    fn what_is_no_event_socket_is_refused() {
        for first in [
            "SSH-2.0\n\n",
            "HTTP/1.1 400 Bad Request\r\n\n\n",
            "\n\n",
            "A: b\n \n\n",
        ] {
            assert_eq!(
                read(first.as_bytes(), 3),
                Err(Unusable::OtherLine),
                "{first}"
            );
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let head = "X: yyyyyyyyyyyyyyyy\n".repeat(1_000);
        assert_eq!(read(head.as_bytes(), 100), Err(Unusable::EndlessHead));
        for length in ["2097153", "99999999999999999999999", "-1", "1.5", "x"] {
            let message = format!("Content-Length: {length}\n\n");
            assert_eq!(
                read(message.as_bytes(), 9),
                Err(Unusable::EndlessBody),
                "{length}"
            );
        }
    }

    proptest! {
        /// Bytes from outside never panic, what is kept of them is bounded, and pieces make no difference.
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b'\n'), Just(b':'), Just(b'%')], 0..2_000),
            length in 0_usize..3_000,
            before in 0_usize..10_000,
            piece in 1_usize..300,
        ) {
            let mut whole = format!("Content-Length: {length}\nX: {}", "y".repeat(before % HEAD_BYTES_MAX)).into_bytes();
            whole.extend_from_slice(b"\n\n");
            whole.extend_from_slice(&bytes);
            whole.resize(whole.len() + before, b'y');
            let mut incoming = Incoming::default();
            'all: for some in whole.chunks(piece) {
                incoming.push(some);
                loop {
                    match incoming.message() {
                        Ok(Some(message)) => {
                            let event = message.event();
                            prop_assert!(event.0.iter().all(|(name, _)| !name.contains('\n')));
                        }
                        Ok(None) => break,
                        Err(_) => break 'all,
                    }
                }
                let kept = incoming.bytes.len() - incoming.taken;
                prop_assert!(kept <= HEAD_BYTES_MAX.max(length) + 1 + piece);
            }
            prop_assert_eq!(read(&whole, piece).ok(), read(&whole, whole.len()).ok());
        }
    }
}
