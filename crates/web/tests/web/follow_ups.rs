//! Voids, refunds and captures.

use domain::access::Role;
use domain::id::UserId;
use domain::money::{Currency, Money};
use domain::payment::follow_up::{FollowUp, FollowUpKind};
use domain::payment::{AttemptState, Outcome, Payment};
use domain::time::UnixMillis;
use serde_json::{Value, json};

use crate::evidence::payment;
use crate::support::{Browser, House, Reply};

const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);
const UNKNOWN: AttemptState = AttemptState::Final(Outcome::Unknown);

/// A refund of 20.00 that nobody of the house asked for.
pub(crate) fn follow_up(attempt: &str, id: &str, state: AttemptState) -> FollowUp {
    FollowUp {
        id: id.parse().unwrap(),
        attempt: attempt.parse().unwrap(),
        number: 1,
        kind: FollowUpKind::Refund,
        amount: Money::parse("20.00", Currency::USD).unwrap(),
        reason: "It came broken.".to_owned(),
        key: "a-press-of-somebody".to_owned(),
        by: UserId::from_random(98),
        by_name: "otto".to_owned(),
        state,
        message: String::new(),
        outputs: Vec::new(),
        created_at: UnixMillis(3),
        changed_at: UnixMillis(4),
    }
}

/// A charged payment "one", an unknown one "two", and one of a widget that is gone.
async fn house() -> House {
    let house = House::new().await;
    let anna = house.rooms.user_named("anna").id;
    *house.rooms.payments.lock().unwrap() = vec![
        payment("one", &anna, APPROVED),
        payment("two", &anna, UNKNOWN),
        Payment {
            widget: "gone".parse().unwrap(),
            ..payment("three", &anna, APPROVED)
        },
    ];
    house
}

/// A supervisor who presses the button anew with each key.
async fn supervisor(house: &House) -> Browser {
    house.logged_in(Role::Supervisor).await
}

async fn press(browser: &mut Browser, path: &str, key: &str, body: Value) -> Reply {
    browser.extra = vec![("idempotency-key".to_owned(), key.to_owned())];
    let reply = browser.post(path, body).await;
    browser.extra.clear();
    reply
}

fn refund(amount: &str) -> Value {
    json!({"kind": "refund", "amount": amount, "reason": " It came broken. "})
}

const FIRST: &str = "the-first-press-of-all";
const SECOND: &str = "the-second-press-of-all";
const PATH: &str = "/payments/one/follow-ups";

#[tokio::test]
async fn a_supervisor_refunds_a_part_with_a_reason_and_the_payment_says_so() {
    let house = house().await;
    let mut sam = supervisor(&house).await;
    let before = sam.get("/payments/one").await.json();
    let most = json!({"minor": 12_050, "currency": "USD"});
    for (place, kind) in ["void", "refund", "capture"].into_iter().enumerate() {
        let choice = json!({"kind": kind, "most": most, "refused": null});
        assert_eq!(before["choices"][place], choice);
    }
    let reply = press(&mut sam, PATH, FIRST, refund("20.00")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let begun = reply.json();
    assert_eq!(begun["state"], json!({"state": "intent"}));
    assert_eq!(begun["reason"], "It came broken.");
    assert_eq!(
        (&begun["by"], &begun["is_own"]),
        (&json!("sam"), &json!(true))
    );
    assert_eq!(begun["amount"], json!({"minor": 2_000, "currency": "USD"}));
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.actor.as_str(), entry.object.as_str()),
        ("sam", "payment 7F2K-91QD")
    );
    let after = sam.get("/payments/one").await.json();
    assert_eq!(after["follow_ups"], json!([begun]));
    for place in 0..3 {
        assert_eq!(after["choices"][place]["refused"], "in_progress");
        assert_eq!(after["choices"][place]["most"], json!(null));
    }
    house.rooms.follow_ups.lock().unwrap()[0].state = APPROVED;
    let after = sam.get("/payments/one").await.json();
    assert_eq!(after["row"]["aftermath"]["refunded_minor"], 2_000);
    assert_eq!(after["choices"][0]["refused"], "refunded");
    assert_eq!(after["choices"][1]["most"]["minor"], 10_050);
    let rows = sam.get("/payments").await.json();
    let row = rows["payments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["payment"]["attempt"] == "one");
    assert_eq!(row.unwrap()["aftermath"]["refunded_minor"], 2_000);
}

#[tokio::test]
async fn a_double_press_refunds_once_and_a_key_stands_for_one_wish() {
    let house = house().await;
    let mut sam = supervisor(&house).await;
    let first = press(&mut sam, PATH, FIRST, refund("20.00")).await.json();
    let again = press(&mut sam, PATH, FIRST, refund("20.00")).await;
    assert_eq!((again.status, again.json()), (200, first));
    let other = press(&mut sam, PATH, FIRST, refund("30.00")).await;
    assert_eq!((other.status, other.code()), (409, "conflict".to_owned()));
    let next = press(&mut sam, PATH, SECOND, refund("20.00")).await;
    assert_eq!((next.status, next.code()), (409, "wrong_state".to_owned()));
    let none = sam.post(PATH, refund("20.00")).await;
    assert_eq!(
        (none.status, none.code()),
        (400, "idempotency_key".to_owned())
    );
    assert_eq!(house.rooms.follow_ups.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn twenty_presses_at_once_refund_once() {
    let house = house().await;
    let mut sam = supervisor(&house).await;
    sam.extra = vec![("idempotency-key".to_owned(), FIRST.to_owned())];
    let presses = (0..20).map(|_| sam.post(PATH, refund("20.00")));
    let replies = futures_util::future::join_all(presses).await;
    let first = replies[0].json();
    for reply in &replies {
        assert_eq!((reply.status, reply.json()), (200, first.clone()));
    }
    assert_eq!(house.rooms.follow_ups.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_payment_does_not_allow_is_refused_with_the_reason() {
    let house = house().await;
    let mut sam = supervisor(&house).await;
    for (path, body, words) in [
        (
            "/payments/two/follow-ups",
            refund("1.00"),
            "nobody knows whether this payment was charged; settle that first",
        ),
        (
            "/payments/three/follow-ups",
            refund("1.00"),
            "the widget of this payment is gone; go on at the gateway",
        ),
    ] {
        let reply = press(&mut sam, path, FIRST, body).await;
        assert_eq!(
            (reply.status, reply.code()),
            (409, "wrong_state".to_owned())
        );
        assert_eq!(reply.json()["detail"], words);
    }
    let operations = &house.rooms.operations;
    operations.lock().unwrap().remove(&FollowUpKind::Capture);
    let capture = json!({"kind": "capture", "reason": "It was sent."});
    let reply = press(&mut sam, PATH, FIRST, capture).await;
    let words = "the gateway of this payment's widget is not configured for this";
    assert_eq!(
        (reply.status, &reply.json()["detail"]),
        (409, &json!(words))
    );
    let shown = sam.get("/payments/one").await.json();
    assert_eq!(shown["choices"][2]["refused"], "not_configured");
    let part = json!({"kind": "void", "amount": "1.00", "reason": "Wrong amount."});
    for (body, field) in [
        (refund("120.51"), "amount"),
        (refund("1,00"), "amount"),
        (refund("0"), "amount"),
        (part, "amount"),
        (json!({"kind": "void", "reason": " x "}), "reason"),
        (
            json!({"kind": "void", "reason": "4111 1111 1111 1111"}),
            "reason",
        ),
    ] {
        let reply = press(&mut sam, PATH, FIRST, body).await;
        assert_eq!((reply.status, reply.code()), (422, "invalid".to_owned()));
        assert_eq!(reply.json()["errors"][0]["field"], field);
        assert!(!reply.text().contains("4111"));
    }
    let both = json!({"kind": "refund", "amount": "x", "reason": ""});
    let both = press(&mut sam, PATH, FIRST, both).await.json();
    assert_eq!(both["errors"].as_array().unwrap().len(), 2);
    assert_eq!(house.rooms.follow_ups.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn only_the_right_to_refund_refunds_and_nobody_a_payment_they_do_not_see() {
    let house = house().await;
    for role in [Role::Agent, Role::Auditor, Role::SecurityAdmin] {
        let mut other = house.logged_in(role).await;
        let reply = press(&mut other, PATH, FIRST, refund("1.00")).await;
        assert_eq!(reply.code(), "not_permitted", "{role:?}");
    }
    let nothing = "/payments/nothing/follow-ups";
    let mut sam = supervisor(&house).await;
    let reply = press(&mut sam, nothing, FIRST, refund("1.00")).await;
    assert_eq!(reply.status, 404);
    assert_eq!(house.rooms.follow_ups.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn an_unknown_refund_is_settled_by_somebody_else_and_blocks_until_then() {
    let house = house().await;
    let mut sam = supervisor(&house).await;
    press(&mut sam, PATH, FIRST, refund("20.00")).await;
    let id = {
        let mut follow_ups = house.rooms.follow_ups.lock().unwrap();
        follow_ups[0].state = UNKNOWN;
        follow_ups[0].id.clone()
    };
    let next = press(&mut sam, PATH, SECOND, refund("20.00")).await;
    assert_eq!((next.status, next.code()), (409, "wrong_state".to_owned()));
    let outcome = format!("{PATH}/{id}/outcome");
    let said = json!({"outcome": "declined", "reason": " The report lacks it. "});
    let own = sam.post(&outcome, said.clone()).await;
    assert_eq!((own.status, own.code()), (403, "second_person".to_owned()));
    house.rooms.follow_ups.lock().unwrap()[0].by = UserId::from_random(98);
    let reply = sam.post(&outcome, said.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["state"]["detail"], "declined");
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.action.name(), "follow_up_settled");
    assert_eq!(entry.detail["reason"], "The report lacks it.");
    assert_eq!(entry.detail["asked_by"], "sam");
    let again = sam.post(&outcome, said.clone()).await;
    assert_eq!(
        (again.status, again.code()),
        (409, "wrong_state".to_owned())
    );
    let nothing = sam.post(&format!("{PATH}/nothing/outcome"), said).await;
    assert_eq!(nothing.status, 404);
    let next = press(&mut sam, PATH, SECOND, refund("20.00")).await;
    assert_eq!(next.status, 200);
    assert_eq!(next.json()["number"], 2);
}

#[tokio::test]
async fn an_export_says_what_became_of_each_amount() {
    let house = house().await;
    let refunded = follow_up("one", "asked", APPROVED);
    let voided = FollowUp {
        kind: FollowUpKind::Void,
        ..follow_up("three", "also-asked", APPROVED)
    };
    *house.rooms.follow_ups.lock().unwrap() = vec![refunded, voided];
    let sam = supervisor(&house).await;
    let file = sam
        .send(hyper::Method::POST, "/payments/export", None)
        .await
        .text();
    assert!(
        file.contains("\"voided\",\"refunded\",\"captured\",\"total\",\"plan\",\"stored\"\r\n")
    );
    let line = |attempt: &str| {
        let named = format!("\"{attempt}\"");
        file.lines().find(|line| line.contains(&named)).unwrap()
    };
    assert!(line("one").ends_with("\"\",\"20.00\",\"\",\"\",\"\",\"\""));
    assert!(line("two").ends_with("\"\",\"\",\"\",\"\",\"\",\"\""));
    assert!(line("three").ends_with("\"yes\",\"\",\"\",\"\",\"\",\"\""));
}
