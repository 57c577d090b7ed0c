//! Removing a part of what was recorded; real files, a real database.

use domain::access::Actor;
use domain::boundary::{OpenRecording, RecordingChangeError, RecordingFileError, StoreError};
use domain::recording::{
    RecordingChange, RecordingEnding, RecordingFinds, RecordingScan, RecordingSpanKind,
};

use super::*;

/// Samples of a millisecond.
const MS: u64 = 8;
const REASON: &str = "The customer said the number aloud.";

async fn kept_scene() -> (Scene, Recording) {
    let mut scene = Scene::new().await;
    let ear = scene.recorded().await;
    let row = scene.end(ear).await;
    (scene, row)
}

fn sid() -> Actor {
    Actor {
        name: "sid".to_owned(),
        ..Actor::system()
    }
}

async fn redact(
    scene: &Scene,
    row: &Recording,
    part_ms: std::ops::Range<u64>,
) -> Result<(), RecordingChangeError> {
    let files = scene.recorder.files();
    files.redact(row, part_ms, &sid(), REASON).await
}

async fn now(scene: &Scene, row: &Recording) -> Recording {
    scene.database.recording(&row.id).await.unwrap().unwrap()
}

/// What a person sees of it.
async fn open(scene: &Scene, row: &Recording) -> Arc<dyn OpenRecording> {
    let row = now(scene, row).await;
    scene.recorder.files().open(&row).await.unwrap()
}

#[tokio::test]
async fn a_removed_part_is_silent_is_a_span_and_stands_in_the_trail_before_and_after() {
    let (scene, row) = kept_scene().await;
    redact(&scene, &row, 500..1_000).await.unwrap();
    let start = PACKET;
    let (from, until) = (start + 500 * MS, start + 1_000 * MS);
    assert_eq!(kept(&scene.read(&row)), [(start, from), (until, 16_000)]);
    let opened = open(&scene, &row).await;
    assert_eq!(opened.outline().ending, RecordingEnding::Whole);
    let removed = opened.outline().spans.iter();
    let removed: Vec<_> = removed
        .filter(|span| span.kind == RecordingSpanKind::Removed)
        .map(|span| (span.from_ms, span.until_ms))
        .collect();
    assert_eq!(removed, [(500, 1_000)]);
    // As somebody takes it out: 44 bytes of head, 4 of a moment.
    let wav = opened.wav(44 + 4 * 500 * MS, 4 * 4_000).await.unwrap();
    let samples = wav
        .chunks_exact(2)
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]));
    assert!(samples.clone().all(|sample| sample.unsigned_abs() <= 8));
    assert_eq!(samples.count(), 8_000);

    let RecordingState::Ended(end) = now(&scene, &row).await.state else {
        panic!("it has ended");
    };
    let RecordingState::Ended(before) = row.state else {
        panic!("it had ended");
    };
    let bytes = std::fs::metadata(scene.rows().folder.path(&row.id, row.began))
        .unwrap()
        .len();
    assert_eq!(
        (end.bytes, end.samples, end.at),
        (bytes, before.samples, before.at)
    );
    assert_eq!(end.final_segment, before.final_segment.map(|last| last + 1));
    let about = serde_json::json!({
        "call": scene.call.as_str(), "from_ms": 500, "until_ms": 1_000, "reason": REASON,
    });
    for action in [
        AuditAction::RecordingRedactionBegan,
        AuditAction::RecordingRedacted,
    ] {
        assert_eq!(scene.entries(action).await, std::slice::from_ref(&about));
    }
    assert_eq!(scene.rows().folder.redactions().unwrap().len(), 0);
}

#[tokio::test]
async fn a_quarantine_ends_once_the_scan_finds_no_more() {
    let (scene, row) = kept_scene().await;
    let found = RecordingScan {
        at: row.began,
        finds: RecordingFinds {
            masked_keys: 2,
            ..RecordingFinds::default()
        },
    };
    let (id, scan) = (row.id.clone(), found);
    let change = RecordingChange::Scan { id, scan };
    let entry = scene
        .rows()
        .entry_by(&sid(), AuditAction::RecordingScanned, &row);
    scene.rows().commit(change, entry).await.unwrap();
    assert!(
        now(&scene, &row)
            .await
            .scan
            .is_some_and(|scan| scan.is_quarantined())
    );
    redact(&scene, &row, 0..1_000).await.unwrap();
    assert!(
        now(&scene, &row)
            .await
            .scan
            .is_some_and(|scan| !scan.is_quarantined())
    );
}

#[tokio::test]
async fn what_a_scan_found_in_the_file_before_a_part_was_removed_is_not_noted_of_the_new_one() {
    let (scene, row) = kept_scene().await;
    let finds = RecordingFinds {
        unprotected_keys: 16,
        ..RecordingFinds::default()
    };
    // It has read the old file, and comes behind the removal.
    redact(&scene, &row, 0..1_000).await.unwrap();
    assert_eq!(scene.rows().keep_finds(&row, finds).await, Ok(false));
    let redacted = now(&scene, &row).await;
    assert!(redacted.scan.is_some_and(|scan| !scan.is_quarantined()));
    assert_eq!(scene.rows().keep_finds(&redacted, finds).await, Ok(true));
    let found = now(&scene, &row).await.scan;
    assert!(found.is_some_and(|scan| scan.finds == finds));
}

#[tokio::test]
async fn a_restart_tells_the_row_of_a_part_that_was_removed_when_the_server_ended() {
    let (scene, row) = kept_scene().await;
    let ring = scene.rows().ring().unwrap();
    let part = PACKET..8_000;
    scene
        .rows()
        .folder
        .redact((&row.id, row.began), &ring, part)
        .unwrap();
    let damaged = open(&scene, &row).await;
    assert!(matches!(
        damaged.outline().ending,
        RecordingEnding::Damaged { .. }
    ));
    scene.rows().settle_redactions().await.unwrap();
    let opened = open(&scene, &row).await;
    assert_eq!(opened.outline().ending, RecordingEnding::Whole);
    let told = scene.entries(AuditAction::RecordingRedacted).await;
    let resumed = serde_json::json!({"call": scene.call.as_str(), "resumed": true});
    assert_eq!(told, [resumed]);
    scene.rows().settle_redactions().await.unwrap();
    assert_eq!(scene.entries(AuditAction::RecordingRedacted).await.len(), 1);
    redact(&scene, &row, 1_000..1_500).await.unwrap();
    assert_eq!(
        kept(&scene.read(&row)).first(),
        Some(&(8_000, PACKET + 1_000 * MS))
    );
}

#[tokio::test]
async fn whoever_tries_again_after_an_interruption_has_the_first_part_and_the_second_one_removed() {
    let (scene, row) = kept_scene().await;
    let ring = scene.rows().ring().unwrap();
    let named = (&row.id, row.began);
    let part = PACKET..8_000;
    scene.rows().folder.redact(named, &ring, part).unwrap();
    redact(&scene, &row, 1_000..1_500).await.unwrap();
    let opened = open(&scene, &row).await;
    assert_eq!(opened.outline().ending, RecordingEnding::Whole);
    let stretches = [(8_000, PACKET + 1_000 * MS), (PACKET + 1_500 * MS, 16_000)];
    assert_eq!(kept(&scene.read(&row)), stretches);
    let told = scene.entries(AuditAction::RecordingRedacted).await;
    assert_eq!(
        told.iter().filter(|told| told["resumed"] == true).count(),
        1
    );
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn of_two_removals_at_once_each_is_done_and_a_deletion_beside_one_leaves_nothing() {
    let (scene, row) = kept_scene().await;
    let both = tokio::join!(
        redact(&scene, &row, 0..500),
        redact(&scene, &row, 1_000..1_500)
    );
    assert_eq!(both, (Ok(()), Ok(())));
    let opened = open(&scene, &row).await;
    assert_eq!(opened.outline().ending, RecordingEnding::Whole);
    let removed = opened.outline().spans.iter();
    let removed = removed.filter(|span| span.kind == RecordingSpanKind::Removed);
    let removed: Vec<_> = removed.map(|span| span.from_ms).collect();
    assert_eq!(removed, [0, 1_000]);

    let files = scene.recorder.files();
    let sid = sid();
    let (redacted, deleted) = tokio::join!(
        redact(&scene, &row, 600..700),
        files.delete(&row, &sid, REASON)
    );
    // Whichever came first.
    let refused = Err(RecordingChangeError::Store(StoreError::Conflict));
    assert!(redacted == Ok(()) || redacted == refused, "{redacted:?}");
    assert_eq!(deleted, Ok(()));
    assert!(!scene.rows().folder.path(&row.id, row.began).exists());
    assert_eq!(scene.rows().folder.redactions().unwrap().len(), 0);
    assert_eq!(scene.database.recording(&row.id).await, Ok(None));
}

#[tokio::test]
async fn what_is_damaged_or_being_deleted_is_not_redacted() {
    let (scene, row) = kept_scene().await;
    let path = scene.rows().folder.path(&row.id, row.began);
    let whole = std::fs::read(&path).unwrap();
    // The last bytes of audio, before the final segment.
    let mut changed = whole.clone();
    changed[whole.len() - 51] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let refused = redact(&scene, &row, 0..500).await.unwrap_err();
    let RecordingChangeError::File(RecordingFileError::PeerDamaged { why }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        why.ends_with("put the file back from a backup, or delete the recording"),
        "{why}"
    );
    // The final segment has 32 bytes of head, 2 of index and 16 of tag.
    std::fs::write(&path, &whole[..whole.len() - 50]).unwrap();
    let refused = redact(&scene, &row, 0..500).await.unwrap_err();
    let RecordingChangeError::File(RecordingFileError::PeerDamaged { why }) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.starts_with("it had "), "{why}");
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(scene.entries(AuditAction::RecordingRedacted).await.len(), 0);

    let change = RecordingChange::BeginDeletion(row.id.clone());
    let entry = scene
        .rows()
        .entry_by(&sid(), AuditAction::RecordingDeletionBegan, &row);
    scene.rows().commit(change, entry).await.unwrap();
    let refused = redact(&scene, &row, 0..500).await;
    assert_eq!(
        refused,
        Err(RecordingChangeError::Store(StoreError::Conflict))
    );
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}
