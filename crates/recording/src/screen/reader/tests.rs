use std::fs;

use domain::time::UnixMillis;

use super::*;
use crate::folder::Folder;
use crate::keys::tests::wrapping_key;
use crate::screen::{CHUNK_BYTES_MAX, ScreenWriteError, ScreenWriter};

fn ring() -> KeyRing {
    KeyRing::new(vec![wrapping_key(2)])
}

fn header(id: &str) -> ScreenHeader {
    ScreenHeader {
        id: id.parse().unwrap(),
        began: UnixMillis(1_764_237_600_123),
        is_redacted: false,
    }
}

/// Two parts with a pause between them, and a third behind four seconds of nothing; without an end.
fn written(folder: &Folder, id: &str) -> ScreenWriter {
    let mut writer = ScreenWriter::begin(folder, header(id), &ring()).unwrap();
    writer.part(0, 100, "video/webm;codecs=vp8").unwrap();
    writer.chunk((0, 0), 1_100, b"abc").unwrap();
    writer.pause(2_050).unwrap();
    // The last chunk of a part comes behind the pause that it was cut by.
    writer.chunk((0, 1), 2_050, b"defg").unwrap();
    writer.resume(6_000).unwrap();
    writer.part(1, 6_100, "video/webm").unwrap();
    writer.chunk((1, 0), 7_000, b"hi").unwrap();
    writer.part(3, 11_000, "video/webm").unwrap();
    writer.chunk((3, 0), 12_000, b"j").unwrap();
    writer
}

fn bytes(folder: &Folder, id: &str) -> Vec<u8> {
    let header = header(id);
    fs::read(folder.screen_path(&header.id, header.began)).unwrap()
}

fn opened(bytes: &[u8]) -> ScreenReader<&[u8]> {
    ScreenReader::open(bytes, &ring()).unwrap()
}

#[test]
fn what_was_written_is_read_part_by_part_from_any_place() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let ended = written(&folder, "s").end(12_300).unwrap();
    let header = header("s");
    let reader = folder.read_screen((&header.id, header.began), &ring());
    let reader = reader.unwrap();
    assert_eq!(reader.header(), &header);
    assert_eq!(reader.ending(), Ending::Whole);
    assert_eq!(reader.segments(), ended.final_segment + 1);
    assert_eq!(reader.length_ms(), 12_300);
    let about: Vec<_> = reader
        .parts()
        .iter()
        .map(|part| (part.number, part.begin_ms, part.end_ms, part.bytes))
        .collect();
    let expected = [
        (0, 100, 2_050, 7),
        (1, 6_100, 7_000, 2),
        (3, 11_000, 12_000, 1),
    ];
    assert_eq!(about, expected);
    assert_eq!(reader.parts()[0].media_type, "video/webm;codecs=vp8");
    for from in 0..9 {
        for max in 0..9 {
            let all = b"abcdefg";
            let begin = all.len().min(from);
            let end = all.len().min(begin + max);
            let read = reader.read(0, from as u64, max).unwrap();
            assert_eq!(read, &all[begin..end], "{from} {max}");
        }
    }
    let missing = reader.read(2, 0, 1);
    assert!(matches!(missing, Err(ScreenPartError::PeerUnknown)));
}

#[test]
fn pauses_are_spans_and_what_else_is_missing_is_a_gap() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    written(&folder, "s").end(12_300).unwrap();
    let bytes = bytes(&folder, "s");
    let spans: Vec<_> = opened(&bytes)
        .spans()
        .iter()
        .map(|span| (span.kind, span.from_ms, span.until_ms))
        .collect();
    let paused = (SpanKind::Paused, 2_050, 6_000);
    assert_eq!(spans, [paused, (SpanKind::Gap, 7_000, 11_000)]);
}

#[test]
fn a_pause_that_nobody_ended_lasts_to_the_end() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let mut writer = ScreenWriter::begin(&folder, header("s"), &ring()).unwrap();
    writer.pause(10).unwrap();
    writer.end(4_000).unwrap();
    let bytes = bytes(&folder, "s");
    let [span] = opened(&bytes).spans()[..] else {
        panic!("one span");
    };
    assert_eq!(
        (span.kind, span.from_ms, span.until_ms),
        (SpanKind::Paused, 10, 4_000)
    );
}

#[test]
fn a_file_cut_anywhere_is_cut_and_keeps_what_stands_before() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    written(&folder, "s").end(12_300).unwrap();
    let whole = bytes(&folder, "s");
    let mut segments = 0;
    for end in SEGMENTS_OFFSET..whole.len() {
        let reader = opened(&whole[..end]);
        assert_eq!(reader.ending(), Ending::Cut, "{end}");
        assert!(reader.segments() >= segments, "{end}");
        segments = reader.segments();
    }
    assert_eq!(segments, 9);
}

#[test]
fn each_changed_byte_is_noticed_by_the_walk_or_by_the_chunk() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    written(&folder, "s").end(12_300).unwrap();
    let whole = bytes(&folder, "s");
    for at in SEGMENTS_OFFSET..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let reader = opened(&changed);
        let reads = |number| reader.read(number, 0, 100).is_ok();
        let all = [0, 1, 3].into_iter().all(reads);
        assert!(reader.ending() != Ending::Whole || !all, "{at}");
    }
}

#[test]
fn segments_moved_doubled_left_out_or_of_another_recording_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    for id in ["s", "t"] {
        let mut writer = ScreenWriter::begin(&folder, header(id), &ring()).unwrap();
        writer.pause(1).unwrap();
        writer.resume(2).unwrap();
        writer.end(3).unwrap();
    }
    let (one, other) = (bytes(&folder, "s"), bytes(&folder, "t"));
    let size = HEAD_BYTES + TAG_BYTES;
    let segment = |bytes: &[u8], at: usize| bytes[SEGMENTS_OFFSET + at * size..][..size].to_vec();
    let built = |parts: &[Vec<u8>]| [one[..SEGMENTS_OFFSET].to_vec(), parts.concat()].concat();
    let judge = |parts: &[Vec<u8>]| opened(&built(parts)).ending();
    let [first, second, last] = [0, 1, 2].map(|at| segment(&one, at));
    let damaged = |segment, why| Ending::Damaged { segment, why };
    assert_eq!(
        judge(&[first.clone(), second.clone(), last.clone()]),
        Ending::Whole
    );
    let moved = judge(&[second.clone(), first.clone()]);
    assert_eq!(moved, damaged(0, Damage::OutOfOrder { found: 1 }));
    let doubled = judge(&[first.clone(), first.clone()]);
    assert_eq!(doubled, damaged(1, Damage::OutOfOrder { found: 0 }));
    let left_out = judge(&[first.clone(), last.clone()]);
    assert_eq!(left_out, damaged(1, Damage::OutOfOrder { found: 2 }));
    assert_eq!(judge(&[segment(&other, 0)]), damaged(0, Damage::NotSealed));
    let behind = judge(&[first, second, last, vec![7]]);
    assert_eq!(behind, damaged(3, Damage::BehindEnd));
}

#[test]
fn the_two_kinds_of_file_are_told_apart_and_deleted_with_their_keys() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    written(&folder, "s").end(12_300).unwrap();
    let screen = bytes(&folder, "s");
    let as_call = crate::Reader::open(screen.as_slice(), &ring());
    assert!(matches!(
        as_call,
        Err(OpenError::Header(crate::HeaderError::PeerForeign))
    ));
    let header = header("s");
    assert!(!folder.delete(&header.id, header.began).unwrap());
    assert!(folder.delete_screen(&header.id, header.began).unwrap());
    assert!(!folder.screen_path(&header.id, header.began).exists());
}

#[test]
fn chunks_without_bytes_or_with_too_many_are_not_taken() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let mut writer = ScreenWriter::begin(&folder, header("s"), &ring()).unwrap();
    writer.part(0, 0, "video/webm").unwrap();
    for bytes in [0, CHUNK_BYTES_MAX + 1] {
        let refused = writer.chunk((0, 0), 1, &vec![0; bytes]);
        assert!(matches!(refused, Err(ScreenWriteError::PeerSize(size)) if size == bytes));
    }
    writer.chunk((0, 0), 1, &vec![0; CHUNK_BYTES_MAX]).unwrap();
    writer.end(2).unwrap();
    let bytes = bytes(&folder, "s");
    assert_eq!(
        opened(&bytes).read(0, 0, usize::MAX).unwrap().len(),
        CHUNK_BYTES_MAX
    );
}
