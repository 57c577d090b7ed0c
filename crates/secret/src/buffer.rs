//! A byte buffer that never leaves a copy behind.

use std::fmt;
use std::io;

use zeroize::Zeroize;

use crate::Digits;

/// The bytes do not fit. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret buffer is full")]
pub struct BufferFull;

/// Bytes that carry secrets, such as the body of a charge: fixed capacity, zeroized on drop.
///
/// It never grows, because growing would leave the old bytes in freed memory. A writer that needs
/// more gets [`BufferFull`].
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::SecretBuffer>();
/// ```
///
/// ```compile_fail,E0277
/// fn bytes<T: AsRef<[u8]>>() {}
/// bytes::<secret::SecretBuffer>();
/// ```
pub struct SecretBuffer {
    bytes: Box<[u8]>,
    len: usize,
}

impl SecretBuffer {
    /// An empty buffer for up to `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity].into_boxed_slice(),
            len: 0,
        }
    }

    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// They do not fit; none of them was written.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        let end = self.len.checked_add(bytes.len()).ok_or(BufferFull)?;
        let room = self.bytes.get_mut(self.len..end).ok_or(BufferFull)?;
        room.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }

    /// Appends captured digits as ASCII characters, without their leaving this crate.
    ///
    /// # Errors
    /// They do not fit; none of them was written.
    pub fn push_digits(&mut self, digits: &Digits<'_>) -> Result<(), BufferFull> {
        self.push_bytes(digits.expose())
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes written. Each caller outside this crate is on the reviewed list.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Turns the buffer into an owner that lends its bytes to whoever sends them, such as
    /// `bytes::Bytes::from_owner`. No byte is copied; the owner zeroizes on drop. Each caller
    /// outside this crate is on the reviewed list.
    #[must_use]
    pub fn expose_owned(self) -> ExposedBytes {
        ExposedBytes(self)
    }

    /// Zeroes everything and starts again.
    pub fn clear(&mut self) {
        // Behind what was pushed nothing was ever written.
        self.bytes[..self.len].zeroize();
        self.len = 0;
    }
}

impl Drop for SecretBuffer {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret bytes]")
    }
}

/// For serializers. A write that does not fit writes nothing and fails with
/// [`io::ErrorKind::StorageFull`].
impl io::Write for SecretBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.push_bytes(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(full) => Err(io::Error::new(io::ErrorKind::StorageFull, full)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A [`SecretBuffer`] on its way to a socket: it lends its bytes and zeroizes them on drop.
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::ExposedBytes>();
/// ```
pub struct ExposedBytes(SecretBuffer);

impl AsRef<[u8]> for ExposedBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

impl fmt::Debug for ExposedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arena, Digit, FieldIndex};
    use proptest::prelude::*;
    use std::io::Write;

    #[test]
    fn bytes_that_do_not_fit_change_nothing() {
        let mut buffer = SecretBuffer::with_capacity(4);
        buffer.push_bytes(b"abc").unwrap();
        assert_eq!(buffer.push_bytes(b"de"), Err(BufferFull));
        assert_eq!(buffer.expose(), b"abc");
        assert_eq!(buffer.push_bytes(b"d"), Ok(()));
        assert_eq!((buffer.len(), buffer.capacity()), (4, 4));
    }

    #[test]
    fn clearing_zeroes_the_memory_and_not_only_the_length() {
        let mut buffer = SecretBuffer::with_capacity(8);
        buffer.push_bytes(b"password").unwrap();
        buffer.clear();
        assert!(buffer.is_empty());
        assert_eq!(*buffer.bytes, [0; 8]);
    }

    #[test]
    fn captured_digits_arrive_without_leaving_the_crate() {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        for value in [1, 2] {
            slot.push(FieldIndex::ALL[0], Digit::from_value(value).unwrap())
                .unwrap();
        }
        let mut buffer = SecretBuffer::with_capacity(8);
        buffer.push_bytes(b"<").unwrap();
        buffer
            .push_digits(&slot.digits(FieldIndex::ALL[0]))
            .unwrap();
        assert_eq!(buffer.expose(), b"<12");
    }

    #[test]
    fn the_owner_lends_the_same_bytes_without_a_copy() {
        let mut buffer = SecretBuffer::with_capacity(16);
        buffer.push_bytes(b"{}").unwrap();
        let before = buffer.expose().as_ptr();
        let owner: Box<dyn AsRef<[u8]> + Send> = Box::new(buffer.expose_owned());
        assert_eq!((*owner).as_ref(), b"{}");
        assert_eq!((*owner).as_ref().as_ptr(), before);
    }

    #[test]
    fn a_serializer_that_overruns_gets_an_error_and_leaves_no_half_write() {
        let mut buffer = SecretBuffer::with_capacity(3);
        let error = buffer.write_all(b"four").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(buffer.is_empty());
    }

    #[test]
    fn debug_shows_no_byte() {
        let mut buffer = SecretBuffer::with_capacity(8);
        buffer.push_bytes(b"canary").unwrap();
        assert_eq!(format!("{buffer:?}"), "[secret bytes]");
        assert_eq!(format!("{:?}", buffer.expose_owned()), "[secret bytes]");
    }

    proptest! {
        #[test]
        fn a_buffer_holds_exactly_the_pieces_that_fit(
            capacity in 0usize..64,
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..12),
        ) {
            let mut buffer = SecretBuffer::with_capacity(capacity);
            let mut model = Vec::new();
            for piece in pieces {
                let fits = model.len() + piece.len() <= capacity;
                prop_assert_eq!(buffer.push_bytes(&piece).is_ok(), fits);
                if fits {
                    model.extend(piece);
                }
                prop_assert_eq!(buffer.expose(), model.as_slice());
                prop_assert_eq!(buffer.capacity(), capacity);
            }
        }
    }
}
