//! Typed identifiers.
//! Owns: their text form.
//! Never: mixes one kind with another, or carries a meaning that a user could guess.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Characters of an identifier: Crockford's base 32 in lower case, so that one can be read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Longest identifier taken from outside. Ours have 26 characters; the demo's and an importer's may be words.
pub const ID_CHARS_MAX: usize = 40;

/// A text that is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an identifier has 1 to {ID_CHARS_MAX} lower-case letters, digits, '-' or '_'")]
pub struct InvalidId;

fn parse(text: &str) -> Result<Box<str>, InvalidId> {
    let fits = (1..=ID_CHARS_MAX).contains(&text.len());
    let clean = text.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    });
    if fits && clean {
        Ok(text.into())
    } else {
        Err(InvalidId)
    }
}

fn from_random(random: u128) -> Box<str> {
    let mut text = String::with_capacity(26);
    for place in (0..26).rev() {
        let index = usize::try_from((random >> (place * 5)) & 31).unwrap_or(0);
        text.push(char::from(ALPHABET[index]));
    }
    text.into_boxed_str()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(Box<str>);

        impl $name {
            /// An identifier of 128 random bits, from the operating system's generator.
            #[must_use]
            pub fn from_random(random: u128) -> Self {
                Self(from_random(random))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A call: the pair of its two legs.
    CallId;
    /// A capture session.
    CaptureId;
    /// One attempt to charge. Also the idempotency key towards a gateway that takes one.
    AttemptId;
    /// Something that a gateway was asked to do with a payment.
    FollowUpId;
    /// A widget of a desktop.
    WidgetId;
    /// An agent desktop.
    DesktopId;
    /// A designer desktop.
    DesignId;
    /// A user.
    UserId;
    /// A role of this installation.
    RoleId;
    /// A service: numbers, their route and their desktop.
    ServiceId;
    /// A recorder that hears calls.
    SinkId;
    /// A number that is reserved for an agent.
    ReservationId;
    /// A sound that callers hear while they wait.
    SoundId;
    /// The kept audio of a call, or of a part of it.
    RecordingId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_identifiers_parse_back() {
        let id = CallId::from_random(u128::MAX - 5);
        assert_eq!(id.as_str().len(), 26);
        assert_eq!(id.as_str().parse::<CallId>(), Ok(id));
    }

    #[test]
    fn foreign_characters_are_refused() {
        for text in ["", "A", "a b", "../a", "a'", &"a".repeat(41)] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text}");
        }
    }
}
