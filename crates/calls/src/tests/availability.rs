//! Whom a call rings: nobody who is not ready, or at work after a call.

use std::time::Duration;

use domain::availability::{Availability, NotReadyReason, Wish};
use domain::boundary::{CallEvents, CaptureDesk, EndCause};
use domain::id::CallId;
use domain::service::ProtectionScope;
use domain::widget::WidgetOptions;

use super::house::{House, NOW};

async fn house() -> House {
    House::new(WidgetOptions::default(), ProtectionScope::Capture).await
}

/// The consumer hangs up, and the call is over.
async fn hang_up(house: &House, call: &CallId) {
    house.calls.ended(call, EndCause::Consumer);
    while is_listed(house, call).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_listed(house: &House, call: &CallId) -> bool {
    let calls = house.calls.calls(&house.actor).await.unwrap();
    calls.iter().any(|view| view.id == *call)
}

#[tokio::test(start_paused = true)]
async fn a_call_for_an_agent_who_is_not_ready_is_refused_and_one_that_is_on_goes_on() {
    let house = house().await;
    let phone = house.call().await;
    let reason = NotReadyReason::Meal;
    let wish = Wish::NotReady(reason);
    let chosen = house.calls.set_availability(&house.actor, wish);
    assert_eq!(chosen, Availability::NotReady { reason });
    assert!(is_listed(&house, &phone.id).await);
    hang_up(&house, &phone.id).await;
    let (second, _keys) = house.incoming();
    house.until_noted("reject", 1).await;
    assert!(!is_listed(&house, &second).await);
    house.calls.set_availability(&house.actor, Wish::Ready);
    house.call().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_call_that_was_answered_its_work_begins_as_the_service_says() {
    let house = house().await;
    house.setup.service.lock().unwrap().after_call_s = 30;
    house.reload().await;
    let phone = house.call().await;
    hang_up(&house, &phone.id).await;
    let stands = house.calls.availability(&house.actor);
    let until = NOW.plus_ms(30_000);
    assert!(matches!(stands, Availability::AfterCall { until: at } if at > NOW && at <= until));
    let is_told = {
        let told = house.pages.0.lock().unwrap();
        told.iter().any(|event| event.topic == "availability")
    };
    assert!(is_told);
    house.incoming();
    house.until_noted("reject", 1).await;
    house.calls.set_availability(&house.actor, Wish::Ready);
    house.call().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_rang_in_vain_leaves_no_work() {
    let house = house().await;
    house.setup.service.lock().unwrap().after_call_s = 30;
    house.reload().await;
    let (id, _keys) = house.incoming();
    house.until_noted("route", 1).await;
    hang_up(&house, &id).await;
    let stands = house.calls.availability(&house.actor);
    assert_eq!(stands, Availability::Ready);
}
