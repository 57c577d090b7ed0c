//! Where the web and calls meet about calls that agents make.
//! Owns: the trait by which one begins.
//! Never: implements it.

use super::Task;
use crate::access::Actor;
use crate::id::CallId;
use crate::outbound::DialOrder;
use crate::view::DeskError;

/// Calls out.
pub trait DialDesk: Send + Sync {
    /// Calls a number for an agent, whose phone rings first: for oneself with the right `call.dial`, for anybody with `call.dial_for`. What comes of it is an event.
    ///
    /// # Errors
    /// No service dials the number, the agent has a call or no phone, or is not to be found.
    fn dial<'a>(
        &'a self,
        actor: &'a Actor,
        order: DialOrder,
    ) -> Task<'a, Result<CallId, DeskError>>;
    /// Somebody with the right could call something out: a service does so, for them.
    fn may_dial(&self, actor: &Actor) -> bool;
}
