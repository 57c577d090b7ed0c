//! One recording that is being written.
//! Owns: its file and what waits for it.
//! Never: seals again what a disk refused; loses what it could still keep.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::id::RecordingId;
use tokio::sync::oneshot;

use super::{Begin, Ended};
use crate::composer::Composer;
use crate::feed::Intake;
use crate::folder::{Folder, FolderError};
use crate::keys::SealError;

/// Age at which what waits is sealed though it fills no segment. With the 200 ms that a segment leaves waiting it stays below a second.
const SEAL_AFTER: Duration = Duration::from_millis(700);
/// Time between two tries to write to a disk that refuses.
const TRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long a recording that has ended is kept for a disk that refuses.
const TRY_ENDED: Duration = Duration::from_secs(60);

/// A recording under way.
pub(super) struct Running {
    pub(super) id: RecordingId,
    /// `None` once its final segment is sealed.
    composer: Option<Composer>,
    intake: Intake,
    file: File,
    path: PathBuf,
    /// Bytes of the file that are written.
    written: u64,
    /// Sealed bytes that are not.
    pending: Vec<u8>,
    /// Since when something waits to be sealed.
    waiting_since: Option<Instant>,
    refused: Option<Refused>,
    final_segment: Option<u32>,
    /// Since when nothing more comes.
    ended_at: Option<Instant>,
    lost: u64,
    lost_told: u64,
}

struct Refused {
    why: String,
    tried: Instant,
}

/// Why there is no file, and who waits for that.
pub(super) type NotBegun = (FolderError, oneshot::Sender<Result<(), FolderError>>);

/// What came of a look at a recording.
pub(super) enum Look {
    /// It goes on.
    Goes,
    /// It is done with.
    Ended(Ended),
}

impl Running {
    /// Makes its file, with what stands before the first segment if the disk takes it; only then says so.
    pub(super) fn begin(folder: &Folder, begin: Begin, now: Instant) -> Result<Self, NotBegun> {
        let (file, path) = match folder.create(begin.composer.header()) {
            Ok(made) => made,
            Err(error) => return Err((error, begin.reply)),
        };
        let mut running = Self {
            id: begin.composer.header().id.clone(),
            composer: Some(begin.composer),
            intake: begin.intake,
            file,
            path,
            written: 0,
            pending: begin.start_of_file,
            waiting_since: None,
            refused: None,
            final_segment: None,
            ended_at: None,
            lost: 0,
            lost_told: 0,
        };
        running.write(now);
        let _asker_is_gone = begin.reply.send(Ok(()));
        Ok(running)
    }

    pub(super) fn composer(&mut self) -> Option<(&mut Composer, &mut Vec<u8>)> {
        Some((self.composer.as_mut()?, &mut self.pending))
    }

    /// Bytes of its file.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Why its disk refuses, if it does.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refused.as_ref().map(|refused| refused.why.as_str())
    }

    /// Samples that were lost since this was asked.
    pub(super) fn newly_lost(&mut self) -> u64 {
        let new = self.lost - self.lost_told;
        self.lost_told = self.lost;
        new
    }

    /// Takes what came, seals what is due and writes it. How often it wrote, and how much.
    pub(super) fn look(&mut self, now: Instant) -> Result<(Look, u64), SealError> {
        if self.ended_at.is_none() && self.intake.is_closed() {
            self.ended_at = Some(now);
        }
        let is_blocked = match &self.refused {
            Some(refused) => now.duration_since(refused.tried) < TRY_INTERVAL,
            None => false,
        };
        if is_blocked {
            return Ok((self.judge(now), 0));
        }
        if !self.pending.is_empty() && self.refused.is_some() {
            let wrote = self.write(now);
            if self.refused.is_some() {
                return Ok((self.judge(now), wrote));
            }
        }
        self.take(now)?;
        let wrote = self.write(now);
        Ok((self.judge(now), wrote))
    }

    /// Ends it now, whatever else would come.
    pub(super) fn end_now(&mut self, now: Instant) -> Result<Ended, SealError> {
        self.take(now)?;
        self.seal_final()?;
        self.write(now);
        Ok(self.ended())
    }

    fn take(&mut self, now: Instant) -> Result<(), SealError> {
        let is_closed = self.intake.is_closed();
        let Some(composer) = self.composer.as_mut() else {
            return Ok(());
        };
        let sealed = composer.segments();
        while let Some(frame) = self.intake.pop() {
            if let Some((from, until)) = frame.lost {
                composer.lost(frame.track, from, until, &mut self.pending)?;
            }
            composer.take(
                frame.track,
                frame.position,
                frame.bytes(),
                &mut self.pending,
            )?;
        }
        if sealed != composer.segments() || !composer.is_waiting() {
            self.waiting_since = None;
        }
        if composer.is_waiting() {
            let since = *self.waiting_since.get_or_insert(now);
            if now.duration_since(since) >= SEAL_AFTER {
                composer.flush(&mut self.pending)?;
                self.waiting_since = None;
            }
        }
        self.lost = composer.lost_samples();
        if is_closed { self.seal_final() } else { Ok(()) }
    }

    fn seal_final(&mut self) -> Result<(), SealError> {
        let Some(mut composer) = self.composer.take() else {
            return Ok(());
        };
        if self.intake.is_closed() {
            for (track, from, until) in self.intake.tail() {
                composer.lost(track, from, until, &mut self.pending)?;
            }
        }
        self.lost = composer.lost_samples();
        self.final_segment = Some(composer.end(&mut self.pending)?);
        Ok(())
    }

    /// Writes what is pending, as far as the disk takes it. What it took in part goes on there, byte for byte: no number is sealed twice.
    fn write(&mut self, now: Instant) -> u64 {
        let mut wrote = 0;
        while !self.pending.is_empty() {
            match self.file.write_at(&self.pending, self.written) {
                Ok(0) => {
                    self.refuse(&io::ErrorKind::WriteZero.into(), now);
                    return wrote;
                }
                Ok(bytes) => {
                    self.pending.drain(..bytes);
                    self.written += u64::try_from(bytes).unwrap_or(0);
                    wrote += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.refuse(&error, now);
                    return wrote;
                }
            }
        }
        self.refused = None;
        wrote
    }

    fn refuse(&mut self, error: &io::Error, now: Instant) {
        let why = format!("writing {}: {error}", self.path.display());
        self.refused = Some(Refused { why, tried: now });
    }

    fn judge(&self, now: Instant) -> Look {
        let is_done = self.composer.is_none() && self.pending.is_empty();
        let is_given_up = |ended_at| now.duration_since(ended_at) >= TRY_ENDED;
        if is_done || self.ended_at.is_some_and(is_given_up) {
            Look::Ended(self.ended())
        } else {
            Look::Goes
        }
    }

    fn ended(&self) -> Ended {
        Ended {
            final_segment: self.final_segment.filter(|_| self.pending.is_empty()),
            bytes: self.written,
            lost_samples: self.lost,
        }
    }
}
