//! What must hold when rooms fail, are slow, or are asked twice.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::{CallEvents, CaptureAction, CaptureDesk, EndCause, LineEvent};
use domain::capture::CaptureState;
use domain::gateway::NotSentReason;
use domain::payment::{AttemptState, Outcome};
use domain::service::ProtectionScope;
use domain::view::DeskError;
use domain::widget::WidgetOptions;

mod alarms;
mod asking;
mod availability;
mod books;
mod consent;
mod controls;
mod dial;
mod digits;
mod fixtures;
mod follow_ups;
mod groups;
mod hours;
mod house;
mod ledger;
mod line;
mod listening;
mod live;
mod numbers;
mod pairing;
mod party;
mod phones;
mod plans;
mod queue;
mod recording;
mod referral;
mod rights;
mod services;
mod spans;
mod supervisors;
mod transfer;
mod typed;
mod velocity;
mod waits;
mod withheld;

use house::{House, Manner};

async fn house() -> House {
    House::new(WidgetOptions::default(), ProtectionScope::Capture).await
}

#[tokio::test(start_paused = true)]
async fn two_tabs_that_press_at_once_make_one_attempt() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let (one, other) = tokio::join!(
        house.process(&capture, "key-of-the-first-tab"),
        house.process(&capture, "key-of-another-tab"),
    );
    assert!(one.is_ok() != other.is_ok());
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(house.states(), [AttemptState::Final(Outcome::Approved)]);
}

#[tokio::test(start_paused = true)]
async fn the_same_press_twice_is_one_attempt() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    assert!(house.process(&capture, "one-key-of-a-press").await.is_ok());
    assert!(house.process(&capture, "one-key-of-a-press").await.is_ok());
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(house.states().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_press_without_presses_left_is_refused_and_forgotten() {
    let options = WidgetOptions {
        process_max: 1,
        ..WidgetOptions::default()
    };
    let house = House::new(options, ProtectionScope::Capture).await;
    house.books.refuses_sent.store(true, Ordering::SeqCst);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    assert!(house.process(&capture, "the-only-press-here").await.is_ok());
    house.until(&capture, CaptureState::NotSent).await;
    let again = house.act(&capture, CaptureAction::TryAgain).await;
    assert!(matches!(again, Err(DeskError::WrongState(_))));
    let pressed = house.process(&capture, "a-second-press-here").await;
    assert!(matches!(pressed, Err(DeskError::WrongState(_))));
    assert_eq!(house.states().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_cannot_be_recorded_as_sent_is_closed_in_the_ledger() {
    let house = house().await;
    house.books.refuses_sent.store(true, Ordering::SeqCst);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-to-be-refused")
        .await
        .unwrap();
    house.until(&capture, CaptureState::NotSent).await;
    house.calls.drain(Duration::from_secs(5)).await;
    let not_sent = AttemptState::NotSent(NotSentReason::Ledger);
    assert_eq!(house.states(), [not_sent]);
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_panics_before_its_first_byte_was_not_sent() {
    let house = house().await;
    *house.gateway.manner.lock().unwrap() = Manner::PanicsBeforeSending;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-that-panics")
        .await
        .unwrap();
    house.until(&capture, CaptureState::NotSent).await;
    assert!(matches!(house.states()[..], [AttemptState::NotSent(_)]));
    let view = house.view(&capture).await.unwrap();
    assert_eq!(view.missing.len(), 3, "the digits went with the panic");
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_panics_while_it_is_sent_is_unknown() {
    let house = house().await;
    *house.gateway.manner.lock().unwrap() = Manner::PanicsWhileSending;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-that-panics")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Unknown).await;
    assert_eq!(house.states(), [AttemptState::Final(Outcome::Unknown)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_mask_reaches_a_call_that_pages_keep_busy() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let flood = (0..500).map(|_| house.view(&capture));
    let mut flood: Vec<_> = flood.map(Box::pin).collect();
    for asked in &mut flood {
        // Each is queued by its first poll, until there is no room.
        let _pending = futures_poll(asked);
    }
    house
        .calls
        .line(&phone.id, LineEvent::ProtectionLost("planted"));
    drop(flood);
    house.until(&capture, CaptureState::ProtectionLost).await;
}

#[tokio::test(start_paused = true)]
async fn line_events_beyond_the_mailbox_count_as_lost_protection() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    // The task does not run in between: this test's runtime has one thread.
    for _ in 0..100 {
        house.calls.line(&phone.id, LineEvent::Silent);
    }
    house.until(&capture, CaptureState::ProtectionLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_mask_that_comes_after_its_capture_is_gone_is_left() {
    let house = house().await;
    house.line.is_slow.store(true, Ordering::SeqCst);
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.act(&capture, CaptureAction::Cancel).await.unwrap();
    house.until_noted("unprotect", 1).await;
    let log = house.line.log.lock().unwrap().clone();
    assert_eq!(log.last(), Some(&"unprotect"), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_capture_opened_right_after_a_cancelled_one_keeps_its_mask() {
    let house = house().await;
    house.line.is_slow.store(true, Ordering::SeqCst);
    let phone = house.call().await;
    let first = house.open(&phone.id).await.unwrap().id;
    house.act(&first, CaptureAction::Cancel).await.unwrap();
    let second = house.open(&phone.id).await.unwrap().id;
    house.until(&second, CaptureState::Armed).await;
    let log = house.line.log.lock().unwrap().clone();
    assert_eq!(log.last(), Some(&"protect"), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_too_busy_to_be_unmasked_is_asked_again() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house.line.is_busy.store(true, Ordering::SeqCst);
    house.act(&capture, CaptureAction::Cancel).await.unwrap();
    house.until_noted("unprotect", 1).await;
    house.line.is_busy.store(false, Ordering::SeqCst);
    house.until_noted("unprotect", 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_who_keys_on_after_the_end_stays_masked() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let lost = LineEvent::ProtectionLost("planted");
    house.calls.line(&phone.id, lost);
    house.until(&capture, CaptureState::ProtectionLost).await;
    for _ in 0..4 {
        phone.key(&house, "4");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(house.line.count("unprotect"), 0);
    }
    house.until_noted("unprotect", 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_capture_keeps_the_mask_of_the_last() {
    let house = house().await;
    let phone = house.call().await;
    let first = house.open(&phone.id).await.unwrap().id;
    house.until(&first, CaptureState::Armed).await;
    house.act(&first, CaptureAction::Cancel).await.unwrap();
    let second = house.open(&phone.id).await.unwrap().id;
    house.until(&second, CaptureState::Armed).await;
    tokio::time::sleep(Duration::from_millis(3_200)).await;
    assert_eq!(house.line.count("unprotect"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_who_cannot_be_muted_ends_the_capture() {
    let options = WidgetOptions {
        mute_while_keying: true,
        ..WidgetOptions::default()
    };
    let house = House::new(options, ProtectionScope::Capture).await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house.line.is_busy.store(true, Ordering::SeqCst);
    let field = domain::capture::Field::CardNumber;
    let listening = house.act(&capture, CaptureAction::Listen(field)).await;
    assert_eq!(listening.unwrap().state, CaptureState::ProtectionLost);
}

#[tokio::test(start_paused = true)]
async fn an_agent_without_the_right_loses_the_open_capture() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house.take_roles().await;
    while house.calls.captures() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(house.view(&capture).await.is_err());
    house.until_noted("unprotect", 1).await;
}

#[tokio::test(start_paused = true)]
async fn s5_an_open_capture_keeps_its_snapshot_and_the_next_one_is_as_saved() {
    let house = house().await;
    let phone = house.call().await;
    let first = house.open(&phone.id).await.unwrap();
    let desktop = house.setup.desktop.lock().unwrap().id.clone();
    assert_eq!(house.calls.capturing(&desktop).len(), 1);
    house.setup.desktop.lock().unwrap().widgets[0].title = "Pay by card".to_owned();
    house.reload().await;
    let still = house.view(&first.id).await.unwrap();
    assert_eq!(still.widget.title, first.widget.title);
    house.act(&first.id, CaptureAction::Cancel).await.unwrap();
    assert!(house.calls.capturing(&desktop).is_empty());
    let next = house.open(&phone.id).await.unwrap();
    assert_eq!(next.widget.title, "Pay by card");
}

#[tokio::test(start_paused = true)]
async fn a_stored_password_goes_only_to_the_address_that_the_capture_began_with() {
    for (is_changed, is_read_back, state) in [
        (false, false, CaptureState::Approved),
        (true, true, CaptureState::NotSent),
        // Saved a moment ago: the new password is on disk, and the snapshot still names the old address.
        (true, false, CaptureState::NotSent),
    ] {
        let house = house().await;
        house.setup.has_password.store(true, Ordering::SeqCst);
        let mut phone = house.call().await;
        let capture = house.ready(&mut phone).await;
        if is_changed {
            house.setup.move_gateway("https://other.example/pay");
        }
        if is_read_back {
            house.reload().await;
        }
        house
            .process(&capture, "a-press-of-the-button")
            .await
            .unwrap();
        house.until(&capture, state).await;
        let was_asked = house.journal().contains(&"connect");
        assert_eq!(was_asked, !is_changed);
        if is_changed {
            let view = house.view(&capture).await.unwrap();
            assert_eq!(view.missing.len(), 0, "the digits are still there");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_waits_for_the_trail() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house.calls.ended(&phone.id, EndCause::Local);
    house.calls.drain(Duration::from_secs(5)).await;
    let entries = house.books.entries.lock().unwrap();
    let ended = AuditAction::CaptureEnded;
    assert!(entries.iter().any(|entry| entry.action == ended));
}

#[tokio::test(start_paused = true)]
async fn a_trip_ends_the_capture_with_one_alarm_and_one_entry_that_says_why() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let alarms = alarms::Alarms::count_here();
    let trip = LineEvent::ProtectionLost("egress_guard");
    house.calls.line(&phone.id, trip);
    house.until(&capture, CaptureState::ProtectionLost).await;
    let view = house.view(&capture).await.unwrap();
    assert_eq!(view.reason.as_deref(), Some("egress_guard"));
    house.until_noted("unprotect", 1).await;
    assert_eq!(alarms.raised(), 1);
    assert_eq!(house.losses(), [format!("capture {capture} egress_guard")]);
}

#[tokio::test(start_paused = true)]
async fn a_capture_that_nobody_closes_is_put_away_with_an_entry_and_a_word_to_the_page() {
    let house = house().await;
    let phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house.calls.ended(&phone.id, EndCause::Consumer);
    house.until(&capture, CaptureState::Lost).await;
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert_eq!((house.calls.captures(), house.calls.count()), (1, 1));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((house.calls.captures(), house.calls.count()), (0, 0));
    let last = house.pages.0.lock().unwrap().last().cloned().unwrap();
    assert_eq!(
        (last.topic, &last.body["capture"]),
        ("call", &serde_json::Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn a_basic_value_that_nobody_says_is_gone_is_put_away_in_the_trail() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open_basic(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    phone.key(&house, domain::capture::fixtures::CARDS[6].number);
    let number = |view: &domain::view::CaptureView| view.missing.len() < 3;
    house.until_view(&capture, number).await;
    house.calls.ended(&phone.id, EndCause::Consumer);
    house.until(&capture, CaptureState::Lost).await;
    let alarms = alarms::Alarms::count_here();
    tokio::time::sleep(Duration::from_secs(610)).await;
    assert_eq!((house.calls.captures(), house.calls.count()), (0, 0));
    assert!(alarms.raised() >= 1);
    house.calls.drain(Duration::from_secs(5)).await;
    let entries = house.books.entries.lock().unwrap();
    let ended = entries
        .iter()
        .filter(|entry| entry.action == AuditAction::CaptureEnded);
    let reasons: Vec<_> = ended.map(|entry| entry.detail["reason"].clone()).collect();
    assert_eq!(reasons, ["call_ended", "not_confirmed"]);
}

#[tokio::test(start_paused = true)]
async fn the_page_shows_a_protected_line_until_the_mask_is_left() {
    let house = house().await;
    let phone = house.call().await;
    house
        .until_call(&phone.id, |call| !call.line_protected)
        .await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house
        .until_call(&phone.id, |call| call.line_protected)
        .await;
    house.act(&capture, CaptureAction::Cancel).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    house
        .until_call(&phone.id, |call| call.line_protected)
        .await;
    house.until_noted("unprotect", 1).await;
    house
        .until_call(&phone.id, |call| !call.line_protected)
        .await;
}

mod always {
    use super::*;

    async fn house() -> House {
        House::new(WidgetOptions::default(), ProtectionScope::Always).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_protected_from_its_answer_and_a_capture_leaves_the_mask_alone() {
        let house = house().await;
        let phone = house.call().await;
        assert_eq!(house.line.count("route protected"), 1);
        house.until_noted("protect", 1).await;
        let capture = house.open(&phone.id).await.unwrap().id;
        house.until(&capture, CaptureState::Armed).await;
        house.act(&capture, CaptureAction::Cancel).await.unwrap();
        tokio::time::sleep(Duration::from_millis(3_200)).await;
        assert_eq!(house.line.count("unprotect"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_page_shows_that_it_is_protected_and_that_it_no_longer_is() {
        let house = house().await;
        let phone = house.call().await;
        house
            .until_call(&phone.id, |call| call.line_protected)
            .await;
        house.line.refuses.store(true, Ordering::SeqCst);
        house
            .calls
            .line(&phone.id, LineEvent::ProtectionLost("planted"));
        house
            .until_call(&phone.id, |call| !call.line_protected)
            .await;
        house.line.refuses.store(false, Ordering::SeqCst);
        house
            .until_call(&phone.id, |call| call.line_protected)
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_answered_by_asking_again_until_the_mask_holds() {
        let house = house().await;
        house.line.refuses.store(true, Ordering::SeqCst);
        let _phone = house.call().await;
        house.until_noted("protect", 2).await;
        house.line.refuses.store(false, Ordering::SeqCst);
        house.until_noted("protect", 3).await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(house.line.count("protect"), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_mask_that_was_lost_is_asked_for_again_without_being_left() {
        let house = house().await;
        let phone = house.call().await;
        house.until_noted("protect", 1).await;
        let capture = house.open(&phone.id).await.unwrap().id;
        house.until(&capture, CaptureState::Armed).await;
        let lost = LineEvent::ProtectionLost("planted");
        house.calls.line(&phone.id, lost);
        house.until(&capture, CaptureState::ProtectionLost).await;
        house.until_noted("protect", 3).await;
        assert_eq!(house.line.count("unprotect"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trip_without_a_capture_is_told_once_and_the_call_goes_on() {
        let house = house().await;
        let phone = house.call().await;
        house.until_noted("protect", 1).await;
        let alarms = alarms::Alarms::count_here();
        let trip = LineEvent::ProtectionLost("egress_guard");
        house.calls.line(&phone.id, trip);
        house.until_noted("protect", 2).await;
        assert_eq!(alarms.raised(), 1);
        assert_eq!(house.losses(), [format!("call {} egress_guard", phone.id)]);
        assert_eq!(
            (house.line.count("unprotect"), house.line.count("hang_up")),
            (0, 0)
        );
        assert_eq!(house.calls.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_ended_is_not_protected_any_more() {
        let house = house().await;
        house.line.refuses.store(true, Ordering::SeqCst);
        let phone = house.call().await;
        house.until_noted("protect", 1).await;
        house.calls.ended(&phone.id, EndCause::Consumer);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(house.line.count("protect"), 1);
        assert_eq!(house.calls.count(), 0);
    }
}

/// Polls once.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_ready()
}
