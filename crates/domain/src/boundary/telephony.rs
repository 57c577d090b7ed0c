//! Where voice and calls meet.
//! Owns: commands to the telephone side, and its reports.
//! Never: implements one.

use std::sync::Arc;

use secret::{Key, KeyReceiver, KeySender};

use super::{BrowserLegs, EgressTally, Task};
use crate::id::{CallId, UserId};
use crate::service::ProtectionScope;
use crate::view::TransferFailure;

/// Commands to the telephone side. Non-blocking: they are queued, and what comes of them is reported through [`CallEvents`].
pub trait Telephony: BrowserLegs {
    /// Rings the target for an incoming call. Of one that is always protected nothing of the consumer leaves before the mask holds, which it does
    /// from the first packet on, whether [`Telephony::protect`] was called or not.
    fn route(
        &self,
        call: &CallId,
        target: RouteTarget,
        protection: ProtectionScope,
    ) -> Result<(), TelephonyError>;
    /// Refuses an incoming call with a SIP status (404, 480, 486, 503, ...).
    fn reject(&self, call: &CallId, status: u16) -> Result<(), TelephonyError>;
    /// Ends both legs.
    fn hang_up(&self, call: &CallId) -> Result<(), TelephonyError>;
    /// Arms the mask; answers when it holds (self-check passed), or why not. 3 s at most.
    fn protect(&self, call: &CallId) -> Task<'_, Result<Protected, ProtectionRefused>>;
    /// Leaves the mask once no key sounds.
    fn unprotect(&self, call: &CallId) -> Result<(), TelephonyError>;
    /// The mask listens to the call while it is unprotected, so that arming finds history, or no longer does (S28). Until told, it does not; a call
    /// that is armed all the same begins with 8 ms of silence. It is told before the call is answered or at any time later.
    fn watch(&self, call: &CallId, on: bool) -> Result<(), TelephonyError>;
    /// The agent's own keys go into this ring and not to the consumer, or none does and they pass as they come: until told, the latter. A key in it is told by
    /// [`CallEvents::key_pressed`]. It is told before the call is answered or at any time later.
    fn hear_agent(&self, call: &CallId, keys: Option<KeySender>) -> Result<(), TelephonyError>;
    /// Silences the consumer towards everyone, or ends that.
    fn mute_consumer(&self, call: &CallId, on: bool) -> Result<(), TelephonyError>;
    /// Silences the agent towards the consumer and the recorder, or ends that. Of a connected call only.
    fn mute_agent(&self, call: &CallId, on: bool) -> Result<(), TelephonyError>;
    /// Holds a connected call, or ends that: neither side hears the other. Mask and holds of phones stay; it is not told by [`CallEvents::held`].
    fn hold(&self, call: &CallId, on: bool) -> Result<(), TelephonyError>;
    /// Sends the consumer's side a key of the agent's page, one in [`KEY_TIME`](crate::control::KEY_TIME): none on hold, none once a mask is asked for (S31).
    fn send_key(&self, call: &CallId, key: Key) -> Result<(), TelephonyError>;
    /// Rings another phone for the agent's side of a connected call, 30 s at most; what comes of it is told by [`CallEvents::transferred`].
    fn transfer(&self, call: &CallId, target: RouteTarget) -> Result<(), TelephonyError>;
    /// Gives a transfer up while the other phone rings.
    fn cancel_transfer(&self, call: &CallId) -> Result<(), TelephonyError>;
    /// Users whose phones are registered here now.
    fn registered(&self) -> Vec<String>;
    /// Replaces the accounts of agent phones.
    fn set_phones(&self, phones: Vec<PhoneAccount>);
}

/// An agent phone's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneAccount {
    /// User part of its address of record.
    pub user: String,
    /// Hashes of user, realm and password in hex, SHA-256 and MD5, with a colon between.
    pub ha1: String,
}

/// Where an incoming call is to ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteTarget {
    /// A phone registered here.
    Registered {
        /// User part of its address of record.
        user: String,
    },
    /// The page of an agent whose phone is the browser.
    Browser {
        /// Whose.
        user: UserId,
    },
    /// A SIP URI through a next hop.
    Uri {
        /// Request URI.
        uri: String,
        /// Address and port to send to.
        address: std::net::SocketAddr,
    },
}

/// A command could not be queued: the call is gone or the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TelephonyError {
    /// No such call.
    #[error("the call is over")]
    NoCall,
    /// The command queue is full.
    #[error("the telephone side is busy")]
    Busy,
}

/// The mask holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protected {
    /// RTP timestamp of the agent's stream from which it holds.
    pub timestamp: u32,
}

/// Why the mask could not be armed: a reason code such as `no_media`, `self_check`, `busy`, `no_call`, `timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line could not be protected ({code})")]
pub struct ProtectionRefused {
    /// The code.
    pub code: &'static str,
}

/// A call that came in and waits for a route.
pub struct IncomingCall {
    /// Our identity for it.
    pub id: CallId,
    /// User part of the request URI.
    pub called: String,
    /// Caller's name or number, as sent: hostile text.
    pub caller: String,
    /// Caller's number as sent, without a name: hostile text; empty: it sent none.
    pub caller_number: String,
    /// User part of its `To`: hostile text.
    pub addressee: String,
    /// Name of the trunk or of the registered phone that it came from.
    pub peer: String,
    /// `X-Tonewall-Call`, from trusted peers.
    pub tag: Option<String>,
    /// Where keys arrive while the call is protected.
    pub keys: KeyReceiver,
    /// What the last look at its audio has seen while it was protected.
    pub egress: Arc<EgressTally>,
}

/// What other equipment calls a connected call: the SIP Call-IDs of its legs. That of the leg that came in is the far side's text: hostile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LegCallIds {
    /// Of the consumer's leg.
    pub consumer: String,
    /// Of the agent's leg. A transfer to another phone makes a new one. Empty: the agent's browser, which has none.
    pub agent: String,
    /// User part of the `Contact` of the agent's leg: where a PBX found the agent, if it says so; hostile text.
    pub agent_contact: String,
}

/// Reports of the telephone side. Implementations must not block.
pub trait CallEvents: Send + Sync {
    /// A call came in; answer with `route` or `reject`.
    fn incoming(&self, call: IncomingCall);
    /// The target rings.
    fn ringing(&self, call: &CallId);
    /// Both legs are connected.
    fn answered(&self, call: &CallId, legs: LegCallIds);
    /// Held, or no longer held.
    fn held(&self, call: &CallId, held: bool);
    /// Another phone has taken the agent's side, and these are the legs now, or it has not: then all is as before.
    fn transferred(&self, call: &CallId, outcome: Result<LegCallIds, TransferFailure>);
    /// The call is over.
    fn ended(&self, call: &CallId, cause: EndCause);
    /// A key lies in a ring of the call's.
    fn key_pressed(&self, call: &CallId);
    /// Something about the line.
    fn line(&self, call: &CallId, event: LineEvent);
    /// A phone registered or went.
    fn registration(&self, user: &str, registered: bool);
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// The consumer hung up.
    Consumer,
    /// The agent hung up.
    Agent,
    /// We ended it.
    Local,
    /// It was never answered: SIP status of the target.
    NotAnswered(u16),
    /// No media, or no signalling, for too long.
    Timeout,
    /// Something failed on our side.
    Failure,
}

/// What the line reports during a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEvent {
    /// Nothing from the consumer for 3 s.
    Silent,
    /// It is back.
    Back,
    /// The mask ended by itself; the agent hears silence. The code says why.
    ProtectionLost(&'static str),
    /// A key could not be read.
    TonesUnclear,
    /// Keys were lost because the ring was full.
    KeysLost,
    /// The far party may have changed (S39).
    PartyChanged,
}
