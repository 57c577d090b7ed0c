//! Calls made at random, held against a model: which keys count, and that nothing of a press is heard.
//!
//! The model says for each press whether it counts, may count or must not; what the relay put out must be one of the answers it allows, in
//! order.

use std::collections::HashSet;
use std::time::Duration;

use media::dtmf::inband::LooseDetector;
use media::leg::Leg;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secret::Key;

use crate::call::{Call, Played, Press, Protection, Seen, call};
use crate::mask::Keyed;
use crate::scene::{EVENT_PAYLOAD_TYPE, Got, MS, keys, samples_to_time};

/// Equal codes in a row by which a piece of a press is known: 1 ms.
const GRAM: usize = 8;

/// A piece of a press is louder than this somewhere: several times the hiss beside it.
const GRAM_PEAK_LEAST: u16 = 600;

type Gram = [u8; GRAM];

/// What a press may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Counts,
    MayCount,
    No,
}

impl Call {
    /// The answers that the rules allow (S30): an event or an INFO counts and makes them the source; a tone alone counts until then.
    fn answers(&self, played: &Played) -> Vec<(u8, Answer)> {
        let Protection {
            given: Some(given),
            let_go,
            ..
        } = played.protection
        else {
            return Vec::new();
        };
        let let_go = let_go.unwrap_or(Duration::MAX);
        let is_rough = self.loss_percent > 0 || self.jitter_ms > 10;
        let mut signalled = Answer::No;
        let mut answers = Vec::new();
        for (press, came) in played.placed.iter().zip(&played.event_came) {
            let event = came.map_or(Answer::No, |at| {
                let answer = within(at, given, let_go, self.slack());
                // A press that began before the mask is none, whatever came of it since.
                let late = samples_to_time(press.event_start) <= given + self.slack();
                if late {
                    least(answer, Answer::MayCount)
                } else {
                    answer
                }
            });
            let info = if press.seen.info {
                within(press.info_at, given, let_go, self.slack())
            } else {
                Answer::No
            };
            let told = most(event, info);
            let begun = samples_to_time(press.begin);
            let mut heard = Answer::No;
            if press.seen.audio && begun + self.transit() > given && begun < let_go {
                let whole =
                    begun > given + MS * 40 && samples_to_time(press.end) + MS * 600 < let_go;
                heard = match signalled {
                    Answer::Counts => Answer::No,
                    Answer::No if whole && !is_rough => Answer::Counts,
                    Answer::No | Answer::MayCount => Answer::MayCount,
                };
            }
            signalled = most(signalled, told);
            answers.push((press.code, most(told, heard)));
        }
        answers
    }

    /// How long after a sample was spoken it is here at the latest, and 20 ms: what comes behind arming was not heard before it.
    fn transit(&self) -> Duration {
        samples_to_time(self.span) + MS * (20 + u32::from(self.jitter_ms))
    }

    /// What is seen this near to the edges of protection may fall on either side.
    fn slack(&self) -> Duration {
        MS * (80 + 2 * u32::from(self.jitter_ms))
    }
}

fn most(one: Answer, other: Answer) -> Answer {
    match (one, other) {
        (Answer::Counts, _) | (_, Answer::Counts) => Answer::Counts,
        (Answer::MayCount, _) | (_, Answer::MayCount) => Answer::MayCount,
        (Answer::No, Answer::No) => Answer::No,
    }
}

fn least(one: Answer, other: Answer) -> Answer {
    match (one, other) {
        (Answer::No, _) | (_, Answer::No) => Answer::No,
        (Answer::MayCount, _) | (_, Answer::MayCount) => Answer::MayCount,
        (Answer::Counts, Answer::Counts) => Answer::Counts,
    }
}

fn within(at: Duration, from: Duration, to: Duration, slack: Duration) -> Answer {
    if at > from && at + slack < to {
        Answer::Counts
    } else if at + slack >= from && at < to {
        Answer::MayCount
    } else {
        Answer::No
    }
}

/// True if the keys are an answer that is allowed.
fn allows(answers: &[(u8, Answer)], got: &[Key]) -> bool {
    // possible[n]: the answers so far may have given the first n keys.
    let mut possible: HashSet<usize> = HashSet::from([0]);
    for (code, answer) in answers {
        let key = Key::from_event(*code).unwrap();
        let mut next = HashSet::new();
        for taken in possible {
            if *answer != Answer::Counts {
                next.insert(taken);
            }
            if *answer != Answer::No && got.get(taken) == Some(&key) {
                next.insert(taken + 1);
            }
        }
        possible = next;
    }
    possible.contains(&got.len())
}

impl Played {
    /// One past the last sample that was somebody's to judge.
    fn judged_end(&self, jitter_ms: u8) -> u64 {
        let of_consumer = |(leg, ..): &&(Leg, u64, Vec<i16>)| *leg == Leg::Consumer;
        let first = self.scene.records.iter().find(of_consumer);
        let offset = first.map_or(0, |(_, position, _)| *position) - self.first_sample;
        let end = |at| at - offset - u64::from(jitter_ms) * 8;
        self.protection.over_at.map_or(u64::MAX, end)
    }

    /// Pieces of presses among the codes that reached the agent while the call was protected. What a press after it has too is none.
    fn pieces_heard(&self, from: Duration, to: Duration, jitter_ms: u8) -> usize {
        let end = self.judged_end(jitter_ms);
        let presses = self.keyed.presses.iter();
        let (protected, later): (Vec<_>, Vec<_>) =
            presses.partition(|press| (press.start as u64) < end);
        let mut grams: HashSet<Gram> = protected
            .into_iter()
            .flat_map(|press| self.grams(&self.keyed, press))
            .collect();
        for gram in later
            .into_iter()
            .flat_map(|press| self.grams(&self.keyed, press))
        {
            grams.remove(&gram);
        }
        pieces_in(&self.codes_to_agent(from, to), &grams)
    }

    /// Pieces of the agent's presses among the codes that reached the consumer.
    fn agent_pieces_heard(&self, from: Duration, to: Duration) -> usize {
        let presses = self.agent_keyed.presses.iter();
        let grams = presses
            .flat_map(|press| self.grams(&self.agent_keyed, press))
            .collect();
        // The agent's packet of the moment at which the mask is left may come after that.
        let to = to.saturating_sub(Duration::from_nanos(1));
        pieces_in(&codes_in(&self.scene.consumer_got, from, to), &grams)
    }

    /// The pieces of a press that are louder than hiss.
    fn grams(&self, keyed: &Keyed, press: &std::ops::Range<usize>) -> Vec<Gram> {
        let law = self.scene.consumer.law;
        let codes: Vec<u8> = keyed.signal[press.clone()]
            .iter()
            .map(|value| law.encode_sample(*value))
            .collect();
        let is_loud = |code: &u8| law.decode_byte(*code).unsigned_abs() > GRAM_PEAK_LEAST;
        let loud = codes.windows(GRAM).filter(|gram| gram.iter().any(is_loud));
        loud.map(|gram| gram.try_into().unwrap()).collect()
    }

    fn codes_to_agent(&self, from: Duration, to: Duration) -> Vec<u8> {
        codes_in(&self.scene.agent_got, from, to)
    }

    fn events_to_agent(&self, from: Duration, to: Duration) -> usize {
        let events = self
            .scene
            .agent_got
            .iter()
            .filter(|got| got.header.payload_type == EVENT_PAYLOAD_TYPE);
        // Those sent at arming itself end an event that ran.
        events.filter(|got| got.at > from && got.at <= to).count()
    }
}

fn pieces_in(codes: &[u8], grams: &HashSet<Gram>) -> usize {
    let known = |codes: &&[u8]| Gram::try_from(*codes).is_ok_and(|gram| grams.contains(&gram));
    codes.windows(GRAM).filter(known).count()
}

fn codes_in(got: &[Got], from: Duration, to: Duration) -> Vec<u8> {
    got.iter()
        .filter(|got| got.at > from && got.at <= to && got.header.payload_type == 0)
        .flat_map(|got| got.payload.iter().copied())
        .collect()
}

/// A short run, the same everywhere. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` make a longer or another one.
fn config() -> ProptestConfig {
    let from_outside = ProptestConfig::default();
    let is_given = |name: &str| std::env::var_os(name).is_some();
    ProptestConfig {
        cases: if is_given("PROPTEST_CASES") {
            from_outside.cases
        } else {
            96
        },
        rng_seed: if is_given("PROPTEST_RNG_SEED") {
            from_outside.rng_seed
        } else {
            RngSeed::Fixed(1)
        },
        failure_persistence: None,
        max_shrink_iters: 400,
        ..from_outside
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_of_a_press_is_heard_and_the_keys_are_the_models(call in call()) {
        let played = call.play(true);
        let answers = call.answers(&played);
        let got = played.scene.codes();
        prop_assert!(allows(&answers, &got), "{} keys for {:?}, {:?}", got.len(), answers, played.protection);
        if let Some(from) = played.protection.given {
            let to = played.protection.over.unwrap_or(Duration::MAX);
            prop_assert_eq!(played.pieces_heard(from, to, call.jitter_ms), 0);
            prop_assert_eq!(played.events_to_agent(from, to), 0);
            let codes = played.codes_to_agent(from, to);
            let heard: Vec<i16> = codes.iter().map(|code| played.scene.consumer.law.decode_byte(*code)).collect();
            prop_assert!(LooseDetector::scan(&heard).is_empty());
            prop_assert_eq!(played.agent_pieces_heard(from, to), 0);
        } else {
            prop_assert!(played.scene.codes().is_empty());
        }
        prop_assert_eq!(played.scene.relay.counters().outputs_dropped, 0);
    }
}

fn plain(seen: Seen) -> Call {
    let press = |code| Press {
        code,
        pause: 1_600,
        len: 800,
        seen,
        event_offset: 0,
        info_delay_ms: 20,
    };
    Call {
        presses: [4, 4, 1, 9].map(press).to_vec(),
        negotiated: true,
        span: 160,
        ptime: None,
        event_step: 160,
        audio_suspended: false,
        loss_percent: 0,
        jitter_ms: 0,
        doubled_percent: 0,
        rubbish: false,
        protect_at_ms: 400,
        protected_ms: 9_000,
        seed: 3,
    }
}

#[test]
fn the_check_hears_a_call_that_nobody_protects() {
    let audio = Seen {
        event: false,
        audio: true,
        info: false,
    };
    let played = plain(audio).play(false);
    assert!(played.pieces_heard(Duration::ZERO, Duration::MAX, 0) > 1_000);
    assert!(played.agent_pieces_heard(Duration::ZERO, Duration::MAX) > 1_000);
    let event = Seen {
        event: true,
        audio: false,
        info: false,
    };
    assert!(
        plain(event)
            .play(false)
            .events_to_agent(Duration::ZERO, Duration::MAX)
            >= 4 * 6
    );
}

#[test]
fn the_model_allows_the_keys_and_nothing_else() {
    for (event, audio, info) in [
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (true, true, true),
    ] {
        let call = plain(Seen { event, audio, info });
        let played = call.play(true);
        let answers = call.answers(&played);
        assert!(answers.iter().all(|(_, answer)| *answer == Answer::Counts));
        assert!(allows(&answers, &keys(&[4, 4, 1, 9])));
        for wrong in [
            [4, 4, 1, 8].as_slice(),
            &[4, 1, 9],
            &[4, 4, 4, 1, 9],
            &[4, 4, 1, 9, 9],
            &[4, 4, 9, 1],
            &[],
        ] {
            assert!(!allows(&answers, &keys(wrong)));
        }
        assert_eq!(played.scene.codes(), keys(&[4, 4, 1, 9]));
    }
}
