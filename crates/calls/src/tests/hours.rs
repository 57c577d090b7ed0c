//! Calls of a service that is closed. It is noon of a Sunday by UTC.

use std::time::Duration;

use domain::access::Permission;
use domain::boundary::{CallEvents, EndCause, NumberDesk, RouteTarget};
use domain::hours::{DayOfWeek, Hours, OpenSpan};
use domain::id::ServiceId;
use domain::number_pool::NumberPool;
use domain::pairing::{ExtensionFrom, Pairing};
use domain::service::{ProtectionScope, Route};
use domain::widget::WidgetOptions;

use super::house::House;
use super::pairing::{house as pbx, lee, with};

fn sundays(from: &str, until: &str, closed: Option<Route>) -> Hours {
    Hours {
        zone: "UTC".to_owned(),
        open: vec![OpenSpan {
            day: DayOfWeek::Sunday,
            from: from.to_owned(),
            until: until.to_owned(),
        }],
        closed_dates: Vec::new(),
        closed,
    }
}

fn elsewhere() -> Route {
    Route::Trunk {
        trunk: "carrier".to_owned(),
        number: Some("+15550199".to_owned()),
        agent: None,
    }
}

impl House {
    async fn set_hours(&self, hours: Hours) {
        self.setup.service.lock().unwrap().hours = Some(Box::new(hours));
        self.reload().await;
    }
}

async fn house() -> House {
    House::new(WidgetOptions::default(), ProtectionScope::Capture).await
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_closed_service_is_refused_and_told_when_it_opens() {
    let house = house().await;
    for (from, until, opens_in) in [
        ("12:30", "18:00", Duration::from_secs(30 * 60)),
        ("08:00", "12:00", Duration::from_secs((7 * 24 - 4) * 3_600)),
    ] {
        house.set_hours(sundays(from, until, None)).await;
        let (_id, _keys) = house.incoming();
        house.settle().await;
        assert_eq!(*house.line.opens_in.lock().unwrap(), Some(opens_in));
        assert_eq!(house.calls.count(), 0, "{from}");
    }
    assert_eq!(house.line.count("reject_closed"), 2);
    assert_eq!(house.has(&house.actor).await, None);
    assert!(house.line.routed.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_up_goes_on_when_its_service_closes() {
    let house = house().await;
    house.set_hours(sundays("12:00", "12:01", None)).await;
    let phone = house.call().await;
    house.set_hours(sundays("13:00", "24:00", None)).await;
    house.settle().await;
    assert_eq!(house.has(&house.actor).await.unwrap().id, phone.id);
    assert_eq!(house.line.count("reject_closed"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_closed_service_may_lead_its_calls_elsewhere_where_they_are_nobodys() {
    let by_extension = Pairing {
        extension: Some(ExtensionFrom::RequestUri),
        ..Pairing::default()
    };
    let house = pbx(by_extension).await;
    house
        .set_hours(sundays("08:00", "12:00", Some(elsewhere())))
        .await;
    let (id, _keys) = house.incoming_for("202", None);
    house.settle().await;
    let target = RouteTarget::Trunk {
        trunk: "carrier".to_owned(),
        number: "+15550199".to_owned(),
    };
    assert_eq!(house.line.routed.lock().unwrap().pop(), Some(target));
    assert_eq!((house.has(&lee()).await, house.calls.count()), (None, 1));
    house.calls.ended(&id, EndCause::Consumer);
    house
        .set_hours(sundays("08:00", "24:00", Some(elsewhere())))
        .await;
    let (id, _keys) = house.incoming_for("202", None);
    house.settle().await;
    assert_eq!(house.has(&lee()).await.unwrap().id, id, "open again");
}

#[tokio::test(start_paused = true)]
async fn a_closed_service_burns_no_reservation() {
    let house = pbx(Pairing::default()).await;
    let pool = NumberPool {
        numbers: vec!["+15550201".to_owned()],
        reserve_s: 60,
        quarantine_s: 30,
    };
    house.setup.service.lock().unwrap().pool = Some(pool);
    house
        .set_hours(sundays("08:00", "12:00", Some(elsewhere())))
        .await;
    let (sales, program) = (
        ServiceId::from_random(1),
        with(&lee(), Permission::CallBind),
    );
    let (desk, agent) = (&house.calls, lee().user);
    let reserved = desk.reserve_number(&program, &agent, &sales, None);
    reserved.await.unwrap();
    let (_id, _keys) = house.incoming_for("+15550201", None);
    house.settle().await;
    assert_eq!(house.has(&lee()).await, None);
    assert_eq!(house.calls.pool_numbers().reserved, 1);
}
