//! Whose a call is that rang at a PBX, over HTTP.

use domain::access::Role;
use domain::view::DeskError;
use hyper::Method;
use serde_json::json;

use crate::support::House;

#[tokio::test]
async fn an_agent_gets_a_code_to_key_and_gives_it_back() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let made = browser.post("/pairing-code", json!({})).await;
    assert_eq!(
        (made.status, &made.json()["code"]),
        (201, &json!("*47118#"))
    );
    let given = browser.send(Method::DELETE, "/pairing-code", None).await;
    assert_eq!(given.status, 204);
    assert_eq!(
        house.desk.asked(),
        ["anna asks for a code", "anna gives a code back"]
    );
    house.desk.refuse_next(DeskError::AgentHasCall);
    let refused = browser.post("/pairing-code", json!({})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "agent_has_call")
    );
}

#[tokio::test]
async fn a_call_is_bound_by_its_name_to_oneself_or_to_a_named_agent() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let anna = house.rooms.user_named("anna").id;
    let own = json!({"call": {"by": "tonewall_call", "name": "call-1"}});
    let bound = browser.post("/calls/bind", own).await;
    assert_eq!(
        (bound.status, &bound.json()["call"]),
        (200, &json!("call-1"))
    );
    let other = json!({"agent": "anna", "call": {"by": "call_id", "name": "a@b"}});
    assert_eq!(browser.post("/calls/bind", other).await.status, 200);
    for (wrong, field) in [
        (
            json!({"agent": "nobody", "call": {"by": "call_id", "name": "a@b"}}),
            "agent",
        ),
        (
            json!({"call": {"by": "call_id", "name": "a b"}}),
            "call.name",
        ),
        (
            json!({"call": {"by": "tonewall_call", "name": "A@b"}}),
            "call.name",
        ),
    ] {
        let refused = browser.post("/calls/bind", wrong).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field.to_owned()])
        );
    }
    let unknown = json!({"call": {"by": "luck", "name": "call-1"}});
    assert_eq!(browser.post("/calls/bind", unknown).await.status, 400);
    let asked = house.desk.asked();
    assert_eq!(
        asked,
        [
            format!("anna binds Tonewall(CallId(\"call-1\")) to {anna}"),
            format!("anna binds SipCallId(\"a@b\") to {anna}"),
        ]
    );
    house
        .desk
        .refuse_next(DeskError::CallTaken("Kim".to_owned()));
    let taken = json!({"call": {"by": "tonewall_call", "name": "call-1"}});
    let refused = browser.post("/calls/bind", taken).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "call_taken")
    );
    assert_eq!(refused.json()["detail"], "This call is with Kim");
}

#[tokio::test]
async fn supervisors_see_the_calls_of_a_pbx_and_give_one_to_an_agent() {
    let house = House::new().await;
    let agent = house.logged_in(Role::Agent).await;
    assert_eq!(agent.get("/service-calls").await.status, 403);
    let picked = agent.post("/calls/call-1/pick", json!({})).await;
    assert_eq!(picked.status, 403);
    let browser = house.logged_in(Role::Supervisor).await;
    let list = browser.get("/service-calls").await.json();
    let listed = &list["calls"][0];
    assert_eq!(
        (&listed["caller"], &listed["id"]),
        (&json!("…100"), &json!("call-1"))
    );
    assert_eq!(
        (&listed["service_name"], &listed["agent_name"]),
        (&json!(""), &json!(null))
    );
    let [anna, sam] = ["anna", "sam"].map(|name| house.rooms.user_named(name).id);
    for body in [json!({"agent": "anna", "take_away": true}), json!({})] {
        let picked = browser.post("/calls/call-1/pick", body).await;
        assert_eq!(picked.status, 204);
    }
    assert_eq!(
        house.desk.asked(),
        [
            format!("sam takes call-1 to {anna}"),
            format!("sam gives call-1 to {sam}"),
        ]
    );
    let released = agent.post("/calls/call-1/release", json!({})).await;
    assert_eq!(released.status, 204);
}

#[tokio::test]
async fn an_agent_is_told_of_codes_once_a_service_of_theirs_hears_them() {
    let house = House::new().await;
    let agent = house.logged_in(Role::Agent).await;
    let office = house.logged_in(Role::SecurityAdmin).await;
    let hears = async || agent.get("/me/desktop").await.json()["pairing_code"].clone();
    let [anna, sam] = ["anna", "sam"].map(|name| house.rooms.user_named(name).id);
    let route = json!({"to": "uri", "uri": "sip:9@192.0.2.5", "address": "192.0.2.5:5060"});
    let mut form = json!({
        "name": "PBX", "numbers": ["*"], "route": route, "desktop": "sales", "protection": "capture",
        "pairing": {"code": true, "agents": [anna]},
    });
    assert_eq!(hears().await, json!(false));
    let made = office.post("/services", form.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(hears().await, json!(true));
    let path = format!("/services/{}", made.json()["id"].as_str().unwrap());
    for (revision, wrong, value) in [(1, "agents", json!([sam])), (2, "code", json!(false))] {
        form["pairing"] = json!({"code": true, "agents": []});
        form["pairing"][wrong] = value;
        form["revision"] = json!(revision);
        let saved = office.send(Method::PUT, &path, Some(form.clone())).await;
        assert_eq!(saved.status, 200, "{}", saved.text());
        assert_eq!(hears().await, json!(false), "{wrong}");
    }
}
