//! Where voice and calls meet.
//! Owns: commands to the telephone side, and its reports.
//! Never: implements one.

use std::sync::Arc;
use std::time::Duration;

use secret::{Key, KeyReceiver, KeySender};

use super::{BrowserLegs, EgressTally, ListenerLegs, Task};
use crate::id::{CallId, UserId};
use crate::outbound::{DialNumber, DialStep};
use crate::queue::WaitingSound;
use crate::service::ProtectionScope;
use crate::view::TransferFailure;

/// Commands to the telephone side. Non-blocking: they are queued, and what comes of them is reported through [`CallEvents`].
pub trait Telephony: BrowserLegs + ListenerLegs {
    /// Rings the target for an incoming call. Of one that is always protected nothing of the consumer leaves before the mask holds, which it does
    /// from the first packet on, whether [`Telephony::protect`] was called or not.
    fn route(
        &self,
        call: &CallId,
        target: RouteTarget,
        protection: ProtectionScope,
    ) -> Result<(), TelephonyError>;
    /// From now on the call goes on if the target does not answer: that is told by [`CallEvents::unreached`], and it can be routed again. With a sound the
    /// consumer's leg is answered and hears it until both legs are connected; without one it rings on, and can be given one later.
    fn wait(&self, call: &CallId, sound: Option<WaitingSound>) -> Result<(), TelephonyError>;
    /// The phone that rings for such a call is not to ring any more.
    fn stop_ringing(&self, call: &CallId) -> Result<(), TelephonyError>;
    /// Makes a call: rings the agent's phone, and once that is answered the consumer's. Its identity is the caller's choice, and what comes of it is told by
    /// [`CallEvents::dialled`], `answered` and `ended`, the last in any case.
    fn dial(&self, call: Dial) -> Result<(), TelephonyError>;
    /// Refuses an incoming call with a SIP status (404, 480, 486, 503, ...).
    fn reject(&self, call: &CallId, status: u16) -> Result<(), TelephonyError>;
    /// Refuses an incoming call with 480 because its service is closed, and says in how long that will not be so any more, as far as it is known.
    fn reject_closed(
        &self,
        call: &CallId,
        opens_in: Option<Duration>,
    ) -> Result<(), TelephonyError>;
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
    /// Says what is to become of what [`CallEvents::referred`] told. One that comes too late, or is asked for by nobody, changes nothing.
    fn refer(&self, call: &CallId, answer: ReferralAnswer) -> Result<(), TelephonyError>;
    /// Users whose phones are registered here now.
    fn registered(&self) -> Vec<String>;
    /// Replaces the accounts of agent phones.
    fn set_phones(&self, phones: Vec<PhoneAccount>);
}

/// A call that an agent makes.
pub struct Dial {
    /// Its identity, which no call has had.
    pub id: CallId,
    /// The agent's phone.
    pub agent: RouteTarget,
    /// The consumer, through the trunk that takes such calls.
    pub consumer: RouteTarget,
    /// The number, which the agent's phone shows.
    pub number: DialNumber,
    /// The number that the consumer's phone is to show.
    pub shown: String,
    /// When it is protected.
    pub protection: ProtectionScope,
    /// Where keys go while it is protected.
    pub keys: KeySender,
    /// Where what the last look at its audio sees is noted.
    pub egress: Arc<EgressTally>,
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
    /// A number at a trunk, at whichever of its places is there.
    Trunk {
        /// Its name.
        trunk: String,
        /// User part of the request URI.
        number: String,
    },
}

/// What the agent's phone, or the PBX in line, wants a call to become by signalling of its own (S39).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// What is wanted.
    pub wish: ReferralWish,
    /// User part of whom to call, or of who has called: hostile text, cut.
    pub to: String,
    /// The host that it names, without a port: hostile text, cut.
    pub host: String,
    /// The trunk of the server's file by which whoever asks is reached, if the host is one of its places or addresses.
    pub trunk: Option<String>,
    /// The registered phone that has called to take the agent's place, proven by digest; none: another wish, or a PBX has.
    pub phone: Option<String>,
}

/// What is to take the agent's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferralWish {
    /// Whoever is to be called (REFER).
    Call,
    /// The far side of another call of ours, which its agent has spoken to (REFER with `Replaces`).
    Join(CallId),
    /// A phone that has called for it (INVITE with `Replaces`).
    Replace,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferralAnswer {
    /// Nothing, with this status; the call is as it was.
    Refuse(u16),
    /// Whoever was named cannot be called, with this status: what was asked for is taken up and fails.
    Fail(u16),
    /// This rings, as by [`Telephony::transfer`].
    Ring(RouteTarget),
    /// The far side, or the phone, that it named takes the agent's place. What comes of it is told as of a transfer.
    Take,
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

/// Reports of the telephone side, made on the thread that SIP has to itself. Implementations must not block, and what takes longer runs elsewhere:
/// a task that is spawned there without a runtime named would run on that thread.
pub trait CallEvents: Send + Sync {
    /// A call came in; answer with `route` or `reject`.
    fn incoming(&self, call: IncomingCall);
    /// The target rings.
    fn ringing(&self, call: &CallId);
    /// What rang for a call that waits did not answer, with this SIP status: it waits on.
    fn unreached(&self, call: &CallId, status: u16);
    /// A call that an agent makes has come so far.
    fn dialled(&self, call: &CallId, step: DialStep);
    /// Both legs are connected.
    fn answered(&self, call: &CallId, legs: LegCallIds);
    /// Held, or no longer held.
    fn held(&self, call: &CallId, held: bool);
    /// Another phone has taken the agent's side, and these are the legs now, or it has not: then all is as before.
    fn transferred(&self, call: &CallId, outcome: Result<LegCallIds, TransferFailure>);
    /// The agent's side wants the call to go elsewhere; answer with `refer` within 5 s.
    fn referred(&self, call: &CallId, referral: Referral);
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
    /// The agent's own phone, which is called first for a number that the agent calls out, was never answered: its SIP status.
    AgentNotReached(u16),
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
