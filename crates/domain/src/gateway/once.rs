//! What is fixed once for an attempt.
//! Owns: its time and its random values, so that a request is a function of what it is made of.
//! Never: takes time or randomness from the system.

use std::fmt::Write as _;

use sha2::{Digest, Sha512};

use super::OperationKind;
use crate::id::AttemptId;
use crate::time::UnixMillis;

/// Characters of `{txn.nonce}`.
const NONCE_CHARS: usize = 16;

/// Letters and digits that a nonce is made of: none that is read for another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";

/// Time and random values of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// When it began.
    pub at: UnixMillis,
    /// `{payment.idempotency_key}`
    pub idempotency_key: String,
    /// `{txn.nonce}`
    pub nonce: String,
    /// `{txn.rand8}`
    pub digits: String,
    /// `{txn.uuid}`
    pub uuid: String,
}

impl Once {
    /// Of random bytes from the operating system's generator.
    #[must_use]
    pub fn from_random(at: UnixMillis, random: [u8; 64]) -> Self {
        let part = |from: usize| {
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&random[from..from + 16]);
            bytes
        };
        let letters = part(0);
        let nonce = letters.iter().map(|byte| {
            let index = usize::from(byte % 32);
            char::from(ALPHABET[index])
        });
        let number = u128::from_be_bytes(part(16)) % 90_000_000 + 10_000_000;
        Self {
            at,
            idempotency_key: uuid(part(32)),
            nonce: nonce.take(NONCE_CHARS).collect(),
            digits: number.to_string(),
            uuid: uuid(part(48)),
        }
    }

    /// Those of something that is asked about an attempt once, however often. The key is the same each time; what a gateway may take for a repeat is not.
    #[must_use]
    pub fn of_operation(attempt: &AttemptId, kind: OperationKind, at: UnixMillis) -> Self {
        let seeded = |time: &str| -> [u8; 64] {
            let text = format!("{} {} {time}", kind.as_str(), attempt.as_str());
            Sha512::digest(text.as_bytes()).into()
        };
        let key = Self::from_random(at, seeded("")).idempotency_key;
        Self {
            idempotency_key: key,
            ..Self::from_random(at, seeded(&at.0.to_string()))
        }
    }
}

/// A random UUID ([RFC 9562 §5.4](https://www.rfc-editor.org/rfc/rfc9562#section-5.4)).
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _a_string_takes_all = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_become_what_gateways_take() {
        for byte in [0, 1, 0x7f, 0xff] {
            let once = Once::from_random(UnixMillis(0), [byte; 64]);
            assert_eq!(once.nonce.len(), 16);
            assert!(once.digits.len() == 8 && !once.digits.starts_with('0'));
            let parts: Vec<usize> = once.uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(&once.uuid[14..15], "4");
            assert!(matches!(&once.uuid[19..20], "8" | "9" | "a" | "b"));
        }
        let mut random = [7; 64];
        random[40] = 9;
        let once = Once::from_random(UnixMillis(0), random);
        assert_ne!(once.uuid, once.idempotency_key);
    }

    #[test]
    fn what_is_asked_again_has_its_key_and_nothing_else_again() {
        let attempt = AttemptId::from_random(1);
        let asked = |kind, at| Once::of_operation(&attempt, kind, UnixMillis(at));
        let first = asked(OperationKind::Void, 5);
        let again = asked(OperationKind::Void, 6);
        assert_eq!(first.idempotency_key, again.idempotency_key);
        assert!(first.nonce != again.nonce && first.uuid != again.uuid);
        let inquiry = asked(OperationKind::Inquire, 5);
        assert_ne!(first.idempotency_key, inquiry.idempotency_key);
    }
}
