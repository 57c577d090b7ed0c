//! One leg: its dialog and what it waits for.

use std::time::Duration;

use super::config::Credentials;
use super::event::LegId;
use super::flow::Flow;
use crate::dialog::Dialog;
use crate::message::{HeaderMap, Wire};
use crate::sdp::Session;
use crate::transaction::{ClientId, ServerId};

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) dialog: Dialog,
    /// The transaction of the INVITE we began with, to know forks of it.
    pub(crate) invite: Option<ClientId>,
    /// It is a recording session of ours.
    pub(crate) recording: Option<Box<RecordingLeg>>,
    pub(crate) state: State,
}

/// What a recording session keeps besides.
#[derive(Debug)]
pub(crate) struct RecordingLeg {
    pub(crate) credentials: Option<Credentials>,
    /// Our last change, to send it again with credentials.
    pub(crate) change: Option<Change>,
}

/// What a re-INVITE of a recording session is made of.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) offer: Session,
    pub(crate) metadata: String,
    pub(crate) tries: u8,
}

#[derive(Debug)]
pub(crate) enum State {
    /// Our INVITE is on its way.
    Calling(Box<Calling>),
    /// We gave our INVITE up; the caller has been told. Waits for the final answer.
    Cancelling(Cancelling),
    /// An INVITE waits for our caller's decision.
    Ringing(Ringing),
    /// Answered.
    Up(Exchange),
    /// We hung up before the ACK of our 2xx came; the caller has been told. The BYE waits for that ACK
    /// ([RFC 3261 §15](https://www.rfc-editor.org/rfc/rfc3261#section-15)).
    Draining(Unacknowledged, Option<String>),
}

#[derive(Debug)]
pub(crate) struct Calling {
    pub(crate) transaction: ClientId,
    pub(crate) heard: Heard,
    /// Session of early media and the tag of who sent it.
    pub(crate) early: Option<(String, Session)>,
    pub(crate) attempt: Attempt,
}

/// What an INVITE of ours is made of, to make it again with credentials.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) headers: HeaderMap,
    pub(crate) offer: Option<Session>,
    /// Beside the offer: then it is a recording session.
    pub(crate) metadata: Option<String>,
    pub(crate) flow: Flow,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) tries: u8,
}

/// Whether a provisional answer came. Before it a CANCEL must not be sent ([RFC 3261 §9.1](https://www.rfc-editor.org/rfc/rfc3261#section-9.1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    Provisional,
}

#[derive(Debug)]
pub(crate) struct Cancelling {
    pub(crate) transaction: ClientId,
    /// With `Nothing` the CANCEL is held back still.
    pub(crate) heard: Heard,
    /// Text of `Reason`.
    pub(crate) reason: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Ringing {
    pub(crate) transaction: ServerId,
    pub(crate) number: u32,
    pub(crate) offered_by: Side,
}

/// How long we wait for the answer to a re-INVITE of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until the first time-out: then it is cancelled.
    Waiting,
    /// Cancelled; until the second: then the call is ended.
    Cancelled,
}

/// Who makes the offer of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Us,
    Them,
}

/// Where the offer/answer exchange of an answered leg stands.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// Nothing is open.
    Stable,
    /// Our re-INVITE waits for its answer.
    WeAsked {
        transaction: ClientId,
        patience: Patience,
    },
    /// Their re-INVITE waits for our caller's decision.
    TheyAsked(Ringing),
    /// Our 2xx waits for its ACK.
    Unacknowledged(Unacknowledged),
    /// Their 2xx, with an offer in it, waits for our caller's answer, which goes into the ACK.
    OweAck { transaction: ClientId, number: u32 },
}

#[derive(Debug)]
pub(crate) struct Unacknowledged {
    pub(crate) number: u32,
    pub(crate) wire: Wire,
    pub(crate) flow: Flow,
    pub(crate) interval: Duration,
    /// With `Us` the ACK bears the answer.
    pub(crate) offered_by: Side,
    pub(crate) kind: AnswerOf,
}

/// Which INVITE a 2xx answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerOf {
    /// The one that began the leg.
    Call,
    /// A later one.
    Change,
}
