use proptest::prelude::*;

use super::*;
use crate::bytes_of::{Bytes, audio};
use crate::span::{Edge, SpanKind, Track, Tracks};

fn mark(position: u64) -> Mark {
    Mark {
        kind: SpanKind::Gap,
        edge: Edge::Begin,
        tracks: Tracks::One(Track::Agent),
        position,
    }
}

fn plain<'a>(audio: &'a [u8], samples: usize, marks: &'a [Mark]) -> Plain<'a> {
    Plain {
        kind: Kind::Audio,
        first: 7,
        audio,
        samples,
        marks,
    }
}

/// Head, index and audio of sealed bytes.
fn opened(recording: &Bytes, sealed: &[u8]) -> Option<(Head, Index, Vec<u8>)> {
    let (head_bytes, rest) = sealed.split_first_chunk::<HEAD_BYTES>()?;
    let head = Head::parse(head_bytes)?;
    let (index, audio) = rest.split_at_checked(head.index_bytes + TAG_BYTES)?;
    let index = recording.place().open_index(&head, &mut index.to_vec())?;
    if audio.len() != head.sealed_audio_bytes() {
        return None;
    }
    let mut audio = audio.to_vec();
    if !head.has_audio {
        return Some((head, index, audio));
    }
    let audio = recording.place().open_audio(&head, &mut audio)?.to_vec();
    Some((head, index, audio))
}

fn sealed(recording: &Bytes, number: u32, plain: &Plain<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    recording.place().seal(number, plain, &mut out).unwrap();
    out
}

#[test]
fn a_segment_opens_to_what_was_sealed() {
    let recording = Bytes::new("r", 1);
    let (audio, marks) = (audio(7, SEGMENT_SAMPLES), [mark(9); MARKS_MAX]);
    let bytes = sealed(&recording, 5, &plain(&audio, SEGMENT_SAMPLES, &marks));
    assert_eq!(bytes.len(), SEGMENT_BYTES_MAX);
    let (head, index, opened_audio) = opened(&recording, &bytes).unwrap();
    assert_eq!(
        (head.number, head.first, head.samples),
        (5, 7, SEGMENT_SAMPLES)
    );
    assert_eq!((head.bytes(), head.end()), (bytes.len(), 4_007));
    assert_eq!(
        (index.marks.as_slice(), index.peaks.len()),
        (marks.as_slice(), 4)
    );
    assert_eq!(opened_audio, audio);
    // Nothing of the audio stands in the open.
    assert!(
        !bytes
            .windows(8)
            .any(|window| audio.windows(8).any(|clear| clear == window))
    );
}

#[test]
fn silence_and_marks_alone_take_no_audio() {
    let recording = Bytes::new("r", 1);
    let bytes = sealed(&recording, 0, &plain(&[], 4_000, &[mark(3)]));
    assert_eq!(bytes.len(), HEAD_BYTES + 2 + MARK_BYTES + TAG_BYTES);
    let (head, index, audio) = opened(&recording, &bytes).unwrap();
    assert_eq!(
        (head.samples, head.has_audio, audio.len()),
        (4_000, false, 0)
    );
    assert_eq!((index.marks.len(), index.peaks.len()), (1, 0));
}

#[test]
fn each_changed_bit_and_each_missing_byte_is_noticed() {
    let recording = Bytes::new("r", 1);
    let bytes = sealed(&recording, 5, &plain(&audio(7, 12), 12, &[mark(9)]));
    assert!(opened(&recording, &bytes).is_some());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(opened(&recording, &changed).is_none(), "{at} {bit}");
        }
        assert!(opened(&recording, &bytes[..at]).is_none(), "{at}");
    }
}

#[test]
fn a_segment_opens_in_its_own_recording_only() {
    let recording = Bytes::new("r", 1);
    let bytes = sealed(&recording, 5, &plain(&audio(7, 12), 12, &[]));
    assert!(opened(&Bytes::new("s", 1), &bytes).is_none());
    assert!(opened(&Bytes::new("r", 9), &bytes).is_none());
}

/// The layout is a contract: older files must open with newer programs. The same bytes come from the AES-GCM of Python's `cryptography`, fed by
/// docs/decisions/0011-recordings.md.
#[test]
fn a_segment_with_fixed_keys_has_fixed_bytes() {
    let recording = Bytes::new("r", 1);
    let bytes = sealed(&recording, 5, &plain(&audio(7, 2), 2, &[mark(258)]));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = "545753470100000f0000000500000002000000000000000700000004000000000e0854ffca7dc257\
                    13a773d0070f62bb3fc3c720ab223b2fddd94405c3c8eadd614f5be2da8cf3a41129048d6880c85b99ddb3";
    assert_eq!(hex, expected);
}

proptest! {
    #[test]
    fn heads_are_read_as_written_or_not_at_all(bytes in any::<[u8; HEAD_BYTES]>(), ours in any::<bool>()) {
        let mut bytes = bytes;
        if ours {
            bytes[..4].copy_from_slice(&MAGIC);
            bytes[4] %= 3;
            bytes[5] = 0;
            bytes[6] = 0;
            bytes[12..15].fill(0);
            bytes[24..31].fill(0);
            bytes[27] = bytes[15].wrapping_mul(2);
            bytes[26] = bytes[15] >> 7;
            bytes[31] = 0;
        }
        if let Some(head) = Head::parse(&bytes) {
            prop_assert_eq!(head.encode(), bytes);
            prop_assert!(head.bytes() <= SEGMENT_BYTES_MAX);
        }
    }

    #[test]
    fn whatever_an_index_holds_is_read_or_refused(bytes in prop::collection::vec(0_u8..4, 0..80), samples in 0_usize..4_001, has_audio in any::<bool>()) {
        let head = Head { kind: Kind::Audio, number: 0, first: 0, samples, has_audio, index_bytes: bytes.len() };
        if let Some(index) = Index::decode(&bytes, &head) {
            prop_assert_eq!(bytes.len(), 2 + index.marks.len() * MARK_BYTES + index.peaks.len() * 2);
        }
    }
}
