use domain::time::UnixMillis;
use g711::Law;
use proptest::prelude::*;

use super::*;
use crate::bytes_of::{RING, byte_at};
use crate::keys::tests::{cipher_key, ring, wrapping_key};
use crate::reader::{Ending, Reader};
use crate::span::Span;

/// A composer and the file that it makes.
struct Desk {
    composer: Composer,
    file: Vec<u8>,
}

impl Desk {
    fn new(start: u64) -> Self {
        let header = Header {
            id: "r".parse().unwrap(),
            began: UnixMillis(0),
            laws: [Law::Mu, Law::Mu],
            is_redacted: false,
        };
        let key = DataKey::new(cipher_key(1));
        let (composer, file) =
            Composer::begin(header, start, key, (&wrapping_key(RING), [3; 12])).unwrap();
        Self { composer, file }
    }

    fn say(&mut self, track: Track, from: u64, until: u64) {
        let bytes: Vec<u8> = (from..until).map(byte_at).collect();
        self.composer
            .take(track, from, &bytes, &mut self.file)
            .unwrap();
    }

    /// Both sides in frames of 160 samples.
    fn talk(&mut self, from: u64, until: u64) {
        for at in (from..until).step_by(160) {
            for track in Track::BOTH {
                self.say(track, at, (at + 160).min(until));
            }
        }
    }

    fn end(mut self) -> Kept {
        self.composer.end(&mut self.file).unwrap();
        let reader = Reader::open(self.file.as_slice(), &ring(&[RING])).unwrap();
        assert_eq!(reader.ending(), Ending::Whole);
        let positions = reader.positions();
        let mut samples = vec![0; 2 * narrow(positions.end - positions.start)];
        assert_eq!(reader.read(positions.start, &mut samples).unwrap(), 0);
        Kept {
            start: positions.start,
            samples,
            spans: reader.spans(),
            segments: reader.segments(),
        }
    }
}

struct Kept {
    start: u64,
    samples: Vec<i16>,
    spans: Vec<Span>,
    segments: u32,
}

impl Kept {
    fn has(&self, track: Track, position: u64) -> bool {
        let at = narrow(position - self.start) * 2 + track.channel();
        self.samples.get(at) == Some(&Law::Mu.decode_byte(byte_at(position)))
    }

    fn until(&self) -> u64 {
        self.start + wide(self.samples.len() / 2)
    }

    fn spans_of(&self, kind: SpanKind) -> Vec<(Tracks, u64, u64)> {
        let spans = self.spans.iter().filter(|span| span.kind == kind);
        spans
            .map(|span| (span.tracks, span.from, span.until))
            .collect()
    }
}

#[test]
fn what_was_said_before_the_recording_began_is_left_out_also_if_it_comes_later() {
    let mut desk = Desk::new(2_949);
    desk.say(Track::Consumer, 2_949, 3_109);
    for (from, until) in [(2_219, 2_379), (2_789, 2_949), (2_900, 3_060)] {
        desk.say(Track::Agent, from, until);
    }
    let kept = desk.end();
    assert_eq!(kept.start, 2_949);
    assert_eq!(kept.samples.len(), 2 * 160);
    assert!(kept.spans.is_empty(), "{:?}", kept.spans);
}

#[test]
fn what_is_said_is_kept_by_position_in_segments_of_half_a_second() {
    let mut desk = Desk::new(1_000);
    desk.talk(900, 21_000);
    let waiting = desk.composer.filled;
    assert!(waiting < SEGMENT_SAMPLES + HOLD_SAMPLES, "{waiting}");
    let kept = desk.end();
    assert_eq!((kept.start, kept.until()), (1_000, 21_000));
    assert!((1_000..21_000).all(|at| Track::BOTH.iter().all(|track| kept.has(*track, at))));
    assert_eq!((kept.segments, kept.spans.len()), (6, 0));
}

#[test]
fn silence_takes_no_audio_and_a_jump_no_segments() {
    let mut desk = Desk::new(0);
    desk.talk(0, 160);
    desk.talk(4_000_000, 4_000_160);
    let kept = desk.end();
    assert_eq!((kept.segments, kept.until()), (3, 4_000_160));
    assert!(
        kept.has(Track::Agent, 4_000_159)
            && kept.samples[2 * 160..2 * 4_000_000]
                .iter()
                .all(|at| *at == 0)
    );
}

#[test]
fn the_slower_side_has_200_ms_and_what_comes_later_is_a_gap_of_exact_length() {
    let mut desk = Desk::new(0);
    desk.say(Track::Consumer, 0, 5_599);
    desk.say(Track::Agent, 0, 4_000);
    desk.say(Track::Consumer, 5_599, 5_600);
    desk.say(Track::Agent, 3_900, 3_950);
    desk.say(Track::Agent, 3_950, 4_100);
    let agent = Tracks::One(Track::Agent);
    assert_eq!(desk.composer.lost_samples(), 100);
    let kept = desk.end();
    assert_eq!(kept.spans_of(SpanKind::Gap), [(agent, 3_900, 4_000)]);
    assert!(kept.has(Track::Agent, 0) && kept.has(Track::Agent, 4_099));
}

#[test]
fn a_pause_takes_out_what_waits_and_what_comes_to_the_sample() {
    let mut desk = Desk::new(0);
    desk.talk(0, 1_000);
    desk.composer.pause(777, &mut desk.file).unwrap();
    assert!(desk.composer.is_paused());
    let window = desk.composer.window.to_vec();
    assert!(
        window[2 * 777..]
            .iter()
            .all(|byte| *byte == Law::Mu.silence())
    );
    desk.talk(1_000, 9_001);
    assert_eq!(desk.composer.resume(9_333, &mut desk.file), Some(9_333));
    desk.talk(9_001, 12_000);
    let kept = desk.end();
    for at in 0..12_000 {
        for track in Track::BOTH {
            let paused = (777..9_333).contains(&at);
            assert_eq!(kept.has(track, at), !paused, "{at} {track:?}");
        }
    }
    assert_eq!(
        kept.spans_of(SpanKind::Paused),
        [(Tracks::Both, 777, 9_333)]
    );
    assert_eq!(kept.spans_of(SpanKind::Gap), []);
}

#[test]
fn a_pause_for_what_is_sealed_is_refused_with_how_much_is() {
    let mut desk = Desk::new(0);
    desk.talk(0, 5_600);
    let late = desk.composer.pause(3_990, &mut desk.file);
    assert_eq!(late, Err(PauseError::PeerLate { samples: 10 }));
    assert!(!desk.composer.is_paused());
    assert_eq!(desk.composer.pause(4_000, &mut desk.file), Ok(()));
    assert_eq!(desk.composer.resume(0, &mut desk.file), Some(5_600));
    assert_eq!(desk.composer.resume(0, &mut desk.file), None);
    assert_eq!(
        desk.end().spans_of(SpanKind::Paused),
        [(Tracks::Both, 4_000, 5_600)]
    );
}

#[test]
fn the_earlier_of_two_pauses_holds_and_one_after_a_resume_holds_at_once() {
    let mut desk = Desk::new(0);
    desk.talk(0, 2_000);
    for from in [1_500, 1_700, 1_200] {
        desk.composer.pause(from, &mut desk.file).unwrap();
    }
    desk.composer.resume(2_500, &mut desk.file).unwrap();
    desk.composer.pause(2_400, &mut desk.file).unwrap();
    desk.talk(2_000, 3_000);
    desk.composer.resume(3_100, &mut desk.file).unwrap();
    desk.talk(3_000, 4_000);
    let kept = desk.end();
    assert!(
        (0..1_200)
            .chain(3_100..4_000)
            .all(|at| kept.has(Track::Consumer, at))
    );
    assert!(!(1_200..3_100).any(|at| kept.has(Track::Consumer, at)));
}

#[test]
fn pauses_without_an_end_to_them_are_refused_and_those_that_hold_go_on() {
    let mut desk = Desk::new(0);
    for at in 0..wide(PAUSES_MAX) {
        desk.composer.pause(at * 10, &mut desk.file).unwrap();
        desk.composer.resume(at * 10 + 5, &mut desk.file).unwrap();
    }
    let refused = desk.composer.pause(1_000, &mut desk.file);
    assert_eq!(refused, Err(PauseError::PeerTooMany));
    desk.talk(0, 6_000);
    assert_eq!(desk.composer.pause(5_000, &mut desk.file), Ok(()));
    let kept = desk.end();
    let paused = kept.spans_of(SpanKind::Paused);
    assert_eq!(paused.len(), PAUSES_MAX + 1);
    assert!(!kept.has(Track::Agent, 154) && kept.has(Track::Agent, 155));
}

#[test]
fn marks_without_number_are_kept_all_in_more_segments() {
    let mut desk = Desk::new(0);
    for at in 0..200 {
        desk.composer
            .gap(Track::Agent, at * 3, at * 3 + 1, &mut desk.file)
            .unwrap();
    }
    assert_eq!(desk.composer.lost_samples(), 200);
    let kept = desk.end();
    assert_eq!((kept.spans.len(), kept.segments), (200, 8));
}

#[test]
fn a_flush_leaves_nothing_and_the_next_frame_goes_on() {
    let mut desk = Desk::new(0);
    desk.talk(0, 100);
    desk.composer.flush(&mut desk.file).unwrap();
    assert!(!desk.composer.is_waiting());
    desk.talk(100, 200);
    assert!(desk.composer.is_waiting());
    let kept = desk.end();
    assert!((0..200).all(|at| kept.has(Track::Consumer, at)));
    assert_eq!((kept.segments, kept.spans.len()), (3, 0));
}

#[test]
fn positions_at_the_end_of_numbers_harm_nothing() {
    let mut desk = Desk::new(0);
    desk.talk(0, 160);
    desk.composer
        .take(Track::Agent, u64::MAX - 5, &[1; 160], &mut desk.file)
        .unwrap();
    desk.talk(160, 320);
    let kept = desk.end();
    assert!((0..320).all(|at| kept.has(Track::Agent, at)));
}

#[derive(Debug, Clone)]
enum Step {
    Say(bool, u64),
    Skip(u64),
    Pause(u64),
    Resume(u64),
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), 1_u64..700).prop_map(|(consumer, len)| Step::Say(consumer, len)),
        1 => (1_u64..9_000).prop_map(Step::Skip),
        1 => (0_u64..3_000).prop_map(Step::Pause),
        1 => (0_u64..3_000).prop_map(Step::Resume),
        1 => Just(Step::Flush),
    ]
}

proptest! {
    /// Each sample that came is kept, or lies in a span that says why not; no sample of a granted pause is.
    #[test]
    fn no_sample_is_lost_in_silence_and_none_of_a_pause_is_kept(steps in prop::collection::vec(step(), 1..60)) {
        let mut desk = Desk::new(0);
        let (mut said, mut at, mut paused) = (Vec::new(), [0, 0], Vec::<(u64, u64)>::new());
        for step in steps {
            match step {
                Step::Say(consumer, len) => {
                    let track = if consumer { Track::Consumer } else { Track::Agent };
                    let from = at[track.channel()];
                    desk.say(track, from, from + len);
                    said.extend((from..from + len).map(|at| (track, at)));
                    at[track.channel()] += len;
                }
                Step::Skip(len) => at = [at[0].max(at[1]) + len; 2],
                Step::Pause(ago) => {
                    let from = at[0].max(at[1]).saturating_sub(ago);
                    if desk.composer.pause(from, &mut desk.file).is_ok() {
                        match paused.last_mut() {
                            Some((begin, u64::MAX)) => *begin = from.min(*begin),
                            _ => paused.push((from, u64::MAX)),
                        }
                    }
                }
                Step::Resume(ahead) => {
                    if let Some(until) = desk.composer.resume(at[0].min(at[1]) + ahead, &mut desk.file) {
                        paused.last_mut().unwrap().1 = until;
                    }
                }
                Step::Flush => desk.composer.flush(&mut desk.file).unwrap(),
            }
        }
        let kept = desk.end();
        for (track, at) in said {
            let is_paused = paused.iter().any(|(from, until)| (*from..*until).contains(&at));
            let says_paused = kept.spans_of(SpanKind::Paused).iter().any(|(_, from, until)| (*from..*until).contains(&at));
            let lost = kept.spans_of(SpanKind::Gap).iter()
                .any(|(tracks, from, until)| *tracks == Tracks::One(track) && (*from..*until).contains(&at));
            prop_assert_eq!(is_paused, says_paused, "{} {:?}", at, track);
            prop_assert!(!(is_paused && kept.has(track, at)), "{} {:?}", at, track);
            prop_assert!(is_paused || lost != kept.has(track, at), "{} {:?}", at, track);
        }
    }
}

/// What docs/guide/operators.md says: 58 MB, if neither side is ever silent.
#[test]
fn an_hour_of_both_sides_takes_58_mb() {
    const MINUTE: u64 = 60 * 8_000;
    let mut desk = Desk::new(0);
    let head = desk.file.len();
    desk.talk(0, MINUTE);
    let hour = 60 * (desk.file.len() - head);
    assert!((57_600_000..58_600_000).contains(&hour), "{hour}");
    // Silence of both sides takes next to nothing.
    let before = desk.file.len();
    let silent = vec![Law::Mu.silence(); 160];
    for at in (MINUTE..2 * MINUTE).step_by(160) {
        for track in Track::BOTH {
            let taken = desk.composer.take(track, at, &silent, &mut desk.file);
            taken.unwrap();
        }
    }
    assert!(60 * (desk.file.len() - before) < 1_000_000);
}
