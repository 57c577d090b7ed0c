//! Kept recordings, for pages.
//! Owns: opening, deleting and redacting one on behalf of a person, and what an unusable file is told as.
//! Never: decides who may; opens one that is still written; reads on a thread of the runtime.

use std::error::Error;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use domain::access::Actor;
use domain::boundary::{
    OpenRecording, OpenScreen, RecordingChangeError, RecordingFileError, RecordingFiles,
    StoreError, Task,
};
use domain::id::RecordingId;
use domain::recording::{Recording, RecordingEnd, RecordingState};
use domain::time::UnixMillis;
use recording::{Folder, KeyError, KeyRing, OpenError, ReadFileError};
use tokio::sync::Semaphore;

use super::opened::{Opened, Room};
use super::opened_screen::OpenedScreen;
use super::rows::Rows;
use super::told;

/// Reads at once: each takes a thread for some milliseconds, and more than a disk's queue only wait there instead.
const READS_MAX: usize = 8;
/// Recordings that are encoded at once. Each takes a whole core for 11 s per half hour, and calls come first.
const ENCODINGS_MAX: usize = 2;

/// What names a file.
type Named<'a> = (&'a RecordingId, UnixMillis);

/// The files of this node's recordings.
pub(super) struct Files {
    rows: Arc<Rows>,
    room: Room,
}

impl Files {
    pub(super) fn new(rows: Arc<Rows>) -> Self {
        Self {
            rows,
            room: Room {
                reads: Arc::new(Semaphore::new(READS_MAX)),
                encodings: Arc::new(Semaphore::new(ENCODINGS_MAX)),
            },
        }
    }

    fn is_here(&self, recording: &Recording) -> Result<(), RecordingFileError> {
        if recording.node == self.rows.node {
            Ok(())
        } else {
            Err(RecordingFileError::OtherNode {
                node: recording.node.clone(),
            })
        }
    }

    async fn try_open(&self, row: &Recording) -> Result<Opened, RecordingFileError> {
        let read = |folder: &Folder, named: Named<'_>, ring: &KeyRing| folder.read(named, ring);
        let (reader, end) = self.opened_by(row, read).await?;
        Opened::new(row.id.clone(), reader, &end, self.room.clone())
    }

    async fn try_open_screen(&self, row: &Recording) -> Result<OpenedScreen, RecordingFileError> {
        let read =
            |folder: &Folder, named: Named<'_>, ring: &KeyRing| folder.read_screen(named, ring);
        let (reader, end) = self.opened_by(row, read).await?;
        let (id, room) = (row.id.clone(), self.room.clone());
        Ok(OpenedScreen::new(id, reader, &end, room))
    }

    /// Opens the file of one that is here and has ended, and says how that was.
    async fn opened_by<R: Send + 'static>(
        &self,
        row: &Recording,
        read: impl FnOnce(&Folder, Named<'_>, &KeyRing) -> Result<R, ReadFileError> + Send + 'static,
    ) -> Result<(R, RecordingEnd), RecordingFileError> {
        self.is_here(row)?;
        let RecordingState::Ended(end) = row.state else {
            return Err(RecordingFileError::Missing);
        };
        let ring = self.rows.ring().map_err(|error| {
            tracing::error!(recording = %row.id, error = told(&error), "keys of recordings");
            RecordingFileError::Unavailable
        })?;
        let (folder, id, began) = (self.rows.folder.clone(), row.id.clone(), row.began);
        let open = move || {
            read(&folder, (&id, began), &ring).map_err(|error| {
                tracing::warn!(recording = %id, error = told(&error), "a recording cannot be opened");
                refused(&error)
            })
        };
        Ok((self.room.read(open).await?, end))
    }
}

impl RecordingFiles for Files {
    fn open<'a>(
        &'a self,
        recording: &'a Recording,
    ) -> Task<'a, Result<Arc<dyn OpenRecording>, RecordingFileError>> {
        Box::pin(async move {
            let opened: Arc<dyn OpenRecording> = Arc::new(self.try_open(recording).await?);
            Ok(opened)
        })
    }

    fn open_screen<'a>(
        &'a self,
        recording: &'a Recording,
    ) -> Task<'a, Result<Arc<dyn OpenScreen>, RecordingFileError>> {
        Box::pin(async move {
            let opened: Arc<dyn OpenScreen> = Arc::new(self.try_open_screen(recording).await?);
            Ok(opened)
        })
    }

    fn delete<'a>(
        &'a self,
        recording: &'a Recording,
        by: &'a Actor,
        reason: &'a str,
    ) -> Task<'a, Result<(), RecordingChangeError>> {
        Box::pin(async move {
            self.is_here(recording)?;
            let (rows, recording) = (self.rows.clone(), recording.clone());
            let (by, reason) = (by.clone(), reason.to_owned());
            let deletion = tokio::spawn(async move { rows.delete(&recording, &by, &reason).await });
            if deletion.await.map_err(broke_off)?? {
                Ok(())
            } else {
                Err(RecordingFileError::Unavailable.into())
            }
        })
    }

    fn redact<'a>(
        &'a self,
        recording: &'a Recording,
        part_ms: Range<u64>,
        by: &'a Actor,
        reason: &'a str,
    ) -> Task<'a, Result<(), RecordingChangeError>> {
        Box::pin(async move {
            self.is_here(recording)?;
            let (rows, id) = (self.rows.clone(), recording.id.clone());
            let (by, reason) = (by.clone(), reason.to_owned());
            let redaction =
                tokio::spawn(async move { rows.redact(&id, part_ms, &by, &reason).await });
            redaction.await.map_err(broke_off)?
        })
    }
}

fn broke_off(error: tokio::task::JoinError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// An unusable file as the person who asked is told of it, without paths.
pub(super) fn refused(error: &ReadFileError) -> RecordingFileError {
    let damaged = |why: &dyn Error| RecordingFileError::PeerDamaged {
        why: why.to_string(),
    };
    match error {
        ReadFileError::Folder(folder) if is_not_found(folder) => RecordingFileError::Missing,
        ReadFileError::Folder(_)
        | ReadFileError::Open {
            cause: OpenError::Read(_),
            ..
        } => RecordingFileError::Unavailable,
        ReadFileError::Open {
            cause: OpenError::Key(KeyError::ConfigMissing(id)),
            ..
        } => RecordingFileError::ConfigKey {
            key_id: id.to_string(),
        },
        ReadFileError::Open { cause, .. } => damaged(cause),
        ReadFileError::PeerOther { .. } => RecordingFileError::PeerDamaged {
            why: "it holds another recording; put each file back under its own name".to_owned(),
        },
    }
}

fn is_not_found(error: &dyn Error) -> bool {
    let cause = error.source().and_then(<dyn Error>::downcast_ref);
    cause.is_some_and(|cause: &io::Error| cause.kind() == io::ErrorKind::NotFound)
}
