//! One call's recording session: which recorder has it, and what that one has agreed to.
//! Owns: the order of recorders, the offers, the pause, and when a change is asked for again.
//! Never: says that a recorder has paused before its answer says so; lets anything be sent while a pause is wanted.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::streams::{LocalStreams, Mode, RecordedStream, StreamsError};
use crate::message::Status;
use crate::sdp::Session;

/// Changes that met one of the other side are asked for again after this, for whoever began the dialog
/// ([RFC 3261 §14.1](https://www.rfc-editor.org/rfc/rfc3261#section-14.1): 2.1 to 4 s). What is random above it comes from the caller.
const AGAIN_AFTER: Duration = Duration::from_millis(2_100);

/// A recorder that has nothing to be told is told the same again after this, so that one that is gone is noticed.
const REFRESH_EVERY: Duration = Duration::from_secs(30);

/// Where a recording session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A recorder is asked to take it; nothing is sent.
    Inviting,
    /// A recorder has agreed to this, and nothing else is wanted.
    Agreed(Mode),
    /// What is wanted is asked for.
    Changing,
    /// What is wanted met a change of the recorder's, and is asked for again in a while.
    Met,
    /// The recorder has not agreed to what is wanted.
    Refused(RecordingFault),
    /// No recorder has it, and none is asked.
    Over,
}

/// What went wrong with a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordingFault {
    /// It refused, or did not answer (408).
    #[error("the recorder answers {0}")]
    PeerStatus(Status),
    /// Its description cannot be used.
    #[error(transparent)]
    PeerStreams(#[from] StreamsError),
    /// It has ended the session, or does not know it any more.
    #[error("the recorder ended the recording session")]
    PeerEnded,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordingOutput {
    /// Invite this recorder of the list, with metadata of the mode.
    Invite {
        /// Its place in the list.
        target: usize,
        /// Our offer.
        offer: Session,
        /// What is offered.
        mode: Mode,
    },
    /// Send a re-INVITE, with metadata of the mode.
    Change {
        /// Our offer.
        offer: Session,
        /// What is offered.
        mode: Mode,
    },
    /// Accept the recorder's re-INVITE with this description.
    Accept(Session),
    /// Refuse the recorder's re-INVITE: 488.
    Reject,
    /// End the dialog.
    HangUp,
    /// From now on both streams go there, each if it is taken.
    Send([RecordedStream; 2]),
    /// From now on nothing is sent.
    Stop,
    /// This recorder of the list has failed; the next is invited, if there is one.
    Failed {
        /// Its place in the list.
        target: usize,
        /// Why.
        fault: RecordingFault,
    },
}

/// A recording session. Time is an argument; after each call outputs are polled until there are none.
#[derive(Debug)]
pub struct RecordingSession {
    local: LocalStreams,
    targets: usize,
    again_after: Duration,
    wanted: Mode,
    state: State,
    outputs: VecDeque<RecordingOutput>,
}

#[derive(Debug)]
enum State {
    Inviting { target: usize, mode: Mode },
    Up(Up),
    Over,
}

#[derive(Debug)]
struct Up {
    target: usize,
    /// None: its last answer was none to our offer.
    agreed: Option<Mode>,
    streams: [RecordedStream; 2],
    exchange: Exchange,
    /// Why it did not agree to what is wanted.
    refused: Option<RecordingFault>,
    /// It has asked for all metadata.
    is_asked: bool,
    refresh_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exchange {
    Idle,
    /// Our offer waits for its answer.
    Ours(Mode),
    /// Ours met one of the recorder's.
    AgainAt(Instant),
    /// The recorder asked for our offer and answers it in its ACK.
    Theirs(Mode),
}

impl Exchange {
    /// Something else is offered, which the recorder may yet agree to.
    fn is_of_other(&self, wanted: Mode) -> bool {
        matches!(self, Self::Ours(mode) | Self::Theirs(mode) if *mode != wanted)
    }
}

impl RecordingSession {
    /// Invites the first of so many recorders. `spread` is random, up to 1.9 s: by it two changes that met do not meet again.
    #[must_use]
    pub fn new(local: LocalStreams, targets: usize, mode: Mode, spread: Duration) -> Self {
        let mut session = Self {
            local,
            targets,
            again_after: AGAIN_AFTER + spread,
            wanted: mode,
            state: State::Over,
            outputs: VecDeque::new(),
        };
        session.invite(0);
        session
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<RecordingOutput> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; none: not until an event.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Up(up) => match up.exchange {
                Exchange::Idle => Some(up.refresh_at),
                Exchange::AgainAt(at) => Some(at),
                Exchange::Ours(_) | Exchange::Theirs(_) => None,
            },
            State::Inviting { .. } | State::Over => None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.state {
            State::Inviting { .. } => Standing::Inviting,
            State::Over => Standing::Over,
            State::Up(Up {
                refused: Some(fault),
                ..
            }) => Standing::Refused(*fault),
            State::Up(up)
                if up.agreed == Some(self.wanted) && !up.exchange.is_of_other(self.wanted) =>
            {
                Standing::Agreed(self.wanted)
            }
            State::Up(Up {
                exchange: Exchange::AgainAt(_),
                ..
            }) => Standing::Met,
            State::Up(_) => Standing::Changing,
        }
    }

    /// What the recorder is to be given from now on. A pause stops what is sent at once, whatever the recorder says to it; a refused wish is asked for again.
    pub fn want(&mut self, now: Instant, mode: Mode) {
        self.wanted = mode;
        if mode == Mode::Paused {
            self.outputs.push_back(RecordingOutput::Stop);
        }
        if let State::Up(up) = &mut self.state {
            up.refused = None;
        }
        self.settle(now);
    }

    /// Ends it.
    pub fn hang_up(&mut self) {
        if !matches!(self.state, State::Over) {
            self.state = State::Over;
            self.outputs.push_back(RecordingOutput::Stop);
            self.outputs.push_back(RecordingOutput::HangUp);
        }
    }

    /// The invited recorder has accepted; `from` is where its SIP comes from.
    pub fn handle_answered(&mut self, now: Instant, answer: &Session, from: IpAddr) {
        let State::Inviting { target, mode } = self.state else {
            return;
        };
        match LocalStreams::read_answer(answer, from, mode) {
            Ok(streams) => {
                self.state = State::Up(Up {
                    target,
                    agreed: Some(mode),
                    streams,
                    exchange: Exchange::Idle,
                    refused: None,
                    is_asked: false,
                    refresh_at: now + REFRESH_EVERY,
                });
                self.settle(now);
            }
            Err(error) => {
                self.outputs.push_back(RecordingOutput::HangUp);
                self.fail(target, error.into());
            }
        }
    }

    /// The invited recorder has refused, or did not answer.
    pub fn handle_failed(&mut self, status: Status) {
        if let State::Inviting { target, .. } = self.state {
            self.fail(target, RecordingFault::PeerStatus(status));
        }
    }

    /// The dialog has ended, and not by us.
    pub fn handle_ended(&mut self) {
        if let State::Up(up) = &self.state {
            let target = up.target;
            self.outputs.push_back(RecordingOutput::Stop);
            self.fail(target, RecordingFault::PeerEnded);
        }
    }

    /// Our offer in the dialog was answered.
    pub fn handle_offer_answered(&mut self, now: Instant, answer: &Session, from: IpAddr) {
        let State::Up(up) = &mut self.state else {
            return;
        };
        let mode = match std::mem::replace(&mut up.exchange, Exchange::Idle) {
            Exchange::Ours(mode) | Exchange::Theirs(mode) => mode,
            Exchange::Idle | Exchange::AgainAt(_) => return,
        };
        up.refresh_at = now + REFRESH_EVERY;
        match (LocalStreams::read_answer(answer, from, mode), mode) {
            (Ok(streams), _) => (up.agreed, up.streams) = (Some(mode), streams),
            (Err(error), Mode::Paused) => {
                up.agreed = None;
                up.refused = (self.wanted == mode).then_some(error.into());
            }
            // It was to hear both again, and cannot: another may.
            (Err(error), Mode::Sending) => {
                let target = up.target;
                self.outputs.push_back(RecordingOutput::Stop);
                self.outputs.push_back(RecordingOutput::HangUp);
                return self.fail(target, error.into());
            }
        }
        self.settle(now);
    }

    /// Our offer in the dialog was refused, or could not be sent because one of the recorder's is open (491).
    pub fn handle_offer_failed(&mut self, now: Instant, status: Status) {
        let State::Up(up) = &mut self.state else {
            return;
        };
        up.refresh_at = now + REFRESH_EVERY;
        let asked = std::mem::replace(&mut up.exchange, Exchange::Idle);
        match (asked, status) {
            (Exchange::Ours(_), Status::REQUEST_PENDING) => {
                up.exchange = Exchange::AgainAt(now + self.again_after);
            }
            // Its session stays as it was, and as it is wanted.
            (Exchange::Ours(mode), _) if up.agreed == Some(mode) => {}
            (Exchange::Ours(mode), status) => {
                let fault = RecordingFault::PeerStatus(status);
                up.refused = (self.wanted == mode).then_some(fault);
            }
            (Exchange::Theirs(_) | Exchange::Idle | Exchange::AgainAt(_), _) => {}
        }
        self.settle(now);
    }

    /// The recorder sends a re-INVITE: with an offer, or for ours.
    pub fn handle_offered(&mut self, now: Instant, offer: Option<&Session>, from: IpAddr) {
        let State::Up(up) = &mut self.state else {
            return self.outputs.push_back(RecordingOutput::Reject);
        };
        let mode = match (up.agreed, self.wanted) {
            (Some(Mode::Sending), Mode::Sending) => Mode::Sending,
            (Some(_) | None, _) => Mode::Paused,
        };
        let Some(offer) = offer else {
            // An offer of ours that is open goes on, or it would be forgotten that the recorder may yet agree to it. The stack lets none through that meets one.
            if matches!(up.exchange, Exchange::Ours(_) | Exchange::Theirs(_)) {
                return self.outputs.push_back(RecordingOutput::Reject);
            }
            up.is_asked = true;
            up.exchange = Exchange::Theirs(mode);
            let ours = self.local.offer(mode);
            return self.outputs.push_back(RecordingOutput::Accept(ours));
        };
        let answered = LocalStreams::read(offer, from)
            .and_then(|streams| Ok((streams, self.local.answer(offer, mode)?)));
        match answered {
            Ok((streams, answer)) => {
                up.streams = streams;
                // What it was told last is what holds, and a pause needs its answer.
                up.agreed = up.agreed.filter(|agreed| *agreed == mode);
                self.outputs.push_back(RecordingOutput::Accept(answer));
                self.settle(now);
            }
            Err(_) => self.outputs.push_back(RecordingOutput::Reject),
        }
    }

    /// A time-out of [`next_timeout`](Self::next_timeout) may be due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let State::Up(up) = &mut self.state else {
            return;
        };
        match up.exchange {
            Exchange::AgainAt(at) if now >= at => {
                up.exchange = Exchange::Idle;
                self.settle(now);
            }
            Exchange::Idle if now >= up.refresh_at => {
                self.change(self.wanted);
            }
            Exchange::Idle | Exchange::AgainAt(_) | Exchange::Ours(_) | Exchange::Theirs(_) => {}
        }
    }

    fn invite(&mut self, target: usize) {
        if target >= self.targets {
            self.state = State::Over;
            return;
        }
        let mode = self.wanted;
        self.state = State::Inviting { target, mode };
        let offer = self.local.offer(mode);
        self.outputs.push_back(RecordingOutput::Invite {
            target,
            offer,
            mode,
        });
    }

    fn fail(&mut self, target: usize, fault: RecordingFault) {
        let failed = RecordingOutput::Failed { target, fault };
        self.outputs.push_back(failed);
        self.invite(target + 1);
    }

    /// Asks for what is wanted and not agreed to; sends where both is so.
    fn settle(&mut self, now: Instant) {
        let State::Up(up) = &mut self.state else {
            return;
        };
        let is_pausing = up.exchange == Exchange::Ours(Mode::Paused);
        if up.agreed == Some(Mode::Sending) && self.wanted == Mode::Sending && !is_pausing {
            self.outputs.push_back(RecordingOutput::Send(up.streams));
        }
        if up.exchange != Exchange::Idle {
            return;
        }
        let is_open = up.agreed != Some(self.wanted) && up.refused.is_none();
        if std::mem::take(&mut up.is_asked) || is_open {
            up.refresh_at = now + REFRESH_EVERY;
            self.change(self.wanted);
        }
    }

    fn change(&mut self, mode: Mode) {
        if let State::Up(up) = &mut self.state {
            up.exchange = Exchange::Ours(mode);
            let offer = self.local.offer(mode);
            self.outputs
                .push_back(RecordingOutput::Change { offer, mode });
        }
    }
}

#[cfg(test)]
mod tests;
