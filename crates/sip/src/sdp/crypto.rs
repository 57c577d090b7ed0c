//! Keys of secured media in a description (RFC 4568, `a=crypto`).
//! Owns: the suites that we speak, reading and writing of a line, which of several is taken.
//! Never: makes a key, or prints one.

use std::sync::Arc;

use secret::{MediaKey, SecretText};
use thiserror::Error;
use zeroize::Zeroizing;

use super::base64;
use super::session::Media;

/// How packets of a stream are secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-256 in Galois/counter mode, tag of 128 bits ([RFC 7714](https://www.rfc-editor.org/rfc/rfc7714)).
    AeadAes256Gcm,
    /// AES-128 in Galois/counter mode, tag of 128 bits.
    AeadAes128Gcm,
    /// AES-256 in counter mode, HMAC-SHA1, tag of 80 bits ([RFC 6188](https://www.rfc-editor.org/rfc/rfc6188)).
    Aes256CmSha1_80,
    /// AES-128 in counter mode, HMAC-SHA1, tag of 80 bits: what everything that has SRTP can do.
    Aes128CmSha1_80,
    /// AES-256 in counter mode, tag of 32 bits on RTP and of 80 on RTCP.
    Aes256CmSha1_32,
    /// AES-128 in counter mode, tag of 32 bits on RTP and of 80 on RTCP.
    Aes128CmSha1_32,
}

impl Suite {
    /// All with a tag that nobody guesses, in our order of preference.
    pub const STRONG: [Self; 4] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::Aes256CmSha1_80,
        Self::Aes128CmSha1_80,
    ];

    /// Those with a tag of 32 bits. One forged packet in four thousand million passes.
    pub const SHORT: [Self; 2] = [Self::Aes256CmSha1_32, Self::Aes128CmSha1_32];

    /// Its word in a description.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::Aes256CmSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes128CmSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes256CmSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::Aes128CmSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Bytes of the master key.
    #[must_use]
    pub fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::Aes256CmSha1_80 | Self::Aes256CmSha1_32 => 32,
            Self::AeadAes128Gcm | Self::Aes128CmSha1_80 | Self::Aes128CmSha1_32 => 16,
        }
    }

    /// Bytes of the master salt, which stands behind the key.
    #[must_use]
    pub fn salt_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 12,
            Self::Aes256CmSha1_80
            | Self::Aes128CmSha1_80
            | Self::Aes256CmSha1_32
            | Self::Aes128CmSha1_32 => 14,
        }
    }

    /// Bytes of both.
    #[must_use]
    pub fn master_len(self) -> usize {
        self.key_len() + self.salt_len()
    }

    fn parse(name: &str) -> Option<Self> {
        let mut all = Self::STRONG.into_iter().chain(Self::SHORT);
        all.find(|suite| suite.name() == name)
    }
}

/// Bytes of the longest name of a master key that we take. RFC 4568 allows 128; nobody is known to use more than 4.
const MKI_BYTES_MAX: usize = 16;

/// The name of a master key, which stands in each packet that is secured by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mki {
    value: u128,
    len: usize,
}

impl Mki {
    /// As it stands in packets: 1 to 16 bytes.
    #[must_use]
    pub fn to_bytes(self) -> ([u8; MKI_BYTES_MAX], usize) {
        let mut bytes = [0; MKI_BYTES_MAX];
        let from = MKI_BYTES_MAX - self.len;
        bytes[..self.len].copy_from_slice(&self.value.to_be_bytes()[from..]);
        (bytes, self.len)
    }

    fn parse(text: &str) -> Option<Self> {
        let (value, len) = text.split_once(':')?;
        let (value, len): (u128, usize) = (value.parse().ok()?, len.parse().ok()?);
        let is_known = (1..=MKI_BYTES_MAX).contains(&len);
        let fits = is_known && (len == MKI_BYTES_MAX || value >> (8 * len) == 0);
        fits.then_some(Self { value, len })
    }
}

/// Why a line is of no use. The next one may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CryptoError {
    /// Not a line of RFC 4568.
    #[error("peer sent a crypto line that cannot be read")]
    PeerMalformed,
    /// A suite that we do not speak, or none at all.
    #[error("peer names a crypto suite that we do not speak")]
    PeerSuite,
    /// Not one inline key of the suite's length.
    #[error("peer's crypto line has no single key of its suite's length")]
    PeerKey,
    /// A parameter that takes protection away, or one that we do not know and must.
    #[error("peer's crypto line has a session parameter that we refuse")]
    PeerParameter,
}

/// One `a=crypto` line that can be used: how the side that wrote it secures what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// By which an answer names the line that it takes.
    pub tag: u32,
    /// How.
    pub suite: Suite,
    /// With what.
    pub key: Arc<MediaKey>,
    /// What that is called in packets.
    pub mki: Option<Mki>,
}

impl Crypto {
    /// Reads what stands behind `a=crypto:`.
    ///
    /// # Errors
    /// See [`CryptoError`].
    pub fn parse(value: &str) -> Result<Self, CryptoError> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().and_then(tag_of);
        let tag = tag.ok_or(CryptoError::PeerMalformed)?;
        let suite = words.next().ok_or(CryptoError::PeerMalformed)?;
        let keys = words.next().ok_or(CryptoError::PeerMalformed)?;
        let suite = Suite::parse(suite).ok_or(CryptoError::PeerSuite)?;
        let (key, mki) = inline_key(keys, suite).ok_or(CryptoError::PeerKey)?;
        if !words.all(is_harmless) {
            return Err(CryptoError::PeerParameter);
        }
        Ok(Self {
            tag,
            suite,
            key: Arc::new(key),
            mki,
        })
    }

    /// The text behind `a=crypto:`, without parameters.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        let key = base64::encode(self.key.expose());
        let mut text = String::with_capacity(64 + key.len());
        for part in [
            &self.tag.to_string(),
            " ",
            self.suite.name(),
            " inline:",
            &key,
        ] {
            text.push_str(part);
        }
        SecretText::new(text)
    }
}

/// How our side of a stream may be secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSrtp {
    /// A stream in clear is neither offered nor accepted.
    pub required: bool,
    /// One key for each suite that we speak here, in the order of preference.
    pub keys: Vec<(Suite, Arc<MediaKey>)>,
}

impl LocalSrtp {
    /// The key of ours for this suite, under the tag of a line.
    pub(super) fn crypto(&self, tag: u32, suite: Suite) -> Option<Crypto> {
        let (suite, key) = self.keys.iter().find(|(one, _)| *one == suite)?;
        Some(Crypto {
            tag,
            suite: *suite,
            key: Arc::clone(key),
            mki: None,
        })
    }

    /// All of ours, as an offer has them.
    pub(super) fn offered(&self) -> impl Iterator<Item = Crypto> {
        let lines = (1..).zip(&self.keys);
        lines.map(|(tag, (suite, key))| Crypto {
            tag,
            suite: *suite,
            key: Arc::clone(key),
            mki: None,
        })
    }

    /// The first line of a media that we can take: the far side's order is its preference.
    pub(super) fn choose(&self, media: &Media) -> Option<Crypto> {
        let known = |crypto: &Crypto| self.keys.iter().any(|(suite, _)| *suite == crypto.suite);
        media.cryptos().find(known)
    }
}

/// The keys of a stream, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// What we send is secured by this.
    pub ours: Crypto,
    /// What we receive is secured by this.
    pub theirs: Crypto,
}

/// 1 to 9 digits.
fn tag_of(text: &str) -> Option<u32> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// `inline:` key and salt, lifetime, name. A line with several keys is not taken: packets would have to say which.
fn inline_key(text: &str, suite: Suite) -> Option<(MediaKey, Option<Mki>)> {
    let (method, rest) = text.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") || rest.contains(';') {
        return None;
    }
    let mut parts = rest.split('|');
    let key = parts.next()?;
    let mut second = parts.next();
    if second.is_some_and(|part| !part.contains(':')) {
        second.filter(|lifetime| is_lifetime(lifetime))?;
        second = parts.next();
    }
    let mki = match second {
        Some(text) => Some(Mki::parse(text)?),
        None => None,
    };
    if parts.next().is_some() {
        return None;
    }
    let key = MediaKey::fill_with(suite.master_len(), |bytes| {
        let decoded = Zeroizing::new(base64::decode(key).ok_or(())?);
        let fits = decoded.len() == bytes.len();
        fits.then(|| bytes.copy_from_slice(&decoded)).ok_or(())
    });
    Some((key.ok()?, mki))
}

/// Packets that a key may secure, as a number or a power of two. Ours end at the limits of RFC 3711, which no call comes near; what a far side allows
/// its own key is its own affair.
fn is_lifetime(text: &str) -> bool {
    let packets = match text.strip_prefix("2^") {
        Some(power) => power.parse::<u32>().ok().filter(|power| *power <= 48),
        None => text
            .parse::<u64>()
            .ok()
            .filter(|count| *count > 0)
            .map(|_| 0),
    };
    packets.is_some()
}

/// Parameters that change nothing for us: a hint at the far side's window, the derivation rate that we have, and whatever says that it may be ignored.
fn is_harmless(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.starts_with("WSH=") || parameter == "KDR=0"
}

#[cfg(test)]
mod tests;
