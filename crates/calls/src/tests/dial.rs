//! Calls that agents make.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::access::{Actor, CustomRoles, Permission};
use domain::audit::AuditAction;
use domain::availability::{NotReadyReason, Wish};
use domain::boundary::{
    CallEvents, CaptureDesk, DialDesk, EndCause, LegCallIds, PairingDesk, PhoneDesk, RouteTarget,
};
use domain::id::{CallId, UserId};
use domain::outbound::{
    DialFailure, DialNumber, DialOrder, DialRefusal, DialStep, NumberPattern, Outbound, WayOut,
};
use domain::payment::{AttemptState, Outcome};
use domain::service::{ProtectionScope, Route};
use domain::view::{CallState, DeskError};
use domain::widget::WidgetOptions;
use serde_json::json;

use super::fixtures::colleague;
use super::house::{House, Phone};

async fn house() -> House {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    house.setup.users.lock().unwrap().push(colleague());
    house.setup.service.lock().unwrap().outbound = Some(Outbound {
        route: WayOut::Uri {
            uri: "sip:{number}@192.0.2.5".to_owned(),
            address: "192.0.2.5:5060".to_owned(),
        },
        caller_number: "+15550199".to_owned(),
        numbers: vec![NumberPattern::parse("+1555*").unwrap()],
    });
    house.reload().await;
    house
}

fn lee() -> Actor {
    colleague().actor(&CustomRoles::default(), "-")
}

fn order(agent: &UserId, number: &str) -> DialOrder {
    DialOrder {
        agent: agent.clone(),
        number: DialNumber::parse(number).unwrap(),
        service: None,
    }
}

impl House {
    async fn dial(&self, number: &str) -> Result<CallId, DeskError> {
        let order = order(&self.actor.user, number);
        self.calls.dial(&self.actor, order).await
    }

    /// What the page was told last of a call that is over.
    fn last_told(&self, call: &CallId) -> serde_json::Value {
        let told = self.pages.0.lock().unwrap();
        let mut of_call = told.iter().rev().filter(|event| event.topic == "call");
        let last = of_call.find(|event| event.body["id"] == json!(call));
        last.unwrap().body.clone()
    }

    async fn until_gone(&self) {
        for _ in 0..1_000 {
            if self.calls.count() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a call is left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_is_called_from_the_agents_own_phone_by_the_services_trunk() {
    let house = house().await;
    let call = house.dial("+1 555 0100").await.unwrap();
    {
        let dialled = house.line.dialled.lock().unwrap();
        let [dial] = &dialled[..] else {
            panic!("one call is made")
        };
        assert_eq!(dial.id, call);
        let user = "kim".to_owned();
        assert_eq!(dial.agent, RouteTarget::Registered { user });
        let uri = "sip:+15550100@192.0.2.5".to_owned();
        let address = "192.0.2.5:5060".parse().unwrap();
        assert_eq!(dial.consumer, RouteTarget::Uri { uri, address });
        assert_eq!(dial.shown, "+15550199");
    }
    let steps = |step| house.until_call(&call, move |view| view.dialled.unwrap().step == step);
    steps(DialStep::AgentPhone).await;
    house.calls.dialled(&call, DialStep::Calling);
    steps(DialStep::Calling).await;
    house.calls.dialled(&call, DialStep::Ringing);
    steps(DialStep::Ringing).await;
    house.calls.answered(&call, LegCallIds::default());
    let connected = |view: &domain::view::CallView| view.state == CallState::Connected;
    house.until_call(&call, connected).await;
    let entries = house.books.entries.lock().unwrap().clone();
    let entry = entries
        .iter()
        .find(|entry| entry.action == AuditAction::CallDialled);
    let entry = entry.unwrap();
    assert_eq!(entry.detail, json!({"agent": "kim", "service": "Sales"}));
    assert_eq!(
        (&*entry.actor, &entry.object),
        ("kim", &format!("call {call}"))
    );
    assert!(
        !entries
            .iter()
            .any(|entry| entry.detail.to_string().contains("5550100"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_is_called_at_a_trunk_by_its_name() {
    let house = house().await;
    let trunk = "carrier".to_owned();
    let way = WayOut::Trunk {
        trunk: trunk.clone(),
    };
    (house.setup.service.lock().unwrap().outbound.as_mut())
        .unwrap()
        .route = way;
    house.reload().await;
    house.dial("+1 555 0100").await.unwrap();
    let dial = house.line.dialled.lock().unwrap().pop().unwrap();
    let number = "+15550100".to_owned();
    assert_eq!(dial.consumer, RouteTarget::Trunk { trunk, number });
}

#[tokio::test(start_paused = true)]
async fn a_card_is_captured_and_charged_on_a_call_that_was_made() {
    let house = house().await;
    let call = house.dial("+15550100").await.unwrap();
    house.calls.answered(&call, LegCallIds::default());
    let connected = |view: &domain::view::CallView| view.state == CallState::Connected;
    house.until_call(&call, connected).await;
    let dial = house.line.dialled.lock().unwrap().pop().unwrap();
    let mut phone = Phone::new(call, dial.keys);
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-of-the-button")
        .await
        .unwrap();
    let approved = domain::capture::CaptureState::Approved;
    house.until(&capture, approved).await;
    assert_eq!(house.states(), [AttemptState::Final(Outcome::Approved)]);
}

#[tokio::test(start_paused = true)]
async fn what_no_service_dials_is_refused_counted_and_rings_nobody() {
    let house = house().await;
    for number in ["+44 20 7946 0000", "911", "+19005550100"] {
        let refused = house.dial(number).await;
        assert_eq!(
            refused,
            Err(DeskError::Dial(DialRefusal::NotAllowed)),
            "{number}"
        );
    }
    assert_eq!(house.calls.numbers_refused(), 3);
    house.setup.service.lock().unwrap().outbound = None;
    house.reload().await;
    let refused = house.dial("+15550100").await;
    assert_eq!(refused, Err(DeskError::Dial(DialRefusal::NoService)));
    assert!(!house.calls.may_dial(&house.actor));
    assert_eq!((house.line.count("dial"), house.calls.count()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_agent_with_a_call_makes_no_other_and_one_who_takes_none_may() {
    let house = house().await;
    house
        .calls
        .set_availability(&house.actor, Wish::NotReady(NotReadyReason::Break));
    let first = house.dial("+15550100").await.unwrap();
    assert_eq!(house.dial("+15550101").await, Err(DeskError::AgentHasCall));
    house.calls.ended(&first, EndCause::Agent);
    house.until_gone().await;
    assert!(house.dial("+15550101").await.is_ok(), "free again");
}

#[tokio::test(start_paused = true)]
async fn a_program_has_a_number_called_for_an_agent_who_is_ready() {
    let house = house().await;
    let stranger = Actor {
        permissions: [Permission::CallDial, Permission::CaptureStart].into(),
        ..lee()
    };
    let for_kim = || order(&house.actor.user, "+15550100");
    let refused = house.calls.dial(&stranger, for_kim()).await;
    assert_eq!(refused, Err(DeskError::NotFound), "not for somebody else");
    let program = Actor {
        permissions: [Permission::CallDialFor].into(),
        ..lee()
    };
    house
        .calls
        .set_availability(&house.actor, Wish::NotReady(NotReadyReason::Break));
    let refused = house.calls.dial(&program, for_kim()).await;
    assert_eq!(refused, Err(DeskError::AgentNotFree));
    house.calls.set_availability(&house.actor, Wish::Ready);
    assert!(house.calls.dial(&program, for_kim()).await.is_ok());
    let nobody = order(&UserId::from_random(99), "+15550100");
    assert_eq!(
        house.calls.dial(&program, nobody).await,
        Err(DeskError::NotFound)
    );
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_role_does_not_dial_makes_no_call() {
    let house = house().await;
    let mut actor = house.actor.clone();
    actor.permissions.remove(&Permission::CallDial);
    let refused = house.calls.dial(&actor, order(&actor.user, "+15550100"));
    assert_eq!(refused.await, Err(DeskError::NotFound));
    assert!(!house.calls.may_dial(&actor) && house.calls.may_dial(&house.actor));
}

#[tokio::test(start_paused = true)]
async fn the_page_is_told_why_a_number_was_not_reached_and_the_agent_is_free() {
    let house = house().await;
    for (cause, why) in [
        (EndCause::AgentNotReached(480), DialFailure::AgentPhone),
        (EndCause::NotAnswered(486), DialFailure::Busy),
        (EndCause::NotAnswered(480), DialFailure::NoAnswer),
        (EndCause::NotAnswered(603), DialFailure::Declined),
        (EndCause::NotAnswered(404), DialFailure::WrongNumber),
        (EndCause::NotAnswered(503), DialFailure::Unreachable),
        (EndCause::Failure, DialFailure::Unreachable),
    ] {
        let call = house.dial("+15550100").await.unwrap();
        house.calls.ended(&call, cause);
        house.until_gone().await;
        let told = house.last_told(&call);
        assert_eq!(
            (&told["state"], &told["dialled"]["failed"]),
            (&json!("ended"), &json!(why))
        );
    }
    let call = house.dial("+15550100").await.unwrap();
    house.calls.ended(&call, EndCause::Agent);
    house.until_gone().await;
    assert_eq!(
        house.last_told(&call)["dialled"]["failed"],
        json!(null),
        "given up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_made_rings_in_the_page_and_says_that_it_is_to_be_taken() {
    let house = house().await;
    house
        .calls
        .phone_on(&house.actor, "a-tab-of-the-agent", false)
        .unwrap();
    let call = house.dial("+15550100").await.unwrap();
    let user = house.actor.user.clone();
    let browser = RouteTarget::Browser { user };
    assert_eq!(house.line.dialled.lock().unwrap()[0].agent, browser);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let ring = json!({"kind": "ring", "call": call, "dialled": true});
    let told = house.pages.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|event| event.topic == "phone" && event.body == ring)
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_not_dialled_and_a_busy_line_leaves_nothing_behind() {
    let house = house().await;
    house.line.is_busy.store(true, Ordering::SeqCst);
    assert_eq!(house.dial("+15550100").await, Err(DeskError::Busy));
    assert_eq!(house.calls.count(), 0);
    house.line.is_busy.store(false, Ordering::SeqCst);
    assert!(house.dial("+15550100").await.is_ok(), "the agent is free");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_an_agent_makes_by_a_pbx_is_nobody_elses() {
    let house = house().await;
    house.setup.service.lock().unwrap().route = Route::Uri {
        uri: "sip:100@192.0.2.5".to_owned(),
        address: "192.0.2.5:5060".to_owned(),
        agent: None,
    };
    house.reload().await;
    let call = house.dial("+15550100").await.unwrap();
    house.calls.answered(&call, LegCallIds::default());
    let mut chief = lee();
    chief.permissions.insert(Permission::CallPick);
    assert!(house.calls.service_calls(&chief).await.unwrap().is_empty());
    let to = chief.user.clone();
    let picked = house.calls.pick(&chief, &call, &to, true);
    assert_eq!(picked.await, Err(DeskError::NotFound));
    let released = house.calls.release(&house.actor, &call).await;
    assert_eq!(released, Err(DeskError::NotPaired));
}
