//! Where the web and calls meet about numbers that are reserved for agents.
//! Owns: the trait.
//! Never: implements it.

use super::Task;
use crate::access::Actor;
use crate::id::{ReservationId, ServiceId, UserId};
use crate::number_pool::NumberReservation;
use crate::outbound::DialNumber;
use crate::view::DeskError;

/// What pages and programs can do with the number pools of services.
pub trait NumberDesk: Send + Sync {
    /// Reserves a number of a service's pool: for oneself, with the right `call.bind` for anybody. The call that arrives on it, and comes `from` that number if one is said, is
    /// the agent's. Asked again, it is the same number and the same end.
    ///
    /// # Errors
    /// The agent has a call, the service has no pool or not for them, no number is free, or the trail cannot be written.
    fn reserve_number<'a>(
        &'a self,
        actor: &'a Actor,
        agent: &'a UserId,
        service: &'a ServiceId,
        from: Option<DialNumber>,
    ) -> Task<'a, Result<NumberReservation, DeskError>>;
    /// Gives a number back that was not called: one's own, with the right `call.bind` anybody's.
    ///
    /// # Errors
    /// There is no such reservation, or not for this actor.
    fn give_number_back(&self, actor: &Actor, id: &ReservationId) -> Result<(), DeskError>;
}
