//! One call's recording session at one recorder, as the line keeps it.
//! Owns: the session, who waits for what of it, and the metadata it is told.
//! Never: sends a message itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use domain::id::CallId;
use domain::recording::RecorderWord;
use sip::siprec::{Communication, Mode, RecordingSession, Standing};
use sip::{Credentials, LegId};
use tokio::sync::oneshot;

use super::SiprecTarget;

/// What is told of a call to those who record it.
#[derive(Debug, Clone)]
pub(crate) struct RecordedCall {
    pub(crate) id: CallId,
    /// The caller's number: hostile text; empty: not known.
    pub(crate) caller: String,
    /// The agent's login and shown name; none: no agent's page belongs to the phone.
    pub(crate) agent: Option<(String, String)>,
}

/// Which session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) call: CallId,
    /// The recorder's name in the server's file.
    pub(super) recorder: String,
}

/// A session with what belongs to it.
pub(super) struct Held {
    pub(super) targets: Vec<SiprecTarget>,
    /// Of the targets; none: its name is not resolved yet, or means nothing.
    pub(super) addresses: Arc<[Option<SocketAddr>]>,
    pub(super) credentials: Option<Credentials>,
    pub(super) communication: Communication,
    pub(super) wanted: Mode,
    /// None until the recorders' names are resolved.
    pub(super) session: Option<RecordingSession>,
    pub(super) leg: Option<(LegId, SocketAddr)>,
    waiting: Vec<(Mode, oneshot::Sender<RecorderWord>)>,
}

impl Held {
    pub(super) fn new(
        targets: Vec<SiprecTarget>,
        credentials: Option<Credentials>,
        communication: Communication,
    ) -> Self {
        Self {
            targets,
            addresses: Arc::new([]),
            credentials,
            communication,
            wanted: Mode::Sending,
            session: None,
            leg: None,
            waiting: Vec::new(),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match &self.session {
            Some(session) => session.standing(),
            None => Standing::Inviting,
        }
    }

    /// What its recorder is to be given; whoever wants it hears what comes of it.
    pub(super) fn want(&mut self, now: Instant, mode: Mode, reply: oneshot::Sender<RecorderWord>) {
        self.wanted = mode;
        if let Some(session) = &mut self.session {
            session.want(now, mode);
        }
        self.waiting.push((mode, reply));
    }

    /// Its state, as a hold asks for it.
    pub(super) fn state(&self) -> RecorderWord {
        match self.standing() {
            Standing::Agreed(Mode::Paused) => RecorderWord::Paused,
            Standing::Agreed(Mode::Sending) => RecorderWord::Recording,
            Standing::Over => RecorderWord::Unknown,
            Standing::Inviting | Standing::Changing | Standing::Met | Standing::Refused(_) => {
                RecorderWord::Refused
            }
        }
    }

    /// Answers those who need not wait any longer.
    pub(super) fn answer(&mut self) {
        let standing = self.standing();
        let mut waiting = std::mem::take(&mut self.waiting);
        for (mode, reply) in waiting.drain(..) {
            match word(standing, mode) {
                Some(word) => {
                    let _gone = reply.send(word);
                }
                None if reply.is_closed() => {}
                None => self.waiting.push((mode, reply)),
            }
        }
    }
}

/// What a wish has come to; none: nothing yet.
fn word(standing: Standing, mode: Mode) -> Option<RecorderWord> {
    match standing {
        Standing::Agreed(agreed) if agreed == mode => Some(RecorderWord::Taken),
        // Something else is wanted since.
        Standing::Agreed(_) => Some(RecorderWord::Refused),
        Standing::Met => Some(RecorderWord::Taken),
        Standing::Refused(_) => Some(RecorderWord::Refused),
        Standing::Over => Some(RecorderWord::Unknown),
        Standing::Inviting | Standing::Changing => None,
    }
}

#[cfg(test)]
mod tests {
    use sip::siprec::{CommunicationIds, Participant, RecordingFault};
    use sip::{Host, Status, Uri};

    use super::*;

    #[test]
    fn only_what_the_recorder_has_agreed_to_is_its_state() {
        let refused = RecordingFault::PeerStatus(Status::DECLINE);
        let (paused, sending) = (Some(RecorderWord::Taken), Some(RecorderWord::Refused));
        for (standing, pause, resume) in [
            (Standing::Agreed(Mode::Paused), paused, sending),
            (Standing::Agreed(Mode::Sending), sending, paused),
            (Standing::Refused(refused), sending, sending),
            (Standing::Met, paused, paused),
            (
                Standing::Over,
                Some(RecorderWord::Unknown),
                Some(RecorderWord::Unknown),
            ),
            (Standing::Inviting, None, None),
            (Standing::Changing, None, None),
        ] {
            let words = [Mode::Paused, Mode::Sending].map(|mode| word(standing, mode));
            assert_eq!(words, [pause, resume], "{standing:?}");
        }
    }

    #[test]
    fn a_wish_before_the_recorders_are_known_waits_and_begins_the_session_with_it() {
        let participant = Participant {
            aor: Uri::sip(Some("a"), Host::Ip([127, 0, 0, 1].into()), None),
            name: String::new(),
        };
        let communication = Communication {
            ids: CommunicationIds::from_random([0; 5]),
            began: String::new(),
            participants: [participant.clone(), participant],
        };
        let mut held = Held::new(Vec::new(), None, communication);
        let (reply, mut word) = oneshot::channel();
        held.want(Instant::now(), Mode::Paused, reply);
        held.answer();
        assert_eq!(
            (held.wanted, held.state()),
            (Mode::Paused, RecorderWord::Refused)
        );
        assert!(word.try_recv().is_err(), "nobody has agreed to anything");
        drop(word);
        held.answer();
        assert!(held.waiting.is_empty(), "nobody waits any more");
    }
}
