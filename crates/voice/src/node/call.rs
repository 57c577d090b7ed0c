//! A call in signalling: two sides and what they wait for.
//! Owns: its stage, its media's place, an open question about its mask.
//! Never: acts by itself.

use std::sync::Arc;
use std::time::Instant;

use domain::boundary::{EgressTally, Protected, ProtectionRefused};
use domain::id::CallId;
use domain::service::ProtectionScope;
use media::leg::Leg;
use secret::KeySender;
use sip::LegId;
use sip::sdp::Direction;
use tokio::sync::oneshot;

use super::caller::Caller;
use super::dial::Dialled;
use super::referral::Referral;
use super::side::Side;
use super::waiting::Waiting;
use super::ways::Ways;
use crate::media_thread::MediaId;

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// An agent makes it, whose own phone rings first.
    Dialling,
    /// It waits for a route.
    Arrived,
    /// Its caller is answered and waits for a route, hearing a sound of ours.
    Waiting,
    /// The target was called.
    Calling,
    /// The target rings.
    Ringing,
    /// The target has answered, the consumer's answer to our offer is due with its ACK.
    Confirming,
    /// Both have answered.
    Connected,
}

/// Where a call's media is.
pub(super) enum MediaState {
    /// Not begun; what it writes to waits here: the key ring, and what the egress guard has seen.
    Waiting(KeySender, Arc<EgressTally>),
    /// On the thread of this index.
    On(usize),
    /// It could not begin, or has ended.
    Gone,
}

/// The two sides as signalling names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Caller,
    Callee,
}

impl Which {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// An offer of ours that is made once more, because both sides offered at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) at: Instant,
    pub(super) which: Which,
    pub(super) direction: Direction,
    pub(super) tries: u8,
}

/// One call.
pub(super) struct Call {
    pub(super) key: MediaId,
    pub(super) id: Arc<CallId>,
    pub(super) caller: Side,
    pub(super) callee: Option<Side>,
    /// Where else the callee may be.
    pub(super) ways: Option<Ways>,
    /// A phone that rings to take the agent's place.
    pub(super) target: Option<Side>,
    /// What the agent's side has asked for by signalling, until it has come to its end.
    pub(super) referral: Option<Referral>,
    /// The call that a leg of this one is to go over to.
    pub(super) lent_to: Option<MediaId>,
    /// Who pays: its keys count, the other side is shielded from them.
    pub(super) consumer: Which,
    pub(super) stage: Stage,
    pub(super) media: MediaState,
    /// When waiting for a route or an answer ends.
    pub(super) deadline: Option<Instant>,
    /// When it is protected, as its service wants it.
    pub(super) protection: ProtectionScope,
    /// The mask listens while the call is unprotected.
    pub(super) watched: bool,
    /// Where the agent's keys go once media begins, if somebody wants them.
    pub(super) agent_keys: Option<KeySender>,
    /// Who waits for the mask to hold.
    pub(super) protecting: Option<oneshot::Sender<Result<Protected, ProtectionRefused>>>,
    pub(super) protected: bool,
    pub(super) held: bool,
    /// Whose offer waits for the other side's answer.
    pub(super) renegotiating: Option<Which>,
    /// Our offer that met one of the far side's.
    pub(super) again: Option<Again>,
    /// Whom the callee is shown.
    pub(super) shown_as: Caller,
    /// Hops that the callee's leg may still take.
    pub(super) max_forwards: u8,
    /// An agent makes it; none: it came in.
    pub(super) dialled: Option<Box<Dialled>>,
    /// It goes on when what rings does not answer; none: it ends.
    pub(super) waiting: Option<Box<Waiting>>,
}

impl Call {
    pub(super) fn which(&self, leg: LegId) -> Option<Which> {
        if self.caller.leg == leg {
            Some(Which::Caller)
        } else if self.callee.as_ref().is_some_and(|agent| agent.leg == leg) {
            Some(Which::Callee)
        } else {
            None
        }
    }

    /// The call has begun: its sides speak what they speak.
    pub(super) fn settle_codecs(&mut self) {
        self.caller.settle_codec();
        if let Some(callee) = &mut self.callee {
            callee.settle_codec();
        }
    }

    /// A side as media names it.
    pub(super) fn media_leg(&self, which: Which) -> Leg {
        if which == self.consumer {
            Leg::Consumer
        } else {
            Leg::Agent
        }
    }

    /// What belongs to caller and callee as consumer's and agent's.
    pub(super) fn by_role<T>(&self, caller: T, callee: T) -> (T, T) {
        match self.consumer {
            Which::Caller => (caller, callee),
            Which::Callee => (callee, caller),
        }
    }

    pub(super) fn side(&mut self, which: Which) -> Option<&mut Side> {
        match which {
            Which::Caller => Some(&mut self.caller),
            Which::Callee => self.callee.as_mut(),
        }
    }

    pub(super) fn thread(&self) -> Option<usize> {
        match self.media {
            MediaState::On(thread) => Some(thread),
            MediaState::Waiting(..) | MediaState::Gone => None,
        }
    }
}
