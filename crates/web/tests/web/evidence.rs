//! The ledger and the audit trail.

use domain::access::{Actor, Role};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, Store, StoreError};
use domain::capture::WidgetKind;
use domain::id::UserId;
use domain::money::{Currency, Money};
use domain::payment::{AttemptState, Outcome, Payment};
use domain::time::{UnixMillis, WallClock};
use serde_json::json;

use crate::support::{House, name_of};

pub(crate) fn payment(attempt: &str, agent: &UserId, state: AttemptState) -> Payment {
    Payment {
        attempt: attempt.parse().unwrap(),
        reference: "7F2K-91QD".to_owned(),
        capture: "capture-1".parse().unwrap(),
        call: "call-1".parse().unwrap(),
        widget: "card".parse().unwrap(),
        desktop: Some("sales".parse().unwrap()),
        kind: WidgetKind::CreditCardAdvanced,
        agent: agent.clone(),
        amount: Money::parse("120.50", Currency::USD).unwrap(),
        arrangement: None,
        brand: None,
        last_four: None,
        state,
        message: String::new(),
        created_at: UnixMillis(1),
        outputs: Vec::new(),
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

fn approved() -> serde_json::Value {
    json!({"outcome": "approved", "reason": " Gateway portal shows the sale "})
}

/// A second supervisor.
async fn second_supervisor(house: &House) -> crate::support::Browser {
    let mut other = crate::support::user(77, Role::Supervisor);
    other.name = "sue".to_owned();
    house.rooms.add_user(other);
    let mut browser = house.browser();
    let reply = browser.log_in("sue", crate::support::PASSWORD).await;
    assert_eq!(reply.status, 200);
    browser
}

#[tokio::test]
async fn w45_an_unknown_outcome_is_settled_by_two_supervisors_and_both_are_in_the_trail() {
    let house = house_with_payments().await;
    let sam = house.logged_in(Role::Supervisor).await;
    let agent = house.logged_in(Role::Agent).await;
    let mut stream = agent.events(None).await;
    stream.next().await.unwrap();
    let said = sam.post("/payments/one/proposal", approved()).await;
    assert_eq!(said.status, 200, "{}", said.text());
    assert_eq!(said.json()["payment"]["state"]["detail"], "unknown");
    assert_eq!(
        said.json()["proposal"]["reason"],
        "Gateway portal shows the sale"
    );
    assert_eq!(said.json()["proposal"]["is_own"], true);
    assert_eq!(stream.next().await.unwrap().event, "payment");
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.actor.as_str(), entry.action.name().as_str()),
        ("sam", "unknown_proposed")
    );
    assert_eq!(entry.detail["reason"], "Gateway portal shows the sale");

    let alone = json!({"outcome": "approved"});
    let reply = sam
        .post("/payments/one/proposal/confirm", alone.clone())
        .await;
    assert_eq!(
        (reply.status, reply.code()),
        (403, "second_person".to_owned())
    );
    let sue = second_supervisor(&house).await;
    let row = sue.get("/payments?outcome=unknown").await.json();
    assert_eq!(row["payments"][0]["proposal"]["by"], "sam");
    assert_eq!(row["payments"][0]["proposal"]["is_own"], false);
    let other = json!({"outcome": "declined"});
    let reply = sue.post("/payments/one/proposal/confirm", other).await;
    assert_eq!((reply.status, reply.code()), (409, "conflict".to_owned()));
    let reply = sue
        .post("/payments/one/proposal/confirm", alone.clone())
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["payment"]["state"]["detail"], "approved");
    assert_eq!(reply.json()["proposal"], json!(null));
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.actor.as_str(), entry.action.name().as_str()),
        ("sue", "unknown_resolved")
    );
    assert_eq!(entry.detail["proposed_by"], "sam");
    for path in ["proposal", "proposal/confirm"] {
        let form = if path == "proposal" {
            approved()
        } else {
            alone.clone()
        };
        let reply = sue.post(&format!("/payments/one/{path}"), form).await;
        assert_eq!(
            (reply.status, reply.code()),
            (409, "wrong_state".to_owned())
        );
    }
    let steps = sue.get("/payments/one").await.json()["steps"].clone();
    let last = steps.as_array().unwrap().last().unwrap();
    assert_eq!(
        last["what"],
        json!({"step": "resolved", "outcome": "approved"})
    );
}

#[tokio::test]
async fn what_was_said_is_taken_back_with_a_reason_and_can_be_said_anew() {
    let house = house_with_payments().await;
    let sam = house.logged_in(Role::Supervisor).await;
    let reason = json!({"reason": "the report is of another day"});
    let reply = sam
        .post("/payments/one/proposal/reject", reason.clone())
        .await;
    assert_eq!((reply.status, reply.code()), (409, "conflict".to_owned()));
    assert_eq!(
        sam.post("/payments/one/proposal", approved()).await.status,
        200
    );
    let again = sam.post("/payments/one/proposal", approved()).await;
    assert_eq!((again.status, again.code()), (409, "conflict".to_owned()));
    let sue = second_supervisor(&house).await;
    let reply = sue.post("/payments/one/proposal/reject", reason).await;
    assert_eq!(reply.json()["payment"]["state"]["detail"], "unknown");
    assert_eq!(
        house.rooms.last_entry().entry.action.name(),
        "unknown_rejected"
    );
    assert_eq!(
        sue.post("/payments/one/proposal", approved()).await.status,
        200
    );
    for path in ["two/proposal", "none/proposal"] {
        let reply = sue.post(&format!("/payments/{path}"), approved()).await;
        let expected = if path.starts_with("two") { 409 } else { 404 };
        assert_eq!(reply.status, expected, "{path}");
    }
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
        for path in ["proposal", "proposal/reject"] {
            let mut form = json!({"outcome": "declined", "reason": reason});
            if path != "proposal" {
                form = json!({"reason": reason});
            }
            let reply = browser.post(&format!("/payments/one/{path}"), form).await;
            let found = (reply.status, reply.fields());
            assert_eq!(found, (422, vec!["reason".to_owned()]), "{path} {reason}");
            assert!(!reply.text().contains("4111"));
        }
    }
    let form = json!({"outcome": "unknown", "reason": "because"});
    let reply = browser.post("/payments/one/proposal", form).await;
    assert_eq!(
        (reply.status, reply.fields()),
        (400, vec!["outcome".to_owned()])
    );
}

#[tokio::test]
async fn payments_are_read_page_by_page_and_narrowed_by_the_server() {
    let house = house_with_payments().await;
    let auditor = house.logged_in(Role::Auditor).await;
    let first = auditor.get("/payments?limit=1").await.json();
    assert_eq!(first["unknown"], 1);
    let next = first["next"].as_str().unwrap();
    let second = auditor
        .get(&format!("/payments?limit=1&after={next}"))
        .await
        .json();
    assert_ne!(
        first["payments"][0]["payment"]["attempt"],
        second["payments"][0]["payment"]["attempt"]
    );
    let next = second["next"].as_str().unwrap();
    let third = auditor
        .get(&format!("/payments?limit=1&after={next}"))
        .await
        .json();
    assert_eq!(
        (third["payments"].clone(), third["next"].clone()),
        (json!([]), json!(null))
    );
    let unknown = auditor
        .get("/payments?outcome=unknown&until=2&from=1")
        .await
        .json();
    assert_eq!(unknown["payments"].as_array().unwrap().len(), 1);
    assert_eq!(unknown["payments"][0]["desktop_name"], "Sales");
    let none = auditor.get("/payments?from=2").await.json();
    assert_eq!(none["payments"], json!([]));
    for query in ["after=x", "outcome=lost", "agent=A", "from=today"] {
        let reply = auditor.get(&format!("/payments?{query}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "bad_query".to_owned()),
            "{query}"
        );
    }
    for search in ["ab", "%25%25%25%25", "4111111111111111"] {
        let reply = auditor.get(&format!("/payments?search={search}")).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["search".to_owned()]),
            "{search}"
        );
        assert!(!reply.text().contains("4111"));
    }
    let choices = auditor.get("/payments/choices").await.json();
    assert_eq!(choices["agents"][0]["name"], "anna");
}

#[tokio::test]
async fn an_agent_sees_how_the_own_payment_came_about_and_no_other() {
    let house = house_with_payments().await;
    let agent = house.logged_in(Role::Agent).await;
    let own = agent.get("/payments/one").await;
    assert_eq!((own.status, own.json()["steps"].clone()), (200, json!([])));
    assert_eq!(agent.get("/payments/two").await.status, 404);
    let own = agent.get("/payments?agent=nobody").await.json();
    assert_eq!(own["payments"].as_array().unwrap().len(), 1);
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
    let expected =
        json!({"intact": true, "broken": null, "position": 4, "at": house.rooms.now().0});
    assert_eq!(verified, expected);
    let unreadable = StoreError::Corrupt {
        what: "audit trail",
        why: "entry 2 of test".to_owned(),
    };
    house.rooms.fail_next(unreadable);
    let verified = browser.get("/audit/verification").await;
    assert_eq!(
        (verified.status, verified.json()["intact"].clone()),
        (200, json!(false))
    );
}

#[tokio::test]
async fn the_trail_is_narrowed_by_who_did_what_to_what() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Auditor).await;
    house.logged_in(Role::Agent).await;
    for (query, found) in [
        ("actor=anna", 1),
        ("actor=nobody", 0),
        ("action=logged_in", 2),
        ("action=logged_out", 0),
        ("object=log", 2),
        ("actor=%20anna%20&action=logged_in&object=login", 1),
        ("actor=&object=", 2),
    ] {
        let page = browser.get(&format!("/audit?{query}")).await.json();
        assert_eq!(page["entries"].as_array().unwrap().len(), found, "{query}");
    }
    let reply = browser.get("/audit?action=anything").await;
    assert_eq!((reply.status, reply.code()), (400, "bad_query".to_owned()));
}

/// Rows of a CSV text without its head.
fn rows(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap();
    assert!(text.starts_with("\"time\",\"reference\",\"outcome\",\"reason\",\"amount\""));
    text.lines().skip(1).collect()
}

#[tokio::test]
async fn s15_an_export_runs_no_formula_holds_no_card_number_and_is_in_the_trail() {
    let house = house_with_payments().await;
    {
        let mut payments = house.rooms.payments.lock().unwrap();
        payments[0].message = "ref 4111 1111 1111 1111 twice".to_owned();
        payments[1].message = "=HYPERLINK(\"https://evil.example\",\"pay\")".to_owned();
        house.rooms.desktops.lock().unwrap()[0].name = "Desk 5555-5555-5555-4444".to_owned();
    }
    let browser = house.logged_in(Role::Supervisor).await;
    let reply = browser
        .send(hyper::Method::POST, "/payments/export", None)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        reply
            .header("content-disposition")
            .starts_with("attachment; filename=\"payments-2027-")
    );
    let text = reply.text();
    let rows = rows(&text);
    assert_eq!(rows.len(), 2);
    assert!(!domain::payment::holds_card_number(&text), "{text}");
    assert!(
        rows.iter()
            .all(|row| row.contains("\"[card number removed]\"")),
        "{text}"
    );
    assert!(text.contains("\"'=HYPERLINK(\"\"https"), "{text}");
    assert!(text.contains("\"1970-01-01T00:00:00.001Z\",\"7F2K-91QD\",\"unknown\",\"\",\"120.50\",\"USD\",\"Credit Card Advanced\""), "{text}");
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.actor.as_str(), entry.action.name().as_str()),
        ("sam", "payments_exported")
    );
    assert_eq!(entry.detail["rows"], 2);

    let unknown = browser
        .send(
            hyper::Method::POST,
            "/payments/export?outcome=unknown",
            None,
        )
        .await;
    assert_eq!(self::rows(&unknown.text()).len(), 1);
    assert_eq!(house.rooms.last_entry().entry.detail["outcome"], "unknown");
    let reply = browser
        .send(
            hyper::Method::POST,
            "/payments/export?search=4111111111111111",
            None,
        )
        .await;
    assert_eq!(reply.status, 422);
}

#[tokio::test]
async fn an_export_is_whole_however_many_pages_it_takes_and_refused_beyond_its_bound() {
    let house = house_with_payments().await;
    let agent = UserId::from_random(1);
    let many = |count: u128| -> Vec<Payment> {
        let one = |number| {
            let attempt = domain::id::AttemptId::from_random(number);
            payment(attempt.as_str(), &agent, AttemptState::Sent)
        };
        (0..count).map(one).collect()
    };
    *house.rooms.payments.lock().unwrap() = many(1_234);
    let browser = house.logged_in(Role::Auditor).await;
    let reply = browser
        .send(hyper::Method::POST, "/payments/export", None)
        .await;
    let text = reply.text();
    let found: std::collections::BTreeSet<&str> = rows(&text).into_iter().collect();
    assert_eq!(found.len(), 1_234);
    *house.rooms.payments.lock().unwrap() = many(100_001);
    let reply = browser
        .send(hyper::Method::POST, "/payments/export", None)
        .await;
    assert_eq!(
        (reply.status, reply.fields()),
        (422, vec!["from".to_owned()])
    );
}

#[tokio::test]
async fn days_of_the_trail_leave_as_lines_and_that_is_in_the_trail_first() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Auditor).await;
    let now = house.rooms.now().0;
    let day = format!("/audit/export?from={}&until={}", now - 1_000, now + 1_000);
    let reply = browser.send(hyper::Method::POST, &day, None).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/jsonl")
    );
    let text = reply.text();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1]["document"]
            .as_str()
            .unwrap()
            .contains("audit_exported")
    );
    assert_eq!(lines[0]["hash"].as_str().unwrap().len(), 64);
    for days in [
        "from=5&until=5",
        "from=5&until=4",
        "from=0&until=2682000001",
    ] {
        let reply = browser
            .send(hyper::Method::POST, &format!("/audit/export?{days}"), None)
            .await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["until".to_owned()]),
            "{days}"
        );
    }
}

#[tokio::test]
async fn evidence_of_a_capture_is_signed_and_that_it_left_is_its_last_entry() {
    let house = House::new().await;
    let now = house.rooms.now();
    for capture in ["one", "other"] {
        let action = AuditAction::CaptureOpened;
        let entry = AuditEntry::new(now, &Actor::system(), action, format!("capture {capture}"));
        let change = Change::None;
        house.rooms.commit(Audited { change, entry }).await.unwrap();
    }
    let browser = house.logged_in(Role::Auditor).await;
    let export = async |capture: &str| {
        let path = format!("/captures/{capture}/evidence");
        browser.send(hyper::Method::POST, &path, None).await
    };
    let reply = export("one").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/jose+json")
    );
    assert_eq!(
        reply.header("content-disposition"),
        "attachment; filename=\"evidence-one.json\""
    );
    let signed = &reply.json()["payload"];
    assert_eq!(
        (&signed["capture"], &signed["exported_by"]),
        (&json!("one"), &json!(name_of(Role::Auditor)))
    );
    let entries = signed["entries"].as_array().unwrap();
    let documents: Vec<&str> = entries
        .iter()
        .map(|entry| entry["document"].as_str().unwrap())
        .collect();
    assert_eq!(documents.len(), 2);
    assert!(documents[0].contains("capture_opened"));
    assert!(documents[1].contains("evidence_exported"));

    let before = house.rooms.entries.lock().unwrap().len();
    assert_eq!(export("none").await.status, 404);
    let long = AuditEntry::new(
        now,
        &Actor::system(),
        AuditAction::CaptureOpened,
        "capture long",
    );
    for _ in 0..1_000 {
        let (change, entry) = (Change::None, long.clone());
        house.rooms.commit(Audited { change, entry }).await.unwrap();
    }
    let before = before + 1_000;
    let refused = export("long").await;
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["id".to_owned()])
    );
    house
        .rooms
        .fail_next(StoreError::Unavailable("no key".to_owned()));
    assert_eq!(export("one").await.status, 503);
    assert_eq!(house.rooms.entries.lock().unwrap().len(), before);
}
