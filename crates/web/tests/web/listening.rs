//! Somebody who listens to a call of another, by its routes.

use domain::access::Role;
use hyper::Method;
use serde_json::json;

use crate::support::House;

const TAB: &str = "a-tab-of-a-supervisor";

#[tokio::test]
async fn a_supervisor_listens_whispers_and_leaves_with_the_tab_that_has_the_phone() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Supervisor).await;
    let form = json!({"instance": TAB});
    let refused = browser.post("/running-calls/call-1/listeners", form.clone());
    let refused = refused.await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "phone_elsewhere".to_owned())
    );
    let on = browser.put("/phone", form.clone()).await;
    assert_eq!(on.status, 200, "who listens has a phone");
    let begun = browser.post("/running-calls/call-1/listeners", form.clone());
    let begun = begun.await;
    assert_eq!((begun.status, &begun.json()["id"]), (201, &json!("leg-1")));
    let running = browser.get("/running-calls").await.json();
    assert_eq!(running["calls"][0]["listeners"][0]["voice"], "nobody");
    let voice = |voice| browser.put("/listening/leg-1/voice", json!({"voice": voice}));
    assert_eq!(voice("agent").await.json()["voice"], "agent");
    let joined = voice("both").await;
    assert_eq!(
        (joined.status, joined.code()),
        (409, "call_protected".to_owned())
    );
    assert!((400..500).contains(&voice("everybody").await.status));
    let leave = || browser.send(Method::DELETE, "/listening/leg-1", None);
    assert_eq!(leave().await.status, 204);
    assert_eq!(leave().await.status, 404);
}

#[tokio::test]
async fn why_nobody_may_listen_is_said_in_a_word() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Supervisor).await;
    let form = json!({"instance": TAB});
    browser.put("/phone", form.clone()).await;
    for (call, status, code) in [
        ("own", 409, "own_call"),
        ("full", 409, "listeners_full"),
        ("none", 404, "not_found"),
    ] {
        let path = format!("/running-calls/{call}/listeners");
        let refused = browser.post(&path, form.clone()).await;
        assert_eq!((refused.status, refused.code()), (status, code.to_owned()));
    }
    let agent = house.logged_in(Role::Agent).await;
    assert_eq!(agent.get("/running-calls").await.status, 403);
}
