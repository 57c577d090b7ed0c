//! Desktops, services, settings and users: what is saved, refused, and never returned.

use domain::access::Role;
use domain::boundary::StoreError;
use domain::gateway::AuthMethod;
use domain::time::UnixMillis;
use hyper::Method;
use serde_json::{Value, json};
use web::Changed;

use crate::support::{Browser, House, PASSWORD};

/// The stored desktop as an editor would send it back.
pub(crate) async fn form(browser: &Browser) -> Value {
    let mut desktop = browser.get("/desktops/sales").await.json()["desktop"].clone();
    for field in ["id", "design"] {
        desktop.as_object_mut().unwrap().remove(field);
    }
    desktop
}

async fn save(browser: &Browser, form: &Value) -> (u16, Value) {
    let reply = browser.put("/desktops/sales", form.clone()).await;
    (reply.status, reply.json())
}

/// A user with the roles of both administrators.
pub(crate) async fn administrator(house: &House) -> Browser {
    let both = [Role::DesktopAdmin.into(), Role::SecurityAdmin.into()].into();
    house.rooms.users.lock().unwrap()[3].roles = both;
    house.logged_in(Role::SecurityAdmin).await
}

#[tokio::test]
async fn a_desktop_is_created_read_changed_and_deleted() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let draft =
        json!({"name": "Billing", "service": "standard", "layout": "agent_panel", "widgets": []});
    let made = browser.post("/desktops", draft).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json()["desktop"].clone();
    assert_eq!(
        (&made["name"], &made["revision"]),
        (&json!("Billing"), &json!(1))
    );
    let path = format!("/desktops/{}", made["id"].as_str().unwrap());
    let list = browser.get("/desktops").await.json();
    assert_eq!(list["desktops"][0]["agents"], 1);
    assert_eq!(list["desktops"][1]["name"], "Billing");
    let change = json!({"name": "Billing", "service": "standard", "layout": "extended_panel", "widgets": [], "revision": 1});
    let changed = browser.put(&path, change).await.json();
    assert_eq!(changed["desktop"]["revision"], 2);
    assert_eq!(
        house.rooms.last_entry().entry.detail["changed"],
        json!(["layout"])
    );
    assert_eq!(browser.send(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(browser.get(&path).await.status, 404);
    assert!(
        house
            .rooms
            .signals
            .lock()
            .unwrap()
            .contains(&Changed::Desktops)
    );
}

#[tokio::test]
async fn a_desktop_saved_by_someone_else_meanwhile_is_a_conflict() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let mut form = form(&browser).await;
    form["revision"] = json!(7);
    assert_eq!(save(&browser, &form).await.0, 409);
    form["revision"] = json!(1);
    house.rooms.fail_next(StoreError::Conflict);
    let (status, problem) = save(&browser, &form).await;
    assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
    assert_eq!(house.rooms.desktops.lock().unwrap()[0].revision, 1);
}

#[tokio::test]
async fn a_wrong_desktop_is_refused_with_all_errors_and_their_places() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let mut form = form(&browser).await;
    form["name"] = json!(" ");
    form["layout"] = json!("designer");
    form["widgets"][0]["title"] = json!("");
    form["widgets"][0]["gateway"]["service_url"] = json!("http://gateway.example");
    let reply = browser.put("/desktops/sales", form).await;
    assert_eq!((reply.status, reply.code()), (422, "invalid".to_owned()));
    let fields = reply.fields();
    for field in [
        "name",
        "layout",
        "widgets[0].title",
        "widgets[0].gateway.service_url",
    ] {
        assert!(
            fields.iter().any(|found| found == field),
            "{field} {fields:?}"
        );
    }
    assert!(!house.rooms.trail().contains("desktop_saved"));
}

#[tokio::test]
async fn texts_gateways_and_passwords_need_three_different_rights() {
    let house = House::new().await;
    let texts = house.logged_in(Role::DesktopAdmin).await;
    let gateways = house.logged_in(Role::SecurityAdmin).await;
    let mut title = form(&texts).await;
    title["widgets"][0]["title"] = json!("Pay by card");
    assert_eq!(save(&gateways, &title).await.1["code"], "not_permitted");
    assert_eq!(save(&texts, &title).await.0, 200);
    let mut url = form(&gateways).await;
    url["widgets"][0]["gateway"]["service_url"] = json!("https://other.example/pay");
    assert_eq!(save(&texts, &url).await.1["code"], "not_permitted");
    assert_eq!(save(&gateways, &url).await.0, 200);
    let mut password = form(&texts).await;
    password["widgets"][0]["gateway_password"] = json!("gateway-canary");
    let (status, _) = save(&texts, &password).await;
    assert!(matches!(status, 403 | 422), "{status}");
}

#[tokio::test]
async fn header_values_are_kept_though_a_desktop_admin_cannot_see_them() {
    let house = House::new().await;
    let texts = house.logged_in(Role::DesktopAdmin).await;
    let shown = texts.get("/desktops/sales").await.text();
    assert!(!shown.contains("header-canary"), "{shown}");
    let mut title = form(&texts).await;
    title["widgets"][0]["title"] = json!("Pay by card");
    let (status, answer) = save(&texts, &title).await;
    assert_eq!(status, 200, "{answer}");
    assert!(!answer.to_string().contains("header-canary"));
    let stored = house.rooms.desktops.lock().unwrap()[0].clone();
    let gateway = stored.widgets[0].gateway.as_ref().unwrap();
    assert_eq!(gateway.request_headers[0].value, "header-canary");
}

#[tokio::test]
async fn a_gateway_password_goes_in_and_never_comes_out() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let mut basic = form(&browser).await;
    basic["widgets"][0]["gateway"]["auth_method"] = json!("basic");
    basic["widgets"][0]["gateway"]["auth_user_name"] = json!("merchant");
    let (status, problem) = save(&browser, &basic).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("widgets[0].gateway_password"))
    );
    basic["widgets"][0]["gateway_password"] = json!("gateway-canary");
    let (status, answer) = save(&browser, &basic).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["passwords_set"][0]["widget"], "card");
    for path in ["/desktops", "/desktops/sales", "/audit"] {
        assert!(
            !browser.get(path).await.text().contains("gateway-canary"),
            "{path}"
        );
    }
    assert!(!answer.to_string().contains("gateway-canary"));
    assert!(!house.rooms.trail().contains("gateway-canary"));
}

#[tokio::test]
async fn a_secret_that_a_configuration_names_goes_in_and_stays_with_its_host() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let mut named = form(&browser).await;
    named["widgets"][0]["gateway"]["more"] = json!({"secrets": ["key"]});
    let refused = |(status, problem): (u16, Value), field: &str| {
        let told = &problem["errors"][0]["field"];
        assert_eq!((status, told), (422, &json!(field)), "{problem}");
    };
    let missing = save(&browser, &named).await;
    refused(missing, "widgets[0].gateway.more.secrets[0]");
    named["widgets"][0]["gateway_secrets"] = json!({"pin": "secret-canary"});
    let unnamed = save(&browser, &named).await;
    refused(unnamed, "widgets[0].gateway_secrets");
    named["widgets"][0]["gateway_secrets"] = json!({"key": "secret-canary"});
    let (status, answer) = save(&browser, &named).await;
    assert_eq!(status, 200, "{answer}");
    let set = &answer["secrets_set"][0];
    assert_eq!(
        (&set["widget"], &set["name"]),
        (&json!("card"), &json!("key"))
    );
    for path in ["/desktops", "/desktops/sales", "/audit"] {
        let shown = browser.get(path).await.text();
        assert!(!shown.contains("secret-canary"), "{path}");
    }
    assert!(!house.rooms.trail().contains("secret-canary"));

    let mut moved = form(&browser).await;
    moved["widgets"][0]["gateway"]["service_url"] = json!("https://evil.example/charge");
    let elsewhere = save(&browser, &moved).await;
    refused(elsewhere, "widgets[0].gateway.more.secrets[0]");
    moved["widgets"][0]["gateway"]["service_url"] = json!("https://gateway.example/v2");
    let (status, saved) = save(&browser, &moved).await;
    assert_eq!(status, 200, "{saved}");
    let revision = |answer: &Value| answer["desktop"]["revision"].as_i64().unwrap();
    let path = format!("/desktops/sales/history/{}/restore", revision(&answer));
    let form = json!({"revision": revision(&saved)});
    let restored = browser.post(&path, form).await.json();
    assert_eq!(restored["desktop"]["widgets"][0]["enabled"], true);
    assert_eq!(restored["secrets_set"][0]["name"], "key");
}

#[tokio::test]
async fn a_kept_password_does_not_follow_the_url_to_another_host() {
    let house = House::new().await;
    {
        let mut desktops = house.rooms.desktops.lock().unwrap();
        let gateway = desktops[0].widgets[0].gateway.as_mut().unwrap();
        gateway.auth_method = AuthMethod::Basic;
        gateway.auth_user_name = "merchant".to_owned();
        let set = ("card".parse().unwrap(), UnixMillis(5));
        house.rooms.passwords.lock().unwrap().push(set);
    }
    let browser = administrator(&house).await;
    let mut moved = form(&browser).await;
    moved["widgets"][0]["gateway"]["service_url"] = json!("https://evil.example/charge");
    let (status, problem) = save(&browser, &moved).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("widgets[0].gateway_password"))
    );
    moved["widgets"][0]["gateway"]["service_url"] = json!("https://gateway.example/v2");
    assert_eq!(save(&browser, &moved).await.0, 200);
}

#[tokio::test]
async fn a_desktop_in_use_or_with_a_taken_name_is_refused() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    let used = browser.send(Method::DELETE, "/desktops/sales", None).await;
    assert_eq!((used.status, used.code()), (409, "in_use".to_owned()));
    let draft =
        json!({"name": "Sales", "service": "standard", "layout": "agent_panel", "widgets": []});
    let taken = browser.post("/desktops", draft).await;
    assert_eq!((taken.status, taken.code()), (409, "taken".to_owned()));
}

#[tokio::test]
async fn a_broken_database_is_told_without_its_message() {
    let house = House::new().await;
    let browser = administrator(&house).await;
    house
        .rooms
        .fail_next(StoreError::Unavailable("/secret/path".to_owned()));
    let reply = browser.get("/desktops").await;
    assert_eq!(
        (reply.status, reply.code()),
        (503, "store_unavailable".to_owned())
    );
    assert!(!reply.text().contains("/secret/path"));
    assert_eq!(reply.header("retry-after"), "2");
}

#[tokio::test]
async fn the_system_switch_is_saved_and_told_to_every_page() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let agent = house.logged_in(Role::Agent).await;
    let mut stream = agent.events(None).await;
    stream.next().await.unwrap();
    let variables = json!({"allow": "listed", "names": ["message"]});
    let form = json!({"spc_enabled": false, "response_variables": variables, "revision": 1});
    let saved = browser.put("/settings", form.clone()).await;
    assert_eq!((saved.status, &saved.json()["revision"]), (200, &json!(2)));
    assert_eq!(
        stream.next().await.unwrap().data,
        "{\"changed\":\"settings\"}"
    );
    assert_eq!(
        agent.get("/me/desktop").await.json()["gate"],
        "system_switch"
    );
    assert_eq!(browser.put("/settings", form).await.status, 409);
    let entry = house.rooms.last_entry().entry;
    assert_eq!(
        (entry.actor.as_str(), &entry.detail["spc_enabled"]),
        ("sid", &json!(false))
    );
    assert_eq!(entry.detail["response_variables"], variables);
}

#[tokio::test]
async fn s19_a_list_of_response_variables_has_keys() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    for names in [json!([]), json!([" "]), json!(["a\nb"])] {
        let variables = json!({"allow": "listed", "names": names});
        let form = json!({"spc_enabled": true, "response_variables": variables, "revision": 1});
        let reply = browser.put("/settings", form).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["response_variables.names".to_owned()])
        );
    }
    assert_eq!(browser.get("/settings").await.json()["revision"], 1);
}

fn service(name: &str, numbers: Value) -> Value {
    json!({"name": name, "numbers": numbers, "route": {"to": "agents"}, "desktop": "sales", "protection": "capture"})
}

#[tokio::test]
async fn a_service_is_created_and_its_recorders_declared_by_name() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let made = browser
        .post("/services", service("Main", json!(["100", "*"])))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["recorders"], json!(null));
    let path = format!("/services/{}", made.json()["id"].as_str().unwrap());
    let declaration =
        json!({"sinks": [{"name": "PBX", "medium": "call", "hears": "unmasked"}], "revision": 1});
    let mut unknown = declaration.clone();
    unknown["sinks"][0]["control"] = json!("flor");
    let refused = browser.post(&format!("{path}/recorders"), unknown).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(refused.json()["errors"][0]["field"], "sinks[0].control");
    let declared = browser
        .post(&format!("{path}/recorders"), declaration)
        .await
        .json();
    assert_eq!(declared["recorders"]["confirmed_by"], "sid");
    assert_eq!(declared["recorders"]["sinks"][0]["name"], "PBX");
    assert_eq!(declared["recorders"]["sinks"][0]["control"], json!(null));
    let listed = browser.get("/services").await.json();
    assert_eq!(listed["recorder_controls"], json!(["floor"]));
    assert_eq!(listed["keeps_recordings"], true);
    assert_eq!(listed["trunks"], json!(["carrier"]));
    let mut edit = service("Main line", json!(["100"]));
    edit["revision"] = json!(2);
    let edited = browser.put(&path, edit).await.json();
    assert_eq!(edited["recorders"], declared["recorders"]);
    assert_eq!(
        browser.get("/services").await.json()["services"][0]["name"],
        "Main line"
    );
}

#[tokio::test]
async fn a_service_protects_captures_or_whole_calls_as_it_is_told() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let mut form = service("Main", json!(["100"]));
    form["protection"] = json!("always");
    let made = browser.post("/services", form.clone()).await.json();
    let listed = || async {
        let list = browser.get("/services").await.json();
        list["services"][0]["protection"].clone()
    };
    assert_eq!(listed().await, "always");
    let path = format!("/services/{}", made["id"].as_str().unwrap());
    form["protection"] = json!("capture");
    form["revision"] = made["revision"].clone();
    assert_eq!(browser.put(&path, form.clone()).await.status, 200);
    assert_eq!(listed().await, "capture");
    form["protection"] = json!("sometimes");
    assert_eq!(browser.post("/services", form).await.status, 400);
    assert_eq!(listed().await, "capture");
}

#[tokio::test]
async fn a_service_that_says_nothing_of_screens_keeps_what_it_said_before() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let mut form = service("Main", json!(["100"]));
    let made = browser.post("/services", form.clone()).await.json();
    assert_eq!(made["screen_recording"]["when"], "never");
    let path = format!("/services/{}", made["id"].as_str().unwrap());
    let wanted =
        json!({"when": "always", "surfaces": "entire_screen", "required": true, "keep_days": 7});
    form["screen_recording"] = wanted.clone();
    form["revision"] = json!(1);
    let saved = browser.put(&path, form.clone()).await;
    assert_eq!(saved.json()["screen_recording"], wanted);
    let entry = house.rooms.last_entry().entry;
    assert_eq!(entry.detail["screens_required"], true);
    let mut silent = service("Main", json!(["100"]));
    silent["revision"] = json!(2);
    let saved = browser.put(&path, silent).await.json();
    assert_eq!(saved["screen_recording"], wanted);
    form["revision"] = json!(3);
    form["screen_recording"]["keep_days"] = json!(0);
    let refused = browser.put(&path, form).await;
    assert_eq!(refused.fields(), ["screen_recording.keep_days"]);
}

#[tokio::test]
async fn a_wrong_service_is_refused_with_all_errors() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    browser
        .post("/services", service("Main", json!(["100"])))
        .await;
    let mut wrong = service("main", json!(["100", "bad number", "7", "7"]));
    wrong["desktop"] = json!("none");
    wrong["route"] = json!({"to": "uri", "uri": "http://x", "address": "pbx", "agent": "nobody"});
    wrong["pairing"] = json!({"code": true, "agents": ["nobody"]});
    let reply = browser.post("/services", wrong).await;
    assert_eq!(reply.status, 422);
    let mut fields = reply.fields();
    fields.sort();
    assert_eq!(
        fields,
        [
            "desktop",
            "name",
            "numbers",
            "numbers[1]",
            "numbers[3]",
            "pairing.agents",
            "route.address",
            "route.agent",
            "route.uri"
        ]
    );
}

fn new_user() -> Value {
    json!({
        "name": "m.lee", "display_name": "M. Lee", "roles": ["agent"], "desktop": "sales",
        "phone": "m.lee", "phone_password": "phone-canary-1", "password": "canary horse 42", "enabled": true,
    })
}

#[tokio::test]
async fn a_user_is_created_and_no_secret_of_theirs_comes_back() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let made = browser.post("/users", new_user()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let stored = house.rooms.user_named("m.lee");
    let ha1 = stored.phone_ha1.clone().unwrap();
    let listed = browser.get("/users").await.text();
    let trail = house.rooms.trail();
    for secret in ["canary", "argon2", ha1.as_str()] {
        for text in [made.text(), listed.clone(), trail.clone()] {
            assert!(!text.contains(secret), "{secret} {text}");
        }
    }
    assert_eq!(made.json()["phone_password_set"], true);
    assert!(
        house
            .rooms
            .signals
            .lock()
            .unwrap()
            .contains(&Changed::Users)
    );
    let mut first = house.browser();
    let reply = first.log_in("m.lee", "canary horse 42").await;
    assert_eq!(reply.json()["must_change_password"], true);
}

#[tokio::test]
async fn a_wrong_user_is_refused_with_all_errors() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let wrong = json!({
        "name": "Anna B", "display_name": "", "roles": [], "desktop": "none",
        "phone": "x y", "password": "short", "enabled": true,
    });
    let reply = browser.post("/users", wrong).await;
    assert_eq!(
        reply.fields(),
        [
            "name",
            "display_name",
            "phone",
            "phone_password",
            "password",
            "desktop"
        ]
    );
    let taken = json!({"name": "anna", "display_name": "A", "roles": [], "enabled": true});
    assert_eq!(
        browser.post("/users", taken).await.fields(),
        ["name", "password"]
    );
}

async fn edit(browser: &Browser, house: &House, name: &str, change: Value) -> (u16, Value) {
    let user = house.rooms.user_named(name);
    let mut form = json!({
        "name": user.name, "display_name": user.display_name, "roles": user.roles,
        "desktop": user.desktop, "enabled": user.enabled, "revision": user.revision,
    });
    for (field, value) in change.as_object().unwrap() {
        form[field] = value.clone();
    }
    let reply = browser.put(&format!("/users/{}", user.id), form).await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn other_roles_a_new_password_or_a_disabled_account_end_the_logins_at_once() {
    for change in [
        json!({"roles": ["agent", "auditor"]}),
        json!({"password": "battery staple 7"}),
        json!({"enabled": false}),
    ] {
        let house = House::new().await;
        let browser = house.logged_in(Role::SecurityAdmin).await;
        let agent = house.logged_in(Role::Agent).await;
        let mut stream = agent.events(None).await;
        stream.next().await.unwrap();
        let (status, answer) = edit(&browser, &house, "anna", change.clone()).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(agent.get("/login").await.status, 401, "{change}");
        assert_eq!(stream.next().await.unwrap().event, "logged_out");
        assert_eq!(browser.get("/login").await.status, 200);
    }
}

#[tokio::test]
async fn another_desktop_reaches_the_agent_without_a_new_login() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let agent = house.logged_in(Role::Agent).await;
    let (status, _) = edit(&browser, &house, "anna", json!({"desktop": null})).await;
    assert_eq!(status, 200);
    assert_eq!(agent.get("/login").await.json()["desktop"], json!(null));
}

#[tokio::test]
async fn nobody_changes_their_own_roles_or_locks_themselves_out() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    for change in [
        json!({"roles": ["security_admin", "agent"]}),
        json!({"enabled": false}),
    ] {
        let (status, problem) = edit(&browser, &house, "sid", change).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!("roles"))
        );
    }
}

#[tokio::test]
async fn an_administrator_ends_a_lock() {
    let house = House::new().await;
    house.rooms.users.lock().unwrap()[0].locked_until = Some(UnixMillis(i64::MAX));
    let browser = house.logged_in(Role::SecurityAdmin).await;
    assert_eq!(house.browser().log_in("anna", PASSWORD).await.status, 423);
    let (status, _) = edit(&browser, &house, "anna", json!({"unlock": true})).await;
    assert_eq!(status, 200);
    assert_eq!(house.browser().log_in("anna", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_route_leads_to_a_trunk_that_the_server_has() {
    let house = House::new().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let mut out = service("Out", json!(["200"]));
    out["route"] = json!({"to": "trunk", "trunk": "carrier"});
    let made = browser.post("/services", out.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let route = json!({"to": "trunk", "trunk": "carrier", "number": null, "agent": null});
    assert_eq!(made.json()["route"], route);
    out["route"] = json!({"to": "trunk", "trunk": "carier", "number": "*", "agent": "nobody"});
    (out["name"], out["numbers"]) = (json!("Other"), json!(["201"]));
    let refused = browser.post("/services", out).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let mut named = refused.fields();
    named.sort();
    assert_eq!(named, ["route.agent", "route.number", "route.trunk"]);
}
