//! Credit Card Advanced and Check Advanced, from button to outcome.

use super::harness::*;
use crate::capture::session::{Effect, Event};
use crate::capture::{CaptureState, Field, WidgetKind};
use crate::payment::Outcome;
use crate::view::FieldState;

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
    stage.event(Event::Answered(
        Outcome::Approved,
        "Thank you".to_owned(),
        Some(200),
    ));
    assert_eq!(stage.state(), CaptureState::Approved);
    assert_eq!(stage.kept_in_all(), 0);
    let last = stage.event(Event::Close);
    assert_eq!(last.last(), Some(&Effect::Closed));
    assert!(last.contains(&Effect::Unprotect));
}
