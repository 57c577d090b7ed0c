//! Keys that do not belong: stray, late, spilled, unreadable (SETTLED S8, S30).

use super::harness::*;
use crate::capture::session::Event;
use crate::capture::{CaptureState, Field, FieldError, WidgetKind};
use crate::view::FieldState;
use crate::widget::WidgetOptions;

fn card() -> Stage {
    let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
    stage.event(Event::Listen(Field::CardNumber));
    stage
}

#[test]
fn keys_while_no_field_listens_are_dropped_and_counted() {
    let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
    stage.keys("411#");
    assert_eq!(stage.view().stray_keys, 4);
    assert_eq!(stage.kept_in_all(), 0);
    stage.event(Event::Listen(Field::CardNumber));
    assert_eq!(stage.view().stray_keys, 4);
    stage.keys("4");
    assert_eq!(stage.view().stray_keys, 0);
    assert_eq!(stage.kept(Field::CardNumber), 1);
}

#[test]
fn keys_before_the_line_is_protected_are_dropped() {
    let mut stage = Stage::new(WidgetKind::CreditCardBasic);
    stage.keys("4111");
    assert_eq!(stage.kept_in_all(), 0);
    assert_eq!(stage.view().stray_keys, 4);
    stage.event(Event::Protected);
    assert_eq!(stage.field(Field::CardNumber).count, 0);
}

#[test]
fn keys_during_and_after_the_charge_are_dropped() {
    let mut stage = Stage::processing();
    let before = stage.kept_in_all();
    stage.keys("12#*");
    assert_eq!(stage.kept_in_all(), before);
    assert_eq!(stage.view().stray_keys, 0);
}

#[test]
fn a_pound_soon_after_an_automatic_end_is_dropped() {
    let mut stage = card();
    stage.keys(MASTERCARD);
    stage.wait_ms(2_800);
    stage.keys("#");
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Waiting);
    assert_eq!(stage.session.keying.late_pounds, 1);
    stage.keys("1230");
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Obtained);
}

#[test]
fn a_pound_on_an_empty_field_means_nothing() {
    let mut stage = card();
    stage.keys("##");
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Waiting);
    assert_eq!(stage.session.keying.late_pounds, 0);
    assert_eq!(stage.view().stray_keys, 0);
}

#[test]
fn a_pound_ends_a_field_that_was_keyed_within_the_three_seconds() {
    let mut stage = Stage::armed(WidgetKind::CheckAdvanced);
    stage.event(Event::Listen(Field::RoutingNumber));
    stage.keys("021000021");
    stage.wait_ms(600);
    stage.keys("12345#");
    assert_eq!(
        stage.field(Field::AccountNumber).state,
        FieldState::Obtained
    );
}

#[test]
fn digits_that_spill_over_an_automatic_end_fill_no_other_field() {
    let mut stage = card();
    stage.keys(MASTERCARD);
    stage.keys("4444444");
    assert_eq!(stage.kept(Field::Expiry), 0);
    assert_eq!(stage.view().stray_keys, 7);
    stage.wait_ms(500);
    stage.keys("1230");
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Obtained);
    assert_eq!(stage.view().stray_keys, 0);
}

#[test]
fn a_pound_says_that_the_spill_is_over() {
    let mut stage = card();
    stage.keys(MASTERCARD);
    stage.keys("#12");
    assert_eq!(stage.kept(Field::Expiry), 2);
}

#[test]
fn the_agent_who_clears_a_field_says_that_the_spill_is_over() {
    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.event(Event::Listen(Field::RoutingNumber));
    stage.keys("021000022");
    assert_eq!(stage.field(Field::RoutingNumber).state, FieldState::Invalid);
    stage.event(Event::Recapture(Field::RoutingNumber));
    stage.keys("021000021");
    assert_eq!(
        stage.field(Field::RoutingNumber).state,
        FieldState::Obtained
    );
}

#[test]
fn star_clears_the_field_being_keyed_and_no_other() {
    let mut stage = card();
    stage.keys("4111*");
    assert_eq!(stage.kept(Field::CardNumber), 0);
    let row = stage.field(Field::CardNumber);
    assert_eq!((row.state, row.attempt), (FieldState::Waiting, 1));
    stage.keys(MASTERCARD);
    stage.keys("*");
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    assert_eq!(stage.kept(Field::CardNumber), 16);
}

#[test]
fn star_and_pound_mean_nothing_when_they_are_switched_off() {
    let options = WidgetOptions {
        star_clears: false,
        pound_ends: false,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardAdvanced, options);
    stage.event(Event::Listen(Field::CardNumber));
    stage.keys("41*1#1");
    assert_eq!(stage.kept(Field::CardNumber), 4);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
}

#[test]
fn keys_that_cannot_be_read_void_the_field_without_an_attempt() {
    for event in [Event::TonesUnclear, Event::KeysLost] {
        let mut stage = card();
        stage.keys("4111");
        stage.event(event);
        let row = stage.field(Field::CardNumber);
        assert_eq!(row.error, Some(FieldError::TonesUnclear));
        assert_eq!(row.attempt, 1);
        assert_eq!(stage.kept(Field::CardNumber), 0);
        assert_eq!(stage.view().listening, Some(Field::CardNumber));
        stage.wait_ms(2_600);
        stage.keys(MASTERCARD);
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    }
}

#[test]
fn the_rest_of_a_value_with_an_unreadable_key_is_no_value() {
    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.event(Event::Listen(Field::AccountNumber));
    stage.keys("1234");
    stage.event(Event::TonesUnclear);
    stage.keys("678");
    stage.wait_ms(2_300);
    stage.keys("90123");
    assert_eq!(stage.kept(Field::AccountNumber), 0);
    assert_eq!(stage.view().stray_keys, 8);
    stage.wait(5);
    let row = stage.field(Field::AccountNumber);
    assert_eq!(row.error, Some(FieldError::TonesUnclear));
    stage.keys("12345678#");
    assert_eq!(
        stage.field(Field::AccountNumber).state,
        FieldState::Obtained
    );
}

#[test]
fn pound_ends_a_value_with_an_unreadable_key() {
    let mut stage = Stage::armed(WidgetKind::CheckBasic);
    stage.event(Event::Listen(Field::AccountNumber));
    stage.keys("1234");
    stage.event(Event::TonesUnclear);
    stage.keys("678#12345678#");
    assert_eq!(
        stage.field(Field::AccountNumber).state,
        FieldState::Obtained
    );
    assert_eq!(stage.kept(Field::AccountNumber), 8);
}

#[test]
fn unreadable_keys_while_no_field_listens_are_counted() {
    let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
    stage.event(Event::TonesUnclear);
    assert_eq!(stage.view().stray_keys, 1);
    assert_eq!(stage.state(), CaptureState::Armed);
}

#[test]
fn hold_stops_the_consumers_time_outs_and_takes_no_keys() {
    let mut stage = card();
    stage.keys("4111");
    stage.wait(5);
    stage.event(Event::CallHeld(true));
    stage.wait(100);
    stage.keys("9");
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
    assert_eq!(stage.kept(Field::CardNumber), 4);
    stage.event(Event::CallHeld(false));
    stage.wait_ms(4_999);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
    stage.wait_ms(1);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Slow);
}

#[test]
fn a_silent_line_ends_no_field() {
    let mut stage = Stage::armed(WidgetKind::CheckAdvanced);
    stage.event(Event::Listen(Field::AccountNumber));
    stage.keys("12345");
    stage.wait(3);
    stage.event(Event::LineSilent(true));
    stage.wait(60);
    assert_eq!(stage.field(Field::AccountNumber).state, FieldState::Keying);
    stage.event(Event::LineSilent(false));
    stage.wait(1);
    assert_eq!(
        stage.field(Field::AccountNumber).state,
        FieldState::Obtained
    );
}

#[test]
fn a_time_out_that_was_reached_comes_before_the_key() {
    let mut stage = card();
    stage.keys(VISA);
    stage.now += std::time::Duration::from_millis(2_600);
    stage.keys("1");
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    assert_eq!(
        stage.view().stray_keys,
        1,
        "the owner was late; the digit is spilled"
    );
}

/// A check whose account number is keyed twice, with the routing number obtained.
fn twice() -> Stage {
    let options = WidgetOptions {
        account_number_twice: true,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CheckAdvanced, options);
    stage.event(Event::Listen(Field::RoutingNumber));
    stage.keys("021000021");
    stage.wait_ms(600);
    stage
}

#[test]
fn an_account_number_keyed_twice_is_obtained_when_both_entries_are_the_same() {
    let mut stage = twice();
    stage.keys("0012345#");
    let first = stage.field(Field::AccountNumber);
    assert_eq!(first.state, FieldState::Waiting);
    assert!(first.second_entry);
    assert_eq!((first.count, first.attempt), (0, 1));
    assert_eq!(stage.state(), CaptureState::Collecting);
    stage.keys("0012345");
    stage.wait(4);
    let obtained = stage.field(Field::AccountNumber);
    assert_eq!(obtained.state, FieldState::Obtained);
    assert!(!obtained.second_entry);
    assert_eq!(stage.kept(Field::AccountNumber), 7);
    assert_eq!(stage.state(), CaptureState::Ready);
}

#[test]
fn two_entries_that_differ_use_up_an_attempt_and_begin_again() {
    let mut stage = twice();
    stage.keys("0012345#0012346#");
    let refused = stage.field(Field::AccountNumber);
    assert_eq!(refused.state, FieldState::Invalid);
    assert_eq!(refused.error, Some(FieldError::AccountMismatch));
    assert_eq!(refused.attempt, 2);
    assert_eq!(stage.kept(Field::AccountNumber), 0);
    stage.keys("0012345#");
    assert!(stage.field(Field::AccountNumber).second_entry);
    stage.keys("0012345#");
    assert_eq!(stage.state(), CaptureState::Ready);
}

#[test]
fn star_clears_the_second_entry_only_and_leaving_the_field_clears_both() {
    let mut stage = twice();
    stage.keys("0012345#00*");
    assert!(stage.field(Field::AccountNumber).second_entry);
    stage.keys("0012345#");
    assert_eq!(stage.state(), CaptureState::Ready);

    for left in [
        Event::Rest,
        Event::Recapture(Field::AccountNumber),
        Event::TonesUnclear,
        Event::Cancel,
    ] {
        let mut stage = twice();
        stage.keys("0012345#00");
        assert_eq!(stage.kept(Field::AccountNumber), 9);
        stage.event(left.clone());
        assert_eq!(stage.kept(Field::AccountNumber), 0, "{left:?}");
    }
}
