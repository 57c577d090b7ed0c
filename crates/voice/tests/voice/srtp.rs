//! SRTP of a phone for the tests, by another implementation.

use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile as Profile;
use sip::sdp::{Crypto, SrtpKeys, Suite};

/// Both directions of a phone's media.
pub(crate) struct Secured {
    says: Context,
    hears: Context,
}

impl Secured {
    pub(crate) fn new(keys: &SrtpKeys) -> Self {
        Self {
            says: context(&keys.ours),
            hears: context(&keys.theirs),
        }
    }
}

fn context(crypto: &Crypto) -> Context {
    let profile = match crypto.suite {
        Suite::AeadAes256Gcm => Profile::AeadAes256Gcm,
        Suite::AeadAes128Gcm => Profile::AeadAes128Gcm,
        Suite::Aes256CmSha1_80 => Profile::Aes256CmHmacSha1_80,
        Suite::Aes256CmSha1_32 => Profile::Aes256CmHmacSha1_32,
        Suite::Aes128CmSha1_80 => Profile::Aes128CmHmacSha1_80,
        Suite::Aes128CmSha1_32 => Profile::Aes128CmHmacSha1_32,
    };
    let (key, salt) = crypto.key.expose().split_at(crypto.suite.key_len());
    let provider = rtc_srtp::crypto::default_provider().unwrap();
    Context::new(key, salt, profile, None, None, provider.crypto()).unwrap()
}

/// A packet that came, in clear; none if it is not of the key.
pub(crate) fn opened(secured: Option<&mut Secured>, packet: &[u8]) -> Option<Vec<u8>> {
    match secured {
        Some(secured) => Some(secured.hears.decrypt_rtp(packet).ok()?.to_vec()),
        None => Some(packet.to_vec()),
    }
}

/// A packet as it goes out.
pub(crate) fn sealed(secured: Option<&mut Secured>, packet: &[u8]) -> Vec<u8> {
    match secured {
        Some(secured) => secured.says.encrypt_rtp(packet).unwrap().to_vec(),
        None => packet.to_vec(),
    }
}
