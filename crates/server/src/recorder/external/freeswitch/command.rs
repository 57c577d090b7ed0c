//! What FreeSWITCH is asked, as lines of its event socket.
//! Owns: every command, and which values may stand in one.
//! Never: lets a value from outside end its argument, its line, or turn a command into another.

/// Longest word, in bytes.
const WORD_BYTES_MAX: usize = 255;

/// The event socket makes a command of its own of a line that has this and `unload` or `reload` anywhere in it.
const MODULE: &str = "mod_event_socket";

/// A Call-ID or the name of a channel: one argument as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word(String);

impl Word {
    /// The characters of a Call-ID (RFC 3261, section 25.1: `word ["@" word]`) but quotes and the backslash, which mean something between arguments. None: it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`~()<>:/[]?{}@".contains(&byte);
        let is_word = !text.is_empty()
            && text.len() <= WORD_BYTES_MAX
            && text.bytes().all(is_plain)
            && !names_the_module(text);
        is_word.then(|| Self(text.to_owned()))
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// A command, without its end.
pub(super) enum Command<'a> {
    /// Tell each recording that begins.
    Events,
    /// Of a channel: by which SIP Call-ID it is known. A channel may have it for its own name, too (`inbound-use-callid-as-uuid`).
    CallId(&'a Word),
    /// How many channels there are.
    Count,
    /// All of them, in JSON.
    Channels,
    /// What listens to a channel, in its own kind of XML.
    Listeners(&'a Word),
    /// A recording of a channel, by its path: silence in place of what is heard, or not any more.
    Mask {
        channel: &'a Word,
        path: &'a Path,
        is_on: bool,
    },
}

impl Command<'_> {
    /// As it is written, with its end.
    pub(super) fn line(&self) -> String {
        let line = match self {
            Self::Events => "event plain RECORD_START".to_owned(),
            Self::CallId(Word(channel)) => format!("api uuid_getvar {channel} sip_call_id"),
            Self::Count => "api show channels count as json".to_owned(),
            Self::Channels => "api show channels as json".to_owned(),
            Self::Listeners(Word(channel)) => format!("api uuid_buglist {channel}"),
            Self::Mask {
                channel: Word(channel),
                path: Path(path),
                is_on,
            } => {
                let action = if *is_on { "mask" } else { "unmask" };
                format!("api uuid_record {channel} {action} '{path}'")
            }
        };
        line + "\n\n"
    }
}

/// Where a recording is written to: one argument between quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    /// None: it has a quote, a backslash or a control character, or names the event socket's module.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_other =
            |c: char| c.is_control() || ['\'', '\\', char::REPLACEMENT_CHARACTER].contains(&c);
        let is_path = !text.is_empty() && !text.contains(is_other) && !names_the_module(text);
        is_path.then(|| Self(text.to_owned()))
    }
}

fn names_the_module(text: &str) -> bool {
    text.to_ascii_lowercase().contains(MODULE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_id_is_a_word_and_nothing_that_ends_one() {
        for text in ["a84b4c76e66710@pc33.example", "-.!%*_+`~()<>:/[]?{}@", "1"] {
            assert_eq!(Word::parse(text).unwrap().text(), text);
        }
        let long = "x".repeat(256);
        for text in [
            "",
            "a b",
            "a\nb",
            "a\rb",
            "a\n\napi fsctl shutdown",
            "a'b",
            "a\"b",
            "a\\b",
            "a\0",
            "é",
            "a;b",
            "a,b",
            "${x}",
            "unload-Mod_Event_Socket@x",
            &long,
        ] {
            assert_eq!(Word::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_path_is_one_argument_or_none() {
        let channel = Word::parse("c-1").unwrap();
        let path = Path::parse("/r/Jane & Röe, {a}.wav").unwrap();
        let mask = |is_on| {
            Command::Mask {
                channel: &channel,
                path: &path,
                is_on,
            }
            .line()
        };
        assert_eq!(
            mask(true),
            "api uuid_record c-1 mask '/r/Jane & Röe, {a}.wav'\n\n"
        );
        assert_eq!(
            mask(false),
            "api uuid_record c-1 unmask '/r/Jane & Röe, {a}.wav'\n\n"
        );
        for text in [
            "",
            "/r/o'x.wav",
            "/r/a\\.wav",
            "/r/a\n.wav",
            "/r/\u{fffd}.wav",
            "/mod_event_socket/reload",
        ] {
            assert_eq!(Path::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        /// Whatever is taken stands in one line, as one argument.
        #[test]
        fn no_value_leaves_its_place(text in any::<String>()) {
            let channel = Word::parse("c-1").unwrap();
            if let Some(word) = Word::parse(&text) {
                let line = Command::CallId(&word).line();
                let expected = ["api", "uuid_getvar", text.as_str(), "sip_call_id\n\n"];
                prop_assert_eq!(line.split(' ').collect::<Vec<_>>(), expected);
            }
            if let Some(path) = Path::parse(&text) {
                let line = Command::Mask { channel: &channel, path: &path, is_on: true }.line();
                prop_assert_eq!(line.split('\'').collect::<Vec<_>>(), ["api uuid_record c-1 mask ", text.as_str(), "\n\n"]);
                prop_assert_eq!(line.matches(char::is_control).count(), 2);
            }
        }
    }
}
