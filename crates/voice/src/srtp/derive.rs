//! Session keys from a master key.
//! Owns: the derivation of [RFC 3711 §4.3](https://www.rfc-editor.org/rfc/rfc3711#section-4.3), with a derivation rate of zero.
//! Never: keeps what it derived.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use sip::sdp::{Crypto, Suite};

/// Bytes of the salt that the derivation works on. A shorter one, of AEAD, is filled up with zeros.
pub(super) const SALT: usize = 14;

/// What a session key is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Label {
    RtpCipher,
    RtpTag,
    RtpSalt,
    RtcpCipher,
    RtcpTag,
    RtcpSalt,
}

impl Label {
    fn byte(self) -> u8 {
        match self {
            Self::RtpCipher => 0,
            Self::RtpTag => 1,
            Self::RtpSalt => 2,
            Self::RtcpCipher => 3,
            Self::RtcpTag => 4,
            Self::RtcpSalt => 5,
        }
    }
}

/// A master key at work.
pub(super) struct Derivation {
    cipher: EncryptingKey,
    salt: zeroize::Zeroizing<[u8; SALT]>,
}

impl Derivation {
    pub(super) fn new(crypto: &Crypto) -> Result<Self, Unspecified> {
        let master = crypto.key.expose();
        let (key, salt) = master
            .split_at_checked(crypto.suite.key_len())
            .ok_or(Unspecified)?;
        let mut filled = zeroize::Zeroizing::new([0; SALT]);
        filled
            .get_mut(..salt.len())
            .ok_or(Unspecified)?
            .copy_from_slice(salt);
        Ok(Self {
            cipher: counter_mode(crypto.suite, key)?,
            salt: filled,
        })
    }

    /// Fills `key` with the session key of this label.
    pub(super) fn derive(&self, label: Label, key: &mut [u8]) -> Result<(), Unspecified> {
        let mut counter = [0; 16];
        counter[..SALT].copy_from_slice(&*self.salt);
        counter[7] ^= label.byte();
        key.fill(0);
        apply(&self.cipher, counter, key)
    }
}

/// AES in counter mode with a key of the suite's length.
pub(super) fn counter_mode(suite: Suite, key: &[u8]) -> Result<EncryptingKey, Unspecified> {
    let algorithm = match suite.key_len() {
        16 => &AES_128,
        _ => &AES_256,
    };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key)?)
}

/// Lays the key stream that begins at this counter over bytes.
pub(super) fn apply(
    cipher: &EncryptingKey,
    counter: [u8; 16],
    bytes: &mut [u8],
) -> Result<(), Unspecified> {
    let context = EncryptionContext::Iv128(FixedLength::from(counter));
    cipher.less_safe_encrypt(bytes, context).map(drop)
}
