//! Who may do what, and what must be on record first (I5, I6).

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::access::{Actor, Permission};
use domain::audit::AuditAction;
use domain::boundary::{
    Audited, CallEvents, CaptureAction, CaptureDesk, EndCause, LegCallIds, NO_CONTROL,
};
use domain::capture::fixtures::CARDS;
use domain::capture::{CaptureState, Field};
use domain::gate::Gate;
use domain::id::{SinkId, UserId};
use domain::service::{RecorderDeclaration, Sink, SinkHearing, SinkMedium};
use domain::view::{ButtonDisabled, DeskError};
use tokio::time::Instant;

use super::books::SLOW_COMMIT;
use super::house::House;
use super::{futures_poll, house};

/// Another agent, with the same rights.
fn other_than(house: &House) -> Actor {
    Actor {
        user: UserId::from_random(8),
        name: "lee".to_owned(),
        ..house.actor.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn b22_a_press_out_of_order_is_refused_and_reaches_neither_ledger_nor_gateway() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    let refused = |pressed| matches!(pressed, Err(DeskError::WrongState(_)));
    house.until(&capture, CaptureState::Armed).await;
    assert!(refused(house.process(&capture, "with-nothing-keyed").await));
    let number = CARDS[6].number;
    let keyed = house.obtain(&mut phone, &capture, Field::CardNumber, number);
    keyed.await;
    assert!(refused(
        house.process(&capture, "with-fields-missing").await
    ));
    house.act(&capture, CaptureAction::Cancel).await.unwrap();
    assert!(
        house
            .process(&capture, "after-the-end-of-it")
            .await
            .is_err()
    );
    let capture = house.ready(&mut phone).await;
    let other = other_than(&house);
    let pressed = house.process_as(&other, &capture, "by-somebody-else-who");
    assert_eq!(pressed.await.unwrap_err(), DeskError::NotFound);
    assert_eq!((house.states().len(), house.journal().len()), (0, 0));
    assert!(
        house
            .process(&capture, "by-its-own-agent-now")
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_of_another_agent_is_not_found() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let other = other_than(&house);
    let calls = &house.calls;
    assert_eq!(calls.calls(&other).await.unwrap(), []);
    assert_eq!(
        calls.open(&other, &phone.id, &house.widget).await,
        Err(DeskError::NotFound)
    );
    assert_eq!(
        calls.capture(&other, &capture).await,
        Err(DeskError::NotFound)
    );
    assert_eq!(
        calls.act(&other, &capture, CaptureAction::Cancel).await,
        Err(DeskError::NotFound)
    );
    assert_eq!(
        calls.hang_up(&other, &phone.id).await,
        Err(DeskError::NotFound)
    );
    let shown = calls.reveal(&other, &capture, Field::CardNumber).await;
    assert!(matches!(shown, Err(DeskError::NotFound)));
    house.until(&capture, CaptureState::Ready).await;
}

#[tokio::test(start_paused = true)]
async fn a_shut_gate_is_named() {
    let house = house().await;
    let phone = house.call().await;
    house.setup.desktop.lock().unwrap().widgets[0].enabled = false;
    house.reload().await;
    assert_eq!(
        house.open(&phone.id).await,
        Err(DeskError::Gate(Gate::WidgetDisabled))
    );
    house.setup.is_on.store(false, Ordering::SeqCst);
    house.reload().await;
    assert_eq!(
        house.open(&phone.id).await,
        Err(DeskError::Gate(Gate::SystemSwitch))
    );
}

#[tokio::test(start_paused = true)]
async fn s2_the_second_gate_is_a_widget_on_the_desktop() {
    let house = house().await;
    let phone = house.call().await;
    house.setup.desktop.lock().unwrap().widgets.clear();
    house.reload().await;
    assert_eq!(
        house.open(&phone.id).await,
        Err(DeskError::Gate(Gate::NoWidget))
    );
}

#[tokio::test(start_paused = true)]
async fn s2_the_fourth_gate_is_the_agents_own_right() {
    let house = house().await;
    let phone = house.call().await;
    let mut actor = house.actor.clone();
    actor.permissions.remove(&Permission::CaptureViewBasic);
    let opened = house.calls.open(&actor, &phone.id, &house.basic).await;
    assert_eq!(opened, Err(DeskError::Gate(Gate::NotPermitted)));
    assert_eq!(house.calls.captures(), 0);
    let opened = house.calls.open(&actor, &phone.id, &house.widget).await;
    assert!(opened.is_ok(), "a widget that shows nothing: {opened:?}");
}

#[tokio::test(start_paused = true)]
async fn s2_a_capture_under_way_is_finished_when_the_feature_is_switched_off_and_none_begins() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house.setup.is_on.store(false, Ordering::SeqCst);
    house.reload().await;
    for (field, keys) in [
        (Field::CardNumber, CARDS[6].number),
        (Field::Expiry, "1230"),
        (Field::SecurityCode, CARDS[6].security_code),
    ] {
        house.obtain(&mut phone, &capture, field, keys).await;
    }
    let pressed = house.process(&capture, "pressed-after-the-switch").await;
    assert!(pressed.is_ok(), "{pressed:?}");
    house.until(&capture, CaptureState::Approved).await;
    house.act(&capture, CaptureAction::Close).await.unwrap();
    assert_eq!(
        house.open(&phone.id).await,
        Err(DeskError::Gate(Gate::SystemSwitch))
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_with_undeclared_recorders_opens_nothing() {
    let house = house().await;
    let phone = house.call().await;
    house.setup.service.lock().unwrap().recorders = None;
    house.reload().await;
    let refused = DeskError::Disabled(ButtonDisabled::RecordersUndeclared);
    assert_eq!(house.open(&phone.id).await, Err(refused));
}

#[tokio::test(start_paused = true)]
async fn a_basic_capture_is_blocked_by_a_recorder_that_cannot_be_paused() {
    let house = house().await;
    let phone = house.call().await;
    let sink = Sink {
        id: SinkId::from_random(1),
        name: "Recorder".to_owned(),
        medium: SinkMedium::Call,
        hears: SinkHearing::Masked,
        control: None,
    };
    let mut declared: RecorderDeclaration = house
        .setup
        .service
        .lock()
        .unwrap()
        .recorders
        .clone()
        .unwrap();
    declared.sinks.push(sink);
    house.setup.service.lock().unwrap().recorders = Some(declared);
    house.reload().await;
    let basic = house
        .calls
        .open(&house.actor, &phone.id, &house.basic)
        .await
        .unwrap();
    house.until(&basic.id, CaptureState::Blocked).await;
    let refused = house.until_entered(AuditAction::RecorderRefused).await;
    assert_eq!(refused.object, format!("capture {}", basic.id));
    let fact = |name: &str| refused.detail[name].as_str().unwrap().to_owned();
    assert_eq!(
        ["recorder", "medium", "asked", "reason"].map(fact),
        ["Recorder", "call", "pause", NO_CONTROL]
    );
    house.act(&basic.id, CaptureAction::Close).await.unwrap();
    let advanced = house.open(&phone.id).await.unwrap();
    house.until(&advanced.id, CaptureState::Armed).await;
}

#[tokio::test(start_paused = true)]
async fn a_ringing_call_and_a_second_capture_are_refused() {
    let house = house().await;
    let (ringing, _keys) = house.incoming();
    while house.calls.calls(&house.actor).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = DeskError::Disabled(ButtonDisabled::NotConnected);
    assert_eq!(house.open(&ringing).await, Err(refused));
    house.calls.answered(&ringing, LegCallIds::default());
    let first = loop {
        if let Ok(view) = house.open(&ringing).await {
            break view.id;
        }
        tokio::task::yield_now().await;
    };
    house.until(&first, CaptureState::Armed).await;
    let refused = DeskError::Disabled(ButtonDisabled::CaptureOpen);
    assert_eq!(house.open(&ringing).await, Err(refused));
}

#[tokio::test(start_paused = true)]
async fn a_capture_that_cannot_be_recorded_does_not_open() {
    let house = house().await;
    let phone = house.call().await;
    let is_opening = |audited: &Audited| audited.entry.action == AuditAction::CaptureOpened;
    *house.books.down.lock().unwrap() = Some(is_opening);
    assert_eq!(house.open(&phone.id).await, Err(DeskError::Unrecordable));
    assert_eq!(
        (house.calls.captures(), house.line.count("protect")),
        (0, 0)
    );
    *house.books.down.lock().unwrap() = None;
    assert!(house.open(&phone.id).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_value_is_shown_only_once_the_trail_says_so() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house
        .calls
        .open(&house.actor, &phone.id, &house.basic)
        .await
        .unwrap()
        .id;
    house.until(&capture, CaptureState::Armed).await;
    house
        .obtain(&mut phone, &capture, Field::CardNumber, CARDS[6].number)
        .await;
    let is_showing = |audited: &Audited| audited.entry.action == AuditAction::ValueShown;
    *house.books.down.lock().unwrap() = Some(is_showing);
    let refused = house
        .calls
        .reveal(&house.actor, &capture, Field::CardNumber)
        .await;
    assert!(matches!(refused, Err(DeskError::Unrecordable)));
    *house.books.down.lock().unwrap() = None;
    let shown = house
        .calls
        .reveal(&house.actor, &capture, Field::CardNumber)
        .await
        .unwrap();
    assert!(shown.expose() == CARDS[6].number.as_bytes());
    let entries = house.books.entries.lock().unwrap();
    let showings: Vec<_> = entries
        .iter()
        .filter(|entry| entry.action == AuditAction::ValueShown)
        .collect();
    assert_eq!(showings.len(), 1);
    assert_eq!(showings[0].actor, "kim");
    assert!(!showings[0].detail.to_string().contains(CARDS[6].number));
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_call_ends_while_the_trail_is_slow_is_wiped_at_once_and_not_shown() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open_basic(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house
        .obtain(&mut phone, &capture, Field::CardNumber, CARDS[6].number)
        .await;
    house.books.is_slow.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let showing = house
        .calls
        .reveal(&house.actor, &capture, Field::CardNumber);
    let hanging_up = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        house.calls.ended(&phone.id, EndCause::Consumer);
        house.until(&capture, CaptureState::Lost).await;
        began.elapsed()
    };
    let (shown, wiped_after) = tokio::join!(showing, hanging_up);
    assert!(wiped_after < SLOW_COMMIT, "{wiped_after:?}");
    assert!(began.elapsed() >= SLOW_COMMIT);
    assert!(matches!(shown, Err(DeskError::WrongState(_))), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn an_advanced_value_is_never_shown() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let shown = house
        .calls
        .reveal(&house.actor, &capture, Field::CardNumber)
        .await;
    assert!(matches!(shown, Err(DeskError::WrongState(_))));
}

#[tokio::test(start_paused = true)]
async fn pages_beyond_the_mailbox_hear_busy() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let mut asked: Vec<_> = (0..200).map(|_| Box::pin(house.view(&capture))).collect();
    let mut refused = 0;
    let mut waiting = Vec::new();
    for mut view in asked.drain(..) {
        // A refusal is answered at once, a place in the mailbox is not: the task does not run in between.
        if futures_poll(&mut view) {
            refused += 1;
        } else {
            waiting.push(view);
        }
    }
    assert_eq!(waiting.len(), crate::desk::CALL_MAILBOX_MAX);
    assert_eq!(refused, 200 - waiting.len());
    for view in waiting {
        assert!(view.await.is_ok(), "who has a place is answered");
    }
}
