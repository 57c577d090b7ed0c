use super::copies::{ANSWER_SPAN, FIRST_ANSWER_SPAN};
use super::*;
use crate::dtmf::inband::keypad::Pair;
use crate::tone::{KeyTone, KeyToneShape};

const PACKET: usize = 160;

/// A copy of a key at the microphone.
fn copy(dbm0: f32) -> KeyTone {
    let shape = KeyToneShape {
        low_dbm0: dbm0,
        twist_db: 0.0,
        ..KeyToneShape::default()
    };
    KeyTone::new(Pair::new(1, 2), shape)
}

fn packet_of(tone: &mut KeyTone) -> [i16; PACKET] {
    std::array::from_fn(|_| sample::from_f32(tone.next_sample()))
}

/// Positions of the input that were heard at all.
fn heard(path: &mut ProtectedPath) -> Vec<u64> {
    let (mut linear, mut origins) = ([0; PACKET], [Origin::default(); PACKET]);
    let mut heard = Vec::new();
    while let Some((_, len)) = path.pop_traced(&mut linear, &mut origins) {
        heard.extend(origins[..len].iter().filter_map(|origin| origin.delayed));
    }
    heard
}

/// An event of 120 ms, its clock always before its audio: a copy that ends with it. Yields how long nothing is heard after its end.
fn silence_after_event(path: &mut ProtectedPath, sounds: bool) -> u64 {
    let quiet = [0; PACKET];
    let mut tone = copy(-30.0);
    path.push_audio(0, &quiet);
    path.arm(160);
    path.push_audio(160, &quiet);
    path.event_started(320);
    for ts in (320..1_280).step_by(PACKET) {
        path.push_gap(ts, 160);
        let audio = packet_of(&mut tone);
        path.push_audio(ts, if sounds { &audio } else { &quiet });
    }
    path.event_ended(1_280);
    heard(path);
    (1_280..9_600)
        .step_by(PACKET)
        .find_map(|ts| {
            path.push_audio(ts, &quiet);
            heard(path).first().copied()
        })
        .map_or(u64::MAX, |at| at - 1_280)
}

#[test]
fn a_copy_within_an_event_is_heard_though_the_clock_was_first() {
    let mut path = ProtectedPath::new(PathConfig::default());
    path.expect_told_keys(true);
    let answered = silence_after_event(&mut path, true);
    assert!(answered >= ANSWER_SPAN - 100, "{answered}");
    let mut path = ProtectedPath::new(PathConfig::default());
    path.expect_told_keys(true);
    let resumed = silence_after_event(&mut path, false);
    assert!(resumed < 400, "{resumed}");
}

#[test]
fn a_copy_before_the_first_event_is_masked_with_the_rooms_answer() {
    let answer = |expected| {
        let mut path = ProtectedPath::new(PathConfig::default());
        path.expect_told_keys(expected);
        let (quiet, mut tone) = ([0; PACKET], copy(-40.0));
        path.push_audio(0, &quiet);
        path.arm(160);
        for ts in (160..1_120).step_by(PACKET) {
            path.push_audio(ts, &packet_of(&mut tone));
        }
        assert!(heard(&mut path).iter().all(|at| *at < 160));
        let first = (1_120..9_600).step_by(PACKET).find_map(|ts| {
            path.push_audio(ts, &quiet);
            heard(&mut path).first().copied()
        });
        first.map(|at| at - 1_120)
    };
    assert!(answer(true).is_some_and(|span| span >= FIRST_ANSWER_SPAN));
    assert!(answer(false).is_some_and(|span| span < 160));
}
