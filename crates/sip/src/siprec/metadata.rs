//! Metadata of a recording session (RFC 7865).
//! Owns: the whole document about one call of two people, with its identifiers.
//! Never: says anything of what is keyed, or lets a text of a caller become a tag.

use std::fmt::Write;

use super::streams::{LABELS, Mode};
use crate::message::Uri;

/// Identifiers of a call and what belongs to it, the same in all its documents and unique everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommunicationIds {
    session: String,
    participants: [String; 2],
    streams: [String; 2],
}

impl CommunicationIds {
    /// From 128 random bits each: of the call, of consumer and agent, of their streams.
    #[must_use]
    pub fn from_random(bits: [u128; 5]) -> Self {
        let [session, consumer, agent, of_consumer, of_agent] = bits.map(base64);
        Self {
            session,
            participants: [consumer, agent],
            streams: [of_consumer, of_agent],
        }
    }
}

/// Somebody who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Address of record.
    pub aor: Uri,
    /// What people call them: a caller's text is hostile. Empty: not known.
    pub name: String,
}

/// The call that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Communication {
    /// Its identifiers.
    pub ids: CommunicationIds,
    /// When both sides were connected: RFC 3339, UTC.
    pub began: String,
    /// The consumer and the agent, in the order of [`LABELS`].
    pub participants: [Participant; 2],
}

impl Communication {
    /// All that is known, as it holds from `at` on (RFC 3339, UTC). Always a whole document, so that a recorder needs none before. While a recording is
    /// paused nobody sends or hears a stream of it.
    #[must_use]
    pub fn document(&self, mode: Mode, at: &str) -> String {
        let (ids, began, at) = (&self.ids, escaped(&self.began), escaped(at));
        let session = &ids.session;
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">\r\n\
             <datamode>complete</datamode>\r\n<session session_id=\"{session}\"><start-time>{began}</start-time></session>\r\n"
        );
        let mut line = |line: std::fmt::Arguments<'_>| {
            // Writing to a text cannot fail.
            let _written = text.write_fmt(line);
        };
        for (id, one) in ids.participants.iter().zip(&self.participants) {
            let (aor, name) = (escaped(&one.aor.to_string()), escaped(&one.name));
            let name = match name.is_empty() {
                true => String::new(),
                false => format!("<name>{name}</name>"),
            };
            line(format_args!(
                "<participant participant_id=\"{id}\"><nameID aor=\"{aor}\">{name}</nameID></participant>\r\n"
            ));
        }
        for (id, label) in ids.streams.iter().zip(LABELS) {
            line(format_args!(
                "<stream stream_id=\"{id}\" session_id=\"{session}\"><label>{label}</label></stream>\r\n"
            ));
        }
        line(format_args!(
            "<sessionrecordingassoc session_id=\"{session}\"><associate-time>{at}</associate-time></sessionrecordingassoc>\r\n"
        ));
        for id in &ids.participants {
            line(format_args!(
                "<participantsessionassoc participant_id=\"{id}\" session_id=\"{session}\"><associate-time>{began}</associate-time></participantsessionassoc>\r\n"
            ));
        }
        let others = ids.streams.iter().rev();
        for ((id, own), other) in ids.participants.iter().zip(&ids.streams).zip(others) {
            let streams = match mode {
                Mode::Sending => format!("<send>{own}</send><recv>{other}</recv>"),
                Mode::Paused => String::new(),
            };
            line(format_args!(
                "<participantstreamassoc participant_id=\"{id}\">{streams}<associate-time>{at}</associate-time></participantstreamassoc>\r\n"
            ));
        }
        text.push_str("</recording>\r\n");
        text
    }
}

/// Text as it may stand in an element or a quoted attribute. What XML 1.0 has no place for is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{FFFE}' | '\u{FFFF}' => {}
            one if one.is_control() => out.push(' '),
            one => out.push(one),
        }
    }
    out
}

/// RFC 4648, with padding: the type of identifiers in metadata.
fn base64(bits: u128) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const LETTERS_OF_128_BITS: u32 = 22;
    let mut out = String::with_capacity(24);
    for place in 0..LETTERS_OF_128_BITS {
        // The last letter has two bits of its own, and four zeroes.
        let six = match 128_u32.checked_sub(6 * (place + 1)) {
            Some(shift) => bits >> shift,
            None => bits << 4,
        };
        let at = usize::try_from(six & 0x3F).unwrap_or_default();
        out.push(char::from(LETTERS.get(at).copied().unwrap_or(b'A')));
    }
    out.push_str("==");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str) -> Communication {
        let participant = |user: &str| Participant {
            aor: Uri::parse(format!("sip:{user}@192.0.2.1").as_bytes()).unwrap(),
            name: name.to_owned(),
        };
        Communication {
            ids: CommunicationIds::from_random([1, 2, 3, 4, 5]),
            began: "2026-11-27T20:00:00Z".to_owned(),
            participants: [participant("+15551234"), participant("1001")],
        }
    }

    #[test]
    fn identifiers_are_base64_of_128_bits() {
        assert_eq!(base64(0), "AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(base64(1), "AAAAAAAAAAAAAAAAAAAAAQ==");
        assert_eq!(base64(u128::MAX), "/////////////////////w==");
        let bytes = *b"any carnal pleas";
        assert_eq!(
            base64(u128::from_be_bytes(bytes)),
            "YW55IGNhcm5hbCBwbGVhcw=="
        );
    }

    #[test]
    fn both_streams_have_their_label_and_their_speaker() {
        let text = call("Ann").document(Mode::Sending, "2026-11-27T20:00:01Z");
        let [consumer, agent] = [4, 5].map(base64);
        assert!(text.contains(&format!(
            "<stream stream_id=\"{consumer}\" session_id=\"{}\"><label>1</label>",
            base64(1)
        )));
        assert!(text.contains(&format!("<send>{consumer}</send><recv>{agent}</recv>")));
        assert!(text.contains(&format!("<send>{agent}</send><recv>{consumer}</recv>")));
        assert!(text.contains("<nameID aor=\"sip:+15551234@192.0.2.1\"><name>Ann</name></nameID>"));
    }

    #[test]
    fn a_paused_document_keeps_everybody_and_no_stream_is_sent() {
        let text = call("").document(Mode::Paused, "2026-11-27T20:00:01Z");
        assert!(!text.contains("<send>") && !text.contains("<recv>") && !text.contains("<name>"));
        assert_eq!(text.matches("<participantstreamassoc ").count(), 2);
        assert_eq!(text.matches("<stream ").count(), 2);
    }

    #[test]
    fn every_document_is_well_formed_and_means_what_was_said() {
        let name = "A & <b> \"c\" \u{0} \u{1F600}";
        for mode in [Mode::Sending, Mode::Paused] {
            let text = call(name).document(mode, "2026-11-27T20:00:01Z");
            let read = roxmltree::Document::parse(&text).unwrap();
            let names = read
                .descendants()
                .filter(|node| node.has_tag_name((RECORDING, "name")));
            let names: Vec<_> = names.filter_map(|node| node.text()).collect();
            assert_eq!(names, ["A & <b> \"c\"   \u{1F600}"; 2]);
        }
    }

    const RECORDING: &str = "urn:ietf:params:xml:ns:recording:1";

    #[test]
    fn a_callers_name_is_text_and_nothing_else() {
        let text = call("a</name><x y=\"'&\u{1}\n\u{FFFF}").document(Mode::Sending, "t");
        assert!(
            text.contains("<name>a&lt;/name&gt;&lt;x y=&quot;&apos;&amp;  </name>"),
            "{text}"
        );
    }
}
