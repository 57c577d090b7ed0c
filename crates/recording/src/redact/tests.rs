use g711::Law;
use proptest::prelude::*;

use super::*;
use crate::bytes_of::{Bytes, RING};
use crate::keys::tests::{cipher_key, ring, wrapping_key};
use crate::span::{Span, Track};

/// The key of the new file.
const NEW: u8 = 9;

fn redacted(bytes: &[u8], part: Range<u64>) -> Result<Vec<u8>, RedactError> {
    let mut out = Vec::new();
    let key = DataKey::new(cipher_key(NEW));
    let under = (&wrapping_key(RING), [4; NONCE_BYTES]);
    redact(&reader(bytes), part, &key, under, &mut out).map(|()| out)
}

fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    Reader::open(bytes, &ring(&[RING])).unwrap()
}

fn removed(from: u64, until: u64) -> Span {
    Span {
        from,
        until,
        kind: SpanKind::Removed,
        tracks: Tracks::Both,
    }
}

/// All samples of both tracks, with the position of each.
fn samples(reader: &Reader<&[u8]>) -> Vec<(u64, [i16; 2])> {
    let all = reader.positions();
    let mut both = vec![0; 2 * usize::try_from(all.end - all.start).unwrap()];
    assert_eq!(reader.read(all.start, &mut both).unwrap(), 0);
    let moments = both.chunks(2).map(|moment| [moment[0], moment[1]]);
    all.zip(moments).collect()
}

/// Segments of several lengths with a hole, a masked span that begins in one and ends in another, and a gap.
fn spoken() -> Bytes {
    let mark = |kind, edge, position| Mark {
        kind,
        edge,
        tracks: Tracks::One(Track::Consumer),
        position,
    };
    let mut whole = Bytes::new("r", 1);
    whole.marked(100, 4_000, &[mark(SpanKind::Masked, Edge::Begin, 300)]);
    whole.audio(4_100, 2_500);
    whole.marked(7_000, 900, &[mark(SpanKind::Masked, Edge::End, 7_100)]);
    whole.marked(
        7_900,
        0,
        &[
            mark(SpanKind::Gap, Edge::Begin, 6_600),
            mark(SpanKind::Gap, Edge::End, 7_000),
        ],
    );
    whole.end(7_900);
    whole
}

proptest! {
    #[test]
    fn what_lies_outside_of_the_part_is_as_before_to_the_sample_and_the_part_is_silent(
        (from, until) in (0_u64..9_000, 0_u64..9_000),
    ) {
        let whole = spoken();
        let before = reader(&whole.bytes);
        let bounds = from.max(100)..until.min(7_900);
        let made = redacted(&whole.bytes, from..until);
        if bounds.is_empty() {
            prop_assert!(matches!(made, Err(RedactError::OperatorEmpty)));
            return Ok(());
        }
        let made = made.unwrap();
        let after = reader(&made);
        prop_assert_eq!(after.ending(), Ending::Whole);
        prop_assert_eq!(after.positions(), before.positions());
        prop_assert_eq!(after.segments(), before.segments() + 1);
        let silence = [Law::Mu, Law::A].map(|law| law.decode_byte(law.silence()));
        for ((position, was), (_, is)) in samples(&before).into_iter().zip(samples(&after)) {
            if bounds.contains(&position) && was != [0; 2] {
                prop_assert!(is == silence || is == [0; 2], "{}: {:?}", position, is);
            } else if !bounds.contains(&position) {
                prop_assert_eq!(is, was, "{}", position);
            }
        }
        let mut spans = before.spans();
        spans.push(removed(bounds.start, bounds.end));
        spans.sort_unstable();
        prop_assert_eq!(after.spans(), spans);
        let is_outside = |peak: &&crate::Peak| {
            peak.position >= bounds.end || peak.position + 1_000 <= bounds.start
        };
        let kept = |reader: &Reader<&[u8]>| -> Vec<_> {
            reader.peaks().iter().filter(is_outside).copied().collect()
        };
        prop_assert_eq!(kept(&after), kept(&before));
    }
}

#[test]
fn the_new_file_says_that_it_is_redacted_and_has_a_key_of_its_own() {
    let whole = spoken();
    let made = redacted(&whole.bytes, 200..4_200).unwrap();
    let header = reader(&made).header().clone();
    assert!(header.is_redacted);
    let expected = Header {
        is_redacted: true,
        ..whole.header.clone()
    };
    assert_eq!(header, expected);
    // A segment of the old file is none of the new one.
    let mut mixed = made[..SEGMENTS_OFFSET].to_vec();
    mixed.extend_from_slice(&whole.bytes[whole.begins[0]..]);
    let not_sealed = Ending::Damaged {
        segment: 0,
        why: Damage::NotSealed,
    };
    assert_eq!(reader(&mixed).ending(), not_sealed);
}

#[test]
fn a_second_part_leaves_the_first_removed() {
    let once = redacted(&spoken().bytes, 200..300).unwrap();
    let twice = redacted(&once, 250..5_000).unwrap();
    let spans = reader(&twice).spans();
    let found: Vec<_> = spans
        .into_iter()
        .filter(|span| span.kind == SpanKind::Removed)
        .collect();
    assert_eq!(found, [removed(200, 300), removed(250, 5_000)]);
}

#[test]
fn a_cut_recording_stays_cut_and_a_damaged_one_is_left_alone() {
    let whole = spoken();
    let cut = &whole.bytes[..whole.begins[3]];
    let made = redacted(cut, 100..200).unwrap();
    assert_eq!(reader(&made).ending(), Ending::Cut);
    assert_eq!(reader(&made).positions(), 100..7_900);

    let mut damaged = whole.bytes.clone();
    damaged[whole.begins[1]] ^= 1;
    assert!(matches!(
        redacted(&damaged, 100..200),
        Err(RedactError::PeerDamaged {
            segment: 1,
            why: Damage::NoSegment
        })
    ));
    let mut changed = whole.bytes.clone();
    changed[whole.begins[2] - 1] ^= 1;
    assert!(matches!(
        redacted(&changed, 100..200),
        Err(RedactError::PeerDamaged {
            segment: 1,
            why: Damage::NotSealed
        })
    ));
}
