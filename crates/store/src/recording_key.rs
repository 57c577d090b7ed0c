//! Keys that wrap the keys of recordings.
//! Owns: their derivation from the master keys.
//! Never: lets a master key out; keeps a derived one.

use domain::boundary::StoreError;
use hkdf::Hkdf;
use secret::CipherKey;
use sha2::Sha256;

use crate::database::Database;
use crate::failure::unavailable;
use crate::key::MasterKey;

/// What a derived key is for. Under another label the same master key gives another key.
const LABEL: &[u8] = b"tonewall wrap recording key v1";

/// A key that wraps keys of recordings.
#[derive(Debug)]
pub struct RecordingKey {
    /// Identity of the master key that it was derived from: 16 lower-case hexadecimal digits.
    pub id: String,
    /// The key.
    pub key: CipherKey,
}

impl Database {
    /// One key for each master key at hand, that of the active one last. A rotation of master keys is seen by the next call.
    ///
    /// # Errors
    /// The key file could not be read when the database was opened, and says why.
    pub fn recording_keys(&self) -> Result<Vec<RecordingKey>, StoreError> {
        let ring = self.ring();
        ring.active().map_err(unavailable)?;
        ring.all().map(derived).collect()
    }
}

fn derived(master: &MasterKey) -> Result<RecordingKey, StoreError> {
    let key = CipherKey::fill_with(|bytes| {
        Hkdf::<Sha256>::new(None, master.bytes.as_ref()).expand(LABEL, bytes)
    });
    Ok(RecordingKey {
        id: master.id.clone(),
        key: key.map_err(unavailable)?,
    })
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn master(byte: u8) -> MasterKey {
        MasterKey {
            id: "0123456789abcdef".to_owned(),
            bytes: Zeroizing::new([byte; 32]),
        }
    }

    /// The same bytes come from the HKDF of Python's `hmac` and `hashlib`, fed by docs/decisions/0011-recordings.md.
    #[test]
    fn a_master_key_gives_this_key_and_no_other() {
        let key = derived(&master(1)).unwrap();
        assert_eq!(key.id, "0123456789abcdef");
        let hex: String = key
            .key
            .expose()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "6a6d173e0958208c6229abcd7714bd5985249a1a6b76c26a19121c53fdcaf30c"
        );
        assert_ne!(derived(&master(2)).unwrap().key.expose(), key.key.expose());
    }
}
