//! Master keys that change, and one that is lost: files of both keys, one folder.

use domain::access::Actor;
use domain::audit::AuditEntry;
use domain::boundary::RecordingFileError;
use recording::KeyId;

use super::*;

/// A scene with two recordings: one under the first master key, one under the second.
async fn with_two_keys() -> (Scene, [Recording; 2]) {
    let mut scene = Scene::new().await;
    let ear = scene.recorded().await;
    let old = scene.end(ear).await;
    let clock = scene.clock.0.load(Ordering::Relaxed);
    let entry = AuditEntry::new(
        UnixMillis(clock),
        &Actor::system(),
        AuditAction::KeyRotated,
        "master key",
    );
    let rotation = scene.database.rotate_key(entry).await.unwrap();
    // The row of the second one is the newer.
    scene.clock.0.store(clock + 1_000, Ordering::Relaxed);
    scene.start_again().await;
    scene.call = CallId::from_random(8);
    let ear = scene.recorded().await;
    drop(ear);
    scene.recorder.stop(scene.work.take().unwrap()).await;
    let new = scene.all().await.remove(0);
    assert_eq!(new.key_id, rotation.key_id);
    assert_ne!(old.key_id, new.key_id);
    scene.start_again().await;
    (scene, [old, new])
}

impl Scene {
    fn key_file(&self) -> std::path::PathBuf {
        self.folder.path().join("master.key")
    }

    /// Takes the oldest master key away, or puts it back.
    fn keep_keys(&self, keys: &[&str]) {
        std::fs::write(self.key_file(), keys.join("\n")).unwrap();
    }

    fn keys(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.key_file()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Ends server and database, and starts them over the same data.
    async fn start_again(&mut self) {
        if let Some(work) = self.work.take() {
            self.recorder.stop(work).await;
        }
        self.database.close().await.unwrap();
        let database = Database::open(StoreConfig {
            url: format!(
                "sqlite:{}",
                self.folder.path().join("tonewall.db").display()
            ),
            key: EnvelopeKeySource::File(self.key_file()),
            node: "n1".to_owned(),
        });
        self.database = Arc::new(database.await.unwrap());
        let time: Arc<dyn WallClock> = self.clock.clone();
        let kept = self.folder.path().join("kept");
        let hub = web::events::Hub::new();
        let started = Recorder::start(&kept, "n1", &self.database, &time, hub);
        let (recorder, work) = started.await.unwrap();
        self.recorder = recorder;
        self.work = Some(work);
    }

    async fn all(&self) -> Vec<Recording> {
        let filter = RecordingFilter::default();
        self.database.recordings(&filter, None, 9).await.unwrap()
    }

    async fn unscanned(&self) -> Vec<Recording> {
        let rows = self.database.recordings_unscanned("n1", None, 9);
        rows.await.unwrap()
    }

    async fn opens(&self, row: &Recording) -> Result<(), RecordingFileError> {
        let row = self.database.recording(&row.id).await.unwrap().unwrap();
        self.recorder.files().open(&row).await.map(|_| ())
    }

    async fn rekey(&self) -> Rekeyed {
        let time: Arc<dyn WallClock> = self.clock.clone();
        let kept = self.folder.path().join("kept");
        rekey(&kept, "n1", &self.database, &time).await.unwrap()
    }
}

fn missing(row: &Recording) -> Result<(), RecordingFileError> {
    let key_id = row.key_id.clone();
    Err(RecordingFileError::ConfigKey { key_id })
}

#[tokio::test]
async fn a_lost_key_is_named_by_its_recordings_and_nothing_else_breaks() {
    let (mut scene, [old, new]) = with_two_keys().await;
    assert_eq!(scene.opens(&old).await, Ok(()));
    assert_eq!(scene.opens(&new).await, Ok(()));

    let keys = scene.keys();
    scene.keep_keys(&[&keys[1]]);
    scene.start_again().await;
    assert_eq!(scene.all().await.len(), 2, "both are listed");
    assert_eq!(scene.opens(&old).await, missing(&old));
    assert_eq!(scene.opens(&new).await, Ok(()));
    let left = scene.rekey().await;
    assert_eq!((left.done, left.same), (0, 1));
    let told = format!("recording {}: key {} is not at hand", old.id, old.key_id);
    assert!(left.left[0].starts_with(&told), "{:?}", left.left);
    // Another key in its place is no better, and what is recorded from now on is under it.
    let stranger = tempfile::tempdir().unwrap();
    let other = KeyFile::create_or_open(stranger.path().join("other.key")).unwrap();
    std::fs::copy(other.path(), scene.key_file()).unwrap();
    scene.start_again().await;
    assert_eq!(scene.opens(&old).await, missing(&old));
    assert_eq!(scene.opens(&new).await, missing(&new));

    // Back again, all is as before; without it both are deleted with their days.
    scene.keep_keys(&[&keys[0], &keys[1]]);
    scene.start_again().await;
    assert_eq!(scene.opens(&old).await, Ok(()));
    scene.keep_keys(&[&keys[1]]);
    scene.start_again().await;
    // The sweep of the start would take them first if it came late.
    scene.work.as_ref().unwrap().sweeps.abort();
    scene.clock.0.store(new.keep_until.0, Ordering::Relaxed);
    assert_eq!(scene.rows().sweep().await, Ok(2));
    assert!(!scene.rows().folder.path(&old.id, old.began).exists());
    assert_eq!(scene.all().await, []);
}

#[tokio::test]
async fn a_recording_whose_key_is_lost_stays_to_be_scanned() {
    let (mut scene, [old, _]) = with_two_keys().await;
    let keys = scene.keys();
    let began = tokio::time::Instant::now();
    while !scene.unscanned().await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "they are never scanned");
        tokio::task::yield_now().await;
    }
    // One that was not scanned before its key was lost.
    scene.work.as_ref().unwrap().scans.abort();
    scene.call = CallId::from_random(9);
    let ear = scene.recorded().await;
    drop(ear);
    scene.keep_keys(&[&keys[0]]);
    scene.start_again().await;
    let unscanned = scene.unscanned().await;
    assert_eq!(unscanned.len(), 1);
    assert_eq!(scene.opens(&unscanned[0]).await, missing(&unscanned[0]));
    assert_eq!(scene.opens(&old).await, Ok(()));
}

#[tokio::test]
async fn keys_of_recordings_are_wrapped_anew_once_and_the_old_master_key_is_needed_no_more() {
    let (mut scene, [old, new]) = with_two_keys().await;
    scene.recorder.stop(scene.work.take().unwrap()).await;
    let rekeyed = scene.rekey().await;
    assert_eq!((rekeyed.done, rekeyed.same), (1, 1), "{rekeyed:?}");
    let row = scene.database.recording(&old.id).await.unwrap().unwrap();
    assert_eq!(row.key_id, new.key_id);
    let entries = scene.entries(AuditAction::RecordingRekeyed).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["key"], new.key_id);
    assert_eq!(scene.rekey().await.same, 2);
    assert_eq!(scene.entries(AuditAction::RecordingRekeyed).await.len(), 1);

    let keys = scene.keys();
    scene.keep_keys(&[&keys[1]]);
    scene.start_again().await;
    assert_eq!(scene.opens(&old).await, Ok(()));
    assert_eq!(scene.opens(&new).await, Ok(()));
    assert!(new.key_id.parse::<KeyId>().is_ok());
}
