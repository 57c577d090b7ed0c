//! What Asterisk itself says of one channel's recording.
//! Owns: which of its events is a word, and which recording it is about.
//! Never: takes the answer to a request for one.

use super::message::Message;

/// What it said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Both directions are muted.
    Muted,
    /// A direction is recorded again, or another recording has begun.
    Records,
    /// A recording has ended: there is nothing of ours to let go on.
    Stopped,
}

/// A channel, and what was said of it since it was last asked for a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Watched {
    /// Its `Uniqueid`, which stays with it when its name does not; empty: none is watched.
    pub(super) unique: String,
    pub(super) said: Option<Said>,
}

impl Watched {
    /// Takes an event; whether it was a word about this channel.
    pub(super) fn hear(&mut self, event: &Message) -> bool {
        if self.unique.is_empty() || event.value("Uniqueid") != self.unique {
            return false;
        }
        let Some(said) = word(event) else {
            return false;
        };
        self.said = Some(said);
        true
    }
}

/// Asterisk 18 and later tell these; their `State` is 1 or 0, their `Direction` the one that was asked for.
fn word(event: &Message) -> Option<Said> {
    if event.is_event("MixMonitorStart") {
        return Some(Said::Records);
    }
    if event.is_event("MixMonitorStop") {
        return Some(Said::Stopped);
    }
    if !event.is_event("MixMonitorMute") {
        return None;
    }
    let is_both = event.value("Direction").eq_ignore_ascii_case("both");
    match (event.value("State"), is_both) {
        ("1", true) => Some(Said::Muted),
        ("0", _) => Some(Said::Records),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Incoming;
    use super::*;

    fn heard(text: &str) -> Option<Said> {
        let mut incoming = Incoming::default();
        incoming.push(text.replace('\n', "\r\n").as_bytes());
        let event = incoming.message().unwrap().unwrap();
        let mut watched = Watched {
            unique: "1.7".to_owned(),
            said: None,
        };
        watched.hear(&event);
        watched.said
    }

    #[test]
    fn only_its_own_events_about_this_channel_are_a_word() {
        let mute = "Event: MixMonitorMute\nUniqueid: 1.7\nDirection: both\nState: 1\n\n";
        assert_eq!(heard(mute), Some(Said::Muted));
        for (from, to, said) in [
            ("State: 1", "State: 0", Some(Said::Records)),
            ("MixMonitorMute", "MixMonitorStart", Some(Said::Records)),
            ("MixMonitorMute", "MixMonitorStop", Some(Said::Stopped)),
            ("both", "read", None),
            ("both\nState: 1", "write\nState: 0", Some(Said::Records)),
            ("State: 1", "State: yes", None),
            ("State: 1\n", "", None),
            ("1.7", "1.77", None),
            ("Event: MixMonitorMute", "Response: Success", None),
        ] {
            assert_eq!(heard(&mute.replace(from, to)), said, "{from} -> {to}");
        }
        let mut nobody = Watched::default();
        assert!(!nobody.hear(&Message::default()));
    }
}
