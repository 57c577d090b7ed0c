//! Master key and salt of secured media.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of the longest: a key of AES-256 and a salt of 112 bits.
pub const MEDIA_KEY_BYTES_MAX: usize = 46;

/// A master key of SRTP with its salt behind it: in one place of the heap, zeroized on drop; prints as `[media key]`.
///
/// It is not `Clone`: share it in an `Arc`. Comparing takes a time that depends on the lengths only.
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::MediaKey>();
/// ```
pub struct MediaKey {
    bytes: Box<Zeroizing<[u8; MEDIA_KEY_BYTES_MAX]>>,
    len: usize,
}

impl MediaKey {
    /// A key of `len` bytes, [`MEDIA_KEY_BYTES_MAX`] at most, that `fill` writes where it stays.
    ///
    /// # Errors
    /// Those of `fill`; what it wrote is zeroized.
    pub fn fill_with<E>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut bytes = Box::new(Zeroizing::new([0; MEDIA_KEY_BYTES_MAX]));
        let len = len.min(MEDIA_KEY_BYTES_MAX);
        fill(&mut bytes[..len])?;
        Ok(Self { bytes, len })
    }

    /// The key and the salt behind it. Each caller outside this crate is on the reviewed list.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl PartialEq for MediaKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes[..self.len]
            .ct_eq(&other.bytes[..other.len])
            .into()
    }
}

impl Eq for MediaKey {}

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[media key]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(len: usize, byte: u8) -> MediaKey {
        MediaKey::fill_with::<()>(len, |bytes| {
            bytes.fill(byte);
            Ok(())
        })
        .unwrap()
    }

    #[test]
    fn a_key_holds_what_filled_it_and_prints_nothing_of_it() {
        assert_eq!(key(30, 7).expose(), &[7; 30]);
        assert_eq!(
            format!("{:?} {:#?}", key(30, 7), key(46, 7)),
            "[media key] [media key]"
        );
    }

    #[test]
    fn equality_is_that_of_the_bytes() {
        assert!(key(30, 7) == key(30, 7));
        assert!(key(30, 7) != key(30, 8));
        assert!(key(30, 0) != key(46, 0));
        assert_eq!(key(100, 1).expose().len(), MEDIA_KEY_BYTES_MAX);
    }
}
