//! What a request is about.
//! Owns: what tokens may stand for, borrowed from a charge or from an operation.
//! Never: keeps a value, or has one for an operation that ended with the charge.

use domain::boundary::{Charge, Operation};
use domain::gateway::Once;
use domain::id::AttemptId;
use domain::money::Money;
use domain::payment::{Arrangement, PaymentOutput};
use secret::SecretText;

/// A charge, or an operation about one.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    /// The charge's attempt.
    pub(crate) attempt: &'a AttemptId,
    /// Its reference.
    pub(crate) reference: &'a str,
    /// How much.
    pub(crate) amount: Money,
    /// Password for Basic.
    pub(crate) password: Option<&'a SecretText>,
    /// Secrets by name.
    pub(crate) secrets: &'a [(String, SecretText)],
    /// Time and random values.
    pub(crate) once: &'a Once,
    /// What the ledger keeps of the charge's answer; a charge has none yet.
    pub(crate) outputs: &'a [PaymentOutput],
    /// What a schedule leaves to later days; a charge has it in its form.
    pub(crate) arrangement: Option<&'a Arrangement>,
    /// What was keyed and typed; none: it is gone.
    pub(crate) charge: Option<&'a Charge>,
}

impl<'a> From<&'a Charge> for About<'a> {
    fn from(charge: &'a Charge) -> Self {
        Self {
            attempt: &charge.attempt,
            reference: &charge.reference,
            amount: charge.form.amount,
            password: charge.password.as_ref(),
            secrets: &charge.secrets,
            once: &charge.once,
            outputs: &[],
            arrangement: None,
            charge: Some(charge),
        }
    }
}

impl<'a> From<&'a Operation> for About<'a> {
    fn from(operation: &'a Operation) -> Self {
        Self {
            attempt: &operation.attempt,
            reference: &operation.reference,
            amount: operation.amount,
            password: operation.password.as_ref(),
            secrets: &operation.secrets,
            once: &operation.once,
            outputs: &operation.outputs,
            arrangement: operation.arrangement.as_ref(),
            charge: None,
        }
    }
}
