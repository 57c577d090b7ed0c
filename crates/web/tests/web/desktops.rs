//! Agent desktops: the list, who works with one, copies, files and history.

use domain::access::Role;
use domain::gateway::AuthMethod;
use domain::time::UnixMillis;
use hyper::Method;
use serde_json::json;
use web::Changed;

use crate::configuration::{administrator, form};
use crate::support::{House, desktop};

/// The stored widget posts with a password.
fn with_password(house: &House) {
    let mut stored = desktop("sales");
    let gateway = stored.widgets[0].gateway.as_mut().unwrap();
    gateway.auth_method = AuthMethod::Basic;
    gateway.auth_user_name = "merchant".to_owned();
    *house.rooms.desktops.lock().unwrap() = Vec::new();
    house.rooms.saved.lock().unwrap().clear();
    house.rooms.add_desktop(stored);
    let set = ("card".parse().unwrap(), UnixMillis(5));
    house.rooms.passwords.lock().unwrap().push(set);
}

#[tokio::test]
async fn n2_s5_the_list_says_how_each_desktop_stands_and_who_changed_it() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let listed = || async { browser.get("/desktops").await.json()["desktops"][0].clone() };
    let first = listed().await;
    assert_eq!(first["standing"], json!({"state": "live", "reasons": []}));
    assert_eq!(
        (&first["saved_by"], &first["agents"]),
        (&json!("system"), &json!(1))
    );
    *house.rooms.refused_hosts.lock().unwrap() = vec!["gateway.example".to_owned()];
    assert_eq!(
        listed().await["standing"],
        json!({"state": "needs_attention", "reasons": [{"what": "host_not_approved", "widget": "card", "name": "Card payment"}]})
    );
    let mut off = form(&browser).await;
    off["widgets"][0]["enabled"] = json!(false);
    assert_eq!(browser.put("/desktops/sales", off).await.status, 200);
    let last = listed().await;
    assert_eq!(last["standing"]["state"], "disabled");
    assert_eq!(
        (&last["saved_by"], &last["saved_at"]),
        (&json!("sid"), &json!(1_800_000_000_000_i64))
    );
}

#[tokio::test]
async fn n8_a_desktop_in_use_is_not_deleted_and_whoever_uses_it_is_named() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let anna = house.rooms.user_named("anna").id;
    let sales = "sales".parse().unwrap();
    house.desk.capturing.lock().unwrap().push((sales, anna));
    let used = browser.get("/desktops/sales/use").await.json();
    assert_eq!(used["agents"][0]["name"], "anna");
    assert_eq!(used["capturing"], json!(["anna"]));
    let delete = || browser.send(Method::DELETE, "/desktops/sales", None);
    let reply = delete().await;
    assert_eq!((reply.status, reply.code()), (409, "in_use".to_owned()));
    assert_eq!(reply.json()["detail"], "a capture is open on it: anna");
    house.desk.capturing.lock().unwrap().clear();
    assert_eq!(delete().await.code(), "in_use");
    assert!(house.rooms.desktops.lock().unwrap().len() == 1);
}

#[tokio::test]
async fn agents_are_assigned_and_their_open_pages_have_the_desktop_at_once() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let agent = house.logged_in(Role::Agent).await;
    let anna = house.rooms.user_named("anna").id;
    let freed = browser
        .put("/desktops/sales/agents", json!({"remove": [anna]}))
        .await;
    assert_eq!(freed.status, 200, "{}", freed.text());
    assert_eq!(freed.json()["agents"], json!([]));
    assert_eq!(freed.json()["others"][0]["name"], "anna");
    assert_eq!(
        agent.get("/me/desktop").await.json()["desktop"],
        json!(null)
    );
    let again = browser
        .put("/desktops/sales/agents", json!({"add": [anna]}))
        .await;
    assert_eq!(again.json()["agents"][0]["desktop"], "Sales");
    assert_eq!(agent.get("/me/desktop").await.json()["desktop"], "sales");
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.action.name(), "desktop_assigned");
    assert_eq!(entry.detail, json!({"added": ["anna"], "removed": []}));
    assert!(
        house
            .rooms
            .signals
            .lock()
            .unwrap()
            .contains(&Changed::Users)
    );
}

#[tokio::test]
async fn a_wrong_assignment_is_refused_with_every_error_and_assigns_nobody() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let id = |name: &str| house.rooms.user_named(name).id;
    let wrong = json!({"add": [id("sam"), "nobody", id("sam")], "remove": [id("sid")]});
    let reply = browser.put("/desktops/sales/agents", wrong).await;
    assert_eq!(reply.fields(), ["add[1]", "add[2]", "remove[0]"]);
    assert_eq!(house.rooms.user_named("sam").desktop, None);
    let reply = browser.put("/desktops/none/agents", json!({})).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn n8_a_duplicate_has_new_identities_and_no_password() {
    let house = House::new().await;
    with_password(&house);
    let browser = administrator(&house).await;
    let made = browser
        .post("/desktops/sales/duplicate", json!({"name": "Sales 2"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_ne!(made["desktop"]["id"], "sales");
    let widget = &made["desktop"]["widgets"][0];
    assert_ne!(widget["id"], "card");
    assert_eq!(widget["enabled"], false);
    assert_eq!(
        widget["gateway"]["service_url"],
        "https://gateway.example/charge"
    );
    assert_eq!(made["standing"]["reasons"][1]["what"], "password_missing");
    assert_eq!(house.rooms.last_entry().entry.detail["copy_of"], "Sales");
    let reply = browser
        .post("/desktops/sales/duplicate", json!({"name": " "}))
        .await;
    assert_eq!(reply.fields(), ["name"]);
    let reply = browser
        .post("/desktops/sales/duplicate", json!({"name": "Sales"}))
        .await;
    assert_eq!(reply.code(), "taken");
}

#[tokio::test]
async fn whoever_may_not_edit_gateways_duplicates_the_texts_alone() {
    let house = House::new().await;
    let browser = house.logged_in(Role::DesktopAdmin).await;
    let made = browser
        .post("/desktops/sales/duplicate", json!({"name": "Sales 2"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(!made.text().contains("header-canary"));
    let made = made.json();
    let widget = &made["desktop"]["widgets"][0];
    assert_eq!(
        (&widget["gateway"], &widget["enabled"]),
        (&json!(null), &json!(false))
    );
    assert_eq!(made["standing"]["reasons"][1]["what"], "gateway_missing");
}

#[tokio::test]
async fn s4_a_file_goes_out_and_in_without_passwords_header_values_and_identities() {
    let house = House::new().await;
    with_password(&house);
    let browser = administrator(&house).await;
    let reply = browser.get("/desktops/sales/export").await;
    assert_eq!(
        reply.header("content-disposition"),
        "attachment; filename=\"desktop-sales.json\""
    );
    assert!(!reply.text().contains("header-canary"), "{}", reply.text());
    let mut file = reply.json();
    file["name"] = json!("Sales 2");
    let made = browser.post("/desktops/import", file).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["desktop"]["widgets"][0]["enabled"], false);
    let kinds: Vec<_> = made["standing"]["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["what"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "nothing_enabled",
            "password_missing",
            "header_value_missing"
        ]
    );
    assert_eq!(house.rooms.last_entry().entry.detail["imported"], true);
}

#[tokio::test]
async fn a_wrong_file_is_refused_with_every_error_by_its_field_and_nothing_is_saved() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let file = browser.get("/desktops/sales/export").await.json();
    let mut wrong = file.clone();
    wrong["name"] = json!("");
    wrong["layout"] = json!("designer");
    wrong["widgets"][0]["title"] = json!("x\ny");
    wrong["widgets"][0]["gateway"]["service_url"] = json!("http://gateway.example");
    let mut second = file["widgets"][0].clone();
    second["card_types"] = json!([]);
    wrong["widgets"].as_array_mut().unwrap().push(second);
    let reply = browser.post("/desktops/import", wrong).await;
    assert_eq!(
        reply.fields(),
        [
            "name",
            "layout",
            "widgets[0].title",
            "widgets[0].gateway.service_url",
            "widgets[1].card_types"
        ]
    );
    for (field, value, code) in [
        ("version", json!(2), "invalid"),
        ("format", json!("other"), "bad_body"),
        ("approved", json!(true), "bad_body"),
    ] {
        let mut wrong = file.clone();
        wrong[field] = value;
        assert_eq!(
            browser.post("/desktops/import", wrong).await.code(),
            code,
            "{field}"
        );
    }
    let mut secret = file;
    secret["widgets"][0]["gateway_password"] = json!("canary");
    let reply = browser.post("/desktops/import", secret).await;
    assert_eq!(
        (reply.code(), reply.fields()),
        (
            "bad_body".to_owned(),
            vec!["widgets[0].gateway_password".to_owned()]
        )
    );
    assert_eq!(house.rooms.desktops.lock().unwrap().len(), 1);
    let texts = house.logged_in(Role::DesktopAdmin).await;
    let mut file = texts.get("/desktops/sales/export").await.json();
    file["name"] = json!("Sales 2");
    assert_eq!(
        texts.post("/desktops/import", file).await.code(),
        "not_permitted"
    );
}

#[tokio::test]
async fn s5_history_says_what_each_revision_changed_and_restores_one_as_the_next() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let mut second = form(&browser).await;
    second["layout"] = json!("agent_panel");
    second["widgets"][0]["title"] = json!("Pay by card");
    assert_eq!(browser.put("/desktops/sales", second).await.status, 200);
    let history = browser.get("/desktops/sales/history").await.json();
    assert_eq!(history["more"], false);
    let newest = &history["revisions"][0];
    assert_eq!(
        (&newest["revision"], &newest["saved_by"]),
        (&json!(2), &json!("sid"))
    );
    assert_eq!(
        newest["changed"],
        json!([{"what": "layout", "title": ""}, {"what": "edited", "title": "Pay by card"}])
    );
    let first = browser.get("/desktops/sales/history/1").await.json();
    assert_eq!(first["desktop"]["widgets"][0]["title"], "Card payment");
    let restore = |revision: i64| {
        browser.post(
            "/desktops/sales/history/1/restore",
            json!({ "revision": revision }),
        )
    };
    assert_eq!(restore(1).await.status, 409);
    let restored = restore(2).await;
    assert_eq!(restored.status, 200, "{}", restored.text());
    let restored = restored.json()["desktop"].clone();
    assert_eq!(
        (&restored["revision"], &restored["layout"]),
        (&json!(3), &json!("extended_panel"))
    );
    assert_eq!(restored["widgets"], first["desktop"]["widgets"]);
    assert_eq!(
        house.rooms.last_entry().entry.detail["restored_revision"],
        1
    );
    for path in [
        "/desktops/sales/history/9",
        "/desktops/none/history",
        "/desktops/sales/history/x",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_restored_widget_keeps_its_password_only_for_the_host_it_was_entered_for() {
    let house = House::new().await;
    with_password(&house);
    let browser = administrator(&house).await;
    let restore = |revision: i64| {
        browser.post(
            "/desktops/sales/history/1/restore",
            json!({ "revision": revision }),
        )
    };
    let mut path = form(&browser).await;
    path["widgets"][0]["gateway"]["service_url"] = json!("https://gateway.example/v2");
    assert_eq!(browser.put("/desktops/sales", path).await.status, 200);
    let kept = restore(2).await.json();
    assert_eq!(kept["desktop"]["widgets"][0]["enabled"], true);
    assert_eq!(kept["passwords_set"][0]["widget"], "card");

    let mut host = form(&browser).await;
    host["widgets"][0]["gateway"]["service_url"] = json!("https://other.example/pay");
    host["widgets"][0]["gateway_password"] = json!("gateway-canary");
    assert_eq!(browser.put("/desktops/sales", host).await.status, 200);
    let moved = restore(4).await.json();
    assert_eq!(moved["desktop"]["widgets"][0]["enabled"], false);
    assert_eq!(moved["passwords_set"], json!([]));
    assert_eq!(
        house.rooms.last_entry().entry.detail["passwords_removed"],
        json!(["card"])
    );

    let mut none = form(&browser).await;
    none["widgets"] = json!([]);
    assert_eq!(browser.put("/desktops/sales", none).await.status, 200);
    let back = restore(6).await.json();
    assert_eq!(back["desktop"]["widgets"][0]["id"], "card");
    assert_eq!(back["desktop"]["widgets"][0]["enabled"], false);
    assert!(!house.rooms.trail().contains("gateway-canary"));
}

#[tokio::test]
async fn history_hides_header_values_and_its_gateways_come_back_by_right_only() {
    let house = House::new().await;
    let admin = administrator(&house).await;
    let mut changed = form(&admin).await;
    changed["widgets"][0]["gateway"]["success_key"] = json!("result.status");
    assert_eq!(admin.put("/desktops/sales", changed).await.status, 200);
    let texts = house.logged_in(Role::DesktopAdmin).await;
    let shown = texts.get("/desktops/sales/history/1").await;
    assert_eq!(shown.status, 200);
    assert!(!shown.text().contains("header-canary"));
    let refused = texts
        .post("/desktops/sales/history/1/restore", json!({"revision": 2}))
        .await;
    assert_eq!(refused.code(), "not_permitted");
    assert_eq!(house.rooms.desktops.lock().unwrap()[0].revision, 2);
}
