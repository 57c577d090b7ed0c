//! Where an agent's browser, as a phone, meets calls and the telephone side.
//! Owns: what a page asks of its leg of a call, and what it is told.
//! Never: reads a session description; prints one: it holds keys of a session.

use std::net::SocketAddr;

use super::{ListeningDesk, Task};
use crate::access::Actor;
use crate::id::{CallId, UserId};

/// What a page asks of its leg of a call.
pub enum PhoneAsk {
    /// Our offer. Asked again after it was connected (the page was loaded anew, another tab has the phone), it is an offer for another connection, which takes
    /// the place of the first once it is connected.
    Offer,
    /// Takes the page's answer to our offer: the connection is made while it still rings.
    Connect {
        /// The answer, as the browser wrote it.
        answer: String,
    },
    /// The agent takes the call.
    Answer,
    /// The agent does not want it.
    Decline,
    /// The page's network has changed: a new offer of its own for the same connection (ICE restart).
    Restart {
        /// The offer, as the browser wrote it.
        offer: String,
    },
}

/// What it is told.
pub enum PhoneSaid {
    /// Our offer.
    Offer {
        /// For the browser.
        offer: String,
        /// The agent has taken the call already.
        is_answered: bool,
    },
    /// It is done.
    Done,
    /// Our answer to an ICE restart.
    Restarted {
        /// For the browser.
        answer: String,
    },
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneRefused {
    /// No such call, or no leg of this agent's browser in it.
    #[error("this browser has no part in such a call")]
    NotFound,
    /// The phone is on in another tab, or in none.
    #[error("another tab has the phone")]
    Elsewhere,
    /// Not possible as the leg stands: answered before it was connected, declined after it was answered.
    #[error("not possible as the call stands")]
    WrongState,
    /// The browser's description cannot be taken: no audio of ours, no fingerprint, no text of SDP.
    #[error("the browser's description cannot be taken")]
    Description,
    /// This server takes no browsers: no port is configured for them, or it could not be opened.
    #[error("browsers are no phones here")]
    Unavailable,
    /// Too much waits.
    #[error("the telephone side is busy")]
    Busy,
}

/// Legs of browsers, on the telephone side.
pub trait BrowserLegs: Send + Sync {
    /// Does what an agent's page asks of its leg of a call.
    fn ask<'a>(
        &'a self,
        call: &CallId,
        agent: &UserId,
        ask: PhoneAsk,
    ) -> Task<'a, Result<PhoneSaid, PhoneRefused>>;
    /// A call without a consumer: a tone, 4 s that are recorded in memory and played back. It ends by itself after 30 s at most, as
    /// [`CallEvents::ended`](super::CallEvents::ended) tells.
    fn test_browser<'a>(&'a self, agent: &UserId) -> Task<'a, Result<CallId, PhoneRefused>>;
    /// Where browsers send media; none: nowhere.
    fn browser_address(&self) -> Option<SocketAddr>;
}

/// The phone in an agent's page. One tab has it; a tab names itself by a text of its own choice.
pub trait PhoneDesk: ListeningDesk {
    /// The tab has the phone for [`PHONE_ON_S`] seconds from now on. `take_over`: also if another has it, which is told.
    ///
    /// # Errors
    /// Another tab has it; or there is nothing to have.
    fn phone_on(&self, actor: &Actor, tab: &str, take_over: bool) -> Result<(), PhoneRefused>;
    /// The tab has it no more; nothing happens if it had not.
    fn phone_off(&self, actor: &Actor, tab: &str);
    /// Does what the tab that has the phone asks of a call.
    fn phone<'a>(
        &'a self,
        actor: &'a Actor,
        tab: &'a str,
        call: &'a CallId,
        ask: PhoneAsk,
    ) -> Task<'a, Result<PhoneSaid, PhoneRefused>>;
    /// Begins a test call with the tab that has the phone.
    fn phone_test<'a>(
        &'a self,
        actor: &'a Actor,
        tab: &'a str,
    ) -> Task<'a, Result<CallId, PhoneRefused>>;
    /// Where browsers send media; none: nowhere.
    fn phone_address(&self) -> Option<SocketAddr>;
}

/// Seconds that a tab has the phone after it has said so: two lost requests of one in 8 s.
pub const PHONE_ON_S: u16 = 20;
