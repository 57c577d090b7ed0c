use g711::Law;
use proptest::prelude::*;

use super::*;
use crate::bytes_of::{Bytes, RING, byte_at};
use crate::keys::KeyError;
use crate::keys::tests::ring;
use crate::segment::Plain;
use crate::span::{Edge, SpanKind, Tracks};

fn open(bytes: &[u8]) -> Result<Reader<&[u8]>, OpenError> {
    Reader::open(bytes, &ring(&[RING]))
}

fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    open(bytes).unwrap()
}

fn consumer_at(position: u64) -> i16 {
    Law::Mu.decode_byte(byte_at(position))
}

/// The consumer's samples of a part.
fn consumer(reader: &Reader<&[u8]>, from: u64, samples: usize) -> Vec<i16> {
    let mut out = vec![1; 2 * samples];
    assert_eq!(reader.read(from, &mut out).unwrap(), 0);
    out.into_iter().step_by(2).collect()
}

fn with_segments(whole: &Bytes, order: &[usize]) -> Vec<u8> {
    let mut bytes = whole.bytes[..whole.begins[0]].to_vec();
    for at in order {
        let end = whole
            .begins
            .get(at + 1)
            .copied()
            .unwrap_or(whole.bytes.len());
        bytes.extend_from_slice(&whole.bytes[whole.begins[*at]..end]);
    }
    bytes
}

#[test]
fn a_whole_recording_plays_with_silence_where_nothing_was_kept() {
    let whole = Bytes::three("r", 1);
    let reader = reader(&whole.bytes);
    assert_eq!((reader.ending(), reader.segments()), (Ending::Whole, 4));
    assert_eq!(
        (reader.positions(), reader.header()),
        (100..690, &whole.header)
    );
    let heard = consumer(&reader, 90, 620);
    for (position, sample) in (90..).zip(heard) {
        let kept = (100..170).contains(&position) || (670..690).contains(&position);
        let expected = if kept { consumer_at(position) } else { 0 };
        assert_eq!(sample, expected, "{position}");
    }
    let mut one = [0; 2];
    assert_eq!(reader.read(141, &mut one).unwrap(), 0);
    assert_eq!(
        one,
        [consumer_at(141), Law::A.decode_byte(0x80 | byte_at(141))]
    );
    assert_eq!(consumer(&reader, u64::MAX, 3), [0; 3]);
}

#[test]
fn every_prefix_plays_up_to_its_last_whole_segment() {
    let whole = Bytes::three("r", 1);
    for end in SEGMENTS_OFFSET..whole.bytes.len() {
        let reader = reader(&whole.bytes[..end]);
        let complete = whole
            .begins
            .iter()
            .skip(1)
            .filter(|begin| **begin <= end)
            .count();
        assert_eq!(reader.ending(), Ending::Cut, "{end}");
        assert_eq!(reader.segments(), u32::try_from(complete).unwrap(), "{end}");
        if complete > 0 {
            let samples = usize::try_from(reader.positions().end - 100).unwrap();
            assert_eq!(
                consumer(&reader, 100, samples)[..40],
                consumer(&reader, 100, 40)
            );
            assert_eq!(consumer(&reader, 139, 1), [consumer_at(139)]);
        }
    }
}

#[test]
fn a_file_that_grew_by_zeroes_in_a_power_cut_is_cut() {
    let whole = Bytes::three("r", 1);
    let mut bytes = whole.bytes[..whole.begins[2]].to_vec();
    bytes.resize(bytes.len() + 5_000, 0);
    assert_eq!(
        (reader(&bytes).ending(), reader(&bytes).segments()),
        (Ending::Cut, 2)
    );
}

#[test]
fn a_recording_is_read_while_it_grows() {
    let whole = Bytes::three("r", 1);
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), &whole.bytes[..whole.begins[1] + 10]).unwrap();
    let file = std::fs::File::open(path.path()).unwrap();
    let mut reader = Reader::open(file, &ring(&[RING])).unwrap();
    assert_eq!((reader.segments(), reader.positions()), (1, 100..140));
    std::fs::write(path.path(), &whole.bytes).unwrap();
    reader.refresh().unwrap();
    assert_eq!((reader.segments(), reader.ending()), (4, Ending::Whole));
    assert_eq!(reader.peaks().len(), 3);
}

#[test]
fn each_changed_bit_is_refused_with_what_came_before_it_playing() {
    let whole = Bytes::three("r", 1);
    let slots = SEGMENTS_OFFSET / 3..SEGMENTS_OFFSET;
    for at in 0..whole.bytes.len() {
        let mut bytes = whole.bytes.clone();
        bytes[at] ^= 0x10;
        let before = whole.begins.iter().filter(|begin| **begin <= at).count();
        let Ok(reader) = open(&bytes) else {
            assert_eq!(before, 0, "{at}");
            continue;
        };
        // The second slot is empty; a key there is one more key that nobody has.
        let second_slot = slots.start * 2..slots.start * 2 + crate::keys::SLOT_BYTES;
        if second_slot.contains(&at) {
            assert_eq!(reader.ending(), Ending::Whole);
            continue;
        }
        assert!(before > 0, "{at}");
        let mut out = vec![0; 2 * 590];
        let changed = reader.read(100, &mut out).unwrap();
        let stopped = usize::try_from(reader.segments()).unwrap() == before - 1;
        let refused = stopped && reader.ending() != Ending::Whole;
        assert!(
            refused || (reader.ending() == Ending::Whole && changed == 1),
            "{at}"
        );
        if before > 1 {
            assert_eq!(out[0], consumer_at(100), "{at}");
        }
    }
}

#[test]
fn segments_that_were_moved_left_out_or_doubled_are_refused() {
    let whole = Bytes::three("r", 1);
    let ending = |order: &[usize]| reader(&with_segments(&whole, order)).ending();
    let out_of_order = |segment, found| Ending::Damaged {
        segment,
        why: Damage::OutOfOrder { found },
    };
    assert_eq!(ending(&[0, 1, 2, 3]), Ending::Whole);
    assert_eq!(ending(&[1, 0, 2, 3]), out_of_order(0, 1));
    assert_eq!(ending(&[0, 2, 3]), out_of_order(1, 2));
    assert_eq!(ending(&[0, 0, 1, 2, 3]), out_of_order(1, 0));
    assert_eq!(ending(&[0, 1, 2]), Ending::Cut);
    let behind = Ending::Damaged {
        segment: 4,
        why: Damage::BehindEnd,
    };
    assert_eq!(ending(&[0, 1, 2, 3, 3]), behind);
}

#[test]
fn a_segment_of_another_recording_is_refused_and_so_is_one_that_goes_back() {
    let not_sealed = Ending::Damaged {
        segment: 1,
        why: Damage::NotSealed,
    };
    for (id, key) in [("s", 1), ("r", 9)] {
        let (ours, theirs) = (Bytes::three("r", 1), Bytes::three(id, key));
        let mut bytes = with_segments(&ours, &[0]);
        bytes.extend_from_slice(&theirs.bytes[theirs.begins[1]..]);
        assert_eq!(reader(&bytes).ending(), not_sealed);
    }
    let mut back = Bytes::new("r", 1);
    back.audio(100, 40);
    back.audio(139, 40);
    let backwards = Ending::Damaged {
        segment: 1,
        why: Damage::Backwards,
    };
    assert_eq!(reader(&back.bytes).ending(), backwards);
}

#[test]
fn a_key_that_is_missing_or_wrong_a_foreign_and_a_newer_file_have_reasons_of_their_own() {
    let whole = Bytes::three("r", 1);
    let open_with = |bytes: &[u8], keys: &[u8]| Reader::open(bytes, &ring(keys)).unwrap_err();
    let missing = open_with(&whole.bytes, &[7]);
    assert!(matches!(
        missing,
        OpenError::Key(KeyError::ConfigMissing(_))
    ));
    assert_eq!(
        missing.to_string(),
        "key 0202020202020202 is not at hand; put it back into the key file"
    );
    let mut newer = whole.bytes.clone();
    newer[9] = 9;
    let newer = open_with(&newer, &[RING]);
    assert!(matches!(
        newer,
        OpenError::Header(HeaderError::PeerNewer(9))
    ));
    let foreign = open_with(b"OggS and more", &[RING]);
    assert!(matches!(
        foreign,
        OpenError::Header(HeaderError::PeerForeign)
    ));
    let mut deleted = whole.bytes;
    deleted[SEGMENTS_OFFSET / 3..SEGMENTS_OFFSET].fill(0);
    let deleted = open_with(&deleted, &[RING]);
    assert!(matches!(deleted, OpenError::Key(KeyError::OperatorDeleted)));
}

#[test]
fn spans_and_peaks_are_known_without_audio() {
    let mark = |kind, edge, position| Mark {
        kind,
        edge,
        tracks: Tracks::Both,
        position,
    };
    let mut recording = Bytes::new("r", 1);
    recording.marked(0, 2_100, &[mark(SpanKind::Masked, Edge::Begin, 50)]);
    let marks = [
        mark(SpanKind::Masked, Edge::End, 2_050),
        mark(SpanKind::Paused, Edge::Begin, 2_100),
    ];
    recording.seal(&Plain {
        kind: Kind::Audio,
        first: 2_100,
        audio: &[],
        samples: 900,
        marks: &marks,
    });
    // Audio that does not open changes nothing of it.
    let last = recording.begins[1] - 1;
    recording.bytes[last] ^= 1;
    let reader = reader(&recording.bytes);
    let spans: Vec<_> = reader
        .spans()
        .iter()
        .map(|span| (span.kind, span.from, span.until))
        .collect();
    assert_eq!(
        spans,
        [
            (SpanKind::Masked, 50, 2_050),
            (SpanKind::Paused, 2_100, 3_000)
        ]
    );
    let positions: Vec<_> = reader.peaks().iter().map(|peak| peak.position).collect();
    assert_eq!(positions, [0, 1_000, 2_000]);
    assert!(
        reader
            .peaks()
            .iter()
            .all(|peak| peak.consumer > 0 && peak.agent > 0)
    );
    assert_eq!(reader.read(0, &mut [0; 10]).unwrap(), 1);
}

proptest! {
    #[test]
    fn any_part_is_what_the_whole_has_there(from in 0_u64..800, samples in 0_usize..800) {
        let whole = Bytes::three("r", 1);
        let reader = reader(&whole.bytes);
        let all = consumer(&reader, 0, 1_600);
        let begin = usize::try_from(from).unwrap();
        prop_assert_eq!(consumer(&reader, from, samples), &all[begin..begin + samples]);
    }
}
