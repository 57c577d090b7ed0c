//! The scan of a recording after its call: what should not be in it.
//! Owns: which audio is searched for what, and that each recording is scanned once.
//! Never: keeps a key: a find is counted, and the audio that was looked at is overwritten.

use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Recordings, Store, StoreError, captures_of};
use domain::id::RecordingId;
use domain::recording::{
    Recording, RecordingChange, RecordingEnd, RecordingFinds, RecordingPlace, RecordingScan,
    RecordingState,
};
use media::dtmf::inband::strict::Presses;
use recording::{ReadError, Reader, Source, Span, SpanKind, Track, Tracks};
use tokio::sync::Notify;

use super::rows::Rows;
use super::told;
use crate::key_search::{KeySearch, is_key};

/// Moments that are read at once: a second.
const PIECE: usize = 8_000;
/// Keys of the shortest card number.
const UNPROTECTED_RUN_LEAST: u32 = 13;
/// The longest pause within a number that is keyed: five seconds.
const UNPROTECTED_PAUSE_MAX: u64 = 40_000;

/// Silence at most, in 16-bit linear units: A-law's smallest step, for it has no zero.
const SILENCE_MAX: u16 = 8;

/// Recordings that are looked up at once.
const ROWS_MAX: u32 = 100;
/// How often it is looked for recordings whose scan failed, or whose end nobody told.
const LOOK_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Recordings that cannot be read and are passed over until the next start. When full, those beyond are tried again each time.
const PASSED_MAX: usize = 10_000;

/// Keys outside of protection that follow each other, counted once there are enough for a card number.
#[derive(Default)]
struct Runs {
    end: u64,
    keys: u32,
    counted: u32,
}

impl Runs {
    fn hear(&mut self, key: &Range<u64>) {
        if key.start.saturating_sub(self.end) > UNPROTECTED_PAUSE_MAX {
            self.close();
        }
        self.keys = self.keys.saturating_add(1);
        self.end = key.end;
    }

    fn close(&mut self) {
        if self.keys >= UNPROTECTED_RUN_LEAST {
            self.counted = self.counted.saturating_add(self.keys);
        }
        self.keys = 0;
    }
}

/// Searches a recording.
///
/// - In masked parts: keys, as `tonewall scan` finds them.
/// - In pauses: anything but silence.
/// - Elsewhere: runs of presses as long as a card number, which a consumer keyed while no widget was open.
///
/// # Errors
/// The system cannot read it.
pub(super) fn scan<S: Source>(reader: &Reader<S>) -> Result<RecordingFinds, ReadError> {
    let spans = reader.spans();
    let mut finds = RecordingFinds::default();
    for track in Track::BOTH {
        let of = |kind| {
            let spans = spans.iter().filter(move |span| span.kind == kind);
            let spans = spans.filter(|span| is_on(span, track));
            spans.map(|span| span.from..span.until).collect::<Vec<_>>()
        };
        let (masked, paused) = (of(SpanKind::Masked), of(SpanKind::Paused));
        let found = &mut finds;
        for span in &masked {
            let mut search = KeySearch::new(span.start);
            each(reader, track, span.clone(), |_, audio| search.push(audio))?;
            let keys = u32::try_from(search.finish().len()).unwrap_or(u32::MAX);
            found.masked_keys = found.masked_keys.saturating_add(keys);
        }
        let keys = unprotected(reader, track, &masked)?;
        found.unprotected_keys = found.unprotected_keys.saturating_add(keys);
        for span in paused {
            each(reader, track, span, |_, audio| {
                let is_sound = |sample: &&i16| sample.unsigned_abs() > SILENCE_MAX;
                let heard = audio.iter().filter(is_sound).count();
                found.paused_samples += u64::try_from(heard).unwrap_or(u64::MAX);
            })?;
        }
    }
    Ok(finds)
}

fn is_on(span: &Span, track: Track) -> bool {
    match span.tracks {
        Tracks::Both => true,
        Tracks::One(one) => one == track,
    }
}

/// Keys of a track outside of masked parts, in runs as long as a card number.
fn unprotected<S: Source>(
    reader: &Reader<S>,
    track: Track,
    masked: &[Range<u64>],
) -> Result<u32, ReadError> {
    let mut presses = Presses::new();
    let mut runs = Runs::default();
    each(reader, track, reader.positions(), |at, audio| {
        presses.push_audio(at, audio);
        while let Some(mut press) = presses.poll() {
            let is_masked = masked.iter().any(|span| span.contains(&press.start));
            if is_key(press.pair) && !is_masked {
                runs.hear(&(press.start..press.end));
            }
            press.pair.wipe();
        }
    })?;
    presses.wipe();
    runs.close();
    Ok(runs.counted)
}

/// Hands a track's audio out piece by piece, each with the position of its first sample, and overwrites it.
fn each<S: Source>(
    reader: &Reader<S>,
    track: Track,
    span: Range<u64>,
    mut take: impl FnMut(u64, &[i16]),
) -> Result<(), ReadError> {
    let mut both = vec![0_i16; 2 * PIECE];
    let mut audio = vec![0_i16; PIECE];
    let skip = usize::from(track == Track::Agent);
    let mut at = span.start;
    while at < span.end {
        let left = usize::try_from(span.end - at).unwrap_or(PIECE).min(PIECE);
        let both = both.get_mut(..2 * left).unwrap_or_default();
        let audio = audio.get_mut(..left).unwrap_or_default();
        reader.read(at, both)?;
        for (sample, found) in audio.iter_mut().zip(both.iter().skip(skip).step_by(2)) {
            *sample = *found;
        }
        take(at, audio);
        at += u64::try_from(left).unwrap_or(u64::MAX);
    }
    both.fill(0);
    audio.fill(0);
    Ok(())
}

/// Scans what has ended, once each, for as long as the server runs.
pub(super) struct Scans {
    rows: Arc<Rows>,
    passed: HashSet<RecordingId>,
}

impl Scans {
    pub(super) fn new(rows: Arc<Rows>) -> Self {
        Self {
            rows,
            passed: HashSet::new(),
        }
    }

    /// Looks each time that a recording has ended, and once an hour.
    pub(super) async fn run(mut self, ended: Arc<Notify>) {
        loop {
            if let Err(error) = self.look().await {
                tracing::error!(%error, "recordings are not scanned");
            }
            let _told_or_late = tokio::time::timeout(LOOK_INTERVAL, ended.notified()).await;
        }
    }

    /// Scans what is left to scan. How many were.
    pub(super) async fn look(&mut self) -> Result<usize, StoreError> {
        let mut scanned = 0;
        let mut after: Option<RecordingPlace> = None;
        loop {
            let rows = &self.rows;
            let left = rows
                .database
                .recordings_unscanned(&rows.node, after.as_ref(), ROWS_MAX);
            let left = left.await?;
            let Some(last) = left.last() else {
                return Ok(scanned);
            };
            after = Some(last.into());
            for row in &left {
                if !self.passed.contains(&row.id) {
                    scanned += usize::from(self.scan(row).await?);
                }
            }
        }
    }

    /// Whether it could be read.
    async fn scan(&mut self, row: &Recording) -> Result<bool, StoreError> {
        let Some(finds) = self.rows.search(row).await? else {
            if self.passed.len() < PASSED_MAX {
                self.passed.insert(row.id.clone());
            }
            return Ok(false);
        };
        self.rows.keep_finds(row, finds).await
    }
}

impl Rows {
    /// None: it cannot be read, and the log says why.
    async fn search(&self, row: &Recording) -> Result<Option<RecordingFinds>, StoreError> {
        let (folder, ring) = (self.folder.clone(), self.ring()?);
        let (id, began) = (row.id.clone(), row.began);
        let search = move || {
            let reader: Reader<File> = match folder.read((&id, began), &ring) {
                Ok(reader) => reader,
                Err(error) => {
                    tracing::error!(recording = %id, error = told(&error), "alarm: a recording cannot be scanned");
                    return None;
                }
            };
            scan(&reader)
                .inspect_err(|error| {
                    tracing::error!(recording = %id, error = told(error), "alarm: a recording cannot be scanned");
                })
                .ok()
        };
        let searched = tokio::task::spawn_blocking(search).await;
        searched.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Notes what was found in the file of a row. Whether it is noted: not if that file is being deleted, or was scanned anew since a part of it was removed.
    pub(super) async fn keep_finds(
        &self,
        row: &Recording,
        finds: RecordingFinds,
    ) -> Result<bool, StoreError> {
        let _alone = self.changing.lock().await;
        let RecordingState::Ended(end) = row.state else {
            return Ok(false);
        };
        if self.database.recording(&row.id).await?.as_ref() != Some(row) {
            return Ok(false);
        }
        self.note_scan(row, end, finds).await?;
        Ok(true)
    }

    /// Scans one again whose file is another now. One that cannot be read stays as the scan before left it.
    pub(super) async fn scan_again(
        &self,
        row: &Recording,
        end: RecordingEnd,
    ) -> Result<(), StoreError> {
        match self.search(row).await? {
            Some(finds) => self.note_scan(row, end, finds).await,
            None => Ok(()),
        }
    }

    /// The trail says what was found, of each capture of the call and of the recording; then its row does. Interrupted, it is done again.
    async fn note_scan(
        &self,
        row: &Recording,
        end: RecordingEnd,
        finds: RecordingFinds,
    ) -> Result<(), StoreError> {
        let at = self.clock.now();
        for opened in captures_of(&*self.database, row, end.at).await? {
            let capture = opened.object;
            let entry = self
                .scan_entry(row, finds, capture)
                .with("recording", row.id.as_str());
            let change = Change::None;
            self.database.commit(Audited { change, entry }).await?;
        }
        let scan = RecordingScan { at, finds };
        let id = row.id.clone();
        let entry = self.scan_entry(row, finds, row.object());
        let change = Change::Recording(RecordingChange::Scan { id, scan });
        self.database.commit(Audited { change, entry }).await?;
        self.counters.scanned.fetch_add(1, Ordering::Relaxed);
        if scan.is_quarantined() {
            self.counters.quarantined.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                recording = %row.id,
                call = %row.call,
                masked_keys = finds.masked_keys,
                paused_samples = finds.paused_samples,
                unprotected_keys = finds.unprotected_keys,
                "alarm: a recording holds what it should not; nobody can listen to it; delete it or remove the part"
            );
        }
        Ok(())
    }

    fn scan_entry(&self, row: &Recording, finds: RecordingFinds, object: String) -> AuditEntry {
        let action = AuditAction::RecordingScanned;
        AuditEntry::new(self.clock.now(), &Actor::system(), action, object)
            .with("call", row.call.as_str())
            .with("masked_keys", finds.masked_keys)
            .with("paused_samples", finds.paused_samples)
            .with("unprotected_keys", finds.unprotected_keys)
    }
}
