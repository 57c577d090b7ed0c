//! Another person may be on the line (S39).

use secret::Key;

use super::harness::*;
use crate::audit::AuditAction;
use crate::capture::session::{Effect, Event};
use crate::capture::{CaptureState, Field, FieldError, Ruling, WidgetKind};
use crate::gateway::NotSentReason;
use crate::view::FieldState;
use crate::widget::WidgetOptions;

/// Basic with its card number obtained and the expiry half keyed.
fn half_keyed() -> Stage {
    let mut stage = Stage::armed(WidgetKind::CreditCardBasic);
    stage.keys(MASTERCARD);
    stage.wait_ms(600);
    stage.keys("12");
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Keying);
    assert!(stage.field(Field::CardNumber).revealable);
    stage
}

fn audited(effects: &[Effect], action: AuditAction) -> bool {
    let is_it = |effect: &&Effect| matches!(effect, Effect::Audit(done, _) if *done == action);
    effects.iter().any(|effect| is_it(&effect))
}

#[test]
fn s39_the_capture_freezes_and_its_values_are_hidden() {
    let mut stage = half_keyed();
    let effects = stage.event(Event::PartyChanged);
    assert!(audited(&effects, AuditAction::PartyChanged));
    assert!(!effects.contains(&Effect::Unprotect) && stage.session.needs_mask());
    assert_eq!(stage.state(), CaptureState::Frozen);
    assert!(!stage.field(Field::CardNumber).revealable);
    assert_eq!(stage.kept(Field::CardNumber), 16);
    let another = Event::Listen(Field::SecurityCode);
    assert_eq!(stage.session.ruling(stage.now, &another), Ruling::Refused);
}

#[test]
fn s39_the_same_person_goes_on_where_it_was() {
    let mut stage = half_keyed();
    stage.event(Event::PartyChanged);
    stage.wait(15);
    let effects = stage.event(Event::SamePerson);
    assert!(audited(&effects, AuditAction::PartyAnswered));
    assert_eq!(stage.state(), CaptureState::Collecting);
    assert!(stage.field(Field::CardNumber).revealable);
    stage.keys("30");
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Obtained);
    stage.wait(25);
    assert_eq!(stage.state(), CaptureState::Collecting, "asked no more");
}

#[test]
fn s39_what_is_ready_is_ready_again_and_charged_only_then() {
    let mut stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    stage.event(Event::PartyChanged);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Frozen);
    stage.event(Event::SamePerson);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
}

#[test]
fn s39_keys_of_a_frozen_capture_are_no_digits() {
    let mut stage = half_keyed();
    stage.event(Event::PartyChanged);
    stage.keys("30");
    assert_eq!(stage.kept(Field::Expiry), 2);
    stage.event(Event::SamePerson);
    let expiry = stage.field(Field::Expiry);
    assert_eq!(expiry.error, Some(FieldError::TonesUnclear));
    assert_eq!((expiry.attempt, stage.kept(Field::Expiry)), (1, 0));
    assert_eq!(stage.kept(Field::CardNumber), 16);
}

#[test]
fn s39_somebody_else_ends_it_and_so_does_no_answer() {
    for reason in ["party_changed", "party_unanswered"] {
        let mut stage = half_keyed();
        stage.event(Event::PartyChanged);
        stage.wait_ms(19_999);
        assert_eq!(stage.state(), CaptureState::Frozen);
        if reason == "party_changed" {
            stage.event(Event::OtherPerson);
        }
        stage.wait_ms(1);
        assert_eq!(stage.state(), CaptureState::Lost);
        assert_eq!(stage.session.reason(), Some(reason));
        assert_eq!(stage.kept_in_all(), 0);
        assert!(stage.view().confirm_gone, "a value was seen");
        assert!(stage.event(Event::ConfirmGone).contains(&Effect::Unprotect));
    }
}

#[test]
fn s39_an_advanced_capture_lets_go_at_once() {
    let mut stage = Stage::ready(WidgetKind::CheckAdvanced);
    stage.event(Event::PartyChanged);
    let effects = stage.event(Event::OtherPerson);
    assert!(effects.contains(&Effect::Unprotect));
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn s39_a_second_change_does_not_put_the_end_off() {
    let mut stage = half_keyed();
    stage.event(Event::PartyChanged);
    stage.wait(10);
    stage.event(Event::PartyChanged);
    stage.wait(10);
    assert_eq!(stage.state(), CaptureState::Lost);
}

#[test]
fn s39_before_anything_can_be_keyed_nobody_is_asked() {
    let mut stage = Stage::new(WidgetKind::CreditCardBasic);
    stage.event(Event::PartyChanged);
    assert_eq!(stage.state(), CaptureState::Arming);
}

#[test]
fn s39_time_stands_still_for_the_consumer() {
    let options = WidgetOptions {
        first_key_timeout_s: 10,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardBasic, options);
    stage.event(Event::PartyChanged);
    stage.wait(15);
    stage.event(Event::SamePerson);
    stage.wait(9);
    assert_eq!(stage.field(Field::CardNumber).error, None);
    stage.wait(1);
    let error = stage.field(Field::CardNumber).error;
    assert_eq!(error, Some(FieldError::NoInput));
}

#[test]
fn s39_digits_of_a_charge_do_not_come_back_for_another_person() {
    let mut stage = Stage::processing();
    stage.event(Event::PartyChanged);
    assert_eq!(stage.state(), CaptureState::Processing);
    stage.event(Event::NotSent(NotSentReason::Connect));
    assert_eq!(stage.kept_in_all(), 0);
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Armed);

    let mut stage = Stage::processing();
    stage.event(Event::NotSent(NotSentReason::Connect));
    assert!(stage.kept_in_all() > 0);
    stage.event(Event::PartyChanged);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn s39_the_mute_of_keying_ends_so_that_the_agent_can_ask() {
    let options = WidgetOptions {
        mute_while_keying: true,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardBasic, options);
    assert!(stage.effects.contains(&Effect::Mute(true)));
    let effects = stage.event(Event::PartyChanged);
    assert!(effects.contains(&Effect::Mute(false)));
    let effects = stage.event(Event::Key(Key::Star));
    assert!(!effects.contains(&Effect::Mute(true)));
    assert!(stage.event(Event::SamePerson).contains(&Effect::Mute(true)));
}
