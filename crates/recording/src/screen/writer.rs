//! Writing the recording of a screen.
//! Owns: a file that is being written, the numbers of its segments, what a refusing disk left unwritten.
//! Never: says that a recording is whole whose final segment is not in its file; seals a number twice.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::folder::{Folder, FolderError, failed};
use crate::header::{SEGMENTS_OFFSET, begin_file};
use crate::keys::{DataKey, KeyRing, SealError};
use crate::reader::wide;
use crate::writer::BeginError;

use super::header::ScreenHeader;
use super::segment::{CHUNK_BYTES_MAX, Head, Kind, MEDIA_TYPE_BYTES_MAX, Place};

/// Bytes of small segments that wait behind a refused chunk: a part, a pause and what follows it, many times over.
const SMALL_BYTES_MAX: usize = 64 * 1_024;

/// A segment was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ScreenWriteError {
    /// The disk refuses, and what it refused before is kept until it does not. The same may be asked again.
    #[error(transparent)]
    Disk(#[from] FolderError),
    /// An empty chunk, one beyond [`CHUNK_BYTES_MAX`], or a media type beyond [`MEDIA_TYPE_BYTES_MAX`].
    #[error("{0} bytes are not taken")]
    PeerSize(usize),
    /// The file has as many segments as it can.
    #[error("the recording has as many segments as a file can have")]
    PeerFull,
    /// The cipher refused.
    #[error(transparent)]
    BugSeal(#[from] SealError),
}

/// How the recording of a screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenEnded {
    /// Number of its final segment.
    pub final_segment: u32,
    /// Bytes of its file.
    pub bytes: u64,
}

/// The file of one screen's recording, while it is written. It waits for its disk: callers give it a thread that may.
#[derive(Debug)]
pub struct ScreenWriter {
    file: File,
    path: PathBuf,
    header: ScreenHeader,
    key: DataKey,
    number: u32,
    /// Where `held` belongs.
    offset: u64,
    /// Sealed and not yet written: written again byte for byte.
    held: Vec<u8>,
}

impl ScreenWriter {
    /// Makes the file. Its key is new, wrapped by the ring's active one.
    ///
    /// # Errors
    /// There is no key, no random bytes, or no room for a file.
    pub fn begin(
        folder: &Folder,
        header: ScreenHeader,
        ring: &KeyRing,
    ) -> Result<Self, BeginError> {
        let (key, nonce) = DataKey::random().map_err(BeginError::NoRandom)?;
        let start = begin_file(&header.encode(), &key, ring.active()?, nonce)?;
        let (file, path) = folder.create_screen(&header)?;
        file.write_all_at(&start, 0)
            .map_err(failed("writing", &path))?;
        Ok(Self {
            file,
            path,
            header,
            key,
            number: 0,
            offset: wide(SEGMENTS_OFFSET),
            held: Vec::new(),
        })
    }

    /// Begins part `part` at `begin_ms` milliseconds of the recording.
    ///
    /// # Errors
    /// It was not taken.
    pub fn part(
        &mut self,
        part: u16,
        begin_ms: u64,
        media_type: &str,
    ) -> Result<(), ScreenWriteError> {
        let index = media_type.as_bytes();
        if index.len() > MEDIA_TYPE_BYTES_MAX {
            return Err(ScreenWriteError::PeerSize(index.len()));
        }
        let head = Head {
            part,
            index_bytes: index.len(),
            ..self.small(Kind::Part, begin_ms)
        };
        self.append(&head, (index, &[]))
    }

    /// Takes chunk `sequence` of part `part`, whose video ends at `until_ms`. Nothing is taken while what was taken before waits for the disk.
    ///
    /// # Errors
    /// It was not taken.
    pub fn chunk(
        &mut self,
        (part, sequence): (u16, u32),
        until_ms: u64,
        bytes: &[u8],
    ) -> Result<(), ScreenWriteError> {
        if !(1..=CHUNK_BYTES_MAX).contains(&bytes.len()) {
            return Err(ScreenWriteError::PeerSize(bytes.len()));
        }
        self.write_held()?;
        let head = Head {
            part,
            sequence,
            chunk_bytes: bytes.len(),
            ..self.small(Kind::Chunk, until_ms)
        };
        self.append(&head, (&[], bytes))
    }

    /// Notes that nothing is recorded from `at_ms` on.
    ///
    /// # Errors
    /// It was not noted.
    pub fn pause(&mut self, at_ms: u64) -> Result<(), ScreenWriteError> {
        self.append(&self.small(Kind::Pause, at_ms), (&[], &[]))
    }

    /// Notes that a pause ends at `at_ms`.
    ///
    /// # Errors
    /// It was not noted.
    pub fn resume(&mut self, at_ms: u64) -> Result<(), ScreenWriteError> {
        self.append(&self.small(Kind::Resume, at_ms), (&[], &[]))
    }

    /// Ends the recording at `at_ms`, and waits until the disk has it.
    ///
    /// # Errors
    /// The disk refused: the file stays cut. It may be asked again.
    pub fn end(&mut self, at_ms: u64) -> Result<ScreenEnded, ScreenWriteError> {
        self.write_held()?;
        let head = self.small(Kind::Final, at_ms);
        self.append(&head, (&[], &[]))?;
        self.write_held()?;
        self.file
            .sync_data()
            .map_err(failed("syncing", &self.path))?;
        Ok(ScreenEnded {
            final_segment: head.number,
            bytes: self.offset,
        })
    }

    /// The disk has not taken all that this has.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.held.is_empty()
    }

    fn small(&self, kind: Kind, at_ms: u64) -> Head {
        Head {
            kind,
            number: self.number,
            part: 0,
            sequence: 0,
            at_ms,
            index_bytes: 0,
            chunk_bytes: 0,
        }
    }

    /// Seals a segment and tries to write it. What the disk refuses then is held: it is taken.
    fn append(&mut self, head: &Head, content: (&[u8], &[u8])) -> Result<(), ScreenWriteError> {
        if self.held.len() >= CHUNK_BYTES_MAX + SMALL_BYTES_MAX {
            self.write_held()?;
        }
        let next = self.number.checked_add(1);
        let next = next.ok_or(ScreenWriteError::PeerFull)?;
        let place = Place {
            key: &self.key,
            id: &self.header.id,
        };
        place.seal(head, content, &mut self.held)?;
        self.number = next;
        // Whoever comes next, or asks whether it is refused, hears of it.
        let _held = self.try_write();
        Ok(())
    }

    fn write_held(&mut self) -> Result<(), FolderError> {
        let done = self.try_write();
        done.map_err(failed("writing", &self.path))
    }

    fn try_write(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.file.write_all_at(&self.held, self.offset)?;
        self.offset = self.offset.saturating_add(wide(self.held.len()));
        self.held.clear();
        Ok(())
    }
}
