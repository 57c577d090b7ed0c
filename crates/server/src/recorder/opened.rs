//! A recording that is open.
//! Owns: its outline, its bytes as a WAV by place, its way out as Ogg Opus; how much of that happens at once.
//! Never: holds more of its audio than a piece.

use std::fs::File;
use std::io;
use std::sync::Arc;

use domain::boundary::{OpenRecording, RecordingFileError, RecordingPieces, Task};
use domain::id::RecordingId;
use domain::recording::{
    PEAK_MS, RecordingEnd, RecordingEnding, RecordingOutline, RecordingSpan, RecordingSpanKind,
    RecordingTracks,
};
use recording::{Ending, PEAK_SAMPLES, Peak, Reader, Span, SpanKind, Track, Tracks, Wav};
use tokio::sync::{Semaphore, mpsc};

use super::told;

/// Bytes of a piece of Ogg Opus: eight seconds.
const PIECE_BYTES: usize = 32 * 1_024;
/// Pieces that wait for a slow reader; the encoder waits behind them.
const PIECES_MAX: usize = 4;

const _: () = assert!(PEAK_SAMPLES as u64 == PEAK_MS * 8, "a peak is a peak");

/// How much is done at once, for all recordings together.
#[derive(Clone)]
pub(super) struct Room {
    pub(super) reads: Arc<Semaphore>,
    pub(super) encodings: Arc<Semaphore>,
}

impl Room {
    /// Does something with a disk on a thread that may wait, once there is room for it.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RecordingFileError> + Send + 'static,
    ) -> Result<T, RecordingFileError> {
        let permit = self.reads.clone().acquire_owned().await;
        let permit = permit.map_err(|_| RecordingFileError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "reading a recording");
            Err(RecordingFileError::Unavailable)
        })
    }
}

/// A recording that is open.
pub(super) struct Opened {
    id: RecordingId,
    reader: Arc<Reader<File>>,
    outline: RecordingOutline,
    wav_bytes: u64,
    room: Room,
}

impl Opened {
    /// With what its row says of its end.
    pub(super) fn new(
        id: RecordingId,
        reader: Reader<File>,
        end: &RecordingEnd,
        room: Room,
    ) -> Result<Self, RecordingFileError> {
        let wav = Wav::new(&reader).map_err(|error| RecordingFileError::PeerDamaged {
            why: error.to_string(),
        })?;
        let wav_bytes = wav.len();
        Ok(Self {
            id,
            outline: outline(&reader, end),
            reader: Arc::new(reader),
            wav_bytes,
            room,
        })
    }
}

impl OpenRecording for Opened {
    fn outline(&self) -> &RecordingOutline {
        &self.outline
    }

    fn wav_bytes(&self) -> u64 {
        self.wav_bytes
    }

    fn wav(&self, offset: u64, bytes_max: usize) -> Task<'_, Result<Vec<u8>, RecordingFileError>> {
        Box::pin(async move {
            let (reader, id) = (self.reader.clone(), self.id.clone());
            let left = self.wav_bytes.saturating_sub(offset);
            let bytes = usize::try_from(left).map_or(bytes_max, |left| left.min(bytes_max));
            let read = move || {
                let failed = |error: &dyn std::error::Error| unreadable(&id, error);
                let wav = Wav::new(&reader).map_err(|error| failed(&error))?;
                let mut place = vec![0; bytes];
                let handed = wav.read_at(offset, &mut place);
                let handed = handed.map_err(|error| failed(&error))?;
                warn_of_changed(&id, handed.changed_segments);
                place.truncate(usize::try_from(handed.bytes).unwrap_or(bytes));
                Ok(place)
            };
            self.room.read(read).await
        })
    }

    fn opus(&self) -> Result<Box<dyn RecordingPieces>, RecordingFileError> {
        let permit = self.room.encodings.clone().try_acquire_owned();
        let permit = permit.map_err(|_| RecordingFileError::Busy)?;
        let (to, pieces) = mpsc::channel(PIECES_MAX);
        let (reader, id) = (self.reader.clone(), self.id.clone());
        // It ends by itself once nobody takes pieces any more.
        let _encoding = tokio::task::spawn_blocking(move || {
            encode(&id, &reader, to);
            drop(permit);
        });
        Ok(Box::new(Pieces(pieces)))
    }
}

/// Pieces of Ogg Opus from the thread that encodes.
struct Pieces(mpsc::Receiver<Result<Vec<u8>, RecordingFileError>>);

impl RecordingPieces for Pieces {
    fn next(&mut self) -> Task<'_, Option<Result<Vec<u8>, RecordingFileError>>> {
        Box::pin(self.0.recv())
    }
}

/// Gathers what is written into pieces, and waits where nobody takes them.
struct Pipe {
    to: mpsc::Sender<Result<Vec<u8>, RecordingFileError>>,
    piece: Vec<u8>,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        let sent = self.to.blocking_send(Ok(piece));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn encode(
    id: &RecordingId,
    reader: &Reader<File>,
    to: mpsc::Sender<Result<Vec<u8>, RecordingFileError>>,
) {
    let mut pipe = Pipe {
        to,
        piece: Vec::new(),
    };
    match recording::export_opus(reader, &mut pipe) {
        Ok(changed) => {
            warn_of_changed(id, changed);
            // Whoever asked may have gone.
            let _gone = pipe.send();
        }
        Err(recording::OpusError::Write(_)) => {}
        Err(error) => {
            let _gone = pipe.to.blocking_send(Err(unreadable(id, &error)));
        }
    }
}

pub(super) fn unreadable(id: &RecordingId, error: &dyn std::error::Error) -> RecordingFileError {
    tracing::error!(recording = %id, error = told(error), "a recording cannot be read");
    RecordingFileError::Unavailable
}

fn warn_of_changed(id: &RecordingId, segments: usize) {
    if segments > 0 {
        tracing::warn!(recording = %id, segments, "segments of a recording were changed and are silence");
    }
}

fn outline(reader: &Reader<File>, end: &RecordingEnd) -> RecordingOutline {
    let positions = reader.positions();
    let samples = positions.end.saturating_sub(positions.start);
    RecordingOutline {
        samples,
        peaks: drawn(reader.peaks(), positions.start, samples),
        spans: reader
            .spans()
            .iter()
            .map(|found| span(found, positions.start))
            .collect(),
        ending: ending((reader.ending(), reader.segments()), end),
    }
}

/// Peaks at even distances. One that begins between two of them counts for the one before it.
fn drawn(peaks: &[Peak], start: u64, samples: u64) -> [Vec<u8>; 2] {
    let slot = |position: u64| {
        let slot = position.saturating_sub(start) / PEAK_SAMPLES as u64;
        usize::try_from(slot).unwrap_or(usize::MAX)
    };
    let slots = usize::try_from(samples.div_ceil(PEAK_SAMPLES as u64)).unwrap_or(0);
    let mut drawn = [vec![0; slots], vec![0; slots]];
    for peak in peaks {
        for (track, loudest) in drawn.iter_mut().zip([peak.consumer, peak.agent]) {
            if let Some(place) = track.get_mut(slot(peak.position)) {
                *place = loudest.max(*place);
            }
        }
    }
    drawn
}

fn span(span: &Span, start: u64) -> RecordingSpan {
    let kind = match span.kind {
        SpanKind::Paused => RecordingSpanKind::Paused,
        SpanKind::Masked => RecordingSpanKind::Masked,
        SpanKind::Gap => RecordingSpanKind::Gap,
        SpanKind::Removed => RecordingSpanKind::Removed,
    };
    let tracks = match span.tracks {
        Tracks::One(Track::Consumer) => RecordingTracks::Consumer,
        Tracks::One(Track::Agent) => RecordingTracks::Agent,
        Tracks::Both => RecordingTracks::Both,
    };
    let place = |position: u64| position.saturating_sub(start);
    RecordingSpan::new(kind, tracks, place(span.from)..place(span.until))
}

/// A file that somebody shortened looks as if its writer had been stopped; its row knows better.
pub(super) fn ending((is, found): (Ending, u32), end: &RecordingEnd) -> RecordingEnding {
    match (is, end.final_segment) {
        (Ending::Whole, Some(last)) if found == last.saturating_add(1) => RecordingEnding::Whole,
        (Ending::Cut, None) => RecordingEnding::Cut,
        (Ending::Damaged { segment, why }, _) => RecordingEnding::Damaged {
            why: format!("segment {segment}: {why}"),
        },
        (Ending::Cut, Some(last)) => RecordingEnding::Damaged {
            why: format!("it had {} segments and has {found}", last.saturating_add(1)),
        },
        (Ending::Whole, _) => RecordingEnding::Damaged {
            why: "its end is not the one with which it was kept".to_owned(),
        },
    }
}
