//! What comes out of the media threads, and into which recording it goes.
//! Owns: what is known of each call that is heard.
//! Never: waits for a disk or a database.

use std::sync::Arc;

use domain::id::{CallId, RecordingId};
use recording::{Edge, Feed, Law, Mark, SpanKind, Track, Tracks, Writer};
use voice::{AudioSink, Speaker};

use super::Shared;

/// A call that is heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Position behind the last sample of either side, in samples since the call's media began.
    pub(super) end: u64,
    /// How samples of consumer and agent come.
    pub(super) laws: [Option<Law>; 2],
    /// The mask holds.
    pub(super) is_masked: bool,
    /// It is recorded, or about to be.
    pub(super) take: Option<Take>,
}

impl Heard {
    pub(super) fn running(&self) -> Option<&Running> {
        self.take.as_ref().and_then(|take| take.running.as_ref())
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        self.take.as_mut().and_then(|take| take.running.as_mut())
    }

    pub(super) fn is_recorded(&self) -> bool {
        self.running().is_some()
    }
}

/// A call's recording, begun or about to be.
#[derive(Debug, Default)]
pub(super) struct Take {
    /// Held by whoever begins, pauses or resumes it.
    pub(super) control: Arc<tokio::sync::Mutex<()>>,
    pub(super) running: Option<Running>,
}

/// A recording under way. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: RecordingId,
    /// Position of its first sample.
    pub(super) start: u64,
    feed: Feed,
    pub(super) is_paused: bool,
}

impl Running {
    pub(super) fn new(id: RecordingId, start: u64, feed: Feed) -> Self {
        Self {
            id,
            start,
            feed,
            is_paused: false,
        }
    }
}

/// The ear of the recorder, on the thread that empties the media threads' rings.
pub(crate) struct Ear(pub(super) Arc<Shared>);

impl AudioSink for Ear {
    fn frames(&mut self, call: &CallId, from: Speaker, position: u64, samples: &[i16]) {
        let mut calls = self.0.calls();
        if !calls.contains_key(call) {
            calls.insert(call.clone(), Heard::default());
        }
        let Some(heard) = calls.get_mut(call) else {
            return;
        };
        let end = position.saturating_add(u64::try_from(samples.len()).unwrap_or(u64::MAX));
        heard.end = heard.end.max(end);
        let (track, place) = match from.is_consumer {
            true => (Track::Consumer, 0),
            false => (Track::Agent, 1),
        };
        heard.laws[place] = Some(from.law);
        if let Some(running) = heard.running_mut() {
            // What finds no room is a gap, and is reported as one.
            let _dropped = running.feed.push(track, position, samples);
        }
    }

    fn masked(&mut self, call: &CallId, position: u64, holds: bool) {
        let mut calls = self.0.calls();
        let heard = calls.entry(call.clone()).or_default();
        heard.is_masked = holds;
        if let (Some(running), Some(writer)) = (heard.running(), self.0.writer()) {
            mark(&writer, &running.id, position, holds);
        }
    }

    fn ended(&mut self, call: &CallId) {
        let ended = self.0.calls().remove(call);
        drop(ended);
    }

    fn caught_up(&mut self) {
        self.0.passes.send_modify(|passes| *passes += 1);
    }
}

/// Notes where the mask began or ended.
pub(super) fn mark(writer: &Writer, recording: &RecordingId, position: u64, begins: bool) {
    let mark = Mark {
        kind: SpanKind::Masked,
        edge: if begins { Edge::Begin } else { Edge::End },
        tracks: Tracks::One(Track::Consumer),
        position,
    };
    if writer.mark(recording, mark).is_err() {
        tracing::warn!(%recording, "where the mask began or ended is not marked: the writer has too much to do");
    }
}
