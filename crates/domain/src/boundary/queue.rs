//! Where the web, the store and calls meet about callers who wait.
//! Owns: the traits by which they are seen, and what they hear is read.
//! Never: implements one.

use std::sync::Arc;

use super::{StoreError, Task};
use crate::access::Actor;
use crate::id::SoundId;
use crate::queue::sound::Sound;
use crate::queue::{QueueView, WaitingCall};
use crate::view::DeskError;

/// Callers who wait for an agent.
pub trait QueueDesk: Send + Sync {
    /// How many wait and since when, for whoever takes calls or may listen to them. A change is the event `queue`.
    ///
    /// # Errors
    /// They may do neither.
    fn queue(&self, actor: &Actor) -> Result<QueueView, DeskError>;
    /// Who waits, the first first, for whoever has the right `call.listen`.
    ///
    /// # Errors
    /// They do not have it.
    fn waiting(&self, actor: &Actor) -> Result<Vec<WaitingCall>, DeskError>;
}

/// Sounds that callers hear while they wait.
pub trait Sounds: Send + Sync {
    /// All, by name.
    fn sounds(&self) -> Task<'_, Result<Vec<Sound>, StoreError>>;
    /// The samples of one at 8 kHz; none: there is no such sound.
    fn samples<'a>(&'a self, id: &'a SoundId) -> Task<'a, Result<Option<Arc<[i16]>>, StoreError>>;
}
