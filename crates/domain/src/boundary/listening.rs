//! Where people who listen to running calls meet calls and the telephone side.
//! Owns: what is asked of both, and why it is refused.
//! Never: a sound.

use super::{PhoneRefused, Task, TelephonyError};
use crate::access::Actor;
use crate::id::{CallId, UserId};
use crate::listening::{Listening, RunningCall, Voice};

/// Legs of people who listen, on the telephone side. Each is a call of its own, of one side: the page asks for it as for any call of its phone
/// ([`BrowserLegs`](super::BrowserLegs)), hears once it has answered, and is told of its end by [`CallEvents::ended`](super::CallEvents::ended).
pub trait ListenerLegs: Send + Sync {
    /// Offers the page of this person a leg that hears a connected call: what leaves for both sides of it, behind the mask. It ends with that call, and by
    /// itself if it is not answered within 30 s.
    fn listen<'a>(
        &'a self,
        call: &CallId,
        listener: &UserId,
    ) -> Task<'a, Result<CallId, PhoneRefused>>;
    /// Others hear a listener from now on. While a mask holds, or is asked for, the consumer does not, whatever was asked: whoever had barged in listens then.
    fn speak(&self, listening: &CallId, voice: Voice) -> Result<(), TelephonyError>;
    /// Ends a leg.
    fn end_listening(&self, listening: &CallId) -> Result<(), TelephonyError>;
}

/// Why nobody listens, or is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListeningRefused {
    /// No such call or leg, none that this person may see, or not the right for it.
    #[error("no such call")]
    NotFound,
    /// The call is not connected.
    #[error("the call is not connected")]
    NotConnected,
    /// It is their own.
    #[error("it is your own call")]
    OwnCall,
    /// This person listens to a call already.
    #[error("you listen to a call already")]
    Already,
    /// As many listen to the call as may.
    #[error("as many listen to this call as may")]
    Full,
    /// The consumer may not hear a third voice now: a capture is open, or the whole call is protected.
    #[error("the call is protected")]
    Protected,
    /// The phone of the page.
    #[error(transparent)]
    Phone(#[from] PhoneRefused),
    /// Too much waits.
    #[error("too much waits")]
    Busy,
    /// The trail cannot be written, and what is not in it is not done.
    #[error("the trail cannot be written")]
    Unrecordable,
}

/// Running calls as somebody sees them who may listen.
pub trait ListeningDesk: Send + Sync {
    /// All calls that agents have now, the oldest first, with who listens.
    fn running<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> Task<'a, Result<Vec<RunningCall>, ListeningRefused>>;
    /// Begins to listen with the tab that has the phone.
    fn listen<'a>(
        &'a self,
        actor: &'a Actor,
        tab: &'a str,
        call: &'a CallId,
    ) -> Task<'a, Result<Listening, ListeningRefused>>;
    /// Whispers, barges in, or falls silent again.
    fn speak<'a>(
        &'a self,
        actor: &'a Actor,
        listening: &'a CallId,
        voice: Voice,
    ) -> Task<'a, Result<Listening, ListeningRefused>>;
    /// Listens no more.
    ///
    /// # Errors
    /// There is no such leg of this person.
    fn leave(&self, actor: &Actor, listening: &CallId) -> Result<(), ListeningRefused>;
}
