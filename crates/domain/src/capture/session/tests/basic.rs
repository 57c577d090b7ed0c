//! Basic: what the agent may see, and for how long (SETTLED S9, S11, S12).

use super::harness::*;
use crate::capture::session::{Effect, Event};
use crate::capture::{CaptureState, Field, FieldError, Ruling, WidgetKind};
use crate::service::{SinkHearing, SinkMedium};
use crate::view::FieldState;
use crate::widget::WidgetOptions;

fn ready(options: WidgetOptions) -> Stage {
    Stage::ready_with(WidgetKind::CreditCardBasic, options)
}

fn with_sink(kind: WidgetKind) -> Stage {
    let recorder = sink("nice", SinkMedium::Call, SinkHearing::Unmasked);
    let mut stage = Stage::with(kind, WidgetOptions::default(), vec![recorder.clone()]);
    stage.event(Event::Protected);
    stage.event(Event::SinkPaused(recorder.id));
    assert_eq!(stage.state(), CaptureState::Armed);
    stage
}

fn resumed(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::ResumeSink(_)))
}

#[test]
fn the_first_row_listens_as_soon_as_the_line_is_protected() {
    let stage = Stage::armed(WidgetKind::CreditCardBasic);
    assert_eq!(stage.view().listening, Some(Field::CardNumber));
    let stage = Stage::armed(WidgetKind::CheckBasic);
    assert_eq!(stage.view().listening, Some(Field::RoutingNumber));
}

#[test]
fn obtained_values_can_be_shown_and_nothing_else() {
    let mut stage = Stage::armed(WidgetKind::CreditCardBasic);
    stage.keys("5555");
    assert!(!stage.field(Field::CardNumber).revealable);
    stage.keys("555555554444");
    assert!(stage.field(Field::CardNumber).revealable);
    assert!(!stage.field(Field::Expiry).revealable);
    let advanced = Stage::ready(WidgetKind::CreditCardAdvanced);
    assert!(advanced.view().fields.iter().all(|row| !row.revealable));
}

#[test]
fn a_value_is_gone_after_its_time_and_stays_obtained() {
    let options = WidgetOptions {
        hide_after_s: 10,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardBasic, options);
    stage.keys(MASTERCARD);
    stage.wait_ms(9_999);
    assert!(stage.session.may_reveal(Field::CardNumber, stage.now));
    stage.wait_ms(1);
    assert!(!stage.session.may_reveal(Field::CardNumber, stage.now));
    assert_eq!(stage.kept(Field::CardNumber), 0);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    stage.event(Event::Recapture(Field::CardNumber));
    stage.keys(MASTERCARD);
    assert!(stage.session.may_reveal(Field::CardNumber, stage.now));
}

#[test]
fn a_hidden_card_still_decides_the_length_of_its_code() {
    let mut stage = Stage::armed(WidgetKind::CreditCardBasic);
    stage.keys(AMEX);
    stage.wait(61);
    stage.event(Event::Listen(Field::SecurityCode));
    stage.keys("1234");
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
}

#[test]
fn a_code_that_is_not_shown_is_destroyed_at_once() {
    let stage = ready(WidgetOptions::default());
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    assert_eq!(stage.kept(Field::SecurityCode), 0);
    assert!(!stage.field(Field::SecurityCode).revealable);
}

#[test]
fn a_code_can_be_shown_for_half_a_minute_in_all() {
    let options = WidgetOptions {
        reveal_security_code: true,
        hide_after_s: 120,
        ..WidgetOptions::default()
    };
    let mut stage = ready(options);
    stage.wait(60);
    assert!(stage.session.may_reveal(Field::SecurityCode, stage.now));
    let now = stage.now;
    stage.session.note_shown(Field::SecurityCode, now);
    stage.wait(20);
    let now = stage.now;
    stage.session.note_shown(Field::SecurityCode, now);
    stage.wait_ms(9_999);
    assert!(stage.session.may_reveal(Field::SecurityCode, stage.now));
    stage.wait_ms(1);
    assert!(!stage.session.may_reveal(Field::SecurityCode, stage.now));
    assert_eq!(stage.kept(Field::SecurityCode), 0);
    assert!(stage.session.may_reveal(Field::CardNumber, stage.now));
}

#[test]
fn a_code_that_is_keyed_again_is_not_shown_for_longer() {
    let options = WidgetOptions {
        reveal_security_code: true,
        hide_after_s: 120,
        ..WidgetOptions::default()
    };
    let mut stage = ready(options);
    let now = stage.now;
    stage.session.note_shown(Field::SecurityCode, now);
    stage.wait(20);
    stage.event(Event::Recapture(Field::SecurityCode));
    stage.keys("737");
    assert!(stage.session.may_reveal(Field::SecurityCode, stage.now));
    stage.wait(10);
    assert!(!stage.session.may_reveal(Field::SecurityCode, stage.now));
    assert_eq!(stage.kept(Field::SecurityCode), 0);
    stage.event(Event::Recapture(Field::SecurityCode));
    stage.keys("737");
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    assert_eq!(stage.kept(Field::SecurityCode), 0);
    assert!(!stage.session.may_reveal(Field::SecurityCode, stage.now));
}

#[test]
fn any_nine_digits_of_a_routing_number_are_reflected_and_only_a_valid_one_is_obtained() {
    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.keys("123456789");
    let row = stage.field(Field::RoutingNumber);
    assert_eq!(row.state, FieldState::Invalid);
    assert_eq!(row.error, Some(FieldError::AbaChecksum));
    assert!(row.revealable);
    assert_eq!(row.attempt, 2);
    assert_eq!(stage.kept(Field::RoutingNumber), 9);
    assert_eq!(stage.view().listening, Some(Field::RoutingNumber));
    stage.wait(1);
    stage.keys("0");
    assert_eq!(stage.kept(Field::RoutingNumber), 1);
    assert!(!stage.field(Field::RoutingNumber).revealable);
    stage.keys("21000021");
    assert!(stage.field(Field::RoutingNumber).revealable);
    assert_eq!(
        stage.field(Field::RoutingNumber).state,
        FieldState::Obtained
    );
}

#[test]
fn a_reflected_routing_number_is_wiped_when_its_row_is_left_or_its_time_is_over() {
    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.keys("123456789");
    stage.event(Event::Listen(Field::AccountNumber));
    assert_eq!(stage.kept_in_all(), 0);
    assert!(!stage.field(Field::RoutingNumber).revealable);

    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.keys("123456789");
    stage.wait(60);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn a_short_routing_number_is_not_reflected() {
    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.keys("1234#");
    assert!(!stage.field(Field::RoutingNumber).revealable);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn done_wipes_first_and_recorders_wait_for_the_agents_word() {
    let mut stage = with_sink(WidgetKind::CreditCardBasic);
    assert_eq!(
        stage.session.ruling(stage.now, &Event::Done),
        Ruling::Refused
    );
    stage.keys(MASTERCARD);
    let effects = stage.event(Event::Done);
    assert_eq!(stage.state(), CaptureState::Done);
    assert_eq!(stage.kept_in_all(), 0);
    assert!(!resumed(&effects));
    assert!(stage.view().confirm_gone);
    let close = stage.session.ruling(stage.now, &Event::Close);
    assert_eq!(close, Ruling::Refused);

    let effects = stage.event(Event::ConfirmGone);
    assert!(resumed(&effects) && effects.contains(&Effect::Unprotect));
    assert!(!stage.view().confirm_gone);
    let effects = stage.event(Event::Close);
    assert_eq!(effects.last(), Some(&Effect::Closed));
}

#[test]
fn an_unanswered_question_keeps_recorders_paused_and_alarms_once() {
    let mut stage = with_sink(WidgetKind::CheckBasic);
    stage.keys("021000021");
    stage.event(Event::Done);
    stage.effects.clear();
    stage.wait_ms(59_999);
    assert!(stage.effects.is_empty());
    stage.wait(600);
    let alarm = Effect::Alarm("confirm_gone_unanswered");
    let alarms = stage.effects.iter().filter(|one| **one == alarm);
    assert_eq!(alarms.count(), 1);
    assert!(!resumed(&stage.effects));
    assert!(resumed(&stage.event(Event::ConfirmGone)));
}

#[test]
fn a_hang_up_wipes_at_once_and_asks_if_anything_could_be_seen() {
    let mut stage = with_sink(WidgetKind::CreditCardBasic);
    stage.keys(MASTERCARD);
    let effects = stage.event(Event::CallEnded);
    assert_eq!(stage.state(), CaptureState::Lost);
    assert_eq!(stage.kept_in_all(), 0);
    assert!(!resumed(&effects) && stage.view().confirm_gone);
    assert!(resumed(&stage.event(Event::ConfirmGone)));

    let mut stage = with_sink(WidgetKind::CreditCardBasic);
    stage.keys("5555");
    let effects = stage.event(Event::CallEnded);
    assert_eq!(stage.kept_in_all(), 0);
    assert!(resumed(&effects) && !stage.view().confirm_gone);
}

#[test]
fn cancel_wipes_resumes_and_takes_the_screen_away() {
    let mut stage = with_sink(WidgetKind::CreditCardBasic);
    stage.keys(MASTERCARD);
    stage.keys("12");
    let effects = stage.event(Event::Cancel);
    assert_eq!(stage.state(), CaptureState::Cancelled);
    assert_eq!(stage.kept_in_all(), 0);
    assert!(resumed(&effects));
    assert_eq!(effects.last(), Some(&Effect::Closed));
    assert!(stage.event(Event::Close).is_empty());
}

#[test]
fn the_time_limit_wipes_and_resumes_by_itself() {
    let mut stage = with_sink(WidgetKind::CreditCardBasic);
    stage.keys(MASTERCARD);
    stage.effects.clear();
    stage.wait(600);
    assert_eq!(stage.state(), CaptureState::Lost);
    assert_eq!(stage.view().reason.as_deref(), Some("time_limit"));
    assert_eq!(stage.kept_in_all(), 0);
    assert!(resumed(&stage.effects));
}

#[test]
fn basic_has_nothing_to_process() {
    let mut stage = ready(WidgetOptions::default());
    assert_eq!(stage.view().process_left, 0);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Ready);
}
