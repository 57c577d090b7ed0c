//! Mute, hold and keys of an agent's call.

use domain::boundary::{CallEvents, CaptureAction, CaptureDesk, EndCause};
use domain::capture::{CaptureState, Field};
use domain::control::CallControl;
use domain::id::CallId;
use domain::service::ProtectionScope;
use domain::view::{ButtonDisabled, CallState, CallView, DeskError, Holder};
use domain::widget::WidgetOptions;
use secret::Key;

use super::house::House;

async fn house() -> House {
    House::new(WidgetOptions::default(), ProtectionScope::Capture).await
}

impl House {
    /// Whatever was reported before has been heard: the task takes what waits in an order of its own, so that it is asked often.
    async fn settled(&self) {
        for _ in 0..64 {
            self.calls.calls(&self.actor).await.unwrap();
        }
    }

    pub(super) async fn control(
        &self,
        call: &CallId,
        control: CallControl,
    ) -> Result<CallView, DeskError> {
        self.calls.control(&self.actor, call, control).await
    }
}

fn not_connected() -> DeskError {
    DeskError::Disabled(ButtonDisabled::NotConnected)
}

#[tokio::test(start_paused = true)]
async fn a_muted_agent_stays_muted_until_unmuted_or_the_end() {
    let house = house().await;
    let phone = house.call().await;
    for _ in 0..2 {
        let view = house.control(&phone.id, CallControl::Mute(true)).await;
        assert!(view.unwrap().agent_muted);
    }
    let views = house.calls.calls(&house.actor).await.unwrap();
    assert!(views[0].agent_muted);
    assert_eq!(views[0].state, CallState::Connected);
    let view = house.control(&phone.id, CallControl::Mute(false)).await;
    assert!(!view.unwrap().agent_muted);
    assert_eq!(house.line.count("mute agent"), 2);
    assert_eq!(house.line.count("unmute agent"), 1);
    house.calls.ended(&phone.id, EndCause::Consumer);
    // Its task hears of the end, and is gone.
    while let Ok(view) = house.control(&phone.id, CallControl::Mute(true)).await {
        assert!(view.agent_muted);
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_ringing_call_has_no_controls() {
    let house = house().await;
    let (call, _keys) = house.incoming();
    house.until_call(&call, |_| true).await;
    for control in [
        CallControl::Mute(true),
        CallControl::Hold(true),
        CallControl::SendKey(Key::Star),
    ] {
        assert_eq!(house.control(&call, control).await, Err(not_connected()));
    }
    assert!(["mute agent", "hold", "key"].map(|what| house.line.count(what)) == [0; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_by_the_button_and_one_by_a_phone_do_not_end_each_other() {
    let house = house().await;
    let phone = house.call().await;
    let button = |on| house.control(&phone.id, CallControl::Hold(on));
    assert_eq!(button(true).await.unwrap().held_by, Some(Holder::Agent));
    house.calls.held(&phone.id, true);
    house.settled().await;
    let view = button(false).await.unwrap();
    assert_eq!(
        (view.state, view.held_by),
        (CallState::Held, Some(Holder::Phone))
    );
    assert_eq!(view.buttons[0].disabled, Some(ButtonDisabled::OnHold));
    assert_eq!(button(true).await.unwrap().held_by, Some(Holder::Agent));
    house.calls.held(&phone.id, false);
    house.settled().await;
    let views = house.calls.calls(&house.actor).await.unwrap();
    assert_eq!(views[0].held_by, Some(Holder::Agent));
    let view = button(false).await.unwrap();
    assert_eq!((view.state, view.held_by), (CallState::Connected, None));
}

#[tokio::test(start_paused = true)]
async fn a_hold_pauses_the_capture_and_what_is_keyed_meanwhile_is_dropped() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let listen = CaptureAction::Listen(Field::CardNumber);
    house.act(&capture, listen).await.unwrap();
    phone.key(&house, "4111");
    let keyed = |count: u8| move |view: &domain::view::CaptureView| view.fields[0].count == count;
    house.until_view(&capture, keyed(4)).await;
    house
        .control(&phone.id, CallControl::Hold(true))
        .await
        .unwrap();
    phone.key(&house, "222");
    house.settled().await;
    assert!(keyed(4)(&house.view(&capture).await.unwrap()));
    assert_eq!(
        house.line.count("unprotect"),
        0,
        "the mask never lifts because of a hold"
    );
    house
        .control(&phone.id, CallControl::Hold(false))
        .await
        .unwrap();
    phone.key(&house, "1111");
    house.until_view(&capture, keyed(8)).await;
}

#[tokio::test(start_paused = true)]
async fn s31_keys_of_the_page_are_refused_on_hold_and_in_a_capture_and_never_reach_it() {
    let house = house().await;
    let phone = house.call().await;
    let key = || CallControl::SendKey(Key::Digit(secret::Digit::from_ascii(b'4').unwrap()));
    assert!(house.control(&phone.id, key()).await.is_ok());
    house
        .control(&phone.id, CallControl::Hold(true))
        .await
        .unwrap();
    let on_hold = Err(DeskError::Disabled(ButtonDisabled::OnHold));
    assert_eq!(house.control(&phone.id, key()).await, on_hold);
    house
        .control(&phone.id, CallControl::Hold(false))
        .await
        .unwrap();
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    let listen = CaptureAction::Listen(Field::CardNumber);
    house.act(&capture, listen).await.unwrap();
    let in_capture = Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
    assert_eq!(house.control(&phone.id, key()).await, in_capture);
    let view = house.view(&capture).await.unwrap();
    assert_eq!((view.fields[0].count, view.stray_keys), (0, 0));
    assert_eq!(house.line.count("key"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_busy_changes_nothing() {
    let house = house().await;
    let phone = house.call().await;
    house
        .line
        .is_busy
        .store(true, std::sync::atomic::Ordering::SeqCst);
    for control in [CallControl::Mute(true), CallControl::Hold(true)] {
        assert_eq!(
            house.control(&phone.id, control).await,
            Err(DeskError::Busy)
        );
    }
    let view = &house.calls.calls(&house.actor).await.unwrap()[0];
    assert_eq!((view.agent_muted, view.held_by), (false, None));
}

#[tokio::test(start_paused = true)]
async fn nobody_controls_somebody_elses_call() {
    let house = house().await;
    let phone = house.call().await;
    let stranger = domain::access::Actor {
        user: domain::id::UserId::from_random(99),
        ..house.actor.clone()
    };
    let muted = house
        .calls
        .control(&stranger, &phone.id, CallControl::Mute(true));
    assert_eq!(muted.await, Err(DeskError::NotFound));
}
