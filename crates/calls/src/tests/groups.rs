//! Agents in groups, and services whose calls are for one of them.

use domain::access::{GroupName, User};
use domain::boundary::{CallEvents, DialDesk, EndCause, LegCallIds};
use domain::control::CallControl;
use domain::id::ServiceId;
use domain::outbound::{DialNumber, DialOrder, DialRefusal, NumberPattern, Outbound, WayOut};
use domain::queue::Overflow;
use domain::service::{Route, Service};
use domain::view::DeskError;

use super::fixtures::colleague;
use super::house::House;
use super::queue::{kim, lee};

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

fn only(name: &str) -> Route {
    let group = Some(group(name));
    Route::Agents { group }
}

/// Lee is in Sales and kim in no group; 4000 is for all, 5000 for Sales. Nobody takes calls.
async fn house() -> House {
    let house = super::queue::house(Overflow::Busy).await;
    house.put_in(&colleague(), &["Sales"]).await;
    let of_all = house.setup.service.lock().unwrap().clone();
    let of_sales = Service {
        id: ServiceId::from_random(2),
        name: "VIP".to_owned(),
        numbers: vec!["5000".to_owned()],
        route: only("sales"),
        ..of_all
    };
    house.setup.more_services.lock().unwrap().push(of_sales);
    house.reload().await;
    house
}

impl House {
    async fn put_in(&self, user: &User, groups: &[&str]) {
        for one in &mut *self.setup.users.lock().unwrap() {
            if one.id == user.id {
                one.groups = groups.iter().map(|name| group(name)).collect();
            }
        }
        self.reload().await;
    }

    async fn without_queues(&self) {
        self.setup.service.lock().unwrap().queue = None;
        self.setup.more_services.lock().unwrap()[0].queue = None;
        self.reload().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_for_a_group_rings_its_agent_and_is_refused_while_none_of_it_is_free() {
    let house = house().await;
    house.without_queues().await;
    house.takes_calls(&kim(), true);
    let (_early, _keys) = house.incoming_for("5000", None);
    house.until_noted("reject", 1).await;
    // Lee has talked a moment ago, and kim is idle for longer.
    house.takes_calls(&lee(), true);
    let (before, _keys) = house.incoming_for("5000", None);
    house.rings(&lee(), &before).await;
    house.calls.ended(&before, EndCause::Consumer);
    house.settle().await;
    let (vip, _keys) = house.incoming_for("5000", None);
    house.rings(&lee(), &vip).await;
    let (_second, _keys) = house.incoming_for("5000", None);
    house.until_noted("reject", 2).await;
    let (anybody, _keys) = house.incoming();
    house.rings(&kim(), &anybody).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_who_becomes_free_gets_the_first_caller_they_may_take() {
    let house = house().await;
    let (vip, _one) = house.waits_for("5000").await;
    let (anybody, _two) = house.waits_for("4000").await;
    house.takes_calls(&kim(), true);
    house.rings(&kim(), &anybody).await;
    house.calls.answered(&anybody, LegCallIds::default());
    house.settle().await;
    let places = house.waiting();
    assert_eq!(places.len(), 1);
    assert_eq!((&places[0].id, places[0].rings), (&vip, false));
    house.takes_calls(&lee(), true);
    house.rings(&lee(), &vip).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_a_group_takes_whoever_came_first_of_all_whom_they_may() {
    let house = house().await;
    let (anybody, _one) = house.waits_for("4000").await;
    let (vip, _two) = house.waits_for("5000").await;
    house.takes_calls(&lee(), true);
    house.rings(&lee(), &anybody).await;
    house.calls.ended(&anybody, EndCause::Consumer);
    house.rings(&lee(), &vip).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_call_for_others_does_not_wait_behind_a_group_that_is_busy() {
    let house = house().await;
    let (_vip, _one) = house.waits_for("5000").await;
    house.takes_calls(&kim(), true);
    let (anybody, _two) = house.incoming();
    house.rings(&kim(), &anybody).await;
    assert_eq!(house.line.count("music"), 1, "they heard ringing at once");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_put_in_a_group_gets_its_callers_who_wait_already() {
    let house = house().await;
    house.put_in(&colleague(), &[]).await;
    house.takes_calls(&kim(), true);
    house.takes_calls(&lee(), true);
    let (vip, _one) = house.waits_for("5000").await;
    house.put_in(&colleague(), &["Night", "SALES"]).await;
    house.rings(&lee(), &vip).await;
}

#[tokio::test(start_paused = true)]
async fn a_services_calls_out_are_those_of_its_group() {
    let house = house().await;
    {
        let mut service = house.setup.service.lock().unwrap();
        service.route = only("Sales");
        service.outbound = Some(Outbound {
            route: WayOut::Trunk {
                trunk: "carrier".to_owned(),
            },
            caller_number: "+15550199".to_owned(),
            numbers: vec![NumberPattern::parse("+1555*").unwrap()],
        });
    }
    house.reload().await;
    let by = |service: Option<u128>| DialOrder {
        agent: kim().user,
        number: DialNumber::parse("+1 555 0100").unwrap(),
        service: service.map(ServiceId::from_random),
    };
    assert!(!house.calls.may_dial(&kim()) && house.calls.may_dial(&lee()));
    let refused = Err(DeskError::Dial(DialRefusal::NoService));
    assert_eq!(house.calls.dial(&kim(), by(None)).await, refused);
    assert_eq!(house.calls.dial(&kim(), by(Some(1))).await, refused);
    house.put_in(&super::fixtures::agent(), &["sales"]).await;
    assert!(house.calls.may_dial(&kim()));
    assert!(house.calls.dial(&kim(), by(Some(1))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_group_is_handed_over_to_any_agent() {
    let house = house().await;
    house.put_in(&super::fixtures::agent(), &["Sales"]).await;
    house.put_in(&colleague(), &[]).await;
    house.takes_calls(&kim(), true);
    let (vip, _keys) = house.incoming_for("5000", None);
    house.rings(&kim(), &vip).await;
    house.calls.answered(&vip, LegCallIds::default());
    house
        .until_call(&vip, |view| view.answered_at.is_some())
        .await;
    house.takes_calls(&lee(), true);
    let to = lee().user;
    let discard = false;
    let transfer = CallControl::Transfer { to, discard };
    house.control(&vip, transfer).await.unwrap();
    assert_eq!(house.line.count("transfer"), 1);
}
