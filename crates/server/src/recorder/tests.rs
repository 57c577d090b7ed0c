//! The recorder over a real database, a real folder and a real writer; only time and the media threads' frames are the tests'.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;

use domain::access::User;
use domain::audit::{AuditAction, TrailFilter};
use domain::boundary::{AuditTrail, LegCallIds, NO_CONTROL, Recordings};
use domain::id::SinkId;
use domain::recording::{Recording, RecordingFilter, RecordingState};
use domain::service::Service;
use domain::time::UnixMillis;
use media::g711;
use recording::{Reader, SpanKind};
use store::{EnvelopeKeySource, KeyFile, StoreConfig};
use voice::{AudioSink, Speaker};

use super::*;

mod files;
mod keys;
mod on_demand;
mod redaction;
mod scan;
mod screens;

const CONSUMER: Speaker = Speaker {
    is_consumer: true,
    law: g711::Law::A,
};
/// Samples of a packet.
const PACKET: u64 = 160;
/// A value that A-law keeps, and that is not its silence.
const VOICE: i16 = 264;
/// What is awaited comes within this.
const PATIENCE: Duration = Duration::from_secs(10);
const DAY_MS: i64 = 86_400_000;

struct Clock(AtomicI64);

impl WallClock for Clock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::Relaxed))
    }
}

struct Scene {
    folder: tempfile::TempDir,
    clock: Arc<Clock>,
    database: Arc<Database>,
    recorder: Recorder,
    work: Option<Work>,
    call: CallId,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyFile::create_or_open(folder.path().join("master.key")).unwrap();
        let database = Database::open(StoreConfig {
            url: format!("sqlite:{}", folder.path().join("tonewall.db").display()),
            key: EnvelopeKeySource::from(key),
            node: "n1".to_owned(),
        });
        let database = Arc::new(database.await.unwrap());
        let clock = Arc::new(Clock(AtomicI64::new(1_764_237_600_000)));
        let time: Arc<dyn WallClock> = clock.clone();
        let kept = folder.path().join("kept");
        let hub = web::events::Hub::new();
        let started = Recorder::start(&kept, "n1", &database, &time, hub);
        let (recorder, work) = started.await.unwrap();
        Self {
            folder,
            clock,
            database,
            recorder,
            work: Some(work),
            call: CallId::from_random(7),
        }
    }

    /// The call is recorded, and two seconds were said on it.
    async fn recorded(&self) -> Ear {
        let mut ear = self.recorder.ear();
        connect(&self.recorder, &self.call, "always");
        self.talk(&mut ear, 0, PACKET);
        ear.caught_up();
        let began = tokio::time::Instant::now();
        while !self.recorder.is_recording(&self.call) {
            assert!(began.elapsed() < PATIENCE, "it is never recorded");
            tokio::task::yield_now().await;
        }
        self.talk(&mut ear, PACKET, 16_000);
        ear
    }

    /// The consumer says something from one position to before another.
    fn talk(&self, ear: &mut Ear, from: u64, until: u64) {
        let samples = vec![VOICE; usize::try_from(until - from).unwrap()];
        ear.frames(&self.call, CONSUMER, from, &samples);
    }

    /// Ends call and recorder; the row of its only recording.
    async fn end(&mut self, mut ear: Ear) -> Recording {
        ear.ended(&self.call);
        self.recorder.stop(self.work.take().unwrap()).await;
        let filter = RecordingFilter::default();
        let rows = self.database.recordings(&filter, None, 9).await.unwrap();
        assert_eq!(rows.len(), 1);
        rows[0].clone()
    }

    fn rows(&self) -> &Rows {
        &self.recorder.0.rows
    }

    fn read(&self, row: &Recording) -> Reader<std::fs::File> {
        let ring = self.rows().ring().unwrap();
        self.rows()
            .folder
            .read((&row.id, row.began), &ring)
            .unwrap()
    }

    async fn entries(&self, action: AuditAction) -> Vec<serde_json::Value> {
        let filter = TrailFilter {
            action: Some(action),
            ..TrailFilter::default()
        };
        let entries = self.database.entries(&filter, 0, 9).await.unwrap();
        entries.into_iter().map(|row| row.entry.detail).collect()
    }
}

/// Both legs of a call of such a service are connected.
fn connect(recorder: &Recorder, call: &CallId, when: &str) {
    connect_to(recorder, call, &service(when), None);
}

fn connect_to(recorder: &Recorder, call: &CallId, service: &Service, agent: Option<&User>) {
    recorder.connected(ConnectedCall {
        id: call,
        called: "4000",
        service,
        agent,
        caller_number: "",
        legs: &LegCallIds::default(),
    });
}

fn service(when: &str) -> Service {
    let service = serde_json::json!({
        "id": "s", "name": "Sales", "numbers": ["*"], "route": { "to": "agents" }, "desktop": "d",
        "protection": "capture", "call_recording": { "when": when, "keep_days": 2 },
        "recorders": null, "revision": 1,
    });
    serde_json::from_value(service).unwrap()
}

/// Positions at which something of the consumer is kept, as stretches.
fn kept(reader: &Reader<std::fs::File>) -> Vec<(u64, u64)> {
    let all = reader.positions();
    let mut both = vec![0; 2 * usize::try_from(all.end - all.start).unwrap()];
    assert_eq!(reader.read(all.start, &mut both).unwrap(), 0);
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for (position, moment) in (all.start..).zip(both.chunks(2)) {
        match stretches.last_mut() {
            _ if moment[0] != VOICE => {}
            Some(last) if last.1 == position => last.1 += 1,
            _ => stretches.push((position, position + 1)),
        }
    }
    stretches
}

#[tokio::test]
async fn what_is_said_between_pause_and_resume_is_not_kept_however_late_it_comes() {
    let mut scene = Scene::new().await;
    let mut ear = scene.recorded().await;
    let own = scene.recorder.own(&scene.call).remove(0);
    let moment = scene.recorder.moment(&scene.call).unwrap();
    assert_eq!(moment.at_ms, (16_000 - PACKET) / 8);
    scene.recorder.pause(&scene.call, &own).await.unwrap();
    assert!(!scene.recorder.is_recording(&scene.call));
    scene.talk(&mut ear, 16_000, 24_000);
    // The agent's word comes while a second of the pause is still on its way.
    let (recorder, call) = (scene.recorder.clone(), scene.call.clone());
    let resuming = tokio::spawn(async move { recorder.resume(&call, &Sink::own()).await });
    while scene.recorder.0.passes.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    ear.caught_up();
    scene.talk(&mut ear, 24_000, 32_000);
    assert!(!scene.recorder.is_recording(&scene.call));
    ear.caught_up();
    resuming.await.unwrap().unwrap();
    assert!(scene.recorder.is_recording(&scene.call));
    scene.talk(&mut ear, 32_000, 40_000);
    let row = scene.end(ear).await;
    assert_eq!(row.id, moment.recording);
    let reader = scene.read(&row);
    assert_eq!(kept(&reader), [(PACKET, 16_000), (32_000, 40_000)]);
    let spans = reader.spans();
    let pauses: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Paused)
        .map(|span| (span.from, span.until))
        .collect();
    assert_eq!(pauses, [(16_000, 32_000)]);
    assert_eq!(reader.header().laws[0], recording::Law::A);
    assert!(!spans.iter().any(|span| span.kind == SpanKind::Gap));
}

#[tokio::test]
async fn only_calls_of_services_that_want_it_are_recorded_and_only_the_own_recorder_is_paused() {
    let scene = Scene::new().await;
    let other = CallId::from_random(8);
    connect(&scene.recorder, &other, "never");
    assert_eq!(scene.recorder.own(&other), []);
    // A call without a recording needs no pause.
    let all = AllRecorders {
        own: Some(scene.recorder.clone()),
        external: External::start(BTreeMap::new(), None, scene.folder.path()).unwrap(),
    };
    let own = Sink::own();
    assert_eq!(all.pause(&other, &own).await, Ok(()));
    for control in [None, Some("floor".to_owned())] {
        let declared = Sink {
            id: SinkId::from_random(9),
            control,
            ..Sink::own()
        };
        let refused = all.pause(&other, &declared).await;
        assert_eq!(refused, Err(NO_CONTROL));
    }
}

#[tokio::test]
async fn a_disk_that_refuses_confirms_nothing_until_it_takes_again() {
    let scene = Scene::new().await;
    let _ear = scene.recorded().await;
    let (to, _ends) = mpsc::channel(1);
    let tell = |report| heed(&report, &scene.recorder.0.counters, &to);
    let recording = RecordingId::from_random(1);
    tell(Report::StorageRefuses {
        recording,
        why: "writing x: no space".to_owned(),
    });
    assert!(!scene.recorder.is_recording(&scene.call));
    assert!(scene.recorder.counts().is_refused);
    tell(Report::StorageTakes {
        after: Duration::from_secs(1),
    });
    assert!(scene.recorder.is_recording(&scene.call));
}

#[tokio::test]
async fn a_recording_is_deleted_once_its_days_are_over_and_both_entries_say_so() {
    let mut scene = Scene::new().await;
    let ear = scene.recorded().await;
    let row = scene.end(ear).await;
    assert!(matches!(row.state, RecordingState::Ended(end) if end.is_whole()));
    assert_eq!(row.keep_until, row.began.plus_ms(2 * DAY_MS));
    let path = scene.rows().folder.path(&row.id, row.began);
    assert!(path.starts_with(scene.folder.path()) && path.exists());

    let at = |ms: i64| scene.clock.0.store(ms, Ordering::Relaxed);
    at(row.keep_until.0 - 1);
    assert_eq!(scene.rows().sweep().await, Ok(0));
    assert!(path.exists());
    at(row.keep_until.0);
    assert_eq!(scene.rows().sweep().await, Ok(1));
    assert!(!path.exists());
    assert_eq!(scene.database.recording(&row.id).await, Ok(None));
    let begun = scene.entries(AuditAction::RecordingDeletionBegan).await;
    let done = scene.entries(AuditAction::RecordingDeleted).await;
    assert_eq!((begun.len(), done.len()), (1, 1));
    assert_eq!(done[0]["found"], true);
    assert_eq!(done[0]["call"], scene.call.as_str());
    assert_eq!(scene.recorder.counts().deleted, 1);
}

#[tokio::test]
async fn a_row_that_was_left_running_is_closed_by_its_file_or_as_empty_without_one() {
    let scene = Scene::new().await;
    let new = New {
        medium: SinkMedium::Call,
        call: scene.call.clone(),
        service: service("always").id,
        agent: None,
        keep_days: 1,
    };
    let key = scene.rows().ring().unwrap().active().unwrap().id();
    let row = scene.rows().begin(&new, key).await.unwrap();
    assert_eq!(scene.rows().close_left().await, Ok(1));
    assert_eq!(scene.rows().close_left().await, Ok(0));
    let closed = scene.database.recording(&row.id).await.unwrap().unwrap();
    let RecordingState::Ended(end) = closed.state else {
        panic!("{closed:?}");
    };
    assert_eq!((end.samples, end.bytes, end.final_segment), (0, 0, None));
    let ended = scene.entries(AuditAction::RecordingEnded).await;
    assert_eq!(ended[0]["cut"], true);
}

#[tokio::test]
async fn where_the_mask_holds_is_a_span_also_if_it_held_before_the_recording_began() {
    let mut scene = Scene::new().await;
    let mut ear = scene.recorder.ear();
    ear.masked(&scene.call, 0, true);
    drop(ear);
    let mut ear = scene.recorded().await;
    ear.masked(&scene.call, 4_000, false);
    ear.masked(&scene.call, 15_000, true);
    let row = scene.end(ear).await;
    let reader = scene.read(&row);
    let spans = reader.spans();
    let masked = spans.iter().filter(|span| span.kind == SpanKind::Masked);
    let masked: Vec<_> = masked.map(|span| (span.from, span.until)).collect();
    assert_eq!(masked, [(PACKET, 4_000), (15_000, 16_000)]);
    assert_eq!(kept(&reader), [(PACKET, 16_000)]);
}
