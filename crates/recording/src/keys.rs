//! Keys: one for each recording, wrapped by one of the ring.
//! Owns: wrapping and opening data keys, sealing and opening with them, the discipline of nonces.
//! Never: sees a master key, prints or keeps a key outside its type.

use std::fmt;
use std::str::FromStr;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use rand::TryRngCore;
use rand::rand_core::OsError;
use rand::rngs::OsRng;
use secret::{CIPHER_KEY_BYTES, CipherKey};

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Bytes that sealing adds.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a key id.
const KEY_ID_BYTES: usize = 8;
/// Bytes of a key slot: key id, nonce, wrapped key, tag.
pub(crate) const SLOT_BYTES: usize = KEY_ID_BYTES + NONCE_BYTES + CIPHER_KEY_BYTES + TAG_BYTES;

/// Which key of the ring: a hash of it that says nothing of the key. Written as 16 hexadecimal digits, as the store writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id has 16 lower-case hexadecimal digits")]
pub struct InvalidKeyId;

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 2 * KEY_ID_BYTES || !text.bytes().all(is_hex) {
            return Err(InvalidKeyId);
        }
        let value = u64::from_str_radix(text, 16).map_err(|_| InvalidKeyId)?;
        Ok(Self(value.to_be_bytes()))
    }
}

/// A key that wraps data keys, with its id. It was derived for that from a master key, whose id it bears.
#[derive(Debug)]
pub struct WrappingKey {
    id: KeyId,
    key: CipherKey,
}

impl WrappingKey {
    /// A derived key under the id of its master key.
    #[must_use]
    pub fn new(id: KeyId, key: CipherKey) -> Self {
        Self { id, key }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// The keys at hand, the last one active: it wraps the keys of new recordings.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: Vec<WrappingKey>,
}

impl KeyRing {
    /// A ring of these keys; the last one is active.
    #[must_use]
    pub fn new(keys: Vec<WrappingKey>) -> Self {
        Self { keys }
    }

    /// The key that wraps new data keys.
    ///
    /// # Errors
    /// The ring is empty.
    pub fn active(&self) -> Result<&WrappingKey, KeyError> {
        self.keys.last().ok_or(KeyError::ConfigNoKey)
    }

    fn find(&self, id: KeyId) -> Option<&WrappingKey> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// A recording's key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no key at all.
    #[error("no key is at hand; name the key file in `store.key_file`")]
    ConfigNoKey,
    /// The key that wraps it is not in the ring.
    #[error("key {0} is not at hand; put it back into the key file")]
    ConfigMissing(KeyId),
    /// The key of that id does not open it: key slot or head were changed, or the file is another installation's.
    #[error(
        "key {0} does not open this recording; its head was changed, or it is of another installation"
    )]
    PeerChanged(KeyId),
    /// No slot holds a key: it was deleted.
    #[error("the recording's key was deleted")]
    OperatorDeleted,
}

/// The key of one recording, ready for use. Its schedule is zeroized on drop.
pub struct DataKey {
    cipher: Aes256Gcm,
    key: CipherKey,
}

impl DataKey {
    /// A new recording's key; its bytes come from the operating system's generator and are nobody else's.
    #[must_use]
    pub fn new(key: CipherKey) -> Self {
        Self {
            cipher: Aes256Gcm::new(key.expose().into()),
            key,
        }
    }

    /// A new key, and a nonce for its slot.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub(crate) fn random() -> Result<(Self, [u8; NONCE_BYTES]), OsError> {
        let key = CipherKey::fill_with(|bytes| OsRng.try_fill_bytes(bytes))?;
        let mut nonce = [0; NONCE_BYTES];
        OsRng.try_fill_bytes(&mut nonce)?;
        Ok((Self::new(key), nonce))
    }

    /// The key slot of this key under a key of the ring. `nonce` is random and used for this slot alone; `head` is the head of the file.
    pub(crate) fn wrap(
        &self,
        under: &WrappingKey,
        nonce: [u8; NONCE_BYTES],
        head: &[u8],
    ) -> Result<[u8; SLOT_BYTES], SealError> {
        let mut slot = [0; SLOT_BYTES];
        let (id, rest) = slot.split_at_mut(KEY_ID_BYTES);
        let (nonce_place, wrapped) = rest.split_at_mut(NONCE_BYTES);
        id.copy_from_slice(&under.id.0);
        nonce_place.copy_from_slice(&nonce);
        let (plain, _) = wrapped.split_at_mut(CIPHER_KEY_BYTES);
        plain.copy_from_slice(self.key.expose());
        seal(
            &under.cipher(),
            nonce,
            &wrapping_data(under.id, head),
            wrapped,
        )?;
        Ok(slot)
    }

    /// The key in one of the slots; a slot of zeroes is empty.
    ///
    /// # Errors
    /// No slot can be opened; the reason is that of the last one that is not empty.
    pub(crate) fn unwrap(
        ring: &KeyRing,
        slots: [&[u8; SLOT_BYTES]; 2],
        head: &[u8],
    ) -> Result<Self, KeyError> {
        let mut why = KeyError::OperatorDeleted;
        for slot in slots.into_iter().filter(|slot| **slot != [0; SLOT_BYTES]) {
            match Self::unwrap_slot(ring, slot, head) {
                Ok(key) => return Ok(key),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn unwrap_slot(ring: &KeyRing, slot: &[u8; SLOT_BYTES], head: &[u8]) -> Result<Self, KeyError> {
        let (id, rest) = slot.split_at(KEY_ID_BYTES);
        let (nonce, wrapped) = rest.split_at(NONCE_BYTES);
        let id = KeyId(fixed(id));
        let under = ring.find(id).ok_or(KeyError::ConfigMissing(id))?;
        let key = CipherKey::fill_with(|bytes| {
            let (sealed, tag) = wrapped.split_at(CIPHER_KEY_BYTES);
            bytes.copy_from_slice(sealed);
            let data = wrapping_data(id, head);
            open_detached(&under.cipher(), fixed(nonce), &data, bytes, tag)
                .ok_or(KeyError::PeerChanged(id))
        })?;
        Ok(Self::new(key))
    }

    /// Seals all of `place` but its last [`TAG_BYTES`], which get the tag.
    pub(crate) fn seal(
        &self,
        nonce: Nonce,
        data: &[u8],
        place: &mut [u8],
    ) -> Result<(), SealError> {
        seal(&self.cipher, nonce.bytes(), data, place)
    }

    /// Opens `sealed`, the tag behind it, in place; what was sealed. `None` if it was not sealed by this key, at this place, with these data.
    pub(crate) fn open<'a>(
        &self,
        nonce: Nonce,
        data: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let plain = sealed.len().checked_sub(TAG_BYTES)?;
        let (body, tag) = sealed.split_at_mut(plain);
        open_detached(&self.cipher, nonce.bytes(), data, body, tag)?;
        Some(body)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[data key]")
    }
}

impl WrappingKey {
    /// Whether a slot says that this key wrapped what is in it.
    pub(crate) fn wrapped(&self, slot: &[u8; SLOT_BYTES]) -> bool {
        slot.starts_with(&self.id.0)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.key.expose().into())
    }
}

/// What a data key seals: a part of a segment. A file has one data key, and a segment's number is sealed once, so no nonce comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// The index of the segment of this number.
    Index(u32),
    /// Its audio.
    Audio(u32),
    /// What the segment of this number of a screen says of itself.
    ScreenIndex(u32),
    /// Its video.
    Screen(u32),
}

impl Nonce {
    fn bytes(self) -> [u8; NONCE_BYTES] {
        let (part, number) = match self {
            Self::Index(number) => (1, number),
            Self::Audio(number) => (2, number),
            Self::ScreenIndex(number) => (3, number),
            Self::Screen(number) => (4, number),
        };
        let mut bytes = [0; NONCE_BYTES];
        let (first, last) = bytes.split_at_mut(NONCE_BYTES - 4);
        if let Some(place) = first.first_mut() {
            *place = part;
        }
        last.copy_from_slice(&number.to_be_bytes());
        bytes
    }
}

/// Sealing failed: the bytes are more than the cipher takes. A defect of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too long to be sealed")]
pub struct SealError;

/// Binds a wrapped key to its use, its id and the head of its file.
fn wrapping_data(id: KeyId, head: &[u8]) -> Vec<u8> {
    [b"tonewall recording key v1".as_slice(), &id.0, head].concat()
}

fn seal(
    cipher: &Aes256Gcm,
    nonce: [u8; NONCE_BYTES],
    data: &[u8],
    place: &mut [u8],
) -> Result<(), SealError> {
    let plain = place.len().checked_sub(TAG_BYTES).ok_or(SealError)?;
    let (body, tag_place) = place.split_at_mut(plain);
    let tag = cipher
        .encrypt_inout_detached(&nonce.into(), data, InOutBuf::from(body))
        .map_err(|_| SealError)?;
    tag_place.copy_from_slice(&tag);
    Ok(())
}

fn open_detached(
    cipher: &Aes256Gcm,
    nonce: [u8; NONCE_BYTES],
    data: &[u8],
    body: &mut [u8],
    tag: &[u8],
) -> Option<()> {
    let tag: [u8; TAG_BYTES] = tag.try_into().ok()?;
    cipher
        .decrypt_inout_detached(&nonce.into(), data, InOutBuf::from(body), &tag.into())
        .ok()
}

/// The first bytes of `bytes`; zeroes for those that are missing.
pub(crate) fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn cipher_key(byte: u8) -> CipherKey {
        let filled = CipherKey::fill_with::<()>(|bytes| {
            bytes.fill(byte);
            Ok(())
        });
        filled.unwrap()
    }

    pub(crate) fn wrapping_key(byte: u8) -> WrappingKey {
        WrappingKey::new(KeyId([byte; KEY_ID_BYTES]), cipher_key(byte))
    }

    pub(crate) fn ring(bytes: &[u8]) -> KeyRing {
        KeyRing::new(bytes.iter().copied().map(wrapping_key).collect())
    }

    const EMPTY: [u8; SLOT_BYTES] = [0; SLOT_BYTES];

    #[test]
    fn a_key_id_is_read_as_it_is_written() {
        let id: KeyId = "00ff12ab34cd56ef".parse().unwrap();
        assert_eq!(id.to_string(), "00ff12ab34cd56ef");
        for text in [
            "",
            "00ff12ab34cd56e",
            "00FF12ab34cd56ef",
            "+0ff12ab34cd56ef",
            "00ff12ab34cd56eff",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(InvalidKeyId), "{text}");
        }
    }

    #[test]
    fn a_wrapped_key_opens_with_its_own_key_in_either_slot_and_with_no_other() {
        let slot = DataKey::new(cipher_key(1))
            .wrap(&wrapping_key(2), [3; 12], b"head")
            .unwrap();
        let unwrap = |keys: &[u8], slots, head: &[u8]| {
            DataKey::unwrap(&ring(keys), slots, head).map(|key| *key.key.expose())
        };
        assert_eq!(unwrap(&[9, 2, 8], [&slot, &EMPTY], b"head"), Ok([1; 32]));
        assert_eq!(unwrap(&[2], [&EMPTY, &slot], b"head"), Ok([1; 32]));
        let id = KeyId([2; KEY_ID_BYTES]);
        assert_eq!(
            unwrap(&[2], [&slot, &EMPTY], b"heat"),
            Err(KeyError::PeerChanged(id))
        );
        assert_eq!(
            unwrap(&[9], [&slot, &EMPTY], b"head"),
            Err(KeyError::ConfigMissing(id))
        );
        assert_eq!(
            unwrap(&[2], [&EMPTY, &EMPTY], b"head"),
            Err(KeyError::OperatorDeleted)
        );
        let foreign = KeyRing::new(vec![WrappingKey::new(id, cipher_key(7))]);
        let opened = DataKey::unwrap(&foreign, [&slot, &EMPTY], b"head");
        assert_eq!(opened.unwrap_err(), KeyError::PeerChanged(id));
    }

    #[test]
    fn each_changed_byte_of_a_slot_is_noticed_and_the_other_slot_still_opens() {
        let key = DataKey::new(cipher_key(1));
        let slot = key.wrap(&wrapping_key(2), [3; 12], b"head").unwrap();
        let other = key.wrap(&wrapping_key(4), [5; 12], b"head").unwrap();
        for at in 0..SLOT_BYTES {
            let mut changed = slot;
            changed[at] ^= 1;
            assert!(
                DataKey::unwrap(&ring(&[2]), [&changed, &EMPTY], b"head").is_err(),
                "{at}"
            );
            assert!(
                DataKey::unwrap(&ring(&[2, 4]), [&changed, &other], b"head").is_ok(),
                "{at}"
            );
        }
    }

    /// The same bytes come from the AES-GCM of Python's `cryptography`, fed by docs/decisions/0011-recordings.md.
    #[test]
    fn sealing_with_fixed_keys_gives_fixed_bytes() {
        let slot = DataKey::new(cipher_key(1))
            .wrap(&wrapping_key(2), [3; 12], b"head")
            .unwrap();
        let hex: String = slot.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "0202020202020202030303030303030303030303c4fcfa2816fe7870dca44531838648b4\
                        01ca12593ff04e3ef9551e9b61eee76ca654ac0ea274a0948630d9ad9fe48154";
        assert_eq!(hex, expected);
    }

    #[test]
    fn parts_and_numbers_have_nonces_of_their_own() {
        let nonces = [
            Nonce::Index(0),
            Nonce::Audio(0),
            Nonce::Index(1),
            Nonce::Audio(u32::MAX),
            Nonce::ScreenIndex(0),
            Nonce::Screen(0),
        ];
        for (at, nonce) in nonces.iter().enumerate() {
            let same = nonces.iter().filter(|other| other.bytes() == nonce.bytes());
            assert_eq!(same.count(), 1, "{at}");
        }
        assert_eq!(
            Nonce::Audio(258).bytes(),
            [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]
        );
    }
}
