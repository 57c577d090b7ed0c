//! Keys that far sides signal in message bodies. Read from the body straight into a key; no text is made of them.

use secret::Key;

use crate::message::HeaderMap;
use crate::message::lex;

/// What a body of a key-signalling type says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// A key of the twelve.
    Key(Key),
    /// A or B or C or D, a flash, or nothing readable: consumed and dropped.
    None,
}

/// The key in a body of `application/dtmf-relay` or `application/dtmf`; `None` if the body is of another type.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Signal> {
    let key = match headers.content_type()?.as_str() {
        "application/dtmf-relay" => relay_key(body),
        "application/dtmf" => relay_key(body).or_else(|| key(lex::trim(first_line(body)))),
        _ => return None,
    };
    Some(key.map_or(Signal::None, Signal::Key))
}

/// `Signal=5` or `Signal= 5`, in any line.
fn relay_key(body: &[u8]) -> Option<Key> {
    body.split(|&b| b == b'\n' || b == b'\r').find_map(|line| {
        let (name, value) = lex::split_once(line, b'=')?;
        lex::trim(name)
            .eq_ignore_ascii_case(b"Signal")
            .then(|| key(lex::trim(value)))
            .flatten()
    })
}

/// One character, or the code of an event: some phones write 10 and 11 for `*` and `#`.
fn key(text: &[u8]) -> Option<Key> {
    match text {
        [b'*'] => Some(Key::Star),
        [b'#'] => Some(Key::Pound),
        [byte @ b'0'..=b'9'] => Key::from_event(byte - b'0'),
        b"10" => Some(Key::Star),
        b"11" => Some(Key::Pound),
        _ => None,
    }
}

fn first_line(body: &[u8]) -> &[u8] {
    body.split(|&b| b == b'\n' || b == b'\r')
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::HeaderName;

    fn signal(content_type: &str, body: &str) -> Option<Signal> {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::CONTENT_TYPE, content_type);
        read(&headers, body.as_bytes())
    }

    fn event(code: u8) -> Option<Signal> {
        Key::from_event(code).map(Signal::Key)
    }

    #[test]
    fn both_body_types_and_their_quirks_are_read() {
        assert_eq!(
            signal("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
            event(5)
        );
        assert_eq!(
            signal(
                "Application/DTMF-Relay; charset=x",
                "Duration=160\nsignal = *\n"
            ),
            event(10)
        );
        assert_eq!(signal("application/dtmf-relay", "Signal=11\n"), event(11));
        assert_eq!(signal("application/dtmf", "7"), event(7));
        assert_eq!(signal("application/dtmf", " #\r\n"), event(11));
        assert_eq!(signal("application/dtmf", "Signal=3\r\n"), event(3));
    }

    #[test]
    fn other_signals_are_consumed_and_other_types_are_not_ours() {
        for body in [
            "Signal=A",
            "Signal=16",
            "Signal=",
            "",
            "\u{1}\u{2}",
            "Signal=55",
        ] {
            assert_eq!(
                signal("application/dtmf-relay", body),
                Some(Signal::None),
                "{body}"
            );
        }
        assert_eq!(signal("text/plain", "5"), None);
    }
}
