//! Attempts and time-outs (options O8-O10, SETTLED S14).

use super::harness::*;
use crate::capture::session::{AttemptsUsed, Event};
use crate::capture::{CaptureState, Field, FieldError, Ruling, WidgetKind};
use crate::view::FieldState;
use crate::widget::WidgetOptions;

const WRONG: &str = "4111111111111112#";

fn card() -> Stage {
    let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
    stage.event(Event::Listen(Field::CardNumber));
    stage
}

#[test]
fn each_refusal_uses_an_attempt_and_the_last_one_locks() {
    let mut stage = card();
    for attempt in 2..=3 {
        stage.keys(WRONG);
        let row = stage.field(Field::CardNumber);
        assert_eq!((row.attempt, row.error), (attempt, Some(FieldError::Luhn)));
        assert_eq!(stage.kept_in_all(), 0);
    }
    stage.keys(WRONG);
    let row = stage.field(Field::CardNumber);
    assert_eq!(row.state, FieldState::Locked);
    assert_eq!(row.error, Some(FieldError::MaxAttempts));
    assert_eq!(stage.view().listening, None);
    assert_eq!(stage.kept_in_all(), 0);
    let again = Event::Recapture(Field::CardNumber);
    assert_eq!(stage.session.ruling(stage.now, &again), Ruling::Refused);
    stage.event(Event::Listen(Field::CardNumber));
    assert_eq!(stage.view().listening, None);
}

#[test]
fn a_supervisor_gives_attempts_back() {
    let mut stage = card();
    for _ in 0..3 {
        stage.keys(WRONG);
    }
    stage.event(Event::AttemptsReset);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Idle);
    assert_eq!(stage.session.attempts_used(), AttemptsUsed::default());
    stage.event(Event::Listen(Field::CardNumber));
    stage.keys(MASTERCARD);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
}

#[test]
fn attempts_count_on_in_the_next_session_of_the_call() {
    let mut first = card();
    first.keys(WRONG);
    first.keys(WRONG);
    first.event(Event::Cancel);
    let used = first.session.attempts_used();
    assert_eq!(used.field(Field::CardNumber), 2);

    let options = WidgetOptions::default();
    let kind = WidgetKind::CreditCardAdvanced;
    let mut second = Stage::after(widget(kind, options.clone()), Vec::new(), used);
    second.event(Event::Protected);
    assert_eq!(second.field(Field::CardNumber).attempt, 3);
    second.event(Event::Listen(Field::CardNumber));
    second.keys(WRONG);
    assert_eq!(second.field(Field::CardNumber).state, FieldState::Locked);

    let used = second.session.attempts_used();
    let third = Stage::after(widget(kind, options), Vec::new(), used);
    assert_eq!(third.field(Field::CardNumber).state, FieldState::Locked);
}

#[test]
fn the_first_field_that_is_not_locked_listens_in_basic() {
    let mut first = Stage::armed(WidgetKind::CreditCardBasic);
    for _ in 0..3 {
        first.keys(WRONG);
    }
    let used = first.session.attempts_used();
    let widget = widget(WidgetKind::CreditCardBasic, WidgetOptions::default());
    let mut second = Stage::after(widget, Vec::new(), used);
    second.event(Event::Protected);
    assert_eq!(second.view().listening, Some(Field::Expiry));
    assert_eq!(second.state(), CaptureState::Invalid);
}

#[test]
fn no_key_is_told_after_the_first_key_time_out_and_uses_no_attempt() {
    let mut stage = card();
    stage.wait_ms(59_999);
    assert_eq!(stage.field(Field::CardNumber).error, None);
    stage.wait_ms(1);
    let row = stage.field(Field::CardNumber);
    assert_eq!(row.error, Some(FieldError::NoInput));
    assert_eq!((row.state, row.attempt), (FieldState::Invalid, 1));
    assert_eq!(stage.view().listening, Some(Field::CardNumber));
    stage.keys(MASTERCARD);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
}

#[test]
fn a_pause_between_keys_is_told_and_keeps_what_was_keyed() {
    let mut stage = card();
    stage.keys("4111");
    stage.wait_ms(9_999);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
    stage.wait_ms(1);
    let row = stage.field(Field::CardNumber);
    assert_eq!((row.state, row.count), (FieldState::Slow, 4));
    stage.keys("1");
    let row = stage.field(Field::CardNumber);
    assert_eq!((row.state, row.count), (FieldState::Keying, 5));
}

#[test]
fn time_outs_are_those_of_the_widget() {
    let options = WidgetOptions {
        first_key_timeout_s: 10,
        inter_key_timeout_s: 3,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardAdvanced, options);
    stage.event(Event::Listen(Field::CardNumber));
    stage.wait(10);
    assert_eq!(
        stage.field(Field::CardNumber).error,
        Some(FieldError::NoInput)
    );
    stage.keys("4");
    stage.wait(3);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Slow);
}

#[test]
fn a_session_ends_at_its_limit_unless_it_is_kept_open() {
    let options = WidgetOptions {
        session_limit_min: 2,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::ready_with(WidgetKind::CreditCardAdvanced, options);
    let ends_at = stage.view().ends_at;
    assert_eq!(ends_at, CLOCK.plus_ms(120_000));
    stage.event(Event::KeepOpen);
    assert_eq!(stage.view().ends_at, ends_at, "too early");
    let passed = stage.clock().0 - CLOCK.0;
    stage.wait_ms(u64::try_from(60_000 - passed).unwrap());
    assert!(stage.view().may_keep_open);
    stage.event(Event::KeepOpen);
    assert!(!stage.view().may_keep_open);
    assert_eq!(stage.view().ends_at, CLOCK.plus_ms(180_000));
    stage.wait_ms(119_999);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.wait_ms(1);
    assert_eq!(stage.state(), CaptureState::Lost);
    assert_eq!(stage.view().reason.as_deref(), Some("time_limit"));
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn the_limit_waits_for_a_charge_on_its_way() {
    let mut stage = Stage::processing();
    stage.wait(1_200);
    assert_eq!(stage.state(), CaptureState::Processing);
}

#[test]
fn every_change_is_published_with_a_higher_revision() {
    use crate::capture::session::Effect;
    let mut stage = card();
    let before = stage.view().revision;
    let effects = stage.event(Event::Key(secret::Key::from_event(4).unwrap()));
    assert_eq!(effects, [Effect::Changed]);
    assert_eq!(stage.view().revision, before + 1);
    assert!(stage.event(Event::Timeout).is_empty());
    assert_eq!(stage.view().revision, before + 1);
}
