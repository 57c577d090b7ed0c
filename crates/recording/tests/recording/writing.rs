//! Recordings that are begun, paused, overflowed, ended and deleted.

use recording::{
    BeginError, ControlError, Edge, Ended, Ending, Mark, NewRecording, PauseError, Report,
    SpanKind, Tracks, Wav,
};

use crate::support::{BEGAN, House, differing, id, ring, talk, until};

fn house() -> (tempfile::TempDir, House) {
    let dir = tempfile::tempdir().unwrap();
    let house = House::at(dir.path());
    (dir, house)
}

/// The end of the only recording.
fn ended(house: &House) -> Ended {
    match house.next_report() {
        Report::Ended { ended, .. } => ended,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_pushed_is_on_disk_within_a_second_and_whole_at_the_end() {
    let (_dir, house) = house();
    let mut feed = house.begin(1).await;
    talk(&mut feed, 1, 0, 10_000);
    until(|| house.read(1).segments() == 2);
    let running = house.read(1);
    assert_eq!(
        (running.ending(), running.positions()),
        (Ending::Cut, 0..8_000)
    );
    assert!(differing(&running, 1, 8_000).is_empty());
    // Nothing more comes, and what fills no segment is written all the same.
    until(|| house.read(1).positions().end == 10_000);
    talk(&mut feed, 1, 10_000, 11_111);
    drop(feed);
    let ended = ended(&house);
    let reader = house.read(1);
    assert_eq!(reader.ending(), Ending::Whole);
    assert_eq!(ended.final_segment, Some(reader.segments() - 1));
    assert_eq!((ended.bytes, ended.lost_samples), (house.bytes(1), 0));
    assert!(differing(&reader, 1, 11_111).is_empty());
    assert_eq!(Wav::new(&reader).unwrap().len(), 44 + 4 * 11_111);
    let counts = house.writer.counts();
    assert_eq!(counts.bytes, ended.bytes);
}

#[tokio::test]
async fn many_recordings_are_written_beside_each_other() {
    let (_dir, house) = house();
    let mut feeds = Vec::new();
    for number in 0..20 {
        feeds.push(house.begin(number).await);
    }
    for at in (0..16_000).step_by(160) {
        for (number, feed) in feeds.iter_mut().enumerate() {
            assert_eq!(talk(feed, number, at, at + 160), 0);
        }
    }
    // A writer that goes ends what runs.
    let House {
        writer,
        folder,
        reports,
    } = house;
    drop(writer);
    drop(feeds);
    let ends: Vec<_> = reports.iter().collect();
    assert_eq!(ends.len(), 20);
    for report in ends {
        assert!(matches!(report, Report::Ended { ended, .. } if ended.final_segment.is_some()));
    }
    for number in 0..20 {
        let reader = folder.read((&id(number), BEGAN), &ring()).unwrap();
        assert_eq!(reader.ending(), Ending::Whole);
        assert!(differing(&reader, number, 16_000).is_empty());
    }
}

#[tokio::test]
async fn a_pause_is_kept_to_the_sample_whatever_waits_in_queues() {
    let (_dir, house) = house();
    let mut feed = house.begin(1).await;
    talk(&mut feed, 1, 0, 3_000);
    house.writer.pause(&id(1), 2_345).await.unwrap();
    talk(&mut feed, 1, 3_000, 12_000);
    until(|| house.read(1).positions().end == 12_000);
    let resumed = house.writer.resume(&id(1), 13_001).await.unwrap();
    assert_eq!(resumed, 13_001);
    talk(&mut feed, 1, 12_000, 16_000);
    drop(feed);
    assert_eq!(ended(&house).lost_samples, 0);
    let reader = house.read(1);
    assert_eq!(
        differing(&reader, 1, 16_000),
        (2_345..13_001).collect::<Vec<_>>()
    );
    let spans = reader.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(
        (spans[0].kind, spans[0].from, spans[0].until),
        (SpanKind::Paused, 2_345, 13_001)
    );
}

#[tokio::test]
async fn a_pause_that_cannot_be_kept_is_refused_with_the_reason() {
    let (_dir, house) = house();
    let unknown = house.writer.pause(&id(1), 0).await;
    assert_eq!(unknown, Err(ControlError::PeerUnknown));
    let mut feed = house.begin(1).await;
    talk(&mut feed, 1, 0, 6_000);
    until(|| house.read(1).positions().end == 6_000);
    let late = house.writer.pause(&id(1), 5_000).await;
    let why = PauseError::PeerLate { samples: 1_000 };
    assert_eq!(late, Err(ControlError::Pause(why)));
    assert_eq!(
        house.writer.resume(&id(1), 0).await,
        Err(ControlError::PeerNotPaused)
    );
}

#[tokio::test]
async fn masked_spans_are_known_as_soon_as_they_are_on_disk() {
    let (_dir, house) = house();
    let mut feed = house.begin(1).await;
    for (edge, position) in [(Edge::Begin, 100), (Edge::End, 900)] {
        let mark = Mark {
            kind: SpanKind::Masked,
            edge,
            tracks: Tracks::Both,
            position,
        };
        house.writer.mark(&id(1), mark).unwrap();
    }
    talk(&mut feed, 1, 0, 1_000);
    until(|| house.read(1).spans().len() == 1);
    let span = house.read(1).spans()[0];
    assert_eq!(
        (span.kind, span.from, span.until),
        (SpanKind::Masked, 100, 900)
    );
}

#[tokio::test]
async fn what_a_full_queue_drops_is_a_gap_of_exact_length_and_is_reported() {
    let (_dir, house) = house();
    let mut feed = house.begin(1).await;
    // Far more at once than the queue holds: the writer looks every 20 ms.
    let dropped = talk(&mut feed, 1, 0, 800_000);
    assert!(dropped > 0);
    drop(feed);
    let lost = u64::try_from(dropped).unwrap();
    let ended = ended(&house);
    let reader = house.read(1);
    let gaps: u64 = reader
        .spans()
        .iter()
        .map(|span| span.until - span.from)
        .sum();
    assert_eq!((ended.lost_samples, gaps), (lost, lost));
    assert!(reader.spans().iter().all(|span| span.kind == SpanKind::Gap));
    let differs = differing(&reader, 1, 800_000);
    let in_gap = |at: &u64| {
        reader
            .spans()
            .iter()
            .any(|span| (span.from..span.until).contains(at))
    };
    assert!(!differs.is_empty() && differs.iter().all(in_gap));
}

#[tokio::test]
async fn a_deleted_recording_is_gone_and_one_with_its_name_cannot_be_begun_twice() {
    let (_dir, house) = house();
    let feed = house.begin(1).await;
    let again = NewRecording {
        header: house.read(1).header().clone(),
        start: 0,
    };
    let again = house.writer.begin(again, &ring()).await;
    assert!(matches!(again, Err(BeginError::File(_))));
    drop(feed);
    assert!(ended(&house).final_segment.is_some());
    assert!(house.folder.delete(&id(1), BEGAN).unwrap());
    assert_eq!(house.bytes(1), 0);
}
