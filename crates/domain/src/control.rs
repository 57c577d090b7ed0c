//! What an agent does with a running call.
//! Owns: the closed list of it.
//! Never: a key as text; whether it is possible now.

use std::time::Duration;

use secret::Key;

/// How long a key that is sent takes, with the pause after it.
pub const KEY_TIME: Duration = Duration::from_millis(100);

/// What an agent does with a call, beside ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallControl {
    /// Mute: the consumer does not hear the agent, or does again.
    Mute(bool),
    /// Hold: neither hears the other, or both do again.
    Hold(bool),
    /// Keypad: a key for the consumer's side, as an answering machine asks for it. Refused on hold and while a capture is open; never kept,
    /// never counted by one (S14, S31).
    SendKey(Key),
}
