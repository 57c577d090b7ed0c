//! The phone in an agent's page, by its routes.

use std::time::Duration;

use domain::access::Role;
use hyper::Method;
use serde_json::json;

use crate::support::House;

const TAB: &str = "a-tab-of-the-agent";
const OTHER: &str = "another-tab-of-theirs";

#[tokio::test]
async fn one_tab_has_the_phone_and_another_takes_it_over() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let on = browser.put("/phone", json!({"instance": TAB})).await;
    assert_eq!(
        (on.status, on.json()),
        (200, json!({"on": true, "expires_in_s": 20}))
    );
    let other = json!({"instance": OTHER, "take_over": false});
    let refused = browser.put("/phone", other).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "phone_elsewhere".to_owned())
    );
    let taken = browser
        .put("/phone", json!({"instance": OTHER, "take_over": true}))
        .await;
    assert_eq!(taken.status, 200);
    let late = browser
        .post("/phone/calls/call-1/answer", json!({"instance": TAB}))
        .await;
    assert_eq!(
        (late.status, late.code()),
        (409, "phone_elsewhere".to_owned())
    );
    let off = browser
        .send(Method::DELETE, &format!("/phone?instance={OTHER}"), None)
        .await;
    assert_eq!(off.status, 204);
    assert_eq!(*house.desk.tab.lock().unwrap(), None);
}

#[tokio::test]
async fn a_call_is_offered_connected_answered_and_moved() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    *house.desk.tab.lock().unwrap() = Some(TAB.to_owned());
    let call = "/phone/calls/call-1";
    let offer = browser.get(&format!("{call}?instance={TAB}")).await;
    assert_eq!(
        offer.json(),
        json!({"offer": "v=0 ours", "state": "ringing"})
    );
    assert_eq!(offer.header("cache-control"), "no-store");
    let connect = json!({"instance": TAB, "answer": "v=0 theirs"});
    assert_eq!(
        browser
            .post(&format!("{call}/connect"), connect)
            .await
            .status,
        204
    );
    let tab = json!({"instance": TAB});
    assert_eq!(
        browser
            .post(&format!("{call}/answer"), tab.clone())
            .await
            .status,
        204
    );
    let restart = json!({"instance": TAB, "offer": "v=0 moved"});
    let moved = browser.post(&format!("{call}/restart"), restart).await;
    assert_eq!(
        (moved.status, moved.json()),
        (200, json!({"answer": "v=0 anew"}))
    );
    assert_eq!(
        browser.post(&format!("{call}/decline"), tab).await.status,
        204
    );
    let asked = [
        "offer of call-1",
        "connect v=0 theirs of call-1",
        "answer of call-1",
        "restart v=0 moved of call-1",
        "decline of call-1",
    ];
    assert_eq!(house.desk.asked(), asked);
}

#[tokio::test]
async fn what_is_no_tab_or_no_description_is_refused_and_not_repeated() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    *house.desk.tab.lock().unwrap() = Some(TAB.to_owned());
    for tab in ["", "short", "with spaces in it!", &"x".repeat(65)] {
        let reply = browser.put("/phone", json!({"instance": tab})).await;
        assert_eq!((reply.status, reply.code()), (400, "bad_body".to_owned()));
    }
    let query = browser.get("/phone/calls/call-1?instance=short").await;
    assert_eq!((query.status, query.code()), (400, "bad_query".to_owned()));
    for answer in [
        "",
        "SDP",
        "v=0\u{0}",
        &format!("v=0{}", "x".repeat(32 * 1_024)),
    ] {
        let body = json!({"instance": TAB, "answer": answer});
        let reply = browser.post("/phone/calls/call-1/connect", body).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(reply.json()["errors"][0]["field"], "answer");
    }
    assert!(house.desk.asked().is_empty());
}

#[tokio::test]
async fn a_test_is_begun_and_the_page_learns_where_media_goes_and_may_use_the_microphone() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let tab = json!({"instance": TAB});
    let early = browser.post("/phone/test", tab.clone()).await;
    assert_eq!(
        (early.status, early.code()),
        (409, "phone_elsewhere".to_owned())
    );
    *house.desk.tab.lock().unwrap() = Some(TAB.to_owned());
    let test = browser.post("/phone/test", tab).await;
    assert_eq!((test.status, test.json()), (201, json!({"call": "test"})));
    let network = browser.get("/phone/network").await;
    let udp = json!({"udp": {"host": "192.0.2.7", "port": 20_000}});
    assert_eq!(network.json(), udp);
    let devices = network.header("permissions-policy");
    assert!(devices.contains("microphone=(self)"), "{devices}");
}

#[tokio::test]
async fn a_locked_page_goes_on_being_a_phone_and_takes_no_new_call() {
    let house = House::with(|config| config.idle_lock = Duration::from_millis(300)).await;
    let browser = house.logged_in(Role::Agent).await;
    let until_locked = async {
        while browser.get("/login").await.json()["locked"] != true {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), until_locked)
        .await
        .unwrap();
    let on = browser.put("/phone", json!({"instance": TAB})).await;
    assert_eq!(on.status, 200);
    let restart = json!({"instance": TAB, "offer": "v=0 moved"});
    let moved = browser.post("/phone/calls/call-1/restart", restart).await;
    assert_eq!(moved.status, 200);
    let answer = json!({"instance": TAB});
    let answered = browser.post("/phone/calls/call-1/answer", answer).await;
    assert_eq!(
        (answered.status, answered.code()),
        (423, "idle_locked".to_owned())
    );
}
