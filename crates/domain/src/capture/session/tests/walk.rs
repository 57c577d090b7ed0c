//! Which field listens (SETTLED S8), and what re-capture and "Not available" do.

use super::harness::*;
use crate::audit::AuditAction;
use crate::capture::session::{Effect, Event};
use crate::capture::{CaptureState, Field, Ruling, WidgetKind};
use crate::view::FieldState;
use crate::widget::{SecurityCodeRule, WidgetOptions};

fn with(options: WidgetOptions) -> Stage {
    let mut stage = Stage::armed_with(WidgetKind::CreditCardAdvanced, options);
    stage.event(Event::Listen(Field::CardNumber));
    stage
}

fn card() -> Stage {
    with(WidgetOptions::default())
}

#[test]
fn the_next_empty_field_listens_by_itself() {
    let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
    stage.event(Event::Listen(Field::Expiry));
    stage.keys("1230");
    assert_eq!(stage.view().listening, Some(Field::SecurityCode));
    stage.wait(1);
    stage.keys("123#");
    assert_eq!(stage.view().listening, Some(Field::CardNumber));
    stage.keys(MASTERCARD);
    assert_eq!(stage.view().listening, None);
    assert_eq!(stage.state(), CaptureState::Ready);
}

#[test]
fn next_right_after_an_automatic_move_is_ignored() {
    let mut stage = card();
    stage.keys(MASTERCARD);
    let next = Event::Listen(Field::SecurityCode);
    assert_eq!(stage.session.ruling(stage.now, &next), Ruling::Ignored);
    stage.event(next.clone());
    assert_eq!(stage.view().listening, Some(Field::Expiry));
    stage.event(Event::Listen(Field::Expiry));
    assert_eq!(stage.view().listening, Some(Field::Expiry));
    stage.wait(1);
    stage.event(next);
    assert_eq!(stage.view().listening, Some(Field::SecurityCode));
}

#[test]
fn back_right_after_an_automatic_move_is_taken() {
    let mut stage = card();
    stage.keys(MASTERCARD);
    stage.event(Event::Listen(Field::CardNumber));
    assert_eq!(
        stage.view().listening,
        None,
        "an obtained field is not overwritten"
    );
    assert_eq!(stage.field(Field::CardNumber).state, FieldState::Obtained);
    stage.keys("9");
    assert_eq!(stage.kept(Field::CardNumber), 16);
    assert_eq!(stage.view().stray_keys, 1);
}

#[test]
fn leaving_a_half_keyed_field_wipes_it_and_uses_no_attempt() {
    for leave in [Event::Listen(Field::Expiry), Event::Rest] {
        let mut stage = card();
        stage.keys("4111");
        stage.event(leave);
        let row = stage.field(Field::CardNumber);
        assert_eq!((row.state, row.attempt), (FieldState::Idle, 1));
        assert_eq!(stage.kept_in_all(), 0);
    }
}

#[test]
fn recapture_wipes_at_once_counts_an_attempt_and_leaves_the_others() {
    let mut stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    stage.event(Event::Recapture(Field::CardNumber));
    let row = stage.field(Field::CardNumber);
    assert_eq!((row.state, row.attempt), (FieldState::Waiting, 2));
    assert_eq!(stage.kept(Field::CardNumber), 0);
    assert_eq!(stage.kept(Field::Expiry), 4);
    assert_eq!(stage.state(), CaptureState::Collecting);
    assert_eq!(stage.view().missing, [Field::CardNumber]);
}

#[test]
fn the_last_attempt_cannot_be_captured_again() {
    let mut stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    for _ in 0..2 {
        stage.event(Event::Recapture(Field::CardNumber));
        stage.keys(MASTERCARD);
    }
    assert_eq!(stage.field(Field::CardNumber).attempt, 3);
    let again = Event::Recapture(Field::CardNumber);
    assert_eq!(stage.session.ruling(stage.now, &again), Ruling::Refused);
    stage.event(again);
    assert_eq!(stage.kept(Field::CardNumber), 16);
}

#[test]
fn clearing_the_field_being_keyed_counts_no_attempt() {
    let mut stage = card();
    stage.keys("4111");
    stage.event(Event::Recapture(Field::CardNumber));
    let row = stage.field(Field::CardNumber);
    assert_eq!((row.state, row.attempt), (FieldState::Waiting, 1));
    assert_eq!(stage.kept_in_all(), 0);
    assert_eq!(stage.view().listening, Some(Field::CardNumber));
}

#[test]
fn a_refused_field_can_be_keyed_at_once_or_captured_again() {
    for again in [None, Some(Event::Recapture(Field::CardNumber))] {
        let mut stage = card();
        stage.keys("4111111111111112#");
        assert_eq!(stage.state(), CaptureState::Invalid);
        if let Some(event) = again {
            stage.event(event);
            assert_eq!(stage.field(Field::CardNumber).error, None);
        }
        stage.keys("5");
        let row = stage.field(Field::CardNumber);
        assert_eq!((row.state, row.attempt), (FieldState::Keying, 2));
        assert_eq!(row.error, None);
    }
}

#[test]
fn a_code_that_is_not_available_is_not_missing() {
    let options = WidgetOptions {
        security_code: SecurityCodeRule::Optional,
        ..WidgetOptions::default()
    };
    let mut stage = with(options);
    assert!(stage.view().widget.security_code_optional);
    stage.keys(MASTERCARD);
    stage.wait(1);
    stage.keys("1230");
    stage.wait(1);
    stage.keys("12");
    stage.event(Event::NotAvailable(Field::SecurityCode));
    assert_eq!(
        stage.field(Field::SecurityCode).state,
        FieldState::NotAvailable
    );
    assert_eq!(stage.kept(Field::SecurityCode), 0);
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.event(Event::Recapture(Field::SecurityCode));
    stage.keys("123");
    assert_eq!(stage.field(Field::SecurityCode).state, FieldState::Obtained);
    stage.process();
    assert_eq!(stage.state(), CaptureState::Processing);
}

#[test]
fn nothing_but_an_optional_code_can_be_not_available() {
    let optional = WidgetOptions {
        security_code: SecurityCodeRule::Optional,
        ..WidgetOptions::default()
    };
    let stage = with(optional);
    for (stage, field) in [
        (&stage, Field::CardNumber),
        (&stage, Field::AccountNumber),
        (&card(), Field::SecurityCode),
    ] {
        let event = Event::NotAvailable(field);
        assert_eq!(stage.session.ruling(stage.now, &event), Ruling::Refused);
    }
}

#[test]
fn a_code_that_is_not_captured_has_no_row() {
    let options = WidgetOptions {
        security_code: SecurityCodeRule::NotCaptured,
        ..WidgetOptions::default()
    };
    let mut stage = with(options);
    assert_eq!(stage.view().fields.len(), 2);
    stage.keys(MASTERCARD);
    stage.wait(1);
    stage.keys("1230");
    assert_eq!(stage.state(), CaptureState::Ready);
    let event = Event::Listen(Field::SecurityCode);
    assert_eq!(stage.session.ruling(stage.now, &event), Ruling::Refused);
}

#[test]
fn the_consumer_is_muted_while_a_field_listens() {
    let options = WidgetOptions {
        mute_while_keying: true,
        ..WidgetOptions::default()
    };
    let mut stage = Stage::armed_with(WidgetKind::CreditCardAdvanced, options);
    let muted = |effects: &[Effect]| {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Mute(on) => Some(*on),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let effects = stage.event(Event::Listen(Field::CardNumber));
    assert_eq!(muted(&effects), [true]);
    let effects = stage.event(Event::Rest);
    assert_eq!(muted(&effects), [false]);
    stage.effects.clear();
    stage.key_all();
    assert_eq!(muted(&stage.effects), [true, false]);
    stage.effects.clear();
    stage.event(Event::Recapture(Field::Expiry));
    stage.event(Event::Cancel);
    assert_eq!(muted(&stage.effects), [true, false]);
}

#[test]
fn brand_and_last_four_show_only_when_the_widget_says_so() {
    let stage = Stage::ready(WidgetKind::CreditCardAdvanced);
    let row = stage.field(Field::CardNumber);
    assert_eq!((row.brand, row.last_four), (None, None));
    let options = WidgetOptions {
        show_brand_and_last_four: true,
        ..WidgetOptions::default()
    };
    let stage = Stage::ready_with(WidgetKind::CreditCardAdvanced, options);
    let row = stage.field(Field::CardNumber);
    assert_eq!(row.brand, Some(crate::capture::Brand::Mastercard));
    assert_eq!(row.last_four.as_deref(), Some("4444"));
    assert_eq!(stage.field(Field::Expiry).last_four, None);
}

/// What a customer who speaks the number brings about: mutes, and marks for the recordings.
fn spoken(effects: &[Effect]) -> (Vec<bool>, usize) {
    let mutes = effects.iter().filter_map(|effect| match effect {
        Effect::Mute(on) => Some(*on),
        _ => None,
    });
    let marks = effects.iter().filter(|effect| {
        matches!(effect, Effect::Audit(AuditAction::CustomerSpeaking, facts)
            if facts.contains(&("marked_s", 15.into())))
    });
    (mutes.collect(), marks.count())
}

#[test]
fn s13_a_customer_who_speaks_the_number_is_heard_by_nobody_until_the_agent_says_otherwise() {
    for kind in WidgetKind::ALL {
        let mut stage = Stage::armed(kind);
        stage.effects.clear();
        let effects = stage.event(Event::Speaking(true));
        assert_eq!(spoken(&effects), (vec![true], 1), "{kind:?}");
        assert!(stage.view().speaking);
        assert_eq!(spoken(&stage.event(Event::Speaking(true))), (vec![], 0));
        stage.effects.clear();
        stage.key_all();
        assert_eq!(spoken(&stage.effects), (vec![], 0), "keys change nothing");
        let effects = stage.event(Event::Speaking(false));
        assert_eq!(spoken(&effects), (vec![false], 0));
        assert!(!stage.view().speaking);
    }
}

#[test]
fn s13_the_end_of_a_capture_ends_the_silence() {
    let ends: [fn(&mut Stage); 4] = [
        |stage| drop(stage.event(Event::Cancel)),
        |stage| drop(stage.event(Event::CallEnded)),
        |stage| drop(stage.event(Event::ProtectionLost("stalled"))),
        |stage| stage.wait(700),
    ];
    for end in ends {
        let mut stage = Stage::armed(WidgetKind::CreditCardAdvanced);
        stage.event(Event::Speaking(true));
        stage.effects.clear();
        end(&mut stage);
        assert_eq!(spoken(&stage.effects), (vec![false], 0));
        let effects = stage.event(Event::Speaking(true));
        assert_eq!(
            spoken(&effects),
            (vec![], 0),
            "nothing is silenced after the end"
        );
    }
}
