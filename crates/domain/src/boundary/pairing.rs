//! Where the web and calls meet about whose call is whose.
//! Owns: the trait through which agents get calls that did not ring their own phones.
//! Never: implements it.

use super::Task;
use crate::access::Actor;
use crate::id::{CallId, UserId};
use crate::pairing::{PairingCodeView, ServiceCall};
use crate::view::DeskError;

/// By what a program names a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallName {
    /// What `X-Tonewall-Call` says towards the PBX.
    Tonewall(CallId),
    /// The SIP Call-ID of either leg.
    SipCallId(String),
}

/// What pages and programs can do about whose call is whose. Of calls whose service's route is a PBX only.
pub trait PairingDesk: Send + Sync {
    /// A code that the agent keys on their own phone, good for a minute; the same until it is used, given back or over.
    ///
    /// # Errors
    /// The agent has a call already, or no service pairs its calls with them by a code.
    fn pairing_code(&self, actor: &Actor) -> Result<PairingCodeView, DeskError>;
    /// The agent's code is no longer good.
    fn drop_pairing_code(&self, actor: &Actor);
    /// Gives a call to an agent whom it may be given to: to oneself by its `X-Tonewall-Call`, to anybody with the right `call.bind`.
    ///
    /// # Errors
    /// The call or the agent is not to be found, or somebody has it, or the agent has another.
    fn bind<'a>(
        &'a self,
        actor: &'a Actor,
        agent: &'a UserId,
        call: &'a CallName,
    ) -> Task<'a, Result<CallId, DeskError>>;
    /// The running calls of services whose route is a PBX, the newest first, for holders of `call.pick`.
    ///
    /// # Errors
    /// The right is not there.
    fn service_calls<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> Task<'a, Result<Vec<ServiceCall>, DeskError>>;
    /// Gives a call of the list to an agent, for holders of `call.pick`; with `take_away` also one that somebody has, who has no capture open.
    ///
    /// # Errors
    /// As for [`PairingDesk::bind`].
    fn pick<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        agent: &'a UserId,
        take_away: bool,
    ) -> Task<'a, Result<(), DeskError>>;
    /// The agent lets their call go: it is nobody's then, and goes on.
    ///
    /// # Errors
    /// It is not theirs, its service has a fixed agent or rings their phone, or a capture is open.
    fn release<'a>(&'a self, actor: &'a Actor, call: &'a CallId)
    -> Task<'a, Result<(), DeskError>>;
}
