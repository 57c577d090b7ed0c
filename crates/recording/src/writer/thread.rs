//! The writer's loop.
//! Owns: all running recordings and the beat of looks and syncs.
//! Never: lets one recording's defect end the others.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::id::RecordingId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::running::{Look, Running};
use super::sync::Sync;
use super::{Begin, Command, ControlError, Counters, Report, Reports};
use crate::folder::Folder;

/// Time between two looks: a queue holds 2.5 s.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Time between two asks to write back, and between two reports of what a recording lost.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Thread {
    folder: Folder,
    commands: mpsc::Receiver<Command>,
    reports: Box<dyn Reports>,
    sync: Sync,
    counters: Arc<Counters>,
    running: HashMap<RecordingId, Running>,
    /// Since when at least one file is refused.
    refused_since: Option<Instant>,
    synced: Instant,
    is_dirty: bool,
}

impl Thread {
    pub(super) fn new(
        folder: Folder,
        commands: mpsc::Receiver<Command>,
        reports: Box<dyn Reports>,
        sync: Sync,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            folder,
            commands,
            reports,
            sync,
            counters,
            running: HashMap::new(),
            refused_since: None,
            synced: Instant::now(),
            is_dirty: false,
        }
    }

    pub(super) fn run(mut self) {
        while self.obey() {
            self.look(Instant::now());
            self.write_back(Instant::now());
            std::thread::sleep(LOOK_INTERVAL);
        }
        self.end_all(Instant::now());
        if let Err(error) = self.sync.finish() {
            self.reports.report(Report::Doubtful {
                why: error.to_string(),
            });
        }
    }

    /// Obeys what was commanded; whether somebody can command more.
    fn obey(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.obey_one(command),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn obey_one(&mut self, command: Command) {
        match command {
            Command::Begin(begin) => self.begin(*begin),
            Command::Mark(id, mark) => {
                let running = self.running.get_mut(&id);
                if let Some((composer, out)) = running.and_then(Running::composer) {
                    let _unsealed_stays = composer.mark(mark, out);
                }
            }
            Command::Pause(id, from, reply) => {
                let running = self.running.get_mut(&id);
                let paused = match running.and_then(Running::composer) {
                    Some((composer, out)) => composer.pause(from, out).map_err(Into::into),
                    None => Err(ControlError::PeerUnknown),
                };
                let _asker_is_gone = reply.send(paused);
            }
            Command::Resume(id, until, reply) => {
                let running = self.running.get_mut(&id);
                let resumed = match running.and_then(Running::composer) {
                    Some((composer, out)) => composer
                        .resume(until, out)
                        .ok_or(ControlError::PeerNotPaused),
                    None => Err(ControlError::PeerUnknown),
                };
                let _asker_is_gone = reply.send(resumed);
            }
        }
    }

    fn begin(&mut self, begin: Begin) {
        match Running::begin(&self.folder, begin, Instant::now()) {
            Ok(running) => {
                let bytes = running.written();
                self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
                self.is_dirty |= bytes > 0;
                self.running.insert(running.id.clone(), running);
            }
            Err((error, reply)) => {
                let _asker_is_gone = reply.send(Err(error));
            }
        }
    }

    fn look(&mut self, now: Instant) {
        let Self {
            running,
            reports,
            counters,
            is_dirty,
            ..
        } = self;
        running.retain(|id, recording| {
            let before = recording.written();
            let looked = catch_unwind(AssertUnwindSafe(|| recording.look(now)));
            let bytes = recording.written() - before;
            counters.bytes.fetch_add(bytes, Ordering::Relaxed);
            *is_dirty |= bytes > 0;
            match looked {
                Ok(Ok((look, writes))) => {
                    counters.writes.fetch_add(writes, Ordering::Relaxed);
                    let Look::Ended(ended) = look else {
                        return true;
                    };
                    let recording = id.clone();
                    reports.report(Report::Ended { recording, ended });
                }
                Ok(Err(_)) | Err(_) => reports.report(Report::BugGivenUp {
                    recording: id.clone(),
                }),
            }
            false
        });
        self.alarm(now);
    }

    /// Tells that a disk refuses, once, and that it takes again.
    fn alarm(&mut self, now: Instant) {
        let mut running = self.running.iter();
        let refusal = running.find_map(|(id, recording)| Some((id, recording.refusal()?)));
        match (refusal, self.refused_since) {
            (Some((id, why)), None) => {
                self.refused_since = Some(now);
                self.reports.report(Report::StorageRefuses {
                    recording: id.clone(),
                    why: why.to_owned(),
                });
            }
            (None, Some(since)) => {
                self.refused_since = None;
                self.reports.report(Report::StorageTakes {
                    after: now.duration_since(since),
                });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Once a second: tells what was lost, and has written back what was written.
    fn write_back(&mut self, now: Instant) {
        match self.sync.answer() {
            Some(Ok(())) => {
                self.counters.syncs.fetch_add(1, Ordering::Relaxed);
            }
            Some(Err(error)) => self.reports.report(Report::Doubtful {
                why: error.to_string(),
            }),
            None => {}
        }
        if now.duration_since(self.synced) < SYNC_INTERVAL {
            return;
        }
        self.synced = now;
        if self.is_dirty && self.sync.ask() {
            self.is_dirty = false;
        }
        for (id, recording) in &mut self.running {
            let samples = recording.newly_lost();
            if samples > 0 {
                self.reports.report(Report::Lost {
                    recording: id.clone(),
                    samples,
                });
            }
        }
    }

    fn end_all(&mut self, now: Instant) {
        for (recording, mut running) in self.running.drain() {
            let ended = catch_unwind(AssertUnwindSafe(|| running.end_now(now)));
            self.reports.report(match ended {
                Ok(Ok(ended)) => Report::Ended { recording, ended },
                Ok(Err(_)) | Err(_) => Report::BugGivenUp { recording },
            });
        }
    }
}
