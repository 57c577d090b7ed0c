//! Where recordings are.
//! Owns: names of files, making and deleting them, wrapping their keys anew.
//! Never: takes a name from outside; leaves a deleted recording's key.

mod redaction;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::id::RecordingId;
use domain::service::SinkMedium;
use domain::time::UnixMillis;

use crate::header::{HEAD_BYTES, Header, HeaderError, SEGMENTS_OFFSET, SLOT_OFFSETS, Slots};
use crate::keys::{DataKey, KeyError, KeyRing, NONCE_BYTES, SLOT_BYTES, SealError};
use crate::reader::{OpenError, Reader};
use crate::screen::{ScreenHeader, ScreenReader};

pub use redaction::{RedactFileError, SettledRedaction};

/// A key slot without a key.
const NO_KEY: [u8; SLOT_BYTES] = [0; SLOT_BYTES];

/// The folder of all recordings, one folder for each UTC day in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
}

/// Something could not be done with a file of the folder.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {path}")]
pub struct FolderError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    cause: io::Error,
}

/// A recording's key could not be wrapped anew; it opens as before.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// Its file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its head.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Its key, or the ring's active one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The cipher.
    #[error(transparent)]
    BugSeal(#[from] SealError),
}

impl Folder {
    /// The folder at a path, which is made if it is not there, for this user's eyes only.
    ///
    /// # Errors
    /// It cannot be made, or it is no folder.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let folder = Self { root: root.into() };
        make_folder(&folder.root).map_err(failed("making the folder", &folder.root))?;
        Ok(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a recording is that began at this time.
    #[must_use]
    pub fn path(&self, id: &RecordingId, began: UnixMillis) -> PathBuf {
        self.place(id, began, "twrec")
    }

    /// Where the recording of a screen is that began at this time.
    #[must_use]
    pub fn screen_path(&self, id: &RecordingId, began: UnixMillis) -> PathBuf {
        self.place(id, began, "twscr")
    }

    /// Where the recording of a medium is that began at this time.
    #[must_use]
    pub fn path_of(&self, (id, began): (&RecordingId, UnixMillis), medium: SinkMedium) -> PathBuf {
        match medium {
            SinkMedium::Call => self.path(id, began),
            SinkMedium::Screen => self.screen_path(id, began),
        }
    }

    fn place(&self, id: &RecordingId, began: UnixMillis, kind: &str) -> PathBuf {
        self.root.join(began.utc_day()).join(format!("{id}.{kind}"))
    }

    /// Opens a recording for reading.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn read(
        &self,
        (id, began): (&RecordingId, UnixMillis),
        ring: &KeyRing,
    ) -> Result<Reader<File>, ReadFileError> {
        let path = self.path(id, began);
        let open = |file| Reader::open(file, ring);
        opened(path, open, |reader| reader.header().id == *id)
    }

    /// Opens the recording of a screen for reading.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn read_screen(
        &self,
        (id, began): (&RecordingId, UnixMillis),
        ring: &KeyRing,
    ) -> Result<ScreenReader<File>, ReadFileError> {
        let path = self.screen_path(id, began);
        let open = |file| ScreenReader::open(file, ring);
        opened(path, open, |reader| reader.header().id == *id)
    }

    /// Makes the file of a new recording.
    pub(crate) fn create(&self, header: &Header) -> Result<(File, PathBuf), FolderError> {
        self.create_at(self.path(&header.id, header.began))
    }

    /// Makes the file of a new recording of a screen.
    pub(crate) fn create_screen(
        &self,
        header: &ScreenHeader,
    ) -> Result<(File, PathBuf), FolderError> {
        self.create_at(self.screen_path(&header.id, header.began))
    }

    fn create_at(&self, path: PathBuf) -> Result<(File, PathBuf), FolderError> {
        if let Some(day) = path.parent() {
            make_folder(day).map_err(failed("making the folder", day))?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("making", &path))?;
        Ok((file, path))
    }

    /// Deletes a recording: its key first, so that what a disk keeps of its blocks is noise. Whether there was one. Interrupted, it is to be done again.
    ///
    /// # Errors
    /// The system refused.
    pub fn delete(&self, id: &RecordingId, began: UnixMillis) -> Result<bool, FolderError> {
        self.delete_medium((id, began), SinkMedium::Call)
    }

    /// The same for the recording of a screen.
    ///
    /// # Errors
    /// The system refused.
    pub fn delete_screen(&self, id: &RecordingId, began: UnixMillis) -> Result<bool, FolderError> {
        self.delete_medium((id, began), SinkMedium::Screen)
    }

    fn delete_medium(
        &self,
        named: (&RecordingId, UnixMillis),
        medium: SinkMedium,
    ) -> Result<bool, FolderError> {
        self.forget_redaction(named, medium)?;
        delete_at(&self.path_of(named, medium))
    }

    /// Wraps a recording's key with the ring's active key, if it is not yet; whether it was done. The audio stays as it is. `nonce` is random and used here alone.
    ///
    /// # Errors
    /// The key that wraps it is not at hand, or the file cannot be read or written. It opens as before then.
    pub fn rewrap(
        &self,
        (id, began): (&RecordingId, UnixMillis),
        ring: &KeyRing,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<bool, RewrapError> {
        let path = self.path(id, began);
        rewrap_at(&path, ring, nonce, |start| {
            let (header, slots) = Header::parse(start)?;
            Ok((header.encode(), slots))
        })
    }

    /// The same for the recording of a screen.
    ///
    /// # Errors
    /// As [`Folder::rewrap`].
    pub fn rewrap_screen(
        &self,
        (id, began): (&RecordingId, UnixMillis),
        ring: &KeyRing,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<bool, RewrapError> {
        let path = self.screen_path(id, began);
        rewrap_at(&path, ring, nonce, |start| {
            let (header, slots) = ScreenHeader::parse(start)?;
            Ok((header.encode(), slots))
        })
    }
}

/// Wraps the key of the file at a path anew, whose first bytes hold head and slots.
fn rewrap_at(
    path: &Path,
    ring: &KeyRing,
    nonce: [u8; NONCE_BYTES],
    parse: impl FnOnce(&[u8]) -> Result<([u8; HEAD_BYTES], Slots), HeaderError>,
) -> Result<bool, RewrapError> {
    let active = ring.active()?;
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(failed("opening", path))?;
    let mut start = vec![0; SEGMENTS_OFFSET];
    let read = crate::Source::read_at(&file, 0, &mut start).map_err(failed("reading", path))?;
    let (head, slots) = parse(start.get(..read).unwrap_or_default())?;
    let order = if active.wrapped(&slots[1]) {
        [1, 0]
    } else {
        [0, 1]
    };
    let mut opened = Err(KeyError::OperatorDeleted);
    for holder in order {
        if opened.is_ok() {
            break;
        }
        let slot = &slots[holder];
        let key = DataKey::unwrap(ring, [slot, &NO_KEY], &head);
        if key.is_ok() || *slot != NO_KEY {
            opened = key.map(|key| (holder, key));
        }
    }
    let (holder, key) = opened?;
    let other = 1 - holder;
    let retired = match (active.wrapped(&slots[holder]), slots[other] == NO_KEY) {
        (true, true) => return Ok(false),
        // An interrupted rewrapping.
        (true, false) => other,
        (false, _) => {
            let slot = key.wrap(active, nonce, &head)?;
            write_slot(&file, SLOT_OFFSETS[other], &slot)
                .map_err(failed("writing the new key of", path))?;
            holder
        }
    };
    write_slot(&file, SLOT_OFFSETS[retired], &NO_KEY)
        .map_err(failed("deleting the old key of", path))?;
    Ok(true)
}

/// A recording's file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFileError {
    /// The file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What is in it.
    #[error("opening {path}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: OpenError,
    },
    /// It is another recording's.
    #[error("{path} holds another recording; put the file back under its own name")]
    PeerOther {
        /// Which.
        path: PathBuf,
    },
}

/// Deletes a file, its key first. Whether there was one.
fn delete_at(path: &Path) -> Result<bool, FolderError> {
    if !delete_key(path)? {
        return Ok(false);
    }
    fs::remove_file(path).map_err(failed("deleting", path))?;
    sync_folder_of(path)?;
    Ok(true)
}

/// From then on what is in a file is noise. Whether there was one.
fn delete_key(path: &Path) -> Result<bool, FolderError> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("opening", path)(error)),
    };
    for at in SLOT_OFFSETS {
        write_slot(&file, at, &NO_KEY).map_err(failed("deleting the key of", path))?;
    }
    Ok(true)
}

/// What a file is called and that it is gone outlives a power cut.
fn sync_folder_of(path: &Path) -> Result<(), FolderError> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("syncing the folder", folder))
}

fn write_slot(file: &File, at: usize, slot: &[u8; SLOT_BYTES]) -> io::Result<()> {
    file.write_all_at(slot, u64::try_from(at).unwrap_or(u64::MAX))?;
    file.sync_data()
}

/// Opens the file of a recording, which has to be the one that is looked for.
fn opened<R>(
    path: PathBuf,
    open: impl FnOnce(File) -> Result<R, OpenError>,
    is_it: impl FnOnce(&R) -> bool,
) -> Result<R, ReadFileError> {
    let file = File::open(&path).map_err(failed("opening", &path))?;
    match open(file) {
        Ok(reader) if is_it(&reader) => Ok(reader),
        Ok(_) => Err(ReadFileError::PeerOther { path }),
        Err(cause) => Err(ReadFileError::Open { path, cause }),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn failed<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> FolderError + 'a {
    move |cause| FolderError {
        doing,
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests;
