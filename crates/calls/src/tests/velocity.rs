//! Cards that are tried too often (SECURITY-AND-FAULTS C16).

use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::{CaptureAction, CaptureDesk};
use domain::capture::velocity::ACCOUNT_PRESSES_MAX;
use domain::capture::{CaptureState, VelocityLimit, WidgetKind};
use domain::service::ProtectionScope;
use domain::view::DeskError;
use domain::widget::WidgetOptions;

use super::house::{House, Manner};
use super::live::supervisor;

#[tokio::test(start_paused = true)]
async fn one_press_too_many_with_one_card_is_refused_before_its_intent() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    *house.gateway.manner.lock().unwrap() = Manner::CannotConnect;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    for press in 0..ACCOUNT_PRESSES_MAX {
        let key = format!("press-with-one-card-{press}");
        house.process(&capture, &key).await.unwrap();
        house.until(&capture, CaptureState::NotSent).await;
        // The limits of the widget and of the call begin anew.
        let kind = WidgetKind::CreditCardAdvanced;
        let supervisor = supervisor();
        let reset = house.calls.reset_attempts(&supervisor, &phone.id, kind);
        reset.await.unwrap();
        house.act(&capture, CaptureAction::TryAgain).await.unwrap();
    }
    let refused = DeskError::TooManyCharges(VelocityLimit::Account);
    for press in ["press-after-the-reset", "and-once-more-pressed"] {
        let pressed = house.process(&capture, press).await;
        assert_eq!(pressed.map(|view| view.state), Err(refused.clone()));
    }
    assert_eq!(house.states().len(), ACCOUNT_PRESSES_MAX);
    let view = house.view(&capture).await.unwrap();
    assert_eq!((view.state, view.process_left), (CaptureState::Ready, 3));
    house.calls.drain(Duration::from_secs(5)).await;
    let entries = house.books.entries.lock().unwrap();
    let told = entries
        .iter()
        .filter(|entry| entry.action == AuditAction::ChargeRefused);
    let limits: Vec<_> = told.map(|entry| entry.detail["limit"].clone()).collect();
    assert_eq!(limits, ["account", "account"]);
}
