//! Numbers that are reserved for agents.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::access::{Actor, Permission};
use domain::audit::AuditAction;
use domain::boundary::{CallEvents, EndCause, NumberDesk};
use domain::id::{ReservationId, ServiceId};
use domain::number_pool::{NumberPool, NumberReservation, Standing};
use domain::outbound::DialNumber;
use domain::pairing::{ExtensionFrom, Pairing};
use domain::service::Route;
use domain::view::DeskError;

use super::house::House;
use super::pairing::{house as pbx, lee, with};

/// A service of a PBX with a pool of so many numbers.
async fn house(numbers: usize, pairing: Pairing) -> House {
    let house = pbx(pairing).await;
    house.setup.service.lock().unwrap().pool = Some(NumberPool {
        numbers: (1..=numbers)
            .map(|place| format!("+1555020{place}"))
            .collect(),
        reserve_s: 60,
        quarantine_s: 30,
    });
    house.reload().await;
    house
}

impl House {
    async fn reserve(
        &self,
        by: &Actor,
        agent: &Actor,
        from: Option<&str>,
    ) -> Result<NumberReservation, DeskError> {
        let sales = ServiceId::from_random(1);
        let from = from.map(|from| DialNumber::parse(from).unwrap());
        let desk = &self.calls;
        desk.reserve_number(by, &agent.user, &sales, from).await
    }

    fn entries(&self, action: AuditAction) -> Vec<String> {
        let entries = self.books.entries.lock().unwrap();
        let of = entries.iter().filter(|entry| entry.action == action);
        of.map(|entry| format!("{} {} {}", entry.actor, entry.object, entry.detail))
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_on_a_reserved_number_is_its_agents_and_the_next_one_is_nobodys() {
    let house = house(2, Pairing::default()).await;
    let kim = house.actor.clone();
    let got = house.reserve(&kim, &kim, None).await.unwrap();
    assert_eq!(house.reserve(&kim, &kim, None).await.unwrap(), got);
    let (id, _keys) = house.incoming_for(&got.number, None);
    let (_second, _keys) = house.incoming_for(&got.number, None);
    house.settle().await;
    assert_eq!(house.has(&kim).await.unwrap().id, id);
    assert_eq!(house.trail(), ["system \"kim\" \"number\""]);
    let reserved = house.entries(AuditAction::NumberReserved);
    let detail = r#"{"agent":"kim","number":"+15550201"}"#;
    assert_eq!(reserved, [format!("kim service Sales {detail}")]);
    let standing = Standing {
        reserved: 0,
        resting: 1,
        free: 1,
    };
    assert_eq!(house.calls.pool_numbers(), standing);
    assert_eq!(
        house.reserve(&kim, &kim, None).await,
        Err(DeskError::AgentHasCall)
    );
    house.calls.ended(&id, EndCause::Consumer);
    house.settle().await;
    let next = house.reserve(&kim, &kim, None).await.unwrap();
    assert_ne!(next.number, got.number, "it rests");
}

#[tokio::test(start_paused = true)]
async fn a_call_from_somebody_else_is_not_the_agents_and_burns_nothing() {
    let house = house(1, Pairing::default()).await;
    let program = with(&house.actor, Permission::CallBind);
    let got = house.reserve(&program, &lee(), Some("+1 555 0177")).await;
    let got = got.unwrap();
    let (_other, _keys) = house.incoming_for(&got.number, None);
    house.settle().await;
    assert_eq!(house.has(&lee()).await, None);
    let (id, _keys) = house.incoming_from("15550177", &got.number, None);
    house.settle().await;
    assert_eq!(house.has(&lee()).await.unwrap().id, id);
    let entries = house.books.entries.lock().unwrap();
    let trail = format!("{entries:?}");
    assert!(trail.contains("NumberReserved") && !trail.contains("0177"));
}

#[tokio::test(start_paused = true)]
async fn all_reserved_says_when_one_is_free_and_is_counted() {
    let house = house(1, Pairing::default()).await;
    let (kim, lee) = (house.actor.clone(), lee());
    let got = house.reserve(&kim, &kim, None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let full = house.reserve(&lee, &lee, None).await;
    let after = Duration::from_secs(70);
    assert_eq!(full, Err(DeskError::NumbersReserved(after)));
    assert_eq!(house.calls.reservations_refused(), 1);
    house.calls.give_number_back(&kim, &got.id).unwrap();
    let after = Duration::from_secs(30);
    let full = house.reserve(&lee, &lee, None).await;
    assert_eq!(full, Err(DeskError::NumbersReserved(after)));
    tokio::time::sleep(after).await;
    assert_eq!(
        house.reserve(&lee, &lee, None).await.unwrap().number,
        got.number
    );
    house.settle().await;
    let back = house.entries(AuditAction::NumberGivenBack);
    assert_eq!(back, [r#"kim service Sales {"number":"+15550201"}"#]);
}

#[tokio::test(start_paused = true)]
async fn nobody_reserves_for_another_or_gives_theirs_back_without_the_right() {
    let house = house(2, Pairing::default()).await;
    let (kim, lee) = (house.actor.clone(), lee());
    let none = Err(DeskError::NotFound);
    assert_eq!(house.reserve(&kim, &lee, None).await, none);
    let got = house.reserve(&lee, &lee, None).await.unwrap();
    let back = |by: &Actor, id| house.calls.give_number_back(by, id);
    assert_eq!(back(&kim, &got.id), Err(DeskError::NotFound));
    let unknown = ReservationId::from_random(7);
    assert_eq!(back(&lee, &unknown), Err(DeskError::NotFound));
    let program = with(&kim, Permission::CallBind);
    assert_eq!(back(&program, &got.id), Ok(()));
    assert_eq!(back(&lee, &got.id), Err(DeskError::NotFound));
}

#[tokio::test(start_paused = true)]
async fn a_service_without_pool_or_for_others_or_that_rings_agents_itself_reserves_nothing() {
    let named = Pairing {
        agents: BTreeSet::from([lee().user]),
        ..Pairing::default()
    };
    let house = house(1, named).await;
    let kim = house.actor.clone();
    let refused = Err(DeskError::NotPaired);
    assert_eq!(house.reserve(&kim, &kim, None).await, refused);
    house.setup.service.lock().unwrap().pool = None;
    house.reload().await;
    assert_eq!(house.reserve(&lee(), &lee(), None).await, refused);
    let elsewhere = ServiceId::from_random(9);
    let unknown = house
        .calls
        .reserve_number(&kim, &kim.user, &elsewhere, None);
    assert_eq!(unknown.await, Err(DeskError::NotFound));
    let house = self::house(1, Pairing::default()).await;
    house.setup.service.lock().unwrap().route = Route::Agents { group: None };
    house.reload().await;
    assert_eq!(house.reserve(&kim, &kim, None).await, refused);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_is_more_than_an_extension_and_no_agent_who_is_gone_gets_it() {
    let by_extension = Pairing {
        extension: Some(ExtensionFrom::RequestUri),
        ..Pairing::default()
    };
    let house = house(1, by_extension).await;
    let kim = house.actor.clone();
    // The number of the pool is Lee's extension, too.
    house.setup.users.lock().unwrap()[1].extension = Some("+15550201".to_owned());
    house.reload().await;
    house.reserve(&kim, &kim, None).await.unwrap();
    let (id, _keys) = house.incoming_for("+15550201", None);
    house.settle().await;
    assert_eq!(house.has(&kim).await.unwrap().id, id);
    house.calls.ended(&id, EndCause::Consumer);
    tokio::time::sleep(Duration::from_secs(30)).await;
    house.reserve(&kim, &kim, None).await.unwrap();
    house.setup.users.lock().unwrap()[0].enabled = false;
    house.reload().await;
    let (id, _keys) = house.incoming_for("+15550201", None);
    house.settle().await;
    assert_eq!(house.has(&lee()).await.unwrap().id, id);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_in_the_trail_is_not_reserved() {
    let house = house(1, Pairing::default()).await;
    let kim = house.actor.clone();
    *house.books.down.lock().unwrap() = Some(|_| true);
    let refused = house.reserve(&kim, &kim, None).await;
    assert_eq!(refused, Err(DeskError::Unrecordable));
    assert_eq!(house.calls.pool_numbers().reserved, 0);
}
