//! What secures one packet under one session key.
//! Owns: ciphers, tags and their places in a packet.
//! Never: knows which packet is next, or which came before.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use sip::sdp::{Crypto, Mki, Suite};
use zeroize::Zeroizing;

use super::derive::{Derivation, Label, SALT, apply, counter_mode};
use super::{AEAD_TAG, RTCP_HEADER, RTCP_INDEX};

/// Bytes of HMAC-SHA1's key.
const HMAC_KEY: usize = 20;

/// Bytes of a tag of 80 bits, and of SRTCP's in all suites with HMAC (RFC 4568).
const LONG_TAG: usize = 10;

/// Bytes of a tag of 32 bits.
const SHORT_TAG: usize = 4;

/// The bit of SRTCP's index that says that the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;

/// Why a packet was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// It is too short for what must be in it.
    Malformed,
    /// Its tag is not one of this key, or it says that it is in clear.
    BadTag,
}

/// What secures RTP, or RTCP, of one master key.
pub(super) struct Transform {
    cipher: Cipher,
    mki: ([u8; 16], usize),
}

#[expect(
    clippy::large_enum_variant,
    reason = "all four of a leg are of one kind and lie in its own box"
)]
enum Cipher {
    Counter {
        cipher: EncryptingKey,
        salt: Zeroizing<[u8; SALT]>,
        tag: hmac::Key,
        tag_len: usize,
    },
    Aead {
        key: LessSafeKey,
        salt: Zeroizing<[u8; 12]>,
    },
}

impl Transform {
    /// What secures RTP under a master key.
    pub(super) fn rtp(crypto: &Crypto) -> Result<Self, Unspecified> {
        let tag_len = match crypto.suite {
            Suite::Aes256CmSha1_32 | Suite::Aes128CmSha1_32 => SHORT_TAG,
            Suite::AeadAes256Gcm
            | Suite::AeadAes128Gcm
            | Suite::Aes256CmSha1_80
            | Suite::Aes128CmSha1_80 => LONG_TAG,
        };
        let labels = [Label::RtpCipher, Label::RtpTag, Label::RtpSalt];
        Self::new(crypto, labels, tag_len)
    }

    /// What secures RTCP.
    pub(super) fn rtcp(crypto: &Crypto) -> Result<Self, Unspecified> {
        let labels = [Label::RtcpCipher, Label::RtcpTag, Label::RtcpSalt];
        Self::new(crypto, labels, LONG_TAG)
    }

    fn new(crypto: &Crypto, labels: [Label; 3], tag_len: usize) -> Result<Self, Unspecified> {
        let derivation = Derivation::new(crypto)?;
        let [cipher, tag, salt] = labels;
        let mut key = Zeroizing::new([0; 32]);
        let key = key.get_mut(..crypto.suite.key_len()).ok_or(Unspecified)?;
        derivation.derive(cipher, key)?;
        let cipher = match crypto.suite {
            Suite::AeadAes256Gcm | Suite::AeadAes128Gcm => {
                let mut bytes = Zeroizing::new([0; 12]);
                derivation.derive(salt, &mut *bytes)?;
                Cipher::aead(key, bytes)?
            }
            Suite::Aes256CmSha1_80
            | Suite::Aes128CmSha1_80
            | Suite::Aes256CmSha1_32
            | Suite::Aes128CmSha1_32 => {
                let mut bytes = Zeroizing::new([0; SALT]);
                derivation.derive(salt, &mut *bytes)?;
                let mut tag_key = Zeroizing::new([0; HMAC_KEY]);
                derivation.derive(tag, &mut *tag_key)?;
                Cipher::Counter {
                    cipher: counter_mode(crypto.suite, key)?,
                    salt: bytes,
                    tag: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*tag_key),
                    tag_len,
                }
            }
        };
        let mki = crypto.mki.map(Mki::to_bytes).unwrap_or_default();
        Ok(Self { cipher, mki })
    }

    fn mki(&self) -> &[u8] {
        self.mki.0.get(..self.mki.1).unwrap_or_default()
    }

    /// Opens an RTP packet in place; yields its length without what secured it. `clear`: bytes at its beginning that are not encrypted.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        clear: usize,
        (ssrc, index): (u32, u64),
    ) -> Result<usize, Closed> {
        match &self.cipher {
            Cipher::Counter {
                cipher,
                salt,
                tag,
                tag_len,
            } => {
                let (rest, found) = split_end(packet, *tag_len)?;
                let (body, name) = split_end(rest, self.mki().len())?;
                let rollovers = low_32(index >> 16).to_be_bytes();
                check(tag, &[body, &rollovers], found, name == self.mki())?;
                let len = body.len();
                let sealed = body.get_mut(clear..).ok_or(Closed::Malformed)?;
                apply(cipher, counter(salt, ssrc, index), sealed).map_err(|_| Closed::BadTag)?;
                Ok(len)
            }
            Cipher::Aead { key, salt } => {
                let (body, name) = split_end(packet, self.mki().len())?;
                if name != self.mki() {
                    return Err(Closed::BadTag);
                }
                let (head, sealed) = body.split_at_mut_checked(clear).ok_or(Closed::Malformed)?;
                let nonce = nonce(salt, ssrc, index);
                let opened = key.open_in_place(nonce, Aad::from(&*head), sealed);
                let opened = opened.map_err(|_| Closed::BadTag)?;
                Ok(clear + opened.len())
            }
        }
    }

    /// Seals the first `len` bytes of a buffer that has room behind them; yields the length of the sealed packet.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        (clear, len): (usize, usize),
        (ssrc, index): (u32, u64),
    ) -> Option<usize> {
        let (packet, room) = buffer.split_at_mut_checked(len)?;
        let (head, body) = packet.split_at_mut_checked(clear)?;
        match &self.cipher {
            Cipher::Counter {
                cipher,
                salt,
                tag,
                tag_len,
            } => {
                apply(cipher, counter(salt, ssrc, index), body).ok()?;
                let rollovers = low_32(index >> 16).to_be_bytes();
                let tag = sign(tag, &[packet, &rollovers]);
                let room = room.get_mut(..*tag_len)?;
                room.copy_from_slice(tag.as_ref().get(..*tag_len)?);
                Some(len + tag_len)
            }
            Cipher::Aead { key, salt } => {
                let nonce = nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*head), body);
                let room = room.get_mut(..AEAD_TAG)?;
                room.copy_from_slice(tag.ok()?.as_ref());
                Some(len + AEAD_TAG)
            }
        }
    }

    /// Opens an RTCP packet in place; yields its length and its index.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32) -> Result<(usize, u64), Closed> {
        match &self.cipher {
            Cipher::Counter {
                cipher, salt, tag, ..
            } => {
                let (rest, found) = split_end(packet, LONG_TAG)?;
                let (signed, name) = split_end(rest, self.mki().len())?;
                check(tag, &[signed], found, name == self.mki())?;
                let (body, word) = split_end(signed, RTCP_INDEX)?;
                let index = encrypted_index(word)?;
                let len = body.len();
                let sealed = body.get_mut(RTCP_HEADER..).ok_or(Closed::Malformed)?;
                apply(cipher, counter(salt, ssrc, index), sealed).map_err(|_| Closed::BadTag)?;
                Ok((len, index))
            }
            Cipher::Aead { key, salt } => {
                let (rest, name) = split_end(packet, self.mki().len())?;
                if name != self.mki() {
                    return Err(Closed::BadTag);
                }
                let (body, word) = split_end(rest, RTCP_INDEX)?;
                let index = encrypted_index(word)?;
                let (head, sealed) = body
                    .split_at_mut_checked(RTCP_HEADER)
                    .ok_or(Closed::Malformed)?;
                let said = rtcp_aad(head, index).ok_or(Closed::Malformed)?;
                let nonce = nonce(salt, ssrc, index);
                let opened = key.open_in_place(nonce, Aad::from(said), sealed);
                let opened = opened.map_err(|_| Closed::BadTag)?;
                Ok((RTCP_HEADER + opened.len(), index))
            }
        }
    }

    /// Seals the first `len` bytes of a buffer as an RTCP packet of this index.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        len: usize,
        (ssrc, index): (u32, u64),
    ) -> Option<usize> {
        let word = (ENCRYPTED | low_32(index)).to_be_bytes();
        let (head, body) = buffer.get_mut(..len)?.split_at_mut_checked(RTCP_HEADER)?;
        match &self.cipher {
            Cipher::Counter {
                cipher, salt, tag, ..
            } => {
                apply(cipher, counter(salt, ssrc, index), body).ok()?;
                buffer
                    .get_mut(len..len + RTCP_INDEX)?
                    .copy_from_slice(&word);
                let end = len + RTCP_INDEX;
                let tag = sign(tag, &[buffer.get(..end)?]);
                let room = buffer.get_mut(end..end + LONG_TAG)?;
                room.copy_from_slice(tag.as_ref().get(..LONG_TAG)?);
                Some(end + LONG_TAG)
            }
            Cipher::Aead { key, salt } => {
                let said = rtcp_aad(head, index)?;
                let nonce = nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(said), body);
                let end = len + AEAD_TAG;
                buffer
                    .get_mut(len..end)?
                    .copy_from_slice(tag.ok()?.as_ref());
                buffer
                    .get_mut(end..end + RTCP_INDEX)?
                    .copy_from_slice(&word);
                Some(end + RTCP_INDEX)
            }
        }
    }
}

impl Cipher {
    fn aead(key: &[u8], salt: Zeroizing<[u8; 12]>) -> Result<Self, Unspecified> {
        let algorithm = match key.len() {
            16 => &AES_128_GCM,
            _ => &AES_256_GCM,
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
        Ok(Self::Aead { key, salt })
    }

    /// A transform of session keys as they are, for vectors that give them.
    #[cfg(test)]
    fn alone(self) -> Transform {
        Transform {
            cipher: self,
            mki: Default::default(),
        }
    }
}

#[cfg(test)]
impl Transform {
    /// AEAD by session keys as they are, for vectors that give them.
    pub(super) fn of_aead(key: &[u8], salt: [u8; 12]) -> Self {
        Cipher::aead(key, Zeroizing::new(salt)).unwrap().alone()
    }
}

/// Everything before the last `len` bytes, and these.
fn split_end(bytes: &mut [u8], len: usize) -> Result<(&mut [u8], &[u8]), Closed> {
    let at = bytes.len().checked_sub(len).ok_or(Closed::Malformed)?;
    let (front, end) = bytes.split_at_mut(at);
    Ok((front, end))
}

fn sign(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// Compares as many bytes of the tag as were sent, in a time that does not tell how many are right.
fn check(key: &hmac::Key, parts: &[&[u8]], found: &[u8], is_named: bool) -> Result<(), Closed> {
    let tag = sign(key, parts);
    let wanted = tag.as_ref().get(..found.len()).ok_or(Closed::Malformed)?;
    let same = verify_slices_are_equal(wanted, found).is_ok();
    (same && is_named).then_some(()).ok_or(Closed::BadTag)
}

/// The counter block that a packet's key stream begins with ([RFC 3711 §4.1.1](https://www.rfc-editor.org/rfc/rfc3711#section-4.1.1)).
fn counter(salt: &[u8; SALT], ssrc: u32, index: u64) -> [u8; 16] {
    let mut block = [0; 16];
    block[..SALT].copy_from_slice(salt);
    lay_over(&mut block[4..8], &ssrc.to_be_bytes());
    lay_over(&mut block[8..14], &index.to_be_bytes()[2..]);
    block
}

/// The nonce of AEAD ([RFC 7714 §8.1](https://www.rfc-editor.org/rfc/rfc7714#section-8.1), section 9.1 for RTCP, whose index has 31 bits).
fn nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut bytes = *salt;
    lay_over(&mut bytes[2..6], &ssrc.to_be_bytes());
    lay_over(&mut bytes[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(bytes)
}

fn lay_over(bytes: &mut [u8], other: &[u8]) {
    for (byte, other) in bytes.iter_mut().zip(other) {
        *byte ^= other;
    }
}

/// What AEAD protects of an RTCP packet without hiding it: its header and its index.
fn rtcp_aad(head: &[u8], index: u64) -> Option<[u8; RTCP_HEADER + RTCP_INDEX]> {
    let mut said = [0; RTCP_HEADER + RTCP_INDEX];
    said[..RTCP_HEADER].copy_from_slice(head.get(..RTCP_HEADER)?);
    said[RTCP_HEADER..].copy_from_slice(&(ENCRYPTED | low_32(index)).to_be_bytes());
    Some(said)
}

/// The index of an RTCP packet that is encrypted, as all of ours and theirs are.
fn encrypted_index(word: &[u8]) -> Result<u64, Closed> {
    let word = u32::from_be_bytes(*word.first_chunk().ok_or(Closed::Malformed)?);
    if word & ENCRYPTED == 0 {
        return Err(Closed::BadTag);
    }
    Ok(u64::from(word & !ENCRYPTED))
}

fn low_32(index: u64) -> u32 {
    u32::try_from(index & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}
