//! Recordings and their files in memory, with the behaviour that the traits promise.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Audited, Change, OpenRecording, OpenScreen, RecordingChangeError, RecordingFileError,
    RecordingFiles, RecordingPieces, Recordings, Store, StoreError, Task,
};
use domain::id::RecordingId;
use domain::recording::{
    Recording, RecordingEnd, RecordingEnding, RecordingFilter, RecordingOutline, RecordingPlace,
    RecordingSpan, RecordingSpanKind, RecordingState, RecordingTracks, ScreenOutline, ScreenPart,
};
use domain::service::SinkMedium;
use domain::time::{UnixMillis, WallClock};

use super::Rooms;
use super::rooms::task;

/// Samples of each recording here: two seconds.
pub(crate) const SAMPLES: u64 = 16_000;
/// Bytes of each of them as a WAV.
pub(crate) const WAV_BYTES: usize = 300_000;

/// Recordings of a house.
pub(crate) struct Shelf {
    rooms: Arc<Rooms>,
    pub(crate) rows: Mutex<Vec<Recording>>,
    /// What the next opening or deletion answers instead.
    pub(crate) failure: Mutex<Option<RecordingFileError>>,
    /// Parts that were removed, of whichever recording.
    removed: Mutex<Vec<RecordingSpan>>,
}

impl Shelf {
    pub(crate) fn new(rooms: Arc<Rooms>) -> Self {
        Self {
            rooms,
            rows: Mutex::default(),
            failure: Mutex::default(),
            removed: Mutex::default(),
        }
    }

    pub(crate) fn put(&self, recording: Recording) {
        self.rows.lock().unwrap().push(recording);
    }

    pub(crate) fn fail_next(&self, error: RecordingFileError) {
        *self.failure.lock().unwrap() = Some(error);
    }

    fn fault(&self) -> Result<(), RecordingFileError> {
        self.failure.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

/// What the WAV of a recording has at each place.
pub(crate) fn wav() -> Vec<u8> {
    let byte = |place: usize| u8::try_from(place % 251).unwrap();
    (0..WAV_BYTES).map(byte).collect()
}

pub(crate) fn recording(id: &str, state: RecordingState) -> Recording {
    let began = UnixMillis(1_800_000_000_000);
    Recording {
        id: id.parse().unwrap(),
        medium: SinkMedium::Call,
        call: "call-1".parse().unwrap(),
        service: "billing".parse().unwrap(),
        agent: None,
        node: "n1".to_owned(),
        began,
        key_id: "0123456789abcdef".to_owned(),
        keep_until: Recording::keep_until(began, 30),
        state,
        scan: None,
    }
}

/// That of a screen.
pub(crate) fn screen(id: &str, state: RecordingState) -> Recording {
    Recording {
        medium: SinkMedium::Screen,
        ..recording(id, state)
    }
}

pub(crate) fn ended(is_whole: bool) -> RecordingState {
    RecordingState::Ended(RecordingEnd {
        at: UnixMillis(1_800_000_002_000),
        samples: SAMPLES,
        bytes: 44_288,
        final_segment: is_whole.then_some(4),
    })
}

impl Recordings for Shelf {
    fn recording<'a>(
        &'a self,
        id: &'a RecordingId,
    ) -> Task<'a, Result<Option<Recording>, StoreError>> {
        let rows = self.rows.lock().unwrap();
        task(Ok(rows.iter().find(|row| row.id == *id).cloned()))
    }

    fn recordings<'a>(
        &'a self,
        filter: &'a RecordingFilter,
        after: Option<&'a RecordingPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        let place = |row: &Recording| (row.began, row.id.clone());
        let after = after.map(|place| (place.began, place.id.clone()));
        let fits = |row: &&Recording| {
            !matches!(row.state, RecordingState::Deleting(_))
                && filter.medium.is_none_or(|medium| row.medium == medium)
                && filter.call.as_ref().is_none_or(|call| row.call == *call)
                && filter
                    .service
                    .as_ref()
                    .is_none_or(|one| row.service == *one)
                && (filter.agent.is_none() || row.agent == filter.agent)
                && filter.from.is_none_or(|from| row.began >= from)
                && filter.until.is_none_or(|until| row.began < until)
                && after.as_ref().is_none_or(|after| place(row) < *after)
        };
        let rows = self.rows.lock().unwrap();
        let mut found: Vec<_> = rows.iter().filter(fits).cloned().collect();
        found.sort_by_key(|row| std::cmp::Reverse(place(row)));
        found.truncate(usize::try_from(limit).unwrap());
        task(Ok(found))
    }

    fn running_recordings<'a>(
        &'a self,
        _: &'a str,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        task(Ok(Vec::new()))
    }

    fn recordings_unscanned<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a RecordingPlace>,
        _: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        task(Ok(Vec::new()))
    }

    fn recordings_due<'a>(
        &'a self,
        _: &'a str,
        _: UnixMillis,
        _: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        task(Ok(Vec::new()))
    }
}

impl RecordingFiles for Shelf {
    fn open<'a>(
        &'a self,
        recording: &'a Recording,
    ) -> Task<'a, Result<Arc<dyn OpenRecording>, RecordingFileError>> {
        assert!(matches!(recording.state, RecordingState::Ended(_)));
        let opened = || -> Result<Arc<dyn OpenRecording>, _> {
            self.fault()?;
            let mut outline = outline();
            outline.spans.extend(self.removed.lock().unwrap().iter());
            Ok(Arc::new(Opened(outline)))
        };
        task(opened())
    }

    fn open_screen<'a>(
        &'a self,
        recording: &'a Recording,
    ) -> Task<'a, Result<Arc<dyn OpenScreen>, RecordingFileError>> {
        assert!(matches!(recording.state, RecordingState::Ended(_)));
        let opened = || -> Result<Arc<dyn OpenScreen>, _> {
            self.fault()?;
            Ok(Arc::new(OpenedScreen(screen_outline())))
        };
        task(opened())
    }

    fn delete<'a>(
        &'a self,
        recording: &'a Recording,
        by: &'a Actor,
        reason: &'a str,
    ) -> Task<'a, Result<(), RecordingChangeError>> {
        let entry = |action| AuditEntry::new(self.rooms.now(), by, action, recording.object());
        let audited = |entry| Audited {
            change: Change::None,
            entry,
        };
        let begun = entry(AuditAction::RecordingDeletionBegan).with("reason", reason);
        let done = entry(AuditAction::RecordingDeleted);
        Box::pin(async move {
            self.rooms.commit(audited(begun)).await?;
            self.fault()?;
            let gone = |row: &Recording| row.id != recording.id;
            self.rows.lock().unwrap().retain(gone);
            self.rooms.commit(audited(done)).await?;
            Ok(())
        })
    }

    fn redact<'a>(
        &'a self,
        recording: &'a Recording,
        part_ms: Range<u64>,
        by: &'a Actor,
        reason: &'a str,
    ) -> Task<'a, Result<(), RecordingChangeError>> {
        let audited = |action| Audited {
            change: Change::None,
            entry: AuditEntry::new(self.rooms.now(), by, action, recording.object())
                .with("from_ms", part_ms.start)
                .with("until_ms", part_ms.end)
                .with("reason", reason),
        };
        let begun = audited(AuditAction::RecordingRedactionBegan);
        let done = audited(AuditAction::RecordingRedacted);
        Box::pin(async move {
            self.rooms.commit(begun).await?;
            self.fault()?;
            let part = RecordingSpan::new(
                RecordingSpanKind::Removed,
                RecordingTracks::Both,
                part_ms.start * 8..part_ms.end * 8,
            );
            self.removed.lock().unwrap().push(part);
            self.rooms.commit(done).await?;
            Ok(())
        })
    }
}

fn outline() -> RecordingOutline {
    let masked = RecordingSpan::new(
        RecordingSpanKind::Masked,
        RecordingTracks::Consumer,
        4_000..8_001,
    );
    RecordingOutline {
        samples: SAMPLES,
        peaks: [vec![9; 16], vec![0; 16]],
        spans: vec![masked],
        ending: RecordingEnding::Whole,
    }
}

struct Opened(RecordingOutline);

impl OpenRecording for Opened {
    fn outline(&self) -> &RecordingOutline {
        &self.0
    }

    fn wav_bytes(&self) -> u64 {
        u64::try_from(WAV_BYTES).unwrap()
    }

    fn wav(&self, offset: u64, bytes_max: usize) -> Task<'_, Result<Vec<u8>, RecordingFileError>> {
        let offset = usize::try_from(offset).unwrap();
        let end = (offset + bytes_max).min(WAV_BYTES);
        task(Ok(wav()[offset..end].to_vec()))
    }

    fn opus(&self) -> Result<Box<dyn RecordingPieces>, RecordingFileError> {
        Ok(Box::new(Pieces(vec![b"OggS2".to_vec(), b"OggS1".to_vec()])))
    }
}

fn screen_outline() -> ScreenOutline {
    let part = |number, begin_ms| ScreenPart {
        number,
        begin_ms,
        length_ms: 400,
        bytes: u64::try_from(WAV_BYTES).unwrap(),
        media_type: "video/webm;codecs=vp8".to_owned(),
    };
    let paused = RecordingSpan::new(
        RecordingSpanKind::Paused,
        RecordingTracks::Both,
        4_000..8_000,
    );
    ScreenOutline {
        length_ms: 2_000,
        parts: vec![part(0, 100), part(2, 1_000)],
        spans: vec![paused],
        ending: RecordingEnding::Whole,
    }
}

struct OpenedScreen(ScreenOutline);

impl OpenScreen for OpenedScreen {
    fn outline(&self) -> &ScreenOutline {
        &self.0
    }

    fn part(
        &self,
        _: u16,
        offset: u64,
        bytes_max: usize,
    ) -> Task<'_, Result<Vec<u8>, RecordingFileError>> {
        let offset = usize::try_from(offset).unwrap();
        let end = (offset + bytes_max).min(WAV_BYTES);
        task(Ok(wav()[offset..end].to_vec()))
    }
}

/// The last one first.
struct Pieces(Vec<Vec<u8>>);

impl RecordingPieces for Pieces {
    fn next(&mut self) -> Task<'_, Option<Result<Vec<u8>, RecordingFileError>>> {
        task(self.0.pop().map(Ok))
    }
}
