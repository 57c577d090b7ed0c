//! What a stack tells its caller.

use std::fmt;
use std::time::Duration;

use super::flow::Flow;
use crate::message::{HeaderName, NameAddr, Privacy, ReferTo, Status, Uri};
use crate::sdp::Session;

/// One dialog with one far side; unique for the life of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leg-{}", self.0)
    }
}

/// Something happened. `Debug` shows no keyed digit.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an event is drained at once; nobody keeps many"
)]
pub enum Event {
    /// A call came in; 100 has been sent.
    Incoming(Box<Incoming>),
    /// A provisional answer to our INVITE (not 100).
    Progress {
        /// The leg.
        leg: LegId,
        /// 101 to 199.
        status: Status,
        /// Session of early media, if one came with it.
        answer: Option<Session>,
    },
    /// Our INVITE was accepted. The ACK has been sent, unless `late_offer` waits for [`Command::AckAnswer`](super::Command).
    Answered {
        /// The leg.
        leg: LegId,
        /// The answer to our offer: of the 2xx, else the one that came with a provisional.
        answer: Option<Session>,
        /// The far side's offer, if our INVITE had none.
        late_offer: Option<Session>,
    },
    /// Our INVITE was refused or heard no answer; the leg is gone.
    Failed {
        /// The leg.
        leg: LegId,
        /// 300 to 699; 408 if nobody answered, 488 if the answer could not be read.
        status: Status,
        /// What the far side asks to wait.
        retry_after: Option<Duration>,
    },
    /// The ACK of an incoming leg's 200 came.
    Confirmed {
        /// The leg.
        leg: LegId,
        /// The answer to our offer, if the INVITE had none.
        answer: Option<Session>,
    },
    /// The far side sends a re-INVITE, or an UPDATE or PRACK with an offer, or it offers before it answers; wants [`Command::AcceptOffer`](super::Command) or `RejectOffer`.
    Offered {
        /// The leg.
        leg: LegId,
        /// Its offer; none asks for ours.
        offer: Option<Session>,
    },
    /// A re-INVITE or UPDATE of the far side names somebody else than before, by `P-Asserted-Identity` or `From`: it may be another person now. Comes before
    /// what else the request asks for.
    OtherIdentity {
        /// The leg.
        leg: LegId,
    },
    /// Our offer in a running call was answered.
    OfferAnswered {
        /// The leg.
        leg: LegId,
        /// The answer.
        answer: Session,
    },
    /// Our offer in a running call was refused; the session stays as it was.
    OfferFailed {
        /// The leg.
        leg: LegId,
        /// Why. 491 when both sides offered at once: offer again after a random 2.1 to 4 s on a leg that we began, 0 to 2 s on one that came
        /// in ([RFC 3261 §14.1](https://www.rfc-editor.org/rfc/rfc3261#section-14.1)).
        status: Status,
    },
    /// A leg that was incoming, or answered, has ended.
    Ended {
        /// The leg.
        leg: LegId,
        /// Why.
        reason: EndReason,
    },
    /// The far side pressed a key and signalled it by INFO. The body is wiped; the INFO goes nowhere else.
    InfoKey {
        /// The leg.
        leg: LegId,
        /// The key.
        key: secret::Key,
    },
    /// The far side wants the call to go elsewhere (REFER); wants [`Command::AcceptReferral`](super::Command) or `RefuseReferral` within 5 s, or it is
    /// refused with 603. One at a time on a leg, and none of a leg that is not answered.
    Referred {
        /// The leg.
        leg: LegId,
        /// Where to.
        referral: Box<Referral>,
    },
    /// A [`Command::Refer`](super::Command) was answered.
    ReferAnswered {
        /// The leg.
        leg: LegId,
        /// 202 if the far side goes about it, else why not.
        status: Status,
    },
    /// The far side says how far the call is that a [`Command::Refer`](super::Command) asked for.
    ReferReport {
        /// The leg.
        leg: LegId,
        /// As whom it called has answered.
        status: Status,
        /// It says no more of it.
        is_last: bool,
    },
    /// A [`Command::Probe`](super::Command) has come to its end.
    Probed {
        /// The caller's number for it.
        number: u64,
        /// What was answered; 408 if nobody did within 32 s, 503 if its connection was lost.
        status: Status,
        /// What the far side asks to wait.
        retry_after: Option<Duration>,
    },
    /// A phone registered here, or moved.
    Registered {
        /// Its user.
        user: String,
        /// Where its messages come from and ours go to.
        flow: Flow,
    },
    /// A phone is not registered any more: it said so, its time ran out, or its account is gone.
    Unregistered {
        /// Its user.
        user: String,
    },
    /// Our own registration holds, once for each [`Command::Register`](super::Command).
    RegisterDone {
        /// Its address of record.
        aor: Uri,
        /// What was granted; zero: the binding is gone.
        expires: Duration,
    },
    /// Our own registration was refused or heard no answer, once until it holds again; it is tried again by itself, unless it was being taken away.
    RegisterFailed {
        /// Its address of record.
        aor: Uri,
        /// Why.
        status: Status,
        /// The realm of a challenge that got no answer, because our credentials are for another one. The far side's text.
        realm: Option<String>,
    },
}

/// A call that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Its leg.
    pub leg: LegId,
    /// What was dialled.
    pub request_uri: Uri,
    /// Who calls, by its own word.
    pub from: NameAddr,
    /// Whom it first wanted.
    pub to: NameAddr,
    /// Where it came from.
    pub flow: Flow,
    /// Its offer; none asks for ours in the 200.
    pub offer: Option<Session>,
    /// The peer it came from.
    pub peer: Option<String>,
    /// The registered phone it came from, proven by digest.
    pub registered_user: Option<String>,
    /// `X-Tonewall-Call`, from a peer whose word is believed.
    pub tonewall_call: Option<String>,
    /// `Max-Forwards` as it came, at least 1; the call's other leg carries one less.
    pub max_forwards: u8,
    /// The first `P-Asserted-Identity`, from a peer whose word is believed.
    pub asserted_identity: Option<NameAddr>,
    /// What the caller wants withheld.
    pub privacy: Privacy,
    /// Fields that may go on to the call's other side, as [`HeaderName::may_be_carried`] says, and the `Date` of a signed request. Only those of peers.
    pub carried: Vec<(HeaderName, String)>,
    /// The leg whose place it is to take ([RFC 3891](https://www.rfc-editor.org/rfc/rfc3891)): one that is answered, or one that we call and that rings.
    /// Whether its sender may is the caller's to say.
    pub replaces: Option<LegId>,
}

/// What a far side wants its call to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// Whom to call.
    pub to: ReferTo,
    /// The leg of ours that `to` is to take the place of; none: it names none, or a dialog of somebody else.
    pub replaces: Option<LegId>,
    /// Who asks, by the word of `Referred-By` (RFC 3892), which is not proven.
    pub referred_by: Option<NameAddr>,
}

/// Why a leg ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The far side hung up.
    Bye,
    /// The far side gave up before we answered.
    Cancelled,
    /// We hung up, by [`Command::Hangup`](super::Command).
    HungUp,
    /// We refused it, by [`Command::Reject`](super::Command).
    Rejected,
    /// The far side went silent: no ACK, no answer to an offer, or nobody decided in time.
    Timeout,
    /// The far side no longer knows the dialog, or sent what cannot go on.
    Lost,
}
