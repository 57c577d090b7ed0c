//! The order of a charge, and what the ledger says when store, gateway or call fail on the way (I4).

use std::sync::Arc;
use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::{Audited, CallEvents, CaptureAction, Change, EndCause};
use domain::capture::fixtures::CARDS;
use domain::capture::{CaptureState, Field};
use domain::gateway::NotSentReason;
use domain::payment::{AttemptState, Outcome};
use domain::time::UnixMillis;
use domain::view::CaptureView;
use tokio::task::JoinSet;

use super::books::Down;
use super::house;
use super::house::{House, Manner};
use crate::close_open_attempts;

fn is_intent(audited: &Audited) -> bool {
    matches!(audited.change, Change::InsertPayment(_))
}

fn is_sent(audited: &Audited) -> bool {
    let Change::MovePayment { to, .. } = &audited.change else {
        return false;
    };
    *to == AttemptState::Sent
}

fn is_final(audited: &Audited) -> bool {
    let Change::MovePayment { to, .. } = &audited.change else {
        return false;
    };
    matches!(to, AttemptState::Final(_))
}

fn set_down(house: &House, down: Option<Down>) {
    *house.books.down.lock().unwrap() = down;
}

const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);

#[tokio::test(start_paused = true)]
async fn intent_and_sent_are_recorded_before_the_first_byte_leaves() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-in-good-order")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(
        house.journal(),
        ["intent", "connect", "sent", "first byte", "final"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_gateway_answers_is_kept_with_the_attempt() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-with-a-reference")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    let payments = house.books.payments.lock().unwrap();
    let kept = payments.iter().flat_map(|payment| &payment.outputs);
    let kept: Vec<_> = kept.map(|one| (&*one.name, &*one.value)).collect();
    assert_eq!(kept, [("transaction_id", "ch_1")]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_connected_when_the_intent_cannot_be_recorded() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    set_down(&house, Some(is_intent));
    house
        .process(&capture, "a-press-without-a-book")
        .await
        .unwrap();
    house.until(&capture, CaptureState::NotSent).await;
    assert_eq!(house.journal(), Vec::<&str>::new());
    let view = house.view(&capture).await.unwrap();
    assert_eq!(view.payment.unwrap().not_sent, Some(NotSentReason::Ledger));
    assert!(
        view.missing.is_empty(),
        "the digits are kept for another try"
    );
    set_down(&house, None);
    house.act(&capture, CaptureAction::TryAgain).await.unwrap();
    house
        .process(&capture, "a-press-with-the-book")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(house.states(), [APPROVED]);
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_when_sent_cannot_be_recorded() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    set_down(&house, Some(is_sent));
    house
        .process(&capture, "a-press-to-be-abandoned")
        .await
        .unwrap();
    house.until(&capture, CaptureState::NotSent).await;
    house.calls.drain(Duration::from_secs(5)).await;
    assert_eq!(
        house.journal(),
        ["intent", "connect", "abandon", "not sent"]
    );
    let view = house.view(&capture).await.unwrap();
    assert!(
        view.missing.is_empty(),
        "the digits are kept for another try"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fails_keeps_the_digits_for_another_try() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    *house.gateway.manner.lock().unwrap() = Manner::CannotConnect;
    house
        .process(&capture, "a-press-into-the-void")
        .await
        .unwrap();
    house.until(&capture, CaptureState::NotSent).await;
    *house.gateway.manner.lock().unwrap() = Manner::Approves;
    house.act(&capture, CaptureAction::TryAgain).await.unwrap();
    house
        .process(&capture, "a-press-with-a-gateway")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(
        house.states(),
        [AttemptState::NotSent(NotSentReason::Connect), APPROVED]
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_recorded_at_once_is_offered_until_it_is() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    set_down(&house, Some(is_final));
    house
        .process(&capture, "a-press-at-a-bad-time")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(house.states(), [AttemptState::Sent]);
    set_down(&house, None);
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(house.states(), [APPROVED]);
    assert_eq!(
        house
            .journal()
            .iter()
            .filter(|what| **what == "first byte")
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_charge_whose_call_ends_on_the_way_is_recorded_and_shown() {
    let house = house().await;
    *house.gateway.manner.lock().unwrap() = Manner::ApprovesAfter(300);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-before-the-end")
        .await
        .unwrap();
    house.calls.ended(&phone.id, EndCause::Consumer);
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(house.states(), [APPROVED]);
    let told = house.pages.0.lock().unwrap();
    let approved = told
        .iter()
        .filter(|event| event.topic == "capture" && event.body["state"] == "approved");
    assert!(approved.count() > 0, "the page is told without asking");
}

#[tokio::test(start_paused = true)]
async fn twenty_presses_at_once_charge_once() {
    let house = Arc::new(house().await);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let mut presses = JoinSet::new();
    for press in 0..20 {
        let (house, capture) = (house.clone(), capture.clone());
        presses.spawn(async move {
            house
                .process(&capture, &format!("press-number-{}", press % 10))
                .await
        });
    }
    while presses.join_next().await.is_some() {}
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(house.states(), [APPROVED]);
    assert_eq!(
        house
            .journal()
            .iter()
            .filter(|what| **what == "first byte")
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_restart_closes_what_is_open_as_what_it_may_be() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-to-copy-from")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    let mut states = vec![AttemptState::Intent, AttemptState::Sent, APPROVED];
    {
        let mut payments = house.books.payments.lock().unwrap();
        let done = payments[0].clone();
        let copies = states
            .iter()
            .zip(1..)
            .map(|(state, number)| domain::payment::Payment {
                attempt: domain::id::AttemptId::from_random(number),
                state: *state,
                ..done.clone()
            });
        *payments = copies.collect();
    }
    let books = &*house.books;
    let closed = close_open_attempts(books, books, UnixMillis(1))
        .await
        .unwrap();
    states[0] = AttemptState::NotSent(NotSentReason::Busy);
    states[1] = AttemptState::Final(Outcome::Unknown);
    assert_eq!((closed, house.states()), (2, states));
    let again = close_open_attempts(books, books, UnixMillis(2))
        .await
        .unwrap();
    assert_eq!(again, 0, "nothing is open any more");
}

#[tokio::test(start_paused = true)]
async fn no_event_and_no_entry_holds_the_number() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-that-is-watched")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    house.calls.drain(Duration::from_secs(5)).await;
    let told = format!("{:?}", house.pages.0.lock().unwrap());
    let kept = format!(
        "{:?} {:?}",
        house.books.entries.lock().unwrap(),
        house.books.payments.lock().unwrap()
    );
    for text in [&told, &kept] {
        assert!(text.len() > 1_000 && !text.contains(CARDS[6].number));
        assert!(!text.contains(&CARDS[6].number[6..]), "nor a part of it");
    }
}

#[tokio::test(start_paused = true)]
async fn l4_the_trail_says_which_capture_who_when_each_field_and_how_it_ended() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let listen = CaptureAction::Listen(Field::Expiry);
    house.act(&capture, listen).await.unwrap();
    phone.key(&house, "1330");
    let refused = |view: &CaptureView| view.fields[1].error.is_some();
    house.until_view(&capture, refused).await;
    for (field, keys) in [
        (Field::CardNumber, CARDS[6].number),
        (Field::Expiry, "1230"),
        (Field::SecurityCode, CARDS[6].security_code),
    ] {
        house.obtain(&mut phone, &capture, field, keys).await;
    }
    let pressed = house.process(&capture, "a-press-for-the-trail").await;
    assert!(pressed.is_ok(), "{pressed:?}");
    house.until(&capture, CaptureState::Approved).await;
    house.act(&capture, CaptureAction::Close).await.unwrap();
    house.calls.drain(Duration::from_secs(5)).await;
    let entries = house.books.entries.lock().unwrap();
    let entry = |action: AuditAction| {
        let found = entries.iter().find(|entry| entry.action == action);
        found.unwrap_or_else(|| panic!("no {action:?} in {entries:?}"))
    };
    let object = format!("capture {capture}");
    let (opened, ended) = (
        entry(AuditAction::CaptureOpened),
        entry(AuditAction::CaptureEnded),
    );
    for one in [opened, ended] {
        assert_eq!(one.object, object);
        assert!(one.at.0 > 0);
    }
    assert_eq!(opened.actor, "kim");
    assert_eq!(opened.detail["kind"], "Credit Card Advanced");
    assert_eq!(ended.detail["state"], "approved");
    assert_eq!(
        entry(AuditAction::ChargeEnded).detail["outcome"],
        "approved"
    );
    let fields = |action: AuditAction| -> Vec<String> {
        let of_action = entries
            .iter()
            .filter(|entry| entry.action == action && entry.object == object);
        of_action
            .map(|entry| entry.detail["field"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = ["card_number", "expiry", "security_code"];
    assert_eq!(entry(AuditAction::CaptureArmed).object, object);
    assert_eq!(fields(AuditAction::FieldInvalid), all[1..2]);
    assert_eq!(fields(AuditAction::FieldObtained), all);
    assert!(fields(AuditAction::FieldListening).starts_with(&[all[1].to_owned()]));
}
