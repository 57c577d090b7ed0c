//! The ledger and the audit trail.

use domain::access::Role;
use domain::capture::WidgetKind;
use domain::id::UserId;
use domain::money::{Currency, Money};
use domain::payment::{AttemptState, Outcome, Payment};
use domain::time::UnixMillis;
use serde_json::json;

use crate::support::House;

fn payment(attempt: &str, agent: &UserId, state: AttemptState) -> Payment {
    Payment {
        attempt: attempt.parse().unwrap(),
        reference: "7F2K-91QD".to_owned(),
        capture: "capture-1".parse().unwrap(),
        call: "call-1".parse().unwrap(),
        widget: "card".parse().unwrap(),
        kind: WidgetKind::CreditCardAdvanced,
        agent: agent.clone(),
        amount: Money::parse("120.50", Currency::USD).unwrap(),
        brand: None,
        last_four: None,
        state,
        message: String::new(),
        created_at: UnixMillis(1),
        changed_at: UnixMillis(2),
    }
}

async fn house_with_payments() -> House {
    let house = House::new().await;
    let anna = house.rooms.user_named("anna").id;
    let other = UserId::from_random(99);
    *house.rooms.payments.lock().unwrap() = vec![
        payment("one", &anna, AttemptState::Final(Outcome::Unknown)),
        payment("two", &other, AttemptState::Final(Outcome::Approved)),
    ];
    house
}

#[tokio::test]
async fn an_agent_sees_the_own_payments_and_an_auditor_all() {
    let house = house_with_payments().await;
    let agent = house
        .logged_in(Role::Agent)
        .await
        .get("/payments")
        .await
        .json();
    assert_eq!(agent["payments"].as_array().unwrap().len(), 1);
    assert_eq!(agent["payments"][0]["agent_name"], "anna");
    let auditor = house.logged_in(Role::Auditor).await;
    let all = auditor.get("/payments").await.json();
    assert_eq!(all["payments"].as_array().unwrap().len(), 2);
    let one = auditor.get("/payments?limit=1").await.json();
    assert_eq!(one["payments"].as_array().unwrap().len(), 1);
    for query in ["limit=x", "limit=-1", "other=1"] {
        let reply = auditor.get(&format!("/payments?{query}")).await;
        assert_eq!((reply.status, reply.code()), (400, "bad_query".to_owned()));
    }
}

#[tokio::test]
async fn a_supervisor_resolves_an_unknown_outcome_once_with_a_reason() {
    let house = house_with_payments().await;
    let browser = house.logged_in(Role::Supervisor).await;
    let agent = house.logged_in(Role::Agent).await;
    let mut stream = agent.events(None).await;
    stream.next().await.unwrap();
    let form = json!({"outcome": "approved", "reason": "Gateway portal shows the sale"});
    let resolved = browser.post("/payments/one/resolve", form.clone()).await;
    assert_eq!(resolved.status, 200, "{}", resolved.text());
    assert_eq!(
        resolved.json()["state"],
        json!({"state": "final", "detail": "approved"})
    );
    assert_eq!(stream.next().await.unwrap().event, "payment");
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.actor, "sam");
    assert_eq!(entry.detail["reason"], "Gateway portal shows the sale");
    let again = browser.post("/payments/one/resolve", form.clone()).await;
    assert_eq!(
        (again.status, again.code()),
        (409, "wrong_state".to_owned())
    );
    assert_eq!(
        browser
            .post("/payments/two/resolve", form.clone())
            .await
            .status,
        409
    );
    assert_eq!(
        browser.post("/payments/none/resolve", form).await.status,
        404
    );
}

#[tokio::test]
async fn a_resolution_needs_a_reason_without_a_card_number() {
    let house = house_with_payments().await;
    let browser = house.logged_in(Role::Supervisor).await;
    for reason in [
        "",
        "  ",
        "ok",
        &"x".repeat(501),
        "paid with 4111 1111 1111 1111",
    ] {
        let form = json!({"outcome": "declined", "reason": reason});
        let reply = browser.post("/payments/one/resolve", form).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["reason".to_owned()]),
            "{reason}"
        );
        assert!(!reply.text().contains("4111"));
    }
    let form = json!({"outcome": "unknown", "reason": "because"});
    let reply = browser.post("/payments/one/resolve", form).await;
    assert_eq!(
        (reply.status, reply.fields()),
        (400, vec!["outcome".to_owned()])
    );
}

#[tokio::test]
async fn the_audit_trail_is_read_in_pieces_from_the_newest() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Auditor).await;
    for _ in 0..3 {
        house.logged_in(Role::Agent).await;
    }
    let first = browser.get("/audit?limit=2").await.json();
    let positions = |page: &serde_json::Value| -> Vec<i64> {
        let entries = page["entries"].as_array().unwrap().clone();
        entries
            .iter()
            .map(|entry| entry["position"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(positions(&first), [4, 3]);
    let second = browser.get("/audit?limit=2&before=3").await.json();
    assert_eq!(positions(&second), [2, 1]);
    assert_eq!(second["entries"][0]["action"], "logged_in");
    assert_eq!(second["entries"][0]["address"], "127.0.0.1");
    let verified = browser.get("/audit/verification").await.json();
    assert_eq!(verified, json!({"intact": true, "broken": null}));
}
