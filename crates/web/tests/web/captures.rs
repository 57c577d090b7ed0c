//! Calls and captures: what is handed to the desk, and how its answers look.

use domain::access::{CustomRole, Permission, Role};
use domain::capture::{CaptureState, WidgetKind};
use domain::gate::Gate;
use domain::id::RoleId;
use domain::time::UnixMillis;
use domain::view::{
    ButtonDisabled, CallRecordingView, CallState, CallView, CaptureView, DeskError, WidgetView,
};
use serde_json::json;

use crate::support::{Browser, House, card_widget};

pub(crate) fn capture(id: &str) -> CaptureView {
    CaptureView {
        id: id.parse().unwrap(),
        call: "call-1".parse().unwrap(),
        revision: 1,
        widget: WidgetView::from(&card_widget()),
        state: CaptureState::Armed,
        reason: None,
        protection: Vec::new(),
        fields: Vec::new(),
        listening: None,
        speaking: false,
        stray_keys: 0,
        missing: Vec::new(),
        confirm_gone: false,
        ends_at: UnixMillis(0),
        may_keep_open: false,
        process_left: 3,
        payment: None,
    }
}

pub(crate) fn call(id: &str) -> CallView {
    CallView {
        id: id.parse().unwrap(),
        state: CallState::Connected,
        held_by: None,
        agent_muted: false,
        transfer: None,
        dialled: None,
        caller: "<script>alert(1)</script>".to_owned(),
        caller_number: String::new(),
        called: "100".to_owned(),
        began_at: UnixMillis(1),
        answered_at: None,
        ended_at: None,
        line_silent: false,
        line_protected: false,
        recording: CallRecordingView::OFF,
        consumer: domain::consumer::Consumer::default(),
        buttons: Vec::new(),
        capture: None,
    }
}

async fn house_with_capture() -> (House, Browser) {
    let house = House::new().await;
    let anna = house.rooms.user_named("anna").id;
    house.desk.add_capture(&anna, capture("capture-1"));
    house.desk.add_call(&anna, call("call-1"));
    let browser = house.logged_in(Role::Agent).await;
    (house, browser)
}

#[tokio::test]
async fn an_agent_sees_its_own_calls_and_opens_a_widget() {
    let (house, browser) = house_with_capture().await;
    let calls = browser.get("/calls").await;
    assert_eq!(calls.header("content-type"), "application/json");
    assert_eq!(calls.json()["calls"][0]["id"], "call-1");
    let form = json!({"widget": "card"});
    let opened = browser.post("/calls/call-1/captures", form).await;
    assert_eq!(
        (opened.status, &opened.json()["id"]),
        (201, &json!("capture-1"))
    );
    let action = json!({"do": "listen", "field": "expiry"});
    let acted = browser.post("/captures/capture-1/actions", action).await;
    assert_eq!(acted.status, 200);
    let done = browser
        .post("/captures/capture-1/actions", json!({"do": "done"}))
        .await;
    assert_eq!(done.status, 200);
    assert_eq!(
        house.desk.asked(),
        ["open card on call-1", "Listen(Expiry)", "Done"]
    );
}

#[tokio::test]
async fn s14_what_is_known_of_a_consumer_is_told_and_everything_wrong_is_named_by_field() {
    let (house, agent) = house_with_capture().await;
    let path = "/calls/call-1/consumer";
    let known = json!({"amount": "120.50", "currency": "USD", "values": {"firstName": "Jane"}});
    assert_eq!(agent.put(path, known.clone()).await.status, 204);
    let auditor = house.logged_in(Role::Auditor).await;
    assert_eq!(auditor.put(path, known.clone()).await.status, 403);
    let role = CustomRole {
        id: RoleId::from_random(79),
        name: "CRM".to_owned(),
        permissions: [Permission::CallConsumerData].into(),
        revision: 1,
    };
    let word = serde_json::from_value(json!(role.id)).unwrap();
    house.rooms.roles.lock().unwrap().push(role);
    house.rooms.change_user("audrey", |user| {
        user.roles.insert(word);
    });
    let program = house.logged_in(Role::Auditor).await;
    assert_eq!(program.put(path, known).await.status, 204);
    assert_eq!(
        house.desk.asked(),
        [
            "anna tells amount firstName of call-1",
            "audrey tells amount firstName of call-1"
        ]
    );
    let number = domain::capture::fixtures::CARDS[0].number;
    let wrong = json!({"amount": "1,50", "currency": "USD", "values": {"firstName": "a\nb", "company": number, "x": "y"}});
    let refused = agent.put(path, wrong).await;
    assert_eq!(refused.code(), "invalid_form");
    let fields = ["amount", "company", "firstName", "values"];
    assert_eq!(refused.fields(), fields);
    assert!(!refused.text().contains(number));
    let closed = agent.put(path, json!({"cardNumber": "x"})).await;
    assert_eq!(closed.code(), "bad_body");
}

#[tokio::test]
async fn an_agent_mutes_holds_and_keys_in_its_own_calls_only() {
    let (house, browser) = house_with_capture().await;
    for button in ["mute", "hold"] {
        let path = format!("/calls/call-1/{button}");
        let pressed = browser.put(&path, json!({"on": true})).await;
        assert_eq!(
            (pressed.status, &pressed.json()["id"]),
            (200, &json!("call-1"))
        );
    }
    let keyed = browser
        .post("/calls/call-1/keys", json!({"key": "7"}))
        .await;
    assert_eq!((keyed.status, keyed.text()), (204, String::new()));
    assert_eq!(
        house.desk.asked(),
        [
            "Mute(true) on call-1",
            "Hold(true) on call-1",
            "SendKey([key]) on call-1"
        ]
    );
    let sam = house.rooms.user_named("sam").id;
    house.desk.add_call(&sam, call("call-2"));
    for (path, body) in [
        ("/calls/call-2/mute", json!({"on": true})),
        ("/calls/call-2/hold", json!({"on": true})),
        ("/calls/call-2/recording", json!({"on": true})),
    ] {
        assert_eq!(browser.put(path, body).await.code(), "not_found");
    }
    let keyed = browser
        .post("/calls/call-2/keys", json!({"key": "1"}))
        .await;
    assert_eq!(keyed.code(), "not_found");
}

/// S14: nothing but one key at a time, and what else was sent is not repeated.
#[tokio::test]
async fn s14_more_than_one_key_is_refused_and_not_repeated() {
    let (house, browser) = house_with_capture().await;
    for key in ["4111111111111111", "41", "", "A", "٤", " 4"] {
        let refused = browser
            .post("/calls/call-1/keys", json!({"key": key}))
            .await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "bad_body".to_owned())
        );
        assert_eq!(refused.json()["errors"][0]["field"], "key");
        assert!(!refused.text().contains("41"));
    }
    let number = browser.post("/calls/call-1/keys", json!({"key": 4})).await;
    assert_eq!(number.status, 400);
    assert!(house.desk.asked().is_empty());
}

#[tokio::test]
async fn another_users_capture_is_not_there() {
    let (house, browser) = house_with_capture().await;
    let sam = house.rooms.user_named("sam").id;
    house.desk.add_capture(&sam, capture("capture-2"));
    for id in ["capture-2", "none", "BAD%20ID", "a'b", &"x".repeat(300)] {
        let reply = browser.get(&format!("/captures/{id}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "not_found".to_owned()),
            "{id}"
        );
    }
    assert_eq!(browser.get("/captures/capture-1").await.status, 200);
}

#[tokio::test]
async fn process_hands_over_the_form_and_the_idempotency_key() {
    let (house, mut browser) = house_with_capture().await;
    let form = json!({"amount": "120.5", "currency": "USD", "values": {"firstName": "Jane"}});
    for key in [
        None,
        Some("short"),
        Some("with blank 1234567"),
        Some(&*"x".repeat(65)),
    ] {
        browser.extra = key
            .map(|key| ("idempotency-key".to_owned(), key.to_owned()))
            .into_iter()
            .collect();
        let reply = browser
            .post("/captures/capture-1/process", form.clone())
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "idempotency_key".to_owned())
        );
    }
    browser.extra = vec![("idempotency-key".to_owned(), "0123456789abcdef".to_owned())];
    let reply = browser.post("/captures/capture-1/process", form).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        house.desk.asked(),
        ["process 120.50 USD {\"firstName\": \"Jane\"} 0123456789abcdef"]
    );
}

#[tokio::test]
async fn a_wrong_amount_currency_or_value_is_named() {
    let (house, mut browser) = house_with_capture().await;
    browser.extra = vec![("idempotency-key".to_owned(), "0123456789abcdef".to_owned())];
    let long = "x".repeat(501);
    for (form, field) in [
        (json!({"amount": "1,5", "currency": "USD"}), "amount"),
        (json!({"amount": "0", "currency": "USD"}), "amount"),
        (json!({"amount": "1", "currency": "usd"}), "currency"),
        (json!({"amount": "1", "currency": "USD", "fee": "0"}), "fee"),
        (
            json!({"amount": "1", "currency": "USD", "values": {"a": long}}),
            "values",
        ),
    ] {
        let reply = browser.post("/captures/capture-1/process", form).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec![field.to_owned()])
        );
    }
    house.desk.refuse_next(DeskError::Form(vec![(
        "firstName".to_owned(),
        "This is required.".to_owned(),
    )]));
    let form = json!({"amount": "1", "currency": "USD"});
    let reply = browser.post("/captures/capture-1/process", form).await;
    assert_eq!(
        (reply.status, reply.fields()),
        (422, vec!["firstName".to_owned()])
    );
}

#[tokio::test]
async fn a_revealed_value_is_text_that_nothing_keeps() {
    let (house, browser) = house_with_capture().await;
    *house.desk.digits.lock().unwrap() = "0123".to_owned();
    let form = json!({"field": "expiry"});
    let reply = browser.post("/captures/capture-1/reveal", form).await;
    assert_eq!((reply.status, reply.text()), (200, "0123".to_owned()));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("connection"), "close");
    assert_eq!(reply.header("content-type"), "text/plain; charset=us-ascii");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn every_refusal_of_the_desk_has_its_own_code() {
    let (house, browser) = house_with_capture().await;
    for (refusal, status, code) in [
        (DeskError::NotFound, 404, "not_found"),
        (
            DeskError::Gate(Gate::SystemSwitch),
            403,
            "gate_system_switch",
        ),
        (DeskError::Gate(Gate::NoWidget), 403, "gate_no_widget"),
        (
            DeskError::Gate(Gate::WidgetDisabled),
            403,
            "gate_widget_disabled",
        ),
        (
            DeskError::Gate(Gate::NotPermitted),
            403,
            "gate_not_permitted",
        ),
        (
            DeskError::Disabled(ButtonDisabled::NotConnected),
            409,
            "call_not_connected",
        ),
        (
            DeskError::Disabled(ButtonDisabled::OnHold),
            409,
            "call_on_hold",
        ),
        (
            DeskError::Disabled(ButtonDisabled::CaptureOpen),
            409,
            "capture_open",
        ),
        (DeskError::Transfer, 409, "transfer"),
        (DeskError::AgentNotFree, 409, "agent_not_free"),
        (DeskError::CallTaken("Kim".to_owned()), 409, "call_taken"),
        (DeskError::AgentHasCall, 409, "agent_has_call"),
        (DeskError::NotPaired, 409, "not_paired"),
        (
            DeskError::Disabled(ButtonDisabled::RecordersUndeclared),
            409,
            "recorders_undeclared",
        ),
        (
            DeskError::Disabled(ButtonDisabled::HostNotApproved),
            409,
            "host_not_approved",
        ),
        (
            DeskError::WrongState(CaptureState::Arming),
            409,
            "wrong_state",
        ),
        (DeskError::Busy, 503, "busy"),
        (DeskError::Unrecordable, 503, "unrecordable"),
    ] {
        house.desk.refuse_next(refusal);
        let form = json!({"widget": "card"});
        let reply = browser.post("/calls/call-1/captures", form).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
}

#[tokio::test]
async fn the_agents_desktop_has_only_widgets_whose_gates_are_open() {
    let (house, browser) = house_with_capture().await;
    let mine = async || browser.get("/me/desktop").await.json();
    assert_eq!(mine().await["widgets"][0]["title"], "Card payment");
    assert_eq!(mine().await["gate"], json!(null));
    house.rooms.desktops.lock().unwrap()[0].widgets[0].enabled = false;
    assert_eq!(mine().await["gate"], "widget_disabled");
    assert_eq!(mine().await["widgets"], json!([]));
    house.rooms.desktops.lock().unwrap()[0].widgets.clear();
    assert_eq!(mine().await["gate"], "no_widget");
    house.rooms.settings.lock().unwrap().spc_enabled = false;
    assert_eq!(mine().await["gate"], "system_switch");
    let sam = house.logged_in(Role::Supervisor).await;
    assert_eq!(sam.get("/me/desktop").await.json()["desktop"], json!(null));
    assert_eq!(WidgetKind::ALL.len(), 4);
}

#[tokio::test]
async fn s14_a_supervisor_sees_live_captures_by_agent_and_gives_attempts_back() {
    let house = House::new().await;
    let anna = house.rooms.user_named("anna").id;
    house
        .desk
        .live
        .lock()
        .unwrap()
        .push(domain::view::LiveCapture {
            call: "call-1".parse().unwrap(),
            began_at: UnixMillis(5),
            agent: Some(anna),
            kind: WidgetKind::CheckAdvanced,
            open: None,
            fields: Vec::new(),
            process_used: 2,
        });
    let browser = house.logged_in(Role::Supervisor).await;
    let list = browser.get("/captures").await.json();
    assert_eq!(list["captures"][0]["agent_name"], "anna");
    assert_eq!(list["captures"][0]["capture"]["process_used"], 2);
    let form = json!({"kind": "check_advanced"});
    let reply = browser.post("/calls/call-1/reset-attempts", form).await;
    assert_eq!((reply.status, reply.text()), (204, String::new()));
    assert_eq!(house.desk.asked(), ["sam resets Check Advanced on call-1"]);
    let reply = browser
        .post("/calls/call-1/reset-attempts", json!({"kind": "cash"}))
        .await;
    assert_eq!(
        (reply.status, reply.fields()),
        (400, vec!["kind".to_owned()])
    );
}

#[tokio::test]
async fn an_agent_takes_no_calls_for_a_reason_and_takes_them_again() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let stands = browser.get("/me/availability").await.json();
    assert_eq!(stands, json!({"state": "ready"}));
    let meal = json!({"state": "not_ready", "reason": "meal"});
    let reply = browser.put("/me/availability", meal.clone()).await;
    assert_eq!((reply.status, reply.json()), (200, meal.clone()));
    assert_eq!(browser.get("/me/availability").await.json(), meal);
    let supervisor = house.logged_in(Role::Supervisor).await;
    assert_eq!(supervisor.get("/me/availability").await.status, 403);
}
