//! Agents whose phone is their page.

use std::time::Duration;

use domain::access::{Actor, CustomRoles};
use domain::boundary::{
    Audience, CallEvents, CaptureDesk, EndCause, LegCallIds, PHONE_ON_S, PhoneAsk, PhoneDesk,
    PhoneRefused,
};
use domain::control::CallControl;
use domain::id::CallId;
use domain::service::ProtectionScope;
use domain::view::{CallView, TransferFailure};
use domain::widget::WidgetOptions;
use serde_json::{Value, json};

use super::fixtures::colleague;
use super::house::House;

const TAB: &str = "a-tab-of-the-agent";
const OTHER_TAB: &str = "another-tab-of-theirs";

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
    /// What an agent's pages were told on this topic.
    fn told(&self, actor: &Actor, topic: &str) -> Vec<Value> {
        let told = self.pages.0.lock().unwrap();
        let audience = Audience::User(actor.user.clone());
        let theirs = told
            .iter()
            .filter(|event| event.topic == topic && event.audience == audience);
        theirs.map(|event| event.body.clone()).collect()
    }

    async fn until_told(&self, actor: &Actor, topic: &str, body: &Value) {
        for _ in 0..1_000 {
            if self.told(actor, topic).contains(body) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!(
            "{topic} was not told as {body}: {:?}",
            self.told(actor, topic)
        );
    }

    async fn rings_in_page(&self, actor: &Actor, call: &CallId) {
        let ring = json!({"kind": "ring", "call": call});
        self.until_told(actor, "phone", &ring).await;
    }

    async fn is_gone_from_page(&self, actor: &Actor, call: &CallId) {
        let gone = json!({"kind": "gone", "call": call});
        self.until_told(actor, "phone", &gone).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_rings_in_the_page_whose_phone_is_on_and_at_the_registered_phone_otherwise() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    house.calls.phone_on(&house.actor, TAB, false).unwrap();
    let phone = house.call().await;
    house.rings_in_page(&house.actor, &phone.id).await;
    assert_eq!(house.line.count("route to a browser"), 1);
    house.calls.ended(&phone.id, EndCause::Consumer);
    house.is_gone_from_page(&house.actor, &phone.id).await;
    house.calls.phone_off(&house.actor, TAB);
    let registered = [true, false].map(|on| json!({"registered": on}));
    assert_eq!(house.told(&house.actor, "registration"), registered);
    let phone = house.call().await;
    assert_eq!(house.line.count("route"), 1);
    assert_eq!(house.line.count("route to a browser"), 1);
    let rings = house.told(&house.actor, "phone");
    assert!(!rings.iter().any(|told| told["call"] == json!(phone.id)));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_says_nothing_for_twenty_seconds_is_no_phone() {
    let house = house().await;
    house.calls.phone_on(&house.actor, TAB, false).unwrap();
    tokio::time::sleep(Duration::from_secs(PHONE_ON_S.into())).await;
    let _phone = house.call().await;
    assert_eq!(house.line.count("route to a browser"), 0);
}

#[tokio::test(start_paused = true)]
async fn another_tab_takes_the_phone_and_the_first_is_told_and_may_act_no_more() {
    let house = house().await;
    house.calls.phone_on(&house.actor, TAB, false).unwrap();
    let take = |take_over| house.calls.phone_on(&house.actor, OTHER_TAB, take_over);
    assert_eq!(take(false), Err(PhoneRefused::Elsewhere));
    assert!(house.told(&house.actor, "phone").is_empty());
    take(true).unwrap();
    let taken = json!({"kind": "taken", "instance": OTHER_TAB});
    assert_eq!(house.told(&house.actor, "phone"), [taken]);
    let call = CallId::from_random(1);
    let asked = house
        .calls
        .phone(&house.actor, TAB, &call, PhoneAsk::Answer);
    assert_eq!(asked.await.err(), Some(PhoneRefused::Elsewhere));
    let tested = house.calls.phone_test(&house.actor, TAB).await;
    assert_eq!(tested, Err(PhoneRefused::Elsewhere));
    assert_eq!(house.line.count("answer"), 0);
    let asked = house
        .calls
        .phone(&house.actor, OTHER_TAB, &call, PhoneAsk::Answer);
    assert!(asked.await.is_ok());
    assert_eq!(house.line.count("answer"), 1);
    // The first tab turns off what it has no more.
    house.calls.phone_off(&house.actor, TAB);
    assert!(
        house
            .calls
            .phone_test(&house.actor, OTHER_TAB)
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_test_is_told_to_the_page() {
    let house = house().await;
    house.calls.phone_on(&house.actor, TAB, false).unwrap();
    let test = house.calls.phone_test(&house.actor, TAB).await.unwrap();
    house.calls.ended(&test, EndCause::Local);
    house.calls.ended(&test, EndCause::Local);
    let gone = json!({"kind": "gone", "call": test});
    assert_eq!(house.told(&house.actor, "phone"), [gone], "once");
}

async fn transfer_to_page(house: &House) -> CallId {
    house.calls.phone_on(&house.actor, TAB, false).unwrap();
    house.calls.phone_on(&lee(), TAB, false).unwrap();
    let phone = house.call().await;
    let to = lee().user;
    let discard = false;
    let control = CallControl::Transfer { to, discard };
    house.control(&phone.id, control).await.unwrap();
    house.rings_in_page(&lee(), &phone.id).await;
    assert_eq!(house.line.count("transfer to a browser"), 1);
    phone.id
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_from_page_to_page() {
    let house = house().await;
    let call = transfer_to_page(&house).await;
    house.calls.transferred(&call, Ok(LegCallIds::default()));
    house.is_gone_from_page(&house.actor, &call).await;
    let theirs = |views: Vec<CallView>| views.iter().any(|view| view.id == call);
    assert!(theirs(house.calls.calls(&lee()).await.unwrap()));
    house.calls.ended(&call, EndCause::Consumer);
    house.is_gone_from_page(&lee(), &call).await;
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_is_not_answered_is_gone_from_the_other_page_alone() {
    let house = house().await;
    let call = transfer_to_page(&house).await;
    let why = TransferFailure::NoAnswer;
    house.calls.transferred(&call, Err(why));
    house.is_gone_from_page(&lee(), &call).await;
    let gone = json!({"kind": "gone", "call": call});
    assert!(!house.told(&house.actor, "phone").contains(&gone));
}
