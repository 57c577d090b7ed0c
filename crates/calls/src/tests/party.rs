//! Another person may be on the line (S39).

use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::{CallEvents, CaptureAction, LineEvent};
use domain::capture::CaptureState;
use domain::view::DeskError;

use super::house;
use super::house::House;

/// What the trail has of the question and of its answer.
fn asked(house: &House) -> Vec<String> {
    let entries = house.books.entries.lock().unwrap();
    let text = |action: &AuditAction, same: &serde_json::Value| match action {
        AuditAction::PartyChanged => Some("asked".to_owned()),
        AuditAction::PartyAnswered => Some(format!("same: {same}")),
        _ => None,
    };
    entries
        .iter()
        .filter_map(|entry| text(&entry.action, &entry.detail["same"]))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn s39_the_agent_says_that_it_is_the_same_person() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house.calls.line(&phone.id, LineEvent::PartyChanged);
    house.until(&capture, CaptureState::Frozen).await;
    assert_eq!(
        house.process(&capture, "too-early").await.unwrap_err(),
        DeskError::WrongState(CaptureState::Frozen)
    );
    let same = house.act(&capture, CaptureAction::SamePerson).await;
    assert_eq!(same.unwrap().state, CaptureState::Ready);
    assert_eq!(house.line.count("unprotect"), 0);
    house.process(&capture, "now").await.unwrap();
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(asked(&house), ["asked", "same: true"]);
}

#[tokio::test(start_paused = true)]
async fn s39_somebody_else_ends_the_capture() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house.calls.line(&phone.id, LineEvent::PartyChanged);
    house.until(&capture, CaptureState::Frozen).await;
    let other = house.act(&capture, CaptureAction::OtherPerson).await;
    assert_eq!(other.unwrap().state, CaptureState::Lost);
    house.until_noted("unprotect", 1).await;
    assert_eq!(asked(&house), ["asked", "same: false"]);
    let late = house.act(&capture, CaptureAction::SamePerson).await;
    assert_eq!(late.unwrap_err(), DeskError::WrongState(CaptureState::Lost));
}

#[tokio::test(start_paused = true)]
async fn s39_an_agent_who_says_nothing_for_20_s_loses_the_capture() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house.calls.line(&phone.id, LineEvent::PartyChanged);
    house.until(&capture, CaptureState::Frozen).await;
    tokio::time::sleep(Duration::from_secs(19)).await;
    house.until(&capture, CaptureState::Frozen).await;
    house.until(&capture, CaptureState::Lost).await;
    let view = house.view(&capture).await.unwrap();
    assert_eq!(view.reason.as_deref(), Some("party_unanswered"));
}
