//! Calls that agents make, over HTTP.

use domain::access::Role;
use domain::capture::fixtures::CARDS;
use domain::outbound::DialRefusal;
use domain::view::DeskError;
use serde_json::{Value, json};

use crate::support::House;

fn service(outbound: Value, revision: i64) -> Value {
    json!({
        "name": "Calls out", "numbers": ["9000"], "route": {"to": "agents"}, "desktop": "sales",
        "protection": "capture", "outbound": outbound, "revision": revision,
    })
}

#[tokio::test]
async fn an_agent_calls_a_number_as_it_was_typed() {
    let house = House::new().await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let made = admin.post("/services", service(json!(null), 0)).await;
    let sales = made.json()["id"].as_str().unwrap().to_owned();
    let browser = house.logged_in(Role::Agent).await;
    let anna = house.rooms.user_named("anna").id;
    assert_eq!(
        browser.get("/me/desktop").await.json()["dials"],
        json!(true)
    );
    let typed = json!({"number": "+1 (555) 010-0199"});
    let made = browser.post("/calls", typed).await;
    assert_eq!((made.status, &made.json()["call"]), (201, &json!("call-1")));
    let by = json!({"number": "4001", "service": sales, "agent": "anna"});
    assert_eq!(browser.post("/calls", by).await.status, 201);
    let asked = [
        format!("anna calls +15550100199 for {anna}"),
        format!("anna calls 4001 for {anna} by {sales}"),
    ];
    assert_eq!(house.desk.asked(), asked);
}

#[tokio::test]
async fn what_may_be_a_card_number_is_refused_and_never_repeated() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    for card in CARDS {
        let spaced: String = card.number.chars().flat_map(|digit| [digit, ' ']).collect();
        for typed in [card.number, &*spaced] {
            let refused = browser.post("/calls", json!({"number": typed})).await;
            let code = refused.code();
            assert_eq!((refused.status, code.as_str()), (422, "number_is_card"));
            let told = refused.json().to_string();
            assert!(!told.contains(card.number) && !told.contains(typed));
        }
    }
    for typed in [
        "",
        "+",
        "Jane",
        "sip:100@192.0.2.5",
        "1;x=2",
        "01234567890123456789012",
    ] {
        let refused = browser.post("/calls", json!({"number": typed})).await;
        let code = refused.code();
        assert_eq!(
            (refused.status, code.as_str()),
            (422, "number_malformed"),
            "{typed}"
        );
    }
    assert!(house.desk.asked().is_empty());
}

#[tokio::test]
async fn a_refusal_says_why_nothing_was_called() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    for (refusal, status, code) in [
        (DialRefusal::NotAllowed, 403, "number_not_allowed"),
        (DialRefusal::NoService, 409, "calls_out_off"),
        (DialRefusal::NoPhone, 409, "agent_no_phone"),
    ] {
        house.desk.refuse_next(DeskError::Dial(refusal));
        let refused = browser.post("/calls", json!({"number": "4001"})).await;
        assert_eq!((refused.status, refused.code().as_str()), (status, code));
        assert!(!refused.json().to_string().contains("4001"));
    }
    let unknown = json!({"number": "Jane", "agent": "nobody", "service": "none"});
    let refused = browser.post("/calls", unknown).await;
    let fields = ["number", "agent", "service"].map(str::to_owned).to_vec();
    assert_eq!((refused.status, refused.fields()), (422, fields));
}

#[tokio::test]
async fn whoever_has_no_right_to_call_calls_nobody() {
    let house = House::new().await;
    for role in [
        Role::Supervisor,
        Role::Auditor,
        Role::DesktopAdmin,
        Role::SecurityAdmin,
    ] {
        let browser = house.logged_in(role).await;
        let refused = browser.post("/calls", json!({"number": "4001"})).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "not_permitted")
        );
    }
    let stranger = house.browser();
    let refused = stranger.post("/calls", json!({"number": "4001"})).await;
    assert_eq!(refused.status, 401);
    assert!(house.desk.asked().is_empty());
}

#[tokio::test]
async fn a_service_says_how_its_agents_call_out() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let out = json!({
        "route": {"to": "uri", "uri": "sip:{number}@192.0.2.5", "address": "192.0.2.5:5060"},
        "caller_number": "+15550199", "numbers": ["+1555*", "4xxx"],
    });
    let made = browser.post("/services", service(out.clone(), 0)).await;
    assert_eq!((made.status, &made.json()["outbound"]), (201, &out));
    let wrong = json!({
        "route": {"to": "uri", "uri": "sip:100@192.0.2.5", "address": "pbx"},
        "caller_number": "Jane", "numbers": ["*"],
    });
    let refused = browser.post("/services", service(wrong, 0)).await;
    let fields = [
        "outbound.route.uri",
        "outbound.route.address",
        "outbound.caller_number",
        "outbound.numbers[0]",
    ];
    assert_eq!(refused.status, 422);
    for field in fields {
        assert!(refused.fields().contains(&field.to_owned()), "{field}");
    }
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let mut unsaid = service(json!(null), made.json()["revision"].as_i64().unwrap());
    unsaid.as_object_mut().unwrap().remove("outbound");
    let kept = browser.put(&format!("/services/{id}"), unsaid).await;
    assert_eq!((kept.status, &kept.json()["outbound"]), (200, &out));
    let revision = kept.json()["revision"].as_i64().unwrap();
    let off = browser
        .put(&format!("/services/{id}"), service(json!(null), revision))
        .await;
    assert_eq!((off.status, &off.json()["outbound"]), (200, &json!(null)));
}

#[tokio::test]
async fn calls_out_go_to_a_trunk_that_the_server_has() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let at = |trunk: &str| {
        let route = json!({"to": "trunk", "trunk": trunk});
        service(
            json!({"route": route, "caller_number": "+15550199", "numbers": ["+1555*"]}),
            0,
        )
    };
    let refused = browser.post("/services", at("carier")).await;
    let fields = vec!["outbound.route.trunk".to_owned()];
    assert_eq!((refused.status, refused.fields()), (422, fields));
    let made = browser.post("/services", at("carrier")).await;
    let route = json!({"to": "trunk", "trunk": "carrier"});
    assert_eq!(
        (made.status, &made.json()["outbound"]["route"]),
        (201, &route)
    );
}
