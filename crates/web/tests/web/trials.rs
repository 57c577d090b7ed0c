//! A gateway tried out from its form: who may, what goes to the client, what is answered and recorded.

use std::time::Duration;

use domain::access::Role;
use domain::audit::AuditAction;
use domain::capture::WidgetKind;
use domain::gateway::NotSentReason;
use domain::gateway::trial::NothingSent;
use serde_json::{Value, json};

use crate::configuration::administrator;
use crate::support::{Browser, House, Reply};
use crate::widgets::{save, widget};

const ROUTES: [&str; 2] = ["/gateway/preview", "/gateway/test"];
/// As the house's store opens every sealed password.
const STORED: &str = "stored-canary";

/// What the editor sends of a stored widget.
fn trial(stored: &Value) -> Value {
    let widget = &stored["desktop"]["widgets"][0];
    json!({
        "desktop": "sales", "widget": widget["id"], "kind": widget["kind"], "gateway": widget["gateway"], "with": "visa", "currency": "USD",
        "asked": ["firstName"],
    })
}

/// A house with a widget whose password is stored, its administrator, and what to try.
async fn tried() -> (House, Browser, Value) {
    let house = House::new().await;
    let administrator = administrator(&house).await;
    let stored = save(
        &administrator,
        vec![widget(WidgetKind::CreditCardAdvanced, "Payment")],
    )
    .await;
    (house, administrator, trial(&stored))
}

fn actions(house: &House) -> Vec<AuditAction> {
    let entries = house.rooms.entries.lock().unwrap();
    let tests = |action: &AuditAction| {
        matches!(
            action,
            AuditAction::GatewayTestSent | AuditAction::GatewayTestEnded
        )
    };
    let all = entries.iter().map(|entry| entry.entry.action);
    all.filter(tests).collect()
}

fn refused(reply: &Reply) -> (u16, Vec<String>) {
    (reply.status, reply.fields())
}

#[tokio::test]
async fn c23_only_gateway_edit_tries_a_gateway_out() {
    let (house, _, form) = tried().await;
    for role in Role::ALL {
        let browser = house.logged_in(role).await;
        let may = role == Role::SecurityAdmin;
        for route in ROUTES {
            let reply = browser.post(route, form.clone()).await;
            assert_eq!(
                reply.status,
                if may { 200 } else { 403 },
                "{role:?} {route}"
            );
        }
        let pasted = json!({"kind": form["kind"], "gateway": form["gateway"], "status": 200, "content_type": "", "body": "{}"});
        let reply = browser.post("/gateway/verdict", pasted).await;
        assert_eq!(reply.status, if may { 200 } else { 403 }, "{role:?}");
        let cases = json!({"kind": form["kind"], "gateway": form["gateway"]});
        let reply = browser.post("/gateway/cases", cases).await;
        assert_eq!(reply.status, if may { 200 } else { 403 }, "{role:?}");
        for route in ["/gateway-presets", "/gateway-connections"] {
            let reply = browser.get(route).await;
            assert_eq!(reply.status, if may { 200 } else { 403 }, "{role:?}");
        }
    }
}

#[tokio::test]
async fn c23_a_preview_gets_no_password_and_says_which_one_would_go_out() {
    let (house, administrator, mut form) = tried().await;
    let ask = async |form: &Value| {
        let reply = administrator.post("/gateway/preview", form.clone()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(!reply.text().contains("canary"));
        reply.json()["credential"].clone()
    };
    assert_eq!(ask(&form).await, "stored");
    form["gateway_password"] = json!("typed-canary");
    assert_eq!(ask(&form).await, "typed");
    form["gateway_password"] = Value::Null;
    form["gateway"]["service_url"] = json!("https://other.example/charge");
    assert_eq!(ask(&form).await, "other_host");
    form["widget"] = Value::Null;
    assert_eq!(ask(&form).await, "missing");
    form["gateway"]["auth_method"] = json!("none");
    assert_eq!(ask(&form).await, "none");
    let previewed = house.bench.previewed.lock().unwrap();
    assert!(previewed.iter().all(|given| given.password.is_none()));
    assert!(house.bench.sent.lock().unwrap().is_empty() && actions(&house).is_empty());
}

#[tokio::test]
async fn c23_a_test_sends_the_typed_password_or_the_stored_one_to_its_own_host_only() {
    let (house, administrator, mut form) = tried().await;
    let reply = administrator.post("/gateway/test", form.clone()).await;
    assert_eq!(reply.json()["result"]["state"], "sent", "{}", reply.text());
    form["gateway"]["service_url"] = json!("https://gateway.example/another/path");
    assert_eq!(
        administrator
            .post("/gateway/test", form.clone())
            .await
            .status,
        200
    );
    for elsewhere in [
        "https://other.example/charge",
        "https://gateway.example:8443/charge",
    ] {
        form["gateway"]["service_url"] = json!(elsewhere);
        let reply = administrator.post("/gateway/test", form.clone()).await;
        assert_eq!(refused(&reply), (422, vec!["gateway_password".to_owned()]));
    }
    form["gateway_password"] = json!("typed-canary");
    assert_eq!(
        administrator
            .post("/gateway/test", form.clone())
            .await
            .status,
        200
    );
    let mut anew = form.clone();
    anew["widget"] = Value::Null;
    anew["gateway_password"] = Value::Null;
    let reply = administrator.post("/gateway/test", anew).await;
    assert_eq!(refused(&reply), (422, vec!["gateway_password".to_owned()]));

    let sent = house.bench.sent.lock().unwrap().clone();
    let passwords: Vec<_> = sent.iter().map(|given| given.password.as_deref()).collect();
    assert_eq!(
        passwords,
        [Some(STORED), Some(STORED), Some("typed-canary")]
    );
    assert!(!house.rooms.trail().contains("canary"));
}

#[tokio::test]
async fn c23_a_test_is_recorded_before_and_after_with_its_host_and_verdict() {
    let (house, administrator, form) = tried().await;
    let reply = administrator.post("/gateway/test", form.clone()).await;
    let view = reply.json();
    assert_eq!(view["host"], "gateway.example:443");
    let result = &view["result"];
    assert_eq!(
        (
            &result["judgement"]["outcome"],
            &result["connected_ms"],
            &result["head_ms"]
        ),
        (&json!("approved"), &json!(12), &json!(30))
    );
    assert_eq!(
        actions(&house),
        [AuditAction::GatewayTestSent, AuditAction::GatewayTestEnded]
    );
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (&*entry.object, &*entry.actor),
        ("host gateway.example:443", "sid")
    );
    assert_eq!(
        entry.detail,
        json!({"desktop": "Sales", "with": "visa", "outcome": "approved"})
    );
    assert!(house.rooms.payments.lock().unwrap().is_empty());
    assert_eq!(administrator.get("/gateway/test").await.json(), view);

    *house.bench.refusal.lock().unwrap() = Some(NothingSent {
        reason: NotSentReason::Tls,
        detail: "the certificate has expired".to_owned(),
        steps: Vec::new(),
    });
    let reply = administrator.post("/gateway/test", form).await;
    assert_eq!(
        reply.json()["result"],
        json!({"state": "not_sent", "reason": "tls", "detail": "the certificate has expired"})
    );
    assert_eq!(house.rooms.last_entry().entry.detail["not_sent"], "tls");
}

#[tokio::test]
async fn a_test_that_cannot_be_recorded_is_not_sent() {
    let (house, administrator, form) = tried().await;
    house.rooms.fail_next(domain::boundary::StoreError::Busy);
    let reply = administrator.post("/gateway/test", form.clone()).await;
    assert!(reply.status >= 500, "{}", reply.text());
    assert!(house.bench.sent.lock().unwrap().is_empty());
    assert_eq!(administrator.post("/gateway/test", form).await.status, 200);
}

#[tokio::test]
async fn a_user_has_one_test_at_a_time_and_six_in_a_row() {
    let (house, administrator, form) = tried().await;
    *house.bench.takes.lock().unwrap() = Duration::from_millis(300);
    let [first, second] = [form.clone(), form.clone()];
    let both = tokio::join!(
        administrator.post("/gateway/test", first),
        administrator.post("/gateway/test", second)
    );
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    *house.bench.takes.lock().unwrap() = Duration::ZERO;
    for _ in 0..5 {
        assert_eq!(
            administrator
                .post("/gateway/test", form.clone())
                .await
                .status,
            200
        );
    }
    let reply = administrator.post("/gateway/test", form).await;
    assert_eq!(
        (reply.status, reply.code()),
        (429, "too_many_tests".to_owned())
    );
    assert_eq!(house.bench.sent.lock().unwrap().len(), 6);
    let other = house.logged_in(Role::SecurityAdmin).await;
    assert_eq!(other.get("/gateway/test").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_the_paths_that_saving_uses() {
    let (house, administrator, mut form) = tried().await;
    form["gateway"]["service_url"] = json!("http://gateway.example/");
    form["gateway"]["request_params"][1]["value"] = json!("{card.pan}");
    form["with"] = json!("account");
    let expected = [
        "gateway.service_url",
        "gateway.request_params[1].value",
        "with",
    ];
    for route in ROUTES {
        let reply = administrator.post(route, form.clone()).await;
        assert_eq!(reply.fields(), expected, "{route}");
    }
    let mut basic = form.clone();
    basic["kind"] = json!("credit_card_basic");
    let reply = administrator.post("/gateway/preview", basic).await;
    assert_eq!(reply.fields()[0], "kind");
    form["desktop"] = json!("nowhere");
    form["with"] = json!("visa");
    form["gateway"] = json!({"service_url": "https://gateway.example/", "success_key": "a", "success_value": "b"});
    assert_eq!(
        administrator.post("/gateway/preview", form).await.status,
        404
    );
    assert!(house.bench.previewed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn s4_a_preview_and_a_test_wait_for_no_second_person() {
    let (house, administrator, form) = tried().await;
    house.rooms.refuse_host("gateway.example");
    let reply = administrator.post("/gateway/preview", form.clone()).await;
    assert_eq!(reply.json()["host_approved"], false);
    assert_eq!(administrator.post("/gateway/test", form).await.status, 200);
}

#[tokio::test]
async fn s14_s19_a_pasted_answer_holds_no_card_number_and_its_message_follows_the_switch() {
    let (house, administrator, form) = tried().await;
    let mut pasted = json!({"kind": form["kind"], "gateway": form["gateway"], "status": 402, "content_type": "", "body": "{}"});
    let reply = administrator.post("/gateway/verdict", pasted.clone()).await;
    assert_eq!(
        (&reply.json()["status"], &reply.json()["message"]),
        (&json!(402), &json!("shown"))
    );
    house.rooms.settings.lock().unwrap().response_variables =
        domain::service::ResponseVariables::None;
    let reply = administrator.post("/gateway/verdict", pasted.clone()).await;
    assert_eq!(reply.json()["message"], "");
    for body in ["pan=4111111111111111", "4111 1111 1111 1111"] {
        pasted["body"] = json!(body);
        let reply = administrator.post("/gateway/verdict", pasted.clone()).await;
        assert_eq!(refused(&reply), (422, vec!["body".to_owned()]));
        assert!(!reply.text().contains("4111"));
    }
    assert!(actions(&house).is_empty());
}

#[tokio::test]
async fn an_answer_is_judged_as_one_to_an_operation_that_the_gateway_has() {
    let (_house, administrator, form) = tried().await;
    let mut pasted = json!({"kind": form["kind"], "gateway": form["gateway"], "operation": "void", "status": 200, "content_type": "", "body": "{}"});
    let reply = administrator.post("/gateway/verdict", pasted.clone()).await;
    assert_eq!(refused(&reply), (422, vec!["operation".to_owned()]));
    let void = json!({"url": "/void/{payment.reference}", "success_key": "state", "success_value": "void"});
    pasted["gateway"]["more"]["operations"]["void"] = void;
    let reply = administrator.post("/gateway/verdict", pasted).await;
    assert_eq!(reply.json()["message"], "shown", "{}", reply.text());
}

#[tokio::test]
async fn saved_cases_are_kept_with_the_gateway_and_judged_as_it_stands_in_the_form() {
    let (house, administrator, form) = tried().await;
    let mut cases = json!({"kind": form["kind"], "gateway": form["gateway"]});
    let case = |name: &str, body: &str| json!({"name": name, "status": 200, "body": body, "expected": {"outcome": "approved", "message": "shown"}});
    cases["gateway"]["more"] = json!({"cases": [case("one", "{}")]});
    let reply = administrator.post("/gateway/cases", cases.clone()).await;
    assert_eq!(
        reply.json(),
        json!([{"name": "one", "outcome": "approved", "differences": []}])
    );
    house.rooms.settings.lock().unwrap().response_variables =
        domain::service::ResponseVariables::None;
    let reply = administrator.post("/gateway/cases", cases.clone()).await;
    assert_eq!(
        reply.json()[0]["differences"],
        json!([{"what": "message", "expected": "shown", "found": ""}])
    );
    cases["gateway"]["more"] =
        json!({"cases": [case("one", "{}"), case("one", "4111 1111 1111 1111")]});
    let reply = administrator.post("/gateway/cases", cases).await;
    let fields = ["gateway.more.cases[1].body", "gateway.more.cases[1].name"];
    assert_eq!(refused(&reply), (422, fields.map(str::to_owned).to_vec()));
    assert!(!reply.text().contains("4111") && actions(&house).is_empty());
}
