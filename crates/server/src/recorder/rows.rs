//! Rows of this node's recordings.
//! Owns: when a row is written, what is found in a file that nobody writes any more, deletion after the days that a service keeps recordings.
//! Never: forgets a row whose file may still be there.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Recordings, Store, StoreError};
use domain::id::{CallId, RecordingId, ServiceId, UserId};
use domain::recording::{Recording, RecordingChange, RecordingEnd, RecordingState};
use domain::service::SinkMedium;
use domain::time::WallClock;
use recording::{Ending, Folder, KeyId, KeyRing, WrappingKey};
use store::Database;
use tokio::sync::{Notify, mpsc};

use super::counts::Counters;
use super::told;

/// How often it is looked whether a recording is to be deleted: days are kept to the hour.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Recordings that are deleted at a go.
const SWEEP_ROWS: u32 = 100;
/// Why the server itself deletes one.
const DAYS_OVER: &str = "its days are over";
/// Samples a second.
const SAMPLE_RATE: u64 = 8_000;

/// A recording to be begun.
pub(super) struct New {
    pub(super) medium: SinkMedium,
    pub(super) call: CallId,
    pub(super) service: ServiceId,
    pub(super) agent: Option<UserId>,
    pub(super) keep_days: u16,
}

/// Rows, and the files that they speak of.
pub(super) struct Rows {
    pub(super) database: Arc<Database>,
    pub(super) folder: Folder,
    pub(super) clock: Arc<dyn WallClock>,
    pub(super) node: String,
    pub(super) counters: Arc<Counters>,
    /// Held while one is deleted or redacted, or what was found in it is noted: whoever comes second finds what the first one made of it.
    pub(super) changing: tokio::sync::Mutex<()>,
}

impl Rows {
    /// The keys at hand.
    pub(super) fn ring(&self) -> Result<KeyRing, StoreError> {
        let keys = self.database.recording_keys()?.into_iter();
        let keys = keys.map(|key| {
            let id = key.id.parse::<KeyId>();
            let id = id.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            Ok(WrappingKey::new(id, key.key))
        });
        Ok(KeyRing::new(keys.collect::<Result<_, StoreError>>()?))
    }

    /// Writes that a recording runs, before there is a file of it: so no file is without a row.
    pub(super) async fn begin(&self, new: &New, key: KeyId) -> Result<Recording, StoreError> {
        let began = self.clock.now();
        let recording = Recording {
            id: RecordingId::from_random(rand::random()),
            medium: new.medium,
            call: new.call.clone(),
            service: new.service.clone(),
            agent: new.agent.clone(),
            node: self.node.clone(),
            began,
            key_id: key.to_string(),
            keep_until: Recording::keep_until(began, new.keep_days),
            state: RecordingState::Running,
            scan: None,
        };
        let entry = self
            .entry(AuditAction::RecordingBegan, &recording)
            .with("medium", recording.medium.name())
            .with("service", recording.service.as_str())
            .with("agent", recording.agent.as_ref().map(UserId::as_str))
            .with("key", recording.key_id.as_str())
            .with("keep_until", recording.keep_until.utc_text());
        self.commit(RecordingChange::Insert(recording.clone()), entry)
            .await?;
        Ok(recording)
    }

    /// Writes how a recording ended that nobody writes any more, as its file says.
    pub(super) async fn end(&self, id: &RecordingId) -> Result<(), StoreError> {
        match self.database.recording(id).await? {
            Some(row) => self.close(&row).await,
            None => Ok(()),
        }
    }

    async fn close(&self, row: &Recording) -> Result<(), StoreError> {
        let end = self.found(row).await?;
        let entry = self
            .entry(AuditAction::RecordingEnded, row)
            .with("seconds", end.samples / SAMPLE_RATE)
            .with("cut", !end.is_whole());
        let id = row.id.clone();
        self.commit(RecordingChange::End { id, end }, entry).await
    }

    /// What is in its file. One that cannot be read has nothing, and the log says why.
    async fn found(&self, row: &Recording) -> Result<RecordingEnd, StoreError> {
        let (folder, ring) = (self.folder.clone(), self.ring()?);
        let (id, began, at) = (row.id.clone(), row.began, self.clock.now());
        let medium = row.medium;
        let look = move || {
            let path = folder.path_of((&id, began), medium);
            let bytes = std::fs::metadata(path).map_or(0, |about| about.len());
            let found = match medium {
                SinkMedium::Call => folder.read((&id, began), &ring).map(|reader| {
                    let positions = reader.positions();
                    let samples = positions.end.saturating_sub(positions.start);
                    (samples, reader.segments(), reader.ending())
                }),
                SinkMedium::Screen => folder.read_screen((&id, began), &ring).map(|reader| {
                    let samples = reader.length_ms().saturating_mul(SAMPLE_RATE / 1_000);
                    (samples, reader.segments(), reader.ending())
                }),
            };
            let (samples, segments, ending) = found.unwrap_or_else(|error| {
                tracing::error!(recording = %id, error = told(&error), "a recording cannot be read");
                (0, 0, Ending::Cut)
            });
            let is_whole = ending == Ending::Whole;
            RecordingEnd {
                at,
                samples,
                bytes,
                final_segment: segments.checked_sub(1).filter(|_| is_whole),
            }
        };
        let found = tokio::task::spawn_blocking(look).await;
        found.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Closes rows of recordings that were running when this node's server ended. How many were cut.
    pub(super) async fn close_left(&self) -> Result<usize, StoreError> {
        let left = self.database.running_recordings(&self.node).await?;
        for row in &left {
            self.close(row).await?;
        }
        Ok(left.len())
    }

    /// Writes ends as they come, until the writer is gone.
    pub(super) async fn write_ends(
        self: Arc<Self>,
        mut ended: mpsc::Receiver<RecordingId>,
        to_scan: Arc<Notify>,
    ) {
        while let Some(recording) = ended.recv().await {
            match self.end(&recording).await {
                Ok(()) => to_scan.notify_one(),
                Err(error) => {
                    tracing::error!(%recording, %error, "the row of a recording is closed at the next start");
                }
            }
        }
    }

    /// Deletes what is due and settles removals of parts that were refused halfway, again and again.
    pub(super) async fn sweep_for_ever(self: Arc<Self>) {
        loop {
            if let Err(error) = self.settle_redactions().await {
                tracing::error!(%error, "interrupted removals of parts of recordings are not settled");
            }
            if let Err(error) = self.sweep().await {
                tracing::error!(%error, "recordings that are due are not deleted");
            }
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    }

    /// Deletes what is due. How many were.
    pub(super) async fn sweep(&self) -> Result<usize, StoreError> {
        let mut deleted = 0;
        loop {
            let now = self.clock.now();
            let due = self.database.recordings_due(&self.node, now, SWEEP_ROWS);
            let due = due.await?;
            let before = deleted;
            for row in &due {
                match self.delete(row, &Actor::system(), DAYS_OVER).await {
                    // Somebody deleted it meanwhile.
                    Err(StoreError::Conflict) => {}
                    done => deleted += usize::from(done?),
                }
            }
            if deleted == before {
                return Ok(deleted);
            }
        }
    }

    /// Deletes one: first the entry that says so, then key and file, then the row. Interrupted, it is done again. Whether it is gone.
    pub(super) async fn delete(
        &self,
        row: &Recording,
        by: &Actor,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let _alone = self.changing.lock().await;
        match row.state {
            RecordingState::Running => return Err(StoreError::Conflict),
            RecordingState::Ended(_) => {
                let entry = self
                    .entry_by(by, AuditAction::RecordingDeletionBegan, row)
                    .with("reason", reason);
                let change = RecordingChange::BeginDeletion(row.id.clone());
                self.commit(change, entry).await?;
            }
            RecordingState::Deleting(_) => {}
        }
        let (folder, id, began) = (self.folder.clone(), row.id.clone(), row.began);
        let medium = row.medium;
        let delete = move || match medium {
            SinkMedium::Call => folder.delete(&id, began),
            SinkMedium::Screen => folder.delete_screen(&id, began),
        };
        let deleted = tokio::task::spawn_blocking(delete).await;
        let found = match deleted {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::error!(recording = %row.id, error = told(&error), "alarm: a recording that is to be deleted cannot be; it is tried again every hour");
                return Ok(false);
            }
            Err(error) => return Err(StoreError::Unavailable(error.to_string())),
        };
        let entry = self
            .entry_by(by, AuditAction::RecordingDeleted, row)
            .with("found", found);
        self.commit(RecordingChange::Delete(row.id.clone()), entry)
            .await?;
        self.counters.deleted.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    /// Writes that somebody shares a screen, or that it ended. `what`: the surface, or why.
    pub(super) async fn note_sharing(
        &self,
        by: &Actor,
        call: &CallId,
        on: bool,
        what: &str,
    ) -> Result<(), StoreError> {
        let object = format!("call {call}");
        let entry = AuditEntry::new(self.clock.now(), by, AuditAction::ScreenShared, object);
        let key = if on { "surface" } else { "why" };
        let entry = entry.with("on", on).with(key, what);
        let change = Change::None;
        self.database.commit(Audited { change, entry }).await?;
        Ok(())
    }

    fn entry(&self, action: AuditAction, row: &Recording) -> AuditEntry {
        self.entry_by(&Actor::system(), action, row)
    }

    pub(super) fn entry_by(&self, by: &Actor, action: AuditAction, row: &Recording) -> AuditEntry {
        AuditEntry::new(self.clock.now(), by, action, row.object()).with("call", row.call.as_str())
    }

    pub(super) async fn commit(
        &self,
        change: RecordingChange,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let change = Change::Recording(change);
        self.database.commit(Audited { change, entry }).await?;
        Ok(())
    }
}
