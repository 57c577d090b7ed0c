//! A writer with its folder, and audio that says at which position it stands.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use domain::id::RecordingId;
use domain::time::UnixMillis;
use recording::{
    Feed, Folder, Header, KeyRing, Law, NewRecording, Reader, Report, Track, WrappingKey, Writer,
};
use secret::CipherKey;

/// 2025-11-27.
pub(crate) const BEGAN: UnixMillis = UnixMillis(1_764_237_600_123);
/// Whatever is waited for has come by then, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn ring() -> KeyRing {
    let key = CipherKey::fill_with::<()>(|bytes| {
        bytes.fill(0x5A);
        Ok(())
    });
    KeyRing::new(vec![WrappingKey::new(
        "0011223344556677".parse().unwrap(),
        key.unwrap(),
    )])
}

pub(crate) fn id(number: usize) -> RecordingId {
    RecordingId::from_random(u128::try_from(number).unwrap())
}

/// A writer, its folder, and what it reports.
pub(crate) struct House {
    pub(crate) writer: Writer,
    pub(crate) folder: Folder,
    pub(crate) reports: Receiver<Report>,
}

impl House {
    pub(crate) fn at(path: &Path) -> Self {
        let folder = Folder::open(path).unwrap();
        let (to, reports) = sync_channel(10_000);
        let report = move |report| to.send(report).unwrap();
        let writer = Writer::start(folder.clone(), Box::new(report)).unwrap();
        Self {
            writer,
            folder,
            reports,
        }
    }

    pub(crate) async fn begin(&self, number: usize) -> Feed {
        let new = NewRecording {
            header: Header {
                id: id(number),
                began: BEGAN,
                laws: [Law::Mu, Law::A],
                is_redacted: false,
            },
            start: 0,
        };
        self.writer.begin(new, &ring()).await.unwrap()
    }

    pub(crate) fn read(&self, number: usize) -> Reader<File> {
        self.folder.read((&id(number), BEGAN), &ring()).unwrap()
    }

    pub(crate) fn next_report(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).unwrap()
    }

    /// Bytes in the file of a recording so far.
    pub(crate) fn bytes(&self, number: usize) -> u64 {
        let path = self.folder.path(&id(number), BEGAN);
        std::fs::metadata(path).map_or(0, |about| about.len())
    }
}

/// Looks until it holds.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "it never held");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The sample of a recording's track at a position: a value that its law keeps, never silence, other at the next position.
pub(crate) fn sample(number: usize, track: Track, position: u64) -> i16 {
    let law = match track {
        Track::Consumer => Law::Mu,
        Track::Agent => Law::A,
    };
    let mixed = position * 31 + position / 127 + u64::try_from(number).unwrap() * 17;
    let byte = u8::try_from(mixed % 101).unwrap() + 1;
    law.decode_byte(byte)
}

pub(crate) fn samples(number: usize, track: Track, from: u64, count: u64) -> Vec<i16> {
    (from..from + count)
        .map(|at| sample(number, track, at))
        .collect()
}

/// Pushes both sides of a part in frames of 20 ms; how many samples were dropped.
pub(crate) fn talk(feed: &mut Feed, number: usize, from: u64, until: u64) -> usize {
    let mut dropped = 0;
    for at in (from..until).step_by(160) {
        for track in Track::BOTH {
            let frame = samples(number, track, at, 160.min(until - at));
            dropped += feed.push(track, at, &frame);
        }
    }
    dropped
}

/// The positions from 0 to before `until` at which not both tracks are what was said.
pub(crate) fn differing(reader: &Reader<File>, number: usize, until: u64) -> Vec<u64> {
    let mut out = vec![0; 2 * usize::try_from(until).unwrap()];
    assert_eq!(reader.read(0, &mut out).unwrap(), 0);
    let moments = out.chunks_exact(2).zip(0..);
    let differs = |(moment, at): &(&[i16], u64)| {
        *moment != Track::BOTH.map(|track| sample(number, track, *at))
    };
    moments.filter(differs).map(|(_, at)| at).collect()
}
