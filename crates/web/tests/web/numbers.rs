//! Numbers that are reserved for agents, over HTTP.

use std::time::Duration;

use domain::access::Role;
use domain::capture::fixtures::CARDS;
use domain::view::DeskError;
use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Browser, House};

fn service(name: &str, numbers: Value, pool: Value) -> Value {
    let route = json!({"to": "uri", "uri": "sip:9@192.0.2.5", "address": "192.0.2.5:5060"});
    json!({
        "name": name, "numbers": numbers, "route": route, "desktop": "sales", "protection": "capture",
        "pool": pool,
    })
}

fn pool(numbers: Value) -> Value {
    json!({"numbers": numbers, "reserve_s": 60, "quarantine_s": 30})
}

/// A service with a pool, by its identity.
async fn pooled(office: &Browser) -> String {
    let form = service("PBX", json!(["*"]), pool(json!(["+15550101"])));
    let made = office.post("/services", form).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_number_is_reserved_for_oneself_or_another_and_given_back() {
    let house = House::new().await;
    let service = pooled(&house.logged_in(Role::SecurityAdmin).await).await;
    let browser = house.logged_in(Role::Agent).await;
    let anna = house.rooms.user_named("anna").id;
    let own = json!({ "service": service });
    let made = browser.post("/number-reservations", own).await;
    let told = json!({"id": "reserved-1", "service": service, "number": "+15550101", "expires_at": 60_000});
    assert_eq!((made.status, made.json()), (201, told));
    let other = json!({"service": service, "agent": "anna", "from": "+1 (555) 010-0199"});
    let made = browser.post("/number-reservations", other).await;
    assert_eq!(made.status, 201);
    let path = "/number-reservations/reserved-1";
    let given = browser.send(Method::DELETE, path, None).await;
    assert_eq!(given.status, 204);
    let asked = [
        format!("anna reserves for {anna} from anybody"),
        format!("anna reserves for {anna} from +15550100199"),
        "anna gives reserved-1 back".to_owned(),
    ];
    assert_eq!(house.desk.asked(), asked);
}

#[tokio::test]
async fn where_none_is_free_it_is_said_when_one_will_be() {
    let house = House::new().await;
    let service = pooled(&house.logged_in(Role::SecurityAdmin).await).await;
    let browser = house.logged_in(Role::Agent).await;
    for (after_ms, seconds) in [(69_001, "70"), (0, "1")] {
        let after = Duration::from_millis(after_ms);
        house.desk.refuse_next(DeskError::NumbersReserved(after));
        let own = json!({ "service": service });
        let refused = browser.post("/number-reservations", own).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (503, "numbers_reserved")
        );
        assert_eq!(refused.header("retry-after"), seconds);
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_said_and_a_card_number_is_not_repeated() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let card = CARDS[0].number;
    let wrong = json!({"service": "none", "agent": "nobody", "from": card});
    let refused = browser.post("/number-reservations", wrong).await;
    let fields = ["agent", "service", "from"].map(str::to_owned).to_vec();
    assert_eq!((refused.status, refused.fields()), (422, fields));
    assert!(!refused.json().to_string().contains(card));
    assert!(house.desk.asked().is_empty());
}

#[tokio::test]
async fn whoever_takes_no_calls_reserves_nothing_and_gives_nothing_back() {
    let house = House::new().await;
    let service = pooled(&house.logged_in(Role::SecurityAdmin).await).await;
    let path = "/number-reservations/reserved-1";
    for role in [Role::Auditor, Role::DesktopAdmin, Role::SecurityAdmin] {
        let browser = house.logged_in(role).await;
        let own = json!({ "service": service });
        let refused = browser.post("/number-reservations", own).await;
        let code = refused.code();
        assert_eq!((refused.status, code.as_str()), (403, "not_permitted"));
        let refused = browser.send(Method::DELETE, path, None).await;
        assert_eq!(refused.status, 403);
    }
    let stranger = house.browser();
    let own = json!({ "service": service });
    let refused = stranger.post("/number-reservations", own).await;
    assert_eq!(refused.status, 401);
    let refused = stranger.send(Method::DELETE, path, None).await;
    assert_eq!(refused.status, 401);
    assert!(house.desk.asked().is_empty());
}

#[tokio::test]
async fn a_pool_is_saved_kept_when_unsaid_and_taken_away() {
    let house = House::new().await;
    let office = house.logged_in(Role::SecurityAdmin).await;
    let path = format!("/services/{}", pooled(&office).await);
    let own = pool(json!(["+15550101"]));
    let mut form = service("PBX", json!(["*"]), json!(null));
    form["revision"] = json!(1);
    form.as_object_mut().unwrap().remove("pool");
    let kept = office.put(&path, form.clone()).await;
    assert_eq!((kept.status, &kept.json()["pool"]), (200, &own));
    form["pool"] = json!(null);
    form["revision"] = json!(2);
    let gone = office.put(&path, form).await;
    assert_eq!((gone.status, &gone.json()["pool"]), (200, &json!(null)));
}

#[tokio::test]
async fn what_is_wrong_with_a_pool_is_named() {
    let house = House::new().await;
    let office = house.logged_in(Role::SecurityAdmin).await;
    pooled(&office).await;
    let many: Vec<String> = (0..1_001).map(|number| format!("9{number}")).collect();
    let all =
        json!({"numbers": ["+15550102", "a b", "+15550102"], "reserve_s": 9, "quarantine_s": 601});
    for (pool, fields) in [
        (
            all,
            vec![
                "pool.numbers[1]",
                "pool.numbers[2]",
                "pool.reserve_s",
                "pool.quarantine_s",
            ],
        ),
        (pool(json!(["+15550101"])), vec!["pool.numbers"]),
        (pool(json!([])), vec!["pool.numbers"]),
        (pool(json!(many)), vec!["pool.numbers"]),
    ] {
        let form = service("Other", json!(["4001"]), pool);
        let refused = office.post("/services", form).await;
        let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        assert_eq!((refused.status, refused.fields()), (422, fields));
    }
    let of_pool = service("Other", json!(["+15550101"]), json!(null));
    let refused = office.post("/services", of_pool).await;
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["numbers".to_owned()])
    );
}
