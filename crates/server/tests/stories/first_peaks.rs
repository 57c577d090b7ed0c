//! How long a player waits before half an hour can be drawn: `GET /recordings/{id}` and its peaks over HTTP, of a file on a disk (`make first-peaks`).

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Store};
use domain::id::{CallId, RecordingId, ServiceId};
use domain::recording::{Recording, RecordingChange, RecordingState};
use domain::service::SinkMedium;
use domain::time::UnixMillis;
use recording::{Composer, DataKey, Folder, Header, Law, Track, WrappingKey};
use secret::CipherKey;
use serde_json::{Value, json};

use crate::recordings::{NODE, entries, open_store, recording_site};
use crate::support::{Running, Site, wait_for};

/// Samples of each side.
const SAMPLES: u64 = 30 * 60 * 8_000;
const PACKET_SAMPLES: usize = 160;
/// Players that open it one after the other; the first finds the page cache as the file's writer left it.
const PLAYERS: usize = 20;
/// Longest wait of any of them.
const FIRST_PEAKS_MAX: Duration = Duration::from_millis(300);
/// Nothing else is to run while it is measured, and the debug program scans for some seconds.
const SCAN_MAX: Duration = Duration::from_secs(120);

/// A recording of half an hour with its row, as a server leaves it that is killed in that moment.
async fn keep(site: &Site, folder: &Path) -> RecordingId {
    let database = open_store(site).await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let began = UnixMillis(i64::try_from(now.as_millis()).unwrap());
    let keys = database.recording_keys().unwrap();
    let row = Recording {
        medium: SinkMedium::Call,
        id: RecordingId::from_random(1),
        call: CallId::from_random(2),
        service: ServiceId::from_random(3),
        agent: None,
        node: NODE.to_owned(),
        began,
        key_id: keys[0].id.clone(),
        keep_until: Recording::keep_until(began, 1),
        state: RecordingState::Running,
        scan: None,
    };
    let (actor, action) = (Actor::system(), AuditAction::RecordingBegan);
    let audited = Audited {
        change: Change::Recording(RecordingChange::Insert(row.clone())),
        entry: AuditEntry::new(began, &actor, action, row.object()),
    };
    database.commit(audited).await.unwrap();
    let key = keys.into_iter().next().unwrap();
    let wrapping = WrappingKey::new(key.id.parse().unwrap(), key.key);
    let path = Folder::open(folder).unwrap().path(&row.id, began);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, spoken(&row, &wrapping)).unwrap();
    database.close().await.unwrap();
    row.id
}

/// The bytes of a file in which both sides are loud throughout, so that no segment is without audio.
fn spoken(row: &Recording, under: &WrappingKey) -> Vec<u8> {
    let header = Header {
        id: row.id.clone(),
        began: row.began,
        laws: [Law::Mu, Law::Mu],
        is_redacted: false,
    };
    let key = CipherKey::fill_with::<()>(|bytes| {
        bytes.fill(0x5A);
        Ok(())
    });
    let key = DataKey::new(key.unwrap());
    let (mut composer, mut file) = Composer::begin(header, 0, key, (under, [0; 12])).unwrap();
    for position in (0..SAMPLES).step_by(PACKET_SAMPLES) {
        let level = i16::try_from(position % 8_191).unwrap();
        let packet = [Law::Mu.encode_sample(level); PACKET_SAMPLES];
        for track in Track::BOTH {
            composer.take(track, position, &packet, &mut file).unwrap();
        }
    }
    composer.end(&mut file).unwrap();
    file
}

/// What a player asks for before it draws; how long that took, and how many peaks came.
fn open(running: &Running, id: &RecordingId) -> (Duration, usize) {
    let page = running.page("auditor");
    let began = Instant::now();
    let seen = page.get(&format!("/api/v1/recordings/{id}"));
    let peaks = page.get(&format!("/api/v1/recordings/{id}/peaks"));
    let took = began.elapsed();
    assert_eq!(seen["file"]["ending"]["is"], "whole", "{seen}");
    let drawn = |track: &str| peaks[track].as_array().map_or(0, Vec::len);
    (took, drawn("consumer") + drawn("agent"))
}

#[test]
#[ignore = "a figure: it is to be taken with nothing else running"]
fn half_an_hour_can_be_drawn_at_once() {
    let (mut site, folder) = recording_site();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let id = runtime.block_on(keep(&site, folder.path()));
    let running = site.start();
    wait_for("the recording is closed and scanned", SCAN_MAX, || {
        entries(&running, "recording_scanned").pop()
    });
    let mut opened: Vec<_> = (0..PLAYERS).map(|_| open(&running, &id)).collect();
    let first = opened[0];
    opened.sort_unstable();
    let ms = |time: Duration| (time.as_secs_f64() * 10_000.0).round() / 10.0;
    let (slowest, peaks) = opened[PLAYERS - 1];
    let figures: Value = json!({
        "bench": "first_peaks", "samples": SAMPLES, "peaks": peaks,
        "first_ms": ms(first.0), "p50_ms": ms(opened[PLAYERS / 2].0), "max_ms": ms(slowest),
    });
    println!("{figures}");
    assert_eq!(peaks, 2 * 14_400);
    assert!(slowest <= FIRST_PEAKS_MAX, "{figures}");
}
