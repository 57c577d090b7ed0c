//! Calls that are recorded: what is in the file of one, while keys are pressed, and after a `kill -9`.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use domain::boundary::Recordings;
use domain::capture::fixtures::CARDS;
use domain::recording::{Recording, RecordingFilter, RecordingState};
use media::dtmf::inband::loose::LooseDetector;
use recording::{Ending, Folder, KeyRing, Reader, Span, SpanKind, Track, Tracks, Wav, WrappingKey};
use serde_json::{Value, json};
use store::{Database, EnvelopeKeySource, StoreConfig};

use crate::support::{Capture, Running, Site, TONEWALL, connect, wait_for};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);
/// The trail's place of a moment in a recording is that near: what was said just then is on its way.
const NEAR_MS: u64 = 500;
/// The node whose recordings they are.
pub(crate) const NODE: &str = "judge";
/// Where a file's segments begin, and bytes of a second of both sides.
const HEAD_BYTES: u64 = 12_288;
const SECOND_BYTES: u64 = 16_000;

/// An installation that records the calls of its only service, with the folder of its recordings.
pub(crate) fn recording_site() -> (Site, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let environment = [
        ("TONEWALL_RECORDINGS_DIRECTORY", directory),
        ("TONEWALL_NODE_NAME", NODE),
    ];
    (Site::set_up(Path::new(TONEWALL), &environment), folder)
}

/// Starts it; the service wants its calls recorded.
fn start(site: &mut Site) -> Running {
    let running = site.start();
    let admin = running.page("admin");
    let service = admin.get("/api/v1/services")["services"][0].clone();
    let mut form = json!({ "call_recording": { "when": "always", "keep_days": 30 } });
    for field in [
        "name",
        "numbers",
        "route",
        "desktop",
        "protection",
        "revision",
    ] {
        form[field] = service[field].clone();
    }
    let path = format!("/api/v1/services/{}", service["id"].as_str().unwrap());
    let saved = admin.put(&path, &form);
    assert_eq!(saved["call_recording"]["when"], "always");
    running
}

/// Entries of the trail about recordings that did so.
pub(crate) fn entries(running: &Running, action: &str) -> Vec<Value> {
    let trail = running.page("auditor");
    let found = trail.get(&format!("/api/v1/audit?action={action}"));
    found["entries"].as_array().unwrap().clone()
}

/// Waits until the newest file has so many seconds of audio.
fn recorded(folder: &Path, seconds: u64) {
    wait_for("audio is recorded", STEP_MAX, || {
        let days = std::fs::read_dir(folder).unwrap();
        let files = days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap());
        let bytes = files.map(|file| file.unwrap().metadata().unwrap().len());
        (bytes.max()? >= HEAD_BYTES + seconds * SECOND_BYTES).then_some(())
    });
}

/// Hangs up, and waits until the trail says that the recording has ended.
fn hang_up(running: &Running) -> Value {
    running.stage.post("/control/hang-up", &json!({}));
    wait_for("the recording's row is closed", STEP_MAX, || {
        entries(running, "recording_ended").pop()
    })
}

/// The scan of the only recording, and of the captures in it, found nothing.
fn is_scanned_and_clean(running: &Running, captures: usize) {
    let scanned = wait_for("the recording is scanned", STEP_MAX, || {
        Some(entries(running, "recording_scanned")).filter(|found| found.len() == captures + 1)
    });
    let of = |object: &str| {
        let object = object.to_owned();
        let is_it = move |entry: &&Value| entry["object"].as_str().unwrap().starts_with(&object);
        scanned.iter().filter(is_it).count()
    };
    assert_eq!(
        (of("recording "), of("capture ")),
        (1, captures),
        "{scanned:?}"
    );
    for entry in &scanned {
        for found in ["masked_keys", "paused_samples", "unprotected_keys"] {
            assert_eq!(entry["detail"][found], 0, "{entry}");
        }
    }
}

/// `tonewall scan` agrees about what would leave as a file.
fn is_clean_outside(reader: &Reader<File>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    let mut file = File::create(&path).unwrap();
    Wav::new(reader).unwrap().export(&mut file).unwrap();
    let mut scan = std::process::Command::new(TONEWALL);
    let scan = scan.arg("scan").arg(&path).output().unwrap();
    assert!(scan.status.success(), "{scan:?}");
}

/// The store of an installation whose server is not needed for that.
pub(crate) async fn open_store(site: &Site) -> Database {
    let data = site.data();
    let database = Database::open(StoreConfig {
        url: format!("sqlite:{}", data.join("tonewall.db").display()),
        key: EnvelopeKeySource::File(data.join("master.key")),
        node: NODE.to_owned(),
    });
    database.await.unwrap()
}

/// The only recording, its row and its file.
fn only(site: &Site, folder: &Path) -> (Recording, Reader<File>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = open_store(site).await;
        let keys = database.recording_keys().unwrap().into_iter();
        let keys = keys.map(|key| WrappingKey::new(key.id.parse().unwrap(), key.key));
        let ring = KeyRing::new(keys.collect());
        let filter = RecordingFilter::default();
        let mut rows = database.recordings(&filter, None, 10).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = rows.pop().unwrap();
        let reader = Folder::open(folder).unwrap();
        let reader = reader.read((&row.id, row.began), &ring).unwrap();
        database.close().await.unwrap();
        (row, reader)
    })
}

/// Samples of one side, from one position to before another.
fn samples(reader: &Reader<File>, track: Track, from: u64, until: u64) -> Vec<i16> {
    let mut both = vec![0; 2 * usize::try_from(until - from).unwrap()];
    assert_eq!(reader.read(from, &mut both).unwrap(), 0);
    let skip = usize::from(track == Track::Agent);
    both.into_iter().skip(skip).step_by(2).collect()
}

fn is_silent(samples: &[i16]) -> bool {
    samples.iter().all(|sample| *sample == 0)
}

fn only_span(reader: &Reader<File>, kind: SpanKind) -> Span {
    let spans = reader.spans();
    let mut spans = spans.iter().filter(|span| span.kind == kind);
    let span = spans.next().unwrap();
    assert_eq!(spans.next(), None);
    *span
}

/// No key can be read from what the consumer said, and nothing is lost.
fn judge(reader: &Reader<File>) {
    let all = reader.positions();
    let consumer = samples(reader, Track::Consumer, all.start, all.end);
    assert_eq!(LooseDetector::scan(&consumer).len(), 0);
    assert!(!is_silent(&consumer));
}

#[test]
fn a_basic_capture_pauses_the_recording_by_the_recorders_own_word() {
    let (mut site, folder) = recording_site();
    let running = start(&mut site);
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    recorded(folder.path(), 1);
    let capture = Capture::open(&page, &running.stage, &call, "check_basic");
    let view = capture.view();
    let parts = view["protection"].as_array().unwrap().iter();
    let mut own = parts.filter(|part| part["what"] == "call_recording_paused");
    let own = own.next().unwrap();
    assert_eq!(
        (&own["name"], &own["confirmed"]),
        (&json!("Tonewall"), &json!(true))
    );
    capture.key_check();
    capture.act("done");
    capture.act("confirm_gone");
    // Two seconds of keys lie in the pause, so this much comes after it.
    recorded(folder.path(), 2);
    let ended = hang_up(&running);
    assert_eq!(ended["detail"]["cut"], false, "{ended}");
    is_scanned_and_clean(&running, 1);
    for action in ["recorder_paused", "recorder_resumed"] {
        let entries = entries(&running, action);
        assert_eq!(entries.len(), 1, "{action}: {entries:?}");
        assert_eq!(entries[0]["detail"]["recorder"], "Tonewall");
        assert!(entries[0]["detail"]["answered_ms"].is_u64(), "{entries:?}");
    }
    let (row, reader) = only(&site, folder.path());
    assert_eq!(reader.ending(), Ending::Whole);
    let RecordingState::Ended(end) = row.state else {
        panic!("{row:?}");
    };
    assert_eq!(end.final_segment, Some(reader.segments() - 1));
    let all = reader.positions();
    assert_eq!(end.samples, all.end - all.start);
    assert_eq!(row.call.as_str(), call["id"]);

    let pause = only_span(&reader, SpanKind::Paused);
    assert_eq!(pause.tracks, Tracks::Both);
    assert!(pause.until - pause.from > 2 * 8_000, "{pause:?}");
    for track in Track::BOTH {
        assert!(is_silent(&samples(&reader, track, pause.from, pause.until)));
        assert!(!is_silent(&samples(&reader, track, all.start, pause.from)));
        assert!(!is_silent(&samples(&reader, track, pause.until, all.end)));
    }
    judge(&reader);
    is_clean_outside(&reader);
}

#[test]
fn an_advanced_capture_is_recorded_with_flat_tones_and_its_masked_span() {
    let (mut site, folder) = recording_site();
    let running = start(&mut site);
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    recorded(folder.path(), 1);
    let capture = Capture::open(&page, &running.stage, &call, "check_advanced");
    capture.key_check();
    capture.act("cancel");
    recorded(folder.path(), 4);
    hang_up(&running);
    is_scanned_and_clean(&running, 1);
    let (_, reader) = only(&site, folder.path());
    assert_eq!(reader.ending(), Ending::Whole);
    let spans = reader.spans();
    assert!(
        spans.iter().all(|span| span.kind != SpanKind::Paused),
        "{spans:?}"
    );
    let masked = only_span(&reader, SpanKind::Masked);
    assert_eq!(masked.tracks, Tracks::One(Track::Consumer));
    assert!(masked.until - masked.from > 2 * 8_000, "{masked:?}");
    let armed = entries(&running, "capture_armed").remove(0);
    let told = armed["detail"]["recording_ms"].as_u64().unwrap();
    let found = (masked.from - reader.positions().start) / 8;
    assert!(told.abs_diff(found) < NEAR_MS, "{told} {found}");
    let released = entries(&running, "capture_released").remove(0);
    let judged = released["detail"]["egress_checked_ms"].as_u64().unwrap();
    assert!(judged > 2_000, "what left was looked at again: {released}");
    let found = ["egress_finds", "egress_trips"].map(|fact| &released["detail"][fact]);
    assert_eq!(found, [0, 0]);
    let keyed = samples(&reader, Track::Consumer, masked.from, masked.until);
    assert!(!is_silent(&keyed), "flat tones are heard");
    judge(&reader);
    is_clean_outside(&reader);

    let auditor = running.page("auditor");
    let found = auditor.get("/api/v1/recordings");
    let id = found["recordings"][0]["id"].as_str().unwrap().to_owned();
    let seen = auditor.get(&format!("/api/v1/recordings/{id}"));
    assert_eq!(seen["file"]["ending"]["is"], "whole", "{seen}");
    let from = (masked.from - reader.positions().start) / 8;
    let told = seen["file"]["spans"].as_array().unwrap();
    let is_it = |span: &&Value| span["kind"] == "masked" && span["from_ms"] == from;
    assert_eq!(told.iter().filter(is_it).count(), 1, "{seen}");
}

#[test]
fn a_recording_goes_on_after_basic_captures_however_they_end() {
    let (mut site, folder) = recording_site();
    let running = start(&mut site);
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    recorded(folder.path(), 1);
    let cancelled = Capture::open(&page, &running.stage, &call, "check_basic");
    cancelled.key_check();
    cancelled.act("cancel");
    recorded(folder.path(), 2);
    let done = Capture::open(&page, &running.stage, &call, "check_basic");
    done.key_check();
    done.act("done");
    done.act("confirm_gone");
    done.act("close");
    recorded(folder.path(), 3);
    Capture::open(&page, &running.stage, &call, "check_basic").key_check();
    hang_up(&running);
    is_scanned_and_clean(&running, 3);
    let (_, reader) = only(&site, folder.path());
    let all = reader.positions();
    let spans = reader.spans();
    let pauses = spans.iter().filter(|span| span.kind == SpanKind::Paused);
    let pauses: Vec<Span> = pauses.copied().collect();
    assert_eq!(pauses.len(), 3, "{spans:?}");
    let mut from = all.start;
    for pause in &pauses {
        for track in Track::BOTH {
            assert!(!is_silent(&samples(&reader, track, from, pause.from)));
            assert!(is_silent(&samples(&reader, track, pause.from, pause.until)));
        }
        from = pause.until;
    }
    // The call ended in the last of them.
    assert_eq!(pauses[2].until, all.end);
    drop(running);

    // Whatever was paused when a server ended: the next call is recorded.
    let mut running = site.start();
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    recorded(folder.path(), 1);
    Capture::open(&page, &running.stage, &call, "check_basic").key_check();
    running.kill_server();
    drop(running);
    let running = site.start();
    let page = running.page("agent");
    connect(&page, &running.stage);
    recorded(folder.path(), 3);
}

#[test]
fn a_basic_card_and_an_advanced_check_of_one_call_are_kept_by_their_own_rules() {
    let (mut site, folder) = recording_site();
    let running = start(&mut site);
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    recorded(folder.path(), 1);
    let basic = Capture::open(&page, &running.stage, &call, "credit_card_basic");
    basic.key_card(CARDS[0].number, "123");
    basic.act("done");
    basic.act("confirm_gone");
    basic.act("close");
    recorded(folder.path(), 2);
    let advanced = Capture::open(&page, &running.stage, &call, "check_advanced");
    advanced.key_check();
    advanced.act("cancel");
    recorded(folder.path(), 5);
    hang_up(&running);
    is_scanned_and_clean(&running, 2);
    let (_, reader) = only(&site, folder.path());
    let pause = only_span(&reader, SpanKind::Paused);
    for track in Track::BOTH {
        assert!(is_silent(&samples(&reader, track, pause.from, pause.until)));
    }
    // The mask may hold from one capture to the next.
    let spans = reader.spans();
    let last = spans.iter().filter(|span| span.kind == SpanKind::Masked);
    let last = last.max_by_key(|span| span.until).unwrap();
    let from = last.from.max(pause.until);
    assert!(last.until > from + 2 * 8_000, "{spans:?}");
    let keyed = samples(&reader, Track::Consumer, from, last.until);
    assert!(!is_silent(&keyed), "flat tones are heard");
    judge(&reader);
    is_clean_outside(&reader);
}

#[test]
fn a_recording_whose_server_is_killed_is_cut_and_plays() {
    let (mut site, folder) = recording_site();
    let mut running = start(&mut site);
    let page = running.page("agent");
    connect(&page, &running.stage);
    recorded(folder.path(), 2);
    running.kill_server();
    drop(running);
    let running = site.start();
    let ended = entries(&running, "recording_ended");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["detail"]["cut"], true, "{ended:?}");
    let (row, reader) = only(&site, folder.path());
    assert_eq!(reader.ending(), Ending::Cut);
    let RecordingState::Ended(end) = row.state else {
        panic!("{row:?}");
    };
    assert_eq!(end.final_segment, None);
    assert!(end.samples >= 2 * 8_000, "{end:?}");
    let wav = Wav::new(&reader).unwrap();
    let mut bytes = Vec::new();
    let written = wav.export(&mut bytes).unwrap();
    assert_eq!((written.bytes, written.changed_segments), (wav.len(), 0));
    judge(&reader);
}

#[test]
fn a_recording_is_heard_under_a_new_master_key_alone_once_it_was_wrapped_anew() {
    let (mut site, folder) = recording_site();
    let mut running = start(&mut site);
    let page = running.page("agent");
    connect(&page, &running.stage);
    recorded(folder.path(), 2);
    hang_up(&running);
    running.end_server();
    drop(running);
    let key_file = site.data().join("master.key");
    let (is_done, said) = site.command(&["key", "rotate"]);
    assert!(
        is_done && said.contains("the newest master key is "),
        "{said}"
    );
    let (is_done, said) = site.command(&["recording", "rekey"]);
    assert!(
        is_done && said.contains("recordings wrapped anew: 1;"),
        "{said}"
    );
    let keys = std::fs::read_to_string(&key_file).unwrap();
    let keys: Vec<&str> = keys.lines().collect();
    assert_eq!(keys.len(), 2);
    std::fs::write(&key_file, keys[1]).unwrap();
    let running = site.start();
    let auditor = running.page("auditor");
    let found = auditor.get("/api/v1/recordings");
    let path = format!(
        "/api/v1/recordings/{}",
        found["recordings"][0]["id"].as_str().unwrap()
    );
    let seen = auditor.get(&path);
    assert_eq!(seen["file"]["ending"]["is"], "whole", "{seen}");
    assert_eq!(entries(&running, "key_rotated").len(), 1);
    assert_eq!(entries(&running, "recording_rekeyed").len(), 1);

    // The same installation with a key that is another one: it starts, and says which is missing.
    drop(running);
    std::fs::write(&key_file, keys[0]).unwrap();
    let running = site.start();
    let auditor = running.page("auditor");
    let seen = auditor.get(&path);
    assert_eq!(seen["file"], Value::Null);
    let missing = seen["missing_key"].as_str().unwrap();
    let why = seen["unreadable"].as_str().unwrap();
    assert_eq!(missing.len(), 16);
    assert!(why.contains(missing), "{why}");
}
