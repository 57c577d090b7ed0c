//! Writing back what the system has taken.
//! Owns: a thread that asks the file system for it.
//! Never: lets a slow disk delay the writer.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

/// Asks for the whole file system at once: 500 files a second would be 500 waits for a disk, this is one.
pub(super) struct Sync {
    asks: Option<SyncSender<()>>,
    answers: Receiver<io::Result<()>>,
    is_asked: bool,
    thread: Option<JoinHandle<()>>,
}

impl Sync {
    /// Starts the thread for the file system of a folder.
    pub(super) fn start(folder: &Path) -> io::Result<Self> {
        let folder = File::open(folder)?;
        // One ask at a time, one answer for it.
        let (asks, asked) = sync_channel::<()>(1);
        let (answered, answers) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("recordings-sync".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    let synced = rustix::fs::syncfs(&folder).map_err(io::Error::from);
                    if answered.send(synced).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            asks: Some(asks),
            answers,
            is_asked: false,
            thread: Some(thread),
        })
    }

    /// Asks, unless the last time is not answered yet; whether it did.
    pub(super) fn ask(&mut self) -> bool {
        let can = !self.is_asked;
        if can && let Some(asks) = &self.asks {
            self.is_asked = asks.try_send(()).is_ok();
        }
        can && self.is_asked
    }

    /// How it went, once it has.
    pub(super) fn answer(&mut self) -> Option<io::Result<()>> {
        match self.answers.try_recv() {
            Ok(answer) => {
                self.is_asked = false;
                Some(answer)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Waits until all that was written is written back.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.is_asked {
            let _earlier = self.answers.recv();
            self.is_asked = false;
        }
        self.ask();
        let last = self.answers.recv().unwrap_or(Ok(()));
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            let _panicked_or_done = thread.join();
        }
        last
    }
}
