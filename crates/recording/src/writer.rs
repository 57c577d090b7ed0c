//! The thread that writes all recordings.
//! Owns: files that are being written, when they are written and synced, what happens when a disk refuses.
//! Never: makes media wait; says that a recording is whole whose final segment is not in its file.

mod running;
mod sync;
mod thread;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::id::RecordingId;
use tokio::sync::{mpsc, oneshot};

use crate::composer::{Composer, PauseError};
use crate::feed::{Feed, Intake, queue};
use crate::folder::{Folder, FolderError};
use crate::header::Header;
use crate::keys::{DataKey, KeyError, KeyRing, SealError};
use crate::span::Mark;

/// Commands that may wait: one for each call of a node in the 20 ms between two looks. When full, the asker is refused.
const COMMANDS_MAX: usize = 1_024;

/// A recording to be begun.
#[derive(Debug)]
pub struct NewRecording {
    /// What its file says of itself.
    pub header: Header,
    /// The position of its first sample, in samples since the call's media began.
    pub start: u64,
}

/// A recording cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The ring has no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operating system has no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandom(#[source] rand::rand_core::OsError),
    /// The file cannot be made.
    #[error(transparent)]
    File(#[from] FolderError),
    /// The cipher refused the key.
    #[error(transparent)]
    BugSeal(#[from] SealError),
    /// The writer is gone, or has too much to do.
    #[error(transparent)]
    Writer(#[from] WriterGone),
}

/// The writer did not take a command: it has ended, or 1,024 commands wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the writer of recordings takes no command")]
pub struct WriterGone;

/// A pause cannot be kept, or nobody is there to keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// It came too late, or there are too many.
    #[error(transparent)]
    Pause(#[from] PauseError),
    /// No such recording is being written.
    #[error("no such recording is being written")]
    PeerUnknown,
    /// The recording is not paused.
    #[error("the recording is not paused")]
    PeerNotPaused,
    /// The writer is gone, or has too much to do.
    #[error(transparent)]
    Writer(#[from] WriterGone),
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Number of its final segment. `None`: it could not be written, and the file stays cut.
    pub final_segment: Option<u32>,
    /// Bytes of its file.
    pub bytes: u64,
    /// Samples that are gaps, counted for each track.
    pub lost_samples: u64,
}

/// What the writer tells. Each is worth an alarm but [`Report::Ended`] and [`Report::StorageTakes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A file could not be written; it is tried again each second. Told once, until [`Report::StorageTakes`].
    StorageRefuses {
        /// The recording that met it first.
        recording: RecordingId,
        /// The system's words, with the file.
        why: String,
    },
    /// No file is refused any more.
    StorageTakes {
        /// For how long one was.
        after: Duration,
    },
    /// A recording has gaps, since the last such report or its begin: the queue was full, or its samples came late. At most once a second for each.
    Lost {
        /// Which.
        recording: RecordingId,
        /// Samples, counted for each track.
        samples: u64,
    },
    /// The system could not write back what it had taken: recordings that were being written, or ended within the last seconds, may be cut after a power cut.
    Doubtful {
        /// The system's words.
        why: String,
    },
    /// A recording was given up by a defect of ours; the others go on.
    BugGivenUp {
        /// Which.
        recording: RecordingId,
    },
    /// A recording has ended.
    Ended {
        /// Which.
        recording: RecordingId,
        /// How.
        ended: Ended,
    },
}

/// Who hears reports. It is called by the writer's thread and must not wait.
pub trait Reports: Send {
    /// Hears one.
    fn report(&mut self, report: Report);
}

impl<F: FnMut(Report) + Send> Reports for F {
    fn report(&mut self, report: Report) {
        self(report);
    }
}

/// What the writer did since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls to write: one for all that a recording has at a look.
    pub writes: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Times that the file system was asked to write back and has.
    pub syncs: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    writes: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
}

/// What is asked of the thread.
pub(crate) enum Command {
    Begin(Box<Begin>),
    Mark(RecordingId, Mark),
    Pause(RecordingId, u64, oneshot::Sender<Result<(), ControlError>>),
    Resume(RecordingId, u64, oneshot::Sender<Result<u64, ControlError>>),
}

pub(crate) struct Begin {
    composer: Composer,
    start_of_file: Vec<u8>,
    intake: Intake,
    reply: oneshot::Sender<Result<(), FolderError>>,
}

/// The writer cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("starting the writer of recordings")]
pub struct StartError(#[source] io::Error);

/// The writer of all recordings of this process. Dropped, it ends all that run with what has come, and waits for that.
#[derive(Debug)]
pub struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts its two threads.
    ///
    /// # Errors
    /// The system gives no thread, or the folder cannot be opened.
    pub fn start(folder: Folder, reports: Box<dyn Reports>) -> Result<Self, StartError> {
        let (to, from) = mpsc::channel(COMMANDS_MAX);
        let counters = Arc::<Counters>::default();
        let sync = sync::Sync::start(folder.root()).map_err(StartError)?;
        let thread = thread::Thread::new(folder, from, reports, sync, Arc::clone(&counters));
        let thread = std::thread::Builder::new()
            .name("recordings".to_owned())
            .spawn(move || thread.run())
            .map_err(StartError)?;
        Ok(Self {
            commands: Some(to),
            counters,
            thread: Some(thread),
        })
    }

    /// Begins a recording: once this is answered its file is there, with its head unless the disk refuses, which is reported. Its audio goes into the feed; dropping that ends it.
    ///
    /// # Errors
    /// There is no key, no random bytes, no room for a file, or no writer.
    pub async fn begin(&self, new: NewRecording, ring: &KeyRing) -> Result<Feed, BeginError> {
        let (key, nonce) = DataKey::random().map_err(BeginError::NoRandom)?;
        let (feed, intake) = queue(new.header.laws);
        let under = (ring.active()?, nonce);
        let (composer, start_of_file) = Composer::begin(new.header, new.start, key, under)?;
        let (reply, answer) = oneshot::channel();
        self.send(Command::Begin(Box::new(Begin {
            composer,
            start_of_file,
            intake,
            reply,
        })))?;
        answer.await.map_err(|_| WriterGone)??;
        Ok(feed)
    }

    /// Leaves out every sample from a position on. Once this is answered, none of them is in a file or will be.
    ///
    /// # Errors
    /// Some is sealed already, or nobody writes this recording: it is not paused.
    pub async fn pause(&self, id: &RecordingId, from: u64) -> Result<(), ControlError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Pause(id.clone(), from, reply))?;
        answer.await.map_err(|_| WriterGone)?
    }

    /// Keeps samples again from a position on; the position from which it is, maybe later: what was left out meanwhile stays out.
    ///
    /// # Errors
    /// It is not paused, or nobody writes this recording.
    pub async fn resume(&self, id: &RecordingId, until: u64) -> Result<u64, ControlError> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Resume(id.clone(), until, reply))?;
        answer.await.map_err(|_| WriterGone)?
    }

    /// Notes an end of a span, such as that the mask holds. Of a recording that is not being written nothing is noted.
    ///
    /// # Errors
    /// The writer takes no command.
    pub fn mark(&self, id: &RecordingId, mark: Mark) -> Result<(), WriterGone> {
        self.send(Command::Mark(id.clone(), mark))
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            writes: read(&self.counters.writes),
            bytes: read(&self.counters.bytes),
            syncs: read(&self.counters.syncs),
        }
    }

    fn send(&self, command: Command) -> Result<(), WriterGone> {
        let commands = self.commands.as_ref().ok_or(WriterGone)?;
        commands.try_send(command).map_err(|_| WriterGone)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _panicked_or_done = thread.join();
        }
    }
}
