//! Which input a packet's samples were: latency by content, not by time stamps.
//! Latency of a packet = (departure - first sample / 8000) - (arrival - first sample of its input / 8000), both on the input's timeline.

use std::sync::Arc;

use memchr::memmem;

use crate::generator::FRAME;
use crate::speech::SAMPLES;

/// Sending times kept for each stream: 5 s.
const TIMES: usize = 256;

/// Codes that must agree: 3 ms.
const RUN: usize = 24;

/// Different codes among them, so that a pause of line noise is not taken for another.
const DISTINCT: usize = 10;

/// Where in a packet such a run is looked for.
const RUNS_AT: [usize; 4] = [0, 48, 96, 136];

/// Samples back that a packet's content is looked for: 2.5 s.
const LOOK_BACK: usize = 20_000;

const NANOS_PER_SAMPLE: i64 = 125_000;
const NO_STREAM: u32 = u32::MAX;

/// What became of a packet's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// It left this many nanoseconds after it had come.
    After(i64),
    /// Masked, silent, or of nobody.
    Nothing,
}

struct Place {
    begins_at: usize,
    /// Sending times of the packets by their number.
    times: Vec<i64>,
    sent: u64,
    /// Samples between the newest packet's begin and the begin of what came back last: the first guess.
    behind: usize,
}

/// What every consumer has said and when.
pub(crate) struct Places {
    /// What all say, and its beginning once more.
    says: Vec<u8>,
    by_port: Vec<u32>,
    by_stream: Vec<u32>,
    places: Vec<Place>,
}

impl Places {
    pub(crate) fn new(says: &Arc<Vec<u8>>) -> Self {
        let again = &says[..LOOK_BACK + FRAME + RUN];
        Self {
            says: [says.as_slice(), again].concat(),
            by_port: vec![NO_STREAM; 1 << 16],
            by_stream: Vec::new(),
            places: Vec::new(),
        }
    }

    /// The consumer's stream with this index comes out of this port.
    pub(crate) fn add(&mut self, stream: usize, port: u16, begins_at: usize) {
        let place = u32::try_from(self.places.len()).unwrap_or(NO_STREAM);
        self.by_port[usize::from(port)] = place;
        self.streams_are(stream + 1);
        self.by_stream[stream] = place;
        self.places.push(Place {
            begins_at,
            times: vec![0; TIMES],
            sent: 0,
            behind: 0,
        });
    }

    /// There are this many streams.
    pub(crate) fn streams_are(&mut self, count: usize) {
        self.by_stream.resize(count, NO_STREAM);
    }

    /// Packet `number` of a stream was sent.
    pub(crate) fn sent(&mut self, stream: usize, number: u64, at: i64) {
        if let Some(place) = index(self.by_stream[stream]) {
            let place = &mut self.places[place];
            place.times[slot(number)] = at;
            place.sent = number + 1;
        }
    }

    /// When what this packet carries had come.
    pub(crate) fn find(&mut self, port: u16, departed: i64, payload: &[u8]) -> Found {
        let Some(place) = index(self.by_port[usize::from(port)]) else {
            return Found::Nothing;
        };
        let place = &mut self.places[place];
        for at in RUNS_AT {
            let Some(run) = payload.get(at..at + RUN) else {
                break;
            };
            if is_telling(run)
                && let Some(after) = place.find(&self.says, run, at, departed)
            {
                return Found::After(after);
            }
        }
        Found::Nothing
    }
}

impl Place {
    fn find(&mut self, says: &[u8], run: &[u8], at: usize, departed: i64) -> Option<i64> {
        // Counted from the first sample of the stream.
        let heard_to = usize::try_from(self.sent).ok()? * FRAME;
        let newest = heard_to.checked_sub(FRAME)?;
        let place_of = |first: usize| (self.begins_at * FRAME + first) % SAMPLES;
        let is_here = |first: &usize| says[place_of(first + at)..].starts_with(run);
        let guess = newest.checked_sub(self.behind).filter(is_here);
        let first = guess.or_else(|| {
            let oldest = heard_to.saturating_sub(LOOK_BACK);
            let window = &says[place_of(oldest)..][..heard_to - oldest];
            (oldest + memmem::find(window, run)?).checked_sub(at)
        })?;
        self.behind = newest.saturating_sub(first);
        let number = u64::try_from(first / FRAME).ok()?;
        let into = i64::try_from(first % FRAME).ok()?;
        Some(departed - self.times[slot(number)] - into * NANOS_PER_SAMPLE)
    }
}

fn is_telling(run: &[u8]) -> bool {
    let mut seen = [false; 256];
    for code in run {
        seen[usize::from(*code)] = true;
    }
    seen.into_iter().filter(|one| *one).count() >= DISTINCT
}

fn slot(number: u64) -> usize {
    let times = u64::try_from(TIMES).unwrap_or(1);
    usize::try_from(number % times).unwrap_or(0)
}

fn index(place: u32) -> Option<usize> {
    (place != NO_STREAM).then(|| usize::try_from(place).unwrap_or(usize::MAX))
}
