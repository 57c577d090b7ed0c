//! What FreeSWITCH itself says of the recordings of one channel.
//! Owns: what its answers and events are a word about, and what they come to beside its list.
//! Never: takes a recording for masked that was not, by its own answer, since it was last asked for a change.

use std::collections::{BTreeMap, BTreeSet};

use domain::recording::RecorderWord;

use super::message::Event;

/// What a recording was answered: `+OK` is said after its flag was set or cleared, and only where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Masked,
    Unmasked,
    /// Neither: the change was refused.
    Refused,
}

/// Since it was last asked for a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// By path.
    answers: BTreeMap<String, Answer>,
    /// Another recording of the channel began.
    has_begun: bool,
    /// It was heard over a connection that ended: since then one may have begun and another ended.
    has_gap: bool,
}

impl Said {
    /// A recording was asked for a change.
    pub(super) fn answered(&mut self, path: &str, answer: Answer) {
        self.answers.insert(path.to_owned(), answer);
    }

    /// What is left of it once its connection has ended: that all were masked, if nothing else was said.
    pub(super) fn after_gap(self) -> Option<Self> {
        let mut answers = self.answers.values();
        let is_masked = !self.answers.is_empty() && answers.all(|answer| *answer == Answer::Masked);
        is_masked.then_some(Self {
            has_gap: true,
            ..self
        })
    }

    /// Takes an event.
    pub(super) fn hear(&mut self, event: &Event, channel: &str) {
        let is_begin = event.value("Event-Name") == "RECORD_START";
        self.has_begun |= is_begin && event.value("Unique-ID") == channel;
    }

    /// What it comes to beside the recordings that are there.
    pub(super) fn word(&self, listed: &BTreeSet<String>) -> RecorderWord {
        let mut answers = listed.iter().map(|path| self.answers.get(path));
        if answers
            .clone()
            .any(|answer| answer == Some(&Answer::Refused))
        {
            return RecorderWord::Refused;
        }
        // It may be over already, and was not masked.
        if self.has_begun {
            return RecorderWord::Recording;
        }
        if listed.is_empty() {
            return RecorderWord::Unknown;
        }
        match answers.all(|answer| answer == Some(&Answer::Masked)) {
            true if self.has_gap => RecorderWord::Nothing,
            true => RecorderWord::Paused,
            false => RecorderWord::Recording,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Incoming;
    use super::*;

    fn event(name: &str, channel: &str) -> Event {
        let body =
            format!("Event-Name: {name}\nUnique-ID: {channel}\nRecord-File-Path: /r/a.wav\n\n");
        let length = body.len();
        let mut incoming = Incoming::default();
        incoming.push(
            format!("Content-Length: {length}\nContent-Type: text/event-plain\n\n{body}")
                .as_bytes(),
        );
        incoming.message().unwrap().unwrap().event()
    }

    fn listed(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    fn said(answers: &[(&str, Answer)]) -> Said {
        let mut said = Said::default();
        for (path, answer) in answers {
            said.answered(path, *answer);
        }
        said
    }

    #[test]
    fn it_is_paused_while_every_recording_that_is_there_was_masked_by_its_own_word() {
        use Answer::{Masked, Refused, Unmasked};
        for (answers, paths, word) in [
            (
                &[("a", Masked), ("b", Masked)][..],
                &["a", "b"][..],
                RecorderWord::Paused,
            ),
            (
                &[("a", Masked), ("b", Masked)],
                &["b"],
                RecorderWord::Paused,
            ),
            (&[("a", Masked)], &["a", "b"], RecorderWord::Recording),
            (&[("a", Masked)], &[], RecorderWord::Unknown),
            (&[], &["a"], RecorderWord::Recording),
            (&[("a", Unmasked)], &["a"], RecorderWord::Recording),
            (
                &[("a", Unmasked), ("b", Refused)],
                &["a", "b"],
                RecorderWord::Refused,
            ),
            (
                &[("a", Unmasked), ("b", Refused)],
                &["a"],
                RecorderWord::Recording,
            ),
        ] {
            assert_eq!(
                said(answers).word(&listed(paths)),
                word,
                "{answers:?} {paths:?}"
            );
        }
    }

    #[test]
    fn another_recording_that_began_is_no_pause_even_if_it_is_over() {
        let masked = said(&[("a", Answer::Masked)]);
        for (name, channel, word) in [
            ("RECORD_START", "c-1%40x", RecorderWord::Recording),
            ("RECORD_START", "c-1", RecorderWord::Paused),
            ("RECORD_STOP", "c-1%40x", RecorderWord::Paused),
        ] {
            let mut said = masked.clone();
            said.hear(&event(name, channel), "c-1@x");
            assert_eq!(said.word(&listed(&["a"])), word, "{name} {channel}");
        }
        let mut said = masked;
        said.hear(&event("RECORD_START", "c-1"), "c-1");
        assert_eq!(said.word(&listed(&[])), RecorderWord::Recording);
    }

    #[test]
    fn a_gap_leaves_no_pause_but_shows_a_recording_that_was_not_masked() {
        let left = said(&[("a", Answer::Masked)]).after_gap().unwrap();
        for (paths, word) in [
            (&["a"][..], RecorderWord::Nothing),
            (&["a", "b"], RecorderWord::Recording),
            (&[], RecorderWord::Unknown),
        ] {
            assert_eq!(left.word(&listed(paths)), word, "{paths:?}");
        }
        for answers in [
            &[("a", Answer::Masked), ("b", Answer::Refused)][..],
            &[("a", Answer::Unmasked)],
            &[],
        ] {
            assert_eq!(said(answers).after_gap(), None, "{answers:?}");
        }
    }
}
