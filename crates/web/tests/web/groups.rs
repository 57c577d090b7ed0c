//! Groups of agents: who is in them, and which services' calls are for them.

use domain::access::Role;
use serde_json::{Value, json};

use crate::support::{Browser, House};

fn service(name: &str, number: &str, route: Value) -> Value {
    json!({
        "name": name, "numbers": [number], "route": route, "desktop": "sales", "protection": "capture",
    })
}

/// The user with this name as a form sends them back, with these groups; `None`: it says nothing of them.
async fn put_in(
    house: &House,
    browser: &Browser,
    name: &str,
    groups: Option<Value>,
) -> crate::support::Reply {
    let user = house.rooms.user_named(name);
    let mut form = json!({
        "name": user.name, "display_name": user.display_name, "roles": user.roles,
        "desktop": user.desktop, "enabled": user.enabled, "revision": user.revision,
    });
    if let Some(groups) = groups {
        form["groups"] = groups;
    }
    browser.put(&format!("/users/{}", user.id), form).await
}

#[tokio::test]
async fn a_user_is_put_in_groups_and_stays_there_while_a_form_says_nothing_of_them() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let saved = put_in(
        &house,
        &browser,
        "anna",
        Some(json!([" VIP ", "Sales", "vip"])),
    )
    .await;
    assert_eq!(
        (saved.status, &saved.json()["groups"]),
        (200, &json!(["Sales", "VIP"]))
    );
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.detail["changed"], json!(["groups"]));
    assert_eq!(entry.detail["before"]["groups"], json!([]));
    assert_eq!(entry.detail["after"]["groups"], json!(["Sales", "VIP"]));
    let silent = put_in(&house, &browser, "anna", None).await;
    assert_eq!(silent.json()["groups"], json!(["Sales", "VIP"]));
    let listed = browser.get("/users").await.json();
    let users = listed["users"].as_array().unwrap();
    let anna = users.iter().find(|user| user["name"] == "anna").unwrap();
    assert_eq!(anna["groups"], json!(["Sales", "VIP"]));
    let out = put_in(&house, &browser, "anna", Some(json!([]))).await;
    assert_eq!(out.json()["groups"], json!([]));
    let new = json!({
        "name": "m.lee", "display_name": "M. Lee", "roles": ["agent"], "password": "battery staple 7",
        "enabled": true, "groups": ["Night"],
    });
    let made = browser.post("/users", new).await;
    assert_eq!(
        (made.status, &made.json()["groups"]),
        (201, &json!(["Night"]))
    );
}

#[tokio::test]
async fn what_is_no_groups_name_is_refused_at_its_place() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let wrong = json!(["Sales", "", "a,b", "x".repeat(41)]);
    let refused = put_in(&house, &browser, "anna", Some(wrong)).await;
    let fields = ["groups[1]", "groups[2]", "groups[3]"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!((refused.status, refused.fields()), (422, fields));
    let many: Vec<String> = (0..21).map(|number| format!("group {number}")).collect();
    let refused = put_in(&house, &browser, "anna", Some(json!(many))).await;
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["groups".to_owned()])
    );
    let route = json!({"to": "agents", "group": "a,b"});
    let refused = browser
        .post("/services", service("Wrong", "300", route))
        .await;
    assert_eq!(
        (refused.status, refused.fields()),
        (400, vec!["route".to_owned()])
    );
    assert!(
        refused.text().contains("1 to 40 characters"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn a_service_names_a_group_before_anybody_is_in_it_and_says_how_many_are() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let all = json!({"to": "agents"});
    let made = browser
        .post("/services", service("All", "100", all.clone()))
        .await;
    assert_eq!((made.status, &made.json()["route"]), (201, &all));
    let night = json!({"to": "agents", "group": "Night"});
    let made = browser
        .post("/services", service("Night", "200", night.clone()))
        .await;
    assert_eq!((made.status, &made.json()["route"]), (201, &night));
    assert_eq!(house.rooms.last_entry().entry.detail["group"], "Night");
    let groups = async || browser.get("/services").await.json()["groups"].clone();
    assert_eq!(groups().await, json!([{"name": "Night", "agents": 0}]));
    put_in(&house, &browser, "anna", Some(json!(["night", "Sales"]))).await;
    let two = json!([{"name": "night", "agents": 1}, {"name": "Sales", "agents": 1}]);
    assert_eq!(groups().await, two);
}
