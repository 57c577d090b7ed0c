//! Bytes that a recording is read from.
//! Owns: reading at a place, from a file or from memory.
//! Never: moves a cursor, so that one file serves several readers.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Something with bytes at places.
pub trait Source {
    /// Reads bytes from `offset` on into `place` and says how many: fewer than asked for only at the end.
    ///
    /// # Errors
    /// The system could not read.
    fn read_at(&self, offset: u64, place: &mut [u8]) -> io::Result<usize>;
}

impl Source for File {
    fn read_at(&self, offset: u64, place: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = place.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            match FileExt::read_at(self, rest, at) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Source for &[u8] {
    fn read_at(&self, offset: u64, place: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = self.get(from..).unwrap_or_default();
        let len = bytes.len().min(place.len());
        for (to, byte) in place.iter_mut().zip(bytes) {
            *to = *byte;
        }
        Ok(len)
    }
}
