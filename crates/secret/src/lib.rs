//! Digits and credentials in memory.
//! Owns: the locked arena, the digit ring, zeroizing buffers, the words that stand for secrets.
//! Never: formats, logs, clones or sends a digit; knows nothing of cards or calls.
//! Start reading at: `arena`.
//!
//! The only way out of any type here is a method that begins with `expose`. `cargo xtask tidy`
//! holds the list of places that call one.

#![warn(missing_docs)]

pub mod arena;
mod buffer;
mod cipher_key;
mod key;
mod media_key;
pub mod ring;
mod slot;
mod text;

pub use arena::{Arena, ArenaError, LockState};
pub use buffer::{BufferFull, ExposedBytes, SecretBuffer};
pub use cipher_key::{CIPHER_KEY_BYTES, CipherKey};
pub use key::{Digit, Key};
pub use media_key::{MEDIA_KEY_BYTES_MAX, MediaKey};
pub use ring::{KeyReceiver, KeySender, RingFull, digit_ring};
pub use slot::{Digits, FIELD_DIGITS_MAX, FIELDS_MAX, FieldFull, FieldIndex, Slot};
pub use text::SecretText;
