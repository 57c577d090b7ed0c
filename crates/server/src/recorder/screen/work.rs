//! One screen's rules and its file, moved together.
//! Owns: that a chunk is judged, written and counted in one step.
//! Never: waits for anything but its disk.

use std::time::Instant;

use domain::id::{CallId, RecordingId};
use domain::screen::{
    ChunkClaim, PauseAcknowledgement, PauseNeeds, ScreenHold, ScreenRefusal, ScreenTake,
    ScreenView, SharingEnd,
};
use recording::{CHUNK_BYTES_MAX, ScreenWriteError, ScreenWriter};

use crate::recorder::told;

/// What is known of a screen, and its file once somebody shared.
pub(super) struct Work {
    take: ScreenTake,
    kept: Option<Kept>,
    media_type: String,
    revision: u64,
    is_over: bool,
}

/// A file that is being written.
pub(super) struct Kept {
    pub(super) id: RecordingId,
    pub(super) writer: ScreenWriter,
    pub(super) begun: Instant,
    /// The part that its last one is of.
    part: Option<u16>,
}

impl Kept {
    pub(super) fn new(id: RecordingId, writer: ScreenWriter) -> Self {
        Self {
            id,
            writer,
            begun: Instant::now(),
            part: None,
        }
    }
}

impl Work {
    pub(super) fn new(take: ScreenTake) -> Self {
        Self {
            take,
            kept: None,
            media_type: String::new(),
            revision: 0,
            is_over: false,
        }
    }

    pub(super) fn rules(&self) -> Result<&ScreenTake, ScreenRefusal> {
        match self.is_over {
            true => Err(ScreenRefusal::PeerUnknown),
            false => Ok(&self.take),
        }
    }

    pub(super) fn has_file(&self) -> bool {
        self.kept.is_some()
    }

    pub(super) fn hold(&self) -> ScreenHold {
        self.take.hold()
    }

    pub(super) fn view(&self, call: &CallId) -> ScreenView {
        self.take.view(call.clone(), self.revision, self.now_ms())
    }

    fn now_ms(&self) -> u64 {
        let since = self.kept.as_ref().map(|kept| kept.begun.elapsed());
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    /// A page shares. `kept`: the file, if there was none.
    pub(super) fn share(&mut self, kept: Option<Kept>, media_type: String) {
        if self.kept.is_none() {
            self.kept = kept;
            if self.hold() != ScreenHold::None {
                self.note(|writer, now| writer.pause(now));
            }
        }
        self.media_type = media_type;
        self.take.share();
        self.revision += 1;
    }

    pub(super) fn end_share(&mut self, why: SharingEnd) -> bool {
        let pausing = self.hold() == ScreenHold::Pausing;
        let was_shared = self.take.end_share(why);
        if was_shared {
            self.revision += 1;
            if pausing {
                self.note(|writer, now| writer.pause(now));
            }
        }
        was_shared
    }

    pub(super) fn pause(&mut self) -> Result<PauseNeeds, ScreenRefusal> {
        let needs = self.take.pause();
        self.revision += 1;
        if needs != Ok(PauseNeeds::Acknowledgement) {
            self.note(|writer, now| writer.pause(now));
        }
        needs
    }

    pub(super) fn acknowledge(&mut self, said: PauseAcknowledgement) -> Result<(), ScreenRefusal> {
        self.rules()?;
        let now = self.now_ms();
        let at_ms = self.take.acknowledge(said, now)?;
        self.revision += 1;
        self.note(|writer, _| writer.pause(at_ms));
        Ok(())
    }

    pub(super) fn resume(&mut self) {
        if self.take.resume(self.now_ms()) {
            self.revision += 1;
            self.note(|writer, now| writer.resume(now));
        }
    }

    /// Keeps a chunk, or says why not; then all is as before.
    pub(super) fn keep(&mut self, claim: ChunkClaim, bytes: &[u8]) -> Result<(), ScreenRefusal> {
        self.rules()?;
        if !(1..=CHUNK_BYTES_MAX).contains(&bytes.len()) {
            return Err(ScreenRefusal::PeerSize);
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let taken = self.take.judge(claim, length, self.now_ms())?;
        let kept = self.kept.as_mut().ok_or(ScreenRefusal::PeerNotShared)?;
        let place = (claim.part, claim.sequence);
        let mut write = || {
            if let Some(begin_ms) = taken.begins_part_at_ms
                && kept.part != Some(claim.part)
            {
                kept.writer.part(claim.part, begin_ms, &self.media_type)?;
                kept.part = Some(claim.part);
            }
            kept.writer.chunk(place, claim.until_ms, bytes)
        };
        match write() {
            Ok(()) => {
                self.take.take(claim, length);
                Ok(())
            }
            Err(ScreenWriteError::PeerFull) => Err(ScreenRefusal::PeerFull),
            Err(error) => {
                tracing::error!(recording = %kept.id, error = told(&error), "alarm: the recording of a screen cannot be written");
                Err(ScreenRefusal::Unavailable)
            }
        }
    }

    /// Ends the file. Which recording it is.
    pub(super) fn end(&mut self) -> Option<RecordingId> {
        self.is_over = true;
        let now = self.now_ms();
        let mut kept = self.kept.take()?;
        if let Err(error) = kept.writer.end(now) {
            tracing::error!(recording = %kept.id, error = told(&error), "alarm: the recording of a screen has no end");
        }
        Some(kept.id)
    }

    /// Marks are held where the disk refuses, so that they are refused with a full file alone.
    fn note(&mut self, mark: impl FnOnce(&mut ScreenWriter, u64) -> Result<(), ScreenWriteError>) {
        let now = self.now_ms();
        if let Some(kept) = &mut self.kept
            && let Err(error) = mark(&mut kept.writer, now)
        {
            tracing::error!(recording = %kept.id, error = told(&error), "where the recording of a screen was paused is not marked");
        }
    }
}
