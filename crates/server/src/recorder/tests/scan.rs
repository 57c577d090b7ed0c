//! What the scan after a call finds: planted keys and sound, and nothing else.

use domain::access::Actor;
use domain::audit::AuditEntry;
use domain::boundary::{Audited, Change, Store as _};
use domain::recording::RecordingFinds;
use media::dtmf::inband::keypad::pair_of_event;
use media::tone::{FlatTone, KeyTone, KeyToneShape};
use recording::{Edge, Mark, Track, Tracks};

use super::super::scan::{Scans, scan};
use super::*;

/// Samples of a press, and of the pause behind it.
const PRESS: usize = 480;
/// The first position behind what [`Scene::recorded`] said.
const HERE: u64 = 16_000;

/// Presses of keys, one behind the other.
fn presses(keys: u8) -> Vec<i16> {
    let mut audio = Vec::new();
    for key in 0..keys {
        let begin = audio.len();
        audio.resize(begin + 2 * PRESS, 0);
        let pair = pair_of_event(key % 10).unwrap();
        KeyTone::new(pair, KeyToneShape::default()).add_to(&mut audio[begin..begin + PRESS]);
    }
    audio
}

/// The mask's flat tone, as long as so many presses.
fn flat(keys: usize) -> Vec<i16> {
    let tone = FlatTone::at_level(560.0, -16.0);
    let sample = |ts: u64| {
        let is_tone = ts % 960 < 480;
        if is_tone {
            media::sample::from_f32(tone.at(ts))
        } else {
            0
        }
    };
    (0..u64::try_from(keys * 2 * PRESS).unwrap())
        .map(sample)
        .collect()
}

/// A recording in which the consumer's audio has a span around it, and what is found in it. Nobody else scans it.
async fn found(audio: &[i16], span: Option<SpanKind>) -> (Scene, Recording, RecordingFinds) {
    let mut scene = Scene::new().await;
    scene.work.as_ref().unwrap().scans.abort();
    let mut ear = scene.recorded().await;
    let end = HERE + u64::try_from(audio.len()).unwrap();
    let recording = {
        let calls = scene.recorder.0.calls();
        calls[&scene.call].running().unwrap().id.clone()
    };
    let writer = scene.recorder.0.writer().unwrap();
    let mark = |edge, position| {
        let tracks = Tracks::One(Track::Consumer);
        if let Some(kind) = span {
            let mark = Mark {
                kind,
                edge,
                tracks,
                position,
            };
            writer.mark(&recording, mark).unwrap();
        }
    };
    mark(Edge::Begin, HERE);
    ear.frames(&scene.call, CONSUMER, HERE, audio);
    mark(Edge::End, end);
    drop(writer);
    ear.caught_up();
    let row = scene.end(ear).await;
    let finds = scan(&scene.read(&row)).unwrap();
    (scene, row, finds)
}

#[tokio::test]
async fn keys_are_found_behind_the_mask_and_flat_tones_are_none() {
    let (.., finds) = found(&presses(3), Some(SpanKind::Masked)).await;
    let keys = RecordingFinds {
        masked_keys: 3,
        ..RecordingFinds::default()
    };
    assert_eq!(finds, keys);
    let (.., finds) = found(&flat(16), Some(SpanKind::Masked)).await;
    assert!(finds.is_clean(), "{finds:?}");
}

#[tokio::test]
async fn sound_in_a_pause_is_found() {
    let (.., finds) = found(&[VOICE; 80], Some(SpanKind::Paused)).await;
    let sound = RecordingFinds {
        paused_samples: 80,
        ..RecordingFinds::default()
    };
    assert_eq!(finds, sound);
    let (.., finds) = found(&[0; 80], Some(SpanKind::Paused)).await;
    assert!(finds.is_clean(), "{finds:?}");
}

#[tokio::test]
async fn without_protection_only_a_run_as_long_as_a_card_number_is_found() {
    let (.., finds) = found(&presses(12), None).await;
    assert!(finds.is_clean(), "{finds:?}");
    let (.., finds) = found(&presses(13), None).await;
    let run = RecordingFinds {
        unprotected_keys: 13,
        ..RecordingFinds::default()
    };
    assert_eq!(finds, run);
}

#[tokio::test]
async fn each_recording_is_scanned_once_and_its_captures_say_what_was_found() {
    let (scene, row, finds) = found(&presses(3), Some(SpanKind::Masked)).await;
    let opened = |capture: &str, call: &CallId| {
        let action = AuditAction::CaptureOpened;
        AuditEntry::new(row.began, &Actor::system(), action, capture).with("call", call.as_str())
    };
    let other = CallId::from_random(8);
    for entry in [
        opened("capture one", &row.call),
        opened("capture other", &other),
        opened("capture two", &row.call),
    ] {
        let change = Change::None;
        let written = scene.database.commit(Audited { change, entry }).await;
        written.unwrap();
    }
    let mut scans = Scans::new(scene.recorder.0.rows.clone());
    assert_eq!(scans.look().await, Ok(1));
    assert_eq!(scans.look().await, Ok(0));
    let kept = scene.database.recording(&row.id).await.unwrap().unwrap();
    let kept = kept.scan.unwrap();
    assert_eq!((kept.finds, kept.is_quarantined()), (finds, true));
    let counts = scene.recorder.counts();
    assert_eq!((counts.scanned, counts.quarantined), (1, 1));
    let about = |object: &str| {
        let object = object.to_owned();
        let database = scene.database.clone();
        async move { database.about(&[object], 9).await.unwrap() }
    };
    for (object, entries) in [("capture one", 2), ("capture two", 2), ("capture other", 1)] {
        assert_eq!(about(object).await.len(), entries, "{object}");
    }
    let told = about("capture one").await.pop().unwrap().entry;
    assert_eq!(told.action, AuditAction::RecordingScanned);
    assert_eq!(told.detail["recording"], row.id.as_str());
    assert_eq!(told.detail["masked_keys"], 3);
}

#[tokio::test]
async fn a_recording_that_cannot_be_read_is_passed_over_and_tried_again_at_the_next_start() {
    let (scene, row, _) = found(&[], None).await;
    let path = scene.rows().folder.path(&row.id, row.began);
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    let mut scans = Scans::new(scene.recorder.0.rows.clone());
    assert_eq!(scans.look().await, Ok(0));
    std::fs::rename(&away, &path).unwrap();
    assert_eq!(scans.look().await, Ok(0));
    let mut next = Scans::new(scene.recorder.0.rows.clone());
    assert_eq!(next.look().await, Ok(1));
}
