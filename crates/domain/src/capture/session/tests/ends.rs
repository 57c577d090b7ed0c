//! How fields end, with and without `#` (SETTLED S9).

use super::harness::*;
use crate::capture::session::Event;
use crate::capture::{Field, FieldError, WidgetKind};
use crate::view::FieldState;
use crate::widget::{ExpiryFormat, WidgetOptions};

fn listening(kind: WidgetKind, field: Field) -> Stage {
    let mut stage = Stage::armed(kind);
    stage.event(Event::Listen(field));
    stage
}

fn card() -> Stage {
    listening(WidgetKind::CreditCardAdvanced, Field::CardNumber)
}

fn code_of(number: &str) -> Stage {
    let mut stage = card();
    stage.keys(number);
    stage.keys("#");
    stage.wait(1);
    stage.event(Event::Listen(Field::SecurityCode));
    stage
}

/// Keys one by one; how many it took until the field was no longer being keyed.
fn keys_to_end(stage: &mut Stage, field: Field, keys: &str) -> Option<usize> {
    (1..=keys.len()).find(|count| {
        stage.keys(&keys[count - 1..*count]);
        stage.field(field).state != FieldState::Keying
    })
}

#[test]
fn amex_ends_at_15_and_mastercard_at_16() {
    for (number, digits) in [(AMEX, 15), (MASTERCARD, 16)] {
        let mut stage = card();
        assert_eq!(
            keys_to_end(&mut stage, Field::CardNumber, number),
            Some(digits)
        );
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
        let mut stage = card();
        stage.keys(number);
        stage.keys("#");
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
        assert_eq!(stage.view().listening, Some(Field::Expiry));
    }
}

#[test]
fn visa_and_discover_of_16_end_after_two_and_a_half_seconds() {
    for number in [VISA, "6011111111111117"] {
        let mut stage = card();
        stage.keys(number);
        stage.wait_ms(2_499);
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
        stage.wait_ms(1);
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    }
}

#[test]
fn visa_and_discover_of_16_end_at_once_on_pound() {
    for number in [VISA, "6011111111111117"] {
        let mut stage = card();
        stage.keys(number);
        stage.keys("#");
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    }
}

#[test]
fn nineteen_digits_end_at_once() {
    for number in ["4999999999999999993", "6599990000000000007"] {
        let mut stage = card();
        assert_eq!(keys_to_end(&mut stage, Field::CardNumber, number), Some(19));
        assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
        assert_eq!(stage.kept(Field::CardNumber), 19);
    }
}

#[test]
fn a_visa_of_13_ends_only_on_pound() {
    let mut stage = card();
    stage.keys("4222222222222");
    stage.wait(9);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
    stage.keys("#");
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
}

#[test]
fn sixteen_digits_with_a_wrong_check_digit_wait_for_more_and_are_judged_in_the_end() {
    let mut stage = card();
    stage.keys("4111111111111112");
    stage.wait(9);
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Keying);
    stage.wait(1);
    assert_eq!(stage.field(Field::CardNumber).error, Some(FieldError::Luhn));
    assert_eq!(stage.kept(Field::CardNumber), 0);
}

#[test]
fn a_short_number_is_refused_on_pound_with_its_count() {
    let mut stage = card();
    stage.keys("41111111#");
    assert_eq!(
        stage.field(Field::CardNumber).error,
        Some(FieldError::TooShort { arrived: 8 })
    );
    assert_eq!(stage.kept(Field::CardNumber), 0);
}

#[test]
fn unknown_and_unaccepted_brands_end_too() {
    let mut stage = card();
    stage.keys("9111111111111111");
    stage.wait_ms(2_500);
    assert_eq!(
        stage.field(Field::CardNumber).error,
        Some(FieldError::BrandUnknown)
    );
    let mut stage = card();
    stage.keys("3530111333300000#");
    assert_eq!(
        stage.field(Field::CardNumber).error,
        Some(FieldError::BrandUnknown)
    );
}

#[test]
fn an_expiry_ends_at_four_or_six_digits_as_the_widget_says() {
    let mut stage = listening(WidgetKind::CreditCardAdvanced, Field::Expiry);
    assert_eq!(keys_to_end(&mut stage, Field::Expiry, "1230"), Some(4));
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Obtained);

    let options = WidgetOptions {
        expiry_format: ExpiryFormat::Mmyyyy,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardAdvanced, options);
    assert_eq!(stage.field(Field::Expiry).expected, Some(6));
    stage.event(Event::Listen(Field::Expiry));
    assert_eq!(keys_to_end(&mut stage, Field::Expiry, "122030"), Some(6));
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Obtained);
    stage.event(Event::Recapture(Field::Expiry));
    stage.keys("1230#");
    assert_eq!(
        stage.field(Field::Expiry).error,
        Some(FieldError::ExpiryFormat)
    );
}

#[test]
fn an_expired_card_is_told_apart_from_a_slip() {
    let mut stage = listening(WidgetKind::CreditCardAdvanced, Field::Expiry);
    stage.keys("1026");
    assert_eq!(stage.field(Field::Expiry).error, Some(FieldError::Expired));
    stage.wait(1);
    stage.keys("13#");
    assert_eq!(
        stage.field(Field::Expiry).error,
        Some(FieldError::ExpiryFormat)
    );
    stage.keys("1126");
    assert_eq!(stage.field(Field::Expiry).state, FieldState::Obtained);
}

#[test]
fn a_security_code_ends_at_its_brands_length() {
    for (number, keys) in [(MASTERCARD, 3), (AMEX, 4), (VISA, 3)] {
        let mut stage = code_of(number);
        assert_eq!(
            stage.field(Field::SecurityCode).expected,
            Some(u8::try_from(keys).unwrap())
        );
        let ended = keys_to_end(&mut stage, Field::SecurityCode, "1234");
        assert_eq!(ended, Some(keys));
        assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    }
}

#[test]
fn a_short_security_code_is_refused_on_pound() {
    for (number, needed) in [(MASTERCARD, 3), (AMEX, 4)] {
        let mut stage = code_of(number);
        stage.keys("12#");
        assert_eq!(
            stage.field(Field::SecurityCode).error,
            Some(FieldError::CvvLength { needed })
        );
        assert_eq!(stage.kept(Field::SecurityCode), 0);
    }
}

#[test]
fn a_security_code_before_the_card_ends_on_pound_or_after_three_seconds() {
    for code in ["123", "1234"] {
        let mut stage = listening(WidgetKind::CreditCardAdvanced, Field::SecurityCode);
        stage.keys(code);
        stage.wait_ms(2_999);
        assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Keying);
        stage.wait_ms(1);
        assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);

        let mut stage = listening(WidgetKind::CreditCardAdvanced, Field::SecurityCode);
        stage.keys(code);
        stage.keys("#");
        assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    }
    let mut stage = listening(WidgetKind::CreditCardAdvanced, Field::SecurityCode);
    stage.keys("12345");
    stage.wait(3);
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Invalid);
}

#[test]
fn a_code_is_judged_again_when_the_card_turns_out_to_need_another_length() {
    let mut stage = listening(WidgetKind::CreditCardAdvanced, Field::SecurityCode);
    stage.keys("123#");
    stage.event(Event::Listen(Field::CardNumber));
    stage.keys(AMEX);
    let code = stage.field(Field::SecurityCode);
    assert_eq!(code.state, FieldState::Invalid);
    assert_eq!(code.error, Some(FieldError::CvvLength { needed: 4 }));
    assert_eq!(code.attempt, 1);
    assert_eq!(stage.kept(Field::SecurityCode), 0);
    assert_eq!(stage.kept(Field::CardNumber), 15);
}

#[test]
fn a_code_of_the_right_length_survives_another_card() {
    let mut stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    stage.event(Event::Recapture(Field::CardNumber));
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    stage.keys(VISA);
    stage.keys("#");
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    assert!(stage.view().missing.is_empty());
}

#[test]
fn a_routing_number_ends_at_nine() {
    let mut stage = listening(WidgetKind::CheckAdvanced, Field::RoutingNumber);
    let ended = keys_to_end(&mut stage, Field::RoutingNumber, "021000021");
    assert_eq!(ended, Some(9));
    assert_eq!(
        stage.field(Field::RoutingNumber).state,
        FieldState::Obtained
    );
    let mut stage = listening(WidgetKind::CheckAdvanced, Field::RoutingNumber);
    stage.keys("02100002#");
    assert_eq!(
        stage.field(Field::RoutingNumber).error,
        Some(FieldError::AbaChecksum)
    );
}

#[test]
fn an_account_number_ends_on_pound_or_after_four_seconds() {
    for digits in 4..=17 {
        let number = "0".repeat(digits);
        let mut stage = listening(WidgetKind::CheckAdvanced, Field::AccountNumber);
        stage.keys(&number);
        stage.wait_ms(3_999);
        assert_eq!(stage.field(Field::AccountNumber).state, FieldState::Keying);
        stage.wait_ms(1);
        assert_eq!(
            stage.field(Field::AccountNumber).state,
            FieldState::Obtained
        );
        assert_eq!(stage.kept(Field::AccountNumber), digits);

        let mut stage = listening(WidgetKind::CheckAdvanced, Field::AccountNumber);
        stage.keys(&number);
        stage.keys("#");
        assert_eq!(
            stage.field(Field::AccountNumber).state,
            FieldState::Obtained
        );
    }
}

#[test]
fn account_numbers_too_short_or_too_long_are_refused() {
    for number in ["123#", "123456789012345678#"] {
        let mut stage = listening(WidgetKind::CheckAdvanced, Field::AccountNumber);
        stage.keys(number);
        assert_eq!(
            stage.field(Field::AccountNumber).error,
            Some(FieldError::AccountLength)
        );
        assert_eq!(stage.kept(Field::AccountNumber), 0);
    }
    // A key that is held or a bot: the field ends when its memory is full.
    let mut stage = listening(WidgetKind::CheckAdvanced, Field::AccountNumber);
    stage.keys(&"1".repeat(40));
    assert_eq!(
        stage.field(Field::AccountNumber).error,
        Some(FieldError::AccountLength)
    );
    assert_eq!(stage.kept(Field::AccountNumber), 0);
}

#[test]
fn three_digits_of_an_account_number_wait_for_more() {
    let mut stage = listening(WidgetKind::CheckAdvanced, Field::AccountNumber);
    stage.keys("123");
    stage.wait(9);
    assert_eq!(stage.field(Field::AccountNumber).state, FieldState::Keying);
    stage.wait(1);
    assert_eq!(stage.field(Field::AccountNumber).state, FieldState::Slow);
    stage.keys("4#");
    assert_eq!(
        stage.field(Field::AccountNumber).state,
        FieldState::Obtained
    );
}

#[test]
fn the_expected_length_follows_the_brand_and_the_keys() {
    let mut stage = card();
    let expected = |stage: &Stage| stage.field(Field::CardNumber).expected;
    assert_eq!(expected(&stage), Some(16));
    stage.keys("37");
    assert_eq!(expected(&stage), Some(15));
    stage.keys("*55");
    assert_eq!(expected(&stage), Some(16));
    stage.keys("*49999999999999999");
    assert_eq!(expected(&stage), Some(19));
}
