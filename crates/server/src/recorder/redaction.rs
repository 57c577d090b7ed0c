//! Removing a part of a recording on behalf of a person.
//! Owns: what stands in the trail and in the row, and when; what is done after a restart.
//! Never: makes a file, which `recording` does; says that a part is removed whose old file still opens.

use std::collections::BTreeSet;
use std::error::Error;
use std::ops::Range;

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Audited, Change, RecordingChangeError, RecordingFileError, Recordings, Store, StoreError,
};
use domain::id::RecordingId;
use domain::recording::{
    Recording, RecordingChange, RecordingEnd, RecordingEnding, RecordingState,
};
use domain::service::SinkMedium;
use recording::{
    Ending, Folder, KeyRing, ReadFileError, RedactError, RedactFileError, SettledRedaction,
};

use super::files::refused;
use super::opened::ending;
use super::rows::Rows;
use super::told;

/// Samples of a track in a millisecond.
const SAMPLES_PER_MS: u64 = 8;

impl Rows {
    /// Removes a part: first the entry that says so, then the new file in the old one's place, the old one's key, a scan, the row with a second entry. Interrupted
    /// before the new file is in its place, it removed nothing; behind that, the next start or change of the recording does the rest.
    pub(super) async fn redact(
        &self,
        id: &RecordingId,
        part_ms: Range<u64>,
        by: &Actor,
        reason: &str,
    ) -> Result<(), RecordingChangeError> {
        let _alone = self.changing.lock().await;
        let found = self.ended(id).await?.ok_or(StoreError::Conflict)?;
        self.settle_redaction(&found).await?;
        // One that is settled now has another end.
        let row = self.ended(id).await?.ok_or(StoreError::Conflict)?;
        let about = |action| {
            self.entry_by(by, action, &row)
                .with("from_ms", part_ms.start)
                .with("until_ms", part_ms.end)
                .with("reason", reason)
        };
        let entry = about(AuditAction::RecordingRedactionBegan);
        let change = Change::None;
        self.database.commit(Audited { change, entry }).await?;
        self.replace(&row, part_ms.clone()).await?;
        self.tell(&row, about(AuditAction::RecordingRedacted)).await
    }

    /// Settles all redactions that an earlier life of this node left, or that a disk or the database refused halfway. One that cannot be is an alarm, and tried again
    /// within the hour, or when somebody changes the recording.
    pub(super) async fn settle_redactions(&self) -> Result<(), StoreError> {
        let _alone = self.changing.lock().await;
        let folder = self.folder.clone();
        let left = waiting(move || folder.redactions()).await?;
        let left = left.unwrap_or_else(|error| {
            tracing::error!(
                error = told(&error),
                "alarm: interrupted removals of parts of recordings are not settled"
            );
            BTreeSet::new()
        });
        for id in left {
            let Some(row) = self.ended(&id).await? else {
                continue;
            };
            if let Err(error) = self.settle_redaction(&row).await {
                tracing::error!(recording = %id, error = told(&error), "alarm: an interrupted removal of a part of a recording is not settled");
            }
        }
        Ok(())
    }

    /// Undoes an interrupted redaction, or does the rest of it.
    async fn settle_redaction(&self, row: &Recording) -> Result<(), RecordingChangeError> {
        let (folder, id, began) = (self.folder.clone(), row.id.clone(), row.began);
        let medium = row.medium;
        let settled = waiting(move || folder.settle_redaction((&id, began), medium)).await?;
        match settled.map_err(|error| unavailable(row, &error))? {
            SettledRedaction::None | SettledRedaction::Undone => Ok(()),
            SettledRedaction::Done => {
                let action = AuditAction::RecordingRedacted;
                let entry = self.entry_by(&Actor::system(), action, row);
                self.tell(row, entry.with("resumed", true)).await
            }
        }
    }

    /// Puts the new file in the place of the old one, if that ends as its row says: a new one would hide that somebody shortened it.
    async fn replace(
        &self,
        row: &Recording,
        part_ms: Range<u64>,
    ) -> Result<(), RecordingChangeError> {
        let before = end_of(row)?;
        let (folder, ring, row) = (self.folder.clone(), self.ring()?, row.clone());
        let redact = move || {
            let named = (&row.id, row.began);
            let failed = |error: &RedactFileError| failure(&row, error);
            let (is, start) = found(&folder, &row, &ring).map_err(|error| failed(&error.into()))?;
            if let RecordingEnding::Damaged { why } = ending(is, &before) {
                return Err(RecordingFileError::PeerDamaged { why });
            }
            let place = |ms: u64| start.saturating_add(ms.saturating_mul(SAMPLES_PER_MS));
            let redacted = match row.medium {
                SinkMedium::Call => {
                    let part = place(part_ms.start)..place(part_ms.end);
                    folder.redact(named, &ring, part)
                }
                SinkMedium::Screen => folder.redact_screen(named, &ring, &part_ms),
            };
            redacted.map_err(|error| failed(&error))
        };
        Ok(waiting(redact).await??)
    }

    /// Of a recording whose new file is in its place: scans it if it is of a call, tells its row, then nothing is left of the old one.
    async fn tell(&self, row: &Recording, entry: AuditEntry) -> Result<(), RecordingChangeError> {
        let found = self.redacted_end(row).await?;
        if row.medium == SinkMedium::Call {
            self.scan_again(row, found).await?;
        }
        let ring = self.ring()?;
        let change = RecordingChange::Redact {
            id: row.id.clone(),
            end: found,
            key_id: ring
                .active()
                .map_err(|error| unavailable(row, &error))?
                .id()
                .to_string(),
        };
        self.commit(change, entry).await?;
        let (folder, id, began) = (self.folder.clone(), row.id.clone(), row.began);
        let medium = row.medium;
        let forgotten = waiting(move || folder.forget_redaction((&id, began), medium)).await?;
        Ok(forgotten.map_err(|error| unavailable(row, &error))?)
    }

    /// How the new file ends.
    async fn redacted_end(&self, row: &Recording) -> Result<RecordingEnd, RecordingChangeError> {
        let before = end_of(row)?;
        let (folder, ring) = (self.folder.clone(), self.ring()?);
        let row = row.clone();
        let look = move || {
            let path = folder.path_of((&row.id, row.began), row.medium);
            let found = found(&folder, &row, &ring).map_err(|error| {
                tracing::error!(recording = %row.id, error = told(&error), "a redacted recording cannot be read");
                refused(&error)
            })?;
            let about = std::fs::metadata(path).map_err(|error| {
                tracing::error!(recording = %row.id, %error, "a redacted recording cannot be measured");
                RecordingFileError::Unavailable
            })?;
            let ((is, segments), _) = found;
            let last = segments.checked_sub(1).filter(|_| is == Ending::Whole);
            Ok::<_, RecordingFileError>((about.len(), last))
        };
        let (bytes, final_segment) = waiting(look).await??;
        Ok(RecordingEnd {
            bytes,
            final_segment,
            ..before
        })
    }

    /// One that has ended.
    async fn ended(&self, id: &RecordingId) -> Result<Option<Recording>, StoreError> {
        let row = self.database.recording(id).await?;
        Ok(row.filter(|row| matches!(row.state, RecordingState::Ended(_))))
    }
}

/// How the file of a recording ends, with how many segments, and its first position.
fn found(
    folder: &Folder,
    row: &Recording,
    ring: &KeyRing,
) -> Result<((Ending, u32), u64), ReadFileError> {
    let named = (&row.id, row.began);
    match row.medium {
        SinkMedium::Call => folder.read(named, ring).map(|reader| {
            let is = (reader.ending(), reader.segments());
            (is, reader.positions().start)
        }),
        SinkMedium::Screen => folder
            .read_screen(named, ring)
            .map(|reader| ((reader.ending(), reader.segments()), 0)),
    }
}

fn end_of(row: &Recording) -> Result<RecordingEnd, StoreError> {
    match row.state {
        RecordingState::Ended(end) => Ok(end),
        RecordingState::Running | RecordingState::Deleting(_) => Err(StoreError::Conflict),
    }
}

/// Does something with a disk on a thread that may wait.
async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// The person is told without paths; the log has them.
fn failure(row: &Recording, error: &RedactFileError) -> RecordingFileError {
    let said = unavailable(row, error);
    match error {
        RedactFileError::Read(error) => refused(error),
        RedactFileError::Redact {
            cause: cause @ (RedactError::OperatorEmpty | RedactError::PeerDamaged { .. }),
            ..
        } => RecordingFileError::PeerDamaged {
            why: cause.to_string(),
        },
        RedactFileError::Redact { .. }
        | RedactFileError::Folder(_)
        | RedactFileError::Key(_)
        | RedactFileError::NoRandom(_) => said,
    }
}

fn unavailable(row: &Recording, error: &(dyn Error + 'static)) -> RecordingFileError {
    tracing::error!(recording = %row.id, error = told(error), "removing a part of a recording");
    RecordingFileError::Unavailable
}
