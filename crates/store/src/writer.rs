//! The one thread that writes.
//! Owns: the queue of changes, batches, savepoints, and what happens when a commit's answer is lost.
//! Never: lets a change and its audit entry part, or answers before both are on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::audit::AuditEntry;
use domain::boundary::{Audited, Change, StoreError};
use domain::desktop::Credentials;
use sqlx::{AnyConnection, Connection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::audit::{self, Head};
use crate::connector::{Connector, run};
use crate::failure::{is_busy, unavailable};
use crate::key::KeyRing;
use crate::{
    approval, designer, desktop, follow_up, payment, proposal, recording, role, routing, seal,
    service, settings, sound, user,
};

/// Changes that may wait: eight full batches, below two seconds of work for a slow disk. When full, a commit is refused as busy.
pub(crate) const WRITES_WAITING_MAX: usize = 1_024;
/// Changes of one transaction. More would gain little over one fsync a batch and make the first of them wait for the last.
const BATCH_CHANGES_MAX: usize = 128;
/// Tries to get SQLite's write lock, each waiting for the busy timeout of one second. Then the batch fails as unavailable.
const BUSY_TRIES_MAX: usize = 3;
/// How long a batch may take, for a database that hangs. Then its connection is dropped and the batch settled.
const BATCH_TIME_MAX: Duration = Duration::from_secs(20);
/// Tries to learn whether a commit whose answer was lost took place. Then its batch fails as unavailable.
const SETTLE_TRIES_MAX: u32 = 3;
/// How often what was written is moved from SQLite's log into its file. The less there is of it, the less a commit waits for the disk meanwhile.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(250);
/// Pause before another such try.
const SETTLE_PAUSE: Duration = Duration::from_millis(200);

/// What the writer is asked to write.
pub(crate) enum Work {
    /// A change with its entry.
    Commit(Box<Audited>),
    /// Seal all passwords anew under this ring's active key; answers how many.
    Rotate(Box<AuditEntry>, Arc<KeyRing>),
}

/// What the writer is asked to do, and where its answer goes.
pub(crate) enum Job {
    Write(Work, Answer),
    /// Close the connection and end.
    Close(oneshot::Sender<()>),
}

type Answer = oneshot::Sender<Result<i64, StoreError>>;

/// How much was written since the database was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// Transactions committed.
    pub transactions: u64,
    /// Changes in them.
    pub changes: u64,
}

/// Counts what is written.
#[derive(Default)]
pub(crate) struct Counters {
    transactions: AtomicU64,
    changes: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Activity {
        Activity {
            transactions: self.transactions.load(Ordering::Relaxed),
            changes: self.changes.load(Ordering::Relaxed),
        }
    }
}

type Answers = Vec<Result<i64, StoreError>>;

/// What a change that fails undoes.
#[derive(Clone, Copy)]
enum Undo {
    Batch,
    Change,
}

/// What became of a batch that did not fail as a whole.
enum Written {
    All(Answers),
    /// A change failed, so, and none was written.
    Nothing(StoreError),
}

/// A batch of which only the answer to its COMMIT is missing.
struct Pending {
    head: Head,
    answers: Answers,
}

/// The thread's state.
pub(crate) struct Writer {
    pub(crate) queue: mpsc::Receiver<Job>,
    pub(crate) connector: Connector,
    pub(crate) chain: String,
    pub(crate) keys: crate::database::Keys,
    pub(crate) counters: Arc<Counters>,
    pub(crate) session: Option<Session>,
}

/// A connection with the head of our chain as committed. Dropped on any failure, which rolls back.
pub(crate) struct Session {
    connection: AnyConnection,
    head: Head,
    pending: Option<Pending>,
}

impl Writer {
    /// Starts it on a thread of its own. A change takes a dozen turns between here and the database; each would otherwise wait for whatever a worker of the
    /// runtime computes just then, such as the handshake of a charge.
    pub(crate) async fn start(self) -> Result<(), StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(unavailable)?;
        let (opened, opening) = oneshot::channel();
        std::thread::Builder::new()
            .name("tonewall-store".to_owned())
            .spawn(move || runtime.block_on(self.run(opened)))
            .map_err(unavailable)?;
        opening.await.map_err(unavailable)?
    }

    /// Works until it is told to close or nobody can ask any more.
    async fn run(mut self, opened: oneshot::Sender<Result<(), StoreError>>) {
        let session = Session::open(&self.connector, &self.chain).await;
        let failed = session.as_ref().err().cloned();
        self.session = session.ok();
        if opened.send(failed.map_or(Ok(()), Err)).is_err() || self.session.is_none() {
            return;
        }
        let mut beside = JoinSet::new();
        beside.spawn(checkpoints(
            self.connector.clone(),
            Arc::clone(&self.counters),
        ));
        while let Some(first) = self.queue.recv().await {
            let (works, close) = self.batch(first);
            if !works.is_empty() {
                self.commit(works).await;
            }
            if let Some(answer) = close {
                // From here on the queue refuses; what slipped in behind is dropped, which its caller sees as unavailable.
                self.queue.close();
                beside.shutdown().await;
                if let Some(session) = self.session.take()
                    && let Err(error) = session.connection.close().await
                {
                    tracing::warn!(%error, "closing the database");
                }
                answer.send(()).ok();
                return;
            }
        }
    }

    /// Takes what waits, up to a batch or the order to close.
    fn batch(&mut self, first: Job) -> (Vec<(Work, Answer)>, Option<oneshot::Sender<()>>) {
        let mut works = Vec::with_capacity(BATCH_CHANGES_MAX);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Close(answer) => return (works, Some(answer)),
                Job::Write(work, answer) => works.push((work, answer)),
            }
            next = if works.len() < BATCH_CHANGES_MAX {
                self.queue.try_recv().ok()
            } else {
                None
            };
        }
        (works, None)
    }

    async fn commit(&mut self, works: Vec<(Work, Answer)>) {
        let (works, waiting): (Vec<Work>, Vec<Answer>) = works.into_iter().unzip();
        let outcome = tokio::time::timeout(BATCH_TIME_MAX, self.transact(&works))
            .await
            .unwrap_or_else(|_| Err(unavailable("it did not answer in time")));
        let answers = match outcome {
            Ok(answers) => answers,
            Err(error) => self.settle(&error, works.len()).await,
        };
        for (answer, to) in answers.into_iter().zip(waiting) {
            // A caller that went away does not undo its change.
            to.send(answer).ok();
        }
    }

    /// Writes a batch in one transaction: the answers, once they hold. An error if the transaction failed as a whole, or may have.
    ///
    /// A change seldom fails, and a savepoint costs as much as the change. So they are first written without; if one fails, all of it is undone and written
    /// again with a savepoint each.
    async fn transact(&mut self, works: &[Work]) -> Result<Answers, StoreError> {
        match self.write_all(works, Undo::Batch).await? {
            Written::All(answers) => Ok(answers),
            Written::Nothing(error) if works.len() == 1 => Ok(vec![Err(error)]),
            Written::Nothing(_) => match self.write_all(works, Undo::Change).await? {
                Written::All(answers) => Ok(answers),
                Written::Nothing(error) => Err(unavailable(error)),
            },
        }
    }

    async fn write_all(&mut self, works: &[Work], undo: Undo) -> Result<Written, StoreError> {
        let session = self.begin().await?;
        let session = self.session.insert(session);
        let mut head = session.head.clone();
        let ring = self.keys.ring();
        let mut batch = Batch {
            chain: &self.chain,
            ring: &ring,
            connection: &mut session.connection,
            head: &mut head,
        };
        let answers = match undo {
            Undo::Change => batch.one_by_one(works).await?,
            Undo::Batch => match batch.together(works).await {
                Ok(answers) => answers,
                // A database that rolled back by itself, on a full disk, refuses this, and the batch fails as a whole.
                Err(error) => {
                    return match run(&mut session.connection, "ROLLBACK").await {
                        Ok(()) => Ok(Written::Nothing(error)),
                        Err(_) => Err(unavailable(error)),
                    };
                }
            },
        };
        if head == session.head {
            run(&mut session.connection, "ROLLBACK")
                .await
                .map_err(unavailable)?;
            return Ok(Written::All(answers));
        }
        audit::store_head(&mut session.connection, &self.chain, &head).await?;
        session.pending = Some(Pending { head, answers });
        run(&mut session.connection, "COMMIT")
            .await
            .map_err(unavailable)?;
        let pending = session.pending.take().ok_or(StoreError::Busy)?;
        session.head = pending.head;
        self.count(&pending.answers);
        Ok(Written::All(pending.answers))
    }

    /// A connection with a transaction begun. One that died while it was idle is replaced.
    async fn begin(&mut self) -> Result<Session, StoreError> {
        let statement = self.connector.dialect.begin_write();
        if let Some(mut session) = self.session.take() {
            match begin(&mut session.connection, statement).await {
                Ok(()) => return Ok(session),
                Err(error) if is_busy(&error) => {
                    self.session = Some(session);
                    return Err(unavailable(error));
                }
                Err(error) => tracing::info!(%error, "connecting to the database again"),
            }
        }
        let mut session = Session::open(&self.connector, &self.chain).await?;
        begin(&mut session.connection, statement)
            .await
            .map_err(unavailable)?;
        Ok(session)
    }

    /// After a failure: nothing was written, unless COMMIT was under way. Then the head of our chain tells: it is the batch's
    /// last hash if and only if all of the batch is there.
    async fn settle(&mut self, error: &StoreError, count: usize) -> Answers {
        tracing::warn!(%error, "a batch of changes failed");
        let pending = self.session.take().and_then(|session| session.pending);
        let failed = vec![Err(error.clone()); count];
        let Some(pending) = pending else {
            return failed;
        };
        for attempt in 0..SETTLE_TRIES_MAX {
            tokio::time::sleep(SETTLE_PAUSE * attempt).await;
            let opening = Session::open(&self.connector, &self.chain);
            match tokio::time::timeout(BATCH_TIME_MAX, opening).await {
                Ok(Ok(session)) => {
                    let took_place = session.head == pending.head;
                    self.session = Some(session);
                    if took_place {
                        self.count(&pending.answers);
                        return pending.answers;
                    }
                    return failed;
                }
                Ok(Err(error)) => tracing::warn!(%error, "settling a batch"),
                Err(_) => tracing::warn!("settling a batch: no answer"),
            }
        }
        failed
    }

    fn count(&self, answers: &Answers) {
        let good = answers.iter().filter(|answer| answer.is_ok()).count();
        self.counters.transactions.fetch_add(1, Ordering::Relaxed);
        self.counters
            .changes
            .fetch_add(u64::try_from(good).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Moves what was committed from SQLite's log into its file, beside the writer: a commit that had to do it would make all behind it wait for many writes.
/// It ends with the writer.
async fn checkpoints(connector: Connector, counters: Arc<Counters>) {
    let Some(statement) = connector.dialect.checkpoint() else {
        return;
    };
    let mut connection = None;
    let mut moved = 0;
    loop {
        tokio::time::sleep(CHECKPOINT_EVERY).await;
        let written = counters.read().transactions;
        if written == moved {
            continue;
        }
        let mut open = match connection.take() {
            Some(open) => open,
            None => match connector.writer().await {
                Ok(open) => open,
                Err(error) => {
                    tracing::warn!(%error, "a connection for checkpoints");
                    continue;
                }
            },
        };
        match run(&mut open, statement).await {
            Ok(()) => {
                moved = written;
                connection = Some(open);
            }
            Err(error) => tracing::warn!(%error, "a checkpoint of the database"),
        }
    }
}

impl Session {
    /// Connects and reads the head of our chain, waiting for whatever an older connection of ours is still committing.
    pub(crate) async fn open(connector: &Connector, chain: &str) -> Result<Self, StoreError> {
        let mut connection = connector.writer().await?;
        begin(&mut connection, connector.dialect.begin_write())
            .await
            .map_err(unavailable)?;
        let head = audit::load_head(&mut connection, connector.dialect, chain).await?;
        run(&mut connection, "ROLLBACK")
            .await
            .map_err(unavailable)?;
        Ok(Self {
            connection,
            head,
            pending: None,
        })
    }
}

async fn begin(connection: &mut AnyConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut tries = 1;
    loop {
        match run(connection, statement).await {
            Err(error) if is_busy(&error) && tries < BUSY_TRIES_MAX => tries += 1,
            done => return done,
        }
    }
}

/// A transaction under way, and where our chain stands in it.
struct Batch<'a> {
    chain: &'a str,
    ring: &'a KeyRing,
    connection: &'a mut AnyConnection,
    head: &'a mut Head,
}

impl Batch<'_> {
    /// Writes all of it, its entries in one go at the end; the first error ends it.
    async fn together(&mut self, works: &[Work]) -> Result<Answers, StoreError> {
        let mut answers = Vec::with_capacity(works.len());
        let mut entries = Vec::with_capacity(works.len());
        for work in works {
            let (answer, entry) = self.write(work).await?;
            entries.push(audit::Linked::behind(self.head, self.chain, entry)?);
            answers.push(Ok(answer));
        }
        audit::append(self.connection, self.chain, &entries).await?;
        Ok(answers)
    }

    /// Writes each behind a savepoint. An error among the answers is that work's own and was rolled back; the error of all is the transaction's.
    async fn one_by_one(&mut self, works: &[Work]) -> Result<Answers, StoreError> {
        let mut answers = Vec::with_capacity(works.len());
        for work in works {
            run(self.connection, "SAVEPOINT change")
                .await
                .map_err(unavailable)?;
            let before = self.head.clone();
            let one = self.together(std::slice::from_ref(work)).await;
            match one {
                Ok(answer) => {
                    run(self.connection, "RELEASE SAVEPOINT change")
                        .await
                        .map_err(unavailable)?;
                    answers.extend(answer);
                }
                Err(error) => {
                    // A database that rolled everything back by itself, on a full disk, no longer knows the savepoint.
                    let undone = match run(self.connection, "ROLLBACK TO SAVEPOINT change").await {
                        Ok(()) => run(self.connection, "RELEASE SAVEPOINT change").await,
                        failed => failed,
                    };
                    undone.map_err(|_| unavailable(&error))?;
                    *self.head = before;
                    answers.push(Err(error));
                }
            }
        }
        Ok(answers)
    }

    /// Its answer, and the entry that goes with it.
    async fn write<'w>(&mut self, work: &'w Work) -> Result<(i64, &'w AuditEntry), StoreError> {
        match work {
            Work::Commit(audited) => {
                let Audited { change, entry } = &**audited;
                Ok((self.change(change, entry).await?, entry))
            }
            Work::Rotate(entry, ring) => {
                Ok((seal::rotate(self.connection, ring, entry.at).await?, entry))
            }
        }
    }

    async fn change(&mut self, change: &Change, entry: &AuditEntry) -> Result<i64, StoreError> {
        let connection = &mut *self.connection;
        match change {
            Change::None => Ok(0),
            Change::SaveUser(user) => user::save(connection, user).await,
            Change::SetSecondFactor { user, secret } => {
                let revision = user::save(connection, user).await?;
                seal::put_second_factor(connection, self.ring, &user.id, secret, entry.at).await?;
                Ok(revision)
            }
            Change::SaveRole(role) => role::save(connection, role).await,
            Change::DeleteRole(id) => role::delete(connection, id).await.map(|()| 0),
            Change::SaveDesktop {
                desktop,
                credentials,
            } => desktop::save(connection, self.ring, desktop, credentials, entry).await,
            Change::DeleteDesktop(id) => desktop::delete(connection, id).await.map(|()| 0),
            Change::AssignDesktop {
                desktop,
                added,
                removed,
            } => user::assign(connection, desktop, added, removed)
                .await
                .map(|()| 0),
            Change::SaveDesign(design) => designer::save(connection, design, entry).await,
            Change::DeleteDesign(id) => designer::delete(connection, id).await.map(|()| 0),
            Change::BindDesign { desktop, design } => {
                designer::save(connection, design, entry).await?;
                let nothing = Credentials::default();
                desktop::save(connection, self.ring, desktop, &nothing, entry).await
            }
            Change::SaveService(service) => service::save(connection, service).await,
            Change::Sound(change) => sound::write(connection, change).await,
            Change::SaveSettings(settings) => settings::save(connection, settings).await,
            Change::SaveRefusedRoutings(list) => routing::save_refused(connection, list).await,
            Change::ReplaceBanks(table) => routing::replace_banks(connection, table).await,
            Change::InsertPayment(payment) => {
                payment::insert(connection, payment).await.map(|()| 0)
            }
            Change::MovePayment {
                attempt,
                from,
                to,
                message,
                outputs,
                at,
            } => {
                let kept = payment::Kept { message, outputs };
                let moved = payment::move_on(connection, attempt, *from, *to, kept, *at);
                moved.await.map(|()| 0)
            }
            Change::InsertFollowUp(new) => follow_up::insert(connection, new).await.map(|()| 0),
            Change::MoveFollowUp(step) => follow_up::move_on(connection, step).await.map(|()| 0),
            Change::Recording(change) => recording::write(connection, change).await,
            Change::ApproveHost(host) => approval::insert(connection, host).await.map(|()| 0),
            Change::WithdrawHost(authority) => {
                approval::remove(connection, authority).await.map(|()| 0)
            }
            Change::ProposeResolution(proposal) => {
                proposal::insert(connection, proposal).await.map(|()| 0)
            }
            Change::RejectResolution(proposal) => {
                proposal::remove(connection, proposal).await.map(|()| 0)
            }
            Change::ConfirmResolution { proposal, at } => {
                let confirmed = proposal::confirm(connection, proposal, *at);
                confirmed.await.map(|()| 0)
            }
        }
    }
}
