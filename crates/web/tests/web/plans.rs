//! What is due later, and setting it up once more.

use domain::access::Role;
use domain::id::UserId;
use domain::money::{Currency, Money};
use domain::payment::follow_up::{FollowUp, FollowUpKind};
use domain::payment::{ArrangedBy, Arrangement, AttemptState, Interval, Outcome, Payment};
use serde_json::json;

use crate::evidence::payment;
use crate::follow_ups::follow_up;
use crate::support::{Browser, House, Reply};

const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);
const PATH: &str = "/payments/one/plan";
const FIRST: &str = "the-first-press-of-all";
const SECOND: &str = "the-second-press-of-all";

/// 500.00, of which 120.50 were paid, the rest in three monthly parts.
fn plan(by: ArrangedBy) -> Arrangement {
    Arrangement {
        by,
        total: Money::parse("500.00", Currency::USD).unwrap(),
        down_minor: 12_050,
        first: "2026-12-31".parse().unwrap(),
        interval: Some(Interval::Monthly),
        count: 3,
        each_minor: 12_650,
        last_minor: 12_650,
        end: "2027-02-28".parse().unwrap(),
    }
}

/// A payment "one" of anna with a plan of its own, and "two" whose sale said it.
async fn house() -> House {
    let house = House::new().await;
    let anna = house.rooms.user_named("anna").id;
    let planned = |name, by| Payment {
        arrangement: Some(plan(by)),
        ..payment(name, &anna, APPROVED)
    };
    *house.rooms.payments.lock().unwrap() = vec![
        planned("one", ArrangedBy::Schedule),
        planned("two", ArrangedBy::Sale),
        payment("three", &anna, APPROVED),
    ];
    house
}

async fn press(browser: &mut Browser, path: &str, key: &str) -> Reply {
    browser.extra = vec![("idempotency-key".to_owned(), key.to_owned())];
    let reply = browser.send(hyper::Method::POST, path, None).await;
    browser.extra.clear();
    reply
}

/// The schedule that somebody asked for stands so now.
fn ended(house: &House, state: AttemptState) {
    let mut follow_ups = house.rooms.follow_ups.lock().unwrap();
    follow_ups.last_mut().unwrap().state = state;
}

#[tokio::test]
async fn a_payment_says_what_is_due_when_and_how_that_stands() {
    let house = house().await;
    let anna = house.logged_in(Role::Agent).await;
    let one = anna.get("/payments/one").await.json();
    assert_eq!(one["row"]["plan"], "not_set_up");
    let amount = json!({"minor": 12_650, "currency": "USD"});
    let parts =
        ["2026-12-31", "2027-01-31", "2027-02-28"].map(|day| json!({"day": day, "amount": amount}));
    assert_eq!(one["plan"], json!({"parts": parts, "may_set_up": true}));
    assert_eq!(
        one["row"]["payment"]["arrangement"]["total"]["minor"],
        50_000
    );
    let two = anna.get("/payments/two").await.json();
    assert_eq!(two["row"]["plan"], "in_sale");
    assert_eq!(two["plan"]["may_set_up"], false);
    let three = anna.get("/payments/three").await.json();
    assert_eq!(
        (&three["row"]["plan"], &three["plan"]),
        (&json!(null), &json!(null))
    );
    let rows = anna.get("/payments").await.json();
    let standing = |attempt: &str| {
        let mut rows = rows["payments"].as_array().unwrap().iter();
        rows.find(|row| row["payment"]["attempt"] == attempt)
            .unwrap()["plan"]
            .clone()
    };
    assert_eq!(
        (standing("one"), standing("two")),
        (json!("not_set_up"), json!("in_sale"))
    );
    let sam = house.logged_in(Role::Supervisor).await;
    let file = sam
        .send(hyper::Method::POST, "/payments/export", None)
        .await;
    let file = file.text();
    let mut lines = file.lines();
    let line = lines.find(|line| line.contains("\"one\"")).unwrap();
    assert!(line.ends_with("\"500.00\",\"not_set_up\",\"\""), "{line}");
}

#[tokio::test]
async fn what_is_only_stored_offers_its_plan_and_nothing_to_give_back() {
    let house = house().await;
    {
        let mut payments = house.rooms.payments.lock().unwrap();
        payments[0].amount.minor = 0;
        payments[0].arrangement.as_mut().unwrap().down_minor = 0;
    }
    let sam = house.logged_in(Role::Supervisor).await;
    let one = sam.get("/payments/one").await.json();
    assert_eq!(one["row"]["plan"], "not_set_up");
    assert_eq!(one["plan"]["may_set_up"], true);
    let choices = one["choices"].as_array().unwrap();
    assert!(!choices.is_empty());
    for choice in choices {
        assert_eq!(
            (&choice["most"], &choice["refused"]),
            (&json!(null), &json!("not_charged"))
        );
    }
    let export = sam
        .send(hyper::Method::POST, "/payments/export", None)
        .await;
    let file = export.text();
    let line = |attempt: &str| {
        let named = format!("\"{attempt}\"");
        file.lines().find(|line| line.contains(&named)).unwrap()
    };
    assert!(line("one").contains("\"0.00\"") && line("one").ends_with("\"not_set_up\",\"yes\""));
    assert!(line("two").ends_with("\"in_sale\",\"\""));
}

#[tokio::test]
async fn the_agent_of_a_payment_has_its_plan_set_up_once_more() {
    let house = house().await;
    let mut anna = house.logged_in(Role::Agent).await;
    let begun = press(&mut anna, PATH, FIRST).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let begun = begun.json();
    assert_eq!(
        (&begun["kind"], &begun["reason"]),
        (&json!("schedule"), &json!(""))
    );
    assert_eq!(begun["amount"], json!({"minor": 37_950, "currency": "USD"}));
    let again = press(&mut anna, PATH, FIRST).await;
    assert_eq!((again.status, again.json()), (200, begun));
    let other = press(&mut anna, PATH, SECOND).await;
    assert_eq!(
        (other.status, other.code()),
        (409, "wrong_state".to_owned())
    );
    for (state, standing, may_set_up) in [
        (AttemptState::Sent, "in_progress", false),
        (AttemptState::Final(Outcome::Unknown), "unknown", false),
        (AttemptState::Final(Outcome::Declined), "not_set_up", true),
        (APPROVED, "set_up", false),
    ] {
        ended(&house, state);
        let one = anna.get("/payments/one").await.json();
        assert_eq!(one["row"]["plan"], standing);
        assert_eq!(one["plan"]["may_set_up"], may_set_up, "{standing}");
        let key = format!("a-press-while-it-is-{standing}");
        let pressed = press(&mut anna, PATH, &key).await.status == 200;
        assert_eq!(pressed, may_set_up, "{standing}");
        if pressed {
            assert_eq!(house.rooms.follow_ups.lock().unwrap().len(), 2);
        }
    }
    for refused in ["/payments/two/plan", "/payments/three/plan"] {
        let refused = press(&mut anna, refused, FIRST).await;
        assert_eq!(
            (refused.status, refused.code()),
            (409, "wrong_state".to_owned())
        );
    }
    let keyless = anna.send(hyper::Method::POST, PATH, None).await;
    assert_eq!(keyless.code(), "idempotency_key");
}

#[tokio::test]
async fn others_set_a_plan_up_with_the_right_to_refund_only_and_nobody_after_a_void() {
    let house = house().await;
    let mut auditor = house.logged_in(Role::Auditor).await;
    let refused = press(&mut auditor, PATH, FIRST).await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "not_permitted".to_owned())
    );
    let seen = auditor.get("/payments/one").await.json();
    assert_eq!(seen["plan"]["may_set_up"], false);
    for payment in house.rooms.payments.lock().unwrap().iter_mut() {
        payment.agent = UserId::from_random(97);
    }
    let mut anna = house.logged_in(Role::Agent).await;
    let hidden = press(&mut anna, PATH, FIRST).await;
    assert_eq!(
        (hidden.status, hidden.code()),
        (404, "not_found".to_owned())
    );
    let void = FollowUp {
        kind: FollowUpKind::Void,
        amount: Money::parse("120.50", Currency::USD).unwrap(),
        ..follow_up("one", "void", APPROVED)
    };
    let mut sam = house.logged_in(Role::Supervisor).await;
    house.rooms.follow_ups.lock().unwrap().push(void);
    let voided = press(&mut sam, PATH, FIRST).await;
    assert_eq!(
        (voided.status, voided.code()),
        (409, "wrong_state".to_owned())
    );
    house.rooms.follow_ups.lock().unwrap().clear();
    assert_eq!(press(&mut sam, PATH, FIRST).await.status, 200);
}
