use std::f64::consts::TAU;
use std::io::Cursor;

use g711::Law;
use ogg::PacketReader;
use opus_rs::multistream::{ChannelMappingTable, MultistreamDecoder};

use super::*;
use crate::bytes_of::{Bytes, RING};
use crate::keys::tests::ring;
use crate::segment::{Kind, Plain, SEGMENT_SAMPLES};

/// What a player gets: pages' granule positions, and both tracks, trimmed as RFC 7845 says.
struct Played {
    granules: Vec<u64>,
    tracks: [Vec<f32>; 2],
}

/// A recording of so many samples: 400 Hz to 1 kHz for the consumer, slowly rising, so that it fits itself at one place only; `agent` tells the other track.
fn recording(samples: usize, agent: impl Fn(usize) -> i16) -> Bytes {
    let mut whole = Bytes::new("r", 1);
    let moments: Vec<u8> = (0..samples)
        .flat_map(|at| {
            [
                Law::Mu.encode_sample(rising(at)),
                Law::A.encode_sample(agent(at)),
            ]
        })
        .collect();
    let mut first = 0;
    for audio in moments.chunks(2 * SEGMENT_SAMPLES) {
        whole.seal(&Plain {
            kind: Kind::Audio,
            first,
            audio,
            samples: audio.len() / 2,
            marks: &[],
        });
        first += wide(audio.len() / 2);
    }
    whole.end(first);
    whole
}

#[expect(clippy::cast_possible_truncation, reason = "below 8,000")]
fn rising(at: usize) -> i16 {
    let seconds = f64::from(u32::try_from(at).unwrap()) / 8_000.0;
    let phase = TAU * seconds * (400.0 + 150.0 * (seconds % 4.0));
    (8_000.0 * phase.sin()) as i16
}

fn exported(whole: &Bytes) -> (Vec<u8>, usize) {
    let reader = Reader::open(whole.bytes.as_slice(), &ring(&[RING])).unwrap();
    let mut out = Vec::new();
    let changed = export_opus(&reader, &mut out).unwrap();
    (out, changed)
}

fn played(file: &[u8]) -> Played {
    let mut packets = PacketReader::new(Cursor::new(file));
    let head = packets.read_packet_expected().unwrap().data;
    assert_eq!(&head[..8], b"OpusHead");
    let pre_skip = usize::from(u16::from_le_bytes([head[10], head[11]])) / 6;
    let table = ChannelMappingTable::parse(head[18], head[9], &head[19..]).unwrap();
    assert_eq!(
        &packets.read_packet_expected().unwrap().data[..8],
        b"OpusTags"
    );
    let mut decoder = MultistreamDecoder::new(8_000, table).unwrap();
    let mut granules = Vec::new();
    let mut tracks = [Vec::new(), Vec::new()];
    while let Some(packet) = packets.read_packet().unwrap() {
        let mut moments = [0.0; 2 * PACKET_SAMPLES];
        let frames = decoder
            .decode(&packet.data, PACKET_SAMPLES, &mut moments)
            .unwrap();
        assert_eq!(frames, PACKET_SAMPLES);
        for moment in moments.chunks_exact(2) {
            tracks[0].push(moment[0]);
            tracks[1].push(moment[1]);
        }
        if packet.last_in_page() {
            granules.push(packet.absgp_page());
        }
    }
    let end = usize::try_from(granules.last().unwrap() / GRANULES).unwrap();
    for track in &mut tracks {
        track.truncate(end);
        track.drain(..pre_skip);
    }
    Played { granules, tracks }
}

/// How alike two stretches are, 1 at most.
fn likeness(first: &[f32], second: &[f32]) -> f32 {
    let of = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    of(first, second) / (of(first, first) * of(second, second)).sqrt()
}

#[test]
fn each_track_plays_where_it_was_and_nothing_of_it_on_the_other() {
    let whole = recording(26_400, |_| 0);
    let (file, changed) = exported(&whole);
    let played = played(&file);
    assert_eq!(changed, 0);
    let spoken: Vec<f32> = (0..26_400)
        .map(|at| f32::from(rising(at)) / 32_768.0)
        .collect();
    let [consumer, agent] = &played.tracks;
    assert_eq!(consumer.len(), spoken.len());
    let at_lag = |lag: usize| likeness(&consumer[lag..20_000 + lag], &spoken[20..20_020]);
    let best = (0..=40).max_by(|a, b| at_lag(*a).total_cmp(&at_lag(*b)));
    assert_eq!(best, Some(20), "the audio is not where it was");
    assert!(at_lag(20) > 0.97, "{}", at_lag(20));
    let loudest = agent
        .iter()
        .fold(0.0_f32, |most, sample| most.max(sample.abs()));
    assert!(loudest < 0.001, "{loudest}");
}

#[test]
fn it_lasts_as_long_to_the_sample() {
    for samples in [1, 107, 108, 109, 159, 160, 161, 8_000, 16_001] {
        let whole = recording(samples, |_| 500);
        let (file, _) = exported(&whole);
        let played = played(&file);
        let [consumer, agent] = &played.tracks;
        assert_eq!((consumer.len(), agent.len()), (samples, samples));
        assert_eq!(*played.granules.last().unwrap(), 312 + 6 * wide(samples));
    }
}

#[test]
fn an_empty_recording_is_a_file_without_a_sample() {
    let mut whole = Bytes::new("r", 1);
    whole.end(0);
    let (file, _) = exported(&whole);
    let [consumer, agent] = played(&file).tracks;
    assert_eq!((consumer.len(), agent.len()), (0, 0));
}

#[test]
fn a_page_is_a_second_at_most() {
    let (file, _) = exported(&recording(40_000, |_| 500));
    let played = played(&file);
    assert_eq!(played.granules.len(), 6);
    let first = std::iter::once(0).chain(played.granules.iter().copied());
    for (before, after) in first.zip(&played.granules) {
        assert!((1..=48_000).contains(&(after - before)), "{before} {after}");
    }
}

#[test]
fn what_was_changed_or_not_kept_is_silence_at_its_time() {
    let mut whole = Bytes::new("r", 1);
    whole.audio(100, 4_000);
    whole.audio(4_100, 4_000);
    whole.audio(16_100, 4_000);
    whole.end(20_100);
    let last = whole.begins[2] - 40;
    whole.bytes[last] ^= 1;
    let (file, changed) = exported(&whole);
    assert_eq!(changed, 1);
    let [consumer, _] = played(&file).tracks;
    assert_eq!(consumer.len(), 20_000);
    let power = |stretch: &[f32]| stretch.iter().map(|sample| sample * sample).sum::<f32>();
    assert!(power(&consumer[..4_000]) > 1.0);
    assert!(power(&consumer[4_400..15_600]) < 0.01);
    assert!(power(&consumer[16_000..]) > 1.0);
}

#[test]
fn a_file_that_takes_no_more_is_said() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let whole = recording(100, |_| 0);
    let reader = Reader::open(whole.bytes.as_slice(), &ring(&[RING])).unwrap();
    let refused = export_opus(&reader, &mut Full).unwrap_err();
    assert!(
        matches!(&refused, OpusError::Write(cause) if cause.kind() == io::ErrorKind::StorageFull),
        "{refused}"
    );
}

#[test]
fn lengths_of_frames_are_those_of_the_rfc() {
    for bytes in 0..=PACKET_BYTES_MAX {
        let told = match frame_length(bytes).as_slice() {
            [first] => usize::from(*first),
            [first, second] => usize::from(*first) + 4 * usize::from(*second),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, bytes);
    }
}
