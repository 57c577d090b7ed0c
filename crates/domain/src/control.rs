//! What an agent does with a running call.
//! Owns: the closed list of it.
//! Never: a key as text; whether it is possible now.

use std::time::Duration;

use secret::Key;

use crate::id::UserId;

/// How long a key that is sent takes, with the pause after it.
pub const KEY_TIME: Duration = Duration::from_millis(100);

/// What an agent does with a call, beside ending it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallControl {
    /// Mute: the consumer does not hear the agent, or does again.
    Mute(bool),
    /// Hold: neither hears the other, or both do again.
    Hold(bool),
    /// Record: the call is recorded from now on, or no more, where its service leaves that to its agents. Refused while a capture is open that depends
    /// on what records the call.
    Record(bool),
    /// Keypad: a key for the consumer's side, as an answering machine asks for it. Refused on hold and while a capture is open; never kept,
    /// never counted by one (S14, S31).
    SendKey(Key),
    /// Transfer: another agent's phone rings, and takes the call over if it is answered. The consumer is on hold meanwhile.
    Transfer {
        /// To whom.
        to: UserId,
        /// An open capture is discarded; without it a transfer is refused while one is open.
        discard: bool,
    },
    /// The transfer that rings is given up.
    CancelTransfer,
}
