use g711::Law;

use super::*;
use crate::bytes_of::{Bytes, RING, byte_at};
use crate::keys::tests::ring;

fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    Reader::open(bytes, &ring(&[RING])).unwrap()
}

fn exported(reader: &Reader<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let handed = Wav::new(reader).unwrap().export(&mut out).unwrap();
    assert_eq!(handed.bytes, u64::try_from(out.len()).unwrap());
    out
}

#[test]
fn a_wav_has_the_head_and_the_samples_that_players_expect() {
    let whole = Bytes::three("r", 1);
    let reader = reader(&whole.bytes);
    let wav = exported(&reader);
    assert_eq!(wav.len(), 44 + 4 * 590);
    assert_eq!(&wav[..4], b"RIFF");
    assert_eq!(wav[4..8], (36 + 4 * 590_u32).to_le_bytes());
    assert_eq!(&wav[8..20], b"WAVEfmt \x10\0\0\0");
    assert_eq!(
        wav[20..36],
        [1, 0, 2, 0, 0x40, 0x1F, 0, 0, 0, 0x7D, 0, 0, 4, 0, 16, 0]
    );
    assert_eq!(&wav[36..40], b"data");
    assert_eq!(wav[40..44], (4 * 590_u32).to_le_bytes());
    let first = [
        Law::Mu.decode_byte(byte_at(100)),
        Law::A.decode_byte(0x80 | byte_at(100)),
    ];
    assert_eq!(wav[44..48], first.map(i16::to_le_bytes).concat());
}

#[test]
fn every_range_is_that_part_of_the_whole() {
    let whole = Bytes::three("r", 1);
    let reader = reader(&whole.bytes);
    let all = exported(&reader);
    let wav = Wav::new(&reader).unwrap();
    for offset in (0..60).chain([300, 301, 302, 2_395, 2_403, 2_404, 9_999]) {
        for len in [0, 1, 2, 3, 43, 44, 45, 500, 5_000] {
            let mut place = vec![0; len];
            let handed = wav
                .read_at(u64::try_from(offset).unwrap(), &mut place)
                .unwrap();
            let bytes = usize::try_from(handed.bytes).unwrap();
            let expected = all.get(offset..).unwrap_or_default();
            assert_eq!(bytes, len.min(expected.len()), "{offset} {len}");
            assert_eq!(place[..bytes], expected[..bytes], "{offset} {len}");
        }
    }
}

#[test]
fn changed_audio_is_silence_and_is_counted() {
    let mut whole = Bytes::three("r", 1);
    let last = whole.begins[1] - 1;
    whole.bytes[last] ^= 1;
    let reader = reader(&whole.bytes);
    let mut out = Vec::new();
    let handed = Wav::new(&reader).unwrap().export(&mut out).unwrap();
    assert_eq!(handed.changed_segments, 1);
    assert!(out[44..44 + 160].iter().all(|byte| *byte == 0));
    assert!(out[44 + 160..44 + 280].iter().any(|byte| *byte != 0));
}

#[test]
fn a_recording_that_is_longer_than_a_wav_is_refused() {
    let mut long = Bytes::new("r", 1);
    long.audio(0, 10);
    long.end(MOMENTS_MAX + 1);
    let reader = reader(&long.bytes);
    assert!(
        matches!(Wav::new(&reader), Err(WavError::PeerTooLong { samples }) if samples == MOMENTS_MAX + 1)
    );
}

#[test]
fn an_empty_recording_is_a_wav_without_samples() {
    let empty = Bytes::new("r", 1);
    assert_eq!(exported(&reader(&empty.bytes)).len(), 44);
}
