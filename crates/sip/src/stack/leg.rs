//! One leg: its dialog and what it waits for.

use std::time::Duration;

use super::early::{Fork, Turn};
use super::event::LegId;
use super::flow::Flow;
use super::identity::Identity;
use super::refer::Referrals;
use super::reliable::Reliable;
use super::session_timer::{SessionTimer, Wanted};
use super::write::description;
use crate::dialog::Dialog;
use crate::digest::Prover;
use crate::message::{Body, HeaderMap, HeaderName, Status, Wire};
use crate::sdp::Session;
use crate::transaction::{ClientId, Fingerprint, ServerId};

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) dialog: Dialog,
    /// The transaction of the INVITE we began with, to know forks of it.
    pub(crate) invite: Option<ClientId>,
    /// It is a recording session of ours.
    pub(crate) is_recording: bool,
    pub(crate) terms: Terms,
    pub(crate) state: State,
}

/// What holds from one exchange to the next.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// The far side has said that it takes UPDATE.
    pub(crate) takes_update: bool,
    /// Our description that holds, to be offered again unchanged.
    pub(crate) ours: Option<Body>,
    /// Name of the far side's description that holds.
    theirs: Option<Fingerprint>,
    pub(crate) timer: Option<SessionTimer>,
    /// Shortest interval that a far side has asked for.
    pub(crate) min_se: Option<Duration>,
    /// `RSeq` of a reliable response of ours that our 2xx has overtaken.
    pub(crate) last_reliable: Option<u32>,
    /// What our requests are proven with where they are challenged.
    pub(crate) prover: Option<Box<Prover>>,
    /// Our UPDATE that is to refresh the session.
    pub(crate) refresh: Option<ClientId>,
    pub(crate) identity: Identity,
    pub(crate) referrals: Referrals,
}

impl Terms {
    /// Of the INVITE that begins a leg.
    pub(crate) fn of_caller(headers: &HeaderMap, offer: Option<&Session>) -> Self {
        let mut terms = Self::default();
        terms.hear(headers);
        terms.identity.learn(headers);
        if let Some(offer) = offer {
            terms.describes(offer);
        }
        terms
    }

    /// Of an INVITE of ours.
    pub(crate) fn of_ours(offer: Option<&Session>) -> Self {
        Self {
            ours: offer.map(description),
            ..Self::default()
        }
    }

    /// Takes in what a message of the far side says of it.
    pub(crate) fn hear(&mut self, headers: &HeaderMap) {
        if headers.contains(&HeaderName::ALLOW) {
            self.takes_update = headers.has_token(&HeaderName::ALLOW, "UPDATE");
        }
    }

    /// Keeps the name of a description of the far side's; whether it is another than before.
    pub(crate) fn describes(&mut self, session: &Session) -> bool {
        let name = Fingerprint::of(&[session.to_body().as_bytes()]);
        self.theirs.replace(name) != Some(name)
    }
}

#[derive(Debug)]
pub(crate) enum State {
    /// Our INVITE is on its way.
    Calling(Box<Calling>),
    /// We gave our INVITE up; the caller has been told. Waits for the final answer.
    Cancelling(Cancelling),
    /// An INVITE waits for our caller's decision.
    Ringing(Box<Ringing>),
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
    /// Who has answered provisionally.
    pub(crate) forks: Vec<Fork>,
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
    pub(crate) prover: Option<Box<Prover>>,
    pub(crate) tries: u8,
    /// What a far side that wants longer sessions has asked for.
    pub(crate) min_se: Option<Duration>,
    pub(crate) raises: u8,
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
    pub(crate) wanted: Wanted,
    pub(crate) reliable: Reliable,
}

/// A change of the far side's that waits for our caller's decision.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) transaction: ServerId,
    pub(crate) number: u32,
    pub(crate) offered_by: Side,
    pub(crate) through: Through,
    pub(crate) wanted: Wanted,
}

/// The request that bears a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Through {
    /// Its 2xx waits for an ACK.
    Invite,
    /// Or a PRACK: its 2xx ends the exchange.
    Update,
}

impl Through {
    /// What a change is refused with that our caller has not decided on in time. An UPDATE may not wait for a person
    /// ([RFC 3311](https://www.rfc-editor.org/rfc/rfc3311)).
    pub(crate) fn undecided(self) -> Status {
        match self {
            Self::Invite => Status::NOT_ACCEPTABLE_HERE,
            Self::Update => Status::SERVER_TIMEOUT,
        }
    }
}

/// What a re-INVITE or UPDATE with a description is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// This offer of our caller's.
    Offer(Body),
    /// The session is to go on as it is.
    Refresh,
}

/// How long we wait for the answer to a re-INVITE or UPDATE of ours.
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
    /// Our re-INVITE or UPDATE waits for its answer.
    WeAsked {
        transaction: ClientId,
        patience: Patience,
        purpose: Purpose,
    },
    /// Their re-INVITE or UPDATE waits for our caller's decision.
    TheyAsked(Asked),
    /// Our 2xx waits for its ACK.
    Unacknowledged(Unacknowledged),
    /// Their 2xx, with an offer in it, waits for our caller's answer, which goes into the ACK.
    OweAck { transaction: ClientId, number: u32 },
}

impl Exchange {
    /// Whose turn it is.
    pub(crate) fn turn(&self) -> Turn {
        match self {
            Self::Stable => Turn::Anybody,
            Self::WeAsked { .. } => Turn::Theirs,
            Self::Unacknowledged(waiting) if waiting.offered_by == Side::Us => Turn::Theirs,
            // An ACK is to come: until then a description that follows could be taken for what it answers.
            Self::Unacknowledged(_) | Self::TheyAsked(_) | Self::OweAck { .. } => Turn::Ours,
        }
    }
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
