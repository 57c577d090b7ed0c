//! Transfers that an agent's phone or a PBX asks for by signalling of its own.

use std::time::Duration;

use domain::access::{Actor, CustomRoles};
use domain::boundary::{
    CallEvents, CaptureDesk, LegCallIds, Referral, ReferralAnswer, ReferralWish, RouteTarget,
};
use domain::id::CallId;
use domain::service::{OnTransfer, ProtectionScope, Route};
use domain::view::{CallView, TransferFailure};
use domain::widget::WidgetOptions;

use super::fixtures::colleague;
use super::house::House;

async fn house() -> House {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    house.setup.users.lock().unwrap().push(colleague());
    // No number but its own leads anywhere.
    house.setup.service.lock().unwrap().numbers = vec!["4000".to_owned()];
    house.reload().await;
    house
}

fn lee() -> Actor {
    colleague().actor(&CustomRoles::default(), "-")
}

fn to(user: &str) -> Referral {
    Referral {
        wish: ReferralWish::Call,
        to: user.to_owned(),
        host: "192.0.2.1".to_owned(),
        trunk: None,
        phone: None,
    }
}

impl House {
    /// What is said to a referral.
    async fn refer(&self, call: &CallId, referral: Referral) -> ReferralAnswer {
        let before = self.line.answers.lock().unwrap().len();
        self.calls.referred(call, referral);
        for _ in 0..1_000 {
            if let Some(answer) = self.line.answers.lock().unwrap().get(before) {
                return answer.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no answer to a referral");
    }

    async fn view_of(&self, actor: &Actor, call: &CallId) -> Option<CallView> {
        let calls = self.calls.calls(actor).await.unwrap();
        calls.into_iter().find(|view| view.id == *call)
    }

    async fn goes_to(&self, actor: &Actor, call: &CallId) {
        let legs = LegCallIds::default();
        self.calls.transferred(call, Ok(legs));
        for _ in 0..1_000 {
            if self.view_of(actor, call).await.is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the call does not go over");
    }
}

#[tokio::test(start_paused = true)]
async fn another_agents_phone_rings_and_the_call_is_theirs() {
    let house = house().await;
    let phone = house.call().await;
    let answer = house.refer(&phone.id, to("lee")).await;
    let user = "lee".to_owned();
    let ring = ReferralAnswer::Ring(RouteTarget::Registered { user });
    assert_eq!(answer, ring);
    let view = house.view_of(&house.actor, &phone.id).await.unwrap();
    assert_eq!(view.transfer.unwrap().to, "Lee");
    assert_eq!(house.line.count("hold"), 1);
    let again = house.refer(&phone.id, to("lee")).await;
    assert_eq!(again, ReferralAnswer::Refuse(603), "one at a time");
    house.goes_to(&lee(), &phone.id).await;
    assert!(house.view_of(&house.actor, &phone.id).await.is_none());
    assert_eq!(house.line.count("resume"), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_busy_or_unknown_cannot_be_called() {
    let house = house().await;
    let phone = house.call().await;
    let (second, _keys) = house.incoming();
    while house.view_of(&lee(), &second).await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for (user, code) in [("lee", 486), ("kim", 486), ("+15550100", 403), ("", 403)] {
        let answer = house.refer(&phone.id, to(user)).await;
        assert_eq!(answer, ReferralAnswer::Fail(code), "{user}");
    }
    assert_eq!(house.line.count("hold"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_open_capture_stays_unless_the_service_says_that_it_ends() {
    for (wish, discards) in [(OnTransfer::Refuse, false), (OnTransfer::EndCapture, true)] {
        let house = house().await;
        house.setup.service.lock().unwrap().on_transfer = wish;
        house.reload().await;
        let mut phone = house.call().await;
        let capture = house.ready(&mut phone).await;
        let nowhere = house.refer(&phone.id, to("nobody")).await;
        let answer = house.refer(&phone.id, to("lee")).await;
        if discards {
            assert_eq!(nowhere, ReferralAnswer::Fail(403));
            assert!(matches!(answer, ReferralAnswer::Ring(_)));
        } else {
            assert_eq!(nowhere, ReferralAnswer::Refuse(603));
            assert_eq!(answer, ReferralAnswer::Refuse(603));
        }
        assert_eq!(house.view(&capture).await.is_err(), discards);
    }
}

#[tokio::test(start_paused = true)]
async fn a_charge_on_its_way_is_not_ended_by_a_phone() {
    let house = house().await;
    house.setup.service.lock().unwrap().on_transfer = OnTransfer::EndCapture;
    house.reload().await;
    *house.gateway.manner.lock().unwrap() = super::house::Manner::ApprovesAfter(300);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house.process(&capture, "a-press-before-it").await.unwrap();
    let answer = house.refer(&phone.id, to("lee")).await;
    assert_eq!(answer, ReferralAnswer::Refuse(603));
    // Whoever was to get it is free again.
    let targets = house.calls.transfer_targets(&house.actor, &phone.id);
    assert!(targets.unwrap().iter().all(|target| target.free));
}

#[tokio::test(start_paused = true)]
async fn a_pbx_is_asked_for_its_own_at_the_address_of_the_service_alone() {
    let house = house().await;
    house.setup.service.lock().unwrap().route = Route::Uri {
        uri: "sip:100@192.0.2.5".to_owned(),
        address: "192.0.2.5:5070".to_owned(),
        agent: Some("kim".to_owned()),
    };
    house.reload().await;
    let phone = house.call().await;
    let at = |host: &str, user: &str| Referral {
        host: host.to_owned(),
        ..to(user)
    };
    for (host, user) in [
        ("198.51.100.7", "300"),
        ("192.0.2.5", "300;user=phone"),
        ("192.0.2.5", ""),
    ] {
        let answer = house.refer(&phone.id, at(host, user)).await;
        assert_eq!(answer, ReferralAnswer::Fail(403), "{user}@{host}");
    }
    let answer = house.refer(&phone.id, at("192.0.2.5", "300")).await;
    let target = RouteTarget::Uri {
        uri: "sip:300@192.0.2.5".to_owned(),
        address: "192.0.2.5:5070".parse().unwrap(),
    };
    assert_eq!(answer, ReferralAnswer::Ring(target));
    house
        .calls
        .transferred(&phone.id, Ok(LegCallIds::default()));
    while house.view_of(&house.actor, &phone.id).await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(house.calls.count(), 1, "it goes on, and is nobody's");
}

#[tokio::test(start_paused = true)]
async fn a_pbx_that_is_a_trunk_is_asked_for_its_own_at_the_places_of_that_trunk() {
    let house = house().await;
    house.setup.service.lock().unwrap().route = Route::Trunk {
        trunk: "pbx".to_owned(),
        number: Some("100".to_owned()),
        agent: Some("kim".to_owned()),
    };
    house.reload().await;
    let phone = house.call().await;
    let at = |trunk: Option<&str>, user: &str| Referral {
        trunk: trunk.map(str::to_owned),
        ..to(user)
    };
    for (trunk, user) in [(None, "300"), (Some("carrier"), "300"), (Some("pbx"), "")] {
        let answer = house.refer(&phone.id, at(trunk, user)).await;
        assert_eq!(answer, ReferralAnswer::Fail(403), "{user} at {trunk:?}");
    }
    let answer = house.refer(&phone.id, at(Some("pbx"), "300")).await;
    let target = RouteTarget::Trunk {
        trunk: "pbx".to_owned(),
        number: "300".to_owned(),
    };
    assert_eq!(answer, ReferralAnswer::Ring(target));
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_calls_for_the_place_of_another_brings_its_own_agent() {
    let house = house().await;
    let phone = house.call().await;
    let replaces = |phone: &str| Referral {
        wish: ReferralWish::Replace,
        phone: Some(phone.to_owned()),
        ..to("x")
    };
    let answer = house.refer(&phone.id, replaces("kim")).await;
    assert_eq!(answer, ReferralAnswer::Take, "another of one's own");
    house.goes_to(&house.actor, &phone.id).await;
    let answer = house.refer(&phone.id, replaces("lee")).await;
    assert_eq!(answer, ReferralAnswer::Take);
    let failed = Err(TransferFailure::Unreachable);
    house.calls.transferred(&phone.id, failed);
    while house.line.count("resume") < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = house.refer(&phone.id, replaces("lee")).await;
    assert_eq!(answer, ReferralAnswer::Take);
    house.goes_to(&lee(), &phone.id).await;
}

#[tokio::test(start_paused = true)]
async fn the_far_side_of_another_call_brings_that_calls_agent() {
    let house = house().await;
    let (first, second) = (house.call().await, house.incoming());
    let legs = LegCallIds::default();
    house.calls.answered(&second.0, legs);
    while house.view_of(&lee(), &second.0).await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let joins = Referral {
        wish: ReferralWish::Join(second.0.clone()),
        ..to("lee")
    };
    let answer = house.refer(&first.id, joins).await;
    assert_eq!(answer, ReferralAnswer::Take);
    house
        .calls
        .ended(&second.0, domain::boundary::EndCause::Agent);
    house.goes_to(&lee(), &first.id).await;
}
