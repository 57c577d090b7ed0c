use std::fs;

use domain::time::UnixMillis;

use super::*;
use crate::folder::Folder;
use crate::keys::tests::{cipher_key, ring, wrapping_key};
use crate::screen::ScreenWriter;
use crate::span::SpanKind;

const RING: u8 = 2;

/// Three parts with a pause between the first two, behind which the last chunk of the first one comes, and seconds of nothing before the third.
fn shared() -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    let header = ScreenHeader {
        id: "s".parse().unwrap(),
        began: UnixMillis(1_764_237_600_123),
        is_redacted: false,
    };
    let path = folder.screen_path(&header.id, header.began);
    let mut writer = ScreenWriter::begin(&folder, header, &ring(&[RING])).unwrap();
    writer.part(0, 100, "video/webm;codecs=vp8").unwrap();
    writer.chunk((0, 0), 1_100, b"abc").unwrap();
    writer.pause(2_050).unwrap();
    writer.chunk((0, 1), 2_050, b"defg").unwrap();
    writer.resume(6_000).unwrap();
    writer.part(1, 6_100, "video/webm").unwrap();
    writer.chunk((1, 0), 7_000, b"hi").unwrap();
    // The page was gone before its first chunk.
    writer.part(2, 7_000, "video/webm").unwrap();
    writer.part(3, 11_000, "video/webm").unwrap();
    writer.chunk((3, 0), 12_000, b"j").unwrap();
    writer.end(12_300).unwrap();
    fs::read(path).unwrap()
}

fn opened(bytes: &[u8]) -> ScreenReader<&[u8]> {
    ScreenReader::open(bytes, &ring(&[RING])).unwrap()
}

fn redacted(bytes: &[u8], stretch_ms: Range<u64>) -> Result<Vec<u8>, RedactError> {
    let mut out = Vec::new();
    let key = DataKey::new(cipher_key(9));
    let under = (&wrapping_key(RING), [4; NONCE_BYTES]);
    redact_screen(&opened(bytes), &stretch_ms, &key, under, &mut out).map(|()| out)
}

/// The video of each part.
fn videos(reader: &ScreenReader<&[u8]>) -> Vec<(u16, Vec<u8>)> {
    let parts = reader.parts().iter();
    parts
        .map(|part| (part.number, reader.read(part.number, 0, 99).unwrap()))
        .collect()
}

fn spans(reader: &ScreenReader<&[u8]>) -> Vec<(SpanKind, u64, u64)> {
    let spans = reader.spans().into_iter();
    spans
        .map(|span| (span.kind, span.from_ms, span.until_ms))
        .collect()
}

#[test]
fn a_part_of_which_some_lies_in_the_stretch_goes_as_a_whole_and_all_else_stays_to_the_byte() {
    let whole = shared();
    let before = opened(&whole);
    for (stretch, gone) in [
        (0..101, vec![0]),
        (2_049..2_050, vec![0]),
        (2_049..6_101, vec![0, 1]),
        (6_999..11_001, vec![1, 3]),
        (0..99_999, vec![0, 1, 3]),
    ] {
        let made = redacted(&whole, stretch.clone()).unwrap();
        let after = opened(&made);
        assert_eq!(after.ending(), Ending::Whole, "{stretch:?}");
        assert!(after.header().is_redacted);
        assert_eq!(after.length_ms(), before.length_ms());
        let expected: Vec<_> = videos(&before)
            .into_iter()
            .map(|(number, video)| match gone.contains(&number) {
                true => (number, Vec::new()),
                false => (number, video),
            })
            .collect();
        assert_eq!(videos(&after), expected, "{stretch:?}");
        for (is, was) in after.parts().iter().zip(before.parts()) {
            assert_eq!(is.is_removed, gone.contains(&is.number));
            let about = |part: &Part| (part.begin_ms, part.end_ms, part.media_type.clone());
            assert_eq!(about(is), about(was), "{stretch:?}");
        }
        let mut expected = spans(&before);
        let removed = before.parts().iter();
        let removed = removed.filter(|part| gone.contains(&part.number));
        expected.extend(removed.map(|part| (SpanKind::Removed, part.begin_ms, part.end_ms)));
        expected.sort_unstable_by_key(|span| span.1);
        assert_eq!(spans(&after), expected, "{stretch:?}");
    }
}

#[test]
fn a_stretch_without_video_is_refused_also_where_its_part_is_gone_already() {
    let whole = shared();
    for stretch in [
        0..100,
        2_050..6_100,
        7_000..11_000,
        12_000..99_999,
        500..500,
    ] {
        let refused = redacted(&whole, stretch.clone());
        assert!(
            matches!(refused, Err(RedactError::OperatorEmpty)),
            "{stretch:?}"
        );
    }
    let once = redacted(&whole, 500..501).unwrap();
    let again = redacted(&once, 500..501);
    assert!(matches!(again, Err(RedactError::OperatorEmpty)));
    let twice = redacted(&once, 500..6_500).unwrap();
    let gone: Vec<_> = opened(&twice)
        .parts()
        .iter()
        .map(|part| part.is_removed)
        .collect();
    assert_eq!(gone, [true, true, false, false]);
}

#[test]
fn a_cut_recording_stays_cut_and_a_damaged_one_is_left_alone() {
    let whole = shared();
    let cut = redacted(&whole[..whole.len() - 1], 0..500).unwrap();
    assert_eq!(opened(&cut).ending(), Ending::Cut);
    assert_eq!(opened(&cut).segments(), opened(&whole).segments() - 2);
    let mut changed = whole.clone();
    // The last byte before the final segment: the seal of the last chunk.
    let last = whole.len() - super::super::segment::HEAD_BYTES - crate::keys::TAG_BYTES - 1;
    changed[last] ^= 1;
    let refused = redacted(&changed, 0..500);
    assert!(matches!(
        refused,
        Err(RedactError::PeerDamaged {
            segment: 9,
            why: Damage::NotSealed
        })
    ));
    // Of a part that goes nothing is opened, so its damage goes with it.
    assert!(redacted(&changed, 11_500..11_501).is_ok());
}

#[test]
fn a_removed_part_that_has_chunks_is_none_of_ours() {
    let whole = shared();
    let made = redacted(&whole, 6_500..6_501).unwrap();
    let reader = opened(&made);
    let kept = reader.kept();
    let behind = |kind| {
        let at = kept.iter().position(|(head, _)| head.kind == kind);
        kept[at.unwrap() + 1].0.kind
    };
    assert_eq!(behind(Kind::Removed), Kind::Part);
    let chunk = kept.iter().rfind(|(head, _)| head.kind == Kind::Chunk);
    let key = DataKey::new(cipher_key(9));
    let place = Place {
        key: &key,
        id: &reader.header().id,
    };
    // The last chunk's part, behind its chunk, is said to be removed.
    let last = chunk.unwrap().0;
    let mut forged = made.clone();
    forged.truncate(made.len() - super::super::segment::HEAD_BYTES - crate::keys::TAG_BYTES);
    let head = Head {
        number: last.number + 1,
        ..removed(reader.parts().last().unwrap())
    };
    place.seal(&head, (&[], &[]), &mut forged).unwrap();
    let backwards = Ending::Damaged {
        segment: last.number + 1,
        why: Damage::Backwards,
    };
    assert_eq!(opened(&forged).ending(), backwards);
}
