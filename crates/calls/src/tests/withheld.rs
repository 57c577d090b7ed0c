//! Screens of an agent's other calls, while a Basic value may be on them (SETTLED S12).

use std::time::Duration;

use domain::boundary::{CallEvents, CaptureAction, EndCause};
use domain::capture::fixtures::CARDS;
use domain::capture::{CaptureState, Field};
use domain::service::ProtectionScope;
use domain::widget::WidgetOptions;

use super::house::House;

#[tokio::test(start_paused = true)]
async fn s12_screens_of_other_calls_are_withheld_until_a_value_is_said_to_be_gone() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    let screens = || std::mem::take(&mut *house.tape.screens.lock().unwrap());
    let mut phone = house.call().await;
    let advanced = house.open(&phone.id).await.unwrap().id;
    house.act(&advanced, CaptureAction::Cancel).await.unwrap();
    assert_eq!(screens(), [] as [&str; 0], "nothing of it is on the screen");

    let shown = house.open_basic(&phone.id).await.unwrap().id;
    house.until(&shown, CaptureState::Armed).await;
    assert_eq!(screens(), ["withheld"]);
    house
        .obtain(&mut phone, &shown, Field::CardNumber, CARDS[6].number)
        .await;
    house.act(&shown, CaptureAction::Done).await.unwrap();
    assert_eq!(screens(), [] as [&str; 0]);
    house.act(&shown, CaptureAction::ConfirmGone).await.unwrap();
    assert_eq!(screens(), ["shown"]);
    house.act(&shown, CaptureAction::Close).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn s12_who_never_says_it_has_the_next_screens_withheld_until_the_capture_is_put_away() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    let mut phone = house.call().await;
    let shown = house.open_basic(&phone.id).await.unwrap().id;
    house.until(&shown, CaptureState::Armed).await;
    house
        .obtain(&mut phone, &shown, Field::CardNumber, CARDS[6].number)
        .await;
    house.calls.ended(&phone.id, EndCause::Consumer);
    house.until(&shown, CaptureState::Lost).await;
    assert_eq!(*house.tape.screens.lock().unwrap(), ["withheld"]);
    while house.calls.count() > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(*house.tape.screens.lock().unwrap(), ["withheld", "shown"]);
}
