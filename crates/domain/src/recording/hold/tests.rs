//! A recorder whose every answer the test chooses, in virtual time.

use super::RecorderRequest::{Pause, Resume, State as Ask};
use super::RecorderWord::{Nothing, Paused, Recording, Refused, Taken, Unknown};
use super::*;

const LONGEST: Duration = Duration::from_secs(600);

struct Scene {
    hold: Hold,
    now: Instant,
}

impl Scene {
    fn pausing() -> Self {
        let now = Instant::now();
        let hold = Hold::pause(now, LONGEST);
        let mut scene = Self { hold, now };
        assert_eq!(scene.outputs(), [HoldOutput::Ask(Pause)]);
        scene
    }

    fn held() -> Self {
        let mut scene = Self::pausing();
        assert_eq!(scene.says(Taken), [HoldOutput::Ask(Ask)]);
        assert_eq!(scene.says(Paused), [HoldOutput::Paused]);
        scene
    }

    fn outputs(&mut self) -> Vec<HoldOutput> {
        std::iter::from_fn(|| self.hold.poll_output()).collect()
    }

    fn says(&mut self, word: RecorderWord) -> Vec<HoldOutput> {
        self.hold.handle_word(self.now, word);
        self.outputs()
    }

    /// Goes to the next time-out.
    fn waits(&mut self) -> Vec<HoldOutput> {
        self.now = self.hold.next_timeout().unwrap();
        self.hold.handle_timeout(self.now);
        self.outputs()
    }

    fn resumes(&mut self) -> Vec<HoldOutput> {
        self.hold.resume(self.now);
        self.outputs()
    }
}

#[test]
fn only_the_state_that_the_recorder_tells_confirms_a_pause() {
    let mut scene = Scene::pausing();
    assert_eq!(scene.says(Taken), [HoldOutput::Ask(Ask)]);
    assert!(!scene.hold.is_held());
    assert_eq!(scene.says(Recording), []);
    assert_eq!(scene.waits(), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Paused), [HoldOutput::Paused]);
    assert!(scene.hold.is_held());
}

#[test]
fn a_recorder_that_takes_the_pause_and_records_on_is_refused_in_time_and_let_go_on() {
    let mut scene = Scene::pausing();
    let began = scene.now;
    scene.says(Taken);
    let refused = loop {
        scene.says(Recording);
        let outputs = scene.waits();
        if outputs != [HoldOutput::Ask(Ask)] {
            break outputs;
        }
    };
    assert_eq!(
        refused,
        [HoldOutput::Refused(NOT_PAUSED), HoldOutput::Ask(Resume)]
    );
    assert_eq!(scene.now - began, PAUSE_MAX);
    assert_eq!(scene.says(Taken), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Recording), [HoldOutput::Resumed]);
    assert!(scene.hold.is_over());
}

#[test]
fn refusals_are_named_and_followed_by_a_resume() {
    for (word, code) in [
        (Refused, SAID_NO),
        (Nothing, NO_ANSWER),
        (Unknown, UNKNOWN_CALL),
    ] {
        let mut scene = Scene::pausing();
        assert_eq!(
            scene.says(word),
            [HoldOutput::Refused(code), HoldOutput::Ask(Resume)]
        );
    }
}

#[test]
fn a_pause_without_an_answer_is_waited_for_before_the_resume_goes_out() {
    let mut scene = Scene::pausing();
    assert_eq!(scene.waits(), [HoldOutput::Refused(NO_ANSWER)]);
    assert_eq!(scene.says(Nothing), [HoldOutput::Ask(Resume)]);
    assert_eq!(scene.says(Taken), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Recording), [HoldOutput::Resumed]);
    assert!(!scene.hold.is_over(), "it may yet be carried out");
    assert_eq!(scene.waits(), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Paused), [HoldOutput::Ask(Resume)]);
    assert_eq!(scene.says(Taken), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Recording), [HoldOutput::Resumed]);
    assert!(scene.hold.is_over());
}

#[test]
fn a_late_pause_is_looked_for_only_so_long() {
    let mut scene = Scene::pausing();
    scene.says(Nothing);
    scene.says(Taken);
    scene.says(Recording);
    let began = scene.now;
    while !scene.hold.is_over() {
        assert_eq!(scene.waits(), [HoldOutput::Ask(Ask)]);
        assert_eq!(scene.says(Recording), []);
    }
    assert_eq!(scene.now - began, LATE_MAX);
}

#[test]
fn silence_stays_paused_and_alarms_once() {
    let mut scene = Scene::held();
    let mut outputs = Vec::new();
    for word in [Nothing, Unknown, Refused, Nothing, Nothing, Nothing] {
        assert_eq!(scene.waits(), [HoldOutput::Ask(Ask)]);
        outputs.extend(scene.says(word));
    }
    assert_eq!(outputs, [HoldOutput::Silent]);
    assert!(scene.hold.is_held());
}

#[test]
fn a_paused_recorder_that_says_it_records_breaks_the_hold() {
    let mut scene = Scene::held();
    scene.waits();
    assert_eq!(
        scene.says(Recording),
        [HoldOutput::Broken(RECORDS), HoldOutput::Ask(Resume)]
    );
}

#[test]
fn a_pause_that_lasts_too_long_is_told_and_kept_until_it_is_let_go_on() {
    let mut scene = Scene::held();
    let began = scene.now;
    let told = loop {
        match scene.waits()[..] {
            [HoldOutput::Ask(Ask)] => assert_eq!(scene.says(Paused), []),
            [told] => break told,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(told, HoldOutput::Broken(TOO_LONG));
    assert_eq!(scene.now - began, LONGEST);
    assert_eq!(
        scene.hold.next_timeout(),
        None,
        "what it hears is not wiped yet"
    );
    assert_eq!(scene.resumes(), [HoldOutput::Ask(Resume)]);
}

#[test]
fn a_resume_is_tried_again_until_the_recorder_says_that_it_records() {
    let mut scene = Scene::held();
    assert_eq!(scene.resumes(), [HoldOutput::Ask(Resume)]);
    assert_eq!(scene.says(Refused), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Paused), [HoldOutput::NotResumed(NOT_RESUMED)]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let before = scene.now;
        assert_eq!(scene.waits(), [HoldOutput::Ask(Resume)]);
        waits.push(scene.now - before);
        assert_eq!(scene.says(Nothing), [HoldOutput::Ask(Ask)]);
        assert_eq!(scene.says(Nothing), []);
    }
    assert_eq!(waits[..3], [500, 1_000, 2_000].map(Duration::from_millis));
    assert_eq!(waits[7], RETRY_MAX);
    scene.waits();
    scene.says(Taken);
    assert_eq!(scene.says(Recording), [HoldOutput::Resumed]);
    assert!(scene.hold.is_over());
}

#[test]
fn what_cannot_be_resumed_in_an_hour_is_left_to_a_person() {
    let mut scene = Scene::held();
    let began = scene.now;
    scene.resumes();
    let last = loop {
        scene.says(Nothing);
        scene.says(Paused);
        let outputs = scene.waits();
        if outputs != [HoldOutput::Ask(Resume)] {
            break outputs;
        }
    };
    assert_eq!(last, [HoldOutput::LeftPaused]);
    assert!(scene.now - began >= RESUME_MAX && scene.now - began < RESUME_MAX + RETRY_MAX);
    assert!(scene.hold.is_over());
}

#[test]
fn a_hold_of_an_earlier_life_is_let_go_on_and_a_call_that_is_gone_needs_nothing() {
    let now = Instant::now();
    let hold = Hold::left_over(now);
    let mut scene = Scene { hold, now };
    assert_eq!(scene.outputs(), [HoldOutput::Ask(Resume)]);
    assert_eq!(scene.says(Unknown), [HoldOutput::Resumed]);
}

#[test]
fn a_pause_that_is_asked_for_while_it_is_let_go_on_comes_after() {
    let mut scene = Scene::held();
    scene.resumes();
    scene.hold.pause_again(scene.now);
    assert_eq!(scene.outputs(), [], "one request at a time");
    assert_eq!(scene.says(Taken), [HoldOutput::Ask(Pause)]);
    assert_eq!(scene.says(Taken), [HoldOutput::Ask(Ask)]);
    assert_eq!(scene.says(Paused), [HoldOutput::Paused]);
    scene.hold.pause_again(scene.now);
    assert_eq!(scene.outputs(), [HoldOutput::Paused]);
}
