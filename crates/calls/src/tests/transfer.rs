//! Calls that go from one agent to another.

use std::time::Duration;

use domain::access::{Actor, CustomRoles};
use domain::audit::AuditAction;
use domain::availability::{NotReadyReason, Wish};
use domain::boundary::{Audience, CallEvents, CaptureAction, CaptureDesk, EndCause, LegCallIds};
use domain::capture::CaptureState;
use domain::control::CallControl;
use domain::id::{CallId, UserId};
use domain::service::ProtectionScope;
use domain::view::{
    ButtonDisabled, CallState, CallView, DeskError, Holder, TransferFailure, TransferView,
};
use domain::widget::WidgetOptions;

use super::fixtures::colleague;
use super::house::House;

async fn house() -> House {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    house.setup.users.lock().unwrap().push(colleague());
    house.reload().await;
    house
}

fn lee() -> Actor {
    colleague().actor(&CustomRoles::default(), "-")
}

impl House {
    async fn transfer(&self, call: &CallId, discard: bool) -> Result<CallView, DeskError> {
        let to = lee().user;
        self.control(call, CallControl::Transfer { to, discard })
            .await
    }

    /// The call as this agent has it; none: it is not theirs.
    async fn call_of(&self, actor: &Actor, call: &CallId) -> Option<CallView> {
        let calls = self.calls.calls(actor).await.unwrap();
        calls.into_iter().find(|view| view.id == *call)
    }

    async fn until_settled(&self, actor: &Actor, call: &CallId) -> CallView {
        for _ in 0..1_000 {
            let view = self.call_of(actor, call).await;
            let rings = |view: &CallView| {
                let transfer = view.transfer.as_ref();
                transfer.is_some_and(|transfer| transfer.failed.is_none())
            };
            if let Some(view) = view.filter(|view| !rings(view)) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the transfer does not settle");
    }

    /// How a call for any agent goes: to whom it rings.
    async fn next_call_rings(&self) -> Option<UserId> {
        let rejected = self.line.count("reject");
        let (id, _keys) = self.incoming();
        loop {
            for actor in [&self.actor, &lee()] {
                if self.call_of(actor, &id).await.is_some() {
                    self.calls.ended(&id, EndCause::Consumer);
                    return Some(actor.user.clone());
                }
            }
            if self.line.count("reject") > rejected {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn transfers_in_trail(&self) -> Vec<String> {
        let entries = self.books.entries.lock().unwrap();
        let transfers = entries
            .iter()
            .filter(|entry| entry.action == AuditAction::CallTransferred);
        transfers
            .map(|entry| format!("{} {}", entry.actor, entry.detail["to"]))
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_other_agents_answer_makes_the_call_theirs() {
    let house = house().await;
    let phone = house.call().await;
    house
        .control(&phone.id, CallControl::Mute(true))
        .await
        .unwrap();
    let view = house.transfer(&phone.id, false).await.unwrap();
    let rings = TransferView {
        to: "Lee".to_owned(),
        failed: None,
    };
    assert_eq!(view.transfer, Some(rings));
    assert_eq!(
        (view.state, view.held_by),
        (CallState::Held, Some(Holder::Agent))
    );
    assert_eq!(house.next_call_rings().await, None, "both are taken");
    house
        .calls
        .transferred(&phone.id, Ok(LegCallIds::default()));
    let view = house.until_settled(&lee(), &phone.id).await;
    assert_eq!((view.state, view.held_by), (CallState::Connected, None));
    assert_eq!((view.agent_muted, view.transfer), (false, None));
    assert_eq!(
        view.buttons.len(),
        2,
        "the buttons of the desktop that is theirs"
    );
    assert!(house.call_of(&house.actor, &phone.id).await.is_none());
    let muted = house.control(&phone.id, CallControl::Mute(true)).await;
    assert_eq!(muted, Err(DeskError::NotFound));
    assert_eq!(house.line.count("resume"), 1);
    {
        let told = house.pages.0.lock().unwrap();
        let kims = Audience::User(house.actor.user.clone());
        let to_kim = told
            .iter()
            .rfind(|event| event.topic == "call" && event.audience == kims);
        assert_eq!(to_kim.unwrap().body["state"], "ended");
    }
    house.calls.drain(Duration::from_millis(200)).await;
    assert_eq!(house.transfers_in_trail(), ["kim \"lee\""]);
}

#[tokio::test(start_paused = true)]
async fn who_has_handed_a_call_over_is_free_and_who_has_it_is_not() {
    let house = house().await;
    let phone = house.call().await;
    house.transfer(&phone.id, false).await.unwrap();
    house
        .calls
        .transferred(&phone.id, Ok(LegCallIds::default()));
    house.until_settled(&lee(), &phone.id).await;
    assert_eq!(
        house.next_call_rings().await,
        Some(house.actor.user.clone())
    );
    house.calls.ended(&phone.id, EndCause::Consumer);
    while house.call_of(&lee(), &phone.id).await.is_some() {
        tokio::task::yield_now().await;
    }
    let targets = house.calls.calls(&lee()).await.unwrap();
    assert!(targets.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_fails_gives_the_call_back_as_it_was_and_says_why() {
    let house = house().await;
    let phone = house.call().await;
    for (was_held, why) in [
        (false, TransferFailure::Busy),
        (true, TransferFailure::NoAnswer),
    ] {
        house
            .control(&phone.id, CallControl::Hold(was_held))
            .await
            .unwrap();
        house.transfer(&phone.id, false).await.unwrap();
        house.calls.transferred(&phone.id, Err(why));
        let view = house.until_settled(&house.actor, &phone.id).await;
        assert_eq!(view.transfer.unwrap().failed, Some(why));
        assert_eq!(view.held_by.is_some(), was_held);
        assert_eq!(
            house.next_call_rings().await,
            Some(lee().user),
            "is free again"
        );
    }
    assert!(house.transfers_in_trail().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_capture_is_discarded_only_if_the_agent_says_so() {
    let house = house().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let refused = house.transfer(&phone.id, false).await;
    let open = DeskError::Disabled(ButtonDisabled::CaptureOpen);
    assert_eq!(refused, Err(open));
    assert!(house.view(&capture).await.is_ok());
    assert_eq!(house.line.count("transfer"), 0);
    let view = house.transfer(&phone.id, true).await.unwrap();
    assert!(view.capture.is_none());
    assert_eq!(house.view(&capture).await, Err(DeskError::NotFound));
    house
        .calls
        .transferred(&phone.id, Ok(LegCallIds::default()));
    house.until_settled(&lee(), &phone.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_charge_on_its_way_is_not_discarded() {
    let house = house().await;
    *house.gateway.manner.lock().unwrap() = super::house::Manner::ApprovesAfter(300);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house.process(&capture, "a-press-before-it").await.unwrap();
    let refused = house.transfer(&phone.id, true).await;
    assert_eq!(
        refused,
        Err(DeskError::WrongState(CaptureState::Processing))
    );
    house.until(&capture, CaptureState::Approved).await;
    assert_eq!(
        house.next_call_rings().await,
        Some(lee().user),
        "is free again"
    );
    house.act(&capture, CaptureAction::Close).await.unwrap();
    assert!(house.transfer(&phone.id, false).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_is_on_a_call_has_no_phone_or_is_oneself_gets_none() {
    let house = house().await;
    let (first, second) = (house.call().await, house.incoming());
    house.calls.answered(&second.0, LegCallIds::default());
    let targets = |house: &House| {
        house
            .calls
            .transfer_targets(&house.actor, &first.id)
            .unwrap()
    };
    while targets(&house).iter().any(|target| target.free) {
        tokio::task::yield_now().await;
    }
    let names: Vec<_> = targets(&house)
        .into_iter()
        .map(|target| target.name)
        .collect();
    assert_eq!(names, ["Lee"]);
    assert_eq!(
        house.transfer(&first.id, false).await,
        Err(DeskError::AgentNotFree)
    );
    for to in [house.actor.user.clone(), UserId::from_random(99)] {
        let transfer = CallControl::Transfer { to, discard: true };
        let refused = house.control(&first.id, transfer).await;
        assert_eq!(refused, Err(DeskError::AgentNotFree));
    }
    let others = house.calls.transfer_targets(&lee(), &first.id);
    assert_eq!(others, Err(DeskError::NotFound));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_ready_gets_none() {
    let house = house().await;
    let phone = house.call().await;
    let meal = Wish::NotReady(NotReadyReason::Meal);
    house.calls.set_availability(&lee(), meal);
    let targets = house.calls.transfer_targets(&house.actor, &phone.id);
    assert!(!targets.unwrap()[0].free);
    let refused = house.transfer(&phone.id, false).await;
    assert_eq!(refused, Err(DeskError::AgentNotFree));
    house.calls.set_availability(&lee(), Wish::Ready);
    assert!(house.transfer(&phone.id, false).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn while_it_rings_there_is_one_transfer_no_resuming_and_no_widget() {
    let house = house().await;
    let phone = house.call().await;
    let none = house.control(&phone.id, CallControl::CancelTransfer).await;
    assert_eq!(none, Err(DeskError::Transfer));
    house.transfer(&phone.id, false).await.unwrap();
    assert_eq!(
        house.transfer(&phone.id, false).await,
        Err(DeskError::Transfer)
    );
    let resumed = house.control(&phone.id, CallControl::Hold(false)).await;
    assert_eq!(resumed, Err(DeskError::Transfer));
    let opened = house.open(&phone.id).await;
    assert_eq!(opened, Err(DeskError::Disabled(ButtonDisabled::OnHold)));
    house
        .control(&phone.id, CallControl::CancelTransfer)
        .await
        .unwrap();
    assert_eq!(house.line.count("cancel transfer"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_call_while_it_rings_frees_both() {
    let house = house().await;
    let phone = house.call().await;
    house.transfer(&phone.id, false).await.unwrap();
    house.calls.ended(&phone.id, EndCause::Consumer);
    while house.calls.count() > 0 {
        tokio::task::yield_now().await;
    }
    let calls = [house.incoming(), house.incoming()];
    for actor in [&house.actor, &lee()] {
        let rings = async {
            loop {
                for (id, _keys) in &calls {
                    if house.call_of(actor, id).await.is_some() {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let rings = tokio::time::timeout(Duration::from_secs(10), rings);
        assert!(rings.await.is_ok(), "{} is free", actor.name);
    }
}
