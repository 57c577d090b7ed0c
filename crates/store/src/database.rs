//! A database, opened.
//! Owns: its configuration, the queue to the writer, the pool of readers, the master keys.
//! Never: knows a table.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::audit::AuditEntry;
use domain::boundary::{Audited, Store, StoreError, Task};
use domain::id::ID_CHARS_MAX;
use sqlx::{Any, AnyPool, Connection, Transaction};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::audit;
use crate::connector::{Connector, Dialect};
use crate::failure::unavailable;
use crate::key::{EnvelopeKeySource, KeyRing};
use crate::writer::{Activity, Counters, Job, WRITES_WAITING_MAX, Work, Writer};

/// Which database, and as whom.
#[derive(Clone)]
pub struct StoreConfig {
    /// "sqlite:PATH" or "postgres://USER@HOST/NAME", with whatever parameters PostgreSQL's addresses take.
    pub url: String,
    /// Where the master keys are that wrap the keys of sealed passwords.
    pub key: EnvelopeKeySource,
    /// This node's name: 1 to 40 lower-case letters, digits, '-' or '_'. With the epoch it names the audit chain.
    pub node: String,
}

impl fmt::Debug for StoreConfig {
    /// Leaves out the address, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("key", &self.key)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

/// The master keys at hand; replaced as a whole by a rotation.
#[derive(Clone)]
pub(crate) struct Keys(Arc<RwLock<Arc<KeyRing>>>);

impl Keys {
    fn new(ring: KeyRing) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(ring))))
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn replace(&self, ring: Arc<KeyRing>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotation {
    /// Identity of the new master key.
    pub key_id: String,
    /// Passwords sealed anew. One that could not be opened stays as it was and is not counted.
    pub resealed: i64,
}

/// An open database: implements the traits of `domain::boundary` for storing.
///
/// Its writer has a thread of its own, which ends with the last handle.
pub struct Database {
    readers: AnyPool,
    queue: mpsc::Sender<Job>,
    dialect: Dialect,
    source: EnvelopeKeySource,
    keys: Keys,
    /// Held while a key is added to the key file, so that no rotation writes over another's key.
    rotating: Mutex<()>,
    epoch: i64,
    counters: Arc<Counters>,
}

impl Database {
    /// Opens a database, makes its schema or brings it up to date, and begins this start's audit chain.
    ///
    /// # Errors
    /// It cannot be reached, is damaged, was written by a newer version, or the node's name is none.
    pub async fn open(config: StoreConfig) -> Result<Self, StoreError> {
        if !is_node(&config.node) {
            return Err(unavailable(
                "the node's name has 1 to 40 lower-case letters, digits, '-' or '_'",
            ));
        }
        let connector = Connector::new(&config.url)?;
        connector.prepare().await?;
        let mut connection = connector.writer().await?;
        let epoch =
            audit::open_chain(&mut connection, connector.dialect, &config.node, now()).await?;
        connection.close().await.map_err(unavailable)?;

        let chain = format!("{}/{epoch}", config.node);
        let keys = Keys::new(config.key.ring());
        let counters = Arc::new(Counters::default());
        let (sender, queue) = mpsc::channel(WRITES_WAITING_MAX);
        Writer {
            queue,
            session: None,
            connector: connector.clone(),
            chain,
            keys: keys.clone(),
            counters: Arc::clone(&counters),
        }
        .start()
        .await?;
        Ok(Self {
            readers: connector.readers(),
            queue: sender,
            dialect: connector.dialect,
            source: config.key,
            keys,
            rotating: Mutex::new(()),
            epoch,
            counters,
        })
    }

    /// Which start of this node this is, from 1.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// How much was written since it was opened.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.counters.read()
    }

    /// Adds a master key to the key file, makes it the active one, and seals every password anew with a new data key. The
    /// older master keys stay in the file, so that a backup restored later can be opened. The entry is committed with it, and says the new key's id (`key`).
    ///
    /// # Errors
    /// The key file cannot be written, or the database fails; then everything still opens with the keys of the file.
    pub async fn rotate_key(&self, entry: AuditEntry) -> Result<KeyRotation, StoreError> {
        let _alone = self.rotating.lock().await;
        let ring = Arc::new(self.source.add_key().map_err(unavailable)?);
        let key_id = ring.active().map_err(unavailable)?.id.clone();
        let entry = entry.with("key", key_id.as_str());
        // The ring is a superset of the old one, so readers may have it before the rows change.
        self.keys.replace(Arc::clone(&ring));
        let resealed = self.ask(Work::Rotate(Box::new(entry), ring)).await?;
        Ok(KeyRotation { key_id, resealed })
    }

    /// Commits what waits and closes. Later calls fail as unavailable.
    ///
    /// # Errors
    /// The writer is gone already.
    pub async fn close(&self) -> Result<(), StoreError> {
        let (answer, closed) = oneshot::channel();
        let closing = self.queue.send(Job::Close(answer)).await;
        closing.map_err(|_| gone())?;
        closed.await.map_err(|_| gone())?;
        self.readers.close().await;
        Ok(())
    }

    pub(crate) fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// A transaction whose reads see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begin = self.dialect.begin_snapshot();
        self.readers.begin_with(begin).await.map_err(unavailable)
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.keys.ring()
    }

    async fn ask(&self, work: Work) -> Result<i64, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Job::Write(work, answer))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => gone(),
            })?;
        answered.await.map_err(|_| gone())?
    }
}

impl Store for Database {
    /// A caller that stops waiting does not take its change back.
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>> {
        Box::pin(self.ask(Work::Commit(Box::new(audited))))
    }
}

fn gone() -> StoreError {
    unavailable("it is closed")
}

fn is_node(name: &str) -> bool {
    (1..=ID_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        })
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
