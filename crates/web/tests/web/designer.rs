//! Designer desktops: what is saved, refused, and which desktop uses which.

use domain::access::Role;
use domain::desktop::{DesktopService, Layout};
use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Browser, House};

/// A house whose desktop has the designer service and layout; a browser that edits desktops; a new design.
async fn house() -> (House, Browser, Value) {
    let house = House::with(|config| config.frame_hosts = vec!["crm.example".to_owned()]).await;
    {
        let mut desktops = house.rooms.desktops.lock().unwrap();
        desktops[0].service = DesktopService::Designer;
        desktops[0].layout = Layout::Designer;
    }
    let browser = house.logged_in(Role::DesktopAdmin).await;
    let made = browser
        .post("/designer-desktops", json!({"name": "Billing"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let design = made.json()["design"].clone();
    (house, browser, design)
}

fn path_of(design: &Value) -> String {
    format!("/designer-desktops/{}", design["id"].as_str().unwrap())
}

fn binding(design: &Value, tiles: Value) -> Value {
    json!({
        "desktop_revision": 1, "design": design["id"], "name": design["name"], "tiles": tiles, "revision": design["revision"],
    })
}

#[tokio::test]
async fn i16_a_design_is_made_listed_renamed_duplicated_and_deleted() {
    let (_house, browser, design) = house().await;
    assert_eq!(design["revision"], 1);
    let form = json!({"name": "Billing UK", "revision": 1});
    let renamed = browser.put(&path_of(&design), form.clone()).await.json();
    assert_eq!(renamed["design"]["name"], "Billing UK");
    assert_eq!(renamed["design"]["tiles"], design["tiles"]);
    assert_eq!(
        browser.put(&path_of(&design), form).await.code(),
        "conflict"
    );
    let copy = json!({"name": "Copy", "tiles": renamed["design"]["tiles"]});
    let copy = browser.post("/designer-desktops", copy).await.json()["design"].clone();
    assert_eq!(copy["tiles"], design["tiles"]);
    let list = browser.get("/designer-desktops").await.json();
    assert_eq!(list["designs"].as_array().unwrap().len(), 2);
    assert_eq!(list["frame_hosts"], json!(["crm.example"]));
    assert_eq!(
        browser
            .send(Method::DELETE, &path_of(&copy), None)
            .await
            .status,
        204
    );
    assert_eq!(browser.get(&path_of(&copy)).await.status, 404);
}

#[tokio::test]
async fn i17_i18_s7_save_agent_desktop_binds_the_design_and_the_agent_gets_it() {
    let (house, browser, design) = house().await;
    let tiles: Vec<Value> = design["tiles"].as_array().unwrap().clone();
    let without: Vec<Value> = tiles
        .iter()
        .filter(|tile| tile["content"]["kind"] != "control_buttons")
        .cloned()
        .collect();
    let agent = house.logged_in(Role::Agent).await;
    assert_eq!(agent.get("/me/desktop").await.json()["design"], Value::Null);
    let bound = browser
        .put("/desktops/sales/design", binding(&design, json!(without)))
        .await;
    assert_eq!(bound.status, 200, "{}", bound.text());
    let bound = bound.json();
    assert_eq!(
        (&bound["control_buttons_added"], &bound["desktop_revision"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(bound["view"]["used_by"], json!(["Sales"]));
    let mine = agent.get("/me/desktop").await.json();
    assert_eq!(mine["design"], bound["view"]["design"]);
    assert_eq!(
        mine["widgets"].as_array().unwrap().len(),
        1,
        "the widget is still there"
    );
    let again = browser
        .put("/desktops/sales/design", binding(&design, json!(tiles)))
        .await;
    assert_eq!(again.code(), "conflict");
    let moved = json!({
        "desktop_revision": 2, "design": design["id"], "name": "Billing", "tiles": tiles, "revision": 2,
    });
    let moved = browser.put("/desktops/sales/design", moved).await.json();
    assert_eq!(
        (
            &moved["desktop_revision"],
            &moved["view"]["design"]["revision"]
        ),
        (&json!(2), &json!(3)),
        "the desktop itself is as it was"
    );
    assert_eq!(moved["control_buttons_added"], false);
    let history = browser.get("/desktops/sales/history").await.json();
    let changed = history["revisions"][0]["changed"].as_array().unwrap();
    assert!(changed.iter().any(|one| one["what"] == "design"));
    let refused = browser.send(Method::DELETE, &path_of(&design), None).await;
    assert!(
        refused.text().contains("the desktop Sales"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn a_duplicate_and_a_restored_revision_keep_their_design_while_it_is_there() {
    let (_house, browser, design) = house().await;
    let bound = binding(&design, design["tiles"].clone());
    browser.put("/desktops/sales/design", bound).await;
    let twin = json!({"name": "Twin"});
    let twin = browser.post("/desktops/sales/duplicate", twin).await.json();
    assert_eq!(twin["desktop"]["design"], design["id"]);
    let other = json!({"name": "Other"});
    let other = browser.post("/designer-desktops", other).await.json()["design"].clone();
    let mut rebound = binding(&other, other["tiles"].clone());
    rebound["desktop_revision"] = json!(2);
    browser.put("/desktops/sales/design", rebound).await;
    let back = browser
        .post("/desktops/sales/history/2/restore", json!({"revision": 3}))
        .await
        .json();
    assert_eq!(back["desktop"]["design"], design["id"]);
}

#[tokio::test]
async fn revisions_of_a_design_say_what_changed_and_one_is_restored_as_the_newest() {
    let (house, browser, design) = house().await;
    let mut tiles = design["tiles"].clone();
    let list = tiles.as_array_mut().unwrap();
    let gone = list.pop().unwrap();
    // The number of the tile that is gone, on another kind of tile.
    let place = json!({"column": 1, "row": 40, "width": 6, "height": 4});
    let script = |text: &str| json!({"id": gone["id"], "place": place, "content": {"kind": "script", "text": text}});
    list.push(script("Say hello."));
    list[1]["place"]["height"] = json!(8);
    let form = |tiles: &Value, revision: i64| json!({"name": "Billing UK", "tiles": tiles, "revision": revision});
    browser.put(&path_of(&design), form(&tiles, 1)).await;
    *tiles.as_array_mut().unwrap().last_mut().unwrap() = script("Say goodbye.");
    browser.put(&path_of(&design), form(&tiles, 2)).await;
    let path = format!("{}/history", path_of(&design));
    let history = browser.get(&path).await.json();
    let changed: Vec<&Value> = history["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["changed"])
        .collect();
    let what = |what: &str, tiles: u8| json!({"what": what, "tiles": tiles});
    let second = ["added", "moved", "removed"].map(|kind| what(kind, 1));
    let second = [vec![what("name", 0)], second.to_vec()].concat();
    assert_eq!(
        changed,
        [&json!([what("edited", 1)]), &json!(second), &json!([])]
    );
    assert_eq!(history["more"], false);

    let first = browser.get(&format!("{path}/1")).await.json();
    assert_eq!(first["design"], design);
    let restore = format!("{path}/1/restore");
    let stale = browser.post(&restore, json!({"revision": 2})).await;
    assert_eq!(stale.code(), "conflict");
    let restored = browser.post(&restore, json!({"revision": 3})).await.json();
    let restored = &restored["design"];
    assert_eq!(restored["revision"], 4);
    for part in ["name", "tiles"] {
        assert_eq!(restored[part], design[part]);
    }
    let detail = house.rooms.last_entry().entry.detail;
    assert_eq!(detail["restored_revision"], 1);
    for path in [
        format!("{path}/9"),
        "/designer-desktops/none/history".to_owned(),
    ] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_design_with_a_page_of_a_host_that_is_allowed_no_longer_is_not_restored() {
    let (house, browser, design) = house().await;
    let page = json!({"kind": "web_page", "title": "CRM", "address": "https://former.example/"});
    let mut former = house.rooms.designs.lock().unwrap()[0].clone();
    former.tiles[3].content = serde_json::from_value(page).unwrap();
    house.rooms.saved_designs.lock().unwrap()[0].design = former;
    let restore = format!("{}/history/1/restore", path_of(&design));
    let refused = browser.post(&restore, json!({"revision": 1})).await;
    assert_eq!(refused.fields(), ["tiles[3].content.address"]);
    assert_eq!(
        browser.get(&path_of(&design)).await.json()["design"],
        design
    );
}

#[tokio::test]
async fn s7_a_refused_design_changes_neither_desktop_nor_canvas() {
    let (house, browser, design) = house().await;
    let mut tiles = design["tiles"].clone();
    tiles[1]["place"]["column"] = json!(12);
    tiles[2]["content"] =
        json!({"kind": "web_page", "title": "Orders", "address": "https://evil.example"});
    let refused = browser
        .put("/desktops/sales/design", binding(&design, tiles))
        .await;
    assert_eq!(
        refused.fields(),
        [
            "tiles[1].place",
            "tiles[2].place",
            "tiles[2].place",
            "tiles[2].content.address",
            "tiles[3].place"
        ]
    );
    assert!(house.rooms.desktops.lock().unwrap()[0].design.is_none());
    assert_eq!(
        browser.get(&path_of(&design)).await.json()["design"],
        design
    );
}

#[tokio::test]
async fn s1_a_desktop_of_the_standard_service_uses_no_design() {
    let (house, browser, design) = house().await;
    house.rooms.desktops.lock().unwrap()[0].service = DesktopService::Standard;
    let refused = browser
        .put(
            "/desktops/sales/design",
            binding(&design, design["tiles"].clone()),
        )
        .await;
    assert_eq!(refused.fields(), ["design"]);
}

#[tokio::test]
async fn only_frames_of_allowed_hosts_are_in_the_pages_policy() {
    let (_house, browser, _) = house().await;
    let page = browser.get("!/").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-src https://crm.example;"),
        "{policy}"
    );
}
