//! What is kept, opened, written out and deleted; real files, some of them spoiled.

use std::io::{Seek as _, SeekFrom, Write as _};

use domain::access::Actor;
use domain::boundary::{OpenRecording, RecordingChangeError, RecordingFileError, RecordingPieces};
use domain::recording::{RecordingEnd, RecordingEnding, RecordingSpanKind, RecordingTracks};

use super::*;

/// A WAV's bytes before its samples, and of a moment.
const WAV_HEAD: u64 = 44;
const MOMENT: u64 = 4;

/// A scene with the row of a whole recording in which the mask held for a while.
async fn kept_scene() -> (Scene, Recording) {
    let mut scene = Scene::new().await;
    let mut ear = scene.recorded().await;
    ear.masked(&scene.call, 8_160, true);
    ear.masked(&scene.call, 12_160, false);
    let row = scene.end(ear).await;
    (scene, row)
}

async fn open(scene: &Scene, row: &Recording) -> Arc<dyn OpenRecording> {
    scene.recorder.files().open(row).await.unwrap()
}

async fn refusal(scene: &Scene, row: &Recording) -> RecordingFileError {
    let files = scene.recorder.files();
    files.open(row).await.map(|_| ()).unwrap_err()
}

async fn all_of(pieces: &mut dyn RecordingPieces) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        all.extend(piece.unwrap());
    }
    all
}

fn path(scene: &Scene, row: &Recording) -> std::path::PathBuf {
    scene.rows().folder.path(&row.id, row.began)
}

/// Writes something else at a place of the file.
fn spoil(scene: &Scene, row: &Recording, offset: u64, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(path(scene, row));
    let mut file = file.unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

fn actor() -> Actor {
    Actor {
        name: "sid".to_owned(),
        address: "192.0.2.7".to_owned(),
        ..Actor::system()
    }
}

#[tokio::test]
async fn a_kept_recording_tells_its_outline_and_plays_from_any_place() {
    let (scene, row) = kept_scene().await;
    let opened = open(&scene, &row).await;
    let outline = opened.outline();
    let samples = 16_000 - PACKET;
    assert_eq!(
        (outline.samples, outline.length_ms()),
        (samples, samples / 8)
    );
    assert_eq!(outline.ending, RecordingEnding::Whole);
    let [consumer, agent] = &outline.peaks;
    let peaks = usize::try_from(samples.div_ceil(1_000)).unwrap();
    let loud = u8::try_from(VOICE / 128).unwrap();
    assert_eq!((consumer, agent), (&vec![loud; peaks], &vec![0; peaks]));
    let masked = outline.spans[0];
    assert_eq!(
        (masked.kind, masked.tracks),
        (RecordingSpanKind::Masked, RecordingTracks::Consumer)
    );
    assert_eq!((masked.from_ms, masked.until_ms), (1_000, 1_500));
    assert_eq!(outline.spans.len(), 1);

    assert_eq!(opened.wav_bytes(), WAV_HEAD + MOMENT * samples);
    let head = opened.wav(0, 4).await.unwrap();
    assert_eq!(head, b"RIFF");
    let moment = opened.wav(WAV_HEAD + MOMENT * 9_001, 4).await.unwrap();
    let [low, high] = VOICE.to_le_bytes();
    // The other side is kept in the same law, whose silence is not quite 0.
    let [quiet, zero] = recording::Law::A
        .decode_byte(recording::Law::A.silence())
        .to_le_bytes();
    assert_eq!(moment, [low, high, quiet, zero]);
    let last = opened.wav(opened.wav_bytes() - 3, 100).await.unwrap();
    assert_eq!(last, [high, quiet, zero]);
    assert_eq!(
        opened.wav(opened.wav_bytes(), 100).await.unwrap(),
        [0_u8; 0]
    );
}

#[tokio::test]
async fn opus_is_made_as_it_is_taken_and_two_at_once() {
    let (scene, row) = kept_scene().await;
    let files = scene.recorder.files();
    let opened = files.open(&row).await.unwrap();
    let mut first = opened.opus().unwrap();
    let ogg = all_of(&mut *first).await;
    assert_eq!(&ogg[..4], b"OggS");
    let mut direct = Vec::new();
    recording::export_opus(&scene.read(&row), &mut direct).unwrap();
    assert_eq!(ogg.len(), direct.len());

    let room = Arc::new(tokio::sync::Semaphore::new(0));
    let full = opened::Room {
        reads: Arc::new(tokio::sync::Semaphore::new(1)),
        encodings: room.clone(),
    };
    let RecordingState::Ended(end) = row.state else {
        panic!("{row:?}");
    };
    let reader = scene.read(&row);
    let busy = opened::Opened::new(row.id.clone(), reader, &end, full).unwrap();
    assert_eq!(busy.opus().map(|_| ()), Err(RecordingFileError::Busy));
    room.add_permits(1);
    assert_eq!(busy.opus().map(|_| ()), Ok(()));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_says_what_is_wrong_with_it() {
    let (scene, row) = kept_scene().await;
    let elsewhere = Recording {
        node: "n2".to_owned(),
        ..row.clone()
    };
    let node = "n2".to_owned();
    assert_eq!(
        refusal(&scene, &elsewhere).await,
        RecordingFileError::OtherNode { node }
    );
    // The id of the key that wraps it stands first in its slot.
    spoil(&scene, &row, 4_096, &[0xAB; 8]);
    let key_id = "ab".repeat(8);
    assert_eq!(
        refusal(&scene, &row).await,
        RecordingFileError::ConfigKey { key_id }
    );
    spoil(&scene, &row, 0, b"RIFF");
    let damaged = refusal(&scene, &row).await;
    assert!(
        matches!(damaged, RecordingFileError::PeerDamaged { .. }),
        "{damaged:?}"
    );
    assert!(
        !damaged
            .to_string()
            .contains(scene.folder.path().to_str().unwrap())
    );
    std::fs::remove_file(path(&scene, &row)).unwrap();
    assert_eq!(refusal(&scene, &row).await, RecordingFileError::Missing);
}

#[tokio::test]
async fn a_file_that_was_shortened_or_changed_plays_up_to_there_and_says_so() {
    let (scene, row) = kept_scene().await;
    let why = |opened: &dyn OpenRecording| match &opened.outline().ending {
        RecordingEnding::Damaged { why } => why.clone(),
        other => panic!("{other:?}"),
    };
    let whole = open(&scene, &row).await;
    let length = std::fs::metadata(path(&scene, &row)).unwrap().len();
    // The final segment is no more than an end; without its last byte it is none.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(path(&scene, &row));
    file.unwrap().set_len(length - 1).unwrap();
    let shortened = open(&scene, &row).await;
    let RecordingState::Ended(RecordingEnd {
        final_segment: Some(last),
        ..
    }) = row.state
    else {
        panic!("{row:?}");
    };
    assert_eq!(
        why(&*shortened),
        format!("it had {} segments and has {last}", last + 1)
    );
    assert!(shortened.wav_bytes() == whole.wav_bytes());
    let bytes = std::fs::read(path(&scene, &row)).unwrap();
    let mut heads = (0_u64..)
        .zip(bytes.windows(4))
        .filter(|(_, word)| *word == b"TWSG");
    let (second, _) = heads.nth(1).unwrap();
    spoil(&scene, &row, second, b"XXXX");
    let changed = open(&scene, &row).await;
    assert_eq!(why(&*changed), "segment 1: there is no segment");
    assert!(changed.wav_bytes() < shortened.wav_bytes());
}

#[tokio::test]
async fn a_person_deletes_a_recording_and_both_entries_name_them() {
    let (scene, row) = kept_scene().await;
    let files = scene.recorder.files();
    let running = Recording {
        state: RecordingState::Running,
        scan: None,
        ..row.clone()
    };
    let conflict = RecordingChangeError::Store(StoreError::Conflict);
    let refused = files.delete(&running, &actor(), "asked for").await;
    assert_eq!(refused, Err(conflict.clone()));
    assert!(path(&scene, &row).exists());

    let (by, files) = (actor(), &files);
    let (first, second) = tokio::join!(
        files.delete(&row, &by, "asked for"),
        files.delete(&row, &by, "asked for")
    );
    assert_eq!(
        [first, second]
            .iter()
            .filter(|done| **done == Ok(()))
            .count(),
        1
    );
    assert!(!path(&scene, &row).exists());
    assert_eq!(scene.database.recording(&row.id).await, Ok(None));
    let filter = TrailFilter {
        object: Some(row.object()),
        actor: Some("sid".to_owned()),
        ..TrailFilter::default()
    };
    let entries = scene.database.entries(&filter, 0, 9).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|chained| (chained.entry.action, chained.entry.address.as_str()))
        .collect();
    let address = "192.0.2.7";
    assert_eq!(
        told,
        [
            (AuditAction::RecordingDeleted, address),
            (AuditAction::RecordingDeletionBegan, address)
        ]
    );
    assert_eq!(entries[1].entry.detail["reason"], "asked for");
    assert_eq!(scene.rows().sweep().await, Ok(0));
}
