//! Hours of services, over HTTP.

use domain::access::Role;
use serde_json::{Value, json};

use crate::support::House;

fn service(hours: Value, revision: i64) -> Value {
    json!({
        "name": "Day", "numbers": ["9000"], "route": {"to": "agents"}, "desktop": "sales",
        "protection": "capture", "hours": hours, "revision": revision,
    })
}

/// Every day around the clock, or never.
fn hours(is_open: bool) -> Value {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let open = days.map(|day| json!({"day": day, "from": "00:00", "until": "24:00"}));
    let open = if is_open { json!(open) } else { json!([]) };
    json!({"zone": "Europe/Berlin", "open": open, "closed_dates": ["2031-12-25"], "closed": null})
}

#[tokio::test]
async fn hours_are_saved_and_the_server_says_how_the_service_stands() {
    let house = House::new().await;
    let office = house.logged_in(Role::SecurityAdmin).await;
    let made = office.post("/services", service(hours(true), 0)).await;
    assert_eq!((made.status, &made.json()["hours"]), (201, &hours(true)));
    let path = format!("/services/{}", made.json()["id"].as_str().unwrap());
    let open = json!({"is_open": true, "until": null});
    assert_eq!(office.get(&path).await.json()["hours_now"], open);
    let mut unsaid = service(json!(null), 1);
    unsaid.as_object_mut().unwrap().remove("hours");
    let kept = office.put(&path, unsaid).await;
    assert_eq!((kept.status, &kept.json()["hours"]), (200, &hours(true)));
    let shut = office.put(&path, service(hours(false), 2)).await;
    let closed = json!({"is_open": false, "until": null});
    assert_eq!((shut.status, &shut.json()["hours_now"]), (200, &closed));
    let listed = office.get("/services").await.json();
    let all = listed["services"].as_array().unwrap();
    let day = all.iter().find(|one| one["name"] == "Day").unwrap();
    assert_eq!(day["hours_now"], closed);
    let none = office.put(&path, service(json!(null), 3)).await;
    assert_eq!((none.status, &none.json()["hours"]), (200, &json!(null)));
    assert_eq!(none.json().get("hours_now"), None);
    assert_eq!(house.rooms.last_entry().entry.detail["hours"], false);
}

#[tokio::test]
async fn the_time_of_the_next_opening_is_told() {
    let house = House::new().await;
    let office = house.logged_in(Role::SecurityAdmin).await;
    // The clock of the house stands in 1970, on a Thursday.
    let monday = json!({
        "zone": "UTC", "open": [{"day": "monday", "from": "08:00", "until": "17:00"}],
    });
    let made = office.post("/services", service(monday, 0)).await;
    let now = &made.json()["hours_now"];
    let until = now["until"].as_i64().unwrap();
    assert_eq!(now["is_open"], json!(false), "{now}");
    let of_week = (until / 1_000 / 3_600 + 3 * 24) % (7 * 24);
    assert_eq!(of_week, 8, "eight hours into a Monday");
}

#[tokio::test]
async fn what_is_wrong_with_hours_is_named() {
    let house = House::new().await;
    let office = house.logged_in(Role::SecurityAdmin).await;
    let at = |closed: Value| {
        json!({
            "zone": "Berlin", "open": [{"day": "monday", "from": "8", "until": "17:00"}],
            "closed_dates": ["tomorrow"], "closed": closed,
        })
    };
    let own = ["hours.zone", "hours.open[0]", "hours.closed_dates[0]"];
    for (closed, wrong) in [
        (json!(null), vec![]),
        (json!({"to": "agents"}), vec!["hours.closed"]),
        (
            json!({"to": "uri", "uri": "tel:1", "address": "pbx", "agent": "anna"}),
            vec![
                "hours.closed.agent",
                "hours.closed.uri",
                "hours.closed.address",
            ],
        ),
        (
            json!({"to": "trunk", "trunk": "carier", "number": "*"}),
            vec!["hours.closed.trunk", "hours.closed.number"],
        ),
        (json!({"to": "trunk", "trunk": "carrier"}), vec![]),
    ] {
        let refused = office.post("/services", service(at(closed), 0)).await;
        let mut fields = refused.fields();
        let mut all: Vec<String> = own
            .iter()
            .chain(&wrong)
            .map(|one| (*one).to_owned())
            .collect();
        fields.sort();
        all.sort();
        assert_eq!((refused.status, fields), (422, all));
    }
}
