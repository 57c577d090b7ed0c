//! Advanced, from the press of Process Payment on.

use super::harness::*;
use crate::capture::session::{Effect, Event};
use crate::capture::{CaptureState, Field, Ruling, WidgetKind};
use crate::gateway::NotSentReason;
use crate::payment::Outcome;
use crate::view::FieldState;
use crate::widget::WidgetOptions;

fn answered(outcome: Outcome) -> Event {
    Event::Answered(outcome, "Thank you".to_owned(), Some(200))
}

/// The charge took the digits and ended so.
fn ended(outcome: Outcome) -> Stage {
    let mut stage = Stage::processing();
    stage.slot.wipe_all();
    stage.event(Event::ChargeSent);
    stage.event(answered(outcome));
    stage
}

#[test]
fn a_card_is_captured_and_charged() {
    let mut stage = Stage::new(WidgetKind::CreditCardAdvanced);
    assert_eq!(stage.state(), CaptureState::Arming);
    assert!(stage.effects.contains(&Effect::Protect));
    assert_eq!(stage.field(Field::CardNumber).prompt, "");

    stage.event(Event::Protected);
    assert_eq!(stage.state(), CaptureState::Armed);
    assert!(
        stage
            .field(Field::CardNumber)
            .prompt
            .contains("card_number")
    );
    assert_eq!(stage.view().listening, None);

    stage.event(Event::Listen(Field::CardNumber));
    stage.keys("411111");
    assert_eq!(stage.state(), CaptureState::Collecting);
    assert_eq!(stage.field(Field::CardNumber).count, 6);
    stage.keys("1111111111#");
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    assert_eq!(stage.field(Field::CardNumber).count, 0);
    assert_eq!(stage.view().listening, Some(Field::Expiry));
    stage.keys("1230");
    stage.wait_ms(600);
    stage.keys("123");
    assert_eq!(stage.state(), CaptureState::Ready);
    assert!(stage.view().missing.is_empty());

    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
    assert!(stage.effects.contains(&Effect::Charge));
    stage.slot.wipe_all();
    stage.event(Event::ChargeSent);
    assert_eq!(stage.view().payment.unwrap().sent_at, Some(stage.clock()));
    stage.event(answered(Outcome::Approved));
    assert_eq!(stage.state(), CaptureState::Approved);
    assert_eq!(stage.kept_in_all(), 0);
    let last = stage.event(Event::Close);
    assert_eq!(last.last(), Some(&Effect::Closed));
    assert!(last.contains(&Effect::Unprotect));
}

#[test]
fn a_check_is_captured_and_charged() {
    let mut stage = Stage::ready(WidgetKind::CheckAdvanced);
    assert_eq!(stage.kept(Field::AccountNumber), 7);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
}

#[test]
fn nothing_is_charged_before_all_is_obtained() {
    let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
    stage.event(Event::Listen(Field::CardNumber));
    stage.keys(MASTERCARD);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Collecting);
    assert_eq!(stage.view().missing, [Field::Expiry, Field::SecurityCode]);
    assert!(!stage.effects.contains(&Effect::Charge));
}

#[test]
fn digits_that_are_not_where_they_should_be_are_not_charged() {
    let mut stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    stage.slot.wipe(Field::Expiry.slot_index());
    stage.process();
    assert!(!stage.effects.contains(&Effect::Charge));
    assert_eq!(stage.state(), CaptureState::Armed);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn a_double_press_charges_once() {
    let mut stage = Stage::processing();
    stage.process();
    let charges = stage.effects.iter().filter(|one| **one == Effect::Charge);
    assert_eq!(charges.count(), 1);
}

#[test]
fn every_outcome_wipes_what_was_captured() {
    for (outcome, state) in [
        (Outcome::Approved, CaptureState::Approved),
        (Outcome::Declined, CaptureState::Declined),
        (Outcome::Review, CaptureState::Review),
        (Outcome::Error, CaptureState::Error),
        (Outcome::Unknown, CaptureState::Unknown),
    ] {
        // Even when the owner left them there.
        let mut stage = Stage::processing();
        stage.event(answered(outcome));
        assert_eq!(stage.state(), state);
        assert_eq!(stage.kept_in_all(), 0, "{state:?}");
        assert_eq!(stage.view().payment.unwrap().outcome, Some(outcome));
    }
}

#[test]
fn a_charge_that_is_on_its_way_cannot_be_cancelled() {
    let mut stage = Stage::processing();
    for event in [Event::Cancel, Event::Close, Event::TryAgain] {
        assert_eq!(stage.session.ruling(stage.now, &event), Ruling::Refused);
        assert!(stage.event(event).is_empty());
    }
    assert_eq!(stage.state(), CaptureState::Processing);
}

#[test]
fn only_what_was_not_sent_keeps_its_digits_and_for_two_minutes() {
    let mut stage = Stage::processing();
    stage.event(Event::NotSent(NotSentReason::ConnectTimeout));
    assert_eq!(stage.state(), CaptureState::NotSent);
    assert_eq!(stage.view().reason.as_deref(), Some("connect_timeout"));
    assert_eq!(stage.kept_in_all(), 16 + 4 + 3);
    stage.wait_ms(119_999);
    assert_eq!(stage.kept_in_all(), 16 + 4 + 3);
    stage.wait_ms(1);
    assert_eq!(stage.kept_in_all(), 0);
    assert_eq!(stage.state(), CaptureState::NotSent);
    assert_eq!(stage.view().missing.len(), 3);
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Armed);
}

#[test]
fn trying_again_after_not_sent_needs_no_new_keys() {
    let mut stage = Stage::processing();
    stage.event(Event::NotSent(NotSentReason::Tls));
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
}

#[test]
fn the_two_minutes_run_on_after_trying_again() {
    let mut stage = Stage::processing();
    stage.event(Event::NotSent(NotSentReason::Tls));
    stage.wait(60);
    stage.event(Event::TryAgain);
    stage.wait_ms(59_999);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.wait_ms(1);
    assert_eq!(stage.state(), CaptureState::Armed);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn digits_that_did_not_come_back_are_keyed_again() {
    let mut stage = Stage::processing();
    stage.slot.wipe_all();
    stage.event(Event::NotSent(NotSentReason::Connect));
    assert_eq!(stage.view().missing.len(), 3);
    stage.process();
    assert_eq!(stage.state(), CaptureState::NotSent);
}

#[test]
fn another_card_after_declined_is_keyed_from_the_start() {
    let mut stage = ended(Outcome::Declined);
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Armed);
    assert_eq!(stage.view().missing.len(), 3);
    assert_eq!(stage.view().payment, None);
    assert_eq!(stage.field(Field::CardNumber).attempt, 1);
    stage.key_all();
    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
    assert_eq!(stage.view().process_left, 1);
}

#[test]
fn nobody_tries_again_after_approved_review_or_unknown() {
    for outcome in [Outcome::Approved, Outcome::Review, Outcome::Unknown] {
        let mut stage = ended(outcome);
        assert!(stage.event(Event::TryAgain).is_empty(), "{outcome:?}");
    }
    assert!(!ended(Outcome::Error).event(Event::TryAgain).is_empty());
}

#[test]
fn an_unknown_outcome_can_be_resolved() {
    let mut stage = ended(Outcome::Unknown);
    stage.event(answered(Outcome::Approved));
    assert_eq!(stage.state(), CaptureState::Approved);
    assert!(stage.event(answered(Outcome::Declined)).is_empty());
}

#[test]
fn presses_of_process_payment_are_limited() {
    let options = WidgetOptions {
        process_max: 2,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::processing_with(options);
    stage.event(answered(Outcome::Declined));
    stage.event(Event::TryAgain);
    stage.key_all();
    stage.process();
    stage.event(answered(Outcome::Declined));
    assert_eq!(stage.view().process_left, 0);
    assert!(stage.event(Event::TryAgain).is_empty());
    stage.event(Event::AttemptsReset);
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Armed);
}

#[test]
fn a_hang_up_during_the_charge_leaves_the_outcome_to_be_seen() {
    let mut stage = Stage::processing();
    stage.slot.wipe_all();
    stage.event(Event::CallEnded);
    assert_eq!(stage.state(), CaptureState::Processing);
    stage.event(answered(Outcome::Declined));
    assert_eq!(stage.state(), CaptureState::Declined);
    assert!(stage.event(Event::TryAgain).is_empty());
}

#[test]
fn not_sent_after_a_hang_up_keeps_nothing_unless_the_widget_says_so() {
    let mut stage = Stage::processing();
    stage.event(Event::CallEnded);
    stage.event(Event::NotSent(NotSentReason::Connect));
    assert_eq!(stage.kept_in_all(), 0);

    let options = WidgetOptions {
        process_after_hang_up: true,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::processing_with(options);
    stage.event(Event::NotSent(NotSentReason::Connect));
    stage.event(Event::CallEnded);
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.wait(30);
    assert_eq!(stage.state(), CaptureState::Lost);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn a_hang_up_with_all_obtained_discards_or_leaves_half_a_minute() {
    let mut stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    stage.event(Event::CallEnded);
    assert_eq!(stage.state(), CaptureState::Lost);
    assert_eq!(stage.view().reason.as_deref(), Some("call_ended"));
    assert_eq!(stage.kept_in_all(), 0);

    let options = WidgetOptions {
        process_after_hang_up: true,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::ready_with(WidgetKind::CreditCardAdvanced, options.clone());
    stage.event(Event::CallEnded);
    assert_eq!(stage.state(), CaptureState::Ready);
    assert!(stage.event(Event::Recapture(Field::Expiry)).is_empty());
    stage.wait_ms(29_999);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.wait_ms(1);
    assert_eq!(stage.state(), CaptureState::Lost);
    assert_eq!(stage.kept_in_all(), 0);

    let mut stage = Stage::ready_with(WidgetKind::CreditCardAdvanced, options);
    stage.event(Event::CallEnded);
    stage.wait(29);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
}
