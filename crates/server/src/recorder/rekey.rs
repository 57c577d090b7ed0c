//! Keys of kept recordings, wrapped anew.
//! Owns: which recordings of this node are, what the trail says of each, what is told of those that cannot be.
//! Never: touches audio or video; gives up for one that cannot be opened. It runs while no server does, so that none deletes or writes meanwhile.

use std::path::Path;
use std::sync::Arc;

use domain::access::Actor;
use domain::audit::AuditAction;
use domain::boundary::{Recordings, StoreError};
use domain::recording::{Recording, RecordingChange, RecordingFilter, RecordingPlace};
use domain::service::SinkMedium;
use domain::time::WallClock;
use rand::TryRngCore;
use rand::rngs::OsRng;
use recording::{Folder, KeyRing};
use store::Database;

use super::counts::Counters;
use super::rows::Rows;
use super::{StartError, told};

/// Rows that are read at a go.
const ROWS: u32 = 100;

/// What became of the recordings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rekeyed {
    /// Wrapped anew.
    pub(crate) done: usize,
    /// Under the newest key before.
    pub(crate) same: usize,
    /// Not wrapped anew: which, and why.
    pub(crate) left: Vec<String>,
}

/// Wraps the keys of all recordings in a node's folder with the newest master key.
///
/// # Errors
/// The folder or the keys cannot be used, or the database fails. What was wrapped anew until then stays so.
pub(crate) async fn rekey(
    folder: &Path,
    node: &str,
    database: &Arc<Database>,
    clock: &Arc<dyn WallClock>,
) -> Result<Rekeyed, StartError> {
    let rows = Arc::new(Rows {
        database: database.clone(),
        folder: Folder::open(folder)?,
        clock: clock.clone(),
        node: node.to_owned(),
        counters: Arc::<Counters>::default(),
        changing: tokio::sync::Mutex::default(),
    });
    let ring = Arc::new(rows.ring().map_err(StartError::ConfigKeys)?);
    let active = ring.active().map_err(keys)?.id().to_string();
    let (mut rekeyed, mut after) = (Rekeyed::default(), None);
    loop {
        let filter = RecordingFilter::default();
        let page = database.recordings(&filter, after.as_ref(), ROWS).await?;
        let Some(last) = page.last() else {
            return Ok(rekeyed);
        };
        after = Some(RecordingPlace::from(last));
        for row in page.iter().filter(|row| row.node == node) {
            match rows.rewrapped(row, &ring).await? {
                Ok(false) if row.key_id == active => rekeyed.same += 1,
                Ok(_) => {
                    rows.note_rekeyed(row, &active).await?;
                    rekeyed.done += 1;
                }
                Err(why) => rekeyed.left.push(format!("{}: {why}", row.object())),
            }
        }
    }
}

fn keys(error: recording::KeyError) -> StartError {
    StartError::ConfigKeys(StoreError::Unavailable(error.to_string()))
}

impl Rows {
    /// Whether it was done, or why it cannot be.
    async fn rewrapped(
        &self,
        row: &Recording,
        ring: &Arc<KeyRing>,
    ) -> Result<Result<bool, String>, StoreError> {
        let mut nonce = [0; 12];
        let random = OsRng.try_fill_bytes(&mut nonce);
        random.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (folder, ring) = (self.folder.clone(), Arc::clone(ring));
        let (id, began, medium) = (row.id.clone(), row.began, row.medium);
        let wrap = move || {
            let done = match medium {
                SinkMedium::Call => folder.rewrap((&id, began), &ring, nonce),
                SinkMedium::Screen => folder.rewrap_screen((&id, began), &ring, nonce),
            };
            done.map_err(|error| told(&error))
        };
        let wrapped = tokio::task::spawn_blocking(wrap).await;
        wrapped.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// The file first, so that what the row says is true: interrupted in between, the next run finds the row behind and says it then.
    async fn note_rekeyed(&self, row: &Recording, key_id: &str) -> Result<(), StoreError> {
        let entry = self
            .entry_by(&Actor::system(), AuditAction::RecordingRekeyed, row)
            .with("key", key_id);
        let change = RecordingChange::Rekey {
            id: row.id.clone(),
            key_id: key_id.to_owned(),
        };
        self.commit(change, entry).await
    }
}
