//! Routing numbers that the operator knows (GATEWAYS 4).

use std::sync::Arc;

use super::harness::*;
use crate::audit::AuditAction;
use crate::capture::fixtures::{ACCOUNT_NUMBER, ROUTING_NUMBERS};
use crate::capture::routing::{BankTable, RefusedRoutings, RoutingBook, parse_banks};
use crate::capture::session::{Effect, Event};
use crate::capture::{CaptureState, Field, FieldError, WidgetKind};
use crate::view::FieldState;

const REFUSED: &str = ROUTING_NUMBERS[0];
const KNOWN: &str = ROUTING_NUMBERS[1];
const OTHER: &str = ROUTING_NUMBERS[2];

fn stage(kind: WidgetKind) -> Stage {
    let rows = [(REFUSED.to_owned(), "Closed in May".to_owned())];
    let text = format!("routing,bank_name,city,state\n{KNOWN},First Bank,,");
    let mut stage = Stage::armed(kind);
    stage.session.book = RoutingBook {
        refused: Arc::new(RefusedRoutings::parse(&rows, 1).unwrap()),
        banks: Arc::new(BankTable {
            banks: parse_banks(&text).unwrap(),
            ..BankTable::default()
        }),
    };
    stage.event(Event::Listen(Field::RoutingNumber));
    stage
}

#[test]
fn a_refused_routing_number_cannot_become_obtained_and_says_why() {
    for kind in [WidgetKind::CheckBasic, WidgetKind::CheckAdvanced] {
        let mut stage = stage(kind);
        stage.keys(REFUSED);
        let row = stage.field(Field::RoutingNumber);
        assert_eq!(row.state, FieldState::Invalid);
        assert_eq!(row.error, Some(FieldError::RoutingRefused));
        assert_eq!(row.refusal.as_deref(), Some("Closed in May"));
        assert_eq!(row.bank_name, None);
        assert_eq!(stage.state(), CaptureState::Invalid);
        if kind.is_advanced() {
            assert_eq!(stage.kept_in_all(), 0);
        }
        let told = |effect: &Effect| {
            let Effect::Audit(AuditAction::FieldInvalid, facts) = effect else {
                return false;
            };
            facts.contains(&("code", "routing_refused".into()))
        };
        assert!(stage.effects.iter().any(told));
        stage.wait_ms(700);
        stage.keys(OTHER);
        let row = stage.field(Field::RoutingNumber);
        assert_eq!((row.state, row.refusal), (FieldState::Obtained, None));
    }
}

#[test]
fn an_obtained_routing_number_names_its_bank_until_it_is_wiped() {
    let mut stage = stage(WidgetKind::CheckAdvanced);
    stage.keys(KNOWN);
    let bank = |stage: &Stage| stage.field(Field::RoutingNumber).bank_name;
    assert_eq!(bank(&stage).as_deref(), Some("First Bank"));
    assert_eq!(stage.session.bank_name(&stage.slot), "First Bank");
    assert_eq!(stage.field(Field::AccountNumber).bank_name, None);
    stage.wait_ms(700);
    stage.keys(ACCOUNT_NUMBER);
    stage.keys("#");
    assert_eq!(stage.state(), CaptureState::Ready);
    stage.event(Event::Recapture(Field::RoutingNumber));
    assert_eq!(bank(&stage), None);
    stage.keys(OTHER);
    assert_eq!(bank(&stage), None);
    assert_eq!(stage.session.bank_name(&stage.slot), "");
}
