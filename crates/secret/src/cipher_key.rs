//! A key of a symmetric cipher.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes of a key of AES-256.
pub const CIPHER_KEY_BYTES: usize = 32;

/// A key of AES-256: 32 bytes in one place of the heap, zeroized on drop; prints as `[cipher key]`.
///
/// It is not `Clone`, and moving it moves no byte of it.
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::CipherKey>();
/// ```
pub struct CipherKey(Box<Zeroizing<[u8; CIPHER_KEY_BYTES]>>);

impl CipherKey {
    /// A key that `fill` writes where it stays, so that no copy is left behind: from the operating system's generator, a derivation, or a wrapped key
    /// that is opened in place.
    ///
    /// # Errors
    /// Those of `fill`; what it wrote is zeroized.
    pub fn fill_with<E>(
        fill: impl FnOnce(&mut [u8; CIPHER_KEY_BYTES]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut key = Self(Box::new(Zeroizing::new([0; CIPHER_KEY_BYTES])));
        fill(&mut key.0)?;
        Ok(key)
    }

    /// The bytes. Each caller outside this crate is on the reviewed list.
    #[must_use]
    pub fn expose(&self) -> &[u8; CIPHER_KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[cipher key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_what_filled_it_and_prints_nothing_of_it() {
        let key = CipherKey::fill_with::<()>(|bytes| {
            bytes.fill(7);
            Ok(())
        })
        .unwrap();
        assert_eq!(key.expose(), &[7; CIPHER_KEY_BYTES]);
        assert_eq!(format!("{key:?} {key:#?}"), "[cipher key] [cipher key]");
    }

    #[test]
    fn a_failed_filling_makes_no_key() {
        assert_eq!(
            CipherKey::fill_with(|_| Err("no entropy")).unwrap_err(),
            "no entropy"
        );
    }
}
