//! What is done with payments that were taken.
//! Owns: the trait by which the pages have a gateway void, refund or capture one, and who hears of a payment.
//! Never: says what a payment allows: [`crate::payment::follow_up`] does.

use std::collections::BTreeSet;

use super::{Audience, StoreError, Task};
use crate::access::{Actor, Permission};
use crate::payment::Payment;
use crate::payment::follow_up::{FollowUp, FollowUpKind, FollowUpRefused};

impl Audience {
    /// Who hears of a payment: the agent who took it, and everyone who sees the ledger.
    #[must_use]
    pub fn of_payment(payment: &Payment) -> [Self; 2] {
        [
            Self::User(payment.agent.clone()),
            Self::Holders(Permission::PaymentView),
        ]
    }
}

/// Why a follow-up was not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowUpError {
    /// It cannot be.
    #[error(transparent)]
    Refused(#[from] FollowUpRefused),
    /// It could not be recorded, or what it needs could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Has gateways do something with payments that they have taken.
pub trait PaymentDesk: Send + Sync {
    /// What the gateway of the payment's widget is configured for now.
    ///
    /// # Errors
    /// The widget is gone, or charges nothing.
    fn configured(&self, payment: &Payment) -> Result<BTreeSet<FollowUpKind>, FollowUpRefused>;
    /// Records the intent and answers; from there on it runs to its end, whatever becomes of whoever asked. A conflict: somebody was faster.
    fn follow_up<'a>(
        &'a self,
        actor: &'a Actor,
        payment: &'a Payment,
        follow_up: FollowUp,
    ) -> Task<'a, Result<(), FollowUpError>>;
}
