//! A screen's recording that is open.
//! Owns: its outline, bytes of its parts.
//! Never: holds more of its video than a piece.

use std::fs::File;
use std::sync::Arc;

use domain::boundary::{OpenScreen, RecordingFileError, Task};
use domain::id::RecordingId;
use domain::recording::{
    RecordingEnd, RecordingSpan, RecordingSpanKind, RecordingTracks, ScreenOutline, ScreenPart,
};
use recording::{ScreenPartError, ScreenReader, SpanKind};

use super::opened::{Room, ending, unreadable};

pub(super) struct OpenedScreen {
    id: RecordingId,
    reader: Arc<ScreenReader<File>>,
    outline: ScreenOutline,
    room: Room,
}

impl OpenedScreen {
    /// With what its row says of its end.
    pub(super) fn new(
        id: RecordingId,
        reader: ScreenReader<File>,
        end: &RecordingEnd,
        room: Room,
    ) -> Self {
        Self {
            id,
            outline: outline(&reader, end),
            reader: Arc::new(reader),
            room,
        }
    }
}

impl OpenScreen for OpenedScreen {
    fn outline(&self) -> &ScreenOutline {
        &self.outline
    }

    fn part(
        &self,
        number: u16,
        offset: u64,
        bytes_max: usize,
    ) -> Task<'_, Result<Vec<u8>, RecordingFileError>> {
        Box::pin(async move {
            let (reader, id) = (self.reader.clone(), self.id.clone());
            let read = move || match reader.read(number, offset, bytes_max) {
                Ok(bytes) => Ok(bytes),
                Err(ScreenPartError::PeerUnknown) => Ok(Vec::new()),
                Err(error @ ScreenPartError::PeerChanged { .. }) => {
                    let why = error.to_string();
                    Err(RecordingFileError::PeerDamaged { why })
                }
                Err(error @ ScreenPartError::Read(_)) => Err(unreadable(&id, &error)),
            };
            self.room.read(read).await
        })
    }
}

fn outline(reader: &ScreenReader<File>, end: &RecordingEnd) -> ScreenOutline {
    let kept = reader.parts().iter().filter(|part| !part.is_removed);
    let parts = kept.map(|part| ScreenPart {
        number: part.number,
        begin_ms: part.begin_ms,
        length_ms: part.end_ms.saturating_sub(part.begin_ms),
        bytes: part.bytes,
        media_type: part.media_type.clone(),
    });
    let spans = reader.spans().into_iter().map(|span| RecordingSpan {
        kind: match span.kind {
            SpanKind::Paused => RecordingSpanKind::Paused,
            SpanKind::Masked => RecordingSpanKind::Masked,
            SpanKind::Gap => RecordingSpanKind::Gap,
            SpanKind::Removed => RecordingSpanKind::Removed,
        },
        tracks: RecordingTracks::Both,
        from_ms: span.from_ms,
        until_ms: span.until_ms,
    });
    ScreenOutline {
        length_ms: reader.length_ms(),
        parts: parts.collect(),
        spans: spans.collect(),
        ending: ending((reader.ending(), reader.segments()), end),
    }
}
