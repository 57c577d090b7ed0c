//! Putting a redacted file in the place of the one that it was made from.
//! Owns: the order of its steps, and what is done about one that was interrupted.
//! Never: leaves a recording without a readable file, or with two once the new one is in its place.
//!
//! Both other names of a recording lie in the folder `redacting`. `ID.new` is the new file until it takes the recording's name; `ID.old` is the old one from then on,
//! until all that speaks of the recording knows. So the names tell how far an interrupted one came.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::id::RecordingId;
use domain::service::SinkMedium;
use domain::time::UnixMillis;

use super::sync_folder_of;
use super::{Folder, FolderError, ReadFileError, delete_at, delete_key, failed, make_folder};
use crate::keys::{DataKey, KeyError, KeyRing};
use crate::redact::{RedactError, redact};
use crate::screen::redact_screen;

/// Its name is no day's.
const FOLDER: &str = "redacting";

/// A part of a recording could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum RedactFileError {
    /// A file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] ReadFileError),
    /// The ring has no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandom(#[source] rand::rand_core::OsError),
    /// The part, or what is in the recording.
    #[error("removing a part of {path}")]
    Redact {
        /// Of which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: RedactError,
    },
}

/// How far an interrupted redaction had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledRedaction {
    /// There was none.
    None,
    /// Not far: the recording is as it was before, and nothing is left of the new file.
    Undone,
    /// The new file is the recording, and nothing opens the old one: what speaks of the recording is to be told, then [`Folder::forget_redaction`].
    Done,
}

/// The three names that matter, and the one by one steps of a redaction.
struct Steps {
    path: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Folder {
    fn redacting(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    fn steps(&self, named: (&RecordingId, UnixMillis), medium: SinkMedium) -> Steps {
        let folder = self.redacting();
        let (id, _) = named;
        Steps {
            path: self.path_of(named, medium),
            new: folder.join(format!("{id}.new")),
            old: folder.join(format!("{id}.old")),
        }
    }

    /// Removes a part of a recording that has ended, as [`redact`] does: once this is answered the recording's file has it no more, and nothing opens the old one. Then
    /// what speaks of the recording is told, and [`Folder::forget_redaction`] called. Interrupted, [`Folder::settle_redaction`] says what became of it: it comes first.
    ///
    /// # Errors
    /// The recording cannot be read, holds nothing in the part or is damaged, or the system refused.
    pub fn redact(
        &self,
        named: (&RecordingId, UnixMillis),
        ring: &KeyRing,
        part: Range<u64>,
    ) -> Result<(), RedactFileError> {
        let steps = self.begin_redaction(named, SinkMedium::Call)?;
        let reader = self.read(named, ring)?;
        let (key, nonce) = DataKey::random().map_err(RedactFileError::NoRandom)?;
        let under = (ring.active()?, nonce);
        steps.write_new(|out| redact(&reader, part, &key, under, out))?;
        Ok(steps.put_in_place()?)
    }

    /// Removes the parts of a screen's recording that lie in a stretch of it, in milliseconds, as [`redact_screen`] does, and else as [`Folder::redact`].
    ///
    /// # Errors
    /// The recording cannot be read, has no part in the stretch or is damaged, or the system refused.
    pub fn redact_screen(
        &self,
        named: (&RecordingId, UnixMillis),
        ring: &KeyRing,
        stretch_ms: &Range<u64>,
    ) -> Result<(), RedactFileError> {
        let steps = self.begin_redaction(named, SinkMedium::Screen)?;
        let reader = self.read_screen(named, ring)?;
        let (key, nonce) = DataKey::random().map_err(RedactFileError::NoRandom)?;
        let under = (ring.active()?, nonce);
        steps.write_new(|out| redact_screen(&reader, stretch_ms, &key, under, out))?;
        Ok(steps.put_in_place()?)
    }

    fn begin_redaction(
        &self,
        named: (&RecordingId, UnixMillis),
        medium: SinkMedium,
    ) -> Result<Steps, FolderError> {
        let folder = self.redacting();
        make_folder(&folder).map_err(failed("making the folder", &folder))?;
        Ok(self.steps(named, medium))
    }

    /// Undoes a redaction that was interrupted before the new file was in its place, and else ends the old one's key.
    ///
    /// # Errors
    /// The system refused; it is to be tried again.
    pub fn settle_redaction(
        &self,
        named: (&RecordingId, UnixMillis),
        medium: SinkMedium,
    ) -> Result<SettledRedaction, FolderError> {
        let steps = self.steps(named, medium);
        let is_undone = delete_at(&steps.new)?;
        if !is_there(&steps.old)? {
            return Ok(if is_undone {
                SettledRedaction::Undone
            } else {
                SettledRedaction::None
            });
        }
        // The swap takes the new file's name away, so there is none behind it.
        if is_undone || is_same(&steps.old, &steps.path)? {
            steps.remove_old()?;
            return Ok(SettledRedaction::Undone);
        }
        delete_key(&steps.old)?;
        Ok(SettledRedaction::Done)
    }

    /// Nothing is left of a redaction: settled first, whatever it was.
    ///
    /// # Errors
    /// The system refused; it is to be tried again.
    pub fn forget_redaction(
        &self,
        named: (&RecordingId, UnixMillis),
        medium: SinkMedium,
    ) -> Result<(), FolderError> {
        match self.settle_redaction(named, medium)? {
            SettledRedaction::None | SettledRedaction::Undone => Ok(()),
            SettledRedaction::Done => self.steps(named, medium).remove_old(),
        }
    }

    /// Recordings of which a redaction was interrupted.
    ///
    /// # Errors
    /// The system refused.
    pub fn redactions(&self) -> Result<BTreeSet<RecordingId>, FolderError> {
        let folder = self.redacting();
        let names = match fs::read_dir(&folder) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(failed("listing", &folder)(error)),
        };
        let names = names.collect::<io::Result<Vec<_>>>();
        let names = names.map_err(failed("listing", &folder))?;
        let id = |name: &fs::DirEntry| {
            Path::new(&name.file_name())
                .file_stem()?
                .to_str()?
                .parse()
                .ok()
        };
        Ok(names.iter().filter_map(id).collect())
    }
}

impl Steps {
    /// The new file is whole and on the disk, beside the recording.
    fn write_new(
        &self,
        write: impl FnOnce(&mut BufWriter<File>) -> Result<(), RedactError>,
    ) -> Result<(), RedactFileError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.new)
            .map_err(failed("making", &self.new))?;
        let mut out = BufWriter::new(file);
        let written = write(&mut out);
        let synced = written.and_then(|()| {
            out.flush().map_err(RedactError::Write)?;
            out.get_ref().sync_all().map_err(RedactError::Write)
        });
        if let Err(cause) = synced {
            delete_at(&self.new)?;
            let path = self.path.clone();
            return Err(RedactFileError::Redact { path, cause });
        }
        Ok(sync_folder_of(&self.new)?)
    }

    /// The recording's file has a second name, by which it is found once it has lost its first.
    fn name_old(&self) -> Result<(), FolderError> {
        fs::hard_link(&self.path, &self.old).map_err(failed("naming", &self.old))?;
        sync_folder_of(&self.old)
    }

    /// The new file is the recording.
    fn swap(&self) -> Result<(), FolderError> {
        fs::rename(&self.new, &self.path).map_err(failed("putting the new file at", &self.path))?;
        sync_folder_of(&self.path)?;
        sync_folder_of(&self.new)
    }

    /// The new file is whole: it becomes the recording, and nothing opens the old one.
    fn put_in_place(&self) -> Result<(), FolderError> {
        self.name_old()?;
        self.swap()?;
        delete_key(&self.old)?;
        Ok(())
    }

    fn remove_old(&self) -> Result<(), FolderError> {
        fs::remove_file(&self.old).map_err(failed("deleting", &self.old))?;
        sync_folder_of(&self.old)
    }
}

fn is_there(path: &Path) -> Result<bool, FolderError> {
    path.try_exists().map_err(failed("looking for", path))
}

/// Whether both are names of one file.
fn is_same(one: &Path, other: &Path) -> Result<bool, FolderError> {
    let about = |path: &Path| match fs::metadata(path) {
        Ok(about) => Ok(Some((about.dev(), about.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("looking at", path)(error)),
    };
    Ok(about(one)? == about(other)?)
}

#[cfg(test)]
mod tests;
