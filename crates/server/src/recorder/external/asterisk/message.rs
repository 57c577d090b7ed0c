//! Messages of Asterisk's manager interface, apart from any socket.
//! Owns: where one ends, how long one may be, its names and values; how an action is written.
//! Never: takes an endless line, or writes a value that ends its own line.

/// Longest line, in bytes: Asterisk itself cuts a value of a channel at 512.
const LINE_BYTES_MAX: usize = 8 * 1_024;
/// Longest message, in bytes: one of a channel has some thirty short lines.
const MESSAGE_BYTES_MAX: usize = 64 * 1_024;
/// What the first line begins with; its version follows.
const GREETING: &[u8] = b"Asterisk Call Manager/";
/// A line's end.
const LINE_END: &[u8] = b"\r\n";

/// What came is no manager interface, or has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("its first line is not that of a manager interface")]
    OtherGreeting,
    #[error("a line of it is longer than {LINE_BYTES_MAX} bytes")]
    EndlessLine,
    #[error("a message of it is longer than {MESSAGE_BYTES_MAX} bytes")]
    EndlessMessage,
}

/// Names and values, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message(Vec<(String, String)>);

impl Message {
    /// The first value of a name, whatever its case; empty: there is none.
    pub(super) fn value(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// All values of a name.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_it = move |(one, _): &&(String, String)| one.eq_ignore_ascii_case(name);
        self.0.iter().filter(is_it).map(|(_, value)| value.as_str())
    }

    /// Whether it is this event.
    pub(super) fn is_event(&self, name: &str) -> bool {
        self.value("Event").eq_ignore_ascii_case(name)
    }

    /// Whether an action was carried out, or its list begins.
    pub(super) fn is_success(&self) -> bool {
        self.value("Response").eq_ignore_ascii_case("Success")
    }
}

/// Bytes as they come, and the message that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    /// How far lines were taken from `bytes`.
    taken: usize,
    message: Message,
    message_bytes: usize,
}

impl Incoming {
    /// More of them.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether the line that comes first is there.
    ///
    /// # Errors
    /// It is another.
    pub(super) fn greeting(&mut self) -> Result<bool, Unusable> {
        let seen = self.bytes.len().min(GREETING.len());
        if self.bytes[..seen] != GREETING[..seen] {
            return Err(Unusable::OtherGreeting);
        }
        Ok(self.line()?.is_some())
    }

    /// The next whole message.
    ///
    /// # Errors
    /// A line or the message is too long; nothing can be read any more.
    pub(super) fn message(&mut self) -> Result<Option<Message>, Unusable> {
        while let Some(line) = self.line()? {
            if line.is_empty() {
                self.message_bytes = 0;
                let message = std::mem::take(&mut self.message);
                if message.0.is_empty() {
                    continue;
                }
                return Ok(Some(message));
            }
            self.message_bytes += line.len();
            if self.message_bytes > MESSAGE_BYTES_MAX {
                return Err(Unusable::EndlessMessage);
            }
            if let Some((name, value)) = line.split_once(':') {
                let value = value.strip_prefix(' ').unwrap_or(value);
                self.message.0.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Option<String>, Unusable> {
        let rest = &self.bytes[self.taken..];
        let end = rest.windows(LINE_END.len()).position(|two| two == LINE_END);
        // Without its end the last byte may be half of one.
        if end.unwrap_or(rest.len().saturating_sub(1)) > LINE_BYTES_MAX {
            return Err(Unusable::EndlessLine);
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.taken += end + LINE_END.len();
        Ok(Some(line))
    }
}

/// An action; none: a value would end its line.
pub(super) fn action(name: &str, id: &str, values: &[(&str, &str)]) -> Option<String> {
    let mut text = format!("Action: {name}\r\nActionID: {id}\r\n");
    for (name, value) in values {
        if !is_one_line(value) {
            return None;
        }
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    Some(text)
}

/// Whether a value can stand in a line.
pub(super) fn is_one_line(value: &str) -> bool {
    !value.contains(['\r', '\n', '\0'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that these bytes hold, in pieces of so many.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Message>, Unusable> {
        let mut incoming = Incoming::default();
        let mut is_greeted = false;
        let mut all = Vec::new();
        for some in bytes.chunks(piece) {
            incoming.push(some);
            is_greeted = is_greeted || incoming.greeting()?;
            while is_greeted && let Some(message) = incoming.message()? {
                all.push(message);
            }
        }
        Ok(all)
    }

    const WHOLE: &str = "Asterisk Call Manager/7.0.3\r\n\
        Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n\
        Event: Status\r\nPrivilege: Call\r\nUniqueid: 1.1\r\nVariable: A=1\r\nvariable: CHANNEL(pjsip,call-id)=a:b@c\r\nAccountcode:\r\n\r\n";

    #[test]
    fn messages_are_the_same_however_they_come() {
        for piece in [1, 2, 3, 7, WHOLE.len()] {
            let [response, event] = &read(WHOLE.as_bytes(), piece).unwrap()[..] else {
                panic!("two messages");
            };
            assert!(response.is_success() && response.value("actionid") == "1");
            assert!(event.is_event("Status") && !event.is_success());
            let variables: Vec<_> = event.values("Variable").collect();
            assert_eq!(variables, ["A=1", "CHANNEL(pjsip,call-id)=a:b@c"]);
            assert_eq!(event.value("Accountcode"), "");
        }
    }

    #[test]
    fn what_is_no_manager_interface_is_refused_at_its_first_bytes() {
        for first in ["SSH-2.0", "HTTP/1.1 400 Bad Request\r\n", "\r\n"] {
            let read = read(first.as_bytes(), 3);
            assert_eq!(read, Err(Unusable::OtherGreeting), "{first}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let line = format!("Asterisk Call Manager/1\r\nX: {}", "y".repeat(9_000));
        assert_eq!(read(line.as_bytes(), 100), Err(Unusable::EndlessLine));
        let lines = "X: yyyyyyyyyyyyyyyy\r\n".repeat(4_000);
        let lines = format!("Asterisk Call Manager/1\r\n{lines}");
        assert_eq!(read(lines.as_bytes(), 999), Err(Unusable::EndlessMessage));
    }

    #[test]
    fn no_value_becomes_a_line_of_its_own() {
        let written = action("Status", "7", &[("Channel", "PJSIP/a-1")]).unwrap();
        let expected = "Action: Status\r\nActionID: 7\r\nChannel: PJSIP/a-1\r\n\r\n";
        assert_eq!(written, expected);
        for value in ["a\r\nAction: Command", "a\n", "\r"] {
            assert_eq!(action("Status", "7", &[("Channel", value)]), None);
        }
    }

    proptest! {
        /// Bytes from outside never panic, what is kept of them is bounded, and pieces make no difference.
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b':')], 0..2_000),
            before in 0_usize..10_000,
            piece in 1_usize..300,
        ) {
            let mut whole = b"Asterisk Call Manager/1\r\n".to_vec();
            whole.resize(whole.len() + before, b'y');
            whole.extend_from_slice(&bytes);
            let mut incoming = Incoming::default();
            'all: for some in whole.chunks(piece) {
                incoming.push(some);
                loop {
                    match incoming.message() {
                        Ok(Some(message)) => {
                            let mut texts = message.0.iter().flat_map(|(name, value)| [name, value]);
                            prop_assert!(texts.all(|text| !text.contains("\r\n")));
                        }
                        Ok(None) => break,
                        Err(_) => break 'all,
                    }
                }
                prop_assert!(incoming.bytes.len() - incoming.taken <= LINE_BYTES_MAX + 1);
            }
            prop_assert_eq!(read(&whole, piece).ok(), read(&whole, whole.len()).ok());
        }
    }
}
